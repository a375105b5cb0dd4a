import { ArgumentError, executor, hasExecutor, type Aval, type Executor, type Shape, type Tensor } from "@jnx/tensor";
import { configMark, inArena, sameShape, shapeText } from "@jnx/tensor/internal";
import { Capture } from "./capture.ts";
import { keptBodies } from "./control/kept-bodies.ts";
import type { Graph, GraphCall } from "./graph.ts";
import { compileGraph, type Runnable } from "./segments.ts";

/** What a traced function gave back. */
export interface TraceResult<Aux> {
  /** The tensors that the compiled program must produce. */
  readonly outputs: readonly Tensor[];
  /** Whatever the caller needs at every later call to make sense of the outputs. */
  readonly aux: Aux;
  /** False if this trace must not serve later calls (the function changed the structure of its arguments). */
  readonly keep?: boolean;
}

/** One compiled specialization. */
export interface Entry<Aux> {
  readonly compiled: Runnable;
  readonly aux: Aux;
  readonly key: string;
  readonly avals: readonly Aval[];
  readonly donated: readonly boolean[];
  /** What it is kept under: all of the above and the switches, as text. */
  readonly signature: string;
  /** The switches of `config` that it was traced under. */
  readonly mark: string;
}

export interface StepCacheOptions {
  /** How many specializations are kept; the one unused for longest goes first. Default 64. */
  readonly maxEntries?: number;
  /** How many traces are allowed in all; one more throws. Unlimited unless given. */
  readonly maxTraces?: number;
}

/** What clearing needs to know of a cache. */
type Clearable = Pick<StepCache, "clear">;

const caches = new Set<WeakRef<Clearable>>();
/** Takes out what stands for a cache that is gone. */
const gone = new FinalizationRegistry<WeakRef<Clearable>>((ref) => caches.delete(ref));

/**
 * Forgets all that jit and nnx.jit have compiled, and the bodies of loops: functions are traced again when they are called next,
 * and what they kept alive is freed. Source: jax.clear_caches.
 *
 * @example
 * const double = jit((x: Tensor) => mul(x, 2));
 * double(array([1.5]));
 * clearCaches();
 * double(array([1.5]));
 * double.traces; // 2
 */
export function clearCaches(): void {
  if (!hasExecutor()) return;
  for (const ref of caches) ref.deref()?.clear();
  // Whoever still holds a body may run it.
  keptBodies.delete(executor());
}

/**
 * Compiled programs of one function, by the structure, shapes and dtypes of what it was called with. `jit` and
 * `nnx.jit` are this with two ways of finding tensors in arguments.
 */
export class StepCache<Aux = unknown> {
  readonly name: string;
  /** Programs belong to the device they were compiled on: after a loss the next one has none yet. */
  readonly #byDevice = new WeakMap<Executor, Map<string, Entry<Aux>>>();
  readonly #maxEntries: number;
  readonly #maxTraces: number;
  #traces = 0;
  /** Those on the device in use, which maxTraces bounds. */
  #counted = 0;
  /** The last entry found: a loop asks for the same again, and is spared a text of all types. */
  #recent: Entry<Aux> | undefined;
  /** The one at the end of its device's map, used last. */
  #newest: Entry<Aux> | undefined;
  /** What the last trace was for. */
  #last: { readonly key: string; readonly types: readonly string[] } | undefined;

  constructor(name: string, options: StepCacheOptions = {}) {
    this.name = name;
    this.#maxEntries = options.maxEntries ?? 64;
    this.#maxTraces = options.maxTraces ?? Number.POSITIVE_INFINITY;
    const ref = new WeakRef<Clearable>(this);
    caches.add(ref);
    gone.register(this, ref);
  }

  /** Forgets what is compiled for the device in use. */
  clear(): void {
    const entries = this.#entries();
    for (const { compiled } of entries.values()) compiled.dispose();
    entries.clear();
    this.#recent = this.#newest = undefined;
    this.#counted = 0;
  }

  /** How often the function was traced. */
  get traces(): number {
    return this.#traces;
  }

  /** The program for these inputs, compiled now if need be. */
  compile(
    key: string,
    inputs: readonly Tensor[],
    donated: readonly boolean[],
    trace: (inputs: readonly Tensor[]) => TraceResult<Aux>,
    names: () => readonly (string | undefined)[] = () => [],
  ): Entry<Aux> {
    const recent = this.#recent;
    if (recent?.key === key && isLike(recent, inputs, donated) && this.refresh(recent)) return recent;
    const mark = configMark();
    let signature = key + mark;
    inputs.forEach((input, k) => {
      signature += ` ${typeOf(input)}${donated[k] === true ? "!" : ""}`;
    });
    const known = this.#entries().get(signature);
    if (known !== undefined && this.refresh(known)) return (this.#recent = known);
    const called = names();
    this.#count(key, inputs, called);
    const capture = new Capture(this.name);
    const symbols = inputs.map((input, index) => capture.input(index, input, called[index]));
    const { graph, aux, keep } = inArena(
      this.name,
      () => {
        const result = capture.run(() => trace(symbols));
        // Before the arena closes: an array made inside may be an output itself.
        return { ...result, graph: capture.finish(result.outputs) };
      },
      () => [],
    );
    const compiled = withEffects(graph, capture.effects, donated, this.name);
    const entry = { compiled, aux, key, avals: inputs.map(avalOf), donated, signature, mark };
    if (keep !== false) this.#keep(signature, entry);
    return entry;
  }

  /** Notes that an entry is used once more; false if it is not kept any more, or was traced under other switches of `config`. */
  refresh(entry: Entry<Aux>): boolean {
    const entries = this.#entries();
    if (entries.get(entry.signature) !== entry || entry.mark !== configMark()) return false;
    if (this.#newest === entry) return true;
    entries.delete(entry.signature);
    entries.set(entry.signature, (this.#newest = entry));
    return true;
  }

  /** Compiles if need be, and every kernel too: nothing runs. */
  async warmup(...call: Parameters<StepCache<Aux>["compile"]>): Promise<void> {
    await this.compile(...call).compiled.warmup();
  }

  #entries(): Map<string, Entry<Aux>> {
    const device = executor();
    let entries = this.#byDevice.get(device);
    if (entries === undefined) {
      this.#byDevice.set(device, (entries = new Map()));
      // A new device is no reason to refuse a trace.
      this.#counted = 0;
    }
    return entries;
  }

  #keep(signature: string, entry: Entry<Aux>): void {
    const entries = this.#entries();
    entries.set(signature, (this.#newest = entry));
    if (entries.size <= this.#maxEntries) return;
    const [oldest] = entries;
    if (oldest === undefined) return;
    entries.delete(oldest[0]);
    oldest[1].compiled.dispose();
  }

  #count(key: string, inputs: readonly Tensor[], names: readonly (string | undefined)[]): void {
    const now = { key, types: inputs.map(typeOf) };
    this.#traces++;
    this.#counted++;
    if (this.#counted > this.#maxTraces)
      throw new ArgumentError(
        `jit: ${this.name} would be traced ${this.#counted} times, over maxTraces ${this.#maxTraces}; ${changeFrom(this.#last, now, names)}; ` +
          "pass what changes as an array instead of a static value, and keep shapes the same",
      );
    this.#last = now;
  }
}

/** The program, with what is done on the host after each run: what that reads comes out behind the outputs. */
function withEffects(graph: Graph, effects: readonly GraphCall[], donated: readonly boolean[], name: string): Runnable {
  if (effects.length === 0) return compileGraph(graph, donated, name);
  const count = graph.outputs.length;
  const outputs = [...graph.outputs, ...effects.flatMap(({ inputs }) => inputs)];
  const whole = compileGraph({ ...graph, outputs }, donated, name);
  return {
    get report() {
      return whole.report;
    },
    inPlace: whole.inPlace.slice(0, count),
    run: (inputs, options) => {
      const made = whole.run(inputs, options);
      let from = count;
      for (const { op, inputs: read } of effects) op.run(made.slice(from, (from += read.length)));
      return made.slice(0, count);
    },
    warmup: () => whole.warmup(),
    dispose: () => whole.dispose(),
  };
}

/** Shape, dtype and weakness alone: the array itself is not kept. */
function avalOf({ shape, dtype, weak }: Aval): Aval {
  return { shape, dtype, weak };
}

/** True for inputs of the types that a program was compiled for, of which the same are given up. */
export function isLike(entry: Entry<unknown>, inputs: readonly Tensor[], donated: readonly boolean[]): boolean {
  const { avals } = entry;
  if (avals.length !== inputs.length) return false;
  for (let k = 0; k < avals.length; k++) {
    const [aval, input] = [avals[k], inputs[k]];
    if (aval === undefined || input === undefined || donated[k] !== entry.donated[k]) return false;
    if (input.dtype !== aval.dtype || input.weak !== aval.weak) return false;
    if (input.shape !== aval.shape && !sameShape(input.shape, aval.shape)) return false;
  }
  return true;
}

/** Shapes as text. Results of one program share their shapes' arrays, so a step that is fed its own finds them here. */
const shapeTexts = new WeakMap<Shape, string>();

function knownText(shape: Shape): string {
  let text = shapeTexts.get(shape);
  if (text === undefined) shapeTexts.set(shape, (text = shapeText(shape)));
  return text;
}

function typeOf({ shape, dtype, weak }: Aval): string {
  return `${dtype}${weak ? "*" : ""}${knownText(shape)}`;
}

interface Signature {
  readonly key: string;
  readonly types: readonly string[];
}

/** Why another trace is needed: the first argument that differs from the last time. */
function changeFrom(before: Signature | undefined, now: Signature, names: readonly (string | undefined)[]): string {
  if (before === undefined) return `called with ${now.types.join(" ")}`;
  if (before.key !== now.key)
    return `the structure of its arguments or a static value changed, from ${before.key} to ${now.key}`;
  const at = now.types.findIndex((type, k) => type !== before.types[k]);
  const name = names[at] ?? `array ${at} among the arguments`;
  return at < 0
    ? "what it was compiled for before is no longer kept (maxEntries)"
    : `${name} was ${before.types[at] ?? "not there"} and is now ${now.types[at] ?? "gone"}`;
}
