import { browserAdapter } from "./browser.ts";
import type { AdapterSource } from "./source.ts";
import type { WebGpuOptions } from "@jnx/tensor/internal";

let source: AdapterSource = browserAdapter;

/** How this platform finds adapters; Node's entry point puts its own here. */
export function setAdapterSource(next: AdapterSource): void {
  source = next;
}

/** The adapter of this name, found the platform's way. */
export const findAdapter: AdapterSource = (name, power) => source(name, power);

let waiting: WebGpuOptions["wait"];

/** How this platform waits for the device, where promises alone would keep the processor busy. */
export function setWait(next: NonNullable<WebGpuOptions["wait"]>): void {
  waiting = next;
}

/** The platform's options for every executor. */
export function platformOptions(): WebGpuOptions {
  return waiting === undefined ? {} : { wait: waiting };
}
