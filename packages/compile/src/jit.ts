import { checkFunction } from "@jnx/autodiff/internal";
import {
  asTensor,
  copy,
  identityOf,
  inArena,
  isData,
  isObject,
  primitiveText,
  runsOpByOp,
  type AnyFunction,
  type Storage,
  checkOptions,
} from "@jnx/tensor/internal";
import { ArgumentError, Tensor, tree, type TensorLike } from "@jnx/tensor";
import type { ProgramReport } from "./report.ts";
import { isLike, StepCache, type Entry, type StepCacheOptions, type TraceResult } from "./step-cache.ts";

const JIT_OPTIONS = {
  staticArgnums: true,
  donateArgnums: true,
  name: true,
  maxEntries: "number",
  maxTraces: "number",
} as const;

export interface JitOptions extends StepCacheOptions {
  /** Positional arguments that are constants of the trace: another value means another trace. */
  readonly staticArgnums?: number | readonly number[];
  /**
   * Positional arguments whose memory the results may take over. They cannot be used after the call: a training state
   * that every step replaces is then updated in place.
   */
  readonly donateArgnums?: number | readonly number[];
  /** The name for profiles and errors; the function's own unless told. */
  readonly name?: string;
}

/** A compiled function: called like the original. */
export type Jitted<F extends AnyFunction> = F & {
  /** What a call with these arguments costs: dispatches, pipelines, bytes, the kernels and the graph. Runs nothing. */
  explain(...args: Parameters<F>): ProgramReport;
  /**
   * Traces and compiles for arguments like these, all pipelines at once, and runs nothing: later calls need not wait. Throws
   * KernelError when a kernel does not compile.
   */
  warmup(...args: Parameters<F>): Promise<void>;
  /** How often the function has been traced. */
  readonly traces: number;
};

/**
 * Compiles `f`: the first call for given shapes and dtypes traces it once into a graph, which is fused, planned and
 * replayed as one submission at every later call. Arguments and results are trees of tensors; JavaScript numbers are
 * data too (weakly typed scalars), strings, booleans and functions are constants of the trace. Side effects of `f`
 * happen at trace time only.
 *
 * @throws TracedTensorError when `f` reads a traced value on the host, ArgumentError past `maxTraces`.
 * Source: jax.jit.
 * @example
 * const step = jit((x: Tensor) => add(mul(x, 2), 1));
 * step(array([1, 2])); // [3, 5]
 */
export function jit<F extends AnyFunction>(f: F, options: JitOptions = {}): Jitted<F> {
  checkOptions("jit", options, JIT_OPTIONS);
  checkFunction("jit", f);
  const name = options.name ?? (f.name || "jit");
  const cache = new StepCache<tree.TreeDef>(name, options);
  const roles = { statics: listOf(options.staticArgnums), donated: listOf(options.donateArgnums) };
  let last: Remembered | undefined;
  const call = (...args: unknown[]): unknown => {
    // f meets the same kinds of values either way.
    if (runsOpByOp()) {
      const work = prepare(f, args, roles);
      const { outputs, aux } = work.trace(work.inputs);
      return tree.unflatten(aux, outputs);
    }
    let made: readonly Tensor[] = [];
    return inArena(
      name,
      () => {
        let inputs = last && inputsLike(last, args);
        let entry = last?.entry;
        if (inputs === undefined || entry === undefined || !cache.refresh(entry)) {
          const work = prepare(f, args, roles);
          entry = cache.compile(work.key, work.inputs, work.donated, work.trace, work.names);
          inputs = work.inputs;
          const { def } = work;
          const flat = def.text === `[${args.map(() => "*").join(",")}]`;
          last = roles.statics.length === 0 && def.leafCount === inputs.length ? { def, entry, flat } : undefined;
        }
        const { donated } = entry;
        made = entry.compiled.run(ownable(donated, inputs));
        giveUpDonated(donated, inputs, made);
        return tree.unflatten(entry.aux, made);
      },
      () => made.flatMap(storageOf),
    );
  };
  const explain = (...args: unknown[]): ProgramReport => {
    const work = prepare(f, args, roles);
    return cache.compile(work.key, work.inputs, work.donated, work.trace, work.names).compiled.report;
  };
  const warmup = async (...args: unknown[]): Promise<void> => {
    const work = prepare(f, args, roles);
    await cache.warmup(work.key, work.inputs, work.donated, work.trace, work.names);
  };
  const jitted = Object.defineProperty(Object.assign(call, { explain, warmup }), "traces", { get: () => cache.traces });
  return jitted as unknown as Jitted<F>; // it takes and returns what f does
}

/** What the last call was like: calls of a loop are recognized by it without a text of all their types. */
interface Remembered {
  readonly def: tree.TreeDef;
  readonly entry: Entry<tree.TreeDef>;
  /** True if each argument was a leaf. */
  readonly flat: boolean;
}

/** The arrays among the arguments, if there is nothing else among them and all are as they were then. */
function inputsLike({ def, entry, flat }: Remembered, args: readonly unknown[]): readonly Tensor[] | undefined {
  const leaves = flat && args.every(isTensor) ? args : def.leavesOf(args);
  if (leaves === undefined) return undefined;
  let inputs: readonly Tensor[];
  if (leaves.every(isTensor)) inputs = leaves;
  else if (leaves.every(isData)) inputs = leaves.map((leaf) => asTensor(leaf, "jit"));
  else return undefined;
  return isLike(entry, inputs, entry.donated) ? inputs : undefined;
}

function isTensor(leaf: unknown): leaf is Tensor {
  return leaf instanceof Tensor;
}

interface Work {
  readonly def: tree.TreeDef;
  readonly key: string;
  readonly inputs: readonly Tensor[];
  readonly donated: readonly boolean[];
  /** What errors call the inputs. */
  names(): readonly string[];
  trace(symbols: readonly Tensor[]): TraceResult<tree.TreeDef>;
}

function listOf(argnums: number | readonly number[] | undefined): readonly number[] {
  return typeof argnums === "number" ? [argnums] : (argnums ?? []);
}

/** The inputs, donated ones with buffers that are nobody else's: copies where a Variable, a tape or another input holds them too. */
function ownable(donated: readonly boolean[], inputs: readonly Tensor[]): readonly Tensor[] {
  if (!donated.includes(true)) return inputs;
  const seen = new Set<Storage>();
  const shared = new Set<Storage>();
  for (const { payload } of inputs) {
    if (payload.kind !== "device") continue;
    if (seen.has(payload.storage)) shared.add(payload.storage);
    seen.add(payload.storage);
  }
  return inputs.map((input, k) => {
    const { payload } = input;
    if (donated[k] !== true || payload.kind !== "device") return input;
    const { slots, pins } = payload.storage;
    return slots > 0 || pins > 0 || shared.has(payload.storage) ? copy(input) : input;
  });
}

/** Donated inputs are gone after the call, whether or not results took their memory over. */
function giveUpDonated(donated: readonly boolean[], inputs: readonly Tensor[], outputs: readonly Tensor[]): void {
  if (!donated.includes(true)) return;
  let given: ReadonlySet<Storage> | undefined;
  inputs.forEach(({ payload }, k) => {
    if (donated[k] !== true || payload.kind !== "device") return;
    const { storage } = payload;
    if (storage.freed || storage.slots > 0 || storage.pins > 0) return;
    given ??= new Set(outputs.flatMap(storageOf));
    if (given.has(storage)) return;
    storage.free(
      "this tensor was donated to a compiled function (donateArgnums), which may reuse its memory; do not use it after the call",
    );
  });
}

function storageOf({ payload }: Tensor): readonly Storage[] {
  return payload.kind === "device" ? [payload.storage] : [];
}

interface Roles {
  readonly statics: readonly number[];
  readonly donated: readonly number[];
}

function prepare(f: AnyFunction, args: readonly unknown[], roles: Roles): Work {
  const fromStart = (k: number): number => (k < 0 ? k + args.length : k);
  const [statics, donated] = [roles.statics.map(fromStart), roles.donated.map(fromStart)];
  const dynamic = args.map((arg, k) => (statics.includes(k) ? undefined : arg));
  const { leaves, paths, def } = tree.flattenWithPath(dynamic);
  const inputs: Tensor[] = [];
  // A leaf is either the n-th input or a constant of the trace.
  const givenUp: boolean[] = [];
  const places = leaves.map((leaf, k) => {
    if (!isData(leaf)) return undefined;
    givenUp.push(donated.includes(Number(paths[k]?.[0])));
    return inputs.push(asTensor(leaf, "jit")) - 1;
  });
  const key = `${def.text} ${leaves.map((leaf, k) => (places[k] === undefined ? staticText(leaf) : "*")).join(" ")} ${statics.map((k) => staticText(args[k])).join(" ")}`;
  const trace = (symbols: readonly Tensor[]): TraceResult<tree.TreeDef> => {
    const filled = leaves.map((leaf, k) => {
      const place = places[k];
      return place === undefined ? leaf : symbols[place];
    });
    // unflatten gives back the array of arguments that was flattened.
    const traced = tree.unflatten(def, filled) as unknown[];
    statics.forEach((k) => (traced[k] = args[k]));
    const [outputs, outDef] = tree.flatten(f(...traced));
    return { outputs: outputs.map((output) => asTensor(output as TensorLike, "jit")), aux: outDef }; // asTensor refuses what is no array
  };
  const names = (): string[] =>
    leaves.flatMap((_, k) => (places[k] === undefined ? [] : [`argument ${(paths[k] ?? []).join(".")}`]));
  return { def, key, inputs, donated: givenUp, names, trace };
}

/** Static values and arrays of them by content; functions and objects by identity. */
function staticText(value: unknown): string {
  if (typeof value === "symbol") throw new ArgumentError("jit: a symbol cannot be an argument");
  if (!isObject(value)) return primitiveText(value);
  // Lists such as a shape are written anew at each call.
  if (Array.isArray(value)) return `[${value.map(staticText).join(",")}]`;
  return `${typeof value}#${identityOf(value)}`;
}
