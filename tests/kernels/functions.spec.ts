import { useDevice } from "@jnx/testing";
import { describe, expect, test } from "vitest";
import * as floatBits from "../../packages/kernels-wgsl/src/elementwise/bits-functions.wgsl.gen.ts";
import * as error from "../../packages/kernels-wgsl/src/elementwise/error-functions.wgsl.gen.ts";
import * as exponential from "../../packages/kernels-wgsl/src/elementwise/exponential-functions.wgsl.gen.ts";
import * as basic from "../../packages/kernels-wgsl/src/elementwise/functions.wgsl.gen.ts";
import * as integer from "../../packages/kernels-wgsl/src/elementwise/integer-functions.wgsl.gen.ts";
import * as power from "../../packages/kernels-wgsl/src/elementwise/power-functions.wgsl.gen.ts";
import * as trigonometric from "../../packages/kernels-wgsl/src/elementwise/trigonometric-functions.wgsl.gen.ts";
import { goldenArray } from "../goldens/read.ts";
import { runFunctions } from "./run-functions.ts";
import { bitsOf, floatOf, isSubnormal, worstUlp } from "./ulp.ts";

const library = { ...floatBits, ...basic, ...error, ...exponential, ...integer, ...power, ...trigonometric };
type Name = keyof typeof library;

/** A function, the golden case of the real JAX that it must meet, and by how many ulp it may miss it. */
interface Row {
  readonly name: Name;
  readonly golden: string;
  readonly ulp: number;
}

const unary: readonly Row[] = [
  { name: "op_exp", golden: "exp", ulp: 2 },
  { name: "op_exp2", golden: "exp2", ulp: 2 },
  { name: "op_expm1", golden: "expm1", ulp: 3 },
  { name: "op_log", golden: "log", ulp: 2 },
  { name: "op_log1p", golden: "log1p", ulp: 3 },
  { name: "op_sqrt", golden: "sqrt", ulp: 0 },
  { name: "op_rsqrt", golden: "rsqrt", ulp: 2 },
  { name: "op_sin", golden: "sin", ulp: 2 },
  { name: "op_cos", golden: "cos", ulp: 2 },
  { name: "op_tan", golden: "tan", ulp: 4 },
  { name: "op_tanh", golden: "tanh", ulp: 4 },
  { name: "op_logistic", golden: "logistic", ulp: 3 },
  { name: "op_erf", golden: "erf", ulp: 6 },
  { name: "op_erfc", golden: "erfc", ulp: 8 },
  { name: "op_erf_inv", golden: "erf_inv", ulp: 8 },
  { name: "op_neg_f", golden: "neg", ulp: 0 },
  { name: "op_abs_f", golden: "abs", ulp: 0 },
  { name: "op_sign_f", golden: "sign", ulp: 0 },
  { name: "op_floor", golden: "floor", ulp: 0 },
  { name: "op_ceil", golden: "ceil", ulp: 0 },
  { name: "op_round", golden: "round", ulp: 0 },
  { name: "op_round_away", golden: "round_away", ulp: 0 },
  { name: "op_relu", golden: "relu", ulp: 0 },
  { name: "op_square_f", golden: "square", ulp: 0 },
  { name: "op_isfinite", golden: "is_finite", ulp: 0 },
  { name: "op_f32_to_i32", golden: "to_int32", ulp: 0 },
  { name: "op_f32_to_u32", golden: "to_uint32", ulp: 0 },
  { name: "op_f32_to_bool", golden: "to_bool", ulp: 0 },
];

const binary: readonly Row[] = [
  ...(["add", "sub", "mul", "div", "max", "min", "eq", "ne", "lt", "le", "gt", "ge"] as const).map((golden): Row => ({
    name: `op_${golden}_f`,
    golden,
    ulp: 0,
  })),
  { name: "op_pow", golden: "pow", ulp: 2 },
  { name: "op_nextafter", golden: "nextafter", ulp: 0 },
];

const integers = ["add", "sub", "mul", "div", "rem", "mod", "floor_divide", "max", "min", "shift_left"] as const;
const bits = [
  "shift_right_logical",
  "shift_right_arithmetic",
  "and",
  "or",
  "xor",
  "eq",
  "ne",
  "lt",
  "le",
  "gt",
  "ge",
] as const;
const one = ["neg", "sign", "population_count", "clz"] as const;

const isTrue = (u: number): boolean => u !== 0;
const float = (u: number): number => bitsOf([u])[0] ?? 0;
const u32 = (value: bigint): number => Number(BigInt.asUintN(32, value));

/** Names with what they give for two bit patterns; a third operand is the first again. */
const hosted: readonly (readonly [Name, (x: number, y: number) => number])[] = [
  ["op_isnan", (x) => Number(Number.isNaN(floatOf(x)))],
  ["op_isinf", (x) => Number(Math.abs(floatOf(x)) === Infinity)],
  ["op_signbit", (x) => x >>> 31],
  ["op_copysign", (x, y) => ((x & 0x7fffffff) | (y & 0x80000000)) >>> 0],
  ["op_select_f", (x, y) => (isTrue(x) ? y : x)],
  ["op_select_i", (x, y) => (isTrue(x) ? y : x)],
  ["op_select_u", (x, y) => (isTrue(x) ? y : x)],
  ["op_i32_to_u32", (x) => x],
  ["op_u32_to_i32", (x) => x],
  ["op_i32_to_bool", (x) => Number(isTrue(x))],
  ["op_u32_to_bool", (x) => Number(isTrue(x))],
  ["op_bool_to_f32", (x) => float(Number(isTrue(x)))],
  ["op_bool_to_i32", (x) => Number(isTrue(x))],
  ["op_bool_to_u32", (x) => Number(isTrue(x))],
  ["op_and_b", (x, y) => Number(isTrue(x) && isTrue(y))],
  ["op_or_b", (x, y) => Number(isTrue(x) || isTrue(y))],
  ["op_xor_b", (x, y) => Number(isTrue(x) !== isTrue(y))],
  ["op_not_b", (x) => Number(!isTrue(x))],
  ["op_eq_b", (x, y) => Number(isTrue(x) === isTrue(y))],
  ["op_ne_b", (x, y) => Number(isTrue(x) !== isTrue(y))],
  ["op_not_i", (x) => ~x >>> 0],
  ["op_not_u", (x) => ~x >>> 0],
  ["op_square_i", (x) => Math.imul(x, x) >>> 0],
  ["op_square_u", (x) => Math.imul(x, x) >>> 0],
  ["op_abs_u", (x) => x],
  ["op_clamp_i", (x, y) => Math.min(Math.max(y | 0, x | 0), x | 0) >>> 0],
  ["op_clamp_u", (x, y) => Math.min(Math.max(y, x), x)],
  ["op_pow_u", (x, y) => powerOf(x, y)],
  ["op_pow_i", (x, y) => powerOf(x, y)],
];

function powerOf(x: number, y: number): number {
  let [result, base] = [1n, BigInt(x)];
  for (let bit = 0n; bit < 32n; bit++) {
    if ((BigInt(y) >> bit) & 1n) result = BigInt(u32(result * base));
    base = BigInt(u32(base * base));
  }
  return u32(result);
}

function bitsOfGolden(name: string): Uint32Array {
  const { data } = goldenArray("functions", name);
  return data instanceof Uint8Array ? Uint32Array.from(data) : new Uint32Array(data.buffer);
}

async function compare(rows: readonly Row[], inputs: readonly Uint32Array[], width: 1 | 4): Promise<void> {
  const calls = rows.map(({ name }) => ({ fn: library[name], inputs: [0, 1, 2] }));
  const results = await runFunctions(calls, inputs, width);
  const missed = rows.flatMap(({ name, golden, ulp }, k) => {
    const got = results[k] ?? new Uint32Array();
    const { worst, where } = worstUlp(got, bitsOfGolden(golden), inputs, (element) => element.some(isSubnormal));
    if (process.env["JNX_ULP"] !== undefined) console.log(`${name} width ${width}: ${worst} ulp ${where}`);
    return worst > ulp ? [`${name}: ${worst} ulp, ${ulp} allowed: ${where}`] : [];
  });
  expect(missed).toEqual([]);
}

describe.each([1, 4] as const)("elementwise functions of width %i give JAX's numbers", (width) => {
  useDevice();

  test("one float operand", () => compare(unary, [bitsOfGolden("grid")], width));

  test("two float operands", () => compare(binary, [bitsOfGolden("pairs_x"), bitsOfGolden("pairs_y")], width));

  test.each(["i", "u"] as const)("integers, %s", async (tag) => {
    const two = [...integers, ...bits].map((op): Row => ({ name: `op_${op}_${tag}`, golden: `${tag}_${op}`, ulp: 0 }));
    const single = one.map((op): Row => ({ name: `op_${op}_${tag}`, golden: `${tag}_${op}`, ulp: 0 }));
    const convert: Row = { name: tag === "i" ? "op_i32_to_f32" : "op_u32_to_f32", golden: `${tag}_to_float32`, ulp: 0 };
    await compare([...two, ...single, convert], [bitsOfGolden(`${tag}_x`), bitsOfGolden(`${tag}_y`)], width);
  });

  test("functions that JAX has no name for, against the host", async () => {
    const x = bitsOfGolden("pairs_x");
    const y = bitsOfGolden("pairs_y");
    const results = await runFunctions(
      hosted.map(([name]) => ({ fn: library[name], inputs: [0, 1, 0] })),
      [x, y],
      width,
    );
    hosted.forEach(([name, oracle], k) => {
      const want = x.map((a, i) => oracle(a, y[i] ?? 0));
      expect([name, ...(results[k] ?? [])]).toEqual([name, ...want]);
    });
  });

  test("clamp between -2 and another tensor", async () => {
    const [x, y] = [bitsOfGolden("pairs_x"), bitsOfGolden("pairs_y")];
    const low = bitsOf(new Float32Array(x.length).fill(-2));
    const [got = new Uint32Array()] = await runFunctions(
      [{ fn: basic.op_clamp_f, inputs: [0, 1, 2] }],
      [low, x, y],
      width,
    );
    expect(worstUlp(got, bitsOfGolden("clamp"), [x, y])).toEqual({ worst: 0, where: "" });
  });
});
