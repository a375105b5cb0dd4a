import { ArgumentError, ShapeError } from "../errors.ts";
import { broadcastShapes, shapeText } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { at } from "../view.ts";
import { composite } from "./composite.ts";
import { diagonalOfLast } from "./contraction.ts";
import { asTensor, eye, ones, onesLike, type TensorLike } from "./create.ts";
import { abs, add, log, mul, neg, sign, sub } from "./elementwise.ts";
import {
  block,
  choleskyFactor,
  luFactors,
  parity,
  qrFactors,
  solveTriangle,
  takeRows,
  transposed,
  type Triangle,
} from "./factorize.ts";
import { matrices, sizeOfLast } from "./matrices.ts";
import { matmul } from "./matmul.ts";
import { broadcastTo, expandDims, reshape, squeeze } from "./movement.ts";
import { floating, prod, sum } from "./reduce.ts";
import { checkOptions } from "../options.ts";

const CHOLESKY_OPTIONS = { upper: "flag", symmetrizeInput: "flag" } as const;
const TRIANGULAR_SOLVE_OPTIONS = { leftSide: "flag", lower: "flag", transposeA: "flag", unitDiagonal: "flag" } as const;
const QR_OPTIONS = { mode: true } as const;

export { eigh, eigvalsh, type EighOptions } from "./eigen.ts";
export { svd, svdvals, type SvdOptions } from "./svd.ts";
export {
  lstsq,
  matrixRank,
  pinv,
  type LstsqOptions,
  type MatrixRankOptions,
  type PinvOptions,
} from "./pseudo-inverse.ts";
export { cond, diagonal, multiDot, outer, tensorinv, tensorsolve, trace, type CondOptions } from "./linalg-more.ts";
export { matrixTranspose } from "./placing.ts";
export { cross } from "./cross.ts";
export { tensordot, vecdot } from "./contraction.ts";
export { matmul } from "./matmul.ts";
export { matrixNorm, norm, vectorNorm, type NormOptions, type NormOrder } from "./norms.ts";

export interface CholeskyOptions {
  /** True for the upper factor u with uᵀ u = a. */
  readonly upper?: boolean;
  /** Takes (a + aᵀ) / 2 first, unless false; then only the lower triangle is read. */
  readonly symmetrizeInput?: boolean;
}

/**
 * The lower triangular l with l lᵀ = a for symmetric positive definite matrices [..., n, n]; for any other, NaN in the
 * triangle. Source: jnp.linalg.cholesky.
 *
 * @throws ShapeError unless the last two axes are equal.
 * @example await linalg.cholesky(array([[4, 2], [2, 5]])).toArray(); // [[2, 0], [1, 2]]
 */
export function cholesky(a: TensorLike, options: CholeskyOptions = {}): Tensor {
  checkOptions("cholesky", options, CHOLESKY_OPTIONS);
  const matrix = matrices("cholesky", a, true);
  const symmetric = options.symmetrizeInput === false ? matrix : mul(add(matrix, transposed(matrix)), 0.5);
  const factor = choleskyFactor(symmetric);
  return options.upper === true ? transposed(factor) : factor;
}

export interface TriangularSolveOptions {
  /** Solve a x = b rather than x a = b. */
  readonly leftSide?: boolean;
  /** Read a's lower triangle rather than the upper one. */
  readonly lower?: boolean;
  readonly transposeA?: boolean;
  /** Take a's diagonal as 1. */
  readonly unitDiagonal?: boolean;
}

/**
 * x with x a = b (or a x = b with leftSide), a triangular [..., n, n], b [..., m, n] (or [..., n, m]); the other triangle of
 * a is not read. Batch axes must be equal. Source: lax.linalg.triangular_solve.
 *
 * @throws ShapeError when a is not square or does not fit b.
 * @example
 * await linalg.triangularSolve(array([[2, 0], [1, 1]]), array([[2], [3]]), { leftSide: true, lower: true }).toArray(); // [[1], [2]]
 */
export function triangularSolve(a: TensorLike, b: TensorLike, options: TriangularSolveOptions = {}): Tensor {
  checkOptions("triangularSolve", options, TRIANGULAR_SOLVE_OPTIONS);
  const matrix = matrices("triangularSolve", a, true);
  const right = matrices("triangularSolve", b, false);
  const { leftSide = false, lower = false, transposeA = false, unitDiagonal = false } = options;
  const fits =
    sizeOfLast(matrix) === at(right.shape, right.ndim - (leftSide ? 2 : 1)) &&
    shapeText(matrix.shape.slice(0, -2)) === shapeText(right.shape.slice(0, -2));
  if (!fits)
    throw new ShapeError(
      `triangularSolve: a of shape ${shapeText(matrix.shape)} does not fit b of shape ${shapeText(right.shape)} from the ${leftSide ? "left" : "right"}; batch axes must be equal too`,
    );
  // x a = b is aᵀ xᵀ = bᵀ; a transposition turns the triangle over.
  const turned = transposeA === leftSide;
  const triangle: Triangle = { upper: turned ? lower : !lower, unit: unitDiagonal };
  const left = turned ? transposed(matrix) : matrix;
  if (leftSide) return solveTriangle(left, right, triangle);
  return transposed(solveTriangle(left, transposed(right), triangle));
}

/**
 * x with a x = b, by LU with partial pivoting; b is a vector [n] or matrices [..., n, m], and batch axes broadcast. A
 * singular a gives infinities or NaN. Source: jnp.linalg.solve.
 *
 * @throws ShapeError when a is not square or does not fit b.
 * @example await linalg.solve(array([[2, 1], [1, 3]]), array([3, 5])).toArray(); // [0.8, 1.4]
 */
export function solve(a: TensorLike, b: TensorLike): Tensor {
  const matrix = matrices("solve", a, true);
  const right = floating(asTensor(b, "solve"), "solve");
  const vector = right.ndim === 1;
  const n = sizeOfLast(matrix);
  const columns = vector ? expandDims(right, -1) : right;
  if (right.ndim === 0 || columns.shape.at(-2) !== n)
    throw new ShapeError(
      `solve: a of shape ${shapeText(matrix.shape)} does not fit b of shape ${shapeText(right.shape)}; b is [${n}] or [..., ${n}, m]`,
    );
  const batch = broadcastShapes("solve", matrix.shape.slice(0, -2), columns.shape.slice(0, -2));
  const x = composite("solve", () =>
    solveAll(broadcastTo(matrix, [...batch, n, n]), broadcastTo(columns, [...batch, n, sizeOfLast(columns)])),
  );
  return vector ? squeeze(x, -1) : x;
}

/** a x = b for matrices of one batch. */
function solveAll(a: Tensor, b: Tensor): Tensor {
  const { factors, permutation } = luFactors(a);
  const forward = solveTriangle(factors, takeRows(b, permutation), { upper: false, unit: true });
  return solveTriangle(factors, forward, { upper: true, unit: false });
}

/**
 * The inverse of square matrices, by LU. Source: jnp.linalg.inv.
 *
 * @throws ShapeError unless the last two axes are equal.
 * @example await linalg.inv(array([[2, 0], [0, 4]])).toArray(); // [[0.5, 0], [0, 0.25]]
 */
export function inv(a: TensorLike): Tensor {
  const matrix = matrices("inv", a, true);
  return composite("inv", () => solveAll(matrix, broadcastTo(eye(sizeOfLast(matrix)), matrix.shape)));
}

/**
 * The determinant of square matrices: by its formula up to 3 x 3, so that gradients of singular matrices are right
 * there, by LU beyond. Source: jnp.linalg.det.
 *
 * @throws ShapeError unless the last two axes are equal.
 * @example await linalg.det(array([[1, 2], [3, 4]])).item(); // -2
 */
export function det(a: TensorLike): Tensor {
  const matrix = matrices("det", a, true);
  const n = sizeOfLast(matrix);
  if (n > 3) {
    return composite("det", () => {
      const { factors, permutation } = luFactors(matrix);
      return mul(parity(permutation), prod(diagonalOfLast(factors, 0), { axis: -1 }));
    });
  }
  const entry = (i: number, j: number): Tensor => {
    const row = block(matrix, i, i + 1);
    return reshape(transposed(block(transposed(row), j, j + 1)), matrix.shape.slice(0, -2));
  };
  return composite("det", () => smallDeterminant(n, entry, matrix));
}

function smallDeterminant(n: number, entry: (i: number, j: number) => Tensor, matrix: Tensor): Tensor {
  if (n === 0) return ones(matrix.shape.slice(0, -2));
  if (n === 1) return entry(0, 0);
  const minor = (i: number, j: number, k: number, l: number): Tensor =>
    sub(mul(entry(i, j), entry(k, l)), mul(entry(i, l), entry(k, j)));
  if (n === 2) return minor(0, 0, 1, 1);
  const terms = [minor(1, 1, 2, 2), neg(minor(1, 0, 2, 2)), minor(1, 0, 2, 1)];
  return terms.map((term, j) => mul(entry(0, j), term)).reduce((x, y) => add(x, y));
}

/**
 * The sign and the logarithm of the absolute value of a determinant, without overflow; [0, −inf] for a singular matrix.
 * Source: jnp.linalg.slogdet.
 *
 * @throws ShapeError unless the last two axes are equal.
 * @example await Promise.all(linalg.slogdet(array([[2, 0], [0, -3]])).map((x) => x.item())); // [-1, 1.7918]
 */
export function slogdet(a: TensorLike): [sign: Tensor, logabsdet: Tensor] {
  const matrix = matrices("slogdet", a, true);
  const { factors, permutation } = luFactors(matrix);
  const diagonal = diagonalOfLast(factors, 0);
  const direction = mul(parity(permutation), prod(sign(diagonal), { axis: -1 }));
  return [direction, sum(log(abs(diagonal)), { axis: -1 })];
}

export interface QrOptions {
  /** "reduced" (m x k and k x n, k the smaller of m and n), "complete" (m x m and m x n), or "r" alone. */
  readonly mode?: "reduced" | "complete" | "r";
}

/**
 * a = q r with orthonormal columns in q and r upper triangular, by Householder reflections with LAPACK's signs. Mode "r"
 * gives r alone. Differentiable in mode "reduced" for at least as many rows as columns. Source: jnp.linalg.qr.
 *
 * @throws ShapeError for fewer than two axes, ArgumentError for an unknown mode.
 * @example await linalg.qr(array([[3, 1], [4, 2]]))[1].toArray(); // [[-5, -2.2], [0, 0.4]]
 */
export function qr(a: TensorLike, options: QrOptions & { readonly mode: "r" }): Tensor;
export function qr(a: TensorLike, options?: QrOptions & { readonly mode?: "reduced" | "complete" }): [Tensor, Tensor];
export function qr(a: TensorLike, options: QrOptions = {}): Tensor | [Tensor, Tensor] {
  checkOptions("qr", options, QR_OPTIONS);
  const matrix = matrices("qr", a, false);
  const { mode = "reduced" } = options;
  if (!["reduced", "complete", "r"].includes(mode))
    throw new ArgumentError(`qr: unknown mode ${JSON.stringify(mode)}; expected "reduced", "complete" or "r"`);
  const [m, n] = [at(matrix.shape, matrix.ndim - 2), sizeOfLast(matrix)];
  const [q, r] = qrFactors(matrix, mode === "complete" ? m : Math.min(m, n));
  return mode === "r" ? r : [q, r];
}

/**
 * A square matrix multiplied with itself n times; of its inverse for n < 0, the identity for 0. Source: jnp.linalg.matrix_power.
 *
 * @throws ShapeError unless the last two axes are equal, ArgumentError unless n is a whole number.
 * @example await linalg.matrixPower(array([[1, 1], [0, 1]]), 5).toArray(); // [[1, 5], [0, 1]]
 */
export function matrixPower(a: TensorLike, n: number): Tensor {
  const tensor = asTensor(a, "matrixPower");
  if (tensor.ndim < 2 || tensor.shape.at(-1) !== tensor.shape.at(-2))
    throw new ShapeError(`matrixPower: takes square matrices, received shape ${shapeText(tensor.shape)}`);
  if (!Number.isInteger(n)) throw new ArgumentError(`matrixPower: n is a whole number, received ${String(n)}`);
  if (n === 0) return broadcastTo(eye(sizeOfLast(tensor), sizeOfLast(tensor), { dtype: tensor.dtype }), tensor.shape);
  return composite("matrixPower", () => {
    let result: Tensor | undefined;
    let factor = n < 0 ? inv(tensor) : tensor;
    for (let rest = Math.abs(n); rest > 0; rest = Math.floor(rest / 2)) {
      if (rest % 2 === 1) result = result === undefined ? factor : matmul(result, factor);
      if (rest > 1) factor = matmul(factor, factor);
    }
    return result ?? onesLike(tensor);
  });
}
