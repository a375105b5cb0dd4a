/** Operations in float64 loops: what every engine's result is held against. */

export type Numbers = ArrayLike<number>;

export const at = (x: Numbers, i: number): number => x[i] ?? NaN;

/** Distances from row to row and from column to column, of the left operand and of the right one. */
type Strides = readonly [ai: number, ak: number, bk: number, bj: number];

/** out[i,j] = sum_k a[i,k] b[k,j]; transposes are given as strides. */
export function matmul(a: Numbers, b: Numbers, m: number, k: number, n: number, strides?: Strides): Float64Array {
  const [ai, ak, bk, bj] = strides ?? [k, 1, n, 1];
  const out = new Float64Array(m * n);
  for (let i = 0; i < m; i++) {
    for (let p = 0; p < k; p++) {
      const left = at(a, i * ai + p * ak);
      if (left === 0) continue;
      for (let j = 0; j < n; j++) {
        const o = i * n + j;
        out[o] = at(out, o) + left * at(b, p * bk + j * bj);
      }
    }
  }
  return out;
}

/** `f` of each row. */
export function rows(x: Numbers, width: number, f: (row: Float64Array) => Float64Array): Float64Array {
  const out = new Float64Array(x.length);
  for (let start = 0; start < x.length; start += width) {
    const row = Float64Array.from({ length: width }, (_, j) => at(x, start + j));
    out.set(f(row), start);
  }
  return out;
}

export function softmax(row: Float64Array): Float64Array {
  const max = Math.max(...row);
  const e = row.map((v) => Math.exp(v - max));
  const total = e.reduce((a, b) => a + b, 0);
  return e.map((v) => v / total);
}

export function layerNorm(x: Numbers, scale: Numbers, bias: Numbers): Float64Array {
  return rows(x, scale.length, (row) => {
    const mean = row.reduce((a, b) => a + b, 0) / row.length;
    const variance = row.reduce((a, b) => a + (b - mean) ** 2, 0) / row.length;
    return row.map((v, j) => ((v - mean) / Math.sqrt(variance + 1e-5)) * at(scale, j) + at(bias, j));
  });
}

export function transpose(x: Numbers, height: number, width: number): Float64Array {
  return Float64Array.from({ length: x.length }, (_, i) => at(x, (i % height) * width + Math.floor(i / height)));
}

export function takeRows(table: Numbers, index: Numbers, width: number): Float64Array {
  return Float64Array.from({ length: index.length * width }, (_, i) =>
    at(table, at(index, Math.floor(i / width)) * width + (i % width)),
  );
}
