import { makeExecutor } from "@jnx/testing";
import { OutOfMemoryError } from "@jnx/tensor";
import type { Executor } from "@jnx/tensor";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sizeClass } from "../../packages/tensor/src/device/pool.ts";
import { mixLaunch, numbers, random, upload } from "./kit.ts";

const MIB = 2 ** 20;
let executor: Executor;
beforeAll(async () => {
  executor = await makeExecutor({ memoryLimit: 64 * MIB, poolLimit: 32 * MIB });
});
afterAll(() => executor.destroy());

describe("size classes", () => {
  test("hold what was asked for, waste at most a quarter, and are few", () => {
    const pick = random(1);
    const classes = new Set<number>();
    for (let i = 0; i < 10_000; i++) {
      const bytes = 1 + pick(2 ** (4 + pick(27)));
      const size = sizeClass(bytes);
      classes.add(size);
      expect(size).toBeGreaterThanOrEqual(bytes);
      expect(size).toBeLessThanOrEqual(Math.max(256, bytes * 1.25));
      expect(size % 64).toBe(0);
      expect(sizeClass(size)).toBe(size);
    }
    expect(classes.size).toBeLessThan(100);
  });
});

describe("memory", () => {
  test("counts live, peak and pooled bytes exactly", () => {
    executor.clearCaches();
    const before = executor.memory();
    const a = executor.allocate(1000, "a");
    const b = executor.allocate(5000, "b");
    expect(a.bytes).toBeGreaterThanOrEqual(1000);
    expect(executor.memory().live).toBe(before.live + a.bytes + b.bytes);
    expect(executor.memory().buffers).toBe(before.buffers + 2);
    executor.release(a);
    executor.release(b);
    expect(executor.memory()).toMatchObject({ live: before.live, buffers: before.buffers, pooled: a.bytes + b.bytes });
    expect(executor.memory().peak).toBeGreaterThanOrEqual(before.live + a.bytes + b.bytes);
    executor.clearCaches();
    expect(executor.memory().pooled).toBe(0);
  });

  test("reuses released buffers: a loop creates none after its first turn", async () => {
    const x = upload(executor, new Uint32Array(100));
    const turn = (): void => {
      const y = executor.allocate(400, "y");
      const z = executor.allocate(400, "z");
      executor.run(mixLaunch(x, y, 100, 1));
      executor.run(mixLaunch(y, z, 100, 1));
      executor.release(y);
      executor.release(z);
    };
    turn();
    await executor.settled();
    turn();
    await executor.settled();
    const before = executor.counters();
    for (let i = 0; i < 300; i++) turn();
    await executor.settled();
    const after = executor.counters();
    expect(after.bufferCreations).toBe(before.bufferCreations);
    expect(after.bindGroups - before.bindGroups).toBeLessThanOrEqual(8);
    expect(after.pipelines).toBe(before.pipelines);
    expect(after.dispatches - before.dispatches).toBe(600);
    executor.release(x);
  });

  test("gives a valid buffer for no bytes at all", async () => {
    const empty = executor.allocate(0, "empty");
    const y = upload(executor, Uint32Array.of(7));
    executor.write(empty, new Uint32Array(0));
    executor.run(mixLaunch(empty, y, 0, 1));
    executor.run({ ...mixLaunch(empty, y, 1, 1), grid: [0, 1, 1] });
    executor.copy(empty, y, 0);
    expect((await executor.read(empty, 0)).byteLength).toBe(0);
    expect([...(await numbers(executor, y, 1))]).toEqual([7]);
    executor.release(empty);
    executor.release(y);
  });

  test("reads and writes ranges, and bytes that are no multiple of 4", async () => {
    const buffer = executor.allocate(16, "bytes");
    executor.write(buffer, new Uint8Array([1, 2, 3, 4, 5]));
    executor.write(buffer, new Uint8Array([9]), 8);
    expect([...new Uint8Array(await executor.read(buffer, 9))]).toEqual([1, 2, 3, 4, 5, 0, 0, 0, 9]);
    expect([...new Uint8Array(await executor.read(buffer, 2, 4))]).toEqual([5, 0]);
    expect(() => executor.write(buffer, new Uint8Array(4), 2)).toThrow(/write: bytes: bytes 2 to 6/);
    await expect(executor.read(buffer, buffer.bytes + 4)).rejects.toThrow(/read: bytes: bytes 0 to/);
    executor.release(buffer);
  });

  test("a second release and a use after release say so", async () => {
    const buffer = executor.allocate(4, "conv");
    const other = executor.allocate(4, "other");
    executor.release(buffer);
    const live = executor.memory().live;
    expect(() => executor.release(buffer)).toThrow(/conv: buffer \d+ was released before/);
    expect(executor.memory().live).toBe(live);
    expect(() => executor.run(mixLaunch(buffer, other, 1, 0))).toThrow(/conv: .*released/);
    expect(() => executor.write(buffer, new Uint8Array(4))).toThrow(/released/);
    await expect(executor.read(buffer, 4)).rejects.toThrow(/released/);
    executor.release(other);
  });

  test("the pool is bounded, and what is queued on a destroyed buffer still runs", async () => {
    const big = 8 * MIB;
    const buffers = Array.from({ length: 6 }, () => executor.allocate(big, "big"));
    const out = upload(executor, Uint32Array.of(0));
    for (const [i, buffer] of buffers.entries()) {
      executor.write(buffer, Uint32Array.of(i + 1));
      executor.run(mixLaunch(buffer, out, 1, 0));
    }
    for (const buffer of buffers) executor.release(buffer);
    expect(executor.memory().pooled).toBeLessThanOrEqual(32 * MIB);
    expect([...(await numbers(executor, out, 1))]).toEqual([63]);
    executor.release(out);
  });
});

describe("out of memory", () => {
  test("an absurd size is refused by name, with the device's limit", () => {
    const held = executor.allocate(MIB, "kept by matmul");
    const error = catching(() => executor.allocate(1e15, "broadcastTo"));
    expect(error).toBeInstanceOf(OutOfMemoryError);
    expect(error).toMatchObject({ asked: 1e15, live: executor.memory().live, labels: ["broadcastTo"] });
    expect(error.message).toMatch(
      /^broadcastTo: one buffer of 909.5 TiB .* binds \d.* at most \(maxStorageBufferBindingSize\) \(.* live, most of it by kept by matmul \(1 MiB\)\)/,
    );
    executor.release(held);
    expect(() => executor.allocate(NaN, "nan")).toThrow(/whole number of bytes, got NaN/);
    expect(() => executor.allocate(-4, "negative")).toThrow(/got -4/);
  });

  test("pooled bytes give way before the limit does", () => {
    const pooled = Array.from({ length: 3 }, () => executor.allocate(10 * MIB, "old"));
    for (const buffer of pooled) executor.release(buffer);
    const large = Array.from({ length: 3 }, () => executor.allocate(20 * MIB, "new"));
    const error = catching(() => executor.allocate(20 * MIB, "conv"));
    expect(error).toBeInstanceOf(OutOfMemoryError);
    expect(error.message).toMatch(
      /^conv: out of device memory: asked for 20 MiB with 60 MiB live, most of it by new \(60 MiB\)/,
    );
    for (const buffer of large) executor.release(buffer);
    executor.release(executor.allocate(20 * MIB, "again"));
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
