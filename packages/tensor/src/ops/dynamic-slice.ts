import { isInteger } from "../dtype.ts";
import { planGather } from "@jnx/kernels-wgsl";
import { bind } from "../dispatch.ts";
import { DtypeError, ShapeError } from "../errors.ts";
import type { KernelOp } from "../op.ts";
import { checkList, checkShape, normalizeAxis, shapeText, sizeOf, type Shape } from "../shape.ts";
import { Tensor } from "../tensor.ts";
import { at, isIdentity } from "../view.ts";
import { batchSize, spreadBatch } from "./batching.ts";
import { convert, unpacked } from "./convert.ts";
import { asTensor, broadcastedIota, type TensorLike } from "./create.ts";
import { add, clip, greaterEqual, less, logicalAnd, neg, sub, where } from "./elementwise.ts";
import { gatherAlong } from "./indexing.ts";
import { broadcastTo, laxSlice, reshape, squeeze } from "./movement.ts";
import { pad } from "./pad.ts";
import { checkOptions } from "../options.ts";

const DYNAMIC_INDEX_IN_DIM_OPTIONS = { keepdims: "flag" } as const;

interface WindowAttrs {
  readonly axis: number;
  /** Rows taken: from the start on, zeros where the operand has none. */
  readonly size: number;
}

/**
 * y[…, k, …] = x[…, start + k, …] for k < size, 0 outside x; the start is an int32 scalar on the device. Its transpose
 * is the window from −start: neither sorts nor scatters.
 */
const windowOp: KernelOp<WindowAttrs> = {
  kind: "kernel",
  name: "dynamic_slice",
  moves: true,
  infer: ([x], { axis, size }) => ({
    shape: x?.shape.map((extent, k) => (k === axis ? size : extent)) ?? [],
    dtype: x?.dtype ?? "float32",
    weak: x?.weak ?? false,
  }),
  accepts: isIdentity,
  plan: ([x], { axis, size }, limits) => {
    if (x === undefined) return [];
    const { shape, dtype } = x.aval;
    const inner = sizeOf(shape.slice(axis + 1));
    const spec = {
      outer: sizeOf(shape.slice(0, axis)),
      rows: at(shape, axis),
      take: size,
      inner,
      dtype,
      vector: inner % 4 === 0,
    };
    const rule = { along: false, window: true, mode: "fill", fill: 0, indexDType: "int32", fromEnd: false } as const;
    return planGather({ ...spec, ...rule }, limits);
  },
  vjp: ({ inputs: [x, start], attrs: { axis } }, ct) => [
    x && start && dynamicWindow(ct, neg(start), axis, at(x.shape, axis)),
  ],
  batch: (inputs, batched, { axis, size }) => {
    const [x, start] = batched[1] === true ? spreadBatch(inputs, batched) : inputs;
    if (x === undefined || start === undefined) throw new Error("jnx internal error: a window without operands");
    if (batched[1] !== true) return bind(windowOp, [x, start], { axis: axis + 1, size });
    // Each example from its own start: element by element, by index.
    const shape = x.shape.map((extent, k) => (k === axis + 1 ? size : extent));
    const first = reshape(start, [batchSize(inputs, batched), ...shape.slice(1).map(() => 1)]);
    const index = add(broadcastTo(first, shape), broadcastedIota("int32", shape, axis + 1));
    return gatherAlong(x, index, axis + 1, { fill: 0, fromEnd: false });
  },
};

/** `size` elements of an axis (normalized) from `start` on, an int32 scalar; zeros before and after what x has. */
export function dynamicWindow(x: Tensor, start: Tensor, axis: number, size: number): Tensor {
  return bind(windowOp, [x, start], { axis, size });
}

/** Where a slice begins: one number for each axis, or an int32 array of as many. */
export type StartIndices = readonly TensorLike[] | Tensor;

function startsOf(name: string, starts: StartIndices, rank: number): (number | Tensor)[] {
  const list: readonly TensorLike[] =
    starts instanceof Tensor
      ? Array.from({ length: starts.ndim === 1 ? at(starts.shape, 0) : 0 }, (_, k) =>
          reshape(laxSlice(starts, [k], [k + 1]), []),
        )
      : checkList(name, "starts", starts);
  if (!Array.isArray(list) || list.length !== rank)
    throw new ShapeError(`${name}: needs one start for each of ${rank} axes, received ${list.length}`);
  return list.map((start) => {
    if (typeof start === "number" && Number.isInteger(start)) return start;
    const tensor = asTensor(start, name);
    if (tensor.ndim > 0 || !isInteger(tensor.dtype))
      throw new DtypeError(
        `${name}: starts are whole numbers or int32 scalars, received ${typeof start === "number" ? start : `${tensor.dtype}${shapeText(tensor.shape)}`}`,
      );
    return unpacked(tensor);
  });
}

/** A start that lies within the axis: negative ones count from the end, then the slice is moved to fit. */
function fitted(start: number | Tensor, extent: number, size: number): number | Tensor {
  if (typeof start === "number") return Math.min(Math.max(start < 0 ? start + extent : start, 0), extent - size);
  const signed = convert(start, "int32");
  // A uint32 past the middle is a large number, not a negative one.
  if (start.dtype === "uint32") return convert(clip(start, 0, extent - size), "int32");
  return clip(where(less(signed, 0), add(signed, extent), signed), 0, extent - size);
}

function checkSizes(name: string, sizes: Shape, x: Tensor): Shape {
  const checked = checkShape(name, sizes);
  if (checked.length !== x.ndim || checked.some((size, axis) => size > at(x.shape, axis)))
    throw new ShapeError(
      `${name}: sizes ${shapeText(checked)} do not fit ${shapeText(x.shape)}; each at most the extent`,
    );
  return checked;
}

/**
 * A slice of fixed sizes whose start the device may know. Negative starts count from the end; a slice that would reach
 * outside is moved to fit. Source: lax.dynamic_slice.
 *
 * @throws ShapeError when starts or sizes do not fit x, DtypeError unless starts are whole numbers.
 * @example
 * await dynamicSlice(arange(6), [array(4)], [3]).toArray(); // [3, 4, 5]
 */
export function dynamicSlice(x: TensorLike, startIndices: StartIndices, sliceSizes: Shape): Tensor {
  const tensor = asTensor(x, "dynamicSlice");
  const starts = startsOf("dynamicSlice", startIndices, tensor.ndim);
  const sizes = checkSizes("dynamicSlice", sliceSizes, tensor);
  const fits = starts.map((start, axis) => fitted(start, at(tensor.shape, axis), at(sizes, axis)));
  const known = fits.map((start) => (typeof start === "number" ? start : 0));
  const limits = fits.map((start, axis) =>
    typeof start === "number" ? start + at(sizes, axis) : at(tensor.shape, axis),
  );
  let taken = laxSlice(tensor, known, limits);
  fits.forEach((start, axis) => {
    const size = at(sizes, axis);
    if (typeof start !== "number" && size !== at(tensor.shape, axis)) taken = dynamicWindow(taken, start, axis, size);
  });
  return taken;
}

/**
 * x with `update` in place of the slice that starts there; the start is moved to fit, as in dynamicSlice.
 * Source: lax.dynamic_update_slice.
 *
 * @throws ShapeError when starts or the update do not fit x, DtypeError when the dtypes differ.
 * @example
 * await dynamicUpdateSlice(zeros([4]), ones([2]), [array(1)]).toArray(); // [0, 1, 1, 0]
 */
export function dynamicUpdateSlice(x: TensorLike, update: TensorLike, startIndices: StartIndices): Tensor {
  const [tensor, given] = [asTensor(x, "dynamicUpdateSlice"), asTensor(update, "dynamicUpdateSlice")];
  const starts = startsOf("dynamicUpdateSlice", startIndices, tensor.ndim);
  const sizes = checkSizes("dynamicUpdateSlice", given.shape, tensor);
  if (given.dtype !== tensor.dtype && !given.weak)
    throw new DtypeError(
      `dynamicUpdateSlice: an update of ${given.dtype} for an array of ${tensor.dtype}; convert it with astype()`,
    );
  let placed = convert(given, tensor.dtype, tensor.weak);
  let inside: Tensor | undefined;
  starts.forEach((one, axis) => {
    const [extent, size] = [at(tensor.shape, axis), at(sizes, axis)];
    if (size === extent) return;
    const start = fitted(one, extent, size);
    placed =
      typeof start === "number"
        ? padAxis(placed, axis, start, extent)
        : dynamicWindow(placed, neg(start), axis, extent);
    const along = tensor.shape.map((_, k) => (k === axis ? extent : 1));
    const place = sub(broadcastedIota("int32", along, axis), start);
    const within = logicalAnd(greaterEqual(place, 0), less(place, size));
    inside = inside === undefined ? within : logicalAnd(inside, within);
  });
  return inside === undefined ? placed : where(inside, placed, tensor);
}

function padAxis(x: Tensor, axis: number, low: number, extent: number): Tensor {
  return pad(
    x,
    0,
    x.shape.map((own, k) => (k === axis ? ([low, extent - own - low, 0] as const) : ([0, 0, 0] as const))),
  );
}

/** One start for one axis, 0 for the others. */
function onAxis(name: string, start: TensorLike, axis: number, rank: number): (number | Tensor)[] {
  const given = typeof start === "number" ? start : asTensor(start, name);
  return Array.from({ length: rank }, (_, k) => (k === axis ? given : 0));
}

/**
 * `sliceSize` elements of one axis from `startIndex` on, all of the others. Source: lax.dynamic_slice_in_dim.
 *
 * @throws ShapeError when the axis is out of range or the size larger than its extent.
 * @example await dynamicSliceInDim(arange(6), array(2), 3).toArray(); // [2, 3, 4]
 */
export function dynamicSliceInDim(x: TensorLike, startIndex: TensorLike, sliceSize: number, axis = 0): Tensor {
  const tensor = asTensor(x, "dynamicSliceInDim");
  const along = normalizeAxis("dynamicSliceInDim", axis, tensor.ndim);
  const sizes = tensor.shape.map((extent, k) => (k === along ? sliceSize : extent));
  return dynamicSlice(tensor, onAxis("dynamicSliceInDim", startIndex, along, tensor.ndim), sizes);
}

/**
 * The slice of an axis at an index that the device may know; `keepdims: false` takes the axis out.
 * Source: lax.dynamic_index_in_dim.
 *
 * @throws ShapeError when the axis is out of range.
 * @example await dynamicIndexInDim(arange(6), array(2), 0, { keepdims: false }).item(); // 2
 */
export function dynamicIndexInDim(
  x: TensorLike,
  index: TensorLike,
  axis = 0,
  options: { readonly keepdims?: boolean } = {},
): Tensor {
  checkOptions("dynamicIndexInDim", options, DYNAMIC_INDEX_IN_DIM_OPTIONS);
  const taken = dynamicSliceInDim(
    asTensor(x, "dynamicIndexInDim"),
    typeof index === "number" ? index : asTensor(index, "dynamicIndexInDim"),
    1,
    axis,
  );
  return options.keepdims === false ? squeeze(taken, axis) : taken;
}

/**
 * dynamicUpdateSlice along one axis. Source: lax.dynamic_update_slice_in_dim.
 *
 * @throws ShapeError when the axis is out of range or the update does not fit.
 * @example await dynamicUpdateSliceInDim(zeros([3]), ones([1]), array(2), 0).toArray(); // [0, 0, 1]
 */
export function dynamicUpdateSliceInDim(
  x: TensorLike,
  update: TensorLike,
  startIndex: TensorLike,
  axis: number,
): Tensor {
  const tensor = asTensor(x, "dynamicUpdateSliceInDim");
  const along = normalizeAxis("dynamicUpdateSliceInDim", axis, tensor.ndim);
  return dynamicUpdateSlice(tensor, update, onAxis("dynamicUpdateSliceInDim", startIndex, along, tensor.ndim));
}

/**
 * x with the slice of an axis at an index replaced; the update may lack that axis. Source: lax.dynamic_update_index_in_dim.
 *
 * @throws ShapeError when the axis is out of range or the update does not fit.
 * @example await dynamicUpdateIndexInDim(zeros([3]), 5, array(1), 0).toArray(); // [0, 5, 0]
 */
export function dynamicUpdateIndexInDim(x: TensorLike, update: TensorLike, index: TensorLike, axis: number): Tensor {
  const [tensor, given] = [asTensor(x, "dynamicUpdateIndexInDim"), asTensor(update, "dynamicUpdateIndexInDim")];
  const along = normalizeAxis("dynamicUpdateIndexInDim", axis, tensor.ndim);
  const row =
    given.ndim === tensor.ndim
      ? given
      : reshape(given, [...given.shape.slice(0, along), 1, ...given.shape.slice(along)]);
  return dynamicUpdateSliceInDim(tensor, row, index, along);
}
