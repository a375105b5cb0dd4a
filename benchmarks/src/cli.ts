/** `pnpm bench`: jnx beside other engines on one adapter, and reports of such runs. */
import { fileURLToPath } from "node:url";
import cliProgress from "cli-progress";
import Table from "cli-table3";
import { Command, InvalidArgumentError, Option } from "commander";
import { adapterNames, backendOf, type AdapterName } from "./adapter.ts";
import { withBaseline } from "./baseline.ts";
import { compareEngines } from "./compare.ts";
import { bundle, bundleFile } from "./engines/bundle.ts";
import { engineNames, prepareEngines } from "./engines/index.ts";
import { prepareWorker } from "./harness.ts";
import type * as Overhead from "./overhead.ts";
import { failures, heading, markdown, tables, type Table as TextTable } from "./report.ts";
import { readResults, writeResults, type Results } from "./results.ts";
import { tasks } from "./tasks/index.ts";

interface CompareFlags {
  readonly adapter: AdapterName;
  readonly engines: readonly string[];
  readonly tasks: readonly string[];
  readonly repetitions: number;
  readonly out?: string;
  readonly baseline?: string;
  readonly fma?: boolean;
}

/** V8 has relaxed SIMD without a flag since 11.4. */
const needsFmaFlag = parseInt(process.version.slice(1), 10) <= 20;

/** A comma-separated list of known names. */
function listOf(known: readonly string[]): (value: string) => string[] {
  return (value) => {
    const names = value.split(",").map((name) => name.trim());
    const stranger = names.find((name) => !known.includes(name));
    if (stranger !== undefined) throw new InvalidArgumentError(`"${stranger}" is none of ${known.join(", ")}.`);
    return names;
  };
}

function repetitions(value: string): number {
  const count = Number(value);
  if (!Number.isInteger(count) || count < 5) throw new InvalidArgumentError("Give a whole number, 5 or more.");
  return count;
}

function printTable({ title, rows }: TextTable): void {
  const style = process.stdout.isTTY ? { head: ["bold"] } : { head: [], border: [] };
  const [head = [], ...body] = rows;
  const table = new Table({ head: [...head], style: { ...style, compact: true } });
  for (const row of body) table.push([...row]);
  console.log(`\n${title}\n${table.toString()}`);
}

function printTables(results: Results): void {
  console.log(heading(results));
  tables(results).forEach(printTable);
}

const overheadDevices: readonly Overhead.OverheadDevice[] = ["swiftshader", "lavapipe", "wasm"];

async function runOverhead({ adapter }: { readonly adapter: Overhead.OverheadDevice }): Promise<void> {
  const contents = `export * from ${JSON.stringify(fileURLToPath(new URL("./overhead.ts", import.meta.url)))};`;
  await bundle("overhead", { contents, external: ["@sparticuz/chromium", "webgpu"], conditions: ["@jnx/source"] });
  // It exports what the file it was made from does.
  const { measureOverhead } = (await import(bundleFile("overhead"))) as typeof Overhead;
  const costs = await measureOverhead(adapter);
  const rows = costs.map(({ name, min, median, calls }) => [name, min.toFixed(0), median.toFixed(0), String(calls)]);
  printTable({ title: `Host time on ${adapter}, in µs`, rows: [["call", "min", "median", "calls"], ...rows] });
}

/** A bar on the terminal's error stream; without a terminal a line for each step. */
function progressBar(): { update(share: number, label: string): void; stop(): void } {
  if (!process.stderr.isTTY) {
    const update = (share: number, label: string): void => console.error(`${(share * 100).toFixed(0)} % ${label}`);
    let last = "";
    return {
      update: (share, label) => (label === last ? undefined : update(share, (last = label))),
      stop: () => undefined,
    };
  }
  const format = "{bar} {percentage} % | {label} | {duration_formatted}, about {eta_formatted} left";
  const bar = new cliProgress.SingleBar(
    { format, hideCursor: true, etaBuffer: 20 },
    cliProgress.Presets.shades_classic,
  );
  bar.start(1000, 0, { label: "" });
  return { update: (share, label) => bar.update(Math.round(share * 1000), { label }), stop: () => bar.stop() };
}

async function runCompare(flags: CompareFlags): Promise<void> {
  const root = fileURLToPath(new URL("../", import.meta.url));
  const out = flags.out ?? `${root}out/${flags.adapter}.json`;
  // Read first, so that a wrong file does not cost a whole run.
  const baseline = flags.baseline === undefined ? undefined : readResults(flags.baseline);
  await prepareWorker();
  await prepareEngines(flags.engines, backendOf(flags.adapter));
  const bar = progressBar();
  const controller = new AbortController();
  const interrupt = (): void => controller.abort(new Error("interrupted"));
  process.once("SIGINT", interrupt);
  let results: Results;
  try {
    results = await compareEngines({
      ...flags,
      signal: controller.signal,
      nodeFlags: flags.fma === true && needsFmaFlag ? ["--experimental-wasm-relaxed-simd"] : [],
      progress: (share, label) => bar.update(share, label),
      finished: (soFar) => writeResults(out, soFar),
    });
  } finally {
    process.off("SIGINT", interrupt);
    bar.stop();
  }
  printTables(baseline === undefined ? results : withBaseline(results, baseline));
  const failed = failures(results);
  for (const line of failed) console.error(`FAILED ${line}`);
  console.log(`\nwritten: ${out}`);
  if (failed.length > 0) process.exitCode = 1;
}

const baselineOption = [
  "--baseline <file>",
  "results of an earlier run to put beside, times scaled by the roofline",
] as const;

const program = new Command("bench").description("Timings of jnx beside other engines, same adapter, same run.");

program
  .command("compare")
  .description("Run the tasks by every engine in turns; check, time, count.")
  .addOption(new Option("-a, --adapter <name>", "the WebGPU adapter").choices(adapterNames).default("swiftshader"))
  .option("-e, --engines <names>", `of ${engineNames.join(",")}`, listOf(engineNames), [...engineNames])
  .option(
    "-t, --tasks <ids>",
    "of the tasks, by id",
    listOf(tasks.map(({ id }) => id)),
    tasks.map(({ id }) => id),
  )
  .option("-r, --repetitions <n>", "timed repetitions of each engine, at least", repetitions, 7)
  .option("--fma", "with the adapter wasm: relaxed SIMD, which Node 20 has behind a flag")
  .option("-o, --out <file>", "the results file (default: benchmarks/out/<adapter>.json)")
  .option(...baselineOption)
  .action(runCompare);

program
  .command("overhead")
  .description("What a call costs the thread that makes it, the device's work not counted.")
  .addOption(new Option("-a, --adapter <name>", "the device").choices(overheadDevices).default("swiftshader"))
  .action(runOverhead);

program
  .command("report")
  .description("Print results files as Markdown tables.")
  .argument("<files...>", "results files")
  .option("-b, --base <engine>", "take ratios from this engine (default: the first)")
  .option(...baselineOption)
  .action((files: string[], { base, baseline }: { base?: string; baseline?: string }) => {
    for (const file of files) {
      const results = readResults(file);
      console.log(markdown(baseline === undefined ? results : withBaseline(results, readResults(baseline)), base));
    }
  });

program.parseAsync().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
});
