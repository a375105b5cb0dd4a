import { op_acos, op_asin, op_atan, op_atan2, op_sin } from "@jnx/kernels-wgsl";
import type { Tensor } from "../tensor.ts";
import { asTensor, type TensorLike } from "./create.ts";
import { add, cos, div, equal, mul, neg, rsqrt, square, sub, where } from "./elementwise.ts";
import { binary, unary, type BinaryFunction, type UnaryFunction } from "./factories.ts";

/**
 * The angle in [−π/2, π/2] with sine x; NaN beyond ±1. Source: jnp.arcsin.
 * @example await arcsin(array([0, 1])).toArray(); // [0, 1.5708]
 */
export const arcsin: UnaryFunction = /* @__PURE__ */ unary({
  name: "arcsin",
  wgsl: op_asin,
  takes: "float",
  derivative: (x) => rsqrt(sub(1, square(x))),
});

/**
 * The angle in [0, π] with cosine x; NaN beyond ±1. Source: jnp.arccos.
 * @example await arccos(array([1, 0])).toArray(); // [0, 1.5708]
 */
export const arccos: UnaryFunction = /* @__PURE__ */ unary({
  name: "arccos",
  wgsl: op_acos,
  takes: "float",
  derivative: (x) => neg(rsqrt(sub(1, square(x)))),
});

/**
 * The angle in (−π/2, π/2) with tangent x. Source: jnp.arctan.
 * @example await arctan(array([0, 1])).toArray(); // [0, 0.7854]
 */
export const arctan: UnaryFunction = /* @__PURE__ */ unary({
  name: "arctan",
  wgsl: op_atan,
  takes: "float",
  derivative: (x) => div(1, add(1, square(x))),
});

/**
 * The angle of the point (x, y) in [−π, π]; note that y comes first. Source: jnp.arctan2.
 * @example await arctan2(array([1, 1]), array([1, -1])).toArray(); // [0.7854, 2.3562]
 */
export const arctan2: BinaryFunction = /* @__PURE__ */ binary({
  name: "arctan2",
  wgsl: op_atan2,
  takes: "float",
  partials: [
    (ct, y, x) => mul(ct, div(x, add(square(x), square(y)))),
    (ct, y, x) => mul(ct, neg(div(y, add(square(x), square(y))))),
  ],
});

/**
 * sin(πx) / (πx), 1 at 0. Source: jnp.sinc.
 * @example await sinc(array([0, 0.5])).toArray(); // [1, 0.63662]
 */
export const sinc: UnaryFunction = /* @__PURE__ */ unary({
  name: "sinc",
  wgsl: (use, x) => `select(${use(op_sin)}(3.14159274 * ${x}) / (3.14159274 * ${x}), F(1.0), ${x} == F(0.0))`,
  takes: "float",
  derivative: (x, y) => {
    const zero = equal(x, 0);
    // Near 0 the difference cancels; there sinc'(x) is −π²x/3.
    const small = mul(x, -(Math.PI ** 2) / 3);
    return where(zero, small, div(sub(cos(mul(x, Math.PI)), y), where(zero, 1, x)));
  },
});

/**
 * Degrees as radians. Source: jnp.deg2rad.
 * @example await deg2rad(array([180])).toArray(); // [3.1416]
 */
export function deg2rad(x: TensorLike): Tensor {
  return mul(asTensor(x, "deg2rad"), Math.PI / 180);
}

/**
 * Radians as degrees. Source: jnp.rad2deg.
 * @example await rad2deg(array([0.5])).toArray(); // [28.648]
 */
export function rad2deg(x: TensorLike): Tensor {
  return mul(asTensor(x, "rad2deg"), 180 / Math.PI);
}
