import { memory } from "@jnx/tensor";
import { expect } from "vitest";

/** Runs `body` `times` times after a first time, and fails unless live bytes are what they were after the first. */
export async function expectSteadyMemory(body: () => Promise<void>, times = 10): Promise<void> {
  await body();
  const before = memory();
  for (let k = 0; k < times; k++) await body();
  expect(memory().live, `live bytes after ${times} more runs`).toBe(before.live);
}
