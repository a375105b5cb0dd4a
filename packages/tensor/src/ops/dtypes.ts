import { checkDType, isFloat, isInteger, packedBits, promote, rangeOf, type DType, type Promotable } from "../dtype.ts";
import { DtypeError } from "../errors.ts";
import { asTensor, type TensorLike } from "./create.ts";

/** What functions about dtypes take: a dtype, or something that has one. */
export type TensorOrDType = TensorLike | DType;

function promotable(name: string, x: TensorOrDType): Promotable {
  return typeof x === "string" ? { dtype: checkDType(name, x), weak: false } : asTensor(x);
}

/**
 * The dtype that two dtypes meet in. Source: jnp.promote_types.
 *
 * @throws DtypeError for an unknown dtype.
 * @example promoteTypes("float16", "bfloat16"); // "float32"
 */
export function promoteTypes(a: DType, b: DType): DType {
  return resultType(a, b);
}

/**
 * The dtype of a computation on all operands: arrays, dtypes, and numbers, which adapt. Source: jnp.result_type.
 *
 * @throws DtypeError for an unknown dtype, or nothing at all.
 * @example resultType("int8", 1, "float16"); // "float16"
 */
export function resultType(...operands: readonly TensorOrDType[]): DType {
  return promote(operands.map((x) => promotable("resultType", x))).dtype;
}

/** What is known of a float dtype. */
export interface FloatInfo {
  readonly dtype: DType;
  readonly bits: number;
  /** Bits of the fraction. */
  readonly nmant: number;
  readonly nexp: number;
  /** The distance from 1 to the next larger number, and to the next smaller one. */
  readonly eps: number;
  readonly epsneg: number;
  readonly max: number;
  readonly min: number;
  /** The smallest positive number with a whole fraction; `tiny` is its older name. */
  readonly smallestNormal: number;
  readonly tiny: number;
  readonly smallestSubnormal: number;
}

/**
 * Limits of a float dtype. Source: jnp.finfo.
 *
 * @throws DtypeError unless x is, or has, a float dtype.
 * @example finfo("bfloat16").eps; // 0.0078125
 */
export function finfo(x: TensorOrDType): FloatInfo {
  const { dtype } = promotable("finfo", x);
  if (!isFloat(dtype)) throw new DtypeError(`finfo: needs a float dtype, received ${dtype}; see iinfo`);
  const bits = packedBits(dtype) ?? 32;
  const nexp = dtype === "float16" ? 5 : 8;
  const nmant = bits - nexp - 1;
  const bias = 2 ** (nexp - 1) - 1;
  const max = (2 - 2 ** -nmant) * 2 ** bias;
  const tiny = 2 ** (1 - bias);
  const eps = 2 ** -nmant;
  const limits = { eps, epsneg: eps / 2, max, min: -max, smallestNormal: tiny, tiny, smallestSubnormal: tiny * eps };
  return { dtype, bits, nmant, nexp, ...limits };
}

/** What is known of an integer dtype. */
export interface IntegerInfo {
  readonly dtype: DType;
  readonly bits: number;
  readonly min: number;
  readonly max: number;
}

/**
 * Limits of an integer dtype. Source: jnp.iinfo.
 *
 * @throws DtypeError unless x is, or has, an integer dtype.
 * @example iinfo("int8").max; // 127
 */
export function iinfo(x: TensorOrDType): IntegerInfo {
  const { dtype } = promotable("iinfo", x);
  if (!isInteger(dtype)) throw new DtypeError(`iinfo: needs an integer dtype, received ${dtype}; see finfo`);
  const [min, max] = rangeOf(dtype);
  return { dtype, bits: packedBits(dtype) ?? 32, min, max };
}
