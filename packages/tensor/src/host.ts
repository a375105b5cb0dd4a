import { executor } from "./device/current.ts";
import type { DeviceInfo } from "./device/executor.ts";
import { checkVerdicts } from "./device/verdicts.ts";
import type { TypedArray } from "./dtype.ts";
import { flatten, unflatten } from "./flatten.ts";
import { array, asTensor, type TensorLike } from "./ops/create.ts";
import { Tensor, type NestedArray } from "./tensor.ts";

/** A tree as it is on the host: nested arrays of numbers in place of tensors. */
export type OnHost<T> = T extends Tensor
  ? NestedArray
  : T extends object
    ? { readonly [K in keyof T]: OnHost<T[K]> }
    : T;

/**
 * The values of all tensors of a tree, fetched together: one submission, one wait. Other leaves stay as they are.
 * Source: jax.device_get, which gives NumPy arrays where this gives what `toArray()` does.
 *
 * @throws TracedTensorError for a tensor that is being traced, DeviceError for what failed on the device.
 * @example await deviceGet({ w: array([1, 2]), step: 3 }); // { w: [1, 2], step: 3 }
 */
export async function deviceGet<T>(tree: T): Promise<OnHost<T>> {
  const [leaves, def] = flatten(tree);
  const values = await Promise.all(leaves.map((leaf) => (leaf instanceof Tensor ? leaf.toArray() : leaf)));
  return unflatten(def, values) as OnHost<T>; // the same structure
}

/** A tree with tensors in place of numbers, booleans and typed arrays. */
export type OnDevice<T> = T extends TensorLike | TypedArray
  ? Tensor
  : T extends object
    ? { readonly [K in keyof T]: OnDevice<T[K]> }
    : T;

/**
 * The tree with a tensor for every number, boolean and typed array; tensors stay as they are. Source: jax.device_put, which may
 * be told one of several devices where here there is one.
 *
 * @throws DtypeError for a leaf that is no array, NotInitializedError before `init()`.
 * @example devicePut({ w: new Float32Array([1, 2]), step: 3 }).w.shape; // [2]
 */
export function devicePut<T>(tree: T): OnDevice<T> {
  const [leaves, def] = flatten(tree);
  // Any view but a DataView is a typed array, of which array() refuses those it has no dtype for.
  const put = (leaf: unknown): Tensor => {
    if (ArrayBuffer.isView(leaf) && !(leaf instanceof DataView)) return array(leaf);
    return asTensor(leaf as TensorLike, "devicePut"); // which refuses what is no array
  };
  return unflatten(def, leaves.map(put)) as OnDevice<T>; // the same structure
}

/**
 * Waits until everything queued so far has been computed, and throws its errors; gives the tree back. For timing: calls return
 * before the device is done. Source: jax.block_until_ready, which waits for the arrays of the tree alone.
 *
 * @throws DeviceError for what failed on the device.
 * @example (await blockUntilReady(array([1, 2]))).shape; // [2]
 */
export async function blockUntilReady<T>(tree: T): Promise<T> {
  await Promise.all([executor().settled(), checkVerdicts()]);
  return tree;
}

/**
 * The device that everything runs on, in an array as in JAX. Source: jax.devices.
 *
 * @throws NotInitializedError before `init()`.
 * @example devices().length; // 1
 */
export function devices(): readonly [DeviceInfo] {
  return [executor().info];
}

/**
 * "webgpu", or "wasm" for the CPU. Source: jax.default_backend.
 *
 * @throws NotInitializedError before `init()`.
 * @example ["webgpu", "wasm"].includes(defaultBackend()); // true
 */
export function defaultBackend(): string {
  return executor().info.kind;
}
