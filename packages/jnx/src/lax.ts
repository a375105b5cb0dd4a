/** jax.lax: the functions that jnp is made of, and those that have no NumPy name. */
export {
  broadcastedIota,
  dotGeneral,
  conv,
  convGeneralDilated,
  convTranspose,
  convWithGeneralPadding,
  erf,
  erfc,
  erfInv,
  laxSlice as slice,
  linalg,
  pad,
  reduceWindow,
  rem,
  rsqrt,
  sigmoid as logistic,
  stopGradient,
} from "@jnx/tensor";
export { allGather, axisIndex, pmax, pmean, pmin, psum } from "@jnx/autodiff";
