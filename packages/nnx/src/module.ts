import { add, ArgumentError, zerosLike, type Tensor, type TensorLike } from "@jnx/tensor";
import { buffersOf } from "./capture-buffers.ts";
import { toPredicate, type Filter } from "./filter.ts";
import { copyNodes, iterGraph } from "./graph-walk.ts";
import type { Path } from "./node.ts";
import { Pytree } from "./pytree.ts";
import { Perturbation } from "./variable-types.ts";
import { variableTypeFromName } from "./variable-names.ts";
import { isVariable, makeVariable, type AnyVariable, type VariableClass } from "./variable.ts";
import { checkKeys } from "@jnx/tensor/internal";

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
  /** What `view` may set on modules of this class: names of fields with what they mean. */
  static readonly viewOptions: Readonly<Record<string, string>> = {};

  /** Training mode: `deterministic` and `useRunningAverage` become false wherever a module has them. */
  train(attributes: Attributes = {}): void {
    setAll(this, { deterministic: false, useRunningAverage: false, ...attributes }, { raiseIfNotFound: false });
  }

  /** Evaluation mode: `deterministic` and `useRunningAverage` become true wherever a module has them. */
  eval(attributes: Attributes = {}): void {
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
  setAttributes(attributes: Attributes, options: AttributeOptions = {}): void {
    checkKeys("Module.setAttributes", options, "filter raiseIfNotFound?");
    setAll(this, attributes, options);
  }

  /**
   * Takes the attributes that `viewOptions` of the class names; what `nnx.view` calls on every module of its copy.
   * Gives the names that it took. Source: flax's set_view.
   */
  setView(attributes: Attributes): string[] {
    const names = Object.keys(optionsOf(this)).filter((name) => Object.hasOwn(attributes, name));
    for (const name of names) Reflect.set(this, name, attributes[name]);
    return names;
  }

  /**
   * Keeps a value seen on the way. Inside `nnx.capture` it goes into what capture gives, and is dropped (`false`) unless
   * its class is captured; outside it becomes a Variable in the field `name`, to be taken out with `nnx.pop`.
   * Several values under a name are reduced: appended to an array unless told. Source: flax.nnx.Module.sow.
   *
   * @throws ArgumentError when the field is there and is no Variable of this class.
   */
  sow<B = unknown[], A = unknown>(
    type: VariableClass | string,
    name: string,
    value: A,
    options: SowOptions<A, B> = {},
  ): boolean {
    checkKeys("Module.sow", options, "reduce init");
    const cls = typeof type === "string" ? variableTypeFromName(type, { allowRegister: true }) : type;
    // Without functions of their own, values are gathered in an array.
    const reduce = (options.reduce ?? append) as (before: unknown, value: A) => unknown;
    const start = (): unknown => (options.init === undefined ? [] : options.init());
    const buffers = buffersOf(this);
    if (buffers !== undefined) {
      const buffer = buffers.get(cls);
      buffer?.set(name, reduce(buffer.has(name) ? buffer.get(name) : start(), value));
      return buffer !== undefined;
    }
    const known = sownField(this, name, cls);
    if (known === undefined) Reflect.set(this, name, makeVariable<unknown>(cls, reduce(start(), value), {}));
    else known.setValue(reduce(known.getValue(), value));
    return true;
  }

  /**
   * value + the perturbation `name`, which starts as zeros: the gradient of the perturbation is that of the value.
   * Inside `nnx.capture` it is looked up in what capture was given, outside in a field. Source: flax.nnx.Module.perturb.
   */
  perturb(name: string, value: TensorLike, type: VariableClass | string = Perturbation): Tensor {
    const cls = typeof type === "string" ? variableTypeFromName(type, { allowRegister: true }) : type;
    const buffers = buffersOf(this);
    if (buffers !== undefined) {
      const buffer = buffers.get(cls);
      if (buffer === undefined) return add(value, 0);
      if (!buffer.has(name)) buffer.set(name, zerosLike(value));
      return add(value, buffer.get(name) as TensorLike); // what perturb and init put there
    }
    const known = sownField(this, name, cls);
    if (known !== undefined) return add(value, known.getValue() as TensorLike); // as above
    Reflect.set(this, name, makeVariable<unknown>(cls, zerosLike(value), {}));
    return add(value, 0);
  }
}

/** Names and values of fields. */
export type Attributes = Readonly<Record<string, unknown>>;

/** Options of `Module.sow`. */
export interface SowOptions<A, B> {
  /** Makes one of the values before and the new one; appends to an array unless given. */
  readonly reduce?: (before: B, value: A) => B;
  /** What `reduce` starts from; an empty array unless given. */
  readonly init?: () => B;
}

function append(before: readonly unknown[], value: unknown): unknown[] {
  return [...before, value];
}

function sownField(module: Module, name: string, type: VariableClass): AnyVariable | undefined {
  const field: unknown = Reflect.get(module, name);
  if (field === undefined || field === null) return undefined;
  if (isVariable(field) && field.type === type) return field;
  throw new ArgumentError(
    `sow: expected "${name}" to be a ${type.name}, it is ${isVariable(field) ? `a ${field.type.name}` : "no Variable"}; choose another name`,
  );
}

/** What a class says that `view` may set: names with what they mean. */
function optionsOf(module: Module): Readonly<Record<string, string>> {
  const declared: unknown = Reflect.get(module.constructor, "viewOptions");
  // Module declares its type; subclasses may only give others of it.
  return (declared ?? {}) as Readonly<Record<string, string>>;
}

/**
 * The Modules of an object graph with their paths, inner ones first, the object itself last. Source: flax.nnx.iter_modules.
 * @example [...nnx.iterModules(model)].map(([path]) => path.join(".")); // ["dropout", "hidden", "out", ""]
 */
export function* iterModules(node: unknown): Generator<[Path, Module]> {
  for (const [path, value] of iterGraph(node)) if (value instanceof Module) yield [path, value];
}

/** Options of `view` and `withAttributes`. */
export interface ViewOptions {
  /** Which modules, by class or predicate over (path, module); all unless given. */
  readonly only?: Filter;
  /** Whether an attribute that no module takes is an error, true. */
  readonly raiseIfNotFound?: boolean;
}

/**
 * A copy of an object that shares its Variables and has other modes: `view(model, { deterministic: true })` evaluates
 * while `model` goes on training. Each module takes the attributes in its class's `viewOptions`. Source: flax.nnx.view.
 *
 * @throws ArgumentError naming attributes that no module takes.
 * @example
 * const evaluating = nnx.view(model, { deterministic: true });
 * [evaluating.dropout.deterministic, model.dropout.deterministic]; // [true, false]
 */
export function view<T extends object>(node: T, attributes: Attributes, options: ViewOptions = {}): T {
  checkKeys("view", options, "only raiseIfNotFound?");
  const takes = toPredicate(options.only ?? "...");
  const copy = copyNodes(node);
  const left = new Set(Object.keys(attributes));
  for (const [path, module] of iterModules(copy))
    if (takes(path, module)) for (const name of module.setView(attributes)) left.delete(name);
  if (left.size > 0 && options.raiseIfNotFound !== false)
    throw new ArgumentError(
      `view: no module takes ${[...left].sort().join(", ")}; viewInfo(model) tells what they take, withAttributes sets any field`,
    );
  return copy;
}

/**
 * What `view` may set on an object's modules: a block for each class. Source: flax.nnx.view_info.
 * @example nnx.viewInfo(model).split("\n")[0]; // "Dropout:"
 */
export function viewInfo(node: object, options: { readonly only?: Filter } = {}): string {
  checkKeys("viewInfo", options, "only");
  const takes = toPredicate(options.only ?? "...");
  const classes = new Map<string, Readonly<Record<string, string>>>();
  for (const [path, module] of iterModules(node))
    if (takes(path, module)) classes.set(module.constructor.name, optionsOf(module));
  return [...classes]
    .filter(([, names]) => Object.keys(names).length > 0)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([cls, names]) =>
      [`${cls}:`, ...Object.entries(names).map(([name, meaning]) => `  ${name}: ${meaning}`)].join("\n"),
    )
    .join("\n");
}

/**
 * A copy of an object that shares its Variables, with fields set on every module that has them.
 *
 * @throws ArgumentError naming fields that no module has. Source: flax.nnx.with_attributes.
 * @example
 * nnx.withAttributes(model, { deterministic: true }, { only: nnx.Dropout }).dropout.deterministic; // true
 */
export function withAttributes<T extends object>(node: T, attributes: Attributes, options: ViewOptions = {}): T {
  checkKeys("withAttributes", options, "only raiseIfNotFound?");
  const copy = copyNodes(node);
  const { only, raiseIfNotFound } = options;
  setAll(copy, attributes, {
    ...(only === undefined ? {} : { filter: only }),
    raiseIfNotFound: raiseIfNotFound ?? true,
  });
  return copy;
}

function setAll(root: object, attributes: Attributes, options: AttributeOptions): void {
  const takes = toPredicate(options.filter ?? "...");
  const nodes = [...iterModules(root)].flatMap(([path, node]) => (takes(path, node) ? [node] : []));
  const missing = Object.keys(attributes).filter((name) => !nodes.some((node) => Object.hasOwn(node, name)));
  if (missing.length > 0 && options.raiseIfNotFound !== false)
    throw new ArgumentError(
      `setAttributes: no module has ${missing.sort().join(", ")}; check the names, or pass { raiseIfNotFound: false }`,
    );
  for (const node of nodes)
    for (const [name, value] of Object.entries(attributes))
      if (Object.hasOwn(node, name)) Reflect.set(node, name, value);
}
