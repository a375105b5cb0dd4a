import { valueAndGrad } from "@jnx/autodiff";
import { cond, whileLoop } from "@jnx/compile";
import {
  add,
  ArgumentError,
  array,
  isinf,
  isnan,
  isfinite,
  greater,
  lessEqual,
  logicalAnd,
  logicalNot,
  maximum,
  minimum,
  mul,
  sub,
  where,
  type Tensor,
  type TensorLike,
} from "@jnx/tensor";
import { needed, treeFull, zeroCount } from "./moments.ts";
import type { ExtraArguments, GradientTransformation } from "./transformation.ts";
import { addScale, get, scale, vdot } from "./tree-ops.ts";
import { checkKeys } from "@jnx/tensor/internal";

/** From parameters to a scalar. */
export type ValueFn = (params: never) => TensorLike;

/** What line searches must be told at every update. */
export interface SearchArguments {
  readonly value: TensorLike;
  readonly grad: unknown;
  readonly valueFn: (params: unknown) => Tensor;
}

/** The extra arguments, checked. */
export function searchArguments(name: string, extra: ExtraArguments | undefined): SearchArguments {
  const { value, grad, valueFn } = extra ?? {};
  if (value === undefined || grad === undefined || typeof valueFn !== "function")
    throw new ArgumentError(
      `${name}: needs the function and what it gave; call update(updates, state, params, { value, grad, valueFn })`,
    );
  // Arithmetic refuses what is no array, and the trees must have the structure of the parameters.
  const call = (params: unknown): Tensor => array(Reflect.apply(valueFn, undefined, [params]) as TensorLike);
  return { value: value as TensorLike, grad, valueFn: call }; // as above
}

/** What a line search ended with. */
export interface LinesearchInfo {
  readonly numLinesearchSteps: TensorLike;
  readonly decreaseError: TensorLike;
}

/** The memory of `scaleByBacktrackingLinesearch`. */
export interface BacktrackingState {
  readonly learningRate: TensorLike;
  readonly value: TensorLike;
  readonly grad: unknown;
  readonly info: LinesearchInfo;
}

/** Options of `scaleByBacktrackingLinesearch`. */
export interface BacktrackingOptions {
  readonly maxBacktrackingSteps: number;
  /** The share of the slope that a step must go down by, 1e-4. */
  readonly slopeRtol?: number;
  /** Multiplies a step that is too long, 0.8. */
  readonly decreaseFactor?: number;
  /** Multiplies the step that was taken before, for a first guess, 1.5. */
  readonly increaseFactor?: number;
  /** What the first guess is at most, 1. */
  readonly maxLearningRate?: number;
  readonly atol?: number;
  readonly rtol?: number;
  /** Whether the value and gradient at the end are kept, for `valueAndGradFromState`; false. */
  readonly storeGrad?: boolean;
}

/** How far a value is over what is allowed; infinitely where it is NaN. */
function excess(value: Tensor, allowed: Tensor): Tensor {
  const error = sub(value, allowed);
  return maximum(where(isnan(error), Number.POSITIVE_INFINITY, error), 0);
}

interface Backtracked {
  readonly learningRate: Tensor;
  readonly newValue: Tensor;
  readonly newGrad: unknown;
  readonly decreaseError: Tensor;
  readonly count: Tensor;
}

/**
 * Scales updates by a step at which the value is low enough, shortening it until it is. `update` needs
 * `{ value, grad, valueFn }`. Source: optax.scale_by_backtracking_linesearch; Armijo 1966.
 *
 * @throws ArgumentError when `update` is called without params or without value, grad and valueFn.
 * @example
 * const valueFn = (w: Tensor) => jnp.sum(jnp.square(w));
 * const tx = optax.chain(optax.sgd(1), optax.scaleByBacktrackingLinesearch({ maxBacktrackingSteps: 15 }));
 * const w = array([1.5, 2]);
 * const [value, grad] = valueAndGrad(valueFn)(w);
 * tx.update(grad, tx.init(w), w, { value, grad, valueFn })[0].shape; // [2]
 */
export function scaleByBacktrackingLinesearch(options: BacktrackingOptions): GradientTransformation<BacktrackingState> {
  checkKeys(
    "scaleByBacktrackingLinesearch",
    options,
    "maxBacktrackingSteps slopeRtol decreaseFactor increaseFactor maxLearningRate atol rtol storeGrad?",
  );
  const name = "scaleByBacktrackingLinesearch";
  const { maxBacktrackingSteps, slopeRtol = 1e-4, decreaseFactor = 0.8, increaseFactor = 1.5 } = options;
  const { maxLearningRate = 1, atol = 0, rtol = 0, storeGrad = false } = options;
  return {
    init: (params) => ({
      learningRate: array(1, { dtype: "float32" }),
      value: array(Number.POSITIVE_INFINITY),
      grad: storeGrad ? treeFull(params) : null,
      info: { numLinesearchSteps: zeroCount(), decreaseError: array(Number.POSITIVE_INFINITY) },
    }),
    update: (updates, state, given, extra) => {
      const params = needed(name, given);
      const { value, grad, valueFn } = searchArguments(name, extra);
      const slope = vdot<unknown>(updates, grad);
      const start: Backtracked = {
        learningRate: minimum(mul(increaseFactor, state.learningRate), maxLearningRate),
        newValue: array(value, { dtype: "float32" }),
        newGrad: storeGrad ? treeFull(params) : null,
        decreaseError: array(Number.POSITIVE_INFINITY),
        count: zeroCount(),
      };
      const shorten = ({ learningRate: before, count }: Backtracked): Backtracked => {
        const learningRate = where(greater(count, 0), mul(decreaseFactor, before), before);
        const there = addScale(params, learningRate, updates);
        const [newValue, newGrad] = storeGrad ? valueAndGrad(valueFn)(there) : [valueFn(there), null];
        const allowed = add(mul(1 + rtol, value), mul(mul(learningRate, slopeRtol), slope));
        const decreaseError = excess(newValue, allowed);
        return { learningRate, newValue, newGrad, decreaseError, count: add(count, 1) };
      };
      const found = whileLoop(
        ({ decreaseError, count }: Backtracked) =>
          logicalAnd(logicalNot(lessEqual(decreaseError, atol)), lessEqual(count, maxBacktrackingSteps)),
        shorten,
        start,
        { maxIterations: maxBacktrackingSteps + 1 },
      );
      const learningRate = where(isinf(found.decreaseError), 0, found.learningRate);
      const info = { numLinesearchSteps: found.count, decreaseError: found.decreaseError };
      return [scale(learningRate, updates), { learningRate, value: found.newValue, grad: found.newGrad, info }];
    },
  };
}

/**
 * The value and gradient of a function, taken from the state of an optimizer whose line search has just computed them, and
 * computed where it has not. Source: optax.value_and_grad_from_state.
 *
 * @throws ArgumentError for a state that keeps neither.
 * @example
 * const valueFn = (w: Tensor) => jnp.sum(jnp.square(w));
 * const w = array([1.5, 2]);
 * optax.valueAndGradFromState(valueFn)(w, optax.lbfgs().init(w))[1]; // [3, 4]
 */
export function valueAndGradFromState<P>(
  valueFn: (params: P) => TensorLike,
): (params: P, state: unknown) => [value: Tensor, grad: P] {
  return (params, state) => {
    const [value, grad] = [get(state, "value"), get(state, "grad")];
    if (value === undefined || grad === undefined || grad === null)
      throw new ArgumentError(
        "valueAndGradFromState: the state has no value and grad; use lbfgs, or a line search with storeGrad",
      );
    const known = value as TensorLike; // what line searches keep
    const fresh = (): [Tensor, P] => valueAndGrad((p: P) => array(valueFn(p)))(params) as [Tensor, P]; // a tree like p
    return cond(isfinite(known), (): [Tensor, P] => [array(known), grad as P], fresh); // as line searches keep it
  };
}
