/** What an engine must offer to take part. */
import type { TuningFile } from "jnx";
import type { Backend } from "../adapter.ts";
import type { OpTask, TrainTask } from "../tasks/index.ts";

/** A task made ready: inputs on the device, nothing traced or compiled yet. */
export interface Job {
  /** Makes what one execution needs that is no part of it; called before each, untimed. */
  ready?(): void;
  /** Queues one execution; of a training task one step. May wait only for what the engine itself forces one to wait for. */
  step(): void | Promise<void>;
  /** Resolves when the device has finished all that was queued. */
  wait(): Promise<void>;
  /** The last result; of a training task the last loss (one number). */
  read(): Promise<Float32Array>;
  /** Of a training task: the parameters now, in the order of `task.params`. */
  params?(): Promise<Float32Array[]>;
  /** Bytes that the kernels of one execution read and write, each operand once for each kernel, where the engine knows. */
  bytesMoved?(): number;
}

export interface Engine {
  /** The version measured. */
  readonly version: string;
  /** Gets the device. jnx takes a tuning other than its file's, and tells by which name tunings know the adapter. */
  start(tuning?: TuningFile | false): Promise<string | void>;
  open(task: OpTask | TrainTask): Promise<Job>;
}

export interface EngineModule {
  /** What must be done once before a run, such as bundling; nothing of it is timed. */
  prepare?(backend: Backend): Promise<void>;
  /** Imports the engine itself; the time this takes is the import time. */
  load(backend: Backend): Promise<Engine>;
}

/** Operations by task: the function, and the names of the inputs it takes. */
export type OpTable<F> = Readonly<Record<string, { readonly f: F; readonly args: readonly string[] }>>;

/** The table's entry for a task; throws when the engine has none. */
export function entry<V>(table: Readonly<Record<string, V>>, { id }: { readonly id: string }, engine: string): V {
  const found = table[id];
  if (found === undefined) throw new Error(`${engine}: cannot do ${id}`);
  return found;
}

/** A value that must be there: a leaf of a tree, a result after the first step. */
export function need<T>(value: T | null | undefined, what: string): T {
  if (value === undefined || value === null) throw new Error(`there is no ${what}`);
  return value;
}

/** A result read back, as float32. */
export function float32(data: unknown, where: string): Float32Array {
  if (data instanceof Float32Array) return data;
  throw new Error(`${where}: expected a Float32Array, received ${Object.prototype.toString.call(data)}`);
}
