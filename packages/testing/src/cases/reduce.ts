import * as t from "@jnx/tensor";
import type { DType, ReduceOptions, Tensor } from "@jnx/tensor";
import * as r from "../reference.ts";
import type { Tolerance } from "../ulp.ts";
import { EVERY, EXACT, always, counted, same, shapedRow, type Domain, type ShapedRow } from "./rows.ts";

interface Reduction {
  readonly name: string;
  run(x: Tensor, options: ReduceOptions): Tensor;
  fold(elements: readonly number[]): number;
  readonly dtypes?: readonly DType[];
  readonly result?: (dtype: DType) => DType;
  readonly tolerance?: Tolerance;
  readonly differentiable?: boolean;
  readonly domain?: Domain;
  /** False where the reduction of nothing is an error. */
  readonly empty?: boolean;
}

const FLOAT: Tolerance = { ulp: 4, abs: 3e-6 };
const float = always("float32");

const reductions: readonly Reduction[] = [
  { name: "sum", run: t.sum, fold: r.sum, dtypes: EVERY, result: counted, tolerance: FLOAT, differentiable: true },
  {
    name: "prod",
    run: t.prod,
    fold: (xs) => xs.reduce((a, b) => a * b, 1),
    dtypes: EVERY,
    result: counted,
    tolerance: { ulp: 16 },
    differentiable: true,
    domain: [0.5, 1.5],
  },
  { name: "max", run: t.max, fold: r.largest, dtypes: EVERY, differentiable: true, empty: false },
  { name: "min", run: t.min, fold: r.smallest, dtypes: EVERY, differentiable: true, empty: false },
  { name: "any", run: t.any, fold: (xs) => (xs.some((x) => x !== 0) ? 1 : 0), dtypes: EVERY, result: always("bool") },
  { name: "all", run: t.all, fold: (xs) => (xs.every((x) => x !== 0) ? 1 : 0), dtypes: EVERY, result: always("bool") },
  { name: "mean", run: t.mean, fold: r.mean, dtypes: EVERY, result: float, tolerance: FLOAT, differentiable: true },
  {
    name: "variance",
    run: t.variance,
    fold: (xs) => r.variance(xs),
    result: float,
    tolerance: FLOAT,
    differentiable: true,
  },
  {
    name: "std",
    run: t.std,
    fold: (xs) => Math.sqrt(r.variance(xs)),
    result: float,
    tolerance: FLOAT,
    differentiable: true,
  },
  { name: "logsumexp", run: t.logsumexp, fold: r.logsumexp, result: float, tolerance: FLOAT, differentiable: true },
];

/** Which shapes and axes are tried. Row kernels, column kernels, whole arrays, axes apart, scalars, rank 8. */
const layouts: readonly (readonly [
  shape: readonly number[],
  options: { axis?: number | readonly number[]; keepdims?: boolean },
])[] = [
  [[3, 8], { axis: 1 }],
  [[5, 7], { axis: -1, keepdims: true }],
  [[8, 12], { axis: 0 }],
  [[2, 3, 5], {}],
  [[2, 3, 4, 2], { axis: [0, 2] }],
  [[3, 1, 2], { axis: 1 }],
  [[], {}],
  [[1, 2, 1, 3, 2, 1, 2, 1], { axis: [1, 4] }],
];

function rowsOf({ name, run, fold, dtypes, result, tolerance, differentiable, domain, empty }: Reduction): ShapedRow[] {
  const options = { dtypes: dtypes ?? ["float32" as const], result: result ?? same, tolerance: tolerance ?? EXACT };
  // The spread of single elements has no gradient: 0/0.
  const single = ({ axis }: (typeof layouts)[number][1], shape: readonly number[]): boolean =>
    name === "std" && r.axesOf(axis, shape.length).every((k) => shape[k] === 1);
  const make = (shape: readonly number[], axes: (typeof layouts)[number][1], every: boolean): ShapedRow =>
    shapedRow(
      name,
      `${JSON.stringify(axes)} of [${shape.join(", ")}]`,
      [{ shape, domain: domain ?? [-2, 2] }],
      (x) => run(x, axes),
      (x) => r.reduce(x, axes.axis, axes.keepdims ?? false, fold),
      // All dtypes for the row and column kernels; floats alone for the other layouts, which differ in indexing only.
      {
        ...options,
        dtypes: every ? options.dtypes : options.dtypes.slice(0, 1),
        differentiable: (differentiable ?? false) && r.count(shape) > 1 && !single(axes, shape),
      },
    );
  const full = layouts.map(([shape, axes], k) => make(shape, axes, k === 0 || k === 2));
  const none =
    empty === false
      ? [make([0, 3], { axis: 1 }, false)]
      : [make([0, 3], { axis: 0 }, true), make([2, 0], { axis: -1, keepdims: true }, false)];
  return [...full, ...none];
}

const chosen = (["argmax", "argmin"] as const).flatMap((name): ShapedRow[] => {
  const better = (a: number, b: number): boolean => (name === "argmax" ? a > b : a < b);
  const fold = (xs: readonly number[]): number => r.argBest(xs, better);
  const options = { dtypes: EVERY, result: always("int32") };
  const ties = { shape: [4, 4], values: [1, 2, 2, 1, 0, 0, 0, 0, 3, 1, 3, 3, 1, 0, 0, 1] };
  const nans = { shape: [2, 5], values: [1, NaN, 3, NaN, 9, -Infinity, 2, Infinity, -3, Infinity] };
  type Row = [string, Parameters<typeof shapedRow>[2], number | undefined, boolean, t.DType[]?];
  const table: Row[] = [
    ["axis 1", [[3, 8]], 1, false],
    ["axis 0", [[8, 12]], 0, false],
    ["of a whole array", [[3, 7]], undefined, false, ["float32"]],
    ["keepdims", [[3, 7]], 1, true, ["float32"]],
    ["of a scalar", [[]], undefined, false, ["float32"]],
    ["of ties", [ties], 1, false, ["int32"]],
    ["with NaN", [nans], 1, false, ["float32"]],
  ];
  return table.map(([title, operands, axis, keepdims, dtypes]) =>
    shapedRow(
      name,
      title,
      operands,
      (x) => t[name](x, axis === undefined ? {} : { axis, keepdims }),
      (x) => r.reduce(x, axis, keepdims, fold),
      dtypes === undefined ? options : { ...options, dtypes },
    ),
  );
});

const special = [
  1,
  NaN,
  2,
  3,
  Infinity,
  -Infinity,
  1,
  2,
  Infinity,
  1,
  2,
  3,
  -Infinity,
  -Infinity,
  -Infinity,
  -Infinity,
  0,
  -0,
  0,
  -0,
  3e38,
  3e38,
  1,
  1,
];
const specialFolds = {
  sum: r.sum,
  prod: (xs: readonly number[]) => xs.reduce((a, b) => a * b, 1),
  max: r.largest,
  min: r.smallest,
  logsumexp: r.logsumexp,
} as const;

const specials = (["sum", "prod", "max", "min", "logsumexp"] as const).map((name) =>
  shapedRow(
    name,
    "of special values",
    [{ shape: [6, 4], values: special }],
    (x) => t[name](x, { axis: 1 }),
    (x) => r.reduce(x, 1, false, specialFolds[name]),
    {
      tolerance: FLOAT,
    },
  ),
);

const ddof = ([1, 4, 5] as const).map((off) =>
  shapedRow(
    "variance",
    `ddof ${off}`,
    [[3, 4]],
    (x) => t.variance(x, { axis: 1, ddof: off }),
    (x) => r.reduce(x, 1, false, (xs) => r.variance(xs, off)),
    {
      tolerance: FLOAT,
      differentiable: off === 1,
    },
  ),
);

const large: readonly ShapedRow[] = [
  shapedRow(
    "sum",
    "of 70,000",
    [{ shape: [70000], domain: [0, 1] }],
    (x) => t.sum(x),
    (x) => ({ shape: [], data: [r.sum(x.data)] }),
    { tolerance: { ulp: 8 } },
  ),
  shapedRow(
    "max",
    "of 70,000",
    [[70000]],
    (x) => t.max(x),
    (x) => ({ shape: [], data: [r.largest(x.data)] }),
  ),
];

export const reduce: readonly ShapedRow[] = [...reductions.flatMap(rowsOf), ...chosen, ...specials, ...ddof, ...large];
