import { expect, test } from "vitest";
import { compareEngines, type Options } from "@jnx/benchmarks/compare.ts";
import { prepareEngines } from "@jnx/benchmarks/engines/index.ts";
import { prepareWorker } from "@jnx/benchmarks/harness.ts";
import type { Results } from "@jnx/benchmarks/results.ts";

test("commands given again by bare WebGPU calls are as right as the first time", { timeout: 120_000 }, async () => {
  const engines = ["bare", "encoded"];
  await prepareWorker();
  await prepareEngines(engines, "webgpu");
  const results = await compareEngines({
    ...{ adapter: "swiftshader", engines, tasks: ["T6", "T10"], repetitions: 2, turn: 2, nodeFlags: [] },
    signal: new AbortController().signal,
    progress: () => undefined,
    finished: () => undefined,
  });
  for (const engine of engines) {
    const outcomes = results.tasks.map(({ outcomes }) => outcomes[engine]);
    expect(outcomes.map((one) => [one?.failed, one?.counts?.dispatches, one?.counts?.submits])).toEqual([
      [undefined, 2, 1],
      [undefined, 200, 7],
    ]);
    for (const one of outcomes) expect(one?.error).toBeLessThan(3e-5);
  }
});

// Whole processes on the CPU device: what they took is not looked at.
test(
  "a run checks every engine's results, and Ctrl-C leaves the tasks that were finished",
  { timeout: 120_000 },
  async () => {
    await prepareWorker();
    await prepareEngines(["jnx"], "wasm");
    const controller = new AbortController();
    const seen: Results[] = [];
    const options: Options = {
      ...{ adapter: "wasm", engines: ["jnx", "jaxjs"], tasks: ["T10", "T13"], repetitions: 5, turn: 2, nodeFlags: [] },
      signal: controller.signal,
      progress: () => undefined,
      finished(results) {
        seen.push(results);
        if (results.tasks.length === 1) controller.abort(new Error("interrupted"));
      },
    };
    const results = await compareEngines(options);
    expect(results).toMatchObject({ format: 1, adapter: "wasm", interrupted: true });
    expect(results.tasks.map(({ id }) => id)).toEqual(["T10"]);
    expect(seen.map(({ tasks }) => tasks.length)).toEqual([0, 1, 1]);
    for (const name of ["jnx", "jaxjs"]) {
      const outcome = results.tasks[0]?.outcomes[name];
      expect(outcome?.failed, name).toBeUndefined();
      expect(outcome?.error, name).toBeLessThan(2e-5);
      expect(outcome?.times?.length, name).toBeGreaterThanOrEqual(10);
    }
  },
);
