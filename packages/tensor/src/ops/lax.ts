import { checkDType, isFloat, type DType } from "../dtype.ts";
import { ArgumentError, DtypeError, ShapeError } from "../errors.ts";
import {
  broadcastShapes as broadcastOf,
  checkList,
  checkShape,
  normalizeAxis,
  shapeText,
  sizeOf,
  type Shape,
} from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { at } from "../view.ts";
import { argmax, argmin } from "./arg-reduce.ts";
import { convert } from "./convert.ts";
import { checkAlike, type Kind } from "./alike.ts";
import { asTensor, asTensors, broadcastedIota, full, literal, type ArrayOptions, type TensorLike } from "./create.ts";
import { bitwiseAnd, bitwiseOr, bitwiseXor, greater, laxDiv, less, mul, where } from "./elementwise.ts";
import { stopGradient } from "./identity.ts";
import { concatenate, sliceAlong } from "./join.ts";
import { matmul } from "./matmul.ts";
import { broadcastTo, flip, laxSlice, reshape, squeeze, transpose } from "./movement.ts";
import { all, any, max, min, prod, sum } from "./reduce.ts";

/** Functions of jax.lax whose arguments differ from jnp's: sizes and axes are told, nothing is broadcast unasked. */

/**
 * x once for each element of `sizes`, whose axes come first. Source: lax.broadcast.
 * @example lax.broadcast(ones([3]), [2]).shape; // [2, 3]
 */
export function laxBroadcast(x: TensorLike, sizes: Shape): Tensor {
  const tensor = asTensor(x, "broadcast");
  return broadcastTo(tensor, [...checkShape("broadcast", sizes), ...tensor.shape]);
}

/**
 * x in a larger shape: its axis k becomes axis broadcastDimensions[k], the others repeat it. Source: lax.broadcast_in_dim.
 *
 * @throws ShapeError when the dimensions do not ascend or extents neither fit nor are 1.
 * @example lax.broadcastInDim(ones([3]), [3, 2], [0]).shape; // [3, 2]
 */
export function broadcastInDim(x: TensorLike, shape: Shape, broadcastDimensions: readonly number[]): Tensor {
  const tensor = asTensor(x, "broadcastInDim");
  checkShape("broadcastInDim", shape);
  checkList("broadcastInDim", "broadcastDimensions", broadcastDimensions);
  const ascends = broadcastDimensions.every((dim, k) => k === 0 || dim > at(broadcastDimensions, k - 1));
  if (broadcastDimensions.length !== tensor.ndim || !ascends)
    throw new ShapeError(
      `broadcastInDim: broadcastDimensions [${broadcastDimensions.join(", ")}] for shape ${shapeText(tensor.shape)}; one for each axis, ascending`,
    );
  const own = shape.map(() => 1);
  broadcastDimensions.forEach(
    (dim, k) => (own[normalizeAxis("broadcastInDim", dim, shape.length)] = at(tensor.shape, k)),
  );
  return broadcastTo(reshape(tensor, own), shape);
}

/**
 * The elements of x no less than low and no more than high; the gradient goes to x strictly between them, to a bound beyond.
 * Source: lax.clamp.
 *
 * @throws ShapeError when a bound is neither a scalar nor of x's shape.
 * @example await lax.clamp(0, array([-1, 0.5, 2]), 1).toArray(); // [0, 0.5, 1]
 */
export function clamp(low: TensorLike, x: TensorLike, high: TensorLike): Tensor {
  checkAlike("clamp", "any", [low, x, high]);
  const tensor = asTensor(x, "clamp");
  const [least, most] = [low, high].map((bound) => convert(asTensor(bound, "clamp"), tensor.dtype)) as [Tensor, Tensor]; // two
  for (const bound of [least, most])
    if (bound.ndim !== 0 && shapeText(bound.shape) !== shapeText(tensor.shape))
      throw new ShapeError(
        `clamp: a bound of shape ${shapeText(bound.shape)} for ${shapeText(tensor.shape)}; a scalar or one for each element`,
      );
  const inside = where(greater(tensor, least), where(less(tensor, most), true, false), false);
  const outside = where(less(tensor, least), least, where(greater(tensor, most), most, stopGradient(tensor)));
  // A lower bound above the upper one gives the upper one.
  return where(inside, tensor, where(greater(least, most), most, outside));
}

/**
 * Arrays of one dtype one after the other along an axis. Source: lax.concatenate.
 *
 * @throws DtypeError when dtypes differ.
 * @throws ShapeError when the other extents differ.
 * @example lax.concatenate([ones([2]), ones([1])], 0).shape; // [3]
 */
export function laxConcatenate(operands: readonly TensorLike[], dimension: number): Tensor {
  checkAlike("concatenate", "any", asTensors("concatenate", operands));
  return concatenate(operands, { axis: dimension });
}

/**
 * x in a new shape of as many elements, its axes taken in the order of `dimensions`. Source: lax.reshape.
 *
 * @throws ShapeError when the sizes differ.
 * @example lax.reshape(ones([2, 3]), [6]).shape; // [6]
 */
export function laxReshape(x: TensorLike, newSizes: Shape, dimensions?: readonly number[]): Tensor {
  return reshape(dimensions === undefined ? x : transpose(x, dimensions), newSizes);
}

/**
 * x without the named axes of extent 1. Source: lax.squeeze.
 *
 * @throws ShapeError when an axis has another extent.
 * @example lax.squeeze(ones([1, 3]), [0]).shape; // [3]
 */
export function laxSqueeze(x: TensorLike, dimensions: readonly number[]): Tensor {
  checkList("squeeze", "dimensions", dimensions);
  return dimensions.reduceRight<Tensor>(
    (rest, _, k) => squeeze(rest, at(sortedAxes("squeeze", dimensions, asTensor(x, "squeeze").ndim), k)),
    asTensor(x, "squeeze"),
  );
}

/** Places and strides that the host knows. */
function checkWhole(name: string, ...values: readonly number[]): void {
  for (const value of values)
    if (!Number.isInteger(value)) throw new ShapeError(`${name}: whole numbers are needed, received ${String(value)}`);
}

function sortedAxes(name: string, axes: readonly number[], rank: number): number[] {
  return axes.map((axis) => normalizeAxis(name, axis, rank)).sort((a, b) => a - b);
}

/**
 * An array of one number. Source: lax.full.
 * @example await lax.full([2], 7).toArray(); // [7, 7]
 */
export function laxFull(shape: Shape, fillValue: number | boolean, dtype?: DType): Tensor {
  const options: ArrayOptions = dtype === undefined ? {} : { dtype };
  return full(shape, fillValue, options);
}

/**
 * 0, 1, … size − 1. Source: lax.iota.
 *
 * @throws DtypeError for an unknown dtype.
 * @example await lax.iota("int32", 3).toArray(); // [0, 1, 2]
 */
export function iota(dtype: DType, size: number): Tensor {
  const own = checkDType("iota", dtype);
  return own === "bool" ? convert(broadcastedIota("int32", [size], 0), "bool") : broadcastedIota(own, [size], 0);
}

/**
 * x to a whole power that the host knows, by squaring. Source: lax.integer_pow.
 *
 * @throws ArgumentError unless y is a whole number, DtypeError for a negative one with whole x, and for bools.
 * @example await lax.integerPow(array([2, 3]), 3).toArray(); // [8, 27]
 */
export function integerPow(x: TensorLike, y: number): Tensor {
  if (!Number.isInteger(y)) throw new ArgumentError(`integerPow: the power is ${y}; a whole number is needed`);
  checkAlike("integerPow", "number", [x]);
  const tensor = asTensor(x, "integerPow");
  if (y < 0 && !isFloat(tensor.dtype))
    throw new DtypeError(`integerPow: ${tensor.dtype} to the power ${y} is no whole number; convert it with astype()`);
  let power: Tensor = full(tensor.shape, 1, { dtype: tensor.dtype });
  let square = tensor;
  for (let rest = Math.abs(y); rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) power = mul(power, square);
    if (rest > 1) square = mul(square, square);
  }
  if (y >= 0) return power;
  return laxDiv(full(tensor.shape, 1, { dtype: tensor.dtype }), power);
}

/**
 * x with the order along some axes turned round. Source: lax.rev.
 * @example await lax.rev(array([1, 2]), [0]).toArray(); // [2, 1]
 */
export function rev(x: TensorLike, dimensions: readonly number[]): Tensor {
  const tensor = asTensor(x, "rev");
  return flip(tensor, { axis: dimensions });
}

/**
 * Several axes made one. Source: lax.collapse.
 *
 * @throws ShapeError when the axes are out of range.
 * @example lax.collapse(ones([2, 3, 4]), 0, 2).shape; // [6, 4]
 */
export function collapse(x: TensorLike, startDimension: number, stopDimension?: number): Tensor {
  const tensor = asTensor(x, "collapse");
  checkWhole("collapse", startDimension, stopDimension ?? 0);
  const start = startDimension < 0 ? startDimension + tensor.ndim : startDimension;
  const given = stopDimension ?? tensor.ndim;
  const stop = given < 0 ? given + tensor.ndim : given;
  if (!(start >= 0 && start < stop && stop <= tensor.ndim))
    throw new ShapeError(
      `collapse: axes ${startDimension} to ${given} of shape ${shapeText(tensor.shape)}; a range of at least one is needed`,
    );
  const { shape } = tensor;
  return reshape(tensor, [...shape.slice(0, start), sizeOf(shape.slice(start, stop)), ...shape.slice(stop)]);
}

/**
 * A range of one axis. Source: lax.slice_in_dim.
 *
 * @throws ShapeError when the range leaves the axis.
 * @example await lax.sliceInDim(array([1, 2, 3]), 1, 3).toArray(); // [2, 3]
 */
export function sliceInDim(
  x: TensorLike,
  startIndex: number | null,
  limitIndex: number | null,
  stride = 1,
  axis = 0,
): Tensor {
  const tensor = asTensor(x, "sliceInDim");
  const own = normalizeAxis("sliceInDim", axis, tensor.ndim);
  const extent = at(tensor.shape, own);
  checkWhole("sliceInDim", startIndex ?? 0, limitIndex ?? 0, stride);
  const counted = (index: number): number => (index < 0 ? index + extent : index);
  const [from, to] = [counted(startIndex ?? 0), counted(limitIndex ?? extent)];
  if (!(Number.isInteger(stride) && stride > 0 && from >= 0 && from <= to && to <= extent))
    throw new ShapeError(
      `sliceInDim: ${from} to ${to} by ${stride} of an axis of ${extent}; a range within it and a stride ≥ 1 are needed`,
    );
  const each = (other: number, value: number): number[] => tensor.shape.map((_, k) => (k === own ? value : other));
  const limits = tensor.shape.map((most, k) => (k === own ? to : most));
  return laxSlice(tensor, each(0, from), limits, each(1, stride));
}

/**
 * One slice of an axis, which stays with extent 1 unless told. Source: lax.index_in_dim.
 *
 * @throws ShapeError when the index is out of range.
 * @example await lax.indexInDim(array([1, 2, 3]), -1, 0, false).item(); // 3
 */
export function indexInDim(x: TensorLike, index: number, axis = 0, keepdims = true): Tensor {
  const tensor = asTensor(x, "indexInDim");
  const own = normalizeAxis("indexInDim", axis, tensor.ndim);
  checkWhole("indexInDim", index);
  const extent = at(tensor.shape, own);
  const place = index < 0 ? index + extent : index;
  if (!(Number.isInteger(place) && place >= 0 && place < extent))
    throw new ShapeError(`indexInDim: index ${index} for an axis of ${extent} elements`);
  const slice = sliceAlong(tensor, own, place, place + 1);
  return keepdims ? slice : squeeze(slice, own);
}

/**
 * The product of matrices in the last two axes, batch axes as they are. Source: lax.batch_matmul.
 *
 * @throws ShapeError when batch axes or inner dimensions differ.
 * @example lax.batchMatmul(ones([2, 3, 4]), ones([2, 4, 5])).shape; // [2, 3, 5]
 */
export function batchMatmul(x: TensorLike, y: TensorLike): Tensor {
  const [left, right] = [asTensor(x, "batchMatmul"), asTensor(y, "batchMatmul")];
  if (left.ndim < 2 || shapeText(left.shape.slice(0, -2)) !== shapeText(right.shape.slice(0, -2)))
    throw new ShapeError(
      `batchMatmul: the batch axes of ${shapeText(left.shape)} and ${shapeText(right.shape)} must be the same`,
    );
  return matmul(left, right);
}

type Reduction = (x: TensorLike, axes: readonly number[]) => Tensor;
const along =
  (name: string, reduce: typeof sum, kind: Kind = "any"): Reduction =>
  (x, axes) => {
    checkAlike(name, kind, [x]);
    const tensor = asTensor(x, name);
    if (checkList(name, "axes", axes).length === 0) return tensor;
    return convert(reduce(tensor, { axis: axes }), tensor.dtype);
  };

/**
 * The sum over axes, in x's dtype. Source: lax.reduce_sum.
 *
 * @throws DtypeError for bools.
 * @example await lax.reduceSum(ones([2, 3]), [0]).toArray(); // [2, 2, 2]
 */
export const reduceSum: Reduction = /* @__PURE__ */ along("reduceSum", sum, "number");
/**
 * The product over axes, in x's dtype. Source: lax.reduce_prod.
 *
 * @throws DtypeError for bools.
 * @example await lax.reduceProd(array([2, 3]), [0]).item(); // 6
 */
export const reduceProd: Reduction = /* @__PURE__ */ along("reduceProd", prod, "number");
/**
 * The largest element over axes. Source: lax.reduce_max.
 * @example await lax.reduceMax(array([2, 3]), [0]).item(); // 3
 */
export const reduceMax: Reduction = /* @__PURE__ */ along("reduceMax", max);
/**
 * The least element over axes. Source: lax.reduce_min.
 * @example await lax.reduceMin(array([2, 3]), [0]).item(); // 2
 */
export const reduceMin: Reduction = /* @__PURE__ */ along("reduceMin", min);
/** Reduces whole numbers bit by bit: halves against each other, until one slice is left; `nothing` of no elements. */
const bitwise =
  (name: string, combine: (x: Tensor, y: Tensor) => Tensor, nothing: number): Reduction =>
  (x, axes) =>
    sortedAxes(name, checkList(name, "axes", axes), asTensor(x, name).ndim).reduceRight<Tensor>(
      (rest, axis) => {
        let parts = rest;
        for (let extent = at(parts.shape, axis); extent > 1; extent = at(parts.shape, axis)) {
          const half = Math.floor(extent / 2);
          const pairs = combine(sliceAlong(parts, axis, 0, half), sliceAlong(parts, axis, half, 2 * half));
          parts =
            extent % 2 === 0 ? pairs : concatenate([pairs, sliceAlong(parts, axis, extent - 1, extent)], { axis });
        }
        if (at(parts.shape, axis) > 0) return squeeze(parts, axis);
        const left = parts.shape.filter((_, k) => k !== axis);
        return convert(literal(nothing, left, "int32"), parts.dtype);
      },
      asTensor(x, name),
    );

const andBits = /* @__PURE__ */ bitwise("reduceAnd", bitwiseAnd, -1);
const orBits = /* @__PURE__ */ bitwise("reduceOr", bitwiseOr, 0);

/**
 * Whether all elements over axes are true, of bools; the bits that all have, of whole numbers. Source: lax.reduce_and.
 * @example await lax.reduceAnd(array([6, 3]), [0]).item(); // 2
 */
export const reduceAnd: Reduction = (x, axes) =>
  (asTensor(x, "reduceAnd").dtype === "bool" ? along("reduceAnd", all) : andBits)(x, axes);
/**
 * Whether any element over axes is true, of bools; the bits that any has, of whole numbers. Source: lax.reduce_or.
 * @example await lax.reduceOr(array([6, 3]), [0]).item(); // 7
 */
export const reduceOr: Reduction = (x, axes) =>
  (asTensor(x, "reduceOr").dtype === "bool" ? along("reduceOr", any) : orBits)(x, axes);

/**
 * The exclusive or of all elements over axes, of bools or whole numbers. Source: lax.reduce_xor.
 * @example await lax.reduceXor(array([5, 1]), [0]).item(); // 4
 */
export const reduceXor: Reduction = /* @__PURE__ */ bitwise("reduceXor", bitwiseXor, 0);

/**
 * Where the largest element lies along an axis. Source: lax.argmax.
 * @example await lax.argmax(array([1, 3, 2]), 0, "int32").item(); // 1
 */
export function laxArgmax(x: TensorLike, axis: number, indexDtype: DType = "int32"): Tensor {
  return convert(argmax(x, { axis }), checkDType("argmax", indexDtype));
}

/**
 * Where the least element lies along an axis. Source: lax.argmin.
 * @example await lax.argmin(array([1, 3, 2]), 0, "int32").item(); // 0
 */
export function laxArgmin(x: TensorLike, axis: number, indexDtype: DType = "int32"): Tensor {
  return convert(argmin(x, { axis }), checkDType("argmin", indexDtype));
}

/**
 * The shape that arrays of these shapes broadcast to. Source: jnp.broadcast_shapes.
 *
 * @throws ShapeError when they do not.
 * @example broadcastShapes([2, 1], [3]); // [2, 3]
 */
export function broadcastShapes(...shapes: readonly Shape[]): Shape {
  for (const shape of shapes) checkShape("broadcastShapes", shape);
  return shapes.reduce((common, shape) => broadcastOf("broadcastShapes", common, shape), []);
}

/**
 * x with axes of extent 1 in front, so that it has `rank` axes. Source: lax.broadcast_to_rank.
 *
 * @throws ShapeError when it has more.
 * @example lax.broadcastToRank(ones([3]), 2).shape; // [1, 3]
 */
export function broadcastToRank(x: TensorLike, rank: number): Tensor {
  const tensor = asTensor(x, "broadcastToRank");
  if (!Number.isInteger(rank) || rank < tensor.ndim)
    throw new ShapeError(`broadcastToRank: rank ${rank} for shape ${shapeText(tensor.shape)}; no less than it has`);
  return reshape(tensor, [...new Array<number>(rank - tensor.ndim).fill(1), ...tensor.shape]);
}
