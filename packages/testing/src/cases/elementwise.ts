import * as t from "@jnx/tensor";
import type { DType, Tensor } from "@jnx/tensor";
import * as s from "../scalars.ts";
import type { Whole } from "../scalars.ts";
import { EVERY, NUMBERS, WHOLE, always, counted, mapRow, type Domain, type MapRow } from "./rows.ts";

/** Products that overflow in float32 but not in float64, and results that float32 flushes, are as close as this. */
const TINY = 1e-30;

type Unary = (x: number) => number;

const isWhole = (dtype: DType): dtype is Whole => dtype === "int32" || dtype === "uint32";
const truth = (value: boolean): number => (value ? 1 : 0);

/** A smooth function of one float. */
function smooth(
  name: string,
  run: (x: Tensor) => Tensor,
  f: Unary,
  ulp: number,
  domain: Domain = [-3, 3],
  abs = TINY,
): MapRow {
  return mapRow(name, run, 1, () => f, { domains: [domain], tolerance: { ulp, abs }, differentiable: true });
}

const smoothFunctions: readonly MapRow[] = [
  smooth("exp", t.exp, Math.exp, 2),
  smooth("expm1", t.expm1, Math.expm1, 3),
  smooth("log", t.log, Math.log, 2, [0.1, 5]),
  smooth("log1p", t.log1p, Math.log1p, 3, [-0.8, 4]),
  smooth("sqrt", t.sqrt, Math.sqrt, 1, [0.1, 5]),
  smooth("rsqrt", t.rsqrt, (x) => 1 / Math.sqrt(x), 2, [0.1, 5]),
  smooth("sin", t.sin, Math.sin, 2),
  smooth("cos", t.cos, Math.cos, 2),
  smooth("tan", t.tan, Math.tan, 4, [-1, 1]),
  smooth("tanh", t.tanh, Math.tanh, 4),
  smooth("sigmoid", t.sigmoid, s.sigmoid, 3),
  smooth("erf", t.erf, s.erf, 6),
  smooth("erfc", t.erfc, s.erfc, 8),
  smooth("erfInv", t.erfInv, s.erfInv, 8, [-0.9, 0.9]),
  smooth("silu", t.silu, (x) => x * s.sigmoid(x), 6),
  smooth("softplus", t.softplus, s.softplus, 4),
  smooth("logSigmoid", t.logSigmoid, (x) => -s.softplus(-x), 4),
  smooth("gelu", (x) => t.gelu(x), s.geluTanh, 16, [-3, 3], 5e-7),
  {
    ...smooth(
      "gelu",
      (x) => t.gelu(x, { approximate: false }),
      (x) => 0.5 * x * s.erfc(-x * Math.SQRT1_2),
      24,
    ),
    label: "gelu exact",
  },
  smooth("softSign", t.softSign, (x) => x / (Math.abs(x) + 1), 2),
  smooth(
    "leakyRelu",
    (x) => t.leakyRelu(x),
    (x) => (x >= 0 ? x : Math.fround(0.01) * x),
    1,
  ),
  smooth(
    "elu",
    (x) => t.elu(x),
    (x) => (x > 0 ? x : Math.expm1(x)),
    3,
  ),
  smooth("relu", t.relu, (x) => Math.max(x, 0), 0),
  smooth("relu6", t.relu6, (x) => Math.min(Math.max(x, 0), 6), 0),
  smooth("abs", t.abs, Math.abs, 0),
];

/** A function of numbers of any dtype; integers wrap. */
function numeric(name: string, run: (x: Tensor) => Tensor, f: Unary, more: Partial<MapRow> = {}): MapRow {
  return mapRow(name, run, 1, (dtype) => (x) => (isWhole(dtype) ? s.wrap(dtype, f(x)) : f(x)), {
    dtypes: NUMBERS,
    ...more,
  });
}

const oneOperand: readonly MapRow[] = [
  numeric("neg", t.neg, (x) => -x, { differentiable: true }),
  { ...numeric("abs", t.abs, Math.abs, { dtypes: [...WHOLE, "bool"] }), label: "abs of whole numbers" },
  numeric("sign", t.sign, Math.sign),
  mapRow("square", t.square, 1, (dtype) => (x) => (isWhole(dtype) ? s.multiply(dtype, x, x) : x * x), {
    dtypes: EVERY,
    result: counted,
    differentiable: true,
  }),
  numeric("floor", t.floor, Math.floor),
  numeric("ceil", t.ceil, Math.ceil),
  numeric("round", t.round, s.roundHalfEven),
  mapRow("isnan", t.isnan, 1, () => (x) => truth(Number.isNaN(x)), { result: always("bool") }),
  mapRow("isinf", t.isinf, 1, () => (x) => truth(Math.abs(x) === Infinity), { result: always("bool") }),
  mapRow("isfinite", t.isfinite, 1, () => (x) => truth(Number.isFinite(x)), { result: always("bool") }),
  mapRow("bitwiseNot", t.bitwiseNot, 1, (dtype) => (x) => (isWhole(dtype) ? s.wrap(dtype, ~x) : 1 - x), {
    dtypes: [...WHOLE, "bool"],
  }),
  mapRow("logicalNot", t.logicalNot, 1, () => (x) => truth(x === 0), { dtypes: EVERY, result: always("bool") }),
  mapRow("stopGradient", t.stopGradient, 1, () => (x) => x, { dtypes: EVERY }),
  {
    ...smooth(
      "power",
      (x) => t.power(x, 3),
      (x) => x ** 3,
      2,
    ),
    label: "power 3",
  },
  {
    ...smooth(
      "power",
      (x) => t.power(x, -2),
      (x) => 1 / (x * x),
      2,
      [0.3, 3],
    ),
    label: "power -2",
  },
  {
    ...smooth(
      "power",
      (x) => t.power(x, 0),
      () => 1,
      0,
    ),
    label: "power 0",
  },
  {
    ...smooth(
      "power",
      (x) => t.power(x, 0.5),
      (x) => s.pow(x, 0.5),
      2,
      [0.3, 3],
    ),
    label: "power 0.5",
  },
  {
    ...smooth(
      "clip",
      (x) => t.clip(x, -1, 2),
      (x) => Math.min(Math.max(x, -1), 2),
      0,
    ),
    label: "clip between numbers",
  },
];

const conversions: readonly MapRow[] = EVERY.map((to) =>
  mapRow(
    "astype",
    (x) => t.astype(x, to),
    1,
    (from) => (x) => converted(x, from, to),
    {
      label: `astype ${to}`,
      dtypes: EVERY,
      result: always(to),
      differentiable: to === "float32",
    },
  ),
);

function converted(x: number, from: DType, to: DType): number {
  if (to === "bool") return truth(x !== 0);
  if (to === "float32") return x;
  const whole = to === "uint32" ? "uint32" : "int32";
  return from === "float32" ? s.toWhole(whole, x) : s.wrap(whole, x);
}

type Binary = (x: number, y: number) => number;

function arithmetic(
  name: string,
  run: (x: Tensor, y: Tensor) => Tensor,
  f: Binary,
  whole: (dtype: Whole) => Binary,
  bool?: Binary,
): MapRow {
  const scalar = (dtype: DType): Binary => (isWhole(dtype) ? whole(dtype) : dtype === "bool" ? (bool ?? f) : f);
  return mapRow(name, run, 2, scalar, { dtypes: bool ? EVERY : NUMBERS, differentiable: true });
}

const wrapped =
  (f: Binary) =>
  (dtype: Whole): Binary =>
  (x, y) =>
    s.wrap(dtype, f(x, y));
const either: Binary = (x, y) => x | y;
const both: Binary = (x, y) => x & y;

const twoOperands: readonly MapRow[] = [
  arithmetic(
    "add",
    t.add,
    (x, y) => x + y,
    wrapped((x, y) => x + y),
    either,
  ),
  arithmetic(
    "sub",
    t.sub,
    (x, y) => x - y,
    wrapped((x, y) => x - y),
  ),
  arithmetic(
    "mul",
    t.mul,
    (x, y) => x * y,
    (dtype) => (x, y) => s.multiply(dtype, x, y),
    both,
  ),
  arithmetic("maximum", t.maximum, Math.max, () => Math.max, either),
  arithmetic("minimum", t.minimum, Math.min, () => Math.min, both),
  mapRow("div", t.div, 2, () => (x, y) => x / y, {
    dtypes: EVERY,
    result: always("float32"),
    tolerance: { ulp: 1, abs: TINY },
    domains: [
      [-3, 3],
      [0.5, 3],
    ],
    differentiable: true,
  }),
  mapRow("power", t.power, 2, (dtype) => (isWhole(dtype) ? (x, y) => s.integerPow(dtype, x, y) : s.pow), {
    dtypes: NUMBERS,
    tolerance: { ulp: 2, abs: TINY },
    domains: [
      [0.3, 3],
      [-2, 2],
    ],
    differentiable: true,
  }),
  mapRow("floatPower", t.floatPower, 2, () => s.pow, {
    tolerance: { ulp: 2, abs: TINY },
    domains: [
      [0.3, 3],
      [-2, 2],
    ],
    differentiable: true,
  }),
  ...[0.9, 0.999, 2, 1e-3, 1e4].map((base) => ({
    ...mapRow(
      "floatPower",
      (y: t.TensorLike) => t.floatPower(base, y),
      1,
      () => (y: number) => s.pow(Math.fround(base), y),
      {
        tolerance: { ulp: 2, abs: TINY },
        domains: [[-3, 3]],
        differentiable: true,
      },
    ),
    label: `${base} to a power`,
  })),
  wholeNumbers("floorDivide", t.floorDivide, s.floorDivide),
  wholeNumbers("remainder", t.remainder, s.remainder),
  wholeNumbers("rem", t.rem, s.rem),
  wholeNumbers("leftShift", t.leftShift, s.shiftLeft),
  wholeNumbers("rightShift", t.rightShift, s.shiftRight),
  bits("bitwiseAnd", t.bitwiseAnd, both),
  bits("bitwiseOr", t.bitwiseOr, either),
  bits("bitwiseXor", t.bitwiseXor, (x, y) => x ^ y),
  comparison("equal", t.equal, (x, y) => x === y),
  comparison("notEqual", t.notEqual, (x, y) => x !== y),
  comparison("less", t.less, (x, y) => x < y),
  comparison("lessEqual", t.lessEqual, (x, y) => x <= y),
  comparison("greater", t.greater, (x, y) => x > y),
  comparison("greaterEqual", t.greaterEqual, (x, y) => x >= y),
  comparison("logicalAnd", t.logicalAnd, (x, y) => x !== 0 && y !== 0),
  comparison("logicalOr", t.logicalOr, (x, y) => x !== 0 || y !== 0),
];

function wholeNumbers(
  name: string,
  run: (x: Tensor, y: Tensor) => Tensor,
  f: (dtype: Whole, x: number, y: number) => number,
): MapRow {
  return mapRow(name, run, 2, (dtype) => (x, y) => f(isWhole(dtype) ? dtype : "int32", x, y), { dtypes: WHOLE });
}

function bits(name: string, run: (x: Tensor, y: Tensor) => Tensor, f: Binary): MapRow {
  return mapRow(name, run, 2, (dtype) => (x, y) => (isWhole(dtype) ? s.wrap(dtype, f(x, y)) : f(x, y)), {
    dtypes: [...WHOLE, "bool"],
  });
}

function comparison(name: string, run: (x: Tensor, y: Tensor) => Tensor, f: (x: number, y: number) => boolean): MapRow {
  return mapRow(name, run, 2, () => (x, y) => truth(f(x, y)), { dtypes: EVERY, result: always("bool") });
}

const threeOperands: readonly MapRow[] = [
  mapRow(
    "where",
    (c, x, y) => t.where(t.greater(c, 0), x, y),
    3,
    () => (c, x, y) => (c > 0 ? x : y),
    {
      dtypes: EVERY,
      differentiable: true,
    },
  ),
  mapRow("clip", t.clip, 3, () => (x, low, high) => Math.min(Math.max(x, low), high), {
    dtypes: NUMBERS,
    domains: [
      [-3, 3],
      [-2, -1],
      [1, 2],
    ],
    differentiable: true,
  }),
];

/** Every function of elements. */
export const elementwise: readonly MapRow[] = [
  ...smoothFunctions,
  ...oneOperand,
  ...conversions,
  ...twoOperands,
  ...threeOperands,
];
