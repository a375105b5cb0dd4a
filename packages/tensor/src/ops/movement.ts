import { bind } from "../dispatch.ts";
import { ArgumentError, ShapeError } from "../errors.ts";
import type { ViewOp } from "../op.ts";
import {
  checkList,
  checkShape,
  normalizeAxes,
  normalizeAxis,
  sameShape,
  shapeText,
  sizeOf,
  type Shape,
} from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { at, broadcastView, reshapeView, sliceView, transposeView } from "../view.ts";
import { asTensor, type TensorLike } from "./create.ts";
import { pad } from "./pad.ts";
import { sum } from "./reduce.ts";
import { batchSize, only, withRank } from "./batching.ts";
import { checkOptions } from "../options.ts";

const FLIP_OPTIONS = { axis: true } as const;

interface ShapeAttrs {
  readonly shape: Shape;
}

const reshapeOp: ViewOp<ShapeAttrs> = {
  kind: "view",
  name: "reshape",
  infer: ([x], { shape }) => ({ shape, dtype: x?.dtype ?? "float32", weak: x?.weak ?? false }),
  view: (view, { shape }) => reshapeView(view, shape),
  vjp: ({ inputs: [x] }, ct) => [x && reshape(ct, x.shape)],
  batch: (inputs, batched, { shape }) => bind(reshapeOp, inputs, { shape: [batchSize(inputs, batched), ...shape] }),
};

export interface ReshapeOptions {
  /** Whether elements are counted along the last axis first, as rows lie ("C", unless told), or along the first ("F"). */
  readonly order?: "C" | "F";
}

function isColumnwise(options: ReshapeOptions): boolean {
  checkOptions("reshape", options, { order: true });
  const { order = "C" } = options;
  if (order === "C" || order === "F") return order === "F";
  throw new ArgumentError(`reshape: order is "C" or "F", received ${JSON.stringify(order)}`);
}

/**
 * The same elements in row-major order, or in the order told, under another shape; one extent may be −1 and is worked out.
 * Source: jnp.reshape.
 *
 * @throws ShapeError when the number of elements differs, ArgumentError for another order.
 * @example
 * reshape(arange(6), [2, -1]).shape; // [2, 3]
 * await reshape(arange(6), [2, 3], { order: "F" }).toArray(); // [[0, 2, 4], [1, 3, 5]]
 */
export function reshape(x: TensorLike, shape: Shape | number, options?: ReshapeOptions): Tensor {
  const tensor = asTensor(x, "reshape");
  const wanted = resolveShape(tensor, typeof shape === "number" ? [shape] : checkList("reshape", "shape", shape));
  if (options !== undefined && isColumnwise(options))
    return transpose(reshape(transpose(tensor), [...wanted].reverse()));
  return sameShape(tensor.shape, wanted) ? tensor : bind(reshapeOp, [tensor], { shape: wanted });
}

function resolveShape(x: Tensor, shape: Shape): Shape {
  const unknown = shape.indexOf(-1);
  if (unknown < 0) {
    const wanted = checkShape("reshape", shape);
    if (sizeOf(wanted) !== x.size)
      throw new ShapeError(
        `reshape: ${shapeText(x.shape)} has ${x.size} elements, ${shapeText(wanted)} has ${sizeOf(wanted)}`,
      );
    return wanted;
  }
  const known = checkShape(
    "reshape",
    shape.filter((_, axis) => axis !== unknown),
  );
  const extent = x.size / Math.max(1, sizeOf(known));
  if (!Number.isInteger(extent) || sizeOf(known) * extent !== x.size)
    throw new ShapeError(
      `reshape: ${shapeText(x.shape)} has ${x.size} elements, which do not divide into ${shapeText(shape)}`,
    );
  return shape.map((one, axis) => (axis === unknown ? extent : one));
}

/**
 * x as one axis. Source: jnp.ravel.
 * @example await ravel(array([[1, 2], [3, 4]])).toArray(); // [1, 2, 3, 4]
 */
export function ravel(x: TensorLike): Tensor {
  const tensor = asTensor(x, "ravel");
  return reshape(tensor, [-1]);
}

interface TransposeAttrs {
  readonly axes: readonly number[];
}

const transposeOp: ViewOp<TransposeAttrs> = {
  kind: "view",
  name: "transpose",
  infer: ([x], { axes }) => ({
    shape: axes.map((axis) => at(x?.shape ?? [], axis)),
    dtype: x?.dtype ?? "float32",
    weak: x?.weak ?? false,
  }),
  view: (view, { axes }) => transposeView(view, axes),
  vjp: ({ attrs: { axes } }, ct) => [
    transpose(
      ct,
      axes.map((_, axis) => axes.indexOf(axis)),
    ),
  ],
  batch: (inputs, _batched, { axes }) => bind(transposeOp, inputs, { axes: [0, ...axes.map((axis) => axis + 1)] }),
};

/**
 * Axes in another order, reversed unless told. Moves no data. Source: jnp.transpose.
 *
 * @throws ShapeError unless the axes name each axis once.
 * @example await transpose(array([[1, 2], [3, 4]])).toArray(); // [[1, 3], [2, 4]]
 */
export function transpose(x: TensorLike, axes?: readonly number[]): Tensor {
  const tensor = asTensor(x, "transpose");
  const named = axes === undefined ? undefined : checkList("transpose", "axes", axes);
  const order =
    named?.map((axis) => normalizeAxis("transpose", axis, tensor.ndim)) ??
    tensor.shape.map((_, axis) => tensor.ndim - 1 - axis);
  if (order.length !== tensor.ndim || new Set(order).size !== tensor.ndim)
    throw new ShapeError(`transpose: axes [${order.join(", ")}] do not name each of ${tensor.ndim} axes once`);
  return order.every((axis, k) => axis === k) ? tensor : bind(transposeOp, [tensor], { axes: order });
}

/**
 * Two axes exchanged. Source: jnp.swapaxes.
 *
 * @throws ShapeError when an axis is out of range.
 * @example swapaxes(zeros([2, 3, 4]), 0, 2).shape; // [4, 3, 2]
 */
export function swapaxes(x: TensorLike, axis1: number, axis2: number): Tensor {
  const tensor = asTensor(x, "swapaxes");
  const [a, b] = [normalizeAxis("swapaxes", axis1, tensor.ndim), normalizeAxis("swapaxes", axis2, tensor.ndim)];
  return transpose(
    tensor,
    tensor.shape.map((_, axis) => (axis === a ? b : axis === b ? a : axis)),
  );
}

/**
 * An axis moved to another place, or several, each to its own; the others keep their order. Source: jnp.moveaxis.
 *
 * @throws ShapeError when an axis is out of range or named twice, or the lists differ in length.
 * @example moveaxis(zeros([2, 3, 4]), 0, -1).shape; // [3, 4, 2]
 */
export function moveaxis(
  x: TensorLike,
  source: number | readonly number[],
  destination: number | readonly number[],
): Tensor {
  const tensor = asTensor(x, "moveaxis");
  const placesOf = (what: string, axes: number | readonly number[]): number[] => {
    const list = typeof axes === "number" ? [axes] : checkList("moveaxis", what, axes);
    const places = list.map((axis) => normalizeAxis("moveaxis", axis, tensor.ndim));
    if (new Set(places).size === places.length) return places;
    throw new ShapeError(`moveaxis: ${what} [${list.join(", ")}] names an axis twice`);
  };
  const [from, to] = [placesOf("source", source), placesOf("destination", destination)];
  if (from.length !== to.length)
    throw new ShapeError(`moveaxis: source names ${from.length} axes and destination ${to.length}; one place for each`);
  const others = tensor.shape.map((_, axis) => axis).filter((axis) => !from.includes(axis));
  const moved = from.map((axis, k) => ({ axis, place: at(to, k) })).sort((p, q) => p.place - q.place);
  for (const { axis, place } of moved) others.splice(place, 0, axis);
  return transpose(tensor, others);
}

const broadcastOp: ViewOp<ShapeAttrs> = {
  kind: "view",
  name: "broadcast_to",
  infer: ([x], { shape }) => ({ shape, dtype: x?.dtype ?? "float32", weak: x?.weak ?? false }),
  view: (view, { shape }) => broadcastView(view, shape),
  vjp: ({ inputs: [x], attrs: { shape } }, ct) => [x && unbroadcast(ct, x.shape, shape)],
  batch: ([x], _batched, { shape }) => {
    const lined = withRank(only("broadcast_to", x), shape.length);
    return broadcastTo(lined, [at(lined.shape, 0), ...shape]);
  },
};

/**
 * x repeated to `shape` by NumPy's rules. Moves no data. Source: jnp.broadcast_to.
 *
 * @throws ShapeError when an extent is neither 1 nor the wanted one.
 * @example
 * await broadcastTo(array([[1], [2]]), [2, 3]).toArray(); // [[1, 1, 1], [2, 2, 2]]
 */
export function broadcastTo(x: TensorLike, shape: Shape): Tensor {
  const tensor = asTensor(x, "broadcastTo");
  const wanted = checkShape("broadcastTo", shape);
  if (sameShape(tensor.shape, wanted)) return tensor;
  const lead = wanted.length - tensor.ndim;
  const fits = lead >= 0 && tensor.shape.every((extent, axis) => extent === 1 || extent === wanted[axis + lead]);
  if (!fits) throw new ShapeError(`broadcastTo: ${shapeText(tensor.shape)} does not broadcast to ${shapeText(wanted)}`);
  return bind(broadcastOp, [tensor], { shape: wanted });
}

/** The transpose of a broadcast: sums over the axes that were repeated. */
function unbroadcast(ct: Tensor, from: Shape, to: Shape): Tensor {
  const lead = to.length - from.length;
  const repeated = to
    .map((_, axis) => axis)
    .filter((axis) => axis < lead || (from[axis - lead] === 1 && to[axis] !== 1));
  return reshape(sum(ct, { axis: repeated }), from);
}

/**
 * New axes of extent 1 at the given places of the result. Source: jnp.expand_dims.
 *
 * @throws ShapeError when a place is out of range or named twice.
 * @example expandDims(zeros([3]), [0, -1]).shape; // [1, 3, 1]
 */
export function expandDims(x: TensorLike, axis: number | readonly number[]): Tensor {
  const tensor = asTensor(x, "expandDims");
  const list = typeof axis === "number" ? [axis] : checkList("expandDims", "axis", axis);
  const axes = normalizeAxes("expandDims", list, tensor.ndim + list.length);
  const shape = [...tensor.shape];
  for (const place of axes) shape.splice(place, 0, 1);
  return reshape(tensor, shape);
}

/**
 * Axes of extent 1 taken out, all of them unless told. Source: jnp.squeeze.
 *
 * @throws ShapeError when an axis has another extent than 1.
 * @example squeeze(zeros([1, 3, 1])).shape; // [3]
 */
export function squeeze(x: TensorLike, axis?: number | readonly number[]): Tensor {
  const tensor = asTensor(x, "squeeze");
  const ones = tensor.shape.flatMap((extent, k) => (extent === 1 ? [k] : []));
  const axes = axis === undefined ? ones : normalizeAxes("squeeze", axis, tensor.ndim);
  const wrong = axes.find((k) => tensor.shape[k] !== 1);
  if (wrong !== undefined)
    throw new ShapeError(
      `squeeze: axis ${wrong} of ${shapeText(tensor.shape)} has extent ${tensor.shape[wrong] ?? 0}, not 1`,
    );
  return reshape(
    tensor,
    tensor.shape.filter((_, k) => !axes.includes(k)),
  );
}

interface SliceAttrs {
  readonly starts: readonly number[];
  readonly steps: readonly number[];
  readonly shape: Shape;
}

const sliceOp: ViewOp<SliceAttrs> = {
  kind: "view",
  name: "slice",
  infer: ([x], { shape }) => ({ shape, dtype: x?.dtype ?? "float32", weak: x?.weak ?? false }),
  view: (view, { starts, steps, shape }) => sliceView(view, starts, steps, shape),
  vjp: ({ inputs: [x], attrs }, ct) => [x && unslice(ct, x.shape, attrs)],
  batch: (inputs, batched, { starts, steps, shape }) =>
    bind(sliceOp, inputs, {
      starts: [0, ...starts],
      steps: [1, ...steps],
      shape: [batchSize(inputs, batched), ...shape],
    }),
};

/**
 * Elements starts[k], starts[k] + strides[k], … below limits[k] on every axis. Moves no data. Source: lax.slice.
 *
 * @example
 * await laxSlice(arange(10), [1], [8], [3]).toArray(); // [1, 4, 7]
 */
export function laxSlice(
  x: TensorLike,
  starts: readonly number[],
  limits: readonly number[],
  strides?: readonly number[],
): Tensor {
  const tensor = asTensor(x, "slice");
  checkList("slice", "starts", starts);
  checkList("slice", "limits", limits);
  const steps = strides === undefined ? starts.map(() => 1) : checkList("slice", "strides", strides);
  const valid =
    [starts, limits, steps].every((list) => list.length === tensor.ndim) &&
    starts.every(
      (start, k) => start >= 0 && start <= at(limits, k) && at(limits, k) <= at(tensor.shape, k) && at(steps, k) >= 1,
    );
  if (!valid)
    throw new ShapeError(
      `slice: starts [${starts.join(", ")}], limits [${limits.join(", ")}], strides [${steps.join(", ")}] do not fit ${shapeText(tensor.shape)}; 0 ≤ start ≤ limit ≤ extent, stride ≥ 1`,
    );
  const shape = starts.map((start, k) => Math.ceil((at(limits, k) - start) / at(steps, k)));
  return bind(sliceOp, [tensor], { starts, steps, shape });
}

/** The transpose of a slice: its elements back in their places, zeros elsewhere. */
function unslice(ct: Tensor, shape: Shape, { starts, steps, shape: taken }: SliceAttrs): Tensor {
  const reversed = steps.flatMap((step, k) => (step < 0 ? [k] : []));
  const forward = reversed.length === 0 ? ct : flip(ct, { axis: reversed });
  const config = shape.map((extent, k) => {
    const step = Math.abs(at(steps, k));
    const count = at(taken, k);
    const low = at(steps, k) < 0 ? at(starts, k) - (count - 1) * step : at(starts, k);
    const span = count === 0 ? 0 : (count - 1) * step + 1;
    return [low, extent - low - span, step - 1] as const;
  });
  return pad(forward, 0, config);
}

/**
 * The elements in reverse along some axes, all unless told. Moves no data. Source: jnp.flip.
 *
 * @throws ShapeError when an axis is out of range or named twice.
 * @example await flip(array([1, 2, 3])).toArray(); // [3, 2, 1]
 */
export function flip(x: TensorLike, options: { readonly axis?: number | readonly number[] } = {}): Tensor {
  checkOptions("flip", options, FLIP_OPTIONS);
  const tensor = asTensor(x, "flip");
  const axes = normalizeAxes("flip", options.axis, tensor.ndim);
  if (tensor.size === 0) return tensor;
  const starts = tensor.shape.map((extent, k) => (axes.includes(k) ? extent - 1 : 0));
  const steps = tensor.shape.map((_, k) => (axes.includes(k) ? -1 : 1));
  return bind(sliceOp, [tensor], { starts, steps, shape: tensor.shape });
}
