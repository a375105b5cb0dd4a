import { misses, useDevice, type Tolerance } from "@jnx/testing";
import * as t from "@jnx/tensor";
import type { DType, Tensor } from "@jnx/tensor";
import { jax, jnp, nn } from "jnx";
import { describe, expect, test } from "vitest";
import { goldenArray, readGoldens, type GoldenArray } from "../goldens/read.ts";

/** Functions at NaN, infinities, zeros of both signs, huge numbers, and whole numbers at their ends, against the real JAX. */

const FILE = "special-values";
const spaces: Readonly<Record<string, object>> = { jnp, nn, special: jax.scipy.special };
/** Long compositions round elsewhere than XLA's; results below the normal numbers are 0 on some devices. */
const NEAR: Tolerance = { ulp: 16, abs: 1e-36, rel: 4e-6 };
/** The logarithm crosses 0 at 1 and 2, where the rounding of its terms is what is left: XLA's is as far off at -2.5. */
const GAMMA: Tolerance = { ...NEAR, abs: 1e-6 };
const SMALLEST_NORMAL = 2 ** -126;

const DTYPES: Readonly<Record<string, DType>> = { uint8: "bool", float32: "float32", int32: "int32", uint32: "uint32" };

function tensorOf(golden: GoldenArray): Tensor {
  return t.array(golden.data, { shape: golden.shape, dtype: dtypeOf(golden) });
}

function dtypeOf({ dtype }: GoldenArray): DType {
  const found = DTYPES[dtype];
  if (found === undefined) throw new Error(`goldens: no dtype for ${dtype}`);
  return found;
}

function call(path: string, ...args: unknown[]): Tensor {
  const [space = "", name = ""] = path.split(".");
  const f: unknown = Object.entries(spaces[space] ?? {}).find(([key]) => key === name)?.[1];
  if (typeof f !== "function") throw new Error(`${path} is not there`);
  const result: unknown = f(...args);
  if (!(result instanceof t.Tensor)) throw new Error(`${path} gives no array`);
  return result;
}

function names(...path: string[]): string[] {
  let tree: unknown = readGoldens(FILE);
  // Object of an object is itself.
  for (const step of path) tree = Object.entries(Object(tree) as object).find(([key]) => key === step)?.[1];
  return Object.keys(Object(tree) as object); // Object of an object is itself
}

const isSubnormal = (x = 0): boolean => x !== 0 && Math.abs(x) < SMALLEST_NORMAL;

/** Every element that differs from JAX's, but for those of subnormal inputs: devices may take these for 0. */
async function expectSame(
  found: Tensor,
  golden: GoldenArray,
  inputs: readonly GoldenArray[] = [],
  path = "",
): Promise<void> {
  const near = path === "special.gammaln" ? GAMMA : NEAR;
  expect([found.shape, found.dtype]).toEqual([golden.shape, dtypeOf(golden)]);
  const [got, want] = [await found.data(), Array.from(golden.data)];
  const wrong = want.flatMap((value, i) => {
    const from = inputs.map((x) => x.data[i]);
    if (from.some(isSubnormal)) return [];
    const own = Number(got[i]);
    const sign = found.dtype === "float32" && value === 0 && own === 0 && !Object.is(value, own);
    const miss = misses([own], { shape: [1], data: [value] }, found.dtype, near).length > 0;
    return sign || miss
      ? [`(${from.join(", ")}): ${Object.is(own, -0) ? "-0" : own}, not ${Object.is(value, -0) ? "-0" : value}`]
      : [];
  });
  expect(wrong).toEqual([]);
}

describe("functions at special numbers", () => {
  useDevice();
  const [x, p, q, lines] = [
    goldenArray(FILE, "x"),
    goldenArray(FILE, "p"),
    goldenArray(FILE, "q"),
    goldenArray(FILE, "lines"),
  ];

  test.each(names("unary"))("%s", async (path) => {
    await expectSame(call(path, tensorOf(x)), goldenArray(FILE, "unary", path), [x], path);
  });

  test.each(names("binary"))("%s", async (path) => {
    await expectSame(call(path, tensorOf(p), tensorOf(q)), goldenArray(FILE, "binary", path), [p, q]);
  });

  test.each(names("reductions"))("%s of lines", async (path) => {
    await expectSame(call(path, tensorOf(lines), { axis: 1 }), goldenArray(FILE, "reductions", path));
  });

  test.each(names("clip"))("clip to %s", async (ends) => {
    const [low, high] = ends.split(", ").map((end) => Number(end.replace("inf", "Infinity")));
    await expectSame(jnp.clip(tensorOf(x), low, high), goldenArray(FILE, "clip", ends), [x]);
  });

  test.each(["bool", "int32", "uint32", "float32"] as const)("as %s", async (kind) => {
    await expectSame(t.astype(tensorOf(x), kind), goldenArray(FILE, "to", kind), [x]);
  });
});

describe.each(["int32", "uint32"] as const)("functions at the ends of %s", (dtype) => {
  useDevice();
  const [few, a, b] = [goldenArray(FILE, dtype, "few"), goldenArray(FILE, dtype, "a"), goldenArray(FILE, dtype, "b")];

  test.each(names(dtype, "unary"))("%s", async (path) => {
    await expectSame(call(path, tensorOf(few)), goldenArray(FILE, dtype, "unary", path), [few]);
  });

  test.each(names(dtype, "binary"))("%s", async (path) => {
    await expectSame(call(path, tensorOf(a), tensorOf(b)), goldenArray(FILE, dtype, "binary", path), [a, b]);
  });

  test.each(["bool", "int32", "uint32", "float32"] as const)("as %s", async (kind) => {
    await expectSame(t.astype(tensorOf(few), kind), goldenArray(FILE, dtype, "to", kind), [few]);
  });
});
