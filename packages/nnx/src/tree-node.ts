import { tree } from "@jnx/tensor";
import { flattenGraph, unflattenGraph, type GraphDef } from "./graph-def.ts";
import type { NodeClass } from "./node.ts";
import { entryAt, fromFlatState, State, type Leaf } from "./state.ts";

/** The static part of a node as a tree; its text tells structures apart. */
class Structure {
  readonly keys: readonly (string | number)[];
  readonly def: GraphDef;
  constructor(keys: readonly (string | number)[], def: GraphDef) {
    this.keys = keys;
    this.def = def;
  }
  toJSON(): string {
    return this.def.text;
  }
}

const registered = /* @__PURE__ */ new WeakSet<object>();

/**
 * Makes a class of nodes a class of trees: the leaves are those of its whole graph, each once, nested as its State is, so
 * that shared parts and cycles come through `jax.tree.map` and `jax.jit` as they were.
 */
export function registerTree(cls: NodeClass & (abstract new (...args: never[]) => object)): void {
  if (registered.has(cls)) return;
  registered.add(cls);
  tree.registerTreeNode<object>(cls, {
    flatten: (node) => {
      const { def, places } = flattenGraph(node);
      const entries = [...fromFlatState(places.map(({ path, leaf }) => [path, leaf]))];
      const keys = entries.map(([key]) => key);
      return { keys, children: entries.map(([, entry]) => entry), aux: new Structure(keys, def) };
    },
    unflatten: (aux, children) => {
      const { keys, def } = aux as Structure; // flatten's, with a child for each key
      const state = new State(keys.map((key, k) => [key, children[k] as State | Leaf]));
      // Whatever a function put in a leaf's place goes there.
      return unflattenGraph(def, (path) => entryAt(state, path) as Leaf) as object; // of a node
    },
  });
}
