import { grad, jvp, vjp, vmap } from "@jnx/autodiff";
import { jit } from "@jnx/compile";
import {
  attentionRows,
  cases,
  expectClose,
  generator,
  gradcheck,
  sample,
  shapedOperands,
  shapedTensors,
  toTensor,
  useDevice,
} from "@jnx/testing";
import * as t from "@jnx/tensor";
import type { AttentionOptions, Tensor } from "@jnx/tensor";
import { dotProductAttentionByTiles } from "@jnx/tensor/internal";
import { describe, expect, test, vi } from "vitest";
import { readGoldens, type GoldenArray } from "../goldens/read.ts";
import { testForward } from "./kit.ts";

testForward("attention", cases.attention);

const rows = attentionRows(dotProductAttentionByTiles, 4);
testForward("attention by tiles", rows);

describe("attention by tiles against differences of the oracle", () => {
  useDevice();

  test.each(rows.map((row) => [row.label, row] as const))("%s, to order 2", async (_label, row) => {
    const operands = shapedOperands(row, "float32");
    const fixed = shapedTensors(row, "float32", operands).map((x) => (x.dtype === "float32" ? undefined : x));
    await gradcheck({ run: row.run, oracle: row.oracle, operands, fixed, order: 2 });
  });

  test.each(rows.slice(2, 4).map((row) => [row.label, row] as const))("%s, along a direction", async (_label, row) => {
    const operands = shapedOperands(row, "float32");
    const next = generator(9);
    const towards = operands.map(({ shape }) => sample(shape, "float32", [-1, 1], next));
    const at = (step: number): ReturnType<typeof row.oracle> =>
      row.oracle(
        ...operands.map((x, k) => ({ ...x, data: x.data.map((v, i) => v + step * (towards[k]?.data[i] ?? 0)) })),
      );
    const [above, below] = [at(1e-5), at(-1e-5)];
    const tensors = operands.map((x) => toTensor(x, "float32"));
    const moves = towards.map((x) => toTensor(x, "float32"));
    const [, tangent] = jvp((...xs: Tensor[]) => row.run(...xs), tensors, moves);
    const want = { shape: above.shape, data: above.data.map((x, i) => (x - (below.data[i] ?? NaN)) / 2e-5) };
    expectClose(await tangent.data(), want, "float32", { ulp: 16, abs: 2e-4 });
  });

  test("a batch of gradients is the gradients of its examples, whichever operands it has", async () => {
    const next = generator(5);
    const draw = (...shape: number[]): Tensor => toTensor(sample(shape, "float32", [-2, 2], next), "float32");
    const all = [draw(3, 2, 6, 4, 8), draw(3, 2, 7, 2, 8), draw(3, 2, 7, 2, 8), draw(3, 1, 4, 1, 7)];
    const loss = (q: Tensor, k: Tensor, v: Tensor, bias: Tensor): Tensor =>
      t.sum(t.square(dotProductAttentionByTiles(q, k, v, { bias, isCausal: true })));
    const slopes = (...xs: Tensor[]): Tensor[] => grad(loss, { argnums: [0, 1, 2, 3] })(...(xs as Four)); // four are given
    for (const mapped of [[0, 1, 2, 3], [0], [1, 3]]) {
      const example = (x: Tensor, k: number, i: number): Tensor => (mapped.includes(k) ? t.take(x, i, { axis: 0 }) : x);
      const first = all.map((x, k) => (mapped.includes(k) ? x : t.take(x, 0, { axis: 0 })));
      const inAxes = first.map((_, k) => (mapped.includes(k) ? 0 : null));
      const together = vmap(slopes, { inAxes })(...first);
      for (let i = 0; i < 3; i++) {
        const alone = slopes(...first.map((x, k) => example(x, k, i)));
        for (const [k, one] of together.entries()) {
          const want = { shape: alone[k]?.shape ?? [], data: [...((await alone[k]?.data()) ?? [])] };
          expectClose(await t.take(one, i, { axis: 0 }).data(), want, "float32", { ulp: 8, abs: 2e-6 });
        }
      }
    }
  });
});

type Four = [Tensor, Tensor, Tensor, Tensor];

interface Golden {
  readonly args: readonly GoldenArray[];
  readonly options: Readonly<Record<string, GoldenArray | { readonly json: string }>>;
  readonly result: GoldenArray;
  readonly grads?: readonly GoldenArray[];
}

function tensorOf(golden: GoldenArray): Tensor {
  const dtype = golden.dtype === "uint8" ? "bool" : golden.dtype === "int32" ? "int32" : "float32";
  return t.array(golden.data, { shape: golden.shape, dtype });
}

describe("attention by tiles: what JAX gives", () => {
  useDevice();

  test.each(Object.entries(readGoldens("structural-attention")))("%s", async (_label, value) => {
    // As tests/oracle/structural_cases.py writes them.
    const { args, options, result, grads } = value as unknown as Golden;
    const told = Object.fromEntries(
      Object.entries(options).map(([key, one]) => [
        key,
        // JSON holds anything.
        "json" in one ? (JSON.parse(one.json) as unknown) : tensorOf(one),
      ]),
    ) as AttentionOptions; // what attention_cases.py tells
    const run = (q: Tensor, k: Tensor, v: Tensor): Tensor => dotProductAttentionByTiles(q, k, v, told);
    const operands = args.map(tensorOf) as [Tensor, Tensor, Tensor]; // three
    const near = { ulp: 16, abs: 2e-6 };
    const host = (golden: GoldenArray): { shape: readonly number[]; data: number[] } => ({
      shape: golden.shape,
      data: Array.from(golden.data),
    });
    const [y, pull] = vjp(run, ...operands);
    expectClose(await y.data(), host(result), "float32", near);
    if (grads === undefined) return;
    const weights = t.array(
      Float32Array.from({ length: y.size }, (_, i) => 1 + 0.5 * (i % 3)),
      { shape: y.shape },
    );
    for (const [k, one] of pull(weights).entries())
      expectClose(await one.data(), host(grads[k] ?? result), "float32", near);
  });
});

describe("attention with many scores", () => {
  useDevice();
  const LENGTH = 1536;
  const scores = 4 * LENGTH * LENGTH;

  test("stores none of them, forward or back, eager or compiled", async () => {
    const next = generator(6);
    const draw = (): Tensor => toTensor(sample([1, LENGTH, 2, 8], "float32", [-1, 1], next), "float32");
    const operands: [Tensor, Tensor, Tensor] = [draw(), draw(), draw()];
    await Promise.all(operands.map((x) => x.data()));
    const loss = (q: Tensor, k: Tensor, v: Tensor): Tensor => t.sum(t.square(t.dotProductAttention(q, k, v)));
    const slopes = (...xs: typeof operands): Tensor[] => grad(loss, { argnums: [0, 1, 2] })(...xs);
    const allocate = vi.spyOn(t.executor(), "allocate");
    try {
      const [eager, compiled] = [slopes(...operands), jit(slopes)(...operands)];
      for (const [k, one] of eager.entries()) {
        const want = { shape: one.shape, data: [...(await one.data())] };
        expectClose((await compiled[k]?.data()) ?? [], want, "float32", { ulp: 8, abs: 2e-6 });
      }
      const sizes = allocate.mock.calls.map(([bytes]) => bytes);
      expect(sizes.length).toBeGreaterThan(8);
      expect(Math.max(...sizes)).toBeLessThan(scores / 4);
    } finally {
      allocate.mockRestore();
    }
  });

  test("in half precision keeps its sums in float32", async () => {
    const next = generator(7);
    const draw = (): Tensor =>
      t.astype(toTensor(sample([1, 516, 1, 8], "float32", [-1, 1], next), "float32"), "bfloat16");
    const [q, k, v] = [draw(), draw(), draw()];
    const wide = [q, k, v].map((x) => t.astype(x, "float32")) as [Tensor, Tensor, Tensor]; // three
    const [y, want] = [t.dotProductAttention(q, k, v), t.astype(t.dotProductAttention(...wide), "bfloat16")];
    expect(y.dtype).toBe("bfloat16");
    expect(await y.toArray()).toEqual(await want.toArray());
  });
});
