/** The suite in a browser: a button, a table that fills, a JSON report to download. */
import { init } from "jnx";
import { watchCompilers } from "./messages.ts";
import { runSuite, type Report } from "./run.ts";
import { lines, summary } from "./report.ts";

declare global {
  interface Window {
    /** For whoever drives the page: starts the suite, and tells how far it is. */
    runConformance?: (only?: string) => Promise<Report>;
    conformanceProgress?: readonly [done: number, total: number];
  }
}

const element = (id: string): HTMLElement => {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`conformance: the page has no #${id}`);
  return found;
};

async function run(only?: string): Promise<Report> {
  element("start").setAttribute("disabled", "");
  const compiled = watchCompilers();
  const device = await init({ device: "webgpu" });
  const engine = /(Chrome|Firefox|Version)\/\d+/.exec(navigator.userAgent)?.[0] ?? navigator.userAgent;
  const report = await runSuite({
    engine: engine.replace("/", " ").replace("Version", "Safari"),
    device,
    compiled,
    ...(only === undefined ? {} : { only }),
    onProgress: (done, total, latest) => {
      window.conformanceProgress = [done, total];
      element("status").textContent = `${done} of ${total}: ${latest.label}, ${latest.kind}`;
      element("bar").setAttribute("value", String(done / total));
      if (!latest.ok) add("failures", `${latest.label}, ${latest.dtype}, ${latest.kind}: ${latest.message ?? ""}`);
    },
  });
  show(report);
  return report;
}

function add(list: string, text: string): void {
  const item = document.createElement("li");
  item.textContent = text;
  element(list).append(item);
}

function show(report: Report): void {
  element("status").textContent = summary(report);
  for (const { family, name, cells } of lines([report])) {
    const row = document.createElement("tr");
    for (const text of [family, name, ...cells])
      row.append(Object.assign(document.createElement("td"), { textContent: text }));
    element("rows").append(row);
  }
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([JSON.stringify(report)], { type: "application/json" }));
  link.download = "jnx-conformance.json";
  link.textContent = "Download the report";
  element("report").append(link);
}

window.runConformance = run;
element("start").addEventListener("click", () => {
  run().catch((error: unknown) => {
    element("status").textContent = error instanceof Error ? error.message : String(error);
  });
});
