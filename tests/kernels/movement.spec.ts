import { useDevice } from "@jnx/testing";
import { describe, expect, test } from "vitest";
import { boxOf } from "../../packages/kernels-wgsl/src/movement/box.ts";
import { paddedExtent, planCopy, planPad, planSort } from "../../packages/kernels-wgsl/src/movement/plan.ts";
import type { CopySpec, PadSpec } from "../../packages/kernels-wgsl/src/movement/plan.ts";
import { planPlace } from "../../packages/kernels-wgsl/src/movement/place.ts";
import { compileAll, difference, floats, ints, limits, randoms, runStages } from "./run-stages.ts";

useDevice();

/** Every position of a shape, row-major. */
function positions(shape: readonly number[]): number[][] {
  let all: number[][] = [[]];
  for (const extent of shape) all = all.flatMap((head) => Array.from({ length: extent }, (_, i) => [...head, i]));
  return all;
}

const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, x, k) => sum + x * (b[k] ?? 0), 0);

function copied({ shape, strides, offset }: CopySpec): number[] {
  return positions(shape).map((position) => offset + dot(position, strides));
}

async function checkCopy(spec: CopySpec, size: number): Promise<string> {
  const x = new Float32Array(size).map((_, i) => i);
  const expected = copied(spec);
  const stages = planCopy(spec, limits);
  expect(difference(floats(await runStages(stages, [x], expected.length)), expected)).toBeUndefined();
  return stages.map((stage) => `${stage.kernel.name} ${stage.loadWidth ?? 0}-${stage.storeWidth}`).join();
}

const view = { dtype: "float32", vector: true, offset: 0 } as const;

describe("copy", () => {
  test.each([
    ["a contiguous one", { shape: [6, 20], strides: [20, 1] }, 120, "movement/copy 4-4"],
    ["a scalar", { shape: [], strides: [], offset: 3 }, 4, "movement/copy 1-1"],
    ["a broadcast row", { shape: [5, 8], strides: [0, 1] }, 8, "movement/copy 4-4"],
    ["a broadcast column", { shape: [5, 8], strides: [1, 0] }, 5, "movement/copy 1-4"],
    ["every second, backwards", { shape: [9], strides: [-2], offset: 17 }, 18, "movement/copy 1-1"],
    ["rows backwards", { shape: [4, 8], strides: [-8, 1], offset: 24 }, 32, "movement/copy 4-4"],
    ["a slice off the grid", { shape: [3, 8], strides: [12, 1], offset: 2 }, 40, "movement/copy 1-4"],
    ["a swap of two", { shape: [12, 20], strides: [1, 12] }, 240, "movement/transpose 4-4"],
    ["a batched swap", { shape: [3, 68, 140], strides: [68 * 140, 1, 68] }, 3 * 68 * 140, "movement/transpose 4-4"],
    ["a ragged swap", { shape: [13, 21], strides: [1, 13] }, 273, "movement/copy 1-1"],
    ["NHWC to NCHW", { shape: [2, 6, 5, 4], strides: [120, 1, 24, 6] }, 240, "movement/copy 1-4"],
    ["six axes", { shape: [2, 3, 2, 3, 2, 5], strides: [1, 4, 2, 120, 60, 12] }, 400, "movement/copy 1-1"],
    [
      "eight axes",
      { shape: [2, 2, 2, 2, 2, 2, 2, 4], strides: [1, 2, 4, 8, 16, 32, 64, 128] },
      512,
      "movement/copy 1-4",
    ],
    ["a thousand of two", { shape: [1000, 2], strides: [1, 1000] }, 2000, "movement/copy 1-1"],
  ] as const)("%s", async (_, part, size, kernels) => {
    expect(await checkCopy({ ...view, ...part }, size)).toBe(kernels);
    await checkCopy({ ...view, ...part, vector: false }, size);
  });

  test("integers and their bits", async () => {
    const x = new Int32Array([0x7fc0_0001, -1, -(2 ** 31), 5, 6, 7, 8, 9]);
    const spec: CopySpec = { ...view, dtype: "int32", shape: [4, 2], strides: [1, 4] };
    expect(
      difference(ints(await runStages(planCopy(spec, limits), [x], 8)), [0x7fc0_0001, 6, -1, 7, -(2 ** 31), 8, 5, 9]),
    ).toBeUndefined();
  });

  test("2^23 elements, one axis and two", async () => {
    const n = 2 ** 23;
    const x = new Uint32Array(2 * n).map((_, i) => i);
    for (const spec of [
      { ...view, dtype: "uint32", shape: [n], strides: [2] },
      { ...view, dtype: "uint32", shape: [n / 2, 2], strides: [1, n / 2] },
      { ...view, dtype: "uint32", shape: [2, n / 2 - 1], strides: [n, 1], offset: 1, vector: false },
    ] as const) {
      const y = await runStages(
        planCopy(spec, limits),
        [x],
        spec.shape.reduce((a, b) => a * (b ?? 1), 1),
      );
      const [, cols] = spec.shape;
      const [s0, s1] = spec.strides;
      const at = (i: number): number =>
        cols === undefined ? i * s0 : spec.offset + Math.floor(i / cols) * s0 + (i % cols) * (s1 ?? 0);
      expect(y.findIndex((value, i) => value !== at(i))).toBe(-1);
    }
  });

  test("nothing, and too many axes", () => {
    expect(planCopy({ ...view, shape: [3, 0], strides: [1, 3] }, limits)).toEqual([]);
    const nine = new Array(9).fill(2);
    expect(() => planCopy({ ...view, shape: nine, strides: nine.map((_, k) => 2 ** k) }, limits)).toThrow(
      "over 8 axes",
    );
  });
});

function padded({ shape, padding, value }: PadSpec): { expected: number[]; shape: number[] } {
  const out = shape.map((n, k) =>
    paddedExtent(n, padding[k]?.low ?? 0, padding[k]?.high ?? 0, padding[k]?.interior ?? 0),
  );
  const strides = shape.map((_, k) => shape.slice(k + 1).reduce((a, b) => a * b, 1));
  const expected = positions(out).map((position) => {
    const from = position.map((c, k) => (c - (padding[k]?.low ?? 0)) / ((padding[k]?.interior ?? 0) + 1));
    const inside = from.every((c, k) => Number.isInteger(c) && c >= 0 && c < (shape[k] ?? 0));
    return inside ? dot(from, strides) + 1 : value;
  });
  return { expected, shape: out };
}

const edges = (low: number, high: number, interior = 0) => ({ low, high, interior });

describe("pad", () => {
  test.each([
    ["one axis", [5], [edges(2, 3)]],
    ["inside, before and cropped", [4], [edges(1, -1, 2)]],
    ["cropped at both ends", [9], [edges(-2, -3)]],
    ["an empty one", [0], [edges(3, 1, 4)]],
    ["a convolution's", [2, 5, 6, 4], [edges(0, 0), edges(1, 1), edges(2, 0), edges(0, 0)]],
    ["vec4 along the last", [3, 8], [edges(1, 0), edges(4, 8)]],
    ["not quite vec4", [3, 8], [edges(0, 2), edges(4, 7)]],
    ["a dilated image", [2, 4, 3, 3], [edges(0, 0), edges(1, 2, 1), edges(0, 1, 2), edges(0, 0)]],
    ["interior of a unit axis", [1, 3], [edges(1, 1, 5), edges(0, 0, 1)]],
    ["eight axes", [2, 1, 2, 3, 1, 2, 2, 3], Array.from({ length: 8 }, (_, k) => edges(k % 2, 1, k % 3))],
  ] as const)("%s", async (_, shape, padding) => {
    const size = shape.reduce<number>((a, b) => a * b, 1);
    const x = new Float32Array(size).map((_, i) => i + 1);
    for (const vector of [true, false]) {
      const spec: PadSpec = { dtype: "float32", shape, padding, value: -7.5, vector };
      const { expected } = padded(spec);
      expect(
        difference(floats(await runStages(planPad(spec, limits), [x], expected.length)), expected),
      ).toBeUndefined();
    }
  });

  test("values that only bits can carry", async () => {
    const spec = { shape: [1], padding: [edges(1, 0)], vector: false };
    const nan = planPad({ ...spec, dtype: "float32", value: NaN }, limits);
    expect(difference(floats(await runStages(nan, [new Float32Array([2])], 2)), [NaN, 2])).toBeUndefined();
    const infinite = planPad({ ...spec, dtype: "float32", value: -Infinity }, limits);
    expect(difference(floats(await runStages(infinite, [new Float32Array([2])], 2)), [-Infinity, 2])).toBeUndefined();
    const least = planPad({ ...spec, dtype: "int32", value: -(2 ** 31) }, limits);
    expect(difference(ints(await runStages(least, [new Int32Array([2])], 2)), [-(2 ** 31), 2])).toBeUndefined();
  });

  test("cropped to nothing", () => {
    expect(
      planPad({ dtype: "float32", shape: [3], padding: [edges(-2, -2)], value: 0, vector: false }, limits),
    ).toEqual([]);
  });
});

describe("sort", () => {
  test.each([
    [1, 1],
    [1, 2],
    [3, 15],
    [5, 16],
    [2, 17],
    [4, 100],
    [1, 1000],
    [1, 70_000],
  ])("%i rows of %i", async (rows, n) => {
    const next = randoms(rows * n);
    // Many equal keys, so that stability shows, and the largest key, so that padding does.
    const keys = new Uint32Array(rows * n).map(() => (next() < 0.1 ? 0xffff_ffff : Math.floor(next() * n) * 40_503));
    const order = Array.from({ length: rows }, (_, r) =>
      Array.from({ length: n }, (_, c) => c).sort((a, b) => (keys[r * n + a] ?? 0) - (keys[r * n + b] ?? 0) || a - b),
    );
    const spec = { rows, n, key: "uint32", dtype: "uint32" } as const;
    const found = await runStages(planSort({ ...spec, result: "positions" }, limits), [keys], rows * n);
    expect(difference(found, order.flat())).toBeUndefined();
    const sorted = await runStages(planSort({ ...spec, result: "keys" }, limits), [keys], rows * n);
    expect(
      difference(
        sorted,
        order.flatMap((row, r) => row.map((c) => keys[r * n + c] ?? 0)),
      ),
    ).toBeUndefined();
  });

  test("floats as JAX orders them", async () => {
    const x = new Float32Array([3, NaN, -0, 0, -Infinity, Infinity, -2, 1e-40, -NaN, 0, -0, 3]);
    const spec = { rows: 1, n: 12, key: "float32", dtype: "int32", result: "positions" } as const;
    const order = ints(await runStages(planSort(spec, limits), [x], 12));
    expect(difference(order, [4, 6, 2, 3, 9, 10, 7, 0, 11, 5, 1, 8])).toBeUndefined();
  });

  test("signed integers", async () => {
    const x = new Int32Array([5, -1, 2 ** 31 - 1, -(2 ** 31), 0]);
    const spec = { rows: 1, n: 5, key: "int32", dtype: "int32", result: "positions" } as const;
    expect(difference(ints(await runStages(planSort(spec, limits), [x], 5)), [3, 1, 4, 0, 2])).toBeUndefined();
  });

  test("nothing, and keys that are not kept", () => {
    expect(planSort({ rows: 1, n: 0, key: "uint32", dtype: "uint32", result: "keys" }, limits)).toEqual([]);
    expect(() => planSort({ rows: 1, n: 3, key: "float32", dtype: "uint32", result: "keys" }, limits)).toThrow(
      "not given back",
    );
  });
});

describe("place", () => {
  const spec = { dtype: "float32", rows: 3, length: 5, offset: 2, pitch: 9, vector: true } as const;

  test.each([
    ["some columns of each row", spec],
    ["vec4", { ...spec, length: 8, offset: 4, pitch: 16 }],
    ["a single row", { ...spec, rows: 1, length: 1000, offset: 8, pitch: 1008 }],
    ["many short rows", { ...spec, rows: 300_000, length: 2, offset: 1, pitch: 3 }],
  ])("%s", async (_, one) => {
    const { rows, length, offset, pitch } = one;
    const x = new Float32Array(rows * length).map((_, i) => i + 1);
    const y = floats(await runStages(planPlace(one, limits), [x], rows * pitch));
    const wrong = y.findIndex((value, i) => {
      const column = (i % pitch) - offset;
      return column >= 0 && column < length && value !== Math.floor(i / pitch) * length + column + 1;
    });
    expect(wrong).toBe(-1);
  });

  test("nothing", () => {
    expect(planPlace({ ...spec, length: 0 }, limits)).toEqual([]);
  });
});

test("every variant compiles", async () => {
  const stages = (["float32", "int32", "uint32", "bool"] as const).flatMap((dtype) => [
    ...(
      [
        [1, 8],
        [8, 1],
        [2, 16],
      ] as const
    ).flatMap((strides) =>
      [true, false].flatMap((vector) => planCopy({ dtype, shape: [8, 8], strides, offset: 0, vector }, limits)),
    ),
    ...planCopy({ dtype, shape: [4, 8], strides: [16, 1], offset: 0, vector: true }, limits),
    ...[true, false].flatMap((vector) =>
      planPad({ dtype, shape: [4], padding: [edges(4, 4)], value: 0, vector }, limits),
    ),
    ...[true, false].flatMap((vector) => planPlace({ dtype, rows: 2, length: 4, offset: 0, pitch: 4, vector }, limits)),
  ]);
  const sorts = (["float32", "int32", "uint32"] as const).flatMap((key) =>
    (["int32", "uint32"] as const).flatMap((dtype) =>
      planSort({ rows: 1, n: 20, key, dtype, result: "positions" }, limits),
    ),
  );
  expect(await compileAll([...stages, ...sorts])).toBe(3 * (4 + 2 + 2) + 6 + 2 + 2);
});

describe("boxOf", () => {
  test.each([
    [1, 1, 1],
    [32, 4096, 1],
    [1, 1, 1_000_000],
    [3, 5_000_000, 1],
    [1, 1, 100_000_000],
    [4_000_000, 1, 2],
    [7, 9, 11],
  ])("%i x %i x %i is covered within the limits", (nx, ny, nz) => {
    const { grid, params } = boxOf("test", nx, ny, nz, limits);
    const { xBits, yBits, yStep, zStep } = params;
    expect(Math.max(...grid)).toBeLessThanOrEqual(65535);
    expect(xBits + yBits).toBeLessThanOrEqual(6);
    expect(grid[0] * 2 ** xBits).toBeGreaterThanOrEqual(nx);
    expect(yStep > 0 !== zStep > 0).toBe(true);
    if (zStep === 0) expect(grid[2] * 2 ** (6 - xBits - yBits)).toBeGreaterThanOrEqual(nz);
    else expect(grid[1] * 2 ** yBits).toBeGreaterThanOrEqual(ny);
  });

  test("refuses what no grid covers", () => {
    expect(() => boxOf("gather", 2 ** 23, 1, 1, limits)).toThrow("gather: a result of [1, 1, 8388608]");
  });
});
