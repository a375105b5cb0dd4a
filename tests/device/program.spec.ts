import { makeExecutor } from "@jnx/testing";
import type { Executor } from "@jnx/tensor";
import type { Program, ProgramStep } from "@jnx/tensor/internal";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { mixKernel, mixLaunch, numbers, params, random, upload } from "./kit.ts";

let executor: Executor;
beforeAll(async () => {
  executor = await makeExecutor();
});
afterAll(() => executor.destroy());

const N = 100;
const SLOTS = 5;

/** A chain of launches over the slots, with a few kernels. */
function chain(length: number, seed = 1): ProgramStep[] {
  const pick = random(seed);
  const kernels = [mixKernel("first"), mixKernel("second")];
  return Array.from({ length }, (_, i): ProgramStep => {
    const from = pick(SLOTS);
    const to = (from + 1 + pick(SLOTS - 1)) % SLOTS;
    const kernel = kernels[i % 2] ?? mixKernel();
    return { kind: "launch", label: `step ${i}`, kernel, slots: [from, to], uniforms: [params(N, i)], grid: [2, 1, 1] };
  });
}

const inputs = Array.from({ length: SLOTS }, (_, i) => Uint32Array.from({ length: N }, (_, j) => 1000 * i + j));

/** What the slots hold after `body`. */
async function outcome(body: (buffers: ReturnType<typeof upload>[]) => void): Promise<number[][]> {
  const buffers = inputs.map((data) => upload(executor, data));
  body(buffers);
  const results = await Promise.all(buffers.map((buffer) => numbers(executor, buffer, N)));
  for (const buffer of buffers) executor.release(buffer);
  return results.map((result) => [...result]);
}

describe("program", () => {
  test("a replay does what its steps do one by one, in one submission and one pass", async () => {
    const steps = chain(300);
    const program = executor.createProgram(steps, SLOTS, "chain");
    const eager = await outcome((buffers) => {
      for (const step of steps) {
        if (step.kind !== "launch") continue;
        const own = step.slots.flatMap((slot) => buffers[slot] ?? []);
        executor.run({
          label: step.label,
          kernel: step.kernel,
          buffers: own,
          uniforms: step.uniforms,
          grid: step.grid,
        });
      }
    });
    const before = executor.counters();
    const replayed = await outcome((buffers) => {
      executor.replay(program, buffers);
      executor.flush();
    });
    const after = executor.counters();
    expect(replayed).toEqual(eager);
    expect(after.dispatches - before.dispatches).toBe(300);
    expect(after.passes - before.passes).toBe(1);
    // The replay's, and that of the reads.
    expect(after.submits - before.submits).toBe(2);
    program.dispose();
  });

  test("steps run while pipelines of later ones are still being compiled", async () => {
    const kernels = [mixKernel("ready"), mixKernel("not yet")];
    await executor.warmup(kernels.slice(0, 1));
    const steps = kernels.map((kernel, i): ProgramStep => {
      return {
        kind: "launch",
        label: `step ${i}`,
        kernel,
        slots: [i, i + 1],
        uniforms: [params(N, i)],
        grid: [2, 1, 1],
      };
    });
    const program = executor.createProgram(steps, SLOTS, "early");
    const run = (buffers: ReturnType<typeof upload>[]): void => {
      executor.replay(program, buffers);
      executor.flush();
    };
    const before = executor.counters();
    const first = await outcome((buffers) => {
      run(buffers);
      const { dispatches, submits } = executor.counters();
      expect([dispatches - before.dispatches, submits - before.submits]).toEqual([1, 1]);
    });
    expect(executor.counters().dispatches - before.dispatches).toBe(2);
    // The same again, with all pipelines there.
    expect(await outcome(run)).toEqual(first);
    program.dispose();
  });

  test("later replays on the same buffers make nothing: no pipelines, bind groups, buffers or uploads", async () => {
    const program = executor.createProgram(chain(50, 2), SLOTS, "chain");
    const buffers = inputs.map((data) => upload(executor, data));
    executor.replay(program, buffers);
    await executor.settled();
    const before = executor.counters();
    for (let i = 0; i < 20; i++) executor.replay(program, buffers);
    await executor.settled();
    const { dispatches, submits, passes, ...rest } = executor.counters();
    expect(rest).toEqual({
      pipelines: before.pipelines,
      bindGroups: before.bindGroups,
      bufferCreations: before.bufferCreations,
      writes: before.writes,
      reads: before.reads,
    });
    expect(dispatches - before.dispatches).toBe(1000);
    expect(submits - before.submits).toBeLessThanOrEqual(20);
    expect(passes - before.passes).toBe(submits - before.submits);
    for (const buffer of buffers) executor.release(buffer);
    program.dispose();
  });

  test("two sets of buffers that take turns are both kept", async () => {
    const program = executor.createProgram(chain(10, 3), SLOTS, "chain");
    const sets = [0, 1].map(() => inputs.map((data) => upload(executor, data)));
    for (const buffers of sets) executor.replay(program, buffers);
    await executor.settled();
    const before = executor.counters().bindGroups;
    for (let i = 0; i < 6; i++) executor.replay(program, sets[i % 2] ?? []);
    await executor.settled();
    expect(executor.counters().bindGroups).toBe(before);
    for (const buffer of sets.flat()) executor.release(buffer);
    program.dispose();
  });

  test("copies are steps, and split the pass", async () => {
    const steps: ProgramStep[] = [...chain(2, 4), { kind: "copy", from: 0, to: 4, bytes: 4 * N }, ...chain(2, 5)];
    const program = executor.createProgram(steps, SLOTS, "copying");
    await executor.warmup(steps.flatMap((step) => (step.kind === "launch" ? [step.kernel] : [])));
    const before = executor.counters();
    await outcome((buffers) => executor.replay(program, buffers));
    const after = executor.counters();
    expect(after.submits - before.submits).toBe(1);
    expect(after.passes - before.passes).toBe(2);
    program.dispose();
  });

  test("replays that are queued run although the program is disposed", async () => {
    const kernel = mixKernel("cold");
    const step: ProgramStep = {
      kind: "launch",
      label: "s",
      kernel,
      slots: [0, 1],
      uniforms: [params(N, 1)],
      grid: [2, 1, 1],
    };
    const program = executor.createProgram([step], SLOTS, "short");
    const [, second] = await outcome((buffers) => {
      executor.replay(program, buffers);
      program.dispose();
      expect(() => executor.replay(program, buffers)).toThrow(/^short: the program was disposed/);
    });
    expect(second?.slice(0, 3)).toEqual([1001, 1005, 1009]);
  });

  test("wrong programs and buffers are refused", async () => {
    const launch = chain(1)[0];
    if (launch?.kind !== "launch") throw new Error("chain makes launches");
    expect(() => executor.createProgram([{ ...launch, slots: [0, 7] }], SLOTS, "p")).toThrow(
      /slot 7 is not one of its 5/,
    );
    expect(() => executor.createProgram([{ ...launch, slots: [0] }], SLOTS, "p")).toThrow(/binds 2 buffers .* got 1/);
    expect(() => executor.createProgram([{ ...launch, grid: [65536, 1, 1] }], SLOTS, "p")).toThrow(/grid of 65536/);
    const program = executor.createProgram([{ ...launch, slots: [0, 1] }], 2, "p");
    const x = upload(executor, Uint32Array.of(1));
    expect(() => executor.replay(program, [x])).toThrow(/^p: the program takes 2 buffers, got 1/);
    expect(() => executor.replay(program, [x, x])).toThrow(/would write y while the same buffer is bound as x/);
    const foreign: Program = { steps: [], slots: 0, dispose: () => undefined };
    expect(() => executor.replay(foreign, [])).toThrow(/belongs to another device/);
    executor.release(x);
    await executor.settled();
  });

  test("replays and eager launches keep their order", async () => {
    const program = executor.createProgram(
      [{ kind: "launch", label: "s", kernel: mixKernel(), slots: [0, 1], uniforms: [params(1, 0)], grid: [1, 1, 1] }],
      2,
      "p",
    );
    const x = upload(executor, Uint32Array.of(1));
    const y = upload(executor, Uint32Array.of(0));
    executor.run(mixLaunch(x, y, 1, 0));
    executor.replay(program, [y, x]);
    executor.write(y, Uint32Array.of(100));
    executor.run(mixLaunch(x, y, 1, 0));
    expect([...(await numbers(executor, y, 1))]).toEqual([130]);
    executor.release(x);
    executor.release(y);
    program.dispose();
  });

  test("a launch whose grid lies in a buffer has the size that is there, and is skipped for a zero", async () => {
    const step = (offset: number): ProgramStep => ({
      kind: "launch",
      label: "s",
      kernel: mixKernel(),
      slots: [0, 1],
      uniforms: [params(100, 7)],
      grid: [2, 1, 1],
      indirect: { slot: 2, offset },
    });
    const program = executor.createProgram([step(0), step(12), step(24)], 3, "p");
    const x = upload(executor, new Uint32Array(100));
    const y = upload(executor, new Uint32Array(100));
    // All of it, none of it, the first workgroup.
    const grids = upload(executor, Uint32Array.of(2, 1, 1, 0, 1, 1, 1, 1, 1));
    executor.replay(program, [x, y, grids]);
    expect([...(await numbers(executor, y, 100))]).toEqual(Array.from({ length: 100 }, (_, i) => (i < 64 ? 14 : 7)));
    expect(
      () => executor.createProgram([{ ...step(0), indirect: { slot: 3, offset: 0 } } as ProgramStep], 3, "p"), // as: a launch
    ).toThrow(/slot 3 is not one of its 3/);
    for (const buffer of [x, y, grids]) executor.release(buffer);
    program.dispose();
  });
});
