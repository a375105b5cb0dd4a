/**
 * TensorFlow.js with its WebGPU or Wasm backend: eager, for it has no jit. Its Node build registers no gradients, so its browser
 * build is bundled. In Node its Wasm backend has SIMD and, by its own choice, one thread.
 */
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";
import type * as Tf from "@tensorflow/tfjs-core";
import type { Backend } from "../../adapter.ts";
import { input, type OpTask, type TrainTask } from "../../tasks/index.ts";
import { bundle, bundleFile } from "../bundle.ts";
import { entry, float32, need, type Engine, type Job } from "../engine.ts";
import { upload, waiter } from "./device.ts";
import { operations } from "./ops.ts";
import { recipeOf } from "./training.ts";

const bundleName = (backend: Backend): string => `tfjs-${backend}`;

export async function prepare(backend: Backend): Promise<void> {
  const contents = [
    `export * from "@tensorflow/tfjs-core";`,
    `import "@tensorflow/tfjs-core/dist/register_all_gradients.js";`,
    `${backend === "wasm" ? "export { setWasmPaths } from" : "import"} "@tensorflow/tfjs-backend-${backend}";`,
  ].join("\n");
  const banner = [
    `import { createRequire } from "node:module";`,
    `const require = createRequire(import.meta.url), __dirname = import.meta.dirname;`,
  ].join("\n");
  await bundle(bundleName(backend), { contents, banner, external: ["node-fetch"] });
}

async function openOp(tf: typeof Tf, task: OpTask): Promise<Job> {
  const { f, args } = entry(operations(tf), task, "tfjs");
  const inputs = task.inputs();
  const operands = args.map((name) => upload(tf, input(inputs, name)));
  await waiter(tf)();
  let last: Tf.Tensor | undefined;
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

async function openTrain(tf: typeof Tf, task: TrainTask): Promise<Job> {
  const inputs = task.inputs();
  const x = upload(tf, input(inputs, "x"));
  const y = inputs["y"] === undefined ? tf.scalar(0) : upload(tf, inputs["y"]);
  const p = new Map<string, Tf.Variable>();
  for (const name of task.params) p.set(name, tf.variable(upload(tf, input(inputs, name)), true, name));
  await waiter(tf)();
  const param = (name: string): Tf.Variable => need(p.get(name), `parameter ${name}`);
  const { loss, optimizer } = recipeOf(tf, task, param);
  let last: Tf.Tensor | undefined;
  return {
    step() {
      const next = optimizer.minimize(() => loss(x, y), true) ?? undefined;
      last?.dispose();
      last = next;
    },
    wait: waiter(tf),
    async read() {
      return float32(await last?.data(), "tfjs");
    },
    async params() {
      const out: Float32Array[] = [];
      for (const name of task.params) out.push(float32(await param(name).data(), "tfjs"));
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
  const tf = (await import(pathToFileURL(bundleFile(bundleName(backend))).href)) as typeof Tf & Paths;
  return {
    version: tf.version_core,
    async start() {
      if (backend === "wasm") {
        const main = createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm");
        tf.setWasmPaths(`${path.dirname(main)}/`);
      }
      // An operation on arrays whose values the host still has would be done there, and not on the device.
      else tf.env().set("WEBGPU_CPU_FORWARD", false);
      if (!(await tf.setBackend(backend)))
        throw new Error(`tfjs: got no ${backend} device; name an adapter with --adapter`);
      await tf.ready();
    },
    open: (task) => (task.kind === "op" ? openOp(tf, task) : openTrain(tf, task)),
  };
}
