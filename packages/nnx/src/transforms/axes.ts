import { ArgumentError, tree } from "@jnx/tensor";
import { GraphError } from "../errors.ts";
import { PathIn, toPredicate, type Filter } from "../filter.ts";
import { iterGraph } from "../graph-walk.ts";
import { partOf, pathText, type Path } from "../node.ts";
import { isVariable, type AnyVariable } from "../variable.ts";
import { RngKey } from "../variable-types.ts";
import { isGraph } from "./lift.ts";
import type { Slot } from "./lifted.ts";

/** Marks what a scan hands from step to step. Source: flax.nnx.Carry. */
export const Carry: unique symbol = Symbol("nnx.Carry");
export type Carry = typeof Carry;

/** Where a batch or time is: an axis, null for what is shared, Carry (in `scan`) for what goes from step to step. */
export type Axis = number | null | Carry;

/** Axes for arguments: one for all, or trees of these that go as deep as they need to; StateAxes for parts of an object. */
export type LiftedAxes = Axis | StateAxes | readonly LiftedAxes[] | { readonly [key: string]: LiftedAxes };

/** Axes nested as an object is. */
type AxesTree = { readonly [key: string]: Axis | AxesTree };

/**
 * Axes for the parts of an object, by filters that are tried in turn; every Variable must be taken by one. Axes nested
 * as the object is give each path its own. Source: flax.nnx.StateAxes.
 *
 * @example
 * const axes = new nnx.StateAxes([[nnx.Param, 0], ["...", null]]);
 * axes.get(nnx.Param); // 0
 */
export class StateAxes implements Iterable<readonly [Filter, Axis]> {
  readonly filters: readonly Filter[];
  readonly axes: readonly Axis[];

  constructor(entries: Iterable<readonly [Filter, Axis]> | AxesTree) {
    const list = isIterable(entries) ? [...entries] : byPath(entries, []);
    this.filters = list.map(([filter]) => filter);
    this.axes = list.map(([, axis]) => axis);
  }

  /** The axis given with a filter; undefined for another filter. */
  get(filter: Filter): Axis | undefined {
    return this.axes[this.filters.indexOf(filter)];
  }

  /** Filters with their axes. */
  items(): [Filter, Axis][] {
    return this.filters.map((filter, k) => [filter, this.axes[k] ?? null]);
  }

  [Symbol.iterator](): Iterator<readonly [Filter, Axis]> {
    return this.items().values();
  }

  get size(): number {
    return this.filters.length;
  }

  /** The axis of a Variable at a path: that of the first filter which takes it; undefined if none does. */
  axisOf(path: Path, variable: unknown): Axis | undefined {
    const position = this.filters.findIndex((filter) => toPredicate(filter)(path, variable));
    return position < 0 ? undefined : (this.axes[position] ?? null);
  }
}

function isIterable(
  entries: Iterable<readonly [Filter, Axis]> | AxesTree,
): entries is Iterable<readonly [Filter, Axis]> {
  return Array.isArray(entries) || entries instanceof Map || entries instanceof StateAxes;
}

function byPath(axes: AxesTree, path: Path): (readonly [Filter, Axis])[] {
  return Object.entries(axes).flatMap(([key, axis]): (readonly [Filter, Axis])[] => {
    const here = [...path, partOf(key)];
    return typeof axis === "object" && axis !== null ? byPath(axis, here) : [[PathIn(here), axis]];
  });
}

/** What axes are asked for, as errors name it. */
export interface Asked {
  /** The transform, and which of its options the axes are. */
  readonly name: string;
  readonly option: string;
  readonly axes: LiftedAxes;
}

/** What the axes say of the leaf of a tree: an axis, or StateAxes for its parts. */
export function prefixAt({ name, option, axes }: Asked, at: Path): Axis | StateAxes {
  let here: LiftedAxes | undefined = axes;
  for (const part of at) {
    if (typeof here !== "object" || here === null || here instanceof StateAxes) break;
    if (isGraph(here))
      throw new ArgumentError(
        `${name}: ${option} holds an object of the graph; use StateAxes for the parts of an object`,
      );
    // A list is indexed by number, anything else by key; what is missing is undefined.
    here = (here as Readonly<Record<string | number, LiftedAxes | undefined>>)[part];
  }
  if (here === Carry || here === null || typeof here === "number" || here instanceof StateAxes) return here;
  throw new ArgumentError(
    `${name}: ${option} has no entry for ${at.length === 0 ? "the result" : `"${pathText(at)}"`}; give a number, null, or StateAxes for an object`,
  );
}

/** The axis of a slot. Keys count theirs as if each key were one element. */
export function axisOf(asked: Asked, slot: Slot): Axis {
  const prefix = prefixAt(asked, slot.at);
  const { name, option } = asked;
  if (!(prefix instanceof StateAxes)) return forKeys(prefix, slot);
  if (slot.cell === undefined)
    throw new ArgumentError(
      `${name}: ${option} has StateAxes for "${pathText(slot.at)}", which is an array; give a number or null`,
    );
  const axis = prefix.axisOf(slot.path, slot.cell.variable ?? slot.cell.holder ?? slot.tensor);
  if (axis !== undefined) return forKeys(axis, slot);
  const what = slot.cell.variable?.type.name ?? "the array";
  throw new GraphError(
    `${name}: no axis for ${what} at "${pathText(slot.path)}" in the StateAxes of ${option}; add a filter that takes it, or ["...", null] as the last`,
  );
}

function forKeys(axis: Axis, { cell }: Slot): Axis {
  return typeof axis === "number" && axis < 0 && cell?.variable instanceof RngKey ? axis - 1 : axis;
}

/** A Variable as it was met: where, and with which axis. */
interface Meeting {
  readonly place: string;
  readonly axis: unknown;
}

/**
 * Throws if one Variable is reached with different axes. `meetings` carries what was met elsewhere: pass the same to the
 * check of the result.
 *
 * @throws GraphError with every path and axis, as flax.nnx's "Inconsistent aliasing detected".
 */
export function checkAliasing(
  asked: Asked,
  values: unknown,
  root: string,
  meetings: Map<AnyVariable, Meeting[]> = new Map(),
): Map<AnyVariable, Meeting[]> {
  const { leaves, paths } = tree.flattenWithPath(values, isGraph);
  leaves.forEach((leaf, k) => {
    if (!isGraph(leaf)) return;
    const at = paths[k] ?? [];
    const prefix = prefixAt(asked, at);
    for (const [path, variable] of iterGraph(leaf)) {
      if (!isVariable(variable)) continue;
      const axis = prefix instanceof StateAxes ? prefix.axisOf(path, variable) : prefix;
      const known = meetings.get(variable) ?? [];
      meetings.set(variable, [...known, { place: `${root}${pathText([...at, ...path])}`, axis }]);
    }
  });
  const wrong = [...meetings].filter(([, list]) => list.some(({ axis }) => axis !== list[0]?.axis));
  if (wrong.length === 0) return meetings;
  const texts = wrong.map(
    ([variable, list]) =>
      `${variable.type.name} ${list.map(({ place, axis }) => `at "${place}" with ${axisText(axis)}`).join(", ")}`,
  );
  throw new GraphError(
    `${asked.name}: inconsistent aliasing: one Variable has different axes: ${texts.join("; ")}; give it the same axis everywhere, or pass it once`,
  );
}

function axisText(axis: unknown): string {
  return axis === Carry ? "Carry" : `axis ${String(axis)}`;
}
