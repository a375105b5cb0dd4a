/** T7, T8 and T9 in jax-js: gradients, update and all in one jit. */
import type * as Jax from "@jax-js/jax";
import { input, type TrainTask } from "../../tasks/index.ts";
import { block, cnnBatch, cnnClasses, mlpBatch, mlpSizes } from "../../tasks/training.ts";
import { entry } from "../engine.ts";
import { leaf, mapTree, upload, type Arr, type Tree } from "./arrays.ts";

/** Whatever an update keeps: moments, powers of its rates. */
type State = Record<string, Tree>;
type Loss = (p: Tree, x: Arr, y: Arr) => Arr;
type Update = (p: Tree, g: Tree, state: State) => [Tree, State];
type TrainStep = (p: Tree, state: State, x: Arr, y: Arr) => [Arr, Tree, State];

export interface Training {
  step(): Arr;
  /** A reference of its own to a parameter. */
  param(name: string): Arr;
}

function dense(jax: typeof Jax, p: Tree, h: Arr, w: string, b: string): Arr {
  return jax.numpy.matmul(h, leaf(p, w)).add(leaf(p, b));
}

function meanLoss(jax: typeof Jax, logits: Arr, y: Arr, batch: number, classes: number): Arr {
  const picked = jax.nn.logSoftmax(logits, -1).mul(jax.nn.oneHot(y, classes));
  return jax.numpy.sum(picked).mul(-1 / batch);
}

function mlp(jax: typeof Jax): Loss {
  const { relu } = jax.nn;
  return (p, x, y) => {
    const h = relu(dense(jax, p, relu(dense(jax, p, x, "w1", "b1")), "w2", "b2"));
    return meanLoss(jax, dense(jax, p, h, "w3", "b3"), y, mlpBatch, mlpSizes[3]);
  };
}

/** Its convolutions take channels first, so the kernels are turned around inside the step. */
function cnn(jax: typeof Jax): Loss {
  const np = jax.numpy;
  const layer = (p: Tree, h: Arr, k: string, b: string, features: number): Arr => {
    const kernel = np.transpose(leaf(p, k), [3, 2, 0, 1]);
    const y = jax.lax.convGeneralDilated(h, kernel, [1, 1], "SAME").add(leaf(p, b).reshape([features, 1, 1]));
    return jax.lax.reduceWindow(jax.nn.relu(y), np.max, [2, 2], [2, 2]);
  };
  return (p, x, y) => {
    const h = layer(p, layer(p, np.transpose(x, [0, 3, 1, 2]), "k1", "b1", 16), "k2", "b2", 32);
    const flat = np.transpose(h, [0, 2, 3, 1]).reshape([cnnBatch, 1568]);
    return meanLoss(jax, dense(jax, p, flat, "w", "b"), y, cnnBatch, cnnClasses);
  };
}

function transformer(jax: typeof Jax): Loss {
  const np = jax.numpy;
  const { batch, length, width, heads, depth } = block;
  const norm = (p: Tree, h: Arr, s: string, b: string): Arr => {
    const centred = h.ref.sub(np.mean(h, -1, { keepdims: true }));
    const variance = np.mean(np.square(centred.ref), -1, { keepdims: true });
    return centred
      .div(np.sqrt(variance.add(1e-5)))
      .mul(leaf(p, s))
      .add(leaf(p, b));
  };
  return (p, x, y) => {
    y.dispose();
    const split = np.split(dense(jax, p, norm(p, x.ref, "ln1s", "ln1b"), "wqkv", "bqkv"), 3, -1);
    const [q, k, v] = split.map((part) => part.reshape([batch, length, heads, depth]));
    if (q === undefined || k === undefined || v === undefined) throw new Error("jaxjs: split gave fewer than three");
    const attended = jax.nn.dotProductAttention(q, k, v, { isCausal: true }).reshape([batch, length, width]);
    const h = x.add(dense(jax, p, attended, "wo", "bo"));
    const hidden = jax.nn.gelu(dense(jax, p, norm(p, h.ref, "ln2s", "ln2b"), "wf1", "bf1"));
    return np.mean(np.square(h.add(dense(jax, p, hidden, "wf2", "bf2"))));
  };
}

function sgd(rate: number): Update {
  return (p, g, state) => [mapTree((a, b) => a.sub(b.mul(rate)), p, g), state];
}

/** State: moments m and v, and b1^t and b2^t, of shape []. */
function adam(jax: typeof Jax): Update {
  const np = jax.numpy;
  return (p, g, state) => {
    const { m = {}, v = {}, powers = {} } = state;
    const m1 = mapTree((a, b) => a.mul(0.9).add(b.mul(0.1)), m, jax.tree.ref(g));
    const v1 = mapTree((a, b) => a.mul(0.999).add(np.square(b).mul(0.001)), v, g);
    const [b1, b2] = [leaf(powers, "b1").mul(0.9), leaf(powers, "b2").mul(0.999)];
    const [u1, u2] = [np.subtract(1, b1.ref), np.subtract(1, b2.ref)];
    const move = (a: Arr, ma: Arr, va: Arr): Arr =>
      a.sub(
        ma
          .div(u1.ref)
          .mul(1e-3)
          .div(np.sqrt(va.div(u2.ref)).add(1e-8)),
      );
    const p1 = mapTree(move, p, jax.tree.ref(m1), jax.tree.ref(v1));
    u1.dispose();
    u2.dispose();
    return [p1, { m: m1, v: v1, powers: { b1, b2 } }];
  };
}

function adamState(jax: typeof Jax, params: Tree): State {
  const zeros = (): Tree => mapTree((a) => jax.numpy.zeros([...a.shape]), params);
  const one = (): Arr => jax.numpy.array(Float32Array.of(1), { shape: [] });
  return { m: zeros(), v: zeros(), powers: { b1: one(), b2: one() } };
}

function trainStep(jax: typeof Jax, loss: Loss, update: Update): TrainStep {
  const lossAndGrads = jax.valueAndGrad((p: Tree, x: Arr, y: Arr) => loss(jax.tree.ref(p), x, y));
  const step: TrainStep = (p, state, x, y) => {
    const [value, gradients] = lossAndGrads(jax.tree.ref(p), x, y);
    // jax-js types a gradient by a mapped type over trees; for a record of arrays it is that record.
    const [after, next] = update(p, gradients as unknown as Tree, state);
    return [value, after, next];
  };
  // jit keeps the function's shape, but its declared argument type (arrays or scalars) is wider than needed here.
  return jax.jit(step as (...args: unknown[]) => never) as unknown as TrainStep;
}

interface Recipe {
  readonly loss: Loss;
  readonly update: Update;
  readonly state: (p: Tree) => State;
}

export async function openTraining(jax: typeof Jax, task: TrainTask): Promise<Training> {
  const none = (): State => ({});
  const recipes: Readonly<Record<string, Recipe>> = {
    T7: { loss: mlp(jax), update: adam(jax), state: (p) => adamState(jax, p) },
    T8: { loss: cnn(jax), update: sgd(0.05), state: none },
    T9: { loss: transformer(jax), update: sgd(0.1), state: none },
  };
  const recipe = entry(recipes, task, "jaxjs");
  const inputs = task.inputs();
  const x = upload(jax, input(inputs, "x"));
  const y = inputs["y"] === undefined ? jax.numpy.zeros([]) : upload(jax, inputs["y"]);
  let params: Tree = Object.fromEntries(task.params.map((name) => [name, upload(jax, input(inputs, name))]));
  let state = recipe.state(params);
  await jax.blockUntilReady([x, y, ...Object.values(params)]);
  const step = trainStep(jax, recipe.loss, recipe.update);
  return {
    step() {
      const [value, after, next] = step(params, state, x.ref, y.ref);
      [params, state] = [after, next];
      return value;
    },
    param: (name) => leaf(params, name).ref,
  };
}
