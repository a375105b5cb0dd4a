import * as t from "@jnx/tensor";
import * as r from "../reference.ts";
import { shapedRow, type ShapedRow } from "./rows.ts";

const near = { differentiable: true, tolerance: { ulp: 16, abs: 1e-6 } };
const float = { differentiable: true };
const whole = { result: (): "int32" => "int32" };
const ids = { shape: [4], values: [2, 0, 2, 0], dtype: "int32" as const };
const line = (...data: number[]): r.HostArray => ({ shape: [data.length], data });
const each = (x: r.HostArray, f: (value: number, k: number) => number): r.HostArray => ({
  shape: x.shape,
  data: x.data.map(f),
});
const product = (xs: readonly number[]): number => xs.reduce((a, b) => a * b, 1);
/** Points in two bins of [-1, 1] and two of [-9, 9], each as heavy as it is. */
const grid = (xs: readonly number[], ys: readonly number[], weights: readonly number[]): r.HostArray => {
  const among = (v: number, [low = 0, middle = 0, high = 0]: readonly number[]): number =>
    v < low || v > high ? -1 : v < middle ? 0 : 1;
  const cells = [0, 0, 0, 0];
  xs.forEach((x, k) => {
    const [i, j] = [among(x, [-1, 0, 1]), among(ys[k] ?? NaN, [-9, 0, 9])];
    if (i >= 0 && j >= 0) cells[2 * i + j] = (cells[2 * i + j] ?? 0) + (weights[k] ?? NaN);
  });
  return { shape: [2, 2], data: cells };
};
const pick = (x: r.HostArray, ...places: number[]): number[] => places.map((k) => x.data[k] ?? NaN);

/** Rows of four elements by their ids: 0 has the second and last, 2 the others, 1 none. */
const segment =
  (fold: (xs: readonly number[]) => number, none: number) =>
  (x: r.HostArray): r.HostArray =>
    line(fold(pick(x, 1, 3)), none, fold(pick(x, 0, 2)));

const indexed: readonly ShapedRow[] = [
  shapedRow(
    "at",
    "get by an array",
    [[4], ids],
    (x, i) => t.at(x, i).get(),
    (x) => line(...pick(x, 2, 0, 2, 0)),
    float,
  ),
  shapedRow(
    "at",
    "add, twice",
    [[4], ids, [4]],
    (x, i, v) => t.at(x, i).add(v),
    (x, _, v) => each(x, (a, k) => a + (k === 0 ? r.sum(pick(v, 1, 3)) : k === 2 ? r.sum(pick(v, 0, 2)) : 0)),
    float,
  ),
  shapedRow(
    "at",
    "set, the last wins",
    [[4], ids, [4]],
    (x, i, v) => t.at(x, i).set(v),
    (x, _, v) => each(x, (a, k) => (k === 0 ? (v.data[3] ?? 0) : k === 2 ? (v.data[2] ?? 0) : a)),
    float,
  ),
  shapedRow(
    "at",
    "max",
    [[4], ids, [4]],
    (x, i, v) => t.at(x, i).max(v),
    (x, _, v) =>
      each(x, (a, k) => (k === 0 ? r.largest([a, ...pick(v, 1, 3)]) : k === 2 ? r.largest([a, ...pick(v, 0, 2)]) : a)),
    float,
  ),
  shapedRow(
    "at",
    "set of every second",
    [[6], [3]],
    (x, v) => t.at(x, [[null, null, -2]]).set(v),
    (x, v) => each(x, (a, k) => (k % 2 === 1 ? (v.data[(5 - k) / 2] ?? 0) : a)),
    float,
  ),
  shapedRow(
    "at",
    "add over 300,000 comparisons",
    [{ shape: [600, 8] }, { shape: [600, 8] }],
    (x, v) => t.at(x, t.remainder(t.arange(600), 7)).add(v),
    (x, v) =>
      r.build(
        [600, 8],
        ([i = 0, j = 0]) =>
          r.get(x, [i, j]) +
          (i < 7 ? r.sum(Array.from({ length: 600 }, (_, k) => (k % 7 === i ? r.get(v, [k, j]) : 0))) : 0),
      ),
    { tolerance: { ulp: 64, abs: 1e-4 } },
  ),
  shapedRow(
    "slice",
    "with a new axis",
    [[3, 4]],
    (x) => t.slice(x, 1, null, [0, 3, 2]),
    (x) => ({ shape: [1, 2], data: pick(x, 4, 6) }),
    float,
  ),
  shapedRow(
    "segmentSum",
    "of four",
    [[4], ids],
    (x, i) => t.segmentSum(x, i, { numSegments: 3 }),
    segment(r.sum, 0),
    float,
  ),
  shapedRow(
    "segmentProd",
    "of four",
    [[4], ids],
    (x, i) => t.segmentProd(x, i, { numSegments: 3 }),
    segment(product, 1),
  ),
  shapedRow(
    "segmentMax",
    "of four",
    [[4], ids],
    (x, i) => t.segmentMax(x, i, { numSegments: 3 }),
    segment(r.largest, -Infinity),
  ),
  shapedRow(
    "segmentMin",
    "of four",
    [[4], ids],
    (x, i) => t.segmentMin(x, i, { numSegments: 3 }),
    segment(r.smallest, Infinity),
  ),
];

const edges = { shape: [3], values: [-1, 0, 1] };
const found: readonly ShapedRow[] = [
  shapedRow(
    "searchsorted",
    "in three",
    [[6], edges],
    (x, e) => t.searchsorted(e, x),
    (x, e) => each(x, (v) => e.data.filter((edge) => edge < v).length),
    whole,
  ),
  shapedRow(
    "searchsorted",
    "by halves",
    [{ shape: [400], dtype: "int32" }],
    (x) => t.searchsorted(t.sub(t.arange(401), 200), x),
    (x) => each(x, (v) => v + 200),
    whole,
  ),
  shapedRow(
    "digitize",
    "in three",
    [[6], edges],
    (x, e) => t.digitize(x, e),
    (x, e) => each(x, (v) => e.data.filter((edge) => edge <= v).length),
    whole,
  ),
  shapedRow(
    "bincount",
    "of four",
    [ids],
    (i) => t.bincount(i, { length: 4 }),
    () => line(2, 0, 2, 0),
    whole,
  ),
  shapedRow(
    "histogram",
    "counts",
    [[8], edges],
    (x, e) => t.histogram(x, { bins: e })[0],
    (x) => line(x.data.filter((v) => v >= -1 && v < 0).length, x.data.filter((v) => v >= 0 && v <= 1).length),
  ),
  shapedRow(
    "histogram2d",
    "by edges",
    [[8], [8], edges],
    (x, y, e) => t.histogram2d(x, y, { bins: [e, t.array([-9, 0, 9])] })[0],
    (x, y) =>
      grid(
        x.data,
        y.data,
        y.data.map(() => 1),
      ),
    { result: () => "int32" },
  ),
  shapedRow(
    "histogramdd",
    "of weighted points",
    [[8, 2], [8], edges],
    (x, w, e) => t.histogramdd(x, { bins: [e, t.array([-9, 0, 9])], weights: w })[0],
    (x, w) =>
      grid(
        x.data.filter((_, k) => k % 2 === 0),
        x.data.filter((_, k) => k % 2 === 1),
        w.data,
      ),
    { tolerance: { ulp: 8, abs: 1e-6 } },
  ),
  shapedRow(
    "maskIndices",
    "below the diagonal",
    [{ shape: [3, 3], domain: [1, 2] }],
    (x) => t.maskIndices(3, (ones, k) => t.tril(t.mul(ones, x), k), -1, { size: 3 })[0],
    () => line(1, 2, 2),
    whole,
  ),
  shapedRow(
    "trimZeros",
    "of a literal",
    [[]],
    (x) => t.mul(x, t.size(t.trimZeros(t.array([0, 2, 0, 3, 0, 0])))),
    (x) => ({ shape: [], data: x.data.map((v) => 3 * v) }),
    { tolerance: { ulp: 1 } },
  ),
  shapedRow(
    "histogramBinEdges",
    "of two",
    [[4]],
    (x) => t.histogramBinEdges(x, { bins: 2 }),
    (x) => line(r.smallest(x.data), (r.smallest(x.data) + r.largest(x.data)) / 2, r.largest(x.data)),
    { tolerance: { ulp: 4, abs: 1e-6 } },
  ),
  shapedRow(
    "nonzero",
    "of four",
    [ids],
    (i) => t.nonzero(i, { size: 3 })[0] ?? i,
    () => line(0, 2, 0),
    whole,
  ),
  shapedRow(
    "flatnonzero",
    "of four",
    [ids],
    (i) => t.flatnonzero(i, { size: 2 }),
    () => line(0, 2),
    whole,
  ),
  shapedRow(
    "argwhere",
    "of four",
    [ids],
    (i) => t.argwhere(i, { size: 2 }),
    () => ({ shape: [2, 1], data: [0, 2] }),
    whole,
  ),
  shapedRow(
    "select",
    "of two",
    [[4], [4]],
    (x, y) => t.select([t.greater(x, 0), t.greater(y, 0)], [x, y], 5),
    (x, y) => each(x, (a, k) => (a > 0 ? a : (y.data[k] ?? 0) > 0 ? (y.data[k] ?? 0) : 5)),
    float,
  ),
  shapedRow(
    "laxSelect",
    "by element",
    [[4], [4]],
    (x, y) => t.laxSelect(t.greater(x, 0), x, y),
    (x, y) => each(x, (a, k) => (a > 0 ? a : (y.data[k] ?? 0))),
    float,
  ),
  shapedRow(
    "selectN",
    "of three",
    [ids, [4], [4], [4]],
    (i, a, b, c) => t.selectN(i, a, b, c),
    (_, a, _b, c) => line(...pick(c, 0), ...pick(a, 1), ...pick(c, 2), ...pick(a, 3)),
    float,
  ),
  shapedRow(
    "choose",
    "of three",
    [ids, [4], [4], [4]],
    (i, a, b, c) => t.choose(i, [a, b, c], { mode: "clip" }),
    (_, a, _b, c) => line(...pick(c, 0), ...pick(a, 1), ...pick(c, 2), ...pick(a, 3)),
    float,
  ),
];

type Reduction = "nansum" | "nanprod" | "nanmax" | "nanmin" | "nanmean" | "nanvar" | "nanstd" | "ptp" | "average";
const reduction = (name: Reduction, fold: (xs: readonly number[]) => number): ShapedRow =>
  shapedRow(
    name,
    "axis 1",
    [[3, 4]],
    (x) => t[name](x, { axis: 1 }),
    (x) => r.reduce(x, 1, false, fold),
    near,
  );
const argued = (name: "nanargmax" | "nanargmin", better: (a: number, b: number) => boolean): ShapedRow =>
  shapedRow(
    name,
    "axis 1",
    [[3, 4]],
    (x) => t[name](x, { axis: 1 }),
    (x) => r.reduce(x, 1, false, (xs) => r.argBest(xs, better)),
    whole,
  );
const covariance = (a: readonly number[], b: readonly number[]): number =>
  r.sum(a.map((x, k) => (x - r.mean(a)) * ((b[k] ?? 0) - r.mean(b)))) / (a.length - 1);
const rowOf = (x: r.HostArray, i: number): number[] => [...x.data.slice(i * 5, i * 5 + 5)];

const measured: readonly ShapedRow[] = [
  reduction("nansum", r.sum),
  reduction("nanprod", product),
  reduction("nanmax", r.largest),
  reduction("nanmin", r.smallest),
  reduction("nanmean", r.mean),
  reduction("nanvar", (xs) => r.variance(xs)),
  reduction("nanstd", (xs) => Math.sqrt(r.variance(xs))),
  reduction("ptp", (xs) => r.largest(xs) - r.smallest(xs)),
  reduction("average", r.mean),
  argued("nanargmax", (a, b) => a > b),
  argued("nanargmin", (a, b) => a < b),
  shapedRow(
    "averageReturned",
    "weighted",
    [[4], { shape: [4], domain: [1, 2] }],
    (x, w) => t.averageReturned(x, { weights: w })[0],
    (x, w) => ({ shape: [], data: [r.sum(x.data.map((a, k) => a * (w.data[k] ?? 0))) / r.sum(w.data)] }),
    near,
  ),
  shapedRow(
    "countNonzero",
    "of four",
    [ids],
    (i) => t.countNonzero(i),
    () => ({ shape: [], data: [2] }),
    whole,
  ),
  shapedRow(
    "diff",
    "twice",
    [[2, 5]],
    (x) => t.diff(x, { n: 2 }),
    (x) => r.build([2, 3], ([i = 0, j = 0]) => r.get(x, [i, j + 2]) - 2 * r.get(x, [i, j + 1]) + r.get(x, [i, j])),
    near,
  ),
  shapedRow(
    "ediff1d",
    "with ends",
    [[4]],
    (x) => t.ediff1d(x, { toBegin: 1, toEnd: 2 }),
    (x) => line(1, ...[1, 2, 3].map((k) => (x.data[k] ?? 0) - (x.data[k - 1] ?? 0)), 2),
    near,
  ),
  shapedRow(
    "trapezoid",
    "dx 2",
    [[5]],
    (x) => t.trapezoid(x, { dx: 2 }),
    (x) => ({ shape: [], data: [r.sum(x.data) * 2 - (x.data[0] ?? 0) - (x.data[4] ?? 0)] }),
    near,
  ),
  shapedRow(
    "cov",
    "of three",
    [[3, 5]],
    (x) => t.cov(x),
    (x) => r.build([3, 3], ([i = 0, j = 0]) => covariance(rowOf(x, i), rowOf(x, j))),
    near,
  ),
  shapedRow(
    "corrcoef",
    "of two",
    [[2, 5]],
    (x) => t.slice(t.corrcoef(x), 0, 1),
    (x) => ({
      shape: [],
      data: [
        covariance(rowOf(x, 0), rowOf(x, 1)) /
          Math.sqrt(covariance(rowOf(x, 0), rowOf(x, 0)) * covariance(rowOf(x, 1), rowOf(x, 1))),
      ],
    }),
    near,
  ),
];

export const statistics: readonly ShapedRow[] = [...indexed, ...found, ...measured];
