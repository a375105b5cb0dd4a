/** The package under test, as the bundle exports it. */
import { pathToFileURL } from "node:url";
import type * as Package from "jnx";
import type { Tensor } from "jnx";
import type { Input } from "../../tasks/index.ts";
import { bundleFile } from "../bundle.ts";

export type Jnx = typeof Package & {
  /** Waits until the device has done all that is queued. */
  settled(): Promise<void>;
};

export type Bundle = Jnx & {
  /** How jnx waits in Node for work of so many dispatches. */
  nap<T>(pending: Promise<T>, dispatches?: number): Promise<T>;
};

export async function importJnx(): Promise<Bundle> {
  // The entry module that `prepare` bundles.
  return (await import(pathToFileURL(bundleFile("jnx")).href)) as Bundle;
}

export type Tree = Record<string, Tensor>;

export function upload({ jnp }: Jnx, { data, shape }: Input): Tensor {
  return jnp.reshape(jnp.array(data), shape);
}
