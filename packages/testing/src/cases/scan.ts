import * as t from "@jnx/tensor";
import * as r from "../reference.ts";
import { EVERY, NUMBERS, counted, shapedRow, type Domain, type ShapedRow } from "./rows.ts";

/** Each element from those up to it along an axis, folded in order. */
const scanned =
  (axis: number, fold: (xs: readonly number[]) => number, reverse = false) =>
  (x: r.HostArray): r.HostArray =>
    r.build(x.shape, (at) => {
      const place = at[axis] ?? 0;
      const extent = x.shape[axis] ?? 0;
      const upTo = reverse ? [...Array(extent).keys()].slice(place).reverse() : [...Array(place + 1).keys()];
      return fold(
        upTo.map((k) =>
          r.get(
            x,
            at.map((c, one) => (one === axis ? k : c)),
          ),
        ),
      );
    });
const product = (xs: readonly number[]): number => xs.reduce((a, b) => a * b, 1);
const near = { differentiable: true, tolerance: { ulp: 32, abs: 1e-5 } };
const flat = (x: r.HostArray): r.HostArray => ({ shape: [x.data.length], data: x.data });
const apart: Domain = [-2, 2];

const scans: readonly ShapedRow[] = [
  shapedRow("cumsum", "axis 1", [[3, 5]], (x) => t.cumsum(x, { axis: 1 }), scanned(1, r.sum), {
    ...near,
    dtypes: EVERY,
    result: counted,
  }),
  shapedRow(
    "cumsum",
    "flattened, of a transpose",
    [[3, 5]],
    (x) => t.cumsum(t.transpose(x)),
    (x) => scanned(0, r.sum)(flat(r.transpose(x, [1, 0]))),
    near,
  ),
  shapedRow("cumsum", "of 300 columns", [[20, 300]], (x) => t.cumsum(x, { axis: 0 }), scanned(0, r.sum), near),
  shapedRow("cumprod", "axis 0", [[4, 4]], (x) => t.cumprod(x, { axis: 0 }), scanned(0, product), {
    ...near,
    dtypes: NUMBERS,
  }),
  shapedRow(
    "laxCumsum",
    "reversed in three passes",
    [[500]],
    (x) => t.laxCumsum(x, 0, { reverse: true }),
    scanned(0, r.sum, true),
    near,
  ),
  shapedRow(
    "laxCumprod",
    "in three passes",
    [{ shape: [300], domain: [0.9, 1.1] }],
    (x) => t.laxCumprod(x),
    scanned(0, product),
    near,
  ),
  shapedRow(
    "laxCumprod",
    "reversed",
    [[2, 4]],
    (x) => t.laxCumprod(x, 1, { reverse: true }),
    scanned(1, product, true),
    near,
  ),
  shapedRow("cummax", "axis 1", [{ shape: [3, 5], domain: apart }], (x) => t.cummax(x, 1), scanned(1, r.largest), {
    differentiable: true,
    dtypes: NUMBERS,
  }),
  shapedRow("cummax", "in three passes", [[400]], (x) => t.cummax(x), scanned(0, r.largest), {
    differentiable: true,
    dtypes: NUMBERS,
  }),
  shapedRow("cummin", "reversed", [[6]], (x) => t.cummin(x, 0, { reverse: true }), scanned(0, r.smallest, true), {
    differentiable: true,
    dtypes: NUMBERS,
  }),
  shapedRow("cumlogsumexp", "axis 0", [[5, 4]], (x) => t.cumlogsumexp(x), scanned(0, r.logsumexp), near),
  shapedRow(
    "cumlogsumexp",
    "of far numbers",
    [{ shape: [300], domain: [-400, 400] }],
    (x) => t.cumlogsumexp(x),
    scanned(0, r.logsumexp),
    { tolerance: { ulp: 64, abs: 1e-5 } },
  ),
  shapedRow("nancumsum", "axis 0", [[3, 2]], (x) => t.nancumsum(x, { axis: 0 }), scanned(0, r.sum), near),
  shapedRow("nancumprod", "axis 1", [[3, 2]], (x) => t.nancumprod(x, { axis: 1 }), scanned(1, product), near),
  shapedRow(
    "cumulativeSum",
    "with the start",
    [[3]],
    (x) => t.cumulativeSum(x, { includeInitial: true }),
    (x) => ({ shape: [4], data: [0, ...scanned(0, r.sum)(x).data] }),
    near,
  ),
  shapedRow("cumulativeProd", "axis 0", [[3, 2]], (x) => t.cumulativeProd(x, { axis: 0 }), scanned(0, product), near),
];

/** The rows of an axis, each through `f`, once. */
const lines =
  (axis: number, f: (xs: readonly number[]) => readonly number[]) =>
  (x: r.HostArray): r.HostArray => {
    const extent = x.shape[axis] ?? 0;
    const done = new Map<string, readonly number[]>();
    const line = (at: readonly number[]): readonly number[] => {
      const key = at.filter((_, k) => k !== axis).join();
      const known = done.get(key);
      if (known !== undefined) return known;
      const made = f(
        Array.from({ length: extent }, (_, k) =>
          r.get(
            x,
            at.map((c, one) => (one === axis ? k : c)),
          ),
        ),
      );
      done.set(key, made);
      return made;
    };
    const long = line(x.shape.map(() => 0)).length;
    return r.build(
      x.shape.map((own, k) => (k === axis ? long : own)),
      (at) => line(at)[at[axis] ?? 0] ?? NaN,
    );
  };
const ordered = (xs: readonly number[]): number[] => [...xs].sort((a, b) => a - b);
const order = (xs: readonly number[]): number[] => [...xs.keys()].sort((a, b) => (xs[a] ?? 0) - (xs[b] ?? 0) || a - b);
const down = (xs: readonly number[]): number[] => [...xs.keys()].sort((a, b) => (xs[b] ?? 0) - (xs[a] ?? 0) || a - b);
const float = { differentiable: true };
const places = { result: (): "int32" => "int32", dtypes: EVERY };

const sorts: readonly ShapedRow[] = [
  shapedRow("sort", "axis 1", [[3, 5]], (x) => t.sort(x), lines(1, ordered), { ...float, dtypes: EVERY }),
  shapedRow(
    "sort",
    "axis 0, descending",
    [[6, 3]],
    (x) => t.sort(x, { axis: 0, descending: true }),
    lines(0, (xs) => ordered(xs).reverse()),
    float,
  ),
  shapedRow("sort", "of 5000", [[5000]], (x) => t.sort(x), lines(0, ordered), { dtypes: EVERY }),
  shapedRow(
    "sort",
    "of a flipped transpose",
    [[4, 5]],
    (x) => t.sort(t.flip(t.transpose(x))),
    (x) => lines(1, ordered)(r.transpose(r.flip(x), [1, 0])),
    float,
  ),
  shapedRow("argsort", "axis 0", [[6, 3]], (x) => t.argsort(x, { axis: 0 }), lines(0, order), places),
  shapedRow("argsort", "descending", [[3, 20]], (x) => t.argsort(x, { descending: true }), lines(1, down), places),
  shapedRow("argsort", "of 70,000", [{ shape: [70_000], dtype: "int32" }], (x) => t.argsort(x), lines(0, order), {
    result: places.result,
    dtypes: ["int32"],
  }),
  shapedRow(
    "laxSort",
    "of keys and values",
    [{ shape: [6], values: [3, 1, 2, 1, 3, 2], dtype: "int32" }, [6]],
    (k, v) => t.laxSort([k, v])[1] ?? k,
    (k, v) => ({ shape: [6], data: order(k.data).map((i) => v.data[i] ?? NaN) }),
    float,
  ),
  shapedRow(
    "sortKeyVal",
    "keys",
    [[6], [6]],
    (k, v) => t.sortKeyVal(k, v)[0],
    (k) => lines(0, ordered)(k),
    float,
  ),
  shapedRow(
    "lexsort",
    "of two",
    [
      { shape: [5], values: [1, 0, 1, 0, 2], dtype: "int32" },
      { shape: [5], values: [1, 1, 0, 0, 0], dtype: "int32" },
    ],
    (a, b) => t.lexsort([a, b]),
    () => ({ shape: [5], data: [3, 2, 4, 1, 0] }),
    { result: places.result },
  ),
  shapedRow(
    "topK",
    "values",
    [[3, 6]],
    (x) => t.topK(x, 2)[0],
    lines(1, (xs) => ordered(xs).reverse().slice(0, 2)),
    { ...float, dtypes: EVERY },
  ),
  shapedRow(
    "topK",
    "places",
    [[3, 6]],
    (x) => t.topK(x, 2)[1],
    lines(1, (xs) => down(xs).slice(0, 2)),
    places,
  ),
  shapedRow(
    "partition",
    "at 2",
    [[2, 6]],
    (x) => t.partition(x, 2),
    lines(1, (xs) => [...ordered(xs).slice(0, 3), ...ordered(xs).slice(3).reverse()]),
    float,
  ),
  shapedRow(
    "argpartition",
    "at 2",
    [[2, 6]],
    (x) => t.argpartition(x, 2),
    lines(1, (xs) => [
      ...order(xs).slice(0, 3),
      ...order(xs)
        .slice(3)
        .sort((a, b) => a - b),
    ]),
    places,
  ),
];

const quantileOf = (xs: readonly number[], q: number): number => {
  const sorted = ordered(xs);
  const place = q * (sorted.length - 1);
  const low = sorted[Math.floor(place)] ?? NaN;
  return low + ((sorted[Math.ceil(place)] ?? NaN) - low) * (place - Math.floor(place));
};
const quantiles: readonly ShapedRow[] = [
  shapedRow(
    "quantile",
    "axis 1",
    [[3, 6]],
    (x) => t.quantile(x, 0.3, { axis: 1 }),
    (x) => r.reduce(x, 1, false, (xs) => quantileOf(xs, 0.3)),
    near,
  ),
  shapedRow(
    "percentile",
    "axis 0",
    [[4, 3]],
    (x) => t.percentile(x, 70, { axis: 0 }),
    (x) => r.reduce(x, 0, false, (xs) => quantileOf(xs, 0.7)),
    near,
  ),
  shapedRow(
    "median",
    "of all",
    [[3, 4]],
    (x) => t.median(x),
    (x) => r.reduce(x, undefined, false, (xs) => quantileOf(xs, 0.5)),
    near,
  ),
  shapedRow(
    "nanquantile",
    "axis 1",
    [[3, 6]],
    (x) => t.nanquantile(x, 0.3, { axis: 1 }),
    (x) => r.reduce(x, 1, false, (xs) => quantileOf(xs, 0.3)),
    near,
  ),
  shapedRow(
    "nanpercentile",
    "axis 0",
    [[4, 3]],
    (x) => t.nanpercentile(x, 70, { axis: 0 }),
    (x) => r.reduce(x, 0, false, (xs) => quantileOf(xs, 0.7)),
    near,
  ),
  shapedRow(
    "nanmedian",
    "of all",
    [[3, 4]],
    (x) => t.nanmedian(x),
    (x) => r.reduce(x, undefined, false, (xs) => quantileOf(xs, 0.5)),
    near,
  ),
];

export const scan: readonly ShapedRow[] = scans;
export const sort: readonly ShapedRow[] = [...sorts, ...quantiles];
