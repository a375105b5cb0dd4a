import { planSvd } from "@jnx/kernels-wgsl";
import { bindCall, type CallOp, type CallPullback } from "../call.ts";
import { bind } from "../dispatch.ts";
import { ArgumentError } from "../errors.ts";
import type { KernelOp } from "../op.ts";
import { checkOptions } from "../options.ts";
import { sizeOf } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { at } from "../view.ts";
import { diagonalOfLast } from "./contraction.ts";
import { zeros, type TensorLike } from "./create.ts";
import { abs, add, div, isnan, less, mul, sign, sub, where } from "./elementwise.ts";
import { composite } from "./composite.ts";
import { convert } from "./convert.ts";
import { eigh, eigvalsh, turnsOf } from "./eigen.ts";
import { ALONE, block, qrFactors, transposed } from "./factorize.ts";
import { takeAlongAxis } from "./indexing.ts";
import { concatenate, sliceAlong } from "./join.ts";
import { largeOrthogonalize } from "./jacobi.ts";
import { identity, matrices, onDiagonal, sizeOfLast } from "./matrices.ts";
import { matmul } from "./matmul.ts";
import { broadcastTo, expandDims, flip, squeeze } from "./movement.ts";
import { argsort, sort } from "./sorting.ts";

const SVD_OPTIONS = { fullMatrices: "flag", computeUv: "flag", hermitian: "flag" } as const;

interface SvdAttrs {
  /** Whether x and w are wanted, not the singular values alone. */
  readonly turns: boolean;
}

/** Of a w = x with orthogonal columns in x: their lengths, and below them x and w. See svd.wgsl. */
const orthogonalizeOp: KernelOp<SvdAttrs> = {
  kind: "kernel",
  name: "orthogonalize",
  infer: ([a], { turns }) => {
    const shape = a?.shape ?? [];
    const n = shape.at(-1) ?? 0;
    return { shape: [...shape.slice(0, -2), turns ? 1 + 2 * n : 1, n], dtype: "float32", weak: false };
  },
  accepts: () => true,
  plan: ([a], { turns }, limits) => {
    const shape = a?.aval.shape ?? [];
    return planSvd({ n: shape.at(-1) ?? 0, count: sizeOf(shape.slice(0, -2)), turns }, limits);
  },
  // The decomposition as a whole has rules; what its parts are is nobody's business.
  vjp: "nondifferentiable",
  batch: (inputs, _batched, attrs) => bind(orthogonalizeOp, inputs, attrs),
};

function orthogonalized(a: Tensor, turns: boolean): Tensor {
  if (sizeOfLast(a) <= ALONE) return bind(orthogonalizeOp, [a], { turns });
  return composite("orthogonalize", () => largeOrthogonalize(convert(a, "float32"), turns, turnsOf));
}

type Factors = readonly [u: Tensor, s: Tensor, vt: Tensor];

/** The decomposition by ordinary ops; u square if `full`, else v and u of as many columns as there are values. */
function decomposed(a: Tensor, full: boolean): Factors {
  const [m, n] = [at(a.shape, a.ndim - 2), sizeOfLast(a)];
  if (m >= n) return decomposedTall(a, full);
  const [v, s, ut] = decomposedTall(transposed(a), full);
  return [transposed(ut), s, transposed(v)];
}

/** a = q r = (q w) diag(s) vᵀ, where rᵀ w = v diag(s) has orthogonal columns. */
function decomposedTall(a: Tensor, full: boolean): Factors {
  const [lead, m, n] = [a.shape.slice(0, -2), at(a.shape, a.ndim - 2), sizeOfLast(a)];
  if (n === 0) return [eyes(lead, m, full ? m : 0), zeros([...lead, 0]), zeros([...lead, 0, 0])];
  const [q, r] = m > n ? qrFactors(a, full ? m : n) : [undefined, a];
  const packed = orthogonalized(transposed(block(r, 0, n)), true);
  const s = squeeze(block(packed, 0, 1), -2);
  const turns = block(packed, n + 1, 2 * n + 1);
  const vt = transposed(directions(block(packed, 1, n + 1), s));
  if (q === undefined) return [turns, s, vt];
  const u = matmul(sliceAlong(q, q.ndim - 1, 0, n), turns);
  return [full ? concatenate([u, sliceAlong(q, q.ndim - 1, n, m)], { axis: -1 }) : u, s, vt];
}

/** Orthogonal columns, longest first, brought to length 1, and what completes those of length 0: Q of their QR, but for signs. */
function directions(x: Tensor, s: Tensor): Tensor {
  const [q, r] = qrFactors(x, sizeOfLast(x));
  const signs = where(less(diagonalOfLast(r, 0), 0), -1, 1);
  const bad = isnan(expandDims(sliceAlong(s, s.ndim - 1, 0, 1), -1));
  return where(bad, Number.NaN, mul(q, expandDims(signs, -2)));
}

function eyes(lead: readonly number[], rows: number, columns: number): Tensor {
  return broadcastTo(sliceAlong(identity(rows), 1, 0, columns), [...lead, rows, columns]);
}

function valuesOf(a: Tensor): Tensor {
  const [lead, m, n] = [a.shape.slice(0, -2), at(a.shape, a.ndim - 2), sizeOfLast(a)];
  const k = Math.min(m, n);
  if (k === 0) return zeros([...lead, 0]);
  const tall = m >= n ? a : transposed(a);
  const square = m === n ? a : transposed(qrFactors(tall, k)[1]);
  return squeeze(orthogonalized(square, false), -2);
}

/** The decomposition as one call, with the rules of the reduced one. */
function svdCall(full: boolean): CallOp {
  return {
    name: "svd",
    run: ([a]) => (a === undefined ? [] : decomposed(a, full)),
    jvp: ([a], [tangent]) => {
      const outputs = reduced(a, full);
      return { outputs, tangents: tangent === undefined ? [] : moved(outputs, tangent) };
    },
    vjp: ([a]): CallPullback => {
      const outputs = reduced(a, full);
      return { outputs, residuals: outputs, pull: (cts) => [pulled(outputs, cts)] };
    },
  };
}

/** The singular values as one call. */
function valuesCall(): CallOp {
  return {
    name: "svdvals",
    run: ([a]) => (a === undefined ? [] : [valuesOf(a)]),
    jvp: ([a], [tangent]) => {
      const [u, s, vt] = reduced(a, false);
      const moves = tangent === undefined ? [] : [diagonalOfLast(alongFactors(u, tangent, vt), 0)];
      return { outputs: [s], tangents: moves };
    },
    vjp: ([a]): CallPullback => {
      const [u, s, vt] = reduced(a, false);
      const pull: CallPullback["pull"] = ([ct]) => [
        ct === undefined ? undefined : matmul(mul(u, expandDims(ct, -2)), vt),
      ];
      return { outputs: [s], residuals: [u, vt], pull };
    },
  };
}

/** The factors that the rules know. */
function reduced(a: Tensor | undefined, full: boolean): Factors {
  if (a === undefined) throw new ArgumentError("svd: takes a tensor, received none");
  const [m, n] = [at(a.shape, a.ndim - 2), sizeOfLast(a)];
  if (full && m !== n)
    throw new ArgumentError(
      `svd: has no derivative for ${m} x ${n} matrices with fullMatrices; give fullMatrices: false`,
    );
  const [u, s, vt] = bindCall(svdCall(false), [a]) as [Tensor, Tensor, Tensor]; // what its run returns
  return [u, s, vt];
}

const alongFactors = (u: Tensor, x: Tensor, vt: Tensor): Tensor => matmul(matmul(transposed(u), x), transposed(vt));

/** 1 / (s[j]² − s[i]²) at row i and column j, 0 on the diagonal. */
function reciprocalGaps(s: Tensor): Tensor {
  const [row, column] = [expandDims(s, -2), expandDims(s, -1)];
  const one = identity(sizeOfLast(s));
  return sub(div(1, add(mul(add(row, column), sub(row, column)), one)), one);
}

/** x without its part in the span of q's columns, divided by the singular values. */
function outside(q: Tensor, x: Tensor, s: Tensor): Tensor {
  return div(sub(x, matmul(q, matmul(transposed(q), x))), expandDims(s, -2));
}

/** The factors' tangents for a's. */
function moved([u, s, vt]: Factors, da: Tensor): readonly Tensor[] {
  const v = transposed(vt);
  const [m, n] = [at(da.shape, da.ndim - 2), sizeOfLast(da)];
  const inner = alongFactors(u, da, vt);
  const gaps = reciprocalGaps(s);
  const [byColumn, byRow] = [mul(inner, expandDims(s, -2)), mul(inner, expandDims(s, -1))];
  const du = matmul(u, mul(gaps, add(byColumn, transposed(byColumn))));
  const dv = matmul(v, mul(gaps, add(byRow, transposed(byRow))));
  return [
    m > n ? add(du, outside(u, matmul(da, v), s)) : du,
    diagonalOfLast(inner, 0),
    transposed(n > m ? add(dv, outside(v, matmul(transposed(da), u), s)) : dv),
  ];
}

/** a's cotangent for the factors': `moved`, transposed. */
function pulled([u, s, vt]: Factors, [du, ds, dvt]: readonly (Tensor | undefined)[]): Tensor | undefined {
  const v = transposed(vt);
  const [m, n, k] = [at(u.shape, u.ndim - 2), sizeOfLast(vt), sizeOfLast(s)];
  const dv = dvt === undefined ? undefined : transposed(dvt);
  const terms: Tensor[] = [];
  const both = (x: Tensor): Tensor => add(x, transposed(x));
  if (ds !== undefined) terms.push(onDiagonal(ds));
  const gaps = reciprocalGaps(s);
  if (du !== undefined) terms.push(mul(both(mul(gaps, matmul(transposed(u), du))), expandDims(s, -2)));
  if (dv !== undefined) terms.push(mul(both(mul(gaps, matmul(transposed(v), dv))), expandDims(s, -1)));
  if (terms.length === 0) return undefined;
  const inner = terms.reduce((x, y) => add(x, y));
  let result = matmul(matmul(u, inner), vt);
  if (du !== undefined && m > k) result = add(result, matmul(outside(u, du, s), vt));
  if (dv !== undefined && n > k) result = add(result, matmul(u, transposed(outside(v, dv, s))));
  return result;
}

export interface SvdOptions {
  /** u of m and vᵀ of n rows and columns, unless false: then k columns and k rows, k the smaller of m and n. */
  readonly fullMatrices?: boolean;
  /** False for the singular values alone. */
  readonly computeUv?: boolean;
  /** Whether the matrices are known to be symmetric: then by eigh. */
  readonly hermitian?: boolean;
}

/**
 * a = u diag(s) vᵀ with orthonormal columns in u and rows in vᵀ and s ≥ 0 in descending order, for matrices [..., m, n], by
 * Jacobi's method. The signs of pairs of vectors are not defined, nor are vectors of equal singular values, whose derivatives
 * are not finite. Differentiable in u and vᵀ with `fullMatrices: false` or for square matrices. NaN for a matrix with
 * an element that is not finite. Source: jnp.linalg.svd.
 *
 * @throws ShapeError for fewer than two axes, or for hermitian unless they are equal.
 * @example await linalg.svd(array([[0, 2], [1, 0]]))[1].toArray(); // [2, 1]
 */
export function svd(a: TensorLike, options: SvdOptions & { readonly computeUv: false }): Tensor;
export function svd(
  a: TensorLike,
  options?: SvdOptions & { readonly computeUv?: true },
): [u: Tensor, s: Tensor, vt: Tensor];
export function svd(a: TensorLike, options: SvdOptions = {}): Tensor | [Tensor, Tensor, Tensor] {
  checkOptions("svd", options, SVD_OPTIONS);
  const { fullMatrices = true, computeUv = true, hermitian = false } = options;
  const matrix = matrices("svd", a, hermitian);
  if (hermitian) return computeUv ? ofSymmetric(matrix) : flip(sort(abs(eigvalsh(matrix))), { axis: -1 });
  if (!computeUv) return at(bindCall(valuesCall(), [matrix]), 0);
  return bindCall(svdCall(fullMatrices), [matrix]) as [Tensor, Tensor, Tensor]; // what its run returns
}

function ofSymmetric(a: Tensor): [Tensor, Tensor, Tensor] {
  const [w, v] = eigh(a);
  const order = flip(argsort(abs(w)), { axis: -1 });
  const values = takeAlongAxis(w, order, w.ndim - 1);
  const vectors = takeAlongAxis(v, expandDims(order, -2), v.ndim - 1);
  return [mul(vectors, expandDims(sign(values), -2)), abs(values), transposed(vectors)];
}

/**
 * The singular values of matrices [..., m, n] in descending order: [..., min(m, n)]. Source: jnp.linalg.svdvals.
 *
 * @throws ShapeError for fewer than two axes.
 * @example await linalg.svdvals(array([[3, 0], [0, -4]])).toArray(); // [4, 3]
 */
export function svdvals(x: TensorLike): Tensor {
  return at(bindCall(valuesCall(), [matrices("svdvals", x, false)]), 0);
}
