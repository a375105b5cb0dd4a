import { op_normal_from_bits } from "@jnx/kernels-wgsl";
import { random } from "@jnx/tensor";
import { digest, goldenArray, readGoldens, sampled } from "../goldens/read.ts";
import { hostBits, seedToKey } from "../../packages/tensor/src/ops/threefry.ts";
import { runFunctions } from "../kernels/run-functions.ts";
import { ulpDistance } from "../kernels/ulp.ts";
import { normalOf } from "./reference.ts";
import type { Draw } from "./samplers.ts";

/** How far draws are from JAX's over all cases of a sampler. */
export interface Distance {
  /** Elements compared, and how many of them are the same number. */
  readonly elements: number;
  readonly equal: number;
  /** The largest distance in units in the last place; 0 for equal integers, infinite for others. */
  readonly worst: number;
  /** How many are within 16 units in the last place, and the largest difference over the larger of 1 and JAX's number. */
  readonly near: number;
  readonly apart: number;
  /** Cases compared, and how many of them are equal throughout. */
  readonly arrays: number;
  readonly same: number;
  /** The case and element of the worst. */
  readonly where: string;
}

/** Cases of a golden file by sampler, with their seeds and shapes. */
export function casesOf(file: string, sampler: string): { name: string; seed: number; shape: number[] }[] {
  return Object.keys(readGoldens(file)).flatMap((name) => {
    const [found, seed, shape = ""] = name.split(" | ");
    if (found !== sampler) return [];
    return [{ name, seed: Number(seed), shape: shape === "scalar" ? [] : shape.split("x").map(Number) }];
  });
}

/** The units in the last place of float32 that one of the dtype is worth. */
const UNITS: Readonly<Record<string, number>> = { float16: 2 ** 13, bfloat16: 2 ** 16 };

/** The dtype that a sampler's name says, where the golden holds another. */
export function dtypeOf(sampler: string): string | undefined {
  return / (b?float16)$/.exec(sampler)?.[1];
}

/** Draws every case of a sampler and compares. */
export async function measure(file: string, sampler: string, draw: Draw): Promise<Distance> {
  let [elements, equal, near, worst, apart, where] = [0, 0, 0, 0, 0, ""];
  let [arrays, alike] = [0, 0];
  const unit = UNITS[dtypeOf(sampler) ?? ""] ?? 1;
  for (const { name, seed, shape } of casesOf(file, sampler)) {
    const golden = goldenArray(file, name);
    const data = await draw(random.key(seed), shape).data();
    if (data.constructor !== golden.data.constructor)
      throw new Error(`${name}: drew ${data.constructor.name}, JAX has ${golden.dtype}`);
    const got = sampled(data, golden);
    const same = golden.sha256 === undefined || digest(data) === golden.sha256;
    got.forEach((value, i) => {
      const want = golden.data[i] ?? Number.NaN;
      const distance = data instanceof Float32Array ? ulps(value, want) / unit : value === want ? 0 : Infinity;
      elements++;
      if (distance === 0) equal++;
      if (distance <= 16) near++;
      if (value !== want) apart = Math.max(apart, Math.abs(value - want) / Math.max(1, Math.abs(want)));
      if (distance > worst || (where === "" && distance > 0))
        [worst, where] = [distance, `${name}, element ${i * (golden.stride ?? 1)}: ${value} for ${want}`];
    });
    arrays++;
    if (same && got.every((value, i) => Object.is(value, golden.data[i]))) alike++;
    if (!same && worst === 0) [worst, where] = [Infinity, `${name}: an element between the samples`];
  }
  return { elements, equal, near, worst, apart, arrays, same: alike, where };
}

/** How many of n normal numbers of a seed are 0, 1, 2 … units in the last place from JAX's. */
export async function normalDistances(seed: number, n: number): Promise<number[]> {
  const got = await random.normal(random.key(seed), [n]).data();
  return distances(hostBits(seedToKey(seed), n), got);
}

/** The same of every normal number that there is: of the upper 23 bits of a word, handed to the kernel's function. */
export async function allNormalDistances(): Promise<number[]> {
  const words = Uint32Array.from({ length: 2 ** 23 }, (_, i) => i << 9);
  const call = { fn: op_normal_from_bits, inputs: [0, 1] };
  const [got] = await runFunctions([call], [words, new Uint32Array(words.length)], 4);
  if (got === undefined) throw new Error("runFunctions: lost the result");
  return distances(words, new Float32Array(got.buffer));
}

function distances(words: Uint32Array, got: ArrayLike<number>): number[] {
  const counts = [0];
  words.forEach((word, i) => {
    const distance = ulps(got[i] ?? Number.NaN, normalOf(word));
    while (counts.length <= distance) counts.push(0);
    counts[distance] = (counts[distance] ?? 0) + 1;
  });
  return counts;
}

const floats = new Float32Array(2);
const bits = new Uint32Array(floats.buffer);

/** Units in the last place between two float32 numbers. */
export function ulps(a: number, b: number): number {
  [floats[0], floats[1]] = [a, b];
  return ulpDistance(bits[0] ?? 0, bits[1] ?? 0);
}
