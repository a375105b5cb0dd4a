/** The dtypes whose elements are four bytes; bool is u32 0 or 1. */
export type ScalarDType = "float32" | "int32" | "uint32" | "bool";

const SCALARS = { float32: "f32", int32: "i32", uint32: "u32", bool: "u32" } as const;
const VECTORS = { float32: "vec4f", int32: "vec4i", uint32: "vec4u", bool: "vec4u" } as const;

/** The WGSL type of `width` neighbouring elements. */
export function wgslType(dtype: ScalarDType, width: 1 | 4): string {
  return width === 4 ? VECTORS[dtype] : SCALARS[dtype];
}

/** A number's bits as the dtype stores it, for a u32 field of a uniform. */
export function bitsOf(value: number, dtype: ScalarDType): number {
  const view = new DataView(new ArrayBuffer(4));
  if (dtype === "float32") view.setFloat32(0, value);
  else view.setInt32(0, value);
  return view.getUint32(0);
}
