import * as t from "@jnx/tensor";
import type { Tensor } from "@jnx/tensor";
import * as l from "../linalg-reference.ts";
import type { Matrix } from "../linalg-reference.ts";
import * as r from "../reference.ts";
import { shapedRow, type ShapedRow } from "./rows.ts";

const { linalg } = t;
const options = { tolerance: { ulp: 16, abs: 2e-5, rel: 2e-5 }, differentiable: true };

/** x + 2n as a square: diagonally dominant. */
const dominant = (x: Tensor, n: number): Tensor => t.add(t.reshape(x, [n, n]), t.mul(t.eye(n), 2 * n));
const dominantOf = (x: r.HostArray, n: number): r.HostArray =>
  l.eachMatrix((a) => l.shifted(a, 2 * n), { shape: [n, n], data: x.data });
const inverse = (a: Matrix): Matrix => l.solve(a, l.identity(a.length));
const frobenius = (a: Matrix): number => Math.sqrt(r.sum(a.flat().map((x) => x * x)));
const columns = (a: Matrix): number => r.largest(l.transpose(a).map((one) => r.sum(one.map(Math.abs))));
const near = (shape: readonly number[]) => ({ shape, domain: [-1, 1] as const });

/** Functions of jnp.linalg that are made of its others. */
export const linalgMore: readonly ShapedRow[] = [
  shapedRow(
    "cond",
    "in Frobenius' norm",
    [near([3, 3])],
    (x) => linalg.cond(dominant(x, 3), { p: "fro" }),
    (x) => l.eachNumber((a) => frobenius(a) * frobenius(inverse(a)), dominantOf(x, 3)),
    options,
  ),
  shapedRow(
    "cond",
    "of order 1",
    [near([3, 3])],
    (x) => linalg.cond(dominant(x, 3), { p: 1 }),
    (x) => l.eachNumber((a) => columns(a) * columns(inverse(a)), dominantOf(x, 3)),
    options,
  ),
  shapedRow(
    "multiDot",
    "of three",
    [
      [3, 5],
      [5, 2],
      [2, 4],
    ],
    (...xs) => linalg.multiDot(xs),
    chain,
    options,
  ),
  shapedRow("multiDot", "between vectors", [[3], [3, 4], [4]], (...xs) => linalg.multiDot(xs), chain, options),
  shapedRow(
    "tensorinv",
    "of [6, 2, 3]",
    [near([6, 6])],
    (x) => linalg.tensorinv(t.reshape(dominant(x, 6), [6, 2, 3]), { ind: 1 }),
    (x) => ({ shape: [2, 3, 6], data: l.eachMatrix(inverse, dominantOf(x, 6)).data }),
    options,
  ),
  shapedRow(
    "tensorsolve",
    "of [2, 3, 6]",
    [near([6, 6]), [2, 3]],
    (x, b) => linalg.tensorsolve(t.reshape(dominant(x, 6), [2, 3, 6]), b),
    (x, b) => {
      const solved = l.eachMatrix((a, column) => l.solve(a, column), dominantOf(x, 6), { shape: [6, 1], data: b.data });
      return { shape: [6], data: solved.data };
    },
    options,
  ),
  shapedRow(
    "matrixTranspose",
    "as linalg has it",
    [[2, 3, 4]],
    linalg.matrixTranspose,
    (x) => r.transpose(x, [0, 2, 1]),
    { differentiable: true },
  ),
  shapedRow(
    "trace",
    "of the last axes",
    [[2, 3, 4]],
    (x) => linalg.trace(x),
    (x) => l.eachNumber(traceOf, x),
    options,
  ),
  shapedRow(
    "diagonal",
    "of the last axes",
    [[2, 3, 4]],
    (x) => linalg.diagonal(x, { offset: 1 }),
    (x) => r.build([2, 3], ([k = 0, i = 0]) => r.get(x, [k, i, i + 1])),
    options,
  ),
  shapedRow(
    "outer",
    "of two vectors",
    [[3], [4]],
    linalg.outer,
    (x, y) => r.build([3, 4], ([i = 0, j = 0]) => r.get(x, [i]) * r.get(y, [j])),
    options,
  ),
];

function chain(...xs: r.HostArray[]): r.HostArray {
  return xs.reduce((a, b) => r.matmul(a, b));
}

function traceOf(a: Matrix): number {
  return r.sum(a.map((row, i) => row[i] ?? 0));
}
