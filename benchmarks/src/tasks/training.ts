/** The training steps: T7 an MLP, T8 a small CNN, T9 a transformer block. */
import { blockParams, cnn, cnnParams, mlp, mlpParams, transformer } from "../reference/models.ts";
import { integers, uniform, weights, type Input, type Inputs, type TrainTask } from "./task.ts";

export const mlpSizes = [784, 256, 128, 10] as const;
export const mlpBatch = 64;

function mlpInputs(): Inputs {
  const inputs: Record<string, Input> = {
    x: uniform(10, [mlpBatch, mlpSizes[0]], 0, 1),
    y: integers(11, mlpBatch, mlpSizes[3]),
  };
  for (const layer of [1, 2, 3] as const) {
    const [fanIn, fanOut] = [mlpSizes[layer - 1] ?? 0, mlpSizes[layer] ?? 0];
    inputs[`w${layer}`] = weights(20 + layer, [fanIn, fanOut], fanIn);
    inputs[`b${layer}`] = uniform(30 + layer, [fanOut], -0.1, 0.1);
  }
  return inputs;
}

const mlpWeights = mlpSizes[0] * mlpSizes[1] + mlpSizes[1] * mlpSizes[2] + mlpSizes[2] * mlpSizes[3];

const mlpTask: TrainTask = {
  id: "T7",
  title: "MLP 784-256-128-10 and Adam, batch 64, one step",
  kind: "train",
  params: mlpParams,
  // Forward, the weights' gradients, and the inputs' gradients of all layers but the first.
  flops: 2 * mlpBatch * (3 * mlpWeights - mlpSizes[0] * mlpSizes[1]),
  tolerance: 1e-4,
  inputs: mlpInputs,
  reference: mlp,
};

export const cnnBatch = 32;
export const cnnClasses = 10;
/** Positions of the first convolution, multiply-adds of each; then those of the second. */
const [first, second] = [cnnBatch * 28 * 28 * 16 * 9, cnnBatch * 14 * 14 * 32 * 9 * 16];

const cnnTask: TrainTask = {
  id: "T8",
  title: "CNN 28x28, 16 and 32 features, and SGD, batch 32, one step",
  kind: "train",
  params: cnnParams,
  flops: 2 * (2 * first + 3 * second + 3 * cnnBatch * 1568 * cnnClasses),
  tolerance: 1e-4,
  inputs: () => ({
    x: uniform(40, [cnnBatch, 28, 28, 1], 0, 1),
    y: integers(41, cnnBatch, cnnClasses),
    k1: weights(42, [3, 3, 1, 16], 9),
    b1: uniform(43, [16], -0.1, 0.1),
    k2: weights(44, [3, 3, 16, 32], 144),
    b2: uniform(45, [32], -0.1, 0.1),
    w: weights(46, [1568, cnnClasses], 1568),
    b: uniform(47, [cnnClasses], -0.1, 0.1),
  }),
  reference: cnn,
};

/** T9's sizes: sequences, their length, features, heads, hidden features. */
export const block = { batch: 4, length: 64, width: 128, heads: 4, depth: 32, hidden: 512 } as const;

const tokens = block.batch * block.length;
const blockWeights = block.width * (3 * block.width + block.width + 2 * block.hidden);
const attention = 2 * block.batch * block.heads * block.length ** 2 * block.depth;

const blockTask: TrainTask = {
  id: "T9",
  title: "transformer block 128, 4 heads, and SGD, 4x64 tokens, one step",
  kind: "train",
  params: blockParams,
  flops: 3 * 2 * (tokens * blockWeights + attention),
  tolerance: 1e-4,
  inputs: () => ({
    x: uniform(50, [block.batch, block.length, block.width], -1, 1),
    ln1s: uniform(51, [block.width], 0.8, 1.2),
    ln1b: uniform(52, [block.width], -0.1, 0.1),
    wqkv: weights(53, [block.width, 3 * block.width], block.width),
    bqkv: uniform(54, [3 * block.width], -0.1, 0.1),
    wo: weights(55, [block.width, block.width], block.width),
    bo: uniform(56, [block.width], -0.1, 0.1),
    ln2s: uniform(57, [block.width], 0.8, 1.2),
    ln2b: uniform(58, [block.width], -0.1, 0.1),
    wf1: weights(59, [block.width, block.hidden], block.width),
    bf1: uniform(60, [block.hidden], -0.1, 0.1),
    wf2: weights(61, [block.hidden, block.width], block.hidden),
    bf2: uniform(62, [block.width], -0.1, 0.1),
  }),
  reference: transformer,
};

export const trainTasks: readonly TrainTask[] = [mlpTask, cnnTask, blockTask];
