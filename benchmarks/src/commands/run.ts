/** `compare`: engines beside each other. `run`: one engine, task by task, against the roofline. */
import { Option, type Command } from "commander";
import { withBaseline } from "../baseline.ts";
import { engineNames, supports } from "../engines/index.ts";
import { engineTables, tables } from "../report.ts";
import { readResults } from "../results.ts";
import { matching, tasks } from "../tasks/index.ts";
import { listOf, measure, withRun, type RunFlags } from "./shared.ts";

interface CompareFlags extends RunFlags {
  readonly engines: readonly string[];
  readonly tasks: readonly string[];
  readonly baseline?: string;
}

const taskIds = tasks.map(({ id }) => id);

export const baselineOption = [
  "--baseline <file>",
  "results of an earlier run to put beside, times scaled by the roofline",
] as const;

export function addCompare(program: Command): void {
  withRun(program.command("compare"))
    .description("Run the tasks by every engine in turns; check, time, count.")
    .option("-e, --engines <names>", `of ${engineNames.join(",")}`, listOf(engineNames), [...engineNames])
    .option("-t, --tasks <ids>", "of the tasks, by id", listOf(taskIds), taskIds)
    .option(...baselineOption)
    .action(async (flags: CompareFlags) => {
      // Read first, so that a wrong file does not cost a whole run.
      const baseline = flags.baseline === undefined ? undefined : readResults(flags.baseline);
      await measure(flags, flags.engines, flags.tasks, (results) =>
        tables(baseline === undefined ? results : withBaseline(results, baseline)),
      );
    });
}

export function addRun(program: Command): void {
  withRun(program.command("run"))
    .description("Run tasks and kernels by one engine: times, rates, shares of the roofline, counts.")
    .argument("[pattern]", `ids or titles: "T7", "T1", "reduce", "softmax", "T1*"; everything unless given`)
    .addOption(new Option("-e, --engine <name>", "which engine").choices(engineNames).default("jnx"))
    .action(async (pattern: string | undefined, flags: RunFlags & { engine: string }) => {
      const found = matching(pattern).filter((task) => supports(flags.engine, task));
      const ids = found.map(({ id }) => id);
      if (ids.length === 0) throw new Error(`run: ${flags.engine} can do none of what fits "${pattern ?? ""}"`);
      await measure(flags, [flags.engine], ids, engineTables);
    });
}
