/**
 * Threefry-2x32 on the host, as JAX runs it (partitionable, 64-bit types off): for keys, which are needed before any
 * device work, and as the oracle of the kernels in kernels-wgsl/random. A key is two u32 words. Nothing here knows tensors.
 *
 * Sources: jax/_src/random/threefry2x32.py, prng.py, core.py; shared with the tests are JAX's known answers.
 */

const PARITY = 0x1bd11bda;

/** The two output words of the block cipher: 20 rounds of key (k0, k1) on counter (x0, x1). All are u32. */
export function threefry2x32(k0: number, k1: number, x0: number, x1: number): [number, number] {
  const out = new Uint32Array(2);
  blockInto(out, 0, k0, k1, x0, x1);
  return [at(out, 0), at(out, 1)];
}

/** Written out, since permutations of data sets run it for every element. A group's keys join its first addition. */
function blockInto(out: Uint32Array, index: number, k0: number, k1: number, x0: number, x1: number): void {
  const k2 = k0 ^ k1 ^ PARITY;
  let b = (x1 + k1) | 0;
  let a = (x0 + k0 + b) | 0;
  b = ((b << 13) | (b >>> 19)) ^ a;
  a = (a + b) | 0;
  b = ((b << 15) | (b >>> 17)) ^ a;
  a = (a + b) | 0;
  b = ((b << 26) | (b >>> 6)) ^ a;
  a = (a + b) | 0;
  b = ((b << 6) | (b >>> 26)) ^ a;
  b = (b + k2 + 1) | 0;
  a = (a + k1 + b) | 0;
  b = ((b << 17) | (b >>> 15)) ^ a;
  a = (a + b) | 0;
  b = ((b << 29) | (b >>> 3)) ^ a;
  a = (a + b) | 0;
  b = ((b << 16) | (b >>> 16)) ^ a;
  a = (a + b) | 0;
  b = ((b << 24) | (b >>> 8)) ^ a;
  b = (b + k0 + 2) | 0;
  a = (a + k2 + b) | 0;
  b = ((b << 13) | (b >>> 19)) ^ a;
  a = (a + b) | 0;
  b = ((b << 15) | (b >>> 17)) ^ a;
  a = (a + b) | 0;
  b = ((b << 26) | (b >>> 6)) ^ a;
  a = (a + b) | 0;
  b = ((b << 6) | (b >>> 26)) ^ a;
  b = (b + k1 + 3) | 0;
  a = (a + k0 + b) | 0;
  b = ((b << 17) | (b >>> 15)) ^ a;
  a = (a + b) | 0;
  b = ((b << 29) | (b >>> 3)) ^ a;
  a = (a + b) | 0;
  b = ((b << 16) | (b >>> 16)) ^ a;
  a = (a + b) | 0;
  b = ((b << 24) | (b >>> 8)) ^ a;
  b = (b + k2 + 4) | 0;
  a = (a + k1 + b) | 0;
  b = ((b << 13) | (b >>> 19)) ^ a;
  a = (a + b) | 0;
  b = ((b << 15) | (b >>> 17)) ^ a;
  a = (a + b) | 0;
  b = ((b << 26) | (b >>> 6)) ^ a;
  a = (a + b) | 0;
  b = ((b << 6) | (b >>> 26)) ^ a;
  out[index] = a + k2;
  out[index + 1] = b + k0 + 5;
}

/**
 * The key of an integer seed, `[0, seed mod 2^32]`: JAX with 64-bit types off wraps seeds to 32 bits, and −1 gives
 * `[0, 4294967295]`.
 *
 * @throws TypeError for a seed that is no whole number, RangeError outside [-2^63, 2^63).
 */
export function seedToKey(seed: number | bigint | boolean): Uint32Array {
  if (typeof seed === "number" && !Number.isInteger(seed)) {
    throw new TypeError(`key: the seed is ${seed}; give a whole number`);
  }
  const value = BigInt(seed);
  if (BigInt.asIntN(64, value) !== value) {
    throw new RangeError(`key: the seed ${value} does not fit in 64 bits; give one in [-2^63, 2^63)`);
  }
  return Uint32Array.of(0, Number(BigInt.asUintN(32, value)));
}

/** `num` new keys, as 2 num words: key i is words 2i and 2i + 1. It equals `hostFoldIn(key, i)`. */
export function hostSplit(key: Uint32Array, num = 2): Uint32Array {
  const [k0, k1] = words(key, "split");
  const out = new Uint32Array(2 * length(num, "split"));
  for (let i = 0; i < num; i++) blockInto(out, 2 * i, k0, k1, 0, i);
  return out;
}

/** The hash of the counts 0 … n − 1: what split and bits were made of before JAX's threefry was partitionable. */
export function hostThreefry(key: Uint32Array, n: number): Uint32Array {
  const [k0, k1] = words(key, "threefry");
  const half = Math.ceil(n / 2);
  const out = new Uint32Array(n);
  const pair = new Uint32Array(2);
  for (let i = 0; i < half; i++) {
    blockInto(pair, 0, k0, k1, i, half + i < n ? half + i : 0);
    out[i] = at(pair, 0);
    if (half + i < n) out[half + i] = at(pair, 1);
  }
  return out;
}

/**
 * The key that a key and a number make together: one block.
 *
 * @throws RangeError when data is no whole number in [0, 2^32), as JAX does for Python ints.
 */
export function hostFoldIn(key: Uint32Array, data: number): Uint32Array {
  const [k0, k1] = words(key, "foldIn");
  if (!Number.isInteger(data) || data < 0 || data > 0xffffffff) {
    throw new RangeError(`foldIn: data is ${data}; give a whole number in [0, 2^32)`);
  }
  const out = new Uint32Array(2);
  blockInto(out, 0, k0, k1, 0, data);
  return out;
}

/** Random bits of n elements, flat: the xor of both words of block (0, i), cut to the width. */
export function hostBits(key: Uint32Array, n: number): Uint32Array;
export function hostBits(key: Uint32Array, n: number, width: 8): Uint8Array;
export function hostBits(key: Uint32Array, n: number, width: 16): Uint16Array;
export function hostBits(key: Uint32Array, n: number, width: 32): Uint32Array;
export function hostBits(key: Uint32Array, n: number, width = 32): Uint8Array | Uint16Array | Uint32Array {
  const [k0, k1] = words(key, "bits");
  const size = length(n, "bits");
  const out = width === 32 ? new Uint32Array(size) : width === 16 ? new Uint16Array(size) : new Uint8Array(size);
  const pair = new Uint32Array(2);
  for (let i = 0; i < size; i++) {
    blockInto(pair, 0, k0, k1, 0, i);
    out[i] = at(pair, 0) ^ at(pair, 1);
  }
  return out;
}

/**
 * n floats in [low, high): max(low, unit (high - low) + low) with one rounding, unit a multiple of 2^-23.
 * Equal to `jax.random.uniform` bit for bit; like there, high itself can come out by rounding.
 */
export function hostUniform(key: Uint32Array, n: number, low = 0, high = 1): Float32Array {
  const lo = Math.fround(low);
  const span = Math.fround(Math.fround(high) - lo);
  const bits = hostBits(key, n);
  // The product is exact in float64; rounding the sum there first could only matter with odds of 2^-29.
  return Float32Array.from(bits, (u) => Math.max(lo, (u >>> 9) * 2 ** -23 * span + lo));
}

/** n integers in [low, high) as int32, `jax.random.randint`; low everywhere when high <= low. Both are int32, high may be 2^31. */
export function hostRandint(key: Uint32Array, n: number, low: number, high: number): Int32Array {
  for (const bound of [low, high]) {
    if (!Number.isInteger(bound) || bound < -(2 ** 31) || bound > 2 ** 31) {
      throw new RangeError(`randint: a bound is ${bound}; give whole numbers in [-2^31, 2^31]`);
    }
  }
  const keys = hostSplit(key, 2);
  const upper = hostBits(keys.subarray(0, 2), n);
  const lower = hostBits(keys.subarray(2, 4), n);
  const span = high > low ? (high - low) >>> 0 : 1;
  const half = remainder(0x10000, span);
  const multiplier = remainder(Math.imul(half, half) >>> 0, span);
  const out = new Int32Array(n);
  for (let i = 0; i < n; i++) {
    const high32 = Math.imul(remainder(at(upper, i), span), multiplier);
    out[i] = low + remainder((high32 + remainder(at(lower, i), span)) >>> 0, span);
  }
  return out;
}

/** XLA's unsigned remainder: by 0 it is the dividend. */
function remainder(x: number, y: number): number {
  return y === 0 ? x : x % y;
}

/**
 * A random order of 0 … n - 1, `jax.random.permutation(key, n)`: ceil(3 ln n / ln(2^32 - 1)) rounds, each a stable
 * sort by fresh random bits.
 */
export function hostPermutation(key: Uint32Array, n: number): Int32Array {
  let order = new Int32Array(length(n, "permutation")).map((_, i) => i);
  const rounds = Math.ceil((3 * Math.log(Math.max(1, n))) / Math.log(2 ** 32 - 1));
  let current = key;
  for (let round = 0; round < rounds; round++) {
    const keys = hostSplit(current, 2);
    current = keys.subarray(0, 2);
    order = stableSort(order, hostBits(keys.subarray(2, 4), n));
  }
  return order;
}

/** Values in ascending order of their keys: a radix sort over both halves of the key, which keeps equal keys in order. */
function stableSort(values: Int32Array<ArrayBuffer>, keys: Uint32Array): Int32Array<ArrayBuffer> {
  let from = Uint32Array.from(values, (_, i) => i);
  for (const shift of [0, 16]) {
    const start = new Uint32Array(0x10001);
    for (const key of keys) start[((key >>> shift) & 0xffff) + 1] = at(start, ((key >>> shift) & 0xffff) + 1) + 1;
    for (let digit = 0; digit < 0x10000; digit++) start[digit + 1] = at(start, digit + 1) + at(start, digit);
    const to = new Uint32Array(from.length);
    for (const index of from) {
      const digit = (at(keys, index) >>> shift) & 0xffff;
      const place = at(start, digit);
      to[place] = index;
      start[digit] = place + 1;
    }
    from = to;
  }
  return Int32Array.from(from, (index) => at(values, index));
}

function at(array: Uint32Array | Int32Array, index: number): number {
  return array[index] ?? 0;
}

function words(key: Uint32Array, op: string): [number, number] {
  if (key.length !== 2) throw new TypeError(`${op}: a key has 2 words, this one ${key.length}`);
  return [at(key, 0), at(key, 1)];
}

function length(n: number, op: string): number {
  if (!Number.isInteger(n) || n < 0)
    throw new RangeError(`${op}: the number of elements is ${n}; give a whole number >= 0`);
  return n;
}
