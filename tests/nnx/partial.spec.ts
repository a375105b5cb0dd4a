/** nnx.customVjp, evalShape, jitPartial, cachedPartial: behaviours that Flax's own tests assert, and what goes wrong. */
import { add, array, cos, mul, ones, sin, sub, sum, zeros, mean, square, type Tensor } from "@jnx/tensor";
import { ShapeDtypeStruct } from "@jnx/compile";
import * as nnx from "@jnx/nnx";
import * as optax from "@jnx/optax";
import { useDevice } from "@jnx/testing";
import { describe, expect, it } from "vitest";

useDevice();

class Foo extends nnx.Module {
  readonly x: nnx.Param;
  readonly y: nnx.Param;
  readonly calls = new nnx.BatchStat(zeros([]));
  constructor(x: number, y: number) {
    super();
    this.x = new nnx.Param(array(x, { dtype: "float32" }));
    this.y = new nnx.Param(array(y, { dtype: "float32" }));
  }
}

describe("transforms_test.TestCustomVJP", () => {
  it("test_jax_example_graph_updates: writes go on, bwd gets their cotangents and gives States", async () => {
    let seen: unknown;
    const f = nnx
      .customVjp((m: Foo, scale: Tensor): Tensor => {
        m.calls.value = add(m.calls, 1);
        return mul(mul(sin(m.x), m.y), scale);
      })
      .defvjp(
        (m, scale) => {
          m.calls.value = add(m.calls, 1);
          return [mul(mul(sin(m.x), m.y), scale), [cos(m.x), sin(m.x), m]];
        },
        ([cosX, sinX, m]: [Tensor, Tensor, Foo], [updates, ct]: [[nnx.StateOf<Foo>, null], Tensor]) => {
          seen = [m instanceof Foo, nnx.toFlatState(updates[0]).map(([path]) => path[0]), updates[1]];
          const state = nnx.mapState(
            (path, leaf) => (path[0] === "x" ? mul(mul(cosX, ct), m.y) : path[0] === "y" ? mul(sinX, ct) : leaf),
            updates[0],
          );
          return [state, null];
        },
      );
    const m = new Foo(1, 3);
    expect(await f(m, ones([])).item()).toBeCloseTo(3 * Math.sin(1), 5);
    const grads = nnx.grad((one: Foo) => f(one, ones([])))(m);
    expect(await grads.x.value.item()).toBeCloseTo(3 * Math.cos(1), 5);
    expect(await grads.y.value.item()).toBeCloseTo(Math.sin(1), 5);
    expect(seen).toEqual([true, ["calls", "x", "y"], null]);
    expect(await m.calls.value.item()).toBe(2);
    m.calls.value = zeros([]);
  });

  it("test_diff_state: only what the filter takes; test_nondiff_argnums: a number is handed on", async () => {
    const f = nnx
      .customVjp((m: Foo, by: number) => mul(mul(m.x, m.y), by), {
        nondiffArgnums: [new nnx.DiffState(0, nnx.PathContains("x")), 1],
      })
      .defvjp(
        (m, by) => [mul(mul(m.x, m.y), by), m.y.value],
        (by: number, y: Tensor, [, ct]: [unknown, Tensor]) => [nnx.fromFlatState([[["x"], mul(mul(y, ct), by * 100)]])],
      );
    const grads = nnx.grad((one: Foo) => f(one, 2))(new Foo(3, 5));
    expect([await grads.x.value.item(), await grads.y.value.item()]).toEqual([1000, 0]);
  });

  it("mistakes", () => {
    const g = (m: Foo): Tensor => m.x.value;
    expect(() => nnx.customVjp(g)(new Foo(1, 2))).toThrow(/no rule yet/);
    expect(() => nnx.customVjp(g, { nondiffArgnums: [0, 0] })).toThrow(/comes twice/);
    const byNumber = nnx.customVjp(g, { nondiffArgnums: [0] }).defvjp(
      (m) => [m.x.value, null],
      () => [],
    );
    expect(() => byNumber(new Foo(1, 2))).toThrow(/holds an object; use new nnx.DiffState/);
    const lacking = nnx.customVjp(g).defvjp(
      (m) => [m.x.value, null],
      () => [new nnx.State()],
    );
    expect(() => nnx.grad((m: Foo) => lacking(m))(new Foo(1, 2))).toThrow(
      /gives no cotangent for BatchStat at "calls"/,
    );
    const short = nnx.customVjp(g).defvjp(
      (m) => [m.x.value, null],
      () => [],
    );
    expect(() => nnx.grad((m: Foo) => short(m))(new Foo(1, 2))).toThrow(/one cotangent for each of 1 arguments/);
  });
});

class Net extends nnx.Module {
  readonly linear: nnx.Linear;
  readonly norm: nnx.BatchNorm;
  readonly dropout: nnx.Dropout;
  constructor({ rngs }: nnx.RngsOptions) {
    super();
    this.linear = new nnx.Linear(2, 3, { rngs });
    this.norm = new nnx.BatchNorm(3, { rngs });
    this.dropout = new nnx.Dropout(0.5, { rngs });
  }
  call(x: Tensor): Tensor {
    return this.dropout.call(this.norm.call(this.linear.call(x)));
  }
}

describe("evalShape", () => {
  it("gives objects with shapes for arrays, to be filled", async () => {
    const abstract = nnx.evalShape(() => new Net({ rngs: new nnx.Rngs(0) }));
    expect(abstract).toBeInstanceOf(Net);
    expect(abstract.linear.kernel.value).toEqual(new ShapeDtypeStruct([2, 3], "float32"));
    expect([abstract.linear.kernel.shape, abstract.linear.kernel.size, abstract.norm.mean.dtype]).toEqual([
      [2, 3],
      6,
      "float32",
    ]);
    const model = new Net({ rngs: new nnx.Rngs(1) });
    nnx.update(abstract, nnx.state(model));
    model.eval();
    abstract.eval();
    expect(await abstract.call(ones([1, 2])).toArray()).toEqual(await model.call(ones([1, 2])).toArray());
  });

  it("an abstract model prints its shapes and is filled from a checkpoint", async () => {
    const files = new Map<string, Uint8Array>();
    const folder = {
      write: (file: string, part: Uint8Array) =>
        void files.set(file, new Uint8Array([...(files.get(file) ?? []), ...part])),
      read: (file: string, start = 0, end?: number) => (files.get(file) ?? new Uint8Array()).slice(start, end),
    };
    const model = new Net({ rngs: new nnx.Rngs(1) });
    await nnx.saveCheckpoint({ model }, folder);
    const abstract = nnx.evalShape(() => new Net({ rngs: new nnx.Rngs(0) }));
    expect(String(abstract.linear.kernel)).toBe("Param float32[2, 3]");
    await nnx.loadCheckpoint({ model: abstract }, folder);
    expect(await abstract.call(ones([1, 2])).toArray()).toEqual(await model.call(ones([1, 2])).toArray());
    const other = nnx.evalShape(() => new nnx.Linear(2, 4, { rngs: new nnx.Rngs(0) }));
    await expect(
      nnx.loadCheckpoint({ model: new nnx.Dict({ linear: other }) }, folder, { strict: false }),
    ).rejects.toThrow(/shape/);
  });

  it("test_eval_shape_no_state_update: arguments stay; shapes may stand for arrays and models", async () => {
    const model = new Net({ rngs: new nnx.Rngs(0) });
    const out = nnx.evalShape(
      (m: Net, x: Tensor): [Tensor, Net] => [m.call(x), m],
      model,
      new ShapeDtypeStruct([5, 2], "float32"),
    );
    expect(out[0]).toEqual(new ShapeDtypeStruct([5, 3], "float32"));
    expect([out[1] === model, out[1].norm.mean.value]).toEqual([false, new ShapeDtypeStruct([3], "float32")]);
    expect([await model.dropout.rngs?.count.value.item(), await model.norm.mean.value.toArray()]).toEqual([
      0,
      [0, 0, 0],
    ]);
    const again = nnx.evalShape(
      (m: Net) => m.call(ones([7, 2])),
      nnx.evalShape(() => new Net({ rngs: new nnx.Rngs(0) })),
    );
    expect(again.shape).toEqual([7, 3]);
    expect(() => nnx.evalShape((m: Net) => m.call(ones([7, 9])), model)).toThrow(/9/);
    expect(() => nnx.evalShape(() => model)).toThrow(/made outside and not passed/);
  });
});

describe("jitPartial and cachedPartial", () => {
  const lossFn = (m: nnx.Linear, x: Tensor): Tensor => mean(square(sub(m.call(x), 1)));
  const train = (m: nnx.Linear, opt: nnx.Optimizer<nnx.Linear>, x: Tensor): Tensor => {
    const [loss, grads] = nnx.valueAndGrad(lossFn)(m, x);
    opt.update(m, grads);
    return loss;
  };
  const setup = (): [nnx.Linear, nnx.Optimizer<nnx.Linear>] => {
    const model = new nnx.Linear(2, 3, { rngs: new nnx.Rngs(0) });
    return [model, new nnx.Optimizer(model, optax.sgd(0.1), { wrt: nnx.Param })];
  };

  it("test_jit_partial_no_retrace_after_mutation: values change, no trace", async () => {
    const [model, optimizer] = setup();
    const step = nnx.jitPartial(train, model, optimizer);
    const first = await step(ones([4, 2])).item();
    const second = await step(ones([4, 2])).item();
    expect(second).toBeLessThan(first);
    model.kernel.value = zeros([2, 3]);
    step(ones([4, 2]));
    expect([step.traces, await optimizer.step.value.item()]).toEqual([1, 3]);
    expect(step.explain(ones([4, 2])).dispatches).toBeGreaterThan(0);
    const predict = nnx.jitPartial(
      (m: nnx.Linear, v: nnx.Param | Tensor) => add(sum(m.call(ones([1, 2]))), sum(v)),
      model,
    );
    expect(() => predict(new nnx.Param(ones([1, 2])))).toThrow(/argument 1 holds a Variable/);
  });

  it("test_cache_args: the copy is another object with the same Variables", async () => {
    const [model, optimizer] = setup();
    let seen: nnx.Linear | undefined;
    const look = nnx.cachedPartial((m: nnx.Linear, x: Tensor) => {
      seen = m;
      return m.call(x);
    }, model);
    look(ones([1, 2]));
    expect([seen === model, seen?.kernel === model.kernel]).toEqual([false, true]);
    const step = nnx.cachedPartial(nnx.jit(train), model, optimizer);
    const first = await step(ones([4, 2])).item();
    expect(await step(ones([4, 2])).item()).toBeLessThan(first);
    expect(await optimizer.step.value.item()).toBe(2);
    const grow = nnx.cachedPartial((m: nnx.Linear & { extra?: nnx.Param }, x: Tensor) => {
      m.extra = new nnx.Param(x);
    }, model);
    expect(() => grow(ones([1]))).toThrow(/cachedPartial: the structure of an object that was given once has changed/);
  });
});
