import { add, ArgumentError, equal, mul, remainder, sub, tree, where, type Tensor, type TensorLike } from "@jnx/tensor";
import { needed, zeroCount } from "./moments.ts";
import type { GradientTransformation } from "./transformation.ts";
import { select } from "./wrappers.ts";
import { checkKeys } from "@jnx/tensor/internal";

/** Parameters that move fast, and slow ones that follow them. */
export interface LookaheadParams<T = unknown> {
  readonly fast: T;
  readonly slow: T;
}

/** What the fast optimizer remembers, and the steps since slow followed. */
export interface LookaheadState {
  readonly fastState: unknown;
  readonly stepsSinceSync: TensorLike;
}

/**
 * Lets an optimizer move fast parameters, and every `syncPeriod` steps moves slow ones a part of the way and sets the
 * fast ones back to them, with `resetState` the fast optimizer's state to that of a start. Parameters and updates are
 * `{ fast, slow }`; gradients are those of fast.
 *
 * @throws ArgumentError for a period below 1. Source: optax.lookahead; Zhang et al. 2019.
 * @example
 * const tx = optax.lookahead(optax.sgd(1), 1, 0.5);
 * const params = { fast: [array([0])], slow: [array([0])] };
 * tx.update([array([2])], tx.init(params), params)[0]; // { fast: [[-1]], slow: [[-1]] }
 */
export function lookahead(
  fastOptimizer: GradientTransformation<never> | GradientTransformation<unknown[]>,
  syncPeriod: number,
  slowStepSize: number,
  options: { readonly resetState?: boolean } = {},
): {
  init(params: LookaheadParams): LookaheadState;
  update<T>(updates: T, state: LookaheadState, params: LookaheadParams<T>): [LookaheadParams<T>, LookaheadState];
} {
  checkKeys("lookahead", options, "resetState?");
  if (syncPeriod < 1) throw new ArgumentError(`lookahead: syncPeriod must be at least 1, received ${syncPeriod}`);
  const fastTx = fastOptimizer as GradientTransformation; // given back only the state that it made
  return {
    init: ({ fast }) => ({ fastState: fastTx.init(fast), stepsSinceSync: zeroCount() }),
    update: (updates, state, given) => {
      const params = needed("lookahead", given);
      const [moved, fastState] = fastTx.update(updates, state.fastState, params.fast);
      const sync = equal(state.stepsSinceSync, syncPeriod - 1);
      const gap = tree.map(
        (f: TensorLike, u: Tensor, s: TensorLike) => sub(add(f, u), s),
        params.fast,
        moved,
        params.slow,
      );
      const slow = tree.map((d: Tensor) => where(sync, mul(slowStepSize, d), 0), gap);
      const fast = tree.map((u: Tensor, d: Tensor) => sub(u, where(sync, mul(1 - slowStepSize, d), 0)), moved, gap);
      const memory: unknown =
        options.resetState === true ? select<unknown>(sync, fastTx.init(params.fast), fastState) : fastState;
      return [
        { fast, slow },
        { fastState: memory, stepsSinceSync: remainder(add(state.stepsSinceSync, 1), syncPeriod) },
      ];
    },
  };
}
