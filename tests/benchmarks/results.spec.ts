import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { chart } from "@jnx/benchmarks/chart.ts";
import { differences } from "@jnx/benchmarks/diff.ts";
import { engineTables, failures, markdown } from "@jnx/benchmarks/report.ts";
import { readResults, writeResults, type Outcome, type Results } from "@jnx/benchmarks/results.ts";
import { csv, rowsOf } from "@jnx/benchmarks/rows.ts";
import { summarize } from "@jnx/benchmarks/stats.ts";

const folder = mkdtempSync(join(tmpdir(), "jnx-bench-"));
afterAll(() => rmSync(folder, { recursive: true }));

const counts = {
  ...{ dispatches: 2, passes: 1, submits: 1, bindGroups: 0, writeBuffer: 0, copies: 0 },
  ...{ buffersCreated: 0, pipelines: 0, wgslBytes: 0, bytesBound: 4096 },
};

function outcome(times: readonly number[], dispatches = 2): Outcome {
  return {
    ...{ error: 1e-7, times, summary: summarize(times), gpuMs: 1.5, bytesPeak: 2 ** 20 },
    first: { ms: 40, pipelines: 3, wgslBytes: 1000 },
    counts: { ...counts, dispatches },
  };
}

/** A run of an adapter that does 10 GFLOP/s and copies 4 GB/s. */
function run(ours: Outcome, theirs: Outcome = outcome([20, 20, 20])): Results {
  const peak = { gflops: 10, kernelGBs: 4, copyGBs: 2 };
  return {
    ...{ format: 1, adapter: "swiftshader", device: "a driver", engines: [] },
    host: { cpu: "a cpu", cores: 2, node: "v20", loadBefore: 0 },
    roofline: { start: peak, end: { ...peak, gflops: 8 } },
    tasks: [
      { id: "T1", title: 'a "product", square', flops: 5e7, outcomes: { jnx: ours, jaxjs: theirs } },
      { id: "T2", title: "a copy", bytes: 2e7, outcomes: { jnx: outcome([10, 10, 10]) } },
      { id: "T10", title: "a chain", operations: 200, outcomes: { jnx: outcome([10, 10, 10]) } },
    ],
  };
}

describe("a benchmark's rows", () => {
  const results = run(outcome([10, 10, 12]));

  test("rates at the minimum, shares of the roofline's best, counts", () => {
    const [product, , copy, chain] = rowsOf(results);
    expect(product).toMatchObject({
      ...{ task: "T1", engine: "jnx", minMs: 10, medianMs: 10, rate: 5, rateUnit: "GFLOP/s", roofline: 0.5 },
      ...{ dispatches: 2, bytesMoved: 4096, pipelines: 3, firstMs: 40, gpuMs: 1.5 },
    });
    expect(copy).toMatchObject({ rate: 2, rateUnit: "GB/s", roofline: 0.5 });
    expect(chain).toMatchObject({ rate: 50, rateUnit: "µs each" });
    expect(chain).not.toHaveProperty("roofline");
  });

  test("what the engine says it moved goes before what was bound", () => {
    const [row] = rowsOf(run({ ...outcome([10]), bytesMoved: 512 }));
    expect(row?.bytesMoved).toBe(512);
  });

  test("CSV quotes what needs it and has a column for every field", () => {
    const [head, first] = csv(results).split("\r\n");
    expect(head?.split(",").slice(0, 5)).toEqual(["task", "title", "engine", "minMs", "medianMs"]);
    expect(first).toMatch(/^T1,"a ""product"", square",jnx,10,10,/);
  });

  test("one failed engine is a failure and a row, and hides nothing", () => {
    const wrong = run({ failed: "wrong result", error: 1 });
    expect(failures(wrong)).toEqual(["T1 jnx: wrong result"]);
    expect(engineTables(wrong)[0]?.rows[1]).toContain("FAILED");
    expect(markdown(wrong)).toContain("wrong result");
  });

  test("the chart is an SVG with a bar for each time", async () => {
    const svg = await chart(results);
    expect(svg).toMatch(/^<svg /);
    expect(svg.match(/aria-roledescription="bar"/g)).toHaveLength(4);
  });

  test("an interrupted run says so", () => {
    expect(markdown({ ...results, interrupted: true })).toContain("INTERRUPTED");
  });
});

describe("a results file", () => {
  test("is read as it was written; others are refused by name", () => {
    const file = join(folder, "results.json");
    const results = run(outcome([10]));
    writeResults(file, results);
    expect(readResults(file)).toEqual(results);
    const other = join(folder, "other.json");
    writeFileSync(other, `{"format":2}`);
    expect(() => readResults(other)).toThrow(/other\.json is not a results file of format 1/);
    expect(() => readResults(join(folder, "none.json"))).toThrow(/cannot read .*none\.json/);
    expect(readFileSync(file, "utf8").endsWith("}\n")).toBe(true);
  });
});

describe("a baseline", () => {
  const before = run(outcome([10, 10, 10]));

  test("the same run differs in nothing", () => {
    expect(differences(before, before).map(({ word, worse }) => [word, worse])).toEqual(
      Array.from({ length: 4 }, () => ["about even", false]),
    );
  });

  test("slower, or more dispatches, is worse; fewer dispatches are not", () => {
    const [slower] = differences(run(outcome([20, 20, 20])), before);
    expect(slower).toMatchObject({ word: "slower", byMin: 0.5, worse: true });
    const [more] = differences(run(outcome([10, 10, 10], 3)), before);
    expect(more).toMatchObject({ word: "about even", counts: ["dispatches 2 -> 3"], worse: true });
    const [fewer] = differences(run(outcome([10, 10, 10], 1)), before);
    expect(fewer).toMatchObject({ counts: ["dispatches 2 -> 1"], worse: false });
  });

  test("a task that fails now is worse", () => {
    expect(differences(run({ failed: "wrong" }), before)[0]).toMatchObject({ word: "no times", worse: true });
  });

  test("times are scaled by what the adapter could do then and now", () => {
    const slowThen = { ...before, roofline: { start: { gflops: 5, kernelGBs: 2, copyGBs: 1 } } };
    // Twice as slow on an adapter half as fast is even.
    const [product] = differences(before, { ...slowThen, tasks: run(outcome([20, 20, 20])).tasks });
    expect(product).toMatchObject({ word: "about even", byMin: 1 });
  });

  test("of another adapter it is refused", () => {
    expect(() => differences(before, { ...before, device: "another" })).toThrow(/"another".*"a driver"/);
  });
});
