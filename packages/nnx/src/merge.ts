import { ArgumentError, Tensor, tree } from "@jnx/tensor";
import { GraphError } from "./errors.ts";
import { leafPaths, unflattenGraph, GraphDef } from "./graph-def.ts";
import { pathText, type Path } from "./node.ts";
import { FlatState } from "./flat-state.ts";
import { State, toFlatState, type Leaf, type StateOf } from "./state.ts";
import { stateOfSource, type StateSource } from "./state-source.ts";
import { isVariable } from "./variable.ts";

const graphdefs = /* @__PURE__ */ new WeakMap<object, GraphDef>();

/** What `GraphState` makes. */
export class GraphStateNode<M = unknown> extends State {
  static override readonly name = "GraphState";

  constructor(graphdef: GraphDef<M>, state: State) {
    super(state);
    graphdefs.set(this, graphdef);
  }

  /** The structure that the State belongs to. */
  get graphdef(): GraphDef<M> {
    return graphdefs.get(this) as GraphDef<M>; // the constructor has set it
  }
}

/** A State of an object of type M that knows the object's structure. */
export type GraphState<M = unknown> = GraphStateNode<M> & StateOf<M>;

/**
 * A State that knows the structure it belongs to: what `unpack` gives and `merge` takes. Otherwise as any State: its
 * entries are its own properties, and it is a tree. Source: flax.nnx.GraphState.
 *
 * @example
 * const whole = nnx.unpack(model);
 * whole.hidden.kernel === model.hidden.kernel; // true
 * nnx.merge(whole).hidden.kernel === model.hidden.kernel; // true
 */
export const GraphState: {
  new <M>(graphdef: GraphDef<M>, state: State): GraphState<M>;
  readonly prototype: GraphStateNode;
  // Its entries are M's, which a class cannot say of itself.
} = GraphStateNode as never;

/** The static part of a GraphState as a tree: equal for equal structures. */
class Structure {
  readonly keys: readonly (string | number)[];
  readonly graphdef: GraphDef;
  constructor(keys: readonly (string | number)[], graphdef: GraphDef) {
    this.keys = keys;
    this.graphdef = graphdef;
  }
  toJSON(): unknown {
    return [this.keys, this.graphdef.text];
  }
}

tree.registerTreeNode<GraphStateNode>(GraphStateNode, {
  flatten: (state) => {
    const entries = [...state];
    const keys = entries.map(([key]) => key);
    return { keys, children: entries.map(([, entry]) => entry), aux: new Structure(keys, state.graphdef) };
  },
  unflatten: (aux, children) => {
    const { keys, graphdef } = aux as Structure; // flatten's, with a child for each key
    return new GraphStateNode(graphdef, new State(keys.map((key, k) => [key, children[k] as State | Leaf])));
  },
});

/**
 * The object that `split` took apart, made anew: new nodes around the States' Variables. A bare array gets a Variable of the
 * class that was there. States may be given as nested plain objects, too, or as a FlatState; GraphStates bring their
 * structure along. Source: flax.nnx.merge.
 *
 * @throws GraphError listing the paths of leaves that are missing or left over, or when GraphStates are of different
 * structures; ArgumentError when the first argument is neither a GraphDef nor a GraphState, or no state is given.
 * @example
 * const same = nnx.merge(...nnx.split(model));
 * same.hidden.kernel === model.hidden.kernel; // true
 */
export function merge<M>(graphdef: GraphDef<M>, state: StateSource, ...more: readonly StateSource[]): M;
export function merge<M>(state: GraphState<M>, ...more: readonly GraphState<M>[]): M;
export function merge(first: GraphDef | GraphStateNode, ...states: readonly StateSource[]): unknown {
  if (first instanceof GraphStateNode) return mergeStates(first.graphdef, [first, ...states.map(sameStructure(first))]);
  if (!(first instanceof GraphDef))
    throw new ArgumentError(
      `merge: expected a GraphDef or a GraphState first, received ${typeof first}; call merge(graphdef, ...states) with what split gave`,
    );
  if (states.length === 0)
    throw new ArgumentError("merge: the state is missing; call merge(graphdef, ...states) with what split gave");
  return mergeStates(first, states);
}

function sameStructure(first: GraphStateNode): (other: StateSource) => State {
  return (other) => {
    if (!(other instanceof GraphStateNode))
      throw new ArgumentError(
        `merge: expected another GraphState, received ${nameOf(other)}; pass parts of one unpack`,
      );
    if (other.graphdef.equals(first.graphdef)) return other;
    throw new GraphError("merge: the GraphStates have different GraphDefs; merge parts of one unpack");
  };
}

function nameOf(value: unknown): string {
  return typeof value === "object" && value !== null ? value.constructor.name : typeof value;
}

function mergeStates(graphdef: GraphDef, states: readonly StateSource[]): unknown {
  const leaves = new Map<string, readonly [Path, Leaf]>();
  for (const state of states)
    for (const [path, leaf] of leavesOf(graphdef, state)) leaves.set(JSON.stringify(path), [path, leaf]);
  const wanted = leafPaths(graphdef);
  const names = new Set(wanted.map((path) => JSON.stringify(path)));
  const missing = wanted.filter((path) => !leaves.has(JSON.stringify(path)));
  const extra = [...leaves.values()].filter(([path]) => !names.has(JSON.stringify(path)));
  if (missing.length + extra.length > 0)
    throw new GraphError(
      `merge: the GraphDef has ${wanted.length} leaves, the states have ${leaves.size}; ` +
        [
          listed("missing", missing),
          listed(
            "left over",
            extra.map(([path]) => path),
          ),
        ]
          .filter(Boolean)
          .join("; ") +
        "; pass all states that split gave, and no other",
    );
  return unflattenGraph(graphdef, (path) => leaves.get(JSON.stringify(path))?.[1] ?? absent(path));
}

function leavesOf(graphdef: GraphDef, source: StateSource): FlatState {
  if (isLeafList(source) && graphdef.root.kind !== "list") {
    const paths = leafPaths(graphdef);
    if (paths.length === source.length) return new FlatState(paths.map((path, k) => [path, source[k] ?? absent(path)]));
    throw new GraphError(`merge: incorrect number of leaves, expected ${paths.length}, received ${source.length}`);
  }
  const state = stateOfSource("merge", source);
  return state instanceof State ? toFlatState(state) : new FlatState([[[], state]]);
}

function isLeafList(source: unknown): source is readonly Leaf[] {
  if (!Array.isArray(source) || source instanceof FlatState || source.length === 0) return false;
  return source.every((one) => isVariable(one) || one instanceof Tensor);
}

/** `missing "a", "b", …`, or nothing. */
function listed(what: string, paths: readonly Path[]): string {
  if (paths.length === 0) return "";
  const shown = paths.slice(0, 20).map((path) => `"${pathText(path)}"`);
  return `${what} ${shown.join(", ")}${paths.length > shown.length ? `, and ${paths.length - shown.length} more` : ""}`;
}

function absent(path: Path): never {
  throw new GraphError(`merge: no leaf at "${pathText(path)}"`);
}
