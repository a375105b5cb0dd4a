/** `report`, `diff`: what results files say. `tune`: the file that init reads. */
import type { Command } from "commander";
import { tuningFile } from "jnx/node";
import type { AdapterName } from "../adapter.ts";
import { withBaseline } from "../baseline.ts";
import { differences, type Difference } from "../diff.ts";
import { engineTitle, markdown, type Table } from "../report.ts";
import { readResults } from "../results.ts";
import { tune, writeTuning, type Choice } from "../tune.ts";
import { baselineOption } from "./run.ts";
import {
  adapterOption,
  interruptible,
  prepareProcesses,
  printTables,
  repetitions,
  resultsFile,
  withOutputs,
  writeOutputs,
  type OutputFlags,
} from "./shared.ts";

interface ReportFlags extends OutputFlags {
  readonly base?: string;
  readonly baseline?: string;
}

export function addReport(program: Command): void {
  withOutputs(program.command("report"))
    .description("Print results files as Markdown tables.")
    .argument("<files...>", "results files")
    .option("-b, --base <engine>", "take ratios from this engine (default: the first)")
    .option(...baselineOption)
    .action(async (files: string[], flags: ReportFlags) => {
      const { base, baseline, csv, chart } = flags;
      if (files.length > 1 && (csv ?? chart) !== undefined)
        throw new Error(`report: --csv and --chart take one results file, received ${files.length}; name one`);
      for (const file of files) {
        const results = readResults(file);
        const shown = baseline === undefined ? results : withBaseline(results, readResults(baseline));
        console.log(markdown(shown, base));
        await writeOutputs(shown, flags);
      }
    });
}

function diffTable(list: readonly Difference[]): Table {
  const ratio = (value: number | undefined): string => (value === undefined ? "-" : `x${value.toFixed(2)}`);
  const rows = list.map(({ task, engine, word, byMin, byMedian, counts }) => [
    task,
    engineTitle(engine),
    word,
    ratio(byMin),
    ratio(byMedian),
    counts.join(", ") || "same",
  ]);
  return {
    title: "Against the baseline (how many times as long it took; times scaled by the roofline)",
    rows: [["task", "engine", "", "min", "median", "counts"], ...rows],
  };
}

export function addDiff(program: Command): void {
  program
    .command("diff")
    .description("Hold results against a baseline of the same adapter; exits with 1 where something got worse.")
    .argument("<baseline>", "results of an earlier run")
    .argument("[results]", "results of a later run (default: benchmarks/out/<adapter>.json)")
    .option("--json", "as JSON")
    .action((baselineFile: string, resultsPath: string | undefined, { json }: { json?: boolean }) => {
      const baseline = readResults(baselineFile);
      // The file says on which adapter it was made.
      const file = resultsPath ?? resultsFile(baseline.adapter as AdapterName);
      const list = differences(readResults(file), baseline);
      if (list.length === 0) throw new Error(`diff: ${file} and ${baselineFile} share no task and engine`);
      if (json === true) console.log(JSON.stringify(list, null, 2));
      else printTables([diffTable(list)]);
      if (list.some(({ worse }) => worse)) process.exitCode = 1;
    });
}

function choiceTable(choices: readonly Choice[]): Table {
  const rows = choices.map(({ family, group, speedup }) => [
    family,
    group === undefined ? "as planned" : String(group),
    `x${speedup.toFixed(2)}`,
  ]);
  return { title: "Invocations in a workgroup", rows: [["family", "choice", "speed"], ...rows] };
}

export function addTune(program: Command): void {
  program
    .command("tune")
    .description(
      "Try how matmul, reductions and convolutions cut their work here; keep the best in a file that init reads.",
    )
    .addOption(adapterOption())
    .option("-r, --repetitions <n>", "timed repetitions of each choice", repetitions, 9)
    .option("-o, --out <file>", `the file (default: JNX_TUNING, else ${tuningFile()})`)
    .action(async (flags: { adapter: AdapterName; repetitions: number; out?: string }) => {
      if (flags.adapter === "wasm")
        throw new Error("tune: the CPU's tilings follow from its registers and are not tuned; name a WebGPU adapter");
      await prepareProcesses(["jnx"], flags.adapter);
      const file = flags.out ?? tuningFile();
      const tuned = await interruptible((signal, bar) =>
        tune({ ...flags, signal, progress: (share, label) => bar.update(share, label) }),
      );
      printTables([choiceTable(tuned.choices)]);
      writeTuning(file, tuned);
      console.log(`\n${tuned.key}: ${JSON.stringify(tuned.tuning)}\nwritten: ${file}`);
    });
}
