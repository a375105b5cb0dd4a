/** jax: transformations of functions, and trees. */
export {
  grad,
  hessian,
  jacfwd,
  jacrev,
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
export { jit, type Jitted, type JitOptions, type ProgramReport } from "@jnx/compile";
export { config, tree, type ConfigName } from "@jnx/tensor";
