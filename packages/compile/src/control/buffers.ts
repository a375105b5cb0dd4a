import {
  bytesOf,
  contiguous,
  contiguousView,
  copy,
  deviceStorage,
  itemBytes,
  literal,
  rowMajorStrides,
  sizeOf,
  Storage,
  type View,
} from "@jnx/tensor/internal";
import { executor, Tensor, type Aval, type DType } from "@jnx/tensor";

/** Room for an array whose elements a program will write; an empty one needs none. */
export function room({ shape, dtype, weak }: Aval, label: string): Tensor {
  if (sizeOf(shape) === 0) return literal(0, shape, dtype, weak);
  const storage = new Storage(bytesOf(dtype, sizeOf(shape)), label);
  return new Tensor({ shape, dtype, weak }, { kind: "device", storage, view: contiguousView(shape) });
}

/** The same elements in memory of their own, moved without a kernel. */
export function duplicate(x: Tensor, label: string): Tensor {
  const twin = room(x, label);
  moveRow(x, contiguous(x), 0, twin, 0);
  return twin;
}

/** Gives back rooms that nobody outside has seen. */
export function freeRooms(rooms: readonly Tensor[], why: string): void {
  for (const { payload } of rooms) if (payload.kind === "device") payload.storage.free(why);
}

/** Elements from one row of a stack to the next. Rows are copied by words, so that rows of packed elements may be filled up. */
function pitchOf({ shape, dtype }: Aval): number {
  const size = sizeOf(shape);
  return (size * itemBytes(dtype)) % 4 === 0 ? size : 4 * Math.ceil(size / 4);
}

function seen(x: Tensor, dtype: DType, view: View): Tensor {
  const { shape } = view;
  return new Tensor({ shape, dtype, weak: false }, { kind: "device", storage: deviceStorage(x), view });
}

/** Room for `length` rows. */
export function roomForRows(row: Aval, length: number, label: string): Tensor {
  const [pitch, shape] = [pitchOf(row), [length, ...row.shape]];
  if (pitch === sizeOf(row.shape) || length === 0) return room({ ...row, shape }, label);
  const filled = room({ ...row, shape: [length, pitch] }, label);
  return seen(filled, row.dtype, { shape, strides: [pitch, ...rowMajorStrides(row.shape)], offset: 0 });
}

/** An array as `moveRow` reads its rows. */
export function stackedRows(x: Tensor): Tensor {
  const stack = contiguous(x);
  const row = rowOf(stack);
  const [pitch, size, length] = [pitchOf(row), sizeOf(row.shape), stack.shape[0] ?? 0];
  if (pitch === size || stack.size === 0) return stack;
  // What a row is filled up with nobody reads: the next row's first elements will do.
  return copy(seen(stack, row.dtype, { shape: [length, pitch], strides: [size, 1], offset: 0 }));
}

/** Shape and dtype of a stack's rows. */
export function rowOf({ shape, dtype }: Tensor): Aval {
  return { shape: shape.slice(1), dtype, weak: false };
}

/** Copies one row between stacks; a single row is a stack of itself. */
export function moveRow(
  row: Aval,
  from: Tensor | undefined,
  fromRow: number,
  to: Tensor | undefined,
  toRow: number,
): void {
  if (from === undefined || to === undefined || sizeOf(row.shape) === 0) return;
  const bytes = pitchOf(row) * itemBytes(row.dtype);
  const [source, target] = [deviceStorage(from).buffer(), deviceStorage(to).buffer()];
  executor().copyRange(source, fromRow * bytes, target, toRow * bytes, bytes);
}
