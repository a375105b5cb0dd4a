import { ArgumentError } from "@jnx/tensor";
import { GraphError } from "./errors.ts";
import type { Filter } from "./filter.ts";
import { flattenGraph, unflattenGraph, type GraphDef, type GraphIndex } from "./graph-def.ts";
import { clone, split } from "./graph.ts";
import { GraphState, merge } from "./merge.ts";
import { FlatState, type FlatEntry } from "./flat-state.ts";
import type { Leaf, State } from "./state.ts";

/**
 * `split` whose parts each know the structure: one GraphState, or one for each filter. Source: flax.nnx.unpack.
 *
 * @throws GraphError when the filters leave out a leaf.
 * @example
 * const [params, rest] = nnx.unpack(model, nnx.Param, "...");
 * nnx.merge(params, rest).hidden.kernel === model.hidden.kernel; // true
 */
export function unpack<M>(node: M): GraphState<M>;
export function unpack<M, const F extends readonly [Filter, ...Filter[]]>(
  node: M,
  ...filters: F
): { -readonly [K in keyof F]: GraphState<M> };
export function unpack<M>(node: M, ...filters: readonly Filter[]): GraphState<M> | GraphState<M>[] {
  const [graphdef, ...states] = split(node, ...filters);
  const parts = states.map((state) => new GraphState(graphdef, state as State)); // what split gives of an object
  const [first] = parts;
  return filters.length === 0 && first !== undefined ? first : parts;
}

/**
 * An object as its structure and a flat list of leaves with their paths. `index` carries objects met before, to which
 * references are then made. Source: flax.nnx.flatten.
 *
 * @example
 * const [graphdef, leaves] = nnx.flatten(model.out);
 * leaves.map(([path]) => path); // [["bias"], ["kernel"]]
 */
export function flatten<M>(node: M, index?: GraphIndex): [GraphDef<M>, FlatState] {
  const { def, places } = flattenGraph(node, index);
  return [def as GraphDef<M>, new FlatState(places.map(({ path, leaf }): FlatEntry => [path, leaf]))]; // of this very node
}

/**
 * The object of a structure and its leaves, in the order in which `flatten` gave them. Source: flax.nnx.unflatten.
 *
 * @throws GraphError when there are not as many as the structure has.
 * @example
 * const same = nnx.unflatten(...nnx.flatten(model));
 * same.out.kernel === model.out.kernel; // true
 */
export function unflatten<M>(graphdef: GraphDef<M>, leaves: readonly FlatEntry[] | readonly Leaf[]): M {
  const list = leaves.map((entry) => (Array.isArray(entry) ? (entry as FlatEntry)[1] : entry)) as Leaf[]; // pairs or leaves
  if (list.length !== graphdef.leafCount)
    throw new GraphError(
      `unflatten: incorrect number of leaves, expected ${graphdef.leafCount}, received ${list.length}`,
    );
  let position = 0;
  return unflattenGraph(graphdef, () => list[position++] ?? absent()) as M; // what the GraphDef was made of
}

function absent(): never {
  throw new ArgumentError("unflatten: a leaf is undefined; pass what flatten gave");
}

/** Stands for an object while a method is looked up on it: `call([graphdef, state]).layers[0].call(x)`. */
type Accessor = { readonly [name: string | number]: Accessor } & ((
  ...args: readonly unknown[]
) => [unknown, [GraphDef, State]]);

/**
 * Calls a method of the object that a structure and a State stand for: gives what it returns, and the structure and
 * State afterwards. Fields on the way to the method are written as on the object itself. Source: flax.nnx.call.
 *
 * @example
 * const [y, [graphdef, state]] = nnx.call(nnx.split(model)).out.call(ones([3, 4]));
 * y.shape; // [3, 1]
 */
export function call(parts: readonly [GraphDef, State]): Accessor {
  const [graphdef, state] = parts;
  const at = (path: readonly string[]): Accessor => {
    const run = (...args: readonly unknown[]): [unknown, [GraphDef, State]] => {
      // A copy, so that the State given stays as it is.
      const node = clone(merge(graphdef, state));
      let owner: unknown = undefined;
      let target: unknown = node;
      for (const name of path) [owner, target] = [target, Reflect.get(Object(target), name)];
      if (typeof target !== "function")
        throw new ArgumentError(`call: "${path.join(".")}" is no method, it is ${typeof target}`);
      const result: unknown = Reflect.apply(target, owner, args);
      return [result, split(node)];
    };
    // Any name leads on, and the last is called.
    return new Proxy(run, { get: (_target, name) => at([...path, String(name)]) }) as unknown as Accessor;
  };
  return at([]);
}
