import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseTuning, planConv, planMatmul } from "@jnx/kernels-wgsl";
import type { ConvSpec, MatmulSpec } from "@jnx/kernels-wgsl";
import { afterAll, describe, expect, test } from "vitest";
import { planReduce } from "../../packages/kernels-wgsl/src/reduce/plan.ts";
import { limits } from "../kernels/run-stages.ts";

const temporary = mkdtempSync(join(tmpdir(), "jnx-tuning-"));
afterAll(() => rmSync(temporary, { recursive: true, force: true }));

function child(env: Record<string, string>): Promise<string> {
  return new Promise((resolve) => {
    const script = join(import.meta.dirname, "child/tuning.ts");
    const args = ["--conditions=@jnx/source", "--import", "tsx", script];
    const started = spawn(process.execPath, args, {
      cwd: join(import.meta.dirname, "../.."),
      env: { ...process.env, XDG_CACHE_HOME: temporary, ...env },
    });
    let out = "";
    started.stdout.on("data", (data: Buffer) => (out += data.toString()));
    started.on("close", () => resolve(out));
  });
}

const rows = (rowStride: number) => ({ trans: false, rowStride, batchStrides: [], offset: 0 });
const matmul: MatmulSpec = { m: 512, n: 512, k: 64, batch: [], a: rows(64), b: rows(512), dtype: "float32" };
const conv: ConvSpec = {
  ...{ dtype: "float32", batch: 32, channels: 16, features: 32, featureGroups: 1, batchGroups: 1 },
  ...{ inExtent: [1, 28, 28], outExtent: [1, 28, 28], window: [1, 3, 3], strides: [1, 1, 1], low: [0, 1, 1] },
  ...{ lhsDilation: [1, 1, 1], rhsDilation: [1, 1, 1], batchInner: false },
  x: { offset: 0, batch: 12544, channel: 1, spatial: [12544, 448, 16] },
  w: { offset: 0, input: 32, output: 1, spatial: [4608, 1536, 512] },
};

describe("a tuning", () => {
  test("decides how matmul, conv and reductions cut their work", () => {
    const tuned = { ...limits, tuning: { matmul: { group: 64 }, conv: { group: 16 }, reduce: { group: 128 } } };
    const consts = (stages: readonly { readonly consts: string }[]): string => stages[0]?.consts ?? "";
    expect(consts(planMatmul(matmul, limits))).toContain("const GX = 8u;\nconst GY = 4u;");
    expect(consts(planMatmul(matmul, tuned))).toContain("const GX = 8u;\nconst GY = 8u;");
    expect(consts(planConv(conv, limits))).toContain("const GX = 2u;\nconst GY = 16u;");
    expect(consts(planConv(conv, tuned))).toContain("const GX = 2u;\nconst GY = 8u;");
    const sum = { combine: "sum", dtype: "float32", outer: 512, reduce: 64, inner: 1, vector: true } as const;
    expect(consts(planReduce(sum, limits))).toContain("const GROUP = 64u;");
    expect(consts(planReduce(sum, tuned))).toContain("const GROUP = 128u;");
    expect(planReduce(sum, tuned)[0]?.grid).toEqual([4, 1, 1]);
  });

  test("may raise and lower what counts as small", () => {
    expect(planMatmul({ ...matmul, m: 32 }, limits)[0]?.kernel.name).toBe("matmul/register");
    const all = { ...limits, tuning: { matmul: { small: 2 ** 24 } } };
    expect(planMatmul({ ...matmul, m: 32 }, all)[0]?.kernel.name).toBe("matmul/naive");
  });

  test.each([
    [[], /no object/],
    [{ pooling: {} }, /"pooling" is none of matmul, conv, reduce/],
    [{ reduce: { small: 4 } }, /"reduce\.small" is none of group/],
    [{ matmul: { group: 48 } }, /"matmul\.group" cannot be 48/],
    [{ matmul: { group: 512 } }, /"matmul\.group" cannot be 512/],
    [{ conv: { small: -1 } }, /"conv\.small" cannot be -1/],
    [{ conv: null }, /"conv" is no object/],
  ])("%j is refused", (value, message) => {
    expect(() => parseTuning(value)).toThrow(message);
  });
});

describe("init", () => {
  test("takes this adapter's tuning and no other, and refuses what cannot be", async () => {
    expect((await child({})).split("\n")).toEqual([
      'ours: 900000 with {"matmul":{"group":64,"small":0},"reduce":{"group":32}}',
      'another\'s: 900000 with "no tuning"',
      'none: 900000 with "no tuning"',
      'wrong: ArgumentError init: the tuning of options.tuning: "matmul.group" cannot be 48; make it anew with jnx-bench tune, or remove it',
      "",
    ]);
  });

  test("names a file that is missing, broken or of another kind", async () => {
    const [missing, broken, other] = ["missing", "broken", "other"].map((name) => join(temporary, `${name}.json`));
    writeFileSync(broken ?? "", "{");
    writeFileSync(other ?? "", `{"format":"jnx-tuning-2"}`);
    const told = await Promise.all([missing, broken, other].map((file = "") => child({ JNX_TUNING: file })));
    expect(told[0]).toContain(`ArgumentError init: the tuning of ${missing}: cannot be read`);
    expect(told[1]).toContain(`ArgumentError init: the tuning of ${broken}: cannot be read`);
    expect(told[2]).toContain(`ArgumentError init: the tuning of ${other}: is of format "jnx-tuning-2"`);
  });
});
