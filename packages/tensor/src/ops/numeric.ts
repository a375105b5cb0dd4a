import { promote } from "../dtype.ts";
import { ArgumentError, ShapeError } from "../errors.ts";
import { checkOptions } from "../options.ts";
import { checkList, checkShape, normalizeAxis, shapeText, sizeOf, type Shape } from "../shape.ts";
import { Tensor } from "../tensor.ts";
import { at } from "../view.ts";
import { convert } from "./convert.ts";
import { asTensor, literal, ones, zerosLike, type TensorLike } from "./create.ts";
import {
  abs,
  add,
  clip,
  div,
  equal,
  floorDivide,
  greater,
  less,
  logicalAnd,
  mul,
  remainder,
  sub,
  where,
} from "./elementwise.ts";
import { take } from "./indexing.ts";
import { concatenate, sliceAlong } from "./join.ts";
import { flip, reshape } from "./movement.ts";
import { floating } from "./reduce.ts";
import { laxCumprod, cumsum } from "./scan.ts";
import { searchsorted } from "./search.ts";
import { argsort } from "./sorting.ts";
import { diff } from "./statistics.ts";

const INTERP_OPTIONS = { left: true, right: true, period: "number" } as const;
const VANDER_OPTIONS = { n: "number", increasing: "flag" } as const;
const GRADIENT_OPTIONS = { axis: true } as const;
const UNWRAP_OPTIONS = { discont: "number", axis: "number", period: "number" } as const;
const RAVEL_OPTIONS = { mode: true } as const;

export interface InterpOptions {
  /**
   * What is given left of the first point and right of the last; the values there unless told. "extrapolate" goes on along
   * the outermost lines.
   */
  readonly left?: TensorLike | "extrapolate";
  readonly right?: TensorLike | "extrapolate";
  /** The period of the x axis; ends then mean nothing. */
  readonly period?: number;
}

/**
 * The piecewise linear function through the points (xp, fp), xp ascending, at x. Source: jnp.interp.
 *
 * @throws ShapeError unless xp and fp are vectors of one length of at least one point, ArgumentError for a period of 0 or another word.
 * @example await interp(array([1.5, 9]), array([1, 2]), array([10, 20])).toArray(); // [15, 20]
 */
export function interp(x: TensorLike, xp: TensorLike, fp: TensorLike, options: InterpOptions = {}): Tensor {
  checkOptions("interp", options, INTERP_OPTIONS);
  const [places, points, values] = [floating(x, "interp"), floating(xp, "interp"), floating(fp, "interp")];
  if (points.ndim !== 1 || values.ndim !== 1 || points.size !== values.size || points.size === 0)
    throw new ShapeError(
      `interp: xp and fp are vectors of one length, received shapes ${shapeText(points.shape)} and ${shapeText(values.shape)}`,
    );
  const { period } = options;
  for (const side of [options.left, options.right])
    if (typeof side === "string" && side !== "extrapolate")
      throw new ArgumentError(`interp: left and right are arrays or "extrapolate", received ${JSON.stringify(side)}`);
  if (period === 0) throw new ArgumentError("interp: the period is 0; give another, or none");
  if (period === undefined) return between(places, points, values, options);
  const size = Math.abs(period);
  const wrapped = remainder(points, size);
  const order = argsort(wrapped);
  const [xs, fs] = [take(wrapped, order), take(values, order)];
  const end = (one: Tensor, from: number): Tensor => sliceAlong(one, 0, from, from + 1);
  const last = points.size - 1;
  const around = concatenate([sub(end(xs, last), size), xs, add(end(xs, 0), size)]);
  return between(remainder(places, size), around, concatenate([end(fs, last), fs, end(fs, 0)]), {});
}

function between(x: Tensor, xp: Tensor, fp: Tensor, { left, right }: InterpOptions): Tensor {
  const last = xp.size - 1;
  const i = clip(searchsorted(xp, x, { side: "right" }), 1, Math.max(1, last));
  const [low, high] = [sub(i, 1), clip(i, 0, last)];
  const [x0, x1, f0, f1] = [take(xp, low), take(xp, high), take(fp, low), take(fp, high)];
  const dx = sub(x1, x0);
  // Points that coincide have no slope between them.
  const flat = equal(dx, 0);
  const f = where(flat, f0, add(f0, mul(div(sub(x, x0), where(flat, 1, dx)), sub(f1, f0))));
  const end = (one: Tensor, k: number): Tensor => reshape(sliceAlong(one, 0, k, k + 1), []);
  const below = left === "extrapolate" ? f : where(less(x, end(xp, 0)), left ?? end(fp, 0), f);
  return right === "extrapolate" ? below : where(greater(x, end(xp, last)), right ?? end(fp, last), below);
}

/**
 * p[0] xⁿ⁻¹ + … + p[n − 1], by Horner's rule. Source: jnp.polyval.
 *
 * @throws ShapeError unless p is a vector.
 * @example await polyval(array([1, 0, 2]), 3).item(); // 11
 */
export function polyval(p: TensorLike, x: TensorLike): Tensor {
  const coefficients = asTensor(p, "polyval");
  if (coefficients.ndim !== 1)
    throw new ShapeError(`polyval: coefficients are a vector, received shape ${shapeText(coefficients.shape)}`);
  const point = asTensor(x, "polyval");
  const { dtype } = promote([coefficients, point]);
  let y = zerosLike(convert(point, dtype));
  for (let k = 0; k < coefficients.size; k++)
    y = add(mul(y, point), reshape(sliceAlong(coefficients, 0, k, k + 1), []));
  return y;
}

/**
 * Rows of powers of x: column j is x^(n − 1 − j), or x^j with `increasing`. Source: jnp.vander.
 *
 * @throws ShapeError unless x is a vector, ArgumentError unless n is a whole number ≥ 0.
 * @example await vander(array([2, 3]), { n: 3 }).toArray(); // [[4, 2, 1], [9, 3, 1]]
 */
export function vander(x: TensorLike, options: { readonly n?: number; readonly increasing?: boolean } = {}): Tensor {
  checkOptions("vander", options, VANDER_OPTIONS);
  const points = asTensor(x, "vander");
  if (points.ndim !== 1) throw new ShapeError(`vander: needs a vector, received shape ${shapeText(points.shape)}`);
  const { n = points.size, increasing = false } = options;
  if (!Number.isInteger(n) || n < 0) throw new ArgumentError(`vander: n is ${n}; a whole number ≥ 0 is needed`);
  if (n === 0) return literal(0, [points.size, 0], points.dtype);
  const one = ones([points.size, 1], { dtype: points.dtype });
  const column = reshape(points, [points.size, 1]);
  const powers = laxCumprod(concatenate([one, ...new Array<Tensor>(n - 1).fill(column)], { axis: 1 }), 1);
  return increasing ? powers : flip(powers, { axis: 1 });
}

export interface GradientOptions {
  /** The axis or axes; all of them unless told. */
  readonly axis?: number | readonly number[];
}

/**
 * Differences of x along an axis: central inside, one-sided at the ends, divided by `spacing`, the distance of neighbours or
 * the places themselves, 1 unless told; over several axes a list. Options may come right after x. Source: jnp.gradient.
 *
 * @throws ShapeError when an axis has fewer than two elements, ArgumentError when spacings do not fit the axes.
 * @example
 * await gradient(array([1, 2, 4])).toArray(); // [1, 1.5, 2]
 * await gradient(array([[1, 2, 4], [0, 3, 9]]), { axis: 1 }).toArray(); // [[1, 1.5, 2], [3, 4.5, 6]]
 */
export function gradient(
  x: TensorLike,
  spacing?: TensorLike | readonly TensorLike[],
  options?: GradientOptions,
): Tensor | Tensor[];
export function gradient(x: TensorLike, options: GradientOptions): Tensor | Tensor[];
export function gradient(
  x: TensorLike,
  second: TensorLike | readonly TensorLike[] | GradientOptions = 1,
  third: GradientOptions = {},
): Tensor | Tensor[] {
  const [spacing, options] = isOptions(second) ? [1, second] : [second, third];
  checkOptions("gradient", options, GRADIENT_OPTIONS);
  const tensor = floating(x, "gradient");
  const { axis } = options;
  const named = axis === undefined ? tensor.shape.map((_, k) => k) : typeof axis === "number" ? [axis] : axis;
  const axes = named.map((one) => normalizeAxis("gradient", one, tensor.ndim));
  const steps: readonly TensorLike[] = Array.isArray(spacing) ? spacing : axes.map(() => spacing as TensorLike); // no list
  if (steps.length !== axes.length)
    throw new ArgumentError(`gradient: ${steps.length} spacings for ${axes.length} axes; one, or one for each axis`);
  const slopes = axes.map((one, k) => slope(tensor, one, asTensor(at(steps, k), "gradient")));
  return axes.length === 1 ? at(slopes, 0) : slopes;
}

function isOptions(value: TensorLike | readonly TensorLike[] | GradientOptions): value is GradientOptions {
  return (
    typeof value === "object" &&
    value !== null &&
    !(Array.isArray(value) || value instanceof Tensor || "toTensor" in value)
  );
}

function slope(x: Tensor, axis: number, step: Tensor): Tensor {
  const extent = at(x.shape, axis);
  if (extent < 2)
    throw new ShapeError(`gradient: axis ${axis} of ${shapeText(x.shape)} has ${extent} elements; two are needed`);
  if (step.ndim > 1 || (step.ndim === 1 && step.size !== extent))
    throw new ShapeError(
      `gradient: a spacing of shape ${shapeText(step.shape)} for ${extent} elements; a number, or the place of each`,
    );
  const part = (from: number, to: number): Tensor => sliceAlong(x, axis, from, to);
  const lying = (one: Tensor): Tensor =>
    reshape(
      one,
      x.shape.map((_, k) => (k === axis ? one.size : 1)),
    );
  const rises = sub(part(1, extent), part(0, extent - 1));
  if (step.ndim === 0) {
    const inner = div(sub(part(2, extent), part(0, extent - 2)), mul(2, step));
    const ends = div(rises, step);
    return concatenate([sliceAlong(ends, axis, 0, 1), inner, sliceAlong(ends, axis, extent - 2, extent - 1)], { axis });
  }
  const gaps = lying(diff(step));
  const slopes = div(rises, gaps);
  const [left, right] = [sliceAlong(slopes, axis, 0, extent - 2), sliceAlong(slopes, axis, 1, extent - 1)];
  const [before, after] = [sliceAlong(gaps, axis, 0, extent - 2), sliceAlong(gaps, axis, 1, extent - 1)];
  // Each side weighs as much as the other is wide.
  const inner = div(add(mul(left, after), mul(right, before)), add(before, after));
  return concatenate([sliceAlong(slopes, axis, 0, 1), inner, sliceAlong(slopes, axis, extent - 2, extent - 1)], {
    axis,
  });
}

/**
 * x with jumps along an axis of more than half a period taken back by whole periods. Source: jnp.unwrap.
 *
 * @throws ShapeError when the axis is out of range.
 * @example await unwrap(array([0, 3, 1]), { period: 4 }).toArray(); // [0, -1, -3]
 */
export function unwrap(
  x: TensorLike,
  options: { readonly discont?: number; readonly axis?: number; readonly period?: number } = {},
): Tensor {
  checkOptions("unwrap", options, UNWRAP_OPTIONS);
  const tensor = floating(x, "unwrap");
  const axis = normalizeAxis("unwrap", options.axis ?? -1, tensor.ndim);
  const { period = 2 * Math.PI } = options;
  const { discont = period / 2 } = options;
  if (at(tensor.shape, axis) === 0) return tensor;
  const half = period / 2;
  const steps = diff(tensor, { axis });
  const near = sub(remainder(add(steps, half), period), half);
  const signed = where(logicalAnd(equal(near, -half), greater(steps, 0)), half, near);
  const fix = where(less(abs(steps), discont), 0, sub(signed, steps));
  const first = sliceAlong(tensor, axis, 0, 1);
  return add(tensor, concatenate([zerosLike(first), cumsum(fix, { axis })], { axis }));
}

/**
 * The index of the element that is k-th in row-major order, one array for each axis; negative numbers count from the end.
 * Out of range gives the nearest. Source: jnp.unravel_index.
 *
 * @example
 * const [row, column] = unravelIndex(array([5]), [2, 3]);
 * await column?.toArray(); // [2]
 */
export function unravelIndex(indices: TensorLike, shape: Shape): Tensor[] {
  const given = asTensor(indices, "unravelIndex");
  const size = sizeOf(checkShape("unravelIndex", shape));
  const whole = clip(where(less(given, 0), add(given, size), given), 0, Math.max(0, size - 1));
  return shape.map((extent, axis) => remainder(floorDivide(whole, sizeOf(shape.slice(axis + 1))), Math.max(1, extent)));
}

/**
 * Which element in row-major order the index is: the inverse of unravelIndex. "clip" takes the nearest in range (the default
 * here, for the host cannot check), "wrap" counts around. Source: jnp.ravel_multi_index.
 *
 * @throws ShapeError unless there is one array for each axis, ArgumentError for an unknown mode.
 * @example await ravelMultiIndex([array([1]), array([2])], [2, 3]).toArray(); // [5]
 */
export function ravelMultiIndex(
  index: readonly TensorLike[],
  shape: Shape,
  options: { readonly mode?: "clip" | "wrap" } = {},
): Tensor {
  checkOptions("ravelMultiIndex", options, RAVEL_OPTIONS);
  const { mode = "clip" } = options;
  checkList("ravelMultiIndex", "the index", index);
  checkShape("ravelMultiIndex", shape);
  if (index.length !== shape.length)
    throw new ShapeError(`ravelMultiIndex: ${index.length} arrays for the ${shape.length} axes of ${shapeText(shape)}`);
  if (mode !== "clip" && mode !== "wrap")
    throw new ArgumentError(`ravelMultiIndex: unknown mode ${JSON.stringify(mode)}; expected "clip" or "wrap"`);
  return index.reduce<Tensor>(
    (flat, one, axis) => {
      const extent = at(shape, axis);
      const own = asTensor(one, "ravelMultiIndex");
      return add(
        flat,
        mul(mode === "wrap" ? remainder(own, extent) : clip(own, 0, extent - 1), sizeOf(shape.slice(axis + 1))),
      );
    },
    literal(0, [], "int32"),
  );
}
