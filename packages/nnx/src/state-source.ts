import { ArgumentError, Tensor } from "@jnx/tensor";
import { partOf, pathText, type Path, type PathPart } from "./node.ts";
import { FlatState } from "./flat-state.ts";
import { fromFlatState, State, type Leaf } from "./state.ts";
import { isVariable } from "./variable.ts";

/** What stands for a State where one is read: itself, its leaves with their paths, or nested objects, Maps and arrays. */
export type StateSource = State | FlatState | Leaf | NestedLeaves | ReadonlyMap<PathPart, unknown> | readonly Leaf[];

/** Leaves nested in plain objects, Maps and arrays, as `toPureDict` and `restoreIntPaths` give them. */
export interface NestedLeaves {
  readonly [key: string]: unknown;
}

/**
 * The State that something stands for; the leaf, if it is one.
 *
 * @throws ArgumentError with the path of what is neither a leaf nor nested.
 */
export function stateOfSource(name: string, source: unknown, path: Path = []): State | Leaf {
  if (source instanceof State || isVariable(source) || source instanceof Tensor) return source;
  if (source instanceof FlatState) return fromFlatState(source);
  const entries = entriesOf(source);
  if (entries !== undefined) {
    return new State(
      entries.map(([key, child]): [PathPart, State | Leaf] => [key, stateOfSource(name, child, [...path, key])]),
    );
  }
  throw new ArgumentError(
    `${name}: expected a State${path.length === 0 ? "" : `, a Variable or a Tensor at "${pathText(path)}"`}, received ${source === null ? "null" : typeof source}; pass what nnx.state or nnx.toPureDict gave`,
  );
}

function entriesOf(source: unknown): [PathPart, unknown][] | undefined {
  if (typeof source !== "object" || source === null) return undefined;
  if (Array.isArray(source)) return source.map((child, k) => [k, child]);
  if (source instanceof Map)
    return [...source].map(([key, child]) => [typeof key === "number" ? key : partOf(String(key)), child]);
  const prototype: unknown = Object.getPrototypeOf(source);
  if (prototype !== Object.prototype && prototype !== null) return undefined;
  return Object.entries(source).map(([key, child]) => [partOf(key), child]);
}
