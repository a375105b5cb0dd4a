import { grad, linearize, valueAndGrad, vjp, vmap } from "@jnx/autodiff";
import { jit } from "@jnx/compile";
import * as t from "@jnx/tensor";
import type { Tensor } from "@jnx/tensor";
import { ArgumentError, DtypeError, ShapeError } from "@jnx/tensor";
import { currentFrame, insideArena } from "@jnx/tensor/internal";
import { useDevice } from "@jnx/testing";
import { describe, expect, test } from "vitest";

useDevice();

const FLOAT = { dtype: "float32" } as const;
const x = (): Tensor => t.array([1, 2, 3], FLOAT);
const cube = (v: Tensor): Tensor => t.sum(t.mul(v, t.mul(v, v)));

describe("grad, valueAndGrad", () => {
  test("the gradient has the argument's tree: objects, arrays, Maps, null", async () => {
    const tree = { b: [x(), null], a: new Map([["w", x()]]), n: null };
    const f = (p: typeof tree): Tensor => t.add(cube(p.b[0] ?? t.zeros([])), t.sum(t.mul(p.a.get("w") ?? 0, 2)));
    const g = grad(f)(tree);
    expect(Object.keys(g).sort()).toEqual(["a", "b", "n"]);
    expect([g.n, g.b[1]]).toEqual([null, null]);
    expect(await g.b[0]?.toArray()).toEqual([3, 12, 27]);
    expect(await g.a.get("w")?.toArray()).toEqual([2, 2, 2]);
  });

  test("what split cut is joined in one piece; parts without a gradient stay zero, derivatives of any order and batches hold", async () => {
    const all = (v: Tensor): Tensor => {
      const [a, b, c] = t.split(v, 3, { axis: -1 });
      return t.sum(t.mul(a ?? v, t.mul(b ?? v, t.square(c ?? v))));
    };
    const { graph } = jit(grad(all)).explain(t.zeros([2, 6]));
    expect([graph.includes("concatenate"), graph.includes("pad")]).toEqual([true, false]);
    expect(await grad(all)(t.array([1, 2, 3], FLOAT)).toArray()).toEqual([18, 9, 12]);
    const curvature = (v: Tensor): Tensor => t.sum(grad(all)(v));
    expect(await grad(curvature)(t.array([1, 2, 3], FLOAT)).toArray()).toEqual([21, 15, 22]);
    const rows = t.array(
      [
        [1, 2, 3],
        [2, 1, 1],
      ],
      FLOAT,
    );
    const expected = [
      [18, 9, 12],
      [1, 2, 4],
    ];
    expect(await vmap(grad(all))(rows).toArray()).toEqual(expected);
    expect(await grad((v: Tensor) => t.sum(vmap(all)(v)))(rows).toArray()).toEqual(expected);
    const two = (v: Tensor): Tensor => {
      const [a, , c] = t.split(v, [1, 3]);
      return t.sum(t.mul(t.square(a ?? v), t.sum(c ?? v)));
    };
    expect(await grad(two)(t.array([3, 1, 1, 4, 5], FLOAT)).toArray()).toEqual([54, 0, 0, 9, 9]);
  });

  test("argnums: one, negative, several; a list of one gives a list", async () => {
    const f = (a: Tensor, b: Tensor, c: Tensor): Tensor => t.sum(t.mul(a, t.mul(b, t.square(c))));
    const args = [t.array([2.5]), t.array([3.5]), t.array([0.5])] as const;
    expect(await grad(f, { argnums: 1 })(...args).toArray()).toEqual([0.625]);
    expect(await grad(f, { argnums: -1 })(...args).toArray()).toEqual([8.75]);
    const both = grad(f, { argnums: [2, 0] })(...args);
    expect(await Promise.all(both.map((g) => g.toArray()))).toEqual([[8.75], [0.875]]);
    expect(grad(f, { argnums: [0] })(...args)).toHaveLength(1);
  });

  test("hasAux hands the second result out as it is", async () => {
    const f = (v: Tensor): [Tensor, { doubled: Tensor; name: string }] => [
      cube(v),
      { doubled: t.mul(v, 2), name: "aux" },
    ];
    const [[value, aux], g] = valueAndGrad(f, { hasAux: true })(x());
    expect([await value.item(), aux.name]).toEqual([36, "aux"]);
    expect(await aux.doubled.toArray()).toEqual([2, 4, 6]);
    expect(await g.toArray()).toEqual([3, 12, 27]);
    const [same, alike] = grad(f, { hasAux: true })(x());
    expect([await same.toArray(), await alike.doubled.toArray()]).toEqual([
      [3, 12, 27],
      [2, 4, 6],
    ]);
  });

  test("leaves that are not used have zeros, of their shape and dtype", async () => {
    const g = grad((p: { used: Tensor; not: Tensor }) => t.sum(p.used))({ used: x(), not: t.ones([2, 2]) });
    expect([g.not.shape, g.not.dtype]).toEqual([[2, 2], "float32"]);
    expect(await g.not.toArray()).toEqual([
      [0, 0],
      [0, 0],
    ]);
    expect(await grad((_: Tensor) => t.array(3.5))(x()).toArray()).toEqual([0, 0, 0]);
  });

  test("paths that meet add up; a value used twice is differentiated once for each use", async () => {
    const g = grad((v: Tensor) => {
      const s = t.square(v);
      return t.sum(t.add(t.mul(s, s), t.add(s, v)));
    })(x());
    expect(await g.toArray()).toEqual([4 + 2 + 1, 32 + 4 + 1, 108 + 6 + 1]);
  });

  test("the identity, and an argument given back, are functions too", async () => {
    expect(await grad((v: Tensor) => v)(t.array(2.5)).item()).toBe(1);
    const [value, g] = valueAndGrad((v: Tensor) => t.reshape(v, []))(t.array([2.5]));
    expect([await value.item(), await g.toArray()]).toEqual([2.5, [1]]);
  });

  test("a JavaScript number is a place to differentiate at, whole or not", async () => {
    const g = grad((v: number) => t.mul(v, v));
    // The gradient of a number is a Tensor, whatever the signature says of numbers.
    const at = async (v: number): Promise<number> => await (g(v) as unknown as Tensor).item();
    expect([await at(3), await at(2.5)]).toEqual([6, 5]);
  });
});

describe("several gradients at once", () => {
  test("an inner gradient sees the outer variable as a constant", async () => {
    // d/dx [x · d/dy (x·y)] = d/dx [x²] = 2x
    const outer = grad((a: Tensor) => t.mul(a, grad((b: Tensor) => t.mul(a, b))(t.array(1.5))));
    expect(await outer(t.array(3.5)).item()).toBe(7);
    // d/dx [x · d/dy (x + y)] at 1 = 1, not 2: Siskind and Pearlmutter's test
    const confusion = grad((a: Tensor) => t.mul(a, grad((b: Tensor) => t.add(a, b))(t.array(1.5))));
    expect(await confusion(t.array(1.5)).item()).toBe(1);
  });

  test("the argument may be the very tensor that the function closes over", async () => {
    const v = t.array([2.5, 3.5]);
    expect(await grad((w: Tensor) => t.sum(t.mul(w, v)))(v).toArray()).toEqual([2.5, 3.5]);
    const twice = grad((a: Tensor, b: Tensor) => t.sum(t.mul(a, t.square(b))), { argnums: [0, 1] })(v, v);
    expect(await Promise.all(twice.map((g) => g.toArray()))).toEqual([
      [6.25, 12.25],
      [12.5, 24.5],
    ]);
    const same = grad((p: { a: Tensor; b: Tensor }) => t.sum(t.mul(p.a, t.square(p.b))))({ a: v, b: v });
    expect([await same.a.toArray(), await same.b.toArray()]).toEqual([
      [6.25, 12.25],
      [12.5, 24.5],
    ]);
  });

  test("gradients of gradients of gradients", async () => {
    const f = (v: Tensor): Tensor => t.mul(t.square(t.square(v)), t.sin(v));
    const third = grad(grad(grad(f)));
    const at = 0.75;
    // (x⁴ sin x)''' = 24x sin x + 36x² cos x − 12x³ sin x − x⁴ cos x
    const want =
      24 * at * Math.sin(at) + 36 * at ** 2 * Math.cos(at) - 12 * at ** 3 * Math.sin(at) - at ** 4 * Math.cos(at);
    expect(await third(t.array(at)).item()).toBeCloseTo(want, 3);
    expect(await jit(third)(t.array(at)).item()).toBeCloseTo(want, 3);
    const hessianDiagonal = grad((v: Tensor) => t.sum(grad(cube)(v)));
    expect(await hessianDiagonal(x()).toArray()).toEqual([6, 12, 18]);
  });

  test("through matmul, reductions, slices and pads, twice", async () => {
    const a = t.array([
      [0.5, -1],
      [2, 0.25],
    ]);
    const f = (m: Tensor): Tensor =>
      t.sum(
        t.square(
          t.matmul(
            t.pad(t.laxSlice(m, [0, 0], [2, 1]), 0, [
              [0, 0, 0],
              [0, 1, 0],
            ]),
            t.transpose(m),
          ),
        ),
      );
    // f = Σᵢⱼ (mᵢ₀ mⱼ₀)² = (Σ mᵢ₀²)²; ∂f/∂mₖ₀ = 4 mₖ₀ Σ mᵢ₀²; Σₖ of those: 4 (Σ m)(Σ m²)
    expect(await grad(f)(a).toArray()).toEqual([
      [8.5, 0],
      [34, 0],
    ]);
    const again = await grad((m: Tensor) => t.sum(grad(f)(m)))(a).toArray();
    expect(again).toEqual([
      [4 * 4.25 + 8 * 2.5 * 0.5, 0],
      [4 * 4.25 + 8 * 2.5 * 2, 0],
    ]);
  });
});

describe("vjp", () => {
  test("pulls back any number of times, each with its own cotangent", async () => {
    const [y, pull] = vjp(
      (v: Tensor, w: Tensor) => ({ product: t.mul(v, w), sum: t.add(v, w) }),
      x(),
      t.array([4, 5, 6], { dtype: "float32" }),
    );
    expect(await y.product.toArray()).toEqual([4, 10, 18]);
    const one = (product: number, sum: number) =>
      pull({ product: t.full([3], product, { dtype: "float32" }), sum: t.full([3], sum, { dtype: "float32" }) });
    const [gv, gw] = one(1, 0);
    expect([await gv.toArray(), await gw.toArray()]).toEqual([
      [4, 5, 6],
      [1, 2, 3],
    ]);
    expect(await one(2, 1)[0].toArray()).toEqual([9, 11, 13]);
    expect(await one(1, 0)[0].toArray()).toEqual([4, 5, 6]);
  });

  test("hands out what comes beside the value, undifferentiated", async () => {
    const f = (v: Tensor): [Tensor, { twice: Tensor; name: string }] => [
      t.square(v),
      { twice: t.mul(v, 2), name: "aux" },
    ];
    const [y, pull, aux] = vjp(f, x(), { hasAux: true });
    expect([await y.toArray(), await pull(t.ones([3]))[0].toArray()]).toEqual([
      [1, 4, 9],
      [2, 4, 6],
    ]);
    expect([await aux.twice.toArray(), aux.name]).toEqual([[2, 4, 6], "aux"]);
    const [z, push, beside] = linearize(f, x(), { hasAux: true });
    expect([await z.toArray(), await push(t.ones([3])).toArray(), await beside.twice.toArray()]).toEqual([
      [1, 4, 9],
      [2, 4, 6],
      [2, 4, 6],
    ]);
    // `as`: what the types refuse
    expect(() => vjp((v: Tensor) => t.square(v) as unknown as [Tensor, null], x(), { hasAux: true })).toThrow(
      /must return \[value, aux\]/,
    );
  });

  test("a pullback is a function like any other: it can be differentiated and compiled", async () => {
    const [, pull] = vjp((v: Tensor) => t.square(v), x());
    expect(await grad((ct: Tensor) => t.sum(t.square(pull(ct)[0])))(t.array([1, 1, 1.5])).toArray()).toEqual([
      8, 32, 108,
    ]);
    expect(await jit((ct: Tensor) => pull(ct)[0])(t.array([1, 1, 1.5])).toArray()).toEqual([2, 4, 9]);
    const inside = grad((v: Tensor) => t.sum(vjp((w: Tensor) => t.mul(w, t.square(v)), v)[1](t.ones([3]))[0]));
    expect(await inside(x()).toArray()).toEqual([2, 4, 6]);
  });

  test("a cotangent of another tree, shape or dtype is refused", () => {
    const [, pull] = vjp((v: Tensor) => [t.square(v)], x());
    // `as`: what the types refuse
    expect(() => pull(t.ones([3]) as unknown as [Tensor])).toThrow(
      "vjp: the cotangent must have the tree of the output; the output is [float32[3]], the cotangent float32[3]; the first difference",
    );
    expect(() => pull([t.ones([2])])).toThrow(
      new ShapeError("vjp: the cotangent has shape [2], the output it belongs to [3]"),
    );
    expect(() => pull([t.ones([3], { dtype: "int32" })])).toThrow(
      new DtypeError("vjp: the cotangent is int32, the output it belongs to float32; convert it with astype()"),
    );
  });
});

describe("arguments that are not float", () => {
  const whole = (): Tensor => t.array([2, 3, 4]);

  test("have zeros for a gradient with allowInt, and for a cotangent in vjp", async () => {
    const both = grad((p: { v: Tensor; n: Tensor }) => t.sum(t.mul(p.v, p.n)), { allowInt: true })({
      v: x(),
      n: whole(),
    });
    expect([await both.v.toArray(), await both.n.toArray(), both.n.dtype]).toEqual([[2, 3, 4], [0, 0, 0], "int32"]);
    const [, pull] = vjp((v: Tensor, n: Tensor) => t.mul(v, n), x(), whole());
    const [gv, gn] = pull(t.ones([3]));
    expect([await gv.toArray(), await gn.toArray()]).toEqual([
      [2, 3, 4],
      [0, 0, 0],
    ]);
  });

  test("a number as value is a constant", async () => {
    expect(await grad((_: Tensor) => 3)(x()).toArray()).toEqual([0, 0, 0]);
  });

  test("stopGradient of a tree stops its float arrays", async () => {
    const f = (v: Tensor): Tensor => {
      const held = t.stopGradient({ a: v, b: [v, whole()], c: null });
      return t.sum(t.mul(t.mul(held.a, v), held.b[1] ?? v));
    };
    expect(await grad(f)(x()).toArray()).toEqual([2, 6, 12]);
  });
});

describe("what cannot be differentiated says why", () => {
  test.each<[string, () => unknown, new (message: string) => Error, string]>([
    [
      "whole numbers",
      () => grad(cube)(t.array([1, 2])),
      DtypeError,
      "grad: can only differentiate by float arrays, and argument 0 is int32; convert it with astype(), choose others with argnums, or ask for zeros with { allowInt: true }",
    ],
    [
      "a whole number in a tree",
      () => grad((_: number, p: { v: Tensor[] }) => cube(p.v[0] ?? x()), { argnums: 1 })(0, { v: [x(), t.array([1])] }),
      DtypeError,
      "argument 1.v[1] is int32",
    ],
    [
      "no function",
      // A lie to the types, as a JavaScript caller would tell it.
      () => grad(x() as unknown as typeof cube),
      ArgumentError,
      "grad: takes a function, received Tensor float32[3]",
    ],
    [
      "an array as value",
      () => grad((v: Tensor) => v)(x()),
      ShapeError,
      "grad: only scalar functions have a gradient, this one returned shape [3]; sum or average it",
    ],
    ["shape [1] as value", () => grad((v: Tensor) => v)(t.array([1.5])), ShapeError, "returned shape [1]"],
    [
      "a whole number as value",
      () => grad((v: Tensor) => t.argmax(v))(x()),
      DtypeError,
      "grad: the function must return a float, received int32",
    ],
    [
      "no tensor as value",
      () => grad((_: Tensor) => "3")(x()),
      DtypeError,
      "expected a Tensor or a number, received 3",
    ],
    [
      "a pair without hasAux",
      () => grad((v: Tensor) => [cube(v), v])(x()),
      DtypeError,
      "received an array; use hasAux for [value, aux]",
    ],
    [
      "hasAux without a pair",
      // A lie to the types, as a JavaScript caller would tell it.
      () => grad(cube as unknown as (v: Tensor) => [Tensor, Tensor], { hasAux: true })(x()),
      ArgumentError,
      "grad: with hasAux the function must return [value, aux]",
    ],
    ["an argnum too far", () => grad(cube, { argnums: 1 })(x()), ArgumentError, "grad: argnum 1 with 1 argument"],
    [
      "an argnum too low",
      () => grad(cube, { argnums: [0, -2] })(x()),
      ArgumentError,
      "grad: argnum -2 with 1 argument",
    ],
    [
      "a leaf that is no array",
      () => grad((p: { v: Tensor; s: string }) => cube(p.v))({ v: x(), s: "no" }),
      DtypeError,
      "expected a Tensor or a number, received no",
    ],
  ])("%s", (_name, run, type, message) => {
    expect(run).toThrow(type);
    expect(run).toThrow(message);
    expect([currentFrame(), insideArena()]).toEqual([undefined, false]);
  });

  test("a throw in the middle leaves no level and no arena behind", async () => {
    const boom = new Error("boom");
    const run = (): Tensor =>
      grad((v: Tensor) =>
        grad((w: Tensor) => {
          t.mul(w, v);
          throw boom;
        })(v),
      )(t.array(1.5));
    expect(run).toThrow(boom);
    expect(() => jit(run)()).toThrow(boom);
    expect([currentFrame(), insideArena()]).toEqual([undefined, false]);
    expect(await grad(cube)(x()).toArray()).toEqual([3, 12, 27]);
  });
});
