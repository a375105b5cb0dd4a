/** The suite in Deno, whose WebGPU is wgpu and whose WGSL compiler is Naga; prints the report as its last line. */
import { init } from "jnx";
import { watchCompilers } from "./messages.ts";
import { runSuite } from "./run.ts";

interface Deno {
  readonly version: { readonly deno: string };
  readonly args: readonly string[];
}

// Deno's global, typed here by what is used of it.
const { version, args } = (globalThis as unknown as { Deno: Deno }).Deno;
const [only] = args;
const compiled = watchCompilers();
const device = await init({ device: "webgpu" });
const report = await runSuite({
  engine: `wgpu in Deno ${version.deno}`,
  device,
  compiled,
  ...(only === undefined ? {} : { only }),
  onProgress: (done, total) => console.error(`progress ${done} ${total}`),
});
console.log(JSON.stringify(report));
