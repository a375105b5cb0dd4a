/** The process of one engine: waits for commands, does one at a time, answers. */
import { adapterNames, backendOf, chooseAdapter, installCpu, installWebGPU } from "./adapter.ts";
import { countNothing, countWebGPU, type Counter } from "./counts.ts";
import { findEngine } from "./engines/index.ts";
import type { Engine, Job } from "./engines/engine.ts";
import type { Command, Protocol, Request, Response } from "./protocol.ts";
import { measureCpu } from "./roofline-cpu.ts";
import { measureRoofline } from "./roofline.ts";
import { findTask, type Task } from "./tasks.ts";

const name = adapterNames.find((known) => known === process.argv[2]);
if (name === undefined) throw new Error(`worker: adapter "${process.argv[2]}" is none of ${adapterNames.join(", ")}`);
chooseAdapter(name);
const backend = backendOf(name);

/** All that a process knows, filled in by its commands in order. */
const state: { counter?: Counter; engine?: Engine; task?: Task; job?: Job } = {};

function need<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`worker: no ${what} yet; send the commands in order`);
  return value;
}

async function counter(): Promise<Counter> {
  state.counter ??= backend === "wasm" ? countNothing(installCpu()) : countWebGPU(await installWebGPU());
  return state.counter;
}

/** An error on the device is an error of the command that caused it. */
async function failOnDeviceErrors(): Promise<void> {
  const { errors } = await counter();
  if (errors.length > 0) throw new Error(`WebGPU: ${errors.slice(0, 3).join("; ")}`);
}

async function runOnce(job: Job): Promise<number> {
  const begin = performance.now();
  const pending = job.step();
  if (pending !== undefined) await pending;
  await job.wait();
  return performance.now() - begin;
}

const handlers: { [C in Command]: (argument: Protocol[C]["argument"]) => Promise<Protocol[C]["reply"]> } = {
  async start({ engine }) {
    const counts = await counter();
    const module = await findEngine(engine);
    const begin = performance.now();
    state.engine = await module.load(backend);
    const loaded = performance.now();
    await state.engine.start();
    const done = performance.now();
    const device = counts.devices.at(-1) ?? "unknown";
    return { version: state.engine.version, importMs: loaded - begin, initMs: done - loaded, device };
  },

  async open({ task }) {
    const engine = need(state.engine, "engine");
    state.task = findTask(task);
    state.job = await engine.open(state.task);
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

  async time() {
    return { ms: await runOnce(need(state.job, "job")) };
  },

  async count({ steps }) {
    const job = need(state.job, "job");
    const counts = await counter();
    counts.resetPeak();
    const before = counts.read();
    for (let step = 0; step < steps; step++) {
      const pending = job.step();
      if (pending !== undefined) await pending;
    }
    await job.wait();
    return { counts: counts.since(before), bytes: counts.liveBytes() };
  },

  async roofline() {
    const { devices } = await counter();
    const roofline = await (backend === "wasm" ? measureCpu() : measureRoofline());
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
