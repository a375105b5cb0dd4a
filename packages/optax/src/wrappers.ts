import {
  add,
  all,
  ArgumentError,
  array,
  equal,
  greater,
  isfinite,
  logicalAnd,
  logicalOr,
  mul,
  remainder,
  sub,
  tree,
  where,
  type Tensor,
  type TensorLike,
} from "@jnx/tensor";
import { treeFull, zeroCount } from "./moments.ts";
import { stateless, type EmptyState, type ExtraArguments, type GradientTransformation } from "./transformation.ts";
import { safeIncrement, type Mask } from "./transforms.ts";
import { checkKeys } from "@jnx/tensor/internal";

/** Leaves of a where the condition holds, else of b. */
export function select<T>(condition: TensorLike, a: T, b: unknown): T {
  return tree.map((x: TensorLike, y: TensorLike) => where(condition, x, y), a, b);
}

/** For each leaf of a tree what a tree of labels says: one that ends earlier speaks for all below. */
function labelsFor<L>(name: string, labels: unknown, given: unknown, isLabel: (value: unknown) => value is L): L[] {
  return tree.flattenWithPath(given).paths.map((path) => {
    let at: unknown = labels;
    for (const part of path) {
      if (isLabel(at)) return at;
      at = at instanceof Map ? at.get(part) : typeof at === "object" && at !== null ? Reflect.get(at, part) : undefined;
    }
    if (isLabel(at)) return at;
    throw new ArgumentError(
      `${name}: no entry for "${path.join(".")}"; give a tree like the parameters, or a function to one`,
    );
  });
}

function isBoolean(value: unknown): value is boolean {
  return typeof value === "boolean";
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

/** The tree with leaves that are not kept taken out. */
function only<T>(given: T, keep: readonly boolean[]): T {
  const [leaves, def] = tree.flatten(given);
  // Trees with holes are trees of the same shape to every transformation.
  return tree.unflatten(
    def,
    leaves.map((leaf, k) => (keep[k] === true ? leaf : null)),
    // The same tree with holes.
  ) as T;
}

/** What the inner transformation remembers. */
export interface MaskedState {
  readonly innerState: unknown;
}

/** Options of `masked` and `partition`. */
export interface MaskedOptions {
  /** Whether trees like the updates among the extra arguments are masked as they are; false. */
  readonly maskCompatibleExtraArgs?: boolean;
}

/** Extra arguments with those that are trees like the updates cut as the updates are. */
function cutAlike(extra: ExtraArguments | undefined, updates: unknown, keep: readonly boolean[]): ExtraArguments {
  const like = tree.structure(updates).text;
  const cut = (value: unknown): unknown =>
    typeof value === "object" && tree.structure(value).text === like ? only(value, keep) : value;
  return Object.fromEntries(Object.entries(extra ?? {}).map(([name, value]) => [name, cut(value)]));
}

/**
 * Applies a transformation to the leaves where the mask is true; the others' updates pass unchanged. The mask is a tree
 * of booleans like the parameters, or one that ends earlier, or a function to one. Source: optax.masked.
 *
 * @throws ArgumentError naming a leaf that the mask says nothing of.
 * @example
 * const tx = optax.masked(optax.scale(-1), { w: true, b: false });
 * tx.update({ w: array([1]), b: array([1]) }, tx.init({ w: array([0]), b: array([0]) }))[0]; // { w: [-1], b: [1] }
 */
export function masked(
  inner: GradientTransformation,
  mask: Mask,
  options: MaskedOptions = {},
): GradientTransformation<MaskedState> {
  checkKeys("masked", options, "maskCompatibleExtraArgs?");
  const keepOf = (given: unknown): boolean[] =>
    labelsFor("masked", typeof mask === "function" ? mask(given) : mask, given, isBoolean);
  return {
    init: (params) => ({ innerState: inner.init(only(params, keepOf(params))) }),
    update: (updates, state, params, extra) => {
      const keep = keepOf(updates);
      const [changed, innerState] = inner.update(
        only(updates, keep),
        state.innerState,
        params === undefined ? undefined : only(params, keep),
        options.maskCompatibleExtraArgs === true ? cutAlike(extra, updates, keep) : extra,
      );
      const [leaves, def] = tree.flatten(updates);
      const queue = tree.leaves(changed);
      let position = 0;
      const merged = leaves.map((leaf, k) => (keep[k] === true ? queue[position++] : leaf));
      return [tree.unflatten(def, merged) as typeof updates, { innerState }]; // the same tree
    },
  };
}

/** Labels of parameters: a tree like them, one that ends earlier, or a function to one. */
export type Labels = object | ((params: unknown) => unknown);

/** What each group's transformation remembers. */
export interface PartitionState {
  readonly innerStates: Readonly<Record<string, MaskedState>>;
}

/**
 * A transformation of its own for each group of parameters, by label; `setToZero()` freezes one. Source: optax.partition.
 *
 * @throws ArgumentError for a label without a transformation.
 * @example
 * const tx = optax.partition({ train: optax.sgd(1), frozen: optax.setToZero() }, { w: "train", b: "frozen" });
 * tx.update({ w: array([1]), b: array([1]) }, tx.init({ w: array([0]), b: array([0]) }))[0]; // { w: [-1], b: [0] }
 */
export function partition(
  transforms: Readonly<Record<string, GradientTransformation>>,
  paramLabels: Labels,
  options: MaskedOptions = {},
): GradientTransformation<PartitionState> {
  checkKeys("partition", options, "maskCompatibleExtraArgs?");
  const labelled = (given: unknown): string[] => {
    const labels = labelsFor(
      "partition",
      typeof paramLabels === "function" ? paramLabels(given) : paramLabels,
      given,
      isText,
    );
    const unknown = labels.find((label) => !Object.hasOwn(transforms, label));
    if (unknown === undefined) return labels;
    throw new ArgumentError(
      `partition: no transformation for the label "${unknown}", there is ${Object.keys(transforms).join(", ")}`,
    );
  };
  const group = (name: string, inner: GradientTransformation): GradientTransformation<MaskedState> =>
    masked(
      inner,
      (given: unknown) => {
        const [, def] = tree.flatten(given);
        return tree.unflatten(
          def,
          labelled(given).map((label) => label === name),
        );
      },
      options,
    );
  const groups = Object.entries(transforms).map(([name, inner]) => [name, group(name, inner)] as const);
  return {
    init: (params) => ({ innerStates: Object.fromEntries(groups.map(([name, one]) => [name, one.init(params)])) }),
    update: (updates, state, params, extra) => {
      let current = updates;
      const innerStates = Object.fromEntries(
        groups.map(([name, one]): [string, MaskedState] => {
          const [changed, next] = one.update(current, state.innerStates[name] ?? { innerState: {} }, params, extra);
          current = changed;
          return [name, next];
        }),
      );
      return [current, { innerStates }];
    },
  };
}

/**
 * Zero updates where the mask is true. Source: optax.freeze.
 * @example optax.freeze({ w: true, b: false }).init({ w: array([0]), b: array([0]) });
 */
export function freeze(mask: Mask): GradientTransformation<MaskedState> {
  const zero: GradientTransformation = { init: () => ({}), update: (updates, state) => [treeFull(updates), state] };
  return masked(zero, mask);
}

/** How often gradients were not finite, and what the inner transformation remembers. */
export interface ApplyIfFiniteState {
  readonly notfiniteCount: TensorLike;
  readonly lastFinite: TensorLike;
  readonly totalNotfinite: TensorLike;
  readonly innerState: unknown;
}

/**
 * Zero updates, and no change of state, for gradients with NaN or infinities, unless there have been more than
 * `maxConsecutiveErrors` of them in a row. Source: optax.apply_if_finite.
 *
 * @example
 * const tx = optax.applyIfFinite(optax.sgd(1), 3);
 * tx.update([array([Infinity])], tx.init([array([0])]))[0]; // [[0]]
 */
export function applyIfFinite<S>(
  inner: GradientTransformation<S>,
  maxConsecutiveErrors: number,
): GradientTransformation<ApplyIfFiniteState> {
  return {
    init: (params) => ({
      notfiniteCount: zeroCount(),
      lastFinite: array(true),
      totalNotfinite: zeroCount(),
      innerState: inner.init(params),
    }),
    update: (updates, state, params, extra) => {
      const finites = tree.leaves(updates).map((leaf) => all(isfinite(leaf as TensorLike))); // a tree of gradients
      const lastFinite = finites.reduce((a, b) => logicalAnd(a, b), array(true));
      const notfiniteCount = where(lastFinite, 0, safeIncrement(state.notfiniteCount));
      const go = logicalOr(lastFinite, greater(notfiniteCount, maxConsecutiveErrors));
      const [next, after] = inner.update(updates, state.innerState as S, params, extra); // made by init
      const totalNotfinite = where(lastFinite, state.totalNotfinite, safeIncrement(state.totalNotfinite));
      const innerState: unknown = select<unknown>(go, after, state.innerState);
      return [
        tree.map((u: Tensor) => where(go, u, 0), next),
        { notfiniteCount, lastFinite, totalNotfinite, innerState },
      ];
    },
  };
}

/** The steps made, and what the inner transformation remembers. */
export interface ConditionalState {
  readonly innerState: unknown;
  readonly step: TensorLike;
}

function conditional<S>(
  inner: GradientTransformation<S>,
  should: (step: TensorLike, extra: ExtraArguments) => TensorLike,
  otherwise: (u: Tensor) => TensorLike,
): GradientTransformation<ConditionalState> {
  return {
    init: (params) => ({ innerState: inner.init(params), step: zeroCount() }),
    update: (updates, state, params, extra) => {
      const go = should(state.step, extra ?? {});
      const [next, after] = inner.update(updates, state.innerState as S, params, extra); // made by init
      const chosen = tree.map((u: Tensor, g: Tensor) => where(go, u, otherwise(g)), next, updates);
      const innerState: unknown = select<unknown>(go, after, state.innerState);
      return [chosen, { innerState, step: safeIncrement(state.step) }];
    },
  };
}

/**
 * The inner transformation at steps for which the function says so; at others updates pass unchanged and the state stays.
 * Source: optax.conditionally_transform.
 *
 * @example
 * const tx = optax.conditionallyTransform(optax.scale(-1), (step) => jnp.greater(step, 0));
 * tx.update([array([1])], tx.init([array([0])]))[0]; // [[1]]
 */
export function conditionallyTransform<S>(
  inner: GradientTransformation<S>,
  shouldTransformFn: (step: TensorLike, extra: ExtraArguments) => TensorLike,
): GradientTransformation<ConditionalState> {
  return conditional(inner, shouldTransformFn, (u) => u);
}

/**
 * As conditionallyTransform, with zeros at the other steps. Source: optax.conditionally_mask.
 *
 * @example
 * const tx = optax.conditionallyMask(optax.scale(-1), (step) => jnp.greater(step, 0));
 * tx.update([array([1])], tx.init([array([0])]))[0]; // [[0]]
 */
export function conditionallyMask<S>(
  inner: GradientTransformation<S>,
  shouldTransformFn: (step: TensorLike, extra: ExtraArguments) => TensorLike,
): GradientTransformation<ConditionalState> {
  return conditional(inner, shouldTransformFn, () => 0);
}

/**
 * A transformation without memory, of a function of updates and parameters. Source: optax.stateless.
 * @example optax.statelessWithTreeMap((g) => jnp.multiply(g, 2)).update([array([1])], {})[0]; // [[2]]
 */
export function statelessWithTreeMap(f: (g: Tensor, p?: Tensor) => TensorLike): GradientTransformation<EmptyState> {
  return stateless((updates, params) => (params === undefined ? tree.map(f, updates) : tree.map(f, updates, params)));
}

/**
 * stepSize·new + (1 − stepSize)·old, leaf by leaf. Source: optax.incremental_update.
 * @example optax.incrementalUpdate([array([4])], [array([0])], 0.25); // [[1]]
 */
export function incrementalUpdate<T>(newTensors: T, oldTensors: T, stepSize: TensorLike): T {
  const blend = (next: TensorLike, old: TensorLike): Tensor => add(mul(stepSize, next), mul(sub(1, stepSize), old));
  return tree.map(blend, newTensors, oldTensors);
}

/**
 * The new tree at every `updatePeriod`-th step, else the old. Source: optax.periodic_update.
 * @example optax.periodicUpdate([array([4])], [array([0])], 6, 3); // [[4]]
 */
export function periodicUpdate<T>(newTensors: T, oldTensors: T, steps: TensorLike, updatePeriod: number): T {
  return select(equal(remainder(steps, updatePeriod), 0), newTensors, oldTensors);
}
