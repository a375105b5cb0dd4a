import { link, packUniform } from "@jnx/kernels-wgsl";
import { executor } from "@jnx/tensor";
import { useDevice } from "@jnx/testing";
import { describe, expect, test } from "vitest";
import * as exact from "../../packages/kernels-wgsl/src/random/exact-functions.wgsl.gen.ts";
import { planBits } from "../../packages/kernels-wgsl/src/random/plan.ts";
import * as sampling from "../../packages/kernels-wgsl/src/random/sampling-functions.wgsl.gen.ts";
import * as threefry from "../../packages/kernels-wgsl/src/random/threefry-functions.wgsl.gen.ts";
import { hostBits, hostFoldIn, hostSplit, hostUniform, seedToKey } from "../../packages/tensor/src/ops/threefry.ts";
import { goldenArray } from "../goldens/read.ts";
import { runFunctions } from "../kernels/run-functions.ts";
import { bitsOf, floatOf, worstUlp } from "../kernels/ulp.ts";

const limits = {
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupsPerDimension: 65535,
  maxComputeWorkgroupStorageSize: 16384,
};
const STORE = `@group(1) @binding(1) var<storage, read_write> y0: array<U>;
fn store(i: u32, bits: U) { y0[i] = bits; }`;

async function deviceBits(keys: Uint32Array, count: number, some = limits, firstKey = 0): Promise<Uint32Array> {
  const device = executor();
  const number = keys.length / 2 - firstKey;
  const from = device.allocate(keys.byteLength, "keys");
  const to = device.allocate(number * count * 4, "bits");
  device.write(from, keys);
  for (const stage of planBits({ count, keys: number, firstKey }, some)) {
    const kernel = link(stage.kernel, { block: `${stage.consts}\n${STORE}` });
    const [params] = kernel.bindings;
    if (params?.layout === undefined) throw new Error("the first binding of bits.wgsl is not its uniform");
    const uniforms = [packUniform(params.layout, stage.params)];
    device.run({ label: "bits", kernel, buffers: [from, to], uniforms, grid: stage.grid });
  }
  const out = new Uint32Array(await device.read(to, number * count * 4));
  device.release(from);
  device.release(to);
  return out;
}

/** a b + c with one rounding: the float64 sum rounded to odd, so that the second rounding cannot err; subnormals are 0. */
function fmaOf(a: number, b: number, c: number): number {
  const product = a * b;
  const sum = product + c;
  const back = sum - product;
  const lost = product - (sum - back) + (c - back);
  const bits = new BigInt64Array(Float64Array.of(sum).buffer);
  const even = ((bits[0] ?? 0n) & 1n) === 0n;
  if (lost !== 0 && even) bits[0] = (bits[0] ?? 0n) + (lost > 0 === sum > 0 ? 1n : -1n);
  const rounded = Math.fround(new Float64Array(bits.buffer)[0] ?? NaN);
  return Math.abs(rounded) < 2 ** -126 ? 0 * Math.sign(rounded) : rounded;
}

/** Triples of floats with every kind of overlap of a b and c. */
function triples(): [Float32Array, Float32Array, Float32Array] {
  const bits = hostBits(seedToKey(5), 3 * 4096);
  const float = (i: number, spread: number): number =>
    floatOf(((bits[i] ?? 0) & 0x807fffff) | ((127 + (i % spread) - (spread >> 1)) << 23));
  const a = Float32Array.from({ length: 4096 }, (_, i) => float(i, 7));
  const b = Float32Array.from({ length: 4096 }, (_, i) => float(4096 + i, 5));
  const c = Float32Array.from({ length: 4096 }, (_, i) => {
    if (i % 4 === 0) return -Math.fround((a[i] ?? 0) * (b[i] ?? 0));
    if (i % 64 === 1) return 0;
    return float(8192 + i, i % 4 === 1 ? 9 : 63);
  });
  return [a, b, c];
}

describe("random bits on the device", () => {
  useDevice();

  test.each([1, 3, 4, 100, 1001, 65540])("%i elements of one key equal the host's", async (count) => {
    const key = seedToKey(1701);
    expect(await deviceBits(key, count)).toEqual(hostBits(key, count));
  });

  test("several keys, each counting from 0, and a first key", async () => {
    const keys = hostSplit(seedToKey(3), 5);
    const each = [1, 2, 3, 4].flatMap((k) => Array.from(hostBits(keys.subarray(2 * k, 2 * k + 2), 12)));
    expect(Array.from(await deviceBits(keys, 12, limits, 1))).toEqual(each);
  });

  test("folded grids and batches of keys", async () => {
    const small = { ...limits, maxComputeInvocationsPerWorkgroup: 32, maxComputeWorkgroupsPerDimension: 3 };
    const keys = hostSplit(seedToKey(3), 7);
    const each = Array.from({ length: 7 }, (_, k) => Array.from(hostBits(keys.subarray(2 * k, 2 * k + 2), 211)));
    expect(Array.from(await deviceBits(keys, 211, small))).toEqual(each.flat());
  });
});

describe.each([1, 4] as const)("random functions of width %i", (width) => {
  useDevice();

  test("both words and their xor", async () => {
    const n = 101;
    const key = hostFoldIn(seedToKey(9), 2);
    const fill = (value: number): Uint32Array => new Uint32Array(n).fill(value);
    const counters = Uint32Array.from({ length: n }, (_, i) => i);
    const inputs = [fill(key[0] ?? 0), fill(key[1] ?? 0), fill(0), counters];
    const { op_threefry_word0, op_threefry_word1, op_threefry_xor } = threefry;
    const calls = [op_threefry_word0, op_threefry_word1, op_threefry_xor].map((fn) => ({ fn, inputs: [0, 1, 2, 3] }));
    const [word0, word1, xor] = await runFunctions(calls, inputs, width);
    const keys = hostSplit(key, n);
    expect(word0).toEqual(keys.filter((_, i) => i % 2 === 0));
    expect(word1).toEqual(keys.filter((_, i) => i % 2 === 1));
    expect(xor).toEqual(hostBits(key, n));
  });

  test("op_fma_exact rounds once", async () => {
    const [a, b, c] = triples();
    const call = { fn: sampling.op_fma_exact, inputs: [0, 1, 2] };
    const [got] = await runFunctions([call], [bitsOf(a), bitsOf(b), bitsOf(c)], width);
    const want = Float32Array.from(a, (x, i) => fmaOf(x, b[i] ?? 0, c[i] ?? 0));
    expect(got).toEqual(bitsOf(want));
  });

  test("uniform in any range, and what is made of logarithms, have JAX's bits", async () => {
    const n = 20000;
    const key = seedToKey(42);
    const ranges = [
      [-1, 1],
      [2, 5.5],
      [-0.3, 1.45],
      [-2.5e-3, 7e3],
      [1, 1],
      [3, 2],
    ] as const;
    const bounds = [...new Set(ranges.flat())];
    const inputs = [hostBits(key, n), ...bounds.map((bound) => bitsOf(new Float32Array(n).fill(bound)))];
    const uniforms = ranges.map((range) => ({
      fn: sampling.op_uniform_from_bits,
      inputs: [0, ...range.map((bound) => 1 + bounds.indexOf(bound))],
    }));
    const results = await runFunctions(uniforms, inputs, width);
    ranges.forEach(([low, high], k) => expect(results[k]).toEqual(bitsOf(hostUniform(key, n, low, high))));
    const calls = [exact.op_normal_from_bits, exact.op_exponential_from_bits].map((fn) => ({ fn, inputs: [0, 1] }));
    const [normal, exponential] = await runFunctions(calls, [hostBits(key, n), new Uint32Array(n)], width);
    const golden = goldenArray("random-bits", "normal 1023");
    const got = (normal ?? new Uint32Array()).slice(0, 1023);
    const compared = worstUlp(got, new Uint32Array(golden.data.buffer), [got]);
    expect(compared.worst).toBeLessThanOrEqual(2);
    const draws = goldenArray("random-samplers", "exponential 300");
    expect(exponential?.slice(0, 300)).toEqual(new Uint32Array(draws.data.buffer));
  });
});
