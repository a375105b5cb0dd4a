import { add, array, mul, ones, square, sum, tree, zeros, type Tensor, type TensorLike } from "@jnx/tensor";
import * as nnx from "@jnx/nnx";
import { useDevice } from "@jnx/testing";
import { describe, expect, it } from "vitest";

useDevice();

class Counter extends nnx.Module {
  readonly kernel = new nnx.Param(ones([2]));
  readonly count = new nnx.Variable(array(0));
  mode = "a";
  calls = 0;

  call(x: TensorLike): Tensor {
    this.count.value = add(this.count, 1);
    return mul(x, this.kernel);
  }
}

describe("nnx.jit", () => {
  it("writes to Variables stay; same structure traces once", async () => {
    const model = new Counter();
    let traced = 0;
    const step = nnx.jit((m: Counter, x: Tensor) => {
      traced++;
      return m.call(x);
    });
    for (let k = 0; k < 3; k++) expect(await step(model, array([k, 2.5])).toArray()).toEqual([k, 2.5]);
    expect(await model.count.value.item()).toBe(3);
    expect([traced, step.traces]).toEqual([1, 1]);
    expect(await step(new Counter(), ones([2])).toArray()).toEqual([1, 1]);
    expect(step.traces).toBe(1);
  });

  it("static fields, shapes, strings and booleans are structure; numbers are data", async () => {
    const model = new Counter();
    const step = nnx.jit((m: Counter, factor: TensorLike, mode: string) =>
      mul(m.kernel, mode === "neg" ? mul(factor, -1) : factor),
    );
    expect(await step(model, 2, "pos").toArray()).toEqual([2, 2]);
    expect(await step(model, 3, "pos").toArray()).toEqual([3, 3]);
    expect(step.traces).toBe(1);
    expect(await step(model, 3, "neg").toArray()).toEqual([-3, -3]);
    expect(step.traces).toBe(2);
    model.mode = "b";
    step(model, 3, "neg");
    expect(step.traces).toBe(3);
  });

  it("attributes added inside appear outside; the next call retraces and then settles", async () => {
    const model: Counter & { extra?: nnx.Param } = new Counter();
    const step = nnx.jit((m: Counter & { extra?: nnx.Param }) => {
      m.extra ??= new nnx.Param(mul(m.kernel, 2));
      m.extra.value = add(m.extra, 1);
      return sum(m.extra);
    });
    expect(await step(model).item()).toBe(6);
    expect(await model.extra?.value.toArray()).toEqual([3, 3]);
    expect([await step(model).item(), await step(model).item()]).toEqual([8, 10]);
    expect(step.traces).toBe(2);
    expect(await model.extra?.value.toArray()).toEqual([5, 5]);
  });

  it("input objects come back as themselves, new ones are new", async () => {
    const model = new Counter();
    const make = nnx.jit((m: Counter) => ({
      same: m,
      made: new nnx.Param(mul(m.kernel, 3)),
      kernel: m.kernel,
      text: "ok",
    }));
    for (let k = 0; k < 2; k++) {
      const { same, made, kernel, text } = make(model);
      expect([same === model, kernel === model.kernel, text]).toEqual([true, true, "ok"]);
      expect(made).toBeInstanceOf(nnx.Param);
      expect(await made.value.toArray()).toEqual([3, 3]);
      made.value = zeros([2]);
    }
  });

  it("swapped values and Variables that share an array", async () => {
    const pair = { a: new nnx.Param(array([1, 2.5])), b: new nnx.Param(array([3, 4.5])) };
    const swap = nnx.jit((p: typeof pair) => {
      const { value } = p.a;
      p.a.value = p.b.value;
      p.b.value = value;
    });
    swap(pair);
    swap(pair);
    swap(pair);
    expect([await pair.a.value.toArray(), await pair.b.value.toArray()]).toEqual([
      [3, 4.5],
      [1, 2.5],
    ]);
    const model = new Counter();
    const copy = nnx.clone(model);
    const grow = nnx.jit((m: Counter) => {
      m.kernel.value = mul(m.kernel, 2);
    });
    grow(model);
    grow(model);
    expect([await model.kernel.value.toArray(), await copy.kernel.value.toArray()]).toEqual([
      [4, 4],
      [1, 1],
    ]);
  });

  it("a value that the user took out survives steps that update it in place", async () => {
    const model = new Counter();
    const grow = nnx.jit((m: Counter) => {
      m.kernel.value = mul(m.kernel, 2);
      return m.kernel.value;
    });
    const kept = [];
    for (let k = 0; k < 4; k++) kept.push(grow(model));
    const before = model.kernel.value;
    grow(model);
    expect(await Promise.all(kept.map(async (x) => (await x.data())[0]))).toEqual([2, 4, 8, 16]);
    expect(await before.toArray()).toEqual([16, 16]);
    expect(await model.kernel.value.toArray()).toEqual([32, 32]);
  });

  it("bare arrays in fields are data, too", async () => {
    class Table extends nnx.Module {
      table: Tensor = array([1, 2.5]);
    }
    const model = new Table();
    const next = nnx.jit((m: Table) => {
      m.table = mul(m.table, 2);
      return sum(m.table);
    });
    expect([await next(model).item(), await next(model).item()]).toEqual([7, 14]);
    model.table = array([10, 0.5]);
    expect(await next(model).item()).toBe(21);
    expect(next.traces).toBe(1);
  });

  it("random streams go on across calls, with dropout as in eager mode", async () => {
    const [eager, compiled] = [0, 1].map(() => new nnx.Dropout(0.5, { rngs: new nnx.Rngs(3) }));
    if (eager === undefined || compiled === undefined) throw new Error("two layers");
    const run = nnx.jit((layer: nnx.Dropout, x: Tensor) => layer.call(x));
    for (let k = 0; k < 3; k++) {
      expect(await run(compiled, ones([64])).toArray()).toEqual(await eager.call(ones([64])).toArray());
    }
    expect(await compiled.rngs?.count.value.item()).toBe(3);
    expect(await compiled.call(ones([64])).toArray()).toEqual(await eager.call(ones([64])).toArray());
  });

  it("states and trees of Variables are arguments like any other", async () => {
    const params = nnx.state(new Counter(), nnx.Param);
    const double = nnx.jit((p: typeof params) => tree.map((x: Tensor) => mul(x, 2), p));
    const doubled = double(params);
    expect(await doubled.kernel.value.toArray()).toEqual([2, 2]);
  });

  it("inside another transform it runs as it is", async () => {
    const model = new Counter();
    const loss = nnx.jit((m: Counter) => sum(square(m.call(ones([2])))));
    const grads = nnx.grad((m: Counter) => loss(m))(model);
    expect(await grads.kernel.value.toArray()).toEqual([2, 2]);
    expect(await model.count.value.item()).toBe(1);
    const outer = nnx.jit((m: Counter) => mul(loss(m), 2));
    expect(await outer(model).item()).toBe(4);
    expect(loss.traces).toBe(0);
  });

  it("a throw inside leaves the model as it was", async () => {
    const model = new Counter();
    const bad = nnx.jit((m: Counter) => {
      m.call(ones([2]));
      throw new Error("no");
    });
    expect(() => bad(model)).toThrow("no");
    expect(await model.count.value.item()).toBe(0);
    model.kernel.value = zeros([2]);
  });

  it("closed-over Variables cannot be written, and leaked ones neither", () => {
    const [model, other] = [new Counter(), new Counter()];
    const write = nnx.jit(
      (m: Counter) => {
        other.count.value = add(other.count, 1);
        return sum(m.kernel);
      },
      { name: "step" },
    );
    expect(() => write(model)).toThrow(/cannot be written inside step/);
    const leaks: nnx.Param[] = [];
    nnx.jit((m: Counter) => {
      leaks.push(new nnx.Param(m.call(ones([2]))));
    })(model);
    expect(() => {
      const [leak] = leaks;
      if (leak !== undefined) leak.value = zeros([2]);
    }).toThrow(/was made inside .* and written after that had ended/);
  });

  it("static arguments by position", async () => {
    const f = nnx.jit((m: Counter, n: number) => mul(m.kernel, Array.from({ length: n }).length), { staticArgnums: 1 });
    expect(await f(new Counter(), 3).toArray()).toEqual([3, 3]);
    await f(new Counter(), 4).toArray();
    expect(f.traces).toBe(2);
  });
});
