import { noteNode } from "./live-nodes.ts";
import { makeEmpty, tellsOfUse } from "./node.ts";
import { describe } from "./print.ts";
import { refusePrivate } from "./private-members.ts";
import { registerTree } from "./tree-node.ts";

/**
 * Base of everything that is a node of an object graph: Module, Rngs, Optimizer. Its fields are walked in sorted order;
 * Variables and Tensors in them are data, other nodes, plain arrays, objects and Maps are looked into, and the rest is
 * static structure. It is a tree, too: `jax.tree.map(f, model)` gives a model of f's arrays, and `jax.jit` takes and gives
 * models. Members written `#name` are invisible to all of nnx, and a copy, which is made without the
 * constructor, would lack them: use TypeScript's `private`, or say with a static {@link makeEmpty} how an instance is made.
 * Source: flax.nnx.Pytree.
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

  constructor() {
    if (!(tellsOfUse in new.target)) noteNode(this);
    registerTree(new.target);
  }

  /**
   * An instance for `clone` and `merge` to fill. Its fields are replaced by those of the copy; what it is otherwise stays.
   * Override it in a class with `#private` members: `static override [nnx.makeEmpty]() { return new this(…); }`.
   *
   * @throws GraphError when the class has private members and does not override this.
   */
  static [makeEmpty](): Pytree {
    refusePrivate(this, Pytree);
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
