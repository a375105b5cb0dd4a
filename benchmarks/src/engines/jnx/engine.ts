/** The package under test, as the bundle exports it. */
import type * as Package from "jnx";
import type { Tensor } from "jnx";
import type { Input } from "../../tasks/index.ts";

export type Jnx = typeof Package & {
  /** Waits until the device has done all that is queued. */
  settled(): Promise<void>;
};

export type Tree = Record<string, Tensor>;

export function upload({ jnp }: Jnx, { data, shape }: Input): Tensor {
  return jnp.reshape(jnp.array(data), shape);
}
