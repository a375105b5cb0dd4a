import type { DType } from "../dtype.ts";
import { ArgumentError, ShapeError } from "../errors.ts";
import { checkOptions } from "../options.ts";
import { checkList, normalizeAxis, shapeText, sizeOf } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { at } from "../view.ts";
import { composite } from "./composite.ts";
import { asTensor, asTensors, type TensorLike } from "./create.ts";
import { div, isnan, logicalAnd, logicalNot, mul, where } from "./elementwise.ts";
import { sliceAlong } from "./join.ts";
import { inv, solve } from "./linalg.ts";
import { matrices, sizeOfLast } from "./matrices.ts";
import { matmul } from "./matmul.ts";
import { ravel, reshape, squeeze, transpose } from "./movement.ts";
import { matrixNorm, type NormOrder } from "./norms.ts";
import { any } from "./reduce.ts";
import { svdvals } from "./svd.ts";
import { outer as outerOf, trace as traceOf } from "./contraction.ts";
import { diagonal as diagonalOf } from "./triangle.ts";

/** Functions of jnp.linalg that are made of its others. */

export interface CondOptions {
  /** The norm: 2 unless told, -2, "nuc", "fro", ±1 or ±Infinity. */
  readonly p?: NormOrder | null;
}

/**
 * The condition number of matrices [..., m, n]: the largest singular value over the smallest (order 2, or null), the smallest over
 * the largest (order -2), or ‖a‖ ‖a⁻¹‖ of square ones in another norm. Infinity where that is no number. Source: jnp.linalg.cond.
 *
 * @throws ShapeError for fewer than two axes, for empty matrices, or for another order unless the last two axes are equal;
 * ArgumentError for an unknown order.
 * @example await linalg.cond(array([[1, 0], [0, 4]])).item(); // 4
 */
export function cond(a: TensorLike, options: CondOptions = {}): Tensor {
  checkOptions("cond", options, { p: true });
  const order = options.p ?? 2;
  const singular = order === 2 || order === -2;
  const matrix = matrices("cond", a, !singular);
  if (matrix.shape.slice(-2).includes(0))
    throw new ShapeError(`cond: takes matrices with elements, received shape ${shapeText(matrix.shape)}`);
  return composite("cond", () => {
    if (!singular)
      return known(matrix, mul(matrixNorm(matrix, { ord: order }), matrixNorm(inv(matrix), { ord: order })));
    const s = svdvals(matrix);
    const end = (k: number): Tensor => squeeze(sliceAlong(s, s.ndim - 1, k, k + 1), -1);
    const [most, least] = [end(0), end(sizeOfLast(s) - 1)];
    return order === 2 ? div(most, least) : known(matrix, div(least, most));
  });
}

/** Infinity for NaN that comes of no NaN. */
function known(a: Tensor, r: Tensor): Tensor {
  const clean = logicalNot(any(isnan(a), { axis: [-2, -1] }));
  return where(logicalAnd(isnan(r), clean), Infinity, r);
}

/**
 * The elements of the last two axes on their diagonal. Source: jnp.linalg.diagonal.
 *
 * @throws ShapeError for fewer than two axes.
 * @example await linalg.diagonal(array([[1, 2], [3, 4]])).toArray(); // [1, 4]
 */
export function diagonal(x: TensorLike, options: { readonly offset?: number } = {}): Tensor {
  checkOptions("diagonal", options, { offset: "number" });
  return diagonalOf(x, { offset: options.offset ?? 0, axis1: -2, axis2: -1 });
}

/**
 * The sum of the elements of the last two axes on their diagonal. Source: jnp.linalg.trace.
 *
 * @throws ShapeError for fewer than two axes.
 * @example await linalg.trace(array([[1, 2], [3, 4]])).item(); // 5
 */
export function trace(x: TensorLike, options: { readonly offset?: number; readonly dtype?: DType } = {}): Tensor {
  checkOptions("trace", options, { offset: "number", dtype: true });
  return traceOf(x, { offset: 0, ...options, axis1: -2, axis2: -1 });
}

/**
 * The products of each element of one vector with each of another. Source: jnp.linalg.outer.
 *
 * @throws ShapeError unless both are vectors.
 * @example await linalg.outer(array([1, 2]), array([3, 4])).toArray(); // [[3, 4], [6, 8]]
 */
export function outer(x: TensorLike, y: TensorLike): Tensor {
  const [a, b] = [asTensor(x, "outer"), asTensor(y, "outer")];
  if (a.ndim !== 1 || b.ndim !== 1)
    throw new ShapeError(`outer: takes vectors, received shapes ${shapeText(a.shape)} and ${shapeText(b.shape)}`);
  return outerOf(a, b);
}

/**
 * The product of two or more matrices in the order that takes the fewest multiplications; the first and the last may be
 * vectors. Source: jnp.linalg.multi_dot.
 *
 * @throws ShapeError when the shapes do not fit.
 * @example await linalg.multiDot([array([1, 2]), array([[1, 0], [0, 1]]), array([3, 4])]).item(); // 11
 */
export function multiDot(arrays: readonly TensorLike[]): Tensor {
  const given = asTensors("multiDot", arrays);
  const last = given.length - 1;
  const fits = given.every(({ ndim }, k) => ndim === 2 || (ndim === 1 && (k === 0 || k === last)));
  const [row, column] = [at(given, 0).ndim === 1, at(given, last).ndim === 1];
  const matrices = given.map((one, k) => (one.ndim === 1 ? reshape(one, k === 0 ? [1, -1] : [-1, 1]) : one));
  const meets = matrices.every((one, k) => k === 0 || one.shape[0] === at(matrices, k - 1).shape[1]);
  if (!fits || !meets || last === 0)
    throw new ShapeError(
      `multiDot: shapes ${given.map(({ shape }) => shapeText(shape)).join(", ")}; two or more matrices of which each fits the next, a vector first or last`,
    );
  const order = cheapest(matrices.map(({ shape }) => at(shape, 0)).concat(at(at(matrices, last).shape, 1)));
  const product = (from: number, to: number): Tensor =>
    from === to ? at(matrices, from) : matmul(product(from, order(from, to)), product(order(from, to) + 1, to));
  const whole = composite("multiDot", () => product(0, last));
  const [rows = 1, columns = 1] = whole.shape;
  return reshape(whole, [...(row ? [] : [rows]), ...(column ? [] : [columns])]);
}

/** After which matrix to cut a chain from one to another; matrix k is sizes[k] x sizes[k + 1]. */
function cheapest(sizes: readonly number[]): (from: number, to: number) => number {
  const count = sizes.length - 1;
  const cost = Array.from({ length: count }, () => new Array<number>(count).fill(0));
  const cut = Array.from({ length: count }, () => new Array<number>(count).fill(0));
  for (let length = 1; length < count; length++)
    for (let from = 0; from + length < count; from++) {
      const to = from + length;
      let least = Infinity;
      for (let k = from; k < to; k++) {
        const own =
          at(at(cost, from), k) + at(at(cost, k + 1), to) + at(sizes, from) * at(sizes, k + 1) * at(sizes, to + 1);
        if (own >= least) continue;
        least = own;
        at(cut, from)[to] = k;
      }
      at(cost, from)[to] = least;
    }
  return (from, to) => at(at(cut, from), to);
}

/**
 * The inverse of a as a linear map from its last axes to its first `ind`: tensordot(tensorinv(a), a, ind) is the identity.
 * Source: jnp.linalg.tensorinv.
 *
 * @throws ShapeError when the first `ind` axes have not as many elements as the others, ArgumentError unless ind is above 0.
 * @example linalg.tensorinv(reshape(eye(6), [6, 2, 3]), { ind: 1 }).shape; // [2, 3, 6]
 */
export function tensorinv(a: TensorLike, options: { readonly ind?: number } = {}): Tensor {
  checkOptions("tensorinv", options, { ind: "number" });
  const { ind = 2 } = options;
  if (!Number.isInteger(ind) || ind < 1)
    throw new ArgumentError(`tensorinv: ind is a whole number above 0, received ${String(ind)}`);
  const tensor = asTensor(a, "tensorinv");
  const [first, rest] = [tensor.shape.slice(0, ind), tensor.shape.slice(ind)];
  if (sizeOf(first) !== sizeOf(rest))
    throw new ShapeError(
      `tensorinv: the first ${ind} axes of ${shapeText(tensor.shape)} have ${sizeOf(first)} elements, the others ${sizeOf(rest)}; as many are needed`,
    );
  return reshape(inv(reshape(tensor, [sizeOf(first), sizeOf(rest)])), [...rest, ...first]);
}

/**
 * x with tensordot(a, x, x.ndim) = b; `axes` of a are moved to its end first. Source: jnp.linalg.tensorsolve.
 *
 * @throws ShapeError when a does not fit b.
 * @example await linalg.tensorsolve(reshape(eye(4), [2, 2, 4]), array([[1, 2], [3, 4]])).toArray(); // [1, 2, 3, 4]
 */
export function tensorsolve(a: TensorLike, b: TensorLike, options: { readonly axes?: readonly number[] } = {}): Tensor {
  checkOptions("tensorsolve", options, { axes: true });
  const [given, right] = [asTensor(a, "tensorsolve"), asTensor(b, "tensorsolve")];
  const axes = checkList("tensorsolve", "axes", options.axes ?? []).map((axis) =>
    normalizeAxis("tensorsolve", axis, given.ndim),
  );
  const left = transpose(given, [...given.shape.flatMap((_, axis) => (axes.includes(axis) ? [] : [axis])), ...axes]);
  const shape = left.shape.slice(right.ndim);
  if (shapeText(left.shape.slice(0, right.ndim)) !== shapeText(right.shape) || sizeOf(shape) !== right.size)
    throw new ShapeError(
      `tensorsolve: a of shape ${shapeText(left.shape)} does not fit b of shape ${shapeText(right.shape)}; a is [...b's axes, ...x's axes], x with as many elements as b`,
    );
  return reshape(solve(reshape(left, [right.size, right.size]), ravel(right)), shape);
}
