import { ceilDiv, foldGrid } from "../launch.ts";
import { bitsOf } from "../movement/scalar.ts";
import type { PlanLimits, Stage } from "../stage.ts";
import type { Kernel } from "../kernel.ts";
import { choleskyEnd } from "./cholesky-end.wgsl.gen.ts";
import { cholesky } from "./cholesky.wgsl.gen.ts";
import { finish } from "./finish.wgsl.gen.ts";
import { lu } from "./lu.wgsl.gen.ts";
import { qrForm } from "./qr-form.wgsl.gen.ts";
import { qr } from "./qr.wgsl.gen.ts";
import { triangularSolve } from "./triangular-solve.wgsl.gen.ts";

/** A stage with the op's operands that group 0 binds, and the one behind the `load` hook. */
export interface LinalgStage extends Stage {
  readonly operands: readonly number[];
  readonly loads?: number;
}

/** `count` square matrices of n rows, row-major. */
export interface SquareSpec {
  readonly n: number;
  readonly count: number;
}

/** `count` matrices of m rows and n columns. */
export interface TallSpec extends SquareSpec {
  readonly m: number;
}

/** Q gets `rank` columns. */
export interface QrSpec extends TallSpec {
  readonly rank: number;
}

/** a x = b for `count` right sides of n rows and m columns. */
export interface TriangularSpec extends SquareSpec {
  readonly m: number;
  readonly upper: boolean;
  readonly unit: boolean;
  /** Where a's elements lie: element (z, r, k) at base + z * batch + r * row + k * column. */
  readonly a: { readonly base: number; readonly batch: number; readonly row: number; readonly column: number };
}

/**
 * Lanes of a workgroup that works on one matrix: a column (or row) each at a time. All repeat the small searches, which
 * costs nothing beside each other and everything one after another.
 */
function lanes(limits: PlanLimits): number {
  return limits.sequential === true ? 8 : 64;
}

/**
 * The lower triangular factor of operand 0; NaN in it where a matrix is not positive definite, 0 above the diagonal.
 * Two dispatches; one workgroup a matrix, n^3 / 3 multiply-adds in it.
 *
 * @example planCholesky({ n: 64, count: 1 }, limits);
 */
export function planCholesky({ n, count }: SquareSpec, limits: PlanLimits): readonly LinalgStage[] {
  const total = count * n * n;
  if (total === 0) return [];
  return [
    matrices(cholesky, { n, count }, total + count, limits),
    last(choleskyEnd, { n, total, nan: bitsOf(Number.NaN, "float32") }, total, limits),
  ];
}

/** Rows of what `planLu` leaves for m x n: l and u, then the m numbers of the permutation, n a row. */
export function luRows(m: number, n: number): number {
  return m + ceilDiv(m, Math.max(n, 1));
}

/**
 * The packed factors of operand 0, m >= n: [count, luRows(m, n), n] with l below the diagonal, u on and above it, and the
 * permutation of the rows, as floats, in the rows after them.
 *
 * @example planLu({ m: 64, n: 64, count: 1 }, limits);
 */
export function planLu({ m, n, count }: TallSpec, limits: PlanLimits): readonly LinalgStage[] {
  const rows = luRows(m, n);
  const total = count * rows * n;
  if (total === 0) return [];
  return [matrices(lu, { m, n, rows, count }, total, limits), last(finish, { total }, total, limits)];
}

/**
 * The reflections of operand 0 as LAPACK's geqrf packs them: [count, m + 1, n] with R on and above the diagonal, the vectors
 * below it, and their factors in the last row.
 *
 * @example planReflections({ m: 64, n: 32, count: 1 }, limits);
 */
export function planReflections({ m, n, count }: TallSpec, limits: PlanLimits): readonly LinalgStage[] {
  const total = count * (m + 1) * n;
  if (count * m * n === 0) return [];
  return [matrices(qr, { m, n, count }, total, limits), last(finish, { total }, total, limits)];
}

/**
 * Q above R for operand 0: [count, m + rank, max(rank, n)], Q in the first `rank` columns, R in the first n; 0 elsewhere.
 *
 * @example planQr({ m: 64, n: 32, rank: 32, count: 1 }, limits);
 */
export function planQr({ m, n, rank, count }: QrSpec, limits: PlanLimits): readonly LinalgStage[] {
  const wide = Math.max(rank, n);
  const total = count * (m + rank) * wide;
  if (count * m * n === 0) return [];
  const columns = count * wide;
  const form: LinalgStage = {
    ...last(qrForm, { m, n, rank, wide, columns }, columns, limits),
    writes: "workspace",
    workspaceElements: total,
  };
  return [matrices(qr, { m, n, count }, count * (m + 1) * n, limits), form, last(finish, { total }, total, limits)];
}

/**
 * x with a x = b, a triangular: operand 0 is a (bound as it lies), operand 1 is b (behind the hook). One invocation a
 * column of b, n^2 / 2 multiply-adds in it.
 */
export function planTriangularSolve(spec: TriangularSpec, limits: PlanLimits): readonly LinalgStage[] {
  const { n, m, count, a } = spec;
  const total = count * n * m;
  if (total === 0) return [];
  const columns = count * m;
  const params = {
    ...{ n, m, columns, aBase: a.base, aBatch: a.batch, aRow: a.row, aColumn: a.column },
    ...{ upper: spec.upper ? 1 : 0, unit: spec.unit ? 1 : 0 },
  };
  return [
    {
      kernel: triangularSolve,
      consts: "alias V = f32;",
      params,
      grid: flatGrid(columns, limits),
      ...{ loadWidth: 1, storeWidth: 1, reads: "operands", writes: "workspace", workspaceElements: total },
      ...{ operands: [0], loads: 1 },
    },
    last(finish, { total }, total, limits),
  ];
}

/** One workgroup a matrix, from operand 0 into a workspace. */
export function matrices(
  kernel: Kernel,
  params: Readonly<Record<string, number>> & { readonly count: number },
  workspaceElements: number,
  limits: PlanLimits,
): LinalgStage {
  return {
    kernel,
    consts: `const GX = ${lanes(limits)}u;\nalias V = f32;`,
    params,
    grid: foldGrid(params.count, limits.maxComputeWorkgroupsPerDimension),
    ...{ loadWidth: 1, storeWidth: 1, reads: "operands", writes: "workspace", workspaceElements },
    ...{ operands: [], loads: 0 },
  };
}

/** One invocation an element (or column), from the workspace to the result. */
export function last(
  kernel: Kernel,
  params: Readonly<Record<string, number>>,
  invocations: number,
  limits: PlanLimits,
): LinalgStage {
  return {
    kernel,
    consts: "alias V = f32;",
    params,
    grid: flatGrid(invocations, limits),
    ...{ storeWidth: 1, reads: "workspace", writes: "results", workspaceElements: 0 },
    operands: [],
  };
}

function flatGrid(count: number, limits: PlanLimits): readonly [number, number, number] {
  return foldGrid(ceilDiv(count, 64), limits.maxComputeWorkgroupsPerDimension);
}
