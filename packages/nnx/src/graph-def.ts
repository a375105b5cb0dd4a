import { Tensor } from "@jnx/tensor";
import { containerOf, setChild, type Container } from "./containers.ts";
import { GraphError } from "./errors.ts";
import { defText } from "./graph-text.ts";
import { isMarkedStatic } from "./static.ts";
import { makeEmpty, pathText, type NodeClass, type Path, type PathPart } from "./node.ts";
import { State, type Leaf } from "./state.ts";
import { makeVariable, Variable, type AnyVariable, type Metadata, type VariableClass } from "./variable.ts";

/** The structure of one value: how to make it again from its leaves. */
export type Def =
  | { readonly kind: "object"; readonly index: number; readonly type: NodeClass; readonly entries: readonly DefEntry[] }
  | { readonly kind: "list" | "dict" | "map" | "state"; readonly entries: readonly DefEntry[] }
  | { readonly kind: "variable"; readonly index: number; readonly type: VariableClass; readonly metadata: Metadata }
  | { readonly kind: "tensor" }
  | { readonly kind: "reference"; readonly index: number }
  | { readonly kind: "static"; readonly value: unknown };

export type DefEntry = readonly [PathPart, Def];

/**
 * The structure of an object without its data: classes, fields, static values, metadata and sharing. Two with equal
 * `text` are the same structure. Source: flax.nnx.GraphDef.
 *
 * @example
 * nnx.graphdef(model).equals(nnx.graphdef(new MLP({ rngs: new nnx.Rngs(1) }))); // true
 */
export class GraphDef<M = unknown> {
  /** What `merge` makes of this, at compile time. */
  declare protected readonly makes: M;
  /** @internal */
  readonly root: Def;
  /** Everything in one line; functions and other objects stand by identity. */
  readonly text: string;
  /** How many leaves `merge` needs. */
  readonly leafCount: number;

  /** @internal */
  constructor(root: Def, leafCount: number) {
    this.root = root;
    this.leafCount = leafCount;
    this.text = defText(root);
  }

  /** True for the same structure. */
  equals(other: GraphDef): boolean {
    return this.text === other.text;
  }

  /** A whole number that equal structures share. */
  get hash(): number {
    let hash = 0x811c9dc5; // FNV-1a
    for (let k = 0; k < this.text.length; k++) hash = Math.imul(hash ^ this.text.charCodeAt(k), 0x01000193);
    return hash >>> 0;
  }

  toString(): string {
    return `GraphDef ${this.text}`;
  }
}

/** Where a leaf is: a Variable wherever it hangs, or a Tensor in a field. */
export interface Place {
  readonly path: Path;
  readonly leaf: Leaf;
  /** What holds it, for a Tensor to be replaced; undefined for a root. */
  readonly owner: object | undefined;
}

/** An object taken apart. */
export interface Flattened {
  readonly def: GraphDef;
  /** Each leaf once, at the first path that leads to it. */
  readonly places: readonly Place[];
}

/** Identity of nodes and Variables over several `flatten` calls: position in the walk. */
export type GraphIndex = Map<object, number>;

/** Hears of what a walk looks at. */
export interface WalkListener {
  variable(variable: AnyVariable): void;
  container(holder: object): void;
  /** A container that counts as structure, into which the walk does not look. */
  structure(holder: object): void;
}

/**
 * Walks an object graph depth first, fields in sorted order. Nodes and Variables met again become references, so
 * shared ones stay shared and cycles end.
 *
 * @throws GraphError when a plain array or object contains itself.
 */
export function flattenGraph(
  root: unknown,
  index: GraphIndex = new Map(),
  path: Path = [],
  listener?: WalkListener,
): Flattened {
  const places: Place[] = [];
  const open = new Set<object>();
  const visit = (value: unknown, at: Path, owner: object | undefined): Def => {
    const known = typeof value === "object" || typeof value === "function" ? index.get(value as object) : undefined; // null has no entry
    if (known !== undefined) return { kind: "reference", index: known };
    if (value instanceof Variable) {
      const variable: AnyVariable = value;
      places.push({ path: at, leaf: variable, owner });
      listener?.variable(variable);
      return { kind: "variable", index: number(index, variable), type: variable.type, metadata: variable.metadata };
    }
    if (value instanceof Tensor) {
      places.push({ path: at, leaf: value, owner });
      return { kind: "tensor" };
    }
    const container = containerOf(value);
    if (container === undefined) return { kind: "static", value };
    const holder = value as object; // containers are objects
    if (isMarkedStatic(holder)) {
      listener?.structure(holder);
      return { kind: "static", value };
    }
    listener?.container(holder);
    if (open.has(holder))
      throw new GraphError(`"${pathText(at)}" is a plain container that contains itself; make one of the two a Module`);
    if (container.kind === "object") {
      const own = number(index, holder);
      return { kind: "object", index: own, type: container.type, entries: visitEntries(container, holder, at) };
    }
    open.add(holder);
    const entries = visitEntries(container, holder, at);
    open.delete(holder);
    return { kind: container.kind, entries };
  };
  const visitEntries = (container: Container, holder: object, at: Path): DefEntry[] =>
    container.entries.map(([key, child]) => [key, visit(child, [...at, key], holder)]);
  const def = visit(root, path, undefined);
  return { def: new GraphDef(def, places.length), places };
}

function number(index: GraphIndex, node: object): number {
  const next = index.size;
  index.set(node, next);
  return next;
}

/**
 * Makes an object of its structure and leaves, which `leafAt` finds by path. Variables given as leaves are used
 * themselves; bare Tensors get a Variable of the recorded class, unless `wrap` is false. `known` holds objects that references
 * may name.
 */
export function unflattenGraph(
  def: GraphDef,
  leafAt: (path: Path) => Leaf,
  known: Map<number, object> = new Map(),
  wrap = true,
): unknown {
  const build = (part: Def, path: Path): unknown => {
    switch (part.kind) {
      case "static":
        return part.value;
      case "reference":
        return referred(known, part.index, path);
      case "tensor":
        return leafAt(path);
      case "variable": {
        const leaf = leafAt(path);
        const variable = leaf instanceof Variable || !wrap ? leaf : makeVariable(part.type, leaf, part.metadata);
        known.set(part.index, variable);
        return variable;
      }
      case "object": {
        const node = emptyOf(part.type);
        known.set(part.index, node);
        return fill(node, part.entries, path);
      }
      case "list":
        return part.entries.map(([key, child]) => build(child, [...path, key]));
      case "dict":
        return fill({}, part.entries, path);
      case "state":
        return fill(new State(), part.entries, path);
      case "map":
        return fill(new Map(), part.entries, path);
      default:
        return part satisfies never;
    }
  };
  const fill = (holder: object, entries: readonly DefEntry[], path: Path): object => {
    for (const [key, child] of entries) setChild(holder, key, build(child, [...path, key]));
    return holder;
  };
  return build(def.root, []);
}

/** An instance without fields, but for those that its class's own makeEmpty made private. */
function emptyOf(type: NodeClass): object {
  const node = type[makeEmpty]();
  const made: unknown = node.constructor;
  if (made !== type)
    throw new GraphError(
      `${type.name}: its makeEmpty gave a ${node.constructor.name}; write static override [nnx.makeEmpty]() { return new this(…); }`,
    );
  for (const name of Object.keys(node)) Reflect.deleteProperty(node, name);
  return node;
}

/**
 * Makes sure that every object of a structure can be made.
 *
 * @throws GraphError for a class with private members.
 */
export function checkMakeable({ root }: GraphDef): void {
  const visit = (def: Def): void => {
    if (def.kind === "object") emptyOf(def.type);
    if ("entries" in def) for (const [, child] of def.entries) visit(child);
  };
  visit(root);
}

/** The paths of the leaves that a structure is made of, in the order in which they are walked. */
export function leafPaths({ root }: GraphDef): Path[] {
  const found: Path[] = [];
  const visit = (def: Def, path: Path): void => {
    if (def.kind === "tensor" || def.kind === "variable") found.push(path);
    else if ("entries" in def) for (const [key, child] of def.entries) visit(child, [...path, key]);
  };
  visit(root, []);
  return found;
}

function referred(known: ReadonlyMap<number, object>, index: number, path: Path): object {
  const object = known.get(index);
  if (object !== undefined) return object;
  throw new GraphError(
    `merge: "${pathText(path)}" refers to an object outside of this GraphDef; merge it with what it was split with`,
  );
}
