import {
  abs,
  add,
  array,
  clip,
  div,
  equal,
  floatPower,
  maximum,
  mul,
  neg,
  ones,
  sqrt,
  square,
  sub,
  sum,
  tree,
  where,
  zeros,
  type Tensor,
  type TensorLike,
} from "@jnx/tensor";
import { asTensor, checkKeys } from "@jnx/tensor/internal";
import { decay, type DecayOptions, type Optimizer } from "../alias-options.ts";
import { needed, treeFull, zeroCount } from "../moments.ts";
import { chain, type GradientTransformation, type ScalarOrSchedule } from "../transformation.ts";
import { erase, safeIncrement, scaleByLearningRate, type CountState } from "../transforms.ts";
import { norm, vdot } from "../tree-ops.ts";
import { valueAt } from "./adaptive.ts";

/** What COCOB bets with. */
export interface CocobState {
  readonly initParticles: unknown;
  readonly cumulativeGradients: unknown;
  readonly scale: unknown;
  readonly subgradients: unknown;
  readonly reward: unknown;
}

/**
 * Coin betting on gradients: no learning rate is needed. Source: optax.contrib.scale_by_cocob; Orabona & Tommasi 2017.
 *
 * @throws ArgumentError when `update` is called without params.
 * @example optax.contrib.scaleByCocob().init([array([1, 2])]).reward; // [[0, 0]]
 */
export function scaleByCocob(alpha = 100, eps = 1e-8): GradientTransformation<CocobState> {
  return {
    init: (params) => ({
      initParticles: params,
      cumulativeGradients: treeFull(params),
      scale: treeFull(params, eps),
      subgradients: treeFull(params),
      reward: treeFull(params),
    }),
    update: (updates, state, given) => {
      const params = needed("scaleByCocob", given);
      const { initParticles } = state;
      const scale = tree.map((g: Tensor, l: TensorLike) => maximum(l, abs(g)), updates, state.scale);
      const subgradients = tree.map((g: Tensor, s: TensorLike) => add(s, abs(g)), updates, state.subgradients);
      const reward = tree.map(
        (g: Tensor, r: TensorLike, p: TensorLike, p0: TensorLike) => maximum(sub(r, mul(g, sub(p, p0))), 0),
        updates,
        state.reward,
        params,
        initParticles,
      );
      const cumulativeGradients = tree.map((g: Tensor, c: TensorLike) => sub(c, g), updates, state.cumulativeGradients);
      const bet = (p: TensorLike, p0: TensorLike, c: Tensor, l: Tensor, g: Tensor, r: Tensor): Tensor => {
        const stake = mul(div(c, mul(l, maximum(add(g, l), mul(alpha, l)))), add(l, r));
        return add(neg(p), add(p0, stake));
      };
      const next = tree.map(bet, params, initParticles, cumulativeGradients, scale, subgradients, reward);
      return [next, { initParticles, cumulativeGradients, scale, subgradients, reward }];
    },
  };
}

/** Options of `cocob`. */
export interface CocobOptions extends DecayOptions {
  readonly learningRate?: ScalarOrSchedule;
  /** What bets are held back by, 100. */
  readonly alpha?: number;
  readonly eps?: number;
}

/**
 * An optimizer without a learning rate. Source: optax.contrib.cocob; Orabona & Tommasi 2017.
 * @example optax.contrib.cocob().init([array([1])]);
 */
export function cocob(options: CocobOptions = {}): Optimizer {
  checkKeys("cocob", options, "learningRate alpha eps weightDecay mask");
  const { learningRate = 1, alpha = 100, eps = 1e-8, weightDecay = 0, mask } = options;
  return chain(
    decay(weightDecay, mask),
    scaleByLearningRate(learningRate, { flipSign: false, name: "cocob" }),
    erase(scaleByCocob(alpha, eps)),
  );
}

/** The memory of `dadaptAdamw`. */
export interface DAdaptState extends CountState {
  readonly expAvg: unknown;
  readonly expAvgSq: unknown;
  readonly gradSum: unknown;
  readonly estimLr: TensorLike;
  readonly numeratorWeighted: TensorLike;
}

/** Options of `dadaptAdamw` and `prodigy`. */
export interface DAdaptOptions {
  /** Multiplies the estimated rate, 1. */
  readonly learningRate?: ScalarOrSchedule;
  readonly betas?: readonly [number, number];
  readonly eps?: number;
  /** The first estimate, 1e-6. */
  readonly estimLr0?: number;
  readonly weightDecay?: number;
}

/** Σ |x| over all leaves. */
function absoluteSum(values: unknown): Tensor {
  return norm(values, { ord: 1 });
}

/** √(1 − b2ᵗ) / (1 − b1ᵗ) */
function corrections(count: Tensor, [b1, b2]: readonly [number, number]): Tensor {
  return div(sqrt(sub(1, floatPower(b2, count))), sub(1, floatPower(b1, count)));
}

/** b·old + next */
function blend(b: number, old: TensorLike, next: Tensor): Tensor {
  return add(mul(b, old), next);
}

/**
 * AdamW that estimates its learning rate. Source: optax.contrib.dadapt_adamw; Defazio & Mishchenko 2023.
 *
 * @throws ArgumentError when `update` is called without params.
 * @example optax.contrib.dadaptAdamw().init([array([1])]).expAvg; // [[0]]
 */
export function dadaptAdamw(options: DAdaptOptions = {}): GradientTransformation<DAdaptState> {
  checkKeys("dadaptAdamw", options, "learningRate betas eps estimLr0 weightDecay");
  const { learningRate = 1, betas = [0.9, 0.999], eps = 1e-8, estimLr0 = 1e-6, weightDecay = 0 } = options;
  const [b1, b2] = betas;
  const root = b2 ** 0.5;
  return {
    init: (params) => ({
      expAvg: treeFull(params),
      expAvgSq: treeFull(params),
      gradSum: treeFull(params),
      estimLr: array(estimLr0, { dtype: "float32" }),
      numeratorWeighted: zeros([]),
      count: zeroCount(),
    }),
    update: (updates, state, given) => {
      const params = needed("dadaptAdamw", given);
      const count = safeIncrement(state.count);
      const rate = mul(mul(state.estimLr, valueAt(learningRate, state.count)), corrections(count, betas));
      const weighted = tree.map(
        (s: TensorLike, v: TensorLike) => div(s, add(sqrt(v), eps)),
        state.gradSum,
        state.expAvgSq,
      );
      const numerator = vdot<unknown>(updates, weighted);
      const expAvg = tree.map(
        (g: Tensor, m: TensorLike) => blend(b1, m, mul(mul(1 - b1, rate), g)),
        updates,
        state.expAvg,
      );
      const expAvgSq = tree.map(
        (g: Tensor, v: TensorLike) => blend(b2, v, mul(mul(1 - b2, g), g)),
        updates,
        state.expAvgSq,
      );
      const gradSum = tree.map(
        (g: Tensor, s: TensorLike) => blend(root, s, mul(mul(1 - root, rate), g)),
        updates,
        state.gradSum,
      );
      const total = absoluteSum(gradSum);
      const numeratorWeighted = add(mul(root, state.numeratorWeighted), mul(mul(1 - root, rate), numerator));
      const estimLr = maximum(state.estimLr, div(numeratorWeighted, mul(1 - root, total)));
      const step = (m: Tensor, v: Tensor, p: TensorLike): Tensor =>
        sub(mul(mul(-weightDecay, rate), p), div(m, add(sqrt(v), eps)));
      const memory = { expAvg, expAvgSq, gradSum, estimLr, numeratorWeighted, count };
      return [tree.map(step, expAvg, expAvgSq, params), memory];
    },
  };
}

/** The memory of `prodigy`. */
export interface ProdigyState extends DAdaptState {
  readonly params0: unknown;
}

/** Options of `prodigy`. */
export interface ProdigyOptions extends DAdaptOptions {
  /** Decay of what the estimate is made of, √b2 unless given. */
  readonly beta3?: number;
  /** Multiplies the estimate, 1. */
  readonly estimLrCoef?: number;
  /** Whether the learning rate is left out of the estimate's denominator, for schedules with a warm-up; false. */
  readonly safeguardWarmup?: boolean;
}

/**
 * Adam that estimates its learning rate from the distance to the start. Source: optax.contrib.prodigy; Mishchenko & Defazio
 * 2023.
 *
 * @throws ArgumentError when `update` is called without params.
 * @example optax.contrib.prodigy().init([array([1])]).params0; // [[1]]
 */
export function prodigy(options: ProdigyOptions = {}): GradientTransformation<ProdigyState> {
  checkKeys("prodigy", options, "beta3 estimLrCoef safeguardWarmup? learningRate betas eps estimLr0 weightDecay");
  const { learningRate = 1, betas = [0.9, 0.999], eps = 1e-8, estimLr0 = 1e-6, weightDecay = 0 } = options;
  const [b1, b2] = betas;
  const { beta3 = b2 ** 0.5, estimLrCoef = 1, safeguardWarmup = false } = options;
  return {
    init: (params) => ({
      expAvg: treeFull(params),
      expAvgSq: treeFull(params),
      gradSum: treeFull(params),
      params0: params,
      estimLr: array(estimLr0, { dtype: "float32" }),
      numeratorWeighted: zeros([]),
      count: zeroCount(),
    }),
    update: (updates, state, given) => {
      const params = needed("prodigy", given);
      const count = safeIncrement(state.count);
      const { params0, estimLr: known } = state;
      const rate = mul(mul(known, valueAt(learningRate, state.count)), corrections(count, betas));
      const scaled = tree.map((g: Tensor) => mul(known, g), updates);
      const gap = tree.map((p0: TensorLike, p: TensorLike) => sub(p0, p), params0, params);
      const numerator = vdot<unknown>(updates, gap);
      const expAvg = tree.map((g: Tensor, m: TensorLike) => add(mul(b1, m), mul(1 - b1, g)), scaled, state.expAvg);
      const expAvgSq = tree.map(
        (g: Tensor, v: TensorLike) => add(mul(b2, v), mul(mul(1 - b2, g), g)),
        scaled,
        state.expAvgSq,
      );
      const weight = safeguardWarmup ? known : rate;
      const gradSum = tree.map(
        (g: Tensor, s: TensorLike) => add(mul(beta3, s), div(mul(weight, g), estimLr0)),
        scaled,
        state.gradSum,
      );
      const growth = mul(mul(div(known, estimLr0), rate), numerator);
      const numeratorWeighted = add(mul(beta3, state.numeratorWeighted), growth);
      const total = absoluteSum(gradSum);
      const estimLr = maximum(known, div(mul(estimLrCoef, numeratorWeighted), total));
      const step = (m: Tensor, v: Tensor, p: TensorLike): Tensor =>
        sub(mul(mul(-weightDecay, rate), p), div(mul(rate, m), add(sqrt(v), mul(estimLr, eps))));
      return [
        tree.map(step, expAvg, expAvgSq, params),
        { expAvg, expAvgSq, gradSum, params0, estimLr, numeratorWeighted, count },
      ];
    },
  };
}

/** The memory of `mechanize`. */
export interface MechanicState extends CountState {
  readonly baseOptimizerState: unknown;
  readonly r: TensorLike;
  readonly m: TensorLike;
  readonly v: TensorLike;
  readonly s: TensorLike;
  readonly x0: unknown;
}

/** Options of `mechanize`. */
export interface MechanicOptions {
  /** 0.01 */
  readonly weightDecay?: number;
  readonly eps?: number;
  /** The first scale, 1e-6. */
  readonly sInit?: number;
  /** How many decays vote, 6. */
  readonly numBetas?: number;
}

/**
 * Finds the scale of another optimizer's steps while it runs. Source: optax.contrib.mechanize; Cutkosky et al. 2023.
 *
 * @throws ArgumentError when `update` is called without params.
 * @example optax.contrib.mechanize(optax.sgd(0.1)).init([array([1])]).x0; // [[1]]
 */
export function mechanize<S>(
  baseOptimizer: GradientTransformation<S>,
  options: MechanicOptions = {},
): GradientTransformation<MechanicState> {
  checkKeys("mechanize", options, "weightDecay eps sInit numBetas");
  const { weightDecay = 0.01, eps = 1e-8, sInit = 1e-6, numBetas = 6 } = options;
  const betas = Array.from({ length: numBetas }, (_, k) => 1 - 0.1 ** (k + 1));
  return {
    init: (params) => ({
      baseOptimizerState: baseOptimizer.init(params),
      count: zeroCount(),
      r: zeros([numBetas]),
      m: zeros([numBetas]),
      v: zeros([numBetas]),
      s: mul(ones([numBetas]), sInit),
      x0: params,
    }),
    update: (updates, state, given, extra) => {
      const params = needed("mechanize", given);
      const inner = state.baseOptimizerState as S; // made by init
      const [moved, baseOptimizerState] = baseOptimizer.update(updates, inner, params, extra);
      const first = equal(state.count, 0);
      const x0 = tree.map((p: TensorLike, x: TensorLike) => where(first, p, x), params, state.x0);
      const total = sum(state.s);
      const strength = div(mul(mul(weightDecay, total), norm(updates)), add(norm(params), eps));
      const decayed = tree.map((g: Tensor, p: TensorLike) => add(g, mul(strength, p)), updates, params);
      const before = tree.map((p: TensorLike, x: Tensor) => div(sub(x, p), add(total, eps)), params, x0);
      const delta = tree.map((d: Tensor, u: Tensor) => sub(d, u), before, moved);
      const h = vdot<unknown>(decayed, before);
      const clipped = clip(h, neg(state.m), state.m);
      const rates = array(betas);
      const m = maximum(mul(rates, state.m), add(abs(h), eps));
      const v = add(mul(square(rates), state.v), square(h));
      const r = add(mul(rates, state.r), mul(clipped, state.s));
      const wealth = add(mul(sInit / numBetas, m), maximum(0, r));
      const s = div(wealth, add(sqrt(v), eps));
      const scale = sum(s);
      const next = tree.map(
        (x: Tensor, d: Tensor, p: TensorLike) => sub(sub(x, mul(scale, d)), asTensor(p, "mechanize")),
        x0,
        delta,
        params,
      );
      // A tree like the parameters, as the updates are.
      return [next as typeof updates, { baseOptimizerState, count: safeIncrement(state.count), r, m, v, s, x0 }];
    },
  };
}
