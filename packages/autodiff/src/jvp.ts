import { asTensor, inArena, keptStorages, withLevel, checkOptions } from "@jnx/tensor/internal";
import { ArgumentError, DtypeError, ShapeError, tree, type Tensor, type TensorLike } from "@jnx/tensor";
import { Forward, transposeMany } from "./forward.ts";
import { floatLeaf, matching, splitAux, trace } from "./grad.ts";
import { zeroOf } from "./tape.ts";

const JVP_OPTIONS = { hasAux: true } as const;

/** Options of `jvp` and `linearize`. */
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
 * @throws ArgumentError when the trees differ, ShapeError or DtypeError when a tangent does not fit its primal, DtypeError
 * for a primal that is not float.
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
  const pushed = inArena(
    "jvp",
    () => {
      const { leaves, moves, def } = perturbations("jvp", primals, tangents);
      const level = new Forward("jvp");
      const moved = leaves.map((leaf, k) => level.perturb(leaf, moves[k] ?? zeroOf(leaf)));
      // The list of arguments that was flattened, with its leaves replaced.
      const returned = withLevel(level, () => f(...(tree.unflatten(def, moved) as unknown as A)));
      const [value, aux] = options?.hasAux === true ? splitAux("jvp", returned) : [returned, undefined];
      const tangent = mapLeaves(value, (leaf) => level.tangentOf(leaf) ?? zeroOf(leaf));
      return options?.hasAux === true ? [value, tangent, aux] : [value, tangent];
    },
    keptStorages,
  );
  return pushed as Pushed<R, O>; // f's value twice over, and its aux
}

/** A tree of arrays with each leaf replaced. */
export function mapLeaves(value: unknown, f: (leaf: Tensor) => unknown): unknown {
  const [leaves, def] = tree.flatten(value);
  return tree.unflatten(
    def,
    leaves.map((leaf) => f(asTensor(leaf as TensorLike))), // asTensor refuses what is no array
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
  if (def.text !== tangentDef.text)
    throw new ArgumentError(
      `${name}: the primals' tree is ${def.text}, the tangents' ${tangentDef.text}; give one tangent for each primal`,
    );
  const leaves = points.map((leaf) => floatLeaf(name, leaf));
  const moves = directions.map((direction, k) =>
    checkTangent(name, floatLeaf(name, direction), leaves[k] ?? floatLeaf(name, 0)),
  );
  return { leaves, moves, def };
}

function checkTangent(name: string, tangent: Tensor, primal: Tensor): Tensor {
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
 * @throws as {@link jvp}. Source: jax.linearize.
 * @example
 * const [y, push] = linearize((x: Tensor) => square(x), array([1.5, 2]));
 * y; // [2.25, 4]
 * push(array([1, 10.5])); // [3, 42]
 */
export function linearize<A extends readonly unknown[], R>(
  f: (...args: A) => R,
  ...primals: A
): [R, (...tangents: A) => R] {
  return inArena(
    "linearize",
    () => {
      const traced = trace("linearize", f, primals, false);
      const [outputs, outDef] = tree.flatten(traced.output);
      const likes = outputs.map((leaf) => asTensor(leaf as TensorLike)); // checked when it was traced
      const push = (...tangents: A): R =>
        inArena(
          "linearize",
          () => {
            const { moves } = perturbations("linearize", primals, tangents);
            const pull = (cts: readonly Tensor[]): Tensor[] => tree.leaves(traced.pull(cts)) as Tensor[]; // gradients
            const pushed = transposeMany(pull, likes, moves);
            return tree.unflatten(
              outDef,
              pushed.map((tangent, k) => tangent ?? zeroOf(likes[k] ?? floatLeaf("linearize", 0))),
            ) as R; // the structure of f's output
          },
          keptStorages,
        );
      return [traced.output as R, push]; // f's own output
    },
    ([output]) => keptStorages(output),
  );
}

/**
 * The transpose of a linear function: for cotangents of its output, those of its arguments, one entry each. Of `primals`
 * only trees, shapes and dtypes matter.
 *
 * @throws DtypeError for a primal that is not float, ArgumentError, ShapeError or DtypeError when the cotangent does not fit.
 * Source: jax.linear_transpose.
 * @example
 * const back = linearTranspose((x: Tensor) => sum(mul(x, array([2, 3]))), zeros([2]));
 * back(array(10.5)); // [[21, 31.5]]
 */
export function linearTranspose<A extends readonly unknown[], R>(
  f: (...args: A) => R,
  ...primals: A
): (cotangent: R) => A {
  return (cotangent) =>
    inArena(
      "linearTranspose",
      () => {
        // zeros in the arguments' own trees
        const zero = mapLeaves([...primals], (leaf) => zeroOf(floatLeaf("linearTranspose", leaf))) as unknown as A;
        const traced = trace("linearTranspose", f, zero, false);
        try {
          return traced.pull(matching("linearTranspose", cotangent, traced.output));
        } finally {
          traced.finish();
        }
      },
      keptStorages,
    );
}
