import { BYTES_PER_ELEMENT, contiguousView, literal, sizeOf, Storage } from "@jnx/tensor/internal";
import { Tensor, type Aval } from "@jnx/tensor";

/** Room for an array whose elements a program will write; an empty one needs none. */
export function room({ shape, dtype, weak }: Aval, label: string): Tensor {
  if (sizeOf(shape) === 0) return literal(0, shape, dtype, weak);
  const storage = new Storage(sizeOf(shape) * BYTES_PER_ELEMENT, label);
  return new Tensor({ shape, dtype, weak }, { kind: "device", storage, view: contiguousView(shape) });
}

/** Gives back rooms that nobody outside has seen. */
export function freeRooms(rooms: readonly Tensor[], why: string): void {
  for (const { payload } of rooms) if (payload.kind === "device") payload.storage.free(why);
}
