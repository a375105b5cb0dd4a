import { checkDType, isFloat, promote, type DType } from "../dtype.ts";
import { ArgumentError, ShapeError } from "../errors.ts";
import { broadcastShapes, checkShape, normalizeAxis, type Shape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { at } from "../view.ts";
import { composite } from "./composite.ts";
import { convert } from "./convert.ts";
import { asTensor, broadcastedIota, isData, literal, zeros, type TensorLike } from "./create.ts";
import { add, div, floor, log, mul, power, sign, sub } from "./elementwise.ts";
import { concatenate, stack } from "./join.ts";
import { broadcastTo, expandDims, reshape } from "./movement.ts";
import { checkOptions } from "../options.ts";

const MESHGRID_OPTIONS = { indexing: true, sparse: "flag" } as const;
const LINSPACE_OPTIONS = { endpoint: "flag", dtype: true, axis: "number", retstep: "flag" } as const;
const LOGSPACE_OPTIONS = { endpoint: "flag", dtype: true, axis: "number", base: true } as const;
const GEOMSPACE_OPTIONS = { endpoint: "flag", dtype: true, axis: "number" } as const;
const INDICES_OPTIONS = { dtype: true, sparse: "flag" } as const;

export interface LinspaceOptions {
  /** Whether the stop is the last value; true unless told. */
  readonly endpoint?: boolean;
  /** float32, or the operands' float dtype, unless told; whole numbers are rounded down. */
  readonly dtype?: DType;
  /** Where the new axis goes in the result; first unless told. */
  readonly axis?: number;
}

function countOf(name: string, num: number): number {
  if (Number.isInteger(num) && num >= 0) return num;
  throw new ArgumentError(`${name}: needs a number of samples ≥ 0, received ${String(num)}`);
}

/** The dtype to compute in, and the one to give back. */
function dtypesOf(name: string, ends: readonly Tensor[], dtype: DType | undefined): [DType, DType] {
  const common = promote(ends).dtype;
  const wanted = dtype === undefined ? (isFloat(common) ? common : "float32") : checkDType(name, dtype);
  return [isFloat(wanted) ? wanted : "float32", wanted];
}

/**
 * `num` numbers from start to stop at equal distances, along a new axis. Start and stop may be arrays, which broadcast.
 * With `retstep`, the distance as well. Source: jnp.linspace.
 *
 * @throws ArgumentError unless num is a whole number ≥ 0.
 * @example
 * await linspace(0, 1, 5).toArray(); // [0, 0.25, 0.5, 0.75, 1]
 */
export function linspace(
  start: TensorLike,
  stop: TensorLike,
  num: number | undefined,
  options: LinspaceOptions & { readonly retstep: true },
): [Tensor, Tensor];
export function linspace(
  start: TensorLike,
  stop: TensorLike,
  num?: number,
  options?: LinspaceOptions & { readonly retstep?: false },
): Tensor;
export function linspace(
  start: TensorLike,
  stop: TensorLike,
  num = 50,
  options: LinspaceOptions & { readonly retstep?: boolean } = {},
): Tensor | [Tensor, Tensor] {
  checkOptions("linspace", options, LINSPACE_OPTIONS);
  const ends = [asTensor(start, "linspace"), asTensor(stop, "linspace")] as const;
  const [dtype, wanted] = dtypesOf("linspace", ends, options.dtype);
  const samples = (): Tensor => {
    const values = spaced("linspace", ends, num, dtype, options);
    return convert(isFloat(wanted) ? values : floor(values), wanted);
  };
  const made = composite("linspace", samples);
  if (options.retstep !== true) return made;
  const parts = (options.endpoint ?? true) ? num - 1 : num;
  const step = parts > 0 ? div(sub(convert(ends[1], dtype), convert(ends[0], dtype)), parts) : literal(NaN, [], dtype);
  return [made, step];
}

function spaced(
  name: string,
  [start, stop]: readonly [Tensor, Tensor],
  num: number,
  dtype: DType,
  options: LinspaceOptions,
): Tensor {
  const count = countOf(name, num);
  const shape = broadcastShapes(name, start.shape, stop.shape);
  const axis = normalizeAxis(name, options.axis ?? 0, shape.length + 1);
  const [first, last] = [start, stop].map((end) => expandDims(broadcastTo(convert(end, dtype), shape), axis));
  const full: Shape = [...shape.slice(0, axis), count, ...shape.slice(axis)];
  if (first === undefined || last === undefined || count === 0) return zeros(full, { dtype });
  if (count === 1) return first;
  const endpoint = options.endpoint ?? true;
  const parts = endpoint ? count - 1 : count;
  const places = [...shape.slice(0, axis).map(() => 1), parts, ...shape.slice(axis).map(() => 1)];
  // JAX's formula: it gives both ends back exactly.
  const part = div(broadcastedIota("float32", places, axis), parts);
  const values = add(mul(first, sub(1, part)), mul(last, part));
  return endpoint ? concatenate([values, last], { axis }) : values;
}

/**
 * `num` powers of `base` (10 unless told), their exponents at equal distances from start to stop. Source: jnp.logspace.
 *
 * @throws ArgumentError unless num is a whole number ≥ 0.
 * @example await logspace(0, 2, 3).toArray(); // [1, 10, 100]
 */
export function logspace(
  start: TensorLike,
  stop: TensorLike,
  num = 50,
  options: LinspaceOptions & { readonly base?: TensorLike } = {},
): Tensor {
  checkOptions("logspace", options, LOGSPACE_OPTIONS);
  const ends = [asTensor(start, "logspace"), asTensor(stop, "logspace")] as const;
  const [dtype, wanted] = dtypesOf("logspace", ends, options.dtype);
  return composite("logspace", () => {
    const exponents = spaced("logspace", ends, num, dtype, options);
    return convert(power(convert(asTensor(options.base ?? 10, "logspace"), dtype), exponents), wanted);
  });
}

function log10(x: Tensor): Tensor {
  return div(log(x), Math.LN10);
}

/**
 * `num` numbers from start to stop, each the same multiple of the one before; the ends must have one sign.
 * Source: jnp.geomspace.
 *
 * @throws ArgumentError unless num is a whole number ≥ 0.
 * @example await geomspace(1, 8, 4).toArray(); // [1, 2, 4, 8]
 */
export function geomspace(start: TensorLike, stop: TensorLike, num = 50, options: LinspaceOptions = {}): Tensor {
  checkOptions("geomspace", options, GEOMSPACE_OPTIONS);
  const given = [asTensor(start, "geomspace"), asTensor(stop, "geomspace")] as const;
  const [dtype, wanted] = dtypesOf("geomspace", given, options.dtype);
  return composite("geomspace", () => {
    const [first, last] = [convert(given[0], dtype), convert(given[1], dtype)];
    const side = sign(first);
    const exponents = spaced("geomspace", [log10(div(first, side)), log10(div(last, side))], num, dtype, options);
    const axis = normalizeAxis("geomspace", options.axis ?? 0, exponents.ndim);
    const shape = broadcastShapes("geomspace", first.shape, last.shape);
    return convert(mul(expandDims(broadcastTo(side, shape), axis), power(literal(10, [], dtype), exponents)), wanted);
  });
}

export interface MeshgridOptions {
  /** "xy" (unless told) gives [y, x, …] as a plot has it, "ij" keeps the order of the arrays. */
  readonly indexing?: "xy" | "ij";
  /** Extents of 1 instead of repetitions. */
  readonly sparse?: boolean;
}

/**
 * Coordinate arrays of a grid from one vector for each axis. Moves no data. Source: jnp.meshgrid.
 *
 * @throws ShapeError unless all are vectors or scalars, ArgumentError for an unknown indexing.
 * @example
 * const [x, y] = meshgrid(array([1, 2, 3]), array([4, 5]));
 * await x.toArray(); // [[1, 2, 3], [1, 2, 3]]
 */
export function meshgrid(...args: readonly (TensorLike | MeshgridOptions)[]): Tensor[] {
  const last = args.at(-1);
  const options: MeshgridOptions = last !== undefined && !isData(last) && typeof last === "object" ? last : {};
  const axes = args.filter((one) => one !== options).map((one) => asTensor(one as TensorLike, "meshgrid")); // all but the options
  checkOptions("meshgrid", options, MESHGRID_OPTIONS);
  const { indexing = "xy", sparse = false } = options;
  if (indexing !== "xy" && indexing !== "ij")
    throw new ArgumentError(`meshgrid: unknown indexing ${JSON.stringify(indexing)}; expected "xy" or "ij"`);
  const wrong = axes.find(({ ndim }) => ndim > 1);
  if (wrong !== undefined) throw new ShapeError(`meshgrid: needs vectors, received shape [${wrong.shape.join(", ")}]`);
  const swap = indexing === "xy" && axes.length > 1;
  const order = axes.map((_, k) => (swap && k < 2 ? 1 - k : k));
  const shape = order.map((k) => at(axes, k).size);
  return axes.map((axis, k) => {
    const place = order.indexOf(k);
    const line = reshape(
      axis,
      shape.map((extent, one) => (one === place ? extent : 1)),
    );
    return sparse ? line : broadcastTo(line, shape);
  });
}

/**
 * The index of every element of an array of these extents, axis by axis: [rank, …extents]. Source: jnp.indices.
 *
 * @throws ShapeError unless the extents are whole numbers ≥ 0, DtypeError for an unknown dtype.
 * @example await indices([2, 2]).toArray(); // [[[0, 0], [1, 1]], [[0, 1], [0, 1]]]
 */
export function indices(
  dimensions: Shape,
  options: { readonly dtype?: DType; readonly sparse?: false | undefined },
): Tensor;
export function indices(dimensions: Shape, options: { readonly dtype?: DType; readonly sparse: true }): Tensor[];
export function indices(dimensions: Shape): Tensor;
export function indices(
  dimensions: Shape,
  options: { readonly dtype?: DType; readonly sparse?: boolean | undefined } = {},
): Tensor | Tensor[] {
  checkOptions("indices", options, INDICES_OPTIONS);
  const shape = checkShape("indices", dimensions);
  const dtype = checkDType("indices", options.dtype ?? "int32");
  const lines = shape.map((extent, axis) =>
    convert(
      reshape(
        broadcastedIota("int32", [extent], 0),
        shape.map((_, k) => (k === axis ? extent : 1)),
      ),
      dtype,
    ),
  );
  if (options.sparse === true) return lines;
  if (lines.length === 0) return zeros([0], { dtype });
  return stack(lines.map((line) => broadcastTo(line, shape)));
}

/**
 * All arrays repeated to the shape they broadcast to. Moves no data. Source: jnp.broadcast_arrays.
 *
 * @throws ShapeError when the shapes do not broadcast.
 * @example broadcastArrays(zeros([3]), zeros([2, 1])).map((one) => one.shape); // [[2, 3], [2, 3]]
 */
export function broadcastArrays(...xs: readonly TensorLike[]): Tensor[] {
  const tensors = xs.map((x) => asTensor(x, "broadcastArrays"));
  const shape = broadcastShapes("broadcastArrays", ...tensors.map((one) => one.shape));
  return tensors.map((one) => broadcastTo(one, shape));
}
