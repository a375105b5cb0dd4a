/**
 * JAX's random numbers: Threefry-2x32. The same key gives the same numbers as in JAX, on every device. A key is made of a
 * seed; functions never use one up, so split it, or fold numbers in, and use each key once.
 */
export {
  clone,
  foldIn,
  key,
  keyData,
  keyDtype,
  keyImpl,
  PRNGKey,
  split,
  wrapKeyData,
  type KeyDType,
  type KeyImpl,
  type KeyOptions,
} from "./random/keys.ts";
export { KeyArray } from "./random/key-array.ts";
export {
  bernoulli,
  bits,
  normal,
  rademacher,
  truncatedNormal,
  uniform,
  type BernoulliOptions,
  type BitsOptions,
  type RademacherOptions,
  type UniformOptions,
} from "./random/uniform.ts";
export { randint, type RandintDType, type RandintOptions } from "./random/integers.ts";
export {
  cauchy,
  doubleSidedMaxwell,
  exponential,
  laplace,
  logistic,
  lognormal,
  maxwell,
  pareto,
  rayleigh,
  triangular,
  wald,
  weibullMin,
} from "./random/continuous.ts";
export { categorical, choice, type CategoricalOptions, type ChoiceOptions } from "./random/choice.ts";
export {
  ball,
  beta,
  chisquare,
  dirichlet,
  f,
  gamma,
  generalizedNormal,
  loggamma,
  randomGammaP,
  t,
  type BallOptions,
} from "./random/gamma.ts";
export { binomial, geometric, multinomial, poisson } from "./random/counts.ts";
export { gumbel, type GumbelOptions } from "./random/gumbel.ts";
export { permutation, type PermutationOptions } from "./random/order.ts";
export {
  multivariateNormal,
  orthogonal,
  type MultivariateNormalOptions,
  type OrthogonalOptions,
} from "./random/vectors.ts";
export type { DrawOptions, FloatDType } from "./random/halves.ts";
export type { CountOptions } from "./random/shapes.ts";
