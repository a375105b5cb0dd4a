import { jit } from "@jnx/compile";
import { useDevice } from "@jnx/testing";
import * as t from "@jnx/tensor";
import type { DType, TensorLike } from "@jnx/tensor";
import { describe, expect, test } from "vitest";

/** JAX's table with x64 off, cell by cell; a star marks a weak type. */
const KINDS = ["bool", "int32", "uint32", "float32", "int32*", "float32*"] as const;
type Kind = (typeof KINDS)[number];

const TABLE: Record<Kind, readonly Kind[]> = {
  bool: ["bool", "int32", "uint32", "float32", "int32*", "float32*"],
  int32: ["int32", "int32", "int32", "float32", "int32", "float32*"],
  uint32: ["uint32", "int32", "uint32", "float32", "uint32", "float32*"],
  float32: ["float32", "float32", "float32", "float32", "float32", "float32"],
  "int32*": ["int32*", "int32", "uint32", "float32", "int32*", "float32*"],
  "float32*": ["float32*", "float32*", "float32*", "float32", "float32*", "float32*"],
};

const cells = KINDS.flatMap((x) => KINDS.map((y, k) => [x, y, TABLE[x][k] ?? x] as const));
const dtypeOf = (kind: Kind): DType => t.DTYPES.find((dtype) => kind.startsWith(dtype)) ?? "bool";

/** An operand of a kind: an array in memory, a literal, or a number of JavaScript's and what was computed from one. */
const sources: readonly (readonly [string, (kind: Kind) => TensorLike])[] = [
  [
    "arrays and numbers",
    (kind) => (kind === "int32*" ? 2 : kind === "float32*" ? 2.5 : t.array([1, 0], { dtype: dtypeOf(kind) })),
  ],
  [
    "literals",
    (kind) => (kind.endsWith("*") ? t.full([2], kind === "int32*" ? 2 : 2.5) : t.ones([2], { dtype: dtypeOf(kind) })),
  ],
  [
    "computed",
    (kind) =>
      kind === "int32*"
        ? t.square(2)
        : kind === "float32*"
          ? t.exp(2.5)
          : t.flip(t.array([1, 0], { dtype: dtypeOf(kind) })),
  ],
];

describe("promotion", () => {
  useDevice();

  test.each(cells)("promote(%s, %s) is %s", (x, y, want) => {
    const operand = (kind: Parameters<typeof dtypeOf>[0]): t.Promotable => ({
      dtype: dtypeOf(kind),
      weak: kind.endsWith("*"),
    });
    const [left, right] = [operand(x), operand(y)];
    expect(t.promote([left, right])).toEqual({ dtype: dtypeOf(want), weak: want.endsWith("*") });
  });

  describe.each(sources)("%s", (_name, make) => {
    test.each(cells)("add, mul, maximum and where of %s and %s give %s", (x, y, want) => {
      for (const f of [t.add, t.mul, t.maximum, (a: TensorLike, b: TensorLike) => t.where(true, a, b)]) {
        const { dtype, weak } = f(make(x), make(y));
        expect({ dtype, weak }).toEqual({ dtype: dtypeOf(want), weak: want.endsWith("*") });
      }
    });
  });

  test("values are converted, not only labelled", async () => {
    const minusOne = t.array([-1], { dtype: "int32" });
    expect(await t.add(minusOne, t.array(new Uint32Array([3]))).toArray()).toEqual([2]);
    expect(await t.add(minusOne, 0.5).toArray()).toEqual([-0.5]);
    expect(await t.mul(t.array(new Uint32Array([3])), 2).toArray()).toEqual([6]);
    expect(await t.add(t.array([true]), 2).toArray()).toEqual([3]);
    expect(await t.div(minusOne, 2).toArray()).toEqual([-0.5]);
    expect(await t.add(true, t.array([1.5])).toArray()).toEqual([2.5]);
  });

  test("jit keeps weakness, in and out", () => {
    const run = jit((x: TensorLike, y: TensorLike) => t.add(x, y));
    expect(run(2, t.array(new Uint32Array([3])))).toMatchObject({ dtype: "uint32", weak: false });
    expect(run(2.5, t.array([3]))).toMatchObject({ dtype: "float32", weak: true });
    expect(run(2, 3)).toMatchObject({ dtype: "int32", weak: true });
  });

  test.each([
    ["exp", t.exp, "float32"],
    ["sum", t.sum, "int32"],
    ["mean", t.mean, "float32"],
    ["square", t.square, "int32"],
    ["max", t.max, "bool"],
    ["argmax", t.argmax, "int32"],
    ["prod", t.prod, "int32"],
    ["softplus", t.softplus, "float32"],
  ] as const)("%s of bool is %s", (_name, f, want) => {
    expect(f(t.array([true, false])).dtype).toBe(want);
  });
});
