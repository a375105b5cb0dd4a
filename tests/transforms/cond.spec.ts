import { grad, hessian, jacfwd, jvp, vjp, vmap } from "@jnx/autodiff";
import { associativeScan, cond, jit, laxSwitch, makeJaxpr, scan } from "@jnx/compile";
import * as t from "@jnx/tensor";
import type { Tensor } from "@jnx/tensor";
import { ArgumentError, DtypeError, ShapeError } from "@jnx/tensor";
import { useDevice } from "@jnx/testing";
import { describe, expect, test } from "vitest";

useDevice();

async function read(value: unknown): Promise<unknown> {
  const [leaves, def] = t.tree.flatten(value);
  const lists = await Promise.all(leaves.map((leaf) => (leaf instanceof t.Tensor ? leaf.toArray() : leaf)));
  return t.tree.unflatten(def, lists);
}

const at = (value: number): Tensor => t.array(value, { dtype: "float32" });
const floats = (list: readonly number[]): Tensor => t.array([...list], { dtype: "float32" });
const [one, half] = [1, 0.5] as unknown as [Tensor, Tensor]; // numbers, as users write them
const yes = t.array(true);
const no = t.array(false);

/** x³ where p, else 5x; and y or its double. */
const f = (p: Tensor, x: Tensor, y: Tensor): { a: Tensor; b: Tensor[] } =>
  cond(
    p,
    (u: Tensor, v: Tensor) => ({ a: t.mul(u, t.mul(u, u)), b: [v] }),
    (u: Tensor, v: Tensor) => ({ a: t.mul(5, u), b: [t.mul(v, 2)] }),
    x,
    y,
  );

describe("cond", () => {
  test("values, eager and under jit; a number is as good as a truth value", async () => {
    const y = t.array([1, 2.5]);
    const want = [
      { a: 8, b: [[1, 2.5]] },
      { a: 10, b: [[2, 5]] },
    ];
    for (const g of [f, jit(f)]) {
      expect(await read([g(yes, at(2), y), g(no, at(2), y)])).toEqual(want);
      expect(await read([g(at(-3), at(2), y), g(t.array(0), at(2), y)])).toEqual(want);
    }
    const closes = jit((p: Tensor, x: Tensor) =>
      cond(
        t.greater(p, 1),
        () => t.sum(x),
        () => t.neg(t.sum(x)),
      ),
    );
    expect(await read([closes(at(2), y), closes(at(0), y)])).toEqual([3.5, -3.5]);
    expect(
      await read(
        cond(
          true,
          () => y,
          () => t.mul(y, 2),
        ),
      ),
    ).toEqual([1, 2.5]);
  });

  test("JavaScript numbers take the dtype of the other branch; weak results stay weak", async () => {
    const g = jit((p: Tensor, x: Tensor) =>
      cond(
        p,
        (v: Tensor) => v,
        () => one,
        x,
      ),
    );
    const out = g(no, at(2));
    expect([out.dtype, out.weak, await out.item()]).toEqual(["float32", false, 1]);
    const numbers = cond(
      yes,
      () => one,
      () => half,
    );
    expect([numbers.dtype, numbers.weak, await numbers.item()]).toEqual(["float32", true, 1]);
  });

  test("both modes, twice, and jitted", async () => {
    const g = (p: Tensor) => (x: Tensor) => f(p, x, x).a;
    const both = async (p: Tensor, want: readonly number[]): Promise<void> => {
      const at2 = at(2);
      const parts = (h: (x: Tensor) => Tensor): unknown => [
        grad(h)(at2),
        grad(grad(h))(at2),
        jvp(h, [at2], [at(1)])[1],
      ];
      const more = (h: (x: Tensor) => Tensor): unknown => [
        hessian(h)(at2),
        jacfwd(h)(at2),
        grad((x: Tensor) => jvp(h, [x], [at(1)])[1])(at2),
      ];
      expect(await read(parts(g(p)))).toEqual(want);
      expect(await read(jit((q: Tensor) => parts(g(q)))(p))).toEqual(want);
      expect(await read(more(g(p)))).toEqual([want[1], want[0], want[1]]);
      expect(await read(jit((q: Tensor) => more(g(q)))(p))).toEqual([want[1], want[0], want[1]]);
    };
    await both(yes, [12, 12, 12]);
    await both(no, [5, 0, 5]);
  });

  test("gradients of what branches close over, and of operands that one branch does not read", async () => {
    const loss = (p: Tensor) => (w: Tensor, x: Tensor) =>
      t.sum(
        cond(
          p,
          (v: Tensor) => t.mul(t.sin(v), w),
          (v: Tensor) => t.exp(v),
          x,
        ),
      );
    const [w, x] = [floats([2, 3]), floats([0.5, -0.25])];
    for (const g of [
      (p: Tensor) => grad(loss(p), { argnums: [0, 1] })(w, x),
      jit((p: Tensor) => grad(loss(p), { argnums: [0, 1] })(w, x)),
    ]) {
      const values = async (p: Tensor): Promise<number[]> =>
        (await Promise.all(g(p).map(async (d) => [...(await d.data())]))).flat();
      const expectClose = (got: number[], want: number[]): void =>
        got.forEach((v, k) => expect(v).toBeCloseTo(want[k] ?? NaN, 5));
      expectClose(await values(yes), [Math.sin(0.5), Math.sin(-0.25), 2 * Math.cos(0.5), 3 * Math.cos(-0.25)]);
      expectClose(await values(no), [0, 0, Math.exp(0.5), Math.exp(-0.25)]);
    }
  });

  test("vmap: one choice for all, and a choice for each, both with gradients that a NaN of the other branch cannot reach", async () => {
    const g = (p: Tensor, x: Tensor): Tensor =>
      cond(
        p,
        (v: Tensor) => t.log(v),
        (v: Tensor) => t.mul(v, 3),
        x,
      );
    const xs = floats([1, 0, -2]);
    const ps = t.greater(xs, 0);
    expect(await read(vmap(g, { inAxes: [null, 0] })(no, xs))).toEqual([3, 0, -6]);
    expect(await read(vmap(g)(ps, xs))).toEqual([0, 0, -6]);
    expect(await read(vmap(grad(g, { argnums: 1 }))(ps, xs))).toEqual([1, 3, 3]);
    const total = (x: Tensor): Tensor => t.sum(vmap(g)(ps, x));
    expect(await read(grad(total)(xs))).toEqual([1, 3, 3]);
    expect(await read(jit(grad(total))(xs))).toEqual([1, 3, 3]);
    const deeper = vmap(vmap(g, { inAxes: [null, 0] }), { inAxes: [0, null] });
    expect(await read(deeper(t.array([true, false]), floats([1, 1])))).toEqual([
      [0, 0],
      [3, 3],
    ]);
  });

  test("inside a scan, and a scan inside; a choice in a choice", async () => {
    const collatz = (x: Tensor): Tensor =>
      scan(
        (c: Tensor, _: null) => {
          const even = t.equal(t.remainder(c, 2), 0);
          return [
            cond(
              even,
              (v: Tensor) => t.floorDivide(v, 2),
              (v: Tensor) => t.add(t.mul(3, v), 1),
              c,
            ),
            c,
          ];
        },
        x,
        null,
        { length: 5 },
      )[1];
    const seven = t.array(7);
    expect(await read(collatz(seven))).toEqual([7, 22, 11, 34, 17]);
    expect(await read(jit(collatz)(seven))).toEqual([7, 22, 11, 34, 17]);
    const sums = (p: Tensor, x: Tensor): Tensor =>
      cond(
        p,
        (v: Tensor) => scan((c: Tensor, row: Tensor) => [t.add(t.mul(c, 2), row), null], at(1), v)[0],
        (v: Tensor) => t.sum(v),
        x,
      );
    const nested = jit((p: Tensor, q: Tensor, x: Tensor) =>
      cond(
        q,
        (v: Tensor) => sums(p, v),
        (v: Tensor) => t.neg(sums(p, v)),
        x,
      ),
    );
    const x = t.array([1, 2, 3.5]);
    expect(await read([nested(yes, yes, x), nested(no, yes, x), nested(yes, no, x), nested(no, no, x)])).toEqual([
      19.5, 6.5, -19.5, -6.5,
    ]);
    expect(await read([true, false].map((p) => grad((v: Tensor) => sums(t.array(p), v))(x)))).toEqual([
      [4, 2, 1],
      [1, 1, 1],
    ]);
  });
});

describe("switch", () => {
  const branches = [(x: Tensor) => t.neg(x), (x: Tensor) => t.square(x), (x: Tensor) => t.mul(x, 10)];
  const g = (i: Tensor, x: Tensor): Tensor => laxSwitch(i, branches, x);

  test("the index is held between the first and the last branch", async () => {
    const all = [-5, 0, 1, 2, 3].map((i) => t.array(i, { dtype: "int32" }));
    expect(await read(all.map((i) => g(i, at(3))))).toEqual([-3, -3, 9, 30, 30]);
    expect(await read(all.map((i) => jit(g)(i, at(3))))).toEqual([-3, -3, 9, 30, 30]);
    expect(await read(g(t.array(4294967295, { dtype: "uint32" }), at(3)))).toBe(30);
    expect(await read(laxSwitch(7, branches.slice(1, 2), at(3)))).toBe(9);
  });

  test("derivatives and batches", async () => {
    const is = t.array([0, 1, 2, 9], { dtype: "int32" });
    expect(await read(vmap(g, { inAxes: [0, null] })(is, at(3)))).toEqual([-3, 9, 30, 30]);
    expect(await read(jit(vmap(grad(g, { argnums: 1 }), { inAxes: [0, null] }))(is, at(3)))).toEqual([-1, 6, 10, 10]);
    const [out, back] = vjp((x: Tensor) => g(t.array(1, { dtype: "int32" }), x), floats([3, 4]));
    expect(await read([out, back(floats([1, 10]))])).toEqual([[9, 16], [[6, 80]]]);
  });
});

describe("bad input", () => {
  const same = (x: Tensor): Tensor => x;
  // `as`: the types refuse what these tests hand over.
  const choose = (g: unknown, h: unknown) => () => cond(yes, g as typeof same, h as typeof same, at(1));
  const mistakes: readonly (readonly [string, () => unknown, new (...args: never[]) => Error, RegExp])[] = [
    [
      "another tree",
      choose(
        (x: Tensor) => ({ a: x, b: [x, null] }),
        (x: Tensor) => ({ a: x, b: [x, x] }),
      ),
      ArgumentError,
      /trueFun gives \{ a: float32\[\], b: \[float32\[\], null\] \}, falseFun gives \{ a: float32\[\], b: \[float32\[\], float32\[\]\] \}; the first difference at b\.1: nothing and float32\[\]/,
    ],
    [
      "another shape",
      choose((x: Tensor) => t.stack([x, x]), same),
      ShapeError,
      /trueFun gives float32\[2\], falseFun gives float32\[\]/,
    ],
    [
      "another dtype",
      choose(
        (x: Tensor) => [x, t.astype(x, "int32")],
        (x: Tensor) => [x, x],
      ),
      DtypeError,
      /first difference at 1: int32\[\] and float32\[\]; convert one with astype\(\)/,
    ],
    [
      "a predicate that is no scalar",
      () => cond(t.array([true]), same, same, at(1)),
      ShapeError,
      /must be a scalar, received shape \[1\]/,
    ],
    ["a float index", () => laxSwitch(at(1), [same, same], at(1)), DtypeError, /must be an integer, received float32/],
    ["no branches", () => laxSwitch(0, [], at(1)), ArgumentError, /at least one branch/],
  ];
  test.each(mistakes)("%s", (_label, mistake, kind, text) => {
    expect(mistake).toThrow(kind);
    expect(mistake).toThrow(text);
    expect(() => jit(mistake)()).toThrow(text);
  });
});

test("a captured choice prints", () => {
  expect(
    String(
      makeJaxpr((p: Tensor, x: Tensor) =>
        cond(
          p,
          () => t.sin(x),
          () => t.cos(x),
        ),
      )(yes, at(1)),
    ),
  ).toContain("cos");
});

describe("associativeScan", () => {
  const reference = (xs: readonly number[], op: (a: number, b: number) => number): number[] => {
    const out: number[] = [];
    for (const x of xs) out.push(out.length === 0 ? x : op(out.at(-1) ?? NaN, x));
    return out;
  };
  test.each([1, 2, 3, 5, 8, 13])(
    "%i elements, both directions, trees, an operator that does not commute",
    async (n) => {
      const xs = Array.from({ length: n }, (_, k) => 1 + ((k * 7) % 5) / 4);
      const x = t.array(xs);
      expect(await read(associativeScan((a: Tensor, b: Tensor) => t.add(a, b), x))).toEqual(
        reference(xs, (a, b) => a + b),
      );
      const last = reference([...xs].reverse(), (a, b) => Math.max(a, b)).reverse();
      expect(await read(associativeScan((a: Tensor, b: Tensor) => t.maximum(a, b), x, { reverse: true }))).toEqual(
        last,
      );
      // Composition of x ↦ a·x + b: the linear recurrence of state space models.
      const compose = (
        [a, b]: readonly [Tensor, Tensor],
        [c, d]: readonly [Tensor, Tensor],
      ): readonly [Tensor, Tensor] => [t.mul(a, c), t.add(t.mul(c, b), d)];
      const g = (a: Tensor): Tensor => associativeScan(compose, [a, a], { axis: -1 })[1];
      const want = xs.reduce<number[]>((out, v) => [...out, v * (out.at(-1) ?? 0) + v], []);
      for (const values of [await g(x).data(), await jit(g)(x).data()])
        values.forEach((v, k) => expect(v / (want[k] ?? NaN)).toBeCloseTo(1, 5));
    },
  );

  test("its gradient is that of the sum", async () => {
    const g = (x: Tensor): Tensor =>
      t.sum(
        t.mul(
          associativeScan((a: Tensor, b: Tensor) => t.mul(a, b), x),
          floats([1, 10, 100]),
        ),
      );
    expect(await read(grad(g)(floats([2, 3, 0])))).toEqual([31, 20, 600]);
  });

  test("what it refuses", () => {
    const add = (a: Tensor, b: Tensor): Tensor => t.add(a, b);
    expect(() => associativeScan(add, t.ones([2]), { axis: 1 })).toThrow(ShapeError);
    expect(() => associativeScan(() => t.ones([7]), t.ones([4]))).toThrow(
      /f must keep shapes, received \[7\] for \[2\]/,
    );
    expect(() => associativeScan((a: readonly Tensor[]) => a, [t.ones([3]), t.ones([4])])).toThrow(
      /one length along axis 0/,
    );
  });
});

describe("lax.select, lax.selectN", () => {
  test("values, scalars as the choice, and gradients of the side taken", async () => {
    const [a, b, c] = [floats([1, 2, 3]), floats([-1, -2, -3]), floats([10, 20, 30])];
    expect(await read(t.laxSelect(t.array([true, false, true]), a, b))).toEqual([1, -2, 3]);
    expect(await read([t.laxSelect(yes, a, b), t.laxSelect(no, a, b)])).toEqual([
      [1, 2, 3],
      [-1, -2, -3],
    ]);
    expect(await read(t.selectN(t.array([-1, 1, 7]), a, b, c))).toEqual([1, -2, 30]);
    expect(await read(t.selectN(t.array([true, false, true]), a, b))).toEqual([-1, 2, -3]);
    const g = grad((x: Tensor) => t.sum(t.selectN(t.array([0, 1, 2]), x, t.mul(x, 5), t.mul(x, 7))));
    expect(await read(g(a))).toEqual([1, 5, 7]);
  });

  test("what they refuse", () => {
    const x = t.ones([2]);
    expect(() => t.laxSelect(x, x, x)).toThrow(DtypeError);
    expect(() => t.selectN(x, x, x)).toThrow(DtypeError);
    expect(() => t.selectN(t.array([true, false]), x, x, x)).toThrow(/among two cases, received 3/);
    expect(() => t.selectN(yes)).toThrow(ArgumentError);
    expect(() => t.laxSelect(yes, x, t.ones([3]))).toThrow(ShapeError);
    expect(() => t.laxSelect(yes, x, t.array([1, 2], { dtype: "int32" }))).toThrow(DtypeError);
    expect(() => t.laxSelect(t.array([true, false, true]), x, x)).toThrow(
      /must be a scalar or of the cases' shape \[2\]/,
    );
  });
});
