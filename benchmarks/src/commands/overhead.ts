/** `overhead`: what a call costs the host, the device's work left out. */
import { fileURLToPath } from "node:url";
import { Option, type Command } from "commander";
import { bundle, bundleFile } from "../engines/bundle.ts";
import type * as Overhead from "../overhead.ts";
import { printTables } from "./shared.ts";

const devices: readonly Overhead.OverheadDevice[] = ["swiftshader", "lavapipe", "wasm"];

async function run({ adapter }: { readonly adapter: Overhead.OverheadDevice }): Promise<void> {
  const contents = `export * from ${JSON.stringify(fileURLToPath(new URL("../overhead.ts", import.meta.url)))};`;
  await bundle("overhead", { contents, external: ["@sparticuz/chromium", "webgpu"], conditions: ["@jnx/source"] });
  // It exports what the file it was made from does.
  const { measureOverhead } = (await import(bundleFile("overhead"))) as typeof Overhead;
  const costs = await measureOverhead(adapter);
  const text = (times: Overhead.Times | undefined): string =>
    times === undefined ? "-" : `${times.min.toFixed(1)} / ${times.median.toFixed(1)}`;
  const rows = costs.map(({ name, alone, inARow, webgpu, calls }) => {
    const ours = webgpu && { min: inARow.min - webgpu.min, median: inARow.median - webgpu.median };
    return [name, text(inARow), text(webgpu), text(ours), text(alone), String(calls)];
  });
  const head = ["call", "in a row", "in WebGPU", "in jnx", "alone", "calls"];
  printTables([{ title: `Host time on ${adapter}, min / median in µs`, rows: [head, ...rows] }]);
}

export function addOverhead(program: Command): void {
  program
    .command("overhead")
    .description("What a call costs the thread that makes it, the device's work not counted.")
    .addOption(new Option("-a, --adapter <name>", "the device").choices(devices).default("swiftshader"))
    .action(run);
}
