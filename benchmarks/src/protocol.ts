/** What the harness and an engine's process say to each other. */
import type { TuningFile } from "jnx";
import type { Counts, LiveBytes } from "./counts.ts";
import type { Roofline } from "./roofline.ts";

export interface Started {
  readonly version: string;
  readonly importMs: number;
  readonly initMs: number;
  /** The adapter that gave the engine its device. */
  readonly device: string;
  /** The name by which tunings know it, of jnx. */
  readonly tuningKey?: string;
}

export interface First {
  /** The first call: trace, compile, run. */
  readonly ms: number;
  readonly pipelines: number;
  readonly wgslBytes: number;
}

export interface Checked {
  /** Of an operation: its result. Of a training task: the parameters after three steps. */
  readonly outputs: readonly Float32Array[];
  /** Of a training task: the losses of the first three steps. */
  readonly losses: readonly number[];
}

export interface Counted {
  readonly counts: Counts;
  readonly bytes: LiveBytes;
  /** Bytes that kernels read and write, where the engine tells. */
  readonly bytesMoved?: number;
  /** Of one execution, by the device's own clock, where it has one. */
  readonly gpuMs?: number;
}

/** A start in a fresh process, in ms. */
export interface ColdTimes {
  readonly importMs: number;
  readonly initMs: number;
  /** Trace, compile, run and read the first product. */
  readonly firstMs: number;
  /** The first product of another shape. */
  readonly otherMs: number;
  /** The first shape again. */
  readonly againMs: number;
}

export interface Cold extends ColdTimes {
  readonly version: string;
  readonly device: string;
  /** The first two products. */
  readonly outputs: readonly Float32Array[];
}

/** Each command with its argument and its reply. */
export interface Protocol {
  start: { argument: { engine: string; tuning?: TuningFile | false }; reply: Started };
  open: { argument: { task: string }; reply: object };
  first: { argument: object; reply: First };
  check: { argument: object; reply: Checked };
  time: { argument: { executions: number }; reply: { ms: readonly number[] } };
  cold: { argument: { engine: string; task: string }; reply: Cold };
  count: { argument: { steps: number }; reply: Counted };
  roofline: { argument: object; reply: { device: string; roofline: Roofline } };
}

export type Command = keyof Protocol;
export type Request = { readonly [C in Command]: { command: C } & Protocol[C]["argument"] }[Command];

export type Response =
  { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly message: string };
