/** The same elements, laid out otherwise in memory: what a function is given must not matter. */
import { flip, laxSlice, transpose, type DType, type Tensor } from "@jnx/tensor";
import { reference, toTensor, type HostArray } from "@jnx/testing/table";

/** An array as views of others: transposed, and flipped out of the middle of a larger one. */
export const layouts: readonly ((x: HostArray, dtype: DType) => Tensor)[] = [
  (x, dtype) => {
    const axes = x.shape.map((_, k) => x.shape.length - 1 - k);
    return transpose(toTensor(reference.transpose(x, axes), dtype));
  },
  (x, dtype) => {
    if (x.shape.length === 0) return toTensor(x, dtype);
    const around = x.shape.map((): [number, number, number] => [1, 2, 0]);
    const larger = reference.pad(reference.flip(x), 1, around);
    const starts = x.shape.map(() => 1);
    const ends = x.shape.map((extent) => extent + 1);
    return flip(laxSlice(toTensor(larger, dtype), starts, ends));
  },
];
