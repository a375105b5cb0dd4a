import type { Executor } from "../executor.ts";
import { webgpuExecutor } from "./executor.ts";
import type { AdapterInfo, WebGpuDevice, WebGpuOptions } from "./options.ts";

/** Limits that are raised to what the adapter has: tensors are large, and fused kernels bind many. */
const RAISED = [
  "maxStorageBuffersPerShaderStage",
  "maxStorageBufferBindingSize",
  "maxBufferSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxComputeWorkgroupSizeY",
  "maxComputeWorkgroupStorageSize",
] as const;

/** Features that are asked for where the adapter has them. */
const WANTED = ["timestamp-query"] as const;

/** A `GPUAdapter`, as far as its device is asked for here. */
interface Adapter {
  /** Immediates are newer than some browsers. */
  readonly limits: Readonly<Record<(typeof RAISED)[number], number>> & { readonly maxImmediateSize?: number };
  readonly features: { has(name: string): boolean };
  readonly info: AdapterInfo;
  requestDevice(wish: {
    readonly label: string;
    readonly requiredFeatures: (typeof WANTED)[number][];
    readonly requiredLimits: Record<string, number>;
  }): Promise<WebGpuDevice>;
}

/** A device of `adapter`, with its best limits, and an executor on it. */
export async function requestExecutor(adapter: Adapter, options: WebGpuOptions = {}): Promise<Executor> {
  const requiredLimits: Record<string, number> = {};
  for (const name of RAISED) requiredLimits[name] = adapter.limits[name];
  const { maxImmediateSize } = adapter.limits;
  if (maxImmediateSize !== undefined) requiredLimits["maxImmediateSize"] = maxImmediateSize;
  const requiredFeatures = WANTED.filter((feature) => adapter.features.has(feature));
  const device = await adapter.requestDevice({ label: "jnx", requiredFeatures, requiredLimits });
  return webgpuExecutor(device, adapter.info, options);
}
