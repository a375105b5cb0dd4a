import { ShapeError } from "../errors.ts";
import { checkOptions } from "../options.ts";
import { checkShape, shapeText, sizeOf, type Shape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { at } from "../view.ts";
import { composite } from "./composite.ts";
import { asTensor, literal, type TensorLike } from "./create.ts";
import type { ScatterMode } from "./index-spec.ts";
import {
  checkApart,
  checkBatchDims,
  checkDims,
  rowsFirst,
  windowMode,
  windowOrder,
  windowRows,
  windowStarts,
} from "./index-windows.ts";
import { gatherRows } from "./indexing.ts";
import { laxSlice, reshape, transpose } from "./movement.ts";

/** Which axis is which in lax.gather; lists but `startIndexMap` and `startIndicesBatchingDims` ascend. */
export interface GatherDimensionNumbers {
  /** The result's axes that run through a window; the others run through the indices. */
  readonly offsetDims: readonly number[];
  /** The operand's axes of which a window has one element and the result nothing. */
  readonly collapsedSliceDims: readonly number[];
  /** The operand's axis that each number of an index is for. */
  readonly startIndexMap: readonly number[];
  /** The operand's axes that run along with axes of the indices, and those axes. */
  readonly operandBatchingDims?: readonly number[];
  readonly startIndicesBatchingDims?: readonly number[];
}

export interface GatherOptions {
  /** Hints in JAX; nothing depends on them here. */
  readonly uniqueIndices?: boolean;
  readonly indicesAreSorted?: boolean;
  /** A window that is not all inside is moved inside ("clip" and, unless told, "promise_in_bounds") or reads as `fillValue` ("fill"). */
  readonly mode?: ScatterMode;
  /** What mode "fill" reads outside: NaN, the least signed or the largest unsigned number, true, unless told. */
  readonly fillValue?: number;
}

const GATHER_OPTIONS = { uniqueIndices: "flag", indicesAreSorted: "flag", mode: true, fillValue: "number" } as const;
const GATHER_NUMBERS = {
  offsetDims: true,
  collapsedSliceDims: true,
  startIndexMap: true,
  operandBatchingDims: true,
  startIndicesBatchingDims: true,
} as const;

/**
 * Windows of `sliceSizes` out of the operand, one for each index. The last axis of `startIndices` holds an index: where the
 * window starts on the axes of `startIndexMap`, 0 on the others. Source: lax.gather (XLA's Gather).
 *
 * @throws ShapeError when the dimension numbers do not fit the shapes, DtypeError unless indices are integers.
 * @example
 * const numbers = { offsetDims: [1], collapsedSliceDims: [0], startIndexMap: [0] };
 * await lax.gather(array([[1, 2], [3, 4], [5, 6]]), array([[2], [0]]), numbers, [1, 2]).toArray(); // [[5, 6], [1, 2]]
 */
export function gather(
  operand: TensorLike,
  startIndices: TensorLike,
  dimensionNumbers: GatherDimensionNumbers,
  sliceSizes: Shape,
  options: GatherOptions = {},
): Tensor {
  checkOptions("gather", options, GATHER_OPTIONS);
  checkOptions("gather: dimensionNumbers", dimensionNumbers, GATHER_NUMBERS);
  const mode = windowMode("gather", options.mode ?? "promise_in_bounds", "clip");
  const x = asTensor(operand, "gather");
  const map = checkDims("gather", "startIndexMap", dimensionNumbers.startIndexMap, x.ndim, false);
  const indices = windowStarts("gather", startIndices, map.length);
  const numbers = checkedNumbers(x.shape, indices.shape, dimensionNumbers, checkShape("gather", sliceSizes));
  const { offset, kept, batching } = numbers;
  const batch = indices.shape.slice(0, -1);
  const windows = kept.map((axis) => at(sliceSizes, axis));
  let [nextWindow, nextBatch] = [0, 0];
  const shape = Array.from({ length: batch.length + kept.length }, (_, dim) =>
    offset.includes(dim) ? at(windows, nextWindow++) : at(batch, nextBatch++),
  );
  if (sizeOf(shape) === 0) return literal(0, shape, x.dtype);
  const axes = sliceSizes.map((size, axis) => {
    const [column, along] = [map.indexOf(axis), batching.operand.indexOf(axis)];
    const extent = column < 0 && along < 0 ? size : at(x.shape, axis);
    return { extent, size, column: column < 0 ? undefined : column, batch: batching.indices[along] };
  });
  return composite("gather", () => {
    const rows = windowRows(indices, axes, mode);
    const near = laxSlice(
      x,
      x.shape.map(() => 0),
      axes.map(({ extent }) => extent),
    );
    const taken = gatherRows(rowsFirst(near, rows).table, rows.index, options.fillValue ?? "default");
    const order = [...rows.picked, ...rows.whole].filter((axis) => kept.includes(axis));
    const apart = reshape(taken, [...batch, ...order.map((axis) => at(sliceSizes, axis))]);
    return transpose(apart, windowOrder(batch.length, rows, kept, offset));
  });
}

function checkedNumbers(
  operand: Shape,
  indices: Shape,
  numbers: GatherDimensionNumbers,
  sizes: Shape,
): {
  readonly offset: readonly number[];
  /** The operand's axes that the result has. */
  readonly kept: readonly number[];
  readonly batching: { readonly operand: readonly number[]; readonly indices: readonly number[] };
} {
  const [rank, before] = [operand.length, indices.length - 1];
  const collapsed = checkDims("gather", "collapsedSliceDims", numbers.collapsedSliceDims, rank, true);
  const batching = {
    operand: checkDims("gather", "operandBatchingDims", numbers.operandBatchingDims ?? [], rank, true),
    indices: checkDims("gather", "startIndicesBatchingDims", numbers.startIndicesBatchingDims ?? [], before, false),
  };
  checkApart("gather", ["collapsedSliceDims", "operandBatchingDims"], collapsed, batching.operand);
  checkApart("gather", ["startIndexMap", "operandBatchingDims"], numbers.startIndexMap, batching.operand);
  checkBatchDims("gather", operand, indices, batching);
  const fits = sizes.length === rank && sizes.every((size, axis) => size <= at(operand, axis));
  if (!fits)
    throw new ShapeError(
      `gather: sliceSizes ${shapeText(sizes)} for an operand of shape ${shapeText(operand)}; one for each axis, none larger`,
    );
  const single = [...collapsed, ...batching.operand].find((axis) => sizes[axis] !== 1);
  if (single !== undefined)
    throw new ShapeError(
      `gather: axis ${single} is collapsed or batching, where a window has one element; sliceSizes ${shapeText(sizes)} has ${at(sizes, single)}`,
    );
  const kept = sizes.flatMap((_, axis) => (collapsed.includes(axis) || batching.operand.includes(axis) ? [] : [axis]));
  const offset = checkDims("gather", "offsetDims", numbers.offsetDims, before + kept.length, true);
  if (offset.length !== kept.length)
    throw new ShapeError(
      `gather: offsetDims [${offset.join(", ")}] for the ${kept.length} axes of a window that are neither collapsed nor batching; one for each`,
    );
  return { offset, kept, batching };
}
