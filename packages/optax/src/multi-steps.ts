import {
  add,
  array,
  div,
  equal,
  greater,
  isfinite,
  logicalAnd,
  logicalNot,
  remainder,
  square,
  sub,
  sum,
  tree,
  where,
  type DType,
  type Tensor,
  type TensorLike,
} from "@jnx/tensor";
import { treeFull, zeroCount } from "./moments.ts";
import type { ExtraArguments, GradientTransformation, Schedule } from "./transformation.ts";
import { safeIncrement } from "./transforms.ts";
import { select } from "./wrappers.ts";
import { checkKeys } from "@jnx/tensor/internal";

/** What `MultiSteps` remembers. */
export interface MultiStepsState {
  readonly miniStep: TensorLike;
  readonly gradientStep: TensorLike;
  readonly innerOptState: unknown;
  readonly accGrads: unknown;
  readonly skipState: unknown;
}

/** Says whether gradients are left out, and what to remember of that. */
export type ShouldSkip = (
  updates: unknown,
  gradientStep: TensorLike,
  params: unknown,
) => [skip: TensorLike, state: unknown];

/** Options of `MultiSteps`. */
export interface MultiStepsOptions {
  /** Whether gradients are averaged, true, or added. */
  readonly useGradMean?: boolean;
  readonly shouldSkipUpdateFn?: ShouldSkip;
  /** The dtype that gradients are gathered in, float32. */
  readonly accumulatorDtype?: DType;
}

/**
 * Gathers the gradients of k steps and lets the optimizer see their mean at every k-th; the updates in between are zeros.
 * k may change with the number of updates made. Source: optax.MultiSteps.
 *
 * @example
 * const tx = new optax.MultiSteps(optax.sgd(1), 2);
 * const [first, state] = tx.update([array([2])], tx.init([array([0])]));
 * tx.update([array([4])], state)[0]; // [[-3]]
 */
export class MultiSteps implements GradientTransformation<MultiStepsState> {
  readonly innerOpt: GradientTransformation<never>;
  readonly #opt: GradientTransformation;
  readonly #every: (step: TensorLike) => TensorLike;
  readonly #mean: boolean;
  readonly #skip: ShouldSkip;
  readonly #dtype: DType;

  constructor(
    opt: GradientTransformation<never> | GradientTransformation<unknown[]>,
    everyKSchedule: number | Schedule,
    options: MultiStepsOptions = {},
  ) {
    checkKeys("MultiSteps", options, "useGradMean? shouldSkipUpdateFn accumulatorDtype");
    this.innerOpt = opt as GradientTransformation<never>; // given back only the state that it made
    this.#opt = opt as GradientTransformation; // as above
    this.#every = typeof everyKSchedule === "number" ? () => everyKSchedule : everyKSchedule;
    this.#mean = options.useGradMean ?? true;
    this.#skip = options.shouldSkipUpdateFn ?? (() => [array(false), []]);
    this.#dtype = options.accumulatorDtype ?? "float32";
  }

  init(params: unknown): MultiStepsState {
    const gradientStep = zeroCount();
    const [, skipState] = this.#skip(treeFull(params), gradientStep, params);
    return {
      miniStep: zeroCount(),
      gradientStep,
      innerOptState: this.#opt.init(params),
      accGrads: treeFull(params, 0, this.#dtype),
      skipState,
    };
  }

  update<T>(updates: T, state: MultiStepsState, params?: T, extra?: ExtraArguments): [T, MultiStepsState] {
    const { miniStep, gradientStep } = state;
    const k = this.#every(gradientStep);
    const [skip, skipState] = this.#skip(updates, gradientStep, params);
    const gather = (g: Tensor, sum: TensorLike): Tensor =>
      this.#mean ? add(sum, div(sub(g, sum), add(miniStep, 1))) : add(g, sum);
    const acc = tree.map(gather, updates, state.accGrads);
    const [final, inner] = this.#opt.update(acc, state.innerOptState, params, extra);
    const emit = logicalAnd(equal(miniStep, sub(k, 1)), logicalNot(skip));
    const next: MultiStepsState = {
      miniStep: where(skip, miniStep, remainder(safeIncrement(miniStep), k)),
      gradientStep: where(emit, safeIncrement(gradientStep), gradientStep),
      innerOptState: select(emit, inner, state.innerOptState),
      accGrads: select(
        skip,
        state.accGrads,
        tree.map((sum: Tensor) => where(emit, 0, sum), acc),
      ),
      skipState,
    };
    return [tree.map((u: Tensor) => where(emit, u, 0), final), next];
  }

  /** Whether the last update was one of the optimizer's. */
  hasUpdated(state: MultiStepsState): Tensor {
    return logicalAnd(equal(state.miniStep, 0), greater(state.gradientStep, 0));
  }

  gradientTransformation(): GradientTransformation<MultiStepsState> {
    return { init: (params) => this.init(params), update: (...args) => this.update(...args) };
  }
}

/**
 * For MultiSteps: leaves out gradients with NaN or infinities. Source: optax.skip_not_finite.
 * @example optax.skipNotFinite([array([NaN])], 0, undefined)[0]; // 1
 */
export const skipNotFinite: ShouldSkip = (updates) => {
  const bad = tree.leaves(updates).map((leaf) => sum(logicalNot(isfinite(leaf as TensorLike)))); // a tree of gradients
  const numNotFinite = bad.reduce((a, b) => add(a, b), array(0));
  const shouldSkip = greater(numNotFinite, 0);
  return [shouldSkip, { shouldSkip, numNotFinite }];
};

/**
 * For MultiSteps: leaves out gradients whose squared norm is not below a bound. Source: optax.skip_large_updates.
 * @example optax.skipLargeUpdates(9)([array([3])], 0, undefined)[0]; // 1
 */
export function skipLargeUpdates(maxSquaredNorm: number): ShouldSkip {
  return (updates) => {
    const squares = tree.leaves(updates).map((leaf) => sum(square(leaf as TensorLike))); // a tree of gradients
    const normSquared = squares.reduce((a, b) => add(a, b), array(0, { dtype: "float32" }));
    const shouldSkip = logicalNot(greater(maxSquaredNorm, normSquared));
    return [shouldSkip, { shouldSkip, normSquared }];
  };
}
