import { customVjp, grad, jvp, vmap } from "@jnx/autodiff";
import { foriLoop, jit, laxMap, scan } from "@jnx/compile";
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
const total = (carry: Tensor, x: Tensor): [Tensor, Tensor] => [t.add(carry, x), t.mul(carry, x)];

describe("scan", () => {
  test("carries and stacks, forwards and in reverse, eager and under jit", async () => {
    const xs = t.array([1, 2, 3.5]);
    const run = (x: Tensor): unknown => [scan(total, at(10), x), scan(total, at(10), x, { reverse: true })];
    const want = [
      [16.5, [10, 22, 45.5]],
      [16.5, [15.5, 27, 35]],
    ];
    expect(await read(run(xs))).toEqual(want);
    expect(await read(jit(run)(xs))).toEqual(want);
    expect(await read(scan(total, at(10), xs, { unroll: true }))).toEqual(want[0]);
  });

  test("trees, values closed over, no xs, no ys, no steps", async () => {
    const scale = t.array([2, 0.5]);
    const f = (c: { v: Tensor; n: Tensor }, x: { a: Tensor }): [typeof c, { y: Tensor; same: Tensor }] => [
      { v: t.add(t.mul(c.v, scale), x.a), n: t.add(c.n, 1) },
      { y: c.v, same: x.a },
    ];
    const run = (a: Tensor): unknown => scan(f, { v: t.array([1.5, 1]), n: t.array(0) }, { a });
    const a = t.array([
      [1, 2],
      [3, 4.5],
    ]);
    const want = [
      { v: [11, 5.75], n: 2 },
      {
        y: [
          [1.5, 1],
          [4, 2.5],
        ],
        same: [
          [1, 2],
          [3, 4.5],
        ],
      },
    ];
    expect(await read(run(a))).toEqual(want);
    expect(await read(jit(run)(a))).toEqual(want);
    expect(await read(scan((c: Tensor) => [t.mul(c, 2), null], at(1.5), null, { length: 4 }))).toEqual([24, null]);
    const [carry, ys] = scan(total, at(3), t.zeros([0]));
    expect([await carry.item(), ys.shape]).toEqual([3, [0]]);
  });

  test("a JavaScript number as the first carry takes the type of the body", async () => {
    const [carry] = scan((c: Tensor, x: Tensor) => [t.add(c, x), null], 0 as unknown as Tensor, t.array([0.5, 1])); // as lax.scan
    expect([carry.dtype, await carry.item()]).toEqual(["float32", 1.5]);
  });

  test("before, between and after other work of a compiled function", async () => {
    const run = jit((x: Tensor) => {
      const [a, ys] = scan(total, t.sum(t.square(x)), t.exp(x));
      const [b] = scan(total, t.mul(a, 0), t.mul(ys, 0.5));
      return t.add(t.sum(ys), t.mul(b, a));
    });
    const rows = [0.5, 0, -1].map(Math.exp);
    let c = 1.25;
    const ys = rows.map((x) => {
      const y = c * x;
      c += x;
      return y;
    });
    const sum = ys.reduce((p, q) => p + q);
    expect(await run(t.array([0.5, 0, -1])).item()).toBeCloseTo(sum + (sum / 2) * c, 4);
  });

  test("a loop in a loop", async () => {
    const run = (x: Tensor): Tensor =>
      scan(
        (c: Tensor, row: Tensor) => {
          const [inner] = scan((d: Tensor, v: Tensor) => [t.add(t.mul(d, 0.5), v), null], c, row);
          return [inner, null];
        },
        at(1),
        x,
      )[0];
    const x = t.array([
      [1, 2],
      [3, 4.5],
    ]);
    const want = (((1 * 0.5 + 1) * 0.5 + 2) * 0.5 + 3) * 0.5 + 4.5;
    expect(await run(x).item()).toBe(want);
    expect(await jit(run)(x).item()).toBe(want);
    expect(await grad(run)(x).toArray()).toEqual([
      [0.125, 0.25],
      [0.5, 1],
    ]);
  });
});

describe("derivatives and batches of a loop are those of its steps written out", () => {
  const [w, xs, h] = [
    t.array([
      [0.5, -0.25],
      [0.75, 0.3],
    ]),
    t.array([
      [1, 0.5],
      [-1, 2],
      [0.3, 0.1],
      [2, -0.7],
    ]),
    t.array([0.1, -0.2]),
  ];
  const rnn =
    (unroll: boolean, reverse = false) =>
    (weights: Tensor, rows: Tensor, start: Tensor): Tensor => {
      const cell = (c: Tensor, x: Tensor): [Tensor, Tensor] => {
        const next = t.tanh(t.add(t.matmul(c, weights), x));
        return [next, t.mul(next, x)];
      };
      const [last, ys] = scan(cell, start, rows, { unroll, reverse });
      return t.add(t.sum(t.square(last)), t.sum(t.sin(ys)));
    };
  const close = async (got: readonly Tensor[], want: readonly Tensor[]): Promise<void> => {
    expect(got.length).toBe(want.length);
    for (const [k, tensor] of got.entries()) {
      const expected = (await want[k]?.data()) ?? [];
      expect(tensor.shape).toEqual(want[k]?.shape);
      (await tensor.data()).forEach((value, i) => expect(value).toBeCloseTo(expected[i] ?? NaN, 4));
    }
  };
  const both = { argnums: [0, 1, 2] };

  test.each([false, true])("grad, eager and jitted; reverse %s", async (reverse) => {
    const want = grad(rnn(true, reverse), both)(w, xs, h);
    await close(grad(rnn(false, reverse), both)(w, xs, h), want);
    await close(jit(grad(rnn(false, reverse), both))(w, xs, h), want);
  });

  test("jvp, and second derivatives both ways", async () => {
    const f = rnn(false);
    const v = t.array([
      [1, 0.5],
      [-0.5, 0.25],
    ]);
    const along = (g: typeof f) => (m: Tensor) => g(m, xs, h);
    await close([...jvp(along(f), [w], [v])], [...jvp(along(rnn(true)), [w], [v])]);
    const want = [jvp(grad(along(rnn(true))), [w], [v])[1]];
    await close([jvp(grad(along(f)), [w], [v])[1]], want);
    await close([grad((m: Tensor) => t.sum(t.mul(v, grad(along(f))(m))))(w)], want);
    await close([jit((m: Tensor) => jvp(grad(along(f)), [m], [v])[1])(w)], want);
  });

  test("vmap over rows, over the carry alone, over weights; and of the gradient", async () => {
    const batch = t.array([
      [0.1, -0.2],
      [0.5, 0.75],
      [1, -1],
    ]);
    const many = t.stack([xs, t.mul(xs, 0.5), t.neg(xs)]);
    const ws = t.stack([w, t.mul(w, 0.5), t.transpose(w)]);
    for (const [inAxes, args] of [
      [
        [null, null, 0],
        [w, xs, batch],
      ],
      [
        [null, 0, null],
        [w, many, h],
      ],
      [
        [0, null, null],
        [ws, xs, h],
      ],
      [
        [0, 0, 0],
        [ws, many, batch],
      ],
    ] as const) {
      await close([vmap(rnn(false), { inAxes })(...args)], [vmap(rnn(true), { inAxes })(...args)]);
      const slopes = (unroll: boolean) => vmap(grad(rnn(unroll), both), { inAxes })(...args);
      await close(slopes(false), slopes(true));
      const outer = (unroll: boolean) => grad((m: Tensor) => t.sum(vmap((x: Tensor) => rnn(unroll)(m, x, h))(many)))(w);
      await close([outer(false)], [outer(true)]);
    }
  });

  test("integer carries have no derivative, and functions keep rules of their own", async () => {
    const rule = customVjp((x: Tensor) => t.mul(x, 2)).defvjp(
      (x: Tensor) => [t.mul(x, 2), null],
      (_residuals: null, ct: Tensor) => [t.mul(ct, 10)],
    );
    const f = (x: Tensor): Tensor => {
      const step = ({ c, i }: { c: Tensor; i: Tensor }, v: Tensor): [{ c: Tensor; i: Tensor }, null] => [
        { c: t.add(c, t.mul(rule(v), t.astype(i, "float32"))), i: t.add(i, 1) },
        null,
      ];
      return scan(step, { c: at(0), i: t.array(1) }, x)[0].c;
    };
    expect(await f(t.array([0.5, 1, 2])).item()).toBe(17);
    expect(await grad(f)(t.array([0.5, 1, 2])).toArray()).toEqual([10, 20, 30]);
    expect(await jit(grad(f))(t.array([0.5, 1, 2])).toArray()).toEqual([10, 20, 30]);
  });
});

describe("laxMap, foriLoop", () => {
  test("their values and derivatives", async () => {
    expect(
      await laxMap(
        (x: Tensor) => t.sum(t.square(x)),
        t.array([
          [1, 2],
          [3, 0.5],
        ]),
      ).toArray(),
    ).toEqual([5, 9.25]);
    const power = (x: Tensor): Tensor => foriLoop(0, 3, (_i: Tensor, v: Tensor) => t.mul(v, x), at(1));
    expect([await power(at(2)).item(), await grad(power)(at(2)).item(), await grad(grad(power))(at(2)).item()]).toEqual(
      [8, 12, 12],
    );
    expect(await foriLoop(3, 1, (_i: Tensor, v: Tensor) => t.mul(v, 5), at(2)).item()).toBe(2);
    const indices = foriLoop(2, 5, (i: Tensor, v: Tensor) => t.add(t.mul(v, 10), i), t.array(0));
    expect(await indices.item()).toBe(234);
  });

  test("bounds on the device: a loop that ends there, with forward mode alone", async () => {
    const power =
      (n: Tensor) =>
      (x: Tensor): Tensor =>
        foriLoop(1, n, (i: Tensor, v: Tensor) => t.mul(v, t.mul(x, i)), at(1), { maxIterations: 8 });
    const counts = [1, 3, 4].map((n) => t.array(n));
    for (const f of [(n: Tensor) => power(n)(at(2)), jit((n: Tensor) => power(n)(at(2)))])
      expect(await read(counts.map(f))).toEqual([1, 8, 48]);
    expect(await read(jvp(power(t.array(4)), [at(2)], [at(1)]))).toEqual([48, 72]);
    expect(() => grad(power(t.array(4)))(at(2))).toThrow(/foriLoop: .* cannot be differentiated in reverse/);
    expect(await read(vmap((n: Tensor) => power(n)(at(2)))(t.array([1, 3, 4])))).toEqual([1, 8, 48]);
    await expect(power(t.array(99))(at(2)).item()).rejects.toThrow(/still held after 8 iterations/);
  });
});

describe("cost", () => {
  const long = (n: number) => (w: Tensor, xs: Tensor) =>
    scan((h: Tensor, x: Tensor) => [t.tanh(t.add(t.mul(h, w), x)), null], t.zeros([4]), xs, { length: n })[0];

  test("a thousand steps are traced and compiled as one is", async () => {
    let calls = 0;
    const f = jit(
      (w: Tensor, xs: Tensor) =>
        scan(
          (h: Tensor, x: Tensor) => {
            calls++;
            return [t.tanh(t.add(t.mul(h, w), x)), null];
          },
          t.zeros([4]),
          xs,
        )[0],
    );
    const last = await f(at(0.5), t.ones([1000, 4])).data();
    // The fixed point of h = tanh(h/2 + 1).
    let h = 0;
    for (let k = 0; k < 1000; k++) h = Math.tanh(h / 2 + 1);
    last.forEach((value) => expect(value).toBeCloseTo(h, 5));
    expect(calls).toBe(1);
    const lines = (n: number): number => f.explain(at(0.5), t.ones([n, 4])).graph.split("\n").length;
    expect(lines(1000)).toBe(lines(10));
  });

  test("ten steps and a thousand have the same pipelines; explain counts the dispatches there are", async () => {
    const f = jit((w: Tensor, xs: Tensor) => grad((v: Tensor) => t.sum(long(xs.shape[0] ?? 0)(v, xs)))(w));
    const [ten, thousand] = [10, 1000].map((n) => f.explain(at(0.5), t.ones([n, 4])));
    expect(thousand?.pipelines).toBe(ten?.pipelines);
    await f(at(0.5), t.ones([10, 4])).data();
    const before = executor().counters();
    await f(at(0.5), t.ones([1000, 4])).data();
    const { dispatches, pipelines } = executor().counters();
    expect(pipelines - before.pipelines).toBe(0);
    expect(dispatches - before.dispatches).toBe(thousand?.dispatches);
    const perStep = ((thousand?.dispatches ?? 0) - (ten?.dispatches ?? 0)) / 990;
    // The way there and the way back: a few kernels each, whatever the number of steps.
    expect([Number.isInteger(perStep), perStep <= 6]).toEqual([true, true]);
  });

  test("live bytes stay where they were", async () => {
    const slope = grad((w: Tensor, xs: Tensor) => t.sum(long(20)(w, xs)));
    const xs = t.ones([20, 4]);
    const work = async (): Promise<void> => {
      using g = slope(at(0.5), xs);
      await g.item();
    };
    await work();
    await collect();
    const before = memory().live;
    for (let k = 0; k < 3; k++) await work();
    expect(memory().live).toBe(before);
  });
});

describe("bad input", () => {
  const xs = t.array([1, 2.5]);
  const step = (result: (c: Tensor) => unknown) => () =>
    scan((c: Tensor) => [result(c), null] as [Tensor, null], at(1), null, { length: 2 }); // `as`: whatever it gives
  const mistakes: readonly (readonly [string, () => unknown, new (...args: never[]) => Error, RegExp])[] = [
    [
      "a carry of another shape",
      step((c) => t.stack([c, c])),
      ShapeError,
      /the carry must keep its tree, shapes .* the function gives float32\[2\]; the first difference: float32\[\] and float32\[2\]/,
    ],
    [
      "a carry of another dtype",
      step((c) => t.astype(c, "int32")),
      DtypeError,
      /float32\[\] and int32\[\]; convert one/,
    ],
    [
      "a carry of another tree",
      step((c) => [c, c]),
      ArgumentError,
      /the start gives float32\[\], the function gives \[float32\[\], float32\[\]\]; the first difference/,
    ],
    [
      "rows of two numbers",
      // `as`: the types refuse it, or know it too closely
      () => scan((c: Tensor) => [c, null], at(1), [xs, t.ones([3])] as unknown),
      ShapeError,
      /one number of rows, received 2, 3/,
    ],
    [
      "a length that differs",
      // `as`: the types refuse it, or know it too closely
      () => scan((c: Tensor) => [c, null], at(1), xs as unknown, { length: 3 }),
      ShapeError,
      /received 2; length is 3/,
    ],
    // `as`: the types refuse it, or know it too closely
    ["a scalar among xs", () => scan((c: Tensor) => [c, null], at(1), at(1) as unknown), ShapeError, /has no rows/],
    [
      "nothing to count by",
      () => scan((c: Tensor) => [c, null], at(1), null),
      ArgumentError,
      /say how many steps with \{ length \}/,
    ],
    // `as`: the types refuse it, or know it too closely
    ["no pair", () => scan(((c: Tensor) => c) as never, at(1), xs), ArgumentError, /must return \[carry, y\]/],
    [
      "a value that foriLoop's body changes",
      () => foriLoop(0, 2, (_i, v: Tensor) => t.stack([v, v]), at(1)),
      ShapeError,
      /^foriLoop: the value must keep its tree, shapes and dtypes on the way/,
    ],
    ["rows for map that are none", () => laxMap((v: Tensor) => v, at(1)), ShapeError, /^map: xs has a scalar/],
    [
      "a bound that is no whole number",
      () => foriLoop(0, 1.5, (_i, v: Tensor) => v, at(1)),
      ArgumentError,
      /whole numbers/,
    ],
    [
      "a bound that is a float array",
      () => foriLoop(0, at(3), (_i, v: Tensor) => v, at(1)),
      DtypeError,
      /must be integers of one dtype, received int32 and float32/,
    ],
    [
      "a bound that is no scalar",
      () => foriLoop(t.array([1]), 3, (_i, v: Tensor) => v, at(1)),
      ShapeError,
      /must be scalars, received shape \[1\]/,
    ],
  ];
  test.each(mistakes)("%s", (_label, mistake, kind, text) => {
    expect(mistake).toThrow(kind);
    expect(mistake).toThrow(text);
  });
});
