/** jax: transformations of functions, and trees. */
export { grad, valueAndGrad, vjp, type GradOptions } from "@jnx/autodiff";
export { jit, type Jitted, type JitOptions, type ProgramReport } from "@jnx/compile";
export { tree } from "@jnx/tensor";
