import { setTimeout as sleep } from "node:timers/promises";
import type { Worker } from "node:worker_threads";
import { DeviceLostError, KernelError, OutOfMemoryError } from "@jnx/tensor";
import type { Executor } from "@jnx/tensor";
import type { DeviceBuffer } from "@jnx/tensor/internal";
import { wasmExecutor } from "@jnx/wgsl-wasm";
import type { WasmOptions } from "@jnx/wgsl-wasm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { handCompile, kernelOf } from "./modules.ts";

function make(options: WasmOptions = {}): Executor {
  return wasmExecutor({ compile: handCompile, ...options });
}

const mix = kernelOf("mix");

function upload(executor: Executor, data: Uint32Array): DeviceBuffer {
  const buffer = executor.allocate(data.byteLength, "upload");
  executor.write(buffer, data);
  return buffer;
}

async function numbers(executor: Executor, buffer: DeviceBuffer, count: number): Promise<number[]> {
  return [...new Uint32Array(await executor.read(buffer, 4 * count))];
}

async function rejection(promise: Promise<unknown>): Promise<Error> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof Error) return error;
  throw new Error("nothing was thrown");
}

interface Mix {
  readonly x: DeviceBuffer;
  readonly y: DeviceBuffer;
  readonly groups: readonly [number, number, number];
  readonly add?: number;
  readonly turns?: number;
}

function run(executor: Executor, { x, y, groups, add = 0, turns = 0 }: Mix, kernel = mix): void {
  const uniforms = [new Uint8Array(Uint32Array.of(add, turns).buffer)];
  executor.run({ label: "mix", kernel, buffers: [x, y], uniforms, grid: groups });
}

const range = (count: number): Uint32Array => Uint32Array.from({ length: count }, (_, i) => i);

/** The threads that take part in a dispatch that is long enough for all, by where their scratch is. */
async function threadsOf(executor: Executor, who = kernelOf("who")): Promise<readonly number[]> {
  const x = upload(executor, range(1));
  const y = executor.allocate(4 * 4000, "who");
  run(executor, { x, y, groups: [4000, 1, 1], turns: 5000 }, who);
  const found = [...new Set(await numbers(executor, y, 4000))].sort((a, b) => a - b);
  executor.release(x);
  executor.release(y);
  return found;
}

/** Until that many have computed; says how many did. Not in one dispatch: there may be fewer cores. */
async function started(executor: Executor, threads: number): Promise<number> {
  const who = kernelOf("who");
  const seen = new Set<number>();
  for (let i = 0; i < 1000 && seen.size < threads; i++) {
    for (const thread of await threadsOf(executor, who)) seen.add(thread);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return seen.size;
}

describe.each([1, 2, 5])("with %i threads", (threads) => {
  let executor: Executor;
  beforeAll(async () => {
    executor = make({ threads });
    await started(executor, threads);
  });
  afterAll(() => executor.destroy());

  test.each<[string, readonly [number, number, number], number]>([
    ["one group", [1, 1, 1], 0],
    ["a short dispatch", [100, 1, 1], 0],
    ["a long dispatch", [200, 5, 3], 20_000],
    ["a dispatch of many groups", [1000, 20, 10], 10],
    ["nothing", [0, 1, 1], 0],
  ])("%s runs every workgroup once", async (_, groups, turns) => {
    const count = groups[0] * groups[1] * groups[2];
    const x = upload(executor, range(count + 1));
    const y = upload(executor, new Uint32Array(count + 1));
    for (let i = 0; i < 3; i++) run(executor, { x, y, groups, add: 7, turns });
    const expected = Array.from({ length: count + 1 }, (_, i) => (i < count ? 9 * i + 21 : 0));
    expect(await numbers(executor, y, count + 1)).toEqual(expected);
    executor.release(x);
    executor.release(y);
  });

  test("all of them compute", async () => {
    expect(await started(executor, threads)).toBe(threads);
    expect(executor.info.features.includes("threads")).toBe(threads > 1);
  });

  test("every thread has scratch of its own", async () => {
    const x = upload(executor, range(1));
    const y = executor.allocate(4 * 5000, "y");
    for (let i = 0; i < 3; i++) run(executor, { x, y, groups: [5000, 1, 1] }, kernelOf("scratch"));
    expect(await numbers(executor, y, 5000)).toEqual([...range(5000)]);
    executor.release(x);
    executor.release(y);
  });

  test("a trap is thrown by the next read, names op and kernel, and harms nothing after it", async () => {
    const x = upload(executor, range(1000));
    const y = upload(executor, new Uint32Array(1000));
    for (const group of [0, 999]) {
      run(executor, { x, y, groups: [1000, 1, 1], add: group }, kernelOf("trap"));
      const [error, other] = await Promise.all([rejection(executor.read(y, 4)), rejection(executor.settled())]);
      expect(error).toBeInstanceOf(KernelError);
      expect(error.message).toMatch(/^mix: kernel trap failed, results are invalid: .*unreachable/);
      expect(other).toBe(error);
      await executor.settled();
    }
    run(executor, { x, y, groups: [1000, 1, 1], turns: 5000 });
    expect((await numbers(executor, y, 1000)).at(-1)).toBe(2997);
    executor.release(x);
    executor.release(y);
  });

  test("memory that grows keeps what is in it", async () => {
    const x = upload(executor, range(1000));
    const y = upload(executor, new Uint32Array(1000));
    const large = executor.allocate(100 * 2 ** 20, "large");
    run(executor, { x, y, groups: [1000, 1, 1], turns: 2000 }, kernelOf("mix"));
    expect((await numbers(executor, y, 1000)).at(-1)).toBe(2997);
    for (const buffer of [x, y, large]) executor.release(buffer);
  });
});

describe("kernels", () => {
  test("one that does not compile is thrown by the next read", async () => {
    const executor = make({ threads: 1 });
    const x = upload(executor, range(1));
    const y = upload(executor, range(1));
    run(executor, { x, y, groups: [1, 1, 1] }, kernelOf("nonsense"));
    const error = await rejection(executor.read(y, 4));
    expect(error).toBeInstanceOf(KernelError);
    expect(error.message).toMatch(/^mix: kernel nonsense does not compile: .*no body/);
    expect((await rejection(executor.warmup([kernelOf("nonsense")]))).message).toMatch(/^warmup: kernel nonsense/);
    executor.destroy();
  });

  test("an overrun that a debug kernel found names the binding", async () => {
    const executor = make({ threads: 2, clampIndices: true });
    const x = upload(executor, range(1));
    const y = upload(executor, range(1));
    run(executor, { x, y, groups: [1, 1, 1] }, kernelOf("fault"));
    expect((await rejection(executor.settled())).message).toMatch(
      /^mix: kernel fault failed, .* it went beyond y, a guard/,
    );
    run(executor, { x, y, groups: [1, 1, 1] });
    await executor.settled();
    executor.destroy();
  });

  test("the cache is bounded, and what was dropped is compiled again", async () => {
    const executor = make({ threads: 2, maxPipelines: 2 });
    const x = upload(executor, Uint32Array.of(1));
    const y = upload(executor, Uint32Array.of(0));
    const kernels = [kernelOf("mix"), kernelOf("mix"), kernelOf("mix")];
    for (const kernel of [...kernels, ...kernels]) run(executor, { x, y, groups: [1, 1, 1] }, kernel);
    expect(await numbers(executor, y, 1)).toEqual([18]);
    expect(executor.counters().pipelines).toBe(6);
    executor.destroy();
  });
});

describe("programs", () => {
  test("replay their steps in order, on the buffers they are given", async () => {
    const executor = make({ threads: 1 });
    const step = { kind: "launch", label: "s", kernel: mix, grid: [4, 1, 1] } as const;
    const uniform = (add: number): Uint8Array => new Uint8Array(Uint32Array.of(add, 0).buffer);
    const program = executor.createProgram(
      [
        { ...step, slots: [0, 1], uniforms: [uniform(1)] },
        { kind: "copy", from: 1, to: 2, bytes: 8 },
        { ...step, slots: [2, 0], uniforms: [uniform(5)] },
      ],
      3,
      "p",
    );
    const buffers = [1, 2, 3].map((value) => upload(executor, new Uint32Array(4).fill(value)));
    executor.replay(program, buffers);
    const results = await Promise.all(buffers.map((buffer) => numbers(executor, buffer, 4)));
    // y = 2 + 3 + 1 = 6, copied to the first two of the third; x = 1 + 18 + 5, or 1 + 9 + 5.
    expect(results).toEqual([
      [24, 24, 15, 15],
      [6, 6, 6, 6],
      [6, 6, 3, 3],
    ]);
    program.dispose();
    expect(() => executor.replay(program, buffers)).toThrow(/p: the program was disposed/);
    executor.destroy();
  });
});

describe("memory", () => {
  test("what is freed in pieces can be used as one", () => {
    const limit = 2 ** 20;
    const executor = make({ threads: 1, poolLimit: 0 });
    for (let round = 0; round < 200; round++) {
      const pieces = Array.from({ length: 16 }, () => executor.allocate(limit * 4, "piece"));
      for (const piece of pieces) executor.release(piece);
      executor.release(executor.allocate(64 * limit, "whole"));
    }
    executor.destroy();
  });

  test("out of memory names what holds most, and is over when it is given back", async () => {
    const executor = make({ threads: 1 });
    const held: DeviceBuffer[] = [];
    let error: unknown;
    try {
      for (let i = 0; i < 100; i++) held.push(executor.allocate(2 ** 29, i % 2 ? "attention" : "matmul"));
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(OutOfMemoryError);
    expect(String(error)).toMatch(
      /(attention|matmul): out of device memory: asked for 512 MiB with .* live, most of it by (matmul|attention) \(/,
    );
    for (const buffer of held) executor.release(buffer);
    expect(executor.memory().live).toBe(0);
    executor.release(executor.allocate(2 ** 30, "again"));
    expect(() => executor.allocate(2 ** 40, "absurd")).toThrow(/absurd: one buffer of 1 TiB was asked for/);
    executor.destroy();
  });
});

describe("loss", () => {
  test("pending reads reject, later calls throw, and a new executor works", async () => {
    let told = 0;
    const executor = make({ threads: 2, onLost: () => told++ });
    const x = upload(executor, range(4));
    const pending = executor.read(x, 16);
    executor.destroy();
    expect(await rejection(pending)).toBeInstanceOf(DeviceLostError);
    expect(() => executor.allocate(4, "a")).toThrow(DeviceLostError);
    executor.release(x);
    expect(executor.memory()).toMatchObject({ live: 0, buffers: 0 });
    expect(told).toBe(1);
    const next = make({ threads: 2 });
    expect(await numbers(next, upload(next, range(2)), 2)).toEqual([0, 1]);
    expect(() => next.release(x)).not.toThrow();
    expect(() => next.write(x, new Uint8Array(4))).toThrow(/belongs to another device/);
    next.destroy();
  });
});

describe("a thread that is late", () => {
  /** Node's workers, as they are started. */
  const workers: Worker[] = [];
  const module = process.getBuiltinModule("node:worker_threads");
  const original = module.Worker;
  beforeAll(() => {
    module.Worker = class extends original {
      constructor(...args: ConstructorParameters<typeof Worker>) {
        super(...args);
        workers.push(this);
      }
    };
  });
  afterAll(() => {
    module.Worker = original;
  });

  const GROUPS = 4000;

  /** A dispatch that all threads but the calling one take seconds for. */
  async function late(executor: Executor): Promise<DeviceBuffer> {
    await started(executor, 2);
    const [own = 0] = await threadsOf(executor);
    const x = upload(executor, range(GROUPS));
    const y = upload(executor, new Uint32Array(GROUPS));
    const kernel = kernelOf("late");
    const some = { x, y, groups: [GROUPS, 1, 1], add: own } as const;
    for (let i = 0; i < 8; i++) run(executor, { ...some, turns: 3000 }, kernel);
    executor.write(y, new Uint32Array(GROUPS));
    run(executor, { ...some, turns: 1e8 }, kernel);
    return y;
  }

  /** A read that waits for the other thread: on a busy machine it may wake when there is nothing left to take. */
  async function waiting(executor: Executor): Promise<{ readonly pending: Promise<ArrayBuffer> }> {
    for (let tries = 0; tries < 20; tries++) {
      const pending = executor.read(await late(executor), 4);
      const soon = await Promise.race([pending.then(() => true), sleep(50, false)]);
      if (!soon) return { pending };
    }
    throw new Error("the other thread never had anything to do");
  }

  test("is waited for without blocking events, and all that follows keeps its order", async () => {
    const executor = make({ threads: 2 });
    let turns = 0;
    // On a busy machine the other thread may wake when there is nothing left to take.
    for (let tries = 0; turns === 0 && tries < 20; tries++) {
      const y = await late(executor);
      executor.write(y, Uint32Array.of(100), 8);
      const timer = setInterval(() => turns++, 5);
      const result = await numbers(executor, y, GROUPS);
      clearInterval(timer);
      expect(result).toEqual([0, 1, 100, ...range(GROUPS).slice(3)]);
    }
    expect(turns).toBeGreaterThan(0);
    executor.destroy();
  });

  test("is not started for little work", async () => {
    const before = workers.length;
    const executor = make({ threads: 2 });
    const some = { x: upload(executor, range(100)), y: upload(executor, range(100)), groups: [100, 1, 1] } as const;
    for (let i = 0; i < 100; i++) run(executor, some);
    await executor.settled();
    expect(workers.length).toBe(before);
    expect(await started(executor, 2)).toBe(2);
    expect(workers.length).toBe(before + 1);
    executor.destroy();
  });

  test("and dies: reads reject with op and kernel, and the next executor works", async () => {
    const lost: string[] = [];
    const executor = make({ threads: 2, onLost: (error) => lost.push(error.message) });
    const { pending } = await waiting(executor);
    await workers.at(-1)?.terminate();
    const error = await rejection(pending);
    expect(error).toBeInstanceOf(DeviceLostError);
    expect(error.message).toMatch(
      /the device was lost \(a thread died while it ran mix: kernel late: .*Call `await init/,
    );
    expect(lost).toHaveLength(1);
    expect(() => executor.allocate(4, "x")).toThrow(DeviceLostError);
    const next = make({ threads: 2 });
    expect(await started(next, 2)).toBe(2);
    next.destroy();
  });
});
