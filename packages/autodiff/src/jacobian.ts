import { asTensor, convert, inArena, keptStorages, type AnyFunction, checkOptions } from "@jnx/tensor/internal";
import { add, broadcastedIota, equal, laxSlice, reshape, tree, type Tensor, type TensorLike } from "@jnx/tensor";
import { checkFunction, floatLeaf, positionsOf, splitAux, trace } from "./grad.ts";
import { jvp, mapLeaves } from "./jvp.ts";
import { vmap } from "./vmap.ts";

const JACOBIAN_OPTIONS = { argnums: true, hasAux: "flag" } as const;

/** Options of `jacfwd`, `jacrev` and `hessian`. */
export interface JacobianOptions {
  /** Which positional arguments to differentiate: one (the default, 0) or several. */
  readonly argnums?: number | readonly number[];
  /** True if the function returns `[value, aux]`: the result is then `[jacobian, aux]`. */
  readonly hasAux?: boolean;
}

/** A tree with every array of R replaced by L. */
type Replaced<R, L> = R extends Tensor | number
  ? L
  : R extends readonly unknown[] | object
    ? { [K in keyof R]: Replaced<R[K], L> }
    : R;

/** Arrays for numbers too: a derivative is always an array. */
type Arrays<A> = Replaced<A, Tensor>;

type Chosen<F extends AnyFunction, O extends JacobianOptions> = O extends { readonly argnums: readonly number[] }
  ? Arrays<Parameters<F>[number]>[]
  : O extends { readonly argnums: infer N extends number }
    ? Arrays<Parameters<F>[N]>
    : Arrays<Parameters<F>[0]>;

/** The type of a Jacobian: f's output tree, each leaf the tree of the arguments; with hasAux, that and the aux. */
export type Jacobian<F extends AnyFunction, O extends JacobianOptions = object> = O extends { readonly hasAux: true }
  ? ReturnType<F> extends readonly [infer Y, infer X]
    ? [Replaced<Y, Chosen<F, O>>, X]
    : never
  : Replaced<ReturnType<F>, Chosen<F, O>>;

/** One unit vector for each element of some leaves: for every leaf, [total, ...shape]. */
function basis(leaves: readonly Tensor[]): Tensor[] {
  const total = leaves.reduce((sum, leaf) => sum + leaf.size, 0);
  let before = 0;
  return leaves.map((leaf) => {
    const shape = [total, leaf.size];
    const column = add(broadcastedIota("int32", shape, 1), before);
    const unit = convert(equal(broadcastedIota("int32", shape, 0), column), leaf.dtype);
    before += leaf.size;
    return reshape(unit, [total, ...leaf.shape]);
  });
}

/** The slices of an axis that belong to each leaf, with that axis replaced by the leaf's own. */
function apart(x: Tensor, axis: number, leaves: readonly Tensor[]): Tensor[] {
  let before = 0;
  return leaves.map((leaf) => {
    const starts = x.shape.map((_, k) => (k === axis ? before : 0));
    const limits = x.shape.map((extent, k) => (k === axis ? before + leaf.size : extent));
    before += leaf.size;
    return reshape(laxSlice(x, starts, limits), [...x.shape.slice(0, axis), ...leaf.shape, ...x.shape.slice(axis + 1)]);
  });
}

/** f as a function of the leaves of the arguments that are differentiated. */
interface Reduced {
  readonly leaves: readonly Tensor[];
  run(...leaves: Tensor[]): unknown;
  /** The chosen arguments' tree, of arrays that belong to each leaf. */
  rebuild(parts: readonly unknown[]): unknown;
}

function reduced(name: string, f: AnyFunction, args: readonly unknown[], options: JacobianOptions): Reduced {
  const { argnums = 0 } = options;
  const positions = positionsOf(name, argnums, args.length);
  const [leaves, def] = tree.flatten(positions.map((position) => args[position]));
  // unflatten gives back the list of arguments that was flattened.
  const chosen = (parts: readonly unknown[]): unknown[] => tree.unflatten(def, parts) as unknown[];
  return {
    leaves: leaves.map((leaf) => floatLeaf(name, leaf)),
    run: (...values) => {
      const full = [...args];
      chosen(values).forEach((value, k) => (full[positions[k] ?? 0] = value));
      return f(...full);
    },
    rebuild: (parts) => (typeof argnums === "number" ? chosen(parts)[0] : chosen(parts)),
  };
}

/**
 * The Jacobian of `f` by pushing unit vectors forward: for each array of f's output and each of its arguments, shape
 * output + argument. The better way when the output is larger than the argument.
 *
 * @throws DtypeError when a differentiated argument is not float. Source: jax.jacfwd.
 * @example
 * jacfwd((x: Tensor) => square(x))(array([1.5, 2])); // [[3, 0], [0, 4]]
 */
export function jacfwd<F extends AnyFunction, const O extends JacobianOptions = object>(
  f: F,
  options?: O,
): (...args: Parameters<F>) => Jacobian<F, O> {
  checkOptions<JacobianOptions>("jacfwd", options ?? {}, JACOBIAN_OPTIONS);
  checkFunction("jacfwd", f);
  const wrapped = (...args: unknown[]): unknown =>
    inArena(
      "jacfwd",
      () => {
        const { leaves, run, rebuild } = reduced("jacfwd", f, args, options ?? {});
        const { hasAux = false }: JacobianOptions = options ?? {};
        const push = (...moves: Tensor[]): unknown => {
          if (!hasAux) return [jvp(run, [...leaves], moves)[1], null];
          const given = (...values: Tensor[]): [unknown, unknown] => splitAux("jacfwd", run(...values));
          return jvp(given, [...leaves], moves, { hasAux: true }).slice(1);
        };
        // The aux is that of the point, whichever way it is left.
        const moved: unknown = vmap(push, { outAxes: [-1, null] })(...basis(leaves));
        const [tangents, aux] = moved as [unknown, unknown]; // what push gives
        const jacobian = mapLeaves("jacfwd", tangents, (pushed) => rebuild(apart(pushed, pushed.ndim - 1, leaves)));
        return hasAux ? [jacobian, aux] : jacobian;
      },
      keptStorages,
    );
  return wrapped as (...args: Parameters<F>) => Jacobian<F, O>; // the structure that the signature states
}

/**
 * The Jacobian of `f` by pulling unit vectors back: for each array of f's output and each of its arguments, shape
 * output + argument. The better way when the output is smaller than the argument.
 *
 * @throws DtypeError when a differentiated argument is not float. Source: jax.jacrev.
 * @example
 * jacrev((x: Tensor) => square(x))(array([1.5, 2])); // [[3, 0], [0, 4]]
 */
export function jacrev<F extends AnyFunction, const O extends JacobianOptions = object>(
  f: F,
  options?: O,
): (...args: Parameters<F>) => Jacobian<F, O> {
  checkOptions<JacobianOptions>("jacrev", options ?? {}, JACOBIAN_OPTIONS);
  checkFunction("jacrev", f);
  const wrapped = (...args: unknown[]): unknown =>
    inArena(
      "jacrev",
      () => {
        const { leaves, run, rebuild } = reduced("jacrev", f, args, options ?? {});
        const { hasAux = false }: JacobianOptions = options ?? {};
        const traced = trace("jacrev", run, [...leaves], hasAux);
        try {
          const [list, def] = tree.flatten(traced.output);
          const outputs = list.map((leaf) => asTensor(leaf as TensorLike, "jacrev")); // checked when it was traced
          const pulled = vmap((...cts: Tensor[]) => traced.pull(cts) as Tensor[])(...basis(outputs)); // a gradient each
          const parts = pulled.map((one) => apart(one, 0, outputs));
          const blocks = outputs.map((_, j) => rebuild(parts.map((part) => part[j])));
          const jacobian = tree.unflatten(def, blocks);
          return hasAux ? [jacobian, traced.aux] : jacobian;
        } finally {
          traced.finish();
        }
      },
      keptStorages,
    );
  return wrapped as (...args: Parameters<F>) => Jacobian<F, O>; // the structure that the signature states
}

/**
 * The second derivatives of `f`, as the forward Jacobian of its reverse Jacobian: for each array of f's output and each
 * pair of its arguments, shape output + argument + argument.
 *
 * @throws DtypeError when a differentiated argument is not float. Source: jax.hessian.
 * @example
 * hessian((x: Tensor) => sum(power(x, 3)))(array([1.5, 2])); // [[9, 0], [0, 12]]
 */
export function hessian<F extends AnyFunction, const O extends JacobianOptions = object>(
  f: F,
  options?: O,
): (
  ...args: Parameters<F>
) => O extends { readonly hasAux: true }
  ? Jacobian<F, O> extends readonly [infer J, infer X]
    ? [Replaced<J, Chosen<F, O>>, X]
    : never
  : Replaced<Jacobian<F, O>, Chosen<F, O>> {
  // The type of a Jacobian of a Jacobian is too deep for inference; it is the signature's.
  return jacfwd(jacrev(f, options) as AnyFunction, options) as never;
}
