import { isInteger, rangeOf } from "../dtype.ts";
import { ArgumentError, DtypeError, ShapeError } from "../errors.ts";
import { shapeText } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { at } from "../view.ts";
import { convert, unpacked } from "./convert.ts";
import { asTensor, hostValues, literal, type TensorLike } from "./create.ts";
import { clip } from "./elementwise.ts";
import type { ScatterMode } from "./index-spec.ts";
import { windowMode } from "./index-windows.ts";
import { scatter, type ScatterCombine } from "./scatter.ts";
import { checkOptions } from "../options.ts";

const SEGMENT_OPTIONS = {
  numSegments: "number",
  indicesAreSorted: "flag",
  uniqueIndices: "flag",
  bucketSize: "number",
  mode: true,
} as const;

export interface SegmentOptions {
  /** How many segments there are. Without it, one more than the largest id, which must then be known on the host. */
  readonly numSegments?: number;
  readonly indicesAreSorted?: boolean;
  readonly uniqueIndices?: boolean;
  /** A hint in JAX, for sums that round less; sums are made in a fixed order here. */
  readonly bucketSize?: number;
  /** What an id outside means: it is left out ("drop", "fill"; unless told) or the nearest one ("clip"). */
  readonly mode?: ScatterMode;
}

function segments(
  name: string,
  combine: ScatterCombine,
  data: TensorLike,
  segmentIds: TensorLike,
  options: SegmentOptions,
): Tensor {
  const [tensor, ids] = [asTensor(data, name), unpacked(asTensor(segmentIds, name))];
  if (!isInteger(ids.dtype))
    throw new DtypeError(`${name}: ids must be whole numbers, received ${ids.dtype}; convert them with astype()`);
  if (ids.ndim !== 1 || tensor.ndim < 1 || at(tensor.shape, 0) !== ids.size)
    throw new ShapeError(
      `${name}: ids of shape ${shapeText(ids.shape)} for data of shape ${shapeText(tensor.shape)}; one id for each row of the data is needed`,
    );
  const count = options.numSegments ?? countOf(name, ids);
  if (!Number.isInteger(count) || count < 0)
    throw new ArgumentError(`${name}: numSegments is ${count}; a whole number ≥ 0 is needed`);
  const { dtype } = tensor;
  if (dtype === "bool") throw new DtypeError(`${name}: does not take bool; convert it with astype()`);
  const mode = windowMode(name, options.mode ?? "drop", "fill");
  const [max, min] = rangeOf(dtype);
  const start = { add: 0, set: 0, mul: 1, max, min }[combine];
  const base = literal(start, [count, ...tensor.shape.slice(1)], dtype);
  // A uint32 past the middle is negative then, which names no segment; clipped it is the first, as in JAX.
  const signed = convert(ids, "int32");
  const rows = mode === "clip" ? clip(signed, 0, count - 1) : signed;
  return scatter(combine, base, rows, tensor, options.uniqueIndices ?? false);
}

function countOf(name: string, ids: Tensor): number {
  const known = hostValues(ids);
  if (known === undefined)
    throw new ArgumentError(`${name}: the ids are on the device; say how many segments there are with { numSegments }`);
  return Array.from(known).reduce((most, id) => Math.max(most, id + 1), 0);
}

/**
 * Σ of the rows of data that have one id, id by id. Ids outside are dropped. Source: jax.ops.segment_sum.
 *
 * @throws ShapeError unless there is one id for each row, ArgumentError where the number of segments is not known.
 * @example await segmentSum(array([1, 2, 3]), array([0, 1, 0])).toArray(); // [4, 2]
 */
export function segmentSum(data: TensorLike, segmentIds: TensorLike, options: SegmentOptions = {}): Tensor {
  checkOptions("segmentSum", options, SEGMENT_OPTIONS);
  return segments("segmentSum", "add", data, segmentIds, options);
}

/**
 * Π of the rows of data that have one id; 1 for an id that none has. Source: jax.ops.segment_prod.
 *
 * @throws ShapeError unless there is one id for each row, ArgumentError where the number of segments is not known.
 * @example await segmentProd(array([1, 2, 3]), array([0, 1, 0])).toArray(); // [3, 2]
 */
export function segmentProd(data: TensorLike, segmentIds: TensorLike, options: SegmentOptions = {}): Tensor {
  checkOptions("segmentProd", options, SEGMENT_OPTIONS);
  return segments("segmentProd", "mul", data, segmentIds, options);
}

/**
 * The largest of the rows of data that have one id; the dtype's least for an id that none has.
 * Source: jax.ops.segment_max.
 *
 * @throws ShapeError unless there is one id for each row, ArgumentError where the number of segments is not known.
 * @example await segmentMax(array([1, 2, 3]), array([0, 1, 0])).toArray(); // [3, 2]
 */
export function segmentMax(data: TensorLike, segmentIds: TensorLike, options: SegmentOptions = {}): Tensor {
  checkOptions("segmentMax", options, SEGMENT_OPTIONS);
  return segments("segmentMax", "max", data, segmentIds, options);
}

/**
 * The smallest of the rows of data that have one id; the dtype's largest for an id that none has.
 * Source: jax.ops.segment_min.
 *
 * @throws ShapeError unless there is one id for each row, ArgumentError where the number of segments is not known.
 * @example await segmentMin(array([1, 2, 3]), array([0, 1, 0])).toArray(); // [1, 2]
 */
export function segmentMin(data: TensorLike, segmentIds: TensorLike, options: SegmentOptions = {}): Tensor {
  checkOptions("segmentMin", options, SEGMENT_OPTIONS);
  return segments("segmentMin", "min", data, segmentIds, options);
}
