import { isFloat } from "../dtype.ts";
import { ArgumentError, ShapeError } from "../errors.ts";
import { normalizeAxes, normalizeAxis, sameShape, shapeText, sizeOf } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { at } from "../view.ts";
import { ARG_OPTIONS, argmax, argmin, type ArgOptions } from "./arg-reduce.ts";
import { laxDiv } from "./bits.ts";
import { composite } from "./composite.ts";
import { convert, unpacked } from "./convert.ts";
import { asTensor, literal, type TensorLike } from "./create.ts";
import { div, greater, isnan, logicalNot, mul, notEqual, sqrt, square, sub, where } from "./elementwise.ts";
import { concatenate, sliceAlong } from "./join.ts";
import { broadcastTo, ravel, reshape } from "./movement.ts";
import {
  floatResult,
  mean,
  MEAN_OPTIONS,
  middle,
  NAN_VARIANCE_OPTIONS,
  type MeanOptions,
  type NanVarianceOptions,
} from "./moments.ts";
import {
  all,
  EXTREME_OPTIONS,
  floating,
  max,
  min,
  prod,
  sum,
  type ExtremeOptions,
  type ReduceOptions,
  type SumOptions,
} from "./reduce.ts";
import { checkOptions } from "../options.ts";

const ALONG_OPTIONS = { axis: true, keepdims: "flag" } as const;
const NAN_SUM_OPTIONS = { ...EXTREME_OPTIONS, dtype: true } as const;
const AVERAGE_OPTIONS = { axis: true, keepdims: "flag", weights: true } as const;
const DIFF_OPTIONS = { n: "number", axis: "number", prepend: true, append: true } as const;
const EDIFF1D_OPTIONS = { toBegin: true, toEnd: true } as const;
const TRAPEZOID_OPTIONS = { x: true, dx: true, axis: "number" } as const;

/** x with NaN replaced. */
function without(x: Tensor, instead: number): Tensor {
  return isFloat(x.dtype) ? where(isnan(x), instead, x) : x;
}

/** NaN where all elements along the axes are. */
function orNan(x: Tensor, options: ExtremeOptions, found: Tensor): Tensor {
  if (!isFloat(x.dtype) || options.initial !== undefined) return found;
  const { axis, keepdims = false } = options;
  return where(all(isnan(x), { axis: axis ?? null, keepdims }), NaN, found);
}

export type NanSumOptions = Omit<SumOptions, "promoteIntegers">;

/**
 * Σ x along axes with NaN as 0. Source: jnp.nansum.
 *
 * @throws ShapeError when an axis is out of range or named twice.
 * @example await nansum(array([1, NaN, 2])).item(); // 3
 */
export function nansum(x: TensorLike, options: NanSumOptions = {}): Tensor {
  checkOptions("nansum", options, NAN_SUM_OPTIONS);
  return sum(without(asTensor(x, "nansum"), 0), options);
}

/**
 * Π x along axes with NaN as 1. Source: jnp.nanprod.
 *
 * @throws ShapeError when an axis is out of range or named twice.
 * @example await nanprod(array([2, NaN, 3])).item(); // 6
 */
export function nanprod(x: TensorLike, options: NanSumOptions = {}): Tensor {
  checkOptions("nanprod", options, NAN_SUM_OPTIONS);
  return prod(without(asTensor(x, "nanprod"), 1), options);
}

/**
 * The largest element along axes that is not NaN; NaN where there is none. Source: jnp.nanmax.
 *
 * @throws ShapeError for no elements, or an axis that is out of range or named twice.
 * @example await nanmax(array([1, NaN, 2])).item(); // 2
 */
export function nanmax(x: TensorLike, options: ExtremeOptions = {}): Tensor {
  checkOptions("nanmax", options, EXTREME_OPTIONS);
  const tensor = asTensor(x, "nanmax");
  return composite("nanmax", () => orNan(tensor, options, max(without(tensor, -Infinity), options)));
}

/**
 * The smallest element along axes that is not NaN; NaN where there is none. Source: jnp.nanmin.
 *
 * @throws ShapeError for no elements, or an axis that is out of range or named twice.
 * @example await nanmin(array([1, NaN, 2])).item(); // 1
 */
export function nanmin(x: TensorLike, options: ExtremeOptions = {}): Tensor {
  checkOptions("nanmin", options, EXTREME_OPTIONS);
  const tensor = asTensor(x, "nanmin");
  return composite("nanmin", () => orNan(tensor, options, min(without(tensor, Infinity), options)));
}

/**
 * The mean along axes of what is not NaN; NaN where there is nothing. Source: jnp.nanmean.
 *
 * @throws ShapeError when an axis is out of range or named twice.
 * @example await nanmean(array([1, NaN, 2])).item(); // 1.5
 */
export function nanmean(x: TensorLike, options: MeanOptions = {}): Tensor {
  checkOptions("nanmean", options, MEAN_OPTIONS);
  const tensor = asTensor(x, "nanmean");
  if (!isFloat(tensor.dtype)) return mean(tensor, options);
  const { dtype = tensor.dtype, ...rest } = options;
  return composite("nanmean", () => laxDiv(nansum(tensor, { ...rest, dtype }), present(tensor, { ...rest, dtype })));
}

/** How many elements along axes are not NaN, in the dtype of the options, float32 unless told. */
function present(x: Tensor, options: MeanOptions): Tensor {
  return sum(logicalNot(isnan(x)), { dtype: "float32", ...options });
}

/**
 * The variance along axes of what is not NaN; `ddof` is taken off the count. Source: jnp.nanvar.
 *
 * @throws ShapeError when an axis is out of range or named twice.
 * @example await nanvar(array([1, NaN, 3])).item(); // 1
 */
export function nanvar(x: TensorLike, options: NanVarianceOptions = {}): Tensor {
  checkOptions("nanvar", options, NAN_VARIANCE_OPTIONS);
  const given = floating(x, "nanvar");
  const tensor = unpacked(given);
  const { ddof = 0, mean: known, dtype, ...rest } = options;
  const result = floatResult("nanvar", dtype) ?? given.dtype;
  return composite("nanvar", () => {
    const centre = middle("nanvar", tensor, known) ?? nanmean(tensor, { ...rest, keepdims: true });
    const centred = where(isnan(tensor), 0, sub(tensor, centre));
    const left = sub(present(tensor, rest), ddof);
    const found = where(greater(left, 0), div(sum(square(centred), rest), where(greater(left, 0), left, 1)), NaN);
    return convert(found, result);
  });
}

/**
 * The square root of nanvar. Source: jnp.nanstd.
 *
 * @throws ShapeError when an axis is out of range or named twice.
 * @example await nanstd(array([1, NaN, 3])).item(); // 1
 */
export function nanstd(x: TensorLike, options: NanVarianceOptions = {}): Tensor {
  checkOptions("nanstd", options, NAN_VARIANCE_OPTIONS);
  return sqrt(nanvar(asTensor(x, "nanstd"), options));
}

function nanArg(name: "max" | "min", x: TensorLike, options: ArgOptions): Tensor {
  const tensor = asTensor(x, `nanarg${name}`);
  const found = (name === "max" ? argmax : argmin)(without(tensor, name === "max" ? -Infinity : Infinity), options);
  if (!isFloat(tensor.dtype)) return found;
  const { axis, keepdims = false } = options;
  return where(all(isnan(tensor), { axis: axis ?? null, keepdims }), -1, found);
}

/**
 * The index of the largest element that is not NaN, int32; −1 where there is none. Source: jnp.nanargmax.
 *
 * @throws ShapeError when there is nothing to choose from, or the axis is out of range.
 * @example await nanargmax(array([NaN, 5, 2])).item(); // 1
 */
export function nanargmax(x: TensorLike, options: ArgOptions = {}): Tensor {
  checkOptions("nanargmax", options, ARG_OPTIONS);
  return nanArg("max", x, options);
}

/**
 * The index of the smallest element that is not NaN, int32; −1 where there is none. Source: jnp.nanargmin.
 *
 * @throws ShapeError when there is nothing to choose from, or the axis is out of range.
 * @example await nanargmin(array([NaN, 5, 2])).item(); // 2
 */
export function nanargmin(x: TensorLike, options: ArgOptions = {}): Tensor {
  checkOptions("nanargmin", options, ARG_OPTIONS);
  return nanArg("min", x, options);
}

/**
 * How many elements along axes are not zero, int32. Source: jnp.count_nonzero.
 *
 * @throws ShapeError when an axis is out of range or named twice.
 * @example await countNonzero(array([0, 2, 0])).item(); // 1
 */
export function countNonzero(x: TensorLike, options: Pick<ReduceOptions, "axis" | "keepdims"> = {}): Tensor {
  checkOptions("countNonzero", options, ALONG_OPTIONS);
  return sum(convert(convert(asTensor(x, "countNonzero"), "bool"), "int32"), options);
}

/**
 * The largest element along axes less the smallest. Source: jnp.ptp.
 *
 * @throws ShapeError for no elements, or an axis that is out of range or named twice.
 * @example await ptp(array([3, 1, 5])).item(); // 4
 */
export function ptp(x: TensorLike, options: Pick<ReduceOptions, "axis" | "keepdims"> = {}): Tensor {
  checkOptions("ptp", options, ALONG_OPTIONS);
  const tensor = asTensor(x, "ptp");
  return sub(max(tensor, options), min(tensor, options));
}

export interface AverageOptions {
  readonly axis?: number | readonly number[] | null;
  readonly keepdims?: boolean;
  /** What each element counts for: of x's shape, or of its axes. */
  readonly weights?: TensorLike;
}

/**
 * The mean along axes, each element counted by its weight. Source: jnp.average.
 *
 * @throws ShapeError when the weights do not fit.
 * @example await average(array([1, 3]), { weights: array([3, 1]) }).item(); // 1.5
 */
export function average(x: TensorLike, options: AverageOptions = {}): Tensor {
  checkOptions("average", options, AVERAGE_OPTIONS);
  return averaged("average", x, options)[0];
}

/**
 * average with the sum of the weights. Source: jnp.average, returned=True.
 *
 * @throws ShapeError when the weights do not fit.
 * @example
 * const [, weight] = averageReturned(array([1, 3]), { weights: array([3, 1]) });
 * await weight.item(); // 4
 */
export function averageReturned(x: TensorLike, options: AverageOptions = {}): [Tensor, Tensor] {
  checkOptions("averageReturned", options, AVERAGE_OPTIONS);
  return averaged("averageReturned", x, options);
}

/** The weighted mean of `average` and the sum of its weights. */
export function averaged(name: string, x: TensorLike, options: AverageOptions): [Tensor, Tensor] {
  const tensor = floating(x, name);
  const { axis = null, keepdims = false } = options;
  const axes = normalizeAxes(name, axis, tensor.ndim);
  if (options.weights === undefined) {
    const found = mean(tensor, { axis: axes, keepdims });
    return [found, literal(sizeOf(axes.map((one) => at(tensor.shape, one))), found.shape, "float32")];
  }
  const given = floating(options.weights, name);
  const along = axes.map((one) => at(tensor.shape, one));
  const fits = sameShape(given.shape, tensor.shape) || (axis !== null && sameShape(given.shape, along));
  if (!fits)
    throw new ShapeError(
      `${name}: weights of shape ${shapeText(given.shape)} do not fit ${shapeText(tensor.shape)}; give one for each element, or for each along the named axes`,
    );
  const weights = sameShape(given.shape, tensor.shape)
    ? given
    : reshape(
        given,
        tensor.shape.map((extent, k) => (axes.includes(k) ? extent : 1)),
      );
  const whole = broadcastTo(weights, tensor.shape);
  const total = sum(whole, { axis: axes, keepdims });
  return [div(sum(mul(tensor, whole), { axis: axes, keepdims }), total), total];
}

export interface DiffOptions {
  /** How many times; once unless told. */
  readonly n?: number;
  readonly axis?: number;
  /** Joined to the start or the end of the axis first. */
  readonly prepend?: TensorLike;
  readonly append?: TensorLike;
}

/**
 * Each element less the one before it along an axis, n times over; of bools, whether they differ. Source: jnp.diff.
 *
 * @throws ShapeError for a scalar or a wrong axis, ArgumentError unless n is a whole number ≥ 0.
 * @example await diff(array([1, 4, 9])).toArray(); // [3, 5]
 */
export function diff(x: TensorLike, options: DiffOptions = {}): Tensor {
  checkOptions("diff", options, DIFF_OPTIONS);
  const tensor = asTensor(x, "diff");
  const { n = 1 } = options;
  if (!Number.isInteger(n) || n < 0) throw new ArgumentError(`diff: n is ${n}; a whole number ≥ 0 is needed`);
  const axis = normalizeAxis("diff", options.axis ?? -1, tensor.ndim);
  if (n === 0) return tensor;
  const edge = (one: TensorLike | undefined): Tensor[] => {
    if (one === undefined) return [];
    const given = asTensor(one, "diff");
    const shape = tensor.shape.map((extent, k) => (k === axis ? 1 : extent));
    return [given.ndim === 0 ? broadcastTo(given, shape) : given];
  };
  let left = concatenate([...edge(options.prepend), tensor, ...edge(options.append)], { axis });
  for (let k = 0; k < n; k++) {
    const extent = at(left.shape, axis);
    const [after, before] = [
      sliceAlong(left, axis, Math.min(1, extent), extent),
      sliceAlong(left, axis, 0, Math.max(0, extent - 1)),
    ];
    left = left.dtype === "bool" ? notEqual(after, before) : sub(after, before);
  }
  return left;
}

/**
 * diff of x flattened, between what is given for either end. Source: jnp.ediff1d.
 * @example await ediff1d(array([1, 4, 9]), { toBegin: 0 }).toArray(); // [0, 3, 5]
 */
export function ediff1d(
  x: TensorLike,
  options: { readonly toBegin?: TensorLike; readonly toEnd?: TensorLike } = {},
): Tensor {
  checkOptions("ediff1d", options, EDIFF1D_OPTIONS);
  const flat = ravel(asTensor(x, "ediff1d"));
  const end = (one: TensorLike | undefined): Tensor[] =>
    one === undefined ? [] : [convert(ravel(asTensor(one, "ediff1d")), flat.dtype)];
  return concatenate([...end(options.toBegin), diff(flat), ...end(options.toEnd)]);
}

export interface TrapezoidOptions {
  /** Where the values are: of their shape, or a vector along the axis. */
  readonly x?: TensorLike;
  /** The distance between neighbours, 1 unless told; not looked at with `x`. */
  readonly dx?: TensorLike;
  readonly axis?: number;
}

/**
 * The integral of y along an axis by trapezoids. Source: jnp.trapezoid.
 *
 * @throws ShapeError for a scalar or a wrong axis.
 * @example await trapezoid(array([1, 2, 3])).item(); // 4
 */
export function trapezoid(y: TensorLike, options: TrapezoidOptions = {}): Tensor {
  checkOptions("trapezoid", options, TRAPEZOID_OPTIONS);
  const tensor = floating(y, "trapezoid");
  const axis = normalizeAxis("trapezoid", options.axis ?? -1, tensor.ndim);
  const extent = at(tensor.shape, axis);
  return composite("trapezoid", () => {
    const places = options.x === undefined ? undefined : floating(options.x, "trapezoid");
    const step =
      places === undefined
        ? floating(options.dx ?? 1, "trapezoid")
        : diff(places, { axis: places.ndim === 1 ? 0 : axis });
    const shaped = places?.ndim === 1 ? reshape(step, [step.size, ...tensor.shape.slice(axis + 1).map(() => 1)]) : step;
    const pairs = sub(
      sliceAlong(tensor, axis, Math.min(1, extent), extent),
      mul(sliceAlong(tensor, axis, 0, Math.max(0, extent - 1)), -1),
    );
    return mul(sum(mul(pairs, shaped), { axis }), 0.5);
  });
}
