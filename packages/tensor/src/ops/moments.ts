import { checkDType, isFloat, type DType } from "../dtype.ts";
import { ArgumentError, DtypeError } from "../errors.ts";
import { checkOptions } from "../options.ts";
import { normalizeAxes, sizeOf } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { at } from "../view.ts";
import { laxDiv } from "./bits.ts";
import { composite } from "./composite.ts";
import { convert, unpacked } from "./convert.ts";
import { asTensor, literal, type TensorLike } from "./create.ts";
import { div, greater, sqrt, square, sub, where } from "./elementwise.ts";
import { broadcastTo } from "./movement.ts";
import { floating, REDUCE_OPTIONS, sum, type ReduceOptions } from "./reduce.ts";

export const MEAN_OPTIONS = { ...REDUCE_OPTIONS, dtype: true } as const;
export const NAN_VARIANCE_OPTIONS = { ...MEAN_OPTIONS, ddof: "number", mean: true } as const;
const VARIANCE_OPTIONS = { ...NAN_VARIANCE_OPTIONS, correction: "number" } as const;

export interface MeanOptions extends ReduceOptions {
  /** The dtype of the result; x's, or float32 for whole numbers, unless told. */
  readonly dtype?: DType;
}

export interface NanVarianceOptions extends MeanOptions {
  /** Taken off the number of elements; NaN comes out where none is left. */
  readonly ddof?: number;
  /** The mean, if it is known: of a shape that broadcasts to x's. */
  readonly mean?: TensorLike;
}

export interface VarianceOptions extends NanVarianceOptions {
  /** Another name of ddof. */
  readonly correction?: number;
}

/**
 * The arithmetic mean along axes, summed in float32; NaN for no elements. Source: jnp.mean.
 *
 * @throws ShapeError when an axis is out of range or named twice.
 * @example await mean(array([[1, 2], [3, 5]]), { axis: 1 }).toArray(); // [1.5, 4]
 */
export function mean(x: TensorLike, options: MeanOptions = {}): Tensor {
  checkOptions("mean", options, MEAN_OPTIONS);
  const { dtype: told, ...rest } = options;
  const dtype = told === undefined ? undefined : checkDType("mean", told);
  if (dtype !== undefined && !isFloat(dtype)) {
    const count = countOf("mean", asTensor(x, "mean"), rest);
    const whole = sum(x, { ...rest, dtype });
    return laxDiv(whole, typeof count === "number" ? literal(count, whole.shape, dtype) : convert(count, dtype));
  }
  const tensor = floating(x, "mean");
  // A float16 sum would overflow, and be rounded twice.
  const wide = unpacked(tensor);
  const count = countOf("mean", wide, rest);
  const found = div(sum(wide, rest), count);
  return convert(found, dtype ?? tensor.dtype, dtype === undefined && tensor.weak);
}

/** How many elements count: a number, or by line where a mask says. */
export function countOf(name: string, x: Tensor, { axis, keepdims, where: mask }: ReduceOptions): number | Tensor {
  const axes = normalizeAxes(name, axis, x.ndim);
  if (mask === undefined) return sizeOf(axes.map((one) => at(x.shape, one)));
  return sum(literal(1, x.shape, "float32"), { axis: axes, keepdims: keepdims ?? false, where: mask });
}

/**
 * Mean of |x − mean|² along axes; `ddof` is taken off the count. Source: jnp.var.
 *
 * @throws ShapeError when an axis is out of range or named twice.
 * @example await variance(array([[1, 2], [3, 5]]), { axis: 1 }).toArray(); // [0.25, 1]
 */
export function variance(x: TensorLike, options: VarianceOptions = {}): Tensor {
  checkOptions("var", options, VARIANCE_OPTIONS);
  return composite("var", () => spreadAround("var", x, options));
}

/**
 * The square root of the variance. Source: jnp.std.
 *
 * @throws ShapeError when an axis is out of range or named twice.
 * @example await std(array([[1, 2], [3, 5]]), { axis: 1 }).toArray(); // [0.5, 1]
 */
export function std(x: TensorLike, options: VarianceOptions = {}): Tensor {
  checkOptions("std", options, VARIANCE_OPTIONS);
  return sqrt(spreadAround("std", x, options));
}

function spreadAround(name: string, x: TensorLike, options: VarianceOptions): Tensor {
  const tensor = floating(x, name);
  const dtype = floatResult(name, options.dtype);
  return convert(
    spreadOfWords(name, unpacked(tensor), options),
    dtype ?? tensor.dtype,
    dtype === undefined && tensor.weak,
  );
}

/** The dtype that the result of a mean of squares is told to have. */
export function floatResult(name: string, dtype: DType | undefined): DType | undefined {
  if (dtype === undefined || isFloat(checkDType(name, dtype))) return dtype;
  throw new DtypeError(`${name}: dtype must be one of floats, received ${dtype}; convert the result with astype()`);
}

function spreadOfWords(name: string, tensor: Tensor, options: VarianceOptions): Tensor {
  const { ddof: _ddof, correction: _correction, mean: known, dtype: _dtype, ...own } = options;
  const ddof = takenOff(name, options);
  const count = countOf(name, tensor, own);
  const centred = sub(tensor, middle(name, tensor, known) ?? mean(tensor, { ...own, keepdims: true }));
  const total = sum(square(centred), own);
  if (typeof count === "number") return div(total, count > ddof ? count - ddof : Number.NaN);
  return where(greater(count, ddof), div(total, sub(count, ddof)), Number.NaN);
}

/** A mean that is told, over x's shape in x's dtype. */
export function middle(name: string, x: Tensor, known: TensorLike | undefined): Tensor | undefined {
  return known === undefined ? undefined : broadcastTo(convert(asTensor(known, name), x.dtype), x.shape);
}

function takenOff(name: string, { ddof = 0, correction }: VarianceOptions): number {
  if (correction !== undefined && ddof !== 0)
    throw new ArgumentError(
      `${name}: received ddof ${ddof} and correction ${correction}, which are one thing; give one`,
    );
  const found = correction ?? ddof;
  if (!Number.isFinite(found)) throw new ArgumentError(`${name}: ddof is a number, received ${JSON.stringify(found)}`);
  return found;
}
