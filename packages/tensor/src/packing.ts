import { bytesOf, computedDType, packedBits, rangeOf, type DType, type TypedArray } from "./dtype.ts";

/** Arrays on the host in the form that the device stores them, and back. */

/** What lies in a storage: numbers of 32 bits, or the bits of packed ones. */
type StoredArray = Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | RawArray;

type RawArray = Uint32Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;

const word = new Uint32Array(1);
const float = new Float32Array(word.buffer);

/** The upper bits of a float32, rounded half to even at bit `low`; of float64 numbers, rounded once. */
function roundedBits(value: number, low: number): number {
  float[0] = value;
  let bits = word[0] ?? 0;
  // Half-way cases are told from the float64: the float32 is cut off, and its last bit says that something is missing.
  if (float[0] !== value && Number.isFinite(float[0])) {
    if (Math.abs(float[0]) > Math.abs(value)) bits--;
    bits |= 1;
  }
  return (bits + (2 ** (low - 1) - 1) + ((bits >>> low) & 1)) >>> low;
}

/** The 16 bits of a number as bfloat16. */
function bfloat16Bits(value: number): number {
  return Number.isNaN(value) ? 0x7fc0 : roundedBits(value, 16);
}

/** The 16 bits of a number as float16. */
function float16Bits(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const [sign, size] = [value < 0 || Object.is(value, -0) ? 0x8000 : 0, Math.abs(value)];
  if (size >= 65520) return sign | 0x7c00;
  if (size >= 2 ** -14) return sign | (roundedBits(size, 13) - (112 << 10));
  const units = size * 2 ** 24;
  const below = Math.floor(units);
  const up = units - below > 0.5 || (units - below === 0.5 && below % 2 === 1);
  return sign | (below + (up ? 1 : 0));
}

function fromBfloat16(bits: number): number {
  word[0] = bits << 16;
  return float[0] ?? 0;
}

function fromFloat16(bits: number): number {
  const [sign, exponent, fraction] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}

/** One number as `dtype` stores it: its bits, or for 32-bit numbers itself. */
function encoded(dtype: DType, value: number): number {
  if (dtype === "float16") return float16Bits(value);
  if (dtype === "bfloat16") return bfloat16Bits(value);
  return dtype === "bool" ? Number(value !== 0) : value;
}

/** A fresh array of `count` elements as they are stored, zeros. */
function storedZeros(dtype: DType, count: number): StoredArray {
  const bytes = new ArrayBuffer(bytesOf(dtype, count));
  if (dtype === "float32") return new Float32Array(bytes);
  return dtype === "int32" ? new Int32Array(bytes) : rawArray(dtype, bytes);
}

/** The bits of stored elements. */
export function rawArray(dtype: DType, bytes: ArrayBuffer): RawArray {
  const bits = packedBits(dtype);
  return bits === 8 ? new Uint8Array(bytes) : bits === 16 ? new Uint16Array(bytes) : new Uint32Array(bytes);
}

/** Host numbers as `dtype` stores them: bool as 0 or 1, whole numbers wrapped to their width, floats rounded to even. */
export function storageArray(dtype: DType, values: ArrayLike<number>): StoredArray {
  const stored = storedZeros(dtype, values.length);
  if (dtype === "bool" || (packedBits(dtype) !== undefined && computedDType(dtype) === "float32"))
    for (let i = 0; i < values.length; i++) stored[i] = encoded(dtype, values[i] ?? 0);
  else stored.set(values);
  return stored;
}

/** `count` elements of one value as they are stored. */
export function filledArray(dtype: DType, value: number, count: number): StoredArray {
  const array = storedZeros(dtype, count);
  // Fresh arrays are zeros; -0 is not.
  return Object.is(value, 0) ? array : array.fill(encoded(dtype, value));
}

/** What `data()` hands to the user for the `count` elements that begin the bytes read from the device. */
export function hostArray(dtype: DType, bytes: ArrayBuffer, count: number): TypedArray {
  switch (dtype) {
    case "float32":
      return new Float32Array(bytes, 0, count);
    case "int32":
      return new Int32Array(bytes, 0, count);
    case "int16":
      return new Int16Array(bytes, 0, count);
    case "int8":
      return new Int8Array(bytes, 0, count);
    case "bool":
      return Uint8Array.from(new Uint32Array(bytes, 0, count));
    case "float16":
      return float16Array(bytes, count);
    case "bfloat16":
      return Float32Array.from(new Uint16Array(bytes, 0, count), fromBfloat16);
    default:
      return rawArray(dtype, bytes).subarray(0, count);
  }
}

/** A Float16Array where the runtime has one, else the numbers as a Float32Array. */
function float16Array(bytes: ArrayBuffer, count: number): TypedArray {
  // The library types of this target know no Float16Array; it has all that a Float32Array has.
  const native = (globalThis as { Float16Array?: Float32ArrayConstructor }).Float16Array;
  return native === undefined
    ? Float32Array.from(new Uint16Array(bytes, 0, count), fromFloat16)
    : new native(bytes, 0, count);
}

/** A single host value as the dtype rounds it: the number that a literal of that dtype holds. */
export function roundTo(dtype: DType, value: number): number {
  switch (dtype) {
    case "float32":
      return Math.fround(value);
    case "float16":
      return fromFloat16(float16Bits(value));
    case "bfloat16":
      return fromBfloat16(bfloat16Bits(value));
    case "bool":
      return value ? 1 : 0;
    default: {
      const [least, most] = rangeOf(dtype);
      const span = most - least + 1;
      const wrapped = (computedDType(dtype) === "int32" ? value | 0 : value >>> 0) % span;
      return wrapped > most ? wrapped - span : wrapped < least ? wrapped + span : wrapped;
    }
  }
}
