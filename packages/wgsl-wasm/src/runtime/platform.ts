/** What differs between Node, Deno, Bun, pages and web workers. */
import { jobRunner, pageToucher, work } from "./worker.ts";
import type { WorkerStart } from "./worker.ts";

/** A thread that runs `work`. */
export interface Thread {
  terminate(): void;
}

export type StartThread = (start: WorkerStart, onDeath: (reason: string) => void) => Thread;

export interface Platform {
  readonly cores: number;
  /** How to start threads; undefined where memory cannot be shared with any. */
  readonly startThread: StartThread | undefined;
  /** False on a page's main thread, where Atomics.wait is forbidden. */
  readonly canBlock: boolean;
  /** True on a page's main thread: long work gives way to events now and then. */
  readonly yields: boolean;
  /** Calls back after events had their turn. */
  readonly nextTurn: (callback: () => void) => void;
}

interface NodeWorker {
  unref(): void;
  terminate(): Promise<unknown>;
  on(event: "error", listener: (error: unknown) => void): void;
  on(event: "exit", listener: (code: number) => void): void;
}

/** The parts of Node's modules that are used, as Deno and Bun have them too. */
interface NodeModules {
  "node:worker_threads": {
    Worker: new (source: string, options: Record<string, unknown>) => NodeWorker;
  };
  "node:os": { availableParallelism?: () => number };
}

// Named helpers that some compilers wrap around inner functions; the text must bring its own.
const PRELUDE = "var __name = (f) => f, __name2 = __name;";

/** The worker's program. */
function sourceOf(start: string): string {
  const parts = Object.entries({ jobOf: jobRunner, touchOf: pageToucher, work });
  return `${PRELUDE}\n${parts.map(([name, f]) => `const ${name} = ${f.toString()};\n`).join("")}${start}`;
}

export function platform(): Platform {
  const threads = builtin("node:worker_threads");
  // Typed as in browsers, but neither is there everywhere.
  const host = globalThis as { navigator?: { hardwareConcurrency?: number }; document?: unknown };
  const canShare = typeof SharedArrayBuffer !== "undefined" && globalThis.crossOriginIsolated !== false;
  const fromWeb = typeof Worker !== "undefined" && typeof Blob !== "undefined" ? startWebWorker : undefined;
  const starts = threads === undefined ? fromWeb : startNodeWorker(threads.Worker);
  return {
    cores: builtin("node:os")?.availableParallelism?.() ?? host.navigator?.hardwareConcurrency ?? 1,
    startThread: canShare ? starts : undefined,
    canBlock: canShare && mayWait(),
    yields: host.document !== undefined && typeof MessageChannel !== "undefined" && !mayWait(),
    nextTurn,
  };
}

function nextTurn(callback: () => void): void {
  if (typeof setImmediate !== "undefined") {
    setImmediate(callback);
    return;
  }
  // Timers of browsers wait for 4 ms; messages do not.
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    callback();
  };
  port2.postMessage(null);
}

/** A module of Node's, without an import that bundlers for browsers would stumble over. */
function builtin<K extends keyof NodeModules>(name: K): NodeModules[K] | undefined {
  // Browsers have no `process`.
  const host = globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } };
  // Node 20.16 on; the module is what its name says.
  return host.process?.getBuiltinModule?.(name) as NodeModules[K] | undefined;
}

function startNodeWorker(NodeWorker: NodeModules["node:worker_threads"]["Worker"]): StartThread {
  const source = sourceOf('work(require("node:worker_threads").workerData, jobOf, touchOf);');
  return (start, onDeath) => {
    // Neither loaders nor environment: the text needs nothing, and starts faster so.
    const options = { eval: true, workerData: start, execArgv: [], env: {}, name: "jnx" };
    const worker = new NodeWorker(source, options);
    worker.unref();
    worker.on("error", (error) => onDeath(String(error)));
    worker.on("exit", (code) => onDeath(`it ended with code ${code}`));
    return { terminate: () => void worker.terminate() };
  };
}

const startWebWorker: StartThread = (start, onDeath) => {
  const source = sourceOf("onmessage = (event) => work(event.data, jobOf, touchOf);");
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const worker = new Worker(url, { name: "jnx" });
  worker.onerror = (event) => {
    event.preventDefault();
    onDeath(
      event.message || "it could not be started; does the page's Content-Security-Policy allow `worker-src blob:`?",
    );
  };
  worker.postMessage(start);
  return {
    terminate: () => {
      worker.terminate();
      URL.revokeObjectURL(url);
    },
  };
};

function mayWait(): boolean {
  try {
    const cell = new Int32Array(new SharedArrayBuffer(4));
    // Not the value there, so it returns at once where it may be called at all.
    Atomics.wait(cell, 0, 1, 0);
    return true;
  } catch {
    return false;
  }
}
