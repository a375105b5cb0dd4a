import {
  op_clamp_f,
  op_erf,
  op_erf_inv,
  op_nextafter,
  op_symmetric_from_bits,
  op_threefry_word0,
  op_threefry_word1,
  op_uniform_from_bits,
  op_unit_from_bits,
} from "@jnx/kernels-wgsl";
import { bind } from "../dispatch.ts";
import { isFloat } from "../dtype.ts";
import { ArgumentError, DtypeError, ShapeError } from "../errors.ts";
import type { MapOp } from "../op.ts";
import { checkShape, shapeText, type Shape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { at } from "../view.ts";
import { composite } from "./composite.ts";
import { convert } from "./convert.ts";
import { array, asTensor, broadcastedIota, fromHost, hostValues, literal, type TensorLike } from "./create.ts";
import { add, div, less, lessEqual, mul, rem, sub, where } from "./elementwise.ts";
import { call, counter, drawBatch, drawing, type ShapeAttrs } from "./drawing.ts";
import { take } from "./indexing.ts";
import { broadcastTo, laxSlice, reshape } from "./movement.ts";
import { sortPairs } from "./sort.ts";
import { hostFoldIn, hostPermutation, hostSplit, seedToKey } from "./threefry.ts";

/**
 * JAX's random numbers: Threefry-2x32 in its default (partitionable) mode. The same key gives the same bits as in JAX,
 * on every device. A key is a uint32 array whose last axis has the two key words; functions never use one up, so split
 * it, or fold numbers in, and use each key once.
 */

/**
 * The key of a whole-number seed. Source: jax.random.key.
 *
 * @throws TypeError for a seed that is no whole number, RangeError outside [−2⁶³, 2⁶³).
 * @example await random.key(42).toArray(); // [0, 42]
 */
export function key(seed: number | bigint): Tensor {
  return fromHost(seedToKey(seed), [2], "uint32");
}

/**
 * The key of a seed as raw words; the same as {@link key} here. Source: jax.random.PRNGKey.
 * @example await random.PRNGKey(42).toArray(); // [0, 42]
 */
export function PRNGKey(seed: number | bigint): Tensor {
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

function checkedKeys(name: string, k: TensorLike): Tensor {
  const tensor = asTensor(k);
  if (tensor.dtype !== "uint32" || tensor.shape.at(-1) !== 2)
    throw new ArgumentError(
      `random.${name}: a key is a uint32 array whose last axis is 2, received ${tensor.dtype}${shapeText(tensor.shape)}; make one with random.key(seed)`,
    );
  return tensor;
}

function checkedKey(name: string, k: TensorLike): Tensor {
  const tensor = checkedKeys(name, k);
  if (tensor.ndim !== 1)
    throw new ArgumentError(
      `random.${name}: takes one key, received keys of shape ${shapeText(tensor.shape.slice(0, -1))}; use one of them`,
    );
  return tensor;
}

/** The words of a key while the host knows them. */
function hostKey(k: Tensor): Uint32Array | undefined {
  return hostValues(k) as Uint32Array | undefined; // a uint32 tensor's host values are a Uint32Array
}

/** Both words of a key as scalars repeated to `shape`: views, no copies. */
function keyWords(k: Tensor, shape: Shape): [Tensor, Tensor] {
  const word = (i: number): Tensor => broadcastTo(reshape(laxSlice(k, [i], [i + 1]), []), shape);
  return [word(0), word(1)];
}

const bitsOp = /* @__PURE__ */ drawing("random_bits", "uint32", (bits) => bits);
const unitOp = /* @__PURE__ */ drawing("random_unit", "float32", (bits, _rest, context) =>
  call(context, op_unit_from_bits, bits),
);
const uniformOp = /* @__PURE__ */ drawing("random_uniform", "float32", (bits, [low = "", high = ""], context) =>
  call(context, op_uniform_from_bits, bits, low, high),
);

/** √2 rounded to float32, as JAX multiplies with. */
const SQRT2 = Math.fround(Math.SQRT2);

const normalOp = /* @__PURE__ */ drawing("random_normal", "float32", (bits, _rest, context) => {
  const u = call(context, op_symmetric_from_bits, bits);
  return `(${context.constant(SQRT2, "float32")} * ${call(context, op_erf_inv, u)})`;
});

/** Operands: lower and upper, and both divided by √2. */
const truncatedOp = /* @__PURE__ */ drawing(
  "random_truncated_normal",
  "float32",
  (bits, [lower = "", upper = "", a = "", b = ""], context) => {
    const u = call(context, op_uniform_from_bits, bits, call(context, op_erf, a), call(context, op_erf, b));
    const x = `${context.constant(SQRT2, "float32")} * ${call(context, op_erf_inv, u)}`;
    const inside = (bound: string, towards: number): string =>
      call(context, op_nextafter, bound, context.constant(towards, "float32"));
    return call(
      context,
      op_clamp_f,
      inside(lower, Number.POSITIVE_INFINITY),
      x,
      inside(upper, Number.NEGATIVE_INFINITY),
    );
  },
);

/** Word `index % 2` of block(key, 0, counter), with the counter from an operand or from the element's place. */
const wordsOp: MapOp<ShapeAttrs> = {
  kind: "map",
  name: "threefry_words",
  indexed: true,
  expensive: true,
  infer: (_inputs, { shape }) => ({ shape, dtype: "uint32", weak: false }),
  wgsl: ([k0 = "", k1 = "", data], context, attrs) => {
    const index = counter(context, attrs);
    const count = data ?? `(${index} / U(2u))`;
    const words = [op_threefry_word0, op_threefry_word1].map((fn) => call(context, fn, k0, k1, "U(0u)", count));
    return `select(${at(words, 0)}, ${at(words, 1)}, ${index} % U(2u) == U(1u))`;
  },
  vjp: "nondifferentiable",
  batch: drawBatch(() => wordsOp),
};

/**
 * New keys from a key, as an array of shape [...shape, 2]; two unless told. Key i depends on i alone.
 * Source: jax.random.split.
 *
 * @example
 * await random.split(random.key(0)).toArray(); // [[1797259609, 2579123966], [928981903, 3453687069]]
 */
export function split(k: TensorLike, num: number | Shape = 2): Tensor {
  const source = checkedKey("split", k);
  const shape = checkShape("random.split", typeof num === "number" ? [num] : num);
  const words = hostKey(source);
  const count = shape.reduce((product, extent) => product * extent, 1);
  if (words !== undefined) return fromHost(hostSplit(words, count), [...shape, 2], "uint32");
  const full = [...shape, 2];
  return bind(wordsOp, keyWords(source, full), { shape: full });
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
  return bind(wordsOp, [...keyWords(source, [2]), broadcastTo(count, [2])], { shape: [2] });
}

/**
 * Random bits, uint32. Source: jax.random.bits.
 *
 * @throws ArgumentError when k is not one key.
 * @example await random.bits(random.key(0), [2]).toArray(); // [4070199207, 4202968722]
 */
export function bits(k: TensorLike, shape: Shape = []): Tensor {
  const checked = checkShape("random.bits", shape);
  return bind(bitsOp, keyWords(checkedKey("bits", k), checked), { shape: checked });
}

export interface UniformOptions {
  readonly minval?: TensorLike;
  readonly maxval?: TensorLike;
}

/**
 * float32 uniform on [minval, maxval), [0, 1) unless told: the upper 23 bits of each draw as a fraction.
 * Bounds broadcast against the shape. Source: jax.random.uniform.
 *
 * @throws ArgumentError when k is not one key.
 * @example
 * await random.uniform(random.key(0), [2], { minval: -1 }).toArray(); // [0.89533, 0.95716]
 */
export function uniform(k: TensorLike, shape: Shape = [], options: UniformOptions = {}): Tensor {
  const source = checkedKey("uniform", k);
  const checked = checkShape("random.uniform", shape);
  const { minval = 0, maxval = 1 } = options;
  if (minval === 0 && maxval === 1) return bind(unitOp, keyWords(source, checked), { shape: checked });
  const bound = (x: TensorLike): Tensor => broadcastTo(convert(asTensor(x), "float32"), checked);
  return bind(uniformOp, [...keyWords(source, checked), bound(minval), bound(maxval)], { shape: checked });
}

/**
 * float32 standard normal: √2 · erfInv(u) of a uniform u on (−1, 1). Source: jax.random.normal.
 *
 * @throws ArgumentError when k is not one key.
 * @example await random.normal(random.key(0), [2]).toArray(); // [1.6226, 2.0253]
 */
export function normal(k: TensorLike, shape: Shape = []): Tensor {
  const checked = checkShape("random.normal", shape);
  return bind(normalOp, keyWords(checkedKey("normal", k), checked), { shape: checked });
}

/**
 * float32 standard normal cut to the open interval (lower, upper). The shape is that of the bounds unless told.
 * Source: jax.random.truncated_normal.
 *
 * @throws ArgumentError when k is not one key.
 * @example
 * await random.truncatedNormal(random.key(0), -2, 2, [2]).toArray(); // [1.456, 1.7147]
 */
export function truncatedNormal(k: TensorLike, lower: TensorLike, upper: TensorLike, shape: Shape = []): Tensor {
  const source = checkedKey("truncatedNormal", k);
  const checked = checkShape("random.truncatedNormal", shape);
  const bound = (x: TensorLike): Tensor => broadcastTo(convert(asTensor(x), "float32"), checked);
  // A number is divided here, correctly rounded; a device may round its division otherwise.
  const scaled = (x: TensorLike): Tensor =>
    typeof x === "number" ? bound(Math.fround(Math.fround(x) / SQRT2)) : div(bound(x), SQRT2);
  const operands = [bound(lower), bound(upper), scaled(lower), scaled(upper)];
  return bind(truncatedOp, [...keyWords(source, checked), ...operands], { shape: checked });
}

/**
 * True with probability p: uniform < p. Source: jax.random.bernoulli.
 *
 * @throws ArgumentError when k is not one key, DtypeError when p is an array of another dtype than float32.
 * @example await random.bernoulli(random.key(0), 0.25, [4]).toArray(); // [0, 0, 0, 0]
 */
export function bernoulli(k: TensorLike, p: TensorLike = 0.5, shape?: Shape): Tensor {
  const chance = asTensor(p);
  if (!isFloat(chance.dtype) && !chance.weak)
    throw new DtypeError(`random.bernoulli: p must be float32, received ${chance.dtype}`);
  const full = shape === undefined ? chance.shape : checkShape("random.bernoulli", shape);
  return less(uniform(k, full), broadcastTo(convert(chance, "float32"), full));
}

export interface RandintOptions {
  readonly dtype?: "int32" | "uint32";
}

/**
 * Integers uniform on [minval, maxval), minval everywhere if maxval ≤ minval. The remainder of 64 random bits, with
 * JAX's own modular steps so that every draw is the same. Source: jax.random.randint.
 *
 * @throws ArgumentError when k is not one key.
 * @example
 * await random.randint(random.key(0), [4], 0, 10).toArray(); // [9, 0, 2, 3]
 */
export function randint(
  k: TensorLike,
  shape: Shape,
  minval: TensorLike,
  maxval: TensorLike,
  options: RandintOptions = {},
): Tensor {
  const checked = checkShape("random.randint", shape);
  const source = checkedKey("randint", k);
  return composite("randint", () => drawIntegers(source, checked, minval, maxval, options.dtype ?? "int32"));
}

function drawIntegers(
  source: Tensor,
  checked: Shape,
  minval: TensorLike,
  maxval: TensorLike,
  dtype: "int32" | "uint32",
): Tensor {
  const [low, high, full] = bounds(minval, maxval, dtype, checked);
  const keys = split(source);
  const [upper, lower] = [0, 1].map((i) => bits(reshape(laxSlice(keys, [i, 0], [i + 1, 2]), [2]), checked));
  if (upper === undefined || lower === undefined) throw new ShapeError("random.randint: split gave no keys");
  const empty = lessEqual(high, low);
  const span = add(where(empty, 1, sub(convert(high, "uint32"), convert(low, "uint32"))), full);
  const half = rem(literal(0x10000, checked, "uint32"), span);
  const multiplier = rem(mul(half, half), span);
  const offset = rem(add(mul(rem(upper, span), multiplier), rem(lower, span)), span);
  return add(low, convert(offset, dtype));
}

/** Both bounds in the result's dtype and shape, and 1 where maxval is one past what the dtype holds. */
function bounds(
  minval: TensorLike,
  maxval: TensorLike,
  dtype: "int32" | "uint32",
  shape: Shape,
): [Tensor, Tensor, Tensor] {
  const [least, most] = dtype === "int32" ? [-2147483648, 2147483647] : [0, 4294967295];
  const fit = (x: TensorLike): Tensor => {
    if (typeof x === "number") return literal(Math.min(most, Math.max(least, Math.trunc(x))), shape, dtype);
    return broadcastTo(convert(asTensor(x), dtype), shape);
  };
  const beyond =
    typeof maxval === "number" && maxval > most && Number(typeof minval === "number" ? minval : 0) < most ? 1 : 0;
  return [fit(minval), fit(maxval), literal(beyond, shape, "uint32")];
}

export interface PermutationOptions {
  readonly axis?: number;
}

/**
 * A random order of 0 … n−1, or of the slices of an array along an axis: repeated stable sorts by random bits, as many
 * rounds as JAX takes. While the key is known on the host the order is worked out there. Source: jax.random.permutation.
 *
 * @example
 * await random.permutation(random.key(42), 10).toArray(); // [7, 4, 2, 5, 3, 6, 8, 9, 0, 1]
 */
export function permutation(k: TensorLike, x: number | Tensor, options: PermutationOptions = {}): Tensor {
  const source = checkedKey("permutation", k);
  if (typeof x === "number") {
    if (!Number.isInteger(x) || x < 0)
      throw new ArgumentError(`random.permutation: expected a whole number ≥ 0 or an array, received ${x}`);
    return order(source, x);
  }
  if (x.ndim === 0) throw new ShapeError("random.permutation: a scalar array has no order; pass a number for 0 … n−1");
  const axis = options.axis ?? 0;
  return take(x, order(source, at(x.shape, axis < 0 ? axis + x.ndim : axis)), { axis });
}

function order(source: Tensor, n: number): Tensor {
  const words = hostKey(source);
  if (words !== undefined) return array(hostPermutation(words, n));
  return composite("permutation", () => sortedOrder(source, n));
}

function sortedOrder(source: Tensor, n: number): Tensor {
  const rounds = Math.ceil((3 * Math.log(Math.max(1, n))) / Math.log(2 ** 32 - 1));
  let current = source;
  let values = broadcastedIota("uint32", [n], 0);
  for (let round = 0; round < rounds; round++) {
    const keys = split(current);
    current = reshape(laxSlice(keys, [0, 0], [1, 2]), [2]);
    values = take(values, sortPairs(bits(reshape(laxSlice(keys, [1, 0], [2, 2]), [2]), [n])));
  }
  return convert(values, "int32");
}
