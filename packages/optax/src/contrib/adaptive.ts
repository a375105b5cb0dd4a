import {
  add,
  clip,
  div,
  equal,
  floatPower,
  greater,
  maximum,
  mul,
  sqrt,
  square,
  sub,
  tree,
  where,
  type DType,
  type Tensor,
  type TensorLike,
} from "@jnx/tensor";
import { decay, type DecayOptions, type Optimizer } from "../alias-options.ts";
import { moment, secondMoment, stored, treeFull, unbiased, zeroCount } from "../moments.ts";
import type { MomentOptions } from "../scaling.ts";
import { chain, type GradientTransformation, type ScalarOrSchedule } from "../transformation.ts";
import { erase, safeIncrement, scaleByLearningRate, type AdamState, type CountState } from "../transforms.ts";
import { checkKeys } from "@jnx/tensor/internal";

/** What a number or a schedule is at a count. */
export function valueAt(value: ScalarOrSchedule, count: TensorLike): TensorLike {
  return typeof value === "function" ? value(count) : value;
}

/**
 * The gradient divided by the deviation of gradients from their mean, as it was known a step earlier.
 * b1 0.9, b2 0.999, eps and epsRoot 1e-16. Source: optax.contrib.scale_by_acprop; Zhuang et al. 2021.
 * @example optax.contrib.scaleByAcprop().init([array([1, 2])]).mu; // [[0, 0]]
 */
export function scaleByAcprop(options: MomentOptions = {}): GradientTransformation<AdamState> {
  checkKeys("scaleByAcprop", options, "b1 b2 eps epsRoot");
  const { b1 = 0.9, b2 = 0.999, eps = 1e-16, epsRoot = 1e-16 } = options;
  return {
    init: (params) => ({ count: zeroCount(), mu: treeFull(params), nu: treeFull(params) }),
    update: (updates, state) => {
      const mu = moment(updates, state.mu, b1);
      const error = tree.map((g: Tensor, m: TensorLike) => sub(g, m), updates, state.mu);
      const nu = tree.map((v: Tensor) => add(v, epsRoot), secondMoment(error, state.nu, b2));
      const count = safeIncrement(state.count);
      const first = equal(state.count, 0);
      const before = unbiased(state.nu, b2, where(first, count, state.count));
      const direction = (g: Tensor, v: Tensor): Tensor => div(g, add(sqrt(where(first, 1, v)), eps));
      return [tree.map(direction, updates, before), { count, mu, nu }];
    },
  };
}

/**
 * Adabelief whose direction does not wait for its own denominator. Source: optax.contrib.acprop; Zhuang et al. 2021.
 * @example optax.contrib.acprop(0.1).init([array([1])]);
 */
export function acprop(learningRate: ScalarOrSchedule, options: MomentOptions & DecayOptions = {}): Optimizer {
  checkKeys("acprop", options, "b1 b2 eps epsRoot weightDecay mask");
  const { weightDecay = 0, mask, ...rest } = options;
  return chain(
    erase(scaleByAcprop(rest)),
    decay(weightDecay, mask),
    scaleByLearningRate(learningRate, { name: "acprop" }),
  );
}

/** Options of `scaleByAdemamix`. */
export interface AdemamixOptions extends MomentOptions {
  /** Decay of the slow mean of gradients, 0.9999; a number or a schedule. */
  readonly b3?: ScalarOrSchedule;
  /** Weight of the slow mean, 6 (5 in `ademamix`); a number or a schedule. */
  readonly alpha?: ScalarOrSchedule;
  /** The dtype that the moments are stored in; the parameters' unless given. */
  readonly muDtype?: DType;
}

/** Two means of gradients and one of their squares. */
export interface AdemamixState extends CountState {
  readonly countM2: TensorLike;
  readonly m1: unknown;
  readonly m2: unknown;
  readonly nu: unknown;
}

/**
 * (m̂₁ + alpha·m₂) / (√(v̂ + epsRoot) + eps) with a fast and a slow mean of gradients. Source:
 * optax.contrib.scale_by_ademamix; Pagliardini et al. 2024.
 * @example optax.contrib.scaleByAdemamix().init([array([1, 2])]).m2; // [[0, 0]]
 */
export function scaleByAdemamix(options: AdemamixOptions = {}): GradientTransformation<AdemamixState> {
  checkKeys("scaleByAdemamix", options, "b3 alpha muDtype b1 b2 eps epsRoot");
  const { b1 = 0.9, b2 = 0.999, b3 = 0.9999, alpha = 6, eps = 1e-8, epsRoot = 0, muDtype } = options;
  return {
    init: (params) => {
      const empty = (): unknown => treeFull(params, 0, muDtype);
      return { count: zeroCount(), countM2: zeroCount(), m1: empty(), m2: empty(), nu: empty() };
    },
    update: (updates, state) => {
      const weight = valueAt(alpha, state.countM2);
      const m1 = moment(updates, state.m1, b1);
      const m2 = moment(updates, state.m2, valueAt(b3, state.countM2));
      const nu = secondMoment(updates, state.nu, b2);
      const [count, countM2] = [safeIncrement(state.count), safeIncrement(state.countM2)];
      const direction = (fast: Tensor, slow: Tensor, v: Tensor): Tensor =>
        div(add(fast, mul(weight, slow)), add(sqrt(add(v, epsRoot)), eps));
      return [
        tree.map(direction, unbiased(m1, b1, count), m2, unbiased(nu, b2, count)),
        { count, countM2, m1, m2, nu },
      ];
    },
  };
}

/**
 * Adam with a second, slow mean of gradients. Source: optax.contrib.ademamix; Pagliardini et al. 2024.
 * @example optax.contrib.ademamix(0.1).init([array([1])]);
 */
export function ademamix(learningRate: ScalarOrSchedule, options: AdemamixOptions & DecayOptions = {}): Optimizer {
  checkKeys("ademamix", options, "b3 alpha muDtype b1 b2 eps epsRoot weightDecay mask");
  const { weightDecay = 0, mask, ...rest } = options;
  return chain(
    erase(scaleByAdemamix({ alpha: 5, ...rest })),
    decay(weightDecay, mask),
    scaleByLearningRate(learningRate, { name: "ademamix" }),
  );
}

/** Options of `scaleBySimplifiedAdemamix`. */
export interface SimplifiedAdemamixOptions extends MomentOptions {
  /** Weight of the gradient beside the momentum, 0; a number or a schedule. */
  readonly alpha?: ScalarOrSchedule;
}

/** The sum of gradients, and the mean of their squares. */
export interface SimplifiedAdemamixState {
  readonly t: TensorLike;
  readonly m: unknown;
  readonly n: unknown;
}

/**
 * (m + alpha·g) / (√(n̂ + epsRoot) + eps) with m ← b1·m + g; b1 0.99, b2 0.95. Source:
 * optax.contrib.scale_by_simplified_ademamix; Morwani et al. 2025.
 * @example optax.contrib.scaleBySimplifiedAdemamix().init([array([1, 2])]).m; // [[0, 0]]
 */
export function scaleBySimplifiedAdemamix(
  options: SimplifiedAdemamixOptions = {},
): GradientTransformation<SimplifiedAdemamixState> {
  checkKeys("scaleBySimplifiedAdemamix", options, "alpha b1 b2 eps epsRoot");
  const { b1 = 0.99, b2 = 0.95, alpha = 0, eps = 1e-8, epsRoot = 0 } = options;
  return {
    init: (params) => ({ t: zeroCount(), m: treeFull(params), n: treeFull(params) }),
    update: (updates, state) => {
      const weight = valueAt(alpha, state.t);
      const m = tree.map((g: Tensor, before: TensorLike) => add(g, mul(b1, before)), updates, state.m);
      const n = tree.map(
        (g: Tensor, before: TensorLike) => {
          const squared = square(g);
          return add(squared, mul(b2, sub(before, squared)));
        },
        updates,
        state.n,
      );
      const t = safeIncrement(state.t);
      const direction = (a: Tensor, g: Tensor, v: Tensor): Tensor =>
        div(add(a, mul(weight, g)), add(sqrt(add(v, epsRoot)), eps));
      return [tree.map(direction, m, updates, unbiased(n, b2, t)), { t, m, n }];
    },
  };
}

/**
 * ademamix with one momentum beside the gradient. Source: optax.contrib.simplified_ademamix; Morwani et al. 2025.
 * @example optax.contrib.simplifiedAdemamix(0.1).init([array([1])]);
 */
export function simplifiedAdemamix(
  learningRate: ScalarOrSchedule,
  options: SimplifiedAdemamixOptions & DecayOptions = {},
): Optimizer {
  checkKeys("simplifiedAdemamix", options, "alpha b1 b2 eps epsRoot weightDecay mask");
  const { weightDecay = 0, mask, ...rest } = options;
  return chain(
    erase(scaleBySimplifiedAdemamix(rest)),
    decay(weightDecay, mask),
    scaleByLearningRate(learningRate, { name: "simplifiedAdemamix" }),
  );
}

/** Options of `adopt` and `scaleByAdopt`. */
export interface AdoptOptions {
  readonly b1?: number;
  /** 0.9999 */
  readonly b2?: number;
  /** What √v is at least, 1e-6. */
  readonly eps?: number;
  readonly muDtype?: DType;
  readonly nesterov?: boolean;
  /** Whether normalized gradients are held within ± clipValueFn(count), true. */
  readonly useClipping?: boolean;
  /** count⁰·²⁵ unless given. */
  readonly clipValueFn?: (count: TensorLike) => TensorLike;
}

/**
 * Adam that divides by the variance known before the gradient, and gathers the momentum of the quotients. Source:
 * optax.contrib.scale_by_adopt; Taniguchi et al. 2024.
 * @example optax.contrib.scaleByAdopt().init([array([1, 2])]).nu; // [[0, 0]]
 */
export function scaleByAdopt(options: AdoptOptions = {}): GradientTransformation<AdamState> {
  checkKeys("scaleByAdopt", options, "b1 b2 eps muDtype nesterov? useClipping? clipValueFn");
  const { b1 = 0.9, b2 = 0.9999, eps = 1e-6, muDtype, nesterov = false, useClipping = true } = options;
  const { clipValueFn = (count: TensorLike): Tensor => floatPower(count, 0.25) } = options;
  return {
    init: (params) => ({ count: zeroCount(), mu: treeFull(params, 0, muDtype), nu: treeFull(params) }),
    update: (updates, state) => {
      const going = greater(state.count, 0);
      const nu = secondMoment(updates, state.nu, where(going, b2, 0));
      const bound = clipValueFn(state.count);
      const quotient = (g: Tensor, v: TensorLike): Tensor => {
        const q = div(g, maximum(sqrt(v), eps));
        return useClipping ? clip(q, mul(-1, bound), bound) : q;
      };
      const quotients = tree.map(quotient, updates, state.nu);
      const rate = where(going, b1, 1);
      const mu = moment(quotients, state.mu, rate);
      const next = nesterov ? moment(quotients, mu, rate) : mu;
      return [next, { count: safeIncrement(state.count), mu: stored(mu, muDtype), nu }];
    },
  };
}

/**
 * Adam that converges with any b2. Source: optax.contrib.adopt; Taniguchi et al. 2024.
 * @example optax.contrib.adopt(0.1).init([array([1])]);
 */
export function adopt(learningRate: ScalarOrSchedule, options: AdoptOptions = {}): Optimizer {
  checkKeys("adopt", options, "b1 b2 eps muDtype nesterov? useClipping? clipValueFn");
  return chain(erase(scaleByAdopt(options)), scaleByLearningRate(learningRate, { name: "adopt" }));
}
