import {
  add,
  ArgumentError,
  array,
  astype,
  div,
  floatPower,
  less,
  mul,
  sqrt,
  square,
  sub,
  tree,
  where,
  zeros,
  zerosLike,
  type DType,
  type Tensor,
  type TensorLike,
} from "@jnx/tensor";
import { globalNorm } from "./apply.ts";
import {
  checkScalar,
  finite,
  stateless,
  type EmptyState,
  type GradientTransformation,
  type ScalarOrSchedule,
  type Schedule,
} from "./transformation.ts";
import { checkKeys } from "@jnx/tensor/internal";

const MAX_INT32 = 2147483647;

/** A fresh int32 counter. */
function zeroCount(): Tensor {
  return zeros([], { dtype: "int32" });
}

/**
 * count + 1, but never past the largest int32. Source: optax.safe_increment.
 * @example optax.safeIncrement(array(2147483647)); // 2147483647
 */
export function safeIncrement(count: TensorLike): Tensor {
  return where(less(count, MAX_INT32), add(count, 1), MAX_INT32);
}

/**
 * Multiplies updates by a constant. Source: optax.scale.
 *
 * @throws ArgumentError when `factor` is NaN or infinite.
 * @example
 * optax.scale(-0.5).update([array([1, 2])], {})[0]; // [[-0.5, -1]]
 */
export function scale(factor: TensorLike): GradientTransformation<EmptyState> {
  checkScalar("scale", "factor", factor);
  return stateless((updates) => tree.map((g: Tensor) => mul(g, factor), updates));
}

/** Counts the updates made so far: a scalar int32. */
export interface CountState {
  readonly count: TensorLike;
}

/**
 * Multiplies updates by `schedule(count)`, count being the number of updates made before. Source: optax.scale_by_schedule.
 *
 * @example
 * const tx = optax.scaleBySchedule(optax.linearSchedule(1, 0, 10));
 * tx.update([array([1, 2])], tx.init([array([3, 4])]), [array([3, 4])])[0]; // [[1, 2]]
 */
export function scaleBySchedule(schedule: Schedule): GradientTransformation<CountState> {
  return {
    init: () => ({ count: zeroCount() }),
    update: (updates, { count }) => {
      const factor = schedule(count);
      return [
        tree.map((g: Tensor) => mul(array(factor, { dtype: g.dtype }), g), updates),
        { count: safeIncrement(count) },
      ];
    },
  };
}

/**
 * Multiplies updates by −learningRate (by +learningRate with `flipSign: false`). Source: optax.scale_by_learning_rate.
 *
 * @throws ArgumentError when the learning rate is a number that is not finite.
 * @example
 * const tx = optax.scaleByLearningRate(0.1);
 * tx.update([array([1, 2])], tx.init([array([3, 4])]), [array([3, 4])])[0]; // [[-0.1, -0.2]]
 */
export function scaleByLearningRate(
  learningRate: ScalarOrSchedule,
  options: { readonly flipSign?: boolean; readonly name?: string } = {},
): GradientTransformation {
  checkKeys("scaleByLearningRate", options, "flipSign? name");
  const rate = checkScalar(options.name ?? "scaleByLearningRate", "learningRate", learningRate);
  const sign = options.flipSign === false ? 1 : -1;
  if (typeof rate === "function") return erase(scaleBySchedule((count) => mul(sign, rate(count))));
  return erase(scale(typeof rate === "number" ? sign * rate : mul(sign, rate)));
}

/** Options of `trace`. */
export interface TraceOptions {
  /** Whether the decayed trace is added once more to what goes out; false. */
  readonly nesterov?: boolean;
  /** The dtype that the momentum is stored in; the parameters' unless given. */
  readonly accumulatorDtype?: DType;
}

/** The momentum of past updates, a tree like the parameters. */
export interface TraceState {
  readonly trace: unknown;
}

/**
 * Accumulates: trace ← g + decay · trace, and gives trace, or with nesterov g + decay · trace. Source: optax.trace.
 *
 * @throws ArgumentError when the decay is NaN or infinite.
 * @example
 * const tx = optax.trace(0.9, { nesterov: true });
 * tx.update([array([1, 2])], tx.init([array([3, 4])]), [array([3, 4])])[0]; // [[1.9, 3.8]]
 */
export function trace(decay: number, options: TraceOptions = {}): GradientTransformation<TraceState> {
  checkKeys("trace", options, "nesterov? accumulatorDtype");
  finite("trace", "decay", decay);
  const { nesterov = false, accumulatorDtype } = options;
  const accumulate = (g: Tensor, t: TensorLike): Tensor => add(g, mul(decay, t));
  return {
    init: (params) => ({ trace: zerosIn(params, accumulatorDtype) }),
    update: (updates, state) => {
      const next = tree.map(accumulate, updates, state.trace);
      return [nesterov ? tree.map(accumulate, updates, next) : next, { trace: kept(next, accumulatorDtype) }];
    },
  };
}

/** Zeros like the leaves, in a dtype of their own where one is given. */
function zerosIn(params: unknown, dtype: DType | undefined): unknown {
  return tree.map((p: TensorLike) => zerosLike(p, dtype === undefined ? {} : { dtype }), params);
}

/** What is remembered, in its dtype. */
function kept(values: unknown, dtype: DType | undefined): unknown {
  return dtype === undefined ? values : tree.map((x: TensorLike) => astype(x, dtype), values);
}

/** Options of `scaleByAdam`, with Optax's defaults. */
export interface AdamOptions {
  /** Decay of the mean of gradients, 0.9. */
  readonly b1?: number;
  /** Decay of the mean of squared gradients, 0.999. */
  readonly b2?: number;
  /** Added to the denominator outside the root, 1e-8. */
  readonly eps?: number;
  /** Added inside the root, 0. */
  readonly epsRoot?: number;
  /** Nesterov's momentum, as Dozat (2016) puts it into Adam; false. */
  readonly nesterov?: boolean;
  /** The dtype that the mean of gradients is stored in; the parameters' unless given. */
  readonly muDtype?: DType;
}

/** Adam's memory: the mean and the uncentred variance of gradients, trees like the parameters. */
export interface AdamState extends CountState {
  readonly mu: unknown;
  readonly nu: unknown;
}

/**
 * Adam's direction: m ← b1·m + (1−b1)·g, v ← b2·v + (1−b2)·g², and m̂ / (√(v̂ + epsRoot) + eps) where x̂ = x / (1 − bᵗ)
 * corrects for the start at zero. Source: optax.scale_by_adam; Kingma & Ba 2014.
 *
 * @throws ArgumentError when an option is NaN or infinite.
 * @example
 * const tx = optax.scaleByAdam();
 * tx.update([array([1, -2])], tx.init([array([3, 4])]), [array([3, 4])])[0]; // [[0.99999, -0.99999]]
 */
export function scaleByAdam(options: AdamOptions = {}): GradientTransformation<AdamState> {
  checkKeys("scaleByAdam", options, "b1 b2 eps epsRoot nesterov? muDtype");
  const { b1 = 0.9, b2 = 0.999, eps = 1e-8, epsRoot = 0, nesterov = false, muDtype } = options;
  for (const [name, value] of Object.entries({ b1, b2, eps, epsRoot })) finite("scaleByAdam", name, value);
  return {
    init: (params) => ({ count: zeroCount(), mu: zerosIn(params, muDtype), nu: zerosIn(params, undefined) }),
    update: (updates, state) => {
      const count = safeIncrement(state.count);
      const mu = tree.map((g: Tensor, t: TensorLike) => add(mul(1 - b1, g), mul(b1, t)), updates, state.mu);
      const nu = tree.map((g: Tensor, t: TensorLike) => add(mul(1 - b2, square(g)), mul(b2, t)), updates, state.nu);
      const [now, after] = [correction(b1, count), nesterov ? correction(b1, safeIncrement(count)) : undefined];
      const second = correction(b2, count);
      const direction = (g: Tensor, m: Tensor, v: Tensor): Tensor => {
        const mean = after === undefined ? div(m, now) : add(mul(b1, div(m, after)), mul(1 - b1, div(g, now)));
        return div(mean, add(sqrt(add(div(v, second), epsRoot)), eps));
      };
      return [tree.map(direction, updates, mu, nu), { count, mu: kept(mu, muDtype), nu }];
    },
  };
}

/** 1 − decayᵗ, in float32 as Optax computes it. */
function correction(decay: number, count: Tensor): Tensor {
  return sub(1, floatPower(decay, count));
}

/**
 * Adds weightDecay · params to the updates; the decay may be a schedule, which counts the updates made before. `mask` is a
 * tree of booleans like the parameters, or a function from them to it: false leaves a parameter out. Source:
 * optax.add_decayed_weights.
 *
 * @throws ArgumentError when `update` is called without params, or the decay is not finite.
 * @example
 * const tx = optax.addDecayedWeights(0.1);
 * tx.update([array([1, 2])], tx.init([array([3, 4])]), [array([3, 4])])[0]; // [[1.3, 2.4]]
 */
export function addDecayedWeights(
  weightDecay: ScalarOrSchedule,
  options: { readonly mask?: Mask | undefined } = {},
): GradientTransformation<EmptyState | CountState> {
  checkKeys("addDecayedWeights", options, "mask");
  const decay = checkScalar("addDecayedWeights", "weightDecay", weightDecay);
  const { mask } = options;
  const grown = <T>(updates: T, params: T | undefined, strength: TensorLike): T => {
    if (params === undefined)
      throw new ArgumentError("addDecayedWeights: needs the parameters; call update(updates, state, params)");
    if (strength === 0) return updates;
    const decayed = (g: Tensor, p: TensorLike): Tensor => add(g, mul(strength, p));
    if (mask === undefined) return tree.map(decayed, updates, params);
    const chosen: unknown = typeof mask === "function" ? mask(params) : mask;
    return tree.map((g: Tensor, p: TensorLike, keep: boolean) => (keep ? decayed(g, p) : g), updates, params, chosen);
  };
  if (typeof decay !== "function") return stateless((updates, params) => grown(updates, params, decay));
  return {
    init: () => ({ count: zeroCount() }),
    update: (updates, state, params) => {
      const count = "count" in state ? state.count : zeroCount();
      return [grown(updates, params, decay(count)), { count: safeIncrement(count) }];
    },
  };
}

/** Which parameters: a tree of booleans like them, or a function from them to it. */
export type Mask = ((params: unknown) => unknown) | object;

/**
 * Scales all updates down together so that their global norm is at most `maxNorm`. Source: optax.clip_by_global_norm.
 *
 * @throws ArgumentError when maxNorm is NaN or infinite.
 * @example
 * const tx = optax.clipByGlobalNorm(1);
 * tx.update([array([3, 4])], tx.init([array([3, 4])]), [array([3, 4])])[0]; // [[0.6, 0.8]]
 */
export function clipByGlobalNorm(maxNorm: number): GradientTransformation<EmptyState> {
  finite("clipByGlobalNorm", "maxNorm", maxNorm);
  return stateless((updates) => {
    const norm = globalNorm(updates);
    const within = less(norm, maxNorm);
    return tree.map((g: Tensor) => where(within, g, mul(div(g, norm), maxNorm)), updates);
  });
}

/** Chains hold transformations of any state: each is only ever given back the state it made. */
export function erase<S>(one: GradientTransformation<S>): GradientTransformation {
  return one as GradientTransformation; // see the sentence above
}
