import { DtypeError } from "./errors.ts";

/**
 * Element types an array can have. `bool` is stored as a uint32 of 0 or 1, 32-bit types as they are; those of 16 and 8
 * bits lie packed, two or four to a word, and are computed with in 32 bits.
 */
export type DType = ComputedDType | "float16" | "bfloat16" | "int16" | "uint16" | "int8" | "uint8";

/** The dtypes that kernels compute with. */
export type ComputedDType = "float32" | "int32" | "uint32" | "bool";

const COMPUTED: Record<DType, ComputedDType> = {
  float32: "float32",
  int32: "int32",
  uint32: "uint32",
  bool: "bool",
  float16: "float32",
  bfloat16: "float32",
  int16: "int32",
  uint16: "uint32",
  int8: "int32",
  uint8: "uint32",
};

/** Every dtype there is. */
// Object.keys forgets the type of the keys.
export const DTYPES = /* @__PURE__ */ Object.keys(COMPUTED) as readonly DType[];

/** Host arrays that carry a dtype of their own; `bool` travels as a Uint8Array of 0 and 1. */
export type TypedArray = Float32Array | Int32Array | Uint32Array | Uint8Array | Int8Array | Int16Array | Uint16Array;

/** Bytes of what is not packed. */
export const BYTES_PER_ELEMENT = 4;

/** What kernels compute with where an array's dtype is packed: the 32-bit type of its kind. */
export function computedDType(dtype: DType): ComputedDType {
  return COMPUTED[dtype];
}

/** Bits of an element where it lies packed, two or four to a word; undefined for what has words of its own. */
export function packedBits(dtype: DType): 8 | 16 | undefined {
  return COMPUTED[dtype] === dtype ? undefined : dtype.endsWith("8") ? 8 : 16;
}

/** Bytes of one element, as `nbytes` counts. */
export function itemBytes(dtype: DType): number {
  return (packedBits(dtype) ?? 32) / 8;
}

/** Bytes in memory: packed arrays are filled up to a multiple of four elements, which is what kernels write at a time. */
export function bytesOf(dtype: DType, count: number): number {
  const bits = packedBits(dtype);
  return bits === undefined ? count * BYTES_PER_ELEMENT : (Math.ceil(count / 4) * bits) / 2;
}

export function isFloat(dtype: DType): boolean {
  return COMPUTED[dtype] === "float32";
}

/** True for signed and unsigned whole numbers, not for bool. */
export function isInteger(dtype: DType): boolean {
  return COMPUTED[dtype] === "int32" || COMPUTED[dtype] === "uint32";
}

/** The smallest and the largest number of a dtype; infinities for floats. */
export function rangeOf(dtype: DType): readonly [number, number] {
  if (isFloat(dtype)) return [-Infinity, Infinity];
  if (dtype === "bool") return [0, 1];
  const span = 2 ** (packedBits(dtype) ?? 32);
  return COMPUTED[dtype] === "uint32" ? [0, span - 1] : [-span / 2, span / 2 - 1];
}

/** The dtype and weakness of an operand, as promotion sees it. */
export interface Promotable {
  readonly dtype: DType;
  /** True for JavaScript numbers and what is computed from them alone: they adapt to the other operand. */
  readonly weak: boolean;
}

/**
 * JAX's type promotion (x64 off): bool < integers < floats, where a weakly typed operand only counts if it is of a
 * higher category. Integers meet in the narrowest type that holds both (uint32 with a signed one: int32), float16 and
 * bfloat16 in float32.
 *
 * Source: jax/_src/dtypes.py, `promote_types` and its lattice.
 *
 * @example
 * promote([{ dtype: "uint32", weak: false }, { dtype: "float32", weak: true }]); // { dtype: "float32", weak: true }
 */
export function promote(operands: readonly Promotable[]): Promotable {
  const first = operands[0];
  if (first === undefined) throw new DtypeError("promote: needs at least one operand");
  return operands.slice(1).reduce(promotePair, first);
}

function promotePair(a: Promotable, b: Promotable): Promotable {
  if (a.weak === b.weak) return { dtype: join(a.dtype, b.dtype), weak: a.weak };
  const [weak, strong] = a.weak ? [a, b] : [b, a];
  if (category(weak.dtype) <= category(strong.dtype)) return strong;
  // A weak float beside a strong integer makes a float that stays weak; a weak integer beside a bool likewise.
  return { dtype: weak.dtype, weak: true };
}

function join(a: DType, b: DType): DType {
  if (a === b) return a;
  if (category(a) !== category(b)) return category(a) > category(b) ? a : b;
  if (isFloat(a)) return "float32";
  const [aBits, bBits] = [packedBits(a) ?? 32, packedBits(b) ?? 32];
  if (COMPUTED[a] === COMPUTED[b]) return aBits > bBits ? a : b;
  const [signed, unsigned] = COMPUTED[a] === "int32" ? [aBits, bBits] : [bBits, aBits];
  return signed > unsigned ? (aBits > bBits ? a : b) : unsigned === 8 ? "int16" : "int32";
}

/** bool, integer, float: a weak operand changes the other's dtype only when its category is higher. */
function category(dtype: DType): number {
  return dtype === "bool" ? 0 : isFloat(dtype) ? 2 : 1;
}

export function checkDType(name: string, dtype: string): DType {
  const found = DTYPES.find((known) => known === dtype);
  if (found === undefined)
    throw new DtypeError(`${name}: unknown dtype "${dtype}"; expected one of ${DTYPES.join(", ")}`);
  return found;
}

const NATIVE: Readonly<Record<string, DType>> = {
  Float64Array: "float32",
  Float16Array: "float16",
  Uint8ClampedArray: "uint8",
};

/** The dtype a host array keeps when it becomes a Tensor. */
export function dtypeOfTypedArray(data: ArrayBufferView): DType {
  const { name } = data.constructor;
  const found = NATIVE[name] ?? DTYPES.find((dtype) => name.toLowerCase() === `${dtype}array`);
  if (found !== undefined) return found;
  throw new DtypeError(`array: cannot hold a ${name}; pass a Float32Array, Int32Array, Uint32Array or a smaller one`);
}
