import {
  betaln_from,
  digamma_from,
  digamma_turn,
  gamma_shift,
  gamma_turn,
  lanczos_sum,
  lgamma_from,
  op_cos,
  op_i0e,
  op_i1e,
  op_isnan,
  op_log,
  op_log1p,
  op_sin,
  polygamma_from,
} from "@jnx/kernels-wgsl";
import type { WgslFunction } from "@jnx/kernels-wgsl";
import { bind } from "../dispatch.ts";
import { ArgumentError, DtypeError } from "../errors.ts";
import type { MapOp } from "../op.ts";
import type { Tensor } from "../tensor.ts";
import { asFloat, convert } from "./convert.ts";
import { asTensor, literal, type TensorLike } from "./create.ts";
import {
  abs,
  add,
  div,
  equal,
  exp,
  floor,
  greater,
  greaterEqual,
  log,
  log1p,
  logicalAnd,
  mul,
  neg,
  remainder,
  sign,
  sub,
  where,
} from "./elementwise.ts";
import { binary, unary, type BinaryFunction, type UnaryFunction } from "./factories.ts";
import { stopGradient } from "./identity.ts";
import { zeta } from "./zeta.ts";

/** The text of log |Γ(x)|. */
function lgammaOf(use: (fn: WgslFunction) => string, x: string): string {
  const z = `${use(gamma_shift)}(${x})`;
  const sine = `${use(op_log)}(${use(op_sin)}(${use(gamma_turn)}(${x})))`;
  return `${use(lgamma_from)}(${x}, ${use(op_log1p)}(${z} / 7.5), ${use(op_log)}(${use(lanczos_sum)}(${z})), ${sine})`;
}

/**
 * log |Γ(x)|; +inf at 0 and at negative whole numbers. Source: lax.lgamma, jax.scipy.special.gammaln.
 * @example await lgamma(array([3, 5])).toArray(); // [0.69315, 3.1781]
 */
export const lgamma: UnaryFunction = /* @__PURE__ */ unary({
  name: "lgamma",
  wgsl: lgammaOf,
  takes: "float",
  derivative: (x) => digamma(x),
});

/**
 * The derivative of log Γ(x); NaN at 0 and at negative whole numbers. Source: lax.digamma.
 * @example await digamma(array([1, 2])).toArray(); // [-0.57722, 0.42278]
 */
export const digamma: UnaryFunction = /* @__PURE__ */ unary({
  name: "digamma",
  wgsl: (use, x) => {
    const turn = `${use(digamma_turn)}(${x})`;
    const cotangent = `${use(op_cos)}(${turn}) / ${use(op_sin)}(${turn})`;
    return `${use(digamma_from)}(${x}, ${use(op_log1p)}(${use(gamma_shift)}(${x}) / 7.5), ${cotangent})`;
  },
  takes: "float",
  derivative: (x) => polygamma(1, x),
});

/** Orders up to this are computed by their own series; powers of so many are unrolled. */
const MAX_ORDER = 10;

const polygammaOp: MapOp<number> = {
  kind: "map",
  name: "polygamma",
  infer: ([x]) => x ?? { shape: [], dtype: "float32", weak: false },
  wgsl: ([x = ""], { use, constant }, n) => {
    const numbers = [
      n,
      (n % 2 === 1 ? 1 : -1) * factorial(n),
      ...[1 / 6, -1 / 30, 1 / 42].map((b, k) => b * rising(n, k)),
    ];
    const sine = `${use(op_sin)}(${use(gamma_turn)}(${x}))`;
    return `${use(polygamma_from)}(${x}, ${numbers.map((one) => constant(one, "float32")).join(", ")}, ${sine})`;
  },
  vjp: ({ inputs: [x], attrs: n }, ct) => [x && mul(ct, polygamma(n + 1, x))],
};

function factorial(n: number): number {
  return n <= 1 ? 1 : n * factorial(n - 1);
}

/** (n + 2j − 1)! / (n! (2j)!) for j = k + 1: what Bernoulli's numbers are multiplied with. */
function rising(n: number, k: number): number {
  const j = 2 * (k + 1);
  return factorial(n + j - 1) / (factorial(n) * factorial(j));
}

/**
 * The n-th derivative of digamma, n a whole number or an array of them. For x < 0 only n = 0 and 1 are known, larger n give
 * NaN. Differentiable by x. Source: lax.polygamma, jax.scipy.special.polygamma.
 *
 * @throws ArgumentError for a number that is not whole or below 0, DtypeError for an array that holds bools.
 * @example await polygamma(1, array([1])).toArray(); // [1.6449]
 */
export function polygamma(n: TensorLike, x: TensorLike): Tensor {
  const tensor = asFloat(asTensor(x, "polygamma"));
  if (typeof n !== "number") return polygammaOf(asTensor(n, "polygamma"), tensor);
  if (!Number.isInteger(n) || n < 0)
    throw new ArgumentError(`polygamma: n is a whole number, 0 or above, received ${String(n)}`);
  if (n > MAX_ORDER) return polygammaOf(literal(n, [], tensor.dtype, true), tensor);
  return n === 0 ? digamma(tensor) : bind(polygammaOp, [tensor], n);
}

/** (−1)ⁿ⁺¹ n! ζ(n + 1, x). */
function polygammaOf(n: Tensor, x: Tensor): Tensor {
  if (n.dtype === "bool")
    throw new DtypeError("polygamma: n is a whole number, received bool; convert it with astype()");
  const order = stopGradient(convert(n, x.dtype, n.weak));
  const turn = where(equal(remainder(order, 2), 0), -1, 1);
  const known = mul(turn, mul(exp(lgamma(add(order, 1))), zeta(add(order, 1), x)));
  return where(equal(order, 0), digamma(x), known);
}

/**
 * Γ(x): its sign times exp of lgamma. Source: jax.scipy.special.gamma.
 * @example await gamma(array([5, 0.5])).toArray(); // [24, 1.7725]
 */
export function gamma(x: TensorLike): Tensor {
  const tensor = asTensor(x, "gamma");
  const odd = logicalAnd(greater(0, tensor), equal(remainder(floor(tensor), 2), 1));
  return mul(where(odd, -1, 1), exp(lgamma(tensor)));
}

/**
 * log |B(a, b)| = lgamma(a) + lgamma(b) − lgamma(a + b), where that cancels by Stirling's series: from 8 on. Source:
 * jax.scipy.special.betaln.
 * @example await betaln(array([2]), array([3])).toArray(); // [-2.4849]
 */
export const betaln: BinaryFunction = /* @__PURE__ */ binary({
  name: "betaln",
  wgsl: (use, a, b) => {
    const gammas = [`min(${a}, ${b})`, `max(${a}, ${b})`, `${a} + ${b}`].map((x) => lgammaOf(use, x));
    return `${use(betaln_from)}(${a}, ${b}, ${gammas.join(", ")})`;
  },
  takes: "float",
  partials: [
    (ct, a, b) => mul(ct, sub(digamma(a), digamma(add(a, b)))),
    (ct, a, b) => mul(ct, sub(digamma(b), digamma(add(a, b)))),
  ],
});

/**
 * The modified Bessel function I₀(x) times e^−|x|. Source: lax.bessel_i0e.
 * @example await i0e(array([0, 1])).toArray(); // [1, 0.46576]
 */
export const i0e: UnaryFunction = /* @__PURE__ */ unary({
  name: "i0e",
  wgsl: op_i0e,
  takes: "float",
  derivative: (x, y) => sub(i1e(x), mul(sign(x), y)),
});

/**
 * The modified Bessel function I₁(x) times e^−|x|. Source: lax.bessel_i1e.
 * @example await i1e(array([0, 1])).toArray(); // [0, 0.20791]
 */
export const i1e: UnaryFunction = /* @__PURE__ */ unary({
  name: "i1e",
  wgsl: op_i1e,
  takes: "float",
  derivative: (x, y) => {
    const zero = equal(x, 0);
    const safe = where(zero, 1, x);
    return where(zero, 0.5, sub(i0e(x), mul(y, add(sign(safe), div(1, safe)))));
  },
});

/**
 * The modified Bessel function I₀(x). Source: jax.scipy.special.i0.
 * @example await i0(array([0, 1])).toArray(); // [1, 1.2661]
 */
export function i0(x: TensorLike): Tensor {
  const tensor = asTensor(x, "i0");
  return mul(exp(abs(tensor)), i0e(tensor));
}

/**
 * The modified Bessel function I₁(x). Source: jax.scipy.special.i1.
 * @example await i1(array([0, 1])).toArray(); // [0, 0.56516]
 */
export function i1(x: TensorLike): Tensor {
  const tensor = asTensor(x, "i1");
  return mul(exp(abs(tensor)), i1e(tensor));
}

/**
 * log(x / (1 − x)), the inverse of sigmoid. Source: jax.scipy.special.logit.
 * @example await logit(array([0.5, 0.9])).toArray(); // [0, 2.1972]
 */
export const logit: UnaryFunction = /* @__PURE__ */ unary({
  name: "logit",
  wgsl: (use, x) => `${use(op_log)}(${x} / (1.0 - ${x}))`,
  takes: "float",
  derivative: (x) => div(1, mul(x, sub(1, x))),
});

/**
 * x · log y, 0 where x is 0 (unless y is NaN). Source: jax.scipy.special.xlogy.
 * @example await xlogy(array([0, 2]), array([0, 3])).toArray(); // [0, 2.1972]
 */
export const xlogy: BinaryFunction = /* @__PURE__ */ binary({
  name: "xlogy",
  wgsl: (use, x, y) => `select(${x} * ${use(op_log)}(${y}), F(0.0), (${x} == F(0.0)) & !${use(op_isnan)}(${y}))`,
  takes: "float",
  partials: [(ct, _x, y) => mul(ct, log(y)), (ct, x, y) => mul(ct, div(x, y))],
});

/**
 * x · log(1 + y), 0 where x is 0 (unless y is NaN). Source: jax.scipy.special.xlog1py.
 * @example await xlog1py(array([0, 2]), array([-1, 2])).toArray(); // [0, 2.1972]
 */
export const xlog1py: BinaryFunction = /* @__PURE__ */ binary({
  name: "xlog1py",
  wgsl: (use, x, y) => `select(${x} * ${use(op_log1p)}(${y}), F(0.0), (${x} == F(0.0)) & !${use(op_isnan)}(${y}))`,
  takes: "float",
  partials: [(ct, _x, y) => mul(ct, log1p(y)), (ct, x, y) => mul(ct, div(x, add(1, y)))],
});

/**
 * −x · log x, 0 at 0, −inf below. Source: jax.scipy.special.entr.
 * @example await entr(array([0, 0.5])).toArray(); // [0, 0.34657]
 */
export function entr(x: TensorLike): Tensor {
  const tensor = asTensor(x, "entr");
  return where(greater(0, tensor), -Infinity, neg(xlogy(tensor, tensor)));
}

/**
 * p · log(p / q); 0 where p is 0 and q is not negative, +inf elsewhere outside p, q > 0. Source: jax.scipy.special.rel_entr.
 * @example await relEntr(array([0.5, 0]), array([0.25, 1])).toArray(); // [0.34657, 0]
 */
export function relEntr(p: TensorLike, q: TensorLike): Tensor {
  const [left, right] = [asTensor(p, "relEntr"), asTensor(q, "relEntr")];
  const both = logicalAnd(greater(left, 0), greater(right, 0));
  const [a, b] = [where(both, left, 1), where(both, right, 1)];
  const nothing = logicalAnd(equal(left, 0), greaterEqual(right, 0));
  return where(both, sub(xlogy(a, a), xlogy(a, b)), where(nothing, 0, Infinity));
}

/**
 * p · log(p / q) − p + q, as relEntr has its first term. Source: jax.scipy.special.kl_div.
 * @example await klDiv(array([0.5]), array([0.25])).toArray(); // [0.096574]
 */
export function klDiv(p: TensorLike, q: TensorLike): Tensor {
  const [left, right] = [asTensor(p, "klDiv"), asTensor(q, "klDiv")];
  return add(sub(relEntr(left, right), left), right);
}
