export { init } from "./init.ts";
export type { InitOptions, WebGpuDevice } from "./init.ts";
export type { DeviceName } from "./device/name.ts";
export {
  DeviceError,
  DeviceLostError,
  JnxError,
  KernelError,
  NoAdapterError,
  NotInitializedError,
  OutOfMemoryError,
  memory,
} from "@jnx/tensor";
export type { DeviceInfo, MemoryStats } from "@jnx/tensor";
