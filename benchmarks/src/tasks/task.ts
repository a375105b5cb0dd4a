/** What a task is: the input, how much work it makes, the right result, and how exact one must be. */
import type { TrainReference } from "../reference/training.ts";

export interface Input {
  readonly data: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;
  readonly shape: readonly number[];
}

export type Inputs = Readonly<Record<string, Input>>;

interface Common {
  readonly id: string;
  readonly title: string;
  /** Floating-point operations of one execution, where that is the natural measure. */
  readonly flops?: number;
  /** Bytes that must move: inputs once, outputs once. */
  readonly bytes?: number;
  inputs(): Inputs;
}

/** A function of arrays, executed once. */
export interface OpTask extends Common {
  readonly kind: "op";
  /** Eager operations that one execution consists of, where the time of each is what counts. */
  readonly operations?: number;
  /** Largest allowed |result - float64| over the largest |float64|; of a random result, over what chance explains. */
  readonly tolerance: number;
  /** The result in float64; "normal" where it is random, and what is checked is how it is distributed. */
  readonly reference: ((inputs: Inputs) => Float64Array) | "normal";
}

/** A step of training: forward, backward, update. */
export interface TrainTask extends Common {
  readonly kind: "train";
  /** Names of the parameters among the inputs, in the order in which engines give them back. */
  readonly params: readonly string[];
  /** Largest allowed relative error of a loss. */
  readonly tolerance: number;
  reference(inputs: Inputs, steps: number): TrainReference;
}

/** A start in a fresh process: import, device, a first product; then another shape, then the first shape again. */
export interface ColdTask extends Common {
  readonly kind: "cold";
  readonly tolerance: number;
  readonly first: OpTask;
  readonly second: OpTask;
}

export type Task = OpTask | TrainTask | ColdTask;

/** One input by name; throws when the task has none of that name. */
export function input(inputs: Inputs, name: string): Input {
  const found = inputs[name];
  if (found === undefined) throw new Error(`tasks: the task has no input "${name}"`);
  return found;
}

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

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

export function uniform(seed: number, shape: readonly number[], low: number, high: number): Input {
  const next = generator(seed);
  return { data: Float32Array.from({ length: sizeOf(shape) }, () => low + (high - low) * next()), shape };
}

/** Weights of the usual size: uniform with variance 1 / fanIn. */
export function weights(seed: number, shape: readonly number[], fanIn: number): Input {
  const bound = Math.sqrt(3 / fanIn);
  return uniform(seed, shape, -bound, bound);
}

/** Whole numbers from 0 to below `limit`. */
export function integers(seed: number, count: number, limit: number): Input {
  const next = generator(seed);
  return { data: Int32Array.from({ length: count }, () => Math.floor(next() * limit)), shape: [count] };
}
