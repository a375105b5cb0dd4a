import {
  allToAll,
  axisSize,
  grad,
  jacfwd,
  optimizationBarrier,
  pbroadcast,
  ppermute,
  pshuffle,
  psumScatter,
  pswapaxes,
  vmap,
} from "@jnx/autodiff";
import { jit } from "@jnx/compile";
import * as t from "@jnx/tensor";
import type { Tensor } from "@jnx/tensor";
import { ArgumentError, ShapeError } from "@jnx/tensor";
import { useDevice } from "@jnx/testing";
import { expect, test } from "vitest";

useDevice();

const grid = (...shape: number[]): Tensor =>
  t.reshape(
    t.arange(
      0,
      shape.reduce((size, extent) => size * extent, 1),
      1,
      { dtype: "float32" },
    ),
    shape,
  );
const over = (f: (x: Tensor) => Tensor, x: Tensor): Tensor => vmap(f, { axisName: "i" })(x);

// What the real JAX gives (0.10.2).
test("examples exchange axes as JAX's do", async () => {
  expect(await over((v) => allToAll(v, "i", 0, 1, { tiled: true }), grid(2, 4, 3)).toArray()).toEqual([
    [
      [0, 1, 2, 12, 13, 14],
      [3, 4, 5, 15, 16, 17],
    ],
    [
      [6, 7, 8, 18, 19, 20],
      [9, 10, 11, 21, 22, 23],
    ],
  ]);
  const y = grid(2, 3, 2);
  const swapped = [
    [
      [0, 2, 4],
      [6, 8, 10],
    ],
    [
      [1, 3, 5],
      [7, 9, 11],
    ],
  ];
  expect(await over((v) => allToAll(v, "i", 1, 0), y).toArray()).toEqual(swapped);
  expect(await jit((z: Tensor) => over((v) => allToAll(v, "i", -1, 0), z))(y).toArray()).toEqual(swapped);
  expect(await over((v) => allToAll(v, "i", 0, 1), grid(2, 2, 3)).toArray()).toEqual([
    [
      [0, 6],
      [1, 7],
      [2, 8],
    ],
    [
      [3, 9],
      [4, 10],
      [5, 11],
    ],
  ]);
  expect(await over((v) => pswapaxes(v, "i", 1), y).toArray()).toEqual([
    [
      [0, 6],
      [2, 8],
      [4, 10],
    ],
    [
      [1, 7],
      [3, 9],
      [5, 11],
    ],
  ]);
  expect(await over((v) => psumScatter(v, "i", { tiled: true }), grid(2, 4, 3)).toArray()).toEqual([
    [
      [12, 14, 16],
      [18, 20, 22],
    ],
    [
      [24, 26, 28],
      [30, 32, 34],
    ],
  ]);
  expect(await over((v) => psumScatter(v, "i", { scatterDimension: 1 }), y).toArray()).toEqual([
    [6, 10, 14],
    [8, 12, 16],
  ]);
});

test("permutations, with their gradients in both modes", async () => {
  const x = t.array([1.5, 2, 4]);
  const rotate = (v: Tensor): Tensor => over((q) => ppermute(t.square(q), "i", [[0, 2], [2, 1]]), v); // prettier-ignore
  expect(await rotate(x).toArray()).toEqual([0, 16, 2.25]);
  const weights = t.array([1, 10, 100]);
  expect(await grad((v: Tensor) => t.sum(t.mul(weights, rotate(v))))(x).toArray()).toEqual([300, 0, 80]);
  expect(await jit(jacfwd(rotate))(x).toArray()).toEqual([
    [0, 0, 0],
    [0, 0, 8],
    [3, 0, 0],
  ]);
  expect(await over((v) => pshuffle(v, "i", [2, 0, 1]), x).toArray()).toEqual([4, 1.5, 2]);
  expect(await over((v) => pbroadcast(v, "i", 1), x).toArray()).toEqual([2, 2, 2]);
  expect(await over((v) => t.div(v, axisSize("i")), t.array([3, 6, 9])).toArray()).toEqual([1, 2, 3]);
  const bits = over((v) => ppermute(v, "i", [[1, 0]]), t.array([true, true])); // prettier-ignore
  expect([bits.dtype, await bits.toArray()]).toEqual(["bool", [1, 0]]);
  const weighted = t.reshape(t.arange(12), [2, 2, 3]);
  const mixed = grad((v: Tensor) =>
    t.sum(
      t.mul(
        weighted,
        over((q) => allToAll(t.square(q), "i", 1, 0), v),
      ),
    ),
  );
  // 2 y · the weights, axes changed back
  expect(await mixed(grid(2, 3, 2)).toArray()).toEqual([
    [
      [0, 12],
      [4, 42],
      [16, 80],
    ],
    [
      [36, 126],
      [64, 180],
      [100, 242],
    ],
  ]);
});

test("refusals", () => {
  const x = t.ones([3, 2]);
  const refuse = (f: (v: Tensor) => Tensor, error: unknown): void =>
    expect(() => over(f, x)).toThrow(error as new () => Error); // an error or a pattern
  refuse((v) => ppermute(v, "i", [[0, 3]]), /ppermute: destination 3 is none of the 3 examples/);
  refuse((v) => ppermute(v, "i", [[0, 1], [0, 2]]), /ppermute: each source may stand once/); // prettier-ignore
  refuse((v) => pshuffle(v, "i", [0, 1]), /pshuffle: perm must hold each of the 3 examples/);
  refuse((v) => allToAll(v, "i", 0, 0), ShapeError);
  refuse((v) => psumScatter(v, "i", { tiled: true }), /must be divisible by 3/);
  refuse((v) => pbroadcast(v, "j", 0), ArgumentError);
  expect(() => axisSize("i")).toThrow(/axisSize: no axis is named "i" here/);
});

test("a barrier keeps equal computations apart, and lets gradients through", async () => {
  const twice = (f: (x: Tensor) => Tensor) =>
    jit((x: Tensor) => t.add(t.sum(t.sin(x)), t.sum(t.sin(f(x))))).explain(t.ones([8]));
  const sines = (text: string): number => text.split("sin(").length - 1;
  expect([sines(twice((x) => x).graph), sines(twice(optimizationBarrier).graph)]).toEqual([1, 2]);
  const slope = grad((x: Tensor) => t.sum(t.square(optimizationBarrier({ x }).x)));
  expect(await slope(t.array([1.5, 2])).toArray()).toEqual([3, 4]);
  expect(await vmap(jit(slope))(t.array([[1.5, 2]])).toArray()).toEqual([[3, 4]]);
});
