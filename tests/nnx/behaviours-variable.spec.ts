/** Behaviours that Flax's own tests assert of Variables and containers, by the names of those tests. */
import { array, ones, random, tree, zeros, type Tensor, type TensorLike } from "@jnx/tensor";
import * as nnx from "@jnx/nnx";
import { useDevice } from "@jnx/testing";
import { jax } from "jnx";
import { describe, expect, it } from "vitest";
import { block } from "./block.ts";

useDevice();

describe("variable_test", () => {
  it("test_binary_ops, test_proxy_call: array functions and methods take Variables", async () => {
    const v = new nnx.Param(array([1, 2.5]));
    expect(await v.add(1).mul(v).toArray()).toEqual([2, 8.75]);
    expect(await v.sum().item()).toBe(3.5);
    expect(v.T.shape).toEqual([2]);
  });

  it("test_eq_op, test_broadcasting: comparisons are elementwise, and a Variable is indexed like its array", async () => {
    const [p, q] = [new nnx.Param(array([1, 2])), new nnx.Param(array([1, 3]))];
    expect(await p.equal(q).toArray()).toEqual([1, 0]);
    expect(await p.equal(2).toArray()).toEqual([0, 1]);
    expect(p.slice(null).shape).toEqual([1, 2]);
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
  it("test_list_pytree_default_behavior, test_list_pytree_mixed_static_data, test_list_pytree_flatten_unflatten", async () => {
    const list = new nnx.List<unknown>([ones([1]), nnx.static(10), "hello", nnx.data(2)]);
    expect(tree.leaves(list)).toHaveLength(2);
    const doubled = tree.map((x: Tensor) => x.mul(2), list);
    expect(doubled).toBeInstanceOf(nnx.List);
    expect([doubled[1], doubled[2], await (doubled[3] as Tensor).item()]).toEqual([10, "hello", 4]); // as data(2)
    const jitted = jax.jit((items: typeof list) => tree.map((x: Tensor) => x.mul(3), items))(list);
    expect([jitted[1], await (jitted[3] as Tensor).item()]).toEqual([10, 6]); // as data(2)
  });

  it("test_list_fori_loop: a List goes through a loop", async () => {
    const net = new nnx.Dict({ layers: new nnx.List([new nnx.Param(ones([1])), new nnx.Param(ones([1]))]) });
    const out = nnx.foriLoop(
      0,
      2,
      (_i: Tensor, carry: typeof net) => {
        for (const layer of carry.layers) layer.value = layer.mul(2);
        return carry;
      },
      net,
    );
    expect([out === net, await net.layers[1]?.value.toArray()]).toEqual([true, [4]]);
  });

  it("test_list_mutable_sequence", () => {
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

  it("test_dict_mutable_mapping, test_dict_setdefault, test_dict_contains", () => {
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
