import { browserAdapter } from "./browser.ts";
import type { AdapterSource } from "./source.ts";

let source: AdapterSource = browserAdapter;

/** How this platform finds adapters; Node's entry point puts its own here. */
export function setAdapterSource(next: AdapterSource): void {
  source = next;
}

/** The adapter of this name, found the platform's way. */
export const findAdapter: AdapterSource = (name, power) => source(name, power);
