/** What Flax's own tests of layers assert (tests/nnx/nn in Flax), under the names of its tests. */
import { add, array, astype, broadcastTo, flip, matmul, ones, random, transpose, tree, tril, zeros } from "@jnx/tensor";
import type { DType, Tensor, TensorLike } from "@jnx/tensor";
import * as nnx from "@jnx/nnx";
import { useDevice } from "@jnx/testing";
import { describe, expect, it } from "vitest";
import { goldenArray, readGoldens, sampled, type GoldenArray, type GoldenTree } from "../goldens/read.ts";

useDevice();

const FILE = "nnx-linen";
const GQA = "grouped attention";
const rngs = (): nnx.Rngs => new nnx.Rngs(42);

function golden(...path: readonly string[]): Tensor {
  const { data, shape } = goldenArray(FILE, ...path);
  return array(data as Float32Array | Int32Array, { shape }); // the kinds that the script writes
}

async function expectClose(found: Tensor, wanted: GoldenArray, tolerance: number): Promise<void> {
  expect(found.shape).toEqual(wanted.shape);
  const errors = sampled(await astype(found, "float32").data(), wanted).map((value, k) => {
    const expected = wanted.data[k] ?? Number.NEGATIVE_INFINITY;
    return Number.isNaN(value) && Number.isNaN(expected) ? 0 : Math.abs(value - expected) / (1 + Math.abs(expected));
  });
  expect(Math.max(...errors)).toBeLessThanOrEqual(tolerance);
}

/** Gives a layer the parameters that Linen drew. */
function load(layer: nnx.Module, name: string, dtype: DType = "float32"): void {
  // A case is a tree, and so are its parameters.
  for (const path of Object.keys((readGoldens(FILE)[name] as GoldenTree)["params"] as GoldenTree)) {
    // Each path leads to a Variable in the layer.
    const found: unknown = path.split(".").reduce<unknown>((at, step) => Reflect.get(at as object, step), layer);
    if (!(found instanceof nnx.Variable)) throw new Error(`${name}: no Variable at ${path}`);
    found.value = astype(golden(name, "params", path), dtype);
  }
}

type How = Readonly<{ dtype: DType; paramDtype: DType; rngs: nnx.Rngs }>;
type NormHow = How & { readonly promoteDtype: nnx.PromoteDtype; readonly useFastVariance: boolean };
/** Norms take options with a mask, others have none or take others. */
type Layer = nnx.Module & { call(x: Tensor, options?: never): Tensor };

const KINDS = {
  half: { dtype: "float16", paramDtype: "float32" },
  "half parameters": { dtype: "float32", paramDtype: "float16" },
} as const;

/** Holds a layer of both kinds to Linen's numbers: up to rounding in float32, up to the last bit or two in float16. */
async function expectLinens(title: string, make: (how: How) => Layer, tolerance = 3e-6, mask?: Tensor): Promise<void> {
  for (const [kind, how] of Object.entries(KINDS)) {
    const name = `${title}, ${kind}`;
    const layer = make({ ...how, rngs: rngs() });
    load(layer, name, how.paramDtype);
    const y = layer.call(golden(name, "input"), mask && ({ mask } as never)); // given for norms alone
    const output = goldenArray(FILE, name, "output");
    // A case is a tree.
    expect([name, y.dtype]).toEqual([name, (readGoldens(FILE)[name] as GoldenTree)["dtype"]]);
    await expectClose(y, output, y.dtype === "float16" ? 2 ** -9 : tolerance);
  }
}

/** As Flax compares norms: under a mask, of operands as they are, by both formulas of the variance. */
async function expectLinensNorm(title: string, make: (how: NormHow) => Layer, features = 6): Promise<void> {
  const mask = array([true, false, true, true, false, true].slice(0, features));
  for (const useFastVariance of [true, false]) {
    const own = (how: How): Layer => make({ ...how, useFastVariance, promoteDtype: (operands) => operands });
    await expectLinens(useFastVariance ? title : `${title} exact`, own, 1e-5, mask);
  }
}

const heads = { numHeads: 2, inFeatures: 6, qkvFeatures: 6, outFeatures: 6, normalizeQk: true, decode: false };

describe("TestLinenConsistency", () => {
  const spread = { strides: [2, 3], padding: [4, 2], kernelDilation: [2, 3] } as const;
  const grouped = { ...spread, inputDilation: [2, 3], featureGroupCount: 3, mask: () => tril(ones([3, 2, 1, 6])) };
  /** What is computed of weights in float16. */
  const half = 2 ** -9;

  it("test_nnx_linear_equivalence", () => expectLinens("Linear", (how) => new nnx.Linear(6, 4, how)));

  it("test_nnx_einsum_equivalence", () =>
    expectLinens(
      "Einsum",
      (how) => new nnx.Einsum("d...ab,bc...->ad...c", [4, 5, 3, 2], { biasShape: [3, 2, 5], ...how }),
    ));

  it("test_nnx_linen_conv_equivalence", () =>
    expectLinens("Conv", (how) => new nnx.Conv(3, 6, [3, 2], { ...grouped, mask: grouped.mask(), ...how })));

  it("test_nnx_linen_convtranspose_equivalence", () =>
    expectLinens("ConvTranspose", (how) => new nnx.ConvTranspose(3, 6, [3, 2], { ...spread, ...how })));

  it("test_nnx_linen_equivalence: Embed, one index beyond the table", () =>
    expectLinens("Embed", (how) => new nnx.Embed(7, 3, how)));

  it("test_nnx_attention_equivalence", () =>
    expectLinens("MultiHeadAttention", (how) => new nnx.MultiHeadAttention({ ...heads, ...how }), 1e-5));

  it("test_nnx_linen_weightnorm_equivalence", () =>
    expectLinens(
      "WeightNorm",
      (how) => new nnx.WeightNorm(new nnx.Linear(6, 4, how), { scaleInit: nnx.initializers.constant(0.5), ...how }),
      half,
    ));

  it("test_nnx_linen_spectralnorm_equivalence", () =>
    expectLinens("SpectralNorm", (how) => new nnx.SpectralNorm(new nnx.Linear(6, 1, how), how), half));

  it("test_nnx_linen_batchnorm_equivalence", () => expectLinensNorm("BatchNorm", (how) => new nnx.BatchNorm(6, how)));

  it("test_nnx_linen_layernorm_equivalence", () => expectLinensNorm("LayerNorm", (how) => new nnx.LayerNorm(6, how)));

  it("test_nnx_linen_rmsnorm_equivalence", () => expectLinensNorm("RMSNorm", (how) => new nnx.RMSNorm(6, how)));

  it("test_nnx_linen_groupnorm_equivalence", () =>
    expectLinensNorm("GroupNorm", (how) => new nnx.GroupNorm(6, { numGroups: 3, ...how })));

  it("test_nnx_linen_instancenorm_equivalence", () =>
    expectLinensNorm("InstanceNorm", (how) => new nnx.InstanceNorm(3, how), 3));
});

describe("TestGQADotProductAttention, TestDotProductAttentionValidation", () => {
  it("test_gqa_shapes", () => {
    const [query, pair] = [ones([2, 4, 6, 8]), ones([2, 5, 3, 8])];
    expect(nnx.dotProductAttention(query, pair, pair).shape).toEqual([2, 4, 6, 8]);
  });

  it("test_gqa_parity_with_jax: with weights as such, and without", async () => {
    const [q, k, v] = [golden(GQA, "query"), golden(GQA, "key"), golden(GQA, "value")];
    const wanted = goldenArray(FILE, GQA, "output");
    await expectClose(nnx.dotProductAttention(q, k, v), wanted, 1e-5);
    const run = nnx.capture((m: nnx.Module) => nnx.dotProductAttention(q, k, v, { module: m }), nnx.Intermediate);
    const [y] = run(new nnx.Sequential());
    await expectClose(y, wanted, 1e-5);
  });

  it("test_gqa_invalid_heads", () => {
    const pair = ones([1, 4, 2, 8]);
    expect(() => nnx.dotProductAttention(ones([1, 4, 5, 8]), pair, pair)).toThrow(/must be a multiple/);
  });

  it("test_gqa_multihead_attention: parameters, cache and one token of it", async () => {
    const sizes = { numHeads: 8, inFeatures: 12, qkvFeatures: 32, numKvHeads: 2 };
    const model = new nnx.MultiHeadAttention({ ...sizes, rngs: rngs() });
    const shapes = [model.query, model.key, model.value].map(({ kernel }) => kernel.shape);
    expect(shapes).toEqual([
      [12, 8, 4],
      [12, 2, 4],
      [12, 2, 4],
    ]);
    expect(model.call(ones([1, 10, 12]), { decode: false }).shape).toEqual([1, 10, 12]);
    model.initCache([1, 10, 12]);
    expect(model.cachedKey?.shape).toEqual([1, 10, 2, 4]);
    expect(model.call(ones([1, 1, 12]), { decode: true }).shape).toEqual([1, 1, 12]);
    expect(await model.cacheIndex?.value.item()).toBe(1);
  });

  it("test_invalid_shapes", () => {
    const [key, x] = [random.key(0), ones([2, 16, 4, 8])];
    const run = (k: readonly number[], v: readonly number[]) => (): unknown =>
      nnx.dotProductAttention(x, ones(k), ones(v), { dropoutRate: 0.1, dropoutRng: key });
    expect(run([16, 4, 8], [16, 4, 8])).toThrow(/must agree in rank/);
    expect(run([3, 16, 4, 8], [3, 16, 4, 8])).toThrow(/must agree in rank and batch/);
    expect(run([2, 16, 4, 8], [2, 15, 4, 8])).toThrow(/key and value in length/);
    expect(run([2, 16, 4, 7], [2, 16, 4, 8])).toThrow(/must be of one depth/);
  });
});

describe("TestMultiHeadAttention", () => {
  it.each([
    [false, false],
    [false, true],
    [true, false],
    [true, true],
  ])("test_causal_mask_equivalence, padding %s, crosswise %s", async (padding, crosswise) => {
    const keys = crosswise ? 4 : 2;
    const q = random.normal(random.key(0), [1, 1, 2, 2, 4]);
    const [k, v] = [1, 2].map((seed) => random.normal(random.key(seed), [1, 1, keys, 2, 4])) as [Tensor, Tensor]; // two
    const causal = broadcastTo(tril(ones([2, keys], { dtype: "bool" })), [1, 1, 2, 2, keys]);
    const seen = Array.from({ length: keys }, (_, column) => column < keys - 2);
    const paddings = padding ? broadcastTo(array(seen), [1, 1, 1, 2, keys]) : undefined;
    const mask = nnx.combineMasks([paddings, causal]);
    if (mask === undefined) throw new Error("there is a causal mask");
    const wanted = await nnx.dotProductAttention(q, k, v, { mask, deterministic: true }).data();
    const own = { isCausal: true, deterministic: true, ...(paddings && { mask: paddings }) };
    const run = (m: nnx.Module): Tensor => nnx.dotProductAttention(q, k, v, { ...own, module: m });
    const [sown] = nnx.capture(run, nnx.Intermediate)(new nnx.Sequential());
    for (const y of [sown, nnx.dotProductAttention(q, k, v, own)])
      expect(Array.from(await y.data())).toEqual(Array.from(wanted, (value) => expect.closeTo(value, 6)));
  });

  it("test_autoregressive_decode: shapes of the cache, one token a call", async () => {
    const module = new nnx.MultiHeadAttention({ numHeads: 2, inFeatures: 4, decode: true, rngs: rngs() });
    module.initCache([1, 4, 4]);
    expect([module.cachedKey?.shape, module.cachedValue?.shape]).toEqual([
      [1, 4, 2, 2],
      [1, 4, 2, 2],
    ]);
    expect(module.call(ones([1, 1, 4])).shape).toEqual([1, 1, 4]);
    expect(await module.cacheIndex?.value.item()).toBe(1);
    expect(module.call(ones([1, 1, 4])).shape).toEqual([1, 1, 4]);
    expect(await module.cacheIndex?.value.item()).toBe(2);
  });

  it("test_multihead_sow_attention_weights: layers that were asked to, and no others", () => {
    class Model extends nnx.Module {
      readonly layers: nnx.List<nnx.MultiHeadAttention>;
      constructor(given: nnx.RngsOptions) {
        super();
        const options = { inFeatures: 8, numHeads: 8, deterministic: false, ...given };
        this.layers = new nnx.List([0, 1, 2].map(() => new nnx.MultiHeadAttention(options)));
      }
      call(x: Tensor, sowWeights = false): Tensor {
        return [...this.layers].reduce((y, layer, k) => layer.call(y, { sowWeights: sowWeights && k !== 1 }), x);
      }
    }
    const model = new Model({ rngs: new nnx.Rngs(0) });
    model.setAttributes({ decode: false });
    const [, sown] = nnx.capture(model, nnx.Intermediate)(ones([4, 6, 8]), true);
    const found = nnx.toFlatState(sown).map(([path, leaf]) => [path.join("."), leaf]);
    expect(found.map(([path]) => path)).toEqual(["layers.0.attentionWeights", "layers.2.attentionWeights"]);
    const shapes = tree.leaves(nnx.toPureDict(sown)).map((leaf) => (leaf as Tensor).shape); // arrays were sown
    expect(shapes).toEqual([
      [4, 8, 6, 6],
      [4, 8, 6, 6],
    ]);
    const [, none] = nnx.capture(model, nnx.Intermediate)(ones([4, 6, 8]));
    expect(nnx.toFlatState(none)).toHaveLength(0);
  });

  it("test_keep_rngs: a stream of its own, or none", () => {
    const options = { inFeatures: 4, numHeads: 2, decode: true, dropoutRate: 0.5 };
    const kept = new nnx.MultiHeadAttention({ ...options, rngs: rngs() });
    const [, , others] = nnx.split(kept, nnx.Param, "...");
    const classes = nnx.toFlatState(others).map(([path, leaf]) => [path.join("."), leaf.constructor.name]);
    expect(classes).toEqual([
      ["rngs.count", "RngCount"],
      ["rngs.key", "RngKey"],
    ]);
    const bare = new nnx.MultiHeadAttention({ ...options, keepRngs: false, rngs: rngs() });
    expect(bare.rngs).toBeNull();
    expect(() => nnx.split(bare, nnx.Param)).not.toThrow();
  });

  it("test_varying_num_features", () => {
    const layer = new nnx.MultiHeadAttention({ ...heads, inFeatures: 3, inKvFeatures: 4, rngs: rngs() });
    expect(layer.call(ones([2, 3]), { inputsK: ones([2, 4]) }).shape).toEqual([2, 6]);
  });
});

describe("TestLora", () => {
  const x = (): Tensor => random.normal(random.key(0), [1, 3]);
  const values = async (y: Tensor): Promise<number[]> => Array.from(await y.data());
  const near = (numbers: readonly number[]): unknown[] => numbers.map((value) => expect.closeTo(value, 5));

  class Mlp extends nnx.Module {
    linear1: nnx.Linear;
    linear2: nnx.Linear | nnx.LoRA;
    constructor(given: nnx.RngsOptions) {
      super();
      this.linear1 = new nnx.Linear(3, 3, given);
      this.linear2 = new nnx.Linear(3, 3, given);
    }
    call(input: Tensor): Tensor {
      return this.linear2.call(this.linear1.call(input));
    }
  }

  it("test_basic, test_lora_base_module: x · a · b, and the base's result", async () => {
    const given = { rngs: new nnx.Rngs(0), bInitializer: nnx.initializers.ones };
    const base = new nnx.Linear(3, 4, { useBias: false, rngs: new nnx.Rngs(0) });
    for (const module of [new nnx.LoRA(3, 2, 4, given), new nnx.LoRA(3, 2, 4, { ...given, baseModule: base })]) {
      expect([module.loraA.shape, module.loraB.shape]).toEqual([
        [3, 2],
        [2, 4],
      ]);
      const product = matmul(matmul(x(), module.loraA.value), module.loraB.value);
      const wanted = module.baseModule === null ? product : add(product, base.call(x()));
      expect(await values(nnx.jit((m: nnx.LoRA) => m.call(x()))(module))).toEqual(near(await values(wanted)));
    }
  });

  it("test_layer_swap_lora: zeros in b leave the output as it was", async () => {
    const model = new Mlp({ rngs: new nnx.Rngs(0) });
    const before = await values(model.call(x()));
    model.linear2 = new nnx.LoRA(3, 4, 3, { baseModule: model.linear2, rngs: new nnx.Rngs(1) });
    expect(await values(model.call(x()))).toEqual(near(before));
  });

  it("test_layer_swap_loralinear: takes the state of the Linear that it replaces", async () => {
    const model = new Mlp({ rngs: new nnx.Rngs(0) });
    const before = await values(model.call(x()));
    const [, state] = nnx.split(model.linear2);
    model.linear2 = new nnx.LoRALinear(3, 3, { loraRank: 4, rngs: new nnx.Rngs(1) });
    nnx.update(model.linear2, state);
    expect(await values(model.call(x()))).toEqual(near(before));
  });

  it("test_lora_param_type: apart from Params, or among them", () => {
    const paths = (model: nnx.LoRA, ...filters: readonly nnx.Filter[]): string[][] =>
      nnx
        .split(model, ...filters)
        .slice(1)
        .map((state) => nnx.toFlatState(state as nnx.State).map(([path]) => path.join("."))); // States, after the first
    const own = new nnx.LoRA(3, 4, 2, { loraParamType: nnx.LoRAParam, rngs: rngs() });
    expect(paths(own, nnx.LoRAParam, nnx.Param)).toEqual([["loraA", "loraB"], []]);
    const usual = new nnx.LoRA(3, 4, 2, { loraParamType: nnx.Param, rngs: rngs() });
    expect(paths(usual, nnx.Param, nnx.LoRAParam)).toEqual([["loraA", "loraB"], []]);
  });

  it("test_dtype", () => {
    const model = new nnx.LoRA(3, 4, 2, { dtype: "float16", paramDtype: "float32", rngs: rngs() });
    expect([model.loraA.dtype, model.call(ones([1, 3])).dtype]).toEqual(["float32", "float16"]);
  });
});

describe("TestLSTMCell, TestRNN", () => {
  const carry = (): readonly [Tensor, Tensor] => [zeros([2, 4]), zeros([2, 4])];

  it("test_lstm_equivalence_with_flax_linen", async () => {
    const cell = new nnx.LSTMCell(3, 4, { rngs: rngs() });
    load(cell, "LSTMCell");
    const [[c, h], y] = cell.call(carry(), golden("LSTMCell", "input"));
    await expectClose(c, goldenArray(FILE, "LSTMCell", "c"), 1e-5);
    await expectClose(h, goldenArray(FILE, "LSTMCell", "h"), 1e-5);
    await expectClose(y, goldenArray(FILE, "LSTMCell", "h"), 1e-5);
  });

  it("test_rnn_equivalence_with_flax_linen", async () => {
    const rnn = new nnx.RNN(new nnx.LSTMCell(3, 4, { rngs: rngs() }));
    load(rnn, "RNN");
    const y = rnn.call(golden("RNN", "input"), { initialCarry: carry() });
    await expectClose(y, goldenArray(FILE, "RNN", "output"), 1e-5);
  });

  it("test_lstm_initialize_carry: by the initializer of the call", async () => {
    const cell = new nnx.LSTMCell(3, 4, { rngs: rngs() });
    const first = cell.initializeCarry([1, 3], { rngs: rngs(), carryInit: nnx.initializers.ones });
    for (const part of first) expect(await part.toArray()).toEqual([[1, 1, 1, 1]]);
  });

  it("test_rnn_time_major, test_rnn_reverse, test_rnn_with_keep_order: the same steps in another order", async () => {
    const cell = new nnx.GRUCell(3, 4, { rngs: rngs() });
    const x = random.normal(random.key(2), [2, 5, 3]);
    const run = async (flags: nnx.RNNOptions, input = x): Promise<number[]> => {
      const y = new nnx.RNN(cell, flags).call(input);
      expect(y.shape).toEqual(flags.timeMajor === true ? [5, 2, 4] : [2, 5, 4]);
      return Array.from(await (flags.timeMajor === true ? transpose(y, [1, 0, 2]) : y).data());
    };
    const close = (numbers: readonly number[]): unknown[] => numbers.map((value) => expect.closeTo(value, 5));
    const usual = await run({});
    expect(await run({ timeMajor: true }, transpose(x, [1, 0, 2]))).toEqual(close(usual));
    const turned = await run({}, flip(x, { axis: 1 }));
    expect(await run({ reverse: true })).toEqual(close(turned));
    const order = Array.from(await flip(array(turned, { shape: [2, 5, 4] }), { axis: 1 }).data());
    expect(await run({ reverse: true, keepOrder: true })).toEqual(close(order));
  });

  it("test_rnn_with_seq_lengths: the carry of each sequence's last step", async () => {
    const rnn = new nnx.RNN(new nnx.LSTMCell(3, 4, { rngs: rngs() }), { returnCarry: true });
    const x = random.normal(random.key(3), [2, 5, 3]);
    const options = { initialCarry: carry(), seqLengths: array([3, 5]), returnCarry: true as const };
    const [[, h], outputs] = rnn.call(x, options);
    expect(outputs.shape).toEqual([2, 5, 4]);
    const all = (await outputs.toArray()) as number[][][]; // [2, 5, 4]
    expect(await h.toArray()).toEqual([all[0]?.[2], all[1]?.[4]]);
  });

  it("test_recurrent_dropout: the broadcast stream goes on by one a call", async () => {
    class Dropping extends nnx.OptimizedLSTMCell {
      readonly recurrent: nnx.Dropout;
      constructor(inFeatures: number, hiddenFeatures: number, given: nnx.RngsOptions) {
        super(inFeatures, hiddenFeatures, given);
        this.recurrent = new nnx.Dropout(0.1, { rngCollection: "recurrentDropout", ...given });
      }
      override call(before: readonly [Tensor, Tensor], x: TensorLike): [readonly [Tensor, Tensor], Tensor] {
        const [[c, h], y] = super.call(before, x);
        return [[this.recurrent.call(c), this.recurrent.call(h)], y];
      }
    }
    const cell = new Dropping(3, 4, { rngs: new nnx.Rngs({ default: 0, recurrentDropout: 1 }) });
    const rnn = new nnx.RNN(cell, { broadcastRngs: "recurrentDropout" });
    const count = async (): Promise<unknown> => cell.recurrent.rngs?.count.value.item();
    expect(await count()).toBe(0);
    expect(rnn.call(ones([2, 10, 3])).shape).toEqual([2, 10, 4]);
    expect(await count()).toBe(1);
  });
});
