import { ArgumentError } from "@jnx/tensor";
import { Module } from "./module.ts";

/** The own position or name of an element. */
function put(holder: object, key: string | number, value: unknown): void {
  Object.defineProperty(holder, key, { value, writable: true, enumerable: true, configurable: true });
}

/**
 * A list that is a node: shared ones stay shared, and paths have its positions as numbers, `layers.0.kernel`. Plain
 * arrays hold modules just as well; two fields with the same plain array become two arrays when copied.
 * Elements are read as `list[0]` or `list.at(-1)`. Source: flax.nnx.List.
 *
 * @throws RangeError for a position that is not there.
 * @example
 * const layers = new nnx.List([new nnx.Linear(2, 3, { rngs: new nnx.Rngs(0) })]);
 * layers.append(nnx.relu);
 * layers.length; // 2
 */
export class List<T> extends Module implements Iterable<T> {
  readonly [position: number]: T;

  constructor(items: Iterable<T> = []) {
    super();
    let position = 0;
    for (const item of items) put(this, position++, item);
  }

  get length(): number {
    return Object.keys(this).length;
  }

  [Symbol.iterator](): Iterator<T> {
    return itemsOf(this).values();
  }

  /** The element at a position; negative ones count from the end. */
  at(position: number): T {
    return this[positionIn(this, position)] as T; // positionIn has checked it
  }

  /** Replaces an element. */
  set(position: number, item: T): void {
    put(this, positionIn(this, position), item);
  }

  append(item: T): void {
    put(this, this.length, item);
  }

  extend(items: Iterable<T>): void {
    for (const item of items) this.append(item);
  }

  /** Inserts before a position, which is held within the list as Python does. */
  insert(position: number, item: T): void {
    const items = itemsOf(this);
    items.splice(position, 0, item);
    refill(this, items);
  }

  /** Removes and gives an element, the last unless told. */
  pop(position = -1): T {
    const items = itemsOf(this);
    const [item] = items.splice(positionIn(this, position), 1);
    refill(this, items);
    return item as T; // positionIn has checked that there is one
  }

  /** Removes the first element that is this one. */
  remove(item: T): void {
    const position = itemsOf(this).indexOf(item);
    if (position < 0) throw new ArgumentError("List.remove: the list has no such element");
    this.pop(position);
  }

  reverse(): void {
    refill(this, itemsOf(this).reverse());
  }

  /** A plain array of a part, as Array's slice. */
  slice(start?: number, end?: number): T[] {
    return itemsOf(this).slice(start, end);
  }

  /** A plain array of f(element, position). */
  map<U>(f: (item: T, position: number) => U): U[] {
    return itemsOf(this).map(f);
  }
}

// Not methods: private ones would be missing on what merge makes, which runs no constructor.

function itemsOf<T>(list: List<T>): T[] {
  return Object.values(list) as T[]; // a List's own fields are its elements, and whole numbers come in order
}

function positionIn(list: List<unknown>, position: number): number {
  const { length } = list;
  const at = position < 0 ? length + position : position;
  if (Number.isInteger(at) && at >= 0 && at < length) return at;
  throw new RangeError(`List: no element ${position} in a list of ${length}`);
}

function refill<T>(list: List<T>, items: readonly T[]): void {
  for (const key of Object.keys(list)) Reflect.deleteProperty(list, key);
  items.forEach((item, k) => put(list, k, item));
}

/** What `Dict` makes. */
export class DictNode<T> extends Module implements Iterable<string> {
  static override readonly name = "Dict";

  constructor(entries: Readonly<Record<string, T>> | Iterable<readonly [string, T]> = {}) {
    super();
    this.update(entries);
  }

  get size(): number {
    return Object.keys(this).length;
  }

  *[Symbol.iterator](): Generator<string> {
    yield* Object.keys(this);
  }

  keys(): string[] {
    return Object.keys(this);
  }

  values(): T[] {
    return Object.values(this) as T[]; // its own fields are its entries and nothing else
  }

  items(): [string, T][] {
    return Object.entries(this) as [string, T][]; // as in values
  }

  has(key: string): boolean {
    return Object.hasOwn(this, key);
  }

  get(key: string): T {
    if (!this.has(key))
      throw new ArgumentError(`Dict: no entry "${key}", there is ${this.keys().join(", ") || "none"}`);
    return Reflect.get(this, key) as T; // as in values
  }

  set(key: string, value: T): void {
    if (key in DictNode.prototype)
      throw new ArgumentError(`Dict: "${key}" is the name of a method; choose another key, or use a Map`);
    put(this, key, value);
  }

  update(entries: Readonly<Record<string, T>> | Iterable<readonly [string, T]>): void {
    const list = Symbol.iterator in entries ? entries : Object.entries(entries);
    for (const [key, value] of list) this.set(key, value);
  }

  /** The entry of a key, which is made of `value` if there is none. */
  setdefault(key: string, value: T): T {
    if (!this.has(key)) this.set(key, value);
    return this.get(key);
  }

  /** Removes and gives an entry. */
  pop(key: string): T {
    const value = this.get(key);
    Reflect.deleteProperty(this, key);
    return value;
  }
}

/** A Dict on which the keys given to its constructor are typed fields. */
export type Dict<E extends Readonly<Record<string, unknown>> = Readonly<Record<string, unknown>>> = DictNode<
  E[keyof E]
> &
  E;

/**
 * A dictionary that is a node: shared ones stay shared. Its keys are its fields, `dict.a`. Plain objects and Maps hold
 * modules just as well. Source: flax.nnx.Dict.
 *
 * @throws ArgumentError for a key that is not there, or that a method of Dict has as its name.
 * @example
 * const heads = new nnx.Dict({ a: new nnx.Param(array([1])) });
 * heads.set("b", new nnx.Param(array([2])));
 * heads.keys(); // ["a", "b"]
 */
export const Dict: {
  new <const E extends Readonly<Record<string, unknown>>>(entries?: E): Dict<E>;
  new <T>(entries: Iterable<readonly [string, T]>): DictNode<T>;
  readonly prototype: DictNode<unknown>;
  // Its fields are its entries, which a class cannot say of itself.
} = DictNode as never;
