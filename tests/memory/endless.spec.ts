import { grad } from "@jnx/autodiff";
import { jit } from "@jnx/compile";
import * as t from "@jnx/tensor";
import { counters, executor, memory, type Tensor } from "@jnx/tensor";
import { useOwnDevice } from "@jnx/testing";
import { expect, test } from "vitest";
import { collect } from "./collect.ts";

useOwnDevice();

const KIB = 2 ** 10;

test("10,000 jitted steps: nothing grows", { timeout: 120_000 }, async () => {
  const loss = (w: Tensor, x: Tensor): Tensor => t.mean(t.square(t.tanh(t.matmul(x, w))));
  const step = jit((w: Tensor, x: Tensor) => t.sub(w, t.mul(grad(loss)(w, x), 0.01)), { donateArgnums: 0 });
  const x = t.random.normal(t.random.key(0), [4, 8]);
  let w = t.random.normal(t.random.key(1), [8, 4]);
  const seen: { live: number; pooled: number; pipelines: number; bufferCreations: number }[] = [];
  for (let n = 1; n <= 10_000; n++) {
    w = step(w, x);
    if (n % 250 === 0) await executor().settled();
    if (n !== 1000 && n !== 10_000) continue;
    await collect();
    const { live, pooled } = memory();
    const { pipelines, bufferCreations } = counters();
    seen.push({ live, pooled, pipelines, bufferCreations });
  }
  expect(seen[1]).toEqual(seen[0]);
  expect(step.traces).toBe(1);
});

test("2,000 different shapes: traces are dropped, pipelines shared, pools bounded", { timeout: 120_000 }, async () => {
  const f = jit((x: Tensor) => t.sub(t.tanh(x), t.mean(x)));
  const seen: { live: number; pooled: number; pipelines: number }[] = [];
  for (let n = 1; n <= 2000; n++) {
    // Another shape each time, and in the same order of size from the hundredth on.
    const x = t.full([n % 100 === 0 ? 2 : 1, 1000 + n], 0.5, { dtype: "float32" });
    const y = f(x);
    y.dispose();
    if (n % 100 === 0) await executor().settled();
    if (n !== 200 && n !== 2000) continue;
    await collect();
    seen.push({ live: memory().live, pooled: memory().pooled, pipelines: counters().pipelines });
  }
  const [early, late] = seen;
  expect(f.traces).toBe(2000);
  // Twice the size may be summed by another plan; no shape has a pipeline of its own.
  expect((late?.pipelines ?? 0) - (early?.pipelines ?? 0)).toBeLessThanOrEqual(4);
  expect(Math.abs((late?.live ?? 0) - (early?.live ?? 0))).toBeLessThan(64 * KIB);
  // Some twenty sizes, a slab of 64 KiB for each.
  expect(late?.pooled).toBeLessThan(2048 * KIB);
});
