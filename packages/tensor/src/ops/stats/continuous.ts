import { log1mexp } from "../activations.ts";
import {
  abs,
  add,
  arctan2,
  div,
  exp,
  expm1,
  greater,
  less,
  lessEqual,
  log,
  log1p,
  logaddexp,
  logicalOr,
  maximum,
  minimum,
  mul,
  neg,
  power,
  sigmoid,
  square,
  sub,
  tan,
  where,
} from "../elementwise.ts";
import { betainc, igamma, igammac } from "../incomplete.ts";
import { logNdtr, ndtr, ndtri } from "../normal.ts";
import { betaln, lgamma, logit, xlog1py, xlogy } from "../special.ts";
import { ofShare, plain, shaped, twiceShaped, type Distribution } from "./families.ts";
import type { TensorLike } from "../create.ts";
import type { Tensor } from "../../tensor.ts";

type Plain<K extends string> = Distribution<[], K>;
type Shaped<K extends string> = Distribution<[a: TensorLike], K>;

/**
 * The normal distribution of mean `loc` and deviation `scale`: norm.logpdf(x, loc, scale) and its like. Source: jax.scipy.stats.norm.
 * @example await scipyStats.norm.logpdf(array([0, 3]), 1, 2).toArray(); // [-1.7371, -2.1121]
 */
export const norm: Plain<"cdf" | "logcdf" | "sf" | "logsf" | "ppf" | "isf"> = /* @__PURE__ */ plain(
  (z) => sub(mul(-0.5, square(z)), 0.5 * Math.log(2 * Math.PI)),
  {
    cdf: (z) => ndtr(z),
    logcdf: (z) => logNdtr(z),
    sf: (z) => ndtr(neg(z)),
    logsf: (z) => logNdtr(neg(z)),
    ppf: (q) => ndtri(q),
    isf: (q) => neg(ndtri(q)),
  },
);

/**
 * The uniform distribution from `loc` to `loc` + `scale`. Source: jax.scipy.stats.uniform.
 * @example await scipyStats.uniform.pdf(array([1, 5]), 0, 4).toArray(); // [0.25, 0]
 */
export const uniform: Plain<"cdf" | "ppf"> = /* @__PURE__ */ plain(
  (z) => where(logicalOr(less(z, 0), greater(z, 1)), -Infinity, mul(z, 0)),
  { cdf: (z) => minimum(maximum(z, 0), 1), ppf: (q) => ofShare(q, q) },
);

/**
 * The exponential distribution e^−z, z = (x − loc) / scale ≥ 0. Source: jax.scipy.stats.expon.
 * @example await scipyStats.expon.cdf(array([1, -1]), 0, 2).toArray(); // [0.39347, 0]
 */
export const expon: Plain<"cdf" | "logcdf" | "sf" | "logsf" | "ppf"> = /* @__PURE__ */ plain(
  (z) => where(less(z, 0), -Infinity, neg(z)),
  {
    cdf: (z) => neg(expm1(neg(maximum(z, 0)))),
    logcdf: (z) => log1mexp(maximum(z, 0)),
    sf: (z) => exp(neg(maximum(z, 0))),
    logsf: (z) => neg(maximum(z, 0)),
    ppf: (q) => ofShare(q, neg(log1p(neg(q)))),
  },
);

/**
 * The Laplace distribution e^−|z| / 2. Source: jax.scipy.stats.laplace.
 * @example await scipyStats.laplace.pdf(array([0, 1])).toArray(); // [0.5, 0.18394]
 */
export const laplace: Plain<"cdf"> = /* @__PURE__ */ plain((z) => sub(neg(abs(z)), Math.LN2), {
  cdf: (z) => {
    const low = lessEqual(z, 0);
    const half = mul(0.5, exp(where(low, z, neg(z))));
    return where(low, half, sub(1, half));
  },
});

/**
 * The logistic distribution, whose share below z is sigmoid(z). Source: jax.scipy.stats.logistic.
 * @example await scipyStats.logistic.cdf(array([0, 2])).toArray(); // [0.5, 0.8808]
 */
export const logistic: Plain<"cdf" | "sf" | "ppf" | "isf"> = /* @__PURE__ */ plain(
  (z) => mul(-2, logaddexp(mul(z, 0.5), mul(z, -0.5))),
  {
    cdf: (z) => sigmoid(z),
    sf: (z) => sigmoid(neg(z)),
    ppf: (q) => logit(q),
    isf: (q) => neg(logit(q)),
  },
);

/** The share below z. JAX's 1/2 + arctan(z) / π loses the digits of small ones. */
const cauchyBelow = (z: Tensor): Tensor => div(arctan2(1, neg(z)), Math.PI);

const cauchyLogBelow = (z: Tensor): Tensor =>
  where(greater(z, 0), log1p(neg(cauchyBelow(neg(z)))), log(cauchyBelow(z)));

/**
 * The Cauchy distribution 1 / (π (1 + z²)). Source: jax.scipy.stats.cauchy.
 * @example await scipyStats.cauchy.cdf(array([0, 1])).toArray(); // [0.5, 0.75]
 */
export const cauchy: Plain<"cdf" | "logcdf" | "sf" | "logsf" | "ppf" | "isf"> = /* @__PURE__ */ plain(
  (z) => sub(-Math.log(Math.PI), log1p(square(z))),
  {
    cdf: (z) => cauchyBelow(z),
    logcdf: (z) => cauchyLogBelow(z),
    sf: (z) => cauchyBelow(neg(z)),
    logsf: (z) => cauchyLogBelow(neg(z)),
    ppf: (q) => tan(mul(Math.PI, sub(q, 0.5))),
    isf: (q) => tan(mul(Math.PI, sub(0.5, q))),
  },
);

/**
 * Gumbel's distribution of largest values: share e^(−e^−z) below z. Source: jax.scipy.stats.gumbel_r.
 * @example await scipyStats.gumbelR.cdf(array([0])).toArray(); // [0.36788]
 */
export const gumbelR: Plain<"cdf" | "logcdf" | "sf" | "logsf" | "ppf"> = /* @__PURE__ */ plain(
  (z) => neg(add(z, exp(neg(z)))),
  {
    cdf: (z) => exp(neg(exp(neg(z)))),
    logcdf: (z) => neg(exp(neg(z))),
    sf: (z) => neg(expm1(neg(exp(neg(z))))),
    logsf: (z) => log1mexp(exp(neg(z))),
    ppf: (q) => ofShare(q, neg(log(neg(log(q))))),
  },
);

/**
 * Gumbel's distribution of least values: share e^(−e^z) above z. Source: jax.scipy.stats.gumbel_l.
 * @example await scipyStats.gumbelL.sf(array([0])).toArray(); // [0.36788]
 */
export const gumbelL: Plain<"cdf" | "logcdf" | "sf" | "logsf" | "ppf"> = /* @__PURE__ */ plain((z) => sub(z, exp(z)), {
  cdf: (z) => neg(expm1(neg(exp(z)))),
  logcdf: (z) => log1mexp(exp(z)),
  sf: (z) => exp(neg(exp(z))),
  logsf: (z) => neg(exp(z)),
  ppf: (q) => ofShare(q, log(neg(log1p(neg(q))))),
});

/**
 * Pareto's distribution b / z^(b + 1) from 1 on: pareto.pdf(x, b, loc, scale). Source: jax.scipy.stats.pareto.
 * @example await scipyStats.pareto.cdf(array([2, 0.5]), 3).toArray(); // [0.875, 0]
 */
export const pareto: Shaped<"cdf" | "logcdf" | "sf" | "logsf" | "ppf"> = /* @__PURE__ */ shaped(
  (z, b) => where(less(z, 1), -Infinity, sub(log(b), mul(add(b, 1), log(z)))),
  {
    cdf: (z, b) => sub(1, power(maximum(z, 1), neg(b))),
    logcdf: (z, b) => log1p(neg(power(maximum(z, 1), neg(b)))),
    sf: (z, b) => exp(neg(mul(b, log(maximum(z, 1))))),
    logsf: (z, b) => neg(mul(b, log(maximum(z, 1)))),
    ppf: (q, b) => ofShare(q, power(sub(1, q), div(-1, b))),
  },
);

/**
 * The gamma distribution z^(a − 1) e^−z / Γ(a): gamma.pdf(x, a, loc, scale). Source: jax.scipy.stats.gamma.
 * @example await scipyStats.gamma.logpdf(array([1, 3]), 2).toArray(); // [-1, -1.9014]
 */
export const gamma: Shaped<"cdf" | "logcdf" | "sf" | "logsf"> = /* @__PURE__ */ shaped(
  (z, a) => {
    const inside = where(less(z, 0), 1, z);
    return where(less(z, 0), -Infinity, sub(sub(xlogy(sub(a, 1), inside), inside), lgamma(a)));
  },
  {
    cdf: (z, a) => igamma(a, maximum(z, 0)),
    logcdf: (z, a) => log(igamma(a, maximum(z, 0))),
    sf: (z, a) => igammac(a, maximum(z, 0)),
    logsf: (z, a) => log(igammac(a, maximum(z, 0))),
  },
);

/**
 * The distribution of a sum of df squares of standard normal numbers: chi2.pdf(x, df, loc, scale). Source: jax.scipy.stats.chi2.
 * @example await scipyStats.chi2.sf(array([1, 4]), 2).toArray(); // [0.60653, 0.13534]
 */
export const chi2: Shaped<"cdf" | "logcdf" | "sf" | "logsf"> = /* @__PURE__ */ shaped(
  (z, df) => sub(gamma.logpdf(mul(z, 0.5), div(df, 2)), Math.LN2),
  {
    cdf: (z, df) => gamma.cdf(mul(z, 0.5), div(df, 2)),
    logcdf: (z, df) => gamma.logcdf(mul(z, 0.5), div(df, 2)),
    sf: (z, df) => gamma.sf(mul(z, 0.5), div(df, 2)),
    logsf: (z, df) => gamma.logsf(mul(z, 0.5), div(df, 2)),
  },
);

/**
 * The beta distribution z^(a − 1) (1 − z)^(b − 1) / B(a, b): beta.pdf(x, a, b, loc, scale). Source: jax.scipy.stats.beta.
 * @example await scipyStats.beta.pdf(array([0.5, 2]), 2, 3).toArray(); // [1.5, 0]
 */
export const beta: Distribution<[a: TensorLike, b: TensorLike], "cdf" | "logcdf" | "sf" | "logsf"> =
  /* @__PURE__ */ twiceShaped(
    (z, a, b) => {
      const inside = sub(add(xlogy(sub(a, 1), z), xlog1py(sub(b, 1), neg(z))), betaln(a, b));
      const found = where(logicalOr(less(z, 0), greater(z, 1)), -Infinity, inside);
      return where(logicalOr(lessEqual(a, 0), lessEqual(b, 0)), Number.NaN, found);
    },
    {
      cdf: (z, a, b) => betainc(a, b, within(z)),
      logcdf: (z, a, b) => log(betainc(a, b, within(z))),
      sf: (z, a, b) => betainc(b, a, sub(1, within(z))),
      logsf: (z, a, b) => log(betainc(b, a, sub(1, within(z)))),
    },
  );

function within(z: TensorLike) {
  return minimum(maximum(z, 0), 1);
}

/**
 * Student's t distribution of df degrees of freedom: t.pdf(x, df, loc, scale). Source: jax.scipy.stats.t.
 * @example await scipyStats.t.pdf(array([0, 1]), 1).toArray(); // [0.31831, 0.15915]
 */
export const t: Shaped<never> = /* @__PURE__ */ shaped((z, df) => {
  // √(ν π) Γ(ν/2) / Γ((ν + 1)/2) = √ν B(1/2, ν/2).
  const norming = add(mul(0.5, log(df)), betaln(0.5, div(df, 2)));
  return neg(add(norming, mul(div(add(df, 1), 2), log1p(div(square(z), df)))));
}, {});
