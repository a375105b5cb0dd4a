import {
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
import { checkDType, type DType } from "../dtype.ts";
import { DtypeError } from "../errors.ts";
import type { MapOp } from "../op.ts";
import type { Tensor } from "../tensor.ts";
import { convert } from "./convert.ts";
import { asTensor, type TensorLike } from "./create.ts";
import { abs, bitwiseXor, equal, floorDivide, mul, neg, where } from "./elementwise.ts";
import { binary, unary, type BinaryFunction, type UnaryFunction } from "./factories.ts";

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

/**
 * x shifted right by y bits, zeros coming in; 0 for y ≥ 32. Source: lax.shift_right_logical.
 * @example await shiftRightLogical(array([9, -1]), 28).toArray(); // [0, 15]
 */
export const shiftRightLogical: BinaryFunction = /* @__PURE__ */ binary({
  name: "shiftRightLogical",
  wgsl: { int32: op_shift_right_logical_i, uint32: op_shift_right_logical_u },
  takes: "any",
  partials: "nondifferentiable",
});

/**
 * x shifted right by y bits, the top bit spreading, for uint32 too. Source: lax.shift_right_arithmetic.
 * @example await shiftRightArithmetic(array([9, -9]), 1).toArray(); // [4, -5]
 */
export const shiftRightArithmetic: BinaryFunction = /* @__PURE__ */ binary({
  name: "shiftRightArithmetic",
  wgsl: { int32: op_shift_right_arithmetic_i, uint32: op_shift_right_arithmetic_u },
  takes: "any",
  partials: "nondifferentiable",
});

/**
 * How many bits of x are set, in x's dtype. Source: lax.population_count.
 * @example await populationCount(array([7, -1])).toArray(); // [3, 32]
 */
export const populationCount: UnaryFunction = /* @__PURE__ */ unary({
  name: "populationCount",
  wgsl: { int32: op_population_count_i, uint32: op_population_count_u },
  takes: "any",
  derivative: "nondifferentiable",
});

/**
 * How many bits of |x| are set. jnp gives uint8, which jnx does not have: here it is x's dtype. Source: jnp.bitwise_count.
 * @example await bitwiseCount(array([7, -1])).toArray(); // [3, 1]
 */
export function bitwiseCount(x: TensorLike): Tensor {
  return populationCount(abs(x));
}

/**
 * How many leading bits of x are 0: 32 for 0. Source: lax.clz.
 * @example await clz(array([1, 0])).toArray(); // [31, 32]
 */
export const clz: UnaryFunction = /* @__PURE__ */ unary({
  name: "clz",
  wgsl: { int32: op_clz_i, uint32: op_clz_u },
  takes: "any",
  derivative: "nondifferentiable",
});

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
  const [a, b] = [wholeNumber("gcd", asTensor(x)), wholeNumber("gcd", asTensor(y))];
  const dtype = a.dtype === "uint32" && b.dtype === "uint32" ? "uint32" : "int32";
  const size = (one: Tensor): Tensor => convert(abs(one), "uint32", one.weak);
  const common = commonDivisor(size(a), size(b));
  return convert(common, a.weak || b.weak ? weakResult(a, b) : dtype, common.weak);
}

/** A number beside an array takes the array's dtype. */
function weakResult(a: Tensor, b: Tensor): DType {
  return a.weak ? b.dtype : a.dtype;
}

/**
 * The least positive number that both divide; 0 if either is 0. Source: jnp.lcm.
 *
 * @throws DtypeError for floats and bools.
 * @example await lcm(array([4, -6]), 10).toArray(); // [20, 30]
 */
export function lcm(x: TensorLike, y: TensorLike): Tensor {
  const common = gcd(x, y);
  const [a, b] = [abs(x), abs(y)];
  return where(equal(common, 0), 0, mul(a, floorDivide(b, where(equal(common, 0), 1, common))));
}

function wholeNumber(name: string, x: Tensor): Tensor {
  if (x.dtype === "int32" || x.dtype === "uint32") return x;
  throw new DtypeError(`${name}: takes whole numbers, received ${x.dtype}; convert with astype()`);
}

/**
 * True where exactly one of x and y is not zero. Source: jnp.logical_xor.
 * @example await logicalXor(array([true, false]), array([2, 2])).toArray(); // [0, 1]
 */
export function logicalXor(x: TensorLike, y: TensorLike): Tensor {
  return bitwiseXor(convert(asTensor(x), "bool"), convert(asTensor(y), "bool"));
}

const ALIAS = { float32: "F", int32: "I", uint32: "U" } as const;

const bitcastOp: MapOp<"float32" | "int32" | "uint32"> = {
  kind: "map",
  name: "bitcast_convert_type",
  infer: ([x], dtype) => ({ shape: x?.shape ?? [], dtype, weak: false }),
  wgsl: ([x = ""], _context, dtype) => `bitcast<${ALIAS[dtype]}>(${x})`,
  vjp: "nondifferentiable",
};

/**
 * The same bits read as another dtype. Source: lax.bitcast_convert_type.
 *
 * @throws DtypeError for bool, which has no bits of its own.
 * @example await bitcastConvertType(array([1.5]), "int32").toArray(); // [1069547520]
 */
export function bitcastConvertType(x: TensorLike, dtype: DType): Tensor {
  const tensor = asTensor(x);
  const to = checkDType("bitcastConvertType", dtype);
  if (to === "bool" || tensor.dtype === "bool")
    throw new DtypeError(`bitcastConvertType: cannot read ${tensor.dtype} as ${to}; use astype() for bool`);
  return tensor.dtype === to ? convert(tensor, to) : bind(bitcastOp, [tensor], to);
}
