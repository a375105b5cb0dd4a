import * as t from "@jnx/tensor";
import type { Tensor } from "@jnx/tensor";
import type { Tolerance } from "../ulp.ts";
import * as r from "../reference.ts";
import * as s from "../scalars.ts";
import { mapRow, shapedRow, type Domain, type Row, type ShapedRow } from "./rows.ts";

/** x^a e^−x / Γ(a + 1 + n), the terms of P's series, folded with what `weigh` makes of n. */
function gammaSeries(a: number, x: number, weigh: (n: number) => number): number {
  let [term, sum] = [Math.exp(a * Math.log(x) - x - s.lgamma(a + 1)), 0];
  for (let n = 0; n < 300; n++) {
    sum += term * weigh(n);
    term *= x / (a + n + 1);
  }
  return sum;
}

/** Q(a, x) = x^a e^−x / Γ(a) · 1/(x + 1 − a − 1 (1 − a)/(x + 3 − a − 2 (2 − a)/(x + 5 − a − …))) for x > a + 1. */
function upperGamma(a: number, x: number): number {
  if (x === Infinity) return 0;
  let fraction = x + 401 - a;
  for (let k = 200; k >= 1; k--) fraction = x + 2 * k - 1 - a - (k * (k - a)) / fraction;
  return Math.exp(a * Math.log(x) - x - s.lgamma(a)) / fraction;
}

function igamma(a: number, x: number): number {
  if (a < 0 || x < 0) return NaN;
  return x > a + 1 ? 1 - upperGamma(a, x) : gammaSeries(a, x, () => 1);
}

function igammac(a: number, x: number): number {
  if (a < 0 || x < 0) return NaN;
  return x > a + 1 ? upperGamma(a, x) : 1 - gammaSeries(a, x, () => 1);
}

/** Each term of P's series by a. */
function igammaGradA(a: number, x: number): number {
  return gammaSeries(a, x, (n) => Math.log(x) - s.digamma(a + 1 + n));
}

/** x^a (1 − x)^b / (a B(a, b)) · Σ (a + b)ₙ / (a + 1)ₙ xⁿ, on the side of 1/2 where it is short. */
function betainc(a: number, b: number, x: number): number {
  if (a < 0 || b < 0 || x < 0 || x > 1) return NaN;
  if (x > 0.5) return 1 - betainc(b, a, 1 - x);
  let [term, sum] = [x ** a * (1 - x) ** b * Math.exp(-s.logBeta(a, b) - Math.log(a)), 0];
  for (let n = 0; n < 200; n++) {
    sum += term;
    term *= ((a + b + n) / (a + 1 + n)) * x;
  }
  return sum;
}

/** Σ (q + k)^−x: thirty terms, then Euler and Maclaurin's rest of the sum. */
function zeta(x: number, q: number): number {
  if (x <= 1) return x === 1 ? Infinity : NaN;
  let sum = 0;
  for (let k = 0; k < 30; k++) sum += (q + k) ** -x;
  const y = q + 30;
  const corrections = x / 12 / y - (x * (x + 1) * (x + 2)) / 720 / y ** 3;
  return sum + y ** -x * (y / (x - 1) + 0.5 + corrections);
}

/** In the lower tail −z² − log(2√π f), with the continued fraction f of erfc(z), z = −x/√2. */
function logNdtr(x: number): number {
  const z = -x * Math.SQRT1_2;
  if (!(z > 2.5)) return x > 0 ? Math.log1p(-0.5 * s.erfc(-z)) : Math.log(0.5 * s.erfc(z));
  let fraction = z;
  for (let k = 60; k >= 1; k--) fraction = z + k / 2 / fraction;
  return -z * z - Math.log(2 * Math.sqrt(Math.PI) * fraction);
}

/** The root of log ndtr(x) = log p by bisection, above the middle that of 1 − p. */
function ndtri(p: number): number {
  if (!(p >= 0 && p <= 1)) return NaN;
  if (p > 0.5) return -ndtri(1 - p);
  if (p === 0) return -Infinity;
  let [low, high] = [-40, 0];
  for (let k = 0; k < 70; k++) {
    const middle = (low + high) / 2;
    if (logNdtr(middle) < Math.log(p)) low = middle;
    else high = middle;
  }
  return p === 0.5 ? 0 : (low + high) / 2;
}

/** Ordinary numbers of each operand's domain. */
function ordinary(
  name: string,
  label: string,
  domains: readonly Domain[],
  run: (...xs: Tensor[]) => Tensor,
  f: (...xs: number[]) => number,
  tolerance: Tolerance,
  differentiable = true,
): ShapedRow {
  const operands = domains.map((domain) => ({ shape: [3, 7], domain }));
  return shapedRow(name, label, operands, run, (...xs) => r.map(f, ...xs), { tolerance, differentiable });
}

const given = (...values: number[]) => ({ shape: [values.length], values });
const gammas: readonly Domain[] = [
  [0.5, 5],
  [0.3, 6],
];
const near: Tolerance = { ulp: 32, abs: 1e-7 };
/** Of 1 − P where P is nearly 1, and of density and moved number multiplied. */
const apart: Tolerance = { ulp: 64, abs: 2e-7 };

/** First by x alone: there is no second derivative by a. */
const incompleteGammas: readonly ShapedRow[] = [
  ordinary(
    "igamma",
    "by x",
    [[0.3, 6]],
    (x) => t.igamma(2.5, x),
    (x) => igamma(2.5, x),
    near,
  ),
  ordinary("igamma", "by a and x", gammas, (a, x) => t.igamma(a, x), igamma, near),
  shapedRow(
    "igamma",
    "at its edges",
    [given(0.5, 0.5, 2, -1, 2, 100), given(0, Infinity, -1, 2, 1e-10, 120)],
    (a, x) => t.igamma(a, x),
    (a, x) => r.map((p, q) => (q === 0 ? 0 : igamma(p, q)), a, x),
    { tolerance: near },
  ),
  ordinary(
    "igammac",
    "by x",
    [[0.3, 6]],
    (x) => t.igammac(2.5, x),
    (x) => igammac(2.5, x),
    apart,
  ),
  ordinary("igammac", "by a and x", gammas, (a, x) => t.igammac(a, x), igammac, apart),
  shapedRow(
    "igammac",
    "in its tail",
    [given(0.5, 2, 5, 10, 0.5, -1), given(20, 40, 60, 30, Infinity, 2)],
    (a, x) => t.igammac(a, x),
    (a, x) => r.map(igammac, a, x),
    { tolerance: { ulp: 64 } },
  ),
  ordinary("igammaGradA", "of ordinary numbers", gammas, t.igammaGradA, igammaGradA, { ulp: 64, abs: 1e-6 }, false),
];

/** By x alone, as there is no derivative by a and b. */
const incompleteBetas: readonly ShapedRow[] = [
  ordinary(
    "betainc",
    "by x",
    [[0.1, 0.9]],
    (x) => t.betainc(2.5, 1.5, x),
    (x) => betainc(2.5, 1.5, x),
    near,
  ),
  ordinary(
    "betainc",
    "of three arrays",
    [
      [0.5, 5],
      [0.5, 5],
      [0, 1],
    ],
    t.betainc,
    betainc,
    near,
    false,
  ),
  shapedRow(
    "betainc",
    "at its edges",
    [given(2, 2, 0.5, -1, 2, 2), given(3, 3, 0.5, 2, -1, 2), given(0, 1, 1, 0.5, 0.5, 1.5)],
    t.betainc,
    (a, b, x) => r.map(betainc, a, b, x),
    { tolerance: near },
  ),
];

const zetas: readonly ShapedRow[] = [
  ordinary(
    "zeta",
    "of ordinary numbers",
    [
      [1.5, 6],
      [0.5, 5],
    ],
    t.zeta,
    zeta,
    { ulp: 16, abs: 1e-7 },
  ),
  shapedRow(
    "zeta",
    "at its edges",
    [given(1, 0.5, -2, 2, 40), given(2, 2, 1, 1, 1)],
    t.zeta,
    (x, q) => r.map(zeta, x, q),
    { tolerance: { ulp: 8 } },
  ),
];

/** The functions of jax.scipy.special that are parts of an integral or rests of a sum. */
export const incomplete: readonly Row[] = [
  ...incompleteGammas,
  ...incompleteBetas,
  ...zetas,
  mapRow("logNdtr", t.logNdtr, 1, () => logNdtr, {
    domains: [[-6, 3]],
    tolerance: { ulp: 16, abs: 1e-30 },
    differentiable: true,
  }),
  mapRow("ndtri", t.ndtri, 1, () => ndtri, {
    domains: [[0.05, 0.95]],
    tolerance: { ulp: 16, abs: 1e-6 },
    differentiable: true,
  }),
];
