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
