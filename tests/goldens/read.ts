/** Reads the golden files that tests/oracle makes with the real JAX, Flax and optax. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

export type GoldenData =
  Float32Array | Int32Array | Uint32Array | Int16Array | Uint16Array | Int8Array | Uint8Array | Float64Array;

/** An array of a golden file. Long ones hold samples only: every `stride`-th element, then the last, and a digest of all. */
export interface GoldenArray {
  readonly dtype: string;
  readonly shape: readonly number[];
  /** All elements in row-major order, or the samples where `stride` is there. */
  readonly data: GoldenData;
  readonly stride?: number;
  /** Hex SHA-256 of all elements' bytes. */
  readonly sha256?: string;
}

export type GoldenValue = GoldenArray | number | string | readonly GoldenValue[] | GoldenTree;
export interface GoldenTree {
  readonly [name: string]: GoldenValue;
}

const MAKERS = new Map<string, (buffer: ArrayBuffer) => GoldenData>([
  ["float32", (b) => new Float32Array(b)],
  ["float64", (b) => new Float64Array(b)],
  ["int32", (b) => new Int32Array(b)],
  ["uint32", (b) => new Uint32Array(b)],
  ["int16", (b) => new Int16Array(b)],
  ["uint16", (b) => new Uint16Array(b)],
  ["int8", (b) => new Int8Array(b)],
  ["uint8", (b) => new Uint8Array(b)],
]);
const files = new Map<string, GoldenTree>();

/** All cases of tests/goldens/<name>.json. */
export function readGoldens(name: string): GoldenTree {
  const known = files.get(name);
  if (known !== undefined) return known;
  const text: unknown = JSON.parse(readFileSync(new URL(`./${name}.json`, import.meta.url), "utf8"));
  if (!isRecord(text) || !isRecord(text["cases"])) throw new Error(`readGoldens: ${name}.json has no cases`);
  const cases = Object.fromEntries(Object.entries(text["cases"]).map(([key, value]) => [key, decode(value)]));
  files.set(name, cases);
  return cases;
}

/** The array at a path of names and indices inside a golden file: `goldenArray("nnx-training", "initial", "first.kernel")`. */
export function goldenArray(file: string, ...path: readonly (string | number)[]): GoldenArray {
  let value: GoldenValue | undefined = readGoldens(file);
  for (const step of path) {
    if (isList(value)) value = typeof step === "number" ? value[step] : undefined;
    else value = isTree(value) && typeof step === "string" ? value[step] : undefined;
  }
  if (!isGoldenArray(value)) throw new Error(`goldenArray: ${file}.json has no array at ${path.join(" / ")}`);
  return value;
}

/** The elements that a golden array holds, taken out of a complete array. */
export function sampled(full: ArrayLike<number>, golden: GoldenArray): number[] {
  const all = Array.from(full);
  const { stride } = golden;
  if (stride === undefined) return all;
  return [...all.filter((_, i) => i % stride === 0), ...all.slice(-1)];
}

/** Hex SHA-256 of an array's bytes, to compare with `sha256`. */
export function digest(full: GoldenData): string {
  return createHash("sha256")
    .update(new Uint8Array(full.buffer, full.byteOffset, full.byteLength))
    .digest("hex");
}

function decode(value: unknown): GoldenValue {
  if (typeof value === "number" || typeof value === "string") return value;
  if (Array.isArray(value)) return value.map(decode);
  if (!isRecord(value)) throw new Error(`readGoldens: a ${typeof value} among the cases`);
  const { dtype, shape, data, stride, sha256 } = value;
  const make = typeof dtype === "string" ? MAKERS.get(dtype) : undefined;
  if (make === undefined || typeof data !== "string" || !Array.isArray(shape)) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, decode(item)]));
  }
  const bytes = Uint8Array.from(Buffer.from(data, "base64"));
  return {
    dtype: String(dtype),
    shape: shape.map(Number),
    data: make(bytes.buffer),
    ...(typeof stride === "number" && typeof sha256 === "string" ? { stride, sha256 } : {}),
  };
}

function isList(value: GoldenValue | undefined): value is readonly GoldenValue[] {
  return Array.isArray(value);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isTree(value: GoldenValue | undefined): value is GoldenTree {
  return isRecord(value) && !isGoldenArray(value);
}

function isGoldenArray(value: GoldenValue | undefined): value is GoldenArray {
  return isRecord(value) && ArrayBuffer.isView(value["data"]);
}
