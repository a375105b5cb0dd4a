import { ArgumentError } from "@jnx/tensor";
import { GraphError } from "./errors.ts";
import { toPredicates, type Filter } from "./filter.ts";
import { compareParts, pathText, type Path } from "./node.ts";
import type { Leaf } from "./state.ts";
import { isVariable } from "./variable.ts";

/** A leaf with its path. */
export type FlatEntry = readonly [Path, Leaf];

/**
 * The leaves of a State with their paths, sorted by path: an array of `[path, leaf]` that knows a State's operations.
 * Source: flax.nnx.FlatState.
 *
 * @example
 * const flat = nnx.toFlatState(nnx.state(model));
 * flat.paths[0]; // ["dropout", "rngs", "count"]
 * const [params, rest] = flat.split(nnx.Param, "...");
 * [params.length, rest.length, flat.select(nnx.RngState).length]; // [4, 2, 2]
 */
export class FlatState extends Array<FlatEntry> {
  /** What `map`, `filter` and the like give is a plain array. */
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }

  constructor(entries: Iterable<FlatEntry> = []) {
    super();
    for (const entry of entries) this.push(entry);
    this.sort(([a], [b]) => comparePaths(a, b));
  }

  get paths(): Path[] {
    return Array.from(this, ([path]) => path);
  }

  get leaves(): Leaf[] {
    return Array.from(this, ([, leaf]) => leaf);
  }

  /**
   * A FlatState for each filter, every leaf in that of the first filter that takes it.
   *
   * @throws GraphError when a leaf is taken by none.
   */
  split<const F extends readonly Filter[]>(...filters: F): { -readonly [K in keyof F]: FlatState } {
    const groups = exhaustiveGroups("FlatState.split", this, filters).map((group) => new FlatState(group));
    return groups as { -readonly [K in keyof F]: FlatState }; // one for each filter
  }

  /** The leaves that a filter takes; of several filters a FlatState for each. Flax's `filter`, a name that arrays have. */
  select(filter: Filter): FlatState;
  select(first: Filter, second: Filter, ...more: readonly Filter[]): FlatState[];
  select(...filters: readonly Filter[]): FlatState | FlatState[] {
    const groups = groupLeaves(this, filters).slice(0, -1);
    const [first, ...others] = groups.map((group) => new FlatState(group));
    if (first === undefined) throw new ArgumentError("FlatState.select: needs a filter that says what to take");
    return others.length === 0 ? first : [first, ...others];
  }

  /** Several in one; of two leaves at the same path the later wins. */
  merge(...others: readonly FlatState[]): FlatState {
    return new FlatState(mergeEntries([this, ...others]));
  }
}

function comparePaths(a: Path, b: Path): number {
  for (const [k, part] of a.entries()) {
    const other = b[k];
    if (other === undefined) return 1;
    const order = compareParts(part, other);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

/** Leaves by path; of two at the same path the later. */
export function mergeEntries(lists: readonly (readonly FlatEntry[])[]): Iterable<FlatEntry> {
  const merged = new Map<string, FlatEntry>();
  for (const list of lists) for (const entry of list) merged.set(JSON.stringify(entry[0]), entry);
  return merged.values();
}

/** Leaves in groups, each in that of the first filter that takes it; the last group is what none takes. */
export function groupLeaves(leaves: readonly FlatEntry[], filters: readonly Filter[]): FlatEntry[][] {
  const predicates = toPredicates(filters);
  const groups: FlatEntry[][] = [...predicates.map(() => []), []];
  for (const entry of leaves) {
    const [path, leaf] = entry;
    const index = predicates.findIndex((takes) => takes(path, leaf));
    groups.at(index)?.push(entry);
  }
  return groups;
}

/** Groups that must take every leaf between them. */
export function exhaustiveGroups(
  name: string,
  leaves: readonly FlatEntry[],
  filters: readonly Filter[],
): FlatEntry[][] {
  const groups = groupLeaves(leaves, filters);
  const rest = groups.pop() ?? [];
  if (rest.length === 0) return groups;
  const examples = rest.slice(0, 5).map(([path, leaf]) => `"${pathText(path)}" (${leafName(leaf)})`);
  throw new GraphError(
    `${name}: the filters leave out ${rest.length} of ${leaves.length} leaves: ${examples.join(", ")}${rest.length > 5 ? ", …" : ""}; ` +
      'add "..." as the last filter to take the rest',
  );
}

function leafName(leaf: Leaf): string {
  return isVariable(leaf) ? leaf.type.name : "Tensor";
}
