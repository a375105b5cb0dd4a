import { ArgumentError, Tensor } from "@jnx/tensor";
import { containerOf, setChild } from "./containers.ts";
import { GraphError } from "./errors.ts";
import { toPredicate, type Filter } from "./filter.ts";
import { flattenGraph, unflattenGraph } from "./graph-def.ts";
import { nodeClass, pathText, type Path, type PathPart } from "./node.ts";
import type { Leaf } from "./state.ts";
import { checkWritable, isVariable, Variable, type AnyVariable, type Metadata } from "./variable.ts";
import { checkKeys } from "@jnx/tensor/internal";

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

function childrenOf(name: string, node: object): readonly (readonly [PathPart, unknown])[] {
  const container = containerOf(node);
  if (container !== undefined) return container.entries;
  throw new ArgumentError(`${name}: expected a Module or a container, received ${typeof node}; pass the object itself`);
}

/**
 * The nodes and Variables that an object holds directly, with their keys. Source: flax.nnx.iter_children.
 * @example [...nnx.iterChildren(model)].map(([key]) => key); // ["dropout", "hidden", "out"]
 */
export function* iterChildren(node: object): Generator<[PathPart, object]> {
  for (const [key, child] of childrenOf("iterChildren", node))
    if (nodeClass(child) !== undefined || isVariable(child)) yield [key, child as object]; // nodes are objects
}

/**
 * The nodes that an object holds directly, without Variables. Source: flax.nnx.iter_module_children.
 * @example [...nnx.iterModuleChildren(model.out)].length; // 0
 */
export function* iterModuleChildren(node: object): Generator<[PathPart, object]> {
  for (const [key, child] of childrenOf("iterModuleChildren", node))
    if (nodeClass(child) !== undefined) yield [key, child as object]; // nodes are objects
}

/** Options of functions that look at chosen parts of a graph. */
export interface OnlyOptions {
  /** Which, by class, tag or predicate; all unless given. */
  readonly only?: Filter;
}

/**
 * The paths of each node, Variable or array that can be reached by more than one. Source: flax.nnx.find_duplicates.
 *
 * @example
 * const twice = new nnx.Dict({ a: model.out, b: model.hidden, c: model.out });
 * nnx.findDuplicates(twice); // [[["a"], ["c"]]]
 */
export function findDuplicates(node: unknown, options: OnlyOptions = {}): Path[][] {
  checkKeys("findDuplicates", options, "only");
  const takes = toPredicate(options.only ?? "...");
  const paths = new Map<unknown, Path[]>();
  const looked = new Set<unknown>();
  const visit = (value: unknown, path: Path): void => {
    const container = containerOf(value);
    const hasIdentity = container?.kind === "object" || value instanceof Variable || value instanceof Tensor;
    const known = paths.get(value);
    if (known !== undefined) {
      if (takes(path, value)) known.push(path);
      return;
    }
    if (hasIdentity) paths.set(value, [path]);
    if (container === undefined || looked.has(value)) return;
    looked.add(value);
    for (const [key, child] of container.entries) visit(child, [...path, key]);
  };
  visit(node, []);
  return [...paths.values()].filter((found) => found.length > 1);
}

/** A copy of an object's nodes around the same Variables: what `view` and `recursiveMap` change. */
export function copyNodes<T>(node: T): T {
  const { def, places } = flattenGraph(node);
  let position = 0;
  const next = (path: Path): Leaf => {
    const leaf = places[position++]?.leaf;
    if (leaf !== undefined) return leaf;
    throw new GraphError(`no leaf at "${pathText(path)}"`);
  };
  return unflattenGraph(def, next) as T; // def was taken of node
}

/**
 * A copy of an object in which every node and leaf is replaced by f(path, value), children before what holds them.
 * Variables are shared with the original unless f gives others; what is shared is mapped once and stays shared.
 *
 * @throws GraphError when the graph has a cycle. Source: flax.nnx.recursive_map.
 * @example
 * const frozen = nnx.recursiveMap((_path, value) => (value instanceof nnx.Dropout ? null : value), model);
 * frozen.dropout; // null
 */
export function recursiveMap<T>(f: (path: Path, value: unknown) => unknown, node: T): T {
  const results = new Map<unknown, { value: unknown } | undefined>();
  const visit = (value: unknown, path: Path): unknown => {
    const container = containerOf(value);
    const hasIdentity = container?.kind === "object" || value instanceof Variable;
    if (hasIdentity && results.has(value)) {
      const done = results.get(value);
      if (done !== undefined) return done.value;
      throw new GraphError(
        `recursiveMap: the object at "${pathText(path)}" holds itself; a cycle has no order in which to map`,
      );
    }
    if (hasIdentity) results.set(value, undefined);
    for (const [key, child] of container?.entries ?? []) {
      const next = visit(child, [...path, key]);
      if (next !== child) setChild(value as object, key, next); // containers are objects
    }
    const result = f(path, value);
    if (hasIdentity) results.set(value, { value: result });
    return result;
  };
  return visit(copyNodes(node), []) as T; // f keeps the root's type, as the caller says
}

/** Options of `map`. */
export interface MapOptions {
  /** False to leave what f gives as it is, without a Variable around it; true unless given. */
  readonly recreateVariables?: boolean;
}

/**
 * An object like `node` with each leaf replaced by f(path, leaf); where f gives a bare Tensor, a Variable of the leaf's
 * class is made around it, unless `recreateVariables` is false. Source: flax.nnx.map.
 *
 * @example
 * const zeroed = nnx.map((_path, leaf) => zerosLike(leaf), model.out);
 * zeroed.bias; // [0]
 */
export function map<T>(f: (path: Path, leaf: Leaf) => Leaf, node: T, options: MapOptions = {}): T {
  checkKeys("map", options, "recreateVariables?");
  const { def, places } = flattenGraph(node);
  let position = 0;
  const next = (path: Path): Leaf => {
    const leaf = places[position++]?.leaf;
    if (leaf === undefined) throw new GraphError(`map: no leaf at "${pathText(path)}"`);
    return f(path, leaf);
  };
  return unflattenGraph(def, next, new Map(), options.recreateVariables) as T; // def was taken of node
}

/**
 * Sets metadata on the Variables of an object, in place. Source: flax.nnx.set_metadata.
 *
 * @example
 * nnx.setMetadata(model, { frozen: true }, { only: nnx.PathContains("out") });
 * model.out.kernel.getMetadata("frozen"); // true
 */
export function setMetadata(node: unknown, metadata: Metadata, options: OnlyOptions = {}): void {
  checkKeys("setMetadata", options, "only");
  const variables = variablesOf(node, options.only);
  for (const variable of variables) checkWritable(variable);
  for (const variable of variables) variable.setMetadata(metadata);
}

/** The Variables of an object that a filter takes, each once. */
export function variablesOf(node: unknown, only: Filter = "..."): AnyVariable[] {
  const takes = toPredicate(only);
  return flattenGraph(node).places.flatMap(({ path, leaf }): AnyVariable[] =>
    leaf instanceof Variable && takes(path, leaf) ? [leaf] : [],
  );
}

/**
 * The same tree with each Variable replaced by its value. Source: flax.nnx.as_pure.
 * @example nnx.asPure(nnx.state(model.out)).bias; // [0]
 */
export function asPure<T>(node: T): T {
  const pure = (_path: Path, value: unknown): unknown => (isVariable(value) ? value.value : value);
  return recursiveMap(pure, node);
}
