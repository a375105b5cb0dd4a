/** The process of one engine: waits for commands, does one at a time, answers. */
import { adapterNames, backendOf, chooseAdapter, installCpu, installWebGPU } from "./adapter.ts";
import { countNothing, countWebGPU, type Counter } from "./counts.ts";
import { findEngine } from "./engines/index.ts";
import type { Engine, Job } from "./engines/engine.ts";
import { clockWebGPU, type GpuClock } from "./gpu-clock.ts";
import type { Cold, Command, Protocol, Request, Response } from "./protocol.ts";
import { findTask, type OpTask, type Task } from "./tasks/index.ts";

const name = adapterNames.find((known) => known === process.argv[2]);
if (name === undefined) throw new Error(`worker: adapter "${process.argv[2]}" is none of ${adapterNames.join(", ")}`);
chooseAdapter(name);
const backend = backendOf(name);

/** All that a process knows, filled in by its commands in order. */
const state: { counter?: Counter; clock?: GpuClock; engine?: Engine; task?: Task; job?: Job } = {};

function need<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`worker: no ${what} yet; send the commands in order`);
  return value;
}

async function counter(): Promise<Counter> {
  if (state.counter !== undefined) return state.counter;
  if (backend === "wasm") return (state.counter = countNothing(installCpu()));
  const classes = await installWebGPU();
  state.clock = clockWebGPU(classes);
  return (state.counter = countWebGPU(classes));
}

/** An error on the device is an error of the command that caused it. */
async function failOnDeviceErrors(): Promise<void> {
  const { errors } = await counter();
  if (errors.length > 0) throw new Error(`WebGPU: ${errors.slice(0, 3).join("; ")}`);
}

async function runOnce(job: Job): Promise<number> {
  job.ready?.();
  const begin = performance.now();
  const pending = job.step();
  if (pending !== undefined) await pending;
  await job.wait();
  return performance.now() - begin;
}

/** Calls `work` and gives its result with the time it took. */
async function timed<T>(work: () => Promise<T>): Promise<[T, number]> {
  const begin = performance.now();
  const value = await work();
  return [value, performance.now() - begin];
}

/** One execution by the device's own clock. */
async function gpuTime(job: Job): Promise<number | undefined> {
  if (state.clock?.start() !== true) return undefined;
  await runOnce(job);
  return state.clock.stop();
}

async function coldStart(engineName: string, taskId: string): Promise<Cold> {
  const task = findTask(taskId);
  if (task.kind !== "cold") throw new Error(`worker: ${taskId} is no start; T15 is`);
  const { devices } = await counter();
  const module = await findEngine(engineName);
  // Making the inputs is no part of a start.
  const ready = (op: OpTask): OpTask => {
    const inputs = op.inputs();
    return { ...op, inputs: () => inputs };
  };
  const [first, second] = [ready(task.first), ready(task.second)];
  const product = async (job: Job): Promise<Float32Array> => {
    await job.step();
    return job.read();
  };
  const [engine, importMs] = await timed(() => module.load(backend));
  const [, initMs] = await timed(() => engine.start());
  const [[job, result], firstMs] = await timed(async () => {
    const opened = await engine.open(first);
    return [opened, await product(opened)] as const;
  });
  const [other, otherMs] = await timed(async () => product(await engine.open(second)));
  const [, againMs] = await timed(() => product(job));
  const device = devices.at(-1) ?? "unknown";
  return { importMs, initMs, firstMs, otherMs, againMs, version: engine.version, device, outputs: [result, other] };
}

const handlers: { [C in Command]: (argument: Protocol[C]["argument"]) => Promise<Protocol[C]["reply"]> } = {
  async start({ engine, tuning }) {
    const counts = await counter();
    const module = await findEngine(engine);
    const [loaded, importMs] = await timed(() => module.load(backend));
    state.engine = loaded;
    const [tuningKey, initMs] = await timed(() => loaded.start(tuning));
    const device = counts.devices.at(-1) ?? "unknown";
    const started = { version: loaded.version, importMs, initMs, device };
    return typeof tuningKey === "string" ? { ...started, tuningKey } : started;
  },

  async open({ task }) {
    const engine = need(state.engine, "engine");
    const found = findTask(task);
    if (found.kind === "cold") throw new Error(`worker: ${task} is a start; send "cold"`);
    state.task = found;
    state.job = await engine.open(found);
    return {};
  },

  async first() {
    const before = (await counter()).read();
    const ms = await runOnce(need(state.job, "job"));
    const { pipelines, wgslBytes } = (await counter()).since(before);
    return { ms, pipelines, wgslBytes };
  },

  async check() {
    const job = need(state.job, "job");
    if (need(state.task, "task").kind === "op") return { outputs: [await job.read()], losses: [] };
    const losses: number[] = [(await job.read())[0] ?? NaN];
    while (losses.length < 3) {
      await runOnce(job);
      losses.push((await job.read())[0] ?? NaN);
    }
    return { outputs: (await job.params?.()) ?? [], losses };
  },

  async time({ executions }) {
    const job = need(state.job, "job");
    const ms: number[] = [];
    while (ms.length < executions) ms.push(await runOnce(job));
    return { ms };
  },

  cold: ({ engine, task }) => coldStart(engine, task),

  async count({ steps }) {
    const job = need(state.job, "job");
    const counts = await counter();
    counts.resetPeak();
    const before = counts.read();
    for (let step = 0; step < steps; step++) {
      job.ready?.();
      const pending = job.step();
      if (pending !== undefined) await pending;
    }
    await job.wait();
    const counted = { counts: counts.since(before), bytes: counts.liveBytes() };
    if (steps > 1) return counted;
    const gpuMs = await gpuTime(job);
    const bytesMoved = job.bytesMoved?.();
    return { ...counted, ...(bytesMoved !== undefined && { bytesMoved }), ...(gpuMs !== undefined && { gpuMs }) };
  },

  async roofline() {
    const { devices } = await counter();
    const roofline = await (backend === "wasm"
      ? (await import("./roofline-cpu.ts")).measureCpu()
      : (await import("./roofline.ts")).measureRoofline());
    return { device: devices.at(-1) ?? "unknown", roofline };
  },
};

async function answer(request: Request): Promise<Response> {
  try {
    // The handler of a command takes that command's argument; TypeScript cannot follow the pairing through the union.
    const handler = handlers[request.command] as (argument: Request) => Promise<unknown>;
    const value = await handler(request);
    await failOnDeviceErrors();
    return { ok: true, value };
  } catch (error) {
    return { ok: false, message: error instanceof Error ? error.message : String(error) };
  }
}

process.on("message", (request: Request) => {
  void answer(request).then((response) => process.send?.(response));
});
// The harness went away, or is done with us.
process.on("disconnect", () => process.exit(0));
// Ctrl-C reaches the whole group: the harness ends us when it has written what there is.
process.on("SIGINT", () => undefined);
