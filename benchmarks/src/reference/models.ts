/** T7, T8 and T9 in float64: one pass forward and back, and so many steps. */
import { input, type Inputs } from "../tasks/task.ts";
import { attention, conv, crossEntropy, dense, gelu, layerNorm, maxPool, relu, type Layer } from "./layers.ts";
import { at, type Numbers } from "./ops.ts";
import { adam, sgd, train, type Parameters, type TrainReference } from "./training.ts";

export const mlpParams = ["w1", "b1", "w2", "b2", "w3", "b3"] as const;
export const cnnParams = ["k1", "b1", "k2", "b2", "w", "b"] as const;
export const blockParams = [
  ...(["ln1s", "ln1b", "wqkv", "bqkv", "wo", "bo"] as const),
  ...(["ln2s", "ln2b", "wf1", "bf1", "wf2", "bf2"] as const),
];

/** Layers one after another: each gets what the one before gives. */
function chain(x: Numbers, ...layers: readonly ((x: Float64Array) => Layer)[]): Layer {
  const done: Layer[] = [];
  let out = Float64Array.from(x);
  for (const layer of layers) {
    const next = layer(out);
    done.push(next);
    out = Float64Array.from(next.out);
  }
  return { out, back: (d) => done.reduceRight((gradient, layer) => layer.back(gradient), d) };
}

function classify(inputs: Inputs, network: Layer): number {
  const labels = input(inputs, "y").data;
  const [loss, gradient] = crossEntropy(network.out, labels, network.out.length / labels.length);
  network.back(gradient);
  return loss;
}

export function mlp(inputs: Inputs, steps: number): TrainReference {
  const pass = (p: Parameters): number =>
    classify(
      inputs,
      chain(
        input(inputs, "x").data,
        (h) => dense(p, "w1", "b1", h),
        relu,
        (h) => dense(p, "w2", "b2", h),
        relu,
        (h) => dense(p, "w3", "b3", h),
      ),
    );
  return train(mlpParams, inputs, steps, pass, adam(1e-3));
}

export function cnn(inputs: Inputs, steps: number): TrainReference {
  const pass = (p: Parameters): number =>
    classify(
      inputs,
      chain(
        input(inputs, "x").data,
        (h) => conv(p, "k1", "b1", h, 28),
        relu,
        (h) => maxPool(h, 28, 16),
        (h) => conv(p, "k2", "b2", h, 14),
        relu,
        (h) => maxPool(h, 14, 32),
        (h) => dense(p, "w", "b", h),
      ),
    );
  return train(cnnParams, inputs, steps, pass, sgd(0.05));
}

/** x + f(x). */
function residual(x: Float64Array, ...layers: readonly ((x: Float64Array) => Layer)[]): Layer {
  const inner = chain(x, ...layers);
  const add = (a: Float64Array, b: Float64Array): Float64Array => a.map((v, i) => v + at(b, i));
  return { out: add(x, inner.out), back: (d) => add(d, inner.back(d)) };
}

export function transformer(inputs: Inputs, steps: number): TrainReference {
  const { data, shape } = input(inputs, "x");
  const [, length = 0, width = 0] = shape;
  const heads = 4;
  const pass = (p: Parameters): number => {
    const network = chain(
      data,
      (x) =>
        residual(
          x,
          (h) => layerNorm(p, "ln1s", "ln1b", h),
          (h) => dense(p, "wqkv", "bqkv", h),
          (h) => attention(h, length, heads, width / heads),
          (h) => dense(p, "wo", "bo", h),
        ),
      (x) =>
        residual(
          x,
          (h) => layerNorm(p, "ln2s", "ln2b", h),
          (h) => dense(p, "wf1", "bf1", h),
          gelu,
          (h) => dense(p, "wf2", "bf2", h),
        ),
    );
    const { out } = network;
    network.back(out.map((v) => (2 * v) / out.length));
    return out.reduce((sum, v) => sum + v * v, 0) / out.length;
  };
  return train(blockParams, inputs, steps, pass, sgd(0.1));
}
