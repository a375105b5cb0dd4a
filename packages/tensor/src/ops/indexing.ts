import { planGather, planScatter } from "@jnx/kernels-wgsl";
import { bind } from "../dispatch.ts";
import { checkDType, computedDType, isFloat, isInteger, rangeOf, type DType } from "../dtype.ts";
import { ArgumentError, DtypeError, ShapeError } from "../errors.ts";
import type { KernelOp } from "../op.ts";
import { broadcastShapes, checkShape, normalizeAxis, shapeText, sizeOf, type Shape } from "../shape.ts";
import type { Aval, Tensor } from "../tensor.ts";
import { at, isIdentity } from "../view.ts";
import { convert, unpacked } from "./convert.ts";
import { asTensor, broadcastedIota, type TensorLike } from "./create.ts";
import { equal } from "./elementwise.ts";
import { stackedIndex, stackRows, takenOrder, unstackRows } from "./indexing-batch.ts";
import { broadcastTo, expandDims, moveaxis, reshape, transpose } from "./movement.ts";
import { spreadBatch } from "./batching.ts";
import { checkOptions } from "../options.ts";

const TAKE_ALONG_AXIS_OPTIONS = { mode: true, fillValue: "number" } as const;
const TAKE_OPTIONS = {
  ...TAKE_ALONG_AXIS_OPTIONS,
  axis: true,
  uniqueIndices: "flag",
  indicesAreSorted: "flag",
} as const;
const ONE_HOT_OPTIONS = { dtype: true, axis: "number" } as const;

/** What an index past the end means: NaN (or the dtype's extreme), the nearest element, or counting around. */
export type IndexMode = "fill" | "clip" | "wrap";

export interface TakeAlongAxisOptions {
  readonly mode?: IndexMode;
  /** What mode "fill" reads outside: NaN, the least signed or the largest unsigned number, true, unless told. */
  readonly fillValue?: number;
}

export interface AlongAxisOptions extends TakeAlongAxisOptions {
  /** Whether negative indices count from the end, true; else they are outside, as those past it. */
  readonly wrapNegativeIndices?: boolean;
}

export interface TakeOptions extends TakeAlongAxisOptions {
  /** The axis to take along; without it, x is flattened first. */
  readonly axis?: number | null;
  /** Hints in JAX; nothing depends on them here. */
  readonly uniqueIndices?: boolean;
  readonly indicesAreSorted?: boolean;
}

interface IndexAttrs {
  readonly axis: number;
  /** True when the indices have the operand's rank and are looked up position by position. */
  readonly along: boolean;
  readonly mode: IndexMode;
  /** What "fill" reads outside; JAX's choice for the dtype unless told. */
  readonly fill?: number;
  /** Whether negative indices count from the end; as the function has it unless told. */
  readonly fromEnd?: boolean;
}

interface ScatterAttrs extends IndexAttrs {
  /** Extent of the axis that is scattered into. */
  readonly rows: number;
}

/** What JAX fills with: NaN for floats, the least signed number, the largest unsigned one, true. */
export function fillOf(dtype: DType): number {
  const [least, most] = rangeOf(dtype);
  return isFloat(dtype) ? Number.NaN : computedDType(dtype) === "int32" ? least : most;
}

function extents(shape: Shape, axis: number): { outer: number; rows: number; inner: number } {
  return { outer: sizeOf(shape.slice(0, axis)), rows: at(shape, axis), inner: sizeOf(shape.slice(axis + 1)) };
}

/** jnp.take clips negative indices to 0; every other mode, and take_along_axis, counts them from the end. */
function fromEnd({ along, mode, fromEnd: told }: IndexAttrs): boolean {
  return told ?? (along || mode !== "clip");
}

function indexDType({ dtype }: Aval): "int32" | "uint32" {
  return dtype === "uint32" ? "uint32" : "int32";
}

function takenShape(x: Shape, index: Shape, { axis, along }: IndexAttrs): Shape {
  return along ? index : [...x.slice(0, axis), ...index, ...x.slice(axis + 1)];
}

const gatherOp: KernelOp<IndexAttrs> = {
  kind: "kernel",
  name: "gather",
  moves: true,
  infer: ([x, index], attrs) => ({
    shape: x && index ? takenShape(x.shape, index.shape, attrs) : [],
    dtype: x?.dtype ?? "float32",
    weak: false,
  }),
  accepts: isIdentity,
  plan: ([x, index], attrs, limits) => {
    const { axis, along, mode } = attrs;
    if (x === undefined || index === undefined) return [];
    const size = extents(x.aval.shape, axis);
    const take = along ? at(index.aval.shape, axis) : sizeOf(index.aval.shape);
    const spec = {
      ...size,
      take,
      along,
      mode,
      dtype: x.aval.dtype,
      indexDType: indexDType(index.aval),
      fromEnd: fromEnd(attrs),
      fill: attrs.fill ?? fillOf(x.given),
      vector: size.inner % 4 === 0,
    };
    return planGather(spec, limits);
  },
  vjp: ({ inputs: [x, index], attrs }, ct) => [
    x && index && bind(scatterAddOp, [ct, index], { ...attrs, rows: at(x.shape, attrs.axis) }),
  ],
  jvp: ({ inputs: [, index], attrs }, [tangent]) =>
    tangent && index && bind(gatherOp, [tangent, index], { ...attrs, fill: 0 }),
  batch: (inputs, batched, attrs) => {
    const [x, index] = inputs;
    const { axis, along } = attrs;
    if (x === undefined || index === undefined) throw new Error("jnx internal error: gather needs two operands");
    if (along) return bind(gatherOp, spreadBatch(inputs, batched), { ...attrs, axis: axis + 1 });
    if (batched[1] === false) return bind(gatherOp, inputs, { ...attrs, axis: axis + 1 });
    if (batched[0] === false) return moveaxis(bind(gatherOp, inputs, attrs), axis, 0);
    const own = stackedIndex(index, { ...attrs, fromEnd: fromEnd(attrs), rows: at(x.shape, axis + 1) });
    const rows = stackRows(x, axis + 1);
    const taken = bind(gatherOp, [rows, own], { ...attrs, axis: 0, mode: "fill" });
    return transpose(taken, takenOrder(taken.ndim, index.ndim - 1, axis).there);
  },
};

/** Zeros, with every update added to the row its index names: the transpose of a gather. Fixed order, no atomics. */
const scatterAddOp: KernelOp<ScatterAttrs> = {
  kind: "kernel",
  name: "scatter_add",
  workspaceDType: "uint32",
  infer: ([updates, index], { axis, along, rows }) => {
    const shape = updates?.shape ?? [];
    const after = along ? axis + 1 : axis + (index?.shape.length ?? 0);
    return {
      shape: [...shape.slice(0, axis), rows, ...shape.slice(after)],
      dtype: updates?.dtype ?? "float32",
      weak: false,
    };
  },
  accepts: isIdentity,
  plan: ([updates, index], attrs, limits) => {
    const { axis, along, rows, mode } = attrs;
    if (updates === undefined || index === undefined) return [];
    const { shape, dtype } = updates.aval;
    const take = along ? at(shape, axis) : sizeOf(index.aval.shape);
    const inner = sizeOf(shape.slice(along ? axis + 1 : axis + index.aval.shape.length));
    const spec = {
      outer: sizeOf(shape.slice(0, axis)),
      rows,
      take,
      inner,
      along,
      mode,
      dtype,
      indexDType: indexDType(index.aval),
      fromEnd: fromEnd(attrs),
      vector: inner % 4 === 0,
    };
    return planScatter({ ...spec, combine: "add", base: false }, limits);
  },
  vjp: ({ inputs: [, index], attrs }, ct) => [index && bind(gatherOp, [ct, index], { ...attrs, fill: 0 })],
  jvp: ({ inputs: [, index], attrs }, [tangent]) => tangent && index && bind(scatterAddOp, [tangent, index], attrs),
  batch: (inputs, batched, attrs) => {
    const [updates, index] = spreadBatch(inputs, batched);
    const { axis, along, rows } = attrs;
    if (updates === undefined || index === undefined)
      throw new Error("jnx internal error: scatter_add needs two operands");
    if (along) return bind(scatterAddOp, [updates, index], { ...attrs, axis: axis + 1 });
    if (batched[1] === false) return bind(scatterAddOp, inputs, { ...attrs, axis: axis + 1 });
    const own = stackedIndex(index, { ...attrs, fromEnd: fromEnd(attrs) });
    const first = transpose(updates, takenOrder(updates.ndim, index.ndim - 1, axis).back);
    const stacked = { ...attrs, axis: 0, mode: "fill" as const, rows: rows * at(index.shape, 0) };
    return unstackRows(bind(scatterAddOp, [first, own], stacked), rows, axis + 1);
  },
};

/** Element by element along an axis (normalized), without checks: the indices have the result's shape. */
export function gatherAlong(
  x: Tensor,
  index: Tensor,
  axis: number,
  options: { readonly fill?: number; readonly fromEnd?: boolean; readonly mode?: IndexMode } = {},
): Tensor {
  return bind(gatherOp, [x, index], { mode: "fill", ...options, axis, along: true });
}

/** Rows of x by an int32 vector, without checks: rows outside are `fill`, 0 unless told. */
export function gatherRows(x: Tensor, index: Tensor, fill: number | "default" = 0): Tensor {
  const outside = fill === "default" ? {} : { fill };
  return bind(gatherOp, [x, index], { axis: 0, along: false, mode: "fill", fromEnd: false, ...outside });
}

const MODES: readonly string[] = ["fill", "clip", "wrap"] satisfies readonly IndexMode[];

function checkMode(name: string, mode: IndexMode = "fill"): IndexMode {
  if (MODES.includes(mode)) return mode;
  throw new ArgumentError(`${name}: unknown mode ${JSON.stringify(mode)}; expected one of ${MODES.join(", ")}`);
}

/** What is read where an index is outside. */
function outside(
  name: string,
  { mode, fillValue }: TakeAlongAxisOptions,
): { readonly mode: IndexMode; readonly fill?: number } {
  const checked = checkMode(name, mode);
  if (fillValue === undefined) return { mode: checked };
  if (typeof fillValue !== "number")
    throw new ArgumentError(`${name}: fillValue is a number, received ${String(fillValue)}`);
  return { mode: checked, fill: fillValue };
}

function checkIndex(name: string, index: Tensor): Tensor {
  if (isInteger(index.dtype)) return unpacked(index);
  throw new DtypeError(
    `${name}: indices must be integers such as int32, received ${index.dtype}; convert them with astype()`,
  );
}

/**
 * Slices of x along an axis, by index; negative indices count from the end. What is out of range reads as NaN (mode
 * "fill", the default), as the nearest element ("clip", where negative indices are out of range too) or counts around
 * ("wrap"). Source: jnp.take.
 *
 * @throws ShapeError when there is nothing to take from.
 *
 * @example
 * await take(array([10, 20, 30]), array([2, 0])).toArray(); // [30, 10]
 */
export function take(x: TensorLike, indices: TensorLike, options: TakeOptions = {}): Tensor {
  checkOptions("take", options, TAKE_OPTIONS);
  const { axis: along = null } = options;
  const tensor = along === null ? reshape(asTensor(x, "take"), [-1]) : asTensor(x, "take");
  const axis = normalizeAxis("take", along ?? 0, tensor.ndim);
  const index = checkIndex("take", asTensor(indices, "take"));
  if (tensor.shape[axis] === 0 && index.size > 0)
    throw new ShapeError(
      `take: axis ${axis} of ${shapeText(tensor.shape)} has no elements to take; received ${index.size} indices`,
    );
  return bind(gatherOp, [tensor, index], { axis, along: false, ...outside("take", options) });
}

/**
 * x[…, indices[…, k, …], …] along an axis: the indices have x's rank; x and the indices broadcast on the other axes.
 * Source: jnp.take_along_axis.
 *
 * @throws ShapeError when the ranks differ or the other axes do not fit.
 * @example
 * await takeAlongAxis(array([[1, 2], [3, 4]]), array([[1], [0]]), 1).toArray(); // [[2], [3]]
 */
export function takeAlongAxis(
  x: TensorLike,
  indices: TensorLike,
  axis: number,
  options: AlongAxisOptions = {},
): Tensor {
  checkOptions("takeAlongAxis", options, { ...TAKE_ALONG_AXIS_OPTIONS, wrapNegativeIndices: "flag" });
  const { wrapNegativeIndices } = options;
  const tensor = asTensor(x, "takeAlongAxis");
  // As int32, a uint32 past the middle counts from the end, as in JAX.
  const index = convert(checkIndex("takeAlongAxis", asTensor(indices, "takeAlongAxis")), "int32");
  const along = normalizeAxis("takeAlongAxis", axis, tensor.ndim);
  if (index.ndim !== tensor.ndim)
    throw new ShapeError(
      `takeAlongAxis: indices of shape ${shapeText(index.shape)} for an array of shape ${shapeText(tensor.shape)}; both need the same number of axes, see expandDims`,
    );
  const others = (shape: Shape): Shape => shape.map((extent, k) => (k === along ? 1 : extent));
  const outer = broadcastShapes("takeAlongAxis", others(tensor.shape), others(index.shape));
  const full = (shape: Shape): Shape => outer.map((extent, k) => (k === along ? at(shape, k) : extent));
  return bind(gatherOp, [broadcastTo(tensor, full(tensor.shape)), broadcastTo(index, full(index.shape))], {
    axis: along,
    along: true,
    ...outside("takeAlongAxis", options),
    ...(wrapNegativeIndices === undefined ? {} : { fromEnd: wrapNegativeIndices }),
  });
}

export interface OneHotOptions {
  readonly dtype?: DType;
  /** Where the new axis goes in the result; last unless told. */
  readonly axis?: number;
}

/**
 * 1 at each index along a new axis of `numClasses`, 0 elsewhere; what is no class gives zeros, a fraction too. Source: jax.nn.one_hot.
 *
 * @throws DtypeError for bools.
 * @example await oneHot(array([1, 3]), 3).toArray(); // [[0, 1, 0], [0, 0, 0]]
 */
export function oneHot(x: TensorLike, numClasses: number, options: OneHotOptions = {}): Tensor {
  checkOptions("oneHot", options, ONE_HOT_OPTIONS);
  const given = asTensor(x, "oneHot");
  const index = isFloat(given.dtype) ? given : checkIndex("oneHot", given);
  const dtype = checkDType("oneHot", options.dtype ?? "float32");
  const axis = normalizeAxis("oneHot", options.axis ?? -1, index.ndim + 1);
  checkShape("oneHot", [...index.shape, numClasses]);
  const classes = broadcastedIota(
    "int32",
    Array.from({ length: index.ndim + 1 }, (_, k) => (k === axis ? numClasses : 1)),
    axis,
  );
  return convert(equal(expandDims(isFloat(index.dtype) ? index : convert(index, "int32"), axis), classes), dtype);
}
