import { asTensor, differenceText, shapeText, treeText, type WordedTree } from "@jnx/tensor/internal";
import { ArgumentError, DtypeError, ShapeError, tree, type Aval, type Tensor, type TensorLike } from "@jnx/tensor";

/** The arrays of a tree and its structure. */
export function leavesOf(name: string, value: unknown): [Tensor[], tree.TreeDef] {
  const [leaves, def] = tree.flatten(value);
  return [leaves.map((leaf) => asTensor(leaf as TensorLike, name)), def]; // asTensor refuses what is no array
}

/** What errors call the arrays of a tree: whose they are, and where they lie. */
export function namesOf(label: string, value: unknown): string[] {
  return tree.flattenWithPath(value).paths.map((path) => [label, ...path].join("."));
}

/** A structure with what lies at its leaves. */
export interface TypedTree {
  readonly def: tree.TreeDef;
  readonly avals: readonly Aval[];
}

export function typeText({ dtype, shape }: Aval): string {
  return `${dtype}${shapeText(shape)}`;
}

/** A tree as a reader would write it, with dtypes and shapes for arrays. */
export function treeOf({ def, avals }: TypedTree): string {
  return treeText({ def, words: avals.map(typeText) });
}

/** Throws unless both trees hold the same types at the same places. `what` says whose they are. */
export function checkSameTypes(
  name: string,
  what: string,
  a: { readonly label: string; readonly tree: TypedTree },
  b: { readonly label: string; readonly tree: TypedTree },
): void {
  const worded = ({ label, tree: { def, avals } }: typeof a): { label: string; tree: WordedTree } => ({
    label: `${label} gives`,
    tree: { def, words: avals.map(typeText) },
  });
  const difference = differenceText(worded(a), worded(b));
  if (difference === undefined) return;
  const message = `${name}: ${what}; ${difference}`;
  if (a.tree.def.text !== b.tree.def.text) throw new ArgumentError(message);
  const at = a.tree.avals.findIndex((aval, k) => typeText(aval) !== typeText(b.tree.avals[k] ?? aval));
  const [x, y] = [a.tree.avals[at], b.tree.avals[at]];
  if (x !== undefined && x.dtype === y?.dtype) throw new ShapeError(message);
  throw new DtypeError(`${message}; convert one with astype()`);
}
