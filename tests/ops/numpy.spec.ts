import { applyAlongAxis, applyOverAxes, fromfunction, grad, vectorize } from "@jnx/autodiff";
import { useDevice } from "@jnx/testing";
import * as t from "@jnx/tensor";
import type { Tensor } from "@jnx/tensor";
import { jnp } from "jnx";
import { describe, expect, test } from "vitest";

/** Functions of NumPy that no golden holds: they take functions, or give uint8 and numbers of the host. */

describe("functions applied along axes", () => {
  useDevice();
  const x = t.array(
    Int32Array.from({ length: 24 }, (_, i) => i),
    { shape: [2, 3, 4] },
  );

  test("applyAlongAxis puts what the function gives in the axis' place", async () => {
    const sums = applyAlongAxis((v) => t.sum(v), 1, x);
    expect(await sums.toArray()).toEqual([
      [12, 15, 18, 21],
      [48, 51, 54, 57],
    ]);
    const reversed = applyAlongAxis((v) => t.flip(v), -2, x);
    const row = (first: number): number[] => [first, first + 1, first + 2, first + 3];
    expect(await reversed.toArray()).toEqual([[8, 4, 0].map(row), [20, 16, 12].map(row)]);
    expect(applyAlongAxis((v) => t.outer(v, v), 1, x).shape).toEqual([2, 3, 3, 4]);
    expect(applyAlongAxis((v) => t.slice(v, [0, 2]), 0, x).shape).toEqual([2, 3, 4]);
  });

  test("applyOverAxes keeps the axes", async () => {
    const sums = applyOverAxes((v, axis) => t.sum(v, { axis }), x, [0, -1]);
    expect([sums.shape, await t.ravel(sums).toArray()]).toEqual([
      [1, 3, 1],
      [60, 92, 124],
    ]);
    expect(() => applyOverAxes((v) => t.sum(v), x, 0)).toThrow(/0 axes of 3/);
  });

  test("fromfunction", async () => {
    const made = fromfunction((i, j) => t.add(t.mul(i, 10), j), [2, 3], { dtype: "int32" });
    expect([made.dtype, await made.toArray()]).toEqual([
      "int32",
      [
        [0, 1, 2],
        [10, 11, 12],
      ],
    ]);
    expect(fromfunction((i) => t.mul(i, t.ones([2])), [3]).shape).toEqual([3, 2]);
    expect(await fromfunction(() => t.full([], 7), []).item()).toBe(7);
  });

  test("vectorize broadcasts before the axes of its signature", async () => {
    const product = vectorize((a, v) => t.matmul(a, v), { signature: "(m,n),(n)->(m)" });
    const [a, v] = [t.reshape(t.arange(12, { dtype: "float32" }), [2, 1, 2, 3]), t.ones([4, 3])];
    expect(product(a, v).shape).toEqual([2, 4, 2]);
    const both = vectorize((u, w) => [t.add(u, w), t.sub(u, w)] as const);
    const [sum, difference] = both(t.array([1, 2]), t.array([[10], [20]]));
    expect(await sum.toArray()).toEqual([
      [11, 12],
      [21, 22],
    ]);
    expect(await difference.toArray()).toEqual([
      [-9, -8],
      [-19, -18],
    ]);
    const scaled = vectorize((u: Tensor, w: Tensor) => t.mul(u, w), { excluded: [1] });
    expect(await scaled(t.array([1, 2]), 3).toArray()).toEqual([3, 6]);
    const slope = grad((u: Tensor) => t.sum(vectorize((w) => t.square(w))(u)))(t.array([1.5, 2]));
    expect(await slope.toArray()).toEqual([3, 4]);
  });

  test.each([
    ["a signature without an arrow", () => vectorize((u) => u, { signature: "(n)" }), /cannot read .*\(n\)/],
    ["too few axes", () => vectorize((u) => u, { signature: "(n)->(n)" })(1), /argument 0 has shape \[\]/],
    [
      "axes that differ",
      () => vectorize((u, w) => t.add(u, w), { signature: "(n),(n)->(n)" })(t.ones([2]), t.ones([3])),
      /"n" is 2 .* 3 of argument 1/,
    ],
    ["another result", () => vectorize((u) => u, { signature: "(n)->()" })(t.ones([2])), /results of \[1\] axes/],
    ["no function", () => applyAlongAxis(3 as never, 0, t.ones([2])), /takes a function/], // what TypeScript would refuse
    ["an axis too many", () => applyAlongAxis((v) => v, 2, t.ones([2])), /axis 2/],
  ])("%s", (_, wrong, words) => {
    expect(wrong).toThrow(words);
  });
});

describe("bits in bytes", () => {
  useDevice();
  const bits = t.array([
    [1, 0, 1, 0, 0, 0, 0, 1, 1],
    [0, 2, 0, 0, 0, 0, 0, 0, -1],
  ]);

  test.each([
    [
      { axis: 1 },
      [
        [161, 128],
        [64, 128],
      ],
    ],
    [
      { axis: 1, bitorder: "little" },
      [
        [133, 1],
        [2, 1],
      ],
    ],
    [{ axis: 0 }, [[128, 64, 128, 0, 0, 0, 0, 128, 192]]],
    [{}, [161, 160, 64]],
  ] as const)("packbits %j", async (options, wanted) => {
    const packed = t.packbits(bits, options);
    expect([packed.dtype, await t.astype(packed, "int32").toArray()]).toEqual(["uint8", wanted]);
  });

  test.each([
    [{}, [1, 0, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0]],
    [{ count: 9 }, [1, 0, 1, 0, 0, 0, 0, 1, 1]],
    [{ count: -13, bitorder: "little" }, [1, 0, 0]],
    [{ count: 18 }, [1, 0, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]],
  ] as const)("unpackbits %j", async (options, wanted) => {
    const unpacked = t.unpackbits(t.array([161, 128], { dtype: "uint8" }), options);
    expect([unpacked.dtype, await t.astype(unpacked, "int32").toArray()]).toEqual(["uint8", wanted]);
  });
});

describe("what the host knows of arrays", () => {
  const x = t.zeros([2, 3]);

  test("shapes and kinds", () => {
    expect([jnp.ndim(x), jnp.shape(x), jnp.size(x), jnp.size(x, -1)]).toEqual([2, [2, 3], 6, 3]);
    expect([jnp.isscalar(3), jnp.isscalar(t.zeros([])), jnp.isscalar(x), jnp.isscalar("3")]).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect([jnp.iscomplexobj(x), jnp.isrealobj(x)]).toEqual([false, true]);
    expect(t.zeros([2], { dtype: jnp.float16 }).dtype).toBe("float16");
  });
});
