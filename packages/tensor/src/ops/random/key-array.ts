import type { DType } from "../../dtype.ts";
import { DtypeError } from "../../errors.ts";
import { shapeText } from "../../shape.ts";
import { Tensor, type Composition, type Payload } from "../../tensor.ts";
import { registerTreeNode } from "../../flatten.ts";
import { at } from "../../view.ts";
import { hostValues } from "../create.ts";
import { stack } from "../join.ts";
import { laxSlice, reshape } from "../movement.ts";

function isTraced(x: Tensor): boolean {
  return x.payload.kind === "symbolic";
}

/**
 * An array of random keys, as `random.key` makes them: its dtype is `key<fry>`, its shape that of the keys, without
 * their words. It can be moved about (reshape, slice, take, stack, vmap), but has no numbers: arithmetic throws
 * DtypeError. `random.keyData` gives its words, a uint32 array with one axis more. Source: jax.Array of a key dtype.
 *
 * @example
 * const keys = random.split(random.key(0), 3);
 * keys.shape;  // [3]
 * keys.dtype;  // "key<fry>"
 */
export class KeyArray extends Tensor {
  #words: Tensor | undefined;
  #parts: readonly [Tensor, Tensor] | undefined;

  /** @internal */
  static ofWords(words: Tensor): KeyArray {
    const keys = new KeyArray(words.shape.slice(0, -1));
    keys.#words = words;
    // A transform asks for the parts when its trace is over.
    if (isTraced(words)) keys.#parts = keys.#split(words);
    return keys;
  }

  /** @internal */
  static ofParts(first: Tensor, second: Tensor): KeyArray {
    const keys = new KeyArray(first.shape);
    keys.#parts = [first, second];
    return keys;
  }

  /** @internal Made by random.key and its relatives. */
  constructor(shape: readonly number[]) {
    // A dtype of its own, as in JAX: DType lists what ops compute with.
    super({ shape, dtype: "key<fry>" as DType, weak: false }, { kind: "literal", value: Number.NaN });
  }

  static {
    // Transforms see two arrays of the keys' own shape, so that every axis means the same for both.
    registerTreeNode<KeyArray>(KeyArray, {
      flatten: (keys) => ({ keys: [0, 1], children: keys.parts(), aux: null }),
      unflatten: (_aux, [first, second]) =>
        first instanceof Tensor && second instanceof Tensor
          ? KeyArray.ofParts(first, second)
          : // What a transform puts in the place of arrays (axes, specs) is no key.
            ([first, second] as unknown as KeyArray),
    });
  }

  /** @internal The words of each key, [...shape, 2]. */
  words(): Tensor {
    if (this.#words !== undefined) return this.#words;
    const words = stack(this.parts(), { axis: -1 });
    // What a trace makes of keys from outside must not outlive it.
    if (!isTraced(words)) this.#words = words;
    return words;
  }

  /** @internal The first words and the second ones. */
  parts(): readonly [Tensor, Tensor] {
    if (this.#parts !== undefined) return this.#parts;
    const parts = this.#split(this.words());
    if (!parts.some(isTraced)) this.#parts = parts;
    return parts;
  }

  #split(words: Tensor): readonly [Tensor, Tensor] {
    const starts = this.shape.map(() => 0);
    const part = (k: number): Tensor => reshape(laxSlice(words, [...starts, k], [...this.shape, k + 1]), this.shape);
    return [part(0), part(1)];
  }

  /** @internal The words while the host knows them. */
  hostWords(): Uint32Array | undefined {
    // uint32 tensors' host values are Uint32Arrays.
    if (this.#words !== undefined) return hostValues(this.#words) as Uint32Array | undefined;
    const [first, second] = this.parts().map(hostValues);
    if (first === undefined || second === undefined) return undefined;
    return Uint32Array.from({ length: 2 * first.length }, (_, i) => (i % 2 === 0 ? first : second)[i >> 1] ?? 0);
  }

  override get nbytes(): number {
    return this.size * 8;
  }

  override get composition(): Composition {
    return { parts: this.parts(), remake: (parts) => KeyArray.ofParts(at(parts, 0), at(parts, 1)) };
  }

  override get payload(): Payload {
    throw this.#noNumbers("this function");
  }

  override data(): Promise<never> {
    return Promise.reject(this.#noNumbers("data"));
  }

  override item(): Promise<never> {
    return Promise.reject(this.#noNumbers("item"));
  }

  override toArray(): Promise<never> {
    return Promise.reject(this.#noNumbers("toArray"));
  }

  #noNumbers(name: string): DtypeError {
    return new DtypeError(
      `${name}: keys are no numbers, received ${this.dtype}${shapeText(this.shape)}; take their words with random.keyData(keys)`,
    );
  }

  override dispose(): void {
    this.#words?.dispose();
    this.#parts?.forEach((part) => part.dispose());
  }

  override toString(): string {
    const words = this.hostWords();
    const shown =
      words === undefined ? "" : ` of words [${[...words.slice(0, 8)].join(", ")}${words.length > 8 ? ", …" : ""}]`;
    return `KeyArray ${this.dtype}${shapeText(this.shape)}${shown}`;
  }
}
