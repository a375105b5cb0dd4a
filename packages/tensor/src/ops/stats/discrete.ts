import type { Tensor } from "../../tensor.ts";
import type { TensorLike } from "../create.ts";
import {
  add,
  equal,
  exp,
  floor,
  greater,
  greaterEqual,
  isnan,
  less,
  lessEqual,
  log,
  logicalAnd,
  logicalOr,
  maximum,
  neg,
  notEqual,
  round,
  sub,
  where,
} from "../elementwise.ts";
import { igammac } from "../incomplete.ts";
import { lgamma, xlog1py, xlogy } from "../special.ts";
import { ofShare } from "./families.ts";

/** Distributions of whole numbers, moved by `loc`: 0 unless given. */

type Mass<S extends readonly TensorLike[]> = (
  k: TensorLike,
  ...parameters: [...shapes: S, loc?: TensorLike | undefined]
) => Tensor;

interface Masses<S extends readonly TensorLike[]> {
  readonly logpmf: Mass<S>;
  readonly pmf: Mass<S>;
}

function masses<S extends readonly TensorLike[]>(logpmf: Mass<S>): Masses<S> {
  return { logpmf, pmf: (...args) => exp(logpmf(...args)) };
}

interface BernoulliDistribution extends Masses<[p: TensorLike]> {
  cdf(k: TensorLike, p: TensorLike): Tensor;
  ppf(q: TensorLike, p: TensorLike): Tensor;
}

const noShare = (p: TensorLike): Tensor => logicalOr(isnan(p), logicalOr(less(p, 0), greater(p, 1)));

/**
 * 1 with probability p, 0 else: bernoulli.pmf(k, p, loc), cdf(k, p), ppf(q, p). Source: jax.scipy.stats.bernoulli.
 * @example await scipyStats.bernoulli.pmf(array([0, 1, 2]), 0.25).toArray(); // [0.75, 0.25, 0]
 */
export const bernoulli: BernoulliDistribution = {
  .../* @__PURE__ */ masses<[p: TensorLike]>((k, p, loc = 0) => {
    const x = sub(k, loc);
    const inside = add(xlogy(x, p), xlog1py(sub(1, x), neg(p)));
    return where(logicalOr(less(x, 0), greater(x, 1)), -Infinity, inside);
  }),
  cdf: (k, p) => {
    const share = where(less(k, 0), 0, where(less(k, 1), sub(1, p), 1));
    return where(logicalOr(isnan(k), noShare(p)), Number.NaN, share);
  },
  ppf: (q, p) => {
    const value = where(lessEqual(q, sub(1, p)), 0, where(noShare(p), Number.NaN, 1));
    return where(noShare(p), Number.NaN, ofShare(add(q, 0), value));
  },
};

interface PoissonDistribution extends Masses<[mu: TensorLike]> {
  cdf(k: TensorLike, mu: TensorLike, loc?: TensorLike): Tensor;
}

/**
 * Poisson's distribution μᵏ e^−μ / k!: poisson.pmf(k, mu, loc). Source: jax.scipy.stats.poisson.
 * @example await scipyStats.poisson.pmf(array([0, 2]), 1.5).toArray(); // [0.22313, 0.25102]
 */
export const poisson: PoissonDistribution = {
  .../* @__PURE__ */ masses<[mu: TensorLike]>((k, mu, loc = 0) => {
    const x = sub(k, loc);
    const inside = sub(sub(xlogy(x, mu), lgamma(add(x, 1))), mu);
    return where(logicalOr(less(x, 0), notEqual(round(k), k)), -Infinity, inside);
  }),
  cdf: (k, mu, loc = 0) => {
    const x = sub(k, loc);
    return where(less(x, 0), 0, igammac(floor(add(1, maximum(x, 0))), mu));
  },
};

/**
 * How many of n succeed, each with probability p: binom.pmf(k, n, p, loc). Source: jax.scipy.stats.binom.
 * @example await scipyStats.binom.pmf(array([1, 5]), 4, 0.5).toArray(); // [0.25, 0]
 */
export const binom: Masses<[n: TensorLike, p: TensorLike]> = /* @__PURE__ */ masses((k, n, p, loc = 0) => {
  const y = sub(k, loc);
  const inside = logicalAnd(greaterEqual(y, 0), less(y, add(n, 1)));
  const ways = sub(lgamma(add(n, 1)), add(lgamma(add(y, 1)), lgamma(add(sub(n, y), 1))));
  const chance = add(xlogy(y, p), xlog1py(sub(n, y), neg(p)));
  const sure = logicalOr(logicalAnd(equal(y, 0), equal(n, 0)), equal(chance, 0));
  return where(inside, where(sure, 0, add(ways, chance)), -Infinity);
});

/**
 * The trial of the first success, each with probability p: geom.pmf(k, p, loc). Source: jax.scipy.stats.geom.
 * @example await scipyStats.geom.pmf(array([1, 3, 0]), 0.5).toArray(); // [0.5, 0.125, 0]
 */
export const geom: Masses<[p: TensorLike]> = /* @__PURE__ */ masses((k, p, loc = 0) => {
  const x = sub(k, loc);
  return where(lessEqual(x, 0), -Infinity, add(xlog1py(sub(x, 1), neg(p)), log(p)));
});

/**
 * How many failures come before n successes, each with probability p: nbinom.pmf(k, n, p, loc). Source: jax.scipy.stats.nbinom.
 * @example await scipyStats.nbinom.pmf(array([0, 2]), 2, 0.5).toArray(); // [0.25, 0.1875]
 */
export const nbinom: Masses<[n: TensorLike, p: TensorLike]> = /* @__PURE__ */ masses((k, n, p, loc = 0) => {
  const y = sub(k, loc);
  const ways = sub(sub(lgamma(add(y, n)), lgamma(n)), lgamma(add(y, 1)));
  return where(less(y, 0), -Infinity, add(ways, add(xlogy(n, p), xlogy(y, sub(1, p)))));
});
