/** WGSL's mathematical builtins in a user's own kernel: each against JavaScript's, in scalars and in vectors. */
import { describe, expect, test } from "vitest";
import { LIBRARY } from "../../packages/wgsl-wasm/src/compiler/library-text.ts";
import { runWasm } from "./compiler-kit.ts";

/** A builtin, what it is to be, and arguments to try. */
type Row = readonly [name: string, host: (...args: number[]) => number, calls: readonly (readonly number[])[]];

const around = [[-2.5], [-0.3], [0], [0.7], [3], [40]];
const unit = [[-1], [-0.6], [0], [0.2], [0.99]];
const positive = [[0.001], [0.5], [1], [7], [1e6]];

const FLOATS: readonly Row[] = [
  ["exp", Math.exp, around],
  ["exp2", (x) => 2 ** x, around],
  ["log", Math.log, positive],
  ["log2", Math.log2, positive],
  [
    "pow",
    Math.pow,
    [
      [2, 0.5],
      [3, -2],
      [0.1, 4],
    ],
  ],
  ["sin", Math.sin, around],
  ["cos", Math.cos, around],
  ["tan", Math.tan, around],
  ["sinh", Math.sinh, around],
  ["cosh", Math.cosh, around],
  ["tanh", Math.tanh, around],
  ["asin", Math.asin, unit],
  ["acos", Math.acos, unit],
  ["atan", Math.atan, around],
  [
    "atan2",
    Math.atan2,
    [
      [1, 2],
      [-1, 2],
      [1, -2],
      [-1, -2],
      [0, -1],
      [3, 0],
    ],
  ],
  ["asinh", Math.asinh, around],
  ["acosh", Math.acosh, [[1], [1.5], [9], [1e12]]],
  ["atanh", Math.atanh, [[-0.9], [-0.1], [0], [0.5]]],
  ["inverseSqrt", (x) => 1 / Math.sqrt(x), positive],
  ["fract", (x) => x - Math.floor(x), around],
  ["saturate", (x) => Math.min(Math.max(x, 0), 1), around],
  [
    "mix",
    (x, y, t) => x * (1 - t) + y * t,
    [
      [1, 3, 0.25],
      [-2, 2, 1],
    ],
  ],
  [
    "step",
    (edge, x) => Number(edge <= x),
    [
      [1, 2],
      [2, 2],
      [3, 2],
    ],
  ],
  [
    "smoothstep",
    (a, b, x) => smooth(Math.min(Math.max((x - a) / (b - a), 0), 1)),
    [
      [0, 2, 0.5],
      [0, 2, 3],
      [0, 2, -1],
    ],
  ],
  ["degrees", (x) => (x * 180) / Math.PI, around],
  ["radians", (x) => (x * Math.PI) / 180, around],
];

const smooth = (t: number): number => t * t * (3 - 2 * t);

/** Of i32; the counts of bits are u32. */
const WHOLE: readonly Row[] = [
  [
    "extractBits",
    (e, o, c) => (e << (32 - o - c)) >> (32 - c),
    [
      [0x1234, 4, 8],
      [-5, 0, 3],
      [0xff0, 4, 8],
    ],
  ],
  [
    "insertBits",
    (e, n, o, c) => (e & ~(((1 << c) - 1) << o)) | ((n & ((1 << c) - 1)) << o),
    [
      [0x1234, 5, 4, 4],
      [-1, 0, 8, 8],
    ],
  ],
  ["reverseBits", (e) => parseInt([...(e >>> 0).toString(2).padStart(32, "0")].reverse().join(""), 2) | 0, [[1], [-2]]],
  ["firstTrailingBit", (e) => (e === 0 ? -1 : 31 - Math.clz32(e & -e)), [[8], [-6], [0], [1]]],
  ["firstLeadingBit", (e) => 31 - Math.clz32(e < 0 ? ~e : e), [[8], [-6], [0], [1000]]],
];

test("each is looked at", () => {
  expect([...FLOATS, ...WHOLE].map(([name]) => name).sort()).toEqual(Object.keys(LIBRARY).sort());
});

/** The builtin of columns of arguments, which a kernel reads as `type`, in lanes. */
function call(name: string, kind: "f32" | "i32", lanes: 1 | 2 | 4, columns: readonly (readonly number[])[]): number[] {
  const vector = (scalar: string): string => (lanes === 1 ? scalar : `vec${lanes}<${scalar}>`);
  const args = columns.map((_, k) => {
    // Offsets and counts of bits are one u32 for all lanes.
    if (kind === "i32" && k >= columns.length - 2 && k > 0) return `u32(x${k}[0])`;
    return `${vector(kind)}(${Array.from({ length: lanes }, (_, lane) => `x${k}[${lane}]`).join(", ")})`;
  });
  const bindings = columns.map((_, k) => `@group(0) @binding(${k}) var<storage, read> x${k}: array<${kind}>;`);
  const stores = Array.from(
    { length: lanes },
    (_, lane) => `y[${lane}] = r${lanes === 1 ? "" : `.${"xyzw"[lane] ?? ""}`};`,
  );
  const code = `${bindings.join("\n")}
@group(0) @binding(${columns.length}) var<storage, read_write> y: array<${kind}>;
@compute @workgroup_size(1) fn main() { let r = ${name}(${args.join(", ")}); ${stores.join(" ")} }`;
  const filled = columns.map((column) => Array.from({ length: 4 }, (_, lane) => column[lane % column.length] ?? 0));
  const make = kind === "f32" ? Float32Array : Int32Array;
  const { results } = runWasm(code, [...filled.map((column) => make.from(column)), new make(4)], [1, 1, 1]);
  const { buffer } = results.at(-1) ?? new Uint32Array(4);
  return [...(kind === "f32" ? new Float32Array(buffer) : new Int32Array(buffer))].slice(0, lanes);
}

/** Most units in the last place that a builtin is off, between these arguments. */
const ACCURACY: readonly (readonly [
  name: string,
  most: number,
  host: (x: number) => number,
  low: number,
  high: number,
])[] = [
  ["exp", 1.2, Math.exp, -87, 88],
  ["exp2", 1.2, (x) => 2 ** x, -125, 127],
  ["log", 1.5, Math.log, 1e-3, 1e6],
  ["log2", 2.5, Math.log2, 1e-3, 1e6],
  ["sin", 3, Math.sin, -100, 100],
  ["cos", 3, Math.cos, -100, 100],
  ["tan", 5, Math.tan, -100, 100],
  ["sinh", 3, Math.sinh, -88, 88],
  ["cosh", 3, Math.cosh, -88, 88],
  ["tanh", 7, Math.tanh, -10, 10],
  ["asin", 3, Math.asin, -1, 1],
  ["acos", 2, Math.acos, -1, 1],
  ["atan", 3, Math.atan, -100, 100],
  ["asinh", 3, Math.asinh, -1e4, 1e4],
  ["acosh", 3, Math.acosh, 1, 1e4],
  ["atanh", 3.5, Math.atanh, -0.999, 0.999],
  ["inverseSqrt", 1.5, (x) => 1 / Math.sqrt(x), 1e-6, 1e6],
  ["sqrt", 0.5, Math.sqrt, 0, 1e6],
  ["degrees", 1, (x) => (x * 180) / Math.PI, -10, 10],
  ["radians", 1, (x) => (x * Math.PI) / 180, -1000, 1000],
];

test.each(ACCURACY)("%s is at most %f units in the last place off", (name, most, host, low, high) => {
  const count = 4000;
  // As many small arguments as large ones, where zero is among them.
  const x = Float32Array.from({ length: count }, (_, k) => {
    const t = ((k * 0.6180339887) % 1) * (high - low) + low;
    return low < 0 && k % 2 === 1 ? t * 2 ** -(k % 24) : t;
  });
  for (const type of ["f32", "vec4f"]) {
    const code = `@group(0) @binding(0) var<storage, read> x: array<${type}>;
@group(0) @binding(1) var<storage, read_write> y: array<${type}>;
@compute @workgroup_size(50) fn main(@builtin(global_invocation_id) g: vec3u) { y[g.x] = ${name}(x[g.x]); }`;
    const groups = count / (type === "f32" ? 50 : 200);
    const { results } = runWasm(code, [x, new Float32Array(count)], [groups, 1, 1]);
    const y = new Float32Array((results[1] ?? new Uint32Array()).buffer);
    let worst = 0;
    x.forEach((argument, k) => {
      const want = host(argument);
      const unit = 2 ** (Math.floor(Math.log2(Math.max(Math.abs(want), 2 ** -126))) - 23);
      worst = Math.max(worst, Math.abs((y[k] ?? NaN) - want) / unit);
    });
    expect(worst, type).toBeLessThanOrEqual(most);
  }
});

describe.each([1, 2, 4] as const)("in %s lanes", (lanes) => {
  test.each(FLOATS)("%s", (name, host, calls) => {
    for (let first = 0; first < calls.length; first += lanes) {
      const rows = Array.from({ length: lanes }, (_, lane) =>
        (calls[(first + lane) % calls.length] ?? []).map(Math.fround),
      );
      const got = call(
        name,
        "f32",
        lanes,
        (rows[0] ?? []).map((_, k) => rows.map((row) => row[k] ?? 0)),
      );
      rows.forEach((row, lane) => {
        const want = host(...row);
        expect(Math.abs((got[lane] ?? NaN) - want), `${name}(${row.join(", ")})`).toBeLessThan(
          1e-6 * Math.max(Math.abs(want), 1),
        );
      });
    }
  });

  test.each(WHOLE)("%s", (name, host, calls) => {
    for (const args of calls) {
      const got = call(
        name,
        "i32",
        lanes,
        args.map((arg) => [arg]),
      );
      expect(got, `${name}(${args.join(", ")})`).toEqual(Array(lanes).fill(host(...args)));
    }
  });
});
