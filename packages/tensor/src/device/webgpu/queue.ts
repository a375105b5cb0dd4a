import { DeviceLostError } from "../../errors.ts";
import { Batch } from "./batch.ts";
import type { BindGroups } from "./bindings.ts";
import { pendingPipeline } from "./commands.ts";
import type { AwaitCommand, Command, CopyCommand, LaunchCommand, ReplayCommand, Waiter } from "./commands.ts";
import { USAGE } from "./gpu.ts";
import type { Gpu } from "./gpu.ts";
import { withPlaces } from "./immediates.ts";
import { InFlight } from "./in-flight.ts";
import type { Storage } from "./memory.ts";
import { kernelError } from "./pipelines.ts";
import type { PipelineEntry, Pipelines } from "./pipelines.ts";
import type { Profile } from "./profile.ts";
import type { GpuProgram } from "./program.ts";
import type { Readback } from "./readback.ts";
import type { Placed, UniformRing } from "./uniforms.ts";

/** A flush is due after this many dispatches: enough to make submission cheap, few enough to keep the device busy early. */
const FLUSH_DISPATCHES = 32;
/** The same for what should be one submission: its commands wait in memory, encoded ones in the driver's. */
const TOGETHER_DISPATCHES = 32_768;
/** And after this many bytes of writes waiting on the host. */
const FLUSH_BYTES = 32 * 2 ** 20;
/** Commands, and bytes, waiting for a pipeline before it is compiled blocking: the caller does not yield. */
const BACKLOG_COMMANDS = 4096;
const BACKLOG_BYTES = 128 * 2 ** 20;

interface Parts {
  readonly gpu: Gpu;
  readonly pipelines: Pipelines;
  readonly bindGroups: BindGroups;
  readonly uniforms: UniformRing;
  readonly readback: Readback;
  readonly profile: Profile | undefined;
  /** Dispatches that may be with the device at once. */
  readonly maxInFlight: number;
}

/**
 * The ordered list of commands. A flush drains it into submissions; where a pipeline is still being compiled, everything from
 * there on waits, order kept, and the draining goes on when it is there. It waits too while the device has much to do:
 * commands cost less memory here than in the driver.
 */
export class CommandQueue {
  private readonly parts: Parts;
  /** Waiting commands; `queue[0]` has the number `submitted + encoded + 1`. */
  private queue: Command[] = [];
  /** Number of the last command queued, of the last that a flush asked for, and of the last handed to the device. */
  private last = 0;
  private wanted = 0;
  private done = 0;
  /** The last commands of flushes whose commands wait. */
  private ends: number[] = [];
  /** Number of the last command that is submitted; `done` runs ahead of it while encoding. */
  submitted = 0;
  private dispatches = 0;
  private most = FLUSH_DISPATCHES;
  private bytes = 0;
  private draining = false;
  private flushSoon = false;
  private waitingFor: PipelineEntry | undefined;
  private batch: Batch | undefined;
  private staged: (() => void)[] = [];
  private retired: { readonly buffer: GPUBuffer; readonly lastUse: number }[] = [];
  private readonly waiters = new Set<Waiter>();
  private readonly inFlight: InFlight;

  constructor(parts: Parts) {
    this.parts = parts;
    this.inFlight = new InFlight(parts.gpu, parts.maxInFlight, () => this.drain());
  }

  /** The number that the next command will get. */
  get next(): number {
    return this.last + 1;
  }

  launch(
    label: string,
    entry: PipelineEntry,
    storages: readonly Storage[],
    place: Placed,
    words: LaunchCommand["words"],
    grid: LaunchCommand["grid"],
  ): void {
    this.push({ kind: "launch", label, entry, storages, place, words, grid }, storages, 1);
  }

  copy(command: Omit<CopyCommand, "kind">, uses: readonly Storage[]): void {
    this.push({ kind: "copy", ...command }, uses);
  }

  replay(program: GpuProgram, storages: readonly Storage[]): void {
    // Bound here and not when it is encoded, so that wrong buffers throw where the caller is.
    const steps = program.bind(storages);
    program.lastUse = this.next;
    this.push({ kind: "replay", program, steps, encoded: 0 }, storages, program.dispatches);
  }

  /** Writes at once when nothing queued uses the buffer. */
  write(to: Storage, offset: number, data: Uint8Array<ArrayBuffer>): void {
    if (to.lastUse <= this.submitted) {
      this.parts.gpu.upload(to.gpu, to.offset + offset, data);
      return;
    }
    this.bytes += data.byteLength;
    this.push({ kind: "write", to, offset, data: data.slice(), after: to.lastUse }, [to]);
  }

  /** Takes the bytes of a buffer of the user's as they are now: what waits here may be submitted when the user has changed them. */
  copyIn(label: string, from: GPUBuffer, fromOffset: number, to: Storage, bytes: number): void {
    const { gpu } = this.parts;
    if (to.lastUse <= this.submitted) {
      gpu.copyNow(label, from, fromOffset, to, bytes);
      return;
    }
    const kept = gpu.buffer(bytes, USAGE.copySrc | USAGE.copyDst, label);
    gpu.copyNow(label, from, fromOffset, { gpu: kept, offset: 0 }, bytes);
    this.copy({ from: { gpu: kept, offset: 0 }, fromOffset: 0, to, toOffset: 0, bytes }, [to]);
    this.retire(kept, this.last);
  }

  /** Copies into a buffer of the user's; resolves once that is submitted, so that what the user submits then comes after it. */
  copyOut(from: Storage, to: GPUBuffer, toOffset: number, bytes: number): Promise<ArrayBuffer> {
    this.copy({ from, fromOffset: 0, to: { gpu: to, offset: 0 }, toOffset, bytes }, [from]);
    return this.read("submitted", 0, 0);
  }

  /** Resolves with `bytes` of the buffer as all commands so far leave it; with nothing, once those are submitted or done. */
  read(from: AwaitCommand["from"], offset: number, bytes: number): Promise<ArrayBuffer> {
    return new Promise((resolve, reject) => {
      const waiter = { resolve, reject };
      this.waiters.add(waiter);
      this.push({ kind: "await", from, offset, bytes, waiter }, typeof from === "string" ? [] : [from]);
      // Reads of one turn of the event loop share a submission.
      if (this.flushSoon) return;
      this.flushSoon = true;
      queueMicrotask(() => {
        this.flushSoon = false;
        this.flush();
      });
    });
  }

  /** Runs `body` without flushes on the way, but for very many dispatches or bytes. */
  together<T>(body: () => T): T {
    const before = this.most;
    this.most = TOGETHER_DISPATCHES;
    try {
      return body();
    } finally {
      this.most = before;
    }
  }

  flush(): void {
    if (this.wanted < this.last) this.ends.push(this.last);
    this.wanted = this.last;
    this.dispatches = 0;
    this.drain();
  }

  /** Destroys the buffer when everything queued that uses it has been submitted. */
  retire(buffer: GPUBuffer, lastUse: number): void {
    if (lastUse <= this.submitted) buffer.destroy();
    else this.retired.push({ buffer, lastUse });
  }

  /** The device is gone: nobody is left waiting. */
  abandon(error: DeviceLostError): void {
    this.queue = [];
    this.ends = [];
    this.done = this.submitted = this.wanted = this.last;
    this.waitingFor = undefined;
    this.batch = undefined;
    this.staged = [];
    this.bytes = 0;
    for (const waiter of this.waiters)
      waiter.reject(new DeviceLostError(error.message, error.labels, { cause: error }));
    this.waiters.clear();
  }

  private push(command: Command, storages: readonly Storage[], dispatches = 0): void {
    const seq = ++this.last;
    this.queue.push(command);
    for (let k = 0; k < storages.length; k++) {
      const storage = storages[k];
      if (storage !== undefined) storage.lastUse = seq;
    }
    this.dispatches += dispatches;
    if (this.dispatches >= this.most || this.bytes >= FLUSH_BYTES) this.flush();
  }

  private drain(): void {
    if (this.draining || this.parts.gpu.lost !== undefined) return;
    this.draining = true;
    try {
      let blocked = this.encodeReady();
      while (blocked !== undefined && (this.queue.length > BACKLOG_COMMANDS || this.bytes > BACKLOG_BYTES)) {
        this.parts.pipelines.createNow(blocked);
        blocked = this.encodeReady();
      }
      if (blocked !== undefined) this.waitFor(blocked);
    } finally {
      this.draining = false;
    }
  }

  private waitFor(entry: PipelineEntry): void {
    if (this.waitingFor === entry) return;
    this.waitingFor = entry;
    void entry.ready.then(() => {
      if (this.waitingFor !== entry) return;
      this.waitingFor = undefined;
      this.drain();
    });
  }

  /** Encodes and submits what is wanted and ready, if the device has room; returns the pipeline that stops it. */
  private encodeReady(): PipelineEntry | undefined {
    let blocked: PipelineEntry | undefined;
    let taken = 0;
    while (this.done < this.wanted && this.hasRoom()) {
      const command = this.queue[taken];
      if (command === undefined) break;
      blocked = pendingPipeline(command);
      if (blocked !== undefined) {
        if (command.kind === "replay") this.encodeReplay(command, this.done + 1);
        break;
      }
      taken++;
      this.encode(command);
      this.done++;
      if (this.done === this.ends[0]) this.endFlush();
    }
    this.queue.splice(0, taken);
    this.submit();
    return blocked;
  }

  /** True within a submission, which is not cut; and for the sake of the host's memory. */
  private hasRoom(): boolean {
    return this.batch !== undefined || !this.inFlight.full || this.bytes > BACKLOG_BYTES;
  }

  /** Flushes that had to wait share submissions, up to a size. */
  private endFlush(): void {
    this.ends.shift();
    if (this.batch !== undefined && this.inFlight.isLarge(this.batch.labels.length)) this.submit();
  }

  private encode(command: Command): void {
    const seq = this.done + 1;
    switch (command.kind) {
      case "launch":
        this.encodeLaunch(command, seq);
        break;
      case "copy":
        this.open(seq).copy(command.from, command.fromOffset, command.to, command.bytes, command.toOffset);
        break;
      case "write":
        if (command.after > this.submitted) this.submit();
        this.bytes -= command.data.byteLength;
        this.parts.gpu.upload(command.to.gpu, command.to.offset + command.offset, command.data);
        break;
      case "replay":
        this.encodeReplay(command, seq);
        break;
      case "await":
        this.encodeAwait(command, seq);
        break;
    }
  }

  private open(seq: number): Batch {
    this.batch ??= new Batch(this.parts.gpu, this.parts.profile, seq);
    return this.batch;
  }

  private encodeLaunch(command: LaunchCommand, seq: number): void {
    const { label, entry, storages, place, words, grid } = command;
    if (entry.pipeline === undefined) {
      this.parts.gpu.failures.record(kernelError(label, entry), seq);
      return;
    }
    const batch = this.open(seq);
    const { immediates } = entry.layout;
    const groups = this.parts.bindGroups.bind(entry.layout, storages, place.chunk, place.offsets);
    const given = immediates && words && withPlaces(immediates, words, storages);
    batch.dispatch(label, entry.pipeline, groups, given, grid);
  }

  /** Encodes the steps up to the first whose pipeline is still being compiled. */
  private encodeReplay(command: ReplayCommand, seq: number): void {
    const { program, steps } = command;
    const { broken } = program;
    if (broken !== undefined) {
      if (command.encoded === steps.length) return;
      const step = steps.find((other) => other.kind === "launch" && other.entry === broken);
      const label = step?.kind === "launch" ? `${program.label}: ${step.label}` : program.label;
      this.parts.gpu.failures.record(kernelError(label, broken), seq);
      command.encoded = steps.length;
      return;
    }
    for (; command.encoded < steps.length; command.encoded++) {
      const step = steps[command.encoded];
      if (step === undefined) break;
      if (step.kind === "copy") {
        this.open(seq).copy(step.from, 0, step.to, step.bytes);
        continue;
      }
      const { label, groups, immediates, indirect, grid } = step;
      const { pipeline } = step.entry;
      if (pipeline === undefined) break;
      this.open(seq).dispatch(label, pipeline, groups, immediates, indirect ?? grid);
    }
  }

  private encodeAwait({ from, offset, bytes, waiter }: AwaitCommand, seq: number): void {
    const { gpu, readback } = this.parts;
    if (typeof from === "string" || bytes === 0) {
      const wait = async (): Promise<ArrayBuffer> => {
        if (from === "done") await gpu.waitForWork(gpu.device.queue.onSubmittedWorkDone());
        return new ArrayBuffer(0);
      };
      this.staged.push(() => void this.settle(waiter, seq, wait()));
      return;
    }
    const batch = this.open(seq);
    const staging = readback.stage(bytes);
    batch.copy(from, offset, staging, Math.ceil(bytes / 4) * 4);
    this.staged.push(() => void this.settle(waiter, seq, readback.fetch(staging, bytes)));
  }

  /** Ends an await: with its data, or with the error of a command before it. */
  private async settle(waiter: Waiter, seq: number, data: Promise<ArrayBuffer>): Promise<void> {
    const { gpu } = this.parts;
    try {
      const checked = gpu.checked();
      const bytes = await data;
      await checked;
      const error = gpu.failures.take(seq, this.next);
      if (error !== undefined) throw error;
      waiter.resolve(bytes);
      this.waiters.delete(waiter);
    } catch (error) {
      // A read fails by itself when the device goes; the loss is reported in a moment, and rejects it with a better error.
      if (error instanceof Error && error.name === "AbortError" && gpu.lost === undefined) {
        await gpu.device.lost;
        return;
      }
      waiter.reject(error);
      this.waiters.delete(waiter);
    }
  }

  private submit(): void {
    const { batch, staged } = this;
    if (batch !== undefined) {
      this.batch = undefined;
      this.parts.uniforms.upload();
      batch.submit();
      this.inFlight.add(batch.labels.length);
    }
    this.submitted = this.done;
    if (staged.length > 0) {
      this.staged = [];
      for (const start of staged) start();
    }
    if (this.retired.length > 0) this.destroyRetired();
  }

  private destroyRetired(): void {
    const kept = this.retired.filter(({ lastUse }) => lastUse > this.submitted);
    for (const { buffer, lastUse } of this.retired) if (lastUse <= this.submitted) buffer.destroy();
    this.retired = kept;
  }
}
