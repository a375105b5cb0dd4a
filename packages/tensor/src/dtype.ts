import { DtypeError } from "./errors.ts";

/** Element types an array can have. `bool` is stored as a uint32 of 0 or 1. Every element takes four bytes. */
export type DType = "float32" | "int32" | "uint32" | "bool";

/** Every dtype there is. */
export const DTYPES: readonly DType[] = ["float32", "int32", "uint32", "bool"];

/** Host arrays that carry a dtype of their own; `bool` travels as a Uint8Array of 0 and 1. */
export type TypedArray = Float32Array | Int32Array | Uint32Array | Uint8Array;

export const BYTES_PER_ELEMENT = 4;

export function isFloat(dtype: DType): boolean {
  return dtype === "float32";
}

/** The dtype and weakness of an operand, as promotion sees it. */
export interface Promotable {
  readonly dtype: DType;
  /** True for JavaScript numbers and what is computed from them alone: they adapt to the other operand. */
  readonly weak: boolean;
}

const RANK: Record<DType, number> = { bool: 0, uint32: 1, int32: 2, float32: 3 };

/**
 * JAX's type promotion for the dtypes jnx has (x64 off): bool < uint32 < int32 < float32, where a weakly typed operand
 * only counts if it is of a higher category (bool, integer, float). Mixing uint32 and int32 gives int32.
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
  if (a.weak === b.weak) return { dtype: RANK[a.dtype] >= RANK[b.dtype] ? a.dtype : b.dtype, weak: a.weak };
  const [weak, strong] = a.weak ? [a, b] : [b, a];
  if (category(weak.dtype) <= category(strong.dtype)) return strong;
  // A weak float beside a strong integer makes a float that stays weak; a weak integer beside a bool likewise.
  return { dtype: weak.dtype, weak: true };
}

/** bool, integer, float: a weak operand changes the other's dtype only when its category is higher. */
function category(dtype: DType): number {
  return dtype === "bool" ? 0 : dtype === "float32" ? 2 : 1;
}

export function checkDType(name: string, dtype: string): DType {
  const found = DTYPES.find((known) => known === dtype);
  if (found === undefined)
    throw new DtypeError(`${name}: unknown dtype ${JSON.stringify(dtype)}; expected one of ${DTYPES.join(", ")}`);
  return found;
}

/** The dtype a host array keeps when it becomes a Tensor. */
export function dtypeOfTypedArray(data: ArrayBufferView): DType {
  if (data instanceof Float32Array || data instanceof Float64Array) return "float32";
  if (data instanceof Uint32Array) return "uint32";
  if (data instanceof Int32Array || data instanceof Int16Array || data instanceof Int8Array) return "int32";
  if (data instanceof Uint8Array || data instanceof Uint16Array || data instanceof Uint8ClampedArray) return "int32";
  throw new DtypeError(
    `array: cannot hold a ${data.constructor.name}; pass a Float32Array, Int32Array, Uint32Array or Uint8Array`,
  );
}

/** Host numbers converted as `dtype` stores them: bool as 0 or 1, integers wrapped to 32 bits. */
export function storageArray(dtype: DType, values: ArrayLike<number>): Float32Array | Int32Array | Uint32Array {
  if (dtype === "float32") return values instanceof Float32Array ? values : Float32Array.from(values);
  if (dtype === "int32") return values instanceof Int32Array ? values : Int32Array.from(values);
  if (dtype === "uint32") return values instanceof Uint32Array ? values : Uint32Array.from(values);
  return Uint32Array.from(values, (v) => (v ? 1 : 0));
}

/** `count` elements of one value as they are stored. */
export function filledArray(
  dtype: DType,
  value: number,
  count: number,
): Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint32Array<ArrayBuffer> {
  const array =
    dtype === "float32" ? new Float32Array(count) : dtype === "int32" ? new Int32Array(count) : new Uint32Array(count);
  // Fresh arrays are zeros; -0 is not.
  return Object.is(value, 0) ? array : array.fill(dtype === "bool" ? Number(value !== 0) : value);
}

/** What `data()` hands to the user for bytes read from the device. */
export function hostArray(dtype: DType, bytes: ArrayBuffer): TypedArray {
  if (dtype === "float32") return new Float32Array(bytes);
  if (dtype === "int32") return new Int32Array(bytes);
  if (dtype === "uint32") return new Uint32Array(bytes);
  return Uint8Array.from(new Uint32Array(bytes));
}

/** A single host value as the dtype rounds it: the number that a literal of that dtype holds. */
export function roundTo(dtype: DType, value: number): number {
  if (dtype === "float32") return Math.fround(value);
  if (dtype === "int32") return value | 0;
  if (dtype === "uint32") return value >>> 0;
  return value ? 1 : 0;
}
