import { ShapeError } from "./errors.ts";

/** Extents of each axis, outermost first. `[]` is a scalar. */
export type Shape = readonly number[];

export function sizeOf(shape: Shape): number {
  let size = 1;
  // By index: it is asked for at each call, and iterators are slow in code that has not run often.
  for (let axis = 0; axis < shape.length; axis++) size *= shape[axis] ?? 1;
  return size;
}

export function sameShape(a: Shape, b: Shape): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let axis = 0; axis < a.length; axis++) if (a[axis] !== b[axis]) return false;
  return true;
}

export function shapeText(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

/** Checks that a user-given shape holds non-negative integers; `name` is the function the user called. */
export function checkShape(name: string, shape: Shape): Shape {
  if (!Array.isArray(shape))
    throw new ShapeError(`${name}: expected a shape such as [2, 3], received ${String(shape)}`);
  for (const extent of shape) {
    if (typeof extent === "object")
      throw new ShapeError(
        `${name}: a shape must be known on the host, received an array as an extent: ${String(extent)}; use x.shape, pass the extent as a static argument (staticArgnums), or read it before`,
      );
    if (!Number.isInteger(extent) || extent < 0)
      throw new ShapeError(`${name}: a shape holds integers ≥ 0, received [${shape.map(String).join(", ")}]`);
  }
  return [...shape];
}

/** Checks that what should be a list of numbers, one for each axis or several axes, is a JavaScript array. */
export function checkList<T extends readonly unknown[]>(name: string, what: string, list: T): T {
  if (Array.isArray(list)) return list;
  throw new ShapeError(`${name}: ${what} is a list such as [0, 1], received ${kindOf(list)}`);
}

function kindOf(value: unknown): string {
  if (typeof value === "object" && value !== null) return `a ${value.constructor.name}`;
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}

/** Numpy broadcasting of any number of shapes. */
export function broadcastShapes(name: string, ...shapes: readonly Shape[]): Shape {
  const [first] = shapes;
  if (first !== undefined && shapes.every((shape) => sameShape(shape, first))) return first;
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    let extent = 1;
    for (const shape of shapes) {
      const own = shape[axis - rank + shape.length] ?? 1;
      if (own === 1 || own === extent) continue;
      if (extent !== 1)
        throw new ShapeError(
          `${name}: shapes ${shapes.map(shapeText).join(" and ")} do not broadcast (${extent} against ${own} on axis ${axis - rank}); ` +
            "extents must be equal or 1, aligned from the last axis",
        );
      extent = own;
    }
    return extent;
  });
}

/** One axis, negative counting from the end, as a non-negative index. */
export function normalizeAxis(name: string, axis: number, rank: number): number {
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank)
    throw new ShapeError(
      `${name}: axis ${String(axis)} is out of range for an array of ${rank} dimension${rank === 1 ? "" : "s"}`,
    );
  return axis < 0 ? axis + rank : axis;
}

/** One axis, several, or (undefined or null) all of them, sorted and without repeats. */
export function normalizeAxes(
  name: string,
  axis: number | readonly number[] | null | undefined,
  rank: number,
): readonly number[] {
  if (axis === undefined || axis === null) return Array.from({ length: rank }, (_, i) => i);
  const list = typeof axis === "number" ? [axis] : checkList(name, "axis", axis);
  const axes = list.map((one) => normalizeAxis(name, one, rank)).sort((a, b) => a - b);
  if (new Set(axes).size !== axes.length)
    throw new ShapeError(`${name}: axis [${list.join(", ")}] names an axis twice`);
  return axes;
}

/** The shape that remains once `axes` (normalized) are reduced. */
export function reducedShape(shape: Shape, axes: readonly number[], keepdims: boolean): Shape {
  if (keepdims) return shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent));
  return shape.filter((_, axis) => !axes.includes(axis));
}
