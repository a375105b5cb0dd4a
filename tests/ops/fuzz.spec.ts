import { generator, useDevice } from "@jnx/testing";
import * as t from "@jnx/tensor";
import { describe, expect, test } from "vitest";

/** Calls of each function: enough to meet most pairs of wrong arguments. */
const CALLS = 60;

/** Exports that take no arrays, or whose business is the device. */
const OTHERS = [
  "array",
  "checkpointName",
  "counters",
  "executor",
  "hasExecutor",
  "memory",
  "promote",
  "setExecutor",
  "webgpuExecutor",
];

type AnyFunction = (...args: unknown[]) => unknown;

/** Those of the distributions as norm.pdf, and what is beside them. */
const stats = Object.entries(t.scipyStats).flatMap(([space, one]): [string, unknown][] =>
  typeof one === "function"
    ? [[space, one]]
    : Object.entries(one).map(([name, fn]): [string, unknown] => [`${space}.${name}`, fn]),
);

const every: [string, unknown][] = Object.entries({ ...t, ...t.scipyLinalg, ...t.laxLinalg, ...t.linalg });
const functions = [...every, ...stats]
  .filter(([name, value]) => typeof value === "function" && /^[a-z]/.test(name) && !OTHERS.includes(name))
  // Exports that start with a small letter and are functions can be called with anything.
  .map(([name, value]) => [name, value as AnyFunction] as const);

/** What people pass by mistake, and what they mean to pass: arrays of all sorts, numbers, and things that are neither. */
const makers: readonly (() => unknown)[] = [
  () => t.array([1, 2, 3]),
  () =>
    t.array([
      [1.5, -2],
      [0, NaN],
    ]),
  () => t.array([[true, false, true]]),
  () => t.array(new Uint32Array([0, 4294967295])),
  () => t.zeros([0, 3]),
  () => t.ones([2, 3, 4]),
  () => t.array([0, -5, 7]),
  () => t.transpose(t.ones([3, 2])),
  () => t.full([], 2.5),
  () => 0,
  () => 1,
  () => -1,
  () => 2.5,
  () => NaN,
  () => Infinity,
  () => 1e9,
  () => true,
  () => "sum",
  () => "float64",
  () => "",
  () => "ij,jk->ik",
  () => undefined,
  () => null,
  () => [],
  () => [0],
  () => [2, 3],
  () => [-1, 0.5],
  () => [[1, 2], [3]],
  () => [t.ones([2]), t.ones([3])],
  () => ({}),
  () => ({ axis: 7 }),
  () => ({ axis: 0.5 }),
  () => ({ axis: "0", keepdims: 3, dtype: "float64", mode: "none", ord: "nuc" }),
  () => ({ axis: [0, 0] }),
  () => ({ offsetDims: [1], collapsedSliceDims: [0], startIndexMap: [0] }),
  () => ({ updateWindowDims: [1], insertedWindowDims: [0], scatterDimsToOperandDims: [0, 9] }),
  () => t.array([[0], [5]]),
  () => () => 1,
  () => new Float32Array([1, 2]),
  () => new Date(0),
  () => 10n,
];

/** An error that is not ours, told with the call that made it; a result is queued work and need not be read, a promise is awaited. */
async function wrong(name: string, call: AnyFunction, args: readonly unknown[]): Promise<string[]> {
  try {
    await call(...args);
    return [];
  } catch (error) {
    if (error instanceof t.JnxError) return [];
    return [`${name}(${args.map(shown).join(", ")}): ${String(error)}`];
  }
}

function shown(value: unknown): string {
  if (value instanceof t.Tensor) return `${value.dtype}[${value.shape.join(", ")}]`;
  if (Array.isArray(value)) return `[${value.map(shown).join(", ")}]`;
  return typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);
}

describe("wrong arguments throw our errors, at the call", () => {
  useDevice();

  test.each(functions)("%s", async (name, call) => {
    const next = generator(name.length * 977 + name.charCodeAt(0));
    const pick = (): unknown => makers[Math.floor(next() * makers.length)]?.();
    const found: string[] = [];
    for (let k = 0; k < CALLS; k++) {
      const args = Array.from({ length: k % 4 }, pick);
      // Half of the calls have an array first, so that later arguments are reached.
      const given = k % 8 < 4 || args.length === 0 ? args : [t.ones([2, 3]), ...args.slice(1)];
      found.push(...(await wrong(name, call, given)));
    }
    expect(found.slice(0, 6), `${found.length} of ${CALLS} calls`).toEqual([]);
    // The device still computes.
    expect(await t.sum(t.mul(t.arange(4), 2)).item()).toBe(12);
  });
});
