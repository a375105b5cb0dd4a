/** Axes by name and by path: prefix, metadata of mapped axes, collectives; by the names of Flax's own tests. */
import { pmean, psum } from "@jnx/autodiff";
import { array, matmul, mul, ones, sum, zeros, type Tensor } from "@jnx/tensor";
import * as nnx from "@jnx/nnx";
import { useDevice } from "@jnx/testing";
import { describe, expect, it } from "vitest";

useDevice();

class Foo extends nnx.Module {
  readonly w: nnx.Param;
  readonly mean = new nnx.BatchStat(zeros([4]));
  constructor(rngs: nnx.Rngs) {
    super();
    this.w = new nnx.Param(nnx.initializers.normal()(rngs.params(), [4, 2, 3]));
  }
}

const foo = (): Foo => new Foo(new nnx.Rngs(0));

describe("graph_utils_test: prefix", () => {
  it("test_prefix_basic, test_prefix_multiple_filters, test_prefix_ellipsis_catch_all, test_prefix_callable", () => {
    const model = foo();
    const axes = nnx.prefix(model, [
      [nnx.Param, 1],
      ["...", null],
    ]) as nnx.StateAxes; // of one object
    expect([axes.axisOf(["w"], model.w), axes.axisOf(["mean"], model.mean)]).toEqual([1, null]);
    const called = nnx.prefix(model, (path, leaf) =>
      leaf instanceof nnx.Param ? path.length : nnx.Carry,
    ) as nnx.StateAxes; // as above
    expect([called.axisOf(["w"], model.w), called.axisOf(["mean"], model.mean)]).toEqual([1, nnx.Carry]);
    expect(nnx.prefix([model.w, ones([1]), "text"], () => 2)).toEqual([2, 2, null]);
  });

  it("test_prefix_no_match_raises", () => {
    expect(() => nnx.prefix(foo(), [[nnx.BatchStat, 0]])).toThrow(/no filter takes the Param at "w"/);
    // Deliberately what the types refuse.
    expect(() => nnx.prefix(foo(), 0 as never)).toThrow(/expected a list of \[filter, axis\]/);
  });

  it("test_prefix_with_vmap, test_prefix_with_vmap_aliased_args: aliases stay aliases", async () => {
    const model = foo();
    const x = ones([2]);
    const rules = [[nnx.Param, 0] as const, ["...", 0] as const];
    const [a, b] = nnx.prefix([model, model], rules);
    const forward = nnx.vmap(
      (one: Foo, two: Foo, v: Tensor) => {
        expect(one === two).toBe(true);
        return matmul(v, one.w).add(matmul(v, two.w));
      },
      { inAxes: [a ?? null, b ?? null, null] },
    );
    expect(await forward(model, model, x).toArray()).toEqual(await mul(2, matmul(x, model.w)).toArray());
  });

  it("test_prefix_with_vmap_aliased_variables: one Variable with two axes is refused", () => {
    const v = new nnx.Param(ones([4, 4]));
    const [one, two] = [new nnx.Dict({ a: v }), new nnx.Dict({ c: v })];
    const inAxes = nnx.prefix(
      [one, two],
      [
        [nnx.PathContains("a"), 0],
        [nnx.PathContains("c"), 1],
      ],
    );
    const forward = nnx.vmap((p: typeof one, q: typeof two) => sum(p.a).add(sum(q.c)), { inAxes });
    expect(() => forward(one, two)).toThrow(
      /inconsistent aliasing.*"argument 0.a" with axis 0, at "argument 1.c" with axis 1/,
    );
  });
});

describe("transforms_test: metadata of mapped axes", () => {
  const kernelInit = nnx.withPartitioning(nnx.initializers.lecunNormal(), ["a", "b"]);
  const make = (rngs: nnx.Rngs): nnx.Linear => new nnx.Linear(4, 8, { rngs, kernelInit });
  const sharding = (m: nnx.Linear): unknown => m.kernel.getMetadata("outSharding");

  it("test_metadata_graph_updates: vmap adds the name, and takes it out again inside", () => {
    const names = { [nnx.PARTITION_NAME]: "c" };
    const m = nnx.vmap(make, { inAxes: null, axisSize: 5, transformMetadata: names })(new nnx.Rngs(0));
    expect([m.kernel.shape, sharding(m), m.bias?.metadata]).toEqual([[5, 4, 8], ["c", "a", "b"], {}]);
    const seen: unknown[] = [];
    const look = (one: nnx.Linear): nnx.Linear => {
      seen.push(sharding(one));
      return one;
    };
    expect(nnx.vmap(look, { transformMetadata: names })(m) === m).toBe(true);
    const apply = nnx.scan(
      (one: nnx.Linear, total: Tensor) => {
        look(one);
        return total.add(one.kernel.sum());
      },
      { inAxes: [0, nnx.Carry], outAxes: nnx.Carry, transformMetadata: names },
    );
    apply(m, zeros([]));
    expect(new Set(seen.map(String))).toEqual(new Set(["a,b"]));
    expect(sharding(m)).toEqual(["c", "a", "b"]);
    const last = nnx.vmap(make, { inAxes: null, outAxes: -1, axisSize: 5, transformMetadata: names })(new nnx.Rngs(0));
    expect(sharding(last)).toEqual(["a", "b", "c"]);
  });

  it("test_metadata_transform_metadata; another name is refused, and nothing is changed", () => {
    const named = nnx.transformMetadata(make, { inAxes: null, partition: "c" });
    const m = nnx.vmap(named, { inAxes: null, axisSize: 5 })(new nnx.Rngs(0));
    expect(sharding(m)).toEqual(["c", "a", "b"]);
    const other = nnx.vmap(nnx.transformMetadata((one: nnx.Linear) => one, { partition: "d" }));
    expect(() => other(m)).toThrow(/expected the axis 0 of a Param to be "d" in its outSharding, which has "c" there/);
    expect(() => nnx.vmap(make, { transformMetadata: {} })).toThrow(/no name for the axis/);
    const failing = nnx.transformMetadata(
      (_one: nnx.Linear) => {
        throw new Error("stop");
      },
      { partition: "c" },
    );
    expect(() => nnx.vmap(failing)(m)).toThrow("stop");
    expect(sharding(m)).toEqual(["c", "a", "b"]);
  });

  it("Variables are told by addAxis and removeAxis, and by hooks", () => {
    const heard: string[] = [];
    const note = (name: string) => (_v: unknown, axis: number, axisName: string | null) => {
      heard.push(`${name} ${axis} ${String(axisName)}`);
    };
    const v = new nnx.Param(ones([3]), { onAddAxis: note("add"), onRemoveAxis: [note("remove"), note("again")] });
    nnx.vmap((one: nnx.Param) => mul(one, 2), { transformMetadata: { [nnx.PARTITION_NAME]: "n" } })(v);
    expect(heard).toEqual(["remove 0 n", "again 0 n", "add 0 n"]);
  });
});

describe("axisName", () => {
  it("reaches the other examples through objects", async () => {
    const scale = new nnx.Param(array([2, 0.5]));
    const mean = new nnx.BatchStat(zeros([]));
    const f = nnx.vmap(
      (p: nnx.Param, stat: nnx.BatchStat, x: Tensor) => {
        stat.value = pmean(mul(p, x), "batch");
        return psum(x, "batch");
      },
      { inAxes: [0, null, 0], axisName: "batch" },
    );
    expect(await f(scale, mean, array([3, 4.5])).toArray()).toEqual([7.5, 7.5]);
    expect(await mean.value.item()).toBe(4.125);
  });
});
