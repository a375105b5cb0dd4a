import type { AnyFunction } from "@jnx/tensor/internal";
import { ArgumentError } from "@jnx/tensor";
import { GraphError } from "../errors.ts";
import { clone } from "../graph.ts";
import { iterGraph } from "../graph-walk.ts";
import { isVariable } from "../variable.ts";
import { jit, type Jitted } from "./jit.ts";
import { gather, isGraph } from "./lift.ts";

/**
 * `jit(f)` with its first arguments given once and for all: later calls pass the others, among which there may be no
 * Variables. Values of the given objects may change between calls; their structure may not.
 *
 * @throws ArgumentError for a Variable among the later arguments, GraphError when f changes the structure of an object.
 * Source: flax.nnx.jit_partial.
 * @example
 * const predict = nnx.jitPartial((net: MLP, batch: Tensor) => net.call(batch), model);
 * predict(x).shape; // [3, 1]
 */
export function jitPartial<A extends readonly unknown[], B extends readonly unknown[], R>(
  f: (...args: [...A, ...B]) => R,
  ...given: A
): Jitted<(...rest: B) => R> {
  const jitted = jit(f as AnyFunction); // its arguments come in two parts
  const checked = (rest: readonly unknown[]): readonly unknown[] => {
    rest.forEach((value, k) => {
      const found = [...iterGraph(value)].find(([, leaf]) => isVariable(leaf));
      if (found !== undefined)
        throw new ArgumentError(
          `jitPartial: argument ${given.length + k} holds a Variable, which must be among the arguments given first; pass it to jitPartial`,
        );
    });
    return rest;
  };
  const call = unchanged("jitPartial", given, (rest) => jitted(...given, ...checked(rest)));
  const explain = (...rest: B): unknown => jitted.explain(...given, ...rest);
  const warmup = (...rest: B): Promise<void> => jitted.warmup(...given, ...rest);
  const made = Object.assign((...rest: B) => call(rest), { explain, warmup });
  const partial = Object.defineProperty(made, "traces", { get: () => jitted.traces });
  return partial as unknown as Jitted<(...rest: B) => R>; // takes what is left of f's arguments
}

/**
 * A function with its first arguments given: each object among them is copied once, with the same Variables, so that
 * nothing that happens to the original's fields later is seen. `f` is a transformed function, such as a compiled step.
 *
 * @throws GraphError when f changes the structure of an object. Source: flax.nnx.cached_partial.
 * @example
 * const step = nnx.jit((net: MLP, opt: nnx.Optimizer<MLP>, a: Tensor, b: Tensor) => {
 *   const [loss, grads] = nnx.valueAndGrad(lossFn)(net, a, b);
 *   opt.update(net, grads);
 *   return loss;
 * });
 * const cached = nnx.cachedPartial(step, model, optimizer);
 * cached(x, y).shape; // []
 */
export function cachedPartial<A extends readonly unknown[], B extends readonly unknown[], R>(
  f: (...args: [...A, ...B]) => R,
  ...given: A
): (...rest: B) => R {
  const copies = clone<readonly unknown[]>(given, { variables: false });
  const args = given.map((value, k) => (isGraph(value) || typeof value === "object" ? copies[k] : value));
  const target = f as AnyFunction; // its arguments come in two parts
  const call = unchanged("cachedPartial", args, (rest): unknown => target(...args, ...rest));
  return (...rest) => call(rest) as R; // f's own result
}

/** Calls f, and throws when it has changed the structure of what was given. */
function unchanged(name: string, given: readonly unknown[], f: (rest: readonly unknown[]) => unknown) {
  const { text } = gather(given);
  return (rest: readonly unknown[]): unknown => {
    const result = f(rest);
    if (gather(given).text === text) return result;
    throw new GraphError(
      `${name}: the structure of an object that was given once has changed: a field, a Variable or its metadata; keep it, or pass the object at every call with nnx.jit`,
    );
  };
}
