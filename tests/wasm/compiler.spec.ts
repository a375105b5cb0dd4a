import { compile } from "@jnx/wgsl-wasm/compiler";
import { describe, expect, test } from "vitest";
import { KERNELS, linkedText } from "./all-kernels.ts";
import { bitsOf, OPTIONS, runWasm, refusal } from "./compiler-kit.ts";
import type { Words } from "./compiler-kit.ts";

/** Results of `body`, which writes y[0..], for x of f32 and k of i32. */
function evaluate(
  body: string,
  { x = [0], k = [0], helpers = "" }: { x?: readonly number[]; k?: readonly number[]; helpers?: string } = {},
): { f: Float32Array; i: Int32Array; u: Uint32Array } {
  const code = `
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> k: array<i32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read_write> yi: array<i32>;
@group(0) @binding(4) var<storage, read_write> yu: array<u32>;
${helpers}
@compute @workgroup_size(1) fn main() { ${body} }`;
  const out = (): Uint32Array => new Uint32Array(16);
  const { results } = runWasm(code, [Float32Array.from(x), Int32Array.from(k), out(), out(), out()], [1, 1, 1]);
  const [, , f, i, u] = results;
  if (f === undefined || i === undefined || u === undefined) throw new Error("results are missing");
  return { f: new Float32Array(f.buffer), i: new Int32Array(i.buffer), u };
}

test.each(KERNELS)("%s compiles", async (_, file) => {
  const code = await linkedText(file);
  expect(WebAssembly.validate(compile(code, OPTIONS).bytes)).toBe(true);
  const shared = compile(code, { ...OPTIONS, sharedMemory: true, clampIndices: true });
  expect(WebAssembly.validate(shared.bytes)).toBe(true);
});

describe("numbers are WGSL's", () => {
  test("whole numbers divided by zero give themselves, with rest 0, in scalars and vectors", () => {
    const { i, u } = evaluate(
      `yi[0] = k[0] / k[1]; yi[1] = k[0] % k[1]; yi[2] = k[2] / k[3]; yi[3] = k[2] % k[3];
       yu[0] = u32(k[0]) / u32(k[1]); yu[1] = u32(k[0]) % u32(k[1]);
       let v = vec4i(k[0], k[2], -9, 9) / vec4i(k[1], k[3], 4, -4); yi[4] = v.x; yi[5] = v.y; yi[6] = v.z; yi[7] = v.w;`,
      { k: [7, 0, -0x80000000, -1] },
    );
    expect([...i.slice(0, 8)]).toEqual([7, 0, -0x80000000, 0, 7, -0x80000000, -2, -2]);
    expect([...u.slice(0, 2)]).toEqual([7, 0]);
  });

  test("shifts count modulo 32, each lane by its own count", () => {
    const { i, u } = evaluate(
      `yi[0] = k[0] >> u32(k[1]); yu[0] = u32(k[0]) >> u32(k[1]); yu[1] = 1u << u32(k[2]);
       let v = vec4u(1u) << vec4u(u32(k[1]), u32(k[2]), 31u, 0u); yu[2] = v.x; yu[3] = v.y; yu[4] = v.z; yu[5] = v.w;`,
      { k: [-16, 2, 33] },
    );
    expect(i[0]).toBe(-4);
    expect([...u.slice(0, 6)]).toEqual([0x3ffffffc, 2, 4, 2, 0x80000000, 1]);
  });

  test("vectors shift by counts of their own and count their zeros as scalars do", () => {
    const code = `@group(0) @binding(0) var<storage, read> x: array<vec4u>;
@group(0) @binding(1) var<storage, read> s: array<vec4u>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4u>;
@compute @workgroup_size(64) fn main(@builtin(local_invocation_id) l: vec3u) {
  let i = l.x;
  y[4u * i] = x[i] << s[i];
  y[4u * i + 1u] = x[i] >> s[i];
  y[4u * i + 2u] = bitcast<vec4u>(bitcast<vec4i>(x[i]) >> s[i]);
  y[4u * i + 3u] = countLeadingZeros(x[i]);
}`;
    const edges = [0, 1, 0x80000000, 0xffffffff, 0x7fffffff, 0x00ffffff, 0x01ffffff, 0x2468ace1];
    const x = Uint32Array.from({ length: 256 }, (_, i) => edges[i % 8] ?? 0);
    const s = Uint32Array.from({ length: 256 }, (_, i) => i >> 3);
    const y = runWasm(code, [x, s, new Uint32Array(1024)], [1, 1, 1]).results[2] ?? new Uint32Array();
    const expected = new Uint32Array(1024);
    x.forEach((word, i) => {
      const at = (i >> 2) * 16 + (i & 3);
      const count = s[i] ?? 0;
      [word << count, word >>> count, word >> count, Math.clz32(word)].forEach(
        (value, k) => (expected[at + 4 * k] = value),
      );
    });
    expect(y).toEqual(expected);
  });

  test("floats become whole numbers towards zero, saturating, NaN 0", () => {
    const x = [1.9, -1.9, 3e9, -3e9, NaN, Infinity];
    const body = x.map((_, at) => `yi[${at}] = i32(x[${at}]); yu[${at}] = u32(x[${at}]);`).join("\n");
    const vector =
      "let v = vec4u(vec4f(x[1], x[2], x[4], x[5])); yu[8] = v.x; yu[9] = v.y; yu[10] = v.z; yu[11] = v.w;";
    const { i, u } = evaluate(body + vector, { x });
    expect([...i.slice(0, 6)]).toEqual([1, -1, 0x7fffffff, -0x80000000, 0, 0x7fffffff]);
    expect([...u.slice(0, 6)]).toEqual([1, 0, 3000000000, 0, 0, 0xffffffff]);
    expect([...u.slice(8, 12)]).toEqual([0, 3000000000, 0, 0xffffffff]);
  });

  test("halves round to even; signs, bits and NaN are kept", () => {
    const { f, u } = evaluate(
      `y[0] = round(x[0]); y[1] = round(x[1]); y[2] = sign(x[2]); y[3] = -x[3]; y[4] = trunc(x[2]);
       yu[0] = bitcast<u32>(x[4]); yu[1] = select(0u, 1u, x[4] == x[4]); yu[2] = select(0u, 1u, x[4] != x[4]);`,
      { x: [0.5, 1.5, -2.7, 0, NaN] },
    );
    expect([...f.slice(0, 5)]).toEqual([0, 2, -1, -0, -2]);
    expect([...u.slice(0, 3)]).toEqual([0x7fc00000, 0, 1]);
  });

  test("tests of a float's bits for NaN, turned signs and choices of zero are what they say", () => {
    const nan = "(bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u";
    const helpers = `fn is_nan(v: f32) -> bool { return ${nan}; }
fn are_nan(v: vec4f) -> vec4<bool> { return (bitcast<vec4u>(v) & vec4u(0x7fffffffu)) > vec4u(0x7f800000u); }
fn put(v: vec4f, at: u32) { y[at] = v.x; y[at + 1u] = v.y; y[at + 2u] = v.z; y[at + 3u] = v.w; }
fn bits(v: vec4f, at: u32) { yu[at] = bitcast<u32>(v.x); yu[at + 1u] = bitcast<u32>(v.y); yu[at + 2u] = bitcast<u32>(v.z); yu[at + 3u] = bitcast<u32>(v.w); }`;
    const { f, u } = evaluate(
      `let v = vec4f(x[0], x[1], x[2], x[3]); let w = vec4f(x[4], x[5], x[6], x[7]);
       for (var j = 0u; j < 4u; j += 1u) { y[j] = select(0.0, 1.0, is_nan(x[j])); }
       put(select(vec4f(), vec4f(1.0), are_nan(v)), 4u);
       let larger = max(bitcast<vec4u>(v) & vec4u(0x7fffffffu), bitcast<vec4u>(w) & vec4u(0x7fffffffu));
       put(select(vec4f(1.0), vec4f(), larger > vec4u(0x7f800000u)), 8u);
       bits(w + bitcast<vec4f>(bitcast<vec4u>(w.wzyx) + vec4u(0x80000000u)), 0u);`,
      { x: [NaN, -Infinity, 1, -0, 0, NaN, 2, -3], helpers },
    );
    expect([...f.slice(0, 12)]).toEqual([1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 1]);
    expect([...new Float32Array(u.slice(0, 4).buffer)]).toEqual([3, NaN, NaN, -3]);
  });

  test("no term is contracted, dropped or moved: what is added and taken away again leaves the rounding error", () => {
    const { f } = evaluate(
      `let s = x[0] + x[1]; let b = s - x[0]; y[0] = (x[0] - (s - b)) + (x[1] - b);
       let v = vec4f(x[0]) + vec4f(x[1]); let w = v - vec4f(x[0]); y[1] = (vec4f(x[1]) - w).y;
       y[2] = x[2] * x[2] - x[3];`,
      { x: [1, 1e-9, 1 + 2 ** -12, Math.fround((1 + 2 ** -12) ** 2)] },
    );
    expect(f[0]).toBe(Math.fround(1e-9));
    expect(f[1]).toBe(Math.fround(1e-9));
    // With a fused product this would be 2^-24.
    expect(f[2]).toBe(0);
  });

  test("bits are counted, taken out, put in and turned round", () => {
    const { i, u } = evaluate(
      `let u = u32(k[0]); yu[0] = countOneBits(u); yu[1] = countLeadingZeros(u); yu[2] = countTrailingZeros(u);
       yu[3] = reverseBits(u); yu[4] = extractBits(u, 4u, 8u); yu[5] = insertBits(u, 5u, 8u, 4u);
       yu[6] = firstLeadingBit(u); yu[7] = firstTrailingBit(u); yu[8] = firstLeadingBit(u32(k[1]));
       yi[0] = extractBits(k[2], 0u, 4u); yi[1] = firstLeadingBit(k[2]); yu[9] = countOneBits(vec4u(u)).w;
       yu[10] = extractBits(u, 0u, 32u); yu[11] = insertBits(u, 1u, 0u, 32u);`,
      { k: [0x00f0f0f0, 0, -8] },
    );
    expect([...u.slice(0, 12)]).toEqual([12, 8, 4, 0x0f0f0f00, 0x0f, 0x00f0f5f0, 23, 4, 0xffffffff, 12, 0x00f0f0f0, 1]);
    expect([...i.slice(0, 2)]).toEqual([-8, 2]);
  });

  test("constants without a suffix take the type that they meet", () => {
    const helpers = "const A = 3; const H = A * 0.5; const BIG = 0xffffffffu; const M = -7 / 2;";
    const { f, i, u } = evaluate(
      "y[0] = H + f32(A); yu[0] = BIG + A; yi[0] = M; yi[1] = i32(7 / 2 * 2); y[1] = 7.0 / 2 * 2; yu[1] = u32(A - 4 + 5);",
      { helpers },
    );
    expect([...f.slice(0, 2), i[0], i[1], u[0], u[1]]).toEqual([4.5, 7, -3, 6, 2, 4]);
  });
});

describe("control flow", () => {
  test("loops nest, break, continue and carry values round", () => {
    const { u } = evaluate(`
      var a = 0u; var b = 1u;
      for (var i = 0u; i < 10u; i++) { let t = a + b; a = b; b = t; }
      yu[0] = a;
      var sum = 0u;
      for (var i = 0u; i < 100u; i++) {
        if (i % 2u == 0u) { continue; }
        if (i > 20u) { break; }
        var j = i;
        while (true) { if (j < 3u) { break; } j -= 3u; sum += j; }
      }
      yu[1] = sum;
      var n = 27u; var steps = 0u;
      loop { if (n == 1u) { break; } if (n % 2u == 0u) { n /= 2u; } else { n = 3u * n + 1u; } continuing { steps++; } }
      yu[2] = steps;`);
    let sum = 0;
    for (let i = 1; i <= 20; i += 2) for (let j = i; j >= 3;) sum += j -= 3;
    expect([...u.slice(0, 3)]).toEqual([55, sum, 111]);
  });

  test("helpers may return from anywhere, structs and arrays pass through them", () => {
    const helpers = `
      struct Pair { a: vec4f, b: array<u32, 3> }
      fn find(limit: u32) -> u32 { for (var i = 0u; i < 50u; i++) { if (i * i > limit) { return i; } } return 99u; }
      fn make(v: f32) -> Pair { var p: Pair; p.a.y = v; for (var i = 0u; i < 3u; i++) { p.b[i] = i * 10u; } return p; }`;
    const { f, u } = evaluate(
      "yu[0] = find(30u); yu[1] = find(9999u); let p = make(2.5); y[0] = p.a.y; y[1] = p.a.xyzw.x; yu[2] = p.b[2];",
      { helpers },
    );
    expect([...u.slice(0, 3), f[0], f[1]]).toEqual([6, 99, 20, 2.5, 0]);
  });

  test("a branch does not touch memory that its condition guards", () => {
    const far = "yu[0] = 5u; if (k[0] > 0) { yu[1] = u32(k[k[0] * 100000000]); } yu[2] = 6u;";
    expect([...evaluate(far, { k: [0] }).u.slice(0, 3)]).toEqual([5, 0, 6]);
    const both = "if (k[0] > 0 && k[k[0] * 100000000] > 0) { yu[0] = 1u; } else { yu[0] = 2u; }";
    expect(evaluate(both, { k: [0] }).u[0]).toBe(2);
  });
});

describe("barriers", () => {
  const HEAD = `@group(0) @binding(0) var<storage, read_write> y: array<u32>;
var<workgroup> w: array<u32, 16>;
`;
  const reference = (code: string, words: number): Uint32Array => {
    const { results } = runWasm(HEAD + code, [new Uint32Array(words)], [2, 1, 1]);
    return results[0] ?? new Uint32Array();
  };

  test("what neighbours wrote is there after a barrier; memory starts as zeros in each workgroup", () => {
    const y = reference(
      `@compute @workgroup_size(16) fn main(@builtin(local_invocation_id) l: vec3u, @builtin(workgroup_id) g: vec3u) {
        let i = g.x * 16u + l.x;
        let before = w[15u - l.x];
        workgroupBarrier();
        w[l.x] = i * 3u;
        workgroupBarrier();
        y[i] = w[15u - l.x] + before;
      }`,
      32,
    );
    expect([...y]).toEqual(Array.from({ length: 32 }, (_, i) => 3 * (16 * (i >> 4) + 15 - (i & 15))));
  });

  test("a tree of sums in a loop with a uniform counter; accumulators live through it", () => {
    const y = reference(
      `@compute @workgroup_size(16) fn main(@builtin(local_invocation_id) l: vec3u, @builtin(workgroup_id) g: vec3u) {
        w[l.x] = l.x + 1u;
        var seen = 0u;
        workgroupBarrier();
        for (var s = 8u; s > 0u; s >>= 1u) {
          if (l.x < s) { w[l.x] += w[l.x + s]; }
          workgroupBarrier();
          seen += w[l.x & 1u];
        }
        y[g.x * 16u + l.x] = w[0] * 1000u + seen;
      }`,
      32,
    );
    const w = Array.from({ length: 16 }, (_, i) => i + 1);
    const seen = new Array<number>(16).fill(0);
    for (let s = 8; s > 0; s >>= 1) {
      for (let l = 0; l < s; l++) w[l] = (w[l] ?? 0) + (w[l + s] ?? 0);
      seen.forEach((value, l) => (seen[l] = value + (w[l & 1] ?? 0)));
    }
    expect([...y.slice(0, 16)]).toEqual(seen.map((value) => 136000 + value));
  });

  test.each([
    ["early-return", "if (l.x > 3u) { return; } workgroupBarrier();"],
    ["early-return", "for (var i = 0u; i < 2u; i++) { workgroupBarrier(); if (l.x > i) { return; } }"],
    ["barrier", "if (l.x < 3u) { workgroupBarrier(); }"],
    ["barrier", "for (var i = 0u; i < 3u; i++) { if (l.x == i) { break; } workgroupBarrier(); }"],
    ["barrier", "helper();"],
    ["uniformity", "for (var i = 0u; i < l.x; i++) { workgroupBarrier(); }"],
    ["uniformity", "for (var i = l.x; i < 4u; i++) { workgroupBarrier(); }"],
    ["uniformity", "var n = 4u; for (var i = 0u; i < n; i++) { n -= w[l.x]; workgroupBarrier(); }"],
  ])("%s: %s", (rule, body) => {
    const code = `${HEAD}fn helper() { workgroupBarrier(); }
@compute @workgroup_size(16) fn main(@builtin(local_invocation_id) l: vec3u) { ${body} y[l.x] = 1u; }`;
    expect(refusal(code)?.rule).toBe(rule);
  });
});

describe("what is outside the subset is refused, with its place", () => {
  const main = (body: string): string =>
    `@group(0) @binding(0) var<storage, read_write> y: array<f32>;\n@compute @workgroup_size(1) fn main() {\n  ${body}\n}`;
  test.each([
    ["syntax", main("y[0] = ;"), 3, 10],
    ["syntax", main("y[0] = 1.0"), 4, 1],
    ["syntax", main("y[0] = $;"), 3, 10],
    ["name", main("y[0] = nothing;"), 3, 10],
    ["name", main("let a = 1; let a = 2;"), 3, 14],
    ["name", main("let from = 1.0;"), 3, 7],
    ["name", main("var loop = 1.0;"), 3, 7],
    ["name", main("let __a = 1.0;"), 3, 7],
    ["name", `fn of() { }\n${main("y[0] = 1.0;")}`, 1, 4],
    ["name", `struct S { new: f32 }\n${main("y[0] = 1.0;")}`, 1, 12],
    ["type", main("y[0] = 1u;"), 3, 3],
    ["type", main("y[0] = vec4f(1.0, 2.0);"), 3, 10],
    ["type", main("let a = 1.0 + 1u;"), 3, 15],
    ["type", main("let a = 1i + 1u;"), 3, 14],
    ["type", main("if (1) { }"), 3, 7],
    ["type", main("y[0] = max(1.0, 2u);"), 3, 10],
    ["private-array", main("var a: array<f32, 4>; for (var i = 0u; i < u32(y[0]); i++) { a[i] = 1.0; }"), 3, 65],
    ["private-array", main("var a: array<f32, 32>; for (var i = 0u; i < 32u; i++) { a[i] = 1.0; }"), 3, 60],
    ["pointer", main("var a = 1.0; let p = &a;"), 3, 24],
    ["unsupported", main("switch (1) { default: { } }"), 3, 3],
    ["unsupported", main("y[0] = subgroupAdd(1.0);"), 3, 10],
    ["unsupported", main("let h = 1.0h;"), 3, 11],
    ["recursion", `fn f(x: f32) -> f32 { return f(x); }\n${main("y[0] = f(1.0);")}`, 1, 30],
    ["unsupported", `override A = 1u;\n${main("y[0] = 1.0;")}`, 1, 1],
    ["unsupported", `enable f16;\n${main("y[0] = 1.0;")}`, 1, 1],
    ["binding", `@group(0) @binding(1) var<storage, read> z: array<vec2f, 3>;\n${main("y[0] = 1.0;")}`, 1, 23],
    ["binding", `@group(0) @binding(1) var<storage, read> z: array<f32>;\n${main("z[0] = 1.0;")}`, 4, 3],
    ["entry-point", "fn f() { }", 1, 1],
    ["constant", main("let a = 1 / 0;"), 3, 13],
  ])("%s: %s", (rule, code, line, column) => {
    const error = refusal(code);
    expect([error?.rule, error?.line, error?.column]).toEqual([rule, line, column]);
  });
});

function floatsOf(words: Uint32Array = new Uint32Array()): Float32Array {
  return new Float32Array(words.buffer);
}

test("checked modules keep indices inside their bindings and tell which one was wrong", () => {
  const code = `@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(1) @binding(0) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(8) fn main(@builtin(local_invocation_id) l: vec3u) { y[l.x] = x[l.x * 100000000u]; }`;
  const buffers = (): Words[] => [Float32Array.of(1, 2, 3, 4), new Float32Array(8), new Float32Array(2)];
  const wrong = runWasm(code, buffers().slice(0, 2), [1, 1, 1], { clampIndices: true });
  expect(wrong.fault).toBe(1);
  expect([...floatsOf(wrong.results[1])]).toEqual([1, 4, 4, 4, 4, 4, 4, 4]);
  const right = runWasm(code.replace("l.x * 100000000u", "l.x & 3u"), buffers().slice(0, 2), [1, 1, 1], {
    clampIndices: true,
  });
  expect(right.fault).toBe(0);
});

test("pointers that step together give the same as indices that are computed", () => {
  const code = (index: string): string => `struct P { n: u32, stride: u32 }
@group(0) @binding(0) var<uniform> p: P;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;
@compute @workgroup_size(4, 2) fn main(@builtin(local_invocation_id) l: vec3u, @builtin(workgroup_id) g: vec3u) {
  let first = (g.x * 2u + l.y) * 4u + l.x;
  var sum = vec4f();
  var r = 4u * p.n;
  for (var k = 0u; k < p.n; k += 2u) {
    sum += x[${index}] * 2.0 - x[${index} + 1u] + x[r - 3u * k];
    r -= 1u;
  }
  y[first] = sum;
}`;
  const x = Float32Array.from({ length: 4000 }, (_, i) => (i * 37) % 101);
  const run = (options: { clampIndices: boolean }): Uint32Array | undefined =>
    runWasm(code("first * p.stride + k"), [Uint32Array.of(9, 11, 0, 0), x, new Float32Array(64)], [2, 1, 1], options)
      .results[2];
  const stepped = run({ clampIndices: false });
  expect(stepped).toEqual(run({ clampIndices: true }));
  expect(bitsOf(Float32Array.from(stepped ?? [])).some((word) => word !== 0)).toBe(true);
});
