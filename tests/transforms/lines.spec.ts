import { grad, valueAndGrad } from "@jnx/autodiff";
import { jit } from "@jnx/compile";
import * as t from "@jnx/tensor";
import type { Tensor } from "@jnx/tensor";
import { useDevice } from "@jnx/testing";
import { describe, expect, test } from "vitest";

useDevice();

/** Lines of a deterministic array, in float64 that float32 represents exactly. */
function lines(count: number, length: number, seed = 1): number[][] {
  let state = seed;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.fround((state / 2 ** 32) * 8 - 4);
  };
  return Array.from({ length: count }, () => Array.from({ length }, next));
}

const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

function softmax(line: readonly number[]): number[] {
  const largest = Math.max(...line);
  const shares = line.map((x) => Math.exp(x - largest));
  return shares.map((share) => share / total(shares));
}

function normalized(line: readonly number[]): number[] {
  const mean = total(line) / line.length;
  const variance = total(line.map((x) => (x - mean) ** 2)) / line.length;
  return line.map((x) => (x - mean) / Math.sqrt(variance + 1e-5));
}

/** d/dx Σ w·normalized(x), by the closed form. */
function normalizedGradient(line: readonly number[], w: readonly number[]): number[] {
  const n = line.length;
  const mean = total(line) / n;
  const spread = Math.sqrt(total(line.map((x) => (x - mean) ** 2)) / n + 1e-5);
  const y = normalized(line);
  const [mw, mwy] = [total(w) / n, total(w.map((wk, k) => wk * (y[k] ?? 0))) / n];
  return w.map((wk, k) => (wk - mw - (y[k] ?? 0) * mwy) / spread);
}

function layerNorm(x: Tensor): Tensor {
  const centred = t.sub(x, t.mean(x, { axis: -1, keepdims: true }));
  const variance = t.mean(t.square(centred), { axis: -1, keepdims: true });
  return t.div(centred, t.sqrt(t.add(variance, 1e-5)));
}

async function near(actual: Tensor, expected: readonly number[][], tolerance = 2e-6): Promise<void> {
  const got = await actual.data();
  const flat = expected.flat();
  expect(got.length).toBe(flat.length);
  flat.forEach((value, k) => {
    const error = Math.abs((got[k] ?? Number.NaN) - value);
    if (!(error <= tolerance * Math.max(1, Math.abs(value))))
      throw new Error(`element ${k}: ${got[k] ?? "nothing"}, expected ${value}`);
  });
}

const SHAPES: readonly (readonly [count: number, length: number])[] = [
  [1, 2],
  [5, 10],
  [64, 16],
  [3, 7],
  [300, 1024],
  [17, 64],
];

describe.each(SHAPES)("walks along %i lines of %i are one dispatch and right", (count, length) => {
  const data = lines(count, length);
  const x = (): Tensor => t.array(data);
  const w = lines(count, length, 7);

  test("softmax", async () => {
    const f = jit((x: Tensor) => t.softmax(x));
    expect(f.explain(x()).dispatches).toBe(1);
    await near(f(x()), data.map(softmax));
  });

  test("layer normalization with a scale and a bias", async () => {
    const [scale = [], bias = []] = lines(2, length, 3);
    const f = jit((x: Tensor, scale: Tensor, bias: Tensor) => t.add(t.mul(layerNorm(x), scale), bias));
    const args = [x(), t.array(scale), t.array(bias)] as const;
    expect(f.explain(...args).dispatches).toBe(1);
    const expected = data.map((line) => normalized(line).map((y, k) => y * (scale[k] ?? 0) + (bias[k] ?? 0)));
    await near(f(...args), expected, 1e-5);
  });

  test("the gradient of softmax", async () => {
    const loss = (x: Tensor, w: Tensor): Tensor => t.sum(t.mul(t.softmax(x), w));
    const f = jit(grad(loss));
    expect(f.explain(x(), t.array(w)).dispatches).toBe(1);
    const expected = data.map((line, row) => {
      const p = softmax(line);
      const dot = total(p.map((pk, k) => pk * (w[row]?.[k] ?? 0)));
      return p.map((pk, k) => pk * ((w[row]?.[k] ?? 0) - dot));
    });
    await near(f(x(), t.array(w)), expected, 1e-5);
  });

  test("the gradient of layer normalization", async () => {
    const loss = (x: Tensor, w: Tensor): Tensor => t.sum(t.mul(layerNorm(x), w));
    const f = jit(grad(loss));
    expect(f.explain(x(), t.array(w)).dispatches).toBe(1);
    await near(
      f(x(), t.array(w)),
      data.map((line, row) => normalizedGradient(line, w[row] ?? [])),
      length === 2 ? 1e-2 : 1e-4,
    );
  });
});

describe("walks along lines", () => {
  test("the lines of a batch, with a mask that repeats for each of it", async () => {
    const scores = lines(2 * 3 * 4, 8);
    const mask = lines(4, 8, 5).map((line) => line.map((v) => (v > 2 ? -1e9 : 0)));
    const f = jit((s: Tensor, mask: Tensor) => t.softmax(t.add(t.mul(s, 0.5), mask)));
    const args = [t.reshape(t.array(scores), [2, 3, 4, 8]), t.array(mask)] as const;
    expect(f.explain(...args).dispatches).toBe(1);
    const expected = scores.map((line, row) => softmax(line.map((s, k) => s * 0.5 + (mask[row % 4]?.[k] ?? 0))));
    await near(f(...args), expected);
  });

  test("what lines find goes out beside what is made of it", async () => {
    const data = lines(6, 12);
    const f = jit((x: Tensor) => {
      const largest = t.max(x, { axis: -1, keepdims: true });
      const shares = t.exp(t.sub(x, largest));
      const sums = t.sum(shares, { axis: -1 });
      return [largest, sums, t.mul(shares, 2), t.log(sums)];
    });
    const report = f.explain(t.array(data));
    expect(report.dispatches).toBe(1);
    const [largest, sums, shares, logs] = f(t.array(data)) as [Tensor, Tensor, Tensor, Tensor]; // what f returns
    const tops = data.map((line) => Math.max(...line));
    const exps = data.map((line, row) => line.map((x) => Math.exp(x - (tops[row] ?? 0))));
    await near(largest, [tops]);
    await near(sums, [exps.map(total)]);
    await near(
      shares,
      exps.map((line) => line.map((v) => 2 * v)),
    );
    await near(logs, [exps.map((line) => Math.log(total(line)))]);
  });

  test("a donated operand is overwritten in place, and only after the last pass has read it", async () => {
    const data = lines(40, 20);
    const f = jit((x: Tensor) => t.softmax(x), { donateArgnums: 0 });
    await near(f(t.array(data)), data.map(softmax));
  });

  test("NaN and infinity stay in their own line", async () => {
    const data = [
      [1, 2, Number.NaN, 4],
      [1, 2, 3, 4],
      [Number.NEGATIVE_INFINITY, 0, 0, Number.NEGATIVE_INFINITY],
      [Number.POSITIVE_INFINITY, 0, 0, 0],
    ];
    const got = await jit((x: Tensor) => t.softmax(x))(t.array(data)).toArray();
    const nans = [Number.NaN, Number.NaN, Number.NaN, Number.NaN];
    expect(got).toEqual([nans, softmax([1, 2, 3, 4]).map((p) => expect.closeTo(p, 6)), [0, 0.5, 0.5, 0], nans]);
  });

  test("lines that are few and long keep a kernel for each reduction, so that the device is not idle", async () => {
    const data = lines(2, 4096);
    const f = jit((x: Tensor) => t.softmax(x));
    expect(f.explain(t.array(data)).dispatches).toBeGreaterThan(1);
    await near(f(t.array(data)), data.map(softmax));
  });

  test("counts along lines and conditions on them", async () => {
    const data = lines(9, 10);
    const f = jit((x: Tensor) => {
      const above = t.greater(x, t.mean(x, { axis: 1, keepdims: true }));
      return t.sum(t.where(above, x, 0), { axis: 1 });
    });
    expect(f.explain(t.array(data)).dispatches).toBe(1);
    await near(f(t.array(data)), [data.map((line) => total(line.filter((x) => x > total(line) / line.length)))], 1e-5);
  });

  test("a loss whose gradient shares its passes", async () => {
    const data = lines(12, 6);
    const loss = (x: Tensor): Tensor => t.sum(t.log(t.sum(t.exp(x), { axis: 1 })));
    const f = jit((x: Tensor) => valueAndGrad(loss)(x));
    const [value, slope] = f(t.array(data));
    await near(value, [[total(data.map((line) => Math.log(total(line.map(Math.exp)))))]], 1e-5);
    await near(slope, data.map(softmax));
    expect(f.explain(t.array(data)).dispatches).toBe(2);
  });
});

test("a value that a chain of ops reads twice at every link is looked at once a link", async () => {
  const x = lines(4, 8).map((line) => line.map((v) => v + 5));
  const chained = jit((a: Tensor) => {
    let y = a;
    for (let k = 0; k < 40; k++) y = t.add(t.mul(y, 0.5), t.mul(y, 0.5));
    return t.div(y, t.sum(y, { axis: -1, keepdims: true }));
  });
  const want = x.map((line) => line.map((v) => v / total(line)));
  await near(chained(t.array(x)), want);
});
