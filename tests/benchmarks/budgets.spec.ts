import * as jnx from "jnx";
import { executor } from "@jnx/tensor";
import { useOwnDevice } from "@jnx/testing";
import { describe, expect, test } from "vitest";
import { openTraining } from "../../benchmarks/src/engines/jnx/training.ts";
import { findTask } from "../../benchmarks/src/tasks/index.ts";
import type { TrainTask } from "../../benchmarks/src/tasks/task.ts";

useOwnDevice();

const MIB = 2 ** 20;

/** Dispatches that a training step may have; jax-js takes 56, 43 and 89. */
describe.each([
  ["T7", 13],
  ["T8", 22],
  ["T9", 40],
] as const)("a training step of %s", (id, most) => {
  test(`is one submission of at most ${most} dispatches that move little more than they must`, async () => {
    const training = openTraining({ ...jnx, settled: () => executor().settled() }, findTask(id) as TrainTask); // these three train
    const report = training.explain?.();
    const before = jnx.memory().live;
    await training.step().item();
    await executor().settled();
    const counted = jnx.counters();
    training.step();
    await Promise.resolve();
    const { dispatches, submits } = jnx.counters();
    expect([dispatches - counted.dispatches, submits - counted.submits]).toEqual([report?.dispatches, 1]);
    // On the CPU products and convolutions pack their operands first: more dispatches, and what they pass on.
    const packs = executor().limits.sequential === true;
    expect(report?.dispatches).toBeLessThanOrEqual(packs ? 2 * most : most);
    expect(report?.bytesMoved).toBeLessThanOrEqual((packs ? 3.25 : 1.5) * (report?.bytesAtBorders ?? 0));
    // jax-js needs 125 MiB at its most for T9.
    if (id === "T9") expect(jnx.memory().peak).toBeLessThan(62 * MIB);
    expect(jnx.memory().live - before).toBeLessThan(64 * MIB);
  });
});
