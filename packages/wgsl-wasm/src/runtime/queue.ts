import { DeviceError, KernelError, OutOfMemoryError } from "@jnx/tensor";
import type { Counters, DeviceLostError } from "@jnx/tensor";
import { Failures, debugLog, summary } from "@jnx/tensor/internal";
import type { Dispatcher } from "./dispatch.ts";
import { kernelError } from "./kernels.ts";
import type { KernelEntry, Kernels } from "./kernels.ts";
import { TABLE, UNIFORMS } from "./layout.ts";
import type { LinearMemory } from "./linear-memory.ts";
import type { Threads } from "./threads.ts";

/** Milliseconds of computing before a page's main thread gives way to events. */
const TURN = 8;
/** Milliseconds after which an awaited read gives way to events: rare enough to cost nothing, and finalizers free memory. */
const EVENTS_DUE = 1;
/** Milliseconds between looks at threads that were not done after a long wait. */
const POLL = 2;

/** Milliseconds that a blocking read waits for them. */
const PATIENCE = 60_000;

/** A block of linear memory. */
export interface Storage {
  readonly bytes: number;
  readonly address: number;
}

export interface LaunchCommand {
  readonly kind: "launch";
  readonly label: string;
  /** The program that it is a step of, for errors. */
  readonly program?: string;
  readonly entry: KernelEntry;
  readonly storages: readonly Storage[];
  /** Bytes to be copied to where the kernel reads them, or where they lie already. */
  readonly uniforms: readonly (Uint8Array | Storage)[];
  readonly grid: readonly [number, number, number];
  /** Where the grid is instead, if a launch before it writes that. */
  readonly gridAt?: number;
}

interface Waiter {
  readonly resolve: (data: ArrayBuffer) => void;
  readonly reject: (error: unknown) => void;
}

export type Command =
  | LaunchCommand
  | { readonly kind: "copy"; readonly from: number; readonly to: number; readonly bytes: number }
  | { readonly kind: "write"; readonly to: number; readonly data: Uint8Array }
  | { readonly kind: "free"; readonly free: () => void }
  | { readonly kind: "await"; readonly from: number; readonly bytes: number; readonly waiter: Waiter };

interface Parts {
  readonly linear: LinearMemory;
  readonly kernels: Kernels;
  readonly dispatcher: Dispatcher;
  readonly threads: Threads;
  readonly counters: { -readonly [K in keyof Counters]: Counters[K] };
  readonly yields: boolean;
  readonly nextTurn: (callback: () => void) => void;
  readonly debug: boolean;
}

/**
 * The commands in their order. Each runs at once, within the call that queues it; but a page's main thread works in turns, and
 * what does not fit into one is kept for the next.
 */
export class CommandQueue {
  readonly failures = new Failures();
  private readonly parts: Parts;
  private commands: Command[] = [];
  /** Workgroups of the first command that are done. */
  private progress = 0;
  private last = 0;
  private done = 0;
  /** Milliseconds computed in this turn of the event loop. */
  private spent = 0;
  private resuming = false;
  private stalled = false;
  private lost = false;
  /** When a read last gave events their turn: timers, other requests, and the finalizers of dropped tensors need it. */
  private turned = 0;
  private readonly waiters = new Set<Waiter>();
  private labels: string[] = [];
  private micros: number[] = [];
  private dispatches = 0;
  private flushes = 0;
  private flushSoon = false;
  private readonly channel: MessageChannel | undefined;
  /** The op and kernel that other threads are busy with, for the error of a thread that dies. */
  running = "";

  constructor(parts: Parts) {
    this.parts = parts;
    if (parts.yields) {
      this.channel = new MessageChannel();
      this.channel.port1.onmessage = () => this.resume();
    }
  }

  push(command: Command): void {
    this.last++;
    if (this.commands.length === 0 && !this.stalled && this.spent < this.turn && this.execute(command)) {
      this.done++;
      return;
    }
    this.commands.push(keep(command));
    this.schedule();
  }

  /** Resolves with bytes as all commands so far leave them. */
  read(from: number, bytes: number): Promise<ArrayBuffer> {
    return new Promise((resolve, reject) => {
      const waiter = { resolve, reject };
      this.waiters.add(waiter);
      this.push({ kind: "await", from, bytes, waiter });
      // Reads of one turn of the event loop share a flush.
      if (this.flushSoon) return;
      this.flushSoon = true;
      queueMicrotask(() => {
        this.flushSoon = false;
        this.flush();
      });
    });
  }

  /** The bytes at once, whatever the turn: blocks until all commands so far are done. Throws their errors. */
  readNow(from: number, bytes: number): ArrayBuffer {
    const start = performance.now();
    while (this.commands.length > 0) {
      if (this.stalled && this.parts.threads.busy) {
        if (performance.now() - start > PATIENCE) throw new DeviceError(`${this.running}: other threads do not finish`);
        continue;
      }
      this.stalled = false;
      this.drain(Infinity);
    }
    this.flush();
    const seq = ++this.last;
    this.done++;
    const error = this.failures.take(seq, this.last + 1);
    if (error !== undefined) throw error;
    return this.bytesAt(from, bytes);
  }

  /** Ends what counts as one submission. */
  flush(): void {
    if (this.dispatches === 0) return;
    const { counters, debug } = this.parts;
    this.dispatches = 0;
    counters.submits++;
    counters.passes++;
    if (!debug) return;
    debugLog(summary(++this.flushes, this.labels, this.micros));
    this.labels = [];
    this.micros = [];
  }

  /** The device is gone: nobody is left waiting. */
  abandon(errorOf: () => DeviceLostError): void {
    this.lost = true;
    this.commands = [];
    this.channel?.port1.close();
    for (const waiter of this.waiters) waiter.reject(errorOf());
    this.waiters.clear();
  }

  private get turn(): number {
    return this.parts.yields ? TURN : Infinity;
  }

  private schedule(): void {
    if (this.resuming || this.lost) return;
    this.resuming = true;
    if (this.stalled) setTimeout(() => this.resume(), POLL);
    else this.channel?.port2.postMessage(null);
  }

  private resume(): void {
    this.resuming = false;
    this.spent = 0;
    if (this.lost) return;
    if (this.stalled && this.parts.threads.busy) {
      this.schedule();
      return;
    }
    this.stalled = false;
    this.drain(this.turn);
    if (this.commands.length > 0) this.schedule();
  }

  private drain(turn: number): void {
    let taken = 0;
    while (!this.stalled && this.spent < turn) {
      const command = this.commands[taken];
      if (command === undefined || !this.execute(command)) break;
      taken++;
      this.done++;
    }
    this.commands.splice(0, taken);
  }

  /** False when it is not finished, and must be called again. */
  private execute(command: Command): boolean {
    const { linear, counters } = this.parts;
    switch (command.kind) {
      case "launch":
        return this.launch(command);
      case "copy":
        linear.bytes.copyWithin(command.to, command.from, command.from + command.bytes);
        return true;
      case "write":
        counters.writes++;
        linear.bytes.set(command.data, command.to);
        return true;
      case "free":
        command.free();
        return true;
      case "await":
        this.settle(command);
        return true;
    }
  }

  private settle({ from, bytes, waiter }: Extract<Command, { kind: "await" }>): void {
    const seq = this.done + 1;
    const data = this.bytesAt(from, bytes);
    // Not before the caller's turn ends: of several reads queued together each must learn of a failure before them.
    const finish = (): void => {
      if (!this.waiters.delete(waiter)) return;
      const error = this.failures.take(seq, this.last + 1);
      if (error !== undefined) waiter.reject(error);
      else waiter.resolve(data);
    };
    if (performance.now() - this.turned < EVENTS_DUE) queueMicrotask(finish);
    else
      this.parts.nextTurn(() => {
        this.turned = performance.now();
        finish();
      });
  }

  private bytesAt(from: number, bytes: number): ArrayBuffer {
    if (bytes > 0) this.parts.counters.reads++;
    const copy = new Uint8Array(bytes);
    copy.set(this.parts.linear.bytes.subarray(from, from + bytes));
    return copy.buffer;
  }

  private launch(command: LaunchCommand): boolean {
    const { kernels, dispatcher, counters, debug, threads } = this.parts;
    const { entry, label } = command;
    const grid = this.gridOf(command);
    if (grid.includes(0)) {
      counters.dispatches++;
      return true;
    }
    const run = kernels.ready(entry);
    counters.pipelines = kernels.compiled;
    if (run === undefined) {
      this.failures.record(kernelError(fullLabel(command), entry), this.done + 1);
      return true;
    }
    const begun = performance.now();
    let finished = true;
    try {
      this.bind(command);
      this.running = `${fullLabel(command)}: kernel ${entry.kernel.name}`;
      const { next, busy } = dispatcher.run(entry, run, grid, this.progress, this.turn - this.spent);
      this.stalled = busy;
      finished = next === grid[0] * grid[1] * grid[2] && !busy;
      this.progress = next;
    } catch (error) {
      this.trap(command, error);
    }
    // After a wait that was too long the last portion is done, and nothing is left to run.
    const spent = performance.now() - begun;
    if (this.parts.yields) this.spent += spent;
    if (!finished) return false;
    this.progress = 0;
    const failure = threads.takeFailure();
    if (failure !== undefined) this.trap(command, failure);
    const fault = dispatcher.takeFault(entry);
    if (fault !== undefined) this.trap(command, `it went beyond ${fault}, a guard is missing`);
    counters.dispatches++;
    this.dispatches++;
    if (debug) {
      this.labels.push(label);
      this.micros.push(spent * 1000);
    }
    return true;
  }

  private gridOf({ grid, gridAt }: LaunchCommand): readonly [number, number, number] {
    if (gridAt === undefined) return grid;
    const { words } = this.parts.linear;
    const at = gridAt / 4;
    return [words[at] ?? 0, words[at + 1] ?? 0, words[at + 2] ?? 0];
  }

  private trap(command: LaunchCommand, error: unknown): void {
    const { name } = command.entry.kernel;
    const message = error instanceof Error ? error.message : String(error);
    const text = `${fullLabel(command)}: kernel ${name} failed, results are invalid: ${message}`;
    const labels = [command.label];
    const failure =
      error instanceof OutOfMemoryError
        ? new OutOfMemoryError(`${text}; dispose of tensors that are no longer needed`, error.asked, error.live, labels)
        : new KernelError(`${text}; this is a defect of the kernel`, name, labels);
    this.failures.record(failure, this.done + 1);
  }

  /** Writes where the kernel finds its buffers and uniforms. */
  private bind({ entry, storages, uniforms }: LaunchCommand): void {
    const { bytes, words } = this.parts.linear;
    let free = UNIFORMS;
    let at = TABLE / 4;
    for (const slot of entry.slots) {
      const source = slot.uniform ? uniforms[slot.index] : storages[slot.index];
      if (source === undefined) throw new Error(`binding ${slot.name}: nothing bound; this is a defect of jnx`);
      if (source instanceof Uint8Array) {
        bytes.set(source, free);
        words[at] = free;
        words[at + 1] = source.byteLength;
        free += Math.ceil(source.byteLength / 16) * 16;
      } else {
        words[at] = source.address;
        words[at + 1] = source.bytes;
      }
      at += 2;
    }
  }
}

function fullLabel({ label, program }: LaunchCommand): string {
  return program === undefined ? label : `${program}: ${label}`;
}

/** The command with data of its own: the caller may change its arrays as soon as the call returns. */
function keep(command: Command): Command {
  if (command.kind === "write") return { ...command, data: command.data.slice() };
  if (command.kind !== "launch") return command;
  return { ...command, uniforms: command.uniforms.map((data) => (data instanceof Uint8Array ? data.slice() : data)) };
}
