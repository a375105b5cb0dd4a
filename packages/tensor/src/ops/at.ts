import { ArgumentError, DtypeError, ShapeError } from "../errors.ts";
import { checkOptions } from "../options.ts";
import { sameShape, shapeText, sizeOf, type Shape } from "../shape.ts";
import { Tensor } from "../tensor.ts";
import { at as nth } from "../view.ts";
import { composite } from "./composite.ts";
import { convert } from "./convert.ts";
import { asTensor, broadcastedIota, hostValues, literal, type TensorLike } from "./create.ts";
import {
  add,
  div,
  equal,
  greaterEqual,
  less,
  logicalAnd,
  maximum,
  minimum,
  mul,
  neg,
  power,
  remainder,
  sub,
  where,
} from "./elementwise.ts";
import {
  flatIndex,
  indexSpec,
  pickedFirst,
  type AxisRange,
  type IndexEntry,
  type IndexSpec,
  type ScatterMode,
} from "./index-spec.ts";
import { gatherRows } from "./indexing.ts";
import { broadcastTo, flip, laxSlice, ravel, reshape, transpose } from "./movement.ts";
import { pad } from "./pad.ts";
import { laxCumsum } from "./scan.ts";
import { nonzero } from "./nonzero.ts";
import { scatter, type ScatterCombine } from "./scatter.ts";

/** A number, an array, or a list with one entry for each axis. */
export type Index = IndexEntry | readonly IndexEntry[];

export interface AtOptions {
  /**
   * What an index outside its axis means: "drop" (set and friends, unless told) leaves it out, "clip" (get, unless told)
   * means the nearest element, "fill" reads as `fillValue`. "promise_in_bounds" is "clip".
   */
  readonly mode?: ScatterMode;
  /** A hint in JAX; nothing depends on it here. */
  readonly indicesAreSorted?: boolean;
  /** No element is named twice: needed for the gradient of factors. */
  readonly uniqueIndices?: boolean;
}

export interface GetOptions extends AtOptions {
  /** What mode "fill" reads outside: NaN, the least int32 or the largest uint32 unless told. */
  readonly fillValue?: number;
}

/** The part of an array that an index names: read it, or make the array anew with that part changed. */
export interface IndexUpdate {
  /** The elements. */
  get(options?: GetOptions): Tensor;
  /** The array with the elements replaced; of several values for one element, the last. */
  set(values: TensorLike, options?: AtOptions): Tensor;
  add(values: TensorLike, options?: AtOptions): Tensor;
  subtract(values: TensorLike, options?: AtOptions): Tensor;
  mul(values: TensorLike, options?: AtOptions): Tensor;
  multiply(values: TensorLike, options?: AtOptions): Tensor;
  /** The whole array over ones with the values in: whole numbers become float32, as in JAX. */
  divide(values: TensorLike, options?: AtOptions): Tensor;
  power(values: TensorLike, options?: AtOptions): Tensor;
  min(values: TensorLike, options?: AtOptions): Tensor;
  max(values: TensorLike, options?: AtOptions): Tensor;
  /** The array with `f` of the elements in their place; of elements named twice, once. */
  apply(f: (elements: Tensor) => Tensor, options?: AtOptions): Tensor;
}

const AT_OPTIONS = { mode: true, indicesAreSorted: "flag", uniqueIndices: "flag" } as const;
const GET_OPTIONS = { ...AT_OPTIONS, fillValue: "number" } as const;
const MODES: readonly string[] = ["fill", "drop", "clip", "promise_in_bounds"] satisfies readonly ScatterMode[];

function modeOf(name: string, mode: ScatterMode): "fill" | "clip" {
  if (!MODES.includes(mode))
    throw new ArgumentError(`${name}: unknown mode ${JSON.stringify(mode)}; expected one of ${MODES.join(", ")}`);
  return mode === "fill" || mode === "drop" ? "fill" : "clip";
}

/** A list is one entry for each axis; [1, 3] are two numbers. A range for the first axis is [[1, 3]]. */
function entriesOf(index: Index): readonly IndexEntry[] {
  return Array.isArray(index) ? (index as readonly IndexEntry[]) : [index as IndexEntry]; // just checked
}

/**
 * The part of x that an index names, to read or to change: `at(x, i).get()`, `at(x, i).add(v)`. Arrays never change: each
 * gives a new one. A list has one entry for each axis: a number, a range [start, stop, step], an int32 array,
 * null for a new axis, "..." for all that are not named. A bool array of the shape of x, or of its first axes, names the
 * elements where it is true; values are one for all, or one for each in turn. With `get`, or beside other entries, it must be one
 * whose elements the host knows. Source: jax.numpy.ndarray.at.
 *
 * @throws ShapeError when the index does not fit x, DtypeError unless indices are whole numbers.
 * @example
 * await at(zeros([3]), array([2, 0])).set(1).toArray();         // [1, 0, 1]
 * await at(arange(6), [[1, null, 2]]).get().toArray();          // [1, 3, 5]
 */
export function at(x: TensorLike, index: Index): IndexUpdate {
  const tensor = asTensor(x, "at");
  const entries = entriesOf(index);
  const update =
    (name: string, combine: ScatterCombine, prepare: (values: Tensor) => Tensor = (values) => values) =>
    (values: TensorLike, options: AtOptions = {}): Tensor => {
      const given = convert(asTensor(values, name), tensor.dtype, tensor.weak);
      return composite(`at.${name}`, () => updated(`at.${name}`, tensor, entries, combine, prepare(given), options));
    };
  const factor = (name: string, values: TensorLike, options: AtOptions): Tensor => {
    const given = convert(asTensor(values, name), tensor.dtype);
    return updated(`at.${name}`, literal(1, tensor.shape, tensor.dtype), entries, "mul", given, options);
  };
  const set = update("set", "set");
  const product = update("mul", "mul");
  return {
    get: (options = {}) => picked("at.get", tensor, entries, options),
    set,
    add: update("add", "add"),
    subtract: update("subtract", "add", neg),
    mul: product,
    multiply: product,
    divide: (values, options = {}) => div(tensor, factor("divide", values, options)),
    power: (values, options = {}) => power(tensor, factor("power", values, options)),
    min: update("min", "min"),
    max: update("max", "max"),
    apply: (f, options = {}) => set(f(picked("at.apply", tensor, entries, options)), options),
  };
}

/**
 * x[…] as NumPy indexes: one entry for each axis, a number, a range [start, stop] or [start, stop, step], null for a new
 * axis, "..." for all that are not named, or an int32 array. Indices outside mean the nearest element.
 * Source: jax.numpy.ndarray.__getitem__.
 *
 * @throws ShapeError when the index does not fit x, DtypeError unless indices are whole numbers.
 * @example
 * await slice(array([[1, 2, 3], [4, 5, 6]]), "...", [0, 2]).toArray(); // [[1, 2], [4, 5]]
 */
export function slice(x: TensorLike, ...entries: readonly IndexEntry[]): Tensor {
  return picked("slice", asTensor(x, "slice"), entries, {});
}

function ranged(x: Tensor, ranges: readonly AxisRange[]): Tensor {
  const back = ranges.flatMap(({ step }, axis) => (step < 0 ? [axis] : []));
  const least = ({ start, step, count }: AxisRange): number => (step < 0 ? start + (count - 1) * step : start);
  const empty = ranges.some(({ count }) => count === 0);
  const starts = ranges.map((range) => (range.count === 0 || empty ? 0 : least(range)));
  const limits = ranges.map((range, axis) =>
    range.count === 0 ? 0 : nth(starts, axis) + (range.count - 1) * Math.abs(range.step) + 1,
  );
  const taken = laxSlice(
    x,
    starts,
    limits,
    ranges.map(({ step }) => Math.abs(step)),
  );
  return back.length === 0 ? taken : flip(taken, { axis: back });
}

function picked(name: string, x: Tensor, entries: readonly IndexEntry[], options: GetOptions): Tensor {
  checkOptions(name, options, GET_OPTIONS);
  const mode = modeOf(name, options.mode ?? "clip");
  const spec = indexSpec(name, x.shape, withoutMasks(name, x.shape, entries), mode === "clip");
  const taken = reshape(ranged(x, spec.ranges), spec.shape);
  if (spec.picked.length === 0) return taken;
  const { order, rest, rows } = pickedFirst(spec);
  const flat = flatIndex(name, spec, mode);
  if (rows === 0 && sizeOf(flat.shape) > 0)
    throw new ShapeError(`${name}: there is nothing to take from ${shapeText(x.shape)} by index`);
  const table = reshape(transpose(taken, order), [rows, ...rest]);
  const found = reshape(gatherRows(table, flat.index, options.fillValue ?? "default"), [...flat.shape, ...rest]);
  return transpose(found, placement(spec, flat.shape.length, rest.length));
}

/** Brings the arrays' axes, which come first, to their place among the others. */
function placement({ place }: IndexSpec, arrays: number, rest: number): number[] {
  const [first, others] = [
    Array.from({ length: arrays }, (_, k) => k),
    Array.from({ length: rest }, (_, k) => arrays + k),
  ];
  return [...others.slice(0, place), ...first, ...others.slice(place)];
}

const isMask = (entry: IndexEntry): entry is Tensor => entry instanceof Tensor && entry.dtype === "bool";

/** The entries with a bool array as the indices where it is true, of each of its axes. */
function withoutMasks(name: string, shape: Shape, entries: readonly IndexEntry[]): readonly IndexEntry[] {
  if (!entries.some(isMask)) return entries;
  const axesOf = (some: readonly IndexEntry[]): number =>
    some.reduce<number>((sum, one) => sum + (one === null || one === "..." ? 0 : isMask(one) ? one.ndim : 1), 0);
  const dots = entries.indexOf("...");
  return entries.flatMap((entry, k): readonly IndexEntry[] => {
    if (!isMask(entry)) return [entry];
    const after = dots >= 0 && dots < k;
    checkMask(name, entry, shape.slice(after ? shape.length - axesOf(entries.slice(k)) : axesOf(entries.slice(0, k))));
    if (hostValues(entry) !== undefined) return nonzero(entry);
    throw new DtypeError(
      `${name}: how many elements a bool array takes is known to the device only; use where(), or nonzero() and compress() with a size`,
    );
  });
}

function checkMask(name: string, mask: Tensor, shape: Shape): void {
  if (!sameShape(mask.shape, shape.slice(0, mask.ndim)) || mask.ndim === 0)
    throw new ShapeError(`${name}: a mask of shape ${shapeText(mask.shape)} does not fit ${shapeText(shape)}`);
}

const MERGE: Record<ScatterCombine, (x: Tensor, values: Tensor) => Tensor> = {
  set: (_x, values) => values,
  add,
  mul,
  max: maximum,
  min: minimum,
};

function updated(
  name: string,
  x: Tensor,
  given: readonly IndexEntry[],
  combine: ScatterCombine,
  values: Tensor,
  options: AtOptions,
): Tensor {
  checkOptions(name, options, AT_OPTIONS);
  const mode = modeOf(name, options.mode ?? "drop");
  const [mask] = given;
  if (given.length === 1 && mask !== undefined && isMask(mask)) return masked(name, x, mask, combine, values);
  const entries = withoutMasks(name, x.shape, given);
  if (mode === "fill" && dropsAll(x.shape, entries)) return x;
  const spec = indexSpec(name, x.shape, entries, mode === "clip");
  const part = ranged(x, spec.ranges);
  const seen = reshape(part, spec.shape);
  const changed =
    spec.picked.length === 0
      ? MERGE[combine](seen, fitted(name, values, seen.shape))
      : scattered(name, seen, spec, combine, values, { mode, unique: options.uniqueIndices ?? false });
  return placed(x, reshape(changed, part.shape), spec.ranges);
}

/** True if a number of the index is outside its axis, so that the update goes nowhere. */
function dropsAll(shape: Shape, entries: readonly IndexEntry[]): boolean {
  if (entries.some((entry) => entry instanceof Tensor)) return false;
  const dots = entries.indexOf("...");
  const named = entries.filter((entry) => entry !== null && entry !== "...");
  return named.some((entry, k) => {
    const before = dots < 0 || k < entries.slice(0, dots).filter((one) => one !== null).length;
    const extent = shape[before ? k : shape.length - named.length + k] ?? 0;
    return typeof entry === "number" && (entry >= extent || entry < -extent);
  });
}

function fitted(name: string, values: Tensor, shape: Shape): Tensor {
  const lead = values.ndim - shape.length;
  const fits = lead <= 0 && values.shape.every((extent, axis) => extent === 1 || extent === shape[axis - lead]);
  if (!fits)
    throw new ShapeError(
      `${name}: values of shape ${shapeText(values.shape)} do not broadcast to the indexed ${shapeText(shape)}`,
    );
  return broadcastTo(values, shape);
}

function masked(name: string, x: Tensor, mask: Tensor, combine: ScatterCombine, values: Tensor): Tensor {
  checkMask(name, mask, x.shape);
  const rest = x.shape.slice(mask.ndim);
  const wide = reshape(mask, [...mask.shape, ...rest.map(() => 1)]);
  const spread = values.ndim > rest.length ? inTurn(name, mask, values, rest) : values;
  return where(wide, MERGE[combine](x, fitted(name, spread, x.shape)), x);
}

/** Values, one for each true element of the mask in turn, at those elements. What the values do not reach to is missing. */
function inTurn(name: string, mask: Tensor, values: Tensor, rest: Shape): Tensor {
  const [count = 1] = values.shape;
  const truths = hostValues(mask);
  const known = truths && Array.from(truths).filter((one) => one !== 0).length;
  if (values.ndim > rest.length + 1 || (known !== undefined && count !== 1 && count !== known))
    throw new ShapeError(
      `${name}: values of shape ${shapeText(values.shape)} for ${known === undefined ? "the" : String(known)} elements of shape ${shapeText(rest)} where the mask is true`,
    );
  if (count === 1) return reshape(values, values.shape.slice(1));
  const table = fitted(name, values, [count, ...rest]);
  const places = maximum(sub(laxCumsum(convert(ravel(mask), "int32")), 1), 0);
  return reshape(gatherRows(table, places, "default"), [...mask.shape, ...rest]);
}

function scattered(
  name: string,
  seen: Tensor,
  spec: IndexSpec,
  combine: ScatterCombine,
  values: Tensor,
  { mode, unique }: { readonly mode: "fill" | "clip"; readonly unique: boolean },
): Tensor {
  const { order, rest, rows } = pickedFirst(spec);
  const flat = flatIndex(name, spec, mode);
  const to = placement(spec, flat.shape.length, rest.length);
  const whole = to.map((axis) => nth([...flat.shape, ...rest], axis));
  const back = to.map((_, axis) => to.indexOf(axis));
  const updates = reshape(transpose(fitted(name, values, whole), back), [sizeOf(flat.shape), ...rest]);
  const base = reshape(transpose(seen, order), [rows, ...rest]);
  const merged = reshape(
    scatter(combine, base, flat.index, updates, unique),
    order.map((axis) => nth(seen.shape, axis)),
  );
  return transpose(
    merged,
    order.map((_, axis) => order.indexOf(axis)),
  );
}

/** x with the elements of the ranges replaced. */
function placed(x: Tensor, part: Tensor, ranges: readonly AxisRange[]): Tensor {
  const partial = ranges.flatMap((range, axis) => (range.count === nth(x.shape, axis) ? [] : [axis]));
  const back = ranges.flatMap(({ step, count }, axis) => (step < 0 && count > 0 ? [axis] : []));
  const forward = back.length === 0 ? part : flip(part, { axis: back });
  if (partial.length === 0) return forward;
  if (part.size === 0) return x;
  let inside: Tensor | undefined;
  const config = ranges.map(({ start, step, count }, axis) => {
    const [pitch, low] = [Math.abs(step), step < 0 ? start + (count - 1) * step : start];
    const span = (count - 1) * pitch + 1;
    const extent = nth(x.shape, axis);
    if (partial.includes(axis)) {
      const along = x.shape.map((_, k) => (k === axis ? extent : 1));
      const from = sub(broadcastedIota("int32", along, axis), low);
      const within = logicalAnd(greaterEqual(from, 0), less(from, span));
      const hit = pitch === 1 ? within : logicalAnd(within, equal(remainder(from, pitch), 0));
      inside = inside === undefined ? hit : logicalAnd(inside, hit);
    }
    return [low, extent - low - span, pitch - 1] as const;
  });
  return inside === undefined ? forward : where(inside, pad(forward, 0, config), x);
}
