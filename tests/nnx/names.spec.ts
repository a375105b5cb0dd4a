/** The table of flax.nnx's names, and what stands in it that no other spec looks at. */
import { nnx } from "jnx";
import { describe, expect, it } from "vitest";
import { rows } from "../../scripts/nnx-names.ts";

/** Names that spec pages call core or expected, and that are types, not values. */
const TYPES = ["Initializer", "PureState"];

/** Of these there is one form only, for the reason in the table. */
const OTHERWISE = /^(?:a TypeScript type parameter|a module of Python's|the type |for |There is one WebGPU device)/;

describe("NAMES.md", () => {
  it("has all 217 names, none missing, and each that is here exists", () => {
    const all = rows();
    expect(all).toHaveLength(217);
    expect(all.filter(([, , state]) => state === "missing")).toEqual([]);
    for (const [, here, state] of all)
      if (state === "here") expect(Reflect.get(nnx, here.slice("`nnx.".length, -1)), here).toBeDefined();
    for (const name of TYPES) expect(all.find(([flax]) => flax === name)?.[2]).toMatch(OTHERWISE);
  });
});

describe("nnx.compat, setGraphMode, setGraphUpdates", () => {
  it("are the one mode there is", () => {
    for (const [name, value] of Object.entries(nnx.compat)) expect(Reflect.get(nnx, name), name).toBe(value);
    expect(Object.keys(nnx.compat)).toHaveLength(33);
    nnx.setGraphMode(true);
    nnx.setGraphUpdates(true);
    expect(() => nnx.setGraphMode(false)).toThrow(/there is one mode here, true/);
    expect(() => nnx.setGraphUpdates(false)).toThrow(/nnx.clone/);
  });
});

describe("test_traversals", () => {
  const xs = { foo: 1, bar: { a: 2, b: {} } };

  it("test_flatten_mapping, test_unflatten_mapping", () => {
    expect([...nnx.traversals.flattenMapping(xs)]).toEqual([
      [["foo"], 1],
      [["bar", "a"], 2],
    ]);
    expect(nnx.traversals.flattenMapping(xs, { sep: "/" })).toEqual({ foo: 1, "bar/a": 2 });
    expect(nnx.traversals.unflattenMapping(nnx.traversals.flattenMapping(xs))).toEqual({ foo: 1, bar: { a: 2 } });
    expect(nnx.traversals.unflattenMapping({ "bar/a": 2 }, { sep: "/" })).toEqual({ bar: { a: 2 } });
    expect([...nnx.traversals.flattenMapping(new Map([[0, { a: 1 }]]))]).toEqual([[[0, "a"], 1]]);
  });

  it("test_flatten_mapping_keep_empty, test_flatten_mapping_is_leaf", () => {
    const kept = nnx.traversals.flattenMapping(xs, { keepEmptyNodes: true });
    expect([...kept].at(-1)).toEqual([["bar", "b"], nnx.traversals.emptyNode]);
    expect(nnx.traversals.unflattenMapping(kept)).toEqual(xs);
    const isLeaf = (path: nnx.Path): boolean => path.length === 1;
    expect(nnx.traversals.flattenToSequence(xs, { isLeaf })).toEqual([
      [["foo"], 1],
      [["bar"], xs.bar],
    ]);
  });

  it("refuses what is no mapping, and paths through values", () => {
    // Deliberately what the types refuse.
    expect(() => nnx.traversals.flattenMapping(1 as never)).toThrow(/expected a plain object or a Map/);
    expect(() =>
      nnx.traversals.unflattenMapping([
        [["a"], 1],
        [["a", "b"], 2],
      ]),
    ).toThrow(/"a.b" leads through the value at "a"/);
  });
});
