import { ArgumentError, Tensor, tree, where } from "@jnx/tensor";
import { deleteChild } from "./containers.ts";
import { GraphError } from "./errors.ts";
import { toPredicates, type Filter } from "./filter.ts";
import { flattenGraph, unflattenGraph, type GraphDef, type Place } from "./graph-def.ts";
import { copyNodes } from "./graph-walk.ts";
import { pathText, type Path } from "./node.ts";
import { exhaustiveGroups, groupLeaves, type FlatEntry } from "./flat-state.ts";
import { fromFlatState, type Leaf, type State, type StateOf } from "./state.ts";
import { peek, Variable, type AnyVariable } from "./variable.ts";
import { checkKeys } from "@jnx/tensor/internal";

/** The States of a split, one for each filter. */
type StatesFor<M, F extends readonly Filter[]> = F extends readonly []
  ? [StateOf<M>]
  : { -readonly [K in keyof F]: StateOf<M> };

/** A structure with its data in one State: what `split` without filters gives. Source: flax.nnx.PureState. */
export type PureState<M> = [GraphDef<M>, StateOf<M>];

function flat(places: readonly Place[]): FlatEntry[] {
  return places.map(({ path, leaf }) => [path, leaf]);
}

/** Leaves as a State, or the leaf itself where the object was one. */
function stateFrom(leaves: readonly FlatEntry[]): State {
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

/** Options of `clone`. */
export interface CloneOptions {
  /** False to share the Variables with the original. */
  readonly variables?: boolean;
  /** True to copy the arrays, too, so that no memory is shared. */
  readonly arrays?: boolean;
}

/**
 * A deep copy: new nodes and Variables on the same arrays, shared ones still shared. Source: flax.nnx.clone.
 *
 * @throws ArgumentError for `arrays` without Variables to put them into.
 * @example nnx.clone(model).hidden.kernel === model.hidden.kernel; // false
 */
export function clone<M>(node: M, options: CloneOptions = {}): M {
  checkKeys("clone", options, "variables? arrays?");
  const { variables = true, arrays = false } = options;
  if (!variables && arrays)
    throw new ArgumentError("clone: arrays: true needs copies of the Variables; leave out variables: false");
  if (!variables) return copyNodes(node);
  const { def, places } = flattenGraph(node);
  let position = 0;
  return unflattenGraph(def, (path) => {
    const leaf = places[position++]?.leaf ?? missing(path);
    if (!(leaf instanceof Variable)) return arrays ? copyTensor(leaf) : leaf;
    const variable: AnyVariable = leaf;
    return variable.copy(arrays ? tree.map(copyTensor, peek(variable)) : peek(variable));
  }) as M; // def was taken of node
}

/** The same values in memory of their own; what is no Tensor stays. */
function copyTensor<T>(value: T): T {
  // A select of a tensor with itself is computed anew, and has its type.
  return value instanceof Tensor ? (where(true, value, value) as T & Tensor) : value;
}

function missing(path: Path): never {
  throw new GraphError(`clone: no leaf at "${pathText(path)}"`);
}

// ---- taking out -----------------------------------------------------------------------------------------------------------

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
  const found: (() => void)[] = [];
  for (const { path, leaf, owner } of flattenGraph(node).places) {
    const index = predicates.findIndex((takes) => takes(path, leaf));
    const key = path.at(-1);
    if (index < 0 || key === undefined || owner === undefined) continue;
    if (Array.isArray(owner))
      throw new GraphError(`pop: "${pathText(path)}" is in an array, which has no gaps; use an object`);
    groups[index]?.push([path, leaf]);
    found.push(() => deleteChild(owner, key));
  }
  for (const take of found) take();
  const states = groups.map(fromFlatState);
  return states.length === 1 && states[0] !== undefined ? states[0] : states;
}
