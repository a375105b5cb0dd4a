import { add, ArgumentError, broadcastTo, Tensor, type Shape, type TensorLike } from "@jnx/tensor";
import * as random from "@jnx/tensor/random";
import { hostValues, literal, checkKeys } from "@jnx/tensor/internal";
import { toPredicate, type Filter } from "./filter.ts";
import { makeEmpty, tellsOfUse } from "./node.ts";
import { Pytree } from "./pytree.ts";
import { checkWritable, readRaw, replaceValues } from "./variable.ts";
import { RngCount, RngKey } from "./variable-types.ts";

/** What a stream can start from: a seed, a key, or another stream, whose key is taken. */
export type Seed = number | bigint | Tensor | RngStream;

/** A stream is called like a function: `rngs.params()`. */
// This call signature belongs to every instance: the constructor returns a function.
// eslint-disable-next-line @typescript-eslint/no-unsafe-declaration-merging
export interface RngStream {
  (): Tensor;
}

/**
 * An endless sequence of keys: the n-th is foldIn(key, n). The base key never changes, the count is a Variable, so the
 * sequence goes on across `jit`. Source: flax.nnx.RngStream.
 *
 * @example
 * const stream = new nnx.RngStream(0, { tag: "noise" });
 * await random.normal(stream(), [2]).toArray(); // [1.004, -0.90634]
 */
// eslint-disable-next-line @typescript-eslint/no-unsafe-declaration-merging
export class RngStream extends Pytree {
  /** The name it was made under; a filter of that name finds its key and count. */
  declare readonly tag: string;
  declare readonly key: RngKey;
  declare readonly count: RngCount;

  constructor(key: number | bigint | TensorLike, options: { readonly tag?: string } = {}) {
    checkKeys("RngStream", options, "tag");
    super();
    const { tag = "default" } = options;
    const base = keyOf(tag, key);
    const stream = callable(new.target);
    return Object.assign(stream, {
      tag,
      key: new RngKey(base, { tag }),
      count: new RngCount(literal(0, keyShape(base), "uint32"), { tag }),
    });
  }

  /** @internal */
  static readonly [tellsOfUse] = true;

  /** @internal */
  static override [makeEmpty](): RngStream {
    return callable(this);
  }

  /** The next key. The same as calling the stream. */
  call(): Tensor {
    checkWritable(this.count);
    const key = random.foldIn(random.wrapKeyData(readRaw(this.key)), readRaw(this.count));
    increment(this.count);
    return key;
  }

  /** A stream of its own that starts at this one's next key, with the same tag. */
  fork(): RngStream {
    return new RngStream(this.call(), { tag: this.tag });
  }

  /** A stream of `splits` keys, one for each member of a vmap or scan, made of this one's next key. */
  split(splits: number | Shape): RngStream {
    return new RngStream(random.split(this.call(), splits), { tag: this.tag });
  }

  /** A stream whose keys are this one's next key, repeated to a shape. */
  broadcast(shape: number | Shape): RngStream {
    const key = this.call();
    const batch = typeof shape === "number" ? [shape] : shape;
    return new RngStream(broadcastTo(key, [...batch, ...key.shape]), { tag: this.tag });
  }
}

/** The shape of an array of keys, without what one key has. */
export function keyShape(key: Tensor): Shape {
  return random.keyData(key).shape.slice(0, -1);
}

/** A function with a class's methods: what makes `stream()` work. */
function callable(cls: { readonly prototype: unknown }): RngStream {
  const stream = (): Tensor => result.call();
  // The prototype gives it all that the class declares; the fields follow.
  const result = Object.setPrototypeOf(stream, cls.prototype as object) as RngStream;
  return result;
}

function keyOf(tag: string, seed: number | bigint | TensorLike): Tensor {
  if (typeof seed === "number" || typeof seed === "bigint") return random.key(seed);
  if (seed instanceof Tensor || (typeof seed === "object" && seed !== null)) return random.wrapKeyData(seed);
  throw new ArgumentError(
    `Rngs: stream "${tag}" needs a seed or a key, received ${String(seed)}; pass a whole number or random.key(seed)`,
  );
}

/** Adds 1 to a whole-number Variable, on the host while its value is known there: that costs no dispatch. */
export function increment(variable: RngCount): void {
  checkWritable(variable);
  const value = readRaw(variable);
  const known = value.payload.kind === "literal" ? hostValues(value) : undefined;
  const [first] = known ?? [];
  const next = first === undefined ? add(value, 1) : literal(first + 1, value.shape, value.dtype);
  replaceValues([{ variable, next }], "this count has gone on");
}

/** Names that streams usually have; they are typed on every Rngs. */
export type CommonStream = "default" | "params" | "dropout" | "noise" | "carry";

/** What modules take to make their parameters. */
export interface RngsOptions {
  readonly rngs: Rngs;
}

/**
 * Named streams of keys. `rngs.params()` gives the next key of the stream `params`, or, where there is none of that
 * name, of `default`. `new Rngs(0)` has only a default stream, which all names then share.
 * Source: flax.nnx.Rngs.
 *
 * @throws ArgumentError for a stream that is neither there nor has a default to stand in for it.
 * @example
 * const rngs = new nnx.Rngs(0);                           // one seed for all
 * const named = new nnx.Rngs({ params: 0, dropout: 1 });  // one for each
 * const layer = new nnx.Linear(3, 4, { rngs });
 * rngs.stream("anything")();                              // names that types do not know
 * named.names(); // ["params", "dropout"]
 */
export type Rngs<N extends string = never> = RngsNode & { readonly [K in N | CommonStream]: RngStream };

export class RngsNode extends Pytree {
  static override readonly name = "Rngs";
  /** @internal */
  static readonly [tellsOfUse] = true;

  constructor(defaults?: Seed | StreamSeeds, streams: StreamSeeds = {}) {
    super();
    const named = isSeed(defaults) || defaults === undefined ? streams : { ...defaults, ...streams };
    const seeds: [string, Seed][] = Object.entries(named);
    if (isSeed(defaults)) seeds.push(["default", defaults]);
    for (const [tag, seed] of seeds) {
      const start = seed instanceof RngStream ? readRaw(seed.key) : seed;
      setStream(this, tag, new RngStream(start, { tag }));
    }
    return proxied(this);
  }

  /** @internal */
  static override [makeEmpty](): RngsNode {
    // As in Pytree: an instance of this class without its constructor.
    return proxied(Reflect.construct(Pytree, [], this) as RngsNode);
  }

  /** The next key of the default stream. */
  call(): Tensor {
    return this.stream("default").call();
  }

  /** The stream of a name, or the default stream. */
  stream(name: string): RngStream {
    const found = ownStream(this, name) ?? ownStream(this, "default");
    if (found !== undefined) return found;
    const names = this.names();
    throw new ArgumentError(
      `Rngs: no stream "${name}" and no default; there ${names.length === 1 ? "is" : "are"} ${names.join(", ") || "none"}; add it to new Rngs({ … })`,
    );
  }

  /** The streams that there are. */
  names(): string[] {
    return Object.keys(this).filter((name) => ownStream(this, name) !== undefined);
  }

  /** True if there is a stream of this very name. */
  has(name: string): boolean {
    return ownStream(this, name) !== undefined;
  }

  /** The streams that there are, with their names. */
  items(): [string, RngStream][] {
    return this.names().map((name) => [name, this.stream(name)]);
  }

  [Symbol.iterator](): Iterator<string> {
    return this.names().values();
  }

  /** A new Rngs whose streams each start at the next key of the one here. */
  fork(): Rngs {
    return remade(this, [["...", true]], (stream) => stream.fork());
  }

  /**
   * A new Rngs of split streams: all of them, or by filter, `[["params", 5], ["dropout", null], ["...", [2, 5]]]`; the
   * first filter that takes a stream says how, null or none leaves it, with its count at 0.
   */
  split(splits: number | Shape | PerStream<number | Shape | null>): Rngs {
    return remade(this, perStream(splits), (stream, into) => stream.split(into));
  }

  /** A new Rngs of streams whose next key is repeated to a shape: all, or by filter as in `split`. */
  broadcast(shape: number | Shape | PerStream<number | Shape | null>): Rngs {
    return remade(this, perStream(shape), (stream, into) => stream.broadcast(into));
  }

  /** The Rngs itself, or one of a seed or of seeds by name. */
  static from(source: Rngs | Seed | StreamSeeds): Rngs {
    // The constructor's two forms, of which one is a seed; and an Rngs is what this class makes.
    return (source instanceof RngsNode ? source : new RngsNode(source as Seed | StreamSeeds)) as Rngs;
  }
}

/** What to do with streams, by filter; the first that takes a stream counts. */
export type PerStream<T> = readonly (readonly [Filter, T])[];

function isPerStream<T>(value: unknown): value is PerStream<T> {
  return Array.isArray(value) && value.every((entry) => Array.isArray(entry) && entry.length === 2);
}

/** A number or a shape for every stream as rules. */
export function perStream<T>(value: number | Shape | PerStream<T>): PerStream<T | number | Shape> {
  if (isPerStream<T>(value)) return value;
  return [["...", value]];
}

function remade<T>(rngs: RngsNode, rules: PerStream<T | null>, make: (stream: RngStream, how: T) => RngStream): Rngs {
  const predicates = rules.map(([filter, how]) => [toPredicate(filter), how] as const);
  const made = new Rngs();
  for (const [name, stream] of rngs.items()) {
    const how = predicates.find(([takes]) => takes([], stream))?.[1] ?? null;
    const next = how === null ? new RngStream(readRaw(stream.key), { tag: name }) : make(stream, how);
    setStream(made, name, next);
  }
  return made;
}

/** Streams by name, with what each starts from. */
export type StreamSeeds = Readonly<Record<string, Seed>>;

/** The class `Rngs`: calling its constructor with names gives an Rngs on which they are typed. */
export const Rngs: {
  new (seed?: Seed): Rngs;
  new <const S extends StreamSeeds>(streams: S): Rngs<keyof S & string>;
  new <const S extends StreamSeeds>(seed: Seed, streams: S): Rngs<keyof S & string>;
  from(source: Rngs | Seed | StreamSeeds): Rngs;
  readonly prototype: RngsNode;
  // The constructor returns a proxy on which every name is a stream, which its own type cannot say.
} = RngsNode as never;

function isSeed(value: Seed | StreamSeeds | undefined): value is Seed {
  return (
    typeof value === "number" || typeof value === "bigint" || value instanceof Tensor || value instanceof RngStream
  );
}

function setStream(rngs: object, name: string, stream: RngStream): void {
  Object.defineProperty(rngs, name, { value: stream, writable: true, enumerable: true, configurable: true });
}

function ownStream(rngs: object, name: string): RngStream | undefined {
  const value: unknown = Object.getOwnPropertyDescriptor(rngs, name)?.value;
  return value instanceof RngStream ? value : undefined;
}

/** Names that languages and tools look up on any object: not streams. */
const NOT_STREAMS: ReadonlySet<string> = new Set([
  "then",
  "toJSON",
  "constructor",
  "asymmetricMatch",
  "nodeType",
  "tagName",
  "$$typeof",
  "inspect",
  "length",
  "size",
  "tag",
]);

function proxied(node: RngsNode): RngsNode {
  return new Proxy(node, {
    get: (target, name, receiver): unknown =>
      typeof name === "symbol" ||
      name in target ||
      NOT_STREAMS.has(name) ||
      name.startsWith("@@") ||
      name.startsWith("_")
        ? Reflect.get(target, name, receiver)
        : target.stream(name),
  });
}
