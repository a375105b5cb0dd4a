/** Projections of trees of arrays onto sets, as optax.projections has them: the closest point in the sum of squares. */
import {
  abs,
  clip,
  concatenate,
  div,
  laxSlice,
  lessEqual,
  maximum,
  minimum,
  mul,
  ravel,
  relu,
  reshape,
  sign,
  sqrt,
  sub,
  tree,
  type Tensor,
  type TensorLike,
} from "@jnx/tensor";
import { asTensor } from "@jnx/tensor/internal";
import { projectionSimplex as ofRows } from "./losses-sparse.ts";
import * as trees from "./tree-ops.ts";

/**
 * Onto p ≥ 0. Source: optax.projections.projection_non_negative.
 * @example optax.projections.projectionNonNegative([array([1, -2])]); // [[1, 0]]
 */
export function projectionNonNegative<T>(values: T): T {
  return tree.map((x: TensorLike) => relu(x), values);
}

/**
 * Onto lower ≤ p ≤ upper; bounds are numbers or trees like the values. Source: optax.projections.projection_box.
 * @example optax.projections.projectionBox([array([1, -2, 5])], -1, 3); // [[1, -1, 3]]
 */
export function projectionBox<T>(values: T, lower: TensorLike | T, upper: TensorLike | T): T {
  const [low, high] = [alike(values, lower), alike(values, upper)];
  return tree.map((x: TensorLike, l: TensorLike, h: TensorLike) => clip(x, l, h), values, low, high);
}

/** A bound for every leaf: one for all is spread. */
function alike<T>(values: T, bound: TensorLike | T): T {
  const many = tree.structure(bound).text === tree.structure(values).text;
  return many ? (bound as T) : tree.map(() => bound, values); // a tree like the values, as just seen
}

/**
 * Onto 0 ≤ p ≤ scale, 1 unless given. Source: optax.projections.projection_hypercube.
 * @example optax.projections.projectionHypercube([array([0.5, -2, 5])]); // [[0.5, 0, 1]]
 */
export function projectionHypercube<T>(values: T, scale: TensorLike | T = 1): T {
  return projectionBox(values, 0, scale);
}

/**
 * Onto the simplex {p ≥ 0, Σ p = scale} of all elements together. `optax.projectionSimplex` projects each row of an array.
 * Source: optax.projections.projection_simplex.
 * @example optax.projections.projectionSimplex([array([2]), array([0.5])]); // [[1], [0]]
 */
export function projectionSimplex<T>(values: T, scale = 1): T {
  const [leaves, def] = tree.flatten(values);
  const arrays = leaves.map((leaf) => asTensor(leaf as TensorLike, "projectionSimplex")); // asTensor refuses what is no array
  const all = ofRows(concatenate(arrays.map(ravel)), scale);
  let from = 0;
  const parts = arrays.map(({ size, shape }) => reshape(laxSlice(all, [from], [(from += size)]), shape));
  return tree.unflatten(def, parts) as T; // the same tree
}

/**
 * Onto Σ |p| = scale. Source: optax.projections.projection_l1_sphere.
 * @example optax.projections.projectionL1Sphere([array([2, -0.5])]); // [[1, 0]]
 */
export function projectionL1Sphere<T>(values: T, scale = 1): T {
  const sizes = tree.map((x: TensorLike) => abs(x), values);
  return trees.mul(
    tree.map((x: TensorLike) => sign(x), values),
    projectionSimplex(sizes, scale),
  );
}

/**
 * Onto Σ |p| ≤ scale. Source: optax.projections.projection_l1_ball.
 * @example optax.projections.projectionL1Ball([array([0.2, -0.5])]); // [[0.2, -0.5]]
 */
export function projectionL1Ball<T>(values: T, scale = 1): T {
  return trees.where(lessEqual(trees.norm(values, { ord: 1 }), scale), values, projectionL1Sphere(values, scale));
}

/**
 * Onto √Σ p² = scale. Source: optax.projections.projection_l2_sphere.
 * @example optax.projections.projectionL2Sphere([array([3, 4])]); // [[0.6, 0.8]]
 */
export function projectionL2Sphere<T>(values: T, scale: TensorLike = 1): T {
  return trees.scale(div(scale, trees.norm(values)), values);
}

/**
 * Onto √Σ p² ≤ scale. Source: optax.projections.projection_l2_ball.
 * @example optax.projections.projectionL2Ball([array([0.3, 0.4])]); // [[0.3, 0.4]]
 */
export function projectionL2Ball<T>(values: T, scale: TensorLike = 1): T {
  const length = sqrt(maximum(trees.norm(values, { squared: true }), mul(scale, scale)));
  return trees.scale(div(scale, length), values);
}

/**
 * Onto max |p| ≤ scale. Source: optax.projections.projection_linf_ball.
 * @example optax.projections.projectionLinfBall([array([0.3, -4])]); // [[0.3, -1]]
 */
export function projectionLinfBall<T>(values: T, scale: TensorLike = 1): T {
  return projectionBox(values, mul(-1, scale), scale);
}

/**
 * Onto the line through a: a · ⟨x, a⟩ / ⟨a, a⟩. Source: optax.projections.projection_vector.
 * @example optax.projections.projectionVector([array([3, 4])], [array([1, 0])]); // [[3, 0]]
 */
export function projectionVector<T>(x: T, a: T): T {
  return trees.scale(div(trees.vdot(x, a), trees.vdot(a, a)), a);
}

/** How far x is from ⟨a, p⟩ = b, in multiples of a. */
function distance<T>(x: T, a: T, b: TensorLike): Tensor {
  return div(sub(b, trees.vdot(x, a)), trees.vdot(a, a));
}

/**
 * Onto ⟨a, p⟩ = b. Source: optax.projections.projection_hyperplane.
 * @example optax.projections.projectionHyperplane([array([3, 4])], [array([1, 0])], 1); // [[1, 4]]
 */
export function projectionHyperplane<T>(x: T, a: T, b: TensorLike): T {
  return trees.addScale(x, distance(x, a, b), a);
}

/**
 * Onto ⟨a, p⟩ ≤ b. Source: optax.projections.projection_halfspace.
 * @example optax.projections.projectionHalfspace([array([3, 4])], [array([1, 0])], 5); // [[3, 4]]
 */
export function projectionHalfspace<T>(x: T, a: T, b: TensorLike): T {
  return trees.addScale(x, minimum(distance(x, a, b), 0), a);
}
