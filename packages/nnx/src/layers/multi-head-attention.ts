import {
  add,
  arange,
  ArgumentError,
  array,
  broadcastTo,
  equal,
  lessEqual,
  reshape,
  ShapeError,
  where,
} from "@jnx/tensor";
import { zeros as none, type DType, type Shape, type Tensor, type TensorLike } from "@jnx/tensor";
import { asTensor, at, inArena, sameShape, shapeText, checkKeys } from "@jnx/tensor/internal";
import { lecunNormal, zeros, type Initializer } from "../initializers.ts";
import { Module } from "../module.ts";
import type { PrecisionLike } from "@jnx/tensor";
import { RngStream, type Rngs, type RngsOptions } from "../rngs.ts";
import { readValue, type Metadata } from "../variable.ts";
import { Cache } from "../variable-types.ts";
import { combineMasks } from "./attention-masks.ts";
import { dotProductAttention, type DotProductAttentionOptions } from "./attention.ts";
import { LayerNorm } from "./layer-norm.ts";
import { LinearGeneral, type LinearGeneralOptions } from "./linear-general.ts";
import type { DotGeneral, PromoteDtype } from "./params.ts";

/** A function in the place of `nnx.dotProductAttention`. */
export type AttentionFunction = (
  query: Tensor,
  key: Tensor,
  value: Tensor,
  options: DotProductAttentionOptions,
) => Tensor;

/** Options of `MultiHeadAttention`. */
export interface MultiHeadAttentionOptions extends RngsOptions {
  readonly numHeads: number;
  readonly inFeatures: number;
  /** Features of all heads together; inFeatures unless given. */
  readonly qkvFeatures?: number;
  /** inFeatures unless given. */
  readonly outFeatures?: number;
  /** Heads of keys and values, each shared by numHeads / numKvHeads query heads; numHeads unless given. */
  readonly numKvHeads?: number;
  /** Features of the keys' and values' inputs; inFeatures unless given. */
  readonly inKvFeatures?: number;
  readonly dtype?: DType;
  readonly paramDtype?: DType;
  /** Whether all examples and heads drop the same weights, true. */
  readonly broadcastDropout?: boolean;
  /** The share of attention weights that is dropped, 0. */
  readonly dropoutRate?: number;
  /** Whether nothing is dropped; must be known, here or at the call, where dropoutRate is over 0. */
  readonly deterministic?: boolean | null;
  /** lecunNormal() unless given. */
  readonly kernelInit?: Initializer;
  /** kernelInit unless given. */
  readonly outKernelInit?: Initializer;
  /** zeros unless given. */
  readonly biasInit?: Initializer;
  /** biasInit unless given. */
  readonly outBiasInit?: Initializer;
  /** Whether projections add a bias, true. */
  readonly useBias?: boolean;
  readonly attentionFn?: AttentionFunction;
  /** Whether a call adds one position to the cache; must be known, here or at the call. */
  readonly decode?: boolean | null;
  /** Whether queries and keys go through a LayerNorm, false. */
  readonly normalizeQk?: boolean;
  /** Whether the layer keeps a stream of its own to drop from, true. */
  readonly keepRngs?: boolean;
  /** How exact products are to be; all are made in float32, JAX's "highest", whatever it says. */
  readonly precision?: PrecisionLike | undefined;
  /** What brings the operands of the query, key and value projections to one dtype. */
  readonly qkvPromoteDtype?: PromoteDtype | undefined;
  /** The same for the projection of the result. */
  readonly outPromoteDtype?: PromoteDtype | undefined;
  /** The same for the LayerNorms of `normalizeQk`. */
  readonly lnPromoteDtype?: PromoteDtype | undefined;
  /** Functions in the place of `lax.dotGeneral`, or what makes them. */
  readonly qkvDotGeneral?: DotGeneral | undefined;
  readonly outDotGeneral?: DotGeneral | undefined;
  readonly qkvDotGeneralCls?: (() => DotGeneral) | undefined;
  readonly outDotGeneralCls?: (() => DotGeneral) | undefined;
  readonly kernelMetadata?: Metadata;
  /** kernelMetadata unless given. */
  readonly outKernelMetadata?: Metadata;
  readonly biasMetadata?: Metadata;
  /** biasMetadata unless given. */
  readonly outBiasMetadata?: Metadata;
  readonly queryLnScaleMetadata?: Metadata;
  readonly keyLnScaleMetadata?: Metadata;
}

/** Options of `MultiHeadAttention.call`. */
export interface AttentionCallOptions {
  /** What keys are made of; the queries' input unless given. */
  readonly inputsK?: TensorLike;
  /** What values are made of; the keys' input unless given. */
  readonly inputsV?: TensorLike;
  /** Where a query may look, not 0; broadcasts to [batch…, heads, queries, keys]. */
  readonly mask?: TensorLike;
  readonly deterministic?: boolean;
  readonly rngs?: Rngs | RngStream;
  /** Whether weights are sown as an Intermediate, attentionWeights. */
  readonly sowWeights?: boolean;
  readonly decode?: boolean;
  readonly isCausal?: boolean;
}

/**
 * Attention with learned projections: inputs [batch…, length, features] → [batch…, length, outFeatures]. Submodules
 * query, key, value ([features, heads, depth] kernels), queryLn and keyLn with normalizeQk, and out; keys are drawn in
 * that order, each kernel before its bias. With decode, a call takes one position and attends to all it has seen, kept in
 * cachedKey and cachedValue (nnx.Cache), which `initCache` makes. Source: flax.nnx.MultiHeadAttention.
 *
 * @throws ArgumentError for features that heads do not divide, and for what a call needs to know and does not.
 * @example
 * const options = { numHeads: 4, inFeatures: 16, decode: false, rngs: new nnx.Rngs(0) };
 * new nnx.MultiHeadAttention(options).call(ones([2, 5, 16]), { isCausal: true }).shape; // [2, 5, 16]
 */
export class MultiHeadAttention extends Module {
  static override readonly viewOptions = {
    deterministic: "boolean | null; true switches dropping off",
    decode: "boolean | null; whether a call adds one position to the cache",
  };

  readonly numHeads: number;
  readonly numKvHeads: number;
  readonly headDim: number;
  readonly inFeatures: number;
  readonly inKvFeatures: number;
  readonly qkvFeatures: number;
  readonly outFeatures: number;
  readonly dtype: DType | undefined;
  readonly precision: PrecisionLike | undefined;
  readonly broadcastDropout: boolean;
  readonly dropoutRate: number;
  deterministic: boolean | null;
  readonly attentionFn: AttentionFunction;
  decode: boolean | null;
  readonly query: LinearGeneral;
  readonly key: LinearGeneral;
  readonly value: LinearGeneral;
  readonly queryLn: LayerNorm | null;
  readonly keyLn: LayerNorm | null;
  readonly out: LinearGeneral;
  readonly rngs: RngStream | null;
  cachedKey: Cache | null = null;
  cachedValue: Cache | null = null;
  cacheIndex: Cache | null = null;

  constructor(options: MultiHeadAttentionOptions) {
    checkKeys(
      "MultiHeadAttention",
      options,
      "rngs numHeads inFeatures qkvFeatures outFeatures numKvHeads inKvFeatures dtype paramDtype",
      "broadcastDropout? dropoutRate deterministic kernelInit outKernelInit biasInit outBiasInit useBias?",
      "attentionFn decode normalizeQk? keepRngs? precision qkvPromoteDtype outPromoteDtype lnPromoteDtype",
      "qkvDotGeneral outDotGeneral qkvDotGeneralCls outDotGeneralCls kernelMetadata outKernelMetadata",
      "biasMetadata outBiasMetadata queryLnScaleMetadata keyLnScaleMetadata",
    );
    super();
    const { numHeads, inFeatures, rngs, numKvHeads = numHeads, qkvFeatures = inFeatures } = options;
    checkHeads(numHeads, numKvHeads, qkvFeatures);
    const { outFeatures = inFeatures, inKvFeatures = inFeatures, dropoutRate = 0, dtype } = options;
    this.numHeads = numHeads;
    this.numKvHeads = numKvHeads;
    this.headDim = qkvFeatures / numHeads;
    this.inFeatures = inFeatures;
    this.inKvFeatures = inKvFeatures;
    this.qkvFeatures = qkvFeatures;
    this.outFeatures = outFeatures;
    this.dtype = dtype;
    this.precision = options.precision;
    this.broadcastDropout = options.broadcastDropout ?? true;
    this.dropoutRate = dropoutRate;
    this.deterministic = options.deterministic ?? null;
    this.attentionFn = options.attentionFn ?? dotProductAttention;
    this.decode = options.decode ?? null;
    const linear = linearOptions(options);
    this.query = new LinearGeneral(inFeatures, [numHeads, this.headDim], linear);
    this.key = new LinearGeneral(inKvFeatures, [numKvHeads, this.headDim], linear);
    this.value = new LinearGeneral(inKvFeatures, [numKvHeads, this.headDim], linear);
    this.queryLn = headNorm(this.headDim, options, options.queryLnScaleMetadata);
    this.keyLn = headNorm(this.headDim, options, options.keyLnScaleMetadata);
    this.out = new LinearGeneral([numHeads, this.headDim], outFeatures, outOptions(options, linear));
    this.rngs = (options.keepRngs ?? true) && dropoutRate > 0 ? rngs.stream("dropout").fork() : null;
  }

  /** inputsQ: [batch…, length, inFeatures] → [batch…, length, outFeatures] */
  call(inputsQ: TensorLike, options: AttentionCallOptions = {}): Tensor {
    checkKeys(
      "MultiHeadAttention.call",
      options,
      "rngs inputsK inputsV mask deterministic? sowWeights? decode? isCausal?",
    );
    const input = asTensor(inputsQ, "MultiHeadAttention");
    if (options.inputsK === undefined && options.inputsV !== undefined)
      throw new ArgumentError(
        "MultiHeadAttention: inputsV goes with inputsK; to have both the same, give inputsK alone",
      );
    if (input.shape.at(-1) !== this.inFeatures)
      throw new ShapeError(
        `MultiHeadAttention: expected a last axis of ${this.inFeatures}, received ${shapeText(input.shape)}`,
      );
    const inputsK = options.inputsK ?? input;
    const query = this.query.call(input);
    const key = this.key.call(inputsK);
    let values = this.value.call(options.inputsV ?? inputsK);
    const queries = this.queryLn?.call(query) ?? query;
    let keys = this.keyLn?.call(key) ?? key;
    let mask = options.mask;
    const decode = options.decode ?? this.decode;
    if (decode === null)
      throw new ArgumentError(
        "MultiHeadAttention: decode is not set; pass it to the constructor or to call, or use nnx.view or setAttributes",
      );
    if (decode) {
      const cached = remember(this, keys, values);
      [keys, values] = [cached.keys, cached.values];
      mask = combineMasks([mask, cached.seen]);
    }
    const y = this.attentionFn(queries, keys, values, {
      ...dropoutOf(this, options),
      ...(mask !== undefined && { mask }),
      ...(this.dtype !== undefined && { dtype: this.dtype }),
      ...(this.precision !== undefined && { precision: this.precision }),
      ...(options.sowWeights === true && { module: this }),
      isCausal: options.isCausal ?? false,
    });
    return this.out.call(y);
  }

  /** Empty caches for inputs of a shape [batch…, most positions, features]. */
  initCache(inputShape: Shape, dtype: DType = "float32"): void {
    const shape = [...inputShape.slice(0, -1), this.numKvHeads, this.headDim];
    const make = (value: () => Tensor): Cache =>
      // The Variable holds what must survive the arena.
      inArena(
        "initCache",
        () => new Cache(value()),
        () => [],
      );
    this.cachedKey = make(() => none(shape, { dtype }));
    this.cachedValue = make(() => none(shape, { dtype }));
    this.cacheIndex = make(() => array(0, { dtype: "int32" }));
  }
}

function dropoutOf(
  layer: MultiHeadAttention,
  { deterministic, rngs }: AttentionCallOptions,
): DotProductAttentionOptions {
  if (layer.dropoutRate === 0) return { dropoutRate: 0, deterministic: true };
  const still = deterministic ?? layer.deterministic;
  if (still === null)
    throw new ArgumentError(
      "MultiHeadAttention: deterministic is not set and dropoutRate is over 0; pass it to the constructor or to call, or use model.train() or model.eval()",
    );
  const common = { dropoutRate: layer.dropoutRate, broadcastDropout: layer.broadcastDropout, deterministic: still };
  if (still) return common;
  const stream = rngs === undefined ? layer.rngs : rngs instanceof RngStream ? rngs : rngs.stream("dropout");
  if (stream === null)
    throw new ArgumentError(
      "MultiHeadAttention: nothing to draw from; pass { rngs } to call: it was made with keepRngs: false",
    );
  return { ...common, dropoutRng: stream.call() };
}

/** Puts one position into the caches; gives all of them, and which are there. */
function remember(
  layer: MultiHeadAttention,
  key: Tensor,
  value: Tensor,
): { keys: Tensor; values: Tensor; seen: Tensor } {
  const { cachedKey, cachedValue, cacheIndex } = layer;
  if (cachedKey === null || cachedValue === null || cacheIndex === null)
    throw new ArgumentError("MultiHeadAttention: there is no cache to decode with; call initCache first");
  const [keys, values, index] = [readValue(cachedKey), readValue(cachedValue), readValue(cacheIndex)];
  const [batch, length] = [keys.shape.slice(0, -3), at(keys.shape, keys.ndim - 3)];
  const wanted = [...batch, 1, layer.numKvHeads, layer.headDim];
  if (!sameShape(key.shape, wanted))
    throw new ShapeError(
      `MultiHeadAttention: decoding takes one position, keys of ${shapeText(wanted)}, received ${shapeText(key.shape)}`,
    );
  const here = reshape(equal(arange(length), index), [length, 1, 1]);
  cachedKey.value = where(here, key, keys);
  cachedValue.value = where(here, value, values);
  cacheIndex.value = add(index, 1);
  const seen = broadcastTo(lessEqual(arange(length), index), [...batch, 1, 1, length]);
  return { keys: readValue(cachedKey), values: readValue(cachedValue), seen };
}

function checkHeads(heads: number, kvHeads: number, features: number): void {
  if (heads % kvHeads !== 0)
    throw new ArgumentError(`MultiHeadAttention: numKvHeads ${kvHeads} does not divide numHeads ${heads}`);
  if (features % heads !== 0)
    throw new ArgumentError(`MultiHeadAttention: ${heads} heads do not divide ${features} features`);
}

function linearOptions(
  options: MultiHeadAttentionOptions,
): LinearGeneralOptions & { readonly kernelInit: Initializer; readonly biasInit: Initializer } {
  const { rngs, dtype, paramDtype, kernelMetadata, biasMetadata } = options;
  return {
    rngs,
    precision: options.precision,
    promoteDtype: options.qkvPromoteDtype,
    dotGeneral: options.qkvDotGeneral,
    dotGeneralCls: options.qkvDotGeneralCls,
    useBias: options.useBias ?? true,
    kernelInit: options.kernelInit ?? lecunNormal(),
    biasInit: options.biasInit ?? zeros,
    ...(dtype !== undefined && { dtype }),
    ...(paramDtype !== undefined && { paramDtype }),
    ...(kernelMetadata !== undefined && { kernelMetadata }),
    ...(biasMetadata !== undefined && { biasMetadata }),
  };
}

/** What the last projection has of its own. */
function outOptions(
  options: MultiHeadAttentionOptions,
  linear: ReturnType<typeof linearOptions>,
): LinearGeneralOptions {
  const { outKernelInit = linear.kernelInit, outBiasInit = linear.biasInit } = options;
  const { outKernelMetadata, outBiasMetadata } = options;
  return {
    ...linear,
    axis: [-2, -1],
    kernelInit: outKernelInit,
    biasInit: outBiasInit,
    promoteDtype: options.outPromoteDtype,
    dotGeneral: options.outDotGeneral,
    dotGeneralCls: options.outDotGeneralCls,
    ...(outKernelMetadata !== undefined && { kernelMetadata: outKernelMetadata }),
    ...(outBiasMetadata !== undefined && { biasMetadata: outBiasMetadata }),
  };
}

/** A LayerNorm over a head's depth, where queries and keys are normalized. */
function headNorm(depth: number, options: MultiHeadAttentionOptions, metadata: Metadata | undefined): LayerNorm | null {
  if (options.normalizeQk !== true) return null;
  const { rngs, dtype, paramDtype, lnPromoteDtype } = options;
  return new LayerNorm(depth, {
    rngs,
    useBias: false,
    promoteDtype: lnPromoteDtype,
    ...(dtype !== undefined && { dtype }),
    ...(paramDtype !== undefined && { paramDtype }),
    ...(metadata !== undefined && { scaleMetadata: metadata }),
  });
}
