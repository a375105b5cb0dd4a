import { NoAdapterError } from "@jnx/tensor";
import type { AdapterWish } from "./name.ts";

/** Finds an adapter, or throws NoAdapterError. */
export type AdapterSource = (name: AdapterWish, power: "high-performance" | "low-power") => Promise<GPUAdapter>;

/** The error that lists what was tried, with its results, and how to get an adapter. */
export function noAdapter(name: AdapterWish, tried: readonly string[], remedies: readonly string[]): NoAdapterError {
  const what = name === "gpu" ? "no GPU" : name === "webgpu" ? "no WebGPU adapter" : `no adapter "${name}"`;
  return new NoAdapterError(
    [`init: ${what} was found. Tried:`, ...bullets(tried), "To get one:", ...bullets(remedies)].join("\n"),
  );
}

function bullets(lines: readonly string[]): string[] {
  return lines.map((line) => `  - ${line}`);
}

/** The platform's own `navigator.gpu`, if any. */
export function navigatorGpu(): GPU | undefined {
  // Typed as always there, but it is missing in Node 20 and in browsers without WebGPU.
  const host = globalThis as { navigator?: { gpu?: GPU } };
  return host.navigator?.gpu;
}

/** Asks `gpu` for an adapter, for one that is no software when a GPU is wanted; says in `tried` why there is none. */
export async function ask(
  gpu: GPU,
  powerPreference: GPUPowerPreference,
  what: string,
  tried: string[],
  wish: AdapterWish,
): Promise<GPUAdapter | undefined> {
  try {
    const adapter = await gpu.requestAdapter({ powerPreference });
    if (adapter !== null) {
      if (wish !== "gpu" || !isSoftware(adapter)) return adapter;
      tried.push(`${what}: has ${adapter.info.description || adapter.info.vendor}, which computes on the CPU`);
    } else tried.push(`${what}: has no adapter`);
  } catch (error) {
    tried.push(`${what}: ${reason(error)}`);
  }
  return undefined;
}

/** The first line of an error's message. */
export function reason(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split("\n")[0] ?? text;
}

/** Older browsers tell it of the adapter, and not of its info. */
function isSoftware(adapter: GPUAdapter & { readonly isFallbackAdapter?: boolean }): boolean {
  const { isFallbackAdapter, architecture, description } = adapter.info;
  if (isFallbackAdapter ?? adapter.isFallbackAdapter ?? false) return true;
  return /swiftshader|llvmpipe|basic render/i.test(`${architecture} ${description}`);
}
