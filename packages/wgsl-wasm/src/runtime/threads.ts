import { CELL, MESSAGE, MESSAGE_BYTES, PAGE, TABLE } from "./layout.ts";
import type { KernelEntry, RunFunction } from "./kernels.ts";
import type { LinearMemory } from "./linear-memory.ts";
import type { Platform, Thread } from "./platform.ts";

/** Bits of the `ready` cell. */
const MOST_WORKERS = 31;
/**
 * Work worth the start of threads, in nanoseconds: they take the cores longer than that, and what is small, or a first step that
 * compiles its kernels, is done sooner without.
 */
const WORTH_STARTING = 10_000_000;
/** Looks at the job's number, of some 5 nanoseconds, before a worker goes to sleep: the gap between two ops. */
const SPINS = 20_000;
/** The same while a program runs: what one thread does alone in between must not put the others to sleep. */
const PROGRAM_SPINS = 400_000;
/** Looks at what others are at before this thread sleeps too, where it may: longer than a chunk, since waking takes as long. */
const PATIENCE = 10_000;
/** Of a part, as many chunks are claimed in fine pieces, at its end. */
const COARSE_LEFT = 2;
/** Milliseconds that this thread waits without giving events their turn: a worker's death is an event. */
const LONGEST_WAIT = 250;

/** One range of workgroups of one kernel, for all threads. */
export interface Job {
  readonly entry: KernelEntry;
  readonly run: RunFunction;
  readonly code: { readonly address: number; readonly bytes: number };
  readonly begin: number;
  readonly end: number;
  /** Workgroups of a claim, and of one of the last: who is early takes more of these, and nobody waits long. */
  readonly chunk: number;
  readonly fine: number;
  readonly grid: readonly [number, number, number];
  readonly scratch: number;
  readonly scratchStride: number;
}

/** The workers, and the protocol of `worker.ts` from the side that makes jobs. One job at a time. */
export class Threads {
  private readonly linear: LinearMemory;
  private readonly platform: Platform;
  private readonly onDeath: (reason: string) => void;
  private readonly workers: (Thread | undefined)[] = [];
  private readonly wanted: number;
  /** Nanoseconds that this thread computed alone what others could have shared. */
  private alone = 0;
  private begun = false;

  /** `onDeath` is called when a worker ends that had started. */
  constructor(linear: LinearMemory, platform: Platform, threads: number, onDeath: (reason: string) => void) {
    this.linear = linear;
    this.platform = platform;
    this.onDeath = onDeath;
    this.wanted = platform.startThread === undefined ? 0 : Math.min(threads - 1, MOST_WORKERS);
  }

  /** Notes work that this thread did for want of others. They start when it is worth their start. */
  missed(nanoseconds: number): void {
    this.alone += nanoseconds;
    if (this.alone > WORTH_STARTING && !this.begun) this.start();
  }

  private start(): void {
    this.begun = true;
    const { linear, onDeath } = this;
    const { startThread } = this.platform;
    for (let index = 0; index < this.wanted; index++) {
      const start = {
        memory: linear.memory,
        cell: CELL,
        index,
        message: MESSAGE,
        messageBytes: MESSAGE_BYTES,
        spins: SPINS,
        programSpins: PROGRAM_SPINS,
        page: PAGE,
      };
      const died = (reason: string): void => {
        const worker = this.workers[index];
        this.workers[index] = undefined;
        // One that never started was in no job: the others do without.
        if (worker !== undefined && (this.ready & (1 << index)) !== 0) onDeath(reason);
      };
      try {
        this.workers.push(startThread?.(start, died));
      } catch {
        // The platform has threads but gives none, as pages do whose policy forbids them.
        break;
      }
    }
  }

  /** How many take part, this one included, once they have started. */
  get size(): number {
    return this.wanted + 1;
  }

  /** How many workers have started. */
  get started(): number {
    let bits = this.ready;
    let count = 0;
    for (; bits !== 0; bits &= bits - 1) count++;
    return count;
  }

  /** Whether all workers look out for jobs: giving them one takes 2 microseconds then, and up to milliseconds else. */
  get awake(): boolean {
    return Atomics.load(this.linear.words, CELL.sleeping) === 0;
  }

  /** Jobs will come until `rest`: workers wake now, and do not sleep in between. */
  expect(): void {
    const { words } = this.linear;
    Atomics.store(words, CELL.program, 1);
    if (!this.awake) Atomics.notify(words, CELL.job);
  }

  rest(): void {
    Atomics.store(this.linear.words, CELL.program, 0);
  }

  /** Runs the job on all threads. False when others were still busy after a long wait: see `busy`. */
  run(job: Job): boolean {
    const { words } = this.linear;
    const { grid, entry } = job;
    const parts = this.started + 1;
    const part = Math.ceil((job.end - job.begin) / parts);
    const { chunk, fine } = job;
    const chunks = Math.max(0, Math.floor(part / chunk) - COARSE_LEFT);
    for (let k = 0; k < parts; k++) words[CELL.next + k * CELL.nextStride] = 0;
    words[CELL.parts] = parts;
    words[CELL.part] = part;
    words[CELL.begin] = job.begin;
    words[CELL.kernel] = entry.id;
    words[CELL.codeAddress] = job.code.address;
    words[CELL.codeBytes] = job.code.bytes;
    words[CELL.end] = job.end;
    words[CELL.chunk] = chunk;
    words[CELL.chunks] = chunks;
    words[CELL.fine] = fine;
    words[CELL.groupsX] = grid[0];
    words[CELL.groupsY] = grid[1];
    words[CELL.groupsZ] = grid[2];
    words[CELL.scratch] = job.scratch;
    words[CELL.scratchStride] = job.scratchStride;
    words[CELL.table] = TABLE;
    Atomics.store(words, CELL.state, 1);
    Atomics.add(words, CELL.job, 1);
    if (!this.awake) Atomics.notify(words, CELL.job);
    let trap: unknown;
    try {
      for (let k = 0; k < parts; k++) {
        const end = Math.min(job.end, job.begin + (k + 1) * part);
        const next = CELL.next + k * CELL.nextStride;
        for (;;) {
          const claim = Atomics.add(words, next, 1);
          const begin = job.begin + k * part + Math.min(claim, chunks) * chunk + Math.max(0, claim - chunks) * fine;
          if (begin >= end) break;
          const size = claim < chunks ? chunk : fine;
          job.run(begin, Math.min(begin + size, end), grid[0], grid[1], grid[2], job.scratch, TABLE);
        }
      }
    } catch (error) {
      trap = error;
      for (let k = 0; k < parts; k++) Atomics.store(words, CELL.next + k * CELL.nextStride, job.end);
    }
    Atomics.and(words, CELL.state, ~1);
    const done = this.wait();
    if (trap !== undefined) throw trap;
    return done;
  }

  /** Whether workers are still in a job that `run` gave up waiting for. */
  get busy(): boolean {
    return Atomics.load(this.linear.words, CELL.state) !== 0;
  }

  /** What a worker's kernel died of since the last call. */
  takeFailure(): string | undefined {
    const { words, bytes } = this.linear;
    if (words[CELL.failed] === 0) return undefined;
    const text = bytes.slice(MESSAGE + 4, MESSAGE + 4 + (words[MESSAGE / 4] ?? 0));
    words[CELL.failed] = 0;
    return new TextDecoder().decode(text);
  }

  /** Chunks that workers have claimed so far. */
  get claims(): number {
    return Atomics.load(this.linear.words, CELL.claims);
  }

  /** Ends all workers. */
  stop(): void {
    const { words } = this.linear;
    Atomics.store(words, CELL.stop, 1);
    Atomics.add(words, CELL.job, 1);
    Atomics.notify(words, CELL.job);
    const workers = this.workers.splice(0);
    for (const worker of workers) worker?.terminate();
  }

  private get ready(): number {
    return Atomics.load(this.linear.words, CELL.ready);
  }

  private wait(): boolean {
    const { words } = this.linear;
    for (let i = 0; i < PATIENCE; i++) if (Atomics.load(words, CELL.state) === 0) return true;
    const start = performance.now();
    for (;;) {
      const state = Atomics.load(words, CELL.state);
      if (state === 0) return true;
      if (performance.now() - start > LONGEST_WAIT) return false;
      if (this.platform.canBlock) Atomics.wait(words, CELL.state, state, 10);
    }
  }
}
