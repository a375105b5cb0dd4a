import * as t from "@jnx/tensor";
import type { DType, IndexMode } from "@jnx/tensor";
import * as r from "../reference.ts";
import { EVERY, always, shapedRow, type Operand, type ShapedRow } from "./rows.ts";

const MODES: readonly IndexMode[] = ["fill", "clip", "wrap"];
/** In range, from the end, past both ends, far past. */
const around = [0, 2, -1, -4, -5, 4, 1, 9, -2147483648, 2147483647, 3, -9];

function indices(shape: readonly number[], values: readonly number[] = around, dtype: DType = "int32"): Operand {
  return { shape, values: values.slice(0, r.count(shape)), dtype };
}

const taken = MODES.flatMap((mode): ShapedRow[] => [
  shapedRow(
    "take",
    `axis 0, ${mode}`,
    [[4, 8], indices([12])],
    (x, i) => t.take(x, i, { axis: 0, mode }),
    (x, i) => r.take(x, i, 0, mode, NaN),
    { differentiable: mode !== "fill" },
  ),
  shapedRow(
    "take",
    `axis 1 by a matrix, ${mode}`,
    [[2, 4, 3], indices([2, 3])],
    (x, i) => t.take(x, i, { axis: 1, mode }),
    (x, i) => r.take(x, i, 1, mode, NaN),
    { differentiable: mode !== "fill" },
  ),
  shapedRow(
    "take",
    `of a flat array, ${mode}`,
    [[2, 2], indices([12])],
    (x, i) => t.take(x, i, { mode }),
    (x, i) => r.take({ ...x, shape: [4] }, i, 0, mode, NaN),
    { differentiable: mode !== "fill" },
  ),
  shapedRow(
    "takeAlongAxis",
    `axis 1, ${mode}`,
    [[3, 4], indices([3, 4])],
    (x, i) => t.takeAlongAxis(x, i, 1, { mode }),
    (x, i) => r.takeAlongAxis(x, i, 1, mode, NaN),
    { differentiable: mode !== "fill" },
  ),
]);

const FILL: Readonly<Record<string, number>> = { float32: NaN, int32: -2147483648, uint32: 4294967295, bool: 1 };

const fills = EVERY.map((dtype) =>
  shapedRow(
    "take",
    `fills ${dtype}`,
    [{ shape: [4], dtype }, indices([12])],
    (x, i) => t.take(x, i),
    (x, i) => r.take(x, i, 0, "fill", FILL[dtype] ?? NaN),
    { result: always(dtype) },
  ),
);

const others: readonly ShapedRow[] = [
  shapedRow(
    "take",
    "in range",
    [[4, 3], indices([5], [3, 0, 0, -1, 2])],
    (x, i) => t.take(x, i, { axis: 0 }),
    (x, i) => r.take(x, i, 0, "fill", NaN),
    { differentiable: true },
  ),
  shapedRow(
    "take",
    "by uint32",
    [[4], indices([3], [0, 4294967295, 3], "uint32")],
    (x, i) => t.take(x, i),
    (x, i) => r.take(x, i, 0, "fill", NaN),
  ),
  shapedRow(
    "take",
    "by a scalar",
    [[4, 3], indices([], [-2])],
    (x, i) => t.take(x, i, { axis: 0 }),
    (x, i) => r.take(x, i, 0, "fill", NaN),
    { differentiable: true },
  ),
  shapedRow(
    "take",
    "of nothing",
    [[4, 3], indices([0])],
    (x, i) => t.take(x, i, { axis: 0 }),
    (x, i) => r.take(x, i, 0, "fill", NaN),
    { differentiable: true },
  ),
  shapedRow(
    "take",
    "of transposed views",
    [[3, 4], indices([2, 3], [0, 2, -1, 1, 3, 0])],
    (x, i) => t.take(t.transpose(x), t.transpose(i), { axis: 0 }),
    (x, i) => r.take(r.transpose(x, [1, 0]), r.transpose(i, [1, 0]), 0, "fill", NaN),
    { differentiable: true },
  ),
  shapedRow(
    "takeAlongAxis",
    "axis 0 of fewer",
    [[4, 3], indices([2, 3], [0, 1, 2, -1, 3, 1])],
    (x, i) => t.takeAlongAxis(x, i, 0),
    (x, i) => r.takeAlongAxis(x, i, 0, "fill", NaN),
    { differentiable: true },
  ),
  shapedRow(
    "takeAlongAxis",
    "of an index row",
    [[4, 3], indices([1, 2], [2, -3])],
    (x, i) => t.takeAlongAxis(x, i, 1),
    (x, i) => r.takeAlongAxis(x, i, 1, "fill", NaN),
    { differentiable: true },
  ),
  shapedRow(
    "takeAlongAxis",
    "of an operand row",
    [[1, 3], indices([4, 2], [2, -3, 0, 1, 1, 1, 2, 0])],
    (x, i) => t.takeAlongAxis(x, i, 1),
    (x, i) => r.takeAlongAxis(x, i, 1, "fill", NaN),
    { differentiable: true },
  ),
];

function hot(label: string, index: Operand, classes: number, axis: number, dtype: DType = "float32"): ShapedRow {
  const run = (x: t.Tensor): t.Tensor => t.oneHot(x, classes, { axis, dtype });
  const oracle = (x: r.HostArray): r.HostArray => {
    const place = axis < 0 ? axis + x.shape.length + 1 : axis;
    const shape = [...x.shape.slice(0, place), classes, ...x.shape.slice(place)];
    return r.build(shape, (at) => (r.get(x, [...at.slice(0, place), ...at.slice(place + 1)]) === at[place] ? 1 : 0));
  };
  return shapedRow("oneHot", label, [index], run, oracle, { result: always(dtype) });
}

const hots: readonly ShapedRow[] = [
  hot("in and out of range", indices([6], [0, 2, -1, 3, 1, 9]), 3, -1),
  hot("axis 0", indices([2, 3], [0, 2, -1, 3, 1, 9]), 4, 0),
  hot("by uint32, to bool", indices([3], [0, 4294967295, 1], "uint32"), 2, -1, "bool"),
  hot("of a scalar", indices([], [1]), 3, -1, "int32"),
  hot("of no classes", indices([2], [0, 1]), 0, -1),
];

export const indexing: readonly ShapedRow[] = [...taken, ...fills, ...others, ...hots];
