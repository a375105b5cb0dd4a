/** jax.scipy.stats: densities, shares below and above, and quantiles of distributions, each a namespace of functions. */
export {
  beta,
  cauchy,
  chi2,
  expon,
  gamma,
  gumbelL,
  gumbelR,
  laplace,
  logistic,
  norm,
  pareto,
  t,
  uniform,
} from "./stats/continuous.ts";
export { bernoulli, betabinom, binom, geom, nbinom, poisson } from "./stats/discrete.ts";
export { gennorm, truncnorm, vonmises, wrapcauchy } from "./stats/bounded.ts";
export { dirichlet, multinomial, multivariateNormal } from "./stats/vectors.ts";
export { mode, rankdata, sem } from "./stats/samples.ts";
export type { ModeOptions, RankdataOptions, SemOptions } from "./stats/samples.ts";
export { GaussianKde, gaussianKde, type GaussianKdeOptions } from "./stats/kde.ts";
