import {
  astype,
  ArgumentError,
  div,
  laxSlice,
  matmul,
  mul,
  notEqual,
  reshape,
  rsqrt,
  add,
  square,
  stopGradient,
  sum,
  transpose,
  where,
  type DType,
  type Tensor,
  type TensorLike,
} from "@jnx/tensor";
import { normalizeAxis, checkKeys } from "@jnx/tensor/internal";
import { PathContains, toPredicate, type Filter } from "../filter.ts";
import { state } from "../graph.ts";
import { normal, ones, type Initializer } from "../initializers.ts";
import type { PromoteDtype } from "./params.ts";
import { Module } from "../module.ts";
import { pathText, type Path } from "../node.ts";
import type { RngsOptions } from "../rngs.ts";
import { toFlatState, type State } from "../state.ts";
import { isVariable, readValue, type Variable } from "../variable.ts";
import { BatchStat, Param } from "../variable-types.ts";

/** A layer whose weights another rewrites before calling it. */
export interface WrappedLayer {
  call(...args: never[]): Tensor;
}

function paramsOf(layer: object): [Path, Variable][] {
  const found: State = state(layer, Param);
  return toFlatState(found).flatMap(
    ([path, leaf]): [Path, Variable][] => (isVariable(leaf) ? [[path, leaf as Variable]] : []), // Params hold Tensors
  );
}

/** x / √(Σ x² + epsilon), the sum over some axes or all. */
function l2Normalize(x: Tensor, epsilon: number, axis?: readonly number[]): Tensor {
  const total = sum(square(x), { keepdims: true, ...(axis === undefined ? {} : { axis }) });
  return mul(x, rsqrt(add(total, epsilon)));
}

function callWrapped(layer: WrappedLayer, args: readonly unknown[]): Tensor {
  return Reflect.apply(layer.call, layer, args) as Tensor; // as WrappedLayer says
}

/** Options of `WeightNorm`. */
export interface WeightNormOptions extends RngsOptions {
  /** Axes that keep norms of their own, −1; null for one norm of the whole weight. */
  readonly featureAxes?: number | readonly number[] | null;
  /** Whether the normalized weight is multiplied by a scale, true. */
  readonly useScale?: boolean;
  /** ones unless given. */
  readonly scaleInit?: Initializer;
  /** Added under the root, 1e-12. */
  readonly epsilon?: number;
  /** The dtype of the normalized weight; the common one of weight and scale unless given. */
  readonly dtype?: DType;
  /** Taken for Flax's sake, which has no use for these two. */
  readonly paramDtype?: DType;
  readonly promoteDtype?: PromoteDtype | undefined;
  /** Which of the layer's Variables, those with "kernel" on their path. */
  readonly variableFilter?: Filter;
}

/**
 * Calls a layer with its weights divided by their norm: w · rsqrt(Σ w² + epsilon) · scale. The normalized weight is written
 * into the layer. Scales are arrays and not Params, as in Flax, so they are not trained. Draws a key of the stream
 * `params` for each scale. Source: flax.nnx.WeightNorm; Salimans & Kingma 2016.
 *
 * @example
 * const layer = new nnx.WeightNorm(new nnx.Linear(3, 4, { rngs: new nnx.Rngs(0) }), { rngs: new nnx.Rngs(1) });
 * layer.call(ones([2, 3])).shape; // [2, 4]
 */
export class WeightNorm<L extends WrappedLayer> extends Module {
  readonly layerInstance: L;
  readonly featureAxes: readonly number[] | null;
  readonly useScale: boolean;
  readonly epsilon: number;
  readonly dtype: DType | undefined;
  readonly variableFilter: Filter;
  readonly scales: Record<string, Tensor> | null;

  constructor(layerInstance: L, options: WeightNormOptions) {
    checkKeys(
      "WeightNorm",
      options,
      "rngs featureAxes useScale? scaleInit epsilon dtype paramDtype promoteDtype variableFilter",
    );
    super();
    const { rngs, featureAxes = -1, useScale = true, scaleInit = ones, epsilon = 1e-12, dtype } = options;
    this.layerInstance = layerInstance;
    this.featureAxes = typeof featureAxes === "number" ? [featureAxes] : featureAxes;
    this.useScale = useScale;
    this.epsilon = epsilon;
    this.dtype = dtype;
    this.variableFilter = options.variableFilter ?? PathContains("kernel");
    this.scales = useScale
      ? Object.fromEntries(
          chosenOf(layerInstance, this.variableFilter).map(([path, { shape }]) => {
            const kept = keptAxes(this.featureAxes, shape.length);
            return [
              pathText(path),
              scaleInit(
                rngs.params(),
                kept.map((axis) => shape[axis] ?? 1),
              ),
            ];
          }),
        )
      : null;
  }

  /** What the layer takes → what it gives with normalized weights. */
  call(...args: Parameters<L["call"]>): Tensor {
    for (const [path, variable] of chosenOf(this.layerInstance, this.variableFilter)) {
      const weight = readValue(variable);
      const kept = keptAxes(this.featureAxes, weight.ndim);
      const reduced = weight.shape.flatMap((_, axis) => (kept.includes(axis) ? [] : [axis]));
      const scale = this.scales?.[pathText(path)];
      if (this.useScale && scale === undefined)
        throw new ArgumentError(`WeightNorm: no scale for "${pathText(path)}"; the layer's parameters must not change`);
      const normalized = l2Normalize(weight, this.epsilon, reduced);
      const broadcast = weight.shape.map((extent, axis) => (kept.includes(axis) ? extent : 1));
      const next = scale === undefined ? normalized : mul(normalized, reshape(scale, broadcast));
      variable.value = astype(next, this.dtype ?? next.dtype);
    }
    return callWrapped(this.layerInstance, args);
  }
}

function chosenOf(layer: object, filter: Filter): [Path, Variable][] {
  const takes = toPredicate(filter);
  return paramsOf(layer).filter(([path, variable]) => takes(path, variable));
}

function keptAxes(axes: readonly number[] | null, ndim: number): number[] {
  return (axes ?? []).map((axis) => normalizeAxis("WeightNorm", axis, ndim));
}

/** Options of `SpectralNorm`. */
export interface SpectralNormOptions extends RngsOptions {
  /** Steps of power iteration at each call, 1. */
  readonly nSteps?: number;
  /** Added under the root, 1e-12. */
  readonly epsilon?: number;
  /** The dtype of the normalized weight, its own unless given. */
  readonly dtype?: DType;
  /** The dtype of what is remembered, float32. */
  readonly paramDtype?: DType;
  /** True to refuse weights of more than two axes instead of taking all but the last as one. */
  readonly errorOnNonMatrix?: boolean;
  /** Whether calls remember what they estimate, true; `eval()` sets it to false. */
  readonly updateStats?: boolean;
}

/**
 * Calls a layer with its weights divided by their largest singular value, which power iteration estimates. The
 * normalized weight is written into the layer; u and sigma are BatchStats. Draws a key of the stream `params` for each
 * weight of two or more axes. Source: flax.nnx.SpectralNorm; Miyato et al. 2018.
 *
 * @throws ArgumentError for a weight of more than two axes with `errorOnNonMatrix`.
 * @example
 * const layer = new nnx.SpectralNorm(new nnx.Linear(3, 4, { rngs: new nnx.Rngs(0) }), { rngs: new nnx.Rngs(1) });
 * layer.call(ones([2, 3])).shape; // [2, 4]
 */
export class SpectralNorm<L extends WrappedLayer> extends Module {
  readonly layerInstance: L;
  readonly nSteps: number;
  readonly epsilon: number;
  readonly dtype: DType | undefined;
  readonly errorOnNonMatrix: boolean;
  /** True when calls remember nothing; the name that train() and eval() set. */
  useRunningAverage: boolean;
  readonly batchStats: Record<string, { readonly u: BatchStat; readonly sigma: BatchStat }> = {};

  constructor(layerInstance: L, options: SpectralNormOptions) {
    checkKeys("SpectralNorm", options, "rngs nSteps epsilon dtype paramDtype errorOnNonMatrix? updateStats?");
    super();
    const { rngs, nSteps = 1, epsilon = 1e-12, dtype, paramDtype = "float32" } = options;
    this.layerInstance = layerInstance;
    this.nSteps = nSteps;
    this.epsilon = epsilon;
    this.dtype = dtype;
    this.errorOnNonMatrix = options.errorOnNonMatrix ?? false;
    this.useRunningAverage = !(options.updateStats ?? true);
    for (const [path, variable] of matricesOf(this)) {
      const key = rngs.params();
      this.batchStats[pathText(path)] = {
        u: new BatchStat(normal()(key, [1, variable.shape.at(-1) ?? 1], paramDtype)),
        sigma: new BatchStat(ones(key, [], paramDtype)),
      };
    }
  }

  /** x as the layer takes it → what it gives with normalized weights. */
  call(x: TensorLike, options: { readonly updateStats?: boolean } = {}): Tensor {
    checkKeys("SpectralNorm.call", options, "updateStats?");
    const updateStats = options.updateStats ?? !this.useRunningAverage;
    for (const [path, variable] of matricesOf(this)) {
      const stats = this.batchStats[pathText(path)];
      if (stats === undefined)
        throw new ArgumentError(
          `SpectralNorm: nothing known of "${pathText(path)}"; the layer's parameters must not change`,
        );
      const whole = readValue(variable);
      const weight = reshape(whole, [-1, whole.shape.at(-1) ?? 1]);
      const { u, sigma } = estimate(weight, readValue(stats.u), this);
      const normalized = div(weight, where(notEqual(sigma, 0), sigma, 1));
      if (updateStats) {
        stats.u.value = u;
        stats.sigma.value = sigma;
      }
      variable.value = astype(reshape(normalized, whole.shape), this.dtype ?? whole.dtype);
    }
    return callWrapped(this.layerInstance, [x]);
  }
}

function matricesOf(norm: SpectralNorm<WrappedLayer>): [Path, Variable][] {
  if (norm.nSteps < 1) return [];
  const found = paramsOf(norm.layerInstance).filter(([, { ndim }]) => ndim > 1);
  const [high] = found.filter(([, { ndim }]) => ndim > 2);
  if (high !== undefined && norm.errorOnNonMatrix)
    throw new ArgumentError(
      `SpectralNorm: "${pathText(high[0])}" has ${high[1].ndim} axes; leave out errorOnNonMatrix to take all but the last as one`,
    );
  return found;
}

function estimate(
  weight: Tensor,
  first: Tensor,
  { nSteps, epsilon }: { readonly nSteps: number; readonly epsilon: number },
): { u: Tensor; sigma: Tensor } {
  let [u, v] = [first, first];
  for (let step = 0; step < nSteps; step++) {
    v = l2Normalize(matmul(u, transpose(weight)), epsilon);
    u = l2Normalize(matmul(v, weight), epsilon);
  }
  [u, v] = [stopGradient(u), stopGradient(v)];
  const sigma = matmul(matmul(v, weight), transpose(u));
  return { u, sigma: reshape(laxSlice(sigma, [0, 0], [1, 1]), []) };
}
