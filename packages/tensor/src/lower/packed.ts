import { decode_bfloat16, decode_float16, encode_bfloat16, encode_float16, type WgslFunction } from "@jnx/kernels-wgsl";
import { computedDType, packedBits, rangeOf, type DType } from "../dtype.ts";

/** The WGSL that moves packed elements between memory and the 32-bit values that kernels compute with. */

type Use = (fn: WgslFunction) => string;

/** What four elements are in memory. */
export function wordsType(bits: 8 | 16): string {
  return bits === 16 ? "vec2<u32>" : "u32";
}

/** One element's bits, lowest, in a word of others: `array` holds words, `index` is the element's. */
export function wordOf(bits: 8 | 16, array: string, index: string): string {
  return bits === 16
    ? `(${array}[${index} >> 1u] >> ((${index} & 1u) * 16u))`
    : `(${array}[${index} >> 2u] >> ((${index} & 3u) * 8u))`;
}

/** The bits of four elements from their words; above them may lie others. */
export function lanesOfWords(bits: 8 | 16, words: string): string {
  return bits === 16 ? `(${words}.xxyy >> vec4u(0u, 16u, 0u, 16u))` : `(vec4u(${words}) >> vec4u(0u, 8u, 16u, 24u))`;
}

/** The value that an element's bits stand for; what lies above them counts for nothing. */
export function decodeText(dtype: DType, bits: string, use: Use): string {
  if (dtype === "float16") return `${use(decode_float16)}(${bits})`;
  if (dtype === "bfloat16") return `${use(decode_bfloat16)}(${bits})`;
  return narrowText(dtype, computedDType(dtype) === "int32" ? `bitcast<I>(${bits})` : bits, use);
}

/** A computed value as the dtype holds it: floats rounded to nearest even, whole numbers wrapped to their width. */
export function narrowText(dtype: DType, value: string, use: Use): string {
  const bits = packedBits(dtype);
  if (bits === undefined) return value;
  if (dtype === "float16") return `${use(decode_float16)}(${use(encode_float16)}(${value}))`;
  if (dtype === "bfloat16") return `${use(decode_bfloat16)}(${use(encode_bfloat16)}(${value}))`;
  const shift = `U(${32 - bits}u)`;
  return computedDType(dtype) === "int32"
    ? `((${value} << ${shift}) >> ${shift})`
    : `(${value} & U(${rangeOf(dtype)[1]}u))`;
}

/** Four values (a vec4) as words. */
export function wordsText(
  dtype: DType,
  value: string,
  name: string,
  use: Use,
): { readonly line: string; readonly words: string } {
  const bits = packedBits(dtype) ?? 16;
  const encoded =
    dtype === "float16"
      ? `${use(encode_float16)}(${value})`
      : dtype === "bfloat16"
        ? `${use(encode_bfloat16)}(${value})`
        : `(bitcast<U>(${value}) & U(${2 ** bits - 1}u))`;
  const words =
    bits === 16
      ? `(${name}.xz | (${name}.yw << vec2u(16u)))`
      : `(${name}.x | (${name}.y << 8u) | (${name}.z << 16u) | (${name}.w << 24u))`;
  return { line: `  let ${name} = ${encoded};\n`, words };
}
