/** Layers against the real Flax: initial parameters, outputs and gradients of the mean of the squared output. */
import { add, array, mean, random, square, tree, type Tensor } from "@jnx/tensor";
import * as nnx from "@jnx/nnx";
import { useDevice } from "@jnx/testing";
import { describe, expect, it } from "vitest";
import { goldenArray, readGoldens, type GoldenValue } from "../goldens/read.ts";

useDevice();

const file = "nnx-layer-outputs";
const rngs = (): nnx.Rngs => new nnx.Rngs(5);
const lengths = (): Tensor => array([6, 2, 4]);

interface Case {
  readonly make: () => nnx.Module;
  readonly call: (layer: never, x: Tensor) => unknown;
}

function plain<L extends nnx.Module & { call(x: Tensor): unknown }>(make: () => L): Case {
  return { make, call: (layer: L, x) => layer.call(x) };
}

function rnn(cell: () => nnx.RNNCellBase, flags: nnx.RNNOptions = {}, options: () => object = () => ({})): Case {
  return {
    make: () => new nnx.RNN(cell(), flags),
    call: (layer: nnx.RNN, x) => layer.call(x, options()),
  };
}

const cases: Readonly<Record<string, Case>> = {
  LinearGeneral: plain(() => new nnx.LinearGeneral([3, 4], [2, 5], { axis: [1, -1], rngs: rngs() })),
  "LinearGeneral batch": plain(() => new nnx.LinearGeneral(4, [2, 3], { batchAxis: { 0: 2 }, rngs: rngs() })),
  Einsum: plain(() => new nnx.Einsum("nta, hab -> nthb", [2, 3, 4], { biasShape: [2, 4], rngs: rngs() })),
  "Einsum ellipsis": plain(() => new nnx.Einsum("...a,ab->...b", [3, 4], { rngs: rngs() })),
  Embed: plain(() => new nnx.Embed(7, 3, { rngs: rngs() })),
  LoRA: plain(() => new nnx.LoRA(3, 2, 4, { baseModule: new nnx.Linear(3, 4, { rngs: rngs() }), rngs: rngs() })),
  LoRALinear: plain(() => new nnx.LoRALinear(3, 4, { loraRank: 2, bInitializer: nnx.initializers.ones, rngs: rngs() })),
  PReLU: plain(() => new nnx.PReLU()),
  Sequential: plain(
    () => new nnx.Sequential(new nnx.Linear(3, 4, { rngs: rngs() }), nnx.relu, new nnx.Linear(4, 2, { rngs: rngs() })),
  ),
  WeightNorm: plain(() => new nnx.WeightNorm(new nnx.Linear(3, 4, { rngs: rngs() }), { rngs: new nnx.Rngs(6) })),
  "WeightNorm whole": plain(
    () =>
      new nnx.WeightNorm(new nnx.Linear(3, 4, { rngs: rngs() }), {
        featureAxes: null,
        useScale: false,
        rngs: new nnx.Rngs(6),
      }),
  ),
  SpectralNorm: plain(
    () => new nnx.SpectralNorm(new nnx.Linear(3, 4, { rngs: rngs() }), { nSteps: 3, rngs: new nnx.Rngs(6) }),
  ),
  "RNN LSTMCell": rnn(
    () => new nnx.LSTMCell(4, 3, { rngs: rngs() }),
    {},
    () => ({ returnCarry: true }),
  ),
  "RNN OptimizedLSTMCell": rnn(() => new nnx.OptimizedLSTMCell(4, 3, { rngs: rngs() })),
  "RNN GRUCell": rnn(
    () => new nnx.GRUCell(4, 3, { rngs: rngs() }),
    {},
    () => ({ reverse: true, keepOrder: true }),
  ),
  "RNN SimpleCell": rnn(() => new nnx.SimpleCell(4, 3, { residual: true, rngs: rngs() }), { timeMajor: true }),
  "RNN lengths": rnn(
    () => new nnx.GRUCell(4, 3, { rngs: rngs() }),
    {},
    () => ({ seqLengths: lengths(), returnCarry: true, reverse: true }),
  ),
  "RNN long": rnn(
    () => new nnx.LSTMCell(4, 3, { rngs: rngs() }),
    {},
    () => ({ returnCarry: true }),
  ),
  "RNN long lengths": rnn(
    () => new nnx.GRUCell(4, 3, { rngs: rngs() }),
    {},
    () => ({ seqLengths: array([18, 2, 17]), returnCarry: true, reverse: true, keepOrder: true }),
  ),
  Bidirectional: {
    make: () =>
      new nnx.Bidirectional(
        new nnx.RNN(new nnx.GRUCell(4, 3, { rngs: rngs() })),
        new nnx.RNN(new nnx.LSTMCell(4, 2, { rngs: new nnx.Rngs(8) })),
      ),
    call: (layer: nnx.Bidirectional<nnx.GRUCell, nnx.LSTMCell>, x) => layer.call(x, { seqLengths: lengths() }),
  },
};

/** Flax's names are in snake_case: `dense_i.kernel` is `denseI.kernel` here. */
function camel(path: string): string {
  return path.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

async function expectSame(found: Tensor, golden: readonly string[], tolerance = 2e-6): Promise<void> {
  const { shape, data } = goldenArray(file, ...golden);
  expect(found.shape, golden.join(" ")).toEqual(shape);
  const values = await found.data();
  const worst = Math.max(
    0,
    ...Array.from(values, (value, k) => Math.abs(value - (data[k] ?? Number.NaN)) / (1 + Math.abs(data[k] ?? 0))),
  );
  expect(worst, golden.join(" ")).toBeLessThanOrEqual(tolerance);
}

function entries(name: string, part: string): string[] {
  const found = (readGoldens(file)[name] as Readonly<Record<string, GoldenValue>>)[part]; // a case is a record
  return Object.keys(found as Readonly<Record<string, GoldenValue>>); // by paths
}

async function expectState(state: nnx.State, name: string, part: string): Promise<void> {
  const flat = new Map(nnx.toFlatState(state).map(([path, leaf]) => [path.join("."), leaf]));
  expect([...flat.keys()].sort(), `${name} ${part}`).toEqual(entries(name, part).map(camel).sort());
  for (const path of entries(name, part)) {
    const leaf = flat.get(camel(path));
    if (!(leaf instanceof nnx.Variable)) throw new Error(`${path} is no Variable`);
    await expectSame(leaf.toTensor(), [name, part, path]);
  }
}

describe.each(Object.entries(cases))("%s", (name, { make, call }) => {
  const input = (): Tensor => {
    const { data, shape } = goldenArray(file, name, "input");
    return array(data as Float32Array | Int32Array, { shape }); // the two kinds of inputs
  };
  const lossFn = (layer: nnx.Module, x: Tensor): [Tensor, unknown] => {
    // Of the kind that the case above makes.
    const y = call(layer as never, x);
    const losses = (tree.leaves(y) as Tensor[]).map((leaf) => mean(square(leaf))); // layers give trees of Tensors
    return [losses.reduce((a, b) => add(a, b)), y];
  };

  it("has Flax's initial parameters", async () => {
    await expectState(nnx.state(make(), nnx.Param), name, "params");
  });

  it("gives Flax's output and gradients", async () => {
    const [[loss, y], grads] = nnx.valueAndGrad(lossFn, { hasAux: true })(make(), input());
    await expectSame(loss, [name, "loss"]);
    // Of the kind that the case above makes.
    for (const [k, leaf] of (tree.leaves(y) as Tensor[]).entries())
      // as in lossFn
      await expectSame(leaf, [name, "outputs", k as unknown as string]); // golden paths have numbers, too
    await expectState(grads, name, "grads");
  });

  it("does the same under jit", async () => {
    const step = nnx.jit((layer: nnx.Module, x: Tensor) => nnx.valueAndGrad(lossFn, { hasAux: true })(layer, x)[0][0]);
    await expectSame(step(make(), input()), [name, "loss"]);
  });
});

describe("initializers", () => {
  const key = (): Tensor => random.key(42);
  const made: Readonly<Record<string, () => Tensor>> = {
    "5x3": () => nnx.initializers.orthogonal()(key(), [5, 3]),
    "3x5": () => nnx.initializers.orthogonal(2)(key(), [3, 5]),
    "2x3x4 axis 0": () => nnx.initializers.orthogonal(1, { columnAxis: 0 })(key(), [2, 3, 4]),
    "16x64": () => nnx.initializers.orthogonal()(key(), [16, 64]),
    "delta 3x3x2x4": () => nnx.initializers.deltaOrthogonal()(key(), [3, 3, 2, 4]),
    "delta 4x2x3": () => nnx.initializers.deltaOrthogonal()(key(), [4, 2, 3]),
  };
  it.each(Object.entries(made))("orthogonal %s", async (name, make) => {
    await expectSame(make(), ["orthogonal", name], 1e-5);
  });
});

describe("layers refuse", () => {
  it("what does not fit, by name", () => {
    expect(() => new nnx.LinearGeneral([1, 2], 3, { rngs: rngs() })).toThrow(/equally many/);
    expect(() => new nnx.LinearGeneral(1, 3, { batchAxis: { 1: 2 }, rngs: rngs() })).toThrow(/must lead/);
    expect(() => new nnx.Einsum("ab,bc", [1, 2], { rngs: rngs() })).toThrow(/needs "->"/);
    expect(() => new nnx.Einsum("ab->b", [1, 2], { rngs: rngs() })).toThrow(/must have two operands/);
    expect(() => new nnx.Embed(3, 2, { rngs: rngs() }).call(array([0.5]))).toThrow(/whole numbers/);
    // Of the kind that the case above makes.
    expect(() => new nnx.Sequential(3 as never).call(array([1]))).toThrow(/layer 0 must be a function/);
    const cell = new nnx.GRUCell(2, 3, { rngs: rngs() });
    expect(() => cell.initializeCarry([1, 2])).toThrow(/needs keys/);
    // Of the kind that the case above makes.
    expect(() => new nnx.RNN(cell, { rngs: "x" as never })).toThrow(/must be an Rngs or a boolean/);
  });

  it("test_nnx_empty_sequential_is_identity, and arrays become arguments", () => {
    const x = array([1]);
    expect(new nnx.Sequential().call(x) === x).toBe(true);
    const two = new nnx.Sequential(
      (a: number) => [a, 2],
      (a: number, b: number) => a + b,
    );
    expect(two.call(1)).toBe(3);
  });

  it("Embed: out of range is NaN, one row broadcasts, attend multiplies the other way", async () => {
    const table = new nnx.Embed(2, 1, { rngs: rngs(), embeddingInit: nnx.initializers.ones });
    expect(await table.call(array([2, -1])).toArray()).toEqual([[Number.NaN], [1]]);
    expect(
      await new nnx.Embed(1, 1, { rngs: rngs(), embeddingInit: nnx.initializers.ones }).call(array([9])).toArray(),
    ).toEqual([[1]]);
    expect(await table.attend(array([[3]])).toArray()).toEqual([[3, 3]]);
  });
});
