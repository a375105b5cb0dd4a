import type { Tensor } from "@jnx/tensor";
import { ArgumentError } from "@jnx/tensor";
import { List } from "../collections.ts";
import { Module } from "../module.ts";
import { nodeClass } from "../node.ts";

/** A step of a Sequential: a Module with `call`, or a function. */
export type SequentialLayer = { call(...args: never[]): unknown } | ((...args: never[]) => unknown);

/**
 * Layers one after the other. An array that one gives becomes the next one's arguments; without layers it is the
 * identity. Source: flax.nnx.Sequential.
 *
 * @throws ArgumentError for a layer that cannot be called.
 * @example
 * const rngs = new nnx.Rngs(0);
 * const net = new nnx.Sequential(new nnx.Linear(2, 4, { rngs }), nnx.relu, new nnx.Linear(4, 1, { rngs }));
 * net.call(ones([3, 2])).shape; // [3, 1]
 */
export class Sequential extends Module {
  readonly layers: List<SequentialLayer>;

  constructor(...layers: readonly SequentialLayer[]) {
    super();
    this.layers = new List(layers);
  }

  /** What the first layer takes → what the last one gives. */
  call(...args: readonly unknown[]): Tensor {
    let current: unknown = args.length === 1 ? args[0] : args;
    [...this.layers].forEach((layer, k) => {
      current = apply(layer, Array.isArray(current) ? current : [current], k);
    });
    return current as Tensor; // what the last layer of a network gives; other things pass through as they are
  }
}

function apply(layer: unknown, args: readonly unknown[], position: number): unknown {
  // Functions have a method `call` of their own, which is another thing.
  if (typeof layer === "function" && nodeClass(layer) === undefined) return Reflect.apply(layer, undefined, args);
  const method: unknown = typeof layer === "object" && layer !== null && "call" in layer ? layer.call : undefined;
  if (typeof method === "function") return Reflect.apply(method, layer, args);
  throw new ArgumentError(
    `Sequential: layer ${position} must be a function or have a method call, received ${layer === null ? "null" : typeof layer}`,
  );
}
