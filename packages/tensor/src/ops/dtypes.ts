import {
  checkDType,
  computedDType,
  DTYPES,
  isFloat,
  isInteger,
  packedBits,
  promote,
  rangeOf,
  type DType,
  type Promotable,
} from "../dtype.ts";
import { ArgumentError, DtypeError } from "../errors.ts";
import { asTensor, type TensorLike } from "./create.ts";

/** What functions about dtypes take: a dtype, or something that has one. */
export type TensorOrDType = TensorLike | DType;

function promotable(name: string, x: TensorOrDType): Promotable {
  return typeof x === "string" ? { dtype: checkDType(name, x), weak: false } : asTensor(x, name);
}

/**
 * The dtype that two dtypes meet in. Source: jnp.promote_types.
 *
 * @throws DtypeError for an unknown dtype.
 * @example promoteTypes("float16", "bfloat16"); // "float32"
 */
export function promoteTypes(a: DType, b: DType): DType {
  return promote([a, b].map((x) => promotable("promoteTypes", x))).dtype;
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

const KINDS: Readonly<Record<string, (dtype: DType) => boolean>> = {
  bool: (dtype) => dtype === "bool",
  "signed integer": (dtype) => computedDType(dtype) === "int32",
  "unsigned integer": (dtype) => computedDType(dtype) === "uint32",
  integral: isInteger,
  "real floating": isFloat,
  "complex floating": () => false,
  numeric: (dtype) => dtype !== "bool",
};

/** Kinds of dtypes as the array API names them. */
export type DTypeKind =
  "bool" | "signed integer" | "unsigned integer" | "integral" | "real floating" | "complex floating" | "numeric";

/**
 * Whether a dtype is one of those, or of one of those kinds. Source: jnp.isdtype.
 *
 * @throws DtypeError for an unknown dtype, or a kind that is neither a dtype nor a DTypeKind.
 * @example isdtype("int8", ["real floating", "signed integer"]); // true
 */
export function isdtype(dtype: DType, kind: DTypeKind | DType | readonly (DTypeKind | DType)[]): boolean {
  const own = checkDType("isdtype", dtype);
  const all: readonly string[] = typeof kind === "string" ? [kind] : kind;
  return all.map((one) => KINDS[one]?.(own) ?? kindOrDType("isdtype", one, KINDS) === own).includes(true);
}

function kindOrDType(name: string, text: string, kinds: object): DType {
  const found = DTYPES.find((known) => known === text);
  if (found !== undefined) return found;
  throw new DtypeError(
    `${name}: "${text}" is neither a dtype nor a kind; kinds are ${Object.keys(kinds).join(", ")}, dtypes ${DTYPES.join(", ")}`,
  );
}

const CLASSES: Readonly<Record<string, (dtype: DType) => boolean>> = {
  generic: () => true,
  number: (dtype) => dtype !== "bool",
  integer: isInteger,
  signedinteger: (dtype) => computedDType(dtype) === "int32",
  unsignedinteger: (dtype) => computedDType(dtype) === "uint32",
  inexact: isFloat,
  floating: isFloat,
  complexfloating: () => false,
};

/** NumPy's abstract scalar types. */
export type DTypeClass =
  "generic" | "number" | "integer" | "signedinteger" | "unsignedinteger" | "inexact" | "floating" | "complexfloating";

/**
 * Whether a dtype is that one, or below that class in NumPy's hierarchy. Source: jnp.issubdtype, where classes are jnp.floating etc.
 *
 * @throws DtypeError for an unknown dtype or class.
 * @example issubdtype("bfloat16", "floating"); // true
 */
export function issubdtype(dtype: DType, parent: DType | DTypeClass): boolean {
  const own = checkDType("issubdtype", dtype);
  return CLASSES[parent]?.(own) ?? kindOrDType("issubdtype", parent, CLASSES) === own;
}

/** What a cast may lose: nothing at all; nothing but bytes' order, the same here; no value; what stays of one kind; anything. */
export type Casting = "no" | "equiv" | "safe" | "same_kind" | "unsafe";

const CASTINGS: Readonly<Record<Casting, (from: DType, to: DType) => boolean>> = {
  no: (from, to) => from === to,
  equiv: (from, to) => from === to,
  safe: holds,
  // As ml_dtypes has it, float16 may become bfloat16 but not the reverse, which would lose its range.
  same_kind: (from, to) => kindOf(from) <= kindOf(to) && !(from === "bfloat16" && to === "float16"),
  unsafe: () => true,
};

/**
 * Whether values of a dtype, or of an array's, may become those of another under a rule, "safe" unless told: then each
 * must stay what it is. Source: jnp.can_cast.
 *
 * @throws DtypeError for an unknown dtype, ArgumentError for another rule.
 * @example canCast("int32", "float32"); // false
 */
export function canCast(from: TensorOrDType, to: DType, casting: Casting = "safe"): boolean {
  const [own, other] = [promotable("canCast", from).dtype, checkDType("canCast", to)];
  if (!Object.hasOwn(CASTINGS, casting))
    throw new ArgumentError(
      `canCast: unknown rule ${JSON.stringify(casting)}; expected one of ${Object.keys(CASTINGS).join(", ")}`,
    );
  return CASTINGS[casting](own, other);
}

/** Whether one dtype has every value of another. */
function holds(from: DType, to: DType): boolean {
  if (from === to || from === "bool") return true;
  if (isFloat(from)) return to === "float32";
  if (isFloat(to)) return packedBits(from) === 8 || (packedBits(from) === 16 && to === "float32");
  const [[low, high], [least, most]] = [rangeOf(from), rangeOf(to)];
  return to !== "bool" && least <= low && high <= most;
}

/** bool, unsigned, signed, float. */
function kindOf(dtype: DType): number {
  return ["bool", "uint32", "int32", "float32"].indexOf(computedDType(dtype));
}
