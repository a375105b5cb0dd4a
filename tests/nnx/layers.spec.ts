import { array, ones, random, type Tensor } from "@jnx/tensor";
import * as nnx from "@jnx/nnx";
import { useDevice } from "@jnx/testing";
import { describe, expect, it } from "vitest";
import { goldenArray, readGoldens, sampled } from "../goldens/read.ts";

useDevice();

async function expectGolden(
  found: Tensor,
  file: string,
  path: readonly (string | number)[],
  tolerance: number,
): Promise<void> {
  const golden = goldenArray(file, ...path);
  expect(found.shape).toEqual(golden.shape);
  const values = sampled(await found.data(), golden);
  const worst = Math.max(0, ...values.map((value, k) => Math.abs(value - (golden.data[k] ?? Number.NaN))));
  expect(worst).toBeLessThanOrEqual(tolerance);
}

describe("Linear", () => {
  it("Rngs(0), 784 by 256: Flax's kernel", async () => {
    const layer = new nnx.Linear(784, 256, { rngs: new nnx.Rngs(0) });
    await expectGolden(layer.kernel.value, "nnx-layers", ["Linear 784 256 Rngs(0) kernel"], 1e-7);
  });

  it("Rngs(42), 4 by 2: kernel and bias", async () => {
    const layer = new nnx.Linear(4, 2, { rngs: new nnx.Rngs(42) });
    await expectGolden(layer.kernel.value, "nnx-layers", ["Linear 4 2 Rngs(42) kernel"], 1e-7);
    if (layer.bias === null) throw new Error("the bias is there unless told");
    await expectGolden(layer.bias.value, "nnx-layers", ["Linear 4 2 Rngs(42) bias"], 0);
  });

  it("contracts the last axis of any rank", () => {
    const layer = new nnx.Linear(3, 4, { rngs: new nnx.Rngs(0) });
    expect(layer.call(ones([3])).shape).toEqual([4]);
    expect(layer.call(ones([5, 3])).shape).toEqual([5, 4]);
    expect(layer.call(ones([2, 5, 3])).shape).toEqual([2, 5, 4]);
  });

  it("without a bias draws one key", async () => {
    const rngs = new nnx.Rngs(0);
    const layer = new nnx.Linear(3, 4, { useBias: false, rngs });
    expect(layer.bias).toBeNull();
    expect(await rngs.stream("default").count.value.item()).toBe(1);
  });

  it("integers become float32; metadata arrives", () => {
    const layer = new nnx.Linear(2, 2, { rngs: new nnx.Rngs(0), kernelMetadata: { sharding: "x" } });
    expect(layer.call(array([1, 2])).dtype).toBe("float32");
    expect(layer.kernel.metadata).toEqual({ sharding: "x" });
  });

  it("another last axis is refused with both numbers", () => {
    const layer = new nnx.Linear(3, 4, { rngs: new nnx.Rngs(0) });
    expect(() => layer.call(ones([2, 5]))).toThrow(/Linear: expected a last axis of 3, received \[2, 5\]/);
  });
});

describe("Dropout", () => {
  it("equals Flax after a Linear, in training and evaluation", async () => {
    const rngs = new nnx.Rngs(0);
    const [linear, dropout] = [new nnx.Linear(3, 4, { rngs }), new nnx.Dropout(0.5, { rngs })];
    const x = ones([1, 3]);
    await expectGolden(linear.call(x), "nnx-layers", ["Dropout 0.5 eval"], 1e-6);
    for (let k = 0; k < 4; k++)
      await expectGolden(dropout.call(linear.call(x)), "nnx-layers", ["Dropout 0.5 train", k], 1e-6);
  });

  it("masks equal Flax's", async () => {
    const dropout = new nnx.Dropout(0.3, { rngs: new nnx.Rngs({ dropout: 9 }) });
    for (let k = 0; k < 3; k++)
      await expectGolden(dropout.call(ones([37, 5])), "nnx-layers", ["Dropout 0.3 of ones", k], 1e-6);
  });

  it("draws nothing when it has nothing to drop", async () => {
    const dropout = new nnx.Dropout(0, { rngs: new nnx.Rngs(0) });
    const x = ones([2]);
    expect(dropout.call(x)).toBe(x);
    expect(await new nnx.Dropout(1, { rngs: new nnx.Rngs(0) }).call(x).toArray()).toEqual([0, 0]);
    expect(await dropout.rngs?.count.value.item()).toBe(0);
  });

  it("the call's deterministic goes before the layer's; broadcastDims share the mask", async () => {
    const dropout = new nnx.Dropout(0.5, { rngs: new nnx.Rngs(0), broadcastDims: [0] });
    const x = ones([4, 8]);
    expect(dropout.call(x, { deterministic: true })).toBe(x);
    const rows = await dropout.call(x).toArray();
    expect(new Set((rows as number[][]).map(String)).size).toBe(1); // [4, 8] gives rows
  });

  it("a key or streams at the call; nothing to draw from is an error", () => {
    const dropout = new nnx.Dropout(0.5);
    expect(dropout.call(ones([2]), { rngs: random.key(0) }).shape).toEqual([2]);
    expect(dropout.call(ones([2]), { rngs: new nnx.Rngs(0) }).shape).toEqual([2]);
    expect(() => dropout.call(ones([2]))).toThrow(/nothing to draw from/);
    expect(() => new nnx.Dropout(0.5, { deterministic: null }).call(ones([2]))).toThrow(/deterministic is not set/);
    expect(() => new nnx.Dropout(1.5)).toThrow(/between 0 and 1, received 1.5/);
  });
});

describe("copies of layers", () => {
  it("work as the originals do, in training and with a cache", async () => {
    const rngs = new nnx.Rngs(0);
    const layers = [
      new nnx.BatchNorm(3, { rngs }),
      new nnx.ConvTranspose(3, 2, 2, { padding: "CIRCULAR", rngs }),
      new nnx.MultiHeadAttention({
        numHeads: 1,
        inFeatures: 3,
        decode: false,
        dropoutRate: 0.5,
        deterministic: false,
        rngs,
      }),
    ];
    for (const layer of layers) {
      const copy = nnx.clone(layer);
      expect(await copy.call(ones([1, 4, 3])).toArray()).toEqual(await layer.call(ones([1, 4, 3])).toArray());
    }
    const attention = new nnx.MultiHeadAttention({ numHeads: 1, inFeatures: 3, decode: true, rngs });
    attention.initCache([1, 4, 3]);
    expect(nnx.clone(attention).call(ones([1, 1, 3])).shape).toEqual([1, 1, 3]);
  });
});

describe("initializers equal jax.nn.initializers", () => {
  const { initializers } = nnx;
  const makers: Record<string, nnx.Initializer> = {
    lecun_normal: initializers.lecunNormal(),
    lecun_uniform: initializers.lecunUniform(),
    glorot_normal: initializers.glorotNormal(),
    glorot_uniform: initializers.glorotUniform(),
    he_normal: initializers.heNormal(),
    he_uniform: initializers.heUniform(),
    normal: initializers.normal(0.02),
    uniform: initializers.uniform(0.01),
    truncated_normal: initializers.truncatedNormal(0.01),
    zeros: initializers.zeros,
    ones: initializers.ones,
  };
  for (const name of Object.keys(readGoldens("initializers"))) {
    it(name, async () => {
      const [maker = "", shape = ""] = name.split(" ");
      const extents = shape === "scalar" ? [] : shape.split("x").map(Number);
      const init = makers[maker];
      if (init === undefined) throw new Error(`no initializer ${maker}`);
      await expectGolden(init(random.key(42), extents), "initializers", [name], 1e-6);
    });
  }

  it("vectors have no fan", () => {
    expect(() => initializers.lecunNormal()(random.key(0), [3])).toThrow(/at least two axes, received \[3\]/);
  });
});
