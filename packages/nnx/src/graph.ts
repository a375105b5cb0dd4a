import { ArgumentError, DtypeError, ShapeError, Tensor } from "@jnx/tensor";
import { shapeText } from "@jnx/tensor/internal";
import { containerOf, deleteChild, setChild } from "./containers.ts";
import { GraphError } from "./errors.ts";
import { toPredicates, type Filter } from "./filter.ts";
import { flattenGraph, GraphDef, unflattenGraph, type Place } from "./graph-def.ts";
import { nodeClass, pathText, type Path, type PathPart } from "./node.ts";
import {
  exhaustiveGroups,
  fromFlatState,
  groupLeaves,
  mergeState,
  State,
  toFlatState,
  type FlatState,
  type Leaf,
  type StateOf,
} from "./state.ts";
import { adoptMetadata, checkWritable, peek, swapValue, Variable, type AnyVariable } from "./variable.ts";

/** The States of a split, one for each filter. */
type StatesFor<M, F extends readonly Filter[]> = F extends readonly []
  ? [StateOf<M>]
  : { -readonly [K in keyof F]: StateOf<M> };

function flat(places: readonly Place[]): FlatState {
  return places.map(({ path, leaf }) => [path, leaf]);
}

/** Leaves as a State, or the leaf itself where the object was one. */
function stateFrom(leaves: FlatState): State {
  const [first] = leaves;
  // A lone Variable is its own State; callers that split Variables know that.
  if (first?.[0].length === 0) return first[1] as unknown as State;
  return fromFlatState(leaves);
}

/**
 * An object as its structure and its data: one State, or one for each filter. The States hold the object's own
 * Variables. Source: flax.nnx.split.
 *
 * @throws GraphError when the filters leave out a leaf, ArgumentError when "..." is not the last.
 * @example
 * const [graphdef, params, rest] = nnx.split(model, nnx.Param, "...");
 * const same = nnx.merge(graphdef, params, rest);
 * same.hidden.kernel === model.hidden.kernel; // true
 */
export function split<M, const F extends readonly Filter[]>(node: M, ...filters: F): [GraphDef<M>, ...StatesFor<M, F>] {
  const { def, places } = flattenGraph(node);
  const groups = filters.length === 0 ? [flat(places)] : exhaustiveGroups("split", flat(places), filters);
  // One State for each filter, in order, which is what the type spells out.
  return [def, ...groups.map(stateFrom)] as unknown as [GraphDef<M>, ...StatesFor<M, F>];
}

/**
 * The object that `split` took apart, made anew: new nodes around the States' Variables. Source: flax.nnx.merge.
 *
 * @throws GraphError when leaves are missing or left over.
 * @example
 * const same = nnx.merge(...nnx.split(model));
 * same.hidden.kernel === model.hidden.kernel; // true
 */
export function merge<M>(graphdef: GraphDef<M>, state: State | Leaf, ...more: readonly (State | Leaf)[]): M {
  if (!(graphdef instanceof GraphDef))
    throw new ArgumentError(
      `merge: expected a GraphDef first, received ${typeof graphdef}; call merge(graphdef, ...states) with what split gave`,
    );
  const leaves = new Map<string, Leaf>();
  for (const part of [state, ...more])
    for (const [path, leaf] of leavesOf(part)) leaves.set(JSON.stringify(path), leaf);
  if (leaves.size !== graphdef.leafCount)
    throw new GraphError(
      `merge: the GraphDef has ${graphdef.leafCount} leaves, the states have ${leaves.size}; pass all states that split gave, and no other`,
    );
  const leafAt = (path: Path): Leaf => {
    const leaf = leaves.get(JSON.stringify(path));
    if (leaf !== undefined) return leaf;
    throw new GraphError(`merge: no leaf at "${pathText(path)}"; pass the states that belong to this GraphDef`);
  };
  return unflattenGraph(graphdef, leafAt) as M; // what the GraphDef was made of
}

function leavesOf(state: State | Leaf): FlatState {
  return state instanceof State ? toFlatState(state) : [[[], state]];
}

/**
 * The data of an object: all of it, or what a filter takes; several filters give several States.
 * Source: flax.nnx.state.
 *
 * @example
 * const params = nnx.state(model, nnx.Param);
 * params.hidden.kernel.value.shape; // [2, 4]
 */
export function state<M>(node: M): StateOf<M>;
export function state<M>(node: M, filter: Filter): StateOf<M>;
export function state<M>(node: M, first: Filter, second: Filter, ...more: readonly Filter[]): StateOf<M>[];
export function state<M>(node: M, ...filters: readonly Filter[]): StateOf<M> | StateOf<M>[] {
  const leaves = flat(flattenGraph(node).places);
  const groups = filters.length === 0 ? [leaves] : groupLeaves(leaves, filters).slice(0, -1);
  // Entries are those of M's fields that hold data, which is what StateOf says.
  const states = groups.map((group) => stateFrom(group) as StateOf<M>);
  return states.length === 1 && states[0] !== undefined ? states[0] : states;
}

/**
 * The structure of an object. Source: flax.nnx.graphdef.
 * @example nnx.graphdef(model).leafCount; // 6
 */
export function graphdef<M>(node: M): GraphDef<M> {
  return flattenGraph(node).def as GraphDef<M>; // of this very node
}

/**
 * A deep copy: new nodes and Variables on the same arrays, shared ones still shared. Source: flax.nnx.clone.
 * @example nnx.clone(model).hidden.kernel === model.hidden.kernel; // false
 */
export function clone<M>(node: M): M {
  const { def, places } = flattenGraph(node);
  const copies = places.map(({ path, leaf }): [Path, Leaf] => [path, leaf instanceof Variable ? leaf.copy() : leaf]);
  const byPath = new Map(copies.map(([path, leaf]) => [JSON.stringify(path), leaf]));
  return unflattenGraph(def, (path) => byPath.get(JSON.stringify(path)) ?? missing(path)) as M; // def was taken of node
}

function missing(path: Path): never {
  throw new GraphError(`clone: no leaf at "${pathText(path)}"`);
}

// ---- update ----------------------------------------------------------------------------------------------------------

/**
 * Puts the values of States into an object, in place; of several, the later wins. A Variable in a State gives its value
 * and metadata; a bare Tensor must have the shape and dtype of what it replaces. A Variable at a path that the object
 * lacks is added to it. Nothing is written unless everything fits. Source: flax.nnx.update.
 *
 * @throws ShapeError, DtypeError or GraphError naming the path.
 * @example
 * nnx.update(model, nnx.loadSafetensors(await nnx.saveSafetensors(model)));
 */
export function update(node: object, state: State | Leaf, ...more: readonly State[]): void {
  const writes: (() => void)[] = [];
  if (node instanceof Variable) {
    if (state instanceof State)
      throw new GraphError("update: a lone Variable takes a Variable or a Tensor, received a State");
    writes.push(planWrite(node, state, []));
  } else {
    if (!(state instanceof State))
      throw new GraphError("update: an object takes a State, received a leaf; give it a path with fromFlatState");
    planUpdate(node, more.length === 0 ? state : mergeState(state, ...more), [], writes);
  }
  for (const write of writes) write();
}

function planUpdate(node: object, state: State, path: Path, writes: (() => void)[]): void {
  const container = containerOf(node);
  const children = new Map(container?.entries.map(([key, child]): [PathPart, unknown] => [key, child]));
  for (const [key, entry] of state) {
    const at = [...path, key];
    const child = children.get(key);
    if (entry instanceof State) {
      if (containerOf(child) === undefined)
        throw new GraphError(`update: the object has nothing to look into at "${pathText(at)}"`);
      planUpdate(child as object, entry, at, writes); // containers are objects
    } else if (child instanceof Variable) writes.push(planWrite(child, entry, at));
    else if (child instanceof Tensor) writes.push(planField(node, key, child, entry, at));
    else if (child === undefined || child === null) {
      if (!(entry instanceof Variable))
        throw new GraphError(`update: the object has no array at "${pathText(at)}"; it has ${namesOf(children)}`);
      writes.push(() => setChild(node, key, entry.copy()));
    } else throw new GraphError(`update: a leaf was given for "${pathText(at)}", where the object has structure`);
  }
}

function namesOf(children: ReadonlyMap<PathPart, unknown>): string {
  return (
    [...children]
      .filter(([, child]) => typeof child === "object" && child !== null)
      .map(([key]) => `"${key}"`)
      .join(", ") || "none"
  );
}

function planWrite(variable: AnyVariable, leaf: Leaf, path: Path): () => void {
  if (leaf instanceof Variable) {
    const from: AnyVariable = leaf;
    return () => {
      checkWritable(variable);
      swapValue(variable, peek(from));
      adoptMetadata(variable, from.metadata);
    };
  }
  const old = peek(variable);
  if (old instanceof Tensor) checkFits(old, leaf, path);
  return () => {
    variable.value = leaf;
  };
}

function planField(node: object, key: PathPart, old: Tensor, leaf: Leaf, path: Path): () => void {
  const next = leaf instanceof Variable ? peek(leaf) : leaf;
  if (next instanceof Tensor) checkFits(old, next, path);
  return () => setChild(node, key, next);
}

function checkFits(old: Tensor, next: Tensor, path: Path): void {
  if (shapeText(old.shape) !== shapeText(next.shape))
    throw new ShapeError(
      `update: "${pathText(path)}" has shape ${shapeText(old.shape)}, received ${shapeText(next.shape)}; nothing was changed`,
    );
  if (old.dtype !== next.dtype)
    throw new DtypeError(
      `update: "${pathText(path)}" is ${old.dtype}, received ${next.dtype}; convert it first; nothing was changed`,
    );
}

// ---- walks -----------------------------------------------------------------------------------------------------------

/**
 * Takes leaves out of an object and gives them as a State, one for each filter. Source: flax.nnx.pop.
 *
 * @throws ArgumentError without a filter, GraphError for a leaf in an array.
 * @example
 * nnx.toFlatState(nnx.pop(model, nnx.RngState)).length; // 2
 */
export function pop(node: object, filter: Filter): State;
export function pop(node: object, first: Filter, second: Filter, ...more: readonly Filter[]): State[];
export function pop(node: object, ...filters: readonly Filter[]): State | State[] {
  if (filters.length === 0) throw new ArgumentError("pop: needs a filter that says what to take out");
  const predicates = toPredicates(filters);
  const groups: [Path, Leaf][][] = predicates.map(() => []);
  for (const { path, leaf, owner } of flattenGraph(node).places) {
    const index = predicates.findIndex((takes) => takes(path, leaf));
    const key = path.at(-1);
    if (index < 0 || key === undefined || owner === undefined) continue;
    if (Array.isArray(owner))
      throw new GraphError(`pop: "${pathText(path)}" is in an array, which has no gaps; use an object`);
    groups[index]?.push([path, leaf]);
    deleteChild(owner, key);
  }
  const states = groups.map(fromFlatState);
  return states.length === 1 && states[0] !== undefined ? states[0] : states;
}

/**
 * Every value in an object graph with its path, children before what holds them; nodes and Variables once.
 * Source: flax.nnx.iter_graph.
 *
 * @example
 * [...nnx.iterGraph(model)].filter(([, value]) => value instanceof nnx.Param).length; // 4
 */
export function* iterGraph(node: unknown): Generator<[Path, unknown]> {
  yield* walk(node, [], new Set());
}

function* walk(value: unknown, path: Path, seen: Set<unknown>): Generator<[Path, unknown]> {
  const container = containerOf(value);
  if (container !== undefined || value instanceof Variable) {
    if (seen.has(value)) return;
    seen.add(value);
  }
  for (const [key, child] of container?.entries ?? []) yield* walk(child, [...path, key], seen);
  yield [path, value];
}

/**
 * The nodes of an object graph (Modules, Rngs) with their paths, inner ones first. Source: flax.nnx.iter_modules.
 * @example [...nnx.iterModules(model.out)].length; // 1
 */
export function* iterModules(node: object): Generator<[Path, object]> {
  for (const [path, value] of iterGraph(node)) if (nodeClass(value) !== undefined) yield [path, value as object]; // nodes are objects
}

/**
 * The Variables of an object, each once, with their paths. Source: flax.nnx.variables.
 * @example nnx.variables(model.out).map(([path]) => path.join(".")); // ["bias", "kernel"]
 */
export function variables(node: unknown, filter: Filter = "..."): [Path, AnyVariable][] {
  const [takes] = toPredicates([filter]);
  return flattenGraph(node).places.flatMap(({ path, leaf }): [Path, AnyVariable][] =>
    leaf instanceof Variable && takes?.(path, leaf) === true ? [[path, leaf]] : [],
  );
}
