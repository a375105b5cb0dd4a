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
export { bernoulli, binom, geom, nbinom, poisson } from "./stats/discrete.ts";
