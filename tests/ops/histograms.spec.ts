/** What rows and goldens of histograms of points, trimZeros and maskIndices leave out: the ends of the domain, and mistakes. */
import { add, array, histogram2d, histogramdd, maskIndices, ones, trimZeros, triu, zeros } from "@jnx/tensor";
import { useDevice } from "@jnx/testing";
import { describe, expect, it } from "vitest";

useDevice();

describe("histograms of points", () => {
  it("leave out NaN and what lies outside, and count the last edge", async () => {
    const points = array([
      [Number.NaN, 0.5],
      [0.5, Infinity],
      [-Infinity, 0.5],
      [1, 1],
      [0, 0],
      [1.0001, 0.5],
    ]);
    const [counts] = histogramdd(points, { bins: [array([0, 0.5, 1]), array([0, 1])] });
    expect(await counts.toArray()).toEqual([[1], [1]]);
  });

  it("count nothing where there is nothing", async () => {
    const [counts, x, y] = histogram2d(zeros([0]), zeros([0]), {
      bins: 2,
      range: [
        [0, 1],
        [0, 4],
      ],
    });
    expect(await counts.toArray()).toEqual([
      [0, 0],
      [0, 0],
    ]);
    expect(await x.toArray()).toEqual([0, 0.5, 1]);
    expect(await y.toArray()).toEqual([0, 2, 4]);
  });

  it("name their mistakes", () => {
    expect(() => histogramdd(ones([3]))).toThrow(/histogramdd: takes points \[n, d\], received shape \[3\]/);
    expect(() => histogramdd(ones([3, 2]), { bins: [3] })).toThrow(/bins for 1 coordinates, the points have 2/);
    expect(() => histogramdd(ones([3, 2]), { range: [null] })).toThrow(/range for 1 coordinates, the points have 2/);
    expect(() => histogramdd(ones([3, 2]), { weights: ones([2]) })).toThrow(/weights of shape \[2\] for 3 points/);
    expect(() => histogramdd(ones([3, 0]))).toThrow(/points of no coordinates/);
    expect(() => histogram2d(ones([3]), ones([2]))).toThrow(/vectors of one length, received shapes \[3\] and \[2\]/);
    expect(() => histogram2d(ones([3]), ones([3]), { bins: 0 })).toThrow(/0 bins; a whole number ≥ 1/);
  });
});

describe("trimZeros", () => {
  const row = [0, 0, 1, 0, 2, 0];
  it.each([
    ["fb", [1, 0, 2]],
    ["f", [1, 0, 2, 0]],
    ["B", [0, 0, 1, 0, 2]],
    ["", row],
  ])("cuts %s", async (trim, wanted) => {
    expect(await trimZeros(array(row), { trim }).toArray()).toEqual(wanted);
  });

  it("cuts along axes", async () => {
    const x = array([
      [0, 0, 0],
      [0, 3, 0],
      [0, Number.NaN, 0],
    ]);
    expect(await trimZeros(x).toArray()).toEqual([[3], [Number.NaN]]);
    expect(await trimZeros(x, { axis: -1, trim: "f" }).toArray()).toEqual([
      [0, 0],
      [3, 0],
      [Number.NaN, 0],
    ]);
    expect(trimZeros(zeros([2, 3]), { axis: 1 }).shape).toEqual([2, 0]);
    expect(trimZeros(zeros([0])).shape).toEqual([0]);
  });

  it("names its mistakes", () => {
    expect(() => trimZeros(array([1]), { trim: "x" })).toThrow(/made of "f" and "b", received "x"/);
    expect(() => trimZeros(add(array([1, 2]), array([2, 1])))).toThrow(/the values are on the device/);
    expect(() => trimZeros(array([1]), { axis: 1 })).toThrow(/trimZeros/);
  });
});

describe("maskIndices", () => {
  it("fills what is missing with zeros", async () => {
    const [rows, columns] = maskIndices(2, triu, 1, { size: 2 });
    expect(await rows.toArray()).toEqual([0, 0]);
    expect(await columns.toArray()).toEqual([1, 0]);
  });

  it("names its mistakes", () => {
    expect(() => maskIndices(2, triu)).toThrow(/say how many to give with \{ size \}/);
    expect(() => maskIndices(2, () => array([1, 0]), 0, { size: 1 })).toThrow(/the mask has one axis/);
  });
});
