/** The package's entry point in Node: the same as in browsers, with Node's way to find an adapter. */
import { setAdapterSource, setWait } from "./device/find.ts";
import { nap } from "./device/nap.ts";
import { nodeAdapter } from "./device/node.ts";

setAdapterSource(nodeAdapter);
// Deno and Bun, which take this entry point too, wait by themselves.
if (!("bun" in process.versions) && !("deno" in process.versions)) setWait(nap);

export * from "./index.ts";
