/** The single operations in tfjs. */
import type * as Tf from "@tensorflow/tfjs-core";
import { chainLength } from "../../tasks/ops.ts";
import { need, type OpTable } from "../engine.ts";

type Op = (...args: Tf.Tensor[]) => Tf.Tensor;

export function operations(tf: typeof Tf): OpTable<Op> {
  const one =
    (f: (x: Tf.Tensor) => Tf.Tensor): Op =>
    (x) =>
      f(need(x, "operand"));
  const two =
    (f: (x: Tf.Tensor, y: Tf.Tensor) => Tf.Tensor): Op =>
    (x, y) =>
      f(need(x, "operand"), need(y, "operand"));
  const layerNorm = (x: Tf.Tensor, scale: Tf.Tensor, bias: Tf.Tensor): Tf.Tensor => {
    const { mean, variance } = tf.moments(x, -1, true);
    return tf.add(tf.mul(tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, 1e-5))), scale), bias);
  };
  const chain = (x: Tf.Tensor, c: Tf.Tensor): Tf.Tensor => {
    let out = x;
    for (let link = 0; link < chainLength; link++) out = tf.add(out, c);
    return out;
  };
  const sorted = (x: Tf.Tensor): Tf.Tensor => tf.reverse(tf.topk(x, x.size).values);
  const matmul = { f: two((a, b) => tf.matMul(a, b)), args: ["a", "b"] };
  return {
    "T1.256": matmul,
    "T1.512": matmul,
    "T1.1024": matmul,
    T2: { f: two((a, x) => tf.matMul(a, tf.reshape(x, [2048, 1]))), args: ["a", "x"] },
    T3e: { f: one((x) => tf.add(tf.mul(tf.tanh(tf.add(tf.mul(x, 1.5), 0.5)), x), tf.relu(x))), args: ["x"] },
    T4: { f: one((x) => tf.softmax(x, -1)), args: ["x"] },
    T5: {
      f: (x, s, b) => layerNorm(need(x, "operand"), need(s, "operand"), need(b, "operand")),
      args: ["x", "scale", "bias"],
    },
    T6: { f: one((x) => tf.sum(x)), args: ["x"] },
    T10: { f: two(chain), args: ["x", "c"] },
    // Drawn on the CPU, uploaded when the device first needs it: adding 0 is that need.
    T11: { f: () => tf.add(tf.randomNormal([2 ** 20]), 0), args: [] },
    T12: { f: one((x) => tf.transpose(x)), args: ["x"] },
    T13: { f: two((table, idx) => tf.gather(table, tf.cast(idx, "int32"))), args: ["table", "idx"] },
    // It has no sort of its own.
    T14: { f: one(sorted), args: ["x"] },
  };
}
