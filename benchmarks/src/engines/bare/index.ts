/**
 * The floor: the very commands that jnx gave the device for a task, given again by bare WebGPU calls. What jnx takes
 * longer is its own host part and the new memory of its results.
 */
import type { Backend } from "../../adapter.ts";
import { isObject, wrapAround } from "../../wrap.ts";
import { need, type Engine, type EngineModule, type Job } from "../engine.ts";
import { functional as jnx } from "../jnx/index.ts";

interface Call {
  /** The object it is made on: one of WebGPU's own, or the number of the call that gave it. */
  readonly self: unknown;
  readonly method: string;
  readonly args: readonly unknown[];
}

/** What makes and gives commands; their results are made anew at each replay. */
const recorded: Readonly<Record<string, readonly string[]>> = {
  GPUDevice: ["createCommandEncoder"],
  GPUCommandEncoder: ["beginComputePass", "copyBufferToBuffer", "clearBuffer", "finish"],
  GPUComputePassEncoder: [
    "setPipeline",
    "setBindGroup",
    "setImmediates",
    "dispatchWorkgroups",
    "dispatchWorkgroupsIndirect",
    "end",
  ],
  GPUQueue: ["submit", "writeBuffer"],
};

const recorder: { calls: Call[] | undefined; results: Map<unknown, number>; queue: GPUQueue | undefined } = {
  calls: undefined,
  results: new Map(),
  queue: undefined,
};

/** A result of a call before, by its number. */
class Result {
  readonly call: number;
  constructor(call: number) {
    this.call = call;
  }
}

/** An argument as it is to be given again: results by number, data as it was. */
function kept(value: unknown): unknown {
  const known = recorder.results.get(value);
  if (known !== undefined) return new Result(known);
  if (ArrayBuffer.isView(value)) return structuredClone(value);
  return Array.isArray(value) ? value.map(kept) : value;
}

function watch(): void {
  for (const [className, methods] of Object.entries(recorded))
    for (const method of methods)
      wrapAround(globalThis, className, method, (self, args, call) => {
        const result = call(args);
        const { calls, results } = recorder;
        if (method === "submit" && self instanceof GPUQueue) recorder.queue = self;
        if (calls === undefined) return result;
        calls.push({ self: kept(self), method, args: args.map(kept) });
        if (isObject(result)) results.set(result, calls.length - 1);
        return result;
      });
}

function replay(calls: readonly Call[]): void {
  const results: unknown[] = [];
  const given = (value: unknown): unknown => {
    if (value instanceof Result) return results[value.call];
    return Array.isArray(value) ? value.map(given) : value;
  };
  for (const { self, method, args } of calls) {
    const object = given(self);
    const f: unknown = isObject(object) ? Reflect.get(object, method) : undefined;
    if (typeof f !== "function") throw new Error(`bare: no method ${method}`);
    results.push(Reflect.apply(f, object, args.map(given)));
  }
}

async function record(job: Job): Promise<readonly Call[]> {
  const calls: Call[] = [];
  recorder.results.clear();
  recorder.calls = calls;
  try {
    await job.step();
    await job.wait();
  } finally {
    recorder.calls = undefined;
  }
  return calls;
}

async function load(backend: Backend): Promise<Engine> {
  if (backend === "wasm") throw new Error("bare: there are no WebGPU calls on wasm");
  const engine = await jnx.load(backend);
  watch();
  return {
    ...engine,
    async open(task) {
      const job = await engine.open(task);
      let calls: readonly Call[] | undefined;
      return {
        ...job,
        async step() {
          if (calls !== undefined) return replay(calls);
          // The first calls compile and find their memory.
          for (let warm = 0; warm < 3; warm++) {
            await job.step();
            await job.wait();
          }
          calls = await record(job);
        },
        wait: () => need(recorder.queue, "queue").onSubmittedWorkDone(),
      };
    },
  };
}

export const bare: EngineModule = { ...jnx, load };
