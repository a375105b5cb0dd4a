/** What the harness and an engine's process say to each other. */
import type { Counts, LiveBytes } from "./counts.ts";
import type { Roofline } from "./roofline.ts";

export interface Started {
  readonly version: string;
  readonly importMs: number;
  readonly initMs: number;
  /** The adapter that gave the engine its device. */
  readonly device: string;
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
}

/** Each command with its argument and its reply. */
export interface Protocol {
  start: { argument: { engine: string }; reply: Started };
  open: { argument: { task: string }; reply: object };
  first: { argument: object; reply: First };
  check: { argument: object; reply: Checked };
  time: { argument: object; reply: { ms: number } };
  count: { argument: { steps: number }; reply: Counted };
  roofline: { argument: object; reply: { device: string; roofline: Roofline } };
}

export type Command = keyof Protocol;
export type Request = { readonly [C in Command]: { command: C } & Protocol[C]["argument"] }[Command];

export type Response =
  { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly message: string };
