import type { Tensor } from "../../tensor.ts";
import { broadcastShapes } from "../../shape.ts";
import { asFloat } from "../convert.ts";
import { arange, asTensor, type TensorLike } from "../create.ts";
import {
  add,
  div,
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
  mul,
  neg,
  notEqual,
  round,
  sub,
  where,
} from "../elementwise.ts";
import { logComb } from "../combinatorial.ts";
import { igammac } from "../incomplete.ts";
import { broadcastTo, expandDims } from "../movement.ts";
import { sum } from "../reduce.ts";
import { betaln, entr, lgamma, xlog1py, xlogy } from "../special.ts";
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
  /** The same wherever it lies. */
  entropy(mu: TensorLike, loc?: TensorLike): Tensor;
}

/** From here on the entropy's asymptotic series serves; below, so many terms of its sum do. */
const LARGE_MU = 16;
const TERMS = 64;

function poissonEntropy(mu: Tensor): Tensor {
  const large = greaterEqual(mu, LARGE_MU);
  const few = expandDims(where(logicalOr(large, lessEqual(mu, 0)), 1, mu), -1);
  const shares = poisson.pmf(arange(TERMS, { dtype: "float32" }), few);
  const v = div(1, where(large, mu, LARGE_MU));
  const rest = mul(
    v,
    sub(-1 / 12, mul(v, add(1 / 24, mul(v, add(19 / 360, mul(v, add(9 / 80, mul(863 / 2520, v)))))))),
  );
  const far = add(sub(0.5 * Math.log(2 * Math.PI * Math.E), mul(0.5, log(v))), rest);
  // Bounded, as what is 0 has an entropy, but no slope.
  const found = where(large, far, sum(entr(maximum(shares, 1e-37)), { axis: -1 }));
  return where(equal(mu, 0), 0, where(less(mu, 0), Number.NaN, found));
}

/**
 * Poisson's distribution μᵏ e^−μ / k!: poisson.pmf(k, mu, loc), cdf, and entropy(mu). Source:
 * jax.scipy.stats.poisson.
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
  entropy: (mu, loc = 0) => {
    const [mean, place] = [asFloat(asTensor(mu, "poisson.entropy")), asTensor(loc, "poisson.entropy")];
    return broadcastTo(poissonEntropy(mean), broadcastShapes("poisson.entropy", mean.shape, place.shape));
  },
};

/**
 * How many of n succeed, each with probability p: binom.pmf(k, n, p, loc). Source: jax.scipy.stats.binom.
 * @example await scipyStats.binom.pmf(array([1, 5]), 4, 0.5).toArray(); // [0.25, 0]
 */
export const binom: Masses<[n: TensorLike, p: TensorLike]> = /* @__PURE__ */ masses((k, n, p, loc = 0) => {
  const y = sub(k, loc);
  const inside = logicalAnd(greaterEqual(y, 0), less(y, add(n, 1)));
  const ways = logComb(n, y);
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
  const ways = where(equal(y, 0), 0, neg(add(log(add(y, n)), betaln(n, add(y, 1)))));
  return where(less(y, 0), -Infinity, add(ways, add(xlogy(n, p), xlogy(y, sub(1, p)))));
});

/**
 * How many of n succeed, each with a probability that is drawn from a beta distribution: betabinom.pmf(k, n, a, b, loc). Source:
 * jax.scipy.stats.betabinom.
 * @example await scipyStats.betabinom.pmf(array([0, 2]), 2, 1, 1).toArray(); // [0.33333, 0.33333]
 */
export const betabinom: Masses<[n: TensorLike, a: TensorLike, b: TensorLike]> = /* @__PURE__ */ masses(
  (k, n, a, b, loc = 0) => {
    const place = sub(floor(k), loc);
    const outside = logicalOr(less(place, 0), greater(place, n));
    const y = where(outside, 0, place);
    const left = sub(n, y);
    const found = add(logComb(n, y), sub(betaln(add(y, a), add(left, b)), betaln(a, b)));
    const sure = logicalAnd(equal(y, 0), equal(n, 0));
    const wrong = logicalOr(less(n, 0), logicalOr(lessEqual(a, 0), lessEqual(b, 0)));
    return where(wrong, Number.NaN, where(outside, -Infinity, where(sure, 0, found)));
  },
);
