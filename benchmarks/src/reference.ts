/** The tasks in float64 loops: what every engine's result is held against. */
import { input, mlpBatch, mlpParams, mlpSizes, type Inputs, type Task } from "./tasks.ts";

type Numbers = ArrayLike<number>;

const at = (x: Numbers, i: number): number => x[i] ?? NaN;

/** out[i,j] = sum_k a[i,k] b[k,j]; transposes are given as strides. */
function matmul(
  a: Numbers,
  b: Numbers,
  m: number,
  k: number,
  n: number,
  [ai, ak, bk, bj] = [k, 1, n, 1],
): Float64Array {
  const out = new Float64Array(m * n);
  for (let i = 0; i < m; i++) {
    for (let p = 0; p < k; p++) {
      const left = at(a, i * (ai ?? 0) + p * (ak ?? 0));
      if (left === 0) continue;
      for (let j = 0; j < n; j++) {
        const o = i * n + j;
        out[o] = at(out, o) + left * at(b, p * (bk ?? 0) + j * (bj ?? 0));
      }
    }
  }
  return out;
}

function rows(x: Numbers, width: number, f: (row: Float64Array) => Float64Array): Float64Array {
  const out = new Float64Array(x.length);
  for (let start = 0; start < x.length; start += width) {
    const row = Float64Array.from({ length: width }, (_, j) => at(x, start + j));
    out.set(f(row), start);
  }
  return out;
}

function softmaxRow(row: Float64Array): Float64Array {
  const max = Math.max(...row);
  const e = row.map((v) => Math.exp(v - max));
  const total = e.reduce((a, b) => a + b, 0);
  return e.map((v) => v / total);
}

function layerNorm(x: Numbers, scale: Numbers, bias: Numbers): Float64Array {
  return rows(x, scale.length, (row) => {
    const mean = row.reduce((a, b) => a + b, 0) / row.length;
    const variance = row.reduce((a, b) => a + (b - mean) ** 2, 0) / row.length;
    return row.map((v, j) => ((v - mean) / Math.sqrt(variance + 1e-5)) * at(scale, j) + at(bias, j));
  });
}

/** The result of an "op" task. */
export function opReference(task: Task, inputs: Inputs): Float64Array {
  const data = (name: string): Numbers => input(inputs, name).data;
  switch (task.id) {
    case "T1.256":
    case "T1.512":
    case "T1.1024": {
      const n = Math.sqrt(data("a").length);
      return matmul(data("a"), data("b"), n, n, n);
    }
    case "T2":
      return matmul(data("a"), data("x"), 2048, 2048, 1);
    case "T3":
    case "T3e":
      return Float64Array.from(data("x"), (v) => Math.tanh(v * 1.5 + 0.5) * v + Math.max(v, 0));
    case "T4":
      return rows(data("x"), 1024, softmaxRow);
    case "T5":
      return layerNorm(data("x"), data("scale"), data("bias"));
    case "T6":
      return Float64Array.of(Array.from(data("x")).reduce((a, b) => a + b, 0));
    case "T7":
      throw new Error("opReference: T7 is a training task; use mlpReference");
    case "T11":
      throw new Error("opReference: T11 is random; use normalError");
  }
}

export interface TrainReference {
  readonly losses: readonly number[];
  readonly start: readonly Float64Array[];
  readonly params: readonly Float64Array[];
}

interface Adam {
  readonly m: Float64Array[];
  readonly v: Float64Array[];
}

/** In place: p -= lr * m̂ / (sqrt(v̂) + eps), bias-corrected, with T7's constants. */
function adam(params: readonly Float64Array[], grads: readonly Float64Array[], state: Adam, step: number): void {
  const [lr, b1, b2, eps] = [1e-3, 0.9, 0.999, 1e-8];
  params.forEach((p, n) => {
    const [g, m, v] = [grads[n], state.m[n], state.v[n]];
    if (g === undefined || m === undefined || v === undefined) throw new Error("adam: trees differ");
    for (let i = 0; i < p.length; i++) {
      m[i] = b1 * at(m, i) + (1 - b1) * at(g, i);
      v[i] = b2 * at(v, i) + (1 - b2) * at(g, i) ** 2;
      p[i] = at(p, i) - (lr * (at(m, i) / (1 - b1 ** step))) / (Math.sqrt(at(v, i) / (1 - b2 ** step)) + eps);
    }
  });
}

/** Loss and gradients of the MLP: dense, relu, dense, relu, dense, mean softmax cross-entropy. */
function mlpGradients(params: readonly Float64Array[], x: Numbers, y: Numbers): [number, Float64Array[]] {
  const sizes: readonly number[] = mlpSizes;
  const rowsCount = mlpBatch;
  const acts: Numbers[] = [x];
  for (let l = 0; l < 3; l++) {
    const [w, b] = [params[2 * l] ?? [], params[2 * l + 1] ?? []];
    const [fanIn, fanOut] = [at(sizes, l), at(sizes, l + 1)];
    const z = matmul(acts[l] ?? [], w, rowsCount, fanIn, fanOut);
    acts.push(z.map((v, i) => (l < 2 ? Math.max(v + at(b, i % fanOut), 0) : v + at(b, i % fanOut))));
  }
  const classes = at(sizes, 3);
  let delta = rows(acts[3] ?? [], classes, softmaxRow);
  let loss = 0;
  for (let i = 0; i < rowsCount; i++) {
    const o = i * classes + at(y, i);
    loss -= Math.log(at(delta, o)) / rowsCount;
    delta[o] = at(delta, o) - 1;
  }
  delta = delta.map((v) => v / rowsCount);
  const grads: Float64Array[] = [];
  for (let l = 2; l >= 0; l--) {
    const [fanIn, fanOut] = [at(sizes, l), at(sizes, l + 1)];
    const input = acts[l] ?? [];
    const db = new Float64Array(fanOut);
    delta.forEach((v, i) => (db[i % fanOut] = at(db, i % fanOut) + v));
    grads.unshift(matmul(input, delta, fanIn, rowsCount, fanOut, [1, fanIn, fanOut, 1]), db);
    const back = matmul(delta, params[2 * l] ?? [], rowsCount, fanOut, fanIn, [fanOut, 1, 1, fanOut]);
    delta = back.map((v, i) => (at(input, i) > 0 ? v : 0));
  }
  return [loss, grads];
}

/** T7 for some steps: the loss before each update, the parameters before the first and after the last. */
export function mlpReference(inputs: Inputs, steps: number): TrainReference {
  const start = mlpParams.map((name) => Float64Array.from(input(inputs, name).data));
  const params = start.map((p) => p.slice());
  const state = { m: start.map((p) => new Float64Array(p.length)), v: start.map((p) => new Float64Array(p.length)) };
  const losses: number[] = [];
  for (let step = 1; step <= steps; step++) {
    const [loss, grads] = mlpGradients(params, input(inputs, "x").data, input(inputs, "y").data);
    losses.push(loss);
    adam(params, grads, state, step);
  }
  return { losses, start, params };
}

/**
 * How far a sample's mean, variance and share beyond 3 are from the standard normal's, each over five standard
 * deviations of that statistic: up to 1 is well; infinite for another length or a NaN.
 */
export function normalError(sample: Numbers, n: number): number {
  if (sample.length !== n) return Infinity;
  let [sum, squares, far] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    const x = at(sample, i);
    sum += x;
    squares += x * x;
    if (Math.abs(x) > 3) far++;
  }
  const beyond = 0.0026997960632601866;
  const errors = [
    [sum / n, 1],
    [squares / n - (sum / n) ** 2 - 1, Math.SQRT2],
    [far / n - beyond, Math.sqrt(beyond)],
  ].map(([off = NaN, deviation = NaN]) => (Math.abs(off) * Math.sqrt(n)) / (5 * deviation));
  return errors.some(Number.isNaN) ? Infinity : Math.max(...errors);
}

/** Largest |got - want| over the largest |want|; infinite for another length or a NaN. */
export function relativeError(got: Numbers, want: Numbers): number {
  if (got.length !== want.length) return Infinity;
  let [worst, scale] = [0, 0];
  for (let i = 0; i < want.length; i++) {
    const error = Math.abs(at(got, i) - at(want, i));
    if (Number.isNaN(error)) return Infinity;
    worst = Math.max(worst, error);
    scale = Math.max(scale, Math.abs(at(want, i)));
  }
  return worst / scale;
}

/** ‖params - reference‖ / ‖reference - start‖, over all parameters. */
export function movementError(params: readonly Numbers[], reference: TrainReference): number {
  if (params.length !== reference.params.length) return Infinity;
  let [off, moved] = [0, 0];
  reference.params.forEach((want, n) => {
    const [got, start] = [params[n] ?? [], reference.start[n] ?? []];
    for (let i = 0; i < want.length; i++) {
      off += (at(got, i) - at(want, i)) ** 2;
      moved += (at(want, i) - at(start, i)) ** 2;
    }
  });
  return Number.isNaN(off) ? Infinity : Math.sqrt(off / moved);
}
