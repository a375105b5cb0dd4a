/** T7, T8 and T9 in jnx, as functions over a tree of parameters: gradients, update and all in one jit, the state donated. */
import type { Tensor } from "jnx";
import { input, type TrainTask } from "../../tasks/index.ts";
import { block } from "../../tasks/training.ts";
import { entry, need } from "../engine.ts";
import { upload, type Jnx, type Tree } from "./engine.ts";

/** A model in training. */
export interface Training {
  /** Does a step and gives the loss before the update. */
  step(): Tensor;
  param(name: string): Tensor | undefined;
  bytesMoved?(): number;
  /** What the step costs. */
  explain?(): ReturnType<ReturnType<Jnx["jax"]["jit"]>["explain"]>;
}

type Loss = (p: Tree, x: Tensor, y: Tensor) => Tensor;

interface Recipe {
  readonly loss: Loss;
  readonly tx: ReturnType<Jnx["optax"]["sgd"]>;
}

const leaf = (tree: Tree, name: string): Tensor => need(tree[name], `parameter ${name}`);

/** h · w + b, by the parameters' names. */
function dense({ jnp }: Jnx, p: Tree, h: Tensor, w: string, b: string): Tensor {
  return jnp.add(jnp.matmul(h, leaf(p, w)), leaf(p, b));
}

/** The mean cross-entropy of a batch. */
export function meanLoss({ jnp, optax }: Jnx, logits: Tensor, y: Tensor): Tensor {
  return jnp.mean(optax.softmaxCrossEntropyWithIntegerLabels(logits, y));
}

function mlp(jnx: Jnx): Loss {
  const { relu } = jnx.nn;
  return (p, x, y) => {
    const h = relu(dense(jnx, p, relu(dense(jnx, p, x, "w1", "b1")), "w2", "b2"));
    return meanLoss(jnx, dense(jnx, p, h, "w3", "b3"), y);
  };
}

function cnn(jnx: Jnx): Loss {
  const { jnp, lax, nn, nnx } = jnx;
  const layer = (p: Tree, h: Tensor, k: string, b: string): Tensor => {
    const dimensionNumbers = ["NHWC", "HWIO", "NHWC"] as const;
    const y = lax.convGeneralDilated(h, leaf(p, k), { padding: "SAME", dimensionNumbers });
    return nnx.maxPool(nn.relu(jnp.add(y, leaf(p, b))), [2, 2], { strides: [2, 2] });
  };
  return (p, x, y) => {
    const h = layer(p, layer(p, x, "k1", "b1"), "k2", "b2");
    return meanLoss(jnx, dense(jnx, p, jnp.reshape(h, [h.shape[0] ?? 0, -1]), "w", "b"), y);
  };
}

export function layerNorm({ jnp, lax }: Jnx, x: Tensor, scale: Tensor, bias: Tensor): Tensor {
  const mean = jnp.mean(x, { axis: -1, keepdims: true });
  const variance = jnp.var(x, { axis: -1, keepdims: true });
  return jnp.add(jnp.multiply(jnp.multiply(jnp.subtract(x, mean), lax.rsqrt(jnp.add(variance, 1e-5))), scale), bias);
}

function transformer(jnx: Jnx): Loss {
  const { jnp, nn } = jnx;
  const { batch, length, width, heads, depth } = block;
  return (p, x) => {
    const norm = (h: Tensor, s: string, b: string): Tensor => layerNorm(jnx, h, leaf(p, s), leaf(p, b));
    const split = jnp.split(dense(jnx, p, norm(x, "ln1s", "ln1b"), "wqkv", "bqkv"), 3, { axis: -1 });
    const [q, k, v] = split.map((part) => jnp.reshape(part, [batch, length, heads, depth]));
    const attended = nn.dotProductAttention(need(q, "q"), need(k, "k"), need(v, "v"), { isCausal: true });
    const h = jnp.add(x, dense(jnx, p, jnp.reshape(attended, [batch, length, width]), "wo", "bo"));
    const hidden = nn.gelu(dense(jnx, p, norm(h, "ln2s", "ln2b"), "wf1", "bf1"));
    return jnp.mean(jnp.square(jnp.add(h, dense(jnx, p, hidden, "wf2", "bf2"))));
  };
}

export function openTraining(jnx: Jnx, task: TrainTask): Training {
  const { jax, optax } = jnx;
  const recipes: Readonly<Record<string, Recipe>> = {
    T7: { loss: mlp(jnx), tx: optax.adam(1e-3) },
    T8: { loss: cnn(jnx), tx: optax.sgd(0.05) },
    T9: { loss: transformer(jnx), tx: optax.sgd(0.1) },
  };
  const { loss, tx } = entry(recipes, task, "jnx");
  const inputs = task.inputs();
  const x = upload(jnx, input(inputs, "x"));
  const y = inputs["y"] === undefined ? jnx.jnp.zeros([]) : upload(jnx, inputs["y"]);
  let params: Tree = Object.fromEntries(task.params.map((name) => [name, upload(jnx, input(inputs, name))]));
  let state = tx.init(params);
  const trainStep = (p: Tree, s: typeof state, xs: Tensor, ys: Tensor): [Tree, typeof state, Tensor] => {
    const [value, grads] = jax.valueAndGrad((q: Tree) => loss(q, xs, ys))(p);
    const [updates, after] = tx.update(grads, s, p);
    return [optax.applyUpdates(p, updates), after, value];
  };
  const step = jax.jit(trainStep, { donateArgnums: [0, 1] });
  return {
    step() {
      const [nextParams, nextState, value] = step(params, state, x, y);
      [params, state] = [nextParams, nextState];
      return value;
    },
    param: (name) => params[name],
    bytesMoved: () => step.explain(params, state, x, y).bytesMoved,
    explain: () => step.explain(params, state, x, y),
  };
}
