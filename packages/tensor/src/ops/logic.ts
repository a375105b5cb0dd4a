import {
  op_and_b,
  op_and_i,
  op_and_u,
  op_eq_b,
  op_eq_f,
  op_eq_i,
  op_eq_u,
  op_ge_f,
  op_ge_i,
  op_ge_u,
  op_gt_f,
  op_gt_i,
  op_gt_u,
  op_le_f,
  op_le_i,
  op_le_u,
  op_lt_f,
  op_lt_i,
  op_lt_u,
  op_ne_b,
  op_ne_f,
  op_ne_i,
  op_ne_u,
  op_or_b,
  op_or_i,
  op_or_u,
  op_shift_left_i,
  op_shift_left_u,
  op_shift_right_arithmetic_i,
  op_shift_right_logical_u,
  op_xor_b,
  op_xor_i,
  op_xor_u,
  op_not_b,
  op_not_i,
  op_not_u,
} from "@jnx/kernels-wgsl";
import type { Tensor } from "../tensor.ts";
import { convert } from "./convert.ts";
import { asTensor, type TensorLike } from "./create.ts";
import { binary, unary, type BinaryFunction, type UnaryFunction } from "./factories.ts";

/**
 * x = y; false where either is NaN. Source: jnp.equal.
 * @example await equal(array([1, 2]), 2).toArray(); // [0, 1]
 */
export const equal: BinaryFunction = /* @__PURE__ */ binary({
  name: "equal",
  wgsl: { float32: op_eq_f, int32: op_eq_i, uint32: op_eq_u, bool: op_eq_b },
  takes: "any",
  result: "bool",
  partials: "nondifferentiable",
});

/**
 * x ≠ y; true where either is NaN. Source: jnp.not_equal.
 * @example await notEqual(array([1, 2]), 2).toArray(); // [1, 0]
 */
export const notEqual: BinaryFunction = /* @__PURE__ */ binary({
  name: "notEqual",
  wgsl: { float32: op_ne_f, int32: op_ne_i, uint32: op_ne_u, bool: op_ne_b },
  takes: "any",
  result: "bool",
  partials: "nondifferentiable",
});

/**
 * x < y. Source: jnp.less.
 * @example await less(array([1, 2]), 2).toArray(); // [1, 0]
 */
export const less: BinaryFunction = /* @__PURE__ */ binary({
  name: "less",
  wgsl: { float32: op_lt_f, int32: op_lt_i, uint32: op_lt_u },
  takes: "number",
  result: "bool",
  partials: "nondifferentiable",
});

/**
 * x ≤ y. Source: jnp.less_equal.
 * @example await lessEqual(array([1, 2]), 2).toArray(); // [1, 1]
 */
export const lessEqual: BinaryFunction = /* @__PURE__ */ binary({
  name: "lessEqual",
  wgsl: { float32: op_le_f, int32: op_le_i, uint32: op_le_u },
  takes: "number",
  result: "bool",
  partials: "nondifferentiable",
});

/**
 * x > y. Source: jnp.greater.
 * @example await greater(array([1, 3]), 2).toArray(); // [0, 1]
 */
export const greater: BinaryFunction = /* @__PURE__ */ binary({
  name: "greater",
  wgsl: { float32: op_gt_f, int32: op_gt_i, uint32: op_gt_u },
  takes: "number",
  result: "bool",
  partials: "nondifferentiable",
});

/**
 * x ≥ y. Source: jnp.greater_equal.
 * @example await greaterEqual(array([1, 2]), 2).toArray(); // [0, 1]
 */
export const greaterEqual: BinaryFunction = /* @__PURE__ */ binary({
  name: "greaterEqual",
  wgsl: { float32: op_ge_f, int32: op_ge_i, uint32: op_ge_u },
  takes: "number",
  result: "bool",
  partials: "nondifferentiable",
});

/**
 * Bits set in both. Source: jnp.bitwise_and.
 * @example await bitwiseAnd(array([12, 5]), 6).toArray(); // [4, 4]
 */
export const bitwiseAnd: BinaryFunction = /* @__PURE__ */ binary({
  name: "bitwiseAnd",
  wgsl: { int32: op_and_i, uint32: op_and_u, bool: op_and_b },
  takes: "any",
  partials: "nondifferentiable",
});

/**
 * Bits set in either. Source: jnp.bitwise_or.
 * @example await bitwiseOr(array([12, 5]), 6).toArray(); // [14, 7]
 */
export const bitwiseOr: BinaryFunction = /* @__PURE__ */ binary({
  name: "bitwiseOr",
  wgsl: { int32: op_or_i, uint32: op_or_u, bool: op_or_b },
  takes: "any",
  partials: "nondifferentiable",
});

/**
 * Bits set in exactly one. Source: jnp.bitwise_xor.
 * @example await bitwiseXor(array([12, 5]), 6).toArray(); // [10, 3]
 */
export const bitwiseXor: BinaryFunction = /* @__PURE__ */ binary({
  name: "bitwiseXor",
  wgsl: { int32: op_xor_i, uint32: op_xor_u, bool: op_xor_b },
  takes: "any",
  partials: "nondifferentiable",
});

/**
 * x shifted left by y bits; 0 for y ≥ 32. Source: jnp.left_shift.
 * @example await leftShift(array([1, -3]), 2).toArray(); // [4, -12]
 */
export const leftShift: BinaryFunction = /* @__PURE__ */ binary({
  name: "leftShift",
  wgsl: { int32: op_shift_left_i, uint32: op_shift_left_u },
  takes: "number",
  partials: "nondifferentiable",
});

/**
 * x shifted right by y bits: with the sign for int32, with zeros for uint32. Source: jnp.right_shift.
 * @example await rightShift(array([9, -9]), 1).toArray(); // [4, -5]
 */
export const rightShift: BinaryFunction = /* @__PURE__ */ binary({
  name: "rightShift",
  wgsl: { int32: op_shift_right_arithmetic_i, uint32: op_shift_right_logical_u },
  takes: "number",
  partials: "nondifferentiable",
});

/**
 * Every bit turned over; for bool, not. Source: jnp.bitwise_not, jnp.logical_not.
 * @example await bitwiseNot(array([0, 5])).toArray(); // [-1, -6]
 */
export const bitwiseNot: UnaryFunction = /* @__PURE__ */ unary({
  name: "bitwiseNot",
  wgsl: { int32: op_not_i, uint32: op_not_u, bool: op_not_b },
  takes: "any",
  derivative: "nondifferentiable",
});

/**
 * True where x is not zero and y is not zero. Source: jnp.logical_and.
 * @example await logicalAnd(array([true, false]), array([2, 2])).toArray(); // [1, 0]
 */
export function logicalAnd(x: TensorLike, y: TensorLike): Tensor {
  return bitwiseAnd(convert(asTensor(x, "logicalAnd"), "bool"), convert(asTensor(y, "logicalAnd"), "bool"));
}

/**
 * True where x or y is not zero. Source: jnp.logical_or.
 * @example await logicalOr(array([true, false]), array([0, 0])).toArray(); // [1, 0]
 */
export function logicalOr(x: TensorLike, y: TensorLike): Tensor {
  return bitwiseOr(convert(asTensor(x, "logicalOr"), "bool"), convert(asTensor(y, "logicalOr"), "bool"));
}

/**
 * True where x is zero. Source: jnp.logical_not.
 * @example await logicalNot(array([0, 2])).toArray(); // [1, 0]
 */
export function logicalNot(x: TensorLike): Tensor {
  return bitwiseNot(convert(asTensor(x, "logicalNot"), "bool"));
}
