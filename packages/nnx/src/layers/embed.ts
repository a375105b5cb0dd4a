import {
  broadcastTo,
  DtypeError,
  matmul,
  take,
  transpose,
  type DType,
  type Tensor,
  type TensorLike,
} from "@jnx/tensor";
import { asTensor, isInteger, checkKeys } from "@jnx/tensor/internal";
import { varianceScaling, type Initializer } from "../initializers.ts";
import { Module } from "../module.ts";
import type { RngsOptions } from "../rngs.ts";
import { readValue, type Metadata } from "../variable.ts";
import type { Param } from "../variable-types.ts";
import { makeParam, promoteDtype, type PromoteDtype } from "./params.ts";

/** Options of `Embed`. */
export interface EmbedOptions extends RngsOptions {
  /** The dtype of the result, that of the embedding unless given. */
  readonly dtype?: DType;
  /** The dtype of the embedding, float32. */
  readonly paramDtype?: DType;
  /** Normal with variance 1 / features unless given. */
  readonly embeddingInit?: Initializer;
  /** What brings the embedding to the dtype instead of the layer's own rule. */
  readonly promoteDtype?: PromoteDtype | undefined;
  readonly embeddingMetadata?: Metadata;
}

/**
 * A table of vectors, looked up by whole numbers: embedding [numEmbeddings, features]. Negative numbers count from the end;
 * others out of range give NaN. `attend` multiplies by the table the other way round, for logits of tied weights. Draws
 * one key of the stream `params`. Source: flax.nnx.Embed.
 *
 * @throws DtypeError when asked with anything but whole numbers.
 * @example
 * const table = new nnx.Embed(5, 3, { rngs: new nnx.Rngs(0) });
 * table.call(array([[0, 4]])).shape; // [1, 2, 3]
 * table.attend(ones([2, 3])).shape; // [2, 5]
 */
export class Embed extends Module {
  readonly numEmbeddings: number;
  readonly features: number;
  readonly dtype: DType;
  readonly paramDtype: DType;
  readonly promoteDtype: PromoteDtype | undefined;
  readonly embedding: Param;

  constructor(numEmbeddings: number, features: number, options: EmbedOptions) {
    checkKeys("Embed", options, "rngs dtype paramDtype embeddingInit promoteDtype embeddingMetadata");
    super();
    const {
      rngs,
      paramDtype = "float32",
      embeddingInit = varianceScaling(1, "fanIn", "normal", { outAxis: 0 }),
    } = options;
    this.numEmbeddings = numEmbeddings;
    this.features = features;
    this.paramDtype = paramDtype;
    this.promoteDtype = options.promoteDtype;
    this.embedding = makeParam(
      embeddingInit,
      rngs.params(),
      [numEmbeddings, features],
      paramDtype,
      options.embeddingMetadata,
    );
    this.dtype = options.dtype ?? this.embedding.dtype;
  }

  /** indices: [...] of whole numbers → [..., features] */
  call(indices: TensorLike): Tensor {
    const index = asTensor(indices, "Embed");
    if (!isInteger(index.dtype))
      throw new DtypeError(
        `Embed: indices must be whole numbers, received ${index.dtype}; convert them with astype("int32")`,
      );
    const [embedding] = (this.promoteDtype ?? promoteDtype)([readValue(this.embedding)] as const, this.dtype);
    if (this.numEmbeddings === 1) return broadcastTo(embedding, [...index.shape, this.features]);
    return take(embedding, index, { axis: 0 });
  }

  /** query: [..., features] → [..., numEmbeddings] */
  attend(query: TensorLike): Tensor {
    const operands = [asTensor(query, "Embed"), readValue(this.embedding)] as const;
    const [input, embedding] = (this.promoteDtype ?? promoteDtype)(operands, this.dtype);
    return matmul(input, transpose(embedding));
  }
}
