import { ArgumentError, broadcastTo, div, Tensor, where, zerosLike, type TensorLike } from "@jnx/tensor";
import * as random from "@jnx/tensor/random";
import { asTensor, normalizeAxis, checkKeys } from "@jnx/tensor/internal";
import { Module } from "../module.ts";
import { Rngs, RngStream } from "../rngs.ts";

/** Options of `Dropout`. */
export interface DropoutOptions {
  /** Axes along which all elements share their fate. */
  readonly broadcastDims?: readonly number[];
  /** True switches dropping off; false unless given. null leaves it to each call. */
  readonly deterministic?: boolean | null;
  /** The stream to take keys from, "dropout". */
  readonly rngCollection?: string;
  /** Where keys come from; the layer forks a stream of its own. Without it each call needs one. */
  readonly rngs?: Rngs | RngStream;
}

/** Options of `Dropout.call`; they go before the layer's own. */
export interface DropoutCallOptions {
  readonly deterministic?: boolean;
  /** Streams, one stream, or a key. */
  readonly rngs?: Rngs | RngStream | Tensor;
}

/**
 * Each element becomes 0 with probability `rate`, and x / (1 − rate) otherwise. Draws one key of the stream `dropout`
 * when it is made, and one of its own at every call. `model.eval()` switches it off. Source: flax.nnx.Dropout.
 *
 * @throws ArgumentError when the rate is not within [0, 1], or there is nothing to draw keys from.
 * @example
 * const dropout = new nnx.Dropout(0.5, { rngs: new nnx.Rngs(0) });
 * dropout.call(x).shape; // [3, 2]
 */
export class Dropout extends Module {
  static override readonly viewOptions = { deterministic: "boolean | null; true switches dropping off" };

  readonly rate: number;
  readonly broadcastDims: readonly number[];
  readonly rngCollection: string;
  deterministic: boolean | null;
  readonly rngs: RngStream | null;

  constructor(rate: number, options: DropoutOptions = {}) {
    checkKeys("Dropout", options, "rngs broadcastDims deterministic rngCollection");
    super();
    if (!(rate >= 0 && rate <= 1))
      throw new ArgumentError(`Dropout: the rate must be between 0 and 1, received ${rate}`);
    const { broadcastDims = [], deterministic = false, rngCollection = "dropout", rngs } = options;
    this.rate = rate;
    this.broadcastDims = broadcastDims;
    this.deterministic = deterministic;
    this.rngCollection = rngCollection;
    this.rngs =
      rngs === undefined ? null : (rngs instanceof Rngs ? rngs.stream(rngCollection) : checkedStream(rngs)).fork();
  }

  /** x of any shape → the same shape */
  call(x: TensorLike, options: DropoutCallOptions = {}): Tensor {
    checkKeys("Dropout.call", options, "rngs deterministic?");
    const input = asTensor(x, "Dropout");
    const deterministic = options.deterministic ?? this.deterministic;
    if (deterministic === null)
      throw new ArgumentError(
        "Dropout: deterministic is not set; pass it to the constructor or to call, or use model.train() or model.eval()",
      );
    if (this.rate === 0 || deterministic) return input;
    if (this.rate === 1) return zerosLike(input);
    const keep = 1 - this.rate;
    const axes = this.broadcastDims.map((axis) => normalizeAxis("Dropout", axis, input.ndim));
    const drawn = input.shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent));
    const mask = broadcastTo(
      random.bernoulli(keyFrom(options.rngs ?? this.rngs, this.rngCollection), keep, drawn),
      input.shape,
    );
    return where(mask, div(input, keep), 0);
  }
}

function keyFrom(source: Rngs | RngStream | Tensor | null, collection: string): Tensor {
  if (source === null)
    throw new ArgumentError(
      "Dropout: nothing to draw from; pass { rngs } to the constructor or to call, or switch it off with deterministic",
    );
  if (source instanceof Tensor) return source;
  return (source instanceof Rngs ? source.stream(collection) : checkedStream(source)).call();
}

function checkedStream(source: RngStream): RngStream {
  if (source instanceof RngStream) return source;
  throw new ArgumentError(`Dropout: rngs must be an Rngs, an RngStream or a key, received ${typeof source}`);
}
