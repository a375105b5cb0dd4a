import type { LinkedKernel } from "@jnx/kernels-wgsl";
import { DeviceError, DeviceLostError, KernelError } from "@jnx/tensor";
import type { Counters, DeviceInfo, Executor, Limits, MemoryStats } from "@jnx/tensor";
import { Memory, checkAliases, checkCounts, checkGrid, checkRange, debugLevel } from "@jnx/tensor/internal";
import type { DeviceBuffer, Launch, MemoryOptions, MemorySource, Program, ProgramStep } from "@jnx/tensor/internal";
import { Dispatcher, WORTH_WAKING } from "./dispatch.ts";
import { detectFeatures } from "./features.ts";
import { Kernels, kernelError } from "./kernels.ts";
import type { Compile } from "./kernels.ts";
import { RESERVED, UNIFORMS } from "./layout.ts";
import { LinearMemory } from "./linear-memory.ts";
import { platform } from "./platform.ts";
import { WasmProgram } from "./program.ts";
import { CommandQueue } from "./queue.ts";
import type { Storage } from "./queue.ts";
import { Threads } from "./threads.ts";

/** What an executor can be told; the defaults suit all machines. */
export interface WasmOptions extends MemoryOptions {
  /** Threads that compute, the calling one included: as many as the machine has cores unless given. */
  readonly threads?: number;
  /** Keep every index of a kernel inside its buffer, and report a kernel that would have left it. Slow; false by default. */
  readonly clampIndices?: boolean;
  /** Fused multiply-add where the engine has it, true by default: faster, and its last bits differ from processors without. */
  readonly relaxedSimd?: boolean;
  /** Kernels kept, 1024 by default; the longest unused are dropped first. */
  readonly maxPipelines?: number;
  /** Called once when the device is lost or destroyed. */
  readonly onLost?: (error: DeviceLostError) => void;
  /** In place of the package's own compiler. */
  readonly compile?: Compile;
}

const LIMITS = {
  maxStorageBuffersPerShaderStage: 16,
  maxComputeInvocationsPerWorkgroup: 1024,
  maxComputeWorkgroupsPerDimension: 65535,
  maxComputeWorkgroupStorageSize: 65536,
  cheapBarriers: false,
  sequential: true,
} as const;
/** Most workgroups of a dispatch: their numbers are signed words, and claims may go a little beyond the end. */
const MOST_GROUPS = 2 ** 30;

/**
 * An executor on the CPU: kernels are compiled to WebAssembly SIMD, and run on all cores where memory can be shared (Node, Deno,
 * Bun, and pages that are cross-origin isolated), else on the calling thread. `init()` makes one where there is no GPU; with this
 * package alone, call `setExecutor(wasmExecutor())`.
 *
 * @throws NoAdapterError without WebAssembly SIMD, or where a Content-Security-Policy forbids WebAssembly.
 */
export function wasmExecutor(options: WasmOptions = {}): WasmExecutor {
  return new WasmExecutor(options);
}

/** The executor, with what only it can tell: what its threads did. */
export class WasmExecutor implements Executor {
  readonly limits: Limits;
  private readonly options: WasmOptions;
  private readonly linear: LinearMemory;
  private readonly kernels: Kernels;
  private readonly threads: Threads;
  private readonly memoryPart: Memory<Storage>;
  private readonly queue: CommandQueue;
  private readonly relaxedSimd: boolean;
  private readonly yields: boolean;
  /** Blocks are larger than what was asked for; kernels with clamped indices are told what was. */
  private readonly exact: WeakMap<DeviceBuffer, Storage> | undefined;
  private lost: DeviceLostError | undefined;
  private readonly count: { -readonly [K in keyof Counters]: Counters[K] } = {
    dispatches: 0,
    submits: 0,
    passes: 0,
    pipelines: 0,
    bindGroups: 0,
    bufferCreations: 0,
    writes: 0,
    reads: 0,
  };

  constructor(options: WasmOptions) {
    const features = detectFeatures();
    const host = platform();
    const threads = Math.max(1, Math.floor(options.threads ?? host.cores));
    const sharedMemory = features.sharedMemory && host.startThread !== undefined && threads > 1;
    const clampIndices = options.clampIndices ?? false;
    const debug = debugLevel();
    this.options = options;
    this.exact = clampIndices ? new WeakMap() : undefined;
    this.yields = host.yields;
    this.relaxedSimd = features.relaxedSimd && (options.relaxedSimd ?? true);
    this.linear = new LinearMemory(sharedMemory);
    this.kernels = new Kernels(
      this.linear,
      { relaxedSimd: this.relaxedSimd, sharedMemory, clampIndices },
      options.maxPipelines ?? 1024,
      debug >= 3,
      options.compile,
    );
    this.threads = new Threads(this.linear, host, sharedMemory ? threads : 1, (reason) => this.threadDied(reason));
    this.queue = new CommandQueue({
      linear: this.linear,
      kernels: this.kernels,
      dispatcher: new Dispatcher(this.linear, this.kernels, this.threads, clampIndices),
      threads: this.threads,
      counters: this.count,
      yields: host.yields,
      nextTurn: host.nextTurn,
      debug: debug >= 1,
    });
    const largest = this.linear.most - 2 * RESERVED;
    this.limits = { ...LIMITS, maxStorageBufferBindingSize: largest, maxBufferSize: largest };
    this.memoryPart = new Memory(this.source(largest), options);
  }

  get info(): DeviceInfo {
    const { size } = this.threads;
    const threads = size === 1 ? "1 thread" : `${size} threads`;
    return {
      kind: "wasm",
      adapter: "wasm",
      description: `WebAssembly SIMD on the CPU, ${threads}${this.relaxedSimd ? ", fused multiply-add" : ""}`,
      isFallback: true,
      features: [...(size > 1 ? ["threads"] : []), ...(this.relaxedSimd ? ["relaxed-simd"] : [])],
    };
  }

  /** Portions of work that threads other than the calling one took. */
  get sharedPortions(): number {
    return this.threads.claims;
  }

  allocate(bytes: number, label: string): DeviceBuffer {
    this.alive();
    const buffer = this.memoryPart.allocate(bytes, label);
    // Whole fours at the end too: kernels read them.
    const { address, bytes: most } = buffer.storage;
    this.exact?.set(buffer, { address, bytes: Math.min(most, Math.max(16, Math.ceil(bytes / 16) * 16)) });
    return buffer;
  }

  release(buffer: DeviceBuffer): void {
    // Finalizers and scopes that unwind run after a loss too: they must not hide its error behind another.
    if (this.lost === undefined) this.memoryPart.release(buffer);
  }

  write(buffer: DeviceBuffer, data: ArrayBufferView, byteOffset = 0): void {
    this.alive();
    const { storage, label } = this.memoryPart.own(buffer);
    checkRange("write", label, byteOffset, data.byteLength, buffer.bytes);
    if (data.byteLength > 0) {
      this.queue.push({ kind: "write", to: storage.address + byteOffset, data: words(data) });
    }
  }

  copy(from: DeviceBuffer, to: DeviceBuffer, bytes: number): void {
    this.copyRange(from, 0, to, 0, bytes);
  }

  copyRange(from: DeviceBuffer, fromOffset: number, to: DeviceBuffer, toOffset: number, bytes: number): void {
    this.alive();
    const source = this.memoryPart.own(from);
    const target = this.memoryPart.own(to);
    checkRange("copy", source.label, fromOffset, bytes, from.bytes);
    checkRange("copy", target.label, toOffset, bytes, to.bytes);
    if (source === target) {
      throw new DeviceError(`copy: ${source.label}: a buffer cannot be copied onto itself`, [source.label]);
    }
    const [read, written] = [source.storage.address + fromOffset, target.storage.address + toOffset];
    this.queue.push({ kind: "copy", from: read, to: written, bytes });
  }

  run({ label, kernel, grid, uniforms, buffers }: Launch): void {
    this.alive();
    const entry = this.kernels.get(kernel);
    const storages = this.storagesOf(buffers);
    checkCounts(label, kernel.name, entry.layout, storages.length, uniforms);
    checkAliases(label, kernel.name, entry.layout, storages);
    checkGrid(label, kernel.name, grid, this.limits.maxComputeWorkgroupsPerDimension);
    checkGroups(label, grid);
    checkUniforms(label, kernel.name, uniforms);
    if (grid[0] === 0 || grid[1] === 0 || grid[2] === 0) return;
    this.queue.push({ kind: "launch", label, entry, storages, uniforms, grid });
  }

  createProgram(steps: readonly ProgramStep[], slots: number, label: string): Program {
    this.alive();
    for (const step of steps) if (step.kind === "launch") checkGroups(step.label, step.grid);
    const store = {
      put: (data: Uint8Array): Storage => this.keepUniform(data, label),
      free: (blocks: readonly Storage[]): void => {
        if (this.lost !== undefined) return;
        const free = (): void => blocks.forEach((block) => this.linear.give(block.address, block.bytes));
        this.queue.push({ kind: "free", free });
      },
    };
    return new WasmProgram(this.kernels, store, steps, slots, label, this.limits.maxComputeWorkgroupsPerDimension);
  }

  replay(program: Program, buffers: readonly DeviceBuffer[]): void {
    this.alive();
    if (!(program instanceof WasmProgram) || program.kernels !== this.kernels) {
      throw new DeviceError("replay: the program belongs to another device; create it again after init()");
    }
    const { label } = program;
    if (program.disposed) throw new DeviceError(`${label}: the program was disposed; create it again`, [label]);
    if (buffers.length !== program.slots) {
      throw new DeviceError(`${label}: the program takes ${program.slots} buffers, got ${buffers.length}`, [label]);
    }
    // A worker that wakes without a job may take this thread's core for milliseconds: that pays where more than one job comes.
    const shares = program.longerThan(WORTH_WAKING) > 1;
    if (shares) this.threads.expect();
    try {
      // Bound before the first runs, so that wrong buffers leave nothing half done.
      const commands = program.bind(this.storagesOf(buffers));
      for (const command of commands) this.queue.push(command);
    } finally {
      if (shares) this.threads.rest();
    }
  }

  /** Nothing waits here: each command runs as it is queued. */
  together<T>(body: () => T): T {
    return body();
  }

  async warmup(kernels: readonly LinkedKernel[]): Promise<void> {
    this.alive();
    const entries = kernels.map((kernel) => this.kernels.get(kernel));
    for (const entry of entries) this.kernels.ready(entry);
    this.count.pipelines = this.kernels.compiled;
    const broken = entries.find((entry) => entry.failure !== undefined);
    if (broken !== undefined) throw kernelError("warmup", broken);
  }

  async read(buffer: DeviceBuffer, bytes: number, byteOffset = 0): Promise<ArrayBuffer> {
    return this.queue.read(this.addressOf(buffer, bytes, byteOffset), bytes);
  }

  /** Blocks until all work so far is done. */
  readSync(buffer: DeviceBuffer, bytes: number, byteOffset = 0): ArrayBuffer {
    if (this.yields)
      throw new DeviceError(
        "readSync: a page's main thread must not wait; await data() there, or compute in a web worker",
      );
    return this.queue.readNow(this.addressOf(buffer, bytes, byteOffset), bytes);
  }

  flush(): void {
    this.alive();
    this.queue.flush();
  }

  async settled(): Promise<void> {
    this.alive();
    await this.queue.read(0, 0);
  }

  memory(): MemoryStats {
    return this.memoryPart.stats();
  }

  counters(): Counters {
    return { ...this.count };
  }

  clearCaches(): void {
    this.kernels.clear();
    this.memoryPart.trim();
  }

  destroy(): void {
    this.lose("destroyed", "");
  }

  /** What a kernel is told of a buffer. */
  private storageOf(buffer: DeviceBuffer): Storage {
    const { storage } = this.memoryPart.own(buffer);
    return this.exact?.get(buffer) ?? storage;
  }

  private storagesOf(buffers: readonly DeviceBuffer[]): Storage[] {
    const storages: Storage[] = [];
    for (const buffer of buffers) storages.push(this.storageOf(buffer));
    return storages;
  }

  private addressOf(buffer: DeviceBuffer, bytes: number, byteOffset: number): number {
    this.alive();
    const { storage, label } = this.memoryPart.own(buffer);
    checkRange("read", label, byteOffset, bytes, buffer.bytes);
    return storage.address + byteOffset;
  }

  private source(largest: number): MemorySource<Storage> {
    return {
      largest,
      create: (bytes, _label, exhausted) => {
        this.count.bufferCreations++;
        let address = this.linear.take(bytes);
        if (address === undefined) {
          // What the pool keeps may join to a range that is large enough.
          this.memoryPart.trim();
          address = this.linear.take(bytes);
        }
        if (address === undefined) throw exhausted(`WebAssembly can address no more, or the system has no more`);
        return { bytes, address };
      },
      destroy: ({ address, bytes }) => this.linear.give(address, bytes),
      abandon: () => undefined,
    };
  }

  private keepUniform(data: Uint8Array, label: string): Storage {
    const bytes = Math.max(16, Math.ceil(data.byteLength / 16) * 16);
    const address = this.linear.take(bytes);
    if (address === undefined) throw new DeviceError(`${label}: out of memory for its uniforms`, [label]);
    this.queue.push({ kind: "write", to: address, data: data.slice() });
    return { bytes, address };
  }

  private alive(): void {
    // A new object each time, so that its stack is the caller's.
    if (this.lost !== undefined) throw new DeviceLostError(this.lost.message, this.lost.labels, { cause: this.lost });
  }

  private threadDied(reason: string): void {
    const during = this.threads.busy ? ` while it ran ${this.queue.running}` : "";
    this.lose("lost", `a thread died${during}: ${reason}`);
  }

  private lose(how: "destroyed" | "lost", reason: string): void {
    if (this.lost !== undefined) return;
    const detail = reason === "" ? "" : ` (${reason})`;
    const error = new DeviceLostError(
      `device: the device was ${how}${detail}; what was on it is gone. Call \`await init()\` again and make tensors anew from host data`,
    );
    this.lost = error;
    this.threads.stop();
    this.queue.abandon(() => new DeviceLostError(error.message, error.labels, { cause: error }));
    this.memoryPart.abandon();
    this.kernels.clear();
    this.options.onLost?.(error);
  }
}

function checkGroups(label: string, grid: readonly [number, number, number]): void {
  const groups = grid[0] * grid[1] * grid[2];
  if (groups > MOST_GROUPS) {
    throw new DeviceError(`${label}: ${groups} workgroups in one dispatch, but ${MOST_GROUPS} are possible; split it`, [
      label,
    ]);
  }
}

function checkUniforms(label: string, kernel: string, uniforms: readonly Uint8Array[]): void {
  const bytes = uniforms.reduce((sum, { byteLength }) => sum + Math.ceil(byteLength / 16) * 16, 0);
  const most = RESERVED - UNIFORMS;
  if (bytes > most)
    throw new KernelError(
      `${label}: kernel ${kernel} has ${bytes} bytes of uniforms, over ${most}; bind an array`,
      kernel,
      [label],
    );
}

/** The bytes of a view, padded with zeros to a multiple of 4, as WebGPU has it. */
function words({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  const bytes = new Uint8Array(buffer, byteOffset, byteLength);
  if (byteLength % 4 === 0) return bytes;
  const padded = new Uint8Array(Math.ceil(byteLength / 4) * 4);
  padded.set(bytes);
  return padded;
}
