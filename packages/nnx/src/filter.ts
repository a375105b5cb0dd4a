import { ArgumentError, Tensor } from "@jnx/tensor";
import { describedAs, functionText } from "./identity.ts";
import { makeEmpty, type Path } from "./node.ts";
import { Variable, type VariableClass } from "./variable.ts";
import { checkKeys } from "@jnx/tensor/internal";

/** Says whether a leaf (a Variable, a Tensor) at a path is taken. */
export type Predicate = (path: Path, value: unknown) => boolean;

/**
 * Which leaves: a class (its instances), a string (a Variable or stream whose `tag` it is), `true` or `"..."` (all),
 * `false`, `null` or `undefined` (none), a predicate, or an array of filters, any of which may take a leaf.
 * Source: flax.nnx.filterlib.Filter.
 */
export type Filter = FilterClass | Predicate | string | boolean | null | undefined | readonly Filter[];

/** A class that filters can ask for: Variables, Tensor, Modules. */
export type FilterClass = VariableClass | typeof Tensor | (abstract new (...args: never[]) => object);

/** The predicate that a filter stands for. Source: flax.nnx.filterlib.to_predicate. */
export function toPredicate(filter: Filter): Predicate {
  if (filter === "..." || filter === true) return Everything();
  if (typeof filter === "string") return WithTag(filter);
  if (filter === false || filter === null || filter === undefined) return Nothing();
  if (typeof filter === "function") return isClass(filter) ? OfType(filter) : filter;
  if (Array.isArray(filter)) return Any(...filter);
  throw new ArgumentError(
    `filter: expected a class, a string, a boolean, a predicate or an array of these, received ${typeof filter}`,
  );
}

/**
 * Predicates of filters that are tried in turn.
 *
 * @throws ArgumentError when one that takes everything comes before one that does not: the later would get nothing.
 */
export function toPredicates(filters: readonly Filter[]): Predicate[] {
  const total = (filter: Filter): boolean => filter === "..." || filter === true;
  const first = filters.findIndex(total);
  if (first >= 0 && !filters.slice(first).every(total)) {
    throw new ArgumentError(
      `filter: "..." or true can only be the last filter, found at position ${first} of ${filters.length}`,
    );
  }
  return filters.map(toPredicate);
}

/** Classes and predicates are both functions; these are the classes that leaves and nodes can be of. */
function isClass(filter: FilterClass | Predicate): filter is FilterClass {
  if (filter === Tensor || filter === Variable || makeEmpty in filter) return true;
  const prototype: unknown = filter.prototype;
  return prototype instanceof Variable || prototype instanceof Tensor;
}

/**
 * Takes instances of a class, subclasses included. Source: flax.nnx.OfType.
 * @example nnx.toFlatState(nnx.state(model, nnx.OfType(nnx.RngState))).length; // 2
 */
export function OfType(cls: FilterClass): Predicate {
  return described(`OfType(${functionText(cls)})`, (_path, value) => value instanceof cls);
}

/**
 * Takes Variables and streams whose tag this is. Source: flax.nnx.WithTag.
 * @example nnx.toFlatState(nnx.state(new nnx.Rngs({ params: 0, dropout: 1 }), nnx.WithTag("dropout"))).length; // 2
 */
export function WithTag(tag: string): Predicate {
  return described(`WithTag(${JSON.stringify(tag)})`, (_path, value) => {
    if (value instanceof Variable) return value.metadata["tag"] === tag;
    return (
      (typeof value === "object" || typeof value === "function") &&
      value !== null &&
      "tag" in value &&
      value.tag === tag
    );
  });
}

/**
 * Takes what lies under a key, anywhere on its path; with `exact: false` under a key that contains it as text.
 * Source: flax.nnx.PathContains.
 *
 * @example nnx.toFlatState(nnx.state(model, nnx.PathContains("hidden"))).length; // 2
 */
export function PathContains(key: string | number, options: { readonly exact?: boolean } = {}): Predicate {
  checkKeys("PathContains", options, "exact?");
  const { exact = true } = options;
  const takes: Predicate = exact
    ? (path) => path.includes(key)
    : (path) => path.some((part) => String(part).includes(String(key)));
  return described(`PathContains(${JSON.stringify(key)}, ${exact})`, takes);
}

/**
 * Takes what lies at exactly one of the paths. Source: flax.nnx.filterlib.PathIn.
 * @example nnx.toFlatState(nnx.state(model, nnx.PathIn(["out", "bias"]))).length; // 1
 */
export function PathIn(...paths: readonly Path[]): Predicate {
  const known = new Set(paths.map((path) => JSON.stringify(path)));
  return described(`PathIn(${JSON.stringify(paths)})`, (path) => known.has(JSON.stringify(path)));
}

/**
 * Takes what every filter takes. Source: flax.nnx.All.
 * @example nnx.toFlatState(nnx.state(model, nnx.All(nnx.Param, nnx.PathContains("out")))).length; // 2
 */
export function All(...filters: readonly Filter[]): Predicate {
  const predicates = filters.map(toPredicate);
  return described(textOf("All", predicates), (path, value) => predicates.every((takes) => takes(path, value)));
}

/**
 * Takes what at least one filter takes. Source: flax.nnx.Any.
 * @example nnx.toFlatState(nnx.state(model, nnx.Any(nnx.RngKey, nnx.PathIn(["out", "bias"])))).length; // 2
 */
export function Any(...filters: readonly Filter[]): Predicate {
  const predicates = filters.map(toPredicate);
  return described(textOf("Any", predicates), (path, value) => predicates.some((takes) => takes(path, value)));
}

/**
 * Takes what a filter does not. Source: flax.nnx.Not.
 * @example nnx.toFlatState(nnx.state(model, nnx.Not(nnx.Param))).length; // 2
 */
export function Not(filter: Filter): Predicate {
  const takes = toPredicate(filter);
  return described(textOf("Not", [takes]), (path, value) => !takes(path, value));
}

/**
 * Takes all. Source: flax.nnx.Everything.
 * @example nnx.toFlatState(nnx.state(model, nnx.Everything())).length; // 6
 */
export function Everything(): Predicate {
  return described("Everything", () => true);
}

/**
 * Takes none. Source: flax.nnx.Nothing.
 * @example nnx.toFlatState(nnx.state(model, nnx.Nothing())).length; // 0
 */
export function Nothing(): Predicate {
  return described("Nothing", () => false);
}

/** Two filters made alike are equal wherever structure is compared, though they are two functions. */
function described(text: string, predicate: Predicate): Predicate {
  return Object.assign(predicate, { [describedAs]: text });
}

function textOf(name: string, parts: readonly Predicate[]): string {
  return `${name}(${parts.map(functionText).join(", ")})`;
}
