import type { LinkedKernel } from "@jnx/kernels-wgsl";
import { DeviceError, DeviceLostError } from "../../errors.ts";
import { checkAliases, checkCounts, checkGrid, checkRange } from "../checks.ts";
import { debugLevel } from "../debug.ts";
import type {
  Counters,
  DeviceBuffer,
  DeviceInfo,
  Executor,
  Launch,
  Limits,
  MemoryStats,
  Program,
  ProgramStep,
} from "../executor.ts";
import { Memory } from "../memory.ts";
import type { Handle } from "../memory.ts";
import { BindGroups } from "./bindings.ts";
import { Gpu } from "./gpu.ts";
import { uniformWords } from "./immediates.ts";
import { gpuMemory } from "./memory.ts";
import type { Storage } from "./memory.ts";
import type { AdapterInfo, WebGpuDevice, WebGpuOptions } from "./options.ts";
import { Pipelines, kernelError } from "./pipelines.ts";
import type { PipelineEntry } from "./pipelines.ts";
import { Profile } from "./profile.ts";
import { GpuProgram } from "./program.ts";
import { CommandQueue } from "./queue.ts";
import { Readback } from "./readback.ts";
import { NOWHERE, UniformRing } from "./uniforms.ts";

/**
 * An executor on a WebGPU device. `init()` makes one; with this package alone, take an adapter of
 * `navigator.gpu.requestAdapter()` and call `setExecutor(webgpuExecutor(await adapter.requestDevice(), adapter.info))`.
 */
export function webgpuExecutor(device: WebGpuDevice, info: AdapterInfo = {}, options: WebGpuOptions = {}): Executor {
  // A WebGpuDevice is a GPUDevice of which callers need to know less.
  return new WebGpuExecutor(device as unknown as GPUDevice, info, options);
}

interface PreparedRun {
  readonly entry: PipelineEntry;
  readonly grid: Launch["grid"];
  /** Its uniforms, if the kernel takes them as immediates. */
  readonly words: Uint32Array<ArrayBuffer> | undefined;
  readonly buffers: number;
}

class WebGpuExecutor implements Executor {
  readonly info: DeviceInfo;
  readonly limits: Limits;
  private readonly gpu: Gpu;
  private readonly memoryPart: Memory<Storage>;
  private readonly pipelines: Pipelines;
  private readonly bindGroups: BindGroups;
  private readonly uniforms: UniformRing;
  private readonly readback: Readback;
  private readonly queue: CommandQueue;
  private readonly preparedRuns = new WeakMap<readonly Uint8Array[], PreparedRun>();
  private readonly options: WebGpuOptions;
  private readonly whenLost: Promise<never>;
  private rejectLost: (error: DeviceLostError) => void = () => undefined;

  constructor(device: GPUDevice, info: AdapterInfo, options: WebGpuOptions) {
    const gpu = new Gpu(device, options.wait, options.immediates);
    const debug = debugLevel();
    this.gpu = gpu;
    this.options = options;
    this.info = describe(device, info);
    this.limits = {
      ...pickLimits(device.limits),
      cheapBarriers: !this.info.isFallback,
      ...(options.tuning && { tuning: options.tuning }),
    };
    this.pipelines = new Pipelines(gpu, options.maxPipelines ?? 1024, debug >= 3);
    this.bindGroups = new BindGroups(gpu, options.maxBindGroups ?? 4096);
    this.uniforms = new UniformRing(gpu);
    this.readback = new Readback(gpu);
    this.queue = new CommandQueue({
      gpu,
      pipelines: this.pipelines,
      bindGroups: this.bindGroups,
      uniforms: this.uniforms,
      readback: this.readback,
      profile: debug >= 1 ? new Profile(gpu) : undefined,
      maxInFlight: options.maxInFlight ?? 1024,
    });
    const retire = (buffer: GPUBuffer, lastUse: number): void => this.queue.retire(buffer, lastUse);
    this.memoryPart = new Memory(
      gpuMemory(gpu, retire, () => this.memoryPart.trim()),
      options,
    );
    gpu.liveBytes = () => this.memoryPart.stats().live;
    this.whenLost = new Promise((_, reject) => (this.rejectLost = reject));
    // Nobody may be waiting when it happens.
    this.whenLost.catch(() => undefined);
    void device.lost.then(({ reason, message }) => this.lose(reason === "destroyed" ? "destroyed" : "lost", message));
  }

  allocate(bytes: number, label: string, apart?: readonly DeviceBuffer[]): DeviceBuffer {
    this.gpu.alive();
    return this.memoryPart.allocate(bytes, label, apart);
  }

  release(buffer: DeviceBuffer): void {
    // Finalizers and scopes that unwind run after a loss too: they must not hide its error behind another.
    if (this.gpu.lost === undefined) this.memoryPart.release(buffer);
  }

  write(buffer: DeviceBuffer, data: ArrayBufferView, byteOffset = 0): void {
    this.gpu.alive();
    const { storage, label } = this.memoryPart.own(buffer);
    checkRange("write", label, byteOffset, data.byteLength, buffer.bytes);
    if (data.byteLength > 0) this.queue.write(storage, byteOffset, words(data));
  }

  copy(from: DeviceBuffer, to: DeviceBuffer, bytes: number): void {
    this.copyRange(from, 0, to, 0, Math.ceil(bytes / 4) * 4);
  }

  copyRange(from: DeviceBuffer, fromOffset: number, to: DeviceBuffer, toOffset: number, bytes: number): void {
    this.gpu.alive();
    const source = this.memoryPart.own(from);
    const target = this.memoryPart.own(to);
    checkRange("copy", source.label, fromOffset, bytes, from.bytes);
    checkRange("copy", target.label, toOffset, bytes, to.bytes);
    if (source === target)
      throw new DeviceError(`copy: ${source.label}: a buffer cannot be copied onto itself`, [source.label]);
    // WebGPU copies between two buffers only.
    if (source.storage.part && source.storage.gpu === target.storage.gpu) this.moveOut(source);
    if (bytes > 0) this.copyNext(source.storage, fromOffset, target.storage, toOffset, bytes);
  }

  copyIn(from: GPUBuffer, fromOffset: number, to: DeviceBuffer, bytes: number): void {
    this.gpu.alive();
    const { storage, label } = this.memoryPart.own(to);
    this.queue.copyIn(label, from, fromOffset, storage, bytes);
  }

  async copyOut(from: DeviceBuffer, to: GPUBuffer, toOffset: number, bytes: number): Promise<void> {
    this.gpu.alive();
    const { storage } = this.memoryPart.own(from);
    await this.queue.copyOut(storage, to, toOffset, bytes);
  }

  run(launch: Launch): void {
    this.gpu.alive();
    const { label, kernel, grid, uniforms, buffers } = launch;
    const { entry, words } = this.prepared(launch);
    this.pipelines.touch(entry);
    const storages = this.memoryPart.storagesOf(buffers);
    this.separate(launch, entry, storages);
    checkAliases(label, kernel.name, entry.layout, storages);
    if (grid[0] === 0 || grid[1] === 0 || grid[2] === 0) return;
    const source = words === undefined && uniforms.length > 0;
    const place = source ? this.uniforms.place(uniforms, this.queue.next, this.queue.submitted) : NOWHERE;
    this.queue.launch(label, entry, storages, place, words, grid);
  }

  /** What can be known of a launch before its buffers. One that comes again brings the same list of uniforms. */
  private prepared({ label, kernel, grid, uniforms, buffers }: Launch): PreparedRun {
    const known = this.preparedRuns.get(uniforms);
    const same = known?.entry.kernel === kernel && known.grid === grid && known.buffers === buffers.length;
    if (same && !known.entry.evicted) return known;
    const entry = this.pipelines.get(kernel);
    checkCounts(label, kernel.name, entry.layout, buffers.length, uniforms);
    checkGrid(label, kernel.name, grid, this.limits.maxComputeWorkgroupsPerDimension);
    const { immediates } = entry.layout;
    const words = immediates && uniformWords(immediates, uniforms);
    const prepared = { entry, grid, words, buffers: buffers.length };
    this.preparedRuns.set(uniforms, prepared);
    return prepared;
  }

  /** Moves operands out of the buffers that the launch writes other parts of. */
  private separate({ buffers }: Launch, { layout }: PipelineEntry, storages: Storage[]): void {
    for (let k = 0; k < buffers.length; k++) {
      const buffer = buffers[k];
      const storage = storages[k];
      if (buffer === undefined || storage?.part !== true || !clashes(layout, storages, storage)) continue;
      const handle = this.memoryPart.own(buffer);
      this.moveOut(handle);
      storages[k] = handle.storage;
    }
  }

  createProgram(steps: readonly ProgramStep[], slots: number, label: string): Program {
    this.gpu.alive();
    return new GpuProgram(this.gpu, this.pipelines, steps, slots, label, (buffer, lastUse) =>
      this.queue.retire(buffer, lastUse),
    );
  }

  replay(program: Program, buffers: readonly DeviceBuffer[]): void {
    this.gpu.alive();
    if (!(program instanceof GpuProgram) || program.owner !== this.gpu) {
      throw new DeviceError("replay: the program belongs to another device; create it again after init()");
    }
    if (program.disposed)
      throw new DeviceError(`${program.label}: the program was disposed; create it again`, [program.label]);
    if (buffers.length !== program.slots) {
      throw new DeviceError(`${program.label}: the program takes ${program.slots} buffers, got ${buffers.length}`, [
        program.label,
      ]);
    }
    const handles: Handle<Storage>[] = [];
    const storages: Storage[] = [];
    for (let slot = 0; slot < buffers.length; slot++) {
      const buffer = buffers[slot];
      if (buffer === undefined) throw new Error("jnx internal error: a program lacks a buffer");
      const handle = this.memoryPart.own(buffer);
      handles.push(handle);
      storages.push(handle.storage);
    }
    for (const slot of program.apart) {
      const handle = handles[slot];
      if (handle?.storage.part !== true || !sharesBuffer(handle.storage, storages)) continue;
      this.moveOut(handle);
      // Others may be the same buffer.
      for (let k = 0; k < storages.length; k++) storages[k] = handles[k]?.storage ?? handle.storage;
    }
    this.queue.replay(program, storages);
  }

  /** Gives a part of a larger buffer a buffer of its own: WebGPU takes a buffer as read or as written, never in part. */
  private moveOut(handle: Handle<Storage>): void {
    this.memoryPart.moveOut(handle, (from, to) => this.copyNext(from, 0, to, 0, from.bytes));
  }

  private copyNext(from: Storage, fromOffset: number, to: Storage, toOffset: number, bytes: number): void {
    this.queue.copy({ from, fromOffset, to, toOffset, bytes }, [from, to]);
  }

  together<T>(body: () => T): T {
    return this.queue.together(body);
  }

  async warmup(kernels: readonly LinkedKernel[]): Promise<void> {
    this.gpu.alive();
    const entries = kernels.map((kernel) => this.pipelines.get(kernel));
    await Promise.race([Promise.all(entries.map((entry) => entry.ready)), this.whenLost]);
    const broken = entries.find((entry) => entry.failure !== undefined);
    if (broken !== undefined) throw kernelError("warmup", broken);
  }

  async read(buffer: DeviceBuffer, bytes: number, byteOffset = 0): Promise<ArrayBuffer> {
    this.gpu.alive();
    const { storage, label } = this.memoryPart.own(buffer);
    checkRange("read", label, byteOffset, bytes, buffer.bytes);
    return this.queue.read(storage, byteOffset, bytes);
  }

  flush(): void {
    this.gpu.alive();
    this.queue.flush();
  }

  async settled(): Promise<void> {
    this.gpu.alive();
    await this.queue.read("done", 0, 0);
  }

  memory(): MemoryStats {
    return this.memoryPart.stats();
  }

  counters(): Counters {
    return { ...this.gpu.counters };
  }

  clearCaches(): void {
    this.pipelines.clear();
    this.bindGroups.clear();
    this.memoryPart.trim();
    this.readback.clear();
  }

  destroy(): void {
    if (this.gpu.lost !== undefined) return;
    this.lose("destroyed", "");
    if (this.options.ownsDevice ?? true) this.gpu.device.destroy();
    this.gpu.detach();
  }

  private lose(how: "destroyed" | "lost", reason: string): void {
    if (this.gpu.lost !== undefined) return;
    const detail = reason === "" ? "" : ` (${reason})`;
    const error = new DeviceLostError(
      `device: the device was ${how}${detail}; what was on it is gone. Call \`await init()\` again and make tensors anew from host data`,
    );
    this.gpu.lost = error;
    this.queue.abandon(error);
    this.memoryPart.abandon();
    this.readback.clear();
    this.uniforms.destroy();
    this.rejectLost(error);
    this.options.onLost?.(error);
  }
}

/** Whether another of the buffers is part of the same buffer. */
function sharesBuffer(storage: Storage, all: readonly Storage[]): boolean {
  for (let k = 0; k < all.length; k++) if (all[k] !== storage && all[k]?.gpu === storage.gpu) return true;
  return false;
}

/** Whether a launch writes another part of the buffer that this storage is part of. */
function clashes({ storage }: PipelineEntry["layout"], storages: readonly Storage[], own: Storage): boolean {
  for (let j = 0; j < storages.length; j++) {
    const other = storages[j];
    if (other !== own && other?.gpu === own.gpu && storage[j]?.access === "read_write") return true;
  }
  return false;
}

function describe(device: GPUDevice, info: AdapterInfo): DeviceInfo {
  return {
    kind: "webgpu",
    adapter: [info.vendor, info.architecture].filter(Boolean).join(" ") || "unknown",
    description: info.description || info.device || "",
    isFallback: info.isFallbackAdapter ?? false,
    features: [...device.features],
  };
}

/** Copied: a device's own object has getters, and would keep the device alive. */
function pickLimits(limits: GPUSupportedLimits): Limits {
  return {
    maxStorageBuffersPerShaderStage: limits.maxStorageBuffersPerShaderStage,
    maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
    maxBufferSize: limits.maxBufferSize,
    maxComputeInvocationsPerWorkgroup: limits.maxComputeInvocationsPerWorkgroup,
    maxComputeWorkgroupsPerDimension: limits.maxComputeWorkgroupsPerDimension,
    maxComputeWorkgroupStorageSize: limits.maxComputeWorkgroupStorageSize,
  };
}

/** The bytes of a view, padded with zeros to a multiple of 4, as WebGPU wants them. */
function words(data: ArrayBufferView): Uint8Array<ArrayBuffer> {
  const { buffer, byteOffset, byteLength } = data;
  if (buffer instanceof ArrayBuffer && byteLength % 4 === 0) return new Uint8Array(buffer, byteOffset, byteLength);
  const padded = new Uint8Array(Math.ceil(byteLength / 4) * 4);
  padded.set(new Uint8Array(buffer, byteOffset, byteLength));
  return padded;
}
