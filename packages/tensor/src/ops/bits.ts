import {
  decode_bfloat16,
  decode_float16,
  encode_bfloat16,
  encode_float16,
  op_clz_i,
  op_clz_u,
  op_div_i,
  op_div_u,
  op_div_f,
  op_gcd_u,
  op_population_count_i,
  op_population_count_u,
  op_shift_right_arithmetic_i,
  op_shift_right_arithmetic_u,
  op_shift_right_logical_i,
  op_shift_right_logical_u,
} from "@jnx/kernels-wgsl";
import { bind } from "../dispatch.ts";
import { checkDType, computedDType, isInteger, packedBits, promote, type DType } from "../dtype.ts";
import { DtypeError, ShapeError } from "../errors.ts";
import type { MapOp } from "../op.ts";
import { shapeText } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { convert, unpacked } from "./convert.ts";
import { asTensor, broadcastedIota, type TensorLike } from "./create.ts";
import { abs, bitwiseXor, equal, floorDivide, leftShift, mul, neg, sub, where } from "./elementwise.ts";
import { binary, together, unary, type BinaryFunction, type UnaryFunction } from "./factories.ts";
import { expandDims } from "./movement.ts";
import { sum } from "./reduce.ts";

/**
 * x / y of one dtype: whole numbers rounded towards 0, −1 (all ones) over 0; floats as div. Source: lax.div.
 * @example await laxDiv(array([7, -7]), 2).toArray(); // [3, -3]
 */
export const laxDiv: BinaryFunction = /* @__PURE__ */ binary({
  name: "laxDiv",
  wgsl: { float32: op_div_f, int32: op_div_i, uint32: op_div_u },
  takes: "any",
  partials: [(ct, _x, y) => laxDiv(ct, y), (ct, _x, y, out) => neg(laxDiv(mul(ct, out), y))],
});

/** x in 32 bits of which those above the width of its dtype are 0. */
function bitsOf(x: Tensor): Tensor {
  const width = packedBits(x.dtype);
  return width === undefined ? x : convert(convert(x, width === 8 ? "uint8" : "uint16"), "uint32");
}

const shiftLogical: BinaryFunction = /* @__PURE__ */ binary({
  name: "shiftRightLogical",
  wgsl: { int32: op_shift_right_logical_i, uint32: op_shift_right_logical_u },
  takes: "any",
  partials: "nondifferentiable",
});

/**
 * x shifted right by y bits, zeros coming in; 0 for y of the width of x and more. Source: lax.shift_right_logical.
 * @example await shiftRightLogical(array([9, -1]), 28).toArray(); // [0, 15]
 */
export function shiftRightLogical(x: TensorLike, y: TensorLike): Tensor {
  const [left, right] = together(
    "shiftRightLogical",
    [asTensor(x, "shiftRightLogical"), asTensor(y, "shiftRightLogical")],
    "any",
  );
  return convert(shiftLogical(bitsOf(left), bitsOf(right)), left.dtype, left.weak);
}

const shiftArithmetic: BinaryFunction = /* @__PURE__ */ binary({
  name: "shiftRightArithmetic",
  wgsl: { int32: op_shift_right_arithmetic_i, uint32: op_shift_right_arithmetic_u },
  takes: "any",
  partials: "nondifferentiable",
});

/**
 * x shifted right by y bits, the top bit spreading, for unsigned numbers too. Source: lax.shift_right_arithmetic.
 * @example await shiftRightArithmetic(array([9, -9]), 1).toArray(); // [4, -5]
 */
export function shiftRightArithmetic(x: TensorLike, y: TensorLike): Tensor {
  const [left, right] = together(
    "shiftRightArithmetic",
    [asTensor(x, "shiftRightArithmetic"), asTensor(y, "shiftRightArithmetic")],
    "any",
  );
  const width = packedBits(left.dtype);
  if (width === undefined || computedDType(left.dtype) === "int32") return shiftArithmetic(left, right);
  const signed = convert(left, width === 8 ? "int8" : "int16");
  return convert(shiftArithmetic(unpacked(signed), convert(right, "int32")), left.dtype);
}

const countBits: UnaryFunction = /* @__PURE__ */ unary({
  name: "populationCount",
  wgsl: { int32: op_population_count_i, uint32: op_population_count_u },
  takes: "any",
  derivative: "nondifferentiable",
});

/**
 * How many bits of x are set, in x's dtype. Source: lax.population_count.
 * @example await populationCount(array([7, -1])).toArray(); // [3, 32]
 */
export function populationCount(x: TensorLike): Tensor {
  const tensor = asTensor(x, "populationCount");
  return convert(countBits(bitsOf(tensor)), tensor.dtype, tensor.weak);
}

/**
 * How many bits of |x| are set, uint8. Source: jnp.bitwise_count.
 * @example await bitwiseCount(array([7, -1])).toArray(); // [3, 1]
 */
export function bitwiseCount(x: TensorLike): Tensor {
  const tensor = asTensor(x, "bitwiseCount");
  return convert(populationCount(abs(tensor)), "uint8");
}

const leadingZeros: UnaryFunction = /* @__PURE__ */ unary({
  name: "clz",
  wgsl: { int32: op_clz_i, uint32: op_clz_u },
  takes: "any",
  derivative: "nondifferentiable",
});

/**
 * How many leading bits of x are 0: 32 for 0 of 32 bits. Source: lax.clz.
 * @example await clz(array([1, 0])).toArray(); // [31, 32]
 */
export function clz(x: TensorLike): Tensor {
  const tensor = asTensor(x, "clz");
  const width = packedBits(tensor.dtype);
  const zeros = leadingZeros(bitsOf(tensor));
  return width === undefined ? zeros : convert(sub(zeros, 32 - width), tensor.dtype);
}

const commonDivisor: BinaryFunction = /* @__PURE__ */ binary({
  name: "gcd",
  wgsl: { uint32: op_gcd_u },
  takes: "any",
  partials: "nondifferentiable",
});

/**
 * The greatest number that divides both; gcd(0, y) = |y|. Source: jnp.gcd.
 *
 * @throws DtypeError for floats and bools.
 * @example await gcd(array([12, -18]), 8).toArray(); // [4, 2]
 */
export function gcd(x: TensorLike, y: TensorLike): Tensor {
  const [a, b] = [wholeNumber("gcd", asTensor(x, "gcd")), wholeNumber("gcd", asTensor(y, "gcd"))];
  const { dtype, weak } = promote([a, b]);
  const size = (one: Tensor): Tensor => convert(abs(unpacked(one)), "uint32", one.weak);
  return convert(commonDivisor(size(a), size(b)), dtype, weak);
}

/**
 * The least positive number that both divide; 0 if either is 0. Source: jnp.lcm.
 *
 * @throws DtypeError for floats and bools.
 * @example await lcm(array([4, -6]), 10).toArray(); // [20, 30]
 */
export function lcm(x: TensorLike, y: TensorLike): Tensor {
  const [left, right] = [asTensor(x, "lcm"), asTensor(y, "lcm")];
  const common = gcd(left, right);
  const [a, b] = [abs(left), abs(right)];
  return where(equal(common, 0), 0, mul(a, floorDivide(b, where(equal(common, 0), 1, common))));
}

function wholeNumber(name: string, x: Tensor): Tensor {
  if (isInteger(x.dtype)) return x;
  throw new DtypeError(`${name}: takes whole numbers, received ${x.dtype}; convert with astype()`);
}

/**
 * True where exactly one of x and y is not zero. Source: jnp.logical_xor.
 * @example await logicalXor(array([true, false]), array([2, 2])).toArray(); // [0, 1]
 */
export function logicalXor(x: TensorLike, y: TensorLike): Tensor {
  return bitwiseXor(convert(asTensor(x, "logicalXor"), "bool"), convert(asTensor(y, "logicalXor"), "bool"));
}

type Castable = Exclude<DType, "bool">;

interface BitcastAttrs {
  readonly from: Castable;
  readonly to: Castable;
}

/** Between dtypes of one width: by way of the bits, lowest in a word. */
const bitcastOp: MapOp<BitcastAttrs> = {
  kind: "map",
  name: "bitcast_convert_type",
  infer: ([x], { to }) => ({ shape: x?.shape ?? [], dtype: to, weak: false }),
  wgsl: ([x = ""], { use }, { from, to }) => {
    const half = { float16: encode_float16, bfloat16: encode_bfloat16 };
    const bits = from === "float16" || from === "bfloat16" ? `${use(half[from])}(${x})` : `bitcast<U>(${x})`;
    if (to === "float16") return `${use(decode_float16)}(${bits})`;
    if (to === "bfloat16") return `${use(decode_bfloat16)}(${bits})`;
    const computed = computedDType(to);
    return computed === "uint32" ? bits : `bitcast<${computed === "float32" ? "F" : "I"}>(${bits})`;
  },
  vjp: "nondifferentiable",
};

function sameWidth(x: Tensor, from: Castable, to: Castable): Tensor {
  return from === to ? convert(x, to) : bind(bitcastOp, [x], { from, to });
}

const UNSIGNED = { 8: "uint8", 16: "uint16", 32: "uint32" } as const;

/**
 * The same bits read as another dtype. A narrower one adds a last axis, the lowest bits first; a wider one takes it
 * away. Source: lax.bitcast_convert_type.
 *
 * @throws DtypeError for bool, which has no bits of its own, ShapeError when the last axis does not fill a wider number.
 * @example await bitcastConvertType(array([1.5]), "int32").toArray(); // [1069547520]
 */
export function bitcastConvertType(x: TensorLike, dtype: DType): Tensor {
  const tensor = asTensor(x, "bitcastConvertType");
  const [from, to] = [tensor.dtype, checkDType("bitcastConvertType", dtype)];
  if (to === "bool" || from === "bool")
    throw new DtypeError(`bitcastConvertType: cannot read ${from} as ${to}; use astype() for bool`);
  const [wide, narrow] = [packedBits(from) ?? 32, packedBits(to) ?? 32] as const;
  if (wide === narrow) return sameWidth(tensor, from, to);
  const [least, parts] = [Math.min(wide, narrow), Math.max(wide, narrow) / Math.min(wide, narrow)];
  const shifts = mul(broadcastedIota("uint32", [parts], 0), least);
  const words = convert(sameWidth(tensor, from, UNSIGNED[wide]), "uint32");
  if (wide > narrow)
    return sameWidth(convert(shiftLogical(expandDims(words, -1), shifts), UNSIGNED[narrow]), UNSIGNED[narrow], to);
  if (tensor.shape.at(-1) !== parts)
    throw new ShapeError(
      `bitcastConvertType: ${from}${shapeText(tensor.shape)} does not fill ${to}; the last axis must have ${parts} elements`,
    );
  return sameWidth(convert(sum(leftShift(words, shifts), { axis: -1 }), UNSIGNED[narrow]), UNSIGNED[narrow], to);
}
