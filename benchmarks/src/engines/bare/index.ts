/**
 * Two floors: the very commands that jnx gave the device for a task, given again by bare WebGPU calls. What jnx takes longer
 * than `bare` is its own host part and the new memory of its results; what `bare` takes longer than `encoded`, whose command
 * buffers are made before the clock starts, is the encoding. What `encoded` takes is the driver and the device.
 */
import type { Backend } from "../../adapter.ts";
import { isObject, wrapAround } from "../../wrap.ts";
import { need, type Engine, type EngineModule, type Job } from "../engine.ts";
import { importJnx, type Bundle } from "../jnx/engine.ts";
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

/** Hands commands over; all else is encoding. */
const giving: readonly string[] = ["submit", "writeBuffer"];

/** The calls again, once: all in one go, or the encoding first and the giving later. */
class Replay {
  private readonly calls: readonly Call[];
  private readonly results: unknown[] = [];

  constructor(calls: readonly Call[]) {
    this.calls = calls;
  }

  make(wanted: (method: string) => boolean): void {
    this.calls.forEach(({ self, method, args }, at) => {
      if (!wanted(method)) return;
      const object = this.given(self);
      const f: unknown = isObject(object) ? Reflect.get(object, method) : undefined;
      if (typeof f !== "function") throw new Error(`bare: no method ${method}`);
      this.results[at] = Reflect.apply(
        f,
        object,
        args.map((value) => this.given(value)),
      );
    });
  }

  private given(value: unknown): unknown {
    if (value instanceof Result) return this.results[value.call];
    return Array.isArray(value) ? value.map((one) => this.given(one)) : value;
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

/** The job by the calls of its fourth execution, once it has been executed. */
async function again(job: Job, encoded: boolean, nap: Bundle["nap"]): Promise<Job> {
  // The first calls compile and find their memory.
  for (let warm = 0; warm < 3; warm++) {
    await job.step();
    await job.wait();
  }
  const calls = await record(job);
  const queue = need(recorder.queue, "queue");
  const dispatches = calls.filter(({ method }) => method.startsWith("dispatch")).length;
  let next: Replay | undefined;
  return {
    ...job,
    ready() {
      next = new Replay(calls);
      if (encoded) next.make((method) => !giving.includes(method));
    },
    step() {
      need(next, "encoded execution").make((method) => !encoded || giving.includes(method));
    },
    // As jnx waits.
    wait: () =>
      nap(
        queue.onSubmittedWorkDone().then(() => undefined),
        dispatches,
      ),
  };
}

function floor(encoded: boolean): EngineModule {
  return {
    ...jnx,
    async load(backend: Backend): Promise<Engine> {
      if (backend === "wasm") throw new Error("bare, encoded: there are no WebGPU calls on wasm");
      const { nap } = await importJnx();
      const engine = await jnx.load(backend);
      watch();
      return {
        ...engine,
        async open(task) {
          const job = await engine.open(task);
          let replayed: Job | undefined;
          return {
            ...job,
            ready: () => replayed?.ready?.(),
            async step() {
              if (replayed !== undefined) return replayed.step();
              replayed = await again(job, encoded, nap);
            },
            wait: () => (replayed ?? job).wait(),
          };
        },
      };
    },
  };
}

export const bare = floor(false);
export const encoded = floor(true);
