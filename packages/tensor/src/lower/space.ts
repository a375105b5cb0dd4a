import type { Width } from "@jnx/kernels-wgsl";
import type { Shape } from "../shape.ts";
import { at, rowMajorStrides, type View } from "../view.ts";
import type { Expr, LoadExpr, MapExpr } from "./expr.ts";

/**
 * The positions a hook is called for: a row-major array of `dims`, with axes merged where every operand allows it, so
 * that most kernels see one flat axis. `strides[k]` belongs to the k-th view that went in.
 */
export interface IndexSpace {
  readonly dims: readonly number[];
  readonly strides: readonly (readonly number[])[];
  /** How many of the axes lie before the border that `collapse` was given. */
  readonly before: number;
}

/** Drops axes of extent 1 and merges neighbours that all views walk as one, but never across the axis `border`. */
export function collapse(shape: Shape, views: readonly View[], border = 0): IndexSpace {
  const dims: number[] = [];
  const strides: number[][] = views.map(() => []);
  let before = 0;
  shape.forEach((extent, axis) => {
    if (axis === border) before = dims.length;
    if (extent === 1) return;
    const last = dims.length - 1;
    const apart = axis >= border && dims.length === before;
    const merges =
      last >= 0 && !apart && views.every((view, k) => at(at(strides, k), last) === at(view.strides, axis) * extent);
    if (merges) dims[last] = at(dims, last) * extent;
    else dims.push(extent);
    views.forEach((view, k) => {
      const own = at(strides, k);
      own[merges ? last : dims.length - 1] = at(view.strides, axis);
    });
  });
  return { dims, strides, before: shape.length <= border ? dims.length : before };
}

/** True if element `i` of the space is element `i` of the buffer. */
export function isFlat(space: IndexSpace, view: number, offset: number): boolean {
  if (offset !== 0) return false;
  const expected = rowMajorStrides(space.dims);
  return at(space.strides, view).every((stride, axis) => stride === at(expected, axis));
}

/** The expressions whose position matters: operands, and generators such as iota; each once. */
export function leaves(roots: readonly Expr[]): readonly (LoadExpr | MapExpr)[] {
  const seen = new Set<Expr>();
  const found: (LoadExpr | MapExpr)[] = [];
  const visit = (expr: Expr): void => {
    if (seen.has(expr)) return;
    seen.add(expr);
    if (expr.kind === "map") expr.args.forEach(visit);
    if (expr.kind === "load" || (expr.kind === "map" && expr.op.indexed === true)) found.push(expr);
  };
  roots.forEach(visit);
  return found;
}

/**
 * The widest access that suits all operands: 4 when rows of the innermost axis divide by 4 and every buffer is either
 * contiguous along it (and aligned) or constant along it.
 */
export function widthOf(shape: Shape, roots: readonly Expr[], border = 0): Width {
  const loads = leaves(roots).filter((expr) => expr.kind === "load");
  const space = collapse(
    shape,
    loads.map((expr) => expr.view),
    border,
  );
  const inner = space.dims.length - 1;
  if (inner < space.before || at(space.dims, inner) % 4 !== 0) return 1;
  const fits = loads.every((expr, k) => isAligned(at(space.strides, k), expr.view.offset));
  return fits ? 4 : 1;
}

/** Whether vec4 loads (or one load for all four lanes) serve this operand. */
export function isAligned(strides: readonly number[], offset: number): boolean {
  const inner = strides.length - 1;
  if (inner < 0 || at(strides, inner) === 0) return true;
  return at(strides, inner) === 1 && offset % 4 === 0 && strides.slice(0, inner).every((stride) => stride % 4 === 0);
}
