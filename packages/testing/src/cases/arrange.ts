import * as t from "@jnx/tensor";
import * as r from "../reference.ts";
import { EVERY, shapedRow, type ShapedRow } from "./rows.ts";

const float = { differentiable: true };
const every = { dtypes: EVERY, differentiable: true };
const near = { differentiable: true, tolerance: { ulp: 4, abs: 1e-6 } };

/** The array whose element at a coordinate is that of x at `from(coordinate)`, or 0 where that is undefined. */
const moved =
  (shape: (x: readonly number[]) => readonly number[], from: (...at: number[]) => readonly number[] | undefined) =>
  (x: r.HostArray): r.HostArray =>
    r.build(shape(x.shape), (at) => {
      const place = from(...at);
      return place === undefined ? 0 : r.get(x, place);
    });
const same = (shape: readonly number[]): readonly number[] => shape;
const to = (shape: readonly number[]) => (): readonly number[] => shape;

const arrangements: readonly ShapedRow[] = [
  shapedRow(
    "roll",
    "axis 1",
    [[3, 4]],
    (x) => t.roll(x, 1, { axis: 1 }),
    moved(same, (i = 0, j = 0) => [i, (j + 3) % 4]),
    every,
  ),
  shapedRow(
    "rot90",
    "of [2, 3]",
    [[2, 3]],
    (x) => t.rot90(x),
    moved(to([3, 2]), (i = 0, j = 0) => [j, 2 - i]),
    every,
  ),
  shapedRow(
    "fliplr",
    "of [2, 3]",
    [[2, 3]],
    (x) => t.fliplr(x),
    (x) => r.flip(x, 1),
    float,
  ),
  shapedRow(
    "flipud",
    "of [2, 3]",
    [[2, 3]],
    (x) => t.flipud(x),
    (x) => r.flip(x, 0),
    float,
  ),
  shapedRow(
    "tile",
    "[2, 1, 3]",
    [[2, 2]],
    (x) => t.tile(x, [2, 1, 3]),
    moved(to([2, 2, 6]), (_, i = 0, j = 0) => [i, j % 2]),
    every,
  ),
  shapedRow(
    "triu",
    "k 1",
    [[3, 4]],
    (x) => t.triu(x, 1),
    moved(same, (i = 0, j = 0) => (j - i >= 1 ? [i, j] : undefined)),
    every,
  ),
  shapedRow(
    "tril",
    "k -1",
    [[3, 4]],
    (x) => t.tril(x, -1),
    moved(same, (i = 0, j = 0) => (j - i <= -1 ? [i, j] : undefined)),
    every,
  ),
  shapedRow(
    "diag",
    "of a vector",
    [[3]],
    (x) => t.diag(x, 1),
    moved(to([4, 4]), (i = 0, j = 0) => (j - i === 1 ? [i] : undefined)),
    every,
  ),
  shapedRow(
    "diagflat",
    "of a matrix",
    [[2, 2]],
    (x) => t.diagflat(x),
    moved(to([4, 4]), (i = 0, j = 0) => (i === j ? [Math.floor(i / 2), i % 2] : undefined)),
    float,
  ),
  shapedRow(
    "diagonal",
    "offset 1",
    [[3, 4]],
    (x) => t.diagonal(x, { offset: 1 }),
    moved(to([3]), (i = 0) => [i, i + 1]),
    every,
  ),
  shapedRow(
    "diagonal",
    "of a transpose",
    [[3, 4]],
    (x) => t.diagonal(t.transpose(x)),
    moved(to([3]), (i = 0) => [i, i]),
    float,
  ),
  shapedRow(
    "jnpPad",
    "reflect",
    [[3]],
    (x) => t.jnpPad(x, [2, 1], { mode: "reflect" }),
    moved(to([6]), (i = 0) => [[2, 1, 0, 1, 2, 1][i] ?? 0]),
    every,
  ),
  shapedRow(
    "jnpPad",
    "constants",
    [[2]],
    (x) => t.jnpPad(x, 1, { constantValues: [5, 7] }),
    (x) => ({ shape: [4], data: [5, ...x.data, 7] }),
    float,
  ),
  shapedRow(
    "broadcastArrays",
    "of two",
    [[2, 1], [3]],
    (x, y) => t.broadcastArrays(x, y)[1] ?? x,
    (_, y) => r.build([2, 3], (at) => r.get(y, at)),
    float,
  ),
  shapedRow(
    "meshgrid",
    "xy",
    [[3], [2]],
    (x, y) => t.meshgrid(x, y)[0] ?? x,
    (x) => r.build([2, 3], (at) => r.get(x, [at[1] ?? 0])),
    float,
  ),
  shapedRow(
    "linspace",
    "of arrays",
    [[2], [2]],
    (x, y) => t.linspace(x, y, 4),
    (x, y) => r.build([4, 2], ([k = 0, i = 0]) => (r.get(x, [i]) * (3 - k) + r.get(y, [i]) * k) / 3),
    near,
  ),
  shapedRow(
    "logspace",
    "of arrays",
    [[2], [2]],
    (x, y) => t.logspace(x, y, 3),
    (x, y) => r.build([3, 2], ([k = 0, i = 0]) => 10 ** ((r.get(x, [i]) * (2 - k) + r.get(y, [i]) * k) / 2)),
    { differentiable: true, tolerance: { ulp: 64 } },
  ),
  shapedRow(
    "geomspace",
    "of arrays",
    [
      { shape: [2], domain: [1, 2] },
      { shape: [2], domain: [3, 9] },
    ],
    (x, y) => t.geomspace(x, y, 3),
    (x, y) => r.build([3, 2], ([k = 0, i = 0]) => r.get(x, [i]) * (r.get(y, [i]) / r.get(x, [i])) ** (k / 2)),
    { differentiable: true, tolerance: { ulp: 64 } },
  ),
];

const index = (...values: number[]) => ({ shape: [], values, dtype: "int32" as const });

const windows: readonly ShapedRow[] = [
  shapedRow(
    "dynamicSlice",
    "inside",
    [[4, 5], index(1), index(2)],
    (x, i, j) => t.dynamicSlice(x, [i, j], [2, 3]),
    (x) => r.slice(x, [1, 2], [3, 5], [1, 1]),
    every,
  ),
  shapedRow(
    "dynamicSlice",
    "moved to fit",
    [[4, 4], index(9), index(-9)],
    (x, i, j) => t.dynamicSlice(x, [i, j], [2, 3]),
    (x) => r.slice(x, [2, 0], [4, 3], [1, 1]),
    float,
  ),
  shapedRow(
    "dynamicSlice",
    "of a transpose",
    [[4, 5], index(-2)],
    (x, i) => t.dynamicSlice(t.transpose(x), [i, 0], [1, 4]),
    (x) => r.slice(r.transpose(x, [1, 0]), [3, 0], [4, 4], [1, 1]),
    float,
  ),
  shapedRow(
    "dynamicUpdateSlice",
    "inside",
    [[4, 5], [2, 3], index(1), index(2)],
    (x, y, i, j) => t.dynamicUpdateSlice(x, y, [i, j]),
    (x, y) =>
      r.build([4, 5], ([i = 0, j = 0]) => (i >= 1 && i < 3 && j >= 2 ? r.get(y, [i - 1, j - 2]) : r.get(x, [i, j]))),
    every,
  ),
  shapedRow(
    "dynamicUpdateSlice",
    "at a known place",
    [[5], [2]],
    (x, y) => t.dynamicUpdateSlice(x, y, [-2]),
    (x, y) => ({ shape: [5], data: [...x.data.slice(0, 3), ...y.data] }),
    float,
  ),
  shapedRow(
    "dynamicSliceInDim",
    "axis 1",
    [[2, 5], index(3)],
    (x, i) => t.dynamicSliceInDim(x, i, 2, 1),
    (x) => r.slice(x, [0, 3], [2, 5], [1, 1]),
    float,
  ),
  shapedRow(
    "dynamicIndexInDim",
    "axis 0",
    [[3, 2], index(1)],
    (x, i) => t.dynamicIndexInDim(x, i, 0, { keepdims: false }),
    (x) => ({ shape: [2], data: x.data.slice(2, 4) }),
    float,
  ),
  shapedRow(
    "dynamicUpdateSliceInDim",
    "axis 0",
    [[4], [2], index(1)],
    (x, y, i) => t.dynamicUpdateSliceInDim(x, y, i, 0),
    (x, y) => ({ shape: [4], data: [x.data[0] ?? 0, ...y.data, x.data[3] ?? 0] }),
    float,
  ),
  shapedRow(
    "dynamicUpdateIndexInDim",
    "axis 1",
    [[2, 2], [2], index(0)],
    (x, y, i) => t.dynamicUpdateIndexInDim(x, y, i, 1),
    (x, y) => r.build([2, 2], ([i = 0, j = 0]) => (j === 0 ? r.get(y, [i]) : r.get(x, [i, j]))),
    float,
  ),
];

const made: readonly ShapedRow[] = [
  shapedRow(
    "identity",
    "of 3",
    [],
    () => t.identity(3),
    () => r.build([3, 3], ([i, j]) => (i === j ? 1 : 0)),
  ),
  shapedRow(
    "tri",
    "of 3, 4",
    [],
    () => t.tri(3, 4, { k: 1 }),
    () => r.build([3, 4], ([i = 0, j = 0]) => (j - i <= 1 ? 1 : 0)),
  ),
  shapedRow(
    "trilIndices",
    "columns",
    [],
    () => t.trilIndices(2)[1] ?? t.zeros([0]),
    () => ({ shape: [3], data: [0, 0, 1] }),
    { result: () => "int32" },
  ),
  shapedRow(
    "triuIndices",
    "rows",
    [],
    () => t.triuIndices(2)[0] ?? t.zeros([0]),
    () => ({ shape: [3], data: [0, 0, 1] }),
    { result: () => "int32" },
  ),
  shapedRow(
    "diagIndices",
    "of 2",
    [],
    () => t.diagIndices(2)[1] ?? t.zeros([0]),
    () => ({ shape: [2], data: [0, 1] }),
    { result: () => "int32" },
  ),
  shapedRow(
    "indices",
    "of [2, 2]",
    [],
    () => t.indices([2, 2]),
    () => r.build([2, 2, 2], ([k = 0, i = 0, j = 0]) => (k === 0 ? i : j)),
    { result: () => "int32" },
  ),
];

export const arrange: readonly ShapedRow[] = [...arrangements, ...windows, ...made];
