import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { summarize } from "@jnx/benchmarks/stats.ts";
import { choose, families, speedupOf, writeTuning } from "@jnx/benchmarks/tune.ts";
import { findTask } from "@jnx/benchmarks/tasks/index.ts";

const folder = mkdtempSync(join(tmpdir(), "jnx-tune-"));
afterAll(() => rmSync(folder, { recursive: true }));

const choice = (group: number | undefined, speedup: number) => ({ family: "matmul", group, speedup });

test("a choice replaces the plan's own only where it is clearly faster", () => {
  expect(choose([choice(undefined, 1), choice(16, 1.3), choice(64, 1.2)])).toBe(16);
  expect(choose([choice(undefined, 1), choice(16, 1.05)])).toBeUndefined();
  expect(choose([choice(undefined, 1), choice(16, 0.5)])).toBeUndefined();
});

test("the speed is the geometric mean over tasks of the smaller ratio", () => {
  const own = [summarize([10, 20, 30]), summarize([8, 8, 8])];
  // By the minimum 10 / 5 and by the median 20 / 20: the median counts.
  expect(speedupOf(own, [summarize([5, 20, 20]), summarize([2, 2, 2])])).toBeCloseTo(2, 12);
});

test("what is tuned are tasks that there are", () => {
  for (const { tasks } of families) for (const id of tasks) expect(findTask(id).id).toBe(id);
});

test("the file keeps other adapters' entries, and a file of another kind is refused by name", () => {
  const file = join(folder, "sub", "tuning.json");
  writeTuning(file, { key: "one", tuning: { matmul: { group: 16 } } });
  writeTuning(file, { key: "two", tuning: {} });
  writeTuning(file, { key: "one", tuning: { conv: { group: 64 } } });
  expect(JSON.parse(readFileSync(file, "utf8"))).toEqual({
    format: "jnx-tuning-1",
    adapters: { one: { conv: { group: 64 } }, two: {} },
  });
  const other = join(folder, "other.json");
  writeFileSync(other, `{"format": "something"}`);
  expect(() => writeTuning(other, { key: "one", tuning: {} })).toThrow(/other\.json is no tuning file/);
});
