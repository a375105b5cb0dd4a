import { add, ArgumentError, mul, ones as full, reshape, stopGradient, zeros as none } from "@jnx/tensor";
import type { DType, Tensor, TensorLike } from "@jnx/tensor";
import { asTensor, inArena, normalizeAxis, checkKeys } from "@jnx/tensor/internal";
import { ones, zeros } from "../initializers.ts";
import { Module } from "../module.ts";
import { readValue } from "../variable.ts";
import { BatchStat, type Param } from "../variable-types.ts";
import { promoteDtype, type PromoteDtype } from "./params.ts";
import {
  alongFeatures,
  makeScaleAndBias,
  normalized,
  statistics,
  type AxisIndexGroups,
  type NormCallOptions,
  type NormOptions,
  type Statistics,
} from "./statistics.ts";

/** Options of `BatchNorm`. */
export interface BatchNormOptions extends NormOptions {
  /** Normalize with what has been seen instead of the batch at hand: false, so that a new model trains. null leaves it to each call. */
  readonly useRunningAverage?: boolean | null;
  /** The feature axis, the last. */
  readonly axis?: number;
  /** How much of the running average stays at each update, 0.99. */
  readonly momentum?: number;
}

/** Options of `BatchNorm.call`; useRunningAverage goes before the layer's own. */
export interface BatchNormCallOptions extends NormCallOptions {
  readonly useRunningAverage?: boolean;
}

/**
 * (x − mean) / √(var + epsilon) · scale + bias with each feature's statistics over the batch and all positions, which are
 * also averaged in `mean` and `var` (BatchStat, float32): running ← momentum · running + (1 − momentum) · batch.
 * `model.eval()` uses those instead and changes nothing. Draws a key for scale, then bias. Source: flax.nnx.BatchNorm.
 *
 * @throws ArgumentError when nobody says whether to use the running average.
 * @example
 * const norm = new nnx.BatchNorm(1, { rngs: new nnx.Rngs(0), epsilon: 0 });
 * await norm.call(array([[1], [3]])).toArray(); // [[-1], [1]]
 * await norm.mean.value.toArray(); // [0.02]
 */
export class BatchNorm extends Module {
  static override readonly viewOptions = {
    useRunningAverage: "boolean | null; true normalizes with what has been seen",
  };

  readonly numFeatures: number;
  useRunningAverage: boolean | null;
  readonly axis: number;
  readonly momentum: number;
  readonly epsilon: number;
  readonly dtype: DType | undefined;
  readonly paramDtype: DType;
  readonly axisName: string | undefined;
  readonly axisIndexGroups: AxisIndexGroups | undefined;
  readonly promoteDtype: PromoteDtype | undefined;
  readonly useBias: boolean;
  readonly useScale: boolean;
  readonly useFastVariance: boolean;
  readonly mean: BatchStat;
  readonly var: BatchStat;
  readonly scale: Param | null;
  readonly bias: Param | null;

  constructor(numFeatures: number, options: BatchNormOptions) {
    checkKeys(
      "BatchNorm",
      options,
      "rngs useRunningAverage axis momentum epsilon dtype paramDtype useBias? useScale? biasInit scaleInit",
      "useFastVariance? axisName axisIndexGroups promoteDtype biasMetadata scaleMetadata",
    );
    super();
    const { useRunningAverage = false, axis = -1, momentum = 0.99, epsilon = 1e-5, dtype } = options;
    const { paramDtype = "float32", useBias = true, useScale = true, useFastVariance = true } = options;
    this.numFeatures = numFeatures;
    this.useRunningAverage = useRunningAverage;
    this.axis = axis;
    this.momentum = momentum;
    this.epsilon = epsilon;
    this.dtype = dtype;
    this.paramDtype = paramDtype;
    this.axisName = options.axisName;
    this.axisIndexGroups = options.axisIndexGroups;
    this.promoteDtype = options.promoteDtype;
    this.useBias = useBias;
    this.useScale = useScale;
    this.useFastVariance = useFastVariance;
    this.mean = makeStatistic(() => none([numFeatures]));
    this.var = makeStatistic(() => full([numFeatures]));
    const { scale, bias } = makeScaleAndBias(numFeatures, options, { ones, zeros });
    this.scale = scale;
    this.bias = bias;
  }

  /** x: [batch, …, numFeatures] → the same shape */
  call(x: TensorLike, options: BatchNormCallOptions = {}): Tensor {
    checkKeys("BatchNorm.call", options, "useRunningAverage? mask");
    const running = options.useRunningAverage ?? this.useRunningAverage;
    if (running === null)
      throw new ArgumentError(
        "BatchNorm: useRunningAverage is not set; pass it to the constructor or to call, or use model.train(), model.eval() or nnx.view",
      );
    const given = asTensor(x, "BatchNorm");
    const params = [this.scale, this.bias].map((param) => (param === null ? undefined : readValue(param)));
    const all = [given, readValue(this.mean), readValue(this.var), params[0], params[1]] as const;
    const [input, mean, variance, scale, bias] = (this.promoteDtype ?? promoteDtype)(all, this.dtype);
    const place = (vector: Tensor): Tensor => alongFeatures("BatchNorm", vector, input, this.axis);
    const stats = running ? { mean: place(mean), variance: place(variance) } : ofBatch(this, input, options);
    return normalized(input, stats, [scale && place(scale), bias && place(bias)], this);
  }
}

/** The batch's statistics, which also enter the running ones. */
function ofBatch(layer: BatchNorm, x: Tensor, { mask }: BatchNormCallOptions): Statistics {
  const feature = normalizeAxis("BatchNorm", layer.axis, x.ndim);
  const axes = x.shape.flatMap((_, axis) => (axis === feature ? [] : [axis]));
  const { axisName, axisIndexGroups, useFastVariance } = layer;
  const how = { useMean: true, useFastVariance, axisName, axisIndexGroups, ...(mask === undefined ? {} : { mask }) };
  const stats = statistics("BatchNorm", x, axes, how);
  const next = (old: BatchStat, batch: Tensor): Tensor =>
    stopGradient(
      add(mul(readValue(old), layer.momentum), mul(reshape(batch, [layer.numFeatures]), 1 - layer.momentum)),
    );
  layer.mean.value = next(layer.mean, stats.mean);
  layer.var.value = next(layer.var, stats.variance);
  return stats;
}

function makeStatistic(value: () => Tensor): BatchStat {
  // The Variable holds what must survive the arena.
  return inArena(
    "a layer's constructor",
    () => new BatchStat(value()),
    () => [],
  );
}
