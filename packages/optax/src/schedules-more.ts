import {
  add,
  ArgumentError,
  astype,
  clip,
  cos,
  div,
  greaterEqual,
  less,
  logicalAnd,
  mul,
  sub,
  where,
  type Tensor,
  type TensorLike,
} from "@jnx/tensor";
import { cosineDecaySchedule, exponentialDecay, linearSchedule, type ExponentialOptions } from "./schedules.ts";
import { finite, type Schedule } from "./transformation.ts";
import { checkKeys } from "@jnx/tensor/internal";

/** Steps with what the value is multiplied by from each on: `{ 100: 0.1 }`. */
export type BoundariesAndScales = Readonly<Record<number, number>>;

function sortedScales(name: string, scales: BoundariesAndScales): [number, number][] {
  const entries = Object.entries(scales).map(([step, scale]): [number, number] => [Number(step), scale]);
  const negative = entries.find(([, scale]) => !(scale >= 0));
  if (negative !== undefined)
    throw new ArgumentError(`${name}: scales must not be negative, received ${negative[1]} at ${negative[0]}`);
  return entries.sort(([a], [b]) => a - b);
}

/**
 * A value that is multiplied by a scale from each boundary on. Source: optax.piecewise_constant_schedule.
 *
 * @throws ArgumentError for a negative scale.
 * @example optax.piecewiseConstantSchedule(1, { 3: 0.1, 6: 0.5 })(4); // 0.1
 */
export function piecewiseConstantSchedule(initValue: number, boundariesAndScales: BoundariesAndScales = {}): Schedule {
  finite("piecewiseConstantSchedule", "initValue", initValue);
  const scales = sortedScales("piecewiseConstantSchedule", boundariesAndScales);
  return (count) =>
    scales.reduce<TensorLike>((value, [step, scale]) => where(less(count, step), value, mul(value, scale)), initValue);
}

/**
 * Between the boundaries the value goes from one scale's to the next, in a line or half a cosine. Source:
 * optax.piecewise_interpolate_schedule.
 *
 * @throws ArgumentError for another kind, or a negative scale.
 * @example optax.piecewiseInterpolateSchedule("linear", 1, { 10: 0 })(5); // 0.5
 */
export function piecewiseInterpolateSchedule(
  interpolateType: "linear" | "cosine",
  initValue: number,
  boundariesAndScales: BoundariesAndScales = {},
): Schedule {
  const name = "piecewiseInterpolateSchedule";
  if (!["linear", "cosine"].includes(interpolateType))
    throw new ArgumentError(`${name}: the kind must be "linear" or "cosine", received ${String(interpolateType)}`);
  const scales = sortedScales(name, boundariesAndScales);
  const bounds = [0, ...scales.map(([step]) => step)];
  // Cumulative products in float32, as Optax computes them.
  const values = [Math.fround(initValue)];
  for (const [, scale] of scales) values.push(Math.fround((values.at(-1) ?? 0) * Math.fround(scale)));
  return (count) => {
    const inside = scales.map((_, k): Tensor => {
      const [from = 0, to = 0, start = 0, end = 0] = [bounds[k], bounds[k + 1], values[k], values[k + 1]];
      const part = div(astype(sub(count, from), "float32"), Math.max(1, to - from));
      const value =
        interpolateType === "linear"
          ? add(mul(end - start, part), start)
          : add(end, mul((start - end) / 2, add(cos(mul(Math.PI, part)), 1)));
      return where(logicalAnd(greaterEqual(count, from), less(count, to)), value, 0);
    });
    const last = where(greaterEqual(count, bounds.at(-1) ?? 0), values.at(-1) ?? 0, 0);
    return inside.reduce((a, b) => add(a, b), last);
  };
}

/** Options of the one-cycle schedules. */
export interface OnecycleOptions {
  /** Which part of the steps rises, 0.3. */
  readonly pctStart?: number;
  /** The first value is the peak divided by this, 25. */
  readonly divFactor?: number;
  /** The last value is the first divided by this, 1e4. */
  readonly finalDivFactor?: number;
}

function checkedSteps(name: string, steps: number): void {
  if (!(steps > 0)) throw new ArgumentError(`${name}: transitionSteps must be positive, received ${steps}`);
}

/**
 * Up to the peak, down again, and further down, in three lines. Source: optax.linear_onecycle_schedule; Smith & Topin 2017.
 *
 * @throws ArgumentError unless there are steps.
 * @example optax.linearOnecycleSchedule(20, 1)(6); // 1
 */
export function linearOnecycleSchedule(
  transitionSteps: number,
  peakValue: number,
  options: OnecycleOptions & { readonly pctFinal?: number } = {},
): Schedule {
  checkKeys("linearOnecycleSchedule", options, "pctStart divFactor finalDivFactor pctFinal");
  const { pctStart = 0.3, pctFinal = 0.85, divFactor = 25, finalDivFactor = 1e4 } = options;
  checkedSteps("linearOnecycleSchedule", transitionSteps);
  return piecewiseInterpolateSchedule("linear", peakValue / divFactor, {
    [Math.trunc(pctStart * transitionSteps)]: divFactor,
    [Math.trunc(pctFinal * transitionSteps)]: 1 / divFactor,
    [transitionSteps]: 1 / finalDivFactor,
  });
}

/**
 * Up to the peak and down to almost nothing, in two half cosines. Source: optax.cosine_onecycle_schedule.
 *
 * @throws ArgumentError unless there are steps.
 * @example optax.cosineOnecycleSchedule(20, 1)(6); // 1
 */
export function cosineOnecycleSchedule(
  transitionSteps: number,
  peakValue: number,
  options: OnecycleOptions = {},
): Schedule {
  checkKeys("cosineOnecycleSchedule", options, "pctStart divFactor finalDivFactor");
  const { pctStart = 0.3, divFactor = 25, finalDivFactor = 1e4 } = options;
  checkedSteps("cosineOnecycleSchedule", transitionSteps);
  return piecewiseInterpolateSchedule("cosine", peakValue / divFactor, {
    [Math.trunc(pctStart * transitionSteps)]: divFactor,
    [transitionSteps]: 1 / (divFactor * finalDivFactor),
  });
}

/**
 * One schedule after another, each counting from its own beginning. Source: optax.join_schedules.
 *
 * @throws ArgumentError unless there is one boundary fewer than schedules.
 * @example optax.joinSchedules([optax.constantSchedule(1), optax.linearSchedule(1, 0, 4)], [2])(4); // 0.5
 */
export function joinSchedules(schedules: readonly Schedule[], boundaries: readonly number[]): Schedule {
  const [first, ...rest] = schedules;
  if (first === undefined || rest.length !== boundaries.length)
    throw new ArgumentError(
      `joinSchedules: ${schedules.length} schedules need ${Math.max(0, schedules.length - 1)} boundaries, received ${boundaries.length}`,
    );
  return (count) =>
    rest.reduce<TensorLike>((value, schedule, k) => {
      const boundary = boundaries[k] ?? 0;
      // The later schedule is asked for no step before its own first one.
      return where(less(count, boundary), value, schedule(clip(sub(count, boundary), 0, 2 ** 30)));
    }, first(count));
}

/**
 * A line from init to peak, then peak. Source: optax.warmup_constant_schedule.
 * @example optax.warmupConstantSchedule(0, 1, 4)(2); // 0.5
 */
export function warmupConstantSchedule(initValue: number, peakValue: number, warmupSteps: number): Schedule {
  return linearSchedule(initValue, peakValue, warmupSteps);
}

/** Options of `warmupCosineDecaySchedule`. */
export interface WarmupCosineOptions {
  /** The value at the end, 0. */
  readonly endValue?: number;
  /** Bends the cosine, 1. */
  readonly exponent?: number;
}

/**
 * A line from init to peak, then half a cosine down to endValue; decaySteps counts both. Source:
 * optax.warmup_cosine_decay_schedule.
 *
 * @throws ArgumentError unless decaySteps is more than warmupSteps.
 * @example optax.warmupCosineDecaySchedule(0, 1, 4, 12)(8); // 0.5
 */
export function warmupCosineDecaySchedule(
  initValue: number,
  peakValue: number,
  warmupSteps: number,
  decaySteps: number,
  options: WarmupCosineOptions = {},
): Schedule {
  checkKeys("warmupCosineDecaySchedule", options, "endValue exponent");
  const { endValue = 0, exponent = 1 } = options;
  const alpha = peakValue === 0 ? 0 : endValue / peakValue;
  return joinSchedules(
    [
      linearSchedule(initValue, peakValue, warmupSteps),
      cosineDecaySchedule(peakValue, decaySteps - warmupSteps, { alpha, exponent }),
    ],
    [warmupSteps],
  );
}

/**
 * A line from init to peak, then exponential decay. Source: optax.warmup_exponential_decay_schedule.
 * @example optax.warmupExponentialDecaySchedule(0, 1, 4, 2, 0.5)(6); // 0.5
 */
export function warmupExponentialDecaySchedule(
  initValue: number,
  peakValue: number,
  warmupSteps: number,
  transitionSteps: number,
  decayRate: number,
  options: ExponentialOptions = {},
): Schedule {
  checkKeys("warmupExponentialDecaySchedule", options, "staircase? endValue transitionBegin");
  return joinSchedules(
    [
      linearSchedule(initValue, peakValue, warmupSteps),
      exponentialDecay(peakValue, transitionSteps, decayRate, options),
    ],
    [warmupSteps],
  );
}

/** One warm-up and decay of `sgdrSchedule`. */
export interface SgdrCycle extends WarmupCosineOptions {
  readonly initValue: number;
  readonly peakValue: number;
  readonly warmupSteps: number;
  readonly decaySteps: number;
}

/**
 * Warm-ups with cosine decay, one after the other. Source: optax.sgdr_schedule; Loshchilov & Hutter 2017.
 *
 * @throws ArgumentError without a cycle.
 * @example
 * const cycle = { initValue: 0, peakValue: 1, warmupSteps: 2, decaySteps: 6 };
 * optax.sgdrSchedule([cycle, cycle])(8); // 1
 */
export function sgdrSchedule(cycles: readonly SgdrCycle[]): Schedule {
  const schedules = cycles.map(({ initValue, peakValue, warmupSteps, decaySteps, ...rest }) =>
    warmupCosineDecaySchedule(initValue, peakValue, warmupSteps, decaySteps, rest),
  );
  let total = 0;
  const ends = cycles.map(({ decaySteps }) => (total += decaySteps));
  return joinSchedules(schedules, ends.slice(0, -1));
}
