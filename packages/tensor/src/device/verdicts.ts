import type { Storage } from "../storage.ts";
import { executor } from "./current.ts";
import type { Executor } from "./executor.ts";

/** Counts that queued work keeps of what went wrong, with the error that says so: looked at when somebody waits next. */
const pending = new WeakMap<Executor, Map<Storage, Error>>();

/** From now on whoever waits for the device is told `error` if the second word of `storage` is not zero by then. */
export function expectZero(storage: Storage, error: Error): void {
  const known = pending.get(executor()) ?? new Map<Storage, Error>();
  pending.set(executor(), known);
  known.set(storage, error);
}

/** Throws the error of queued work that counted a failure. To be called together with the read that waits. */
export async function checkVerdicts(): Promise<void> {
  const device = executor();
  const known = pending.get(device);
  if (known === undefined || known.size === 0) return;
  const reads = [...known].map(async ([storage, error]) => {
    const words = device.read(storage.buffer(), 8);
    // Queued behind the read: what fails later counts anew.
    device.write(storage.buffer(), new Uint32Array(2));
    if (new Uint32Array(await words)[1] !== 0) throw error;
  });
  known.clear();
  await Promise.all(reads);
}

/** The same for a read that blocks. */
export function checkVerdictsNow(): void {
  const device = executor();
  const known = pending.get(device);
  if (known === undefined || device.readSync === undefined) return;
  const failed = [...known].filter(([storage]) => {
    const words = new Uint32Array(device.readSync?.(storage.buffer(), 8) ?? new ArrayBuffer(8));
    device.write(storage.buffer(), new Uint32Array(2));
    return words[1] !== 0;
  });
  known.clear();
  for (const [, error] of failed) throw error;
}
