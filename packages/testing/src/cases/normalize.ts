import * as t from "@jnx/tensor";
import * as r from "../reference.ts";
import { shapedRow, type ShapedRow } from "./rows.ts";

const softmaxOf = (x: number, xs: readonly number[]): number => {
  const top = r.largest(xs);
  const shift = Number.isFinite(top) ? top : top === -Infinity ? NaN : top;
  return Math.exp(x - shift) / r.sum(xs.map((other) => Math.exp(other - shift)));
};
const logSoftmaxOf = (x: number, xs: readonly number[]): number => {
  const top = r.largest(xs);
  return x - top - Math.log(r.sum(xs.map((other) => Math.exp(other - top))));
};

const layouts: readonly (readonly [readonly number[], number | readonly number[]])[] = [
  [[3, 8], -1],
  [[5, 7], 1],
  [[8, 4], 0],
  [
    [2, 3, 4],
    [0, 2],
  ],
  [[0, 3], -1],
  [[2, 0], -1],
  [[3, 1], 1],
];
const special = [1, Infinity, -Infinity, -Infinity, -Infinity, 2, NaN, 1, 1000, 999, -1e30, 1e30];

export const normalize: readonly ShapedRow[] = (["softmax", "logSoftmax"] as const).flatMap((name) => {
  const f = name === "softmax" ? softmaxOf : logSoftmaxOf;
  const tolerance = { ulp: 8, abs: 1e-6 };
  return [
    ...layouts.map(([shape, axis]) =>
      shapedRow(
        name,
        `axis ${String(axis)} of [${shape.join(", ")}]`,
        [shape],
        (x) => t[name](x, { axis }),
        (x) => r.along(x, axis, f),
        {
          tolerance,
          differentiable: r.count(shape) > 3,
        },
      ),
    ),
    shapedRow(
      name,
      "of special values",
      [{ shape: [6, 2], values: special }],
      (x) => t[name](x),
      (x) => r.along(x, 1, f),
      { tolerance },
    ),
    shapedRow(
      name,
      "of integers",
      [[3, 4]],
      (x) => t[name](x),
      (x) => r.along(x, 1, f),
      { tolerance, dtypes: ["int32"], result: () => "float32" },
    ),
  ];
});
