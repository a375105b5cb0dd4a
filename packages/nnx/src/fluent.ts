/**
 * Methods that cost bytes and are therefore asked for: Variables get those of Tensors, `v.add(1)`; RngStreams and Rngs
 * get the samplers of jax.random, which draw their own key, `rngs.normal([3])`. The package `jnx` turns both on.
 */
import { random, Tensor, type DType, type Shape } from "@jnx/tensor";
import type { FluentMethods } from "@jnx/tensor/fluent";
import "@jnx/tensor/fluent";
import * as initializers from "./initializers.ts";
import { RngsNode, RngStream } from "./rngs.ts";
import { Variable } from "./variable.ts";

/** What makes and takes keys apart, and so is no sampler. */
const NO_SAMPLERS = [
  "key",
  "PRNGKey",
  "keyData",
  "wrapKeyData",
  "split",
  "foldIn",
  "clone",
  "keyImpl",
  "KeyArray",
] as const;

/** Initializers that come with options and have no sampler's name. */
const INITIALIZERS = [
  "glorotNormal",
  "glorotUniform",
  "heNormal",
  "heUniform",
  "kaimingNormal",
  "kaimingUniform",
  "lecunNormal",
  "lecunUniform",
  "varianceScaling",
  "xavierNormal",
  "xavierUniform",
] as const;

type Keyless<F> = F extends (key: never, ...rest: infer R) => infer T ? (...args: R) => T : never;

type Samplers = {
  [K in Exclude<keyof typeof random, (typeof NO_SAMPLERS)[number]>]: Keyless<(typeof random)[K]>;
};

type InitializerMethods = {
  [K in (typeof INITIALIZERS)[number]]: (
    ...options: Parameters<(typeof initializers)[K]>
  ) => (shape: Shape, dtype?: DType) => Tensor;
};

/** The methods that this module adds to streams. */
export type RandomMethods = Samplers & InitializerMethods;

declare module "./rngs.ts" {
  // Each gets the methods defined below.
  /* eslint-disable @typescript-eslint/no-empty-object-type */
  interface RngStream extends RandomMethods {}
  interface RngsNode extends RandomMethods {}
}

declare module "./variable.ts" {
  // The class's own type parameter; the methods are those of the value.
  // eslint-disable-next-line @typescript-eslint/no-unused-vars
  interface Variable<T> extends Omit<FluentMethods, typeof Symbol.iterator> {}
}

for (const name of Reflect.ownKeys(Tensor.prototype)) {
  const property = Object.getOwnPropertyDescriptor(Tensor.prototype, name);
  if (name in Variable.prototype || property === undefined || typeof name === "symbol") continue;
  if (typeof property.value === "function") {
    const method: unknown = property.value;
    const forward = function (this: Variable, ...args: unknown[]): unknown {
      return Reflect.apply(method as () => unknown, this.toTensor(), args); // a method of Tensor
    };
    Object.defineProperty(Variable.prototype, name, { value: forward, writable: true, configurable: true });
  } else if (name === "T") {
    const get = function (this: Variable): unknown {
      return this.toTensor().T;
    };
    Object.defineProperty(Variable.prototype, name, { get, configurable: true });
  }
}

function define(name: string, method: (this: RngStream | RngsNode, ...args: never[]) => unknown): void {
  for (const { prototype } of [RngStream, RngsNode])
    Object.defineProperty(prototype, name, { value: method, writable: true, configurable: true });
}

for (const [name, sampler] of Object.entries(random)) {
  if (typeof sampler !== "function" || (NO_SAMPLERS as readonly string[]).includes(name)) continue; // a list of names
  const draw = sampler as (...args: unknown[]) => unknown; // what it takes is stated in Samplers
  define(name, function (...args) {
    return draw(this.call(), ...args);
  });
}

for (const name of INITIALIZERS) {
  const make = initializers[name] as (...options: unknown[]) => initializers.Initializer; // as above
  define(name, function (...options) {
    const init = make(...options);
    return (shape: Shape, dtype?: DType) => init(this.call(), shape, dtype);
  });
}
