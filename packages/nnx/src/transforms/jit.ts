import type { JitOptions, ProgramReport } from "@jnx/compile";
import { StepCache, type TraceResult } from "@jnx/compile/internal";
import { Tensor, tree, where } from "@jnx/tensor";
import { checkKeys, currentFrame, inArena, keptStorages, runsOpByOp, type AnyFunction } from "@jnx/tensor/internal";
import { checkMakeable, unflattenGraph, type GraphDef, type GraphIndex } from "../graph-def.ts";
import { staticText } from "../graph-text.ts";
import type { Leaf } from "../state.ts";
import { exposeHeld, makeOwned, replaceValues, type AnyVariable } from "../variable.ts";
import { guardCaptured } from "./captured.ts";
import { checkOwn } from "./lifted.ts";
import { Recall } from "./recall.ts";
import {
  checkUnbound,
  dataOf,
  enterAll,
  gather,
  gatherResult,
  innerCells,
  rebuild,
  type Cell,
  type Gathered,
} from "./lift.ts";

/** A compiled function: called like the original. */
export type Jitted<F extends AnyFunction> = ((...args: Parameters<F>) => ReturnType<F>) & {
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
 * Compiles `f` over objects: the first call with a given structure, shapes and dtypes traces it once; later calls
 * replay one submission. What f writes into Variables of its arguments is there after the call, updated in place where
 * nobody else holds the old value; other side effects happen at trace time only. Numbers among the arguments are data;
 * strings, booleans, functions and the fields of Modules are structure, of which a change means another trace. Inside
 * another transform f runs as it is.
 *
 * @throws TracedTensorError when f reads a value on the host, TraceContextError when it writes a Variable that is not
 * among its arguments. Source: flax.nnx.jit.
 * @example
 * const step = nnx.jit((model: MLP, optimizer: nnx.Optimizer<MLP>, x: Tensor, y: Tensor) => {
 *   const [loss, grads] = nnx.valueAndGrad(lossFn)(model, x, y);
 *   optimizer.update(model, grads);
 *   return loss;
 * });
 * step(model, optimizer, x, y);
 * step(model, optimizer, x, y);
 * step.traces; // 1
 */
export function jit<F extends AnyFunction>(f: F, options: JitOptions = {}): Jitted<F> {
  checkKeys("jit", options, "staticArgnums donateArgnums name maxEntries maxTraces");
  checkUnbound("jit", f);
  const name = options.name ?? (f.name || "jit");
  const cache = new StepCache<Recipe>(name, options);
  const recall = new Recall();
  const statics = typeof options.staticArgnums === "number" ? [options.staticArgnums] : (options.staticArgnums ?? []);
  const call = (...args: unknown[]): unknown => {
    if (runsOpByOp()) return f(...args);
    const step = new Step(f, args, statics, recall);
    // What went into Variables is held by them; what went into bare fields is not.
    return inArena(
      name,
      () => step.run(cache),
      (result) => keptStorages([result, step.fields()]),
    );
  };
  const explain = (...args: unknown[]): ProgramReport =>
    new Step(f, args, statics, recall).compile(cache).compiled.report;
  const warmup = (...args: unknown[]): Promise<void> =>
    new Step(f, args, statics, recall).compile(cache).compiled.warmup();
  const jitted = Object.defineProperty(Object.assign(call, { explain, warmup }), "traces", { get: () => cache.traces });
  return jitted as unknown as Jitted<F>; // it takes and returns what f does
}

/** What every later call needs to know of the trace. */
interface Recipe {
  /** Which cells' values changed. */
  readonly changed: readonly number[];
  readonly resultDef: tree.TreeDef;
  readonly results: readonly ResultPart[];
  /** True if f changed the structure of its arguments: this trace serves one call. */
  readonly reshaped: boolean;
}

/** One leaf of the result; the outputs of data and of new objects follow those of the cells. */
type ResultPart =
  | { readonly kind: "data" }
  | { readonly kind: "static"; readonly value: unknown }
  | {
      readonly kind: "graph";
      readonly def: GraphDef;
      readonly leaves: readonly (AnyVariable | undefined)[];
    };

/** One call of a jitted function. */
class Step {
  readonly #f: AnyFunction;
  readonly #args: readonly unknown[];
  readonly #statics: readonly number[];
  readonly #gathered: Gathered;
  /** Cells that hold a tensor: the program's first inputs. */
  readonly #cells: readonly Cell[];
  readonly #key: string;
  /** The values of the cells, then the data. */
  readonly #inputs: readonly Tensor[];
  /** What f added to its arguments: to be filled after this very call. */
  #born: readonly Cell[] = [];
  #index: GraphIndex;

  constructor(f: AnyFunction, args: readonly unknown[], statics: readonly number[], recall: Recall) {
    this.#f = f;
    this.#args = args;
    this.#statics = statics;
    this.#gathered = recall.gather(args.map((arg, k) => (statics.includes(k) ? undefined : arg)));
    const [cells, inputs, others]: [Cell[], Tensor[], Cell[]] = [[], [], []];
    for (const cell of this.#gathered.cells) {
      const value = cell.get();
      if (!(value instanceof Tensor)) {
        others.push(cell);
        continue;
      }
      cells.push(cell);
      inputs.push(value);
    }
    this.#cells = cells;
    this.#inputs = inputs.concat(dataOf(this.#gathered));
    this.#index = this.#gathered.index;
    this.#key = [
      this.#gathered.text,
      ...others.map((cell) => `${cell.path.join(".")}=${staticText(cell.get())}`),
      ...statics.map((k) => staticText(args[k])),
    ].join(" ");
  }

  compile(cache: StepCache<Recipe>): ReturnType<StepCache<Recipe>["compile"]> {
    // A Variable that is handed out unchanged is an output too, and so keeps its buffer.
    const donated = this.#inputs.map((_, k) => this.#cells[k]?.variable !== undefined);
    const names = (): string[] =>
      this.#cells.map(({ path }) =>
        path.length === 0 ? "a Variable among the arguments" : `the Variable at ${path.join(".")}`,
      );
    return cache.compile(this.#key, this.#inputs, donated, (symbols) => this.#trace(symbols), names);
  }

  run(cache: StepCache<Recipe>): unknown {
    const { compiled, aux } = this.compile(cache);
    const inputs = [...this.#inputs];
    const [variables, fields]: [[AnyVariable, number][], number[]] = [[], []];
    for (const k of aux.changed) {
      const [variable, input] = [this.#cells[k]?.variable, inputs[k]];
      if (variable === undefined || input === undefined) fields.push(k);
      else {
        variables.push([variable, k]);
        inputs[k] = ownBuffer(input);
      }
    }
    const outputs = compiled.run(inputs);
    const take = reader(outputs, this.#cells.length);
    replaceValues(
      variables.map(([variable, k]) => ({ variable, next: outputs[k] })),
      "this tensor was the value of a Variable that a compiled step has since updated; read it before the step",
    );
    for (const k of fields) this.#cells[k]?.swap(outputs[k]);
    for (const cell of this.#born) cell.swap(take());
    if (aux.reshaped) compiled.dispose();
    return this.#result(aux, take);
  }

  /** The values of bare tensors in fields. */
  fields(): unknown[] {
    return [...this.#cells, ...this.#born].filter(({ variable }) => variable === undefined).map((cell) => cell.get());
  }

  #result(aux: Recipe, take: () => Tensor): unknown {
    let known: Map<number, object> | undefined;
    const leaves = aux.results.map((part) => {
      if (part.kind === "data") {
        const tensor = take();
        exposeHeld(tensor);
        return tensor;
      }
      if (part.kind === "static") return part.value;
      const made = part.leaves.map((like): Leaf => (like === undefined ? take() : makeOwned(like, take())));
      let position = 0;
      known ??= new Map([...this.#index].map(([object, at]) => [at, object]));
      return unflattenGraph(part.def, () => made[position++] ?? missing(), known);
    });
    return tree.unflatten(aux.resultDef, leaves);
  }

  /** Runs f once on symbols. The arguments are as they were afterwards, but for what f did to their structure. */
  #trace(symbols: readonly Tensor[]): TraceResult<Recipe> {
    const values = this.#gathered.cells.map((cell) => cell.get());
    const leave = enterAll(this.#gathered.cells, currentFrame());
    const captured = guardCaptured(currentFrame()?.level.name ?? "jit", this.#gathered.index);
    let done = false;
    try {
      this.#cells.forEach((cell, k) => cell.swap(symbols[k]));
      const args = rebuild(this.#gathered, symbols.slice(this.#cells.length)) as unknown[]; // the array that was gathered
      for (const k of this.#statics) args[k] = this.#args[k];
      const returned: unknown = this.#f(...args);
      captured.check();
      const result = this.#finish(returned, symbols, values);
      done = true;
      return result;
    } finally {
      if (!done) captured.restore();
      this.#gathered.cells.forEach((cell, k) => {
        // A written value that is no tensor stays; a field that f took away stays away.
        if (!done || isSymbolic(cell.get())) cell.swap(values[k]);
      });
      leave();
    }
  }

  /** The places that f added to its arguments, and those inside lists that it wrote into Variables: filled after this very call. */
  #laterCells(after: Gathered): Cell[] {
    const known = new Set<unknown>(this.#gathered.cells.map(keyOf));
    const added = after.cells.filter((cell) => !known.has(keyOf(cell)));
    enterAll(added, undefined);
    const inner = after.cells.flatMap((cell) => innerCells(cell, [])).filter((cell) => isSymbolic(cell.get()));
    return [...added.filter((cell) => cell.get() instanceof Tensor), ...inner];
  }

  #finish(returned: unknown, symbols: readonly Tensor[], before: readonly unknown[]): TraceResult<Recipe> {
    const after = gather(this.#args.map((arg, k) => (this.#statics.includes(k) ? undefined : arg)));
    const reshaped = after.text !== this.#gathered.text || othersChanged(this.#gathered.cells, before);
    this.#born = this.#laterCells(after);
    this.#index = reshaped ? after.index : this.#gathered.index;
    const result = gatherResult(returned, new Map(this.#index));
    for (const cell of result.cells) checkOwn("jit", cell);
    const results = result.parts.map((part): ResultPart => {
      if (part.kind === "graph") {
        checkMakeable(part.def);
        return {
          kind: "graph",
          def: part.def,
          leaves: part.cells.map((cell) => cell.variable),
        };
      }
      return part.kind === "data" ? { kind: "data" } : part;
    });
    const outputs = result.parts.flatMap((part) =>
      part.kind === "graph" ? part.cells.map(tensorIn) : part.kind === "data" ? [part.tensor] : [],
    );
    const values = this.#cells.map((cell, k) => current(cell, symbols[k]));
    const changed = values.flatMap((value, k) => (value === symbols[k] ? [] : [k]));
    return {
      outputs: [...values, ...this.#born.map(tensorIn), ...outputs],
      aux: { changed, resultDef: result.def, results, reshaped },
      keep: !reshaped,
    };
  }
}

/** A cell's value after the trace; a field that f took away counts as unchanged. */
function current(cell: Cell, symbol: Tensor | undefined): Tensor {
  const gone = cell.variable === undefined && !(cell.get() instanceof Tensor);
  return gone && symbol !== undefined ? symbol : tensorIn(cell);
}

/** What tells cells apart before and after: the Variable, or the path of a field. */
function keyOf({ variable, path }: Cell): unknown {
  return variable ?? JSON.stringify(path);
}

/** True if a Variable that holds no tensor got another value: what depends on it is baked into the trace. */
function othersChanged(cells: readonly Cell[], before: readonly unknown[]): boolean {
  return cells.some((cell, k) => !(before[k] instanceof Tensor) && cell.get() !== before[k]);
}

function isSymbolic(value: unknown): boolean {
  return value instanceof Tensor && value.payload.kind === "symbolic";
}

function tensorIn(cell: Cell): Tensor {
  const value = cell.get();
  if (value instanceof Tensor) return value;
  throw new TypeError(`jit: "${cell.path.join(".")}" must hold a Tensor to be returned, holds ${typeof value}`);
}

/** The tensor itself if a compiled step may overwrite it: one Variable holds it and nobody else. Otherwise a copy. */
function ownBuffer(tensor: Tensor): Tensor {
  const { payload } = tensor;
  if (payload.kind !== "device") return tensor;
  const { exposed, pins, slots } = payload.storage;
  return exposed || pins > 0 || slots !== 1 ? where(true, tensor, tensor) : tensor;
}

/** Gives the outputs one after another, from the one at `position` on. */
function reader(outputs: readonly Tensor[], position: number): () => Tensor {
  return () => outputs[position++] ?? missing();
}

function missing(): never {
  throw new Error("jnx internal error: a compiled step has fewer outputs than places");
}
