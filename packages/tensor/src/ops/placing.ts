import { isInteger } from "../dtype.ts";
import { ArgumentError, DtypeError, ShapeError } from "../errors.ts";
import { checkOptions } from "../options.ts";
import { broadcastShapes, normalizeAxis, sameShape, shapeText } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { at as nth } from "../view.ts";
import { at } from "./at.ts";
import { convert } from "./convert.ts";
import { array, asTensor, broadcastedIota, hostValues, type TensorLike } from "./create.ts";
import { resize } from "./editing.ts";
import { add, clip, less, remainder, sub, where } from "./elementwise.ts";
import type { ScatterMode } from "./index-spec.ts";
import { take } from "./indexing.ts";
import { broadcastTo, moveaxis, ravel, reshape, transpose } from "./movement.ts";
import { cumsum } from "./scan.ts";
import { flatnonzero } from "./nonzero.ts";
import { diagIndices, trilIndices, triuIndices } from "./triangle.ts";

/** Arrays with some of their elements replaced, and some of their elements taken. Arrays never change: each gives a new one. */

export interface InplaceOptions {
  /** Only false: NumPy would change its argument. */
  readonly inplace?: false;
}

const INPLACE_OPTIONS = { inplace: "flag" } as const;
const PUT_OPTIONS = { ...INPLACE_OPTIONS, mode: true } as const;
const COMPRESS_OPTIONS = { axis: "number", size: "number", fillValue: "number" } as const;

function checkInplace(name: string, inplace: boolean | undefined): void {
  if (inplace === true) throw new ArgumentError(`${name}: arrays never change; take the result and leave inplace out`);
}

/** The values over and over, as many as are needed. */
function repeated(name: string, values: TensorLike, count: number, x: Tensor): Tensor {
  return resize(convert(ravel(asTensor(values, name)), x.dtype), [count]);
}

/**
 * x with the diagonal of its equal indices replaced by a number, or by an array's elements in turn. Source:
 * jnp.fill_diagonal.
 *
 * @throws ShapeError for fewer than two axes, or more of unequal extents.
 * @example await fillDiagonal(zeros([2, 3]), array([1, 2])).toArray(); // [[1, 0, 0], [0, 2, 0]]
 */
export function fillDiagonal(x: TensorLike, value: TensorLike, options: InplaceOptions = {}): Tensor {
  checkOptions("fillDiagonal", options, INPLACE_OPTIONS);
  checkInplace("fillDiagonal", options.inplace);
  const tensor = asTensor(x, "fillDiagonal");
  const uneven = tensor.ndim > 2 && tensor.shape.some((extent) => extent !== tensor.shape[0]);
  if (tensor.ndim < 2 || uneven)
    throw new ShapeError(
      `fillDiagonal: needs two axes, or more of equal extents; received shape ${shapeText(tensor.shape)}`,
    );
  const count = Math.min(...tensor.shape);
  if (count === 0 || asTensor(value, "fillDiagonal").size === 0) return tensor;
  return at(tensor, diagIndices(count, tensor.ndim)).set(repeated("fillDiagonal", value, count, tensor));
}

export interface PutOptions extends InplaceOptions {
  /** "clip": negative indices are 0; "wrap": all count around. Unless told, negative ones count from the end. */
  readonly mode?: "clip" | "wrap";
}

/**
 * x with the elements at indices into its flattened form replaced by values, which repeat if they are too few;
 * an index past either end is the nearest element. Source: jnp.put.
 *
 * @throws DtypeError unless indices are integers, ArgumentError for an unknown mode.
 * @example await put(zeros([2, 2]), array([0, -1]), array([5, 6])).toArray(); // [[5, 0], [0, 6]]
 */
export function put(x: TensorLike, indices: TensorLike, values: TensorLike, options: PutOptions = {}): Tensor {
  checkOptions("put", options, PUT_OPTIONS);
  checkInplace("put", options.inplace);
  const [tensor, index] = [asTensor(x, "put"), ravel(asTensor(indices, "put"))];
  if (!isInteger(index.dtype)) throw new DtypeError(`put: indices must be integers, received ${index.dtype}`);
  const { mode } = options;
  if (mode !== undefined && mode !== "clip" && mode !== "wrap")
    throw new ArgumentError(`put: unknown mode ${JSON.stringify(mode)}; expected "clip", "wrap" or none`);
  if (tensor.size === 0 || index.size === 0 || asTensor(values, "put").size === 0) return tensor;
  const last = tensor.size - 1;
  const counted = mode === undefined ? where(less(index, 0), add(index, last + 1), index) : index;
  const found = mode === "wrap" ? remainder(index, last + 1) : clip(counted, 0, last);
  const changed = at(ravel(tensor), convert(found, "int32")).set(repeated("put", values, index.size, tensor));
  return reshape(changed, tensor.shape);
}

/**
 * x with the elements where the mask is true replaced by values in turn, which repeat if they are too few. Source: jnp.place.
 *
 * @throws ShapeError unless the mask has as many elements as x, and there are values.
 * @example await place(zeros([4]), array([true, false, true, true]), array([5, 6])).toArray(); // [5, 0, 6, 5]
 */
export function place(x: TensorLike, mask: TensorLike, values: TensorLike, options: InplaceOptions = {}): Tensor {
  checkOptions("place", options, INPLACE_OPTIONS);
  checkInplace("place", options.inplace);
  const [tensor, given] = [asTensor(x, "place"), ravel(asTensor(values, "place"))];
  const chosenBy = convert(ravel(asTensor(mask, "place")), "bool");
  if (chosenBy.size !== tensor.size || given.size === 0)
    throw new ShapeError(
      `place: a mask of ${chosenBy.size} elements and ${given.size} values for shape ${shapeText(tensor.shape)}; one of the mask for each, and one value at least`,
    );
  if (tensor.size === 0) return tensor;
  // The first true element counts 1 and takes value 0; what stands before it takes anything.
  const order = remainder(sub(cumsum(convert(chosenBy, "int32")), 1), given.size);
  const chosen = take(convert(given, tensor.dtype), order, { mode: "clip" });
  return reshape(where(chosenBy, chosen, ravel(tensor)), tensor.shape);
}

/**
 * x with values at indices along an axis, which have x's rank, replaced; without an axis all are flattened. Values broadcast
 * to the indices, and both with x on the other axes. Source: jnp.put_along_axis.
 *
 * @throws ShapeError when ranks differ or the other axes do not fit, DtypeError unless indices are integers.
 * @example await putAlongAxis(zeros([2, 2]), array([[1], [0]]), 5, 1).toArray(); // [[0, 5], [5, 0]]
 */
export function putAlongAxis(
  x: TensorLike,
  indices: TensorLike,
  values: TensorLike,
  axis: number | null,
  options: InplaceOptions & { readonly mode?: ScatterMode } = {},
): Tensor {
  checkOptions("putAlongAxis", options, PUT_OPTIONS);
  checkInplace("putAlongAxis", options.inplace);
  const tensor = asTensor(x, "putAlongAxis");
  if (axis === null) {
    const flat = putAlongAxis(
      ravel(tensor),
      ravel(asTensor(indices, "putAlongAxis")),
      ravel(asTensor(values, "putAlongAxis")),
      0,
      options,
    );
    return reshape(flat, tensor.shape);
  }
  const index = asTensor(indices, "putAlongAxis");
  const along = normalizeAxis("putAlongAxis", axis, tensor.ndim);
  if (index.ndim !== tensor.ndim)
    throw new ShapeError(
      `putAlongAxis: indices of shape ${shapeText(index.shape)} for an array of shape ${shapeText(tensor.shape)}; both need the same number of axes`,
    );
  const others = tensor.shape.map((extent, k) => (k === along ? 1 : extent));
  const shape = broadcastShapes("putAlongAxis", others, index.shape);
  const fits = sameShape(
    shape.map((extent, k) => (k === along ? 1 : extent)),
    others,
  );
  if (!fits)
    throw new ShapeError(
      `putAlongAxis: indices of shape ${shapeText(index.shape)} do not fit ${shapeText(tensor.shape)} beside axis ${along}`,
    );
  const own = shape.map((_, k) => (k === along ? broadcastTo(index, shape) : broadcastedIota("int32", shape, k)));
  const { mode = "drop" } = options;
  return at(tensor, own).set(values, { mode });
}

export interface CompressOptions {
  /** The axis that the condition runs along; without it, x is flattened first. */
  readonly axis?: number;
  /** How many to give: what is too many is left out, what is missing is filled. Needed unless the condition is known on the host. */
  readonly size?: number;
  /** What fills, 0 unless told. */
  readonly fillValue?: number;
}

/**
 * The slices of x along an axis where the condition, a vector of x's extent at most, is true. Source: jnp.compress.
 *
 * @throws ShapeError when the condition is longer than the axis or no vector, ArgumentError when the number of slices is not
 * known.
 * @example await compress(array([true, false, true]), array([1, 2, 3])).toArray(); // [1, 3]
 */
export function compress(condition: TensorLike, x: TensorLike, options: CompressOptions = {}): Tensor {
  checkOptions("compress", options, COMPRESS_OPTIONS);
  return compressed("compress", asTensor(condition, "compress"), x, options);
}

function compressed(name: string, condition: Tensor, x: TensorLike, options: CompressOptions): Tensor {
  const tensor = options.axis === undefined ? ravel(asTensor(x, name)) : asTensor(x, name);
  const axis = normalizeAxis(name, options.axis ?? 0, tensor.ndim);
  const extent = nth(tensor.shape, axis);
  if (condition.ndim !== 1 || condition.size > extent)
    throw new ShapeError(
      `${name}: a condition of shape ${shapeText(condition.shape)} for axis ${axis} of ${shapeText(tensor.shape)}; a vector, no longer than the axis`,
    );
  const { size, fillValue = 0 } = options;
  if (size === undefined && hostValues(condition) === undefined)
    throw new ArgumentError(
      `${name}: how many elements the condition takes is known to the device only; say how many there are with { size }`,
    );
  // Index `extent` is past the end and reads as what fills.
  const index = flatnonzero(condition, size === undefined ? {} : { size, fillValue: extent });
  const first = moveaxis(tensor, axis, 0);
  const taken = extent === 0 ? first : at(first, index).get({ mode: "fill", fillValue });
  return moveaxis(taken, 0, axis);
}

/**
 * The elements of x where the condition, of as many elements, is true. Source: jnp.extract.
 *
 * @throws ShapeError, ArgumentError as compress.
 * @example await extract(array([[true, false], [false, true]]), array([[1, 2], [3, 4]])).toArray(); // [1, 4]
 */
export function extract(
  condition: TensorLike,
  x: TensorLike,
  options: { readonly size?: number; readonly fillValue?: number } = {},
): Tensor {
  checkOptions("extract", options, { size: "number", fillValue: "number" });
  const given = asTensor(condition, "extract");
  // A view made inside a trace would forget what the host knows.
  const known = given.ndim === 1 ? undefined : hostValues(given);
  const flat = known === undefined ? ravel(given) : array(known, { dtype: given.dtype });
  return compressed("extract", flat, ravel(asTensor(x, "extract")), options);
}

function square(name: string, x: TensorLike): Tensor {
  const tensor = asTensor(x, name);
  if (tensor.ndim >= 2 && tensor.shape.every((extent) => extent === tensor.shape[0])) return tensor;
  throw new ShapeError(`${name}: needs axes of equal extents, two at least; received shape ${shapeText(tensor.shape)}`);
}

/**
 * The indices of the diagonal of x, whose axes have equal extents. Source: jnp.diag_indices_from.
 *
 * @throws ShapeError for fewer than two axes, or unequal ones.
 * @example diagIndicesFrom(zeros([3, 3])).map((x) => x.shape); // [[3], [3]]
 */
export function diagIndicesFrom(x: TensorLike): Tensor[] {
  const tensor = square("diagIndicesFrom", x);
  return diagIndices(nth(tensor.shape, 0), tensor.ndim);
}

function matrix(name: string, x: TensorLike, k: number): [rows: number, columns: number] {
  const tensor = asTensor(x, name);
  if (!Number.isInteger(k)) throw new ShapeError(`${name}: a diagonal is a whole number, received ${String(k)}`);
  if (tensor.ndim !== 2) throw new ShapeError(`${name}: needs a matrix, received shape ${shapeText(tensor.shape)}`);
  return [nth(tensor.shape, 0), nth(tensor.shape, 1)];
}

/**
 * The indices of a matrix's elements on and below its k-th diagonal. Source: jnp.tril_indices_from.
 *
 * @throws ShapeError unless x is a matrix.
 * @example await trilIndicesFrom(zeros([2, 2]))[1]?.toArray(); // [0, 0, 1]
 */
export function trilIndicesFrom(x: TensorLike, k = 0): Tensor[] {
  const [rows, m] = matrix("trilIndicesFrom", x, k);
  return trilIndices(rows, { k, m });
}

/**
 * The indices of a matrix's elements on and above its k-th diagonal. Source: jnp.triu_indices_from.
 *
 * @throws ShapeError unless x is a matrix.
 * @example await triuIndicesFrom(zeros([2, 2]))[1]?.toArray(); // [0, 1, 1]
 */
export function triuIndicesFrom(x: TensorLike, k = 0): Tensor[] {
  const [rows, m] = matrix("triuIndicesFrom", x, k);
  return triuIndices(rows, { k, m });
}

/**
 * x with its last two axes exchanged. Source: jnp.matrix_transpose.
 *
 * @throws ShapeError for fewer than two axes.
 * @example await matrixTranspose(array([[1, 2], [3, 4]])).toArray(); // [[1, 3], [2, 4]]
 */
export function matrixTranspose(x: TensorLike): Tensor {
  const tensor = asTensor(x, "matrixTranspose");
  if (tensor.ndim < 2)
    throw new ShapeError(`matrixTranspose: needs two axes at least, received shape ${shapeText(tensor.shape)}`);
  const axes = tensor.shape.map((_, axis) => axis);
  return transpose(tensor, [...axes.slice(0, -2), tensor.ndim - 1, tensor.ndim - 2]);
}
