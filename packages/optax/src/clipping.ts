import {
  add,
  ArgumentError,
  any,
  array,
  broadcastTo,
  clip as clamp,
  div,
  equal,
  floatPower,
  isnan,
  less,
  logicalNot,
  maximum,
  mean,
  mul,
  remainder,
  ShapeError,
  sign,
  sqrt,
  square,
  squeeze,
  sub,
  sum,
  tree,
  where,
  type DType,
  type Tensor,
  type TensorLike,
} from "@jnx/tensor";
import * as random from "@jnx/tensor/random";
import { asTensor, checkKeys, shapeText } from "@jnx/tensor/internal";
import { moment, perLeafWithParams, stored, treeFull, unbiased, zeroCount } from "./moments.ts";
import { finite, stateless, type EmptyState, type GradientTransformation } from "./transformation.ts";
import { safeIncrement, type CountState } from "./transforms.ts";

/**
 * Every element held within ±maxDelta. Source: optax.clip.
 *
 * @throws ArgumentError when maxDelta is NaN or infinite.
 * @example optax.clip(1).update([array([3, -0.5])], {})[0]; // [[1, -0.5]]
 */
export function clip(maxDelta: number): GradientTransformation<EmptyState> {
  finite("clip", "maxDelta", maxDelta);
  return stateless((updates) => tree.map((g: Tensor) => clamp(g, -maxDelta, maxDelta), updates));
}

/**
 * Each leaf divided by max(1, rms / threshold). Source: optax.clip_by_block_rms.
 *
 * @throws ArgumentError when the threshold is NaN or infinite.
 * @example optax.clipByBlockRms(1).update([array([4, -4])], {})[0]; // [[1, -1]]
 */
export function clipByBlockRms(threshold: number): GradientTransformation<EmptyState> {
  finite("clipByBlockRms", "threshold", threshold);
  const clipped = (g: Tensor): Tensor => div(g, maximum(1, div(sqrt(mean(square(g))), threshold)));
  return stateless((updates) => tree.map(clipped, updates));
}

/**
 * √Σ x² of each unit, repeated over its elements: by default whole vectors, columns of matrices, and output channels of
 * kernels; `axis` says otherwise. The result has x's shape. Source: optax.transforms.unitwise_norm.
 *
 * @throws ArgumentError for more than five axes without `axis`.
 * @example optax.unitwiseNorm(array([[3, 0], [4, 2]])); // [[5, 2], [5, 2]]
 */
export function unitwiseNorm(x: TensorLike, options: { readonly axis?: number | readonly number[] } = {}): Tensor {
  checkKeys("unitwiseNorm", options, "axis");
  const values = asTensor(x, "unitwiseNorm");
  return broadcastTo(unitNorm("unitwiseNorm", values, options.axis), values.shape);
}

/**
 * Where a unit's norm reaches maxNorm, the gradient scaled down to it: g·maxNorm/max(norm, divEps). All of one shape.
 * Source: optax.transforms.unitwise_clip.
 *
 * @throws ShapeError when the shapes differ.
 * @example optax.unitwiseClip(array([5]), array([1]), array([10])); // [2]
 */
export function unitwiseClip(norm: TensorLike, maxNorm: TensorLike, gradient: TensorLike, divEps = 1e-6): Tensor {
  const [size, limit, g] = [
    asTensor(norm, "unitwiseClip"),
    asTensor(maxNorm, "unitwiseClip"),
    asTensor(gradient, "unitwiseClip"),
  ];
  for (const one of [size, limit])
    if (one.shape.join() !== g.shape.join())
      throw new ShapeError(
        `unitwiseClip: expected norms of the gradient's shape ${shapeText(g.shape)}, received ${shapeText(one.shape)}; make them with unitwiseNorm`,
      );
  return clippedUnits(size, limit, g, divEps);
}

function clippedUnits(size: Tensor, limit: Tensor, g: Tensor, divEps: number): Tensor {
  return where(less(size, limit), g, mul(g, div(limit, maximum(size, divEps))));
}

/** As unitwiseNorm, each norm once. */
function unitNorm(name: string, x: Tensor, axis: number | readonly number[] | undefined): Tensor {
  const leading = x.ndim <= 3 ? [0] : Array.from({ length: x.ndim - 1 }, (_, k) => k);
  const axes = axis ?? (squeeze(x).ndim <= 1 ? undefined : leading);
  if (axis === undefined && x.ndim > 5) throw new ArgumentError(`${name}: parameters of ${x.ndim} axes need { axis }`);
  return sqrt(sum(square(x), { keepdims: true, ...(axes === undefined ? {} : { axis: axes }) }));
}

/** Options of `adaptiveGradClip`. */
export interface AdaptiveClipOptions {
  /** What a parameter's norm is at least, 1e-3. */
  readonly eps?: number;
  /** The axes that a unit spans; by the number of axes unless given. */
  readonly axis?: number | readonly number[];
}

/**
 * Gradients held to `clipping` times the norm of their parameters, unit by unit. Source: optax.adaptive_grad_clip; Brock
 * et al. 2021.
 *
 * @throws ArgumentError when `update` is called without params.
 * @example optax.adaptiveGradClip(0.5).update([array([30, 40])], {}, [array([3, 4])])[0]; // [[1.5, 2]]
 */
export function adaptiveGradClip(
  clipping: number,
  options: AdaptiveClipOptions = {},
): GradientTransformation<EmptyState> {
  checkKeys("adaptiveGradClip", options, "eps axis");
  const { eps = 1e-3, axis } = options;
  finite("adaptiveGradClip", "clipping", clipping);
  return perLeafWithParams("adaptiveGradClip", (g, p) => {
    const limit = mul(clipping, maximum(unitNorm("adaptiveGradClip", asTensor(p, "adaptiveGradClip"), axis), eps));
    return clippedUnits(unitNorm("adaptiveGradClip", g, axis), limit, g, 1e-6);
  });
}

/**
 * Gradients of two or more axes less their mean over all axes but the first. Source: optax.centralize; Yong et al. 2020.
 * @example optax.centralize().update([array([[1, 3]])], {})[0]; // [[[-1, 1]]]
 */
export function centralize(): GradientTransformation<EmptyState> {
  const centred = (g: Tensor): Tensor =>
    g.ndim < 2 ? g : sub(g, mean(g, { axis: g.shape.map((_, axis) => axis).slice(1), keepdims: true }));
  return stateless((updates) => tree.map(centred, updates));
}

/** For each leaf, whether the last update had a NaN. */
export interface ZeroNansState {
  readonly foundNan: unknown;
}

/**
 * NaN becomes 0, and the state says in which leaves there was one. Source: optax.zero_nans.
 * @example optax.zeroNans().update([array([NaN, 2])], { foundNan: [array(false)] })[0]; // [[0, 2]]
 */
export function zeroNans(): GradientTransformation<ZeroNansState> {
  return {
    init: (params) => ({ foundNan: tree.map(() => array(false), params) }),
    update: (updates) => [
      tree.map((g: Tensor) => where(isnan(g), 0, g), updates),
      { foundNan: tree.map((g: Tensor) => any(isnan(g)), updates) },
    ],
  };
}

/**
 * Updates that would make a parameter negative make it 0. Source: optax.keep_params_nonnegative.
 *
 * @throws ArgumentError when `update` is called without params.
 * @example optax.keepParamsNonnegative().update([array([-3, 1])], {}, [array([2, 2])])[0]; // [[-2, 1]]
 */
export function keepParamsNonnegative(): GradientTransformation<EmptyState> {
  return perLeafWithParams("keepParamsNonnegative", (g, p) => where(less(add(p, g), 0), mul(-1, p), g));
}

/** A count and a key. */
export interface NoiseState extends CountState {
  readonly rngKey: TensorLike;
}

/**
 * g + √(eta / tᵍᵃᵐᵐᵃ) · normal, with a new key at every step. Source: optax.add_noise; Neelakantan et al. 2015.
 *
 * @example
 * const tx = optax.addNoise(0, 0.55, random.key(0));
 * tx.update([array([1, 2])], tx.init([array([3, 4])]))[0]; // [[1, 2]]
 */
export function addNoise(eta: number, gamma: number, key: Tensor): GradientTransformation<NoiseState> {
  return {
    init: () => ({ count: zeroCount(), rngKey: random.keyData(key) }),
    update: (updates, state) => {
      const count = safeIncrement(state.count);
      const [leaves, def] = tree.flatten(updates);
      const key = asTensor(state.rngKey, "addNoise");
      const scale = sqrt(div(eta, floatPower(count, gamma)));
      // The k-th key of a split is what folding k in gives.
      const [next, sample] = [random.foldIn(key, 0), random.foldIn(key, 1)];
      const noisy = leaves.map((leaf, k) => {
        const g = leaf as Tensor; // a tree of gradients
        return add(g, mul(scale, random.normal(random.foldIn(sample, k), g.shape)));
      });
      // The same tree.
      return [tree.unflatten(def, noisy) as typeof updates, { count, rngKey: next }];
    },
  };
}

/** The gathered gradients. */
export interface ApplyEveryState extends CountState {
  readonly gradAcc: unknown;
}

/**
 * Adds up k updates, gives their sum at every k-th step and zeros before that. Source: optax.apply_every.
 *
 * @example
 * const tx = optax.applyEvery(2);
 * tx.update([array([1, 2])], tx.init([array([3, 4])]))[0]; // [[0, 0]]
 */
export function applyEvery(k = 1): GradientTransformation<ApplyEveryState> {
  return {
    init: (params) => ({ count: zeroCount(), gradAcc: treeFull(params) }),
    update: (updates, state) => {
      const c = remainder(state.count, k);
      const going = logicalNot(equal(c, 0));
      const gradAcc = tree.map((g: Tensor, sum: TensorLike) => add(where(going, sum, 0), g), updates, state.gradAcc);
      const emit = equal(c, k - 1);
      const next = tree.map((sum: Tensor) => where(emit, sum, 0), gradAcc);
      return [next, { count: remainder(safeIncrement(state.count), k), gradAcc }];
    },
  };
}

/** Options of `ema`. */
export interface EmaOptions {
  /** Whether the mean is corrected for its start at zero, true. */
  readonly debias?: boolean;
  /** The dtype that the mean is stored in; the parameters' unless given. */
  readonly accumulatorDtype?: DType;
}

/** A running mean and its count. */
export interface EmaState extends CountState {
  readonly ema: unknown;
}

/**
 * The running mean of updates, e ← (1−decay)·g + decay·e, corrected for its start unless told not to. Source: optax.ema.
 *
 * @throws ArgumentError when the decay is NaN or infinite.
 * @example
 * const tx = optax.ema(0.9);
 * tx.update([array([1, 2])], tx.init([array([3, 4])]))[0]; // [[1, 2]]
 */
export function ema(decay: number, options: EmaOptions = {}): GradientTransformation<EmaState> {
  checkKeys("ema", options, "debias? accumulatorDtype");
  const { debias = true, accumulatorDtype } = options;
  finite("ema", "decay", decay);
  return {
    init: (params) => ({ count: zeroCount(), ema: treeFull(params, 0, accumulatorDtype) }),
    update: (updates, state) => {
      const next = moment(updates, state.ema, decay);
      const count = safeIncrement(state.count);
      const out = debias ? unbiased(next, decay, count) : next;
      return [out, { count, ema: stored(next, accumulatorDtype) }];
    },
  };
}

/**
 * The sign of each update. Source: optax.scale_by_sign.
 * @example optax.scaleBySign().update([array([3, -4])], {})[0]; // [[1, -1]]
 */
export function scaleBySign(): GradientTransformation<EmptyState> {
  return stateless((updates) => tree.map((g: Tensor) => sign(g), updates));
}

/**
 * Zeros: freezes parameters. Source: optax.set_to_zero.
 * @example optax.setToZero().update([array([3, -4])], {})[0]; // [[0, 0]]
 */
export function setToZero(): GradientTransformation<EmptyState> {
  return stateless((updates) => treeFull(updates));
}
