/** Oracles of linear algebra: textbook loops over float64 numbers, matrix by matrix. */
import { build, count, get, type HostArray } from "./reference.ts";

/** Rows of numbers. */
export type Matrix = number[][];

const at = (a: Matrix, i: number, j: number): number => a[i]?.[j] ?? 0;

/** The last two axes of x at one place of the others. */
function matrixOf(x: HostArray, place: readonly number[]): Matrix {
  const [m = 0, n = 0] = x.shape.slice(-2);
  return Array.from({ length: m }, (_, i) => Array.from({ length: n }, (_, j) => get(x, [...place, i, j])));
}

/** f of the matrices at each place of the batch axes (those of the first operand). */
export function eachMatrix(f: (...matrices: Matrix[]) => Matrix, ...xs: readonly HostArray[]): HostArray {
  const batch = xs[0]?.shape.slice(0, -2) ?? [];
  const places: (readonly number[])[] = [];
  build(batch, (place) => places.push([...place]));
  const results = places.map((place) => f(...xs.map((x) => matrixOf(x, place))));
  const model = f(
    ...xs.map((x) => Array.from({ length: x.shape.at(-2) ?? 0 }, () => new Array<number>(x.shape.at(-1) ?? 0).fill(0))),
  );
  const [first = model] = results;
  const shape = [...batch, first.length, first[0]?.length ?? 0];
  return { shape, data: count(shape) === 0 ? [] : results.flat(2) };
}

/** A number for each matrix. */
export function eachNumber(f: (a: Matrix) => number, x: HostArray): HostArray {
  return build(x.shape.slice(0, -2), (place) => f(matrixOf(x, place)));
}

export function product(a: Matrix, b: Matrix): Matrix {
  return a.map((row) => (b[0] ?? []).map((_, j) => row.reduce((total, x, k) => total + x * at(b, k, j), 0)));
}

const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, x, k) => sum + x * (b[k] ?? 0), 0);

export function transpose(a: Matrix): Matrix {
  return (a[0] ?? []).map((_, j) => a.map((row) => row[j] ?? 0));
}

export function shifted(a: Matrix, by: number): Matrix {
  return a.map((row, i) => row.map((x, j) => (i === j ? x + by : x)));
}

export function cholesky(a: Matrix): Matrix {
  const n = a.length;
  const l = a.map((row) => row.map(() => 0));
  for (let j = 0; j < n; j++) {
    for (let i = j; i < n; i++) {
      let sum = at(a, i, j);
      for (let k = 0; k < j; k++) sum -= at(l, i, k) * at(l, j, k);
      const row = l[i];
      if (row !== undefined) row[j] = i === j ? Math.sqrt(sum) : sum / at(l, j, j);
    }
  }
  return l;
}

/** Gauss with row exchanges on [a | b]: the solution and the determinant. */
export function eliminate(a: Matrix, b: Matrix): { x: Matrix; det: number } {
  const n = a.length;
  const rows = a.map((row, i) => [...row, ...(b[i] ?? [])]);
  let det = 1;
  for (let j = 0; j < n; j++) {
    let pivot = j;
    for (let i = j; i < n; i++) if (Math.abs(at(rows, i, j)) > Math.abs(at(rows, pivot, j))) pivot = i;
    const [upper, own] = [rows[pivot] ?? [], rows[j] ?? []];
    [rows[j], rows[pivot]] = [upper, own];
    det *= (pivot === j ? 1 : -1) * (upper[j] ?? 0);
    for (let i = 0; i < n; i++) {
      if (i === j) continue;
      const factor = at(rows, i, j) / (upper[j] ?? 0);
      rows[i] = (rows[i] ?? []).map((x, k) => x - factor * (upper[k] ?? 0));
    }
  }
  return { x: rows.map((row, i) => row.slice(n).map((x) => x / (row[i] ?? 1))), det };
}

export const solve = (a: Matrix, b: Matrix): Matrix => eliminate(a, b).x;
export const determinant = (a: Matrix): number =>
  eliminate(
    a,
    a.map(() => []),
  ).det;
export const identity = (n: number): Matrix =>
  Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => (i === j ? 1 : 0)));
export const triangle = (a: Matrix, keep: (i: number, j: number) => boolean, unit = false): Matrix =>
  a.map((row, i) => row.map((x, j) => (i === j && unit ? 1 : keep(i, j) ? x : 0)));

/** Householder's reflections with LAPACK's signs: q [m, rank] and r [rank, n]. */
export function qr(a: Matrix, rank: number): { q: Matrix; r: Matrix } {
  const [m, n] = [a.length, a[0]?.length ?? 0];
  let [q, r] = [identity(m), a];
  for (let j = 0; j < Math.min(m, n); j++) {
    const below = r.map((row, i) => (i < j ? 0 : (row[j] ?? 0)));
    const rest = Math.hypot(...below.slice(j + 1));
    if (rest === 0) continue;
    const alpha = below[j] ?? 0;
    const beta = -(alpha < 0 ? -1 : 1) * Math.hypot(alpha, rest);
    const v = below.map((x, i) => (i < j ? 0 : i === j ? 1 : x / (alpha - beta)));
    const tau = (beta - alpha) / beta;
    // (1 - tau v vᵀ) on q's right and on r's left.
    const across = q.map((row) => tau * dot(row, v));
    const along = transpose(r).map((column) => tau * dot(column, v));
    q = q.map((row, i) => row.map((x, k) => x - (across[i] ?? 0) * (v[k] ?? 0)));
    r = r.map((row, i) => row.map((x, k) => x - (v[i] ?? 0) * (along[k] ?? 0)));
  }
  return { q: q.map((row) => row.slice(0, rank)), r: triangle(r.slice(0, rank), (i, j) => i <= j) };
}

/** Eigenvalues of a symmetric matrix in ascending order, and its vectors as columns: Jacobi's method, element after element. */
export function eigen(a: Matrix): { values: number[]; vectors: Matrix } {
  const n = a.length;
  // Rows of the matrix, and of its vectors transposed, turned alike.
  let left = a.map((row) => [...row]);
  const vectors = identity(n);
  for (let sweep = 0; sweep < 12; sweep++)
    for (let i = 0; i < n; i++)
      for (let j = i + 1; j < n; j++) {
        if (at(left, i, j) === 0) continue;
        const angle = 0.5 * Math.atan2(2 * at(left, i, j), at(left, j, j) - at(left, i, i));
        turnRows(left, i, j, angle);
        left = left.map((row) => turnedWithin(row, i, j, angle));
        turnRows(vectors, i, j, angle);
      }
  const order = left.map((_, i) => i).sort((i, j) => at(left, i, i) - at(left, j, j));
  return { values: order.map((i) => at(left, i, i)), vectors: transpose(order.map((i) => vectors[i] ?? [])) };
}

function turnRows(a: Matrix, i: number, j: number, angle: number): void {
  const [c, s, one, other] = [Math.cos(angle), Math.sin(angle), a[i] ?? [], a[j] ?? []];
  [a[i], a[j]] = [one.map((x, k) => c * x - s * (other[k] ?? 0)), other.map((y, k) => s * (one[k] ?? 0) + c * y)];
}

function turnedWithin(row: readonly number[], i: number, j: number, angle: number): number[] {
  const [c, s, x, y] = [Math.cos(angle), Math.sin(angle), row[i] ?? 0, row[j] ?? 0];
  return row.map((value, k) => (k === i ? c * x - s * y : k === j ? s * x + c * y : value));
}

/** Singular values in descending order, and the vectors of those that are not 0: u's columns and vᵀ's rows. */
export function singular(a: Matrix): { u: Matrix; s: number[]; vt: Matrix } {
  const wide = a.length < (a[0]?.length ?? 0);
  const tall = wide ? transpose(a) : a;
  const { values, vectors } = eigen(product(transpose(tall), tall));
  const s = values.map((x) => Math.sqrt(Math.max(x, 0))).reverse();
  const v = vectors.map((row) => [...row].reverse());
  const u = product(tall, v).map((row) => row.map((x, j) => x / (s[j] ?? 1)));
  return wide ? { u: v, s, vt: transpose(u) } : { u, s, vt: transpose(v) };
}

const scaled = (a: Matrix, by: number): Matrix => a.map((row) => row.map((x) => x * by));

/** 1 + b + b² / 2 + … of b = a / 2ᵏ, at most a half in its entries' sum, squared k times. */
export function exponential(a: Matrix): Matrix {
  const size = a.flat().reduce((total, x) => total + Math.abs(x), 0);
  const halvings = Math.max(0, Math.ceil(Math.log2(size)) + 1);
  const small = scaled(a, 2 ** -halvings);
  let [sum, term] = [identity(a.length), identity(a.length)];
  for (let k = 1; k < 24; k++) {
    term = scaled(product(term, small), 1 / k);
    sum = sum.map((row, i) => row.map((x, j) => x + at(term, i, j)));
  }
  for (let k = 0; k < halvings; k++) sum = product(sum, sum);
  return sum;
}
