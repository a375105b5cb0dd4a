import { ArgumentError, Tensor, type TensorLike } from "@jnx/tensor";

/** A value for each step: a function of the number of updates made so far. */
export type Schedule = (count: TensorLike) => TensorLike;

/** A number, or one that changes with the number of updates. */
export type ScalarOrSchedule = TensorLike | Schedule;

/** What `update` may be told besides gradients and parameters; a transformation that needs nothing ignores it. */
export type ExtraArguments = Readonly<Record<string, unknown>>;

/**
 * A step on the way from gradients to updates. `init` makes the state for a tree of parameters; `update` turns a tree
 * of gradients into a tree of updates of the same structure, and gives the next state. State is a plain tree.
 * Source: optax.GradientTransformation.
 *
 * @example
 * const params = { w: array([1.5, 2]) };
 * const tx = optax.sgd(0.1);
 * const [updates, state] = tx.update({ w: array([1, -2]) }, tx.init(params), params);
 * updates; // { w: [-0.1, 0.2] }
 */
export interface GradientTransformation<S = unknown> {
  init(params: unknown): S;
  update<T>(updates: T, state: S, params?: T, extra?: ExtraArguments): [updates: T, state: S];
}

/** State of transformations that remember nothing. */
export type EmptyState = Readonly<Record<string, never>>;

/**
 * The first state of a transformation that remembers nothing, whatever the parameters. Source: optax.init_empty_state.
 * @example optax.initEmptyState(); // {}
 */
export function initEmptyState(_params?: unknown): EmptyState {
  return {};
}

/**
 * A transformation without memory, of a function of updates and parameters. Source: optax.stateless.
 * @example optax.stateless((updates) => optax.tree.scale(2, updates)).update([array([1])], {})[0]; // [[2]]
 */
export function stateless(update: <T>(updates: T, params: T | undefined) => T): GradientTransformation<EmptyState> {
  return { init: () => ({}), update: (updates, state, params) => [update(updates, params), state] };
}

/**
 * Updates as they came. Source: optax.identity.
 * @example optax.identity().update([array([1, 2])], {})[0]; // [[1, 2]]
 */
export function identity(): GradientTransformation<EmptyState> {
  return stateless((updates) => updates);
}

/**
 * Several transformations, one after the other; the state is the array of theirs. Source: optax.chain.
 *
 * @throws ArgumentError when the state given to `update` has another number of entries.
 * @example
 * const tx = optax.chain(optax.clipByGlobalNorm(1), optax.scale(-0.5));
 * tx.update([array([3, 4.5])], tx.init([array([0, 0])]))[0]; // [[-0.27735, -0.41603]]
 */
export function chain(...transformations: readonly GradientTransformation[]): GradientTransformation<unknown[]> {
  return {
    init: (params) => transformations.map((one) => one.init(params)),
    update: (updates, state, params, extra) => {
      if (state.length !== transformations.length) {
        throw new ArgumentError(
          `chain: ${transformations.length} transformations, but a state of ${state.length} entries; call init first and pass the state it gives`,
        );
      }
      let current = updates;
      const next = transformations.map((one, k) => {
        const [changed, after] = one.update(current, state[k], params, extra);
        current = changed;
        return after;
      });
      return [current, next];
    },
  };
}

/** The given number, checked: NaN and infinities are mistakes that would otherwise show many steps later. */
export function finite(fn: string, name: string, value: number): number {
  if (Number.isFinite(value)) return value;
  throw new ArgumentError(`${fn}: ${name} must be a finite number, received ${value}; pass one such as 0.001`);
}

/** A learning rate as users give it: a schedule, an array, or a finite number. */
export function checkScalar(fn: string, name: string, value: ScalarOrSchedule): ScalarOrSchedule {
  if (typeof value === "number") return finite(fn, name, value);
  if (typeof value === "function" || value instanceof Tensor) return value;
  if (typeof value === "object" && value !== null && typeof value.toTensor === "function") return value;
  throw new ArgumentError(
    `${fn}: ${name} must be a number, a Tensor or a schedule, received ${String(value)}; pass a number such as 0.001`,
  );
}
