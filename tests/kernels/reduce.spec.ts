import { useDevice } from "@jnx/testing";
import { describe, expect, test } from "vitest";
import { planArgReduce, planReduce } from "../../packages/kernels-wgsl/src/reduce/plan.ts";
import type { ArgReduceSpec, Combine, ReduceDType, ReduceSpec } from "../../packages/kernels-wgsl/src/reduce/plan.ts";
import { compileAll, difference, floats, ints, limits, linkStage, races, randoms, runStages } from "./run-stages.ts";
import type { Words } from "./run-stages.ts";

useDevice();

type Shape = readonly [outer: number, reduce: number, inner: number];

const shapes: readonly Shape[] = [
  [1, 1, 1],
  [3, 5, 1],
  [7, 64, 1],
  [5, 300, 1],
  [300, 260, 1],
  [2, 1028, 1],
  [1, 40_000, 1],
  [1, 70_001, 1],
  [3, 7, 5],
  [2, 65, 12],
  [4, 300, 8],
  [1, 5000, 3],
  [300, 1, 4],
];
/** Lines in float64: what each result is made of. */
function lines(x: Words, [outer, reduce, inner]: Shape): number[][] {
  return Array.from({ length: outer * inner }, (_, at) => {
    const [o, i] = [Math.floor(at / inner), at % inner];
    return Array.from({ length: reduce }, (_, r) => x[(o * reduce + r) * inner + i] ?? 0);
  });
}

function spec([outer, reduce, inner]: Shape, vector = true): Pick<ReduceSpec, "outer" | "reduce" | "inner" | "vector"> {
  return { outer, reduce, inner, vector: vector && (inner === 1 ? reduce : inner) % 4 === 0 };
}

function values([outer, reduce, inner]: Shape, seed = 1): Float32Array {
  const next = randoms(seed);
  return new Float32Array(outer * reduce * inner).map(() => next() * 2 - 1);
}

const name = (shape: Shape): string => shape.join(" x ");
const cheap = { ...limits, cheapBarriers: true };

describe("float sums", () => {
  test.each(shapes.flatMap((shape) => [[name(shape), shape] as const]))("%s", async (_, shape) => {
    const x = values(shape);
    for (const vector of [true, false]) {
      for (const device of [limits, cheap]) {
        const shortLoad = device === limits;
        const stages = planReduce({ combine: "sum", dtype: "float32", ...spec(shape, vector), shortLoad }, device);
        const y = floats(await runStages(stages, [x], shape[0] * shape[2]));
        lines(x, shape).forEach((line, at) => {
          const exact = line.reduce((a, b) => a + b, 0);
          const scale = line.reduce((a, b) => a + Math.abs(b), 0);
          expect(Math.abs((y[at] ?? NaN) - exact)).toBeLessThanOrEqual(scale * 4e-7 + 1e-30);
        });
      }
    }
  });

  test("four loads a turn add in the order of single ones, bit for bit", async () => {
    const shape = [1, 1 << 16, 1] as const;
    const sums = [true, false].map((shortLoad) => {
      const stages = planReduce({ combine: "sum", dtype: "float32", ...spec(shape), shortLoad }, limits);
      expect(stages.flatMap((stage) => (stage.functions ?? []).map((fn) => fn.name)).includes("walk_ones")).toBe(
        !shortLoad,
      );
      return runStages(stages, [values(shape)], 1);
    });
    const [fours, ones] = await Promise.all(sums);
    expect(fours).toEqual(ones);
  });

  test("2^24 ones and a bit: the error does not grow with the length", async () => {
    const n = 2 ** 24;
    const x = new Float32Array(n).map((_, i) => 1 + (i % 7) / 16);
    const exact = x.reduce((a, b) => a + b, 0);
    for (const device of [limits, cheap]) {
      const stages = planReduce({ combine: "sum", dtype: "float32", ...spec([1, n, 1]) }, device);
      expect(stages.length).toBeLessThanOrEqual(3);
      const first = await runStages(stages, [x], 1);
      expect(Math.abs((floats(first)[0] ?? NaN) / exact - 1)).toBeLessThan(1e-6);
      expect(await runStages(stages, [x], 1)).toEqual(first);
    }
  });

  test("more than 65,535 groups fold over y", async () => {
    const outer = 65_536 * 64 + 3;
    const x = new Float32Array(outer * 2).map((_, i) => i % 1000);
    const stages = planReduce({ combine: "sum", dtype: "float32", ...spec([outer, 2, 1], false) }, limits);
    expect(stages[0]?.grid[1]).toBeGreaterThan(1);
    const y = floats(await runStages(stages, [x], outer));
    const wrong = y.findIndex((value, at) => value !== ((2 * at) % 1000) + ((2 * at + 1) % 1000));
    expect(wrong).toBe(-1);
  });
});

const combines: readonly (readonly [Combine, ReduceDType, (a: number, b: number) => number, number])[] = [
  ["sum", "int32", (a, b) => (a + b) | 0, 0],
  ["sum", "uint32", (a, b) => (a + b) >>> 0, 0],
  ["prod", "int32", (a, b) => Math.imul(a, b), 1],
  ["prod", "uint32", (a, b) => Math.imul(a, b) >>> 0, 1],
  ["max", "int32", (a, b) => Math.max(a, b), -(2 ** 31)],
  ["max", "uint32", (a, b) => Math.max(a, b), 0],
  ["min", "int32", (a, b) => Math.min(a, b), 2 ** 31 - 1],
  ["min", "uint32", (a, b) => Math.min(a, b), 2 ** 32 - 1],
  ["max", "float32", (a, b) => Math.max(a, b), -Infinity],
  ["min", "float32", (a, b) => Math.min(a, b), Infinity],
  ["any", "bool", (a, b) => a | b, 0],
  ["all", "bool", (a, b) => a & b, 1],
];

describe("exact combinations", () => {
  test.each(combines)("%s of %s", async (combine, dtype, fold, identity) => {
    const next = randoms(3);
    const odd = combine === "prod" ? 1 : 0;
    for (const shape of [
      [6, 12, 1],
      [2, 600, 1],
      [3, 9, 4],
      [1, 0, 4],
      [2, 0, 1],
    ] as const) {
      const size = shape[0] * shape[1] * shape[2];
      const draw = (): number =>
        dtype === "bool" ? Math.round(next() * 1.4) : Math.floor((next() - 0.5) * 2 ** 32) | odd;
      const array =
        dtype === "float32" ? new Float32Array(size) : dtype === "int32" ? new Int32Array(size) : new Uint32Array(size);
      const x = array.map(draw);
      for (const device of [limits, cheap]) {
        const stages = planReduce({ combine, dtype, ...spec(shape) }, device);
        const bits = await runStages(stages, [x], shape[0] * shape[2]);
        const y = dtype === "float32" ? floats(bits) : dtype === "int32" ? ints(bits) : bits;
        expect(
          difference(
            y,
            lines(x, shape).map((line) => line.reduce(fold, identity)),
          ),
        ).toBeUndefined();
      }
    }
  });

  test("products of floats, and the empty one", async () => {
    const x = new Float32Array([1.5, 2, -3, 0.5]);
    const stages = planReduce({ combine: "prod", dtype: "float32", ...spec([1, 4, 1]) }, limits);
    expect(difference(floats(await runStages(stages, [x], 1)), [-4.5])).toBeUndefined();
    const empty = planReduce({ combine: "prod", dtype: "float32", ...spec([3, 0, 1]) }, limits);
    expect(difference(floats(await runStages(empty, [new Float32Array()], 3)), [1, 1, 1])).toBeUndefined();
  });

  test("refuses any of numbers and sums of booleans", () => {
    const size = { outer: 1, reduce: 4, inner: 1, vector: false };
    expect(() => planReduce({ combine: "any", dtype: "float32", ...size }, limits)).toThrow("any of float32");
    expect(() => planReduce({ combine: "sum", dtype: "bool", ...size }, limits)).toThrow("sum of bool");
    expect(() => planReduce({ combine: "sum", dtype: "int32", ...size, reduce: 3, vector: true }, limits)).toThrow(
      "divisible by 4",
    );
  });
});

describe("NaN and infinity propagate", () => {
  const long = Array.from({ length: 600 }, (_, i) => i % 9);
  const withAt = (at: number, value: number): number[] => long.map((x, i) => (i === at ? value : x));
  test.each([
    ["max", "1 NaN 3 2", NaN, [1, NaN, 3, 2]],
    ["min", "1 NaN 3 2", NaN, [1, NaN, 3, 2]],
    ["max", "NaN 1 1 1", NaN, [NaN, 1, 1, 1]],
    ["max", "-inf -5 -inf -7", -5, [-Infinity, -5, -Infinity, -7]],
    ["max", "1 inf 3 2", Infinity, [1, Infinity, 3, 2]],
    ["min", "1 -inf 3 2", -Infinity, [1, -Infinity, 3, 2]],
    ["max", "four -inf", -Infinity, [-Infinity, -Infinity, -Infinity, -Infinity]],
    ["sum", "1 inf 3 2", Infinity, [1, Infinity, 3, 2]],
    ["sum", "1 NaN 3 2", NaN, [1, NaN, 3, 2]],
    ["prod", "1 NaN 3 2", NaN, [1, NaN, 3, 2]],
    ["max", "600 with a NaN", NaN, withAt(577, NaN)],
    ["min", "600 with a NaN", NaN, withAt(1, NaN)],
    ["sum", "600 with a NaN", NaN, withAt(599, NaN)],
    ["sum", "600 with -inf", -Infinity, withAt(3, -Infinity)],
  ] as const)("%s of %s is %d", async (combine, _, expected, row) => {
    for (const shape of [
      [1, row.length, 1],
      [1, row.length, 4],
    ] as const) {
      const x = new Float32Array(row.length * shape[2]).map((_, i) => row[Math.floor(i / shape[2])] ?? 0);
      for (const device of [limits, cheap]) {
        const stages = planReduce({ combine, dtype: "float32", ...spec(shape) }, device);
        const y = floats(await runStages(stages, [x], shape[2]));
        expect(difference(y, new Array(shape[2]).fill(expected))).toBeUndefined();
      }
    }
  });
});

/** JAX's rule: the first NaN, else the first of the extremes; -0 equals 0. */
function argOf(line: readonly number[], arg: "max" | "min"): number {
  const nan = line.findIndex(Number.isNaN);
  if (nan >= 0) return nan;
  const best = line.reduce((a, b) => (arg === "max" ? Math.max(a, b) : Math.min(a, b)));
  return line.findIndex((x) => x === best);
}

describe("arg reductions", () => {
  test.each(shapes.map((shape) => [name(shape), shape] as const))("%s", async (_, shape) => {
    // Few values, so that most lines have ties.
    const x = values(shape, 5).map((value) => Math.round(value * 6));
    for (const arg of ["max", "min"] as const) {
      for (const vector of [true, false]) {
        const stages = planArgReduce({ arg, dtype: "float32", ...spec(shape, vector) }, limits);
        const y = ints(await runStages(stages, [x], shape[0] * shape[2]));
        expect(
          difference(
            y,
            lines(x, shape).map((line) => argOf(line, arg)),
          ),
        ).toBeUndefined();
      }
    }
  });

  test.each(["float32", "int32", "uint32", "bool"] as const)("%s", async (dtype) => {
    const rows = {
      float32: new Float32Array([-0, 0, -0, 0, 1, NaN, 3, NaN, -Infinity, 5, Infinity, 5, -3, -1, -2, -1]),
      int32: new Int32Array([-5, -1, -7, -1, 2 ** 31 - 1, 0, -(2 ** 31), 3, 0, 0, 0, 0, 9, 8, 7, 6]),
      uint32: new Uint32Array([5, 2 ** 32 - 1, 0, 2 ** 31, 1, 1, 1, 1, 0, 0, 0, 1, 7, 8, 9, 9]),
      bool: new Uint32Array([0, 1, 1, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 0, 0, 1]),
    };
    const x = rows[dtype];
    for (const arg of ["max", "min"] as const) {
      for (const shape of [
        [4, 4, 1],
        [1, 4, 4],
        [1, 16, 1],
      ] as const) {
        const plan: ArgReduceSpec = { arg, dtype, ...spec(shape) };
        const y = ints(await runStages(planArgReduce(plan, limits), [x], shape[0] * shape[2]));
        expect(
          difference(
            y,
            lines(x, shape).map((line) => argOf(line, arg)),
          ),
        ).toBeUndefined();
      }
    }
  });

  test("an empty axis has none", () => {
    const size = { outer: 2, reduce: 0, inner: 1, vector: false };
    expect(() => planArgReduce({ arg: "max", dtype: "float32", ...size }, limits)).toThrow("argmax: the axis is empty");
  });
});

test("row.wgsl has one barrier, and races without it", () => {
  const [stage] = planReduce({ combine: "sum", dtype: "float32", ...spec([8, 512, 1]) }, cheap);
  if (stage?.kernel.name !== "reduce/row") throw new Error("the plan chose another kernel");
  const { code } = linkStage(stage);
  expect(code.match(/workgroupBarrier\(\);/g)).toHaveLength(1);
  expect(races(stage, 8 * 512)).toEqual({ races: [], errors: [] });
  expect(races(stage, 8 * 512, code.replace("workgroupBarrier();", "")).races).not.toEqual([]);
});

test("every variant compiles", async () => {
  const stages = combines
    .concat([
      ["sum", "float32", Math.max, 0],
      ["prod", "float32", Math.max, 0],
    ])
    .flatMap(([combine, dtype]) =>
      (
        [
          [9, 4, 1],
          [2, 800, 1],
          [2, 800, 4],
        ] as const
      ).flatMap((shape) =>
        [true, false].flatMap((vector) =>
          [limits, cheap].flatMap((device) => planReduce({ combine, dtype, ...spec(shape, vector) }, device)),
        ),
      ),
    );
  const args = (["float32", "int32", "uint32", "bool"] as const).flatMap((dtype) =>
    (
      [
        [9, 4, 1],
        [2, 800, 1],
        [2, 800, 4],
      ] as const
    ).flatMap((shape) =>
      [true, false].flatMap((vector) => planArgReduce({ arg: "max", dtype, ...spec(shape, vector) }, limits)),
    ),
  );
  expect(await compileAll([...stages, ...args])).toBeLessThanOrEqual(114);
});
