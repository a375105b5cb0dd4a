import { valueAndGrad } from "@jnx/autodiff";
import { jit } from "@jnx/compile";
import * as t from "@jnx/tensor";
import { executor, setExecutor, type Executor, type Tensor } from "@jnx/tensor";
import { useDevice } from "@jnx/testing";
import { describe, expect, test } from "vitest";
import { cost } from "./cost.ts";

useDevice();

const x = (): Tensor => t.array([1, 2, 3.5]);

/** A layer with a bias, a loss, its gradients and an update: what training steps are made of. */
function step(w: Tensor, b: Tensor, data: Tensor, rate: number): [Tensor, Tensor, Tensor] {
  const loss = (w: Tensor, b: Tensor): Tensor => t.mean(t.square(t.relu(t.add(t.matmul(data, w), b))));
  const [value, [gw, gb]] = valueAndGrad(loss, { argnums: [0, 1] })(w, b) as [Tensor, [Tensor, Tensor]]; // one gradient for each argnum
  return [value, t.sub(w, t.mul(gw, rate)), t.sub(b, t.mul(gb, rate))];
}

describe("what a call costs", () => {
  test("one submission, no pipeline, no buffer and no bind group once it has run twice", async () => {
    const f = jit(step);
    const data = t.random.normal(t.random.key(0), [16, 8]);
    let [, w, b] = f(t.mul(t.random.normal(t.random.key(1), [8, 4]), 0.1), t.zeros([4]), data, 0.1);
    const once = async (rate: number): Promise<void> => {
      const [loss, nextW, nextB] = f(w, b, data, rate);
      await loss.item();
      w.dispose();
      b.dispose();
      [w, b] = [nextW, nextB];
    };
    for (const rate of [0.3, 0.1]) await once(rate);
    await executor().settled();
    const spent = await cost(() => once(0.1));
    expect(spent).toMatchObject({ pipelines: 0, bufferCreations: 0, reads: 1 });
    expect(spent.dispatches).toBe(f.explain(w, b, data, 0.2).dispatches);
    const unread = await cost(async () => {
      f(w, b, data, 0.2);
      executor().flush();
      await Promise.resolve();
    });
    expect([unread.submits, unread.passes]).toEqual([1, 1]);
    expect(f.traces).toBe(1);
  });

  test("kernels: maps join what they follow, reductions take the maps before them", () => {
    const softplus = jit((v: Tensor) => t.sum(t.log1p(t.exp(t.neg(v)))));
    const report = softplus.explain(t.zeros([16, 16]));
    expect(report.kernels).toMatchInlineSnapshot(`
      [
        "reduce_sum [] makes 1, 1028 bytes",
      ]
    `);
    expect(report.graph).toMatchInlineSnapshot(`
      "%0: float32[16,16] = input 0
      %1: float32[16,16] = neg(%0)
      %2: float32[16,16] = exp(%1)
      %3: float32[16,16] = log1p(%2)
      %4: float32[] = reduce_sum(%3) {"axes":[0,1]}
      return %4"
    `);
    const data = t.zeros([16, 8]);
    const whole = jit(step).explain(t.zeros([8, 4]), t.zeros([4]), data, 0.1);
    expect(whole.kernels).toMatchInlineSnapshot(`
      [
        "matmul+div+add+relu+mul+greater+… [16,4] makes 2, 1168 bytes",
        "reduce_sum+div [] makes 2, 276 bytes",
        "matmul+mul+sub [8,4] makes 2, 1028 bytes",
        "reduce_sum+mul+sub [4] makes 2, 292 bytes",
      ]
    `);
    expect(whole.dispatches).toBe(whole.kernels.length);
  });

  test("outputs of one shape share a kernel", async () => {
    const f = jit((v: Tensor, w: Tensor) => [t.add(v, w), t.sub(v, w), t.mul(t.add(v, w), t.sub(v, w))]);
    expect(f.explain(x(), x()).dispatches).toBe(1);
    const r = f(x(), t.array([0.5, 1, 2]));
    expect(await Promise.all(r.map((y) => y.toArray()))).toEqual([
      [1.5, 3, 5.5],
      [0.5, 1, 1.5],
      [0.75, 3, 8.25],
    ]);
  });

  test("a value that several kernels read is not overwritten before the last of them", async () => {
    const f = jit((m: Tensor) => {
      const y = t.matmul(m, m); // a temporary with three readers, in different orders
      const z = t.matmul(t.add(y, 1), m);
      const u = t.matmul(t.transpose(y), z);
      return [t.sum(u, { axis: 0 }), t.add(z, y), t.matmul(y, u)];
    });
    const m = t.array([
      [1, 2],
      [0.5, -1],
    ]);
    const plain = ((v: Tensor) => {
      const y = t.matmul(v, v);
      const z = t.matmul(t.add(y, 1), v);
      const u = t.matmul(t.transpose(y), z);
      return [t.sum(u, { axis: 0 }), t.add(z, y), t.matmul(y, u)];
    })(m);
    for (const [k, y] of f(m).entries()) expect(await y.toArray()).toEqual(await plain[k]?.toArray());
  });
});

/** The current device with fewer buffers to a kernel. */
async function withBuffers<T>(most: number, body: () => Promise<T>): Promise<T> {
  const real = executor();
  const limited = new Proxy(real, {
    get: (target, name) => {
      if (name === "limits") return { ...target.limits, maxStorageBuffersPerShaderStage: most };
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  setExecutor(limited satisfies Executor);
  try {
    return await body();
  } finally {
    setExecutor(real);
  }
}

describe("devices that bind few buffers", () => {
  test.each([4, 8])("%i to a kernel: sums of many arrays are split", async (most) => {
    await withBuffers(most, async () => {
      const f = jit((...all: Tensor[]) => {
        const total = all.reduce((a, b) => t.add(a, b));
        return [total, ...all.slice(0, 3).map((one) => t.mul(one, total))];
      });
      const all = Array.from({ length: 14 }, (_, k) => t.array([k, 0.5, -k]));
      const r = await Promise.all(f(...all).map((y) => y.toArray()));
      expect(r).toEqual([
        [91, 7, -91],
        [0, 3.5, 0],
        [91, 3.5, 91],
        [182, 3.5, 182],
      ]);
    });
  });

  test("a chain of transposes is no larger than itself", async () => {
    const f = jit((v: Tensor) => {
      let y = v;
      for (let k = 0; k < 40; k++) y = t.mul(t.add(y, t.transpose(y)), 0.5);
      return y;
    });
    expect(
      await f(
        t.array([
          [1, 2],
          [3, 4.5],
        ]),
      ).toArray(),
    ).toEqual([
      [1, 2.5],
      [2.5, 4.5],
    ]);
  });
});
