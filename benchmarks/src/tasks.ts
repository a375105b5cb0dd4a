/** The tasks: what is computed, on which input, how much work that is, and how exact it must be. */

export interface Input {
  readonly data: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;
  readonly shape: readonly number[];
}

export type Inputs = Readonly<Record<string, Input>>;

export type TaskId = "T1.256" | "T1.512" | "T1.1024" | "T2" | "T3" | "T3e" | "T4" | "T5" | "T6" | "T7" | "T11";

export interface Task {
  readonly id: TaskId;
  readonly title: string;
  readonly kind: "op" | "train";
  /** Floating-point operations of one execution, where that is the natural measure. */
  readonly flops?: number;
  /** Bytes that must move: inputs once, outputs once. */
  readonly bytes?: number;
  /** Largest allowed |result - float64| over the largest |float64|. */
  readonly tolerance: number;
  /** The result is random: what is checked is how it is distributed. */
  readonly distribution?: "normal";
  inputs(): Inputs;
}

/** Names of T7's parameters, in the order in which engines give them back; `w` is [in, out]. */
export const mlpParams = ["w1", "b1", "w2", "b2", "w3", "b3"] as const;
export const mlpSizes = [784, 256, 128, 10] as const;
export const mlpBatch = 64;

/** A small fixed generator (mulberry32), so that every process makes the same input. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

function uniform(seed: number, shape: readonly number[], low: number, high: number): Input {
  const next = generator(seed);
  const size = shape.reduce((a, b) => a * b, 1);
  return { data: Float32Array.from({ length: size }, () => low + (high - low) * next()), shape };
}

function labels(seed: number, count: number, classes: number): Input {
  const next = generator(seed);
  return { data: Int32Array.from({ length: count }, () => Math.floor(next() * classes)), shape: [count] };
}

function matmulTask(id: TaskId, n: number): Task {
  return {
    id,
    title: `matmul ${n}x${n}`,
    kind: "op",
    flops: 2 * n ** 3,
    tolerance: 1e-5,
    inputs: () => ({ a: uniform(1, [n, n], -1, 1), b: uniform(2, [n, n], -1, 1) }),
  };
}

const large = 2 ** 20;
const pointwise = {
  kind: "op",
  bytes: 8 * large,
  tolerance: 1e-5,
  inputs: (): Inputs => ({ x: uniform(3, [large], -3, 3) }),
} as const;

function mlpInputs(): Inputs {
  const inputs: Record<string, Input> = {
    x: uniform(10, [mlpBatch, mlpSizes[0]], 0, 1),
    y: labels(11, mlpBatch, mlpSizes[3]),
  };
  for (const layer of [1, 2, 3] as const) {
    const [fanIn, fanOut] = [mlpSizes[layer - 1] ?? 0, mlpSizes[layer] ?? 0];
    const bound = Math.sqrt(3 / fanIn);
    inputs[`w${layer}`] = uniform(20 + layer, [fanIn, fanOut], -bound, bound);
    inputs[`b${layer}`] = uniform(30 + layer, [fanOut], -0.1, 0.1);
  }
  return inputs;
}

const weights = mlpSizes[0] * mlpSizes[1] + mlpSizes[1] * mlpSizes[2] + mlpSizes[2] * mlpSizes[3];

export const tasks: readonly Task[] = [
  matmulTask("T1.256", 256),
  matmulTask("T1.512", 512),
  matmulTask("T1.1024", 1024),
  {
    id: "T2",
    title: "matrix times vector, 2048",
    kind: "op",
    bytes: 4 * (2048 * 2048 + 2 * 2048),
    tolerance: 1e-5,
    inputs: () => ({ a: uniform(1, [2048, 2048], -1, 1), x: uniform(2, [2048], -1, 1) }),
  },
  { id: "T3", title: "tanh(x*1.5+0.5)*x + max(x,0), 2^20, jit", ...pointwise },
  { id: "T3e", title: "the same, eager", ...pointwise },
  {
    id: "T4",
    title: "softmax, 512x1024",
    kind: "op",
    bytes: 8 * 512 * 1024,
    tolerance: 1e-5,
    inputs: () => ({ x: uniform(4, [512, 1024], -5, 5) }),
  },
  {
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
  },
  {
    id: "T6",
    title: "sum of 2^20",
    kind: "op",
    bytes: 4 * large,
    // Engines that add up lane by lane, in f32, are honestly a little over 1e-5 off.
    tolerance: 3e-5,
    inputs: () => ({ x: uniform(8, [large], 0, 1) }),
  },
  {
    id: "T7",
    title: "MLP 784-256-128-10 and Adam, batch 64, one step",
    kind: "train",
    // Forward, the weights' gradients, and the inputs' gradients of all layers but the first.
    flops: 2 * mlpBatch * (3 * weights - mlpSizes[0] * mlpSizes[1]),
    tolerance: 1e-4,
    inputs: mlpInputs,
  },
  {
    id: "T11",
    title: "standard normal numbers, 2^20",
    kind: "op",
    bytes: 4 * large,
    tolerance: 1,
    distribution: "normal",
    inputs: () => ({}),
  },
];

/** The task of that name; throws with the names there are. */
export function findTask(id: string): Task {
  const task = tasks.find((candidate) => candidate.id === id);
  if (task === undefined) {
    throw new Error(`tasks: no task "${id}"; there are ${tasks.map((t) => t.id).join(", ")}`);
  }
  return task;
}

/** One input by name; throws when the task has none of that name. */
export function input(inputs: Inputs, name: string): Input {
  const found = inputs[name];
  if (found === undefined) throw new Error(`tasks: the task has no input "${name}"`);
  return found;
}
