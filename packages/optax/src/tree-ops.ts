/** Arithmetic on trees of arrays, as optax.tree has it. */
import {
  add as plus,
  array,
  astype,
  clip as clamp,
  div as over,
  fullLike as fullLeaf,
  max as largest,
  maximum,
  minimum,
  min as least,
  mul as times,
  onesLike as onesLeaf,
  sub as minus,
  sum as total,
  tree,
  where as choose,
  zerosLike as zerosLeaf,
  type DType,
  type Tensor,
  type TensorLike,
} from "@jnx/tensor";
import { asTensor } from "@jnx/tensor/internal";
import { globalNorm } from "./apply.ts";

/** A function of two trees, leaf by leaf. */
type TreeBinary = <T>(a: T, b: T) => T;

function binary(f: (a: TensorLike, b: TensorLike) => Tensor): TreeBinary {
  return (a, b) => tree.map(f, a, b);
}

/**
 * a + b, leaf by leaf. Source: optax.tree.add.
 * @example optax.tree.add([array([1])], [array([2])]); // [[3]]
 */
export const add: TreeBinary = /* @__PURE__ */ binary(plus);

/**
 * a − b, leaf by leaf. Source: optax.tree.sub.
 * @example optax.tree.sub([array([1])], [array([2])]); // [[-1]]
 */
export const sub: TreeBinary = /* @__PURE__ */ binary(minus);

/**
 * a · b, leaf by leaf. Source: optax.tree.mul.
 * @example optax.tree.mul([array([3])], [array([2])]); // [[6]]
 */
export const mul: TreeBinary = /* @__PURE__ */ binary(times);

/**
 * a / b, leaf by leaf. Source: optax.tree.div.
 * @example optax.tree.div([array([3])], [array([2])]); // [[1.5]]
 */
export const div: TreeBinary = /* @__PURE__ */ binary(over);

/**
 * Every leaf times a number. Source: optax.tree.scale.
 * @example optax.tree.scale(2, [array([3])]); // [[6]]
 */
export function scale<T>(scalar: TensorLike, values: T): T {
  return tree.map((x: TensorLike) => times(scalar, x), values);
}

/**
 * a + scalar · b. Source: optax.tree.add_scale.
 * @example optax.tree.addScale([array([1])], 2, [array([3])]); // [[7]]
 */
export function addScale<T>(a: T, scalar: TensorLike, b: T): T {
  return tree.map((x: TensorLike, y: TensorLike) => plus(x, times(scalar, y)), a, b);
}

/**
 * Zeros like each leaf. Source: optax.tree.zeros_like.
 * @example optax.tree.zerosLike([array([1])]); // [[0]]
 */
export function zerosLike<T>(values: T): T {
  return tree.map((x: TensorLike) => zerosLeaf(x), values);
}

/**
 * Ones like each leaf. Source: optax.tree.ones_like.
 * @example optax.tree.onesLike([array([5])]); // [[1]]
 */
export function onesLike<T>(values: T): T {
  return tree.map((x: TensorLike) => onesLeaf(x), values);
}

/**
 * A number like each leaf. Source: optax.tree.full_like.
 * @example optax.tree.fullLike([array([5])], 7); // [[7]]
 */
export function fullLike<T>(values: T, value: number): T {
  return tree.map((x: TensorLike) => fullLeaf(x, value), values);
}

/**
 * Every leaf in a dtype. Source: optax.tree.cast.
 * @example optax.tree.cast([array([5])], "float32"); // [[5]]
 */
export function cast<T>(values: T, dtype: DType | undefined): T {
  return dtype === undefined ? values : tree.map((x: TensorLike) => astype(x, dtype), values);
}

/**
 * Every leaf in the dtype of another tree's. Source: optax.tree.cast_like.
 * @example optax.tree.castLike([array([5.5])], [array([1])]); // [[5]]
 */
export function castLike<T>(values: T, other: unknown): T {
  return tree.map((x: TensorLike, like: TensorLike) => astype(x, asTensor(like).dtype), values, other);
}

/**
 * Every element held between two numbers. Source: optax.tree.clip.
 * @example optax.tree.clip([array([5, -5])], -1, 2); // [[2, -1]]
 */
export function clip<T>(values: T, low: number, high: number): T {
  return tree.map((x: TensorLike) => clamp(x, low, high), values);
}

/**
 * √Σ x² over all leaves. Source: optax.tree.norm.
 * @example optax.tree.norm([array([3]), array([4])]); // 5
 */
export function norm(values: unknown): Tensor {
  return globalNorm(values);
}

function reduced(values: unknown, first: Tensor, f: (all: Tensor, leaf: TensorLike) => Tensor): Tensor {
  return tree.leaves(values).reduce<Tensor>((all, leaf) => f(all, leaf as TensorLike), first); // a tree of arrays
}

/**
 * The sum of all elements. Source: optax.tree.sum.
 * @example optax.tree.sum([array([3]), array([4, 5])]); // 12
 */
export function sum(values: unknown): Tensor {
  return reduced(values, array(0), (all, leaf) => plus(all, total(leaf)));
}

/**
 * The largest element. Source: optax.tree.max.
 * @example optax.tree.max([array([3]), array([4, 5])]); // 5
 */
export function max(values: unknown): Tensor {
  return reduced(values, array(Number.NEGATIVE_INFINITY), (all, leaf) => maximum(all, largest(leaf)));
}

/**
 * The least element. Source: optax.tree.min.
 * @example optax.tree.min([array([3]), array([4, 5])]); // 3
 */
export function min(values: unknown): Tensor {
  return reduced(values, array(Number.POSITIVE_INFINITY), (all, leaf) => minimum(all, least(leaf)));
}

/**
 * Σ a · b over all elements. Source: optax.tree.vdot.
 * @example optax.tree.vdot([array([1, 2])], [array([3, 4])]); // 11
 */
export function vdot<T>(a: T, b: T): Tensor {
  return sum(mul(a, b));
}

/**
 * Leaves of a where the condition holds, else of b. Source: optax.tree.where.
 * @example optax.tree.where(false, [array([1])], [array([2])]); // [[2]]
 */
export function where<T>(condition: TensorLike, a: T, b: T): T {
  return tree.map((x: TensorLike, y: TensorLike) => choose(condition, x, y), a, b);
}

/**
 * How many elements all leaves have. Source: optax.tree.size.
 * @example optax.tree.size([array([3]), array([4, 5])]); // 3
 */
export function size(values: unknown): number {
  return tree.leaves(values).reduce<number>((count, leaf) => count + asTensor(leaf as TensorLike).size, 0); // as above
}
