import { checkpoint, checkpointName, checkpointPolicies, customJvp, customVjp, grad, jvp, vmap } from "@jnx/autodiff";
import { evalShape, jit, makeJaxpr, ShapeDtypeStruct } from "@jnx/compile";
import * as t from "@jnx/tensor";
import type { Tensor } from "@jnx/tensor";
import { ArgumentError, memory, ShapeError } from "@jnx/tensor";
import { useDevice } from "@jnx/testing";
import { describe, expect, test } from "vitest";
import { collect } from "../memory/collect.ts";

useDevice();

const at = (value: number): Tensor => t.array(value, { dtype: "float32" });

describe("customVjp", () => {
  // The derivative is wrong on purpose, so that it cannot be taken for the one of the body: 100 · ct · (number of calls).
  const calls: string[] = [];
  const f = customVjp((x: Tensor, y: Tensor) => {
    calls.push("f");
    return t.mul(x, y);
  }).defvjp(
    (x: Tensor, y: Tensor) => {
      calls.push("fwd");
      return [t.mul(x, y), { y }];
    },
    ({ y }: { y: Tensor }, ct: Tensor) => [t.mul(ct, t.mul(y, 100)), null],
  );

  test("f runs where nothing is differentiated, fwd where it is; null is zero", async () => {
    calls.length = 0;
    expect(await f(at(2.5), at(3)).item()).toBe(7.5);
    expect(calls).toEqual(["f"]);
    const [dx, dy] = grad((x: Tensor, y: Tensor) => t.mul(f(x, y), 2), { argnums: [0, 1] })(at(2.5), at(3));
    expect(calls).toEqual(["f", "fwd"]);
    expect(await Promise.all([dx?.item(), dy?.item()])).toEqual([600, 0]);
  });

  test("keeps its rule under vmap, jit and the gradient of a gradient", async () => {
    const loss = (x: Tensor): Tensor => t.sum(vmap(f)(x, t.array([3, 5.5])));
    expect(await grad(loss)(t.array([1.5, 2])).toArray()).toEqual([300, 550]);
    expect(await jit(grad(loss))(t.array([1.5, 2])).toArray()).toEqual([300, 550]);
    expect(await vmap(grad(f))(t.array([1.5, 2]), t.array([3, 5.5])).toArray()).toEqual([300, 550]);
    // A shared argument gathers what all examples give back: 100 · (3 + 5.5).
    const shared = (x: Tensor): Tensor => t.sum(vmap(f, { inAxes: [null, 0] })(x, t.array([3, 5.5])));
    expect(await grad(shared)(at(2.5)).item()).toBe(850);
    const nested = (x: Tensor): Tensor => t.sum(vmap((a: Tensor) => vmap(f, { inAxes: [null, 0] })(a, x))(x));
    expect(await grad(nested)(t.array([3, 5.5])).toArray()).toEqual([850, 850]);
    const square = customVjp((x: Tensor) => t.square(x)).defvjp(
      (x: Tensor) => [t.square(x), x],
      (x: Tensor, ct: Tensor) => [t.mul(ct, t.mul(x, t.mul(x, x)))],
    );
    expect(await grad(grad(square))(at(2)).item()).toBe(12);
  });

  test("nondiffArgnums come first to bwd, whatever they are", async () => {
    const scaled = customVjp((how: string, x: Tensor) => t.mul(x, how === "twice" ? 2 : 1), {
      nondiffArgnums: [0],
    }).defvjp(
      (how: string, x: Tensor) => [t.mul(x, how === "twice" ? 2 : 1), null],
      (how: string, _residuals: null, ct: Tensor) => [t.mul(ct, how === "twice" ? 20 : 10)],
    );
    expect(await grad((x: Tensor) => scaled("twice", x))(at(2.5)).item()).toBe(20);
  });

  test("trees in and out", async () => {
    const swap = customVjp((p: { a: Tensor; b: Tensor }) => [p.b, p.a]).defvjp(
      (p: { a: Tensor; b: Tensor }) => [[p.b, p.a], null],
      (_residuals: null, [da, db]: [Tensor, Tensor]) => [{ a: da, b: t.mul(db, 10) }],
    );
    const g = grad((p: { a: Tensor; b: Tensor }) => {
      const [b = p.b, a = p.a] = swap(p);
      return t.add(t.mul(b, 2), t.mul(a, 3));
    })({ a: at(1.5), b: at(2) });
    expect([await g.a.item(), await g.b.item()]).toEqual([2, 30]);
  });

  const bad =
    (bwd: (...args: never[]) => readonly unknown[]): (() => unknown) =>
    () =>
      grad((x: Tensor) => customVjp((y: Tensor) => t.mul(y, 1)).defvjp((y: Tensor) => [t.mul(y, 1), null], bwd)(x))(
        at(2),
      );
  const mistakes: readonly (readonly [string, () => unknown, new (...args: never[]) => Error, RegExp])[] = [
    ["no rule", () => customVjp((x: Tensor) => x)(at(1)), ArgumentError, /no rule yet; call defvjp/],
    ["forward mode", () => jvp(f, [at(1), at(1)], [at(1), at(1)]), ArgumentError, /none for forward mode/],
    ["bwd gives no list", bad(() => at(1) as never), ArgumentError, /bwd must return a list/], // `as`: refused by types
    ["bwd gives too many", bad(() => [at(1), at(1)]), ArgumentError, /1 arguments.*received 2 entries/],
    ["bwd gives another tree", bad(() => [[at(1), at(1)]]), ArgumentError, /gave 2 arrays for argument 0, which has 1/],
    ["bwd gives another shape", bad(() => [t.ones([2])]), ShapeError, /cotangent has shape \[2\]/],
    [
      "fwd gives no residuals",
      () => grad((x: Tensor) => customVjp((y: Tensor) => y).defvjp(((y: Tensor) => y) as never, () => [])(x))(at(1)), // `as`: refused by types
      ArgumentError,
      /fwd must return \[value, residuals\]/,
    ],
    [
      "closing over what is differentiated",
      () =>
        grad((x: Tensor) =>
          customVjp((y: Tensor) => t.mul(x, y)).defvjp(
            (y: Tensor) => [t.mul(x, y), null],
            (_residuals: null, ct: Tensor) => [ct],
          )(x),
        )(at(2)),
      ArgumentError,
      /customVjp: the function closes over a value that is being differentiated.*pass it as an argument/,
    ],
  ];
  test.each(mistakes)("%s", (_label, mistake, kind, text) => {
    expect(mistake).toThrow(kind);
    expect(mistake).toThrow(text);
  });
});

describe("customJvp", () => {
  const f = customJvp((x: Tensor, y: Tensor) => t.mul(x, y)).defjvp(
    ([x, y]: [Tensor, Tensor], [dx, dy]: [Tensor, Tensor]) => [
      t.mul(x, y),
      t.add(t.mul(dx, t.mul(y, 10)), t.mul(dy, 7)),
    ],
  );

  test("serves both modes, under vmap and jit too", async () => {
    const [y, dy] = jvp(f, [at(2.5), at(3)], [at(1), at(0.5)]);
    expect([await y.item(), await dy.item()]).toEqual([7.5, 33.5]);
    const both = grad(f, { argnums: [0, 1] });
    expect(await Promise.all(both(at(2.5), at(3)).map((g) => g.item()))).toEqual([30, 7]);
    const batch = vmap(both)(t.array([2.5, 1]), t.array([3, 5.5]));
    expect(await Promise.all(batch.map((g) => g.toArray()))).toEqual([
      [30, 55],
      [7, 7],
    ]);
    const outer = jit(grad((x: Tensor) => t.sum(vmap(f, { inAxes: [0, null] })(x, at(3)))));
    expect(await outer(t.array([2.5, 1])).toArray()).toEqual([30, 30]);
    expect(await grad((y2: Tensor) => t.sum(vmap(f, { inAxes: [0, null] })(t.array([2.5, 1]), y2)))(at(3)).item()).toBe(
      14,
    );
    const second = grad((y2: Tensor) => grad(f)(at(2), y2))(at(3));
    expect(await second.item()).toBe(10);
    const pushed = jvp(vmap(f, { inAxes: [0, null] }), [t.array([2.5, 1]), at(3)], [t.array([1.5, 2]), at(1)])[1];
    expect(await pushed.toArray()).toEqual([52, 67]);
  });

  test("one rule for each argument", async () => {
    const g = customJvp((x: Tensor, y: Tensor) => t.exp(t.mul(x, y))).defjvps(
      (dx: Tensor, ans: Tensor, _x: Tensor, y: Tensor) => t.mul(dx, t.mul(ans, y)),
      null,
    );
    const [dx, dy] = grad(g, { argnums: [0, 1] })(at(0.5), at(2));
    expect(await dx?.item()).toBeCloseTo(2 * Math.E, 5);
    expect(await dy?.item()).toBe(0);
  });

  test("mistakes", () => {
    expect(() => customJvp((x: Tensor) => x)(at(1))).toThrow(/no rule yet; call defjvp/);
    const wrong = customJvp((x: Tensor) => x).defjvp(([x]: [Tensor]) => [x, t.ones([2])]);
    expect(() => jvp(wrong, [at(1)], [at(1)])).toThrow(
      /the tangent has float32\[2\] where the function has float32\[\]/,
    );
    expect(() => customJvp((x: Tensor) => x, { nondiffArgnums: [0] }).defjvps(null)).toThrow(
      /defjvps does not go with/,
    );
  });
});

describe("checkpoint", () => {
  const w = (): Tensor =>
    t.array([
      [0.5, -1],
      [0.25, 1.5],
    ]);
  const body = (x: Tensor, v: Tensor): Tensor => t.tanh(t.matmul(checkpointName(t.sin(t.matmul(x, v)), "inner"), v));
  const loss = (f: typeof body) => (x: Tensor, v: Tensor) => t.sum(t.square(f(f(x, v), v)));
  const { nothingSaveable, everythingSaveable, dotsSaveable, saveOnlyTheseNames, saveAnythingExceptTheseNames } =
    checkpointPolicies;
  const policies = {
    nothingSaveable,
    everythingSaveable,
    dotsSaveable,
    names: saveOnlyTheseNames("inner"),
    others: saveAnythingExceptTheseNames("inner"),
    both: checkpointPolicies.saveFromBothPolicies(dotsSaveable, saveOnlyTheseNames("inner")),
  };

  test.each(Object.entries(policies))("gradients are the same: %s", async (_name, policy) => {
    const x = t.array([
      [1, 0.5],
      [0.25, -0.5],
    ]);
    const slope = (f: typeof body) => grad(loss(f), { argnums: [0, 1] })(x, w());
    const want = await Promise.all(slope(body).map((g) => g.data()));
    const saved = checkpoint(body, { policy });
    for (const got of [slope(saved), jit(() => slope(saved))(), slope(checkpoint(saved))]) {
      for (const [k, g] of got.entries())
        (await g.data()).forEach((value, i) => expect(value).toBeCloseTo(want[k]?.[i] ?? NaN, 5));
    }
    const batch = vmap(grad(loss(saved)), { inAxes: [0, null] })(t.broadcastTo(x, [3, 2, 2]), w());
    const rows = await batch.data();
    rows.forEach((value, i) => expect(value).toBeCloseTo(want[0]?.[i % 4] ?? NaN, 5));
    const [, moved] = jvp((y: Tensor) => loss(saved)(y, w()), [x], [t.ones([2, 2])]);
    const along = (want[0] ?? []) as Float32Array; // float32 data
    expect(await moved.item()).toBeCloseTo(
      along.reduce((a, b) => a + b, 0),
      4,
    );
  });

  test("the body runs again on the way back, and nothing of it is kept meanwhile", async () => {
    let calls = 0;
    const layer = (x: Tensor): Tensor => {
      calls++;
      let y = x;
      for (let k = 0; k < 20; k++) y = t.sin(y);
      return y;
    };
    const x = t.ones([64, 64]);
    const held = async (f: typeof layer): Promise<number> => {
      let during = 0;
      await collect();
      const before = memory().live;
      grad((v: Tensor) => {
        const out = f(v);
        during = memory().live - before;
        return t.sum(out);
      })(x);
      return during;
    };
    const plain = await held(layer);
    calls = 0;
    const remat = await held(checkpoint(layer));
    expect(calls).toBe(2);
    expect(remat * 5).toBeLessThan(plain);
  });

  test("under jit it computes again too, and holds less", () => {
    const layer = (x: Tensor): Tensor => {
      let y = x;
      for (let k = 0; k < 6; k++) y = t.sin(t.matmul(y, y));
      return y;
    };
    const cost = (f: typeof layer) =>
      jit(grad((x: Tensor) => t.sum([1, 2, 3, 4].reduce((y) => f(y), x)))).explain(t.ones([32, 32]));
    const [plain, remat] = [cost(layer), cost(checkpoint(layer))];
    expect(remat.dispatches).toBeGreaterThan(plain.dispatches);
    expect(remat.temporaryBytes).toBeLessThan(plain.temporaryBytes);
    const dots = cost(checkpoint(layer, { policy: dotsSaveable }));
    expect(dots.dispatches).toBeLessThan(remat.dispatches);
  });
});

describe("evalShape, makeJaxpr", () => {
  test("shapes and dtypes of a tree, with nothing computed", () => {
    const out = evalShape(
      (p: { w: Tensor }, x: Tensor) => ({ y: t.matmul(x, p.w), i: t.argmax(x) }),
      { w: new ShapeDtypeStruct([1000000, 2000], "float32") },
      new ShapeDtypeStruct([5, 1000000], "float32"),
    );
    expect(out).toEqual({ y: new ShapeDtypeStruct([5, 2000], "float32"), i: new ShapeDtypeStruct([], "int32") });
    expect(() => evalShape(t.matmul, t.ones([2, 3]), t.ones([2, 3]))).toThrow(ShapeError);
  });

  test("the text of a gradient's program", () => {
    const jaxpr = makeJaxpr(grad((x: Tensor) => t.sum(t.square(x))))(t.ones([3]));
    expect(String(jaxpr)).toMatchInlineSnapshot(`
      "%0: float32[3] = input 0
      %1: float32[3] = alias(%0)
      %2: float32[3] = 1
      %3: float32[3] = 2
      %4: float32[3] = mul(%1, %3)
      %5: float32[3] = mul(%2, %4)
      return %5"
    `);
  });
});
