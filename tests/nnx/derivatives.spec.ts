/** nnx.vjp, jvp and remat: behaviours that Flax's own tests assert, and what goes wrong. */
import { add, array, div, mean, mul, ones, onesLike, sin, square, sum, zeros, type Tensor } from "@jnx/tensor";
import * as nnx from "@jnx/nnx";
import { useDevice } from "@jnx/testing";
import { describe, expect, it } from "vitest";

useDevice();

class Scale extends nnx.Module {
  readonly w = new nnx.Param(array([1, 2.5]));
  readonly b = new nnx.Param(array([0, 1], { dtype: "float32" }));
  readonly seen = new nnx.BatchStat(zeros([]));
  call(x: Tensor): Tensor {
    const y = add(mul(this.w, x), this.b);
    this.seen.value = add(this.seen, mean(y));
    return y;
  }
}

describe("vjp", () => {
  it("test_vjp_basic, test_vjp_state_propagation: gradients by path and class, writes once", async () => {
    const net = new Scale();
    const [y, pull] = nnx.vjp((m: Scale, x: Tensor) => m.call(x), [net, array([3, 4.5])]);
    expect(await y.toArray()).toEqual([3, 12.25]);
    expect(await net.seen.value.item()).toBe(7.625);
    for (const scale of [1, 2]) {
      const [grads, dx] = pull(array([scale, 10 * scale], { dtype: "float32" }));
      expect(grads.w).toBeInstanceOf(nnx.Param);
      expect(await grads.w.value.toArray()).toEqual([3 * scale, 45 * scale]);
      expect(await grads.b.value.toArray()).toEqual([scale, 10 * scale]);
      expect(await grads.seen.value.item()).toBe(0);
      expect(await dx.toArray()).toEqual([scale, 25 * scale]);
    }
    expect(await net.seen.value.item()).toBe(7.625);
    expect(await net.w.value.toArray()).toEqual([1, 2.5]);
    net.w.value = ones([2]); // writable outside again
  });

  it("test_vjp_has_aux; trees of arrays as value", async () => {
    const f = (m: Scale, x: Tensor): [{ y: Tensor }, Tensor] => [{ y: m.call(x) }, sum(x)];
    const [value, pull, aux] = nnx.vjp(f, [new Scale(), ones([2])], { hasAux: true });
    expect([await value.y.toArray(), await aux.item()]).toEqual([[1, 3.5], 2]);
    const [grads] = pull({ y: ones([2]) });
    expect(await grads.w.value.toArray()).toEqual([1, 1]);
  });

  it("inside jit and vmap", async () => {
    const run = nnx.jit((m: Scale, x: Tensor) => {
      const [, pull] = nnx.vjp((one: Scale, v: Tensor) => one.call(v), [m, x]);
      return pull(ones([2]))[1];
    });
    expect(await run(new Scale(), ones([2])).toArray()).toEqual([1, 2.5]);
    const net = new Scale();
    const each = nnx.vmap((x: Tensor) => nnx.vjp((v: Tensor) => sin(v), [x])[1](ones([]))[0]);
    expect(await each(array([0, 0.5])).toArray()).toEqual([1, expect.closeTo(Math.cos(0.5), 6)]);
    expect(net.w.shape).toEqual([2]);
  });

  it("mistakes: integers with their path, cotangents of another shape, objects as value, no pair", () => {
    const drop = new nnx.Dropout(0.5, { rngs: new nnx.Rngs(0) });
    expect(() => nnx.vjp((m: nnx.Dropout, x: Tensor) => m.call(x), [drop, ones([2])])).toThrow(
      /vjp: RngCount at "rngs.count" of argument 0 is uint32, which has no derivative; split it off/,
    );
    const [, pull] = nnx.vjp((m: Scale) => m.call(ones([2])), [new Scale()]);
    expect(() => pull(ones([3]))).toThrow(/vjp/);
    expect(() => nnx.vjp(() => new Scale(), [])).toThrow(/returns an object as its value/);
    expect(() => nnx.vjp((m: Scale) => m.call(ones([2])), [new Scale()], { hasAux: true })).toThrow(/\[value, aux\]/);
    const other = new Scale();
    expect(() => nnx.vjp((x: Tensor) => other.call(x), [ones([2])])).toThrow(nnx.TraceContextError);
  });
});

describe("jvp", () => {
  it("test_jvp_*: along a State or an object of the same structure; writes once", async () => {
    const net = new Scale();
    const along = nnx.mapState((_path, leaf) => onesLike(leaf), nnx.state(net));
    const f = (m: Scale, x: Tensor): Tensor => m.call(x);
    const [y, dy] = nnx.jvp(f, [net, array([3, 4.5])], [along, array([10, 100], { dtype: "float32" })]);
    expect([await y.toArray(), await dy.toArray()]).toEqual([
      [3, 12.25],
      [3 + 1 + 10, 4.5 + 1 + 250],
    ]);
    expect(await net.seen.value.item()).toBe(7.625);
    const object = nnx.jvp(f, [new Scale(), ones([2])], [new Scale(), zeros([2])])[1];
    expect(await object.toArray()).toEqual([1, 3.5]);
    const [, , aux] = nnx.jvp((m: Scale): [Tensor, Tensor] => [sum(m.w), sum(m.b)], [net], [along], { hasAux: true });
    expect(await aux.item()).toBe(1);
  });

  it("tangents that are missing are listed", () => {
    const some = nnx.state(new Scale(), nnx.PathContains("w"));
    expect(() => nnx.jvp((m: Scale) => m.call(ones([2])), [new Scale()], [some])).toThrow(
      /no tangent for Param at "b" of argument 0, BatchStat at "seen" of argument 0/,
    );
  });
});

class Noisy extends nnx.Module {
  readonly linear: nnx.Linear;
  readonly dropout: nnx.Dropout;
  readonly seen = new nnx.BatchStat(zeros([]));
  runs = 0;
  constructor({ rngs }: nnx.RngsOptions) {
    super();
    this.linear = new nnx.Linear(3, 3, { rngs });
    this.dropout = new nnx.Dropout(0.5, { rngs });
  }
  call(x: Tensor): Tensor {
    this.seen.value = add(this.seen, 1);
    return this.dropout.call(nnx.tanh(this.linear.call(x)));
  }
}

describe("remat", () => {
  it("test_remat_basic: the same gradients, masks and writes as without, eagerly and compiled", async () => {
    const x = ones([4, 3]);
    const results: (readonly unknown[])[] = [];
    const plain = (m: Noisy, v: Tensor): Tensor => m.call(v);
    for (const forward of [plain, nnx.remat(plain), nnx.checkpoint(plain)]) {
      for (const jitted of [false, true]) {
        const net = new Noisy({ rngs: new nnx.Rngs(0) });
        const gradient = (m: Noisy): nnx.StateOf<Noisy> => nnx.grad((one: Noisy) => sum(square(forward(one, x))))(m);
        const grads = (jitted ? nnx.jit(gradient) : gradient)(net);
        const kernel = Array.from(await grads.linear.kernel.value.data(), (v) => v.toFixed(5));
        results.push([kernel, await net.seen.value.item(), await net.dropout.rngs?.count.value.item()]);
      }
    }
    for (const result of results) expect(result).toEqual(results[0]);
    expect(results[0]?.slice(1)).toEqual([1, 1]);
  });

  it("objects made inside come out; strings and options go in as they are", async () => {
    const make = nnx.remat((x: Tensor, kind: string, options: { scale: number }) => {
      const net = new Scale();
      if (kind === "double") net.w.value = mul(x, options.scale);
      return net;
    });
    const net = make(ones([2]), "double", { scale: 2 });
    expect(await net.w.value.toArray()).toEqual([2, 2]);
    net.w.value = ones([2]);
    expect(() => nnx.remat(net.call.bind(net))).toThrow(/does not take bound methods/);
  });
});

describe("transforms_test.TestCheckify", () => {
  it("test_basic: the first wrong result, by its op, through jit and grad too", async () => {
    const m = new nnx.Dict({ a: new nnx.Param(array(Number.POSITIVE_INFINITY)) });
    const f = (one: typeof m): Tensor => add(one.a, sin(one.a));
    for (const checked of [nnx.checkify(f), nnx.jit(nnx.checkify(f)), nnx.checkify(nnx.jit(f), { errors: "nan" })]) {
      const [error, out] = checked(m);
      expect([await error.get(), await out.item()]).toEqual(["nan generated by primitive: sin", Number.NaN]);
      await expect(error.throw()).rejects.toThrow(/checkify: nan generated by primitive: sin/);
    }
    const gradient = nnx.checkify((one: typeof m) => nnx.grad((p: typeof m) => div(1, p.a))(one), { errors: "div" });
    m.a.value = zeros([]);
    expect(await gradient(m)[0].get()).toBe("division by zero");
    m.a.value = ones([]);
    const [fine, grads] = gradient(m);
    await fine.throw();
    expect([await fine.get(), await grads.a.value.item()]).toEqual([null, -1]);
    // Deliberately what the types refuse.
    expect(() => nnx.checkify(f, { errors: "index" as never })).toThrow(/errors must be "nan", "div" or "float"/);
  });

  it("test_checkify_stateful: what is written is written", async () => {
    const count = new nnx.Variable(array(0));
    const f = nnx.jit((c: nnx.Variable) => {
      c.value = add(c, 1);
      return c.value;
    });
    const [error, out] = nnx.checkify(f)(count);
    expect([await error.get(), await count.value.item(), await out.item()]).toEqual([null, 1, 1]);
  });
});
