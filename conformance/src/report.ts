import { FAULTS } from "./faults.ts";
import type { Report, Result } from "./run.ts";

/** One function of the table on all implementations. */
interface Line {
  readonly family: string;
  readonly name: string;
  readonly cells: readonly string[];
}

/** "Dawn in Node, SwiftShader". */
export function title({ engine, device }: Report): string {
  const driver = `${device.adapter} ${device.description}`;
  if (/swiftshader/i.test(driver)) return `${engine}, SwiftShader`;
  if (/llvmpipe/i.test(driver)) return `${engine}, lavapipe`;
  return device.kind === "webgpu" ? `${engine}, ${device.description || device.adapter}` : engine;
}

/** Passed, failed, and the seconds it took. */
export function summary(report: Report): string {
  const failed = report.results.filter(({ ok }) => !ok).length;
  return `${title(report)}: ${report.results.length - failed} passed, ${failed} failed, ${report.seconds.toFixed(0)} s`;
}

/** The table op × implementation: the worst distance from the oracle, or how many checks failed. */
export function lines(reports: readonly Report[]): Line[] {
  const names = new Map<string, string>();
  for (const { results } of reports) for (const { family, name } of results) names.set(name, family);
  return [...names].map(([name, family]) => ({
    family,
    name,
    cells: reports.map(({ results }) => cell(results.filter((result) => result.name === name))),
  }));
}

function cell(results: readonly Result[]): string {
  if (results.length === 0) return "not run";
  const failed = results.filter(({ ok }) => !ok);
  if (failed.length > 0) return `${failed.length} of ${results.length} fail`;
  const ulp = Math.max(...results.map((result) => result.ulp));
  return ulp === 0 ? "exact" : `${Number(ulp.toPrecision(2))} ulp`;
}

/** What the compiler of WGSL said of the kernels. */
function compiledText({ compiled }: Report): string {
  if (compiled === undefined) return "";
  const { kernels, messages } = compiled;
  return `; ${kernels} kernels compiled, ${messages.length === 0 ? "without a message" : `${messages.length} messages`}`;
}

/** What a saved report of an earlier version lacks. */
function olderText({ results }: Report, reports: readonly Report[]): string {
  const kinds = new Set(results.map(({ kind }) => kind));
  const all = new Set(reports.flatMap((report) => report.results.map(({ kind }) => kind)));
  const missing = [...all].filter((kind) => !kinds.has(kind));
  if (missing.length === 0) return "";
  return `; by an earlier version, without ${missing.join(" and ")}, which calls sums within their tolerance exact`;
}

/** All that went wrong, failing checks and what compilers said, a line each. */
export function complaints(report: Report): string[] {
  const failed = report.results.filter(({ ok }) => !ok);
  return [
    ...failed.map(({ label, dtype, kind, message }) => `${label}, ${dtype}, ${kind}: ${message ?? ""}`),
    ...(report.compiled?.messages ?? []),
  ].map((text) => `${title(report)}: ${text}`);
}

/** A table as Prettier would have it. */
function tableOf(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, k) => Math.max(3, ...rows.map((row) => row[k]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, k) => cell.padEnd(widths[k] ?? 0)).join(" | ")} |`;
  const [head = [], ...body] = rows;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...body.map(line)].join("\n");
}

/** The page under docs/. */
export function markdown(reports: readonly Report[]): string {
  const wrong = reports.flatMap(complaints);
  const rows = lines(reports).map(({ name, cells }) => [`\`${name}\``, ...cells]);
  return `# Conformance

Every public function of the op table on each implementation of WebGPU at hand, and on the CPU. Written by \`pnpm conformance --doc\`.

${reports.map((report) => `- ${summary(report)}${compiledText(report)} (${report.date.slice(0, 10)})${olderText(report, reports)}`).join("\n")}

${wrong.length === 0 ? "No check fails anywhere." : `What fails:\n\n${wrong.map((text) => `- ${text}`).join("\n")}`}

## What is checked

Each function, in each of its dtypes, against an oracle in float64:

- special values: NaN, infinities, zeros of both signs, huge and tiny numbers, the ends of the integers, each with each;
- shapes: scalars, empty arrays, odd extents, rank 8, broadcasting, and for functions of whole arrays the cases of the table;
- views as operands: transposed, and flipped out of the middle of a larger array; one operand given twice;
- gradients, to order two, and tangents, against differences of the oracle; a batch against its examples; compiled against eager;
- every text that is compiled for it: no warning and no error of Tint or Naga.

"Least limits" is a device that was asked for no more than WebGPU promises everywhere: 8 storage buffers, 256 invocations, 128 MiB.
A cell is the worst distance of a float result from its oracle, in units in the last place; where terms cancel, such as in sums and
products, in those of the result's largest element. Results that are no floats are exact or fail.

## What drivers get wrong

What WGSL's own operators and functions gave in the same runs, of numbers that their compilers did not know. The library functions
(\`*functions.wgsl\`) go round each, so that no check above is an exception. A read past the end of a storage buffer may give any element of
it, or 0: every load and store is guarded by shape.

${faultTable(reports)}

## Functions

${tableOf([["function", ...reports.map(title)], ...rows])}
`;
}

/** What each report's device gives where drivers err, or WGSL leaves things open. */
function faultTable(reports: readonly Report[]): string {
  const rows = FAULTS.map(({ probes, wayRound }) => [
    probes.map(({ shown }) => `\`${shown}\``).join(", "),
    // A saved report of an earlier version has none.
    ...reports.map(({ faults = {} }: Partial<Report>) => probes.map(({ shown }) => faults[shown] ?? "-").join(", ")),
    wayRound,
  ]);
  return tableOf([["what", ...reports.map(title), "the way round"], ...rows]);
}
