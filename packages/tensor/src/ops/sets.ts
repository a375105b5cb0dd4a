import { isFloat, promote } from "../dtype.ts";
import { ArgumentError } from "../errors.ts";
import { checkOptions } from "../options.ts";
import { normalizeAxis, sizeOf } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { at } from "../view.ts";
import { convert } from "./convert.ts";
import { arange, array, asTensor, hostValues, literal, zeros, type TensorLike } from "./create.ts";
import { clip, equal, isnan, less, logicalAnd, logicalNot, logicalOr, notEqual, sub, where } from "./elementwise.ts";
import { take } from "./indexing.ts";
import { concatenate, sliceAlong } from "./join.ts";
import { laxSlice, moveaxis, ravel, reshape } from "./movement.ts";
import { any, sum } from "./reduce.ts";
import { laxCumsum } from "./scan.ts";
import { scatter } from "./scatter.ts";
import { nonzero } from "./nonzero.ts";
import { searchsorted } from "./search.ts";
import { argsort, lexsort, sort } from "./sorting.ts";

/** jnp.unique and the functions on sets: how many elements come out is known to the host, or told by `size`. */

export interface UniqueOptions {
  /** Whether to give the place of the first of each, too. */
  readonly returnIndex?: boolean;
  /** Whether to give which of the results each element is, too. */
  readonly returnInverse?: boolean;
  /** Whether to give how often each occurs, too. */
  readonly returnCounts?: boolean;
  /** The axis whose slices are compared; x is flattened unless it is told. */
  readonly axis?: number;
  /** Whether all NaN are one; true. */
  readonly equalNan?: boolean;
  /** How many to give: what is too many is left out, what is missing is filled. Needed unless x is known on the host. */
  readonly size?: number;
  /** What fills up to `size`; the least unless told. */
  readonly fillValue?: number;
  /** Taken for JAX's sake: they ascend either way. */
  readonly sorted?: boolean;
}

const UNIQUE_OPTIONS = {
  returnIndex: "flag",
  returnInverse: "flag",
  returnCounts: "flag",
  axis: "number",
  equalNan: "flag",
  size: "number",
  fillValue: "number",
  sorted: "flag",
} as const;
const SIZE_OPTIONS = { size: "number", fillValue: "number" } as const;
const ISIN_OPTIONS = { invert: "flag", assumeUnique: "flag", method: true } as const;
const ISIN_METHODS: readonly unknown[] = ["auto", "compare_all", "binary_search", "sort", undefined];
const SETDIFF_OPTIONS = { ...SIZE_OPTIONS, assumeUnique: "flag" } as const;
const INTERSECT_OPTIONS = { ...SIZE_OPTIONS, assumeUnique: "flag", returnIndices: "flag" } as const;

interface Found {
  readonly values: Tensor;
  readonly index: Tensor;
  readonly inverse: Tensor;
  readonly counts: Tensor;
}

/**
 * The distinct elements of x in ascending order, or slices along an axis; with return options a list of them and of what
 * was asked for: index, inverse (of x's shape, or the axis's length), counts. Source: jnp.unique.
 *
 * @throws ArgumentError without a size for what only the device knows, ShapeError when the axis is out of range.
 * @example await unique(array([3, 1, 3])).toArray(); // [1, 3]
 */
export function unique(
  x: TensorLike,
  options: UniqueOptions & {
    readonly returnIndex?: false;
    readonly returnInverse?: false;
    readonly returnCounts?: false;
  },
): Tensor;
export function unique(x: TensorLike): Tensor;
export function unique(x: TensorLike, options: UniqueOptions): Tensor | Tensor[];
export function unique(x: TensorLike, options: UniqueOptions = {}): Tensor | Tensor[] {
  checkOptions("unique", options, UNIQUE_OPTIONS);
  const { values, index, inverse, counts } = distinct("unique", x, options);
  const more = [
    ...(options.returnIndex === true ? [index] : []),
    ...(options.returnInverse === true ? [inverse] : []),
    ...(options.returnCounts === true ? [counts] : []),
  ];
  return more.length === 0 ? values : [values, ...more];
}

interface SizeOptions {
  /** How many to give; needed unless x is known on the host. */
  readonly size?: number;
  /** What fills up to `size`; the least unless told. */
  readonly fillValue?: number;
}

/**
 * unique where each NaN counts as one of its own. Source: jnp.unique_values.
 * @example await uniqueValues(array([2, 1, 2])).toArray(); // [1, 2]
 */
export function uniqueValues(x: TensorLike, options: SizeOptions = {}): Tensor {
  checkOptions("uniqueValues", options, SIZE_OPTIONS);
  return distinct("uniqueValues", x, { ...options, equalNan: false }).values;
}

/**
 * The distinct elements and how often each occurs. Source: jnp.unique_counts.
 * @example await uniqueCounts(array([2, 1, 2])).counts.toArray(); // [1, 2]
 */
export function uniqueCounts(
  x: TensorLike,
  options: SizeOptions = {},
): { readonly values: Tensor; readonly counts: Tensor } {
  checkOptions("uniqueCounts", options, SIZE_OPTIONS);
  const { values, counts } = distinct("uniqueCounts", x, { ...options, equalNan: false });
  return { values, counts };
}

/**
 * The distinct elements and which of them each element is. Source: jnp.unique_inverse.
 * @example await uniqueInverse(array([2, 1, 2])).inverseIndices.toArray(); // [1, 0, 1]
 */
export function uniqueInverse(
  x: TensorLike,
  options: SizeOptions = {},
): { readonly values: Tensor; readonly inverseIndices: Tensor } {
  checkOptions("uniqueInverse", options, SIZE_OPTIONS);
  const { values, inverse } = distinct("uniqueInverse", x, { ...options, equalNan: false });
  return { values, inverseIndices: inverse };
}

/**
 * The distinct elements, where each comes first, which each element is, and how often each occurs. Source: jnp.unique_all.
 * @example await uniqueAll(array([2, 1, 2])).indices.toArray(); // [1, 0]
 */
export function uniqueAll(
  x: TensorLike,
  options: SizeOptions = {},
): { readonly values: Tensor; readonly indices: Tensor; readonly inverseIndices: Tensor; readonly counts: Tensor } {
  checkOptions("uniqueAll", options, SIZE_OPTIONS);
  const { values, index, inverse, counts } = distinct("uniqueAll", x, { ...options, equalNan: false });
  return { values, indices: index, inverseIndices: inverse, counts };
}

function distinct(name: string, x: TensorLike, options: UniqueOptions): Found {
  const given = asTensor(x, name);
  const flat = options.axis === undefined;
  const axis = flat ? 0 : normalizeAxis(name, options.axis ?? 0, given.ndim);
  const moved = flat ? ravel(given) : moveaxis(given, axis, 0);
  const rows = at(moved.shape, 0);
  const { equalNan = true, fillValue } = options;
  const wide = reshape(moved, [rows, sizeOf(moved.shape.slice(1))]);
  const order = rows === 0 ? zeros([0], { dtype: "int32" }) : orderOf(wide);
  const sorted = rows === 0 ? wide : take(wide, order, { axis: 0 });
  const starts = startsOf(sorted, equalNan);
  const size = options.size ?? knownCount(name, given, options.axis === undefined ? undefined : axis, equalNan);
  if (!Number.isInteger(size) || size < 0)
    throw new ArgumentError(`${name}: size is ${String(size)}; a whole number ≥ 0 is needed`);
  const first = rows === 0 ? zeros([size], { dtype: "int32" }) : at(nonzero(starts, { size }), 0);
  const back = (one: Tensor): Tensor => {
    const full = reshape(one, [at(one.shape, 0), ...moved.shape.slice(1)]);
    return flat ? full : moveaxis(full, 0, axis);
  };
  const isFull = less(arange(size), sum(convert(starts, "int32")));
  const picked =
    rows === 0 ? zeros([size, at(wide.shape, 1)], { dtype: given.dtype }) : take(sorted, first, { axis: 0 });
  const values =
    fillValue === undefined || size === 0
      ? picked
      : where(reshape(isFull, [size, 1]), picked, literal(fillValue, [], given.dtype));
  const ends = at(nonzero(starts, { size: size + 1, fillValue: rows }), 0);
  const counts = sub(sliceAlong(ends, 0, 1, size + 1), sliceAlong(ends, 0, 0, size));
  const which = sub(laxCumsum(convert(starts, "int32")), 1);
  const inverse = rows === 0 ? which : scatter("set", zeros([rows], { dtype: "int32" }), order, which, true);
  return {
    values: back(values),
    index: rows === 0 ? first : take(order, first),
    inverse: flat ? reshape(inverse, given.shape) : inverse,
    counts,
  };
}

/** The order that sorts rows, the first column before the second. */
function orderOf(rows: Tensor): Tensor {
  const columns = at(rows.shape, 1);
  const column = (k: number): Tensor => reshape(sliceAlong(rows, 1, k, k + 1), [at(rows.shape, 0)]);
  if (columns === 0) return arange(at(rows.shape, 0));
  if (columns === 1) return argsort(column(0));
  return lexsort(Array.from({ length: columns }, (_, k) => column(columns - 1 - k)));
}

/** Where sorted rows differ from the one before. */
function startsOf(sorted: Tensor, equalNan: boolean): Tensor {
  const rows = at(sorted.shape, 0);
  if (rows === 0) return zeros([0], { dtype: "bool" });
  const [now, before] = [sliceAlong(sorted, 0, 1, rows), sliceAlong(sorted, 0, 0, rows - 1)];
  const differ = notEqual(now, before);
  const told =
    equalNan && isFloat(sorted.dtype) ? logicalAnd(differ, logicalNot(logicalAnd(isnan(now), isnan(before)))) : differ;
  return concatenate([literal(1, [1], "bool"), any(told, { axis: 1 })]);
}

/** How many elements, or slices along an axis, are distinct: of what the host knows, also while it is traced beside others. */
function knownCount(name: string, x: Tensor, axis: number | undefined, equalNan: boolean): number {
  const values = hostValues(x);
  if (values === undefined)
    throw new ArgumentError(
      `${name}: how many elements are distinct is known to the device only; say how many to give with { size }`,
    );
  const inner = axis === undefined ? 1 : sizeOf(x.shape.slice(axis + 1));
  const rows = axis === undefined ? x.size : at(x.shape, axis);
  const slices = Array.from({ length: rows }, (): number[] => []);
  values.forEach((value, k) => slices[Math.floor(k / inner) % rows]?.push(value === 0 ? 0 : value));
  let nans = 0;
  return new Set(slices.map((own) => (!equalNan && own.some(Number.isNaN) ? `nan ${nans++}` : own.join(" ")))).size;
}

export interface IsinOptions {
  /** Whether to tell what is not there instead; false. */
  readonly invert?: boolean;
  /** That no element occurs twice; taken for JAX's sake. */
  readonly assumeUnique?: boolean;
  /** How JAX is to search; taken for its sake: the result is the same. */
  readonly method?: "auto" | "compare_all" | "binary_search" | "sort";
}

/**
 * Whether each element is among `testElements`, bool of x's shape; NaN never is. Source: jnp.isin.
 *
 * @throws ArgumentError for an unknown method.
 * @example await isin(array([1, 2, 3]), array([3, 1])).toArray(); // [1, 0, 1]
 */
export function isin(x: TensorLike, testElements: TensorLike, options: IsinOptions = {}): Tensor {
  checkOptions("isin", options, ISIN_OPTIONS);
  if (!ISIN_METHODS.includes(options.method))
    throw new ArgumentError(
      `isin: unknown method ${JSON.stringify(options.method)}; expected one of ${ISIN_METHODS.slice(0, -1).join(", ")}`,
    );
  const { dtype } = promote([asTensor(x, "isin"), asTensor(testElements, "isin")]);
  const [tensor, sorted] = [
    convert(asTensor(x, "isin"), dtype),
    sort(ravel(convert(asTensor(testElements, "isin"), dtype))),
  ];
  const { size } = sorted;
  const found =
    size === 0 || tensor.size === 0
      ? literal(0, tensor.shape, "bool")
      : equal(take(sorted, clip(searchsorted(sorted, tensor), 0, size - 1)), tensor);
  return options.invert === true ? logicalNot(found) : found;
}

/**
 * The distinct elements of both, in ascending order. Source: jnp.union1d.
 *
 * @throws ArgumentError without a size for what only the device knows.
 * @example await union1d(array([1, 3]), array([2, 3])).toArray(); // [1, 2, 3]
 */
export function union1d(x: TensorLike, y: TensorLike, options: SizeOptions = {}): Tensor {
  checkOptions("union1d", options, SIZE_OPTIONS);
  return distinct("union1d", joined("union1d", x, y), options).values;
}

/** Both flattened, one after the other; on the host if both are there. */
function joined(name: string, x: TensorLike, y: TensorLike): Tensor {
  const both = [asTensor(x, name), asTensor(y, name)];
  const { dtype } = promote(both);
  const known = both.map(hostValues);
  if (known.some((values) => values === undefined)) return concatenate(both.map((one) => ravel(convert(one, dtype))));
  return array(
    known.flatMap((values) => Array.from(values ?? [])),
    { dtype },
  );
}

/** The elements of the vector that `kept` marks, which the host knows, or up to `size` of them. */
function only(name: string, x: Tensor, kept: Tensor, count: number | undefined, fill: number | "least" = 0): Tensor {
  if (count === undefined)
    throw new ArgumentError(
      `${name}: how many elements are left is known to the device only; say how many to give with { size }`,
    );
  const places = at(nonzero(kept, { size: count }), 0);
  if (x.size === 0) return literal(fill === "least" ? 0 : fill, [count], x.dtype);
  const full = less(arange(count), sum(convert(kept, "int32")));
  const taken = take(x, places);
  if (fill !== "least" || count === 0) return where(full, taken, literal(Number(fill), [], x.dtype));
  return where(full, taken, where(any(kept), laxSlice(taken, [0], [1]), literal(0, [], x.dtype)));
}

/** The distinct elements of x that `test` accepts, given those of y, if the host knows both. */
function countOnHost(x: Tensor, y: Tensor, test: (isInOther: boolean) => boolean): number | undefined {
  const [own, other] = [hostValues(x), hostValues(y)];
  if (own === undefined || other === undefined) return undefined;
  const others = new Set(Array.from(other).filter((value) => !Number.isNaN(value)));
  return [...new Set(own)].filter((value) => test(others.has(value))).length;
}

export interface SetdiffOptions extends SizeOptions {
  /** That no element of x occurs twice: then they stay in x's order, and one that does occur twice is given twice; false. */
  readonly assumeUnique?: boolean;
}

/**
 * The distinct elements of x that are not in y, in ascending order; missing ones are 0 unless told. Source: jnp.setdiff1d.
 *
 * @throws ArgumentError without a size for what only the device knows.
 * @example
 * await setdiff1d(array([3, 1, 2, 1]), array([2])).toArray(); // [1, 3]
 * await setdiff1d(array([3, 1, 2]), array([2]), { assumeUnique: true }).toArray(); // [3, 1]
 */
export function setdiff1d(x: TensorLike, y: TensorLike, options: SetdiffOptions = {}): Tensor {
  checkOptions("setdiff1d", options, SETDIFF_OPTIONS);
  const { assumeUnique = false, ...rest } = options;
  const left = asTensor(x, "setdiff1d");
  if (!assumeUnique) return convert(among("setdiff1d", left, y, (inOther) => !inOther, rest).values, left.dtype);
  const own = ravel(left);
  const [known, other] = [hostValues(own), hostValues(asTensor(y, "setdiff1d"))];
  const others = new Set(Array.from(other ?? []).filter((value) => !Number.isNaN(value)));
  const count = known && other && Array.from(known).filter((value) => !others.has(value)).length;
  return only("setdiff1d", own, isin(own, y, { invert: true }), rest.size ?? count, rest.fillValue);
}

export interface IntersectOptions extends SizeOptions {
  /** That no element occurs twice in either; taken for JAX's sake. */
  readonly assumeUnique?: boolean;
  /** Whether to give the place of the first of each in x and in y, too; their sizes where there is none. */
  readonly returnIndices?: boolean;
}

/**
 * The distinct elements that are in both, in ascending order; missing ones are the least of them unless told. With `returnIndices` a list of
 * them, of their places in x and of those in y, both flattened. Source: jnp.intersect1d.
 *
 * @throws ArgumentError without a size for what only the device knows.
 * @example await intersect1d(array([3, 1, 2]), array([2, 3, 4])).toArray(); // [2, 3]
 */
export function intersect1d(
  x: TensorLike,
  y: TensorLike,
  options: IntersectOptions & { readonly returnIndices: true },
): [values: Tensor, xIndices: Tensor, yIndices: Tensor];
export function intersect1d(
  x: TensorLike,
  y: TensorLike,
  options?: IntersectOptions & { readonly returnIndices?: false },
): Tensor;
export function intersect1d(x: TensorLike, y: TensorLike, options: IntersectOptions = {}): Tensor | Tensor[] {
  checkOptions("intersect1d", options, INTERSECT_OPTIONS);
  const { assumeUnique: _, returnIndices = false, ...size } = options;
  const { values, kept } = among("intersect1d", x, y, (inOther) => inOther, { fillValue: "least", ...size });
  if (!returnIndices) return values;
  const real = less(arange(values.size), sum(convert(kept, "int32")));
  const places = [x, y].map((one) => {
    const flat = ravel(asTensor(one, "intersect1d"));
    return where(real, firstPlaces(flat, values), flat.size);
  });
  return [values, ...places];
}

/** Where each value stands first in the vector, if it does. */
function firstPlaces(x: Tensor, values: Tensor): Tensor {
  if (x.size === 0) return zeros(values.shape, { dtype: "int32" });
  const order = argsort(x);
  return take(order, clip(searchsorted(x, values, { sorter: order }), 0, x.size - 1));
}

function among(
  name: string,
  x: TensorLike,
  y: TensorLike,
  test: (isInOther: boolean) => boolean,
  { size, fillValue }: Omit<SizeOptions, "fillValue"> & { readonly fillValue?: number | "least" },
): { readonly values: Tensor; readonly kept: Tensor } {
  const [left, right] = [asTensor(x, name), asTensor(y, name)];
  const own = sort(ravel(convert(left, promote([left, right]).dtype)));
  const found = isin(own, right, { invert: !test(true) });
  const first = own.size === 0 ? literal(0, [0], "bool") : startsOf(reshape(own, [own.size, 1]), true);
  const kept = logicalAnd(found, first);
  return { values: only(name, own, kept, size ?? countOnHost(left, right, test), fillValue), kept };
}

/**
 * The distinct elements that are in one of both but not in the other, in ascending order; missing ones are the least of them unless told.
 * Source: jnp.setxor1d.
 *
 * @throws ArgumentError without a size for what only the device knows.
 * @example await setxor1d(array([1, 2]), array([2, 3])).toArray(); // [1, 3]
 */
export function setxor1d(x: TensorLike, y: TensorLike, options: Omit<IntersectOptions, "returnIndices"> = {}): Tensor {
  checkOptions("setxor1d", options, SETDIFF_OPTIONS);
  const all = sort(joined("setxor1d", x, y));
  const first = all.size === 0 ? literal(0, [0], "bool") : startsOf(reshape(all, [all.size, 1]), true);
  const single = logicalOr(isin(all, x, { invert: true }), isin(all, y, { invert: true }));
  const [a, b] = [asTensor(x, "setxor1d"), asTensor(y, "setxor1d")];
  const [left, right] = [countOnHost(a, b, (both) => !both), countOnHost(b, a, (both) => !both)];
  const count = left === undefined || right === undefined ? undefined : left + right;
  return only("setxor1d", all, logicalAnd(first, single), options.size ?? count, options.fillValue ?? "least");
}
