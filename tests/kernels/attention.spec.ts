import { useDevice } from "@jnx/testing";
import { planAttention, planAttentionGradient } from "@jnx/kernels-wgsl";
import type { AttentionExtra, AttentionRole, AttentionSpec } from "@jnx/kernels-wgsl";
import { describe, expect, test } from "vitest";
import { compileAll, limits, linkStage, races, type TestStage } from "./run-stages.ts";

useDevice();

const extra = (operand: number): AttentionExtra => ({ operand, base: 0, batch: 0, head: 0, row: 8, column: 1 });

interface Form {
  readonly depth: number;
  readonly bias?: AttentionExtra;
  readonly mask?: AttentionExtra;
}

function sizes({ depth, bias, mask }: Form): AttentionSpec {
  const some = { batch: 1, heads: 2, keyHeads: 1, rows: 8, columns: 8, queries: 7, keys: 6 };
  return { ...some, depth, scale: 0.5, left: 99, right: 0, ...(bias && { bias }), ...(mask && { mask }) };
}

/** The library's functions need to know how wide they are, which an emitter says otherwise. */
const wide = (stage: TestStage): TestStage => ({
  ...stage,
  consts: `alias F = vec4f;\nalias I = vec4i;\nalias U = vec4u;\nalias B = vec4<bool>;\n${stage.consts}`,
});

function forward(form: Form, saves = true): TestStage[] {
  const { depth } = form;
  const q = { base: 0, batch: 16 * depth, head: depth, line: 2 * depth };
  const k = { base: 0, batch: 8 * depth, head: 0, line: 8 };
  const v = { base: 0, batch: 8 * depth, head: 0, line: depth };
  return planAttention({ ...sizes(form), q, k, v, saves }, limits).map(wide);
}

function backward(form: Form, role: AttentionRole): TestStage[] {
  const { depth } = form;
  const line = { base: 0, batch: 16 * depth, head: 0, line: depth };
  const turned = { base: 0, batch: 16 * depth, head: 0, line: 8 };
  return planAttentionGradient({ ...sizes(form), role, a: line, b: turned, a2: line, b2: turned, c: line }, limits).map(
    wide,
  );
}

const roles = ["query", "key", "value"] as const;

describe("attention's kernels", () => {
  test("every text compiles; roles and saving share theirs", async () => {
    const some = [{}, { bias: extra(3) }, { mask: extra(3) }, { bias: extra(3), mask: extra(4) }];
    expect(
      await compileAll(some.flatMap((one) => [true, false].flatMap((saves) => forward({ depth: 8, ...one }, saves)))),
    ).toBe(4);
    const one = [{}, { bias: extra(6) }, { mask: extra(6) }];
    expect(
      await compileAll(one.flatMap((form) => roles.flatMap((role) => backward({ depth: 8, ...form }, role)))),
    ).toBe(3);
  });

  test("memory of a workgroup stays below what WebGPU promises, whatever the depth", () => {
    for (let depth = 4; depth <= 256; depth += 4) {
      const [stage] = forward({ depth });
      const [gx = 0, gy = 0] = [...(stage?.consts.matchAll(/const G[XY] = (\d+)u/g) ?? [])].map(([, n]) => Number(n));
      expect(gx * 8).toBeGreaterThanOrEqual(depth);
      expect(gx * gy).toBeLessThanOrEqual(64);
      expect(16 * 9 * gx * gy).toBeLessThanOrEqual(limits.maxComputeWorkgroupStorageSize);
    }
  });

  test("what they cannot do is refused", () => {
    expect(() => forward({ depth: 6 })).toThrow(/multiples of four/);
    expect(() => backward({ depth: 8, bias: extra(6), mask: extra(7) }, "query")).toThrow(/not both/);
  });

  // A small group, for the detector interprets it.
  const small = ([stage]: readonly TestStage[]): TestStage => {
    if (stage === undefined) throw new Error("no stage");
    return { ...stage, consts: stage.consts.replace("const GY = 32u", "const GY = 2u") };
  };
  const stages = [
    ["forward", small(forward({ depth: 16 })), 3],
    ["backward", small(backward({ depth: 16 }, "key")), 2],
  ] as const;

  test.each(stages)("%s has no races, and its barriers are needed", (_name, stage, barriers) => {
    const { code } = linkStage(stage);
    const parts = code.split("workgroupBarrier();");
    expect(parts).toHaveLength(barriers + 1);
    expect(races(stage, 4096)).toEqual({ races: [], errors: [] });
    const without = parts.map((part, k) => (k === 0 ? part : (k === 1 ? "" : "workgroupBarrier();") + part)).join("");
    expect(races(stage, 4096, without).races).not.toEqual([]);
  });
});
