import { checkFunction } from "@jnx/autodiff/internal";
import {
  asTensor,
  copy,
  currentFrame,
  identityOf,
  inArena,
  isData,
  isObject,
  primitiveText,
  keptStorages,
  type AnyFunction,
  type Storage,
  checkOptions,
} from "@jnx/tensor/internal";
import type { Tensor } from "@jnx/tensor";
import { ArgumentError, tree, type TensorLike } from "@jnx/tensor";
import type { ProgramReport } from "./report.ts";
import { StepCache, type StepCacheOptions, type TraceResult } from "./step-cache.ts";

const JIT_OPTIONS = {
  staticArgnums: true,
  donateArgnums: true,
  name: true,
  maxEntries: true,
  maxTraces: true,
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
  const call = (...args: unknown[]): unknown => {
    const work = prepare(f, args, roles);
    if (currentFrame() !== undefined) {
      // Inside another transform the ops are the outer one's to see; f meets the same kinds of values either way.
      const { outputs, aux } = work.trace(work.inputs);
      return tree.unflatten(aux, outputs);
    }
    return inArena(
      name,
      () => {
        const { outputs, aux } = cache.call(
          work.key,
          work.inputs.map(ownable(work.donated, work.inputs)),
          work.donated,
          work.trace,
          work.names,
        );
        work.inputs.forEach((input, k) => work.donated[k] === true && giveUp(input, outputs));
        return tree.unflatten(aux, outputs);
      },
      keptStorages,
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

interface Work {
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

/** A donated input as a tensor whose buffer is nobody else's: a copy if a Variable, a tape or another input holds it too. */
function ownable(donated: readonly boolean[], inputs: readonly Tensor[]): (input: Tensor, k: number) => Tensor {
  const seen = new Set<Storage>();
  const shared = new Set<Storage>();
  for (const { payload } of inputs) {
    if (payload.kind !== "device") continue;
    if (seen.has(payload.storage)) shared.add(payload.storage);
    seen.add(payload.storage);
  }
  return (input, k) => {
    const { payload } = input;
    if (donated[k] !== true || payload.kind !== "device") return input;
    const { slots, pins } = payload.storage;
    return slots > 0 || pins > 0 || shared.has(payload.storage) ? copy(input) : input;
  };
}

/** A donated input is gone after the call, whether or not a result took its memory over. */
function giveUp(input: Tensor, outputs: readonly Tensor[]): void {
  const { payload } = input;
  if (payload.kind !== "device" || payload.storage.slots > 0 || payload.storage.pins > 0) return;
  if (outputs.some((output) => output.payload.kind === "device" && output.payload.storage === payload.storage)) return;
  payload.storage.free(
    "this tensor was donated to a compiled function (donateArgnums), which may reuse its memory; do not use it after the call",
  );
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
    return inputs.push(asTensor(leaf)) - 1;
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
    return { outputs: outputs.map((output) => asTensor(output as TensorLike)), aux: outDef }; // asTensor refuses what is no array
  };
  const names = (): string[] =>
    leaves.flatMap((_, k) => (places[k] === undefined ? [] : [`argument ${(paths[k] ?? []).join(".")}`]));
  return { key, inputs, donated: givenUp, names, trace };
}

/** Static values and arrays of them by content; functions and objects by identity. */
function staticText(value: unknown): string {
  if (typeof value === "symbol") throw new ArgumentError("jit: a symbol cannot be an argument");
  if (!isObject(value)) return primitiveText(value);
  // Lists such as a shape are written anew at each call.
  if (Array.isArray(value)) return `[${value.map(staticText).join(",")}]`;
  return `${typeof value}#${identityOf(value)}`;
}
