import { jnp, nnx, type Tensor } from "jnx";
import { vocabulary } from "./corpus.ts";

export interface Size {
  readonly features: number;
  readonly heads: number;
  readonly layers: number;
  /** The longest text that positions are learnt for. */
  readonly length: number;
}

/** Anything that maps features to features: a Linear, or a LoRA around one. */
interface Layer extends nnx.Module {
  call(x: Tensor): Tensor;
}

/** Attention and an MLP, each around a normalised input and added to it. */
class Block extends nnx.Module {
  readonly norm1: nnx.LayerNorm;
  readonly attention: nnx.MultiHeadAttention;
  readonly norm2: nnx.LayerNorm;
  up: Layer;
  down: Layer;

  constructor({ features, heads }: Size, { rngs }: nnx.RngsOptions) {
    super();
    this.norm1 = new nnx.LayerNorm(features, { rngs });
    this.attention = new nnx.MultiHeadAttention({ numHeads: heads, inFeatures: features, decode: false, rngs });
    this.norm2 = new nnx.LayerNorm(features, { rngs });
    this.up = new nnx.Linear(features, 4 * features, { rngs });
    this.down = new nnx.Linear(4 * features, features, { rngs });
  }

  call(x: Tensor): Tensor {
    const y = x.add(this.attention.call(this.norm1.call(x), { isCausal: this.attention.decode !== true }));
    return y.add(this.down.call(nnx.gelu(this.up.call(this.norm2.call(y)))));
  }
}

/** A transformer over characters. The embedding of characters also reads the output: the two are one Param. */
export class CharTransformer extends nnx.Module {
  readonly characters: nnx.Embed;
  readonly positions: nnx.Embed;
  readonly blocks: nnx.List<Block>;
  readonly norm: nnx.LayerNorm;
  readonly size: Size;

  constructor(size: Size, { rngs }: nnx.RngsOptions) {
    super();
    this.size = size;
    this.characters = new nnx.Embed(vocabulary, size.features, { rngs });
    this.positions = new nnx.Embed(size.length, size.features, { rngs });
    this.blocks = new nnx.List(Array.from({ length: size.layers }, () => new Block(size, { rngs })));
    this.norm = new nnx.LayerNorm(size.features, { rngs });
  }

  /** characters: [batch, length], the first at position `start` → logits: [batch, length, vocabulary] */
  call(characters: Tensor, start: Tensor | number = 0): Tensor {
    const places = jnp.arange(characters.shape[1] ?? 0).add(start);
    let x = this.characters.call(characters).add(this.positions.call(places));
    for (const block of this.blocks) x = block.call(x);
    return this.characters.attend(this.norm.call(x));
  }

  /** Empty caches for texts, and one character a call from now on. */
  startDecoding(batch: number): void {
    this.setAttributes({ decode: true });
    for (const { attention } of this.blocks) attention.initCache([batch, this.size.length, this.size.features]);
  }
}

/** Puts a LoRA around the MLP's two layers in every block, which adds nothing until it has learnt. */
export function attachLora(model: CharTransformer, rank: number, { rngs }: nnx.RngsOptions): void {
  const { features } = model.size;
  for (const block of model.blocks) {
    block.up = new nnx.LoRA(features, rank, 4 * features, { baseModule: block.up, rngs });
    block.down = new nnx.LoRA(4 * features, rank, features, { baseModule: block.down, rngs });
  }
}
