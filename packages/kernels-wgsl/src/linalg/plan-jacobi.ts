import { bitsOf } from "../movement/scalar.ts";
import type { PlanLimits } from "../stage.ts";
import { columns } from "./columns.wgsl.gen.ts";
import { eigh } from "./eigh.wgsl.gen.ts";
import { last, matrices, type LinalgStage, type SquareSpec } from "./plan.ts";
import { svd } from "./svd.wgsl.gen.ts";

/** `count` square matrices of n rows; the turns are kept if asked. */
export interface SvdSpec extends SquareSpec {
  readonly turns: boolean;
}

/** At most so many sweeps, unless told. */
export interface EighSpec extends SquareSpec {
  readonly sweeps?: number;
}

/** Sweeps over all pairs; 6 to 9 are needed, and after those that are the rest is barriers. */
const SWEEPS = 16;
const NAN = bitsOf(Number.NaN, "float32");
/** Half an ulp of 1. */
const ROUNDING = 2 ** -24;

/**
 * Eigenvalues over eigenvectors of operand 0, symmetric matrices whose lower triangle is read: [count, 1 + n, n], in
 * ascending order. One workgroup a matrix, about 3 n^3 multiply-adds a sweep.
 *
 * @example planEigh({ n: 64, count: 1 }, limits);
 */
export function planEigh({ n, count, sweeps = SWEEPS }: EighSpec, limits: PlanLimits): readonly LinalgStage[] {
  const [rows, stride] = [1 + n, 2 * n + 4];
  const total = count * rows * n;
  if (total === 0) return [];
  return [
    sweeping(matrices(eigh, { n, count, nan: NAN }, count * stride * n, limits), limits, sweeps),
    last(columns, { n, rows, stride, order: rows, total }, total, limits),
  ];
}

/**
 * For a w = x of operand 0, square matrices, with w orthogonal and the columns of x at right angles: the lengths of those
 * (the singular values) in descending order, and, if `turns` are asked for, x (up to a factor) and w below:
 * [count, 1 or 1 + 2 n, n]. One workgroup a matrix, about 5 n^3 / 2 multiply-adds a sweep.
 *
 * @example planSvd({ n: 64, count: 1, turns: true }, limits);
 */
export function planSvd({ n, count, turns }: SvdSpec, limits: PlanLimits): readonly LinalgStage[] {
  const kept = turns ? n : 0;
  const rows = turns ? 1 + 2 * n : 1;
  const order = 1 + n + kept;
  const stride = order + 3;
  const total = count * rows * n;
  if (total === 0) return [];
  const params = { n, count, turns: kept, nan: NAN, flat: ROUNDING * (1 + Math.sqrt(n)) };
  return [
    sweeping(matrices(svd, params, count * stride * n, limits), limits),
    last(columns, { n, rows, stride, order, total }, total, limits),
  ];
}

/** One after another, idle lanes cost as much as busy ones; beside each other they are free. */
function sweeping(stage: LinalgStage, limits: PlanLimits, sweeps = SWEEPS): LinalgStage {
  const lanes = limits.sequential === true ? 8 : limits.cheapBarriers === true ? 256 : 64;
  const most = Math.min(lanes, limits.maxComputeInvocationsPerWorkgroup);
  return { ...stage, consts: `const GX = ${most}u;\nconst SWEEPS = ${sweeps}u;\nalias V = f32;` };
}
