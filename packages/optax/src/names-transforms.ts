/** The transformations under the names that optax.transforms has them. */
export {
  adaptiveGradClip,
  addNoise,
  clip,
  clipByBlockRms,
  ema,
  keepParamsNonnegative,
  unitwiseClip,
  unitwiseNorm,
  zeroNans,
} from "./clipping.ts";
export { flatten, namedChain, selectiveTransform } from "./combining.ts";
export { perExampleGlobalNormClip, perExampleLayerNormClip } from "./contrib/privacy.ts";
export { measureWithEma, monitor, snapshot } from "./monitoring.ts";
export { MultiSteps, skipLargeUpdates, skipNotFinite } from "./multi-steps.ts";
export { chain } from "./transformation.ts";
export { addDecayedWeights, clipByGlobalNorm, trace } from "./transforms.ts";
export { applyIfFinite, conditionallyMask, conditionallyTransform, freeze, masked, partition } from "./wrappers.ts";
