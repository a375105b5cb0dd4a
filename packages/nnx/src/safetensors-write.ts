import {
  type SafetensorsEntry,
  dtypeBits,
  dtypeRank,
  lengthBytes,
  maxHeaderBytes,
  type Fail,
  failure,
  byteSize,
  isIndexList,
  excerpt,
} from "./safetensors-format.ts";

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
  for (const [name, { dtype, shape, data }] of tensors) checkData(name, dtype, shape, data, fail);
  const { header, order } = layoutSafetensors(tensors, metadata);
  const parts = order.map((name) => tensors.get(name)?.data ?? new Uint8Array());
  const bytes = new Uint8Array(parts.reduce((total, { length }) => total + length, header.length));
  bytes.set(header);
  let at = header.length;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** The beginning of a safetensors file, and the names of the tensors in the order in which their bytes follow. */
export interface SafetensorsLayout {
  readonly header: Uint8Array<ArrayBuffer>;
  readonly order: readonly string[];
}

/**
 * Lays out a file of tensors before their bytes are at hand: what `serializeSafetensors` writes first.
 *
 * @throws SafetensorsError naming the tensor, what was received and expected
 */
export function layoutSafetensors(
  tensors: ReadonlyMap<string, Omit<SafetensorsEntry, "data">>,
  metadata: Readonly<Record<string, string>> = {},
): SafetensorsLayout {
  const fail = failure("serializeSafetensors");
  const encoder = new TextEncoder();
  const entries = [...tensors].map(([name, entry]) => checkedEntry(name, entry, encoder, fail)).sort(layoutOrder);
  const parts: string[] = [];
  if (Object.keys(metadata).length > 0) parts.push(`"__metadata__":${metadataJson(metadata, fail)}`);
  let offset = 0;
  for (const { name, dtype, shape, bytes } of entries) {
    const end = offset + bytes;
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
  const header = new Uint8Array(lengthBytes + headerBytes);
  new DataView(header.buffer).setBigUint64(0, BigInt(headerBytes), true);
  header.fill(0x20, lengthBytes);
  header.set(json, lengthBytes);
  return { header, order: entries.map(({ name }) => name) };
}

interface Keyed extends Omit<SafetensorsEntry, "data"> {
  readonly name: string;
  readonly key: Uint8Array;
  readonly bytes: number;
}

function checkedEntry(name: string, entry: Omit<SafetensorsEntry, "data">, encoder: TextEncoder, fail: Fail): Keyed {
  const { dtype, shape } = entry;
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
  return { name, dtype, shape, key: encoder.encode(name), bytes: byteSize(tensor, dtype, shape, fail) };
}

function checkData(name: string, dtype: string, shape: readonly number[], data: Uint8Array, fail: Fail): void {
  const tensor = `tensor ${JSON.stringify(name)}`;
  if (!dtypeBits.has(dtype) || !isIndexList(shape)) return; // layoutSafetensors says what is wrong
  const expected = byteSize(tensor, dtype, shape, fail);
  if (data.length !== expected) {
    fail(
      `${tensor} has data that disagree with its shape and dtype, expected ${expected} bytes for ${dtype} [${shape.join(", ")}]`,
      `${data.length} bytes`,
      "pass the whole tensor, row-major",
    );
  }
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

function layoutOrder(a: Keyed, b: Keyed): number {
  return (dtypeRank.get(b.dtype) ?? 0) - (dtypeRank.get(a.dtype) ?? 0) || compareBytes(a.key, b.key);
}

// By UTF-8 bytes, as the reference sorts; JavaScript's own order, by UTF-16 units, differs beyond U+FFFF.
function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const at = a.findIndex((byte, i) => byte !== b[i]);
  return at < 0 ? a.length - b.length : (a[at] ?? 0) - (b[at] ?? -1);
}
