import { isInteger } from "../../dtype.ts";
import { op_threefry_halves, op_threefry_word0, op_threefry_word1 } from "@jnx/kernels-wgsl";
import { setting } from "../../config.ts";
import { bind } from "../../dispatch.ts";
import { ArgumentError, DtypeError, ShapeError } from "../../errors.ts";
import type { MapOp } from "../../op.ts";
import { checkShape, shapeText, sizeOf, type Shape } from "../../shape.ts";
import type { Tensor } from "../../tensor.ts";
import { at } from "../../view.ts";
import { batchSize, spreadBatch } from "../batching.ts";
import { convert } from "../convert.ts";
import { asTensor, fromHost, hostValues, literal, type TensorLike } from "../create.ts";
import { broadcastTo, laxSlice, reshape } from "../movement.ts";
import { hostFoldIn, hostSplit, hostThreefry, seedToKey } from "../threefry.ts";
import { KeyArray } from "./key-array.ts";
import { noteUse } from "./reuse.ts";
import { checkOptions } from "../../options.ts";

const KEY_OPTIONS = { impl: true, dtype: true } as const;

/** What a key can be made of. */
type KeySeed = number | bigint | boolean | Tensor;

/** The one algorithm there is, by its names in JAX. */
export type KeyImpl = "threefry2x32" | "fry";

/** The dtype of its keys. */
export type KeyDType = "key<fry>";

export interface KeyOptions {
  readonly impl?: KeyImpl;
  /** The same said by the keys' dtype; not both. */
  readonly dtype?: KeyDType;
}

const IMPLEMENTATIONS: readonly string[] = ["threefry2x32", "fry"];

/** The dtype that options ask for. */
function keyDtypeOf(name: string, options: KeyOptions): KeyDType {
  checkOptions(`random.${name}`, options, KEY_OPTIONS);
  const { impl, dtype } = options;
  if (impl !== undefined && dtype !== undefined)
    throw new ArgumentError(`random.${name}: cannot take both impl and dtype, received ${impl} and ${dtype}; give one`);
  if (impl !== undefined && !IMPLEMENTATIONS.includes(impl))
    throw new ArgumentError(`random.${name}: no generator ${JSON.stringify(impl)}; there is "threefry2x32"`);
  if (dtype !== undefined && dtype !== "key<fry>")
    throw new ArgumentError(`random.${name}: no keys of dtype ${JSON.stringify(dtype)}; there are those of "key<fry>"`);
  return "key<fry>";
}

/**
 * The dtype of a generator's keys. Source: jax.random.key_dtype.
 *
 * @throws ArgumentError for another generator than threefry2x32.
 * @example random.keyDtype(); // "key<fry>"
 */
export function keyDtype(impl: KeyImpl = "threefry2x32"): KeyDType {
  return keyDtypeOf("keyDtype", { impl });
}

/**
 * The key of a whole-number seed; of a boolean, the key of 0 or 1. An integer scalar array works inside traces too. The
 * result's shape is [], its dtype `key<fry>`. Source: jax.random.key.
 *
 * @throws TypeError for a seed that is no whole number, RangeError outside [−2⁶³, 2⁶³), ArgumentError for another `impl`
 * than threefry2x32 or for both `impl` and `dtype`.
 * @example
 * const key = random.key(42);
 * key.dtype;                               // "key<fry>"
 * await random.keyData(key).toArray();     // [0, 42]
 */
export function key(seed: KeySeed, options: KeyOptions = {}): KeyArray {
  keyDtypeOf("key", options);
  return KeyArray.ofWords(seedWords("key", seed));
}

function seedWords(name: string, seed: KeySeed): Tensor {
  if (typeof seed !== "object") return fromHost(seedToKey(seed), [2], "uint32");
  const tensor = asTensor(seed, `random.${name}`);
  if (!isInteger(tensor.dtype))
    throw new DtypeError(
      `random.${name}: the seed must be an integer, received ${tensor.dtype}; ${tensor instanceof KeyArray ? "a key is no seed: split it, or fold numbers in" : "convert it with astype()"}`,
    );
  if (tensor.ndim !== 0)
    throw new ShapeError(`random.${name}: the seed must be a scalar, received shape ${shapeText(tensor.shape)}`);
  return bind(seedOp, [broadcastTo(convert(tensor, "uint32"), [2])], { shape: [2] });
}

/** [0, seed]: both operands' elements are the seed. */
const seedOp: MapOp<KeyAttrs> = {
  kind: "map",
  name: "threefry_seed",
  indexed: true,
  infer: (_inputs, { shape }) => ({ shape, dtype: "uint32", weak: false }),
  wgsl: ([seed = ""], context) => `(${seed} * (${context.index()} % U(2u)))`,
  vjp: "nondifferentiable",
  batch: (inputs, batched, { shape }) => bind(seedOp, inputs, { shape: [batchSize(inputs, batched), ...shape] }),
};

/**
 * The key of a seed as its raw words, uint32[2], which every sampler takes too. Source: jax.random.PRNGKey.
 *
 * @throws TypeError for a seed that is no whole number, RangeError outside [−2⁶³, 2⁶³), ArgumentError for another `impl`
 * than threefry2x32.
 * @example await random.PRNGKey(42).toArray(); // [0, 42]
 */
export function PRNGKey(seed: KeySeed, options: Pick<KeyOptions, "impl"> = {}): Tensor {
  keyDtypeOf("PRNGKey", options);
  return seedWords("PRNGKey", seed);
}

/**
 * The words of keys, uint32 with an axis of 2 behind the keys' own. Source: jax.random.key_data.
 *
 * @throws ArgumentError for what is neither an array of keys nor a uint32 array whose last axis is 2.
 * @example await random.keyData(random.key(42)).toArray(); // [0, 42]
 */
export function keyData(k: TensorLike): Tensor {
  return checkedKeys("keyData", k).words();
}

/**
 * Keys from their words: the last axis, of 2, becomes the key. Keys stay as they are. Source: jax.random.wrap_key_data.
 *
 * @throws ArgumentError for what is no uint32 array whose last axis is 2, and for other options than key takes.
 * @example random.wrapKeyData(array(Uint32Array.of(0, 42))).shape; // []
 */
export function wrapKeyData(words: TensorLike, options: KeyOptions = {}): KeyArray {
  keyDtypeOf("wrapKeyData", options);
  return checkedKeys("wrapKeyData", words);
}

/**
 * The name of the generator that keys belong to. Source: jax.random.key_impl.
 *
 * @throws ArgumentError for what are no keys.
 * @example random.keyImpl(random.key(42)); // "threefry2x32"
 */
export function keyImpl(k: TensorLike): string {
  checkedKeys("keyImpl", k);
  return "threefry2x32";
}

/**
 * The same key: says that it is used again on purpose, so that the debug switch for reuse stays silent.
 * Source: jax.random.clone.
 * @example random.clone(random.key(42)).shape; // []
 */
export function clone(k: KeyArray): KeyArray;
export function clone(k: TensorLike): Tensor;
export function clone(k: TensorLike): Tensor {
  const keys = checkedKeys("clone", k);
  const words = keys.words();
  return sameKind(k, KeyArray.ofWords(reshape(reshape(words, [...words.shape, 1]), words.shape)));
}

/** One key or an array of keys, by themselves or by their words. */
function checkedKeys(name: string, k: TensorLike): KeyArray {
  const tensor = asTensor(k, `random.${name}`);
  if (tensor instanceof KeyArray) return tensor;
  if (tensor.dtype !== "uint32" || tensor.shape.at(-1) !== 2)
    throw new ArgumentError(
      `random.${name}: a key is what random.key(seed) makes, or a uint32 array whose last axis is 2, received ${tensor.dtype}${shapeText(tensor.shape)}`,
    );
  return KeyArray.ofWords(tensor);
}

/** One key, which is used up by this. */
export function checkedKey(name: string, k: TensorLike): KeyArray {
  const keys = checkedKeys(name, k);
  if (keys.ndim !== 0)
    throw new ArgumentError(
      `random.${name}: takes one key, received keys of shape ${shapeText(keys.shape)}; use one of them, or vmap`,
    );
  noteUse(name, asTensor(k, name));
  return keys;
}

/** Keys as they were given: by themselves, or by their words. */
function sameKind(given: TensorLike, keys: KeyArray): Tensor {
  return given instanceof KeyArray ? keys : keys.words();
}

/** Both words of a key as scalars repeated to `shape`: views, no copies. */
export function keyWords(k: KeyArray, shape: Shape): [Tensor, Tensor] {
  const [first, second] = k.parts();
  return [broadcastTo(first, shape), broadcastTo(second, shape)];
}

interface KeyAttrs {
  readonly shape: Shape;
}

interface WordsAttrs extends KeyAttrs {
  /** Words that belong to one key: their counts start at 0 for each. */
  readonly count: number;
  readonly partitionable: boolean;
}

/**
 * New keys, word by word: word i % 2 of block(key, 0, i / 2); in the older mode output i of hashing all counts. A third
 * operand is the counter instead.
 */
const wordsOp: MapOp<WordsAttrs> = {
  kind: "map",
  name: "threefry_words",
  indexed: true,
  expensive: true,
  infer: (_inputs, { shape }) => ({ shape, dtype: "uint32", weak: false }),
  wgsl: ([k0 = "", k1 = "", data], context, { count, shape, partitionable }) => {
    const size = context.constant(count, "uint32");
    const index = sizeOf(shape) === count ? context.index() : `(${context.index()} % ${size})`;
    if (data === undefined && !partitionable)
      return `${context.use(op_threefry_halves)}(${k0}, ${k1}, ${index}, ${size})`;
    const counter = data ?? `(${index} / U(2u))`;
    const words = [op_threefry_word0, op_threefry_word1].map(
      (fn) => `${context.use(fn)}(${k0}, ${k1}, U(0u), ${counter})`,
    );
    return `select(${at(words, 0)}, ${at(words, 1)}, ${index} % U(2u) == U(1u))`;
  },
  vjp: "nondifferentiable",
  batch: (inputs, batched, attrs) =>
    bind(wordsOp, spreadBatch(inputs, batched), { ...attrs, shape: [batchSize(inputs, batched), ...attrs.shape] }),
};

/**
 * New keys from a key, as an array of that many, or of that shape; two unless told. Of a raw key raw ones, [...shape, 2].
 * Key i depends on i alone (not so in the older mode, see config). Source: jax.random.split.
 *
 * @throws ArgumentError when k is not one key, ShapeError for a negative number of keys.
 * @example
 * const keys = random.split(random.key(0));
 * await random.keyData(keys).toArray(); // [[1797259609, 2579123966], [928981903, 3453687069]]
 */
export function split(k: KeyArray, num?: number | Shape): KeyArray;
export function split(k: TensorLike, num?: number | Shape): Tensor;
export function split(k: TensorLike, num: number | Shape = 2): Tensor {
  const source = checkedKey("split", k);
  const shape = checkShape("random.split", typeof num === "number" ? [num] : num);
  return sameKind(k, KeyArray.ofWords(splitWords(source, shape)));
}

/** `split` for samplers: what they do with their own key is no second use. */
export function splitWords(source: KeyArray, shape: Shape): Tensor {
  const words = source.hostWords();
  const count = sizeOf(shape);
  const full = [...shape, 2];
  const partitionable = setting("jax_threefry_partitionable");
  if (words !== undefined)
    return fromHost(partitionable ? hostSplit(words, count) : hostThreefry(words, 2 * count), full, "uint32");
  return bind(wordsOp, keyWords(source, full), { shape: full, count: 2 * count, partitionable });
}

/** `num` keys of one, each by itself. */
export function splitKeys(source: KeyArray, num = 2): readonly KeyArray[] {
  const keys = splitWords(source, [num]);
  return Array.from({ length: num }, (_, i) => KeyArray.ofWords(reshape(laxSlice(keys, [i, 0], [i + 1, 2]), [2])));
}

/** Two keys of one. */
export function splitPair(source: KeyArray): readonly [KeyArray, KeyArray] {
  const keys = splitKeys(source);
  return [at(keys, 0), at(keys, 1)];
}

/**
 * The key that a key and a number make together; of a raw key a raw one. The number may be data: a step count, a loop
 * index. Source: jax.random.fold_in.
 *
 * @throws RangeError for a JavaScript number that is not whole or not in [0, 2³²).
 * @example
 * await random.keyData(random.foldIn(random.key(0), 1)).toArray(); // [928981903, 3453687069]
 */
export function foldIn(k: KeyArray, data: TensorLike): KeyArray;
export function foldIn(k: TensorLike, data: TensorLike): Tensor;
export function foldIn(k: TensorLike, data: TensorLike): Tensor {
  return sameKind(k, KeyArray.ofWords(foldedWords(checkedKey("foldIn", k), data)));
}

function foldedWords(source: KeyArray, data: TensorLike): Tensor {
  const words = source.hostWords();
  if (typeof data === "number") {
    const fixed = words ?? Uint32Array.of(0, 0);
    const folded = hostFoldIn(fixed, data);
    if (words !== undefined) return fromHost(folded, [2], "uint32");
  }
  const count = convert(
    typeof data === "number" ? literal(data, [], "uint32") : asTensor(data, "random.foldIn"),
    "uint32",
  );
  if (count.ndim !== 0)
    throw new ShapeError(`random.foldIn: the data must be a scalar, received shape ${shapeText(count.shape)}`);
  const known = hostValues(count)?.[0];
  if (words !== undefined && known !== undefined) return fromHost(hostFoldIn(words, known), [2], "uint32");
  const attrs = { shape: [2], count: 2, partitionable: true };
  return bind(wordsOp, [...keyWords(source, [2]), broadcastTo(count, [2])], attrs);
}
