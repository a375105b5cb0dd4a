import { array, random, type Tensor } from "@jnx/tensor";

/** How a golden case is drawn here: its name without seed and shape, as tests/oracle/sampler_cases.py gives it. */
export type Draw = (key: Tensor, shape: readonly number[]) => Tensor;

/** Equal bit for bit on every device. */
export const EXACT: Readonly<Record<string, Draw>> = {
  "bits uint8": (k, s) => random.bits(k, s, { dtype: "uint8" }),
  "bits uint16": (k, s) => random.bits(k, s, { dtype: "uint16" }),
  bits: (k, s) => random.bits(k, s),
  split: (k, s) => random.keyData(random.split(k, s)),
  uniform: (k, s) => random.uniform(k, s),
  "uniform -1 1": (k, s) => random.uniform(k, s, { minval: -1, maxval: 1 }),
  "uniform -0.3 1.45": (k, s) => random.uniform(k, s, { minval: -0.3, maxval: 1.45 }),
  "randint 0 10": (k, s) => random.randint(k, s, 0, 10),
  "randint -5 1000003": (k, s) => random.randint(k, s, -5, 1000003),
  "randint int8": (k, s) => random.randint(k, s, -128, 128, { dtype: "int8" }),
  "randint uint8": (k, s) => random.randint(k, s, 0, 256, { dtype: "uint8" }),
  "randint int16": (k, s) => random.randint(k, s, -40000, 40000, { dtype: "int16" }),
  "randint uint16": (k, s) => random.randint(k, s, 5, 60000, { dtype: "uint16" }),
  "randint uint32": (k, s) =>
    random.randint(k, s, 7, array(Uint32Array.of(4294967295), { shape: [] }), { dtype: "uint32" }),
  "randint full": (k, s) => random.randint(k, s, -(2 ** 31), 2 ** 31),
  bernoulli: (k, s) => random.bernoulli(k, 0.5, s),
  "bernoulli 0.3": (k, s) => random.bernoulli(k, 0.3, s),
  "bernoulli 0.3 high": (k, s) => random.bernoulli(k, 0.3, s, { mode: "high" }),
  rademacher: (k, s) => random.rademacher(k, s),
  exponential: (k, s) => random.exponential(k, s),
  laplace: (k, s) => random.laplace(k, s),
  logistic: (k, s) => random.logistic(k, s),
  gumbel: (k, s) => random.gumbel(k, s),
  "gumbel high": (k, s) => random.gumbel(k, s, { mode: "high" }),
  "gumbel highest": (k, s) => random.gumbel(k, s, { mode: "highest" }),
  "rayleigh 2.5": (k, s) => random.rayleigh(k, 2.5, s),
  "geometric 0.3": (k, s) => random.geometric(k, 0.3, s),
  "geometric 0.001": (k, s) => random.geometric(k, 0.001, s),
};

/** Within some units in the last place of JAX on a CPU. */
export const CLOSE: Readonly<Record<string, Draw>> = {
  normal: (k, s) => random.normal(k, s),
  "truncatedNormal -2 2": (k, s) => random.truncatedNormal(k, -2, 2, s),
  "truncatedNormal 0 2": (k, s) => random.truncatedNormal(k, 0, 2, s),
  "truncatedNormal -0.5 3": (k, s) => random.truncatedNormal(k, -0.5, 3, s),
  "truncatedNormal -inf 0.7": (k, s) => random.truncatedNormal(k, -Infinity, 0.7, s),
  cauchy: (k, s) => random.cauchy(k, s),
  "pareto 2": (k, s) => random.pareto(k, 2, s),
  "pareto 0.5": (k, s) => random.pareto(k, 0.5, s),
  "weibullMin 1 2": (k, s) => random.weibullMin(k, 1, 2, s),
  "weibullMin 3 0.7": (k, s) => random.weibullMin(k, 3, 0.7, s),
  "lognormal 1": (k, s) => random.lognormal(k, 1, s),
  "lognormal 0.25": (k, s) => random.lognormal(k, 0.25, s),
  maxwell: (k, s) => random.maxwell(k, s),
  "doubleSidedMaxwell 1 2": (k, s) => random.doubleSidedMaxwell(k, 1, 2, s),
  "triangular 0 0.5 1": (k, s) => random.triangular(k, 0, 0.5, 1, s),
  "triangular -1 2 7": (k, s) => random.triangular(k, -1, 2, 7, s),
  "wald 1": (k, s) => random.wald(k, 1, s),
  "wald 0.3": (k, s) => random.wald(k, 0.3, s),
};
