import * as t from "@jnx/tensor";
import type { Tensor } from "@jnx/tensor";
import * as l from "../linalg-reference.ts";
import type { Matrix } from "../linalg-reference.ts";
import * as r from "../reference.ts";
import { shapedRow, type ShapedRow } from "./rows.ts";

const { scipyLinalg: s, linalg } = t;
const options = { tolerance: { ulp: 16, abs: 2e-5, rel: 2e-5 }, differentiable: true };
const near = (shape: readonly number[]) => ({ shape, domain: [-1, 1] as const });

/** x + 2n: diagonally dominant. */
const dominant = (x: Tensor): Tensor => t.add(x, t.mul(t.eye(x.shape.at(-1) ?? 0), 2 * (x.shape.at(-1) ?? 0)));
const dominantOf = (a: Matrix): Matrix => l.shifted(a, 2 * a.length);
/** x xᵀ + n: symmetric and positive definite. */
const definite = (x: Tensor): Tensor =>
  t.add(t.matmul(x, t.swapaxes(x, -1, -2)), t.mul(t.eye(x.shape.at(-1) ?? 0), x.shape.at(-1) ?? 0));
const definiteOf = (a: Matrix): Matrix => l.shifted(l.product(a, l.transpose(a)), a.length);
const spread = (x: Tensor): Tensor => t.add(x, t.diag(t.array([3, 6, 9])));
const spreadOf = (a: Matrix): Matrix => a.map((row, i) => row.map((x, j) => (i === j ? x + 3 * (i + 1) : x)));

/** v diag(√w) vᵀ of aᵀ a: the p of a = u p. */
function stretch(a: Matrix): Matrix {
  const { values, vectors } = l.eigen(l.product(l.transpose(a), a));
  return l.product(
    vectors.map((row) => row.map((x, j) => x * Math.sqrt(values[j] ?? 0))),
    l.transpose(vectors),
  );
}

const built: readonly ShapedRow[] = [
  shapedRow(
    "blockDiag",
    "of a matrix, a vector and a number",
    [[2, 3], [2], []],
    (...xs) => s.blockDiag(...xs),
    (x, y, z) =>
      r.build([4, 6], ([i = 0, j = 0]) => {
        if (i < 2 && j < 3) return r.get(x, [i, j]);
        if (i === 2 && j >= 3 && j < 5) return r.get(y, [j - 3]);
        return i === 3 && j === 5 ? r.get(z, []) : 0;
      }),
    { differentiable: true },
  ),
  shapedRow(
    "toeplitz",
    "of a column and a row",
    [[3], [4]],
    s.toeplitz,
    (c, row) => r.build([3, 4], ([i = 0, j = 0]) => (j > i ? r.get(row, [j - i]) : r.get(c, [i - j]))),
    { differentiable: true },
  ),
  shapedRow(
    "hilbert",
    "of 4 rows, times a number",
    [[]],
    (x) => t.mul(x, s.hilbert(4)),
    (x) => r.build([4, 4], ([i = 0, j = 0]) => r.get(x, []) / (i + j + 1)),
    { tolerance: { ulp: 2 }, differentiable: true },
  ),
];

const solving: readonly ShapedRow[] = [
  ...[false, true].flatMap((lower) => [
    shapedRow(
      "choSolve",
      `of two columns, lower ${lower}`,
      [near([3, 3]), [3, 2]],
      (a, b) => s.choSolve(s.choFactor(definite(a), { lower }), b),
      (a, b) => l.eachMatrix((p, q) => l.solve(definiteOf(p), q), a, b),
      options,
    ),
    shapedRow(
      "choFactor",
      `lower ${lower}`,
      [near([3, 3])],
      (a) => s.choFactor(definite(a), { lower })[0],
      (a) => l.eachMatrix((p) => (lower ? l.cholesky(definiteOf(p)) : l.transpose(l.cholesky(definiteOf(p)))), a),
      options,
    ),
  ]),
  ...([0, "T"] as const).flatMap((trans) =>
    [false, true].map((lower) =>
      shapedRow(
        "solveTriangular",
        `trans ${trans}, lower ${lower}`,
        [near([2, 3, 3]), [2, 3, 2]],
        (a, b) => s.solveTriangular(dominant(a), b, { trans, lower }),
        (a, b) =>
          l.eachMatrix(
            (p, q) => {
              const kept = l.triangle(dominantOf(p), (i, j) => (lower ? j <= i : j >= i));
              return l.solve(trans === 0 ? kept : l.transpose(kept), q);
            },
            a,
            b,
          ),
        options,
      ),
    ),
  ),
  shapedRow(
    "solve",
    "of a definite matrix",
    [near([3, 3]), [3, 1]],
    (a, b) => s.solve(definite(a), b, { assumeA: "pos" }),
    (a, b) => l.eachMatrix((p, q) => l.solve(definiteOf(p), q), a, b),
    options,
  ),
];

const factors: readonly ShapedRow[] = [
  shapedRow(
    "lu",
    "p l u",
    [[4, 4]],
    (x) => s.lu(x).reduce((a, b) => t.matmul(a, b)),
    (x) => x,
    options,
  ),
  shapedRow(
    "lu",
    "the upper factor where rows stay",
    [near([4, 4])],
    (x) => s.lu(dominant(x), { permuteL: true })[1],
    (x) => l.eachMatrix((a) => upperOf(dominantOf(a)), x),
    options,
  ),
  shapedRow(
    "polar",
    "the right stretch",
    [near([3, 3])],
    (x) => s.polar(spread(x))[1],
    (x) => l.eachMatrix((a) => stretch(spreadOf(a)), x),
    options,
  ),
  shapedRow(
    "polar",
    "put together again, from the left",
    [near([3, 3])],
    (x) => {
      const [u, p] = s.polar(spread(x), { side: "left" });
      return t.matmul(p, u);
    },
    (x) => l.eachMatrix(spreadOf, x),
    options,
  ),
  ...[0.1, 1, 4].map((scale) =>
    shapedRow(
      "expm",
      `of size ${scale}`,
      [near([2, 3, 3])],
      (x) => s.expm(t.mul(x, scale)),
      (x) => l.eachMatrix((a) => l.exponential(a.map((row) => row.map((y) => y * scale))), x),
      { ...options, tolerance: { ulp: 16, abs: 2e-5, rel: 2e-5 } },
    ),
  ),
  shapedRow(
    "expm",
    "of zeros and of what is too large",
    [{ shape: [2, 2, 2], values: [0, 0, 0, 0, 1e9, 0, 0, 1e9] }],
    (x) => s.expm(x),
    () => ({ shape: [2, 2, 2], data: [1, 0, 0, 1, NaN, NaN, NaN, NaN] }),
    { tolerance: { ulp: 2 } },
  ),
];

/** Gauss without exchanges. */
function upperOf(a: Matrix): Matrix {
  const rows = a.map((row) => [...row]);
  for (let j = 0; j < rows.length; j++)
    for (let i = j + 1; i < rows.length; i++) {
      const factor = (rows[i]?.[j] ?? 0) / (rows[j]?.[j] ?? 1);
      rows[i] = (rows[i] ?? []).map((x, k) => (k <= j ? 0 : x - factor * (rows[j]?.[k] ?? 0)));
    }
  return rows;
}

const pseudo = (a: Matrix): Matrix => {
  const turned = l.transpose(a);
  return a.length >= (a[0]?.length ?? 0) ? l.solve(l.product(turned, a), turned) : l.transpose(pseudo(turned));
};
const wide = (x: Tensor): Tensor => t.add(x, t.mul(t.eye(x.shape.at(-2) ?? 0, x.shape.at(-1) ?? 0), 4));
const wideOf = (a: Matrix): Matrix => a.map((row, i) => row.map((x, j) => (i === j ? x + 4 : x)));
const RANK_ONE = { shape: [3, 2], values: [1, 2, 2, 4, 3, 6] };

const inverted: readonly (readonly number[])[] = [
  [3, 3],
  [4, 2],
  [2, 4],
  [2, 3, 2],
  [0, 2, 3],
  [2, 0, 3],
];

const cutOff: readonly ShapedRow[] = [
  ...inverted.map((shape) =>
    shapedRow(
      "pinv",
      `of [${shape.join(", ")}]`,
      [near(shape)],
      (x) => linalg.pinv(wide(x)),
      (x) =>
        shape.includes(0)
          ? { shape: [...shape.slice(0, -2), shape.at(-1) ?? 0, shape.at(-2) ?? 0], data: [] }
          : l.eachMatrix((a) => pseudo(wideOf(a)), x),
      { ...options, differentiable: !shape.includes(0) },
    ),
  ),
  shapedRow(
    "pinv",
    "of a matrix of rank 1",
    [RANK_ONE],
    (x) => linalg.pinv(x),
    // For u vᵀ: v uᵀ / (|u|² |v|²).
    () => ({ shape: [2, 3], data: [1, 2, 3, 2, 4, 6].map((x) => x / 70) }),
    { tolerance: { ulp: 8, abs: 1e-7 } },
  ),
  shapedRow(
    "pinv",
    "of symmetric matrices",
    [near([3, 3])],
    (x) => linalg.pinv(spread(x), { hermitian: true, rtol: 1e-4 }),
    (x) => l.eachMatrix((a) => l.solve(symmetric(spreadOf(a)), l.identity(3)), x),
    options,
  ),
  shapedRow(
    "matrixRank",
    "of one, of two, of zeros",
    [{ shape: [3, 2, 2], values: [1, 2, 2, 4, 1, 2, 2, 5, 0, 0, 0, 0] }],
    (x) => linalg.matrixRank(x),
    () => ({ shape: [3], data: [1, 2, 0] }),
    { result: () => "int32" },
  ),
  shapedRow(
    "lstsq",
    "rank and singular values of a matrix of rank 1",
    [RANK_ONE],
    (a) => {
      const [, , rank, values] = linalg.lstsq(a, t.ones([3]));
      return t.append(t.astype(rank, "float32"), values);
    },
    () => ({ shape: [3], data: [1, Math.sqrt(70), 0] }),
    { tolerance: { ulp: 4, abs: 1e-6 } },
  ),
  ...([2, -2, "nuc"] as const).flatMap((ord) => [
    shapedRow(
      "matrixNorm",
      `of order ${ord}`,
      [near([2, 3, 3])],
      (x) => linalg.matrixNorm(spread(x), { ord }),
      (x) => l.eachNumber((a) => bySingular(spreadOf(a), ord), x),
      options,
    ),
    shapedRow(
      "norm",
      `of order ${ord} along axes, kept`,
      [near([3, 2, 3])],
      (x) =>
        linalg.norm(t.add(x, t.reshape(t.diag(t.array([3, 6, 9])), [3, 1, 3])), { ord, axis: [0, -1], keepdims: true }),
      (x) => ({
        shape: [1, 2, 1],
        data: l.eachNumber((a) => bySingular(spreadOf(a), ord), r.transpose(x, [1, 0, 2])).data,
      }),
      options,
    ),
  ]),
  ...([2, -2] as const).map((p) =>
    shapedRow(
      "cond",
      `of order ${p}`,
      [near([2, 3, 3])],
      (x) => linalg.cond(spread(x), { p }),
      (x) =>
        l.eachNumber((a) => {
          const values = l.singular(spreadOf(a)).s;
          const ratio = (values[0] ?? 0) / (values.at(-1) ?? 0);
          return p === 2 ? ratio : 1 / ratio;
        }, x),
      options,
    ),
  ),
];

const symmetric = (a: Matrix): Matrix => a.map((row, i) => row.map((x, j) => (x + (a[j]?.[i] ?? 0)) / 2));

function bySingular(a: Matrix, ord: 2 | -2 | "nuc"): number {
  const values = l.singular(a).s;
  return ord === "nuc" ? r.sum(values) : ord === 2 ? r.largest(values) : r.smallest(values);
}

/** jax.scipy.linalg, and what cuts off small singular values. */
export const scipyLinalg: readonly ShapedRow[] = [...built, ...solving, ...factors, ...cutOff];
