import { isFloat } from "../dtype.ts";
import { ArgumentError, ShapeError } from "../errors.ts";
import { normalizeAxes, normalizeAxis, sameShape, shapeText, sizeOf } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { at } from "../view.ts";
import { argmax, argmin, type ArgOptions } from "./arg-reduce.ts";
import { composite } from "./composite.ts";
import { convert } from "./convert.ts";
import { asTensor, literal, type TensorLike } from "./create.ts";
import { abs, clip, div, isnan, logicalNot, mul, notEqual, sqrt, square, sub, where } from "./elementwise.ts";
import { concatenate, sliceAlong } from "./join.ts";
import { matmul } from "./matmul.ts";
import { broadcastTo, expandDims, ravel, reshape, squeeze, transpose } from "./movement.ts";
import { atleast2d } from "./rank.ts";
import { all, floating, max, mean, min, prod, sum, type ReduceOptions, type VarianceOptions } from "./reduce.ts";
import { diagonal } from "./triangle.ts";

/** x with NaN replaced. */
function without(x: Tensor, instead: number): Tensor {
  return isFloat(x.dtype) ? where(isnan(x), instead, x) : x;
}

/** NaN where all elements along the axes are. */
function orNan(x: Tensor, options: ReduceOptions, found: Tensor): Tensor {
  if (!isFloat(x.dtype) || options.initial !== undefined) return found;
  const { axis, keepdims = false } = options;
  return where(all(isnan(x), { axis: axis ?? null, keepdims }), NaN, found);
}

/**
 * Σ x along axes with NaN as 0. Source: jnp.nansum.
 *
 * @throws ShapeError when an axis is out of range or named twice.
 * @example await nansum(array([1, NaN, 2])).item(); // 3
 */
export function nansum(x: TensorLike, options: ReduceOptions = {}): Tensor {
  return sum(without(asTensor(x), 0), options);
}

/**
 * Π x along axes with NaN as 1. Source: jnp.nanprod.
 *
 * @throws ShapeError when an axis is out of range or named twice.
 * @example await nanprod(array([2, NaN, 3])).item(); // 6
 */
export function nanprod(x: TensorLike, options: ReduceOptions = {}): Tensor {
  return prod(without(asTensor(x), 1), options);
}

/**
 * The largest element along axes that is not NaN; NaN where there is none. Source: jnp.nanmax.
 *
 * @throws ShapeError for no elements, or an axis that is out of range or named twice.
 * @example await nanmax(array([1, NaN, 2])).item(); // 2
 */
export function nanmax(x: TensorLike, options: ReduceOptions = {}): Tensor {
  const tensor = asTensor(x);
  return composite("nanmax", () => orNan(tensor, options, max(without(tensor, -Infinity), options)));
}

/**
 * The smallest element along axes that is not NaN; NaN where there is none. Source: jnp.nanmin.
 *
 * @throws ShapeError for no elements, or an axis that is out of range or named twice.
 * @example await nanmin(array([1, NaN, 2])).item(); // 1
 */
export function nanmin(x: TensorLike, options: ReduceOptions = {}): Tensor {
  const tensor = asTensor(x);
  return composite("nanmin", () => orNan(tensor, options, min(without(tensor, Infinity), options)));
}

/**
 * The mean along axes of what is not NaN; NaN where there is nothing. Source: jnp.nanmean.
 *
 * @throws ShapeError when an axis is out of range or named twice.
 * @example await nanmean(array([1, NaN, 2])).item(); // 1.5
 */
export function nanmean(x: TensorLike, options: ReduceOptions = {}): Tensor {
  const tensor = floating(x);
  return composite("nanmean", () => div(nansum(tensor, options), present(tensor, options)));
}

function present(x: Tensor, options: ReduceOptions): Tensor {
  return sum(convert(logicalNot(isnan(x)), "float32"), options);
}

/**
 * The variance along axes of what is not NaN; `ddof` is taken off the count. Source: jnp.nanvar.
 *
 * @throws ShapeError when an axis is out of range or named twice.
 * @example await nanvar(array([1, NaN, 3])).item(); // 1
 */
export function nanvar(x: TensorLike, options: VarianceOptions = {}): Tensor {
  const tensor = floating(x);
  const { ddof = 0, ...rest } = options;
  return composite("nanvar", () => {
    const centred = where(isnan(tensor), 0, sub(tensor, nanmean(tensor, { ...rest, keepdims: true })));
    const left = sub(present(tensor, rest), ddof);
    const found = div(sum(square(centred), rest), left);
    return where(notEqual(clip(left, 0, 1), 0), found, NaN);
  });
}

/**
 * The square root of nanvar. Source: jnp.nanstd.
 *
 * @throws ShapeError when an axis is out of range or named twice.
 * @example await nanstd(array([1, NaN, 3])).item(); // 1
 */
export function nanstd(x: TensorLike, options: VarianceOptions = {}): Tensor {
  return sqrt(nanvar(x, options));
}

function nanArg(name: "max" | "min", x: TensorLike, options: ArgOptions): Tensor {
  const tensor = asTensor(x);
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
  return nanArg("max", x, options);
}

/**
 * The index of the smallest element that is not NaN, int32; −1 where there is none. Source: jnp.nanargmin.
 *
 * @throws ShapeError when there is nothing to choose from, or the axis is out of range.
 * @example await nanargmin(array([NaN, 5, 2])).item(); // 2
 */
export function nanargmin(x: TensorLike, options: ArgOptions = {}): Tensor {
  return nanArg("min", x, options);
}

/**
 * How many elements along axes are not zero, int32. Source: jnp.count_nonzero.
 *
 * @throws ShapeError when an axis is out of range or named twice.
 * @example await countNonzero(array([0, 2, 0])).item(); // 1
 */
export function countNonzero(x: TensorLike, options: Pick<ReduceOptions, "axis" | "keepdims"> = {}): Tensor {
  return sum(convert(convert(asTensor(x), "bool"), "int32"), options);
}

/**
 * The largest element along axes less the smallest. Source: jnp.ptp.
 *
 * @throws ShapeError for no elements, or an axis that is out of range or named twice.
 * @example await ptp(array([3, 1, 5])).item(); // 4
 */
export function ptp(x: TensorLike, options: Pick<ReduceOptions, "axis" | "keepdims"> = {}): Tensor {
  const tensor = asTensor(x);
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
  return averaged("averageReturned", x, options);
}

function averaged(name: string, x: TensorLike, options: AverageOptions): [Tensor, Tensor] {
  const tensor = floating(x);
  const { axis = null, keepdims = false } = options;
  const axes = normalizeAxes(name, axis, tensor.ndim);
  if (options.weights === undefined) {
    const found = mean(tensor, { axis: axes, keepdims });
    return [found, literal(sizeOf(axes.map((one) => at(tensor.shape, one))), found.shape, "float32")];
  }
  const given = floating(options.weights);
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
  const tensor = asTensor(x);
  const { n = 1 } = options;
  if (!Number.isInteger(n) || n < 0) throw new ArgumentError(`diff: n is ${n}; a whole number ≥ 0 is needed`);
  const axis = normalizeAxis("diff", options.axis ?? -1, tensor.ndim);
  if (n === 0) return tensor;
  const edge = (one: TensorLike | undefined): Tensor[] => {
    if (one === undefined) return [];
    const given = asTensor(one);
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
  const flat = ravel(x);
  const end = (one: TensorLike | undefined): Tensor[] => (one === undefined ? [] : [convert(ravel(one), flat.dtype)]);
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
  const tensor = floating(y);
  const axis = normalizeAxis("trapezoid", options.axis ?? -1, tensor.ndim);
  const extent = at(tensor.shape, axis);
  return composite("trapezoid", () => {
    const places = options.x === undefined ? undefined : floating(options.x);
    const step =
      places === undefined ? floating(options.dx ?? 1) : diff(places, { axis: places.ndim === 1 ? 0 : axis });
    const shaped = places?.ndim === 1 ? reshape(step, [step.size, ...tensor.shape.slice(axis + 1).map(() => 1)]) : step;
    const pairs = sub(
      sliceAlong(tensor, axis, Math.min(1, extent), extent),
      mul(sliceAlong(tensor, axis, 0, Math.max(0, extent - 1)), -1),
    );
    return mul(sum(mul(pairs, shaped), { axis }), 0.5);
  });
}

export interface CovarianceOptions {
  /** A second set of variables, below the first. */
  readonly y?: TensorLike;
  /** Whether rows are the variables (true unless told), or columns. */
  readonly rowvar?: boolean;
  /** Divides by the number of observations instead of one less. */
  readonly bias?: boolean;
  /** Taken off the number of observations. */
  readonly ddof?: number;
  /** How often each observation counts, whole numbers. */
  readonly fweights?: TensorLike;
  /** What each observation counts for. */
  readonly aweights?: TensorLike;
}

/**
 * The covariance matrix of variables (rows) over observations (columns). Source: jnp.cov.
 *
 * @throws ShapeError for more than two axes, or weights that do not fit.
 * @example await cov(array([[1, 2, 3], [3, 2, 1]])).toArray(); // [[1, -1], [-1, 1]]
 */
export function cov(m: TensorLike, options: CovarianceOptions = {}): Tensor {
  const first = floating(m);
  const { rowvar = true, bias = false } = options;
  const ddof = options.ddof ?? (bias ? 0 : 1);
  const rows = variables(first, !rowvar && first.ndim !== 1);
  const second =
    options.y === undefined
      ? []
      : [floating(options.y)].map((y) => variables(y, !rowvar && atleast2d(y).shape[0] !== 1));
  const x = second.length === 0 ? rows : concatenate([rows, ...second]);
  const count = at(x.shape, 1);
  const weights = weightsOf(options, count);
  return composite("cov", () => {
    const whole = weights === undefined ? undefined : broadcastTo(weights, x.shape);
    const [middle, total] = averaged("cov", x, {
      axis: 1,
      keepdims: true,
      ...(whole === undefined ? {} : { weights: whole }),
    });
    const centred = sub(x, middle);
    const observations = reshape(sliceAlong(total, 0, 0, 1), []);
    const corrected =
      options.aweights === undefined || weights === undefined
        ? ddof
        : div(mul(sum(mul(weights, abs(floating(options.aweights)))), ddof), observations);
    const product = matmul(centred, transpose(weights === undefined ? centred : mul(centred, weights)));
    return squeeze(div(product, ddof === 0 ? observations : sub(observations, corrected)));
  });
}

function variables(x: Tensor, columns: boolean): Tensor {
  if (x.ndim > 2) throw new ShapeError(`cov: needs two axes at most, received shape ${shapeText(x.shape)}`);
  return columns ? transpose(atleast2d(x)) : atleast2d(x);
}

function weightsOf({ fweights, aweights }: CovarianceOptions, count: number): Tensor | undefined {
  const given = [fweights, aweights].flatMap((one) => (one === undefined ? [] : [abs(floating(one))]));
  const wrong = given.find(({ shape }) => !sameShape(shape, [count]));
  if (wrong !== undefined)
    throw new ShapeError(
      `cov: weights of shape ${shapeText(wrong.shape)} for ${count} observations; one for each is needed`,
    );
  const [one, other] = given;
  return one === undefined || other === undefined ? one : mul(one, other);
}

/**
 * The correlation matrix of variables (rows) over observations (columns). Source: jnp.corrcoef.
 *
 * @throws ShapeError for more than two axes.
 * @example await corrcoef(array([[1, 2, 3], [3, 2, 1]])).toArray(); // [[1, -1], [-1, 1]]
 */
export function corrcoef(x: TensorLike, options: Pick<CovarianceOptions, "y" | "rowvar"> = {}): Tensor {
  return composite("corrcoef", () => {
    const c = cov(x, options);
    if (c.ndim === 0) return div(c, c);
    const spread = sqrt(diagonal(c));
    return clip(div(div(c, expandDims(spread, 1)), expandDims(spread, 0)), -1, 1);
  });
}
