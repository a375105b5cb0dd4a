import { op_add_f, op_exp, op_relu, op_uniform_from_bits, planBits, planMatmul } from "@jnx/kernels-wgsl";
import type { Stage } from "@jnx/kernels-wgsl";
import { contiguousView, lowerLines, lowerMap, lowerReduce, lowerStages } from "@jnx/tensor/internal";
import type { Expr, Output, Step, View } from "@jnx/tensor/internal";
import { expect, test } from "vitest";
import { apply, iota, less, literal, load, op, output, pick } from "./map-ops.ts";
import { limits } from "./run-stages.ts";

// The linked WGSL of some launches, byte by byte: a refactoring of kernels, emitter or link that changes any text shows
// here. If the change is meant, `pnpm test -u` writes the files anew; read their diff.

const add = op(
  "add",
  ([a, b], { use }) => `${use(op_add_f)}(${a}, ${b})`,
  () => 0,
);
const relu = op(
  "relu",
  ([a], { use }) => `${use(op_relu)}(${a})`,
  () => 0,
);
const exp = op(
  "exp",
  ([a], { use }) => `${use(op_exp)}(${a})`,
  () => 0,
);

const divide = op(
  "divide",
  ([a, b]) => `(${a} / ${b})`,
  () => 0,
);

const device = {
  ...limits,
  maxStorageBuffersPerShaderStage: 8,
  maxStorageBufferBindingSize: 2 ** 27,
  maxBufferSize: 2 ** 28,
};
const view = (shape: readonly number[], strides: readonly number[]): View => ({ shape, strides, offset: 0 });

async function matches(steps: readonly Step[], name: string): Promise<void> {
  const text = steps.map(({ kernel }) => kernel.code).join("\n// ---- the next dispatch ----\n\n");
  await expect(text).toMatchFileSnapshot(`./snapshots/${name}.wgsl`);
}

function staged(stages: readonly Stage[], shape: readonly number[], outputs: readonly Output[]): Step[] {
  return lowerStages(
    "test",
    {
      stages: stages.map((stage) => ({ ...stage, operands: stage.reads === "operands" ? [0, 1] : [] })),
      operandSlots: [0, 1],
      loadOf: () => ({ shape, expr: load(0, contiguousView(shape)) }),
      result: { shape, dtype: "float32" },
      outputs,
      workspace: () => 9,
    },
    device,
  );
}

/** Two matrices in, relu of the product plus a row out. */
function layer(m: number, k: number, n: number): Step[] {
  const rows = (rowStride: number): { trans: boolean; rowStride: number; batchStrides: number[]; offset: number } => {
    return { trans: false, rowStride, batchStrides: [], offset: 0 };
  };
  const stages = planMatmul({ m, k, n, batch: [], a: rows(k), b: rows(n), dtype: "float32" }, device);
  const flat = contiguousView([m, n]);
  const sum = apply(add, [{ kind: "result", dtype: "float32" }, load(2, view([m, n], [0, 1]))], flat);
  return staged(stages, [m, n], [output(3, apply(relu, [sum], flat))]);
}

test("matmul with bias and relu", async () => {
  await matches(layer(64, 784, 256), "matmul-bias-relu");
});

test("matrix * vector with bias and relu, in two dispatches", async () => {
  await matches(layer(2048, 2048, 1), "matvec-bias-relu");
});

/** sum along `axis` of exp of an array. */
function sumOfExp(shape: readonly [number, number], axis: 0 | 1, cheapBarriers = false): Step[] {
  const prologue: Expr = apply(exp, [load(0, contiguousView(shape))], contiguousView(shape));
  return lowerReduce(
    "test",
    "sum",
    {
      shape,
      expr: prologue,
      axes: [axis],
      dtype: "float32",
      resultShape: [shape[axis === 0 ? 1 : 0]],
      outputs: [output(1, { kind: "result", dtype: "float32" })],
      workspace: () => 9,
    },
    { ...device, cheapBarriers },
  );
}

test("sum of exp down the columns", async () => {
  await matches(sumOfExp([1024, 512], 0), "column-sum-of-exp");
});

test("sum of exp along the rows, where barriers are cheap", async () => {
  await matches(sumOfExp([4096, 1024], 1, true), "row-sum-of-exp");
});

/** exp(x) / sum of exp(x) along lines of [count, length]. */
function shares(count: number, length: number): Step {
  const shape = [count, length];
  const flat = contiguousView(shape);
  const power = apply(exp, [load(0, flat)], flat);
  const found = { name: "m0", dtype: "float32", expr: power, combine: "sum", pass: 0 } as const;
  const share = apply(divide, [power, { kind: "result", dtype: "float32", name: "m0" }], flat);
  const work = { shape, border: 1, values: [found], passes: 1, full: [output(1, share)], fullPass: 1, perLine: [] };
  return lowerLines("test", work, device);
}

test("shares of exp in their line, in one walk", async () => {
  await matches([shares(300, 64)], "lines-shares-of-exp");
});

test("map with a broadcast row and a column, and two results", async () => {
  const shape = [64, 32];
  const flat = contiguousView(shape);
  const sum = apply(add, [load(0, flat), load(1, view(shape, [0, 1]))], flat);
  const above = apply(less, [load(2, view(shape, [1, 0])), sum], flat, "bool");
  const outputs = [output(3, apply(pick, [above, sum, literal(0.5)], flat)), output(4, above)];
  await matches([lowerMap("test", shape, outputs, device)], "map-broadcast");
});

test("map over a transposed operand, with its own index", async () => {
  const shape = [30, 7];
  const flat = contiguousView(shape);
  const outputs = [output(1, apply(add, [load(0, view(shape, [1, 30])), apply(iota, [], flat)], flat))];
  await matches([lowerMap("test", shape, outputs, device)], "map-transposed");
});

test("random bits made uniform numbers", async () => {
  const shape = [1024];
  const uniform = op(
    "uniform",
    ([bits], { use, constant }) =>
      `${use(op_uniform_from_bits)}(${bits}, ${constant(0, "float32")}, ${constant(1, "float32")})`,
    () => 0,
  );
  const expr = apply(uniform, [{ kind: "result", dtype: "uint32" }], contiguousView(shape));
  const steps = lowerStages(
    "test",
    {
      stages: planBits({ count: 1024, keys: 1 }, limits).map((stage) => ({ ...stage, operands: [0] })),
      operandSlots: [0],
      loadOf: () => ({ shape, expr }),
      result: { shape, dtype: "uint32" },
      outputs: [output(1, expr)],
      workspace: () => 9,
    },
    device,
  );
  await matches(steps, "uniform");
});

test("the snapshots are of kernels that were meant", () => {
  expect(layer(64, 784, 256).map(({ kernel }) => kernel.name)).toEqual(["matmul/register"]);
  expect(layer(2048, 2048, 1).map(({ kernel }) => kernel.name)).toEqual(["matmul/dot", "matmul/parts"]);
  expect(sumOfExp([1024, 512], 0).map(({ kernel }) => kernel.name)).toEqual(["reduce/column", "reduce/column"]);
  expect(shares(300, 64).kernel.name).toBe("reduce/lines");
  expect(sumOfExp([4096, 1024], 1, true).map(({ kernel }) => kernel.name)).toEqual(["reduce/row"]);
});
