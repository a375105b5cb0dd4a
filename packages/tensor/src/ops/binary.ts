import {
  op_add_f, op_add_i, op_add_u, op_and_b, op_and_i, op_and_u, op_div_f, op_eq_b, op_eq_f, op_eq_i, op_eq_u, op_floor_divide_i, op_floor_divide_u, op_ge_f, op_ge_i, op_ge_u, op_gt_f, op_gt_i, op_gt_u, op_le_f, op_le_i, op_le_u, op_lt_f, op_lt_i, op_lt_u, op_max_f, op_max_i, op_max_u, op_min_f, op_min_i, op_min_u, op_mod_i, op_mod_u, op_mul_f, op_mul_i, op_mul_u, op_ne_b, op_ne_f, op_ne_i, op_ne_u, op_or_b, op_rem_i, op_rem_u, op_or_i, op_or_u, op_pow, op_pow_i, op_pow_u, op_shift_left_i, op_shift_left_u, op_shift_right_arithmetic_i, op_shift_right_logical_u, op_sub_f, op_sub_i, op_sub_u, op_xor_b, op_xor_i, op_xor_u, op_not_b, op_not_i, op_not_u,
} from "@jnx/kernels-wgsl";
import { bind } from "../dispatch.ts";
import { isFloat, promote } from "../dtype.ts";
import type { MapOp } from "../op.ts";
import { broadcastShapes } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { convert } from "./convert.ts";
import { asTensor, onesLike, type TensorLike } from "./create.ts";
import { binary, unary, type BinaryFunction, type UnaryFunction } from "./factories.ts";
import { broadcastTo } from "./movement.ts";
import { log, neg, square } from "./elementwise.ts";

/**
 * x + y; of bools, or. Source: jnp.add.
 * @example await add(array([1, 2]), array([[10], [20]])).toArray(); // [[11, 12], [21, 22]]
 */
export const add: BinaryFunction = /* @__PURE__ */ binary({
  name: "add",
  wgsl: { float32: op_add_f, int32: op_add_i, uint32: op_add_u, bool: op_or_b },
  takes: "any",
  partials: [(ct) => ct, (ct) => ct],
});

/**
 * x − y; refuses bools. Source: jnp.subtract.
 * @example await sub(array([1, 2]), 0.5).toArray(); // [0.5, 1.5]
 */
export const sub: BinaryFunction = /* @__PURE__ */ binary({
  name: "sub",
  wgsl: { float32: op_sub_f, int32: op_sub_i, uint32: op_sub_u },
  takes: "any",
  partials: [(ct) => ct, (ct) => neg(ct)],
});

/**
 * x · y; of bools, and. Source: jnp.multiply.
 * @example await mul(array([1, 2]), array([3, 4])).toArray(); // [3, 8]
 */
export const mul: BinaryFunction = /* @__PURE__ */ binary({
  name: "mul",
  wgsl: { float32: op_mul_f, int32: op_mul_i, uint32: op_mul_u, bool: op_and_b },
  takes: "any",
  partials: [(ct, _x, y) => mul(ct, y), (ct, x) => mul(ct, x)],
});

/**
 * x / y in floating point; integers become float32. Source: jnp.divide.
 * @example await div(array([1, 2]), 4).toArray(); // [0.25, 0.5]
 */
export const div: BinaryFunction = /* @__PURE__ */ binary({
  name: "div",
  wgsl: { float32: op_div_f },
  takes: "float",
  partials: [(ct, _x, y) => div(ct, y), (ct, _x, y, out) => neg(div(mul(ct, out), y))],
});

/**
 * The whole part of x / y rounded down, for integers. Source: jnp.floor_divide.
 * @example await floorDivide(array([7, -7]), 2).toArray(); // [3, -4]
 */
export const floorDivide: BinaryFunction = /* @__PURE__ */ binary({
  name: "floorDivide",
  wgsl: { int32: op_floor_divide_i, uint32: op_floor_divide_u },
  takes: "number",
  partials: "nondifferentiable",
});

/**
 * x mod y with the sign of y, for integers. Source: jnp.remainder.
 * @example await remainder(array([7, -7]), 3).toArray(); // [1, 2]
 */
export const remainder: BinaryFunction = /* @__PURE__ */ binary({
  name: "remainder",
  wgsl: { int32: op_mod_i, uint32: op_mod_u },
  takes: "number",
  partials: "nondifferentiable",
});

/**
 * The remainder of x / y with the sign of x, for integers; x itself where y is 0. Source: lax.rem.
 * @example await rem(array([7, -7]), 3).toArray(); // [1, -1]
 */
export const rem: BinaryFunction = /* @__PURE__ */ binary({
  name: "rem",
  wgsl: { int32: op_rem_i, uint32: op_rem_u },
  takes: "number",
  partials: "nondifferentiable",
});

/**
 * The larger of x and y; NaN if either is. Ties share the gradient. Source: jnp.maximum.
 * @example await maximum(array([1, 5]), 3).toArray(); // [3, 5]
 */
export const maximum: BinaryFunction = /* @__PURE__ */ binary({
  name: "maximum",
  wgsl: { float32: op_max_f, int32: op_max_i, uint32: op_max_u, bool: op_or_b },
  takes: "any",
  partials: [(ct, x, y, out) => tied(ct, x, y, out), (ct, x, y, out) => tied(ct, y, x, out)],
});

/**
 * The smaller of x and y; NaN if either is. Ties share the gradient. Source: jnp.minimum.
 * @example await minimum(array([1, 5]), 3).toArray(); // [1, 3]
 */
export const minimum: BinaryFunction = /* @__PURE__ */ binary({
  name: "minimum",
  wgsl: { float32: op_min_f, int32: op_min_i, uint32: op_min_u, bool: op_and_b },
  takes: "any",
  partials: [(ct, x, y, out) => tied(ct, x, y, out), (ct, x, y, out) => tied(ct, y, x, out)],
});

/**
 * x to the power y in floating point. Source: jnp.float_power.
 * @example await floatPower(array([2, 9]), 0.5).toArray(); // [1.4142, 3]
 */
export const floatPower: BinaryFunction = /* @__PURE__ */ binary({
  name: "floatPower",
  wgsl: op_pow,
  takes: "float",
  partials: [(ct, x, y) => mul(ct, mul(y, floatPower(x, where(equal(y, 0), 1, sub(y, 1))))), (ct, x, _y, out) => mul(ct, mul(log(where(equal(x, 0), 1, x)), out))],
});

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

/** The cotangent of `own` in a maximum or minimum: all of it where own won, half of it in a tie. */
function tied(ct: Tensor, own: Tensor, other: Tensor, out: Tensor): Tensor {
  return where(equal(own, other), mul(ct, 0.5), where(equal(own, out), ct, 0));
}

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
  return bitwiseAnd(convert(asTensor(x), "bool"), convert(asTensor(y), "bool"));
}

/**
 * True where x or y is not zero. Source: jnp.logical_or.
 * @example await logicalOr(array([true, false]), array([0, 0])).toArray(); // [1, 0]
 */
export function logicalOr(x: TensorLike, y: TensorLike): Tensor {
  return bitwiseOr(convert(asTensor(x), "bool"), convert(asTensor(y), "bool"));
}

/**
 * True where x is zero. Source: jnp.logical_not.
 * @example await logicalNot(array([0, 2])).toArray(); // [1, 0]
 */
export function logicalNot(x: TensorLike): Tensor {
  return bitwiseNot(convert(asTensor(x), "bool"));
}

const selectOp: MapOp<undefined> = {
  kind: "map",
  name: "where",
  infer: ([, x, y]) => ({ shape: x?.shape ?? [], dtype: x?.dtype ?? "float32", weak: (x?.weak ?? false) && (y?.weak ?? false) }),
  wgsl: ([condition = "", x = "", y = ""]) => `select(${y}, ${x}, ${condition})`,
  vjp: ({ inputs: [condition], needs }, ct) =>
    condition === undefined ? [] : [undefined, needs[1] ? where(condition, ct, 0) : undefined, needs[2] ? where(condition, 0, ct) : undefined],
};

/**
 * x where the condition is true, y elsewhere; all three broadcast, x and y promote. The branch not taken gets a zero
 * cotangent. Source: jnp.where.
 *
 * @example
 * await where(array([true, false]), 1, -1).toArray(); // [1, -1]
 */
export function where(condition: TensorLike, x: TensorLike, y: TensorLike): Tensor {
  const [c, a, b] = [convert(asTensor(condition), "bool"), asTensor(x), asTensor(y)];
  const common = promote([a, b]);
  const shape = broadcastShapes("where", c.shape, a.shape, b.shape);
  const fit = (one: Tensor): Tensor => broadcastTo(convert(one, common.dtype, common.weak), shape);
  return bind(selectOp, [broadcastTo(c, shape), fit(a), fit(b)], undefined);
}

/**
 * x held between low and high, either of which may be left out: minimum(maximum(x, low), high). Source: jnp.clip.
 * @example await clip(array([-1, 0.5, 3]), 0, 1).toArray(); // [0, 0.5, 1]
 */
export function clip(x: TensorLike, low?: TensorLike, high?: TensorLike): Tensor {
  const above = low === undefined ? asTensor(x) : maximum(x, low);
  return high === undefined ? above : minimum(above, high);
}

const wholePower: BinaryFunction = /* @__PURE__ */ binary({
  name: "power",
  wgsl: { int32: op_pow_i, uint32: op_pow_u },
  takes: "number",
  partials: "nondifferentiable",
});

/** A whole exponent up to this is repeated multiplication, as lax.integer_pow does it. */
const MAX_INTEGER_POWER = 64;

/**
 * x to the power y. A JavaScript whole number as exponent is repeated multiplication (exact signs, any base);
 * whole numbers to the power of an array of whole numbers wrap; anything else becomes float32. Source: jnp.power.
 *
 * @example
 * await power(array([-2, 3]), 3).toArray(); // [-8, 27]
 */
export function power(x: TensorLike, y: TensorLike): Tensor {
  if (typeof y === "number" && Number.isInteger(y) && Math.abs(y) <= MAX_INTEGER_POWER) {
    const base = asTensor(x);
    if (y < 0) return div(1, integerPower(convert(base, "float32"), -y));
    return integerPower(base.dtype === "bool" ? convert(base, "int32") : base, y);
  }
  const [base, exponent] = [asTensor(x), asTensor(y)];
  return isFloat(promote([base, exponent]).dtype) ? floatPower(base, exponent) : wholePower(base, exponent);
}

function integerPower(x: Tensor, exponent: number): Tensor {
  let result: Tensor | undefined;
  for (let rest = exponent, factor = x; rest > 0; rest >>= 1, factor = rest > 0 ? square(factor) : factor) {
    if (rest & 1) result = result === undefined ? factor : mul(result, factor);
  }
  return result ?? onesLike(x);
}
