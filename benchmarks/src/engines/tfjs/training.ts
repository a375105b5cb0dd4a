/** T7, T8 and T9 in tfjs. */
import type * as Tf from "@tensorflow/tfjs-core";
import type { TrainTask } from "../../tasks/index.ts";
import { block, cnnBatch, cnnClasses, mlpSizes } from "../../tasks/training.ts";
import { entry } from "../engine.ts";

type Param = (name: string) => Tf.Variable;
type Loss = (x: Tf.Tensor, y: Tf.Tensor) => Tf.Scalar;

interface Recipe {
  readonly loss: Loss;
  readonly optimizer: Tf.Optimizer;
}

/** h · w + b for any number of leading axes. */
function dense(tf: typeof Tf, h: Tf.Tensor, w: Tf.Tensor, b: Tf.Tensor): Tf.Tensor {
  const [fanIn = 0, fanOut = 0] = w.shape;
  const flat = h.rank === 2 ? h : tf.reshape(h, [-1, fanIn]);
  const out = tf.add(tf.matMul(flat, w), b);
  return h.rank === 2 ? out : tf.reshape(out, [...h.shape.slice(0, -1), fanOut]);
}

function meanLoss(tf: typeof Tf, logits: Tf.Tensor, y: Tf.Tensor, classes: number): Tf.Scalar {
  const picked = tf.mul(tf.logSoftmax(logits), tf.oneHot(tf.cast(y, "int32"), classes));
  return tf.neg(tf.mean(tf.sum(picked, -1)));
}

function mlp(tf: typeof Tf, p: Param): Loss {
  return (x, y) => {
    const h = tf.relu(dense(tf, tf.relu(dense(tf, x, p("w1"), p("b1"))), p("w2"), p("b2")));
    return meanLoss(tf, dense(tf, h, p("w3"), p("b3")), y, mlpSizes[3]);
  };
}

function cnn(tf: typeof Tf, p: Param): Loss {
  const layer = (h: Tf.Tensor4D, k: string, b: string): Tf.Tensor4D => {
    // A Variable is typed without its rank.
    const kernel = p(k) as Tf.Tensor as Tf.Tensor4D;
    return tf.maxPool(tf.relu(tf.add(tf.conv2d(h, kernel, 1, "same"), p(b))), 2, 2, "valid");
  };
  return (x, y) => {
    // The task's input is [n, 28, 28, 1].
    const h = layer(layer(x as Tf.Tensor4D, "k1", "b1"), "k2", "b2");
    return meanLoss(tf, dense(tf, tf.reshape(h, [cnnBatch, 1568]), p("w"), p("b")), y, cnnClasses);
  };
}

function transformer(tf: typeof Tf, p: Param): Loss {
  const { batch, length, width, heads, depth } = block;
  const norm = (h: Tf.Tensor, s: string, b: string): Tf.Tensor => {
    const { mean, variance } = tf.moments(h, -1, true);
    return tf.add(tf.mul(tf.div(tf.sub(h, mean), tf.sqrt(tf.add(variance, 1e-5))), p(s)), p(b));
  };
  const hidden = tf.tensor(
    Float32Array.from({ length: length * length }, (_, i) => (i % length > Math.floor(i / length) ? -1e9 : 0)),
    [length, length],
  );
  const byHead = (part: Tf.Tensor): Tf.Tensor =>
    tf.transpose(tf.reshape(part, [batch, length, heads, depth]), [0, 2, 1, 3]);
  const attend = (h: Tf.Tensor): Tf.Tensor => {
    const [q, k, v] = tf.split(dense(tf, h, p("wqkv"), p("bqkv")), 3, -1).map(byHead);
    if (q === undefined || k === undefined || v === undefined) throw new Error("tfjs: split gave fewer than three");
    const scores = tf.add(tf.mul(tf.matMul(q, k, false, true), 1 / Math.sqrt(depth)), hidden);
    const mixed = tf.transpose(tf.matMul(tf.softmax(scores, -1), v), [0, 2, 1, 3]);
    return dense(tf, tf.reshape(mixed, [batch, length, width]), p("wo"), p("bo"));
  };
  const gelu = (z: Tf.Tensor): Tf.Tensor => {
    const inner = tf.mul(tf.add(z, tf.mul(tf.mul(tf.mul(z, z), z), 0.044715)), Math.sqrt(2 / Math.PI));
    return tf.mul(tf.mul(z, 0.5), tf.add(tf.tanh(inner), 1));
  };
  return (x) => {
    const h = tf.add(x, attend(norm(x, "ln1s", "ln1b")));
    const up = gelu(dense(tf, norm(h, "ln2s", "ln2b"), p("wf1"), p("bf1")));
    return tf.mean(tf.square(tf.add(h, dense(tf, up, p("wf2"), p("bf2")))));
  };
}

export function recipeOf(tf: typeof Tf, task: TrainTask, p: Param): Recipe {
  const recipes: Readonly<Record<string, () => Recipe>> = {
    T7: () => ({ loss: mlp(tf, p), optimizer: tf.train.adam(1e-3, 0.9, 0.999, 1e-8) }),
    T8: () => ({ loss: cnn(tf, p), optimizer: tf.train.sgd(0.05) }),
    T9: () => ({ loss: transformer(tf, p), optimizer: tf.train.sgd(0.1) }),
  };
  return entry(recipes, task, "tfjs")();
}
