import type { Storage } from "./storage.ts";
import { Tensor } from "./tensor.ts";
import { reachableTensors } from "./tree.ts";

/** The device memory that a value can reach: what a transform that returns it must keep alive. */
export function reachableStorages(value: unknown): Storage[] {
  const tensors = value instanceof Tensor ? [value] : [...reachableTensors(value)];
  return tensors.flatMap(({ payload }) => (payload.kind === "device" ? [payload.storage] : []));
}
