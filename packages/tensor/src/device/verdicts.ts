import type { Storage } from "../storage.ts";
import { executor } from "./current.ts";
import type { Executor } from "./executor.ts";

/** What queued work writes down of what went wrong: looked at when somebody waits next. */
export interface Verdict {
  /** The error that the words of the storage stand for, if any. */
  error(words: Uint32Array): Error | undefined;
  /** Called once the read is queued: what fails later counts anew. */
  looked(): void;
}

const pending = new WeakMap<Executor, Map<Storage, Verdict>>();

/** From now on whoever waits for the device is told the verdict in `storage`. */
export function expect(storage: Storage, verdict: Verdict): void {
  const known = pending.get(executor()) ?? new Map<Storage, Verdict>();
  pending.set(executor(), known);
  known.set(storage, verdict);
}

/** The storage is no longer looked at. */
export function forget(storage: Storage): void {
  pending.get(executor())?.delete(storage);
}

/** From now on whoever waits for the device is told `error` if the second word of `storage` is not zero by then. */
export function expectZero(storage: Storage, error: Error): void {
  const device = executor();
  expect(storage, {
    error: (words) => (words[1] === 0 ? undefined : error),
    looked: () => device.write(storage.buffer(), new Uint32Array(2)),
  });
}

/** Throws the error of queued work that failed. To be called together with the read that waits. */
export async function checkVerdicts(): Promise<void> {
  const device = executor();
  const reads = takePending(device).map(async ([storage, verdict]) => {
    const words = device.read(storage.buffer(), storage.bytes);
    verdict.looked();
    const error = verdict.error(new Uint32Array(await words));
    if (error !== undefined) throw error;
  });
  await Promise.all(reads);
}

/** The same for a read that blocks. */
export function checkVerdictsNow(): void {
  const device = executor();
  const { readSync } = device;
  if (readSync === undefined) return;
  const errors = takePending(device).map(([storage, verdict]) => {
    const words = new Uint32Array(readSync.call(device, storage.buffer(), storage.bytes));
    verdict.looked();
    return verdict.error(words);
  });
  for (const error of errors) if (error !== undefined) throw error;
}

/** Everything that is waited for, and from now on no more. */
function takePending(device: Executor): readonly (readonly [Storage, Verdict])[] {
  const known = pending.get(device);
  pending.delete(device);
  return known === undefined ? [] : [...known];
}
