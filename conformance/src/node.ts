/** The suite in Node on one adapter: `node.ts ADAPTER all|least [ONLY]`; prints the report as its last line. */
import { init, type DeviceName } from "jnx";
import { useLeastLimits } from "./least.ts";
import { watchCompilers } from "./messages.ts";
import { runSuite } from "./run.ts";

const [adapter = "swiftshader", limits, only] = process.argv.slice(2);
// The command line checked it against the names that `init` knows.
const own = await init({ device: adapter as DeviceName });
const device = limits === "least" ? await useLeastLimits() : own;
// After `init`, which chooses the driver that Dawn loads.
const { globals } = await import("webgpu");
// Its classes, typed as a mere object.
const compiled = watchCompilers(globals as Parameters<typeof watchCompilers>[0]);
const report = await runSuite({
  engine: `${device.kind === "webgpu" ? "Dawn in Node" : "WebAssembly in Node"}${limits === "least" ? ", least limits" : ""}`,
  device,
  compiled,
  ...(only === undefined ? {} : { only }),
  onProgress: (done, total) => console.error(`progress ${done} ${total}`),
});
console.log(JSON.stringify(report));
