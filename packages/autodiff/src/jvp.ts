import {
  asTensor,
  bind,
  checkOptions,
  inArena,
  isFloat,
  keptStorages,
  literal,
  withLevel,
  type AnyFunction,
  type AnyOp,
  type Level,
} from "@jnx/tensor/internal";
import { ArgumentError, DtypeError, ShapeError, Tensor, tree, type Aval, type TensorLike } from "@jnx/tensor";
import { Forward, transposeMany } from "./forward.ts";
import {
  checkFunction,
  checkSameTree,
  floatLeaf,
  matching,
  splitAux,
  trace,
  withoutAux,
  type AuxOption,
} from "./grad.ts";
import { zeroOf } from "./tape.ts";

const JVP_OPTIONS = { hasAux: "flag" } as const;

/** Options of `jvp`. */
export interface JvpOptions {
  /** True if the function returns `[value, aux]`: aux is handed out last, undifferentiated. */
  readonly hasAux?: boolean;
}

type Pushed<R, O extends JvpOptions> = O extends { readonly hasAux: true }
  ? R extends readonly [infer Y, infer X]
    ? [Y, Y, X]
    : never
  : [R, R];

/**
 * The value of `f` at `primals` and its derivative along `tangents`, `[f(x), ∂f(x)·v]`, in one pass forward; with
 * `hasAux`, `[value, tangent, aux]`. Both lists have one entry for each argument, of the same trees, shapes and dtypes.
 * Outputs that are not float have zeros for a tangent.
 *
 * A primal that is not float has zeros for a tangent.
 *
 * @throws ArgumentError when the trees differ, ShapeError or DtypeError when a tangent does not fit its primal.
 * Source: jax.jvp.
 * @example
 * jvp((x: Tensor) => square(x), [array([1.5, 2])], [array([1, 10.5])]); // [[2.25, 4], [3, 42]]
 */
export function jvp<A extends readonly unknown[], R, const O extends JvpOptions = object>(
  f: (...args: A) => R,
  primals: A,
  tangents: A,
  options?: O,
): Pushed<R, O> {
  checkOptions<JvpOptions>("jvp", options ?? {}, JVP_OPTIONS);
  checkFunction("jvp", f);
  const pushed = inArena(
    "jvp",
    () => {
      const { leaves, moves, def } = perturbations("jvp", primals, tangents);
      const level = new Forward("jvp");
      const moved = leaves.map((leaf, k) =>
        isFloat(leaf.dtype) ? level.perturb(leaf, moves[k] ?? zeroOf(leaf)) : leaf,
      );
      // The list of arguments that was flattened, with its leaves replaced.
      const returned = withLevel(level, () => f(...(tree.unflatten(def, moved) as unknown as A)));
      const [value, aux] = options?.hasAux === true ? splitAux("jvp", returned) : [returned, undefined];
      const tangent = mapLeaves("jvp", value, (leaf) => level.tangentOf(leaf) ?? zeroOf(leaf));
      return options?.hasAux === true ? [value, tangent, aux] : [value, tangent];
    },
    keptStorages,
  );
  return pushed as Pushed<R, O>; // f's value twice over, and its aux
}

/** A tree of arrays with each leaf replaced. */
export function mapLeaves(name: string, value: unknown, f: (leaf: Tensor) => unknown): unknown {
  const [leaves, def] = tree.flatten(value);
  return tree.unflatten(
    def,
    leaves.map((leaf) => f(asTensor(leaf as TensorLike, name))), // asTensor refuses what is no array
  );
}

/** The leaves of primals as float tensors, and their tangents, checked against them. */
function perturbations(
  name: string,
  primals: readonly unknown[],
  tangents: readonly unknown[],
): { leaves: Tensor[]; moves: Tensor[]; def: tree.TreeDef } {
  if (!Array.isArray(primals) || !Array.isArray(tangents))
    throw new ArgumentError(`${name}: primals and tangents are lists with one entry for each argument of the function`);
  const [points, def] = tree.flatten(primals);
  const [directions, tangentDef] = tree.flatten(tangents);
  checkSameTree(
    name,
    "there must be one tangent for each primal",
    { label: "the primals are", def, leaves: points },
    { label: "the tangents", def: tangentDef, leaves: directions },
  );
  const number = (leaf: unknown): Tensor =>
    typeof leaf === "number" ? floatLeaf(name, leaf) : asTensor(leaf as TensorLike, name); // asTensor refuses what is no array
  const leaves = points.map(number);
  const moves = directions.map((direction, k) =>
    checkTangent(name, number(direction), leaves[k] ?? floatLeaf(name, 0)),
  );
  return { leaves, moves, def };
}

function checkTangent(name: string, tangent: Tensor, primal: Tensor): Tensor {
  const { payload } = tangent;
  if (!isFloat(primal.dtype) && !(payload.kind === "literal" && payload.value === 0))
    throw new DtypeError(
      `${name}: a primal is ${primal.dtype}, which has no direction to move in; give zeros for its tangent (jnp.zerosLike), or close over it`,
    );
  if (tangent.dtype !== primal.dtype)
    throw new DtypeError(
      `${name}: a tangent is ${tangent.dtype}, its primal ${primal.dtype}; convert it with astype()`,
    );
  if (tangent.shape.length !== primal.shape.length || tangent.shape.some((extent, k) => extent !== primal.shape[k]))
    throw new ShapeError(
      `${name}: a tangent has shape [${tangent.shape.join(", ")}], its primal [${primal.shape.join(", ")}]; they must be the same`,
    );
  return tangent;
}

/**
 * The value of `f` and its derivative there as a function: `push(...tangents)` gives ∂f(x)·v. f runs once; what its
 * derivative needs is kept, so that `push` costs no evaluation of f.
 *
 * After the primals `{ hasAux: true }` may follow: f returns `[value, aux]`, and aux is handed out last.
 *
 * @throws as {@link jvp}. Source: jax.linearize.
 * @example
 * const [y, push] = linearize((x: Tensor) => square(x), array([1.5, 2]));
 * y; // [2.25, 4]
 * push(array([1, 10.5])); // [3, 42]
 */
export function linearize<A extends readonly unknown[], R, X>(
  f: (...args: A) => readonly [R, X],
  ...primals: [...A, AuxOption]
): [R, (...tangents: A) => R, X];
export function linearize<A extends readonly unknown[], R>(
  f: (...args: A) => R,
  ...primals: A
): [R, (...tangents: A) => R];
export function linearize(f: AnyFunction, ...given: unknown[]): unknown[] {
  checkFunction("linearize", f);
  return inArena(
    "linearize",
    () => {
      const { primals, hasAux } = withoutAux(given);
      const traced = trace("linearize", f, primals, hasAux, { allowInt: true });
      const [outputs, outDef] = tree.flatten(traced.output);
      const likes = outputs.map((leaf) => asTensor(leaf as TensorLike, "linearize")); // checked when it was traced
      const along = (...tangents: unknown[]): unknown => {
        const { moves } = perturbations("linearize", primals, tangents);
        const pull = (cts: readonly Tensor[]): Tensor[] => tree.leaves(traced.pull(cts)) as Tensor[]; // gradients
        const pushed = transposeMany(pull, likes, moves);
        return tree.unflatten(
          outDef,
          pushed.map((tangent, k) => tangent ?? zeroOf(likes[k] ?? floatLeaf("linearize", 0))),
        );
      };
      const push = (...tangents: unknown[]): unknown => inArena("linearize", () => along(...tangents), keptStorages);
      return hasAux ? [traced.output, push, traced.aux] : [traced.output, push];
    },
    ([output, , aux]) => keptStorages([output, aux]),
  );
}

/** An array, or what says its shape and dtype (ShapeDtypeStruct). */
function zeroOfLike(leaf: unknown): Tensor {
  const { shape, dtype } = (typeof leaf === "object" && leaf !== null ? leaf : {}) as Partial<Aval>; // looked at below
  return shape !== undefined && dtype !== undefined && isFloat(dtype)
    ? literal(0, shape, dtype)
    : zeroOf(floatLeaf("linearTranspose", leaf));
}

/**
 * The transpose of a linear function: for cotangents of its output, those of its arguments, one entry each. Of `primals`
 * only trees, shapes and dtypes matter: ShapeDtypeStructs will do.
 *
 * @throws DtypeError for a primal that is not float, ArgumentError when the function is not linear, ArgumentError, ShapeError or
 * DtypeError when the cotangent does not fit.
 * Source: jax.linear_transpose.
 * @example
 * const back = linearTranspose((x: Tensor) => sum(mul(x, array([2, 3]))), zeros([2]));
 * back(array(10.5)); // [[21, 31.5]]
 */
export function linearTranspose<A extends readonly unknown[], R>(
  f: (...args: A) => R,
  ...primals: A
): (cotangent: R) => A {
  checkFunction("linearTranspose", f);
  return (cotangent) =>
    inArena(
      "linearTranspose",
      () => {
        const [leaves, def] = tree.flatten([...primals]);
        const zeros = leaves.map(zeroOfLike);
        const point = new Dependence();
        // zeros in the arguments' own trees
        const args = tree.unflatten(def, zeros) as unknown as A;
        return withLevel(point, () => {
          const watch = (...values: A): R => {
            for (const value of tree.leaves(values)) if (value instanceof Tensor) point.add(value);
            return f(...values);
          };
          const traced = trace("linearTranspose", watch, args, false);
          try {
            const cts = traced.pull(matching("linearTranspose", cotangent, traced.output));
            if (tree.leaves(cts).some((ct) => ct instanceof Tensor && point.has(ct)))
              throw new ArgumentError(
                "linearTranspose: the function is not linear: its derivative depends on where it is taken; use vjp at a point, or linearize first",
              );
            return cts;
          } finally {
            traced.finish();
          }
        });
      },
      keptStorages,
    );
}

/** The level that knows what was computed from some tensors: a linear function's derivative is computed from none of them. */
class Dependence implements Level {
  readonly name = "linearTranspose";
  readonly #known = new WeakSet<Tensor>();

  add(x: Tensor): void {
    this.#known.add(x);
  }

  has(x: Tensor): boolean {
    return this.#known.has(x);
  }

  claims(inputs: readonly Tensor[]): boolean {
    return inputs.some((input) => this.#known.has(input));
  }

  process(op: AnyOp, inputs: readonly Tensor[], attrs: unknown): Tensor {
    const output = bind(op, inputs, attrs);
    this.#known.add(output);
    return output;
  }
}
