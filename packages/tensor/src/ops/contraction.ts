import { checkDType, isFloat, promote, type DType } from "../dtype.ts";
import { ArgumentError, DtypeError, ShapeError } from "../errors.ts";
import { checkList, broadcastShapes, normalizeAxis, shapeText, sizeOf, type Shape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { at } from "../view.ts";
import { composite } from "./composite.ts";
import { convert } from "./convert.ts";
import { asTensor, literal, type TensorLike } from "./create.ts";
import { mul } from "./elementwise.ts";
import { matmul } from "./matmul.ts";
import { broadcastTo, expandDims, laxSlice, moveaxis, reshape, squeeze, transpose } from "./movement.ts";
import { sum } from "./reduce.ts";
import { checkOptions } from "../options.ts";
import { checkedPrecision, type PrecisionLike } from "../precision.ts";

export const DOT_OPTIONS = { precision: true, preferredElementType: true } as const;
const VECDOT_OPTIONS = { precision: true, preferredElementType: true, axis: "number" } as const;
const TRACE_OPTIONS = { offset: "number", axis1: "number", axis2: "number", dtype: true } as const;

/** Axes of the left and of the right operand, paired in order. */
export type AxisPairs = readonly [left: readonly number[], right: readonly number[]];

export interface DotOptions {
  /** How exact products are to be; all are made in float32, JAX's "highest", whatever it says. */
  readonly precision?: PrecisionLike | undefined;
  /** The dtype to multiply and add up in, and of the result; the promoted one unless told. */
  readonly preferredElementType?: DType;
}

/**
 * Products summed over the paired contracting axes, for each pair of batch axes:
 * result[batch, left free, right free] = Σ lhs · rhs. Axes keep their order within each part. Operands are read as they
 * lie wherever their free and their contracting axes can be walked as one. Source: lax.dot_general.
 *
 * @throws ShapeError when axes are named twice, do not pair up, or differ in extent; DtypeError for a float operand with
 * an integer `preferredElementType`.
 * @example
 * dotGeneral(ones([2, 3, 4]), ones([2, 5, 4]), [[[2], [2]], [[0], [0]]]).shape; // [2, 3, 5]
 */
export function dotGeneral(
  lhs: TensorLike,
  rhs: TensorLike,
  dimensionNumbers: readonly [contracting: AxisPairs, batch: AxisPairs],
  options: DotOptions = {},
): Tensor {
  checkOptions("dotGeneral", options, DOT_OPTIONS);
  const [left, right] = [asTensor(lhs, "dotGeneral"), asTensor(rhs, "dotGeneral")];
  const [contracting, batch] = checkedNumbers(left, right, dimensionNumbers);
  return inDType("dotGeneral", left, right, options, (a, b) => contract(a, b, contracting, batch));
}

/** The dtype to multiply and add up in (bools are counted), and that of the result. */
export function dotDTypes(
  name: string,
  operands: readonly Tensor[],
  { precision, preferredElementType }: DotOptions,
): { readonly compute: DType; readonly result: DType; readonly weak: boolean } {
  checkedPrecision(name, precision);
  const { dtype: common, weak } = promote(operands);
  const result = preferredElementType === undefined ? common : checkDType(name, preferredElementType);
  if (isFloat(common) && !isFloat(result))
    throw new DtypeError(
      `${name}: preferredElementType ${result} cannot hold products of ${common}; give a float type or convert with astype()`,
    );
  const compute = result === "bool" ? "int32" : result;
  return { compute, result, weak: weak && preferredElementType === undefined };
}

function inDType(
  name: string,
  left: Tensor,
  right: Tensor,
  options: DotOptions,
  product: (a: Tensor, b: Tensor) => Tensor,
): Tensor {
  const { compute, result, weak } = dotDTypes(name, [left, right], options);
  return convert(product(convert(left, compute), convert(right, compute)), result, weak);
}

function checkedNumbers(left: Tensor, right: Tensor, numbers: unknown): [AxisPairs, AxisPairs] {
  const valid =
    Array.isArray(numbers) &&
    numbers.length === 2 &&
    numbers.every((pairs) => Array.isArray(pairs) && pairs.length === 2 && pairs.every(Array.isArray));
  if (!valid)
    throw new ArgumentError(
      "dotGeneral: dimension numbers are [[left contracting, right contracting], [left batch, right batch]], such as [[[1], [0]], [[], []]]",
    );
  // Every level was just found to be an array; that the axes are whole numbers is checked next.
  const [contracting, batch] = numbers as [AxisPairs, AxisPairs];
  const pairsOf = ([l, r]: AxisPairs): AxisPairs => [
    l.map((axis) => normalizeAxis("dotGeneral", axis, left.ndim)),
    r.map((axis) => normalizeAxis("dotGeneral", axis, right.ndim)),
  ];
  const checked: [AxisPairs, AxisPairs] = [pairsOf(contracting), pairsOf(batch)];
  checkPairs("dotGeneral", left.shape, right.shape, checked);
  return checked;
}

/** Throws unless contracting and batch axes are named once each and agree in extent. */
function checkPairs(name: string, left: Shape, right: Shape, pairs: readonly AxisPairs[]): void {
  for (const side of [0, 1] as const) {
    const axes = pairs.flatMap((one) => one[side]);
    if (new Set(axes).size !== axes.length)
      throw new ShapeError(`${name}: axes [${axes.join(", ")}] of operand ${side + 1} name an axis twice`);
  }
  for (const [l, r] of pairs) {
    const extents = (shape: Shape, axes: readonly number[]): number[] => axes.map((axis) => at(shape, axis));
    const [a, b] = [extents(left, l), extents(right, r)];
    if (a.length !== b.length || a.some((extent, k) => extent !== b[k]))
      throw new ShapeError(
        `${name}: axes [${l.join(", ")}] of ${shapeText(left)} and [${r.join(", ")}] of ${shapeText(right)} do not pair up (${shapeText(a)} against ${shapeText(b)})`,
      );
  }
}

/** The checked product of operands of one dtype that can be multiplied: [batch, left free, right free]. */
export function contract(left: Tensor, right: Tensor, [lc, rc]: AxisPairs, [lb, rb]: AxisPairs): Tensor {
  const free = (x: Tensor, c: readonly number[], b: readonly number[]): number[] =>
    x.shape.map((_, axis) => axis).filter((axis) => !c.includes(axis) && !b.includes(axis));
  const [lf, rf] = [free(left, lc, lb), free(right, rc, rb)];
  const extents = (x: Tensor, axes: readonly number[]): number[] => axes.map((axis) => at(x.shape, axis));
  const batch = extents(left, lb);
  const [rows, columns, depth] = [extents(left, lf), extents(right, rf), sizeOf(extents(left, lc))];
  const shape = [...batch, ...rows, ...columns];
  if (depth === 0) return literal(0, shape, left.dtype);
  // Contracting axes in the left operand's order, so that it at least is walked as it lies.
  const order = lc.map((_, k) => k).sort((p, q) => at(lc, p) - at(lc, q));
  const a = transpose(left, [...lb, ...lf, ...order.map((k) => at(lc, k))]);
  const b = transpose(right, [...rb, ...order.map((k) => at(rc, k)), ...rf]);
  const [m, n] = [sizeOf(rows), sizeOf(columns)];
  if (depth === 1 || (m * n === 1 && batch.length > 0)) return asProducts(a, b, batch, rows, columns, depth);
  const product = matmul(reshape(a, [...batch, m, depth]), reshape(b, [...batch, depth, n]));
  return reshape(product, shape);
}

/** Without a sum, or with nothing but sums, a product of elements fuses better than one of matrices. */
function asProducts(a: Tensor, b: Tensor, batch: Shape, rows: Shape, columns: Shape, depth: number): Tensor {
  const ones = (shape: Shape): number[] => shape.map(() => 1);
  const left = reshape(a, [...batch, ...rows, ...ones(columns), depth]);
  const right = reshape(moveLast(b, batch.length, columns.length), [...batch, ...ones(rows), ...columns, depth]);
  return composite("dot_general", () => sum(mul(left, right), { axis: -1 }));
}

/** [batch, contracting…, free] → [batch, free, contracting…]. */
function moveLast(b: Tensor, batch: number, free: number): Tensor {
  const axes = b.shape.map((_, axis) => axis);
  return transpose(b, [...axes.slice(0, batch), ...axes.slice(b.ndim - free), ...axes.slice(batch, b.ndim - free)]);
}

/**
 * The product of two arrays as numpy.dot has it: of vectors the inner product, of matrices the matrix product, with a
 * scalar the product; else a sum over the last axis of x and the last but one of y. Source: jnp.dot.
 *
 * @throws ShapeError when the summed extents differ.
 * @example await dot(array([1, 2, 3]), array([4, 5, 6])).item(); // 32
 */
export function dot(x: TensorLike, y: TensorLike, options: DotOptions = {}): Tensor {
  checkOptions("dot", options, DOT_OPTIONS);
  const [left, right] = [asTensor(x, "dot"), asTensor(y, "dot")];
  const [lc, rc] = left.ndim === 0 || right.ndim === 0 ? [[], []] : [[left.ndim - 1], [Math.max(0, right.ndim - 2)]];
  checkPairs("dot", left.shape, right.shape, [[lc, rc]]);
  return inDType("dot", left, right, options, (a, b) => contract(a, b, [lc, rc], [[], []]));
}

/**
 * Products summed over axes of x and y: the last `axes` of x with the first of y (2 unless told), or the pairs given.
 * Source: jnp.tensordot.
 *
 * @throws ShapeError when the axes do not pair up.
 * @example tensordot(ones([2, 3, 4]), ones([4, 3, 5]), [[1, 2], [1, 0]]).shape; // [2, 5]
 */
export function tensordot(
  x: TensorLike,
  y: TensorLike,
  axes: number | readonly [number | readonly number[], number | readonly number[]] = 2,
  options: DotOptions = {},
): Tensor {
  checkOptions("tensordot", options, DOT_OPTIONS);
  const [left, right] = [asTensor(x, "tensordot"), asTensor(y, "tensordot")];
  const list = (one: number | readonly number[]): readonly number[] =>
    typeof one === "number" ? [one] : checkList("tensordot", "axes", one);
  if (typeof axes === "number") {
    if (!Number.isInteger(axes) || axes < 0 || axes > Math.min(left.ndim, right.ndim))
      throw new ShapeError(
        `tensordot: cannot sum over ${axes} axes of ${shapeText(left.shape)} and ${shapeText(right.shape)}; give 0 to ${Math.min(left.ndim, right.ndim)}, or the pairs of axes`,
      );
  } else if (!Array.isArray(axes) || axes.length !== 2)
    throw new ArgumentError("tensordot: axes are a number, or two lists of axes such as [[1, 2], [1, 0]]");
  const [l, r]: AxisPairs =
    typeof axes === "number" ? [range(left.ndim - axes, left.ndim), range(0, axes)] : [list(axes[0]), list(axes[1])];
  const pairs: AxisPairs = [
    l.map((axis) => normalizeAxis("tensordot", axis, left.ndim)),
    r.map((axis) => normalizeAxis("tensordot", axis, right.ndim)),
  ];
  checkPairs("tensordot", left.shape, right.shape, [pairs]);
  return inDType("tensordot", left, right, options, (a, b) => contract(a, b, pairs, [[], []]));
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, k) => from + k);
}

/**
 * Sums over the last axes of both: result[…x, …y] = Σ x · y. Source: jnp.inner.
 *
 * @throws ShapeError when the last extents differ.
 * @example await inner(array([[1, 2], [3, 4]]), array([1, 1])).toArray(); // [3, 7]
 */
export function inner(x: TensorLike, y: TensorLike, options: DotOptions = {}): Tensor {
  checkOptions("inner", options, DOT_OPTIONS);
  const [left, right] = [asTensor(x, "inner"), asTensor(y, "inner")];
  const pairs: AxisPairs = left.ndim === 0 || right.ndim === 0 ? [[], []] : [[left.ndim - 1], [right.ndim - 1]];
  checkPairs("inner", left.shape, right.shape, [pairs]);
  return inDType("inner", left, right, options, (a, b) => contract(a, b, pairs, [[], []]));
}

/**
 * Every element of x times every element of y, both taken as one axis: [x.size, y.size]. Source: jnp.outer.
 * @example await outer(array([1, 2]), array([3, 4])).toArray(); // [[3, 4], [6, 8]]
 */
export function outer(x: TensorLike, y: TensorLike): Tensor {
  return mul(reshape(asTensor(x, "outer"), [-1, 1]), reshape(asTensor(y, "outer"), [1, -1]));
}

/**
 * Σ x · y over all elements, both taken as one axis. Source: jnp.vdot.
 *
 * @throws ShapeError when the sizes differ.
 * @example await vdot(array([[1, 2], [3, 4]]), array([[1, 1], [1, 1]])).item(); // 10
 */
export function vdot(x: TensorLike, y: TensorLike, options: DotOptions = {}): Tensor {
  checkOptions("vdot", options, DOT_OPTIONS);
  const [left, right] = [reshape(asTensor(x, "vdot"), [-1]), reshape(asTensor(y, "vdot"), [-1])];
  checkPairs("vdot", left.shape, right.shape, [[[0], [0]]]);
  return inDType("vdot", left, right, options, (a, b) => contract(a, b, [[0], [0]], [[], []]));
}

/**
 * Σ x · y along one axis (the last unless told), the others broadcast. Source: jnp.vecdot.
 *
 * @throws ShapeError when the summed extents differ or the others do not broadcast.
 * @example await vecdot(array([[1, 2], [3, 4]]), array([1, 1])).toArray(); // [3, 7]
 */
export function vecdot(x: TensorLike, y: TensorLike, options: DotOptions & { readonly axis?: number } = {}): Tensor {
  checkOptions("vecdot", options, VECDOT_OPTIONS);
  const last = (one: TensorLike): Tensor => {
    const tensor = asTensor(one, "vecdot");
    return moveaxis(tensor, normalizeAxis("vecdot", options.axis ?? -1, tensor.ndim), -1);
  };
  const [left, right] = [last(x), last(y)];
  if (left.shape.at(-1) !== right.shape.at(-1)) throw differ("vecdot", left, right);
  const shape = broadcastShapes("vecdot", left.shape, right.shape);
  const axis = shape.length - 1;
  const batch = range(0, axis);
  return inDType("vecdot", broadcastTo(left, shape), broadcastTo(right, shape), options, (a, b) =>
    contract(a, b, [[axis], [axis]], [batch, batch]),
  );
}

function differ(name: string, x: Tensor, y: Tensor): ShapeError {
  return new ShapeError(`${name}: inner dimensions differ, ${shapeText(x.shape)} x ${shapeText(y.shape)}`);
}

/**
 * Matrices times vectors, [..., m, n] × [..., n] → [..., m]; the leading axes broadcast. Source: jnp.matvec.
 *
 * @throws ShapeError when the inner dimensions differ or an operand has too few axes.
 * @example await matvec(array([[1, 2], [3, 4]]), array([1, 1])).toArray(); // [3, 7]
 */
export function matvec(x: TensorLike, y: TensorLike): Tensor {
  const [left, right] = [asTensor(x, "matvec"), asTensor(y, "matvec")];
  if (left.ndim < 2 || right.ndim < 1 || left.shape.at(-1) !== right.shape.at(-1)) throw differ("matvec", left, right);
  return squeeze(matmul(left, expandDims(right, -1)), -1);
}

/**
 * Vectors times matrices, [..., n] × [..., n, m] → [..., m]; the leading axes broadcast. Source: jnp.vecmat.
 *
 * @throws ShapeError when the inner dimensions differ or an operand has too few axes.
 * @example await vecmat(array([1, 1]), array([[1, 2], [3, 4]])).toArray(); // [4, 6]
 */
export function vecmat(x: TensorLike, y: TensorLike): Tensor {
  const [left, right] = [asTensor(x, "vecmat"), asTensor(y, "vecmat")];
  if (left.ndim < 1 || right.ndim < 2 || left.shape.at(-1) !== right.shape.at(-2)) throw differ("vecmat", left, right);
  return squeeze(matmul(expandDims(left, -2), right), -2);
}

/**
 * Every block of the result is y times an element of x; the shorter shape gets leading axes of 1. Source: jnp.kron.
 * @example await kron(array([1, 2]), array([[1], [3]])).toArray(); // [[1, 2], [3, 6]]
 */
export function kron(x: TensorLike, y: TensorLike): Tensor {
  const [left, right] = [asTensor(x, "kron"), asTensor(y, "kron")];
  const rank = Math.max(left.ndim, right.ndim);
  const full = ({ shape }: Tensor): number[] => [...new Array<number>(rank - shape.length).fill(1), ...shape];
  const [a, b] = [full(left), full(right)];
  const blocks = mul(
    reshape(
      left,
      a.flatMap((extent) => [extent, 1]),
    ),
    reshape(
      right,
      b.flatMap((extent) => [1, extent]),
    ),
  );
  return reshape(
    blocks,
    a.map((extent, axis) => extent * at(b, axis)),
  );
}

/** The diagonal of the last two axes as the last axis, `offset` columns right of the main one. A view where x is contiguous. */
export function diagonalOfLast(x: Tensor, offset: number): Tensor {
  const [rows, columns] = [at(x.shape, x.ndim - 2), at(x.shape, x.ndim - 1)];
  const [row, column] = [Math.max(0, -offset), Math.max(0, offset)];
  const length = Math.max(0, Math.min(rows - row, columns - column));
  const lead = x.shape.slice(0, -2);
  if (length === 0) return literal(0, [...lead, 0], x.dtype, x.weak);
  const start = row * columns + column;
  const zeros = lead.map(() => 0);
  return laxSlice(
    reshape(x, [...lead, rows * columns]),
    [...zeros, start],
    [...lead, start + (length - 1) * (columns + 1) + 1],
    [...lead.map(() => 1), columns + 1],
  );
}

export interface TraceOptions {
  /** How far right of the main diagonal, 0 unless told. */
  readonly offset?: number;
  readonly axis1?: number;
  readonly axis2?: number;
  /** The dtype to add up in, and of the result; what `sum` has unless told. */
  readonly dtype?: DType;
}

/**
 * The sum along a diagonal of two axes (the first two unless told). Source: jnp.trace.
 *
 * @throws ShapeError for fewer than two axes, or when one is out of range or named twice.
 * @example await trace(array([[1, 2], [3, 4]])).item(); // 5
 */
export function trace(x: TensorLike, options: TraceOptions = {}): Tensor {
  checkOptions("trace", options, TRACE_OPTIONS);
  const tensor = asTensor(x, "trace");
  const { offset = 0 } = options;
  if (tensor.ndim < 2) throw new ShapeError(`trace: needs two axes or more, received shape ${shapeText(tensor.shape)}`);
  if (!Number.isInteger(offset)) throw new ArgumentError(`trace: offset is a whole number, received ${String(offset)}`);
  const a = normalizeAxis("trace", options.axis1 ?? 0, tensor.ndim);
  const b = normalizeAxis("trace", options.axis2 ?? 1, tensor.ndim);
  if (a === b) throw new ShapeError(`trace: axis1 and axis2 are both ${a}; two different axes are needed`);
  const others = range(0, tensor.ndim).filter((axis) => axis !== a && axis !== b);
  return sum(diagonalOfLast(transpose(tensor, [...others, a, b]), offset), {
    axis: -1,
    ...(options.dtype && { dtype: options.dtype }),
  });
}
