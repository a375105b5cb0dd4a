import { ArgumentError, ShapeError } from "../errors.ts";
import { checkOptions } from "../options.ts";
import { shapeText, sizeOf } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { at } from "../view.ts";
import { composite } from "./composite.ts";
import { convert } from "./convert.ts";
import { asTensor, type TensorLike } from "./create.ts";
import { add, div, equal, mul, where } from "./elementwise.ts";
import { sliceAlong, stack } from "./join.ts";
import { reshape, squeeze } from "./movement.ts";
import { floating, sum } from "./reduce.ts";
import { bincount, histogramBinEdges, searchsorted } from "./search.ts";
import { diff } from "./statistics.ts";

/** Histograms of points of several coordinates. */

const OPTIONS = { bins: true, range: true, weights: true, density: "flag" } as const;

/** The outer edges of one coordinate; null for the least and the largest element. */
type Range = readonly [TensorLike, TensorLike] | null;

export interface HistogramddOptions {
  /** How many bins of one width (10 unless told) for all coordinates, or for each that or its edges. */
  readonly bins?: number | readonly (number | Tensor)[];
  /** For each coordinate the outer edges. */
  readonly range?: readonly Range[];
  /** One for each point. */
  readonly weights?: TensorLike;
  /** Whether to divide by the bins' volumes and the total. */
  readonly density?: boolean;
}

/**
 * How many of the points [n, d] fall into each cell of a grid of d axes, and the edges along each axis; the last edge belongs to
 * the last bin. Counts are int32, sums of weights floats. Source: jnp.histogramdd.
 *
 * @throws ShapeError unless the points are a matrix and each has its weight, ArgumentError unless there are bins and ranges for
 * each coordinate.
 * @example
 * const [counts] = histogramdd(array([[0, 0], [1, 3], [4, 4]]), { bins: 2 });
 * await counts.toArray(); // [[1, 1], [0, 1]]
 */
export function histogramdd(sample: TensorLike, options: HistogramddOptions = {}): [Tensor, Tensor[]] {
  checkOptions("histogramdd", options, OPTIONS);
  return onGrid("histogramdd", sample, options);
}

function onGrid(name: string, sample: TensorLike, options: HistogramddOptions): [Tensor, Tensor[]] {
  const points = floating(sample, name);
  if (points.ndim !== 2)
    throw new ShapeError(`${name}: takes points [n, d], received shape ${shapeText(points.shape)}`);
  const [count, axes] = [at(points.shape, 0), at(points.shape, 1)];
  const { bins = 10, range, density = false } = options;
  const each = typeof bins === "number" ? new Array<number>(axes).fill(bins) : bins;
  for (const [what, given] of Object.entries({ bins: each, range: range ?? each }))
    if (given.length !== axes)
      throw new ArgumentError(`${name}: ${what} for ${given.length} coordinates, the points have ${axes}`);
  const weights = options.weights === undefined ? undefined : floating(options.weights, name);
  if (weights !== undefined && (weights.ndim !== 1 || weights.size !== count))
    throw new ShapeError(`${name}: weights of shape ${shapeText(weights.shape)} for ${count} points; one for each`);
  const columns = each.map((_, k) => squeeze(sliceAlong(points, 1, k, k + 1), 1));
  const edges = columns.map((x, k) => {
    const own = range?.[k];
    return histogramBinEdges(x, { bins: each[k] ?? 10, ...(own ? { range: own } : {}) });
  });
  const hist = composite(name, () => {
    const cells = cellsOf(columns, edges, weights);
    return density ? densities(cells, edges) : cells;
  });
  return [hist, edges];
}

/** Sums over the cells: along each axis what lies below comes first and what lies beyond last, and both are cut off. */
function cellsOf(columns: readonly Tensor[], edges: readonly Tensor[], weights: Tensor | undefined): Tensor {
  const extents = edges.map(({ size }) => size + 1);
  const cell = columns.reduce<Tensor | undefined>((flat, x, k) => {
    const own = edges[k] ?? x;
    const last = squeeze(sliceAlong(own, 0, own.size - 1, own.size), 0);
    const bin = where(equal(x, last), own.size - 1, searchsorted(own, x, { side: "right" }));
    return flat === undefined ? bin : add(mul(flat, own.size + 1), bin);
  }, undefined);
  if (cell === undefined) throw new ArgumentError("histogramdd: points of no coordinates have no cells");
  const all = bincount(cell, { length: sizeOf(extents), ...(weights === undefined ? {} : { weights }) });
  return extents.reduce((cells, extent, k) => sliceAlong(cells, k, 1, extent - 1), reshape(all, extents));
}

function densities(cells: Tensor, edges: readonly Tensor[]): Tensor {
  const share = convert(cells, "float32");
  return edges.reduce(
    (rest, own, k) => {
      const widths = edges.map((_, other) => (other === k ? own.size - 1 : 1));
      return div(rest, reshape(diff(own), widths));
    },
    div(share, sum(share)),
  );
}

export interface Histogram2dOptions extends Omit<HistogramddOptions, "bins"> {
  /** How many bins (10 unless told) or the edges, for both coordinates, or a pair of those. */
  readonly bins?: number | Tensor | readonly [number | Tensor, number | Tensor];
}

/**
 * How many of the points (x, y) fall into each cell of a grid, [bins of x, bins of y], and the edges of x and of y.
 * Source: jnp.histogram2d.
 *
 * @throws ShapeError unless x and y are vectors of one length, and as `histogramdd`.
 * @example
 * const [counts] = histogram2d(array([0, 1, 4]), array([0, 3, 4]), { bins: 2 });
 * await counts.toArray(); // [[1, 1], [0, 1]]
 */
export function histogram2d(x: TensorLike, y: TensorLike, options: Histogram2dOptions = {}): [Tensor, Tensor, Tensor] {
  checkOptions("histogram2d", options, OPTIONS);
  const [a, b] = [asTensor(x, "histogram2d"), asTensor(y, "histogram2d")];
  if (a.ndim !== 1 || b.ndim !== 1 || a.size !== b.size)
    throw new ShapeError(
      `histogram2d: takes vectors of one length, received shapes ${shapeText(a.shape)} and ${shapeText(b.shape)}`,
    );
  const { bins = 10, ...rest } = options;
  const each = isPair(bins) ? bins : ([bins, bins] as const);
  const [hist, edges] = onGrid(
    "histogram2d",
    stack([floating(a, "histogram2d"), floating(b, "histogram2d")], { axis: 1 }),
    { ...rest, bins: each },
  );
  return [hist, at(edges, 0), at(edges, 1)];
}

function isPair<T>(bins: number | Tensor | T): bins is T {
  return Array.isArray(bins);
}
