import { grad, jvp, vmap } from "@jnx/autodiff";
import { cond, jit, whileLoop } from "@jnx/compile";
import * as t from "@jnx/tensor";
import type { Tensor } from "@jnx/tensor";
import { executor } from "@jnx/tensor";
import { useDevice } from "@jnx/testing";
import { describe, expect, test } from "vitest";

useDevice();

const read = (x: Tensor): Promise<unknown> => x.toArray();
const at = (value: number): Tensor => t.array(value, { dtype: "float32" });
const floats = (list: readonly number[]): Tensor => t.array([...list], { dtype: "float32" });
const yes = t.array(true);
const no = t.array(false);

describe("a branch that is not taken", () => {
  const [w, x] = [
    t.array([
      [1, 2],
      [0.5, -1],
    ]),
    floats([2, 3]),
  ];
  const heavy = (p: Tensor, v: Tensor): Tensor =>
    cond(
      p,
      (u: Tensor) => t.sum(t.tanh(t.matmul(u, w))),
      (u: Tensor) => t.prod(t.add(u, t.mean(u))),
      v,
    );

  test("is skipped on the device: a loop in it that would never end is no error", async () => {
    const endless = (v: Tensor): Tensor =>
      whileLoop(
        () => t.array(true),
        (u: Tensor) => t.add(u, 1),
        v,
        { maxIterations: 3 },
      );
    const f = (p: Tensor, v: Tensor): Tensor => cond(p, endless, (u: Tensor) => t.neg(u), v);
    for (const g of [f, jit(f)]) {
      expect(await read(g(no, at(2)))).toBe(-2);
      await expect(g(yes, at(2)).item()).rejects.toThrow(/still held after 3 iterations/);
    }
  });

  test("reductions and products in branches: values, both modes, batches, nested", async () => {
    const one = Math.tanh(3.5) + Math.tanh(1);
    const other = 4.5 * 5.5;
    for (const f of [heavy, jit(heavy)]) {
      expect(await f(yes, x).item()).toBeCloseTo(one, 5);
      expect(await f(no, x).item()).toBeCloseTo(other, 4);
    }
    // (u₀ + m)(u₁ + m) with m the mean: 1.5·5.5 + 0.5·4.5, and the other way round.
    const slopes = [1.5 * 5.5 + 0.5 * 4.5, 1.5 * 4.5 + 0.5 * 5.5] as const;
    const [c, d] = [1 - Math.tanh(3.5) ** 2, 1 - Math.tanh(1) ** 2];
    const wants = [[c + 2 * d, 0.5 * c - d], slopes];
    for (const [k, p] of [yes, no].entries())
      for (const slope of [grad((v: Tensor) => heavy(p, v)), jit(grad((v: Tensor) => heavy(p, v)))])
        [...(await slope(x).data())].forEach((v, i) => expect(v).toBeCloseTo(wants[k]?.[i] ?? NaN, 3));
    const along = floats([1, 0]);
    expect(await jvp((v: Tensor) => heavy(no, v), [x], [along])[1].item()).toBeCloseTo(slopes[0], 3);
    const rows = t.stack([x, t.neg(x)]);
    expect(await read(vmap(heavy, { inAxes: [null, 0] })(no, rows))).toEqual([other, 24.75]);
    expect(await read(jit(vmap(heavy))(t.array([false, false]), rows))).toEqual([other, 24.75]);
    const nested = jit((p: Tensor, q: Tensor, v: Tensor) =>
      cond(
        q,
        (u: Tensor) => t.sum(t.mul(heavy(p, u), u)),
        (u: Tensor) => t.max(u),
        v,
      ),
    );
    expect(await nested(no, yes, x).item()).toBeCloseTo(5 * other, 3);
    expect(await nested(no, no, x).item()).toBe(3);
  });

  test("costs a few dispatches, which explain counts; small branches run both, in the kernel they are part of", async () => {
    const f = jit(heavy);
    await f(yes, x).item();
    const before = executor().counters().dispatches;
    await f(no, x).item();
    const { dispatches, graph } = f.explain(no, x);
    expect(executor().counters().dispatches - before).toBe(dispatches);
    expect(graph).toContain("branch 1 of operands");
    const small = jit((p: Tensor, v: Tensor) =>
      t.add(
        1,
        cond(
          p,
          (u: Tensor) => t.sin(u),
          (u: Tensor) => t.cos(u),
          v,
        ),
      ),
    );
    expect(small.explain(yes, x).dispatches).toBe(1);
  });
});
