import { setting } from "../../config.ts";
import type { Tensor } from "../../tensor.ts";

/** Where each key was used first. */
const uses = new WeakMap<Tensor, string>();

/** Frames between the caller's code and `callSite`: noteUse, checkedKey and the public function. */
const OUR_FRAMES = 4;

/** Told of every use of a key by a public function. foldIn may use a key as often as it likes, with other numbers. */
export function noteUse(name: string, key: Tensor): void {
  if (!setting("jax_debug_key_reuse") || name === "foldIn") return;
  const use = `random.${name} (${callSite()})`;
  const known = uses.get(key);
  if (known === undefined) uses.set(key, use);
  else
    console.warn(
      `jnx: a key was used twice, first by ${known}, now by ${use}; numbers drawn from one key are related: split the key, or pass random.clone(key) where that is meant`,
    );
}

/** The line that called the public function. */
function callSite(): string {
  const lines = (new Error().stack ?? "").split("\n").filter((line) => line !== "" && !line.startsWith("Error"));
  return lines[OUR_FRAMES]?.trim().replace(/^at /, "") ?? "unknown place";
}
