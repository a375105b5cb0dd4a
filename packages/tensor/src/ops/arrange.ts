import { ShapeError } from "../errors.ts";
import { checkList, normalizeAxes, normalizeAxis, shapeText, type Shape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { at } from "../view.ts";
import { asTensor, type TensorLike } from "./create.ts";
import { convert } from "./convert.ts";
import { neg, remainder } from "./elementwise.ts";
import { concatenate, sliceAlong } from "./join.ts";
import { broadcastTo, flip, ravel, reshape, transpose } from "./movement.ts";
import { dynamicWindow } from "./dynamic-slice.ts";
import { checkOptions } from "../options.ts";

const ROLL_OPTIONS = { axis: true } as const;
const ROT90_OPTIONS = { axes: true } as const;

export interface RollOptions {
  /** The axis or axes to roll along; without any, x is flattened, rolled and given its shape back. */
  readonly axis?: number | readonly number[] | null;
}

/**
 * The elements moved along by `shift`, those past the end coming in again at the start. The shift may be an array; it is
 * then known to the device only. Source: jnp.roll.
 *
 * @throws ShapeError when an axis is out of range, or shifts and axes do not match in number.
 * @example
 * await roll(array([1, 2, 3, 4]), 1).toArray(); // [4, 1, 2, 3]
 */
export function roll(x: TensorLike, shift: number | readonly number[] | Tensor, options: RollOptions = {}): Tensor {
  checkOptions("roll", options, ROLL_OPTIONS);
  const tensor = asTensor(x, "roll");
  const axis = options.axis ?? undefined;
  if (axis === undefined) return reshape(roll(ravel(tensor), shift, { axis: 0 }), tensor.shape);
  const axes = (typeof axis === "number" ? [axis] : axis).map((one) => normalizeAxis("roll", one, tensor.ndim));
  const shifts = shiftsOf(shift);
  const count = Math.max(axes.length, shifts.length);
  if (![1, count].includes(axes.length) || ![1, count].includes(shifts.length))
    throw new ShapeError(
      `roll: ${shifts.length} shifts for ${axes.length} axes; give one of either, or as many of the one as of the other`,
    );
  let rolled = tensor;
  for (let k = 0; k < count; k++)
    rolled = rollAxis(rolled, at(shifts, shifts.length === 1 ? 0 : k), at(axes, axes.length === 1 ? 0 : k));
  return rolled;
}

function shiftsOf(shift: number | readonly number[] | Tensor): readonly (number | Tensor)[] {
  if (typeof shift === "number") return [wholeShift(shift)];
  if (Array.isArray(shift)) return shift.map(wholeShift);
  const tensor = asTensor(shift as Tensor, "roll"); // neither a number nor a list
  if (tensor.ndim > 1) throw new ShapeError(`roll: shifts have shape ${shapeText(tensor.shape)}; one axis at most`);
  if (tensor.ndim === 0) return [tensor];
  return Array.from({ length: tensor.size }, (_, k) => reshape(sliceAlong(tensor, 0, k, k + 1), []));
}

function wholeShift(shift: number): number {
  if (Number.isInteger(shift)) return shift;
  throw new ShapeError(`roll: shifts are whole numbers, received ${String(shift)}`);
}

function rollAxis(x: Tensor, shift: number | Tensor, axis: number): Tensor {
  const extent = at(x.shape, axis);
  if (extent === 0) return x;
  if (typeof shift !== "number") {
    const first = remainder(neg(convert(shift, "int32")), extent);
    return dynamicWindow(concatenate([x, x], { axis }), first, axis, extent);
  }
  const first = ((-shift % extent) + extent) % extent;
  // -0 where the shift is a multiple of the extent.
  if (first <= 0) return x;
  return concatenate([sliceAlong(x, axis, first, extent), sliceAlong(x, axis, 0, first)], { axis });
}

/**
 * x turned by k quarter turns in the plane of two axes, from the first towards the second. Moves no data.
 * Source: jnp.rot90.
 *
 * @throws ShapeError for fewer than two axes, or one axis twice.
 * @example await rot90(array([[1, 2], [3, 4]])).toArray(); // [[2, 4], [1, 3]]
 */
export function rot90(x: TensorLike, k = 1, options: { readonly axes?: readonly [number, number] } = {}): Tensor {
  checkOptions("rot90", options, ROT90_OPTIONS);
  const tensor = asTensor(x, "rot90");
  if (tensor.ndim < 2) throw new ShapeError(`rot90: needs two axes to turn, received shape ${shapeText(tensor.shape)}`);
  const [a, b] = (options.axes ?? [0, 1]).map((axis) => normalizeAxis("rot90", axis, tensor.ndim));
  if (a === undefined || b === undefined || a === b)
    throw new ShapeError(`rot90: axes [${(options.axes ?? []).join(", ")}] are not two different axes`);
  if (!Number.isInteger(k)) throw new ShapeError(`rot90: turns are whole numbers, received ${k}`);
  const turns = ((k % 4) + 4) % 4;
  const order = tensor.shape.map((_, axis) => (axis === a ? b : axis === b ? a : axis));
  if (turns === 0) return tensor;
  if (turns === 1) return transpose(flip(tensor, { axis: b }), order);
  return turns === 2 ? flip(tensor, { axis: [a, b] }) : flip(transpose(tensor, order), { axis: b });
}

/**
 * The columns in reverse: flip along axis 1. Moves no data. Source: jnp.fliplr.
 *
 * @throws ShapeError for fewer than two axes.
 * @example await fliplr(array([[1, 2]])).toArray(); // [[2, 1]]
 */
export function fliplr(x: TensorLike): Tensor {
  normalizeAxes("fliplr", 1, asTensor(x, "fliplr").ndim);
  return flip(x, { axis: 1 });
}

/**
 * The rows in reverse: flip along axis 0. Moves no data. Source: jnp.flipud.
 *
 * @throws ShapeError for a scalar.
 * @example await flipud(array([[1], [2]])).toArray(); // [[2], [1]]
 */
export function flipud(x: TensorLike): Tensor {
  normalizeAxes("flipud", 0, asTensor(x, "flipud").ndim);
  return flip(x, { axis: 0 });
}

/** Most axes that one strided copy can walk. */
const MOST_AXES = 8;

/**
 * x repeated as a whole, `reps` times along each axis; axes are aligned from the last. Source: jnp.tile.
 *
 * @throws ShapeError unless reps are whole numbers ≥ 0.
 * @example await tile(array([1, 2]), [2, 2]).toArray(); // [[1, 2, 1, 2], [1, 2, 1, 2]]
 */
export function tile(x: TensorLike, reps: number | readonly number[]): Tensor {
  const tensor = asTensor(x, "tile");
  const list = typeof reps === "number" ? [reps] : checkList("tile", "repetitions", reps);
  if (!list.every((rep) => Number.isInteger(rep) && rep >= 0))
    throw new ShapeError(`tile: repetitions are whole numbers ≥ 0, received [${list.join(", ")}]`);
  const rank = Math.max(tensor.ndim, list.length);
  const lead = <T>(values: readonly T[], fill: T): T[] => [...new Array<T>(rank - values.length).fill(fill), ...values];
  const shape = lead(tensor.shape, 1);
  const times = lead(list, 1);
  const repeated = times.flatMap((rep, axis) => (rep === 1 ? [] : [axis]));
  const once = (from: Tensor, axes: readonly number[]): Tensor => {
    const split = from.shape.flatMap((extent, axis) => (axes.includes(axis) ? [1, extent] : [extent]));
    const wide = from.shape.flatMap((extent, axis) => (axes.includes(axis) ? [at(times, axis), extent] : [extent]));
    const tiled = from.shape.map((extent, axis) => (axes.includes(axis) ? extent * at(times, axis) : extent));
    return reshape(broadcastTo(reshape(from, split), wide), tiled);
  };
  const whole = reshape(tensor, shape);
  if (rank + repeated.length <= MOST_AXES) return once(whole, repeated);
  return repeated.reduce((tiled, axis) => once(tiled, [axis]), whole);
}

/** Each slice along an axis `times` times in a row. */
export function repeatEach(x: Tensor, times: number, axis: number): Tensor {
  const shape: Shape = x.shape;
  const wide = [...shape.slice(0, axis + 1), times, ...shape.slice(axis + 1)];
  const split = [...shape.slice(0, axis + 1), 1, ...shape.slice(axis + 1)];
  return reshape(
    broadcastTo(reshape(x, split), wide),
    shape.map((extent, k) => (k === axis ? extent * times : extent)),
  );
}
