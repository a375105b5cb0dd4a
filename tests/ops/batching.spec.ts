import { jvp, vmap } from "@jnx/autodiff";
import {
  expectClose,
  generator,
  reference,
  rows,
  sample,
  shapedOperands,
  toTensor,
  useDevice,
  type HostArray,
  type MapRow,
  type ShapedRow,
} from "@jnx/testing";
import * as t from "@jnx/tensor";
import type { DType, Tensor } from "@jnx/tensor";
import { describe, expect, test } from "vitest";

/** Examples of a batch; three, so that no axis of a row is likely to have the same extent. */
const EXAMPLES = 3;

const mapRows = rows.filter((row): row is MapRow => row.kind === "map");
/** What large rows are for is another kernel below the same rules; their oracles take a minute. */
const LARGE = 20_000;
const shapedRows = rows.filter(
  (row): row is ShapedRow =>
    row.kind === "shaped" &&
    row.operands.length > 0 &&
    row.operands.every(({ shape }) => reference.count(shape) <= LARGE),
);
const dtypeOf = (row: ShapedRow): DType => row.dtypes[0] ?? "float32";

/** Operands of a shaped row for example k: fresh numbers where they are drawn, the row's own where they are given. */
function example(row: ShapedRow, dtype: DType, k: number): HostArray[] {
  if (k === 0) return shapedOperands(row, dtype);
  const next = generator(100 + k);
  return row.operands.map(({ shape, values, domain = [-2, 2], dtype: own = dtype }) =>
    values === undefined ? sample(shape, own, domain, next) : { shape, data: values.slice(0, reference.count(shape)) },
  );
}

function stack(some: readonly HostArray[], dtype: DType): Tensor {
  const [first] = some;
  if (first === undefined) throw new Error("nothing to stack");
  return toTensor({ shape: [some.length, ...first.shape], data: some.flatMap(({ data }) => [...data]) }, dtype);
}

/** vmap of a row over the operands that `mapped` names, each example against the oracle. */
async function expectBatched(row: ShapedRow, mapped: (operand: number) => boolean): Promise<void> {
  const dtype = dtypeOf(row);
  const all = Array.from({ length: EXAMPLES }, (_, k) => example(row, dtype, k));
  const own = (k: number): DType => row.operands[k]?.dtype ?? dtype;
  const operands = row.operands.map((_, k) => {
    const some = all.map((operandsOf) => operandsOf[k] ?? { shape: [], data: [] });
    return mapped(k) ? stack(some, own(k)) : toTensor(some[0] ?? { shape: [], data: [] }, own(k));
  });
  const result = vmap((...xs: Tensor[]) => row.run(...xs), { inAxes: operands.map((_, k) => (mapped(k) ? 0 : null)) })(
    ...operands,
  );
  const wants = all.map((operandsOf) =>
    row.oracle(...operandsOf.map((operand, k) => (mapped(k) ? operand : (all[0]?.[k] ?? operand)))),
  );
  expect(result.shape).toEqual([EXAMPLES, ...(wants[0]?.shape ?? [])]);
  const want = { shape: result.shape, data: wants.flatMap(({ data }) => [...data]) };
  // The rows' tolerances are for the rows' own numbers.
  const { ulp } = row.tolerance;
  expectClose(await result.data(), want, result.dtype, { ...row.tolerance, ulp: 4 * ulp });
}

describe("a batch gives what its examples give", () => {
  useDevice();

  test.each(shapedRows.map((row) => [row.label, row] as const))("%s", async (_label, row) => {
    await expectBatched(row, () => true);
    if (row.operands.length < 2) return;
    for (const k of row.operands.keys()) await expectBatched(row, (operand) => operand === k);
  });

  test.each(mapRows.map((row) => [row.label, row] as const))("%s", async (_label, row) => {
    const dtype = row.dtypes.includes("float32") ? "float32" : (row.dtypes[0] ?? "float32");
    const next = generator(37);
    const operands = row.domains.map((domain, k) => sample(k === 0 ? [EXAMPLES, 5] : [5], dtype, domain, next));
    const inAxes = operands.map((_, k) => (k === 0 ? 0 : null));
    const result = vmap((...xs: Tensor[]) => row.run(...xs), { inAxes })(...operands.map((x) => toTensor(x, dtype)));
    const want = reference.map(row.scalar(dtype), ...operands);
    expect(result.shape).toEqual(want.shape);
    expectClose(await result.data(), want, result.dtype, row.tolerance);
  });
});

const STEP = 1e-5;
const TOLERANCE = { ulp: 16, abs: 2e-4, rel: 2e-4 };

/** jvp along a random direction against central differences of the oracle, element by element. */
async function expectPushed(
  run: (...xs: Tensor[]) => Tensor,
  oracle: (...xs: HostArray[]) => HostArray,
  operands: readonly HostArray[],
  dtypes: readonly DType[],
): Promise<void> {
  const next = generator(41);
  const float = dtypes.map((dtype) => dtype === "float32");
  const directions = operands.map(({ shape }) => sample(shape, "float32", [-1, 1], next));
  const moved = (size: number): HostArray =>
    oracle(
      ...operands.map((x, k) => ({
        shape: x.shape,
        data: x.data.map((value, i) => (float[k] === true ? value + size * (directions[k]?.data[i] ?? 0) : value)),
      })),
    );
  const tensors = operands.map((x, k) => toTensor(x, dtypes[k] ?? "float32"));
  const free = tensors.filter((_, k) => float[k]);
  const f = (...xs: Tensor[]): Tensor => {
    const queue = [...xs];
    return run(...tensors.map((x, k) => (float[k] === true ? (queue.shift() ?? x) : x)));
  };
  const towards = directions.filter((_, k) => float[k]).map((v) => toTensor(v, "float32"));
  const [value, tangent] = jvp(f, free, towards);
  const [above, below] = [moved(STEP), moved(-STEP)];
  expect([tangent.shape, tangent.dtype]).toEqual([value.shape, value.dtype]);
  const want = {
    shape: above.shape,
    data: above.data.map((x, i) => (x - (below.data[i] ?? NaN)) / (2 * STEP)),
  };
  expectClose(await tangent.data(), want, "float32", TOLERANCE);
}

describe("derivatives along a direction against differences of the oracle", () => {
  useDevice();

  test.each(mapRows.filter((row) => row.differentiable).map((row) => [row.label, row] as const))(
    "%s",
    async (_label, row) => {
      const next = generator(43);
      const operands = row.domains.map((domain) => sample([12], "float32", domain, next));
      const dtypes = operands.map((): DType => "float32");
      await expectPushed(row.run, (...xs) => reference.map(row.scalar("float32"), ...xs), operands, dtypes);
    },
  );

  test.each(shapedRows.filter((row) => row.differentiable).map((row) => [row.label, row] as const))(
    "%s",
    async (_label, row) => {
      const operands = shapedOperands(row, "float32");
      const dtypes = row.operands.map(({ dtype = "float32" }): DType => dtype);
      await expectPushed(row.run, row.oracle, operands, dtypes);
    },
  );

  test("what is not float, and what depends on nothing that moves, has a tangent of zeros", async () => {
    const [[flag, fixed], [dFlag, dFixed]] = jvp(
      (x: Tensor) => [t.greater(x, 1), t.array([2.5])] as const,
      [t.array([0.5, 2])],
      [t.array([1.5, 1.5])],
    );
    expect(await Promise.all([flag, fixed, dFlag, dFixed].map((x) => x.toArray()))).toEqual([
      [0, 1],
      [2.5],
      [0, 0],
      [0],
    ]);
  });
});
