/** Behaviours that Flax's own tests assert of Modules, Variables and containers, by the names of those tests. */
import { array, ones, random, zeros, type Tensor, type TensorLike } from "@jnx/tensor";
import * as nnx from "@jnx/nnx";
import { useDevice } from "@jnx/testing";
import { describe, expect, it } from "vitest";

useDevice();

class Block extends nnx.Module {
  readonly linear: nnx.Linear;
  readonly dropout: nnx.Dropout;
  constructor({ rngs }: nnx.RngsOptions) {
    super();
    this.linear = new nnx.Linear(2, 2, { rngs });
    this.dropout = new nnx.Dropout(0.5, { rngs });
  }
  call(x: Tensor): Tensor {
    return this.dropout.call(this.linear.call(x));
  }
}

const block = (): Block => new Block({ rngs: new nnx.Rngs(0) });

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

  it("test_with_attributes", () => {
    const model = block();
    const other = nnx.withAttributes(model, { rate: 0.25 });
    expect([other.dropout.rate, model.dropout.rate]).toEqual([0.25, 0.5]);
    expect(() => nnx.withAttributes(model, { typo: 1 })).toThrow(/typo/);
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
  it("gives a State for each class, nested like the modules, and leaves the module as it was", () => {
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

  it("test_method_outputs: every method of every module's own class", () => {
    const [, seen] = nnx.capture(block(), nnx.Intermediate, { methodOutputs: nnx.Intermediate })(ones([1, 2]));
    expect(nnx.toFlatState(seen).map(([path]) => path.join("."))).toEqual(["call", "dropout.call", "linear.call"]);
    expect(nnx.Linear.prototype.call.name).toBe("call");
  });

  it("gradients of intermediate values: perturbations as init", async () => {
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

describe("variable_test", () => {
  it("test_binary_ops, test_proxy_call: array functions and methods take Variables", async () => {
    const v = new nnx.Param(array([1, 2.5]));
    expect(await v.add(1).mul(v).toArray()).toEqual([2, 8.75]);
    expect(await v.sum().item()).toBe(3.5);
    expect(v.T.shape).toEqual([2]);
  });

  it("test_get_set_metadata", () => {
    const v = new nnx.Param(ones([1]), { a: 1 });
    v.setMetadata("b", 2);
    v.setMetadata({ c: 3 });
    expect(v.getMetadata()).toEqual({ a: 1, b: 2, c: 3 });
    expect([v.getMetadata("a"), v.getMetadata("x", "none"), v.hasMetadata("x")]).toEqual([1, "none", false]);
    expect(() => v.getMetadata("x")).toThrow(/no metadata "x", there is a, b, c/);
    v.delMetadata("a");
    v.setMetadata({ d: 4 }, { replace: true });
    expect(v.metadata).toEqual({ d: 4 });
    expect(() => v.delMetadata("a")).toThrow(/no metadata "a"/);
  });

  it("test_set_module_metadata", () => {
    const model = block();
    nnx.setMetadata(model, { frozen: true }, { only: nnx.Param });
    expect([model.linear.kernel.getMetadata("frozen"), model.dropout.rngs?.key.hasMetadata("frozen")]).toEqual([
      true,
      false,
    ]);
  });

  it("containers_test: subclasses that override getValue and setValue are honoured, by layers, too", async () => {
    class Doubled extends nnx.Param {
      override getValue(): Tensor {
        return super.getValue().mul(2);
      }
      override setValue(next: Tensor): void {
        super.setValue(next.add(1));
      }
    }
    const layer = new nnx.Linear(1, 1, { rngs: new nnx.Rngs(0), useBias: false });
    const v = new Doubled(ones([1, 1]));
    Object.assign(layer, { kernel: v });
    expect(await layer.call(ones([1])).toArray()).toEqual([2]);
    v.value = ones([1, 1]);
    expect([await v.value.item(), await v.getRawValue().item()]).toEqual([4, 2]);
    expect(await v.copy().getRawValue().item()).toBe(2);
  });

  it("hooks run when a value is made, read and written", async () => {
    const seen: string[] = [];
    const note =
      (name: string) =>
      (_v: unknown, value: TensorLike): TensorLike => {
        seen.push(name);
        return value;
      };
    const hooks = { onCreateValue: note("create"), onGetValue: [note("get"), note("again")], onSetValue: note("set") };
    const kernelInit = nnx.withMetadata(nnx.initializers.ones, hooks);
    const { kernel } = new nnx.Linear(1, 1, { kernelInit, rngs: new nnx.Rngs(0) });
    kernel.value = kernel.value.add(1);
    expect(seen).toEqual(["create", "get", "again", "set"]);
    expect(() => new nnx.Param(new nnx.VariableMetadata(ones([1]), { a: 1 }), { a: 2 })).toThrow(/"a" is 1 in/);
  });

  it("copyFrom wants the same class, updateFromState takes any", async () => {
    const v = new nnx.Param(zeros([1]));
    expect(() => v.copyFrom(new nnx.BatchStat(ones([1])))).toThrow(/expected a Param, received a BatchStat/);
    v.updateFromState(new nnx.BatchStat(ones([1]), { a: 1 }));
    expect([await v.value.item(), v.metadata]).toEqual([1, { a: 1 }]);
  });

  it("names of Variable types", () => {
    expect(nnx.variableTypeFromName("params")).toBe(nnx.Param);
    expect(() => nnx.variableTypeFromName("nope")).toThrow(/no Variable type/);
    expect(() => nnx.registerVariableName("params", nnx.Cache)).toThrow(/"params" is Param already/);
    class Own extends nnx.Variable {}
    expect(() => nnx.variableNameFromType(Own)).toThrow(/Own has no registered name/);
    expect(nnx.variableNameFromType(Own, { allowRegister: true })).toBe("Own");
    expect(nnx.variableTypeFromName("made", { allowRegister: true }).name).toBe("made");
  });
});

describe("containers_test", () => {
  it("test_list: sequence", () => {
    const list = new nnx.List([1, 2, 3]);
    list.append(4);
    list.insert(-100, 0);
    list.extend([5]);
    expect([...list]).toEqual([0, 1, 2, 3, 4, 5]);
    expect([list.at(-1), list[0], list.length, list.pop(), list.pop(0)]).toEqual([5, 0, 6, 5, 0]);
    list.remove(2);
    list.reverse();
    list.set(-1, 9);
    expect([list.slice(), list.map((x) => x + 1)]).toEqual([
      [4, 3, 9],
      [5, 4, 10],
    ]);
    expect(() => list.at(3)).toThrow(RangeError);
  });

  it("test_dict: mapping", () => {
    const dict = new nnx.Dict({ a: 1, b: 2 });
    expect([dict.a, dict.keys(), dict.values(), dict.items(), dict.size, [...dict]]).toEqual([
      1,
      ["a", "b"],
      [1, 2],
      [
        ["a", 1],
        ["b", 2],
      ],
      2,
      ["a", "b"],
    ]);
    // Known by what was captured or put in.
    expect([dict.setdefault("c", 3 as never), dict.pop("c"), dict.has("c")]).toEqual([3, 3, false]);
    expect(() => dict.get("zz")).toThrow(/no entry "zz", there is a, b/);
    expect(() => new nnx.Dict({ keys: 1 })).toThrow(/name of a method/);
  });

  it("checkPytree finds data that came into a static field later", () => {
    const table: unknown[] = [1];
    const node = new nnx.Dict({ table: nnx.static(table) });
    nnx.checkPytree(node);
    table.push(random.key(0));
    expect(() => nnx.checkPytree(node)).toThrow(/"table.1" is data in a field marked as static/);
    expect(() => nnx.checkPytree([])).toThrow(/expected a Module/);
  });
});
