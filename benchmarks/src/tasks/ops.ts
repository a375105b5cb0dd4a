/** The tasks of a single operation, or a chain of one. */
import * as reference from "../reference/ops.ts";
import { input, integers, uniform, type ColdTask, type Inputs, type OpTask } from "./task.ts";

const data = (inputs: Inputs, name: string): Input["data"] => input(inputs, name).data;
type Input = ReturnType<typeof input>;

function matmul(n: number): OpTask {
  return {
    id: `T1.${n}`,
    title: `matmul ${n}x${n}`,
    kind: "op",
    flops: 2 * n ** 3,
    tolerance: 1e-5,
    inputs: () => ({ a: uniform(1, [n, n], -1, 1), b: uniform(2, [n, n], -1, 1) }),
    reference: (inputs) => reference.matmul(data(inputs, "a"), data(inputs, "b"), n, n, n),
  };
}

const [matmul256, matmul512] = [matmul(256), matmul(512)];

const large = 2 ** 20;
const pointwise = {
  kind: "op",
  bytes: 8 * large,
  tolerance: 1e-5,
  inputs: (): Inputs => ({ x: uniform(3, [large], -3, 3) }),
  reference: (inputs: Inputs) =>
    Float64Array.from(data(inputs, "x"), (v) => Math.tanh(v * 1.5 + 0.5) * v + Math.max(v, 0)),
} as const;

const softmax: OpTask = {
  id: "T4",
  title: "softmax, 512x1024",
  kind: "op",
  bytes: 8 * 512 * 1024,
  tolerance: 1e-5,
  inputs: () => ({ x: uniform(4, [512, 1024], -5, 5) }),
  reference: (inputs) => reference.rows(data(inputs, "x"), 1024, reference.softmax),
};

const layerNorm: OpTask = {
  id: "T5",
  title: "layer norm, 512x1024",
  kind: "op",
  bytes: 8 * 512 * 1024 + 8 * 1024,
  tolerance: 1e-5,
  inputs: () => ({
    x: uniform(5, [512, 1024], -5, 5),
    scale: uniform(6, [1024], 0.5, 1.5),
    bias: uniform(7, [1024], -1, 1),
  }),
  reference: (inputs) => reference.layerNorm(data(inputs, "x"), data(inputs, "scale"), data(inputs, "bias")),
};

/** Links of T10's chain. */
export const chainLength = 200;

const chain: OpTask = {
  id: "T10",
  title: `x + c, ${chainLength} times, eager, 8x8`,
  kind: "op",
  operations: chainLength,
  // Every sum is rounded, so the error grows along the chain.
  tolerance: 2e-5,
  inputs: () => ({ x: uniform(12, [8, 8], -1, 1), c: uniform(13, [8, 8], -1, 1) }),
  reference: (inputs) => {
    const c = data(inputs, "c");
    return Float64Array.from(data(inputs, "x"), (v, i) => v + chainLength * (c[i] ?? NaN));
  },
};

const movement: readonly OpTask[] = [
  {
    id: "T12",
    title: "transpose, 1024x1024",
    kind: "op",
    bytes: 8 * large,
    tolerance: 0,
    inputs: () => ({ x: uniform(14, [1024, 1024], -1, 1) }),
    reference: (inputs) => reference.transpose(data(inputs, "x"), 1024, 1024),
  },
  {
    id: "T13",
    title: "4096 rows of 10000x128",
    kind: "op",
    bytes: 4096 * (2 * 4 * 128 + 4),
    tolerance: 0,
    inputs: () => ({ table: uniform(15, [10000, 128], -1, 1), idx: integers(16, 4096, 10000) }),
    reference: (inputs) => reference.takeRows(data(inputs, "table"), data(inputs, "idx"), 128),
  },
  {
    id: "T14",
    title: "sort of 2^16",
    kind: "op",
    bytes: 8 * 2 ** 16,
    tolerance: 0,
    inputs: () => ({ x: uniform(17, [2 ** 16], -1, 1) }),
    reference: (inputs) => Float64Array.from(data(inputs, "x")).sort(),
  },
];

const coldStart: ColdTask = {
  id: "T15",
  title: "cold start to the first product of 256x256",
  kind: "cold",
  tolerance: 1e-5,
  first: matmul256,
  second: matmul512,
  inputs: () => ({}),
};

/** T1 to T6. */
export const plainOps: readonly OpTask[] = [
  matmul256,
  matmul512,
  matmul(1024),
  {
    id: "T2",
    title: "matrix times vector, 2048",
    kind: "op",
    bytes: 4 * (2048 * 2048 + 2 * 2048),
    tolerance: 1e-5,
    inputs: () => ({ a: uniform(1, [2048, 2048], -1, 1), x: uniform(2, [2048], -1, 1) }),
    reference: (inputs) => reference.matmul(data(inputs, "a"), data(inputs, "x"), 2048, 2048, 1),
  },
  { id: "T3", title: "tanh(x*1.5+0.5)*x + max(x,0), 2^20, jit", ...pointwise },
  { id: "T3e", title: "the same, eager", ...pointwise },
  softmax,
  layerNorm,
  {
    id: "T6",
    title: "sum of 2^20",
    kind: "op",
    bytes: 4 * large,
    // Engines that add up lane by lane, in f32, are honestly a little over 1e-5 off.
    tolerance: 3e-5,
    inputs: () => ({ x: uniform(8, [large], 0, 1) }),
    reference: (inputs) => Float64Array.of(Array.from(data(inputs, "x")).reduce((a, b) => a + b, 0)),
  },
];

/** T10 to T15. */
export const otherOps: readonly (OpTask | ColdTask)[] = [
  chain,
  {
    id: "T11",
    title: "standard normal numbers, 2^20",
    kind: "op",
    bytes: 4 * large,
    tolerance: 1,
    inputs: () => ({}),
    reference: "normal",
  },
  ...movement,
  coldStart,
];
