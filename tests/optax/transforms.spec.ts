/** Every optimizer, transformation and wrapper against trajectories that the real Optax made. */
import * as optax from "@jnx/optax";
import { array, equal, power, random, remainder, tree, type Tensor, type TensorLike } from "@jnx/tensor";
import { useDevice } from "@jnx/testing";
import { jit } from "@jnx/compile";
import { describe, expect, it } from "vitest";
import { goldenArray } from "../goldens/read.ts";

useDevice();

const file = "optax-transforms";
const mask = { b: false, w: true };
const even = (step: TensorLike): Tensor => equal(remainder(step, 2), 0);

interface Params {
  readonly b: Tensor;
  readonly w: Tensor;
}

type Any = optax.GradientTransformation;

/** Each is only given back the state that it made. */
function any<S>(tx: optax.GradientTransformation<S>): Any {
  return tx as Any; // see the line above
}

function then(...steps: readonly unknown[]): Any {
  return any(optax.chain(...(steps as readonly Any[]))); // as in any
}

const cases: Readonly<Record<string, () => unknown>> = {
  nadam: () => optax.nadam(0.1),
  nadamw: () => optax.nadamw(0.1, { weightDecay: 0.01 }),
  adamax: () => optax.adamax(0.1),
  adamaxw: () => optax.adamaxw(0.1, { weightDecay: 0.01 }),
  amsgrad: () => optax.amsgrad(0.1),
  adabelief: () => optax.adabelief(0.1),
  "adabelief nesterov": () => optax.adabelief(0.1, { nesterov: true }),
  radam: () => optax.radam(0.1),
  "radam early": () => optax.radam(0.1, { b2: 0.9, nesterov: true }),
  yogi: () => optax.yogi(0.1),
  adagrad: () => optax.adagrad(0.1),
  adadelta: () => optax.adadelta(1, { weightDecay: 0.01 }),
  rmsprop: () => optax.rmsprop(0.1),
  "rmsprop centered": () => optax.rmsprop(0.1, { centered: true, momentum: 0.9, nesterov: true }),
  "rmsprop corrected": () => optax.rmsprop(0.1, { biasCorrection: true, epsInSqrt: false, initialScale: 0.1 }),
  lion: () => optax.lion(0.1),
  "lion smooth": () => then(optax.scaleByLion({ mode: "smooth" }), optax.scale(-0.1)),
  "lion refined": () => then(optax.scaleByLion({ mode: "refined" }), optax.scale(-0.1)),
  lamb: () => optax.lamb(0.1, { weightDecay: 0.01 }),
  lars: () => optax.lars(0.1, { weightDecay: 0.01 }),
  adafactor: () => optax.adafactor(0.1),
  "adafactor factored": () => optax.adafactor(0.1, { minDimSizeToFactor: 2, momentum: 0.9, weightDecayRate: 0.01 }),
  fromage: () => optax.fromage(0.1),
  adan: () => optax.adan(0.1, { weightDecay: 0.01 }),
  novograd: () => optax.novograd(0.1, { weightDecay: 0.01 }),
  optimistic_gradient_descent: () => optax.optimisticGradientDescent(0.1),
  optimistic_adam_v2: () => optax.optimisticAdamV2(0.1),
  sm3: () => optax.sm3(0.1),
  rprop: () => optax.rprop(0.1),
  polyak_sgd: () => optax.polyakSgd(),
  noisy_sgd: () => optax.noisySgd(0.1, { key: random.key(3) }),
  sign_sgd: () => optax.signSgd(0.1),
  signum: () => optax.signum(0.1),
  clip: () => then(optax.clip(0.5), optax.sgd(0.1)),
  clip_by_block_rms: () => then(optax.clipByBlockRms(0.5), optax.sgd(0.1)),
  adaptive_grad_clip: () => then(optax.adaptiveGradClip(0.1), optax.sgd(0.1)),
  centralize: () => then(optax.centralize(), optax.sgd(0.1)),
  apply_every: () => then(optax.applyEvery(2), optax.sgd(0.1)),
  zero_nans: () => then(optax.zeroNans(), optax.sgd(0.1)),
  keep_params_nonnegative: () => then(optax.sgd(0.5), optax.keepParamsNonnegative()),
  ema: () => then(optax.ema(0.9, { debias: false }), optax.scale(-0.1)),
  scale_by_param_block_norm: () => then(optax.scaleByParamBlockNorm(), optax.scale(-0.1)),
  normalize_by_update_norm: () => then(optax.normalizeByUpdateNorm(2), optax.scale(-0.1)),
  masked: () => optax.masked(any(optax.adam(0.1)), mask),
  partition: () => optax.partition({ a: any(optax.adam(0.1)), z: any(optax.setToZero()) }, { b: "z", w: "a" }),
  freeze: () => then(optax.sgd(0.1), optax.freeze(mask)),
  inject_hyperparams: () => optax.injectHyperparams(optax.adam)(optax.linearSchedule(0.1, 0, 4)),
  MultiSteps: () => new optax.MultiSteps(optax.adam(0.1), 3),
  "MultiSteps sum": () =>
    // Known to the case.
    new optax.MultiSteps(optax.sgd(0.1), (s) => optax.tree.add(s, 2 as TensorLike), {
      useGradMean: false,
    }).gradientTransformation(),
  "MultiSteps skip": () => new optax.MultiSteps(optax.adam(0.1), 2, { shouldSkipUpdateFn: optax.skipNotFinite }),
  apply_if_finite: () => optax.applyIfFinite(optax.adam(0.1), 5),
  conditionally_transform: () => optax.conditionallyTransform(optax.sgd(0.1), even),
  conditionally_mask: () => optax.conditionallyMask(optax.adam(0.1), even),
  "adamw schedule mask": () => optax.adamw(optax.cosineDecaySchedule(0.1, 5), { weightDecay: 0.1, mask }),
};

const withNans = new Set(["zero_nans", "MultiSteps skip", "apply_if_finite"]);

function leaf(...path: readonly (string | number)[]): Tensor {
  const { data, shape } = goldenArray(file, ...path);
  return array(data as Float32Array, { shape }); // the scripts write float32
}

function start(): Params {
  return { b: leaf("start", "b"), w: leaf("start", "w") };
}

function gradient(step: number, name: string): Params {
  const b = leaf("gradients", step, "b");
  const broken = withNans.has(name) && (step === 1 || step === 3);
  return { b: broken ? power(b, Number.NaN) : b, w: leaf("gradients", step, "w") };
}

async function flat(params: unknown): Promise<number[]> {
  const parts = await Promise.all(tree.leaves(params).map((one) => (one as Tensor).data())); // a tree of arrays
  return parts.flatMap((part) => Array.from(part));
}

async function expectStep(params: unknown, name: string, step: number): Promise<void> {
  const { data, shape } = goldenArray(file, name);
  const width = shape[1] ?? 0;
  const found = await flat(params);
  found.forEach((value, k) => {
    const wanted = data[step * width + k] ?? Number.NaN;
    expect(Math.abs(value - wanted), `${name}, step ${step}, element ${k}: ${value} for ${wanted}`).toBeLessThanOrEqual(
      2e-5 * (1 + Math.abs(wanted)),
    );
  });
}

describe("trajectories", () => {
  it.each(Object.entries(cases))("%s", async (name, make) => {
    const tx = make() as Any; // as in any
    let params = start();
    let state = tx.init(params);
    for (let step = 0; step < 6; step++) {
      const [updates, next] = tx.update(gradient(step, name), state, params, { value: 1.5 });
      state = next;
      params = optax.applyUpdates(params, updates);
      await expectStep(params, name, step);
    }
  });

  it("lookahead", async () => {
    const tx = optax.lookahead(optax.sgd(0.1), 2, 0.5);
    let params: optax.LookaheadParams<Params> = { fast: start(), slow: start() };
    let state = tx.init(params);
    for (let step = 0; step < 6; step++) {
      const [updates, next] = tx.update(gradient(step, "lookahead"), state, params);
      state = next;
      params = optax.applyUpdates(params, updates);
      await expectStep(params, "lookahead", step);
    }
  });

  it.each(["adafactor factored", "MultiSteps", "partition"])("%s compiles and does the same", async (name) => {
    const tx = cases[name]?.() as Any; // named above
    const step = jit((g: Params, state: unknown, params: Params): [Params, unknown] => {
      const [updates, next] = tx.update(g, state, params);
      return [optax.applyUpdates(params, updates), next];
    });
    let [params, state] = [start(), tx.init(start())];
    for (let k = 0; k < 4; k++) [params, state] = step(gradient(k, name), state, params);
    await expectStep(params, name, 3);
    expect(step.traces).toBeLessThanOrEqual(2); // init's counters are known to the host, later ones are not
  });
});

describe("wrappers", () => {
  it("hyperparameters can be read and written between updates", async () => {
    const tx = optax.injectHyperparams(optax.sgd)(0.5);
    const state = tx.init([array([0])]);
    const changed = { ...state, hyperparams: { learningRate: array(2) } };
    const [updates] = tx.update([array([1])], changed);
    expect(await updates[0]?.toArray()).toEqual([-2]);
  });

  it("MultiSteps says when it has updated", async () => {
    const tx = new optax.MultiSteps(optax.sgd(1), 2);
    let state = tx.init([array([0])]);
    const seen = [];
    for (let k = 0; k < 4; k++) {
      [, state] = tx.update([array([1])], state);
      seen.push(await tx.hasUpdated(state).item());
    }
    expect(seen).toEqual([0, 1, 0, 1]);
  });

  it("mistakes are named", () => {
    const params = { w: array([1]) };
    expect(() => optax.masked(any(optax.scale(1)), { b: true }).init(params)).toThrow(/no entry for "w"/);
    expect(() => optax.partition({ a: any(optax.scale(1)) }, { w: "z" }).init(params)).toThrow(/label "z", there is a/);
    expect(() => optax.scaleByTrustRatio().update([array([1])], {})).toThrow(/needs the parameters/);
    expect(() => optax.scaleByPolyak().update([array([1])], {})).toThrow(/needs the function's value/);
    // Known to the case.
    expect(() => optax.scaleByLion({ mode: "soft" as never })).toThrow(/mode must be/);
    expect(() => optax.lookahead(optax.sgd(1), 0, 1)).toThrow(/syncPeriod must be at least 1/);
    expect(() => optax.clip(Number.NaN)).toThrow(/maxDelta/);
    expect(() => optax.joinSchedules([optax.constantSchedule(1)], [3])).toThrow(/need 0 boundaries/);
    expect(() => optax.piecewiseConstantSchedule(1, { 2: -1 })).toThrow(/must not be negative/);
    expect(() => optax.squaredError(array([1, 2]), array([1]))).toThrow(/must have the same shape/);
  });
});
