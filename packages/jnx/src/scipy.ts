/** jax.scipy: special functions. */
export * as special from "./scipy-special.ts";
