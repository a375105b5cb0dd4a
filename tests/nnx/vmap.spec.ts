/** nnx.vmap: behaviours that Flax's own tests assert, by the names of those tests, and what goes wrong. */
import {
  add,
  arange,
  array,
  mean,
  mul,
  ones,
  random,
  reshape,
  square,
  stack,
  sum,
  take,
  zeros,
  type Tensor,
} from "@jnx/tensor";
import { pmean } from "@jnx/autodiff";
import * as nnx from "@jnx/nnx";
import { useDevice } from "@jnx/testing";
import { describe, expect, it } from "vitest";

useDevice();

class Counter extends nnx.Module {
  readonly kernel = new nnx.Param(array([[1, 2, 3]], { dtype: "float32" }));
  readonly total = new nnx.BatchStat(zeros([]));
  step(x: Tensor): Tensor {
    const y = mul(this.kernel, x);
    this.total.value = add(this.total, sum(y));
    return y;
  }
}

const makeMany = nnx.splitRngs(
  (rngs: nnx.Rngs) => nnx.vmap((one: nnx.Rngs) => new nnx.Linear(2, 3, { rngs: one }))(rngs),
  { splits: 4 },
);

describe("transforms_test.TestVmap", () => {
  it("test_basic, test_vmap_init: objects made inside are stacked, each from its own key", async () => {
    const rngs = new nnx.Rngs(0);
    const many = makeMany(rngs);
    expect([many.kernel.shape, many.bias?.shape]).toEqual([
      [4, 2, 3],
      [4, 3],
    ]);
    const keys = random.split(random.foldIn(random.key(0), 0), 4);
    const alone = [0, 1, 2, 3].map(
      (k) => new nnx.Linear(2, 3, { rngs: new nnx.Rngs(take(keys, k, { axis: 0 })) }).kernel.value,
    );
    expect(await many.kernel.value.toArray()).toEqual(await stack(alone).toArray());
    // test_split_rngs_decorator: afterwards the count is 1 and the key the first.
    expect([await rngs.stream("default").count.value.item(), rngs.stream("default").key.shape]).toEqual([1, []]);
  });

  it("applies each to its own row, or to what is shared", async () => {
    const many = makeMany(new nnx.Rngs(1));
    const x = reshape(arange(0, 8, 1, { dtype: "float32" }), [4, 2]);
    const each = nnx.vmap((net: nnx.Linear, row: Tensor) => net.call(row))(many, x);
    const shared = nnx.vmap((net: nnx.Linear, row: Tensor) => net.call(row), { inAxes: [0, null], outAxes: 1 });
    expect(shared(many, ones([2])).shape).toEqual([3, 4]);
    const [graphdef, state] = nnx.split(many);
    for (const k of [0, 3]) {
      const one = nnx.merge(
        graphdef,
        nnx.mapState((_path, leaf) => take(leaf, k, { axis: 0 }), state),
      );
      expect(await take(each, k, { axis: 0 }).toArray()).toEqual(await one.call(take(x, k, { axis: 0 })).toArray());
    }
  });

  it("test_state_axes_simple: shared parameters, mapped statistics, written for each example", async () => {
    const net = new Counter();
    const axes = new nnx.StateAxes([
      [nnx.BatchStat, 0],
      ["...", null],
    ]);
    net.total.value = zeros([2]);
    const run = nnx.vmap((m: Counter, x: Tensor) => m.step(x), { inAxes: [axes, 0] });
    expect(await run(net, array([1, 10])).toArray()).toEqual([[[1, 2, 3]], [[10, 20, 30]]]);
    run(net, array([1, 10]));
    expect(await net.total.value.toArray()).toEqual([12, 120]);
    expect(net.kernel.shape).toEqual([1, 3]);
    net.total.value = zeros([2]); // writable outside again
  });

  it("test_vmap_and_cond_passthrough_error: a shared Variable cannot take what differs; a mean can", async () => {
    const net = new Counter();
    const run = nnx.vmap((m: Counter, x: Tensor) => m.step(x), { inAxes: [null, 0] });
    expect(() => run(net, ones([2]))).toThrow(
      /vmap: BatchStat at "total" of argument 0 is shared by all examples .* differs between them/,
    );
    expect(await net.total.value.item()).toBe(0);
    nnx.vmap(
      (m: Counter, x: Tensor) => {
        m.total.value = pmean(mean(mul(m.kernel, x)), "i");
      },
      { inAxes: [null, 0], axisName: "i" },
    )(net, array([1, 2]));
    expect(await net.total.value.item()).toBe(3);
  });

  it("test_consistent_aliasing_inputs, test_consistent_aliasing_input_output, test_consistent_aliasing_shared: one Variable, one axis", () => {
    const net = new Counter();
    const call = (a: Counter, b: Counter): Tensor => sum(mul(a.kernel, b.kernel));
    expect(() => nnx.vmap(call, { inAxes: [0, null] })(net, net)).toThrow(
      /inconsistent aliasing: one Variable has different axes: Param at "argument 0.kernel" with axis 0, at "argument 1.kernel" with axis null; BatchStat/,
    );
    const give = nnx.vmap((a: Counter) => a, { inAxes: null, outAxes: 0, axisSize: 2 });
    expect(() => give(net)).toThrow(/at "argument 0.kernel" with axis null, at "result kernel" with axis 0/);
    const tied = { a: net.kernel, b: { c: net.kernel } };
    expect(() => nnx.vmap((t: typeof tied) => sum(t.a), { inAxes: [{ a: 0, b: null }] })(tied)).toThrow(GraphErrorText);
    const same = nnx.vmap((a: Counter) => a, { inAxes: null, outAxes: null, axisSize: 2 });
    expect(same(net) === net).toBe(true);
  });

  it("test_state_axes_from_state, super class: filters in turn, none left out", () => {
    const axes = new nnx.StateAxes({ kernel: 0, total: null });
    expect([axes.size, axes.items().map(([, axis]) => axis)]).toEqual([2, [0, null]]);
    const run = nnx.vmap((m: Counter) => sum(m.kernel), { inAxes: [axes] });
    expect(run(new Counter()).shape).toEqual([1]);
    const some = new nnx.StateAxes([[nnx.BatchStat, null]]);
    expect(() => nnx.vmap((m: Counter) => sum(m.kernel), { inAxes: [some] })(new Counter())).toThrow(
      /no axis for Param at "kernel" in the StateAxes of inAxes; add a filter/,
    );
    expect(() => nnx.vmap((x: Tensor) => x, { inAxes: [axes] })(ones([2]))).toThrow(/which is an array/);
  });

  it("test_captured_module_in_return_error", () => {
    const net = new Counter();
    expect(() => nnx.vmap((x: Tensor): [Tensor, Counter] => [x, net])(ones([2]))).toThrow(
      /returns or keeps Param at "kernel", which was made outside and not passed/,
    );
    expect(() => nnx.vmap((x: Tensor) => net.step(x))(ones([2]))).toThrow(nnx.TraceContextError);
  });

  it("what f adds to an object is there afterwards, mapped as the object is", async () => {
    const net: Counter & { extra?: nnx.Param } = new Counter();
    nnx.vmap(
      (m: typeof net, x: Tensor) => {
        m.extra = new nnx.Param(mul(x, 2));
      },
      {
        inAxes: [
          new nnx.StateAxes([
            [nnx.PathContains("extra"), 0],
            ["...", null],
          ]),
          0,
        ],
      },
    )(net, array([1, 2.5]));
    expect(await net.extra?.value.toArray()).toEqual([2, 5]);
    if (net.extra !== undefined) net.extra.value = ones([]);
  });

  it("axisSize makes objects of nothing; keys have their own axes; nothing mapped is an error", () => {
    const made = nnx.vmap(() => new Counter(), { axisSize: 3 })();
    expect([made.kernel.shape, made.total.shape]).toEqual([[3, 1, 3], [3]]);
    const draw = nnx.vmap((rngs: nnx.Rngs) => rngs.normal([3]), { inAxes: -1 });
    expect(draw(new nnx.Rngs(0).split(5)).shape).toEqual([5, 3]);
    expect(() => nnx.vmap(() => new Counter())()).toThrow(/nothing is mapped/);
    expect(() => nnx.vmap((m: Counter) => m.kernel.value)(new Counter())).toThrow(/axis 0/);
  });

  it("inside jit and grad, and in one another", async () => {
    const many = makeMany(new nnx.Rngs(2));
    const loss = (m: nnx.Linear, x: Tensor): Tensor =>
      sum(square(nnx.vmap((one: nnx.Linear, row: Tensor) => one.call(row), { inAxes: [0, null] })(m, x)));
    const eager = nnx.grad(loss)(many, ones([2]));
    const compiled = nnx.jit((m: nnx.Linear, x: Tensor) => nnx.grad(loss)(m, x))(many, ones([2]));
    expect(eager.kernel.shape).toEqual([4, 2, 3]);
    expect(await compiled.kernel.value.toArray()).toEqual(await eager.kernel.value.toArray());
    const table = nnx.vmap((x: Tensor) => nnx.vmap((y: Tensor) => mul(x, y))(ones([3])))(array([1, 2]));
    expect(await table.toArray()).toEqual([
      [1, 1, 1],
      [2, 2, 2],
    ]);
  });

  it("after a throw everything is as before", async () => {
    const net = new Counter();
    expect(() =>
      nnx.vmap(
        (m: Counter, x: Tensor) => {
          m.step(x);
          throw new Error("no");
        },
        { inAxes: [null, 0] },
      )(net, ones([2])),
    ).toThrow("no");
    expect([await net.total.value.item(), await net.kernel.value.toArray()]).toEqual([0, [[1, 2, 3]]]);
    net.total.value = ones([]);
  });

  it("TestBoundMethodTransforms: bound methods are refused", () => {
    const net = new Counter();
    const bound = net.step.bind(net);
    const x = ones([1]);
    const transforms: readonly (() => unknown)[] = [
      () => nnx.grad(bound),
      () => nnx.valueAndGrad(bound),
      () => nnx.vmap(bound),
      () => nnx.jit(bound),
      () => nnx.jitPartial(bound),
      () => nnx.scan(bound),
      () => nnx.remat(bound),
      () => nnx.evalShape(bound, x),
      () => nnx.customVjp(bound),
      () => nnx.vjp(bound, [x]),
      () => nnx.jvp(bound, [x], [x]),
      () => nnx.cond(true, bound, bound, x),
      () => nnx.switch(0, [bound], x),
      // Refused before it is called.
      () => nnx.foriLoop(0, 1, bound as never, x),
      () => nnx.whileLoop(bound, bound, x),
      () => nnx.checkify(bound),
      () => nnx.transformMetadata(bound, { partition: "a" }),
    ];
    for (const transform of transforms) expect(transform).toThrow(/does not take bound methods, received "step"/);
  });
});

const GraphErrorText = /Param at "argument 0.a" with axis 0, at "argument 0.b.c" with axis null/;
