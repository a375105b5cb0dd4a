import { bindCall, type CallOp, type CallPullback } from "../call.ts";
import { ArgumentError, ShapeError } from "../errors.ts";
import { checkOptions } from "../options.ts";
import { shapeText } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { at } from "../view.ts";
import { composite } from "./composite.ts";
import { convert } from "./convert.ts";
import { asTensor, literal, zeros, type TensorLike } from "./create.ts";
import { add, div, greater, greaterEqual, logicalAnd, mul, neg, notEqual, square, sub, where } from "./elementwise.ts";
import { transposed } from "./factorize.ts";
import { sliceAlong } from "./join.ts";
import { identity, matrices, sizeOfLast } from "./matrices.ts";
import { matmul } from "./matmul.ts";
import { expandDims, ravel } from "./movement.ts";
import { floating, any, max, sum } from "./reduce.ts";
import { svd } from "./svd.ts";

/** Functions of jnp.linalg that cut off small singular values. */

const PINV_OPTIONS = { rtol: true, rcond: true, hermitian: "flag" } as const;
const RANK_OPTIONS = { rtol: true, tol: true, hermitian: "flag" } as const;
const LSTSQ_OPTIONS = { rcond: "number" } as const;

/** The distance from 1 to the next float32. */
const EPSILON = 2 ** -23;

export interface PinvOptions {
  /** Singular values up to rtol times the largest count as zero: 10 · max(m, n) · 2⁻²³. One for all, or of the batch's shape. */
  readonly rtol?: TensorLike;
  /** Another name of rtol. */
  readonly rcond?: TensorLike;
  /** Whether the matrices are symmetric: then by eigh of (a + aᵀ) / 2. */
  readonly hermitian?: boolean;
}

/**
 * The pseudo-inverse of matrices [..., m, n]: p [..., n, m] with a p a = a, p a p = p, and a p and p a symmetric. Its
 * derivative holds while the rank stays as it is. Source: jnp.linalg.pinv.
 *
 * @throws ShapeError for fewer than two axes, ArgumentError for both rtol and rcond.
 * @example await linalg.pinv(array([[2, 0], [0, 0], [0, 4]])).toArray(); // [[0.5, 0, 0], [0, 0, 0.25]]
 */
export function pinv(a: TensorLike, options: PinvOptions = {}): Tensor {
  checkOptions("pinv", options, PINV_OPTIONS);
  const rtol = either("pinv", ["rtol", options.rtol], ["rcond", options.rcond]);
  const { hermitian = false } = options;
  const given = matrices("pinv", a, hermitian);
  const matrix = hermitian ? mul(add(given, transposed(given)), 0.5) : given;
  const [m, n] = [at(matrix.shape, matrix.ndim - 2), sizeOfLast(matrix)];
  if (m === 0 || n === 0) return zeros([...matrix.shape.slice(0, -2), n, m]);
  const cutoff = rtol === undefined ? undefined : floating(rtol, "pinv");
  return at(
    bindCall(pinvCall(cutoff ?? literal(10 * Math.max(m, n) * EPSILON, [], "float32"), hermitian), [matrix]),
    0,
  );
}

function either(
  name: string,
  ...[first, second]: readonly (readonly [string, TensorLike | undefined])[]
): TensorLike | undefined {
  if (first?.[1] !== undefined && second?.[1] !== undefined)
    throw new ArgumentError(
      `${name}: ${first[0]} and ${second[0]} are two names of one option, received both; give one`,
    );
  return first?.[1] ?? second?.[1];
}

/** ṗ = −p ȧ p + p pᵀ ȧᵀ (1 − a p) + (1 − p a) ȧᵀ pᵀ p: Golub and Pereyra. */
function pinvCall(rtol: Tensor, hermitian: boolean): CallOp {
  const parts = ([a]: readonly Tensor[]): Parts => {
    if (a === undefined) throw new ArgumentError("pinv: takes a tensor, received none");
    const p = at(bindCall(pinvCall(rtol, hermitian), [a]), 0);
    const pt = transposed(p);
    const off = (one: Tensor): Tensor => sub(identity(sizeOfLast(one)), one);
    return { p, pt, left: off(matmul(a, p)), right: off(matmul(p, a)) };
  };
  return {
    name: "pinv",
    run: ([a]) => (a === undefined ? [] : [inverted(a, rtol, hermitian)]),
    jvp: (inputs, [tangent]) => {
      const { p, pt, left, right } = parts(inputs);
      if (tangent === undefined) return { outputs: [p], tangents: [] };
      const turned = transposed(tangent);
      const terms = [neg(chain(p, tangent, p)), chain(p, pt, turned, left), chain(right, turned, pt, p)];
      return { outputs: [p], tangents: [summed(terms)] };
    },
    vjp: (inputs): CallPullback => {
      const { p, pt, left, right } = parts(inputs);
      const pull: CallPullback["pull"] = ([ct]) => {
        if (ct === undefined) return [undefined];
        const turned = transposed(ct);
        return [summed([neg(chain(pt, ct, pt)), chain(left, turned, p, pt), chain(pt, p, turned, right)])];
      };
      return { outputs: [p], residuals: [p, left, right], pull };
    },
  };
}

interface Parts {
  readonly p: Tensor;
  readonly pt: Tensor;
  /** 1 − a p and 1 − p a. */
  readonly left: Tensor;
  readonly right: Tensor;
}

const chain = (...all: readonly Tensor[]): Tensor => all.reduce((x, y) => matmul(x, y));
const summed = (all: readonly Tensor[]): Tensor => all.reduce((x, y) => add(x, y));

function inverted(a: Tensor, rtol: Tensor, hermitian: boolean): Tensor {
  const [u, s, vt] = svd(a, { fullMatrices: false, hermitian });
  const cutoff = mul(expandDims(rtol, -1), sliceAlong(s, s.ndim - 1, 0, 1));
  const kept = where(greater(s, cutoff), s, Infinity);
  return matmul(transposed(vt), div(transposed(u), expandDims(kept, -1)));
}

export interface MatrixRankOptions {
  /** Singular values up to this count as zero: the largest · max(m, n) · 2⁻²³. One for all, or of the batch's shape. */
  readonly rtol?: TensorLike;
  /** Another name of rtol. */
  readonly tol?: TensorLike;
  /** Whether the matrices are symmetric: then by eigh. */
  readonly hermitian?: boolean;
}

/**
 * How many singular values of matrices [..., m, n] are above the tolerance: int32 [...]. Of vectors and numbers, 1 unless
 * all are zero. Source: jnp.linalg.matrix_rank.
 *
 * @throws ArgumentError for both rtol and tol.
 * @example await linalg.matrixRank(array([[1, 2], [2, 4]])).item(); // 1
 */
export function matrixRank(m: TensorLike, options: MatrixRankOptions = {}): Tensor {
  checkOptions("matrixRank", options, RANK_OPTIONS);
  const given = either("matrixRank", ["rtol", options.rtol], ["tol", options.tol]);
  const tensor = floating(m, "matrixRank");
  if (tensor.ndim < 2) return convert(any(notEqual(tensor, 0)), "int32");
  const { hermitian = false } = options;
  const matrix = matrices("matrixRank", tensor, hermitian);
  const most = Math.max(at(matrix.shape, matrix.ndim - 2), sizeOfLast(matrix));
  return composite("matrixRank", () => {
    const s = svd(matrix, { computeUv: false, hermitian });
    const least =
      given === undefined ? mul(max(s, { axis: -1, initial: 0 }), most * EPSILON) : floating(given, "matrixRank");
    return sum(convert(greater(s, expandDims(least, -1)), "int32"), { axis: -1 });
  });
}

export interface LstsqOptions {
  /** Singular values below rcond times the largest count as zero: max(m, n) · 2⁻²³; 2⁻²³ if negative. */
  readonly rcond?: number;
}

/**
 * The x of least norm that makes ‖a x − b‖ least, by singular values; Σ |a x − b|² for each column of b; the rank of a (int32);
 * its singular values. a is [m, n], b [m] or [m, k]. JAX's numpy_resid, whose shape depends on the rank, is not there.
 * Source: jnp.linalg.lstsq.
 *
 * @throws ShapeError unless a is a matrix that fits b.
 * @example await linalg.lstsq(array([[1, 0], [0, 2], [0, 0]]), array([1, 2, 3]))[0].toArray(); // [1, 1]
 */
export function lstsq(
  a: TensorLike,
  b: TensorLike,
  options: LstsqOptions = {},
): [x: Tensor, residuals: Tensor, rank: Tensor, s: Tensor] {
  checkOptions("lstsq", options, LSTSQ_OPTIONS);
  const [matrix, right] = [matrices("lstsq", a, false), floating(asTensor(b, "lstsq"), "lstsq")];
  const [m, n] = [at(matrix.shape, matrix.ndim - 2), sizeOfLast(matrix)];
  if (matrix.ndim !== 2 || right.ndim < 1 || right.ndim > 2 || right.shape[0] !== m)
    throw new ShapeError(
      `lstsq: a of shape ${shapeText(matrix.shape)} does not fit b of shape ${shapeText(right.shape)}; a is [m, n], b [m] or [m, k]`,
    );
  const { rcond = EPSILON * Math.max(m, n) } = options;
  const columns = right.ndim === 1 ? expandDims(right, -1) : right;
  const [u, s, vt] = svd(matrix, { fullMatrices: false });
  const largest = m === 0 || n === 0 ? s : sliceAlong(s, 0, 0, 1);
  const kept = logicalAnd(greater(s, 0), greaterEqual(s, mul(largest, rcond < 0 ? EPSILON : rcond)));
  const inverses = where(kept, div(1, where(kept, s, 1)), 0);
  const x = matmul(transposed(vt), mul(expandDims(inverses, -1), matmul(transposed(u), columns)));
  const residuals = sum(square(sub(columns, matmul(matrix, x))), { axis: 0 });
  return [right.ndim === 1 ? ravel(x) : x, residuals, sum(convert(kept, "int32")), s];
}
