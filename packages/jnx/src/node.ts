/** The package's entry point in Node: the same as in browsers, with Node's way to find an adapter. */
import { nodeAdapter } from "./device/node.ts";
import { setAdapterSource } from "./init.ts";

setAdapterSource(nodeAdapter);

export * from "./index.ts";
