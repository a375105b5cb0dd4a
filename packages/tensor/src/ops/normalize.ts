import { isFloat } from "../dtype.ts";
import { ArgumentError, DtypeError } from "../errors.ts";
import { broadcastShapes, normalizeAxes } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { composite } from "./composite.ts";
import { convert } from "./convert.ts";
import { asTensor, type TensorLike } from "./create.ts";
import { add, div, exp, log, maximum, mul, rsqrt, square, sub, where } from "./elementwise.ts";
import { stopGradient } from "./identity.ts";
import { broadcastTo } from "./movement.ts";
import { mean } from "./moments.ts";
import { peak, sum } from "./reduce.ts";
import { checkOptions } from "../options.ts";

const SOFTMAX_OPTIONS = { axis: true, where: true } as const;
const STANDARDIZE_OPTIONS = {
  axis: true,
  mean: true,
  variance: true,
  epsilon: "number",
  where: true,
  algorithm: true,
} as const;

export interface AxisOptions {
  /** The axis or axes to normalize over; the last unless told. */
  readonly axis?: number | readonly number[];
}

export interface SoftmaxOptions extends AxisOptions {
  /** Which elements take part: bool, of a shape that broadcasts to x's. The others come out as 0 (or −∞ in logSoftmax). */
  readonly where?: TensorLike;
}

/** x without its maximum along `axis`, −∞ where it takes no part. An infinite maximum leaves NaN, as in JAX. */
function shifted(name: string, x: TensorLike, axis: number | readonly number[], part: TensorLike | undefined): Tensor {
  const tensor = asTensor(x, name);
  if (tensor.dtype === "bool") throw new DtypeError(`${name}: does not take bool; convert it with astype()`);
  const float = isFloat(tensor.dtype) ? tensor : convert(tensor, "float32");
  const kept = part === undefined ? float : where(part, float, -Infinity);
  return sub(kept, stopGradient(peak(kept, normalizeAxes(name, axis, tensor.ndim))));
}

/**
 * eˣ / Σ eˣ along `axis`, without overflow. Integers become float32. Source: jax.nn.softmax.
 *
 * @throws ShapeError when an axis is out of range or named twice, DtypeError for bools.
 * @example await softmax(array([1, 2, 3])).toArray(); // [0.090031, 0.24473, 0.66524]
 */
export function softmax(x: TensorLike, options: SoftmaxOptions = {}): Tensor {
  checkOptions("softmax", options, SOFTMAX_OPTIONS);
  const { axis = -1, where: part } = options;
  return composite("softmax", () => {
    const unnormalized = exp(shifted("softmax", x, axis, part));
    const summed = part === undefined ? unnormalized : where(part, unnormalized, 0);
    const y = div(unnormalized, sum(summed, { axis, keepdims: true }));
    return part === undefined ? y : where(part, y, 0);
  });
}

/**
 * x − log Σ eˣ along `axis`, without overflow. Integers become float32. Source: jax.nn.log_softmax.
 *
 * @throws ShapeError when an axis is out of range or named twice, DtypeError for bools.
 * @example await logSoftmax(array([1, 2, 3])).toArray(); // [-2.4076, -1.4076, -0.40761]
 */
export function logSoftmax(x: TensorLike, options: SoftmaxOptions = {}): Tensor {
  checkOptions("logSoftmax", options, SOFTMAX_OPTIONS);
  const { axis = -1, where: part } = options;
  return composite("logSoftmax", () => {
    const centred = shifted("logSoftmax", x, axis, part);
    const weights = exp(centred);
    const y = sub(centred, log(sum(part === undefined ? weights : where(part, weights, 0), { axis, keepdims: true })));
    return part === undefined ? y : where(part, y, -Infinity);
  });
}

export interface StandardizeOptions extends AxisOptions {
  /** Instead of x's own mean. */
  readonly mean?: TensorLike;
  /** Instead of x's own variance. */
  readonly variance?: TensorLike;
  /** Added to the variance, 1e-5. */
  readonly epsilon?: number;
  /** Which elements count in mean and variance: bool, of a shape that broadcasts to x's. */
  readonly where?: TensorLike;
  /** "fast": E[x²] − E[x]², the default. "stable": E[(x − E[x])²]. */
  readonly algorithm?: "fast" | "stable";
}

/**
 * (x − mean) / √(variance + epsilon) along `axis`. Source: jax.nn.standardize.
 *
 * @throws ShapeError when an axis is out of range or named twice, ArgumentError for another algorithm.
 * @example await standardize(array([1, 3]), { epsilon: 0 }).toArray(); // [-1, 1]
 */
export function standardize(x: TensorLike, options: StandardizeOptions = {}): Tensor {
  checkOptions("standardize", options, STANDARDIZE_OPTIONS);
  const { axis = -1, epsilon = 1e-5, algorithm = "fast" } = options;
  if (algorithm !== "fast" && algorithm !== "stable")
    throw new ArgumentError(`standardize: algorithm is "fast" or "stable", received ${JSON.stringify(algorithm)}`);
  return composite("standardize", () => {
    const tensor = asTensor(x, "standardize");
    const average = (y: Tensor): Tensor => meanOf(y, axis, options.where);
    const centre = options.mean === undefined ? average(tensor) : asTensor(options.mean, "standardize");
    const own = (): Tensor =>
      algorithm === "stable"
        ? average(square(sub(tensor, centre)))
        : maximum(sub(average(square(tensor)), square(centre)), 0);
    const variance = options.variance === undefined ? own() : asTensor(options.variance, "standardize");
    return mul(sub(tensor, centre), rsqrt(add(variance, epsilon)));
  });
}

function meanOf(x: Tensor, axis: number | readonly number[], part: TensorLike | undefined): Tensor {
  if (part === undefined) return mean(x, { axis, keepdims: true });
  const kept = asTensor(part, "standardize");
  const chosen = broadcastTo(kept, broadcastShapes("standardize", kept.shape, x.shape));
  return div(sum(where(chosen, x, 0), { axis, keepdims: true }), sum(chosen, { axis, keepdims: true }));
}
