import { allGather, axisIndex, grad, jvp, pmax, pmean, pmin, psum, vjp, vmap } from "@jnx/autodiff";
import { jit } from "@jnx/compile";
import * as t from "@jnx/tensor";
import type { Tensor } from "@jnx/tensor";
import { ArgumentError, memory, ShapeError, TracedTensorError } from "@jnx/tensor";
import { useDevice } from "@jnx/testing";
import { describe, expect, test } from "vitest";
import { collect } from "../memory/collect.ts";

useDevice();

async function read(value: unknown): Promise<unknown> {
  const [leaves, def] = t.tree.flatten(value);
  const lists = await Promise.all(leaves.map((leaf) => (leaf instanceof t.Tensor ? leaf.toArray() : leaf)));
  return t.tree.unflatten(def, lists);
}

const matrix = (): Tensor =>
  t.array([
    [1, 2, 3],
    [4, 5, 6.5],
  ]);

describe("vmap", () => {
  test("the function sees one example's shape", async () => {
    const shapes: unknown[] = [];
    const result = vmap((x: Tensor) => {
      shapes.push([x.shape, x.ndim, x.size]);
      return t.sum(x);
    })(matrix());
    expect(shapes).toEqual([[[3], 1, 3]]);
    expect(await result.toArray()).toEqual([6, 15.5]);
  });

  test("inAxes: for each argument, negative, null, trees; outAxes likewise", async () => {
    const f = (p: { a: Tensor; b: Tensor }, y: Tensor): unknown => ({ s: t.add(t.mul(p.a, p.b), y), b: p.b });
    const a = t.array([
      [1, 2],
      [3, 4.5],
    ]); // examples are columns
    const out = vmap(f, { inAxes: [{ a: -1, b: null }, 0], outAxes: { s: 1, b: null } })(
      { a, b: t.array([10, 1]) },
      t.array([100, 200]),
    );
    expect(await read(out)).toEqual({
      s: [
        [110, 220],
        [103, 204.5],
      ],
      b: [10, 1],
    });
  });

  test("what does not differ between examples is repeated, or given as it is", async () => {
    const out = vmap((x: Tensor) => [t.array([1, 2]), t.mul(x, 0)], { outAxes: [-1, 0] })(t.array([5, 6, 7]));
    expect(await read(out)).toEqual([
      [
        [1, 1, 1],
        [2, 2, 2],
      ],
      [0, 0, 0],
    ]);
    expect(await read(vmap(() => t.array(3), { axisSize: 2 })())).toEqual([3, 3]);
  });

  test("names, functions and null pass through arguments and results", async () => {
    const out = vmap((p: { x: Tensor; n: null; name: string }) => [p.name, p.n, t.neg(p.x)] as const)({
      x: t.array([1, 2]),
      n: null,
      name: "k",
    });
    expect(await read(out)).toEqual(["k", null, [-1, -2]]);
  });

  test("nested: every pair", async () => {
    const pairs = vmap((x: Tensor) => vmap((y: Tensor) => t.sub(t.mul(x, 10), y))(t.array([1, 2])))(t.array([3, 4, 5]));
    expect(await pairs.toArray()).toEqual([
      [29, 28],
      [39, 38],
      [49, 48],
    ]);
    const table = vmap(vmap(t.mul, { inAxes: [null, 0] }), { inAxes: [0, null], outAxes: 1 });
    expect(await table(t.array([1, 2, 3]), t.array([10, 20])).toArray()).toEqual([
      [10, 20, 30],
      [20, 40, 60],
    ]);
  });

  test("gradients of each example, and the gradient of a batch's loss", async () => {
    const loss = (w: Tensor, x: Tensor): Tensor => t.sum(t.square(t.matmul(x, w)));
    const [w, xs] = [t.array([2, -1, 0.5]), matrix()];
    // x·w is 1.5 and 6.25.
    const each = vmap(grad(loss), { inAxes: [null, 0] });
    const want = [
      [3, 6, 9],
      [12.5 * 4, 12.5 * 5, 12.5 * 6.5],
    ];
    expect(await each(w, xs).toArray()).toEqual(want);
    expect(await jit(each)(w, xs).toArray()).toEqual(want);
    const all = grad((v: Tensor) => t.sum(vmap(loss, { inAxes: [null, 0] })(v, xs)));
    expect(await all(w).toArray()).toEqual([53, 68.5, 90.25]);
    expect(await jit(all)(w).toArray()).toEqual([53, 68.5, 90.25]);
    expect(await grad((v: Tensor) => t.sum(vmap(jit(loss), { inAxes: [null, 0] })(v, xs)))(w).toArray()).toEqual([
      53, 68.5, 90.25,
    ]);
  });

  test("with jvp on either side", async () => {
    const [x, v] = [t.array([0.5, 2]), t.array([1.5, 1])];
    const want = [2 * 0.5 * 1.5, 4];
    const cube = (y: Tensor): Tensor => t.square(y);
    expect(await vmap((a: Tensor, b: Tensor) => jvp(cube, [a], [b])[1])(x, v).toArray()).toEqual(want);
    expect(await jvp(vmap(cube), [x], [v])[1].toArray()).toEqual(want);
  });

  test("a composition cleans up inside a batch; gradients survive it", async () => {
    const f = (x: Tensor): Tensor => t.sum(t.mul(t.softmax(x), t.logSoftmax(x)));
    const batch = vmap(grad(f))(matrix());
    for (const [k, row] of [
      [1, 2, 3],
      [4, 5, 6.5],
    ].entries()) {
      const one = await grad(f)(t.array(row, { dtype: "float32" })).data();
      const got = await t.laxSlice(batch, [k, 0], [k + 1, 3]).data();
      one.forEach((g, i) => expect(got[i]).toBeCloseTo(g, 6));
    }
  });

  test("one draw for each key, as if drawn alone; a dropout mask for each example", async () => {
    const keys = t.random.split(t.random.PRNGKey(3), 4);
    const rows = vmap((k: Tensor) => t.random.normal(k, [5]))(keys);
    const bits = vmap((k: Tensor) => [t.random.split(k, 2), t.random.foldIn(k, 7), t.random.permutation(k, 6)])(keys);
    const drawn = vmap((k: Tensor) => [t.random.randint(k, [3], 0, 100), t.random.bernoulli(k, 0.5, [3])])(keys);
    for (let k = 0; k < 4; k++) {
      const key = t.reshape(t.laxSlice(keys, [k, 0], [k + 1, 2]), [2]);
      const of = async (x: Tensor | undefined): Promise<unknown> => ((await read(x)) as unknown[])[k]; // nested arrays
      expect(await of(rows)).toEqual(await t.random.normal(key, [5]).toArray());
      expect(await of(bits[0])).toEqual(await t.random.split(key, 2).toArray());
      expect(await of(bits[1])).toEqual(await t.random.foldIn(key, 7).toArray());
      expect(await of(bits[2])).toEqual(await t.random.permutation(key, 6).toArray());
      expect(await of(drawn[0])).toEqual(await t.random.randint(key, [3], 0, 100).toArray());
      expect(await of(drawn[1])).toEqual(await t.random.bernoulli(key, 0.5, [3]).toArray());
    }
    const twice = vmap(vmap((k: Tensor) => t.random.uniform(k, [3])))(t.reshape(keys, [2, 2, 2]));
    expect(await t.reshape(twice, [4, 3]).toArray()).toEqual(
      await vmap((k: Tensor) => t.random.uniform(k, [3]))(keys).toArray(),
    );
  });

  test("an empty batch", async () => {
    const out = vmap((x: Tensor) => t.sum(t.exp(x)))(t.zeros([0, 3]));
    expect([out.shape, await out.toArray()]).toEqual([[0], []]);
  });

  test("live bytes stay where they were", async () => {
    const f = vmap(grad((x: Tensor) => t.sum(t.softmax(t.square(x)))));
    const x = matrix();
    const work = async (): Promise<void> => {
      using g = f(x);
      await g.data();
    };
    await work();
    await collect();
    const before = memory().live;
    for (let k = 0; k < 5; k++) await work();
    expect(memory().live).toBe(before);
  });
});

describe("lookups of one index for each example", () => {
  const x = (): Tensor => t.reshape(t.add(t.arange(24), 0.5), [2, 3, 4]);
  const table = (b: number, i: number, j: number): number => b * 12 + i * 4 + j + 0.5;

  for (const mode of ["fill", "clip", "wrap"] as const)
    test(`take, mode ${mode}, out of range and negative indices`, async () => {
      const index = t.array([
        [0, 5, -1],
        [-4, 2, 1],
      ]);
      const resolve = (i: number, n: number): number => {
        if (mode === "wrap") return ((i % n) + n) % n;
        if (mode === "clip") return Math.min(n - 1, Math.max(0, i));
        const counted = i < 0 ? i + n : i;
        return counted < 0 || counted >= n ? NaN : counted;
      };
      const lists = (await index.toArray()) as number[][]; // two rows
      for (const axis of [0, 1]) {
        const got = vmap((a: Tensor, i: Tensor) => t.take(a, i, { axis, mode }))(x(), index);
        const want = lists.map((row, b) =>
          axis === 0
            ? row.map((i) => [0, 1, 2, 3].map((j) => table(b, resolve(i, 3), j)))
            : [0, 1, 2].map((i) => row.map((j) => table(b, i, resolve(j, 4)))),
        );
        expect(await got.toArray()).toEqual(want);
        const shared = vmap((i: Tensor) => t.take(t.array([0.5, 1.5, 2.5]), i, { mode }))(index);
        expect(await shared.toArray()).toEqual(lists.map((row) => row.map((i) => resolve(i, 3) + 0.5)));
      }
    });

  test("their gradients add up where an index comes twice, and forget what was out of range", async () => {
    const index = t.array([
      [0, 0, 2],
      [1, 7, 1],
    ]);
    const loss = (a: Tensor, i: Tensor): Tensor =>
      t.sum(t.mul(t.where(t.isnan(t.take(a, i)), 0, t.take(a, i)), t.array([1, 10, 100])));
    const each = vmap(grad(loss))(t.ones([2, 3]), index);
    expect(await each.toArray()).toEqual([
      [11, 0, 100],
      [0, 101, 0],
    ]);
    // The transpose of a lookup, batched by its index alone, along the last axis.
    const back = vmap((i: Tensor) =>
      vjp((a: Tensor) => t.take(a, i, { axis: 1 }), t.ones([2, 3]))[1](
        t.array([
          [1, 2, 3],
          [4, 5, 6.5],
        ]),
      ),
    )(
      t.array([
        [0, 0, 2],
        [1, 2, 1],
      ]),
    );
    expect(await read(back)).toEqual([
      [
        [
          [3, 0, 3],
          [9, 0, 6.5],
        ],
        [
          [0, 4, 2],
          [0, 10.5, 5],
        ],
      ],
    ]);
  });
});

describe("collectives", () => {
  const x = (): Tensor => t.array([1, 2, 6], { dtype: "float32" });
  const over = (f: (v: Tensor) => unknown): unknown => vmap(f, { axisName: "i" })(x());

  test("sums, means, extremes, indices, gathers", async () => {
    expect(await read(over((v) => [psum(v, "i"), pmean(v, "i"), pmax(v, "i"), pmin(v, "i"), axisIndex("i")]))).toEqual([
      [9, 9, 9],
      [3, 3, 3],
      [6, 6, 6],
      [1, 1, 1],
      [0, 1, 2],
    ]);
    expect(await read(over((v) => allGather(t.array([1, 2]) && t.mul(v, t.array([1, 10])), "i", { axis: 1 })))).toEqual(
      Array.from({ length: 3 }, () => [
        [1, 2, 6],
        [10, 20, 60],
      ]),
    );
  });

  test("results are the same for all examples, and trees and constants are summed too", async () => {
    const f = (v: Tensor): unknown => psum({ v: t.mul(v, 2), one: 1 }, "i");
    expect(await read(vmap(f, { axisName: "i", outAxes: null })(x()))).toEqual({ v: 18, one: 3 });
  });

  // JAX: vmap(grad(lambda x: psum(x * x, 'i')), axis_name='i')([1, 2, 6]) = 2x · 3, and 2x for pmean.
  test("gradients inside are JAX's: a sum goes back as a sum", async () => {
    expect(await read(over(grad((v: Tensor) => psum(t.mul(v, v), "i"))))).toEqual([6, 12, 36]);
    expect(await read(over(grad((v: Tensor) => pmean(t.mul(v, v), "i"))))).toEqual([2, 4, 12]);
    const second = (v: Tensor): Tensor => t.mul(t.take(allGather(v, "i"), t.array(1)), v);
    expect(await read(over(grad(second)))).toEqual([2, 2 + 9, 2]);
    expect(await read(over((v) => jvp((w: Tensor) => psum(t.mul(w, w), "i"), [v], [t.ones([])])))).toEqual([
      [41, 41, 41],
      [18, 18, 18],
    ]);
  });

  test("gradients outside see the whole", async () => {
    const total = (v: Tensor): Tensor => t.sum(vmap((w: Tensor) => t.mul(w, psum(w, "i")), { axisName: "i" })(v));
    expect(await grad(total)(x()).toArray()).toEqual([18, 18, 18]);
    expect(await jit(grad(total))(x()).toArray()).toEqual([18, 18, 18]);
  });

  test("nested names, and an axis further out", async () => {
    const m = t.array([
      [1, 2],
      [3, 4],
      [5, 6.5],
    ]);
    const f = (axisName: string): unknown =>
      vmap(
        vmap((v: Tensor) => psum(v, axisName), { axisName: "columns" }),
        { axisName: "rows" },
      )(m);
    expect(await read(f("rows"))).toEqual(Array.from({ length: 3 }, () => [9, 12.5]));
    expect(await read(f("columns"))).toEqual([
      [3, 3],
      [7, 7],
      [11.5, 11.5],
    ]);
    const index = vmap(
      () => vmap(() => t.add(t.mul(axisIndex("a"), 10), axisIndex("b")), { axisSize: 2, axisName: "b" })(),
      {
        axisSize: 2,
        axisName: "a",
      },
    )();
    expect(await index.toArray()).toEqual([
      [0, 1],
      [10, 11],
    ]);
  });
});

describe("bad input", () => {
  const id = (x: Tensor): Tensor => x;
  const two = (x: Tensor, y: Tensor): Tensor => t.add(x, y);
  const mistakes: readonly (readonly [string, () => unknown, new (...args: never[]) => Error, RegExp])[] = [
    [
      "a scalar",
      () => vmap(id)(t.array(3)),
      ShapeError,
      /argument 0 has shape \[\], which has no axis 0.*inAxes, or null/,
    ],
    ["a number", () => vmap(two)(t.ones([2]), 3 as never), ShapeError, /argument 1 has shape \[\]/], // `as`: the types refuse it too
    ["sizes that differ", () => vmap(two)(t.ones([2]), t.ones([3])), ShapeError, /argument 0 has 2, argument 1 has 3/],
    ["axisSize that differs", () => vmap(id, { axisSize: 3 })(t.ones([2])), ShapeError, /has 2, axisSize is 3/],
    [
      "a list of the wrong length",
      () => vmap(two, { inAxes: [0] })(t.ones([2]), t.ones([2])),
      ArgumentError,
      /1 entries.*2 arguments/,
    ],
    ["nothing mapped", () => vmap(id, { inAxes: null })(t.ones([2])), ArgumentError, /nothing is mapped.*axisSize/],
    [
      "a tree that is too short",
      () => vmap((p: Tensor[]) => p[0] ?? t.ones([]), { inAxes: [[0]] })([t.ones([2]), t.ones([2])]),
      ArgumentError,
      /no entry for argument 0\[1\]/,
    ],
    [
      "outAxes null for what differs",
      () => vmap(id, { outAxes: null })(t.ones([2])),
      ArgumentError,
      /differs between examples/,
    ],
    ["outAxes out of range", () => vmap(id, { outAxes: 1 })(t.ones([2])), ShapeError, /axis 1 of a result with 1 axes/],
    [
      "outAxes of another tree",
      () => vmap((x: Tensor) => ({ x }), { outAxes: { y: 0 } })(t.ones([2])),
      ArgumentError,
      /outAxes has an entry for the result\.y, which there is not/,
    ],
    [
      "inAxes with a key too many",
      () => vmap((p: { a: Tensor }) => p.a, { inAxes: [{ a: 0, b: 0 }] })({ a: t.ones([2]) }),
      ArgumentError,
      /inAxes has an entry for argument 0\.b, which there is not/,
    ],
    ["no function", () => vmap(3 as never), ArgumentError, /vmap: takes a function, received number/], // `as`: the types refuse it too
    ["a size that is none", () => vmap(id, { axisSize: -1 }), ArgumentError, /axisSize must be a whole number/],
    [
      "an axis nobody named",
      () => vmap((x: Tensor) => psum(x, "j"), { axisName: "i" })(t.ones([2])),
      ArgumentError,
      /psum: no axis is named "j" here, only i; name it/,
    ],
    ["an axis outside every vmap", () => axisIndex("i"), ArgumentError, /no axis is named "i" here; name it/],
  ];
  test.each(mistakes)("%s", (_label, mistake, kind, text) => {
    expect(mistake).toThrow(kind);
    expect(mistake).toThrow(text);
  });

  test("a value read, or kept, inside a batch", async () => {
    let leaked = t.ones([]);
    const reads: Promise<unknown>[] = [];
    vmap((x: Tensor) => {
      reads.push(x.item());
      return (leaked = t.mul(x, 2));
    })(t.ones([2]));
    await expect(reads[0]).rejects.toThrow(TracedTensorError);
    expect(() => t.add(leaked, 1)).toThrow(TracedTensorError);
  });
});
