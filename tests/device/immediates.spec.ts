/** Which kernels get immediates, and what their text becomes. Needs no device. */
import { describe, expect, test } from "vitest";
import type { LinkedKernel } from "@jnx/kernels-wgsl";
import { launchLayout } from "../../packages/tensor/src/device/checks.ts";
import { uniformWords, withImmediates, withPlaces } from "../../packages/tensor/src/device/webgpu/immediates.ts";

const layout = { bytes: 8, fields: ["n", "k"].map((name, i) => ({ name, type: "u32" as const, offset: 4 * i })) };

function kernel(body: string, element = "V"): LinkedKernel {
  const code = `alias V = vec4f;
struct Params { n: u32, k: u32 }
@group(0) @binding(0)
var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> index: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<${element}>;
${body}`;
  return {
    name: "test",
    code,
    bindings: [
      { group: 0, binding: 0, name: "p", access: "uniform", layout },
      { group: 0, binding: 1, name: "index", access: "read" },
      { group: 0, binding: 2, name: "y", access: "read_write" },
    ],
  };
}

function made(of: LinkedKernel, limit = 64): ReturnType<typeof withImmediates> {
  return withImmediates(of, launchLayout(of.bindings), limit);
}

describe("withImmediates", () => {
  test("counts in elements, within brackets too, and keeps lines", () => {
    const of = kernel("fn main() { if (s.p < p.n) { y[index[p.k | 1u]] = V(other[0]); } }");
    const immediates = made(of);
    expect(immediates).toMatchObject({ words: 4, uniforms: [2], elements: [4, 16] });
    const lines = immediates?.code.split("\n");
    expect(lines).toHaveLength(of.code.split("\n").length);
    expect(lines?.at(-1)).toBe(
      "fn main() { if (s.p < immediates.p.n) { " +
        "y[immediates.begin_y + u32(index[immediates.begin_index + u32(immediates.p.k | 1u)])] = V(other[0]); } }",
    );
  });

  test.each([
    ["a pointer to an array", "fn main() { let a = &y; }", "V"],
    ["the length of an array", "fn main() { let a = arrayLength(&y); }", "V"],
    ["another thing of that name", "fn main() { let y = 1; }", "V"],
    ["a parameter of that name", "fn main(p: u32) {}", "V"],
    ["elements of another kind", "fn main() { y[0] = Pair(); }", "Pair"],
  ])("leaves alone %s", (_, body, element) => {
    expect(made(kernel(body, element))).toBeUndefined();
  });

  test("leaves alone a text that begins with a directive", () => {
    const of = kernel("fn main() { y[0] = V(); }");
    expect(made({ ...of, code: `diagnostic(off, derivative_uniformity);\n${of.code}` })).toBeUndefined();
    expect(made({ ...of, code: `enable subgroups;\n${of.code}` })).toBeUndefined();
  });

  test("leaves alone uniforms whose fields do not tell all", () => {
    const of = kernel("fn main() { y[0] = V(); }");
    const [first, ...rest] = of.bindings;
    if (first === undefined) throw new Error("no bindings");
    const untold = { ...first, layout: { bytes: 8, fields: [] } };
    expect(made({ ...of, bindings: [untold, ...rest] })).toBeUndefined();
  });

  test("leaves alone what the device has no room for", () => {
    expect(made(kernel("fn main() { y[0] = V(); }"), 16)).toBeDefined();
    expect(made(kernel("fn main() { y[0] = V(); }"), 12)).toBeUndefined();
    expect(made(kernel("fn main() { y[0] = V(); }"), 0)).toBeUndefined();
  });
});

test("a dispatch is given the uniforms' words, then where the storages begin", () => {
  const immediates = { code: "", words: 4, uniforms: [2], elements: [4, 16] };
  const uniform = new Uint8Array(Uint32Array.of(7, 0xfedcba98, 3).buffer);
  const words = uniformWords(immediates, [uniform]);
  const given = withPlaces(immediates, words.slice(), [{ offset: 512 }, { offset: 1024 }]);
  expect([...given]).toEqual([7, 0xfedcba98, 128, 64]);
  expect([...words]).toEqual([7, 0xfedcba98, 0, 0]);
});
