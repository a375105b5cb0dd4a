import { readFileSync, writeFileSync } from "node:fs";
import * as optax from "@jnx/optax";
import { array, mean, ones, random, square, type Tensor } from "@jnx/tensor";
import * as nnx from "@jnx/nnx";
import { useDevice } from "@jnx/testing";
import { describe, expect, it } from "vitest";
import { goldenArray } from "../goldens/read.ts";

useDevice();

class Folder implements nnx.CheckpointSink, nnx.CheckpointSource {
  readonly files = new Map<string, Uint8Array>();
  write(file: string, part: Uint8Array): void {
    const before = this.files.get(file) ?? new Uint8Array();
    const all = new Uint8Array(before.length + part.length);
    all.set(before);
    all.set(part, before.length);
    this.files.set(file, all);
  }
  read(file: string, start = 0, end?: number): Uint8Array {
    const found = this.files.get(file);
    if (found === undefined) throw new Error(`no file ${file}`);
    return found.slice(start, end);
  }
}

class Net extends nnx.Module {
  readonly table: nnx.Embed;
  readonly layers: readonly nnx.Linear[];
  readonly rnn: nnx.RNN<nnx.GRUCell>;
  constructor({ rngs }: nnx.RngsOptions) {
    super();
    this.table = new nnx.Embed(5, 4, { rngs });
    this.layers = [new nnx.Linear(4, 4, { rngs }), new nnx.LoRALinear(4, 3, { loraRank: 2, rngs })];
    this.rnn = new nnx.RNN(new nnx.GRUCell(3, 2, { rngs }));
  }
  call(x: Tensor): Tensor {
    return this.rnn.call(this.layers.reduce((y, layer) => nnx.relu(layer.call(y)), this.table.call(x)));
  }
}

class Params extends nnx.Pytree {
  readonly params: nnx.State;
  constructor(net: Net) {
    super();
    this.params = nnx.state(net, nnx.Param);
  }
}

class Trained extends nnx.Module {
  readonly linear: nnx.Linear;
  readonly dropout: nnx.Dropout;
  constructor(seed: number) {
    super();
    const rngs = new nnx.Rngs(seed);
    this.linear = new nnx.Linear(3, 2, { rngs });
    this.dropout = new nnx.Dropout(0.5, { rngs });
  }
  call(x: Tensor): Tensor {
    return this.dropout.call(this.linear.call(x));
  }
}

function training(seed: number): { model: Trained; optimizer: nnx.Optimizer<Trained> } {
  const model = new Trained(seed);
  return { model, optimizer: new nnx.Optimizer(model, optax.adam(0.1), { wrt: nnx.Param }) };
}

function step({ model, optimizer }: ReturnType<typeof training>): void {
  optimizer.update(model, nnx.grad((net: Trained) => mean(square(net.call(ones([4, 3])))))(model));
}

function leavesOf(objects: object): Promise<unknown>[] {
  return nnx
    .toFlatState(nnx.state(objects))
    .map(async ([path, leaf]) => [
      path.join("."),
      leaf instanceof nnx.Variable ? await leaf.toTensor().toArray() : leaf,
    ]);
}

async function bits(model: Trained): Promise<number[]> {
  return [...new Uint32Array((await model.linear.kernel.value.data()).slice().buffer)];
}

describe("saveCheckpoint and loadCheckpoint", () => {
  it("resume bit for bit: model, optimizer, random streams and step", async () => {
    const [first, folder] = [training(1), new Folder()];
    step(first);
    step(first);
    await nnx.saveCheckpoint(first, folder);
    const resumed = training(2);
    await nnx.loadCheckpoint(resumed, folder);
    expect(await resumed.optimizer.step.value.item()).toBe(2);
    for (const one of [first, resumed]) {
      step(one);
      step(one);
    }
    expect(await bits(resumed.model)).toEqual(await bits(first.model));
  });

  it("in shards with an index, with progress, one array at a time", async () => {
    const [saved, folder] = [training(1), new Folder()];
    const seen: nnx.CheckpointProgress[] = [];
    await nnx.saveCheckpoint(saved, folder, { maxShardBytes: 40, onProgress: (progress) => seen.push(progress) });
    const files = [...folder.files.keys()];
    expect(files.length).toBeGreaterThan(2);
    expect(files.at(-1)).toBe("model.safetensors.index.json");
    expect(files[0]).toBe(`model-00001-of-${String(files.length - 1).padStart(5, "0")}.safetensors`);
    expect(seen.at(-1)?.bytes).toBe(seen.at(-1)?.totalBytes);
    const resumed = training(2);
    await nnx.loadCheckpoint(resumed, folder);
    expect(await bits(resumed.model)).toEqual(await bits(saved.model));
  });

  it("stops when aborted, and a stopped load has changed nothing", async () => {
    const [saved, folder] = [training(1), new Folder()];
    await nnx.saveCheckpoint(saved, folder);
    const other = training(2);
    const before = await bits(other.model);
    const stop = new AbortController();
    const load = nnx.loadCheckpoint(other, folder, {
      signal: stop.signal,
      onProgress: () => stop.abort(new Error("enough")),
    });
    await expect(load).rejects.toThrow("enough");
    expect(await bits(other.model)).toEqual(before);
    await expect(
      nnx.saveCheckpoint(saved, new Folder(), { signal: AbortSignal.abort(new Error("no")) }),
    ).rejects.toThrow("no");
  });

  it("damaged files are refused by name, and change nothing", async () => {
    const [saved, folder] = [training(1), new Folder()];
    await nnx.saveCheckpoint(saved, folder);
    const whole = folder.read("model.safetensors");
    const other = training(2);
    const before = await bits(other.model);
    const refused = async (bytes: Uint8Array, message: RegExp): Promise<void> => {
      const read = (_file: string, start = 0, end = bytes.length): Uint8Array => bytes.slice(start, end);
      await expect(nnx.loadCheckpoint(other, { read })).rejects.toThrow(message);
      expect(await bits(other.model)).toEqual(before);
    };
    await refused(
      whole.slice(0, -3),
      /model\.safetensors: ".*" needs the bytes from .* the file is cut.*nothing was changed/,
    );
    await refused(whole.slice(0, 100), /model\.safetensors: truncated in the header/);
    await refused(whole.slice(0, 5), /too short for a safetensors file/);
    await refused(new TextEncoder().encode("<!doctype html><p>not found"), /the header is too large/);
    const header = JSON.stringify({
      a: { dtype: "F32", shape: [2], data_offsets: [0, 8] },
      b: { dtype: "F32", shape: [2], data_offsets: [4, 12] },
    });
    const overlapping = new Uint8Array(8 + header.length + 12);
    new DataView(overlapping.buffer).setBigUint64(0, BigInt(header.length), true);
    overlapping.set(new TextEncoder().encode(header), 8);
    await refused(overlapping, /model\.safetensors: tensor "b" overlaps tensor "a"/);
    const twice = { read: (file: string, start = 0, end?: number): Uint8Array => parts(file).slice(start, end) };
    const index = { weight_map: { a: "a.safetensors", b: "b.safetensors" } };
    const parts = (file: string): Uint8Array =>
      file.endsWith(".json") ? new TextEncoder().encode(JSON.stringify(index)) : whole;
    await expect(nnx.loadCheckpoint(other, twice)).rejects.toThrow(/is in a\.safetensors and in b\.safetensors/);
    expect(await bits(other.model)).toEqual(before);
  });

  it("a checkpoint of another model is refused with every path, and changes nothing", async () => {
    const folder = new Folder();
    await nnx.saveCheckpoint({ model: new nnx.Linear(2, 2, { rngs: new nnx.Rngs(0), useBias: false }) }, folder);
    const model = new nnx.Linear(2, 3, { rngs: new nnx.Rngs(0) });
    const load = nnx.loadCheckpoint({ model }, folder);
    await expect(load).rejects.toThrow(/the file lacks "model.bias".*nothing was changed/);
    const loose = nnx.loadCheckpoint({ model }, folder, { strict: false });
    await expect(loose).rejects.toThrow(/"model.kernel" has shape \[2, 3\], the file \[2, 2\]/);
    await expect(nnx.loadCheckpoint({ net: model }, folder)).rejects.toThrow(/which the objects lack/);
  });

  it("what is missing, left over and of another shape is told at once, and what would fit is not loaded either", async () => {
    const rngs = (): nnx.Rngs => new nnx.Rngs(0);
    const layer = (din: number, dout: number): nnx.Linear => new nnx.Linear(din, dout, { rngs: rngs() });
    const folder = new Folder();
    await nnx.saveCheckpoint({ same: layer(2, 2), sizes: layer(2, 2), old: new nnx.Param(ones([1])) }, folder);
    const target = { same: layer(2, 2), sizes: layer(2, 5), fresh: new nnx.Param(ones([1])) };
    target.same.bias?.setRawValue(ones([2]));
    const before = JSON.stringify(await Promise.all(leavesOf(target)));
    await expect(nnx.loadCheckpoint(target, folder)).rejects.toThrow(
      /the file lacks "fresh"; the file has "old", which the objects lack; "sizes.bias" has shape \[5\], the file \[2\]; "sizes.kernel" has shape \[2, 5\], the file \[2, 2\]; .*nothing was changed/,
    );
    await expect(nnx.loadCheckpoint(target, folder, { strict: false })).rejects.toThrow(
      /^loadCheckpoint: "sizes.bias" has shape .*"sizes.kernel" has shape .*nothing was changed/,
    );
    expect(JSON.stringify(await Promise.all(leavesOf(target)))).toBe(before);
  });
});

describe("exchange with Flax", () => {
  const bytes = new Uint8Array(readFileSync(new URL("../goldens/flax-model.safetensors", import.meta.url)));

  it("what Python wrote loads here and gives Flax's output", async () => {
    const net = new Net({ rngs: new nnx.Rngs(1) });
    const source = { read: (_file: string, start = 0, end = bytes.length) => bytes.slice(start, end) };
    await nnx.loadCheckpoint({ "": new Params(net).params }, source, { names: "flax" });
    const x = goldenArray("nnx-checkpoint", "x");
    const y = goldenArray("nnx-checkpoint", "y");
    const found = await net.call(array(x.data as Int32Array, { shape: x.shape })).data(); // the script writes int32
    found.forEach((value, k) => expect(Math.abs(value - (y.data[k] ?? Number.NaN))).toBeLessThan(1e-6));
  });

  it("what is written here is, byte for byte, the file that Python writes", async () => {
    const net = new Net({ rngs: new nnx.Rngs(1) });
    const source = { read: (_file: string, start = 0, end = bytes.length) => bytes.slice(start, end) };
    const params = new Params(net).params;
    await nnx.loadCheckpoint({ "": params }, source, { names: "flax" });
    const folder = new Folder();
    await nnx.saveCheckpoint({ "": params }, folder, { names: "flax" });
    expect([...folder.read("model.safetensors")]).toEqual([...bytes]);
    const { env } = process; // JNX_CHECKPOINT=path keeps the file for tests/oracle/nnx_checkpoint.py to check
    if (env["JNX_CHECKPOINT"] !== undefined) writeFileSync(env["JNX_CHECKPOINT"], folder.read("model.safetensors"));
  });

  it("keys go through files as their words", async () => {
    const [rngs, other, folder] = [new nnx.Rngs(5), new nnx.Rngs(6), new Folder()];
    rngs.call();
    await nnx.saveCheckpoint({ rngs }, folder);
    await nnx.loadCheckpoint({ rngs: other }, folder);
    expect(await random.keyData(other.call()).toArray()).toEqual(await random.keyData(rngs.call()).toArray());
  });
});
