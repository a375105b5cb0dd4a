import { asTensor, bindCall, isFloat, type AnyFunction, type CallOp, checkOptions } from "@jnx/tensor/internal";
import { add, ArgumentError, tree, type Tensor, type TensorLike } from "@jnx/tensor";
import { argumentsOf, Result, type Arguments } from "./arguments.ts";
import { batchedCall } from "./call-batch.ts";
import { transposeMany } from "./forward.ts";
import { checkCotangent, zeroOf } from "./tape.ts";

const CUSTOM_OPTIONS = { nondiffArgnums: true } as const;

/** Options of `customVjp` and `customJvp`. */
export interface CustomOptions {
  /** Positional arguments that are handed to the rules as they are, ahead of the others, and not differentiated. */
  readonly nondiffArgnums?: readonly number[];
}

type Rule<F extends AnyFunction> = (...args: Parameters<F>) => readonly [ReturnType<F>, unknown];

/** A function whose reverse-mode derivative its author gives. Called like the original. */
export type CustomVjp<F extends AnyFunction> = F & {
  /**
   * `fwd(...args)` gives `[value, residuals]`; `bwd(residuals, ct)` gives a list with the cotangent of each argument, null
   * for zero. Arguments of nondiffArgnums come first to `bwd`.
   */
  defvjp(fwd: Rule<F>, bwd: (...args: never[]) => readonly unknown[]): CustomVjp<F>;
};

/**
 * A function with a reverse-mode derivative of your own: define it with `.defvjp(fwd, bwd)`. Where nothing is
 * differentiated, `f` itself runs. Values that are differentiated must be passed as arguments, not closed over.
 *
 * @throws ArgumentError when called without a rule, in forward mode (jvp, jacfwd), or when fwd or bwd give another
 * structure than f or its arguments.
 * Source: jax.custom_vjp.
 * @example
 * const clipped = customVjp((x: Tensor) => mul(x, 1)).defvjp(
 *   (x) => [x, null],
 *   (_residuals: null, ct: Tensor) => [clip(ct, -1, 1)],
 * );
 * grad((x: Tensor) => mul(clipped(x), 10.5))(array(2.5)); // 1
 */
export function customVjp<F extends AnyFunction>(f: F, options: CustomOptions = {}): CustomVjp<F> {
  checkOptions("customVjp", options, CUSTOM_OPTIONS);
  const { nondiffArgnums = [] } = options;
  let rules: { readonly fwd: AnyFunction; readonly bwd: AnyFunction } | undefined;
  const called = (...args: unknown[]): unknown => {
    if (rules === undefined)
      throw new ArgumentError("customVjp: the function has no rule yet; call defvjp(fwd, bwd) first");
    return applied("customVjp", f, args, nondiffArgnums, (call) =>
      reverseRules(call, rules?.fwd ?? f, rules?.bwd ?? f),
    );
  };
  const defvjp = (fwd: AnyFunction, bwd: AnyFunction): unknown => {
    rules = { fwd, bwd };
    return custom;
  };
  const custom: unknown = Object.assign(called, { defvjp });
  return custom as CustomVjp<F>; // it takes and returns what f does
}

/** A function whose forward-mode derivative its author gives. Called like the original. */
export type CustomJvp<F extends AnyFunction> = F & {
  /** `rule(primals, tangents)` gives `[value, tangent]`; linear in the tangents. Arguments of nondiffArgnums come first. */
  defjvp(rule: (...args: never[]) => readonly unknown[]): CustomJvp<F>;
  /** One rule for each argument, `(tangent, value, ...primals) => tangent`, or null for zero; their sum is the tangent. */
  defjvps(...rules: readonly (((...args: never[]) => Tensor) | null)[]): CustomJvp<F>;
};

/**
 * A function with a derivative of your own, for forward and reverse mode: define it with `.defjvp(rule)` or, one argument
 * at a time, `.defjvps(...rules)`. Reverse mode transposes the rule.
 *
 * @throws ArgumentError when called without a rule, or when the rule gives another structure than f.
 * Source: jax.custom_jvp.
 * @example
 * const f = customJvp((x: Tensor) => sin(x)).defjvp(([x]: [Tensor], [dx]: [Tensor]) => [sin(x), mul(dx, 2.5)]);
 * grad(f)(array(1.5)); // 2.5
 */
export function customJvp<F extends AnyFunction>(f: F, options: CustomOptions = {}): CustomJvp<F> {
  checkOptions("customJvp", options, CUSTOM_OPTIONS);
  const { nondiffArgnums = [] } = options;
  let rule: AnyFunction | undefined;
  const called = (...args: unknown[]): unknown => {
    if (rule === undefined) throw new ArgumentError("customJvp: the function has no rule yet; call defjvp(rule) first");
    const given = rule;
    return applied("customJvp", f, args, nondiffArgnums, (call) => forwardRules(call, given));
  };
  const defjvp = (given: AnyFunction): unknown => {
    rule = given;
    return custom;
  };
  const defjvps = (...parts: readonly (AnyFunction | null)[]): unknown => {
    if (nondiffArgnums.length > 0)
      throw new ArgumentError("customJvp: defjvps does not go with nondiffArgnums; give one rule with defjvp");
    return defjvp((primals: readonly unknown[], tangents: readonly unknown[]) => summed(f, parts, primals, tangents));
  };
  const custom: unknown = Object.assign(called, { defjvp, defjvps });
  return custom as CustomJvp<F>; // it takes and returns what f does
}

/** One call of a function with rules. */
interface CustomCall {
  readonly name: string;
  readonly f: AnyFunction;
  /** The arguments that are differentiated. */
  readonly args: Arguments;
  /** All arguments in their places, given tensors for those that are differentiated. */
  full(tensors: readonly unknown[]): unknown[];
  /** The arguments that are not. */
  readonly fixed: readonly unknown[];
  /** What f gave, once it ran. */
  result: Result | undefined;
}

function applied(
  name: string,
  f: AnyFunction,
  args: readonly unknown[],
  nondiff: readonly number[],
  rules: (call: CustomCall) => Pick<CallOp, "vjp" | "jvp">,
): unknown {
  const still = nondiff.map((argnum) => (argnum < 0 ? argnum + args.length : argnum));
  const moving = args.map((_, k) => k).filter((k) => !still.includes(k));
  const data = argumentsOf(
    name,
    moving.map((k) => args[k]),
  );
  const call: CustomCall = {
    name,
    f,
    args: data,
    fixed: still.map((k) => args[k]),
    full: (tensors) => {
      const full = [...args];
      data.rebuild(tensors).forEach((arg, k) => (full[moving[k] ?? 0] = arg));
      return full;
    },
    result: undefined,
  };
  const run = (inputs: readonly Tensor[]): readonly Tensor[] => {
    call.result = new Result(name, f(...call.full(inputs)));
    return call.result.tensors;
  };
  const op: CallOp = {
    name,
    run,
    ...rules(call),
    batch: (inputs, batched, axis) => bindCall(batchedCall(op, batched, axis), inputs),
  };
  const outputs = bindCall(op, data.tensors);
  return call.result?.rebuild(outputs);
}

function reverseRules(call: CustomCall, fwd: AnyFunction, bwd: AnyFunction): Pick<CallOp, "vjp" | "jvp"> {
  return {
    jvp: () => {
      throw new ArgumentError(
        "customVjp: a function with a rule for reverse mode has none for forward mode (jvp, jacfwd, linearize of jvp); use customJvp, which serves both",
      );
    },
    vjp: (inputs) => {
      const returned: unknown = fwd(...call.full(inputs));
      if (!Array.isArray(returned) || returned.length !== 2)
        throw new ArgumentError("customVjp: fwd must return [value, residuals]");
      const [value, kept] = returned as [unknown, unknown]; // two entries
      const result = new Result("customVjp", value);
      call.result = result;
      const residuals = argumentsOf("customVjp", [kept]);
      return {
        outputs: result.tensors,
        residuals: residuals.tensors,
        pull: (cts) => {
          const full = result.tensors.map((output, k) => cts[k] ?? zeroOf(output));
          const [again] = residuals.rebuild(residuals.tensors);
          return cotangentsOf(call, inputs, bwd(...call.fixed, again, result.rebuild(full)));
        },
      };
    },
  };
}

/** What bwd gave, one entry for each tensor among the arguments; null for a whole argument is zero. */
function cotangentsOf({ args }: CustomCall, inputs: readonly Tensor[], given: unknown): (Tensor | undefined)[] {
  if (!Array.isArray(given) || given.length !== args.places.length)
    throw new ArgumentError(
      `customVjp: bwd must return a list with one cotangent for each of ${args.places.length} arguments, null for zero; received ${Array.isArray(given) ? `${given.length} entries` : typeof given}`,
    );
  const cts = inputs.map((): Tensor | undefined => undefined);
  args.places.forEach((places, argument) => {
    const part: unknown = given[argument];
    if (part === null || part === undefined) return;
    const leaves = tree.leaves(part);
    if (leaves.length !== places.length)
      throw new ArgumentError(
        `customVjp: bwd gave ${leaves.length} arrays for argument ${argument}, which has ${places.length}; give its own tree, or null for zero`,
      );
    places.forEach((place, k) => {
      const input = inputs[place];
      const ct = asTensor(leaves[k] as TensorLike, "customVjp"); // asTensor refuses what is no array
      if (input !== undefined && isFloat(input.dtype)) cts[place] = checkCotangent("customVjp", ct, input);
    });
  });
  return cts;
}

function forwardRules(call: CustomCall, rule: AnyFunction): Pick<CallOp, "vjp" | "jvp"> {
  const push = (inputs: readonly Tensor[], tangents: readonly (Tensor | undefined)[]): [Result, Result] => {
    const moves = inputs.map((input, k) => tangents[k] ?? zeroOf(input));
    const returned: unknown = rule(...call.fixed, call.args.rebuild(inputs), call.args.rebuild(moves));
    if (!Array.isArray(returned) || returned.length !== 2)
      throw new ArgumentError("customJvp: the rule must return [value, tangent]");
    const [value, tangent] = [new Result("customJvp", returned[0]), new Result("customJvp", returned[1])];
    value.checkSame("customJvp", "the tangent", tangent);
    return [value, tangent];
  };
  return {
    jvp: (inputs, tangents) => {
      const [value, tangent] = push(inputs, tangents);
      call.result = value;
      return { outputs: value.tensors, tangents: tangent.tensors };
    },
    vjp: (inputs, needs) => {
      const result = new Result("customJvp", call.f(...call.full(inputs)));
      call.result = result;
      const moving = inputs.flatMap((_, k) => (needs[k] === true ? [k] : []));
      return {
        outputs: result.tensors,
        residuals: inputs,
        pull: (cts) => {
          const linear = (moves: readonly Tensor[]): readonly Tensor[] =>
            push(
              inputs,
              inputs.map((_, k) => (needs[k] === true ? moves[moving.indexOf(k)] : undefined)),
            )[1].tensors;
          const parts = transposeMany(
            linear,
            moving.map((k) => inputs[k] ?? asTensor(0, "customJvp")),
            cts,
          );
          return inputs.map((_, k) => parts[moving.indexOf(k)]);
        },
      };
    },
  };
}

function summed(
  f: AnyFunction,
  rules: readonly (AnyFunction | null)[],
  primals: readonly unknown[],
  tangents: readonly unknown[],
): [unknown, unknown] {
  const value: unknown = f(...primals);
  const parts = rules.flatMap(
    (rule, k) => (rule === null ? [] : [asTensor(rule(tangents[k], value, ...primals) as TensorLike, "customJvp")]), // asTensor refuses what is no array
  );
  const [first, ...rest] = parts;
  const total = rest.reduce((a, b) => add(a, b), first ?? zeroOf(asTensor(value as TensorLike, "customJvp"))); // as above
  return [value, total];
}
