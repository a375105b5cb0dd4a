import { expectClose, shapedOperands, shapedTensors, useDevice, type ShapedRow } from "@jnx/testing";
import { describe, expect, test } from "vitest";

/** Forward tests of a family's rows, in each of their dtypes. */
export function testForward(family: string, rows: readonly ShapedRow[]): void {
  describe(family, () => {
    useDevice();
    test.each(rows.flatMap((row) => row.dtypes.map((dtype) => [row.label, dtype, row] as const)))(
      "%s, %s",
      async (_label, dtype, row) => {
        const operands = shapedOperands(row, dtype);
        const result = row.run(...shapedTensors(row, dtype, operands));
        const want = row.oracle(...operands);
        expect(result.shape).toEqual(want.shape);
        expect(result.dtype).toBe(row.result(dtype));
        expectClose(await result.data(), want, result.dtype, row.tolerance);
      },
    );
  });
}
