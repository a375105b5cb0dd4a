import { expectClose, reference, sample, generator, toTensor, useDevice, type HostArray } from "@jnx/testing";
import * as t from "@jnx/tensor";
import type { Tensor } from "@jnx/tensor";
import { describe, expect, test } from "vitest";

const next = generator(5);
const base = sample([8, 8], "float32", [-2, 2], next);
const other = sample([8, 8], "float32", [-2, 2], next);
const T = (x: HostArray): HostArray => reference.transpose(x, [1, 0]);

/** Views of an 8 × 8 array, all of shape [4, 8] or [8, 8] or near: what each is, on the device and on the host. */
const views: readonly (readonly [string, (x: Tensor) => Tensor, (x: HostArray) => HostArray])[] = [
  ["transposed", (x) => t.transpose(x), T],
  ["sliced rows", (x) => t.laxSlice(x, [2, 0], [6, 8]), (x) => reference.slice(x, [2, 0], [6, 8], [1, 1])],
  ["sliced columns", (x) => t.laxSlice(x, [0, 3], [8, 7]), (x) => reference.slice(x, [0, 3], [8, 7], [1, 1])],
  ["every second", (x) => t.laxSlice(x, [1, 0], [8, 8], [2, 2]), (x) => reference.slice(x, [1, 0], [8, 8], [2, 2])],
  [
    "a broadcast row",
    (x) => t.broadcastTo(t.laxSlice(x, [1, 0], [2, 8]), [5, 8]),
    (x) => reference.build([5, 8], (at) => reference.get(x, [1, at[1] ?? 0])),
  ],
  [
    "a broadcast column",
    (x) => t.broadcastTo(t.laxSlice(x, [0, 2], [8, 3]), [8, 5]),
    (x) => reference.build([8, 5], (at) => reference.get(x, [at[0] ?? 0, 2])),
  ],
  ["flipped", (x) => t.flip(x), (x) => reference.flip(x)],
  ["flipped rows", (x) => t.flip(x, { axis: 0 }), (x) => reference.flip(x, 0)],
  [
    "a flipped transposed slice",
    (x) => t.flip(t.transpose(t.laxSlice(x, [1, 2], [7, 6])), { axis: 1 }),
    (x) => reference.flip(T(reference.slice(x, [1, 2], [7, 6], [1, 1])), 1),
  ],
  [
    "of rank 4",
    (x) => t.transpose(t.reshape(x, [2, 4, 4, 2]), [2, 0, 3, 1]),
    (x) => reference.transpose({ shape: [2, 4, 4, 2], data: x.data }, [2, 0, 3, 1]),
  ],
];

const functions: readonly (readonly [string, (x: Tensor) => Tensor, (x: HostArray) => HostArray])[] = [
  ["exp", t.exp, (x) => reference.map(Math.exp, x)],
  ["x - 2x", (x) => t.sub(x, t.mul(x, 2)), (x) => reference.map((v) => -v, x)],
  ["isfinite", t.isfinite, (x) => reference.map(() => 1, x)],
  ["sum along -1", (x) => t.sum(x, { axis: -1 }), (x) => reference.reduce(x, -1, false, reference.sum)],
  ["max along 0", (x) => t.max(x, { axis: 0 }), (x) => reference.reduce(x, 0, false, reference.largest)],
  ["sum", (x) => t.sum(x), (x) => reference.reduce(x, undefined, false, reference.sum)],
  [
    "argmax along -1",
    (x) => t.argmax(x, { axis: -1 }),
    (x) => reference.reduce(x, -1, false, (xs) => reference.argBest(xs, (a, b) => a > b)),
  ],
  [
    "softmax",
    (x) => t.softmax(x),
    (x) => reference.along(x, -1, (v, vs) => Math.exp(v) / reference.sum(vs.map(Math.exp))),
  ],
  [
    "take",
    (x) => t.take(x, t.array([1, 0, -1]), { axis: 0 }),
    (x) => reference.take(x, { shape: [3], data: [1, 0, -1] }, 0, "fill", NaN),
  ],
  ["reshape", (x) => t.reshape(x, [-1]), (x) => ({ shape: [x.data.length], data: x.data })],
];

describe("views as operands", () => {
  useDevice();

  test.each(views)("%s, read on the host", async (_name, view, host) => {
    const want = host(base);
    const got = view(toTensor(base, "float32"));
    expect(got.shape).toEqual(want.shape);
    expect(Array.from(await got.data())).toEqual(want.data);
  });

  test.each(functions)("%s", async (_name, f, oracle) => {
    const x = toTensor(base, "float32");
    for (const [label, view, host] of views) {
      const result = f(view(x));
      const want = oracle(host(base));
      expect([label, ...result.shape]).toEqual([label, ...want.shape]);
      expectClose(await result.data(), want, result.dtype, { ulp: 8, abs: 3e-6 }, () => label);
    }
  });

  test("two operands that lie differently", async () => {
    const [x, y] = [toTensor(base, "float32"), toTensor(other, "float32")];
    const square = views.filter(([, , host]) => host(base).shape.join() === "8,8");
    for (const [label, view, host] of square) {
      for (const [label2, view2, host2] of square) {
        if (label < label2) continue;
        const want = reference.map((a, b) => a - b, host(base), host2(other));
        expectClose(await t.sub(view(x), view2(y)).data(), want, "float32", { ulp: 0 }, () => `${label}, ${label2}`);
      }
    }
  });

  test("one storage twice, as it lies and transposed", async () => {
    const x = toTensor(base, "float32");
    expectClose(
      await t.sub(x, t.transpose(x)).data(),
      reference.map((a, b) => a - b, base, T(base)),
      "float32",
      { ulp: 0 },
    );
    expectClose(
      await t.sub(t.flip(x), x).data(),
      reference.map((a, b) => a - b, reference.flip(base), base),
      "float32",
      { ulp: 0 },
    );
  });
});
