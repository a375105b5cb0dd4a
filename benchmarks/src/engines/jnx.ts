/** jnx: every task under jax.jit, but for T3e; T7 also through nnx, as an engine of its own. */
import type { Backend } from "../adapter.ts";
import { input, mlpParams, mlpSizes, type Input, type Inputs, type Task } from "../tasks.ts";
import { float32, type Engine, type EngineModule, type Job } from "./engine.ts";

interface Tensor {
  data(): Promise<unknown>;
}
type Op = (...args: Tensor[]) => Tensor;
type Tree = Record<string, Tensor>;
type Operand = Tensor | number;
interface Reduce {
  readonly axis?: number;
  readonly keepdims?: boolean;
}
interface Transformation {
  init(params: Tree): unknown;
  update(grads: Tree, state: unknown, params: Tree): [Tree, unknown];
}
interface Linear {
  readonly kernel: { value: Tensor };
  readonly bias: { value: Tensor };
  call(x: Tensor): Tensor;
}

/** What is used here of the package "jnx". */
interface Jnx {
  init(options: { device: Backend }): Promise<unknown>;
  readonly jax: {
    jit<F>(f: F, options?: { donateArgnums?: readonly number[] }): F;
    valueAndGrad(f: (p: Tree) => Tensor): (p: Tree) => [Tensor, Tree];
  };
  readonly jnp: {
    array(data: ArrayBufferView, options?: { dtype?: string }): Tensor;
    reshape(x: Tensor, shape: readonly number[]): Tensor;
    matmul(a: Tensor, b: Tensor): Tensor;
    tanh(x: Tensor): Tensor;
    sqrt(x: Tensor): Tensor;
    square(x: Tensor): Tensor;
    add(a: Operand, b: Operand): Tensor;
    subtract(a: Operand, b: Operand): Tensor;
    multiply(a: Operand, b: Operand): Tensor;
    divide(a: Operand, b: Operand): Tensor;
    maximum(a: Operand, b: Operand): Tensor;
    sum(x: Tensor, options?: Reduce): Tensor;
    mean(x: Tensor, options?: Reduce): Tensor;
  };
  readonly random: { PRNGKey(seed: number): Tensor; normal(key: Tensor, shape: readonly number[]): Tensor };
  readonly nn: { relu(x: Tensor): Tensor; softmax(x: Tensor, options?: { axis?: number }): Tensor };
  readonly optax: {
    adam(learningRate: number): Transformation;
    applyUpdates(params: Tree, updates: Tree): Tree;
    softmaxCrossEntropyWithIntegerLabels(logits: Tensor, labels: Tensor): Tensor;
  };
  readonly nnx: {
    readonly Module: new () => object;
    readonly Linear: new (din: number, dout: number, options: { rngs: object }) => Linear;
    readonly Rngs: new (seed: number) => object;
    readonly Param: unknown;
    readonly Optimizer: new (
      model: object,
      tx: Transformation,
      options: { wrt: unknown },
    ) => {
      update(model: object, grads: unknown): void;
    };
    jit<F>(f: F): F;
    valueAndGrad<M>(f: (model: M) => Tensor): (model: M) => [Tensor, unknown];
  };
}

/** Waits until the device has done all that is queued. */
type Settle = () => Promise<void>;

function upload({ jnp }: Jnx, { data, shape }: Input): Tensor {
  const flat = jnp.array(data);
  return shape.length === 1 ? flat : jnp.reshape(flat, shape);
}

function opFor({ jax, jnp, nn, random }: Jnx, task: Task): { f: Op; args: readonly string[] } {
  const pointwise = (x: Tensor): Tensor =>
    jnp.add(jnp.multiply(jnp.tanh(jnp.add(jnp.multiply(x, 1.5), 0.5)), x), jnp.maximum(x, 0));
  switch (task.id) {
    case "T1.256":
    case "T1.512":
    case "T1.1024":
      return { f: jax.jit(jnp.matmul), args: ["a", "b"] };
    case "T2":
      return { f: jax.jit(jnp.matmul), args: ["a", "x"] };
    case "T3":
      return { f: jax.jit(pointwise), args: ["x"] };
    case "T3e":
      return { f: pointwise, args: ["x"] };
    case "T4":
      return { f: jax.jit((x: Tensor) => nn.softmax(x, { axis: -1 })), args: ["x"] };
    case "T5": {
      const norm = (x: Tensor, scale: Tensor, bias: Tensor): Tensor => {
        const mean = jnp.mean(x, { axis: -1, keepdims: true });
        const centred = jnp.subtract(x, mean);
        const variance = jnp.mean(jnp.square(centred), { axis: -1, keepdims: true });
        return jnp.add(jnp.multiply(jnp.divide(centred, jnp.sqrt(jnp.add(variance, 1e-5))), scale), bias);
      };
      return { f: jax.jit(norm), args: ["x", "scale", "bias"] };
    }
    case "T6":
      return { f: jax.jit((x: Tensor) => jnp.sum(x)), args: ["x"] };
    case "T11": {
      const key = random.PRNGKey(0);
      return { f: jax.jit(() => random.normal(key, [2 ** 20])), args: [] };
    }
    case "T7":
      throw new Error("jnx: T7 is not a single operation");
  }
}

async function openOp(jnx: Jnx, settle: Settle, task: Task): Promise<Job> {
  const { f, args } = opFor(jnx, task);
  const inputs = task.inputs();
  const operands = args.map((name) => upload(jnx, input(inputs, name)));
  await settle();
  let last: Tensor | undefined;
  return {
    step() {
      last = f(...operands);
    },
    wait: settle,
    async read() {
      return float32(await last?.data(), "jnx");
    },
  };
}

/** The mean cross-entropy of a batch. */
function meanLoss({ jnp, optax }: Jnx, logits: Tensor, y: Tensor): Tensor {
  return jnp.mean(optax.softmaxCrossEntropyWithIntegerLabels(logits, y));
}

function leaf(tree: Tree, name: string): Tensor {
  const found = tree[name];
  if (found === undefined) throw new Error(`jnx: no parameter ${name}`);
  return found;
}

function trainJob(settle: Settle, step: () => Tensor, param: (name: string) => Tensor): Job {
  let loss: Tensor | undefined;
  return {
    step() {
      loss = step();
    },
    wait: settle,
    async read() {
      return float32(await loss?.data(), "jnx");
    },
    async params() {
      const out: Float32Array[] = [];
      for (const name of mlpParams) out.push(float32(await param(name).data(), "jnx"));
      return out;
    },
  };
}

/** T7 with functions over a tree of parameters. */
async function openFunctional(jnx: Jnx, settle: Settle, inputs: Inputs): Promise<Job> {
  const { jax, jnp, nn, optax } = jnx;
  const [x, y] = [upload(jnx, input(inputs, "x")), upload(jnx, input(inputs, "y"))];
  const dense = (p: Tree, h: Tensor, l: number): Tensor => jnp.add(jnp.matmul(h, leaf(p, `w${l}`)), leaf(p, `b${l}`));
  const tx = optax.adam(1e-3);
  let params: Tree = Object.fromEntries(mlpParams.map((name) => [name, upload(jnx, input(inputs, name))]));
  let state = tx.init(params);
  const trainStep = (p: Tree, s: unknown, xs: Tensor, ys: Tensor): [Tree, unknown, Tensor] => {
    const [loss, grads] = jax.valueAndGrad((q) => {
      const h = nn.relu(dense(q, nn.relu(dense(q, xs, 1)), 2));
      return meanLoss(jnx, dense(q, h, 3), ys);
    })(p);
    const [updates, after] = tx.update(grads, s, p);
    return [optax.applyUpdates(p, updates), after, loss];
  };
  const step = jax.jit(trainStep, { donateArgnums: [0, 1] });
  await settle();
  return trainJob(
    settle,
    () => {
      const [nextParams, nextState, loss] = step(params, state, x, y);
      [params, state] = [nextParams, nextState];
      return loss;
    },
    (name) => leaf(params, name),
  );
}

/** T7 as a user of nnx writes it: a module, an Optimizer, nnx.jit. */
async function openStateful(jnx: Jnx, settle: Settle, inputs: Inputs): Promise<Job> {
  const { nnx, nn, optax } = jnx;
  const [x, y] = [upload(jnx, input(inputs, "x")), upload(jnx, input(inputs, "y"))];
  class Mlp extends nnx.Module {
    readonly layers: readonly Linear[];
    constructor({ rngs }: { rngs: object }) {
      super();
      this.layers = [1, 2, 3].map((l) => new nnx.Linear(mlpSizes[l - 1] ?? 0, mlpSizes[l] ?? 0, { rngs }));
    }
    call(xs: Tensor): Tensor {
      return this.layers.reduce((h, layer, l) => layer.call(l === 0 ? h : nn.relu(h)), xs);
    }
  }
  const model = new Mlp({ rngs: new nnx.Rngs(0) });
  const variable = (name: string): { value: Tensor } => {
    const layer = model.layers[Number(name.slice(1)) - 1];
    if (layer === undefined) throw new Error(`jnx: no parameter ${name}`);
    return name.startsWith("w") ? layer.kernel : layer.bias;
  };
  for (const name of mlpParams) variable(name).value = upload(jnx, input(inputs, name));
  const optimizer = new nnx.Optimizer(model, optax.adam(1e-3), { wrt: nnx.Param });
  const step = nnx.jit((m: Mlp, o: typeof optimizer, xs: Tensor, ys: Tensor): Tensor => {
    const [loss, grads] = nnx.valueAndGrad((inner: Mlp) => meanLoss(jnx, inner.call(xs), ys))(m);
    o.update(m, grads);
    return loss;
  });
  await settle();
  return trainJob(
    settle,
    () => step(model, optimizer, x, y),
    (name) => variable(name).value,
  );
}

type OpenTrain = typeof openFunctional;

function engine(openTrain: OpenTrain): EngineModule {
  return {
    async load(backend): Promise<Engine> {
      // The interface above is the part of the package's types that the tasks need.
      const jnx = (await import("jnx")) as unknown as Jnx;
      const { executor } = await import("@jnx/tensor");
      const settle: Settle = () => executor().settled();
      return {
        version: "workspace",
        async start() {
          // "webgpu" is navigator.gpu where there is one, and there the harness has put the run's adapter.
          await jnx.init({ device: backend });
        },
        open: (task) => (task.kind === "op" ? openOp(jnx, settle, task) : openTrain(jnx, settle, task.inputs())),
      };
    },
  };
}

export const functional = engine(openFunctional);
export const stateful = engine(openStateful);
