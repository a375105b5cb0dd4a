import { ArgumentError, type Shape, type Tensor } from "@jnx/tensor";
import * as random from "@jnx/tensor/random";
import { literal, type AnyFunction, checkKeys } from "@jnx/tensor/internal";
import { toPredicate, type Filter } from "./filter.ts";
import { iterGraph, recursiveMap } from "./graph-walk.ts";
import { nodeClass, pathText, type Path } from "./node.ts";
import { keyShape, perStream, Rngs, RngStream, type PerStream, type StreamSeeds } from "./rngs.ts";
import { readRaw } from "./variable.ts";

/** A stream with the key, and the count where one is kept, that it had. */
export type StreamBackup = readonly [stream: RngStream, key: Tensor, count?: Tensor];

/**
 * What streams were before `splitRngs` or `forkRngs` changed them; `restoreRngs` puts it back, and so does the end of a
 * block that declares it with `using`. Source: flax.nnx's SplitBackups.
 *
 * @example
 * const rngs = new nnx.Rngs(0);
 * const backups = nnx.splitRngs(rngs, { splits: 3 });
 * backups.restore();
 * rngs.stream("default").key.shape; // []
 */
export class SplitBackups implements Iterable<StreamBackup> {
  readonly backups: readonly StreamBackup[];
  constructor(backups: readonly StreamBackup[]) {
    this.backups = backups;
  }

  [Symbol.iterator](): Iterator<StreamBackup> {
    return this.backups.values();
  }

  /** Puts keys and counts back. */
  restore(): void {
    restoreRngs(this);
  }
}
// `using backups = nnx.splitRngs(…)` where the language has it.
const dispose: unknown = Reflect.get(Symbol, "dispose");
if (typeof dispose === "symbol")
  Object.defineProperty(SplitBackups.prototype, dispose, { value: SplitBackups.prototype.restore });

/** Options of `splitRngs`. */
export interface SplitRngsOptions {
  /** How many keys each stream becomes, or their shape. */
  readonly splits: number | Shape;
  /** Which streams; a filter must take the stream's key and count. All unless given. */
  readonly only?: Filter;
  /** True, with `splits: 1`, for one key without a new axis. */
  readonly squeeze?: boolean;
}

/**
 * Splits the streams of an object in place, for a vmap or scan over it, and gives what `restoreRngs` undoes it with;
 * each stream's count goes on by one. Of a function it makes one whose arguments' streams are split while it runs.
 *
 * @throws ArgumentError for `squeeze` with other splits than 1. Source: flax.nnx.split_rngs.
 * @example
 * const rngs = new nnx.Rngs({ params: 0, dropout: 1 });
 * const backups = nnx.splitRngs(rngs, { splits: 5, only: "params" });
 * random.keyData(rngs.params.key.value).shape; // [5, 2]
 * nnx.restoreRngs(backups);
 * await rngs.params.count.value.item(); // 1
 */
export function splitRngs<F extends AnyFunction>(f: F, options: SplitRngsOptions): F;
export function splitRngs(node: object, options: SplitRngsOptions): SplitBackups;
export function splitRngs(node: object, options: SplitRngsOptions): unknown {
  checkKeys("splitRngs", options, "splits only squeeze?");
  const { splits, squeeze = false, only = "..." } = options;
  if (squeeze && splits !== 1)
    throw new ArgumentError(`splitRngs: squeeze needs splits: 1, received ${String(splits)}`);
  if (isPlainFunction(node)) return during(node, (args) => splitRngs(args, options));
  const batch = typeof splits === "number" ? [splits] : splits;
  return change(node, [[only, true]], (stream) => {
    const keys = random.split(stream.call(), squeeze ? [] : splits);
    const shape = readRaw(stream.count).shape;
    return [keys, squeeze ? shape : [...batch, ...shape]];
  });
}

/** Options of `forkRngs`. */
export interface ForkRngsOptions {
  /** How many keys each stream becomes: for all, or by filter. Not split unless given. */
  readonly split?: number | Shape | PerStream<number | Shape | null>;
}

/**
 * Gives the streams of an object new keys of their own in place, so that the original sequence can be gone back to with
 * `restoreRngs`. Of a function it makes one whose arguments' streams are forked while it runs. Source: flax.nnx.fork_rngs.
 *
 * @example
 * const rngs = new nnx.Rngs(0);
 * nnx.restoreRngs(nnx.forkRngs(rngs));
 * await rngs.stream("default").count.value.item(); // 1
 */
export function forkRngs<F extends AnyFunction>(f: F, options?: ForkRngsOptions): F;
export function forkRngs(node: object, options?: ForkRngsOptions): SplitBackups;
export function forkRngs(node: object, options: ForkRngsOptions = {}): unknown {
  checkKeys("forkRngs", options, "split");
  if (isPlainFunction(node)) return during(node, (args) => forkRngs(args, options));
  const rules: PerStream<number | Shape | null> =
    options.split === undefined ? [["...", null]] : perStream(options.split);
  return change(node, rules, (stream, into) => {
    const forked = into === null ? stream.fork() : stream.split(into);
    return [readRaw(forked.key), readRaw(forked.count).shape];
  });
}

/** A function whose name is no node's: RngStreams are functions, too. */
function isPlainFunction(value: object): value is AnyFunction {
  return typeof value === "function" && nodeClass(value) === undefined;
}

function during(f: AnyFunction, start: (args: unknown[]) => SplitBackups): AnyFunction {
  return (...args: unknown[]): unknown => {
    const backups = start(args);
    try {
      return f(...args);
    } finally {
      backups.restore();
    }
  };
}

/** Applies the rules to the streams of an object; a stream is changed once for every rule that takes it, as in Flax. */
function change<T>(
  node: object,
  rules: PerStream<T>,
  make: (stream: RngStream, how: T) => readonly [key: Tensor, countShape: Shape],
): SplitBackups {
  const predicates = rules.map(([filter, how]) => [toPredicate(filter), how] as const);
  const backups: StreamBackup[] = [];
  for (const [path, stream] of streamsOf(node)) {
    for (const [takes, how] of predicates) {
      if (!takes([...path, "key"], stream.key) || !takes([...path, "count"], stream.count)) continue;
      const before = readRaw(stream.key);
      const [key, shape] = make(stream, how);
      backups.push([stream, before, readRaw(stream.count)]);
      reset(stream, key, shape);
    }
  }
  // A stream changed twice must get back what it had first.
  return new SplitBackups(backups.reverse());
}

function reset(stream: RngStream, key: Tensor, countShape: Shape): void {
  stream.key.setRawValue(key);
  stream.count.setRawValue(literal(0, countShape, "uint32"));
}

/** The streams of an object with their paths, each once. */
function streamsOf(node: unknown): [Path, RngStream][] {
  return [...iterGraph(node)].flatMap(([path, value]): [Path, RngStream][] =>
    value instanceof RngStream ? [[path, value]] : [],
  );
}

/** Options of `withRngs`. */
export interface WithRngsOptions {
  /** Streams to split, for all or by filter. */
  readonly split?: number | Shape | PerStream<number | Shape>;
  /** Streams whose next key is repeated, for all or by filter. */
  readonly broadcast?: number | Shape | PerStream<number | Shape>;
  /** Streams to fork: a filter, or several. */
  readonly fork?: Filter;
  /** Which streams are looked at; all unless given. */
  readonly only?: Filter;
}

/**
 * A copy of an object with other streams: split, repeated or forked, whichever rule takes one. It shares all else with
 * the original, whose streams go on by the key that was drawn. Of a function it makes one that gets such copies.
 *
 * @throws ArgumentError when two rules that do not take everything take the same stream. Source: flax.nnx.with_rngs.
 * @example
 * const batch = nnx.withRngs(new nnx.Rngs({ params: 0, dropout: 1 }), { split: [["params", 3]], broadcast: [["dropout", 3]] });
 * random.keyData(batch.params.key.value).shape; // [3, 2]
 */
export function withRngs<T extends object>(node: T, options: WithRngsOptions): T {
  checkKeys("withRngs", options, "split broadcast fork only");
  // A function of the same arguments takes the place of a function.
  if (isPlainFunction(node)) return ((...args: unknown[]): unknown => node(...withRngs(args, options))) as unknown as T;
  const rules = rulesOf(options);
  const only = toPredicate(options.only ?? "...");
  return recursiveMap((path, value) => {
    if (!(value instanceof RngStream) || !only(path, value)) return value;
    const found = rules.flatMap((group) => group.find(({ filter }) => toPredicate(filter)(path, value)) ?? []);
    const specific = found.filter(({ filter }) => filter !== "..." && filter !== true);
    if (specific.length > 1)
      throw new ArgumentError(
        `withRngs: the stream at "${pathText(path)}" is taken by ${specific.map(({ name }) => name).join(" and ")}; let one rule take it`,
      );
    return found[0]?.apply(value) ?? value;
  }, node);
}

interface Rule {
  readonly name: string;
  readonly filter: Filter;
  apply(stream: RngStream): RngStream;
}

function rulesOf({ split = [], broadcast = [], fork = [] }: WithRngsOptions): Rule[][] {
  const forks = Array.isArray(fork) ? (fork as readonly Filter[]) : [fork]; // an array is several filters
  return [
    perStream(split).map(([filter, into]) => ({ name: "split", filter, apply: (one) => one.split(into) })),
    perStream(broadcast).map(([filter, into]) => ({ name: "broadcast", filter, apply: (one) => one.broadcast(into) })),
    forks.map((filter) => ({ name: "fork", filter, apply: (one) => one.fork() })),
  ];
}

/** Options of `reseed`. */
export interface ReseedOptions {
  /**
   * What becomes of a stream with several keys: an error ("scalarsOnly", unless given), as many of the new key
   * ("matchShape"), or what a function of path, new key and shape gives.
   */
  readonly policy?: "scalarsOnly" | "matchShape" | ((path: Path, key: Tensor, shape: Shape) => Tensor);
}

/**
 * Starts streams anew, by their tags: the first stream of a tag gets the first key of its seed, the next the second, as
 * layers did when they were made of an Rngs with that seed. Counts go back to 0. Source: flax.nnx.reseed.
 *
 * @throws ArgumentError for a stream of several keys, unless a policy says what to do.
 * @example
 * const net = new nnx.Dropout(0.5, { rngs: new nnx.Rngs({ dropout: 42 }) });
 * net.call(x);
 * nnx.reseed(net, { dropout: 42 }); // the next mask is the first again
 */
export function reseed(node: object, seeds: StreamSeeds, options: ReseedOptions = {}): void {
  checkKeys("reseed", options, "policy");
  const { policy = "scalarsOnly" } = options;
  const rngs = new Rngs(seeds);
  const streams = streamsOf(node).filter(([, stream]) => Object.hasOwn(seeds, tagOf(stream)));
  const next = streams.map(([path, stream]): [RngStream, Tensor] => {
    const shape = keyShape(readRaw(stream.key));
    const key = rngs.stream(tagOf(stream)).call();
    if (typeof policy === "function") return [stream, policy(path, key, shape)];
    if (shape.length === 0) return [stream, key];
    if (policy === "matchShape") return [stream, random.split(key, shape)];
    throw new ArgumentError(
      `reseed: the stream at "${pathText(path)}" has keys of shape [${shape.join(", ")}]; pass { policy: "matchShape" } if they are all different, or a function`,
    );
  });
  for (const [stream, key] of next) reset(stream, key, keyShape(key));
}

function tagOf(stream: RngStream): string {
  return String(stream.key.getMetadata("tag", stream.tag));
}

/**
 * The keys of an object's streams, for `restoreRngs`. Counts are not kept. Source: flax.nnx.rnglib.backup_keys.
 * @example nnx.backupKeys(model).length; // 1
 */
export function backupKeys(node: object): StreamBackup[] {
  return streamsOf(node).map(([, stream]) => [stream, readRaw(stream.key)]);
}

/**
 * Puts keys, and counts where they were kept, back into their streams. Source: flax.nnx.restore_rngs.
 * @example nnx.restoreRngs(nnx.forkRngs(model));
 */
export function restoreRngs(backups: Iterable<StreamBackup>): void {
  for (const [stream, key, count] of backups) {
    stream.key.setRawValue(key);
    if (count !== undefined) stream.count.setRawValue(count);
  }
}
