import { valueAndGrad } from "@jnx/autodiff";
import { cond, jit, scan } from "@jnx/compile";
import * as t from "@jnx/tensor";
import { EscapedTensorError, executor, memory, type Tensor } from "@jnx/tensor";
import { copy } from "@jnx/tensor/internal";
import { useOwnDevice } from "@jnx/testing";
import { describe, expect, test } from "vitest";
import { cost } from "./cost.ts";
import { collect } from "../memory/collect.ts";

useOwnDevice();

const MIB = 2 ** 20;
const KIB = 2 ** 10;

interface Cell {
  readonly w: Tensor;
  readonly u: Tensor;
}

/** One step of training a recurrent network by gradient descent. */
function train({ w, u }: Cell, xs: Tensor): [Tensor, Cell] {
  const loss = (w: Tensor, u: Tensor): Tensor => {
    const [, ys] = scan(
      (h: Tensor, x: Tensor): [Tensor, Tensor] => {
        const next = t.tanh(t.add(t.matmul(x, w), t.matmul(h, u)));
        return [next, t.mean(t.square(next))];
      },
      t.zeros([2, 8]),
      xs,
    );
    return t.mean(ys);
  };
  const [value, [dw, du]] = valueAndGrad(loss, { argnums: [0, 1] })(w, u) as [Tensor, [Tensor, Tensor]]; // one for each argnum
  return [value, { w: t.sub(w, t.mul(dw, 0.5)), u: t.sub(u, t.mul(du, 0.5)) }];
}

const cell = (): Cell => ({
  w: t.mul(t.random.normal(t.random.key(1), [8, 8]), 0.3),
  u: t.mul(t.random.normal(t.random.key(2), [8, 8]), 0.3),
});

describe("a training step over a loop of 1,000 steps", () => {
  test("is one submission a call, its state updated in place", async () => {
    const step = jit(train, { donateArgnums: 0 });
    const xs = t.random.normal(t.random.key(0), [1000, 2, 8]);
    const [first, old] = step(cell(), xs);
    const before = await first.item();
    await collect();
    const live = memory().live;
    let [value, state] = [first, old];
    const spent = await cost(async () => {
      [value, state] = step(old, xs);
      await Promise.resolve();
    });
    expect(spent).toMatchObject({ submits: 1, pipelines: 0, reads: 0 });
    expect(spent.dispatches).toBe(step.explain(state, xs).dispatches);
    // But for the loss, nothing more is alive than before.
    expect(memory().live - live).toBeLessThanOrEqual(KIB);
    expect(() => t.add(old.w, 1)).toThrow(EscapedTensorError);
    expect(await value.item()).toBeLessThan(before);
  });

  test("has the graph and the trace of one of 10", () => {
    const step = jit(train);
    const [short, long] = [10, 1000].map((n) => step.explain(cell(), t.zeros([n, 2, 8])).graph);
    expect(long?.replaceAll("1000", "10")).toBe(short);
  });
});

/** How far memory rises above what is alive before, at most, while `body` runs. */
async function rise(body: () => Tensor): Promise<number> {
  await executor().settled();
  await collect();
  const { live, peak } = memory();
  // A peak from before would hide this one.
  const filler = copy(t.zeros([Math.ceil((peak - live) / 4)]));
  const level = memory().live;
  const result = body();
  const rose = memory().peak - level;
  await executor().settled();
  filler.dispose();
  result.dispose();
  return rose;
}

describe("memory of loops in a compiled function", () => {
  const state = (): Tensor => copy(t.ones([256, 1024]));
  const halved = (c: Tensor, x: Tensor): [Tensor, null] => [t.add(t.mul(c, 0.5), x), null];
  const mixed = (c: Tensor, x: Tensor): [Tensor, null] => [t.add(t.cumsum(c, { axis: 0 }), x), null];
  const xs = (): Tensor => t.array([0.5, 1, 2, 4]);

  test("a donated state that steps read where they write it is the only one", async () => {
    const f = jit((c: Tensor, x: Tensor) => scan(halved, c, x)[0], { donateArgnums: 0 });
    const x = xs();
    await f(state(), x).data();
    const c = state();
    expect(await rise(() => f(c, x))).toBeLessThan(64 * KIB);
    const d = state();
    expect(await f(d, x).data()).toEqual(Float32Array.from({ length: 2 ** 18 }, () => 5.375));
  });

  test("one that steps read elsewhere needs a second, and is not lost when it is not donated", async () => {
    const f = jit((c: Tensor, x: Tensor) => scan(mixed, c, x)[0], { donateArgnums: 0 });
    const g = jit((c: Tensor, x: Tensor) => scan(halved, c, x)[0]);
    const [x, kept] = [xs(), state()];
    await f(state(), x).data();
    const c = state();
    expect(await rise(() => f(c, x))).toBeLessThan(2 * MIB + 64 * KIB);
    const eager = scan(mixed, state(), x)[0];
    expect(await f(state(), x).data()).toEqual(await eager.data());
    await g(kept, x).data();
    expect(await rise(() => g(kept, x))).toBeLessThan(MIB + 64 * KIB);
    expect(await t.mean(kept).item()).toBe(1);
  });

  test("what is computed between loops goes when it has been read", async () => {
    // Eight values of 1 MiB, one after another.
    const chain = (c: Tensor, x: Tensor): Tensor => {
      let y = c;
      for (let k = 0; k < 8; k++) y = t.sin(scan(mixed, y, x)[0]);
      return y;
    };
    const f = jit(chain);
    const [c, x] = [state(), xs()];
    await f(c, x).data();
    expect(await rise(() => f(c, x))).toBeLessThan(4 * MIB);
  });

  test("a loop of no steps hands over a copy, and a state in two places stays apart", async () => {
    const none = jit((c: Tensor, x: Tensor) => t.add(scan(halved, c, t.zeros([0]))[0], t.mul(x, 0)), {
      donateArgnums: 0,
    });
    expect(await none(t.array([1, 2.5]), t.array(1)).toArray()).toEqual([1, 2.5]);
    const twice = jit(
      (c: Tensor) => {
        const both = (s: readonly [Tensor, Tensor]): [[Tensor, Tensor], null] => [
          [t.add(s[0], 1), t.mul(s[1], 2)],
          null,
        ];
        const [[a, b]] = scan(both, [c, c] as const, null, { length: 3 });
        const d = cond(
          t.greater(t.sum(a), 0),
          (v: Tensor) => t.cumsum(v),
          (v: Tensor) => v,
          b,
        );
        return [a, b, d, t.add(c, 0.5)];
      },
      { donateArgnums: 0 },
    );
    const results = twice(t.array([1.5, -1]));
    expect(await Promise.all(results.map((one) => one.toArray()))).toEqual([
      [4.5, 2],
      [12, -8],
      [12, 4],
      [2, -0.5],
    ]);
  });
});
