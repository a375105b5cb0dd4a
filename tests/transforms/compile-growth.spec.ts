import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";

/** Flags with which the engine counts every call and every turn of a loop. */
const COUNTED = ["--no-opt", "--no-sparkplug", "--no-flush-bytecode"];

describe("compiling a training step", () => {
  test("takes work that grows with the number of layers, and no faster", async () => {
    const script = join(import.meta.dirname, "child/chains.ts");
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [...COUNTED, "--conditions=@jnx/source", "--import", "tsx", script],
      { cwd: join(import.meta.dirname, "../..") },
    );
    const counts = JSON.parse(stdout) as Record<string, [number, number, number]>; // as the script writes it
    expect(Object.keys(counts)).toHaveLength(5);
    // Of a quadratic part the last third is five thirds of the middle one.
    for (const [name, [first, second, third]] of Object.entries(counts))
      expect((third - second) / (second - first), `${name}: ${[first, second, third].join(", ")}`).toBeLessThan(1.15);
  }, 300_000);
});
