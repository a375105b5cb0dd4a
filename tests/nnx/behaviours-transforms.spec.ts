/** Behaviours that Flax's own tests assert of jit and grad, by the names of those tests; the other transforms' stand in their own files. */
import { add, array, mul, ones, sum, zeros, type Tensor } from "@jnx/tensor";
import * as nnx from "@jnx/nnx";
import * as optax from "@jnx/optax";
import { useDevice } from "@jnx/testing";
import { describe, expect, it } from "vitest";

useDevice();

const param = (value: number): nnx.Param => new nnx.Param(array(value, { dtype: "float32" }));

class Leaf extends nnx.Module {
  readonly w: nnx.Param;
  constructor(value: number) {
    super();
    this.w = param(value);
  }
}

class Pair extends nnx.Module {
  a: Leaf = new Leaf(1.5);
  b: Leaf = new Leaf(2.5);
  self?: Pair;
}

describe("transforms_test.TestJIT", () => {
  it("test_jit_graph_updates_unflatten: what changes places inside has changed places outside", async () => {
    const m = new Pair();
    const [a, b] = [m.a, m.b];
    const swap = nnx.jit((pair: Pair) => {
      [pair.a, pair.b] = [pair.b, pair.a];
    });
    swap(m);
    expect([m.a === b, m.b === a, swap.traces]).toEqual([true, true, 1]);
    expect([await m.a.w.value.item(), await m.b.w.value.item()]).toEqual([2.5, 1.5]);
  });

  it("test_graph_updates_add_self_reference: one trace, then another for the new structure, then no more", () => {
    const m = new Pair();
    const f = nnx.jit((pair: Pair) => {
      pair.self = pair;
    });
    const traces = [0, 1, 2].map(() => {
      f(m);
      return f.traces;
    });
    expect([m.self === m, traces]).toEqual([true, [1, 2, 2]]);
  });

  it("test_jit_on_init: objects made inside are whole outside, shared parts still shared", async () => {
    const make = nnx.jit((rngs: nnx.Rngs) => {
      const linear = new nnx.Linear(2, 3, { rngs });
      return { one: linear, two: linear };
    });
    const { one, two } = make(new nnx.Rngs(0));
    expect(one === two).toBe(true);
    const eager = new nnx.Linear(2, 3, { rngs: new nnx.Rngs(0) });
    expect(await one.kernel.value.toArray()).toEqual(await eager.kernel.value.toArray());
    one.kernel.value = zeros([2, 3]);
  });
});

describe("transforms_test.TestTreeJIT, as graphs", () => {
  it("test_tree_jit_donate_argnums_unchanged_var: what a step leaves alone can still be read, and so can copies of it", async () => {
    const m = new Pair();
    const other = nnx.clone(m);
    const f = nnx.jit((pair: Pair) => {
      pair.a.w.value = mul(pair.a.w, pair.b.w);
    });
    f(m);
    f(m);
    expect([await m.a.w.value.item(), await m.b.w.value.item()]).toEqual([9.375, 2.5]);
    expect([await other.a.w.value.item(), await other.b.w.value.item()]).toEqual([1.5, 2.5]);
  });
});

describe("a normal training run", () => {
  class Net extends nnx.Module {
    readonly layers: nnx.Linear[];
    readonly norm: nnx.BatchNorm;
    readonly dropout: nnx.Dropout;
    constructor({ rngs }: nnx.RngsOptions) {
      super();
      this.layers = [new nnx.Linear(3, 4, { rngs }), new nnx.Linear(4, 1, { rngs })];
      this.norm = new nnx.BatchNorm(4, { rngs });
      this.dropout = new nnx.Dropout(0.5, { rngs });
    }
    call(x: Tensor): Tensor {
      const [first, second] = this.layers;
      const hidden = this.dropout.call(this.norm.call(first?.call(x) ?? x));
      return second?.call(hidden) ?? hidden;
    }
  }

  it("test_no_rejit, whole: equal structure hits the cache, and another batch size is the only new trace", async () => {
    const start = (seed: number) => {
      const model = new Net({ rngs: new nnx.Rngs(seed) });
      const tx = optax.adam(optax.cosineDecaySchedule(1e-2, 20));
      return {
        model,
        optimizer: new nnx.Optimizer(model, tx, { wrt: nnx.Param }),
        seen: new nnx.metrics.Average("loss"),
      };
    };
    type Run = ReturnType<typeof start>;
    const tx = start(0).optimizer.tx;
    const train = nnx.jit((model: Net, optimizer: Run["optimizer"], seen: Run["seen"], x: Tensor) => {
      const [loss, grads] = nnx.valueAndGrad((m: Net) => sum(m.call(x)))(model);
      optimizer.update(model, grads);
      seen.update({ loss });
    });
    const run = start(0);
    for (let step = 0; step < 6; step++) train(run.model, run.optimizer, run.seen, ones([8, 3]));
    expect(train.traces).toBe(1);
    train(run.model, run.optimizer, run.seen, ones([5, 3])); // the last batch of an epoch
    expect(train.traces).toBe(2);
    for (let step = 0; step < 3; step++) train(run.model, run.optimizer, run.seen, ones([8, 3]));
    run.seen.reset();
    train(run.model, run.optimizer, run.seen, ones([5, 3]));
    expect(train.traces).toBe(2);
    // A copy, and what comes back from a split, have the same structure.
    const again = nnx.clone(run);
    train(again.model, again.optimizer, again.seen, ones([8, 3]));
    train(nnx.merge(...nnx.split(run.model)), run.optimizer, run.seen, ones([8, 3]));
    expect([train.traces, tx === run.optimizer.tx]).toEqual([2, false]);
    run.model.eval();
    train(run.model, run.optimizer, run.seen, ones([8, 3]));
    run.model.train();
    train(run.model, run.optimizer, run.seen, ones([8, 3]));
    expect(train.traces).toBe(3);
  });
});

describe("transforms_test.TestScan, decorators", () => {
  it("test_complex_decorator: a class whose constructor is mapped and whose call is a scan", async () => {
    const axes = new nnx.StateAxes([
      [[nnx.Param, nnx.RngState], 0],
      ["...", null],
    ]);
    class Block extends nnx.Module {
      readonly linear: nnx.Linear;
      readonly bn: nnx.BatchNorm;
      readonly dropout: nnx.Dropout;
      readonly node = new nnx.Variable(ones([2]));
      constructor({ rngs }: nnx.RngsOptions) {
        super();
        this.linear = new nnx.Linear(3, 3, { rngs });
        this.bn = new nnx.BatchNorm(3, { rngs });
        this.dropout = new nnx.Dropout(0.5, { rngs });
      }
      static stack = nnx.splitRngs(
        nnx.vmap((rngs: nnx.Rngs) => new Block({ rngs }), { outAxes: axes, axisSize: 5 }),
        { splits: 5 },
      );
      call(x: Tensor): Tensor {
        const run = nnx.scan(
          (self: Block, y: Tensor) => nnx.gelu(self.dropout.call(self.bn.call(self.linear.call(y)))),
          {
            inAxes: [axes, nnx.Carry],
            outAxes: nnx.Carry,
          },
        );
        return run(this, x);
      }
    }
    const module = Block.stack(new nnx.Rngs(0));
    module.eval();
    expect([module.linear.kernel.shape, module.linear.bias?.shape, module.node.shape]).toEqual([
      [5, 3, 3],
      [5, 3],
      [2],
    ]);
    expect(module.call(ones([1, 3])).shape).toEqual([1, 3]);
  });
});

describe("transforms_test.TestGrad", () => {
  it("test_grad: shared Variables have one gradient, a State", async () => {
    const p1 = param(10);
    const p2 = param(20);
    const m = new nnx.Dict({ a: [p1, p2], b: p1, c: 7, d: 5.5 });
    const grads = nnx.grad((one: typeof m) => add(add(sum(one.a[0] ?? 0), sum(one.a[1] ?? 0)), sum(one.b)))(m);
    expect(grads).toBeInstanceOf(nnx.State);
    const flat = nnx.toFlatState(grads as nnx.State).map(([path]) => path.join(".")); // a State of what holds data
    expect(flat).toEqual(["a.0", "a.1"]);
    const [first] = nnx.toFlatState(grads as nnx.State); // as above
    expect(await sum(first?.[1] ?? 0).item()).toBe(2);
  });

  it("test_grad_with_multiple_ref_types, test_grad_with_type_predicate: Params alone, or what DiffState says", () => {
    const m = new nnx.Dict({ a: param(1), b: new nnx.BatchStat(ones([])) });
    const f = (one: typeof m): Tensor => add(mul(one.a, 2), mul(one.b, 3));
    const paths = (grads: object): string[] => Object.keys(grads);
    expect(paths(nnx.grad(f)(m))).toEqual(["a"]);
    expect(paths(nnx.grad(f, { argnums: new nnx.DiffState(0, nnx.BatchStat) })(m))).toEqual(["b"]);
  });

  it("test_multiple_args_in_pytrees, test_multiple_args: a filter for each argument", async () => {
    const trees = [1, 2].map((k) => ({ m: new nnx.Dict({ x: param(k), y: param(10 * k) }) }));
    const [one = { m: new nnx.Dict({ x: param(0), y: param(0) }) }, two = one] = trees;
    const f = (a: typeof one, b: typeof one): Tensor => add(mul(a.m.x, b.m.y), mul(a.m.y, b.m.x));
    const grads = nnx.grad(f, {
      argnums: [new nnx.DiffState(0, nnx.PathContains("x")), new nnx.DiffState(1, nnx.PathContains("y"))],
    })(one, two);
    const values = await Promise.all(
      grads.map(async (grad) => {
        const [[path, leaf] = [[], ones([])]] = nnx.toFlatState(grad.m as nnx.State); // a State of the one that was chosen
        return [path, await sum(leaf).item()];
      }),
    );
    expect(values).toEqual([
      [["x"], 20],
      [["y"], 1],
    ]);
  });
});

describe("integration_test", () => {
  it("test_shared_modules: one set of parameters, trained through both places", async () => {
    const shared = new nnx.Linear(2, 2, { rngs: new nnx.Rngs(0) });
    const model = new nnx.Dict({ first: shared, second: shared });
    const optimizer = new nnx.Optimizer(model, optax.sgd(0.1), { wrt: nnx.Param });
    const step = nnx.jit((m: typeof model, opt: nnx.Optimizer<typeof model>, x: Tensor) => {
      opt.update(m, nnx.grad((one: typeof model) => sum(one.second.call(one.first.call(x))))(m));
    });
    const before = await shared.kernel.value.toArray();
    step(model, optimizer, ones([1, 2]));
    expect(nnx.toFlatState(nnx.state(model, nnx.Param)).map(([path]) => path[0])).toEqual(["first", "first"]);
    expect(model.first === model.second).toBe(true);
    expect(await shared.kernel.value.toArray()).not.toEqual(before);
  });
});

describe("Variables that hold lists of arrays", () => {
  class Sower extends nnx.Module {
    readonly w = param(2);
    table?: Tensor;
    call(x: Tensor): Tensor {
      this.sow(nnx.Intermediate, "seen", mul(this.w, x));
      return sum(mul(this.w, x));
    }
  }
  // What sow gathers.
  const sown = (m: Sower): Tensor[] => nnx.toPureDict(nnx.pop(m, nnx.Intermediate))["seen"] as Tensor[];
  const values = (list: readonly Tensor[]): Promise<unknown[]> => Promise.all(list.map((one) => one.toArray()));

  it("test_sow_pop: what is sown inside a transform is outside afterwards, once for each call", async () => {
    const x = array([1, 2.5]);
    const run = nnx.jit((m: Sower, v: Tensor) => m.call(v));
    const model = new Sower();
    run(model, x);
    expect(await values(sown(model))).toEqual([[2, 5]]);
    run(model, x);
    run(model, mul(x, 2));
    expect(await values(sown(model))).toEqual([
      [2, 5],
      [4, 10],
    ]);
    nnx.grad((m: Sower, v: Tensor) => m.call(v))(model, x);
    expect(await values(sown(model))).toEqual([[2, 5]]);
    nnx.vmap((m: Sower, v: Tensor) => m.call(v), {
      inAxes: [
        new nnx.StateAxes([
          [nnx.Intermediate, 0],
          ["...", null],
        ]),
        0,
      ],
    })(model, x);
    expect(await values(sown(model))).toEqual([[2, 5]]);
    nnx.remat((m: Sower, v: Tensor) => m.call(v))(model, x);
    expect(await values(sown(model))).toEqual([[2, 5]]);
  });

  it("are read and written like others", async () => {
    const held = new nnx.Variable({ a: [array([1, 2.5])], b: 3 });
    const grow = nnx.jit((v: typeof held, by: Tensor) => {
      const [a = by] = v.value.a;
      v.value = { a: [mul(a, by)], b: v.value.b };
      return sum(a);
    });
    expect(await grow(held, array(2)).item()).toBe(3.5);
    expect(await grow(held, array(2)).item()).toBe(7);
    expect(await values(held.value.a)).toEqual([[4, 10]]);
    const mapped = nnx.vmap((v: typeof held) => {
      const [a = zeros([])] = v.value.a;
      v.value = { a: [add(a, 1)], b: 4 };
      return a;
    });
    expect(await mapped(held).toArray()).toEqual([4, 10]);
    expect([await values(held.value.a), held.value.b]).toEqual([[[5, 11]], 4]);
  });

  it("a new field that holds an array is filled, too", async () => {
    const model = new Sower();
    const f = nnx.jit((m: Sower, x: Tensor) => {
      m.table = mul(x, m.w);
      return m.table;
    });
    f(model, ones([2]));
    expect(await model.table?.toArray()).toEqual([2, 2]);
    f(model, mul(ones([2]), 3));
    expect([await model.table?.toArray(), f.traces]).toEqual([[6, 6], 2]);
  });
});
