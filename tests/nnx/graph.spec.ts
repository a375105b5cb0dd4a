import { array, ArgumentError, ones, tree, zeros, type Tensor } from "@jnx/tensor";
import * as nnx from "@jnx/nnx";
import { useDevice } from "@jnx/testing";
import { describe, expect, it } from "vitest";

useDevice();

class Leafy extends nnx.Module {
  readonly a = new nnx.Param(ones([2]));
  b: nnx.Param = this.a;
  readonly list = [new nnx.Param(ones([1])), new nnx.BatchStat(zeros([1]))];
  readonly table: Tensor = ones([3]);
  readonly n = 3;
  readonly named = new Map([["z", new nnx.Cache(zeros([1]))]]);
}

class Ring extends nnx.Module {
  readonly self: Ring = this;
  readonly kernel = new nnx.Param(ones([1]));
}

function paths(state: nnx.State): string[] {
  return nnx.toFlatState(state).map(([path]) => path.join("."));
}

describe("split and merge", () => {
  it("walk fields in sorted order, shared Variables once, at their first path", () => {
    expect(paths(nnx.state(new Leafy()))).toEqual(["a", "list.0", "list.1", "named.z", "table"]);
  });

  it("merge keeps shared references, statics and containers", () => {
    const model = new Leafy();
    const [graphdef, state] = nnx.split(model);
    const again = nnx.merge(graphdef, state);
    expect(again).toBeInstanceOf(Leafy);
    expect(again === model).toBe(false);
    expect(again.b).toBe(again.a);
    expect(again.a === model.a).toBe(true); // Variables are the States' own, as in Flax
    expect(again.n).toBe(3);
    expect(again.list).toHaveLength(2);
    expect(again.named.get("z")).toBeInstanceOf(nnx.Cache);
  });

  it("cycles are fine", () => {
    const [graphdef, state] = nnx.split(new Ring());
    const again = nnx.merge(graphdef, state);
    expect(again.self).toBe(again);
    expect(paths(state)).toEqual(["kernel"]);
  });

  it("a plain container that contains itself is refused, by path", () => {
    class Bad extends nnx.Module {
      readonly box: { inner?: object } = {};
    }
    const bad = new Bad();
    bad.box.inner = bad.box;
    expect(() => nnx.split(bad)).toThrow(/"box.inner" is a plain container that contains itself/);
  });

  it("several filters: the first that takes a leaf wins", () => {
    const [graphdef, params, stats, rest] = nnx.split(new Leafy(), nnx.Param, nnx.BatchStat, "...");
    expect([paths(params), paths(stats), paths(rest)]).toEqual([["a", "list.0"], ["list.1"], ["named.z", "table"]]);
    expect(nnx.merge(graphdef, params, stats, rest).list[1]).toBeInstanceOf(nnx.BatchStat);
  });

  it("filters that leave leaves out are an error that names them", () => {
    expect(() => nnx.split(new Leafy(), nnx.Param)).toThrow(
      /leave out 3 of 5 leaves: "list.1" \(BatchStat\).*"\.\.\."/,
    );
  });

  it('"..." must be last', () => {
    expect(() => nnx.split(new Leafy(), "...", nnx.Param)).toThrow(ArgumentError);
    expect(nnx.split(new Leafy(), nnx.Param, "...", true)).toHaveLength(4);
  });

  it("merge with the wrong leaves says how many there are", () => {
    const [graphdef, params] = nnx.split(new Leafy(), nnx.Param, "...");
    expect(() => nnx.merge(graphdef, params)).toThrow(/has 5 leaves, the states have 2/);
  });

  it("a lone Variable is its own state", () => {
    const variable = new nnx.Param(ones([2]));
    const [graphdef, state] = nnx.split(variable);
    expect(state).toBe(variable);
    expect(nnx.merge(graphdef, variable)).toBe(variable);
  });
});

describe("GraphDef", () => {
  it("is equal for equal structure and differs by static values, classes, metadata and sharing", () => {
    const text = (model: object): string => nnx.graphdef(model).text;
    expect(text(new Leafy())).toBe(text(new Leafy()));
    const unshared = new Leafy();
    unshared.b = new nnx.Param(ones([2]));
    expect(text(unshared)).not.toBe(text(new Leafy()));
    const tagged = new Leafy();
    tagged.a.setMetadata({ tag: "x" });
    expect(text(tagged)).not.toBe(text(new Leafy()));
    const counted = new Leafy();
    Object.assign(counted, { n: 4 });
    expect(text(counted)).not.toBe(text(new Leafy()));
  });
});

describe("update, clone, pop", () => {
  it("update puts values in place, later states winning", async () => {
    const model = new Leafy();
    nnx.update(
      model,
      nnx.fromFlatState([[["a"], zeros([2])]]),
      nnx.fromFlatState([[["a"], array([5, 6], { dtype: "float32" })]]),
    );
    expect(await model.a.value.toArray()).toEqual([5, 6]);
    expect(model.b).toBe(model.a);
  });

  it("a wrong shape or dtype names the path and changes nothing", async () => {
    const model = new Leafy();
    const bad = nnx.fromFlatState([
      [["a"], zeros([2])],
      [["list", 0], zeros([7])],
    ]);
    expect(() => nnx.update(model, bad)).toThrow(/"list.0" has shape \[1\], received \[7\]/);
    expect(() => nnx.update(model, nnx.fromFlatState([[["a"], zeros([2], { dtype: "int32" })]]))).toThrow(
      /"a" is float32, received int32/,
    );
    expect(await model.a.value.toArray()).toEqual([1, 1]);
  });

  it("a bare array at an unknown path is refused, a Variable is added", () => {
    const model = new Leafy();
    expect(() => nnx.update(model, nnx.fromFlatState([[["kernel"], zeros([2])]]))).toThrow(/no array at "kernel"/);
    nnx.update(model, nnx.fromFlatState([[["extra"], new nnx.Param(zeros([2]))]]));
    expect(paths(nnx.state(model))).toContain("extra");
  });

  it("a leaf for a node, or a node for a leaf, is refused", () => {
    expect(() => nnx.update(new Leafy(), nnx.fromFlatState([[["list"], zeros([2])]]))).toThrow(/structure/);
    expect(() => nnx.update(new Leafy(), nnx.fromFlatState([[["a", "b"], zeros([2])]]))).toThrow(
      /nothing to look into at "a"/,
    );
  });

  it("clone has Variables of its own, shared as before", async () => {
    const model = new Leafy();
    const copy = nnx.clone(model);
    expect(copy.a === model.a).toBe(false);
    expect(copy.b).toBe(copy.a);
    copy.a.value = zeros([2]);
    expect(await model.a.value.toArray()).toEqual([1, 1]);
  });

  it("pop takes leaves out", () => {
    class Holder extends nnx.Module {
      readonly kernel = new nnx.Param(ones([1]));
      readonly seen = new nnx.Intermediate(ones([1]));
    }
    const holder = new Holder();
    expect(paths(nnx.pop(holder, nnx.Intermediate))).toEqual(["seen"]);
    expect(paths(nnx.state(holder))).toEqual(["kernel"]);
    expect(() => nnx.pop(new Leafy(), nnx.BatchStat)).toThrow(/in an array/);
  });

  it("iterModules gives inner modules first", () => {
    class Outer extends nnx.Module {
      readonly b = new nnx.Linear(1, 1, { rngs: new nnx.Rngs(0) });
      readonly a = [new nnx.Linear(1, 1, { rngs: new nnx.Rngs(0) })];
    }
    expect([...nnx.iterModules(new Outer())].map(([path]) => path.join("."))).toEqual(["a.0", "b", ""]);
  });
});

describe("State", () => {
  it("nests as the object does, with typed access", () => {
    const state = nnx.state(new nnx.Linear(2, 3, { rngs: new nnx.Rngs(0) }));
    expect(state.kernel.shape).toEqual([2, 3]);
    expect(state.kernel).toBeInstanceOf(nnx.Param);
    expect(nnx.entryAt(state, ["bias"])).toBe(state.bias);
  });

  it("is a tree of its arrays", async () => {
    const state = nnx.state(new Leafy(), nnx.Param);
    const doubled = tree.map((x: Tensor) => zeros(x.shape), state);
    expect(paths(doubled)).toEqual(["a", "list.0"]);
    expect(doubled.a).toBeInstanceOf(nnx.Param);
    expect(await doubled.a.value.toArray()).toEqual([0, 0]);
  });

  it("round-trips through flat form, numbers before names", () => {
    const state = nnx.fromFlatState([
      [["b"], zeros([])],
      [[10], zeros([])],
      [[9], zeros([])],
      [["a", 0], zeros([])],
    ]);
    expect(paths(state)).toEqual(["9", "10", "a.0", "b"]);
    expect(paths(nnx.fromFlatState(nnx.toFlatState(state)))).toEqual(paths(state));
    expect(() =>
      nnx.fromFlatState([
        [["a"], zeros([])],
        [["a", "b"], zeros([])],
      ]),
    ).toThrow(/through a leaf/);
  });

  it("mergeState, filterState, splitState, toPureDict", async () => {
    const state = nnx.state(new Leafy());
    const [params, rest] = nnx.splitState(state, nnx.Param, "...");
    expect(paths(nnx.mergeState(params ?? state, rest ?? state))).toEqual(paths(state));
    expect(paths(nnx.filterState(state, nnx.Cache))).toEqual(["named.z"]);
    expect(nnx.toPureDict(nnx.filterState(state, nnx.PathContains("table")))).toEqual({ table: expect.anything() });
  });
});

describe("filters", () => {
  const model = new Leafy();
  const cases: [string, nnx.Filter, string[]][] = [
    ["a class", nnx.BatchStat, ["list.1"]],
    ["the base class", nnx.Variable, ["a", "list.0", "list.1", "named.z"]],
    ["a predicate", (path) => path.length === 1, ["a", "table"]],
    ["true", true, ["a", "list.0", "list.1", "named.z", "table"]],
    ["false", false, []],
    ["null", null, []],
    ["an array", [nnx.Cache, nnx.BatchStat], ["list.1", "named.z"]],
    ["Not", nnx.Not(nnx.Variable), ["table"]],
    ["All", nnx.All(nnx.Param, nnx.PathContains("list")), ["list.0"]],
    ["Any", nnx.Any(nnx.Cache, nnx.PathIn(["a"])), ["a", "named.z"]],
  ];
  for (const [name, filter, expected] of cases) {
    it(name, () => expect(paths(nnx.state(model, filter))).toEqual(expected));
  }

  it("a string finds tags", () => {
    const rngs = new nnx.Rngs({ params: 0, dropout: 1 });
    expect(paths(nnx.state(rngs, "dropout"))).toEqual(["dropout.count", "dropout.key"]);
  });
});

describe("Module", () => {
  class Net extends nnx.Module {
    readonly dropout = new nnx.Dropout(0.5, { rngs: new nnx.Rngs(0) });
    readonly inner = [new nnx.Dropout(0.1)];
  }

  it("train and eval reach every module", () => {
    const net = new Net();
    net.eval();
    expect([net.dropout.deterministic, net.inner[0]?.deterministic]).toEqual([true, true]);
    net.train();
    expect([net.dropout.deterministic, net.inner[0]?.deterministic]).toEqual([false, false]);
  });

  it("setAttributes names what no module has", () => {
    const net = new Net();
    expect(() => net.setAttributes({ nope: 1, also: 2 })).toThrow(/no module has also, nope/);
    net.setAttributes({ rate: 0.25 }, { filter: (path) => path.length === 1 });
    expect([net.dropout.rate, net.inner[0]?.rate]).toEqual([0.25, 0.1]);
  });

  it("prints its fields with sizes", () => {
    const text = String(new nnx.Linear(3, 4, { rngs: new nnx.Rngs(0) }));
    expect(text).toContain("Linear ( # Param: 16 (64 B)");
    expect(text).toContain("kernel: Param float32[3, 4]");
  });
});
