/** What the commands share: options, progress, tables, the files that a run leaves. */
import { renameSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import cliProgress from "cli-progress";
import Table from "cli-table3";
import { InvalidArgumentError, Option, type Command } from "commander";
import { adapterNames, backendOf, type AdapterName } from "../adapter.ts";
import { compareEngines } from "../compare.ts";
import { prepareEngines } from "../engines/index.ts";
import { prepareWorker } from "../harness.ts";
import { failures, heading, type Table as Rows } from "../report.ts";
import { writeResults, type Results } from "../results.ts";
import { csv } from "../rows.ts";

/** A comma-separated list of known names. */
export function listOf(known: readonly string[]): (value: string) => string[] {
  return (value) => {
    const names = value.split(",").map((name) => name.trim());
    const stranger = names.find((name) => !known.includes(name));
    if (stranger !== undefined) throw new InvalidArgumentError(`"${stranger}" is none of ${known.join(", ")}.`);
    return names;
  };
}

export function repetitions(value: string): number {
  const count = Number(value);
  if (!Number.isInteger(count) || count < 5) throw new InvalidArgumentError("Give a whole number, 5 or more.");
  return count;
}

function turnOf(value: string): number {
  const count = Number(value);
  if (!Number.isInteger(count) || count < 1) throw new InvalidArgumentError("Give a whole number, 1 or more.");
  return count;
}

export function adapterOption(): Option {
  return new Option("-a, --adapter <name>", "the WebGPU adapter, or the CPU")
    .choices(adapterNames)
    .default("swiftshader");
}

export interface OutputFlags {
  readonly json?: string;
  readonly csv?: string;
  readonly chart?: string;
}

export interface RunFlags extends OutputFlags {
  readonly adapter: AdapterName;
  readonly repetitions: number;
  readonly turn: number;
  readonly fma?: boolean;
}

/** The options of every command that makes or reads results. */
export function withOutputs(command: Command): Command {
  return command
    .option("--csv <file>", "the rows as a table for spreadsheets")
    .option("--chart <file>", "the medians as a picture, SVG");
}

/** The options of every command that measures. */
export function withRun(command: Command): Command {
  return withOutputs(command)
    .addOption(adapterOption())
    .option("-r, --repetitions <n>", "timed repetitions of each engine, at least", repetitions, 7)
    .option("--turn <n>", "executions in a row before the next engine's turn", turnOf, 1)
    .option("--fma", "with the adapter wasm: relaxed SIMD, which Node 20 has behind a flag")
    .option("-o, --json <file>", "the results file (default: benchmarks/out/<adapter>.json)");
}

export const resultsFile = (adapter: AdapterName): string =>
  fileURLToPath(new URL(`../../out/${adapter}.json`, import.meta.url));

/** V8 has relaxed SIMD without a flag since 11.4. */
const needsFmaFlag = parseInt(process.version.slice(1), 10) <= 20;

export interface Progress {
  update(share: number, label: string): void;
  stop(): void;
}

/** A bar on the terminal's error stream; without a terminal a line for each step. */
export function progressBar(): Progress {
  if (!process.stderr.isTTY) {
    let last = "";
    const update = (share: number, label: string): void => {
      if (label !== last) console.error(`${(share * 100).toFixed(0)} % ${label}`);
      last = label;
    };
    return { update, stop: () => undefined };
  }
  const format = "{bar} {percentage} % | {label} | {duration_formatted}, about {eta_formatted} left";
  const bar = new cliProgress.SingleBar(
    { format, hideCursor: true, etaBuffer: 20 },
    cliProgress.Presets.shades_classic,
  );
  bar.start(1000, 0, { label: "" });
  return { update: (share, label) => bar.update(Math.round(share * 1000), { label }), stop: () => bar.stop() };
}

/** Does `work` with a progress bar and a signal that Ctrl-C aborts. */
export async function interruptible<T>(work: (signal: AbortSignal, bar: Progress) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const interrupt = (): void => controller.abort(new Error("interrupted"));
  const bar = progressBar();
  process.once("SIGINT", interrupt);
  try {
    return await work(controller.signal, bar);
  } finally {
    process.off("SIGINT", interrupt);
    bar.stop();
  }
}

export function printTables(tables: readonly Rows[]): void {
  const style = process.stdout.isTTY ? { head: ["bold"] } : { head: [], border: [] };
  for (const { title, rows } of tables) {
    const [head = [], ...body] = rows;
    const table = new Table({ head: [...head], style: { ...style, compact: true } });
    for (const row of body) table.push([...row]);
    console.log(`\n${title}\n${table.toString()}`);
  }
}

/** Writes beside and renames, so that an interrupted command leaves no half file. */
function writeWhole(file: string, text: string): void {
  writeFileSync(`${file}.part`, text);
  renameSync(`${file}.part`, file);
}

/** The files that were asked for. */
export async function writeOutputs(results: Results, flags: OutputFlags): Promise<void> {
  if (flags.csv !== undefined) writeWhole(flags.csv, csv(results));
  // Vega takes a while to load, and is seldom asked for.
  if (flags.chart !== undefined) writeWhole(flags.chart, await (await import("../chart.ts")).chart(results));
}

/** Bundles what the engines' processes run. */
export async function prepareProcesses(engines: readonly string[], adapter: AdapterName): Promise<void> {
  await prepareWorker();
  await prepareEngines(engines, backendOf(adapter));
}

/** Measures, prints and writes; the exit code is 1 where something was wrong, 130 after Ctrl-C. */
export async function measure(
  flags: RunFlags,
  engines: readonly string[],
  tasks: readonly string[],
  show: (results: Results) => readonly Rows[],
): Promise<void> {
  const file = flags.json ?? resultsFile(flags.adapter);
  await prepareProcesses(engines, flags.adapter);
  const results = await interruptible((signal, bar) =>
    compareEngines({
      ...{ adapter: flags.adapter, repetitions: flags.repetitions, turn: flags.turn, engines, tasks, signal },
      nodeFlags: flags.fma === true && needsFmaFlag ? ["--experimental-wasm-relaxed-simd"] : [],
      progress: (share, label) => bar.update(share, label),
      finished: (soFar) => writeResults(file, soFar),
    }),
  );
  console.log(heading(results));
  printTables(show(results));
  await writeOutputs(results, flags);
  const failed = failures(results);
  for (const line of failed) console.error(`FAILED ${line}`);
  console.log(`\nwritten: ${[file, flags.csv, flags.chart].filter((one) => one !== undefined).join(", ")}`);
  if (failed.length > 0) process.exitCode = 1;
  if (results.interrupted === true) process.exitCode = 130;
}
