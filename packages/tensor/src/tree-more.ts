import { ArgumentError } from "./errors.ts";
import { checkOptions } from "./options.ts";
import { flatten, flattenWithPath, leaves as leavesIn, unflatten, type PathPart, type TreeDef } from "./flatten.ts";

/** The functions of jax.tree that no package of ours needs: apart, for a bundler keeps a namespace that is used whole. */

type IsLeaf = (value: unknown) => boolean;

/**
 * True if every leaf is true, in JavaScript's sense; of no leaves, too. Source: jax.tree.all.
 * @example treeTools.all({ a: true, b: [1, "x"] }); // true
 */
export function all(tree: unknown, isLeaf?: IsLeaf): boolean {
  return leavesIn(tree, isLeaf).every(Boolean);
}

/**
 * f(f(f(first, leaf), leaf), …) over the leaves in order; starts with the first leaf unless told. Source: jax.tree.reduce.
 *
 * @throws ArgumentError for a tree without leaves and no start.
 * @example treeTools.reduce((sum: number, x: number) => sum + x, { a: 1, b: [2, 3] }); // 6
 */
export function reduce<T>(f: (sum: T, leaf: never) => T, tree: unknown, ...start: readonly [initializer?: T]): T {
  const leaves = leavesIn(tree);
  const call = f as (sum: unknown, leaf: unknown) => unknown; // a leaf's type is the caller's knowledge
  if (start.length > 0) return leaves.reduce(call, start[0]) as T; // what f gives
  if (leaves.length === 0) throw new ArgumentError("tree.reduce: the tree has no leaves; give what to start with");
  return leaves.reduce(call) as T; // what f gives, or the only leaf
}

/**
 * The same for an associative f, which takes neighbours two by two: as many steps one after another as the logarithm of the
 * number of leaves. Source: jax.tree.reduce_associative.
 *
 * @throws ArgumentError for a tree without leaves and no `identity`.
 * @example treeTools.reduceAssociative((a: string, b: string) => `(${a}${b})`, ["a", "b", ["c"]]); // "((ab)c)"
 */
export function reduceAssociative<T>(f: (a: T, b: T) => T, tree: unknown, ...identity: readonly [identity?: T]): T {
  let leaves = leavesIn(tree) as T[]; // a leaf's type is the caller's knowledge
  if (leaves.length === 0 && identity.length === 0)
    throw new ArgumentError("tree.reduceAssociative: the tree has no leaves; give the identity of the operation");
  while (leaves.length > 1) {
    const pairs: T[] = [];
    leaves.forEach((leaf, k) => {
      if (k % 2 === 1) pairs.push(f(leaves[k - 1] ?? leaf, leaf));
      else if (k === leaves.length - 1) pairs.push(leaf);
    });
    leaves = pairs;
  }
  return leaves.length > 0 ? (leaves[0] as T) : (identity[0] as T); // there is one of the two
}

/**
 * A tree of lists as a list of trees, or otherwise the outer structure inside the inner one. Source: jax.tree.transpose.
 *
 * @throws ArgumentError unless the tree is the inner structure at every leaf of the outer one.
 * @example
 * treeTools.transpose(tree.structure({ a: 0, b: 0 }), tree.structure([0, 0]), { a: [1, 2], b: [3, 4] }); // [{ a: 1, b: 3 }, { a: 2, b: 4 }]
 */
export function transpose(outer: TreeDef, inner: TreeDef, tree: unknown): unknown {
  const [leaves, def] = flatten(tree);
  const [columns, rows] = [inner.leafCount, outer.leafCount];
  const nested = unflatten(
    outer,
    Array.from({ length: rows }, () => unflatten(inner, inner.leafCount === 0 ? [] : Array(columns).fill(0))),
  );
  const wanted = flatten(nested)[1].text;
  if (def.text !== wanted)
    throw new ArgumentError(`tree.transpose: the tree has the structure ${def.text}, expected ${wanted}`);
  const parts = Array.from({ length: columns }, (_, column) =>
    unflatten(
      outer,
      Array.from({ length: rows }, (__, row) => leaves[row * columns + column]),
    ),
  );
  return unflatten(inner, parts);
}

/**
 * The structure of `full`, with each leaf of `prefix` at all places below its own. Source: jax.tree.broadcast.
 *
 * @throws ArgumentError when `prefix` goes deeper than `full`, or otherwise than it.
 * @example treeTools.broadcast([1, 2], [0, { a: 0, b: [0] }]); // [1, { a: 2, b: [2] }]
 */
export function broadcast<T>(prefix: unknown, full: T, isLeaf?: IsLeaf): T {
  const above = flattenWithPath(prefix, isLeaf);
  const below = flattenWithPath(full, isLeaf);
  const known = new Map(above.paths.map((path, k) => [JSON.stringify(path), k]));
  const used = new Set<number>();
  const values = below.paths.map((path) => {
    for (let depth = path.length; depth >= 0; depth--) {
      const k = known.get(JSON.stringify(path.slice(0, depth)));
      if (k === undefined) continue;
      used.add(k);
      return above.leaves[k];
    }
    throw new ArgumentError(
      `tree.broadcast: the prefix, of structure ${above.def.text}, has nothing at or above ${keystr(path) || "the root"} of the tree, of structure ${below.def.text}`,
    );
  });
  const lost = above.paths.findIndex((path, k) => !used.has(k) && !isWithin(full, path));
  if (lost >= 0)
    throw new ArgumentError(
      `tree.broadcast: the prefix has ${keystr(above.paths[lost] ?? [])}, which the tree, of structure ${below.def.text}, has not`,
    );
  return unflatten(below.def, values) as T; // the same structure
}

/** True if there is anything at a path: a node without leaves, say. */
function isWithin(tree: unknown, path: readonly PathPart[]): boolean {
  let at: unknown = tree;
  for (const part of path) {
    if (typeof at !== "object" || at === null) return false;
    at = at instanceof Map ? at.get(part) : (at as Record<PathPart, unknown>)[part]; // whatever it has there
  }
  return at !== undefined;
}

/**
 * Each leaf with its path. Source: jax.tree.leaves_with_path.
 * @example treeTools.leavesWithPath({ b: 2, a: [1] }); // [[["a", 0], 1], [["b"], 2]]
 */
export function leavesWithPath(tree: unknown, isLeaf?: IsLeaf): [path: PathPart[], leaf: unknown][] {
  const { leaves, paths } = flattenWithPath(tree, isLeaf);
  return leaves.map((leaf, k) => [paths[k] ?? [], leaf]);
}

/**
 * `map` whose function is given the path of a leaf first. Source: jax.tree.map_with_path.
 *
 * @throws ArgumentError when a tree of `rest` has another structure.
 * @example treeTools.mapWithPath((path: tree.PathPart[], x: number) => `${treeTools.keystr(path)}=${x}`, { a: [1] }); // { a: ["['a'][0]=1"] }
 */
export function mapWithPath(
  f: (path: PathPart[], ...leaves: never[]) => unknown,
  tree: unknown,
  ...rest: readonly unknown[]
): unknown {
  const { leaves, paths, def } = flattenWithPath(tree);
  const others = rest.map((other) => {
    const [list, otherDef] = flatten(other);
    if (otherDef.text !== def.text)
      throw new ArgumentError(
        `tree.mapWithPath: the trees differ in structure: the first is ${def.text}, another ${otherDef.text}`,
      );
    return list;
  });
  const call = f as (path: PathPart[], ...args: unknown[]) => unknown; // a leaf's type is the caller's knowledge
  return unflatten(
    def,
    leaves.map((leaf, k) => call(paths[k] ?? [], leaf, ...others.map((list) => list[k]))),
  );
}

/**
 * True if every element of a list is a leaf. Source: jax.tree_util.all_leaves.
 * @example treeTools.allLeaves([1, [2]]); // false
 */
export function allLeaves(values: Iterable<unknown>, isLeaf?: IsLeaf): boolean {
  return [...values].every((value) => flatten(value, isLeaf)[1].text === "*");
}

/** Options of `keystr`. */
export interface KeystrOptions {
  /** Names alone, without brackets. Default false. */
  readonly simple?: boolean;
  /** What stands between them; nothing unless told. */
  readonly separator?: string;
}

/**
 * A path as text. Source: jax.tree_util.keystr.
 * @example treeTools.keystr(["layers", 0, "bias"], { simple: true, separator: "/" }); // "layers/0/bias"
 */
export function keystr(path: readonly PathPart[], options: KeystrOptions = {}): string {
  checkOptions("tree.keystr", options, { simple: "flag", separator: true });
  const { simple = false, separator = "" } = options;
  return path
    .map((part) => (simple ? String(part) : typeof part === "number" ? `[${part}]` : `['${part}']`))
    .join(separator);
}
