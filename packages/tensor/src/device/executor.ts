/**
 * The seam between the engine and whatever runs its kernels. Above it nothing knows WebGPU: eager and compiled code both end in a
 * {@link Launch} (kernel, buffers, uniforms, grid) handed to the current {@link Executor}.
 *
 * Order is the contract: `write`, `copy`, `run`, `replay` and `read` take effect in the order in which they are called, and a
 * released buffer is handed out again only for commands that come after everything already queued.
 */
import type { LinkedKernel, Tuning } from "@jnx/kernels-wgsl";
import type { WebGpuBuffer } from "./webgpu/options.ts";

/** A piece of device memory owned by an executor. */
export interface DeviceBuffer {
  /** Unique within the executor; a recycled buffer gets a new id. */
  readonly id: number;
  /** Capacity after rounding up to a size class, never less than what was asked for. */
  readonly bytes: number;
  /** True once given back by `release`; every further use of it throws. */
  readonly released: boolean;
}

/** What the device can do, under WebGPU's names. */
export interface Limits {
  readonly maxStorageBuffersPerShaderStage: number;
  readonly maxStorageBufferBindingSize: number;
  readonly maxBufferSize: number;
  readonly maxComputeInvocationsPerWorkgroup: number;
  readonly maxComputeWorkgroupsPerDimension: number;
  readonly maxComputeWorkgroupStorageSize: number;
  /** True where a barrier costs next to nothing, as on hardware; on a software adapter it costs more than a dispatch. */
  readonly cheapBarriers?: boolean;
  /** True where a core runs a workgroup's invocations one after another, with registers of four lanes: a CPU without a GPU's tricks. */
  readonly sequential?: boolean;
  /** How plans cut work on this adapter, where that was measured. */
  readonly tuning?: Tuning;
}

/** Which device an executor runs on. */
export interface DeviceInfo {
  /** "webgpu" or "wasm". */
  readonly kind: string;
  /** Vendor and architecture as the driver tells them, such as "google swiftshader". */
  readonly adapter: string;
  /** The driver's own description, possibly empty. */
  readonly description: string;
  /** True for adapters that compute on the CPU. */
  readonly isFallback: boolean;
  /** Optional features that were granted, such as "timestamp-query". */
  readonly features: readonly string[];
}

/** One dispatch of one kernel. */
export interface Launch {
  /** The op's name, for errors, DEBUG and profiles. */
  readonly label: string;
  readonly kernel: LinkedKernel;
  /** One per storage binding of `kernel.bindings`, in that order. */
  readonly buffers: readonly DeviceBuffer[];
  /** One per uniform binding of `kernel.bindings`, in that order. Never changed afterwards: an array seen before is not uploaded again. */
  readonly uniforms: readonly Uint8Array[];
  readonly grid: readonly [number, number, number];
}

/** One step of a compiled program: a launch whose buffers are numbered slots, or a copy between two slots. */
export type ProgramStep =
  | {
      readonly kind: "launch";
      readonly label: string;
      readonly kernel: LinkedKernel;
      readonly slots: readonly number[];
      readonly uniforms: readonly Uint8Array[];
      readonly grid: readonly [number, number, number];
      /**
       * Where the grid is instead, if a launch before it writes that: three u32 in a slot, from byte `offset` on, each at most
       * the `grid` here. A zero among them skips the launch.
       */
      readonly indirect?: { readonly slot: number; readonly offset: number };
    }
  | { readonly kind: "copy"; readonly from: number; readonly to: number; readonly bytes: number };

/** Steps prepared once by `createProgram`, to be replayed with other buffers as often as wanted. */
export interface Program {
  readonly steps: readonly ProgramStep[];
  readonly slots: number;
  /** Frees the program's uniform data; queued replays still run. */
  dispose(): void;
}

/** Bytes of device memory. */
export interface MemoryStats {
  /** Capacities of the buffers that are allocated and not released. */
  readonly live: number;
  /** The largest `live` so far. */
  readonly peak: number;
  /** Capacities of released buffers kept for reuse. */
  readonly pooled: number;
  /** How many buffers are allocated and not released. */
  readonly buffers: number;
}

/** Exact counts since the executor was made; they only grow. */
export interface Counters {
  readonly dispatches: number;
  readonly submits: number;
  readonly passes: number;
  readonly pipelines: number;
  readonly bindGroups: number;
  readonly bufferCreations: number;
  readonly writes: number;
  readonly reads: number;
}

/** Runs kernels in order. Errors of queued work are thrown by the next `read` or `settled`, never lost. */
export interface Executor {
  readonly info: DeviceInfo;
  readonly limits: Limits;
  /**
   * Memory from the pool, with undefined contents. Zero bytes give a valid minimal buffer. With `apart` it may be part of a
   * larger piece, for the result of a kernel that reads those buffers. Throws OutOfMemoryError.
   */
  allocate(bytes: number, label: string, apart?: readonly DeviceBuffer[]): DeviceBuffer;
  /** Back to the pool. Throws when released before. */
  release(buffer: DeviceBuffer): void;
  /** Ordered with launches; `data` may be changed as soon as the call returns. */
  write(buffer: DeviceBuffer, data: ArrayBufferView, byteOffset?: number): void;
  copy(from: DeviceBuffer, to: DeviceBuffer, bytes: number): void;
  /** `bytes` from one place to another; offsets and bytes are multiples of 4, the buffers two. */
  copyRange(from: DeviceBuffer, fromOffset: number, to: DeviceBuffer, toOffset: number, bytes: number): void;
  /** From a buffer of the user's on the same device, as it is now. Only WebGPU has such buffers. */
  copyIn?(from: WebGpuBuffer, fromOffset: number, to: DeviceBuffer, bytes: number): void;
  /** Into a buffer of the user's; resolves when what the user submits comes after the copy. Throws as `read` does. */
  copyOut?(from: DeviceBuffer, to: WebGpuBuffer, toOffset: number, bytes: number): Promise<void>;
  /** Queues a dispatch; nothing is submitted until a flush is due. */
  run(launch: Launch): void;
  createProgram(steps: readonly ProgramStep[], slots: number, label: string): Program;
  /** One command buffer, one submission, and one compute pass when no copies intervene. `buffers[i]` stands for slot i. */
  replay(program: Program, buffers: readonly DeviceBuffer[]): void;
  /**
   * Runs `body`, whose commands are to be one submission: a program with loops is many replays. As commands wait in memory until
   * they are submitted, a submission goes out early after 32,768 dispatches.
   */
  together<T>(body: () => T): T;
  /** Compiles pipelines in parallel, so that first runs do not wait for them. */
  warmup(kernels: readonly LinkedKernel[]): Promise<void>;
  /** Flushes and copies bytes to the host. Throws the errors of work queued before it. */
  read(buffer: DeviceBuffer, bytes: number, byteOffset?: number): Promise<ArrayBuffer>;
  /** `read` without a promise, on devices that can: it blocks until queued work is done. */
  readSync?(buffer: DeviceBuffer, bytes: number, byteOffset?: number): ArrayBuffer;
  /** Submits what is queued. */
  flush(): void;
  /** Resolves when all queued work is done; throws its errors. */
  settled(): Promise<void>;
  memory(): MemoryStats;
  counters(): Counters;
  /** Drops pipelines, bind groups and pooled buffers. */
  clearCaches(): void;
  destroy(): void;
}
