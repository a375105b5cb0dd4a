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
  initEmptyState,
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
  safeIncrement as safeInt32Increment,
  scale,
  scaleByAdam,
  scaleByLearningRate,
  scaleBySchedule,
  trace,
  type AdamOptions,
  type AdamState,
  type CountState,
  type Mask,
  type TraceOptions,
  type TraceState,
} from "./transforms.ts";
export * from "./alias-adaptive.ts";
export type { DecayOptions } from "./alias-options.ts";
export * from "./alias-others.ts";
export * from "./clipping.ts";
export * from "./lbfgs.ts";
export { scaleByBacktrackingLinesearch, valueAndGradFromState } from "./linesearch.ts";
export type { BacktrackingOptions, BacktrackingState, LinesearchInfo } from "./linesearch.ts";
export * from "./linesearch-zoom.ts";
export * from "./losses-ctc.ts";
export * from "./losses-fenchel-young.ts";
export * from "./losses-more.ts";
export * from "./losses-regression.ts";
export * from "./multi-steps.ts";
export * from "./scaling-factored.ts";
export * from "./scaling-more.ts";
export * from "./scaling.ts";
export * from "./schedules-more.ts";
export * from "./combining.ts";
export { scaleByDistanceOverGradients, type DistanceOptions, type DistanceState } from "./contrib/distance.ts";
export { perExampleGlobalNormClip, perExampleLayerNormClip } from "./contrib/privacy.ts";
export * as contrib from "./contrib.ts";
export * from "./inject.ts";
export * from "./linear-algebra.ts";
export * from "./lookahead.ts";
export * from "./losses-segmentation.ts";
export * from "./losses-sparse.ts";
export {
  microbatch,
  type Accumulation,
  type AccumulationType,
  type Accumulator,
  type MicrobatchOptions,
} from "./microbatching.ts";
export * as microbatching from "./microbatching.ts";
export * from "./monitoring.ts";
export * from "./numerics.ts";
export * as perturbations from "./perturbations.ts";
export * as projections from "./projections.ts";
export * as losses from "./names-losses.ts";
export * as transforms from "./names-transforms.ts";
export * as treeUtils from "./names-tree-utils.ts";
export * as secondOrder from "./second-order.ts";
export * as schedules from "./names-schedules.ts";
export * as tree from "./tree-ops.ts";
export {
  biasCorrection,
  mapParams as treeMapParams,
  updateInfinityMoment,
  updateMoment,
  updateMomentPerElemNorm,
} from "./tree-ops.ts";
export {
  applyIfFinite,
  conditionallyMask,
  conditionallyTransform,
  freeze,
  incrementalUpdate,
  masked,
  partition,
  partition as multiTransform,
  periodicUpdate,
  statelessWithTreeMap,
  type ApplyIfFiniteState,
  type ConditionalState,
  type Labels,
  type MaskedOptions,
  type MaskedState,
  type PartitionState,
} from "./wrappers.ts";
