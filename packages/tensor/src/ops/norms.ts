import { ArgumentError, ShapeError } from "../errors.ts";
import { normalizeAxes, normalizeAxis, shapeText } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { composite } from "./composite.ts";
import { convert } from "./convert.ts";
import type { TensorLike } from "./create.ts";
import { abs, floatPower, notEqual, sqrt, square } from "./elementwise.ts";

import { reshape, transpose } from "./movement.ts";
import { floating, max, min, sum } from "./reduce.ts";
import { svdvals } from "./svd.ts";
import { checkOptions } from "../options.ts";

const NORM_OPTIONS = { ord: true, axis: true, keepdims: "flag" } as const;
const VECTOR_NORM_OPTIONS = { axis: true, ord: "number", keepdims: "flag" } as const;
const MATRIX_NORM_OPTIONS = { ord: true, keepdims: "flag" } as const;

/** Orders of a norm: for vectors any number, for matrices "fro", "nuc", ±1, ±2 and ±Infinity. */
export type NormOrder = number | "fro" | "nuc";

export interface NormOptions {
  readonly ord?: NormOrder;
  /** One axis for vectors, two for matrices; all elements as one vector unless told. */
  readonly axis?: number | readonly number[] | null;
  readonly keepdims?: boolean;
}

/**
 * The norm of vectors or matrices. Without `ord` the root of the sum of squares; with it and one axis (or a vector) as
 * vectorNorm, with two axes (or a matrix) as matrixNorm. Source: jnp.linalg.norm.
 *
 * @throws ArgumentError for an order that is none.
 * @example await linalg.norm(array([[3, 0], [0, 4]])).item(); // 5
 */
export function norm(x: TensorLike, options: NormOptions = {}): Tensor {
  checkOptions("norm", options, NORM_OPTIONS);
  const tensor = floating(x, "norm");
  const { ord, axis, keepdims = false } = options;
  if (ord === undefined) return root(tensor, axis, keepdims);
  if (typeof ord !== "number" && (axis === null || axis === undefined) && tensor.ndim !== 2)
    throw unknownOrder("norm", ord);
  const axes =
    axis === null || axis === undefined ? [...tensor.shape.keys()] : typeof axis === "number" ? [axis] : [...axis];
  if (axes.length === 1) return alongAxes("norm", tensor, ord, axes, keepdims);
  if (axes.length === 2) return ofMatrices("norm", tensor, ord, axes, keepdims);
  throw new ShapeError(
    `norm: an order takes vectors or matrices, received shape ${shapeText(tensor.shape)} and axis ${JSON.stringify(axis ?? null)}; name one or two axes`,
  );
}

function root(x: Tensor, axis: NormOptions["axis"], keepdims: boolean): Tensor {
  return composite("norm", () => sqrt(sum(square(x), { axis: axis ?? null, keepdims })));
}

export interface VectorNormOptions {
  readonly axis?: number | readonly number[] | null;
  readonly ord?: number;
  readonly keepdims?: boolean;
}

/**
 * (Σ |x|ᵖ)^(1/p) along axes (all unless told); p = 2 unless told, ±Infinity the largest or smallest |x|, 0 the number of
 * elements that are not zero. Source: jnp.linalg.vector_norm.
 *
 * @throws ShapeError when an axis is out of range.
 * @example await linalg.vectorNorm(array([3, -4]), { ord: 1 }).item(); // 7
 */
export function vectorNorm(x: TensorLike, options: VectorNormOptions = {}): Tensor {
  checkOptions("vectorNorm", options, VECTOR_NORM_OPTIONS);
  const tensor = floating(x, "vectorNorm");
  const axes = normalizeAxes("vectorNorm", options.axis, tensor.ndim);
  return alongAxes("vectorNorm", tensor, options.ord ?? 2, axes, options.keepdims ?? false);
}

function alongAxes(name: string, x: Tensor, ord: NormOrder, axis: readonly number[], keepdims: boolean): Tensor {
  if (typeof ord !== "number" || Number.isNaN(ord)) throw unknownOrder(name, ord);
  const axes = normalizeAxes(name, axis, x.ndim);
  const over = { axis: axes, keepdims };
  return composite(name, () => {
    if (ord === 2) return root(x, axes, keepdims);
    if (ord === Infinity) return max(abs(x), over);
    if (ord === -Infinity) return min(abs(x), over);
    if (ord === 0) return sum(convert(notEqual(x, 0), x.dtype), over);
    if (ord === 1) return sum(abs(x), over);
    return floatPower(sum(floatPower(abs(x), ord), over), 1 / ord);
  });
}

export interface MatrixNormOptions {
  readonly ord?: NormOrder;
  readonly keepdims?: boolean;
}

/**
 * The norm of matrices in the last two axes: "fro" (unless told) the root of the sum of squares, ±1 the largest or smallest
 * sum of a column's absolute values, ±Infinity of a row's, ±2 the largest or smallest singular value, "nuc" the sum of those.
 * Source: jnp.linalg.matrix_norm.
 *
 * @throws ArgumentError for an order that is none.
 * @example await linalg.matrixNorm(array([[1, -2], [3, 4]]), { ord: 1 }).item(); // 6
 */
export function matrixNorm(x: TensorLike, options: MatrixNormOptions = {}): Tensor {
  checkOptions("matrixNorm", options, MATRIX_NORM_OPTIONS);
  return ofMatrices("matrixNorm", floating(x, "matrixNorm"), options.ord ?? "fro", [-2, -1], options.keepdims ?? false);
}

function ofMatrices(name: string, x: Tensor, ord: NormOrder, axes: readonly number[], keepdims: boolean): Tensor {
  const [row, column] = axes.map((axis) => normalizeAxis(name, axis, x.ndim));
  if (row === undefined || column === undefined || row === column)
    throw new ShapeError(`${name}: a matrix has two different axes, received [${axes.join(", ")}]`);
  if (ord === "fro") return root(x, [row, column], keepdims);
  const result = composite(name, () =>
    ord === "nuc" || Math.abs(ord) === 2
      ? bySingularValues(x, ord, [row, column])
      : byLines(name, x, ord, [row, column]),
  );
  if (keepdims) return result;
  return reshape(
    result,
    result.shape.filter((_, axis) => axis !== row && axis !== column),
  );
}

function bySingularValues(x: Tensor, ord: number | "nuc", [row, column]: readonly [number, number]): Tensor {
  const others = [...x.shape.keys()].filter((axis) => axis !== row && axis !== column);
  const s = svdvals(transpose(x, [...others, row, column]));
  const found =
    ord === "nuc" ? sum(s, { axis: -1 }) : ord > 0 ? max(s, { axis: -1, initial: 0 }) : min(s, { axis: -1 });
  return reshape(
    found,
    x.shape.map((extent, axis) => (axis === row || axis === column ? 1 : extent)),
  );
}

function byLines(name: string, x: Tensor, ord: number, [row, column]: readonly [number, number]): Tensor {
  if (![1, Infinity].includes(Math.abs(ord))) throw unknownOrder(name, ord);
  const [along, across] = Math.abs(ord) === 1 ? [row, column] : [column, row];
  const sums = sum(abs(x), { axis: along, keepdims: true });
  const over = { axis: across, keepdims: true };
  return ord > 0 ? max(sums, { ...over, initial: 0 }) : min(sums, over);
}

function unknownOrder(name: string, ord: unknown): ArgumentError {
  return new ArgumentError(
    `${name}: no norm of order ${String(ord)}; vectors take any number, matrices "fro", "nuc", 1, -1, 2, -2, Infinity and -Infinity`,
  );
}
