import { ArgumentError, broadcastTo, reshape, ShapeError, type DType, type Tensor, type TensorLike } from "@jnx/tensor";
import { asTensor, normalizeAxes, shapeText, checkKeys } from "@jnx/tensor/internal";
import { ones, zeros } from "../initializers.ts";
import { Module } from "../module.ts";
import type { Param } from "../variable-types.ts";
import type { PromoteDtype } from "./params.ts";
import {
  makeScaleAndBias,
  normalized,
  promoted,
  statistics,
  type Axes,
  type AxisIndexGroups,
  type NormCallOptions,
  type NormOptions,
} from "./statistics.ts";

/** Options of `GroupNorm`. */
export interface GroupNormOptions extends NormOptions {
  /** How many groups, 32; null to give their size instead. */
  readonly numGroups?: number | null;
  /** Features in a group; with numGroups null. */
  readonly groupSize?: number | null;
  /** Axes that statistics are taken over, the last among them; all but the batch unless given. */
  readonly reductionAxes?: Axes;
}

/**
 * Groups of features of each example normalized together, over all positions. scale and bias: [numFeatures]; draws a
 * key for each. Source: flax.nnx.GroupNorm.
 *
 * @throws ArgumentError unless numGroups or groupSize, one of them, divides numFeatures.
 * @example
 * const norm = new nnx.GroupNorm(4, { numGroups: 2, rngs: new nnx.Rngs(0) });
 * await norm.call(array([[1, 3, 5, 5]])).toArray(); // [[-1, 1, 0, 0]]
 */
export class GroupNorm extends Module {
  readonly numFeatures: number;
  readonly numGroups: number;
  readonly groupSize: number;
  readonly featureAxis: number;
  readonly epsilon: number;
  readonly dtype: DType | undefined;
  readonly paramDtype: DType;
  readonly axisName: string | undefined;
  readonly axisIndexGroups: AxisIndexGroups | undefined;
  readonly promoteDtype: PromoteDtype | undefined;
  readonly useBias: boolean;
  readonly useScale: boolean;
  readonly reductionAxes: Axes | undefined;
  readonly useFastVariance: boolean;
  readonly scale: Param | null;
  readonly bias: Param | null;

  constructor(numFeatures: number, options: GroupNormOptions) {
    checkKeys(
      "GroupNorm",
      options,
      "rngs numGroups groupSize reductionAxes epsilon dtype paramDtype useBias? useScale? biasInit scaleInit",
      "useFastVariance? axisName axisIndexGroups promoteDtype biasMetadata scaleMetadata",
    );
    super();
    const { epsilon = 1e-6, dtype, paramDtype = "float32", useBias = true, useScale = true } = options;
    this.numFeatures = numFeatures;
    this.groupSize = sizeOfGroup(numFeatures, options);
    this.numGroups = numFeatures / this.groupSize;
    this.featureAxis = -1;
    this.epsilon = epsilon;
    this.dtype = dtype;
    this.paramDtype = paramDtype;
    this.axisName = options.axisName;
    this.axisIndexGroups = options.axisIndexGroups;
    this.promoteDtype = options.promoteDtype;
    this.useBias = useBias;
    this.useScale = useScale;
    this.reductionAxes = options.reductionAxes;
    this.useFastVariance = options.useFastVariance ?? true;
    const { scale, bias } = makeScaleAndBias(numFeatures, options, { ones, zeros });
    this.scale = scale;
    this.bias = bias;
  }

  /** x: [batch, …, numFeatures] → the same shape */
  call(x: TensorLike, options: NormCallOptions = {}): Tensor {
    checkKeys("GroupNorm.call", options, "mask");
    const [input, scale, bias] = promoted(asTensor(x, "GroupNorm"), this.scale, this.bias, this);
    const last = input.ndim - 1;
    if (input.shape[last] !== this.numFeatures)
      throw new ShapeError(
        `GroupNorm: expected a last axis of ${this.numFeatures}, received ${shapeText(input.shape)}`,
      );
    const axes = normalizeAxes("GroupNorm", this.reductionAxes ?? [...input.shape.keys()].slice(1), input.ndim);
    if (!axes.includes(last))
      throw new ArgumentError(`GroupNorm: reductionAxes [${axes.join(", ")}] do not hold the last axis, ${last}`);
    const grouped = (y: Tensor): Tensor => reshape(y, [...y.shape.slice(0, -1), this.numGroups, this.groupSize]);
    const stats = statistics("GroupNorm", grouped(input), [...axes.filter((axis) => axis !== last), last + 1], {
      useMean: true,
      useFastVariance: this.useFastVariance,
      axisName: this.axisName,
      axisIndexGroups: this.axisIndexGroups,
      ...(options.mask === undefined ? {} : { mask: grouped(asTensor(options.mask, "GroupNorm")) }),
    });
    // One number a group becomes one a feature.
    const spread = (y: Tensor): Tensor =>
      reshape(broadcastTo(y, [...y.shape.slice(0, -1), this.groupSize]), [...y.shape.slice(0, -2), this.numFeatures]);
    const each = { mean: spread(stats.mean), variance: spread(stats.variance) };
    return normalized(input, each, [scale, bias], this);
  }
}

function sizeOfGroup(features: number, { numGroups = 32, groupSize = null }: GroupNormOptions): number {
  if ((numGroups === null) === (groupSize === null))
    throw new ArgumentError(
      "GroupNorm: takes numGroups or groupSize, one of them; to give groupSize, pass numGroups: null",
    );
  const size = groupSize ?? features / (numGroups ?? 1);
  if (!Number.isInteger(size) || size < 1 || features % size !== 0)
    throw new ArgumentError(
      groupSize === null
        ? `GroupNorm: ${numGroups ?? 0} groups do not divide ${features} features`
        : `GroupNorm: ${features} features are no multiple of a group's ${groupSize}`,
    );
  return size;
}
