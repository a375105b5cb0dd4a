import { foldGrid } from "@jnx/kernels-wgsl";
import { initDevice, makeExecutor, useDevice } from "@jnx/testing";
import { KernelError, executor as current } from "@jnx/tensor";
import type { Executor } from "@jnx/tensor";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { mix, mixKernel, mixLaunch, numbers, upload } from "./kit.ts";

let executor: Executor;
beforeAll(async () => {
  executor = await makeExecutor();
});
afterAll(() => executor.destroy());

describe("launch", () => {
  test("a kernel on 70,000 groups runs on a folded grid", async () => {
    const groups = 70_000;
    const n = groups * 64;
    const x = upload(
      executor,
      Uint32Array.from({ length: n }, (_, i) => i),
    );
    const y = upload(executor, new Uint32Array(n));
    expect(executor.limits.maxComputeWorkgroupsPerDimension).toBe(65535);
    expect(() => executor.run({ ...mixLaunch(x, y, n, 1), grid: [groups, 1, 1] })).toThrow(
      /^mix: kernel mix is launched on a grid of 70000 x 1 x 1, but a dimension takes 0 to 65535/,
    );
    executor.run({ ...mixLaunch(x, y, n, 1), grid: foldGrid(groups) });
    const result = await numbers(executor, y, n);
    const wrong = result.findIndex((value, i) => value !== 3 * i + 1);
    expect(wrong).toBe(-1);
    executor.release(x);
    executor.release(y);
  });

  test("the same buffer read and written in one launch is refused", () => {
    const x = upload(executor, Uint32Array.of(1));
    const error = catching(() => executor.run(mixLaunch(x, x, 1, 0)));
    expect(error).toBeInstanceOf(KernelError);
    expect(error.message).toMatch(/^mix: kernel mix would write y while the same buffer is bound as x; /);
    executor.release(x);
  });

  test("wrong numbers of buffers and uniforms are refused", () => {
    const x = upload(executor, Uint32Array.of(1));
    const launch = mixLaunch(x, upload(executor, Uint32Array.of(1)), 1, 0);
    expect(() => executor.run({ ...launch, buffers: [x] })).toThrow(
      /binds 2 buffers \(x, y\) and 1 uniforms, got 1 and 1/,
    );
    expect(() => executor.run({ ...launch, uniforms: [] })).toThrow(/got 2 and 0/);
    expect(() => executor.run({ ...launch, uniforms: [new Uint8Array(4)] })).toThrow(
      /uniform p of kernel mix has 8 bytes, got 4/,
    );
    for (const buffer of launch.buffers) executor.release(buffer);
  });

  test("one buffer may be read twice", async () => {
    const x = upload(executor, Uint32Array.of(5));
    const y = executor.allocate(4, "y");
    executor.run({
      label: "sum",
      kernel: {
        name: "sum",
        code: `@group(0) @binding(0) var<storage, read> a: array<u32>;
@group(0) @binding(1) var<storage, read> b: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;
@compute @workgroup_size(1) fn main() { y[0] = a[0] + b[0]; }`,
        bindings: [
          { group: 0, binding: 0, name: "a", access: "read" },
          { group: 0, binding: 1, name: "b", access: "read" },
          { group: 0, binding: 2, name: "y", access: "read_write" },
        ],
      },
      buffers: [x, x, y],
      uniforms: [],
      grid: [1, 1, 1],
    });
    expect([...(await numbers(executor, y, 1))]).toEqual([10]);
    executor.release(x);
    executor.release(y);
  });

  test("100 concurrent reads share a submission and get their own bytes", async () => {
    const buffers = Array.from({ length: 100 }, (_, i) => upload(executor, Uint32Array.of(i, i + 1)));
    const out = Array.from({ length: 100 }, () => upload(executor, Uint32Array.of(0, 0)));
    await executor.warmup([mix]);
    out.forEach((y, i) => executor.run(mixLaunch(buffers[i] ?? y, y, 2, i)));
    executor.flush();
    const before = executor.counters();
    const reads = out.map((y) => numbers(executor, y, 2));
    const results = await Promise.all(reads);
    results.forEach((result, i) => expect([...result]).toEqual([4 * i, 4 * i + 3]));
    const after = executor.counters();
    expect(after.submits - before.submits).toBe(1);
    expect(after.reads - before.reads).toBe(100);
    for (const buffer of [...buffers, ...out]) executor.release(buffer);
  });

  test("uniforms of more launches than one upload holds are kept apart", async () => {
    const x = upload(executor, Uint32Array.of(0));
    const y = upload(executor, Uint32Array.of(0));
    const kernel = mixKernel("cold");
    for (let i = 0; i < 2000; i++) executor.run(mixLaunch(x, y, 1, i, kernel));
    expect([...(await numbers(executor, y, 1))]).toEqual([1999000]);
    executor.release(x);
    executor.release(y);
  });

  test("uniforms that come again are not uploaded again, and are right after others took their place", async () => {
    const x = upload(executor, Uint32Array.of(0));
    const y = upload(executor, Uint32Array.of(0));
    const own = Array.from({ length: 40 }, (_, i) => mixLaunch(x, y, 1, i + 1));
    const total = async (): Promise<number | undefined> => {
      for (const launch of own) executor.run(launch);
      return (await numbers(executor, y, 1))[0];
    };
    expect(await total()).toBe(820);
    const before = executor.counters().writes;
    expect(await total()).toBe(1640);
    expect(executor.counters().writes).toBe(before);
    for (let round = 0, sum = 1640; round < 5; round++) {
      for (let i = 0; i < 300; i++) executor.run(mixLaunch(x, y, 1, 1000));
      expect(await total()).toBe((sum += 300_820));
    }
    executor.release(x);
    executor.release(y);
  });
});

describe("pipelines", () => {
  test("equal texts are one pipeline, and warmup makes it", async () => {
    const kernel = mixKernel();
    const before = executor.counters().pipelines;
    await executor.warmup([kernel, { ...kernel, name: "same text" }]);
    expect(executor.counters().pipelines).toBe(before + 1);
    const x = upload(executor, Uint32Array.of(1));
    const y = upload(executor, Uint32Array.of(1));
    executor.run(mixLaunch(x, y, 1, 0, kernel));
    executor.run(mixLaunch(x, y, 1, 0, { ...kernel }));
    expect([...(await numbers(executor, y, 1))]).toEqual([7]);
    expect(executor.counters().pipelines).toBe(before + 1);
    executor.release(x);
    executor.release(y);
  });

  test("the cache is bounded, and what was dropped is compiled again", async () => {
    const small = await makeExecutor({ maxPipelines: 2, maxBindGroups: 2 });
    const x = upload(small, Uint32Array.of(1));
    const y = upload(small, Uint32Array.of(0));
    const kernels = [mixKernel(), mixKernel(), mixKernel()];
    for (const kernel of [...kernels, ...kernels]) small.run(mixLaunch(x, y, 1, 0, kernel));
    expect([...(await numbers(small, y, 1))]).toEqual([18]);
    expect(small.counters().pipelines).toBe(6);
    small.destroy();
  });
});

describe("init", () => {
  useDevice();

  test("gives one device for all calls", async () => {
    const [a, b] = await Promise.all([initDevice(), initDevice()]);
    expect(a).toBe(b);
    expect(current().info).toBe(a);
    expect(a).toMatchObject({ kind: "webgpu", isFallback: true });
    expect(a.adapter.length).toBeGreaterThan(3);
  });
});

function catching(body: () => unknown): Error {
  try {
    body();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error("nothing was thrown");
}
