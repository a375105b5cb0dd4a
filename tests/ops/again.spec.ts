/** Ops that come again: eager calls that differ in one respect each, in turns, so that each meets what the last ones left. */
import * as t from "@jnx/tensor";
import type { Tensor } from "@jnx/tensor";
import { generator, useDevice } from "@jnx/testing";
import { describe, expect, test } from "vitest";

useDevice();

type Call = readonly [label: string, run: () => Tensor, want: readonly number[]];

async function inTurns(calls: readonly Call[]): Promise<void> {
  const next = generator(3);
  // Each call follows each other one, itself too.
  for (let turn = 0; turn < calls.length * 8; turn++) {
    const [label, run, want] = calls[Math.floor(next() * calls.length)] ?? ["", () => t.zeros([]), []];
    expect([label, ...Array.from(await run().data(), Number)]).toEqual([label, ...want]);
  }
}

const ints = (values: readonly number[], shape: readonly number[]): Tensor =>
  t.reshape(t.array(values, { dtype: "int32" }), shape);

describe("calls of one op in turns", () => {
  test("with operands of other layouts, shapes, dtypes and sharing", async () => {
    const x = ints([1, 2, 3, 4], [2, 2]);
    const y = ints([10, 20, 30, 40], [2, 2]);
    const long = ints([1, 2, 3, 4, 5, 6], [6]);
    const float = t.array([0.5, 1.5, 2.5, 3.5]);
    await inTurns([
      ["x + y", () => t.add(x, y), [11, 22, 33, 44]],
      ["x + x", () => t.add(x, x), [2, 4, 6, 8]],
      ["xT + y", () => t.add(t.transpose(x), y), [11, 23, 32, 44]],
      ["x + yT", () => t.add(x, t.transpose(y)), [11, 32, 23, 44]],
      ["x + xT", () => t.add(x, t.transpose(x)), [2, 5, 5, 8]],
      ["x + 3", () => t.add(x, 3), [4, 5, 6, 7]],
      ["x + 4", () => t.add(x, 4), [5, 6, 7, 8]],
      ["3 + x", () => t.add(3, x), [4, 5, 6, 7]],
      ["flat", () => t.add(t.reshape(x, [4]), t.reshape(y, [4])), [11, 22, 33, 44]],
      ["first of a long one", () => t.add(t.laxSlice(long, [0], [4]), t.reshape(x, [4])), [2, 4, 6, 8]],
      ["last of a long one", () => t.add(t.laxSlice(long, [2], [6]), t.reshape(x, [4])), [4, 6, 8, 10]],
      ["backwards", () => t.add(t.flip(t.reshape(x, [4])), t.reshape(x, [4])), [5, 5, 5, 5]],
      ["float", () => t.add(float, float), [1, 3, 5, 7]],
    ]);
  });

  test("whose literals differ in sign or weakness", async () => {
    const x = t.array([1, 2]);
    await inTurns([
      ["x / 0", () => t.div(x, 0), [Infinity, Infinity]],
      ["x / full of -0", () => t.div(x, t.full([], -0, { dtype: "float32" })), [-Infinity, -Infinity]],
      ["x / -0", () => t.div(x, -0), [-Infinity, -Infinity]],
      ["x / NaN", () => t.div(x, Number.NaN), [Number.NaN, Number.NaN]],
      ["x / 2", () => t.div(x, 2), [0.5, 1]],
    ]);
    const half = t.array([1, 2], { dtype: "float16" });
    const weak = t.add(t.mul(t.full([2], 1.5, { dtype: "float32" }), 1), 0);
    expect(t.add(half, half).dtype).toBe("float16");
    expect(t.add(half, 1).dtype).toBe("float16");
    expect(t.add(half, weak).dtype).toBe("float32");
    expect(t.add(half, half).dtype).toBe("float16");
  });

  test("with other attributes, which the caller may change", async () => {
    const x = ints([1, 2, 3, 4, 5, 6], [2, 3]);
    await inTurns([
      ["rows", () => t.sum(x, { axis: 1 }), [6, 15]],
      ["columns", () => t.sum(x, { axis: 0 }), [5, 7, 9]],
      ["all", () => t.sum(x), [21]],
      ["kept", () => t.sum(x, { axis: 1, keepdims: true }), [6, 15]],
    ]);
    expect(t.sum(x, { axis: 1, keepdims: true }).shape).toEqual([2, 1]);
    expect(t.sum(x, { axis: 1 }).shape).toEqual([2]);
    const axes = [0];
    await inTurns([["before", () => t.sum(x, { axis: axes }), [5, 7, 9]]]);
    axes[0] = 1;
    await inTurns([["after", () => t.sum(x, { axis: axes }), [6, 15]]]);
  });

  test("of kernels whose operands must be laid out anew", async () => {
    const a = t.array([
      [1, 2],
      [3, 4],
    ]);
    const every = t.laxSlice(t.reshape(t.arange(8, { dtype: "float32" }), [4, 2]), [0, 0], [4, 2], [2, 1]);
    await inTurns([
      ["a a", () => t.matmul(a, a), [7, 10, 15, 22]],
      ["aT a", () => t.matmul(t.transpose(a), a), [10, 14, 14, 20]],
      ["a aT", () => t.matmul(a, t.transpose(a)), [5, 11, 11, 25]],
      ["a with every second row", () => t.matmul(a, every), [8, 11, 16, 23]],
      ["a flipped", () => t.matmul(t.flip(a, { axis: 0 }), a), [15, 22, 7, 10]],
    ]);
  });

  test("after an operand is gone: the error is that of the first time", () => {
    const x = t.array(new Float32Array(100).fill(1));
    t.exp(x);
    t.exp(x);
    x.dispose();
    expect(() => t.exp(x)).toThrow(/disposed/);
  });
});
