import type { ExtraArguments, GradientTransformation } from "@jnx/optax";
import { applyUpdates } from "@jnx/optax";
import { ArgumentError, Tensor, tree, type TensorLike } from "@jnx/tensor";
import { asTensor, inArena, literal, reachableStorages, checkKeys } from "@jnx/tensor/internal";
import { GraphError } from "../errors.ts";
import type { Filter } from "../filter.ts";
import { state as stateOf } from "../graph.ts";
import { pathText } from "../node.ts";
import { Pytree } from "../pytree.ts";
import { increment } from "../rngs.ts";
import type { State } from "../state.ts";
import { fromFlatState, toFlatState, type StateOf } from "../state.ts";
import {
  freeIfIdle,
  isVariable,
  makeLike,
  makeVariable,
  peek,
  readRaw,
  replaceValues,
  type AnyVariable,
  type Replacement,
} from "../variable.ts";
import { OptArray, OptState, OptVariable, Param } from "../variable-types.ts";

/** Options of `Optimizer`. */
export interface OptimizerOptions {
  /** Which Variables to update: nnx.Param, as a rule. The same filter that `grad` used. */
  readonly wrt: Filter;
}

const REMEDY =
  "optimizer.update frees gradients and updates at its next call; read them before that (await grads.….value.data()), " +
  "or take the value out (grads.….value) before calling update again";

/** What each optimizer was last given and gave: freed at its next update. Not a field, for fields are structure. */
const passing = new WeakMap<object, AnyVariable[]>();

/**
 * Keeps the state of an Optax transformation beside a model and updates both. `step` counts the updates; `optState`
 * nests as Optax's state does, `["optState", 0, "mu", "kernel"]` for Adam. Source: flax.nnx.Optimizer.
 *
 * @example
 * const optimizer = new nnx.Optimizer(model, optax.adam(1e-3), { wrt: nnx.Param });
 * optimizer.update(model, nnx.grad(lossFn)(model, x, y));
 * optimizer.step; // 1
 */
export class Optimizer<M extends object = object> extends Pytree {
  /** The kind of model it was made for, at compile time. */
  declare protected readonly updates: M;
  readonly step: OptState;
  readonly tx: GradientTransformation;
  readonly optState: unknown;
  readonly wrt: Filter;

  /** @throws ArgumentError without `wrt`. */
  constructor(model: M, tx: GradientTransformation, options: OptimizerOptions) {
    super();
    // JavaScript callers can leave the options out.
    const given: Partial<OptimizerOptions> = (options as OptimizerOptions | undefined) ?? {};
    checkKeys("Optimizer", given, "wrt");
    const { wrt } = given;
    if (wrt === undefined)
      throw new ArgumentError("Optimizer: wrt is missing; say which Variables to update, { wrt: nnx.Param }");
    this.step = new OptState(literal(0, [], "uint32"));
    this.tx = tx;
    this.wrt = wrt;
    // The Variables made of it hold what must survive the arena.
    this.optState = inArena(
      "Optimizer",
      () => wrapState(tx.init(stateOf(model, wrt))),
      () => [],
    );
  }

  /**
   * One step: updates, state ← tx.update(grads, state, params); params ← params + updates. Memory of old values,
   * and of the gradients of the call before, goes back to the pool unless you have read it out as a Tensor.
   *
   * @returns the updates, a State like the parameters.
   * @throws ArgumentError without gradients, GraphError naming paths where gradients and parameters differ,
   * TraceContextError inside a transform that the optimizer or model was not passed to.
   */
  update(model: M, grads: State | object, extra?: ExtraArguments): StateOf<M> {
    // JavaScript callers, and those of Flax before 0.11, pass the gradients alone.
    if ((grads as object | undefined) === undefined)
      throw new ArgumentError(
        "Optimizer.update: gradients are missing; call update(model, grads), or use ModelAndOptimizer",
      );
    freePassing(this);
    const given = stateOf(grads, this.wrt);
    const updates = inArena(
      "optimizer.update",
      () => apply(this, model, given, extra),
      () => [],
    );
    remember(this, [given, updates]);
    // Made of the parameters' own paths and classes.
    return updates as StateOf<M>;
  }
}

function apply(optimizer: Optimizer, model: object, grads: State, extra: ExtraArguments | undefined): State {
  const { tx, optState, wrt } = optimizer;
  const params: State = stateOf(model, wrt);
  checkSamePaths(params, grads);
  const [values, memory] = [pure(params), pure(optState)];
  const [updates, next] = tx.update(pure(grads), memory, values, pure(extra));
  const updated = applyUpdates(values, updates);
  const writes = [...replacements(params, updated), ...replacements(optState, next)];
  replaceValues(
    writes,
    "this tensor was a parameter or optimizer state that optimizer.update has since replaced; read it before the update",
  );
  increment(optimizer.step);
  return withClasses(params, updates);
}

/** Params of a tree without their Variables: what Optax computes with. */
function pure<T>(variables: T): T {
  const [leaves, def] = tree.flatten(variables, isVariable);
  const values = leaves.map((leaf) => (isVariable(leaf) ? readRaw(leaf) : leaf));
  return tree.unflatten(def, values) as T; // the same tree; Optax asks no more of a leaf than to be an array
}

/** Which Variable of a tree gets which leaf of the tree of values that has taken its place. */
function replacements(variables: unknown, values: unknown): Replacement[] {
  const [before, def] = tree.flatten(variables, isVariable);
  const [after, nextDef] = tree.flatten(values);
  if (def.text !== nextDef.text)
    throw new GraphError(
      `Optimizer.update: the transformation gave a tree ${nextDef.text} for ${def.text}; update must keep the structure that init made`,
    );
  const tensors = after.map((leaf) => asTensor(leaf as TensorLike, "Optimizer.update")); // asTensor refuses what is no array
  return before.flatMap((variable, k) => (isVariable(variable) ? [{ variable, next: tensors[k] }] : []));
}

/** Optax's state with each array in a Variable, so that it is data to transforms. */
function wrapState(fresh: unknown): unknown {
  const [leaves, def] = tree.flatten(fresh, isVariable);
  return tree.unflatten(
    def,
    leaves.map((leaf) => {
      if (isVariable(leaf)) return makeVariable(OptVariable, peek(leaf) as Tensor, leaf.metadata); // zeros like a parameter
      return leaf instanceof Tensor ? new OptArray(leaf) : leaf;
    }),
  );
}

function withClasses(params: State, updates: State): State {
  const made = toFlatState(updates);
  return fromFlatState(
    toFlatState(params).flatMap(([path, like], k) => {
      const update = made[k]?.[1];
      return update instanceof Tensor && isVariable(like) ? [[path, makeLike(like, update)] as const] : [];
    }),
  );
}

function checkSamePaths(params: State, grads: State): void {
  const [wanted, given] = [params, grads].map((one) => new Set(toFlatState(one).map(([path]) => pathText(path))));
  const missing = [...(wanted ?? [])].filter((path) => given?.has(path) !== true);
  const extra = [...(given ?? [])].filter((path) => wanted?.has(path) !== true);
  if (missing.length + extra.length === 0) return;
  const parts = [
    missing.length > 0 ? `no gradient for ${list(missing)}` : "",
    extra.length > 0 ? `gradients for ${list(extra)}, which the model lacks` : "",
  ];
  throw new GraphError(
    `Optimizer.update: ${parts.filter((part) => part !== "").join("; ")}; use the same filter in grad and in wrt, and the same model`,
  );
}

function list(paths: readonly string[]): string {
  return (
    paths
      .slice(0, 5)
      .map((path) => `"${path}"`)
      .join(", ") + (paths.length > 5 ? ", …" : "")
  );
}

function freePassing(optimizer: object): void {
  const held = passing.get(optimizer) ?? [];
  passing.delete(optimizer);
  const holders = new Map<ReturnType<typeof reachableStorages>[number], number>();
  for (const storage of held.flatMap((variable) => reachableStorages(peek(variable))))
    holders.set(storage, (holders.get(storage) ?? 0) + 1);
  for (const [storage, count] of holders) freeIfIdle(storage, count, REMEDY);
}

function remember(optimizer: object, states: readonly State[]): void {
  const held = states.flatMap((one) => toFlatState(one)).flatMap(([, leaf]) => (isVariable(leaf) ? [leaf] : []));
  // What is being traced has no memory of its own.
  if (held.some((variable) => reachableStorages(peek(variable)).length > 0)) passing.set(optimizer, held);
}

/**
 * An Optimizer that keeps its model, so that `update(grads)` is enough. Source: flax.nnx.ModelAndOptimizer.
 *
 * @example
 * const trainer = new nnx.ModelAndOptimizer(model, optax.adam(1e-3), { wrt: nnx.Param });
 * trainer.update(nnx.grad(lossFn)(model, x, y));
 * trainer.model === model; // true
 */
export class ModelAndOptimizer<M extends object = object> extends Pytree {
  readonly model: M;
  readonly optimizer: Optimizer<M>;

  constructor(model: M, tx: GradientTransformation, options: Partial<OptimizerOptions> = {}) {
    checkKeys("ModelAndOptimizer", options, "wrt");
    super();
    this.model = model;
    this.optimizer = new Optimizer(model, tx, { wrt: options.wrt ?? Param });
  }

  update(grads: State | object, extra?: ExtraArguments): StateOf<M> {
    return this.optimizer.update(this.model, grads, extra);
  }
}
