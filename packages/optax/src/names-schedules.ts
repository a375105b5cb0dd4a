/** The schedules under the names that optax.schedules has them. */
export { injectHyperparams, injectStatefulHyperparams, wrappedSchedule, type StatefulSchedule } from "./inject.ts";
export * from "./schedules-more.ts";
export {
  constantSchedule,
  cosineDecaySchedule,
  exponentialDecay,
  linearSchedule,
  polynomialSchedule,
} from "./schedules.ts";
