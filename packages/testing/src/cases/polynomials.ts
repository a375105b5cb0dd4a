import * as t from "@jnx/tensor";
import * as l from "../linalg-reference.ts";
import * as r from "../reference.ts";
import { shapedRow, type Operand, type ShapedRow } from "./rows.ts";

const options = { tolerance: { ulp: 8, abs: 2e-6 }, differentiable: true };
const list = (data: readonly number[]): r.HostArray => ({ shape: [data.length], data });

/** The coefficient of x^power. */
const of = (p: readonly number[], power: number): number => p[p.length - 1 - power] ?? 0;

function combined(p: r.HostArray, q: r.HostArray, sign: number): r.HostArray {
  const size = Math.max(p.data.length, q.data.length);
  return r.build([size], ([k = 0]) => of(p.data, size - 1 - k) + sign * of(q.data, size - 1 - k));
}

function product(p: readonly number[], q: readonly number[]): number[] {
  const out = new Array<number>(p.length + q.length - 1).fill(0);
  p.forEach((a, i) => {
    q.forEach((b, j) => (out[i + j] = (out[i + j] ?? 0) + a * b));
  });
  return out;
}

/** Long division; the remainder keeps its leading zeros. */
function division(u: r.HostArray, v: r.HostArray): [quotient: r.HostArray, rest: r.HostArray] {
  const rest = [...u.data];
  const quotient: number[] = [];
  for (let k = 0; k + v.data.length <= u.data.length; k++) {
    const factor = (rest[k] ?? NaN) / (v.data[0] ?? NaN);
    quotient.push(factor);
    v.data.forEach((b, j) => (rest[k + j] = (rest[k + j] ?? NaN) - factor * b));
  }
  return [list(quotient), list(rest)];
}

/** The normal equations Vᵀ W² V c = Vᵀ W² y of the powers V. */
function fit(x: r.HostArray, y: r.HostArray, degree: number, w: readonly number[] = []): r.HostArray {
  const weigh = (row: readonly number[], k: number): number[] => row.map((one) => one * (w[k] ?? 1));
  const powers = x.data.map((one, k) =>
    weigh(
      Array.from({ length: degree + 1 }, (_, j) => one ** (degree - j)),
      k,
    ),
  );
  const columns = y.shape[1] ?? 1;
  const values = x.data.map((_, k) => weigh(y.data.slice(k * columns, (k + 1) * columns), k));
  const across = l.transpose(powers);
  const found = l.solve(l.product(across, powers), l.product(across, values)).flat();
  return { shape: [degree + 1, ...y.shape.slice(1)], data: found };
}

const points: Operand = { shape: [6], values: [-1, -0.625, -0.25, 0.375, 0.75, 1] };
/** A leading coefficient that divides well. */
const divisor: Operand = { shape: [2], domain: [1, 2] };
const least = { differentiable: true, tolerance: { ulp: 32, abs: 1e-5 } };

export const polynomials: readonly ShapedRow[] = [
  shapedRow("polyadd", "of 3 and 5", [[3], [5]], t.polyadd, (p, q) => combined(p, q, 1), options),
  shapedRow("polysub", "of 3 and 5", [[3], [5]], t.polysub, (p, q) => combined(p, q, -1), options),
  shapedRow(
    "polymul",
    "of 3 and 5",
    [[3], [5]],
    (p, q) => t.polymul(p, q),
    (p, q) => list(product(p.data, q.data)),
    options,
  ),
  shapedRow(
    "polydiv",
    "quotient",
    [[5], divisor],
    (u, v) => t.polydiv(u, v)[0],
    (u, v) => division(u, v)[0],
    options,
  ),
  shapedRow(
    "polydiv",
    "remainder",
    [[4], divisor],
    (u, v) => t.polydiv(u, v)[1],
    (u, v) => division(u, v)[1],
    options,
  ),
  shapedRow(
    "polyder",
    "twice",
    [[5]],
    (p) => t.polyder(p, 2),
    (p) => r.build([3], ([k = 0]) => (p.data[k] ?? NaN) * (4 - k) * (3 - k)),
    options,
  ),
  shapedRow(
    "polyint",
    "twice",
    [[3], [2]],
    (p, k) => t.polyint(p, 2, { k }),
    (p, k) => list([...p.data.map((a, j) => a / (4 - j) / (3 - j)), ...k.data]),
    options,
  ),
  shapedRow(
    "poly",
    "of four roots",
    [[4]],
    t.poly,
    (roots) => list(roots.data.reduce((p, root) => product(p, [1, -root]), [1])),
    options,
  ),
  shapedRow(
    "polyfit",
    "a parabola",
    [points, [6]],
    (x, y) => t.polyfit(x, y, 2),
    (x, y) => fit(x, y, 2),
    least,
  ),
  shapedRow(
    "polyfit",
    "two lines, weighted",
    [points, [6, 2], { shape: [6], domain: [0.5, 1.5] }],
    (x, y, w) => t.polyfit(x, y, 1, { w }),
    (x, y, w) => fit(x, y, 1, w.data),
    least,
  ),
];

/** Σ (x²/4)^k / k!² */
function i0(x: number): number {
  let [term, sum] = [1, 0];
  for (let k = 1; k < 60; k++) {
    sum += term;
    term *= (x * x) / 4 / (k * k);
  }
  return sum;
}

const TURN = 2 * Math.PI;

function taper(name: "bartlett" | "blackman" | "hamming" | "hanning", f: (part: number) => number): ShapedRow {
  const tolerance = { ulp: 8, abs: 5e-7 };
  return shapedRow(
    name,
    "of 9",
    [],
    () => t[name](9),
    () => r.build([9], ([k = 0]) => f(k / 8)),
    { tolerance },
  );
}

/** Windows that a signal is multiplied with. */
export const tapers: readonly ShapedRow[] = [
  taper("bartlett", (u) => 1 - Math.abs(2 * u - 1)),
  taper("blackman", (u) => 0.42 - 0.5 * Math.cos(TURN * u) + 0.08 * Math.cos(2 * TURN * u)),
  taper("hamming", (u) => 0.54 - 0.46 * Math.cos(TURN * u)),
  taper("hanning", (u) => 0.5 - 0.5 * Math.cos(TURN * u)),
  shapedRow(
    "kaiser",
    "of 6",
    [{ shape: [], domain: [1, 4] }],
    (beta) => t.kaiser(6, beta),
    (beta) => {
      const b = r.get(beta, []);
      return r.build([6], ([k = 0]) => i0(b * Math.sqrt(Math.max(0, 1 - ((2 * k) / 5 - 1) ** 2))) / i0(b));
    },
    options,
  ),
  shapedRow(
    "kaiser",
    "of one",
    [[]],
    (beta) => t.kaiser(1, beta),
    () => list([1]),
  ),
];
