import { add, div, maximum, minimum, ones, reduceWindow, reshape, ShapeError } from "@jnx/tensor";
import type { Padding, PadPair, Tensor, TensorLike, WindowComputation } from "@jnx/tensor";
import { asTensor, shapeText, sizeOf, checkKeys } from "@jnx/tensor/internal";

/** Options of the pooling functions. */
export interface PoolOptions {
  /** Steps of the window; 1 on every axis unless given, not the window's extent. */
  readonly strides?: readonly number[];
  /** "VALID" (the default), "SAME", or [low, high] for each axis of the window. */
  readonly padding?: Padding;
}

export interface AvgPoolOptions extends PoolOptions {
  /** Whether padding counts as elements, true. */
  readonly countIncludePad?: boolean;
}

/**
 * `reduceFn` over windows of the axes before the last: x is [batch…, window axes…, features], with any number of batch
 * axes. Source: flax.nnx.pool.
 *
 * @throws ShapeError when x has too few axes, or strides or padding do not name the window's.
 * @example nnx.pool(ones([1, 4, 4, 3]), 0, jnp.add, [2, 2], [2, 2], "VALID").shape; // [1, 2, 2, 3]
 */
export function pool(
  inputs: TensorLike,
  init: number,
  reduceFn: WindowComputation,
  windowShape: readonly number[],
  strides?: readonly number[],
  padding: Padding = "VALID",
): Tensor {
  const x = asTensor(inputs, "pool");
  const steps = strides ?? windowShape.map(() => 1);
  const batch = x.ndim - windowShape.length - 1;
  if (batch < 0 || steps.length !== windowShape.length)
    throw new ShapeError(
      `pool: a window of ${windowShape.length} axes with strides [${steps.join(", ")}] takes arrays [batch…, window…, features], received ${shapeText(x.shape)}`,
    );
  if (typeof padding !== "string" && padding.length !== windowShape.length)
    throw new ShapeError(
      `pool: padding takes a pair for each of the window's ${windowShape.length} axes, received ${JSON.stringify(padding)}`,
    );
  const around = (inner: readonly number[]): number[] => [...new Array<number>(batch).fill(1), ...inner, 1];
  const still: readonly PadPair[] = new Array<PadPair>(batch).fill([0, 0]);
  const pairs = typeof padding === "string" ? padding : [...still, ...padding, [0, 0] as const];
  return reduceWindow(x, init, reduceFn, around(windowShape), around(steps), pairs);
}

/**
 * The mean under each place of a window. Source: flax.nnx.avg_pool.
 *
 * @throws ShapeError when the shapes do not fit.
 * @example
 * await nnx.avgPool(array([[[1], [3], [5]]]), [2]).toArray(); // [[[2], [4]]]
 */
export function avgPool(inputs: TensorLike, windowShape: readonly number[], options: AvgPoolOptions = {}): Tensor {
  checkKeys("avgPool", options, "countIncludePad? strides padding");
  const x = asTensor(inputs, "avgPool");
  const { strides, padding, countIncludePad = true } = options;
  const total = pool(x, 0, add, windowShape, strides, padding);
  if (countIncludePad) return div(total, sizeOf(windowShape));
  // How many elements each place holds does not depend on the batch or the feature.
  const one = ones([1, ...x.shape.slice(x.ndim - windowShape.length - 1, -1), 1]);
  const counts = pool(one, 0, add, windowShape, strides, padding);
  return div(total, reshape(counts, counts.shape.slice(1)));
}

/**
 * The largest element under each place of a window; its gradient goes to the first of equals. Source: flax.nnx.max_pool.
 *
 * @throws ShapeError when the shapes do not fit.
 * @example
 * await nnx.maxPool(array([[[1], [3], [2], [0]]]), [2], { strides: [2] }).toArray(); // [[[3], [2]]]
 */
export function maxPool(inputs: TensorLike, windowShape: readonly number[], options: PoolOptions = {}): Tensor {
  checkKeys("maxPool", options, "strides padding");
  return pool(inputs, -Infinity, maximum, windowShape, options.strides, options.padding);
}

/**
 * The smallest element under each place of a window. Source: flax.nnx.min_pool.
 *
 * @throws ShapeError when the shapes do not fit.
 * @example
 * await nnx.minPool(array([[[1], [3], [2], [0]]]), [2], { strides: [2] }).toArray(); // [[[1], [0]]]
 */
export function minPool(inputs: TensorLike, windowShape: readonly number[], options: PoolOptions = {}): Tensor {
  checkKeys("minPool", options, "strides padding");
  return pool(inputs, Infinity, minimum, windowShape, options.strides, options.padding);
}
