import {
  fresnel_angle,
  fresnel_size,
  op_ci,
  op_cos,
  op_dawsn,
  op_erfcx,
  op_exp1,
  op_expi,
  op_expn,
  op_fresnel_c,
  op_fresnel_s,
  op_si,
  op_sin,
  op_spence,
} from "@jnx/kernels-wgsl";
import { bind } from "../dispatch.ts";
import type { MapOp } from "../op.ts";
import type { Tensor } from "../tensor.ts";
import { only } from "./batching.ts";
import { asTensor, type TensorLike } from "./create.ts";
import { cos, div, equal, exp, log, mul, neg, sinc, sub, where } from "./elementwise.ts";
import { together, unary, type BinaryFunction, type UnaryFunction } from "./factories.ts";

/**
 * Integrals without a closed form. Against float64 on both sides of 0 up to 100: within 5 ulp, Eₙ and Ci within 17, the sums of
 * Fresnel's within 4. JAX's own are off by more where they iterate, and have NaN at some edges where there is a limit.
 */

/**
 * E₁(x) = ∫ e^−t / t dt from x to ∞; +inf at 0, NaN below. Source: jax.scipy.special.exp1.
 * @example await exp1(array([0.5, 2])).toArray(); // [0.55977, 0.048901]
 */
export const exp1: UnaryFunction = /* @__PURE__ */ unary({
  name: "exp1",
  wgsl: op_exp1,
  takes: "float",
  derivative: (x) => neg(div(exp(neg(x)), x)),
});

/**
 * Ei(x) = ∫ e^t / t dt from −∞ to x, its principal value for x > 0; −inf at 0. Its limits at 0 and at the infinities, where JAX has
 * NaN, are scipy's. Source: jax.scipy.special.expi.
 * @example await expi(array([-1, 1])).toArray(); // [-0.21938, 1.8951]
 */
export const expi: UnaryFunction = /* @__PURE__ */ unary({
  name: "expi",
  wgsl: op_expi,
  takes: "float",
  derivative: (x) => div(exp(x), x),
});

const expnOp: MapOp<undefined> = {
  kind: "map",
  name: "expn",
  expensive: true,
  infer: ([, x]) => ({ shape: x?.shape ?? [], dtype: x?.dtype ?? "float32", weak: x?.weak ?? false }),
  wgsl: ([n = "", x = ""], { use }) => `${use(op_expn)}(${n}, ${x})`,
  // By the order there is no derivative: JAX's is 0, too.
  vjp: ({ inputs: [n, x], needs }, ct) => [
    undefined,
    needs[1] === true ? neg(mul(ct, expn(sub(only("expn", n), 1), only("expn", x)))) : undefined,
  ],
};

/**
 * Eₙ(x) = ∫ e^−xt / tⁿ dt from 1 to ∞ for whole n ≥ 0 (other orders for x > 1 alone); 1 / (n − 1) at x = 0, NaN below. Its derivative
 * by n counts as 0. Source: jax.scipy.special.expn.
 *
 * @throws ShapeError when the shapes do not broadcast.
 * @example await expn(2, array([0, 1])).toArray(); // [1, 0.1485]
 */
export const expn: BinaryFunction = /* @__PURE__ */ Object.assign(
  (n: TensorLike, x: TensorLike) =>
    bind(expnOp, together("expn", [asTensor(n, "expn"), asTensor(x, "expn")], "float"), undefined),
  { op: expnOp },
);

/**
 * Spence's function ∫ log t / (1 − t) dt from 1 to x, the dilogarithm of 1 − x; NaN below 0. Source: jax.scipy.special.spence.
 * @example await spence(array([0, 1, 2])).toArray(); // [1.6449, 0, -0.82247]
 */
export const spence: UnaryFunction = /* @__PURE__ */ unary({
  name: "spence",
  wgsl: op_spence,
  takes: "float",
  derivative: (x) => {
    const one = equal(x, 1);
    return where(one, -1, div(log(x), sub(1, where(one, 2, x))));
  },
});

/**
 * Dawson's integral e^(−x²) ∫ e^(t²) dt from 0 to x. Source: jax.scipy.special.dawsn.
 * @example await dawsn(array([0, 1])).toArray(); // [0, 0.53808]
 */
export const dawsn: UnaryFunction = /* @__PURE__ */ unary({
  name: "dawsn",
  wgsl: op_dawsn,
  takes: "float",
  derivative: (x, y) => sub(1, mul(2, mul(x, y))),
});

/**
 * e^(x²) erfc(x). Source: jax.scipy.special.erfcx.
 * @example await erfcx(array([0, 10])).toArray(); // [1, 0.056141]
 */
export const erfcx: UnaryFunction = /* @__PURE__ */ unary({
  name: "erfcx",
  wgsl: op_erfcx,
  takes: "float",
  derivative: (x, y) => sub(mul(2, mul(x, y)), 2 / Math.sqrt(Math.PI)),
});

const sineIntegral = /* @__PURE__ */ unary({
  name: "sine_integral",
  wgsl: op_si,
  takes: "float",
  derivative: (x) => sinc(div(x, Math.PI)),
});

const cosineIntegral = /* @__PURE__ */ unary({
  name: "cosine_integral",
  wgsl: op_ci,
  takes: "float",
  derivative: (x) => div(cos(x), x),
});

/**
 * The sine integral ∫ sin t / t dt from 0 to x, and the cosine integral γ + log |x| + ∫ (cos t − 1) / t dt; −inf at 0. Source:
 * jax.scipy.special.sici.
 * @example await sici(array([1, 4]))[0].toArray(); // [0.94608, 1.7582]
 */
export function sici(x: TensorLike): [si: Tensor, ci: Tensor] {
  const tensor = asTensor(x, "sici");
  return [sineIntegral(tensor), cosineIntegral(tensor)];
}

/** sin and cos of πx²/2, which keeps its digits for large x. */
const sinOfSquare: UnaryFunction = /* @__PURE__ */ unary({
  name: "sin_of_square",
  wgsl: (use, x) => `${use(op_sin)}(${use(fresnel_angle)}(${use(fresnel_size)}(${x})))`,
  takes: "float",
  derivative: (x) => mul(Math.PI, mul(x, cosOfSquare(x))),
});

const cosOfSquare: UnaryFunction = /* @__PURE__ */ unary({
  name: "cos_of_square",
  wgsl: (use, x) => `${use(op_cos)}(${use(fresnel_angle)}(${use(fresnel_size)}(${x})))`,
  takes: "float",
  derivative: (x) => mul(-Math.PI, mul(x, sinOfSquare(x))),
});

const fresnelSine = /* @__PURE__ */ unary({
  name: "fresnel_sine",
  wgsl: op_fresnel_s,
  takes: "float",
  derivative: (x) => sinOfSquare(x),
});

const fresnelCosine = /* @__PURE__ */ unary({
  name: "fresnel_cosine",
  wgsl: op_fresnel_c,
  takes: "float",
  derivative: (x) => cosOfSquare(x),
});

/**
 * Fresnel's integrals ∫ sin(πt²/2) dt and ∫ cos(πt²/2) dt from 0 to x. Source: jax.scipy.special.fresnel.
 * @example await fresnel(array([1, 4]))[0].toArray(); // [0.43826, 0.42052]
 */
export function fresnel(x: TensorLike): [s: Tensor, c: Tensor] {
  const tensor = asTensor(x, "fresnel");
  return [fresnelSine(tensor), fresnelCosine(tensor)];
}
