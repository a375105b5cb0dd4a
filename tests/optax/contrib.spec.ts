/** optax.contrib, dtypes of memory and other special arguments against trajectories that the real Optax made. */
import { jit } from "@jnx/compile";
import * as optax from "@jnx/optax";
import { array, linalg, random, tree, type Tensor, type TensorLike } from "@jnx/tensor";
import { useDevice } from "@jnx/testing";
import { describe, expect, it } from "vitest";
import { goldenArray } from "../goldens/read.ts";

useDevice();

const file = "optax-contrib";
const { contrib: c } = optax;
const mask = { b: false, w: true };
const BF16 = "bfloat16";

type Any = optax.GradientTransformation;

/** Each is only given back the state that it made. */
function any<S>(tx: optax.GradientTransformation<S>): Any {
  return tx as Any; // see the line above
}

function then(...steps: readonly unknown[]): Any {
  return any(optax.chain(...(steps as readonly Any[]))); // as in any
}

const line = (from: number, to: number, steps: number): optax.Schedule => optax.linearSchedule(from, to, steps);
const adversary = (): Any => then(c.normalize(), optax.sgd(0.05));

const cases: Readonly<Record<string, () => unknown>> = {
  acprop: () => c.acprop(0.1, { weightDecay: 0.01 }),
  ademamix: () => c.ademamix(0.1, { b3: line(0.9, 0.999, 4), weightDecay: 0.01 }),
  simplified_ademamix: () => c.simplifiedAdemamix(0.1, { alpha: line(0, 3, 4) }),
  adopt: () => c.adopt(0.1),
  "adopt nesterov": () => c.adopt(0.1, { nesterov: true, useClipping: false, eps: 0.1 }),
  cocob: () => c.cocob({ weightDecay: 0.01 }),
  "cocob eager": () => c.cocob({ alpha: 2 }),
  dadapt_adamw: () => c.dadaptAdamw({ weightDecay: 0.01, estimLr0: 0.01 }),
  prodigy: () => c.prodigy({ weightDecay: 0.01, estimLr0: 0.01 }),
  "prodigy warm": () => c.prodigy({ learningRate: line(0.1, 1, 3), estimLr0: 0.01, safeguardWarmup: true, beta3: 0.9 }),
  mechanize: () => c.mechanize(optax.adam(0.1), { sInit: 0.1 }),
  dog: () => c.dog(),
  "dog distance": () => c.dog({ learningRate: 0.5, initStep: ["distance", 0.1], weightDecay: 0.01 }),
  "dog rate": () => c.dog({ initStep: ["learningRate", 0.1] }),
  dowg: () => c.dowg({ initEstimSqDist: 0.1 }),
  scale_by_distance_over_gradients: () => then(optax.scaleByDistanceOverGradients({ repsRel: 0.1 }), optax.scale(-1)),
  momo: () => c.momo(0.2, { weightDecay: 0.01 }),
  "momo bound": () => c.momo(0.2, { lowerBound: -1, adaptLowerBound: true }),
  momo_adam: () => c.momoAdam(0.2, { weightDecay: 0.01 }),
  "momo_adam bound": () => c.momoAdam(0.2, { adaptLowerBound: true }),
  madgrad: () => c.madgrad(line(0.1, 0.01, 4), { weightDecay: 0.01 }),
  schedule_free_sgd: () => c.scheduleFreeSgd(0.1, { weightDecay: 0.01 }),
  schedule_free_adamw: () => c.scheduleFreeAdamw(0.1, { warmupSteps: 3, weightDecay: 0.01 }),
  sam: () => c.sam(optax.adam(0.1), adversary()),
  "sam three": () => c.sam(optax.sgd(0.1), optax.adam(0.05), { syncPeriod: 3, resetState: false }),
  muon: () => c.muon(0.1, { weightDecay: 0.01 }),
  "muon dion": () => c.muon(0.1, { nsCoeffs: "dion", adaptive: true, nesterov: false, adamLearningRate: 0.01 }),
  "muon spectral": () => c.muon(0.1, { preconditioning: "spectral", consistentRms: 0.2 }),
  "muon aol": () => c.muon(0.1, { preconditioning: "aol" }),
  "muon schatten": () => c.muon(0.1, { preconditioning: "schatten" }),
  optimistic_adam: () => optax.optimisticAdam(0.1, { optimism: 0.2 }),
  "sgd bfloat16": () => optax.sgd(0.1, { momentum: 0.9, nesterov: true, accumulatorDtype: BF16 }),
  "adam bfloat16": () => optax.adam(0.1, { muDtype: BF16 }),
  "amsgrad uncorrected": () => optax.amsgrad(0.1, { muDtype: BF16, biasCorrectionMu: false, biasCorrectionNu: false }),
  "lion bfloat16": () => optax.lion(0.1, { muDtype: BF16 }),
  "novograd bfloat16": () => then(optax.scaleByNovograd({ muDtype: BF16 }), optax.scale(-0.1)),
  "signum bfloat16": () => optax.signum(0.1, { accumulatorDtype: BF16 }),
  "add_decayed_weights schedule": () => then(optax.addDecayedWeights(line(0.1, 0.5, 4), { mask }), optax.sgd(0.1)),
  "MultiSteps bfloat16": () => new optax.MultiSteps(optax.sgd(0.1), 2, { accumulatorDtype: BF16 }),
  flatten: () => optax.flatten(then(optax.clipByBlockRms(0.3), optax.adam(0.1))),
  named_chain: () => optax.namedChain(["clip", any(optax.clip(0.3))], ["adam", any(optax.adam(0.1))]),
  selective_transform: () => optax.selectiveTransform(optax.adam(0.1), { freezeMask: mask }),
  "inject two": () =>
    optax.injectHyperparams(optax.adamw, { names: ["learningRate", "weightDecay"] })(line(0.1, 0, 4), {
      weightDecay: 0.1,
    }),
  reduce_on_plateau: () =>
    then(optax.sgd(0.1), c.reduceOnPlateau({ factor: 0.5, patience: 1, cooldown: 1, rtol: 0.01 })),
  "reduce_on_plateau accumulated": () =>
    then(optax.sgd(0.1), c.reduceOnPlateau({ factor: 0.5, patience: 1, accumulationSize: 2, minScale: 0.4 })),
};

function leaf(...path: readonly (string | number)[]): Tensor {
  const { data, shape } = goldenArray(file, ...path);
  return array(data as Float32Array, { shape }); // the scripts write float32
}

interface Params {
  readonly b: Tensor;
  readonly w: Tensor;
}

function start(): Params {
  return { b: leaf("start", "b"), w: leaf("start", "w") };
}

function gradient(step: number): Params {
  return { b: leaf("gradients", step, "b"), w: leaf("gradients", step, "w") };
}

/** All elements of a tree, one after the other. */
async function flat(params: unknown): Promise<number[]> {
  const parts = await Promise.all(tree.leaves(params).map((one) => (one as Tensor).data())); // a tree of arrays
  return parts.flatMap((part) => Array.from(part));
}

async function expectRow(params: unknown, name: string, step: number): Promise<void> {
  const { data, shape } = goldenArray(file, name);
  const width = shape[1] ?? 0;
  // What is stored in 16 bits may round the other way where float32 differs by an ulp.
  const tolerance = name.includes("bfloat16") || name.includes("uncorrected") ? 2e-3 : 3e-5;
  (await flat(params)).forEach((value, k) => {
    const wanted = data[step * width + k] ?? Number.NaN;
    expect(Math.abs(value - wanted), `${name}, step ${step}, element ${k}: ${value} for ${wanted}`).toBeLessThanOrEqual(
      tolerance * (1 + Math.abs(wanted)),
    );
  });
}

function valueAt(name: string, step: number): number {
  return name.startsWith("reduce") ? (goldenArray(file, "values").data[step] ?? Number.NaN) : 1.5;
}

describe("trajectories", () => {
  it.each(Object.entries(cases))("%s", async (name, make) => {
    const tx = make() as Any; // as in any
    let params = start();
    let state = tx.init(params);
    for (let step = 0; step < 6; step++) {
      const [updates, next] = tx.update(gradient(step), state, params, { value: valueAt(name, step) });
      state = next;
      params = optax.applyUpdates(params, updates);
      await expectRow(params, name, step);
    }
  });

  it.each(["muon", "prodigy", "sam", "adam bfloat16"])("%s compiles and does the same", async (name) => {
    const tx = cases[name]?.() as Any; // named above
    const step = jit((g: Params, state: unknown, params: Params): [Params, unknown] => {
      const [updates, next] = tx.update(g, state, params);
      return [optax.applyUpdates(params, updates), next];
    });
    let [params, state] = [start(), tx.init(start())];
    for (let k = 0; k < 3; k++) [params, state] = step(gradient(k), state, params);
    await expectRow(params, name, 2);
  });

  it("lookahead that resets the fast optimizer", async () => {
    const tx = optax.lookahead(optax.adam(0.1), 2, 0.5, { resetState: true });
    let params: optax.LookaheadParams<Params> = { fast: start(), slow: start() };
    let state = tx.init(params);
    for (let step = 0; step < 6; step++) {
      const [updates, next] = tx.update(gradient(step), state, params);
      state = next;
      params = optax.applyUpdates(params, updates);
      await expectRow(params, "lookahead reset", step);
    }
  });

  it("sam in one call", async () => {
    const tx = c.sam(optax.sgd(0.01), optax.sgd(0.05), { syncPeriod: 3, opaqueMode: true });
    const gradFn = (p: Params): Params => optax.tree.mul(p, optax.tree.mul(p, p));
    let params = start();
    let state = tx.init(params);
    for (let step = 0; step < 3; step++) {
      const [updates, next] = tx.update(gradFn(params), state, params, { gradFn });
      state = next;
      params = optax.applyUpdates(params, updates);
      await expectRow(params, "sam opaque", step);
    }
    expect(() => tx.update(params, state, params)).toThrow(/needs gradFn/);
  });

  it("the mean that scheduleFree evaluates", async () => {
    const tx = c.scheduleFreeSgd(0.1);
    let params = start();
    let state = tx.init(params);
    for (let step = 0; step < 6; step++) {
      const [updates, next] = tx.update(gradient(step), state, params);
      [params, state] = [optax.applyUpdates(params, updates), next];
    }
    await expectTree(c.scheduleFreeEvalParams(state, params), ["b", "w"], "schedule_free_eval_params");
  });
});

async function expectTree(values: object, names: readonly string[], ...path: readonly string[]): Promise<void> {
  for (const name of names) {
    const { data } = goldenArray(file, ...path, name);
    const found = await flat(Reflect.get(values, name));
    found.forEach((value, k) => {
      expect(value, `${path.join(" ")} ${name} ${k}`).toBeCloseTo(data[k] ?? Number.NaN, 4);
    });
  }
}

describe("gradients of each example", () => {
  const grads = (): Params => ({ b: leaf("example gradients", "b"), w: leaf("example gradients", "w") });

  it("dpsgd draws Optax's noise", async () => {
    const tx = c.dpsgd(0.1, { l2NormClip: 1, noiseMultiplier: 0.5, seed: 7, momentum: 0.9 });
    let state = tx.init(start());
    for (let step = 0; step < 3; step++) {
      const [updates, next] = tx.update(grads(), state);
      state = next;
      await expectRow(updates, "dpsgd", step);
    }
  });

  it("perExampleLayerNormClip", async () => {
    const [sums] = optax.perExampleLayerNormClip(grads(), 1, { uniform: false });
    await expectTree(sums, ["b", "w"], "per_example_layer_norm_clip");
    expect(() => optax.perExampleGlobalNormClip({ a: array([1]), b: array([1, 2]) }, 1)).toThrow(
      /needs the batch as its first axis/,
    );
  });
});

describe("muon", () => {
  it("takes convolutions as matrices", async () => {
    const params = {
      conv: leaf("muon dimensions", "params", "conv"),
      wide: leaf("muon dimensions", "params", "wide"),
    };
    const dims = { conv: new c.DimensionNumbers([0, 1, 2], [3]), wide: new c.DimensionNumbers() };
    const tx = c.muon(0.1, { muonWeightDimensionNumbers: dims });
    const grads = optax.tree.scale(2, params);
    const [, state] = tx.update(grads, tx.init(params), params);
    await expectTree(tx.update(grads, state, params)[0], ["conv", "wide"], "muon dimensions", "updates");
  });

  it("brings singular values near 1", async () => {
    const x = random.normal(random.key(0), [1, 6, 4]);
    const y = c.orthogonalizeViaNewtonSchulz(x, { nsSteps: 10, nsCoeffs: [1.5, -0.5, 0], preconditioning: "spectral" });
    // Four of them: √(1 + 1 + 1 + 1).
    expect(Number(await linalg.norm(y).item())).toBeCloseTo(2, 1);
  });

  it("names its mistakes", () => {
    const wrong = "none" as never; // the case
    expect(() => c.orthogonalizeViaNewtonSchulz(array([[[1]]]), { preconditioning: wrong })).toThrow(
      /preconditioning is/,
    );
    const overlapping = { muonWeightDimensionNumbers: new c.DimensionNumbers(0, 0) };
    const params = { w: array([[1, 2]]) };
    const tx = c.muon(0.1, overlapping);
    expect(() => tx.update(params, tx.init(params), params)).toThrow(/must be disjoint/);
  });
});

describe("looking into states", () => {
  const tx = optax.chain(any(optax.clip(1)), any(optax.adam(0.1)));

  it("get, set and mapParams", async () => {
    const state = tx.init(start());
    expect(optax.tree.getAllWithPath(state, "mu").map(([path]) => path)).toEqual([[1, 0, "mu"]]);
    expect(optax.tree.get(state, "absent")).toBeUndefined();
    const changed = optax.tree.set(state, { count: array(7) });
    expect(await (optax.tree.get(changed, "count") as Tensor).item()).toBe(7); // set above
    expect(() => optax.tree.set(state, { absent: 1 })).toThrow(/no entry is named "absent"/);
    expect(() => optax.tree.get({ a: { x: 1 }, b: { x: 2 } }, "x")).toThrow(/at a\.x, b\.x/);
    const shapes = optax.tree.mapParams(tx, (x: Tensor) => x.shape.length, state, [], {
      transformNonParams: () => "other",
    });
    expect(optax.tree.get(shapes, "nu")).toEqual({ b: 1, w: 2 });
    expect(optax.tree.get(shapes, "count")).toBe("other");
  });

  it("monitor and snapshot measure what passes", async () => {
    const size = (updates: unknown): TensorLike => optax.tree.norm(updates);
    const watching = then(
      optax.snapshot("before", size),
      optax.monitor({ mean: optax.measureWithEma(size, 0.5), now: size }),
    );
    let state = watching.init([array([3, 4])]);
    [, state] = watching.update([array([3, 4])], state);
    const [updates, last] = watching.update([array([6, 8])], state);
    expect(await updates[0]?.toArray()).toEqual([6, 8]);
    const read = async (name: string): Promise<unknown> => (optax.tree.get(last, name) as Tensor).item(); // a scalar
    expect(await read("before")).toBe(10);
    expect(await read("now")).toBe(10);
    expect(Number(await read("mean"))).toBeCloseTo((2.5 * 0.5 + 5) / 0.75, 5);
  });

  it("randomLike draws with the keys of a split", async () => {
    const key = random.key(3);
    const drawn = optax.tree.randomLike(key, { a: start().b, b: start().w });
    const [first, second] = [random.foldIn(key, 0), random.foldIn(key, 1)];
    expect(await drawn.a.toArray()).toEqual(await random.normal(first, [2]).toArray());
    expect(await drawn.b.toArray()).toEqual(await random.normal(second, [2, 2]).toArray());
  });
});
