/** TensorFlow.js with its WebGPU backend: eager, for it has no jit. Its Node build registers no gradients, so its browser build is bundled. */
import { mkdir } from "node:fs/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import type * as Tf from "@tensorflow/tfjs-core";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import { input, mlpParams, mlpSizes, type Input, type Inputs, type Task } from "../tasks.ts";
import { float32, type Engine, type Job } from "./engine.ts";

type Tensor = Tf.Tensor;

const folder = fileURLToPath(new URL("../../", import.meta.url));
const bundle = `${folder}out/tfjs.mjs`;

/** Bundles tfjs's browser build once; the harness calls it before any timing. */
export async function prepare(): Promise<void> {
  const { build } = await import("esbuild");
  await mkdir(`${folder}out`, { recursive: true });
  const contents = [
    `export * from "@tensorflow/tfjs-core";`,
    `import "@tensorflow/tfjs-core/dist/register_all_gradients.js";`,
    `import "@tensorflow/tfjs-backend-webgpu";`,
  ].join("\n");
  await build({
    stdin: { contents, resolveDir: folder },
    outfile: bundle,
    bundle: true,
    format: "esm",
    platform: "node",
    // The "module" builds are the browser's; with the "main" ones come other copies of tfjs-core, without gradients.
    mainFields: ["module", "main"],
    banner: { js: `import { createRequire } from "node:module"; const require = createRequire(import.meta.url);` },
    external: ["node-fetch"],
    logLevel: "error",
  });
}

function opFor(tf: typeof Tf, task: Task): { f: (...args: Tensor[]) => Tensor; args: readonly string[] } {
  const operand = (x: Tensor | undefined): Tensor => {
    if (x === undefined) throw new Error(`tfjs: ${task.id} lacks an operand`);
    return x;
  };
  switch (task.id) {
    case "T1.256":
    case "T1.512":
    case "T1.1024":
      return { f: (a, b) => tf.matMul(operand(a), operand(b)), args: ["a", "b"] };
    case "T2":
      return { f: (a, x) => tf.matMul(operand(a), tf.reshape(operand(x), [2048, 1])), args: ["a", "x"] };
    case "T3e":
      return {
        f: (x) => tf.add(tf.mul(tf.tanh(tf.add(tf.mul(operand(x), 1.5), 0.5)), operand(x)), tf.relu(operand(x))),
        args: ["x"],
      };
    case "T4":
      return { f: (x) => tf.softmax(operand(x), -1), args: ["x"] };
    case "T5": {
      const norm = (x: Tensor, scale: Tensor, bias: Tensor): Tensor => {
        const { mean, variance } = tf.moments(x, -1, true);
        return tf.add(tf.mul(tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, 1e-5))), scale), bias);
      };
      return { f: (x, s, b) => norm(operand(x), operand(s), operand(b)), args: ["x", "scale", "bias"] };
    }
    case "T6":
      return { f: (x) => tf.sum(operand(x)), args: ["x"] };
    case "T11":
      // Drawn on the CPU, uploaded when the device first needs it: adding 0 is that need.
      return { f: () => tf.add(tf.randomNormal([2 ** 20]), 0), args: [] };
    case "T3":
    case "T7":
      throw new Error(`tfjs: ${task.id} is not an eager operation`);
  }
}

function backendOf(tf: typeof Tf): WebGPUBackend {
  // The backend registered as "webgpu" is this class; tf.backend() is typed by its base.
  return tf.backend() as WebGPUBackend;
}

/** Puts data on the device before timing; tf.tensor() alone would upload at first use and keep a copy. */
function upload(tf: typeof Tf, { data, shape }: Input): Tensor {
  const { device } = backendOf(tf);
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
  const buffer = device.createBuffer({ size: data.byteLength, usage });
  device.queue.writeBuffer(buffer, 0, data);
  return tf.tensor({ buffer, zeroCopy: true }, [...shape], data instanceof Int32Array ? "int32" : "float32");
}

/** Sends what tfjs has batched, then waits for the device. */
function waiter(tf: typeof Tf): () => Promise<void> {
  return async () => {
    const backend = backendOf(tf);
    // Its own reads end the open pass before they submit; without commands there is no encoder to submit.
    backend.endComputePassEncoder();
    if (Reflect.get(backend, "commandEncoder") !== null) backend.submitQueue();
    await backend.device.queue.onSubmittedWorkDone();
  };
}

async function openOp(tf: typeof Tf, task: Task): Promise<Job> {
  const { f, args } = opFor(tf, task);
  const inputs = task.inputs();
  const operands = args.map((name) => upload(tf, input(inputs, name)));
  await waiter(tf)();
  let last: Tensor | undefined;
  return {
    step() {
      const next = tf.tidy(() => f(...operands));
      last?.dispose();
      last = next;
    },
    wait: waiter(tf),
    async read() {
      return float32(await last?.data(), "tfjs");
    },
  };
}

async function openTrain(tf: typeof Tf, inputs: Inputs): Promise<Job> {
  const [x, y] = [upload(tf, input(inputs, "x")), upload(tf, input(inputs, "y"))];
  const p = new Map<string, Tf.Variable>();
  for (const name of mlpParams) p.set(name, tf.variable(upload(tf, input(inputs, name)), true, name));
  await waiter(tf)();
  const param = (name: string): Tf.Variable => {
    const found = p.get(name);
    if (found === undefined) throw new Error(`tfjs: no parameter ${name}`);
    return found;
  };
  const dense = (h: Tensor, l: number): Tensor => tf.add(tf.matMul(h, param(`w${l}`)), param(`b${l}`));
  const loss = (): Tf.Scalar => {
    const logits = dense(tf.relu(dense(tf.relu(dense(x, 1)), 2)), 3);
    const picked = tf.mul(tf.logSoftmax(logits), tf.oneHot(y, mlpSizes[3]));
    return tf.neg(tf.mean(tf.sum(picked, -1)));
  };
  const optimizer = tf.train.adam(1e-3, 0.9, 0.999, 1e-8);
  let last: Tensor | undefined;
  return {
    step() {
      const next = optimizer.minimize(loss, true) ?? undefined;
      last?.dispose();
      last = next;
    },
    wait: waiter(tf),
    async read() {
      return float32(await last?.data(), "tfjs");
    },
    async params() {
      const out: Float32Array[] = [];
      for (const name of mlpParams) out.push(float32(await param(name).data(), "tfjs"));
      return out;
    },
  };
}

export async function load(): Promise<Engine> {
  // The bundle re-exports tfjs-core under its own names.
  const tf = (await import(pathToFileURL(bundle).href)) as typeof Tf;
  return {
    version: tf.version_core,
    async start() {
      if (!(await tf.setBackend("webgpu")))
        throw new Error("tfjs: got no WebGPU device; name an adapter with --adapter");
      await tf.ready();
    },
    open: (task) => (task.kind === "op" ? openOp(tf, task) : openTrain(tf, task.inputs())),
  };
}
