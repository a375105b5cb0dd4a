import { isInteger } from "../dtype.ts";
import { DtypeError, ShapeError } from "../errors.ts";
import { broadcastShapes, sizeOf, type Shape } from "../shape.ts";
import { Tensor } from "../tensor.ts";
import { at as nth } from "../view.ts";
import { convert, unpacked } from "./convert.ts";
import { literal } from "./create.ts";
import { add, clip, greaterEqual, less, logicalAnd, mul, where } from "./elementwise.ts";
import { broadcastTo, reshape } from "./movement.ts";

/**
 * What one entry of an index says: a number takes an element out of its axis; [start, stop] and [start, stop, step] a range
 * (null for an open end, negative numbers from the end); null adds an axis; "..." stands for all axes not
 * named; an int32 array takes elements by index.
 */
export type IndexEntry = number | readonly (number | null | undefined)[] | null | "..." | Tensor;

/** An axis of the array as an index sees it. */
export interface AxisRange {
  readonly start: number;
  readonly step: number;
  readonly count: number;
}

/** An index taken apart: ranges first (views), then what arrays pick from what is left. */
export interface IndexSpec {
  readonly ranges: readonly AxisRange[];
  /** The array after the ranges: axes of extent 1 for new axes, none for numbers. */
  readonly shape: Shape;
  /** Axes of `shape` that arrays index, ascending, with their arrays. */
  readonly picked: readonly { readonly axis: number; readonly index: Tensor }[];
  /** Where the arrays' common axes go in the result: in place of the first if they are neighbours, else first. */
  readonly place: number;
}

/** A range as Python slices: open ends, numbers from the end, what is past either end stops there. */
function rangeOf(name: string, entry: readonly (number | null | undefined)[], extent: number): AxisRange {
  const [start = null, stop = null, given = null] = entry;
  const step = given ?? 1;
  const whole = [start, stop, step].every((one) => one === null || Number.isInteger(one));
  if (entry.length > 3 || !whole || step === 0)
    throw new ShapeError(
      `${name}: a range is [start, stop] or [start, stop, step] of whole numbers or null, the step not 0; received ${JSON.stringify(entry)}`,
    );
  const low = step > 0 ? 0 : -1;
  const high = step > 0 ? extent : extent - 1;
  const within = (one: number | null, open: number): number =>
    one === null ? open : Math.min(high, Math.max(low, one < 0 ? one + extent : one));
  const from = within(start, step > 0 ? low : high);
  const to = within(stop, step > 0 ? high : low);
  return { start: from, step, count: Math.max(0, Math.ceil((to - from) / step)) };
}

function expanded(name: string, entries: readonly IndexEntry[], rank: number): IndexEntry[] {
  const dots = entries.filter((entry) => entry === "...").length;
  const named = entries.filter((entry) => entry !== "..." && entry !== null).length;
  if (dots > 1) throw new ShapeError(`${name}: an index may have one "...", received ${dots}`);
  if (named > rank) throw new ShapeError(`${name}: ${named} entries for an array of ${rank} axes`);
  const rest = Array.from({ length: rank - named }, (): IndexEntry => []);
  return dots === 0 ? [...entries, ...rest] : entries.flatMap((entry) => (entry === "..." ? rest : [entry]));
}

/** Takes an index of an array of this shape apart. `clamp`: numbers past the end mean the nearest element. */
export function indexSpec(name: string, shape: Shape, entries: readonly IndexEntry[], clamp: boolean): IndexSpec {
  const all = expanded(name, entries, shape.length);
  const arrays = all.some((entry) => entry instanceof Tensor);
  const ranges: AxisRange[] = [];
  const left: number[] = [];
  const picked: { axis: number; index: Tensor }[] = [];
  const places: number[] = [];
  all.forEach((entry, place) => {
    if (entry === null) return void left.push(1);
    const axis = ranges.length;
    const extent = nth(shape, axis);
    if (entry instanceof Tensor || (typeof entry === "number" && arrays)) {
      places.push(place);
      picked.push({ axis: left.length, index: arrayIndex(name, entry) });
      ranges.push({ start: 0, step: 1, count: extent });
      left.push(extent);
    } else if (typeof entry === "number") ranges.push(element(name, entry, extent, axis, clamp));
    else if (Array.isArray(entry)) {
      const range = rangeOf(name, entry, extent);
      ranges.push(range);
      left.push(range.count);
    } else throw new ShapeError(`${name}: cannot index by ${String(entry)}; see IndexEntry`);
  });
  const neighbours = places.every((one, k) => k === 0 || one === nth(places, k - 1) + 1);
  return { ranges, shape: left, picked, place: neighbours ? (picked[0]?.axis ?? 0) : 0 };
}

function element(name: string, index: number, extent: number, axis: number, clamp: boolean): AxisRange {
  const place = index < 0 ? index + extent : index;
  if (!Number.isInteger(index)) throw new ShapeError(`${name}: cannot index axis ${axis} by ${index}; whole numbers`);
  if (place >= 0 && place < extent) return { start: place, step: 1, count: 1 };
  if (!clamp || extent === 0)
    throw new ShapeError(`${name}: index ${index} is out of range for axis ${axis}, which has ${extent} elements`);
  return { start: Math.min(extent - 1, Math.max(0, place)), step: 1, count: 1 };
}

function arrayIndex(name: string, entry: Tensor | number): Tensor {
  if (typeof entry === "number") return literal(entry, [], "int32");
  if (isInteger(entry.dtype)) return unpacked(entry);
  throw new DtypeError(
    `${name}: indices must be integers such as int32, received ${entry.dtype}; ` +
      (entry.dtype === "bool" ? "see where, or nonzero and compress with a size" : "convert them with astype()"),
  );
}

/** What an index outside its axis means: nothing (read as a fill value, not written), or the nearest element. */
export type ScatterMode = "fill" | "drop" | "clip" | "promise_in_bounds";

/** One row number for all indexed axes together, row-major, or −1 where any index is outside and the mode drops it. */
export function flatIndex(name: string, spec: IndexSpec, mode: "fill" | "clip"): { index: Tensor; shape: Shape } {
  const shape = broadcastShapes(name, ...spec.picked.map(({ index }) => index.shape));
  let flat: Tensor | undefined;
  let inside: Tensor | undefined;
  for (const { axis, index } of spec.picked) {
    const extent = nth(spec.shape, axis);
    const signed = convert(index, "int32");
    // A uint32 past the middle would be negative as int32: it is past the end.
    const own =
      index.dtype === "uint32"
        ? where(less(index, extent), signed, extent)
        : where(less(signed, 0), add(signed, extent), signed);
    const fits = logicalAnd(greaterEqual(own, 0), less(own, extent));
    const place = mode === "clip" ? clip(own, 0, Math.max(0, extent - 1)) : own;
    if (mode === "fill") inside = inside === undefined ? fits : logicalAnd(inside, fits);
    flat = flat === undefined ? place : add(mul(flat, extent), place);
  }
  if (flat === undefined) throw new Error("jnx internal error: an index without arrays");
  const named = inside === undefined ? flat : where(inside, flat, -1);
  return { index: reshape(broadcastTo(named, shape), [sizeOf(shape)]), shape };
}

/** The axes of the array after the ranges, those that arrays index first. */
export function pickedFirst({ shape, picked }: IndexSpec): { order: readonly number[]; rest: Shape; rows: number } {
  const axes = picked.map(({ axis }) => axis);
  const others = shape.flatMap((_, axis) => (axes.includes(axis) ? [] : [axis]));
  return {
    order: [...axes, ...others],
    rest: others.map((axis) => nth(shape, axis)),
    rows: sizeOf(axes.map((axis) => nth(shape, axis))),
  };
}
