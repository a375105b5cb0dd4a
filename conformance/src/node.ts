/** The suite in Node on one adapter: `node.ts ADAPTER [ONLY]`; prints the report as its last line. */
import { init, type DeviceName } from "jnx";
import { runSuite } from "./run.ts";

const [adapter = "swiftshader", only] = process.argv.slice(2);
// The command line checked it against the names that `init` knows.
const device = await init({ device: adapter as DeviceName });
const report = await runSuite({
  engine: device.kind === "webgpu" ? "Dawn in Node" : "WebAssembly in Node",
  device,
  ...(only === undefined ? {} : { only }),
  onProgress: (done, total) => console.error(`progress ${done} ${total}`),
});
console.log(JSON.stringify(report));
