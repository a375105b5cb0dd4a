import * as t from "@jnx/tensor";
import type { Tensor } from "@jnx/tensor";
import * as l from "../linalg-reference.ts";
import type { Matrix } from "../linalg-reference.ts";
import * as r from "../reference.ts";
import { shapedRow, type ShapedRow } from "./rows.ts";

const { scipyLinalg: s, laxLinalg: x } = t;
const float = { differentiable: true };
const close = { tolerance: { ulp: 16, abs: 2e-5, rel: 2e-5 }, differentiable: true };
const near = (shape: readonly number[]) => ({ shape, domain: [-1, 1] as const });
const get = (v: r.HostArray, i: number): number => r.get(v, [i]);

/** n × n numbers of a vector, each from its place. */
const square = (n: number, entry: (i: number, j: number, v: r.HostArray) => number) => (v: r.HostArray) =>
  r.build([n, n], ([i = 0, j = 0]) => entry(i, j, v));

/** A matrix that the host makes, times a number, so that there is an operand. */
function times(name: string, label: string, make: () => Tensor, entries: Matrix): ShapedRow {
  const [rows, columns] = [entries.length, entries[0]?.length ?? 0];
  const oracle = (v: r.HostArray) =>
    r.build([rows, columns], ([i = 0, j = 0]) => r.get(v, []) * (entries[i]?.[j] ?? 0));
  return shapedRow(name, label, [[]], (v) => t.mul(v, make()), oracle, { ...float, tolerance: { ulp: 2 } });
}

const structured: readonly ShapedRow[] = [
  shapedRow(
    "circulant",
    "of 4",
    [[4]],
    s.circulant,
    square(4, (i, j, v) => get(v, (i - j + 4) % 4)),
    float,
  ),
  shapedRow(
    "companion",
    "of 4",
    [{ shape: [4], domain: [1, 3] }],
    s.companion,
    square(3, (i, j, v) => (i === 0 ? -get(v, j + 1) / get(v, 0) : i === j + 1 ? 1 : 0)),
    close,
  ),
  shapedRow(
    "convolutionMatrix",
    "of 3 for 2",
    [[3]],
    (v) => s.convolutionMatrix(v, 2),
    (v) => r.build([4, 2], ([i = 0, j = 0]) => (i - j >= 0 && i - j < 3 ? get(v, i - j) : 0)),
    float,
  ),
  shapedRow(
    "fiedler",
    "of 3",
    [[3]],
    s.fiedler,
    square(3, (i, j, v) => Math.abs(get(v, i) - get(v, j))),
    close,
  ),
  shapedRow(
    "fiedlerCompanion",
    "of 4",
    [{ shape: [4], domain: [1, 3] }],
    s.fiedlerCompanion,
    square(3, (i, j, v) => {
      const place = [
        [1, 2, 0],
        [-1, 0, 0],
        [0, 3, 0],
      ][i]?.[j];
      if (i === 0 && j === 2) return 1;
      return place === -1 ? 1 : place === undefined || place === 0 ? 0 : -get(v, place) / get(v, 0);
    }),
    close,
  ),
  shapedRow(
    "hankel",
    "of a column and a row",
    [[3], [4]],
    s.hankel,
    (c, row) => r.build([3, 4], ([i = 0, j = 0]) => (i + j < 3 ? get(c, i + j) : get(row, i + j - 2))),
    float,
  ),
  shapedRow(
    "leslie",
    "of 3",
    [[3], [2]],
    s.leslie,
    (f, v) => r.build([3, 3], ([i = 0, j = 0]) => (i === 0 ? get(f, j) : i === j + 1 ? get(v, j) : 0)),
    float,
  ),
  times("hadamard", "of 2", () => s.hadamard(2), [
    [1, 1],
    [1, -1],
  ]),
  times("helmert", "of 3", () => s.helmert(3), [
    [Math.SQRT1_2, -Math.SQRT1_2, 0],
    [1 / Math.sqrt(6), 1 / Math.sqrt(6), -2 / Math.sqrt(6)],
  ]),
  times("pascal", "of 3", () => s.pascal(3), [
    [1, 1, 1],
    [1, 2, 3],
    [1, 3, 6],
  ]),
  times("invpascal", "of 3", () => s.invpascal(3), [
    [3, -3, 1],
    [-3, 5, -2],
    [1, -2, 1],
  ]),
  times("invhilbert", "of 3", () => s.invhilbert(3), [
    [9, -36, 30],
    [-36, 192, -180],
    [30, -180, 180],
  ]),
];

/** x + 2n: diagonally dominant, so that rows stay where they are. */
const dominant = (a: Tensor): Tensor => t.add(a, t.mul(t.eye(a.shape.at(-1) ?? 0), 2 * (a.shape.at(-1) ?? 0)));
const dominantOf = (a: Matrix): Matrix => l.shifted(a, 2 * a.length);

/** Both factors in one matrix, without exchanges of rows. */
function packed(a: Matrix): Matrix {
  const rows = a.map((row) => [...row]);
  rows.forEach((pivot, k) => {
    for (const row of rows.slice(k + 1)) {
      const factor = (row[k] ?? 0) / (pivot[k] ?? 1);
      row.forEach((value, j) => (row[j] = j < k ? value : j === k ? factor : value - factor * (pivot[j] ?? 0)));
    }
  });
  return rows;
}

/** 1 − τ v vᵀ for v = (1, below). */
function reflected(a: Matrix, tau: number): Matrix {
  const v = a.map((row, i) => (i === 0 ? 1 : (row[0] ?? 0)));
  return v.map((p, i) => v.map((q, j) => (i === j ? 1 : 0) - tau * p * q));
}

const matrixOf = (a: r.HostArray): Matrix =>
  Array.from({ length: a.shape[0] ?? 0 }, (_, i) =>
    Array.from({ length: a.shape[1] ?? 0 }, (__, j) => r.get(a, [i, j])),
  );
const hostOf = (a: Matrix): r.HostArray => ({ shape: [a.length, a[0]?.length ?? 0], data: a.flat() });

function banded(dl: r.HostArray, d: r.HostArray, du: r.HostArray): Matrix {
  const n = d.data.length;
  const entry = (i: number, j: number): number =>
    i === j ? get(d, i) + 8 : j === i - 1 ? get(dl, i) : j === i + 1 ? get(du, i) : 0;
  return Array.from({ length: n }, (_, i) => Array.from({ length: n }, (__, j) => entry(i, j)));
}

/** vᵀ's sum with w wᵀ, of upper factors with a diagonal of at least 3. */
const steep = (a: Tensor): Tensor => t.triu(t.add(a, t.mul(t.eye(3), 3)));
const steepOf = (a: Matrix): Matrix => l.triangle(l.shifted(a, 3), (i, j) => i <= j);

const computed: readonly ShapedRow[] = [
  ...(["lu", "luFactor"] as const).map((name) =>
    shapedRow(
      name,
      "of [2, 3, 3], dominant",
      [near([2, 3, 3])],
      (a) => (name === "lu" ? x.lu(dominant(a))[0] : s.luFactor(dominant(a))[0]),
      (a) => l.eachMatrix((p) => packed(dominantOf(p)), a),
      close,
    ),
  ),
  ...([0, 1] as const).map((trans) =>
    shapedRow(
      "luSolve",
      `of two columns, trans ${trans}`,
      [near([2, 3, 3]), [2, 3, 2]],
      (a, b) => s.luSolve(s.luFactor(dominant(a)), b, { trans }),
      (a, b) => l.eachMatrix((p, q) => l.solve(trans === 0 ? dominantOf(p) : l.transpose(dominantOf(p)), q), a, b),
      close,
    ),
  ),
  shapedRow(
    "luPivotsToPermutation",
    "of 4",
    [{ shape: [4], values: [2, 3, 2, 3] }],
    (p) => x.luPivotsToPermutation(p, 4),
    () => ({ shape: [4], data: [2, 3, 0, 1] }),
    { dtypes: ["int32"] },
  ),
  shapedRow(
    "householderProduct",
    "of one reflection",
    [near([3, 2]), near([1])],
    (a, tau) => x.householderProduct(a, tau),
    (a, tau) => hostOf(reflected(matrixOf(a), get(tau, 0)).map((row) => row.slice(0, 2))),
    close,
  ),
  shapedRow(
    "ormqr",
    "of one reflection from the right",
    [near([3, 2]), near([1]), [2, 3]],
    (a, tau, c) => x.ormqr(a, tau, c, { left: false }),
    (a, tau, c) => hostOf(l.product(matrixOf(c), reflected(matrixOf(a), get(tau, 0)))),
    close,
  ),
  shapedRow(
    "choleskyUpdate",
    "of [3, 3]",
    [near([3, 3]), [3]],
    (a, w) => x.choleskyUpdate(steep(a), w),
    (a, w) => {
      const square = l.product(l.transpose(steepOf(matrixOf(a))), steepOf(matrixOf(a)));
      return hostOf(l.transpose(l.cholesky(square.map((row, i) => row.map((v, j) => v + get(w, i) * get(w, j))))));
    },
    close,
  ),
  shapedRow(
    "symmetricProduct",
    "with alpha and beta",
    [
      [2, 3],
      [2, 2],
    ],
    (a, c) => x.symmetricProduct(a, t.add(c, t.transpose(c)), { alpha: 2, beta: 0.5 }),
    (a, c) =>
      r.build(
        [2, 2],
        ([i = 0, j = 0]) =>
          2 * r.sum([0, 1, 2].map((k) => r.get(a, [i, k]) * r.get(a, [j, k]))) +
          0.5 * (r.get(c, [i, j]) + r.get(c, [j, i])),
      ),
    close,
  ),
  shapedRow(
    "tridiagonalSolve",
    "of 5",
    [[5], near([5]), [5], [5, 2]],
    (dl, d, du, b) => x.tridiagonalSolve(dl, t.add(d, 8), du, b),
    (dl, d, du, b) => hostOf(l.solve(banded(dl, d, du), matrixOf(b))),
    close,
  ),
  shapedRow(
    "qrMultiply",
    "from the left",
    [near([3, 3]), [3, 2]],
    (a, c) => s.qrMultiply(dominant(a), c, { mode: "left" })[0],
    (a, c) => hostOf(l.product(l.qr(dominantOf(matrixOf(a)), 3).q, matrixOf(c))),
    close,
  ),
  shapedRow(
    "expmFrechet",
    "of [2, 2]",
    [near([2, 2]), near([2, 2])],
    (a, e) => s.expmFrechet(a, e)[1],
    (a, e) => {
      const [p, q] = [matrixOf(a), matrixOf(e)];
      const whole = l.exponential([...p.map((row, i) => [...row, ...(q[i] ?? [])]), ...p.map((row) => [0, 0, ...row])]);
      return hostOf(whole.slice(0, 2).map((row) => row.slice(2)));
    },
    close,
  ),
  shapedRow(
    "eighTridiagonal",
    "of 3, values",
    [near([3]), { shape: [2], domain: [1, 2] }],
    (d, e) => s.eighTridiagonal(d, e, { eigvalsOnly: true }),
    (d, e) => {
      const matrix = [0, 1, 2].map((i) =>
        [0, 1, 2].map((j) => (i === j ? get(d, i) : Math.abs(i - j) === 1 ? get(e, Math.min(i, j)) : 0)),
      );
      return { shape: [3], data: l.eigen(matrix).values };
    },
    close,
  ),
];

/** Matrices with a structure, and what jax.lax.linalg has beside the decompositions. */
export const structuredMatrices: readonly ShapedRow[] = [...structured, ...computed];
