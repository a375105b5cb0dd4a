import * as t from "@jnx/tensor";
import { ArgumentError, devicePut, DtypeError, tree, treeTools } from "@jnx/tensor";
import { useDevice } from "@jnx/testing";
import { expect, test } from "vitest";

useDevice();

test("reductions over leaves", () => {
  const concat = (a: string, b: string): string => `(${a}${b})`;
  expect(treeTools.reduce(concat, { b: "c", a: ["a", null, "b"] })).toBe("((ab)c)");
  expect(treeTools.reduce(concat, ["a"], "0")).toBe("(0a)");
  expect(treeTools.reduce(concat, [], undefined)).toBeUndefined();
  expect(treeTools.reduceAssociative(concat, ["a", "b", "c", "d", "e"])).toBe("(((ab)(cd))e)");
  expect(treeTools.reduceAssociative(concat, [], "none")).toBe("none");
  expect(() => treeTools.reduce(concat, [null])).toThrow(/tree.reduce: the tree has no leaves/);
  expect(() => treeTools.reduceAssociative(concat, {})).toThrow(ArgumentError);
  expect([treeTools.all([]), treeTools.all([true, { a: 0 }]), treeTools.all([[], []], (x) => Array.isArray(x) && x.length === 0)]).toEqual([true, false, true]); // prettier-ignore
});

test("a prefix spreads over the tree below it", () => {
  expect(treeTools.broadcast(7, { a: [0, 0], b: null })).toEqual({ a: [7, 7], b: null });
  expect(treeTools.broadcast({ a: 1, b: 2 }, { a: [0, { c: 0 }], b: [] })).toEqual({ a: [1, { c: 1 }], b: [] });
  expect(treeTools.broadcast([1, 2, 3], [0, { a: 0, b: 0 }, [0, 0]])).toEqual([1, { a: 2, b: 2 }, [3, 3]]);
  expect(() => treeTools.broadcast([[1, 2], 3], [0, 0])).toThrow(/nothing at or above \[0\] of the tree/);
  expect(() => treeTools.broadcast([1, 2, 3], [0, 0])).toThrow(/the prefix has \[2\], which the tree/);
});

test("the outer structure and the inner one change places", () => {
  const [outer, inner] = [tree.structure([0, 0, 0]), tree.structure({ u: 0, v: [0] })];
  const many = [1, 2, 3].map((k) => ({ u: k, v: [10 * k] }));
  expect(treeTools.transpose(outer, inner, many)).toEqual({ u: [1, 2, 3], v: [[10, 20, 30]] });
  expect(() => treeTools.transpose(inner, outer, many)).toThrow(/tree.transpose: the tree has the structure/);
});

test("paths", () => {
  const value = { foo: { bar: [2, 3] }, a: new Map([["k", 1]]) };
  const simple = { simple: true, separator: "/" };
  expect(treeTools.leavesWithPath(value).map(([path]) => treeTools.keystr(path, simple))).toEqual([
    "a/k",
    "foo/bar/0",
    "foo/bar/1",
  ]);
  const named = treeTools.mapWithPath((path: tree.PathPart[], x: number, y: number) => `${treeTools.keystr(path)} ${x + y}`, [1, { b: 2 }], [10, { b: 20 }]); // prettier-ignore
  expect(named).toEqual(["[0] 11", { b: "[1]['b'] 22" }]);
  expect(() => treeTools.mapWithPath(() => 0, [1], [1, 2])).toThrow(ArgumentError);
  expect([treeTools.allLeaves([1, "a"]), treeTools.allLeaves([1, null]), treeTools.allLeaves([[1]], Array.isArray)]).toEqual([true, false, true]); // prettier-ignore
});

test("devicePut makes tensors of typed arrays, numbers and booleans", async () => {
  const x = t.array([1, 2]);
  const put = devicePut({ w: new Float32Array([1.5, 2]), n: [3, true], x, none: null });
  expect([put.w.dtype, await put.w.toArray(), put.x === x, put.none]).toEqual(["float32", [1.5, 2], true, null]);
  expect(put.n.map(({ dtype }) => dtype)).toEqual(["int32", "bool"]);
  expect(await Promise.all(put.n.map((leaf) => leaf.item()))).toEqual([3, 1]);
  expect(devicePut(new Uint8Array(2)).dtype).toBe("uint8");
  expect(() => devicePut("text")).toThrow(DtypeError);
});
