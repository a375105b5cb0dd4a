import { add, ArgumentError, div, equal, neg, remainder, sub, tree } from "@jnx/tensor";
import type { Tensor, TensorLike } from "@jnx/tensor";
import { applyUpdates } from "../apply.ts";
import { needed, zeroCount } from "../moments.ts";
import { stateless, type EmptyState, type GradientTransformation } from "../transformation.ts";
import { norm } from "../tree-ops.ts";
import { select } from "../wrappers.ts";
import { checkKeys } from "@jnx/tensor/internal";

/**
 * Updates divided by their global norm. Source: optax.contrib.normalize.
 * @example optax.contrib.normalize().update([array([3, 4])], {})[0]; // [[0.6, 0.8]]
 */
export function normalize(): GradientTransformation<EmptyState> {
  return stateless((updates) => {
    const size = norm(updates);
    return tree.map((g: Tensor) => div(g, size), updates);
  });
}

/** The memory of `sam`. */
export interface SamState {
  readonly stepsSinceSync: TensorLike;
  readonly optState: unknown;
  readonly advState: unknown;
  readonly cache: unknown;
}

/** Options of `sam`. */
export interface SamOptions {
  /** Steps from one update of the parameters to the next, 2. */
  readonly syncPeriod?: number;
  /** Whether the adversary forgets at each, true. */
  readonly resetState?: boolean;
  /** Whether one call makes all steps: `update` then needs `{ gradFn }`, from parameters and a step to gradients; false. */
  readonly opaqueMode?: boolean;
}

/**
 * Sharpness-aware minimization: an adversary climbs away from the parameters, and the gradient there moves them. Source:
 * optax.contrib.sam; Foret et al. 2021.
 *
 * @throws ArgumentError for a period below 1, and when `update` is called without params, or in opaque mode without gradFn.
 * @example
 * const adversary = optax.chain(optax.contrib.normalize(), optax.sgd(0.05));
 * optax.contrib.sam(optax.sgd(0.1), adversary).init([array([1])]).cache; // [[1]]
 */
export function sam<A, B>(
  optimizer: GradientTransformation<A>,
  advOptimizer: GradientTransformation<B>,
  options: SamOptions = {},
): GradientTransformation<SamState> {
  checkKeys("sam", options, "syncPeriod resetState? opaqueMode?");
  const { syncPeriod = 2, resetState = true, opaqueMode = false } = options;
  if (syncPeriod < 1) throw new ArgumentError(`sam: syncPeriod must be at least 1, received ${syncPeriod}`);
  const parts: Parts<A, B> = { optimizer, advOptimizer, syncPeriod, resetState };
  const transparent: GradientTransformation<SamState>["update"] = (updates, state, params) =>
    step(parts, updates, state, needed("sam", params));
  const opaque: GradientTransformation<SamState>["update"] = (updates, state, params, extra) =>
    whole(parts, updates, state, needed("sam", params), extra?.["gradFn"]);
  return {
    init: (params) => ({
      stepsSinceSync: zeroCount(),
      optState: optimizer.init(params),
      advState: advOptimizer.init(params),
      cache: opaqueMode ? null : params,
    }),
    update: opaqueMode ? opaque : transparent,
  };
}

interface Parts<A, B> {
  readonly optimizer: GradientTransformation<A>;
  readonly advOptimizer: GradientTransformation<B>;
  readonly syncPeriod: number;
  readonly resetState: boolean;
}

/** One step: of the adversary, or at the last of a period of the optimizer. */
function step<A, B, T>(
  { optimizer, advOptimizer, syncPeriod, resetState }: Parts<A, B>,
  updates: T,
  state: SamState,
  params: T,
): [T, SamState] {
  const first = equal(state.stepsSinceSync, 0);
  const last = equal(state.stepsSinceSync, syncPeriod - 1);
  const [climb, climbed] = advOptimizer.update(updates, state.advState as B, params); // made by init
  const known = state.cache as T; // the parameters of a step before
  const [moved, after] = optimizer.update(updates, state.optState as A, known); // made by init
  const away = tree.map((u: Tensor) => neg(u), climb);
  const back = tree.map((u: Tensor, c: TensorLike, p: TensorLike) => add(sub(c, p), u), moved, known, params);
  return [
    select(last, back, away),
    {
      stepsSinceSync: remainder(add(state.stepsSinceSync, 1), syncPeriod),
      advState: select<unknown>(last, resetState ? advOptimizer.init(params) : state.advState, climbed),
      optState: select<unknown>(last, after, state.optState),
      cache: select<unknown>(first, params, state.cache),
    },
  ];
}

/** All steps of a period at once. */
function whole<A, B, T>(
  { optimizer, advOptimizer, syncPeriod, resetState }: Parts<A, B>,
  updates: T,
  state: SamState,
  params: T,
  gradFn: unknown,
): [T, SamState] {
  if (typeof gradFn !== "function")
    throw new ArgumentError("sam: opaqueMode needs gradFn; call update(updates, state, params, { gradFn })");
  let [there, grads, memory] = [params, updates, state.advState as B]; // made by init
  for (let k = 0; k < syncPeriod - 1; k++) {
    const [climb, next] = advOptimizer.update(grads, memory, there);
    memory = next;
    there = applyUpdates(
      there,
      tree.map((u: Tensor) => neg(u), climb),
    );
    // What a function from parameters to gradients gives.
    grads = Reflect.apply(gradFn, undefined, [there, k]) as T;
  }
  const [moved, optState] = optimizer.update(grads, state.optState as A, params); // made by init
  const advState: unknown = resetState ? advOptimizer.init(params) : memory;
  return [moved, { stepsSinceSync: zeroCount(), advState, optState, cache: null }];
}
