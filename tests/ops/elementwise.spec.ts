import {
  cases,
  expectClose,
  ordinaryOperands,
  reference,
  specialOperands,
  toTensor,
  useDevice,
  type HostArray,
  type MapRow,
} from "@jnx/testing";
import type { DType, Tensor } from "@jnx/tensor";
import { describe, expect, test } from "vitest";

const rows = [...cases.elementwise, ...cases.ufuncs, ...cases.activations, ...cases.special, ...cases.real].filter(
  (row): row is MapRow => row.kind === "map",
);
const named = rows.map((row) => [row.label, row] as const);

function expectMap(
  row: MapRow,
  dtype: DType,
  operands: readonly HostArray[],
  tensors: readonly Tensor[],
): () => Promise<void> {
  const result = row.run(...tensors);
  const want = reference.map(row.scalar(dtype), ...operands);
  expect(result.shape).toEqual(want.shape);
  expect(result.dtype).toBe(row.result(dtype));
  const inputs = (flat: number): string =>
    operands.map((operand) => (operand.data.length === want.data.length ? operand.data[flat] : "…")).join(", ");
  return async () => expectClose(await result.data(), want, result.dtype, row.tolerance, inputs);
}

async function check(row: MapRow, dtype: DType, operands: readonly HostArray[]): Promise<void> {
  await expectMap(
    row,
    dtype,
    operands,
    operands.map((operand) => toTensor(operand, dtype)),
  )();
}

describe("elementwise", () => {
  useDevice();

  test.each(rows.flatMap((row) => row.dtypes.map((dtype) => [row.label, dtype, row] as const)))(
    "%s of special and ordinary values, %s",
    async (_label, dtype, row) => check(row, dtype, specialOperands(row, dtype)),
  );

  // Axes that are walked as one share a pipeline, so that these cost one for each function.
  test.each(named)("%s of a scalar, of one element, of nothing, of an odd number, of rank 8", async (_label, row) => {
    const [dtype = "float32"] = row.dtypes;
    for (const shape of [[], [1], [0, 3], [7], [1, 3, 1, 1, 5, 1, 1, 1]])
      await check(row, dtype, ordinaryOperands(row, dtype, [shape]));
  });

  test.each(named.filter(([, row]) => row.arity > 1))("%s broadcasts", async (_label, row) => {
    const [dtype = "float32"] = row.dtypes;
    const shapes = [
      [[5, 1], [1, 3], [3]],
      [[2, 1], [1, 7], [7]],
      [[0, 1], [1, 3], []],
    ];
    for (const some of shapes) await check(row, dtype, ordinaryOperands(row, dtype, some));
  });

  test.each(named.filter(([, row]) => row.arity === 2))("%s of an array and itself", async (_label, row) => {
    const [dtype = "float32"] = row.dtypes;
    const [x] = specialOperands(row, dtype);
    if (x === undefined) throw new Error("no operand");
    const tensor = toTensor(x, dtype);
    await expectMap(row, dtype, [x, x], [tensor, tensor])();
  });
});
