import { ArgumentError, DtypeError, ShapeError } from "../errors.ts";
import { checkOptions } from "../options.ts";
import { checkShape, sameShape, shapeText, sizeOf, type Shape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { at } from "../view.ts";
import { composite } from "./composite.ts";
import { convert } from "./convert.ts";
import { asTensor, type TensorLike } from "./create.ts";
import { neg } from "./elementwise.ts";
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
  type WindowAxis,
} from "./index-windows.ts";
import { gather } from "./gather.ts";
import { reshape, transpose } from "./movement.ts";
import { scatter as scatterRows, type ScatterCombine } from "./scatter.ts";

/** Which axis is which in lax.scatter; lists but `scatterDimsToOperandDims` and `scatterIndicesBatchingDims` ascend. */
export interface ScatterDimensionNumbers {
  /** The updates' axes that run through a window; the others run through the indices. */
  readonly updateWindowDims: readonly number[];
  /** The operand's axes of which a window has one element and the updates nothing. */
  readonly insertedWindowDims: readonly number[];
  /** The operand's axis that each number of an index is for. */
  readonly scatterDimsToOperandDims: readonly number[];
  /** The operand's axes that run along with axes of the indices, and those axes. */
  readonly operandBatchingDims?: readonly number[];
  readonly scatterIndicesBatchingDims?: readonly number[];
}

export interface ScatterOptions {
  /** A hint in JAX; nothing depends on it here. */
  readonly indicesAreSorted?: boolean;
  /** No element is named twice: needed for the gradient of factors. */
  readonly uniqueIndices?: boolean;
  /** A window that is not all inside: "drop" (unless told), "fill" and "promise_in_bounds" leave it out, "clip" moves it inside. */
  readonly mode?: ScatterMode;
}

export interface ScatterApplyOptions extends ScatterOptions {
  /** The shape that updates would have; that of the indices without their last axis unless told. */
  readonly updateShape?: Shape;
}

const SCATTER_OPTIONS = { indicesAreSorted: "flag", uniqueIndices: "flag", mode: true } as const;
const SCATTER_APPLY_OPTIONS = { ...SCATTER_OPTIONS, updateShape: true } as const;
const SCATTER_NUMBERS = {
  updateWindowDims: true,
  insertedWindowDims: true,
  scatterDimsToOperandDims: true,
  operandBatchingDims: true,
  scatterIndicesBatchingDims: true,
} as const;

/** The arguments, checked: what every window covers. */
interface Windows {
  readonly indices: Tensor;
  readonly axes: readonly WindowAxis[];
  /** The operand's axes that the updates have. */
  readonly kept: readonly number[];
  readonly windowDims: readonly number[];
}

function windowsOf(
  name: string,
  operand: Shape,
  scatterIndices: TensorLike,
  updates: Shape,
  numbers: ScatterDimensionNumbers,
): Windows {
  checkOptions(`${name}: dimensionNumbers`, numbers, SCATTER_NUMBERS);
  const rank = operand.length;
  const map = checkDims(name, "scatterDimsToOperandDims", numbers.scatterDimsToOperandDims, rank, false);
  const indices = windowStarts(name, scatterIndices, map.length);
  const inserted = checkDims(name, "insertedWindowDims", numbers.insertedWindowDims, rank, true);
  const batching = {
    operand: checkDims(name, "operandBatchingDims", numbers.operandBatchingDims ?? [], rank, true),
    indices: checkDims(
      name,
      "scatterIndicesBatchingDims",
      numbers.scatterIndicesBatchingDims ?? [],
      indices.ndim - 1,
      false,
    ),
  };
  checkApart(name, ["insertedWindowDims", "operandBatchingDims"], inserted, batching.operand);
  checkApart(name, ["scatterDimsToOperandDims", "operandBatchingDims"], map, batching.operand);
  checkBatchDims(name, operand, indices.shape, batching);
  const kept = operand.flatMap((_, axis) => (inserted.includes(axis) || batching.operand.includes(axis) ? [] : [axis]));
  const windowDims = checkDims(name, "updateWindowDims", numbers.updateWindowDims, updates.length, true);
  checkUpdates(name, operand, indices.shape, updates, kept, windowDims);
  const axes = operand.map((extent, axis): WindowAxis => {
    const [column, along, place] = [map.indexOf(axis), batching.operand.indexOf(axis), kept.indexOf(axis)];
    const size = place < 0 ? 1 : at(updates, at(windowDims, place));
    return { extent, size, column: column < 0 ? undefined : column, batch: batching.indices[along] };
  });
  return { indices, axes, kept, windowDims };
}

function checkUpdates(
  name: string,
  operand: Shape,
  indices: Shape,
  updates: Shape,
  kept: readonly number[],
  windowDims: readonly number[],
): void {
  if (windowDims.length !== kept.length)
    throw new ShapeError(
      `${name}: updateWindowDims [${windowDims.join(", ")}] for the ${kept.length} axes of a window that are neither inserted nor batching; one for each`,
    );
  const batch = updates.filter((_, dim) => !windowDims.includes(dim));
  const larger = windowDims.some((dim, k) => at(updates, dim) > at(operand, at(kept, k)));
  if (!sameShape(batch, indices.slice(0, -1)) || larger)
    throw new ShapeError(
      `${name}: updates of shape ${shapeText(updates)} with windows along [${windowDims.join(", ")}] do not fit indices of shape ${shapeText(indices)} and an operand of shape ${shapeText(operand)}`,
    );
}

function scattered(
  name: string,
  combine: ScatterCombine,
  operand: TensorLike,
  scatterIndices: TensorLike,
  updates: TensorLike,
  numbers: ScatterDimensionNumbers,
  options: ScatterOptions,
): Tensor {
  checkOptions(name, options, SCATTER_OPTIONS);
  const [x, given] = [asTensor(operand, name), asTensor(updates, name)];
  if (given.dtype !== x.dtype && !given.weak)
    throw new DtypeError(
      `${name}: updates of dtype ${given.dtype} for an operand of dtype ${x.dtype}; convert them with astype()`,
    );
  const mode = windowMode(name, options.mode ?? "drop", "fill");
  const { indices, axes, kept, windowDims } = windowsOf(name, x.shape, scatterIndices, given.shape, numbers);
  if (given.size === 0 || x.size === 0) return x;
  return composite(name, () => {
    const rows = windowRows(indices, axes, mode);
    const there = windowOrder(indices.ndim - 1, rows, kept, windowDims);
    const back = there.map((_, axis) => there.indexOf(axis));
    const whole = rows.whole.map((axis) => at(axes, axis).size);
    const values = reshape(transpose(convert(given, x.dtype), back), [sizeOf(rows.index.shape), ...whole]);
    const base = rowsFirst(x, rows);
    return base.back(scatterRows(combinedBy(combine, x), base.table, rows.index, values, options.uniqueIndices));
  });
}

/** A public function of an operand, indices, updates and what their axes are. */
export type ScatterFunction = (
  operand: TensorLike,
  scatterIndices: TensorLike,
  updates: TensorLike,
  dimensionNumbers: ScatterDimensionNumbers,
  options?: ScatterOptions,
) => Tensor;

function scatterBy(
  name: string,
  combine: ScatterCombine,
  prepare: (updates: Tensor) => Tensor = (updates) => updates,
): ScatterFunction {
  return (operand, scatterIndices, updates, numbers, options = {}) =>
    scattered(name, combine, operand, scatterIndices, prepare(asTensor(updates, name)), numbers, options);
}

/** Sums of bools are whether any is true, products whether all are. */
function combinedBy(combine: ScatterCombine, { dtype }: Tensor): ScatterCombine {
  if (dtype !== "bool") return combine;
  return combine === "add" ? "max" : combine === "mul" ? "min" : combine;
}

/**
 * The operand with windows replaced by updates, one window for each index; of several updates for one element, the last.
 * The last axis of `scatterIndices` holds an index: where the window starts on the axes of `scatterDimsToOperandDims`, 0 on
 * the others. Source: lax.scatter (XLA's Scatter).
 *
 * @throws ShapeError when the dimension numbers do not fit the shapes, DtypeError unless indices are integers and updates
 * have the operand's dtype.
 * @example
 * const numbers = { updateWindowDims: [], insertedWindowDims: [0], scatterDimsToOperandDims: [0] };
 * await lax.scatter(zeros([4]), array([[3], [1]]), array([5.5, 6]), numbers).toArray(); // [0, 6, 0, 5.5]
 */
export const scatter: ScatterFunction = /* @__PURE__ */ scatterBy("scatter", "set");

/**
 * The operand with updates added where `scatter` would put them; all of several for one element. Source: lax.scatter_add.
 *
 * @throws ShapeError, DtypeError as scatter.
 * @example
 * const numbers = { updateWindowDims: [], insertedWindowDims: [0], scatterDimsToOperandDims: [0] };
 * await lax.scatterAdd(zeros([3]), array([[1], [1]]), array([0.5, 2]), numbers).toArray(); // [0, 2.5, 0]
 */
export const scatterAdd: ScatterFunction = /* @__PURE__ */ scatterBy("scatterAdd", "add");

/**
 * The operand less the updates where `scatter` would put them. Source: lax.scatter_sub.
 *
 * @throws ShapeError, DtypeError as scatter.
 * @example
 * const numbers = { updateWindowDims: [], insertedWindowDims: [0], scatterDimsToOperandDims: [0] };
 * await lax.scatterSub(ones([3]), array([[1], [1]]), array([0.5, 2]), numbers).toArray(); // [1, -1.5, 1]
 */
export const scatterSub: ScatterFunction = /* @__PURE__ */ scatterBy("scatterSub", "add", neg);

/**
 * The operand times the updates where `scatter` would put them. The updates have a gradient only with `uniqueIndices`, as
 * in JAX. Source: lax.scatter_mul.
 *
 * @throws ShapeError, DtypeError as scatter.
 * @example
 * const numbers = { updateWindowDims: [], insertedWindowDims: [0], scatterDimsToOperandDims: [0] };
 * await lax.scatterMul(full([3], 2.5), array([[0], [0]]), array([2, 0.5]), numbers).toArray(); // [2.5, 2.5, 2.5]
 */
export const scatterMul: ScatterFunction = /* @__PURE__ */ scatterBy("scatterMul", "mul");

/**
 * The smaller of the operand and the updates where `scatter` would put them. Source: lax.scatter_min.
 *
 * @throws ShapeError, DtypeError as scatter.
 * @example
 * const numbers = { updateWindowDims: [], insertedWindowDims: [0], scatterDimsToOperandDims: [0] };
 * await lax.scatterMin(ones([3]), array([[0], [2]]), array([-0.5, 2]), numbers).toArray(); // [-0.5, 1, 1]
 */
export const scatterMin: ScatterFunction = /* @__PURE__ */ scatterBy("scatterMin", "min");

/**
 * The larger of the operand and the updates where `scatter` would put them. Source: lax.scatter_max.
 *
 * @throws ShapeError, DtypeError as scatter.
 * @example
 * const numbers = { updateWindowDims: [], insertedWindowDims: [0], scatterDimsToOperandDims: [0] };
 * await lax.scatterMax(ones([3]), array([[0], [2]]), array([-0.5, 2]), numbers).toArray(); // [1, 1, 2]
 */
export const scatterMax: ScatterFunction = /* @__PURE__ */ scatterBy("scatterMax", "max");

/**
 * The operand with `f` of the elements where `scatter` would put updates of `updateShape`; of elements named twice, once,
 * as at(x, i).apply has it. Source: lax.scatter_apply.
 *
 * @throws ShapeError, DtypeError as scatter, ArgumentError unless f is a function.
 * @example
 * const numbers = { updateWindowDims: [], insertedWindowDims: [0], scatterDimsToOperandDims: [0] };
 * await lax.scatterApply(array([1, 2, 3]), array([[2]]), square, numbers, { updateShape: [1] }).toArray(); // [1, 2, 9]
 */
export function scatterApply(
  operand: TensorLike,
  scatterIndices: TensorLike,
  f: (elements: Tensor) => Tensor,
  dimensionNumbers: ScatterDimensionNumbers,
  options: ScatterApplyOptions = {},
): Tensor {
  checkOptions("scatterApply", options, SCATTER_APPLY_OPTIONS);
  if (typeof f !== "function")
    throw new ArgumentError(`scatterApply: expected a function of the elements, received ${String(f)}`);
  const [x, starts] = [asTensor(operand, "scatterApply"), asTensor(scatterIndices, "scatterApply")];
  const { updateShape = starts.shape.slice(0, -1), ...others } = options;
  const shape = checkShape("scatterApply", updateShape);
  const { axes, windowDims } = windowsOf("scatterApply", x.shape, starts, shape, dimensionNumbers);
  const { insertedWindowDims, scatterDimsToOperandDims, operandBatchingDims, scatterIndicesBatchingDims } =
    dimensionNumbers;
  const numbers = {
    offsetDims: windowDims,
    collapsedSliceDims: insertedWindowDims,
    startIndexMap: scatterDimsToOperandDims,
    operandBatchingDims: operandBatchingDims ?? [],
    startIndicesBatchingDims: scatterIndicesBatchingDims ?? [],
  };
  const sizes = axes.map(({ size }) => size);
  const mode = windowMode("scatterApply", options.mode ?? "drop", "fill");
  const elements = gather(x, starts, numbers, sizes, { mode, fillValue: 0 });
  return scattered("scatterApply", "set", x, starts, f(elements), dimensionNumbers, others);
}
