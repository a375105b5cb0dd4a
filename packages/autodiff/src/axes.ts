import { asTensor, isData, normalizeAxis } from "@jnx/tensor/internal";
import { ArgumentError, moveaxis, ShapeError, tree } from "@jnx/tensor";
import type { Tensor } from "@jnx/tensor";

/**
 * Which axis of each array is the batch: a number for all leaves, null for what every example shares, or a tree of
 * these that goes as deep as it needs to.
 */
export type Axes = number | null | readonly Axes[] | { readonly [key: string]: Axes };

/** A leaf of a function's arguments, with the axis that is mapped. */
export interface MappedLeaf {
  readonly leaf: unknown;
  /** null: the same for every example. */
  readonly axis: number | null;
  readonly path: string;
}

/** The axis that a prefix tree gives the leaf at a path, which errors call `place`. */
export function axisAt(
  name: string,
  option: string,
  axes: Axes,
  path: readonly tree.PathPart[],
  place: string,
): number | null {
  let here: Axes | undefined = axes;
  for (const part of path) {
    if (typeof here !== "object" || here === null) break;
    // A list is indexed by number, anything else by key; what is missing is undefined.
    here = (here as Readonly<Record<tree.PathPart, Axes | undefined>>)[part];
  }
  if (here === null || typeof here === "number") return here;
  throw new ArgumentError(
    `${name}: ${option} has no entry for ${place}; give a number, or null for what is not mapped`,
  );
}

/** Throws when a tree of axes reaches where there is nothing: a misspelt key would go unnoticed. */
export function checkAxes(name: string, option: string, axes: Axes, value: unknown, place: string): void {
  if (axes === null || typeof axes === "number") return;
  for (const [key, child] of Object.entries(axes)) {
    const part = childOf(value, key);
    const path = pathText(place, [Array.isArray(axes) ? Number(key) : key]);
    if (part === undefined)
      throw new ArgumentError(
        `${name}: ${option} has an entry for ${path}, which there is not; give axes in the tree of the arrays`,
      );
    checkAxes(name, option, child, part.value, path);
  }
}

function childOf(value: unknown, key: string): { readonly value: unknown } | undefined {
  if (value instanceof Map) return value.has(key) ? { value: value.get(key) } : undefined;
  if (typeof value !== "object" || value === null || isData(value) || !(key in value)) return undefined;
  return { value: (value as Readonly<Record<string, unknown>>)[key] }; // it has the key
}

/** A path as it would be written: `argument 0`, [1], "w" gives "argument 0[1].w". */
export function pathText(root: string, path: readonly tree.PathPart[]): string {
  return `${root}${path.map((part) => (typeof part === "number" ? `[${part}]` : `.${part}`)).join("")}`;
}

/** The leaves of arguments with their axes. `axes` is one for all arguments, or a list with one for each. */
export function mappedLeaves(
  name: string,
  args: readonly unknown[],
  axes: Axes,
): { leaves: MappedLeaf[]; def: tree.TreeDef } {
  if (Array.isArray(axes) && axes.length !== args.length)
    throw new ArgumentError(
      `${name}: inAxes has ${axes.length} entries, the function was called with ${args.length} arguments; give one for each`,
    );
  if (Array.isArray(axes))
    // A list with an entry for each argument.
    axes.forEach((one: Axes, k) => checkAxes(name, "inAxes", one, args[k], `argument ${k}`));
  const { leaves, paths, def } = tree.flattenWithPath(args);
  return {
    def,
    leaves: leaves.map((leaf, k) => {
      const path = paths[k] ?? [];
      const place = pathText(`argument ${String(path[0])}`, path.slice(1));
      return { leaf, axis: axisAt(name, "inAxes", axes, path, place), path: place };
    }),
  };
}

/** The leaf with the batch first; undefined if it is not mapped. */
export function batchFirst(name: string, { leaf, axis, path }: MappedLeaf): Tensor | undefined {
  if (axis === null || !isData(leaf)) return undefined;
  const tensor = asTensor(leaf, name);
  if (axis < -tensor.ndim || axis >= tensor.ndim)
    throw new ShapeError(
      `${name}: ${path} has shape [${tensor.shape.join(", ")}], which has no axis ${axis} to map over; choose another with inAxes, or null to share it`,
    );
  return moveaxis(tensor, normalizeAxis(name, axis, tensor.ndim), 0);
}

/** The extent of the batch, on which all mapped leaves and `axisSize` must agree. */
export function batchExtent(
  name: string,
  leaves: readonly MappedLeaf[],
  batches: readonly (Tensor | undefined)[],
  axisSize: number | undefined,
): number {
  const found = batches.flatMap((batch, k) =>
    batch === undefined ? [] : [{ extent: batch.shape[0] ?? 0, path: leaves[k]?.path ?? "" }],
  );
  const extent = axisSize ?? found[0]?.extent;
  if (extent === undefined)
    throw new ArgumentError(`${name}: nothing is mapped; give inAxes a number for some argument, or say axisSize`);
  if (found.some((one) => one.extent !== extent)) {
    const sizes = found.map((one) => `${one.path} has ${one.extent}`).join(", ");
    throw new ShapeError(
      `${name}: mapped axes must have one size: ${sizes}${axisSize === undefined ? "" : `, axisSize is ${axisSize}`}`,
    );
  }
  return extent;
}
