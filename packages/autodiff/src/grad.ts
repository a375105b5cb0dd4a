import {
  asTensor,
  checkOptions,
  differenceText,
  inArena,
  isData,
  isFloat,
  keptStorages,
  literal,
  type AnyFunction,
  type WordedTree,
} from "@jnx/tensor/internal";
import { ArgumentError, DtypeError, ShapeError, Tensor, tree, type TensorLike } from "@jnx/tensor";
import { pathText } from "./axes.ts";
import { checkCotangent, Tape, zeroOf } from "./tape.ts";

const GRAD_OPTIONS = { argnums: true, hasAux: "flag", allowInt: "flag" } as const;

/** Options of `grad` and `valueAndGrad`. */
export interface GradOptions {
  /** Which positional arguments to differentiate: one (the default, 0) or several. */
  readonly argnums?: number | readonly number[];
  /** True if the function returns `[value, aux]`: aux is handed out beside the gradient, undifferentiated. */
  readonly hasAux?: boolean;
  /** True to let integers and bools be among the differentiated arguments: their gradients are zeros. Default false. */
  readonly allowInt?: boolean;
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
  const { argnums = 0, hasAux = false, allowInt = false }: GradOptions = options ?? {};
  checkFunction("grad", f);
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
        const traced = trace("grad", run, chosen, hasAux, { allowInt, positions });
        let gradients: unknown[];
        try {
          const value = checkScalar("grad", traced.output);
          gradients = traced.pull([literal(1, value.shape, value.dtype)]);
        } finally {
          traced.finish();
        }
        const output = typeof traced.output === "number" ? literal(traced.output, [], "float32", true) : traced.output;
        const result = hasAux ? [output, traced.aux] : output;
        return [result, typeof argnums === "number" ? gradients[0] : gradients];
      },
      keptStorages,
    );
  // The result's structure is that of f's value and arguments, which is what the signature says.
  return named(wrapped, "valueAndGrad", f) as (...args: Parameters<F>) => [ValueOf<F>, GradientOf<F, O>];
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
  return named(wrapped, "grad", f) as ReturnType<typeof grad<F, O>>;
}

/** Throws unless a transform was given a function. */
export function checkFunction(name: string, f: unknown): void {
  if (typeof f === "function") return;
  const given = f instanceof Tensor ? String(f) : f === null ? "null" : typeof f;
  throw new ArgumentError(`${name}: takes a function, received ${given}`);
}

/** A transformed function under a name that tells what it is made of: "grad(loss)". */
export function named<W extends AnyFunction>(wrapped: W, name: string, { name: inner }: AnyFunction): W {
  return Object.defineProperty(wrapped, "name", { value: `${name}(${inner})` });
}

/**
 * The value of `f` and its pullback: `pull(ct)` gives the cotangents of the arguments, one entry each, for a cotangent
 * of f's output (same tree, shapes and dtypes). It can be called many times. Arguments that are not float have zeros for a
 * cotangent.
 *
 * After the primals `{ hasAux: true }` may follow: f returns `[value, aux]`, and aux is handed out last, undifferentiated.
 *
 * @throws ArgumentError, ShapeError or DtypeError when the cotangent is not like the output. Source: jax.vjp.
 * @example
 * const [y, pull] = vjp((x: Tensor) => square(x), array([1.5, 2]));
 * y; // [2.25, 4]
 * pull(array([1.5, 10])); // [[4.5, 40]]
 */
export function vjp<A extends readonly unknown[], R, X>(
  f: (...args: A) => readonly [R, X],
  ...primals: [...A, AuxOption]
): [R, (cotangent: R) => A, X];
export function vjp<A extends readonly unknown[], R>(f: (...args: A) => R, ...primals: A): [R, (cotangent: R) => A];
export function vjp(f: AnyFunction, ...given: unknown[]): unknown[] {
  return inArena(
    "vjp",
    () => {
      checkFunction("vjp", f);
      const { primals, hasAux } = withoutAux(given);
      const traced = trace("vjp", f, primals, hasAux, { allowInt: true });
      const pull = (cotangent: unknown): unknown =>
        inArena("vjp", () => traced.pull(matching("vjp", cotangent, traced.output)), keptStorages);
      // The tape's pins are never released: residuals live as long as the pullback can be reached.
      return hasAux ? [traced.output, pull, traced.aux] : [traced.output, pull];
    },
    ([output, , aux]) => keptStorages([output, aux]),
  );
}

/** What may follow the primals of `vjp` and `linearize`: the function returns `[value, aux]`. */
export interface AuxOption {
  readonly hasAux: true;
}

/** The primals, and whether `{ hasAux }` came after them: no argument looks like that, for a bool has no derivative. */
export function withoutAux(given: unknown[]): { readonly primals: unknown[]; readonly hasAux: boolean } {
  const last = given.at(-1);
  if (typeof last !== "object" || last === null || Object.keys(last).join() !== "hasAux")
    return { primals: given, hasAux: false };
  const { hasAux } = last as { readonly hasAux: unknown }; // its only key
  return typeof hasAux === "boolean" ? { primals: given.slice(0, -1), hasAux } : { primals: given, hasAux: false };
}

/** The leaves of a cotangent, one for each of an output's, checked. */
export function matching(name: string, cotangent: unknown, output: unknown): Tensor[] {
  const [cts, ctDef] = tree.flatten(cotangent);
  const [outputs, def] = tree.flatten(output);
  checkSameTree(
    name,
    "the cotangent must have the tree of the output",
    { label: "the output is", def, leaves: outputs },
    { label: "the cotangent", def: ctDef, leaves: cts },
  );
  return cts.map((leaf, k) => {
    const like = asTensor(outputs[k] as TensorLike, name); // asTensor refuses what is no array
    // A JavaScript number is as good a cotangent of a float as 1.0.
    const ct = typeof leaf === "number" ? literal(leaf, [], like.dtype, true) : asTensor(leaf as TensorLike, name);
    return checkCotangent(name, ct, like);
  });
}

interface LabelledTree {
  readonly label: string;
  readonly def: tree.TreeDef;
  readonly leaves: readonly unknown[];
}

/** Throws unless two trees have one structure; the error shows both. Their leaves may differ. */
export function checkSameTree(name: string, what: string, a: LabelledTree, b: LabelledTree): void {
  if (a.def.text === b.def.text) return;
  const worded = ({ label, def, leaves }: LabelledTree): { label: string; tree: WordedTree } => ({
    label,
    tree: { def, words: leaves.map(wordOf) },
  });
  throw new ArgumentError(`${name}: ${what}; ${differenceText(worded(a), worded(b)) ?? ""}`);
}

function wordOf(leaf: unknown): string {
  return leaf instanceof Tensor ? `${leaf.dtype}[${leaf.shape.join(", ")}]` : typeof leaf;
}

interface Traced<A> {
  readonly output: unknown;
  readonly aux: unknown;
  /** Gradients, one tree for each differentiated argument. */
  pull(cotangents: readonly Tensor[]): A;
  finish(): void;
}

interface TraceOptions {
  /** True to take leaves that are not float as they are. */
  readonly allowInt?: boolean;
  /** Which arguments of the user's function these are, for errors. */
  readonly positions?: readonly number[];
}

/** Runs f on watched copies of the arguments' leaves and keeps what going back takes. */
export function trace<A extends readonly unknown[]>(
  name: string,
  f: (...args: A) => unknown,
  primals: A,
  hasAux: boolean,
  { allowInt = false, positions }: TraceOptions = {},
): Traced<A> {
  const tape = new Tape(name);
  const flat = primals.map((primal) => tree.flattenWithPath(primal));
  const leaves = flat.map(({ leaves: list, paths }, argument) =>
    list.map((leaf, k) => {
      if (allowInt && isData(leaf) && typeof leaf !== "number" && !isFloat(asTensor(leaf, name).dtype))
        return asTensor(leaf, name);
      const place = pathText(`argument ${positions?.[argument] ?? argument}`, paths[k] ?? []);
      return tape.watch(floatLeaf(name, leaf, place));
    }),
  );
  // One tree for each argument, each of the argument's own structure.
  const asArguments = (trees: unknown[]): A => trees as unknown as A;
  const args = asArguments(flat.map(({ def }, k) => tree.unflatten(def, leaves[k] ?? [])));
  const { output, aux, outputs } = tape.record(() => {
    const returned = f(...args);
    const [value, rest] = hasAux ? splitAux(name, returned) : [returned, undefined];
    return { output: value, aux: rest, outputs: tree.leaves(value).map((leaf) => asTensor(leaf as TensorLike, name)) }; // asTensor refuses what is no array
  });
  // The tape has stopped: the ops of a pullback are seen by whatever level it is called under.
  const pull = (cotangents: readonly Tensor[]): A => {
    const all = leaves.flat();
    const cts = tape
      .pullback(outputs, cotangents, all)
      .map((ct, k) => ct ?? zeroLike(all[k] ?? literal(0, [], "float32")));
    let position = 0;
    return asArguments(
      flat.map(({ leaves: list, def }) => tree.unflatten(def, cts.slice(position, (position += list.length)))),
    );
  };
  return { output, aux, pull, finish: () => tape.release() };
}

export function splitAux(name: string, returned: unknown): [unknown, unknown] {
  if (Array.isArray(returned) && returned.length === 2) return [returned[0], returned[1]];
  throw new ArgumentError(`${name}: with hasAux the function must return [value, aux]`);
}

/** Zeros of an array's own type; null for keys, which have none. */
function zeroLike(x: Tensor): Tensor | null {
  return x.composition === undefined ? zeroOf(x) : null;
}

/** A leaf that can be differentiated by; `place` is where it was found. */
export function floatLeaf(name: string, leaf: unknown, place = "an array"): Tensor {
  // JavaScript has no whole numbers apart from others: 3 is as good a place to differentiate at as 3.5.
  if (typeof leaf === "number") return literal(leaf, [], "float32", true);
  const tensor = asTensor(leaf as TensorLike, name); // asTensor refuses what is no array
  if (isFloat(tensor.dtype)) return tensor;
  throw new DtypeError(
    `${name}: can only differentiate by float arrays, and ${place} is ${tensor.dtype}; convert it with astype(), ` +
      (name === "grad" ? "choose others with argnums, or ask for zeros with { allowInt: true }" : "or close over it"),
  );
}

/** The scalar that a gradient is taken of. */
export function checkScalar(name: string, output: unknown): Tensor {
  if (typeof output === "number") return literal(output, [], "float32", true);
  if (!(output instanceof Tensor))
    throw new DtypeError(
      `${name}: the function must return a scalar Tensor, received ${Array.isArray(output) ? "an array; use hasAux for [value, aux]" : typeof output}`,
    );
  if (output.shape.length !== 0)
    throw new ShapeError(
      `${name}: only scalar functions have a gradient, this one returned shape [${output.shape.join(", ")}]; sum or average it`,
    );
  if (!isFloat(output.dtype))
    throw new DtypeError(`${name}: the function must return a float, received ${output.dtype}`);
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
