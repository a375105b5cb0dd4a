import { MAX_DEPTH } from "@jnx/kernels-wgsl";
import { isRecorded } from "../dispatch.ts";
import { isFloat } from "../dtype.ts";
import { ArgumentError, DtypeError, ShapeError } from "../errors.ts";
import { shapeText, type Shape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { at } from "../view.ts";
import { tiledAttention, tiledAttentionWithSums, type AttentionAttrs } from "./attention-op.ts";
import { HIDDEN, turned } from "./attention-tables.ts";
import { composite } from "./composite.ts";
import { convert } from "./convert.ts";
import { arange, asTensor, type TensorLike } from "./create.ts";
import { add, less, lessEqual, logicalAnd, mul, sub, where } from "./elementwise.ts";
import { stopGradient } from "./identity.ts";
import { sliceAlong } from "./join.ts";
import { matmul } from "./matmul.ts";
import { expandDims, reshape, squeeze, swapaxes, transpose } from "./movement.ts";
import { softmax } from "./normalize.ts";
import { pad } from "./pad.ts";
import { logsumexp } from "./log-sum-exp.ts";
import { checkOptions } from "../options.ts";

const ATTENTION_OPTIONS = {
  bias: true,
  mask: true,
  scale: "number",
  isCausal: "flag",
  querySeqLengths: true,
  keyValueSeqLengths: true,
  localWindowSize: true,
} as const;

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
  checkOptions("dotProductAttention", options, ATTENTION_OPTIONS);
  return composite("dotProductAttention", () => {
    const work = prepare("dotProductAttention", query, key, value, options);
    return finish(work, paysByTiles(work) ? byTiles(work) : byTables(work)[0]);
  });
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
  checkOptions("dotProductAttentionWithResidual", options, ATTENTION_OPTIONS);
  const work = prepare("dotProductAttentionWithResidual", query, key, value, options);
  const [y, sums] = paysByTiles(work) ? withSums(work) : byTables(work);
  const { batch, queries, heads, group } = work.heads;
  const residual = transpose(reshape(stopGradient(sums), [batch, heads * group, queries]), [0, 2, 1]);
  const masked = work.real === undefined ? residual : where(squeeze(work.real, -1), residual, HIDDEN);
  return [finish(work, y), work.batched ? masked : squeeze(masked, 0)];
}

/** dotProductAttention by the kernels that keep no scores, whatever the sizes; the depth must suit them. */
export function dotProductAttentionByTiles(
  query: TensorLike,
  key: TensorLike,
  value: TensorLike,
  options: AttentionOptions = {},
): Tensor {
  const work = prepare("dotProductAttention", query, key, value, options);
  return finish(work, byTiles(work));
}

/** Scores of a head from which on tiles are no slower on any adapter. */
const FEW_SCORES = 2 ** 18;
/** Scores of all heads that are rather kept for the way back: computing them again takes half as long again, or twice. */
const MANY_SCORES = 2 ** 22;

function paysByTiles({ heads: { batch, queries, keys, heads, group, depth }, q, k, v }: Work): boolean {
  if (depth % 4 !== 0 || depth > MAX_DEPTH) return false;
  const scores = queries * keys;
  return isRecorded([q, k, v]) ? batch * heads * group * scores >= MANY_SCORES : scores >= FEW_SCORES;
}

/** What both ways start from: operands with a batch axis, and what a query may look at. */
interface Work {
  readonly batched: boolean;
  readonly heads: Heads;
  readonly q: Tensor;
  readonly k: Tensor;
  readonly v: Tensor;
  readonly scale: number;
  /** [batch | 1, heads | 1, queries | 1, keys | 1] */
  readonly bias: Tensor | undefined;
  readonly mask: Tensor | undefined;
  /** Keys that a query sees to the left and right of its own place. */
  readonly left: number;
  readonly right: number;
  /** Which queries are real: [batch, queries, 1, 1]. */
  readonly real: Tensor | undefined;
}

/** Farther than any array is long. */
const FAR = 2 ** 30;

function prepare(name: string, query: TensorLike, key: TensorLike, value: TensorLike, options: AttentionOptions): Work {
  const given = [query, key, value].map((one) => asTensor(one, name)) as [Tensor, Tensor, Tensor]; // three
  const batched = given[0].ndim === 4;
  const [q, k, v] = given.map((one) => (one.ndim === 3 ? expandDims(one, 0) : one)) as [Tensor, Tensor, Tensor]; // three
  const heads = checkOperands(given, [q, k, v]);
  const { batch, queries } = heads;
  const { scale = 1 / Math.sqrt(heads.depth), bias, querySeqLengths } = options;
  const [left, right] = windowOf(options);
  const places = reshape(arange(queries), [1, queries]);
  const real =
    querySeqLengths === undefined
      ? undefined
      : reshape(less(places, lengths("querySeqLengths", querySeqLengths, batch)), [batch, queries, 1, 1]);
  const own =
    bias === undefined ? undefined : convert(ranked("bias", asTensor(bias, "dotProductAttention"), heads), "float32");
  return { ...{ batched, heads, q, k, v, scale, left, right, real }, bias: own, mask: maskOf(options, heads) };
}

/** Queries that are not real give 0, whatever they saw. */
function finish({ batched, real }: Work, y: Tensor): Tensor {
  const known = real === undefined ? y : where(real, y, 0);
  return batched ? known : squeeze(known, 0);
}

/** The operands of the kernels: padded to multiples of four, keys turned so that they lie side by side. */
function tiles({ heads, q, k, v, scale, bias, mask, left, right }: Work): readonly [Tensor[], AttentionAttrs] {
  const { queries, keys } = heads;
  const [qs, ks, vs] = [q, k, v].map(inFours) as [Tensor, Tensor, Tensor]; // three
  const extras = [bias, mask].filter((one) => one !== undefined);
  const attrs = { queries, keys, scale, left, right, bias: bias !== undefined, mask: mask !== undefined };
  return [[qs, turned(ks), vs, ...extras], attrs];
}

/** Zeros up to a multiple of four lines. */
function inFours(x: Tensor): Tensor {
  const more = -at(x.shape, 1) & 3;
  return more === 0
    ? x
    : pad(x, 0, [
        [0, 0, 0],
        [0, more, 0],
        [0, 0, 0],
        [0, 0, 0],
      ]);
}

function byTiles(work: Work): Tensor {
  return sliceAlong(tiledAttention(...tiles(work)), 1, 0, work.heads.queries);
}

function withSums(work: Work): readonly [y: Tensor, sums: Tensor] {
  const [y, sums] = tiledAttentionWithSums(...tiles(work));
  return [sliceAlong(y, 1, 0, work.heads.queries), sliceAlong(sums, 2, 0, work.heads.queries)];
}

/** y and the logarithms of the sums of weights, by way of all scores; those of half precision are float32, as in JAX. */
function byTables({ heads: sizes, q, k, v, scale, bias, mask, left, right }: Work): readonly [y: Tensor, sums: Tensor] {
  const { batch, queries, keys, heads, group, depth } = sizes;
  const wide = (x: Tensor): Tensor => convert(x, "float32");
  const grouped = transpose(reshape(wide(q), [batch, queries, heads, group, depth]), [0, 2, 3, 1, 4]);
  // [batch, keyHeads, 1, keys, depth]
  const [ks, vs] = [k, v].map((one) => expandDims(transpose(one, [0, 2, 1, 3]), 2)) as [Tensor, Tensor]; // two
  let logits = mul(matmul(grouped, swapaxes(wide(ks), -1, -2)), scale);
  if (bias !== undefined) logits = add(logits, perHead(bias, sizes));
  const [t, s] = [reshape(arange(queries), [queries, 1]), reshape(arange(keys), [1, keys])];
  const parts = [
    ...(mask === undefined ? [] : [perHead(mask, sizes)]),
    ...(left < queries - 1 ? [lessEqual(sub(t, left), s)] : []),
    ...(right < keys - 1 ? [lessEqual(s, add(t, right))] : []),
  ];
  if (parts.length > 0) logits = where(parts.reduce(logicalAnd), logits, HIDDEN);
  const weighted = matmul(convert(softmax(logits, { axis: -1 }), v.dtype), vs);
  const y = reshape(transpose(weighted, [0, 3, 1, 2, 4]), [batch, queries, heads * group, depth]);
  return [y, logsumexp(logits, { axis: -1 })];
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

/** With axes of extent 1 in front where some lack: what broadcasts to [batch, heads, queries, keys]. */
function ranked(what: string, x: Tensor, { batch, queries, keys, heads, group }: Heads): Tensor {
  const lead: Shape = new Array<number>(Math.max(0, 4 - x.ndim)).fill(1);
  const full = reshape(x, [...lead, ...x.shape]);
  const wanted = [batch, heads * group, queries, keys];
  if (full.ndim !== 4 || !full.shape.every((extent, axis) => extent === 1 || extent === wanted[axis]))
    throw new ShapeError(
      `dotProductAttention: ${what} must broadcast to [batch, heads, queries, keys] = ${shapeText(wanted)}, received ${shapeText(x.shape)}`,
    );
  return full;
}

/** [batch, heads, queries, keys] (or what broadcasts to it) as [batch, keyHeads, group, queries, keys]. */
function perHead(x: Tensor, { heads, group }: Heads): Tensor {
  const [b = 1, n = 1, t = 1, s = 1] = x.shape;
  return reshape(x, n === 1 ? [b, 1, 1, t, s] : [b, heads, group, t, s]);
}

function lengths(what: string, x: TensorLike, batch: number): Tensor {
  const counts = asTensor(x, "dotProductAttention");
  if (counts.ndim !== 1 || counts.shape[0] !== batch || counts.dtype !== "int32")
    throw new ShapeError(
      `dotProductAttention: ${what} is an int32 for each of ${batch} examples, received ${counts.dtype}${shapeText(counts.shape)}`,
    );
  return reshape(counts, [batch, 1]);
}

/** How many keys a query sees to the left and right of its own place. */
function windowOf({ localWindowSize: size = FAR, isCausal = false }: AttentionOptions): readonly [number, number] {
  const [left, right] = typeof size === "number" ? [size, size] : size;
  if (!(left >= 0 && right >= 0))
    throw new ArgumentError(`dotProductAttention: localWindowSize counts keys, received [${left}, ${right}]`);
  return [Math.min(left, FAR), isCausal ? 0 : Math.min(right, FAR)];
}

/** Where queries may look but for the window: bool, [batch | 1, heads | 1, queries | 1, keys]; undefined for everywhere. */
function maskOf({ mask: given, keyValueSeqLengths }: AttentionOptions, heads: Heads): Tensor | undefined {
  const mask = given === undefined ? undefined : asTensor(given, "dotProductAttention");
  if (mask !== undefined && mask.dtype !== "bool")
    throw new DtypeError(`dotProductAttention: the mask must be bool, received ${mask.dtype}; compare it with 0`);
  const full = mask && ranked("mask", mask, heads);
  if (keyValueSeqLengths === undefined) return full;
  const { batch, keys } = heads;
  const own = less(reshape(arange(keys), [1, keys]), lengths("keyValueSeqLengths", keyValueSeqLengths, batch));
  const real = reshape(own, [batch, 1, 1, keys]);
  return full === undefined ? real : logicalAnd(full, real);
}
