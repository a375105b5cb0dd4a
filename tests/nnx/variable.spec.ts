import { add, array, ones, tree, zeros, type Tensor } from "@jnx/tensor";
import * as nnx from "@jnx/nnx";
import { useDevice } from "@jnx/testing";
import { describe, expect, it } from "vitest";

useDevice();

describe("Variable", () => {
  it("is taken by array functions, and has its array's shape and dtype", async () => {
    const v = new nnx.Param(array([1, 2.5]));
    expect(await add(v, 1).toArray()).toEqual([2, 3.5]);
    expect([v.shape, v.dtype, v.ndim, v.size]).toEqual([[2], "float32", 1, 2]);
  });

  it("holds any value; asking a non-array for a shape is an error", () => {
    const v = new nnx.Variable({ a: ones([2]) });
    expect(v.value.a.shape).toEqual([2]);
    expect(() => v.shape).toThrow(/no shape or dtype/);
    expect(() => add(v, 1)).toThrow(/expected to hold a Tensor/);
  });

  it("copy and metadata", () => {
    const v = new nnx.Param(ones([2]), { tag: "x" });
    const copy = v.copy();
    v.setMetadata({ tag: "y" });
    expect([copy.metadata, v.metadata, copy instanceof nnx.Param]).toEqual([{ tag: "x" }, { tag: "y" }, true]);
  });

  it("subclasses of one's own are Variables, filters and tree nodes", async () => {
    class Sparse extends nnx.Param {}
    class Net extends nnx.Module {
      readonly w = new Sparse(ones([2]));
      readonly b = new nnx.Param(ones([2]));
    }
    const state = nnx.state(new Net(), Sparse);
    expect(nnx.toFlatState(state).map(([path]) => path)).toEqual([["w"]]);
    const mapped = tree.map((x: Tensor) => zeros(x.shape), state);
    expect(mapped.w).toBeInstanceOf(Sparse);
    expect(nnx.state(new Net(), nnx.Param).b).toBeInstanceOf(nnx.Param);
  });

  it("LoRAParams are Params, too", () => {
    expect(nnx.OfType(nnx.Param)([], new nnx.LoRAParam(ones([1])))).toBe(true);
  });
});
