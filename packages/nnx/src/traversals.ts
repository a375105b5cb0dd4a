/** Nested plain objects and Maps flattened and nested again: flax.nnx.traversals. */
import { ArgumentError } from "@jnx/tensor";
import type { Path, PathPart } from "./node.ts";
import { checkKeys } from "@jnx/tensor/internal";

/** A plain object or Map of values and further such. */
export type Mapping = Readonly<Record<string, unknown>> | ReadonlyMap<PathPart, unknown>;

/** Stands for an empty object in a flattened one. Source: flax.nnx.traversals.empty_node. */
export const emptyNode: unique symbol = Symbol("nnx.emptyNode");

/** Options of the flattening functions. */
export interface FlattenOptions {
  /** True to keep empty objects, as `emptyNode`; otherwise nothing is left of them. */
  readonly keepEmptyNodes?: boolean;
  /** True for what is to be kept whole. */
  readonly isLeaf?: (path: Path, value: Mapping) => boolean;
}

function isMapping(value: unknown): value is Mapping {
  if (typeof value !== "object" || value === null) return false;
  return (
    value instanceof Map || Object.getPrototypeOf(value) === Object.prototype || Object.getPrototypeOf(value) === null
  );
}

function flattened(xs: Mapping, options: FlattenOptions): [Path, unknown][] {
  if (!isMapping(xs))
    throw new ArgumentError(`flattenMapping: expected a plain object or a Map, received ${typeof xs}`);
  const found: [Path, unknown][] = [];
  const visit = (value: unknown, path: Path): void => {
    if (!isMapping(value) || options.isLeaf?.(path, value) === true) {
      found.push([path, value]);
      return;
    }
    const entries = value instanceof Map ? [...value] : Object.entries(value);
    for (const [key, child] of entries as [PathPart, unknown][]) visit(child, [...path, key]); // keys of either kind
    if (entries.length === 0 && path.length > 0 && options.keepEmptyNodes === true) found.push([path, emptyNode]);
  };
  visit(xs, []);
  return found;
}

/**
 * A nested object as a Map from paths to values, or, with `sep`, as an object whose keys are the paths joined by it. A path
 * is an array, found by iterating. Source: flax.nnx.traversals.flatten_mapping.
 *
 * @throws ArgumentError for what is no plain object.
 * @example nnx.traversals.flattenMapping({ foo: 1, bar: { a: 2, b: {} } }, { sep: "/" }); // { foo: 1, "bar/a": 2 }
 */
export function flattenMapping(
  xs: Mapping,
  options: FlattenOptions & { readonly sep: string },
): Record<string, unknown>;
export function flattenMapping(xs: Mapping, options?: FlattenOptions): Map<Path, unknown>;
export function flattenMapping(
  xs: Mapping,
  options: FlattenOptions & { readonly sep?: string } = {},
): Map<Path, unknown> | Record<string, unknown> {
  checkKeys("flattenMapping", options, "keepEmptyNodes? isLeaf sep");
  const { sep } = options;
  const found = flattened(xs, options);
  return sep === undefined ? new Map(found) : Object.fromEntries(found.map(([path, value]) => [path.join(sep), value]));
}

/**
 * A nested object as a list of paths with values. Source: flax.nnx.traversals.flatten_to_sequence.
 * @example nnx.traversals.flattenToSequence({ foo: 1, bar: { a: 2 } }); // [[["foo"], 1], [["bar", "a"], 2]]
 */
export function flattenToSequence(xs: Mapping, options: Pick<FlattenOptions, "isLeaf"> = {}): [Path, unknown][] {
  checkKeys("flattenToSequence", options, "isLeaf");
  return flattened(xs, options);
}

/**
 * The nested object that was flattened: of paths with values, or, with `sep`, of keys joined by it.
 * Source: flax.nnx.traversals.unflatten_mapping.
 *
 * @throws ArgumentError when a path leads through another's value.
 * @example nnx.traversals.unflattenMapping({ foo: 1, "bar/a": 2 }, { sep: "/" }); // { foo: 1, bar: { a: 2 } }
 */
export function unflattenMapping(
  xs: Iterable<readonly [Path, unknown]> | Readonly<Record<string, unknown>>,
  options: { readonly sep?: string } = {},
): Record<string, unknown> {
  checkKeys("unflattenMapping", options, "sep");
  const { sep } = options;
  const entries = Symbol.iterator in xs ? (xs as Iterable<readonly [Path, unknown]>) : Object.entries(xs); // no mixture
  const made = new WeakSet<object>();
  const start = (): Record<string, unknown> => {
    const node = {};
    made.add(node);
    return node;
  };
  const root = start();
  for (const [key, value] of entries) {
    const path = typeof key === "string" ? key.split(sep ?? key) : key;
    const names = typeof key === "string" && sep === undefined ? [key] : path;
    let node = root;
    for (const name of names.slice(0, -1)) {
      if (!Object.hasOwn(node, name)) define(node, name, start());
      const next = node[name];
      if (typeof next !== "object" || next === null || !made.has(next))
        throw new ArgumentError(`unflattenMapping: "${names.join(".")}" leads through the value at "${String(name)}"`);
      node = next as Record<string, unknown>; // made by start
    }
    define(node, names.at(-1) ?? "", value === emptyNode ? start() : value);
  }
  return root;
}

function define(node: object, name: PathPart, value: unknown): void {
  Object.defineProperty(node, name, { value, writable: true, enumerable: true, configurable: true });
}
