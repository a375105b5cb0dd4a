/** A step on the way to a leaf: a field's name, or a position in an array. */
export type PathPart = string | number;
export type Path = readonly PathPart[];

/**
 * Names the static method by which `clone` and `merge` make an instance. By default that runs no constructor; a class with
 * `#private` members, which only a constructor can make, overrides it.
 *
 * @example
 * class Counter extends nnx.Module {
 *   #calls = 0;
 *   readonly scale = new nnx.Param(array([2]));
 *   static override [nnx.makeEmpty](): Counter {
 *     return new this(); // with #calls at 0; fields are those of what is copied
 *   }
 *   call(x: Tensor): number {
 *     return ++this.#calls;
 *   }
 * }
 * nnx.clone(new Counter()).call(x); // 1
 */
export const makeEmpty: unique symbol = Symbol("nnx.makeEmpty");

/** Marks classes whose instances tell of their own use: nobody needs to watch their fields. */
export const tellsOfUse: unique symbol = Symbol("nnx.tellsOfUse");

/** A class whose instances are nodes of object graphs. */
export interface NodeClass {
  readonly name: string;
  [makeEmpty](): object;
}

/** The class of a node of an object graph (a Module, an Rngs, …); undefined for anything else. */
export function nodeClass(value: unknown): NodeClass | undefined {
  if (value === null || (typeof value !== "object" && typeof value !== "function")) return undefined;
  const { constructor } = value;
  return isNodeClass(constructor) ? constructor : undefined;
}

function isNodeClass(cls: unknown): cls is NodeClass {
  return typeof cls === "function" && makeEmpty in cls;
}

/** `["layers", 0, "kernel"]` → `"layers.0.kernel"`. */
export function pathText(path: Path): string {
  return path.join(".");
}

/** A field's name as a path part: whole numbers are positions. */
export function partOf(key: string): PathPart {
  return /^(?:0|[1-9]\d{0,14})$/.test(key) ? Number(key) : key;
}

/** Order of keys within one node: numbers by value, then strings by code unit. */
export function compareParts(a: PathPart, b: PathPart): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** An object's own fields in the order in which they are walked. */
export function sortedFields(value: object): [PathPart, unknown][] {
  return Object.entries(value)
    .map(([key, child]): [PathPart, unknown] => [partOf(key), child])
    .sort(([a], [b]) => compareParts(a, b));
}
