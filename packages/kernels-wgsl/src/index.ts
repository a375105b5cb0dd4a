export type {
  Binding,
  Kernel,
  LinkedKernel,
  LinkOptions,
  UniformField,
  UniformLayout,
  WgslFunction,
} from "./kernel.ts";
export { link } from "./kernel.ts";
export { ceilDiv, foldGrid, MAX_GROUPS_PER_DIMENSION } from "./launch.ts";
export { packUniform } from "./params.ts";
export type { PlanLimits, Stage, Width } from "./stage.ts";
export { parseTuning, type FamilyTuning, type Tuning } from "./tuning.ts";
export { map } from "./elementwise/map.wgsl.gen.ts";
export * from "./elementwise/bessel-functions.wgsl.gen.ts";
export * from "./elementwise/bessel-order-functions.wgsl.gen.ts";
export * from "./elementwise/beta-functions.wgsl.gen.ts";
export * from "./elementwise/bits-functions.wgsl.gen.ts";
export * from "./elementwise/dawson-functions.wgsl.gen.ts";
export * from "./elementwise/error-functions.wgsl.gen.ts";
export * from "./elementwise/exponential-functions.wgsl.gen.ts";
export * from "./elementwise/exponential-integral-functions.wgsl.gen.ts";
export * from "./elementwise/fresnel-functions.wgsl.gen.ts";
export * from "./elementwise/functions.wgsl.gen.ts";
export * from "./elementwise/gamma-functions.wgsl.gen.ts";
export * from "./elementwise/gauss-functions.wgsl.gen.ts";
export * from "./elementwise/hyperbolic-functions.wgsl.gen.ts";
export * from "./elementwise/hypergeometric-functions.wgsl.gen.ts";
export * from "./elementwise/incomplete-functions.wgsl.gen.ts";
export * from "./elementwise/incomplete-beta-functions.wgsl.gen.ts";
export * from "./elementwise/integer-functions.wgsl.gen.ts";
export * from "./elementwise/inverse-functions.wgsl.gen.ts";
export * from "./elementwise/normal-functions.wgsl.gen.ts";
export * from "./elementwise/owens-functions.wgsl.gen.ts";
export * from "./elementwise/packed-functions.wgsl.gen.ts";
export * from "./elementwise/power-functions.wgsl.gen.ts";
export * from "./elementwise/remainder-functions.wgsl.gen.ts";
export * from "./elementwise/trigonometric-functions.wgsl.gen.ts";
export * from "./elementwise/trigonometric-integral-functions.wgsl.gen.ts";
export {
  MAX_DEPTH,
  planAttention,
  planAttentionGradient,
  type AttentionBackwardSpec,
  type AttentionExtra,
  type AttentionForwardSpec,
  type AttentionOperand,
  type AttentionRole,
  type AttentionSpec,
} from "./attention/plan.ts";
export { planConv, type ConvImage, type ConvSpec, type ConvWindow, type Triple } from "./conv/plan.ts";
export { planGather, planScatter, type GatherSpec, type ScatterSpec } from "./indexing/plan.ts";
export {
  planCholesky,
  luRows,
  planLu,
  planQr,
  planReflections,
  planTriangularSolve,
  type QrSpec,
  type SquareSpec,
  type TriangularSpec,
} from "./linalg/plan.ts";
export { planEigh, planSvd, type SvdSpec } from "./linalg/plan-jacobi.ts";
export { planMatmul, type MatmulOperand, type MatmulSpec } from "./matmul/plan.ts";
export { planCopy, planPad, planSort, type CopySpec, type PadSpec, type SortSpec } from "./movement/plan.ts";
export { planRecurrence, planScan, type RecurrenceSpec, type ScanCombine, type ScanSpec } from "./reduce/scan.ts";
export { gate } from "./control/gate.wgsl.gen.ts";
export { planPlace, type PlaceSpec } from "./movement/place.ts";
export { planBits, type BitsSpec } from "./random/plan.ts";
export * from "./random/exact-functions.wgsl.gen.ts";
export * from "./random/binomial-functions.wgsl.gen.ts";
export * from "./random/gamma-grad-functions.wgsl.gen.ts";
export * from "./random/key-functions.wgsl.gen.ts";
export { bits_of as older_bits_of, child as older_child } from "./random/older-key-functions.wgsl.gen.ts";
export * from "./random/rejection-functions.wgsl.gen.ts";
export * from "./random/sampling-functions.wgsl.gen.ts";
export * from "./random/threefry-functions.wgsl.gen.ts";
export { FEW_STEPS, fitsLines, linePass, planLines, type LinesSpec } from "./reduce/lines.ts";
export {
  identityBits,
  type Combine,
  planArgReduce,
  planReduce,
  type ArgReduceSpec,
  type ReduceSpec,
} from "./reduce/plan.ts";
export {
  planWindowChoice,
  planWindowReduce,
  type WindowChoiceSpec,
  type WindowReduceSpec,
  type WindowSpec,
} from "./window/plan.ts";
