/** Projections, linear algebra, perturbations and microbatching against the real Optax. */
import { grad, jacrev } from "@jnx/autodiff";
import { jit } from "@jnx/compile";
import * as optax from "@jnx/optax";
import {
  add,
  argmax,
  array,
  div,
  matmul,
  max,
  mean,
  mul,
  oneHot,
  ones,
  random,
  sin,
  sqrt,
  square,
  sub,
  sum,
  transpose,
} from "@jnx/tensor";
import type { Tensor } from "@jnx/tensor";
import { useDevice } from "@jnx/testing";
import { describe, expect, it } from "vitest";
import { goldenArray } from "../goldens/read.ts";

useDevice();

const FILE = "optax-tools";

function given(...path: readonly (string | number)[]): Tensor {
  const { data, shape } = goldenArray(FILE, ...path);
  return array(data as Float32Array, { shape }); // what the script writes
}

async function expectClose(found: Tensor, path: readonly (string | number)[], tolerance = 1e-5): Promise<void> {
  const { data, shape } = goldenArray(FILE, ...path);
  expect(found.shape, path.join(" ")).toEqual(shape);
  const worst = Array.from(
    await found.data(),
    (value, k) => Math.abs(value - (data[k] ?? NaN)) / (1 + Math.abs(data[k] ?? NaN)),
  );
  expect(Math.max(0, ...worst), path.join(" ")).toBeLessThanOrEqual(tolerance);
}

interface Pair {
  readonly a: Tensor;
  readonly b: Tensor;
}

async function expectPair(found: Pair, ...path: readonly string[]): Promise<void> {
  await expectClose(found.a, [...path, "a"], 3e-5);
  await expectClose(found.b, [...path, "b"], 3e-5);
}

describe("projections", () => {
  const pair = (name: string): Pair => ({ a: given("projections", name, "a"), b: given("projections", name, "b") });
  const p = optax.projections;
  const functions: Readonly<Record<string, (t: Pair) => Pair>> = {
    nonNegative: (t) => p.projectionNonNegative(t),
    box: (t) => p.projectionBox(t, -0.5, 0.25),
    "box of trees": (t) => p.projectionBox(t, optax.tree.sub(pair("a"), optax.tree.fullLike(t, 0.1)), pair("a")),
    hypercube: (t) => p.projectionHypercube(t),
    simplex: (t) => p.projectionSimplex(t),
    "simplex 3": (t) => p.projectionSimplex(t, 3),
    l1Sphere: (t) => p.projectionL1Sphere(t),
    l1Ball: (t) => p.projectionL1Ball(t, 2),
    l2Sphere: (t) => p.projectionL2Sphere(t, 2),
    l2Ball: (t) => p.projectionL2Ball(t),
    linfBall: (t) => p.projectionLinfBall(t, 0.3),
    vector: (t) => p.projectionVector(t, pair("a")),
    hyperplane: (t) => p.projectionHyperplane(t, pair("a"), 0.7),
    halfspace: (t) => p.projectionHalfspace(t, pair("a"), -0.7),
  };

  it.each(Object.entries(functions))("%s", async (name, f) => {
    await expectPair(f(pair("x")), "projections", name, "value");
    await expectPair(f(pair("small")), "projections", name, "small");
    const total = (t: Pair): Tensor => optax.tree.vdot(pair("weights"), f(t));
    await expectPair(grad(total)(pair("x")), "projections", name, "gradient");
  });
});

describe("linear algebra", () => {
  it("powerIteration: of a matrix, of a function of trees, compiled", async () => {
    const spd = given("algebra", "spd");
    const [value, vector] = optax.powerIteration<Tensor>(spd);
    await expectClose(value, ["algebra", "power", 0]);
    await expectClose(vector, ["algebra", "power", 1], 1e-3);
    await expectClose(jit((m: Tensor) => optax.powerIteration<Tensor>(m)[0])(spd), ["algebra", "power", 0]);
    const v0 = { x: array([1, 2], { dtype: "float32" }) };
    const [own, trees] = optax.powerIteration((t: typeof v0) => ({ x: mul(array([3, 1]), t.x) }), { v0 });
    await expectClose(own, ["algebra", "power of trees", 0]);
    await expectClose(trees.x, ["algebra", "power of trees", 1], 1e-3);
    expect(() => optax.powerIteration((t: Tensor) => t)).toThrow(/a function needs v0/);
  });

  it.each([1, 2, 4, 8])("matrixInversePthRoot %d", async (p) => {
    const spd = given("algebra", "spd");
    const [root, error] = optax.matrixInversePthRoot(spd, p);
    await expectClose(root, ["algebra", `root ${p}`], 2e-3);
    expect(await error.item()).toBeLessThan(1e-3);
    expect(() => optax.matrixInversePthRoot(array([1]), p)).toThrow(/expected a square matrix, received \[1\]/);
  });

  it("nnls: several right sides, one, with a bound, few steps", async () => {
    const [a, b] = [given("algebra", "A"), given("algebra", "b")];
    const column = transpose(b).at(0).get();
    await expectClose(optax.nnls(a, b, 100), ["algebra", "nnls"], 1e-4);
    await expectClose(optax.nnls(a, column, 60, { L: 30 }), ["algebra", "nnls vector"], 1e-4);
    await expectClose(optax.nnls(a, b, 3), ["algebra", "nnls few"]);
    expect(() => optax.nnls(a, array([1]), 3)).toThrow(/nnls: expected A \[m, n\] and b \[m\] or \[m, k\]/);
  });
});

describe("perturbations", () => {
  const p = optax.perturbations;
  const kinds: Readonly<Record<string, optax.perturbations.PerturbedOptions>> = {
    gumbel: {},
    normal: { noise: new p.Normal(), sigma: 0.3 },
    "no baseline": { useBaseline: false },
  };
  it.each(Object.entries(kinds))("%s: the same samples, values and gradients", async (name, options) => {
    const x = given("perturbations", "x");
    const key = random.key(0);
    const hard = p.makePerturbedFun((v: Tensor) => oneHot(argmax(v), 3), { numSamples: 64, ...options });
    await expectClose(hard(key, x), ["perturbations", name, "value"]);
    await expectClose(jacrev((v: Tensor) => hard(key, v))(x), ["perturbations", name, "jacobian"], 1e-4);
    const value = (t: Pair): Tensor => add(max(t.a), sum(square(t.b)));
    const soft = p.makePerturbedFun((t: Pair) => value(t), { numSamples: 32, ...options });
    const t = { a: x, b: array([0.3, -0.2]) };
    await expectClose(soft(key, t), ["perturbations", name, "tree"]);
    const gradient = grad((v: Pair) => soft(key, v))(t);
    await expectClose(gradient.a, ["perturbations", name, "tree gradient", "a"], 1e-4);
    await expectClose(gradient.b, ["perturbations", name, "tree gradient", "b"], 1e-4);
  });
});

describe("microbatching", () => {
  const x = (): Tensor => given("microbatching", "x");
  const w = (): Tensor => given("microbatching", "w");
  const loss = (v: Tensor, batch: Tensor): Tensor => mean(square(sub(matmul(batch, v), 1)));
  const check = (found: Tensor, name: string): Promise<void> => expectClose(found, ["microbatching", name]);

  it("means, sums of some parts, another axis, gradients through it", async () => {
    await check(optax.microbatching.reshapeBatchAxis(x(), 4), "reshaped");
    await check(optax.microbatch(loss, 1, 4, { accumulator: "mean" })(w(), x()), "mean");
    await check(optax.microbatch(loss, 1, 3, { accumulator: "runningMean" })(w(), x()), "runningMean");
    await check(grad(optax.microbatch(loss, 1, 4, { accumulator: "mean" }))(w(), x()), "mean gradient");
    await check(optax.microbatch(loss, 1, 4, { numRealMicrobatches: 2 })(w(), x()), "two real");
    await check(optax.microbatch(loss, 1, 4, { numRealMicrobatches: array(2) })(w(), x()), "two real");
    await check(optax.microbatch((b: Tensor) => sum(b, { axis: 1 }), 0, 3, { inAxes: 1 })(transpose(x())), "axis 1");
    await check(jit(optax.microbatch(loss, 1, 4, { accumulator: "mean" }))(w(), x()), "mean");
    expect(optax.microbatch(loss, 1, null)).toBe(loss);
  });

  it("a tree of ways; microVmap; microGrad of each example, transformed", async () => {
    const both = (batch: Tensor): { s: Tensor; all: Tensor } => ({ s: sum(batch), all: mul(batch, 2) });
    const found = optax.microbatch(both, 0, 4, { accumulator: { s: "sum", all: "concat" } })(x());
    await check(found.s, "s");
    await check(found.all, "all");
    await check(optax.microbatching.microVmap((v: Tensor) => sin(v), { microbatchSize: 6 })(x()), "vmap");
    const size = (g: Tensor): Tensor => sqrt(sum(square(g)));
    const options = { microbatchSize: 4, transformFn: (g: Tensor) => div(g, size(g)), metricsFn: size };
    for (const microbatchSize of [4, null]) {
      const [gradient, aux] = optax.microbatching.microGrad(loss, { ...options, microbatchSize })(w(), x());
      await check(gradient as Tensor, "gradient"); // like w
      await check(aux.values, "values");
      await check(aux.metrics as Tensor, "metrics"); // as metricsFn gives
    }
  });

  it("refuses parts that do not divide, batches that differ, means of integers", () => {
    expect(() => optax.microbatch(loss, 1, 5)(w(), x())).toThrow(/a batch of 12 must be divisible .* 5/);
    expect(() => optax.microbatch(loss, [0, 1], 3)(w(), x())).toThrow(/batches must be of one size, received 3, 12/);
    const whole = optax.microbatch((b: Tensor) => sum(b), 0, 1, { accumulator: "mean" });
    expect(() => whole(array([1, 2]))).toThrow(/means need floats, received int32/);
    const odd = "most" as never; // the case
    expect(() => optax.microbatch(loss, 1, 4, { accumulator: odd })(w(), x())).toThrow(/accumulator is "sum"/);
  });
});

it("tree.dtype and tree.batchShape: Optax's documented values", () => {
  const [half, float, whole, count] = [
    array([1], { dtype: "float16" }),
    array([1], { dtype: "float32" }),
    array([1]),
    array([1], { dtype: "uint32" }),
  ];
  const { dtype, batchShape } = optax.tree;
  expect([dtype({ a: float, c: [float] }), dtype([])]).toEqual(["float32", "float32"]);
  const mixed = [half, float];
  expect([dtype(mixed, "lowest"), dtype(mixed, "highest"), dtype(mixed, "promote")]).toEqual([
    "float16",
    "float32",
    "float32",
  ]);
  expect(() => dtype(mixed)).toThrow(/the leaves are float16, float32, of no common dtype; pass "promote"/);
  expect(dtype([whole, count], "promote")).toBe("int32");
  expect(batchShape([ones([2])], [3, 1])[0]?.shape).toEqual([3, 1, 2]);
  expect(optax.safeInt32Increment).toBe(optax.safeIncrement);
});

it("losses and schedules are under their own names, too", () => {
  expect(optax.losses.huberLoss).toBe(optax.huberLoss);
  expect(optax.schedules.cosineDecaySchedule).toBe(optax.cosineDecaySchedule);
});
