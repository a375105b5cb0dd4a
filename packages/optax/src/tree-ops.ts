/** Arithmetic on trees of arrays, as optax.tree has it. */
import {
  abs as magnitude,
  add as plus,
  ArgumentError,
  array,
  allclose as closeLeaves,
  astype,
  broadcastTo,
  clip as clamp,
  div as over,
  DtypeError,
  fullLike as fullLeaf,
  logicalAnd,
  max as largest,
  maximum,
  minimum,
  min as least,
  mul as times,
  onesLike as onesLeaf,
  power,
  promote,
  square,
  sub as minus,
  sum as total,
  tree,
  where as choose,
  zerosLike as zerosLeaf,
  type CloseOptions,
  type DType,
  type Tensor,
  type TensorLike,
} from "@jnx/tensor";
import * as random from "@jnx/tensor/random";
import { asTensor, checkKeys } from "@jnx/tensor/internal";
import { globalNorm } from "./apply.ts";
import { unbiased } from "./moments.ts";

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
  return tree.map((x: TensorLike, like: TensorLike) => astype(x, asTensor(like, "castLike").dtype), values, other);
}

/**
 * Every element held between two numbers. Source: optax.tree.clip.
 * @example optax.tree.clip([array([5, -5])], -1, 2); // [[2, -1]]
 */
export function clip<T>(values: T, low: number, high: number): T {
  return tree.map((x: TensorLike) => clamp(x, low, high), values);
}

/** Options of `norm`. */
export interface TreeNormOptions {
  /** 2 (√Σ x²) unless given; 1 for Σ |x|, Infinity for the largest |x|. */
  readonly ord?: number | null;
  /** Whether the square is given, false. */
  readonly squared?: boolean;
}

/**
 * The norm of all elements together, √Σ x² unless `ord` says another. Source: optax.tree.norm.
 *
 * @throws ArgumentError for another `ord` than 1, 2 and Infinity.
 * @example
 * optax.tree.norm([array([3]), array([4])]); // 5
 * optax.tree.norm([array([3]), array([-4])], { ord: 1 }); // 7
 */
export function norm(values: unknown, options: TreeNormOptions = {}): Tensor {
  checkKeys("norm", options, "ord squared?");
  const { ord = 2, squared = false } = options;
  if (ord === 2 || ord === null)
    return squared ? sum(tree.map((x: TensorLike) => square(x), values)) : globalNorm(values);
  if (ord !== 1 && ord !== Number.POSITIVE_INFINITY)
    throw new ArgumentError(`tree.norm: ord must be 1, 2 or Infinity, received ${ord}`);
  const sizes = tree.map((x: TensorLike) => magnitude(x), values);
  const total = ord === 1 ? sum(sizes) : max(sizes);
  return squared ? square(total) : total;
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
  return tree.leaves(values).reduce<number>((count, leaf) => count + asTensor(leaf as TensorLike, "size").size, 0); // as above
}

/**
 * (1 − decay)·gᵒʳᵈᵉʳ + decay·m, leaf by leaf. Source: optax.tree.update_moment.
 * @example optax.tree.updateMoment([array([2])], [array([0.5])], 0.5, 2); // [[2.25]]
 */
export function updateMoment<T>(updates: T, moments: unknown, decay: TensorLike, order: number): T {
  const rest = typeof decay === "number" ? 1 - decay : minus(1, decay);
  const raised = (g: TensorLike): TensorLike => (order === 1 ? g : order === 2 ? square(g) : power(g, order));
  return tree.map((g: TensorLike, m: TensorLike) => plus(times(rest, raised(g)), times(decay, m)), updates, moments);
}

/** updateMoment: all arrays here are real. Source: optax.tree.update_moment_per_elem_norm. */
export const updateMomentPerElemNorm: typeof updateMoment = updateMoment;

/**
 * max(|g| + eps, decay·m), leaf by leaf. Source: optax.tree.update_infinity_moment.
 * @example optax.tree.updateInfinityMoment([array([-2])], [array([8])], 0.5, 0); // [[4]]
 */
export function updateInfinityMoment<T>(updates: T, moments: unknown, decay: TensorLike, eps: number): T {
  const next = (g: TensorLike, m: TensorLike): Tensor => maximum(plus(magnitude(g), eps), times(decay, m));
  return tree.map(next, updates, moments);
}

/**
 * m / (1 − decayᶜᵒᵘⁿᵗ), leaf by leaf: what a moment that started at zero would be. Source: optax.tree.bias_correction.
 * @example optax.tree.biasCorrection([array([0.5])], 0.5, 1); // [[1]]
 */
export function biasCorrection<T>(moments: T, decay: number, count: TensorLike): T {
  return unbiased(moments, decay, count);
}

/**
 * Whether all leaves of two trees agree: |a − b| ≤ atol + rtol·|b|. Source: optax.tree.allclose.
 * @example optax.tree.allclose([array([1])], [array([1.0000001])]); // 1
 */
export function allclose(a: unknown, b: unknown, options: CloseOptions = {}): Tensor {
  checkKeys("allclose", options, "rtol atol equalNan?");
  const same = tree.map((x: TensorLike, y: TensorLike) => closeLeaves(x, y, options), a, b);
  return tree.leaves(same).reduce<Tensor>((all, leaf) => logicalAnd(all, leaf as Tensor), array(true)); // made above
}

/**
 * A key for each leaf: the keys of one split, in a tree like the target's. Source: optax.tree.split_key_like.
 * @example optax.tree.splitKeyLike(random.key(0), { a: array([1]), b: array([2]) }).a.shape; // []
 */
export function splitKeyLike<T>(key: Tensor, target: T): T {
  const [leaves, def] = tree.flatten(target);
  // The k-th key of a split is what folding k in gives.
  return tree.unflatten(
    def,
    leaves.map((_, k) => random.foldIn(key, k)),
  ) as T; // the same tree, of keys
}

/** Which dtype a tree of several has: what all are promoted to, or the one of them that is highest or lowest. */
export type MixedDtypes = "promote" | "highest" | "lowest";

/**
 * The dtype of every leaf; of a tree without leaves float32. Source: optax.tree.dtype.
 *
 * @throws DtypeError for leaves of several dtypes unless told what to take, and where none of them is highest or lowest.
 * @example
 * optax.tree.dtype([array([1.5]), array([2.5])]); // "float32"
 * optax.tree.dtype([array([1.5]), array([1], { dtype: "float16" })], "lowest"); // "float16"
 */
export function dtype(values: unknown, mixed?: MixedDtypes): DType {
  const found = [...new Set(tree.leaves(values).map((leaf) => asTensor(leaf as TensorLike, "dtype").dtype))]; // asTensor refuses what is no array
  const [only = "float32"] = found;
  if (found.length < 2) return only;
  const joined = (list: readonly DType[]): DType => promote(list.map((one) => ({ dtype: one, weak: false }))).dtype;
  if (mixed === "promote") return joined(found);
  const best = found.find((one) => found.every((other) => joined([one, other]) === (mixed === "lowest" ? other : one)));
  if (mixed !== undefined && best !== undefined) return best;
  throw new DtypeError(
    `tree.dtype: the leaves are ${found.join(", ")}, ${mixed === undefined ? 'of no common dtype; pass "promote", "highest" or "lowest"' : `of which none is the ${mixed}; pass "promote"`}`,
  );
}

/**
 * Every leaf with leading axes, along which it repeats. Source: optax.tree.batch_shape.
 * @example optax.tree.batchShape([array([1, 2])], [3])[0].shape; // [3, 2]
 */
export function batchShape<T>(values: T, shape: readonly number[] = []): T {
  return tree.map((leaf: TensorLike) => {
    const x = asTensor(leaf, "batchShape");
    return broadcastTo(x, [...shape, ...x.shape]);
  }, values);
}

/** What draws an array: of `random`, or of your own. */
export type TreeSampler = (
  key: Tensor,
  shape: readonly number[],
  options?: { readonly dtype?: (typeof FLOATS)[number] },
) => Tensor;

const FLOATS = ["float32", "float16", "bfloat16"] as const;

/**
 * A random array for each leaf, of its shape and dtype; normal unless another sampler is given. Source:
 * optax.tree.random_like.
 * @example optax.tree.randomLike(random.key(0), [ones([2, 3])])[0].shape; // [2, 3]
 */
export function randomLike<T>(
  key: Tensor,
  target: T,
  options: { readonly sampler?: TreeSampler; readonly dtype?: DType } = {},
): T {
  checkKeys("randomLike", options, "sampler dtype");
  const { sampler = random.normal, dtype } = options;
  const draw = (leaf: TensorLike, own: Tensor): Tensor => {
    const like = asTensor(leaf, "randomLike");
    const wanted = dtype ?? like.dtype;
    const float = FLOATS.find((one) => one === wanted);
    return astype(sampler(own, like.shape, float === undefined ? {} : { dtype: float }), wanted);
  };
  let position = 0;
  return tree.map((leaf: TensorLike) => draw(leaf, random.foldIn(key, position++)), target);
}

export {
  get,
  getAllWithPath,
  mapParams,
  set,
  type MapParamsOptions,
  type StateFilter,
  type StatePath,
} from "./tree-state.ts";
