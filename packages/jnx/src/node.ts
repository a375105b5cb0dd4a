/** The package's entry point in Node: the same as in browsers, with Node's way to find an adapter. */
import { setAdapterSource } from "./device/find.ts";
import { nodeAdapter } from "./device/node.ts";

setAdapterSource(nodeAdapter);

export * from "./index.ts";
