import type { Tensor } from "../tensor.ts";
import { at } from "../view.ts";
import { broadcastTo } from "./movement.ts";

/** Extent of the batch that the marked inputs carry as their first axis. */
export function batchSize(inputs: readonly Tensor[], batched: readonly boolean[]): number {
  return at(at(inputs, batched.indexOf(true)).shape, 0);
}

/** Every input with the batch as its first axis: those that are the same for all examples are repeated (a view). */
export function spreadBatch(inputs: readonly Tensor[], batched: readonly boolean[]): Tensor[] {
  const size = batchSize(inputs, batched);
  return inputs.map((input, k) => (batched[k] === true ? input : broadcastTo(input, [size, ...input.shape])));
}
