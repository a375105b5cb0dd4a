import type { Aval, DType, Shape } from "@jnx/tensor";
import { sizeOf } from "@jnx/tensor/internal";

/** An array in float64 on the host, row-major: what the reference interpreter computes with. */
export interface Value extends Aval {
  readonly data: Float64Array;
}

export function valueOf(shape: Shape, dtype: DType, data: ArrayLike<number>): Value {
  if (data.length !== sizeOf(shape)) throw new Error(`${data.length} elements for shape [${shape.join(",")}]`);
  return { shape, dtype, weak: false, data: Float64Array.from(data) };
}

/** A value whose element at each index is `element(index)`. */
export function fill(aval: Aval, element: (index: readonly number[], flat: number) => number): Value {
  const { shape, dtype, weak } = aval;
  const data = new Float64Array(sizeOf(shape));
  for (let flat = 0; flat < data.length; flat++) data[flat] = wrap(element(unravel(flat, shape), flat), dtype);
  return { shape, dtype, weak, data };
}

export function unravel(flat: number, shape: Shape): number[] {
  const index = new Array<number>(shape.length).fill(0);
  let rest = flat;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const extent = shape[axis] ?? 1;
    index[axis] = rest % extent;
    rest = Math.floor(rest / extent);
  }
  return index;
}

export function ravel(index: readonly number[], shape: Shape): number {
  return index.reduce((flat, i, axis) => flat * (shape[axis] ?? 1) + i, 0);
}

export function elementAt(value: Value, index: readonly number[]): number {
  return value.data[ravel(index, value.shape)] ?? Number.NaN;
}

/** What a dtype keeps of a number; floats stay float64, so that rounding never hides a mistake. */
export function wrap(x: number, dtype: DType): number {
  if (dtype === "int32") return x | 0;
  if (dtype === "uint32") return x >>> 0;
  return dtype === "bool" ? Number(x !== 0) : x;
}
