/** A device that has WebGPU's least limits, whatever its adapter has. */
import { executor, setExecutor, webgpuExecutor, type DeviceInfo } from "@jnx/tensor";
import { limitedExecutor } from "@jnx/testing/table";

/** Where adapters come from: the platform's `navigator.gpu`, or what jnx keeps of Dawn's entry points in Node. */
interface Host {
  readonly navigator?: { readonly gpu?: GPU };
}

/** From now on everything runs on a device of the same adapter with no limit raised; on the CPU, on one that claims so. */
export async function useLeastLimits(): Promise<DeviceInfo> {
  const running = executor();
  if (running.info.kind === "wasm") {
    setExecutor(limitedExecutor(running));
    return running.info;
  }
  const adapter = await findAdapter();
  setExecutor(webgpuExecutor(await adapter.requestDevice(), adapter.info));
  running.destroy();
  return executor().info;
}

async function findAdapter(): Promise<GPUAdapter> {
  const host: Host = globalThis;
  // Nothing but jnx's entry points is kept under this symbol.
  const kept = (globalThis as Record<symbol, unknown>)[Symbol.for("jnx.gpu")] as ReadonlyMap<string, GPU> | undefined;
  for (const gpu of [...(kept?.values() ?? []), host.navigator?.gpu]) {
    const adapter = await gpu?.requestAdapter();
    if (adapter !== undefined && adapter !== null) return adapter;
  }
  throw new Error("conformance: no adapter for a device with the least limits");
}
