/** How large arrays may be: what kernels can count, and what a device can bind. */
import type { Limits } from "./device/executor.ts";
import { bytesOf } from "./dtype.ts";
import { ShapeError } from "./errors.ts";
import { shapeText, sizeOf } from "./shape.ts";
import type { Aval } from "./tensor.ts";

/** Places in an array are int32, as in JAX without 64-bit numbers; kernels count up to here without overflow. */
const MOST_ELEMENTS = 2 ** 31 - 1;

/** Throws unless every element of an array can be counted, views that repeat a few included. */
export function checkElements(name: string, { shape }: Aval): void {
  const size = sizeOf(shape);
  if (size <= MOST_ELEMENTS) return;
  throw new ShapeError(
    `${name}: a result of shape ${shapeText(shape)} has ${size} elements, more than the ${MOST_ELEMENTS} (2^31 - 1) that an array may have; work on smaller pieces`,
  );
}

/** The bytes of an array in memory; throws unless the device can bind so many at once. */
export function checkedBytes(
  name: string,
  what: string,
  aval: Aval,
  limits: Pick<Limits, "maxStorageBufferBindingSize">,
): number {
  const bytes = bytesOf(aval.dtype, sizeOf(aval.shape));
  const limit = limits.maxStorageBufferBindingSize;
  if (bytes <= limit) return bytes;
  throw new ShapeError(
    `${name}: ${what} of shape ${shapeText(aval.shape)} takes ${bytes} bytes as ${aval.dtype}, over this device's maxStorageBufferBindingSize of ${limit}; split it along an axis, use a smaller batch, or a dtype of fewer bits`,
  );
}
