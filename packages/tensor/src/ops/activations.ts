import { op_abs_f, op_exp, op_log1p, op_max_f, op_neg_f } from "@jnx/kernels-wgsl";
import { bind } from "../dispatch.ts";
import type { MapOp } from "../op.ts";
import { ShapeError } from "../errors.ts";
import { normalizeAxis, shapeText } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { at } from "../view.ts";
import { asFloat } from "./convert.ts";
import { asTensor, literal, type TensorLike } from "./create.ts";
import {
  abs,
  add,
  clip,
  div,
  erfc,
  exp,
  expm1,
  greater,
  greaterEqual,
  less,
  lessEqual,
  log,
  log1p,
  maximum,
  minimum,
  mul,
  neg,
  power,
  relu,
  sigmoid,
  sqrt,
  square,
  tanh,
  where,
} from "./elementwise.ts";
import { laxSlice } from "./movement.ts";
import { checkOptions } from "../options.ts";

const GELU_OPTIONS = { approximate: "flag" } as const;
const GLU_OPTIONS = { axis: "number" } as const;

/**
 * x · sigmoid(x), also called swish. Source: jax.nn.silu.
 * @example await silu(array([-1.5, 2])).toArray(); // [-0.27364, 1.7616]
 */
export function silu(x: TensorLike): Tensor {
  const tensor = asTensor(x, "silu");
  return mul(tensor, sigmoid(tensor));
}

/** A record of its own for its derivative: those of max and |x| say nothing at 0. */
const softplusOp: MapOp<undefined> = {
  kind: "map",
  name: "softplus",
  infer: ([x]) => x ?? { shape: [], dtype: "float32", weak: false },
  wgsl: ([x = ""], { use }) =>
    `(${use(op_max_f)}(${x}, F(0.0)) + ${use(op_log1p)}(${use(op_exp)}(${use(op_neg_f)}(${use(op_abs_f)}(${x})))))`,
  vjp: ({ inputs: [x] }, ct) => [x && mul(ct, sigmoid(x))],
};

/**
 * log(1 + eˣ) without overflow: max(x, 0) + log1p(e^−|x|). Source: jax.nn.softplus.
 * @example await softplus(array([-1.5, 2])).toArray(); // [0.20141, 2.1269]
 */
export function softplus(x: TensorLike): Tensor {
  return bind(softplusOp, [asFloat(asTensor(x, "softplus"))], undefined);
}

/**
 * log sigmoid(x) = −softplus(−x). Source: jax.nn.log_sigmoid.
 * @example await logSigmoid(array([-1.5, 2])).toArray(); // [-1.7014, -0.12693]
 */
export function logSigmoid(x: TensorLike): Tensor {
  const tensor = asTensor(x, "logSigmoid");
  return neg(softplus(neg(tensor)));
}

/**
 * x where x ≥ 0, else slope · x (0.01 unless told). Source: jax.nn.leaky_relu.
 * @example await leakyRelu(array([-1.5, 2])).toArray(); // [-0.015, 2]
 */
export function leakyRelu(x: TensorLike, negativeSlope: TensorLike = 0.01): Tensor {
  const tensor = asTensor(x, "leakyRelu");
  return where(greaterEqual(tensor, 0), tensor, mul(tensor, asTensor(negativeSlope, "leakyRelu")));
}

/**
 * x where x > 0, else alpha · (eˣ − 1). Source: jax.nn.elu.
 * @example await elu(array([-1.5, 2])).toArray(); // [-0.77687, 2]
 */
export function elu(x: TensorLike, alpha: TensorLike = 1): Tensor {
  const tensor = asTensor(x, "elu");
  const positive = greater(tensor, 0);
  // The branch not taken must not overflow, or its gradient would be NaN.
  return where(positive, tensor, mul(expm1(where(positive, 0, tensor)), asTensor(alpha, "elu")));
}

/**
 * min(max(x, 0), 6), with gradient 0 at 0 and at 6. Source: jax.nn.relu6.
 * @example await relu6(array([-1.5, 2, 9])).toArray(); // [0, 2, 6]
 */
export function relu6(x: TensorLike): Tensor {
  const tensor = asTensor(x, "relu6");
  return where(greaterEqual(tensor, 6), literal(6, [], "float32", true), relu(tensor));
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
  checkOptions("gelu", options, GELU_OPTIONS);
  const tensor = asTensor(x, "gelu");
  if (options.approximate === false) return mul(mul(tensor, 0.5), erfc(mul(tensor, -Math.SQRT1_2)));
  const inner = mul(Math.sqrt(2 / Math.PI), add(tensor, mul(0.044715, power(tensor, 3))));
  return mul(tensor, mul(0.5, add(1, tanh(inner))));
}

/**
 * x / (|x| + 1). Source: jax.nn.soft_sign.
 * @example await softSign(array([-1.5, 2])).toArray(); // [-0.6, 0.66667]
 */
export function softSign(x: TensorLike): Tensor {
  const tensor = asTensor(x, "softSign");
  return div(tensor, add(abs(tensor), 1));
}

/**
 * max(x, 0) + alpha · (e^(min(x, 0) / alpha) − 1). Source: jax.nn.celu.
 * @example await celu(array([-1.5, 2])).toArray(); // [-0.77687, 2]
 */
export function celu(x: TensorLike, alpha: TensorLike = 1): Tensor {
  const [tensor, scale] = [asTensor(x, "celu"), asTensor(alpha, "celu")];
  return add(maximum(tensor, 0), mul(scale, expm1(div(minimum(tensor, 0), scale))));
}

/**
 * 1.0507 · elu(x, 1.6733), which keeps mean 0 and variance 1. Source: jax.nn.selu.
 * @example await selu(array([-1.5, 2])).toArray(); // [-1.3658, 2.1014]
 */
export function selu(x: TensorLike): Tensor {
  const tensor = asTensor(x, "selu");
  return mul(1.0507009873554805, elu(tensor, 1.6732632423543772));
}

/**
 * relu6(x + 3) / 6. Source: jax.nn.hard_sigmoid.
 * @example await hardSigmoid(array([-1.5, 4])).toArray(); // [0.25, 1]
 */
export function hardSigmoid(x: TensorLike): Tensor {
  const tensor = asTensor(x, "hardSigmoid");
  return div(relu6(add(tensor, 3)), 6);
}

/**
 * x · hardSigmoid(x), also called hard swish. Source: jax.nn.hard_silu.
 * @example await hardSilu(array([-1.5, 4])).toArray(); // [-0.375, 4]
 */
export function hardSilu(x: TensorLike): Tensor {
  const tensor = asTensor(x, "hardSilu");
  return mul(tensor, hardSigmoid(tensor));
}

/**
 * x within [−1, 1], else the nearer of the two. Source: jax.nn.hard_tanh.
 * @example await hardTanh(array([-1.5, 0.5])).toArray(); // [-1, 0.5]
 */
export function hardTanh(x: TensorLike): Tensor {
  const tensor = asTensor(x, "hardTanh");
  return where(greater(tensor, 1), 1, where(less(tensor, -1), -1, tensor));
}

/**
 * x · tanh(softplus(x)). Source: jax.nn.mish.
 * @example await mish(array([-1.5, 2])).toArray(); // [-0.2981, 1.944]
 */
export function mish(x: TensorLike): Tensor {
  const tensor = asTensor(x, "mish");
  return mul(tensor, tanh(softplus(tensor)));
}

/**
 * (x + √(x² + b)) / 2. Source: jax.nn.squareplus.
 * @example await squareplus(array([-1.5, 2])).toArray(); // [0.5, 2.4142]
 */
export function squareplus(x: TensorLike, b: TensorLike = 4): Tensor {
  const tensor = asTensor(x, "squareplus");
  return div(add(tensor, sqrt(add(square(tensor), asTensor(b, "squareplus")))), 2);
}

/**
 * 0 below −1, x above 1, (x + 1)² / 4 between. Source: jax.nn.sparse_plus.
 * @example await sparsePlus(array([-1.5, 0, 2])).toArray(); // [0, 0.25, 2]
 */
export function sparsePlus(x: TensorLike): Tensor {
  const tensor = asTensor(x, "sparsePlus");
  return where(lessEqual(tensor, -1), 0, where(greaterEqual(tensor, 1), tensor, div(square(add(tensor, 1)), 4)));
}

/**
 * (x + 1) / 2 within [0, 1], else the nearer of the two. Source: jax.nn.sparse_sigmoid.
 * @example await sparseSigmoid(array([-1.5, 0, 2])).toArray(); // [0, 0.5, 1]
 */
export function sparseSigmoid(x: TensorLike): Tensor {
  const tensor = asTensor(x, "sparseSigmoid");
  return mul(0.5, clip(add(tensor, 1), 0, 2));
}

/**
 * log(1 − e^−x) for x > 0, exact for small and large x. Source: jax.nn.log1mexp.
 * @example await log1mexp(array([0.1, 2])).toArray(); // [-2.3522, -0.14541]
 */
export function log1mexp(x: TensorLike): Tensor {
  const tensor = asTensor(x, "log1mexp");
  const near = less(tensor, Math.LN2);
  // Each branch sees its own side alone, or the other's gradient would be infinite.
  const small = log(neg(expm1(neg(where(near, tensor, 1)))));
  return where(near, small, log1p(neg(exp(neg(where(near, 1, tensor))))));
}

export interface GluOptions {
  /** The axis that is cut in two, the last. */
  readonly axis?: number;
}

/**
 * a · sigmoid(b) of the two halves a, b of x. Source: jax.nn.glu.
 *
 * @throws ShapeError when the axis is of odd extent.
 * @example await glu(array([1, 3, 0, 2])).toArray(); // [0.5, 2.6424]
 */
export function glu(x: TensorLike, options: GluOptions = {}): Tensor {
  checkOptions("glu", options, GLU_OPTIONS);
  const tensor = asTensor(x, "glu");
  const axis = normalizeAxis("glu", options.axis ?? -1, tensor.ndim);
  const extent = at(tensor.shape, axis);
  if (extent % 2 !== 0)
    throw new ShapeError(`glu: axis ${axis} of ${shapeText(tensor.shape)} has an odd extent and no two halves`);
  const half = (from: number): Tensor => {
    const starts = tensor.shape.map((_, k) => (k === axis ? from : 0));
    const limits = tensor.shape.map((all, k) => (k === axis ? from + extent / 2 : all));
    return laxSlice(tensor, starts, limits);
  };
  return mul(half(0), sigmoid(half(extent / 2)));
}

/**
 * x itself, where an activation is asked for. Source: jax.nn.identity.
 * @example await nnIdentity(array([1, -2])).toArray(); // [1, -2]
 */
export function nnIdentity(x: TensorLike): Tensor {
  return asTensor(x, "identity");
}
