import { ArgumentError, type DType, type Tensor, type TensorLike } from "@jnx/tensor";
import { asTensor, normalizeAxes, checkKeys } from "@jnx/tensor/internal";
import { ones, zeros } from "../initializers.ts";
import { Module } from "../module.ts";
import type { Param } from "../variable-types.ts";
import type { PromoteDtype } from "./params.ts";
import {
  alongFeatures,
  makeScaleAndBias,
  normalized,
  promoted,
  statistics,
  type Axes,
  type AxisIndexGroups,
  type NormCallOptions,
  type NormOptions,
} from "./statistics.ts";

/** Options of `LayerNorm` and `RMSNorm`. */
export interface LayerNormOptions extends NormOptions {
  /** Axes that statistics are taken over, the last. */
  readonly reductionAxes?: Axes;
  /** Axes that scale and bias go along, the last. */
  readonly featureAxes?: Axes;
}

/** What LayerNorm, RMSNorm and InstanceNorm are: one formula over other axes. */
abstract class AxisNorm extends Module {
  readonly numFeatures: number;
  readonly epsilon: number;
  readonly dtype: DType | undefined;
  readonly paramDtype: DType;
  readonly axisName: string | undefined;
  readonly axisIndexGroups: AxisIndexGroups | undefined;
  readonly promoteDtype: PromoteDtype | undefined;
  readonly useScale: boolean;
  readonly featureAxes: Axes;
  readonly useFastVariance: boolean;
  readonly scale: Param | null;
  readonly bias: Param | null;

  protected constructor(numFeatures: number, options: LayerNormOptions) {
    super();
    const { epsilon = 1e-6, dtype, paramDtype = "float32", useScale = true } = options;
    this.numFeatures = numFeatures;
    this.epsilon = epsilon;
    this.dtype = dtype;
    this.paramDtype = paramDtype;
    this.axisName = options.axisName;
    this.axisIndexGroups = options.axisIndexGroups;
    this.promoteDtype = options.promoteDtype;
    this.useScale = useScale;
    this.featureAxes = options.featureAxes ?? -1;
    this.useFastVariance = options.useFastVariance ?? true;
    const { scale, bias } = makeScaleAndBias(numFeatures, options, { ones, zeros });
    this.scale = scale;
    this.bias = bias;
  }

  protected apply(
    name: string,
    x: TensorLike,
    axes: Axes,
    how: NormCallOptions & { readonly useMean: boolean },
  ): Tensor {
    const [input, scale, bias] = promoted(asTensor(x, name), this.scale, this.bias, this);
    const { useFastVariance, axisName, axisIndexGroups } = this;
    const stats = statistics(name, input, axes, { ...how, useFastVariance, axisName, axisIndexGroups });
    const place = (vector: Tensor | undefined): Tensor | undefined =>
      vector && alongFeatures(name, vector, input, this.featureAxes);
    return normalized(input, stats, [place(scale), place(bias)], this);
  }
}

/**
 * (x − mean) / √(variance + epsilon) · scale + bias over the last axis, for each example by itself. scale and bias:
 * [numFeatures]; draws a key for each. Source: flax.nnx.LayerNorm.
 *
 * @throws ShapeError when numFeatures is not the extent of the feature axes.
 * @example
 * const norm = new nnx.LayerNorm(2, { rngs: new nnx.Rngs(0) });
 * await norm.call(array([[1, 3]])).toArray(); // [[-1, 1]]
 */
export class LayerNorm extends AxisNorm {
  readonly useBias: boolean;
  readonly reductionAxes: Axes;

  constructor(numFeatures: number, options: LayerNormOptions) {
    checkKeys(
      "LayerNorm",
      options,
      "rngs reductionAxes featureAxes epsilon dtype paramDtype useBias? useScale? biasInit scaleInit",
      "useFastVariance? axisName axisIndexGroups promoteDtype biasMetadata scaleMetadata",
    );
    super(numFeatures, options);
    this.useBias = options.useBias ?? true;
    this.reductionAxes = options.reductionAxes ?? -1;
  }

  /** x of any shape → the same shape */
  call(x: TensorLike, options: NormCallOptions = {}): Tensor {
    checkKeys("LayerNorm.call", options, "mask");
    return this.apply("LayerNorm", x, this.reductionAxes, { ...options, useMean: true });
  }
}

/** Options of `RMSNorm`: there is no bias. */
export type RMSNormOptions = Omit<LayerNormOptions, "useBias" | "biasInit" | "biasMetadata">;

/**
 * x / √(mean(x²) + epsilon) · scale over the last axis. scale: [numFeatures]; draws a key. Source: flax.nnx.RMSNorm.
 *
 * @throws ShapeError when numFeatures is not the extent of the feature axes.
 * @example
 * const norm = new nnx.RMSNorm(2, { rngs: new nnx.Rngs(0) });
 * await norm.call(array([[1, 7]])).toArray(); // [[0.2, 1.4]]
 */
export class RMSNorm extends AxisNorm {
  readonly reductionAxes: Axes;

  constructor(numFeatures: number, options: RMSNormOptions) {
    checkKeys(
      "RMSNorm",
      options,
      "rngs reductionAxes featureAxes epsilon dtype paramDtype useScale? scaleInit useFastVariance? axisName",
      "axisIndexGroups promoteDtype scaleMetadata",
    );
    super(numFeatures, { ...options, useBias: false });
    this.reductionAxes = options.reductionAxes ?? -1;
  }

  /** x of any shape → the same shape */
  call(x: TensorLike, options: NormCallOptions = {}): Tensor {
    checkKeys("RMSNorm.call", options, "mask");
    return this.apply("RMSNorm", x, this.reductionAxes, { ...options, useMean: false });
  }
}

/** Options of `InstanceNorm`. */
export type InstanceNormOptions = Omit<LayerNormOptions, "reductionAxes">;

/**
 * Each feature of each example normalized over all its positions. Source: flax.nnx.InstanceNorm.
 *
 * @throws ArgumentError when the batch, axis 0, is a feature axis.
 * @example
 * const norm = new nnx.InstanceNorm(1, { rngs: new nnx.Rngs(0) });
 * await norm.call(array([[[1], [3]]])).toArray(); // [[[-1], [1]]]
 */
export class InstanceNorm extends AxisNorm {
  readonly useBias: boolean;

  constructor(numFeatures: number, options: InstanceNormOptions) {
    checkKeys(
      "InstanceNorm",
      options,
      "rngs featureAxes epsilon dtype paramDtype useBias? useScale? biasInit scaleInit useFastVariance?",
      "axisName axisIndexGroups promoteDtype biasMetadata scaleMetadata",
    );
    super(numFeatures, options);
    this.useBias = options.useBias ?? true;
  }

  /** x: [batch, …, features] → the same shape */
  call(x: TensorLike, options: NormCallOptions = {}): Tensor {
    checkKeys("InstanceNorm.call", options, "mask");
    const input = asTensor(x, "LayerNorm");
    const features = normalizeAxes("InstanceNorm", this.featureAxes, input.ndim);
    if (features.includes(0))
      throw new ArgumentError("InstanceNorm: axis 0 is the batch and cannot be a feature axis; choose another");
    const axes = input.shape.flatMap((_, axis) => (axis === 0 || features.includes(axis) ? [] : [axis]));
    return this.apply("InstanceNorm", input, axes, { ...options, useMean: true });
  }
}
