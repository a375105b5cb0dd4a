/** Finding and changing entries of an optimizer's state by name, as optax.tree has it. */
import { ArgumentError, tree } from "@jnx/tensor";
import type { GradientTransformation } from "./transformation.ts";
import { checkKeys } from "@jnx/tensor/internal";

/** Where an entry stands in a state: names of fields and positions in arrays. */
export type StatePath = readonly (string | number)[];

/** Whether an entry counts. */
export type StateFilter = (path: StatePath, value: unknown) => boolean;

function childrenOf(node: unknown): [string | number, unknown][] {
  if (Array.isArray(node)) return node.map((child: unknown, k): [number, unknown] => [k, child]);
  if (node instanceof Map) return [...node].map(([key, child]): [string | number, unknown] => [key as string, child]); // as trees have them
  return isRecord(node) ? Object.entries(node) : [];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

/**
 * All entries of a name in a state, with their paths, however deep. Source: optax.tree.get_all_with_path.
 * @example
 * const state = optax.adam(0.1).init({ w: array([1]) });
 * optax.tree.getAllWithPath(state, "count").map(([path]) => path); // [[0, "count"]]
 */
export function getAllWithPath(
  state: unknown,
  key: string,
  filtering: StateFilter = () => true,
): [StatePath, unknown][] {
  const found: [StatePath, unknown][] = [];
  const visit = (node: unknown, path: StatePath): void => {
    for (const [name, child] of childrenOf(node)) {
      const here = [...path, name];
      if (name === key && filtering(here, child)) found.push([here, child]);
      visit(child, here);
    }
  };
  visit(state, []);
  return found;
}

/**
 * The one entry of a name in a state; undefined where there is none. Source: optax.tree.get.
 *
 * @throws ArgumentError naming the paths when there are several.
 * @example optax.tree.get(optax.adam(0.1).init([array([1])]), "count"); // 0
 */
export function get(state: unknown, key: string, filtering?: StateFilter): unknown {
  const found = getAllWithPath(state, key, filtering);
  if (found.length > 1)
    throw new ArgumentError(
      `tree.get: "${key}" is at ${found.map(([path]) => path.join(".")).join(", ")}; choose one with a filter`,
    );
  return found[0]?.[1];
}

/**
 * A state with entries replaced, wherever their names stand. Source: optax.tree.set.
 *
 * @throws ArgumentError for a name that is nowhere.
 * @example
 * const state = optax.adam(0.1).init([array([1])]);
 * optax.tree.get(optax.tree.set(state, { count: array(7) }), "count"); // 7
 */
export function set<T>(state: T, values: Readonly<Record<string, unknown>>, filtering: StateFilter = () => true): T {
  for (const key of Object.keys(values))
    if (getAllWithPath(state, key, filtering).length === 0)
      throw new ArgumentError(`tree.set: no entry is named "${key}"; getAllWithPath tells what there is`);
  const visit = (node: unknown, path: StatePath): unknown => {
    const next = childrenOf(node).map(([name, child]): [string | number, unknown] => {
      const here = [...path, name];
      if (Object.hasOwn(values, name) && filtering(here, child)) return [name, values[name]];
      return [name, visit(child, here)];
    });
    if (Array.isArray(node)) return next.map(([, child]) => child);
    if (node instanceof Map) return new Map(next);
    return isRecord(node) ? Object.fromEntries(next) : node;
  };
  return visit(state, []) as T; // the same tree with other leaves
}

/** Whether trees see no leaf in a value. */
function isEmpty(value: unknown): boolean {
  return tree.leaves(value).length === 0;
}

/** Stands where a state has a tree like the parameters. */
class Placeholder {}
tree.registerTreeNode(Placeholder, {
  flatten: () => ({ keys: [], children: [], aux: "" }),
  unflatten: () => new Placeholder(),
});

/** Options of `mapParams`. */
export interface MapParamsOptions {
  /** What becomes of the other leaves of the state; they stay unless given. */
  readonly transformNonParams?: (value: unknown) => unknown;
}

/**
 * A function over those parts of a state that are trees like the parameters: Adam's moments, but not its count. Further
 * trees like the parameters go to the function leaf by leaf. Source: optax.tree.map_params.
 *
 * @example
 * const tx = optax.adam(0.1);
 * const state = optax.tree.mapParams(tx, (leaf) => leaf.shape.length, tx.init({ w: array([[1]]) }));
 * optax.tree.get(state, "mu"); // { w: 2 }
 */
export function mapParams<S>(
  initable: GradientTransformation<S> | ((params: unknown) => S),
  f: (...leaves: never[]) => unknown,
  state: S,
  rest: readonly unknown[] = [],
  options: MapParamsOptions = {},
): S {
  checkKeys("mapParams", options, "transformNonParams");
  const { transformNonParams = (value: unknown) => value } = options;
  const marked: unknown =
    typeof initable === "function" ? initable(new Placeholder()) : initable.init(new Placeholder());
  const visit = (mark: unknown, value: unknown): unknown => {
    if (mark instanceof Placeholder) return tree.map(f, value, ...rest);
    const marks = childrenOf(mark);
    if (marks.length === 0) return isEmpty(value) ? value : transformNonParams(value);
    const next = new Map(childrenOf(value).map(([name, child], k) => [name, visit(marks[k]?.[1], child)]));
    if (Array.isArray(value)) return [...next.values()];
    return value instanceof Map ? next : Object.fromEntries(next);
  };
  return visit(marked, state) as S; // the same tree with other leaves
}
