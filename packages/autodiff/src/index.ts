export type { Axes } from "./axes.ts";
export { allGather, axisIndex, pmax, pmean, pmin, psum, type AllGatherOptions, type AxisNames } from "./collectives.ts";
export {
  allToAll,
  axisSize,
  pbroadcast,
  ppermute,
  pshuffle,
  psumScatter,
  pswapaxes,
  type AllToAllOptions,
  type ScatterSumOptions,
} from "./exchanges.ts";
export { grad, valueAndGrad, vjp, type AuxOption, type GradOptions } from "./grad.ts";
export { hessian, jacfwd, jacrev, type Jacobian, type JacobianOptions } from "./jacobian.ts";
export { jvp, linearize, linearTranspose, type JvpOptions } from "./jvp.ts";
export { vmap, type VmapOptions } from "./vmap.ts";
export {
  checkpoint,
  checkpointName,
  checkpointPolicies,
  optimizationBarrier,
  type CheckpointOptions,
  type CheckpointPolicy,
} from "./checkpoint.ts";
export { customJvp, customVjp, type CustomJvp, type CustomOptions, type CustomVjp } from "./custom.ts";
export { applyAlongAxis, applyOverAxes, fromfunction, vectorize, type VectorizeOptions } from "./mapped.ts";
