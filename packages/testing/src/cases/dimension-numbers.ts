import * as t from "@jnx/tensor";
import type { GatherDimensionNumbers, ScatterDimensionNumbers, Tensor } from "@jnx/tensor";
import * as r from "../reference.ts";
import { EXACT, shapedRow, type ShapedRow } from "./rows.ts";

type Mode = "fill" | "clip";

/** Where windows lie, for gather and scatter alike: the operand's axes of one element, those indexed, those of the batch. */
interface Layout {
  readonly label: string;
  readonly operand: readonly number[];
  readonly indices: readonly number[];
  readonly starts: readonly number[];
  readonly sizes: readonly number[];
  /** Axes of the result, or of the updates, that run through a window. */
  readonly window: readonly number[];
  readonly single: readonly number[];
  readonly indexed: readonly number[];
  readonly batch: readonly (readonly [operand: number, indices: number])[];
  readonly mode: Mode;
  /** No element is in two windows. */
  readonly apart: boolean;
}

const rows: Layout = {
  label: "rows",
  operand: [4, 3],
  indices: [2, 1],
  starts: [3, 1],
  sizes: [1, 3],
  window: [1],
  single: [0],
  indexed: [0],
  batch: [],
  mode: "clip",
  apart: true,
};

/** Indices of both axes, the second first; windows that overlap, and some that are partly outside. */
const corners: Omit<Layout, "label" | "mode"> = {
  operand: [4, 5],
  indices: [2, 2, 2],
  starts: [1, 0, 2, 1, 4, 3, -1, 2],
  sizes: [2, 3],
  window: [0, 2],
  single: [],
  indexed: [1, 0],
  batch: [],
  apart: false,
};

const batched: Layout = {
  label: "along batches",
  operand: [2, 4, 3],
  indices: [3, 2, 1],
  starts: [0, 3, 2, 9, 1, 0],
  sizes: [1, 1, 2],
  window: [0],
  single: [1],
  indexed: [1],
  batch: [[0, 1]],
  mode: "fill",
  apart: true,
};

const layouts: readonly Layout[] = [
  rows,
  { ...corners, label: "corners, clipped", mode: "clip" },
  { ...corners, label: "corners, filled or dropped", mode: "fill" },
  batched,
];

/** The shape of the windows: the extents of windows and indices at their places. */
function windowsShape({ sizes, window, indices, single, batch }: Layout): number[] {
  const inner = sizes.filter((_, axis) => !single.includes(axis) && batch.every(([own]) => own !== axis));
  const outer = [...indices.slice(0, -1)];
  return Array.from({ length: inner.length + outer.length }, (_, dim) =>
    window.includes(dim) ? (inner[window.indexOf(dim)] ?? 0) : (outer.shift() ?? 0),
  );
}

/** The operand's element that an element of the windows is, undefined for those of windows left out. */
function placeOf(layout: Layout, indices: r.HostArray, at: readonly number[]): number[] | undefined {
  const { operand, sizes, window, single, indexed, batch, mode } = layout;
  const outer = at.filter((_, dim) => !window.includes(dim));
  const inner = window.map((dim) => at[dim] ?? 0);
  let isInside = true;
  const starts = operand.map((extent, axis) => {
    const along = batch.find(([own]) => own === axis);
    if (along !== undefined) return outer[along[1]] ?? 0;
    const column = indexed.indexOf(axis);
    const start = column < 0 ? 0 : r.get(indices, [...outer, column]);
    const moved = Math.min(extent - (sizes[axis] ?? 1), Math.max(0, start));
    isInside &&= start === moved;
    return moved;
  });
  if (mode === "fill" && !isInside) return undefined;
  return starts.map((start, axis) => {
    const hasOne = single.includes(axis) || batch.some(([own]) => own === axis);
    return start + (hasOne ? 0 : (inner.shift() ?? 0));
  });
}

const indicesOf = ({ indices, starts }: Layout) => ({ shape: indices, values: starts, dtype: "int32" as const });

function gatherRow(layout: Layout): ShapedRow {
  const numbers: GatherDimensionNumbers = {
    offsetDims: layout.window,
    collapsedSliceDims: layout.single,
    startIndexMap: layout.indexed,
    operandBatchingDims: layout.batch.map(([own]) => own),
    startIndicesBatchingDims: layout.batch.map(([, along]) => along),
  };
  const { mode } = layout;
  return shapedRow(
    "gather",
    layout.label,
    [{ shape: layout.operand }, indicesOf(layout)],
    (x, i) => t.gather(x, i, numbers, layout.sizes, { mode, fillValue: 7 }),
    (x, i) =>
      r.build(windowsShape(layout), (at) => {
        const place = placeOf(layout, i, at);
        return place === undefined ? 7 : r.get(x, place);
      }),
    { differentiable: true },
  );
}

function scatterNumbers(layout: Layout): ScatterDimensionNumbers {
  return {
    updateWindowDims: layout.window,
    insertedWindowDims: layout.single,
    scatterDimsToOperandDims: layout.indexed,
    operandBatchingDims: layout.batch.map(([own]) => own),
    scatterIndicesBatchingDims: layout.batch.map(([, along]) => along),
  };
}

/** The operand with each update combined where it belongs, window after window in the order of their indices. */
function scattered(
  layout: Layout,
  combine: (old: number, update: number) => number,
): (x: r.HostArray, indices: r.HostArray, updates: r.HostArray) => r.HostArray {
  return (x, indices, updates) => {
    const data = [...x.data];
    const outer = updates.shape.flatMap((_, dim) => (layout.window.includes(dim) ? [] : [dim]));
    const order = [...outer, ...layout.window];
    r.transpose(updates, order).data.forEach((update, k) => {
      const moved = r.coordinates(
        order.map((dim) => updates.shape[dim] ?? 0),
        k,
      );
      const at = updates.shape.map((_, dim) => moved[order.indexOf(dim)] ?? 0);
      const place = placeOf(layout, indices, at);
      if (place === undefined) return;
      const flat = place.reduce((sum, c, axis) => sum * (x.shape[axis] ?? 0) + c, 0);
      data[flat] = combine(data[flat] ?? NaN, update);
    });
    return { shape: x.shape, data };
  };
}

type Name = "scatter" | "scatterAdd" | "scatterSub" | "scatterMul" | "scatterMin" | "scatterMax";

function scatterRow(name: Name, layout: Layout, combine: (old: number, update: number) => number): ShapedRow {
  const options = { mode: layout.mode, uniqueIndices: layout.apart };
  const numbers = scatterNumbers(layout);
  return shapedRow(
    name,
    layout.label,
    [{ shape: layout.operand }, indicesOf(layout), { shape: windowsShape(layout) }],
    (x, i, updates) => t[name](x, i, updates, numbers, options),
    scattered(layout, combine),
    {
      // Sums of several updates come in any order.
      tolerance: layout.apart ? EXACT : { ulp: 2, abs: 1e-6 },
      // Which of several updates is last, and their factors, have no gradient worth a check.
      differentiable: layout.apart || name === "scatterAdd",
    },
  );
}

function applyRow(layout: Layout): ShapedRow {
  const f = (one: Tensor): Tensor => t.mul(one, one);
  const shape = windowsShape(layout);
  const options = { mode: layout.mode, uniqueIndices: layout.apart, updateShape: shape };
  return shapedRow(
    "scatterApply",
    layout.label,
    [{ shape: layout.operand }, indicesOf(layout)],
    (x, i) => t.scatterApply(x, i, f, scatterNumbers(layout), options),
    (x, i) => {
      // Twice in windows, once squared.
      const reached = scattered(layout, () => 1)(
        { ...x, data: x.data.map(() => 0) },
        i,
        r.build(shape, () => 1),
      );
      return r.map((one, isReached) => (isReached === 1 ? one * one : one), x, reached);
    },
    { differentiable: layout.apart },
  );
}

/** lax.gather and lax.scatter with dimension numbers. */
export const dimensionNumbers: readonly ShapedRow[] = [
  ...layouts.map(gatherRow),
  ...layouts.map((layout) => scatterRow("scatter", layout, (_, update) => update)),
  ...layouts.map((layout) => scatterRow("scatterAdd", layout, (old, update) => old + update)),
  ...[rows, batched].flatMap((layout) => [
    scatterRow("scatterSub", layout, (old, update) => old - update),
    scatterRow("scatterMul", layout, (old, update) => old * update),
    scatterRow("scatterMin", layout, Math.min),
    scatterRow("scatterMax", layout, Math.max),
  ]),
  ...layouts.map(applyRow),
];
