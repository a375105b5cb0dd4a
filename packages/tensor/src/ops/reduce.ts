import { bind } from "../dispatch.ts";
import { checkDType, isFloat, isInteger, rangeOf, type DType } from "../dtype.ts";
import { ArgumentError, DtypeError, ShapeError } from "../errors.ts";
import type { JvpRule, ReduceOp, VjpRule } from "../op.ts";
import { normalizeAxes, reducedShape, shapeText, sizeOf } from "../shape.ts";
import type { Aval, Tensor } from "../tensor.ts";
import { at } from "../view.ts";
import { convert, unpacked } from "./convert.ts";
import { asTensor, literal, type TensorLike } from "./create.ts";
import { add, div, equal, maximum, minimum, mul, where } from "./elementwise.ts";
import { broadcastTo, reshape } from "./movement.ts";
import { checkOptions } from "../options.ts";

export const REDUCE_OPTIONS = { axis: true, keepdims: "flag", where: true } as const;
export const EXTREME_OPTIONS = { ...REDUCE_OPTIONS, initial: true } as const;
export const SUM_OPTIONS = { ...EXTREME_OPTIONS, dtype: true, promoteIntegers: "flag" } as const;

/** What every reduction takes: the axes (all unless told) and whether they stay with extent 1. */
export interface ReduceOptions {
  readonly axis?: number | readonly number[] | null;
  readonly keepdims?: boolean;
  /** Which elements count, a bool array that broadcasts to x; max and min then need an `initial`. */
  readonly where?: TensorLike;
}

export interface ExtremeOptions extends ReduceOptions {
  /** A number that is reduced with the elements. */
  readonly initial?: TensorLike;
}

export interface SumOptions extends ExtremeOptions {
  /** The dtype to convert to before anything is combined, and of the result. */
  readonly dtype?: DType;
  /** Whether integers of 8 and 16 bits become int32 or uint32, as they do unless told; false wraps at their width. */
  readonly promoteIntegers?: boolean;
}

interface ReduceAttrs {
  readonly axes: readonly number[];
}

function reduction(
  name: string,
  combine: ReduceOp<ReduceAttrs>["combine"],
  vjp: VjpRule<ReduceAttrs> | "nondifferentiable",
  jvp?: JvpRule<ReduceAttrs>,
): ReduceOp<ReduceAttrs> {
  const op: ReduceOp<ReduceAttrs> = {
    kind: "reduce",
    name,
    combine,
    axes: ({ axes }) => axes,
    infer: ([x], { axes }) => reducedAval(x, axes),
    fold: ([value = 0], [x], { axes }) =>
      foldRepeated(combine, value, sizeOf(axes.map((axis) => at(x?.shape ?? [], axis)))),
    vjp,
    ...(jvp && { jvp }),
    batch: (inputs, _batched, { axes }) => bind(op, inputs, { axes: axes.map((axis) => axis + 1) }),
  };
  return op;
}

/** What `count` times the same value combine to. */
function foldRepeated(combine: ReduceOp<ReduceAttrs>["combine"], value: number, count: number): number | undefined {
  if (count === 0 || combine === "prod") return undefined;
  return combine === "sum" ? value * count : value;
}

function reducedAval(x: Aval | undefined, axes: readonly number[]): Aval {
  if (x === undefined) throw new DtypeError("reduce: needs an operand");
  return { shape: reducedShape(x.shape, axes, false), dtype: x.dtype, weak: x.weak };
}

/** A result or cotangent of a reduction, back over the operand's shape. */
function spread(y: Tensor, x: Tensor, axes: readonly number[]): Tensor {
  return broadcastTo(reshape(y, reducedShape(x.shape, axes, true)), x.shape);
}

const sumOp: ReduceOp<ReduceAttrs> = /* @__PURE__ */ reduction(
  "reduce_sum",
  "sum",
  ({ inputs: [x], attrs: { axes } }, ct) => [x && spread(ct, x, axes)],
  ({ attrs }, [tangent]) => tangent && bind(sumOp, [tangent], attrs),
);

/** Equal maxima (minima) share the cotangent. */
const extremeVjp: VjpRule<ReduceAttrs> = ({ inputs: [x], output, attrs: { axes } }, ct) => {
  if (x === undefined) return [];
  const here = convert(equal(x, spread(output, x, axes)), x.dtype);
  return [mul(here, spread(div(ct, sum(here, { axis: axes })), x, axes))];
};

/** The mean tangent of the elements that are extreme. */
const extremeJvp: JvpRule<ReduceAttrs> = ({ inputs: [x], output, attrs: { axes } }, [tangent]) => {
  if (x === undefined || tangent === undefined) return undefined;
  const here = convert(equal(x, spread(output, x, axes)), x.dtype);
  return div(sum(mul(here, tangent), { axis: axes }), sum(here, { axis: axes }));
};

const maxOp = /* @__PURE__ */ reduction("reduce_max", "max", extremeVjp, extremeJvp);
const minOp = /* @__PURE__ */ reduction("reduce_min", "min", extremeVjp, extremeJvp);

/** d prod / dx: the product of the others, told apart by how many zeros there are: none, this one, or some other. */
function productSlope(x: Tensor, axes: readonly number[]): Tensor {
  const zero = equal(x, 0);
  const zeros = spread(sum(convert(zero, "int32"), { axis: axes }), x, axes);
  const others = spread(prod(where(zero, 1, x), { axis: axes }), x, axes);
  return where(zero, where(equal(zeros, 1), others, 0), where(equal(zeros, 0), div(others, where(zero, 1, x)), 0));
}

const prodOp = /* @__PURE__ */ reduction(
  "reduce_prod",
  "prod",
  ({ inputs: [x], attrs: { axes } }, ct) => [x && mul(spread(ct, x, axes), productSlope(x, axes))],
  ({ inputs: [x], attrs: { axes } }, [tangent]) =>
    x && tangent && sum(mul(tangent, productSlope(x, axes)), { axis: axes }),
);

const anyOp = /* @__PURE__ */ reduction("reduce_or", "any", "nondifferentiable");
const allOp = /* @__PURE__ */ reduction("reduce_and", "all", "nondifferentiable");

function reduce(op: ReduceOp<ReduceAttrs>, x: Tensor, options: ExtremeOptions): Tensor {
  const axes = normalizeAxes(op.combine, options.axis, x.ndim);
  const kept = axes.filter((axis) => x.shape[axis] !== 1);
  // An axis of extent 1 has nothing to combine.
  const counted = options.where === undefined ? x : masked(op.combine, x, options.where);
  const reduced = kept.length === 0 ? counted : bind(op, [counted], { axes: kept });
  const shaped = reshape(reduced, reducedShape(x.shape, axes, options.keepdims ?? false));
  return options.initial === undefined ? shaped : startedWith(op.combine, shaped, options.initial);
}

/** The values that change nothing. */
function nothing(combine: ReduceOp<ReduceAttrs>["combine"], dtype: DType): number {
  const [max, min] = rangeOf(dtype);
  return { sum: 0, prod: 1, max, min, any: 0, all: 1 }[combine];
}

/** x with what does not count replaced by what changes nothing. */
function masked(combine: ReduceOp<ReduceAttrs>["combine"], x: Tensor, mask: TensorLike): Tensor {
  const counts = asTensor(mask, combine);
  if (counts.dtype !== "bool")
    throw new DtypeError(
      `${combine}: where must be bool, received ${counts.dtype}; compare, or convert it with astype()`,
    );
  return where(broadcastTo(counts, x.shape), x, literal(nothing(combine, x.dtype), [], x.dtype, x.weak));
}

function startedWith(combine: ReduceOp<ReduceAttrs>["combine"], y: Tensor, initial: TensorLike): Tensor {
  const first = asTensor(initial, combine);
  if (first.ndim > 0)
    throw new ShapeError(`${combine}: initial must be a scalar, received shape ${shapeText(first.shape)}`);
  const own = convert(first, y.dtype, y.weak);
  switch (combine) {
    case "sum":
      return add(own, y);
    case "prod":
      return mul(own, y);
    case "max":
    case "any":
      return maximum(own, y);
    case "min":
    case "all":
      return minimum(own, y);
  }
}

function countable(x: Tensor): Tensor {
  return x.dtype === "bool" ? convert(x, "int32") : isInteger(x.dtype) ? unpacked(x) : x;
}

/** Combines in the dtype that is told; bools are combined as bools only if that dtype is bool. */
function combined(name: "sum" | "prod", x: TensorLike, options: SumOptions): Tensor {
  const { dtype, promoteIntegers = true, ...rest } = options;
  const tensor = asTensor(x, name);
  const [op, boolOp] = name === "sum" ? [sumOp, anyOp] : [prodOp, allOp];
  if (dtype === undefined) {
    const kept = promoteIntegers || tensor.dtype === "bool" ? undefined : tensor.dtype;
    const found = reduce(op, countable(tensor), rest);
    return kept === undefined ? found : convert(found, kept, tensor.weak);
  }
  const wanted = convert(tensor, checkDType(name, dtype));
  return dtype === "bool" ? reduce(boolOp, wanted, rest) : convert(reduce(op, countable(wanted), rest), dtype);
}

/**
 * Σ x along axes, pairwise; bools are counted, small whole numbers become int32 or uint32. The sum of nothing is 0. Source: jnp.sum.
 *
 * @throws ShapeError when an axis is out of range or named twice.
 * @example await sum(array([[1, 2], [3, 5]]), { axis: 1 }).toArray(); // [3, 8]
 */
export function sum(x: TensorLike, options: SumOptions = {}): Tensor {
  checkOptions("sum", options, SUM_OPTIONS);
  return combined("sum", x, options);
}

/**
 * Π x along axes. The product of nothing is 1. Source: jnp.prod.
 *
 * @throws ShapeError when an axis is out of range or named twice.
 * @example await prod(array([[1, 2], [3, 5]]), { axis: 1 }).toArray(); // [2, 15]
 */
export function prod(x: TensorLike, options: SumOptions = {}): Tensor {
  checkOptions("prod", options, SUM_OPTIONS);
  return combined("prod", x, options);
}

function refuseEmpty(name: string, x: Tensor, options: ExtremeOptions): void {
  const axes = normalizeAxes(name, options.axis, x.ndim);
  if (options.initial !== undefined) return;
  if (options.where !== undefined)
    throw new ArgumentError(
      `${name}: where may leave nothing, which has no ${name}; say what to start from with { initial }`,
    );
  if (axes.some((axis) => x.shape[axis] === 0))
    throw new ShapeError(`${name}: the ${name} of no elements does not exist, received shape ${shapeText(x.shape)}`);
}

/**
 * The largest element along axes; NaN if there is one. Ties share the gradient. Source: jnp.max.
 *
 * @throws ShapeError for no elements, or an axis that is out of range or named twice.
 * @example await max(array([[1, 2], [3, 5]]), { axis: 1 }).toArray(); // [2, 5]
 */
export function max(x: TensorLike, options: ExtremeOptions = {}): Tensor {
  checkOptions("max", options, EXTREME_OPTIONS);
  const tensor = asTensor(x, "max");
  refuseEmpty("max", tensor, options);
  return tensor.dtype === "bool" ? reduce(anyOp, tensor, options) : reduce(maxOp, tensor, options);
}

/**
 * The smallest element along axes; NaN if there is one. Ties share the gradient. Source: jnp.min.
 *
 * @throws ShapeError for no elements, or an axis that is out of range or named twice.
 * @example await min(array([[1, 2], [3, 5]]), { axis: 1 }).toArray(); // [1, 3]
 */
export function min(x: TensorLike, options: ExtremeOptions = {}): Tensor {
  checkOptions("min", options, EXTREME_OPTIONS);
  const tensor = asTensor(x, "min");
  refuseEmpty("min", tensor, options);
  return tensor.dtype === "bool" ? reduce(allOp, tensor, options) : reduce(minOp, tensor, options);
}

/**
 * True if any element along axes is not zero. Source: jnp.any.
 *
 * @throws ShapeError when an axis is out of range or named twice.
 * @example await any(array([[0, 2], [0, 0]]), { axis: 1 }).toArray(); // [1, 0]
 */
export function any(x: TensorLike, options: ReduceOptions = {}): Tensor {
  checkOptions("any", options, REDUCE_OPTIONS);
  return reduce(anyOp, convert(asTensor(x, "any"), "bool"), options);
}

/**
 * True if every element along axes is not zero. Source: jnp.all.
 *
 * @throws ShapeError when an axis is out of range or named twice.
 * @example await all(array([[1, 2], [0, 1]]), { axis: 1 }).toArray(); // [1, 0]
 */
export function all(x: TensorLike, options: ReduceOptions = {}): Tensor {
  checkOptions("all", options, REDUCE_OPTIONS);
  return reduce(allOp, convert(asTensor(x, "all"), "bool"), options);
}

/** For the function `name`: x as it is if it holds floats, else as float32. */
export function floating(x: TensorLike, name: string): Tensor {
  const tensor = asTensor(x, name);
  return isFloat(tensor.dtype) ? tensor : convert(tensor, "float32");
}

/** The largest elements along axes (normalized), which stay with extent 1; −inf for none. */
export function peak(x: Tensor, axes: readonly number[]): Tensor {
  if (axes.some((axis) => x.shape[axis] === 0)) return literal(-Infinity, reducedShape(x.shape, axes, true), x.dtype);
  return max(x, { axis: axes, keepdims: true });
}
