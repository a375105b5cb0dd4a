import { ArgumentError } from "../errors.ts";
import { checkOptions } from "../options.ts";
import { normalizeAxis } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { at } from "../view.ts";
import { asTensor, hostValues, ones, type TensorLike } from "./create.ts";
import { sliceAlong } from "./join.ts";
import { nonzero } from "./nonzero.ts";

/** What is found by looking where an array is not zero. */

/**
 * The indices at which `maskFunc(ones([n, n]), k)` is not zero: rows and columns. Source: jnp.mask_indices.
 *
 * @throws ArgumentError without a size, unless the mask is known on the host.
 * @example await maskIndices(2, (x, k) => triu(x, k), 0, { size: 3 })[1].toArray(); // [0, 1, 1]
 */
export function maskIndices(
  n: number,
  maskFunc: (x: Tensor, k: number) => TensorLike,
  k = 0,
  options: { readonly size?: number } = {},
): [rows: Tensor, columns: Tensor] {
  checkOptions("maskIndices", options, { size: "number" });
  if (typeof maskFunc !== "function")
    throw new ArgumentError(
      `maskIndices: maskFunc makes a mask of an array, such as triu; received ${typeof maskFunc}`,
    );
  const [rows, columns] = nonzero(maskFunc(ones([n, n]), k), options);
  if (rows === undefined || columns === undefined)
    throw new ArgumentError("maskIndices: the mask has one axis; maskFunc gives a matrix");
  return [rows, columns];
}

export interface TrimZerosOptions {
  /** Where to cut: "f" in front, "b" at the back, "fb" (unless told) both. */
  readonly trim?: string;
  /** The axes that are cut; all unless told. */
  readonly axis?: number | readonly number[];
}

/**
 * x without the slices of nothing but zeros in front and at the back of its axes. Its shape depends on values, so that they must be
 * known on the host. Source: jnp.trim_zeros.
 *
 * @throws ArgumentError where only the device knows the values, or for a trim of other letters.
 * @example await trimZeros(array([0, 1, 0, 2, 0])).toArray(); // [1, 0, 2]
 */
export function trimZeros(filt: TensorLike, options: TrimZerosOptions = {}): Tensor {
  checkOptions("trimZeros", options, { trim: true, axis: true });
  const x = asTensor(filt, "trimZeros");
  const { trim = "fb", axis } = options;
  if (!/^[fb]*$/i.test(trim))
    throw new ArgumentError(`trimZeros: trim is made of "f" and "b", received ${JSON.stringify(trim)}`);
  const values = hostValues(x);
  if (values === undefined)
    throw new ArgumentError(
      "trimZeros: the values are on the device, and the shape depends on them; give it array(await x.toArray())",
    );
  const asked = axis === undefined ? x.shape.map((_, k) => k) : typeof axis === "number" ? [axis] : axis;
  return asked
    .map((one) => normalizeAxis("trimZeros", one, x.ndim))
    .reduce((rest, own) => {
      const [from, to] = extentOf(values, x.shape, own);
      const [start, stop] = [/f/i.test(trim) ? from : 0, /b/i.test(trim) ? to : at(x.shape, own)];
      return sliceAlong(rest, own, start, Math.max(start, from < to ? stop : start));
    }, x);
}

/** From the first to behind the last place of an axis with something other than zeros; [0, 0] where there is none. */
function extentOf(values: ArrayLike<number>, shape: readonly number[], axis: number): [number, number] {
  const inner = shape.slice(axis + 1).reduce((size, extent) => size * extent, 1);
  let [from, to] = [at(shape, axis), 0];
  for (let flat = 0; flat < values.length; flat++) {
    if (values[flat] === 0) continue;
    const place = Math.floor(flat / inner) % at(shape, axis);
    [from, to] = [Math.min(from, place), Math.max(to, place + 1)];
  }
  return from < to ? [from, to] : [0, 0];
}
