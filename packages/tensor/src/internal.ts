export { debugLevel, debugLog } from "./device/debug.ts";
export { executor, hasExecutor, setExecutor } from "./device/current.ts";
export type {
  Counters,
  DeviceBuffer,
  DeviceInfo,
  Executor,
  Launch,
  Limits,
  MemoryStats,
  Program,
  ProgramStep,
} from "./device/executor.ts";
export { webgpuExecutor } from "./device/webgpu/executor.ts";
export type { AdapterInfo, WebGpuOptions } from "./device/webgpu/executor.ts";
export { requestExecutor } from "./device/webgpu/request.ts";
