import {
  add,
  ArgumentError,
  astype,
  clip,
  cos,
  div,
  floatPower,
  floor,
  lessEqual,
  maximum,
  minimum,
  mul,
  power,
  sub,
  where,
  type TensorLike,
} from "@jnx/tensor";
import { finite, type Schedule } from "./transformation.ts";
import { checkKeys } from "@jnx/tensor/internal";

/**
 * The same value at every step. Source: optax.constant_schedule.
 *
 * @throws ArgumentError when the value is NaN or infinite.
 * @example optax.constantSchedule(0.1)(5); // 0.1
 */
export function constantSchedule(value: number): Schedule {
  finite("constantSchedule", "value", value);
  return () => value;
}

/** Options of `linearSchedule` and `polynomialSchedule`. */
export interface TransitionOptions {
  /** The step at which the transition begins, 0. */
  readonly transitionBegin?: number;
}

/**
 * (init − end) · (1 − t/T)^power + end, where t = count − transitionBegin held between 0 and T = transitionSteps. With
 * no steps, init for ever. Source: optax.polynomial_schedule.
 *
 * @throws ArgumentError when a number is NaN or infinite.
 * @example
 * optax.polynomialSchedule(1, 0, 2, 10)(5); // 0.25
 */
export function polynomialSchedule(
  initValue: number,
  endValue: number,
  exponent: number,
  transitionSteps: number,
  options: TransitionOptions = {},
): Schedule {
  checkKeys("polynomialSchedule", options, "transitionBegin");
  const { transitionBegin = 0 } = options;
  for (const [name, value] of Object.entries({
    initValue,
    endValue,
    power: exponent,
    transitionSteps,
    transitionBegin,
  }))
    finite("polynomialSchedule", name, value);
  if (transitionSteps <= 0) return () => initValue;
  const begin = Math.max(0, transitionBegin);
  return (count) => {
    const left = sub(1, div(clip(sub(count, begin), 0, transitionSteps), transitionSteps));
    return add(mul(initValue - endValue, power(left, exponent)), endValue);
  };
}

/**
 * From init to end in equal steps: init + (end − init) · t/T. Source: optax.linear_schedule.
 *
 * @example
 * const warmup = optax.linearSchedule(0, 1e-3, 100); // a function of the step
 * warmup(50); // 0.0005
 */
export function linearSchedule(
  initValue: number,
  endValue: number,
  transitionSteps: number,
  options: TransitionOptions = {},
): Schedule {
  checkKeys("linearSchedule", options, "transitionBegin");
  return polynomialSchedule(initValue, endValue, 1, transitionSteps, options);
}

/** Options of `cosineDecaySchedule`. */
export interface CosineOptions {
  /** The value at the end, as a part of the first, 0. */
  readonly alpha?: number;
  /** Bends the curve: the cosine part is raised to it, 1. */
  readonly exponent?: number;
}

/**
 * init · ((1 − alpha) · (½ (1 + cos(π t/T)))^exponent + alpha), t = min(count, decaySteps). Source:
 * optax.cosine_decay_schedule; Loshchilov & Hutter 2017.
 *
 * @throws ArgumentError unless decaySteps is positive.
 * @example
 * optax.cosineDecaySchedule(1, 100)(25); // 0.85355
 */
export function cosineDecaySchedule(initValue: number, decaySteps: number, options: CosineOptions = {}): Schedule {
  checkKeys("cosineDecaySchedule", options, "alpha exponent");
  const { alpha = 0, exponent = 1 } = options;
  for (const [name, value] of Object.entries({ initValue, decaySteps, alpha, exponent }))
    finite("cosineDecaySchedule", name, value);
  if (decaySteps <= 0)
    throw new ArgumentError(`cosineDecaySchedule: decaySteps must be positive, received ${decaySteps}`);
  return (count) => {
    const t = minimum(count, decaySteps);
    const wave = mul(0.5, add(1, cos(div(mul(Math.PI, t), decaySteps))));
    return mul(initValue, add(mul(1 - alpha, power(wave, exponent)), alpha));
  };
}

/** Options of `exponentialDecay`. */
export interface ExponentialOptions extends TransitionOptions {
  /** True to fall in whole steps: t/T is rounded down. */
  readonly staircase?: boolean;
  /** Where the decay stops: a lower bound for rates below 1, else an upper one. */
  readonly endValue?: number;
}

/**
 * init · decayRate^(t/T), t = count − transitionBegin, T = transitionSteps; init before that.
 * Source: optax.exponential_decay.
 *
 * @throws ArgumentError when a number is NaN or infinite.
 * @example
 * optax.exponentialDecay(1, 10, 0.5)(5); // 0.70711
 */
export function exponentialDecay(
  initValue: number,
  transitionSteps: number,
  decayRate: number,
  options: ExponentialOptions = {},
): Schedule {
  checkKeys("exponentialDecay", options, "staircase? endValue transitionBegin");
  const { transitionBegin = 0, staircase = false, endValue } = options;
  for (const [name, value] of Object.entries({ initValue, transitionSteps, decayRate, transitionBegin }))
    finite("exponentialDecay", name, value);
  if (transitionSteps <= 0 || decayRate === 0) return () => initValue;
  const begin = Math.max(0, transitionBegin);
  const bound = (value: TensorLike): TensorLike =>
    endValue === undefined ? value : (decayRate < 1 ? maximum : minimum)(value, endValue);
  return (count) => {
    const t = astype(sub(count, begin), "float32");
    const exponent = div(t, transitionSteps);
    const decayed = mul(initValue, floatPower(decayRate, staircase ? floor(exponent) : exponent));
    return bound(where(lessEqual(t, 0), initValue, decayed));
  };
}
