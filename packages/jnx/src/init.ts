import { DeviceError, NoAdapterError, setExecutor } from "@jnx/tensor";
import type { DeviceInfo, Executor, WebGpuDevice } from "@jnx/tensor";
import { requestExecutor, webgpuExecutor } from "@jnx/tensor/internal";
import type { WebGpuOptions } from "@jnx/tensor/internal";
import { findAdapter, platformOptions } from "./device/find.ts";
import type { DeviceName } from "./device/name.ts";
import { tuningFor, type TuningFile } from "./device/tuning.ts";

/** Where to compute. */
export interface InitOptions {
  /**
   * By default the browser's or the system's GPU, and where there is none, "wasm": the same kernels on the CPU, compiled to
   * WebAssembly SIMD. "webgpu" takes any WebGPU adapter, a GPU before a software one. "swiftshader" and "lavapipe" ask for those
   * software adapters in Node. A `GPUDevice` of your own is used as it is, and never destroyed.
   */
  readonly device?: DeviceName | WebGpuDevice;
  /** Which GPU of several; "high-performance" by default. */
  readonly powerPreference?: "high-performance" | "low-power";
  /** How "wasm" computes. */
  readonly wasm?: WasmSettings;
  /**
   * What `jnx-bench tune` wrote: kernels cut their work as was measured to be best on this adapter. Unless given, Node reads
   * the file that JNX_TUNING names, or `jnx/tuning.json` in the user's cache folder if it is there; false reads none.
   */
  readonly tuning?: TuningFile | false;
}

/** How "wasm" computes; the defaults suit all machines. */
export interface WasmSettings {
  /** Threads, the calling one included: as many as there are cores unless given; 1 where memory cannot be shared. */
  readonly threads?: number;
  /** Keep every index of a kernel inside its buffer, and report a kernel that would have left it. Slow; false by default. */
  readonly clampIndices?: boolean;
  /** Fused multiply-add where the engine has it; true by default. It changes last bits. */
  readonly relaxedSimd?: boolean;
}

interface Session {
  readonly wanted: DeviceName | WebGpuDevice | undefined;
  readonly ready: Promise<DeviceInfo>;
}

let session: Session | undefined;

/**
 * Makes the device ready that all tensors live on. Needed once, before any op; later calls return the same device, and after
 * a loss a new one.
 *
 * @returns What it runs on: `kind` is "webgpu" or "wasm", `isFallback` is true for what computes on the CPU.
 * @throws NoAdapterError when there is nothing to compute on; its message lists what was tried and how to get one.
 * @throws DeviceError when another device than the one in use is asked for.
 * @example
 * await init();
 */
export async function init(options: InitOptions = {}): Promise<DeviceInfo> {
  const running = session;
  if (running === undefined) {
    const started: Session = { wanted: options.device, ready: start(options, () => forget(started)) };
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

async function makeExecutor(init: InitOptions, given: WebGpuOptions): Promise<Executor> {
  const optionsFor = (info: WebGpuDevice["adapterInfo"]): WebGpuOptions => {
    const tuning = tuningFor(info ?? {}, init.tuning);
    return tuning === undefined ? given : { ...given, tuning };
  };
  const onAdapter = (adapter: GPUAdapter): Promise<Executor> => requestExecutor(adapter, optionsFor(adapter.info));
  const { device, powerPreference = "high-performance" } = init;
  if (typeof device === "object") {
    const { adapterInfo } = device;
    return webgpuExecutor(device, adapterInfo, { ...optionsFor(adapterInfo), ownsDevice: false });
  }
  if (device === "wasm") return makeWasm(init, given);
  if (device !== undefined) return onAdapter(await findAdapter(device, powerPreference));
  const noGpu = await findAdapter("gpu", powerPreference).catch(noAdapterOnly);
  if (!(noGpu instanceof NoAdapterError)) return onAdapter(noGpu);
  const executor = await makeWasm(init, given).catch(noAdapterOnly);
  if (!(executor instanceof NoAdapterError)) {
    console.warn(`jnx: no GPU found, computing with ${executor.info.description}`);
    return executor;
  }
  // Neither a GPU nor WebAssembly with SIMD: a software adapter is better than nothing.
  const adapter = await findAdapter("webgpu", powerPreference).catch(noAdapterOnly);
  if (adapter instanceof NoAdapterError) {
    throw new NoAdapterError(`${noGpu.message}\nNor can the CPU be used: ${executor.message}`);
  }
  console.warn(`jnx: no GPU found, computing on the CPU with ${adapter.info.description}: this is slow`);
  return onAdapter(adapter);
}

/** Loaded only where it is used: with a GPU nobody pays for the compiler. */
async function makeWasm({ wasm }: InitOptions, { onLost }: WebGpuOptions): Promise<Executor> {
  const { wasmExecutor } = await import("@jnx/wgsl-wasm");
  return wasmExecutor({ ...wasm, ...(onLost === undefined ? {} : { onLost }) });
}

function noAdapterOnly(error: unknown): NoAdapterError {
  if (error instanceof NoAdapterError) return error;
  throw error;
}

/** Whether the device in use is what a later call asks for. */
function suits(wanted: Session["wanted"], info: DeviceInfo, asked: InitOptions["device"]): boolean {
  if (asked === undefined || asked === wanted) return true;
  if (asked === "webgpu" || asked === "wasm") return info.kind === asked;
  const name = asked === "lavapipe" ? "llvmpipe" : asked;
  return typeof name === "string" && `${info.adapter} ${info.description}`.toLowerCase().includes(name);
}
