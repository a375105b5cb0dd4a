import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { makeAdapter, useDevice } from "@jnx/testing";
import * as kernels from "@jnx/kernels-wgsl";
import { planBits, planConv, planMatmul } from "@jnx/kernels-wgsl";
import type { ConvSpec, LinkedKernel, MatmulOperand, MatmulSpec } from "@jnx/kernels-wgsl";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { splitSections, usedLibraries } from "../../scripts/lib/wgsl-source.ts";
import { fencedBlocks } from "../docs/examples.ts";
import { compileAll, limits, linkStage } from "./run-stages.ts";
import type { TestStage } from "./run-stages.ts";

useDevice();

const SOURCES = path.resolve(import.meta.dirname, "../../packages/kernels-wgsl/src");
const files = readdirSync(SOURCES, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".wgsl"))
  .sort();
const source = (name: string): string => readFileSync(path.join(SOURCES, name), "utf8");

/** The libraries that a file names, and those that they name. */
function librariesOf(name: string): Set<string> {
  const direct = usedLibraries(source(name)).map((use) => path.join(path.dirname(name), use.path));
  return new Set(direct.flatMap((library) => [...librariesOf(library), library]));
}

let device: GPUDevice;
beforeAll(async () => {
  device = await (await makeAdapter()).requestDevice();
});

/** What the device's WGSL compiler says against a text: types, names, uniformity of barriers. The driver is not asked. */
async function complaints(code: string): Promise<string[]> {
  device.pushErrorScope("validation");
  const { messages } = await device.createShaderModule({ code }).getCompilationInfo();
  await device.popErrorScope();
  return messages.filter(({ type }) => type === "error").map(({ lineNum, message }) => `${lineNum}: ${message}`);
}

/** Why no pipeline can be made of a kernel, or undefined. */
async function refusal(code: string): Promise<string | undefined> {
  device.pushErrorScope("validation");
  const compute = { module: device.createShaderModule({ code }), entryPoint: "main" };
  const failed = device.createComputePipelineAsync({ layout: "auto", compute }).then(
    () => undefined,
    (error: unknown) => String(error),
  );
  await device.popErrorScope();
  return failed;
}

afterAll(() => {
  device.destroy();
});

describe("every file", () => {
  test("there are some in every family", () => {
    expect(new Set(files.map((name) => path.dirname(name)))).toEqual(
      new Set([
        "attention",
        "control",
        "conv",
        "elementwise",
        "indexing",
        "linalg",
        "matmul",
        "movement",
        "random",
        "reduce",
        "window",
      ]),
    );
  });

  test.each(files)("%s is legal WGSL as it stands, after the libraries that it names", async (name) => {
    const code = [...librariesOf(name)].map((library) => splitSections(source(library)).body).join("\n") + source(name);
    expect(await complaints(code)).toEqual([]);
    if (code.includes("@compute")) expect(await refusal(code)).toBeUndefined();
  });

  test("only three have workgroup memory, whose races their own tests look for", () => {
    // A new one needs `races` of run-stages.ts, as in reduce.spec.ts.
    const found = files.filter((name) => /\bvar\s*<\s*workgroup\b/.test(source(name)));
    expect(found).toEqual(["attention/backward.wgsl", "attention/forward.wgsl", "reduce/row.wgsl"]);
  });
});

describe("the gate refuses", () => {
  const kernel = (body: string): string => `@group(0) @binding(0) var<storage, read_write> y: array<u32>;
@compute @workgroup_size(8) fn main(@builtin(local_invocation_id) lid: vec3u) { ${body} }`;
  test.each([
    ["a wrong type", "y[0] = 1.5;"],
    ["an unknown name", "y[0] = z;"],
    ["a barrier that only some invocations reach", "if (lid.x == 0u) { workgroupBarrier(); }"],
  ])("%s", async (_, body) => {
    expect(await complaints(kernel("y[0] = 1u;"))).toEqual([]);
    expect(await complaints(kernel(body))).not.toEqual([]);
  });
});

const DTYPES = ["float32", "int32", "uint32"] as const;

function product(m: number, k: number, n: number, form: string, dtype: MatmulSpec["dtype"], offset = 0): MatmulSpec {
  const operand = (trans: boolean, rows: number, columns: number): MatmulOperand => ({
    trans,
    rowStride: trans ? rows : columns,
    batchStrides: [],
    offset,
  });
  const [a, b] = [operand(form.startsWith("T"), m, k), operand(form.endsWith("T"), k, n)];
  return { m, n, k, batch: [], a, b, dtype };
}

/** Shapes that reach every form of every kernel: thin, narrow, wide; multiples of four and not; long k and short. */
function matmulStages(dtype: MatmulSpec["dtype"]): TestStage[] {
  const extents = [1, 3, 4, 7, 8, 13, 16, 199, 200];
  const stages: TestStage[] = [];
  for (const form of ["NN", "TN", "NT", "TT"])
    for (const m of extents)
      for (const n of extents)
        for (const k of [16, 4095, 4096])
          for (const offset of [0, 2]) stages.push(...planMatmul(product(m, k, n, form, dtype, offset), limits));
  for (const form of ["NN", "TN", "NT", "TT"])
    for (const n of [512, 508, 511])
      for (const k of [512, 513]) stages.push(...planMatmul(product(512, k, n, form, dtype), limits));
  return stages;
}

function texts(stages: readonly TestStage[]): LinkedKernel[] {
  return [...new Map(stages.map((stage) => linkStage(stage)).map((kernel) => [kernel.code, kernel])).values()];
}

function countByName(kernels: readonly LinkedKernel[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { name } of kernels) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

describe("planMatmul", () => {
  test.each(DTYPES)("every text for %s is legal", async (dtype) => {
    const kernels = texts(matmulStages(dtype));
    expect(countByName(kernels)).toMatchInlineSnapshot(`
      {
        "matmul/dot": 6,
        "matmul/naive": 1,
        "matmul/pack": 2,
        "matmul/parts": 2,
        "matmul/register": 32,
        "matmul/tall": 3,
        "matmul/vector": 5,
      }
    `);
    for (const { code } of kernels) expect(await complaints(code)).toEqual([]);
  });

  test("the driver compiles each form; group shapes are constants that no compiler stumbles over", async () => {
    const ordinary = matmulStages("float32").filter(({ kernel, consts }) => {
      return kernel.name !== "matmul/register" || consts.includes("const GX = 8u;\nconst GY = 4u;");
    });
    expect(await compileAll(ordinary)).toBe(6 + 8 + 5 + 1 + 2 + 2 + 3);
  });
});

describe("planMatmul for a CPU", () => {
  test("every text is legal: b packed, b as it lies, whole vec4s and not", async () => {
    const stages = ["NN", "TN", "NT", "TT"].flatMap((form) =>
      [13, 64].flatMap((m) =>
        [199, 200].flatMap((n) => planMatmul(product(m, 500, n, form, "float32", 0), { ...limits, sequential: true })),
      ),
    );
    const kernels = texts(stages);
    expect(new Set(kernels.map(({ name }) => name))).toEqual(new Set(["matmul/pack", "matmul/tile"]));
    for (const { code } of kernels) expect(await complaints(code)).toEqual([]);
  });
});

/** Shapes that reach every form of the convolutions: operands wide and narrow, groups, dilations, taps in parts. */
function convStages(dtype: ConvSpec["dtype"], device = limits): readonly TestStage[] {
  const yes = [false, true];
  return yes.flatMap((batchInner) =>
    yes.flatMap((swapped) =>
      [1, 2].flatMap((base) =>
        [
          [3, 1, 1, 16, 40],
          [3, 3, 13, 1, 40],
          [32, 16, 16, 1, 40],
          [32, 16, 16, 2, 4],
          [1, 400, 16, 1, 3],
          [1, 4, 16, 1, 4],
        ].flatMap(([batch = 0, channels = 0, features = 0, groups = 0, extent = 0]) => {
          const [all, wide] = [channels * groups, features * groups];
          const row = batchInner ? batch : all;
          const out = (extent - 1) * base + 1;
          const spec: ConvSpec = {
            ...{ dtype, batchInner, batch, channels, features: wide, featureGroups: groups, batchGroups: 1 },
            ...{ inExtent: [1, extent, extent], outExtent: [1, out, out], window: [1, 3, 3], strides: [1, 1, 1] },
            ...{ low: [0, 1, 1], lhsDilation: [1, base, base], rhsDilation: [1, 1, 1] },
            x: {
              offset: 0,
              batch: batchInner ? 1 : extent * extent * all,
              channel: batchInner ? extent * extent * batch : 1,
              spatial: [0, extent * row, row],
            },
            w: {
              offset: 0,
              input: swapped ? 1 : wide,
              output: swapped ? channels : 1,
              spatial: [0, 3 * channels * wide, channels * wide],
            },
          };
          return planConv(spec, device);
        }),
      ),
    ),
  );
}

test("so is every text that planConv returns for a CPU", async () => {
  const kernels = texts(convStages("float32", { ...limits, sequential: true }));
  const used = new Set(kernels.map(({ name }) => name));
  for (const name of ["conv/columns", "matmul/pack", "matmul/tile", "conv/implicit"]) expect(used).toContain(name);
  for (const { code } of kernels) expect(await complaints(code)).toEqual([]);
});

test.each(DTYPES)("every text that planConv returns for %s is legal", async (dtype) => {
  const kernels = texts(convStages(dtype));
  expect(countByName(kernels)).toMatchInlineSnapshot(`
    {
      "conv/direct": 3,
      "conv/implicit": 12,
      "matmul/parts": 1,
    }
  `);
  for (const { code } of kernels) expect(await complaints(code)).toEqual([]);
});

test("every text that planBits returns compiles", async () => {
  const stages = [1, 3, 4, 4096].flatMap((count) => planBits({ count, keys: 2 }, limits));
  expect(await compileAll(stages)).toBe(2);
});

test("the README's example computes what it says", async () => {
  const [text, second] = fencedBlocks(path.resolve(SOURCES, "../README.md"), "js");
  const [first, ...lines] = text?.split("\n") ?? [];
  expect(second).toBeUndefined();
  expect(first).toMatch(/^import \{ [\w, ]+ \} from "@jnx\/kernels-wgsl";$/);
  const names = first?.slice("import ".length, first.indexOf(" from")) ?? "";
  const body = `return (async () => { const ${names} = kernels; ${lines.join("\n")}\nreturn { device, y }; })()`;
  const usage = { COPY_SRC: 4, COPY_DST: 8, UNIFORM: 64, STORAGE: 128 };
  // What the text above ends in.
  const run = new Function("kernels", "navigator", "GPUBufferUsage", body) as (
    ...scope: unknown[]
  ) => Promise<{ device: GPUDevice; y: GPUBuffer }>;
  const { device, y } = await run(kernels, { gpu: { requestAdapter: makeAdapter } }, usage);
  const copy = device.createBuffer({ size: y.size, usage: 1 | usage.COPY_DST });
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(y, 0, copy, 0, y.size);
  device.queue.submit([encoder.finish()]);
  await copy.mapAsync(1);
  const values = [...new Float32Array(copy.getMappedRange())];
  expect(values.map((value) => Number(value.toFixed(4)))).toEqual([1, 2.7183, 7.3891]);
  device.destroy();
});
