import { array, ArgumentError, tree, type Tensor } from "@jnx/tensor";
import { jit } from "@jnx/compile";
import * as optax from "@jnx/optax";
import { useDevice } from "@jnx/testing";
import { describe, expect, it } from "vitest";
import { goldenArray } from "../goldens/read.ts";

useDevice();

const STEPS = 12;
const SHAPE = [2, 3];

const transformations: Record<string, () => optax.GradientTransformation<unknown[]>> = {
  sgd: () => optax.sgd(0.1),
  "sgd momentum": () => optax.sgd(0.1, { momentum: 0.9 }),
  "sgd nesterov": () => optax.sgd(0.1, { momentum: 0.9, nesterov: true }),
  "sgd cosine": () => optax.sgd(optax.cosineDecaySchedule(0.5, 8)),
  adam: () => optax.adam(0.1),
  "adam small": () => optax.adam(1e-3, { b1: 0.8, b2: 0.99, eps: 1e-6 }),
  nadam: () => optax.adam(0.1, { nesterov: true }),
  adamw: () => optax.adamw(0.1, { weightDecay: 0.01 }),
  "clip adam": () => optax.chain(optax.clipByGlobalNorm(1), optax.adam(0.1)),
};

/** A golden array's elements as an array on the device. */
function golden(file: string, name: string): Tensor {
  const { data, shape } = goldenArray(file, name);
  return array(data, { shape });
}

function gradient(step: number): Tensor {
  const { data } = goldenArray("optax-optimizers", "gradients");
  return array(Float32Array.from(data.subarray(step * 6, step * 6 + 6)), { shape: SHAPE });
}

/** The parameters after each step, one after the other. */
async function trajectory(
  tx: optax.GradientTransformation<unknown[]>,
  compile: (f: Step) => Step = (f) => f,
): Promise<number[]> {
  const step = compile((params, state, grads) => {
    const [updates, next] = tx.update(grads, state, params);
    return [optax.applyUpdates(params, updates), next];
  });
  let params = golden("optax-optimizers", "start");
  let state = tx.init(params);
  const found: number[] = [];
  for (let k = 0; k < STEPS; k++) {
    [params, state] = step(params, state, gradient(k));
    found.push(...(await params.data()));
  }
  return found;
}
type Step = (params: Tensor, state: unknown[], grads: Tensor) => [Tensor, unknown[]];

/** The largest difference, relative where the expected number is above 1. */
function worst(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(found.length).toBe(expected.length);
  return Math.max(...Array.from(expected, (e, k) => Math.abs((found[k] ?? Number.NaN) - e) / Math.max(1, Math.abs(e))));
}

describe("trajectories equal Optax's", () => {
  for (const [name, make] of Object.entries(transformations)) {
    it(name, async () => {
      const found = await trajectory(make());
      expect(worst(found, goldenArray("optax-optimizers", name).data)).toBeLessThan(2e-6);
    });
  }

  it("compiled as eager: adamw under jit", async () => {
    const found = await trajectory(optax.adamw(0.1, { weightDecay: 0.01 }), (f) => jit(f));
    expect(worst(found, goldenArray("optax-optimizers", "adamw").data)).toBeLessThan(2e-6);
  });
});

describe("trees", () => {
  it("state nests as Optax's does, with its field names", () => {
    const params = { layer: { kernel: array([1, 2]), bias: array([0.5]) } };
    const { paths } = tree.flattenWithPath(optax.adam(1e-3).init(params));
    expect(paths.map((path) => path.join("."))).toEqual([
      "0.count",
      "0.mu.layer.bias",
      "0.mu.layer.kernel",
      "0.nu.layer.bias",
      "0.nu.layer.kernel",
    ]);
  });

  it("globalNorm runs over all leaves", async () => {
    expect(await optax.globalNorm({ a: array([3]), b: [array([[4]])] }).item()).toBe(5);
  });

  it("a mask leaves parameters out of the decay", async () => {
    const params = { kernel: array([2]), bias: array([2]) };
    const tx = optax.addDecayedWeights(0.5, { mask: { kernel: true, bias: false } });
    const [updates] = tx.update({ kernel: array([0]), bias: array([0]) }, tx.init(params), params);
    expect([await updates.kernel.item(), await updates.bias.item()]).toEqual([1, 0]);
  });

  it("safeIncrement stops at the largest int32", async () => {
    expect(await optax.safeIncrement(array(2147483647)).item()).toBe(2147483647);
    expect(await optax.safeIncrement(array(4)).item()).toBe(5);
  });
});

describe("mistakes", () => {
  it("a NaN or infinite learning rate names function and value", () => {
    expect(() => optax.adam(Number.NaN)).toThrow(/adam: learningRate must be a finite number, received NaN/);
    expect(() => optax.sgd(Number.POSITIVE_INFINITY)).toThrow(/sgd: learningRate/);
    expect(() => optax.adamw(1e-3, { weightDecay: Number.NaN })).toThrow(/weightDecay/);
    expect(() => optax.scaleByAdam({ b1: Number.NaN })).toThrow(ArgumentError);
  });

  it("adamw without params says so", () => {
    const tx = optax.adamw(1e-3);
    const params = array([1]);
    expect(() => tx.update(params, tx.init(params))).toThrow(/update\(updates, state, params\)/);
  });

  it("gradients of another structure are refused", () => {
    const tx = optax.adam(1e-3);
    const state = tx.init({ a: array([1]) });
    expect(() => tx.update({ b: array([1]) }, state)).toThrow(/differ in structure/);
  });
});
