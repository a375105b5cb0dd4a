import { useDevice } from "@jnx/testing";
import { packUniform, planMatmul } from "@jnx/kernels-wgsl";
import type { MatmulOperand, MatmulSpec, PlanLimits } from "@jnx/kernels-wgsl";
import { executor } from "@jnx/tensor";
import type { DeviceBuffer } from "@jnx/tensor/internal";
import { describe, expect, test } from "vitest";
import { floats, ints, limits, linkStage, randoms } from "./run-stages.ts";
import type { Words } from "./run-stages.ts";

useDevice();

/** Words past the result that no kernel may touch; the result holds the same NaN until it is written. */
const GUARD = 8;
const UNTOUCHED = 0x7fc0dead;

interface Layout {
  readonly form?: string;
  readonly batch?: readonly number[];
  /** Which batch axes an operand has only once. */
  readonly broadcast?: { readonly a?: readonly number[]; readonly b?: readonly number[] };
  readonly offset?: number;
  /** Scalars between rows that belong to nothing. */
  readonly gap?: number;
  readonly dtype?: MatmulSpec["dtype"];
}

/** A product of operands that lie as `layout` says, and how many scalars their buffers hold. */
function product(m: number, k: number, n: number, layout: Layout = {}): { spec: MatmulSpec; sizes: [number, number] } {
  const { form = "NN", batch = [], broadcast = {}, offset = 0, gap = 0, dtype = "float32" } = layout;
  const operand = (
    trans: boolean,
    rows: number,
    columns: number,
    once: readonly number[] = [],
  ): [MatmulOperand, number] => {
    const [down, across] = trans ? [columns, rows] : [rows, columns];
    const rowStride = across + gap;
    let size = down * rowStride;
    const batchStrides = batch.map(() => 0);
    for (let axis = batch.length - 1; axis >= 0; axis--) {
      if (once.includes(axis)) continue;
      batchStrides[axis] = size;
      size *= batch[axis] ?? 1;
    }
    return [{ trans, rowStride, batchStrides, offset }, size + offset];
  };
  const [a, aSize] = operand(form.startsWith("T"), m, k, broadcast.a);
  const [b, bSize] = operand(form.endsWith("T"), k, n, broadcast.b);
  return { spec: { m, n, k, batch, a, b, dtype }, sizes: [aSize, bSize] };
}

/** Where element (row, column) of matrix z lies. */
function place(operand: MatmulOperand, batch: readonly number[], z: number, row: number, column: number): number {
  let at = operand.offset + (operand.trans ? column * operand.rowStride + row : row * operand.rowStride + column);
  let rest = z;
  for (let axis = batch.length - 1; axis >= 0; axis--) {
    const extent = batch[axis] ?? 1;
    at += (rest % extent) * (operand.batchStrides[axis] ?? 0);
    rest = Math.floor(rest / extent);
  }
  return at;
}

interface Expected {
  readonly value: number;
  /** Sum of magnitudes: what rounding errors are measured by. */
  readonly scale: number;
}

/** One element of the result in float64, or exactly for integers. */
function oracle(
  { k, batch, a, b, dtype }: MatmulSpec,
  x: Words,
  y: Words,
  z: number,
  row: number,
  column: number,
): Expected {
  let [value, scale] = [0, 0];
  for (let i = 0; i < k; i++) {
    const p = x[place(a, batch, z, row, i)] ?? Number.NaN;
    const q = y[place(b, batch, z, i, column)] ?? Number.NaN;
    value = dtype === "float32" ? value + p * q : (value + Math.imul(p, q)) | 0;
    scale += Math.abs(p * q);
  }
  return { value: dtype === "uint32" ? value >>> 0 : value, scale };
}

/** Runs the product's stages with the kernels' own hooks: the result's bits, and the names of the kernels. */
async function run(spec: MatmulSpec, x: Words, y: Words, device: PlanLimits): Promise<[Uint32Array, string[]]> {
  const queue = executor();
  const all: DeviceBuffer[] = [];
  const buffer = (data: Words): DeviceBuffer => {
    const made = queue.allocate(Math.max(4, data.length) * 4, "matmul");
    all.push(made);
    if (data.length > 0) queue.write(made, data);
    return made;
  };
  const elements = spec.batch.reduce((total, extent) => total * extent, spec.m * spec.n) + GUARD;
  const result = buffer(new Uint32Array(elements).fill(UNTOUCHED));
  const inputs = [buffer(x), buffer(y)];
  const workspaces: DeviceBuffer[] = [];
  const stages = planMatmul(spec, device);
  for (const stage of stages) {
    const kernel = linkStage(stage);
    const goal =
      stage.writes === "results" ? result : buffer(new Uint32Array(stage.workspaceElements + GUARD).fill(UNTOUCHED));
    const layout = kernel.bindings[0]?.layout;
    if (layout === undefined) throw new Error(`${kernel.name}: no uniform`);
    const uniforms = [packUniform(layout, stage.params)];
    const whole = stage.reads === "operands" ? [0, 1] : [];
    const own = (stage.operands ?? whole).flatMap((operand) => inputs[operand] ?? []);
    const buffers = [...(stage.reads === "workspace" ? workspaces.splice(0) : []), ...own, goal];
    queue.run({ label: kernel.name, kernel, buffers, uniforms, grid: stage.grid });
    if (stage.writes === "workspace") workspaces.push(goal);
  }
  const bits = new Uint32Array(await queue.read(result, elements * 4));
  all.forEach((one) => queue.release(one));
  return [bits, stages.map(({ kernel }) => kernel.name.slice("matmul/".length))];
}

function operands({ dtype }: MatmulSpec, [a, b]: readonly [number, number], seed: number): [Words, Words] {
  const next = randoms(seed);
  const fill = (size: number): Words => {
    if (dtype === "float32") return new Float32Array(size).map(() => next() * 2 - 1);
    const whole = new Int32Array(size).map(() => Math.floor((next() - 0.5) * 2 ** 32));
    return dtype === "int32" ? whole : new Uint32Array(whole.buffer);
  };
  return [fill(a), fill(b)];
}

function typed(bits: Uint32Array, dtype: MatmulSpec["dtype"]): Words {
  return dtype === "float32" ? floats(bits) : dtype === "int32" ? ints(bits) : bits;
}

/** The first element that is not the float64 loops' (or past the end and written), in words; and the kernels that ran. */
async function check(
  m: number,
  k: number,
  n: number,
  layout: Layout = {},
  device = limits,
): Promise<[string | undefined, string]> {
  const { spec, sizes } = product(m, k, n, layout);
  const [x, y] = operands(spec, sizes, m + 3 * k + 7 * n);
  const [bits, names] = await run(spec, x, y, device);
  const result = typed(bits, spec.dtype);
  const elements = bits.length - GUARD;
  // Of long results every 37th, which is prime to all tiles.
  const step = elements * k > 2 ** 22 ? 37 : 1;
  const tolerance = spec.dtype === "float32" ? 2e-6 : 0;
  for (let at = 0; at < elements; at += step) {
    const line = Math.floor(at / n);
    const { value, scale } = oracle(spec, x, y, Math.floor(line / m), line % m, at % n);
    const got = result[at] ?? Number.NaN;
    if (!(Math.abs(got - value) <= scale * tolerance)) return [`${got} instead of ${value} at ${at}`, names.join()];
  }
  const touched = bits.subarray(elements).findIndex((word) => word !== UNTOUCHED);
  return [touched < 0 ? undefined : `word ${touched} past the end is written`, names.join()];
}

describe("planMatmul's stages give the products of float64 loops", () => {
  test.each<[string, string, number, number, number, Layout]>([
    ["a scalar", "naive", 1, 1, 1, {}],
    ["ragged and small", "naive", 5, 7, 3, {}],
    ["transposed, with gaps and an offset", "naive", 9, 33, 6, { form: "TT", gap: 3, offset: 5 }],
    ["whole tiles", "register", 64, 96, 64, {}],
    ["ragged rows", "register", 77, 131, 68, {}],
    ["ragged columns", "register", 68, 131, 77, {}],
    ["TN in vec4s", "register", 72, 131, 76, { form: "TN", gap: 4, offset: 8 }],
    ["NT, ragged", "register", 71, 60, 75, { form: "NT", gap: 1, offset: 3 }],
    ["TT, ragged", "register", 67, 65, 73, { form: "TT" }],
    ["rows just past a tile", "register", 257, 40, 36, {}],
    ["one tile wide", "register", 600, 40, 8, {}],
    ["two tiles tall", "register", 13, 60, 301, {}],
    ["large, a's rows packed", "pack,tall", 264, 1028, 260, {}],
    ["large, both packed", "pack,pack,tall", 264, 1028, 264, { form: "NT" }],
    ["large, as they lie", "tall", 260, 1028, 260, { form: "TN" }],
    ["large, with gaps", "pack,tall", 264, 1028, 260, { gap: 4, offset: 8 }],
    ["large, rows that no panels hold", "register", 259, 1030, 260, {}],
    ["large, columns that no panels hold", "pack,register", 264, 1030, 259, {}],
    ["few results, long k", "register,parts", 16, 4099, 16, {}],
    ["the same, ragged", "register,parts", 13, 4099, 15, { form: "NT" }],
    ["matrix * vector", "dot,parts", 301, 1028, 1, {}],
    ["matrix * column of a matrix", "dot,parts", 301, 1028, 1, { gap: 4 }],
    ["the same with a ragged k", "dot,parts", 301, 1027, 1, {}],
    ["matrix * three columns", "dot,parts", 259, 516, 3, { offset: 4 }],
    ["vector * matrix^T", "dot,parts", 1, 1028, 302, { form: "NT" }],
    ["vector * matrix", "vector", 1, 260, 1028, {}],
    ["the same, ragged", "vector", 1, 259, 1027, { offset: 1 }],
    ["matrix^T * two columns", "vector", 1030, 131, 2, { form: "TN" }],
    ["few columns, long k", "vector,parts", 3, 20_003, 12, {}],
  ])("%s: %s", async (_, kernels, m, k, n, layout) => {
    expect(await check(m, k, n, layout)).toEqual([undefined, kernels]);
  });

  test.each<[string, number, number, number, Layout]>([
    ["one axis", 40, 44, 36, { batch: [5] }],
    ["b for all", 40, 44, 36, { batch: [5], broadcast: { b: [0] } }],
    ["a for all, transposed", 40, 44, 36, { form: "TN", batch: [5], broadcast: { a: [0] } }],
    ["two axes, each operand once on one", 35, 41, 33, { batch: [3, 2], broadcast: { a: [1], b: [0] } }],
    ["three axes that do not join", 9, 21, 10, { batch: [2, 3, 4], broadcast: { a: [1], b: [0, 2] } }],
    ["three axes, in tiles", 20, 21, 22, { batch: [2, 3, 4], broadcast: { a: [1], b: [0, 2] } }],
    ["three axes, in tiles, the other way", 20, 21, 22, { batch: [2, 3, 4], broadcast: { a: [0, 2], b: [1] } }],
    ["three axes, thin", 1, 300, 130, { batch: [2, 3, 2], broadcast: { a: [1], b: [0, 2] } }],
    ["three axes, thin, the other way", 1, 300, 130, { batch: [2, 3, 2], broadcast: { a: [0, 2], b: [1] } }],
    ["three axes, thin, along k", 130, 300, 2, { batch: [2, 3, 2], broadcast: { a: [1], b: [0, 2] } }],
    ["three axes, thin, along k, the other way", 130, 300, 2, { batch: [2, 3, 2], broadcast: { a: [0, 2], b: [1] } }],
    ["thin", 1, 300, 130, { batch: [2, 3], broadcast: { b: [1] } }],
    ["thin, along k", 130, 300, 2, { batch: [2, 3], broadcast: { a: [0] } }],
    ["long k", 8, 5000, 8, { batch: [3], broadcast: { b: [0] } }],
    ["large, a packed once for all", 256, 520, 264, { batch: [2], broadcast: { a: [0] } }],
    ["large, b packed once for all", 256, 520, 264, { form: "NT", batch: [2], broadcast: { b: [0] } }],
    ["large, two axes", 256, 260, 264, { batch: [2, 2], broadcast: { a: [1], b: [0] } }],
  ])("batches: %s", async (_, m, k, n, layout) => {
    expect((await check(m, k, n, layout))[0]).toBeUndefined();
  });

  test.each([
    ["int32", 6, 7, 5],
    ["int32", 70, 130, 68],
    ["int32", 264, 1028, 260],
    ["uint32", 130, 600, 1],
  ] as const)("%s wraps: %i x %i x %i", async (dtype, m, k, n) => {
    expect((await check(m, k, n, { dtype }))[0]).toBeUndefined();
  });

  test.each([
    [3, 5],
    [400, 800],
    [1, 1000],
  ])("K = 0 gives zeros, %i x %i", async (m, n) => {
    expect((await check(m, 0, n))[0]).toBeUndefined();
  });

  test.each<[string, string, number, number, number, Layout]>([
    ["rows of a where they lie", "pack,tile", 37, 60, 76, {}],
    ["columns of a packed", "pack,pack,tile", 37, 60, 76, { form: "TN" }],
    ["columns of a where they lie", "pack,tile", 40, 90, 60, { form: "TT", gap: 3, offset: 1 }],
    ["little of it", "naive", 16, 32, 32, {}],
    ["a little more, ragged", "pack,tile", 33, 60, 10, {}],
    ["nothing packed", "tile", 20, 90, 84, { gap: 4, offset: 8 }],
    ["strips of b, the last one ragged", "pack,tile", 37, 520, 290, { form: "NT" }],
    ["the same in batches", "pack,pack,tile", 33, 516, 292, { form: "TN", batch: [2], broadcast: { b: [0] } }],
  ])("where a core takes invocations one by one: %s", async (_, kernels, m, k, n, layout) => {
    expect(await check(m, k, n, layout, { ...limits, sequential: true })).toEqual([undefined, kernels]);
  });

  test("grids fold where the device allows few groups", async () => {
    const narrow = { ...limits, maxComputeWorkgroupsPerDimension: 23 };
    expect(await check(200, 40, 200, { batch: [2] }, narrow)).toEqual([undefined, "register"]);
    expect(await check(1, 260, 5000, {}, narrow)).toEqual([undefined, "vector"]);
    expect(await check(1500, 260, 1, {}, narrow)).toEqual([undefined, "dot,parts"]);
  });
});

describe("NaN and infinity stay in their row or column", () => {
  test.each([
    ["naive", 5, 7, 6],
    ["register", 77, 131, 68],
    ["register,parts", 13, 4099, 15],
    ["dot,parts", 301, 1027, 2],
    ["vector", 2, 259, 1027],
  ])("%s", async (kernels, m, k, n) => {
    const { spec, sizes } = product(m, k, n);
    const [x, y] = operands(spec, sizes, 5);
    // The last row and the last column, whose values edges load again, and the first k.
    x[(m - 1) * k] = Number.NaN;
    y[n - 1] = Infinity;
    const [bits, names] = await run(spec, x, y, limits);
    const result = floats(bits);
    expect(names.join()).toBe(kernels);
    let misplaced = 0;
    for (let at = 0; at < m * n; at++) {
      const touched = Math.floor(at / n) === m - 1 || at % n === n - 1;
      if (Number.isFinite(result[at]) === touched) misplaced++;
      // WGSL lets a compiler assume that there is no NaN, but none of these adds one to anything.
      if (Math.floor(at / n) === m - 1 && !Number.isNaN(result[at])) misplaced++;
    }
    expect(misplaced).toBe(0);
  });
});
