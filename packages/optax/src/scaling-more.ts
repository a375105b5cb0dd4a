import {
  add,
  ArgumentError,
  array,
  clip as clamp,
  div,
  equal,
  greater,
  less,
  logicalOr,
  max,
  maximum,
  mean,
  minimum,
  mul,
  relu,
  reshape,
  rsqrt,
  sign,
  sqrt,
  square,
  sub,
  sum,
  tree,
  where,
  zeros,
  zerosLike,
  type DType,
  type Tensor,
  type TensorLike,
} from "@jnx/tensor";
import { asTensor, checkKeys } from "@jnx/tensor/internal";
import { moment, needed, perLeafWithParams, secondMoment, stored, treeFull, unbiased, zeroCount } from "./moments.ts";
import { globalNorm } from "./apply.ts";
import { stateless, type EmptyState, type GradientTransformation } from "./transformation.ts";
import { safeIncrement, type AdamState } from "./transforms.ts";

/** √Σ x² of one leaf, at least `floor`. */
function norm(x: TensorLike, floor = 0): Tensor {
  const total = sqrt(sum(square(x)));
  return floor === 0 ? total : maximum(total, floor);
}

/** Options of `scaleByTrustRatio`. */
export interface TrustRatioOptions {
  /** What norms are at least, 0. */
  readonly minNorm?: number;
  /** Multiplies the ratio, 1. */
  readonly trustCoefficient?: number;
  /** Added to the update's norm, 0. */
  readonly eps?: number;
}

/**
 * g · coefficient · ‖p‖ / (‖g‖ + eps) leaf by leaf; g where either norm is 0. Source: optax.scale_by_trust_ratio; You et
 * al. 2020.
 *
 * @throws ArgumentError when `update` is called without params.
 * @example optax.scaleByTrustRatio().update([array([3, 4])], {}, [array([6, 8])])[0]; // [[6, 8]]
 */
export function scaleByTrustRatio(options: TrustRatioOptions = {}): GradientTransformation<EmptyState> {
  checkKeys("scaleByTrustRatio", options, "minNorm trustCoefficient eps");
  const { minNorm = 0, trustCoefficient = 1, eps = 0 } = options;
  return perLeafWithParams("scaleByTrustRatio", (g, p) => {
    const [paramNorm, updateNorm] = [norm(p, minNorm), norm(g, minNorm)];
    const ratio = div(mul(trustCoefficient, paramNorm), add(updateNorm, eps));
    return mul(g, where(logicalOr(equal(paramNorm, 0), equal(updateNorm, 0)), 1, ratio));
  });
}

/**
 * g · max(rms(p), minScale) leaf by leaf. Source: optax.scale_by_param_block_rms.
 *
 * @throws ArgumentError when `update` is called without params.
 * @example optax.scaleByParamBlockRms().update([array([1, 1])], {}, [array([3, 3])])[0]; // [[3, 3]]
 */
export function scaleByParamBlockRms(minScale = 1e-3): GradientTransformation<EmptyState> {
  return perLeafWithParams("scaleByParamBlockRms", (g, p) => mul(g, maximum(sqrt(mean(square(p))), minScale)));
}

/**
 * g · max(‖p‖, minScale) leaf by leaf. Source: optax.scale_by_param_block_norm.
 *
 * @throws ArgumentError when `update` is called without params.
 * @example optax.scaleByParamBlockNorm().update([array([1, 1])], {}, [array([3, 4])])[0]; // [[5, 5]]
 */
export function scaleByParamBlockNorm(minScale = 1e-3): GradientTransformation<EmptyState> {
  return perLeafWithParams("scaleByParamBlockNorm", (g, p) => mul(g, norm(p, minScale)));
}

/** Options of `scaleByNovograd`. */
export interface NovogradOptions {
  /** The dtype that the mean of gradients is stored in; the parameters' unless given. */
  readonly muDtype?: DType;
  readonly b1?: number;
  readonly b2?: number;
  readonly eps?: number;
  readonly epsRoot?: number;
  readonly weightDecay?: number;
}

/**
 * Momentum of gradients divided by the running norm of their leaf. Source: optax.scale_by_novograd; Ginsburg et al. 2019.
 *
 * @throws ArgumentError when `update` is called without params.
 * @example optax.scaleByNovograd().init([array([1, 2])]).nu; // [0]
 */
export function scaleByNovograd(options: NovogradOptions = {}): GradientTransformation<AdamState> {
  checkKeys("scaleByNovograd", options, "muDtype b1 b2 eps epsRoot weightDecay");
  const { b1 = 0.9, b2 = 0.25, eps = 1e-8, epsRoot = 0, weightDecay = 0, muDtype } = options;
  return {
    init: (params) => ({
      count: zeroCount(),
      mu: treeFull(params, 0, muDtype),
      nu: tree.map(() => zeros([]), params),
    }),
    update: (updates, state, given) => {
      const params = needed("scaleByNovograd", given);
      const count = safeIncrement(state.count);
      const first = equal(count, 1);
      const nu = tree.map(
        (g: Tensor, v: TensorLike) => {
          const squared = sum(square(g));
          return where(first, squared, add(mul(1 - b2, squared), mul(b2, v)));
        },
        updates,
        state.nu,
      );
      const step = (g: Tensor, p: TensorLike, v: Tensor): Tensor =>
        add(div(g, add(sqrt(add(v, epsRoot)), eps)), mul(weightDecay, p));
      const scaled = tree.map(step, updates, params, nu);
      const mu = tree.map((u: Tensor, m: TensorLike) => where(first, u, add(mul(b1, m), u)), scaled, state.mu);
      return [mu, { count, mu: stored(mu, muDtype), nu }];
    },
  };
}

/** For each parameter a vector along each axis, and the momentum. */
export interface Sm3State {
  readonly mu: unknown;
  readonly nu: unknown;
}

/**
 * Adagrad whose sums are kept per axis: the least over the axes stands for an element. Source: optax.scale_by_sm3; Anil
 * et al. 2019.
 *
 * @example optax.scaleBySm3().init([array([[1, 2]])]).nu; // [[[0, 0]]]
 */
export function scaleBySm3(b1 = 0.9, b2 = 1, eps = 1e-8): GradientTransformation<Sm3State> {
  return {
    init: (params) => ({
      mu: tree.map((p: TensorLike) => asTensor(p, "scaleBySm3").shape.map((extent) => zeros([extent])), params),
      nu: treeFull(params),
    }),
    update: (updates, state) => {
      const [leaves, def] = tree.flatten(updates);
      const grads = leaves as Tensor[]; // a tree of gradients
      const [flat] = tree.flatten(state.mu);
      let position = 0;
      const accumulated = grads.map((g) => {
        const axes = g.shape.map((extent, axis) => {
          const shape = g.shape.map((_, k) => (k === axis ? extent : 1));
          return reshape(flat[position++] as Tensor, shape); // made in init
        });
        const known = axes.length === 0 ? zerosLike(g) : axes.reduce((a, b) => minimum(a, b));
        return add(mul(b2 === 1 ? 1 : 1 - b2, square(g)), mul(b2, known));
      });
      const scaled = grads.map((g, k) => {
        const s = accumulated[k] ?? g;
        return mul(g, where(greater(s, 0), rsqrt(add(s, eps)), 0));
      });
      const nu = moment(tree.unflatten(def, scaled), state.nu, b1);
      const mu = accumulated.map((s) =>
        s.shape.map((_, axis) => (s.ndim < 2 ? s : max(s, { axis: others(s.ndim, axis) }))),
      );
      // The momentum has the tree of the updates.
      return [nu as typeof updates, { mu: tree.unflatten(def, mu), nu }];
    },
  };
}

function others(ndim: number, axis: number): number[] {
  return Array.from({ length: ndim }, (_, k) => k).filter((k) => k !== axis);
}

/** Options of `scaleByAdan`. */
export interface AdanScaleOptions {
  readonly b1?: number;
  readonly b2?: number;
  readonly b3?: number;
  readonly eps?: number;
  readonly epsRoot?: number;
}

/** Adan's memory. */
export interface AdanState {
  readonly m: unknown;
  readonly v: unknown;
  readonly n: unknown;
  readonly g: unknown;
  readonly t: TensorLike;
}

/**
 * Adam with Nesterov's momentum estimated from differences of gradients. Source: optax.scale_by_adan; Xie et al. 2022.
 * @example optax.scaleByAdan().init([array([1, 2])]).m; // [[0, 0]]
 */
export function scaleByAdan(options: AdanScaleOptions = {}): GradientTransformation<AdanState> {
  checkKeys("scaleByAdan", options, "b1 b2 b3 eps epsRoot");
  const { b1 = 0.98, b2 = 0.92, b3 = 0.99, eps = 1e-8, epsRoot = 0 } = options;
  return {
    init: (params) => ({
      m: treeFull(params),
      v: treeFull(params),
      n: treeFull(params),
      g: treeFull(params),
      t: zeroCount(),
    }),
    update: (updates, state) => {
      const first = equal(state.t, 0);
      const diff = tree.map((g: Tensor, before: TensorLike) => where(first, 0, sub(g, before)), updates, state.g);
      const [m, v] = [moment(updates, state.m, b1), moment(diff, state.v, b2)];
      const ahead = tree.map((g: Tensor, d: Tensor) => add(g, mul(1 - b2, d)), updates, diff);
      const n = secondMoment(ahead, state.n, b3);
      const t = safeIncrement(state.t);
      const direction = (a: Tensor, b: Tensor, c: Tensor): Tensor =>
        div(add(a, mul(1 - b2, b)), add(sqrt(add(c, epsRoot)), eps));
      const next = tree.map(direction, unbiased(m, b1, t), unbiased(v, b2, t), unbiased(n, b3, t));
      return [next, { m, v, n, g: updates, t }];
    },
  };
}

/** The gradient before. */
export interface OptimisticState {
  readonly isInitialStep: TensorLike;
  readonly previousGradient: unknown;
}

/**
 * (alpha + beta)·g − beta·g before. Source: optax.scale_by_optimistic_gradient; Mokhtari et al. 2019.
 *
 * @example
 * const tx = optax.scaleByOptimisticGradient();
 * tx.update([array([1, 2])], tx.init([array([3, 4])]))[0]; // [[1, 2]]
 */
export function scaleByOptimisticGradient(
  alpha: TensorLike = 1,
  beta: TensorLike = 1,
): GradientTransformation<OptimisticState> {
  return {
    init: (params) => ({ isInitialStep: array(true), previousGradient: treeFull(params) }),
    update: (updates, state) => {
      const step = (g: Tensor, before: TensorLike): Tensor =>
        sub(mul(add(alpha, beta), g), mul(beta, where(state.isInitialStep, g, before)));
      return [
        tree.map(step, updates, state.previousGradient),
        { isInitialStep: array(false), previousGradient: updates },
      ];
    },
  };
}

/** Options of `scaleByRprop` and `rprop`. */
export interface RpropOptions {
  /** Multiplies a step whose gradient changed its sign, 0.5. */
  readonly etaMinus?: number;
  /** Multiplies a step whose gradient kept its sign, 1.2. */
  readonly etaPlus?: number;
  readonly minStepSize?: number;
  readonly maxStepSize?: number;
}

/** A step size for each element. */
export interface RpropState {
  readonly stepSizes: unknown;
  readonly prevUpdates: unknown;
}

/**
 * Steps of their own size for each element, by the signs of successive gradients, each taken one update later. Source:
 * optax.scale_by_rprop; Riedmiller & Braun 1993.
 *
 * @example
 * const tx = optax.scaleByRprop(0.1);
 * tx.update([array([1, -2])], tx.init([array([3, 4])]))[0]; // [[0, 0]]
 */
export function scaleByRprop(learningRate: number, options: RpropOptions = {}): GradientTransformation<RpropState> {
  checkKeys("scaleByRprop", options, "etaMinus etaPlus minStepSize maxStepSize");
  const { etaMinus = 0.5, etaPlus = 1.2, minStepSize = 1e-6, maxStepSize = 50 } = options;
  return {
    init: (params) => ({ stepSizes: treeFull(params, learningRate), prevUpdates: treeFull(params) }),
    update: (updates, state) => {
      const signs = tree.map((g: Tensor, before: TensorLike) => mul(g, before), updates, state.prevUpdates);
      const resize = (s: Tensor, size: TensorLike): Tensor =>
        where(equal(s, 0), size, clamp(mul(size, where(greater(s, 0), etaPlus, etaMinus)), minStepSize, maxStepSize));
      const stepSizes = tree.map(resize, signs, state.stepSizes);
      const prevUpdates = tree.map(
        (s: Tensor, g: Tensor, size: Tensor) => where(less(s, 0), 0, mul(size, sign(g))),
        signs,
        updates,
        stepSizes,
      );
      // As Optax does it, the step that is taken is the one found at the update before.
      const next = tree.map(
        (s: Tensor, before: TensorLike) => where(less(s, 0), zerosLike(before), before),
        signs,
        state.prevUpdates,
      );
      return [next, { stepSizes, prevUpdates }];
    },
  };
}

/** Options of `scaleByPolyak`. */
export interface PolyakOptions {
  /** The least value of the function, 0. */
  readonly fMin?: number;
  /** The largest step, 1. */
  readonly maxLearningRate?: number;
  /** Added to the squared norm, 0. */
  readonly eps?: number;
  /** "sps+" holds the gap at 0 or more. */
  readonly variant?: "sps" | "sps+";
}

/**
 * Steps of (value − fMin) / ‖g‖²; `update` needs `{ value }` of the function. Source: optax.scale_by_polyak; Polyak 1964.
 *
 * @throws ArgumentError when `update` is called without a value.
 * @example optax.scaleByPolyak().update([array([3, 4])], {}, undefined, { value: 5 })[0]; // [[0.6, 0.8]]
 */
export function scaleByPolyak(options: PolyakOptions = {}): GradientTransformation<EmptyState> {
  checkKeys("scaleByPolyak", options, "fMin maxLearningRate eps variant");
  const { fMin = 0, maxLearningRate = 1, eps = 0, variant = "sps" } = options;
  return {
    init: () => ({}),
    update: (updates, state, _params, extra) => {
      const value = extra?.["value"];
      if (value === undefined)
        throw new ArgumentError(
          "scaleByPolyak: needs the function's value; call update(updates, state, params, { value })",
        );
      const squared = square(globalNorm(updates));
      const gap = sub(value as TensorLike, fMin); // mul and sub refuse what is no array
      const bounded = variant === "sps+" ? relu(gap) : gap;
      const shifted = add(squared, eps);
      const step = where(less(EPSILON, shifted), minimum(div(bounded, shifted), maxLearningRate), 0);
      return [tree.map((g: Tensor) => mul(step, g), updates), state];
    },
  };
}

const EPSILON = 2 ** -23;

/**
 * All updates divided by their global norm: g · scaleFactor / (‖g‖ + eps). Source: optax.normalize_by_update_norm.
 * @example optax.normalizeByUpdateNorm().update([array([3, 4])], {})[0]; // [[0.6, 0.8]]
 */
export function normalizeByUpdateNorm(scaleFactor = 1, eps = 1e-6): GradientTransformation<EmptyState> {
  return stateless((updates) => {
    const size = div(add(globalNorm(updates), eps), scaleFactor);
    return tree.map((g: Tensor) => div(g, size), updates);
  });
}
