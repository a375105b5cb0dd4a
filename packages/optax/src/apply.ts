import { add, astype, sqrt, square, sum, tree, type Tensor, type TensorLike } from "@jnx/tensor";
import { asTensor } from "@jnx/tensor/internal";

/**
 * params + updates, leaf by leaf, each in the parameter's dtype. Source: optax.apply_updates.
 *
 * @throws ArgumentError when the trees differ in structure, ShapeError when two leaves do not broadcast.
 * @example
 * optax.applyUpdates({ w: array([1, 2]) }, { w: array([1, -1]) }); // { w: [2, 1] }
 */
export function applyUpdates<T>(params: T, updates: T): T {
  return tree.map(
    (param: TensorLike, update: TensorLike) => astype(add(param, update), asTensor(param, "applyUpdates").dtype),
    params,
    updates,
  );
}

/**
 * √Σ x² over every element of every leaf: a float32 scalar. Source: optax.global_norm (optax.tree.norm).
 *
 * @example
 * await optax.globalNorm({ a: jnp.array([3]), b: jnp.array([4]) }).item(); // 5
 */
export function globalNorm(updates: unknown): Tensor {
  // Leaves of a tree of arrays; asTensor refuses anything else.
  const squares = tree.leaves(updates).map((leaf) => sum(square(leaf as TensorLike)));
  return sqrt(squares.reduce<Tensor>((total, one) => add(total, one), asTensor(0, "globalNorm")));
}
