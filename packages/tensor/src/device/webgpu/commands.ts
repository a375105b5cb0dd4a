/** What the queue holds. */
import type { Storage, Stretch } from "./memory.ts";
import type { PipelineEntry } from "./pipelines.ts";
import type { BoundStep, GpuProgram } from "./program.ts";
import type { Placed } from "./uniforms.ts";

export interface LaunchCommand {
  readonly kind: "launch";
  readonly label: string;
  readonly entry: PipelineEntry;
  readonly storages: readonly Storage[];
  readonly place: Placed;
  /** Its uniforms, if they are immediates: where its storages begin is written behind them when it is encoded. */
  readonly words: Uint32Array<ArrayBuffer> | undefined;
  readonly grid: readonly [number, number, number];
}

export interface CopyCommand {
  readonly kind: "copy";
  readonly from: Stretch;
  readonly fromOffset: number;
  readonly to: Stretch;
  readonly toOffset: number;
  readonly bytes: number;
}

export interface WriteCommand {
  readonly kind: "write";
  readonly to: Storage;
  readonly offset: number;
  readonly data: Uint8Array<ArrayBuffer>;
  /** The command before it that uses the buffer: to be submitted first, for writes overtake what is only encoded. */
  readonly after: number;
}

export interface ReplayCommand {
  readonly kind: "replay";
  readonly program: GpuProgram;
  readonly steps: readonly BoundStep[];
  /** How many steps are encoded: the first ones run while the pipelines of the others are being compiled. */
  encoded: number;
}

export interface AwaitCommand {
  readonly kind: "await";
  /** What to read; without it, what to wait for. */
  readonly from: Storage | "done" | "submitted";
  readonly offset: number;
  readonly bytes: number;
  readonly waiter: Waiter;
}

export type Command = LaunchCommand | WriteCommand | AwaitCommand | CopyCommand | ReplayCommand;

export interface Waiter {
  readonly resolve: (data: ArrayBuffer) => void;
  readonly reject: (error: unknown) => void;
}

/** The first pipeline of a command that is neither compiled nor failed. */
export function pendingPipeline(command: Command): PipelineEntry | undefined {
  if (command.kind === "launch") return isPending(command.entry) ? command.entry : undefined;
  if (command.kind !== "replay" || command.program.compiled) return undefined;
  for (const step of command.steps.slice(command.encoded))
    if (step.kind === "launch" && isPending(step.entry)) return step.entry;
  return undefined;
}

function isPending(entry: PipelineEntry): boolean {
  return entry.pipeline === undefined && entry.failure === undefined;
}
