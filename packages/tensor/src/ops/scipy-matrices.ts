import { isFloat } from "../dtype.ts";
import { ArgumentError, ShapeError } from "../errors.ts";
import { checkOptions } from "../options.ts";
import { broadcastShapes, checkShape, shapeText } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { at } from "../view.ts";
import { convert } from "./convert.ts";
import { array, asTensor, broadcastedIota, literal, zerosLike, type TensorLike } from "./create.ts";
import {
  abs,
  add,
  bitwiseAnd,
  div,
  equal,
  less,
  lessEqual,
  logicalAnd,
  maximum,
  mul,
  neg,
  populationCount,
  remainder,
  sqrt,
  sub,
  where,
} from "./elementwise.ts";
import { take } from "./indexing.ts";
import { concatenate, sliceAlong } from "./join.ts";
import { sizeOfLast } from "./matrices.ts";
import { broadcastTo, expandDims } from "./movement.ts";

/** Matrices with a structure: of jax.scipy.linalg. Vectors may have batch axes in front. */

/** Row and column of every element. */
function places(rows: number, columns: number): [row: Tensor, column: Tensor] {
  const shape = [rows, columns];
  return [broadcastedIota("int32", shape, 0), broadcastedIota("int32", shape, 1)];
}

/** A vector, or a stack of them; a number is a vector of one. */
function vectors(name: string, x: TensorLike, least = 1): Tensor {
  const tensor = asTensor(x, name);
  const own = tensor.ndim === 0 ? expandDims(tensor, 0) : tensor;
  if (sizeOfLast(own) < least)
    throw new ShapeError(
      `${name}: takes vectors of ${least} elements or more in the last axis, received shape ${shapeText(own.shape)}`,
    );
  return own;
}

/** Elements of the last axis at the places of a matrix. */
function spread(x: Tensor, index: Tensor): Tensor {
  return take(x, index, { axis: -1, mode: "clip" });
}

/**
 * The circulant matrix c[(i − j) mod n]: each column is the one before, turned by one. Source: jax.scipy.linalg.circulant.
 *
 * @throws ShapeError for no elements.
 * @example await scipyLinalg.circulant(array([1, 2, 3])).toArray(); // [[1, 3, 2], [2, 1, 3], [3, 2, 1]]
 */
export function circulant(c: TensorLike): Tensor {
  const vector = vectors("circulant", c);
  const n = sizeOfLast(vector);
  const [row, column] = places(n, n);
  return spread(vector, remainder(sub(row, column), n));
}

/**
 * The companion matrix of the polynomial a[0] xⁿ + … + a[n]: its first row is −a[1:] / a[0], ones lie below the diagonal.
 * Source: jax.scipy.linalg.companion.
 *
 * @throws ShapeError for fewer than two coefficients.
 * @example await scipyLinalg.companion(array([2, -4, 6])).toArray(); // [[2, -3], [1, 0]]
 */
export function companion(a: TensorLike): Tensor {
  const given = vectors("companion", a, 2);
  const vector = isFloat(given.dtype) ? given : convert(given, "float32");
  const n = sizeOfLast(vector) - 1;
  const [row, column] = places(n, n);
  const axis = vector.ndim - 1;
  const first = neg(div(sliceAlong(vector, axis, 1, n + 1), sliceAlong(vector, axis, 0, 1)));
  return where(equal(row, 0), expandDims(first, -2), convert(equal(row, add(column, 1)), vector.dtype));
}

/**
 * The matrix whose product with a vector of n elements is its convolution with a. Source: jax.scipy.linalg.convolution_matrix.
 *
 * @throws ShapeError for no elements, ArgumentError unless n is a whole number above 0 and the mode is known.
 * @example await scipyLinalg.convolutionMatrix(array([1, 2]), 2).toArray(); // [[1, 0], [2, 1], [0, 2]]
 */
export function convolutionMatrix(
  a: TensorLike,
  n: number,
  options: { readonly mode?: "full" | "valid" | "same" } = {},
): Tensor {
  checkOptions("convolutionMatrix", options, { mode: true });
  const { mode = "full" } = options;
  const vector = vectors("convolutionMatrix", a);
  if (!["full", "valid", "same"].includes(mode))
    throw new ArgumentError(`convolutionMatrix: mode is "full", "valid" or "same", received ${JSON.stringify(mode)}`);
  const columns = at(checkShape("convolutionMatrix", [n]), 0);
  if (columns === 0) throw new ArgumentError("convolutionMatrix: n is above 0, received 0");
  const m = sizeOfLast(vector);
  const less1 = Math.min(columns, m) - 1;
  const before = mode === "full" ? 0 : mode === "valid" ? less1 : Math.floor(less1 / 2);
  const rows = m + columns - 1 - (mode === "full" ? 0 : mode === "valid" ? 2 * less1 : less1);
  const [row, column] = places(rows, columns);
  const place = sub(add(row, before), column);
  const inside = logicalAnd(lessEqual(0, place), less(place, m));
  return where(inside, spread(vector, place), literal(0, [], vector.dtype));
}

/**
 * |a[i] − a[j]|. Source: jax.scipy.linalg.fiedler.
 *
 * @throws ShapeError for no elements.
 * @example await scipyLinalg.fiedler(array([1, 4])).toArray(); // [[0, 3], [3, 0]]
 */
export function fiedler(a: TensorLike): Tensor {
  const vector = vectors("fiedler", a);
  return abs(sub(expandDims(vector, -1), expandDims(vector, -2)));
}

/**
 * The Hankel matrix with first column c and last row r (whose first element is not read; zeros unless told):
 * h[i, j] = c[i + j], or r[i + j − m + 1] past c's m elements. Source: jax.scipy.linalg.hankel.
 *
 * @throws ShapeError for scalars.
 * @example await scipyLinalg.hankel(array([1, 2]), array([0, 5])).toArray(); // [[1, 2], [2, 5]]
 */
export function hankel(c: TensorLike, r?: TensorLike): Tensor {
  const first = asTensor(c, "hankel");
  const last = r === undefined ? zerosLike(first) : asTensor(r, "hankel");
  if (first.ndim === 0 || last.ndim === 0) throw new ShapeError("hankel: takes vectors, received a scalar");
  const lead = broadcastShapes("hankel", first.shape.slice(0, -1), last.shape.slice(0, -1));
  const wide = (x: Tensor): Tensor => broadcastTo(x, [...lead, sizeOfLast(x)]);
  const [m, n] = [sizeOfLast(first), sizeOfLast(last)];
  if (m === 0 || n === 0) return literal(0, [...lead, m, n], first.dtype);
  const all = concatenate([wide(first), sliceAlong(wide(last), lead.length, 1, n)], { axis: -1 });
  const [row, column] = places(m, n);
  return spread(all, add(row, column));
}

/**
 * The Hadamard matrix of n rows: ±1, its rows orthogonal. Source: jax.scipy.linalg.hadamard.
 *
 * @throws ArgumentError unless n is a power of 2.
 * @example await scipyLinalg.hadamard(2).toArray(); // [[1, 1], [1, -1]]
 */
export function hadamard(n: number): Tensor {
  if (!Number.isInteger(n) || n < 1 || !Number.isInteger(Math.log2(n)))
    throw new ArgumentError(`hadamard: n is a power of 2, received ${String(n)}`);
  const [row, column] = places(n, n);
  return sub(1, mul(2, bitwiseAnd(populationCount(bitwiseAnd(row, column)), 1)));
}

/**
 * Helmert's matrix of n columns: n − 1 orthonormal rows, orthogonal to the ones; with `full`, they too, first.
 * Source: jax.scipy.linalg.helmert.
 *
 * @throws ArgumentError unless n is a whole number above 0.
 * @example await scipyLinalg.helmert(2).toArray(); // [[0.70711, -0.70711]]
 */
export function helmert(n: number, options: { readonly full?: boolean } = {}): Tensor {
  checkOptions("helmert", options, { full: "flag" });
  const size = at(checkShape("helmert", [n]), 0);
  if (size < 1) throw new ArgumentError("helmert: n is above 0, received 0");
  const [row, column] = places(size, size);
  const k = convert(row, "float32");
  const length = sqrt(mul(k, add(k, 1)));
  const below = where(less(column, row), div(1, length), where(equal(column, row), neg(div(k, length)), 0));
  const whole = where(equal(row, 0), 1 / Math.sqrt(size), below);
  return options.full === true ? whole : sliceAlong(whole, 0, 1, size);
}

/**
 * The Leslie matrix of a population: fecundities f in the first row, survival s below the diagonal.
 * Source: jax.scipy.linalg.leslie.
 *
 * @throws ShapeError unless f has two elements or more and s one less.
 * @example await scipyLinalg.leslie(array([0, 2]), array([0.5])).toArray(); // [[0, 2], [0.5, 0]]
 */
export function leslie(f: TensorLike, s: TensorLike): Tensor {
  const [births, survival] = [vectors("leslie", f, 2), vectors("leslie", s)];
  const n = sizeOfLast(births);
  if (sizeOfLast(survival) !== n - 1)
    throw new ShapeError(
      `leslie: f of shape ${shapeText(births.shape)} and s of shape ${shapeText(survival.shape)}; s has one element less`,
    );
  const [row, column] = places(n, n);
  const under = where(equal(row, add(column, 1)), spread(survival, column), 0);
  return where(equal(row, 0), expandDims(births, -2), under);
}

/**
 * Fiedler's companion matrix of the polynomial a[0] xⁿ + … + a[n], with five diagonals: its eigenvalues are the roots.
 * Source: jax.scipy.linalg.fiedler_companion.
 *
 * @throws ShapeError for no coefficients.
 * @example await scipyLinalg.fiedlerCompanion(array([1, -5, 6])).toArray(); // [[5, -6], [1, 0]]
 */
export function fiedlerCompanion(a: TensorLike): Tensor {
  const given = vectors("fiedlerCompanion", a);
  const vector = isFloat(given.dtype) ? given : convert(given, "float32");
  const [n, axis] = [sizeOfLast(vector) - 1, vector.ndim - 1];
  const scaled = neg(div(vector, sliceAlong(vector, axis, 0, 1)));
  const [row, column] = places(n, n);
  // Even rows: −a[i + 1] left of the diagonal (on it in the first), −a[i + 2] right of it, then a 1. Odd ones: a 1, two left of it.
  const even = equal(remainder(row, 2), 0);
  const left = logicalAnd(even, equal(column, maximum(sub(row, 1), 0)));
  const right = logicalAnd(even, equal(column, add(row, 1)));
  const one = equal(column, where(even, add(row, 2), maximum(sub(row, 2), 0)));
  const rest = where(right, spread(scaled, add(row, 2)), convert(one, vector.dtype));
  return where(left, spread(scaled, add(row, 1)), rest);
}

/** From here on float32 holds none of the middle binomials. */
const MOST_ROWS = 512;

/** Rows of numbers that the host computes in double precision. */
function rowsOf(name: string, n: number, entry: (i: number, j: number) => number): Tensor {
  const size = at(checkShape(name, [n]), 0);
  if (size > MOST_ROWS) throw new ArgumentError(`${name}: n is at most ${MOST_ROWS}, received ${n}`);
  const data = Float32Array.from({ length: size * size }, (_, k) => entry(Math.floor(k / size), k % size));
  return array(data, { shape: [size, size] });
}

/** n! / (k! (n − k)!); 0 for k above n. */
function binomial(n: number, k: number): number {
  if (k < 0 || k > n) return 0;
  let product = 1;
  // Each step's result is a binomial, so that it is whole.
  for (let j = 1; j <= Math.min(k, n - k); j++) product = (product * (n - Math.min(k, n - k) + j)) / j;
  return product;
}

const signOf = (k: number): number => (k % 2 === 0 ? 1 : -1);

export interface PascalOptions {
  /** "symmetric" unless told, or one of its triangular factors: "lower", "upper". */
  readonly kind?: "symmetric" | "lower" | "upper";
}

function pascalBy(
  name: string,
  n: number,
  options: PascalOptions,
  lower: (i: number, j: number) => number,
  symmetric: (i: number, j: number) => number,
): Tensor {
  checkOptions(name, options, { kind: true });
  const { kind = "symmetric" } = options;
  if (!["symmetric", "lower", "upper"].includes(kind))
    throw new ArgumentError(`${name}: kind is "symmetric", "lower" or "upper", received ${JSON.stringify(kind)}`);
  return rowsOf(name, n, kind === "symmetric" ? symmetric : kind === "lower" ? lower : (i, j) => lower(j, i));
}

/**
 * Pascal's matrix of n rows: binomials of i + j over i, or of i over j in its lower factor. Source: jax.scipy.linalg.pascal.
 *
 * @throws ShapeError unless n is a whole number ≥ 0, ArgumentError for an unknown kind or more than 512 rows.
 * @example await scipyLinalg.pascal(3).toArray(); // [[1, 1, 1], [1, 2, 3], [1, 3, 6]]
 */
export function pascal(n: number, options: PascalOptions = {}): Tensor {
  return pascalBy("pascal", n, options, binomial, (i, j) => binomial(i + j, i));
}

/**
 * The inverse of Pascal's matrix, or of its factor. Source: jax.scipy.linalg.invpascal.
 *
 * @throws ShapeError unless n is a whole number ≥ 0, ArgumentError for an unknown kind or more than 512 rows.
 * @example await scipyLinalg.invpascal(2).toArray(); // [[2, -1], [-1, 1]]
 */
export function invpascal(n: number, options: PascalOptions = {}): Tensor {
  const symmetric = (i: number, j: number): number => {
    let sum = 0;
    for (let k = Math.max(i, j); k < n; k++) sum += binomial(k, i) * binomial(k, j);
    return signOf(i + j) * sum;
  };
  return pascalBy("invpascal", n, options, (i, j) => signOf(i + j) * binomial(i, j), symmetric);
}

/**
 * The inverse of Hilbert's matrix: whole numbers. Source: jax.scipy.linalg.invhilbert.
 *
 * @throws ShapeError unless n is a whole number ≥ 0, ArgumentError for more than 512 rows.
 * @example await scipyLinalg.invhilbert(2).toArray(); // [[4, -6], [-6, 12]]
 */
export function invhilbert(n: number): Tensor {
  return rowsOf("invhilbert", n, (i, j) => {
    const outer = binomial(n + i, n - j - 1) * binomial(n + j, n - i - 1);
    return signOf(i + j) * (i + j + 1) * outer * binomial(i + j, i) ** 2;
  });
}
