import { array, Tensor, tree, type DType, type TensorLike } from "@jnx/tensor";
import { asTensor, isFloat, checkKeys } from "@jnx/tensor/internal";
import { zeroCount } from "./moments.ts";
import type { GradientTransformation, Schedule } from "./transformation.ts";
import { safeIncrement } from "./transforms.ts";

/** Hyperparameters as arrays, what their schedules count, and what the transformation remembers. */
export interface InjectState {
  readonly count: TensorLike;
  readonly hyperparams: Readonly<Record<string, TensorLike>>;
  readonly innerState: unknown;
}

/** Options of `injectHyperparams`. */
export interface InjectOptions {
  /** What becomes state: names of leading arguments in order, then of entries of the options; `["learningRate"]`. */
  readonly names?: readonly string[];
  /** The dtype of floats among them, that of the parameters unless given. */
  readonly hyperparamDtype?: DType;
}

type Hyperparameter = number | Tensor | Schedule;

function isHyperparameter(value: unknown): value is Hyperparameter {
  return typeof value === "number" || typeof value === "function" || value instanceof Tensor;
}

/**
 * A factory whose arguments become state: `state.hyperparams.learningRate` can be read, and written between updates. A
 * schedule among them is evaluated at every update. `names` tells what the leading arguments are called, and which options
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
): (...args: A) => GradientTransformation<InjectState> {
  checkKeys("injectHyperparams", options, "names hyperparamDtype");
  const { names = ["learningRate"] } = options;
  return (...args) => {
    const found = hyperparametersOf(args, names);
    const values = (count: TensorLike, dtype: DType, known?: InjectState["hyperparams"]): Record<string, TensorLike> =>
      Object.fromEntries(
        [...found].map(([name, { value }]) => {
          const now = typeof value === "function" ? value(count) : (known?.[name] ?? value);
          return [name, isFloat(array(now).dtype) ? array(now, { dtype }) : array(now)];
        }),
      );
    const make = (hyperparams: Readonly<Record<string, TensorLike>>): GradientTransformation => {
      const all = args.map((value, k) => replaced(value, k, found, hyperparams));
      // The factory's own arguments, with arrays for numbers.
      return factory(...(all as unknown as A)) as GradientTransformation;
    };
    const dtypeFor = (params: unknown): DType => options.hyperparamDtype ?? highest(params);
    return {
      init: (params) => {
        const count = zeroCount();
        const hyperparams = values(count, dtypeFor(params));
        return { count, hyperparams, innerState: make(hyperparams).init(params) };
      },
      update: (updates, state, params, extra) => {
        const hyperparams = values(state.count, dtypeFor(params ?? updates), state.hyperparams);
        const [next, innerState] = make(hyperparams).update(updates, state.innerState, params, extra);
        return [next, { count: safeIncrement(state.count), hyperparams, innerState }];
      },
    };
  };
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
      if (!(given instanceof Tensor) && isHyperparameter(entry)) found.set(name, { value: entry, argument });
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
  const dtypes = tree.leaves(params).map((leaf) => asTensor(leaf as TensorLike).dtype); // a tree of arrays
  const floats = dtypes.filter((dtype) => isFloat(dtype));
  return floats.includes("float32") ? "float32" : (floats[0] ?? "float32");
}
