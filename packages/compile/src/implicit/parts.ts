import { Forward, Tape } from "@jnx/autodiff/internal";
import { asTensor, convert, isFloat, literal, withLevel } from "@jnx/tensor/internal";
import { ArgumentError, tree, type Tensor, type TensorLike } from "@jnx/tensor";
import { evaluateNodes } from "../control/closed.ts";
import { checkSameTypes, leavesOf } from "../control/trees.ts";
import type { Graph } from "../graph.ts";

/** What functions share that are differentiated where they end, not along the way there. */

export type Tangents = readonly (Tensor | undefined)[];

/** A tree of arrays that unknowns are like. */
export interface Unknowns {
  readonly leaves: readonly Tensor[];
  readonly def: tree.TreeDef;
}

/** The arrays of a tree, strongly typed; a JavaScript number is a float. */
export function unknownsOf(name: string, value: unknown): Unknowns {
  const [leaves, def] = tree.flatten(value);
  const strong = leaves.map((leaf) => {
    const x = typeof leaf === "number" ? literal(leaf, [], "float32") : asTensor(leaf as TensorLike, name); // asTensor refuses what is no array
    return convert(x, x.dtype, false);
  });
  return { leaves: strong, def };
}

/** The leaves of what a function of the user's gave, which must be like the unknowns. */
export function likeUnknowns(name: string, label: string, what: string, given: unknown, like: Unknowns): Tensor[] {
  const [leaves, def] = leavesOf(name, given);
  // A JavaScript number takes the type it stands for.
  const fitted = leaves.map((leaf, k) => {
    const dtype = like.leaves[k]?.dtype ?? leaf.dtype;
    return convert(leaf, leaf.weak && isFloat(dtype) ? dtype : leaf.dtype, false);
  });
  checkSameTypes(
    name,
    `${label} must give what is like ${what}`,
    { label, tree: { def, avals: fitted } },
    { label: what, tree: { def: like.def, avals: like.leaves } },
  );
  return fitted;
}

/** What a solver gave, `[solution, aux]` with `hasAux`. */
export function splitSolution(name: string, label: string, given: unknown, hasAux: boolean): [unknown, unknown] {
  if (!hasAux) return [given, null];
  if (Array.isArray(given) && given.length === 2) return [given[0], given[1]];
  throw new ArgumentError(`${name}: with hasAux ${label} must return [solution, aux]`);
}

/** The tangents of a graph's outputs where some of its inputs move; undefined for zero. */
export function pushedThrough(name: string, graph: Graph, inputs: readonly Tensor[], moves: Tangents): Tangents {
  const level = new Forward(name);
  const moved = inputs.map((x, k) => {
    const move = moves[k];
    return move === undefined ? x : level.perturb(x, move);
  });
  return withLevel(level, () => evaluateNodes(graph.outputs, moved)).map((output) => level.tangentOf(output));
}

/** The cotangents of those inputs of a graph that want one; undefined for zero. */
export function pulledThrough(
  name: string,
  graph: Graph,
  inputs: readonly Tensor[],
  wanted: readonly boolean[],
  cts: Tangents,
): Tangents {
  const tape = new Tape(name);
  const leaves = inputs.map((x, k) => (wanted[k] === true && isFloat(x.dtype) ? tape.watch(x) : x));
  const outputs = tape.record(() => evaluateNodes(graph.outputs, leaves));
  try {
    const parts = tape.pullback(outputs, cts, leaves);
    return parts.map((part, k) => (wanted[k] === true ? part : undefined));
  } finally {
    tape.release();
  }
}
