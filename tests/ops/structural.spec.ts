import { readdirSync } from "node:fs";
import { vjp } from "@jnx/autodiff";
import { jit } from "@jnx/compile";
import { expectClose, useDevice, type Tolerance } from "@jnx/testing";
import * as t from "@jnx/tensor";
import type { DType, Tensor } from "@jnx/tensor";
import { jax, jnp, lax, nn, random } from "jnx";
import { describe, expect, test } from "vitest";
import { readGoldens, type GoldenArray, type GoldenTree, type GoldenValue } from "../goldens/read.ts";

/** Movement, indexing, sorting, scans and statistics against the real JAX: results, gradients, and the same compiled. */

const spaces: Readonly<Record<string, object>> = {
  jnp,
  lax,
  nn,
  jax,
  ops: jax.ops,
  special: jax.scipy.special,
  linalg: jnp.linalg,
  scipyLinalg: jax.scipy.linalg,
  laxLinalg: lax.linalg,
  stats: jax.scipy.stats,
  kde: {
    pdf: (x: Tensor, points: Tensor) => jax.scipy.stats.gaussianKde(x).pdf(points),
    logpdf: (x: Tensor, points: Tensor) => jax.scipy.stats.gaussianKde(x, { bwMethod: "silverman" }).logpdf(points),
    integrateGaussian: (x: Tensor, mean: Tensor, cov: Tensor) =>
      jax.scipy.stats.gaussianKde(x).integrateGaussian(mean, cov),
    resample: (x: Tensor, seed: number, shape: readonly number[], options?: { readonly weights?: Tensor }) =>
      jax.scipy.stats.gaussianKde(x, options).resample(random.key(seed), shape),
    integrateBox1d: (x: Tensor, low: Tensor, high: Tensor) => jax.scipy.stats.gaussianKde(x).integrateBox1d(low, high),
    integrateKde: (x: Tensor, y: Tensor) => jax.scipy.stats.gaussianKde(x).integrateKde(jax.scipy.stats.gaussianKde(y)),
  },
  ...Object.fromEntries(Object.entries(jax.scipy.stats).map(([name, one]) => [`stats.${name}`, one])),
};
/** Sums and powers round elsewhere than XLA's. */
const NEAR: Tolerance = { ulp: 16, abs: 2e-6 };

const isArray = (value: GoldenValue): value is GoldenArray =>
  typeof value === "object" && "data" in value && ArrayBuffer.isView(value["data"]);

function dtypeOf({ dtype }: GoldenArray): DType {
  if (dtype === "uint8") return "bool";
  if (dtype === "float32" || dtype === "int32" || dtype === "uint32") return dtype;
  throw new Error(`goldens: no dtype for ${dtype}`);
}

function tensorOf(golden: GoldenArray): Tensor {
  return t.array(golden.data, { shape: golden.shape, dtype: dtypeOf(golden) });
}

/** An argument as jnx takes it: arrays as Tensors, JSON as what it says. */
function revive(value: GoldenValue): unknown {
  if (typeof value !== "object") return value;
  if (isArray(value)) return tensorOf(value);
  if (isList(value)) return value.map(revive);
  const { json } = value as GoldenTree; // neither a list nor an array
  return typeof json === "string" ? (JSON.parse(json) as unknown) : value;
}

function isList(value: GoldenValue): value is readonly GoldenValue[] {
  return Array.isArray(value);
}

function treeOf(value: GoldenValue | undefined): GoldenTree {
  if (typeof value !== "object" || isList(value) || isArray(value)) throw new Error("goldens: not a tree");
  return value;
}

function listOf(value: GoldenValue | undefined): readonly GoldenValue[] {
  if (value === undefined || typeof value !== "object" || !isList(value)) throw new Error("goldens: not a list");
  return value;
}

function arraysOf(value: GoldenValue | undefined): GoldenArray[] {
  if (value === undefined || typeof value !== "object") throw new Error("goldens: no arrays");
  if (isArray(value)) return [value];
  return isList(value) ? value.flatMap(arraysOf) : Object.values(value as GoldenTree).flatMap(arraysOf); // a tree
}

interface Case {
  readonly label: string;
  /** The function's results, as a list, of its float arguments. */
  run(...floats: Tensor[]): Tensor[];
  readonly floats: readonly Tensor[];
  readonly result: readonly GoldenArray[];
  readonly grads: readonly GoldenArray[] | undefined;
}

function caseOf(label: string, value: GoldenValue): Case {
  const { fn, args, options, result, grads } = treeOf(value);
  const [, space = "", name = ""] = /^(.*)\.(.*)$/.exec(String(fn)) ?? [];
  const found: unknown =
    space === "at" ? atMethod(name) : Object.entries(spaces[space] ?? {}).find(([key]) => key === name)?.[1];
  if (typeof found !== "function") throw new Error(`${String(fn)} is not there`);
  const given = listOf(args).map(revive);
  const told = Object.fromEntries(Object.entries(treeOf(options)).map(([key, one]) => [key, revive(one)]));
  const all = Object.keys(told).length === 0 ? given : [...given, told];
  const floats: Tensor[] = [];
  const collect = (one: unknown): void => {
    if (one instanceof t.Tensor && one.dtype === "float32") floats.push(one);
    if (Array.isArray(one)) one.forEach(collect);
  };
  given.forEach(collect);
  const replace = (one: unknown, by: readonly Tensor[]): unknown => {
    if (Array.isArray(one)) return one.map((child) => replace(child, by));
    const place = one instanceof t.Tensor ? floats.indexOf(one) : -1;
    return place < 0 ? one : by[place];
  };
  return {
    label,
    run: (...by) => resultsOf(found(...all.map((one) => replace(one, by)))),
    floats,
    result: arraysOf(result),
    grads: grads === undefined ? undefined : arraysOf(grads),
  };
}

/** x.at(index).name(...rest) as a function of all. */
function atMethod(name: string): (x: Tensor, index: t.Index, ...rest: unknown[]) => unknown {
  return (x, index, ...rest) => {
    const method: unknown = Object.entries(t.at(x, index)).find(([key]) => key === name)?.[1];
    if (typeof method !== "function") throw new Error(`at has no ${name}`);
    return method(...rest);
  };
}

function resultsOf(value: unknown): Tensor[] {
  if (value instanceof t.Tensor) return [value];
  if (Array.isArray(value)) return value.flatMap(resultsOf);
  if (typeof value === "object" && value !== null) return Object.values(value).flatMap(resultsOf);
  throw new Error(`expected arrays, received ${String(value)}`);
}

async function expectGolden(found: readonly Tensor[], wanted: readonly GoldenArray[], what: string): Promise<void> {
  expect(found.length, what).toBe(wanted.length);
  for (const [k, golden] of wanted.entries()) {
    const tensor = found[k];
    expect([what, tensor?.shape, tensor?.dtype]).toEqual([what, golden.shape, dtypeOf(golden)]);
    const data = (await tensor?.data()) ?? [];
    expectClose(data, { shape: golden.shape, data: Array.from(golden.data) }, dtypeOf(golden), NEAR);
  }
}

/** 1, 1.5, 2, 1, … over all float results, one after the other. */
function weighted(results: readonly Tensor[]): Tensor {
  const flat = t.concatenate(results.filter((one) => one.dtype === "float32").map(t.ravel));
  const weights = Float32Array.from({ length: flat.size }, (_, i) => 1 + 0.5 * (i % 3));
  return t.sum(t.mul(flat, t.array(weights)));
}

const families = readdirSync(new URL("../goldens/", import.meta.url)).flatMap((file) => {
  const family = /^(structural-.*)\.json$/.exec(file)?.[1];
  return family === undefined ? [] : [family];
});

describe.each(families)("%s: what JAX gives", (family) => {
  useDevice();
  const cases = Object.entries(readGoldens(family)).map(([label, value]) => [label, value] as const);

  test.each(cases)("%s", async (label, value) => {
    const { run, floats, result, grads } = caseOf(label, value);
    await expectGolden(run(...floats), result, "eager");
    if (grads === undefined) return;
    const [, pull] = vjp((...xs: Tensor[]) => weighted(run(...xs)), ...floats);
    await expectGolden(pull(t.ones([])), grads, "gradient");
  });

  const TOGETHER = 12;
  const chunks = Array.from({ length: Math.ceil(cases.length / TOGETHER) }, (_, k) => k);
  test.each(chunks)("compiled, part %i", async (part) => {
    const some = cases.slice(part * TOGETHER, (part + 1) * TOGETHER).map(([label, value]) => caseOf(label, value));
    const all = jit((operands: Tensor[][]) => some.map(({ run }, k) => run(...(operands[k] ?? []))));
    const results = all(some.map(({ floats }) => [...floats]));
    for (const [k, { label, result }] of some.entries()) await expectGolden(results[k] ?? [], result, label);
  });
});
