import { ceilDiv, foldGrid, MAX_GROUPS_PER_DIMENSION } from "@jnx/kernels-wgsl";
import { describe, expect, test } from "vitest";

describe("ceilDiv", () => {
  test.each([
    [0, 4, 0],
    [1, 4, 1],
    [4, 4, 1],
    [5, 4, 2],
  ])("%i / %i is %i", (a, b, expected) => {
    expect(ceilDiv(a, b)).toBe(expected);
  });
});

describe("foldGrid", () => {
  test("keeps one dimension up to the limit", () => {
    expect(foldGrid(0)).toEqual([0, 1, 1]);
    expect(foldGrid(65535)).toEqual([65535, 1, 1]);
  });

  test.each([65536, 65537, 100_003, 2 ** 24 + 1, MAX_GROUPS_PER_DIMENSION ** 2])(
    "folds %i with under one row to spare",
    (groups) => {
      const [x, y, z] = foldGrid(groups);
      expect(x * y * z).toBeGreaterThanOrEqual(groups);
      expect(x * y * z - groups).toBeLessThan(x);
      expect(Math.max(x, y, z)).toBeLessThanOrEqual(MAX_GROUPS_PER_DIMENSION);
    },
  );

  test("takes the device's own limit", () => {
    expect(foldGrid(10, 4)).toEqual([4, 3, 1]);
  });

  test("refuses what no grid holds", () => {
    expect(() => foldGrid(17, 4)).toThrow("17 workgroups exceed 4 x 4");
    expect(() => foldGrid(1.5)).toThrow("must be a whole number, got 1.5");
    expect(() => foldGrid(-1)).toThrow("must be a whole number, got -1");
  });
});
