/** `compile`: what the CPU's kernels cost to compile, cold and warm, and a first step with all of them. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { InvalidArgumentError, Option, type Command } from "commander";
import type { ColdStep, CompileCost } from "../compile-cost.ts";
import { bundle, bundleFile } from "../engines/bundle.ts";
import { summarize } from "../stats.ts";
import { printTables } from "./shared.ts";

const run = promisify(execFile);

async function coldStep(task: string): Promise<ColdStep> {
  const { stdout } = await run(process.execPath, [bundleFile("compile"), task], { maxBuffer: 1 << 24 });
  // What the bundle's last line prints.
  return JSON.parse(stdout) as ColdStep;
}

function row(kernel: CompileCost, colds: readonly number[]): string[] {
  const { min, median } = summarize(kernel.warmMs);
  const times = [summarize(colds).median, min, median].map((ms) => ms.toFixed(2));
  return [kernel.kernel, String(kernel.wgslBytes), String(kernel.wasmBytes), ...times];
}

async function measure({ task, starts }: { readonly task: string; readonly starts: number }): Promise<void> {
  const source = JSON.stringify(fileURLToPath(new URL("../compile-cost.ts", import.meta.url)));
  const contents = `import { measureColdStep } from ${source};
console.log(JSON.stringify(await measureColdStep(process.argv[2])));`;
  await bundle("compile", { contents, external: ["@sparticuz/chromium", "webgpu"], conditions: ["@jnx/source"] });
  const steps: ColdStep[] = [];
  for (let start = 0; start < starts; start++) steps.push(await coldStep(task));
  const [first] = steps;
  const rows = (first?.kernels ?? []).map((kernel, k) =>
    row(
      kernel,
      steps.map(({ kernels }) => kernels[k]?.coldMs ?? NaN),
    ),
  );
  const { min, median } = summarize(steps.map(({ firstMs }) => firstMs));
  const spent = summarize(steps.map(({ kernels }) => kernels.reduce((sum, { coldMs }) => sum + coldMs, 0))).median;
  printTables([
    {
      title: `Compiling the CPU's kernels of ${task}, in ms; ${starts} fresh processes`,
      rows: [["kernel", "WGSL bytes", "Wasm bytes", "cold", "warm min", "warm median"], ...rows],
    },
  ]);
  console.log(
    `first step: ${min.toFixed(0)} / ${median.toFixed(0)} ms (min / median), ${spent.toFixed(0)} of them compiling`,
  );
}

function atLeastOne(value: string): number {
  const count = Number(value);
  if (!Number.isInteger(count) || count < 1) throw new InvalidArgumentError("Give a whole number, 1 or more.");
  return count;
}

export function addCompile(program: Command): void {
  program
    .command("compile")
    .description("Time the CPU's kernel compiler on a training step: each kernel cold and warm, and the first step.")
    .addOption(new Option("-t, --task <id>", "the step").choices(["T7", "T8", "T9"]).default("T7"))
    .option("-s, --starts <n>", "fresh processes", atLeastOne, 5)
    .action(measure);
}
