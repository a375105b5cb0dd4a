import { packUniform } from "@jnx/kernels-wgsl";
import type { UniformLayout } from "@jnx/kernels-wgsl";
import { describe, expect, test } from "vitest";

const layout: UniformLayout = {
  bytes: 16,
  fields: [
    { name: "n", type: "u32", offset: 0 },
    { name: "shift", type: "i32", offset: 4 },
    { name: "scale", type: "f32", offset: 12 },
  ],
};

describe("packUniform", () => {
  test("puts each value at its offset, little-endian, padding zero", () => {
    const bytes = packUniform(layout, { n: 0xffff_fffe, shift: -2, scale: 1 });
    expect([...bytes]).toEqual([0xfe, 0xff, 0xff, 0xff, 0xfe, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0x80, 0x3f]);
  });

  test("carries NaN and infinity in f32", () => {
    const view = new DataView(packUniform(layout, { n: 0, shift: 0, scale: NaN }).buffer);
    expect(view.getFloat32(12, true)).toBeNaN();
  });

  test("refuses a missing and an unknown field", () => {
    expect(() => packUniform(layout, { n: 1, shift: 0 })).toThrow("no value for scale; got n, shift");
    expect(() => packUniform(layout, { n: 1, shift: 0, scale: 1, m: 2 })).toThrow(
      "has no field m; it has n, shift, scale",
    );
  });

  test.each([-1, 1.5, 2 ** 32, NaN])("refuses %s as u32", (n) => {
    expect(() => packUniform(layout, { n, shift: 0, scale: 1 })).toThrow("packUniform: n is u32");
  });
});
