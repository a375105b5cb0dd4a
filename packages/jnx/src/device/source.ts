import { NoAdapterError } from "@jnx/tensor";
import type { DeviceName } from "./name.ts";

/** Finds an adapter, or throws NoAdapterError. */
export type AdapterSource = (name: DeviceName, power: "high-performance" | "low-power") => Promise<GPUAdapter>;

/** The error that lists what was tried, with its results, and how to get an adapter. */
export function noAdapter(name: DeviceName, tried: readonly string[], remedies: readonly string[]): NoAdapterError {
  const what = name === "webgpu" ? "no WebGPU adapter" : `no adapter "${name}"`;
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

/** Asks `gpu` for an adapter; says in `tried` why there is none. */
export async function ask(
  gpu: GPU,
  powerPreference: GPUPowerPreference,
  what: string,
  tried: string[],
): Promise<GPUAdapter | undefined> {
  try {
    const adapter = await gpu.requestAdapter({ powerPreference });
    if (adapter !== null) return adapter;
    tried.push(`${what}: has no adapter`);
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
