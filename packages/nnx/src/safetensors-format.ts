// The safetensors format as bytes: names, dtypes, shapes and views of one buffer. It knows no tensors and imports nothing.
// Layout: u64 little-endian length n of the header, n bytes of JSON padded with spaces, then every tensor's bytes, one after another.

/** One tensor of a safetensors file: its format dtype (`"F32"`, `"BF16"`, …), its shape and its little-endian, row-major bytes. */
export interface SafetensorsEntry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

/** What a safetensors file holds: free-form metadata, and the tensors by name in the order of their bytes. */
export interface SafetensorsFile {
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: ReadonlyMap<string, SafetensorsEntry>;
}

/**
 * A safetensors file, or a set of tensors to be written as one, breaks the format's rules. The message names the file and
 * the tensor, and the remedy.
 */
export class SafetensorsError extends Error {
  override readonly name = "SafetensorsError";
}

// Bits per element, in the reference implementation's order (rising alignment), by which files are laid out.
export const dtypeBits: ReadonlyMap<string, number> = new Map([
  ["BOOL", 8],
  ["F4", 4],
  ["F6_E2M3", 6],
  ["F6_E3M2", 6],
  ["U8", 8],
  ["I8", 8],
  ["F8_E5M2", 8],
  ["F8_E4M3", 8],
  ["F8_E8M0", 8],
  ["F8_E4M3FNUZ", 8],
  ["F8_E5M2FNUZ", 8],
  ["I16", 16],
  ["U16", 16],
  ["F16", 16],
  ["BF16", 16],
  ["I32", 32],
  ["U32", 32],
  ["F32", 32],
  ["C64", 64],
  ["F64", 64],
  ["I64", 64],
  ["U64", 64],
]);
export const dtypeRank: ReadonlyMap<string, number> = new Map(
  [...dtypeBits.keys()].map((dtype, rank) => [dtype, rank]),
);

export const lengthBytes = 8;
export const maxHeaderBytes = 100_000_000; // the reference implementation's bound, against headers that only claim to be long

export const truncatedRemedy = "the file was probably cut while it was written or downloaded; fetch or save it again";
export const writerRemedy = "the file is damaged or its writer is at fault; save it again with a current safetensors";

export type Fail = (what: string, received: string, remedy: string) => never;

export function failure(subject: string): Fail {
  return (what, received, remedy) => {
    throw new SafetensorsError(`${subject}: ${what}, received ${received}; ${remedy}`);
  };
}

export function byteSize(tensor: string, dtype: string, shape: readonly number[], fail: Fail): number {
  // A zero anywhere means no elements, however large the other sizes are.
  const elements = shape.includes(0) ? 0 : shape.reduce((product, size) => product * size, 1);
  const bits = elements * (dtypeBits.get(dtype) ?? 0);
  if (!Number.isSafeInteger(bits))
    fail(`${tensor} is too large, expected fewer than 2^53 bits`, `${dtype} [${shape.join(", ")}]`, writerRemedy);
  if (bits % 8 !== 0)
    fail(
      `${tensor} does not end at a byte, expected a whole number of bytes`,
      `${dtype} [${shape.join(", ")}]`,
      "pad its last axis",
    );
  return bits / 8;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isIndexList(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

export function excerpt(text: string | undefined): string {
  const shown = text ?? "nothing";
  return shown.length > 60 ? `${shown.slice(0, 60)}…` : shown;
}
