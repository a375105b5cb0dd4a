import { array, type TensorLike } from "@jnx/tensor";
import { asTensor } from "@jnx/tensor/internal";
import { jit } from "@jnx/compile";
import * as optax from "@jnx/optax";
import { useDevice } from "@jnx/testing";
import { describe, expect, it } from "vitest";
import { goldenArray } from "../goldens/read.ts";

useDevice();

const schedules: Record<string, optax.Schedule> = {
  constant: optax.constantSchedule(0.3),
  linear: optax.linearSchedule(0, 1, 4),
  polynomial: optax.polynomialSchedule(1, 0.1, 2, 10, { transitionBegin: 2 }),
  exponential: optax.exponentialDecay(1, 5, 0.5),
  "exponential staircase": optax.exponentialDecay(1, 5, 0.5, { transitionBegin: 2, staircase: true, endValue: 0.3 }),
  cosine: optax.cosineDecaySchedule(1, 10, { alpha: 0.1 }),
};

describe("schedules equal Optax's", () => {
  for (const [name, schedule] of Object.entries(schedules)) {
    it(name, async () => {
      const expected = goldenArray("optax-schedules", name).data;
      const values = await Promise.all(Array.from(expected, (_, count) => asTensor(schedule(count), name).item()));
      values.forEach((value, k) => expect(value).toBeCloseTo(expected[k] ?? Number.NaN, 6));
    });
  }

  it("a count that changes is data: one trace", async () => {
    const f = jit((count: TensorLike) => asTensor(optax.cosineDecaySchedule(1, 10)(count), "schedule"));
    const values = [await f(array(0)).item(), await f(array(5)).item(), await f(array(10)).item()];
    expect(values.map((value) => Math.round(value * 1e6) / 1e6)).toEqual([1, 0.5, 0]);
    expect(f.traces).toBe(1);
  });
});

describe("mistakes", () => {
  it("steps must be positive, numbers finite", () => {
    expect(() => optax.cosineDecaySchedule(1, 0)).toThrow(/decaySteps must be positive, received 0/);
    expect(() => optax.linearSchedule(Number.NaN, 1, 3)).toThrow(/initValue must be a finite number/);
  });
});
