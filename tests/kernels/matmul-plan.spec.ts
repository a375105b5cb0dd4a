import { describe, expect, it } from "vitest";
import { planMatmul, type MatmulOperand, type MatmulSpec } from "@jnx/kernels-wgsl";

const limits = {
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupsPerDimension: 65535,
  maxComputeWorkgroupStorageSize: 16384,
};

/** A contiguous product; `form` says which operands are stored transposed: "NN", "TN", "NT", "TT". */
function product(m: number, k: number, n: number, form = "NN", more: Partial<MatmulSpec> = {}): MatmulSpec {
  const operand = (trans: boolean, rows: number, columns: number): MatmulOperand => ({
    trans,
    rowStride: trans ? rows : columns,
    batchStrides: [],
    offset: 0,
  });
  const a = operand(form.startsWith("T"), m, k);
  const b = operand(form.endsWith("T"), k, n);
  return { m, n, k, batch: [], a, b, dtype: "float32", ...more };
}

const names = (spec: MatmulSpec): string[] => planMatmul(spec, limits).map((stage) => stage.kernel.name);

function only(spec: MatmulSpec): ReturnType<typeof planMatmul>[number] {
  const stages = planMatmul(spec, limits);
  const [stage] = stages;
  if (stage === undefined || stages.length !== 1) throw new Error(`${stages.length} stages`);
  return stage;
}

describe("planMatmul picks a kernel", () => {
  it.each([
    ["register tiles for a square product", product(256, 256, 256), ["matmul/register"]],
    ["larger ones for a large product, whose rows are packed", product(512, 512, 512), ["matmul/pack", "matmul/tall"]],
    ["the same where nothing runs along k", product(512, 512, 512, "TN"), ["matmul/tall"]],
    ["the same where both do", product(512, 512, 512, "NT"), ["matmul/pack", "matmul/pack", "matmul/tall"]],
    ["naive for little work", product(64, 128, 10), ["matmul/naive"]],
    ["dot for matrix * vector", product(2048, 2048, 1), ["matmul/dot", "matmul/parts"]],
    ["dot for vector * matrix^T", product(1, 2048, 2048, "NT"), ["matmul/dot", "matmul/parts"]],
    ["vector for vector * matrix", product(1, 2048, 2048), ["matmul/vector"]],
    ["vector for matrix^T * vector", product(2048, 2048, 1, "TN"), ["matmul/vector"]],
    ["tiles where k is short", product(100_000, 8, 4), ["matmul/register"]],
    ["two stages where the result is small and k long", product(16, 100_000, 16), ["matmul/register", "matmul/parts"]],
    ["the same for vectors", product(1, 100_000, 8), ["matmul/vector", "matmul/parts"]],
    ["nothing for an empty result", product(0, 5, 7), []],
    ["nothing for an empty batch", { ...batched([0], [35], [35]) }, []],
  ])("%s", (_, spec, expected) => {
    expect(names(spec)).toEqual(expected);
  });
});

function batched(batch: number[], aStrides: number[], bStrides: number[], size = 64): MatmulSpec {
  const operand = (batchStrides: number[]): MatmulOperand => ({
    trans: false,
    rowStride: size,
    batchStrides,
    offset: 0,
  });
  return { ...product(size, size, size), batch, a: operand(aStrides), b: operand(bStrides) };
}

it("gives hardware no larger tiles, which were not measured there", () => {
  const stages = planMatmul(product(512, 512, 512), { ...limits, cheapBarriers: true });
  expect(stages.map(({ kernel }) => kernel.name)).toEqual(["matmul/register"]);
});

describe("planMatmul lays out the register kernel", () => {
  it("binds an operand that is contiguous across the tile as vec4s and counts its strides in them", () => {
    const { consts, params, storeWidth } = only(product(256, 300, 128, "TN"));
    expect(consts).toContain("alias TA = T4;");
    expect(consts).toContain("alias TB = T4;");
    expect(params).toMatchObject({ m: 256, n: 128, k: 300, aRow: 1, aStep: 64, bCol: 1, bStep: 32 });
    expect(storeWidth).toBe(4);
  });

  it.each([
    ["a stored along k", product(256, 300, 128), "TA"],
    ["b stored along k", product(256, 300, 128, "NT"), "TB"],
    ["columns that are no multiple of 4", product(256, 300, 129), "TB"],
    ["an offset that is no multiple of 4", offsetB(product(256, 300, 128), 2), "TB"],
  ])("reads %s as scalars", (_, spec, alias) => {
    expect(only(spec).consts).toContain(`alias ${alias} = T;`);
  });

  it("stores scalars unless n is a multiple of 4", () => {
    expect(only(product(256, 300, 126)).storeWidth).toBe(1);
    expect(only(product(255, 300, 128)).storeWidth).toBe(4);
  });

  it("has one text for all shapes of a form", () => {
    const texts = [product(256, 300, 128), product(77, 41, 4000), product(64, 784, 256)].map(
      (spec) => only(spec).consts,
    );
    expect(new Set(texts).size).toBe(1);
  });

  it("takes other scalars through the same kernel", () => {
    expect(only(product(256, 300, 128, "NN", { dtype: "int32" })).consts).toContain("alias T = i32;");
  });

  it("covers the result with tiles, and folds the grid at the limit", () => {
    const spec = batched([5], [4096], [4096]);
    expect(only(spec).params).toMatchObject({ tilesX: 1, tilesY: 2, slabs: 5 });
    expect(only(spec).grid).toEqual([10, 1, 1]);
    const [folded] = planMatmul(spec, { ...limits, maxComputeWorkgroupsPerDimension: 4 });
    expect(folded?.grid).toEqual([4, 3, 1]);
  });
});

function offsetB(spec: MatmulSpec, offset: number): MatmulSpec {
  return { ...spec, b: { ...spec.b, offset } };
}

describe("planMatmul joins batch axes", () => {
  it("joins contiguous axes to one", () => {
    const { params } = only(batched([2, 3, 4], [49152, 16384, 4096], [49152, 16384, 4096]));
    expect(params).toMatchObject({ d0: 24, d1: 1, a0: 4096, b0: 1024, batch: 24 });
  });

  it("keeps axes apart that one operand broadcasts over, and drops axes of extent 1", () => {
    const { params } = only(batched([2, 1, 3], [12288, 7, 4096], [0, 9, 4096]));
    expect(params).toMatchObject({ d0: 3, d1: 2, a0: 4096, a1: 12288, b0: 1024, b1: 0, batch: 6 });
  });

  it("refuses more than three, and says what to do", () => {
    const spec = batched([2, 2, 2, 2], [0, 4096, 0, 4096], [4096, 0, 4096, 0]);
    expect(() => planMatmul(spec, limits)).toThrow(/4 batch axes remain.*make an operand contiguous/);
  });

  it("refuses a list of strides of another length", () => {
    expect(() => planMatmul(batched([2], [], [4096]), limits)).toThrow(/1 batch axes, got 0 strides for a/);
  });
});

describe("planMatmul splits k", () => {
  it("gives every part at least 256 of k and the first stage a workspace for all parts", () => {
    const [first, second] = planMatmul(product(16, 1000, 16), limits);
    expect(first).toMatchObject({ reads: "operands", writes: "workspace", workspaceElements: 3 * 16 * 16 });
    expect(first?.params).toMatchObject({ chunk: 334, slabs: 3, batch: 1 });
    expect(second).toMatchObject({ reads: "workspace", writes: "results", workspaceElements: 0 });
    expect(second?.params).toEqual({ count: 64, parts: 3 });
  });

  it("gives dot a part for each of its four lanes, and more where rows are few", () => {
    const [many] = planMatmul(product(2048, 2048, 1), limits);
    expect(many?.params).toMatchObject({ k: 512, xRow: 512, chunk: 512, slabs: 1 });
    expect(many?.workspaceElements).toBe(4 * 2048);
    const [few, sum] = planMatmul(product(8, 65_536, 1), limits);
    expect(few?.params).toMatchObject({ k: 16_384, chunk: 512, slabs: 32 });
    expect(sum?.params).toEqual({ count: 8, parts: 128 });
  });

  it("reads the short side of dot by scalars where it is not contiguous along k", () => {
    expect(planMatmul(product(2048, 2048, 2), limits)[0]?.consts).toContain("alias TB = T;");
    expect(planMatmul(product(2048, 2048, 2, "NT"), limits)[0]?.consts).toContain("alias TB = X;");
    expect(planMatmul(product(2048, 2047, 1), limits)[0]?.consts).toContain("alias X = T;");
  });

  it("leaves no part empty", () => {
    for (const k of [512, 513, 767, 1023, 65_537, 1_000_003]) {
      const [first] = planMatmul(product(20, k, 20), limits);
      const chunk = first?.params["chunk"] ?? 0;
      const parts = first?.params["slabs"] ?? 0;
      expect(chunk * parts).toBeGreaterThanOrEqual(k);
      expect(chunk * (parts - 1)).toBeLessThan(k);
    }
  });
});

describe("planMatmul checks its operands", () => {
  it.each([-1, 1.5, Number.NaN])("refuses a row stride of %s", (rowStride) => {
    const spec = product(64, 64, 64);
    expect(() => planMatmul({ ...spec, a: { ...spec.a, rowStride } }, limits)).toThrow(/whole numbers from 0/);
  });
});
