/** jax.scipy: special functions and linear algebra. */
export * as special from "./scipy-special.ts";
export { scipyLinalg as linalg } from "@jnx/tensor";
