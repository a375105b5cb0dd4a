import type { Executor } from "../executor.ts";
import { webgpuExecutor } from "./executor.ts";
import type { WebGpuOptions } from "./executor.ts";

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
const WANTED: readonly GPUFeatureName[] = ["timestamp-query"];

/** A device of `adapter`, with its best limits, and an executor on it. */
export async function requestExecutor(adapter: GPUAdapter, options: WebGpuOptions = {}): Promise<Executor> {
  const requiredLimits: Record<string, number> = {};
  for (const name of RAISED) requiredLimits[name] = adapter.limits[name];
  const requiredFeatures = WANTED.filter((feature) => adapter.features.has(feature));
  const device = await adapter.requestDevice({ label: "jnx", requiredFeatures, requiredLimits });
  return webgpuExecutor(device, adapter.info, options);
}
