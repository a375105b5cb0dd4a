import { valueAndGrad as differentiate } from "@jnx/autodiff";
import { checkScalar, positionsOf } from "@jnx/autodiff/internal";
import { ArgumentError, DtypeError, Tensor, tree } from "@jnx/tensor";
import { checkKeys, currentFrame, insideArena, isFloat, type AnyFunction } from "@jnx/tensor/internal";
import { toPredicate, type Filter } from "../filter.ts";
import { pathText } from "../node.ts";
import type { Pytree } from "../pytree.ts";
import { fromFlatState, type StateOf } from "../state.ts";
import { exposeHeld, makeOwned, type AnyVariable } from "../variable.ts";
import { Param } from "../variable-types.ts";
import { guarded } from "./captured.ts";
import { checkUnbound, enterAll, gather, rebuild, type Cell, type Gathered, type Part } from "./lift.ts";

/**
 * An argument to differentiate, and which of its Variables: `new DiffState(0, nnx.LoRAParam)`. Source: flax.nnx.DiffState.
 *
 * @example
 * const onlyOut = new nnx.DiffState(0, nnx.PathContains("out"));
 * Object.keys(nnx.grad(lossFn, { argnums: onlyOut })(model, x, y)); // ["out"]
 */
export class DiffState {
  readonly argnum: number;
  readonly filter: Filter;
  constructor(argnum: number, filter: Filter) {
    this.argnum = argnum;
    this.filter = filter;
  }
}

/** Options of `grad` and `valueAndGrad`. */
export interface GradOptions {
  /** Which arguments to differentiate, 0 unless given. A number means their Params, a DiffState any others. */
  readonly argnums?: number | DiffState | readonly (number | DiffState)[];
  /** True if the function returns `[value, aux]`. */
  readonly hasAux?: boolean;
}

/** A gradient: a State for an object, a Variable for a Variable, and trees of these and of arrays as they are. */
export type GradientFor<A> = A extends AnyVariable | Tensor
  ? A
  : A extends Pytree
    ? StateOf<A>
    : A extends number
      ? Tensor
      : A extends readonly unknown[]
        ? { -readonly [K in keyof A]: GradientFor<A[K]> }
        : A;

type GradientOf<F extends AnyFunction, O extends GradOptions> = O extends { readonly argnums: readonly unknown[] }
  ? GradientFor<Parameters<F>[number]>[]
  : O extends { readonly argnums: infer N extends number }
    ? GradientFor<Parameters<F>[N]>
    : O extends { readonly argnums: DiffState }
      ? GradientFor<Parameters<F>[number]>
      : GradientFor<Parameters<F>[0]>;

/**
 * A function that gives `[value, gradient]` of `f`; with hasAux `[[value, aux], gradient]`. The gradient of an object
 * is a State with the paths of its differentiated Variables (its Params, unless a DiffState says otherwise), each a
 * Variable of the same class. A Variable that is reached twice has one gradient, at its first path. What `f` writes
 * into Variables of its arguments (statistics, random counts) stays written.
 *
 * @throws DtypeError for a differentiated Variable that is not float, ShapeError when f's value is not a scalar,
 * ArgumentError for argnums that repeat or do not exist. Source: flax.nnx.value_and_grad.
 * @example
 * const lossFn = (model: MLP, x: Tensor, y: Tensor) => jnp.mean(jnp.square(jnp.subtract(model.call(x), y)));
 * const [loss, grads] = nnx.valueAndGrad(lossFn)(model, x, y);
 * optimizer.update(model, grads);
 * loss.shape; // []
 */
export function valueAndGrad<F extends AnyFunction, const O extends GradOptions = object>(
  f: F,
  options?: O,
): (...args: Parameters<F>) => [ReturnType<F>, GradientOf<F, O>] {
  const settings: GradOptions = options ?? {};
  checkKeys("valueAndGrad", settings, "argnums hasAux?");
  checkUnbound("grad", f);
  const wrapped = (...args: unknown[]): [unknown, unknown] => run(f, settings, args);
  // What f returns, and gradients of the kind the signature states.
  return wrapped as (...args: Parameters<F>) => [ReturnType<F>, GradientOf<F, O>];
}

/**
 * A function that gives the gradient of `f` as {@link valueAndGrad} does; with hasAux `[gradient, aux]`.
 *
 * @throws as valueAndGrad. Source: flax.nnx.grad.
 * @example
 * const grads = nnx.grad(lossFn)(model, x, y);
 * grads.hidden.kernel.value.shape; // [2, 4]
 */
export function grad<F extends AnyFunction, const O extends GradOptions = object>(
  f: F,
  options?: O,
): (
  ...args: Parameters<F>
) => O extends { readonly hasAux: true } ? [GradientOf<F, O>, ReturnType<F>[1]] : GradientOf<F, O> {
  const settings: GradOptions = options ?? {};
  checkKeys("grad", settings, "argnums hasAux?");
  checkUnbound("grad", f);
  const wrapped = (...args: unknown[]): unknown => {
    const [value, gradient] = run(f, settings, args);
    // With hasAux f returned [value, aux], which run has checked.
    return settings.hasAux === true ? [gradient, (value as unknown[])[1]] : gradient;
  };
  // As in valueAndGrad.
  return wrapped as ReturnType<typeof grad<F, O>>;
}

/** A selected argument: what its gradient is made of. */
interface Selection {
  readonly gathered: Gathered;
  /** For each graph part, the cells to differentiate; for data, none. */
  readonly chosen: readonly (readonly Cell[])[];
}

function run(f: AnyFunction, options: GradOptions, args: readonly unknown[]): [unknown, unknown] {
  const { argnums = 0, hasAux = false } = options;
  const states = diffStates(argnums, args.length);
  // One index over all selected arguments: what comes again has its gradient already.
  const index = new Map<object, number>();
  const selections = states.map(({ argnum, filter }) => select(args[argnum], filter, index));
  const everything = gather(args);
  const primals = selections.flatMap(primalsOf);
  const outer = currentFrame();
  const body = (watched: readonly Tensor[]): [unknown, Kept] => {
    const inner = enterAll(everything.cells, currentFrame());
    const before = everything.cells.map((cell) => cell.get());
    const put = new Map<Cell, unknown>();
    try {
      const full = place(args, states, selections, watched, put);
      const returned: unknown = guarded("grad", everything.index, () => f(...full));
      const value = hasAux ? auxPair(returned)[0] : returned;
      checkScalar("grad", value);
      restoreUnwritten(selections, primals, put);
      inner();
      // Variables made by f belong to the caller from here on.
      const known = new Set(everything.cells.map(({ variable }) => variable));
      enterAll(
        gather([args, returned]).cells.filter(({ variable }) => !known.has(variable)),
        outer,
      );
      // Values in bare fields outlive the call as those in Variables do.
      const fields = everything.cells.flatMap((cell) => (cell.variable === undefined ? [cell.get()] : []));
      return [value, { returned, fields }];
    } catch (error) {
      everything.cells.forEach((cell, k) => cell.swap(before[k]));
      inner();
      throw error;
    }
  };
  const [[, { returned }], gradients] = differentiate(body, { hasAux: true })(primals);
  if (!insideArena()) exposeHeld(returned);
  const queue = [...gradients];
  const results = selections.map((selection) => gradientOf(selection, queue));
  return [returned, Array.isArray(argnums) ? results : results[0]];
}

/** What must outlive the transform besides gradients. */
interface Kept {
  readonly returned: unknown;
  readonly fields: readonly unknown[];
}

function diffStates(argnums: NonNullable<GradOptions["argnums"]>, count: number): DiffState[] {
  const list = typeof argnums === "number" || argnums instanceof DiffState ? [argnums] : argnums;
  const states = list.map((one) => (typeof one === "number" ? new DiffState(one, Param) : one));
  const positions = positionsOf(
    "grad",
    states.map(({ argnum }) => argnum),
    count,
  );
  const repeated = positions.find((position, k) => positions.indexOf(position) !== k);
  if (repeated !== undefined)
    throw new ArgumentError(`grad: argument ${repeated} comes twice in argnums; name each once`);
  return states.map(({ filter }, k) => new DiffState(positions[k] ?? 0, filter));
}

function select(argument: unknown, filter: Filter, index: Map<object, number>): Selection {
  const gathered = gather(argument, index);
  const takes = toPredicate(filter);
  const chosen = gathered.parts.map((part) => {
    if (part.kind !== "graph") return [];
    // A bare Variable is differentiated whatever its type.
    return part.cells.filter((cell) => part.value === cell.variable || takes(cell.path, cell.variable ?? cell.get()));
  });
  return { gathered, chosen };
}

/** What is differentiated, in order: chosen Variables and bare arrays as they come. */
function primalsOf({ gathered, chosen }: Selection): Tensor[] {
  return gathered.parts.flatMap((part, k) => {
    if (part.kind === "data") return [part.tensor];
    return (chosen[k] ?? []).map((cell) => floatIn(cell));
  });
}

function floatIn(cell: Cell): Tensor {
  const value = cell.get();
  if (value instanceof Tensor && isFloat(value.dtype)) return value;
  const what = value instanceof Tensor ? value.dtype : typeof value;
  throw new DtypeError(
    `grad: ${cell.variable?.type.name ?? "the array"} at "${pathText(cell.path)}" is ${what}, which has no gradient; make it another Variable type, or choose others with DiffState`,
  );
}

/** The arguments with watched tensors in the place of differentiated ones; `put` notes what went where. */
function place(
  args: readonly unknown[],
  states: readonly DiffState[],
  selections: readonly Selection[],
  watched: readonly Tensor[],
  put: Map<Cell, unknown>,
): unknown[] {
  let position = 0;
  const full = [...args];
  selections.forEach(({ gathered, chosen }, k) => {
    const data: Tensor[] = [];
    gathered.parts.forEach((part, p) => {
      const next = (): Tensor => watched[position++] ?? missing();
      if (part.kind === "data") data.push(next());
      for (const cell of chosen[p] ?? []) {
        const tensor = next();
        cell.swap(tensor);
        put.set(cell, tensor);
      }
    });
    full[states[k]?.argnum ?? 0] = rebuild(gathered, data);
  });
  return full;
}

function missing(): never {
  throw new Error("jnx internal error: grad has fewer leaves than places");
}

/** Differentiated Variables get their own tensor back, unless f wrote another. */
function restoreUnwritten(
  selections: readonly Selection[],
  primals: readonly Tensor[],
  put: ReadonlyMap<Cell, unknown>,
): void {
  let position = 0;
  for (const { gathered, chosen } of selections) {
    gathered.parts.forEach((part, p) => {
      if (part.kind === "data") position++;
      for (const cell of chosen[p] ?? []) {
        const primal = primals[position++];
        if (cell.get() === put.get(cell)) cell.swap(primal);
      }
    });
  }
}

function auxPair(returned: unknown): readonly [unknown, unknown] {
  if (Array.isArray(returned) && returned.length === 2) return [returned[0], returned[1]];
  throw new ArgumentError("grad: with hasAux the function must return [value, aux]");
}

/** The gradient of one argument, taking tensors off the queue in the order of `primalsOf`. */
function gradientOf({ gathered, chosen }: Selection, queue: Tensor[]): unknown {
  const next = (): Tensor => queue.shift() ?? missing();
  const leaves = gathered.parts.map((part, k) => gradientPart(part, chosen[k] ?? [], next));
  return tree.unflatten(gathered.def, leaves);
}

function gradientPart(part: Part, cells: readonly Cell[], next: () => Tensor): unknown {
  if (part.kind === "data") return next();
  if (part.kind === "static") return part.value;
  const leaves = cells.map(
    ({ path, variable }) => [path, variable === undefined ? next() : makeOwned(variable, next())] as const,
  );
  const [first] = leaves;
  return first !== undefined && first[0].length === 0 ? first[1] : fromFlatState(leaves);
}
