import { isFloat } from "../dtype.ts";
import type { Tensor } from "../tensor.ts";
import { convert } from "./convert.ts";
import { asTensor, type TensorLike } from "./create.ts";
import { div, exp, isfinite, log, sub, where } from "./elementwise.ts";
import { stopGradient } from "./identity.ts";
import { max, sum } from "./reduce.ts";

export interface AxisOptions {
  /** The axis or axes to normalize over; the last unless told. */
  readonly axis?: number | readonly number[];
}

function shifted(x: TensorLike, axis: number | readonly number[]): Tensor {
  const tensor = asTensor(x);
  const float = isFloat(tensor.dtype) ? tensor : convert(tensor, "float32");
  const top = max(float, { axis, keepdims: true });
  return sub(float, stopGradient(where(isfinite(top), top, 0)));
}

/** eˣ / Σ eˣ along `axis`, without overflow. Source: jax.nn.softmax. */
export function softmax(x: TensorLike, options: AxisOptions = {}): Tensor {
  const axis = options.axis ?? -1;
  const unnormalized = exp(shifted(x, axis));
  return div(unnormalized, sum(unnormalized, { axis, keepdims: true }));
}

/** x − log Σ eˣ along `axis`, without overflow. Source: jax.nn.log_softmax. */
export function logSoftmax(x: TensorLike, options: AxisOptions = {}): Tensor {
  const axis = options.axis ?? -1;
  const centred = shifted(x, axis);
  return sub(centred, log(sum(exp(centred), { axis, keepdims: true })));
}
