/** Optax's contributed optimizers, as optax.contrib has them. */
export {
  acprop,
  ademamix,
  adopt,
  scaleByAcprop,
  scaleByAdemamix,
  scaleByAdopt,
  scaleBySimplifiedAdemamix,
  simplifiedAdemamix,
  type AdemamixOptions,
  type AdemamixState,
  type AdoptOptions,
  type SimplifiedAdemamixOptions,
  type SimplifiedAdemamixState,
} from "./contrib/adaptive.ts";
export { DimensionNumbers, type DimensionSpec } from "./contrib/dimensions.ts";
export {
  dog,
  dowg,
  scaleByDog,
  scaleByDowg,
  type DogOptions,
  type DogState,
  type DowgOptions,
  type DowgState,
  type InitStep,
} from "./contrib/distance.ts";
export {
  galore,
  scaleByGalore,
  type GaloreOptions,
  type GaloreScaleOptions,
  type GaloreState,
} from "./contrib/galore.ts";
export {
  madgrad,
  momo,
  momoAdam,
  scaleByMadgrad,
  type MadgradOptions,
  type MadgradState,
  type MomoAdamOptions,
  type MomoAdamState,
  type MomoOptions,
  type MomoState,
} from "./contrib/momo.ts";
export {
  muon,
  orthogonalizeViaNewtonSchulz,
  scaleByMuon,
  scaleByShape,
  type MuonOptions,
  type MuonScaleOptions,
  type MuonState,
  type NewtonSchulzCoefficients,
  type NewtonSchulzOptions,
  type Preconditioning,
  type ShapeScaleOptions,
} from "./contrib/muon.ts";
export { reduceOnPlateau, type PlateauOptions, type PlateauState } from "./contrib/plateau.ts";
export { differentiallyPrivateAggregate, dpsgd, type DpsgdOptions, type PrivacyState } from "./contrib/privacy.ts";
export {
  cocob,
  dadaptAdamw,
  mechanize,
  prodigy,
  scaleByCocob,
  type CocobOptions,
  type CocobState,
  type DAdaptOptions,
  type DAdaptState,
  type MechanicOptions,
  type MechanicState,
  type ProdigyOptions,
  type ProdigyState,
} from "./contrib/rate-free.ts";
export { normalize, sam, type SamOptions, type SamState } from "./contrib/sam.ts";
export {
  scheduleFree,
  scheduleFreeAdamw,
  scheduleFreeEvalParams,
  scheduleFreeSgd,
  type ScheduleFreeAdamwOptions,
  type ScheduleFreeOptions,
  type ScheduleFreeSgdOptions,
  type ScheduleFreeState,
} from "./contrib/schedule-free.ts";
export {
  hutchinsonEstimatorDiagHessian,
  scaleBySophia,
  sophia,
  type HutchinsonState,
  type SophiaOptions,
  type SophiaScaleOptions,
  type SophiaState,
} from "./contrib/sophia.ts";
