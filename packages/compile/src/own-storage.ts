import { Storage } from "@jnx/tensor/internal";

/** A buffer that belongs to a program, not to the arena it happens to be made in. */
export function ownStorage(bytes: number, label: string, host?: ArrayBufferView): Storage {
  const storage = new Storage(bytes, label, host);
  storage.pins++;
  return storage;
}
