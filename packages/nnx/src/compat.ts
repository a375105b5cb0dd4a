/** The functions that Flax's `nnx.compat` binds to graph mode, which is the one mode there is here: the same functions. */
export { clone, graphdef, split, state } from "./graph.ts";
export { flatten } from "./graph-state.ts";
export { iterChildren, iterGraph, recursiveMap } from "./graph-walk.ts";
export { iterModules, view, viewInfo } from "./module.ts";
export { backupKeys, forkRngs, reseed, splitRngs } from "./rng-state.ts";
export { checkify } from "./transforms/checkify.ts";
export { cond, foriLoop, switchBranch as switch, whileLoop } from "./transforms/control.ts";
export { customVjp } from "./transforms/custom-vjp.ts";
export { pmap, shardMap } from "./transforms/devices.ts";
export { evalShape } from "./transforms/eval-shape.ts";
export { grad, valueAndGrad } from "./transforms/grad.ts";
export { jit } from "./transforms/jit.ts";
export { cachedPartial } from "./transforms/partial.ts";
export { remat } from "./transforms/remat.ts";
export { scan } from "./transforms/scan.ts";
export { jvp, vjp } from "./transforms/vjp.ts";
export { vmap } from "./transforms/vmap.ts";
