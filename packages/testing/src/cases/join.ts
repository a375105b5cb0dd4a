import * as t from "@jnx/tensor";
import * as r from "../reference.ts";
import { EVERY, shapedRow, type Operand, type ShapedRow } from "./rows.ts";

const float = { differentiable: true };
const every = { dtypes: EVERY, differentiable: true };
type Shapes = readonly (readonly number[])[];

/** Element for element: which operand a coordinate falls into. */
function joined(axis: number): (...xs: r.HostArray[]) => r.HostArray {
  return (...xs) => {
    const total = xs.reduce((sum, x) => sum + (x.shape[axis] ?? 0), 0);
    const shape = (xs[0]?.shape ?? []).map((extent, k) => (k === axis ? total : extent));
    return r.build(shape, (at) => {
      let place = at[axis] ?? 0;
      for (const x of xs) {
        const extent = x.shape[axis] ?? 0;
        if (place < extent)
          return r.get(
            x,
            at.map((c, k) => (k === axis ? place : c)),
          );
        place -= extent;
      }
      return NaN;
    });
  };
}

const shaped =
  (shape: readonly number[]) =>
  (x: r.HostArray): r.HostArray => ({ shape, data: x.data });
const withAxis =
  (axis: number) =>
  (x: r.HostArray): r.HostArray =>
    shaped([...x.shape.slice(0, axis), 1, ...x.shape.slice(axis)])(x);

function concat(label: string, shapes: Shapes, axis: number, options: object = float): ShapedRow {
  return shapedRow(
    "concatenate",
    label,
    shapes,
    (...xs) => t.concatenate(xs, { axis }),
    joined(axis < 0 ? axis + (shapes[0]?.length ?? 0) : axis),
    options,
  );
}

const concats: readonly ShapedRow[] = [
  concat(
    "axis 0",
    [
      [2, 3],
      [1, 3],
      [3, 3],
    ],
    0,
    every,
  ),
  concat(
    "axis -1",
    [
      [2, 3],
      [2, 1],
    ],
    -1,
  ),
  concat(
    "axis 1 in vectors",
    [
      [3, 4],
      [3, 8],
    ],
    1,
  ),
  concat(
    "of rank 8",
    [
      [1, 2, 1, 2, 1, 2, 1, 2],
      [1, 2, 1, 2, 3, 2, 1, 2],
    ],
    4,
  ),
  concat(
    "with an empty one",
    [
      [2, 3],
      [2, 0],
      [2, 2],
    ],
    1,
  ),
  concat(
    "of empty ones",
    [
      [2, 0],
      [3, 0],
    ],
    0,
    {},
  ),
  concat("of one", [[2, 3]], 0),
  concat(
    "of ten",
    Array.from({ length: 10 }, (_, k) => [k % 3, 4]),
    0,
  ),
  concat(
    "of 70,000 rows of 3",
    [
      [70_000, 3],
      [70_000, 1],
    ],
    1,
    {},
  ),
  concat("of long vectors", [[300_000], [100_004]], 0, {}),
  shapedRow(
    "concatenate",
    "of an array and itself, twice seen",
    [[3, 3]],
    (x) => t.concatenate([x, t.transpose(x), t.flip(x), t.broadcastTo(t.laxSlice(x, [1, 0], [2, 3]), [2, 3])]),
    (x) => {
      const row = r.build([2, 3], (at) => r.get(x, [1, at[1] ?? 0]));
      return joined(0)(x, r.transpose(x, [1, 0]), r.flip(x), row);
    },
    float,
  ),
  shapedRow(
    "concatenate",
    "of flattened arrays",
    [[2, 3], [2]],
    (x, y) => t.concatenate([x, y], { axis: null }),
    (x, y) => joined(0)(shaped([6])(x), y),
    float,
  ),
  shapedRow(
    "concatenate",
    "of literals",
    [[2]],
    (x) => t.concatenate([t.zeros([1]), x, t.ones([2])]),
    (x) => ({ shape: [5], data: [0, ...x.data, 1, 1] }),
    float,
  ),
  shapedRow(
    "concatenate",
    "of int32 and float32",
    [{ shape: [2], dtype: "int32" }, [2]],
    (x, y) => t.concatenate([x, y]),
    joined(0),
    float,
  ),
];

const scalar: Operand = { shape: [] };
const stacks: readonly ShapedRow[] = [
  ...[0, 1, 2].map((axis) =>
    shapedRow(
      "stack",
      `axis ${axis}`,
      [
        [2, 3],
        [2, 3],
      ],
      (x, y) => t.stack([x, y], { axis: axis === 2 ? -1 : axis }),
      (...xs) => joined(axis)(...xs.map(withAxis(axis))),
      axis === 0 ? every : float,
    ),
  ),
  shapedRow(
    "stack",
    "of scalars",
    [scalar, scalar, scalar],
    (...xs) => t.stack(xs),
    (...xs) => ({ shape: [3], data: xs.flatMap((x) => x.data) }),
    float,
  ),
  shapedRow("hstack", "of vectors", [[2], [3]], (x, y) => t.hstack([x, y]), joined(0), float),
  shapedRow(
    "hstack",
    "of matrices",
    [
      [2, 2],
      [2, 3],
    ],
    (x, y) => t.hstack([x, y]),
    joined(1),
    float,
  ),
  shapedRow(
    "vstack",
    "of vectors",
    [[3], [3]],
    (x, y) => t.vstack([x, y]),
    (...xs) => joined(0)(...xs.map(withAxis(0))),
    float,
  ),
  shapedRow(
    "vstack",
    "of matrices",
    [
      [2, 3],
      [1, 3],
    ],
    (x, y) => t.vstack([x, y]),
    joined(0),
    float,
  ),
  shapedRow(
    "dstack",
    "of vectors",
    [[3], [3]],
    (x, y) => t.dstack([x, y]),
    (...xs) => joined(2)(...xs.map(shaped([1, 3, 1]))),
    float,
  ),
  shapedRow(
    "dstack",
    "of matrices",
    [
      [2, 3],
      [2, 3],
    ],
    (x, y) => t.dstack([x, y]),
    (...xs) => joined(2)(...xs.map(withAxis(2))),
    float,
  ),
  shapedRow(
    "columnStack",
    "of a vector and a matrix",
    [[3], [3, 2]],
    (x, y) => t.columnStack([x, y]),
    (x, y) => joined(1)(withAxis(1)(x), y),
    float,
  ),
  shapedRow(
    "append",
    "flattened",
    [[2, 2], [3]],
    (x, y) => t.append(x, y),
    (x, y) => joined(0)(shaped([4])(x), y),
    float,
  ),
  shapedRow(
    "append",
    "axis 1",
    [
      [2, 2],
      [2, 1],
    ],
    (x, y) => t.append(x, y, { axis: 1 }),
    joined(1),
    float,
  ),
];

function part(
  name: "split" | "arraySplit" | "hsplit" | "vsplit" | "dsplit" | "unstack",
  label: string,
  shape: readonly number[],
  run: (x: t.Tensor) => readonly t.Tensor[],
  which: number,
  [axis, from, to]: readonly [number, number, number],
  options: object = float,
): ShapedRow {
  return shapedRow(
    name,
    `${label}, part ${which}`,
    [shape],
    (x) => run(x)[which] ?? t.zeros([0]),
    (x) => {
      const cut = r.slice(
        x,
        shape.map((_, k) => (k === axis ? from : 0)),
        shape.map((extent, k) => (k === axis ? to : extent)),
        shape.map(() => 1),
      );
      return name === "unstack" ? shaped(shape.filter((_, k) => k !== axis))(cut) : cut;
    },
    options,
  );
}

const parts: readonly ShapedRow[] = [
  part("split", "into 3", [6, 2], (x) => t.split(x, 3), 1, [0, 2, 4], every),
  part("split", "axis -1", [2, 4], (x) => t.split(x, 2, { axis: -1 }), 1, [1, 2, 4]),
  part("split", "at [2, 5]", [6], (x) => t.split(x, [2, 5]), 2, [0, 5, 6]),
  part("arraySplit", "into 3 of 7", [7], (x) => t.arraySplit(x, 3), 1, [0, 3, 5]),
  part("arraySplit", "into 3 of 2", [2], (x) => t.arraySplit(x, 3), 2, [0, 2, 2]),
  part("hsplit", "a vector", [4], (x) => t.hsplit(x, 2), 1, [0, 2, 4]),
  part("hsplit", "a matrix", [2, 4], (x) => t.hsplit(x, 2), 1, [1, 2, 4]),
  part("vsplit", "a matrix", [4, 2], (x) => t.vsplit(x, 2), 0, [0, 0, 2]),
  part("dsplit", "a cube", [2, 2, 4], (x) => t.dsplit(x, [1]), 1, [2, 1, 4]),
  part("unstack", "axis 0", [3, 2], (x) => t.unstack(x), 1, [0, 1, 2], every),
  part("unstack", "axis -1", [3, 2], (x) => t.unstack(x, { axis: -1 }), 0, [1, 0, 1]),
];

const ranks: readonly ShapedRow[] = [
  shapedRow("atleast1d", "of a scalar", [scalar], (x) => t.atleast1d(x), shaped([1]), every),
  shapedRow("atleast1d", "of a matrix", [[2, 3]], (x) => t.atleast1d(x), shaped([2, 3]), float),
  shapedRow(
    "atleast1d",
    "of two",
    [[2], scalar],
    (x, y) => t.atleast1d(x, y)[1] ?? x,
    (_, y) => shaped([1])(y),
  ),
  shapedRow("atleast2d", "of a scalar", [scalar], (x) => t.atleast2d(x), shaped([1, 1]), float),
  shapedRow("atleast2d", "of a vector", [[3]], (x) => t.atleast2d(x), shaped([1, 3]), float),
  shapedRow("atleast3d", "of a scalar", [scalar], (x) => t.atleast3d(x), shaped([1, 1, 1]), float),
  shapedRow("atleast3d", "of a vector", [[3]], (x) => t.atleast3d(x), shaped([1, 3, 1]), float),
  shapedRow("atleast3d", "of a matrix", [[3, 2]], (x) => t.atleast3d(x), shaped([3, 2, 1]), float),
];

export const join: readonly ShapedRow[] = [...concats, ...stacks, ...parts, ...ranks];
