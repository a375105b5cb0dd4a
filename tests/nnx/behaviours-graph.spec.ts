/** Behaviours that Flax's own tests assert of graphs and States, by the names of those tests. */
import { array, ArgumentError, ones, tree, zeros, type Tensor } from "@jnx/tensor";
import * as nnx from "@jnx/nnx";
import { useDevice } from "@jnx/testing";
import { describe, expect, it } from "vitest";

useDevice();

const linear = (din: number, dout: number): nnx.Linear => new nnx.Linear(din, dout, { rngs: new nnx.Rngs(0) });

function paths(state: nnx.State): string[] {
  return nnx.toFlatState(state).map(([path]) => path.join("."));
}

class Shared extends nnx.Module {
  readonly a: nnx.Linear = linear(2, 2);
  readonly b: nnx.Linear = linear(2, 2);
  readonly c: nnx.Linear = this.a;
}

describe("graph_utils_test", () => {
  it("test_shared_variables, test_tied_weights: one entry, and merge restores the identity", () => {
    const v = new nnx.Param(ones([1]));
    const tied = new nnx.Dict({ a: v, b: v });
    const [graphdef, state] = nnx.split(tied);
    expect(paths(state)).toEqual(["a"]);
    const again = nnx.merge(graphdef, state);
    expect(again.a).toBe(again.b);
  });

  it("test_unflatten: a shared Dict keeps its identity, test_unflatten_pytree: a shared plain object does not", () => {
    const node = new nnx.Dict({ x: new nnx.Param(ones([1])) });
    const plain = { x: new nnx.Param(ones([1])) };
    const [d1, s1] = nnx.split(new nnx.List([node, node]));
    const [d2, s2] = nnx.split(new nnx.List([plain, plain]));
    const [first, second] = nnx.merge(d1, s1);
    expect(first).toBe(second);
    const [third, fourth] = nnx.merge(d2, s2);
    expect(third).not.toBe(fourth);
    expect(third?.x).toBe(fourth?.x);
  });

  it("test_state_variables_shared_with_graph", () => {
    const model = linear(2, 3);
    const state = nnx.state(model);
    expect(state.kernel).toBe(model.kernel);
    expect(nnx.merge(...nnx.split(model)).kernel).toBe(model.kernel);
  });

  it("test_module_graph, test_split_self_referencing_module: cycles come through", () => {
    class Ring extends nnx.Module {
      readonly sub: { self: Ring } = { self: this };
      readonly a = new nnx.Param(ones([1]));
    }
    const ring = new Ring();
    const [graphdef, state] = nnx.split(ring);
    expect(paths(state)).toEqual(["a"]);
    const again = nnx.merge(graphdef, state);
    expect([again.sub.self === again, again === ring]).toEqual([true, false]);
  });

  it("test_split_merge_unkown_leaves: a bare array is its own state, and of filters the first has it", () => {
    const x = array([1, 2]);
    const [graphdef, state] = nnx.split(x);
    expect(state).toBe(x);
    expect(nnx.merge(graphdef, x)).toBe(x);
    const [, all, rest] = nnx.split(x, "...", true);
    expect(all).toBe(x);
    expect(nnx.toFlatState(rest)).toEqual([]);
  });

  it("test_split_variable, test_split_filter_variable: a bare Variable is its own state, other groups are empty", () => {
    const v = new nnx.Param(array([1]));
    const [graphdef, state] = nnx.split(v);
    expect(state).toBe(v);
    expect(nnx.merge(graphdef, v)).toBe(v);
    const [, stats, params] = nnx.split(v, nnx.BatchStat, nnx.Param);
    expect(params).toBe(v);
    expect(nnx.toFlatState(stats)).toEqual([]);
  });

  it("test_unflatten_empty, test_merge_missing_state", () => {
    const [graphdef] = nnx.split(linear(2, 2));
    expect(() => nnx.merge(graphdef, new nnx.State())).toThrow(/has 2 leaves, the states have 0; missing "bias"/);
    expect(() => nnx.unflatten(graphdef, [])).toThrow(/expected 2, received 0/);
    // Deliberately what the types refuse.
    expect(() => nnx.merge(graphdef as never)).toThrow(/the state is missing/);
  });

  it("merge takes States, nested objects, FlatStates and lists of leaves; a bare array becomes the Variable that was", async () => {
    const model = linear(2, 2);
    const [graphdef, state] = nnx.split(model);
    const flat = nnx.toFlatState(state);
    for (const same of [nnx.merge(graphdef, { ...state }), nnx.merge(graphdef, flat), nnx.merge(graphdef, flat.leaves)])
      expect(same.kernel).toBe(model.kernel);
    const raw = nnx.merge(graphdef, { bias: zeros([2]), kernel: ones([2, 2]) });
    expect(raw.kernel).toBeInstanceOf(nnx.Param);
    const restored = nnx.restoreIntPaths({ "0": { bias: zeros([1]), kernel: ones([1, 1]) } });
    const [one] = nnx.merge(nnx.graphdef([linear(1, 1)]), restored);
    expect(await one?.call(ones([1])).toArray()).toEqual([1]);
    expect(() => nnx.merge(graphdef, flat.leaves.slice(1))).toThrow(/expected 2, received 1/);
  });

  it("test_update_from_pure_dict, test_update_dict: update takes nested objects, and adds keys to dictionaries", async () => {
    const a = { b: new nnx.Param(array(2.5)) };
    const node = [a, 3, a, new nnx.Param(array(4.5))];
    nnx.update(node, { "0": { b: array(3.5) } });
    expect(await a.b.value.item()).toBe(3.5);
    // To be added to.
    const dict = new nnx.Dict({ a: new nnx.Param(ones([1])), plain: {} as Record<string, unknown> });
    nnx.update(dict, { b: new nnx.Param(zeros([1])), c: ones([2]), plain: { d: zeros([1]) } });
    expect([dict.keys(), Object.keys(dict.plain)]).toEqual([["a", "plain", "b", "c"], ["d"]]);
  });

  it("test_pop_dict: pop with (Param, predicate) leaves the rest", () => {
    const node = new nnx.Dict({
      a: new nnx.Param(ones([1])),
      b: { c: new nnx.BatchStat(ones([1])), d: ones([2]) },
      e: new nnx.Cache(ones([1])),
    });
    const [params, deep] = nnx.pop(node, nnx.Param, (path) => path.length > 1);
    expect([paths(params ?? new nnx.State()), paths(deep ?? new nnx.State())]).toEqual([["a"], ["b.c", "b.d"]]);
    expect(paths(nnx.state(node))).toEqual(["e"]);
  });

  it("test_iter_graph: post-order, nodes with identity once, arrays as often as referred to", () => {
    const [v, x] = [new nnx.Param(ones([1])), ones([2])];
    const node = new nnx.Dict({ a: v, b: v, c: x, d: x });
    const found = [...nnx.iterGraph(node)];
    expect(found.filter(([, value]) => value === v)).toHaveLength(1);
    expect(found.filter(([, value]) => value === x)).toHaveLength(2);
    expect(found.at(-1)?.[1] === node).toBe(true);
  });

  it("test_find_duplicates", () => {
    expect(nnx.findDuplicates(new Shared())).toEqual([[["a"], ["c"]]]);
    expect(nnx.findDuplicates(new Shared(), { only: nnx.Param })).toEqual([]);
  });

  it("test_resursive_map, test_resursive_map_replace: shared children are mapped once and stay shared", () => {
    const seen: string[] = [];
    const mapped = nnx.recursiveMap(
      (path, value) => {
        if (!(value instanceof nnx.Linear)) return value;
        seen.push(path.join("."));
        return new nnx.List([value]);
      },
      // Known by what was put in above.
      new Shared() as unknown as { a: object; c: object },
    ); // f changes what the fields are
    expect(seen).toEqual(["a", "b"]);
    expect(mapped.a).toBe(mapped.c);
    class Ring extends nnx.Module {
      readonly self = this;
    }
    expect(() => nnx.recursiveMap((_path, value) => value, new Ring())).toThrow(/"self" holds itself/);
  });

  it("test_map, test_map_with_path, test_map_recreate_variables_false", async () => {
    const model = new Shared();
    const mapped = nnx.map((path, leaf) => (path.at(-1) === "bias" ? ones(leaf.shape) : leaf), model);
    expect([mapped.a === mapped.c, mapped.a.kernel === model.a.kernel]).toEqual([true, true]);
    expect(mapped.b.bias).toBeInstanceOf(nnx.Param);
    expect(await mapped.b.bias?.value.toArray()).toEqual([1, 1]);
    const bare = nnx.map((_path, leaf) => zeros(leaf.shape), new nnx.Rngs(0), { recreateVariables: false });
    expect(bare.stream("default").count).not.toBeInstanceOf(nnx.Variable);
  });

  it("test_inclomplete_partition_error, test_ellipsis_not_last_error", () => {
    expect(() => nnx.split(new Shared(), nnx.BatchStat)).toThrow(/the filters leave out 4 of 4 leaves/);
    expect(() => nnx.split(new Shared(), "...", nnx.Param)).toThrow(ArgumentError);
  });

  it("test_graph_flatten_with_data_wrapper: data(1) is in the state, static(2) is not", async () => {
    const state = nnx.state(new nnx.Dict({ a: nnx.data(1), b: nnx.static(2), c: 3 }));
    expect(paths(state)).toEqual(["a"]);
    expect(() => nnx.static([ones([1])])).toThrow(/found data at "0"/);
  });

  it("test_unpack_no_filter, test_unpack_multiple_filters, test_unpack_merge_roundtrip: GraphStates go round", () => {
    const model = new Shared();
    const whole = nnx.unpack(model);
    expect(whole).toBeInstanceOf(nnx.State);
    expect(nnx.merge(whole).a.kernel).toBe(model.a.kernel);
    const [params, rest] = nnx.unpack(model, nnx.PathContains("a"), "...");
    expect([Object.keys(params), Object.keys(rest)]).toEqual([["a"], ["b"]]);
    const again = nnx.merge(params, rest);
    expect([again.a.kernel === model.a.kernel, again.c === again.a]).toEqual([true, true]);
    expect(params.graphdef.equals(rest.graphdef)).toBe(true);
  });

  it("test_unpack_state_is_pytree, test_unpack_paths_match_state_paths", () => {
    const model = new Shared();
    const whole = nnx.unpack(model);
    const mapped = tree.map((x: Tensor) => zeros(x.shape), whole);
    expect(mapped).toBeInstanceOf(nnx.GraphState);
    expect(nnx.merge(mapped).c.kernel.shape).toEqual([2, 2]);
    expect(tree.flattenWithPath(whole).paths).toEqual(tree.flattenWithPath(nnx.state(model)).paths);
    expect(tree.structure(whole).text).not.toBe(tree.structure(nnx.unpack(new nnx.Dict({ ...model }))).text);
  });

  it("test_unpack_with_nnx_grad_and_optimizer", async () => {
    const model = linear(2, 1);
    const [params, rest] = nnx.unpack(model, nnx.PathContains("kernel"), "...");
    const loss = (p: typeof params, r: typeof rest): Tensor =>
      nnx
        .merge(p, r)
        .call(ones([1, 2]))
        .sum();
    const grads = nnx.grad(loss)(params, rest);
    expect(grads).toBeInstanceOf(nnx.GraphState);
    expect(await nnx.merge(grads, rest).kernel.value.toArray()).toEqual([[1], [1]]);
  });

  it("test_merge_different_graphdefs_error, test_merge_wrong_type_error", () => {
    const model = new Shared();
    const [other] = nnx.unpack(new Shared(), nnx.Param);
    Object.assign(model, { extra: 1 });
    // Deliberately what the types refuse.
    expect(() => nnx.merge(nnx.unpack(model), other as never)).toThrow(/different GraphDefs/);
    // Deliberately what the types refuse.
    expect(() => nnx.merge(nnx.unpack(model), nnx.state(model) as never)).toThrow(/expected another GraphState/);
  });

  it("test_graph_state_mutation, test_graph_state_attribute_access, test_graph_state_update", async () => {
    const model = new Shared();
    const whole = nnx.unpack(model);
    expect(whole.a).toBeInstanceOf(nnx.State);
    Object.assign(whole.a, { kernel: whole.a.kernel.replace(zeros([2, 2])) });
    expect(await nnx.merge(whole).a.kernel.value.toArray()).toEqual([
      [0, 0],
      [0, 0],
    ]);
    Object.assign(whole.b, { kernel: zeros([2, 2]) });
    nnx.update(model, whole);
    expect(await model.b.kernel.value.sum().item()).toBe(0);
  });

  it("test_call: the object stays, the result has the state afterwards", async () => {
    class Counter extends nnx.Module {
      readonly count = new nnx.Variable(array(0));
      increment(by: number): number {
        this.count.value = this.count.add(by);
        return by;
      }
    }
    const before = nnx.split(new nnx.Dict({ a: new Counter(), b: new Counter() }));
    const [by, after] = nnx.call(before)["b"]?.["increment"]?.(2) ?? [];
    const node = nnx.merge(...(after ?? before)) as typeof nnx.Dict.prototype & { a: Counter; b: Counter }; // as split above
    expect([by, await node.a.count.value.item(), await node.b.count.value.item()]).toEqual([2, 0, 2]);
    expect(await nnx.merge(...before).b.count.value.item()).toBe(0);
  });
});

describe("state_test, partitioning_test", () => {
  it("test_pure_dict, test_replace_by_pure_dict: classes stay, unknown keys are refused", async () => {
    const model = new nnx.Dict({ layers: [linear(2, 2)], step: new nnx.BatchStat(ones([1])) });
    const state = nnx.state(model);
    const dict = nnx.toPureDict(state, () => zeros([1]));
    nnx.replaceByPureDict(state, JSON.parse(JSON.stringify({ step: 0 })) as nnx.PureDict); // any values
    expect(nnx.entryAt(state, ["step"])).toBeInstanceOf(nnx.BatchStat);
    nnx.replaceByPureDict(state, dict);
    const kernel = nnx.entryAt(state, ["layers", 0, "kernel"]);
    expect(kernel).toBeInstanceOf(nnx.Param);
    expect(kernel).not.toBe(model.layers[0]?.kernel);
    expect(() => nnx.replaceByPureDict(state, { layers: { "3": { kernel: 1 } } })).toThrow(
      /nothing at "layers.3.kernel"/,
    );
  });

  it("twelve layers are in numeric order, and restoreIntPaths makes numbers of digits", () => {
    const model = new nnx.Dict({ layers: Array.from({ length: 12 }, () => linear(1, 1)) });
    const positions = nnx.toFlatState(nnx.state(model)).map(([path]) => path[1]);
    expect([...new Set(positions)]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    const restored = nnx.restoreIntPaths({ layers: { "10": 1, "9": 2 } });
    // Known by what was put in above.
    expect([...(restored.get("layers") as Map<unknown, unknown>).keys()]).toEqual([9, 10]);
  });

  it("test_get_attr, test_set_attr, test_integer_access: nested states write through", () => {
    const state = nnx.state(new nnx.Dict({ layers: [linear(2, 2)] }));
    const kernel = new nnx.Param(zeros([2, 2]));
    const first = nnx.entryAt(state, ["layers", 0]) as nnx.State & { kernel: nnx.Param }; // a Linear's
    first.kernel = kernel;
    expect(nnx.entryAt(state, ["layers", 0, "kernel"])).toBe(kernel);
  });

  it("diff has what the other lacks", () => {
    expect(paths(nnx.diff(nnx.state(new Shared()), nnx.state(new Shared(), nnx.PathContains("a"))))).toEqual([
      "b.bias",
      "b.kernel",
    ]);
  });
});

describe("order of paths", () => {
  it("test_tree_flatten_unflatten_ordering: by path, whatever the order of fields", () => {
    const made = { b: ones([1]), a: { z: ones([1]), "10": ones([1]), "9": ones([1]) } };
    expect(nnx.toFlatState(nnx.state(made)).paths).toEqual([["a", 9], ["a", 10], ["a", "z"], ["b"]]);
    expect(Object.keys(nnx.merge(...nnx.split(new nnx.Dict(made))))).toEqual(["a", "b"]);
    const flat = new nnx.FlatState([
      [["b"], zeros([1])],
      [["a", 1], new nnx.Param(zeros([1]))],
      [["a"], zeros([1])],
    ]);
    expect(flat.paths).toEqual([["a"], ["a", 1], ["b"]]);
    const [params, others] = flat.split(nnx.Param, "...");
    expect([params.paths, others.length, flat.select(nnx.BatchStat).length]).toEqual([[["a", 1]], 2, 0]);
    expect(params.merge(others, new nnx.FlatState([[["b"], ones([2])]])).leaves.at(-1)?.shape).toEqual([2]);
    expect(flat.map(([path]) => path.length)).toEqual([1, 2, 1]);
  });
});

describe("GraphDef", () => {
  it("test_graphdef_hash_with_sequential, TestLayersSameGraph: initializers are no structure", () => {
    const make = (init: nnx.Initializer): nnx.GraphDef =>
      nnx.graphdef(new nnx.Linear(2, 2, { kernelInit: init, rngs: new nnx.Rngs(0) }));
    const [one, two] = [make(nnx.initializers.ones), make(nnx.initializers.zeros)];
    expect(one.equals(two)).toBe(true);
    expect(one.hash).toBe(two.hash);
    expect(one.hash).not.toBe(nnx.graphdef(linear(2, 3)).hash);
  });

  it("filters made alike are the same structure", () => {
    const make = (filter: nnx.Filter): nnx.GraphDef => nnx.graphdef(new nnx.Dict({ filter }));
    const key = (): nnx.Filter => nnx.All(nnx.Param, nnx.Not(nnx.PathContains("a", { exact: false })));
    expect(make(key()).equals(make(key()))).toBe(true);
    expect(make(nnx.PathContains("a")).equals(make(nnx.PathContains("b")))).toBe(false);
  });

  it("goes through JSON with every kind of static value, and names what it cannot hold", () => {
    const v = new nnx.Param(ones([1]), { tag: "x", axes: ["a", null] });
    const model = new nnx.Dict({
      a: v,
      b: v,
      numbers: [1, -0, Number.NaN, Number.POSITIVE_INFINITY, 10n],
      act: nnx.relu,
      map: new Map([["k", linear(1, 1)]]),
      nothing: undefined,
      table: ones([2]),
    });
    const graphdef = nnx.graphdef(model);
    const text = JSON.stringify(nnx.graphdefToJson(graphdef));
    // Known by what was put in above.
    const classes = [nnx.Dict as never, nnx.Param, nnx.Linear];
    // Known by what was put in above.
    const again = nnx.graphdefFromJson(JSON.parse(text) as nnx.Json, { classes, functions: [nnx.relu] });
    expect(again.equals(graphdef)).toBe(true);
    const merged = nnx.merge(again, nnx.state(model)) as typeof model; // the same structure
    expect(merged.a).toBe(merged.b);
    // Known by what was put in above.
    expect(() => nnx.graphdefFromJson(JSON.parse(text) as nnx.Json, { classes })).toThrow(/the function relu/);
    expect(() => nnx.graphdefToJson(nnx.graphdef(new nnx.Dict({ at: new Date() })))).toThrow(/"at" holds a Date/);
  });
});
