import { grad, jvp, vmap } from "@jnx/autodiff";
import { useDevice } from "@jnx/testing";
import * as t from "@jnx/tensor";
import { describe, expect, test } from "vitest";

// Matrices too large for one workgroup are factorized by halves and panels. What comes out is multiplied together in float64.

const N = 270;
/** Rounding errors of a norm, with room for a factor that grows slowly with N. */
const TOLERANCE = 2e-6;

interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float64Array;
}

async function read(x: t.Tensor): Promise<Matrix> {
  const [rows = 1, columns = 1] = x.shape;
  return { rows, columns, data: Float64Array.from(await x.data()) };
}

function product(a: Matrix, b: Matrix): Matrix {
  const data = new Float64Array(a.rows * b.columns);
  for (let i = 0; i < a.rows; i++)
    for (let k = 0; k < a.columns; k++) {
      const left = a.data[i * a.columns + k] ?? Number.NaN;
      for (let j = 0; j < b.columns; j++) {
        const at = i * b.columns + j;
        data[at] = (data[at] ?? 0) + left * (b.data[k * b.columns + j] ?? Number.NaN);
      }
    }
  return { rows: a.rows, columns: b.columns, data };
}

const transposed = ({ rows, columns, data }: Matrix): Matrix => ({
  rows: columns,
  columns: rows,
  data: data.map((_, at) => data[(at % rows) * columns + Math.floor(at / rows)] ?? Number.NaN),
});

const identity = (n: number): Matrix => ({
  rows: n,
  columns: n,
  data: Float64Array.from({ length: n * n }, (_, at) => (at % (n + 1) === 0 ? 1 : 0)),
});

const size = ({ data }: Matrix): number => Math.sqrt(data.reduce((sum, x) => sum + x * x, 0));

/** The distance between two matrices, as a part of `scale`. */
function distance(a: Matrix, b: Matrix, scale = size(b)): number {
  expect([a.rows, a.columns]).toEqual([b.rows, b.columns]);
  return size({ ...a, data: a.data.map((x, at) => x - (b.data[at] ?? Number.NaN)) }) / scale;
}

const random = (seed: number, shape: readonly number[]): t.Tensor => t.random.normal(t.random.key(seed), shape);
/** Well conditioned. */
const heavy = (seed: number): t.Tensor => t.add(random(seed, [N, N]), t.mul(t.eye(N), 40));
const definite = (x: t.Tensor): t.Tensor => t.add(t.matmul(x, t.linalg.matrixTranspose(x)), t.eye(x.shape.at(-1) ?? 0));

describe("factorizations of large matrices", () => {
  useDevice();

  test("cholesky", async () => {
    const a = definite(random(1, [N, N]));
    const l = await read(t.linalg.cholesky(a));
    expect(distance(product(l, transposed(l)), await read(a))).toBeLessThan(TOLERANCE);
    expect(l.data.every((x, at) => at % N <= Math.floor(at / N) || x === 0)).toBe(true);
  });

  test("cholesky of what is not positive definite, though its first block is", async () => {
    const sign = t.where(t.less(t.arange(N), N - 1), 1, -1);
    const l = await read(t.linalg.cholesky(t.mul(t.eye(N), sign)));
    expect(l.data.every((x, at) => (at % N <= Math.floor(at / N) ? Number.isNaN(x) : x === 0))).toBe(true);
  });

  test("LU with its permutation, of a matrix whose pivots lie everywhere, and of a singular one", async () => {
    const a = random(2, [N, N]);
    for (const matrix of [a, t.mul(a, t.expandDims(t.where(t.equal(t.arange(N), 7), 0, 1), 0))]) {
      const [p, l, u] = await Promise.all(t.scipyLinalg.lu(matrix).map(read));
      if (p === undefined || l === undefined || u === undefined) throw new Error("lu gives three matrices");
      expect(distance(product(product(p, l), u), await read(matrix))).toBeLessThan(TOLERANCE);
      expect(Math.max(...l.data.map(Math.abs))).toBe(1);
    }
  });

  test("solve and inv", async () => {
    const a = random(3, [N, N]);
    const [matrix, b] = [await read(a), random(4, [N, 3])];
    const [x, inverse] = [await read(t.linalg.solve(a, b)), await read(t.linalg.inv(a))];
    expect(distance(product(matrix, x), await read(b), size(matrix) * size(x))).toBeLessThan(TOLERANCE);
    expect(distance(product(matrix, inverse), identity(N), size(matrix) * size(inverse))).toBeLessThan(TOLERANCE);
  });

  test.each([
    { lower: true, unitDiagonal: false },
    { lower: false, unitDiagonal: false },
    { lower: false, unitDiagonal: true },
  ])("triangularSolve %o", async (options) => {
    const a = t.add(t.mul(random(5, [N, N]), 0.05), t.eye(N));
    const b = random(6, [N, 5]);
    const x = await read(t.laxLinalg.triangularSolve(a, b, { leftSide: true, ...options }));
    const triangle = options.lower ? t.tril(a) : t.triu(a);
    const diagonal = t.mul(t.eye(N), options.unitDiagonal ? 1 : t.diagonal(a));
    const used = await read(t.add(t.sub(triangle, t.mul(t.eye(N), triangle)), diagonal));
    expect(distance(product(used, x), await read(b), size(used) * size(x))).toBeLessThan(TOLERANCE);
  });

  test.each([
    { m: N, n: N, mode: "reduced" },
    { m: N + 37, n: N, mode: "complete" },
    { m: N - 9, n: N + 20, mode: "reduced" },
    { m: N + 50, n: N, mode: "reduced" },
  ] as const)("qr %o", async ({ m, n, mode }) => {
    const a = random(7, [m, n]);
    const [q, r] = await Promise.all(t.linalg.qr(a, { mode }).map(read));
    if (q === undefined || r === undefined) throw new Error("qr gives two matrices");
    expect(distance(product(q, r), await read(a))).toBeLessThan(TOLERANCE);
    expect(distance(product(transposed(q), q), identity(q.columns))).toBeLessThan(TOLERANCE);
    expect(r.data.every((x, at) => at % n >= Math.floor(at / n) || x === 0)).toBe(true);
  });

  const scaled = (x: Matrix, columns: ArrayLike<number>): Matrix => ({
    ...x,
    data: x.data.map((value, at) => value * (columns[at % x.columns] ?? Number.NaN)),
  });
  const ascending = (x: ArrayLike<number>): boolean =>
    Array.from(x).every((value, k) => k === 0 || value >= (x[k - 1] ?? 0));

  test.each([
    ["of huge random numbers", () => t.mul(random(14, [N, N]), 1e30)],
    ["of ones, with one eigenvalue N times", () => t.ones([N, N])],
  ])("eigh of a symmetric matrix %s", async (_, make) => {
    const x = make();
    const a = t.add(x, t.linalg.matrixTranspose(x));
    const [values, vectors] = t.linalg.eigh(a);
    const [w, v, matrix] = [await values.data(), await read(vectors), await read(a)];
    // N columns, each wrong by rounding errors of the largest eigenvalue.
    const scale = Math.max(...w.map(Math.abs)) * Math.sqrt(N);
    expect(distance(product(matrix, v), scaled(v, w), scale)).toBeLessThan(TOLERANCE);
    expect(distance(product(transposed(v), v), identity(N))).toBeLessThan(TOLERANCE);
    expect(ascending(w)).toBe(true);
  });

  test.each([["tall, of half the rank", () => t.matmul(random(17, [N + 30, N / 2]), random(18, [N / 2, N]))]])(
    "svd of a matrix that is %s",
    async (_, make) => {
      const a = make();
      const factors = t.linalg.svd(a, { fullMatrices: false });
      const [u, vt, matrix] = [await read(factors[0]), await read(factors[2]), await read(a)];
      const s = await factors[1].data();
      expect(distance(product(scaled(u, s), vt), matrix, Math.max(size(matrix), 1))).toBeLessThan(TOLERANCE);
      expect(distance(product(transposed(u), u), identity(N))).toBeLessThan(TOLERANCE);
      expect(distance(product(vt, transposed(vt)), identity(N))).toBeLessThan(TOLERANCE);
      expect(ascending(Array.from(s).reverse())).toBe(true);
      const alone = await t.linalg.svdvals(a).data();
      expect(Math.max(...alone.map((value, k) => Math.abs(value - (s[k] ?? Number.NaN))))).toBeLessThanOrEqual(
        TOLERANCE * Math.max(s[0] ?? 0, 1),
      );
    },
  );

  test("eigh of a matrix with an element that is no number", async () => {
    const [w, v] = t.linalg.eigh(t.mul(t.eye(N), t.where(t.less(t.arange(N), 9), 1, Number.NaN)));
    expect((await w.data()).every(Number.isNaN) && (await v.data()).every(Number.isNaN)).toBe(true);
  });

  test("derivatives: the logarithm of a determinant, by LU and by Cholesky", async () => {
    const a = heavy(8);
    const logdet = (x: t.Tensor): t.Tensor => t.linalg.slogdet(x)[1];
    const slope = await read(grad(logdet)(a));
    expect(distance(product(transposed(slope), await read(a)), identity(N))).toBeLessThan(TOLERANCE * 10);
    // Along the matrix itself it grows by N.
    expect(await jvp(logdet, [a], [a])[1].item()).toBeCloseTo(N, 2);
    const spd = definite(a);
    const half = (x: t.Tensor): t.Tensor => t.sum(t.log(t.diagonal(t.linalg.cholesky(x))));
    const byCholesky = await read(t.mul(grad(half)(spd), 2));
    expect(distance(product(byCholesky, await read(spd)), identity(N))).toBeLessThan(TOLERANCE * 100);
    expect(await jvp(half, [spd], [spd])[1].item()).toBeCloseTo(N / 2, 2);
  });

  test("derivatives of qr: q r is what it was made of, so its slope is the other factor", async () => {
    const [a, weights] = [heavy(9), random(10, [N, N])];
    const f = (x: t.Tensor): t.Tensor => {
      const [q, r] = t.linalg.qr(x);
      return t.sum(t.mul(t.matmul(q, r), weights));
    };
    expect(distance(await read(grad(f)(a)), await read(weights))).toBeLessThan(TOLERANCE * 10);
    const along = await jvp(f, [a], [random(11, [N, N])])[1].item();
    const [direction, weight] = [await read(random(11, [N, N])), await read(weights)];
    const expected = direction.data.reduce((sum, x, at) => sum + x * (weight.data[at] ?? Number.NaN), 0);
    expect(along / expected).toBeCloseTo(1, 3);
  });

  test("of a batch, inside vmap and out", async () => {
    const [one, two] = [heavy(12), heavy(13)];
    const logdet = (x: t.Tensor): t.Tensor => t.linalg.slogdet(x)[1];
    const expected = await Promise.all([logdet(one).item(), logdet(two).item()]);
    const batch = t.stack([one, two]);
    expect(await logdet(batch).toArray()).toEqual(expected);
    expect(await vmap(logdet)(batch).toArray()).toEqual(expected);
    const inside = await vmap(grad(logdet))(batch).data();
    const outside = await grad((x: t.Tensor) => t.sum(vmap(logdet)(x)))(batch).data();
    expect(outside).toEqual(inside);
  });
});
