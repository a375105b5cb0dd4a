/** One run: each task by every engine on the same adapter, checked, then timed in turns, then counted. */
import os from "node:os";
import type { AdapterName } from "./adapter.ts";
import { mapCounts } from "./counts.ts";
import { supports } from "./engines/index.ts";
import { EngineProcess } from "./harness.ts";
import type { Checked, First } from "./protocol.ts";
import { mlpReference, movementError, normalError, opReference, relativeError } from "./reference.ts";
import type { EngineInfo, Outcome, Results, TaskResult } from "./results.ts";
import type { Roofline } from "./roofline.ts";
import { summarize } from "./stats.ts";
import { findTask, type Task } from "./tasks.ts";

export interface Options {
  readonly adapter: AdapterName;
  readonly engines: readonly string[];
  readonly tasks: readonly string[];
  /** At least so many timed repetitions of each engine; 5 or more. */
  readonly repetitions: number;
  /** Node's flags for the engines' processes. */
  readonly nodeFlags: readonly string[];
  /** Told what is going on and how much of the whole is done, 0 to 1. */
  progress(done: number, label: string): void;
  /** Told the results so far after each task. */
  finished(results: Results): void;
}

/** An engine in the middle of a task. */
interface Contender {
  readonly name: string;
  readonly process: EngineProcess;
  outcome: Outcome;
  readonly times: number[];
}

/** Rounds go on past the least number while they are this short in sum, up to `mostRounds`. */
const roundsMs = 4000;
const mostRounds = 25;

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Calls `work` for each contender still in the race; one that fails is out. */
async function each(contenders: readonly Contender[], work: (c: Contender) => Promise<void>): Promise<void> {
  for (const contender of contenders) {
    if (contender.outcome.failed !== undefined) continue;
    try {
      await work(contender);
    } catch (error) {
      contender.outcome = { ...contender.outcome, failed: message(error) };
      await contender.process.close();
    }
  }
}

/** Holds results against float64 and gives how far off they are; `failed` is set when that is too far. */
type Check = (checked: Checked) => Outcome;

function normalCheck(task: Task): Check {
  return ({ outputs }) => {
    const error = normalError(outputs[0] ?? [], (task.bytes ?? 0) / 4);
    if (error <= task.tolerance) return { error };
    return { error, failed: `not normally distributed: off by ${error.toFixed(1)} times what chance explains` };
  };
}

function opCheck(task: Task): Check {
  if (task.distribution === "normal") return normalCheck(task);
  const want = opReference(task, task.inputs());
  return ({ outputs }) => {
    const error = relativeError(outputs[0] ?? [], want);
    if (error <= task.tolerance) return { error };
    return { error, failed: `wrong result: off by ${error.toExponential(1)} (allowed ${task.tolerance})` };
  };
}

function trainCheck(task: Task): Check {
  const want = mlpReference(task.inputs(), 3);
  return ({ outputs, losses }) => {
    const errors = want.losses.map((loss, i) => Math.abs((losses[i] ?? NaN) - loss) / Math.abs(loss));
    const error = errors.some(Number.isNaN) ? Infinity : Math.max(...errors);
    const movement = movementError(outputs, want);
    const outcome = { error, movementError: movement };
    if (error <= task.tolerance && movement <= 0.02) return outcome;
    const failed = `wrong step: losses off by ${error.toExponential(1)}, parameters by ${movement.toExponential(1)} of their movement`;
    return { ...outcome, failed };
  };
}

/**
 * Counts of one execution. For training the difference of 8 and 4 steps, so that the wait at the end drops out;
 * the peak is then that of 8 steps in flight. Bytes alive are those after executions that were each waited for.
 */
async function count({ process, outcome }: Contender, task: Task): Promise<Outcome> {
  const one = await process.call("count", { steps: 1 });
  const alive = { ...outcome, bytesAlive: one.bytes.alive };
  if (task.kind === "op") return { ...alive, counts: one.counts, bytesPeak: one.bytes.peak };
  const few = await process.call("count", { steps: 4 });
  const more = await process.call("count", { steps: 8 });
  return { ...alive, counts: mapCounts(more.counts, few.counts, (e, f) => (e - f) / 4), bytesPeak: more.bytes.peak };
}

/** Times the contenders in turns: A B A B. */
async function time(contenders: readonly Contender[], least: number, tick: (share: number) => void): Promise<void> {
  const begin = performance.now();
  for (let round = 0; round < mostRounds; round++) {
    const spent = performance.now() - begin;
    if (round >= least && spent > roundsMs * contenders.length * 0.5) break;
    await each(contenders, async (contender) => {
      const { ms } = await contender.process.call("time", {});
      contender.times.push(ms);
    });
    tick(Math.min(1, (round + 1) / least));
  }
  for (const contender of contenders) {
    if (contender.outcome.failed !== undefined || contender.times.length === 0) continue;
    contender.outcome = { ...contender.outcome, times: contender.times, summary: summarize(contender.times) };
  }
}

class Run {
  readonly #options: Options;
  readonly #infos = new Map<string, EngineInfo>();
  readonly #results: TaskResult[] = [];
  readonly #host: Results["host"] = {
    cpu: os.cpus()[0]?.model ?? "unknown",
    cores: os.cpus().length,
    node: process.version,
    loadBefore: os.loadavg()[0] ?? 0,
  };
  #device = "unknown";
  #done = 0;

  constructor(options: Options) {
    this.#options = options;
  }

  async go(): Promise<Results> {
    const start = await this.#roofline();
    for (const id of this.#options.tasks) {
      this.#results.push(await this.#task(findTask(id)));
      this.#done++;
      this.#options.finished(this.#snapshot({ start }));
    }
    const results = this.#snapshot({ start, end: await this.#roofline() });
    this.#options.finished(results);
    return results;
  }

  #snapshot(roofline: Results["roofline"]): Results {
    return {
      format: 1,
      adapter: this.#options.adapter,
      device: this.#device,
      host: this.#host,
      roofline,
      engines: [...this.#infos.values()],
      tasks: [...this.#results],
    };
  }

  #report(label: string, share: number): void {
    this.#options.progress((this.#done + share) / this.#options.tasks.length, label);
  }

  async #roofline(): Promise<Roofline> {
    this.#report("roofline", 0);
    const process = new EngineProcess(this.#options.adapter, this.#options.nodeFlags);
    try {
      const { device, roofline } = await process.call("roofline", {});
      this.#device = device;
      return roofline;
    } finally {
      await process.close();
    }
  }

  async #task(task: Task): Promise<TaskResult> {
    const { adapter, repetitions, nodeFlags } = this.#options;
    const engines = this.#options.engines.filter((name) => supports(name, task));
    this.#report(`${task.id} reference`, 0);
    const check = task.kind === "op" ? opCheck(task) : trainCheck(task);
    const contenders: Contender[] = [];
    try {
      for (const name of engines) {
        const contender: Contender = { name, process: new EngineProcess(adapter, nodeFlags), outcome: {}, times: [] };
        contenders.push(contender);
        await this.#prepare(contender, task, check, contenders.length / (engines.length + 2));
      }
      const racing = contenders.filter(({ outcome }) => outcome.failed === undefined);
      const share = engines.length / (engines.length + 2);
      this.#report(`${task.id} timing`, share);
      await time(racing, repetitions, (part) => this.#report(`${task.id} timing`, share + (part * (1 - share)) / 2));
      this.#report(`${task.id} counting`, 0.97);
      // What is counted are calls of WebGPU: on the CPU there are none.
      if (adapter !== "wasm") {
        await each(racing, async (contender) => {
          contender.outcome = await count(contender, task);
        });
      }
    } finally {
      for (const { process } of contenders) await process.close();
    }
    const { id, title, flops, bytes } = task;
    const outcomes = Object.fromEntries(contenders.map(({ name, outcome }) => [name, outcome]));
    return { id, title, ...(flops && { flops }), ...(bytes && { bytes }), outcomes };
  }

  /** Starts the engine, makes the first call and checks the result. */
  async #prepare(contender: Contender, task: Task, check: Check, share: number): Promise<void> {
    const { name, process } = contender;
    await each([contender], async () => {
      this.#report(`${task.id} ${name}: first call`, share);
      const { device, ...started } = await process.call("start", { engine: name });
      this.#note({ name, ...started });
      if (device !== this.#device) throw new Error(`${name} is on "${device}", the run on "${this.#device}"`);
      await process.call("open", { task: task.id });
      const first: First = await process.call("first", {});
      contender.outcome = { first };
      contender.outcome = { first, ...check(await process.call("check", {})) };
    });
  }

  #note(info: EngineInfo): void {
    const before = this.#infos.get(info.name) ?? info;
    this.#infos.set(info.name, {
      ...info,
      importMs: Math.min(before.importMs, info.importMs),
      initMs: Math.min(before.initMs, info.initMs),
    });
  }
}

/** Runs the comparison. An engine that fails on a task has the reason in its outcome; the others go on. */
export function compareEngines(options: Options): Promise<Results> {
  return new Run(options).go();
}
