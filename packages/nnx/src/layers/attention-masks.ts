import { arange, astype, broadcastTo, expandDims, greaterEqual, logicalAnd, mul, ShapeError } from "@jnx/tensor";
import type { DType, Tensor, TensorLike } from "@jnx/tensor";
import { asTensor, shapeText, checkKeys } from "@jnx/tensor/internal";

/** Options of `makeCausalMask` and `makeAttentionMask`. */
export interface MaskOptions {
  /** How many axes of extent 1 are put in front, 0. */
  readonly extraBatchDims?: number;
  /** float32 unless given. */
  readonly dtype?: DType;
}

/** Options of `makeAttentionMask`. */
export interface AttentionMaskOptions extends MaskOptions {
  /** What is made of each query's and each key's number: their product unless given. */
  readonly pairwiseFn?: (query: Tensor, key: Tensor) => Tensor;
}

/**
 * For each pair of a query and a key what `pairwiseFn` makes of their numbers: [batch…, queries], [batch…, keys] →
 * [batch…, 1, queries, keys], the new axis being that of the heads. Source: flax.nnx.make_attention_mask.
 *
 * @example
 * const real = array([[1, 1, 0]]);
 * await nnx.makeAttentionMask(real, real).toArray(); // [[[[1, 1, 0], [1, 1, 0], [0, 0, 0]]]]
 */
export function makeAttentionMask(
  queryInput: TensorLike,
  keyInput: TensorLike,
  options: AttentionMaskOptions = {},
): Tensor {
  checkKeys("makeAttentionMask", options, "pairwiseFn extraBatchDims dtype");
  const { pairwiseFn = mul, extraBatchDims = 0, dtype = "float32" } = options;
  const pairs = pairwiseFn(expandDims(queryInput, -1), expandDims(keyInput, -2));
  const heads = expandDims(pairs, -3);
  const lead = Array.from({ length: extraBatchDims }, (_, axis) => axis);
  return astype(lead.length === 0 ? heads : expandDims(heads, lead), dtype);
}

/**
 * 1 where a key is at its query's place or before it: [batch…, length] → [batch…, 1, length, length]. Only x's shape
 * counts. Source: flax.nnx.make_causal_mask.
 *
 * @example await nnx.makeCausalMask(zeros([2])).toArray(); // [[[1, 0], [1, 1]]]
 */
export function makeCausalMask(x: TensorLike, options: MaskOptions = {}): Tensor {
  checkKeys("makeCausalMask", options, "extraBatchDims dtype");
  const { shape } = asTensor(x, "makeCausalMask");
  const places = broadcastTo(arange(shape.at(-1) ?? 0), shape);
  return makeAttentionMask(places, places, { ...options, pairwiseFn: greaterEqual });
}

/** Options of `combineMasks`. */
export interface CombineOptions {
  /** float32 unless given. */
  readonly dtype?: DType;
}

/**
 * 1 where all masks are not 0. undefined and null count for nothing; of nothing comes undefined.
 * Source: flax.nnx.combine_masks.
 *
 * @throws ShapeError when the masks differ in rank.
 * @example await nnx.combineMasks([array([1, 1]), undefined, array([0, 1])])?.toArray(); // [0, 1]
 */
export function combineMasks(
  masks: readonly (TensorLike | null | undefined)[],
  options: CombineOptions = {},
): Tensor | undefined {
  checkKeys("combineMasks", options, "dtype");
  const given = masks.flatMap((mask) => (mask === undefined || mask === null ? [] : [asTensor(mask, "combineMasks")]));
  const [first, ...rest] = given;
  if (first === undefined) return undefined;
  if (rest.some((mask) => mask.ndim !== first.ndim))
    throw new ShapeError(
      `combineMasks: masks must have one rank, received ${given.map((mask) => shapeText(mask.shape)).join(", ")}`,
    );
  const all = rest.reduce((one, other) => logicalAnd(one, other), first);
  return astype(all, options.dtype ?? "float32");
}
