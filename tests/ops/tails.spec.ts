import { array, scipyStats, type Tensor } from "@jnx/tensor";
import { misses, useDevice } from "@jnx/testing";
import { expect, test } from "vitest";

useDevice();

/** Where the plain formulas lose digits that numbers of float32 have room for: SciPy's values, of float64. */
const cases: readonly (readonly [name: string, run: () => Tensor, expected: readonly number[]])[] = [
  [
    "cauchy.cdf",
    () => scipyStats.cauchy.cdf(array([-7e4, -3, 1e5])),
    [4.5472840880305274e-6, 0.10241638234956672, 0.9999968169011383],
  ],
  ["cauchy.sf", () => scipyStats.cauchy.sf(array([7e4, 3])), [4.5472840880305274e-6, 0.10241638234956672]],
  ["cauchy.logcdf", () => scipyStats.cauchy.logcdf(array([7e4, -7e4])), [-4.547294426958159e-6, -12.300980406948923]],
  ["expon.logcdf", () => scipyStats.expon.logcdf(array([22, 1e-6])), [-2.7894680932579813e-10, -13.815511060422585]],
  [
    "gennorm.cdf",
    () => scipyStats.gennorm.cdf(array([-4, -5, 4]), array([3, 2, 3])),
    [1.8518556993655728e-30, 7.687298972140165e-13, 1],
  ],
  [
    "t.logpdf",
    () => scipyStats.t.logpdf(array([0.2, 3, 1]), array([1000, 1e6, 0.5])),
    [-0.9392081333706812, -5.418923033305922, -2.1344921424125918],
  ],
  [
    "binom.logpmf",
    () => scipyStats.binom.logpmf(array([1, 3, 0]), array([1e6, 1e5, 5]), array([1e-6, 1e-5, 0.25])),
    [-0.9999994999996629, -2.7917645198861, -1.4384103622589044],
  ],
  [
    "nbinom.logpmf",
    () => scipyStats.nbinom.logpmf(array([0, 3]), array([3, 100]), array([0.5, 0.9])),
    [-2.0794415416798357, -5.3903047317189],
  ],
];

test.each(cases)("%s keeps its digits", async (_name, run, expected) => {
  expect(misses(await run().data(), { shape: [expected.length], data: [...expected] }, "float32", { ulp: 64 })).toEqual(
    [],
  );
});
