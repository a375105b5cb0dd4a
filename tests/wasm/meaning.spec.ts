/** Programs whose meaning hangs on an order or on a name: what each gives on Dawn, and here. */
import { describe, expect, test } from "vitest";
import { refusal, runWasm } from "./compiler-kit.ts";

const HEAD = `struct P { n: u32, big: u32 }
@group(0) @binding(0) var<uniform> p: P;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;
var<workgroup> m: array<vec4<bool>, 8>;
var<workgroup> w: array<u32, 8>;
`;

const program = (body: string, helpers = ""): string => `${HEAD}${helpers}
@compute @workgroup_size(8) fn main(@builtin(local_invocation_id) l: vec3u) { let i = l.x;
${body}
}`;

/** y[0..8) and y[8..16) after one workgroup, for n = 4. */
function run(code: string): number[][] {
  const { results } = runWasm(code, [Uint32Array.of(4, 0x08000000, 0, 0), new Uint32Array(16)], [1, 1, 1]);
  const words = [...(results[1] ?? [])];
  return [words.slice(0, 8), words.slice(8)];
}

/** Functions each of which calls the one before it twice. */
const doubling = Array.from(
  { length: 20 },
  (_, k) => `fn f${k + 1}(v: u32) -> u32 { return f${k}(v) ^ f${k}(v + 1u); }`,
);

describe("what WGSL does not allow is refused though it could be guessed, with its place", () => {
  test.each<[rule: string, body: string, column: number, helpers?: string]>([
    ["constant", "y[i] = u32(3000000000i);", 12],
    ["constant", "y[i] = 5000000000u;", 8],
    ["constant", "let z = 1e40f;", 9],
    ["type", "let z: f32 = 1e39;", 1],
    ["type", "y[i] = u32(-1);", 8],
    ["constant", "let z = 1 << 64;", 11],
    ["constant", "y[i] = i << 32;", 10],
    ["constant", "let z = 9007199254740991 + 1;", 26],
    ["constant", "let z = 1.0 / 0.0;", 13],
    ["syntax", "y[i] = 010u;", 8],
    ["syntax", "y[i] = i & 3u + 1u;", 10],
    ["syntax", "y[i] = i & 3u | 8u;", 15],
    ["syntax", "y[i] = 1u << i + 1u;", 11],
    ["syntax", "y[i] = i << 1u << 1u;", 16],
    ["syntax", "let z = i < 3u == true;", 16],
    ["syntax", "let z = i < 3u && i > 1u || i == 7u;", 26],
    ["constant", "const c = p.n + 1u;", 11],
    ["constant", "let q = 3u; const c = q + 1u;", 23],
    ["constant", "const c = f(); y[i] = c;", 11, "fn f() -> u32 { return 1u; }"],
    ["syntax", "for (var k = 0u; k < 9u; k++) { f(); }", 10, "fn f() { break; }"],
    ["type", "y[i] = f(i);", 17, "fn f(v: u32) -> u32 { if (v > 1u) { return 1u; } }"],
    ["name", "y[i] = f(i);", 23, "fn f(v: u32) -> u32 { let v = 4u; return v; }"],
    ["name", "y[i] = f(i, i);", 14, "fn f(v: u32, v: u32) -> u32 { return v; }"],
    ["type", "w[9] = 1u;", 2],
    ["type", "let v = pow(vec3f(2.0), 2.0);", 9],
    ["binding", "y[i] = 1u;", 23, "@group(0) @binding(1) var<storage, read> z: array<u32>;"],
    ["unsupported", "y[i] = f20(i);", 71, `fn f0(v: u32) -> u32 { return v * 3u; } ${doubling.join(" ")}`],
    [
      "unsupported",
      "var k = 0u; loop { let d = 3u; if (k > i) { k += 1u; continue; } continuing { k += d; break if k > 10u; } }",
      84,
    ],
  ])("%s: %s", (rule, body, column, helpers) => {
    const error = refusal(program(body, helpers));
    expect([error?.rule, error?.column]).toEqual([rule, column]);
  });

  test.each([
    ["parentheses", `y[i] = ${"(".repeat(3000)}1u${")".repeat(3000)};`, 135],
    ["signs", `y[i] = ${"~".repeat(3000)}1u;`, 135],
    ["sums", `y[i] = i${" + i".repeat(20_000)};`, 9 + 512 * 4 + 1],
    ["members", `var v = vec4u(i); y[i] = v${".xyzw".repeat(3000)}.x;`, 27 + 512 * 5],
    ["blocks", `${"if (i > 2u) {".repeat(3000)}${"}".repeat(3000)}`, 1643],
    ["choices", `${"if (i > 2u) { y[i] = 1u; } else ".repeat(3000)} {}`, 4037],
    ["operations", `var v = i; ${"v = (v * 5u) ^ (v >> 3u);".repeat(60_000)} y[i] = v;`, 29],
  ])("%s without end", (_, body, column) => {
    const error = refusal(program(body));
    expect([error?.rule, error?.column]).toEqual(["unsupported", column]);
  });

  test("a workgroup has invocations", () => {
    expect(refusal(program("").replace("size(8)", "size(0)"))?.rule).toBe("entry-point");
  });
});

const same = (value: number): number[] => new Array<number>(8).fill(value);

describe("what a program means", () => {
  test.each<readonly [name: string, body: string, helpers: string, expected: readonly number[]]>([
    [
      "a compound assignment takes what its target holds before it computes the right side",
      "y[i] = 5u; y[i] += bump(i);",
      "fn bump(i: u32) -> u32 { y[i] = 100u; return 1u; }",
      same(6),
    ],
    [
      "a loop whose bound its body changes stops by the new one",
      "var n = 4u; var s = 0u; for (var k = 0u; k < n; k++) { n = 2u; s += 1u; } y[i] = s;",
      "",
      same(2),
    ],
    [
      "a loop whose step its body changes takes the new one",
      "var d = 1u; var s = 0u; for (var k = 0u; k < 4u; k += d) { d = 2u; s += 1u; } y[i] = s;",
      "",
      same(2),
    ],
    [
      "a condition that writes does so at every turn",
      "var s = 0u; for (var k = 0u; k < three(i); k++) { s += 1u; } y[i] += s;",
      "fn three(i: u32) -> u32 { y[i] += 100u; return 3u; }",
      same(403),
    ],
    [
      "a continuing block sees the names of its body, not those outside",
      "var d = 1u; var k = 0u; var s = 0u; loop { let d = 5u; s += d; continuing { k += d; break if k > 10u; } } y[i] = s * 100u + k + d;",
      "",
      same(1516),
    ],
    [
      "the header of a for loop does not see the names of its body",
      "for (var k = 0u; k < 3u; k++) { let k = 7u; y[i] += k; }",
      "",
      same(21),
    ],
    [
      "lanes of vec4<bool> in workgroup memory are truths",
      "m[i].y = i > 3u; m[i].z = true; y[i] = select(0u, 1u, m[i].z == true) + select(0u, 2u, m[i].y != m[i].z) + select(0u, 4u, all(m[i] == vec4<bool>(false, i > 3u, true, false)));",
      "",
      [7, 7, 7, 7, 5, 5, 5, 5],
    ],
    [
      "a guard holds for an array in a uniform",
      "for (var k = 0u; k < p.n; k++) { if (p.big < 4u) { y[i] += q.a[p.big].x; } else { y[i] += 1u; } }",
      "struct Q { a: array<vec4u, 4> }\n@group(1) @binding(0) var<uniform> q: Q;",
      same(4),
    ],
    [
      "a private array that has the name of a module's variable is unrolled as others",
      "var w: array<u32, 4>; for (var k = 0u; k < 4u; k++) { w[k] = k * 2u; } y[i] = w[3];",
      "",
      same(6),
    ],
    [
      "a function may have the name of one that a builtin is made of",
      "y[i] = u32(op_exp(2.0) * 1000.0) + u32(library(2.0));",
      "fn op_exp(v: f32) -> f32 { return exp(v); } fn library(v: f32) -> f32 { return exp(v); }",
      same(7396),
    ],
    [
      "whole numbers without a type have more than 32 bits, and one zero",
      "if ((0xffffffff & 0xffff0000) == 0xffff0000) { y[i] = 1u; } if ((0x80000000 | 1) > 0) { y[i] += 2u; } y[i] += u32(~0xffffffff & 0x3fffffff) + bitcast<u32>(f32(-0));",
      "",
      same(3),
    ],
    [
      "mix takes one weight for all lanes",
      "y[i] = u32(mix(vec4f(1.0), vec4f(3.0), 0.5).w) + u32(mix(vec2f(1.0), vec2f(3.0), vec2f(0.0)).y);",
      "",
      same(3),
    ],
    [
      "a comment ends where a line does, however that is written",
      "// a\ry[i] = 1u; // b\u2028y[i] += 2u;",
      "",
      same(3),
    ],
  ])("%s", (_, body, helpers, expected) => {
    expect(run(program(body, helpers))[0]).toEqual(expected);
  });
});

describe("long chains of operations, each on what the one before gave", () => {
  const TIMES = 20_000;
  const repeat = (statement: string): string => statement.repeat(TIMES);
  const turned = (start: number, turn: (v: number) => number, times = TIMES): number => {
    let v = start;
    for (let k = 0; k < times; k++) v = turn(v) >>> 0;
    return v;
  };
  const mix = (v: number): number => Math.imul(v, 5) ^ (v >>> 3);
  const doubled = [0, 1, 2, 3, 4, 5, 6, 7].map((i) => {
    let v = [i, 1, 2, 3];
    for (let k = 0; k < 31; k++) v = v.map((lane, at) => (lane + (v[(at + 1) % 4] ?? 0)) >>> 0);
    return ((v[0] ?? 0) + (v[2] ?? 0) * 3) >>> 0;
  });
  const each = (of: (i: number) => number): number[] => [0, 1, 2, 3, 4, 5, 6, 7].map((i) => of(i) >>> 0);

  test.each<readonly [name: string, body: string, expected: readonly number[]]>([
    ["scalars", `var v = i; ${repeat("v = (v * 5u) ^ (v >> 3u);")} y[i] = v;`, each((i) => turned(i, mix))],
    [
      "one use each",
      `var v = i; ${repeat("v = (v ^ i) * 3u;")} y[i] = v;`,
      each((i) => turned(i, (v) => Math.imul(v ^ i, 3))),
    ],
    [
      "constant ones",
      `let v = 5u; var k = v; ${repeat("k = k * 5u + 1u;")} y[i] = k;`,
      each(() => turned(5, (v) => Math.imul(v, 5) + 1)),
    ],
    ["floats", `var v = f32(i); ${repeat("v = v * 0.5 + 1.0;")} y[i] = u32(v * 8.0 + 0.5);`, each(() => 16)],
    ["lanes in a circle", `var v = vec4u(i, 1u, 2u, 3u); ${repeat("v = v.yzwx;")} y[i] = v.x;`, each((i) => i)],
    [
      "lanes set",
      `var v = vec4u(i); ${repeat("v.x = v.x * 5u; v.y = i;")} y[i] = v.z + v.x;`,
      each((i) => i + turned(i, (v) => Math.imul(v, 5))),
    ],
    [
      "vectors",
      `var v = vec4u(i); ${repeat("v = (v + 7u) * 3u;")} y[i] = v.z;`,
      each((i) => turned(i, (v) => Math.imul(v + 7, 3))),
    ],
    [
      "vectors with themselves",
      `var v = vec4u(i, 1u, 2u, 3u); ${"v = v + v.yzwx;".repeat(31)} y[i] = v.x + v.z * 3u;`,
      doubled,
    ],
    [
      "places in a loop",
      `for (var k = 0u; k < p.n; k++) { var v = k; ${repeat("v = v + i;")} y[(v + k) & 7u] = k; }`,
      [0, 0, 1, 0, 2, 0, 3, 0],
    ],
    [
      "after a barrier",
      `var v = i; ${repeat("v = (v * 5u) ^ (v >> 3u);")} w[i] = v; workgroupBarrier(); y[i] = v ^ w[7u - i];`,
      each((i) => turned(i, mix) ^ turned(7 - i, mix)),
    ],
    [
      "in a function",
      `y[i] = f(i); } fn f(a: u32) -> u32 { var v = a; if (a == 3u) { return 1u; } ${repeat("v = (v * 5u) ^ (v >> 3u);")} return v;`,
      each((i) => (i === 3 ? 1 : turned(i, mix))),
    ],
  ])("%s", (_, body, expected) => {
    expect(run(program(body))[0]).toEqual(expected);
  });
});

describe("loops that hold a barrier", () => {
  test.each<readonly [name: string, body: string, expected: readonly [readonly number[], readonly number[]]]>([
    [
      "may set a counter that was declared before",
      "var k = 7u; var s = 0u; for (k = 0u; k < 3u; k++) { workgroupBarrier(); s += 1u; } y[i] = s * 10u + k;",
      [same(33), same(0)],
    ],
    [
      "may count in the body and set what differs between invocations in the header",
      "var v = i; for (var k = 0u; k < 3u; v = 5u) { y[i] = y[i] * 10u + v; k++; workgroupBarrier(); v += i; } y[i + 8u] = v;",
      [[0, 1, 2, 3, 4, 5, 6, 7].map((i) => i * 100 + 55), same(5)],
    ],
    [
      "write for every invocation, not once, in their header",
      "for (var k = 0u; k < 3u; y[i + 8u] = k * i) { k++; workgroupBarrier(); } y[i] = 1u;",
      [same(1), [0, 3, 6, 9, 12, 15, 18, 21]],
    ],
    [
      "write for every invocation before they begin",
      "var k = 0u; for (y[i + 8u] = i; k < 3u; k++) { workgroupBarrier(); } y[i] = 1u;",
      [same(1), [0, 1, 2, 3, 4, 5, 6, 7]],
    ],
    [
      "may have a counter that hides another name",
      "var k = i; for (var k = 0u; k < 3u; k++) { workgroupBarrier(); y[i] += k; } y[i + 8u] = k;",
      [same(3), [0, 1, 2, 3, 4, 5, 6, 7]],
    ],
  ])("%s", (_, body, expected) => {
    expect(run(program(body))).toEqual(expected);
  });

  test.each([
    ["early-return", "{ workgroupBarrier(); if (i > 3u) { return; } } y[i] = 7u;", ""],
    [
      "barrier",
      "for (var k = 0u; k < limit(i); k++) { workgroupBarrier(); }",
      "fn limit(i: u32) -> u32 { y[i] = 1u; return 2u; }",
    ],
    ["uniformity", "for (var k = 0u; k < w[0]; k++) { workgroupBarrier(); }", ""],
    ["uniformity", "for (var k = y[0]; k < 3u; k++) { workgroupBarrier(); }", ""],
  ])("%s: %s", (rule, body, helpers) => {
    expect(refusal(program(body, helpers))?.rule).toBe(rule);
  });
});
