import { concatenate, laxSlice, ravel, reshape, tree, type Tensor, type TensorLike } from "@jnx/tensor";
import { asTensor, sizeOf } from "@jnx/tensor/internal";

/** All leaves as one vector. */
export function joined(values: unknown): Tensor {
  return concatenate(tree.leaves(values).map((leaf) => ravel(leaf as TensorLike))); // a tree of arrays
}

/** A vector cut into leaves like those of a tree. */
export function cut<T>(like: T, flat: Tensor): T {
  let at = 0;
  return tree.map((leaf: TensorLike) => {
    const { shape } = asTensor(leaf, "hvp");
    const start = at;
    at += sizeOf(shape);
    return reshape(laxSlice(flat, [start], [at]), shape);
  }, like);
}
