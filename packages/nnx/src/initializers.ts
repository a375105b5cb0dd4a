import {
  ArgumentError,
  astype,
  einsum,
  full,
  linalg,
  moveaxis,
  mul,
  pad,
  reshape,
  ShapeError,
  sign,
  transpose,
  type DType,
  type Shape,
  type Tensor,
} from "@jnx/tensor";
import * as random from "@jnx/tensor/random";
import { isFloat, normalizeAxis, roundTo, shapeText, sizeOf, checkKeys } from "@jnx/tensor/internal";

/** Makes a parameter's first value of a key, a shape and a dtype (float32 unless told). */
export type Initializer = (key: Tensor, shape: Shape, dtype?: DType) => Tensor;

/** The standard deviation of a normal distribution cut off at ±2. */
const TRUNCATED_STDDEV = 0.87962566103423978;

/**
 * All zeros. Source: jax.nn.initializers.zeros.
 * @example nnx.initializers.zeros(random.key(0), [2]); // [0, 0]
 */
export const zeros: Initializer = (_key, shape, dtype = "float32") => full(shape, 0, { dtype });

/**
 * All ones. Source: jax.nn.initializers.ones.
 * @example nnx.initializers.ones(random.key(0), [2]); // [1, 1]
 */
export const ones: Initializer = (_key, shape, dtype = "float32") => full(shape, 1, { dtype });

/**
 * The initializer `zeros`. Source: flax.nnx.initializers.zeros_init.
 * @example nnx.initializers.zerosInit()(random.key(0), [2]); // [0, 0]
 */
export const zerosInit = (): Initializer => zeros;

/**
 * The initializer `ones`. Source: flax.nnx.initializers.ones_init.
 * @example nnx.initializers.onesInit()(random.key(0), [2]); // [1, 1]
 */
export const onesInit = (): Initializer => ones;

/**
 * One value everywhere. Source: jax.nn.initializers.constant.
 * @example nnx.initializers.constant(0.5)(random.key(0), [2]); // [0.5, 0.5]
 */
export function constant(value: number): Initializer {
  return (_key, shape, dtype = "float32") => full(shape, value, { dtype });
}

/** A draw in the dtype; float32 draws converted where there are none in it. */
function ofDType(dtype: DType, draw: (options: { dtype: "float32" | "float16" | "bfloat16" }) => Tensor): Tensor {
  const own = dtype === "float16" || dtype === "bfloat16" ? dtype : "float32";
  return astype(draw({ dtype: own }), dtype);
}

/**
 * Normal with mean 0. Source: jax.nn.initializers.normal.
 * @example nnx.initializers.normal(0.1)(random.key(0), [2]); // [0.16226, 0.20253]
 */
export function normal(stddev = 0.01): Initializer {
  return (key, shape, dtype = "float32") => ofDType(dtype, (as) => mul(random.normal(key, shape, as), stddev));
}

/**
 * Uniform in [0, scale). Source: jax.nn.initializers.uniform.
 * @example nnx.initializers.uniform(0.1)(random.key(0), [2]); // [0.094767, 0.097858]
 */
export function uniform(scale = 0.01): Initializer {
  return (key, shape, dtype = "float32") => ofDType(dtype, (as) => mul(random.uniform(key, shape, as), scale));
}

/**
 * stddev times a normal cut off at lower and upper; its standard deviation is therefore smaller than stddev.
 * Source: jax.nn.initializers.truncated_normal.
 *
 * @example
 * nnx.initializers.truncatedNormal(0.1)(random.key(0), [2]); // [0.1456, 0.17147]
 */
export function truncatedNormal(stddev = 0.01, lower = -2, upper = 2): Initializer {
  return (key, shape, dtype = "float32") =>
    ofDType(dtype, (as) => mul(random.truncatedNormal(key, lower, upper, shape, as), stddev));
}

/** What the variance is divided by: what goes in, what comes out, or a mean of both. */
export type FanMode = "fanIn" | "fanOut" | "fanAvg" | "fanGeoAvg";

/** Options of the variance-scaling family. */
export interface FanOptions {
  /** The axis or axes of what goes in, −2. */
  readonly inAxis?: number | readonly number[];
  /** The axis or axes of what comes out, −1. */
  readonly outAxis?: number | readonly number[];
  /** Axes that count for neither. */
  readonly batchAxis?: number | readonly number[];
}

/**
 * A distribution of mean 0 and variance scale / n, where n counts what goes into or comes out of one unit. "normal"
 * and "uniform" are what they say; "truncatedNormal" is cut off at two standard deviations and corrected for that.
 * Source: jax.nn.initializers.variance_scaling.
 *
 * @throws ShapeError for shapes of fewer than two axes.
 * @example
 * nnx.initializers.varianceScaling(2, "fanOut", "normal")(random.key(0), [2, 2]); // [[1.6226, 2.0253], [-0.43359, -0.078617]]
 */
export function varianceScaling(
  scale: number,
  mode: FanMode,
  distribution: "truncatedNormal" | "normal" | "uniform",
  options: FanOptions = {},
): Initializer {
  checkKeys("varianceScaling", options, "inAxis outAxis batchAxis");
  if (!Number.isFinite(scale) || scale < 0)
    throw new ArgumentError(`varianceScaling: scale must be a positive number, received ${scale}`);
  return (key, shape, dtype = "float32") => {
    // In the dtype at every step, as JAX computes it.
    const rounded = (x: number): number => roundTo(isFloat(dtype) ? dtype : "float32", x);
    const variance = rounded(scale / Math.max(Number.MIN_VALUE, fan(shape, mode, options)));
    return ofDType(dtype, (as) => {
      if (distribution === "normal") return mul(random.normal(key, shape, as), rounded(Math.sqrt(variance)));
      if (distribution === "uniform")
        return mul(random.uniform(key, shape, { ...as, minval: -1 }), rounded(Math.sqrt(rounded(3 * variance))));
      const stddev = rounded(rounded(Math.sqrt(variance)) / rounded(TRUNCATED_STDDEV));
      return mul(random.truncatedNormal(key, -2, 2, shape, as), stddev);
    });
  };
}

function fan(shape: Shape, mode: FanMode, options: FanOptions): number {
  if (shape.length < 2)
    throw new ShapeError(
      `varianceScaling: needs a shape of at least two axes, received ${shapeText(shape)}; use normal or zeros for vectors`,
    );
  const extent = (axes: number | readonly number[] | undefined): number => {
    const list = axes === undefined ? [] : typeof axes === "number" ? [axes] : axes;
    return sizeOf(list.map((axis) => shape[normalizeAxis("varianceScaling", axis, shape.length)] ?? 1));
  };
  const [into, out, batch] = [extent(options.inAxis ?? -2), extent(options.outAxis ?? -1), extent(options.batchAxis)];
  const receptive = sizeOf(shape) / into / out / batch;
  const [fanIn, fanOut] = [into * receptive, out * receptive];
  switch (mode) {
    case "fanIn":
      return fanIn;
    case "fanOut":
      return fanOut;
    case "fanAvg":
      return (fanIn + fanOut) / 2;
    case "fanGeoAvg":
      return Math.sqrt(fanIn * fanOut);
    default:
      return mode satisfies never;
  }
}

/**
 * Variance 1 / fanIn, truncated normal: what layers use for kernels. Source: jax.nn.initializers.lecun_normal.
 * @example nnx.initializers.lecunNormal()(random.key(0), [1, 2]); // [[1.6552, 1.9494]]
 */
export function lecunNormal(options: FanOptions = {}): Initializer {
  checkKeys("lecunNormal", options, "inAxis outAxis batchAxis");
  return varianceScaling(1, "fanIn", "truncatedNormal", options);
}

/**
 * Variance 1 / fanIn, uniform. Source: jax.nn.initializers.lecun_uniform.
 * @example nnx.initializers.lecunUniform()(random.key(0), [1, 2]); // [[1.5508, 1.6578]]
 */
export function lecunUniform(options: FanOptions = {}): Initializer {
  checkKeys("lecunUniform", options, "inAxis outAxis batchAxis");
  return varianceScaling(1, "fanIn", "uniform", options);
}

/**
 * Variance 2 / (fanIn + fanOut), truncated normal. Source: jax.nn.initializers.glorot_normal.
 * @example nnx.initializers.glorotNormal()(random.key(0), [1, 2]); // [[1.3515, 1.5917]]
 */
export function glorotNormal(options: FanOptions = {}): Initializer {
  checkKeys("glorotNormal", options, "inAxis outAxis batchAxis");
  return varianceScaling(1, "fanAvg", "truncatedNormal", options);
}

/**
 * Variance 2 / (fanIn + fanOut), uniform. Source: jax.nn.initializers.glorot_uniform.
 * @example nnx.initializers.glorotUniform()(random.key(0), [1, 2]); // [[1.2662, 1.3536]]
 */
export function glorotUniform(options: FanOptions = {}): Initializer {
  checkKeys("glorotUniform", options, "inAxis outAxis batchAxis");
  return varianceScaling(1, "fanAvg", "uniform", options);
}

/**
 * Variance 2 / fanIn, truncated normal: for relu. Source: jax.nn.initializers.he_normal.
 * @example nnx.initializers.heNormal()(random.key(0), [1, 2]); // [[2.3408, 2.7569]]
 */
export function heNormal(options: FanOptions = {}): Initializer {
  checkKeys("heNormal", options, "inAxis outAxis batchAxis");
  return varianceScaling(2, "fanIn", "truncatedNormal", options);
}

/**
 * Variance 2 / fanIn, uniform. Source: jax.nn.initializers.he_uniform.
 * @example nnx.initializers.heUniform()(random.key(0), [1, 2]); // [[2.1931, 2.3446]]
 */
export function heUniform(options: FanOptions = {}): Initializer {
  checkKeys("heUniform", options, "inAxis outAxis batchAxis");
  return varianceScaling(2, "fanIn", "uniform", options);
}

export {
  glorotNormal as xavierNormal,
  glorotUniform as xavierUniform,
  heNormal as kaimingNormal,
  heUniform as kaimingUniform,
};

/** Options of `orthogonal` and `deltaOrthogonal`. */
export interface OrthogonalOptions {
  /** The axis of what comes out, −1; the others together are what goes in. */
  readonly columnAxis?: number;
}

/**
 * A matrix with orthonormal columns (or rows, if those are fewer), times scale: Q · sign(diag R) of a normal matrix.
 * Source: jax.nn.initializers.orthogonal; Saxe et al. 2013.
 *
 * @throws ShapeError for shapes of fewer than two axes.
 * @example
 * const q = nnx.initializers.orthogonal()(random.key(0), [3, 3]);
 * await jnp.sum(jnp.square(q)).item(); // 3
 */
export function orthogonal(scale = 1, options: OrthogonalOptions = {}): Initializer {
  checkKeys("orthogonal", options, "columnAxis");
  return (key, shape, dtype = "float32") => {
    if (shape.length < 2)
      throw new ShapeError(`orthogonal: needs a shape of at least two axes, received ${shapeText(shape)}`);
    const axis = normalizeAxis("orthogonal", options.columnAxis ?? -1, shape.length);
    const columns = shape[axis] ?? 1;
    const rest = shape.filter((_, k) => k !== axis);
    const rows = sizeOf(rest);
    const [q, r] = linalg.qr(random.normal(key, [Math.max(rows, columns), Math.min(rows, columns)]));
    const signed = mul(q, sign(einsum("ii->i", r)));
    const matrix = rows < columns ? transpose(signed) : signed;
    return astype(mul(scale, moveaxis(reshape(matrix, [...rest, columns]), -1, axis)), dtype);
  };
}

/**
 * Convolution kernels that are orthogonal in their middle and zero elsewhere: they keep the norm of what they are
 * applied to. Source: jax.nn.initializers.delta_orthogonal; Xiao et al. 2018.
 *
 * @throws ShapeError unless there are 3 to 5 axes, of which the last is at least the one before.
 * @example nnx.initializers.deltaOrthogonal()(random.key(0), [3, 3, 2, 4]).shape; // [3, 3, 2, 4]
 */
export function deltaOrthogonal(scale = 1, options: OrthogonalOptions = {}): Initializer {
  checkKeys("deltaOrthogonal", options, "columnAxis");
  return (key, shape, dtype = "float32") => {
    const [inputs = 0, outputs = 0] = shape.slice(-2);
    if (shape.length < 3 || shape.length > 5 || outputs < inputs)
      throw new ShapeError(
        `deltaOrthogonal: needs 3 to 5 axes and at least as many outputs as inputs, received ${shapeText(shape)}`,
      );
    const centre = orthogonal(scale, options)(key, [inputs, outputs], dtype);
    const around = shape.slice(0, -2).map((extent): [number, number, number] => {
      const before = Math.floor((extent - 1) / 2);
      return [before, extent - 1 - before, 0];
    });
    const middle = reshape(centre, [...around.map(() => 1), inputs, outputs]);
    return pad(middle, 0, [...around, [0, 0, 0], [0, 0, 0]]);
  };
}
