import { ArgumentError, ShapeError } from "../errors.ts";
import { shapeText } from "../shape.ts";
import { at } from "../view.ts";

/** How many elements are put before and after an axis; negative numbers crop. */
export type PadPair = readonly [low: number, high: number];

/**
 * Padding of the axes that a window slides over: none (VALID), so much that an output has ceil(extent / stride) positions
 * with the odd element after (SAME) or before (SAME_LOWER), or pairs.
 */
export type Padding = "SAME" | "SAME_LOWER" | "VALID" | readonly PadPair[];

/** The extent of n elements with `dilation - 1` holes between neighbours. */
export function dilated(extent: number, dilation: number): number {
  return extent === 0 ? 0 : (extent - 1) * dilation + 1;
}

/** How many places a window of `window` has in `extent` elements (both dilated, padding included). */
export function positions(extent: number, window: number, stride: number): number {
  return extent < window ? 0 : Math.floor((extent - window) / stride) + 1;
}

/**
 * Padding as pairs, one for each axis. `window` holds dilated extents. Source: lax.padtype_to_pads.
 *
 * @throws ArgumentError for another word, ShapeError for another number of pairs.
 */
export function resolvePadding(
  name: string,
  padding: Padding,
  extents: readonly number[],
  window: readonly number[],
  strides: readonly number[],
): readonly PadPair[] {
  if (typeof padding !== "string") return checkedPairs(name, padding, extents.length);
  const word = padding.toUpperCase();
  if (word === "VALID") return extents.map(() => [0, 0] as const);
  if (word !== "SAME" && word !== "SAME_LOWER")
    throw new ArgumentError(
      `${name}: padding is "SAME", "SAME_LOWER", "VALID" or a list of [low, high], received ${JSON.stringify(padding)}`,
    );
  return extents.map((extent, k) => {
    const total = Math.max(0, (Math.ceil(extent / at(strides, k)) - 1) * at(strides, k) + at(window, k) - extent);
    const less = Math.floor(total / 2);
    return word === "SAME" ? ([less, total - less] as const) : ([total - less, less] as const);
  });
}

function checkedPairs(name: string, padding: readonly PadPair[], axes: number): readonly PadPair[] {
  const fits =
    Array.isArray(padding) &&
    padding.length === axes &&
    padding.every((pair: unknown) => Array.isArray(pair) && pair.length === 2 && pair.every(Number.isInteger));
  if (!fits)
    throw new ShapeError(
      `${name}: padding takes a pair [low, high] of whole numbers for each of ${axes} axes, received ${JSON.stringify(padding)}`,
    );
  return padding;
}

/** One whole number ≥ 1 for each axis; ones unless given. */
export function resolveSteps(name: string, what: string, steps: readonly number[] | undefined, axes: number): number[] {
  const list = steps ?? new Array<number>(axes).fill(1);
  if (!Array.isArray(list) || list.length !== axes || !list.every((step) => Number.isInteger(step) && step >= 1))
    throw new ShapeError(
      `${name}: ${what} takes a whole number ≥ 1 for each of ${axes} axes, received ${Array.isArray(list) ? shapeText(list) : String(list)}`,
    );
  return [...list];
}
