/** Arguments of layers that the other specs leave out: 16-bit dtypes, named axes, functions in the place of products. */
import { grad, vmap } from "@jnx/autodiff";
import * as nnx from "@jnx/nnx";
import {
  array,
  astype,
  convGeneralDilated,
  dotGeneral,
  einsum,
  mean,
  mul,
  ones,
  power,
  square,
  sum,
} from "@jnx/tensor";
import { convolve, dot, matmul, tensordot, transpose } from "@jnx/tensor";
import type { DType, PrecisionLike, Tensor } from "@jnx/tensor";
import { useDevice } from "@jnx/testing";
import { describe, expect, it } from "vitest";
import { goldenArray, readGoldens, type GoldenTree } from "../goldens/read.ts";

useDevice();

const file = "nnx-arguments";
const rngs = (): nnx.Rngs => new nnx.Rngs(5);
const BF16 = "bfloat16";

interface Callable extends nnx.Module {
  call(x: Tensor): Tensor;
}

function input(name: string, dtype: DType = "float32"): Tensor {
  const { data, shape } = goldenArray(file, name, "input");
  return array(data as Float32Array, { shape, dtype }); // the scripts write float32
}

async function expectClose(found: Tensor, path: readonly string[], tolerance = 5e-6): Promise<void> {
  const { data, shape } = goldenArray(file, ...path);
  expect(found.shape, path.join(" ")).toEqual(shape);
  Array.from(await found.data()).forEach((value, k) => {
    const wanted = data[k] ?? Number.NaN;
    expect(Math.abs(value - wanted), `${path.join(" ")} ${k}: ${value} for ${wanted}`).toBeLessThanOrEqual(
      tolerance * (1 + Math.abs(wanted)),
    );
  });
}

const half = (): { readonly dtype: "bfloat16"; readonly rngs: nnx.Rngs } => ({ dtype: BF16, rngs: rngs() });
const wide = (): { readonly dtype: "bfloat16"; readonly preferredElementType: "float32"; readonly rngs: nnx.Rngs } => ({
  ...half(),
  preferredElementType: "float32",
});

/** The layer, and the dtype of its input. */
const dtypes: Readonly<Record<string, readonly [make: () => Callable, given?: DType]>> = {
  "Linear bfloat16": [() => new nnx.Linear(6, 4, half())],
  "Linear preferred": [() => new nnx.Linear(6, 4, wide())],
  "LinearGeneral preferred": [() => new nnx.LinearGeneral(6, [2, 2], wide())],
  "Einsum preferred": [() => new nnx.Einsum("ab,bc->ac", [6, 4], wide())],
  "Conv preferred": [() => new nnx.Conv(6, 4, [2, 2], wide())],
  "ConvTranspose preferred": [() => new nnx.ConvTranspose(6, 4, [2, 2], wide())],
  "PReLU bfloat16": [() => new nnx.PReLU(), BF16],
  "LayerNorm bfloat16": [() => new nnx.LayerNorm(6, half())],
  "LayerNorm bfloat16 input": [() => new nnx.LayerNorm(6, { paramDtype: BF16, rngs: rngs() }), BF16],
  "LayerNorm float32 parameters": [() => new nnx.LayerNorm(6, { rngs: rngs() }), BF16],
  "RMSNorm bfloat16": [() => new nnx.RMSNorm(6, half())],
  "GroupNorm bfloat16": [() => new nnx.GroupNorm(6, { numGroups: 2, ...half() })],
  "InstanceNorm bfloat16": [() => new nnx.InstanceNorm(6, half())],
  "BatchNorm bfloat16": [() => new nnx.BatchNorm(6, half())],
  "BatchNorm bfloat16 evaluated": [() => new nnx.BatchNorm(6, { useRunningAverage: true, ...half() })],
};

describe("dtypes", () => {
  it.each(Object.entries(dtypes))("%s", async (name, [make, given]) => {
    const layer = make();
    const y = layer.call(input(name, given));
    const golden = readGoldens(file)[name] as GoldenTree; // a case is a record
    expect(y.dtype).toBe(golden["dtype"]);
    // A product of 16-bit operands is exact in float32; what is rounded to 16 bits may go the other way at a tie.
    await expectClose(astype(y, "float32"), [name, "output"], y.dtype === BF16 ? 8e-3 : 2e-5);
    // As above.
    for (const statistic of Object.keys(golden["after"] as GoldenTree)) {
      // As above; a Variable of the layer.
      const variable = Reflect.get(layer, statistic) as nnx.BatchStat;
      expect(variable.value.dtype).toBe("float32");
      await expectClose(variable.value, [name, "after", statistic]);
    }
  });

  it("Linear: parameters, output and gradients", async () => {
    const layer = new nnx.Linear(3, 4, { biasInit: nnx.initializers.normal(1), rngs: rngs() });
    await expectClose(layer.kernel.value, ["Linear", "params", "kernel"]);
    const x = input("Linear");
    const grads = nnx.grad((one: nnx.Linear) => mean(square(one.call(x))))(layer);
    await expectClose(grads.kernel.value, ["Linear", "grads", "kernel"]);
    await expectClose(grads.bias?.value ?? ones([]), ["Linear", "grads", "bias"]);
  });
});

const axes: Readonly<Record<string, () => Callable>> = {
  "BatchNorm axis": () => new nnx.BatchNorm(6, { axisName: "d", rngs: rngs() }),
  "BatchNorm axis, exact": () => new nnx.BatchNorm(6, { axisName: "d", useFastVariance: false, rngs: rngs() }),
  "LayerNorm axis": () => new nnx.LayerNorm(6, { axisName: "d", rngs: rngs() }),
  "RMSNorm axis": () => new nnx.RMSNorm(6, { axisName: "d", rngs: rngs() }),
};

describe("statistics of a named axis", () => {
  it.each(Object.entries(axes))("%s", async (name, make) => {
    const f = vmap((one: Tensor) => make().call(one), { axisName: "d" });
    const x = input(name);
    await expectClose(f(x), [name, "output"], 1e-5);
    await expectClose(grad((v: Tensor) => sum(power(f(v), 3)))(x), [name, "grad"], 2e-4);
  });

  it("groups share theirs alone", async () => {
    const x = array([[[1]], [[3]], [[10]], [[30]]], { dtype: "float32" });
    const make = (groups: readonly (readonly number[])[]): Callable =>
      new nnx.BatchNorm(1, { axisName: "d", axisIndexGroups: groups, epsilon: 0, rngs: rngs() });
    const run = (groups: readonly (readonly number[])[]): Tensor =>
      vmap((one: Tensor) => make(groups).call(one), { axisName: "d" })(x);
    const found = Array.from(
      await run([
        [0, 1],
        [2, 3],
      ]).data(),
    );
    [-1, 1, -1, 1].forEach((wanted, k) => expect(found[k]).toBeCloseTo(wanted, 4));
    expect(() => run([[0, 1], [2]])).toThrow(/BatchNorm: axisIndexGroups must hold each of the 4 examples once/);
    expect(() => new nnx.LayerNorm(1, { axisName: "d", rngs: rngs() }).call(ones([2, 1]))).toThrow(
      /no axis is named "d"/,
    );
  });

  it("running averages of a shared BatchNorm are those of all examples", async () => {
    const norm = new nnx.BatchNorm(1, { axisName: "d", momentum: 0, rngs: rngs() });
    const step = nnx.vmap((layer: nnx.BatchNorm, x: Tensor) => layer.call(x), { inAxes: [null, 0], axisName: "d" });
    step(norm, array([[[1]], [[3]]], { dtype: "float32" }));
    expect(await norm.mean.value.toArray()).toEqual([2]);
    expect(await norm.var.value.toArray()).toEqual([1]);
  });
});

describe("functions in the place of the layers' own", () => {
  const x = (): Tensor => ones([2, 3]);
  const seen: string[] = [];
  const noting: nnx.PromoteDtype = (operands, dtype) => {
    seen.push(String(dtype));
    return operands;
  };
  const twice: nnx.DotGeneral = (a, b, numbers, options) => mul(2, dotGeneral(a, b, numbers, options));

  it("promoteDtype is asked with the layer's dtype", () => {
    seen.length = 0;
    const options = { promoteDtype: noting, rngs: rngs() };
    new nnx.Linear(3, 2, options).call(x());
    new nnx.LinearGeneral(3, 2, { ...options, dtype: "float32" }).call(x());
    new nnx.Einsum("ab,bc->ac", [3, 2], options).call(x());
    new nnx.Embed(4, 2, options).call(array([1]));
    new nnx.Conv(3, 2, 2, options).call(x());
    new nnx.ConvTranspose(3, 2, 2, options).call(x());
    new nnx.LayerNorm(3, options).call(x());
    new nnx.BatchNorm(3, options).call(x());
    new nnx.GroupNorm(3, { ...options, numGroups: 1 }).call(x());
    new nnx.LoRA(3, 1, 2, options).call(x());
    new nnx.PReLU({ promoteDtype: noting, dtype: "float32" }).call(x());
    const cell = new nnx.GRUCell(3, 2, options);
    cell.call(ones([2, 2]), x());
    expect(seen).toEqual([
      ...["undefined", "float32", "undefined", "float32", "undefined", "undefined"],
      ...["undefined", "undefined", "undefined", "undefined", "float32", "undefined", "undefined"],
    ]);
  });

  it("products", async () => {
    const total = async (layer: Callable, input = x()): Promise<unknown> => sum(layer.call(input)).item();
    const same = async (own: Callable, usual: Callable, input = x()): Promise<void> =>
      expect(Number(await total(own, input))).toBeCloseTo(2 * Number(await total(usual, input)), 5);
    const r = (): { readonly rngs: nnx.Rngs } => ({ rngs: rngs() });
    await same(new nnx.Linear(3, 2, { ...r(), dotGeneral: twice }), new nnx.Linear(3, 2, r()));
    await same(new nnx.LinearGeneral(3, 2, { ...r(), dotGeneral: twice }), new nnx.LinearGeneral(3, 2, r()));
    await same(new nnx.LinearGeneral(3, 2, { ...r(), dotGeneralCls: () => twice }), new nnx.LinearGeneral(3, 2, r()));
    const doubled: nnx.EinsumOp = (text, a, b, options) => mul(2, einsum(text, a, b, options));
    const equation = "ab,bc->ac";
    await same(new nnx.Einsum(equation, [3, 2], { ...r(), einsumOp: doubled }), new nnx.Einsum(equation, [3, 2], r()));
    const conv: nnx.ConvGeneralDilated = (a, b, options) => mul(2, convGeneralDilated(a, b, options));
    await same(new nnx.Conv(3, 2, 2, { ...r(), convGeneralDilated: conv }), new nnx.Conv(3, 2, 2, r()));
  });

  it("MultiHeadAttention hands its own to the projections", () => {
    seen.length = 0;
    const layer = new nnx.MultiHeadAttention({
      numHeads: 1,
      inFeatures: 3,
      decode: false,
      normalizeQk: true,
      qkvPromoteDtype: noting,
      outPromoteDtype: noting,
      lnPromoteDtype: noting,
      outDotGeneral: twice,
      outKernelMetadata: { which: "out" },
      queryLnScaleMetadata: { which: "query" },
      rngs: rngs(),
    });
    layer.call(ones([1, 2, 3]));
    expect(seen.length).toBe(6);
    expect(layer.out.kernel.metadata).toMatchObject({ which: "out" });
    expect(layer.queryLn?.scale?.metadata).toMatchObject({ which: "query" });
  });

  it("a cell's first carry and its own stream", async () => {
    const cell = new nnx.SimpleCell(3, 2, { carryInit: nnx.initializers.ones, keepRngs: true, rngs: rngs() });
    expect(await cell.initializeCarry([1, 3]).toArray()).toEqual([[1, 1]]);
    expect(await cell.initializeCarry([1, 3], { carryInit: nnx.initializers.zeros }).toArray()).toEqual([[0, 0]]);
    // The carry's key comes before those of the parameters, as in Flax.
    expect(await cell.rngs?.count.value.item()).toBe(2);
  });

  it("precision: JAX's names, alone or for both operands, change nothing; others are refused", async () => {
    const names = [
      "default",
      "bfloat16",
      "fastest",
      "high",
      "bfloat16_3x",
      "tensorfloat32",
      "highest",
      "float32",
    ] as const;
    const some = [null, ...names, ["default", "highest"]] as const;
    const wrong = ["exact", "HIGHEST", 3, ["high"], ["high", "high", "high"], [null, "high"]] as never[]; // no precisions
    const layers = (precision: PrecisionLike | undefined): [string, Callable, Tensor][] => {
      const given = { precision, rngs: rngs() };
      return [
        ["Linear", new nnx.Linear(3, 2, given), x()],
        ["LinearGeneral", new nnx.LinearGeneral(3, 2, given), x()],
        ["Einsum", new nnx.Einsum("ab,bc->ac", [3, 2], given), x()],
        ["Conv", new nnx.Conv(3, 2, 2, given), x()],
        ["ConvTranspose", new nnx.ConvTranspose(3, 2, 2, given), x()],
        [
          "MultiHeadAttention",
          new nnx.MultiHeadAttention({ numHeads: 1, inFeatures: 3, decode: false, ...given }),
          x(),
        ],
      ];
    };
    const functions: Readonly<Record<string, (precision: PrecisionLike | undefined) => Tensor>> = {
      matmul: (precision) => matmul(x(), transpose(x()), { precision }),
      dot: (precision) => dot(x(), transpose(x()), { precision }),
      einsum: (precision) => einsum("ab,cb->ac", x(), x(), { precision }),
      tensordot: (precision) => tensordot(x(), x(), 2, { precision }),
      convolve: (precision) => convolve(array([1, 2]), array([3, 4]), { precision }),
      convGeneralDilated: (precision) => convGeneralDilated(ones([1, 1, 3]), ones([1, 1, 2]), { precision }),
      dotProductAttention: (precision) =>
        nnx.dotProductAttention(ones([2, 1, 3]), ones([2, 1, 3]), ones([2, 1, 3]), { precision }),
    };
    const usual = layers(undefined).map(([, layer, input]) => layer.call(input));
    for (const precision of some) {
      for (const [k, [, layer, input]] of layers(precision).entries())
        expect(await layer.call(input).toArray()).toEqual(await usual[k]?.toArray());
      for (const f of Object.values(functions))
        expect(await f(precision).toArray()).toEqual(await f(undefined).toArray());
    }
    for (const precision of wrong) {
      expect(() => layers(precision)).toThrow(/Linear: precision is null, "default", .*, received/);
      for (const [name, f] of Object.entries(functions))
        expect(() => f(precision)).toThrow(new RegExp(`${name}: precision is null, .* all are made in float32`));
    }
  });

  it("refuses what it cannot do", () => {
    const cell = new nnx.GRUCell(1, 1, { rngs: rngs() });
    expect(() => new nnx.RNN(cell, { unroll: 0 })).toThrow(/unroll must be a whole number/);
    const scanned = new nnx.StateAxes([[nnx.Everything(), 0]]);
    expect(() => new nnx.RNN(cell, { stateAxes: scanned })).toThrow(/other than nnx.Carry are not there/);
  });
});
