import { planRecurrence, planScan, type ScanCombine } from "@jnx/kernels-wgsl";
import { bind } from "../dispatch.ts";
import { checkDType, isFloat, type DType } from "../dtype.ts";
import { DtypeError, ShapeError } from "../errors.ts";
import type { KernelOp, VjpRule } from "../op.ts";
import { normalizeAxis, shapeText, sizeOf, type Shape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { at, isIdentity } from "../view.ts";
import { only, spreadBatch } from "./batching.ts";
import { convert } from "./convert.ts";
import { asTensor, zeros, type TensorLike } from "./create.ts";
import { equal, exp, greater, isnan, mul, notEqual, sub, where } from "./elementwise.ts";
import { concatenate } from "./join.ts";
import { ravel } from "./movement.ts";
import { pad } from "./pad.ts";
import { checkOptions } from "../options.ts";

const SCAN_OPTIONS = { reverse: "flag" } as const;
const CUMULATIVE_OPTIONS = { axis: true, dtype: true } as const;
const CUMULATIVE_ARRAY_OPTIONS = { axis: true, dtype: true, includeInitial: "flag" } as const;

interface ScanAttrs {
  readonly axis: number;
  readonly reverse: boolean;
}

/** [outer, n, inner] around an axis. */
function linesOf(shape: Shape, axis: number): { outer: number; n: number; inner: number; vector: boolean } {
  const inner = sizeOf(shape.slice(axis + 1));
  return { outer: sizeOf(shape.slice(0, axis)), n: at(shape, axis), inner, vector: inner % 4 === 0 };
}

function scanOp(name: string, combine: ScanCombine, vjp: VjpRule<ScanAttrs>): KernelOp<ScanAttrs> {
  const op: KernelOp<ScanAttrs> = {
    kind: "kernel",
    name,
    infer: ([x]) => ({ shape: x?.shape ?? [], dtype: x?.dtype ?? "float32", weak: x?.weak ?? false }),
    accepts: isIdentity,
    plan: ([x], { axis, reverse }, limits) => {
      if (x === undefined || x.aval.dtype === "bool") throw new DtypeError(`${name}: does not take bool`);
      return planScan({ combine, dtype: x.aval.dtype, reverse, ...linesOf(x.aval.shape, axis) }, limits);
    },
    vjp,
    batch: ([x], _batched, { axis, reverse }) => bind(op, [only(name, x)], { axis: axis + 1, reverse }),
  };
  return op;
}

/** y[r] = a[r] · y[r − 1] + b[r] along an axis, or from the end. Its derivative is one of its kind. */
const recurrenceOp: KernelOp<ScanAttrs> = {
  kind: "kernel",
  name: "recurrence",
  infer: ([a]) => ({ shape: a?.shape ?? [], dtype: a?.dtype ?? "float32", weak: false }),
  accepts: isIdentity,
  plan: ([a], { axis, reverse }, limits) =>
    a === undefined ? [] : planRecurrence({ reverse, ...linesOf(a.aval.shape, axis) }, limits),
  vjp: ({ inputs: [a], output, attrs: { axis, reverse } }, ct) => {
    const factors = only("recurrence", a);
    const back = recurrence(next(factors, axis, reverse), ct, axis, !reverse);
    return [mul(back, previous(output, axis, reverse, 0)), back];
  },
  batch: (inputs, batched, { axis, reverse }) =>
    bind(recurrenceOp, spreadBatch(inputs, batched), { axis: axis + 1, reverse }),
};

function recurrence(a: Tensor, b: Tensor, axis: number, reverse: boolean): Tensor {
  return bind(recurrenceOp, [a, b], { axis, reverse });
}

/** The element before each one in the order of the accumulation; `first` before the first. */
function previous(x: Tensor, axis: number, reverse: boolean, first: number): Tensor {
  const [low, high] = reverse ? [-1, 1] : [1, -1];
  return pad(
    x,
    first,
    x.shape.map((_, k) => (k === axis ? ([low, high, 0] as const) : ([0, 0, 0] as const))),
  );
}

/** The element after each one in the order of the accumulation; 0 after the last. */
function next(x: Tensor, axis: number, reverse: boolean): Tensor {
  return previous(x, axis, !reverse, 0);
}

const cumsumOp = /* @__PURE__ */ scanOp("cumsum", "sum", ({ attrs: { axis, reverse } }, ct) => [
  bind(cumsumOp, [ct], { axis, reverse: !reverse }),
]);

/**
 * The rule of y[r] = f(y[r − 1], x[r]) from f's two slopes: a recurrence backwards carries the cotangent, and each
 * element takes its share. Exact at zeros, where a quotient of products would not be.
 */
function through(
  slopes: (x: Tensor, y: Tensor, before: Tensor) => readonly [toBefore: Tensor, toElement: Tensor],
  first: number,
): VjpRule<ScanAttrs> {
  return ({ inputs: [x], output, attrs: { axis, reverse } }, ct) => {
    const operand = only("scan", x);
    const [toBefore, toElement] = slopes(operand, output, previous(output, axis, reverse, first));
    return [mul(recurrence(next(toBefore, axis, reverse), ct, axis, !reverse), toElement)];
  };
}

const cumprodOp = /* @__PURE__ */ scanOp(
  "cumprod",
  "prod",
  through((x, _y, before) => [x, before], 1),
);

/** Equal extremes share the cotangent. */
const share = (x: Tensor, before: Tensor, wins: Tensor): readonly [Tensor, Tensor] => {
  const toBefore = where(equal(before, x), 0.5, where(wins, 1, 0));
  return [toBefore, sub(1, toBefore)];
};
const cummaxOp = /* @__PURE__ */ scanOp(
  "cummax",
  "max",
  through((x, _y, before) => share(x, before, greater(before, x)), -Infinity),
);
const cumminOp = /* @__PURE__ */ scanOp(
  "cummin",
  "min",
  through((x, _y, before) => share(x, before, greater(x, before)), Infinity),
);
const cumlogsumexpOp = /* @__PURE__ */ scanOp(
  "cumlogsumexp",
  "logaddexp",
  through((x, y, before) => {
    const finite = notEqual(y, -Infinity);
    const part = (one: Tensor): Tensor => where(finite, exp(sub(one, where(finite, y, 0))), 0);
    return [part(before), part(x)];
  }, -Infinity),
);

export interface ScanOptions {
  /** From the end towards the start. */
  readonly reverse?: boolean;
}

function laxScan(op: KernelOp<ScanAttrs>, x: TensorLike, axis: number, options: ScanOptions): Tensor {
  const tensor = asTensor(x, op.name);
  const along = normalizeAxis(op.name, axis, tensor.ndim);
  if (tensor.dtype === "bool" || (op === cumlogsumexpOp && !isFloat(tensor.dtype)))
    throw new DtypeError(`${op.name}: does not take ${tensor.dtype}; convert it with astype()`);
  if (at(tensor.shape, along) < 2) return tensor;
  return bind(op, [tensor], { axis: along, reverse: options.reverse ?? false });
}

/**
 * Σ of the elements up to each one along an axis. Source: lax.cumsum.
 *
 * @throws ShapeError when the axis is out of range, DtypeError for bools.
 * @example await laxCumsum(array([1, 2, 3]), 0, { reverse: true }).toArray(); // [6, 5, 3]
 */
export function laxCumsum(x: TensorLike, axis = 0, options: ScanOptions = {}): Tensor {
  checkOptions("cumsum", options, SCAN_OPTIONS);
  return laxScan(cumsumOp, x, axis, options);
}

/**
 * Π of the elements up to each one along an axis. Source: lax.cumprod.
 *
 * @throws ShapeError when the axis is out of range, DtypeError for bools.
 * @example await laxCumprod(array([1, 2, 3]), 0, { reverse: true }).toArray(); // [6, 6, 3]
 */
export function laxCumprod(x: TensorLike, axis = 0, options: ScanOptions = {}): Tensor {
  checkOptions("cumprod", options, SCAN_OPTIONS);
  return laxScan(cumprodOp, x, axis, options);
}

/**
 * The largest of the elements up to each one along an axis; NaN from the first NaN on. Source: lax.cummax.
 *
 * @throws ShapeError when the axis is out of range, DtypeError for bools.
 * @example await cummax(array([1, 3, 2])).toArray(); // [1, 3, 3]
 */
export function cummax(x: TensorLike, axis = 0, options: ScanOptions = {}): Tensor {
  checkOptions("cummax", options, SCAN_OPTIONS);
  return laxScan(cummaxOp, x, axis, options);
}

/**
 * The smallest of the elements up to each one along an axis; NaN from the first NaN on. Source: lax.cummin.
 *
 * @throws ShapeError when the axis is out of range, DtypeError for bools.
 * @example await cummin(array([3, 1, 2])).toArray(); // [3, 1, 1]
 */
export function cummin(x: TensorLike, axis = 0, options: ScanOptions = {}): Tensor {
  checkOptions("cummin", options, SCAN_OPTIONS);
  return laxScan(cumminOp, x, axis, options);
}

/**
 * log Σ eˣ of the elements up to each one along an axis, without overflow. Source: lax.cumlogsumexp.
 *
 * @throws ShapeError when the axis is out of range, DtypeError unless x holds floats.
 * @example await cumlogsumexp(array([0, 0], { dtype: "float32" })).toArray(); // [0, 0.69315]
 */
export function cumlogsumexp(x: TensorLike, axis = 0, options: ScanOptions = {}): Tensor {
  checkOptions("cumlogsumexp", options, SCAN_OPTIONS);
  return laxScan(cumlogsumexpOp, x, axis, options);
}

export interface CumulativeOptions {
  /** The axis to go along; without one, x is flattened first. */
  readonly axis?: number | null;
  /** Of the result, and to add in; bools become int32 unless told. */
  readonly dtype?: DType;
}

function cumulative(op: KernelOp<ScanAttrs>, x: TensorLike, options: CumulativeOptions): Tensor {
  const tensor = asTensor(x, op.name);
  const axis = options.axis ?? undefined;
  const lined = axis === undefined || tensor.ndim === 0 ? ravel(tensor) : tensor;
  const wanted = options.dtype === undefined ? undefined : checkDType(op.name, options.dtype);
  const counted = tensor.dtype === "bool" ? "int32" : tensor.dtype;
  const dtype = wanted === "bool" ? "int32" : (wanted ?? counted);
  const given = wanted === "bool" ? convert(lined, "bool") : lined;
  const result = laxScan(op, convert(given, dtype), axis ?? 0, {});
  return wanted === "bool" ? convert(result, "bool") : result;
}

/**
 * Σ of the elements up to each one, along an axis or of x flattened; bools are counted. Source: jnp.cumsum.
 *
 * @throws ShapeError when the axis is out of range, DtypeError for an unknown dtype.
 * @example await cumsum(array([[1, 2], [3, 4]]), { axis: 0 }).toArray(); // [[1, 2], [4, 6]]
 */
export function cumsum(x: TensorLike, options: CumulativeOptions = {}): Tensor {
  checkOptions("cumsum", options, CUMULATIVE_OPTIONS);
  return cumulative(cumsumOp, x, options);
}

/**
 * Π of the elements up to each one, along an axis or of x flattened. Source: jnp.cumprod.
 *
 * @throws ShapeError when the axis is out of range, DtypeError for an unknown dtype.
 * @example await cumprod(array([1, 2, 3])).toArray(); // [1, 2, 6]
 */
export function cumprod(x: TensorLike, options: CumulativeOptions = {}): Tensor {
  checkOptions("cumprod", options, CUMULATIVE_OPTIONS);
  return cumulative(cumprodOp, x, options);
}

function withoutNan(name: string, x: TensorLike, instead: number): Tensor {
  const tensor = asTensor(x, name);
  return isFloat(tensor.dtype) ? where(isnan(tensor), instead, tensor) : tensor;
}

/**
 * cumsum with NaN as 0. Source: jnp.nancumsum.
 *
 * @throws ShapeError when the axis is out of range, DtypeError for an unknown dtype.
 * @example await nancumsum(array([1, NaN, 2])).toArray(); // [1, 1, 3]
 */
export function nancumsum(x: TensorLike, options: CumulativeOptions = {}): Tensor {
  checkOptions("nancumsum", options, CUMULATIVE_OPTIONS);
  return cumulative(cumsumOp, withoutNan("nancumsum", x, 0), options);
}

/**
 * cumprod with NaN as 1. Source: jnp.nancumprod.
 *
 * @throws ShapeError when the axis is out of range, DtypeError for an unknown dtype.
 * @example await nancumprod(array([2, NaN, 3])).toArray(); // [2, 2, 6]
 */
export function nancumprod(x: TensorLike, options: CumulativeOptions = {}): Tensor {
  checkOptions("nancumprod", options, CUMULATIVE_OPTIONS);
  return cumulative(cumprodOp, withoutNan("nancumprod", x, 1), options);
}

export interface CumulativeArrayOptions extends CumulativeOptions {
  /** Whether the result begins with what nothing adds up to. */
  readonly includeInitial?: boolean;
}

/**
 * cumsum of an array that has axes; `includeInitial` puts a 0 in front. Source: jnp.cumulative_sum.
 *
 * @throws ShapeError for a scalar, or several axes and none named.
 * @example await cumulativeSum(array([1, 2]), { includeInitial: true }).toArray(); // [0, 1, 3]
 */
export function cumulativeSum(x: TensorLike, options: CumulativeArrayOptions = {}): Tensor {
  checkOptions("cumulativeSum", options, CUMULATIVE_ARRAY_OPTIONS);
  return withInitial("cumulativeSum", cumsumOp, x, options, 0);
}

/**
 * cumprod of an array that has axes; `includeInitial` puts a 1 in front. Source: jnp.cumulative_prod.
 *
 * @throws ShapeError for a scalar, or several axes and none named.
 * @example await cumulativeProd(array([2, 3]), { includeInitial: true }).toArray(); // [1, 2, 6]
 */
export function cumulativeProd(x: TensorLike, options: CumulativeArrayOptions = {}): Tensor {
  checkOptions("cumulativeProd", options, CUMULATIVE_ARRAY_OPTIONS);
  return withInitial("cumulativeProd", cumprodOp, x, options, 1);
}

function withInitial(
  name: string,
  op: KernelOp<ScanAttrs>,
  x: TensorLike,
  options: CumulativeArrayOptions,
  first: 0 | 1,
): Tensor {
  const tensor = asTensor(x, name);
  if (tensor.ndim === 0 || (tensor.ndim > 1 && (options.axis ?? undefined) === undefined))
    throw new ShapeError(`${name}: needs an axis for shape ${shapeText(tensor.shape)}; name one of its axes`);
  const axis = normalizeAxis(name, options.axis ?? 0, tensor.ndim);
  const result = cumulative(op, tensor, { ...options, axis });
  if (options.includeInitial !== true) return result;
  const start = zeros(
    result.shape.map((extent, k) => (k === axis ? 1 : extent)),
    { dtype: result.dtype },
  );
  return concatenate([first === 0 ? start : equal(start, 0), result], { axis, dtype: result.dtype });
}
