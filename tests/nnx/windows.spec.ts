import { array, mul, ones, random, sum, tree, type Tensor } from "@jnx/tensor";
import { vjp } from "@jnx/autodiff";
import * as nnx from "@jnx/nnx";
import { useDevice } from "@jnx/testing";
import { describe, expect, it } from "vitest";
import { goldenArray, readGoldens, sampled, type GoldenTree } from "../goldens/read.ts";

useDevice();

interface Callable extends nnx.Module {
  call(x: Tensor, options?: object): Tensor;
}
type Case = readonly [make: (rngs: nnx.Rngs) => Callable, shape: readonly number[], options?: object];

const rngs = (): nnx.Rngs => new nnx.Rngs(3);
const FILE = "nnx-windows";
const some = nnx.initializers.normal(1);
const both = { scaleInit: some, biasInit: some };
const line = [1, 0, 1, 1].map((kept) => [kept === 1]);
const mask = (values: boolean[][]): Tensor => array([values]);

const layers: Readonly<Record<string, Case>> = {
  "Conv 3x3": [(rngs) => new nnx.Conv(3, 4, [3, 3], { rngs }), [2, 6, 5, 3]],
  "Conv int kernel, no bias": [(rngs) => new nnx.Conv(3, 2, 4, { useBias: false, rngs }), [2, 7, 3]],
  "Conv strides 2 VALID": [(rngs) => new nnx.Conv(2, 4, [3, 2], { strides: 2, padding: "VALID", rngs }), [1, 7, 6, 2]],
  "Conv groups, dilated": [
    (rngs) => new nnx.Conv(4, 6, [3], { kernelDilation: 2, featureGroupCount: 2, rngs }),
    [2, 8, 4],
  ],
  "Conv depthwise": [(rngs) => new nnx.Conv(4, 4, [3, 3], { featureGroupCount: 4, padding: 1, rngs }), [1, 5, 5, 4]],
  "Conv input dilation": [
    (rngs) => new nnx.Conv(2, 3, [2, 3], { inputDilation: [2, 1], padding: [[1, 0], 2], rngs }),
    [1, 4, 5, 2],
  ],
  "Conv CIRCULAR": [(rngs) => new nnx.Conv(2, 3, [3, 4], { padding: "CIRCULAR", rngs }), [1, 5, 6, 2]],
  "Conv REFLECT": [(rngs) => new nnx.Conv(2, 3, [5], { padding: "REFLECT", rngs }), [1, 6, 2]],
  "Conv CAUSAL": [(rngs) => new nnx.Conv(2, 3, [3], { kernelDilation: 2, padding: "CAUSAL", rngs }), [1, 6, 2]],
  "Conv mask": [
    (rngs) => {
      const kept = Array.from({ length: 3 }, () => Array.from({ length: 4 }, (_, i) => [1, i > 0 ? 1 : 0]));
      return new nnx.Conv(4, 2, [3], { mask: array(kept), rngs });
    },
    [1, 6, 4],
  ],
  "Conv no batch": [(rngs) => new nnx.Conv(2, 3, [3], { rngs }), [6, 2]],
  "Conv two batch axes": [(rngs) => new nnx.Conv(2, 3, [3], { rngs }), [2, 3, 5, 2]],
  "Conv 3-D": [(rngs) => new nnx.Conv(2, 3, [2, 2, 2], { strides: [1, 2, 1], rngs }), [1, 3, 4, 3, 2]],
  "ConvTranspose SAME": [(rngs) => new nnx.ConvTranspose(3, 4, [3, 3], { strides: [2, 2], rngs }), [1, 4, 3, 3]],
  "ConvTranspose VALID": [
    (rngs) => new nnx.ConvTranspose(2, 3, [4], { strides: 3, padding: "VALID", rngs }),
    [2, 4, 2],
  ],
  "ConvTranspose transposed": [
    (rngs) => new nnx.ConvTranspose(2, 3, [3], { strides: 2, transposeKernel: true, kernelDilation: 2, rngs }),
    [1, 4, 2],
  ],
  "ConvTranspose pairs": [
    (rngs) => new nnx.ConvTranspose(2, 3, [3], { strides: 2, padding: [[1, 2]], rngs }),
    [1, 4, 2],
  ],
  "ConvTranspose CIRCULAR": [
    (rngs) => new nnx.ConvTranspose(2, 3, [4, 3], { strides: [2, 1], padding: "CIRCULAR", rngs }),
    [1, 3, 4, 2],
  ],
  "ConvTranspose CIRCULAR transposed": [
    (rngs) => new nnx.ConvTranspose(2, 3, [4], { strides: 2, padding: "CIRCULAR", transposeKernel: true, rngs }),
    [1, 3, 2],
  ],
  BatchNorm: [(rngs) => new nnx.BatchNorm(3, { ...both, rngs }), [4, 3]],
  "BatchNorm images, exact variance": [
    (rngs) => new nnx.BatchNorm(4, { useFastVariance: false, momentum: 0.9, rngs }),
    [2, 3, 3, 4],
  ],
  "BatchNorm axis 1, no scale": [
    (rngs) => new nnx.BatchNorm(5, { axis: 1, useScale: false, biasInit: some, rngs }),
    [4, 5, 2],
  ],
  "BatchNorm mask": [(rngs) => new nnx.BatchNorm(3, { rngs }), [2, 4, 3], { mask: line }],
  "BatchNorm evaluated": [
    (rngs) => {
      const norm = new nnx.BatchNorm(3, { ...both, rngs });
      norm.call(random.normal(random.key(5), [4, 3]));
      norm.eval();
      return norm;
    },
    [4, 3],
  ],
  LayerNorm: [(rngs) => new nnx.LayerNorm(6, { ...both, rngs }), [4, 6]],
  "LayerNorm exact, no bias": [
    (rngs) => new nnx.LayerNorm(6, { useBias: false, useFastVariance: false, scaleInit: some, rngs }),
    [2, 3, 6],
  ],
  "LayerNorm axes": [
    (rngs) => new nnx.LayerNorm(4, { reductionAxes: [1, 2], featureAxes: 1, ...both, rngs }),
    [3, 4, 5],
  ],
  "LayerNorm mask": [(rngs) => new nnx.LayerNorm(8, { rngs }), [2, 4, 8], { mask: line.map(() => [true]) }],
  RMSNorm: [(rngs) => new nnx.RMSNorm(6, { scaleInit: some, rngs }), [4, 6]],
  "RMSNorm no scale": [(rngs) => new nnx.RMSNorm(6, { useScale: false, epsilon: 0.1, rngs }), [4, 6]],
  GroupNorm: [(rngs) => new nnx.GroupNorm(6, { numGroups: 3, ...both, rngs }), [2, 3, 4, 6]],
  "GroupNorm size": [(rngs) => new nnx.GroupNorm(16, { numGroups: null, groupSize: 8, ...both, rngs }), [3, 16]],
  InstanceNorm: [(rngs) => new nnx.InstanceNorm(3, { ...both, rngs }), [2, 4, 2, 3]],
};

const pools: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  avgPool: (x) => nnx.avgPool(x, [2, 2], { strides: [2, 2] }),
  "avgPool SAME": (x) => nnx.avgPool(x, [3, 2], { strides: [2, 1], padding: "SAME" }),
  "avgPool counted": (x) => {
    const padding = [[1, 1] as const, [0, 2] as const];
    return nnx.avgPool(x, [3, 2], { strides: [2, 1], padding, countIncludePad: false });
  },
  "avgPool counted, no batch": (x) => nnx.avgPool(x, [3], { padding: "SAME", countIncludePad: false }),
  maxPool: (x) => nnx.maxPool(x, [2, 2], { strides: [2, 2] }),
  "maxPool SAME": (x) => nnx.maxPool(x, [3, 3], { strides: [2, 2], padding: "SAME" }),
  "maxPool no batch": (x) => nnx.maxPool(x, [3]),
  minPool: (x) => {
    const padding = [[1, 0] as const, [0, 1] as const];
    return nnx.minPool(x, [2, 3], { padding });
  },
};

/** Relative for large numbers. Where a window holds nothing both say NaN. */
function distance(ours: number, theirs: number): number {
  if (Number.isNaN(ours) && Number.isNaN(theirs)) return 0;
  return Math.abs(ours - theirs) / (1 + Math.abs(theirs));
}

async function expectGolden(found: Tensor, path: readonly string[], tolerance = 5e-5): Promise<void> {
  const golden = goldenArray(FILE, ...path);
  expect([path.join(" "), found.shape]).toEqual([path.join(" "), golden.shape]);
  const values = sampled(await found.data(), golden);
  const worst = Math.max(0, ...values.map((value, k) => distance(value, golden.data[k] ?? NaN)));
  expect(worst, path.join(" ")).toBeLessThanOrEqual(tolerance);
}

async function expectTree(found: nnx.State, path: readonly string[]): Promise<void> {
  const flat = [...nnx.toFlatState(found)].map(([at, leaf]) => [at.join("."), leaf] as const);
  const names = Object.keys(branch(path));
  expect(flat.map(([name]) => name).sort()).toEqual(names.sort());
  for (const [name, leaf] of flat) {
    const [value] = tree.leaves(leaf instanceof nnx.Variable ? leaf.value : leaf);
    await expectGolden(value as Tensor, [...path, name]); // these layers' states hold arrays
  }
}

function branch([name = "", part = ""]: readonly string[]): GoldenTree {
  const found = (readGoldens(FILE)[name] as GoldenTree)[part]; // each case is a tree of trees and arrays
  return (found ?? {}) as GoldenTree; // "params", "grads" and "stats" are trees
}

describe("parameters, outputs, statistics and gradients are Flax's", () => {
  it.each(Object.entries(layers))("%s", async (name, [make, shape, options]) => {
    const layer = make(rngs());
    const x = random.normal(random.key(1), shape);
    const wanted = options !== undefined && "mask" in options ? { mask: mask(options.mask as boolean[][]) } : undefined; // as in the table above
    const run = (model: Callable, input: Tensor): Tensor =>
      wanted === undefined ? model.call(input) : model.call(input, wanted);
    await expectTree(nnx.state(layer, nnx.Param), [name, "params"]);
    const y = run(layer, x);
    await expectGolden(y, [name, "y"]);
    await expectTree(nnx.state(layer, nnx.BatchStat), [name, "stats"]);
    const ct = random.normal(random.key(2), y.shape);
    const loss = (model: Callable, input: Tensor): Tensor => sum(mul(run(model, input), ct));
    const [grads, dx] = nnx.grad(loss, { argnums: [0, 1] })(layer, x);
    await expectTree(grads as nnx.State, [name, "grads"]); // of a module
    await expectGolden(dx as Tensor, [name, "dx"]); // of an array
  });

  it.each(Object.entries(pools))("%s", async (name, f) => {
    const x = random.normal(random.key(1), name.includes("no batch") ? [7, 2] : [2, 5, 6, 3]);
    const [y, pull] = vjp(f, x);
    await expectGolden(y, [name, "y"]);
    const [dx] = pull(random.normal(random.key(2), y.shape));
    await expectGolden(dx, [name, "dx"]);
  });
});

describe("what does not fit is refused", () => {
  const given = rngs();
  it.each<readonly [() => unknown, RegExp]>([
    [
      () => new nnx.Conv(3, 4, [3], { rngs: given }).call(ones([1, 5, 2])),
      /Conv: expected .*3\], received \[1, 5, 2\]/,
    ],
    [
      () => new nnx.Conv(3, 4, [3], { featureGroupCount: 2, rngs: given }),
      /Conv: featureGroupCount 2 does not divide 3/,
    ],
    [
      () => new nnx.Conv(2, 2, [3, 3], { padding: "CAUSAL", rngs: given }).call(ones([1, 5, 5, 2])),
      /Conv: CAUSAL padding is for one spatial axis/,
    ],
    [
      () => new nnx.Conv(2, 2, [3, 3], { padding: [1], rngs: given }).call(ones([1, 5, 5, 2])),
      /Conv: padding is a name, a number/,
    ],
    [
      () => new nnx.Conv(2, 2, [3], { mask: ones([3, 2]), rngs: given }).call(ones([1, 5, 2])),
      /Conv: the mask needs the kernel's shape \[3, 2, 2\], received \[3, 2\]/,
    ],
    [
      () => new nnx.ConvTranspose(2, 2, [3], { padding: "REFLECT", rngs: given }).call(ones([1, 5, 2])),
      /ConvTranspose: padding is "SAME", "VALID", "CIRCULAR"/,
    ],
    [
      () => new nnx.BatchNorm(2, { useRunningAverage: null, rngs: given }).call(ones([3, 2])),
      /BatchNorm: useRunningAverage is not set; .*model.train\(\), model.eval\(\)/,
    ],
    [() => new nnx.GroupNorm(6, { rngs: given }), /GroupNorm: 32 groups do not divide 6 features/],
    [() => new nnx.GroupNorm(6, { groupSize: 3, rngs: given }), /GroupNorm: takes numGroups or groupSize, one of them/],
    [
      () => new nnx.InstanceNorm(3, { featureAxes: 0, rngs: given }).call(ones([3, 2])),
      /InstanceNorm: axis 0 is the batch/,
    ],
    [() => nnx.maxPool(ones([3]), [2]), /pool: a window of 1 axes .* received \[3\]/],
  ])("%#", (run, message) => {
    expect(run).toThrow(message);
  });
});
