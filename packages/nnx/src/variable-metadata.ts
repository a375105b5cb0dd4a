import { ArgumentError } from "@jnx/tensor";
import type { Initializer } from "./initializers.ts";
import type { AnyVariable, Metadata } from "./variable.ts";

/** When a hook runs: `onCreateValue` as a Variable is made, `onGetValue` at each read, `onSetValue` at each write. */
export type HookName = "onCreateValue" | "onGetValue" | "onSetValue";

/** Turns a value into the one that is stored or shown. */
export type Hook = (variable: never, value: never) => unknown;

/**
 * A value with metadata on its way into a Variable, which takes it apart: what initializers made by `withMetadata` give.
 * Source: flax.nnx.VariableMetadata.
 *
 * @example
 * new nnx.Param(new nnx.VariableMetadata(array([1]), { sharding: "x" })).metadata; // { sharding: "x" }
 */
export class VariableMetadata<T = unknown> {
  readonly rawValue: T;
  readonly metadata: Metadata;
  constructor(rawValue: T, metadata: Metadata = {}) {
    this.rawValue = rawValue;
    this.metadata = metadata;
  }
}

/**
 * An initializer whose Variables carry metadata. Hooks are metadata, too: `onGetValue`, `onSetValue` and
 * `onCreateValue`, each a function `(variable, value) => value`, `onAddAxis` and `onRemoveAxis`, each `(variable, axis, name)`, or an
 * array of such functions. Source: flax.nnx.with_metadata.
 *
 * @example
 * const kernelInit = nnx.withMetadata(nnx.initializers.ones, { tag: "tied" });
 * new nnx.Linear(2, 3, { kernelInit, rngs: new nnx.Rngs(0) }).kernel.metadata; // { tag: "tied" }
 */
export function withMetadata(initializer: Initializer, metadata: Metadata): Initializer {
  const made: (...args: Parameters<Initializer>) => unknown = (...args) =>
    new VariableMetadata(initializer(...args), metadata);
  return made as Initializer; // Variables unpack it, and nothing else is done with what initializers give
}

/** Metadata of an initializer and of a constructor in one; the same name with two values is a mistake. */
export function mergeMetadata(inner: Metadata, outer: Metadata): Metadata {
  for (const [name, value] of Object.entries(inner)) {
    if (name in outer && outer[name] !== value)
      throw new ArgumentError(
        `Variable: metadata "${name}" is ${String(value)} in the initializer and ${String(outer[name])} in the constructor; give it once`,
      );
  }
  return { ...inner, ...outer };
}

/** When a hook runs that hears of mapped axes: it gets the Variable, the axis and its name. */
export type AxisHookName = "onAddAxis" | "onRemoveAxis";

type AnyHook = (this: AnyVariable, ...args: unknown[]) => unknown;

/** The hooks of the class and of the metadata. */
function hooksOf(name: HookName | AxisHookName, variable: AnyVariable, metadata: Metadata): readonly AnyHook[] {
  const own = metadata[name];
  const ofClass: unknown = name in variable ? Reflect.get(variable, name) : undefined;
  if (own === undefined && ofClass === undefined) return [];
  return [ofClass, own].flat().flatMap((hook): AnyHook[] => {
    if (hook === undefined) return [];
    if (typeof hook === "function") return [hook as AnyHook]; // called with what its name says
    throw new ArgumentError(`Variable: the hook ${name} must be a function, received ${typeof hook}`);
  });
}

/** The value after the hooks. */
export function runHooks<T>(name: HookName, variable: AnyVariable, metadata: Metadata, value: T): T {
  let current = value;
  // A hook gives what takes the value's place.
  for (const hook of hooksOf(name, variable, metadata)) current = hook.call(variable, variable, current) as T;
  return current;
}

/** Tells the hooks of an axis. */
export function runAxisHooks(
  name: AxisHookName,
  variable: AnyVariable,
  metadata: Metadata,
  axis: number,
  axisName: string | null,
): void {
  for (const hook of hooksOf(name, variable, metadata)) hook.call(variable, variable, axis, axisName);
}
