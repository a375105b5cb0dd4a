import { describe, expect, test } from "vitest";
import {
  hostBits,
  hostFoldIn,
  hostPermutation,
  hostRandint,
  hostSplit,
  hostUniform,
  seedToKey,
  threefry2x32,
} from "../../packages/tensor/src/ops/threefry.ts";
import type { GoldenData } from "../goldens/read.ts";
import { digest, goldenArray, readGoldens, sampled } from "../goldens/read.ts";

/** Equal to a golden array bit for bit: all elements, or the samples and the digest of all. */
function expectGolden(full: GoldenData, file: string, ...path: (string | number)[]): void {
  const golden = goldenArray(file, ...path);
  expect(sampled(full, golden)).toEqual(Array.from(golden.data));
  if (golden.sha256 !== undefined) expect(digest(full)).toBe(golden.sha256);
}

function sizeOf(tag: string): number {
  return tag === "scalar" ? 1 : tag.split("x").reduce((n, extent) => n * Number(extent), 1);
}

/** The cases of a golden file whose name starts with a word, as the rest of the name. */
function casesOf(file: string, word: string): string[] {
  return Object.keys(readGoldens(file)).flatMap((name) =>
    name.startsWith(`${word} `) ? [name.slice(word.length + 1)] : [],
  );
}

describe("threefry2x32", () => {
  test.each([
    [0, 0, 0, 0, 0x6b200159, 0x99ba4efe],
    [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x1cb996fc, 0xbb002be7],
    [0x13198a2e, 0x03707344, 0x243f6a88, 0x85a308d3, 0xc4923a9c, 0x483df7a0],
  ])("known answer of Random123, key %i %i", (k0, k1, x0, x1, y0, y1) => {
    expect(threefry2x32(k0, k1, x0, x1)).toEqual([y0, y1]);
  });
});

describe("keys", () => {
  test.each([
    [0, 0],
    [-1, 4294967295],
    [2147483747, 2147483747],
    [-2147483748, 2147483548],
    [2 ** 40 + 5, 5],
    [-(2n ** 63n), 0],
    [true, 1],
  ])("the seed %s makes the key [0, %i]", (seed, word) => {
    expect(seedToKey(seed)).toEqual(Uint32Array.of(0, word));
  });

  test("seeds that are not whole, or too large", () => {
    expect(() => seedToKey(1.5)).toThrow(new TypeError("key: the seed is 1.5; give a whole number"));
    expect(() => seedToKey(NaN)).toThrow(TypeError);
    expect(() => seedToKey(2n ** 63n)).toThrow(RangeError);
  });

  test.each(casesOf("random-keys", "key"))("seed %s: key, split, fold_in", (seed) => {
    const key = seedToKey(Number(seed));
    expectGolden(key, "random-keys", `key ${seed}`);
    [1, 2, 3, 5].forEach((n, k) => expectGolden(hostSplit(key, n), "random-keys", `split ${seed}`, k));
    [0, 1, 4, 1000003, 2 ** 32 - 1].forEach((data, k) => {
      expectGolden(hostFoldIn(key, data), "random-keys", `fold_in ${seed}`, k);
    });
  });

  test("split(key, n) is fold_in(key, 0 ... n - 1), and empty for n = 0", () => {
    const key = seedToKey(72);
    const each = [0, 1, 2].flatMap((i) => Array.from(hostFoldIn(key, i)));
    expect(Array.from(hostSplit(key, 3))).toEqual(each);
    expect(hostSplit(key, 0)).toHaveLength(0);
  });

  test("fold_in takes u32 only", () => {
    expect(() => hostFoldIn(seedToKey(0), -1)).toThrow("foldIn: data is -1; give a whole number in [0, 2^32)");
    expect(() => hostFoldIn(seedToKey(0), 2 ** 32)).toThrow(RangeError);
    expect(() => hostFoldIn(seedToKey(0), 1.5)).toThrow(RangeError);
  });
});

describe("bits", () => {
  const tags = casesOf("random-bits", "bits32");

  test.each(tags)("32 bits of %s", (tag) => {
    const [seed, shape] = seedAndShape(tag);
    expectGolden(hostBits(seedToKey(seed), sizeOf(shape)), "random-bits", `bits32 ${tag}`);
  });

  test.each(casesOf("random-bits", "bits16"))("16 and 8 bits of %s", (tag) => {
    const [seed, shape] = seedAndShape(tag);
    const key = seedToKey(seed);
    expectGolden(hostBits(key, sizeOf(shape), 16), "random-bits", `bits16 ${tag}`);
    expectGolden(hostBits(key, sizeOf(shape), 8), "random-bits", `bits8 ${tag}`);
  });
});

/** "1701 7x11" or, with seed 42, "7x11". */
function seedAndShape(tag: string): [number, string] {
  const [first = "", second] = tag.split(" ");
  return second === undefined ? [42, first] : [Number(first), second];
}

describe("samplers on the host", () => {
  const key = seedToKey(42);

  test.each(casesOf("random-bits", "uniform"))("uniform of %s", (tag) => {
    expectGolden(hostUniform(key, sizeOf(tag)), "random-bits", `uniform ${tag}`);
  });

  test.each(casesOf("random-samplers", "uniform"))("uniform in a range: %s", (tag) => {
    const [low, high, shape = ""] = tag.split(" ");
    expectGolden(hostUniform(key, sizeOf(shape), Number(low), Number(high)), "random-samplers", `uniform ${tag}`);
  });

  test.each(casesOf("random-samplers", "randint"))("randint %s", (tag) => {
    const [low, high, shape = ""] = tag.split(" ");
    expectGolden(hostRandint(key, sizeOf(shape), Number(low), Number(high)), "random-samplers", `randint ${tag}`);
  });

  test.each(casesOf("random-samplers", "permutation").filter((tag) => tag !== "rows"))("permutation %s", (tag) => {
    const [seed, n] = tag.split(" ").map(Number);
    expectGolden(hostPermutation(seedToKey(seed ?? 0), n ?? 0), "random-samplers", `permutation ${tag}`);
  });
});
