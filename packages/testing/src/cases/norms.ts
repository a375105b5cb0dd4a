import * as t from "@jnx/tensor";
import * as l from "../linalg-reference.ts";
import type { Matrix } from "../linalg-reference.ts";
import * as r from "../reference.ts";
import { always, shapedRow, type ShapedRow } from "./rows.ts";

const { linalg } = t;
const options = { tolerance: { ulp: 16, abs: 2e-6 }, differentiable: true };

type Fold = (xs: readonly number[]) => number;
const absolute =
  (fold: Fold): Fold =>
  (xs) =>
    fold(xs.map(Math.abs));
const powered = (p: number): Fold => absolute((xs) => r.sum(xs.map((x) => x ** p)) ** (1 / p));
const vectorFolds: readonly (readonly [number, Fold])[] = [
  [2, powered(2)],
  [1, absolute(r.sum)],
  [3, powered(3)],
  [0.5, powered(0.5)],
  [-1, powered(-1)],
  [Infinity, absolute(r.largest)],
  [-Infinity, absolute(r.smallest)],
  [0, (xs) => xs.filter((x) => x !== 0).length],
];
const lines =
  (ord: number) =>
  (a: Matrix): number => {
    const sums = (Math.abs(ord) === 1 ? l.transpose(a) : a).map((row) => absolute(r.sum)(row));
    return ord > 0 ? r.largest(sums) : r.smallest(sums);
  };

export const norms: readonly ShapedRow[] = [
  ...vectorFolds.flatMap(([ord, fold]) => [
    shapedRow(
      "vectorNorm",
      `of order ${ord}`,
      [{ shape: [3, 4], domain: [0.2, 2] }],
      (x) => linalg.vectorNorm(x, { ord, axis: 1 }),
      (x) => r.reduce(x, 1, false, fold),
      { ...options, differentiable: ord !== 0 },
    ),
    shapedRow(
      "norm",
      `of order ${ord}`,
      [{ shape: [2, 3, 4], domain: [-2, 2] }],
      (x) => linalg.norm(x, { ord, axis: 0, keepdims: true }),
      (x) => r.reduce(x, 0, true, fold),
      { ...options, differentiable: ord !== 0 },
    ),
  ]),
  shapedRow(
    "vectorNorm",
    "of all elements",
    [[2, 3]],
    (x) => linalg.vectorNorm(x),
    (x) => r.reduce(x, undefined, false, powered(2)),
    options,
  ),
  shapedRow(
    "norm",
    "of all elements, of whole numbers",
    [[2, 3, 4]],
    (x) => linalg.norm(x),
    (x) => r.reduce(x, undefined, false, powered(2)),
    { ...options, dtypes: ["float32", "int32", "uint32", "bool"], result: always("float32") },
  ),
  shapedRow(
    "norm",
    "along an axis",
    [[2, 3]],
    (x) => linalg.norm(x, { axis: -1 }),
    (x) => r.reduce(x, 1, false, powered(2)),
    options,
  ),
  shapedRow(
    "norm",
    "fro",
    [[2, 3, 4]],
    (x) => linalg.norm(x, { ord: "fro", axis: [0, 2] }),
    (x) => r.reduce(x, [0, 2], false, powered(2)),
    options,
  ),
  ...[1, -1, Infinity, -Infinity].flatMap((ord) => [
    shapedRow(
      "matrixNorm",
      `of order ${ord}`,
      [[2, 3, 4]],
      (x) => linalg.matrixNorm(x, { ord }),
      (x) => l.eachNumber(lines(ord), x),
      options,
    ),
    shapedRow(
      "norm",
      `of a matrix, of order ${ord}`,
      [[3, 4]],
      (x) => linalg.norm(x, { ord }),
      (x) => l.eachNumber(lines(ord), x),
      options,
    ),
  ]),
  shapedRow(
    "matrixNorm",
    "fro, keeping axes",
    [[2, 3, 4]],
    (x) => linalg.matrixNorm(x, { keepdims: true }),
    (x) => r.reduce(x, [1, 2], true, powered(2)),
    options,
  ),
];
