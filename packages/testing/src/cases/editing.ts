import * as t from "@jnx/tensor";
import * as r from "../reference.ts";
import { EVERY, always, shapedRow, type ShapedRow } from "./rows.ts";

const float = { differentiable: true };
const near = { differentiable: true, tolerance: { ulp: 8, abs: 2e-6 } };
const whole = { dtypes: ["int32"] as const };

const vector = (...data: number[]): r.HostArray => ({ shape: [data.length], data });
const places = (...values: number[]): t.Tensor => t.array(values, { dtype: "int32" });
const compare = (a: number, b: number): number => a - b;
const distinct = (x: r.HostArray): number[] => [...new Set(x.data)].sort(compare);
/** As many as asked for: cut, or filled. */
const sized = (values: readonly number[], size: number, fill: number): r.HostArray =>
  vector(...Array.from({ length: size }, (_, k) => values[k] ?? fill));

/** Repeating, inserting, deleting. */
const edits: readonly ShapedRow[] = [
  shapedRow(
    "repeat",
    "rows",
    [[2, 3]],
    (x) => t.repeat(x, 2, { axis: 0 }),
    (x) => r.build([4, 3], ([i = 0, j = 0]) => r.get(x, [i >> 1, j])),
    {
      dtypes: EVERY,
      differentiable: true,
    },
  ),
  shapedRow(
    "repeat",
    "by counts on the device",
    [{ shape: [4] }, { shape: [4], dtype: "int32", values: [2, 0, 1, 3] }],
    (x, counts) => t.repeat(x, counts, { totalRepeatLength: 6 }),
    (x, counts) => vector(...x.data.flatMap((v, k) => new Array<number>(counts.data[k] ?? 0).fill(v))),
    float,
  ),
  shapedRow(
    "insert",
    "at places on the device",
    [{ shape: [4] }, { shape: [3], dtype: "int32", values: [3, 0, 3] }, { shape: [3] }],
    (x, at, values) => t.insert(x, at, values),
    (x, _at, { data: [a = 0, b = 0, c = 0] }) => vector(b, ...x.data.slice(0, 3), a, c, x.data[3] ?? 0),
    float,
  ),
  shapedRow(
    "insert",
    "columns",
    [
      [2, 3],
      [2, 2],
    ],
    (x, values) => t.insert(x, places(1, 3), values, { axis: 1 }),
    (x, values) =>
      r.build([2, 5], ([i = 0, j = 0]) =>
        j === 1 ? r.get(values, [i, 0]) : j === 4 ? r.get(values, [i, 1]) : r.get(x, [i, j > 1 ? j - 1 : j]),
      ),
    float,
  ),
  shapedRow(
    "deleteAt",
    "a row",
    [[3, 2]],
    (x) => t.deleteAt(x, -2, { axis: 0 }),
    (x) => r.build([2, 2], ([i = 0, j = 0]) => r.get(x, [2 * i, j])),
    {
      dtypes: EVERY,
      differentiable: true,
    },
  ),
  shapedRow(
    "deleteAt",
    "places on the device",
    [{ shape: [5] }, { shape: [2], dtype: "int32", values: [3, 0] }],
    (x, at) => t.deleteAt(x, at, { assumeUniqueIndices: true }),
    ({ data: [, b = 0, c = 0, , e = 0] }) => vector(b, c, e),
    float,
  ),
  shapedRow(
    "resize",
    "of [2, 3]",
    [[2, 3]],
    (x) => t.resize(x, [2, 4]),
    (x) => r.build([2, 4], ([i = 0, j = 0]) => x.data[(4 * i + j) % 6] ?? 0),
    float,
  ),
];

const some = { shape: [9], dtype: "int32", values: [3, -1, 3, 0, 2, -1, 3, 2, 7] } as const;
const others = { shape: [4], dtype: "int32", values: [2, 5, 3, 5] } as const;

/** Sets of a known size. */
const sets: readonly ShapedRow[] = [
  shapedRow(
    "unique",
    "filled",
    [some],
    (x) => t.unique(x, { size: 7 }),
    (x) => sized(distinct(x), 7, -1),
    whole,
  ),
  shapedRow(
    "unique",
    "which each is",
    [some],
    (x) => t.stack([t.unique(x, { size: 9, returnIndex: true, returnInverse: true, returnCounts: true })].flat()),
    (x) => {
      const values = distinct(x);
      const first = values.map((value) => x.data.indexOf(value));
      const counts = values.map((value) => x.data.filter((one) => one === value).length);
      const rows = [
        sized(values, 9, -1),
        sized(first, 9, first[0] ?? 0),
        vector(...x.data.map((value) => values.indexOf(value))),
        sized(counts, 9, 0),
      ];
      return { shape: [4, 9], data: rows.flatMap(({ data }) => [...data]) };
    },
    whole,
  ),
  shapedRow(
    "uniqueValues",
    "of ints",
    [some],
    (x) => t.uniqueValues(x, { size: 5 }),
    (x) => sized(distinct(x), 5, 0),
    whole,
  ),
  shapedRow(
    "uniqueCounts",
    "of ints",
    [some],
    (x) => t.uniqueCounts(x, { size: 5 }).counts,
    (x) => vector(...distinct(x).map((value) => x.data.filter((one) => one === value).length)),
    whole,
  ),
  shapedRow(
    "uniqueInverse",
    "of ints",
    [some],
    (x) => t.uniqueInverse(x, { size: 5 }).inverseIndices,
    (x) => vector(...x.data.map((value) => distinct(x).indexOf(value))),
    whole,
  ),
  shapedRow(
    "uniqueAll",
    "of ints",
    [some],
    (x) => t.uniqueAll(x, { size: 5 }).indices,
    (x) => vector(...distinct(x).map((value) => x.data.indexOf(value))),
    whole,
  ),
  shapedRow(
    "isin",
    "of ints",
    [some, others],
    (x, y) => t.isin(x, y),
    (x, y) => ({ ...x, data: x.data.map((value) => (y.data.includes(value) ? 1 : 0)) }),
    { ...whole, result: always("bool") },
  ),
  shapedRow(
    "union1d",
    "filled",
    [some, others],
    (x, y) => t.union1d(x, y, { size: 8, fillValue: 9 }),
    (x, y) => sized(distinct(vector(...x.data, ...y.data)), 8, 9),
    whole,
  ),
  shapedRow(
    "setdiff1d",
    "filled",
    [some, others],
    (x, y) => t.setdiff1d(x, y, { size: 5, fillValue: 9 }),
    (x, y) =>
      sized(
        distinct(x).filter((value) => !y.data.includes(value)),
        5,
        9,
      ),
    whole,
  ),
  shapedRow(
    "intersect1d",
    "filled",
    [some, others],
    (x, y) => t.intersect1d(x, y, { size: 4, fillValue: 9 }),
    (x, y) =>
      sized(
        distinct(x).filter((value) => y.data.includes(value)),
        4,
        9,
      ),
    whole,
  ),
  shapedRow(
    "setxor1d",
    "filled",
    [some, others],
    (x, y) => t.setxor1d(x, y, { size: 6, fillValue: 9 }),
    (x, y) =>
      sized(
        distinct(vector(...x.data, ...y.data)).filter((value) => x.data.includes(value) !== y.data.includes(value)),
        6,
        9,
      ),
    whole,
  ),
];

const points = { shape: [4], values: [-1, 0, 1.5, 2] } as const;

/** Interpolation, polynomials, differences, indices. */
const numeric: readonly ShapedRow[] = [
  shapedRow(
    "interp",
    "between points",
    [{ shape: [6], domain: [-0.9, 1.9] }, { shape: [4] }],
    (x, fp) => t.interp(x, t.array(points.values), fp),
    (x, fp) => {
      const xp = points.values;
      const at = (v: number): number => {
        const k = Math.min(
          3,
          Math.max(
            1,
            xp.findIndex((p) => p > v),
          ),
        );
        const [x0, x1, f0, f1] = [xp[k - 1] ?? 0, xp[k] ?? 0, fp.data[k - 1] ?? 0, fp.data[k] ?? 0];
        return f0 + ((v - x0) / (x1 - x0)) * (f1 - f0);
      };
      return { ...x, data: x.data.map(at) };
    },
    near,
  ),
  shapedRow(
    "polyval",
    "cubic",
    [[4], [5]],
    (p, x) => t.polyval(p, x),
    (p, x) => ({ ...x, data: x.data.map((v) => p.data.reduce((y, c) => y * v + c, 0)) }),
    near,
  ),
  shapedRow(
    "vander",
    "of a vector",
    [[3]],
    (x) => t.vander(x, { n: 4 }),
    (x) => r.build([3, 4], ([i = 0, j = 0]) => (x.data[i] ?? 0) ** (3 - j)),
    near,
  ),
  shapedRow(
    "gradient",
    "along 1",
    [[2, 5]],
    (x) => t.stack([t.gradient(x, 0.5, { axis: 1 })].flat(), { axis: 0 }),
    (x) =>
      r.build([1, 2, 5], ([, i = 0, j = 0]) => {
        const [a, b] = [Math.max(0, j - 1), Math.min(4, j + 1)];
        return (r.get(x, [i, b]) - r.get(x, [i, a])) / (0.5 * (b - a));
      }),
    near,
  ),
  shapedRow(
    "unwrap",
    "of phases",
    [{ shape: [5], values: [0, 3, 6, 2, -1] }],
    (x) => t.unwrap(x),
    () => vector(0, 3, 6, 2 + 2 * Math.PI, -1 + 2 * Math.PI),
    {
      tolerance: { ulp: 4, abs: 2e-6 },
    },
  ),
  shapedRow(
    "unravelIndex",
    "of [2, 3]",
    [{ shape: [4], dtype: "int32", values: [0, 5, -1, 3] }],
    (x) => t.stack(t.unravelIndex(x, [2, 3])),
    () => ({ shape: [2, 4], data: [0, 1, 1, 1, 0, 2, 2, 0] }),
    whole,
  ),
  shapedRow(
    "ravelMultiIndex",
    "wrapped",
    [{ shape: [3], dtype: "int32", values: [0, 1, 3] }],
    (x) => t.ravelMultiIndex([x, x], [2, 3], { mode: "wrap" }),
    () => vector(0, 4, 3),
    whole,
  ),
];

export const editing: readonly ShapedRow[] = [...edits, ...sets, ...numeric];
