import { currentFrame } from "@jnx/tensor/internal";
import type { Tensor } from "@jnx/tensor";

/** True if some open level has to see what these tensors go through. */
export function claimed(inputs: readonly Tensor[]): boolean {
  for (let frame = currentFrame(); frame !== undefined; frame = frame.below)
    if (frame.level.claims(inputs)) return true;
  return false;
}
