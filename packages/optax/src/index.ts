export { adam, adamw, sgd, type AdamwOptions, type SgdOptions } from "./alias.ts";
export { applyUpdates, globalNorm } from "./apply.ts";
export { softmaxCrossEntropy, softmaxCrossEntropyWithIntegerLabels, type LossOptions } from "./losses.ts";
export {
  constantSchedule,
  cosineDecaySchedule,
  exponentialDecay,
  linearSchedule,
  polynomialSchedule,
  type CosineOptions,
  type ExponentialOptions,
  type TransitionOptions,
} from "./schedules.ts";
export {
  chain,
  identity,
  stateless,
  type EmptyState,
  type ExtraArguments,
  type GradientTransformation,
  type ScalarOrSchedule,
  type Schedule,
} from "./transformation.ts";
export {
  addDecayedWeights,
  clipByGlobalNorm,
  safeIncrement,
  scale,
  scaleByAdam,
  scaleByLearningRate,
  scaleBySchedule,
  trace,
  type AdamOptions,
  type AdamState,
  type CountState,
  type Mask,
  type TraceState,
} from "./transforms.ts";
export * from "./alias-adaptive.ts";
export type { DecayOptions } from "./alias-options.ts";
export * from "./alias-others.ts";
export * from "./clipping.ts";
export * from "./losses-more.ts";
export * from "./losses-regression.ts";
export * from "./multi-steps.ts";
export * from "./scaling-factored.ts";
export * from "./scaling-more.ts";
export * from "./scaling.ts";
export * from "./schedules-more.ts";
export * as tree from "./tree-ops.ts";
export {
  applyIfFinite,
  conditionallyMask,
  conditionallyTransform,
  freeze,
  incrementalUpdate,
  injectHyperparams,
  lookahead,
  masked,
  partition,
  partition as multiTransform,
  periodicUpdate,
  statelessWithTreeMap,
  type ApplyIfFiniteState,
  type ConditionalState,
  type InjectState,
  type Labels,
  type LookaheadParams,
  type LookaheadState,
  type MaskedState,
  type PartitionState,
} from "./wrappers.ts";
