/**
 * expm and cond where float32 leaves fewer digits than goldens ask for, to the real JAX as to us: values and gradients against
 * float64, within a few roundings times the condition of the problem, found by differences.
 */
import { vjp } from "@jnx/autodiff";
import { array, linalg, ravel, scipyLinalg, type Tensor } from "@jnx/tensor";
import { linalgReference as l, useDevice } from "@jnx/testing";
import { expect, it } from "vitest";

useDevice();

const ROUNDING = 2 ** -24;
const ROUNDINGS = 8;

interface Problem {
  readonly label: string;
  readonly a: l.Matrix;
  ours(a: Tensor): Tensor;
  exact(a: l.Matrix): number[];
}

const expm = (label: string, a: l.Matrix): Problem => ({
  label: `expm ${label}`,
  a,
  ours: (x) => scipyLinalg.expm(x),
  exact: (x) => l.exponential(x).flat(),
});

const cond = (label: string, a: l.Matrix): Problem => ({
  label: `cond ${label}`,
  a,
  ours: (x) => linalg.cond(x),
  exact: (x) => {
    const { s } = l.singular(x);
    return [(s[0] ?? Number.NaN) / (s.at(-1) ?? Number.NaN)];
  },
});

const PROBLEMS: readonly Problem[] = [
  expm("of a small matrix", [
    [0.075, -0.2625, -0.1875],
    [0.25, -0.4125, 0.175],
    [0.45, 0.1875, 0.05],
  ]),
  expm("that needs squarings", [
    [-1.375, 4.75, -2.875],
    [-1.5, 0.375, 1.625],
    [-4, -3.375, 1],
  ]),
  expm("that decays under five squarings", [
    [25, 13.75, 43.75],
    [-12.5, -27.5, 30],
    [-46.25, -31.25, -41.25],
  ]),
  expm("that turns", [
    [-1.125, -3.5],
    [3, 3.5],
  ]),
  expm("whose squares cancel", [
    [-1.25, -4.75],
    [2.125, -4],
  ]),
  cond("below 4", [
    [6, 2, -0.875],
    [-5, 8.375, -4.625],
    [3.125, -3.5, 7],
  ]),
  cond("of 15", [
    [0.125, 0.375, -3],
    [-2.5, 1.375, 4.875],
    [-2.875, -3.125, 10],
  ]),
  cond("of 31", [
    [2, 4.25, 1],
    [4.75, 8.375, 0.875],
    [0, -3, 10.875],
  ]),
];

const largest = (xs: readonly number[]): number => Math.max(...xs.map(Math.abs));
const weight = (k: number): number => 1 + 0.5 * (k % 3);

/** ∂f/∂a[i, j] for each i, j, by central differences in float64. */
function slopes({ a, exact }: Problem): number[][] {
  const step = 1e-6 * largest(a.flat());
  const moved = (p: number, by: number): number[] =>
    exact(a.map((row, i) => row.map((x, j) => (i * row.length + j === p ? x + by : x))));
  return a.flat().map((_, p) => {
    const [up, down] = [moved(p, step), moved(p, -step)];
    return up.map((y, k) => (y - (down[k] ?? Number.NaN)) / (2 * step));
  });
}

async function expectNear(what: string, found: Tensor, wanted: readonly number[], condition: number): Promise<void> {
  const data = Array.from(await found.data());
  expect(data).toHaveLength(wanted.length);
  const off = largest(data.map((x, k) => x - (wanted[k] ?? Number.NaN))) / largest(wanted);
  expect(off, `${what}, condition ${condition}`).toBeLessThanOrEqual(ROUNDINGS * ROUNDING * condition);
}

it.each(PROBLEMS.map((one) => [one.label, one] as const))("%s", async (_label, problem) => {
  const { a, ours, exact } = problem;
  const [wanted, each] = [exact(a), slopes(problem)];
  // How much larger the result's relative error is than that of entries off by so much of the largest.
  const condition = Math.max(1, (each.reduce((sum, s) => sum + largest(s), 0) * largest(a.flat())) / largest(wanted));
  const [y, pull] = vjp((x: Tensor) => ravel(ours(x)), array(a, { dtype: "float32" }));
  await expectNear("value", y, wanted, condition);
  const [gradient] = pull(
    array(
      wanted.map((_, k) => weight(k)),
      { dtype: "float32" },
    ),
  );
  const sums = each.map((s) => s.reduce((sum, x, k) => sum + x * weight(k), 0));
  await expectNear("gradient", ravel(gradient), sums, condition);
});
