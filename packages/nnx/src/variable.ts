import { ShapeDtypeStruct } from "@jnx/compile";
import { ArgumentError, tree, Tensor, type DType, type Shape, type TensorConvertible } from "@jnx/tensor";
import {
  currentFrame,
  insideArena,
  keptStorages,
  reachableStorages,
  type Frame,
  type Storage,
} from "@jnx/tensor/internal";
import { TraceContextError } from "./errors.ts";
import { mergeMetadata, runAxisHooks, runHooks, VariableMetadata } from "./variable-metadata.ts";

/** What a Variable knows besides its value: part of the structure, so another value means another trace. */
export type Metadata = Readonly<Record<string, unknown>>;

/** A Variable of any value. */
export type AnyVariable = Variable<unknown>;

/** A class of Variables: Variable itself, Param, or one of your own. */
export type VariableClass<V extends AnyVariable = AnyVariable> = abstract new (...args: never[]) => V;

const registered = new WeakSet<object>();

/** Given to the constructor for a Variable without a value yet. */
const BARE: unknown = Symbol("nnx.bare");

// What the rest of nnx may do with a Variable; assigned inside the class, which alone sees its fields.

/** The value as library code reads it to compute with, without handing it to the user; through hooks and overrides. */
export let readValue: <T>(variable: Variable<T>) => T;
/** As readValue, but what is stored, whatever hooks say: for optimizers and random streams. */
export let readRaw: <T>(variable: Variable<T>) => T;
/** The value, for looking at its shape or moving it. */
export let peek: <T>(variable: Variable<T>) => T;
/** Puts a value in, whatever the trace: for transforms, which put the old one back. */
export let swapValue: <T>(variable: Variable<T>, next: T) => void;
/** Moves the Variable to a trace, under a path that errors can name; gives the trace it was in. */
export let enter: (variable: AnyVariable, frame: Frame | undefined, path?: string) => Frame | undefined;
/** Throws TraceContextError unless the running trace may write the Variable. */
export let checkWritable: (variable: AnyVariable) => void;
/** Puts in a first value and metadata without hooks. */
let adopt: <T>(variable: Variable<T>, value: T, metadata: Metadata) => void;
/** Takes over another Variable's metadata. */
export let adoptMetadata: (variable: AnyVariable, metadata: Metadata) => void;

/**
 * A box with a value that changes: what a model learns, counts or draws from. Read and write it as `v.value`; array
 * functions take the Variable itself. It belongs to the trace it was made in or passed to: a write from another one
 * throws. Source: flax.nnx.Variable.
 *
 * @throws TraceContextError on a write from a transform that the Variable was not passed to.
 * @example
 * class Counter extends nnx.Variable {}
 * const count = new Counter(jnp.array(0));
 * count.value = jnp.add(count, 1);
 * await count.value.item(); // 1
 */
export class Variable<T = Tensor> implements TensorConvertible {
  #value: T;
  /** The memory that the value needs. */
  #held: readonly Storage[] = [];
  #metadata: Metadata;
  #frame: Frame | undefined;
  #path: string | undefined;

  constructor(value: T | VariableMetadata<T>, metadata: Metadata = {}) {
    registerClass(new.target);
    const given = value instanceof VariableMetadata ? value : undefined;
    this.#metadata = given === undefined ? { ...metadata } : mergeMetadata(given.metadata, metadata);
    this.#frame = currentFrame();
    if (value === BARE) {
      this.#value = undefined as T; // adopt puts the value in
      return;
    }
    const first = given === undefined ? (value as T) : given.rawValue; // no VariableMetadata, so a T
    this.#value = this.createValue(runHooks("onCreateValue", this, this.#metadata, first));
    this.#held = hold(this.#value);
    if (!insideArena()) expose(this.#value);
  }

  /** What the Variable holds: `getValue()`, and `setValue(next)` when written. */
  get value(): T {
    return this.getValue();
  }

  set value(next: T) {
    this.setValue(next);
  }

  /** The value as it is read, after the hooks; override it for a Variable that computes what it shows. */
  getValue(): T {
    return runHooks("onGetValue", this, this.#metadata, this.getRawValue());
  }

  /** Writes a value, after the hooks; override it to change or refuse what is stored. */
  setValue(next: T): void {
    checkWritable(this);
    this.setRawValue(runHooks("onSetValue", this, this.#metadata, next));
  }

  /** What is stored, without hooks. */
  getRawValue(): T {
    if (!insideArena()) expose(this.#value);
    return readRaw(this);
  }

  /** Stores a value without hooks. */
  setRawValue(next: T): void {
    checkWritable(this);
    if (!insideArena()) expose(next);
    swapValue(this, next);
  }

  /** What the constructor stores for a value; the value itself unless overridden. */
  protected createValue(value: T): T {
    return value;
  }

  /** The value as array functions take it. */
  toTensor(): Tensor {
    const { value } = this;
    if (value instanceof Tensor) return value;
    throw new TypeError(`${this.type.name}: expected to hold a Tensor, holds ${typeof value}; use its .value`);
  }

  /** The class, which filters ask for. */
  get type(): VariableClass<this> {
    // An instance's constructor makes instances of its class.
    return this.constructor as VariableClass<this>;
  }

  get shape(): Shape {
    return tensorIn(this).shape;
  }

  get dtype(): DType {
    return tensorIn(this).dtype;
  }

  get ndim(): number {
    return tensorIn(this).ndim;
  }

  get size(): number {
    return tensorIn(this).size;
  }

  /** Facts such as a tag or a sharding, fixed structure to every transform. */
  get metadata(): Metadata {
    return this.#metadata;
  }

  /** One entry of the metadata; with a second argument that instead of an error where there is none. */
  getMetadata(): Metadata;
  getMetadata(name: string, ...fallback: readonly unknown[]): unknown;
  getMetadata(name?: string, ...fallback: readonly unknown[]): unknown {
    if (name === undefined) return { ...this.#metadata };
    if (this.hasMetadata(name)) return this.#metadata[name];
    if (fallback.length > 0) return fallback[0];
    const names = Object.keys(this.#metadata).join(", ") || "none";
    throw new ArgumentError(
      `${this.type.name}: no metadata "${name}", there is ${names}; pass a fallback, getMetadata("${name}", null)`,
    );
  }

  hasMetadata(name: string): boolean {
    return Object.hasOwn(this.#metadata, name);
  }

  /** Sets entries, or one by name; with `{ replace: true }` the entries given are all there are. */
  setMetadata(entries: Metadata, options?: { readonly replace?: boolean }): void;
  setMetadata(name: string, value: unknown): void;
  setMetadata(entries: Metadata | string, second?: unknown): void {
    checkWritable(this);
    if (typeof entries === "string") this.#metadata = { ...this.#metadata, [entries]: second };
    else {
      const replace = typeof second === "object" && second !== null && "replace" in second && second.replace === true;
      this.#metadata = replace ? { ...entries } : { ...this.#metadata, ...entries };
    }
  }

  /** Removes an entry; an error where there is none. */
  delMetadata(name: string): void {
    checkWritable(this);
    this.getMetadata(name);
    this.#metadata = Object.fromEntries(Object.entries(this.#metadata).filter(([key]) => key !== name));
  }

  /** Hears from a transform with `transformMetadata` that the axis of that name is in the value again; runs `onAddAxis`. */
  addAxis(axis: number, name: string | null): void {
    runAxisHooks("onAddAxis", this, this.#metadata, axis, name);
  }

  /** Hears that the axis is out of the value; runs `onRemoveAxis`. */
  removeAxis(axis: number, name: string | null): void {
    runAxisHooks("onRemoveAxis", this, this.#metadata, axis, name);
  }

  /** Another Variable of this class: with this value and metadata, or with another value, and metadata added. */
  copy(value: T = this.#value, metadata: Metadata = {}): this {
    const made = makeLike(this, value);
    if (Object.keys(metadata).length > 0) adoptMetadata(made, { ...this.#metadata, ...metadata });
    return made;
  }

  /** `copy` with another value. */
  replace(value: T, metadata: Metadata = {}): this {
    return this.copy(value, metadata);
  }

  /** Takes over value and metadata of a Variable of the same class. */
  copyFrom(other: Variable<T>): void {
    if (other.type !== this.type)
      throw new ArgumentError(
        `${this.type.name}.copyFrom: expected a ${this.type.name}, received a ${other.type.name}; convert its value with new ${this.type.name}(other.value)`,
      );
    this.updateFromState(other);
  }

  /** Takes over value and metadata, whatever the class, without hooks: what `nnx.update` does. */
  updateFromState(other: Variable<T>): void {
    this.setRawValue(other.#value);
    this.#metadata = other.#metadata;
  }

  toString(): string {
    const value = this.#value;
    return `${this.type.name} ${value instanceof Tensor || value instanceof ShapeDtypeStruct ? String(value).replace(/^(?:Tensor|ShapeDtypeStruct) /, "") : String(value)}`;
  }

  /** What Node's console shows. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }

  static {
    readValue = (variable) => {
      const overridden = variable.getValue !== Variable.prototype.getValue || "onGetValue" in variable;
      return overridden || "onGetValue" in variable.#metadata ? variable.getValue() : readRaw(variable);
    };
    readRaw = (variable) => {
      // Read through a closure: nobody can say how long the value will be looked at.
      if (variable.#frame !== currentFrame()) expose(variable.#value);
      return variable.#value;
    };
    peek = (variable) => variable.#value;
    swapValue = (variable, next) => {
      const old = variable.#held;
      variable.#held = hold(next);
      variable.#value = next;
      for (const storage of old) storage.slots--;
    };
    enter = (variable, frame, path) => {
      const before = variable.#frame;
      variable.#frame = frame;
      variable.#path = path ?? variable.#path;
      return before;
    };
    checkWritable = (variable) => {
      if (variable.#frame === currentFrame()) return;
      throw new TraceContextError(mismatch(variable, variable.#path, variable.#frame));
    };
    adopt = (variable, value, metadata) => {
      swapValue(variable, value);
      variable.#metadata = metadata;
      if (!insideArena()) expose(value);
    };
    adoptMetadata = (variable, metadata) => {
      variable.#metadata = metadata;
    };
  }
}

// ---- for the rest of nnx ---------------------------------------------------------------------------------------------

/** Narrows to a Variable of whatever value. */
export function isVariable(value: unknown): value is AnyVariable {
  return value instanceof Variable;
}

/** A Variable of a class without running the class's own constructor. */
export function makeVariable<T>(type: VariableClass<Variable<T>>, value: T, metadata: Metadata): Variable<T> {
  registerClass(type);
  // The base constructor alone runs, and makes an instance of the class asked for; hooks ran when the value was new.
  const made = Reflect.construct(Variable, [BARE, {}], type) as Variable<T>;
  adopt(made, value, metadata);
  return made;
}

/** A Variable of the same class and metadata. */
export function makeLike<V extends AnyVariable>(like: V, value: unknown): V {
  return makeVariable(like.type, value, like.metadata) as V; // made of like's own class
}

/** A Variable around a value that nobody but it holds, though no arena is open. */
export function makeOwned<V extends AnyVariable>(like: V, value: Tensor): V {
  const { payload } = value;
  const exposed = payload.kind === "device" && payload.storage.exposed;
  const variable = makeLike(like, value);
  if (payload.kind === "device") payload.storage.exposed = exposed;
  return variable;
}

/** One write of `replaceValues`. */
export interface Replacement {
  readonly variable: AnyVariable;
  readonly next: unknown;
}

/**
 * Writes by library code: checked like the user's, and memory of old values that nobody else can hold goes back at
 * once. All are written before any is freed, since values may have changed places.
 */
export function replaceValues(writes: readonly Replacement[], why: string): void {
  for (const { variable } of writes) checkWritable(variable);
  const old = writes.map(({ variable, next }) => {
    const before = peek(variable);
    swapValue(variable, next);
    return before;
  });
  for (const storage of old.flatMap(reachableStorages)) freeIfIdle(storage, 0, why);
}

/** Frees a storage that at most `holders` Variables hold and no user, tape or compiled step does. */
export function freeIfIdle(storage: Storage, holders: number, why: string): void {
  if (!storage.exposed && storage.pins === 0 && storage.slots <= holders) storage.free(why);
}

/** Keeps the memory of a value, and of what transforms keep beside it, as long as a Variable holds it. */
function hold(value: unknown): readonly Storage[] {
  const storages = currentFrame() === undefined ? reachableStorages(value) : keptStorages(value);
  for (const storage of storages) storage.slots++;
  return storages;
}

/** From now on user code may hold the value: what it refers to in Variables must not be reused behind its back. */
export function exposeHeld(value: unknown): void {
  for (const storage of reachableStorages(value)) if (storage.slots > 0) storage.exposed = true;
}

function expose(value: unknown): void {
  for (const storage of reachableStorages(value)) storage.exposed = true;
}

/** What has a shape: a Tensor, or what stands for one in an abstract model. */
function tensorIn(variable: AnyVariable): Pick<Tensor, "shape" | "dtype" | "ndim" | "size"> {
  const value = peek(variable);
  if (value instanceof Tensor || value instanceof ShapeDtypeStruct) return value;
  throw new TypeError(`${variable.type.name}: holds ${typeof value}, which has no shape or dtype; use its .value`);
}

function mismatch(variable: AnyVariable, path: string | undefined, home: Frame | undefined): string {
  const who = `${variable.type.name}${path === undefined || path === "" ? "" : ` at "${path}"`}`;
  const running = currentFrame();
  if (running === undefined || (home !== undefined && !isOpen(home)))
    return `${who}: was made inside ${home?.level.name ?? "a transform"} and written after that had ended; return it from the transformed function, or make it outside`;
  return `${who}: cannot be written inside ${running.level.name}, to which it was not passed; pass the object that holds it as an argument of the transformed function`;
}

function isOpen(frame: Frame): boolean {
  for (let open = currentFrame(); open !== undefined; open = open.below) if (open === frame) return true;
  return false;
}

/** Makes a class of Variables a node of trees with one leaf, its value. */
function registerClass(type: VariableClass): void {
  if (registered.has(type)) return;
  registered.add(type);
  tree.registerTreeNode<AnyVariable>(type, {
    flatten: (variable) => ({ keys: ["value"], children: [variable.getRawValue()], aux: variable.metadata }),
    unflatten: (aux, [value]) => makeVariable(type, value, aux as Metadata), // the metadata that flatten gave
  });
}
