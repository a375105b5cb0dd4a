import { ArgumentError, ShapeError } from "../errors.ts";
import { normalizeAxis, shapeText } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { arange, asTensor, hostValues, type TensorLike } from "./create.ts";
import { concatenate, stack } from "./join.ts";
import { meshgrid } from "./ranges.ts";
import { moveaxis, reshape } from "./movement.ts";
import { flatnonzero } from "./nonzero.ts";

/** Arrays put together from parts, and grids of indices. */

export type Blocks = TensorLike | readonly Blocks[];

/**
 * An array from nested lists of blocks: the innermost are joined along the last axis, those around them along the one
 * before, and so on. Source: jnp.block.
 *
 * @throws ShapeError when blocks do not fit, lists are empty or not nested evenly.
 * @example await block([[ones([1, 1]), zeros([1, 2])], [full([1, 3], 5)]]).toArray(); // [[1, 0, 0], [5, 5, 5]]
 */
export function block(blocks: Blocks): Tensor {
  const depth = depthOf(blocks);
  const rank = Math.max(depth, ...leaves(blocks).map((one) => one.ndim));
  const join = (part: Blocks, level: number): Tensor => {
    if (isList(part))
      return concatenate(
        part.map((one) => join(one, level - 1)),
        { axis: rank - level },
      );
    const tensor = asTensor(part, "block");
    return reshape(tensor, [...new Array<number>(rank - tensor.ndim).fill(1), ...tensor.shape]);
  };
  return join(blocks, depth);
}

function isList(part: Blocks): part is readonly Blocks[] {
  return Array.isArray(part);
}

function depthOf(part: Blocks): number {
  if (!isList(part)) return 0;
  const [first, ...rest] = part.map(depthOf);
  if (first === undefined) throw new ShapeError("block: a list of blocks is empty");
  if (rest.some((depth) => depth !== first))
    throw new ShapeError("block: lists are nested to different depths; every block needs as many lists around it");
  return first + 1;
}

function leaves(part: Blocks): Tensor[] {
  return isList(part) ? part.flatMap(leaves) : [asTensor(part, "block")];
}

/**
 * x with one axis moved to stand before another, `start` counting as in NumPy. Moves no data. Source: jnp.rollaxis.
 *
 * @throws ShapeError when an axis is out of range.
 * @example rollaxis(ones([2, 3, 4]), 2).shape; // [4, 2, 3]
 */
export function rollaxis(x: TensorLike, axis: number, start = 0): Tensor {
  const tensor = asTensor(x, "rollaxis");
  const from = normalizeAxis("rollaxis", axis, tensor.ndim);
  if (!Number.isInteger(start) || start < -tensor.ndim || start > tensor.ndim)
    throw new ShapeError(`rollaxis: start ${String(start)} is out of range for an array of ${tensor.ndim} axes`);
  const to = start < 0 ? start + tensor.ndim : start;
  return moveaxis(tensor, from, to > from ? to - 1 : to);
}

/**
 * Vectors of indices as an open grid: the k-th runs along axis k and has extent 1 on the others. Bools stand for the places
 * where they are true. Source: jnp.ix_.
 *
 * @throws ShapeError unless all are vectors, ArgumentError for bools that are on the device.
 * @example ix(array([0, 2]), array([1, 2, 3])).map((x) => x.shape); // [[2, 1], [1, 3]]
 */
export function ix(...args: readonly TensorLike[]): Tensor[] {
  return args.map((arg, axis) => {
    const tensor = asTensor(arg, "ix");
    if (tensor.ndim !== 1)
      throw new ShapeError(`ix: takes vectors, received shape ${shapeText(tensor.shape)} as argument ${axis}`);
    if (tensor.dtype === "bool" && hostValues(tensor) === undefined)
      throw new ArgumentError("ix: how many bools are true is known to the device only; give indices instead");
    const index = tensor.dtype === "bool" ? flatnonzero(tensor) : tensor;
    return reshape(
      index,
      args.map((_, k) => (k === axis ? -1 : 1)),
    );
  });
}

/** What NumPy writes as start:stop:step; a number alone is where it stops. */
export type GridRange = number | readonly [start: number, stop: number, step?: number];

function gridAxes(name: string, ranges: readonly GridRange[]): Tensor[] {
  return ranges.map((range) => {
    const [start, stop, step = 1] = typeof range === "number" ? [0, range] : Array.isArray(range) ? range : [];
    if (![start, stop, step].every(Number.isFinite) || step === 0 || start === undefined || stop === undefined)
      throw new ArgumentError(
        `${name}: a range is [start, stop] or [start, stop, step] of numbers, the step not 0; received ${Array.isArray(range) ? `[${range.map(String).join(", ")}]` : String(range)}`,
      );
    return arange(start, stop, step);
  });
}

/**
 * A full grid: coordinate k of every point of the ranges' product, all in one array [ranges, ...extents]; the coordinates
 * themselves for a single range. Python's mgrid[0:2, 0:3]. Source: jnp.mgrid.
 *
 * @throws ArgumentError unless ranges are of numbers.
 * @example await mgrid([0, 2], [0, 2]).toArray(); // [[[0, 0], [1, 1]], [[0, 1], [0, 1]]]
 */
export function mgrid(...ranges: readonly GridRange[]): Tensor {
  const axes = gridAxes("mgrid", ranges);
  const [only] = axes;
  if (only === undefined) throw new ArgumentError("mgrid: needs a range");
  return axes.length === 1 ? only : stack(meshgrid(...axes, { indexing: "ij" }));
}

/**
 * An open grid: the coordinates of each range along its own axis. Python's ogrid[0:2, 0:3]. Source: jnp.ogrid.
 *
 * @throws ArgumentError unless ranges are of numbers.
 * @example ogrid([0, 2], [0, 3]).map((x) => x.shape); // [[2, 1], [1, 3]]
 */
export function ogrid(...ranges: readonly GridRange[]): Tensor[] {
  return ix(...gridAxes("ogrid", ranges));
}
