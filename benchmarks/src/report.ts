/** Results as tables: for the terminal, and in Markdown with ratios. */
import { baselineMark } from "./baseline.ts";
import { engineTitles } from "./engines/index.ts";
import type { Outcome, Results, TaskResult } from "./results.ts";
import type { Roofline } from "./roofline.ts";
import { compare } from "./stats.ts";

/** A table as rows of text; the first row names the columns. */
export interface Table {
  readonly title: string;
  readonly rows: readonly (readonly string[])[];
}

const mebi = 2 ** 20;

function number(x: number): string {
  if (!Number.isFinite(x)) return String(x);
  if (x >= 100) return x.toFixed(0);
  return x >= 10 ? x.toFixed(1) : x.toFixed(2);
}

function title(engine: string): string {
  const [name = engine, ...mark] = engine.split(baselineMark);
  return `${engineTitles[name] ?? name}${mark.length > 0 ? baselineMark : ""}`;
}

function enginesOf(results: Results): readonly string[] {
  return [...new Set(results.tasks.flatMap((task) => Object.keys(task.outcomes)))];
}

function rate(task: TaskResult, { min }: { readonly min: number }): string {
  if (task.operations !== undefined) return `${number((min * 1000) / task.operations)} µs each`;
  if (task.flops !== undefined) return `${number(task.flops / min / 1e6)} GFLOP/s`;
  return task.bytes === undefined ? "" : `${number(task.bytes / min / 1e6)} GB/s`;
}

function timeCell(task: TaskResult, outcome: Outcome | undefined): string {
  if (outcome === undefined) return "-";
  if (outcome.failed !== undefined) return "FAILED";
  if (outcome.summary === undefined) return "-";
  const { min, median, spread } = outcome.summary;
  return `${number(min)} / ${number(median)} ±${(spread * 100).toFixed(0)} % (${rate(task, outcome.summary)})`;
}

function timeTable(results: Results): Table {
  const engines = enginesOf(results);
  const rows = results.tasks.map((task) => [
    `${task.id} ${task.title}`,
    ...engines.map((name) => timeCell(task, task.outcomes[name])),
  ]);
  const heading = "Time in ms, min / median ± spread (rate at the minimum)";
  return { title: heading, rows: [["task", ...engines.map(title)], ...rows] };
}

/** How the other engines compare with `base`, where both have times. */
function ratioTable(results: Results, base: string): Table {
  const others = enginesOf(results).filter((name) => name !== base);
  const cell = (task: TaskResult, other: string): string => {
    const [ours, theirs] = [task.outcomes[base]?.summary, task.outcomes[other]?.summary];
    if (ours === undefined || theirs === undefined) return "-";
    const { byMin, byMedian, word } = compare(ours, theirs);
    const ratios = `x${number(byMin)} min, x${number(byMedian)} median`;
    // Of another run only the order of magnitude can be said.
    return other.endsWith(baselineMark) ? `roughly ${ratios}` : `${word} (${ratios})`;
  };
  const rows = results.tasks.map((task) => [task.id, ...others.map((other) => cell(task, other))]);
  const heading = `${title(base)} is ... (how many times as long the other takes; "faster" only where min and median agree and the smaller is at least 1.15)`;
  return { title: heading, rows: [["task", ...others.map((name) => `than ${title(name)}`)], ...rows] };
}

function firstTable(results: Results): Table {
  const engines = enginesOf(results);
  const cell = (outcome: Outcome | undefined): string => {
    if (outcome?.first === undefined) return "-";
    const { ms, pipelines, wgslBytes } = outcome.first;
    const made = wgslBytes > 0 ? `, ${pipelines} pipelines, ${number(wgslBytes / 1024)} KiB` : "";
    return `${number(ms)} ms${made}`;
  };
  const rows = results.tasks.map((task) => [task.id, ...engines.map((name) => cell(task.outcomes[name]))]);
  const heading = "First call in a fresh process (trace, compile, run), pipelines and WGSL made";
  return { title: heading, rows: [["task", ...engines.map(title)], ...rows] };
}

function coldTable(results: Results): readonly Table[] {
  const parts = ["importMs", "initMs", "firstMs", "otherMs", "againMs"] as const;
  const rows = results.tasks.flatMap((task) =>
    Object.entries(task.outcomes).flatMap(([name, { cold }]) =>
      cold === undefined ? [] : [[task.id, title(name), ...parts.map((part) => number(cold[part]))]],
    ),
  );
  if (rows.length === 0) return [];
  const columns = ["task", "engine", "import", "device", "first product", "another shape", "the first shape again"];
  return [{ title: "Starts in fresh processes, median of each part in ms", rows: [columns, ...rows] }];
}

const countColumns = [
  "dispatches",
  "passes",
  "submits",
  "bindGroups",
  "writeBuffer",
  "copies",
  "buffersCreated",
] as const;

function countTable(results: Results): Table {
  const rows = results.tasks.flatMap((task) =>
    Object.entries(task.outcomes).flatMap(([name, { counts, bytesAlive, bytesPeak }]) =>
      counts === undefined
        ? []
        : [
            [
              task.id,
              title(name),
              ...countColumns.map((column) => String(Math.round(counts[column] * 100) / 100)),
              number((bytesAlive ?? NaN) / mebi),
              number((bytesPeak ?? NaN) / mebi),
              String(counts.pipelines),
            ],
          ],
    ),
  );
  const columns = ["task", "engine", ...countColumns, "MiB alive", "MiB peak", "new pipelines"];
  return {
    title: "Counts of one execution (training: one step; peak with 8 steps in flight)",
    rows: [columns, ...rows],
  };
}

function rooflineTable({ roofline }: Results): Table {
  const row = (when: string, { gflops, kernelGBs, copyGBs }: Roofline): string[] => [
    when,
    number(gflops),
    number(kernelGBs),
    number(copyGBs),
  ];
  const rows = [row("start", roofline.start), ...(roofline.end === undefined ? [] : [row("end", roofline.end)])];
  return {
    title: "Roofline of the adapter",
    rows: [["", "ALU GFLOP/s", "copy in a kernel GB/s", "buffer copy GB/s"], ...rows],
  };
}

function errorTable(results: Results): Table {
  const rows = results.tasks.flatMap((task) =>
    Object.entries(task.outcomes).map(([name, { error, movementError, failed }]) => [
      task.id,
      title(name),
      error === undefined ? "-" : error.toExponential(1),
      movementError === undefined ? "-" : `${(movementError * 100).toFixed(3)} %`,
      failed ?? "right",
    ]),
  );
  return {
    title: "Against float64",
    rows: [["task", "engine", "error", "parameters, of their movement", "verdict"], ...rows],
  };
}

/** What went wrong, one line each; empty when nothing did. */
export function failures(results: Results): readonly string[] {
  return results.tasks.flatMap((task) =>
    Object.entries(task.outcomes)
      .filter(([, { failed }]) => failed !== undefined)
      .map(([name, { failed }]) => `${task.id} ${title(name)}: ${failed ?? ""}`),
  );
}

/** Every table of a run. Ratios are taken from `base`, by default the first engine with times. */
export function tables(results: Results, base?: string): readonly Table[] {
  const engines = enginesOf(results);
  const from = base !== undefined && engines.includes(base) ? base : engines[0];
  return [
    timeTable(results),
    ...(from === undefined || engines.length < 2 ? [] : [ratioTable(results, from)]),
    firstTable(results),
    ...coldTable(results),
    ...(results.adapter === "wasm" ? [] : [countTable(results)]),
    errorTable(results),
    rooflineTable(results),
  ];
}

function markdownTable({ title: heading, rows }: Table): string {
  const line = (cells: readonly string[]): string => `| ${cells.map((c) => c.replaceAll("|", "\\|")).join(" | ")} |`;
  const [head = [], ...body] = rows;
  return [`### ${heading}`, "", line(head), line(head.map(() => "---")), ...body.map(line), ""].join("\n");
}

/** What was measured on what: the words every number belongs to. */
export function heading(results: Results): string {
  const engines = results.engines.map(({ name, version }) => `${title(name)} ${version}`).join(", ");
  const { cpu, cores, node, loadBefore } = results.host;
  const busy = loadBefore > cores / 2 ? `; ROUGH TIMES: other jobs were running (load ${number(loadBefore)})` : "";
  return `${results.adapter}: ${results.device}; ${cores} cores of ${cpu}; Node ${node}; ${engines}${busy}`;
}

/** The whole run in Markdown. */
export function markdown(results: Results, base?: string): string {
  return [`## ${heading(results)}`, "", ...tables(results, base).map(markdownTable)].join("\n");
}
