import { ArgumentError, array, astype, DtypeError, DTYPES, Tensor, type DType, type TypedArray } from "@jnx/tensor";
import { hostArray, isFloat, itemBytes, packedBits, storageArray, checkKeys } from "@jnx/tensor/internal";
import { state as stateOf } from "./graph.ts";
import { pathText } from "./node.ts";
import { parseSafetensors, SafetensorsError, serializeSafetensors, type SafetensorsEntry } from "./safetensors.ts";
import { fromFlatState, parsePath, State, toFlatState, type Leaf } from "./state.ts";
import { isVariable, peek } from "./variable.ts";

/** The format's names of our dtypes. */
export const FORMAT: Record<DType, string> = {
  float32: "F32",
  float16: "F16",
  bfloat16: "BF16",
  int32: "I32",
  uint32: "U32",
  int16: "I16",
  uint16: "U16",
  int8: "I8",
  uint8: "U8",
  bool: "BOOL",
};

/** What `data()` gave, as the format holds it. */
export function fileBytes(dtype: DType, values: TypedArray): Uint8Array {
  const stored = packedBits(dtype) === undefined ? values : storageArray(dtype, values);
  const count = dtype === "bool" ? values.length : values.length * itemBytes(dtype);
  return new Uint8Array(stored.buffer, stored.byteOffset, count);
}

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
  checkKeys("saveSafetensors", options, "metadata");
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
      data: fileBytes(dtype, values),
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
 * them into a model and checks shapes and dtypes. Arrays keep their dtype (float64 becomes float32); `dtype` is for floats
 * that shall become another: weights saved in bfloat16 for a model in float32.
 *
 * @throws SafetensorsError naming the file and the array when the bytes are cut, overlap or have a dtype without a
 * counterpart here.
 * @example
 * const bytes = await nnx.saveSafetensors(nnx.state(model, nnx.Param)); // or await readFile("model.safetensors")
 * nnx.update(model, nnx.loadSafetensors(bytes, { file: "model.safetensors" }));
 */
export function loadSafetensors(
  bytes: Uint8Array,
  options: { readonly file?: string; readonly dtype?: DType } = {},
): State {
  checkKeys("loadSafetensors", options, "file dtype");
  const { tensors } = parseSafetensors(bytes, options);
  const decoded = (name: string, entry: SafetensorsEntry): Tensor => {
    const tensor = decodeTensor(name, entry, options.file);
    return options.dtype !== undefined && isFloat(tensor.dtype) ? astype(tensor, options.dtype) : tensor;
  };
  return fromFlatState([...tensors].map(([name, entry]) => [parsePath(name), decoded(name, entry)] as const));
}

/** The Tensor of a file's bytes. */
export function decodeTensor(name: string, { dtype, shape, data }: SafetensorsEntry, file: string | undefined): Tensor {
  const bytes = Uint8Array.from(data).buffer; // a copy, aligned for every element type
  if (dtype === "BOOL") return array(new Uint8Array(bytes), { shape, dtype: "bool" });
  if (dtype === "F64") return array(new Float64Array(bytes), { shape });
  const found = DTYPES.find((one) => FORMAT[one] === dtype);
  if (found !== undefined)
    return array(hostArray(found, bytes, bytes.byteLength / itemBytes(found)), { shape, dtype: found });
  throw new SafetensorsError(
    `loadSafetensors: ${file ?? "the file"}: "${name}" is ${dtype}, which has no counterpart here; convert it to F32 or I32 before saving`,
  );
}
