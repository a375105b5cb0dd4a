import { checkOptions } from "../options.ts";
import { keptStorages } from "../reach.ts";
import { normalizeAxes, reducedShape, type Shape } from "../shape.ts";
import { inArena } from "../storage.ts";
import type { Tensor } from "../tensor.ts";
import { composite } from "./composite.ts";
import { asTensor, type TensorLike } from "./create.ts";
import { abs, add, exp, isfinite, less, log, mul, notEqual, sign, sub, where } from "./elementwise.ts";
import { together } from "./factories.ts";
import { stopGradient } from "./identity.ts";
import { countOf } from "./moments.ts";
import { reshape } from "./movement.ts";
import { floating, peak, REDUCE_OPTIONS, sum, type ReduceOptions } from "./reduce.ts";

const LOGSUMEXP_OPTIONS = { ...REDUCE_OPTIONS, b: true, returnSign: "flag" } as const;

export interface LogsumexpOptions extends ReduceOptions {
  /** What each eˣ is multiplied with: of a shape that broadcasts to x's. A negative sum then gives NaN, unless its sign is asked for. */
  readonly b?: TensorLike;
  /** Whether to give log |Σ| and the sign of the sum. */
  readonly returnSign?: boolean;
}

/**
 * log Σ b·eˣ along axes, without overflow: the maximum is taken out first; −inf for no elements. Source: jax.nn.logsumexp.
 *
 * @throws ShapeError when an axis is out of range or named twice.
 * @example await logsumexp(array([1000, 1000])).item(); // 1000.7
 */
export function logsumexp(x: TensorLike, options: LogsumexpOptions & { readonly returnSign: true }): [Tensor, Tensor];
export function logsumexp(x: TensorLike, options?: LogsumexpOptions & { readonly returnSign?: false }): Tensor;
export function logsumexp(x: TensorLike, options?: LogsumexpOptions): Tensor | [Tensor, Tensor];
export function logsumexp(x: TensorLike, options: LogsumexpOptions = {}): Tensor | [Tensor, Tensor] {
  checkOptions("logsumexp", options, LOGSUMEXP_OPTIONS);
  const { b, returnSign = false } = options;
  if (b === undefined && !returnSign) {
    return composite("logsumexp", () => {
      const { total, shift, shape } = shiftedSum(x, options);
      return reshape(add(log(total), shift), shape);
    });
  }
  return inArena(
    "logsumexp",
    () => {
      const { total, shift, shape } = shiftedSum(x, options);
      const [size, signs] = [reshape(add(log(abs(total)), shift), shape), reshape(sign(total), shape)];
      return returnSign ? [size, signs] : where(less(signs, 0), NaN, size);
    },
    keptStorages,
  );
}

/** Σ b·e^(x − shift) along axes, which stay with extent 1, and the shape without them. */
function shiftedSum(
  x: TensorLike,
  { axis, b, where: mask, keepdims = false }: LogsumexpOptions,
): {
  readonly total: Tensor;
  readonly shift: Tensor;
  readonly shape: Shape;
} {
  const [values, factors] =
    b === undefined
      ? [floating(x, "logsumexp")]
      : together("logsumexp", [floating(x, "logsumexp"), asTensor(b, "logsumexp")], "float");
  const axes = normalizeAxes("logsumexp", axis, values.ndim);
  const part = mask === undefined ? values : where(mask, values, -Infinity);
  const counted = factors === undefined ? part : where(notEqual(factors, 0), part, -Infinity);
  const top = peak(counted, axes);
  const shift = stopGradient(where(isfinite(top), top, 0));
  const terms = exp(sub(counted, shift));
  const own = { axis: axes, keepdims: true };
  const total =
    factors === undefined
      ? sum(terms, own)
      : sum(mul(terms, factors), mask === undefined ? own : { ...own, where: mask });
  return { total, shift, shape: reducedShape(values.shape, axes, keepdims) };
}

/**
 * log of the mean of eˣ along axes, without overflow. Source: jax.nn.logmeanexp.
 *
 * @throws ShapeError when an axis is out of range or named twice.
 * @example await logmeanexp(array([1000, 1000])).item(); // 1000
 */
export function logmeanexp(x: TensorLike, options: ReduceOptions = {}): Tensor {
  checkOptions("logmeanexp", options, REDUCE_OPTIONS);
  const count = countOf("logmeanexp", asTensor(x, "logmeanexp"), options);
  const found = logsumexp(x, options);
  return sub(found, typeof count === "number" ? Math.log(count) : log(count));
}
