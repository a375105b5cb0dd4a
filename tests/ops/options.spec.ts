/** Options that JAX has beside those of the goldens; the values are what JAX gives. */
import * as t from "@jnx/tensor";
import { useDevice } from "@jnx/testing";
import { describe, expect, it, test } from "vitest";

useDevice();

/** A value that TypeScript would refuse. */
const odd = (value: unknown): never => value as never; // as plain JavaScript may give it
const all = async (list: readonly t.Tensor[]): Promise<unknown[]> => Promise.all(list.map((one) => one.toArray()));

describe("intersect1d", () => {
  const [a, b] = [(): t.Tensor => t.array([3, 1, 2, 1, 5, 7]), (): t.Tensor => t.array([5, 2, 1, 4])];

  it("gives places", async () => {
    expect(await all(t.intersect1d(a(), b(), { returnIndices: true }))).toEqual([[1, 2, 5], [1, 2, 4], [2, 1, 0]]); // prettier-ignore
    const filled = t.intersect1d(a(), b(), { returnIndices: true, size: 5, assumeUnique: false });
    expect(await all(filled)).toEqual([[1, 2, 5, 1, 1], [1, 2, 4, 6, 6], [2, 1, 0, 4, 4]]); // prettier-ignore
    const none = t.intersect1d(t.array([3]), t.array([2]), { returnIndices: true, size: 2 });
    expect(await all(none)).toEqual([[0, 0], [1, 1], [1, 1]]); // prettier-ignore
  });

  it("fills with the least, unless told", async () => {
    expect(await t.intersect1d(a(), b(), { size: 5 }).toArray()).toEqual([1, 2, 5, 1, 1]);
    expect(await t.intersect1d(a(), b(), { size: 5, fillValue: 9 }).toArray()).toEqual([1, 2, 5, 9, 9]);
  });
});

test("interp goes on along the outermost lines", async () => {
  const [x, xp, fp] = [t.array([-1, 0, 1.5, 5, 9]), t.array([0, 1, 3]), t.array([1, 2, 8])];
  const [left, right] = ["extrapolate", "extrapolate"] as const;
  expect(await t.interp(x, xp, fp, { left }).toArray()).toEqual([0, 1, 3.5, 8, 8]);
  expect(await t.interp(x, xp, fp, { right }).toArray()).toEqual([1, 1, 3.5, 14, 26]);
  expect(await t.interp(x, xp, fp, { left, right }).toArray()).toEqual([0, 1, 3.5, 14, 26]);
  expect(await t.interp(x, t.array([2]), t.array([7]), { left, right }).toArray()).toEqual([7, 7, 7, 7, 7]);
  expect(() => t.interp(x, xp, fp, { left: odd("none") })).toThrow(
    /^interp: left and right are arrays or "extrapolate"/,
  );
});

test("cov and corrcoef in a dtype", async () => {
  const x = t.array([[1, 2, 4], [3, 2, 0]]); // prettier-ignore
  const c = t.cov(x, { dtype: "float16" });
  expect([c.dtype, await c.toArray()]).toEqual(["float16", [[2.333984375, -2.333984375], [-2.333984375, 2.333984375]]]); // prettier-ignore
  expect(t.corrcoef(x, { dtype: "float16" }).dtype).toBe("float16");
  expect(() => t.cov(x, { dtype: "int32" })).toThrow(/^cov: dtype must be one of floats/);
});

test("how JAX is to search changes no place", async () => {
  const [a, v] = [t.array([1, 2, 2, 3, Number.NaN]), t.array([2, Number.NaN, 9])];
  for (const method of ["scan", "scan_unrolled", "sort", "compare_all"] as const)
    expect(await t.searchsorted(a, v, { method, side: "right" }).toArray()).toEqual([3, 5, 4]);
  for (const method of ["auto", "compare_all", "binary_search", "sort"] as const)
    expect(await t.isin(t.array([3, 1]), t.array([1, 2]), { method, assumeUnique: true }).toArray()).toEqual([0, 1]);
  expect(await t.digitize(t.array([0.5, 2.5]), t.array([1, 2, 3]), { method: "sort" }).toArray()).toEqual([0, 2]);
  expect(await t.unique(t.array([3, 1, 3]), { sorted: false }).toArray()).toEqual([1, 3]);
  expect(() => t.searchsorted(a, v, { method: odd("x") })).toThrow(
    /^searchsorted: unknown method "x"; expected one of scan/,
  );
  expect(() => t.isin(a, v, { method: odd("x") })).toThrow(/^isin: unknown method "x"/);
});
