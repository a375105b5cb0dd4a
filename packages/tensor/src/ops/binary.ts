import {
  op_add_f,
  op_add_i,
  op_add_u,
  op_and_b,
  op_div_f,
  op_floor_divide_f,
  op_floor_divide_i,
  op_floor_divide_u,
  op_max_f,
  op_max_i,
  op_max_u,
  op_min_f,
  op_min_i,
  op_min_u,
  op_mod_f,
  op_mod_i,
  op_mod_u,
  op_mul_f,
  op_mul_i,
  op_mul_u,
  op_or_b,
  op_rem_f,
  op_rem_i,
  op_rem_u,
  op_pow,
  op_pow_of_log,
  op_pow_i,
  op_pow_u,
  op_sub_f,
  op_sub_i,
  op_sub_u,
} from "@jnx/kernels-wgsl";
import { bind } from "../dispatch.ts";
import { isFloat, promote } from "../dtype.ts";
import type { MapOp } from "../op.ts";
import { broadcastShapes } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { convert } from "./convert.ts";
import { asTensor, onesLike, zerosLike, type TensorLike } from "./create.ts";
import { binary, together, type BinaryFunction } from "./factories.ts";
import { broadcastTo } from "./movement.ts";
import { floor, log, neg, square } from "./elementwise.ts";
import { equal } from "./logic.ts";
import { trunc } from "./rounding.ts";

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
 * The whole part of x / y rounded down; whole numbers over 0 give −1 (all ones). Source: jnp.floor_divide.
 * @example await floorDivide(array([7, -7]), 2).toArray(); // [3, -4]
 */
export const floorDivide: BinaryFunction = /* @__PURE__ */ binary({
  name: "floorDivide",
  wgsl: { float32: op_floor_divide_f, int32: op_floor_divide_i, uint32: op_floor_divide_u },
  takes: "number",
  partials: [(ct) => zerosLike(ct), (ct) => zerosLike(ct)],
});

/**
 * x mod y with the sign of y, exact for floats too; whole numbers mod 0 give 0, floats NaN. Source: jnp.remainder.
 * @example await remainder(array([7, -7]), 3).toArray(); // [1, 2]
 */
export const remainder: BinaryFunction = /* @__PURE__ */ binary({
  name: "remainder",
  wgsl: { float32: op_mod_f, int32: op_mod_i, uint32: op_mod_u },
  takes: "number",
  partials: [(ct) => ct, (ct, x, y) => neg(mul(ct, floor(div(x, y))))],
});

/**
 * The remainder of x / y with the sign of x, exact for floats too; whole numbers over 0 are themselves, floats NaN.
 * Source: lax.rem.
 * @example await rem(array([7, -7]), 3).toArray(); // [1, -1]
 */
export const rem: BinaryFunction = /* @__PURE__ */ binary({
  name: "rem",
  wgsl: { float32: op_rem_f, int32: op_rem_i, uint32: op_rem_u },
  takes: "number",
  partials: [(ct) => ct, (ct, x, y) => neg(mul(ct, trunc(div(x, y))))],
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

const anyPower: BinaryFunction = /* @__PURE__ */ binary({
  name: "floatPower",
  wgsl: op_pow,
  takes: "float",
  partials: [
    (ct, x, y) => mul(ct, mul(y, floatPower(x, where(equal(y, 0), 1, sub(y, 1))))),
    (ct, x, _y, out) => mul(ct, mul(log(where(equal(x, 0), 1, x)), out)),
  ],
});

/** The number to the power of the operand: its logarithm is the host's work, and the kernel's is half of a power. */
const powerOf: MapOp<number> = {
  kind: "map",
  name: "powerOf",
  infer: ([y]) => y ?? { shape: [], dtype: "float32", weak: false },
  wgsl: ([y = ""], { use, constant }, base) => {
    const logarithm = Math.log2(Math.fround(base));
    // Twelve bits, so that products of two heads are exact.
    const unit = 2 ** (Math.floor(Math.log2(Math.abs(logarithm))) - 11);
    const head = Math.trunc(logarithm / unit) * unit;
    return `${use(op_pow_of_log)}(${y}, ${constant(head, "float32")}, ${constant(logarithm - head, "float32")})`;
  },
  vjp: ({ output, attrs: base }, ct) => [mul(ct, mul(output, Math.log(base)))],
};

const SMALLEST_NORMAL = 2 ** -126;

/**
 * x to the power y in floating point. Source: jnp.float_power.
 * @example await floatPower(array([2, 9]), 0.5).toArray(); // [1.4142, 3]
 */
export const floatPower: BinaryFunction = /* @__PURE__ */ Object.assign(
  (x: TensorLike, y: TensorLike): Tensor => {
    if (typeof x !== "number" || !(x >= SMALLEST_NORMAL && Math.fround(x) < Infinity) || Math.fround(x) === 1)
      return anyPower(x, y);
    const [, exponent] = together("floatPower", [asTensor(x, "floatPower"), asTensor(y, "floatPower")], "float");
    return bind(powerOf, [exponent], x);
  },
  { op: anyPower.op },
);

/** The cotangent of `own` in a maximum or minimum: all of it where own won, half of it in a tie. */
function tied(ct: Tensor, own: Tensor, other: Tensor, out: Tensor): Tensor {
  return where(equal(own, other), mul(ct, 0.5), where(equal(own, out), ct, 0));
}

const selectOp: MapOp<undefined> = {
  kind: "map",
  name: "where",
  infer: ([, x, y]) => ({
    shape: x?.shape ?? [],
    dtype: x?.dtype ?? "float32",
    weak: (x?.weak ?? false) && (y?.weak ?? false),
  }),
  wgsl: ([condition = "", x = "", y = ""]) => `select(${y}, ${x}, ${condition})`,
  vjp: ({ inputs: [condition], needs }, ct) =>
    condition === undefined
      ? []
      : [undefined, needs[1] ? where(condition, ct, 0) : undefined, needs[2] ? where(condition, 0, ct) : undefined],
};

/**
 * x where the condition is true, y elsewhere; all three broadcast, x and y promote. The branch not taken gets a zero
 * cotangent. Source: jnp.where.
 *
 * @example
 * await where(array([true, false]), 1, -1).toArray(); // [1, -1]
 */
export function where(condition: TensorLike, x: TensorLike, y: TensorLike): Tensor {
  const [c, a, b] = [convert(asTensor(condition, "where"), "bool"), asTensor(x, "where"), asTensor(y, "where")];
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
  const given = asTensor(x, "clip");
  const above = low === undefined ? given : maximum(given, asTensor(low, "clip"));
  return high === undefined ? above : minimum(above, asTensor(high, "clip"));
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
    const base = asTensor(x, "power");
    if (y < 0) return div(1, integerPower(convert(base, "float32"), -y));
    return integerPower(base.dtype === "bool" ? convert(base, "int32") : base, y);
  }
  const [base, exponent] = [asTensor(x, "power"), asTensor(y, "power")];
  return isFloat(promote([base, exponent]).dtype) ? floatPower(x, exponent) : wholePower(base, exponent);
}

function integerPower(x: Tensor, exponent: number): Tensor {
  let result: Tensor | undefined;
  for (let rest = exponent, factor = x; rest > 0; rest >>= 1, factor = rest > 0 ? square(factor) : factor) {
    if (rest & 1) result = result === undefined ? factor : mul(result, factor);
  }
  return result ?? onesLike(x);
}
