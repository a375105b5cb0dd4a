/**
 * TensorFlow.js with its WebGPU or Wasm backend: eager, for it has no jit. Its Node build registers no gradients, so its browser
 * build is bundled. In Node its Wasm backend has SIMD and, by its own choice, one thread.
 */
import { mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type * as Tf from "@tensorflow/tfjs-core";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import type { Backend } from "../adapter.ts";
import { input, mlpParams, mlpSizes, type Input, type Inputs, type Task } from "../tasks.ts";
import { float32, type Engine, type Job } from "./engine.ts";

type Tensor = Tf.Tensor;

const folder = fileURLToPath(new URL("../../", import.meta.url));
const bundleOf = (backend: Backend): string => `${folder}out/tfjs-${backend}.mjs`;

/** Bundles tfjs's browser build once; the harness calls it before any timing. */
export async function prepare(backend: Backend): Promise<void> {
  const { build } = await import("esbuild");
  await mkdir(`${folder}out`, { recursive: true });
  const contents = [
    `export * from "@tensorflow/tfjs-core";`,
    `import "@tensorflow/tfjs-core/dist/register_all_gradients.js";`,
    `${backend === "wasm" ? "export { setWasmPaths } from" : "import"} "@tensorflow/tfjs-backend-${backend}";`,
  ].join("\n");
  const banner = [
    `import { createRequire } from "node:module";`,
    `const require = createRequire(import.meta.url), __dirname = import.meta.dirname;`,
  ].join("\n");
  await build({
    stdin: { contents, resolveDir: folder },
    outfile: bundleOf(backend),
    bundle: true,
    format: "esm",
    platform: "node",
    // The "module" builds are the browser's; with the "main" ones come other copies of tfjs-core, without gradients.
    mainFields: ["module", "main"],
    banner: { js: banner },
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

/** Puts data on the device before timing; on a GPU tf.tensor() alone would upload at first use and keep a copy. */
function upload(tf: typeof Tf, { data, shape }: Input): Tensor {
  const dtype = data instanceof Int32Array ? "int32" : "float32";
  if (tf.getBackend() === "wasm") return tf.tensor(data, [...shape], dtype);
  const { device } = backendOf(tf);
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
  const buffer = device.createBuffer({ size: data.byteLength, usage });
  device.queue.writeBuffer(buffer, 0, data);
  return tf.tensor({ buffer, zeroCopy: true }, [...shape], dtype);
}

/** Sends what tfjs has batched, then waits for the device; its Wasm ops are done when they return. */
function waiter(tf: typeof Tf): () => Promise<void> {
  if (tf.getBackend() === "wasm") return () => Promise.resolve();
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

/** The part of the Wasm bundle that tfjs-core lacks. */
interface Paths {
  setWasmPaths(prefix: string): void;
}

export async function load(backend: Backend): Promise<Engine> {
  // The bundle re-exports tfjs-core under its own names.
  const tf = (await import(pathToFileURL(bundleOf(backend)).href)) as typeof Tf & Paths;
  return {
    version: tf.version_core,
    async start() {
      if (backend === "wasm") {
        const entry = createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm");
        tf.setWasmPaths(`${path.dirname(entry)}/`);
      }
      if (!(await tf.setBackend(backend)))
        throw new Error(`tfjs: got no ${backend} device; name an adapter with --adapter`);
      await tf.ready();
    },
    open: (task) => (task.kind === "op" ? openOp(tf, task) : openTrain(tf, task.inputs())),
  };
}
