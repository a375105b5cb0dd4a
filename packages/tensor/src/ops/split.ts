import { bindCall, type CallOp } from "../call.ts";
import { ShapeError } from "../errors.ts";
import { normalizeAxis, shapeText } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { at } from "../view.ts";
import { asTensor, type TensorLike } from "./create.ts";
import { add } from "./binary.ts";
import { concatenate, sliceAlong } from "./join.ts";
import { squeeze } from "./movement.ts";
import { pad } from "./pad.ts";
import { checkOptions } from "../options.ts";

const SPLIT_OPTIONS = { axis: "number" } as const;

/** Empty parts beyond this many are a mistake that would fill the memory. */
const MOST_PARTS = 65_536;

/** How many parts, or where to cut: [2, 5] gives :2, 2:5 and 5:. */
export type Cuts = number | readonly number[];

export interface SplitOptions {
  /** The axis to cut, 0 unless told. */
  readonly axis?: number;
}

function cut(name: string, x: Tensor, axis: number, places: readonly number[]): readonly Tensor[] {
  const extent = at(x.shape, axis);
  const edges = [0, ...places, extent];
  const pieces = (one: Tensor): Tensor[] => edges.slice(1).map((end, k) => sliceAlong(one, axis, at(edges, k), end));
  // What was cut goes back in one piece, without a sum of what each was padded to.
  const call: CallOp = {
    name,
    run: (inputs) => inputs.flatMap(pieces),
    vjp: (inputs) => ({
      outputs: inputs.flatMap(pieces),
      residuals: [],
      pull: (cts) => [joined(cts, axis, extent, edges)],
    }),
  };
  return bindCall(call, [x]);
}

/** The cotangent of what was cut, given those of its pieces. */
function joined(
  cotangents: readonly (Tensor | undefined)[],
  axis: number,
  extent: number,
  edges: readonly number[],
): Tensor | undefined {
  const known = cotangents.flatMap((ct) => ct ?? []);
  if (known.length === cotangents.length) return concatenate(known, { axis });
  const padded = cotangents.flatMap((ct, k) => {
    if (ct === undefined) return [];
    const around = [at(edges, k), extent - at(edges, k) - at(ct.shape, axis), 0] as const;
    return pad(
      ct,
      0,
      ct.shape.map((_, along) => (along === axis ? around : ([0, 0, 0] as const))),
    );
  });
  return padded.length === 0 ? undefined : padded.reduce((sum, one) => add(sum, one));
}

function splitBy(name: string, x: TensorLike, cuts: Cuts, axis: number, uneven: boolean): Tensor[] {
  const tensor = asTensor(x, name);
  const along = normalizeAxis(name, axis, tensor.ndim);
  const extent = at(tensor.shape, along);
  if (typeof cuts !== "number") {
    if (!Array.isArray(cuts) || !cuts.every(Number.isInteger))
      throw new ShapeError(`${name}: places to cut are whole numbers, received ${String(cuts)}`);
    if (!cuts.every((place, k) => place >= (cuts[k - 1] ?? 0) && place <= extent))
      throw new ShapeError(
        `${name}: places to cut ascend from 0 to the axis' extent, ${extent}, received ${shapeText(cuts)}`,
      );
    return [...cut(name, tensor, along, cuts)];
  }
  if (!Number.isInteger(cuts) || cuts < 1)
    throw new ShapeError(`${name}: needs a number of parts ≥ 1, received ${String(cuts)}`);
  if (cuts > Math.max(extent, MOST_PARTS))
    throw new ShapeError(
      `${name}: ${cuts} parts of axis ${along} of ${shapeText(tensor.shape)} would nearly all be empty; ask for fewer`,
    );
  if (!uneven && extent % cuts !== 0)
    throw new ShapeError(
      `${name}: axis ${along} of ${shapeText(tensor.shape)} does not divide into ${cuts} equal parts; use arraySplit, or say where to cut`,
    );
  const [part, longer] = [Math.floor(extent / cuts), extent % cuts];
  const places = Array.from({ length: cuts - 1 }, (_, k) => (k + 1) * part + Math.min(k + 1, longer));
  return [...cut(name, tensor, along, places)];
}

/**
 * x cut along an axis, into equal parts or at the given places. Moves no data. Source: jnp.split.
 *
 * @throws ShapeError when the parts would not be equal, or places do not ascend within the axis.
 * @example
 * const [head, rest] = split(arange(5), [2]);
 * await rest.toArray(); // [2, 3, 4]
 */
export function split(x: TensorLike, cuts: Cuts, options: SplitOptions = {}): Tensor[] {
  checkOptions("split", options, SPLIT_OPTIONS);
  return splitBy("split", x, cuts, options.axis ?? 0, false);
}

/**
 * x cut along an axis into parts that differ by one at most, the longer first, or at the given places. Moves no data.
 * Source: jnp.array_split.
 *
 * @throws ShapeError for fewer parts than one, or places that do not ascend within the axis.
 * @example arraySplit(arange(5), 2).map((part) => part.size); // [3, 2]
 */
export function arraySplit(x: TensorLike, cuts: Cuts, options: SplitOptions = {}): Tensor[] {
  checkOptions("arraySplit", options, SPLIT_OPTIONS);
  return splitBy("arraySplit", x, cuts, options.axis ?? 0, true);
}

/**
 * split along axis 1, or axis 0 where there is but one. Source: jnp.hsplit.
 *
 * @throws ShapeError when the parts would not be equal.
 * @example hsplit(zeros([2, 4]), 2).map((part) => part.shape); // [[2, 2], [2, 2]]
 */
export function hsplit(x: TensorLike, cuts: Cuts): Tensor[] {
  return splitBy("hsplit", x, cuts, asTensor(x, "hsplit").ndim === 1 ? 0 : 1, false);
}

/**
 * split along axis 0. Source: jnp.vsplit.
 *
 * @throws ShapeError when the parts would not be equal.
 * @example vsplit(zeros([4, 2]), 2).map((part) => part.shape); // [[2, 2], [2, 2]]
 */
export function vsplit(x: TensorLike, cuts: Cuts): Tensor[] {
  return splitBy("vsplit", x, cuts, 0, false);
}

/**
 * split along axis 2. Source: jnp.dsplit.
 *
 * @throws ShapeError when the parts would not be equal.
 * @example dsplit(zeros([1, 2, 4]), 2).map((part) => part.shape); // [[1, 2, 2], [1, 2, 2]]
 */
export function dsplit(x: TensorLike, cuts: Cuts): Tensor[] {
  return splitBy("dsplit", x, cuts, 2, false);
}

/**
 * The slices along an axis, without it. Moves no data. Source: jnp.unstack.
 *
 * @throws ShapeError for a scalar, or an axis that is out of range.
 * @example await Promise.all(unstack(array([1, 2])).map((one) => one.item())); // [1, 2]
 */
export function unstack(x: TensorLike, options: SplitOptions = {}): Tensor[] {
  checkOptions("unstack", options, SPLIT_OPTIONS);
  const tensor = asTensor(x, "unstack");
  const axis = normalizeAxis("unstack", options.axis ?? 0, tensor.ndim);
  return Array.from({ length: at(tensor.shape, axis) }, (_, k) => squeeze(sliceAlong(tensor, axis, k, k + 1), axis));
}
