import type { UniformField, UniformLayout } from "./kernel.ts";

/**
 * Bytes of a uniform struct, ready for upload: each value at its field's offset, little-endian, padding zero.
 *
 * @throws Error when a field has no value, a value has no field, or a value does not fit its type.
 * @example
 * const layout = { bytes: 8, fields: [{ name: "n", type: "u32", offset: 0 }, { name: "s", type: "f32", offset: 4 }] };
 * packUniform(layout, { n: 3, s: 0.5 }).byteLength; // 8
 */
export function packUniform(layout: UniformLayout, values: Readonly<Record<string, number>>): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(layout.bytes);
  const view = new DataView(bytes.buffer);
  for (const field of layout.fields) {
    const value = values[field.name];
    if (value === undefined) {
      throw new Error(`packUniform: no value for ${field.name}; got ${list(Object.keys(values))}`);
    }
    write(view, field, value);
  }
  if (Object.keys(values).length !== layout.fields.length) {
    const known = layout.fields.map((field) => field.name);
    const extra = Object.keys(values).filter((name) => !known.includes(name));
    throw new Error(`packUniform: the struct has no field ${list(extra)}; it has ${list(known)}`);
  }
  return bytes;
}

function write(view: DataView, field: UniformField, value: number): void {
  if (field.type === "f32") {
    view.setFloat32(field.offset, value, true);
    return;
  }
  const [low, high] = field.type === "u32" ? [0, 0xffff_ffff] : [-0x8000_0000, 0x7fff_ffff];
  if (!Number.isInteger(value) || value < low || value > high) {
    throw new Error(
      `packUniform: ${field.name} is ${field.type}, got ${value}; it takes whole numbers from ${low} to ${high}`,
    );
  }
  if (field.type === "u32") view.setUint32(field.offset, value, true);
  else view.setInt32(field.offset, value, true);
}

function list(names: readonly string[]): string {
  return names.length === 0 ? "nothing" : names.join(", ");
}
