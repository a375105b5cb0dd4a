import { grad, vmap } from "@jnx/autodiff";
import { cond, jit, scan, whileLoop } from "@jnx/compile";
import * as nnx from "@jnx/nnx";
import * as t from "@jnx/tensor";
import type { Tensor } from "@jnx/tensor";
import { ArgumentError, executor, JnxError, ShapeError, TracedTensorError } from "@jnx/tensor";
import { useDevice } from "@jnx/testing";
import { describe, expect, test } from "vitest";

useDevice();

function thrown(f: () => unknown): JnxError {
  try {
    f();
  } catch (error) {
    if (error instanceof JnxError) return error;
  }
  throw new Error("nothing was thrown, or something else");
}

describe("a value of a trace", () => {
  test("that is read on the host is refused by the argument's name", async () => {
    const reads: Promise<unknown>[] = [];
    const step = jit(function step(state: { x: Tensor[] }, y: Tensor) {
      reads.push(state.x[0]?.item() ?? Promise.resolve(), y.data(), t.mul(y, 2).toArray());
      return y;
    });
    step({ x: [t.ones([])] }, t.ones([2]));
    const errors = (await Promise.allSettled(reads)).map((one) =>
      one.status === "rejected" ? String(one.reason) : "",
    );
    expect(errors[0]).toMatch(/^TracedTensorError: data: argument 0\.x\.0 of step, a float32\[\] that is being traced/);
    expect(errors[1]).toMatch(/data: argument 1 of step, a float32\[2\] .* return it from the traced function/);
    expect(errors[2]).toMatch(/data: a value of step, a float32\[2\]/);
  });

  test("of a Variable is refused by its path", async () => {
    const model = new nnx.Linear(2, 1, { rngs: new nnx.Rngs(0) });
    let read: Promise<unknown> = Promise.resolve();
    const loss = nnx.jit((m: nnx.Linear, x: Tensor) => {
      read = m.kernel.value.data();
      return m.call(x);
    });
    loss(model, t.ones([1, 2]));
    await expect(read).rejects.toThrow(/the Variable at kernel of jit,.* being traced has no value to read/);
  });

  test("that leaked names the function it leaked from", () => {
    let leaked: Tensor = t.ones([]);
    jit((x: Tensor) => (leaked = t.mul(x, 2)), { name: "outer" })(t.ones([2]));
    expect(() => t.add(leaked, 1)).toThrow(TracedTensorError);
    expect(() => t.add(leaked, 1)).toThrow(
      /received a value of outer, a float32\[2\], a value that existed only while/,
    );
    expect(() => jit(() => t.add(leaked, 1), { name: "inner" })()).toThrow(
      /inner: met a value of outer, .* another trace/,
    );
    for (const loop of [
      () => scan((c: Tensor, x: Tensor) => [(leaked = t.add(c, x)), null], t.array(0.5), t.array([1, 2.5])),
      () =>
        cond(
          t.array(true),
          (x: Tensor) => (leaked = t.sin(x)),
          (x: Tensor) => x,
          t.array(0.5),
        ),
      () =>
        whileLoop(
          (x: Tensor) => t.less(x, 1),
          (x: Tensor) => (leaked = t.add(x, 1)),
          t.array(0.5),
          { maxIterations: 2 },
        ),
      () => vmap((x: Tensor) => (leaked = t.sin(x)))(t.ones([2])),
    ]) {
      loop();
      expect(() => t.add(leaked, 1)).toThrow(/it leaked out of that function: return it instead of storing it/);
    }
  });

  test("cannot be a shape, nor decide how many elements there are", () => {
    const n = t.array(3);
    const shapes = [
      (k: Tensor): Tensor => t.zeros([k as unknown as number]), // `as`: what the types refuse
      (k: Tensor): Tensor => t.broadcastTo(1, [2, k as unknown as number]), // `as`: what the types refuse
    ];
    for (const f of shapes) {
      expect(() => jit(f)(n)).toThrow(ShapeError);
      expect(() => jit(f)(n)).toThrow(/a shape must be known on the host, .* \(staticArgnums\)/);
    }
    expect(() => jit((x: Tensor) => t.nonzero(x))(t.ones([3]))).toThrow(/say how many to give with \{ size \}/);
  });

  test("cannot steer JavaScript", () => {
    // `as`: what the types refuse
    expect(() => jit((x: Tensor) => ((x as unknown as number) > 0 ? x : t.neg(x)))(t.ones([]))).toThrow(
      /JavaScript operator/,
    );
  });
});

describe("a storm of traces", () => {
  test("names the argument that changed, or what did", () => {
    const f = jit((s: { a: Tensor; b: Tensor }, mode: string) => t.add(t.sum(s.a), mode === "x" ? t.sum(s.b) : 0), {
      maxTraces: 1,
      name: "step",
    });
    f({ a: t.ones([2]), b: t.ones([3]) }, "x");
    f({ a: t.ones([2]), b: t.ones([3]) }, "x");
    const other = thrown(() => f({ a: t.ones([2]), b: t.ones([4]) }, "x"));
    expect(other).toBeInstanceOf(ArgumentError);
    expect(other.message).toMatch(
      /maxTraces 1; argument 0\.b was float32\[3\] and is now float32\[4\]; pass what changes/,
    );
    expect(thrown(() => f({ a: t.ones([2]), b: t.ones([3]) }, "y")).message).toMatch(
      /a static value changed, from .*"x".* to .*"y"/,
    );
    expect(f.traces).toBe(3);
  });

  test("names the Variable", () => {
    const run = nnx.jit((p: { w: nnx.Param }) => t.sum(p.w.value), { maxTraces: 1 });
    run({ w: new nnx.Param(t.ones([2])) });
    expect(thrown(() => run({ w: new nnx.Param(t.ones([3])) })).message).toMatch(
      /a Variable among the arguments was float32\[2\] and is now float32\[3\]/,
    );
  });
});

test("a side effect on a Variable from outside names it", () => {
  const count = new nnx.Param(t.zeros([]));
  const f = nnx.jit((x: Tensor) => {
    count.value = t.sum(x);
    return x;
  });
  expect(() => f(t.ones([2]))).toThrow(nnx.TraceContextError);
});

describe("the user's own frame comes first", () => {
  const first = (error: Error): string => error.stack?.split("\n").find((line) => line.startsWith("    at ")) ?? "";

  test.each([
    ["eager", () => t.add(t.ones([2]), t.ones([3]))],
    ["jit", () => jit((x: Tensor) => t.matmul(x, t.ones([5, 1])))(t.ones([2, 3]))],
    ["grad", () => grad((x: Tensor) => t.reshape(x, [7]))(t.ones([2]))],
    ["scan", () => scan((c: Tensor) => [t.stack([c, c]), null], t.ones([]), null, { length: 2 })],
  ])("%s", (_name, mistake) => {
    const error = thrown(mistake);
    expect(first(error)).toContain("no-silent-traces.spec");
    // Nothing is lost: what of ours called it up comes last.
    expect(error.stack).toMatch(/packages\/tensor\/src|packages\/compile\/src/);
  });
});

describe("warmup", () => {
  test("compiles everything and runs nothing", async () => {
    const f = jit((x: Tensor) => {
      const y = scan((c: Tensor, row: Tensor) => [t.cos(t.add(c, row)), null], t.zeros([3]), x)[0];
      return cond(
        t.greater(t.sum(y), 0),
        (v: Tensor) => t.sum(t.exp2(v)),
        (v: Tensor) => t.prod(t.cos(v)),
        y,
      );
    });
    const before = executor().counters();
    await f.warmup(t.ones([4, 3]));
    expect([f.traces, executor().counters().dispatches - before.dispatches]).toEqual([1, 0]);
    const warm = executor().counters().pipelines;
    await f(t.ones([4, 3])).item();
    expect([f.traces, executor().counters().pipelines - warm]).toEqual([1, 0]);
  });

  test("of a compiled step over objects", async () => {
    const model = new nnx.Linear(2, 3, { rngs: new nnx.Rngs(0) });
    const f = nnx.jit((m: nnx.Linear, x: Tensor) => t.tan(m.call(x)));
    await f.warmup(model, t.ones([5, 2]));
    const warm = executor().counters().pipelines;
    await f(model, t.ones([5, 2])).data();
    expect([f.traces, executor().counters().pipelines - warm]).toEqual([1, 0]);
  });
});
