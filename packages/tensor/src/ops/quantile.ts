import { promote } from "../dtype.ts";
import { ArgumentError, ShapeError } from "../errors.ts";
import { normalizeAxes, reducedShape, shapeText } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { at } from "../view.ts";
import { composite } from "./composite.ts";
import { convert } from "./convert.ts";
import { asTensor, literal, type TensorLike } from "./create.ts";
import {
  add,
  ceil,
  div,
  equal,
  floor,
  isnan,
  less,
  lessEqual,
  logicalNot,
  logicalOr,
  minimum,
  maximum,
  mul,
  sub,
  where,
} from "./elementwise.ts";
import { gatherAlong } from "./indexing.ts";
import { broadcastTo, expandDims, moveaxis, reshape, transpose } from "./movement.ts";
import { any, floating, sum } from "./reduce.ts";
import { laxCumsum } from "./scan.ts";
import { sliceAlong } from "./join.ts";
import { laxSort, sort } from "./sorting.ts";
import { checkOptions } from "../options.ts";

const QUANTILE_OPTIONS = { axis: true, keepdims: "flag", method: true, weights: true } as const;
const MEDIAN_OPTIONS = { axis: true, keepdims: "flag" } as const;

/** How a quantile between two elements is made. */
export type QuantileMethod = "linear" | "lower" | "higher" | "midpoint" | "nearest" | "inverted_cdf";

const METHODS: readonly string[] = [
  "linear",
  "lower",
  "higher",
  "midpoint",
  "nearest",
  "inverted_cdf",
] satisfies readonly QuantileMethod[];

export interface MedianOptions {
  readonly axis?: number | readonly number[] | null;
  readonly keepdims?: boolean;
}

export interface QuantileOptions extends MedianOptions {
  readonly method?: QuantileMethod;
  /** What each element counts for; method "inverted_cdf" only. */
  readonly weights?: TensorLike;
}

interface Lines {
  /** [q, ...kept], the fractions along the first axis. */
  readonly q: Tensor;
  /** [...kept, n], ascending. */
  readonly rows: Tensor;
  readonly weights: Tensor | undefined;
  readonly method: QuantileMethod;
  /** Whether NaN counts as missing instead of spoiling its line. */
  readonly skip: boolean;
}

function quantileOf(name: string, x: TensorLike, q: TensorLike, options: QuantileOptions, skip: boolean): Tensor {
  const tensor = floating(x, name);
  const fractions = floating(q, name);
  const { method = "linear" } = options;
  if (!METHODS.includes(method))
    throw new ArgumentError(`${name}: unknown method ${JSON.stringify(method)}; expected one of ${METHODS.join(", ")}`);
  if (options.weights !== undefined && method !== "inverted_cdf")
    throw new ArgumentError(`${name}: method "${method}" takes no weights; "inverted_cdf" does`);
  if (fractions.ndim > 1)
    throw new ShapeError(`${name}: q has shape ${shapeText(fractions.shape)}; a number or one axis of them is needed`);
  const axes = normalizeAxes(name, options.axis, tensor.ndim);
  if (axes.some((axis) => tensor.shape[axis] === 0))
    throw new ShapeError(`${name}: there is no quantile of no elements, received shape ${shapeText(tensor.shape)}`);
  return composite(name, () => {
    const rows = gathered(tensor, axes);
    const kept = rows.shape.slice(0, -1);
    const given = options.weights === undefined ? undefined : weightRows(name, options.weights, tensor, axes);
    const spoilt = skip ? rows : where(any(isnan(rows), { axis: -1, keepdims: true }), NaN, rows);
    const [sorted, weights] = given === undefined ? [sort(spoilt), undefined] : laxSort([spoilt, given]);
    const lined = reshape(fractions, [fractions.size, ...kept.map(() => 1)]);
    const found = (method === "inverted_cdf" ? inverted : between)({ q: lined, rows: sorted, weights, method, skip });
    const lead = fractions.ndim === 0 ? [] : [fractions.size];
    const shape = reducedShape(tensor.shape, axes, options.keepdims ?? false);
    // However exact q is, as in JAX.
    const { dtype } = given === undefined ? tensor : promote([tensor, given]);
    return convert(reshape(found, [...lead, ...shape]), dtype);
  });
}

/** The axes as one, at the end. */
function gathered(x: Tensor, axes: readonly number[]): Tensor {
  const kept = x.shape.flatMap((_, axis) => (axes.includes(axis) ? [] : [axis]));
  return reshape(transpose(x, [...kept, ...axes]), [...kept.map((axis) => at(x.shape, axis)), -1]);
}

function weightRows(name: string, weights: TensorLike, x: Tensor, axes: readonly number[]): Tensor {
  const given = floating(weights, name);
  const along = axes.map((axis) => at(x.shape, axis));
  const same = (shape: readonly number[]): boolean =>
    shape.length === given.ndim && shape.every((extent, k) => extent === given.shape[k]);
  if (same(x.shape)) return gathered(given, axes);
  if (same(along)) {
    const whole = x.shape.map((extent, axis) => (axes.includes(axis) ? extent : 1));
    return gathered(broadcastTo(reshape(given, whole), x.shape), axes);
  }
  throw new ShapeError(
    `${name}: weights of shape ${shapeText(given.shape)} do not fit ${shapeText(x.shape)}; give one for each element of it, or of the axes ${shapeText(axes)}`,
  );
}

/** Elements of [...kept, n] at [q, ...kept] places along the last axis. */
function pick(rows: Tensor, places: Tensor): Tensor {
  const count = at(places.shape, 0);
  const kept = rows.shape.slice(0, -1);
  const index = moveaxis(broadcastTo(places, [count, ...kept]), 0, -1);
  return moveaxis(gatherAlong(rows, convert(index, "int32"), rows.ndim - 1), -1, 0);
}

function between({ q, rows, method, skip }: Lines): Tensor {
  const n = at(rows.shape, rows.ndim - 1);
  const last = skip
    ? sub(sum(convert(logicalNot(isnan(rows)), "float32"), { axis: -1 }), 1)
    : literal(n - 1, [], "float32");
  const place = mul(q, last);
  const [low, high] = [floor(place), ceil(place)];
  const highWeight = sub(place, low);
  const within = (index: Tensor): Tensor => maximum(minimum(index, last), 0);
  const [below, above] = [pick(rows, within(low)), pick(rows, within(high))];
  switch (method) {
    case "lower":
      return below;
    case "higher":
      return above;
    case "nearest":
      return where(lessEqual(highWeight, 0.5), below, above);
    case "midpoint":
      return mul(add(below, above), 0.5);
    default:
      return add(mul(below, sub(1, highWeight)), mul(above, highWeight));
  }
}

function inverted({ q, rows, weights, skip }: Lines): Tensor {
  const axis = rows.ndim - 1;
  const n = at(rows.shape, axis);
  const mass = weights ?? literal(1, rows.shape, "float32");
  const missing = isnan(rows);
  const bad = logicalOr(less(mass, 0), isnan(mass));
  const cumulated = laxCumsum(where(logicalOr(bad, missing), 0, mass), axis);
  const target = mul(q, reshape(sliceAlong(cumulated, axis, n - 1, n), rows.shape.slice(0, -1)));
  const before = less(expandDims(cumulated, 0), expandDims(target, -1));
  const valid = skip
    ? sum(convert(logicalNot(missing), "int32"), { axis: -1 })
    : literal(n, rows.shape.slice(0, -1), "int32");
  const place = maximum(minimum(sum(convert(before, "int32"), { axis: -1 }), sub(valid, 1)), 0);
  const spoilt = logicalOr(any(bad, { axis: -1 }), skip ? equal(valid, 0) : any(missing, { axis: -1 }));
  return where(spoilt, NaN, pick(rows, place));
}

/**
 * What a share q of the elements along axes does not exceed, q from 0 to 1; several give a new first axis. NaN spoils its
 * line. Source: jnp.quantile.
 *
 * @throws ShapeError for no elements, ArgumentError for an unknown method.
 * @example await quantile(array([1, 2, 3, 4]), 0.5).item(); // 2.5
 */
export function quantile(x: TensorLike, q: TensorLike, options: QuantileOptions = {}): Tensor {
  checkOptions("quantile", options, QUANTILE_OPTIONS);
  return quantileOf("quantile", x, q, options, false);
}

/**
 * quantile of the elements that are not NaN. Source: jnp.nanquantile.
 *
 * @throws ShapeError for no elements, ArgumentError for an unknown method.
 * @example await nanquantile(array([1, NaN, 3]), 0.5).item(); // 2
 */
export function nanquantile(x: TensorLike, q: TensorLike, options: QuantileOptions = {}): Tensor {
  checkOptions("nanquantile", options, QUANTILE_OPTIONS);
  return quantileOf("nanquantile", x, q, options, true);
}

/**
 * quantile with q from 0 to 100. Source: jnp.percentile.
 *
 * @throws ShapeError for no elements, ArgumentError for an unknown method.
 * @example await percentile(array([1, 2, 3, 4]), 25).item(); // 1.75
 */
export function percentile(x: TensorLike, q: TensorLike, options: QuantileOptions = {}): Tensor {
  checkOptions("percentile", options, QUANTILE_OPTIONS);
  return quantileOf("percentile", x, div(asTensor(q, "percentile"), 100), options, false);
}

/**
 * nanquantile with q from 0 to 100. Source: jnp.nanpercentile.
 *
 * @throws ShapeError for no elements, ArgumentError for an unknown method.
 * @example await nanpercentile(array([1, NaN, 3]), 50).item(); // 2
 */
export function nanpercentile(x: TensorLike, q: TensorLike, options: QuantileOptions = {}): Tensor {
  checkOptions("nanpercentile", options, QUANTILE_OPTIONS);
  return quantileOf("nanpercentile", x, div(asTensor(q, "nanpercentile"), 100), options, true);
}

/**
 * The middle element along axes, or the mean of the middle two; NaN spoils its line. Source: jnp.median.
 *
 * @throws ShapeError for no elements.
 * @example await median(array([5, 1, 2, 3])).item(); // 2.5
 */
export function median(x: TensorLike, options: MedianOptions = {}): Tensor {
  checkOptions("median", options, MEDIAN_OPTIONS);
  return quantileOf("median", x, 0.5, { ...options, method: "midpoint" }, false);
}

/**
 * median of the elements that are not NaN. Source: jnp.nanmedian.
 *
 * @throws ShapeError for no elements.
 * @example await nanmedian(array([5, NaN, 2])).item(); // 3.5
 */
export function nanmedian(x: TensorLike, options: MedianOptions = {}): Tensor {
  checkOptions("nanmedian", options, MEDIAN_OPTIONS);
  return quantileOf("nanmedian", x, 0.5, { ...options, method: "midpoint" }, true);
}
