import { ArgumentError } from "../errors.ts";
import { checkOptions } from "../options.ts";
import type { Tensor } from "../tensor.ts";
import { asFloat } from "./convert.ts";
import { array, asTensor, type TensorLike } from "./create.ts";
import {
  add,
  div,
  equal,
  exp,
  expm1,
  floor,
  greaterEqual,
  isnan,
  less,
  lessEqual,
  log,
  log1p,
  logicalAnd,
  logicalOr,
  mul,
  neg,
  remainder,
  sub,
  where,
} from "./elementwise.ts";
import { betaln, gamma, lgamma } from "./special.ts";

/** What is made of the gamma function: factorials, binomials, and Box and Cox's powers. */

const FACTORIAL_OPTIONS = { exact: "flag" } as const;
const COMB_OPTIONS = { repetition: "flag" } as const;

export interface FactorialOptions {
  /** Only false: arrays hold no integers of arbitrary size. */
  readonly exact?: boolean;
}

/**
 * n! = Γ(n + 1), 0 for negative n. Source: jax.scipy.special.factorial.
 *
 * @throws ArgumentError for exact results.
 * @example await factorial(array([0, 3, 5])).toArray(); // [1, 6, 120]
 */
export function factorial(n: TensorLike, options: FactorialOptions = {}): Tensor {
  checkOptions("factorial", options, FACTORIAL_OPTIONS);
  if (options.exact === true)
    throw new ArgumentError("factorial: exact is not available, in JAX neither; leave it out for floating point");
  const x = asFloat(asTensor(n, "factorial"));
  return where(less(x, 0), 0, exp(lgamma(add(x, 1))));
}

export interface CombOptions {
  /** Each thing may be taken several times. */
  readonly repetition?: boolean;
}

/**
 * How many ways there are to take k of n things, n! / (k! (n − k)!); 0 unless 0 ≤ k ≤ n. Source: jax.scipy.special.comb.
 *
 * @throws ShapeError when the shapes do not broadcast.
 * @example await comb(array([4, 10]), array([2, 3])).toArray(); // [6, 120]
 */
export function comb(n: TensorLike, k: TensorLike, options: CombOptions = {}): Tensor {
  checkOptions("comb", options, COMB_OPTIONS);
  const [all, taken] = [asFloat(asTensor(n, "comb")), asFloat(asTensor(k, "comb"))];
  if (options.repetition === true) {
    const none = logicalAnd(equal(taken, 0), greaterEqual(all, 0));
    return where(none, 1, comb(sub(add(all, taken), 1), taken));
  }
  const fits = logicalAnd(lessEqual(taken, all), logicalAnd(greaterEqual(all, 0), greaterEqual(taken, 0)));
  const [n0, k0] = [where(fits, all, 0), where(fits, taken, 0)];
  // Few lose little by JAX's formula, and are then JAX's to the bit.
  const few = sub(sub(lgamma(add(n0, 1)), lgamma(add(k0, 1))), lgamma(sub(add(n0, 1), k0)));
  return where(fits, exp(where(less(n0, 12), few, logComb(n0, k0))), 0);
}

/** log (n choose k) for 0 <= k <= n, by betaln, whose gamma functions do not cancel; 0 at both ends. */
export function logComb(n: TensorLike, k: TensorLike): Tensor {
  const rest = sub(n, k);
  const one = logicalOr(equal(k, 0), equal(rest, 0));
  return where(one, 0, neg(add(log1p(n), betaln(add(rest, 1), add(k, 1)))));
}

/**
 * Pochhammer's symbol Γ(z + m) / Γ(z); 1 for m = 0. Source: jax.scipy.special.poch.
 *
 * @throws ShapeError when the shapes do not broadcast.
 * @example await poch(array([2, 0.5]), array([3, 2])).toArray(); // [24, 0.75]
 */
export function poch(z: TensorLike, m: TensorLike): Tensor {
  const [base, steps] = [asTensor(z, "poch"), asTensor(m, "poch")];
  return where(equal(steps, 0), 1, div(gamma(add(base, steps)), gamma(base)));
}

/**
 * The sign of Γ(x): ±1 at ±0, NaN at negative whole numbers and −inf. Source: jax.scipy.special.gammasgn.
 * @example await gammasgn(array([1.5, -0.5, -1.5])).toArray(); // [1, -1, 1]
 */
export function gammasgn(x: TensorLike): Tensor {
  const tensor = asFloat(asTensor(x, "gammasgn"));
  const whole = floor(tensor);
  const negative = less(tensor, 0);
  const sign = where(logicalAnd(negative, equal(remainder(whole, 2), 1)), -1, 1);
  const pole = logicalOr(isnan(tensor), logicalAnd(negative, equal(tensor, whole)));
  // 1 / −0 is −inf.
  const zero = where(less(div(1, tensor), 0), -1, 1);
  return where(pole, Number.NaN, where(equal(tensor, 0), zero, sign));
}

/**
 * B(a, b) = Γ(a) Γ(b) / Γ(a + b): the gammas' signs times exp of betaln. Source: jax.scipy.special.beta.
 * @example await beta(array([2, -0.5]), array([3, 2])).toArray(); // [0.083333, -4]
 */
export function beta(a: TensorLike, b: TensorLike): Tensor {
  const [left, right] = [asTensor(a, "beta"), asTensor(b, "beta")];
  const sign = mul(mul(gammasgn(left), gammasgn(right)), gammasgn(add(left, right)));
  return mul(sign, exp(betaln(left, right)));
}

/**
 * log Γ(x) for x > 0, NaN below, as it is not real there. Source: jax.scipy.special.loggamma.
 * @example await loggamma(array([3, -0.5])).toArray(); // [0.69315, NaN]
 */
export function loggamma(x: TensorLike): Tensor {
  const tensor = asTensor(x, "loggamma");
  return where(less(tensor, 0), Number.NaN, lgamma(tensor));
}

/**
 * log of the multivariate gamma function: d (d − 1) / 4 · log π + Σ log Γ(a − i/2) over i < d. Source:
 * jax.scipy.special.multigammaln.
 *
 * @throws ArgumentError unless d is a whole number above 0.
 * @example await multigammaln(array([3, 4.5]), 2).toArray(); // [1.5502, 4.8179]
 */
export function multigammaln(a: TensorLike, d: number): Tensor {
  const tensor = asTensor(a, "multigammaln");
  if (!Number.isInteger(d) || d < 1 || d > MOST_DIMENSIONS)
    throw new ArgumentError(`multigammaln: d is a whole number from 1 to ${MOST_DIMENSIONS}, received ${String(d)}`);
  const terms = Array.from({ length: d }, (_, i) => lgamma(sub(tensor, i / 2)));
  return add(
    terms.reduce((sum, term) => add(sum, term)),
    ((d * (d - 1)) / 4) * Math.log(Math.PI),
  );
}

/** Each dimension is a term of its own. */
const MOST_DIMENSIONS = 256;

/**
 * (x^λ − 1) / λ, log x for λ = 0. Source: jax.scipy.special.boxcox.
 *
 * @throws ShapeError when the shapes do not broadcast.
 * @example await boxcox(array([2, 2]), array([0, 2])).toArray(); // [0.69315, 1.5]
 */
export function boxcox(x: TensorLike, lmbda: TensorLike): Tensor {
  const [tensor, order] = [asTensor(x, "boxcox"), asTensor(lmbda, "boxcox")];
  return powerOver(log(tensor), order);
}

/**
 * ((1 + x)^λ − 1) / λ, log(1 + x) for λ = 0. Source: jax.scipy.special.boxcox1p.
 *
 * @throws ShapeError when the shapes do not broadcast.
 * @example await boxcox1p(array([1, 1]), array([0, 2])).toArray(); // [0.69315, 1.5]
 */
export function boxcox1p(x: TensorLike, lmbda: TensorLike): Tensor {
  const [tensor, order] = [asTensor(x, "boxcox1p"), asTensor(lmbda, "boxcox1p")];
  return powerOver(log1p(tensor), order);
}

function powerOver(logarithm: Tensor, lmbda: TensorLike): Tensor {
  const none = equal(lmbda, 0);
  const power = where(none, 1, lmbda);
  return where(none, logarithm, div(expm1(mul(power, logarithm)), power));
}

/** From B₆₄ on a float32 holds them no longer. */
const MOST_BERNOULLI = 256;

/**
 * Bernoulli's numbers B₀ … Bₙ, with B₁ = −1/2. Source: jax.scipy.special.bernoulli.
 *
 * @throws ArgumentError unless n is a whole number, 0 or above.
 * @example await bernoulli(4).toArray(); // [1, -0.5, 0.16667, 0, -0.033333]
 */
export function bernoulli(n: number): Tensor {
  if (!Number.isInteger(n) || n < 0 || n > MOST_BERNOULLI)
    throw new ArgumentError(`bernoulli: n is a whole number from 0 to ${MOST_BERNOULLI}, received ${String(n)}`);
  const numbers = Array.from({ length: n + 1 }, (_, k) => bernoulliNumber(k));
  return array(numbers, { dtype: "float32" });
}

/** |B₂ₖ| = 2 (2k)! ζ(2k) / (2π)^2k. */
function bernoulliNumber(k: number): number {
  if (k < 2) return k === 0 ? 1 : -0.5;
  if (k % 2 === 1) return 0;
  let [factor, sum] = [2, 1];
  for (let j = 1; j <= k; j++) factor *= j / (2 * Math.PI);
  for (let j = 2; j < 2000 && j ** -k > 1e-17; j++) sum += j ** -k;
  const rest = k === 2 ? Math.PI ** 2 / 6 : sum;
  return (k % 4 === 0 ? -1 : 1) * factor * rest;
}
