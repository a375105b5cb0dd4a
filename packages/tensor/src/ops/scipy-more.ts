import { ArgumentError, ShapeError } from "../errors.ts";
import { checkOptions } from "../options.ts";
import { broadcastShapes, sameShape, shapeText } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { at } from "../view.ts";
import type { TensorLike } from "./create.ts";
import { add, mul } from "./elementwise.ts";
import { eigh, eigvalsh } from "./eigen.ts";
import { block, transposed } from "./factorize.ts";
import { concatenate, sliceAlong } from "./join.ts";
import { qr } from "./linalg.ts";
import { matrices, onDiagonal, sizeOfLast } from "./matrices.ts";
import { floating } from "./reduce.ts";
import { matmul } from "./matmul.ts";
import { broadcastTo, expandDims, ravel } from "./movement.ts";
import { pad } from "./pad.ts";
import { expm } from "./scipy-linalg.ts";

/** Functions of jax.scipy.linalg that are made of its others. */

/**
 * c q (mode "right"), or q c ("left"), and r, for the reduced a = q r; c may be a vector. Source: jax.scipy.linalg.qr_multiply.
 *
 * @throws ShapeError when c does not fit, ArgumentError for an unknown mode.
 * @example await scipyLinalg.qrMultiply(array([[3], [4]]), array([[1, 2]]))[0].toArray(); // [[-2.2]]
 */
export function qrMultiply(
  a: TensorLike,
  c: TensorLike,
  options: { readonly mode?: "right" | "left" } = {},
): [cq: Tensor, r: Tensor] {
  checkOptions("qrMultiply", options, { mode: true });
  const { mode = "right" } = options;
  if (!["right", "left"].includes(mode))
    throw new ArgumentError(`qrMultiply: mode is "right" or "left", received ${JSON.stringify(mode)}`);
  const [matrix, given] = [matrices("qrMultiply", a, false), floating(c, "qrMultiply")];
  const other = given.ndim === 1 ? expandDims(given, mode === "left" ? -1 : -2) : given;
  const inner = mode === "left" ? Math.min(...matrix.shape.slice(-2)) : at(matrix.shape, matrix.ndim - 2);
  if (other.ndim < 2 || other.shape.at(mode === "left" ? -2 : -1) !== inner)
    throw new ShapeError(
      `qrMultiply: c of shape ${shapeText(given.shape)} does not fit a of shape ${shapeText(matrix.shape)} from the ${mode}; ${inner} ${mode === "left" ? "rows" : "columns"} are needed`,
    );
  const lead = broadcastShapes("qrMultiply", matrix.shape.slice(0, -2), other.shape.slice(0, -2));
  const [q, r] = qr(broadcastTo(matrix, [...lead, ...matrix.shape.slice(-2)]));
  const product = mode === "left" ? matmul(q, other) : matmul(other, q);
  return [given.ndim === 1 ? ravel(product) : product, r];
}

export interface FrechetOptions {
  /** False for the derivative alone. */
  readonly computeExpm?: boolean;
}

/**
 * The exponential of a, and its derivative there in the direction e: the corners of the exponential of [[a, e], [0, a]].
 * Source: jax.scipy.linalg.expm_frechet.
 *
 * @throws ShapeError unless both are square and of one shape.
 * @example
 * const [, slope] = scipyLinalg.expmFrechet(array([[0]]), array([[3]]));
 * await slope.toArray(); // [[3]]
 */
export function expmFrechet(
  a: TensorLike,
  e: TensorLike,
  options: FrechetOptions & { readonly computeExpm: false },
): Tensor;
export function expmFrechet(
  a: TensorLike,
  e: TensorLike,
  options?: FrechetOptions & { readonly computeExpm?: true },
): [expm: Tensor, frechet: Tensor];
export function expmFrechet(a: TensorLike, e: TensorLike, options: FrechetOptions = {}): Tensor | [Tensor, Tensor] {
  checkOptions("expmFrechet", options, { computeExpm: "flag" });
  const [matrix, direction] = [matrices("expmFrechet", a, true), matrices("expmFrechet", e, true)];
  if (!sameShape(matrix.shape, direction.shape))
    throw new ShapeError(
      `expmFrechet: a of shape ${shapeText(matrix.shape)} and e of shape ${shapeText(direction.shape)}; one shape for both is needed`,
    );
  const n = sizeOfLast(matrix);
  const whole = expm(
    concatenate([concatenate([matrix, direction], { axis: -1 }), concatenate([mul(matrix, 0), matrix], { axis: -1 })], {
      axis: -2,
    }),
  );
  const top = block(whole, 0, n);
  const slope = sliceAlong(top, top.ndim - 1, n, 2 * n);
  return options.computeExpm === false ? slope : [sliceAlong(top, top.ndim - 1, 0, n), slope];
}

export interface EighTridiagonalOptions {
  /** True for the eigenvalues alone. */
  readonly eigvalsOnly?: boolean;
}

/**
 * Eigenvalues, ascending, and eigenvectors of the symmetric matrix with d on its diagonal and e beside it, as a whole matrix.
 * Source: jax.scipy.linalg.eigh_tridiagonal.
 *
 * @throws ShapeError unless d is a vector and e one with one element less.
 * @example await scipyLinalg.eighTridiagonal(array([2, 2]), array([1]), { eigvalsOnly: true }).toArray(); // [1, 3]
 */
export function eighTridiagonal(
  d: TensorLike,
  e: TensorLike,
  options: EighTridiagonalOptions & { readonly eigvalsOnly: true },
): Tensor;
export function eighTridiagonal(
  d: TensorLike,
  e: TensorLike,
  options?: EighTridiagonalOptions & { readonly eigvalsOnly?: false },
): [w: Tensor, v: Tensor];
export function eighTridiagonal(
  d: TensorLike,
  e: TensorLike,
  options: EighTridiagonalOptions = {},
): Tensor | [Tensor, Tensor] {
  checkOptions("eighTridiagonal", options, { eigvalsOnly: "flag" });
  const [diagonal, beside] = [floating(d, "eighTridiagonal"), floating(e, "eighTridiagonal")];
  if (diagonal.ndim !== 1 || beside.ndim !== 1 || diagonal.size === 0 || beside.size !== diagonal.size - 1)
    throw new ShapeError(
      `eighTridiagonal: d of shape ${shapeText(diagonal.shape)} and e of shape ${shapeText(beside.shape)}; [n] and [n - 1] are needed`,
    );
  const above = pad(onDiagonal(beside), 0, [
    [0, 1, 0],
    [1, 0, 0],
  ]);
  const matrix = add(onDiagonal(diagonal), add(above, transposed(above)));
  return options.eigvalsOnly === true ? eigvalsh(matrix) : eigh(matrix);
}
