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
