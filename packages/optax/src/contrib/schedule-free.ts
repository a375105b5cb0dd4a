import {
  add,
  ArgumentError,
  array,
  astype,
  div,
  isnan,
  logicalOr,
  maximum,
  mul,
  power,
  sub,
  tree,
  where,
  zeros,
  type DType,
  type Tensor,
  type TensorLike,
} from "@jnx/tensor";
import { asTensor, checkKeys } from "@jnx/tensor/internal";
import { sgd } from "../alias.ts";
import { decay } from "../alias-options.ts";
import { needed, stored } from "../moments.ts";
import { scaleByRms } from "../scaling.ts";
import { warmupConstantSchedule } from "../schedules-more.ts";
import { chain, type GradientTransformation, type ScalarOrSchedule } from "../transformation.ts";
import { erase, safeIncrement, scaleByLearningRate } from "../transforms.ts";
import { valueAt } from "./adaptive.ts";

/** The memory of `scheduleFree`. */
export interface ScheduleFreeState {
  readonly b1: TensorLike;
  readonly weightSum: TensorLike;
  readonly stepCount: TensorLike;
  readonly maxLr: TensorLike;
  readonly baseOptimizerState: unknown;
  readonly z: unknown;
}

/** Options of `scheduleFree`. */
export interface ScheduleFreeOptions {
  /** How far the parameters are towards the mean, 0.9. */
  readonly b1?: number;
  /** The power of the learning rate that weighs a step, 2. */
  readonly weightLrPower?: number;
  /** The dtype of the sequence z; the parameters' unless given. */
  readonly stateDtype?: DType;
}

/**
 * The mean that training converges to: evaluate and save these instead of the parameters. Source:
 * optax.contrib.schedule_free_eval_params.
 *
 * @throws ArgumentError for another state than that of `scheduleFree`.
 * @example
 * const tx = optax.contrib.scheduleFreeSgd(1);
 * optax.contrib.scheduleFreeEvalParams(tx.init([array([1])]), [array([1])]); // [[1]]
 */
export function scheduleFreeEvalParams<T>(state: ScheduleFreeState, params: T): T {
  // Callers without types can pass any state.
  const { b1, z } = state as Partial<ScheduleFreeState>;
  if (b1 === undefined || z === undefined)
    throw new ArgumentError("scheduleFreeEvalParams: takes the state of scheduleFree; find it with optax.tree.get");
  return averaged(params, z, b1);
}

/** (y − (1 − b1)·z) / b1 */
function averaged<T>(params: T, z: unknown, b1: TensorLike): T {
  return tree.map((y: TensorLike, one: TensorLike) => div(sub(y, mul(sub(1, b1), one)), b1), params, z);
}

/**
 * Another optimizer with averaging in the place of a schedule that ends in 0. Source: optax.contrib.schedule_free; Defazio
 * et al. 2024.
 *
 * @throws ArgumentError when `update` is called without params.
 * @example optax.contrib.scheduleFree(optax.sgd(0.1), 0.1).init([array([1])]).z; // [[1]]
 */
export function scheduleFree<S>(
  baseOptimizer: GradientTransformation<S>,
  learningRate: ScalarOrSchedule,
  options: ScheduleFreeOptions = {},
): GradientTransformation<ScheduleFreeState> {
  checkKeys("scheduleFree", options, "b1 weightLrPower stateDtype");
  const { b1 = 0.9, weightLrPower = 2, stateDtype } = options;
  return {
    init: (params) => ({
      b1: array(b1, { dtype: "float32" }),
      weightSum: zeros([]),
      stepCount: array(1, { dtype: "int32" }),
      maxLr: zeros([]),
      baseOptimizerState: baseOptimizer.init(params),
      z: stored(params, stateDtype),
    }),
    update: (updates, state, given, extra) => {
      const params = needed("scheduleFree", given);
      const maxLr = maximum(state.maxLr, valueAt(learningRate, state.stepCount));
      const weight = power(maxLr, weightLrPower);
      const weightSum = add(state.weightSum, weight);
      const share = div(weight, weightSum);
      const known = where(isnan(share), 0, share);
      const ck = where(logicalOr(isnan(weight), isnan(weightSum)), Number.NaN, known);
      const inner = state.baseOptimizerState as S; // made by init
      const [moved, baseOptimizerState] = baseOptimizer.update(updates, inner, params, extra);
      const z = tree.map(
        (u: Tensor, one: TensorLike) => astype(add(one, u), asTensor(one, "scheduleFree").dtype),
        moved,
        state.z,
      );
      const step = (x: Tensor, one: Tensor, p: TensorLike): Tensor => {
        const mean = add(mul(sub(1, ck), x), mul(ck, one));
        return sub(add(mul(b1, mean), mul(1 - b1, one)), p);
      };
      const next = tree.map(step, averaged(params, state.z, b1), z, params);
      const stepCount = safeIncrement(state.stepCount);
      return [next, { b1: state.b1, weightSum, stepCount, maxLr, baseOptimizerState, z }];
    },
  };
}

/** Options of `scheduleFreeSgd`. */
export interface ScheduleFreeSgdOptions extends ScheduleFreeOptions {
  /** Steps in which the learning rate grows from 0; none unless given. */
  readonly warmupSteps?: number;
  readonly weightDecay?: number;
}

function warmed(learningRate: number, warmupSteps: number | undefined): ScalarOrSchedule {
  return warmupSteps === undefined ? learningRate : warmupConstantSchedule(0, learningRate, warmupSteps);
}

/**
 * Gradient descent without a schedule. Source: optax.contrib.schedule_free_sgd.
 * @example optax.contrib.scheduleFreeSgd(1).init([array([1])]).weightSum; // 0
 */
export function scheduleFreeSgd(
  learningRate = 1,
  options: ScheduleFreeSgdOptions = {},
): GradientTransformation<ScheduleFreeState> {
  checkKeys("scheduleFreeSgd", options, "warmupSteps weightDecay b1 weightLrPower stateDtype");
  const { warmupSteps, weightDecay, ...rest } = options;
  const rate = warmed(learningRate, warmupSteps);
  const base = erase(sgd(rate));
  return scheduleFree(weightDecay === undefined ? base : erase(chain(decay(weightDecay), base)), rate, rest);
}

/** Options of `scheduleFreeAdamw`. */
export interface ScheduleFreeAdamwOptions extends ScheduleFreeSgdOptions {
  readonly b2?: number;
  readonly eps?: number;
}

/**
 * AdamW without a schedule; learning rate 0.0025. Source: optax.contrib.schedule_free_adamw.
 * @example optax.contrib.scheduleFreeAdamw(0.1).init([array([1])]).weightSum; // 0
 */
export function scheduleFreeAdamw(
  learningRate = 0.0025,
  options: ScheduleFreeAdamwOptions = {},
): GradientTransformation<ScheduleFreeState> {
  checkKeys("scheduleFreeAdamw", options, "b2 eps warmupSteps weightDecay b1 weightLrPower stateDtype");
  const { warmupSteps, weightDecay = 0, b2 = 0.999, eps = 1e-8, ...rest } = options;
  const rate = warmed(learningRate, warmupSteps);
  const base = chain(
    erase(scaleByRms({ decay: b2, eps, epsInSqrt: false, biasCorrection: true })),
    decay(weightDecay),
    scaleByLearningRate(rate, { name: "scheduleFreeAdamw" }),
  );
  return scheduleFree(base, rate, rest);
}
