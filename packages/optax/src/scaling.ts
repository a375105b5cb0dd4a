import {
  abs,
  add,
  ArgumentError,
  div,
  floatPower,
  greater,
  greaterEqual,
  maximum,
  mul,
  rsqrt,
  sign,
  sqrt,
  square,
  sub,
  tanh,
  tree,
  where,
  type DType,
  type Tensor,
  type TensorLike,
} from "@jnx/tensor";
import { moment, nesterovMoment, secondMoment, stored, treeFull, unbiased, zeroCount } from "./moments.ts";
import { finite, type GradientTransformation } from "./transformation.ts";
import { safeIncrement, type AdamState, type CountState } from "./transforms.ts";
import { checkKeys } from "@jnx/tensor/internal";

/** Decays and what is added to denominators, as adaptive methods have them. */
export interface MomentOptions {
  readonly b1?: number;
  readonly b2?: number;
  readonly eps?: number;
  readonly epsRoot?: number;
}

function checked<T extends object>(name: string, options: T): T {
  for (const [key, value] of Object.entries(options)) if (typeof value === "number") finite(name, key, value);
  return options;
}

function adamInit(params: unknown, value = 0): AdamState {
  return { count: zeroCount(), mu: treeFull(params, value), nu: treeFull(params, value) };
}

/** m / (√(v + epsRoot) + eps), leaf by leaf. */
function ratio<T>(m: T, v: unknown, eps: number, epsRoot = 0): T {
  return tree.map((a: Tensor, b: Tensor) => div(a, add(sqrt(epsRoot === 0 ? b : add(b, epsRoot)), eps)), m, v);
}

/** Adam's memory with the largest variance seen. */
export interface AmsgradState extends AdamState {
  readonly nuMax: unknown;
}

/** Options of `scaleByAmsgrad`. */
export interface AmsgradOptions extends MomentOptions {
  /** The dtype that the mean of gradients is stored in; the parameters' unless given. */
  readonly muDtype?: DType;
  /** Whether the mean of gradients is corrected for its start at zero, true. */
  readonly biasCorrectionMu?: boolean;
  /** Whether the mean of their squares is, true. */
  readonly biasCorrectionNu?: boolean;
}

/**
 * Adam's direction with the largest v̂ seen so far in the denominator. Source: optax.scale_by_amsgrad; Reddi et al. 2018.
 *
 * @throws ArgumentError when an option is NaN or infinite.
 * @example
 * const tx = optax.scaleByAmsgrad();
 * tx.update([array([1, -2])], tx.init([array([3, 4])]))[0]; // [[0.99999, -0.99999]]
 */
export function scaleByAmsgrad(options: AmsgradOptions = {}): GradientTransformation<AmsgradState> {
  checkKeys("scaleByAmsgrad", options, "muDtype biasCorrectionMu? biasCorrectionNu? b1 b2 eps epsRoot");
  const { b1 = 0.9, b2 = 0.999, eps = 1e-8, epsRoot = 0, muDtype } = checked("scaleByAmsgrad", options);
  const { biasCorrectionMu = true, biasCorrectionNu = true } = options;
  return {
    init: (params) => ({ ...adamInit(params), mu: treeFull(params, 0, muDtype), nuMax: treeFull(params) }),
    update: (updates, state) => {
      const count = safeIncrement(state.count);
      const [mu, nu] = [moment(updates, state.mu, b1), secondMoment(updates, state.nu, b2)];
      const mean = biasCorrectionMu ? unbiased(mu, b1, count) : mu;
      const seen = biasCorrectionNu ? unbiased(nu, b2, count) : nu;
      const nuMax = tree.map((a: Tensor, b: TensorLike) => maximum(a, b), seen, state.nuMax);
      return [ratio(mean, nuMax, eps, epsRoot), { count, mu: stored(mu, muDtype), nu, nuMax }];
    },
  };
}

/**
 * m̂ / u with u = max(|g| + eps, b2·u). Source: optax.scale_by_adamax; Kingma & Ba 2014.
 *
 * @throws ArgumentError when an option is NaN or infinite.
 * @example
 * const tx = optax.scaleByAdamax();
 * tx.update([array([1, -2])], tx.init([array([3, 4])]))[0]; // [[1, -1]]
 */
export function scaleByAdamax(options: Omit<MomentOptions, "epsRoot"> = {}): GradientTransformation<AdamState> {
  checkKeys("scaleByAdamax", options, "eps b1 b2");
  const { b1 = 0.9, b2 = 0.999, eps = 1e-8 } = checked("scaleByAdamax", options);
  return {
    init: (params) => adamInit(params),
    update: (updates, state) => {
      const count = safeIncrement(state.count);
      const mu = moment(updates, state.mu, b1);
      const nu = tree.map((g: Tensor, u: TensorLike) => maximum(add(abs(g), eps), mul(b2, u)), updates, state.nu);
      return [tree.map((m: Tensor, u: Tensor) => div(m, u), unbiased(mu, b1, count), nu), { count, mu, nu }];
    },
  };
}

/**
 * Adam's direction by how far gradients are from their mean: s ← (1−b2)(g−m)² + b2·s + epsRoot. Source:
 * optax.scale_by_belief; Zhuang et al. 2020.
 *
 * @throws ArgumentError when an option is NaN or infinite.
 * @example optax.scaleByBelief().init([array([1, 2])]).mu; // [[0, 0]]
 */
export function scaleByBelief(
  options: MomentOptions & { readonly nesterov?: boolean } = {},
): GradientTransformation<AdamState> {
  checkKeys("scaleByBelief", options, "b1 b2 eps epsRoot nesterov?");
  const { b1 = 0.9, b2 = 0.999, eps = 1e-16, epsRoot = 1e-16, nesterov = false } = checked("scaleByBelief", options);
  return {
    init: (params) => adamInit(params),
    update: (updates, state) => {
      const count = safeIncrement(state.count);
      const mu = moment(updates, state.mu, b1);
      const error = tree.map((g: Tensor, m: Tensor) => sub(g, m), updates, mu);
      const nu = tree.map((v: Tensor) => add(v, epsRoot), secondMoment(error, state.nu, b2));
      const mean = nesterov ? nesterovMoment(updates, mu, b1, count) : unbiased(mu, b1, count);
      return [ratio(mean, unbiased(nu, b2, count), eps), { count, mu, nu }];
    },
  };
}

/** Options of `scaleByYogi`. */
export interface YogiOptions extends MomentOptions {
  /** What both moments start from, 1e-6. */
  readonly initialAccumulatorValue?: number;
}

/**
 * Adam with v ← v − (1−b2)·sign(v − g²)·g². Source: optax.scale_by_yogi; Zaheer et al. 2018.
 *
 * @throws ArgumentError when an option is NaN or infinite.
 * @example optax.scaleByYogi().init([array([1.5])]).mu; // [[0.000001]]
 */
export function scaleByYogi(options: YogiOptions = {}): GradientTransformation<AdamState> {
  checkKeys("scaleByYogi", options, "initialAccumulatorValue b1 b2 eps epsRoot");
  const { b1 = 0.9, b2 = 0.999, eps = 1e-3, epsRoot = 0 } = checked("scaleByYogi", options);
  return {
    init: (params) => adamInit(params, options.initialAccumulatorValue ?? 1e-6),
    update: (updates, state) => {
      const count = safeIncrement(state.count);
      const mu = moment(updates, state.mu, b1);
      const step = (g: Tensor, v: TensorLike): Tensor => {
        const squared = square(g);
        return sub(v, mul(mul(1 - b2, sign(sub(v, squared))), squared));
      };
      const nu = tree.map(step, updates, state.nu);
      return [ratio(unbiased(mu, b1, count), unbiased(nu, b2, count), eps, epsRoot), { count, mu, nu }];
    },
  };
}

/** Options of `scaleByRadam`. */
export interface RadamOptions extends MomentOptions {
  /** How long the mean alone is the direction: until ρ reaches it, 5. */
  readonly threshold?: number;
  readonly nesterov?: boolean;
}

/**
 * Adam whose variance is rectified: while too little is known of it, the mean alone is the direction. Source:
 * optax.scale_by_radam; Liu et al. 2019.
 *
 * @throws ArgumentError when an option is NaN or infinite.
 * @example
 * const tx = optax.scaleByRadam();
 * tx.update([array([1, -2])], tx.init([array([3, 4])]))[0]; // [[1, -2]]
 */
export function scaleByRadam(options: RadamOptions = {}): GradientTransformation<AdamState> {
  checkKeys("scaleByRadam", options, "threshold nesterov? b1 b2 eps epsRoot");
  const { b1 = 0.9, b2 = 0.999, eps = 1e-8, epsRoot = 0 } = checked("scaleByRadam", options);
  const { threshold = 5, nesterov = false } = options;
  const roInf = 2 / (1 - b2) - 1;
  return {
    init: (params) => adamInit(params),
    update: (updates, state) => {
      const count = safeIncrement(state.count);
      const [mu, nu] = [moment(updates, state.mu, b1), secondMoment(updates, state.nu, b2)];
      const power = floatPower(b2, count);
      const ro = sub(roInf, div(mul(mul(2, count), power), sub(1, power)));
      const mean = nesterov ? nesterovMoment(updates, mu, b1, count) : unbiased(mu, b1, count);
      const upper = mul(mul(sub(ro, 4), sub(ro, 2)), roInf);
      const r = sqrt(div(upper, mul((roInf - 4) * (roInf - 2), ro)));
      const known = greaterEqual(ro, threshold);
      const direction = (m: Tensor, v: Tensor): Tensor =>
        where(known, div(mul(r, m), add(sqrt(add(v, epsRoot)), eps)), m);
      return [tree.map(direction, mean, unbiased(nu, b2, count)), { count, mu, nu }];
    },
  };
}

/** Options of `scaleByRms` and `scaleByStddev`. */
export interface RmsOptions {
  /** Decay of the mean of squared gradients, 0.9. */
  readonly decay?: number;
  /** Added to the denominator, 1e-8. */
  readonly eps?: number;
  /** What the mean of squares starts from, 0. */
  readonly initialScale?: number;
  /** Whether eps is added inside the root, true. */
  readonly epsInSqrt?: boolean;
  /** Whether moments are corrected for their start, false. */
  readonly biasCorrection?: boolean;
}

function inverseRoot(v: Tensor, eps: number, inside: boolean): Tensor {
  return inside ? rsqrt(add(v, eps)) : div(1, add(sqrt(v), eps));
}

/** The mean of squares, with a count where it is corrected. */
export interface RmsState {
  readonly count?: TensorLike;
  readonly nu: unknown;
}

/**
 * g / √(v + eps), v ← (1−decay)·g² + decay·v. Source: optax.scale_by_rms; Tieleman & Hinton 2012.
 *
 * @throws ArgumentError when an option is NaN or infinite.
 * @example
 * const tx = optax.scaleByRms({ biasCorrection: true });
 * tx.update([array([1, -2])], tx.init([array([3, 4])]))[0]; // [[1, -1]]
 */
export function scaleByRms(options: RmsOptions = {}): GradientTransformation<RmsState> {
  checkKeys("scaleByRms", options, "decay eps initialScale epsInSqrt? biasCorrection?");
  const {
    decay = 0.9,
    eps = 1e-8,
    initialScale = 0,
    epsInSqrt = true,
    biasCorrection = false,
  } = checked("scaleByRms", options);
  return {
    init: (params) => ({ ...(biasCorrection ? { count: zeroCount() } : {}), nu: treeFull(params, initialScale) }),
    update: (updates, state) => {
      const nu = secondMoment(updates, state.nu, decay);
      const count = biasCorrection ? safeIncrement(state.count ?? 0) : undefined;
      const current = count === undefined ? nu : unbiased(nu, decay, count);
      const next = tree.map((g: Tensor, v: Tensor) => mul(inverseRoot(v, eps, epsInSqrt), g), updates, current);
      return [next, count === undefined ? { nu } : { count, nu }];
    },
  };
}

/** Mean and mean of squares, with a count where they are corrected. */
export interface StddevState extends RmsState {
  readonly mu: unknown;
}

/**
 * g / √(v − m² + eps): RMSProp by the centred variance. Source: optax.scale_by_stddev; Graves 2013.
 *
 * @throws ArgumentError when an option is NaN or infinite.
 * @example
 * const tx = optax.scaleByStddev();
 * tx.update([array([1, -2])], tx.init([array([3, 4])]))[0]; // [[3.3333, -3.3333]]
 */
export function scaleByStddev(options: RmsOptions = {}): GradientTransformation<StddevState> {
  checkKeys("scaleByStddev", options, "decay eps initialScale epsInSqrt? biasCorrection?");
  const {
    decay = 0.9,
    eps = 1e-8,
    initialScale = 0,
    epsInSqrt = true,
    biasCorrection = false,
  } = checked("scaleByStddev", options);
  return {
    init: (params) => ({
      ...(biasCorrection ? { count: zeroCount() } : {}),
      mu: treeFull(params),
      nu: treeFull(params, initialScale),
    }),
    update: (updates, state) => {
      const [mu, nu] = [moment(updates, state.mu, decay), secondMoment(updates, state.nu, decay)];
      const count = biasCorrection ? safeIncrement(state.count ?? 0) : undefined;
      const [m, v] = count === undefined ? [mu, nu] : [unbiased(mu, decay, count), unbiased(nu, decay, count)];
      const step = (g: Tensor, a: Tensor, b: Tensor): Tensor => mul(inverseRoot(sub(b, square(a)), eps, epsInSqrt), g);
      return [tree.map(step, updates, m, v), count === undefined ? { mu, nu } : { count, mu, nu }];
    },
  };
}

/** The sum of squared gradients. */
export interface RssState {
  readonly sumOfSquares: unknown;
}

/**
 * g / √(s + eps), s ← s + g². Source: optax.scale_by_rss; Duchi et al. 2011.
 *
 * @throws ArgumentError when an option is NaN or infinite.
 * @example
 * const tx = optax.scaleByRss({ initialAccumulatorValue: 0 });
 * tx.update([array([1, -2])], tx.init([array([3, 4])]))[0]; // [[1, -1]]
 */
export function scaleByRss(
  options: { readonly initialAccumulatorValue?: number; readonly eps?: number } = {},
): GradientTransformation<RssState> {
  checkKeys("scaleByRss", options, "initialAccumulatorValue eps");
  const { initialAccumulatorValue = 0.1, eps = 1e-7 } = checked("scaleByRss", options);
  return {
    init: (params) => ({ sumOfSquares: treeFull(params, initialAccumulatorValue) }),
    update: (updates, state) => {
      const sumOfSquares = tree.map((g: Tensor, s: TensorLike) => add(square(g), s), updates, state.sumOfSquares);
      const step = (g: Tensor, s: Tensor): Tensor => mul(where(greater(s, 0), rsqrt(add(s, eps)), 0), g);
      return [tree.map(step, updates, sumOfSquares), { sumOfSquares }];
    },
  };
}

/** Means of squared gradients and of squared updates. */
export interface AdadeltaState {
  readonly eG: unknown;
  readonly eX: unknown;
}

/**
 * u = √(X + eps) / √(E + eps) · g with running means E of g² and X of u². Source: optax.scale_by_adadelta; Zeiler 2012.
 *
 * @throws ArgumentError when an option is NaN or infinite.
 * @example optax.scaleByAdadelta().init([array([1, 2])]).eG; // [[0, 0]]
 */
export function scaleByAdadelta(
  options: { readonly rho?: number; readonly eps?: number } = {},
): GradientTransformation<AdadeltaState> {
  checkKeys("scaleByAdadelta", options, "rho eps");
  const { rho = 0.9, eps = 1e-6 } = checked("scaleByAdadelta", options);
  return {
    init: (params) => ({ eG: treeFull(params), eX: treeFull(params) }),
    update: (updates, state) => {
      const eG = secondMoment(updates, state.eG, rho);
      const step = (g: Tensor, e: Tensor, x: TensorLike): Tensor => mul(div(sqrt(add(x, eps)), sqrt(add(e, eps))), g);
      const next = tree.map(step, updates, eG, state.eX);
      return [next, { eG, eX: secondMoment(next, state.eX, rho) }];
    },
  };
}

/** Options of `scaleByLion`. */
export interface LionScaleOptions {
  /** Weight of the momentum in the direction, 0.9. */
  readonly b1?: number;
  /** Decay of the momentum, 0.99. */
  readonly b2?: number;
  /** "hard": the sign; "smooth": tanh(smoothBeta · x); "refined": x within ±1. */
  readonly mode?: "hard" | "smooth" | "refined";
  readonly smoothBeta?: number;
  /** The dtype that the momentum is stored in; the parameters' unless given. */
  readonly muDtype?: DType;
}

/** Lion's memory. */
export interface LionState extends CountState {
  readonly mu: unknown;
}

/**
 * sign((1−b1)·g + b1·m), then m ← (1−b2)·g + b2·m. Source: optax.scale_by_lion; Chen et al. 2023.
 *
 * @throws ArgumentError for another mode, or an option that is NaN or infinite.
 * @example
 * const tx = optax.scaleByLion();
 * tx.update([array([1, -2])], tx.init([array([3, 4])]))[0]; // [[1, -1]]
 */
export function scaleByLion(options: LionScaleOptions = {}): GradientTransformation<LionState> {
  checkKeys("scaleByLion", options, "b1 b2 mode smoothBeta muDtype");
  const { b1 = 0.9, b2 = 0.99, mode = "hard", smoothBeta = 1, muDtype } = checked("scaleByLion", options);
  const shape = (x: Tensor): Tensor => {
    if (mode === "hard") return sign(x);
    if (mode === "smooth") return tanh(mul(smoothBeta, x));
    return where(greater(1, abs(x)), x, sign(x));
  };
  if (!["hard", "smooth", "refined"].includes(mode))
    throw new ArgumentError(`scaleByLion: mode must be "hard", "smooth" or "refined", received ${String(mode)}`);
  return {
    init: (params) => ({ count: zeroCount(), mu: treeFull(params, 0, muDtype) }),
    update: (updates, state) => {
      const next = tree.map((x: Tensor) => shape(x), moment(updates, state.mu, b1));
      const mu = stored(moment(updates, state.mu, b2), muDtype);
      return [next, { count: safeIncrement(state.count), mu }];
    },
  };
}
