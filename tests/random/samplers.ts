import { array, astype, mul, random, type Tensor } from "@jnx/tensor";

/** How a golden case is drawn here: its name without seed and shape, as tests/oracle/sampler_cases.py gives it. */
export type Draw = (key: Tensor, shape: readonly number[]) => Tensor;

/** Halves as float32, as goldens keep them. */
const wide = (x: Tensor): Tensor => astype(x, "float32");

/** Equal bit for bit on every device. */
export const EXACT: Readonly<Record<string, Draw>> = {
  "bits uint8": (k, s) => random.bits(k, s, { dtype: "uint8" }),
  "bits uint16": (k, s) => random.bits(k, s, { dtype: "uint16" }),
  bits: (k, s) => random.bits(k, s),
  split: (k, s) => random.keyData(random.split(k, s)),
  uniform: (k, s) => random.uniform(k, s),
  "uniform -1 1": (k, s) => random.uniform(k, s, { minval: -1, maxval: 1 }),
  "uniform -0.3 1.45": (k, s) => random.uniform(k, s, { minval: -0.3, maxval: 1.45 }),
  "uniform float16": (k, s) => wide(random.uniform(k, s, { dtype: "float16" })),
  "uniform bfloat16": (k, s) => wide(random.uniform(k, s, { dtype: "bfloat16" })),
  "randint 0 10": (k, s) => random.randint(k, s, 0, 10),
  "randint -5 1000003": (k, s) => random.randint(k, s, -5, 1000003),
  "randint int8": (k, s) => random.randint(k, s, -128, 128, { dtype: "int8" }),
  "randint uint8": (k, s) => random.randint(k, s, 0, 256, { dtype: "uint8" }),
  "randint int16": (k, s) => random.randint(k, s, -40000, 40000, { dtype: "int16" }),
  "randint uint16": (k, s) => random.randint(k, s, 5, 60000, { dtype: "uint16" }),
  "randint uint32": (k, s) =>
    random.randint(k, s, 7, array(Uint32Array.of(4294967295), { shape: [] }), { dtype: "uint32" }),
  "randint bounds": (k, s) => random.randint(k, [...s, 3], array([-3, 0, 100]), array([5, 1000003, 100])),
  "randint full": (k, s) => random.randint(k, s, -(2 ** 31), 2 ** 31),
  bernoulli: (k, s) => random.bernoulli(k, 0.5, s),
  "bernoulli 0.3": (k, s) => random.bernoulli(k, 0.3, s),
  "bernoulli 0.3 high": (k, s) => random.bernoulli(k, 0.3, s, { mode: "high" }),
  "rademacher int8": (k, s) => random.rademacher(k, s, { dtype: "int8" }),
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
  "geometric 0.3 uint16": (k, s) => random.geometric(k, 0.3, s, { dtype: "uint16" }),
};

/** Within some units in the last place of JAX on a CPU. */
export const CLOSE: Readonly<Record<string, Draw>> = {
  normal: (k, s) => random.normal(k, s),
  "truncatedNormal -2 2": (k, s) => random.truncatedNormal(k, -2, 2, s),
  "truncatedNormal 0 2": (k, s) => random.truncatedNormal(k, 0, 2, s),
  "truncatedNormal -0.5 3": (k, s) => random.truncatedNormal(k, -0.5, 3, s),
  "truncatedNormal -inf 0.7": (k, s) => random.truncatedNormal(k, -Infinity, 0.7, s),
  "normal float16": (k, s) => wide(random.normal(k, s, { dtype: "float16" })),
  "normal bfloat16": (k, s) => wide(random.normal(k, s, { dtype: "bfloat16" })),
  "truncatedNormal -2 2 float16": (k, s) => wide(random.truncatedNormal(k, -2, 2, s, { dtype: "float16" })),
  "truncatedNormal -2 2 bfloat16": (k, s) => wide(random.truncatedNormal(k, -2, 2, s, { dtype: "bfloat16" })),
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

const alpha = array(Float32Array.of(1, 2, 3));
const chances = Float32Array.of(0.1, 0.2, 0.3, 0.4);
const p = array(chances);
const first = chances.map(Math.log);
const logits = array(Float32Array.of(...first, ...[...first].reverse()), { shape: [2, 4] });
const rows = array(
  Int32Array.from({ length: 35 }, (_, i) => i),
  { shape: [7, 5] },
);
const cov = array(Float32Array.of(2, 0.5, 0.1, 0.5, 1, -0.3, 0.1, -0.3, 0.7), { shape: [3, 3] });

/** Close to JAX's, but for elements whose trial one side accepts and the other refuses. */
export const REJECTED: Readonly<Record<string, Draw>> = {
  "gamma 2.5": (k, s) => random.gamma(k, 2.5, s),
  "gamma 0.5": (k, s) => random.gamma(k, 0.5, s),
  "loggamma 0.5": (k, s) => random.loggamma(k, 0.5, s),
  "beta 2 3": (k, s) => random.beta(k, 2, 3, s),
  "dirichlet 1 2 3": (k, s) => random.dirichlet(k, alpha, s),
  "t 5": (k, s) => random.t(k, 5, s),
  "chisquare 4": (k, s) => random.chisquare(k, 4, s),
  "f 4 6": (k, s) => random.f(k, 4, 6, s),
  "generalizedNormal 2": (k, s) => random.generalizedNormal(k, 2, s),
  "ball 3": (k, s) => random.ball(k, 3, { shape: s }),
};

function numbers(shape: readonly number[]): Tensor {
  const size = shape.reduce((product, extent) => product * extent, 1);
  return array(
    Int32Array.from({ length: size }, (_, i) => i),
    { shape },
  );
}

/** Orders, choices and whole numbers: equal to JAX's, those drawn by rejection too. */
export const DISCRETE: Readonly<Record<string, Draw>> = {
  "permutation n": (k, s) =>
    random.permutation(
      k,
      s.reduce((product, extent) => product * extent, 1),
    ),
  "permutation rows": (k, s) => random.permutation(k, numbers([...s, 5])),
  "permutation columns": (k, s) => random.permutation(k, numbers([3, ...s, 2]), { axis: 1 }),
  "permutation independent": (k, s) => random.permutation(k, numbers([5, ...s]), { axis: 0, independent: true }),
  "choice 10": (k, s) => random.choice(k, 10, s),
  "choice rows": (k, s) => random.choice(k, rows, s, { axis: 1 }),
  "choice 5000 distinct": (k, s) => random.choice(k, 5000, s, { replace: false }),
  "choice p": (k, s) => random.choice(k, 4, s, { p }),
  "choice p distinct": (k, s) => random.choice(k, 4, s, { p, replace: false }),
  categorical: (k, s) => random.categorical(k, array(first), { shape: s }),
  "categorical batch": (k, s) => random.categorical(k, logits, { shape: [...s, 2] }),
  "categorical axis 0": (k, s) => random.categorical(k, logits, { axis: 0, shape: [...s, 4] }),
  "categorical high": (k, s) => random.categorical(k, array(first), { shape: s, mode: "high" }),
  "categorical distinct": (k, s) => random.categorical(k, logits, { shape: [...s, 2], replace: false }),
  "poisson 3": (k, s) => random.poisson(k, 3, s),
  "poisson 3 int16": (k, s) => random.poisson(k, 3, s, { dtype: "int16" }),
  "poisson 50": (k, s) => random.poisson(k, 50, s),
  "binomial 10 0.3": (k, s) => random.binomial(k, 10, 0.3, s),
  "binomial 100 0.4": (k, s) => random.binomial(k, 100, 0.4, s),
  "binomial 1000 0.8": (k, s) => random.binomial(k, 1000, 0.8, s),
  "multinomial 10": (k, s) => random.multinomial(k, 10, p, { shape: [...s, 4] }),
};

/** Linear algebra: within 1e-5 of JAX's. */
export const VECTORS: Readonly<Record<string, Draw>> = {
  multivariateNormal: (k, s) => random.multivariateNormal(k, alpha, cov, { shape: s }),
  "orthogonal 3": (k, s) => random.orthogonal(k, 3, { shape: s.slice(0, 1) }),
  "orthogonal 2 4": (k, s) => random.orthogonal(k, 2, { shape: s.slice(0, 1), m: 4 }),
  "orthogonal 5 2": (k, s) => random.orthogonal(k, 5, { shape: s.slice(0, 1), m: 2 }),
};

/** Draws as functions of one parameter, as MOVED of tests/oracle/sampler_cases.py has them. */
export const MOVED: Readonly<Record<string, (key: Tensor, a: Tensor) => Tensor>> = {
  gamma: (k, a) => random.gamma(k, a, [9]),
  loggamma: (k, a) => random.loggamma(k, a, [9]),
  "beta a": (k, a) => random.beta(k, a, 3, [9]),
  "beta b": (k, b) => random.beta(k, 2, b, [9]),
  dirichlet: (k, a) => random.dirichlet(k, mul(a, alpha), [3]),
  t: (k, a) => random.t(k, a, [9]),
  chisquare: (k, a) => random.chisquare(k, a, [9]),
  "f dfnum": (k, a) => random.f(k, a, 6, [9]),
  "f dfden": (k, a) => random.f(k, 4, a, [9]),
  generalizedNormal: (k, a) => random.generalizedNormal(k, a, [9]),
  ball: (k, a) => random.ball(k, 3, { p: a, shape: [3] }),
  poisson: (k, a) => astype(random.poisson(k, a, [9]), "float32"),
  binomial: (k, a) => random.binomial(k, 10, a, [9]),
  multinomial: (k, a) => random.multinomial(k, 10, mul(a, p)),
  pareto: (k, a) => random.pareto(k, a, [9]),
  rayleigh: (k, a) => random.rayleigh(k, a, [9]),
  lognormal: (k, a) => random.lognormal(k, a, [9]),
  weibullMin: (k, a) => random.weibullMin(k, 3, a, [9]),
  wald: (k, a) => random.wald(k, a, [9]),
  triangular: (k, a) => random.triangular(k, 0, a, 2, [9]),
  truncatedNormal: (k, a) => random.truncatedNormal(k, -1, a, [9]),
  uniform: (k, a) => random.uniform(k, [9], { minval: a, maxval: 4 }),
};
