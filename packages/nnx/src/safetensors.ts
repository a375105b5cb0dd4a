import {
  type SafetensorsEntry,
  type SafetensorsFile,
  dtypeBits,
  lengthBytes,
  maxHeaderBytes,
  truncatedRemedy,
  writerRemedy,
  type Fail,
  failure,
  byteSize,
  isRecord,
  isIndexList,
  excerpt,
} from "./safetensors-format.ts";

export { SafetensorsError, type SafetensorsEntry, type SafetensorsFile } from "./safetensors-format.ts";
export { layoutSafetensors, serializeSafetensors } from "./safetensors-write.ts";

/**
 * Reads a safetensors file from its bytes. Nothing is copied: each tensor's `data` is a view of `bytes` (which need not be aligned).
 *
 * Strict: the tensors must cover the data exactly, without holes and overlaps, each offset range must agree with shape times
 * dtype, and no name may come twice.
 *
 * @param options.file how errors name the file
 * @throws SafetensorsError naming the file and the tensor, what was received and expected, and the remedy
 * @see https://github.com/huggingface/safetensors#format
 */
export function parseSafetensors(bytes: Uint8Array, options: { file?: string } = {}): SafetensorsFile {
  const fail = failure(`parseSafetensors: ${options.file ?? "the file"}`);
  const headerBytes = headerLength(bytes, fail);
  const data = bytes.subarray(lengthBytes + headerBytes);
  const { metadata, entries } = parseEntries(bytes.subarray(lengthBytes, lengthBytes + headerBytes), fail);
  checkCover(entries, data.length, fail);
  const tensors = new Map<string, SafetensorsEntry>();
  for (const { name, dtype, shape, begin, end } of entries) {
    tensors.set(name, { dtype, shape, data: data.subarray(begin, end) });
  }
  return { metadata, tensors };
}

/** Where a tensor's bytes lie in a file. */
export interface SafetensorsPlace {
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Bytes from the beginning of the file. */
  readonly begin: number;
  readonly end: number;
}

/**
 * Reads a file's beginning alone (its length and header): where each tensor lies, in the order of their bytes.
 *
 * @throws SafetensorsError as parseSafetensors does
 */
export function parseSafetensorsHeader(
  bytes: Uint8Array,
  options: { file?: string } = {},
): ReadonlyMap<string, SafetensorsPlace> {
  const fail = failure(`parseSafetensors: ${options.file ?? "the file"}`);
  const start = lengthBytes + headerLength(bytes, fail);
  const entries = parseEntries(bytes.subarray(lengthBytes, start), fail).entries;
  checkCover(entries, entries.at(-1)?.end ?? 0, fail);
  return new Map(
    entries.map(({ name, dtype, shape, begin, end }) => [
      name,
      { dtype, shape, begin: start + begin, end: start + end },
    ]),
  );
}

function parseEntries(
  header: Uint8Array,
  fail: Fail,
): { readonly metadata: Record<string, string>; readonly entries: Placed[] } {
  const parsed = parseHeader(header, fail);
  const entries = Object.entries(parsed)
    .filter(([name]) => name !== "__metadata__")
    .map(([name, value]) => parseEntry(name, value, fail))
    .sort((a, b) => a.begin - b.begin || a.end - b.end);
  return { metadata: parseMetadata(parsed["__metadata__"], fail), entries };
}

// ---------------------------------------------------------------------------------------------------------------------

interface Placed {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
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
