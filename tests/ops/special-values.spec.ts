import { expectClose, useDevice, type Tolerance } from "@jnx/testing";
import * as t from "@jnx/tensor";
import type { DType, Tensor } from "@jnx/tensor";
import { jax, jnp, nn } from "jnx";
import { describe, expect, test } from "vitest";
import { goldenArray, readGoldens, type GoldenArray } from "../goldens/read.ts";

/** Public functions at NaN, infinities, zeros of both signs, huge and tiny numbers, and whole numbers at their ends: JAX's. */

const FILE = "special-values";
const spaces: Readonly<Record<string, object>> = { jnp, nn, special: jax.scipy.special };
/** Long compositions round elsewhere than XLA's; results below the normal numbers are 0 on some devices. */
const NEAR: Tolerance = { ulp: 16, abs: 1e-36, rel: 4e-6 };

function dtypeOf({ dtype }: GoldenArray): DType {
  if (dtype === "uint8") return "bool";
  if (dtype === "float32" || dtype === "int32" || dtype === "uint32") return dtype;
  throw new Error(`goldens: no dtype for ${dtype}`);
}

const tensorOf = (golden: GoldenArray): Tensor => t.array(golden.data, { shape: golden.shape, dtype: dtypeOf(golden) });

function call(path: string, ...args: unknown[]): Tensor {
  const [space = "", name = ""] = path.split(".");
  const f: unknown = Object.entries(spaces[space] ?? {}).find(([key]) => key === name)?.[1];
  if (typeof f !== "function") throw new Error(`${path} is not there`);
  return f(...args) as Tensor; // these functions give one array
}

const names = (...path: string[]): string[] => {
  let tree: object = readGoldens(FILE);
  for (const step of path) tree = Object.entries(tree).find(([key]) => key === step)?.[1] as object; // made by special_cases.py
  return Object.keys(tree);
};

async function expectSame(found: Tensor, golden: GoldenArray, inputs: readonly GoldenArray[]): Promise<void> {
  expect([found.shape, found.dtype]).toEqual([golden.shape, dtypeOf(golden)]);
  const data = await found.data();
  const want = Array.from(golden.data);
  const signs = want.flatMap((value, i) => {
    const own = Number(data[i]);
    const wrong = value === 0 && own === 0 && Object.is(value, -0) !== Object.is(own, -0);
    return wrong && golden.dtype === "float32"
      ? [`${inputs.map((x) => x.data[i]).join(", ")}: ${own}, not ${value}`]
      : [];
  });
  expectClose(data, { shape: golden.shape, data: want }, found.dtype, NEAR);
  expect(signs).toEqual([]);
}

describe("functions at special numbers", () => {
  useDevice();
  // Four names give four arrays.
  const [x, p, q, lines] = ["x", "p", "q", "lines"].map((name) => goldenArray(FILE, name)) as [
    GoldenArray,
    GoldenArray,
    GoldenArray,
    GoldenArray,
  ];

  test.each(names("unary"))("%s", async (path) => {
    await expectSame(call(path, tensorOf(x)), goldenArray(FILE, "unary", path), [x]);
  });

  test.each(names("binary"))("%s", async (path) => {
    await expectSame(call(path, tensorOf(p), tensorOf(q)), goldenArray(FILE, "binary", path), [p, q]);
  });

  test.each(names("reductions"))("%s of lines", async (path) => {
    const rows = tensorOf(lines);
    const blank = t.all(t.isnan(rows), { axis: 1, keepdims: true });
    const own = path.startsWith("jnp.nanarg") ? t.where(blank, 1, rows) : rows;
    await expectSame(call(path, own, { axis: 1 }), goldenArray(FILE, "reductions", path), []);
  });
});

describe.each(["int32", "uint32"] as const)("functions at the ends of %s", (dtype) => {
  useDevice();
  const [a, b] = [goldenArray(FILE, dtype, "a"), goldenArray(FILE, dtype, "b")];

  test.each(names(dtype, "results"))("%s", async (path) => {
    await expectSame(call(path, tensorOf(a), tensorOf(b)), goldenArray(FILE, dtype, "results", path), [a, b]);
  });

  test.each(["float32", "int32", "uint32", "bool"] as const)("as %s", async (kind) => {
    const few = tensorOf(goldenArray(FILE, dtype, "few"));
    await expectSame(t.astype(few, kind), goldenArray(FILE, dtype, "to", kind), []);
  });
});
