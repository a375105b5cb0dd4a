/** What nnx refuses, with paths, and that nothing is half done when it does. */
import { add, array, ones, sum, zeros, type Tensor } from "@jnx/tensor";
import * as nnx from "@jnx/nnx";
import { useDevice } from "@jnx/testing";
import { describe, expect, it } from "vitest";
import "jnx";

useDevice();

class Net extends nnx.Module {
  readonly a: nnx.Linear;
  readonly b: nnx.Linear;
  step = 0;
  constructor({ rngs }: nnx.RngsOptions) {
    super();
    this.a = new nnx.Linear(2, 3, { rngs });
    this.b = new nnx.Linear(3, 1, { rngs });
  }
}

const net = (seed = 0): Net => new Net({ rngs: new nnx.Rngs(seed) });

describe("a State that does not fit", () => {
  it("merge lists every path that is missing or left over", () => {
    const [graphdef, state] = nnx.split(net());
    const [, biases] = nnx.splitState(state, nnx.PathContains("kernel"), "...");
    expect(() => nnx.merge(graphdef, biases ?? state)).toThrow(
      /has 4 leaves, the states have 2; missing "a.kernel", "b.kernel"; pass all/,
    );
    const other = nnx.fromFlatState([
      [["a", "scale"], ones([1])],
      [["c"], ones([1])],
    ]);
    expect(() => nnx.merge(graphdef, state, other)).toThrow(/have 6; left over "a.scale", "c"/);
    expect(() => nnx.merge(graphdef, biases ?? state, other)).toThrow(/missing "a.kernel", "b.kernel"; left over/);
  });

  it("update lists every wrong shape and every path that is not there, and writes nothing", async () => {
    const model = net();
    const before = await model.a.bias?.value.toArray();
    const wrong = nnx.fromFlatState([
      [["a", "bias"], new nnx.Param(ones([3]))],
      [["a", "kernel"], new nnx.Param(ones([2, 4]))],
      [["b", "bias"], ones([7])],
    ]);
    expect(() => nnx.update(model, wrong)).toThrow(
      /"a.kernel" has shape \[2, 3\], received \[2, 4\]; "b.bias" has shape \[1\], received \[7\]; nothing was changed/,
    );
    expect(() => nnx.update(model, { a: { bias: ones([3]) }, c: { kernel: ones([1]) }, d: ones([1]) })).toThrow(
      /nothing to look into at "c"; the object has no array at "d"; it has "a", "b"; nothing was changed/,
    );
    expect(() => nnx.update(model, { a: { bias: "zeros" } })).toThrow(/a Variable or a Tensor at "a.bias", received/);
    expect(await model.a.bias?.value.toArray()).toEqual(before);
  });

  it("replaceByPureDict lists the paths that the State lacks", () => {
    const state = nnx.state(net());
    expect(() => nnx.replaceByPureDict(state, { a: { bias: ones([3]), gain: ones([1]) }, z: ones([1]) })).toThrow(
      /nothing at "a.gain", "z"; nothing was changed/,
    );
  });

  it("merge wants a structure and a state, and GraphStates of one structure", () => {
    const model = net();
    const [graphdef, state] = nnx.split(model);
    // Deliberately what the types refuse.
    expect(() => nnx.merge({} as never, state)).toThrow(/expected a GraphDef or a GraphState first, received object/);
    // Deliberately what the types refuse.
    expect(() => nnx.merge(graphdef as never)).toThrow(/the state is missing/);
    const whole = nnx.unpack(model);
    // Deliberately what the types refuse.
    expect(() => nnx.merge(whole, state as never)).toThrow(/expected another GraphState, received State/);
    model.step = 1;
    expect(() => nnx.merge(whole, nnx.unpack(model))).toThrow(/different GraphDefs/);
  });
});

describe("what fails half way through an object", () => {
  it("leaves it as it was: setAttributes, pop, setMetadata", () => {
    const model = new nnx.Dict({
      one: new nnx.Dropout(0.5),
      list: [new nnx.Param(ones([1]))],
      w: new nnx.Param(ones([1])),
    });
    expect(() => model.setAttributes({ rate: 0.25, typo: 1 })).toThrow(/no module has typo/);
    expect(model.one.rate).toBe(0.5);
    const only = new nnx.Dict({ a: new nnx.Param(ones([1])), list: model.list });
    expect(() => nnx.pop(only, nnx.Param)).toThrow(/"list.0" is in an array/);
    expect(only.has("a")).toBe(true);
    const inner = new nnx.Param(ones([1]));
    const tag = nnx.jit((given: nnx.Param) => nnx.setMetadata([given, model.w], { tag: "x" }));
    expect(() => tag(inner)).toThrow(nnx.TraceContextError);
    expect(inner.metadata).toEqual({});
  });
});

describe("a filter list that does not cover", () => {
  it("is told with the paths that are left, by split, splitState, unpack, FlatState and StateAxes", () => {
    const model = new nnx.Dict({ w: new nnx.Param(ones([2])), mean: new nnx.BatchStat(ones([2])) });
    const left = /leave out 1 of 2 leaves: "mean" \(BatchStat\); add "\.\.\."/;
    expect(() => nnx.split(model, nnx.Param)).toThrow(left);
    expect(() => nnx.unpack(model, nnx.Param)).toThrow(left);
    expect(() => nnx.splitState(nnx.state(model), nnx.Param)).toThrow(left);
    expect(() => nnx.toFlatState(nnx.state(model)).split(nnx.Param)).toThrow(left);
    const inAxes = [new nnx.StateAxes([[nnx.Param, 0]])];
    expect(() => nnx.vmap((m: typeof model) => sum(m.w), { inAxes })(model)).toThrow(/no axis for BatchStat at "mean"/);
  });
});

describe("aliased arguments with inconsistent axes", () => {
  it("are told with every path and axis, before anything runs", async () => {
    const layer = new nnx.Linear(2, 2, { rngs: new nnx.Rngs(0) });
    let ran = 0;
    const f = nnx.vmap(
      (one: nnx.Linear, two: { m: nnx.Linear }) => {
        ran++;
        return add(sum(one.kernel), sum(two.m.kernel));
      },
      { inAxes: [0, null] },
    );
    expect(() => f(layer, { m: layer })).toThrow(
      /inconsistent aliasing.*Param at "argument 0.kernel" with axis 0, at "argument 1.m.kernel" with axis null/,
    );
    expect(ran).toBe(0);
  });
});

describe("a missing rng stream", () => {
  it("is told with those there are, and what else was drawn stays drawn", () => {
    const rngs = new nnx.Rngs({ dropout: 0 });
    expect(() => new nnx.Linear(2, 2, { rngs })).toThrow(
      /no stream "params" and no default; there is dropout; add it to new Rngs/,
    );
    expect(() => new nnx.Rngs().call()).toThrow(/no stream "default" and no default; there are none/);
    const attention = { numHeads: 1, inFeatures: 2, dropoutRate: 0.5 };
    expect(() => new nnx.MultiHeadAttention({ ...attention, rngs: new nnx.Rngs({ params: 0 }) })).toThrow(
      /no stream "dropout" and no default; there is params/,
    );
    const dropout = new nnx.Dropout(0.5);
    expect(() => dropout.call(ones([2]), { rngs: new nnx.Rngs({ params: 0, noise: 1 }) })).toThrow(
      /no stream "dropout" and no default; there are params, noise/,
    );
  });
});

describe("mutation of a captured module", () => {
  it("test_trace_level: a Variable of it", () => {
    const model = net();
    const write = nnx.jit(
      (x: Tensor) => {
        model.a.kernel.value = zeros([2, 3]);
        return x;
      },
      { name: "step" },
    );
    expect(() => write(ones([1]))).toThrow(/Param: cannot be written inside step, to which it was not passed/);
    expect(() =>
      nnx.grad((v: nnx.Param) => {
        model.a.kernel.value = zeros([2, 3]);
        return sum(v);
      })(new nnx.Param(ones([1]))),
    ).toThrow(nnx.TraceContextError);
  });

  it("test_object_state: a field of it, which is put back", () => {
    const model: Net & { extra?: unknown } = net();
    const count = nnx.jit((x: Tensor) => {
      model.step++;
      return x;
    });
    expect(() => count(ones([1]))).toThrow(
      /the field "step" of a Net was written inside .*, to which the Net was not passed.*pass/,
    );
    expect(model.step).toBe(0);
    const grow = nnx.jit((x: Tensor) => {
      model.extra = new nnx.Param(add(x, 1));
      return x;
    });
    expect(() => grow(ones([1]))).toThrow(nnx.TraceContextError);
    expect("extra" in model).toBe(false);
    const shrink = nnx.jit((x: Tensor) => {
      delete model.extra;
      return x;
    });
    model.extra = 1;
    expect(() => shrink(ones([1]))).toThrow(/"extra"/);
    expect(model.extra).toBe(1);
  });

  class Counter extends nnx.Module {
    count = 0;
    readonly p = new nnx.Param(ones([]));
    readonly seen = new nnx.BatchStat(zeros([]));
  }

  const one = (): Tensor => ones([]);
  const carried = { inAxes: [nnx.Carry, 0], outAxes: [nnx.Carry, 0] } as const;
  const scaled = (m: Counter, x: Tensor): Tensor => sum(x.mul(m.p.value));

  /** Each runs a function that changes something which it was not given. */
  const transforms: Readonly<Record<string, (change: <T>(value: T) => T) => unknown>> = {
    grad: (change) => nnx.grad((m: Counter, x: Tensor) => change(scaled(m, x)))(new Counter(), one()),
    valueAndGrad: (change) => nnx.valueAndGrad((m: Counter, x: Tensor) => change(scaled(m, x)))(new Counter(), one()),
    vjp: (change) => nnx.vjp((x: Tensor) => change(x), [one()]),
    jvp: (change) => nnx.jvp((x: Tensor) => change(x), [one()], [one()]),
    vmap: (change) => nnx.vmap((x: Tensor) => change(x))(ones([3])),
    scan: (change) => nnx.scan((c: Tensor, x: Tensor): [Tensor, Tensor] => change([c, x]), carried)(one(), ones([3])),
    cond: (change) =>
      nnx.cond(
        array(true),
        (x: Tensor) => change(x),
        (x: Tensor) => x,
        one(),
      ),
    switch: (change) => nnx.switch(array(1), [(x: Tensor) => x, (x: Tensor) => change(x)], one()),
    whileLoop: (change) =>
      nnx.whileLoop(
        (x: Tensor) => x.less(3),
        (x: Tensor) => change(x.add(1)),
        one(),
      ),
    foriLoop: (change) => nnx.foriLoop(0, 3, (_i: Tensor, x: Tensor) => change(x.add(1)), one()),
    remat: (change) => nnx.remat((x: Tensor) => change(x))(one()),
    evalShape: (change) => nnx.evalShape((x: Tensor) => change(x), one()),
    checkify: (change) => nnx.checkify((x: Tensor) => change(x))(one()),
    "jit of grad": (change) =>
      nnx.jit((m: Counter) => nnx.grad((own: Counter) => change(scaled(own, one())))(m))(new Counter()),
  };

  it.each(Object.entries(transforms))("is refused and undone in %s", async (_name, run) => {
    const model = new Counter();
    const count = <T>(value: T): T => {
      model.count++;
      return value;
    };
    expect(() => run(count)).toThrow(/the field "count" of a Counter was written inside .*, to which .* not passed/);
    const note = <T>(value: T): T => {
      model.seen.value = ones([]);
      return value;
    };
    expect(() => run(note)).toThrow(/BatchStat: cannot be written inside .*, to which it was not passed/);
    const fail = <T>(_value: T): T => {
      model.count++;
      throw new RangeError("no");
    };
    expect(() => run(fail)).toThrow(RangeError);
    expect([model.count, await model.seen.value.item()]).toEqual([0, 0]);
  });

  it("not of one that was passed, at any depth, nor of one made inside", () => {
    const model = net();
    const list = new nnx.List([1]);
    const f = nnx.jit((given: { m: Net }, rngs: nnx.Rngs, items: nnx.List<number>) => {
      given.m.step++;
      items.append(2);
      const made = new Net({ rngs });
      made.step = 5;
      return made;
    });
    const made = f({ m: model }, new nnx.Rngs(0), list);
    expect([model.step, made.step, [...list]]).toEqual([1, 5, [1, 2]]);
  });

  it("test_captured_module_in_return_error: it cannot be returned either", () => {
    const model = net();
    expect(() => nnx.jit(() => model)()).toThrow(
      /returns or keeps Param at "a.bias", which was made outside and not passed to it/,
    );
    expect(() => nnx.vmap((_x: Tensor) => model)(array([1, 2]))).toThrow(nnx.TraceContextError);
  });
});
