/** Kernels of jnx that the tasks do not reach one by one; `run` times them, and `tune` some of them. */
import { attention, conv } from "../reference/layers.ts";
import { matmul, takeRows } from "../reference/ops.ts";
import { Parameters } from "../reference/training.ts";
import { input, integers, uniform, type Inputs, type OpTask } from "./task.ts";

type Numbers = Float32Array | Int32Array;
const data = (inputs: Inputs, name: string): Numbers => input(inputs, name).data;

const large = 2 ** 20;

function elementwise(id: string, title: string, bytes: number, f: (x: number, y: number) => number): OpTask {
  return {
    ...{ id, title, kind: "op", bytes, tolerance: 1e-6 },
    inputs: () => ({ x: uniform(70, [large], -3, 3), y: uniform(71, [large], -3, 3) }),
    reference: (inputs) => {
      const y = data(inputs, "y");
      return Float64Array.from(data(inputs, "x"), (v, i) => f(v, y[i] ?? NaN));
    },
  };
}

/** Sums of a 1024 x 1024 array, one for each `groupOf(index)`. */
function sums(id: string, title: string, groupOf: (index: number) => number): OpTask {
  return {
    ...{ id, title, kind: "op", bytes: 4 * large, tolerance: 1e-5 },
    inputs: () => ({ x: uniform(72, [1024, 1024], 0, 1) }),
    reference: (inputs) => {
      const out = new Float64Array(1024);
      data(inputs, "x").forEach((v, i) => (out[groupOf(i)] = (out[groupOf(i)] ?? NaN) + v));
      return out;
    },
  };
}

const [images, side, channels, features] = [8, 28, 16, 32];

const convolution: OpTask = {
  ...{ id: "conv/3x3", title: "conv 3x3, 8x28x28x16 to 32 features", kind: "op", tolerance: 1e-5 },
  flops: 2 * images * side * side * 9 * channels * features,
  inputs: () => ({
    x: uniform(73, [images, side, side, channels], -1, 1),
    k: uniform(74, [3, 3, channels, features], -1, 1),
    b: uniform(75, [features], -1, 1),
  }),
  reference: (inputs) => conv(new Parameters(["k", "b"], inputs), "k", "b", data(inputs, "x"), side).out,
};

/** c = a · bᵀ. */
function transposedMatmul(n: number): OpTask {
  return {
    ...{ id: `matmul/nt-${n}`, title: `a · bᵀ, ${n}x${n}`, kind: "op", flops: 2 * n ** 3, tolerance: 1e-5 },
    inputs: () => ({ a: uniform(76, [n, n], -1, 1), b: uniform(77, [n, n], -1, 1) }),
    reference: (inputs) => matmul(data(inputs, "a"), data(inputs, "b"), n, n, n, [n, 1, 1, n]),
  };
}

const cumulative: OpTask = {
  ...{ id: "scan/cumsum", title: "cumulative sum along 1024x1024", kind: "op", bytes: 8 * large, tolerance: 1e-5 },
  inputs: () => ({ x: uniform(78, [1024, 1024], 0, 1) }),
  reference: (inputs) => {
    let sum = 0;
    return Float64Array.from(data(inputs, "x"), (v, i) => (sum = i % 1024 === 0 ? v : sum + v));
  },
};

const scatter: OpTask = {
  ...{ id: "indexing/add", title: "add 4096 rows of 128 at indices", kind: "op", tolerance: 1e-5 },
  bytes: 4 * 128 * (4096 + 2 * 1000) + 4 * 4096,
  inputs: () => ({
    x: uniform(79, [1000, 128], -1, 1),
    idx: integers(80, 4096, 1000),
    rows: uniform(81, [4096, 128], -1, 1),
  }),
  reference: (inputs) => {
    const out = Float64Array.from(data(inputs, "x"));
    const rows = data(inputs, "rows");
    const places = takeRows(Float64Array.from(out.keys()), data(inputs, "idx"), 128);
    places.forEach((place, i) => (out[place] = (out[place] ?? NaN) + (rows[i] ?? NaN)));
    return out;
  },
};

const [tokens, heads, depth] = [1024, 4, 64];

/** Causal attention of one example; half the pairs of tokens count, two multiply-adds each for every feature. */
const causalAttention: OpTask = {
  ...{ id: "attention/causal", title: "causal attention, 1024 tokens, 4 heads of 64", kind: "op", tolerance: 1e-5 },
  flops: 2 * tokens * tokens * heads * depth,
  inputs: () => ({ qkv: uniform(82, [1, tokens, 3 * heads * depth], -1, 1) }),
  reference: (inputs) => attention(Float64Array.from(data(inputs, "qkv")), tokens, heads, depth).out,
};

export const kernels: readonly OpTask[] = [
  elementwise("elementwise/add", "x + y, 2^20", 12 * large, (x, y) => x + y),
  elementwise("elementwise/exp", "exp(x), 2^20", 8 * large, (x) => Math.exp(x)),
  sums("reduce/rows", "sums of rows, 1024x1024", (i) => Math.floor(i / 1024)),
  sums("reduce/columns", "sums of columns, 1024x1024", (i) => i % 1024),
  cumulative,
  transposedMatmul(512),
  convolution,
  scatter,
  causalAttention,
];
