import * as t from "@jnx/tensor";
import * as r from "../reference.ts";
import { EVERY, shapedRow, type ShapedRow } from "./rows.ts";

const every = { dtypes: EVERY, differentiable: true };
const float = { differentiable: true };
const shaped =
  (shape: readonly number[]) =>
  (x: r.HostArray): r.HostArray => ({ shape, data: x.data });
const order =
  (axes: readonly number[]) =>
  (x: r.HostArray): r.HostArray =>
    r.transpose(x, axes);

const reshapes: readonly ShapedRow[] = [
  shapedRow("reshape", "to [6, -1]", [[2, 3, 4]], (x) => t.reshape(x, [6, -1]), shaped([6, 4]), every),
  shapedRow("reshape", "to a number", [[2, 3]], (x) => t.reshape(x, -1), shaped([6]), float),
  shapedRow(
    "reshape",
    "of a transpose",
    [[4, 6]],
    (x) => t.reshape(t.transpose(x), [3, 8]),
    (x) => shaped([3, 8])(r.transpose(x, [1, 0])),
    float,
  ),
  shapedRow(
    "reshape",
    "of a slice",
    [[6, 6]],
    (x) => t.reshape(t.laxSlice(x, [1, 1], [5, 4]), [12]),
    (x) => shaped([12])(r.slice(x, [1, 1], [5, 4], [1, 1])),
    float,
  ),
  shapedRow("reshape", "of nothing", [[0, 3]], (x) => t.reshape(x, [5, 0]), shaped([5, 0])),
  shapedRow("reshape", "to a scalar", [[1, 1]], (x) => t.reshape(x, []), shaped([]), float),
  shapedRow(
    "reshape",
    "to rank 8",
    [[24]],
    (x) => t.reshape(x, [1, 2, 1, 3, 1, 2, 2, 1]),
    shaped([1, 2, 1, 3, 1, 2, 2, 1]),
    float,
  ),
  shapedRow("ravel", "of [2, 3]", [[2, 3]], t.ravel, shaped([6]), float),
  shapedRow("expandDims", "axis [0, -1]", [[2, 3]], (x) => t.expandDims(x, [0, -1]), shaped([1, 2, 3, 1]), float),
  shapedRow("squeeze", "of all", [[1, 2, 1]], (x) => t.squeeze(x), shaped([2]), float),
  shapedRow("squeeze", "axis -1", [[1, 2, 1]], (x) => t.squeeze(x, -1), shaped([1, 2]), float),
];

const orders: readonly ShapedRow[] = [
  shapedRow("transpose", "reversed", [[2, 3, 4]], (x) => t.transpose(x), order([2, 1, 0]), every),
  shapedRow("transpose", "[1, -1, 0]", [[2, 3, 4]], (x) => t.transpose(x, [1, -1, 0]), order([1, 2, 0]), float),
  shapedRow(
    "transpose",
    "of rank 8",
    [[1, 2, 1, 3, 2, 1, 2, 1]],
    (x) => t.transpose(x),
    order([7, 6, 5, 4, 3, 2, 1, 0]),
    float,
  ),
  shapedRow("transpose", "of nothing", [[0, 3]], (x) => t.transpose(x), order([1, 0])),
  shapedRow("swapaxes", "0 and -1", [[2, 3, 4]], (x) => t.swapaxes(x, 0, -1), order([2, 1, 0]), float),
  shapedRow("moveaxis", "0 to -1", [[2, 3, 4]], (x) => t.moveaxis(x, 0, -1), order([1, 2, 0]), float),
  shapedRow("moveaxis", "-1 to 0", [[2, 3, 4]], (x) => t.moveaxis(x, -1, 0), order([2, 0, 1]), float),
];

const repeats: readonly ShapedRow[] = [
  shapedRow(
    "broadcastTo",
    "[3] to [2, 3]",
    [[3]],
    (x) => t.broadcastTo(x, [2, 3]),
    (x) => r.build([2, 3], (at) => r.get(x, at)),
    every,
  ),
  shapedRow(
    "broadcastTo",
    "[2, 1] to [4, 2, 3]",
    [[2, 1]],
    (x) => t.broadcastTo(x, [4, 2, 3]),
    (x) => r.build([4, 2, 3], (at) => r.get(x, at)),
    float,
  ),
  shapedRow(
    "broadcastTo",
    "a scalar",
    [[]],
    (x) => t.broadcastTo(x, [2, 2]),
    (x) => r.build([2, 2], (at) => r.get(x, at)),
    float,
  ),
  shapedRow(
    "broadcastTo",
    "to nothing",
    [[1, 3]],
    (x) => t.broadcastTo(x, [0, 3]),
    (x) => r.build([0, 3], (at) => r.get(x, at)),
    float,
  ),
];

const slices: readonly ShapedRow[] = [
  shapedRow(
    "laxSlice",
    "with steps",
    [[5, 7]],
    (x) => t.laxSlice(x, [1, 0], [5, 7], [2, 3]),
    (x) => r.slice(x, [1, 0], [5, 7], [2, 3]),
    every,
  ),
  shapedRow(
    "laxSlice",
    "of nothing",
    [[5, 7]],
    (x) => t.laxSlice(x, [2, 0], [2, 7]),
    (x) => r.slice(x, [2, 0], [2, 7], [1, 1]),
    float,
  ),
  shapedRow(
    "laxSlice",
    "of a slice",
    [[8, 8]],
    (x) => t.laxSlice(t.laxSlice(x, [1, 2], [8, 8], [2, 1]), [1, 1], [4, 6], [1, 2]),
    (x) => r.slice(r.slice(x, [1, 2], [8, 8], [2, 1]), [1, 1], [4, 6], [1, 2]),
    float,
  ),
  shapedRow(
    "flip",
    "of all axes",
    [[3, 4]],
    (x) => t.flip(x),
    (x) => r.flip(x),
    every,
  ),
  shapedRow(
    "flip",
    "axis 0",
    [[3, 4]],
    (x) => t.flip(x, { axis: 0 }),
    (x) => r.flip(x, 0),
    float,
  ),
  shapedRow(
    "flip",
    "of nothing",
    [[0, 4]],
    (x) => t.flip(x),
    (x) => r.flip(x),
  ),
  shapedRow(
    "flip",
    "of a slice",
    [[6, 6]],
    (x) => t.flip(t.laxSlice(x, [1, 1], [6, 5], [2, 1]), { axis: -1 }),
    (x) => r.flip(r.slice(x, [1, 1], [6, 5], [2, 1]), 1),
    float,
  ),
];

type Config = readonly (readonly [number, number, number])[];

function padded(label: string, shape: readonly number[], config: Config, value: number, all = false): ShapedRow {
  return shapedRow(
    "pad",
    label,
    [shape],
    (x) => t.pad(x, value, config),
    (x) => r.pad(x, value, config),
    all ? every : { differentiable: r.count(shape) > 0 && !Number.isNaN(value) },
  );
}

const pads: readonly ShapedRow[] = [
  padded(
    "around",
    [2, 3],
    [
      [1, 2, 0],
      [0, 3, 0],
    ],
    1,
    true,
  ),
  padded(
    "around in vectors",
    [4, 8],
    [
      [1, 1, 0],
      [4, 4, 0],
    ],
    0,
  ),
  padded(
    "between",
    [3, 2],
    [
      [0, 0, 2],
      [1, 0, 1],
    ],
    -1.5,
  ),
  padded(
    "cropping",
    [5, 6],
    [
      [-1, -2, 0],
      [-2, 1, 0],
    ],
    0,
  ),
  padded(
    "cropping and between",
    [5, 3],
    [
      [-1, 2, 1],
      [-2, -2, 1],
    ],
    2,
  ),
  padded(
    "of nothing",
    [0, 2],
    [
      [1, 1, 3],
      [0, 0, 0],
    ],
    4,
  ),
  padded(
    "down to nothing",
    [2, 2],
    [
      [-1, -1, 0],
      [0, 0, 0],
    ],
    4,
  ),
  padded("with NaN", [3], [[1, 1, 0]], NaN),
  padded("of a scalar", [], [], 1),
];

const paddedViews: readonly ShapedRow[] = [
  shapedRow(
    "pad",
    "of a transpose",
    [[3, 4]],
    (x) =>
      t.pad(t.transpose(x), 0, [
        [1, 0, 1],
        [0, 1, 0],
      ]),
    (x) =>
      r.pad(r.transpose(x, [1, 0]), 0, [
        [1, 0, 1],
        [0, 1, 0],
      ]),
    float,
  ),
  shapedRow(
    "pad",
    "of a flipped broadcast",
    [[4]],
    (x) =>
      t.pad(t.flip(t.broadcastTo(x, [3, 4])), 0, [
        [1, 0, 0],
        [0, 1, 0],
      ]),
    (x) =>
      r.pad(r.flip(r.build([3, 4], (at) => r.get(x, at))), 0, [
        [1, 0, 0],
        [0, 1, 0],
      ]),
    float,
  ),
];

export const movement: readonly ShapedRow[] = [...reshapes, ...orders, ...repeats, ...slices, ...pads, ...paddedViews];
