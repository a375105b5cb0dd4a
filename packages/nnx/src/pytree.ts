import { makeEmpty } from "./node.ts";
import { describe } from "./print.ts";

/**
 * Base of everything that is a node of an object graph: Module, Rngs, Optimizer. Its fields are walked in sorted order;
 * Variables and Tensors in them are data, other nodes, plain arrays, objects and Maps are looked into, and the rest is
 * static structure. Fields written `#name` are invisible to all of nnx and do not survive `clone`: use TypeScript's
 * `private` instead. Source: flax.nnx.Pytree.
 *
 * @example
 * class Scaler extends nnx.Pytree {
 *   readonly scale = new nnx.Param(array([2]));
 * }
 * nnx.toFlatState(nnx.state(new Scaler())).map(([path]) => path); // [["scale"]]
 */
export abstract class Pytree {
  /** Tells nodes from other objects at compile time; no such field exists. */
  declare protected readonly nnxNode: true;

  /** @internal */
  static [makeEmpty](): Pytree {
    // The base constructor alone runs, and makes an instance of the class asked for.
    return Reflect.construct(Pytree, [], this) as Pytree;
  }

  /** The fields, one a line, with shapes and the number of elements of each Variable type. */
  toString(): string {
    return describe(this);
  }

  /** What Node's console shows. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}
