import {
  cases,
  generator,
  gradcheck,
  misses,
  ordinaryOperands,
  reference,
  sample,
  shapedOperands,
  shapedTensors,
  specialOperands,
  toTensor,
  worstUlp,
  type HostArray,
  type MapRow,
  type Row,
  type ShapedRow,
} from "@jnx/testing/table";
import type { DType, Tensor } from "@jnx/tensor";
import { layouts } from "./layouts.ts";
import { checkJit, checkJvp, checkVmap, reversed } from "./transforms.ts";

/** What is asked of a row of the op table. */
export type CheckKind =
  "special values" | "shapes" | "forward" | "views" | "one operand twice" | "gradient" | "jvp" | "vmap" | "jit";

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
  checks.push({ ...base, dtype: ordinary, kind: "views", run: () => checkViews(row, ordinary) });
  if (row.arity === 2)
    checks.push({ ...base, dtype: ordinary, kind: "one operand twice", run: () => checkTwice(row, ordinary) });
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
  if (row.differentiable) checks.push(...shapedDerivatives(base, row, first));
  const [dtype = "float32"] = row.dtypes;
  // One layout of each function: what rules call does not depend on the layout.
  if (!first || row.operands.length === 0) return checks;
  checks.push({ ...base, dtype, kind: "views", run: () => checkShapedViews(row, dtype) });
  const operands = shapedOperands(row, dtype);
  const given = operands.map((operand, k) => (row.operands[k]?.values === undefined ? reversed(operand) : operand));
  checks.push({
    ...base,
    dtype,
    kind: "vmap",
    run: () => checkVmap(row, [shapedTensors(row, dtype, operands), shapedTensors(row, dtype, given)]),
  });
  checks.push({ ...base, dtype, kind: "jit", run: () => checkJit(row, shapedTensors(row, dtype, operands)) });
  return checks;
}

function shapedDerivatives(base: Pick<Check, "family" | "name" | "label">, row: ShapedRow, first: boolean): Check[] {
  const operands = shapedOperands(row, "float32");
  const fixed = (): (Tensor | undefined)[] =>
    shapedTensors(row, "float32", operands).map((tensor) => (tensor.dtype === "float32" ? undefined : tensor));
  const run = async (): Promise<number> => {
    await gradcheck({ run: row.run, oracle: row.oracle, operands, fixed: fixed(), order: first ? 2 : 1 });
    return 0;
  };
  const checks: Check[] = [{ ...base, dtype: "float32", kind: "gradient", run }];
  if (first)
    checks.push({ ...base, dtype: "float32", kind: "jvp", run: () => checkJvp(row, row.oracle, operands, fixed()) });
  return checks;
}

async function checkMap(row: MapRow, dtype: DType, operands: readonly HostArray[]): Promise<number> {
  const result = row.run(...operands.map((operand) => toTensor(operand, dtype)));
  return compare(row, dtype, result, reference.map(row.scalar(dtype), ...operands));
}

/** Operands as they lie in other memory, each in another way. */
async function checkViews(row: MapRow, dtype: DType): Promise<number> {
  const operands = ordinaryOperands(row, dtype, [[3, 8]]);
  const want = reference.map(row.scalar(dtype), ...operands);
  return worst(layouts, (_, first) => {
    const views = operands.map((operand, k) => layouts[(first + k) % layouts.length]?.(operand, dtype));
    return compare(row, dtype, row.run(...views.flatMap((view) => view ?? [])), want);
  });
}

async function checkShapedViews(row: ShapedRow, dtype: DType): Promise<number> {
  const operands = shapedOperands(row, dtype);
  const want = row.oracle(...operands);
  return worst(layouts, (layout) => {
    const views = operands.map((operand, k) => layout(operand, row.operands[k]?.dtype ?? dtype));
    return compare(row, dtype, row.run(...views), want);
  });
}

/** f(x, x), where both operands are one buffer. */
async function checkTwice(row: MapRow, dtype: DType): Promise<number> {
  const low = Math.max(...row.domains.map(([from]) => from));
  const high = Math.min(...row.domains.map(([, to]) => to));
  const x = sample([3, 8], dtype, [low, high], generator(41));
  const tensor = toTensor(x, dtype);
  return compare(row, dtype, row.run(tensor, tensor), reference.map(row.scalar(dtype), x, x));
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
  // A tolerance beside ulps is one for terms that cancel, where ulps of what remains say nothing.
  const { abs = 0, rel = 0 } = row.tolerance;
  return abs > 0 || rel > 0 ? ulpOfLargest(got, want, result.dtype) : worstUlp(got, want, result.dtype);
}

/** The largest distance, in units in the last place of the largest element. */
function ulpOfLargest(got: ArrayLike<number>, want: HostArray, dtype: DType): number {
  if (dtype !== "float32") return 0;
  const sizes = want.data.filter(Number.isFinite).map(Math.abs);
  const unit = 2 ** (Math.floor(Math.log2(sizes.reduce((most, size) => Math.max(most, size), 2 ** -126))) - 23);
  return want.data.reduce((most, due, k) => {
    const distance = Math.abs((got[k] ?? NaN) - due) / unit;
    return Number.isFinite(distance) ? Math.max(most, distance) : most;
  }, 0);
}

async function worst<T>(some: readonly T[], check: (one: T, k: number) => Promise<number>): Promise<number> {
  let most = 0;
  for (const [k, one] of some.entries()) most = Math.max(most, await check(one, k));
  return most;
}
