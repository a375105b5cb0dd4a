import { allGather, axisIndex, pmean } from "@jnx/autodiff";
import {
  add,
  ArgumentError,
  array,
  div,
  maximum,
  mean as average,
  mul,
  reshape,
  rsqrt,
  square,
  sub,
  sum,
  take,
  tensordot,
  where,
  zerosLike,
  type DType,
  type Tensor,
  type TensorLike,
} from "@jnx/tensor";
import { asTensor, broadcastShapes, convert, normalizeAxes, reducedShape } from "@jnx/tensor/internal";
import { broadcastTo } from "@jnx/tensor";
import type { Initializer } from "../initializers.ts";
import type { RngsOptions } from "../rngs.ts";
import { readValue, type Metadata } from "../variable.ts";
import type { Param } from "../variable-types.ts";
import { commonDtype, makeParam, promoteDtype, type PromoteDtype } from "./params.ts";

/** Numbers of examples, group by group. */
export type AxisIndexGroups = readonly (readonly number[])[];

/** Options that all normalization layers have. */
export interface NormOptions extends RngsOptions {
  /** Added to the variance. */
  readonly epsilon?: number;
  /** The dtype of the result; that of the operands unless given. */
  readonly dtype?: DType;
  /** The dtype of the parameters, float32. */
  readonly paramDtype?: DType;
  /** Whether a bias is added, true. */
  readonly useBias?: boolean;
  /** Whether the result is scaled, true. */
  readonly useScale?: boolean;
  /** zeros unless given. */
  readonly biasInit?: Initializer;
  /** ones unless given. */
  readonly scaleInit?: Initializer;
  /** The variance as E[x²] − E[x]², true; false for E[(x − E[x])²], which is slower and more exact. */
  readonly useFastVariance?: boolean;
  /** The name of a vmap's axis whose examples share their statistics. */
  readonly axisName?: string | undefined;
  /** Groups of examples of that axis that share them, each example in one of equally large groups: `[[0, 1], [2, 3]]`. */
  readonly axisIndexGroups?: AxisIndexGroups | undefined;
  /** What brings x and the parameters to one dtype instead of the layer's own rule. */
  readonly promoteDtype?: PromoteDtype | undefined;
  readonly biasMetadata?: Metadata;
  readonly scaleMetadata?: Metadata;
}

/** Options of a call. */
export interface NormCallOptions {
  /** Which elements count in the statistics: of a shape that broadcasts to x's. */
  readonly mask?: TensorLike;
}

/** Axes of a layer: one, or several. */
export type Axes = number | readonly number[];

/** The two parameters, drawn in Flax's order: scale, then bias. */
export function makeScaleAndBias(
  features: number,
  options: NormOptions,
  defaults: { readonly ones: Initializer; readonly zeros: Initializer },
): { readonly scale: Param | null; readonly bias: Param | null } {
  const { rngs, useScale = true, useBias = true, paramDtype = "float32" } = options;
  const { scaleInit = defaults.ones, biasInit = defaults.zeros } = options;
  return {
    scale: useScale ? makeParam(scaleInit, rngs.params(), [features], paramDtype, options.scaleMetadata) : null,
    bias: useBias ? makeParam(biasInit, rngs.params(), [features], paramDtype, options.biasMetadata) : null,
  };
}

export interface Statistics {
  readonly mean: Tensor;
  readonly variance: Tensor;
}

/** How statistics are taken. */
export interface StatisticsOptions extends NormCallOptions {
  readonly useMean: boolean;
  readonly useFastVariance: boolean;
  readonly axisName?: string | undefined;
  readonly axisIndexGroups?: AxisIndexGroups | undefined;
}

/** Mean and biased variance along axes, which stay with extent 1; at least float32. */
export function statistics(name: string, given: Tensor, axes: Axes, options: StatisticsOptions): Statistics {
  const x = convert(given, "float32");
  const mean = (y: Tensor): Tensor => ofAllExamples(name, maskedMean(name, y, axes, options.mask), options);
  if (!options.useMean) {
    const variance = mean(square(x));
    return { mean: zerosLike(variance), variance };
  }
  const centre = mean(x);
  const variance = options.useFastVariance
    ? maximum(0, sub(mean(square(x)), square(centre)))
    : mean(square(sub(x, centre)));
  return { mean: centre, variance };
}

/** The mean over the examples of a named axis, or over those of this one's group. */
function ofAllExamples(name: string, x: Tensor, { axisName, axisIndexGroups }: StatisticsOptions): Tensor {
  if (axisName === undefined) return x;
  if (axisIndexGroups === undefined) return pmean(x, axisName);
  const everyone = allGather(x, axisName);
  const weights = array(groupWeights(name, axisIndexGroups, everyone.shape[0] ?? 0));
  return tensordot(take(weights, axisIndex(axisName), { axis: 0 }), everyone, 1);
}

/** For each example the weight of every other: 1 / size within its group. */
function groupWeights(name: string, groups: AxisIndexGroups, count: number): number[][] {
  const size = groups[0]?.length ?? 0;
  const sorted = groups.flat().sort((a, b) => a - b);
  if (sorted.length !== count || sorted.some((index, k) => index !== k) || groups.some(({ length }) => length !== size))
    throw new ArgumentError(
      `${name}: axisIndexGroups must hold each of the ${count} examples once, in groups of one size, received ${JSON.stringify(groups)}`,
    );
  return Array.from({ length: count }, (_, one) => {
    const group = groups.find((members) => members.includes(one)) ?? [];
    return Array.from({ length: count }, (__, other) => (group.includes(other) ? 1 / size : 0));
  });
}

function maskedMean(name: string, x: Tensor, axis: Axes, mask: TensorLike | undefined): Tensor {
  if (mask === undefined) return average(x, { axis, keepdims: true });
  const kept = asTensor(mask, name);
  const chosen = broadcastTo(kept, broadcastShapes(name, kept.shape, x.shape));
  const total = sum(where(chosen, x, 0), { axis, keepdims: true });
  return div(total, sum(convert(chosen, x.dtype), { axis, keepdims: true }));
}

/**
 * (x − mean) · (scale / √(variance + epsilon)) + bias in the layer's dtype, or that of x and the parameters; statistics
 * and parameters already of its rank. What lies between is float32.
 */
export function normalized(
  x: Tensor,
  { mean, variance }: Statistics,
  [scale, bias]: readonly [Tensor | undefined, Tensor | undefined],
  { epsilon, dtype }: { readonly epsilon: number; readonly dtype: DType | undefined },
): Tensor {
  const factor = rsqrt(add(variance, epsilon));
  const y = mul(sub(x, mean), scale === undefined ? factor : mul(factor, scale));
  return convert(bias === undefined ? y : add(y, bias), commonDtype([x, scale, bias], dtype));
}

/** A vector over the feature axes as an array of x's rank, with extent 1 elsewhere. */
export function alongFeatures(name: string, vector: Tensor, x: Tensor, featureAxes: Axes): Tensor {
  const features = normalizeAxes(name, featureAxes, x.ndim);
  const others = x.shape.flatMap((_, axis) => (features.includes(axis) ? [] : [axis]));
  return reshape(vector, reducedShape(x.shape, others, true));
}

/** x and the parameters in the dtype of the computation. */
export function promoted(
  x: Tensor,
  scale: Param | null,
  bias: Param | null,
  { dtype, promoteDtype: own }: { readonly dtype: DType | undefined; readonly promoteDtype: PromoteDtype | undefined },
): readonly [Tensor, Tensor | undefined, Tensor | undefined] {
  const values = [scale, bias].map((param) => (param === null ? undefined : readValue(param)));
  return (own ?? promoteDtype)([x, values[0], values[1]] as const, dtype);
}
