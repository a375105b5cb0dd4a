import { jvp, vjp, vmap } from "@jnx/autodiff";
import { useDevice } from "@jnx/testing";
import * as t from "@jnx/tensor";
import type { Tensor } from "@jnx/tensor";
import { describe, expect, test } from "vitest";

/** lax.gather and lax.scatter under the other transformations, in packed dtypes, and misused; tests/goldens hold their values. */

const rows = { offsetDims: [1], collapsedSliceDims: [0], startIndexMap: [0] } as const;
const windows = { updateWindowDims: [1], insertedWindowDims: [0], scatterDimsToOperandDims: [0] } as const;

const drawn = (shape: readonly number[], seed = 0): Tensor => t.random.normal(t.random.key(seed), shape);
const indices = t.array([
  [[2], [0]],
  [[1], [1]],
  [[9], [-1]],
]);

async function expectSame(found: Tensor, wanted: readonly Tensor[]): Promise<void> {
  expect(await found.toArray()).toEqual(await Promise.all(wanted.map((one) => one.toArray())));
}

const example = (x: Tensor, k: number): Tensor => t.at(x, k).get();

describe("gather and scatter of a batch", () => {
  useDevice();

  test.each([
    ["operand and indices", [0, 0]],
    ["the operand", [0, null]],
    ["the indices", [null, 0]],
  ] as const)("gather, over %s", async (_, inAxes) => {
    const x = drawn([3, 4, 2]);
    const operands = [inAxes[0] === 0 ? x : example(x, 0), inAxes[1] === 0 ? indices : example(indices, 0)];
    const run = (a: Tensor, i: Tensor): Tensor => t.gather(a, i, rows, [1, 2], { mode: "fill", fillValue: 7 });
    const one = (k: number): Tensor => {
      const [a, i] = operands.map((operand, j) => (inAxes[j] === 0 ? example(operand, k) : operand));
      if (a === undefined || i === undefined) throw new Error("two operands");
      return run(a, i);
    };
    await expectSame(vmap(run, { inAxes: [...inAxes] })(...(operands as [Tensor, Tensor])), [0, 1, 2].map(one)); // two
  });

  test.each(["scatter", "scatterAdd", "scatterMul", "scatterMin", "scatterMax"] as const)("%s", async (name) => {
    const [x, u] = [drawn([3, 4, 2]), drawn([3, 2, 2], 1)];
    const run = (a: Tensor, i: Tensor, b: Tensor): Tensor => t[name](a, i, b, windows);
    const all = [0, 1, 2].map((k) => run(example(x, k), example(indices, k), example(u, k)));
    await expectSame(vmap(run)(x, indices, u), all);
    const shared = [0, 1, 2].map((k) => run(example(x, 0), example(indices, k), example(u, k)));
    await expectSame(vmap(run, { inAxes: [null, 0, 0] })(example(x, 0), indices, u), shared);
  });
});

describe("gather and scatter", () => {
  useDevice();

  test("tangents are the gradient's transpose", async () => {
    const [x, u, index] = [drawn([4, 2]), drawn([2, 2], 1), example(indices, 0)];
    const run = (a: Tensor, b: Tensor): Tensor =>
      t.gather(
        t.scatterAdd(t.scatterMul(a, index, b, windows, { uniqueIndices: true }), index, b, windows),
        index,
        rows,
        [1, 2],
      );
    const [dx, du, ct] = [drawn([4, 2], 2), drawn([2, 2], 3), drawn([2, 2], 4)];
    const [, tangent] = jvp(run, [x, u], [dx, du]);
    const [, pull] = vjp(run, x, u);
    const [gx, gu] = pull(ct);
    const forward = await t.sum(t.mul(tangent, ct)).item();
    const back = await t.add(t.sum(t.mul(gx, dx)), t.sum(t.mul(gu, du))).item();
    expect(forward).toBeCloseTo(back, 4);
  });

  test.each(["float16", "bfloat16", "int8", "uint8", "int16", "uint16", "bool"] as const)("of %s", async (dtype) => {
    const x = t.astype(
      t.array([
        [1, 0],
        [3, 4],
        [0, 6],
      ]),
      dtype,
    );
    const taken = t.gather(x, t.array([[2], [0]]), rows, [1, 2]);
    const put = t.scatter(x, t.array([[0]]), t.astype(t.array([[0, 1]]), dtype), windows);
    const whole = (rowsOf: number[][]): unknown =>
      dtype === "bool" ? rowsOf.map((row) => row.map(Math.sign)) : rowsOf;
    expect([taken.dtype, put.dtype]).toEqual([dtype, dtype]);
    expect(await t.astype(taken, "int32").toArray()).toEqual(
      whole([
        [0, 6],
        [1, 0],
      ]),
    );
    expect(await t.astype(put, "int32").toArray()).toEqual(
      whole([
        [0, 1],
        [3, 4],
        [0, 6],
      ]),
    );
  });

  test("scatterApply changes what scatter would replace, once", async () => {
    const x = t.array([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    const f = (one: Tensor): Tensor => t.mul(one, 10);
    const changed = t.scatterApply(x, t.array([[2], [2], [7]]), f, windows, { updateShape: [3, 1] });
    expect(await changed.toArray()).toEqual([
      [1, 2],
      [3, 4],
      [50, 6],
    ]);
  });
});

describe("misused", () => {
  const x = t.zeros([4, 2]);
  const one = t.array([[0]]);
  const gatherWith =
    (numbers: object, sizes: readonly number[] = [1, 2]) =>
    () =>
      t.gather(x, one, { ...rows, ...numbers }, sizes);
  const scatterWith =
    (numbers: object, updates: Tensor = t.ones([1, 2])) =>
    () =>
      t.scatter(x, one, updates, { ...windows, ...numbers });

  test.each([
    ["an axis past the operand's", gatherWith({ startIndexMap: [2] }), ["gather", "startIndexMap [2]", "2 axes"]],
    ["an axis twice", gatherWith({ collapsedSliceDims: [0, 0] }), ["gather", "collapsedSliceDims [0, 0]", "twice"]],
    ["descending axes", gatherWith({ collapsedSliceDims: [1, 0] }), ["gather", "collapsedSliceDims [1, 0]", "ascend"]],
    ["a window larger than the operand", gatherWith({}, [1, 3]), ["gather", "sliceSizes [1, 3]", "[4, 2]"]],
    ["a collapsed window of two", gatherWith({}, [2, 2]), ["gather", "axis 0", "[2, 2]", "has 2"]],
    ["too few offset axes", gatherWith({ offsetDims: [] }), ["gather", "offsetDims []", "1 axes"]],
    ["a misspelt key", gatherWith({ offset_dims: [1] }), ["gather", "offset_dims", "offsetDims"]],
    [
      "batching axes that do not pair",
      gatherWith({ operandBatchingDims: [1] }),
      ["operandBatchingDims [1]", "as many"],
    ],
    [
      "an axis collapsed and batching",
      gatherWith({ operandBatchingDims: [0], startIndicesBatchingDims: [0] }),
      ["axis 0", "collapsedSliceDims", "operandBatchingDims"],
    ],
    ["too many numbers in an index", () => t.gather(x, t.array([[0, 1]]), rows, [1, 2]), ["[1, 2]", "1 indexed axes"]],
    ["indices that are floats", () => t.gather(x, t.array([[0.5]]), rows, [1, 2]), ["gather", "float32", "astype"]],
    [
      "an unknown mode",
      () => t.gather(x, one, rows, [1, 2], { mode: "wrap" as never }), // what TypeScript would refuse
      ["gather", '"wrap"', "clip"],
    ],
    ["updates that do not fit", scatterWith({}, t.ones([2, 2])), ["scatter", "[2, 2]", "[1, 1]", "[4, 2]"]],
    ["updates of another dtype", scatterWith({}, t.array([[1, 2]])), ["scatter", "int32", "float32", "astype"]],
    ["too few window axes", scatterWith({ updateWindowDims: [] }), ["scatter", "updateWindowDims []", "1 axes"]],
  ] satisfies readonly (readonly [string, () => unknown, readonly string[]])[])("%s", (_, wrong, words) => {
    let message = "";
    try {
      wrong();
    } catch (error) {
      if (error instanceof t.JnxError) ({ message } = error);
    }
    for (const word of words) expect(message).toContain(word);
  });
});
