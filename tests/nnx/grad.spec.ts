import { add, array, mean, mul, ones, square, sub, sum, zeros, type Tensor } from "@jnx/tensor";
import * as nnx from "@jnx/nnx";
import { useDevice } from "@jnx/testing";
import { describe, expect, it } from "vitest";

useDevice();

const rngs = (): nnx.Rngs => new nnx.Rngs(0);

class Shared extends nnx.Module {
  readonly a = new nnx.Param(ones([2]));
  readonly b = this.a;
  readonly list = [new nnx.Param(ones([1]))];
  readonly table = ones([3]);
}

class Counter extends nnx.Module {
  readonly kernel = new nnx.Param(array([2, 3], { dtype: "float32" }));
  readonly mean = new nnx.BatchStat(zeros([]));
  readonly count = new nnx.Variable(array(0));

  call(x: Tensor): Tensor {
    this.count.value = add(this.count, 1);
    const y = mul(x, this.kernel);
    this.mean.value = mean(y);
    return sum(y);
  }
}

describe("grad", () => {
  it("of a module is a State of its Params, by path and class", async () => {
    const model = new nnx.Linear(2, 3, { rngs: rngs() });
    const grads = nnx.grad((m: nnx.Linear, x: Tensor) => sum(m.call(x)))(model, array([[1, 2.5]]));
    expect(nnx.toFlatState(grads).map(([path]) => path)).toEqual([["bias"], ["kernel"]]);
    expect(grads.kernel).toBeInstanceOf(nnx.Param);
    expect(await grads.kernel.value.toArray()).toEqual([
      [1, 1, 1],
      [2.5, 2.5, 2.5],
    ]);
  });

  it("shared parameters get one combined gradient at their first path", async () => {
    const grads = nnx.grad((m: Shared) => add(sum(mul(m.a, 2)), mul(sum(m.b), 3)))(new Shared());
    expect(nnx.toFlatState(grads).map(([path]) => path.join("."))).toEqual(["a", "list.0"]);
    expect(await grads.a.value.toArray()).toEqual([5, 5]);
  });

  it("valueAndGrad with aux", async () => {
    const model = new nnx.Linear(2, 1, { rngs: rngs() });
    const lossFn = (m: nnx.Linear): [Tensor, { y: Tensor }] => {
      const y = m.call(ones([1, 2]));
      return [mean(square(y)), { y }];
    };
    const [[loss, aux], grads] = nnx.valueAndGrad(lossFn, { hasAux: true })(model);
    const y = await aux.y.item();
    expect(await loss.item()).toBeCloseTo(y * y, 5);
    expect(await grads.bias.value.item()).toBeCloseTo(2 * y, 5);
    const [again] = nnx.grad(lossFn, { hasAux: true })(model);
    expect(await again.bias.value.item()).toBeCloseTo(2 * y, 5);
  });

  it("several arguments, arrays and trees", async () => {
    const model = new nnx.Linear(1, 1, { useBias: false, kernelInit: nnx.initializers.ones, rngs: rngs() });
    const f = (m: nnx.Linear, x: Tensor, tree: { w: Tensor }): Tensor => mul(sum(m.call(x)), sum(tree.w));
    const [gm, gx, gt] = nnx.grad(f, { argnums: [0, 1, 2] })(model, array([[3]], { dtype: "float32" }), {
      w: array([2.5]),
    });
    // Each is the gradient of its argument; the tuple's type is their union.
    expect(await (gm as nnx.StateOf<nnx.Linear>).kernel.value.item()).toBe(7.5);
    expect(await (gx as Tensor).item()).toBe(2.5); // as above
    expect(await (gt as { w: Tensor }).w.item()).toBe(3); // as above
  });

  it("DiffState chooses other Variables; a bare Variable is differentiated whatever its type", async () => {
    const model = new Counter();
    const byType = nnx.grad((m: Counter) => mul(sum(m.kernel), m.mean), {
      argnums: new nnx.DiffState(0, nnx.BatchStat),
    })(model);
    expect(nnx.toFlatState(byType as unknown as nnx.State).map(([path]) => path.join("."))).toEqual(["mean"]); // a State of BatchStats
    const bare = nnx.grad((v: nnx.BatchStat) => square(v))(new nnx.BatchStat(array(3, { dtype: "float32" })));
    expect(bare).toBeInstanceOf(nnx.BatchStat);
    expect(await bare.value.item()).toBe(6);
  });

  it("takes a State as it takes an object: functional style", async () => {
    const [graphdef, params] = nnx.split(new nnx.Linear(2, 1, { rngs: rngs() }));
    const grads = nnx.grad((p: typeof params) => sum(nnx.merge(graphdef, p).call(ones([1, 2]))))(params);
    expect(await grads.kernel.value.toArray()).toEqual([[1], [1]]);
  });

  it("writes to Variables inside stay written; parameters are as they were", async () => {
    const model = new Counter();
    const kernel = model.kernel.value;
    nnx.grad((m: Counter, x: Tensor) => m.call(x))(model, ones([2]));
    nnx.grad((m: Counter, x: Tensor) => m.call(x))(model, ones([2]));
    expect(await model.count.value.item()).toBe(2);
    expect(await model.mean.value.item()).toBe(2.5);
    expect(model.kernel.value === kernel).toBe(true);
    model.count.value = zeros([], { dtype: "int32" }); // writable outside again
  });

  it("after a throw everything is as before", async () => {
    const model = new Counter();
    const f = (m: Counter): Tensor => {
      m.call(ones([2]));
      throw new Error("no");
    };
    expect(() => nnx.grad(f)(model)).toThrow("no");
    expect(await model.count.value.item()).toBe(0);
    expect(await model.kernel.value.toArray()).toEqual([2, 3]);
    model.kernel.value = ones([2]);
  });

  it("attributes added inside are visible outside and writable", async () => {
    const model = new Counter();
    nnx.grad((m: Counter & { extra?: nnx.Param }) => {
      m.extra = new nnx.Param(sum(m.kernel));
      return m.call(ones([2]));
    })(model);
    const { extra } = model as Counter & { extra?: nnx.Param }; // added above
    expect(await extra?.value.item()).toBe(5);
    if (extra !== undefined) extra.value = zeros([]);
  });

  it("gradients of gradients: grad inside grad", async () => {
    const model = new nnx.Param(array(3, { dtype: "float32" }));
    const cube = (v: nnx.Param): Tensor => mul(square(v), v);
    const second = nnx.grad((v: nnx.Param) => nnx.grad(cube)(v).value)(model);
    expect(await second.value.item()).toBe(18);
  });

  it("a write to a closed-over Variable throws, naming it and the remedy; reading is fine", async () => {
    const [model, other] = [new Counter(), new Counter()];
    const f = (m: Counter): Tensor => {
      other.count.value = add(other.count, 1);
      return sum(m.kernel);
    };
    expect(() => nnx.grad(f)(model)).toThrow(nnx.TraceContextError);
    expect(() => nnx.grad(f)(model)).toThrow(
      /Variable: cannot be written inside grad, to which it was not passed; pass the object/,
    );
    const g = nnx.grad((m: Counter) => mul(sum(m.kernel), sum(other.kernel)))(model);
    expect(await g.kernel.value.toArray()).toEqual([5, 5]);
  });

  it("a closed-over Rngs cannot draw", () => {
    const streams = rngs();
    expect(() =>
      nnx.grad((m: Counter) => {
        streams.params();
        return sum(m.kernel);
      })(new Counter()),
    ).toThrow(/RngCount.*cannot be written inside grad/);
  });

  it("mistakes: no scalar, integers, repeated argnums, no pair", () => {
    const model = new Counter();
    expect(() => nnx.grad((m: Counter) => m.kernel.value)(model)).toThrow(/scalar/);
    expect(() => nnx.grad((m: Counter) => sum(m.kernel), { argnums: new nnx.DiffState(0, true) })(model)).toThrow(
      /"count" is int32/,
    );
    expect(() => nnx.grad((m: Counter) => sum(m.kernel), { argnums: [0, 0] })(model)).toThrow(/comes twice/);
    expect(() => nnx.grad((m: Counter) => sum(m.kernel), { argnums: 2 })(model)).toThrow(/argnum 2/);
    expect(() => nnx.valueAndGrad((m: Counter) => sum(m.kernel), { hasAux: true })(model)).toThrow(/\[value, aux\]/);
  });

  it("types follow the model", () => {
    const grads = nnx.grad((m: Shared) => sum(m.a))(new Shared());
    // @ts-expect-error there is no such field
    void grads.nope;
    const [loss] = nnx.valueAndGrad((m: Shared) => sub(sum(m.a), 1))(new Shared());
    expect(loss.shape satisfies readonly number[]).toEqual([]);
  });
});
