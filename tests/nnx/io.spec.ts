import { array, ones, zeros } from "@jnx/tensor";
import * as nnx from "@jnx/nnx";
import { useDevice } from "@jnx/testing";
import { describe, expect, it } from "vitest";
import { serializeSafetensors } from "../../packages/nnx/src/safetensors.ts";

useDevice();

class Net extends nnx.Module {
  readonly layers: readonly nnx.Linear[];
  readonly seen = new nnx.Variable(array([true, false]));
  readonly steps = new nnx.Variable(array(7, { dtype: "uint32" }));

  constructor(seed: number) {
    super();
    const rngs = new nnx.Rngs(seed);
    this.layers = [new nnx.Linear(3, 4, { rngs }), new nnx.Linear(4, 2, { rngs })];
  }
}

describe("safetensors", () => {
  it("a saved model loads into a fresh one, bit by bit, names joined by dots", async () => {
    const bytes = await nnx.saveSafetensors(new Net(0));
    const loaded = nnx.loadSafetensors(bytes);
    expect(nnx.toFlatState(loaded).map(([path]) => path.join("."))).toEqual([
      "layers.0.bias",
      "layers.0.kernel",
      "layers.1.bias",
      "layers.1.kernel",
      "seen",
      "steps",
    ]);
    const fresh = new Net(1);
    nnx.update(fresh, loaded);
    expect(await nnx.saveSafetensors(fresh)).toEqual(bytes);
    expect(await fresh.layers[0]?.call(ones([1, 3])).toArray()).toEqual(
      await new Net(0).layers[0]?.call(ones([1, 3])).toArray(),
    );
  });

  it("a State of part of a model", async () => {
    const bytes = await nnx.saveSafetensors(nnx.state(new Net(0), nnx.PathContains(1)), {
      metadata: { format: "jnx" },
    });
    expect(nnx.toFlatState(nnx.loadSafetensors(bytes))).toHaveLength(2);
  });

  it("a file of another model names the path and changes nothing", async () => {
    const bytes = await nnx.saveSafetensors(nnx.fromFlatState([[["layers", 0, "kernel"], zeros([3, 5])]]));
    const net = new Net(0);
    const before = await net.layers[0]?.kernel.value.toArray();
    expect(() => nnx.update(net, nnx.loadSafetensors(bytes))).toThrow(
      /"layers.0.kernel" has shape \[3, 4\], received \[3, 5\]/,
    );
    // The second path fits, and is not written either.
    const unknown = nnx.fromFlatState([
      [["layers", 0, "weight"], zeros([3, 4])],
      [["layers", 0, "kernel"], zeros([3, 4])],
    ]);
    const file = await nnx.saveSafetensors(unknown);
    expect(() => nnx.update(net, nnx.loadSafetensors(file))).toThrow(/no array at "layers.0.weight"/);
    expect(await net.layers[0]?.kernel.value.toArray()).toEqual(before);
  });

  it("a cut file names itself", async () => {
    const bytes = await nnx.saveSafetensors(new Net(0));
    expect(() => nnx.loadSafetensors(bytes.subarray(0, bytes.length - 3), { file: "model.safetensors" })).toThrow(
      /model.safetensors/,
    );
  });

  it("half precision and small integers keep their dtype, doubles convert; others are refused by name", async () => {
    const entry = (
      dtype: string,
      data: ArrayBufferView,
    ): [string, { dtype: string; shape: number[]; data: Uint8Array }] => [
      dtype,
      { dtype, shape: [2], data: new Uint8Array(data.buffer) },
    ];
    const bytes = serializeSafetensors(
      new Map([
        entry("F16", Uint16Array.of(0x3c00, 0xc100)),
        entry("BF16", Uint16Array.of(0x3f80, 0xc020)),
        entry("F64", Float64Array.of(1, -2.5)),
        entry("I8", Int8Array.of(1, -2)),
      ]),
    );
    const state = nnx.loadSafetensors(bytes);
    const read = async (name: string): Promise<unknown> => {
      const leaf = nnx.entryAt(state, [name]);
      return leaf instanceof nnx.State || leaf === undefined ? undefined : (leaf as { toArray(): unknown }).toArray(); // a bare Tensor
    };
    expect([await read("F16"), await read("BF16"), await read("F64"), await read("I8")]).toEqual([
      [1, -2.5],
      [1, -2.5],
      [1, -2.5],
      [1, -2],
    ]);
    const dtypes = ["F16", "BF16", "I8"].map((name) => (nnx.entryAt(state, [name]) as { dtype: string }).dtype); // bare Tensors
    expect(dtypes).toEqual(["float16", "bfloat16", "int8"]);
    const again = await nnx.saveSafetensors(state);
    expect(await nnx.saveSafetensors(nnx.loadSafetensors(again))).toEqual(again);
    const wide = nnx.entryAt(nnx.loadSafetensors(bytes, { dtype: "float32" }), ["BF16"]) as { dtype: string }; // a bare Tensor
    expect(wide.dtype).toBe("float32");
    const odd = serializeSafetensors(new Map([["x", { dtype: "C64", shape: [1], data: new Uint8Array(8) }]]));
    expect(() => nnx.loadSafetensors(odd, { file: "f" })).toThrow(/f: "x" is C64/);
  });
});
