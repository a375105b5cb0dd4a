import * as t from "@jnx/tensor";
import type { Tensor } from "@jnx/tensor";
import type { Tolerance } from "../ulp.ts";
import * as r from "../reference.ts";
import * as s from "../scalars.ts";
import { mapRow, shapedRow, type Domain, type MapRow, type Row } from "./rows.ts";

const EULER = 0.5772156649015329;

/** Eₙ(x) = e^−x / (x + n − 1 n / (x + n + 2 − 2 (n + 1) / (x + n + 4 − …))); E₁'s series below 1, and what follows of it. */
function expn(n: number, x: number): number {
  if (!(x >= 0)) return NaN;
  if (x === Infinity) return 0;
  if (x === 0) return n <= 1 ? Infinity : 1 / (n - 1);
  if (n === 0) return Math.exp(-x) / x;
  if (x >= 1) {
    let fraction = x + n + 400;
    for (let k = 200; k >= 1; k--) fraction = x + n + 2 * (k - 1) - (k * (n + k - 1)) / fraction;
    return Math.exp(-x) / fraction;
  }
  let y = -EULER - Math.log(x) - entire(-x);
  for (let k = 1; k < n; k++) y = (Math.exp(-x) - x * y) / k;
  return y;
}

/** Σ xᵏ / (k k!). */
function entire(x: number): number {
  let [term, sum] = [1, 0];
  for (let k = 1; k < 300; k++) {
    term *= x / k;
    sum += term / k;
  }
  return sum;
}

function expi(x: number): number {
  if (x <= 0) return -expn(1, -x);
  if (x < 60) return EULER + Math.log(x) + entire(x);
  if (x > 100) return Infinity;
  let [term, sum] = [1, 1];
  for (let k = 1; k < 40; k++) sum += term *= k / x;
  return (Math.exp(x) / x) * sum;
}

/** Σ zᵏ / k² for z = 1 − x around 1; by way of 1 − x and 1 / x elsewhere. */
function spence(x: number): number {
  if (!(x >= 0)) return NaN;
  if (x === Infinity) return -Infinity;
  if (x > 1.5) return -0.5 * Math.log(x) ** 2 - spence(1 / x);
  if (x < 0.5) return Math.PI ** 2 / 6 - (x === 0 ? 0 : Math.log(x) * Math.log1p(-x)) - spence(1 - x);
  let sum = 0;
  for (let k = 60; k >= 1; k--) sum += (1 - x) ** k / k ** 2;
  return sum;
}

/** e^−x² Σ x^(2k + 1) / (k! (2k + 1)); far out its asymptotic series. */
function dawsn(x: number): number {
  if (Math.abs(x) > 20) return (1 + 0.5 / x ** 2 + 0.75 / x ** 4) / (2 * x);
  let [term, sum] = [Math.exp(-x * x) * x, 0];
  for (let k = 0; k < 1500; k++) {
    sum += term / (2 * k + 1);
    term *= (x * x) / (k + 1);
  }
  return sum;
}

function erfcx(x: number): number {
  if (!(x > 2.5)) return Math.exp(x * x) * s.erfc(x);
  let fraction = x;
  for (let k = 60; k >= 1; k--) fraction = x + k / 2 / fraction;
  return 1 / (Math.sqrt(Math.PI) * fraction);
}

function row(name: string, run: MapRow["run"], f: (x: number) => number, tolerance: Tolerance, domain: Domain): MapRow {
  return mapRow(name, run, 1, () => f, { domains: [domain], tolerance, differentiable: true });
}

/** Σ of a Maclaurin series whose terms are x^(from + step k) over what `weigh` makes of k, signs in turn. */
function alternating(x: number, from: number, step: number, weigh: (k: number) => number): number {
  let sum = 0;
  for (let k = 40; k >= 0; k--) sum += ((k % 2 === 0 ? 1 : -1) * x ** (from + step * k)) / weigh(k);
  return sum;
}

const factorial = (n: number): number => (n <= 1 ? 1 : n * factorial(n - 1));
const over = (n: number) => (k: number) => (Math.PI / 2) ** -(2 * k + n) * factorial(2 * k + n) * (4 * k + 2 * n + 1);

/** Functions of two results, by their series. */
function pair(name: string, first: Tensor[], second: Tensor[]): Tensor {
  const [a, b] = [first[0], second[1]];
  if (a === undefined || b === undefined) throw new Error(`${name}: gives two arrays`);
  return t.sub(a, t.mul(2, b));
}

const ordinary = { shape: [3, 7], domain: [0.2, 3] as const };
const smooth = { tolerance: { ulp: 16, abs: 3e-6 }, differentiable: true };

const pairs: readonly Row[] = [
  shapedRow(
    "sici",
    "of ordinary numbers",
    [ordinary],
    (x) => pair("sici", t.sici(x), t.sici(x)),
    (x) =>
      r.map((v) => {
        const sine = alternating(v, 1, 2, (k) => (2 * k + 1) * factorial(2 * k + 1));
        const cosine = alternating(v, 2, 2, (k) => (2 * k + 2) * factorial(2 * k + 2));
        return sine - 2 * (EULER + Math.log(v) - cosine);
      }, x),
    smooth,
  ),
  shapedRow(
    "fresnel",
    "of ordinary numbers",
    [{ shape: [3, 7], domain: [-1.9, 1.9] }],
    (x) => pair("fresnel", t.fresnel(x), t.fresnel(x)),
    (x) => r.map((v) => alternating(v, 3, 4, over(1)) - 2 * alternating(v, 1, 4, over(0)), x),
    smooth,
  ),
  shapedRow(
    "expn",
    "of ordinary numbers",
    [
      { shape: [5], values: [1, 2, 3, 8, 30] },
      { shape: [4, 5], domain: [0.2, 4] },
    ],
    t.expn,
    (n, x) => r.map(expn, n, x),
    { tolerance: { ulp: 32 } },
  ),
  shapedRow(
    "expn",
    "by x",
    [{ shape: [3, 7], domain: [0.2, 4] }],
    (x) => t.expn(3, x),
    (x) => r.map((v) => expn(3, v), x),
    { tolerance: { ulp: 32 }, differentiable: true },
  ),
];

/** (1/π) ∫₀^π cos(nθ − x sin θ) dθ by the trapezoidal rule. */
function bessel(n: number, x: number): number {
  const steps = 200;
  let sum = 0;
  for (let k = 0; k <= steps; k++) {
    const angle = (Math.PI * k) / steps;
    sum += (k === 0 || k === steps ? 0.5 : 1) * Math.cos(n * angle - x * Math.sin(angle));
  }
  return sum / steps;
}

/** ∫₀^a e^(−h²(1 + x²)/2) / (1 + x²) dx / 2π by Simpson's rule. */
function owens(h: number, a: number): number {
  const steps = 400;
  let sum = 0;
  for (let k = 0; k <= steps; k++) {
    const size = 1 + ((a * k) / steps) ** 2;
    sum += ((k === 0 || k === steps ? 1 : k % 2 === 1 ? 4 : 2) * Math.exp((-h * h * size) / 2)) / size;
  }
  return (sum * a) / steps / 3 / (2 * Math.PI);
}

const ofOrder: readonly Row[] = [
  shapedRow(
    "besselJn",
    "of ordinary numbers",
    [{ shape: [3, 7], domain: [-6, 6] }],
    (x) => t.besselJn(x, { v: 2 }),
    ({ shape, data }) => ({
      shape: [3, ...shape],
      data: [0, 1, 2].flatMap((n) => data.map((x) => bessel(n, x))),
    }),
    { tolerance: { ulp: 16, abs: 4e-7 }, differentiable: true },
  ),
  shapedRow(
    "owensT",
    "of ordinary numbers",
    [
      { shape: [3, 7], domain: [-2, 2] },
      { shape: [3, 7], domain: [-3, 3] },
    ],
    t.owensT,
    (h, a) => r.map(owens, h, a),
    { tolerance: { ulp: 32, abs: 1e-7 }, differentiable: true },
  ),
];

/** Integrals of jax.scipy.special that have no closed form. */
export const integrals: readonly Row[] = [
  row("exp1", t.exp1, (x) => expn(1, x), { ulp: 8 }, [0.3, 4]),
  row("expi", t.expi, expi, { ulp: 8, abs: 1e-7 }, [0.5, 4]),
  row("spence", t.spence, spence, { ulp: 8 }, [0.2, 4]),
  row("dawsn", t.dawsn, dawsn, { ulp: 8 }, [-3, 3]),
  row("erfcx", t.erfcx, erfcx, { ulp: 16 }, [-1.5, 4]),
  ...pairs,
  ...ofOrder,
];
