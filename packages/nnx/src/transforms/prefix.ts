import { ArgumentError, Tensor, tree } from "@jnx/tensor";
import { GraphError } from "../errors.ts";
import { PathIn, toPredicate, type Filter } from "../filter.ts";
import { flattenGraph, type Place } from "../graph-def.ts";
import { pathText, type Path } from "../node.ts";
import type { Leaf } from "../state.ts";
import { StateAxes, type Axis, type LiftedAxes } from "./axes.ts";
import { isGraph } from "./lift.ts";

/** Axes by filter, the first that takes a leaf counts; or what a function says of each leaf. */
export type PrefixRules = Iterable<readonly [Filter, Axis]> | ((path: Path, leaf: Leaf) => Axis);

/**
 * Axes for a tree of objects, for `vmap` and `scan`: for each object StateAxes that give every leaf its own axis, for a
 * Variable or an array alone the axis itself. Paths start at each object. Source: flax.nnx.prefix.
 *
 * @throws GraphError with the path of a leaf that no filter takes.
 * @example
 * const many = nnx.vmap((rngs: nnx.Rngs) => new nnx.Linear(2, 3, { rngs }))(new nnx.Rngs(0).split(4));
 * const axes = nnx.prefix([many, x], [[nnx.Param, 0], ["...", null]]);
 * nnx.vmap((net: nnx.Linear, v: Tensor) => net.call(v), { inAxes: axes })(many, x).shape; // [4, 3, 3]
 */
export function prefix<T>(node: T, rules: PrefixRules): T extends readonly unknown[] ? LiftedAxes[] : LiftedAxes {
  const axisOf = ruleOf(rules);
  const [leaves, def] = tree.flatten(node, isGraph);
  const axes = leaves.map((leaf): Axis | StateAxes => {
    if (leaf instanceof Tensor) return axisOf([], leaf);
    if (!isGraph(leaf)) return null;
    const { places } = flattenGraph(leaf);
    const [first] = places;
    return first?.path.length === 0 ? axisOf([], first.leaf) : byAxis(places, axisOf);
  });
  return tree.unflatten(def, axes) as T extends readonly unknown[] ? LiftedAxes[] : LiftedAxes; // an axis for each leaf
}

function ruleOf(rules: PrefixRules): (path: Path, leaf: Leaf) => Axis {
  if (typeof rules === "function") return rules;
  if (typeof rules !== "object" || !(Symbol.iterator in rules))
    throw new ArgumentError(`prefix: expected a list of [filter, axis] or a function, received ${typeof rules}`);
  const list = [...rules];
  const predicates = list.map(([filter]) => toPredicate(filter));
  return (path, leaf) => {
    const position = predicates.findIndex((takes) => takes(path, leaf));
    const found = list[position];
    if (found !== undefined) return found[1];
    throw new GraphError(
      `prefix: no filter takes the ${leaf.constructor.name} at "${pathText(path)}"; add one that does, or ["...", null] as the last`,
    );
  };
}

/** StateAxes with a filter for each axis: the paths that have it. */
function byAxis(places: readonly Place[], axisOf: (path: Path, leaf: Leaf) => Axis): StateAxes {
  const paths = new Map<Axis, Path[]>();
  for (const { path, leaf } of places) {
    const axis = axisOf(path, leaf);
    paths.set(axis, [...(paths.get(axis) ?? []), path]);
  }
  return new StateAxes([...paths].map(([axis, own]) => [PathIn(...own), axis] as const));
}
