import { ArgumentError, ShapeError } from "../errors.ts";
import { checkOptions } from "../options.ts";
import { shapeText } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { at as nth } from "../view.ts";
import { at } from "./at.ts";
import { asFloat, convert } from "./convert.ts";
import { convolve } from "./convolve.ts";
import { arange, asTensor, ones, zeros, type TensorLike } from "./create.ts";
import { add, div, greater, mul, neg, sqrt, square, sub, where } from "./elementwise.ts";
import { concatenate, sliceAlong } from "./join.ts";
import { lstsq } from "./linalg.ts";
import { vander } from "./numeric.ts";
import { expandDims, reshape } from "./movement.ts";
import { sum } from "./reduce.ts";
import { promote } from "../dtype.ts";

/** Polynomials as NumPy writes them: the coefficients of falling powers. */

const POLYFIT_OPTIONS = { w: true } as const;
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

/**
 * The product of two polynomials. Source: jnp.polymul.
 *
 * @throws ShapeError unless coefficients are vectors with elements.
 * @example await polymul(array([1, 2]), array([1, -2])).toArray(); // [1, 0, -4]
 */
export function polymul(p: TensorLike, q: TensorLike): Tensor {
  return convolve(coefficients("polymul", p), coefficients("polymul", q));
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

export interface PolyfitOptions {
  /** A weight for each point: the residuals are multiplied with it before they are squared. */
  readonly w?: TensorLike;
}

/**
 * The polynomial of degree `deg` that is nearest to the points (x, y) in the least-squares sense, by QR; y is [n] or [n, k],
 * a polynomial for each column. Where the points do not determine it, JAX gives the smallest, this NaN or infinities.
 * Source: jnp.polyfit.
 *
 * @throws ShapeError unless x and y fit, ArgumentError unless deg is a whole number.
 * @example await polyfit(array([0, 1, 2]), array([1, 3, 7]), 2).toArray(); // [1, 1, 1]
 */
export function polyfit(x: TensorLike, y: TensorLike, deg: number, options: PolyfitOptions = {}): Tensor {
  checkOptions("polyfit", options, POLYFIT_OPTIONS);
  if (!Number.isInteger(deg) || deg < 0 || deg > MOST_TIMES)
    throw new ArgumentError(`polyfit: deg is a whole number from 0 to ${MOST_TIMES}, received ${String(deg)}`);
  const [points, values] = [asFloat(asTensor(x, "polyfit")), asFloat(asTensor(y, "polyfit"))];
  const fits = points.ndim === 1 && points.size > 0 && values.ndim >= 1 && values.ndim <= 2;
  if (!fits || nth(values.shape, 0) !== points.size)
    throw new ShapeError(
      `polyfit: x of shape ${shapeText(points.shape)} and y of shape ${shapeText(values.shape)}; x is [n], y [n] or [n, k]`,
    );
  const weights = options.w === undefined ? undefined : asFloat(asTensor(options.w, "polyfit"));
  if (weights !== undefined && (weights.ndim !== 1 || weights.size !== points.size))
    throw new ShapeError(
      `polyfit: weights of shape ${shapeText(weights.shape)} for ${points.size} points; one for each`,
    );
  const each = (one: Tensor): Tensor =>
    weights === undefined ? one : mul(one, one.ndim === 1 ? weights : expandDims(weights, 1));
  const powers = each(vander(points, { n: deg + 1 }));
  const size = sqrt(sum(square(powers), { axis: 0 }));
  const scale = where(greater(size, 0), size, 1);
  const [found] = lstsq(div(powers, scale), each(values));
  return div(found, found.ndim === 1 ? scale : expandDims(scale, 1));
}
