/**
 * The WebAssembly instructions that values are made of: encoding, result, and how many operands. Names are
 * WebAssembly's own. A node of the intermediate form is one of these, or a leaf (see ir.ts).
 */
export type ValueType = "i32" | "f32" | "v128";

export interface Op {
  readonly name: string;
  /** Distinct small number, for hashing. */
  readonly id: number;
  readonly code: readonly number[];
  readonly type: ValueType;
  readonly arity: number;
  /** True where the operands may change places, so that equal values are found equal. */
  readonly commutes: boolean;
  /** What follows the instruction: a lane's number, or sixteen of them. */
  readonly immediate: "none" | "lane" | "lanes";
  /** True for a scalar in all lanes of 32 bits, which a load can give by itself. */
  readonly splats: boolean;
}

const OPS = new Map<string, Op>();

const COMMUTES = /\.(add|mul|and|or|xor|eq|ne|pmin|pmax)$/;
// pmin and pmax choose by order where an operand is NaN or a zero.
const ORDERED = /pmin|pmax/;

function define(
  prefix: readonly number[],
  type: ValueType,
  arity: number,
  names: Readonly<Record<string, number>>,
): void {
  for (const [name, opcode] of Object.entries(names)) {
    const commutes = arity === 2 && COMMUTES.test(name) && !ORDERED.test(name);
    const immediate = name.endsWith("_lane") ? "lane" : name === "i8x16.shuffle" ? "lanes" : "none";
    // An instruction without a prefix is one byte, whatever its size; those with one are numbers.
    const code = prefix.length === 0 ? [opcode] : [...prefix, ...leb(opcode)];
    const splats = name.endsWith("32x4.splat");
    OPS.set(name, { name, id: OPS.size + 16, code, type, arity, commutes, immediate, splats });
  }
}

function leb(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest & 127) | 128);
  }
}

const PLAIN: readonly number[] = [];
const SIMD = [0xfd];
const SATURATING = [0xfc];

define(PLAIN, "i32", 1, {
  "i32.eqz": 0x45,
  "i32.clz": 0x67,
  "i32.ctz": 0x68,
  "i32.popcnt": 0x69,
  "i32.reinterpret_f32": 0xbc,
  "i32.extend8_s": 0xc0,
  "i32.extend16_s": 0xc1,
});
const INTEGER = "eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u".split(" ");
define(PLAIN, "i32", 2, Object.fromEntries(INTEGER.map((name, k) => [`i32.${name}`, 0x46 + k])));
const ARITHMETIC = "add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u rotl rotr".split(" ");
define(PLAIN, "i32", 2, Object.fromEntries(ARITHMETIC.map((name, k) => [`i32.${name}`, 0x6a + k])));
const FLOAT = "eq ne lt gt le ge".split(" ");
define(PLAIN, "i32", 2, Object.fromEntries(FLOAT.map((name, k) => [`f32.${name}`, 0x5b + k])));
const ROUNDING = "abs neg ceil floor trunc nearest sqrt".split(" ");
define(PLAIN, "f32", 1, Object.fromEntries(ROUNDING.map((name, k) => [`f32.${name}`, 0x8b + k])));
define(
  PLAIN,
  "f32",
  2,
  Object.fromEntries("add sub mul div min max copysign".split(" ").map((n, k) => [`f32.${n}`, 0x92 + k])),
);
define(PLAIN, "f32", 1, { "f32.convert_i32_s": 0xb2, "f32.convert_i32_u": 0xb3, "f32.reinterpret_i32": 0xbe });
define(SATURATING, "i32", 1, { "i32.trunc_sat_f32_s": 0, "i32.trunc_sat_f32_u": 1 });

define(SIMD, "v128", 1, {
  "i32x4.splat": 0x11,
  "f32x4.splat": 0x13,
  "v128.not": 0x4d,
  "i8x16.popcnt": 0x62,
  "i16x8.extadd_pairwise_i8x16_u": 0x7d,
  "i32x4.extadd_pairwise_i16x8_u": 0x7f,
  "f32x4.ceil": 0x67,
  "f32x4.floor": 0x68,
  "f32x4.trunc": 0x69,
  "f32x4.nearest": 0x6a,
  "i32x4.abs": 0xa0,
  "i32x4.neg": 0xa1,
  "f32x4.abs": 0xe0,
  "f32x4.neg": 0xe1,
  "f32x4.sqrt": 0xe3,
  "i32x4.trunc_sat_f32x4_s": 0xf8,
  "i32x4.trunc_sat_f32x4_u": 0xf9,
  "f32x4.convert_i32x4_s": 0xfa,
  "f32x4.convert_i32x4_u": 0xfb,
});
define(SIMD, "v128", 2, Object.fromEntries(INTEGER.map((name, k) => [`i32x4.${name}`, 0x37 + k])));
define(SIMD, "v128", 2, Object.fromEntries(FLOAT.map((name, k) => [`f32x4.${name}`, 0x41 + k])));
define(SIMD, "v128", 2, { "v128.and": 0x4e, "v128.andnot": 0x4f, "v128.or": 0x50, "v128.xor": 0x51 });
define(SIMD, "v128", 2, {
  "i8x16.swizzle": 0x0e,
  "i8x16.sub": 0x71,
  "i64x2.shr_u": 0xcd,
  "i64x2.extmul_low_i32x4_u": 0xde,
  "i64x2.extmul_high_i32x4_u": 0xdf,
});
define(SIMD, "v128", 2, { "i32x4.shl": 0xab, "i32x4.shr_s": 0xac, "i32x4.shr_u": 0xad });
define(SIMD, "v128", 2, {
  "i32x4.add": 0xae,
  "i32x4.sub": 0xb1,
  "i32x4.mul": 0xb5,
  "i32x4.min_s": 0xb6,
  "i32x4.min_u": 0xb7,
  "i32x4.max_s": 0xb8,
  "i32x4.max_u": 0xb9,
});
const PACKED = "add sub mul div min max pmin pmax".split(" ");
define(SIMD, "v128", 2, Object.fromEntries(PACKED.map((name, k) => [`f32x4.${name}`, 0xe4 + k])));
define(SIMD, "v128", 3, { "v128.bitselect": 0x52, "f32x4.relaxed_madd": 0x105 });
define(SIMD, "i32", 1, { "v128.any_true": 0x53, "i32x4.all_true": 0xa3, "i32x4.bitmask": 0xa4 });

// One immediate: a lane, or sixteen lanes.
define(SIMD, "i32", 1, { "i32x4.extract_lane": 0x1b });
define(SIMD, "f32", 1, { "f32x4.extract_lane": 0x1f });
define(SIMD, "v128", 2, { "i32x4.replace_lane": 0x1c, "f32x4.replace_lane": 0x20, "i8x16.shuffle": 0x0d });

// Memory: the immediate is the offset.
define(PLAIN, "i32", 1, { "i32.load": 0x28 });
define(PLAIN, "f32", 1, { "f32.load": 0x2a });
define(SIMD, "v128", 1, { "v128.load": 0x00, "v128.load32_splat": 0x09 });

/** All of them, for those who look for one by something else than its name. */
export function allOps(): Iterable<Op> {
  return OPS.values();
}

/** The instruction of that name, which must be in the table. */
export function opOf(name: string): Op {
  const op = OPS.get(name);
  if (op === undefined) throw new Error(`no instruction named ${name}`);
  return op;
}
