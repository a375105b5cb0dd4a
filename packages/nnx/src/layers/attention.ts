import { add, ArgumentError, dotProductAttention as fused, div, matmul, mul, softmax, where } from "@jnx/tensor";
import * as random from "@jnx/tensor/random";
import { astype, broadcastTo, expandDims, lessEqual, logicalAnd, notEqual, reshape, ShapeError } from "@jnx/tensor";
import { swapaxes, arange, type DType, type Tensor, type TensorLike } from "@jnx/tensor";
import { asTensor, at, shapeText, sizeOf, checkKeys, checkedPrecision } from "@jnx/tensor/internal";
import type { Module } from "../module.ts";
import type { PrecisionLike } from "@jnx/tensor";
import { Intermediate } from "../variable-types.ts";
import { promoteDtype, type PromoteDtype } from "./params.ts";

/** Options of `nnx.dotProductAttention`. */
export interface DotProductAttentionOptions {
  /** Added to the scaled scores; broadcasts to [batch…, heads, queries, keys]. */
  readonly bias?: TensorLike;
  /** Where a query may look, not 0; broadcasts to [batch…, heads, queries, keys]. */
  readonly mask?: TensorLike;
  /** Whether query t sees keys up to t alone; false. */
  readonly isCausal?: boolean;
  /** The share of weights that is dropped, 0. */
  readonly dropoutRate?: number;
  /** The key to draw from; needed where weights are dropped. */
  readonly dropoutRng?: Tensor;
  /** Whether all examples and heads drop the same weights, true. */
  readonly broadcastDropout?: boolean;
  /** Whether nothing is dropped; false. */
  readonly deterministic?: boolean;
  /** The dtype to compute in; that of the operands unless given. */
  readonly dtype?: DType;
  /** How exact products are to be; all are made in float32, JAX's "highest", whatever it says. */
  readonly precision?: PrecisionLike | undefined;
  /** What brings query, key and value to one dtype instead of the common rule. */
  readonly promoteDtype?: PromoteDtype | undefined;
  /** Where the weights are sown, as an Intermediate named attentionWeights. */
  readonly module?: Module;
}

const LOWEST = -3.4028234663852886e38;

/**
 * softmax(query · keyᵀ / √depth + bias) · value for every head: query [batch…, queries, heads, depth], key and value
 * [batch…, keys, keyHeads, depth] → [batch…, queries, heads, depth]. heads is a multiple of keyHeads. With dropout or a
 * module, weights are computed as such; otherwise as jax.nn.dot_product_attention. Source: flax.nnx.dot_product_attention.
 *
 * @throws ShapeError when the operands do not fit, ArgumentError when weights are dropped without a key.
 * @example
 * const x = ones([2, 5, 4, 8]);
 * nnx.dotProductAttention(x, x, x, { isCausal: true }).shape; // [2, 5, 4, 8]
 */
export function dotProductAttention(
  query: TensorLike,
  key: TensorLike,
  value: TensorLike,
  options: DotProductAttentionOptions = {},
): Tensor {
  checkKeys(
    "dotProductAttention",
    options,
    "bias mask isCausal? dropoutRate dropoutRng broadcastDropout? deterministic? dtype precision",
    "promoteDtype module",
  );
  const given = [
    asTensor(query, "dotProductAttention"),
    asTensor(key, "dotProductAttention"),
    asTensor(value, "dotProductAttention"),
  ] as const;
  checkedPrecision("dotProductAttention", options.precision);
  const [q, k, v] = (options.promoteDtype ?? promoteDtype)(given, options.dtype);
  checkHeads(q, k, v);
  const { dropoutRate = 0, module } = options;
  if (dropoutRate === 0 && module === undefined) return withoutWeights(q, k, v, options);
  return weighted(attentionWeights(q, k, options), v);
}

function checkHeads(q: Tensor, k: Tensor, v: Tensor): void {
  const name = "dotProductAttention";
  const shapes = [q, k, v].map((one) => shapeText(one.shape)).join(", ");
  const same = [k, v].every(
    (one) => one.ndim === q.ndim && shapeText(one.shape.slice(0, -3)) === shapeText(q.shape.slice(0, -3)),
  );
  if (!same || q.ndim < 3 || k.shape.at(-3) !== v.shape.at(-3))
    throw new ShapeError(
      `${name}: query, key and value must agree in rank and batch, key and value in length; received ${shapes}`,
    );
  if (q.shape.at(-1) !== k.shape.at(-1))
    throw new ShapeError(`${name}: query and key must be of one depth, received ${shapes}`);
  if ([k, v].some((one) => (q.shape.at(-2) ?? 0) % (one.shape.at(-2) ?? 0) !== 0))
    throw new ShapeError(
      `${name}: the query's heads must be a multiple of the key's and the value's, received ${shapes}`,
    );
}

/** More batch axes than one are made one, as jax.nn.dot_product_attention takes them. */
function withoutWeights(q: Tensor, k: Tensor, v: Tensor, options: DotProductAttentionOptions): Tensor {
  const flat = (x: Tensor): Tensor =>
    q.ndim > 4 ? reshape(x, [sizeOf(x.shape.slice(0, -3)), ...x.shape.slice(-3)]) : x;
  const { bias, mask, isCausal = false } = options;
  const y = fused(flat(q), flat(k), flat(v), {
    isCausal,
    ...(bias !== undefined && { bias: flat(asTensor(bias, "dotProductAttention")) }),
    ...(mask !== undefined && { mask: flat(isTrue(mask)) }),
  });
  return reshape(y, q.shape);
}

function isTrue(mask: TensorLike): Tensor {
  const tensor = asTensor(mask, "dotProductAttention");
  return tensor.dtype === "bool" ? tensor : notEqual(tensor, 0);
}

/** softmax(query · keyᵀ / √depth + bias), with weights dropped: [batch…, heads, queries, keys]. */
function attentionWeights(query: Tensor, key: Tensor, options: DotProductAttentionOptions): Tensor {
  const heads = at(query.shape, query.ndim - 2);
  const scaled = swapaxes(div(query, Math.sqrt(at(query.shape, query.ndim - 1))), -2, -3);
  const keys = everyHead(swapaxes(key, -2, -3), heads);
  let weights = matmul(scaled, swapaxes(keys, -1, -2));
  if (options.bias !== undefined) weights = add(weights, options.bias);
  const [queries, length] = [at(weights.shape, weights.ndim - 2), at(weights.shape, weights.ndim - 1)];
  const causal =
    options.isCausal === true ? lessEqual(arange(length), reshape(arange(queries), [queries, 1])) : undefined;
  const masks = [...(options.mask === undefined ? [] : [isTrue(options.mask)]), ...(causal ? [causal] : [])];
  if (masks.length > 0)
    weights = where(
      masks.reduce((a, b) => logicalAnd(a, b)),
      weights,
      LOWEST,
    );
  const shares = softmax(weights);
  options.module?.sow(Intermediate, "attentionWeights", shares);
  return dropped(shares, options);
}

/** Each key head as often as query heads share it: [batch…, keyHeads, n, d] → [batch…, heads, n, d]. */
function everyHead(x: Tensor, heads: number): Tensor {
  const own = at(x.shape, x.ndim - 3);
  if (own === heads) return x;
  const [lead, rest] = [x.shape.slice(0, -3), x.shape.slice(-2)];
  return reshape(broadcastTo(expandDims(x, -3), [...lead, own, heads / own, ...rest]), [...lead, heads, ...rest]);
}

function dropped(weights: Tensor, options: DotProductAttentionOptions): Tensor {
  const { dropoutRate = 0, dropoutRng, broadcastDropout = true, deterministic = false } = options;
  if (deterministic || dropoutRate === 0) return weights;
  if (dropoutRng === undefined)
    throw new ArgumentError(
      "dotProductAttention: dropoutRng is needed to drop weights; pass a key, or deterministic: true",
    );
  const keep = 1 - dropoutRate;
  const shape = broadcastDropout
    ? weights.shape.map((extent, axis) => (axis < weights.ndim - 2 ? 1 : extent))
    : weights.shape;
  return mul(weights, div(astype(random.bernoulli(dropoutRng, keep, shape), weights.dtype), keep));
}

function weighted(weights: Tensor, value: Tensor): Tensor {
  const values = everyHead(swapaxes(value, -2, -3), at(weights.shape, weights.ndim - 3));
  return swapaxes(matmul(weights, values), -2, -3);
}
