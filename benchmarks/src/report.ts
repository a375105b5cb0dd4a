/** Results as tables: for the terminal, and in Markdown with ratios. */
import { baselineMark } from "./baseline.ts";
import { engineTitles } from "./engines/index.ts";
import type { Outcome, Results, TaskResult } from "./results.ts";
import { best, rateOf, rowsOf } from "./rows.ts";
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

export function engineTitle(engine: string): string {
  const [name = engine, ...mark] = engine.split(baselineMark);
  return `${engineTitles[name] ?? name}${mark.length > 0 ? baselineMark : ""}`;
}

function enginesOf(results: Results): readonly string[] {
  return [...new Set(results.tasks.flatMap((task) => Object.keys(task.outcomes)))];
}

function rate(task: TaskResult, { min }: { readonly min: number }, peak: Roofline): string {
  const { rate: value, rateUnit = "", roofline } = rateOf(task, min, peak);
  if (value === undefined) return "";
  const share = roofline === undefined ? "" : `, ${(100 * roofline).toFixed(0)} % of roofline`;
  return ` (${number(value)} ${rateUnit}${share})`;
}

function timeCell(task: TaskResult, outcome: Outcome | undefined, peak: Roofline): string {
  if (outcome === undefined) return "-";
  if (outcome.failed !== undefined) return "FAILED";
  if (outcome.summary === undefined) return "-";
  const { min, median, spread } = outcome.summary;
  return `${number(min)} / ${number(median)} ±${(spread * 100).toFixed(0)} %${rate(task, outcome.summary, peak)}`;
}

function timeTable(results: Results): Table {
  const [engines, peak] = [enginesOf(results), best(results.roofline)];
  const rows = results.tasks.map((task) => [
    `${task.id} ${task.title}`,
    ...engines.map((name) => timeCell(task, task.outcomes[name], peak)),
  ]);
  const heading = "Time in ms, min / median ±spread (rate at the minimum)";
  return { title: heading, rows: [["task", ...engines.map(engineTitle)], ...rows] };
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
  const heading = `${engineTitle(base)} is ... (how many times as long the other takes; "faster" only where min and median agree and the smaller is at least 1.15)`;
  return { title: heading, rows: [["task", ...others.map((name) => `than ${engineTitle(name)}`)], ...rows] };
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
  return { title: heading, rows: [["task", ...engines.map(engineTitle)], ...rows] };
}

function coldTable(results: Results): readonly Table[] {
  const parts = ["importMs", "initMs", "firstMs", "otherMs", "againMs"] as const;
  const rows = results.tasks.flatMap((task) =>
    Object.entries(task.outcomes).flatMap(([name, { cold }]) =>
      cold === undefined ? [] : [[task.id, engineTitle(name), ...parts.map((part) => number(cold[part]))]],
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
              engineTitle(name),
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

export function rooflineTable({ roofline }: Pick<Results, "roofline">): Table {
  const row = (when: string, { gflops, kernelGBs, copyGBs, roundTripUs }: Roofline): string[] => [
    when,
    number(gflops),
    number(kernelGBs),
    number(copyGBs),
    roundTripUs === undefined ? "-" : number(roundTripUs),
  ];
  const rows = [row("start", roofline.start), ...(roofline.end === undefined ? [] : [row("end", roofline.end)])];
  return {
    title: "Roofline of the adapter",
    rows: [["", "ALU GFLOP/s", "copy in a kernel GB/s", "buffer copy GB/s", "round trip us"], ...rows],
  };
}

function errorTable(results: Results): Table {
  const rows = results.tasks.flatMap((task) =>
    Object.entries(task.outcomes).map(([name, { error, movementError, failed }]) => [
      task.id,
      engineTitle(name),
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

/** One row for each task and engine, with all that was measured. */
export function rowTable(results: Results): Table {
  const text = (value: number | undefined, unit = ""): string =>
    value === undefined ? "-" : `${number(value)}${unit}`;
  const percent = (value: number | undefined): string => text(value === undefined ? value : 100 * value, " %");
  const count = (value: number | undefined): string =>
    value === undefined ? "-" : String(Math.round(value * 100) / 100);
  const body = rowsOf(results).map((row) => [
    row.task,
    row.title,
    ...(row.failed === undefined ? [text(row.medianMs), text(row.minMs), percent(row.spread)] : ["FAILED", "-", "-"]),
    text(row.rate, ` ${row.rateUnit ?? ""}`),
    percent(row.roofline),
    text(row.gpuMs),
    count(row.dispatches),
    text(row.bytesMoved === undefined ? undefined : row.bytesMoved / mebi),
    count(row.pipelines),
    text(row.firstMs),
  ]);
  const columns = ["id", "task", "median ms", "min", "spread", "rate at min", "of roofline", "GPU ms", "dispatches"];
  return { title: "Measured", rows: [[...columns, "MiB moved", "pipelines", "first call ms"], ...body] };
}

/** The tables that a run of one engine fills. */
export function engineTables(results: Results): readonly Table[] {
  return [rowTable(results), ...coldTable(results), rooflineTable(results)];
}

/** What went wrong, one line each; empty when nothing did. */
export function failures(results: Results): readonly string[] {
  return results.tasks.flatMap((task) =>
    Object.entries(task.outcomes)
      .filter(([, { failed }]) => failed !== undefined)
      .map(([name, { failed }]) => `${task.id} ${engineTitle(name)}: ${failed ?? ""}`),
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
  const engines = results.engines.map(({ name, version }) => `${engineTitle(name)} ${version}`).join(", ");
  const { cpu, cores, node, loadBefore } = results.host;
  const busy = loadBefore > cores / 2 ? `; ROUGH TIMES: other jobs were running (load ${number(loadBefore)})` : "";
  const ended = results.interrupted === true ? "; INTERRUPTED" : "";
  return `${results.adapter}: ${results.device}; ${cores} cores of ${cpu}; Node ${node}; ${engines}${busy}${ended}`;
}

/** The whole run in Markdown. */
export function markdown(results: Results, base?: string): string {
  return [`## ${heading(results)}`, "", ...tables(results, base).map(markdownTable)].join("\n");
}
