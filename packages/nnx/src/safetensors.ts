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

/** A safetensors file, or a set of tensors to be written as one, breaks the format's rules. The message names the file and the tensor, and the remedy. */
export class SafetensorsError extends Error {
  override readonly name = "SafetensorsError";
}

// Bits per element, in the reference implementation's order (rising alignment), by which files are laid out.
const dtypeBits: ReadonlyMap<string, number> = new Map([
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
const dtypeRank: ReadonlyMap<string, number> = new Map([...dtypeBits.keys()].map((dtype, rank) => [dtype, rank]));

const lengthBytes = 8;
const maxHeaderBytes = 100_000_000; // the reference implementation's bound, against headers that only claim to be long

const truncatedRemedy = "the file was probably cut while it was written or downloaded; fetch or save it again";
const writerRemedy = "the file is damaged or its writer is at fault; save it again with a current safetensors";

/**
 * Reads a safetensors file from its bytes. Nothing is copied: each tensor's `data` is a view of `bytes` (which need not be aligned).
 *
 * Strict: the tensors must cover the data exactly, without holes and overlaps, each offset range must agree with shape times dtype, and no name
 * may come twice.
 *
 * @param options.file how errors name the file
 * @throws SafetensorsError naming the file and the tensor, what was received and expected, and the remedy
 * @see https://github.com/huggingface/safetensors#format
 */
export function parseSafetensors(bytes: Uint8Array, options: { file?: string } = {}): SafetensorsFile {
  const fail = failure(`parseSafetensors: ${options.file ?? "the file"}`);
  const headerBytes = headerLength(bytes, fail);
  const header = parseHeader(bytes.subarray(lengthBytes, lengthBytes + headerBytes), fail);
  const data = bytes.subarray(lengthBytes + headerBytes);
  const metadata = parseMetadata(header["__metadata__"], fail);
  const entries = Object.entries(header)
    .filter(([name]) => name !== "__metadata__")
    .map(([name, value]) => parseEntry(name, value, fail))
    .sort((a, b) => a.begin - b.begin || a.end - b.end);
  checkCover(entries, data.length, fail);
  const tensors = new Map<string, SafetensorsEntry>();
  for (const { name, dtype, shape, begin, end } of entries) {
    tensors.set(name, { dtype, shape, data: data.subarray(begin, end) });
  }
  return { metadata, tensors };
}

/**
 * Writes tensors as one safetensors file, laid out as the reference implementation does: by falling alignment of the dtype, then by name.
 * Equal input gives equal bytes: metadata keys are sorted, too.
 *
 * @param tensors by name; each `data` holds exactly shape times dtype little-endian bytes
 * @throws SafetensorsError naming the tensor, what was received and expected
 */
export function serializeSafetensors(
  tensors: ReadonlyMap<string, SafetensorsEntry>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const fail = failure("serializeSafetensors");
  const encoder = new TextEncoder();
  const entries = [...tensors].map(([name, entry]) => checkedEntry(name, entry, encoder, fail)).sort(layoutOrder);
  const parts: string[] = [];
  if (Object.keys(metadata).length > 0) parts.push(`"__metadata__":${metadataJson(metadata, fail)}`);
  let offset = 0;
  for (const { name, dtype, shape, data } of entries) {
    const end = offset + data.length;
    // Written by hand: a JavaScript object would move names that look like integers to the front.
    parts.push(`${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [offset, end] })}`);
    offset = end;
  }
  const json = encoder.encode(`{${parts.join(",")}}`);
  const headerBytes = Math.ceil(json.length / 8) * 8; // so that the data start aligned
  if (headerBytes > maxHeaderBytes) {
    fail(
      "the header is too large",
      `${headerBytes} bytes for ${entries.length} tensors, at most ${maxHeaderBytes}`,
      "split the tensors over several files",
    );
  }
  const bytes = new Uint8Array(lengthBytes + headerBytes + offset);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerBytes), true);
  bytes.fill(0x20, lengthBytes, lengthBytes + headerBytes);
  bytes.set(json, lengthBytes);
  let at = lengthBytes + headerBytes;
  for (const { data } of entries) {
    bytes.set(data, at);
    at += data.length;
  }
  return bytes;
}

// ---------------------------------------------------------------------------------------------------------------------

type Fail = (what: string, received: string, remedy: string) => never;

interface Placed {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

interface Keyed extends SafetensorsEntry {
  readonly name: string;
  readonly key: Uint8Array;
}

function failure(subject: string): Fail {
  return (what, received, remedy) => {
    throw new SafetensorsError(`${subject}: ${what}, received ${received}; ${remedy}`);
  };
}

function headerLength(bytes: Uint8Array, fail: Fail): number {
  if (bytes.length < lengthBytes) {
    return fail(
      `too short for a safetensors file, expected at least ${lengthBytes} bytes`,
      `${bytes.length}`,
      truncatedRemedy,
    );
  }
  const length = new DataView(bytes.buffer, bytes.byteOffset, lengthBytes).getBigUint64(0, true);
  if (length > BigInt(maxHeaderBytes)) {
    return fail(
      `the header is too large, expected a length of at most ${maxHeaderBytes} bytes`,
      `${length}`,
      "this is probably not a safetensors file; check what wrote it",
    );
  }
  const present = bytes.length - lengthBytes;
  if (Number(length) > present)
    return fail(`truncated in the header, expected ${length} bytes of it`, `${present}`, truncatedRemedy);
  return Number(length);
}

function parseHeader(bytes: Uint8Array, fail: Fail): Readonly<Record<string, unknown>> {
  const remedy = "this is probably not a safetensors file; check what wrote it";
  let text: string;
  let header: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    header = JSON.parse(text);
  } catch (error) {
    return fail("the header is not JSON", error instanceof Error ? error.message : String(error), remedy);
  }
  if (!isRecord(header) || !text.startsWith("{"))
    return fail("the header is not a JSON object that starts with {", excerpt(text), remedy);
  const twice = repeatedKey(text);
  if (twice !== undefined)
    return fail(`a name comes twice in the header, expected each once`, JSON.stringify(twice), writerRemedy);
  return header;
}

/** The first key that an object of this valid JSON text holds twice: `JSON.parse` would silently keep the last. */
function repeatedKey(text: string): string | undefined {
  const open: (Set<string> | undefined)[] = []; // one set of keys per open object, undefined per open array
  for (const match of text.matchAll(/("(?:[^"\\]|\\.)*")(\s*:)?|[{}[\]]/g)) {
    const [token, string, colon] = match;
    if (token === "{") open.push(new Set());
    else if (token === "[") open.push(undefined);
    else if (string === undefined) open.pop();
    else if (colon !== undefined) {
      const key = String(JSON.parse(string));
      const keys = open.at(-1);
      if (keys?.has(key)) return key;
      keys?.add(key);
    }
  }
  return undefined;
}

function parseMetadata(value: unknown, fail: Fail): Record<string, string> {
  if (!isRecord(value ?? {}))
    return fail("__metadata__ is not an object of strings", excerpt(JSON.stringify(value)), writerRemedy);
  const entries = Object.entries(value ?? {}).map(([key, text]: [string, unknown]): [string, string] => {
    if (typeof text === "string") return [key, text];
    return fail(`__metadata__ ${JSON.stringify(key)} is not a string`, excerpt(JSON.stringify(text)), writerRemedy);
  });
  return Object.fromEntries(entries); // own properties for any key, even __proto__
}

function parseEntry(name: string, value: unknown, fail: Fail): Placed {
  const tensor = `tensor ${JSON.stringify(name)}`;
  if (!isRecord(value))
    return fail(`${tensor} is not described by an object`, excerpt(JSON.stringify(value)), writerRemedy);
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== "string" || !dtypeBits.has(dtype)) {
    return fail(
      `${tensor} has an unknown dtype, expected one of ${[...dtypeBits.keys()].join(", ")}`,
      excerpt(JSON.stringify(dtype)),
      writerRemedy,
    );
  }
  if (!isIndexList(shape))
    return fail(`${tensor} has no valid shape, expected a list of sizes`, excerpt(JSON.stringify(shape)), writerRemedy);
  const [begin, end] = isIndexList(offsets) && offsets.length === 2 ? offsets : [];
  if (begin === undefined || end === undefined || end < begin) {
    return fail(
      `${tensor} has no valid data_offsets, expected [begin, end] with begin <= end`,
      excerpt(JSON.stringify(offsets)),
      writerRemedy,
    );
  }
  const expected = byteSize(tensor, dtype, shape, fail);
  if (end - begin !== expected) {
    fail(
      `${tensor} has data_offsets that disagree with its shape and dtype, expected ${expected} bytes for ${dtype} [${shape.join(", ")}]`,
      `${end - begin} bytes at [${begin}, ${end}]`,
      writerRemedy,
    );
  }
  return { name, dtype, shape, begin, end };
}

/** The tensors, sorted by offset, must fill the data from first byte to last. */
function checkCover(entries: readonly Placed[], dataBytes: number, fail: Fail): void {
  let at = 0;
  let before = "the start of the data";
  for (const { name, begin, end } of entries) {
    const tensor = `tensor ${JSON.stringify(name)}`;
    const range = `[${begin}, ${end}]`;
    if (end > dataBytes)
      fail(
        `${tensor} exceeds the buffer, expected ${end} bytes of data`,
        `${dataBytes}, with data_offsets ${range}`,
        truncatedRemedy,
      );
    if (begin < at) fail(`${tensor} overlaps ${before}, expected it to begin at ${at}`, range, writerRemedy);
    if (begin > at)
      fail(`there is a hole between ${before} and ${tensor}, expected it to begin at ${at}`, range, writerRemedy);
    at = end;
    before = tensor;
  }
  if (at !== dataBytes)
    fail(`there are bytes that belong to no tensor, expected ${at} bytes of data`, `${dataBytes}`, writerRemedy);
}

function checkedEntry(name: string, entry: SafetensorsEntry, encoder: TextEncoder, fail: Fail): Keyed {
  const { dtype, shape, data } = entry;
  const tensor = `tensor ${JSON.stringify(name)}`;
  if (name === "__metadata__") fail("a tensor cannot bear the name kept for metadata", `${tensor}`, "rename it");
  checkText(tensor, name, fail);
  if (!dtypeBits.has(dtype)) {
    fail(
      `${tensor} has an unknown dtype, expected one of ${[...dtypeBits.keys()].join(", ")}`,
      JSON.stringify(dtype),
      "convert it to one of these",
    );
  }
  if (!isIndexList(shape))
    fail(
      `${tensor} has no valid shape, expected a list of sizes`,
      excerpt(JSON.stringify(shape)),
      "give each axis a whole size",
    );
  const expected = byteSize(tensor, dtype, shape, fail);
  if (data.length !== expected) {
    fail(
      `${tensor} has data that disagree with its shape and dtype, expected ${expected} bytes for ${dtype} [${shape.join(", ")}]`,
      `${data.length} bytes`,
      "pass the whole tensor, row-major",
    );
  }
  return { name, dtype, shape, data, key: encoder.encode(name) };
}

function metadataJson(metadata: Readonly<Record<string, string>>, fail: Fail): string {
  const parts = Object.entries(metadata).map(([key, value]) => {
    // Callers without types can pass anything here, and a number would make a file that nobody can read.
    if (typeof value !== "string")
      fail(`metadata ${JSON.stringify(key)} is not a string`, excerpt(JSON.stringify(value)), "convert it to a string");
    checkText(`metadata ${JSON.stringify(key)}`, key + value, fail);
    return `${JSON.stringify(key)}:${JSON.stringify(value)}`;
  });
  return `{${parts.sort().join(",")}}`;
}

function checkText(what: string, text: string, fail: Fail): void {
  if (/\p{Surrogate}/u.test(text))
    fail(`${what} is not valid Unicode`, "a lone surrogate", "use text that UTF-8 can hold");
}

function byteSize(tensor: string, dtype: string, shape: readonly number[], fail: Fail): number {
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

function layoutOrder(a: Keyed, b: Keyed): number {
  return (dtypeRank.get(b.dtype) ?? 0) - (dtypeRank.get(a.dtype) ?? 0) || compareBytes(a.key, b.key);
}

// By UTF-8 bytes, as the reference sorts; JavaScript's own order, by UTF-16 units, differs beyond U+FFFF.
function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const at = a.findIndex((byte, i) => byte !== b[i]);
  return at < 0 ? a.length - b.length : (a[at] ?? 0) - (b[at] ?? -1);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isIndexList(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

function excerpt(text: string | undefined): string {
  const shown = text ?? "nothing";
  return shown.length > 60 ? `${shown.slice(0, 60)}…` : shown;
}
