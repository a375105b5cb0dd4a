import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  parseSafetensors,
  SafetensorsError,
  serializeSafetensors,
  type SafetensorsEntry,
} from "../../packages/nnx/src/safetensors.ts";

const golden = new Uint8Array(readFileSync(new URL("../goldens/safetensors.safetensors", import.meta.url)));

/** A file with this header, whatever it says, and this many bytes of data. */
function file(header: string | object, dataBytes = 0): Uint8Array {
  const json = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

function headerOf(bytes: Uint8Array): string {
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  return new TextDecoder().decode(bytes.subarray(8, 8 + length));
}

const u8 = (begin: number, end: number) => ({
  dtype: "U8",
  shape: [end - begin],
  data_offsets: [begin, end],
});

/** The message of the SafetensorsError that this throws. */
function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(SafetensorsError);
    if (error instanceof SafetensorsError) return error.message;
  }
  throw new Error("expected a SafetensorsError");
}

describe("against the reference implementation", () => {
  it("reads what it wrote", () => {
    const { metadata, tensors } = parseSafetensors(golden);
    expect(metadata).toEqual({ format: "np" });
    expect(Object.fromEntries([...tensors].map(([name, { dtype, shape }]) => [name, [dtype, ...shape]]))).toEqual({
      "b.kernel": ["F32", 2, 3],
      "a.bias": ["F32", 3],
      "10": ["I64", 2],
      "9": ["F64"],
      mask: ["BOOL", 3],
      scalar: ["I32"],
      empty: ["U32", 0, 4],
      half: ["F16", 2],
      bytes: ["U8", 5],
      '\u{1f600} "é"\n': ["U16", 1],
      "\uffee": ["U16", 1],
    });
    const floats = (name: string) => [...new Float32Array(Uint8Array.from(tensors.get(name)?.data ?? []).buffer)];
    expect(floats("b.kernel")).toEqual([0, 1, 2, 3, 4, 5]);
    expect(floats("a.bias")).toEqual([-1.5, Infinity, Number.NaN]);
    expect([...(tensors.get("mask")?.data ?? [])]).toEqual([1, 0, 1]);
  });

  it("writes the same bytes", () => {
    const { metadata, tensors } = parseSafetensors(golden);
    expect(serializeSafetensors(new Map([...tensors].reverse()), metadata)).toEqual(golden);
  });
});

describe("round trip", () => {
  const sizes = { BOOL: 1, U8: 1, I8: 1, F16: 2, BF16: 2, I32: 4, U32: 4, F32: 4, F64: 8, I64: 8 };
  const dtypes = fc.constantFrom("BOOL", "U8", "I8", "F16", "BF16", "I32", "U32", "F32", "F64", "I64");
  const text = fc.string({ unit: "grapheme", maxLength: 12 });
  const names = text.filter((name) => name !== "__metadata__");
  const entries: fc.Arbitrary<SafetensorsEntry> = fc
    .record({ dtype: dtypes, shape: fc.array(fc.nat(4), { maxLength: 4 }) })
    .chain(({ dtype, shape }) => {
      const bytes = shape.reduce((product, size) => product * size, sizes[dtype]);
      return fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((data) => ({ dtype, shape, data }));
    });
  const files = fc.array(fc.tuple(names, entries), { maxLength: 6 }).map((list) => new Map(list));

  it("gives back every tensor and all metadata, aligned", () => {
    fc.assert(
      fc.property(files, fc.dictionary(text, text), (tensors, metadata) => {
        const bytes = serializeSafetensors(tensors, metadata);
        const parsed = parseSafetensors(bytes);
        expect(new Map(Object.entries(parsed.metadata))).toEqual(new Map(Object.entries(metadata)));
        expect(new Map([...parsed.tensors].sort())).toEqual(new Map([...tensors].sort()));
        for (const { data, dtype, shape } of parsed.tensors.values()) {
          const element = data.length / shape.reduce((product, size) => product * size, 1) || 1;
          expect(data.byteOffset % element, dtype).toBe(0);
        }
      }),
    );
  });

  it("does not depend on the order of insertion", () => {
    fc.assert(
      fc.property(files, fc.dictionary(text, text), (tensors, metadata) => {
        const turned = Object.fromEntries(Object.entries(metadata).reverse());
        const again = serializeSafetensors(new Map([...tensors].reverse()), turned);
        expect(again).toEqual(serializeSafetensors(tensors, metadata));
      }),
    );
  });

  it("refuses every proper prefix and every longer file", () => {
    for (let length = 0; length < golden.length; length++) {
      refusal(() => parseSafetensors(golden.subarray(0, length)));
    }
    refusal(() => parseSafetensors(new Uint8Array([...golden, 0])));
  });

  it("never throws anything but a SafetensorsError, whatever byte is damaged", () => {
    fc.assert(
      fc.property(fc.nat(golden.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const damaged = golden.slice();
        damaged[at] = (damaged[at] ?? 0) ^ change;
        try {
          parseSafetensors(damaged);
        } catch (error) {
          expect(error).toBeInstanceOf(SafetensorsError);
        }
      }),
    );
  });
});

describe("reading", () => {
  it("gives views, not copies, also of a file that lies unaligned in a larger buffer", () => {
    const around = new Uint8Array(golden.length + 3);
    around.set(golden, 3);
    const { tensors } = parseSafetensors(around.subarray(3));
    expect(tensors.get("bytes")?.data.buffer).toBe(around.buffer);
    expect([...(tensors.get("bytes")?.data ?? [])]).toEqual([0, 1, 2, 3, 4]);
  });

  it("takes an empty file, missing and null metadata, unknown fields, and names that JavaScript treats specially", () => {
    expect(parseSafetensors(file("{}")).tensors.size).toBe(0);
    expect(parseSafetensors(file('{"__metadata__":null}  ')).metadata).toEqual({});
    const { tensors } = parseSafetensors(
      file('{"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"x":1}}', 1),
    );
    expect([...tensors.keys()]).toEqual(["__proto__"]);
  });

  it("names the file it was told of", () => {
    expect(refusal(() => parseSafetensors(new Uint8Array(3), { file: "out/model.safetensors" }))).toBe(
      "parseSafetensors: out/model.safetensors: too short for a safetensors file, expected at least 8 bytes, received 3; " +
        "the file was probably cut while it was written or downloaded; fetch or save it again",
    );
  });

  it.each([
    ["a cut header", file("{}").subarray(0, 9), /truncated in the header, expected 2 bytes of it, received 1;/],
    ["cut data", file({ a: u8(0, 4) }, 3), /tensor "a" exceeds the buffer, expected 4 bytes of data, received 3/],
    ["a header that is no JSON", file("{oops"), /the header is not JSON, received .*; this is probably not/],
    [
      "a header that is not UTF-8",
      Uint8Array.from([3, 0, 0, 0, 0, 0, 0, 0, 0x22, 0xff, 0x22]),
      /the header is not JSON/,
    ],
    ["a header that is no object", file("[1]"), /not a JSON object that starts with \{, received \[1\];/],
    ["a header that starts with a space", file(" {}"), /starts with \{/],
    [
      "a header without end",
      Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 1]),
      /the header is too large, .* 100000000 bytes, received 72057594037927936;/,
    ],
    [
      "an unknown dtype",
      file({ a: { ...u8(0, 1), dtype: "F128" } }, 1),
      /tensor "a" has an unknown dtype, .*F32.*, received "F128";/,
    ],
    ["a dtype that is no string", file({ a: { ...u8(0, 1), dtype: 3 } }, 1), /unknown dtype, .* received 3;/],
    [
      "overlapping offsets",
      file({ a: u8(0, 3), b: u8(2, 5) }, 5),
      /tensor "b" overlaps tensor "a", expected it to begin at 3, received \[2, 5\];/,
    ],
    [
      "a hole",
      file({ a: u8(0, 3), b: u8(4, 5) }, 5),
      /hole between tensor "a" and tensor "b", expected it to begin at 3, received \[4, 5\];/,
    ],
    ["a hole at the start", file({ a: u8(1, 3) }, 3), /hole between the start of the data and tensor "a"/],
    ["bytes of no tensor", file({ a: u8(0, 3) }, 5), /belong to no tensor, expected 3 bytes of data, received 5;/],
    [
      "offsets past the data",
      file({ a: u8(0, 3), b: u8(3, 9) }, 5),
      /tensor "b" exceeds the buffer, expected 9 bytes of data, received 5/,
    ],
    [
      "offsets that run backwards",
      file({ a: { dtype: "U8", shape: [0], data_offsets: [2, 1] } }, 2),
      /no valid data_offsets, .* received \[2,1\];/,
    ],
    [
      "offsets that are no pair",
      file({ a: { dtype: "U8", shape: [0], data_offsets: [0] } }),
      /no valid data_offsets, .* received \[0\];/,
    ],
    ["no offsets", file({ a: { dtype: "U8", shape: [0] } }), /no valid data_offsets, .* received nothing;/],
    [
      "a shape that disagrees",
      file({ a: { dtype: "F32", shape: [2, 2], data_offsets: [0, 12] } }, 12),
      /disagree with its shape and dtype, expected 16 bytes for F32 \[2, 2\], received 12 bytes at \[0, 12\];/,
    ],
    [
      "a negative size",
      file({ a: { dtype: "U8", shape: [-1], data_offsets: [0, 0] } }),
      /tensor "a" has no valid shape, .* received \[-1\];/,
    ],
    ["a fractional size", file({ a: { dtype: "U8", shape: [1.5], data_offsets: [0, 0] } }), /no valid shape/],
    [
      "a size beyond counting",
      file({ a: { dtype: "U8", shape: [2 ** 40, 2 ** 40], data_offsets: [0, 0] } }),
      /tensor "a" is too large/,
    ],
    [
      "half a byte",
      file({ a: { dtype: "F4", shape: [3], data_offsets: [0, 2] } }, 2),
      /tensor "a" does not end at a byte/,
    ],
    ["a tensor that is no object", file({ a: 5 }), /tensor "a" is not described by an object, received 5;/],
    [
      "metadata that is no object",
      file({ __metadata__: [] }),
      /__metadata__ is not an object of strings, received \[\];/,
    ],
    ["metadata that is no string", file({ __metadata__: { a: 1 } }), /__metadata__ "a" is not a string, received 1;/],
    [
      "a name that comes twice",
      file(`{"a":${JSON.stringify(u8(0, 1))},"\\u0061":${JSON.stringify(u8(1, 2))}}`, 2),
      /a name comes twice in the header, expected each once, received "a";/,
    ],
    [
      "a field that comes twice",
      file('{"a":{"dtype":"U8","dtype":"I8","shape":[1],"data_offsets":[0,1]}}', 1),
      /comes twice .* received "dtype";/,
    ],
  ])("refuses %s", (_, bytes, message) => {
    const text = refusal(() => parseSafetensors(bytes));
    expect(text).toMatch(message);
    expect(text).toMatch(/^parseSafetensors: the file: .+; .+/);
  });

  it("is not misled by braces, quotes and colons inside names", () => {
    const name = '{"a": [\\"';
    expect([...parseSafetensors(file({ [name]: u8(0, 1), '":{': u8(1, 2) }, 2)).tensors.keys()]).toEqual([name, '":{']);
  });
});

describe("writing", () => {
  const one: SafetensorsEntry = { dtype: "F32", shape: [2], data: new Uint8Array(8) };

  it("lays out by falling alignment, then by name, after sorted metadata, in a header of a multiple of 8 bytes", () => {
    const tensors = new Map([
      ["2", one],
      ["10", one],
      ["z", { dtype: "I64", shape: [1], data: new Uint8Array(8) }],
      ["a", { dtype: "BOOL", shape: [], data: new Uint8Array(1) }],
    ]);
    const header = headerOf(serializeSafetensors(tensors, { z: "1", a: "2" }));
    expect(header.length % 8).toBe(0);
    expect(header.trimEnd()).toBe(
      '{"__metadata__":{"a":"2","z":"1"},"z":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},' +
        '"10":{"dtype":"F32","shape":[2],"data_offsets":[8,16]},"2":{"dtype":"F32","shape":[2],"data_offsets":[16,24]},' +
        '"a":{"dtype":"BOOL","shape":[],"data_offsets":[24,25]}}',
    );
  });

  it.each([
    [
      "too few bytes",
      "w",
      { ...one, data: new Uint8Array(4) },
      /tensor "w" has data that disagree .* expected 8 bytes for F32 \[2\], received 4 bytes;/,
    ],
    ["an unknown dtype", "w", { ...one, dtype: "float32" }, /tensor "w" has an unknown dtype, .* received "float32";/],
    ["a bad shape", "w", { ...one, shape: [-2] }, /tensor "w" has no valid shape, .* received \[-2\];/],
    ["the reserved name", "__metadata__", one, /the name kept for metadata/],
    ["a name that is not Unicode", "\ud800", one, /tensor "\\ud800" is not valid Unicode/],
  ])("refuses %s", (_, name, entry, message) => {
    expect(refusal(() => serializeSafetensors(new Map([[name, entry]])))).toMatch(message);
  });

  it("refuses metadata that are no strings", () => {
    const metadata = JSON.parse('{"step": 3}') as Record<string, string>; // as a caller without types would pass it
    expect(refusal(() => serializeSafetensors(new Map(), metadata))).toMatch(
      /metadata "step" is not a string, received 3;/,
    );
  });
});
