/** Known answers of what models are made of, with gradients, compiled steps, batches and loops. */
import { grad, valueAndGrad, vmap } from "@jnx/autodiff";
import { jit, scan } from "@jnx/compile";
import * as t from "@jnx/tensor";
import type { Tensor } from "@jnx/tensor";
import { numbers, total, type Expected, type KnownAnswer } from "./check.ts";

const range = (count: number): number[] => Array.from({ length: count }, (_, k) => k);

/** Σ (A·B)² with A·B, and its slopes along A and B, by loops. */
function product(): readonly Expected[] {
  const [m, k, n] = [33, 70, 29];
  const [a, b] = [numbers(m * k, 3), numbers(k * n, 5)];
  const [A, B] = [(r: number, i: number) => a[r * k + i] ?? 0, (i: number, c: number) => b[i * n + c] ?? 0];
  const want = range(m * n).map((at) => total(range(k).map((i) => A(Math.floor(at / n), i) * B(i, at % n))));
  const C = (r: number, c: number): number => want[r * n + c] ?? 0;
  const [x, y] = [t.array(a, { shape: [m, k] }), t.array(b, { shape: [k, n] })];
  const f = (p: Tensor, q: Tensor): Tensor => t.sum(t.square(t.matmul(p, q)));
  const [dx = x, dy = y] = grad(f, { argnums: [0, 1] })(x, y);
  const slopeA = (r: number, i: number): number => 2 * total(range(n).map((c) => C(r, c) * B(i, c)));
  const slopeB = (i: number, c: number): number => 2 * total(range(m).map((r) => C(r, c) * A(r, i)));
  return [
    { got: t.matmul(x, y), want, terms: 64 },
    { got: dx, want: range(m * k).map((at) => slopeA(Math.floor(at / k), at % k)), terms: 1024 },
    { got: dy, want: range(k * n).map((at) => slopeB(Math.floor(at / n), at % n)), terms: 1024 },
  ];
}

const SIZE = 9;
const CHANNELS = 2;
const FEATURES = 3;

/** Every pair of an element of the image and one of the window that a 3 × 3 convolution with padding 1 multiplies. */
function eachTap(visit: (out: number, x: number, w: number) => void): void {
  for (let out = 0; out < FEATURES * SIZE * SIZE; out++)
    for (let tap = 0; tap < CHANNELS * 9; tap++) {
      const [feature, place] = [Math.floor(out / SIZE ** 2), out % SIZE ** 2];
      const [channel, shift] = [Math.floor(tap / 9), tap % 9];
      const [i, j] = [Math.floor(place / SIZE) + Math.floor(shift / 3) - 1, (place % SIZE) + (shift % 3) - 1];
      if (i >= 0 && i < SIZE && j >= 0 && j < SIZE)
        visit(out, (channel * SIZE + i) * SIZE + j, feature * CHANNELS * 9 + tap);
    }
}

/** A convolution y and the slopes of Σ y² along the image and the window. */
function convolution(): readonly Expected[] {
  const [image, window] = [numbers(CHANNELS * SIZE * SIZE, 7), numbers(FEATURES * CHANNELS * 9, 11)];
  const [y, dx, dw] = [FEATURES * SIZE * SIZE, image.length, window.length].map((count) => new Float64Array(count));
  const add = (to: Float64Array | undefined, k: number, more: number): void => {
    if (to !== undefined) to[k] = (to[k] ?? 0) + more;
  };
  eachTap((out, x, w) => add(y, out, (image[x] ?? 0) * (window[w] ?? 0)));
  eachTap((out, x, w) => {
    add(dx, x, 2 * (y?.[out] ?? 0) * (window[w] ?? 0));
    add(dw, w, 2 * (y?.[out] ?? 0) * (image[x] ?? 0));
  });
  const x = t.array(image, { shape: [1, CHANNELS, SIZE, SIZE] });
  const w = t.array(window, { shape: [FEATURES, CHANNELS, 3, 3] });
  const run = (p: Tensor, q: Tensor): Tensor => t.conv(p, q, [1, 1], "SAME");
  const [gotX = x, gotW = w] = grad((p: Tensor, q: Tensor) => t.sum(t.square(run(p, q))), { argnums: [0, 1] })(x, w);
  return [
    { got: run(x, w), want: y ?? [], terms: 16 },
    { got: gotX, want: dx ?? [], terms: 256 },
    { got: gotW, want: dw ?? [], terms: 1024 },
  ];
}

/** Cross-entropy of a softmax, and its slope: shares less labels. */
function crossEntropy(): readonly Expected[] {
  const [rows, classes] = [6, 10];
  const logits = numbers(rows * classes, 13);
  const powers = Array.from(logits, Math.exp);
  const share = (at: number): number => {
    const first = at - (at % classes);
    return (powers[at] ?? 0) / total(powers.slice(first, first + classes));
  };
  const label = (row: number): number => (row * 3) % classes;
  const labels = t.array(range(rows).map(label));
  const loss = (x: Tensor): Tensor => t.neg(t.sum(t.mul(t.oneHot(labels, classes), t.logSoftmax(x))));
  const x = t.array(logits, { shape: [rows, classes] });
  const slope = range(rows * classes).map(
    (at) => share(at) - (at % classes === label(Math.floor(at / classes)) ? 1 : 0),
  );
  const [value, slopes] = jit(valueAndGrad(loss))(x);
  return [
    { got: value, want: [total(range(rows).map((row) => -Math.log(share(row * classes + label(row)))))] },
    { got: slopes, want: slope, terms: 1 },
  ];
}

/** Three steps of gradient descent on a line through points, by one compiled step. */
function training(): readonly Expected[] {
  const [xs, ys] = [
    [0, 1, 2, 3],
    [1, 3, 5, 7],
  ];
  const step = jit((w: Tensor, b: Tensor, x: Tensor, y: Tensor) => {
    const loss = (p: Tensor, q: Tensor): Tensor => t.mean(t.square(t.sub(t.add(t.mul(p, x), q), y)));
    const [dw = w, db = b] = grad(loss, { argnums: [0, 1] })(w, b);
    return [t.sub(w, t.mul(dw, 0.125)), t.sub(b, t.mul(db, 0.125))] as const;
  });
  const [x, y] = [t.array(Float32Array.from(xs)), t.array(Float32Array.from(ys))];
  let [w, b]: readonly Tensor[] = [
    t.array(Float32Array.of(0), { shape: [] }),
    t.array(Float32Array.of(0), { shape: [] }),
  ];
  let [slope, offset] = [0, 0];
  for (let k = 0; k < 3; k++) {
    [w, b] = step(w ?? x, b ?? x, x, y);
    const errors = xs.map((at, i) => slope * at + offset - (ys[i] ?? 0));
    slope -= total(errors.map((error, i) => error * (xs[i] ?? 0))) / 16;
    offset -= total(errors) / 16;
  }
  return [
    { got: w ?? x, want: [slope] },
    { got: b ?? x, want: [offset] },
  ];
}

/** The slope of xᵀ A⁻¹ x along x is 2 A⁻¹ x; A = L Lᵀ. */
function factors(): readonly Expected[] {
  const a = t.array(Float32Array.of(4, 2, 2, 5), { shape: [2, 2] });
  const x = t.array(Float32Array.of(1, 3));
  const slope = jit(grad((v: Tensor) => t.sum(t.mul(v, t.linalg.solve(a, v)))))(x);
  return [
    { got: t.linalg.cholesky(a), want: [2, 0, 1, 2] },
    { got: slope, want: [-0.125, 1.25] },
  ];
}

/** A batch of gradients, and a loop that carries a sum of squares. */
function transforms(): readonly Expected[] {
  const data = numbers(12, 17);
  const x = t.array(data, { shape: [4, 3] });
  const cubes = (v: Tensor): Tensor => t.sum(t.mul(v, t.square(v)));
  const [carried, sums] = scan(
    (carry: Tensor, row: Tensor): readonly [Tensor, Tensor] => {
      const next = t.add(carry, t.square(row));
      return [next, t.sum(next)];
    },
    t.zeros([3]),
    x,
  );
  const squares = (rows: number, column: number): number =>
    total(range(rows).map((row) => (data[row * 3 + column] ?? 0) ** 2));
  return [
    { got: vmap(grad(cubes))(x), want: Array.from(data, (v) => 3 * v * v) },
    { got: carried, want: range(3).map((column) => squares(4, column)) },
    { got: sums, want: range(4).map((row) => total(range(3).map((column) => squares(row + 1, column)))) },
  ];
}

export const learning: readonly KnownAnswer[] = [
  { name: "matmul and its gradients", within: 4, run: product },
  { name: "convolution and its gradients", within: 4, run: convolution },
  { name: "softmax cross-entropy and its gradient", within: 4, run: crossEntropy },
  { name: "factorization, solving and its gradient", within: 4, run: factors },
  { name: "a compiled training step", within: 4, run: training },
  { name: "batches of gradients, and a loop", within: 4, run: transforms },
];
