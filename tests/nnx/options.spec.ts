/** What plain JavaScript may get wrong: keys that no option has, and options that are no object. Types refuse both. */
import { grad } from "@jnx/autodiff";
import { array, ones, sum, type Tensor, unwrap } from "@jnx/tensor";
import * as nnx from "@jnx/nnx";
import * as optax from "@jnx/optax";
import { useDevice } from "@jnx/testing";
import { describe, expect, it } from "vitest";

useDevice();

const rngs = (): nnx.Rngs => new nnx.Rngs(0);
const twice = (x: Tensor): Tensor => x;
/** Options as plain JavaScript may give them. */
const odd = (options: unknown): never => options as never;

describe("a key that no option has", () => {
  const linear = (): nnx.Linear => new nnx.Linear(1, 1, { rngs: rngs() });
  it.each<readonly [name: string, key: string, run: () => unknown]>([
    ["Linear", "useBais", () => new nnx.Linear(3, 4, odd({ useBais: false, rngs: rngs() }))],
    ["LinearGeneral", "axes", () => new nnx.LinearGeneral(3, 4, odd({ axes: 0, rngs: rngs() }))],
    ["Einsum", "bias", () => new nnx.Einsum("ab,bc->ac", [1, 1], odd({ bias: [1], rngs: rngs() }))],
    ["Embed", "init", () => new nnx.Embed(3, 4, odd({ init: 0, rngs: rngs() }))],
    ["Conv", "stride", () => new nnx.Conv(1, 1, 3, odd({ stride: 2, rngs: rngs() }))],
    ["ConvTranspose", "stride", () => new nnx.ConvTranspose(1, 1, 3, odd({ stride: 2, rngs: rngs() }))],
    ["BatchNorm", "decay", () => new nnx.BatchNorm(1, odd({ decay: 0.9, rngs: rngs() }))],
    ["LayerNorm", "eps", () => new nnx.LayerNorm(1, odd({ eps: 1, rngs: rngs() }))],
    ["RMSNorm", "useBias", () => new nnx.RMSNorm(1, odd({ useBias: true, rngs: rngs() }))],
    ["InstanceNorm", "eps", () => new nnx.InstanceNorm(1, odd({ eps: 1, rngs: rngs() }))],
    ["GroupNorm", "groups", () => new nnx.GroupNorm(4, odd({ groups: 2, rngs: rngs() }))],
    ["WeightNorm", "axis", () => new nnx.WeightNorm(linear(), odd({ axis: 0, rngs: rngs() }))],
    ["SpectralNorm", "steps", () => new nnx.SpectralNorm(linear(), odd({ steps: 2, rngs: rngs() }))],
    ["Dropout", "train", () => new nnx.Dropout(0.5, odd({ train: true }))],
    ["Dropout.call", "train", () => new nnx.Dropout(0.5).call(ones([1]), odd({ train: true }))],
    ["PReLU", "slope", () => new nnx.PReLU(odd({ slope: 0.1 }))],
    ["LoRA", "base", () => new nnx.LoRA(1, 1, 1, odd({ base: linear(), rngs: rngs() }))],
    ["LoRALinear", "rank", () => new nnx.LoRALinear(1, 1, odd({ loraRank: 1, rank: 1, rngs: rngs() }))],
    ["MultiHeadAttention", "heads", () => new nnx.MultiHeadAttention(odd({ heads: 1, inFeatures: 1, rngs: rngs() }))],
    ["GRUCell", "gate", () => new nnx.GRUCell(1, 1, odd({ gate: twice, rngs: rngs() }))],
    ["RNN", "timeMajr", () => new nnx.RNN(new nnx.GRUCell(1, 1, { rngs: rngs() }), odd({ timeMajr: true }))],
    [
      "RNN.call",
      "lengths",
      () => new nnx.RNN(new nnx.GRUCell(1, 1, { rngs: rngs() })).call(ones([1, 2, 1]), odd({ lengths: [1] })),
    ],
    ["dotProductAttention", "causal", () => nnx.dotProductAttention(x4(), x4(), x4(), odd({ causal: true }))],
    ["avgPool", "stride", () => nnx.avgPool(ones([1, 4, 4, 1]), [2, 2], odd({ stride: [2, 2] }))],
    ["lecunNormal", "axis", () => nnx.initializers.lecunNormal(odd({ axis: 0 }))],
    ["jit", "staticArgnum", () => nnx.jit(twice, odd({ staticArgnum: 0 }))],
    ["grad", "argnum", () => nnx.grad(twice, odd({ argnum: 0 }))],
    ["valueAndGrad", "aux", () => nnx.valueAndGrad(twice, odd({ aux: true }))],
    ["vjp", "aux", () => nnx.vjp(twice, [ones([])], odd({ aux: true }))],
    ["jvp", "aux", () => nnx.jvp(twice, [ones([])], [ones([])], odd({ aux: true }))],
    ["vmap", "inAxis", () => nnx.vmap(twice, odd({ inAxis: 0 }))],
    ["scan", "len", () => nnx.scan(odd(twice), odd({ len: 3 }))],
    ["remat", "static", () => nnx.remat(twice, odd({ static: 0 }))],
    ["customVjp", "nondiff", () => nnx.customVjp(twice, odd({ nondiff: 0 }))],
    ["whileLoop", "max", () => nnx.whileLoop(odd(twice), odd(twice), odd(ones([])), odd({ max: 3 }))],
    ["foriLoop", "max", () => nnx.foriLoop(0, 1, odd(twice), odd(ones([])), odd({ max: 3 }))],
    ["checkify", "error", () => nnx.checkify(twice, odd({ error: [] }))],
    ["splitRngs", "split", () => nnx.splitRngs(rngs(), odd({ split: 2 }))],
    ["Optimizer", "what", () => new nnx.Optimizer(linear(), optax.sgd(1), odd({ what: nnx.Param }))],
    ["EMA", "filter", () => new nnx.EMA(linear(), 0.5, odd({ filter: nnx.Param }))],
    ["tabulate", "deep", () => nnx.tabulate(linear(), [ones([1, 1])], odd({ deep: 1 }))],
    ["view", "filter", () => nnx.view(linear(), {}, odd({ filter: nnx.Param }))],
    ["adam", "esp", () => optax.adam(1e-3, odd({ esp: 1 }))],
    ["adamw", "decay", () => optax.adamw(1e-3, odd({ decay: 1 }))],
    ["sgd", "nestrov", () => optax.sgd(1e-3, odd({ nestrov: true }))],
    ["lbfgs", "memory", () => optax.lbfgs(null, odd({ memory: 3 }))],
    ["contrib muon", "steps", () => optax.contrib.muon(0.1, odd({ steps: 3 }))],
    ["cosineDecaySchedule", "end", () => optax.cosineDecaySchedule(1, 10, odd({ end: 0 }))],
    ["huberLoss", "d", () => optax.huberLoss(array([1]), undefined, odd({ d: 1 }))],
    ["softmaxCrossEntropy", "axes", () => optax.softmaxCrossEntropy(ones([1, 2]), ones([1, 2]), odd({ axes: 0 }))],
  ])("%s: %s", (name, key, run) => {
    const own = name.split(" ").at(-1) ?? "";
    expect(run).toThrow(
      new RegExp(`^${own.replace(".", "\\.")}: there is no option "${key}"; there (is|are) |did you mean`),
    );
  });

  const x4 = (): Tensor => ones([1, 2, 1, 1]);
});

describe("a flag that is neither true nor false, a number that is none", () => {
  it.each<readonly [name: string, key: string, run: () => unknown]>([
    ["Linear", "useBias", () => new nnx.Linear(3, 4, odd({ useBias: "false", rngs: rngs() }))],
    ["Dropout.call", "deterministic", () => new nnx.Dropout(0.5).call(ones([1]), odd({ deterministic: 0 }))],
    ["sgd", "nesterov", () => optax.sgd(1e-3, odd({ nesterov: "no" }))],
    ["sum", "keepdims", () => sum(ones([1]), odd({ keepdims: "false" }))],
    ["grad", "hasAux", () => grad(twice, odd({ hasAux: 1 }))],
    ["unwrap", "period", () => unwrap(ones([3]), odd({ period: "6" }))],
  ])("%s: %s", (name, key, run) => {
    expect(run).toThrow(new RegExp(`^${name.replace(".", "\\.")}: ${key} is (true or false|a number), received `));
  });

  it("undefined is what was not said", async () => {
    expect(await sum(ones([2]), odd({ keepdims: undefined })).item()).toBe(2);
  });
});

describe("options that are no object", () => {
  it("are told where they go", () => {
    expect(() => new nnx.Linear(3, 4, odd(rngs()))).toThrow(
      /Linear: options go in an object such as \{ rngs: … \}, received/,
    );
    expect(() => new nnx.Linear(3, 4, odd(undefined))).toThrow(/Linear: options go in an object .* received undefined/);
    expect(() => nnx.jit(twice, odd(0))).toThrow(/jit: options go in an object such as \{ staticArgnums: … \}/);
    expect(() => optax.adam(0.1, odd(0.9))).toThrow(/adam: options go in an object such as \{ b1: … \}, received 0.9/);
  });

  it("another spelling is recognized", () => {
    expect(() => new nnx.Linear(3, 4, odd({ use_bias: false, rngs: rngs() }))).toThrow(/did you mean "useBias"\?/);
    expect(() => optax.adam(0.1, odd({ eps_root: 0 }))).toThrow(/did you mean "epsRoot"\?/);
  });
});
