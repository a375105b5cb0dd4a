/** One run: each task by every engine on the same adapter, checked, then timed in turns, then counted. */
import os from "node:os";
import type { AdapterName } from "./adapter.ts";
import { checkOf, type Check } from "./check.ts";
import { supports } from "./engines/index.ts";
import { EngineProcess } from "./harness.ts";
import type { ColdTimes } from "./protocol.ts";
import { coldOutcome, count, each, prepare, time, type Contender } from "./race.ts";
import type { EngineInfo, Results, TaskResult } from "./results.ts";
import type { Roofline } from "./roofline.ts";
import { findTask, type Task } from "./tasks/index.ts";

export interface Options {
  readonly adapter: AdapterName;
  readonly engines: readonly string[];
  readonly tasks: readonly string[];
  /** At least so many timed repetitions of each engine; 5 or more. */
  readonly repetitions: number;
  /** Executions of a turn, one after another; 1 unless given. */
  readonly turn?: number;
  /** Node's flags for the engines' processes. */
  readonly nodeFlags: readonly string[];
  /** Ends the run: what is finished is the result. */
  readonly signal: AbortSignal;
  /** Told what is going on and how much of the whole is done, 0 to 1. */
  progress(done: number, label: string): void;
  /** Told the results so far, at the start and after each task. */
  finished(results: Results): void;
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
  readonly #running = new Set<EngineProcess>();
  #device = "unknown";
  #done = 0;

  constructor(options: Options) {
    this.#options = options;
  }

  async go(): Promise<Results> {
    const { signal, tasks, finished } = this.#options;
    const stop = (): void => this.#running.forEach((process) => void process.close());
    signal.addEventListener("abort", stop);
    let roofline: Results["roofline"] | undefined;
    try {
      roofline = { start: await this.#roofline() };
      finished(this.#snapshot(roofline));
      for (const id of tasks) {
        this.#results.push(await this.#task(findTask(id)));
        this.#done++;
        finished(this.#snapshot(roofline));
      }
      roofline = { ...roofline, end: await this.#roofline() };
      finished(this.#snapshot(roofline));
      return this.#snapshot(roofline);
    } catch (error) {
      if (!signal.aborted || roofline === undefined) throw error;
      const results = { ...this.#snapshot(roofline), interrupted: true };
      finished(results);
      return results;
    } finally {
      signal.removeEventListener("abort", stop);
    }
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

  #start(): EngineProcess {
    this.#options.signal.throwIfAborted();
    const process = new EngineProcess(this.#options.adapter, this.#options.nodeFlags);
    this.#running.add(process);
    return process;
  }

  async #end(process: EngineProcess): Promise<void> {
    await process.close();
    this.#running.delete(process);
  }

  async #roofline(): Promise<Roofline> {
    this.#report("roofline", 0);
    const process = this.#start();
    try {
      const { device, roofline } = await process.call("roofline", {});
      this.#device = device;
      return roofline;
    } finally {
      await this.#end(process);
    }
  }

  async #task(task: Task): Promise<TaskResult> {
    const engines = this.#options.engines.filter((name) => supports(name, task));
    this.#report(`${task.id} reference`, 0);
    const check = checkOf(task);
    const contenders: readonly Contender[] =
      task.kind === "cold" ? await this.#starts(task, engines, check) : await this.#race(task, engines, check);
    const { id, title, flops, bytes } = task;
    const operations = task.kind === "op" ? task.operations : undefined;
    const outcomes = Object.fromEntries(contenders.map(({ name, outcome }) => [name, outcome]));
    return { id, title, ...(flops && { flops }), ...(bytes && { bytes }), ...(operations && { operations }), outcomes };
  }

  async #race(task: Task, engines: readonly string[], check: Check): Promise<readonly Contender[]> {
    const { adapter, repetitions, turn = 1, signal } = this.#options;
    const contenders: Contender[] = [];
    const share = engines.length / (engines.length + 2);
    try {
      for (const name of engines) {
        const contender: Contender = { name, process: this.#start(), outcome: {}, times: [] };
        contenders.push(contender);
        this.#report(`${task.id} ${name}: first call`, contenders.length / (engines.length + 2));
        await each([contender], signal, () =>
          prepare(contender, task, check, (info, device) => this.#note(info, device)),
        );
      }
      const racing = contenders.filter(({ outcome }) => outcome.failed === undefined);
      this.#report(`${task.id} timing`, share);
      await time(racing, repetitions, turn, signal, (part) =>
        this.#report(`${task.id} timing`, share + (part * (1 - share)) / 2),
      );
      // What is counted are calls of WebGPU: on the CPU there are none.
      if (adapter === "wasm") return contenders;
      this.#report(`${task.id} counting`, 0.97);
      await each(racing, signal, async (contender) => {
        contender.outcome = await count(contender, task);
      });
      return contenders;
    } finally {
      for (const { process } of contenders) await this.#end(process);
    }
  }

  /** Starts each engine so many times, in turns, each time in a fresh process. */
  async #starts(task: Task, engines: readonly string[], check: Check): Promise<readonly Contender[]> {
    const { repetitions, signal } = this.#options;
    const found = new Map<string, { contender: Contender; starts: ColdTimes[] }>();
    for (let round = 0; round < repetitions; round++) {
      for (const name of engines) {
        this.#report(`${task.id} ${name}: start ${round + 1}`, round / repetitions);
        const process = this.#start();
        const { contender: before, starts = [] } = found.get(name) ?? {};
        const contender: Contender = { name, process, outcome: before?.outcome ?? {}, times: [] };
        await each([contender], signal, async () => {
          const { version, device, outputs, ...times } = await process.call("cold", { engine: name, task: task.id });
          this.#note({ name, version, importMs: times.importMs, initMs: times.initMs }, device);
          starts.push(times);
          contender.outcome = check({ outputs, losses: [] });
        });
        await this.#end(process);
        found.set(name, { contender, starts });
      }
    }
    return [...found.values()].map(({ contender, starts }) =>
      contender.outcome.failed === undefined
        ? { ...contender, outcome: coldOutcome(contender.outcome, starts) }
        : contender,
    );
  }

  #note(info: EngineInfo, device: string): void {
    if (device !== this.#device) throw new Error(`${info.name} is on "${device}", the run on "${this.#device}"`);
    const before = this.#infos.get(info.name) ?? info;
    this.#infos.set(info.name, {
      ...info,
      importMs: Math.min(before.importMs, info.importMs),
      initMs: Math.min(before.initMs, info.initMs),
    });
  }
}

/**
 * Runs the comparison. An engine that fails on a task has the reason in its outcome; the others go on. After an abort the
 * results are those of the tasks that were finished.
 */
export function compareEngines(options: Options): Promise<Results> {
  return new Run(options).go();
}
