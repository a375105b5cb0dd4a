import { op_gamma } from "@jnx/kernels-wgsl";
import { ShapeError } from "../../errors.ts";
import { checkShape, shapeText, type Shape } from "../../shape.ts";
import type { Tensor } from "../../tensor.ts";
import { at } from "../../view.ts";
import { composite } from "../composite.ts";
import type { TensorLike } from "../create.ts";
import { abs, add, div, exp, maximum, mul, power, sqrt, sub } from "../elementwise.ts";
import { expandDims } from "../movement.ts";
import { softmax } from "../normalize.ts";
import { sum } from "../reduce.ts";
import { signOp } from "./continuous.ts";
import { draw, exponentialOp, normalOp } from "./draw.ts";
import type { KeyArray } from "./key-array.ts";
import { checkedKey, splitPair } from "./keys.ts";
import { randomGammaGrad } from "./gamma-grad.ts";
import { drawRejected, rejection, type Rejection } from "./rejection.ts";
import { drawShape, float, spread } from "./shapes.ts";
import { checkOptions } from "../../options.ts";

const BALL_OPTIONS = { p: true, shape: true } as const;

const gammaOp = /* @__PURE__ */ rejection("gamma", op_gamma, ["B(false)"], ({ inputs: [, , a], output, needs }, ct) => [
  undefined,
  undefined,
  a && needs[2] ? mul(ct, randomGammaGrad(a, output)) : undefined,
]);

const TINY = 2 ** -126;

/** Of the logarithm: dx / x. A number too small for a float32 counts as the smallest. */
const loggammaOp = /* @__PURE__ */ rejection(
  "loggamma",
  op_gamma,
  ["B(true)"],
  ({ inputs: [, , a], output, needs }, ct) => {
    if (a === undefined || needs[2] !== true) return [];
    const sample = maximum(exp(output), TINY);
    return [undefined, undefined, mul(ct, div(randomGammaGrad(a, sample), sample))];
  },
);

function drawGamma(source: KeyArray, a: Tensor, shape: Shape): Tensor {
  return drawRejected(gammaOp, source, shape, [spread(a, shape)]);
}

function drawLoggamma(source: KeyArray, a: Tensor, shape: Shape): Tensor {
  return drawRejected(loggammaOp, source, shape, [spread(a, shape)]);
}

/**
 * The op that `gamma` binds, as a record: its operands are a key's two words and a, all of the result's shape.
 * Source: jax.random.random_gamma_p.
 * @example random.randomGammaP.name; // "gamma"
 */
export const randomGammaP: Rejection = gammaOp;

/**
 * Gamma with shape a and scale 1, by Marsaglia and Tsang's method. The shape is a's unless told. Differentiable by a, as
 * is all that is made of gamma numbers (see {@link randomGammaGrad}). Source: jax.random.gamma.
 *
 * @throws ArgumentError when k is not one key, ShapeError when a does not fit the shape.
 * @example await random.gamma(random.key(42), 2.5, [2]).toArray(); // [4.3781, 1.5008]
 */
export function gamma(k: TensorLike, a: TensorLike, shape?: Shape): Tensor {
  const source = checkedKey("gamma", k);
  const x = float(a, "random.gamma");
  return drawGamma(source, x, drawShape("gamma", shape, x.shape));
}

/**
 * The logarithm of a gamma number, also where that number is too small for a float32. Source: jax.random.loggamma.
 *
 * @throws ArgumentError when k is not one key, ShapeError when a does not fit the shape.
 * @example await random.loggamma(random.key(42), 0.5, [2]).toArray(); // [-0.00054586, -0.68057]
 */
export function loggamma(k: TensorLike, a: TensorLike, shape?: Shape): Tensor {
  const source = checkedKey("loggamma", k);
  const x = float(a, "random.loggamma");
  return drawLoggamma(source, x, drawShape("loggamma", shape, x.shape));
}

/**
 * Beta with parameters a and b. Source: jax.random.beta.
 *
 * @throws ArgumentError when k is not one key, ShapeError when the parameters do not fit the shape.
 * @example await random.beta(random.key(42), 2, 3, [2]).toArray(); // [0.43196, 0.31282]
 */
export function beta(k: TensorLike, a: TensorLike, b: TensorLike, shape?: Shape): Tensor {
  const source = checkedKey("beta", k);
  const [first, second] = [float(a, "random.beta"), float(b, "random.beta")];
  const full = drawShape("beta", shape, first.shape, second.shape);
  return composite("beta", () => {
    const [keyA, keyB] = splitPair(source);
    const [logA, logB] = [drawLoggamma(keyA, first, full), drawLoggamma(keyB, second, full)];
    const most = maximum(logA, logB);
    const scaled = exp(sub(logA, most));
    return div(scaled, add(scaled, exp(sub(logB, most))));
  });
}

/**
 * Dirichlet: numbers ≥ 0 that sum to 1 along the last axis, which is alpha's. The shape is that of alpha's other axes
 * unless told. Source: jax.random.dirichlet.
 *
 * @throws ArgumentError when k is not one key, ShapeError when alpha is a scalar or does not fit the shape.
 * @example
 * await random.dirichlet(random.key(42), array([1, 2, 3])).toArray(); // [0.26473, 0.1348, 0.60047]
 */
export function dirichlet(k: TensorLike, alpha: TensorLike, shape?: Shape): Tensor {
  const source = checkedKey("dirichlet", k);
  const a = float(alpha, "random.dirichlet");
  if (a.ndim === 0)
    throw new ShapeError("random.dirichlet: alpha must have at least one axis, received a scalar; pass array([…])");
  const full = [...drawShape("dirichlet", shape, a.shape.slice(0, -1)), at(a.shape, a.ndim - 1)];
  return composite("dirichlet", () => softmax(drawLoggamma(source, a, full), { axis: -1 }));
}

/**
 * Student's t with df degrees of freedom. Source: jax.random.t.
 *
 * @throws ArgumentError when k is not one key, ShapeError when df does not fit the shape.
 * @example await random.t(random.key(42), 5, [2]).toArray(); // [0.084162, -1.1023]
 */
export function t(k: TensorLike, df: TensorLike, shape?: Shape): Tensor {
  const source = checkedKey("t", k);
  const half = div(float(df, "random.t"), 2);
  const full = drawShape("t", shape, half.shape);
  return composite("t", () => {
    const [keyN, keyG] = splitPair(source);
    return mul(draw(normalOp, keyN, full), sqrt(div(half, drawGamma(keyG, half, full))));
  });
}

/**
 * Chi-squared with df degrees of freedom. Source: jax.random.chisquare.
 *
 * @throws ArgumentError when k is not one key, ShapeError when df does not fit the shape.
 * @example await random.chisquare(random.key(42), 4, [2]).toArray(); // [7.345, 2.1848]
 */
export function chisquare(k: TensorLike, df: TensorLike, shape?: Shape): Tensor {
  const source = checkedKey("chisquare", k);
  const degrees = float(df, "random.chisquare");
  const full = drawShape("chisquare", shape, degrees.shape);
  return composite("chisquare", () => drawChisquare(source, degrees, full));
}

function drawChisquare(source: KeyArray, df: Tensor, shape: Shape): Tensor {
  return mul(exp(drawLoggamma(source, div(df, 2), shape)), 2);
}

/**
 * Fisher's F with dfnum and dfden degrees of freedom. Source: jax.random.f.
 *
 * @throws ArgumentError when k is not one key, ShapeError when the parameters do not fit the shape.
 * @example await random.f(random.key(42), 4, 6, [2]).toArray(); // [0.781, 0.52847]
 */
export function f(k: TensorLike, dfnum: TensorLike, dfden: TensorLike, shape?: Shape): Tensor {
  const source = checkedKey("f", k);
  const [num, den] = [float(dfnum, "random.f"), float(dfden, "random.f")];
  const full = drawShape("f", shape, num.shape, den.shape);
  return composite("f", () => {
    const [keyDen, keyNum] = splitPair(source);
    const above = div(drawChisquare(keyNum, num, full), num);
    return div(above, div(drawChisquare(keyDen, den, full), den));
  });
}

/**
 * Numbers of density ∝ exp(−|x|^p). p broadcasts against the shape. Source: jax.random.generalized_normal.
 *
 * @throws ArgumentError when k is not one key, ShapeError when p does not fit the shape.
 * @example await random.generalizedNormal(random.key(42), 2, [2]).toArray(); // [-0.76701, -0.22937]
 */
export function generalizedNormal(k: TensorLike, p: TensorLike, shape: Shape = []): Tensor {
  const source = checkedKey("generalizedNormal", k);
  const by = float(p, "random.generalizedNormal");
  const full = drawShape("generalizedNormal", shape, by.shape);
  return composite("generalizedNormal", () => drawGeneralized(source, inverse("random.generalizedNormal", p), full));
}

/** 1 / p, of a number rounded once. */
function inverse(name: string, p: TensorLike): Tensor {
  return typeof p === "number" ? float(1 / p, name) : div(1, float(p, name));
}

function drawGeneralized(source: KeyArray, inverted: Tensor, shape: Shape): Tensor {
  const [keyG, keyS] = splitPair(source);
  return mul(draw(signOp, keyS, shape), power(drawGamma(keyG, inverted, shape), inverted));
}

export interface BallOptions {
  /** The norm, 2 unless told: a number or a scalar array. */
  readonly p?: TensorLike;
  /** Of the points, [] unless told. */
  readonly shape?: Shape;
}

/**
 * Points of the unit ball of d dimensions in the p-norm, [...shape, d]. Source: jax.random.ball.
 *
 * @throws ArgumentError when k is not one key, ShapeError when d is no whole number ≥ 0 or p no scalar.
 * @example await random.ball(random.key(42), 3).toArray(); // [0.3234, 0.061339, 0.018243]
 */
export function ball(k: TensorLike, d: number, options: BallOptions = {}): Tensor {
  checkOptions("random.ball", options, BALL_OPTIONS);
  const source = checkedKey("ball", k);
  const { p = 2, shape = [] } = options;
  const full = checkShape("random.ball", [...shape, d]);
  const by = float(p, "random.ball");
  if (by.ndim !== 0) throw new ShapeError(`random.ball: p must be a scalar, received shape ${shapeText(by.shape)}`);
  return composite("ball", () => {
    const [keyG, keyE] = splitPair(source);
    const g = drawGeneralized(keyG, inverse("random.ball", p), full);
    const e = draw(exponentialOp, keyE, full.slice(0, -1));
    const size = power(add(sum(power(abs(g), by), { axis: -1 }), e), inverse("random.ball", p));
    return div(g, expandDims(size, -1));
  });
}
