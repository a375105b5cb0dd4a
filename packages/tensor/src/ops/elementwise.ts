import { isFloat } from "../dtype.ts";
import {
  op_abs_f,
  op_abs_i,
  op_abs_u,
  op_ceil,
  op_cos,
  op_erf,
  op_erf_inv,
  op_erfc,
  op_exp,
  op_expm1,
  op_floor,
  op_isfinite,
  op_isinf,
  op_isnan,
  op_log,
  op_log1p,
  op_logistic,
  op_neg_f,
  op_neg_i,
  op_neg_u,
  op_relu,
  op_rsqrt,
  op_sign_f,
  op_sign_i,
  op_sign_u,
  op_sin,
  op_sqrt,
  op_square_f,
  op_square_i,
  op_square_u,
  op_tan,
  op_tanh,
} from "@jnx/kernels-wgsl";
import type { Tensor } from "../tensor.ts";
import { convert } from "./convert.ts";
import { asTensor, onesLike, zerosLike, type TensorLike } from "./create.ts";
import { unary, type UnaryFunction } from "./factories.ts";
import { add, div, maximum, mul, sub, where } from "./binary.ts";
import { greater, greaterEqual } from "./logic.ts";

export * from "./angles.ts";
export * from "./binary.ts";
export * from "./bits.ts";
export * from "./closeness.ts";
export * from "./hyperbolic.ts";
export * from "./logic.ts";
export * from "./rounding.ts";

const TWO_OVER_SQRT_PI = 2 / Math.sqrt(Math.PI);

/**
 * −x; refuses bool. Source: jnp.negative.
 * @example await neg(array([1, -2])).toArray(); // [-1, 2]
 */
export const neg: UnaryFunction = /* @__PURE__ */ unary({
  name: "neg",
  wgsl: { float32: op_neg_f, int32: op_neg_i, uint32: op_neg_u },
  takes: "any",
  derivative: (x) => neg(onesLike(x)),
});

/**
 * |x|; the gradient at 0 is 1. Source: jnp.abs.
 * @example await abs(array([-1.5, 2])).toArray(); // [1.5, 2]
 */
export const abs: UnaryFunction = /* @__PURE__ */ unary({
  name: "abs",
  wgsl: { float32: op_abs_f, int32: op_abs_i, uint32: op_abs_u },
  takes: "any",
  keeps: (dtype) => dtype === "bool",
  derivative: (x) => where(greaterEqual(x, 0), onesLike(x), -1),
});

/**
 * −1, 0 or 1; NaN stays NaN; refuses bool. Source: jnp.sign.
 * @example await sign(array([-3, 0, 2])).toArray(); // [-1, 0, 1]
 */
export const sign: UnaryFunction = /* @__PURE__ */ unary({
  name: "sign",
  wgsl: { float32: op_sign_f, int32: op_sign_i, uint32: op_sign_u },
  takes: "any",
  derivative: (x) => zerosLike(x),
});

/**
 * eˣ. Source: jnp.exp.
 * @example await exp(array([0, 1])).toArray(); // [1, 2.7183]
 */
export const exp: UnaryFunction = /* @__PURE__ */ unary({
  name: "exp",
  wgsl: op_exp,
  takes: "float",
  derivative: (_x, y) => y,
});

/**
 * eˣ − 1 without cancellation near 0. Source: jnp.expm1.
 * @example await expm1(array([1e-7, 1])).toArray(); // [1e-07, 1.7183]
 */
export const expm1: UnaryFunction = /* @__PURE__ */ unary({
  name: "expm1",
  wgsl: op_expm1,
  takes: "float",
  derivative: (_x, y) => add(y, 1),
});

/**
 * Natural logarithm: log(0) = −inf, log of a negative is NaN. Source: jnp.log.
 * @example await log(array([1, 10])).toArray(); // [0, 2.3026]
 */
export const log: UnaryFunction = /* @__PURE__ */ unary({
  name: "log",
  wgsl: op_log,
  takes: "float",
  derivative: (x) => div(1, x),
});

/**
 * log(1 + x) without cancellation near 0. Source: jnp.log1p.
 * @example await log1p(array([1e-7, 1])).toArray(); // [1e-07, 0.69315]
 */
export const log1p: UnaryFunction = /* @__PURE__ */ unary({
  name: "log1p",
  wgsl: op_log1p,
  takes: "float",
  derivative: (x) => div(1, add(x, 1)),
});

/**
 * √x; NaN for negatives. Source: jnp.sqrt.
 * @example await sqrt(array([4, 2])).toArray(); // [2, 1.4142]
 */
export const sqrt: UnaryFunction = /* @__PURE__ */ unary({
  name: "sqrt",
  wgsl: op_sqrt,
  takes: "float",
  derivative: (_x, y) => div(0.5, y),
});

/**
 * 1/√x. Source: lax.rsqrt.
 * @example await rsqrt(array([4, 2])).toArray(); // [0.5, 0.70711]
 */
export const rsqrt: UnaryFunction = /* @__PURE__ */ unary({
  name: "rsqrt",
  wgsl: op_rsqrt,
  takes: "float",
  derivative: (x, y) => div(mul(y, -0.5), x),
});

/**
 * Sine of x radians, right for large x too. Source: jnp.sin.
 * @example await sin(array([0, 1])).toArray(); // [0, 0.84147]
 */
export const sin: UnaryFunction = /* @__PURE__ */ unary({
  name: "sin",
  wgsl: op_sin,
  takes: "float",
  derivative: (x) => cos(x),
});

/**
 * Cosine of x radians, right for large x too. Source: jnp.cos.
 * @example await cos(array([0, 1])).toArray(); // [1, 0.5403]
 */
export const cos: UnaryFunction = /* @__PURE__ */ unary({
  name: "cos",
  wgsl: op_cos,
  takes: "float",
  derivative: (x) => neg(sin(x)),
});

/**
 * Tangent of x radians. Source: jnp.tan.
 * @example await tan(array([0, 1])).toArray(); // [0, 1.5574]
 */
export const tan: UnaryFunction = /* @__PURE__ */ unary({
  name: "tan",
  wgsl: op_tan,
  takes: "float",
  derivative: (_x, y) => add(square(y), 1),
});

/**
 * Hyperbolic tangent; ±1 far out, never NaN for a number. Source: jnp.tanh.
 * @example await tanh(array([1, 20])).toArray(); // [0.76159, 1]
 */
export const tanh: UnaryFunction = /* @__PURE__ */ unary({
  name: "tanh",
  wgsl: op_tanh,
  takes: "float",
  derivative: (_x, y) => sub(1, square(y)),
});

/**
 * 1 / (1 + e⁻ˣ). Source: jax.nn.sigmoid (lax.logistic).
 * @example await sigmoid(array([0.5, 2])).toArray(); // [0.62246, 0.8808]
 */
export const sigmoid: UnaryFunction = /* @__PURE__ */ unary({
  name: "sigmoid",
  wgsl: op_logistic,
  takes: "float",
  derivative: (_x, y) => mul(y, sub(1, y)),
});

/**
 * The error function 2/√π ∫₀ˣ e^(−t²) dt. Source: lax.erf.
 * @example await erf(array([0, 1])).toArray(); // [0, 0.8427]
 */
export const erf: UnaryFunction = /* @__PURE__ */ unary({
  name: "erf",
  wgsl: op_erf,
  takes: "float",
  derivative: (x) => mul(TWO_OVER_SQRT_PI, exp(neg(square(x)))),
});

/**
 * 1 − erf(x), accurate where that is tiny. Source: lax.erfc.
 * @example await erfc(array([0, 4])).toArray(); // [1, 1.5417e-08]
 */
export const erfc: UnaryFunction = /* @__PURE__ */ unary({
  name: "erfc",
  wgsl: op_erfc,
  takes: "float",
  derivative: (x) => mul(-TWO_OVER_SQRT_PI, exp(neg(square(x)))),
});

/**
 * The inverse of erf, with XLA's polynomial; ±1 give ±inf. Source: lax.erf_inv.
 * @example await erfInv(array([0, 0.5])).toArray(); // [0, 0.47694]
 */
export const erfInv: UnaryFunction = /* @__PURE__ */ unary({
  name: "erfInv",
  wgsl: op_erf_inv,
  takes: "float",
  derivative: (_x, y) => mul(1 / TWO_OVER_SQRT_PI, exp(square(y))),
});

/**
 * x². Source: jnp.square.
 * @example await square(array([3, -0.5])).toArray(); // [9, 0.25]
 */
export const square: UnaryFunction = /* @__PURE__ */ unary({
  name: "square",
  wgsl: { float32: op_square_f, int32: op_square_i, uint32: op_square_u },
  takes: "number",
  derivative: (x) => mul(x, 2),
});

const floatRelu: UnaryFunction = /* @__PURE__ */ unary({
  name: "relu",
  wgsl: op_relu,
  takes: "float",
  derivative: (_x, y) => convert(greater(y, 0), y.dtype),
});

/**
 * max(x, 0) with gradient 0 at 0; NaN stays NaN, whole numbers stay whole. Source: jax.nn.relu.
 * @example await relu(array([-1.5, 2])).toArray(); // [0, 2]
 */
export function relu(x: TensorLike): Tensor {
  const tensor = asTensor(x, "relu");
  return isFloat(tensor.dtype) ? floatRelu(tensor) : maximum(tensor, 0);
}

/**
 * The largest whole number ≤ x. Source: jnp.floor.
 * @example await floor(array([1.5, -1.5])).toArray(); // [1, -2]
 */
export const floor: UnaryFunction = /* @__PURE__ */ unary({
  name: "floor",
  wgsl: op_floor,
  takes: "float",
  keeps: (dtype) => !isFloat(dtype),
  derivative: (x) => zerosLike(x),
});

/**
 * The smallest whole number ≥ x. Source: jnp.ceil.
 * @example await ceil(array([1.5, -1.2])).toArray(); // [2, -1]
 */
export const ceil: UnaryFunction = /* @__PURE__ */ unary({
  name: "ceil",
  wgsl: op_ceil,
  takes: "float",
  keeps: (dtype) => !isFloat(dtype),
  derivative: (x) => zerosLike(x),
});

/**
 * True where x is NaN, tested by its bits. Source: jnp.isnan.
 * @example await isnan(array([1, NaN])).toArray(); // [0, 1]
 */
export const isnan: UnaryFunction = /* @__PURE__ */ unary({
  name: "isnan",
  wgsl: op_isnan,
  takes: "float",
  result: "bool",
  derivative: "nondifferentiable",
});

/**
 * True where x is +inf or −inf. Source: jnp.isinf.
 * @example await isinf(array([1, -Infinity])).toArray(); // [0, 1]
 */
export const isinf: UnaryFunction = /* @__PURE__ */ unary({
  name: "isinf",
  wgsl: op_isinf,
  takes: "float",
  result: "bool",
  derivative: "nondifferentiable",
});

/**
 * True where x is neither NaN nor infinite. Source: jnp.isfinite.
 * @example await isfinite(array([1, NaN, Infinity])).toArray(); // [1, 0, 0]
 */
export const isfinite: UnaryFunction = /* @__PURE__ */ unary({
  name: "isfinite",
  wgsl: op_isfinite,
  takes: "float",
  result: "bool",
  derivative: "nondifferentiable",
});
