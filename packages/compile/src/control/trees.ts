import { asTensor, shapeText } from "@jnx/tensor/internal";
import { ArgumentError, DtypeError, ShapeError, tree, type Aval, type Tensor, type TensorLike } from "@jnx/tensor";

/** The arrays of a tree and its structure. */
export function leavesOf(value: unknown): [Tensor[], tree.TreeDef] {
  const [leaves, def] = tree.flatten(value);
  return [leaves.map((leaf) => asTensor(leaf as TensorLike)), def]; // asTensor refuses what is no array
}

/** A structure with what lies at its leaves. */
export interface TypedTree {
  readonly def: tree.TreeDef;
  readonly avals: readonly Aval[];
}

export function typeText({ dtype, shape }: Aval): string {
  return `${dtype}${shapeText(shape)}`;
}

/** A tree as a reader would write it, with dtypes and shapes for arrays: `{ a: float32[2], b: [int32[], null] }`. */
export function treeText({ def, avals }: TypedTree): string {
  return written(
    tree.unflatten(
      def,
      avals.map((aval) => new Leaf(typeText(aval))),
    ),
  );
}

class Leaf {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

function written(value: unknown): string {
  if (value instanceof Leaf) return value.text;
  if (value === null || value === undefined) return "null";
  if (Array.isArray(value)) return `[${value.map(written).join(", ")}]`;
  if (typeof value !== "object") return String(value);
  const entries: readonly (readonly [unknown, unknown])[] =
    value instanceof Map ? [...value.entries()] : Object.entries(value);
  const name = value.constructor === Object ? "" : `${value.constructor.name} `;
  return `${name}{ ${entries.map(([key, child]) => `${String(key)}: ${written(child)}`).join(", ")} }`;
}

/** Where two trees of one structure, or of two, first differ; undefined if they do not. Weak types are no difference. */
export function firstDifference(a: TypedTree, b: TypedTree): { place: string; a: string; b: string } | undefined {
  const [left, right] = [placesOf(a), placesOf(b)];
  for (let k = 0; k < Math.max(left.length, right.length); k++) {
    const [x, y] = [left[k], right[k]];
    if (x !== undefined && y !== undefined && x.place === y.place) {
      if (x.type !== y.type) return { place: x.place, a: x.type, b: y.type };
      continue;
    }
    const place = x === undefined || right.some((other) => other.place === x.place) ? (y?.place ?? "") : x.place;
    const at = (list: readonly Place[]): string => list.find((one) => one.place === place)?.type ?? "nothing";
    return { place, a: at(left), b: at(right) };
  }
  return a.def.text === b.def.text ? undefined : { place: "", a: treeText(a), b: treeText(b) };
}

interface Place {
  readonly place: string;
  readonly type: string;
}

function placesOf({ def, avals }: TypedTree): Place[] {
  const { leaves, paths } = tree.flattenWithPath(tree.unflatten(def, avals), isAval);
  return leaves.flatMap((leaf, k) => (isAval(leaf) ? { place: (paths[k] ?? []).join("."), type: typeText(leaf) } : []));
}

function isAval(value: unknown): value is Aval {
  return typeof value === "object" && value !== null && "dtype" in value && "shape" in value && "weak" in value;
}

/** Throws unless both trees hold the same types at the same places. `what` says whose they are. */
export function checkSameTypes(
  name: string,
  what: string,
  a: { readonly label: string; readonly tree: TypedTree },
  b: { readonly label: string; readonly tree: TypedTree },
): void {
  const difference = firstDifference(a.tree, b.tree);
  if (difference === undefined) return;
  const place = difference.place === "" ? "" : ` at ${difference.place}`;
  const message =
    `${name}: ${what}; ${a.label} gives ${treeText(a.tree)}, ${b.label} gives ${treeText(b.tree)}; ` +
    `the first difference${place}: ${difference.a} and ${difference.b}`;
  if (a.tree.def.text !== b.tree.def.text) throw new ArgumentError(message);
  const at = a.tree.avals.findIndex((aval, k) => typeText(aval) !== typeText(b.tree.avals[k] ?? aval));
  const [x, y] = [a.tree.avals[at], b.tree.avals[at]];
  if (x !== undefined && x.dtype === y?.dtype) throw new ShapeError(message);
  throw new DtypeError(`${message}; convert one with astype()`);
}
