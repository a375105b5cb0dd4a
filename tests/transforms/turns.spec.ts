import { customVjp, grad } from "@jnx/autodiff";
import { evalShape, jit, laxMap, scan } from "@jnx/compile";
import * as t from "@jnx/tensor";
import type { Tensor } from "@jnx/tensor";
import { useDevice } from "@jnx/testing";
import { describe, expect, test } from "vitest";

useDevice();

describe("some steps in a turn", () => {
  const f = (c: Tensor, x: Tensor): [Tensor, Tensor] => [t.add(t.mul(c, 0.5), x), c];
  const rows = (n: number): Tensor => t.astype(t.arange(n), "float32");

  test.each([2, 3, 7, 9, true])("unroll: %s changes nothing but speed", async (unroll) => {
    for (const reverse of [false, true]) {
      const [c, ys] = scan(f, t.array(0.5), rows(7), { unroll, reverse });
      const [want, wanted] = scan(f, t.array(0.5), rows(7), { reverse });
      expect([await c.item(), await ys.toArray()]).toEqual([await want.item(), await wanted.toArray()]);
    }
    const [c, ys] = scan(f, t.array(0.5), rows(0), { unroll });
    expect([await c.item(), ys.shape]).toEqual([0.5, [0]]);
    const slope = (n: typeof unroll | 1): Promise<unknown> =>
      grad((x: Tensor) => t.sum(t.square(scan(f, t.array(0.5), x, { unroll: n })[1])))(rows(7)).toArray();
    expect(await slope(unroll)).toEqual(await slope(1));
  });

  test("lax.map in batches", async () => {
    const g = (x: Tensor): { a: Tensor; b: Tensor } => ({ a: t.square(x), b: t.add(x, 1) });
    for (const batchSize of [1, 2, 5, 8]) {
      const { a, b } = laxMap(g, rows(5), { batchSize });
      expect([await a.toArray(), await b.toArray()]).toEqual([
        [0, 1, 4, 9, 16],
        [1, 2, 3, 4, 5],
      ]);
    }
    expect(() => laxMap(g, rows(5), { batchSize: 0 })).toThrow(/batchSize must be a whole number > 0, received 0/);
    expect(() => scan(f, t.array(0.5), rows(5), { unroll: 1.5 })).toThrow(/unroll must be true or a whole number/);
  });
});

test("a JavaScript number as the first carry, in a function that closes over what is being traced", async () => {
  const f = (w: Tensor, xs: Tensor): Tensor =>
    scan((c: Tensor, x: Tensor) => [t.add(c, t.mul(x, w)), null], t.array(0.5), xs)[0];
  const g = (w: Tensor, xs: Tensor): Tensor =>
    scan((c: Tensor | number, x: Tensor) => [t.add(c, t.mul(x, w)), null], 0 as Tensor | number, xs)[0] as Tensor; // as add gives it
  const [w, xs] = [t.array(1.5), t.array([0.5, 2])];
  expect([await jit(g)(w, xs).item(), await jit(f)(w, xs).item()]).toEqual([3.75, 4.25]);
  expect(await jit(grad(g))(w, xs).item()).toBe(2.5);
  const shapeOf = (w: Tensor): Tensor => t.zeros(evalShape(() => t.outer(w, w)).shape);
  expect(jit(shapeOf)(xs).shape).toEqual([2, 2]);
});

test("loops that differ only in a function with a rule of its own, in an inner loop, are told apart", async () => {
  const nested = (factor: number): Tensor => {
    const f = customVjp((x: Tensor) => t.mul(x, factor)).defvjp(
      (x) => [t.mul(x, factor), null],
      (_: null, ct: Tensor) => [t.mul(ct, factor)],
    );
    const inner = (c: Tensor, x: Tensor): [Tensor, null] => [t.add(f(c), x), null];
    return scan((c: Tensor, row: Tensor) => [scan(inner, c, row)[0], null], t.array(1.5), t.full([2, 2], 0.5))[0];
  };
  expect([await nested(1).item(), await nested(2).item(), await nested(3).item()]).toEqual([3.5, 31.5, 141.5]);
});
