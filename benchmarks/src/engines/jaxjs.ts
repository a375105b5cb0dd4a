/** jax-js (npm @jax-js/jax): every task under its jit, but for T3e. Its arrays are owned: `.ref` keeps one alive past a call. */
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import type * as Jax from "@jax-js/jax";
import type { Backend } from "../adapter.ts";
import { WebWorker } from "../web-worker.ts";
import { input, mlpBatch, mlpParams, mlpSizes, type Input, type Inputs, type Task } from "../tasks.ts";
import { float32, type Engine, type Job } from "./engine.ts";

type Arr = Jax.Array;
type Op = (...args: Arr[]) => Arr;
type Tree = Record<string, Arr>;

function version(): string {
  const path = createRequire(import.meta.url)
    .resolve("@jax-js/jax")
    .replace(/dist.*$/, "package.json");
  const found = /"version":\s*"([^"]+)"/.exec(readFileSync(path, "utf8"));
  return found?.[1] ?? "unknown";
}

function upload(jax: typeof Jax, { data, shape }: Input): Arr {
  const dtype = data instanceof Int32Array ? jax.numpy.int32 : jax.numpy.float32;
  return jax.numpy.array(data, { shape: [...shape], dtype });
}

function opFor(jax: typeof Jax, task: Task): { f: Op; args: readonly string[] } {
  const np = jax.numpy;
  const pointwise: Op = (x) => np.add(np.tanh(x.ref.mul(1.5).add(0.5)).mul(x.ref), np.maximum(x, 0));
  switch (task.id) {
    case "T1.256":
    case "T1.512":
    case "T1.1024":
      return { f: jax.jit((a: Arr, b: Arr) => np.matmul(a, b)), args: ["a", "b"] };
    case "T2":
      return { f: jax.jit((a: Arr, x: Arr) => np.matmul(a, x)), args: ["a", "x"] };
    case "T3":
      return { f: jax.jit(pointwise), args: ["x"] };
    case "T3e":
      return { f: pointwise, args: ["x"] };
    case "T4":
      return { f: jax.jit((x: Arr) => jax.nn.softmax(x, -1)), args: ["x"] };
    case "T5": {
      const norm: Op = (x, scale, bias) => {
        const mean = np.mean(x.ref, -1, { keepdims: true });
        const centred = x.sub(mean);
        const variance = np.mean(np.square(centred.ref), -1, { keepdims: true });
        return centred
          .div(np.sqrt(variance.add(1e-5)))
          .mul(scale)
          .add(bias);
      };
      return { f: jax.jit(norm), args: ["x", "scale", "bias"] };
    }
    case "T6":
      return { f: jax.jit((x: Arr) => np.sum(x)), args: ["x"] };
    case "T11": {
      const key = jax.random.key(0);
      return { f: jax.jit(() => jax.random.normal(key.ref, [2 ** 20])), args: [] };
    }
    case "T7":
      throw new Error("jaxjs: T7 is not a single operation");
  }
}

async function openOp(jax: typeof Jax, task: Task): Promise<Job> {
  const { f, args } = opFor(jax, task);
  const inputs = task.inputs();
  const operands = args.map((name) => upload(jax, input(inputs, name)));
  await jax.blockUntilReady(operands);
  let last: Arr | undefined;
  const result = (): Arr => {
    if (last === undefined) throw new Error("jaxjs: nothing has run yet");
    return last;
  };
  return {
    step() {
      const next = f(...operands.map((x) => x.ref));
      last?.dispose();
      last = next;
    },
    async wait() {
      await result().blockUntilReady();
    },
    async read() {
      return float32(await result().ref.data(), "jaxjs");
    },
  };
}

interface TrainState {
  readonly p: Tree;
  readonly m: Tree;
  readonly v: Tree;
  /** b1^t and b2^t, of shape []. */
  readonly c1: Arr;
  readonly c2: Arr;
}

type TrainStep = (state: TrainState, x: Arr, y: Arr) => [Arr, TrainState];

function mapTree(f: (...leaves: Arr[]) => Arr, ...trees: Tree[]): Tree {
  const out: Tree = {};
  for (const name of mlpParams) out[name] = f(...trees.map((tree) => leaf(tree, name)));
  return out;
}

function leaf(tree: Tree, name: string): Arr {
  const found = tree[name];
  if (found === undefined) throw new Error(`jaxjs: no parameter ${name}`);
  return found;
}

function mlpLoss(jax: typeof Jax, p: Tree, x: Arr, y: Arr): Arr {
  const np = jax.numpy;
  const dense = (h: Arr, l: number): Arr => np.matmul(h, leaf(p, `w${l}`)).add(leaf(p, `b${l}`));
  const logits = dense(jax.nn.relu(dense(jax.nn.relu(dense(x, 1)), 2)), 3);
  const picked = jax.nn.logSoftmax(logits, -1).mul(jax.nn.oneHot(y, mlpSizes[3]));
  return np.sum(picked).mul(-1 / mlpBatch);
}

function trainStep(jax: typeof Jax): TrainStep {
  const np = jax.numpy;
  const lossAndGrads = jax.valueAndGrad((p: Tree, x: Arr, y: Arr) => mlpLoss(jax, p, x, y));
  const step: TrainStep = ({ p, m, v, c1, c2 }, x, y) => {
    const [loss, gradients] = lossAndGrads(jax.tree.ref(p), x, y);
    // jax-js types a gradient by a mapped type over trees; for a record of arrays it is that record.
    const g = gradients as unknown as Tree;
    const m1 = mapTree((a, b) => at(a).mul(0.9).add(at(b).mul(0.1)), m, jax.tree.ref(g));
    const v1 = mapTree(
      (a, b) =>
        at(a)
          .mul(0.999)
          .add(np.square(at(b)).mul(0.001)),
      v,
      g,
    );
    const [b1, b2] = [c1.mul(0.9), c2.mul(0.999)];
    const [u1, u2] = [np.subtract(1, b1.ref), np.subtract(1, b2.ref)];
    const p1 = mapTree(
      (a, ma, va) =>
        at(a).sub(
          at(ma)
            .div(u1.ref)
            .mul(1e-3)
            .div(np.sqrt(at(va).div(u2.ref)).add(1e-8)),
        ),
      p,
      jax.tree.ref(m1),
      jax.tree.ref(v1),
    );
    u1.dispose();
    u2.dispose();
    return [loss, { p: p1, m: m1, v: v1, c1: b1, c2: b2 }];
  };
  // jit keeps the function's shape, but its declared argument type (arrays or scalars) is wider than needed here.
  return jax.jit(step as (...args: unknown[]) => never) as unknown as TrainStep;
}

function at(x: Arr | undefined): Arr {
  if (x === undefined) throw new Error("jaxjs: trees differ");
  return x;
}

async function openTrain(jax: typeof Jax, inputs: Inputs): Promise<Job> {
  const zeros = (): Tree =>
    Object.fromEntries(mlpParams.map((name) => [name, jax.numpy.zeros([...input(inputs, name).shape])]));
  const one = (): Arr => jax.numpy.array(Float32Array.of(1), { shape: [] });
  const [x, y] = [upload(jax, input(inputs, "x")), upload(jax, input(inputs, "y"))];
  const p = Object.fromEntries(mlpParams.map((name) => [name, upload(jax, input(inputs, name))]));
  let state: TrainState = { p, m: zeros(), v: zeros(), c1: one(), c2: one() };
  await jax.blockUntilReady([x, y, ...Object.values(p)]);
  const step = trainStep(jax);
  let loss: Arr | undefined;
  return {
    step() {
      const [next, after] = step(state, x.ref, y.ref);
      loss?.dispose();
      [loss, state] = [next, after];
    },
    async wait() {
      await at(loss).blockUntilReady();
    },
    async read() {
      return float32(await at(loss).ref.data(), "jaxjs");
    },
    async params() {
      const out: Float32Array[] = [];
      for (const name of mlpParams) out.push(float32(await leaf(state.p, name).ref.data(), "jaxjs"));
      return out;
    },
  };
}

export async function load(backend: Backend): Promise<Engine> {
  // Its Wasm backend looks for Worker when it is imported, and without one uses a single thread.
  if (backend === "wasm") Object.assign(globalThis, { Worker: WebWorker });
  const jax = await import("@jax-js/jax");
  return {
    version: version(),
    async start() {
      const devices = await jax.init(backend);
      if (!devices.includes(backend))
        throw new Error(`jaxjs: got no ${backend} device; name an adapter with --adapter`);
      jax.defaultDevice(backend);
    },
    open: (task) => (task.kind === "op" ? openOp(jax, task) : openTrain(jax, task.inputs())),
  };
}
