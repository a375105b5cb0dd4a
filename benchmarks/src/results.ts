/** The results file: what a run leaves behind for reports and comparisons. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Counts } from "./counts.ts";
import type { ColdTimes, First } from "./protocol.ts";
import type { Roofline } from "./roofline.ts";
import type { Summary } from "./stats.ts";

/** One engine on one task. */
export interface Outcome {
  /** Why there are no numbers: unsupported, wrong, or an error. */
  readonly failed?: string;
  /** |result - float64| by the task's measure; for training the worst loss. */
  readonly error?: number;
  /** For training: distance of the parameters from the reference, over their movement. */
  readonly movementError?: number;
  readonly first?: First;
  readonly times?: readonly number[];
  readonly summary?: Summary;
  /** Of one execution; of a training task of one step, the wait left out. */
  readonly counts?: Counts;
  readonly bytesAlive?: number;
  /** The most bytes alive during the counted executions (8 training steps in flight). */
  readonly bytesPeak?: number;
  /** Bytes that the kernels of one execution read and write, where the engine tells. */
  readonly bytesMoved?: number;
  /** One execution by the device's own clock: the sum of its compute passes. */
  readonly gpuMs?: number;
  /** Of a start: the median of each part. */
  readonly cold?: ColdTimes;
}

export interface TaskResult {
  readonly id: string;
  readonly title: string;
  readonly flops?: number;
  readonly bytes?: number;
  /** Eager operations in one execution. */
  readonly operations?: number;
  readonly outcomes: Readonly<Record<string, Outcome>>;
}

export interface EngineInfo {
  readonly name: string;
  readonly version: string;
  /** The shortest seen in this run. */
  readonly importMs: number;
  readonly initMs: number;
}

export interface Results {
  readonly format: 1;
  readonly adapter: string;
  /** The adapter as WebGPU names it. */
  readonly device: string;
  readonly host: {
    readonly cpu: string;
    readonly cores: number;
    readonly node: string;
    /** How many jobs wanted a core in the minute before the run; well above 0 the times are rough. */
    readonly loadBefore: number;
  };
  readonly roofline: { readonly start: Roofline; readonly end?: Roofline };
  readonly engines: readonly EngineInfo[];
  readonly tasks: readonly TaskResult[];
  /** The run was ended before its last task. */
  readonly interrupted?: boolean;
}

/** Writes beside and renames, so that an interrupted run leaves no half file. */
export function writeResults(file: string, results: Results): void {
  mkdirSync(path.dirname(path.resolve(file)), { recursive: true });
  writeFileSync(`${file}.part`, `${JSON.stringify(results, null, 2)}\n`);
  renameSync(`${file}.part`, file);
}

/** Reads a results file; throws with the file's name when it is none. */
export function readResults(file: string): Results {
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new Error(`results: cannot read ${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (typeof parsed !== "object" || parsed === null || Reflect.get(parsed, "format") !== 1) {
    throw new Error(`results: ${file} is not a results file of format 1; make one with "bench compare --out"`);
  }
  // The format number stands for the whole shape.
  return parsed as Results;
}
