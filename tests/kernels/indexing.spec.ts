import { useDevice } from "@jnx/testing";
import { describe, expect, test } from "vitest";
import { planGather, planScatter } from "../../packages/kernels-wgsl/src/indexing/plan.ts";
import type { GatherSpec, IndexSpec, ScatterSpec } from "../../packages/kernels-wgsl/src/indexing/plan.ts";
import { compileAll, difference, floats, ints, limits, randoms, runStages } from "./run-stages.ts";
import type { Words } from "./run-stages.ts";

useDevice();

/** The row that JAX's rules give an index, or undefined. */
function rowOf(raw: number, { rows, mode, fromEnd }: IndexSpec): number | undefined {
  const index = fromEnd && raw < 0 ? raw + rows : raw;
  if (mode === "clip") return Math.min(Math.max(index, 0), rows - 1);
  if (mode === "wrap") return ((index % rows) + rows) % rows;
  return index >= 0 && index < rows ? index : undefined;
}

function gathered(table: Words, index: Words, spec: GatherSpec): number[] {
  const { outer, rows, take, inner } = spec;
  return Array.from({ length: outer * take * inner }, (_, at) => {
    const [i, line] = [at % inner, Math.floor(at / inner)];
    const [k, o] = [line % take, Math.floor(line / take)];
    const row = rowOf(index[spec.along ? at : k] ?? 0, spec);
    return row === undefined ? spec.fill : (table[(o * rows + row) * inner + i] ?? NaN);
  });
}

function indices(n: number, rows: number, seed: number): Int32Array {
  const next = randoms(seed);
  return new Int32Array(n).map(() => Math.floor((next() * 1.6 - 0.8) * 2 * (rows + 1)));
}

const base: Omit<GatherSpec, "outer" | "rows" | "take" | "inner"> = {
  dtype: "float32",
  indexDType: "int32",
  along: false,
  mode: "fill",
  fromEnd: true,
  fill: NaN,
  vector: false,
};

const shapes = [
  [1, 10, 7, 4],
  [1, 100, 65, 128],
  [3, 7, 5, 3],
  [2, 1, 9, 12],
  [1, 50, 3000, 1],
  [700, 10, 1, 1],
  [5, 4, 130, 8],
  // Rows enough for one invocation each on software adapters.
  [1, 50, 1100, 8],
  [3, 5, 401, 3],
] as const;

describe("gather", () => {
  test.each(shapes)("%i x %i, take %i, inner %i", async (outer, rows, take, inner) => {
    const next = randoms(7);
    const table = new Float32Array(outer * rows * inner).map(() => next());
    for (const along of [false, true]) {
      const index = indices(along ? outer * take * inner : take, rows, 11);
      for (const mode of ["fill", "clip", "wrap"] as const) {
        for (const fromEnd of [true, false]) {
          const spec = { ...base, outer, rows, take, inner, along, mode, fromEnd, vector: inner % 4 === 0 };
          const y = floats(await runStages(planGather(spec, limits), [table, index], outer * take * inner));
          expect(difference(y, gathered(table, index, spec))).toBeUndefined();
        }
      }
    }
  });

  test("integers, unsigned indices and their fill values", async () => {
    const size = { outer: 1, rows: 3, take: 5, inner: 4 };
    const index = new Uint32Array([2, 0, 2 ** 32 - 1, 3, 1]);
    for (const dtype of ["int32", "uint32", "bool"] as const) {
      const fill = { int32: -(2 ** 31), uint32: 2 ** 32 - 1, bool: 1 }[dtype];
      const spec: GatherSpec = { ...base, ...size, dtype, indexDType: "uint32", fill, vector: true };
      const table = dtype === "int32" ? new Int32Array(12).map((_, i) => i - 6) : new Uint32Array(12).map((_, i) => i);
      const bits = await runStages(planGather(spec, limits), [table, index], 20);
      expect(difference(dtype === "int32" ? ints(bits) : bits, gathered(table, index, spec))).toBeUndefined();
    }
  });

  test("nothing to do, nothing to take from", () => {
    expect(planGather({ ...base, outer: 1, rows: 3, take: 0, inner: 4 }, limits)).toEqual([]);
    expect(() => planGather({ ...base, outer: 1, rows: 0, take: 1, inner: 4, mode: "clip" }, limits)).toThrow(
      "axis of length 0",
    );
    expect(() => planGather({ ...base, outer: 1, rows: 2, take: 1, inner: 3, vector: true }, limits)).toThrow(
      "divisible by 4",
    );
  });

  test("an axis of length 0 reads as fill", async () => {
    const spec = { ...base, outer: 1, rows: 0, take: 2, inner: 2, fill: 7 };
    expect(
      difference(
        floats(await runStages(planGather(spec, limits), [new Float32Array(), new Int32Array(2)], 4)),
        [7, 7, 7, 7],
      ),
    ).toBeUndefined();
  });
});

const merges = {
  add: (a: number, b: number) => Math.fround(a + b),
  mul: (a: number, b: number) => Math.fround(a * b),
  set: (_: number, b: number) => b,
  max: Math.max,
  min: Math.min,
};

function scattered(updates: Words, index: Words, into: Words | undefined, spec: ScatterSpec): number[] {
  const { outer, rows, take, inner } = spec;
  const y = Array.from({ length: outer * rows * inner }, (_, at) => into?.[at] ?? 0);
  for (let o = 0; o < outer; o++) {
    for (let k = 0; k < take; k++) {
      for (let i = 0; i < inner; i++) {
        const from = (o * take + k) * inner + i;
        const row = rowOf(index[spec.along ? from : k] ?? 0, spec);
        if (row === undefined) continue;
        const to = (o * rows + row) * inner + i;
        y[to] = merges[spec.combine](y[to] ?? 0, updates[from] ?? 0);
      }
    }
  }
  return y;
}

const scatterBase: Omit<ScatterSpec, "outer" | "rows" | "take" | "inner"> = { ...base, combine: "add", base: false };

describe("scatter", () => {
  test.each(shapes)("%i x %i, take %i, inner %i", async (outer, rows, take, inner) => {
    const next = randoms(17);
    const updates = new Float32Array(outer * take * inner).map(() => Math.round(next() * 8) - 4);
    const into = new Float32Array(outer * rows * inner).map(() => Math.round(next() * 8) - 4);
    for (const along of [false, true]) {
      const index = indices(along ? outer * take * inner : take, rows, 19);
      for (const mode of ["fill", "clip"] as const) {
        for (const withBase of [false, true]) {
          const spec = {
            ...scatterBase,
            outer,
            rows,
            take,
            inner,
            along,
            mode,
            base: withBase,
            vector: inner % 4 === 0,
          };
          const operands = withBase ? [updates, index, into] : [updates, index];
          const y = floats(await runStages(planScatter(spec, limits), operands, outer * rows * inner));
          expect(difference(y, scattered(updates, index, withBase ? into : undefined, spec))).toBeUndefined();
        }
      }
    }
  });

  test.each(["set", "mul", "max", "min"] as const)("%s", async (combine) => {
    const size = { outer: 2, rows: 5, take: 12, inner: 4 };
    const updates = new Float32Array(96).map((_, i) => ((i * 7) % 11) - 5);
    const into = new Float32Array(40).map((_, i) => (i % 3) - 1);
    const index = indices(12, 5, 23);
    const spec: ScatterSpec = { ...scatterBase, ...size, combine, base: true, vector: true };
    const y = floats(await runStages(planScatter(spec, limits), [updates, index, into], 40));
    expect(
      difference(
        y,
        scattered(updates, index, into, spec).map((value) => value + 0),
      ),
    ).toBeUndefined();
  });

  test.each([
    ["add", 3000, 1500, 8],
    ["set", 3000, 1500, 8],
    ["add", 40, 30_001, 16],
  ] as const)("%s by sorted indices: %i rows, take %i, inner %i", async (combine, rows, take, inner) => {
    const updates = new Float32Array(take * inner).map((_, i) => (i % 13) - 6);
    const index = indices(take, rows, 29);
    const spec: ScatterSpec = { ...scatterBase, outer: 1, rows, take, inner, combine, vector: true };
    const stages = planScatter(spec, limits);
    expect(stages.at(-1)?.kernel.name).toBe("indexing/scatter-sorted");
    const first = await runStages(stages, [updates, index], rows * inner);
    expect(difference(floats(first), scattered(updates, index, undefined, spec))).toBeUndefined();
  });

  test("no updates leave zeros or the base", async () => {
    const spec: ScatterSpec = { ...scatterBase, outer: 1, rows: 2, take: 0, inner: 2, base: true };
    const into = new Float32Array([1, 2, 3, 4]);
    expect(
      difference(
        floats(await runStages(planScatter(spec, limits), [new Float32Array(), new Int32Array(), into], 4)),
        [1, 2, 3, 4],
      ),
    ).toBeUndefined();
  });
});

test("every variant compiles", async () => {
  const stages = (["float32", "int32", "uint32", "bool"] as const).flatMap((dtype) =>
    [false, true].flatMap((along) =>
      [false, true].flatMap((vector) => {
        const size = { outer: 1, rows: 2048, take: 2048, inner: 8, dtype, along, vector };
        const scatters = (["add", "set", "mul", "max", "min"] as const).flatMap((combine) =>
          [size, { ...size, take: 4 }].flatMap((one) => planScatter({ ...scatterBase, ...one, combine }, limits)),
        );
        return [...planGather({ ...base, ...size, fill: 0 }, limits), ...scatters];
      }),
    ),
  );
  // uint32 and bool are one text.
  expect(await compileAll(stages)).toBe(9 + 45 + 30 + 3);
});
