import { isFloat } from "../dtype.ts";
import { ArgumentError, DtypeError, ShapeError } from "../errors.ts";
import { shapeText, type Shape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { at } from "../view.ts";
import { composite } from "./composite.ts";
import { arange, asTensor, type TensorLike } from "./create.ts";
import { add, lessEqual, less, logicalAnd, mul, sub, where } from "./elementwise.ts";
import { stopGradient } from "./identity.ts";
import { matmul } from "./matmul.ts";
import { expandDims, reshape, squeeze, swapaxes, transpose } from "./movement.ts";
import { softmax } from "./normalize.ts";
import { logsumexp } from "./reduce.ts";

/** Options of `dotProductAttention`. */
export interface AttentionOptions {
  /** Added to the scaled scores; broadcasts to [batch, heads, queries, keys]. */
  readonly bias?: TensorLike;
  /** Where a query may look: bool, broadcasts to [batch, heads, queries, keys]. */
  readonly mask?: TensorLike;
  /** What scores are multiplied with, 1 / √depth. */
  readonly scale?: number;
  /** Whether query t sees keys up to t alone, counted from the first of each; false. */
  readonly isCausal?: boolean;
  /** How many queries of each example are real; the others give 0. int32, [batch]. */
  readonly querySeqLengths?: TensorLike;
  /** How many keys of each example are real. int32, [batch]. */
  readonly keyValueSeqLengths?: TensorLike;
  /** How many keys to the left and right of its own place a query sees; one number for both sides. */
  readonly localWindowSize?: number | readonly [left: number, right: number];
}

/** What scores become where a query may not look: finite, so that a query that sees nothing averages all values. */
const HIDDEN = -0.7 * 3.4028234663852886e38;

interface Heads {
  readonly batch: number;
  readonly queries: number;
  readonly keys: number;
  /** Key heads, and query heads that share each of them. */
  readonly heads: number;
  readonly group: number;
  readonly depth: number;
}

/**
 * softmax(query · keyᵀ · scale + bias) · value for every head: [batch, queries, heads, depth]. query is of that shape,
 * key and value are [batch, keys, keyHeads, depth] with heads a multiple of keyHeads (query head n uses key head
 * n · keyHeads / heads); without the batch axis, too. Where mask, isCausal, localWindowSize or the lengths say no, scores
 * are replaced by a huge negative number. Source: jax.nn.dot_product_attention.
 *
 * @throws ShapeError when the operands do not fit, DtypeError for operands that are not float or a mask that is not bool.
 * @example
 * const [q, kv] = [ones([2, 5, 4, 8]), ones([2, 6, 2, 8])];
 * dotProductAttention(q, kv, kv, { isCausal: true }).shape; // [2, 5, 4, 8]
 */
export function dotProductAttention(
  query: TensorLike,
  key: TensorLike,
  value: TensorLike,
  options: AttentionOptions = {},
): Tensor {
  return composite("dotProductAttention", () => attend(query, key, value, options)[0]);
}

/**
 * The same with the logarithm of each query's sum of weights, [batch, queries, heads], through which no gradient goes:
 * what return_residual of jax.nn.dot_product_attention adds.
 *
 * @throws ShapeError when the operands do not fit, DtypeError for operands that are not float or a mask that is not bool.
 * @example
 * const x = zeros([1, 4, 1, 2]);
 * const [, residual] = dotProductAttentionWithResidual(x, x, x);
 * residual.shape; // [1, 4, 1]
 */
export function dotProductAttentionWithResidual(
  query: TensorLike,
  key: TensorLike,
  value: TensorLike,
  options: AttentionOptions = {},
): readonly [Tensor, Tensor] {
  const [y, logits, batched] = attend(query, key, value, options);
  const sums = stopGradient(logsumexp(logits, { axis: -1 }));
  const [batch = 0, heads = 0, group = 0, queries = 0] = sums.shape;
  const residual = reshape(transpose(sums, [0, 3, 1, 2]), [batch, queries, heads * group]);
  return [y, batched ? residual : squeeze(residual, 0)];
}

function attend(
  query: TensorLike,
  key: TensorLike,
  value: TensorLike,
  options: AttentionOptions,
): readonly [Tensor, logits: Tensor, batched: boolean] {
  const given = [asTensor(query), asTensor(key), asTensor(value)] as const;
  const batched = given[0].ndim === 4;
  const [q, k, v] = given.map((one) => (one.ndim === 3 ? expandDims(one, 0) : one)) as [Tensor, Tensor, Tensor]; // three
  const heads = checkOperands(given, [q, k, v]);
  const { batch, queries, group, depth } = heads;
  const grouped = transpose(reshape(q, [batch, queries, heads.heads, group, depth]), [0, 2, 3, 1, 4]);
  // [batch, keyHeads, 1, keys, depth]
  const [ks, vs] = [k, v].map((one) => expandDims(transpose(one, [0, 2, 1, 3]), 2)) as [Tensor, Tensor]; // two
  let logits = mul(matmul(grouped, swapaxes(ks, -1, -2)), options.scale ?? 1 / Math.sqrt(depth));
  if (options.bias !== undefined) logits = add(logits, perHead("bias", asTensor(options.bias), heads));
  const seen = visible(options, heads);
  if (seen !== undefined) logits = where(seen, logits, HIDDEN);
  const weighted = transpose(matmul(softmax(logits, { axis: -1 }), vs), [0, 3, 1, 2, 4]);
  let y = reshape(weighted, [batch, queries, heads.heads * group, depth]);
  if (options.querySeqLengths !== undefined) {
    const real = less(
      reshape(arange(queries), [1, queries]),
      lengths("querySeqLengths", options.querySeqLengths, batch),
    );
    y = where(reshape(real, [batch, queries, 1, 1]), y, 0);
  }
  return [batched ? y : squeeze(y, 0), logits, batched];
}

function checkOperands(given: readonly Tensor[], [q, k, v]: readonly [Tensor, Tensor, Tensor]): Heads {
  const name = "dotProductAttention";
  const shapes = given.map((one) => shapeText(one.shape)).join(", ");
  if (!given.every((one) => one.ndim === at(given, 0).ndim && (one.ndim === 3 || one.ndim === 4)))
    throw new ShapeError(
      `${name}: query, key and value have 4 axes [batch, length, heads, depth], or 3 without the batch; received ${shapes}`,
    );
  if (!given.every((one) => isFloat(one.dtype) && one.dtype === at(given, 0).dtype))
    throw new DtypeError(
      `${name}: query, key and value are of one float dtype, received ${given.map((one) => one.dtype).join(", ")}`,
    );
  const [batch = 0, queries = 0, all = 0, depth = 0] = q.shape;
  const [, keys = 0, heads = 0] = k.shape;
  const wanted = shapeText([batch, keys, heads, depth]);
  if (shapeText(k.shape) !== wanted || shapeText(v.shape) !== wanted)
    throw new ShapeError(
      `${name}: key and value must be of one shape with the query's batch and depth, received ${shapes}`,
    );
  if (heads === 0 || all % heads !== 0)
    throw new ShapeError(`${name}: ${all} query heads are not a multiple of ${heads} key heads`);
  return { batch, queries, keys, heads, group: all / heads, depth };
}

/** [batch, heads, queries, keys] (or what broadcasts to it) as [batch, keyHeads, group, queries, keys]. */
function perHead(what: string, x: Tensor, { batch, queries, keys, heads, group }: Heads): Tensor {
  const lead: Shape = new Array<number>(Math.max(0, 4 - x.ndim)).fill(1);
  const full = reshape(x, [...lead, ...x.shape]);
  const wanted = [batch, heads * group, queries, keys];
  if (full.ndim !== 4 || !full.shape.every((extent, axis) => extent === 1 || extent === wanted[axis]))
    throw new ShapeError(
      `dotProductAttention: ${what} must broadcast to [batch, heads, queries, keys] = ${shapeText(wanted)}, received ${shapeText(x.shape)}`,
    );
  const [b = 1, n = 1, t = 1, s = 1] = full.shape;
  return reshape(full, n === 1 ? [b, 1, 1, t, s] : [b, heads, group, t, s]);
}

function lengths(what: string, x: TensorLike, batch: number): Tensor {
  const counts = asTensor(x);
  if (counts.ndim !== 1 || counts.shape[0] !== batch || counts.dtype !== "int32")
    throw new ShapeError(
      `dotProductAttention: ${what} is an int32 for each of ${batch} examples, received ${counts.dtype}${shapeText(counts.shape)}`,
    );
  return reshape(counts, [batch, 1]);
}

/** Where queries may look, or undefined for everywhere; broadcasts to [batch, keyHeads, group, queries, keys]. */
function visible(options: AttentionOptions, heads: Heads): Tensor | undefined {
  const { batch, queries, keys } = heads;
  const t = reshape(arange(queries), [queries, 1]);
  const s = reshape(arange(keys), [1, keys]);
  const parts: Tensor[] = [];
  if (options.mask !== undefined) {
    const mask = asTensor(options.mask);
    if (mask.dtype !== "bool")
      throw new DtypeError(`dotProductAttention: the mask must be bool, received ${mask.dtype}; compare it with 0`);
    parts.push(perHead("mask", mask, heads));
  }
  if (options.isCausal === true) parts.push(lessEqual(s, t));
  const { localWindowSize: size } = options;
  if (size !== undefined) {
    const [left, right] = typeof size === "number" ? [size, size] : size;
    if (!(left >= 0 && right >= 0))
      throw new ArgumentError(`dotProductAttention: localWindowSize counts keys, received [${left}, ${right}]`);
    parts.push(logicalAnd(lessEqual(sub(t, left), s), lessEqual(s, add(t, right))));
  }
  if (options.querySeqLengths !== undefined) {
    const real = less(reshape(t, [1, queries]), lengths("querySeqLengths", options.querySeqLengths, batch));
    parts.push(reshape(real, [batch, 1, 1, queries, 1]));
  }
  if (options.keyValueSeqLengths !== undefined) {
    const real = less(s, lengths("keyValueSeqLengths", options.keyValueSeqLengths, batch));
    parts.push(reshape(real, [batch, 1, 1, 1, keys]));
  }
  return parts.reduce<Tensor | undefined>((all, part) => (all === undefined ? part : logicalAnd(all, part)), undefined);
}
