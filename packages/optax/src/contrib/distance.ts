import { add, ArgumentError, array, div, maximum, mul, sqrt, square, sub, sum, tree, where } from "@jnx/tensor";
import type { Tensor, TensorLike } from "@jnx/tensor";
import { decay, type DecayOptions, type Optimizer } from "../alias-options.ts";
import { needed } from "../moments.ts";
import { chain, identity, type GradientTransformation, type ScalarOrSchedule } from "../transformation.ts";
import { erase, scaleByLearningRate } from "../transforms.ts";
import { norm, scale } from "../tree-ops.ts";
import { checkKeys } from "@jnx/tensor/internal";

/** How the first step of `dog` is found, and a number for it. */
export type InitStep = readonly ["distance" | "heuristic" | "learningRate", number];

/** The memory of `dog`. */
export interface DogState {
  readonly isInitStep: TensorLike;
  readonly initParams: unknown;
  readonly maxDist: TensorLike;
  readonly sumSqNormGrads: TensorLike;
}

function gap(a: unknown, b: unknown): unknown {
  return tree.map((x: TensorLike, y: TensorLike) => sub(x, y), a, b);
}

/**
 * Gradients times the distance from the start over the root of all squared gradients. Source:
 * optax.contrib.scale_by_dog; Ivgi et al. 2023.
 *
 * @throws ArgumentError for another kind of first step, or when `update` is called without params.
 * @example optax.contrib.scaleByDog(["distance", 0.1]).init([array([1])]).maxDist; // 0.1
 */
export function scaleByDog(initStep: InitStep, eps = 1e-8): GradientTransformation<DogState> {
  const [kind, value] = initStep;
  if (!["distance", "heuristic", "learningRate"].includes(kind))
    throw new ArgumentError(
      `scaleByDog: initStep begins with "distance", "heuristic" or "learningRate", received ${String(kind)}`,
    );
  const first = (params: unknown): TensorLike => {
    if (kind === "learningRate") return 0;
    return kind === "distance" ? value : mul(value, add(1, norm(params)));
  };
  return {
    init: (params) => ({
      isInitStep: array(true),
      initParams: params,
      maxDist: array(first(params), { dtype: "float32" }),
      sumSqNormGrads: array(0, { dtype: "float32" }),
    }),
    update: (updates, state, given) => {
      const params = needed("scaleByDog", given);
      const maxDist = maximum(state.maxDist, norm(gap(state.initParams, params)));
      const sumSqNormGrads = add(state.sumSqNormGrads, norm(updates, { squared: true }));
      const found = div(maxDist, sqrt(add(sumSqNormGrads, eps)));
      const rate = kind === "learningRate" ? where(state.isInitStep, value, found) : found;
      const next = { isInitStep: array(false), initParams: state.initParams, maxDist, sumSqNormGrads };
      return [scale(rate, updates), next];
    },
  };
}

/** Weight decay where it is asked for; states keep their places without it. */
function decayFirst({ weightDecay, mask }: DecayOptions): GradientTransformation {
  return weightDecay === undefined ? erase(identity()) : decay(weightDecay, mask);
}

/** Options of `dog`. */
export interface DogOptions extends DecayOptions {
  readonly learningRate?: ScalarOrSchedule;
  /** `["heuristic", 1e-6]` unless given. */
  readonly initStep?: InitStep;
  readonly eps?: number;
}

/**
 * Gradient descent by the distance over gradients: no learning rate is needed. Source: optax.contrib.dog; Ivgi et al. 2023.
 * @example optax.contrib.dog().init([array([1])]);
 */
export function dog(options: DogOptions = {}): Optimizer {
  checkKeys("dog", options, "learningRate initStep eps weightDecay mask");
  const { learningRate = 1, initStep = ["heuristic", 1e-6], eps = 1e-8, ...rest } = options;
  return chain(decayFirst(rest), erase(scaleByDog(initStep, eps)), scaleByLearningRate(learningRate, { name: "dog" }));
}

/** The memory of `dowg`. */
export interface DowgState {
  readonly initParams: unknown;
  readonly estimSqDist: TensorLike;
  readonly weightedSqNormGrads: TensorLike;
}

/**
 * Gradients times the squared distance from the start over the root of squared gradients weighted with it. Source:
 * optax.contrib.scale_by_dowg; Khaled et al. 2023.
 *
 * @throws ArgumentError when `update` is called without params.
 * @example optax.contrib.scaleByDowg(0.5).init([array([1])]).estimSqDist; // 0.5
 */
export function scaleByDowg(initEstimSqDist?: number, eps = 1e-4): GradientTransformation<DowgState> {
  return {
    init: (params) => ({
      initParams: params,
      estimSqDist: array(initEstimSqDist ?? eps, { dtype: "float32" }),
      weightedSqNormGrads: array(0, { dtype: "float32" }),
    }),
    update: (updates, state, given) => {
      const params = needed("scaleByDowg", given);
      const estimSqDist = maximum(state.estimSqDist, norm(gap(state.initParams, params), { squared: true }));
      const weighted = add(mul(estimSqDist, norm(updates, { squared: true })), state.weightedSqNormGrads);
      const rate = div(estimSqDist, add(sqrt(weighted), eps));
      return [scale(rate, updates), { initParams: state.initParams, estimSqDist, weightedSqNormGrads: weighted }];
    },
  };
}

/** Options of `dowg`. */
export interface DowgOptions extends DecayOptions {
  readonly learningRate?: ScalarOrSchedule;
  /** The first estimate of the squared distance; eps unless given. */
  readonly initEstimSqDist?: number;
  readonly eps?: number;
}

/**
 * Gradient descent by the distance over weighted gradients. Source: optax.contrib.dowg; Khaled et al. 2023.
 * @example optax.contrib.dowg().init([array([1])]);
 */
export function dowg(options: DowgOptions = {}): Optimizer {
  checkKeys("dowg", options, "learningRate initEstimSqDist eps weightDecay mask");
  const { learningRate = 1, initEstimSqDist, eps = 1e-4, ...rest } = options;
  return chain(
    decayFirst(rest),
    erase(scaleByDowg(initEstimSqDist, eps)),
    scaleByLearningRate(learningRate, { name: "dowg" }),
  );
}

/** Distances, squared gradients and starts, leaf by leaf. */
export interface DistanceState {
  readonly maxDist: unknown;
  readonly gradSumOfSquares: unknown;
  readonly initParams: unknown;
}

/** Options of `scaleByDistanceOverGradients`. */
export interface DistanceOptions {
  /** The first distance relative to 1 + the leaf's norm, 1e-6. */
  readonly repsRel?: number;
  readonly eps?: number;
  readonly globalScale?: number;
}

/**
 * dog with a rate of its own for each leaf. Source: optax.scale_by_distance_over_gradients; Ivgi et al. 2023.
 *
 * @throws ArgumentError when `update` is called without params.
 * @example optax.scaleByDistanceOverGradients().init([array([1])]).initParams; // [[1]]
 */
export function scaleByDistanceOverGradients(options: DistanceOptions = {}): GradientTransformation<DistanceState> {
  checkKeys("scaleByDistanceOverGradients", options, "repsRel eps globalScale");
  const { repsRel = 1e-6, eps = 1e-8, globalScale = 1 } = options;
  const length = (x: TensorLike): Tensor => sqrt(sum(square(x)));
  return {
    init: (params) => ({
      maxDist: tree.map((p: TensorLike) => mul(repsRel, add(1, length(p))), params),
      gradSumOfSquares: tree.map(() => array([0], { dtype: "float32" }), params),
      initParams: params,
    }),
    update: (updates, state, given) => {
      const params = needed("scaleByDistanceOverGradients", given);
      const { initParams } = state;
      const maxDist = tree.map(
        (p: TensorLike, d: TensorLike, p0: TensorLike) => maximum(d, length(sub(p, p0))),
        params,
        state.maxDist,
        initParams,
      );
      const gradSumOfSquares = tree.map(
        (g: Tensor, s: TensorLike) => add(s, sum(square(g))),
        updates,
        state.gradSumOfSquares,
      );
      const step = (g: Tensor, d: Tensor, s: Tensor): Tensor => mul(mul(globalScale, div(d, sqrt(add(s, eps)))), g);
      const next = tree.map(step, updates, maxDist, gradSumOfSquares);
      return [next, { maxDist, gradSumOfSquares, initParams }];
    },
  };
}
