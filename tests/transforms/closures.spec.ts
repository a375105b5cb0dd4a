import { grad, vmap } from "@jnx/autodiff";
import { cond, foriLoop, jit, scan, whileLoop } from "@jnx/compile";
import * as t from "@jnx/tensor";
import type { Tensor } from "@jnx/tensor";
import { useDevice } from "@jnx/testing";
import { describe, expect, test } from "vitest";
import { collect } from "../memory/collect.ts";

useDevice();

/** s + d/dx sum(x * [1, 2, 3]): the array is made inside grad, whose memory is given back when it returns. */
const slope = (s: Tensor): Tensor => t.add(s, grad((x: Tensor) => t.sum(t.mul(x, t.array([1, 2, 3]))))(s));
const below = (limit: number) => (s: Tensor) => t.less(t.sum(s), limit);

const loops: readonly (readonly [string, (s: Tensor) => Tensor, readonly number[]])[] = [
  ["foriLoop", (s) => foriLoop(0, 3, (_, c) => slope(c), s), [3, 6, 9]],
  ["whileLoop", (s) => whileLoop(below(20), slope, s), [4, 8, 12]],
  ["scan", (s) => scan((c: Tensor, x: Tensor): [Tensor, Tensor] => [slope(c), x], s, t.zeros([2]))[0], [2, 4, 6]],
  ["cond", (s) => cond(t.array(true), slope, (c: Tensor) => c, s), [1, 2, 3]],
  [
    "a loop in a branch",
    (s) => cond(t.array(true), (c: Tensor) => foriLoop(0, 2, (_, d) => slope(d), c), slope, s),
    [2, 4, 6],
  ],
];

describe("arrays that a transform makes inside the body of", () => {
  test.each(loops)("%s", async (_, f, expected) => {
    expect(await f(t.zeros([3])).toArray()).toEqual(expected);
    expect(await jit(f)(t.zeros([3])).toArray()).toEqual(expected);
    expect(await vmap(f)(t.zeros([2, 3])).toArray()).toEqual([expected, expected]);
  });

  test("a mapped body go when the loop is done", async () => {
    const growth = async (rows: () => Tensor): Promise<number> => {
      const mapped = (): Tensor => vmap((x: Tensor) => t.mul(x, rows()))(t.ones([4, 2]));
      const run = (): Promise<unknown> => foriLoop(0, 3, (_, c) => t.add(c, mapped()), t.zeros([4, 2])).toArray();
      await run();
      await collect();
      const before = t.memory().live;
      for (let i = 0; i < 5; i++) await run();
      return t.memory().live - before;
    };
    const outside = t.array([1, 2]);
    expect(await growth(() => t.array([1, 2]))).toBe(await growth(() => outside));
  });
});
