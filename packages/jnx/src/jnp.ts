/** jax.numpy: arrays and the functions on them, under NumPy's names. */
export {
  Tensor,
  abs, add, all, any, arange, argmax, argmin, array, array as asarray, astype, bitwiseAnd, bitwiseNot, bitwiseOr,
  bitwiseXor, broadcastTo, ceil, clip, cos, div as divide, equal, exp, expandDims, expm1, eye, flip, floor, floorDivide,
  full, fullLike, greater, greaterEqual, isfinite, isinf, isnan, leftShift, less, lessEqual, log, log1p, logicalAnd,
  logicalNot, logicalOr, matmul, max, maximum, mean, min, minimum, moveaxis, mul as multiply, neg as negative, notEqual,
  ones, onesLike, power, prod, ravel, remainder, reshape, rightShift, round, sign, sin, sqrt, square, squeeze, std,
  sub as subtract, sum, swapaxes, take, takeAlongAxis, tan, tanh, transpose, variance as var, where, zeros, zerosLike,
} from "@jnx/tensor";
