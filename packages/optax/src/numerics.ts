import {
  add,
  ArgumentError,
  lessEqual,
  linalg,
  mean,
  mul,
  onesLike,
  sqrt,
  square,
  squeeze,
  stopGradient,
  sub,
  tree,
  where,
  type Tensor,
  type TensorLike,
} from "@jnx/tensor";
import { checkKeys } from "@jnx/tensor/internal";

/** Options of `safeNorm`. */
export interface SafeNormOptions {
  /** As in jnp.linalg.norm. */
  readonly ord?: number | "fro";
  readonly axis?: number | readonly number[];
  readonly keepdims?: boolean;
}

/**
 * The norm of x, at least `minNorm`, with a gradient of 0 instead of NaN where it is that. Source: optax.safe_norm.
 * @example optax.safeNorm(array([0, 0]), 0.5); // 0.5
 */
export function safeNorm(x: TensorLike, minNorm: number, options: SafeNormOptions = {}): Tensor {
  checkKeys("safeNorm", options, "ord axis keepdims?");
  const { keepdims = false, ord, axis } = options;
  const along = { ...(ord === undefined ? {} : { ord }), ...(axis === undefined ? {} : { axis }) };
  const wide = linalg.norm(x, { ...along, keepdims: true });
  const safe = where(lessEqual(wide, minNorm), onesLike(x), x);
  const norm = keepdims ? wide : squeeze(wide, axis);
  return where(lessEqual(norm, minNorm), minNorm, linalg.norm(safe, { ...along, keepdims }));
}

/**
 * √mean(x²), at least `minRms`, with a gradient of 0 instead of NaN where it is that. Source:
 * optax.safe_root_mean_squares.
 * @example optax.safeRootMeanSquares(array([3, -3]), 0.5); // 3
 */
export function safeRootMeanSquares(x: TensorLike, minRms: number): Tensor {
  const rms = sqrt(mean(square(x)));
  const safe = where(lessEqual(rms, minRms), onesLike(x), x);
  return where(lessEqual(rms, minRms), minRms, sqrt(mean(square(safe))));
}

/**
 * The inputs, whose gradients are multiplied by a number on their way back. Source: optax.scale_gradient.
 *
 * @throws ArgumentError when the number is NaN or infinite.
 * @example jax.grad((x) => jnp.sum(optax.scaleGradient(x, 3)))(array([1.5, 2])); // [3, 3]
 */
export function scaleGradient<T>(inputs: T, scale: number): T {
  if (!Number.isFinite(scale))
    throw new ArgumentError(`scaleGradient: scale must be a finite number, received ${scale}`);
  if (scale === 1) return inputs;
  if (scale === 0) return tree.map((x: TensorLike) => stopGradient(x), inputs);
  // x + scale·(x − x): the value of the first, the gradient of the second.
  return tree.map((x: TensorLike) => {
    const still = stopGradient(x);
    return add(still, mul(scale, sub(x, still)));
  }, inputs);
}
