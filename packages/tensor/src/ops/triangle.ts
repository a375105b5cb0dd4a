import { checkDType, type DType } from "../dtype.ts";
import { ShapeError } from "../errors.ts";
import { checkShape, normalizeAxis, shapeText, type Shape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { at } from "../view.ts";
import { convert } from "./convert.ts";
import { asTensor, broadcastedIota, fromHost, literal, zeros, type TensorLike } from "./create.ts";
import { add, equal, greaterEqual, where } from "./elementwise.ts";
import { broadcastTo, laxSlice, ravel, reshape, transpose } from "./movement.ts";
import { pad } from "./pad.ts";
import { checkOptions } from "../options.ts";

const TRIANGLE_OPTIONS = { k: "number", m: "number" } as const;
const TRI_OPTIONS = { k: "number", dtype: true } as const;
const IDENTITY_OPTIONS = { dtype: true } as const;
const DIAGONAL_OPTIONS = { offset: "number", axis1: "number", axis2: "number" } as const;

function checkOffset(name: string, k: number): number {
  if (Number.isInteger(k)) return k;
  throw new ShapeError(`${name}: a diagonal is a whole number, received ${String(k)}`);
}

/** True where column − row ≤ k. */
function below(rows: number, columns: number, k: number): Tensor {
  const shape = [rows, columns];
  return greaterEqual(add(broadcastedIota("int32", shape, 0), k), broadcastedIota("int32", shape, 1));
}

function matrixOf(name: string, x: TensorLike): Tensor {
  const tensor = asTensor(x, name);
  if (tensor.ndim >= 2) return tensor;
  throw new ShapeError(`${name}: needs two axes at least, received shape ${shapeText(tensor.shape)}`);
}

/**
 * x with zeros above the k-th diagonal of its last two axes. Source: jnp.tril.
 *
 * @throws ShapeError for fewer than two axes.
 * @example await tril(array([[1, 2], [3, 4]])).toArray(); // [[1, 0], [3, 4]]
 */
export function tril(x: TensorLike, k = 0): Tensor {
  const tensor = matrixOf("tril", x);
  const [rows = 0, columns = 0] = tensor.shape.slice(-2);
  return where(below(rows, columns, checkOffset("tril", k)), tensor, literal(0, [], tensor.dtype));
}

/**
 * x with zeros below the k-th diagonal of its last two axes. Source: jnp.triu.
 *
 * @throws ShapeError for fewer than two axes.
 * @example await triu(array([[1, 2], [3, 4]])).toArray(); // [[1, 2], [0, 4]]
 */
export function triu(x: TensorLike, k = 0): Tensor {
  const tensor = matrixOf("triu", x);
  const [rows = 0, columns = 0] = tensor.shape.slice(-2);
  return where(below(rows, columns, checkOffset("triu", k) - 1), literal(0, [], tensor.dtype), tensor);
}

/**
 * An n × m matrix of ones on and below the k-th diagonal. Source: jnp.tri.
 *
 * @throws ShapeError unless the extents are whole numbers ≥ 0, DtypeError for an unknown dtype.
 * @example await tri(2, 3).toArray(); // [[1, 0, 0], [1, 1, 0]]
 */
export function tri(n: number, m: number = n, options: { readonly k?: number; readonly dtype?: DType } = {}): Tensor {
  checkOptions("tri", options, TRI_OPTIONS);
  const [rows = 0, columns = 0] = checkShape("tri", [n, m]);
  return convert(
    below(rows, columns, checkOffset("tri", options.k ?? 0)),
    checkDType("tri", options.dtype ?? "float32"),
  );
}

/**
 * The n × n identity, float32 unless told. Source: jnp.identity.
 *
 * @throws ShapeError unless n is a whole number ≥ 0, DtypeError for an unknown dtype.
 * @example await identity(2).toArray(); // [[1, 0], [0, 1]]
 */
export function identity(n: number, options: { readonly dtype?: DType } = {}): Tensor {
  checkOptions("identity", options, IDENTITY_OPTIONS);
  const shape = checkShape("identity", [n, n]);
  const dtype = checkDType("identity", options.dtype ?? "float32");
  return convert(equal(broadcastedIota("int32", shape, 0), broadcastedIota("int32", shape, 1)), dtype);
}

export interface DiagonalOptions {
  /** Which diagonal: above the main one if positive, below if negative. */
  readonly offset?: number;
  readonly axis1?: number;
  readonly axis2?: number;
}

/**
 * The elements x[…, i, …, i + offset, …] of two axes, which become the last axis of the result. Moves no data where
 * the two axes are the last. Source: jnp.diagonal.
 *
 * @throws ShapeError for fewer than two axes, or one axis twice.
 * @example await diagonal(array([[1, 2], [3, 4]])).toArray(); // [1, 4]
 */
export function diagonal(x: TensorLike, options: DiagonalOptions = {}): Tensor {
  checkOptions("diagonal", options, DIAGONAL_OPTIONS);
  return diagonalOf("diagonal", x, options);
}

function diagonalOf(name: string, x: TensorLike, { offset = 0, axis1 = 0, axis2 = 1 }: DiagonalOptions): Tensor {
  const tensor = matrixOf(name, x);
  const [first, second] = [normalizeAxis(name, axis1, tensor.ndim), normalizeAxis(name, axis2, tensor.ndim)];
  if (first === second) throw new ShapeError(`${name}: axis1 and axis2 are both ${first}; a diagonal has two axes`);
  const others = tensor.shape.flatMap((_, axis) => (axis === first || axis === second ? [] : [axis]));
  const [rows, columns] = [at(tensor.shape, first), at(tensor.shape, second)];
  const k = checkOffset(name, offset);
  const count = Math.max(0, k < 0 ? Math.min(rows + k, columns) : Math.min(rows, columns - k));
  const lead = others.map((axis) => at(tensor.shape, axis));
  if (count === 0) return zeros([...lead, 0], { dtype: tensor.dtype });
  // In rows laid end to end, the next element of a diagonal is columns + 1 further.
  const flat = reshape(transpose(tensor, [...others, first, second]), [...lead, rows * columns]);
  const start = k < 0 ? -k * columns : k;
  const all = lead.map(() => 0);
  const step = columns + 1;
  return laxSlice(flat, [...all, start], [...lead, start + (count - 1) * step + 1], [...all.map(() => 1), step]);
}

/**
 * A matrix with the vector v on its k-th diagonal and zeros elsewhere; of a matrix, its k-th diagonal. Source: jnp.diag.
 *
 * @throws ShapeError unless v has one or two axes.
 * @example await diag(array([1, 2])).toArray(); // [[1, 0], [0, 2]]
 */
export function diag(v: TensorLike, k = 0): Tensor {
  const tensor = asTensor(v, "diag");
  if (tensor.ndim === 2) return diagonalOf("diag", tensor, { offset: k });
  if (tensor.ndim !== 1)
    throw new ShapeError(`diag: needs one axis or two, received shape ${shapeText(tensor.shape)}; see diagonal`);
  const offset = checkOffset("diag", k);
  const n = tensor.size + Math.abs(offset);
  const line = pad(tensor, 0, [[Math.max(0, offset), Math.max(0, -offset), 0]]);
  const place = add(broadcastedIota("int32", [n, n], 0), offset);
  return where(
    equal(place, broadcastedIota("int32", [n, n], 1)),
    broadcastTo(line, [n, n]),
    literal(0, [], tensor.dtype),
  );
}

/**
 * diag of x flattened. Source: jnp.diagflat.
 * @example await diagflat(array([[1, 2]])).toArray(); // [[1, 0], [0, 2]]
 */
export function diagflat(x: TensorLike, k = 0): Tensor {
  const tensor = asTensor(x, "diagflat");
  return diag(ravel(tensor), k);
}

/** Rows and columns of the elements of an n × m matrix that are wanted, in order. */
function places(n: number, m: number, wanted: (row: number, column: number) => boolean): Tensor[] {
  const found: (readonly [number, number])[] = [];
  for (let row = 0; row < n; row++)
    for (let column = 0; column < m; column++) if (wanted(row, column)) found.push([row, column]);
  return [0, 1].map((axis) =>
    fromHost(
      Int32Array.from(found, (place) => at(place, axis)),
      [found.length],
      "int32",
    ),
  );
}

function checkedPair(name: string, n: number, m: number): [number, number] {
  const [rows = 0, columns = 0] = checkShape(name, [n, m]);
  return [rows, columns];
}

export interface TriangleOptions {
  readonly k?: number;
  /** Columns; as many as rows unless told. */
  readonly m?: number;
}

/**
 * Rows and columns of the elements on and below the k-th diagonal of an n × m matrix. Source: jnp.tril_indices.
 *
 * @throws ShapeError unless the extents are whole numbers ≥ 0.
 * @example await trilIndices(2)[1]?.toArray(); // [0, 0, 1]
 */
export function trilIndices(n: number, options: TriangleOptions = {}): Tensor[] {
  checkOptions("trilIndices", options, TRIANGLE_OPTIONS);
  const { k = 0, m = n } = options;
  return places(...checkedPair("trilIndices", n, m), (row, column) => column - row <= k);
}

/**
 * Rows and columns of the elements on and above the k-th diagonal of an n × m matrix. Source: jnp.triu_indices.
 *
 * @throws ShapeError unless the extents are whole numbers ≥ 0.
 * @example await triuIndices(2)[1]?.toArray(); // [0, 1, 1]
 */
export function triuIndices(n: number, options: TriangleOptions = {}): Tensor[] {
  checkOptions("triuIndices", options, TRIANGLE_OPTIONS);
  const { k = 0, m = n } = options;
  return places(...checkedPair("triuIndices", n, m), (row, column) => column - row >= k);
}

/**
 * The index of the main diagonal of an array of `ndim` axes of extent n: as many arrays. Source: jnp.diag_indices.
 *
 * @throws ShapeError unless n and ndim are whole numbers ≥ 0.
 * @example await diagIndices(3)[1]?.toArray(); // [0, 1, 2]
 */
export function diagIndices(n: number, ndim = 2): Tensor[] {
  const [count = 0, axes = 0]: Shape = checkShape("diagIndices", [n, ndim]);
  return Array.from({ length: axes }, () => broadcastedIota("int32", [count], 0));
}
