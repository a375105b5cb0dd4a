import { array, Tensor, tree, type DType, type TensorLike } from "@jnx/tensor";
import { asTensor, isFloat, checkKeys } from "@jnx/tensor/internal";
import { zeroCount } from "./moments.ts";
import type { ExtraArguments, GradientTransformation, Schedule } from "./transformation.ts";
import { safeIncrement } from "./transforms.ts";

/**
 * A schedule with a state of its own, which is told the extra arguments of every update: one that follows the loss, say.
 * Source: optax.schedules.StatefulSchedule.
 */
export interface StatefulSchedule<S = unknown> {
  /** The first state, a tree of arrays. */
  init(): S;
  /** The state after an update. */
  update(state: S, extra: ExtraArguments): S;
  /** The value for an update, of the state before it. */
  call(state: S, extra: ExtraArguments): TensorLike;
}

/** Hyperparameters as arrays, the states of those that are schedules, and what the transformation remembers. */
export interface InjectState {
  readonly count: TensorLike;
  readonly hyperparams: Readonly<Record<string, TensorLike>>;
  readonly hyperparamsStates: Readonly<Record<string, unknown>>;
  readonly innerState: unknown;
}

/** Options of `injectHyperparams`. */
export interface InjectOptions {
  /** What becomes state: names of leading arguments in order, then of entries of the options; `["learningRate"]`. */
  readonly names?: readonly string[];
  /** The dtype of floats among them, that of the parameters unless given. */
  readonly hyperparamDtype?: DType;
}

type Hyperparameter = number | Tensor | Schedule | StatefulSchedule;

function isHyperparameter(value: unknown): value is Hyperparameter {
  return typeof value === "number" || typeof value === "function" || value instanceof Tensor || isStateful(value);
}

function isStateful(value: unknown): value is StatefulSchedule {
  if (typeof value !== "object" || value === null) return false;
  return ["init", "update", "call"].every((name) => typeof Reflect.get(value, name) === "function");
}

/** What becomes of an argument that may be a schedule: it may have a state, too. */
type Injected<T> = T | (Schedule extends T ? StatefulSchedule : never);

/**
 * A schedule as one that counts updates itself. Source: optax.schedules.WrappedSchedule.
 * @example optax.schedules.wrappedSchedule(optax.linearSchedule(0, 1, 4)).call({ count: 2 }, {}); // 0.5
 */
export function wrappedSchedule(schedule: Schedule): StatefulSchedule<{ readonly count: TensorLike }> {
  return {
    init: () => ({ count: zeroCount() }),
    update: ({ count }) => ({ count: safeIncrement(count) }),
    call: ({ count }) => schedule(count),
  };
}

/**
 * A factory whose arguments become state: `state.hyperparams.learningRate` can be read, and written between updates. A
 * schedule among them is evaluated at every update; one with a state ({@link StatefulSchedule}) hears of its extra arguments. `names` tells what the leading arguments are called, and which options
 * are injected, too; all else stays as it is. Source: optax.inject_hyperparams.
 *
 * @example
 * const tx = optax.injectHyperparams(optax.sgd)(0.5);
 * tx.init([array([1])]).hyperparams; // { learningRate: 0.5 }
 * const both = optax.injectHyperparams(optax.adamw, { names: ["learningRate", "weightDecay"] });
 * both(0.5, { weightDecay: 0.25 }).init([array([1])]).hyperparams; // { learningRate: 0.5, weightDecay: 0.25 }
 */
export function injectHyperparams<A extends readonly unknown[]>(
  factory: (...args: A) => GradientTransformation<never> | GradientTransformation<unknown[]>,
  options: InjectOptions = {},
): (...args: { [K in keyof A]: Injected<A[K]> }) => GradientTransformation<InjectState> {
  checkKeys("injectHyperparams", options, "names hyperparamDtype");
  const { names = ["learningRate"] } = options;
  return (...args) => {
    const found = hyperparametersOf(args, names);
    const schedules = schedulesIn(found);
    const make = (hyperparams: Readonly<Record<string, TensorLike>>): GradientTransformation => {
      const all = args.map((value, k) => replaced(value, k, found, hyperparams));
      // The factory's own arguments, with arrays for numbers.
      return factory(...(all as unknown as A)) as GradientTransformation;
    };
    const evaluated = (known: Hyperparams, states: States, dtype: DType, extra: ExtraArguments): Hyperparams =>
      mapValues(known, (value, name) => inDtype(schedules[name]?.call(states[name], extra) ?? value, dtype));
    const dtypeFor = (params: unknown): DType => options.hyperparamDtype ?? highest(params);
    return {
      init: (params) => {
        const hyperparamsStates = mapValues(schedules, (schedule) => schedule.init());
        const given = Object.fromEntries([...found].map(([name, { value }]) => [name, numberOr(value, 0)]));
        const hyperparams = evaluated(given, hyperparamsStates, dtypeFor(params), {});
        return { count: zeroCount(), hyperparams, hyperparamsStates, innerState: make(hyperparams).init(params) };
      },
      update: (updates, state, params, extra = {}) => {
        const { hyperparamsStates: states } = state;
        const hyperparams = evaluated(state.hyperparams, states, dtypeFor(params ?? updates), extra);
        const [next, innerState] = make(hyperparams).update(updates, state.innerState, params, extra);
        const hyperparamsStates = mapValues(schedules, (one, name) => one.update(states[name], extra));
        return [next, { count: safeIncrement(state.count), hyperparams, hyperparamsStates, innerState }];
      },
    };
  };
}

type Hyperparams = InjectState["hyperparams"];
type States = InjectState["hyperparamsStates"];

function mapValues<V, W>(record: Readonly<Record<string, V>>, f: (value: V, name: string) => W): Record<string, W> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, f(value, name)]));
}

function numberOr(value: Hyperparameter, other: number): TensorLike {
  return typeof value === "number" || value instanceof Tensor ? value : other;
}

function inDtype(value: TensorLike, dtype: DType): Tensor {
  return isFloat(array(value).dtype) ? array(value, { dtype }) : array(value);
}

/** Those of the hyperparameters that are schedules, each with a state. */
function schedulesIn(found: ReadonlyMap<string, Place>): Record<string, StatefulSchedule> {
  const schedules = [...found].flatMap(([name, { value }]): [string, StatefulSchedule][] => {
    if (isStateful(value)) return [[name, value]];
    return typeof value === "function" ? [[name, wrappedSchedule(value)]] : [];
  });
  return Object.fromEntries(schedules);
}

interface Place {
  readonly value: Hyperparameter;
  readonly argument: number;
}

/** Where each named hyperparameter stands: an argument of its own, or an entry of an object. */
function hyperparametersOf(args: readonly unknown[], names: readonly string[]): ReadonlyMap<string, Place> {
  const found = new Map<string, Place>();
  names.forEach((name, k) => {
    const own = args[k];
    if (isHyperparameter(own)) found.set(name, { value: own, argument: k });
    args.forEach((given, argument) => {
      const entry: unknown = typeof given === "object" && given !== null ? Reflect.get(given, name) : undefined;
      if (!isHyperparameter(given) && isHyperparameter(entry)) found.set(name, { value: entry, argument });
    });
  });
  return found;
}

/** An argument with its hyperparameters as arrays. */
function replaced(
  value: unknown,
  argument: number,
  found: ReadonlyMap<string, Place>,
  hyperparams: Readonly<Record<string, TensorLike>>,
): unknown {
  const here = [...found].filter(([, place]) => place.argument === argument);
  const own = here.find(([, place]) => place.value === value);
  if (own !== undefined) return hyperparams[own[0]];
  if (here.length === 0) return value;
  return { ...(value as object), ...Object.fromEntries(here.map(([name]) => [name, hyperparams[name]])) }; // an object, as found
}

/** float32 if any leaf is, else the first float's dtype: what hyperparameters need not lose precision in. */
function highest(params: unknown): DType {
  const dtypes = tree.leaves(params).map((leaf) => asTensor(leaf as TensorLike, "injectHyperparams").dtype); // a tree of arrays
  const floats = dtypes.filter((dtype) => isFloat(dtype));
  return floats.includes("float32") ? "float32" : (floats[0] ?? "float32");
}

/** The name that `injectHyperparams` had for schedules with a state. Source: optax.inject_stateful_hyperparams. */
export const injectStatefulHyperparams: typeof injectHyperparams = injectHyperparams;
