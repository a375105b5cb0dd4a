/** nnx.cond, switch, foriLoop: behaviours that Flax's own tests assert, by the names of those tests, and what goes wrong. */
import { add, array, greater, less, mul, ones, square, zeros, type Tensor } from "@jnx/tensor";
import * as nnx from "@jnx/nnx";
import { useDevice } from "@jnx/testing";
import { describe, expect, it } from "vitest";

useDevice();

class Counter extends nnx.Module {
  readonly count = new nnx.BatchStat(zeros([]));
  readonly weight = new nnx.Param(array(2.5));
  readonly label = "counter";
}

const countUp = (m: Counter, by: number): Tensor => {
  m.count.value = add(m.count, by);
  return mul(m.weight, by);
};

describe("transforms_test.TestCond", () => {
  it("test_basic: the branch that is taken writes, eagerly and compiled", async () => {
    const net = new Counter();
    const weight = net.weight.value;
    const step = (m: Counter, x: Tensor): Tensor =>
      nnx.cond(
        greater(x, 0),
        (one: Counter) => countUp(one, 1),
        (one: Counter) => countUp(one, 10),
        m,
      );
    const compiled = nnx.jit(step);
    const results: number[] = [];
    for (const run of [step, compiled]) {
      for (const x of [1, -1]) {
        results.push(await run(net, array(x)).item());
      }
    }
    expect(results).toEqual([2.5, 25, 2.5, 25]);
    expect(await net.count.value.item()).toBe(22);
    expect([net.weight.value === weight, compiled.traces]).toEqual([true, 1]);
    net.count.value = zeros([]); // writable outside
  });

  it("test_cond_different_variable_per_branch: each may write another Variable", async () => {
    const net = new nnx.Dict({ a: new nnx.Param(zeros([])), b: new nnx.Param(zeros([])) });
    const write = (k: "a" | "b") => (m: typeof net) => {
      m[k].value = add(m[k], 1);
    };
    for (const x of [1, 1, -1]) nnx.cond(greater(array(x), 0), write("a"), write("b"), net);
    expect([await net.a.value.item(), await net.b.value.item()]).toEqual([2, 1]);
  });

  it("test_switch_shared_references, test_cond_and_vmap: shared objects stay shared, branches may nest", async () => {
    const net = new Counter();
    const pair = { a: net, b: net };
    const branches = [1, 2, 3].map((by) => (both: typeof pair) => add(countUp(both.a, by), countUp(both.b, by)));
    expect(await nnx.switch(array(7), branches, pair).item()).toBe(15);
    expect(await net.count.value.item()).toBe(6);
    const each = nnx.vmap((x: Tensor) =>
      nnx.cond(
        greater(x, 0),
        (v: Tensor) => mul(v, 10),
        (v: Tensor) => mul(v, -1),
        x,
      ),
    );
    expect(await each(array([1, -2.5])).toArray()).toEqual([10, 2.5]);
  });

  it("gradients go through the branch that is taken", async () => {
    const loss = (m: Counter, x: Tensor): Tensor =>
      nnx.cond(
        greater(x, 0),
        (one: Counter) => square(one.weight),
        (one: Counter) => mul(one.weight, 3),
        m,
      );
    expect(await nnx.grad(loss)(new Counter(), array(1)).weight.value.item()).toBe(5);
    expect(await nnx.grad(loss)(new Counter(), array(-1)).weight.value.item()).toBe(3);
  });

  it("objects made in branches come out; mistakes are told with paths", async () => {
    const made = nnx.cond(
      array(1),
      () => new nnx.Param(array(2.5)),
      () => new nnx.Param(array(1.5)),
    );
    expect([made instanceof nnx.Param, await made.value.item()]).toEqual([true, 2.5]);
    const net = new Counter();
    const set = (value: Tensor) => (m: Counter) => {
      m.count.value = value;
    };
    expect(() => nnx.cond(array(1), set(ones([2])), set(zeros([])), net)).toThrow(
      /cond: the branches leave BatchStat at "count" of argument 0 with different types/,
    );
    expect(() =>
      nnx.cond(
        array(1),
        () => ones([2]),
        () => ones([]),
      ),
    ).toThrow(/give for the result different types/);
    expect(() =>
      nnx.cond(
        array(1),
        (): unknown => [ones([])],
        (): unknown => ones([]),
      ),
    ).toThrow(/the same structure/);
    const grow = (m: Counter & { extra?: nnx.Param }): void => {
      m.extra = new nnx.Param(ones([]));
    };
    expect(() => nnx.cond(array(1), grow, grow, new Counter())).toThrow(/"extra" of argument 0 is new/);
    expect(() =>
      nnx.cond(
        array(1),
        () => countUp(net, 1),
        () => ones([]),
      ),
    ).toThrow(nnx.TraceContextError);
    expect(await net.count.value.item()).toBe(0);
  });
});

describe("transforms_test.TestForiLoop", () => {
  it("test_basic, test_fori_loop_with_sharing: what a step writes goes on to the next", async () => {
    const net = new Counter();
    const init: [{ a: Counter; b: Counter }, Tensor] = [{ a: net, b: net }, zeros([])];
    const [both, total] = nnx.foriLoop(
      1,
      4,
      (i: Tensor, [pair, sofar]: typeof init): typeof init => {
        pair.a.count.value = add(pair.b.count, i);
        return [pair, add(sofar, pair.a.count)];
      },
      init,
    );
    expect([both.a === net, await net.count.value.item(), await total.item()]).toEqual([true, 6, 10]);
    net.count.value = zeros([]);
  });

  it("test_ref_changed, test_structure_changed raise; no steps, nothing done", () => {
    const net = new Counter();
    expect(() => nnx.foriLoop(0, 2, () => new Counter(), net)).toThrow(/but the carry is another object/);
    const grow = (_i: Tensor, m: Counter & { extra?: nnx.Param }): Counter => {
      m.extra = new nnx.Param(ones([]));
      return m;
    };
    expect(() => nnx.foriLoop(0, 2, grow, new Counter())).toThrow(/"extra" of argument 0 is new/);
    expect(nnx.foriLoop(3, 3, (_i: Tensor, m: Counter) => m, net) === net).toBe(true);
    const wider = (_i: Tensor, x: Tensor): Tensor => add(x, ones([2]));
    expect(() => nnx.foriLoop(0, 2, wider, zeros([]))).toThrow(/the carry argument 0 changes on the way/);
  });
});

describe("transforms_test.TestWhileLoop", () => {
  it("test_basic, test_multiple_objects: as long as the condition holds, eagerly and compiled", async () => {
    const run = (m: Counter): Counter =>
      nnx.whileLoop(
        (one: Counter) => less(one.count, 5),
        (one: Counter) => {
          one.count.value = add(one.count, one.weight);
          return one;
        },
        m,
        { maxIterations: 8 },
      );
    for (const loop of [run, nnx.jit(run)]) {
      const net = new Counter();
      expect(loop(net) === net).toBe(true);
      expect(await net.count.value.item()).toBe(5);
      net.count.value = zeros([]);
    }
    const init: [Counter, Tensor] = [new Counter(), array(0.5)];
    const doubled = ([m, x]: typeof init): typeof init => [m, mul(x, m.weight)];
    const [, x] = nnx.whileLoop(([, v]: typeof init) => less(v, 10), doubled, init, { maxIterations: 8 });
    expect(await x.item()).toBe(19.53125);
  });

  it("test_ref_changed, test_structure_changed raise; the condition may not write", () => {
    const cond = (m: Counter): Tensor => less(m.count, 5);
    expect(() => nnx.whileLoop(cond, () => new Counter(), new Counter())).toThrow(/but the carry is another object/);
    const grow = (m: Counter & { extra?: nnx.Param }): Counter => {
      m.extra = new nnx.Param(ones([]));
      return m;
    };
    expect(() => nnx.whileLoop(cond, grow, new Counter())).toThrow(/"extra" of argument 0 is new/);
    const counting = (m: Counter): Tensor => less(countUp(m, 1), 5);
    expect(() => nnx.whileLoop(counting, (m: Counter) => m, new Counter())).toThrow(
      /condFun writes BatchStat at "count"/,
    );
  });
});
