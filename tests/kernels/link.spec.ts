import { link } from "@jnx/kernels-wgsl";
import type { Binding, Kernel, WgslFunction } from "@jnx/kernels-wgsl";
import { describe, expect, test } from "vitest";

const p: Binding = { group: 0, binding: 0, name: "p", access: "uniform", layout: { bytes: 4, fields: [] } };
const x0: Binding = { group: 1, binding: 0, name: "x0", access: "read" };
const y0: Binding = { group: 1, binding: 1, name: "y0", access: "read_write" };
const kernel: Kernel = {
  name: "elementwise/map",
  head: "",
  block: "alias F = f32;",
  body: "fn main() {}",
  bindings: [p, x0, y0],
  workgroupSize: [64, 1, 1],
};
const fn = (name: string, uses: readonly WgslFunction[] = [], source = `fn ${name}() {}`): WgslFunction => ({
  name,
  source,
  uses,
});

describe("link", () => {
  test("without options keeps the default block and its bindings", () => {
    expect(link(kernel)).toEqual({
      name: "elementwise/map",
      code: "alias F = f32;\nfn main() {}\n",
      bindings: [p, x0, y0],
    });
  });

  test("swaps the block and the name", () => {
    const linked = link({ ...kernel, head: "enable f16;" }, { block: "alias F = f16;\n", name: "exp" });
    expect(linked.code).toBe("enable f16;\nalias F = f16;\nfn main() {}\n");
    expect(linked.name).toBe("exp");
  });

  test("adds each function once, after those it uses", () => {
    const log1p = fn("log1p");
    const softplus = fn("softplus", [log1p]);
    const { code } = link(kernel, { functions: [softplus, fn("mish", [softplus, log1p]), log1p] });
    const order = [...code.matchAll(/fn (\w+)/g)].map((match) => match[1]);
    expect(order).toEqual(["log1p", "softplus", "mish", "main"]);
  });

  test("adds what the kernel itself calls of libraries", () => {
    const log1p = fn("log1p");
    const { code } = link({ ...kernel, functions: [fn("softplus", [log1p])] }, { functions: [log1p, fn("exp")] });
    expect([...code.matchAll(/fn (\w+)/g)].map((match) => match[1])).toEqual(["log1p", "exp", "softplus", "main"]);
  });

  test("refuses two functions of one name and functions that use each other", () => {
    const two = [fn("f"), fn("f", [], "fn f() { }")];
    expect(() => link(kernel, { functions: two })).toThrow("elementwise/map needs two different functions named f");
    const uses: WgslFunction[] = [];
    const a = fn("a", uses);
    uses.push(fn("b", [a]));
    expect(() => link(kernel, { functions: [a] })).toThrow("a -> b use each other");
  });

  test("replaces the bindings of group 1 only, sorted", () => {
    const x1: Binding = { group: 1, binding: 2, name: "x1", access: "read" };
    expect(link(kernel, { bindings: [x1, x0] }).bindings).toEqual([p, x0, x1]);
    expect(() => link(kernel, { bindings: [p] })).toThrow("binding p is in group 0");
    expect(() => link(kernel, { bindings: [x0, { ...x1, binding: 0 }] })).toThrow("x1 is the second binding");
  });
});
