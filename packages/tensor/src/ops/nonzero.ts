import { ArgumentError, ShapeError } from "../errors.ts";
import { checkOptions } from "../options.ts";
import { sizeOf } from "../shape.ts";
import { Tensor } from "../tensor.ts";
import { at } from "../view.ts";
import { composite } from "./composite.ts";
import { convert } from "./convert.ts";
import { asTensor, broadcastedIota, hostValues, literal, zeros, type TensorLike } from "./create.ts";
import { floorDivide, greaterEqual, notEqual, remainder, where } from "./elementwise.ts";
import { vstack } from "./join.ts";
import { ravel, transpose } from "./movement.ts";
import { atleast1d } from "./rank.ts";
import { sum } from "./reduce.ts";
import { laxCumsum } from "./scan.ts";
import { counted } from "./search.ts";

const NONZERO_OPTIONS = { size: "number", fillValue: true } as const;

export interface NonzeroOptions {
  /** How many elements to give: what is too many is left out, what is missing is filled. Needed unless x is known on the host. */
  readonly size?: number;
  /** What fills up to `size`: a place, or one for each axis; 0. */
  readonly fillValue?: number | readonly number[];
}

/**
 * Where x is not zero: one int32 vector for each axis. Source: jnp.nonzero.
 *
 * @throws ShapeError for a scalar, ArgumentError without a size for what only the device knows, or for fillValues that are
 * not one for each axis.
 * @example
 * const [places] = nonzero(array([0, 5, 0, 6]), { size: 2 });
 * await places?.toArray(); // [1, 3]
 */
export function nonzero(x: TensorLike, options: NonzeroOptions = {}): Tensor[] {
  checkOptions("nonzero", options, NONZERO_OPTIONS);
  return places("nonzero", asTensor(x, "nonzero"), options);
}

function places(name: string, tensor: Tensor, options: NonzeroOptions): Tensor[] {
  if (tensor.ndim === 0) throw new ShapeError(`${name}: a scalar has no axes to count along; see atleast1d`);
  const size = options.size ?? known(name, tensor);
  if (!Number.isInteger(size) || size < 0)
    throw new ArgumentError(`${name}: size is ${String(size)}; a whole number ≥ 0 is needed`);
  const fills = fillsOf(name, options.fillValue, tensor.ndim);
  if (tensor.size === 0 || size === 0) return tensor.shape.map(() => zeros([size], { dtype: "int32" }));
  const mask = convert(notEqual(ravel(tensor), literal(0, [], tensor.dtype)), "int32");
  const flat = composite(name, () => {
    // How many elements come before the k-th that is not zero: a running count of running counts.
    const upTo = laxCumsum(mask);
    return laxCumsum(counted(upTo, literal(1, [tensor.size], "int32"), size));
  });
  const missing = greaterEqual(broadcastedIota("int32", [size], 0), sum(mask));
  return tensor.shape.map((extent, axis) => {
    const place = remainder(floorDivide(flat, sizeOf(tensor.shape.slice(axis + 1))), extent);
    return fills === undefined ? place : where(missing, literal(at(fills, axis), [], "int32"), place);
  });
}

/** What fills the vector of each axis. */
function fillsOf(name: string, fill: NonzeroOptions["fillValue"], ndim: number): readonly number[] | undefined {
  if (fill === undefined) return undefined;
  const fills = typeof fill === "number" ? new Array<number>(ndim).fill(fill) : fill;
  if (!Array.isArray(fills) || fills.length !== ndim || fills.some((one) => typeof one !== "number"))
    throw new ArgumentError(`${name}: fillValue is a number, or ${ndim} for the axes, received ${String(fill)}`);
  return fills;
}

/**
 * x where the condition is true, y elsewhere, as `where`; or, of the condition alone, where it is true, as `nonzero`: one int32
 * vector for each axis. Source: jnp.where.
 *
 * @throws ArgumentError for one of x and y alone, or a size beside them, or without a size for what only the device knows.
 * @example
 * await jnp.where(array([true, false]), 1, -1).toArray(); // [1, -1]
 * await jnp.where(array([0, 5, 6]), { size: 2 })[0].toArray(); // [1, 2]
 */
export function whereOrPlaces(condition: TensorLike, x: TensorLike, y: TensorLike): Tensor;
export function whereOrPlaces(condition: TensorLike, options?: NonzeroOptions): Tensor[];
export function whereOrPlaces(
  condition: TensorLike,
  x?: TensorLike | NonzeroOptions,
  ...rest: readonly TensorLike[]
): Tensor | Tensor[] {
  const [y, more] = rest;
  if (more !== undefined)
    throw new ArgumentError("where: size and fillValue go with a condition alone, received x and y as well");
  // Given both, they are arrays.
  if (y !== undefined) return where(condition, x as TensorLike, y);
  const test = asTensor(condition, "where");
  if (x === undefined) return places("where", test, {});
  if (typeof x !== "object" || x instanceof Tensor || "toTensor" in x)
    throw new ArgumentError("where: received x without y; give both, or the condition alone");
  checkOptions("where", x, NONZERO_OPTIONS);
  return places("where", test, x);
}

function known(name: string, x: Tensor): number {
  const values = hostValues(x);
  if (values === undefined)
    throw new ArgumentError(
      `${name}: how many elements are not zero is known to the device only; say how many to give with { size }`,
    );
  return Array.from(values).reduce((count, value) => count + (value === 0 ? 0 : 1), 0);
}

/**
 * nonzero of x flattened. Source: jnp.flatnonzero.
 *
 * @throws ArgumentError without a size for what only the device knows.
 * @example await flatnonzero(array([[0, 1], [1, 0]]), { size: 2 }).toArray(); // [1, 2]
 */
export function flatnonzero(x: TensorLike, options: NonzeroOptions = {}): Tensor {
  checkOptions("flatnonzero", options, NONZERO_OPTIONS);
  return at(nonzero(ravel(asTensor(x, "flatnonzero")), options), 0);
}

/**
 * The index of each element that is not zero, one a row. Source: jnp.argwhere.
 *
 * @throws ArgumentError without a size for what only the device knows.
 * @example await argwhere(array([[0, 1], [1, 0]]), { size: 2 }).toArray(); // [[0, 1], [1, 0]]
 */
export function argwhere(x: TensorLike, options: NonzeroOptions = {}): Tensor {
  checkOptions("argwhere", options, NONZERO_OPTIONS);
  const tensor = asTensor(x, "argwhere");
  const found = transpose(vstack(nonzero(atleast1d(tensor), options)));
  return tensor.ndim === 0 ? zeros([at(found.shape, 0), 0], { dtype: "int32" }) : found;
}
