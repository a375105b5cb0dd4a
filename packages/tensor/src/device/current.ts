import { NotInitializedError } from "../errors.ts";
import type { Counters, Executor, MemoryStats } from "./executor.ts";

let current: Executor | undefined;

/**
 * Makes `next` the executor of all ops that follow; `undefined` takes it away.
 * @example setExecutor(executor());
 */
export function setExecutor(next: Executor | undefined): void {
  current = next;
}

/**
 * The executor that ops run on. Throws NotInitializedError before `init()`.
 * @example executor().limits.maxStorageBuffersPerShaderStage >= 8; // true
 */
export function executor(): Executor {
  if (current === undefined) {
    throw new NotInitializedError("jnx: there is no device yet; call `await init()` first");
  }
  return current;
}

/**
 * True once `init()` has finished.
 * @example hasExecutor(); // true
 */
export function hasExecutor(): boolean {
  return current !== undefined;
}

/**
 * Bytes of device memory: live, their peak, kept for reuse, and the number of live buffers. All zero before `init()`.
 *
 * @example
 * const before = memory().live;
 * const x = exp(arange(1024));
 * memory().live - before >= x.nbytes; // true
 */
export function memory(): MemoryStats {
  return current?.memory() ?? { live: 0, peak: 0, pooled: 0, buffers: 0 };
}

/**
 * Exact counts since `init()`: dispatches, submissions, pipelines and so on. Two readings subtracted tell what the work
 * between them cost. Throws NotInitializedError before `init()`.
 *
 * @example
 * const before = counters().dispatches;
 * await exp(arange(4)).data();
 * counters().dispatches - before > 0; // true
 */
export function counters(): Counters {
  return executor().counters();
}
