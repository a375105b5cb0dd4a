/** `pnpm conformance`: the op table on every implementation of WebGPU at hand, as a table and as docs/conformance.md. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import cliProgress from "cli-progress";
import Table from "cli-table3";
import { Command, InvalidArgumentError } from "commander";
import { implementations } from "./implementations.ts";
import { complaints, lines, markdown, summary, title } from "./report.ts";
import type { Report } from "./run.ts";
import { page, serve } from "./serve.ts";

interface Flags {
  readonly on: readonly string[];
  readonly only?: string;
  readonly out?: string;
  readonly doc?: boolean;
  readonly json?: string;
}

const root = fileURLToPath(new URL("../..", import.meta.url));
const names = Object.keys(implementations);
const DOC = "docs/conformance.md";

function listOf(value: string): string[] {
  const asked = value.split(",").map((name) => name.trim());
  const stranger = asked.find((name) => !names.includes(name));
  if (stranger !== undefined) throw new InvalidArgumentError(`"${stranger}" is none of ${names.join(", ")}.`);
  return asked;
}

function write(file: string, text: string): void {
  const target = path.resolve(root, file);
  mkdirSync(path.dirname(target), { recursive: true });
  writeFileSync(target, text);
  console.log(`wrote ${path.relative(root, target)}`);
}

async function run({ on, only, out, doc, json }: Flags): Promise<void> {
  const reports: Report[] = [];
  for (const name of on) {
    const bar = new cliProgress.SingleBar(
      { format: `${name} {bar} {value} of {total}, about {eta_formatted} left`, noTTYOutput: false },
      cliProgress.Presets.shades_classic,
    );
    bar.start(1, 0);
    try {
      const report = await implementations[name]?.({
        only,
        onProgress: (done, total) => {
          bar.setTotal(total);
          bar.update(done);
        },
      });
      if (report !== undefined) reports.push(report);
    } finally {
      bar.stop();
    }
    const latest = reports.at(-1);
    if (latest !== undefined) console.log(summary(latest));
    // After each, so that an interrupted run leaves what it has.
    if (json !== undefined) write(json, `${JSON.stringify(reports)}\n`);
  }
  print(reports);
  const target = doc === true ? DOC : out;
  if (target !== undefined) write(target, markdown(reports));
  if (reports.some((report) => complaints(report).length > 0)) process.exitCode = 1;
}

function print(reports: readonly Report[]): void {
  const table = new Table({ head: ["family", "function", ...reports.map(title)], style: { compact: true } });
  for (const { family, name, cells } of lines(reports)) table.push([family, name, ...cells]);
  console.log(table.toString());
  for (const text of reports.flatMap(complaints)) console.log(text);
}

const program = new Command("conformance")
  .description("Runs the op table on implementations of WebGPU and compares with float64 oracles.")
  .enablePositionalOptions()
  .option("--on <names>", `a comma-separated list of ${names.join(", ")}`, listOf, names)
  .option("--only <text>", "only checks whose family or function contains this text")
  .option("--doc", `writes the table to ${DOC}`)
  .option("--out <file>", "writes the table as Markdown to another file")
  .option("--json <file>", "writes the full reports")
  .action(run);

program
  .command("page")
  .description("serves the suite as a page for any browser on this machine, or writes it as one file")
  .option("--out <file>", "writes the page instead")
  .option("--port <number>", "the port to listen on", "8080")
  .action(async ({ out, port }: { out?: string; port: string }) => {
    if (out !== undefined) return write(out, await page());
    console.log(`the suite is at ${(await serve(Number(port))).url}; Ctrl-C ends it`);
  });

program
  .command("merge <files...>")
  .description("makes one table of reports that were saved by --json or downloaded from the page")
  .option("--out <file>", "the page to write", DOC)
  .action((files: readonly string[], { out }: { out: string }) => {
    // What this program wrote: one report, or a list of them.
    const reports = files.flatMap((file) => JSON.parse(readFileSync(file, "utf8")) as Report | Report[]);
    print(reports);
    write(out, markdown(reports));
  });

await program.parseAsync();
