import { array, laxSlice, mul, ones, random, sum, zeros, type Tensor } from "@jnx/tensor";
import * as nnx from "@jnx/nnx";
import { useDevice } from "@jnx/testing";
import { describe, expect, it } from "vitest";
import { goldenArray, readGoldens, sampled, type GoldenTree } from "../goldens/read.ts";

useDevice();

const FILE = "nnx-attention";
const causal = (): Tensor => nnx.makeCausalMask(ones([2, 5]));

interface Case {
  readonly options: Omit<nnx.MultiHeadAttentionOptions, "rngs">;
  readonly kvFeatures?: number;
  call?(): nnx.AttentionCallOptions;
}

const layers: Readonly<Record<string, Case>> = {
  plain: { options: { numHeads: 2, inFeatures: 6 } },
  causal: { options: { numHeads: 2, inFeatures: 6, useBias: false }, call: () => ({ isCausal: true }) },
  "mask, sizes": {
    options: { numHeads: 3, inFeatures: 6, qkvFeatures: 12, outFeatures: 4 },
    call: () => ({ mask: causal() }),
  },
  "cross, grouped": {
    options: { numHeads: 4, inFeatures: 6, qkvFeatures: 8, numKvHeads: 2, inKvFeatures: 3 },
    kvFeatures: 3,
  },
  normalized: { options: { numHeads: 2, inFeatures: 6, normalizeQk: true } },
  dropout: { options: { numHeads: 2, inFeatures: 6, dropoutRate: 0.4, deterministic: false } },
  "dropout of each": {
    options: { numHeads: 2, inFeatures: 6, dropoutRate: 0.4, deterministic: false, broadcastDropout: false },
    call: () => ({ mask: causal() }),
  },
  "dropout switched off": { options: { numHeads: 2, inFeatures: 6, dropoutRate: 0.4, deterministic: true } },
};

function make(options: Case["options"]): nnx.MultiHeadAttention {
  return new nnx.MultiHeadAttention({
    decode: false,
    biasInit: nnx.initializers.normal(1),
    rngs: new nnx.Rngs(3),
    ...options,
  });
}

async function expectGolden(found: Tensor, path: readonly (string | number)[]): Promise<void> {
  const golden = goldenArray(FILE, ...path);
  expect([path.join(" "), found.shape]).toEqual([path.join(" "), golden.shape]);
  const values = sampled(await found.data(), golden);
  const worst = values.map(
    (value, k) => Math.abs(value - (golden.data[k] ?? NaN)) / (1 + Math.abs(golden.data[k] ?? NaN)),
  );
  expect(Math.max(0, ...worst), path.join(" ")).toBeLessThanOrEqual(3e-5);
}

const flax: Readonly<Record<string, string>> = {
  queryLn: "query_ln",
  keyLn: "key_ln",
  cachedKey: "cached_key",
  cachedValue: "cached_value",
  cacheIndex: "cache_index",
};

async function expectTree(found: nnx.State, name: string, part: string): Promise<void> {
  const flat = [...nnx.toFlatState(found)].map(
    ([path, leaf]) => [path.map((one) => flax[one] ?? one).join("."), leaf] as const,
  );
  const tree = (readGoldens(FILE)[name] as GoldenTree)[part] as GoldenTree; // each case is a tree of trees and arrays
  expect(flat.map(([path]) => path).sort()).toEqual(Object.keys(tree).sort());
  for (const [path, leaf] of flat) {
    const value = leaf instanceof nnx.Variable ? leaf.value : leaf;
    await expectGolden(value as Tensor, [name, part, path]); // attention's state holds arrays
  }
}

describe("MultiHeadAttention's parameters, outputs and gradients are Flax's", () => {
  it.each(Object.entries(layers))("%s", async (name, { options, kvFeatures, call }) => {
    const layer = make(options);
    const x = random.normal(random.key(1), [2, 5, 6]);
    const other = kvFeatures === undefined ? undefined : random.normal(random.key(4), [2, 7, kvFeatures]);
    const run = (m: nnx.MultiHeadAttention, input: Tensor): Tensor =>
      m.call(input, { ...call?.(), ...(other !== undefined && { inputsK: other }) });
    await expectTree(nnx.state(layer, nnx.Param), name, "params");
    const y = run(layer, x);
    await expectGolden(y, [name, "y"]);
    const ct = random.normal(random.key(2), y.shape);
    const loss = (m: nnx.MultiHeadAttention, input: Tensor): Tensor => sum(mul(run(m, input), ct));
    const [grads, dx] = nnx.grad(loss, { argnums: [0, 1] })(layer, x);
    await expectTree(grads as nnx.State, name, "grads"); // of a module
    await expectGolden(dx as Tensor, [name, "dx"]); // of an array
  });
});

describe("decoding", () => {
  it("position by position equals Flax's", async () => {
    const layer = make({ numHeads: 4, inFeatures: 6, qkvFeatures: 8, numKvHeads: 2, decode: true });
    layer.initCache([2, 4, 6]);
    const x = random.normal(random.key(1), [2, 4, 6]);
    for (let i = 0; i < 3; i++)
      await expectGolden(layer.call(laxSlice(x, [0, i, 0], [2, i + 1, 6])), ["decoded", "ys", i]);
    await expectTree(nnx.state(layer, nnx.Cache), "decoded", "cache");
  });

  it("takes one position, into a cache that is there", () => {
    const layer = make({ numHeads: 2, inFeatures: 6, decode: true });
    expect(() => layer.call(ones([2, 1, 6]))).toThrow(/MultiHeadAttention: there is no cache .* initCache/);
    layer.initCache([2, 4, 6]);
    expect(() => layer.call(ones([2, 2, 6]))).toThrow(/decoding takes one position, keys of \[2, 1, 2, 3\]/);
  });
});

describe("attention weights", () => {
  it("are sown where asked for", async () => {
    const layer = make({ numHeads: 2, inFeatures: 6 });
    layer.call(ones([1, 3, 6]), { sowWeights: true });
    const [weights] = [...nnx.toFlatState(nnx.pop(layer, nnx.Intermediate))];
    expect(weights?.[0]).toEqual(["attentionWeights"]);
  });

  it("masks", async () => {
    const real = array([[1, 1, 0]]);
    expect(await nnx.makeAttentionMask(real, array([[1, 0]]), { extraBatchDims: 1 }).toArray()).toEqual([
      [
        [
          [
            [1, 0],
            [1, 0],
            [0, 0],
          ],
        ],
      ],
    ]);
    const both = nnx.combineMasks([nnx.makeCausalMask(zeros([1, 3])), null, nnx.makeAttentionMask(real, real)], {
      dtype: "bool",
    });
    expect(await both?.toArray()).toEqual([
      [
        [
          [1, 0, 0],
          [1, 1, 0],
          [0, 0, 0],
        ],
      ],
    ]);
    expect(nnx.combineMasks([undefined, null])).toBeUndefined();
    expect(() => nnx.combineMasks([real, array([1])])).toThrow(
      /combineMasks: masks must have one rank, received \[1, 3\], \[1\]/,
    );
  });
});

describe("what does not fit is refused", () => {
  const x = ones([1, 3, 2, 4]);
  it.each<readonly [() => unknown, RegExp]>([
    [() => make({ numHeads: 4, inFeatures: 6 }), /4 heads do not divide 6 features/],
    [() => make({ numHeads: 3, numKvHeads: 2, inFeatures: 6 }), /numKvHeads 2 does not divide numHeads 3/],
    [() => make({ numHeads: 2, inFeatures: 6, decode: null }).call(ones([1, 3, 6])), /decode is not set/],
    [() => make({ numHeads: 2, inFeatures: 6, dropoutRate: 0.1 }).call(ones([1, 3, 6])), /deterministic is not set/],
    [
      () => make({ numHeads: 2, inFeatures: 6 }).call(ones([1, 3, 5])),
      /expected a last axis of 6, received \[1, 3, 5\]/,
    ],
    [
      () => make({ numHeads: 2, inFeatures: 6 }).call(ones([1, 3, 6]), { inputsV: ones([1, 3, 6]) }),
      /inputsV goes with inputsK/,
    ],
    [() => nnx.dotProductAttention(x, ones([1, 3, 2, 5]), ones([1, 3, 2, 5])), /must be of one depth/],
    [() => nnx.dotProductAttention(x, ones([1, 4, 2, 4]), x), /key and value in length/],
    [() => nnx.dotProductAttention(x, x, x, { dropoutRate: 0.5 }), /dropoutRng is needed/],
  ])("%#", (run, message) => {
    expect(run).toThrow(message);
  });
});
