import { vmap } from "@jnx/autodiff";
import { jit } from "@jnx/compile";
import * as t from "@jnx/tensor";
import { ArgumentError, DtypeError, rngBitGenerator, ShapeError, type Tensor } from "@jnx/tensor";
import { useDevice } from "@jnx/testing";
import { expect, test } from "vitest";

useDevice();

const key = (...words: number[]): Tensor => t.array(words, { dtype: "uint32" });
const drawn = async ([next, bits]: [Tensor, Tensor]): Promise<unknown[]> => [
  await next.toArray(),
  await bits.toArray(),
];

// Known answers of the real JAX (0.10.2): lax.rng_bit_generator on CPU.
const PHILOX = [512747620, 1298009047, 1267190206, 761827841, 1383286907, 1639995030, 2756207988, 2154813423];

test("Philox, JAX's default", async () => {
  expect(await drawn(rngBitGenerator(key(1, 2, 3, 4), [7]))).toEqual([[1, 2, 5, 4], PHILOX.slice(0, 7)]);
  expect(await drawn(rngBitGenerator(key(1, 2, 3, 4), [2, 3], { algorithm: "RNG_PHILOX" }))).toEqual([
    [1, 2, 5, 4],
    [PHILOX.slice(0, 3), PHILOX.slice(3, 6)],
  ]);
  expect(await drawn(rngBitGenerator(key(1, 2, 3, 4), []))).toEqual([[1, 2, 4, 4], PHILOX[0]]);
  expect(await drawn(rngBitGenerator(key(1, 2, 3, 4), [0]))).toEqual([[1, 2, 3, 4], []]);
  const bytes = rngBitGenerator(key(1, 2, 3, 4), [3], { dtype: "uint8" });
  expect([bytes[1].dtype, await bytes[1].toArray()]).toEqual(["uint8", [100, 215, 190]]);
  expect(await rngBitGenerator(key(1, 2, 3, 4), [3], { dtype: "uint16" })[1].toArray()).toEqual([59492, 3031, 51646]);
});

test("a counter that runs over goes on in its higher words", async () => {
  const last = 0xffffffff;
  expect(await drawn(rngBitGenerator(key(1, 2, last, last), [8]))).toEqual([
    [1, 2, 1, 0],
    [875035680, 2457449792, 952865925, 536199321, 67759320, 265751716, 222428074, 2049345928],
  ]);
});

test("Threefry, whose halves alternate along the first even axis", async () => {
  const [a, b] = [
    [1576285164, 740599976, 2436392515],
    [2249660814, 2425682526, 1497962777],
  ];
  const draw = (shape: number[]): Promise<unknown[]> =>
    drawn(rngBitGenerator(key(1, 2, 3, 4), shape, { algorithm: "RNG_THREE_FRY" }));
  expect(await draw([2, 3])).toEqual([
    [1, 2, 6, 4],
    [a, b],
  ]);
  const pairs = [0, 1, 2].map((k) => [a?.[k], b?.[k]]);
  expect(await draw([3, 2])).toEqual([[1, 2, 6, 4], pairs]);
  expect(await draw([1, 5])).toEqual([[1, 2, 6, 4], [pairs.flat().slice(0, 5)]]);
  expect(await draw([3, 1])).toEqual([[1, 2, 5, 4], pairs.flat().slice(0, 3).map((word) => [word])]); // prettier-ignore
  expect(await draw([])).toEqual([[1, 2, 4, 4], a?.[0]]);
});

test("under jit and vmap each key draws as by itself", async () => {
  const draw = (k: Tensor): Tensor => rngBitGenerator(k, [4])[1];
  expect(await jit(draw)(key(1, 2, 3, 4)).toArray()).toEqual(PHILOX.slice(0, 4));
  const keys = t.array([[1, 2, 3, 4], [1, 2, 4, 4]], { dtype: "uint32" }); // prettier-ignore
  expect(await vmap(draw)(keys).toArray()).toEqual([PHILOX.slice(0, 4), PHILOX.slice(4)]);
});

test("refusals", () => {
  expect(() => rngBitGenerator(t.array([1, 2, 3, 4]), [2])).toThrow(DtypeError);
  expect(() => rngBitGenerator(key(1, 2), [2])).toThrow(ShapeError);
  const refused = <O>(options: O) => rngBitGenerator(key(1, 2, 3, 4), [2], options as never); // on purpose
  expect(() => refused({ algorithm: "MT" })).toThrow(ArgumentError);
  expect(() => refused({ dtype: "float32" })).toThrow(DtypeError);
});
