import { clearCaches, foriLoop, jit } from "@jnx/compile";
import * as t from "@jnx/tensor";
import { tree, type Tensor } from "@jnx/tensor";
import { useDevice } from "@jnx/testing";
import { describe, expect, test } from "vitest";
import { collect } from "../memory/collect.ts";

useDevice();

class Pair {
  readonly x: unknown;
  constructor(x: unknown) {
    this.x = x;
  }
}
tree.registerTreeNode(Pair, {
  flatten: ({ x }) => ({ keys: ["x"], children: [x], aux: null }),
  unflatten: (_aux, [x]) => new Pair(x),
});

describe("the leaves of a tree of a known structure", () => {
  const x = t.ones([2]);
  const { def } = tree.flattenWithPath([{ b: x, a: [1, null] }, 2]);

  test("are those that flattening gives, in its order", () => {
    const y = t.ones([3], { dtype: "int32" });
    const other = [{ a: [7, null], b: y }, 8];
    const [found, expected] = [def.leavesOf(other) ?? [], tree.leaves(other)];
    expect(found.length).toBe(3);
    expect(found.every((leaf, k) => leaf === expected[k])).toBe(true);
  });

  test("are unknown for any other structure, and where classes or Maps are among them", () => {
    const others = [
      [{ b: x, a: [1, undefined] }, 2],
      [{ b: x, a: [1, 0] }, 2],
      [{ b: x, a: [1, null, null] }, 2],
      [{ b: x, a: [null, null] }, 2],
      [{ b: x, a: [[1], null] }, 2],
      [{ b: x, a: [undefined, null] }, 2],
      [{ b: new Pair(x), a: [1, null] }, 2],
      [{ b: new Map(), a: [1, null] }, 2],
      [{ b: x, c: [1, null] }, 2],
      [{ b: x, a: [1, null], c: 1 }, 2],
      [{ b: x, a: { 0: 1, 1: null } }, 2],
      [[x, [1, null]], 2],
      [{ b: x, a: [1, null] }],
      undefined,
    ];
    for (const other of others) expect(def.leavesOf(other)).toBeUndefined();
    const ofClass = tree.flattenWithPath([new Pair(x)]).def;
    expect(ofClass.leavesOf([new Pair(x)])).toBeUndefined();
    const withMap = tree.flattenWithPath([new Map([["a", x]])]).def;
    expect(withMap.leavesOf([new Map([["a", x]])])).toBeUndefined();
  });
});

describe("a call like the last one", () => {
  test("is told from one with other shapes, dtypes, structure or constants", async () => {
    const f = jit((v: { a: Tensor | number; b?: Tensor | string }, w: unknown) =>
      t.add(v.a, Array.isArray(w) ? w.length : typeof w === "number" || w instanceof t.Tensor ? w : 100),
    );
    const ones = (shape: number[], dtype: "float32" | "int32" = "float32"): Tensor => t.ones(shape, { dtype });
    const calls: [{ a: Tensor | number; b?: Tensor | string }, unknown, unknown, number][] = [
      [{ a: ones([2]) }, 5, [6, 6], 1],
      [{ a: ones([2]) }, 7, [8, 8], 1],
      [{ a: ones([3]) }, 7, [8, 8, 8], 2],
      [{ a: ones([2], "int32") }, 7, [8, 8], 3],
      [{ a: 1 }, 7, 8, 4],
      [{ a: ones([]) }, 7, 8, 5],
      [{ a: ones([2]) }, [7], [2, 2], 6],
      [{ a: ones([2]) }, [7, 7], [3, 3], 7],
      [{ a: ones([2]) }, null, [101, 101], 8],
      [{ a: ones([2]), b: "x" }, null, [101, 101], 9],
      [{ a: ones([2]), b: "y" }, null, [101, 101], 10],
      [{ a: ones([2]), b: ones([2]) }, null, [101, 101], 11],
      [{ a: ones([2]) }, 9, [10, 10], 11],
    ];
    for (const [v, w, expected, traces] of calls) {
      expect(await f(v, w).toArray()).toEqual(expected);
      expect(f.traces).toBe(traces);
    }
  });

  test("is traced again when its program is no longer kept", async () => {
    const f = jit((x: Tensor) => t.mul(x, 2), { maxEntries: 1 });
    for (const n of [2, 3, 2, 2, 3, 3]) expect(await f(t.ones([n])).toArray()).toEqual(new Array<number>(n).fill(2));
    expect(f.traces).toBe(4);
  });

  test("is traced again when a switch of config has changed", () => {
    const f = jit((x: Tensor) => t.add(x, t.config.read("jax_threefry_partitionable") ? 1 : 2));
    const x = t.ones([2]);
    f(x);
    t.config.update("jax_threefry_partitionable", false);
    try {
      f(x);
      expect(f.traces).toBe(2);
    } finally {
      t.config.update("jax_threefry_partitionable", true);
    }
    f(x);
    expect(f.traces).toBe(2);
  });

  test("keeps no argument alive", async () => {
    const f = jit((x: { a: Tensor[] }, y: Tensor) => [t.add(x.a[0] ?? y, y)]);
    const call = (): WeakRef<object>[] => {
      const [x, y] = [{ a: [t.ones([2])] }, t.ones([2])];
      f(x, y);
      return [x, x.a, ...x.a, y].map((value) => new WeakRef(value));
    };
    const held = call();
    await collect();
    expect(held.filter((ref) => ref.deref() !== undefined)).toEqual([]);
  });

  test("gives up what was donated each time", async () => {
    const step = jit((xs: Tensor[]) => xs.map((x) => t.add(x, 1)), { donateArgnums: 0 });
    let state = [t.add(t.zeros([4]), 0), t.add(t.zeros([2]), 0)];
    for (let k = 0; k < 5; k++) {
      const before = state;
      state = step(state);
      for (const gone of before) expect(() => t.add(gone, 1)).toThrow(/donateArgnums|updated in place/);
    }
    expect(await Promise.all(state.map((x) => x.toArray()))).toEqual([
      [5, 5, 5, 5],
      [5, 5],
    ]);
    expect(step.traces).toBe(1);
  });
});

describe("clearCaches", () => {
  test("forgets what is compiled, loops' bodies too, and functions compile again", async () => {
    const table = t.add(t.arange(3), 0.5);
    const f = jit((x: Tensor) => foriLoop(0, 3, (_i: Tensor, v: Tensor) => t.add(v, t.sum(table)), x), {
      maxTraces: 1,
    });
    expect([await f(t.array(0.5)).item(), await f(t.array(1.5)).item(), f.traces]).toEqual([14, 15, 1]);
    clearCaches();
    // That is no reason to refuse a trace.
    expect([await f(t.array(1.5)).item(), await f(t.array(2.5)).item(), f.traces]).toEqual([15, 16, 2]);
  });
});
