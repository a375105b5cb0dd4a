import { inArena } from "../storage.ts";
import type { Tensor } from "../tensor.ts";
import { keptStorages } from "../reach.ts";

/**
 * Runs a function made of several ops: what it computes on the way goes back to the pool when it returns, also outside
 * every transform, where only the collector would find it.
 */
export function composite(name: string, body: () => Tensor): Tensor {
  return inArena(name, body, keptStorages);
}
