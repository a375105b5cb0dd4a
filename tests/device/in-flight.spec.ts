import { makeAdapter } from "@jnx/testing";
import { DeviceLostError } from "@jnx/tensor";
import { webgpuExecutor } from "@jnx/tensor/internal";
import type { Executor } from "@jnx/tensor";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { mixKernel, mixLaunch, numbers, params, upload } from "./kit.ts";

/** What the device was given: dispatches of each submission, and how many of all are not done yet, now and at most. */
interface Watched {
  readonly submissions: number[];
  now: number;
  most: number;
}

/** Watches a device's own calls, not ours. */
function watch(device: GPUDevice): Watched {
  const watched: Watched = { submissions: [], now: 0, most: 0 };
  let encoded = 0;
  const after = (target: object, method: string, then: (made: unknown) => void): void => {
    const original: unknown = Reflect.get(target, method);
    if (typeof original !== "function") throw new Error(`no method ${method}`);
    Reflect.set(target, method, (...args: unknown[]): unknown => {
      const made: unknown = Reflect.apply(original, target, args);
      then(made);
      return made;
    });
  };
  const within = (method: string, then: (made: object) => void) => (made: unknown) => {
    if (typeof made !== "object" || made === null) throw new Error(`${method} made nothing`);
    then(made);
  };
  after(
    device,
    "createCommandEncoder",
    within("createCommandEncoder", (encoder) => {
      after(
        encoder,
        "beginComputePass",
        within("beginComputePass", (pass) => after(pass, "dispatchWorkgroups", () => void encoded++)),
      );
    }),
  );
  after(device.queue, "submit", () => {
    const dispatches = encoded;
    encoded = 0;
    watched.submissions.push(dispatches);
    watched.now += dispatches;
    watched.most = Math.max(watched.most, watched.now);
    void device.queue.onSubmittedWorkDone().then(
      () => void (watched.now -= dispatches),
      () => undefined,
    );
  });
  return watched;
}

const LIMIT = 64;
/** One portion and one submission of 32 may be on top. */
const BOUND = LIMIT + LIMIT / 8 + 32;

describe("commands in flight", () => {
  let device: GPUDevice;
  let executor: Executor;
  let watched: Watched;
  beforeAll(async () => {
    device = await (await makeAdapter()).requestDevice();
    watched = watch(device);
    executor = webgpuExecutor(device, {}, { maxInFlight: LIMIT });
  });
  afterAll(() => executor.destroy());

  test("are bounded for a caller that never waits; the rest comes later, in order, with its writes", async () => {
    const x = upload(executor, Uint32Array.of(1));
    const y = upload(executor, Uint32Array.of(0));
    const kernel = mixKernel();
    await executor.warmup([kernel]);
    watched.most = watched.now;
    let expected = 0;
    for (let i = 0; i < 2000; i++) {
      if (i % 100 === 0) executor.write(x, Uint32Array.of(i));
      executor.run(mixLaunch(x, y, 1, i, kernel));
      expected = (expected + 3 * (i - (i % 100)) + i) % 2 ** 32;
    }
    executor.flush();
    expect(executor.counters().dispatches).toBeLessThanOrEqual(BOUND);
    expect(await numbers(executor, y, 1)).toEqual(Uint32Array.of(expected));
    expect(watched.most).toBeLessThanOrEqual(BOUND);
    expect(executor.counters().dispatches).toBe(2000);
    executor.release(x);
    executor.release(y);
  });

  test("go on when nobody awaits", async () => {
    const x = upload(executor, Uint32Array.of(1));
    const y = upload(executor, Uint32Array.of(0));
    const before = executor.counters().dispatches;
    for (let i = 0; i < 1000; i++) executor.run(mixLaunch(x, y, 1, i));
    executor.flush();
    const begin = performance.now();
    while (executor.counters().dispatches < before + 1000 && performance.now() - begin < 20_000)
      await new Promise((resolve) => setTimeout(resolve, 5));
    expect(executor.counters().dispatches).toBe(before + 1000);
    executor.release(x);
    executor.release(y);
  });

  test("what runs together stays one submission, larger than the limit or not", async () => {
    const x = upload(executor, Uint32Array.of(1));
    const y = upload(executor, Uint32Array.of(0));
    const kernel = mixKernel();
    await executor.warmup([kernel]);
    await executor.settled();
    const program = executor.createProgram(
      [{ kind: "launch", label: "s", kernel, slots: [0, 1], uniforms: [params(1, 1)], grid: [1, 1, 1] }],
      2,
      "p",
    );
    watched.submissions.length = 0;
    for (let round = 0; round < 3; round++) {
      executor.together(() => {
        for (let i = 0; i < 150; i++) executor.replay(program, [x, y]);
      });
      executor.flush();
    }
    expect(await numbers(executor, y, 1)).toEqual(Uint32Array.of(3 * 150 * 4));
    expect(watched.submissions.filter((dispatches) => dispatches > 0)).toEqual([150, 150, 150]);
    program.dispose();
    executor.release(x);
    executor.release(y);
  });

  test("an error of a command that had to wait is thrown by the reads after it, and by none before", async () => {
    const x = upload(executor, Uint32Array.of(1));
    const y = upload(executor, Uint32Array.of(0));
    const broken = { ...mixKernel("broken"), code: "@compute @workgroup_size(1) fn main() { return 1; }" };
    for (let i = 0; i < 500; i++) executor.run(mixLaunch(x, y, 1, 0));
    const right = numbers(executor, y, 1);
    executor.run({ ...mixLaunch(x, y, 1, 0, broken), label: "broken" });
    const wrong = numbers(executor, y, 1).catch((error: unknown) => error);
    expect(await right).toEqual(Uint32Array.of(1500));
    expect(await wrong).toMatchObject({ labels: ["broken"] });
    executor.release(x);
    executor.release(y);
  });

  test("a loss rejects the reads of what had to wait", async () => {
    const lost = await (await makeAdapter()).requestDevice();
    const other = webgpuExecutor(lost, {}, { maxInFlight: LIMIT });
    const x = upload(other, Uint32Array.of(1));
    const y = upload(other, Uint32Array.of(0));
    for (let i = 0; i < 1000; i++) other.run(mixLaunch(x, y, 1, 0));
    const reading = numbers(other, y, 1).catch((error: unknown) => error);
    lost.destroy();
    expect(await reading).toBeInstanceOf(DeviceLostError);
  });
});
