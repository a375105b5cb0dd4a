import {
  asTensor,
  inArena,
  isFloat,
  literal,
  keptStorages,
  type AnyFunction,
  checkOptions,
} from "@jnx/tensor/internal";
import { ArgumentError, DtypeError, ShapeError, Tensor, tree, type TensorLike } from "@jnx/tensor";
import { checkCotangent, Tape, zeroOf } from "./tape.ts";

const GRAD_OPTIONS = { argnums: true, hasAux: true } as const;

/** Options of `grad` and `valueAndGrad`. */
export interface GradOptions {
  /** Which positional arguments to differentiate: one (the default, 0) or several. */
  readonly argnums?: number | readonly number[];
  /** True if the function returns `[value, aux]`: aux is handed out beside the gradient, undifferentiated. */
  readonly hasAux?: boolean;
}

/** The type of a gradient: that of the argument for one argnum, a tuple for several. */
type GradientOf<F extends AnyFunction, O extends GradOptions> = O extends { readonly argnums: readonly number[] }
  ? Parameters<F>[number][]
  : O extends { readonly argnums: infer N extends number }
    ? Parameters<F>[N]
    : Parameters<F>[0];

type ValueOf<F extends AnyFunction> = ReturnType<F>;

/**
 * A function that returns `[value, gradient]` of `f` in one pass: value = f(args), gradient = ∂f/∂args[argnums],
 * with the tree structure of the argument. With `hasAux`, `[[value, aux], gradient]`.
 *
 * @throws DtypeError when a leaf of a differentiated argument is not float, ShapeError when f's value is not a scalar.
 * Source: jax.value_and_grad.
 * @example
 * valueAndGrad((x: Tensor) => sum(square(x)))(array([1.5, 2])); // [6.25, [3, 4]]
 */
export function valueAndGrad<F extends AnyFunction, const O extends GradOptions = object>(
  f: F,
  options?: O,
): (...args: Parameters<F>) => [ValueOf<F>, GradientOf<F, O>] {
  checkOptions<GradOptions>("grad", options ?? {}, GRAD_OPTIONS);
  const { argnums = 0, hasAux = false }: GradOptions = options ?? {};
  const wrapped = (...args: unknown[]): [unknown, unknown] =>
    inArena(
      "grad",
      () => {
        const positions = positionsOf("grad", argnums, args.length);
        const chosen = positions.map((position) => args[position]);
        const run = (...values: unknown[]): unknown => {
          const full = [...args];
          positions.forEach((position, k) => (full[position] = values[k]));
          return f(...full);
        };
        const traced = trace("grad", run, chosen, hasAux);
        let gradients: unknown[];
        try {
          const value = checkScalar("grad", traced.output);
          gradients = traced.pull([literal(1, value.shape, value.dtype)]);
        } finally {
          traced.finish();
        }
        const result = hasAux ? [traced.output, traced.aux] : traced.output;
        return [result, typeof argnums === "number" ? gradients[0] : gradients];
      },
      keptStorages,
    );
  // The result's structure is that of f's value and arguments, which is what the signature says.
  return wrapped as (...args: Parameters<F>) => [ValueOf<F>, GradientOf<F, O>];
}

/**
 * A function that returns the gradient of the scalar `f`; with `hasAux`, `[gradient, aux]`.
 *
 * @throws as {@link valueAndGrad}. Source: jax.grad.
 * @example
 * grad((x: Tensor) => sum(square(x)))(array([1.5, 2])); // [3, 4]
 */
export function grad<F extends AnyFunction, const O extends GradOptions = object>(
  f: F,
  options?: O,
): (
  ...args: Parameters<F>
) => O extends { readonly hasAux: true } ? [GradientOf<F, O>, ValueOf<F>[1]] : GradientOf<F, O> {
  const both = valueAndGrad(f, options);
  const wrapped = (...args: Parameters<F>): unknown =>
    inArena(
      "grad",
      () => {
        const [value, gradient] = both(...args);
        // With hasAux, f returned [value, aux]: the aux is its second entry.
        return options?.hasAux === true ? [gradient, (value as unknown[])[1]] : gradient;
      },
      keptStorages,
    );
  // As in valueAndGrad: the structure is the one the signature states.
  return wrapped as ReturnType<typeof grad<F, O>>;
}

/**
 * The value of `f` and its pullback: `pull(ct)` gives the cotangents of the arguments, one entry each, for a cotangent
 * of f's output (same tree, shapes and dtypes). It can be called many times.
 *
 * @throws DtypeError when an argument has a leaf that is not float. Source: jax.vjp.
 * @example
 * const [y, pull] = vjp((x: Tensor) => square(x), array([1.5, 2]));
 * y; // [2.25, 4]
 * pull(array([1.5, 10])); // [[4.5, 40]]
 */
export function vjp<A extends readonly unknown[], R>(f: (...args: A) => R, ...primals: A): [R, (cotangent: R) => A] {
  return inArena(
    "vjp",
    () => {
      const traced = trace("vjp", f, primals, false);
      const pull = (cotangent: R): A =>
        inArena(
          "vjp",
          () => {
            return traced.pull(matching("vjp", cotangent, traced.output));
          },
          keptStorages,
        );
      // The tape's pins are never released: residuals live as long as the pullback can be reached.
      return [traced.output as R, pull]; // f's own output
    },
    ([output]) => keptStorages(output),
  );
}

/** The leaves of a cotangent, one for each of an output's, checked. */
export function matching(name: string, cotangent: unknown, output: unknown): Tensor[] {
  const [cts, ctDef] = tree.flatten(cotangent);
  const [outputs, def] = tree.flatten(output);
  if (ctDef.text !== def.text)
    throw new ArgumentError(`${name}: the cotangent's tree is ${ctDef.text}, the output's ${def.text}`);
  return cts.map((leaf, k) => {
    const like = asTensor(outputs[k] as TensorLike); // asTensor refuses what is no array
    // A JavaScript number is as good a cotangent of a float as 1.0.
    const ct = typeof leaf === "number" ? literal(leaf, [], like.dtype, true) : asTensor(leaf as TensorLike);
    return checkCotangent(name, ct, like);
  });
}

interface Traced<A> {
  readonly output: unknown;
  readonly aux: unknown;
  /** Gradients, one tree for each differentiated argument. */
  pull(cotangents: readonly Tensor[]): A;
  finish(): void;
}

/** Runs f on watched copies of the arguments' leaves and keeps what going back takes. */
export function trace<A extends readonly unknown[]>(
  name: string,
  f: (...args: A) => unknown,
  primals: A,
  hasAux: boolean,
): Traced<A> {
  const tape = new Tape(name);
  const flat = primals.map((primal) => tree.flatten(primal));
  const leaves = flat.map(([list]) => list.map((leaf) => tape.watch(floatLeaf(name, leaf))));
  // One tree for each argument, each of the argument's own structure.
  const asArguments = (trees: unknown[]): A => trees as unknown as A;
  const args = asArguments(flat.map(([, def], k) => tree.unflatten(def, leaves[k] ?? [])));
  const { output, aux, outputs } = tape.record(() => {
    const returned = f(...args);
    const [value, rest] = hasAux ? splitAux(name, returned) : [returned, undefined];
    return { output: value, aux: rest, outputs: tree.leaves(value).map((leaf) => asTensor(leaf as TensorLike)) }; // asTensor refuses what is no array
  });
  // The tape has stopped: the ops of a pullback are seen by whatever level it is called under.
  const pull = (cotangents: readonly Tensor[]): A => {
    const all = leaves.flat();
    const cts = tape
      .pullback(outputs, cotangents, all)
      .map((ct, k) => ct ?? zeroOf(all[k] ?? literal(0, [], "float32")));
    let position = 0;
    return asArguments(flat.map(([list, def]) => tree.unflatten(def, cts.slice(position, (position += list.length)))));
  };
  return { output, aux, pull, finish: () => tape.release() };
}

export function splitAux(name: string, returned: unknown): [unknown, unknown] {
  if (Array.isArray(returned) && returned.length === 2) return [returned[0], returned[1]];
  throw new ArgumentError(`${name}: with hasAux the function must return [value, aux]`);
}

export function floatLeaf(name: string, leaf: unknown): Tensor {
  // JavaScript has no whole numbers apart from others: 3 is as good a place to differentiate at as 3.5.
  if (typeof leaf === "number") return literal(leaf, [], "float32", true);
  const tensor = asTensor(leaf as TensorLike); // asTensor refuses what is no array
  if (isFloat(tensor.dtype)) return tensor;
  throw new DtypeError(
    `${name}: differentiated arguments must be float32, received ${tensor.dtype}; convert it, or choose others with argnums`,
  );
}

/** The scalar that a gradient is taken of. */
export function checkScalar(name: string, output: unknown): Tensor {
  if (!(output instanceof Tensor))
    throw new DtypeError(
      `${name}: the function must return a scalar Tensor, received ${Array.isArray(output) ? "an array; use hasAux for [value, aux]" : typeof output}`,
    );
  if (output.shape.length !== 0)
    throw new ShapeError(
      `${name}: only scalar functions have a gradient, this one returned shape [${output.shape.join(", ")}]; sum or average it`,
    );
  if (!isFloat(output.dtype))
    throw new DtypeError(`${name}: the function must return a float32, received ${output.dtype}`);
  return output;
}

export function positionsOf(name: string, argnums: number | readonly number[], count: number): number[] {
  const list = typeof argnums === "number" ? [argnums] : argnums;
  return list.map((argnum) => {
    const position = argnum < 0 ? argnum + count : argnum;
    if (!Number.isInteger(argnum) || position < 0 || position >= count)
      throw new ArgumentError(`${name}: argnum ${argnum} with ${count} argument${count === 1 ? "" : "s"}`);
    return position;
  });
}
