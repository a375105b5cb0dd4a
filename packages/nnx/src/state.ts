import type { Tensor } from "@jnx/tensor";
import { ArgumentError, tree } from "@jnx/tensor";
import { GraphError } from "./errors.ts";
import type { Filter } from "./filter.ts";
import { exhaustiveGroups, FlatState, groupLeaves, mergeEntries } from "./flat-state.ts";
import { partOf, pathText, sortedFields, type Path, type PathPart } from "./node.ts";
import type { Pytree } from "./pytree.ts";
import type { AnyVariable } from "./variable.ts";

/** What a State holds at its ends. */
export type Leaf = AnyVariable | Tensor;

/**
 * The data of an object, nested as the object is, without its structure: `state.hidden.kernel.value`. Its entries are
 * its own properties, so all that can be done with it is functions: `toFlatState`, `mergeState`, `filterState`. It is a
 * tree: `jax.tree.map` maps its arrays. Source: flax.nnx.State.
 *
 * @example
 * const state = nnx.state(model, nnx.Param);
 * for (const [path, variable] of nnx.toFlatState(state)) console.log(path.join("."), variable.shape);
 * Object.keys(state); // ["hidden", "out"]
 */
export class State {
  constructor(entries: Iterable<readonly [PathPart, State | Leaf]> = []) {
    for (const [key, entry] of entries) setEntry(this, key, entry);
  }

  /** Entries of this level, numbers first, then names in order. */
  *[Symbol.iterator](): Generator<[PathPart, State | Leaf]> {
    // A State's own properties are its entries and nothing else.
    yield* sortedFields(this) as [PathPart, State | Leaf][];
  }

  toString(): string {
    const lines = toFlatState(this).map(([path, leaf]) => `  ${pathText(path)}: ${String(leaf)}`);
    return lines.length === 0 ? "State {}" : `State {\n${lines.join("\n")}\n}`;
  }

  /** What Node's console shows. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

tree.registerTreeNode<State>(State, {
  flatten: (state) => {
    const entries = [...state];
    return {
      keys: entries.map(([key]) => key),
      children: entries.map(([, entry]) => entry),
      aux: entries.map(([key]) => key),
    };
  },
  // aux is the list of keys, and there is a child for each.
  unflatten: (aux, children) => new State((aux as PathPart[]).map((key, k) => [key, children[k] as State | Leaf])),
});

/** The State of an object of type M: its Variables, nested as its fields are. */
export type StateOf<M> = State & { readonly [K in DataKeys<M>]: EntryOf<NonNullable<M[K]>> };

/** What has a place in a State. Asked of fields without looking into them, so that classes may refer to themselves. */
type Data = AnyVariable | Tensor | Pytree;

type DataKeys<M> = { [K in keyof M]-?: HoldsData<NonNullable<M[K]>> extends true ? K : never }[keyof M];

type HoldsData<V> = V extends Data
  ? true
  : V extends readonly (infer E)[]
    ? HasSome<Extract<NonNullable<E>, Data>>
    : false;

type HasSome<E> = [E] extends [never] ? false : true;

type EntryOf<V> = V extends AnyVariable | Tensor
  ? V
  : V extends Pytree
    ? StateOf<V>
    : V extends readonly (infer E)[]
      ? State & { readonly [position: number]: EntryOf<Extract<NonNullable<E>, Data>> }
      : never;

function setEntry(state: State, key: PathPart, entry: State | Leaf): void {
  Object.defineProperty(state, key, { value: entry, writable: true, enumerable: true, configurable: true });
}

/** The entry of one level, or undefined. */
function entryOf(state: State, key: PathPart): State | Leaf | undefined {
  const descriptor = Object.getOwnPropertyDescriptor(state, key);
  return descriptor?.value as State | Leaf | undefined; // setEntry is the only writer
}

/**
 * What a State holds at a path; undefined where there is nothing.
 *
 * @example
 * nnx.entryAt(nnx.state(model), ["out", "kernel"]) === model.out.kernel; // true
 */
export function entryAt(state: State, path: Path): State | Leaf | undefined {
  let entry: State | Leaf | undefined = state;
  for (const key of path) entry = entry instanceof State ? entryOf(entry, key) : undefined;
  return entry;
}

/**
 * Every leaf with its path, in the order in which objects are walked. Source: flax.nnx.to_flat_state.
 * @example nnx.toFlatState(nnx.state(model.out)).map(([path]) => path); // [["bias"], ["kernel"]]
 */
export function toFlatState(state: State): FlatState {
  const found: [Path, Leaf][] = [];
  const visit = (entry: State | Leaf, path: Path): void => {
    if (entry instanceof State) for (const [key, child] of entry) visit(child, [...path, key]);
    else found.push([path, entry]);
  };
  visit(state, []);
  return new FlatState(found);
}

/**
 * A State from leaves with their paths. Source: flax.nnx.from_flat_state.
 *
 * @throws GraphError when one path leads through another's leaf, or comes twice.
 * @example
 * nnx.fromFlatState([[["out", "bias"], model.out.bias]]).out.bias === model.out.bias; // true
 */
export function fromFlatState(entries: Iterable<readonly [Path, Leaf]>): State {
  const root = new State();
  for (const [path, leaf] of entries) {
    const last = path.at(-1);
    if (last === undefined)
      throw new GraphError("fromFlatState: a leaf with an empty path; wrap it in an object with a field");
    let level = root;
    for (const key of path.slice(0, -1)) {
      const known = entryOf(level, key);
      const next = known ?? new State();
      if (!(next instanceof State))
        throw new GraphError(`fromFlatState: "${pathText(path)}" leads through a leaf at "${key}"`);
      if (known === undefined) setEntry(level, key, next);
      level = next;
    }
    if (entryOf(level, last) !== undefined) throw new GraphError(`fromFlatState: "${pathText(path)}" comes twice`);
    setEntry(level, last, leaf);
  }
  return root;
}

/**
 * Several States in one; of two leaves at the same path the later wins. Source: flax.nnx.merge_state.
 * @example nnx.toFlatState(nnx.mergeState(nnx.state(model, nnx.Param), nnx.state(model, nnx.RngState))).length; // 6
 */
export function mergeState(...states: readonly State[]): State {
  return fromFlatState(mergeEntries(states.map(toFlatState)));
}

/**
 * A State for each filter, every leaf in that of the first filter that takes it. Source: flax.nnx.split_state.
 *
 * @throws GraphError when a leaf is taken by none.
 * @example
 * const [params, rest] = nnx.splitState(nnx.state(model), nnx.Param, "...");
 * nnx.toFlatState(rest).length; // 2
 */
export function splitState(state: State, ...filters: readonly Filter[]): State[] {
  return exhaustiveGroups("splitState", toFlatState(state), filters).map(fromFlatState);
}

/**
 * Like splitState, without the leaves that no filter takes; one filter gives one State. Source: flax.nnx.filter_state.
 * @example nnx.toFlatState(nnx.filterState(nnx.state(model), nnx.Param)).length; // 4
 */
export function filterState(state: State, filter: Filter): State;
export function filterState(state: State, first: Filter, second: Filter, ...more: readonly Filter[]): State[];
export function filterState(state: State, ...filters: readonly Filter[]): State | State[] {
  const groups = groupLeaves(toFlatState(state), filters).slice(0, -1).map(fromFlatState);
  return filters.length === 1 ? (groups[0] ?? new State()) : groups;
}

/**
 * The State with each leaf replaced by f(path, leaf). Source: flax.nnx.map_state.
 *
 * @example
 * const zeroed = nnx.mapState((_path, leaf) => zerosLike(leaf), nnx.state(model.out));
 * zeroed.bias; // [0]
 */
export function mapState(f: (path: Path, leaf: Leaf) => Leaf, state: State): State {
  return fromFlatState(toFlatState(state).map(([path, leaf]) => [path, f(path, leaf)]));
}

/** `"layers.0.kernel"` → `["layers", 0, "kernel"]`. */
export function parsePath(text: string): Path {
  if (text === "") throw new ArgumentError("parsePath: an empty path; expected names joined by dots");
  return text.split(".").map(partOf);
}
