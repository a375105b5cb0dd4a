import { DeviceError, setExecutor } from "@jnx/tensor";
import type { DeviceInfo, Executor } from "@jnx/tensor";
import { requestExecutor, webgpuExecutor } from "@jnx/tensor/internal";
import type { WebGpuOptions } from "@jnx/tensor/internal";
import { findAdapter, platformOptions } from "./device/find.ts";
import type { DeviceName } from "./device/name.ts";

/** A `GPUDevice`, written so that these types need no WebGPU typings. */
export interface WebGpuDevice {
  readonly features: object;
  readonly limits: object;
  readonly queue: object;
  readonly lost: Promise<unknown>;
}

/** Where to compute. */
export interface InitOptions {
  /**
   * "webgpu" (the default) takes the browser's or the system's adapter, a real GPU before a software one. "swiftshader" and
   * "lavapipe" ask for those software adapters in Node. A `GPUDevice` of your own is used as it is, and never destroyed.
   */
  readonly device?: DeviceName | WebGpuDevice;
  /** Which GPU of several; "high-performance" by default. */
  readonly powerPreference?: "high-performance" | "low-power";
}

interface Session {
  readonly wanted: DeviceName | WebGpuDevice;
  readonly ready: Promise<DeviceInfo>;
}

let session: Session | undefined;

/**
 * Makes the device ready that all tensors live on. Needed once, before any op; later calls return the same device, and after
 * a loss a new one.
 *
 * @returns What it runs on: `isFallback` is true for adapters that compute on the CPU.
 * @throws NoAdapterError when there is no adapter; its message lists what was tried and how to get one.
 * @throws DeviceError when another device than the one in use is asked for.
 * @example
 * await init();
 */
export async function init(options: InitOptions = {}): Promise<DeviceInfo> {
  const running = session;
  if (running === undefined) {
    const started: Session = { wanted: options.device ?? "webgpu", ready: start(options, () => forget(started)) };
    session = started;
    started.ready.catch(() => forget(started));
    return started.ready;
  }
  const info = await running.ready;
  if (!suits(running.wanted, info, options.device)) {
    const wanted = typeof options.device === "string" ? `"${options.device}"` : "another GPUDevice";
    throw new DeviceError(
      `init: ${wanted} was asked for, but the engine already runs on ${info.adapter}; ask for one device in all calls`,
    );
  }
  return info;
}

function forget(old: Session): void {
  if (session === old) session = undefined;
}

async function start(options: InitOptions, onLost: () => void): Promise<DeviceInfo> {
  const executor = await makeExecutor(options, { ...platformOptions(), onLost });
  setExecutor(executor);
  return executor.info;
}

async function makeExecutor(
  { device = "webgpu", powerPreference }: InitOptions,
  options: WebGpuOptions,
): Promise<Executor> {
  if (typeof device !== "string") {
    // WebGpuDevice is GPUDevice as far as callers need to know it.
    const lent = device as unknown as GPUDevice;
    return webgpuExecutor(lent, lent.adapterInfo, { ...options, ownsDevice: false });
  }
  const adapter = await findAdapter(device, powerPreference ?? "high-performance");
  const executor = await requestExecutor(adapter, options);
  if (device === "webgpu" && executor.info.isFallback) {
    console.warn(
      `jnx: no GPU found, computing on the CPU with ${executor.info.description || executor.info.adapter}: this is slow`,
    );
  }
  return executor;
}

/** Whether the device in use is what a later call asks for. */
function suits(wanted: Session["wanted"], info: DeviceInfo, asked: InitOptions["device"]): boolean {
  if (asked === undefined || asked === wanted || asked === "webgpu") return true;
  const name = asked === "lavapipe" ? "llvmpipe" : asked;
  return typeof name === "string" && `${info.adapter} ${info.description}`.toLowerCase().includes(name);
}
