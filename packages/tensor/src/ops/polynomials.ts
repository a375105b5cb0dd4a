import { ArgumentError, ShapeError } from "../errors.ts";
import { checkOptions } from "../options.ts";
import { shapeText } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { at } from "./at.ts";
import { asFloat, convert } from "./convert.ts";
import { convolve } from "./convolve.ts";
import { arange, asTensor, ones, zeros, type TensorLike } from "./create.ts";
import { add, div, mul, neg, sub } from "./elementwise.ts";
import { concatenate, sliceAlong } from "./join.ts";
import { reshape } from "./movement.ts";
import { trimZeros } from "./places.ts";
import { promote } from "../dtype.ts";

/** Polynomials as NumPy writes them: the coefficients of falling powers. */

const POLYINT_OPTIONS = { k: true } as const;

function coefficients(name: string, p: TensorLike): Tensor {
  const tensor = asTensor(p, name);
  if (tensor.ndim === 0) return reshape(tensor, [1]);
  if (tensor.ndim > 1)
    throw new ShapeError(`${name}: coefficients are a vector, received shape ${shapeText(tensor.shape)}`);
  return tensor;
}

function checkTimes(name: string, m: number): void {
  if (!Number.isInteger(m) || m < 0 || m > MOST_TIMES)
    throw new ArgumentError(`${name}: m is a whole number from 0 to ${MOST_TIMES}, received ${String(m)}`);
}

const MOST_TIMES = 1024;

/** Both with as many coefficients, of one dtype. */
function aligned(name: string, p: TensorLike, q: TensorLike): [Tensor, Tensor] {
  const [a, b] = [coefficients(name, p), coefficients(name, q)];
  const { dtype } = promote([a, b]);
  const size = Math.max(a.size, b.size);
  const fit = (one: Tensor): Tensor => concatenate([zeros([size - one.size], { dtype }), convert(one, dtype)]);
  return [fit(a), fit(b)];
}

/**
 * The sum of two polynomials. Source: jnp.polyadd.
 *
 * @throws ShapeError unless coefficients are vectors.
 * @example await polyadd(array([1, 2]), array([1, 0, 0])).toArray(); // [1, 1, 2]
 */
export function polyadd(p: TensorLike, q: TensorLike): Tensor {
  return add(...aligned("polyadd", p, q));
}

/**
 * The difference of two polynomials. Source: jnp.polysub.
 *
 * @throws ShapeError unless coefficients are vectors.
 * @example await polysub(array([1, 2]), array([1, 0, 0])).toArray(); // [-1, 1, 2]
 */
export function polysub(p: TensorLike, q: TensorLike): Tensor {
  return sub(...aligned("polysub", p, q));
}

export interface PolymulOptions {
  /** Whether to take zeros off the front of both first, whose values must be known on the host; false. */
  readonly trimLeadingZeros?: boolean;
}

/**
 * The product of two polynomials. Source: jnp.polymul.
 *
 * @throws ShapeError unless coefficients are vectors with elements, ArgumentError for zeros to trim that only the device knows.
 * @example await polymul(array([1, 2]), array([1, -2])).toArray(); // [1, 0, -4]
 */
export function polymul(p: TensorLike, q: TensorLike, options: PolymulOptions = {}): Tensor {
  checkOptions("polymul", options, { trimLeadingZeros: "flag" });
  const both = [coefficients("polymul", p), coefficients("polymul", q)] as const;
  if (options.trimLeadingZeros !== true || both.every(({ size }) => size <= 1)) return convolve(...both);
  // Of nothing but zeros one stays.
  const trimmed = both.map((one) => {
    const rest = trimZeros(one, { trim: "f" });
    return rest.size === 0 ? zeros([1], { dtype: one.dtype }) : rest;
  }) as [Tensor, Tensor]; // two
  return convolve(...trimmed);
}

/**
 * Quotient and remainder of a division of polynomials. The remainder keeps its leading zeros and is as long as u.
 * Source: jnp.polydiv.
 *
 * @throws ShapeError unless coefficients are vectors with elements.
 * @example await Promise.all(polydiv(array([1, 0, -3]), array([1, -2])).map((x) => x.toArray())); // [[1, 2], [0, 0, 1]]
 */
export function polydiv(u: TensorLike, v: TensorLike): [quotient: Tensor, remainder: Tensor] {
  const [top, bottom] = [coefficients("polydiv", u), coefficients("polydiv", v)];
  if (top.size === 0 || bottom.size === 0) throw new ShapeError("polydiv: received a polynomial without coefficients");
  const { dtype } = asFloat(sub(zeros([], { dtype: top.dtype }), zeros([], { dtype: bottom.dtype })));
  const divisor = convert(bottom, dtype);
  const lead = sliceAlong(divisor, 0, 0, 1);
  let rest = convert(top, dtype);
  const quotient: Tensor[] = [];
  for (let k = 0; k + bottom.size <= top.size; k++) {
    const factor = div(sliceAlong(rest, 0, k, k + 1), lead);
    quotient.push(factor);
    rest = at(rest, [[k, k + bottom.size]]).subtract(mul(factor, divisor));
  }
  return [quotient.length === 0 ? zeros([1], { dtype }) : concatenate(quotient), rest];
}

/**
 * The m-th derivative of a polynomial. Source: jnp.polyder.
 *
 * @throws ArgumentError unless m is a whole number, ShapeError unless coefficients are a vector.
 * @example await polyder(array([1, 2, 3])).toArray(); // [2, 2]
 */
export function polyder(p: TensorLike, m = 1): Tensor {
  checkTimes("polyder", m);
  let rest = asFloat(coefficients("polyder", p));
  for (let k = 0; k < m && rest.size > 0; k++) {
    const powers = arange(rest.size - 1, 0, -1, { dtype: "int32" });
    rest = mul(sliceAlong(rest, 0, 0, rest.size - 1), powers);
  }
  return rest;
}

export interface PolyintOptions {
  /** The constants of integration, one or one for each of m; 0 unless told. */
  readonly k?: TensorLike;
}

/**
 * The m-th antiderivative of a polynomial. Source: jnp.polyint.
 *
 * @throws ArgumentError unless m is a whole number, ShapeError unless there are as many constants.
 * @example await polyint(array([2, 2])).toArray(); // [1, 2, 0]
 */
export function polyint(p: TensorLike, m = 1, options: PolyintOptions = {}): Tensor {
  checkOptions("polyint", options, POLYINT_OPTIONS);
  checkTimes("polyint", m);
  const constants = coefficients("polyint", options.k ?? 0);
  if (constants.size !== 1 && constants.size !== m)
    throw new ShapeError(`polyint: ${constants.size} constants for ${m} integrations; one, or one for each`);
  let rest = asFloat(coefficients("polyint", p));
  for (let k = 0; k < m; k++) {
    const powers = arange(rest.size, 0, -1, { dtype: "int32" });
    const place = constants.size === 1 ? 0 : k;
    const last = convert(sliceAlong(constants, 0, place, place + 1), rest.dtype);
    rest = concatenate([div(rest, powers), last]);
  }
  return rest;
}

/**
 * The coefficients of Π (x − root). Of a matrix they would need its eigenvalues. Source: jnp.poly.
 *
 * @throws ShapeError unless the roots are a vector.
 * @example await poly(array([1, -2])).toArray(); // [1, 1, -2]
 */
export function poly(roots: TensorLike): Tensor {
  const zerosOf = asFloat(coefficients("poly", roots));
  let product: Tensor = ones([1], { dtype: zerosOf.dtype });
  for (let k = 0; k < zerosOf.size; k++) {
    const none = zeros([1], { dtype: zerosOf.dtype });
    const scaled = mul(neg(sliceAlong(zerosOf, 0, k, k + 1)), product);
    product = add(concatenate([product, none]), concatenate([none, scaled]));
  }
  return product;
}
