import { compile, disassemble } from "@jnx/wgsl-wasm/compiler";
import { expect, test } from "vitest";
import { KERNELS, linkedText } from "./all-kernels.ts";
import { OPTIONS } from "./compiler-kit.ts";

test("a kernel's loop reads as what it is", () => {
  const code = `@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
@compute @workgroup_size(4) fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < 100u) { y[id.x] = fma(x[id.x], vec4f(2.0), x[id.x].wzyx); }
}`;
  const text = disassemble(compile(code, { ...OPTIONS, relaxedSimd: true }).bytes);
  expect(text.split("\n").slice(0, 4)).toEqual([
    '(func (export "run") (param i32 i32 i32 i32 i32 i32 i32)',
    "  (local v128 i32 i32 i32 i32 i32 i32 i32 i32 i32 v128)",
    "  v128.const i32x4 0x40000000 0x40000000 0x40000000 0x40000000",
    "  local.set 7",
  ]);
  const begin = text.indexOf("          i32.const 100");
  expect(text.slice(begin, text.indexOf("end", begin) + 3).split("\n")).toEqual([
    "          i32.const 100",
    "          i32.lt_u",
    "          if",
    "            local.get 15",
    "            v128.load",
    "            local.set 17",
    "            local.get 14",
    "            local.get 17",
    "            local.get 7",
    "            local.get 17",
    "            local.get 17",
    "            i8x16.shuffle 12 13 14 15 8 9 10 11 4 5 6 7 0 1 2 3",
    "            f32x4.relaxed_madd",
    "            v128.store",
    "          end",
  ]);
});

test("negative numbers, offsets and floats are read as they were written", () => {
  const code = `@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@group(0) @binding(1) var<storage, read_write> k: array<i32>;
@compute @workgroup_size(1) fn main() { y[3] = -0.15625; y[300] = 1e-3; k[1] = -2147483648; k[2] = -65; k[0] = 8192; }`;
  const lines = disassemble(compile(code, OPTIONS).bytes)
    .split("\n")
    .map((line) => line.trim());
  const expected = [
    ...["f32.const -0.15625", "f32.store offset=12", `f32.const ${Math.fround(1e-3)}`, "f32.store offset=1200"],
    ...["i32.const -2147483648", "i32.store offset=4", "i32.const -65", "i32.store offset=8", "i32.const 8192"],
  ];
  expect(lines.filter((line) => expected.includes(line))).toEqual(expected);
});

test.each(KERNELS)("%s can be read, and its blocks close", async (_, file) => {
  const text = disassemble(compile(await linkedText(file), { ...OPTIONS, clampIndices: true }).bytes);
  const count = (word: RegExp): number => text.match(word)?.length ?? 0;
  expect(count(/^ *(?:block|loop|if)$/gm)).toBe(count(/^ *end\)?$/gm));
  expect(text).toMatch(/\.store/);
});
