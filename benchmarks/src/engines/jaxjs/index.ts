/** jax-js (npm @jax-js/jax): every task under its jit, but for the eager ones. Its arrays are owned: `.ref` keeps one alive past a call. */
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import type * as Jax from "@jax-js/jax";
import type { Backend } from "../../adapter.ts";
import { input, type OpTask, type TrainTask } from "../../tasks/index.ts";
import { WebWorker } from "../../web-worker.ts";
import { entry, float32, need, type Engine, type Job } from "../engine.ts";
import { upload, type Arr } from "./arrays.ts";
import { operations } from "./ops.ts";
import { openTraining } from "./training.ts";

function version(): string {
  const path = createRequire(import.meta.url)
    .resolve("@jax-js/jax")
    .replace(/dist.*$/, "package.json");
  const found = /"version":\s*"([^"]+)"/.exec(readFileSync(path, "utf8"));
  return found?.[1] ?? "unknown";
}

async function openOp(jax: typeof Jax, task: OpTask): Promise<Job> {
  const { f, args } = entry(operations(jax), task, "jaxjs");
  const inputs = task.inputs();
  const operands = args.map((name) => upload(jax, input(inputs, name)));
  await jax.blockUntilReady(operands);
  let last: Arr | undefined;
  return {
    step() {
      const next = f(...operands.map((x) => x.ref));
      last?.dispose();
      last = next;
    },
    async wait() {
      await need(last, "result yet").blockUntilReady();
    },
    async read() {
      return float32(await need(last, "result yet").ref.data(), "jaxjs");
    },
  };
}

async function openTrain(jax: typeof Jax, task: TrainTask): Promise<Job> {
  const training = await openTraining(jax, task);
  let loss: Arr | undefined;
  return {
    step() {
      const next = training.step();
      loss?.dispose();
      loss = next;
    },
    async wait() {
      await need(loss, "loss yet").blockUntilReady();
    },
    async read() {
      return float32(await need(loss, "loss yet").ref.data(), "jaxjs");
    },
    async params() {
      const out: Float32Array[] = [];
      for (const name of task.params) out.push(float32(await training.param(name).data(), "jaxjs"));
      return out;
    },
  };
}

/** It calls `map` and `filter` of iterators, which Node 20 lacks. */
function addIteratorHelpers(): void {
  const prototype: unknown = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()));
  if (typeof prototype !== "object" || prototype === null || "map" in prototype) return;
  type Callback = (value: unknown, index: number) => unknown;
  const map = function* (this: Iterable<unknown>, f: Callback): Generator {
    let index = 0;
    for (const value of this) yield f(value, index++);
  };
  const filter = function* (this: Iterable<unknown>, f: Callback): Generator {
    let index = 0;
    for (const value of this) if (Boolean(f(value, index++))) yield value;
  };
  Object.defineProperties(prototype, {
    map: { value: map, configurable: true, writable: true },
    filter: { value: filter, configurable: true, writable: true },
  });
}

export async function load(backend: Backend): Promise<Engine> {
  // Its Wasm backend looks for Worker when it is imported, and without one uses a single thread.
  if (backend === "wasm") Object.assign(globalThis, { Worker: WebWorker });
  addIteratorHelpers();
  const jax = await import("@jax-js/jax");
  return {
    version: version(),
    async start() {
      const devices = await jax.init(backend);
      if (!devices.includes(backend))
        throw new Error(`jaxjs: got no ${backend} device; name an adapter with --adapter`);
      jax.defaultDevice(backend);
    },
    open: (task) => (task.kind === "op" ? openOp(jax, task) : openTrain(jax, task)),
  };
}
