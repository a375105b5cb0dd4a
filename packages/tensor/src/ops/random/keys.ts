import { isInteger } from "../../dtype.ts";
import { op_threefry_halves, op_threefry_word0, op_threefry_word1 } from "@jnx/kernels-wgsl";
import { config } from "../../config.ts";
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
import { noteUse } from "./reuse.ts";

/**
 * The key of a whole-number seed; of a boolean, the key of 0 or 1. An integer array of one element works inside traces too.
 * Source: jax.random.key.
 *
 * @throws TypeError for a seed that is no whole number, RangeError outside [−2⁶³, 2⁶³).
 * @example await random.key(42).toArray(); // [0, 42]
 */
export function key(seed: number | bigint | boolean | Tensor): Tensor {
  if (typeof seed !== "object") return fromHost(seedToKey(seed), [2], "uint32");
  const tensor = asTensor(seed);
  if (!isInteger(tensor.dtype))
    throw new DtypeError(`random.key: the seed must be an integer, received ${tensor.dtype}; convert it with astype()`);
  if (tensor.ndim !== 0)
    throw new ShapeError(`random.key: the seed must be a scalar, received shape ${shapeText(tensor.shape)}`);
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
 * The key of a seed as raw words; the same as {@link key} here. Source: jax.random.PRNGKey.
 * @example await random.PRNGKey(42).toArray(); // [0, 42]
 */
export function PRNGKey(seed: number | bigint | boolean | Tensor): Tensor {
  return key(seed);
}

/**
 * The two words of a key: the key itself. Source: jax.random.key_data.
 *
 * @throws ArgumentError for what is no uint32 array whose last axis is 2.
 * @example await random.keyData(random.key(42)).toArray(); // [0, 42]
 */
export function keyData(k: TensorLike): Tensor {
  return checkedKeys("keyData", k);
}

/**
 * A key from its two words. Source: jax.random.wrap_key_data.
 *
 * @throws ArgumentError for what is no uint32 array whose last axis is 2.
 * @example await random.wrapKeyData(array(Uint32Array.of(0, 42))).toArray(); // [0, 42]
 */
export function wrapKeyData(words: TensorLike): Tensor {
  return checkedKeys("wrapKeyData", words);
}

/**
 * The same key: says that it is used again on purpose, so that the debug switch for reuse stays silent.
 * Source: jax.random.clone.
 * @example await random.clone(random.key(42)).toArray(); // [0, 42]
 */
export function clone(k: TensorLike): Tensor {
  const words = checkedKeys("clone", k);
  return reshape(reshape(words, [...words.shape, 1]), words.shape);
}

/** The words of one key or of an array of keys. */
function checkedKeys(name: string, k: TensorLike): Tensor {
  const tensor = asTensor(k);
  if (tensor.dtype !== "uint32" || tensor.shape.at(-1) !== 2)
    throw new ArgumentError(
      `random.${name}: a key is a uint32 array whose last axis is 2, received ${tensor.dtype}${shapeText(tensor.shape)}; make one with random.key(seed)`,
    );
  return tensor;
}

/** The words of one key, which is used up by this. */
export function checkedKey(name: string, k: TensorLike): Tensor {
  const tensor = checkedKeys(name, k);
  if (tensor.ndim !== 1)
    throw new ArgumentError(
      `random.${name}: takes one key, received keys of shape ${shapeText(tensor.shape.slice(0, -1))}; use one of them, or vmap`,
    );
  noteUse(name, tensor);
  return tensor;
}

/** The words of a key while the host knows them. */
export function hostKey(k: Tensor): Uint32Array | undefined {
  return hostValues(k) as Uint32Array | undefined; // a uint32 tensor's host values are a Uint32Array
}

/** Both words of a key as scalars repeated to `shape`: views, no copies. */
export function keyWords(k: Tensor, shape: Shape): [Tensor, Tensor] {
  const word = (i: number): Tensor => broadcastTo(reshape(laxSlice(k, [i], [i + 1]), []), shape);
  return [word(0), word(1)];
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
 * New keys from a key, as an array of shape [...shape, 2]; two unless told. Key i depends on i alone (not so in the
 * older mode, see config). Source: jax.random.split.
 *
 * @throws ArgumentError when k is not one key, ShapeError for a negative number of keys.
 * @example
 * await random.split(random.key(0)).toArray(); // [[1797259609, 2579123966], [928981903, 3453687069]]
 */
export function split(k: TensorLike, num: number | Shape = 2): Tensor {
  const source = checkedKey("split", k);
  const shape = checkShape("random.split", typeof num === "number" ? [num] : num);
  return splitWords(source, shape);
}

/** `split` for samplers: what they do with their own key is no second use. */
export function splitWords(source: Tensor, shape: Shape): Tensor {
  const words = hostKey(source);
  const count = sizeOf(shape);
  const full = [...shape, 2];
  const partitionable = config.read("jax_threefry_partitionable");
  if (words !== undefined)
    return fromHost(partitionable ? hostSplit(words, count) : hostThreefry(words, 2 * count), full, "uint32");
  return bind(wordsOp, keyWords(source, full), { shape: full, count: 2 * count, partitionable });
}

/** `num` keys of one, each by itself. */
export function splitKeys(source: Tensor, num = 2): readonly Tensor[] {
  const keys = splitWords(source, [num]);
  return Array.from({ length: num }, (_, i) => reshape(laxSlice(keys, [i, 0], [i + 1, 2]), [2]));
}

/** Two keys of one. */
export function splitPair(source: Tensor): readonly [Tensor, Tensor] {
  const keys = splitKeys(source);
  return [at(keys, 0), at(keys, 1)];
}

/**
 * The key that a key and a number make together. The number may be data: a step count, a loop index.
 * Source: jax.random.fold_in.
 *
 * @throws RangeError for a JavaScript number that is not whole or not in [0, 2³²).
 * @example
 * await random.foldIn(random.key(0), 1).toArray(); // [928981903, 3453687069]
 */
export function foldIn(k: TensorLike, data: TensorLike): Tensor {
  const source = checkedKey("foldIn", k);
  const words = hostKey(source);
  if (typeof data === "number") {
    const fixed = words ?? Uint32Array.of(0, 0);
    const folded = hostFoldIn(fixed, data);
    if (words !== undefined) return fromHost(folded, [2], "uint32");
  }
  const count = convert(typeof data === "number" ? literal(data, [], "uint32") : asTensor(data), "uint32");
  if (count.ndim !== 0)
    throw new ShapeError(`random.foldIn: the data must be a scalar, received shape ${shapeText(count.shape)}`);
  const known = hostValues(count)?.[0];
  if (words !== undefined && known !== undefined) return fromHost(hostFoldIn(words, known), [2], "uint32");
  const attrs = { shape: [2], count: 2, partitionable: true };
  return bind(wordsOp, [...keyWords(source, [2]), broadcastTo(count, [2])], attrs);
}
