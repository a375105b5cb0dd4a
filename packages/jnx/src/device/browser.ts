import { ask, navigatorGpu, noAdapter } from "./source.ts";
import type { AdapterWish } from "./name.ts";

/** `navigator.gpu`: browsers, their workers, and everything else that has it. */
export async function browserAdapter(name: AdapterWish, power: "high-performance" | "low-power"): Promise<GPUAdapter> {
  const tried: string[] = [];
  const gpu = navigatorGpu();
  if (name !== "webgpu" && name !== "gpu")
    tried.push(`"${name}": software adapters can be chosen by name in Node only`);
  else if (gpu !== undefined) {
    const adapter = await ask(gpu, power, "navigator.gpu", tried, name);
    if (adapter !== undefined) return adapter;
  } else if (globalThis.isSecureContext === false) {
    tried.push("navigator.gpu: not there, for this page is not a secure context");
  } else tried.push("navigator.gpu: not there");
  throw noAdapter(name, tried, [
    "use a browser with WebGPU: Chrome or Edge 113, Safari 26, Firefox 141 or later, with hardware acceleration on",
    "serve the page over https or from localhost: WebGPU needs a secure context",
  ]);
}
