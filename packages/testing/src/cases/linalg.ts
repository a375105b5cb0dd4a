import * as t from "@jnx/tensor";
import type { Tensor } from "@jnx/tensor";
import * as l from "../linalg-reference.ts";
import type { Matrix } from "../linalg-reference.ts";
import * as r from "../reference.ts";
import { linalgMore } from "./linalg-more.ts";
import { norms } from "./norms.ts";
import { shapedRow, type ShapedRow } from "./rows.ts";
import { scipyLinalg } from "./scipy-linalg.ts";
import { spectral } from "./spectral.ts";

const { linalg } = t;
/** Of well-conditioned matrices; what the numbers lose beyond is the condition's. */
const tolerance = { ulp: 16, abs: 2e-5, rel: 2e-5 };
const options = { tolerance, differentiable: true };

/** x xᵀ + n: symmetric and positive definite, with a condition that stays small. */
const definite = (x: Tensor): Tensor =>
  t.add(t.matmul(x, t.swapaxes(x, -1, -2)), t.mul(t.eye(x.shape.at(-1) ?? 0), x.shape.at(-1) ?? 0));
const definiteOf = (x: Matrix): Matrix => l.shifted(l.product(x, l.transpose(x)), x.length);
/** x + 2n: diagonally dominant. */
const dominant = (x: Tensor): Tensor => t.add(x, t.mul(t.eye(x.shape.at(-1) ?? 0), 2 * (x.shape.at(-1) ?? 0)));
const dominantOf = (x: Matrix): Matrix => l.shifted(x, 2 * x.length);

const squares = [
  [1, 1],
  [3, 3],
  [5, 5],
  [2, 3, 4, 4],
  [0, 3, 3],
  [2, 0, 0],
] as const;
const large = [[70, 70]] as const;
const text = (shape: readonly number[]): string => `[${shape.join(", ")}]`;

function each(
  name: string,
  shapes: readonly (readonly number[])[],
  run: (x: Tensor) => Tensor,
  oracle: (x: r.HostArray) => r.HostArray,
  label = "",
): ShapedRow[] {
  return shapes.map((shape) =>
    shapedRow(name, `${label}of ${text(shape)}`, [{ shape, domain: [-1, 1] }], run, oracle, {
      ...options,
      differentiable: r.count(shape) > 0 && r.count(shape) < 100,
    }),
  );
}

const cholesky = [
  ...each(
    "cholesky",
    [...squares, ...large],
    (x) => linalg.cholesky(definite(x)),
    (x) => l.eachMatrix((a) => l.cholesky(definiteOf(a)), x),
  ),
  ...each(
    "cholesky",
    [[3, 3]],
    (x) => linalg.cholesky(definite(x), { upper: true }),
    (x) => l.eachMatrix((a) => l.transpose(l.cholesky(definiteOf(a))), x),
    "upper ",
  ),
  ...each(
    "cholesky",
    [[3, 3]],
    (x) => linalg.cholesky(dominant(x), { symmetrizeInput: false }),
    (x) => l.eachMatrix((a) => l.cholesky(dominantOf(a)), x),
    "of the lower triangle alone, ",
    // The gradient is that of a symmetric matrix, as in JAX.
  ).map((row) => ({ ...row, differentiable: false })),
  shapedRow(
    "cholesky",
    "of an indefinite matrix beside a good one",
    [{ shape: [2, 2, 2], values: [1, 2, 2, 1, 4, 2, 2, 5] }],
    (x) => linalg.cholesky(x),
    () => ({ shape: [2, 2, 2], data: [NaN, 0, NaN, NaN, 2, 0, 1, 2] }),
  ),
];

interface TriangularCase {
  readonly leftSide: boolean;
  readonly lower: boolean;
  readonly transposeA: boolean;
  readonly unitDiagonal: boolean;
}

function triangularRow(a: readonly number[], b: readonly number[], how: TriangularCase): ShapedRow {
  const { leftSide, lower, transposeA, unitDiagonal } = how;
  const oracle = (x: Matrix, y: Matrix): Matrix => {
    const kept = l.triangle(dominantOf(x), (i, j) => (lower ? j <= i : j >= i), unitDiagonal);
    const matrix = transposeA ? l.transpose(kept) : kept;
    return leftSide ? l.solve(matrix, y) : l.transpose(l.solve(l.transpose(matrix), l.transpose(y)));
  };
  const flags = Object.entries(how).flatMap(([key, on]) => (on === true ? [key] : []));
  const run = (x: Tensor, y: Tensor): Tensor => linalg.triangularSolve(dominant(x), y, how);
  const label = `${text(a)} and ${text(b)} ${flags.join(" ")}`;
  // With a diagonal of 1, small elements keep the condition down.
  const operands = [{ shape: a, domain: [-0.5, 0.5] as const }, { shape: b }];
  return shapedRow("triangularSolve", label, operands, run, (x, y) => l.eachMatrix(oracle, x, y), options);
}

const triangular = [0, 1].flatMap((left) =>
  [0, 1].flatMap((lower) =>
    [0, 1].map((transposeA) => {
      const how = {
        leftSide: left === 1,
        lower: lower === 1,
        transposeA: transposeA === 1,
        unitDiagonal: left !== lower,
      };
      return triangularRow([4, 4], how.leftSide ? [4, 3] : [3, 4], how);
    }),
  ),
);
const triangularBatches = [
  triangularRow([2, 3, 3, 3], [2, 3, 3, 2], { leftSide: true, lower: true, transposeA: false, unitDiagonal: false }),
  triangularRow([2, 3, 3], [2, 4, 3], { leftSide: false, lower: true, transposeA: true, unitDiagonal: true }),
  triangularRow([70, 70], [70, 5], { leftSide: true, lower: true, transposeA: false, unitDiagonal: false }),
];

/** Rows are exchanged for these: the largest elements are off the diagonal. */
const turned = (x: Tensor): Tensor => t.flip(dominant(x), { axis: -1 });
const turnedOf = (x: Matrix): Matrix => dominantOf(x).map((row) => [...row].reverse());
const column = (x: r.HostArray): r.HostArray => ({ ...x, shape: [...x.shape, 1] });
const squeezed = (x: r.HostArray): r.HostArray => ({ ...x, shape: x.shape.slice(0, -1) });

const solves: readonly ShapedRow[] = [
  ...(
    [
      [
        [3, 3],
        [3, 2],
      ],
      [
        [2, 3, 4, 4],
        [2, 3, 4, 1],
      ],
      [
        [70, 70],
        [70, 3],
      ],
    ] as const
  ).map(([a, b]) =>
    shapedRow(
      "solve",
      `${text(a)} and ${text(b)}`,
      [{ shape: a, domain: [-1, 1] }, b],
      (x, y) => linalg.solve(turned(x), y),
      (x, y) => l.eachMatrix((p, q) => l.solve(turnedOf(p), q), x, y),
      { ...options, differentiable: r.count(a) > 0 && r.count(a) < 100 },
    ),
  ),
  shapedRow(
    "solve",
    "with a vector",
    [[4, 4], [4]],
    (x, y) => linalg.solve(turned(x), y),
    (x, y) => squeezed(l.eachMatrix((p, q) => l.solve(turnedOf(p), q), x, column(y))),
    options,
  ),
  shapedRow(
    "solve",
    "broadcast",
    [
      [3, 3],
      [2, 3, 2],
    ],
    (x, y) => linalg.solve(turned(x), y),
    (x, y) => l.eachMatrix((q, p) => l.solve(turnedOf(p), q), y, x),
    options,
  ),
  ...each(
    "inv",
    [...squares, ...large],
    (x) => linalg.inv(turned(x)),
    (x) => l.eachMatrix((a) => l.solve(turnedOf(a), l.identity(a.length)), x),
  ),
  ...each(
    "det",
    [...squares, [2, 2], [6, 6]],
    (x) => linalg.det(turned(x)),
    (x) => l.eachNumber((a) => l.determinant(turnedOf(a)), x),
  ),
  shapedRow(
    "det",
    "of singular matrices",
    [{ shape: [2, 2, 2], values: [1, 2, 2, 4, 0, 0, 0, 0] }],
    (x) => linalg.det(x),
    () => ({ shape: [2], data: [0, 0] }),
  ),
  ...each(
    "slogdet",
    [
      [3, 3],
      [2, 4, 4],
      [5, 5],
    ],
    (x) => linalg.slogdet(turned(x))[1],
    (x) => l.eachNumber((a) => Math.log(Math.abs(l.determinant(turnedOf(a)))), x),
    "logarithm ",
  ),
  ...each(
    "slogdet",
    [
      [3, 3],
      [2, 4, 4],
      [6, 6],
    ],
    (x) => linalg.slogdet(turned(x))[0],
    (x) => l.eachNumber((a) => Math.sign(l.determinant(turnedOf(a))), x),
    "sign ",
  ).map((row) => ({ ...row, differentiable: false })),
  shapedRow(
    "slogdet",
    "of a singular matrix",
    [{ shape: [2, 2], values: [1, 2, 2, 4] }],
    (x) => t.add(linalg.slogdet(x)[0], linalg.slogdet(x)[1]),
    () => ({ shape: [], data: [-Infinity] }),
  ),
];

const rectangles = [
  [3, 3],
  [5, 3],
  [3, 5],
  [1, 1],
  [2, 6, 2],
  [0, 2, 2],
  [70, 20],
] as const;

function qrRows(mode: "reduced" | "complete"): ShapedRow[] {
  return rectangles.flatMap((shape) => {
    const [m = 0, n = 0] = shape.slice(-2);
    const rank = mode === "complete" ? m : Math.min(m, n);
    const differentiable = r.count(shape) > 0 && r.count(shape) < 100 && rank === n;
    const make = (part: "q" | "r"): ShapedRow =>
      shapedRow(
        "qr",
        `${mode} ${part} of ${text(shape)}`,
        [shape],
        (x) => linalg.qr(x, { mode })[part === "q" ? 0 : 1],
        (x) => l.eachMatrix((a) => l.qr(a, rank)[part], x),
        { ...options, differentiable },
      );
    return [make("q"), make("r")];
  });
}

const qrs = [
  ...qrRows("reduced"),
  ...qrRows("complete"),
  ...each(
    "qr",
    [[4, 3]],
    (x) => linalg.qr(x, { mode: "r" }),
    (x) => l.eachMatrix((a) => l.qr(a, 3).r, x),
    "r alone ",
  ),
  shapedRow(
    "qr",
    "of triangular and of huge columns",
    [{ shape: [2, 2, 2], values: [-3, 1, 0, 2, 1e30, 0, 1e30, 1] }],
    (x) => linalg.qr(x)[1],
    (x) => l.eachMatrix((a) => l.qr(a, 2).r, x),
    { tolerance },
  ),
];

const power = (a: Matrix, n: number): Matrix =>
  n === 0
    ? l.identity(a.length)
    : n < 0
      ? power(l.solve(a, l.identity(a.length)), -n)
      : n === 1
        ? a
        : l.product(a, power(a, n - 1));

const others: readonly ShapedRow[] = [
  ...[0, 1, 2, 5, -2].flatMap((n) =>
    each(
      "matrixPower",
      [[3, 3]],
      (x) => linalg.matrixPower(t.mul(dominant(x), 0.25), n),
      (x) =>
        l.eachMatrix(
          (a) =>
            power(
              dominantOf(a).map((row) => row.map((y) => y * 0.25)),
              n,
            ),
          x,
        ),
      `${n} `,
    ),
  ),
  shapedRow(
    "matrixPower",
    "of whole numbers",
    [{ shape: [2, 2], values: [1, 1, 0, 1] }],
    (x) => linalg.matrixPower(x, 7),
    () => ({ shape: [2, 2], data: [1, 7, 0, 1] }),
    { dtypes: ["int32"] },
  ),
  ...(
    [
      [5, 3],
      [3, 3],
    ] as const
  ).map((shape) =>
    shapedRow(
      "lstsq",
      text(shape),
      [shape, [shape[0], 2]],
      (a, b) => linalg.lstsq(a, b)[0],
      (a, b) => l.eachMatrix((p, q) => l.solve(l.product(l.transpose(p), p), l.product(l.transpose(p), q)), a, b),
      { ...options, tolerance: { ulp: 64, abs: 2e-4 } },
    ),
  ),
  shapedRow(
    "lstsq",
    "of more columns than rows",
    [[2, 4], [2]],
    (a, b) => linalg.lstsq(a, b)[0],
    (a, b) =>
      squeezed(
        l.eachMatrix((p, q) => l.product(l.transpose(p), l.solve(l.product(p, l.transpose(p)), q)), a, column(b)),
      ),
    { ...options, tolerance: { ulp: 64, abs: 2e-4 } },
  ),
  shapedRow(
    "lstsq",
    "residuals",
    [
      [5, 2],
      [5, 3],
    ],
    (a, b) => linalg.lstsq(a, b)[1],
    (a, b) => {
      const x = l.eachMatrix((p, q) => l.solve(l.product(l.transpose(p), p), l.product(l.transpose(p), q)), a, b);
      return r.reduce(
        r.map((u, v) => (u - v) ** 2, b, r.matmul(a, x)),
        0,
        false,
        r.sum,
      );
    },
    { ...options, tolerance: { ulp: 64, abs: 2e-4 } },
  ),
];

export const linearAlgebra: readonly ShapedRow[] = [
  ...cholesky,
  ...triangular,
  ...triangularBatches,
  ...solves,
  ...qrs,
  ...others,
  ...norms,
  ...linalgMore,
  ...spectral,
  ...scipyLinalg,
];
