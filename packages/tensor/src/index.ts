export { memory } from "./device/current.ts";
export type { DeviceInfo, Limits, MemoryStats } from "./device/executor.ts";
export {
  DeviceError,
  DeviceLostError,
  JnxError,
  KernelError,
  NoAdapterError,
  NotInitializedError,
  OutOfMemoryError,
} from "./errors.ts";
