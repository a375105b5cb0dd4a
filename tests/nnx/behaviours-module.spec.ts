/** Behaviours that Flax's own tests assert of Modules, Variables and containers, by the names of those tests. */
import { array, ones, zeros, type Tensor } from "@jnx/tensor";
import * as nnx from "@jnx/nnx";
import { useDevice } from "@jnx/testing";
import { describe, expect, it } from "vitest";
import { block, type Block } from "./block.ts";

useDevice();

describe("module_test", () => {
  it("test_clone, test_clone_arrays_distinct_buffers", async () => {
    const model = block();
    const [copy, arrays, nodes] = [
      nnx.clone(model),
      nnx.clone(model, { arrays: true }),
      nnx.clone(model, { variables: false }),
    ];
    expect(copy.linear.kernel === model.linear.kernel).toBe(false);
    expect(copy.linear.kernel.value === model.linear.kernel.value).toBe(true);
    expect(arrays.linear.kernel.value === model.linear.kernel.value).toBe(false);
    expect(await arrays.linear.kernel.value.toArray()).toEqual(await model.linear.kernel.value.toArray());
    expect(nodes.linear.kernel === model.linear.kernel).toBe(true);
    expect(() => nnx.clone(model, { arrays: true, variables: false })).toThrow(/needs copies of the Variables/);
  });

  it("test_deepcopy: what is shared inside stays shared, a self reference leads to the copy", () => {
    class Ring extends nnx.Module {
      readonly self = this;
      readonly a = new nnx.Param(ones([1]));
      readonly b = this.a;
      readonly c = block();
      readonly d = this.c;
    }
    const model = new Ring();
    const copy = nnx.clone(model, { arrays: true });
    expect([copy.self === copy, copy.a === copy.b, copy.c === copy.d, copy.a === model.a]).toEqual([
      true,
      true,
      true,
      false,
    ]);
  });

  it("test_no_rejit: the same structure is traced once, a new field is another", () => {
    const model: Block & { extra?: string } = block();
    const f = nnx.jit((m: Block) => m.linear.call(ones([1, 2])));
    f(model);
    f(model);
    f(block());
    expect(f.traces).toBe(1);
    model.extra = "new";
    f(model);
    f(model);
    expect(f.traces).toBe(2);
  });

  it("test_consistent_attrs, test_data_after_init, test_explicit_dont_change: what a field holds says what it is", () => {
    class Foo extends nnx.Module {
      list: unknown[] = [];
      field: unknown = "text";
      constructor() {
        super();
        this.list.push(ones([1]));
      }
    }
    const model = new Foo();
    const names = (): string[] => nnx.toFlatState(nnx.state(model)).map(([path]) => path.join("."));
    expect(names()).toEqual(["list.0"]);
    const f = nnx.jit((m: Foo) => (m.field === null ? 1 : 2));
    const traces = ["text", ones([1]), zeros([1]), null].map((value) => {
      model.field = value;
      f(model);
      return [f.traces, names().includes("field")];
    });
    expect(traces).toEqual([
      [1, false],
      [2, true],
      [2, true],
      [3, false],
    ]);
    expect(() => nnx.static([ones([1])])).toThrow(/found data at "0"/);
  });

  it("test_set_attributes, test_set_attribute_error", () => {
    const model = block();
    model.setAttributes({ deterministic: true }, { filter: nnx.Dropout });
    expect(model.dropout.deterministic).toBe(true);
    expect(() => model.setAttributes({ unknown: 1 })).toThrow(/no module has unknown/);
    model.setAttributes({ unknown: 1 }, { raiseIfNotFound: false });
  });

  it("test_view, test_view_error: a copy with other modes around the same Variables", () => {
    const model = block();
    const other = nnx.view(model, { deterministic: true });
    expect([other.dropout.deterministic, model.dropout.deterministic]).toEqual([true, false]);
    expect(other.linear.kernel).toBe(model.linear.kernel);
    expect(() => nnx.view(model, { deterministic: true, typo: 1 })).toThrow(/no module takes typo/);
    expect(
      nnx.view(model, { deterministic: true }, { only: nnx.Linear, raiseIfNotFound: false }).dropout.deterministic,
    ).toBe(false);
  });

  it("test_with_attributes, test_with_attributes_filter, test_with_attributes_error", () => {
    const model = new nnx.Dict({ one: block(), two: block() });
    const other = nnx.withAttributes(model, { rate: 0.25 }, { only: nnx.PathContains("one") });
    expect([other.one.dropout.rate, other.two.dropout.rate, model.one.dropout.rate]).toEqual([0.25, 0.5, 0.5]);
    expect(other.one.linear.kernel).toBe(model.one.linear.kernel);
    expect(() => nnx.withAttributes(model, { typo: 1, also: 2 })).toThrow(/no module has also, typo/);
    expect(nnx.withAttributes(model, { typo: 1 }, { raiseIfNotFound: false }).one.dropout.rate).toBe(0.5);
  });

  it("test_view_info_with_filter, test_view_info_with_custom_set_mode: views that a class takes in its own way", () => {
    class Custom extends nnx.Module {
      static override readonly viewOptions = { level: "number; how loud" };
      volume = 0;
      override setView({ level }: nnx.Attributes): string[] {
        if (typeof level === "number") this.volume = level / 10;
        return level === undefined ? [] : ["level"];
      }
    }
    const model = new nnx.Dict({ a: new Custom(), b: block() });
    expect(nnx.view(model, { level: 5 }).a.volume).toBe(0.5);
    expect(nnx.viewInfo(model, { only: Custom })).toBe("Custom:\n  level: number; how loud");
    expect(nnx.viewInfo(model, { only: nnx.Linear })).toBe("");
  });

  it("test_view_info: a block for each class", () => {
    class Both extends nnx.Module {
      static override readonly viewOptions = { causal: "boolean; whether later positions are hidden" };
      causal = false;
      readonly inner = block();
    }
    expect(nnx.viewInfo(new Both())).toBe(
      [
        "Both:",
        "  causal: boolean; whether later positions are hidden",
        "Dropout:",
        "  deterministic: boolean | null; true switches dropping off",
      ].join("\n"),
    );
  });

  it("test_modules_iterator, test_children_modules_iterator", () => {
    class Outer extends nnx.Module {
      readonly layers = new nnx.List([block(), block()]);
      readonly scale = new nnx.Param(ones([1]));
    }
    expect([...nnx.iterModules(new Outer())].map(([path]) => path)).toEqual([
      ["layers", 0, "dropout"],
      ["layers", 0, "linear"],
      ["layers", 0],
      ["layers", 1, "dropout"],
      ["layers", 1, "linear"],
      ["layers", 1],
      ["layers"],
      [],
    ]);
    expect([...nnx.iterChildren(new Outer())].map(([key]) => key)).toEqual(["layers", "scale"]);
    expect([...nnx.iterModuleChildren(new Outer())].map(([key]) => key)).toEqual(["layers"]);
  });

  it("test_sow_existing_non_variable_field, test_sow_wrong_collection", () => {
    class Sower extends nnx.Module {
      readonly text = "x";
      readonly stat = new nnx.BatchStat(ones([1]));
    }
    const sower = new Sower();
    expect(() => sower.sow(nnx.Intermediate, "text", 1)).toThrow(/to be a Intermediate, it is no Variable/);
    expect(() => sower.sow(nnx.Intermediate, "stat", 1)).toThrow(/it is a BatchStat/);
    sower.sow("intermediates", "seen", 1);
    sower.sow(nnx.Intermediate, "seen", 2);
    expect(nnx.toPureDict(nnx.pop(sower, nnx.Intermediate))).toEqual({ seen: [1, 2] });
    expect("seen" in sower).toBe(false);
  });

  it("test_repr: the first line has the sizes of each kind", () => {
    expect(String(block()).split("\n")[0]).toBe("Block ( # RngState: 3 (12 B), Param: 6 (24 B), Total: 9 (36 B)");
  });
});

class Seen extends nnx.Module {
  readonly inner = block();
  call(x: Tensor): Tensor {
    this.sow(nnx.Intermediate, "input", x);
    const y = this.perturb("hidden", this.inner.linear.call(x));
    this.sow(nnx.Intermediate, "sum", 1, { init: () => 10, reduce: (a: number, b: number) => a + b });
    return y;
  }
}

describe("TestCapture", () => {
  it("test_nested_modules: a State for each class, nested like the modules, and the module as it was", () => {
    const model = new Seen();
    const before = nnx.graphdef(model).text;
    const [y, seen, zerosOf] = nnx.capture(model, nnx.Intermediate, nnx.Perturbation)(ones([1, 2]));
    // Known by what was captured or put in.
    expect((y as Tensor).shape).toEqual([1, 2]);
    // Known by what was captured or put in.
    expect(nnx.toFlatState(seen as nnx.State).map(([path]) => path)).toEqual([["input"], ["sum"]]);
    // Known by what was captured or put in.
    expect(nnx.toPureDict(seen as nnx.State)["sum"]).toBe(11);
    // Known by what was captured or put in.
    expect(nnx.entryAt(zerosOf as nnx.State, ["hidden"])).toBeInstanceOf(nnx.Perturbation);
    expect(nnx.graphdef(model).text).toBe(before);
  });

  it("drops what is not asked for, and undoes everything when the function throws", () => {
    const model = new Seen();
    expect(nnx.capture(model)(ones([1, 2])).shape).toEqual([1, 2]);
    expect("input" in model).toBe(false);
    const failing = nnx.capture((net: Seen) => {
      net.sow(nnx.Intermediate, "x", 1);
      throw new Error("stop");
    }, nnx.Intermediate);
    expect(() => failing(model)).toThrow("stop");
    model.sow(nnx.Intermediate, "x", 2);
    expect(nnx.toPureDict(nnx.pop(model, nnx.Intermediate))).toEqual({ x: [2] });
  });

  it("test_method_outputs_single_module, test_method_outputs_nested_modules, test_method_outputs_mixed_with_sow", () => {
    const [, seen] = nnx.capture(block(), nnx.Intermediate, { methodOutputs: nnx.Intermediate })(ones([1, 2]));
    expect(nnx.toFlatState(seen).map(([path]) => path.join("."))).toEqual(["call", "dropout.call", "linear.call"]);
    expect(nnx.Linear.prototype.call.name).toBe("call");
    const [, mixed] = nnx.capture(new Seen(), nnx.Intermediate, { methodOutputs: nnx.Intermediate })(ones([1, 2]));
    expect(nnx.toFlatState(mixed).map(([path]) => path.join("."))).toEqual([
      "call",
      "inner.linear.call",
      "input",
      "sum",
    ]);
  });

  it("test_vmap: perturbations and what is sown have the batch's axis", async () => {
    class Dot extends nnx.Module {
      readonly w = new nnx.Param(array([1, 2, 3, 4.5]));
      call(x: Tensor): Tensor {
        const y = this.perturb("grad_of_x", x).mul(this.w).sum();
        this.sow(nnx.Intermediate, "y", y);
        return y;
      }
    }
    const model = new Dot();
    const x = ones([3, 4]);
    const zerosOf = nnx.vmap((net: Dot, row: Tensor) => nnx.capture(net, nnx.Perturbation)(row)[1], {
      inAxes: [null, 0],
    });
    const loss = (net: Dot, init: nnx.State, row: Tensor): [Tensor, nnx.State] =>
      nnx.capture(net, nnx.Intermediate, { init })(row);
    const each = (net: Dot, init: nnx.State, row: Tensor): nnx.State => {
      const argnums = [0, new nnx.DiffState(1, nnx.Perturbation)];
      const [grads, sown] = nnx.grad(loss, { argnums, hasAux: true })(net, init, row);
      return nnx.mergeState(grads[1] as nnx.State, sown); // the gradient of a State
    };
    const found = nnx.jit(nnx.vmap(each, { inAxes: [null, 0, 0] }))(model, zerosOf(model, x), x);
    const gradient = nnx.entryAt(found, ["grad_of_x"]) as nnx.Perturbation; // what perturb made
    expect(await gradient.value.toArray()).toEqual(Array.from({ length: 3 }, () => [1, 2, 3, 4.5]));
    const sown = nnx.toPureDict(found)["y"] as Tensor[]; // what sow gathers in
    expect(sown.map((one) => one.shape)).toEqual([[3]]);
  });

  it("test_fwd_bwd: gradients of intermediate values, perturbations as init", async () => {
    const model = new Seen();
    const x = ones([1, 2]);
    const [, perturbations] = nnx.capture(model, nnx.Perturbation)(x);
    const loss = (net: Seen, init: nnx.State, input: Tensor): [Tensor, nnx.State] => {
      const [y, seen] = nnx.capture(net, nnx.Intermediate, { init })(input);
      return [y.mul(y).sum(), seen];
    };
    const y = await model.call(x).data();
    const [grads, seen] = nnx.grad(loss, {
      argnums: [0, new nnx.DiffState(1, nnx.Perturbation)],
      hasAux: true,
    })(model, perturbations, x);
    const hidden = nnx.entryAt(grads[1] as nnx.State, ["hidden"]) as nnx.Variable; // what perturb made
    expect(Array.from(await hidden.value.data())).toEqual(Array.from(y, (value) => Math.fround(2 * value)));
    expect(nnx.toFlatState(seen).map(([path]) => path[0])).toContain("input");
  });
});
