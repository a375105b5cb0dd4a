import * as t from "@jnx/tensor";
import type { Tensor } from "@jnx/tensor";
import type { Tolerance } from "../ulp.ts";
import * as r from "../reference.ts";
import * as s from "../scalars.ts";
import { mapRow, shapedRow, type Domain, type Row, type ShapedRow } from "./rows.ts";

const close: Tolerance = { ulp: 16, abs: 4e-6 };
/** Exponentials of what log Γ rounds. */
const powers: Tolerance = { ulp: 16, rel: 2e-5 };

const factorial = (n: number): number => (n < 0 ? 0 : s.gamma(n + 1));

/** −1 between −1 and 0, between −3 and −2, …; the sign of a zero, as 1/x has it. */
function gammasgn(x: number): number {
  if (x === 0) return Math.sign(1 / x);
  if (Number.isNaN(x) || (x < 0 && Math.floor(x) === x)) return NaN;
  return x < 0 && Math.floor(x) % 2 !== 0 ? -1 : 1;
}

function multigammaln(a: number, d: number): number {
  let sum = ((d * (d - 1)) / 4) * Math.log(Math.PI);
  for (let i = 0; i < d; i++) sum += s.lgamma(a - i / 2);
  return sum;
}

function comb(n: number, k: number): number {
  if (!(k >= 0 && k <= n)) return 0;
  return Math.exp(s.lgamma(n + 1) - s.lgamma(k + 1) - s.lgamma(n - k + 1));
}

/** Ways to take k of n things with repetition: of none nothing but nothing. */
const repeated = (n: number, k: number): number => (k === 0 && n >= 0 ? 1 : comb(n + k - 1, k));

const boxcox = (x: number, power: number): number =>
  power === 0 ? Math.log(x) : Math.expm1(power * Math.log(x)) / power;

const unary: readonly Row[] = [
  mapRow(
    "factorial",
    (n) => t.factorial(n),
    1,
    () => factorial,
    {
      domains: [[0.2, 4]],
      tolerance: powers,
      differentiable: true,
    },
  ),
  mapRow("gammasgn", t.gammasgn, 1, () => gammasgn),
  mapRow("loggamma", t.loggamma, 1, () => (x) => (x < 0 ? NaN : s.lgamma(x)), {
    domains: [[0.7, 5]],
    tolerance: close,
    differentiable: true,
  }),
  mapRow(
    "multigammaln",
    (a) => t.multigammaln(a, 3),
    1,
    () => (a) => multigammaln(a, 3),
    {
      domains: [[1.5, 5]],
      tolerance: { ulp: 32, abs: 1e-5 },
      differentiable: true,
    },
  ),
];

/** Ordinary numbers of two domains, and given numbers. */
function pair(
  name: string,
  run: (x: Tensor, y: Tensor) => Tensor,
  f: (x: number, y: number) => number,
  domains: readonly [Domain, Domain],
  edges: readonly (readonly [number, number])[],
  tolerance: Tolerance = powers,
): readonly ShapedRow[] {
  const oracle = (x: r.HostArray, y: r.HostArray): r.HostArray => r.map(f, x, y);
  const drawn = domains.map((domain) => ({ shape: [3, 7], domain }));
  const given = [0, 1].map((k) => ({ shape: [edges.length], values: edges.map((edge) => edge[k] ?? NaN) }));
  return [
    shapedRow(name, "of ordinary numbers", drawn, run, oracle, { tolerance, differentiable: true }),
    shapedRow(name, "at its edges", given, run, oracle, { tolerance }),
  ];
}

const things = [
  [5, 2],
  [10, 0],
  [10, 10],
  [3, 4],
  [-1, 0],
  [4, -1],
  [0, 0],
  [0, 3],
] as const;

const binary: readonly ShapedRow[] = [
  ...pair(
    "comb",
    (n, k) => t.comb(n, k),
    comb,
    [
      [4, 6],
      [1, 3],
    ],
    things,
  ),
  shapedRow(
    "comb",
    "with repetition",
    [0, 1].map((k) => ({ shape: [things.length], values: things.map((thing) => thing[k] ?? NaN) })),
    (n, k) => t.comb(n, k, { repetition: true }),
    (n, k) => r.map(repeated, n, k),
    { tolerance: powers },
  ),
  ...pair(
    "poch",
    t.poch,
    (z, m) => (m === 0 ? 1 : s.gamma(z + m) / s.gamma(z)),
    [
      [0.7, 3],
      [0.5, 2],
    ],
    [
      [2, 3],
      [-0.5, 0],
      [-1.5, 2],
      [0.5, -2],
    ],
  ),
  ...pair(
    "boxcox",
    t.boxcox,
    boxcox,
    [
      [0.5, 3],
      [0.5, 2],
    ],
    [
      [2, 0],
      [0.5, -2],
      [0, 2],
      [1, 3],
      [-1, 2],
    ],
    close,
  ),
  ...pair(
    "boxcox1p",
    t.boxcox1p,
    (x, power) => boxcox(1 + x, power),
    [
      [0.5, 3],
      [0.5, 2],
    ],
    [
      [1, 0],
      [-0.5, -2],
      [-1, 2],
      [0, 3],
      [-2, 2],
    ],
    close,
  ),
];

/** As fractions. */
const BERNOULLI = [1, -1 / 2, 1 / 6, 0, -1 / 30, 0, 1 / 42, 0, -1 / 30, 0, 5 / 66, 0, -691 / 2730];

/** Functions of jax.scipy.special that are made of Γ. */
export const combinatorial: readonly Row[] = [
  ...unary,
  ...binary,
  shapedRow(
    "bernoulli",
    "of thirteen",
    [],
    () => t.bernoulli(12),
    () => ({ shape: [13], data: BERNOULLI }),
    { tolerance: { ulp: 1 } },
  ),
];
