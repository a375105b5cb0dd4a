import { bindCall, type CallOp } from "./call.ts";
import { ArgumentError } from "./errors.ts";
import { flatten, unflatten } from "./flatten.ts";
import type { OnHost } from "./host.ts";
import { asTensor, isData } from "./ops/create.ts";
import { laxSlice, squeeze } from "./ops/movement.ts";
import { Tensor, type NestedArray } from "./tensor.ts";

/** What has been asked to be shown, in order. */
let pending: Promise<void> = Promise.resolve();
let failed: { readonly error: unknown } | undefined;

/** Reads the arrays now, and hands them on after those that were read before. */
function later(arrays: readonly Tensor[], use: (values: readonly NestedArray[]) => void): void {
  const reading = Promise.all(arrays.map((array) => array.toArray()));
  // Handled where its turn comes.
  reading.catch(() => undefined);
  pending = pending.then(async () => {
    try {
      use(await reading);
    } catch (error) {
      failed ??= { error };
      console.error(error);
    }
  });
}

function callbackOp(use: (values: readonly NestedArray[]) => void): CallOp {
  const op: CallOp = {
    name: "debug.callback",
    effect: true,
    run: (inputs) => {
      later(inputs, use);
      return [];
    },
    // Once for each example.
    batch: (inputs, batched, { size }) => {
      for (let k = 0; k < size; k++) bindCall(op, inputs.map((x, n) => (batched[n] === true ? rowOf(x, k) : x))); // prettier-ignore
      return [];
    },
  };
  return op;
}

function rowOf(x: Tensor, k: number): Tensor {
  const starts = x.shape.map((_, axis) => (axis === 0 ? k : 0));
  const limits = x.shape.map((extent, axis) => (axis === 0 ? k + 1 : extent));
  return squeeze(laxSlice(x, starts, limits), [0]);
}

/**
 * Calls f on the host with the values that the arrays among the arguments have when the device has computed them, as nested
 * arrays; what else is among them comes as it is. Within jit it is called at every call of the compiled function, under vmap
 * for each example, under grad and jvp with the values themselves. Calls are made in order, some time later: see
 * {@link effectsBarrier}, which also throws what f throws.
 *
 * @throws ArgumentError within the body of a loop or branch on the device: return the value from it and look at that.
 * Source: jax.debug.callback.
 * @example
 * const seen: unknown[] = [];
 * debug.callback((value) => seen.push(value), array([1, 2]));
 * await effectsBarrier();
 * seen[0]; // [1, 2]
 */
export function callback<A extends readonly unknown[]>(f: (...args: OnHostAll<A>) => unknown, ...args: A): void {
  if (typeof f !== "function") throw new ArgumentError(`debug.callback: takes a function, received ${typeof f}`);
  const [leaves, def] = flatten(args);
  const places = leaves.flatMap((leaf, k) => (isData(leaf) ? [k] : []));
  const arrays = leaves.flatMap((leaf) => (isData(leaf) ? [asTensor(leaf, "debug.callback")] : []));
  // A compiled program keeps what is here: no arrays.
  const rest = leaves.map((leaf): unknown => (leaf instanceof Tensor ? undefined : leaf));
  const use = (values: readonly NestedArray[]): void => {
    const all = [...rest];
    places.forEach((place, k) => (all[place] = values[k]));
    f(...(unflatten(def, all) as OnHostAll<A>)); // the list of arguments that was flattened
  };
  bindCall(callbackOp(use), arrays);
}

type OnHostAll<A extends readonly unknown[]> = { [K in keyof A]: OnHost<A[K]> };

/**
 * Prints to the console with the values that arrays have when the device has computed them: `{}` stands for the next argument,
 * `{0}` for the one of that number, `{x}` for a field of the last argument, `{x:.2f}` for it with two digits, `{{` for a brace.
 * When and how often, see {@link callback}.
 *
 * @throws ArgumentError for a format that asks for what is not there, and as {@link callback}.
 * Source: jax.debug.print.
 * @example debug.print("loss {} after {n} steps, {n:.1f}", array(1.5), { n: 3 });
 */
export function print(format: string, ...args: readonly unknown[]): void {
  const pieces = parsed(format, args.length);
  callback(
    (...values: readonly unknown[]) => console.log(pieces.map((piece) => filled(piece, values)).join("")),
    ...args,
  );
}

interface Field {
  readonly index: number;
  /** Which field of that argument. */
  readonly name?: string;
  readonly digits?: number;
}

const FIELD = /\{\{|\}\}|\{([^{}]*)\}|[{}]/g;

function parsed(format: string, count: number): (string | Field)[] {
  if (typeof format !== "string")
    throw new ArgumentError(`debug.print: takes a format first, received ${typeof format}`);
  const pieces: (string | Field)[] = [];
  let [end, next] = [0, 0];
  for (const { 0: token, 1: inside, index } of format.matchAll(FIELD)) {
    pieces.push(format.slice(end, index));
    end = index + token.length;
    if (inside === undefined && token.length === 1)
      throw new ArgumentError(`debug.print: a single ${token} in ${JSON.stringify(format)}; write ${token}${token}`);
    pieces.push(inside === undefined ? token.slice(1) : fieldOf(inside, () => next++, count));
  }
  return [...pieces, format.slice(end)];
}

function fieldOf(text: string, next: () => number, count: number): Field {
  const [, key = "", digits] = /^(\w*)(?::\.(\d+)f)?$/.exec(text) ?? [];
  if (key === "" && text !== "" && digits === undefined)
    throw new ArgumentError(`debug.print: cannot read {${text}}; a field looks like {}, {0}, {x} or {x:.2f}`);
  const named = key !== "" && !/^\d+$/.test(key);
  const index = named ? count - 1 : key === "" ? next() : Number(key);
  if (index < 0 || index >= count)
    throw new ArgumentError(`debug.print: {${text}} asks for argument ${index}, of ${count}`);
  return { index, ...(named && { name: key }), ...(digits !== undefined && { digits: Number(digits) }) };
}

function filled(piece: string | Field, values: readonly unknown[]): string {
  if (typeof piece === "string") return piece;
  const argument = values[piece.index];
  // Whatever was given last; what it has not is undefined.
  const value = piece.name === undefined ? argument : (argument as Record<string, unknown> | undefined)?.[piece.name];
  return shown(value, piece.digits);
}

function shown(value: unknown, digits: number | undefined): string {
  if (Array.isArray(value)) return `[${value.map((one) => shown(one, digits)).join(", ")}]`;
  if (typeof value === "number")
    return digits === undefined ? String(Number(value.toPrecision(8))) : value.toFixed(digits);
  return typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);
}

/**
 * Waits until all callbacks so far have been called, and throws what the first that failed threw. Source: jax.effects_barrier.
 *
 * @throws whatever a callback threw, DeviceError for what failed on the device.
 * @example await effectsBarrier();
 */
export async function effectsBarrier(): Promise<void> {
  await pending;
  const first = failed;
  failed = undefined;
  if (first !== undefined) throw first.error;
}
