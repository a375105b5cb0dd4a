import { ArgumentError, ShapeError } from "../errors.ts";
import { checkOptions } from "../options.ts";
import { checkShape, shapeText } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { composite } from "./composite.ts";
import { convert } from "./convert.ts";
import { asTensor, asTensors, broadcastedIota, zeros, type TensorLike } from "./create.ts";
import { abs, add, ceil, div, equal, greater, less, log2, maximum, mul, neg, sub, where } from "./elementwise.ts";
import { laxEigh } from "./eigen.ts";
import { stopGradient } from "./identity.ts";
import { choleskyFactor, luFactors, solveTriangle, transposed } from "./factorize.ts";
import { concatenate } from "./join.ts";
import { qr as laxQr, solve as solveBy } from "./linalg.ts";
import { identity, matrices, sizeOfLast } from "./matrices.ts";
import { matmul } from "./matmul.ts";
import { broadcastTo, expandDims, squeeze } from "./movement.ts";
import { pad } from "./pad.ts";
import { floating, max, sum } from "./reduce.ts";
import { ldexp } from "./rounding.ts";
import { svd as decomposed } from "./svd.ts";
import { take } from "./indexing.ts";

/** jax.scipy.linalg, under SciPy's names and defaults. */

export { det, inv } from "./linalg.ts";
export { svd } from "./svd.ts";
export { luFactor, luSolve } from "./lu.ts";
export {
  circulant,
  companion,
  convolutionMatrix,
  fiedler,
  fiedlerCompanion,
  hadamard,
  hankel,
  helmert,
  invhilbert,
  invpascal,
  leslie,
  pascal,
  type PascalOptions,
} from "./scipy-matrices.ts";
export {
  eighTridiagonal,
  expmFrechet,
  qrMultiply,
  type EighTridiagonalOptions,
  type FrechetOptions,
} from "./scipy-more.ts";

/**
 * A block diagonal matrix of matrices (a vector is a row, a number a matrix of one). Source: jax.scipy.linalg.block_diag.
 *
 * @throws ShapeError for more than two axes.
 * @example await scipyLinalg.blockDiag(array([[1, 2]]), array([[3]])).toArray(); // [[1, 2, 0], [0, 0, 3]]
 */
export function blockDiag(...arrays: readonly TensorLike[]): Tensor {
  const blocks = asTensors("blockDiag", arrays.length === 0 ? [zeros([1, 0])] : arrays).map((one) => {
    if (one.ndim > 2)
      throw new ShapeError(`blockDiag: takes matrices, vectors and numbers, received shape ${shapeText(one.shape)}`);
    return one.ndim === 2 ? one : one.ndim === 1 ? expandDims(one, 0) : expandDims(expandDims(one, 0), 0);
  });
  const width = blocks.reduce((total, one) => total + sizeOfLast(one), 0);
  let before = 0;
  const rows = blocks.map((one) => {
    const columns = sizeOfLast(one);
    const row = pad(one, 0, [
      [0, 0, 0],
      [before, width - before - columns, 0],
    ]);
    before += columns;
    return row;
  });
  return concatenate(rows, { axis: 0 });
}

/**
 * The Toeplitz matrix with first column c and first row r (whose first element is not read; c unless told):
 * t[i, j] = c[i − j] on and below the diagonal, r[j − i] above. Source: jax.scipy.linalg.toeplitz.
 *
 * @throws ShapeError unless both are vectors.
 * @example await scipyLinalg.toeplitz(array([1, 2]), array([0, 5])).toArray(); // [[1, 5], [2, 1]]
 */
export function toeplitz(c: TensorLike, r?: TensorLike): Tensor {
  const [column, row] = [asTensor(c, "toeplitz"), asTensor(r ?? c, "toeplitz")];
  if (column.ndim !== 1 || row.ndim !== 1)
    throw new ShapeError(
      `toeplitz: takes vectors, received shapes ${shapeText(column.shape)} and ${shapeText(row.shape)}`,
    );
  const shape = [column.size, row.size];
  const behind = sub(broadcastedIota("int32", shape, 0), broadcastedIota("int32", shape, 1));
  return where(less(behind, 0), take(row, abs(behind), { mode: "clip" }), take(column, abs(behind), { mode: "clip" }));
}

/**
 * The n × n matrix 1 / (i + j + 1). Source: jax.scipy.linalg.hilbert.
 *
 * @throws ShapeError unless n is a whole number ≥ 0.
 * @example await scipyLinalg.hilbert(2).toArray(); // [[1, 0.5], [0.5, 0.33333]]
 */
export function hilbert(n: number): Tensor {
  const shape = checkShape("hilbert", [n, n]);
  const [i, j] = [broadcastedIota("float32", shape, 0), broadcastedIota("float32", shape, 1)];
  return div(1, add(add(i, j), 1));
}

export interface FactorOptions {
  /** True for the lower triangle, false (unless told) for the upper one. */
  readonly lower?: boolean;
}

/**
 * The factor u with uᵀ u = a, or with `lower` l with l lᵀ = a, of a positive definite matrix, of which only that triangle is read.
 * Source: jax.scipy.linalg.cholesky.
 *
 * @throws ShapeError unless the last two axes are equal.
 * @example await scipyLinalg.cholesky(array([[4, 2], [2, 5]])).toArray(); // [[2, 1], [0, 2]]
 */
export function cholesky(a: TensorLike, options: FactorOptions = {}): Tensor {
  checkOptions("cholesky", options, { lower: "flag" });
  const matrix = matrices("cholesky", a, true);
  if (options.lower === true) return choleskyFactor(matrix);
  return transposed(choleskyFactor(transposed(matrix)));
}

/**
 * The factor and whether it is the lower one, for `choSolve`. Source: jax.scipy.linalg.cho_factor.
 *
 * @throws ShapeError unless the last two axes are equal.
 * @example scipyLinalg.choFactor(array([[4, 2], [2, 5]]))[1]; // false
 */
export function choFactor(a: TensorLike, options: FactorOptions = {}): [c: Tensor, lower: boolean] {
  checkOptions("choFactor", options, { lower: "flag" });
  const { lower = false } = options;
  return [cholesky(matrices("choFactor", a, true), { lower }), lower];
}

/**
 * x with a x = b, from choFactor(a). b is [..., n] where the factor is one matrix, or [..., n, m]. Source: jax.scipy.linalg.cho_solve.
 *
 * @throws ShapeError when b does not fit, ArgumentError for no pair.
 * @example await scipyLinalg.choSolve(scipyLinalg.choFactor(array([[4, 0], [0, 2]])), array([4, 4])).toArray(); // [1, 2]
 */
export function choSolve(factorAndLower: readonly [TensorLike, boolean], b: TensorLike): Tensor {
  if (!Array.isArray(factorAndLower) || typeof factorAndLower[1] !== "boolean")
    throw new ArgumentError(`choSolve: takes what choFactor gives, [c, lower], received ${typeof factorAndLower}`);
  const [c, lower] = factorAndLower;
  const factor = matrices("choSolve", c, true);
  return onColumns("choSolve", factor, b, (a, right) => {
    const first = solveTriangle(lower ? a : transposed(a), right, { upper: false, unit: false });
    return solveTriangle(lower ? transposed(a) : a, first, { upper: true, unit: false });
  });
}

/** Runs a solver of a x = b on b's columns: one if it is a vector. */
function onColumns(name: string, a: Tensor, b: TensorLike, run: (a: Tensor, b: Tensor) => Tensor): Tensor {
  const right = floating(b, name);
  const columns = right.ndim === 1 ? expandDims(right, -1) : right;
  const n = sizeOfLast(a);
  if (right.ndim === 0 || columns.shape.at(-2) !== n)
    throw new ShapeError(
      `${name}: a of shape ${shapeText(a.shape)} does not fit b of shape ${shapeText(right.shape)}; b is [${n}] or [..., ${n}, m]`,
    );
  const lead = a.ndim >= columns.ndim ? a.shape.slice(0, -2) : columns.shape.slice(0, -2);
  const spread = (x: Tensor): Tensor => broadcastTo(x, [...lead, ...x.shape.slice(-2)]);
  const x = composite(name, () => run(spread(a), spread(columns)));
  return right.ndim === 1 ? squeeze(x, -1) : x;
}

export interface SolveTriangularOptions extends FactorOptions {
  /** 0 or "N" for a x = b, 1, "T", 2 or "C" for aᵀ x = b. */
  readonly trans?: 0 | 1 | 2 | "N" | "T" | "C";
  /** Take a's diagonal as 1. */
  readonly unitDiagonal?: boolean;
}

/**
 * x with a x = b for a triangular a, the upper triangle unless `lower`. Source: jax.scipy.linalg.solve_triangular.
 *
 * @throws ShapeError when b does not fit, ArgumentError for an unknown trans.
 * @example await scipyLinalg.solveTriangular(array([[2, 1], [0, 4]]), array([4, 8])).toArray(); // [1, 2]
 */
export function solveTriangular(a: TensorLike, b: TensorLike, options: SolveTriangularOptions = {}): Tensor {
  checkOptions("solveTriangular", options, { lower: "flag", trans: true, unitDiagonal: "flag" });
  const { lower = false, trans = 0, unitDiagonal = false } = options;
  if (![0, 1, 2, "N", "T", "C"].includes(trans))
    throw new ArgumentError(`solveTriangular: trans is 0, 1, 2, "N", "T" or "C", received ${String(trans)}`);
  const turned = trans !== 0 && trans !== "N";
  const matrix = matrices("solveTriangular", a, true);
  return onColumns("solveTriangular", matrix, b, (left, right) =>
    solveTriangle(turned ? transposed(left) : left, right, { upper: lower === turned, unit: unitDiagonal }),
  );
}

export interface SolveOptions extends FactorOptions {
  /** "pos" for positive definite matrices, of which one triangle is read; "gen" unless told. "sym" and "her" are taken as "gen". */
  readonly assumeA?: "gen" | "sym" | "her" | "pos";
}

/**
 * x with a x = b: by LU, or Cholesky's factors for `assumeA: "pos"`. Source: jax.scipy.linalg.solve.
 *
 * @throws ShapeError when b does not fit, ArgumentError for an unknown assumption.
 * @example await scipyLinalg.solve(array([[4, 0], [0, 2]]), array([4, 4]), { assumeA: "pos" }).toArray(); // [1, 2]
 */
export function solve(a: TensorLike, b: TensorLike, options: SolveOptions = {}): Tensor {
  checkOptions("solve", options, { lower: "flag", assumeA: true });
  const { lower = false, assumeA = "gen" } = options;
  if (assumeA === "pos") return choSolve([cholesky(matrices("solve", a, true), { lower }), lower], b);
  if (!["gen", "sym", "her"].includes(assumeA))
    throw new ArgumentError(`solve: assumeA is "gen", "sym", "her" or "pos", received ${String(assumeA)}`);
  return solveBy(a, b);
}

export interface ScipyEighOptions extends FactorOptions {
  /** True for the eigenvalues alone. */
  readonly eigvalsOnly?: boolean;
}

/**
 * Eigenvalues and eigenvectors of symmetric matrices: of (a + aᵀ) / 2, as in JAX, so that `lower` says nothing.
 * Source: jax.scipy.linalg.eigh.
 *
 * @throws ShapeError unless the last two axes are equal.
 * @example await scipyLinalg.eigh(array([[2, 1], [1, 2]]), { eigvalsOnly: true }).toArray(); // [1, 3]
 */
export function eigh(a: TensorLike, options: ScipyEighOptions & { readonly eigvalsOnly: true }): Tensor;
export function eigh(
  a: TensorLike,
  options?: ScipyEighOptions & { readonly eigvalsOnly?: false },
): [w: Tensor, v: Tensor];
export function eigh(a: TensorLike, options: ScipyEighOptions = {}): Tensor | [Tensor, Tensor] {
  checkOptions("eigh", options, { lower: "flag", eigvalsOnly: "flag" });
  const [v, w] = laxEigh(a);
  return options.eigvalsOnly === true ? w : [w, v];
}

export interface ScipyQrOptions {
  /** "full" (unless told), "economic", or "r" for r alone, of the full size. */
  readonly mode?: "full" | "economic" | "r";
}

/**
 * a = q r by Householder reflections. Source: jax.scipy.linalg.qr.
 *
 * @throws ShapeError for fewer than two axes, ArgumentError for an unknown mode.
 * @example scipyLinalg.qr(ones([4, 2]))[0].shape; // [4, 4]
 */
export function qr(a: TensorLike, options: ScipyQrOptions & { readonly mode: "r" }): Tensor;
export function qr(a: TensorLike, options?: ScipyQrOptions & { readonly mode?: "full" | "economic" }): [Tensor, Tensor];
export function qr(a: TensorLike, options: ScipyQrOptions = {}): Tensor | [Tensor, Tensor] {
  checkOptions("qr", options, { mode: true });
  const { mode = "full" } = options;
  if (!["full", "economic", "r"].includes(mode))
    throw new ArgumentError(`qr: unknown mode ${JSON.stringify(mode)}; expected "full", "economic" or "r"`);
  const [q, r] = laxQr(a, { mode: mode === "economic" ? "reduced" : "complete" });
  return mode === "r" ? r : [q, r];
}

/**
 * a = p l u for square matrices: p a permutation, l lower triangular with a diagonal of 1, u upper triangular; with `permuteL`
 * p l and u. Source: jax.scipy.linalg.lu, which takes rectangles, too.
 *
 * @throws ShapeError unless the last two axes are equal.
 * @example await scipyLinalg.lu(array([[0, 2], [1, 1]]))[0].toArray(); // [[0, 1], [1, 0]]
 */
export function lu(a: TensorLike, options: { readonly permuteL: true }): [pl: Tensor, u: Tensor];
export function lu(a: TensorLike, options?: { readonly permuteL?: false }): [p: Tensor, l: Tensor, u: Tensor];
export function lu(a: TensorLike, options: { readonly permuteL?: boolean } = {}): Tensor[] {
  checkOptions("lu", options, { permuteL: "flag" });
  const matrix = matrices("lu", a, true);
  const n = sizeOfLast(matrix);
  const { factors, permutation } = luFactors(matrix);
  const [row, column] = [broadcastedIota("int32", [n, n], 0), broadcastedIota("int32", [n, n], 1)];
  const left = add(where(greater(row, column), factors, 0), identity(n));
  const right = where(greater(row, column), 0, factors);
  // Row i of p a came from row permutation[i] of a: p has its ones at [permutation[i], i].
  const p = convert(equal(expandDims(permutation, -2), row), "float32");
  return options.permuteL === true ? [matmul(p, left), right] : [p, left, right];
}

export interface PolarOptions {
  /** "right" (unless told) for a = u p, "left" for a = p u. */
  readonly side?: "right" | "left";
}

/**
 * u with orthonormal columns (or rows) and p symmetric and positive semidefinite with a = u p, by singular values.
 * Source: jax.scipy.linalg.polar.
 *
 * @throws ShapeError for fewer than two axes, ArgumentError for another side.
 * @example await scipyLinalg.polar(array([[0, -2], [1, 0]]))[1].toArray(); // [[1, 0], [0, 2]]
 */
export function polar(a: TensorLike, options: PolarOptions = {}): [unitary: Tensor, posdef: Tensor] {
  checkOptions("polar", options, { side: true });
  const { side = "right" } = options;
  if (!["right", "left"].includes(side))
    throw new ArgumentError(`polar: side is "right" or "left", received ${JSON.stringify(side)}`);
  const [u, s, vt] = decomposed(matrices("polar", a, false), { fullMatrices: false });
  const scaled = (x: Tensor): Tensor => mul(x, expandDims(s, -2));
  const posdef = side === "right" ? matmul(scaled(transposed(vt)), vt) : matmul(scaled(u), transposed(u));
  return [matmul(u, vt), posdef];
}

/** What Padé's approximant of order 7 is good for in float32, and its coefficients. */
const REACH = 3.92572478313866;
const PADE = [17297280, 8648640, 1995840, 277200, 25200, 1512, 56, 1] as const;

export interface ExpmOptions {
  /** Norms beyond 3.9 · 2^maxSquarings give NaN; 16. */
  readonly maxSquarings?: number;
}

/**
 * The exponential 1 + a + a² / 2 + … of square matrices, by Padé's approximant of a / 2ᵏ, squared k times.
 * Source: jax.scipy.linalg.expm.
 *
 * @throws ShapeError unless the last two axes are equal, ArgumentError unless maxSquarings is a whole number ≥ 0.
 * @example await scipyLinalg.expm(array([[0, 1], [0, 0]])).toArray(); // [[1, 1], [0, 1]]
 */
export function expm(a: TensorLike, options: ExpmOptions = {}): Tensor {
  checkOptions("expm", options, { maxSquarings: "number" });
  const { maxSquarings = 16 } = options;
  if (!Number.isInteger(maxSquarings) || maxSquarings < 0)
    throw new ArgumentError(`expm: maxSquarings is a whole number from 0, received ${String(maxSquarings)}`);
  const matrix = matrices("expm", a, true);
  if (matrix.size === 0) return matrix;
  return composite("expm", () => {
    const norm = max(sum(abs(matrix), { axis: -2, keepdims: true }), { axis: -1, keepdims: true });
    const squarings = stopGradient(maximum(0, ceil(log2(div(norm, REACH)))));
    let result = pade(ldexp(matrix, neg(convert(squarings, "int32"))));
    for (let k = 0; k < maxSquarings; k++) {
      const more = greater(squarings, k);
      // What is done must not overflow where nobody looks: its derivative would be seen.
      const rest = where(more, result, 0);
      result = where(more, matmul(rest, rest), result);
    }
    return where(greater(squarings, maxSquarings), Number.NaN, result);
  });
}

/** q⁻¹ p with p(a) = Σ b[k] aᵏ and q(a) = p(−a), as 1 + q⁻¹ (p − q): what rounds is small where a is. */
function pade(a: Tensor): Tensor {
  const one = identity(sizeOfLast(a));
  const a2 = matmul(a, a);
  const a4 = matmul(a2, a2);
  const a6 = matmul(a4, a2);
  const [b0, b1, b2, b3, b4, b5, b6, b7] = PADE;
  const odd = matmul(a, add(add(mul(a6, b7), mul(a4, b5)), add(mul(a2, b3), mul(one, b1))));
  const even = add(add(mul(a6, b6), mul(a4, b4)), add(mul(a2, b2), mul(one, b0)));
  return add(one, solveBy(sub(even, odd), mul(2, odd)));
}
