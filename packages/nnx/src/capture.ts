import { ArgumentError } from "@jnx/tensor";
import type { AnyFunction } from "@jnx/tensor/internal";
import { buffersOf, setBuffers, type CaptureBuffers } from "./capture-buffers.ts";
import { iterModules, Module } from "./module.ts";
import type { Path } from "./node.ts";
import { entryAt, fromFlatState, State, type Leaf } from "./state.ts";
import { makeVariable, readValue, Variable, type AnyVariable, type VariableClass } from "./variable.ts";

/** Options of `capture`. */
export interface CaptureOptions {
  /** Values that modules find when they sow or perturb: Variables at the paths of the modules, by name. */
  readonly init?: State;
  /** Sows what every method of every module's own class gives, under the method's name, as Variables of this class. */
  readonly methodOutputs?: VariableClass;
}

/** A Module is called through its `call`. */
interface Callable {
  call(...args: never[]): unknown;
}

// Functions first: they have a method call, too.
type Wrapped<F> = F extends AnyFunction ? F : F extends Callable ? F["call"] : never;

type Captured<F extends AnyFunction, T extends readonly unknown[]> = T extends readonly []
  ? ReturnType<F>
  : T extends readonly [VariableClass, ...infer R]
    ? R extends readonly [] | readonly [CaptureOptions]
      ? [ReturnType<F>, State]
      : [ReturnType<F>, ...State[]]
    : ReturnType<F>;

/**
 * Runs a module, or a function whose first argument is one, and gives what was sown on the way besides its result: a
 * State for each Variable class, nested like the modules. Source: flax.nnx.capture.
 *
 * @example
 * class Net extends nnx.Module {
 *   call(x: Tensor): Tensor {
 *     this.sow(nnx.Intermediate, "input", x);
 *     return x.mul(2);
 *   }
 * }
 * const [y, seen] = nnx.capture(new Net(), nnx.Intermediate)(array([1, 2]));
 * nnx.toPureDict(seen); // { input: [[1, 2]] }
 */
export function capture<F extends Callable | AnyFunction, const T extends readonly (VariableClass | CaptureOptions)[]>(
  fn: F,
  ...types: T
): (...args: Parameters<Wrapped<F>>) => Captured<Wrapped<F>, T> {
  const classes = types.filter((one): one is VariableClass => typeof one === "function");
  const options = types.find((one): one is CaptureOptions => typeof one !== "function") ?? {};
  const wrapper = (...args: unknown[]): unknown => {
    const module: unknown = fn instanceof Module ? fn : args[0];
    if (!(module instanceof Module))
      throw new ArgumentError(
        `capture: the first argument must be the Module to look into, received ${typeof module}; capture(module, …) needs none`,
      );
    const modules = [...iterModules(module)];
    for (const [path, one] of modules) setBuffers(one, initial(classes, entryOf(options.init, path)));
    const restore = options.methodOutputs === undefined ? [] : instrument(modules, options.methodOutputs);
    try {
      // A Module that is captured has a call, as the signature says.
      const call = fn instanceof Module ? (fn as Module & Callable).call : fn;
      const result: unknown = Reflect.apply(call as AnyFunction, fn, args); // one of the two that the signature takes
      const states = classes.map((type) => gatherSown(modules, type));
      return classes.length === 0 ? result : [result, ...states];
    } finally {
      for (const undo of restore) undo();
      for (const [, one] of modules) setBuffers(one, undefined);
    }
  };
  return wrapper as (...args: Parameters<Wrapped<F>>) => Captured<Wrapped<F>, T>; // called as the original is
}

function entryOf(init: State | undefined, path: Path): State | undefined {
  const entry = init === undefined ? undefined : entryAt(init, path);
  return entry instanceof State ? entry : undefined;
}

function initial(classes: readonly VariableClass[], entries: State | undefined): CaptureBuffers {
  const buffers: CaptureBuffers = new Map(classes.map((type) => [type, new Map<string, unknown>()]));
  for (const [name, leaf] of entries ?? []) {
    if (!(leaf instanceof Variable)) continue;
    const variable: AnyVariable = leaf;
    const buffer = buffers.get(variable.type) ?? new Map<string, unknown>();
    buffer.set(String(name), readValue(variable));
    buffers.set(variable.type, buffer);
  }
  return buffers;
}

function gatherSown(modules: readonly (readonly [Path, Module])[], type: VariableClass): State {
  const found = modules.flatMap(([path, module]): [Path, Leaf][] =>
    [...(buffersOf(module)?.get(type) ?? [])].map(([name, value]) => [
      [...path, name],
      makeVariable<unknown>(type, value, {}),
    ]),
  );
  return fromFlatState(found);
}

/** Makes methods of the modules' classes sow what they give; the functions undo that. */
function instrument(modules: readonly (readonly [Path, Module])[], type: VariableClass): (() => void)[] {
  const prototypes = new Set(modules.map(([, module]): object => module.constructor.prototype as object)); // of a class
  return [...prototypes].flatMap((prototype) =>
    Object.getOwnPropertyNames(prototype).flatMap((name) => {
      const method: unknown = Object.getOwnPropertyDescriptor(prototype, name)?.value;
      if (typeof method !== "function" || name === "constructor" || name.startsWith("_")) return [];
      const sowing = function (this: Module, ...args: unknown[]): unknown {
        const result: unknown = Reflect.apply(method, this, args);
        this.sow(type, name, result);
        return result;
      };
      Object.defineProperty(prototype, name, { value: sowing, writable: true, configurable: true });
      return [() => Object.defineProperty(prototype, name, { value: method, writable: true, configurable: true })];
    }),
  );
}
