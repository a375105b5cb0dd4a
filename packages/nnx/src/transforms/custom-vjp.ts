import { customVjp as custom } from "@jnx/autodiff";
import { ArgumentError, Tensor, tree } from "@jnx/tensor";
import { isFloat, type AnyFunction, checkKeys } from "@jnx/tensor/internal";
import { GraphError } from "../errors.ts";
import { toPredicate } from "../filter.ts";
import { unflattenGraph } from "../graph-def.ts";
import type { Leaf } from "../state.ts";
import { makeLike } from "../variable.ts";
import type { DiffState } from "./grad.ts";
import { checkUnbound, gather, isGraph, type Gathered } from "./lift.ts";
import { callLifted, Lifted, placeOf, slotsOf, type Run, type Slot } from "./lifted.ts";
import { lastOutputs } from "./carried.ts";
import { tangentAt } from "./vjp.ts";

/** Options of `customVjp`. */
export interface CustomVjpOptions {
  /**
   * A number: an argument that is no object, handed to `bwd` ahead of the others and not differentiated. A DiffState: an
   * object of which only what the filter takes is differentiated.
   */
  readonly nondiffArgnums?: readonly (number | DiffState)[];
}

/** A function of objects whose reverse-mode derivative its author gives. Called like the original. */
export type LiftedCustomVjp<F extends AnyFunction> = ((...args: Parameters<F>) => ReturnType<F>) & {
  /**
   * `fwd(...args)` gives `[value, residuals]`; `bwd(residuals, [updates, ct])` a list with the cotangent of each
   * argument: a State for an object, null for zero. `updates` has for each object a State of the cotangents of what was
   * written into it, and null for the rest; `ct` is the value's.
   */
  defvjp(
    fwd: (...args: Parameters<F>) => readonly [ReturnType<F>, unknown],
    bwd: (...args: never[]) => readonly unknown[],
  ): LiftedCustomVjp<F>;
};

interface Rules {
  readonly fwd: AnyFunction;
  readonly bwd: AnyFunction;
}

/**
 * A function of objects with a reverse-mode derivative of your own: define it with `.defvjp(fwd, bwd)`. What `f` or `fwd`
 * writes into Variables is written; an object among the residuals is a copy of what it was.
 *
 * @throws ArgumentError when called without a rule, when an argument is named twice in nondiffArgnums, or an object by
 * number; GraphError when a State that bwd gives lacks a Variable.
 * Source: flax.nnx.custom_vjp.
 * @example
 * const forward = nnx.customVjp((p: nnx.Param, v: Tensor) => mul(p, v)).defvjp(
 *   (p, v) => [mul(p, v), v],
 *   (v: Tensor, [_updates, ct]: [unknown, Tensor]) => [clip(mul(v, ct), -1, 1), null],
 * );
 * const param = new nnx.Param(array(3.5));
 * nnx.grad((p: nnx.Param) => forward(p, array(10.5)))(param); // 1
 */
export function customVjp<F extends AnyFunction>(f: F, options: CustomVjpOptions = {}): LiftedCustomVjp<F> {
  checkKeys("customVjp", options, "nondiffArgnums");
  checkUnbound("customVjp", f);
  const { nondiffArgnums = [] } = options;
  const places = nondiffArgnums.map((one) => (typeof one === "number" ? one : one.argnum));
  const repeated = places.find((place, k) => places.indexOf(place) !== k);
  if (repeated !== undefined)
    throw new ArgumentError(`customVjp: argument ${repeated} comes twice in nondiffArgnums; name each once`);
  let rules: Rules | undefined;
  const called = (...args: unknown[]): unknown => {
    if (rules === undefined)
      throw new ArgumentError("customVjp: the function has no rule yet; call defvjp(fwd, bwd) first");
    return new CustomCall(f, rules, nondiffArgnums, args).call();
  };
  const defvjp = (fwd: AnyFunction, bwd: AnyFunction): unknown => {
    rules = { fwd, bwd };
    return result;
  };
  const result: unknown = Object.assign(called, { defvjp });
  return result as LiftedCustomVjp<F>; // it takes and returns what f does
}

interface Outputs {
  readonly ends: readonly Tensor[];
  readonly result: readonly Tensor[];
}

class CustomCall {
  readonly #f: AnyFunction;
  readonly #rules: Rules;
  readonly #args: readonly unknown[];
  readonly #fixed: readonly number[];
  readonly #states: readonly DiffState[];
  readonly #lifted: Lifted;
  #run: Run | undefined;
  #residuals: Gathered | undefined;

  constructor(f: AnyFunction, rules: Rules, nondiff: readonly (number | DiffState)[], args: readonly unknown[]) {
    this.#f = f;
    this.#rules = rules;
    this.#args = args;
    this.#fixed = nondiff.flatMap((one) => (typeof one === "number" ? [one] : []));
    this.#states = nondiff.flatMap((one) => (typeof one === "number" ? [] : [one]));
    const object = this.#fixed.find((argnum) => tree.leaves(args[argnum], isGraph).some(isGraph));
    if (object !== undefined)
      throw new ArgumentError(
        `customVjp: argument ${object} in nondiffArgnums holds an object; use new nnx.DiffState(${object}, filter) to say what of it is differentiated`,
      );
    this.#lifted = new Lifted(
      "customVjp",
      args.map((arg, k) => (this.#fixed.includes(k) ? null : arg)),
    );
  }

  call(): unknown {
    const lifted = this.#lifted;
    return callLifted(lifted, () => {
      const pure = custom((...inputs: Tensor[]) => this.#forward(this.#f, inputs)).defvjp(
        (...inputs) => this.#ruleForward(inputs),
        (residuals: readonly Tensor[], ct: Outputs) => this.#back(residuals, ct),
      );
      const { ends, result } = pure(...lifted.tensors);
      const run = this.#run ?? missing();
      const all = lifted.inputs.map((slot, k) => ends[k] ?? slot.tensor);
      return lifted.finish(run, lastOutputs(lifted, run, all, result));
    });
  }

  /** The arguments with those that are not differentiated in their places. */
  #full(args: readonly unknown[]): unknown[] {
    return args.map((arg, k) => (this.#fixed.includes(k) ? this.#args[k] : arg));
  }

  #forward(f: AnyFunction, inputs: readonly Tensor[]): Outputs {
    const run = this.#lifted.run((...args: unknown[]): unknown => f(...this.#full(args)), inputs);
    if (run.result.cells.length > 0 || run.result.parts.some(({ kind }) => kind === "graph"))
      throw new ArgumentError("customVjp: the function returns an object, which has no cotangent; return arrays");
    this.#run = run;
    return { ends: run.ends, result: run.slots.filter(({ side }) => side === "result").map(({ tensor }) => tensor) };
  }

  #ruleForward(inputs: readonly Tensor[]): [Outputs, readonly Tensor[]] {
    let kept: readonly Tensor[] = [];
    const outputs = this.#forward((...args: unknown[]): unknown => {
      const returned: unknown = this.#rules.fwd(...args);
      if (!Array.isArray(returned) || returned.length !== 2)
        throw new ArgumentError("customVjp: fwd must return [value, residuals]");
      // As they are now: afterwards objects hold their own values again.
      this.#residuals = gather(returned[1]);
      kept = slotsOf(this.#residuals, "result").map(({ tensor }) => tensor);
      return returned[0];
    }, inputs);
    return [outputs, kept];
  }

  #back(kept: readonly Tensor[], { ends, result }: Outputs): (Tensor | null)[] {
    const residuals = this.#residuals === undefined ? undefined : filled(this.#residuals, kept);
    const run = this.#run ?? missing();
    let position = 0;
    const leaves = run.result.parts.map((part) => (part.kind === "data" ? result[position++] : part.value));
    const ct = tree.unflatten(run.result.def, leaves);
    const updates = this.#lifted.statesOf(ends);
    const moving = this.#args.flatMap((_, k) => (this.#fixed.includes(k) ? [] : [k]));
    const fixed = this.#fixed.map((k) => this.#args[k]);
    const given: unknown = this.#rules.bwd(...fixed, residuals, [moving.map((k) => updates[k]), ct]);
    if (!Array.isArray(given) || given.length !== moving.length)
      throw new ArgumentError(
        `customVjp: bwd must return a list with one cotangent for each of ${moving.length} arguments, null for zero; received ${Array.isArray(given) ? `${given.length} entries` : typeof given}`,
      );
    const tangents = this.#args.map((_, k): unknown => given[moving.indexOf(k)]);
    return this.#lifted.inputs.map((slot) => this.#cotangent(slot, tangents));
  }

  #cotangent(slot: Slot, tangents: readonly unknown[]): Tensor | null {
    const argument = Number(slot.at[0]);
    if ((tangents[argument] ?? null) === null) return null;
    const chosen = this.#states.find(({ argnum }) => argnum === argument);
    if (chosen !== undefined && !toPredicate(chosen.filter)(slot.path, slot.cell?.variable ?? slot.tensor)) return null;
    const found = tangentAt(tangents, slot);
    if (found !== undefined || !isFloat(slot.tensor.dtype)) return found ?? null;
    throw new GraphError(
      `customVjp: bwd gives no cotangent for ${placeOf(slot)}; give a State with one for every Variable, or null for a whole argument`,
    );
  }
}

/** Residuals again: objects made anew, with the tensors they had. */
function filled({ def, parts }: Gathered, kept: readonly Tensor[]): unknown {
  const known = new Map<number, object>();
  let position = 0;
  const next = (): Tensor => kept[position++] ?? missing();
  const leaves = parts.map((part) => {
    if (part.kind === "data") return next();
    if (part.kind === "static") return part.value;
    const values = part.cells.map((cell): Leaf => {
      const value = cell.get();
      // A value that is no tensor is what it is now.
      if (!(value instanceof Tensor)) return cell.variable === undefined ? missing() : makeLike(cell.variable, value);
      return cell.variable === undefined ? next() : makeLike(cell.variable, next());
    });
    let at = 0;
    return unflattenGraph(part.def, () => values[at++] ?? missing(), known);
  });
  return tree.unflatten(def, leaves);
}

function missing(): never {
  throw new Error("jnx internal error: a custom derivative has fewer tensors than places");
}
