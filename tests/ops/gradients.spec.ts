import { grad, vjp } from "@jnx/autodiff";
import {
  gradcheck,
  ordinaryOperands,
  reference,
  rows,
  shapedOperands,
  shapedTensors,
  useDevice,
  type MapRow,
  type Row,
  type ShapedRow,
} from "@jnx/testing";
import * as t from "@jnx/tensor";
import type { Tensor } from "@jnx/tensor";
import { describe, expect, test } from "vitest";

const differentiable = rows.filter((row) => row.differentiable);
const mapRows = differentiable.filter((row): row is MapRow => row.kind === "map");
const shapedRows = differentiable.filter((row): row is ShapedRow => row.kind === "shaped");
const named = <R extends Row>(some: readonly R[]) => some.map((row) => [row.label, row] as const);

async function checkMap(row: MapRow, shapes: readonly (readonly number[])[], order: 1 | 2): Promise<void> {
  const operands = ordinaryOperands(row, "float32", shapes);
  await gradcheck({ run: row.run, oracle: (...xs) => reference.map(row.scalar("float32"), ...xs), operands, order });
}

/** The nested arrays of what the gradient gives. */
async function slopes(f: (...xs: Tensor[]) => Tensor, ...xs: Tensor[]): Promise<unknown[]> {
  const gradients = grad((...all: Tensor[]) => t.sum(f(...all)), { argnums: xs.map((_, k) => k) })(...xs);
  return Promise.all(gradients.map((one) => one.toArray()));
}

const of = (...values: number[]): Tensor => t.array(values, { dtype: "float32" });
const [NAN, INF] = [Number.NaN, Infinity];

describe("gradients against differences of the oracle", () => {
  useDevice();

  test.each(named(mapRows))("%s, to order 2", async (_label, row) => checkMap(row, [[3, 4]], 2));

  test.each(named(mapRows.filter((row) => row.arity > 1)))("%s, broadcast", async (_label, row) =>
    checkMap(row, [[4, 1], [1, 4], [4]], 1),
  );

  test.each(named(shapedRows))("%s", async (_label, row) => {
    const operands = shapedOperands(row, "float32");
    const fixed = shapedTensors(row, "float32", operands).map((tensor) =>
      tensor.dtype === "float32" ? undefined : tensor,
    );
    // One layout of each function to order 2: what its rule calls does not depend on the layout.
    const first = shapedRows.find((other) => other.name === row.name) === row;
    await gradcheck({ run: row.run, oracle: row.oracle, operands, fixed, order: first ? 2 : 1 });
  });
});

describe("gradients at special points are JAX's", () => {
  useDevice();

  const points: readonly (readonly [string, (...xs: Tensor[]) => Tensor, readonly Tensor[], readonly unknown[]])[] = [
    ["abs", t.abs, [of(0, -0, 2, -2)], [[1, 1, 1, -1]]],
    ["relu", t.relu, [of(0, NAN, 1, -1)], [[0, 0, 1, 0]]],
    ["relu6", t.relu6, [of(0, 6, 7, 3)], [[0, 0, 0, 1]]],
    ["clip at its bounds", (x) => t.clip(x, 0, 1), [of(0, 1, 2, 0.5)], [[0.5, 0.5, 0, 1]]],
    ["softplus", t.softplus, [of(0, INF, -INF, 1000)], [[0.5, 1, 0, 1]]],
    ["logSigmoid", t.logSigmoid, [of(0)], [[0.5]]],
    ["leakyRelu", (x) => t.leakyRelu(x, 0.5), [of(0, -1, 1)], [[1, 0.5, 1]]],
    ["elu", (x) => t.elu(x), [of(0, 1, 1000)], [[1, 1, 1]]],
    ["softSign", t.softSign, [of(0)], [[1]]],
    ["silu", t.silu, [of(0)], [[0.5]]],
    ["gelu", (x) => t.gelu(x), [of(0)], [[0.5]]],
    [
      "a windowed maximum among equals",
      (x) => t.reduceWindow(x, -INF, t.maximum, [3], [1], "SAME"),
      [of(2, 2, 0, 0, -0, 1, 1)],
      [[2, 1, 1, 0, 0, 3, 0]],
    ],
    [
      "a windowed minimum among equals",
      (x) => t.reduceWindow(x, INF, t.minimum, [2], [2]),
      [of(-0, 0, 0, -0, 1, 1)],
      [[1, 0, 1, 0, 1, 0]],
    ],
    ["sqrt", t.sqrt, [of(0, 4)], [[INF, 0.25]]],
    ["rsqrt", t.rsqrt, [of(0)], [[-INF]]],
    ["log", t.log, [of(0)], [[INF]]],
    ["tanh", t.tanh, [of(100, 0)], [[0, 1]]],
    ["erfInv", t.erfInv, [of(1)], [[INF]]],
    ["square", t.square, [of(INF, 3)], [[INF, 6]]],
    ["x³", (x) => t.power(x, 3), [of(-2, 0)], [[12, 0]]],
    ["x⁻¹", (x) => t.power(x, -1), [of(0, 2)], [[-INF, -0.25]]],
    ["x⁰", (x) => t.power(x, 0), [of(0, 2)], [[0, 0]]],
    [
      "power at (0, 2), (-2, 2), (1, 0)",
      t.power,
      [of(0, -2, 1), of(2, 2, 0)],
      [
        [0, -4, 0],
        [0, NAN, 0],
      ],
    ],
    [
      "maximum of equals and of NaN",
      t.maximum,
      [of(1, NAN, 3), of(1, 1, 2)],
      [
        [0.5, 0, 1],
        [0.5, 0, 0],
      ],
    ],
    [
      "minimum of equals",
      t.minimum,
      [of(1, 3), of(1, 2)],
      [
        [0.5, 0],
        [0.5, 1],
      ],
    ],
    ["div by zero", t.div, [of(1), of(0)], [[INF], [-INF]]],
    ["where's other branch", (x) => t.where(t.greater(x, 0), t.sqrt(x), 0), [of(0, 4)], [[NAN, 0.25]]],
    [
      "sign, floor, ceil, round",
      (x) => t.add(t.add(t.sign(x), t.floor(x)), t.add(t.ceil(x), t.round(x))),
      [of(1.5)],
      [[0]],
    ],
    ["stopGradient", (x) => t.mul(t.stopGradient(x), x), [of(3)], [[3]]],
    ["max of equals", (x) => t.max(x), [of(1, 1, 0)], [[0.5, 0.5, 0]]],
    ["max with NaN", (x) => t.max(x), [of(1, NAN)], [[NAN, NAN]]],
    ["min of equals", (x) => t.min(x), [of(1, 1, 2)], [[0.5, 0.5, 0]]],
    ["prod with a zero", (x) => t.prod(x), [of(0, 2, 3)], [[6, 0, 0]]],
    ["prod with two zeros", (x) => t.prod(x), [of(0, 0, 3)], [[0, 0, 0]]],
    ["variance of equals", (x) => t.variance(x), [of(1, 1, 1)], [[0, 0, 0]]],
    ["std of equals", (x) => t.std(x), [of(1, 1, 1)], [[NAN, NAN, NAN]]],
    ["std", (x) => t.std(x), [of(1, 3)], [[-0.5, 0.5]]],
    ["logsumexp of -inf", (x) => t.logsumexp(x), [of(-INF, -INF)], [[NAN, NAN]]],
    [
      "take, out of range and twice",
      (x) =>
        t.mul(
          t.where(t.isnan(t.take(x, t.array([0, 0, 5, -1]))), 0, t.take(x, t.array([0, 0, 5, -1]))),
          of(1, 2, 3, 4),
        ),
      [of(0, 1, 2)],
      [[3, 0, 4]],
    ],
    ["x · x", (x) => t.mul(x, x), [of(3)], [[6]]],
    ["x / x", (x) => t.div(x, x), [of(4)], [[0]]],
    ["maximum(x, x)", (x) => t.maximum(x, x), [of(4)], [[1]]],
    ["a float through int32", (x) => t.mul(t.astype(t.astype(x, "int32"), "float32"), x), [of(2.5)], [[2]]],
    ["an argument that is not used", (x, y) => t.add(x, t.mul(0, t.stopGradient(y))), [of(1), of(2)], [[1], [0]]],
  ];
  test.each(points)("%s", async (_label, f, xs, want) => {
    const got = await slopes(f, ...xs);
    // -0 and 0 are one here.
    const plain = JSON.parse(
      JSON.stringify(got, (_key, value: unknown) =>
        typeof value === "number" ? String(value === 0 ? 0 : value) : value,
      ),
    );
    expect(plain).toEqual(
      JSON.parse(
        JSON.stringify(want, (_key, value: unknown) =>
          typeof value === "number" ? String(value === 0 ? 0 : value) : value,
        ),
      ),
    );
  });

  test("second derivatives at 0", async () => {
    const second = (f: (x: Tensor) => Tensor): Tensor =>
      grad((x: Tensor) => t.sum(grad((y: Tensor) => t.sum(f(y)))(x)))(of(0));
    expect(await second(t.softplus).toArray()).toEqual([0.25]);
    expect(await second(t.logSigmoid).toArray()).toEqual([-0.25]);
    expect(await second(t.square).toArray()).toEqual([2]);
  });
});

describe("literal operands", () => {
  useDevice();

  // A literal is a number in a uniform, not a buffer: rules must not care which they meet.
  const functions: readonly (readonly [string, (...xs: Tensor[]) => Tensor, number])[] = [
    ["mul", t.mul, 2],
    ["div", t.div, 2],
    ["sub", t.sub, 2],
    ["power", t.power, 2],
    ["maximum", t.maximum, 2],
    ["exp", t.exp, 1],
    ["tanh", t.tanh, 1],
    ["where", (x, y) => t.where(t.greater(x, 1), x, y), 2],
    ["sum", (x) => t.sum(x, { axis: 0 }), 1],
    ["prod", (x) => t.prod(x, { axis: 0 }), 1],
    ["max", (x) => t.max(x, { axis: 1 }), 1],
    ["mean", (x) => t.mean(x), 1],
    ["variance", (x) => t.variance(x), 1],
    ["softmax", (x) => t.mul(t.softmax(x), of(1, 2, 3)), 1],
    ["logsumexp", (x) => t.logsumexp(x), 1],
    ["matmul", (x, y) => t.matmul(x, t.transpose(y)), 2],
    ["take", (x) => t.take(x, t.array([1, 1, 0]), { axis: 0 }), 1],
    [
      "pad",
      (x) =>
        t.pad(x, 0, [
          [1, 0, 1],
          [-1, 2, 0],
        ]),
      1,
    ],
    ["reshape", (x) => t.reshape(t.transpose(x), [6]), 1],
    ["broadcastTo", (x) => t.broadcastTo(x, [4, 2, 3]), 1],
    ["laxSlice", (x) => t.laxSlice(x, [0, 1], [2, 3]), 1],
    ["flip", (x) => t.flip(x), 1],
  ];
  test.each(functions)("%s has the value and gradient of the same numbers in memory", async (_name, f, arity) => {
    const kept = [2.5, 1.5].slice(0, arity);
    const literals = kept.map((value) => t.full([2, 3], value, { dtype: "float32" }));
    const stored = kept.map((value) => t.array(new Float32Array(6).fill(value), { shape: [2, 3] }));
    const run = async (xs: readonly Tensor[]): Promise<unknown> => {
      const [y, pull] = vjp(f, ...xs);
      return Promise.all([y, ...pull(t.ones(y.shape))].map((one) => one.toArray()));
    };
    const [ours, theirs] = [await run(literals), await run(stored)];
    expect(flat(ours).length).toBe(flat(theirs).length);
    flat(ours).forEach((x, k) => expect(x).toBeCloseTo(flat(theirs)[k] ?? NaN, 5));
  });

  function flat(nested: unknown): number[] {
    return Array.isArray(nested) ? nested.flatMap(flat) : [Number(nested)];
  }
});
