import { planGather, planSort } from "@jnx/kernels-wgsl";
import { bind } from "../dispatch.ts";
import { checkDType, type DType } from "../dtype.ts";
import { ArgumentError, ShapeError } from "../errors.ts";
import type { KernelOp } from "../op.ts";
import { normalizeAxis, sameShape, shapeText, sizeOf } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { at, isIdentity } from "../view.ts";
import { only, spreadBatch } from "./batching.ts";
import { convert } from "./convert.ts";
import { asTensor, asTensors, literal, zeros, type TensorLike } from "./create.ts";
import { sub } from "./elementwise.ts";
import { concatenate, sliceAlong } from "./join.ts";
import { flip, ravel, swapaxes } from "./movement.ts";
import { checkOptions } from "../options.ts";

const SORT_OPTIONS = { axis: true, descending: "flag", stable: "flag" } as const;
const ARGSORT_OPTIONS = { axis: true, descending: "flag", stable: "flag", dtype: true } as const;
const AXIS_OPTION = { axis: "number" } as const;
const LAX_SORT_OPTIONS = { dimension: "number", isStable: "flag", numKeys: "number" } as const;

/** Where each element of an ascending stable sort along the last axis came from. */
const argsortOp: KernelOp<undefined> = {
  kind: "kernel",
  name: "argsort",
  infer: ([keys]) => ({ shape: keys?.shape ?? [], dtype: "int32", weak: false }),
  accepts: () => true,
  plan: ([keys], _attrs, limits) => {
    if (keys === undefined || keys.aval.dtype === "bool") return [];
    const { shape, dtype } = keys.aval;
    const spec = {
      rows: sizeOf(shape.slice(0, -1)),
      n: at(shape, shape.length - 1),
      key: dtype,
      dtype: "int32",
    } as const;
    return planSort({ ...spec, result: "positions" }, limits).map((stage) =>
      stage.reads === "operands" ? { ...stage, operands: [], loads: 0 } : { ...stage, operands: [] },
    );
  },
  vjp: "nondifferentiable",
  batch: ([keys]) => bind(argsortOp, [only("argsort", keys)], undefined),
};

/** The elements of x's last axis in the order of a permutation of that axis, one for each row. */
const permuteOp: KernelOp<undefined> = {
  kind: "kernel",
  name: "permute",
  infer: ([x]) => ({ shape: x?.shape ?? [], dtype: x?.dtype ?? "float32", weak: x?.weak ?? false }),
  accepts: isIdentity,
  plan: ([x], _attrs, limits) => {
    if (x === undefined) return [];
    const { shape, dtype } = x.aval;
    const rows = at(shape, shape.length - 1);
    const size = { outer: sizeOf(shape.slice(0, -1)), rows, take: rows, inner: 1 };
    const rule = { along: true, mode: "fill", fromEnd: false, fill: 0, indexDType: "int32", vector: false } as const;
    return planGather({ ...size, ...rule, dtype }, limits);
  },
  // A permutation is undone by its inverse: no scatter is needed.
  vjp: ({ inputs: [, order] }, ct) => [permute(ct, argsortLast(only("permute", order)))],
  jvp: ({ inputs: [, order] }, [tangent]) => tangent && permute(tangent, only("permute", order)),
  batch: (inputs, batched) => bind(permuteOp, spreadBatch(inputs, batched), undefined),
};

function permute(x: Tensor, order: Tensor): Tensor {
  return bind(permuteOp, [x, order], undefined);
}

/** Stable ascending positions along the last axis, int32. */
function argsortLast(keys: Tensor): Tensor {
  if (keys.size === 0) return zeros(keys.shape, { dtype: "int32" });
  return bind(argsortOp, [keys.dtype === "bool" ? convert(keys, "uint32") : keys], undefined);
}

/** Stable descending positions along the last axis: equal elements stay in order. */
function argsortDown(keys: Tensor): Tensor {
  const n = at(keys.shape, keys.ndim - 1);
  return sub(n - 1, flip(argsortLast(flip(keys, { axis: -1 })), { axis: -1 }));
}

/** `f` on the last axis instead of `axis`, and back. */
function onLast(x: Tensor, axis: number, f: (x: Tensor) => Tensor): Tensor {
  return axis === x.ndim - 1 ? f(x) : swapaxes(f(swapaxes(x, axis, -1)), axis, -1);
}

export interface SortOptions {
  /** The axis to sort along, the last unless told; null flattens x first. */
  readonly axis?: number | null;
  /** From the largest to the smallest. */
  readonly descending?: boolean;
  /** Whether equal elements keep their order. They always do. */
  readonly stable?: boolean;
}

function lined(name: string, x: TensorLike, axis: number | null | undefined): [Tensor, number] {
  const tensor = axis === null ? ravel(x) : asTensor(x, name);
  return [tensor, normalizeAxis(name, axis ?? -1, tensor.ndim)];
}

/** The elements along the last axis by `order`. */
export function takeSorted(x: Tensor, order: Tensor): Tensor {
  return x.size === 0 ? x : permute(x, order);
}

/**
 * The elements in ascending order along an axis. NaN comes last; 0 and −0 are equal, and equal elements keep their
 * order. Source: jnp.sort.
 *
 * @throws ShapeError when the axis is out of range.
 * @example await sort(array([3, 1, 2])).toArray(); // [1, 2, 3]
 */
export function sort(x: TensorLike, options: SortOptions = {}): Tensor {
  checkOptions("sort", options, SORT_OPTIONS);
  const [tensor, axis] = lined("sort", x, options.axis);
  const sorted = onLast(tensor, axis, (rows) => takeSorted(rows, argsortLast(rows)));
  return options.descending === true ? flip(sorted, { axis }) : sorted;
}

/**
 * Where the elements of sort(x) came from, int32. Equal elements keep their order, also in descending order.
 * Source: jnp.argsort.
 *
 * @throws ShapeError when the axis is out of range, DtypeError for an unknown dtype.
 * @example await argsort(array([3, 1, 2])).toArray(); // [1, 2, 0]
 */
export function argsort(x: TensorLike, options: SortOptions & { readonly dtype?: DType } = {}): Tensor {
  checkOptions("argsort", options, ARGSORT_OPTIONS);
  const [tensor, axis] = lined("argsort", x, options.axis);
  const dtype = checkDType("argsort", options.dtype ?? "int32");
  return convert(onLast(tensor, axis, options.descending === true ? argsortDown : argsortLast), dtype);
}

/** Positions that sort by several keys of one shape along the last axis, the first key before the second. */
function argsortBy(keys: readonly Tensor[]): Tensor {
  const [last, ...others] = [...keys].reverse();
  if (last === undefined) throw new ArgumentError("sort: needs at least one key");
  return others.reduce((order, key) => {
    const sorted = argsortLast(takeSorted(key, order));
    return takeSorted(order, sorted);
  }, argsortLast(last));
}

function checkAlike(name: string, arrays: readonly TensorLike[]): Tensor[] {
  const tensors = asTensors(name, arrays);
  const first = at(tensors, 0);
  const wrong = tensors.find((one) => !sameShape(one.shape, first.shape));
  if (wrong !== undefined)
    throw new ShapeError(
      `${name}: shapes ${shapeText(first.shape)} and ${shapeText(wrong.shape)} differ; all must be one`,
    );
  return tensors;
}

/**
 * Positions that sort by several keys of one shape, the last of them first. Source: jnp.lexsort.
 *
 * @throws ShapeError for no keys, shapes that differ, or an axis that is out of range.
 * @example await lexsort([array([2, 1, 0]), array([0, 1, 0])]).toArray(); // [2, 0, 1]
 */
export function lexsort(keys: readonly TensorLike[], options: { readonly axis?: number } = {}): Tensor {
  checkOptions("lexsort", options, AXIS_OPTION);
  const tensors = checkAlike("lexsort", keys).reverse();
  const first = at(tensors, 0);
  if (first.ndim === 0) return literal(0, [], "int32");
  const axis = normalizeAxis("lexsort", options.axis ?? -1, first.ndim);
  return swapaxes(argsortBy(tensors.map((one) => swapaxes(one, axis, -1))), axis, -1);
}

export interface LaxSortOptions {
  /** The axis to sort along; the last unless told. */
  readonly dimension?: number;
  readonly isStable?: boolean;
  /** How many of the arrays are keys, the first before the second. */
  readonly numKeys?: number;
}

/**
 * One array in ascending order, or several in the order of the first `numKeys` of them. Source: lax.sort.
 *
 * @throws ShapeError for shapes that differ, ArgumentError for a number of keys that does not fit.
 * @example
 * const [keys, values] = laxSort([array([2, 1]), array([10, 20])]);
 * await values.toArray(); // [20, 10]
 */
export function laxSort(operand: Tensor, options?: LaxSortOptions): Tensor;
export function laxSort<T extends readonly TensorLike[]>(
  operand: T,
  options?: LaxSortOptions,
): { [K in keyof T]: Tensor };
export function laxSort(operand: Tensor | readonly TensorLike[], options: LaxSortOptions = {}): unknown {
  checkOptions("sort", options, LAX_SORT_OPTIONS);
  const { dimension = -1, numKeys = 1 } = options;
  const list = Array.isArray(operand) ? (operand as readonly TensorLike[]) : [operand as Tensor]; // just checked
  const tensors = checkAlike("sort", list);
  if (!Number.isInteger(numKeys) || numKeys < 1 || numKeys > tensors.length)
    throw new ArgumentError(`sort: ${numKeys} keys of ${tensors.length} arrays; give at least one, at most all`);
  const axis = normalizeAxis("sort", dimension, at(tensors, 0).ndim);
  const rows = tensors.map((one) => swapaxes(one, axis, -1));
  const order = argsortBy(rows.slice(0, numKeys));
  const sorted = rows.map((one) => swapaxes(takeSorted(one, order), axis, -1));
  return Array.isArray(operand) ? sorted : sorted[0];
}

/**
 * Keys in ascending order along an axis, and values in the order of their keys. Source: lax.sort_key_val.
 *
 * @throws ShapeError for shapes that differ.
 * @example
 * const [, values] = sortKeyVal(array([2, 1]), array([10, 20]));
 * await values.toArray(); // [20, 10]
 */
export function sortKeyVal(keys: TensorLike, values: TensorLike, dimension = -1): [Tensor, Tensor] {
  const [own, others] = [asTensor(keys, "sortKeyVal"), asTensor(values, "sortKeyVal")];
  const [sortedKeys, sortedValues] = laxSort([own, others], { dimension });
  if (sortedKeys === undefined || sortedValues === undefined) throw new Error("jnx internal error: sort lost an array");
  return [sortedKeys, sortedValues];
}

/**
 * The k largest elements along an axis, the largest first, and where they are; of equals, the first. NaN counts as
 * largest. Source: lax.top_k.
 *
 * @throws ArgumentError unless 0 ≤ k ≤ the extent.
 * @example
 * const [values, places] = topK(array([1, 9, 5]), 2);
 * await places.toArray(); // [1, 2]
 */
export function topK(x: TensorLike, k: number, options: { readonly axis?: number } = {}): [Tensor, Tensor] {
  checkOptions("topK", options, AXIS_OPTION);
  const tensor = asTensor(x, "topK");
  const axis = normalizeAxis("topK", options.axis ?? -1, tensor.ndim);
  const extent = at(tensor.shape, axis);
  if (!Number.isInteger(k) || k < 0 || k > extent)
    throw new ArgumentError(`topK: k is ${k}; a whole number from 0 to ${extent}, the axis' extent, is needed`);
  const rows = swapaxes(tensor, axis, -1);
  const order = argsortDown(rows);
  const first = (all: Tensor): Tensor => swapaxes(sliceAlong(all, all.ndim - 1, 0, k), axis, -1);
  return [first(takeSorted(rows, order)), first(order)];
}

/** The kth place of a partition, and the axis it is along, both counted from the start. */
function partitionAt(name: string, x: Tensor, kth: number, axis: number): [number, number] {
  const along = normalizeAxis(name, axis, x.ndim);
  const extent = at(x.shape, along);
  if (!Number.isInteger(kth) || kth < -extent || kth >= extent)
    throw new ArgumentError(`${name}: kth is ${kth}; a whole number from ${-extent} to ${extent - 1} is needed`);
  return [kth < 0 ? kth + extent : kth, along];
}

/**
 * The elements along an axis, the kth in its sorted place, smaller ones before it and larger ones after it. As in JAX, those
 * before ascend and those after descend. Source: jnp.partition.
 *
 * @throws ArgumentError when kth is out of range.
 * @example await partition(array([4, 1, 3, 2]), 1).toArray(); // [1, 2, 4, 3]
 */
export function partition(x: TensorLike, kth: number, options: { readonly axis?: number } = {}): Tensor {
  checkOptions("partition", options, AXIS_OPTION);
  const tensor = asTensor(x, "partition");
  const [place, axis] = partitionAt("partition", tensor, kth, options.axis ?? -1);
  const sorted = sort(tensor, { axis });
  const first = sliceAlong(sorted, axis, 0, place + 1);
  return concatenate([first, flip(sliceAlong(sorted, axis, place + 1, at(tensor.shape, axis)), { axis })], { axis });
}

/**
 * Where the elements of partition(x) came from, int32; as in JAX, the places after the kth are in order. Source: jnp.argpartition.
 *
 * @throws ArgumentError when kth is out of range.
 * @example await argpartition(array([4, 1, 3, 2]), 1).toArray(); // [1, 3, 0, 2]
 */
export function argpartition(x: TensorLike, kth: number, options: { readonly axis?: number } = {}): Tensor {
  checkOptions("argpartition", options, AXIS_OPTION);
  const tensor = asTensor(x, "argpartition");
  const [place, axis] = partitionAt("argpartition", tensor, kth, options.axis ?? -1);
  const order = argsort(tensor, { axis });
  const rest = sort(sliceAlong(order, axis, place + 1, at(tensor.shape, axis)), { axis });
  return concatenate([sliceAlong(order, axis, 0, place + 1), rest], { axis });
}
