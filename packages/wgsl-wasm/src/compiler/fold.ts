/** Arithmetic on constants, given and returned as 32 bits. */
const bits = new DataView(new ArrayBuffer(4));

export function floatOf(word: number): number {
  bits.setInt32(0, word);
  return bits.getFloat32(0);
}

export function bitsOf(value: number): number {
  bits.setFloat32(0, value);
  return bits.getInt32(0);
}

type Unary = (a: number) => number;
type Binary = (a: number, b: number) => number;

const INTEGER: Readonly<Record<string, Binary>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: Math.imul,
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
  shl: (a, b) => a << b,
  shr_s: (a, b) => a >> b,
  shr_u: (a, b) => a >>> b,
  rotl: (a, b) => (a << (b & 31)) | (a >>> ((32 - b) & 31)),
  div_s: (a, b) => (b === 0 ? a : a / b),
  div_u: (a, b) => (b === 0 ? a : (a >>> 0) / (b >>> 0)),
  rem_s: (a, b) => (b === 0 ? 0 : a % b),
  rem_u: (a, b) => (b === 0 ? 0 : (a >>> 0) % (b >>> 0)),
  eq: (a, b) => Number(a === b),
  ne: (a, b) => Number(a !== b),
  lt_s: (a, b) => Number(a < b),
  lt_u: (a, b) => Number(a >>> 0 < b >>> 0),
  gt_s: (a, b) => Number(a > b),
  gt_u: (a, b) => Number(a >>> 0 > b >>> 0),
  le_s: (a, b) => Number(a <= b),
  le_u: (a, b) => Number(a >>> 0 <= b >>> 0),
  ge_s: (a, b) => Number(a >= b),
  ge_u: (a, b) => Number(a >>> 0 >= b >>> 0),
  min_s: (a, b) => Math.min(a, b),
  min_u: (a, b) => Math.min(a >>> 0, b >>> 0),
  max_s: (a, b) => Math.max(a, b),
  max_u: (a, b) => Math.max(a >>> 0, b >>> 0),
};

const INTEGER_UNARY: Readonly<Record<string, Unary>> = {
  eqz: (a) => Number(a === 0),
  clz: Math.clz32,
  ctz: (a) => (a === 0 ? 32 : 31 - Math.clz32(a & -a)),
  neg: (a) => -a,
  not: (a) => ~a,
  abs: Math.abs,
  reinterpret_f32: (a) => a,
};

const FLOAT: Readonly<Record<string, Binary>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
};

const FLOAT_COMPARE: Readonly<Record<string, Binary>> = {
  eq: (a, b) => Number(a === b),
  ne: (a, b) => Number(a !== b),
  lt: (a, b) => Number(a < b),
  gt: (a, b) => Number(a > b),
  le: (a, b) => Number(a <= b),
  ge: (a, b) => Number(a >= b),
};

const FLOAT_UNARY: Readonly<Record<string, Unary>> = {
  floor: Math.floor,
  ceil: Math.ceil,
  trunc: Math.trunc,
  sqrt: Math.sqrt,
};

/** The 32 bits of a lane of `name` (such as "i32.add" or "f32x4.add"), or undefined where it is left to the machine. */
export function foldLane(name: string, args: readonly number[]): number | undefined {
  const dot = name.indexOf(".");
  const type = name.slice(0, 3);
  const operation = name.slice(dot + 1);
  const [a = 0, b = 0] = args;
  if (type === "i32" || name.startsWith("v128.")) return foldInteger(operation, a, b, args.length);
  if (type !== "f32") return undefined;
  if (operation === "abs") return a & 0x7fffffff;
  if (operation === "neg") return a ^ 0x80000000;
  if (operation === "convert_i32_s" || operation === "convert_i32x4_s") return bitsOf(a);
  if (operation === "convert_i32_u" || operation === "convert_i32x4_u") return bitsOf(a >>> 0);
  if (operation === "reinterpret_i32") return a;
  return foldFloat(operation, floatOf(a), floatOf(b), args.length);
}

function foldInteger(operation: string, a: number, b: number, arity: number): number | undefined {
  const result = arity === 1 ? INTEGER_UNARY[operation]?.(a) : INTEGER[operation]?.(a, b);
  return result === undefined ? undefined : result | 0;
}

function foldFloat(operation: string, a: number, b: number, arity: number): number | undefined {
  if (arity === 2) {
    const compared = FLOAT_COMPARE[operation]?.(a, b);
    if (compared !== undefined) return compared;
  }
  const result = arity === 1 ? FLOAT_UNARY[operation]?.(a) : FLOAT[operation]?.(a, b);
  // What bits a NaN has is the machine's choice.
  return result === undefined || Number.isNaN(result) ? undefined : bitsOf(result);
}

/** True for comparisons, whose lanes are 0 or -1 in a vector and whose scalars are 0 or 1. */
export function isComparison(name: string): boolean {
  return /\.(eq|ne|lt|gt|le|ge)(_[su])?$/.test(name);
}
