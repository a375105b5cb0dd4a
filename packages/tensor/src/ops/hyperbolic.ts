import {
  acosh_from,
  acosh_inner,
  asinh_from,
  asinh_inner,
  atanh_from,
  atanh_inner,
  cosh_from,
  op_abs_f,
  op_cbrt,
  op_exp,
  op_exp2,
  op_expm1,
  op_hypot,
  op_isnan,
  op_log,
  op_log1p,
  op_max_f,
  op_sub_f,
  sinh_from,
} from "@jnx/kernels-wgsl";
import type { Tensor } from "../tensor.ts";
import { add, div, equal, exp, mul, rsqrt, square, sub, where } from "./elementwise.ts";
import { binary, unary, type BinaryFunction, type UnaryFunction } from "./factories.ts";

/**
 * 2ˣ. Source: jnp.exp2.
 * @example await exp2(array([0, 3])).toArray(); // [1, 8]
 */
export const exp2: UnaryFunction = /* @__PURE__ */ unary({
  name: "exp2",
  wgsl: op_exp2,
  takes: "float",
  derivative: (_x, y) => mul(y, Math.LN2),
});

/**
 * The logarithm to base 2, log(x) / log(2). Source: jnp.log2.
 * @example await log2(array([1, 8])).toArray(); // [0, 3]
 */
export const log2: UnaryFunction = /* @__PURE__ */ unary({
  name: "log2",
  wgsl: (use, x) => `(${use(op_log)}(${x}) / 0.693147182)`,
  takes: "float",
  derivative: (x) => div(1 / Math.LN2, x),
});

/**
 * The logarithm to base 10. Source: jnp.log10.
 * @example await log10(array([1, 100])).toArray(); // [0, 2]
 */
export const log10: UnaryFunction = /* @__PURE__ */ unary({
  name: "log10",
  wgsl: (use, x) => `(${use(op_log)}(${x}) * 0.434294482)`,
  takes: "float",
  derivative: (x) => div(1 / Math.LN10, x),
});

/**
 * The third root, negative for negative x. Source: jnp.cbrt.
 * @example await cbrt(array([27, -8])).toArray(); // [3, -2]
 */
export const cbrt: UnaryFunction = /* @__PURE__ */ unary({
  name: "cbrt",
  wgsl: op_cbrt,
  takes: "float",
  derivative: (x, y) => div(y, mul(x, 3)),
});

/**
 * √(x² + y²) without overflow; infinite if either is. Source: jnp.hypot.
 * @example await hypot(array([3]), array([4])).toArray(); // [5]
 */
export const hypot: BinaryFunction = /* @__PURE__ */ binary({
  name: "hypot",
  wgsl: op_hypot,
  takes: "float",
  partials: [(ct, x, _y, out) => towards(ct, x, out), (ct, _x, y, out) => towards(ct, y, out)],
});

/** At the origin, half the cotangent each, as the maximum in JAX's formula gives it. */
function towards(ct: Tensor, own: Tensor, out: Tensor): Tensor {
  const zero = equal(out, 0);
  return mul(ct, where(zero, 0.5, div(own, where(zero, 1, out))));
}

/**
 * (eˣ − e⁻ˣ) / 2. Source: jnp.sinh.
 * @example await sinh(array([0, 1])).toArray(); // [0, 1.1752]
 */
export const sinh: UnaryFunction = /* @__PURE__ */ unary({
  name: "sinh",
  wgsl: (use, x) =>
    `${use(sinh_from)}(${x}, ${use(op_expm1)}(${use(op_abs_f)}(${x})), ${use(op_exp)}(${use(op_abs_f)}(${x}) * 0.5))`,
  takes: "float",
  derivative: (x) => cosh(x),
});

/**
 * (eˣ + e⁻ˣ) / 2. Source: jnp.cosh.
 * @example await cosh(array([0, 1])).toArray(); // [1, 1.5431]
 */
export const cosh: UnaryFunction = /* @__PURE__ */ unary({
  name: "cosh",
  wgsl: (use, x) =>
    `${use(cosh_from)}(${x}, ${use(op_exp)}(${use(op_abs_f)}(${x})), ${use(op_exp)}(${use(op_abs_f)}(${x}) * 0.5))`,
  takes: "float",
  derivative: (x) => sinh(x),
});

/**
 * The inverse of sinh. Source: jnp.arcsinh.
 * @example await arcsinh(array([0, 1])).toArray(); // [0, 0.88137]
 */
export const arcsinh: UnaryFunction = /* @__PURE__ */ unary({
  name: "arcsinh",
  wgsl: (use, x) =>
    `${use(asinh_from)}(${x}, ${use(op_log1p)}(${use(asinh_inner)}(${x})), ${use(op_log)}(${use(op_abs_f)}(${x})))`,
  takes: "float",
  derivative: (x) => rsqrt(add(square(x), 1)),
});

/**
 * The inverse of cosh, from 1 on; NaN below. Source: jnp.arccosh.
 * @example await arccosh(array([1, 2])).toArray(); // [0, 1.317]
 */
export const arccosh: UnaryFunction = /* @__PURE__ */ unary({
  name: "arccosh",
  wgsl: (use, x) => `${use(acosh_from)}(${x}, ${use(op_log1p)}(${use(acosh_inner)}(${x})), ${use(op_log)}(${x}))`,
  takes: "float",
  derivative: (x) => rsqrt(mul(sub(x, 1), add(x, 1))),
});

/**
 * The inverse of tanh; infinite at ±1, NaN beyond. Source: jnp.arctanh.
 * @example await arctanh(array([0, 0.5])).toArray(); // [0, 0.54931]
 */
export const arctanh: UnaryFunction = /* @__PURE__ */ unary({
  name: "arctanh",
  wgsl: (use, x) => `${use(atanh_from)}(${x}, ${use(op_log1p)}(${use(atanh_inner)}(${x})))`,
  takes: "float",
  derivative: (x) => div(1, mul(sub(1, x), add(1, x))),
});

/**
 * log(eˣ + eʸ) without overflow. Source: jnp.logaddexp.
 * @example await logaddexp(array([1000]), array([1000])).toArray(); // [1000.7]
 */
export const logaddexp: BinaryFunction = /* @__PURE__ */ binary({
  name: "logaddexp",
  wgsl: (use, x, y) => {
    const apart = `${use(op_abs_f)}(${use(op_sub_f)}(${x}, ${y}))`;
    const sum = `(${use(op_max_f)}(${x}, ${y}) + ${use(op_log1p)}(${use(op_exp)}(-${apart})))`;
    // Equal infinities are apart by NaN: their sum is what they are.
    return `select(${sum}, ${x} + ${y}, ${use(op_isnan)}(${use(op_sub_f)}(${x}, ${y})))`;
  },
  takes: "float",
  partials: [(ct, x, _y, out) => mul(ct, exp(below(x, out))), (ct, _x, y, out) => mul(ct, exp(below(y, out)))],
});

/**
 * log₂(2ˣ + 2ʸ) without overflow. Source: jnp.logaddexp2.
 * @example await logaddexp2(array([3]), array([3])).toArray(); // [4]
 */
export const logaddexp2: BinaryFunction = /* @__PURE__ */ binary({
  name: "logaddexp2",
  wgsl: (use, x, y) => {
    const apart = `${use(op_abs_f)}(${use(op_sub_f)}(${x}, ${y}))`;
    const sum = `(${use(op_max_f)}(${x}, ${y}) + ${use(op_log1p)}(${use(op_exp2)}(-${apart})) * 1.44269504)`;
    return `select(${sum}, ${x} + ${y}, ${use(op_isnan)}(${use(op_sub_f)}(${x}, ${y})))`;
  },
  takes: "float",
  partials: [(ct, x, _y, out) => mul(ct, exp2(below(x, out))), (ct, _x, y, out) => mul(ct, exp2(below(y, out)))],
});

/** own − out, +inf taken for 0 in both: equal infinities share nothing. */
function below(own: Tensor, out: Tensor): Tensor {
  const finite = (x: Tensor): Tensor => where(equal(x, Infinity), 0, x);
  return sub(finite(own), finite(out));
}
