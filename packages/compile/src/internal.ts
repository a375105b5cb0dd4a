/** For @jnx/nnx; no promise is made about anything here. */
export { StepCache, type StepCacheOptions, type TraceResult } from "./step-cache.ts";
export { printGraph } from "./print.ts";
export { Capture } from "./capture.ts";
export { reach } from "./jit.ts";
export { CompiledGraph } from "./program.ts";
