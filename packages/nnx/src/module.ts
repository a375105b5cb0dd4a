import { ArgumentError } from "@jnx/tensor";
import { toPredicate, type Filter } from "./filter.ts";
import { iterModules } from "./graph.ts";
import { Pytree } from "./pytree.ts";

/** Options of `setAttributes`, `train` and `eval`. */
export interface AttributeOptions {
  /** Which modules, by class or predicate over (path, module); all unless given. */
  readonly filter?: Filter;
  /** Whether an attribute that no module has is an error, true for `setAttributes`. */
  readonly raiseIfNotFound?: boolean;
}

/**
 * Base class of models and layers. Variables, other Modules, and plain arrays, objects and Maps of them are fields like
 * any other; what the model computes is an ordinary method, by convention `call`. Source: flax.nnx.Module.
 *
 * @example
 * class MLP extends nnx.Module {
 *   readonly hidden: nnx.Linear;
 *   readonly output: nnx.Linear;
 *   constructor({ rngs }: nnx.RngsOptions) {
 *     super();
 *     this.hidden = new nnx.Linear(784, 128, { rngs });
 *     this.output = new nnx.Linear(128, 10, { rngs });
 *   }
 *   call(x: Tensor): Tensor {
 *     return this.output.call(nnx.relu(this.hidden.call(x)));
 *   }
 * }
 * new MLP({ rngs: new nnx.Rngs(0) }).call(ones([32, 784])).shape; // [32, 10]
 */
export abstract class Module extends Pytree {
  /** Training mode: `deterministic` and `useRunningAverage` become false wherever a module has them. */
  train(attributes: Readonly<Record<string, unknown>> = {}): void {
    setAll(this, { deterministic: false, useRunningAverage: false, ...attributes }, { raiseIfNotFound: false });
  }

  /** Evaluation mode: `deterministic` and `useRunningAverage` become true wherever a module has them. */
  eval(attributes: Readonly<Record<string, unknown>> = {}): void {
    setAll(this, { deterministic: true, useRunningAverage: true, ...attributes }, { raiseIfNotFound: false });
  }

  /**
   * Sets attributes on this module and those inside it, on each that has them. Source: flax.nnx.Module.set_attributes.
   *
   * @throws ArgumentError naming attributes that no module has.
   * @example
   * model.setAttributes({ deterministic: true }, { filter: nnx.Dropout });
   * model.dropout.deterministic; // true
   */
  setAttributes(attributes: Readonly<Record<string, unknown>>, options: AttributeOptions = {}): void {
    setAll(this, attributes, options);
  }
}

function setAll(root: Module, attributes: Readonly<Record<string, unknown>>, options: AttributeOptions): void {
  const takes = toPredicate(options.filter ?? "...");
  const missing = new Set(Object.keys(attributes));
  for (const [path, node] of iterModules(root)) {
    if (!(node instanceof Module) || !takes(path, node)) continue;
    for (const [name, value] of Object.entries(attributes)) {
      if (!Object.hasOwn(node, name)) continue;
      Reflect.set(node, name, value);
      missing.delete(name);
    }
  }
  if (missing.size > 0 && options.raiseIfNotFound !== false)
    throw new ArgumentError(
      `setAttributes: no module has ${[...missing].sort().join(", ")}; check the names, or pass { raiseIfNotFound: false }`,
    );
}
