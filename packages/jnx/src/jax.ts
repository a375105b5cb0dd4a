import { segmentMax, segmentMin, segmentProd, segmentSum } from "@jnx/tensor";
/** jax: transformations of functions, and trees. */
export {
  checkpoint,
  checkpoint as remat,
  checkpointName,
  checkpointPolicies,
  customJvp,
  customVjp,
  grad,
  hessian,
  jacfwd,
  jacrev,
  jacrev as jacobian,
  jvp,
  linearize,
  linearTranspose,
  valueAndGrad,
  vjp,
  vmap,
  type Axes,
  type GradOptions,
  type Jacobian,
  type JacobianOptions,
  type JvpOptions,
  type VmapOptions,
} from "@jnx/autodiff";
export {
  clearCaches,
  closureConvert,
  customGradient,
  evalShape,
  jit,
  makeJaxpr,
  ShapeDtypeStruct,
  type Jitted,
  type JitOptions,
  type ProgramReport,
} from "@jnx/compile";
export {
  blockUntilReady,
  debug,
  effectsBarrier,
  config,
  defaultBackend,
  deviceGet,
  devicePut,
  devices,
  type ConfigName,
  type OnDevice,
  type OnHost,
} from "@jnx/tensor";
export * as scipy from "./scipy.ts";
export * as tree from "./tree.ts";
export * as treeUtil from "./tree-util.ts";
/** jax.ops: reductions by segment. */
export const ops = /* @__PURE__ */ Object.freeze({ segmentMax, segmentMin, segmentProd, segmentSum });
