import { isFloat } from "../dtype.ts";
import { normalizeAxes } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { composite } from "./composite.ts";
import { convert } from "./convert.ts";
import { asTensor, type TensorLike } from "./create.ts";
import { div, exp, log, sub } from "./elementwise.ts";
import { stopGradient } from "./identity.ts";
import { peak, sum } from "./reduce.ts";

export interface AxisOptions {
  /** The axis or axes to normalize over; the last unless told. */
  readonly axis?: number | readonly number[];
}

/** x without its maximum along `axis`. An infinite maximum leaves NaN, as in JAX. */
function shifted(name: string, x: TensorLike, axis: number | readonly number[]): Tensor {
  const tensor = asTensor(x);
  const float = isFloat(tensor.dtype) ? tensor : convert(tensor, "float32");
  return sub(float, stopGradient(peak(float, normalizeAxes(name, axis, tensor.ndim))));
}

/**
 * eˣ / Σ eˣ along `axis`, without overflow. Integers become float32. Source: jax.nn.softmax.
 *
 * @throws ShapeError when an axis is out of range or named twice.
 * @example await softmax(array([1, 2, 3])).toArray(); // [0.090031, 0.24473, 0.66524]
 */
export function softmax(x: TensorLike, options: AxisOptions = {}): Tensor {
  const axis = options.axis ?? -1;
  return composite("softmax", () => {
    const unnormalized = exp(shifted("softmax", x, axis));
    return div(unnormalized, sum(unnormalized, { axis, keepdims: true }));
  });
}

/**
 * x − log Σ eˣ along `axis`, without overflow. Integers become float32. Source: jax.nn.log_softmax.
 *
 * @throws ShapeError when an axis is out of range or named twice.
 * @example await logSoftmax(array([1, 2, 3])).toArray(); // [-2.4076, -1.4076, -0.40761]
 */
export function logSoftmax(x: TensorLike, options: AxisOptions = {}): Tensor {
  const axis = options.axis ?? -1;
  return composite("logSoftmax", () => {
    const centred = shifted("logSoftmax", x, axis);
    return sub(centred, log(sum(exp(centred), { axis, keepdims: true })));
  });
}
