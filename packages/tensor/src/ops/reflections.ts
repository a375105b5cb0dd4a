import { ArgumentError, ShapeError } from "../errors.ts";
import { checkOptions } from "../options.ts";
import { sameShape, shapeText } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { at } from "../view.ts";
import { composite } from "./composite.ts";
import { diagonalOfLast } from "./contraction.ts";
import { broadcastedIota, type TensorLike } from "./create.ts";
import { add, div, equal, less, mul, neg, sub, where } from "./elementwise.ts";
import { block, lower, qrFactors, solveTriangle, transposed, upper } from "./factorize.ts";
import { concatenate, sliceAlong } from "./join.ts";
import { identity, matrices, onDiagonal, sizeOfLast } from "./matrices.ts";
import { floating } from "./reduce.ts";
import { matmul } from "./matmul.ts";
import { broadcastTo, expandDims } from "./movement.ts";
import { pad } from "./pad.ts";

/** Functions of jax.lax.linalg on reflections, updates and bands. Batch axes of operands must be equal. */

const rowsOf = (x: Tensor): number => at(x.shape, x.ndim - 2);

function sameBatch(name: string, ...xs: readonly (readonly [Tensor, axes: number])[]): void {
  const leads = xs.map(([x, axes]) => x.shape.slice(0, x.ndim - axes));
  if (leads.some((lead) => !sameShape(lead, at(leads, 0))))
    throw new ShapeError(
      `${name}: batch axes of shapes ${xs.map(([x]) => shapeText(x.shape)).join(", ")} differ; they must be equal`,
    );
}

/** Reflections H₀ H₁ … = 1 − v t vᵀ: v's columns below the diagonal (which is 1), t upper triangular. */
interface Reflections {
  readonly v: Tensor;
  readonly t: Tensor;
}

function reflectionsOf(name: string, a: TensorLike, taus: TensorLike): Reflections {
  const [matrix, factors] = [matrices(name, a, false), floating(taus, name)];
  const [m, count] = [rowsOf(matrix), factors.shape.at(-1) ?? 0];
  if (factors.ndim !== matrix.ndim - 1 || count > Math.min(m, sizeOfLast(matrix)))
    throw new ShapeError(
      `${name}: taus of shape ${shapeText(factors.shape)} for reflectors ${shapeText(matrix.shape)}; [..., k] with k at most the rows and columns is needed`,
    );
  sameBatch(name, [matrix, 2], [factors, 1]);
  const below = lower(block(matrix, 0, m, count), -1);
  const v = add(below, unit(m, count));
  // t⁻¹ = 1/τ + the strict upper triangle s of vᵀ v, so that t = τ (1 + s τ)⁻¹, also for τ = 0.
  const scale = onDiagonal(factors);
  const mixed = matmul(upper(matmul(transposed(v), v), 1), scale);
  const t = transposed(
    solveTriangle(transposed(mixed), transposed(broadcastTo(scale, mixed.shape)), { upper: false, unit: true }),
  );
  return { v, t };
}

/** The first columns of the identity. */
function unit(rows: number, columns: number): Tensor {
  return sliceAlong(identity(rows), 1, 0, columns);
}

/**
 * The first columns [..., m, n] of the product of Householder reflections 1 − τ v vᵀ: v's are the columns of `a` below the diagonal,
 * with 1 on it. Differentiable by both. Source: lax.linalg.householder_product.
 *
 * @throws ShapeError when the shapes do not fit.
 * @example await lax.linalg.householderProduct(array([[1, 9], [2, 1]]), array([0.4])).toArray(); // [[0.6, -0.8], [-0.8, -0.6]]
 */
export function householderProduct(a: TensorLike, taus: TensorLike): Tensor {
  const matrix = matrices("householderProduct", a, false);
  const [m, n] = [rowsOf(matrix), sizeOfLast(matrix)];
  if (m < n)
    throw new ShapeError(
      `householderProduct: takes at least as many rows as columns, received shape ${shapeText(matrix.shape)}`,
    );
  return composite("householderProduct", () => {
    const { v, t } = reflectionsOf("householderProduct", matrix, taus);
    return sub(unit(m, n), matmul(matmul(v, t), transposed(block(v, 0, n))));
  });
}

export interface OrmqrOptions {
  /** q c, unless false: then c q. */
  readonly left?: boolean;
  /** qᵀ in the place of q. */
  readonly transpose?: boolean;
}

/**
 * The product of c with q, the whole product of Householder reflections as householderProduct has them, which is never formed.
 * Source: lax.linalg.ormqr.
 *
 * @throws ShapeError when the shapes do not fit.
 * @example await lax.linalg.ormqr(array([[1], [2]]), array([0.4]), array([[1], [0]])).toArray(); // [[0.6], [-0.8]]
 */
export function ormqr(a: TensorLike, taus: TensorLike, c: TensorLike, options: OrmqrOptions = {}): Tensor {
  checkOptions("ormqr", options, { left: "flag", transpose: "flag" });
  const { left = true, transpose = false } = options;
  const [matrix, other] = [matrices("ormqr", a, false), matrices("ormqr", c, false)];
  if ((left ? rowsOf(other) : sizeOfLast(other)) !== rowsOf(matrix))
    throw new ShapeError(
      `ormqr: reflectors ${shapeText(matrix.shape)} do not fit c of shape ${shapeText(other.shape)} from the ${left ? "left" : "right"}`,
    );
  sameBatch("ormqr", [matrix, 2], [other, 2]);
  return composite("ormqr", () => {
    const { v, t } = reflectionsOf("ormqr", matrix, taus);
    const middle = transpose ? transposed(t) : t;
    if (left) return sub(other, matmul(v, matmul(middle, matmul(transposed(v), other))));
    return sub(other, matmul(matmul(matmul(other, v), middle), transposed(v)));
  });
}

/**
 * The upper triangular factor of rᵀ r + w wᵀ with a positive diagonal, for upper triangular r: by QR of r with w below it.
 * Source: lax.linalg.cholesky_update.
 *
 * @throws ShapeError unless r is square and w a vector of as many elements.
 * @example await lax.linalg.choleskyUpdate(array([[3]]), array([4])).toArray(); // [[5]]
 */
export function choleskyUpdate(rMatrix: TensorLike, wVector: TensorLike): Tensor {
  const [r, w] = [matrices("choleskyUpdate", rMatrix, true), floating(wVector, "choleskyUpdate")];
  if (w.shape.at(-1) !== sizeOfLast(r) || w.ndim !== r.ndim - 1)
    throw new ShapeError(
      `choleskyUpdate: w of shape ${shapeText(w.shape)} does not fit r of shape ${shapeText(r.shape)}; [..., n] and [..., n, n] are needed`,
    );
  sameBatch("choleskyUpdate", [r, 2], [w, 1]);
  return composite("choleskyUpdate", () => {
    const [, updated] = qrFactors(concatenate([upper(r), expandDims(w, -2)], { axis: -2 }), sizeOfLast(r));
    const signs = where(less(diagonalOfLast(updated, 0), 0), -1, 1);
    return mul(updated, expandDims(signs, -1));
  });
}

export interface SymmetricProductOptions {
  readonly alpha?: number;
  readonly beta?: number;
  /** Both triangles of the result hold numbers; they always do. */
  readonly symmetrizeOutput?: boolean;
}

/**
 * α a aᵀ + β c for symmetric c; α is 1 and β is 0 unless told. Source: lax.linalg.symmetric_product.
 *
 * @throws ShapeError when the shapes do not fit, ArgumentError unless α and β are numbers.
 * @example await lax.linalg.symmetricProduct(array([[1, 2]]), array([[1]]), { beta: 2 }).toArray(); // [[7]]
 */
export function symmetricProduct(a: TensorLike, c: TensorLike, options: SymmetricProductOptions = {}): Tensor {
  checkOptions("symmetricProduct", options, { alpha: "number", beta: "number", symmetrizeOutput: "flag" });
  const { alpha = 1, beta = 0 } = options;
  if (typeof alpha !== "number" || typeof beta !== "number")
    throw new ArgumentError(
      `symmetricProduct: alpha and beta are numbers, received ${String(alpha)} and ${String(beta)}`,
    );
  const [left, added] = [matrices("symmetricProduct", a, false), matrices("symmetricProduct", c, true)];
  if (rowsOf(left) !== sizeOfLast(added))
    throw new ShapeError(
      `symmetricProduct: a of shape ${shapeText(left.shape)} does not fit c of shape ${shapeText(added.shape)}; [..., n, k] and [..., n, n] are needed`,
    );
  sameBatch("symmetricProduct", [left, 2], [added, 2]);
  return add(mul(matmul(left, transposed(left)), alpha), mul(added, beta));
}

/**
 * x with a x = b for tridiagonal a: dl below the diagonal (its first element is not read), d on it, du above (its last is not
 * read). By cyclic reduction in log₂ n steps, without exchanges of rows: for diagonally dominant or positive definite a.
 * Source: lax.linalg.tridiagonal_solve.
 *
 * @throws ShapeError unless dl, d and du are [..., n] and b is [..., n, k].
 * @example
 * const [dl, d, du] = [array([0, 1]), array([2, 3]), array([1, 0])];
 * await lax.linalg.tridiagonalSolve(dl, d, du, array([[3], [4]])).toArray(); // [[1], [1]]
 */
export function tridiagonalSolve(dl: TensorLike, d: TensorLike, du: TensorLike, b: TensorLike): Tensor {
  const [low, middle, high] = [
    floating(dl, "tridiagonalSolve"),
    floating(d, "tridiagonalSolve"),
    floating(du, "tridiagonalSolve"),
  ];
  const right = matrices("tridiagonalSolve", b, false);
  const fits = [low, middle, high].every(({ shape }) => sameShape(shape, right.shape.slice(0, -1)));
  if (!fits)
    throw new ShapeError(
      `tridiagonalSolve: shapes ${[low, middle, high, right].map(({ shape }) => shapeText(shape)).join(", ")}; three of [..., n] and [..., n, k] are needed`,
    );
  const n = rowsOf(right);
  if (right.size === 0) return right;
  return composite("tridiagonalSolve", () => reduced(low, middle, high, right, n));
}

/** Row i less multiples of rows i − s and i + s reads x at i ± 2s: n steps apart only the diagonal is left. */
function reduced(low: Tensor, middle: Tensor, high: Tensor, right: Tensor, n: number): Tensor {
  const axis = right.ndim - 2;
  const shifted = (x: Tensor, by: number, fill: number): Tensor =>
    pad(
      x,
      fill,
      x.shape.map((_, k) => (k === axis ? ([by, -by, 0] as const) : ([0, 0, 0] as const))),
    );
  const column = (x: Tensor): Tensor => expandDims(x, -1);
  const row = (place: number): Tensor => equal(broadcastedIota("int32", [n, 1], 0), place);
  let [l, m, u, y] = [where(row(0), 0, column(low)), column(middle), where(row(n - 1), 0, column(high)), right];
  for (let s = 1; s < n; s *= 2) {
    const before = neg(div(l, shifted(m, s, 1)));
    const after = neg(div(u, shifted(m, -s, 1)));
    y = add(y, add(mul(before, shifted(y, s, 0)), mul(after, shifted(y, -s, 0))));
    m = add(m, add(mul(before, shifted(u, s, 0)), mul(after, shifted(l, -s, 0))));
    [l, u] = [mul(before, shifted(l, s, 0)), mul(after, shifted(u, -s, 0))];
  }
  return div(y, m);
}
