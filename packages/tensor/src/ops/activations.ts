import { op_abs_f, op_exp, op_log1p, op_max_f, op_neg_f } from "@jnx/kernels-wgsl";
import { bind } from "../dispatch.ts";
import type { MapOp } from "../op.ts";
import type { Tensor } from "../tensor.ts";
import { convert } from "./convert.ts";
import { asTensor, literal, type TensorLike } from "./create.ts";
import {
  abs,
  add,
  div,
  erfc,
  expm1,
  greater,
  greaterEqual,
  mul,
  neg,
  power,
  relu,
  sigmoid,
  tanh,
  where,
} from "./elementwise.ts";

/**
 * x · sigmoid(x), also called swish. Source: jax.nn.silu.
 * @example await silu(array([-1.5, 2])).toArray(); // [-0.27364, 1.7616]
 */
export function silu(x: TensorLike): Tensor {
  return mul(x, sigmoid(x));
}

/** A record of its own for its derivative: those of max and |x| say nothing at 0. */
const softplusOp: MapOp<undefined> = {
  kind: "map",
  name: "softplus",
  infer: ([x]) => ({ shape: x?.shape ?? [], dtype: "float32", weak: x?.weak ?? false }),
  wgsl: ([x = ""], { use }) =>
    `(${use(op_max_f)}(${x}, F(0.0)) + ${use(op_log1p)}(${use(op_exp)}(${use(op_neg_f)}(${use(op_abs_f)}(${x})))))`,
  vjp: ({ inputs: [x] }, ct) => [x && mul(ct, sigmoid(x))],
};

/**
 * log(1 + eˣ) without overflow: max(x, 0) + log1p(e^−|x|). Source: jax.nn.softplus.
 * @example await softplus(array([-1.5, 2])).toArray(); // [0.20141, 2.1269]
 */
export function softplus(x: TensorLike): Tensor {
  const tensor = asTensor(x);
  return bind(softplusOp, [convert(tensor, "float32", tensor.weak)], undefined);
}

/**
 * log sigmoid(x) = −softplus(−x). Source: jax.nn.log_sigmoid.
 * @example await logSigmoid(array([-1.5, 2])).toArray(); // [-1.7014, -0.12693]
 */
export function logSigmoid(x: TensorLike): Tensor {
  return neg(softplus(neg(x)));
}

/**
 * x where x ≥ 0, else slope · x (0.01 unless told). Source: jax.nn.leaky_relu.
 * @example await leakyRelu(array([-1.5, 2])).toArray(); // [-0.015, 2]
 */
export function leakyRelu(x: TensorLike, negativeSlope: TensorLike = 0.01): Tensor {
  return where(greaterEqual(x, 0), x, mul(x, negativeSlope));
}

/**
 * x where x > 0, else alpha · (eˣ − 1). Source: jax.nn.elu.
 * @example await elu(array([-1.5, 2])).toArray(); // [-0.77687, 2]
 */
export function elu(x: TensorLike, alpha: TensorLike = 1): Tensor {
  const positive = greater(x, 0);
  // The branch not taken must not overflow, or its gradient would be NaN.
  return where(positive, x, mul(expm1(where(positive, 0, x)), alpha));
}

/**
 * min(max(x, 0), 6), with gradient 0 at 0 and at 6. Source: jax.nn.relu6.
 * @example await relu6(array([-1.5, 2, 9])).toArray(); // [0, 2, 6]
 */
export function relu6(x: TensorLike): Tensor {
  return where(greaterEqual(x, 6), literal(6, [], "float32", true), relu(x));
}

export interface GeluOptions {
  /** The tanh form, JAX's default; false for the exact one with erfc. */
  readonly approximate?: boolean;
}

/**
 * x · Φ(x) with Φ the normal distribution: ½x(1 + tanh(√(2/π)(x + 0.044715x³))), or exactly ½x·erfc(−x/√2).
 * Source: jax.nn.gelu.
 *
 * @example
 * await gelu(array([-1.5, 2])).toArray(); // [-0.10043, 1.9546]
 */
export function gelu(x: TensorLike, options: GeluOptions = {}): Tensor {
  const tensor = asTensor(x);
  if (options.approximate === false) return mul(mul(tensor, 0.5), erfc(mul(tensor, -Math.SQRT1_2)));
  const inner = mul(Math.sqrt(2 / Math.PI), add(tensor, mul(0.044715, power(tensor, 3))));
  return mul(tensor, mul(0.5, add(1, tanh(inner))));
}

/**
 * x / (|x| + 1). Source: jax.nn.soft_sign.
 * @example await softSign(array([-1.5, 2])).toArray(); // [-0.6, 0.66667]
 */
export function softSign(x: TensorLike): Tensor {
  return div(x, add(abs(x), 1));
}
