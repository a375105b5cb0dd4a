import { logicalOr } from "./logic.ts";
import { bitcastConvertType } from "./bits.ts";
import { finfo } from "./dtypes.ts";
import {
  op_copysign,
  op_frexp_exponent,
  op_frexp_significand,
  op_isinf,
  op_nextafter,
  op_round,
  op_round_away,
  op_signbit,
  op_trunc,
  op_ldexp,
} from "@jnx/kernels-wgsl";
import { bind } from "../dispatch.ts";
import { isFloat, isInteger } from "../dtype.ts";
import { ArgumentError, DtypeError } from "../errors.ts";
import type { MapOp } from "../op.ts";
import { broadcastShapes } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { asFloat, convert } from "./convert.ts";
import { asTensor, literal, zerosLike, type TensorLike } from "./create.ts";
import { add, div, mul, sub, where } from "./binary.ts";
import { abs, equal, floorDivide, greater, isnan, less, neg, notEqual, rem, remainder } from "./elementwise.ts";
import { binary, together, unary, type BinaryFunction, type UnaryFunction } from "./factories.ts";
import { broadcastTo } from "./movement.ts";
import { checkOptions } from "../options.ts";

const NAN_TO_NUM_OPTIONS = { nan: "number", posinf: "number", neginf: "number" } as const;

/**
 * x without its fraction. Source: jnp.trunc.
 * @example await trunc(array([1.7, -1.7])).toArray(); // [1, -1]
 */
export const trunc: UnaryFunction = /* @__PURE__ */ unary({
  name: "trunc",
  wgsl: op_trunc,
  takes: "float",
  keeps: (dtype) => !isFloat(dtype),
  derivative: (x) => zerosLike(x),
});

const nearest: UnaryFunction = /* @__PURE__ */ unary({
  name: "round",
  wgsl: op_round,
  takes: "float",
  keeps: isInteger,
  derivative: (x) => zerosLike(x),
});

/**
 * The nearest number with so many decimals (0 unless told; negative ones round to tens, hundreds …), halves to even.
 * Source: jnp.round.
 *
 * @throws ArgumentError unless decimals is a whole number.
 * @example
 * await round(array([0.5, 1.5, -1.7])).toArray(); // [0, 2, -2]
 * await round(array([1.26, 3.14159]), 1).toArray(); // [1.3, 3.1]
 */
export function round(x: TensorLike, decimals = 0): Tensor {
  if (!Number.isInteger(decimals))
    throw new ArgumentError(`round: decimals is a whole number, received ${String(decimals)}`);
  const tensor = asTensor(x, "round");
  if (decimals === 0 || (!isFloat(tensor.dtype) && decimals > 0)) return nearest(tensor);
  if (!isFloat(tensor.dtype)) return convert(round(convert(tensor, "float32"), decimals), tensor.dtype);
  const factor = literal(10 ** decimals, [], "float32", true);
  return div(nearest(mul(tensor, factor)), factor);
}

/**
 * The nearest whole number, halves to even; whole numbers become float32. Source: jnp.rint.
 * @example await rint(array([0.5, 1.5, 2.6])).toArray(); // [0, 2, 3]
 */
export const rint: UnaryFunction = /* @__PURE__ */ unary({
  name: "rint",
  wgsl: op_round,
  takes: "float",
  derivative: (x) => zerosLike(x),
});

/**
 * The nearest whole number, halves away from zero. Source: lax.round.
 * @example await roundAway(array([0.5, 1.5, -2.5])).toArray(); // [1, 2, -3]
 */
export const roundAway: UnaryFunction = /* @__PURE__ */ unary({
  name: "roundAway",
  wgsl: op_round_away,
  takes: "float",
  derivative: (x) => zerosLike(x),
});

/**
 * |x| with the sign of y, that of −0 and of NaN included. Source: jnp.copysign.
 * @example await copysign(array([1, 2]), array([-0.5, 3])).toArray(); // [-1, 2]
 */
export const copysign: BinaryFunction = /* @__PURE__ */ binary({
  name: "copysign",
  wgsl: op_copysign,
  takes: "float",
  partials: [(ct, x, _y, out) => where(equal(x, out), ct, neg(ct)), (ct) => zerosLike(ct)],
});

const floatSignbit: UnaryFunction = /* @__PURE__ */ unary({
  name: "signbit",
  wgsl: op_signbit,
  takes: "float",
  result: "bool",
  derivative: "nondifferentiable",
});

/**
 * True where x is negative, −0 and negative NaN included. Source: jnp.signbit.
 * @example await signbit(array([1.5, -2])).toArray(); // [0, 1]
 */
export function signbit(x: TensorLike): Tensor {
  const tensor = asTensor(x, "signbit");
  return isFloat(tensor.dtype) ? floatSignbit(tensor) : less(tensor, 0);
}

/**
 * 0 where x < 0, y where x = 0, 1 where x > 0; NaN stays. Source: jnp.heaviside.
 * @example await heaviside(array([-1.5, 0, 2]), 0.5).toArray(); // [0, 0.5, 1]
 */
export const heaviside: BinaryFunction = /* @__PURE__ */ binary({
  name: "heaviside",
  wgsl: (_use, x, y) =>
    `select(select(select(${x}, ${y}, ${x} == F(0.0)), F(1.0), ${x} > F(0.0)), F(0.0), ${x} < F(0.0))`,
  takes: "float",
  partials: [(ct) => zerosLike(ct), (ct, x) => where(equal(x, 0), ct, 0)],
});

const nextWord: BinaryFunction = /* @__PURE__ */ binary({
  name: "nextafter",
  wgsl: op_nextafter,
  takes: "float",
  partials: "nondifferentiable",
});

/**
 * The float next to x in the direction of y. Source: jnp.nextafter.
 * @example await nextafter(array([1]), 2).toArray(); // [1.00000012]
 */
export function nextafter(x: TensorLike, y: TensorLike): Tensor {
  const [from, to] = together("nextafter", [asTensor(x, "nextafter"), asTensor(y, "nextafter")], "float");
  const { dtype } = from;
  if (dtype !== "float16" && dtype !== "bfloat16") return nextWord(from, to);
  // Their bits as whole numbers in the order of the floats: the next float is one further.
  const bits = convert(bitcastConvertType(from, "int16"), "int32");
  const place = where(less(bits, 0), sub(-0x8000, bits), bits);
  const next = add(place, sub(convert(greater(to, from), "int32"), convert(less(to, from), "int32")));
  const back = convert(where(less(next, 0), sub(-0x8000, next), next), "int16");
  const unordered = logicalOr(isnan(from), isnan(to));
  return where(unordered, NaN, where(equal(from, to), to, bitcastConvertType(back, dtype)));
}

/**
 * How far it is from x to the next float away from 0, with x's sign; for float16 to the next above, as in JAX.
 * Source: jnp.spacing.
 * @example await spacing(array([1])).toArray(); // [1.1920929e-07]
 */
export function spacing(x: TensorLike): Tensor {
  const tensor = asFloat(asTensor(x, "spacing"));
  if (tensor.dtype === "float16") return sub(nextafter(tensor, Infinity), tensor);
  const gap = sub(nextafter(tensor, copysign(Infinity, tensor)), tensor);
  // A gap below the normal numbers is the least there is; some devices take it for 0.
  const least = tensor.dtype === "bfloat16" ? 2 ** -133 : 2 ** -149;
  return where(equal(gap, 0), copysign(literal(least, [], tensor.dtype), tensor), gap);
}

const ldexpOp: MapOp<undefined> = {
  kind: "map",
  name: "ldexp",
  infer: ([x]) => x ?? { shape: [], dtype: "float32", weak: false },
  wgsl: ([x = "", n = ""], { use }) => `${use(op_ldexp)}(${x}, ${n})`,
  vjp: ({ inputs: [, n] }, ct) => (n === undefined ? [] : [ldexp(ct, n), undefined]),
};

/**
 * x · 2ⁿ for whole n, without overflow on the way. Source: jnp.ldexp.
 *
 * @throws DtypeError when n holds floats, ShapeError when the shapes do not broadcast.
 * @example await ldexp(array([0.5, 3]), array([3, -1])).toArray(); // [4, 1.5]
 */
export function ldexp(x: TensorLike, n: TensorLike): Tensor {
  const [significand, exponent] = [asTensor(x, "ldexp"), asTensor(n, "ldexp")];
  if (isFloat(exponent.dtype))
    throw new DtypeError(`ldexp: exponents are whole numbers, received ${exponent.dtype}; convert them with astype()`);
  const shape = broadcastShapes("ldexp", significand.shape, exponent.shape);
  const float = asFloat(significand);
  return bind(ldexpOp, [broadcastTo(float, shape), broadcastTo(convert(exponent, "int32"), shape)], undefined);
}

const frexpSignificand: UnaryFunction = /* @__PURE__ */ unary({
  name: "frexp",
  wgsl: op_frexp_significand,
  takes: "float",
  derivative: (x) => ldexp(1, neg(frexpExponent(x))),
});

const frexpExponent: UnaryFunction = /* @__PURE__ */ unary({
  name: "frexp_exponent",
  wgsl: op_frexp_exponent,
  takes: "float",
  result: "int32",
  derivative: "nondifferentiable",
});

/**
 * x = significand · 2^exponent with 1/2 ≤ |significand| < 1; 0, infinities and NaN are their own, with exponent 0.
 * Source: jnp.frexp.
 * @example await Promise.all(frexp(array([8.5])).map((x) => x.toArray())); // [[0.53125], [4]]
 */
export function frexp(x: TensorLike): [significand: Tensor, exponent: Tensor] {
  return [frexpSignificand(x), frexpExponent(x)];
}

/**
 * The fraction and the whole part of x, both with its sign. Source: jnp.modf.
 * @example await Promise.all(modf(array([2.5, -1.25])).map((x) => x.toArray())); // [[0.5, -0.25], [2, -1]]
 */
export function modf(x: TensorLike): [fraction: Tensor, whole: Tensor] {
  const float = asFloat(asTensor(x, "modf"));
  const whole = trunc(float);
  return [sub(float, whole), whole];
}

/**
 * x mod y with the sign of x; whole numbers mod 0 give 0, floats NaN. Source: jnp.fmod.
 * @example await fmod(array([7, -7]), 3).toArray(); // [1, -1]
 */
export function fmod(x: TensorLike, y: TensorLike): Tensor {
  const divisor = asTensor(y, "fmod");
  return rem(
    x,
    isFloat(divisor.dtype) || isFloat(asTensor(x, "fmod").dtype) ? divisor : where(equal(divisor, 0), 1, divisor),
  );
}

/**
 * floorDivide and remainder of x by y. Source: jnp.divmod.
 * @example await Promise.all(divmod(array([7, -7]), 3).map((x) => x.toArray())); // [[2, -3], [1, 2]]
 */
export function divmod(x: TensorLike, y: TensorLike): [quotient: Tensor, remainder: Tensor] {
  const [left, right] = [asTensor(x, "divmod"), asTensor(y, "divmod")];
  return [floorDivide(left, right), remainder(left, right)];
}

/**
 * 1 / x in floating point. Source: jnp.reciprocal.
 * @example await reciprocal(array([2, 4])).toArray(); // [0.5, 0.25]
 */
export function reciprocal(x: TensorLike): Tensor {
  const tensor = asTensor(x, "reciprocal");
  return div(1, tensor);
}

/**
 * x as it is; refuses bool. Source: jnp.positive.
 *
 * @throws DtypeError for bool.
 * @example await positive(array([1, -2])).toArray(); // [1, -2]
 */
export function positive(x: TensorLike): Tensor {
  const tensor = asTensor(x, "positive");
  if (tensor.dtype === "bool") throw new DtypeError("positive: does not take bool; convert with astype()");
  return tensor;
}

/**
 * |x| in floating point. Source: jnp.fabs.
 * @example await fabs(array([-1, 2])).toArray(); // [1, 2]
 */
export function fabs(x: TensorLike): Tensor {
  return abs(asFloat(asTensor(x, "fabs")));
}

/**
 * The larger of x and y; the other where one is NaN. Source: jnp.fmax.
 * @example await fmax(array([1, NaN]), array([NaN, 2])).toArray(); // [1, 2]
 */
export function fmax(x: TensorLike, y: TensorLike): Tensor {
  return where(unordered("fmax", greater, x, y), x, y);
}

/**
 * The smaller of x and y; the other where one is NaN. Source: jnp.fmin.
 * @example await fmin(array([1, NaN]), array([NaN, 2])).toArray(); // [1, 2]
 */
export function fmin(x: TensorLike, y: TensorLike): Tensor {
  return where(unordered("fmin", less, x, y), x, y);
}

/** True where x wins, or where y is NaN. */
function unordered(name: string, beats: BinaryFunction, x: TensorLike, y: TensorLike): Tensor {
  const tensor = asTensor(y, name);
  const wins = beats(asTensor(x, name), tensor);
  return isFloat(tensor.dtype) ? where(isnan(tensor), true, wins) : wins;
}

/**
 * True where x is +inf. Source: jnp.isposinf.
 * @example await isposinf(array([1, Infinity, -Infinity])).toArray(); // [0, 1, 0]
 */
export const isposinf: UnaryFunction = /* @__PURE__ */ unary({
  name: "isposinf",
  wgsl: (use, x) => `(${use(op_isinf)}(${x}) & (${x} > F(0.0)))`,
  takes: "float",
  result: "bool",
  derivative: "nondifferentiable",
});

/**
 * True where x is −inf. Source: jnp.isneginf.
 * @example await isneginf(array([1, Infinity, -Infinity])).toArray(); // [0, 0, 1]
 */
export const isneginf: UnaryFunction = /* @__PURE__ */ unary({
  name: "isneginf",
  wgsl: (use, x) => `(${use(op_isinf)}(${x}) & (${x} < F(0.0)))`,
  takes: "float",
  result: "bool",
  derivative: "nondifferentiable",
});

export interface NanToNumOptions {
  /** What stands for NaN; 0 unless told. */
  readonly nan?: number;
  /** What stands for +inf; the largest float unless told. */
  readonly posinf?: number;
  /** What stands for −inf; the lowest float unless told. */
  readonly neginf?: number;
}

/**
 * x with NaN and infinities replaced; whole numbers stay as they are. Source: jnp.nan_to_num.
 * @example await nanToNum(array([NaN, 1.5]), { nan: -1 }).toArray(); // [-1, 1.5]
 */
export function nanToNum(x: TensorLike, options: NanToNumOptions = {}): Tensor {
  checkOptions("nanToNum", options, NAN_TO_NUM_OPTIONS);
  const tensor = asTensor(x, "nanToNum");
  if (!isFloat(tensor.dtype)) return tensor;
  const { max } = finfo(tensor.dtype);
  const { nan = 0, posinf = max, neginf = -max } = options;
  const finite = where(equal(tensor, Infinity), posinf, where(equal(tensor, -Infinity), neginf, tensor));
  return where(notEqual(tensor, tensor), nan, finite);
}
