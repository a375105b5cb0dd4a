import type { Tensor } from "../tensor.ts";
import { at } from "../view.ts";
import { broadcastTo, reshape } from "./movement.ts";

/** Extent of the batch that the marked inputs carry as their first axis. */
export function batchSize(inputs: readonly Tensor[], batched: readonly boolean[]): number {
  return at(at(inputs, batched.indexOf(true)).shape, 0);
}

/** Every input with the batch as its first axis: those that are the same for all examples are repeated (a view). */
export function spreadBatch(inputs: readonly Tensor[], batched: readonly boolean[]): Tensor[] {
  const size = batchSize(inputs, batched);
  return inputs.map((input, k) => (batched[k] === true ? input : broadcastTo(input, [size, ...input.shape])));
}

/** The operand of an op that has one. */
export function only(name: string, x: Tensor | undefined): Tensor {
  if (x === undefined) throw new Error(`jnx internal error: ${name} has no operand`);
  return x;
}

/** x: [batch, ...per example] with axes of extent 1 after the batch, so that an example has `rank` axes. */
export function withRank(x: Tensor, rank: number): Tensor {
  const [extent = 1, ...rest] = x.shape;
  return reshape(x, [extent, ...new Array<number>(rank - rest.length).fill(1), ...rest]);
}
