import { grad, hessian, jacfwd, jacrev, jvp, linearize, linearTranspose, vjp, vmap } from "@jnx/autodiff";
import { jit, ShapeDtypeStruct } from "@jnx/compile";
import * as t from "@jnx/tensor";
import type { Tensor } from "@jnx/tensor";
import { ArgumentError, DtypeError, memory, ShapeError } from "@jnx/tensor";
import { useDevice } from "@jnx/testing";
import { describe, expect, test } from "vitest";
import { collect } from "../memory/collect.ts";

useDevice();

const at = (value: number): Tensor => t.array(value, { dtype: "float32" });
/** The derivative of a function of a scalar, forwards and backwards. */
const forward = (f: (x: Tensor) => Tensor) => (x: Tensor) => jvp(f, [x], [at(1)])[1];
const backward = (f: (x: Tensor) => Tensor) => grad(f);

async function read(value: unknown): Promise<unknown> {
  const [leaves, def] = t.tree.flatten(value);
  const lists = await Promise.all(leaves.map((leaf) => (leaf instanceof t.Tensor ? leaf.toArray() : leaf)));
  return t.tree.unflatten(def, lists);
}

describe("jvp", () => {
  test("value and tangent, over trees; arguments that share a leaf are apart", async () => {
    const f = (p: { w: Tensor; b: Tensor }, x: Tensor): { y: Tensor } => ({ y: t.add(t.mul(p.w, x), p.b) });
    const w = t.array([2, 3.5]);
    const out = jvp(f, [{ w, b: w }, w], [{ w: t.array([1, 0.5]), b: t.array([10, 20.5]) }, t.array([100, 0.25])]);
    expect(await read(out)).toEqual([{ y: [6, 15.75] }, { y: [1 * 2 + 10 + 100 * 2, 0.5 * 3.5 + 20.5 + 0.25 * 3.5] }]);
  });

  test("hasAux hands the aux out, undifferentiated", async () => {
    const [y, dy, aux] = jvp((x: Tensor) => [t.square(x), { x, name: "n" }] as const, [at(3)], [at(2)], {
      hasAux: true,
    });
    expect([await y.item(), await dy.item(), await aux.x.item(), aux.name]).toEqual([9, 12, 3, "n"]);
  });

  test("integers on the way, stopGradient and constants have no tangent", async () => {
    const f = (x: Tensor): Tensor => t.add(t.mul(t.stopGradient(x), x), t.astype(t.astype(x, "int32"), "float32"));
    expect(await forward(f)(at(2.5)).item()).toBe(2.5);
    expect(await forward(() => t.array(1.5))(at(2)).item()).toBe(0);
  });

  test("of a composition that cleans up after itself", async () => {
    // softmax gives its temporaries back when it returns: the tangents must outlive it.
    const x = t.array([0.5, 1, -1]);
    const moves = [1, 0.5, 2];
    const v = t.array(moves);
    const p = [0.5, 1, -1].map(Math.exp).map((e, _k, all) => e / all.reduce((a, b) => a + b));
    const mean = p.reduce((sum, weight, k) => sum + weight * (moves[k] ?? NaN), 0);
    const want = moves.map((d, k) => (p[k] ?? NaN) * (d - mean));
    const [, tangent] = jvp((y: Tensor) => t.mul(t.softmax(y), 1), [x], [v]);
    (await tangent.data()).forEach((d, k) => expect(d).toBeCloseTo(want[k] ?? NaN, 6));
  });

  test("under jit, and of a jitted function", async () => {
    const f = (x: Tensor): Tensor => t.sum(t.tanh(t.mul(x, x)));
    const [x, v] = [t.array([0.5, 1.5]), t.array(Float32Array.of(1, 2))];
    const want = [0.5, 1.5].reduce((sum, a, k) => sum + (1 - Math.tanh(a * a) ** 2) * 2 * a * (k + 1), 0);
    const inside = jit((a: Tensor, b: Tensor) => jvp(f, [a], [b]))(x, v);
    const outside = jvp(jit(f), [x], [v]);
    for (const [, tangent] of [inside, outside]) expect(await tangent.item()).toBeCloseTo(want, 5);
  });
});

describe("levels are not confused", () => {
  // d/dx (x · d/dy (x + y)) = 1, where a tag forgotten gives 2.
  for (const [outerName, outer] of [["jvp", forward] as const, ["grad", backward] as const])
    for (const [innerName, inner] of [["jvp", forward] as const, ["grad", backward] as const]) {
      test(`${outerName} of a function that takes ${innerName} and closes over the outer variable`, async () => {
        const slope = outer((x) => t.mul(x, inner((y) => t.add(x, y))(at(1))));
        expect(await slope(at(3)).item()).toBe(1);
        // d/dx (x · d/dy (x·y)) at y = x: x·x, so 2x; the inner variable is a new one though it has x's value.
        const product = outer((x) => t.mul(x, inner((y) => t.mul(x, y))(x)));
        expect(await product(at(3)).item()).toBe(6);
      });

      test(`${outerName} of ${innerName} is the second derivative`, async () => {
        const cube = (x: Tensor): Tensor => t.mul(x, t.mul(x, x));
        expect(await outer(inner(cube))(at(2)).item()).toBe(12);
        expect(await jit(outer(inner(cube)))(at(2)).item()).toBe(12);
        expect(await outer(inner(outer(cube)))(at(2)).item()).toBe(6);
        expect(await read(vmap(outer(inner(cube)))(t.array([1, 2, 0.5])))).toEqual([6, 12, 3]);
      });
    }

  test("ops with rules of their own: a Hessian-vector product both ways", async () => {
    const f = (x: Tensor): Tensor =>
      t.logsumexp(
        t.matmul(
          t.reshape(x, [2, 2]),
          t.array([
            [1, 2.5],
            [-1, 0.5],
          ]),
        ),
      );
    const x = t.array([0.5, -0.25, 1, 2]);
    const v = t.array([1, -1, 0.5, 2]);
    const overReverse = jvp(grad(f), [x], [v])[1];
    const overForward = grad((y: Tensor) => jvp(f, [y], [v])[1])(x);
    const [one, other] = [await overReverse.data(), await overForward.data()];
    one.forEach((a, k) => expect(a).toBeCloseTo(other[k] ?? NaN, 5));
    // Against differences of the gradient.
    const h = 1 / 128;
    const shifted = async (size: number) => grad(f)(t.add(x, t.mul(v, size))).data();
    const [above, below] = [await shifted(h), await shifted(-h)];
    one.forEach((a, k) => expect(a).toBeCloseTo(((above[k] ?? NaN) - (below[k] ?? NaN)) / (2 * h), 2));
  });
});

describe("linearize, linearTranspose", () => {
  test("one evaluation of f, many of its derivative", async () => {
    let calls = 0;
    const f = (x: Tensor, y: Tensor): Tensor[] => {
      calls++;
      return [t.mul(x, y), t.sum(t.sin(x)), t.greater(x, 0)];
    };
    const [out, push] = linearize(f, t.array([1.5, 2.5]), t.array([3, 4.5]));
    expect(await read(out.slice(0, 1))).toEqual([[4.5, 11.25]]);
    const [first, slope, none] = push(t.array([1, 0.5]), t.array([2, 0.5]));
    expect(await read([first, none])).toEqual([
      [3 + 3, 0.5 * 4.5 + 0.5 * 2.5],
      [0, 0],
    ]);
    expect(await slope?.item()).toBeCloseTo(Math.cos(1.5) + 0.5 * Math.cos(2.5), 5);
    const again = push(t.array([0, 0.5]), t.array([0, 0.5]))[0];
    expect(await again?.toArray()).toEqual([0, 3.5]);
    expect(calls).toBe(1);
  });

  test("the transpose of a linear function", async () => {
    const m = t.array([
      [1, 2, 3],
      [4, 5, 6.5],
    ]);
    const back = linearTranspose((x: { v: Tensor }) => t.matmul(m, x.v), { v: t.zeros([3]) });
    expect(await read(back(t.array(Float32Array.of(1, 10))))).toEqual([{ v: [41, 52, 68] }]);
  });
});

describe("jacfwd, jacrev, hessian", () => {
  const f = (x: Tensor): Tensor => t.array([x, x].map(() => 0)) && t.mul(t.sum(x), t.laxSlice(t.square(x), [0], [2]));

  test("both ways agree with the derivatives written out", async () => {
    const x = t.array([1, 2, 3.5]);
    const s = 6.5;
    const want = [
      [1 + s * 2, 1, 1],
      [4, 4 + s * 4, 4],
    ];
    expect(await jacfwd(f)(x).toArray()).toEqual(want);
    expect(await jacrev(f)(x).toArray()).toEqual(want);
    expect(await jit(jacfwd(f))(x).toArray()).toEqual(want);
    expect(await jit(jacrev(f))(x).toArray()).toEqual(want);
  });

  test("trees in, trees out, several arguments, axes of outputs before those of arguments", async () => {
    const g = (p: { a: Tensor }, m: Tensor): { y: Tensor; z: Tensor } => ({ y: t.mul(p.a, m), z: t.sum(m) });
    const [p, m] = [
      { a: t.array(2.5) },
      t.array([
        [1, 2],
        [3, 4.5],
      ]),
    ];
    for (const jacobian of [jacfwd(g, { argnums: [0, 1] }), jacrev(g, { argnums: [0, 1] })]) {
      const { y, z } = jacobian(p, m) as unknown as Record<"y" | "z", [{ a: Tensor }, Tensor]>; // a list of both
      expect([y[0].a.shape, y[1].shape, z[0].a.shape, z[1].shape]).toEqual([[2, 2], [2, 2, 2, 2], [], [2, 2]]);
      expect(await read([y[0].a, z])).toEqual([
        [
          [1, 2],
          [3, 4.5],
        ],
        [
          { a: 0 },
          [
            [1, 1],
            [1, 1],
          ],
        ],
      ]);
      expect(await t.sum(y[1]).item()).toBe(10);
    }
    const one = jacrev(g, { argnums: 1 })(p, m);
    expect([one.y.shape, one.z.shape]).toEqual([
      [2, 2, 2, 2],
      [2, 2],
    ]);
  });

  test("the Hessian of Rosenbrock's function", async () => {
    const rosenbrock = (x: Tensor): Tensor => {
      const [a, b] = [t.laxSlice(x, [0], [1]), t.laxSlice(x, [1], [2])];
      return t.sum(t.add(t.square(t.sub(1, a)), t.mul(100, t.square(t.sub(b, t.square(a))))));
    };
    expect(await hessian(rosenbrock)(t.array([1.5, 2])).toArray()).toEqual([
      [2 - 400 * 2 + 1200 * 2.25, -600],
      [-600, 200],
    ]);
  });
});

describe("memory", () => {
  test("live bytes stay where they were", async () => {
    const f = (x: Tensor): Tensor => t.sum(t.softmax(t.matmul(x, x)));
    const x = t.array([
      [1, 2],
      [3, 4.5],
    ]);
    const work = async (): Promise<void> => {
      const [y, dy] = jvp(f, [x], [t.ones([2, 2])]);
      using h = hessian(f)(x);
      await y.item();
      await dy.item();
      await h.data();
    };
    await work();
    await collect();
    const before = memory().live;
    for (let k = 0; k < 5; k++) await work();
    expect(memory().live).toBe(before);
  });
});

describe("bad input", () => {
  const f = (x: Tensor): Tensor => t.sum(x);
  const mistakes: readonly (readonly [string, () => unknown, new (...args: never[]) => Error, RegExp])[] = [
    [
      "trees that differ",
      () => jvp((p: Tensor[]) => f(p[0] ?? at(0)), [[at(1)]], [[at(1), at(2)]]),
      ArgumentError,
      /the primals are \[\[float32\[\]\]\], the tangents \[\[float32\[\], float32\[\]\]\]; the first difference at 0\.1: nothing and float32/,
    ],
    [
      "a tangent of another shape",
      () => jvp(f, [t.ones([2])], [t.ones([3])]),
      ShapeError,
      /tangent has shape \[3\], its primal \[2\]/,
    ],
    [
      "an integer primal",
      () => jvp(f, [t.array([1, 2])], [t.ones([2])]),
      DtypeError,
      /a primal is int32, which has no direction to move in; give zeros/,
    ],
    [
      "an integer tangent",
      () => jvp(f, [t.ones([2])], [t.array([1, 2])]),
      DtypeError,
      /tangent is int32, its primal float32/,
    ],
    [
      "no lists",
      // arguments that the types refuse, so cast with `as`
      () => jvp(f, t.ones([2]) as never, t.ones([2]) as never),
      ArgumentError,
      /lists with one entry for each/,
    ],
    [
      "an integer to move from",
      () => linearize(f, t.array([1, 2]))[1](t.array([1, 2])),
      DtypeError,
      /linearize: a primal is int32/,
    ],
    [
      "a function that is not linear",
      () => linearTranspose((x: Tensor) => t.mul(x, t.maximum(x, 0)), t.ones([2]))(t.ones([2])),
      ArgumentError,
      /linearTranspose: the function is not linear/,
    ],
    [
      "a cotangent of another shape",
      () => linearTranspose(f, t.ones([2]))(t.ones([2])),
      ShapeError,
      /cotangent has shape \[2\]/,
    ],
    ["an integer for a Jacobian", () => jacfwd(f)(t.array([1, 2])), DtypeError, /jacfwd: .*an array is int32/],
    ["an argument that is not there", () => jacrev(f, { argnums: 1 })(t.ones([2])), ArgumentError, /argnum 1/],
  ];
  test.each(mistakes)("%s", (_label, mistake, kind, text) => {
    expect(mistake).toThrow(kind);
    expect(mistake).toThrow(text);
  });

  test("a primal that is not float stays where it is", async () => {
    const n = t.array([2, 3]);
    const [y, dy] = jvp(
      (x: Tensor, n: Tensor) => t.mul(x, n),
      [t.array([0.5, 1]), n],
      [t.array([1, 1.5]), t.zerosLike(n)],
    );
    expect([await y.toArray(), await dy.toArray()]).toEqual([
      [1, 3],
      [2, 4.5],
    ]);
  });

  test("linearTranspose of shapes alone, of views and sums, for two arguments", async () => {
    const back = linearTranspose(
      (x: Tensor, y: Tensor) => t.sub(t.add(t.mul(x, 2), t.cumsum(y)), t.flip(x)),
      new ShapeDtypeStruct([3], "float32") as unknown as Tensor, // a description will do
      t.ones([3]),
    );
    const [dx, dy] = back(t.array([1.5, 2, 4]));
    // As jax.linear_transpose gives them.
    expect([await dx.toArray(), await dy.toArray()]).toEqual([
      [-1, 2, 6.5],
      [7.5, 6, 4],
    ]);
  });

  test("Jacobians and a Hessian hand out an aux", async () => {
    const f = (x: Tensor): [Tensor, Tensor] => [t.square(x), t.sum(x)];
    const x = t.array([1.5, 2]);
    for (const jacobian of [jacfwd, jacrev]) {
      const [j, aux] = jacobian(f, { hasAux: true })(x);
      expect([await j.toArray(), await aux.item()]).toEqual([
        [
          [3, 0],
          [0, 4],
        ],
        3.5,
      ]);
    }
    const [h, aux] = hessian((x: Tensor): [Tensor, Tensor] => [t.sum(t.square(x)), t.sum(x)], { hasAux: true })(x);
    expect([await h.toArray(), await aux.item()]).toEqual([
      [
        [2, 0],
        [0, 2],
      ],
      3.5,
    ]);
  });

  test("a pullback in a forward level, called later", async () => {
    const [, push] = linearize((x: Tensor) => vjp(t.square, x)[1](at(1))[0] ?? at(0), at(3));
    expect(await push(at(1)).item()).toBe(2);
  });
});
