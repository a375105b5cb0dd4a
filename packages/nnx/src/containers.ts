import { nodeClass, partOf, compareParts, sortedFields, type NodeClass, type PathPart } from "./node.ts";
import { State } from "./state.ts";

/** Something that is looked into on the way to Variables, with what it holds in walking order. */
export type Container =
  | { readonly kind: "object"; readonly type: NodeClass; readonly entries: readonly [PathPart, unknown][] }
  | { readonly kind: "list" | "dict" | "map" | "state"; readonly entries: readonly [PathPart, unknown][] };

/** What a value is as a container; undefined for leaves and static values. */
export function containerOf(value: unknown): Container | undefined {
  const type = nodeClass(value);
  // nodeClass has found that it is an object or a callable one.
  if (type !== undefined) return { kind: "object", type, entries: sortedFields(value as object) };
  if (typeof value !== "object" || value === null) return undefined;
  if (Array.isArray(value)) return { kind: "list", entries: value.map((child, k): [PathPart, unknown] => [k, child]) };
  if (value instanceof State) return { kind: "state", entries: sortedFields(value) };
  if (value instanceof Map) return { kind: "map", entries: mapEntries(value) };
  return isPlainObject(value) ? { kind: "dict", entries: sortedFields(value) } : undefined;
}

function mapEntries(map: ReadonlyMap<unknown, unknown>): [PathPart, unknown][] {
  return [...map]
    .map(([key, child]): [PathPart, unknown] => [typeof key === "number" ? key : partOf(String(key)), child])
    .sort(([a], [b]) => compareParts(a, b));
}

function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Puts a value where `containerOf` found one. */
export function setChild(container: object, key: PathPart, child: unknown): void {
  if (container instanceof Map) {
    const known = [...container.keys()].find((candidate) => candidate === key || String(candidate) === String(key));
    container.set(known ?? key, child);
    return;
  }
  Object.defineProperty(container, key, { value: child, writable: true, enumerable: true, configurable: true });
}

/** Takes a field away. */
export function deleteChild(container: object, key: PathPart): void {
  if (container instanceof Map) container.delete(key);
  else Reflect.deleteProperty(container, key);
}
