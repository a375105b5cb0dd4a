import * as t from "@jnx/tensor";
import type { Tensor } from "@jnx/tensor";
import * as l from "../linalg-reference.ts";
import type { Matrix } from "../linalg-reference.ts";
import * as r from "../reference.ts";
import { shapedRow, type ShapedRow } from "./rows.ts";

const { linalg } = t;
const tolerance = { ulp: 8, abs: 4e-6, rel: 2e-6 };
const text = (shape: readonly number[]): string => `[${shape.join(", ")}]`;
const small = (shape: readonly number[]): boolean => r.count(shape) > 0 && r.count(shape) < 100;
const near = (shape: readonly number[]) => ({ shape, domain: [-1, 1] as const });

/** x plus 3, 6, 9 … along the diagonal: values that differ, so that vectors and derivatives are defined. */
function spread(x: Tensor): Tensor {
  const [m = 0, n = 0] = x.shape.slice(-2);
  return t.add(x, t.mul(t.eye(m, n), t.reshape(t.arange(3, 3 * n + 3, 3), [1, n])));
}
const spreadOf = (a: Matrix): Matrix => a.map((row, i) => row.map((x, j) => (i === j ? x + 3 * (i + 1) : x)));
const mean = (a: Matrix): Matrix => a.map((row, i) => row.map((x, j) => (x + (a[j]?.[i] ?? 0)) / 2));
const column = (values: readonly number[]): Matrix => values.map((x) => [x]);
const magnitudes = (a: Matrix): Matrix => a.map((row) => row.map(Math.abs));
const squeezed = (x: r.HostArray): r.HostArray => ({ ...x, shape: x.shape.slice(0, -1) });
/** v diag(f(w)) vᵀ: what no sign or order of vectors changes. */
const rebuilt = ([w, v]: readonly [Tensor, Tensor]): Tensor =>
  t.matmul(t.mul(v, t.expandDims(w, -2)), t.swapaxes(v, -1, -2));

const squares = [
  [1, 1],
  [2, 2],
  [3, 3],
  [6, 6],
  [2, 3, 4, 4],
  [0, 3, 3],
  [2, 0, 0],
  [33, 33],
] as const;

const eigenvalues = squares.flatMap((shape) => [
  shapedRow(
    "eigh",
    `values of ${text(shape)}`,
    [near(shape)],
    (x) => linalg.eigh(spread(x))[0],
    (x) => squeezed(l.eachMatrix((a) => column(l.eigen(mean(spreadOf(a))).values), x)),
    { tolerance: { ulp: 8, abs: 4e-6, rel: 2e-6 }, differentiable: small(shape) },
  ),
  shapedRow(
    "eigh",
    `magnitudes of vectors of ${text(shape)}`,
    [near(shape)],
    (x) => t.abs(linalg.eigh(spread(x))[1]),
    (x) => l.eachMatrix((a) => magnitudes(l.eigen(mean(spreadOf(a))).vectors), x),
    { tolerance, differentiable: small(shape) },
  ),
]);

const eigh: readonly ShapedRow[] = [
  ...eigenvalues,
  shapedRow(
    "eigh",
    "put together again",
    [[2, 5, 5]],
    (x) => rebuilt(linalg.eigh(x)),
    (x) => l.eachMatrix(mean, x),
    { tolerance, differentiable: true },
  ),
  ...(["L", "U"] as const).map((UPLO) =>
    shapedRow(
      "eigh",
      `of the triangle ${UPLO} alone`,
      [near([4, 4])],
      (x) => rebuilt(linalg.eigh(spread(x), { UPLO, symmetrizeInput: false })),
      (x) => l.eachMatrix((a) => mirrored(spreadOf(a), UPLO), x),
      // The gradient is that of a symmetric matrix, as in JAX.
      { tolerance },
    ),
  ),
  shapedRow(
    "eigh",
    "of zeros, of equal values, of a rank of 1",
    [{ shape: [3, 2, 2], values: [0, 0, 0, 0, 2, 0, 0, 2, 1, 1, 1, 1] }],
    (x) => linalg.eigh(x)[0],
    () => ({ shape: [3, 2], data: [0, 0, 2, 2, 0, 2] }),
    { tolerance: { ulp: 4, abs: 2e-7 } },
  ),
  shapedRow(
    "eigh",
    "of huge and of tiny elements",
    [{ shape: [2, 2, 2], values: [3e37, 1e37, 1e37, 3e37, 2e-30, 1e-30, 1e-30, 2e-30] }],
    (x) => linalg.eigh(x)[0],
    () => ({ shape: [2, 2], data: [2e37, 4e37, 1e-30, 3e-30] }),
    { tolerance: { ulp: 4 } },
  ),
  shapedRow(
    "eigh",
    "of matrices with NaN and infinity beside a good one",
    [{ shape: [3, 2, 2], values: [NaN, 1, 1, 2, 1, Infinity, Infinity, 1, 0, 1, 1, 0] }],
    (x) => t.concatenate([t.expandDims(linalg.eigh(x)[0], 1), t.abs(linalg.eigh(x)[1])], { axis: 1 }),
    () => ({ shape: [3, 3, 2], data: [...Array.from({ length: 12 }, () => NaN), -1, 1, ...halves] }),
    { tolerance: { ulp: 4 } },
  ),
  shapedRow(
    "eigvalsh",
    "of [2, 4, 4]",
    [near([2, 4, 4])],
    (x) => linalg.eigvalsh(spread(x)),
    (x) => squeezed(l.eachMatrix((a) => column(l.eigen(mean(spreadOf(a))).values), x)),
    { tolerance, differentiable: true },
  ),
  shapedRow(
    "eigh",
    "of lax: values of a subset",
    [near([5, 5])],
    (x) => t.laxLinalg.eigh(spread(x), { subsetByIndex: [1, 3] })[1],
    (x) => ({ shape: [2], data: l.eachMatrix((a) => column(l.eigen(mean(spreadOf(a))).values), x).data.slice(1, 3) }),
    { tolerance, differentiable: true },
  ),
  shapedRow(
    "eigh",
    "of lax: magnitudes of vectors, of the upper triangle",
    [near([3, 3])],
    (x) => t.abs(t.laxLinalg.eigh(spread(x), { lower: false, symmetrizeInput: false })[0]),
    (x) => l.eachMatrix((a) => magnitudes(l.eigen(mirrored(spreadOf(a), "U")).vectors), x),
    { tolerance },
  ),
];
const half = Math.SQRT1_2;
const halves = [half, half, half, half];

function mirrored(a: Matrix, side: "L" | "U"): Matrix {
  const kept = (i: number, j: number): boolean => (side === "L" ? j <= i : j >= i);
  return a.map((row, i) => row.map((x, j) => (kept(i, j) ? x : (a[j]?.[i] ?? 0))));
}

const rectangles = [
  [1, 1],
  [3, 3],
  [5, 3],
  [3, 5],
  [2, 6, 2],
  [2, 3, 2, 4],
  [0, 3, 2],
  [2, 0, 3],
  [33, 20],
] as const;

const values = rectangles.flatMap((shape) => {
  const want = (x: r.HostArray): r.HostArray =>
    squeezed(l.eachMatrix((a) => column(l.singular(spreadOf(a)).s), ...transposedIfEmpty(x)));
  const options = { tolerance, differentiable: small(shape) };
  return [
    shapedRow("svd", `values of ${text(shape)}`, [near(shape)], (x) => linalg.svd(spread(x))[1], want, {
      ...options,
      differentiable: options.differentiable && shape.at(-1) === shape.at(-2),
    }),
    shapedRow("svdvals", text(shape), [near(shape)], (x) => linalg.svdvals(spread(x)), want, options),
  ];
});

/** The oracle counts values by columns: of no rows it is shown the transpose. */
function transposedIfEmpty(x: r.HostArray): r.HostArray[] {
  const [m = 0, n = 0] = x.shape.slice(-2);
  return [m === 0 ? { ...x, shape: [...x.shape.slice(0, -2), n, m] } : x];
}

const reduced = [
  [3, 3],
  [5, 3],
  [3, 5],
  [2, 4, 2],
  [20, 33],
] as const;
const vectors = reduced.flatMap((shape) => {
  const part = (name: "u" | "vt"): ShapedRow =>
    shapedRow(
      "svd",
      `magnitudes of ${name} of ${text(shape)}`,
      [near(shape)],
      (x) => t.abs(linalg.svd(spread(x), { fullMatrices: false })[name === "u" ? 0 : 2]),
      (x) => l.eachMatrix((a) => magnitudes(l.singular(spreadOf(a))[name]), x),
      { tolerance: { ulp: 8, abs: 4e-6 }, differentiable: small(shape) },
    );
  return [part("u"), part("vt")];
});

const gram = (x: Tensor): Tensor => t.matmul(x, t.swapaxes(x, -1, -2));
const product = (u: Tensor, s: Tensor, vt: Tensor): Tensor => t.matmul(t.mul(u, t.expandDims(s, -2)), vt);
const RANK_ONE = [1, 2, 3, 2, 4, 6, 3, 6, 9, 4, 8, 12];

const svd: readonly ShapedRow[] = [
  ...values,
  ...vectors,
  ...(
    [
      [4, 3],
      [3, 4],
      [2, 6, 6],
    ] as const
  ).map((shape) =>
    shapedRow(
      "svd",
      `of ${text(shape)}, put together again`,
      [shape],
      (x) => product(...linalg.svd(x, { fullMatrices: false })),
      (x) => x,
      { tolerance, differentiable: true },
    ),
  ),
  ...["ordinary", "of rank 1", "of zeros"].flatMap((kind) =>
    (
      [
        [4, 3],
        [3, 4],
      ] as const
    ).flatMap((shape) => {
      const operand =
        kind === "ordinary" ? near(shape) : { shape, values: kind === "of zeros" ? RANK_ONE.map(() => 0) : RANK_ONE };
      const [m, n] = shape;
      return [
        shapedRow(
          "svd",
          `full u is orthogonal, ${text(shape)} ${kind}`,
          [operand],
          (x) => gram(linalg.svd(x)[0]),
          () => eye(m),
          { tolerance },
        ),
        shapedRow(
          "svd",
          `full v is orthogonal, ${text(shape)} ${kind}`,
          [operand],
          (x) => gram(linalg.svd(x)[2]),
          () => eye(n),
          { tolerance },
        ),
      ];
    }),
  ),
  shapedRow(
    "svd",
    "of a symmetric matrix by eigh, put together again",
    [[4, 4]],
    (x) => product(...linalg.svd(t.add(x, t.swapaxes(x, 0, 1)), { hermitian: true })),
    (x) => l.eachMatrix((a) => mean(a).map((row) => row.map((y) => 2 * y)), x),
    { tolerance },
  ),
  shapedRow(
    "svd",
    "values of a symmetric matrix by eigh",
    [near([4, 4])],
    (x) => linalg.svd(t.sub(spread(x), 7), { hermitian: true, computeUv: false }),
    (x) =>
      squeezed(l.eachMatrix((a) => column(l.singular(mean(spreadOf(a)).map((row) => row.map((y) => y - 7))).s), x)),
    { tolerance },
  ),
  shapedRow(
    "svdvals",
    "of zeros, of equal values, of a rank of 1, huge, of a wide range",
    [{ shape: [5, 2, 2], values: [0, 0, 0, 0, 0, 2, -2, 0, 1, 1, 1, 1, 3e37, 0, 0, -6e37, 1, 0, 0, 1e-12] }],
    (x) => linalg.svdvals(x),
    () => ({ shape: [5, 2], data: [0, 0, 2, 2, 2, 0, 6e37, 3e37, 1, 1e-12] }),
    { tolerance: { ulp: 4, abs: 2e-38 } },
  ),
  shapedRow(
    "svd",
    "of matrices with NaN and infinity beside a good one",
    [{ shape: [3, 2, 2], values: [NaN, 1, 1, 2, 1, Infinity, 0, 1, 0, 1, 2, 0] }],
    (x) => {
      const [u, s, vt] = linalg.svd(x);
      return t.concatenate([t.abs(u), t.expandDims(s, 1), t.abs(vt)], { axis: 1 });
    },
    () => ({ shape: [3, 5, 2], data: [...Array.from({ length: 20 }, () => NaN), 0, 1, 1, 0, 2, 1, 1, 0, 0, 1] }),
    { tolerance: { ulp: 4 } },
  ),
];

const eye = (n: number): r.HostArray => ({ shape: [n, n], data: l.identity(n).flat() });

/** Functions of eigenvalues and singular values. */
export const spectral: readonly ShapedRow[] = [...eigh, ...svd];
