/** What an engine must offer to take part. */
import type { Backend } from "../adapter.ts";
import type { Task } from "../tasks.ts";

/** A task made ready: inputs on the device, nothing traced or compiled yet. */
export interface Job {
  /** Queues one execution; of a training task one step. May wait only for what the engine itself forces one to wait for. */
  step(): void | Promise<void>;
  /** Resolves when the device has finished all that was queued. */
  wait(): Promise<void>;
  /** The last result; of a training task the last loss (one number). */
  read(): Promise<Float32Array>;
  /** Of a training task: the parameters now, in the order of `mlpParams`. */
  params?(): Promise<Float32Array[]>;
}

export interface Engine {
  /** The version measured. */
  readonly version: string;
  /** Gets the device. */
  start(): Promise<void>;
  open(task: Task): Promise<Job>;
}

export interface EngineModule {
  /** Imports the engine itself; the time this takes is the import time. */
  load(backend: Backend): Promise<Engine>;
}

/** A result read back, as float32. */
export function float32(data: unknown, where: string): Float32Array {
  if (data instanceof Float32Array) return data;
  throw new Error(`${where}: expected a Float32Array, received ${Object.prototype.toString.call(data)}`);
}
