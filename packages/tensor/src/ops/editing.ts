import { isInteger } from "../dtype.ts";
import { ArgumentError, DtypeError, ShapeError } from "../errors.ts";
import { checkOptions } from "../options.ts";
import { checkShape, normalizeAxis, shapeText, sizeOf } from "../shape.ts";
import { Tensor } from "../tensor.ts";
import { at } from "../view.ts";
import { repeatEach } from "./arrange.ts";
import { composite } from "./composite.ts";
import { convert } from "./convert.ts";
import { arange, array, asTensor, hostValues, literal, type TensorLike } from "./create.ts";
import { add, clip, greaterEqual, less, mul, sub, where } from "./elementwise.ts";
import { take } from "./indexing.ts";
import { concatenate, sliceAlong } from "./join.ts";
import { broadcastTo, expandDims, moveaxis, ravel, reshape } from "./movement.ts";
import { sum } from "./reduce.ts";
import { laxCumsum } from "./scan.ts";
import { scatter } from "./scatter.ts";
import { argsort, sort } from "./sorting.ts";

/** jnp.repeat, jnp.insert, jnp.delete: slices along an axis more often, between others, or not at all. */

export interface RepeatOptions {
  /** The axis along which to repeat; x is flattened unless it is told. */
  readonly axis?: number;
  /** How many slices come out, where only the device knows the counts: the last is repeated, or some are left out. */
  readonly totalRepeatLength?: number;
}

const REPEAT_OPTIONS = { axis: "number", totalRepeatLength: "number" } as const;
const INSERT_OPTIONS = { axis: "number" } as const;
const DELETE_OPTIONS = { axis: "number", assumeUniqueIndices: "flag" } as const;

/** x and the axis to work along: flattened where no axis is named. */
function lined(name: string, x: TensorLike, axis: number | undefined): [Tensor, number] {
  const tensor = axis === undefined ? ravel(asTensor(x, name)) : asTensor(x, name);
  return [tensor, normalizeAxis(name, axis ?? 0, tensor.ndim)];
}

/**
 * Each slice along an axis `repeats` times in a row, or each as often as its own count says. Source: jnp.repeat.
 *
 * @throws ShapeError unless there is one count for each slice, DtypeError unless counts are whole, ArgumentError for a negative
 * one, or without totalRepeatLength for what only the device knows.
 * @example await repeat(array([1, 2, 3]), array([2, 0, 1])).toArray(); // [1, 1, 3]
 */
export function repeat(
  x: TensorLike,
  repeats: number | readonly number[] | Tensor,
  options: RepeatOptions = {},
): Tensor {
  checkOptions("repeat", options, REPEAT_OPTIONS);
  const [tensor, axis] = lined("repeat", x, options.axis);
  const counts =
    typeof repeats === "number"
      ? asTensor(repeats, "repeat")
      : Array.isArray(repeats)
        ? array(repeats)
        : asTensor(repeats as Tensor, "repeat"); // a list or what is no list
  if (!isInteger(counts.dtype))
    throw new DtypeError(`repeat: counts are whole numbers, received ${counts.dtype}; convert them with astype()`);
  const extent = at(tensor.shape, axis);
  if (counts.ndim > 1 || (counts.size !== 1 && counts.size !== extent))
    throw new ShapeError(
      `repeat: counts of shape ${shapeText(counts.shape)} for ${extent} slices of ${shapeText(tensor.shape)}; one count, or one for each slice`,
    );
  const known = hostValues(counts);
  if (known?.some((count) => count < 0) === true)
    throw new ArgumentError(`repeat: counts are 0 or more, received ${Array.from(known).join(", ")}`);
  const { totalRepeatLength: given } = options;
  if (given !== undefined && !(Number.isInteger(given) && given >= 0))
    throw new ArgumentError(`repeat: totalRepeatLength is ${given}; a whole number ≥ 0 is needed`);
  const all = known && Array.from(known).reduce((total, count) => total + count, 0) * (counts.size === 1 ? extent : 1);
  const total = given ?? all;
  if (total === undefined)
    throw new ArgumentError(
      "repeat: the counts are on the device; say how many slices come out with { totalRepeatLength }",
    );
  if (counts.size === 1 && known !== undefined && total === all) return repeatEach(tensor, at(known, 0), axis);
  const each = convert(broadcastTo(ravel(counts), [extent]), "int32");
  return composite("repeat", () => take(tensor, sources(each, extent, total), { axis }));
}

/** Which slice each result slice is: a new one begins where those before it end. */
function sources(counts: Tensor, extent: number, total: number): Tensor {
  const ends = sliceAlong(laxCumsum(counts), 0, 0, Math.max(0, extent - 1));
  const begins = concatenate([literal(0, [Math.min(1, extent)], "int32"), ends]);
  const starts = scatter("add", literal(0, [total], "int32"), begins, literal(1, [extent], "int32"));
  return sub(laxCumsum(starts), 1);
}

/** Where to insert or delete: a place, several, a range [start, stop, step], or for delete a mask. */
export type Places = number | readonly number[] | Tensor;

/** Places as whole numbers. */
function placesOf(name: string, places: Places): Tensor {
  const tensor = Array.isArray(places)
    ? array(places as readonly number[], { ...noneIsInt32(places) }) // a list or what is no list
    : asTensor(places as number | Tensor, name);
  if (!isInteger(tensor.dtype))
    throw new DtypeError(`${name}: places are whole numbers, received ${tensor.dtype}; convert them with astype()`);
  if (tensor.ndim > 1)
    throw new ShapeError(`${name}: places are a number or a vector, received shape ${shapeText(tensor.shape)}`);
  return convert(tensor, "int32");
}

/** An empty list holds no number to tell its dtype. */
const noneIsInt32 = (places: Exclude<Places, number>): { readonly dtype?: "int32" } =>
  Array.isArray(places) && places.length === 0 ? { dtype: "int32" } : {};

/**
 * x with `values` before the slices that stood at `places`; places past an end are taken as that end. Values are cast to x's
 * dtype and broadcast. Without an axis x is flattened. Source: jnp.insert.
 *
 * @throws DtypeError unless places are whole numbers, ShapeError when values do not broadcast.
 * @example await insert(array([1, 2, 3]), 1, 9).toArray(); // [1, 9, 2, 3]
 */
export function insert(
  x: TensorLike,
  places: Places,
  values: TensorLike | readonly number[],
  options: { readonly axis?: number } = {},
): Tensor {
  checkOptions("insert", options, INSERT_OPTIONS);
  const [tensor, axis] = lined("insert", x, options.axis);
  const given = Array.isArray(values) ? array(values as readonly number[]) : asTensor(values as TensorLike, "insert"); // a list or what is no list
  const index = placesOf("insert", places);
  const extent = at(tensor.shape, axis);
  const added = insertable(tensor, axis, given, index);
  const count = at(added.shape, axis);
  return composite("insert", () => {
    const counted = where(less(index, 0), add(index, extent), index);
    const before = broadcastTo(clip(ravel(counted), 0, extent), [count]);
    // Slices stand at odd places, what goes before slice i at 2 i: a stable sort puts all in order.
    const keys = concatenate([add(mul(arange(extent), 2), 1), mul(before, 2)]);
    return take(concatenate([tensor, added], { axis }), argsort(keys), { axis });
  });
}

/** Values broadcast to x's shape with one slice for each place. */
function insertable(x: Tensor, axis: number, values: Tensor, index: Tensor): Tensor {
  const padded = reshape(values, [...new Array<number>(Math.max(0, x.ndim - values.ndim)).fill(1), ...values.shape]);
  // For one place the first axis of the values lies along `axis`.
  const turned = index.ndim === 0 && padded.ndim === x.ndim ? moveaxis(padded, 0, axis) : padded;
  const own = at(turned.shape, axis);
  const count = index.size === 1 ? own : index.size;
  const shape = x.shape.map((extent, k) => (k === axis ? count : extent));
  if (turned.ndim !== x.ndim || !turned.shape.every((extent, k) => extent === 1 || extent === shape[k]))
    throw new ShapeError(`insert: values of shape ${shapeText(values.shape)} do not broadcast to ${shapeText(shape)}`);
  return convert(broadcastTo(turned, shape), x.dtype);
}

export interface DeleteOptions {
  /** The axis to delete from; x is flattened unless it is told. */
  readonly axis?: number;
  /** Whether no place is named twice, which the host must know otherwise; false. */
  readonly assumeUniqueIndices?: boolean;
}

/**
 * x without the slices at `places`, or where a mask that the host knows is true. A place that only the device knows, past an
 * end, is taken as that end. Without an axis x is flattened. Source: jnp.delete.
 *
 * @throws DtypeError for places that are neither whole numbers nor a mask, ShapeError for a mask of another length or a
 * number out of range, ArgumentError for a mask on the device, or places there without assumeUniqueIndices.
 * @example await jnp.delete(array([1, 2, 3]), 1).toArray(); // [1, 3]
 */
export function deleteAt(x: TensorLike, places: Places, options: DeleteOptions = {}): Tensor {
  checkOptions("delete", options, DELETE_OPTIONS);
  const [tensor, axis] = lined("delete", x, options.axis);
  const extent = at(tensor.shape, axis);
  if (places instanceof Tensor && places.dtype === "bool") return withoutMasked(tensor, axis, places);
  if (typeof places === "number" && Number.isInteger(places) && (places < -extent || places >= extent))
    throw new ShapeError(`delete: place ${places} is out of range for ${extent} slices of ${shapeText(tensor.shape)}`);
  const index = placesOf("delete", places);
  const counted = where(less(index, 0), add(index, extent), index);
  if (index.ndim === 0) return without(tensor, axis, reshape(clip(counted, 0, extent - 1), [1]));
  const known = hostValues(index);
  if (known !== undefined) {
    const gone = new Set(Array.from(known, (place) => (place < 0 ? place + extent : place)));
    return withoutSome(tensor, axis, (place) => gone.has(place));
  }
  if (options.assumeUniqueIndices !== true)
    throw new ArgumentError(
      "delete: the places are on the device; say that no two are the same with { assumeUniqueIndices: true }",
    );
  return without(tensor, axis, clip(counted, 0, extent));
}

/** Without the slices that the device names, each once: place k of the result is k and as many more as are gone before it. */
function without(x: Tensor, axis: number, places: Tensor): Tensor {
  const extent = at(x.shape, axis);
  const left = Math.max(0, extent - places.size);
  return composite("delete", () => {
    const passed = sub(sort(places), arange(places.size));
    const kept = arange(left);
    const gone = sum(convert(greaterEqual(kept, expandDims(passed, -1)), "int32"), { axis: 0 });
    return left === 0 ? sliceAlong(x, axis, 0, 0) : take(x, add(kept, gone), { axis });
  });
}

function withoutSome(x: Tensor, axis: number, isGone: (place: number) => boolean): Tensor {
  const kept = Array.from({ length: at(x.shape, axis) }, (_, place) => place).filter((place) => !isGone(place));
  return kept.length === 0 ? sliceAlong(x, axis, 0, 0) : take(x, array(kept, { dtype: "int32" }), { axis });
}

function withoutMasked(x: Tensor, axis: number, mask: Tensor): Tensor {
  const extent = at(x.shape, axis);
  if (mask.ndim !== 1 || mask.size !== extent)
    throw new ShapeError(`delete: a mask of shape ${shapeText(mask.shape)} for ${extent} slices; one value for each`);
  const known = hostValues(mask);
  if (known === undefined)
    throw new ArgumentError(
      "delete: the mask is on the device, and with it how much is left; take elements with nonzero(..., { size })",
    );
  return withoutSome(x, axis, (place) => known[place] !== 0);
}

/**
 * x's elements, over and over, in another shape; zeros where there are none. Source: jnp.resize.
 * @example await resize(array([1, 2, 3]), [2, 2]).toArray(); // [[1, 2], [3, 1]]
 */
export function resize(x: TensorLike, newShape: readonly number[]): Tensor {
  const tensor = asTensor(x, "resize");
  const flat = ravel(tensor);
  const size = sizeOf(checkShape("resize", newShape));
  if (flat.size === 0 || size === 0) return literal(0, newShape, flat.dtype);
  const times = Math.ceil(size / flat.size);
  const all = reshape(broadcastTo(flat, [times, flat.size]), [-1]);
  return reshape(sliceAlong(all, 0, 0, size), newShape);
}
