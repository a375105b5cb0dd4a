import * as t from "@jnx/tensor";
import type { Tensor } from "@jnx/tensor";
import type { Tolerance } from "../ulp.ts";
import * as s from "../scalars.ts";
import * as r from "../reference.ts";
import { combinatorial } from "./combinatorial.ts";
import { hypergeometric } from "./hypergeometric.ts";
import { incomplete } from "./incomplete.ts";
import { integrals } from "./integrals.ts";
import { mapRow, shapedRow, type Domain, type MapRow, type Row, type ShapedRow } from "./rows.ts";

/** The n-th derivative of digamma for x > 0, and for n = 1 below. */
function polygamma(n: number, x: number): number {
  if (x < 0) {
    if (n > 1 || x === -Infinity) return NaN;
    const sine = s.sinPi(x);
    return sine === 0 ? Infinity : (Math.PI / sine) ** 2 - polygamma(1, 1 - x);
  }
  const sign = n % 2 === 1 ? 1 : -1;
  let [y, sum] = [x, 0];
  for (let k = 0; k < 60; k++, y++) sum += 1 / y ** (n + 1);
  const v = 1 / y;
  const rest =
    v ** n / n + v ** (n + 1) / 2 + ((n + 1) * v ** (n + 2)) / 12 - ((n + 1) * (n + 2) * (n + 3) * v ** (n + 4)) / 720;
  return sign * factorial(n) * (sum + (y === Infinity ? 0 : rest));
}

function factorial(n: number): number {
  return n <= 1 ? 1 : n * factorial(n - 1);
}

/** (1/π) ∫₀^π e^(|x|(cos θ − 1)) cos(nθ) dθ by the trapezoidal rule; far out the first terms of the asymptotic series. */
function bessel(n: 0 | 1, x: number): number {
  const size = Math.abs(x);
  const sign = n === 1 && x < 0 ? -1 : 1;
  if (size > 500) return (sign / Math.sqrt(2 * Math.PI * size)) * (1 - (4 * n - 1) / (8 * size));
  if (n === 1 && size < 1e-6) return x / 2;
  const steps = 400;
  let sum = 0;
  for (let k = 0; k <= steps; k++) {
    const angle = (Math.PI * k) / steps;
    sum += (k === 0 || k === steps ? 0.5 : 1) * Math.exp(size * (Math.cos(angle) - 1)) * Math.cos(n * angle);
  }
  return x === 0 ? 1 - n : (sign * sum) / steps;
}

function row(
  name: string,
  run: (x: Tensor) => Tensor,
  f: (x: number) => number,
  tolerance: Tolerance,
  domain: Domain = [0.7, 5],
): MapRow {
  return mapRow(name, run, 1, () => f, { domains: [domain], tolerance, differentiable: true });
}

const close: Tolerance = { ulp: 16, abs: 4e-6 };

const unary: readonly MapRow[] = [
  row("lgamma", t.lgamma, s.lgamma, close),
  row("digamma", t.digamma, s.digamma, { ...close, rel: 4e-6 }),
  row(
    "polygamma",
    (x) => t.polygamma(1, x),
    (x) => polygamma(1, x),
    close,
  ),
  {
    ...row(
      "polygamma",
      (x) => t.polygamma(3, x),
      (x) => polygamma(3, x),
      { ulp: 32, abs: 1e-6 },
      [1, 5],
    ),
    label: "polygamma 3",
  },
  row("gamma", t.gamma, s.gamma, { ulp: 16, abs: 1e-30, rel: 2e-5 }, [0.7, 4]),
  row("i0e", t.i0e, (x) => bessel(0, x), { ulp: 8 }, [-9, 9]),
  row("i1e", t.i1e, (x) => bessel(1, x), { ulp: 16, abs: 1e-30 }, [-9, 9]),
  row("i0", t.i0, (x) => Math.exp(Math.abs(x)) * bessel(0, x), { ulp: 16 }, [-5, 5]),
  row("i1", t.i1, (x) => Math.exp(Math.abs(x)) * bessel(1, x), { ulp: 32, abs: 1e-30 }, [-5, 5]),
  row("logit", t.logit, (x) => Math.log(x / (1 - x)), { ulp: 4, abs: 1e-6 }, [0.1, 0.9]),
  row("entr", t.entr, (x) => (x < 0 ? -Infinity : x === 0 ? 0 : -x * Math.log(x)), { ulp: 4, abs: 1e-6 }, [0.2, 3]),
  row("ndtr", t.ndtr, (x) => 0.5 * s.erfc(-x * Math.SQRT1_2), { ulp: 32, abs: 1e-30 }, [-2, 2]),
];

const positive: readonly Domain[] = [
  [0.5, 3],
  [0.5, 3],
];

function pair(
  name: string,
  run: (x: Tensor, y: Tensor) => Tensor,
  f: (x: number, y: number) => number,
  tolerance: Tolerance,
): MapRow {
  return mapRow(name, run, 2, () => f, { domains: positive, tolerance, differentiable: true });
}

const binary: readonly MapRow[] = [
  pair("xlogy", t.xlogy, (x, y) => (x === 0 && !Number.isNaN(y) ? 0 : x * Math.log(y)), { ulp: 3, abs: 1e-30 }),
  pair("xlog1py", t.xlog1py, (x, y) => (x === 0 && !Number.isNaN(y) ? 0 : x * Math.log1p(y)), { ulp: 4, abs: 1e-30 }),
];

/** Differences of large terms, held against ordinary numbers only. */
function difference(
  name: string,
  run: (x: Tensor, y: Tensor) => Tensor,
  f: (x: number, y: number) => number,
): ShapedRow {
  const operand = { shape: [3, 7], domain: [0.5, 3] as const };
  const tolerance = { ulp: 16, abs: 1e-5 };
  return shapedRow(name, "of positive numbers", [operand, operand], run, (x, y) => r.map(f, x, y), {
    tolerance,
    differentiable: true,
  });
}

const edges = (values: readonly number[]) => ({ shape: [values.length], values });

const differences: readonly ShapedRow[] = [
  difference("relEntr", t.relEntr, relEntr),
  difference("klDiv", t.klDiv, (p, q) => relEntr(p, q) - p + q),
  difference("betaln", t.betaln, s.logBeta),
  difference("beta", t.beta, (a, b) => Math.exp(s.logBeta(a, b))),
  shapedRow(
    "betaln",
    "of large numbers",
    [edges([0.15, 1e6, 1e-3, 12, 8, -7.5, 1e5, 3]), edges([6760, 1e6, 1e5, 9, 8, 8, 0.5, 27.361027])],
    t.betaln,
    // mpmath's, with 50 digits.
    () => ({
      shape: [8],
      data: [
        0.50500638708332, -1386300.0033629, 6.8956659168423, -14.228705712134, -10.84894866171, -0.45174095331088,
        -5.1840965395604, -9.340656519729,
      ],
    }),
    { tolerance: { ulp: 32, abs: 1e-6 } },
  ),
  shapedRow(
    "beta",
    "of negative numbers",
    [edges([-0.5, -1.5, -2.5, 0.3]), edges([2, 0.7, 100, -1.7])],
    t.beta,
    () => ({ shape: [4], data: [-4, -0.534569704988, -90444.1448928, 2.82805845565] }),
    { tolerance: { ulp: 64, abs: 1e-6 } },
  ),
  shapedRow("relEntr", "at its edges", [edges([0, 0, -1, 1, 1, 0]), edges([1, 0, 1, 0, -1, -1])], t.relEntr, (x, y) =>
    r.map(relEntr, x, y),
  ),
];

function relEntr(p: number, q: number): number {
  return p > 0 && q > 0 ? p * Math.log(p / q) : p === 0 && q >= 0 ? 0 : Infinity;
}

/** Functions of jax.scipy.special. */
export const special: readonly Row[] = [
  ...unary,
  ...binary,
  ...differences,
  ...incomplete,
  ...hypergeometric,
  ...integrals,
  ...combinatorial,
];
