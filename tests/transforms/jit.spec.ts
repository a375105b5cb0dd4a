import { grad } from "@jnx/autodiff";
import { jit } from "@jnx/compile";
import * as t from "@jnx/tensor";
import { ArgumentError, EscapedTensorError, TracedTensorError, type Tensor } from "@jnx/tensor";
import { currentFrame, insideArena } from "@jnx/tensor/internal";
import { useDevice } from "@jnx/testing";
import { describe, expect, test } from "vitest";
import { cost } from "./cost.ts";

useDevice();

const x = (): Tensor => t.array([1, 2, 3.5]);

describe("tracing", () => {
  test("once for each signature; other numbers, shapes seen before and the same structure are data", async () => {
    let calls = 0;
    const f = jit((v: Tensor, rate: number) => {
      calls++;
      return t.mul(v, rate);
    });
    expect(await f(x(), 0.5).toArray()).toEqual([0.5, 1, 1.75]);
    const spent = await cost(async () => {
      for (const rate of [0.25, 1.5, -2.5]) await f(x(), rate).data();
    });
    expect([calls, f.traces, spent.pipelines]).toEqual([1, 1, 0]);
    expect(await f(t.ones([3]), 0.5).toArray()).toEqual([0.5, 0.5, 0.5]);
    expect(calls).toBe(1);
    // Another shape and another dtype are other programs; then both are known.
    for (let k = 0; k < 2; k++)
      await Promise.all([f(t.ones([4]), 0.5).data(), f(t.ones([3], { dtype: "int32" }), 0.5).data()]);
    expect(f.traces).toBe(3);
  });

  test("strings, booleans and functions are constants of the trace", async () => {
    const f = jit((v: Tensor, how: { kind: string; negate: boolean }) => {
      const y = how.kind === "double" ? t.mul(v, 2) : v;
      return how.negate ? t.neg(y) : y;
    });
    expect(await f(x(), { kind: "double", negate: false }).toArray()).toEqual([2, 4, 7]);
    expect(await f(x(), { kind: "double", negate: true }).toArray()).toEqual([-2, -4, -7]);
    expect(await f(x(), { kind: "same", negate: false }).toArray()).toEqual([1, 2, 3.5]);
    await f(x(), { kind: "double", negate: true }).data();
    expect(f.traces).toBe(3);
    const apply = jit((g: (v: Tensor) => Tensor, v: Tensor) => g(v));
    const twice = (v: Tensor): Tensor => t.mul(v, 2);
    await apply(twice, x()).data();
    await apply(twice, x()).data();
    expect(apply.traces).toBe(1);
    // Texts that would read the same one after the other.
    const pair = jit((v: Tensor, a: string, b: string) => t.mul(v, a.length * 100 + b.length));
    expect(await pair(t.array(0.5), "a b", "c").item()).toBe(150.5);
    expect(await pair(t.array(0.5), "a", "b c").item()).toBe(51.5);
  });

  test("staticArgnums: numbers and lists by content, counted from either end", async () => {
    const f = jit((v: Tensor, shape: readonly number[], power: number) => t.reshape(t.power(v, power), shape), {
      staticArgnums: [1, -1],
    });
    expect(await f(x(), [3, 1], 2).toArray()).toEqual([[1], [4], [12.25]]);
    expect(await f(x(), [3, 1], 2).toArray()).toEqual([[1], [4], [12.25]]);
    expect(f.traces).toBe(1);
    expect(await f(x(), [1, 3], 3).toArray()).toEqual([[1, 8, 42.875]]);
    expect(f.traces).toBe(2);
    const signed = jit((v: Tensor, zero: number) => t.mul(v, 1 / zero), { staticArgnums: 1 });
    expect([await signed(t.array(1.5), 0).item(), await signed(t.array(1.5), -0).item()]).toEqual([
      Infinity,
      -Infinity,
    ]);
  });

  test("past maxTraces the error says with what it was called before and now", () => {
    const f = jit((v: Tensor) => t.add(v, 1), { maxTraces: 1, name: "step" });
    f(x());
    const again = (): unknown => f(t.ones([4]));
    expect(again).toThrow(ArgumentError);
    expect(again).toThrow(
      /step would be traced .* over maxTraces 1; .*float32\[3\].*float32\[4\].*keep shapes the same/,
    );
    expect(f(x()).shape).toEqual([3]);
  });

  test("NaN, −0 and infinities as attributes are not mixed up", async () => {
    const f = jit((v: Tensor) => [Infinity, -Infinity, NaN, 0].map((value) => t.pad(v, value, [[1, 0, 0]])));
    const firsts = (await Promise.all(f(x()).map((y) => y.data()))).map(([first]) => first);
    expect(firsts).toEqual([Infinity, -Infinity, NaN, 0]);
  });
});

describe("arguments and results", () => {
  test("trees go in and come out", async () => {
    const f = jit((p: { w: Tensor[]; m: Map<string, Tensor>; none: null }) => ({
      sum: t.add(p.w[0] ?? 0, p.m.get("k") ?? 0),
      list: [p.w[1] ?? null, null],
      none: p.none,
    }));
    const y = f({ w: [x(), t.ones([2])], m: new Map([["k", x()]]), none: null });
    expect([await y.sum.toArray(), await y.list[0]?.toArray(), y.list[1], y.none]).toEqual([
      [2, 4, 7],
      [1, 1],
      null,
      null,
    ]);
  });

  test("results may be inputs, constants, numbers, views, and each other", async () => {
    const outside = t.array([
      [1.5, 2],
      [3, 4],
    ]);
    const f = jit((v: Tensor) => {
      const y = t.add(v, 1);
      return {
        input: v,
        constant: outside,
        made: t.array([7, 8.5]),
        number: 2.5,
        view: t.transpose(outside),
        flat: t.reshape(v, [3, 1]),
        y,
        again: y,
        zeros: t.zeros([2]),
      };
    });
    for (let k = 0; k < 2; k++) {
      const r = f(x());
      expect(await Promise.all([r.input.toArray(), r.constant.toArray(), r.made.toArray(), r.view.toArray()])).toEqual([
        [1, 2, 3.5],
        [
          [1.5, 2],
          [3, 4],
        ],
        [7, 8.5],
        [
          [1.5, 3],
          [2, 4],
        ],
      ]);
      // A number comes back as the array it stands for.
      expect(await (r.number as unknown as Tensor).item()).toBe(2.5);
      expect(await Promise.all([r.flat.toArray(), r.y.toArray(), r.again.toArray(), r.zeros.toArray()])).toEqual([
        [[1], [2], [3.5]],
        [2, 3, 4.5],
        [2, 3, 4.5],
        [0, 0],
      ]);
    }
  });

  test("transposed, sliced, broadcast and flipped arrays are read as what they show", async () => {
    const m = t.array([
      [1, 2, 3],
      [4, 5, 6.5],
    ]);
    const f = jit((v: Tensor) => t.add(v, 0.5));
    const views = [
      t.transpose(m),
      t.laxSlice(m, [0, 1], [2, 3]),
      t.broadcastTo(t.laxSlice(m, [1, 0], [2, 3]), [2, 3]),
      t.flip(m),
      t.laxSlice(m, [1, 0], [2, 3], [1, 2]),
    ];
    for (const view of views) expect(await f(view).toArray()).toEqual(await t.add(view, 0.5).toArray());
  });

  test("scalars and arrays without elements", async () => {
    const f = jit((v: Tensor, s: Tensor) => ({
      sum: t.sum(v),
      rows: t.sum(v, { axis: 1 }),
      columns: t.sum(v, { axis: 0 }),
      more: t.add(v, s),
      padded: t.pad(v, 1.5, [
        [1, 0, 0],
        [0, 0, 0],
      ]),
      s: t.mul(s, 2),
      product: t.matmul(t.transpose(v), v),
    }));
    const r = f(t.zeros([0, 2]), t.array(2.5));
    expect(
      await Promise.all([
        r.sum.item(),
        r.rows.toArray(),
        r.columns.toArray(),
        r.padded.toArray(),
        r.s.item(),
        r.product.toArray(),
      ]),
    ).toEqual([
      0,
      [],
      [0, 0],
      [[1.5, 1.5]],
      5,
      [
        [0, 0],
        [0, 0],
      ],
    ]);
    expect(r.more.shape).toEqual([0, 2]);
  });

  test("a chain of ten thousand elementwise ops is a kernel for every 256 of them", async () => {
    const f = jit((v: Tensor) => {
      for (let k = 0; k < 5000; k++) v = t.add(t.mul(v, 0.5), 1);
      return v;
    });
    expect(f.explain(t.ones([4])).dispatches).toBe(Math.ceil(10_000 / 256));
    expect(await f(t.ones([4])).toArray()).toEqual([2, 2, 2, 2]);
  });

  test("jit in jit, grad in jit, jit in grad: the numbers of plain calls", async () => {
    const loss = (v: Tensor, w: Tensor): Tensor => t.sum(t.sin(t.mul(v, t.square(w))));
    const want = await grad(loss, { argnums: 1 })(x(), x()).toArray();
    const close = async (y: Tensor): Promise<void> => {
      const got = await y.data();
      (want as number[]).forEach((one, k) => expect(got[k]).toBeCloseTo(one, 4)); // a vector's array
    };
    await close(jit(grad(loss, { argnums: 1 }))(x(), x()));
    await close(grad(jit(loss), { argnums: 1 })(x(), x()));
    await close(jit(grad(jit(loss), { argnums: 1 }))(x(), x()));
    const inner = jit((v: Tensor, how: string) => (how === "up" ? t.add(v, 1) : v));
    const outer = jit((v: Tensor) => t.mul(inner(inner(v, "up"), "same"), 2));
    expect(await outer(x()).toArray()).toEqual([4, 6, 9]);
    // Inside another transform a number is still an array to the function.
    const half = jit((v: Tensor, k: number) => t.mul(v, t.reshape(k as unknown as Tensor, [])));
    expect(await grad((v: Tensor) => t.sum(half(v, 2)))(x()).toArray()).toEqual([2, 2, 2]);
  });

  test("donated arguments give their memory up, and only theirs", async () => {
    const f = jit((p: Tensor[], y: Tensor) => p.map((one, k) => t.add(t.mul(one, 2), k === 0 ? y : (p[0] ?? y))), {
      donateArgnums: 0,
    });
    const [a, b] = [x(), x()];
    const r = f([a, b], x());
    expect(await Promise.all(r.map((y) => y.toArray()))).toEqual([
      [3, 6, 10.5],
      [3, 6, 10.5],
    ]);
    for (const gone of [a, b]) expect(() => t.add(gone, 1)).toThrow(EscapedTensorError);
    for (const gone of [a, b])
      expect(() => t.add(gone, 1)).toThrow(/donateArgnums|updated in place by a compiled step/);
    // The same tensor twice, and once more as another argument.
    const c = x();
    expect(await Promise.all(f([c, c], c).map((y) => y.toArray()))).toEqual([
      [3, 6, 10.5],
      [3, 6, 10.5],
    ]);
  });
});

describe("values that exist only while tracing", () => {
  test("cannot be read on the host, then or later", async () => {
    let leaked: Tensor | undefined;
    const reads: Promise<unknown>[] = [];
    const f = jit((v: Tensor) => {
      leaked = t.mul(v, 2);
      reads.push(leaked.item(), leaked.data());
      return v;
    });
    const settled = (): Promise<PromiseSettledResult<unknown>[]> => Promise.allSettled(reads);
    f(t.array([1.5]));
    for (const one of await settled()) {
      if (one.status !== "rejected") throw new Error("a traced value was read");
      expect(one.reason).toBeInstanceOf(TracedTensorError);
      expect(String(one.reason)).toContain("being traced has no value to read; return it from the traced function");
    }
    const later = leaked ?? x();
    expect(() => t.add(later, 1)).toThrow(TracedTensorError);
    expect(() => t.add(later, 1)).toThrow("a value that existed only while a function was being traced");
    expect(() => jit((v: Tensor) => t.add(v, later))(x())).toThrow("belongs to another trace");
    await expect(later.toArray()).rejects.toThrow(TracedTensorError);
  });

  test("a throw while tracing leaves nothing open, and the next call traces again", async () => {
    let broken = true;
    const f = jit((v: Tensor) => {
      if (broken) throw new Error("boom");
      return t.add(v, 1);
    });
    expect(() => f(x())).toThrow("boom");
    expect([currentFrame(), insideArena()]).toEqual([undefined, false]);
    broken = false;
    expect(await f(x()).toArray()).toEqual([2, 3, 4.5]);
  });
});
