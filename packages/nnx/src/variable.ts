import { tree, Tensor, type DType, type Shape, type TensorConvertible } from "@jnx/tensor";
import { currentFrame, insideArena, reachableStorages, type Frame, type Storage } from "@jnx/tensor/internal";
import { TraceContextError } from "./errors.ts";

/** What a Variable knows besides its value: part of the structure, so another value means another trace. */
export type Metadata = Readonly<Record<string, unknown>>;

/** A Variable of any value. */
export type AnyVariable = Variable<unknown>;

/** A class of Variables: Variable itself, Param, or one of your own. */
export type VariableClass<V extends AnyVariable = AnyVariable> = abstract new (...args: never[]) => V;

const registered = new WeakSet<object>();

// What the rest of nnx may do with a Variable; assigned inside the class, which alone sees its fields.

/** The value as library code reads it to compute with, without handing it to the user. */
export let readValue: <T>(variable: Variable<T>) => T;
/** The value, for looking at its shape or moving it. */
export let peek: <T>(variable: Variable<T>) => T;
/** Puts a value in, whatever the trace: for transforms, which put the old one back. */
export let swapValue: <T>(variable: Variable<T>, next: T) => void;
/** Moves the Variable to a trace, under a path that errors can name; gives the trace it was in. */
export let enter: (variable: AnyVariable, frame: Frame | undefined, path?: string) => Frame | undefined;
/** Throws TraceContextError unless the running trace may write the Variable. */
export let checkWritable: (variable: AnyVariable) => void;
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
  #metadata: Metadata;
  #frame: Frame | undefined;
  #path: string | undefined;

  constructor(value: T, metadata: Metadata = {}) {
    registerClass(new.target);
    this.#value = value;
    this.#metadata = { ...metadata };
    this.#frame = currentFrame();
    hold(value);
    if (!insideArena()) expose(value);
  }

  get value(): T {
    if (!insideArena()) expose(this.#value);
    return readValue(this);
  }

  set value(next: T) {
    checkWritable(this);
    if (!insideArena()) expose(next);
    swapValue(this, next);
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

  /** Adds metadata, replacing entries of the same name. */
  setMetadata(entries: Metadata): void {
    checkWritable(this);
    this.#metadata = { ...this.#metadata, ...entries };
  }

  /** Another Variable of this class, value and metadata; `clone` for one Variable. */
  copy(): this {
    return makeLike(this, this.#value);
  }

  toString(): string {
    const value = this.#value;
    return `${this.type.name} ${value instanceof Tensor ? String(value).replace(/^Tensor /, "") : String(value)}`;
  }

  /** What Node's console shows. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }

  static {
    readValue = (variable) => {
      // Read through a closure: nobody can say how long the value will be looked at.
      if (variable.#frame !== currentFrame()) expose(variable.#value);
      return variable.#value;
    };
    peek = (variable) => variable.#value;
    swapValue = (variable, next) => {
      const old = variable.#value;
      hold(next);
      variable.#value = next;
      release(old);
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
  // The base constructor alone runs, and makes an instance of the class asked for.
  return Reflect.construct(Variable, [value, metadata], type) as Variable<T>;
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

function hold(value: unknown): void {
  for (const storage of reachableStorages(value)) storage.slots++;
}

function release(value: unknown): void {
  for (const storage of reachableStorages(value)) storage.slots--;
}

/** From now on user code may hold the value: what it refers to in Variables must not be reused behind its back. */
export function exposeHeld(value: unknown): void {
  for (const storage of reachableStorages(value)) if (storage.slots > 0) storage.exposed = true;
}

function expose(value: unknown): void {
  for (const storage of reachableStorages(value)) storage.exposed = true;
}

function tensorIn(variable: AnyVariable): Tensor {
  const value = peek(variable);
  if (value instanceof Tensor) return value;
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
    flatten: (variable) => ({ keys: ["value"], children: [variable.value], aux: variable.metadata }),
    unflatten: (aux, [value]) => makeVariable(type, value, aux as Metadata), // the metadata that flatten gave
  });
}
