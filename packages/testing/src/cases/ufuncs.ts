import * as t from "@jnx/tensor";
import type { DType, Tensor } from "@jnx/tensor";
import * as s from "../scalars.ts";
import type { Whole } from "../scalars.ts";
import * as r from "../reference.ts";
import { comparisons } from "./comparisons.ts";
import { EVERY, NUMBERS, WHOLE, always, mapRow, shapedRow, type Domain, type MapRow, type Row } from "./rows.ts";

type Unary = (x: number) => number;
type Binary = (x: number, y: number) => number;

const TINY = 1e-30;
const isWhole = (dtype: DType): dtype is Whole => dtype === "int32" || dtype === "uint32";
const truth = (value: boolean): number => (value ? 1 : 0);
const float = always("float32");

function smooth(name: string, run: (x: Tensor) => Tensor, f: Unary, ulp: number, domain: Domain = [-3, 3]): MapRow {
  return mapRow(name, run, 1, () => f, { domains: [domain], tolerance: { ulp, abs: TINY }, differentiable: true });
}

const curves: readonly MapRow[] = [
  { ...smooth("exp2", t.exp2, (x) => 2 ** x, 8), tolerance: { ulp: 8, abs: TINY, rel: 1e-5 } },
  smooth("log2", t.log2, Math.log2, 4, [0.2, 5]),
  smooth("log10", t.log10, Math.log10, 4, [0.2, 5]),
  smooth("cbrt", t.cbrt, Math.cbrt, 2, [0.3, 5]),
  smooth("sinh", t.sinh, Math.sinh, 6),
  smooth("cosh", t.cosh, Math.cosh, 6),
  smooth("arcsinh", t.arcsinh, Math.asinh, 4),
  smooth("arccosh", t.arccosh, Math.acosh, 5, [1.2, 5]),
  smooth("arctanh", t.arctanh, Math.atanh, 5, [-0.9, 0.9]),
  smooth("arcsin", t.arcsin, Math.asin, 4, [-0.9, 0.9]),
  smooth("arccos", t.arccos, Math.acos, 4, [-0.9, 0.9]),
  smooth("arctan", t.arctan, Math.atan, 4),
  // π·x is rounded before its sine, as in JAX: the absolute error is that of the rounding.
  { ...smooth("sinc", t.sinc, sinc, 8), tolerance: { ulp: 8, abs: 3e-7 } },
  smooth("deg2rad", t.deg2rad, (x) => (x / 180) * Math.PI, 1),
  smooth("rad2deg", t.rad2deg, (x) => (x / Math.PI) * 180, 2),
  smooth("reciprocal", t.reciprocal, (x) => 1 / x, 1, [0.3, 3]),
  smooth("fabs", t.fabs, Math.abs, 0),
];

function sinc(x: number): number {
  if (x === 0) return 1;
  const turn = Math.fround(Math.fround(Math.PI) * x);
  return Math.abs(x) > 8 ? Math.sin(turn) / turn : Math.sin(Math.PI * x) / (Math.PI * x);
}

const rounding: readonly MapRow[] = [
  mapRow("trunc", t.trunc, 1, () => Math.trunc, { dtypes: EVERY }),
  mapRow("rint", t.rint, 1, () => s.roundHalfEven, { dtypes: EVERY, result: float }),
  mapRow("roundAway", t.roundAway, 1, () => (x) => Math.sign(x) * Math.round(Math.abs(x))),
  {
    ...mapRow(
      "round",
      (x) => t.round(x, 2),
      1,
      () => (x) => toDecimals(x, 100),
    ),
    label: "round 2",
    tolerance: { ulp: 1 },
  },
  {
    ...mapRow(
      "round",
      (x) => t.round(x, -1),
      1,
      (dtype) => (x) => whole(dtype, toDecimals(x, Math.fround(0.1))),
      { dtypes: ["float32", "int32"] },
    ),
    label: "round -1",
    tolerance: { ulp: 1 },
  },
  mapRow("positive", t.positive, 1, () => (x) => x, { dtypes: NUMBERS, differentiable: true }),
  mapRow("signbit", t.signbit, 1, () => (x) => truth(x < 0 || Object.is(x, -0)), {
    dtypes: EVERY,
    result: always("bool"),
  }),
  mapRow("isposinf", t.isposinf, 1, () => (x) => truth(x === Infinity), { result: always("bool") }),
  mapRow("isneginf", t.isneginf, 1, () => (x) => truth(x === -Infinity), { result: always("bool") }),
  mapRow(
    "nanToNum",
    (x) => t.nanToNum(x),
    1,
    () => (x) => (Number.isNaN(x) ? 0 : Math.max(-LARGEST, Math.min(LARGEST, x))),
    {
      dtypes: EVERY,
    },
  ),
  {
    ...mapRow(
      "nanToNum",
      (x) => t.nanToNum(x, { nan: 1, posinf: 2, neginf: 3 }),
      1,
      () => (x) => (Number.isNaN(x) ? 1 : x === Infinity ? 2 : x === -Infinity ? 3 : x),
      { differentiable: true },
    ),
    label: "nanToNum of one's own",
  },
  {
    ...mapRow(
      "modf",
      (x) => t.modf(x)[0],
      1,
      () => (x) => (Number.isFinite(x) ? x - Math.trunc(x) : NaN),
    ),
    label: "modf fraction",
  },
  {
    ...mapRow(
      "modf",
      (x) => t.modf(x)[1],
      1,
      () => Math.trunc,
    ),
    label: "modf whole",
  },
  {
    ...mapRow(
      "frexp",
      (x) => t.frexp(x)[0],
      1,
      () => (x) => significand(x)[0],
    ),
    label: "frexp significand",
  },
  {
    ...mapRow(
      "frexp",
      (x) => t.frexp(x)[1],
      1,
      () => (x) => significand(x)[1],
      { result: always("int32") },
    ),
    label: "frexp exponent",
  },
  mapRow(
    "spacing",
    t.spacing,
    1,
    () => (x) => (Number.isFinite(x) ? neighbour(x, x < 0 || Object.is(x, -0) ? -Infinity : Infinity) - x : NaN),
    { tolerance: { ulp: 0, abs: 1e-37 } },
  ),
];

const LARGEST = 3.4028234663852886e38;

/** As JAX does it: scaled and back in float32. */
function toDecimals(x: number, factor: number): number {
  return Math.fround(s.roundHalfEven(Math.fround(x * factor)) / factor);
}

const whole = (dtype: DType, x: number): number => (isWhole(dtype) ? s.wrap(dtype, s.toWhole(dtype, x)) : x);

function significand(x: number): [number, number] {
  if (!Number.isFinite(x) || x === 0) return [x, 0];
  const exponent = Math.floor(Math.log2(Math.abs(x))) + 1;
  const scaled = x / 2 ** exponent;
  return Math.abs(scaled) >= 1 ? [scaled / 2, exponent + 1] : [scaled, exponent];
}

const word = new DataView(new ArrayBuffer(4));

/** The float32 next to x towards y. */
function neighbour(x: number, y: number): number {
  if (Number.isNaN(x) || Number.isNaN(y)) return NaN;
  if (x === y) return y;
  if (x === 0) return y < 0 ? -(2 ** -149) : 2 ** -149;
  word.setFloat32(0, x);
  word.setUint32(0, word.getUint32(0) + (x < y === x > 0 ? 1 : -1));
  return word.getFloat32(0);
}

function both(name: string, run: (x: Tensor, y: Tensor) => Tensor, f: Binary, options: Partial<MapRow> = {}): MapRow {
  return mapRow(name, run, 2, () => f, options);
}

const close = { ulp: 4, abs: TINY };
const apart: readonly Domain[] = [
  [-3, 3],
  [0.5, 3],
];

/** Where the quotient is 1 all over: between the jumps. */
const above: readonly Domain[] = [
  [1.1, 1.5],
  [0.8, 1],
];

const pairs: readonly MapRow[] = [
  both("arctan2", t.arctan2, Math.atan2, { tolerance: close, domains: apart, differentiable: true }),
  both("hypot", t.hypot, hypot, { tolerance: close, domains: apart, differentiable: true }),
  both("logaddexp", t.logaddexp, (x, y) => logsum(x, y, Math.E), {
    tolerance: { ulp: 4, abs: 1e-6 },
    differentiable: true,
  }),
  both("logaddexp2", t.logaddexp2, (x, y) => logsum(x, y, 2), {
    tolerance: { ulp: 4, abs: 1e-6, rel: 1e-6 },
    differentiable: true,
  }),
  both("copysign", t.copysign, (x, y) => (y < 0 || Object.is(y, -0) ? -Math.abs(x) : Math.abs(x)), {
    domains: [
      [0.5, 3],
      [-3, 3],
    ],
    differentiable: true,
  }),
  both("heaviside", t.heaviside, (x, y) => (Number.isNaN(x) ? NaN : x < 0 ? 0 : x > 0 ? 1 : y)),
  both("nextafter", t.nextafter, neighbour, { tolerance: { ulp: 0, abs: 1e-37 } }),
  both("fmax", t.fmax, (x, y) => (Number.isNaN(x) ? y : Number.isNaN(y) ? x : Math.max(x, y)), { dtypes: EVERY }),
  both("fmin", t.fmin, (x, y) => (Number.isNaN(x) ? y : Number.isNaN(y) ? x : Math.min(x, y)), { dtypes: EVERY }),
  { ...both("floorDivide", t.floorDivide, floorDivide, { tolerance: { ulp: 1 } }), label: "floorDivide of floats" },
  {
    ...both("remainder", t.remainder, modulo, { domains: above, differentiable: true }),
    label: "remainder of floats",
  },
  { ...both("rem", t.rem, (x, y) => x % y, { domains: above, differentiable: true }), label: "rem of floats" },
  both("fmod", t.fmod, (x, y) => x % y),
  {
    ...mapRow("fmod", t.fmod, 2, (dtype) => (x, y) => (y === 0 ? 0 : whole(dtype, x % y)), { dtypes: WHOLE }),
    label: "fmod of whole numbers",
  },
  {
    ...mapRow(
      "divmod",
      (x, y) => t.divmod(x, y)[0],
      2,
      (dtype) => (isWhole(dtype) ? (x, y) => s.floorDivide(dtype, x, y) : floorDivide),
      { dtypes: NUMBERS, tolerance: { ulp: 1 } },
    ),
    label: "divmod quotient",
  },
  {
    ...mapRow(
      "divmod",
      (x, y) => t.divmod(x, y)[1],
      2,
      (dtype) => (isWhole(dtype) ? (x, y) => s.remainder(dtype, x, y) : modulo),
      { dtypes: NUMBERS },
    ),
    label: "divmod remainder",
  },
  both(
    "isclose",
    (x, y) => t.isclose(x, y),
    (x, y) => truth(isClose(x, y)),
    { result: always("bool"), dtypes: NUMBERS },
  ),
  both("logicalXor", t.logicalXor, (x, y) => truth((x !== 0) !== (y !== 0)), { dtypes: EVERY, result: always("bool") }),
  mapRow("laxDiv", t.laxDiv, 2, (dtype) => (isWhole(dtype) ? (x, y) => s.divide(dtype, x, y) : (x, y) => x / y), {
    dtypes: NUMBERS,
    domains: apart,
    tolerance: { ulp: 1, abs: TINY },
    differentiable: true,
  }),
  integers("shiftRightLogical", t.shiftRightLogical, (dtype, x, y) => (y >>> 0 >= 32 ? 0 : s.wrap(dtype, x >>> y))),
  integers("shiftRightArithmetic", t.shiftRightArithmetic, (dtype, x, y) =>
    s.wrap(dtype, (x | 0) >> Math.min(31, y >>> 0)),
  ),
  integers("gcd", t.gcd, (dtype, x, y) => s.wrap(dtype, divisor(Math.abs(x), Math.abs(y)))),
  integers("lcm", t.lcm, lcm),
];

function integers(
  name: string,
  run: (x: Tensor, y: Tensor) => Tensor,
  f: (dtype: Whole, x: number, y: number) => number,
): MapRow {
  return mapRow(name, run, 2, (dtype) => (x, y) => f(isWhole(dtype) ? dtype : "int32", x, y), { dtypes: WHOLE });
}

function hypot(x: number, y: number): number {
  return Math.abs(x) === Infinity || Math.abs(y) === Infinity ? Infinity : Math.hypot(x, y);
}

function logsum(x: number, y: number, base: number): number {
  if (x === y && !Number.isFinite(x)) return x;
  const top = Math.max(x, y);
  return top + Math.log1p(base ** -Math.abs(x - y)) / Math.log(base);
}

function modulo(x: number, y: number): number {
  const rest = x % y;
  return rest !== 0 && rest < 0 !== y < 0 ? Math.fround(rest + y) : rest;
}

/** jnp.floor_divide of floats, step by step. */
function floorDivide(x: number, y: number): number {
  if (y === 0) return x / y;
  const rest = x % y;
  const quotient = Math.fround(Math.fround(x - rest) / y);
  return s.roundHalfEven(rest !== 0 && rest < 0 !== y < 0 ? quotient - 1 : quotient);
}

function isClose(x: number, y: number): boolean {
  return x === y || (Number.isFinite(y) && Math.abs(x - y) <= 1e-8 + 1e-5 * Math.abs(y));
}

function divisor(x: number, y: number): number {
  return y === 0 ? x : divisor(y, x % y);
}

function lcm(dtype: Whole, x: number, y: number): number {
  const common = s.wrap(dtype, divisor(Math.abs(x), Math.abs(y)));
  const size = (value: number): number => s.wrap(dtype, Math.abs(value));
  return common === 0 ? 0 : s.multiply(dtype, size(x), s.floorDivide(dtype, size(y), common));
}

const bits: readonly Row[] = [
  mapRow("populationCount", t.populationCount, 1, () => ones, { dtypes: WHOLE }),
  mapRow("bitwiseCount", t.bitwiseCount, 1, () => (x) => ones(Math.abs(x)), { dtypes: WHOLE, result: () => "uint8" }),
  mapRow("clz", t.clz, 1, () => Math.clz32, { dtypes: WHOLE }),
  ...NUMBERS.flatMap((to) =>
    NUMBERS.map((from) => ({
      ...mapRow(
        "bitcastConvertType",
        (x) => t.bitcastConvertType(x, to),
        1,
        () => (x) => recast(x, from, to),
        { dtypes: [from], result: always(to) },
      ),
      label: `bitcastConvertType ${from} to ${to}`,
    })),
  ).filter((row) => !row.label.includes("32 to float")),
  shapedRow(
    "ldexp",
    "of halves and whole numbers",
    [
      { shape: [2, 3], values: [0.5, -3, 1e30, 1e-30, 0, Infinity] },
      { shape: [3], values: [3, -1, -150], dtype: "int32" },
    ],
    t.ldexp,
    (x, n) => r.map((a, b) => a * 2 ** b, x, n),
    { differentiable: false },
  ),
  shapedRow(
    "ldexp",
    "of ordinary numbers",
    [[3, 4], { shape: [4], dtype: "int32" }],
    t.ldexp,
    (x, n) => r.map((a, b) => a * 2 ** b, x, n),
    { differentiable: true },
  ),
  shapedRow(
    "bitcastConvertType",
    "of whole numbers to floats and back",
    [[7]],
    (x) => t.bitcastConvertType(t.bitcastConvertType(x, "int32"), "float32"),
    (x) => x,
  ),
];

function ones(x: number): number {
  let count = 0;
  for (let rest = x >>> 0; rest > 0; rest >>>= 1) count += rest & 1;
  return count;
}

function recast(x: number, from: DType, to: DType): number {
  if (from === "float32") word.setFloat32(0, x);
  else word.setInt32(0, x);
  return to === "float32" ? word.getFloat32(0) : to === "int32" ? word.getInt32(0) : word.getUint32(0);
}

/** The rest of NumPy's functions of elements. */
export const ufuncs: readonly Row[] = [...curves, ...rounding, ...pairs, ...bits, ...comparisons];
