import { grad, jacfwd, jvp, vjp, vmap } from "@jnx/autodiff";
import { cond, jit, makeJaxpr, scan, whileLoop } from "@jnx/compile";
import * as t from "@jnx/tensor";
import type { Tensor } from "@jnx/tensor";
import { ArgumentError, DtypeError, executor, memory, ShapeError } from "@jnx/tensor";
import { useDevice } from "@jnx/testing";
import { describe, expect, test } from "vitest";
import { collect } from "../memory/collect.ts";

useDevice();

async function read(value: unknown): Promise<unknown> {
  const [leaves, def] = t.tree.flatten(value);
  const lists = await Promise.all(leaves.map((leaf) => (leaf instanceof t.Tensor ? leaf.toArray() : leaf)));
  return t.tree.unflatten(def, lists);
}

const at = (value: number): Tensor => t.array(value, { dtype: "float32" });
const floats = (list: readonly number[]): Tensor => t.array([...list], { dtype: "float32" });
const MOST = { maxIterations: 12 };

/** x doubled until it is over the limit. */
const doubled = (x: Tensor, limit: Tensor): Tensor =>
  whileLoop(
    (v: Tensor) => t.lessEqual(v, limit),
    (v: Tensor) => t.mul(v, 2),
    x,
    MOST,
  );

describe("whileLoop", () => {
  test("no round, an odd and an even number of rounds, all that are allowed; eager and under jit", async () => {
    for (const f of [doubled, jit(doubled)]) {
      const all = [7, 1.5, 0.5, 0.25, 0.00125].map((x) => f(at(x), at(5)));
      expect(await read(all)).toEqual([7, 6, 8, 8, 5.12].map((x) => Math.fround(x)));
    }
  });

  test("trees, values closed over, an operand that is used after the loop, a result that is donated", async () => {
    const scale = floats([2, 0.5]);
    const f = (x: Tensor): unknown => {
      const y = t.mul(x, 1);
      const out = whileLoop(
        ({ n }: { n: Tensor; v: Tensor }) => t.less(n, 3),
        ({ n, v }: { n: Tensor; v: Tensor }) => ({ n: t.add(n, 1), v: t.mul(v, scale) }),
        { n: t.array(0), v: y },
        MOST,
      );
      return [out, t.add(out.v, y)];
    };
    const want = [{ n: 3, v: [8, 0.25] }, [9, 2.25]];
    expect(await read(f(floats([1, 2])))).toEqual(want);
    expect(await read(jit(f)(floats([1, 2])))).toEqual(want);
    const g = jit((x: Tensor) => doubled(x, at(5)), { donateArgnums: 0 });
    expect(await read(g(g(at(1))))).toBe(8);
  });

  test("JavaScript numbers take the type that the body gives them", async () => {
    const zero = 0 as unknown as Tensor; // a number, as users write it
    const out = whileLoop(
      (v: Tensor) => t.less(v, 2),
      (v: Tensor) => t.add(v, 0.75),
      zero,
      MOST,
    );
    expect([out.dtype, await out.item()]).toEqual(["float32", 2.25]);
  });

  test("inside a scan, a choice and another loop; a choice and a scan inside", async () => {
    const sums = (x: Tensor): Tensor =>
      scan((c: Tensor, v: Tensor) => [t.add(c, doubled(v, at(5))), null], at(0), x)[0];
    const x = floats([1, 3, 9]);
    expect(await read([sums(x), jit(sums)(x)])).toEqual([23, 23]);
    const chosen = (p: Tensor, v: Tensor): Tensor =>
      cond(
        p,
        (w: Tensor) => doubled(w, at(5)),
        (w: Tensor) => t.neg(doubled(t.mul(w, 10), at(50))),
        v,
      );
    for (const f of [chosen, jit(chosen)])
      expect(await read([f(t.array(true), at(1)), f(t.array(false), at(1)), f(t.array(true), at(6))])).toEqual([
        8, -80, 6,
      ]);
    // The number of steps of Collatz from 6, and the sum of the powers of two it takes to pass each.
    const collatz = (start: Tensor): unknown =>
      whileLoop(
        ([n]: readonly Tensor[]) => t.notEqual(n ?? 0, 1),
        ([n = at(0), steps = at(0), sum = at(0)]: readonly Tensor[]) => [
          cond(
            t.equal(t.remainder(n, 2), 0),
            (v: Tensor) => t.div(v, 2),
            (v: Tensor) => t.add(t.mul(v, 3), 1),
            n,
          ),
          t.add(steps, 1),
          t.add(
            sum,
            whileLoop(
              (v: Tensor) => t.less(v, n),
              (v: Tensor) => t.mul(v, 2),
              at(1),
              MOST,
            ),
          ),
        ],
        [start, at(0), at(0)],
        MOST,
      );
    const want = [1, 8, 8 + 4 + 16 + 8 + 16 + 8 + 4 + 2];
    expect(await read(collatz(at(6)))).toEqual(want);
    expect(await read(jit(collatz)(at(6)))).toEqual(want);
    const rows = (v: Tensor): Tensor =>
      whileLoop(
        (c: Tensor) => t.less(t.sum(c), 20),
        (c: Tensor) => scan((d: Tensor, row: Tensor) => [t.add(d, row), null], t.mul(c, 2), t.ones([3, 2]))[0],
        v,
        MOST,
      );
    expect(await read([rows(floats([1, 2])), jit(rows)(floats([1, 2]))])).toEqual([
      [13, 17],
      [13, 17],
    ]);
  });

  test("forward mode, of the carry and of what is closed over; reverse mode is refused", async () => {
    const cubed = (x: Tensor): Tensor =>
      whileLoop(
        ({ n }: { n: Tensor; v: Tensor }) => t.less(n, 3),
        ({ n, v }: { n: Tensor; v: Tensor }) => ({ n: t.add(n, 1), v: t.mul(v, x) }),
        { n: t.array(0), v: at(1) },
        MOST,
      ).v;
    for (const f of [cubed, jit(cubed)]) {
      expect(await read(jvp(f, [at(2)], [at(1)]))).toEqual([8, 12]);
      expect(await read([jacfwd(f)(at(2)), jacfwd(jacfwd(f))(at(2))])).toEqual([12, 12]);
    }
    expect(await read(jit((x: Tensor) => jvp(doubled, [x, at(5)], [at(1), at(0)]))(at(1)))).toEqual([8, 8]);
    for (const f of [grad(cubed), jit(grad(cubed)), (x: Tensor) => vjp(cubed, x)[1](at(1))]) {
      expect(() => f(at(2))).toThrow(ArgumentError);
      expect(() => f(at(2))).toThrow(/whileLoop: a loop whose number of rounds is not known .* use scan, or foriLoop/);
    }
    // What does not depend on the loop's slope needs no way back through it.
    expect(await read(grad((x: Tensor) => t.mul(x, t.stopGradient(cubed(x))))(at(2)))).toBe(8);
  });

  test("vmap: of the carry, of the condition, of a constant", async () => {
    const [x, limit] = [floats([1, 3, 9, 0.5]), floats([5, 20, 8, 0.25])];
    expect(await read(vmap(doubled)(x, limit))).toEqual([8, 24, 9, 0.5]);
    expect(await read(jit(vmap(doubled, { inAxes: [null, 0] }))(at(1), limit))).toEqual([8, 32, 16, 1]);
    const counted = (v: Tensor): Tensor =>
      whileLoop(
        ([n]: readonly Tensor[]) => t.less(n ?? 0, 4),
        ([n = at(0), u = at(0)]: readonly Tensor[]) => [t.add(n, 1), t.mul(u, v)],
        [at(0), at(1)],
        MOST,
      )[1] ?? at(0);
    expect(await read(vmap(counted)(floats([1, 2, 3])))).toEqual([1, 16, 81]);
    expect(await read(vmap((v: Tensor) => jvp(counted, [v], [at(1)])[1])(floats([1, 2, 3])))).toEqual([4, 32, 108]);
  });

  test("a loop that does not end is an error of whoever reads next, once; the next call starts anew", async () => {
    const f = jit(doubled);
    const [bad, other] = [f(at(0.001), at(5)), t.exp(floats([0]))];
    await expect(other.data()).rejects.toThrow(/whileLoop: the condition still held after 12 iterations/);
    expect(await read(other)).toEqual([1]);
    await bad.data();
    expect(await read(f(at(1), at(5)))).toBe(8);
    f(at(0.001), at(5));
    f(at(1), at(5));
    await expect(f(at(3), at(5)).item()).rejects.toThrow(ArgumentError);
    expect(await read(f(at(3), at(5)))).toBe(6);
  });
});

describe("cost", () => {
  test("nothing is read back, and what is queued is bounded by maxIterations", async () => {
    const f = jit((x: Tensor) =>
      whileLoop(
        (v: Tensor) => t.less(t.sum(v), 30),
        (v: Tensor) => t.mul(v, 2),
        x,
        { maxIterations: 6 },
      ),
    );
    await f(floats([1, 2])).data();
    const before = executor().counters();
    const out = f(floats([1, 2]));
    executor().flush();
    const { reads, dispatches } = executor().counters();
    expect(reads - before.reads).toBe(0);
    expect(dispatches - before.dispatches).toBeLessThanOrEqual(f.explain(floats([1, 2])).dispatches + 1);
    expect(await read(out)).toEqual([16, 32]);
    expect(f.explain(floats([1, 2])).graph).toContain("at most 6 times");
  });

  test("live bytes stay where they were", async () => {
    const work = async (): Promise<void> => {
      using out = doubled(at(1), at(5));
      await out.data();
    };
    await work();
    await collect();
    const before = memory().live;
    for (let k = 0; k < 3; k++) await work();
    expect(memory().live).toBe(before);
  });

  test("a captured loop prints its condition and body", () => {
    const text = String(makeJaxpr(doubled)(at(1), at(5)));
    expect(text).toContain("whileLoop.0[0] of whileLoop(%0, %1) at most 12 times, 1 carried:");
    expect(text).toContain("lessEqual");
  });
});

describe("bad input", () => {
  const loop =
    (test: unknown, body: unknown, init: unknown = at(1)) =>
    () =>
      whileLoop(test as (v: unknown) => Tensor, body as (v: unknown) => unknown, init, MOST); // `as`: what the types refuse
  const never = (): Tensor => t.array(false);
  const mistakes: readonly (readonly [string, () => unknown, new (...args: never[]) => Error, RegExp])[] = [
    [
      "another tree",
      loop(never, (v: Tensor) => [v, v]),
      ArgumentError,
      /the start gives float32\[\], the body gives \[float32\[\], float32\[\]\]; the first difference/,
    ],
    [
      "another shape",
      loop(never, ([v]: Tensor[]) => [t.stack([v ?? 0, 1])], [at(1)]),
      ShapeError,
      /the first difference at 0: float32\[\] and float32\[2\]/,
    ],
    [
      "another dtype",
      loop(never, (v: Tensor) => t.astype(v, "int32")),
      DtypeError,
      /float32\[\] and int32\[\]; convert one with astype/,
    ],
    [
      "a condition of two",
      loop(
        () => t.array([true, false]),
        (v: Tensor) => v,
      ),
      ArgumentError,
      /one bool scalar, received bool\[2\]/,
    ],
    [
      "a condition that is a number",
      loop(
        () => at(1),
        (v: Tensor) => v,
      ),
      ArgumentError,
      /received float32\[\]; compare/,
    ],
    [
      "a bound that is none",
      () => whileLoop(never, (v: Tensor) => v, at(1), { maxIterations: -1 }),
      ArgumentError,
      /maxIterations must be a whole number/,
    ],
  ];
  test.each(mistakes)("%s", (_label, mistake, kind, text) => {
    expect(mistake).toThrow(kind);
    expect(mistake).toThrow(text);
    expect(() => jit(mistake)()).toThrow(text);
  });
});
