import * as t from "@jnx/tensor";
import type { Tensor } from "@jnx/tensor";
import * as r from "../reference.ts";
import type { Tolerance } from "../ulp.ts";
import { shapedRow, type Domain, type ShapedRow } from "./rows.ts";

/** Σ Π (tops)ₖ / Π (bottoms)ₖ xᵏ / k!, of up to 4000 terms in float64. */
function series(tops: readonly number[], bottoms: readonly number[], x: number): number {
  let [term, sum] = [1, 1];
  for (let k = 0; k < 4000 && Math.abs(term) > 1e-18 * Math.abs(sum); k++) {
    term *= x / (k + 1);
    for (const top of tops) term *= top + k;
    for (const bottom of bottoms) term /= bottom + k;
    sum += term;
  }
  return sum;
}

function hyp1f1(a: number, b: number, x: number): number {
  return x < 0 ? Math.exp(x) * series([b - a], [b], -x) : series([a], [b], x);
}

function hyp2f1(a: number, b: number, c: number, x: number): number {
  return x < 0 ? (1 - x) ** -a * series([a, c - b], [c], x / (x - 1)) : series([a, b], [c], x);
}

const TOLERANCE: Tolerance = { ulp: 64, abs: 1e-6 };

function row(
  name: string,
  label: string,
  domains: readonly Domain[],
  run: (...xs: Tensor[]) => Tensor,
  f: (...xs: number[]) => number,
): ShapedRow {
  const operands = domains.map((domain) => ({ shape: [3, 7], domain }));
  return shapedRow(name, label, operands, run, (...xs) => r.map(f, ...xs), {
    tolerance: TOLERANCE,
    differentiable: true,
  });
}

const given = (...values: number[]) => ({ shape: [values.length], values });
const PARAMETER: Domain = [0.5, 3];

/** First by x alone: there is no second derivative by the parameters. */
export const hypergeometric: readonly ShapedRow[] = [
  row(
    "hyp1f1",
    "by x",
    [[-4, 4]],
    (x) => t.hyp1f1(0.7, 1.9, x),
    (x) => hyp1f1(0.7, 1.9, x),
  ),
  row("hyp1f1", "by all", [PARAMETER, PARAMETER, [-4, 4]], (a, b, x) => t.hyp1f1(a, b, x), hyp1f1),
  shapedRow(
    "hyp1f1",
    "far out",
    [given(0.5, 1.5, -0.5, 2, 3, 0.25), given(1.5, 4, 2.5, 60, 1.25, 3), given(-60, -99, -150, 85, -1000, -20000)],
    (a, b, x) => t.hyp1f1(a, b, x),
    // SciPy's, of float64.
    () => ({
      shape: [6],
      data: [
        0.1144114040798, 0.00447859898371, 8.19469375771556, 44950.79079261515, 3.30852496114e-10, 0.1045634464015,
      ],
    }),
    { tolerance: { ulp: 256, abs: 1e-13 } },
  ),
  row(
    "hyp2f1",
    "by x",
    [[-3, 0.7]],
    (x) => t.hyp2f1(0.7, 1.9, 3.1, x),
    (x) => hyp2f1(0.7, 1.9, 3.1, x),
  ),
  row("hyp2f1", "by all", [PARAMETER, PARAMETER, [2, 5], [-0.6, 0.6]], (a, b, c, x) => t.hyp2f1(a, b, c, x), hyp2f1),
  row(
    "hyp2f1",
    "by all near 1",
    [PARAMETER, PARAMETER, [2, 5], [0.88, 0.97]],
    (a, b, c, x) => t.hyp2f1(a, b, c, x),
    hyp2f1,
  ),
  shapedRow(
    "hyp2f1",
    "close to 1, and far out",
    [
      given(0.5, 1, 2, 0.3, 10, 2, 1, 0.5, 1.5, 30),
      given(1, 2, 3, 0.7, 8, 3, 1, 0.25, 0.5, 20),
      given(1.5, 3.5, 5, 1, 19, 4.2, 2, 0.8, 1, 51),
      given(0.9999, 0.99999, 0.999, 0.9999999, 0.99, 0.9999, -1e6, -1e4, -30, 0.95),
    ],
    (a, b, c, x) => t.hyp2f1(a, b, c, x),
    // mpmath's, with 40 digits.
    () => ({
      shape: [10],
      data: [
        5.2984743729849, 4.9629193483756, 53.295869013672, 5.0243076619879, 15783.32272357, 7120.7374720682,
        1.3815511557964e-5, 0.14209328627232, 0.11918720439975, 10493422312.135,
      ],
    }),
    { tolerance: TOLERANCE },
  ),
];
