/** What a WebGPU executor is made from. No WebGPU typings here: whoever compiles against the published types needs none. */
import type { Tuning } from "@jnx/kernels-wgsl";
import type { DeviceLostError } from "../../errors.ts";
import type { MemoryOptions } from "../memory.ts";

/** A `GPUDevice`, as far as callers need to know it. */
export interface WebGpuDevice {
  readonly features: object;
  readonly limits: object;
  readonly queue: object;
  readonly lost: Promise<unknown>;
  readonly adapterInfo?: AdapterInfo;
}

/** A `GPUBuffer`, as far as callers need to know it. */
export interface WebGpuBuffer {
  readonly size: number;
  readonly usage: number;
  readonly mapState: string;
}

/** What `GPUAdapterInfo` says, as far as it is known. */
export interface AdapterInfo {
  readonly vendor?: string;
  readonly architecture?: string;
  readonly device?: string;
  readonly description?: string;
  readonly isFallbackAdapter?: boolean;
}

/** How a platform waits for the device, for so many dispatches if any: the promise as it is, or with something done about the waiting. */
export type Wait = <T>(pending: Promise<T>, dispatches?: number) => Promise<T>;

/** What an executor can be told; the defaults suit all devices. */
export interface WebGpuOptions extends MemoryOptions {
  /** Pipelines kept, 1024 by default; the longest unused are dropped first. */
  readonly maxPipelines?: number;
  /** Bind groups kept for eager launches, 4096 by default. */
  readonly maxBindGroups?: number;
  /** Whether `destroy()` destroys the device too: true unless the device was lent. */
  readonly ownsDevice?: boolean;
  /** Called once when the device is lost or destroyed. */
  readonly onLost?: (error: DeviceLostError) => void;
  /** How to wait for the device; as promises do unless given. */
  readonly wait?: Wait;
  /** Dispatches given to the device and not done, 1,024 by default: more wait on the host until it has done some. */
  readonly maxInFlight?: number;
  /** Whether launches get uniforms and offsets as immediates where the device has them: true unless told. */
  readonly immediates?: boolean;
  /** How plans cut work on this adapter; as they do by themselves unless given. */
  readonly tuning?: Tuning;
}
