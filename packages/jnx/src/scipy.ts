/** jax.scipy: special functions, linear algebra and distributions. */
export * as special from "./scipy-special.ts";
export { scipyLinalg as linalg, scipyStats as stats } from "@jnx/tensor";
