import { ArgumentError } from "./errors.ts";
import { flatten, unflatten, type TreeDef } from "./flatten.ts";
import { shapeText } from "./shape.ts";
import { Tensor } from "./tensor.ts";
import { differenceText, type WordedTree } from "./tree-text.ts";

export {
  flatten,
  flattenWithPath,
  leaves,
  registerTreeNode,
  structure,
  unflatten,
  type PathPart,
  type TreeDef,
  type TreeNode,
} from "./flatten.ts";

/**
 * The tree with every leaf replaced by `f(leaf, …)`, the leaves of `rest` at the same places as further arguments.
 * Source: jax.tree.map.
 *
 * @throws ArgumentError when a tree of `rest` has another structure.
 * @example
 * tree.map((x: number, y: number) => x + y, { a: 1 }, { a: 10 }); // { a: 11 }
 */
export function map<T>(f: (...leaves: never[]) => unknown, tree: T, ...rest: readonly unknown[]): T {
  const [first, def] = flatten(tree);
  const others = rest.map((other) => {
    const [list, otherDef] = flatten(other);
    if (otherDef.text !== def.text)
      throw new ArgumentError(
        `tree.map: the trees differ in structure: ${differenceText({ label: "the first is", tree: worded(def, first) }, { label: "another", tree: worded(otherDef, list) }) ?? ""}`,
      );
    return list;
  });
  // A leaf's type is the caller's knowledge; the result has the tree's own structure.
  const call = f as (...args: unknown[]) => unknown;
  return unflatten(
    def,
    first.map((leaf, k) => call(leaf, ...others.map((list) => list[k]))),
  ) as T; // the same structure
}

function worded(def: TreeDef, leaves: readonly unknown[]): WordedTree {
  const words = leaves.map((leaf) =>
    leaf instanceof Tensor
      ? `${leaf.dtype}${shapeText(leaf.shape)}`
      : leaf === Object(leaf)
        ? typeof leaf
        : String(leaf),
  );
  // Leaves are what `map` is for: where the structures agree they do not count as different.
  return { def, words };
}

/**
 * Every Tensor that can be reached from a value through arrays, Maps, Sets and the properties of objects, whatever
 * their class. Used to decide what outlives a transform, so it looks further than trees do.
 *
 * @example
 * tree.reachableTensors(new Map([["x", [array([1])]]])).size; // 1
 */
export function reachableTensors(value: unknown): Set<Tensor> {
  const found = new Set<Tensor>();
  const seen = new Set<object>();
  const queue: unknown[] = [value];
  while (queue.length > 0) {
    const next = queue.pop();
    if (next instanceof Tensor) for (const part of next.composition?.parts ?? [next]) found.add(part);
    if (
      typeof next !== "object" ||
      next === null ||
      next instanceof Tensor ||
      seen.has(next) ||
      ArrayBuffer.isView(next)
    )
      continue;
    seen.add(next);
    if (next instanceof Map) queue.push(...next.keys(), ...next.values());
    else if (next instanceof Set) queue.push(...next.values());
    else queue.push(...(Array.isArray(next) ? next : Object.values(next)));
  }
  return found;
}
