import { DtypeError, ShapeError, ArgumentError } from "../../errors.ts";
import { checkOptions } from "../../options.ts";
import { keptStorages } from "../../reach.ts";
import { checkShape, shapeText, sizeOf, type Shape } from "../../shape.ts";
import { inArena } from "../../storage.ts";
import type { Tensor } from "../../tensor.ts";
import { convert } from "../convert.ts";
import { asTensor, broadcastedIota, full, type TensorLike } from "../create.ts";
import { add, bitwiseOr, bitwiseXor, less, mul, leftShift, shiftRightLogical } from "../elementwise.ts";
import { stack } from "../join.ts";
import { mulhi } from "../lax-more.ts";
import { laxSlice, moveaxis, reshape } from "../movement.ts";

const OPTIONS = { dtype: true, algorithm: true } as const;
const DTYPES = ["uint8", "uint16", "uint32"] as const;
const ALGORITHMS = ["RNG_DEFAULT", "RNG_PHILOX", "RNG_THREE_FRY"] as const;

export interface BitGeneratorOptions {
  /** Of the bits: those of fewer than 32 are the lowest of a word. Default "uint32". */
  readonly dtype?: (typeof DTYPES)[number];
  /** The default is Philox, as XLA has it on CPU and GPU. */
  readonly algorithm?: (typeof ALGORITHMS)[number];
}

type Words = readonly Tensor[];

/**
 * `[newKey, bits]`: random bits of XLA's generator, Philox-4x32 or Threefry-2x32, of a key of four uint32, which are a key
 * and a counter of two words each, the lower first; the new key's counter goes on behind what was drawn. For the numbers
 * that JAX gives to keys of its "rbg" kind; use `jax.random` for all else. Under vmap each example draws from its own key.
 *
 * @throws DtypeError unless the key is uint32 and the dtype one of uint8, uint16 and uint32, ShapeError unless the key has
 * four words, ArgumentError for another algorithm.
 * Source: lax.rng_bit_generator.
 * @example
 * const [key, bits] = rngBitGenerator(array([1, 2, 3, 4], { dtype: "uint32" }), [2]);
 * await bits.toArray(); // [512747620, 1298009047]
 * await key.toArray(); // [1, 2, 4, 4]
 */
export function rngBitGenerator(k: TensorLike, shape: Shape, options: BitGeneratorOptions = {}): [Tensor, Tensor] {
  checkOptions("rngBitGenerator", options, OPTIONS);
  const { dtype = "uint32", algorithm = "RNG_DEFAULT" } = options;
  const key = asTensor(k, "rngBitGenerator");
  const wanted = checkShape("rngBitGenerator", shape);
  if (key.dtype !== "uint32" || !DTYPES.includes(dtype))
    throw new DtypeError(
      `rngBitGenerator: takes a key of uint32 and gives ${DTYPES.join(", ")}; received a key of ${key.dtype} and dtype ${String(dtype)}`,
    );
  if (key.ndim !== 1 || key.size !== 4)
    throw new ShapeError(
      `rngBitGenerator: a key has shape [4], received ${shapeText(key.shape)}; for several keys use vmap`,
    );
  if (!ALGORITHMS.includes(algorithm))
    throw new ArgumentError(
      `rngBitGenerator: the algorithm is one of ${ALGORITHMS.join(", ")}, received ${String(algorithm)}`,
    );
  return inArena(
    "rngBitGenerator",
    () => {
      const words = [0, 1, 2, 3].map((n) => reshape(laxSlice(key, [n], [n + 1]), []));
      const [bits, blocks] = algorithm === "RNG_THREE_FRY" ? threefryBits(words, wanted) : philoxBits(words, wanted);
      const [low, high] = counted(words, u32(blocks));
      return [stack([...words.slice(0, 2), low, high]), convert(bits, dtype)];
    },
    keptStorages,
  );
}

function u32(value: number): Tensor {
  return full([], value, { dtype: "uint32" });
}

function word(words: Words, n: number): Tensor {
  return words[n] ?? u32(0);
}

/** The key's counter and n: a sum of 64 bits. */
function counted(words: Words, n: Tensor): [low: Tensor, high: Tensor] {
  const low = add(word(words, 2), n);
  return [low, add(word(words, 3), convert(less(low, n), "uint32"))];
}

const PHILOX_MULTIPLIERS = [0xd2511f53, 0xcd9e8d57] as const;
const PHILOX_STEPS = [0x9e3779b9, 0xbb67ae85] as const;

/** Blocks of four words, one after another: counters of 128 bits, whose upper half is the key. */
function philoxBits(words: Words, shape: Shape): [bits: Tensor, blocks: number] {
  const size = sizeOf(shape);
  const blocks = Math.ceil(size / 4);
  const number = broadcastedIota("uint32", [blocks], 0);
  let [k0, k1] = [word(words, 0), word(words, 1)];
  const [low, high] = counted(words, number);
  let [x0, x1] = [low, high];
  // What runs over goes into the key's half of the counter.
  const over = convert(less(high, word(words, 3)), "uint32");
  let x2 = add(k0, over);
  let x3 = add(k1, convert(less(x2, over), "uint32"));
  const [m0, m1] = PHILOX_MULTIPLIERS.map(u32) as [Tensor, Tensor]; // two of two
  for (let round = 0; round < 10; round++) {
    const [a, b] = [mul(m0, x0), mul(m1, x2)];
    [x0, x2] = [bitwiseXor(bitwiseXor(mulhi(m1, x2), x1), k0), bitwiseXor(bitwiseXor(mulhi(m0, x0), x3), k1)];
    [x1, x3] = [b, a];
    [k0, k1] = [add(k0, u32(PHILOX_STEPS[0])), add(k1, u32(PHILOX_STEPS[1]))];
  }
  const all = reshape(stack([x0, x1, x2, x3], { axis: 1 }), [4 * blocks]);
  return [reshape(laxSlice(all, [0], [size]), shape), blocks];
}

const ROTATIONS = [
  [13, 15, 26, 6],
  [17, 29, 16, 24],
] as const;

/** Blocks of two words: a half of the result each, which alternate along one axis. */
function threefryBits(words: Words, shape: Shape): [bits: Tensor, blocks: number] {
  const even = shape.findIndex((extent) => extent % 2 === 0);
  // Where all are odd the longest is filled up.
  const axis = Math.max(0, even >= 0 ? even : shape.indexOf(Math.max(...shape)));
  const halved = shape.length === 0 ? [1] : shape.map((extent, k) => (k === axis ? Math.ceil(extent / 2) : extent));
  const blocks = sizeOf(halved);
  const [k0, k1] = [word(words, 0), word(words, 1)];
  const keys = [k0, k1, bitwiseXor(bitwiseXor(k0, k1), u32(0x1bd11bda))];
  const [low, high] = counted(words, broadcastedIota("uint32", [blocks], 0));
  let [x0, x1] = [add(low, k0), add(high, k1)];
  for (let group = 0; group < 5; group++) {
    for (const turn of ROTATIONS[group % 2] ?? []) {
      x0 = add(x0, x1);
      x1 = bitwiseXor(bitwiseOr(leftShift(x1, u32(turn)), shiftRightLogical(x1, u32(32 - turn))), x0);
    }
    x0 = add(x0, word(keys, (group + 1) % 3));
    x1 = add(add(x1, word(keys, (group + 2) % 3)), u32(group + 1));
  }
  const pairs = moveaxis(stack([reshape(x0, halved), reshape(x1, halved)]), 0, axis + 1);
  const filled = reshape(
    pairs,
    halved.map((extent, k) => (k === axis ? 2 * extent : extent)),
  );
  const ends = shape.length === 0 ? [1] : shape;
  return [
    reshape(
      laxSlice(
        filled,
        ends.map(() => 0),
        ends,
      ),
      shape,
    ),
    blocks,
  ];
}
