/** The package's entry point in Node: the same as in browsers, with Node's way to find an adapter. */
import { setAdapterSource, setWait } from "./device/find.ts";
import { nap } from "./device/nap.ts";
import { nodeAdapter } from "./device/node.ts";
import { readTuningFile } from "./device/tuning-file.ts";
import { setTuningSource } from "./device/tuning.ts";

setAdapterSource(nodeAdapter);
setTuningSource(readTuningFile);
// Deno and Bun, which take this entry point too, wait by themselves.
if (!("bun" in process.versions) && !("deno" in process.versions)) setWait(nap);

export { tuningFile } from "./device/tuning-file.ts";
export * from "./index.ts";
