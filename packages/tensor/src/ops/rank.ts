import type { Tensor } from "../tensor.ts";
import { at } from "../view.ts";
import { asTensor, type TensorLike } from "./create.ts";
import { reshape } from "./movement.ts";

/** One array for one, a list for several. */
function each(name: string, xs: readonly TensorLike[], f: (x: Tensor) => Tensor): Tensor | Tensor[] {
  const all = xs.map((x) => f(asTensor(x, name)));
  return all.length === 1 ? at(all, 0) : all;
}

/**
 * x with one axis at least: a scalar becomes [1]. Several arrays give a list. Source: jnp.atleast_1d.
 * @example atleast1d(3).shape; // [1]
 */
export function atleast1d(x: TensorLike): Tensor;
export function atleast1d(...xs: readonly TensorLike[]): Tensor[];
export function atleast1d(...xs: readonly TensorLike[]): Tensor | Tensor[] {
  return each("atleast1d", xs, (x) => (x.ndim === 0 ? reshape(x, [1]) : x));
}

/**
 * x with two axes at least, new ones first: [n] becomes [1, n]. Several arrays give a list. Source: jnp.atleast_2d.
 * @example atleast2d(zeros([3])).shape; // [1, 3]
 */
export function atleast2d(x: TensorLike): Tensor;
export function atleast2d(...xs: readonly TensorLike[]): Tensor[];
export function atleast2d(...xs: readonly TensorLike[]): Tensor | Tensor[] {
  return each("atleast2d", xs, (x) => (x.ndim < 2 ? reshape(x, [1, x.size]) : x));
}

/**
 * x with three axes at least: [n] becomes [1, n, 1], [m, n] becomes [m, n, 1]. Several arrays give a list.
 * Source: jnp.atleast_3d.
 * @example atleast3d(zeros([3])).shape; // [1, 3, 1]
 */
export function atleast3d(x: TensorLike): Tensor;
export function atleast3d(...xs: readonly TensorLike[]): Tensor[];
export function atleast3d(...xs: readonly TensorLike[]): Tensor | Tensor[] {
  return each("atleast3d", xs, (x) =>
    x.ndim < 2 ? reshape(x, [1, x.size, 1]) : x.ndim === 2 ? reshape(x, [...x.shape, 1]) : x,
  );
}
