import {
  add,
  ArgumentError,
  array,
  cbrt,
  div,
  equal,
  floatPower,
  less,
  lessEqual,
  maximum,
  minimum,
  mul,
  neg,
  sqrt,
  square,
  sub,
  tree,
  where,
  zeros,
  type Tensor,
  type TensorLike,
} from "@jnx/tensor";
import { decay, type Optimizer } from "../alias-options.ts";
import { needed, treeFull, zeroCount } from "../moments.ts";
import { chain, type ExtraArguments, type GradientTransformation, type ScalarOrSchedule } from "../transformation.ts";
import { erase, safeIncrement, type CountState } from "../transforms.ts";
import { norm, vdot } from "../tree-ops.ts";
import { valueAt } from "./adaptive.ts";
import { checkKeys } from "@jnx/tensor/internal";

const EPSILON = 2 ** -23;

/** The function's value, which `update` must be told. */
export function neededValue(name: string, extra: ExtraArguments | undefined): TensorLike {
  const value = extra?.["value"];
  if (value === undefined || value === null)
    throw new ArgumentError(`${name}: needs the function's value; call update(updates, state, params, { value })`);
  return value as TensorLike; // arithmetic refuses what is no array
}

/** Options of `momo` and `momoAdam`. */
export interface MomoOptions {
  /** A lower bound of the loss, 0. */
  readonly lowerBound?: number;
  readonly weightDecay?: number;
  /** Whether the bound is estimated, false. */
  readonly adaptLowerBound?: boolean;
}

/** The memory of `momo`. */
export interface MomoState extends CountState {
  readonly expAvg: unknown;
  readonly barf: TensorLike;
  readonly gamma: TensorLike;
  readonly lb: TensorLike;
}

interface Model {
  /** 1 + alpha · weightDecay */
  readonly shrink: TensorLike;
  readonly barf: Tensor;
  readonly gamma: Tensor;
  readonly product: Tensor;
  readonly squared: Tensor;
  readonly lb: TensorLike;
  /** What corrects the bound for the start of the means at zero. */
  readonly correction: TensorLike;
}

/** The bound for this step, the step that the model of the loss allows, and the bound for the next. */
function modelStep(
  { shrink, barf, gamma, product, squared, lb, correction }: Model,
  rate: TensorLike,
  { lowerBound = 0, adaptLowerBound = false }: MomoOptions,
): { readonly tau: Tensor; readonly next: TensorLike } {
  const cap = add(mul(shrink, sub(barf, gamma)), product);
  const lowered = maximum(div(cap, mul(mul(2, correction), shrink)), lowerBound);
  const bound = adaptLowerBound ? where(less(cap, mul(mul(shrink, correction), lb)), lowered, lb) : lb;
  const room = add(mul(shrink, sub(sub(barf, mul(correction, bound)), gamma)), product);
  const step = where(lessEqual(squared, EPSILON), 0, div(maximum(room, 0), squared));
  const tau = minimum(div(rate, correction), step);
  if (!adaptLowerBound) return { tau, next: lb };
  const estimate = sub(sub(add(barf, product), gamma), mul(0.5, mul(tau, squared)));
  return { tau, next: maximum(div(estimate, correction), lowerBound) };
}

/**
 * Momentum whose step is bounded by a model of the loss; `update` needs `{ value }`. Learning rate 1, beta 0.9. Source:
 * optax.contrib.momo; Schaipp et al. 2023.
 *
 * @throws ArgumentError when `update` is called without params or without a value.
 * @example optax.contrib.momo().init([array([1])]).lb; // 0
 */
export function momo(
  learningRate: ScalarOrSchedule = 1,
  options: MomoOptions & { readonly beta?: number } = {},
): GradientTransformation<MomoState> {
  checkKeys("momo", options, "lowerBound weightDecay adaptLowerBound? beta");
  const { beta = 0.9, lowerBound = 0, weightDecay = 0 } = options;
  return {
    init: (params) => ({
      expAvg: treeFull(params),
      barf: zeros([]),
      gamma: zeros([]),
      lb: array(lowerBound, { dtype: "float32" }),
      count: zeroCount(),
    }),
    update: (updates, state, given, extra) => {
      const params = needed("momo", given);
      const value = neededValue("momo", extra);
      const b = where(equal(state.count, 0), 0, beta);
      const blend = (old: TensorLike, next: TensorLike): Tensor => add(mul(b, old), mul(sub(1, b), next));
      const barf = blend(state.barf, value);
      const expAvg = tree.map((g: Tensor, m: TensorLike) => blend(m, g), updates, state.expAvg);
      const gamma = blend(state.gamma, vdot(updates, params));
      const rate = valueAt(learningRate, state.count);
      const shrink = add(1, mul(rate, weightDecay));
      const model = { shrink, barf, gamma, lb: state.lb, correction: 1 };
      const product = vdot(expAvg, params);
      const squared = norm(expAvg, { squared: true });
      const { tau, next: lb } = modelStep({ ...model, product, squared }, rate, options);
      const pull = neg(div(mul(rate, weightDecay), shrink));
      const step = (m: Tensor, p: TensorLike): Tensor => sub(mul(pull, p), mul(tau, m));
      return [tree.map(step, expAvg, params), { expAvg, barf, gamma, lb, count: safeIncrement(state.count) }];
    },
  };
}

/** The memory of `momoAdam`. */
export interface MomoAdamState extends MomoState {
  readonly expAvgSq: unknown;
}

/** Options of `momoAdam`. */
export interface MomoAdamOptions extends MomoOptions {
  readonly b1?: number;
  readonly b2?: number;
  readonly eps?: number;
}

/**
 * Adam whose step is bounded by a model of the loss; `update` needs `{ value }`. Learning rate 0.01. Source:
 * optax.contrib.momo_adam; Schaipp et al. 2023.
 *
 * @throws ArgumentError when `update` is called without params or without a value.
 * @example optax.contrib.momoAdam().init([array([1])]).expAvgSq; // [[0]]
 */
export function momoAdam(
  learningRate: ScalarOrSchedule = 0.01,
  options: MomoAdamOptions = {},
): GradientTransformation<MomoAdamState> {
  checkKeys("momoAdam", options, "b1 b2 eps lowerBound weightDecay adaptLowerBound?");
  const { b1 = 0.9, b2 = 0.999, eps = 1e-8, weightDecay = 0 } = options;
  const base = momo(learningRate, options);
  return {
    init: (params) => ({ ...base.init(params), expAvgSq: treeFull(params) }),
    update: (updates, state, given, extra) => {
      const params = needed("momoAdam", given);
      const value = neededValue("momoAdam", extra);
      const count = safeIncrement(state.count);
      const barf = add(mul(b1, state.barf), mul(1 - b1, value));
      const expAvg = tree.map((g: Tensor, m: TensorLike) => add(mul(b1, m), mul(1 - b1, g)), updates, state.expAvg);
      const expAvgSq = tree.map(
        (g: Tensor, v: TensorLike) => add(mul(b2, v), mul(mul(1 - b2, g), g)),
        updates,
        state.expAvgSq,
      );
      const second = sub(1, floatPower(b2, count));
      const precond = tree.map((v: Tensor) => add(eps, sqrt(div(v, second))), expAvgSq);
      const weighted = tree.map((m: Tensor, p: Tensor) => div(m, p), expAvg, precond);
      const gamma = add(mul(b1, state.gamma), mul(1 - b1, vdot(updates, params)));
      const rate = valueAt(learningRate, state.count);
      const shrink = add(1, mul(rate, weightDecay));
      const correction = sub(1, floatPower(b1, count));
      const model = { shrink, barf, gamma, lb: state.lb, correction };
      const product = vdot(expAvg, params);
      const { tau, next: lb } = modelStep({ ...model, product, squared: vdot(expAvg, weighted) }, rate, options);
      const pull = neg(div(mul(rate, weightDecay), shrink));
      const step = (m: Tensor, c: Tensor, p: TensorLike): Tensor => sub(mul(pull, p), div(mul(tau, m), c));
      return [tree.map(step, expAvg, precond, params), { expAvg, expAvgSq, barf, gamma, lb, count }];
    },
  };
}

/** The memory of `madgrad`. */
export interface MadgradState extends CountState {
  readonly gradSumSq: unknown;
  readonly s: unknown;
  readonly x0: unknown;
}

/** Options of `madgrad`. */
export interface MadgradOptions {
  /** 0.9 */
  readonly momentum?: number;
  readonly weightDecay?: number;
  /** 1e-6 */
  readonly eps?: number;
}

/**
 * Dual averaging with the cube root of squared gradients. Source: optax.contrib.scale_by_madgrad; Defazio & Jelassi 2021.
 *
 * @throws ArgumentError when `update` is called without params.
 * @example optax.contrib.scaleByMadgrad(0.1).init([array([1])]).x0; // [[1]]
 */
export function scaleByMadgrad(
  learningRate: ScalarOrSchedule,
  options: Omit<MadgradOptions, "weightDecay"> = {},
): GradientTransformation<MadgradState> {
  checkKeys("scaleByMadgrad", options, "momentum eps");
  const { momentum = 0.9, eps = 1e-6 } = options;
  return {
    init: (params) => ({ count: zeroCount(), gradSumSq: treeFull(params), s: treeFull(params), x0: params }),
    update: (updates, state, given) => {
      const params = needed("scaleByMadgrad", given);
      const { x0 } = state;
      const lamb = mul(add(valueAt(learningRate, state.count), eps), sqrt(add(state.count, 1)));
      const gradSumSq = tree.map((g: Tensor, v: TensorLike) => add(v, mul(lamb, square(g))), updates, state.gradSumSq);
      const s = tree.map((g: Tensor, before: TensorLike) => add(before, mul(lamb, g)), updates, state.s);
      const step = (x: TensorLike, total: Tensor, v: Tensor, p: TensorLike): Tensor => {
        const z = sub(x, div(total, add(cbrt(v), eps)));
        return sub(add(mul(1 - momentum, z), mul(momentum, p)), p);
      };
      const next = tree.map(step, x0, s, gradSumSq, params);
      // A tree like the parameters, as the updates are.
      return [next as typeof updates, { count: safeIncrement(state.count), gradSumSq, s, x0 }];
    },
  };
}

/**
 * Adagrad with dual averaging and momentum. Source: optax.contrib.madgrad; Defazio & Jelassi 2021.
 * @example optax.contrib.madgrad(0.1).init([array([1])]);
 */
export function madgrad(learningRate: ScalarOrSchedule, options: MadgradOptions = {}): Optimizer {
  checkKeys("madgrad", options, "momentum weightDecay eps");
  const { weightDecay = 0, ...rest } = options;
  return chain(decay(weightDecay), erase(scaleByMadgrad(learningRate, rest)));
}
