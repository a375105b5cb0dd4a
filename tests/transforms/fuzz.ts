import type fc from "fast-check";

/** `JNX_FUZZ=n` runs n programs from a seed of its own instead of the few that every test run does. */
export function runs(few: number): fc.Parameters<unknown> {
  const asked = Number(process.env["JNX_FUZZ"] ?? 0);
  const seed = Number(process.env["JNX_FUZZ_SEED"] ?? (asked > 0 ? Date.now() % 2 ** 31 : 2024));
  return { numRuns: asked > 0 ? asked : few, seed };
}
