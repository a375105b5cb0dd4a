import { checkpoint, customJvp, customVjp, grad, jvp, vmap } from "@jnx/autodiff";
import { cond, foriLoop, jit, laxMap, laxSwitch, scan, whileLoop } from "@jnx/compile";
import * as nnx from "@jnx/nnx";
import * as t from "@jnx/tensor";
import type { Tensor } from "@jnx/tensor";
import { ArgumentError, EscapedTensorError, executor, JnxError, ShapeError, TracedTensorError } from "@jnx/tensor";
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
    const steered = jit((x: Tensor) => ((x as unknown as number) > 0 ? x : t.neg(x)));
    const error = thrown(() => steered(t.ones([])));
    expect(error).toBeInstanceOf(ArgumentError);
    expect(error.message).toMatch(/JavaScript operator/);
    expect(error.stack?.split("\n    at ")[1]).toMatch(/no-silent-traces/);
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

type F = (x: Tensor) => Tensor;
interface State {
  readonly h: Tensor;
}
const x = (): Tensor => t.array([0.5, 2.5]);

/** Transformations of a function of a vector, what errors call that vector, and who they say it is of. */
const traces: readonly (readonly [name: string, run: (f: F) => unknown, read: string])[] = [
  ["jit", (f) => jit((s: { a: Tensor }) => f(s.a))({ a: x() }), "argument 0.a of jit"],
  ["vmap", (f) => vmap((s: { a: Tensor }) => f(s.a))({ a: t.ones([3, 2]) }), "argument 0.a of vmap"],
  ["scan", (f) => scan((c: State, _: Tensor) => [{ h: f(c.h) }, null], { h: x() }, t.ones([3])), "the carry.h of scan"],
  ["scan's rows", (f) => scan((c: Tensor, r: State) => [c, f(r.h)], x(), { h: t.ones([3, 2]) }), "x.h of scan"],
  ["map", (f) => laxMap(f, t.ones([3, 2])), "x of map"],
  ["foriLoop", (f) => foriLoop(0, 3, (_i, v: Tensor) => f(v), x()), "the value of foriLoop"],
  [
    "whileLoop",
    (f) =>
      whileLoop(
        ({ h }: State) => t.less(t.sum(h), 1),
        ({ h }: State) => ({ h: f(h) }),
        { h: x() },
      ),
    "the value.h of whileLoop",
  ],
  [
    "cond",
    (f) =>
      cond(
        t.array(true),
        (s: State) => f(s.h),
        (s: State) => s.h,
        { h: x() },
      ),
    "operand 0.h of cond",
  ],
  [
    "switch",
    (f) => laxSwitch(t.array(1), [(_: Tensor, v: Tensor) => v, (_: Tensor, v: Tensor) => f(v)], t.ones([]), x()),
    "operand 1 of switch",
  ],
];
/** Those under which a function computes at once: what they make is gone afterwards, and reading what they are given is fine. */
const immediate: readonly (readonly [name: string, run: (f: F) => unknown])[] = [
  ["grad", (f) => grad((v: Tensor) => t.sum(f(v)))(x())],
  ["jvp", (f) => jvp(f, [x()], [x()])],
  ["checkpoint", (f) => grad((v: Tensor) => t.sum(checkpoint(f)(v)))(x())],
  [
    "customVjp",
    (f) => {
      const g = customVjp(f);
      g.defvjp(
        (v: Tensor) => [f(v), null],
        (_: null, ct: Tensor) => [ct],
      );
      return grad((v: Tensor) => t.sum(g(v)))(x());
    },
  ],
  [
    "customJvp",
    (f) =>
      jvp(
        customJvp(f).defjvps((v: Tensor) => v),
        [x()],
        [x()],
      ),
  ],
];

describe.each(traces)("under %s", (_name, run, what) => {
  test("a read on the host names what was read", async () => {
    let read: Promise<unknown> = Promise.resolve();
    run((v) => {
      read = v.data();
      read.catch(() => undefined);
      return v;
    });
    await expect(read).rejects.toThrow(TracedTensorError);
    await expect(read).rejects.toThrow(`data: ${what}, a float32[2] that is being traced has no value to read`);
  });

  test("a leaked value says whose it was", () => {
    let leaked = x();
    run((v) => {
      leaked = t.mul(v, 2);
      return v;
    });
    expect(() => t.add(leaked, 1)).toThrow(TracedTensorError);
    expect(() => t.add(leaked, 1)).toThrow(/received a value of (\w+), .* it leaked out of that function: return it/);
  });
});

describe.each(immediate)("under %s", (_name, run) => {
  test("a leaked value says where it was made and how to keep it", () => {
    let leaked = x();
    run((v) => {
      leaked = t.sin(v);
      return t.add(v, 1);
    });
    expect(() => t.add(leaked, 1)).toThrow(EscapedTensorError);
    expect(() => t.add(leaked, 1)).toThrow(/made by sin\) was born inside \w+ and was not returned by it.*; return it/);
  });
});

describe.each<readonly [string, (f: F) => unknown]>([
  ...traces.map(([name, run]) => [name, run] as const),
  ...immediate,
])("under %s", (_name, run) => {
  test("a Variable from outside that is written is refused, and keeps what it was", async () => {
    const outside = new nnx.Param(t.array([7, 8]));
    const write = (): unknown =>
      run((v) => {
        outside.value = v;
        return t.add(v, 0);
      });
    expect(write).toThrow(nnx.TraceContextError);
    expect(write).toThrow(/Param: cannot be written inside \w+, to which it was not passed; pass the object/);
    expect(await outside.value.toArray()).toEqual([7, 8]);
  });

  test("a shape, or a branch of JavaScript, that depends on data is refused", () => {
    // `as`: a Tensor for an extent, which types refuse and JavaScript lets through.
    expect(() => run((v) => t.zeros([v as unknown as number]))).toThrow(/a shape must be known on the host/);
    // `as`: a Tensor compared as a number, which types refuse and JavaScript lets through.
    expect(() => run((v) => ((v as unknown as number) > 0 ? v : t.neg(v)))).toThrow(/met a JavaScript operator/);
  });
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
