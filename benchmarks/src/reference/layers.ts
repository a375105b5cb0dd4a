/** Layers in float64. Each gives its result and `back`, which takes the result's gradient to the operand's. */
import { at, matmul, rows, softmax, type Numbers } from "./ops.ts";
import type { Parameters } from "./training.ts";

export interface Layer {
  readonly out: Float64Array;
  /** Leaves the parameters' gradients where they belong and gives the operand's. */
  back(gradient: Float64Array): Float64Array;
}

/** x[m, k] · w + b. */
export function dense(p: Parameters, w: string, b: string, x: Numbers): Layer {
  const [weight, bias] = [p.value(w), p.value(b)];
  const n = bias.length;
  const k = weight.length / n;
  const m = x.length / k;
  const out = matmul(x, weight, m, k, n).map((v, i) => v + at(bias, i % n));
  const back = (d: Float64Array): Float64Array => {
    p.gradients.set(w, matmul(x, d, k, m, n, [1, k, n, 1]));
    p.gradients.set(b, columnSums(d, n));
    return matmul(d, weight, m, n, k, [n, 1, 1, n]);
  };
  return { out, back };
}

function columnSums(x: Numbers, width: number): Float64Array {
  const out = new Float64Array(width);
  for (let i = 0; i < x.length; i++) out[i % width] = at(out, i % width) + at(x, i);
  return out;
}

export function relu(x: Float64Array): Layer {
  return { out: x.map((v) => Math.max(v, 0)), back: (d) => d.map((v, i) => (at(x, i) > 0 ? v : 0)) };
}

/** The tanh approximation. */
export function gelu(x: Float64Array): Layer {
  const c = Math.sqrt(2 / Math.PI);
  const inner = (v: number): number => Math.tanh(c * (v + 0.044715 * v ** 3));
  const slope = (v: number): number =>
    0.5 * (1 + inner(v)) + 0.5 * v * (1 - inner(v) ** 2) * c * (1 + 3 * 0.044715 * v ** 2);
  return { out: x.map((v) => 0.5 * v * (1 + inner(v))), back: (d) => d.map((v, i) => v * slope(at(x, i))) };
}

export function layerNorm(p: Parameters, s: string, b: string, x: Float64Array): Layer {
  const [scale, bias] = [p.value(s), p.value(b)];
  const n = scale.length;
  const deviations = new Float64Array(x.length / n);
  let row = 0;
  const normal = rows(x, n, (values) => {
    const mean = values.reduce((a, v) => a + v, 0) / n;
    const deviation = Math.sqrt(values.reduce((a, v) => a + (v - mean) ** 2, 0) / n + 1e-5);
    deviations[row++] = deviation;
    return values.map((v) => (v - mean) / deviation);
  });
  const back = (d: Float64Array): Float64Array => {
    const products = d.map((v, i) => v * at(normal, i));
    p.gradients.set(s, columnSums(products, n));
    p.gradients.set(b, columnSums(d, n));
    const out = new Float64Array(x.length);
    for (let start = 0; start < x.length; start += n) {
      let [sum, dot] = [0, 0];
      for (let i = start; i < start + n; i++) {
        const g = at(d, i) * at(scale, i - start);
        sum += g;
        dot += g * at(normal, i);
      }
      for (let i = start; i < start + n; i++) {
        const g = at(d, i) * at(scale, i - start);
        out[i] = (g - sum / n - (at(normal, i) * dot) / n) / at(deviations, start / n);
      }
    }
    return out;
  };
  return { out: normal.map((v, i) => v * at(scale, i % n) + at(bias, i % n)), back };
}

/** Causal self-attention of [batch, length, 3 * heads * depth]: q, k and v side by side. */
export function attention(qkv: Float64Array, length: number, heads: number, depth: number): Layer {
  const width = heads * depth;
  const out = new Float64Array(qkv.length / 3);
  const tasks: (readonly [token: number, head: number, weights: Float64Array])[] = [];
  /** Where q, k or v of a token and head begins. */
  const place = (token: number, part: number, head: number): number => (3 * token + part) * width + head * depth;
  const dot = (x: Numbers, i: number, y: Numbers, j: number): number => {
    let sum = 0;
    for (let d = 0; d < depth; d++) sum += at(x, i + d) * at(y, j + d);
    return sum;
  };
  const addTo = (x: Float64Array, i: number, y: Numbers, j: number, factor: number): void => {
    for (let d = 0; d < depth; d++) x[i + d] = at(x, i + d) + factor * at(y, j + d);
  };
  for (let token = 0; token < out.length / width; token++) {
    const first = token - (token % length);
    for (let head = 0; head < heads; head++) {
      const scores = Float64Array.from({ length: token - first + 1 }, (_, j) =>
        dot(qkv, place(token, 0, head), qkv, place(first + j, 1, head)),
      );
      const weights = softmax(scores.map((v) => v / Math.sqrt(depth)));
      weights.forEach((v, j) => addTo(out, token * width + head * depth, qkv, place(first + j, 2, head), v));
      tasks.push([token, head, weights]);
    }
  }
  const back = (d: Float64Array): Float64Array => {
    const gradient = new Float64Array(qkv.length);
    for (const [token, head, weights] of tasks) {
      const [first, from] = [token - (token % length), token * width + head * depth];
      const dw = weights.map((_, j) => dot(d, from, qkv, place(first + j, 2, head)));
      const mean = dw.reduce((sum, v, j) => sum + v * at(weights, j), 0);
      weights.forEach((v, j) => {
        const ds = (v * (at(dw, j) - mean)) / Math.sqrt(depth);
        addTo(gradient, place(first + j, 2, head), d, from, v);
        addTo(gradient, place(token, 0, head), qkv, place(first + j, 1, head), ds);
        addTo(gradient, place(first + j, 1, head), qkv, place(token, 0, head), ds);
      });
    }
    return gradient;
  };
  return { out, back };
}

/** A 3x3 convolution of [n, side, side, channels] with padding that keeps the size, plus a bias. */
export function conv(p: Parameters, k: string, b: string, x: Numbers, side: number): Layer {
  const [kernel, bias] = [p.value(k), p.value(b)];
  const features = bias.length;
  const channels = kernel.length / (9 * features);
  const images = x.length / (side * side * channels);
  const out = new Float64Array(images * side * side * features).map((_, i) => at(bias, i % features));
  /** Each pixel with each tap that lies inside the image. */
  const taps = (visit: (from: number, tap: number, to: number) => void): void => {
    for (let pixel = 0; pixel < images * side * side; pixel++) {
      const [i, j] = [Math.floor(pixel / side) % side, pixel % side];
      for (let tap = 0; tap < 9; tap++) {
        const [y, z] = [i + Math.floor(tap / 3) - 1, j + (tap % 3) - 1];
        if (y < 0 || z < 0 || y >= side || z >= side) continue;
        visit((pixel + (y - i) * side + (z - j)) * channels, tap * channels * features, pixel * features);
      }
    }
  };
  taps((from, tap, to) => {
    for (let c = 0; c < channels; c++)
      for (let f = 0; f < features; f++)
        out[to + f] = at(out, to + f) + at(x, from + c) * at(kernel, tap + c * features + f);
  });
  const back = (d: Float64Array): Float64Array => {
    const [dx, dk] = [new Float64Array(x.length), new Float64Array(kernel.length)];
    taps((from, tap, to) => {
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        for (let f = 0; f < features; f++) {
          const w = tap + c * features + f;
          sum += at(d, to + f) * at(kernel, w);
          dk[w] = at(dk, w) + at(d, to + f) * at(x, from + c);
        }
        dx[from + c] = at(dx, from + c) + sum;
      }
    });
    p.gradients.set(k, dk);
    p.gradients.set(b, columnSums(d, features));
    return dx;
  };
  return { out, back };
}

/** The largest of each 2x2 square of [n, side, side, channels]; its gradient goes to the first of equals. */
export function maxPool(x: Float64Array, side: number, channels: number): Layer {
  const half = side / 2;
  const source = Int32Array.from({ length: x.length / 4 }, (_, o) => {
    const [c, pixel] = [o % channels, Math.floor(o / channels)];
    const [i, j] = [Math.floor(pixel / half), pixel % half];
    const corner = (2 * i * side + 2 * j) * channels + c;
    const square = [corner, corner + channels, corner + side * channels, corner + (side + 1) * channels];
    return square.reduce((best, one) => (at(x, one) > at(x, best) ? one : best));
  });
  const back = (d: Float64Array): Float64Array => {
    const dx = new Float64Array(x.length);
    source.forEach((from, o) => (dx[from] = at(d, o)));
    return dx;
  };
  return { out: Float64Array.from(source, (from) => at(x, from)), back };
}

/** The mean over rows of softmax cross-entropy with integer labels, and its gradient by the logits. */
export function crossEntropy(logits: Float64Array, labels: Numbers, classes: number): [number, Float64Array] {
  const count = labels.length;
  const gradient = rows(logits, classes, softmax);
  let loss = 0;
  for (let i = 0; i < count; i++) {
    const o = i * classes + at(labels, i);
    loss -= Math.log(at(gradient, o)) / count;
    gradient[o] = at(gradient, o) - 1;
  }
  return [loss, gradient.map((v) => v / count)];
}
