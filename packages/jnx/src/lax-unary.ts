/**
 * Elementwise functions as jax.lax has them: arrays of one dtype, of a kind that the function is for. jnp's, which they are
 * made of, promote instead. Numbers of JavaScript, and arrays that are weakly typed because they come from such, have no kind of
 * their own: they adapt to the arrays beside them. Each throws a DtypeError for other dtypes, and a ShapeError for shapes that do
 * not broadcast.
 */
import {
  abs as absOf,
  arccos as arccosOf,
  arccosh as arccoshOf,
  arcsin as arcsinOf,
  arcsinh as arcsinhOf,
  arctan as arctanOf,
  arctanh as arctanhOf,
  cbrt as cbrtOf,
  ceil as ceilOf,
  clz as clzOf,
  cos as cosOf,
  cosh as coshOf,
  digamma as digammaOf,
  erf as erfOf,
  erfInv as erfInvOf,
  erfc as erfcOf,
  exp as expOf,
  exp2 as exp2Of,
  expm1 as expm1Of,
  floor as floorOf,
  i0e as i0eOf,
  i1e as i1eOf,
  isfinite as isfiniteOf,
  lgamma as lgammaOf,
  log as logOf,
  log1p as log1pOf,
  neg as negOf,
  populationCount as populationCountOf,
  reciprocal as reciprocalOf,
  roundAway as roundAwayOf,
  rsqrt as rsqrtOf,
  sigmoid as sigmoidOf,
  sign as signOf,
  sin as sinOf,
  sinh as sinhOf,
  sqrt as sqrtOf,
  square as squareOf,
  tan as tanOf,
  tanh as tanhOf,
  type Tensor,
  type TensorLike,
} from "@jnx/tensor";
import type { UnaryFunction } from "@jnx/tensor/internal";
import { strictly } from "./strictly.ts";

/**
 * The arc cosine. Of floats. Source: lax.acos.
 * @example await lax.acos(jnp.array([1], { dtype: "float32" })).toArray(); // [0]
 */
export const acos: UnaryFunction = /* @__PURE__ */ strictly("acos", arccosOf, "float");

/**
 * The inverse hyperbolic cosine. Of floats. Source: lax.acosh.
 * @example await lax.acosh(jnp.array([1], { dtype: "float32" })).toArray(); // [0]
 */
export const acosh: UnaryFunction = /* @__PURE__ */ strictly("acosh", arccoshOf, "float");

/**
 * The arc sine. Of floats. Source: lax.asin.
 * @example await lax.asin(jnp.array([0], { dtype: "float32" })).toArray(); // [0]
 */
export const asin: UnaryFunction = /* @__PURE__ */ strictly("asin", arcsinOf, "float");

/**
 * The inverse hyperbolic sine. Of floats. Source: lax.asinh.
 * @example await lax.asinh(jnp.array([0], { dtype: "float32" })).toArray(); // [0]
 */
export const asinh: UnaryFunction = /* @__PURE__ */ strictly("asinh", arcsinhOf, "float");

/**
 * The arc tangent. Of floats. Source: lax.atan.
 * @example await lax.atan(jnp.array([0], { dtype: "float32" })).toArray(); // [0]
 */
export const atan: UnaryFunction = /* @__PURE__ */ strictly("atan", arctanOf, "float");

/**
 * The inverse hyperbolic tangent. Of floats. Source: lax.atanh.
 * @example await lax.atanh(jnp.array([0], { dtype: "float32" })).toArray(); // [0]
 */
export const atanh: UnaryFunction = /* @__PURE__ */ strictly("atanh", arctanhOf, "float");

/**
 * |x|. Of floats and signed whole numbers. Source: lax.abs.
 * @example await lax.abs(jnp.array([-2])).toArray(); // [2]
 */
export const abs: UnaryFunction = /* @__PURE__ */ strictly("abs", absOf, "signed");

/**
 * The modified Bessel function of order 0, times exp(-|x|). Of floats. Source: lax.bessel_i0e.
 * @example await lax.besselI0e(jnp.array([0], { dtype: "float32" })).toArray(); // [1]
 */
export const besselI0e: UnaryFunction = /* @__PURE__ */ strictly("besselI0e", i0eOf, "float");

/**
 * The modified Bessel function of order 1, times exp(-|x|). Of floats. Source: lax.bessel_i1e.
 * @example await lax.besselI1e(jnp.array([0], { dtype: "float32" })).toArray(); // [0]
 */
export const besselI1e: UnaryFunction = /* @__PURE__ */ strictly("besselI1e", i1eOf, "float");

/**
 * The cube root. Of floats. Source: lax.cbrt.
 * @example await lax.cbrt(jnp.array([0], { dtype: "float32" })).toArray(); // [0]
 */
export const cbrt: UnaryFunction = /* @__PURE__ */ strictly("cbrt", cbrtOf, "float");

/**
 * The least whole number that is not less. Of floats. Source: lax.ceil.
 * @example await lax.ceil(jnp.array([1.5], { dtype: "float32" })).toArray(); // [2]
 */
export const ceil: UnaryFunction = /* @__PURE__ */ strictly("ceil", ceilOf, "float");

/**
 * How many bits are 0 above the highest that is 1. Of whole numbers. Source: lax.clz.
 * @example await lax.clz(jnp.array([1])).toArray(); // [31]
 */
export const clz: (x: TensorLike) => Tensor = /* @__PURE__ */ strictly("clz", clzOf, "integer");

/**
 * The cosine. Of floats. Source: lax.cos.
 * @example await lax.cos(jnp.array([0], { dtype: "float32" })).toArray(); // [1]
 */
export const cos: UnaryFunction = /* @__PURE__ */ strictly("cos", cosOf, "float");

/**
 * The hyperbolic cosine. Of floats. Source: lax.cosh.
 * @example await lax.cosh(jnp.array([0], { dtype: "float32" })).toArray(); // [1]
 */
export const cosh: UnaryFunction = /* @__PURE__ */ strictly("cosh", coshOf, "float");

/**
 * The derivative of lgamma. Of floats. Source: lax.digamma.
 * @example await lax.digamma(jnp.array([1], { dtype: "float32" })).toArray(); // [-0.57722]
 */
export const digamma: UnaryFunction = /* @__PURE__ */ strictly("digamma", digammaOf, "float");

/**
 * The error function. Of floats. Source: lax.erf.
 * @example await lax.erf(jnp.array([0], { dtype: "float32" })).toArray(); // [0]
 */
export const erf: UnaryFunction = /* @__PURE__ */ strictly("erf", erfOf, "float");

/**
 * 1 - erf(x). Of floats. Source: lax.erfc.
 * @example await lax.erfc(jnp.array([0], { dtype: "float32" })).toArray(); // [1]
 */
export const erfc: UnaryFunction = /* @__PURE__ */ strictly("erfc", erfcOf, "float");

/**
 * The inverse of erf. Of floats. Source: lax.erf_inv.
 * @example await lax.erfInv(jnp.array([0], { dtype: "float32" })).toArray(); // [0]
 */
export const erfInv: UnaryFunction = /* @__PURE__ */ strictly("erfInv", erfInvOf, "float");

/**
 * e^x. Of floats. Source: lax.exp.
 * @example await lax.exp(jnp.array([0], { dtype: "float32" })).toArray(); // [1]
 */
export const exp: UnaryFunction = /* @__PURE__ */ strictly("exp", expOf, "float");

/**
 * 2^x. Of floats. Source: lax.exp2.
 * @example await lax.exp2(jnp.array([3], { dtype: "float32" })).toArray(); // [8]
 */
export const exp2: UnaryFunction = /* @__PURE__ */ strictly("exp2", exp2Of, "float");

/**
 * e^x - 1. Of floats. Source: lax.expm1.
 * @example await lax.expm1(jnp.array([0], { dtype: "float32" })).toArray(); // [0]
 */
export const expm1: UnaryFunction = /* @__PURE__ */ strictly("expm1", expm1Of, "float");

/**
 * The greatest whole number that is not greater. Of floats. Source: lax.floor.
 * @example await lax.floor(jnp.array([1.5], { dtype: "float32" })).toArray(); // [1]
 */
export const floor: UnaryFunction = /* @__PURE__ */ strictly("floor", floorOf, "float");

/**
 * True for what is neither infinite nor NaN. Of floats. Source: lax.is_finite.
 * @example await lax.isFinite(jnp.array([Infinity], { dtype: "float32" })).toArray(); // [0]
 */
export const isFinite: UnaryFunction = /* @__PURE__ */ strictly("isFinite", isfiniteOf, "float");

/**
 * ln |Γ(x)|. Of floats. Source: lax.lgamma.
 * @example await lax.lgamma(jnp.array([3], { dtype: "float32" })).toArray(); // [0.69315]
 */
export const lgamma: UnaryFunction = /* @__PURE__ */ strictly("lgamma", lgammaOf, "float");

/**
 * The natural logarithm. Of floats. Source: lax.log.
 * @example await lax.log(jnp.array([1], { dtype: "float32" })).toArray(); // [0]
 */
export const log: UnaryFunction = /* @__PURE__ */ strictly("log", logOf, "float");

/**
 * ln(1 + x). Of floats. Source: lax.log1p.
 * @example await lax.log1p(jnp.array([0], { dtype: "float32" })).toArray(); // [0]
 */
export const log1p: UnaryFunction = /* @__PURE__ */ strictly("log1p", log1pOf, "float");

/**
 * 1 / (1 + e^-x). Of floats. Source: lax.logistic.
 * @example await lax.logistic(jnp.array([0], { dtype: "float32" })).toArray(); // [0.5]
 */
export const logistic: UnaryFunction = /* @__PURE__ */ strictly("logistic", sigmoidOf, "float");

/**
 * -x. Of numbers. Source: lax.neg.
 * @example await lax.neg(jnp.array([2])).toArray(); // [-2]
 */
export const neg: UnaryFunction = /* @__PURE__ */ strictly("neg", negOf, "number");

/**
 * How many bits are 1. Of whole numbers. Source: lax.population_count.
 * @example await lax.populationCount(jnp.array([5])).toArray(); // [2]
 */
export const populationCount: (x: TensorLike) => Tensor = /* @__PURE__ */ strictly(
  "populationCount",
  populationCountOf,
  "integer",
);

/**
 * 1 / x. Of floats. Source: lax.reciprocal.
 * @example await lax.reciprocal(jnp.array([4], { dtype: "float32" })).toArray(); // [0.25]
 */
export const reciprocal: (x: TensorLike) => Tensor = /* @__PURE__ */ strictly("reciprocal", reciprocalOf, "float");

/**
 * The nearest whole number; halves go away from zero. Of floats. Source: lax.round.
 * @example await lax.round(jnp.array([2.5], { dtype: "float32" })).toArray(); // [3]
 */
export const round: UnaryFunction = /* @__PURE__ */ strictly("round", roundAwayOf, "float");

/**
 * 1 / √x. Of floats. Source: lax.rsqrt.
 * @example await lax.rsqrt(jnp.array([4], { dtype: "float32" })).toArray(); // [0.5]
 */
export const rsqrt: UnaryFunction = /* @__PURE__ */ strictly("rsqrt", rsqrtOf, "float");

/**
 * -1, 0 or 1. Of numbers. Source: lax.sign.
 * @example await lax.sign(jnp.array([-3])).toArray(); // [-1]
 */
export const sign: UnaryFunction = /* @__PURE__ */ strictly("sign", signOf, "number");

/**
 * The sine. Of floats. Source: lax.sin.
 * @example await lax.sin(jnp.array([0], { dtype: "float32" })).toArray(); // [0]
 */
export const sin: UnaryFunction = /* @__PURE__ */ strictly("sin", sinOf, "float");

/**
 * The hyperbolic sine. Of floats. Source: lax.sinh.
 * @example await lax.sinh(jnp.array([0], { dtype: "float32" })).toArray(); // [0]
 */
export const sinh: UnaryFunction = /* @__PURE__ */ strictly("sinh", sinhOf, "float");

/**
 * The square root. Of floats. Source: lax.sqrt.
 * @example await lax.sqrt(jnp.array([4], { dtype: "float32" })).toArray(); // [2]
 */
export const sqrt: UnaryFunction = /* @__PURE__ */ strictly("sqrt", sqrtOf, "float");

/**
 * x². Of numbers. Source: lax.square.
 * @example await lax.square(jnp.array([3])).toArray(); // [9]
 */
export const square: UnaryFunction = /* @__PURE__ */ strictly("square", squareOf, "number");

/**
 * The tangent. Of floats. Source: lax.tan.
 * @example await lax.tan(jnp.array([0], { dtype: "float32" })).toArray(); // [0]
 */
export const tan: UnaryFunction = /* @__PURE__ */ strictly("tan", tanOf, "float");

/**
 * The hyperbolic tangent. Of floats. Source: lax.tanh.
 * @example await lax.tanh(jnp.array([0], { dtype: "float32" })).toArray(); // [0]
 */
export const tanh: UnaryFunction = /* @__PURE__ */ strictly("tanh", tanhOf, "float");
