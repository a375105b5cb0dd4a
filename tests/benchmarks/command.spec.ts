import { afterEach, describe, expect, test, vi } from "vitest";
import { checkOf } from "@jnx/benchmarks/check.ts";
import { supports } from "@jnx/benchmarks/engines/index.ts";
import { program } from "@jnx/benchmarks/program.ts";
import { sgd, train, type Parameters } from "@jnx/benchmarks/reference/training.ts";
import { findTask, kernels, matching, tasks, type TrainTask } from "@jnx/benchmarks/tasks/index.ts";

const ids = (pattern: string): string[] => matching(pattern).map(({ id }) => id);

afterEach(() => vi.restoreAllMocks());

describe("the benchmark's tasks", () => {
  test("are T1 to T15, each once, and kernels by family", () => {
    const families = new Set(tasks.map(({ id }) => id.replace(/[.e].*$/, "")));
    expect([...families].sort((a, b) => Number(a.slice(1)) - Number(b.slice(1)))).toEqual(
      Array.from({ length: 15 }, (_, i) => `T${i + 1}`),
    );
    const all = [...tasks, ...kernels].map(({ id }) => id);
    expect(new Set(all).size).toBe(all.length);
  });

  test("are found by id, family, glob and title", () => {
    expect(ids("T1")).toEqual(["T1.256", "T1.512", "T1.1024"]);
    expect(ids("t7")).toEqual(["T7"]);
    expect(ids("T1.*")).toEqual(["T1.256", "T1.512", "T1.1024"]);
    expect(ids("T1*")).toContain("T15");
    expect(ids("reduce")).toEqual(["reduce/rows", "reduce/columns"]);
    expect(ids("softmax")).toEqual(["T4"]);
    expect(matching(undefined)).toHaveLength(tasks.length + kernels.length);
    expect(() => matching("nothing of the kind")).toThrow(/nothing fits "nothing of the kind"/);
    expect(() => findTask("T99")).toThrow(/no task "T99"; there are T1\.256/);
  });

  test("have the same input in every process, of the shape it says", () => {
    for (const id of ["T9", "T10", "T14"]) {
      for (const { data, shape } of Object.values(findTask(id).inputs()))
        expect(data.length, id).toBe(shape.reduce((a, b) => a * b, 1));
    }
    expect(findTask("T10").inputs()).toEqual(findTask("T10").inputs());
  });

  test("say which engine can do them", () => {
    expect(supports("tfjs", findTask("T3"))).toBe(false);
    expect(supports("jaxjs", findTask("reduce/rows"))).toBe(false);
    expect(supports("jnx-nnx", findTask("T8"))).toBe(true);
    expect(supports("jnx-nnx", findTask("T4"))).toBe(false);
    for (const engine of ["bare", "encoded"]) {
      expect(supports(engine, findTask("T4"))).toBe(true);
      expect(supports(engine, findTask("T8"))).toBe(false);
    }
  });
});

/** Trains w² from w = 4: every step halves w. */
function halving(): TrainTask {
  const pass = (p: Parameters): number => {
    const w = p.value("w")[0] ?? NaN;
    p.gradients.set("w", Float64Array.of(2 * w));
    return w * w;
  };
  return {
    ...{ id: "small", title: "w squared", kind: "train", params: ["w"], tolerance: 1e-4 },
    inputs: () => ({ w: { data: Float32Array.of(4), shape: [1] } }),
    reference: (inputs, steps) => train(["w"], inputs, steps, pass, sgd(0.25)),
  };
}

describe("a result is held against float64", () => {
  test("an operation's: the right one passes, one wrong element fails", () => {
    const task = findTask("T13");
    if (task.kind !== "op" || task.reference === "normal") throw new Error("T13 is an operation");
    const right = Float32Array.from(task.reference(task.inputs()));
    const check = checkOf(task);
    expect(check({ outputs: [right], losses: [] })).toEqual({ error: 0 });
    right[77] = 2;
    expect(check({ outputs: [right], losses: [] }).failed).toMatch(/wrong result/);
    expect(check({ outputs: [], losses: [] }).failed).toMatch(/wrong result/);
  });

  test("a training step's: losses and parameters both count", () => {
    const task = halving();
    const { losses, params, start } = task.reference(task.inputs(), 3);
    const check = checkOf(task);
    const outputs = params.map((p) => Float32Array.from(p));
    expect(check({ outputs, losses }).failed).toBeUndefined();
    expect(check({ outputs, losses: losses.map((loss) => loss * 1.001) }).failed).toMatch(/wrong step/);
    const unmoved = start.map((p) => Float32Array.from(p));
    expect(check({ outputs: unmoved, losses }).failed).toMatch(/wrong step/);
    expect(losses[2]).toBeLessThan(losses[0] ?? 0);
  });
});

describe("jnx-bench", () => {
  async function told(...words: string[]): Promise<string> {
    const log = vi.spyOn(console, "log").mockImplementation(() => undefined);
    await program().exitOverride().parseAsync(words, { from: "user" });
    return log.mock.calls.map((call) => call.join(" ")).join("\n");
  }

  test("list shows every task and kernel, as a table and as JSON", async () => {
    const table = await told("list");
    for (const { id } of [...tasks, ...kernels]) expect(table).toContain(id);
    vi.restoreAllMocks();
    const parsed: unknown = JSON.parse(await told("list", "--json"));
    expect(parsed).toEqual(
      [...tasks, ...kernels].map(({ id, title, kind }) => expect.objectContaining({ id, title, kind })),
    );
  });

  test("has the commands that its README names", () => {
    const names = program().commands.map((command) => command.name());
    expect(names).toEqual(["list", "run", "roofline", "compare", "overhead", "compile", "tune", "diff", "report"]);
  });

  test.each([
    [["compare", "-e", "jnx,numpy"], /"numpy" is none of jnx/],
    [["compare", "-t", "T99"], /"T99" is none of T1\.256/],
    [["compare", "-r", "2"], /5 or more/],
    [["run", "-a", "cuda"], /Allowed choices are swiftshader/],
    [["run", "nothing of the kind"], /nothing fits/],
    [["run", "reduce", "-e", "tfjs"], /tfjs can do none of what fits "reduce"/],
    [["tune", "-a", "wasm"], /name a WebGPU adapter/],
    [["diff", "/none.json"], /cannot read \/none\.json/],
    [["report", "a.json", "b.json", "--csv", "c"], /take one results file, received 2/],
  ])("%j is refused before anything is measured", async (words, message) => {
    const root = program().exitOverride();
    root.commands.forEach((command) => command.exitOverride().configureOutput({ writeErr: () => undefined }));
    await expect(root.parseAsync(words, { from: "user" })).rejects.toThrow(message);
  });
});

test("bench compile names every kernel of a step with its times, and the step's", async () => {
  const lines: string[] = [];
  vi.spyOn(console, "log").mockImplementation((text: unknown) => void lines.push(String(text)));
  await program().parseAsync(["compile", "--starts", "1"], { from: "user" });
  const rows = lines.join("\n").match(/^│ [a-z]+\/[a-z]+ .*$/gm) ?? [];
  expect(rows.filter((row) => row.includes("matmul/tile")).length).toBeGreaterThan(1);
  for (const row of rows) {
    const numbers = row.split("│").slice(2, -1).map(Number);
    expect(numbers).toHaveLength(5);
    expect(Math.min(...numbers), row).toBeGreaterThan(0);
  }
  expect(lines.at(-1)).toMatch(/^first step: \d+ \/ \d+ ms \(min \/ median\), \d+ of them compiling$/);
});
