import { grad } from "@jnx/autodiff";
import { jit } from "@jnx/compile";
import {
  expectClose,
  ordinaryOperands,
  reference,
  rows,
  shapedOperands,
  shapedTensors,
  specialOperands,
  toTensor,
  ulps,
  useDevice,
  type MapRow,
  type Row,
  type ShapedRow,
} from "@jnx/testing";
import * as t from "@jnx/tensor";
import type { DType, Tensor } from "@jnx/tensor";
import { describe, expect, test } from "vitest";

/** Functions compiled together: few pipelines, and fusion has something to do. */
const TOGETHER = 5;
/** Where a compiler contracts a product and a sum, the last digits differ; cancellation makes more of it. */
const CONTRACTION = 4;

function chunks<R>(some: readonly R[]): (readonly [string, readonly R[]])[] {
  return Array.from({ length: Math.ceil(some.length / TOGETHER) }, (_, k) => {
    const chunk = some.slice(k * TOGETHER, (k + 1) * TOGETHER);
    return [chunk.map((row) => (row as unknown as Row).label).join("; "), chunk] as const; // every R is a Row
  });
}

async function expectSame(labels: readonly string[], ours: readonly Tensor[], eager: readonly Tensor[]): Promise<void> {
  const wrong: string[] = [];
  for (const [k, want] of eager.entries()) {
    const got = ours[k];
    if (got === undefined) throw new Error("a result is missing");
    expect([labels[k], got.shape, got.dtype, got.weak]).toEqual([labels[k], want.shape, want.dtype, want.weak]);
    const [x, y] = [await got.data(), await want.data()];
    y.forEach((value, i) => {
      const near = ulps(x[i] ?? NaN, value) <= CONTRACTION || Math.abs((x[i] ?? NaN) - value) < 1e-6;
      if (!(want.dtype === "float32" ? near : x[i] === value))
        wrong.push(`${labels[k]} [${i}]: compiled ${x[i]}, eager ${value}`);
    });
  }
  expect(wrong.slice(0, 8)).toEqual([]);
}

const mapRows = rows.filter((row): row is MapRow => row.kind === "map");
const shaped = rows.filter((row): row is ShapedRow => row.kind === "shaped");

describe("compiled functions give what eager ones give", () => {
  useDevice();

  for (const dtype of ["float32", "int32"] as const) {
    const taking = mapRows.filter((row) => row.dtypes.includes(dtype));
    test.each(chunks(taking))(`${dtype}: %s`, async (_labels, some) => {
      const operands = some.map((row) => specialOperands(row, dtype).map((operand) => toTensor(operand, dtype)));
      const run = (all: Tensor[][]): Tensor[] => some.map((row, k) => row.run(...(all[k] ?? [])));
      await expectSame(
        some.map((row) => row.label),
        jit(run)(operands),
        run(operands),
      );
    });
  }

  // Compilers like to know what x - x, x = x or x / x is; NaN and infinities know better.
  test.each(chunks(mapRows.filter((row) => row.arity === 2 && row.dtypes.includes("float32"))))(
    "of an array and itself: %s",
    async (_labels, some) => {
      const operands = some.map((row) =>
        toTensor(specialOperands(row, "float32")[0] ?? { shape: [0], data: [] }, "float32"),
      );
      const run = (all: Tensor[]): Tensor[] =>
        some.map((row, k) => row.run(all[k] ?? t.zeros([]), all[k] ?? t.zeros([])));
      const results = jit(run)(operands);
      for (const [k, row] of some.entries()) {
        const [x] = specialOperands(row, "float32");
        if (x === undefined || results[k] === undefined) throw new Error("no operand");
        expectClose(
          await results[k].data(),
          reference.map(row.scalar("float32"), x, x),
          results[k].dtype,
          row.tolerance,
          (flat) => `${row.label} of ${x.data[flat]}`,
        );
      }
    },
  );

  test("what algebra would simplify but NaN, infinities and zeros do not allow", async () => {
    const values = [NaN, Infinity, -Infinity, 0, -0, 2, -3, 1e30];
    const run = (x: Tensor, zero: Tensor | number): Tensor[] => [
      t.add(x, t.neg(x)),
      t.sub(x, t.add(x, 0)),
      t.mul(x, zero),
      t.div(zero, x),
      t.mul(t.div(x, x), 3),
      t.sub(t.mul(x, 2), t.mul(x, 2)),
      t.neg(t.sub(x, x)),
    ];
    const want = values.map((x) => [x + -x, x - x, x * 0, 0 / x, (x / x) * 3, x * 2 - x * 2, -(x - x)]);
    const results = jit(run)(t.array(values, { dtype: "float32" }), 0);
    for (const [k, result] of results.entries()) {
      const column = want.map((row) => row[k] ?? NaN);
      expectClose(
        await result.data(),
        { shape: [values.length], data: column },
        "float32",
        { ulp: 0 },
        (flat) => `result ${k} of ${values[flat]}`,
      );
    }
  });

  const first: Record<string, number> = {};
  // Two rows of each function: layouts are the business of the forward tests.
  const few = shaped.filter((row) => row.operands.length > 0 && (first[row.name] = (first[row.name] ?? 0) + 1) <= 2);
  test.each(chunks(few))("%s", async (_labels, some) => {
    const dtypeOf = (row: ShapedRow): DType => row.dtypes[0] ?? "float32";
    const operands = some.map((row) => shapedTensors(row, dtypeOf(row), shapedOperands(row, dtypeOf(row))));
    const run = (all: Tensor[][]): Tensor[] => some.map((row, k) => row.run(...(all[k] ?? [])));
    await expectSame(
      some.map((row) => row.label),
      jit(run)(operands),
      run(operands),
    );
  });

  test.each(chunks(mapRows.filter((row) => row.differentiable)))("gradients of %s", async (_labels, some) => {
    const operands = some.map((row) =>
      ordinaryOperands(row, "float32", [[3, 4]]).map((operand) => toTensor(operand, "float32")),
    );
    const loss = (all: Tensor[][]): Tensor =>
      some.map((row, k) => t.sum(row.run(...(all[k] ?? [])))).reduce((a, b) => t.add(a, b));
    const [ours, eager] = [jit(grad(loss))(operands), grad(loss)(operands)];
    await expectSame(
      some.flatMap((row) => row.domains.map(() => row.label)),
      ours.flat(),
      eager.flat(),
    );
  });

  test("views as arguments, and views of results", async () => {
    const x = t.reshape(t.arange(24), [4, 6]);
    const run = (y: Tensor): Tensor[] => [
      t.add(y, 1),
      t.transpose(y),
      t.sum(t.flip(y), { axis: 0 }),
      t.reshape(t.transpose(y), [-1]),
    ];
    const compiled = jit(run);
    const views = [
      x,
      t.transpose(x),
      t.laxSlice(x, [1, 1], [3, 5]),
      t.flip(x),
      t.broadcastTo(t.laxSlice(x, [0, 0], [1, 6]), [4, 6]),
      t.laxSlice(x, [0, 0], [4, 6], [2, 3]),
    ];
    for (const view of views) await expectSame(["add", "transpose", "sum", "reshape"], compiled(view), run(view));
  });

  test("literals as arguments and results", async () => {
    const run = (x: Tensor | number, y: Tensor): Tensor[] => [
      t.add(x, y),
      t.zeros([2]),
      t.mul(y, y),
      t.broadcastTo(y, [3, 2]),
    ];
    const y = t.ones([2]);
    await expectSame(["add", "zeros", "mul", "broadcastTo"], jit(run)(2, y), run(2, y));
  });

  test("nothing in, nothing out", async () => {
    const run = (x: Tensor): Tensor[] => [
      t.add(x, 1),
      t.sum(x, { axis: 0 }),
      t.matmul(t.transpose(x), x),
      t.softmax(x),
    ];
    const x = t.zeros([0, 3]);
    await expectSame(["add", "sum", "matmul", "softmax"], jit(run)(x), run(x));
  });
});
