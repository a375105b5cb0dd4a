/** Bool arrays as indices; the values are what JAX gives. */
import { grad, vmap } from "@jnx/autodiff";
import { jit } from "@jnx/compile";
import * as t from "@jnx/tensor";
import { useDevice } from "@jnx/testing";
import { describe, expect, it } from "vitest";

useDevice();

const x = (): t.Tensor => t.astype(t.arange(4), "float32");
const grid = (): t.Tensor => t.reshape(t.astype(t.arange(6), "float32"), [3, 2]);
/** Known to the host, and to the device only. */
const known = (): t.Tensor => t.array([true, false, true, false]);
const unknown = (): t.Tensor => t.equal(t.remainder(t.mul(t.arange(4), t.ones([4], { dtype: "int32" })), 2), 0);
const rows = (): t.Tensor => t.array([true, false, true]);
const elements = (): t.Tensor => t.array([[true, false], [false, true], [true, true]]); // prettier-ignore

describe("values in turn where a mask is true", () => {
  for (const [name, mask] of [
    ["known to the host", known],
    ["known to the device", unknown],
  ] as const)
    // prettier-ignore
    it(name, async () => {
      const update = t.at(x(), mask());
      expect(await update.set(t.array([7, 8])).toArray()).toEqual([7, 1, 8, 3]);
      expect(await update.set(t.array([7])).toArray()).toEqual([7, 1, 7, 3]);
      expect(await update.add(t.array([7, 8])).toArray()).toEqual([7, 1, 10, 3]);
      expect(await update.multiply(t.array([2, 3])).toArray()).toEqual([0, 1, 6, 3]);
      expect(await update.set(9).toArray()).toEqual([9, 1, 9, 3]);
    });

  it("rows and elements of a matrix", async () => {
    const values = t.array([[1, 2], [3, 4]]); // prettier-ignore
    expect(await t.at(grid(), rows()).set(values).toArray()).toEqual([[1, 2], [2, 3], [3, 4]]); // prettier-ignore
    expect(await t.at(grid(), rows()).set(t.array([10, 20])).toArray()).toEqual([[10, 20], [2, 3], [10, 20]]); // prettier-ignore
    expect(await t.at(grid(), elements()).add(t.array([10, 20, 30, 40])).toArray()).toEqual([[10, 1], [2, 23], [34, 45]]); // prettier-ignore
    expect(await t.at(grid(), [rows(), 1]).set(t.array([10, 20])).toArray()).toEqual([[0, 10], [2, 3], [4, 20]]); // prettier-ignore
  });

  it("what a known mask takes", async () => {
    expect(await t.at(x(), known()).get().toArray()).toEqual([0, 2]);
    expect(await t.slice(grid(), rows()).toArray()).toEqual([[0, 1], [4, 5]]); // prettier-ignore
    expect(await t.slice(grid(), elements()).toArray()).toEqual([0, 3, 4, 5]);
    expect(await t.slice(grid(), "...", t.array([false, true])).toArray()).toEqual([[1], [3], [5]]);
  });

  it("is differentiable, and traced", async () => {
    const put = (a: t.Tensor, v: t.Tensor): t.Tensor => t.sum(t.mul(t.at(a, unknown()).set(v), t.array([1, 2, 3, 4])));
    expect(
      await Promise.all(grad(put, { argnums: [0, 1] })(x(), t.array([7.5, 8.5])).map((one) => one.toArray())),
    ).toEqual([
      [0, 2, 0, 4],
      [1, 3],
    ]);
    const slope = grad((v: t.Tensor) => t.sum(t.mul(t.at(x(), unknown()).multiply(v), t.array([1, 2, 3, 4]))));
    expect(await slope(t.array([2.5, 3.5])).toArray()).toEqual([0, 6]);
    const step = jit((a: t.Tensor, m: t.Tensor, v: t.Tensor) => t.at(a, m).set(v));
    expect(await step(x(), known(), t.array([7, 8])).toArray()).toEqual([7, 1, 8, 3]);
    const each = vmap((m: t.Tensor) => t.at(x(), m).set(t.array([7, 8])));
    expect(await each(t.stack([known(), t.logicalNot(known())])).toArray()).toEqual([[7, 1, 8, 3], [0, 7, 2, 8]]); // prettier-ignore
  });
});

describe("oneHot of floats", () => {
  it("counts what is no class as none", async () => {
    const given = t.array([0, 1, 1.5, 3, Number.NaN]);
    expect(await t.oneHot(given, 3).toArray()).toEqual([[1, 0, 0], [0, 1, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0]]); // prettier-ignore
  });
});
