import { jvp as push } from "@jnx/autodiff";
import { matching, trace } from "@jnx/autodiff/internal";
import { ArgumentError, DtypeError, Tensor, tree } from "@jnx/tensor";
import { asTensor, checkKeys, inArena, isData, isFloat, keptStorages, type AnyFunction } from "@jnx/tensor/internal";
import { GraphError } from "../errors.ts";
import { readRaw, Variable } from "../variable.ts";
import type { GradientFor } from "./grad.ts";
import { checkUnbound } from "./lift.ts";
import { callLifted, Lifted, placeOf, type Run, type Slot } from "./lifted.ts";

/** Options of `vjp` and `jvp`. */
export interface DerivativeOptions {
  /** True if the function returns `[value, aux]`: aux is handed out last, undifferentiated. */
  readonly hasAux?: boolean;
}

type Gradients<A extends readonly unknown[]> = { -readonly [K in keyof A]: GradientFor<A[K]> };

type Pulled<F extends AnyFunction, O> = O extends { readonly hasAux: true }
  ? [ReturnType<F>[0], (cotangent: ReturnType<F>[0]) => Gradients<Parameters<F>>, ReturnType<F>[1]]
  : [ReturnType<F>, (cotangent: ReturnType<F>) => Gradients<Parameters<F>>];

/**
 * The value of `f` and its pullback: `pull(ct)` gives, for a cotangent of the value, those of all arguments: a State for
 * an object, with every Variable it has. Pass what has none (counts, random streams) in another object that `f` closes
 * over, or split it off. What f writes into Variables is written once, now.
 *
 * @throws DtypeError with its path for a Variable or array that is not float. Source: flax.nnx.vjp.
 * @example
 * const layer = new nnx.Linear(2, 3, { rngs: new nnx.Rngs(0) });
 * const [y, pull] = nnx.vjp((net: nnx.Linear, x: Tensor) => net.call(x), [layer, x]);
 * const [grads] = pull(ones([3, 3]));
 * grads.kernel.shape; // [2, 3]
 */
export function vjp<F extends AnyFunction, const O extends DerivativeOptions = object>(
  f: F,
  primals: Parameters<F>,
  options?: O,
): Pulled<F, O> {
  const hasAux = auxOf("vjp", options);
  const call = new PureCall("vjp", f, primals, hasAux);
  const result = callLifted(call.lifted, () => {
    const traced = trace("vjp", call.body, call.lifted.tensors, true);
    const { value, aux } = call.finish();
    const pullback = (cotangent: unknown): unknown =>
      inArena("vjp", () => call.lifted.statesOf(traced.pull(matching("vjp", cotangent, value))), keptStorages);
    return hasAux ? [value, pullback, aux] : [value, pullback];
  });
  return result as unknown as Pulled<F, O>; // f's own value, and gradients of its arguments
}

type Pushed<F extends AnyFunction, O> = O extends { readonly hasAux: true }
  ? [ReturnType<F>[0], ReturnType<F>[0], ReturnType<F>[1]]
  : [ReturnType<F>, ReturnType<F>];

/**
 * The value of `f` at `primals` and its derivative along `tangents`. The tangent of an object is a State of all its
 * Variables, such as a gradient is, or an object of the same structure. What f writes into Variables is written once.
 *
 * @throws DtypeError for what is not float, GraphError when a tangent has not its primal's Variables.
 * Source: flax.nnx.jvp.
 * @example
 * const layer = new nnx.Linear(2, 3, { rngs: new nnx.Rngs(0) });
 * const along = nnx.mapState((_path, leaf) => onesLike(leaf), nnx.state(layer));
 * const [y, dy] = nnx.jvp((net: nnx.Linear, x: Tensor) => net.call(x), [layer, ones([1, 2])], [along, zeros([1, 2])]);
 * dy; // [[3, 3, 3]]
 */
export function jvp<F extends AnyFunction, const O extends DerivativeOptions = object>(
  f: F,
  primals: Parameters<F>,
  tangents: readonly unknown[],
  options?: O,
): Pushed<F, O> {
  const hasAux = auxOf("jvp", options);
  const call = new PureCall("jvp", f, primals, hasAux);
  const result = callLifted(call.lifted, () => {
    const directions = tangentsOf(call.lifted, tangents);
    const [, moves] = push(call.body, call.lifted.tensors, directions, { hasAux: true });
    const { value, aux } = call.finish();
    const tangent = tree.unflatten(tree.structure(value), moves);
    return hasAux ? [value, tangent, aux] : [value, tangent];
  });
  return result as unknown as Pushed<F, O>; // f's own value twice, and its aux
}

function auxOf(name: string, options: DerivativeOptions = {}): boolean {
  checkKeys(name, options, "hasAux?");
  return options.hasAux === true;
}

/** A call as a function of the arguments' tensors. */
class PureCall {
  readonly lifted: Lifted;
  /** `[value, the rest]`, both lists of tensors. */
  readonly body: (...inputs: Tensor[]) => [Tensor[], Tensor[]];
  readonly #hasAux: boolean;
  readonly #name: string;
  #run: Run | undefined;

  constructor(name: string, f: AnyFunction, primals: readonly unknown[], hasAux: boolean) {
    checkUnbound(name, f);
    this.lifted = new Lifted(name, primals);
    checkFloat(this.lifted);
    this.#hasAux = hasAux;
    this.#name = name;
    this.body = (...inputs) => {
      const run = this.lifted.run(f, inputs);
      this.#run = run;
      if (hasAux) this.#pair(run.returned);
      const [values, rest]: [Tensor[], Tensor[]] = [[], []];
      for (const slot of run.slots) (this.#isValue(slot) ? values : rest).push(slot.tensor);
      return [values, rest];
    };
  }

  #isValue(slot: Slot): boolean {
    if (slot.side === "argument" || (this.#hasAux && slot.at[0] !== 0)) return false;
    if (slot.cell === undefined) return true;
    throw new ArgumentError(
      `${this.#name}: the function returns an object as its value, which has no derivative; return arrays, and objects as aux with { hasAux: true }`,
    );
  }

  #pair(returned: unknown): readonly unknown[] {
    if (Array.isArray(returned) && returned.length === 2) return returned;
    throw new ArgumentError(`${this.#name}: with hasAux the function must return [value, aux]`);
  }

  /** Puts what f wrote into its objects. */
  finish(): { readonly value: unknown; readonly aux: unknown } {
    const run = this.#run;
    if (run === undefined) throw new Error(`jnx internal error: ${this.#name} did not run its function`);
    const returned = this.lifted.finish(
      run,
      run.slots.map(({ tensor }) => tensor),
    );
    if (!this.#hasAux) return { value: returned, aux: undefined };
    const [value, aux] = this.#pair(returned);
    return { value, aux };
  }
}

function checkFloat({ name, inputs }: Lifted): void {
  for (const slot of inputs) {
    if (isFloat(slot.tensor.dtype) || slot.tensor.weak) continue;
    throw new DtypeError(
      `${name}: ${placeOf(slot)} is ${slot.tensor.dtype}, which has no derivative; split it off, ` +
        'const [graphdef, params, rest] = nnx.split(model, nnx.Param, "..."), and pass the params',
    );
  }
}

/** The tangent of every input. */
function tangentsOf(lifted: Lifted, tangents: readonly unknown[]): Tensor[] {
  const missing: string[] = [];
  const found = lifted.inputs.map((slot) => {
    const tangent = tangentAt(tangents, slot);
    if (tangent === undefined) missing.push(placeOf(slot));
    return tangent ?? slot.tensor;
  });
  if (missing.length === 0) return found;
  throw new GraphError(
    `jvp: no tangent for ${missing.slice(0, 5).join(", ")}${missing.length > 5 ? ", …" : ""}; give one for every Variable and array of the primals`,
  );
}

/** What a tree of arrays, States and objects holds at the place of a slot; undefined where there is nothing. */
export function tangentAt(tangents: readonly unknown[], { cell, at, path }: Slot): Tensor | undefined {
  let here: unknown = tangents;
  for (const part of [...at, ...path]) {
    if (here instanceof Map) here = here.get(part);
    else here = typeof here === "object" || typeof here === "function" ? Reflect.get(Object(here), part) : undefined;
  }
  if (here instanceof Variable) return readRaw(here) as Tensor; // Variables of tensors alone have tangents
  return cell === undefined
    ? isData(here)
      ? asTensor(here, "vjp")
      : undefined
    : here instanceof Tensor
      ? here
      : undefined;
}
