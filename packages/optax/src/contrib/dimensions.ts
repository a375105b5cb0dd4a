import { ArgumentError, reshape, transpose, tree, type Tensor, type TensorLike } from "@jnx/tensor";
import { asTensor, normalizeAxis, shapeText, sizeOf } from "@jnx/tensor/internal";

/** Which axes of a parameter are read and which are written when it is taken as a matrix. */
export class DimensionNumbers {
  readonly reductionAxis: number | readonly number[];
  readonly outputAxis: number | readonly number[];
  constructor(reductionAxis: number | readonly number[] = 0, outputAxis: number | readonly number[] = 1) {
    this.reductionAxis = reductionAxis;
    this.outputAxis = outputAxis;
  }
}

/** Dimension numbers for all parameters, a tree of them (null: not a matrix), or a function to one. */
export type DimensionSpec = DimensionNumbers | object | ((params: unknown) => unknown);

/** For each leaf, in order, its dimension numbers; those of a tree that ends earlier hold for all below. */
export function dimensionsOf(
  name: string,
  spec: DimensionSpec | undefined,
  params: unknown,
): (DimensionNumbers | undefined)[] {
  const { leaves, paths } = tree.flattenWithPath(params);
  const shapes = leaves.map((leaf) => asTensor(leaf as TensorLike, name).shape); // a tree of arrays
  if (spec === undefined) return shapes.map(({ length }) => (length === 2 ? new DimensionNumbers() : undefined));
  const resolved: unknown = typeof spec === "function" ? spec(params) : spec;
  return paths.map((path, k) => {
    const found = lookup(resolved, path);
    if (found === undefined || (shapes[k] ?? []).length >= 2) return found;
    throw new ArgumentError(`${name}: "${path.join(".")}" has ${(shapes[k] ?? []).length} axes, and needs at least 2`);
  });
}

function lookup(spec: unknown, path: readonly (string | number)[]): DimensionNumbers | undefined {
  let at: unknown = spec;
  for (const part of path) {
    if (at instanceof DimensionNumbers || at === null || at === undefined) break;
    at = at instanceof Map ? at.get(part) : Reflect.get(at, part);
  }
  return at instanceof DimensionNumbers ? at : undefined;
}

/** A parameter as a stack of matrices, [batch, in, out], and the way back. */
export interface AsMatrices {
  readonly fanIn: number;
  readonly fanOut: number;
  flat(x: Tensor): Tensor;
  restore(y: Tensor): Tensor;
}

/** The axes of x in the order batch, reduction, output. */
export function asMatrices(name: string, shape: readonly number[], dims: DimensionNumbers): AsMatrices {
  const axes = (value: number | readonly number[]): number[] =>
    (typeof value === "number" ? [value] : [...value]).map((axis) => normalizeAxis(name, axis, shape.length));
  const [read, written] = [axes(dims.reductionAxis), axes(dims.outputAxis)];
  if (read.some((axis) => written.includes(axis)))
    throw new ArgumentError(
      `${name}: reduction axes [${read.join(", ")}] and output axes [${written.join(", ")}] of ${shapeText(shape)} must be disjoint`,
    );
  const batch = shape.flatMap((_, axis) => (read.includes(axis) || written.includes(axis) ? [] : [axis]));
  const order = [...batch, ...read, ...written];
  const extents = (which: readonly number[]): number[] => which.map((axis) => shape[axis] ?? 1);
  const [fanIn, fanOut] = [sizeOf(extents(read)), sizeOf(extents(written))];
  const back = order.map((_, axis) => order.indexOf(axis));
  return {
    fanIn,
    fanOut,
    flat: (x) => reshape(transpose(x, order), [sizeOf(extents(batch)), fanIn, fanOut]),
    restore: (y) => transpose(reshape(y, extents(order)), back),
  };
}
