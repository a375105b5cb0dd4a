import { ArgumentError } from "./errors.ts";

/**
 * How instances of a class are taken apart and put together as trees. `aux` is the static part: it must be equal for
 * two trees to have the same structure.
 */
export interface TreeNode<T> {
  flatten(value: T): {
    readonly keys: readonly (string | number)[];
    readonly children: readonly unknown[];
    readonly aux: unknown;
  };
  unflatten(aux: unknown, children: readonly unknown[]): T;
}

type Constructor<T> = abstract new (...args: never[]) => T;

// Keyed by class; the value's type parameter is the class's own, which a Map cannot say.
const registry = new Map<unknown, TreeNode<never>>();

/**
 * Makes instances of a class inner nodes of trees instead of leaves. Exact class only, not subclasses.
 * Source: jax.tree_util.register_pytree_node.
 *
 * @throws ArgumentError for a class that is registered already.
 * @example
 * class Point {
 *   constructor(readonly x: number) {}
 * }
 * tree.registerTreeNode(Point, {
 *   flatten: ({ x }) => ({ keys: ["x"], children: [x], aux: null }),
 *   unflatten: (_aux, [x]) => new Point(Number(x)),
 * });
 * tree.leaves([new Point(3)]); // [3]
 */
export function registerTreeNode<T>(cls: Constructor<T>, node: TreeNode<T>): void {
  if (registry.has(cls)) throw new ArgumentError(`registerTreeNode: ${cls.name} is registered already`);
  // Looked up by the instance's own constructor only, so the node meets no other class.
  registry.set(cls, node as unknown as TreeNode<never>);
}

/** The shape of a tree: what `unflatten` needs besides the leaves. Compared by `text`. */
export interface TreeDef {
  readonly text: string;
  readonly leafCount: number;
  rebuild(leaves: readonly unknown[]): unknown;
  /**
   * The leaves of a tree of this very structure, or undefined: of another, or of one with Maps or instances of classes, for
   * which only flattening can tell.
   */
  leavesOf(tree: unknown): unknown[] | undefined;
}

/** A step on the way to a leaf. */
export type PathPart = string | number;

interface Found {
  readonly leaves: unknown[];
  readonly paths: PathPart[][];
}

type Builder = (next: () => unknown) => unknown;

/** Adds the leaves of a value to a list; false if the value is not of the structure, or if that is not known. */
type Taker = (value: unknown, leaves: unknown[]) => boolean;

interface Visited {
  readonly text: string;
  readonly build: Builder;
  readonly take: Taker;
}

function nothing(value: null | undefined): Visited {
  return { text: "n", build: () => value, take: (other) => other === value };
}

function isPlainObject(value: object): value is Record<string, unknown> {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function visit(
  value: unknown,
  path: PathPart[],
  found: Found,
  isLeaf: ((value: unknown) => boolean) | undefined,
): Visited {
  if (isLeaf?.(value) !== true) {
    if (value === null || value === undefined) return nothing(value);
    if (Array.isArray(value))
      return visitList(
        "[",
        "]",
        value.map((child, k) => [k, child]),
        path,
        found,
        isLeaf,
        (children) => children,
        itemsOf(value.length),
      );
    if (value instanceof Map) return visitMap(value, path, found, isLeaf);
    if (typeof value === "object") {
      // The registry is keyed by the constructor the instance was made with.
      const node = registry.get((value as { constructor?: unknown }).constructor) as TreeNode<unknown> | undefined;
      if (node !== undefined) {
        const { keys, children, aux } = node.flatten(value);
        const entries = children.map((child, k): [PathPart, unknown] => [keys[k] ?? k, child]);
        return visitList(`${value.constructor.name}(${auxText(aux)}`, ")", entries, path, found, isLeaf, (list) =>
          node.unflatten(aux, list),
        );
      }
      if (isPlainObject(value)) return visitRecord(value, path, found, isLeaf);
    }
  }
  found.leaves.push(value);
  found.paths.push([...path]);
  return { text: "*", build: (next) => next(), take: takeLeaf };
}

function takeLeaf(value: unknown, leaves: unknown[]): boolean {
  if (value === undefined || value === null) return false;
  if (typeof value === "object" && (Array.isArray(value) || value instanceof Map || isPlainObject(value))) return false;
  return !registry.has(value.constructor) && leaves.push(value) > 0;
}

function auxText(aux: unknown): string {
  return aux === undefined ? "" : typeof aux === "string" ? aux : JSON.stringify(aux);
}

function visitList(
  open: string,
  close: string,
  entries: readonly (readonly [PathPart, unknown])[],
  path: PathPart[],
  found: Found,
  isLeaf: ((value: unknown) => boolean) | undefined,
  finish: (children: unknown[]) => unknown,
  childrenOf: (other: unknown) => readonly unknown[] | undefined = () => undefined,
): Visited {
  const parts = entries.map(([key, child]) => {
    path.push(key);
    const part = visit(child, path, found, isLeaf);
    path.pop();
    return part;
  });
  return joined(`${open}${parts.map((part) => part.text).join(",")}${close}`, parts, finish, childrenOf);
}

// A structure outlives its tree: the functions in it are made where no value is in reach, so that they keep none alive.

function joined(
  text: string,
  parts: readonly Visited[],
  finish: (children: unknown[]) => unknown,
  childrenOf: (other: unknown) => readonly unknown[] | undefined,
): Visited {
  return {
    text,
    build: (next) => finish(parts.map((part) => part.build(next))),
    take: (other, leaves) => {
      const children = childrenOf(other);
      return children !== undefined && parts.every((part, k) => part.take(children[k], leaves));
    },
  };
}

function itemsOf(length: number): (other: unknown) => readonly unknown[] | undefined {
  return (other) => (Array.isArray(other) && other.length === length ? other : undefined);
}

/** The values of a plain object with these keys and no others. */
function valuesOf(keys: readonly string[]): (other: unknown) => readonly unknown[] | undefined {
  return (other) => {
    if (typeof other !== "object" || other === null || !isPlainObject(other)) return undefined;
    const same = Object.keys(other).length === keys.length && keys.every((key) => Object.hasOwn(other, key));
    return same ? keys.map((key) => other[key]) : undefined;
  };
}

function recordOf(keys: readonly string[]): (children: readonly unknown[]) => unknown {
  return (children) => Object.fromEntries(keys.map((key, k) => [key, children[k]]));
}

function mapOf(keys: readonly unknown[]): (children: readonly unknown[]) => unknown {
  return (children) => new Map(keys.map((key, k) => [key, children[k]]));
}

/** Plain objects are ordered by sorted key, as JAX's dicts are. */
function visitRecord(
  value: Record<string, unknown>,
  path: PathPart[],
  found: Found,
  isLeaf: ((value: unknown) => boolean) | undefined,
): Visited {
  const keys = Object.keys(value).sort();
  const entries = keys.map((key): [PathPart, unknown] => [key, value[key]]);
  return visitList(`{${keys.join("|")}:`, "}", entries, path, found, isLeaf, recordOf(keys), valuesOf(keys));
}

function visitMap(
  value: ReadonlyMap<unknown, unknown>,
  path: PathPart[],
  found: Found,
  isLeaf: ((value: unknown) => boolean) | undefined,
): Visited {
  const keys = [...value.keys()].sort((a, b) => (String(a) < String(b) ? -1 : 1));
  const entries = keys.map((key): [PathPart, unknown] => [typeof key === "number" ? key : String(key), value.get(key)]);
  return visitList(`Map{${keys.map(String).join("|")}:`, "}", entries, path, found, isLeaf, mapOf(keys));
}

/**
 * The leaves of a tree, depth first, and its structure. Arrays, plain objects (keys sorted), Maps and registered
 * classes are inner nodes; null and undefined are nodes without leaves; everything else is a leaf.
 * Source: jax.tree.flatten.
 *
 * @example
 * const [leaves, def] = tree.flatten({ b: 2, a: [1, null] });
 * leaves; // [1, 2]
 * tree.unflatten(def, leaves); // { a: [1, null], b: 2 }
 */
export function flatten(tree: unknown, isLeaf?: (value: unknown) => boolean): [unknown[], TreeDef] {
  const { leaves, def } = flattenWithPath(tree, isLeaf);
  return [leaves, def];
}

/**
 * `flatten` with the path of each leaf. Source: jax.tree.flatten_with_path.
 * @example tree.flattenWithPath({ a: [1, 2] }).paths; // [["a", 0], ["a", 1]]
 */
export function flattenWithPath(
  tree: unknown,
  isLeaf?: (value: unknown) => boolean,
): { leaves: unknown[]; paths: PathPart[][]; def: TreeDef } {
  const found: Found = { leaves: [], paths: [] };
  const { text, build, take } = visit(tree, [], found, isLeaf);
  const leafCount = found.leaves.length;
  const rebuild = (leaves: readonly unknown[]): unknown => {
    let position = 0;
    return build(() => leaves[position++]);
  };
  const leavesOf = (other: unknown): unknown[] | undefined => {
    const leaves: unknown[] = [];
    return isLeaf === undefined && take(other, leaves) ? leaves : undefined;
  };
  return { leaves: found.leaves, paths: found.paths, def: { text, leafCount, rebuild, leavesOf } };
}

/**
 * Puts leaves back into a structure. Source: jax.tree.unflatten.
 *
 * @throws ArgumentError when the number of leaves is another.
 * @example tree.unflatten(tree.structure([0, { a: 0 }]), [1, 2]); // [1, { a: 2 }]
 */
export function unflatten(def: TreeDef, leaves: readonly unknown[]): unknown {
  if (leaves.length !== def.leafCount)
    throw new ArgumentError(`tree.unflatten: the structure has ${def.leafCount} leaves, received ${leaves.length}`);
  return def.rebuild(leaves);
}

/**
 * The leaves of a tree, depth first. Source: jax.tree.leaves.
 * @example tree.leaves({ b: 2, a: [1, null] }); // [1, 2]
 */
export function leaves(tree: unknown, isLeaf?: (value: unknown) => boolean): unknown[] {
  return flatten(tree, isLeaf)[0];
}

/**
 * The structure of a tree, comparable by its `text`. Source: jax.tree.structure.
 * @example tree.structure([0, 0]).text === tree.structure([1, 2]).text; // true
 */
export function structure(tree: unknown, isLeaf?: (value: unknown) => boolean): TreeDef {
  return flatten(tree, isLeaf)[1];
}
