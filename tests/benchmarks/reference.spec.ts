import { describe, expect, test } from "vitest";
import * as layers from "@jnx/benchmarks/reference/layers.ts";
import { movementError, normalError, relativeError } from "@jnx/benchmarks/reference/errors.ts";
import { matmul, takeRows, transpose } from "@jnx/benchmarks/reference/ops.ts";
import { adam, Parameters, sgd, train } from "@jnx/benchmarks/reference/training.ts";
import { uniform, type Inputs } from "@jnx/benchmarks/tasks/task.ts";

type Make = (p: Parameters, x: Float64Array) => layers.Layer;

const at = (x: ArrayLike<number>, i: number): number => x[i] ?? NaN;
const dot = (x: ArrayLike<number>, y: ArrayLike<number>): number =>
  Array.from(x).reduce((sum, v, i) => sum + v * at(y, i), 0);

/** Holds `back` against finite differences in random directions, of the operand and of each parameter. */
function checkGradients(make: Make, inputs: Inputs, names: readonly string[]): void {
  const x = Float64Array.from(inputs["x"]?.data ?? []);
  const p = new Parameters(names, inputs);
  const layer = make(p, x);
  const seed = Float64Array.from(uniform(1, [layer.out.length], -1, 1).data);
  const dx = layer.back(seed);
  const value = (params: Parameters, operand: Float64Array): number => dot(make(params, operand).out, seed);
  const slopeAlong = (values: Float64Array, run: () => number): readonly [slope: number, direction: Float64Array] => {
    const direction = Float64Array.from(uniform(2, [values.length], -1, 1).data);
    const step = 1e-6;
    const ends = [step, -2 * step].map((size) => {
      direction.forEach((d, i) => (values[i] = at(values, i) + size * d));
      return run();
    });
    direction.forEach((d, i) => (values[i] = at(values, i) + step * d));
    return [(at(ends, 0) - at(ends, 1)) / (2 * step), direction];
  };
  const [slope, direction] = slopeAlong(x, () => value(p, x));
  expect(dot(dx, direction)).toBeCloseTo(slope, 5);
  const gradients = new Map(p.gradients);
  for (const name of names) {
    const [along, way] = slopeAlong(p.value(name), () => value(p, x));
    expect(dot(gradients.get(name) ?? [], way), name).toBeCloseTo(along, 5);
  }
}

const x = (count: number): Inputs => ({ x: uniform(3, [count], -1, 1) });

const cases: readonly (readonly [name: string, make: Make, inputs: Inputs, names: readonly string[]])[] = [
  [
    "dense",
    (p, h) => layers.dense(p, "w", "b", h),
    { ...x(12), w: uniform(4, [4, 5], -1, 1), b: uniform(5, [5], -1, 1) },
    ["w", "b"],
  ],
  ["relu", (_, h) => layers.relu(h), x(20), []],
  ["gelu", (_, h) => layers.gelu(h), x(20), []],
  [
    "layerNorm",
    (p, h) => layers.layerNorm(p, "s", "b", h),
    { ...x(18), s: uniform(6, [6], 0.5, 1.5), b: uniform(7, [6], -1, 1) },
    ["s", "b"],
  ],
  ["attention", (_, h) => layers.attention(h, 4, 2, 3), x(2 * 4 * 3 * 6), []],
  [
    "conv",
    (p, h) => layers.conv(p, "k", "b", h, 4),
    { ...x(2 * 4 * 4 * 3), k: uniform(8, [3, 3, 3, 2], -1, 1), b: uniform(9, [2], -1, 1) },
    ["k", "b"],
  ],
  ["maxPool", (_, h) => layers.maxPool(h, 4, 3), x(2 * 4 * 4 * 3), []],
];

describe("the benchmark's float64 layers", () => {
  test.each(cases)("%s: back is the derivative", (_, make, inputs, names) => checkGradients(make, inputs, names));

  test("a convolution in the middle of an image sums its nine taps", () => {
    const inputs = { x: { data: Float32Array.from({ length: 9 }, (_, i) => i), shape: [9] }, k: ones(9), b: ones(1) };
    const { out } = layers.conv(new Parameters(["k", "b"], inputs), "k", "b", inputs.x.data, 3);
    expect(at(out, 4)).toBe(36 + 1);
    expect(at(out, 0)).toBe(0 + 1 + 3 + 4 + 1);
  });

  test("attention sees no later token: the first is its own value", () => {
    const qkv = Float64Array.from(uniform(10, [2 * 3 * 2], -1, 1).data);
    const { out } = layers.attention(qkv, 2, 1, 2);
    expect([...out.slice(0, 2)]).toEqual([...qkv.slice(4, 6)]);
  });

  test("cross-entropy of even logits is the logarithm of their number", () => {
    const [loss, gradient] = layers.crossEntropy(new Float64Array(8), [1, 3], 4);
    expect(loss).toBeCloseTo(Math.log(4), 12);
    expect([...gradient.slice(0, 4)]).toEqual([0.125, -0.375, 0.125, 0.125]);
  });
});

function ones(count: number): { data: Float32Array<ArrayBuffer>; shape: number[] } {
  return { data: new Float32Array(count).fill(1), shape: [count] };
}

describe("the benchmark's float64 training", () => {
  const inputs: Inputs = { w: { data: Float32Array.of(4), shape: [1] } };
  const square = (p: Parameters): number => {
    const w = at(p.value("w"), 0);
    p.gradients.set("w", Float64Array.of(2 * w));
    return w * w;
  };

  test("sgd: w -= rate * 2w", () => {
    const { losses, params, start } = train(["w"], inputs, 2, square, sgd(0.25));
    expect(losses).toEqual([16, 4]);
    expect([...(params[0] ?? [])]).toEqual([1]);
    expect([...(start[0] ?? [])]).toEqual([4]);
  });

  test("adam's first step is the rate, whatever the gradient", () => {
    const { params } = train(["w"], inputs, 1, square, adam(0.5));
    expect(at(params[0] ?? [], 0)).toBeCloseTo(3.5, 7);
  });
});

describe("the benchmark's measures of error", () => {
  test("relative to the largest, and infinite for NaN or another length", () => {
    expect(relativeError([1, 2.5], [1, 2])).toBe(0.25);
    expect(relativeError([0, 0], [0, 0])).toBe(0);
    expect(relativeError([NaN], [1])).toBe(Infinity);
    expect(relativeError([1], [1, 2])).toBe(Infinity);
  });

  test("normal numbers pass, uniform ones do not", () => {
    const uniforms = uniform(11, [2 ** 14], 0, 1).data;
    const normals = Float64Array.from({ length: 2 ** 13 }, (_, i) => {
      const radius = Math.sqrt(-2 * Math.log(1 - at(uniforms, 2 * i)));
      return radius * Math.cos(2 * Math.PI * at(uniforms, 2 * i + 1));
    });
    expect(normalError(normals, 2 ** 13)).toBeLessThan(1);
    expect(normalError(uniforms, 2 ** 14)).toBeGreaterThan(1);
  });

  test("movement: the distance to the reference over the way it went", () => {
    const reference = { losses: [], start: [Float64Array.of(0)], params: [Float64Array.of(10)] };
    expect(movementError([Float64Array.of(9)], reference)).toBeCloseTo(0.1, 12);
    expect(movementError([], reference)).toBe(Infinity);
  });

  test("products, transposes and rows", () => {
    expect([...matmul([1, 2, 3, 4], [1, 2, 3, 4], 2, 2, 2)]).toEqual([7, 10, 15, 22]);
    expect([...transpose([1, 2, 3, 4, 5, 6], 2, 3)]).toEqual([1, 4, 2, 5, 3, 6]);
    expect([...takeRows([1, 2, 3, 4], [1, 0, 1], 2)]).toEqual([3, 4, 1, 2, 3, 4]);
  });
});
