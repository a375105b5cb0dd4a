import { foriLoop, whileLoop } from "@jnx/compile";
import {
  abs,
  add,
  array,
  ArgumentError,
  div,
  equal,
  greater,
  identity,
  less,
  logicalAnd,
  logicalNot,
  matmul,
  max,
  maximum,
  minimum,
  mul,
  power,
  ShapeError,
  sqrt,
  square,
  sub,
  sum,
  swapaxes,
  where,
  zeros,
  type PrecisionLike,
  type Tensor,
  type TensorLike,
} from "@jnx/tensor";
import * as random from "@jnx/tensor/random";
import { asTensor, checkKeys, isFloat, shapeText } from "@jnx/tensor/internal";
import * as trees from "./tree-ops.ts";

/** Options of `powerIteration`. */
export interface PowerIterationOptions<T> {
  /** Where to start; drawn uniformly unless given, which a function of trees needs. */
  readonly v0?: T;
  /** The most steps, 100. */
  readonly numIters?: number;
  /** The relative length of the residual at which it stops, 1e-6. */
  readonly errorTolerance?: number;
  /** Taken for Optax's sake: products are made in float32. */
  readonly precision?: PrecisionLike;
  /** What to draw the start from, random.key(0). */
  readonly key?: Tensor;
}

interface Iterated<T> {
  readonly v: T;
  readonly z: T;
  readonly value: Tensor;
  readonly count: Tensor;
}

/**
 * The eigenvalue of a symmetric matrix, or of a linear function of trees, that is largest in size, and its eigenvector of
 * length 1: `[value, vector]`. Runs on the device. Source: optax.power_iteration.
 *
 * @throws ArgumentError for a function without `v0`.
 * @example
 * const [value] = optax.powerIteration(array([[2, 0], [0, 1]]));
 * value; // 2
 */
export function powerIteration<T = Tensor>(
  matrix: TensorLike | ((v: T) => T),
  options: PowerIterationOptions<T> = {},
): [Tensor, T] {
  const given: PowerIterationOptions<unknown> = options;
  checkKeys("powerIteration", given, "v0 numIters errorTolerance precision key");
  const { numIters = 100, errorTolerance = 1e-6, precision = null } = options;
  const apply = typeof matrix === "function" ? matrix : (v: T): T => matmul(matrix, v as Tensor, { precision }) as T; // T is Tensor
  const unit = (v: T): T => trees.scale(div(1, trees.norm(v)), v);
  const start = unit(options.v0 ?? drawn(matrix, options.key));
  const goesOn = ({ v, z, value, count }: Iterated<T>): Tensor => {
    const residual = trees.norm(trees.sub(z, trees.scale(value, v)));
    return logicalAnd(logicalNot(less(abs(div(residual, value)), errorTolerance)), less(count, numIters));
  };
  const step = ({ z, count }: Iterated<T>): Iterated<T> => {
    const v = unit(z);
    const next = apply(v);
    return { v, z: next, value: trees.vdot(v, next), count: add(count, 1) };
  };
  const first = { v: start, z: apply(start), value: array(0, { dtype: "float32" }), count: array(0) };
  const { value, z } = whileLoop(goesOn, step, first, { maxIterations: numIters });
  return [value, unit(z)];
}

function drawn<T>(matrix: TensorLike | ((v: T) => T), key: Tensor = random.key(0)): T {
  if (typeof matrix === "function")
    throw new ArgumentError("powerIteration: a function needs v0 to start from; pass { v0 }, a tree that it takes");
  const size = asTensor(matrix, "powerIteration").shape.at(-1) ?? 1;
  return random.uniform(key, [size], { minval: -1, maxval: 1 }) as T; // for a matrix it is a Tensor
}

/** Options of `matrixInversePthRoot`. */
export interface InverseRootOptions {
  /** The most steps, 100. */
  readonly numIters?: number;
  /** What is added to the diagonal, in parts of the largest eigenvalue; 1e-6. */
  readonly ridgeEpsilon?: number;
  /** The largest error at which it stops, 1e-6. */
  readonly errorTolerance?: number;
  /** Taken for Optax's sake: products are made in float32. */
  readonly precision?: PrecisionLike;
}

interface Root {
  readonly m: Tensor;
  readonly h: Tensor;
  readonly before: Tensor;
  readonly error: Tensor;
  readonly improves: Tensor;
  readonly count: Tensor;
}

/**
 * The matrix to the power −1 / p, p being 1, 2, 4 or 8, by Newton's coupled iterations, and its error: `[root, error]`.
 * Source: optax.matrix_inverse_pth_root.
 *
 * @throws ShapeError unless the matrix is square.
 * @example
 * const [root] = optax.matrixInversePthRoot(array([[4, 0], [0, 16]]), 2);
 * root; // [[0.5, 0], [0, 0.25]]
 */
export function matrixInversePthRoot(
  matrix: TensorLike,
  p: number,
  options: InverseRootOptions = {},
): [Tensor, Tensor] {
  checkKeys("matrixInversePthRoot", options, "numIters ridgeEpsilon errorTolerance precision");
  const { numIters = 100, ridgeEpsilon = 1e-6, errorTolerance = 1e-6 } = options;
  const given = asTensor(matrix, "matrixInversePthRoot");
  const [size = 0, other] = given.shape;
  if (given.ndim !== 2 || size !== other)
    throw new ShapeError(`matrixInversePthRoot: expected a square matrix, received ${shapeText(given.shape)}`);
  const [largest] = powerIteration<Tensor>(given);
  const ridge = mul(ridgeEpsilon, maximum(largest, 1e-16));
  if (size === 1) return [power(add(given, ridge), -1 / p), array(0, { dtype: "float32" })];
  const eye = identity(size);
  const off = (m: Tensor): Tensor => max(abs(sub(m, eye)));
  const damped = add(given, mul(ridge, eye));
  const z = div(1 + p, mul(2, sqrt(sum(square(damped)))));
  const first = mul(damped, z);
  const h = mul(eye, power(z, 1 / p));
  const squarings = Math.min(3, Math.max(0, Math.round(Math.log2(p))));
  const step = ({ m, h: root, error, count }: Root): Root => {
    const mixed = sub(mul(1 + 1 / p, eye), mul(1 / p, m));
    let raised = mixed;
    for (let k = 0; k < squarings; k++) raised = matmul(raised, raised);
    const next = matmul(raised, m);
    const now = off(next);
    return {
      m: next,
      h: matmul(root, mixed),
      before: root,
      error: now,
      improves: less(now, mul(error, 1.2)),
      count: add(count, 1),
    };
  };
  const goesOn = ({ error, improves, count }: Root): Tensor =>
    logicalAnd(less(count, numIters), logicalAnd(greater(error, errorTolerance), improves));
  const begun: Root = { m: first, h, before: h, error: off(first), improves: array(true), count: array(0) };
  const found = whileLoop(goesOn, step, begun, { maxIterations: numIters });
  return [where(found.improves, found.h, found.before), off(found.m)];
}

/** Options of `nnls`. */
export interface NnlsOptions {
  /** Taken for Optax's sake: the steps are a loop on the device. */
  readonly unroll?: number | boolean;
  /** A bound of the largest eigenvalue of AᵀA, if it is known. */
  readonly L?: TensorLike | null;
}

/**
 * The x ≥ 0 that minimizes ‖A x − b‖², by `iters` accelerated projected gradient steps: A [m, n], b [m] or [m, k] → [n] or
 * [n, k]. Source: optax.nnls; Polyak 2015.
 *
 * @throws ShapeError when A and b do not belong together.
 * @example
 * optax.nnls(array([[1, 0], [0, 1]]), array([2, -1]), 10); // [2, 0]
 */
export function nnls(A: TensorLike, b: TensorLike, iters: number, options: NnlsOptions = {}): Tensor {
  checkKeys("nnls", options, "unroll L");
  const [a, target] = [asTensor(A, "nnls"), asTensor(b, "nnls")];
  if (a.ndim !== 2 || target.ndim < 1 || target.ndim > 2 || target.shape[0] !== a.shape[0])
    throw new ShapeError(
      `nnls: expected A [m, n] and b [m] or [m, k], received ${shapeText(a.shape)} and ${shapeText(target.shape)}`,
    );
  const turned = swapaxes(a, 0, 1);
  const [quadratic, linear] = [matmul(turned, a), matmul(turned, target)];
  const bound = options.L ?? upperBound(quadratic);
  const rate = where(equal(bound, 0), 1, bound);
  const start = zeros([a.shape[1] ?? 0, ...target.shape.slice(1)], {
    dtype: isFloat(target.dtype) ? target.dtype : "float32",
  });
  type Point = readonly [x: Tensor, p: Tensor, c: Tensor];
  const step = (_: Tensor, [x, p, c]: Point): Point => {
    const cn = div(add(1, sqrt(add(1, mul(4, square(c))))), 2);
    const next = maximum(sub(p, div(sub(matmul(quadratic, p), linear), rate)), 0);
    return [next, add(next, mul(div(sub(c, 1), cn), sub(next, x))), cn];
  };
  return foriLoop<Point>(0, iters, step, [start, start, array(0, { dtype: "float32" })])[0];
}

/** No eigenvalue is larger than either norm: Frobenius's, or the largest sum of a column's sizes. */
function upperBound(matrix: Tensor): Tensor {
  return minimum(sqrt(sum(square(matrix))), max(sum(abs(matrix), { axis: 0 })));
}
