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
  return ulp === 0 ? "exact" : `${ulp} ulp`;
}

/** The page under docs/. */
export function markdown(reports: readonly Report[]): string {
  const head = `| function | ${reports.map(title).join(" | ")} |\n| --- | ${reports.map(() => "---").join(" | ")} |`;
  const body = lines(reports).map(({ name, cells }) => `| \`${name}\` | ${cells.join(" | ")} |`);
  const failures = reports.flatMap((report) =>
    report.results
      .filter(({ ok }) => !ok)
      .map(({ label, dtype, kind, message }) => `- ${title(report)}: ${label}, ${dtype}, ${kind}: ${message ?? ""}`),
  );
  return `# Conformance

Every public function of the op table on each implementation of WebGPU at hand, written by \`pnpm conformance\`. Each is
checked with special values (NaN, infinities, zeros, huge), shapes (scalars, empty arrays, rank 8, broadcasting), gradients to
order two and tangents by differences, a batch against its examples, and compiled against eager; against oracles in float64. A cell is the worst distance of a float
result from its oracle in units in the last place; sums and products of many terms, which are held to a tolerance relative to
their terms, count as exact when they keep it.

${reports.map((report) => `- ${summary(report)} (${report.date.slice(0, 10)})`).join("\n")}

${failures.length === 0 ? "No check fails." : `Failing checks:\n\n${failures.join("\n")}`}

${head}
${body.join("\n")}
`;
}
