import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { violations } from "./subset.ts";

const SOURCES = path.resolve(import.meta.dirname, "../../packages/kernels-wgsl/src");
const files = readdirSync(SOURCES, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".wgsl"))
  .sort();

describe("every kernel keeps to the subset that two executors run", () => {
  test.each(files)("%s", (name) => {
    const library = /(^|[/-])functions\.wgsl$/.test(name);
    expect(violations(readFileSync(path.join(SOURCES, name), "utf8"), library)).toEqual([]);
  });

  test("all of them are looked at", () => {
    expect(files.length).toBeGreaterThan(20);
  });
});

interface Parts {
  readonly block?: string;
  readonly module?: string;
  readonly args?: string;
  readonly body?: string;
  readonly size?: string;
}

const LID = "@builtin(local_invocation_id) lid: vec3u, @builtin(workgroup_id) wid: vec3u";

/** A kernel that breaks nothing, but for what is put into it. */
function kernel({ block = "", module = "", args = LID, body = "", size = "64" }: Parts = {}): string {
  return `// y[i] = x[i].
//#default
alias V = vec4f;
const N = 8u;
@group(1) @binding(1) var<storage, read> x0: array<V>;
@group(1) @binding(2) var<storage, read_write> y0: array<V>;
${block}
//#end
struct Params { n: u32, scale: f32 }
@group(0) @binding(0) var<uniform> p: Params;
${module}
@compute @workgroup_size(${size})
fn main(${args}) {
  let i = wid.x * 64u + lid.x;
  ${body}
  y0[i] = x0[i];
}
`;
}

describe("what is allowed", () => {
  test.each<[string, Parts]>([
    ["nothing special", {}],
    ["a barrier at the top, and a return after it", { body: "workgroupBarrier(); if (i > p.n) { return; }" }],
    ["a barrier in a for up to a uniform", { body: "for (var k = 0u; k < p.n; k += N) { workgroupBarrier(); }" }],
    [
      "a barrier in a for over a uniform value",
      { body: "let end = min(p.n, wid.y * 4u); for (var k = wid.x; k < end; k += 1u) { workgroupBarrier(); }" },
    ],
    [
      "registers indexed by a short loop",
      { body: "var a: array<V, N>; for (var k = 0u; k < N; k += 1u) { a[k] = V(); }" },
    ],
    [
      "a function's array, indexed by a constant",
      { module: "fn f() -> array<u32, 2> { return array<u32, 2>(1u, 2u); }", body: "let a = f()[1];" },
    ],
    ["a long loop over a uniform", { body: "for (var k = 0u; k < p.n; k += 1u) { }" }],
    [
      "storage behind an alias of an alias",
      { block: "alias T = i32; alias W = vec4<T>; @group(1) @binding(3) var<storage, read> x1: array<W>;" },
    ],
    ["two dimensions", { size: "8, 8", body: "let j = lid.y;" }],
  ])("%s", (_, parts) => {
    expect(violations(kernel(parts))).toEqual([]);
  });
});

describe("what is refused", () => {
  test.each<[string, Parts, string]>([
    ["a barrier in an if", { body: "if (p.n > 1u) { workgroupBarrier(); }" }, "a barrier in flow that is no for"],
    ["a barrier in a while", { body: "while (i < p.n) { workgroupBarrier(); }" }, "a barrier in flow that is no for"],
    [
      "a storage barrier in a loop",
      { body: "loop { storageBarrier(); if (i > 3u) { break; } }" },
      "a barrier in flow that is no for",
    ],
    [
      "a barrier in an if in a for",
      { body: "for (var k = 0u; k < p.n; k += 1u) { if (k > 1u) { workgroupBarrier(); } }" },
      "a barrier in flow that is no for",
    ],
    [
      "a barrier in a helper",
      { module: "fn f() { workgroupBarrier(); }", body: "f();" },
      "f: workgroupBarrier in a helper",
    ],
    [
      "a barrier in a for from one's own place",
      { body: "for (var k = lid.x; k < p.n; k += 1u) { workgroupBarrier(); }" },
      "counter is not uniform",
    ],
    [
      "a barrier in a for to one's own place",
      { body: "for (var k = 0u; k < i; k += 1u) { workgroupBarrier(); }" },
      "counter is not uniform",
    ],
    [
      "a barrier in a for to a loaded value",
      { body: "for (var k = 0.0; k < x0[0].x; k += 1.0) { workgroupBarrier(); }" },
      "counter is not uniform",
    ],
    [
      "a barrier in a for whose counter is written",
      { body: "for (var k = 0u; k < p.n; k += 1u) { workgroupBarrier(); k = i; }" },
      "counter is not uniform",
    ],
    [
      "a for with a barrier left early",
      { body: "for (var k = 0u; k < p.n; k += 1u) { workgroupBarrier(); if (i > 3u) { break; } }" },
      "is left early",
    ],
    ["a return before a barrier", { body: "if (i > p.n) { return; } workgroupBarrier();" }, "returns before a barrier"],
    ["a pointer parameter", { module: "fn f(a: ptr<function, u32>) { }" }, "f: pointer parameter a"],
    ["a pointer taken", { body: "var a = 1u; let b = &a;" }, "takes or follows a pointer"],
    [
      "two returns in a helper",
      { module: "fn f(a: u32) -> u32 { if (a > 1u) { return 1u; } return 2u; }" },
      "f: a helper ends in its only return",
    ],
    [
      "a return in a helper's branch",
      { module: "fn f(a: u32) { if (a > 1u) { return; } y0[0] = V(); }" },
      "f: a helper ends in its only return",
    ],
    ["atomics", { module: "var<workgroup> w: atomic<u32>;" }, "type atomic"],
    [
      "atomics in an array",
      { module: "var<workgroup> w: array<atomic<u32>, 4>;", body: "atomicAdd(&w[0], 1u);" },
      "calls atomicAdd",
    ],
    ["subgroups", { body: "let s = subgroupAdd(p.scale);" }, "calls subgroupAdd"],
    ["an extension", { module: "enable f16;" }, "asks for an extension"],
    ["f16", { body: "let a = f16(1.0);" }, "type f16"],
    ["vectors of f16", { body: "var a: vec4h;" }, "type vec4h"],
    ["textures", { module: "@group(0) @binding(1) var t: texture_2d<f32>;" }, "type texture_2d"],
    [
      "storage of structs",
      { module: "@group(0) @binding(1) var<storage, read> s: array<Params>;" },
      "s: storage is a flat array",
    ],
    [
      "storage of vec3",
      { module: "@group(0) @binding(1) var<storage, read> s: array<vec3f>;" },
      "s: storage is a flat array",
    ],
    [
      "storage of vec2 behind an alias",
      { module: "alias W = vec2f;\n@group(0) @binding(1) var<storage, read> s: array<W>;" },
      "s: storage is a flat array",
    ],
    [
      "storage of arrays",
      { module: "@group(0) @binding(1) var<storage, read> s: array<array<f32, 4>>;" },
      "s: storage is a flat array",
    ],
    [
      "storage that is one scalar",
      { module: "@group(0) @binding(1) var<storage, read> s: f32;" },
      "s: storage is a flat array",
    ],
    [
      "storage that is a struct",
      { module: "@group(0) @binding(1) var<storage, read> s: Params;" },
      "s: storage is a flat array",
    ],
    [
      "a uniform with a vector",
      { module: "struct Q { v: vec4f }\n@group(0) @binding(1) var<uniform> q: Q;" },
      "q: a uniform is a flat struct",
    ],
    [
      "a uniform with a struct",
      { module: "struct Q { v: Params }\n@group(0) @binding(1) var<uniform> q: Q;" },
      "q: a uniform is a flat struct",
    ],
    [
      "a uniform that is no struct",
      { module: "@group(0) @binding(1) var<uniform> q: u32;" },
      "q: a uniform is a flat struct",
    ],
    ["a private variable of the module", { module: "var<private> q: f32;" }, "q: no module variables"],
    ["registers indexed by a variable", { body: "var a: array<V, 4>; a[i] = V();" }, "indexed by i"],
    [
      "an array parameter indexed by a variable",
      { module: "fn f(a: array<u32, 2>, k: u32) -> u32 { return a[k]; }" },
      "indexed by k",
    ],
    [
      "an inferred array indexed by a variable",
      { body: "let a = array<u32, 2>(1u, 2u); let b = a[i & 1u];" },
      "indexed by i",
    ],
    [
      "registers indexed in a loop over a uniform",
      { body: "var a: array<V, 4>; for (var k = 0u; k < p.n; k += 1u) { a[k] = V(); }" },
      "indexed by k",
    ],
    [
      "a call's array indexed by a variable",
      { module: "fn f() -> array<u32, 2> { return array<u32, 2>(1u, 2u); }", body: "let a = f()[i];" },
      "indexed by i",
    ],
    ["a long constant loop", { body: "for (var k = 0u; k < 17u; k += 1u) { }" }, "a constant loop of 17 trips"],
    [
      "a long loop up to a constant of the module",
      { module: "const M = N * 4u;", body: "for (var k = 0u; k <= M; k += 1u) { }" },
      "a constant loop of 33 trips",
    ],
    ["a long loop counted by ++", { body: "for (var k = 0u; k < 20u; k++) { }" }, "a constant loop of 20 trips"],
    ["a long loop downwards", { body: "for (var k = 40; k > 0; k -= 2) { }" }, "a constant loop of 20 trips"],
    ["override", { module: "override M = 4u;" }, "override M"],
    ["a flat index", { args: `${LID}, @builtin(local_invocation_index) at: u32` }, "builtin local_invocation_index"],
    ["an axis that the workgroup lacks", { body: "let j = lid.y;" }, "local_id has the axes"],
    [
      "no axis x",
      {
        args: "@builtin(local_invocation_id) lid: vec3u, @builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_id) two: vec3u",
      },
      "local_id.x is not used",
    ],
  ])("%s", (_, parts, complaint) => {
    expect(violations(kernel(parts)).join("\n")).toContain(complaint);
  });

  const plain = kernel();
  test.each([
    ["another name for main", plain.replace("fn main(", "fn go("), "entry points [go]"],
    ["two entry points", `${plain}@compute @workgroup_size(1) fn two() { }`, "entry points [main,two]"],
    ["no comment at the top", plain.slice(plain.indexOf("\n") + 1), "does not open with a comment"],
    ["no default block", plain.replace("//#default\n", ""), "0 lines //#default"],
    ["two default blocks", plain.replace("//#end", "//#end\n//#default\n//#end"), "2 lines //#default"],
    ["200 lines", plain + "// more\n".repeat(200 - plain.trimEnd().split("\n").length), "200 lines"],
  ])("%s", (_, code, complaint) => {
    expect(violations(code).join("\n")).toContain(complaint);
  });

  test("an entry point in a library", () => {
    expect(violations(plain, true)).toEqual(["entry points [main] instead of []"]);
  });
});
