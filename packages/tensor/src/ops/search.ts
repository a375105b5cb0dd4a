import { isFloat, promote } from "../dtype.ts";
import { ArgumentError, DtypeError, ShapeError } from "../errors.ts";
import { sameShape, shapeText } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { at } from "../view.ts";
import { composite } from "./composite.ts";
import { convert, unpacked } from "./convert.ts";
import { asTensor, asTensors, hostValues, literal, zeros, type TensorLike } from "./create.ts";
import {
  clip,
  div,
  equal,
  greaterEqual,
  isnan,
  less,
  lessEqual,
  logicalAnd,
  logicalNot,
  logicalOr,
  remainder,
  sub,
  where,
} from "./elementwise.ts";
import { gatherRows } from "./indexing.ts";
import { sliceAlong } from "./join.ts";
import { expandDims, flip, ravel, reshape } from "./movement.ts";
import { linspace } from "./ranges.ts";
import { floating, max, min, sum } from "./reduce.ts";
import { scatter } from "./scatter.ts";
import { takeSorted } from "./sorting.ts";
import { checkOptions } from "../options.ts";

const SEARCH_OPTIONS = { side: true, sorter: true, method: true } as const;
const DIGITIZE_OPTIONS = { right: "flag", method: true } as const;
const SEARCH_METHODS: readonly unknown[] = ["scan", "scan_unrolled", "sort", "compare_all", undefined];
const BINCOUNT_OPTIONS = { weights: true, minlength: "number", length: "number" } as const;
const HISTOGRAM_OPTIONS = { bins: true, range: true, weights: true, density: "flag" } as const;
const CHOOSE_OPTIONS = { mode: true } as const;

export interface SearchOptions {
  /** Where among equals: before them ("left", unless told) or after. */
  readonly side?: "left" | "right";
  /** Positions that sort `a`, as argsort gives them. */
  readonly sorter?: TensorLike;
  /** How JAX is to search; taken for its sake: the places are the same, and jnx chooses by the sizes. */
  readonly method?: SearchMethod;
}

/** The ways of JAX to search a sorted vector. */
export type SearchMethod = "scan" | "scan_unrolled" | "sort" | "compare_all";

/** Throws for a method that JAX does not know either. */
function checkMethod(name: string, method: SearchMethod | undefined): void {
  if (!SEARCH_METHODS.includes(method))
    throw new ArgumentError(
      `${name}: unknown method ${JSON.stringify(method)}; expected one of ${SEARCH_METHODS.slice(0, -1).join(", ")}`,
    );
}

/** Up to this many comparisons, each with each beats halving step by step. */
const FEW_COMPARISONS = 2 ** 16;

/**
 * Where each v would go in the sorted vector `a`, int32; NaN comes last. Source: jnp.searchsorted.
 *
 * @throws ShapeError unless `a` is a vector, ArgumentError for an unknown side or method.
 * @example await searchsorted(array([1, 3, 5]), array([3, 4])).toArray(); // [1, 2]
 */
export function searchsorted(a: TensorLike, v: TensorLike, options: SearchOptions = {}): Tensor {
  checkOptions("searchsorted", options, SEARCH_OPTIONS);
  const [given, values] = [asTensor(a, "searchsorted"), asTensor(v, "searchsorted")];
  const { side = "left", sorter } = options;
  checkMethod("searchsorted", options.method);
  if (given.ndim !== 1)
    throw new ShapeError(`searchsorted: needs a vector to search, received shape ${shapeText(given.shape)}`);
  if (side !== "left" && side !== "right")
    throw new ArgumentError(`searchsorted: unknown side ${JSON.stringify(side)}; expected "left" or "right"`);
  return composite("searchsorted", () => {
    const sorted = sorter === undefined ? given : takeSorted(given, convert(asTensor(sorter, "searchsorted"), "int32"));
    const { dtype } = promote([sorted, values]);
    return search(convert(sorted, dtype), convert(values, dtype), side);
  });
}

/** True where an element of the vector comes before the place for v. */
function comesBefore(element: Tensor, v: Tensor, side: "left" | "right"): Tensor {
  const ordered =
    element.dtype === "bool" ? ([convert(element, "int32"), convert(v, "int32")] as const) : ([element, v] as const);
  const before = side === "left" ? less(...ordered) : lessEqual(...ordered);
  if (!isFloat(element.dtype)) return before;
  return logicalOr(before, side === "left" ? logicalAnd(isnan(v), logicalNot(isnan(element))) : isnan(v));
}

function search(sorted: Tensor, v: Tensor, side: "left" | "right"): Tensor {
  const n = sorted.size;
  if (n === 0) return zeros(v.shape, { dtype: "int32" });
  if (n * v.size <= FEW_COMPARISONS)
    return sum(convert(comesBefore(sorted, expandDims(v, -1), side), "int32"), { axis: -1 });
  // The answer grows by the largest steps that still come before it.
  const flat = ravel(v);
  let found = zeros(flat.shape, { dtype: "int32" });
  for (let step = 2 ** Math.floor(Math.log2(n)); step >= 1; step /= 2) {
    const tried = sub(found, -step);
    const inside = lessEqual(tried, n);
    const element = gatherRows(sorted, sub(clip(tried, 1, n), 1));
    found = where(logicalAnd(inside, comesBefore(element, flat, side)), tried, found);
  }
  return reshape(found, v.shape);
}

export interface DigitizeOptions extends Pick<SearchOptions, "method"> {
  /** Whether a bin holds its right edge instead of its left one; false. */
  readonly right?: boolean;
}

/**
 * The bin of each element, int32: the number of edges at or before it, or after it where the edges descend.
 * Source: jnp.digitize.
 *
 * @throws ShapeError unless the edges are a vector.
 * @example await digitize(array([0.5, 2.5]), array([1, 2, 3])).toArray(); // [0, 2]
 */
export function digitize(x: TensorLike, bins: TensorLike, options: DigitizeOptions = {}): Tensor {
  checkOptions("digitize", options, DIGITIZE_OPTIONS);
  checkMethod("digitize", options.method);
  const [tensor, edges] = [asTensor(x, "digitize"), asTensor(bins, "digitize")];
  if (edges.ndim !== 1)
    throw new ShapeError(`digitize: needs a vector of edges, received shape ${shapeText(edges.shape)}`);
  if (edges.size === 0) return zeros(tensor.shape, { dtype: "int32" });
  const side = options.right === true ? "left" : "right";
  const end = (k: number): Tensor => reshape(sliceAlong(edges, 0, k, k + 1), []);
  return where(
    greaterEqual(end(edges.size - 1), end(0)),
    searchsorted(edges, tensor, { side }),
    sub(edges.size, searchsorted(flip(edges), tensor, { side })),
  );
}

export interface BincountOptions {
  /** What each element counts for, of x's shape. */
  readonly weights?: TensorLike;
  readonly minlength?: number;
  /** How many bins; without it, one more than the largest element, which must then be known on the host. */
  readonly length?: number;
}

/**
 * How often each whole number occurs in the vector x; negative ones count as 0, those past the end are dropped.
 * Source: jnp.bincount.
 *
 * @throws ShapeError unless x is a vector, DtypeError unless it holds whole numbers, ArgumentError without a length.
 * @example await bincount(array([1, 1, 3]), { length: 4 }).toArray(); // [0, 2, 0, 1]
 */
export function bincount(x: TensorLike, options: BincountOptions = {}): Tensor {
  checkOptions("bincount", options, BINCOUNT_OPTIONS);
  const given = asTensor(x, "bincount");
  const tensor = given.dtype === "bool" ? convert(given, "int32") : given;
  if (isFloat(tensor.dtype))
    throw new DtypeError(`bincount: needs whole numbers, received ${tensor.dtype}; convert them with astype()`);
  if (tensor.ndim !== 1) throw new ShapeError(`bincount: needs a vector, received shape ${shapeText(tensor.shape)}`);
  const { minlength = 0 } = options;
  const length = options.length ?? Math.max(minlength, largest(tensor) + 1);
  if (!Number.isInteger(length) || length < 0 || !Number.isInteger(minlength))
    throw new ArgumentError(`bincount: length is ${length}, minlength ${minlength}; whole numbers ≥ 0 are needed`);
  const weights =
    options.weights === undefined ? literal(1, tensor.shape, "int32") : asTensor(options.weights, "bincount");
  if (!sameShape(weights.shape, tensor.shape))
    throw new ShapeError(
      `bincount: weights of shape ${shapeText(weights.shape)} for ${shapeText(tensor.shape)}; one for each element`,
    );
  const own = weights.dtype === "bool" ? convert(weights, "int32") : weights;
  return counted(tensor, own, length);
}

/** For each place of `length` the sum of the weights of those that name it. */
export function counted(given: Tensor, weights: Tensor, length: number): Tensor {
  const x = unpacked(given);
  const index = x.dtype === "uint32" ? where(less(x, length), convert(x, "int32"), length) : where(less(x, 0), 0, x);
  return scatter("add", literal(0, [length], weights.dtype), index, weights);
}

function largest(x: Tensor): number {
  const known = hostValues(x);
  if (known === undefined)
    throw new ArgumentError(
      "bincount: the largest element is on the device; say how many bins there are with { length }",
    );
  return Array.from(known).reduce((most, value) => Math.max(most, value), x.size === 0 ? -1 : 0);
}

export interface HistogramOptions {
  /** How many bins of one width (10 unless told), or their edges. */
  readonly bins?: number | Tensor;
  /** The outer edges; the least and the largest element unless told. */
  readonly range?: readonly [TensorLike, TensorLike];
  readonly weights?: TensorLike;
  /** Whether to divide by the widths and the total. */
  readonly density?: boolean;
}

/**
 * The edges of the bins that histogram uses. Source: jnp.histogram_bin_edges.
 *
 * @throws ShapeError unless the edges are a vector, ArgumentError for fewer bins than one.
 * @example await histogramBinEdges(array([0, 4]), { bins: 2 }).toArray(); // [0, 2, 4]
 */
export function histogramBinEdges(x: TensorLike, options: HistogramOptions = {}): Tensor {
  checkOptions("histogramBinEdges", options, HISTOGRAM_OPTIONS);
  const tensor = floating(x, "histogramBinEdges");
  const { bins = 10, range } = options;
  if (typeof bins !== "number") {
    const edges = floating(bins, "histogramBinEdges");
    if (edges.ndim === 1) return edges;
    throw new ShapeError(`histogram: needs a vector of edges, received shape ${shapeText(edges.shape)}`);
  }
  if (!Number.isInteger(bins) || bins < 1)
    throw new ArgumentError(`histogram: ${String(bins)} bins; a whole number ≥ 1, or edges, are needed`);
  const [low, high] =
    range === undefined ? [min(tensor), max(tensor)] : range.map((end) => floating(end, "histogramBinEdges"));
  if (low === undefined || high === undefined) throw new ArgumentError("histogram: a range is [low, high]");
  const flat = equal(low, high);
  return linspace(where(flat, sub(low, 0.5), low), where(flat, sub(high, -0.5), high), bins + 1);
}

/**
 * How many elements fall into each bin, and the edges of the bins; the last edge belongs to the last bin.
 * Source: jnp.histogram.
 *
 * @throws ShapeError when weights do not fit x, ArgumentError for fewer bins than one.
 * @example
 * const [counts] = histogram(array([0, 1, 3, 4]), { bins: 2 });
 * await counts.toArray(); // [2, 2]
 */
export function histogram(x: TensorLike, options: HistogramOptions = {}): [Tensor, Tensor] {
  checkOptions("histogram", options, HISTOGRAM_OPTIONS);
  const tensor = floating(x, "histogram");
  const weights =
    options.weights === undefined ? literal(1, tensor.shape, "float32") : floating(options.weights, "histogram");
  if (!sameShape(weights.shape, tensor.shape))
    throw new ShapeError(
      `histogram: weights of shape ${shapeText(weights.shape)} for ${shapeText(tensor.shape)}; one for each element`,
    );
  const edges = histogramBinEdges(tensor, options);
  const counts = composite("histogram", () => {
    const last = reshape(sliceAlong(edges, 0, edges.size - 1, edges.size), []);
    const found = search(edges, ravel(tensor), "right");
    const bin = where(equal(ravel(tensor), last), edges.size - 1, found);
    const all = sliceAlong(counted(bin, ravel(weights), edges.size), 0, 1, edges.size);
    if (options.density !== true) return all;
    const widths = sub(sliceAlong(edges, 0, 1, edges.size), sliceAlong(edges, 0, 0, edges.size - 1));
    return div(div(all, widths), sum(all));
  });
  return [counts, edges];
}

/**
 * For each element the first choice whose condition is true, else `fallback`. All broadcast, choices promote.
 * Source: jnp.select.
 *
 * @throws ShapeError unless there is a choice for each condition.
 * @example
 * const x = arange(4);
 * await select([less(x, 1), less(x, 3)], [10, 20], 30).toArray(); // [10, 20, 20, 30]
 */
export function select(
  conditions: readonly TensorLike[],
  choices: readonly TensorLike[],
  fallback: TensorLike = 0,
): Tensor {
  const [tests, values] = [
    asTensors("select", conditions),
    [...asTensors("select", choices), asTensor(fallback, "select")],
  ];
  if (tests.length !== choices.length)
    throw new ShapeError(`select: ${tests.length} conditions and ${choices.length} choices; as many of each`);
  const common = promote(values);
  const last = convert(at(values, values.length - 1), common.dtype, common.weak);
  return composite("select", () =>
    tests.reduceRight<Tensor>(
      (rest, test, k) => where(convert(test, "bool"), convert(at(values, k), common.dtype, common.weak), rest),
      last,
    ),
  );
}

/**
 * The element of one of several arrays, by the whole numbers in x; "clip" takes the nearest, "wrap" counts around.
 * Source: jnp.choose.
 *
 * @throws DtypeError unless x holds whole numbers, ArgumentError for an unknown mode or a number out of range.
 * @example await choose(array([0, 1]), [array([1, 2]), array([3, 4])], { mode: "clip" }).toArray(); // [1, 4]
 */
export function choose(
  x: TensorLike,
  choices: readonly TensorLike[],
  options: { readonly mode?: "raise" | "wrap" | "clip" } = {},
): Tensor {
  checkOptions("choose", options, CHOOSE_OPTIONS);
  const tensor = asTensor(x, "choose");
  const several = asTensors("choose", choices);
  const count = several.length;
  const { mode = "raise" } = options;
  if (isFloat(tensor.dtype) || tensor.dtype === "bool")
    throw new DtypeError(`choose: needs whole numbers, received ${tensor.dtype}`);
  if (mode !== "raise" && mode !== "wrap" && mode !== "clip")
    throw new ArgumentError(`choose: unknown mode ${JSON.stringify(mode)}; expected "raise", "wrap" or "clip"`);
  if (mode === "raise") {
    const values = hostValues(tensor);
    if (values === undefined || values.some((value) => value < 0 || value >= count))
      throw new ArgumentError(
        `choose: mode "raise" needs numbers from 0 to ${count - 1} that the host knows; choose mode "clip" or "wrap"`,
      );
  }
  const place = mode === "wrap" ? remainder(tensor, count) : clip(tensor, 0, count - 1);
  return select(
    several.map((_, k) => equal(place, k)),
    several,
    convert(literal(0, [], "int32"), promote(several).dtype, true),
  );
}
