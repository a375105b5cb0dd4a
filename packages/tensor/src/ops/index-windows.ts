import { isInteger } from "../dtype.ts";
import { ArgumentError, DtypeError, ShapeError } from "../errors.ts";
import { checkList, shapeText, sizeOf, type Shape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { at } from "../view.ts";
import { unpacked, convert } from "./convert.ts";
import { asTensor, broadcastedIota, literal, type TensorLike } from "./create.ts";
import { add, clip, greaterEqual, lessEqual, logicalAnd, minimum, mul, where } from "./elementwise.ts";
import type { ScatterMode } from "./index-spec.ts";
import { broadcastTo, laxSlice, reshape, transpose } from "./movement.ts";

/** What lax.gather and lax.scatter share: windows of an operand that start where rows of an index array say. */

/** One axis of the operand under windows. */
export interface WindowAxis {
  readonly extent: number;
  /** Elements of it that a window has. */
  readonly size: number;
  /** The column of the indices that says where a window starts; 0 without one. */
  readonly column?: number | undefined;
  /** The axis of the indices that runs along with this one. */
  readonly batch?: number | undefined;
}

/** Every element of every window by the number of its row. */
export interface WindowRows {
  /** int32 [windows · rows of a window], −1 for rows of a window that is not all inside. */
  readonly index: Tensor;
  /** The operand's axes that rows count, and those that lie whole in each row. */
  readonly picked: readonly number[];
  readonly whole: readonly number[];
  readonly rows: number;
}

/** The numbers of the rows that windows cover, row-major over the axes that a window does not span. */
export function windowRows(indices: Tensor, axes: readonly WindowAxis[], mode: "fill" | "clip"): WindowRows {
  const batch = indices.shape.slice(0, -1);
  const picked = axes.flatMap(({ extent, size }, axis) => (extent === size ? [] : [axis]));
  const whole = axes.flatMap(({ extent, size }, axis) => (extent === size ? [axis] : []));
  const shape = [...batch, ...picked.map((axis) => at(axes, axis).size)];
  const wide = (x: Tensor): Tensor => reshape(x, [...batch, ...picked.map(() => 1)]);
  let inside: Tensor | undefined;
  let flat: Tensor | undefined;
  axes.forEach(({ extent, size, column, batch: along }, axis) => {
    let start: Tensor | undefined;
    if (along !== undefined) start = broadcastedIota("int32", batch, along);
    if (column !== undefined) {
      start = columnOf(indices, column, extent);
      const fits = logicalAnd(greaterEqual(start, 0), lessEqual(start, extent - size));
      if (mode === "clip") start = clip(start, 0, extent - size);
      else inside = inside === undefined ? fits : logicalAnd(inside, fits);
    }
    const place = picked.indexOf(axis);
    if (place < 0) return;
    const within = size === 1 ? undefined : broadcastedIota("int32", shape, batch.length + place);
    const first = start === undefined ? literal(0, [], "int32") : wide(start);
    const own = within === undefined ? first : add(first, within);
    flat = flat === undefined ? own : add(mul(flat, extent), own);
  });
  const every = broadcastTo(flat ?? literal(0, [], "int32"), shape);
  const named = inside === undefined ? every : where(wide(inside), every, -1);
  return {
    index: reshape(named, [sizeOf(shape)]),
    picked,
    whole,
    rows: sizeOf(picked.map((axis) => at(axes, axis).extent)),
  };
}

/** One number of each index, as int32; a uint32 past int32's end is past the operand's too. */
function columnOf(indices: Tensor, column: number, extent: number): Tensor {
  const batch = indices.shape.slice(0, -1);
  const one = laxSlice(indices, [...batch.map(() => 0), column], [...batch, column + 1]);
  return reshape(convert(one.dtype === "uint32" ? minimum(one, extent) : one, "int32"), batch);
}

/** x as [rows, ...whole extents], and the way back. */
export function rowsFirst(x: Tensor, { picked, whole, rows }: WindowRows): { table: Tensor; back(y: Tensor): Tensor } {
  const order = [...picked, ...whole];
  const shape = order.map((axis) => at(x.shape, axis));
  return {
    table: reshape(transpose(x, order), [rows, ...shape.slice(picked.length)]),
    back: (y) =>
      transpose(
        reshape(y, shape),
        order.map((_, axis) => order.indexOf(axis)),
      ),
  };
}

/**
 * Where the axes of [...batch, ...the window's kept axes in the rows' order] stand in an array that has the window's axes,
 * ascending, at `windowDims` and the batch in between.
 */
export function windowOrder(
  batch: number,
  { picked, whole }: WindowRows,
  kept: readonly number[],
  windowDims: readonly number[],
): number[] {
  const inRows = [...picked, ...whole].filter((axis) => kept.includes(axis));
  let next = 0;
  return Array.from({ length: batch + kept.length }, (_, dim) => {
    const place = windowDims.indexOf(dim);
    return place < 0 ? next++ : batch + inRows.indexOf(at(kept, place));
  });
}

const MODES: readonly string[] = ["fill", "drop", "clip", "promise_in_bounds"] satisfies readonly ScatterMode[];

/** What becomes of windows that are not all inside. As in JAX, gathers with "promise_in_bounds" move them, scatters leave them out. */
export function windowMode(name: string, mode: ScatterMode, promised: "fill" | "clip"): "fill" | "clip" {
  if (!MODES.includes(mode))
    throw new ArgumentError(`${name}: unknown mode ${JSON.stringify(mode)}; expected one of ${MODES.join(", ")}`);
  return mode === "promise_in_bounds" ? promised : mode === "clip" ? "clip" : "fill";
}

/** The indices [..., numbers of one]. */
export function windowStarts(name: string, indices: TensorLike, numbers: number): Tensor {
  const tensor = asTensor(indices, name);
  if (!isInteger(tensor.dtype))
    throw new DtypeError(
      `${name}: indices must be integers such as int32, received ${tensor.dtype}; convert them with astype()`,
    );
  if (tensor.ndim === 0 || tensor.shape.at(-1) !== numbers)
    throw new ShapeError(
      `${name}: indices of shape ${shapeText(tensor.shape)} for ${numbers} indexed axes; the last axis holds one number for each`,
    );
  return unpacked(tensor);
}

/** A list of axes from the dimension numbers: whole, in range, none twice, ascending if asked. */
export function checkDims(
  name: string,
  what: string,
  dims: readonly number[],
  rank: number,
  ascending: boolean,
): readonly number[] {
  const list = checkList(name, what, dims);
  const text = `${what} [${list.map(String).join(", ")}]`;
  for (const dim of list)
    if (!Number.isInteger(dim) || dim < 0 || dim >= rank)
      throw new ShapeError(`${name}: ${text} names axis ${String(dim)} of an array of ${rank} axes`);
  if (new Set(list).size !== list.length) throw new ShapeError(`${name}: ${text} names an axis twice`);
  if (ascending && list.some((dim, k) => k > 0 && dim < at(list, k - 1)))
    throw new ShapeError(`${name}: ${text} must ascend`);
  return list;
}

export interface BatchDims {
  readonly operand: readonly number[];
  readonly indices: readonly number[];
}

/** Axes of the operand and of the indices that run together: as many, of the same extents, and not those of an index. */
export function checkBatchDims(
  name: string,
  operand: Shape,
  indices: Shape,
  { operand: own, indices: theirs }: BatchDims,
): void {
  const extents = (shape: Shape, dims: readonly number[]): string => shapeText(dims.map((dim) => at(shape, dim)));
  if (own.length !== theirs.length || extents(operand, own) !== extents(indices, theirs))
    throw new ShapeError(
      `${name}: operandBatchingDims [${own.join(", ")}] of ${shapeText(operand)} and batching axes [${theirs.join(", ")}] of indices ${shapeText(indices)} must be as many and of equal extents`,
    );
}

/** Every axis of the operand is in exactly one of the lists that say what becomes of it, or in none of two. */
export function checkApart(
  name: string,
  what: readonly [string, string],
  a: readonly number[],
  b: readonly number[],
): void {
  const both = a.find((dim) => b.includes(dim));
  if (both !== undefined) throw new ShapeError(`${name}: axis ${both} is in both ${what[0]} and ${what[1]}`);
}
