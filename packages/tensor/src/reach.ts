import { currentFrame } from "./dispatch.ts";
import type { Storage } from "./storage.ts";
import { Tensor } from "./tensor.ts";
import { reachableTensors } from "./tree.ts";

/** The device memory that a value can reach. */
export function reachableStorages(value: unknown): Storage[] {
  // Most Variables hold one array, and each write asks.
  if (value instanceof Tensor && value.composition === undefined) return storageOf(value);
  return [...tensorsOf(value)].flatMap(storageOf);
}

/**
 * The device memory that must outlive an arena that gives `value` back: what the value reaches, and what the levels it
 * is seen by keep beside its tensors.
 */
export function keptStorages(value: unknown): Storage[] {
  const tensors = tensorsOf(value);
  return [...(currentFrame() === undefined ? tensors : withAttached(tensors))].flatMap(storageOf);
}

/** Tensors and, transitively, those that the levels of the stack keep beside them. */
export function withAttached(tensors: Iterable<Tensor>): Set<Tensor> {
  const found = new Set<Tensor>(tensors);
  // What is added on the way is visited too.
  for (const tensor of found) {
    for (let frame = currentFrame(); frame !== undefined; frame = frame.below)
      for (const other of frame.level.attached?.(tensor) ?? []) found.add(other);
  }
  return found;
}

function tensorsOf(value: unknown): Iterable<Tensor> {
  return value instanceof Tensor && value.composition === undefined ? [value] : reachableTensors(value);
}

function storageOf({ payload }: Tensor): Storage[] {
  return payload.kind === "device" ? [payload.storage] : [];
}
