export * from "./activations.ts";
export { GraphError, TraceContextError } from "./errors.ts";
export {
  All,
  Any,
  Everything,
  Not,
  Nothing,
  OfType,
  PathContains,
  PathIn,
  WithTag,
  type Filter,
  type Predicate,
} from "./filter.ts";
export { GraphDef } from "./graph-def.ts";
export { clone, graphdef, iterGraph, iterModules, merge, pop, split, state, update, variables } from "./graph.ts";
export * as initializers from "./initializers.ts";
export type { FanOptions, Initializer } from "./initializers.ts";
export { loadSafetensors, saveSafetensors } from "./io.ts";
export { Dropout, type DropoutCallOptions, type DropoutOptions } from "./layers/dropout.ts";
export { Linear, type LinearOptions } from "./layers/linear.ts";
export { Module, type AttributeOptions } from "./module.ts";
export type { Path, PathPart } from "./node.ts";
export { Pytree } from "./pytree.ts";
export { Rngs, RngStream, type RngsOptions, type Seed } from "./rngs.ts";
export { SafetensorsError } from "./safetensors.ts";
export {
  entryAt,
  filterState,
  fromFlatState,
  mapState,
  mergeState,
  splitState,
  State,
  toFlatState,
  toPureDict,
  type FlatState,
  type Leaf,
  type StateOf,
} from "./state.ts";
export { ModelAndOptimizer, Optimizer, type OptimizerOptions } from "./training/optimizer.ts";
export { DiffState, grad, valueAndGrad, type GradientFor, type GradOptions } from "./transforms/grad.ts";
export { jit, type Jitted } from "./transforms/jit.ts";
export * from "./variable-types.ts";
export { Variable, type Metadata, type VariableClass } from "./variable.ts";
