import { array, laxSlice, random, type Tensor } from "@jnx/tensor";
import { useDevice } from "@jnx/testing";
import { describe, expect, test } from "vitest";
import { betaCdf, gammaCdf, logGamma, normalCdf } from "./cdf.ts";

const N = 2 ** 20;

interface Continuous {
  readonly draw: (key: Tensor) => Tensor;
  readonly cdf: (x: number) => number;
  /** Mean, variance and kurtosis (fourth moment over the squared variance), where they exist. */
  readonly moments?: readonly [number, number, number];
}

const phi = (x: number): number => Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
const gammaOf = (x: number): number => Math.exp(logGamma(x));

/** The moments of a distribution from its raw ones, E x to E x⁴. */
function central(m1: number, m2: number, m3: number, m4: number): [number, number, number] {
  const variance = m2 - m1 * m1;
  return [m1, variance, (m4 - 4 * m1 * m3 + 6 * m1 * m1 * m2 - 3 * m1 ** 4) / variance ** 2];
}

function cutNormal(low: number, high: number): (x: number) => number {
  const [a, b] = [normalCdf(low), normalCdf(high)];
  return (x) => (normalCdf(x) - a) / (b - a);
}

function waldCdf(m: number): (x: number) => number {
  return (x) =>
    x <= 0
      ? 0
      : normalCdf(Math.sqrt(1 / x) * (x / m - 1)) + Math.exp(2 / m) * normalCdf(-Math.sqrt(1 / x) * (x / m + 1));
}

const halfMaxwell = (x: number): number => gammaCdf(1.5, 0.5 * x * x);

const DISTRIBUTIONS: Readonly<Record<string, Continuous>> = {
  uniform: { draw: (k) => random.uniform(k, [N]), cdf: (x) => x, moments: [0.5, 1 / 12, 1.8] },
  normal: { draw: (k) => random.normal(k, [N]), cdf: normalCdf, moments: [0, 1, 3] },
  truncatedNormal: {
    draw: (k) => random.truncatedNormal(k, -2, 2, [N]),
    cdf: cutNormal(-2, 2),
    moments: [0, 1 - (4 * phi(2)) / (2 * normalCdf(2) - 1), 2.5],
  },
  exponential: { draw: (k) => random.exponential(k, [N]), cdf: (x) => -Math.expm1(-x), moments: [1, 1, 9] },
  laplace: {
    draw: (k) => random.laplace(k, [N]),
    cdf: (x) => (x < 0 ? 0.5 * Math.exp(x) : 1 - 0.5 * Math.exp(-x)),
    moments: [0, 2, 6],
  },
  logistic: {
    draw: (k) => random.logistic(k, [N]),
    cdf: (x) => 1 / (1 + Math.exp(-x)),
    moments: [0, Math.PI ** 2 / 3, 4.2],
  },
  gumbel: {
    draw: (k) => random.gumbel(k, [N]),
    cdf: (x) => Math.exp(-Math.exp(-x)),
    moments: [0.5772156649015329, Math.PI ** 2 / 6, 5.4],
  },
  "gumbel high": { draw: (k) => random.gumbel(k, [N], { mode: "high" }), cdf: (x) => Math.exp(-Math.exp(-x)) },
  "gumbel highest": { draw: (k) => random.gumbel(k, [N], { mode: "highest" }), cdf: (x) => Math.exp(-Math.exp(-x)) },
  cauchy: { draw: (k) => random.cauchy(k, [N]), cdf: (x) => 0.5 + Math.atan(x) / Math.PI },
  rayleigh: {
    draw: (k) => random.rayleigh(k, 1, [N]),
    cdf: (x) => -Math.expm1(-0.5 * x * x),
    moments: [Math.sqrt(Math.PI / 2), 2 - Math.PI / 2, 3.245],
  },
  weibullMin: {
    draw: (k) => random.weibullMin(k, 1, 1.5, [N]),
    cdf: (x) => -Math.expm1(-(x ** 1.5)),
    moments: central(gammaOf(1 + 1 / 1.5), gammaOf(1 + 2 / 1.5), gammaOf(3), gammaOf(1 + 4 / 1.5)),
  },
  pareto: {
    draw: (k) => random.pareto(k, 9, [N]),
    cdf: (x) => 1 - x ** -9,
    moments: central(9 / 8, 9 / 7, 9 / 6, 9 / 5),
  },
  lognormal: {
    draw: (k) => random.lognormal(k, 0.5, [N]),
    cdf: (x) => normalCdf(Math.log(x) / 0.5),
    moments: central(Math.exp(0.125), Math.exp(0.5), Math.exp(1.125), Math.exp(2)),
  },
  maxwell: {
    draw: (k) => random.maxwell(k, [N]),
    cdf: halfMaxwell,
    moments: central(2 * Math.sqrt(2 / Math.PI), 3, 8 * Math.sqrt(2 / Math.PI), 15),
  },
  doubleSidedMaxwell: {
    draw: (k) => random.doubleSidedMaxwell(k, 0, 1, [N]),
    cdf: (x) => 0.5 + 0.5 * Math.sign(x) * halfMaxwell(x),
    moments: [0, 3, 15 / 9],
  },
  triangular: {
    draw: (k) => random.triangular(k, 0, 0.5, 1, [N]),
    cdf: (x) => (x < 0.5 ? 2 * x * x : 1 - 2 * (1 - x) ** 2),
    moments: [0.5, 1 / 24, 2.4],
  },
  wald: { draw: (k) => random.wald(k, 1, [N]), cdf: waldCdf(1), moments: [1, 1, 18] },
  gamma: { draw: (k) => random.gamma(k, 2.5, [N]), cdf: (x) => gammaCdf(2.5, x), moments: [2.5, 2.5, 5.4] },
  "gamma below 1": { draw: (k) => random.gamma(k, 0.5, [N]), cdf: (x) => gammaCdf(0.5, x), moments: [0.5, 0.5, 15] },
  loggamma: { draw: (k) => random.loggamma(k, 0.5, [N]), cdf: (x) => gammaCdf(0.5, Math.exp(x)) },
  beta: { draw: (k) => random.beta(k, 2, 3, [N]), cdf: (x) => betaCdf(2, 3, x), moments: [0.4, 0.04, 2.357142857] },
  t: {
    draw: (k) => random.t(k, 5, [N]),
    cdf: (x) => 0.5 + 0.5 * Math.sign(x) * (1 - betaCdf(2.5, 0.5, 5 / (5 + x * x))),
    moments: [0, 5 / 3, 9],
  },
  chisquare: { draw: (k) => random.chisquare(k, 4, [N]), cdf: (x) => gammaCdf(2, x / 2), moments: [4, 8, 6] },
  f: { draw: (k) => random.f(k, 4, 12, [N]), cdf: (x) => betaCdf(2, 6, (4 * x) / (4 * x + 12)) },
  generalizedNormal: {
    draw: (k) => random.generalizedNormal(k, 2, [N]),
    cdf: (x) => normalCdf(x * Math.SQRT2),
    moments: [0, 0.5, 3],
  },
  // Of vectors one component each.
  dirichlet: {
    draw: (k) => component(random.dirichlet(k, array([1, 2, 3]), [N])),
    cdf: (x) => betaCdf(2, 4, x),
    moments: central(1 / 3, 1 / 7, 1 / 14, 5 / 126),
  },
  ball: {
    draw: (k) => component(random.ball(k, 3, { shape: [N] })),
    cdf: (x) => 0.5 + 0.75 * x - 0.25 * x ** 3,
    moments: [0, 0.2, 15 / 7],
  },
  multivariateNormal: {
    draw: (k) => component(random.multivariateNormal(k, array([0, 1]), array([[2, 0.5], [0.5, 0.25]]), { shape: [N] })), // prettier-ignore
    cdf: (x) => normalCdf((x - 1) / 0.5),
    moments: [1, 0.25, 3],
  },
};

/** The second component of each of N vectors. */
function component(x: Tensor): Tensor {
  return laxSlice(x, [0, 1], [N, 2]);
}

/** The largest distance of a sample's distribution from the wanted one, looked at in every 64th place. */
function kolmogorov(sorted: Float32Array, cdf: (x: number) => number): number {
  let worst = 0;
  for (let i = 32; i < sorted.length; i += 64)
    worst = Math.max(worst, Math.abs((i + 0.5) / sorted.length - cdf(sorted[i] ?? Number.NaN)));
  return worst;
}

describe("2^20 draws are distributed as they should be", () => {
  useDevice();

  test.each(Object.entries(DISTRIBUTIONS))("%s", async (_name, { draw, cdf, moments }) => {
    const result = draw(random.key(2026));
    const data = Float32Array.from(await result.data());
    result.dispose();
    expect(data).toHaveLength(N);
    // The chance of more than 2.2 / √N is 1 in 8,000.
    expect(kolmogorov(data.slice().sort(), cdf) * Math.sqrt(N)).toBeLessThan(2.2);
    if (moments === undefined) return;
    const [mean, variance, kurtosis] = moments;
    const found = data.reduce((sum, x) => sum + x, 0) / N;
    const spread = data.reduce((sum, x) => sum + (x - mean) ** 2, 0) / N;
    expect(Math.abs(found - mean)).toBeLessThan(5 * Math.sqrt(variance / N));
    expect(Math.abs(spread / variance - 1)).toBeLessThan(5 * Math.sqrt((kurtosis - 1) / N));
  });
});
