import { jit } from "@jnx/compile";
import {
  cases,
  gradcheck,
  misses,
  ordinaryOperands,
  reference,
  shapedOperands,
  shapedTensors,
  specialOperands,
  toTensor,
  ulps,
  worstUlp,
  type HostArray,
  type MapRow,
  type Row,
  type ShapedRow,
} from "@jnx/testing/table";
import type { DType, Tensor } from "@jnx/tensor";

/** What is asked of a row of the op table. */
export type CheckKind = "special values" | "shapes" | "forward" | "gradient" | "jit";

/** One thing to be shown. */
export interface Check {
  readonly family: string;
  /** The public function, and which case of it. */
  readonly name: string;
  readonly label: string;
  readonly dtype: DType;
  readonly kind: CheckKind;
  /** The worst distance from the oracle, in units in the last place; rejects with what is wrong. */
  run(): Promise<number>;
}

/** Where a compiler contracts a product and a sum the last digits differ; cancellation makes more of it. */
const CONTRACTION = 4;
const SHAPES = [[], [1], [0, 3], [7], [1, 3, 1, 1, 5, 1, 1, 1]];
const BROADCAST = [
  [[5, 1], [1, 3], [3]],
  [[0, 1], [1, 3], []],
];

/** Every check of the op table. */
export function allChecks(): Check[] {
  const checked = new Set<string>();
  return Object.entries(cases).flatMap(([family, rows]) =>
    (rows as readonly Row[]).flatMap((row) => {
      // each family's rows are of one kind, a part of Row
      const first = !checked.has(row.name);
      checked.add(row.name);
      return row.kind === "map" ? mapChecks(family, row) : shapedChecks(family, row, first);
    }),
  );
}

function mapChecks(family: string, row: MapRow): Check[] {
  const [ordinary = "float32"] = row.dtypes;
  const base = { family, name: row.name, label: row.label };
  const checks: Check[] = row.dtypes.map((dtype) => ({
    ...base,
    dtype,
    kind: "special values",
    run: () => checkMap(row, dtype, specialOperands(row, dtype)),
  }));
  const shapes = [...SHAPES.map((shape) => [shape]), ...(row.arity > 1 ? BROADCAST : [])];
  checks.push({
    ...base,
    dtype: ordinary,
    kind: "shapes",
    run: () => worst(shapes, (some) => checkMap(row, ordinary, ordinaryOperands(row, ordinary, some))),
  });
  if (row.differentiable) {
    const operands = ordinaryOperands(row, "float32", [[3, 4]]);
    const oracle = (...xs: HostArray[]): HostArray => reference.map(row.scalar("float32"), ...xs);
    const run = async (): Promise<number> => {
      await gradcheck({ run: row.run, oracle, operands, order: 2 });
      return 0;
    };
    checks.push({ ...base, dtype: "float32", kind: "gradient", run });
  }
  checks.push({
    ...base,
    dtype: ordinary,
    kind: "jit",
    run: () =>
      checkJit(
        row,
        specialOperands(row, ordinary).map((operand) => toTensor(operand, ordinary)),
      ),
  });
  return checks;
}

function shapedChecks(family: string, row: ShapedRow, first: boolean): Check[] {
  const base = { family, name: row.name, label: row.label };
  const checks: Check[] = row.dtypes.map((dtype) => ({
    ...base,
    dtype,
    kind: "forward",
    run: () => checkShaped(row, dtype),
  }));
  if (row.differentiable) {
    const run = async (): Promise<number> => {
      const operands = shapedOperands(row, "float32");
      const tensors = shapedTensors(row, "float32", operands);
      const fixed = tensors.map((tensor) => (tensor.dtype === "float32" ? undefined : tensor));
      // One layout of each function to order 2: what its rule calls does not depend on the layout.
      await gradcheck({ run: row.run, oracle: row.oracle, operands, fixed, order: first ? 2 : 1 });
      return 0;
    };
    checks.push({ ...base, dtype: "float32", kind: "gradient", run });
  }
  const [dtype = "float32"] = row.dtypes;
  if (first && row.operands.length > 0)
    checks.push({
      ...base,
      dtype,
      kind: "jit",
      run: () => checkJit(row, shapedTensors(row, dtype, shapedOperands(row, dtype))),
    });
  return checks;
}

async function checkMap(row: MapRow, dtype: DType, operands: readonly HostArray[]): Promise<number> {
  const result = row.run(...operands.map((operand) => toTensor(operand, dtype)));
  return compare(row, dtype, result, reference.map(row.scalar(dtype), ...operands));
}

async function checkShaped(row: ShapedRow, dtype: DType): Promise<number> {
  const operands = shapedOperands(row, dtype);
  const result = row.run(...shapedTensors(row, dtype, operands));
  return compare(row, dtype, result, row.oracle(...operands));
}

async function compare(row: Row, dtype: DType, result: Tensor, want: HostArray): Promise<number> {
  const expected = row.result(dtype);
  if (result.dtype !== expected) throw new Error(`the result is ${result.dtype}, not ${expected}`);
  if (result.shape.join() !== want.shape.join())
    throw new Error(`the result has shape [${result.shape.join(", ")}], not [${want.shape.join(", ")}]`);
  const got = await result.data();
  const wrong = misses(got, want, result.dtype, row.tolerance);
  if (wrong.length > 0)
    throw new Error(`${wrong.length} of ${want.data.length} elements miss: ${wrong.slice(0, 3).join("; ")}`);
  // A tolerance beside ulps is one near zero, where ulps say nothing.
  const { abs = 0, rel = 0 } = row.tolerance;
  return abs > 0 || rel > 0 ? 0 : worstUlp(got, want, result.dtype);
}

/** A compiled function gives what the eager one gives. */
async function checkJit(row: Row, operands: readonly Tensor[]): Promise<number> {
  const [ours, eager] = [jit((...xs: Tensor[]) => row.run(...xs))(...operands), row.run(...operands)];
  if (ours.dtype !== eager.dtype || ours.shape.join() !== eager.shape.join())
    throw new Error(`compiled ${ours.toString()}, eager ${eager.toString()}`);
  const [x, y] = [await ours.data(), await eager.data()];
  let most = 0;
  y.forEach((value, k) => {
    const found = x[k] ?? NaN;
    const distance = eager.dtype === "float32" ? ulps(found, value) : found === value ? 0 : Infinity;
    if (distance > CONTRACTION && !(Math.abs(found - value) < 1e-6))
      throw new Error(`element ${k}: compiled ${found}, eager ${value}`);
    if (distance <= CONTRACTION) most = Math.max(most, distance);
  });
  return most;
}

async function worst<T>(some: readonly T[], check: (one: T) => Promise<number>): Promise<number> {
  let most = 0;
  for (const one of some) most = Math.max(most, await check(one));
  return most;
}
