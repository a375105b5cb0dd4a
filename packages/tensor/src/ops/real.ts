import { ShapeError } from "../errors.ts";
import { checkOptions } from "../options.ts";

import { shapeText, type Shape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { asFloat, convert } from "./convert.ts";
import {
  asTensor,
  isData,
  literal,
  zeros,
  zerosLike,
  type ArrayOptions,
  type LikeOptions,
  type TensorLike,
} from "./create.ts";
import { isnan, signbit, where } from "./elementwise.ts";

/** What NumPy says of complex numbers, for arrays that hold none, and what it says of shapes. */

/**
 * The real part: x itself, as arrays hold no complex numbers. Source: jnp.real.
 * @example await real(array([1, -2])).toArray(); // [1, -2]
 */
export function real(x: TensorLike): Tensor {
  return asTensor(x, "real");
}

/**
 * The imaginary part: zeros. Source: jnp.imag.
 * @example await imag(array([1, -2])).toArray(); // [0, 0]
 */
export function imag(x: TensorLike): Tensor {
  const tensor = asTensor(x, "imag");
  return zerosLike(tensor);
}

/**
 * The complex conjugate: x itself. Source: jnp.conjugate.
 * @example await conjugate(array([1, -2])).toArray(); // [1, -2]
 */
export function conjugate(x: TensorLike): Tensor {
  return asTensor(x, "conjugate");
}

/**
 * The angle of x in the complex plane: π for what has a minus sign, 0 else, NaN for NaN. Source: jnp.angle.
 *
 * @example
 * await angle(array([1, -2])).toArray();                // [0, 3.1416]
 * await angle(array([-2]), { deg: true }).toArray();    // [180]
 */
export function angle(x: TensorLike, options: { readonly deg?: boolean } = {}): Tensor {
  checkOptions("angle", options, { deg: "flag" });
  const tensor = asFloat(asTensor(x, "angle"));
  const turned = where(signbit(tensor), options.deg === true ? 180 : Math.PI, 0);
  return convert(where(isnan(tensor), Number.NaN, turned), tensor.dtype);
}

/**
 * False everywhere: no element has an imaginary part. Source: jnp.iscomplex.
 * @example await iscomplex(array([1, 2])).toArray(); // [0, 0]
 */
export function iscomplex(x: TensorLike): Tensor {
  return literal(0, asTensor(x, "iscomplex").shape, "bool");
}

/**
 * True everywhere: no element has an imaginary part. Source: jnp.isreal.
 * @example await isreal(array([1, 2])).toArray(); // [1, 1]
 */
export function isreal(x: TensorLike): Tensor {
  return literal(1, asTensor(x, "isreal").shape, "bool");
}

/**
 * False: no array is complex. Source: jnp.iscomplexobj.
 * @example iscomplexobj(ones([2])); // false
 */
export function iscomplexobj(x: TensorLike): boolean {
  asTensor(x, "iscomplexobj");
  return false;
}

/**
 * True: no array is complex. Source: jnp.isrealobj.
 * @example isrealobj(ones([2])); // true
 */
export function isrealobj(x: TensorLike): boolean {
  const tensor = asTensor(x, "isrealobj");
  return !iscomplexobj(tensor);
}

/**
 * True for a number, and for an array without axes. Source: jnp.isscalar.
 * @example isscalar(2.5); // true
 */
export function isscalar(x: unknown): boolean {
  return typeof x === "boolean" || (isData(x) && asTensor(x, "isscalar").ndim === 0);
}

/**
 * The number of axes. Source: jnp.ndim.
 * @example ndim(ones([2, 3])); // 2
 */
export function ndim(x: TensorLike): number {
  return asTensor(x, "ndim").ndim;
}

/**
 * The extents of x. Source: jnp.shape.
 * @example shape(ones([2, 3])); // [2, 3]
 */
export function shape(x: TensorLike): Shape {
  return asTensor(x, "shape").shape;
}

/**
 * The number of elements, or the extent of an axis. Source: jnp.size.
 *
 * @throws ShapeError when the axis is out of range.
 * @example size(ones([2, 3]), 1); // 3
 */
export function size(x: TensorLike, axis?: number): number {
  const tensor = asTensor(x, "size");
  if (axis === undefined) return tensor.size;
  const extent = Number.isInteger(axis) ? tensor.shape.at(axis) : undefined;
  if (extent === undefined)
    throw new ShapeError(`size: axis ${String(axis)} is out of range for shape ${shapeText(tensor.shape)}`);
  return extent;
}

/**
 * An array of zeros: nothing is left uninitialized, in JAX neither. Source: jnp.empty.
 *
 * @throws ShapeError unless the shape holds whole numbers.
 * @example empty([2, 3]).shape; // [2, 3]
 */
export function empty(shape: Shape | number, options: ArrayOptions = {}): Tensor {
  return zeros(shape, options);
}

/**
 * Zeros of x's shape and dtype. Source: jnp.empty_like.
 * @example emptyLike(ones([2, 3])).shape; // [2, 3]
 */
export function emptyLike(x: TensorLike, options: LikeOptions = {}): Tensor {
  return zerosLike(asTensor(x, "emptyLike"), options);
}

/**
 * x: arrays never change, so that none needs a copy of its own. Source: jnp.copy.
 * @example await copy(array([1, 2])).toArray(); // [1, 2]
 */
export function copy(x: TensorLike): Tensor {
  return asTensor(x, "copy");
}
