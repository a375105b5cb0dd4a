import { asTensor, checkOptions, literal, normalizeAxis, shapeText } from "@jnx/tensor/internal";
import {
  ArgumentError,
  array,
  greaterEqual,
  moveaxis,
  reshape,
  ShapeError,
  sum,
  take,
  where,
  type Tensor,
} from "@jnx/tensor";
import type { Batch } from "./batch.ts";
import { indexIn, levelOf, over, type AxisNames } from "./collectives.ts";

/** How examples under one vmap exchange what they have: all is gathered, and each takes its part. */

/**
 * How many examples the vmap has that named the axis, a JavaScript number; of several axes given a list, their product.
 * Source: lax.axis_size.
 *
 * @throws ArgumentError when no vmap around the call has named the axis.
 * @example vmap((x: Tensor) => div(x, axisSize("i")), { axisName: "i" })(array([1, 2])); // [0.5, 1]
 */
export function axisSize(axisName: AxisNames): number {
  return [axisName].flat().reduce((product, name) => product * levelOf("axisSize", name).size, 1);
}

/** The entry of a table that is this example's. */
function entryOf(level: Batch, table: readonly number[]): Tensor {
  return take(array(table, { dtype: "int32" }), indexIn(level), { mode: "clip" });
}

function row(all: Tensor, index: Tensor): Tensor {
  return take(all, index, { axis: 0, mode: "clip" });
}

function checkPlaces(name: string, what: string, places: readonly number[], size: number): void {
  const wrong = places.find((place) => !Number.isInteger(place) || place < 0 || place >= size);
  if (wrong !== undefined) throw new ArgumentError(`${name}: ${what} ${String(wrong)} is none of the ${size} examples`);
  if (new Set(places).size !== places.length)
    throw new ArgumentError(`${name}: each ${what} may stand once, received ${places.join(", ")}`);
}

/**
 * What other examples have, by a list of [source, destination]; zeros for an example that is no destination; for each leaf of a
 * tree. Source: lax.ppermute.
 *
 * @throws ArgumentError when no vmap around the call has named the axis, or for a source or destination that is none of its
 * examples or stands twice.
 * @example
 * vmap((x: Tensor) => ppermute(x, "i", [[0, 1], [1, 2]]), { axisName: "i" })(array([5, 6, 7])); // [0, 5, 6]
 */
export function ppermute<T>(x: T, axisName: string, perm: readonly (readonly [number, number])[]): T {
  const level = levelOf("ppermute", axisName);
  const [sources, ends] = [perm.map(([source]) => source), perm.map(([, end]) => end)];
  checkPlaces("ppermute", "source", sources, level.size);
  checkPlaces("ppermute", "destination", ends, level.size);
  const table = Array.from({ length: level.size }, (_, k) => sources[ends.indexOf(k)] ?? -1);
  return over("ppermute", x, axisName, (all) => {
    const from = entryOf(level, table);
    const moved = row(all, from);
    if (!table.includes(-1)) return moved;
    return where(greaterEqual(from, 0), moved, literal(0, moved.shape, moved.dtype, moved.weak));
  });
}

/**
 * What example perm[i] has, for the i-th; for each leaf of a tree. Source: lax.pshuffle.
 *
 * @throws ArgumentError when no vmap around the call has named the axis, or unless perm holds every example once.
 * @example
 * vmap((x: Tensor) => pshuffle(x, "i", [2, 0, 1]), { axisName: "i" })(array([5, 6, 7])); // [7, 5, 6]
 */
export function pshuffle<T>(x: T, axisName: string, perm: readonly number[]): T {
  const level = levelOf("pshuffle", axisName);
  checkPlaces("pshuffle", "source", perm, level.size);
  if (perm.length !== level.size)
    throw new ArgumentError(`pshuffle: perm must hold each of the ${level.size} examples, received ${perm.length}`);
  return over("pshuffle", x, axisName, (all) => row(all, entryOf(level, perm)));
}

/**
 * What one example has, for all; for each leaf of a tree. Source: lax.pbroadcast.
 *
 * @throws ArgumentError when no vmap around the call has named the axis, or has no such example.
 * @example
 * vmap((x: Tensor) => pbroadcast(x, "i", 1), { axisName: "i" })(array([5, 6, 7])); // [6, 6, 6]
 */
export function pbroadcast<T>(x: T, axisName: string, source: number): T {
  checkPlaces("pbroadcast", "source", [source], levelOf("pbroadcast", axisName).size);
  return over("pbroadcast", x, axisName, (all) => row(all, asTensor(source, "pbroadcast")));
}

/** x with an axis cut into [size, extent / size]; with extent = size and not tiled, into [size]. */
function cut(name: string, x: Tensor, axis: number, size: number, tiled: boolean): Tensor {
  const extent = x.shape[axis] ?? 0;
  if (tiled ? extent % size !== 0 : extent !== size)
    throw new ShapeError(
      `${name}: axis ${axis} of ${shapeText(x.shape)} must be ${tiled ? "divisible by" : "as long as there are examples,"} ${size}`,
    );
  return tiled ? reshape(x, [...x.shape.slice(0, axis), size, extent / size, ...x.shape.slice(axis + 1)]) : x;
}

/** Options of `psumScatter`. */
export interface ScatterSumOptions {
  /** The axis of x that is spread over the examples; 0 unless told. */
  readonly scatterDimension?: number;
  /** True if each example keeps a piece of that axis, false (the default) if one place of it. */
  readonly tiled?: boolean;
}

/**
 * This example's part of Σ x over all examples: place number `axisIndex` along an axis, or with `tiled` that piece of it; for each
 * leaf of a tree. Source: lax.psum_scatter.
 *
 * @throws ArgumentError when no vmap around the call has named the axis, ShapeError when the axis is not as long as there are
 * examples, or with `tiled` not divisible by them.
 * @example
 * vmap((x: Tensor) => psumScatter(x, "i"), { axisName: "i" })(array([[1, 2], [10, 20]])); // [11, 22]
 */
export function psumScatter<T>(x: T, axisName: string, options: ScatterSumOptions = {}): T {
  checkOptions("psumScatter", options, { scatterDimension: "number", tiled: "flag" });
  const { scatterDimension = 0, tiled = false } = options;
  const level = levelOf("psumScatter", axisName);
  return over("psumScatter", x, axisName, (all) => {
    const total = sum(all, { axis: 0 });
    const axis = normalizeAxis("psumScatter", scatterDimension, total.ndim);
    const pieces = cut("psumScatter", total, axis, level.size, tiled);
    return take(pieces, indexIn(level), { axis, mode: "clip" });
  });
}

/** Options of `allToAll`. */
export interface AllToAllOptions {
  /** True if the axis is cut into pieces, which are joined, so that there are as many axes as before. Default false. */
  readonly tiled?: boolean;
}

/**
 * The vmapped axis changed for another: example j gets place j along `splitAxis` of every example, stacked along `concatAxis`; with
 * `tiled`, piece j, joined along it; for each leaf of a tree. Source: lax.all_to_all.
 *
 * @throws as {@link psumScatter}, for the axis that is split.
 * @example
 * vmap((x: Tensor) => allToAll(x, "i", 0, 0), { axisName: "i" })(array([[1, 2], [3, 4]])); // [[1, 3], [2, 4]]
 */
export function allToAll<T>(
  x: T,
  axisName: string,
  splitAxis: number,
  concatAxis: number,
  options: AllToAllOptions = {},
): T {
  checkOptions("allToAll", options, { tiled: "flag" });
  return exchanged("allToAll", x, axisName, splitAxis, concatAxis, options.tiled ?? false);
}

/**
 * The vmapped axis changed for another of x, which must be as long; for each leaf of a tree. Source: lax.pswapaxes.
 *
 * @throws as {@link allToAll}.
 * @example
 * vmap((x: Tensor) => pswapaxes(x, "i", 0), { axisName: "i" })(array([[1, 2], [3, 4]])); // [[1, 3], [2, 4]]
 */
export function pswapaxes<T>(x: T, axisName: string, axis: number): T {
  return exchanged("pswapaxes", x, axisName, axis, axis, false);
}

function exchanged<T>(name: string, x: T, axisName: string, from: number, to: number, tiled: boolean): T {
  const level = levelOf(name, axisName);
  return over(name, x, axisName, (all) => {
    const rank = all.ndim - 1;
    const split = normalizeAxis(name, from, rank) + 1;
    const mine = take(cut(name, all, split, level.size, tiled), indexIn(level), { axis: split, mode: "clip" });
    // What the examples gave comes first still.
    const moved = moveaxis(mine, 0, normalizeAxis(name, to, rank));
    if (!tiled) return moved;
    const join = normalizeAxis(name, to, rank);
    const { shape } = moved;
    return reshape(moved, [
      ...shape.slice(0, join),
      (shape[join] ?? 1) * (shape[join + 1] ?? 1),
      ...shape.slice(join + 2),
    ]);
  });
}
