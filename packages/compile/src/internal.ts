/** For @jnx/nnx; no promise is made about anything here. */
export { StepCache, type StepCacheOptions, type TraceResult } from "./step-cache.ts";
export { planGraph, type Built } from "./build.ts";
export { hookExprs, made, type Group } from "./group.ts";
export { type Graph, type GraphNode } from "./graph.ts";
export { printGraph } from "./print.ts";
export { Capture } from "./capture.ts";
export { evaluateNodes } from "./control/closed.ts";
export { type DeviceCall } from "./control/device-call.ts";
export { CompiledGraph } from "./program.ts";
