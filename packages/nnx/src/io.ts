import { ArgumentError, array, DtypeError, Tensor, type DType } from "@jnx/tensor";
import { state as stateOf } from "./graph.ts";
import { pathText } from "./node.ts";
import { parseSafetensors, SafetensorsError, serializeSafetensors, type SafetensorsEntry } from "./safetensors.ts";
import { fromFlatState, parsePath, State, toFlatState, type Leaf } from "./state.ts";
import { isVariable, peek } from "./variable.ts";

/** The format's names of our dtypes. */
export const FORMAT: Record<DType, string> = { float32: "F32", int32: "I32", uint32: "U32", bool: "BOOL" };

/**
 * The bytes of a safetensors file with every array of a State or an object, named by its path: `layers.0.kernel`.
 * Equal contents give equal bytes. Reads the device, and so is async.
 *
 * @throws ArgumentError when two paths have the same name, DtypeError for a Variable that holds no array.
 * @example
 * const bytes = await nnx.saveSafetensors(nnx.state(model, nnx.Param)); // for writeFile, fetch or a download
 * bytes instanceof Uint8Array; // true
 */
export async function saveSafetensors(
  source: State | object,
  options: { readonly metadata?: Readonly<Record<string, string>> } = {},
): Promise<Uint8Array> {
  const leaves = toFlatState(source instanceof State ? source : stateOf(source));
  const entries = leaves.map(([path, leaf]) => [pathText(path), tensorOf(pathText(path), leaf)] as const);
  // Every read is queued before any is awaited: what happens to the model meanwhile is not saved.
  const data = await Promise.all(entries.map(([, tensor]) => tensor.data()));
  const tensors = new Map<string, SafetensorsEntry>();
  entries.forEach(([name, { dtype, shape }], k) => {
    if (tensors.has(name))
      throw new ArgumentError(`saveSafetensors: two arrays are named "${name}"; rename one of the fields`);
    const values = data[k] ?? new Float32Array(0);
    tensors.set(name, {
      dtype: FORMAT[dtype],
      shape,
      data: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
    });
  });
  return serializeSafetensors(tensors, options.metadata);
}

function tensorOf(name: string, leaf: Leaf): Tensor {
  const value = isVariable(leaf) ? peek(leaf) : leaf;
  if (value instanceof Tensor) return value;
  throw new DtypeError(`saveSafetensors: "${name}" holds ${typeof value}, not an array; leave it out with a filter`);
}

/**
 * The arrays of a safetensors file as a State of bare Tensors, nested by the dots in their names; `nnx.update` puts
 * them into a model and checks shapes and dtypes. float16, bfloat16 and float64 become float32, small integers int32.
 *
 * @throws SafetensorsError naming the file and the array when the bytes are cut, overlap or have a dtype without a
 * counterpart here.
 * @example
 * const bytes = await nnx.saveSafetensors(nnx.state(model, nnx.Param)); // or await readFile("model.safetensors")
 * nnx.update(model, nnx.loadSafetensors(bytes, { file: "model.safetensors" }));
 */
export function loadSafetensors(bytes: Uint8Array, options: { readonly file?: string } = {}): State {
  const { tensors } = parseSafetensors(bytes, options);
  return fromFlatState(
    [...tensors].map(([name, entry]) => [parsePath(name), decodeTensor(name, entry, options.file)] as const),
  );
}

/** The Tensor of a file's bytes. */
export function decodeTensor(name: string, { dtype, shape, data }: SafetensorsEntry, file: string | undefined): Tensor {
  const bytes = Uint8Array.from(data).buffer; // a copy, aligned for every element type
  const make = DECODERS.get(dtype);
  if (make !== undefined) return array(make(bytes), { shape, ...(dtype === "BOOL" ? { dtype: "bool" } : {}) });
  throw new SafetensorsError(
    `loadSafetensors: ${file ?? "the file"}: "${name}" is ${dtype}, which has no counterpart here; convert it to F32 or I32 before saving`,
  );
}

const DECODERS: ReadonlyMap<string, Decoder> = new Map<string, Decoder>([
  ["F32", (bytes) => new Float32Array(bytes)],
  ["F64", (bytes) => Float32Array.from(new Float64Array(bytes))],
  ["F16", (bytes) => Float32Array.from(new Uint16Array(bytes), halfToNumber)],
  ["BF16", (bytes) => new Float32Array(Uint32Array.from(new Uint16Array(bytes), (bits) => bits << 16).buffer)],
  ["I32", (bytes) => new Int32Array(bytes)],
  ["I16", (bytes) => Int32Array.from(new Int16Array(bytes))],
  ["U16", (bytes) => Int32Array.from(new Uint16Array(bytes))],
  ["I8", (bytes) => Int32Array.from(new Int8Array(bytes))],
  ["U8", (bytes) => Int32Array.from(new Uint8Array(bytes))],
  ["U32", (bytes) => new Uint32Array(bytes)],
  ["BOOL", (bytes) => Uint32Array.from(new Uint8Array(bytes))],
]);

type Decoder = (bytes: ArrayBuffer) => Float32Array | Int32Array | Uint32Array;

/** IEEE 754 binary16 as a number. */
function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const [exponent, fraction] = [(bits >> 10) & 0x1f, bits & 0x3ff];
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
