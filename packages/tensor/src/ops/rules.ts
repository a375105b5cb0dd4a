import type { Tensor } from "../tensor.ts";
import { broadcastTo, reshape } from "./movement.ts";

/** What the batching rules of several families say alike. */

/** The operand of an op that has one. */
export function only(name: string, x: Tensor | undefined): Tensor {
  if (x === undefined) throw new Error(`jnx internal error: ${name} has no operand`);
  return x;
}

/** The extent of the batch, which the operands marked in `batched` carry as their first axis. */
export function batchSize(inputs: readonly Tensor[], batched: readonly boolean[]): number {
  const extent = inputs.find((_, k) => batched[k] === true)?.shape[0];
  if (extent === undefined) throw new Error("jnx internal error: a batching rule was asked without a batch");
  return extent;
}

/** Every operand with the batch as its first axis: those that are the same for all examples are repeated, as views. */
export function allBatched(inputs: readonly Tensor[], batched: readonly boolean[]): Tensor[] {
  const extent = batchSize(inputs, batched);
  return inputs.map((x, k) => (batched[k] === true ? x : broadcastTo(x, [extent, ...x.shape])));
}

/** x: [batch, ...per example] with axes of extent 1 after the batch, so that an example has `rank` axes. */
export function withRank(x: Tensor, rank: number): Tensor {
  const [extent = 1, ...rest] = x.shape;
  return reshape(x, [extent, ...new Array<number>(rank - rest.length).fill(1), ...rest]);
}
