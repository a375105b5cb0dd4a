/** Schedules and losses against values that the real Optax gave. */
import { grad } from "@jnx/autodiff";
import * as optax from "@jnx/optax";
import { abs, array, expandDims, log, logSoftmax, neg, sign, sum, type Tensor, type TensorLike } from "@jnx/tensor";
import { useDevice } from "@jnx/testing";
import { describe, expect, it } from "vitest";
import { goldenArray } from "../goldens/read.ts";

useDevice();

const cycle = { initValue: 0.1, peakValue: 1, warmupSteps: 3, decaySteps: 8, endValue: 0.05 };
const schedules: Readonly<Record<string, () => optax.Schedule>> = {
  "piecewise_interpolate linear": () => optax.piecewiseInterpolateSchedule("linear", 1, { 5: 0.5, 12: 4 }),
  "piecewise_interpolate cosine": () => optax.piecewiseInterpolateSchedule("cosine", 1, { 5: 0.5, 12: 4 }),
  linear_onecycle: () => optax.linearOnecycleSchedule(20, 1),
  cosine_onecycle: () => optax.cosineOnecycleSchedule(20, 1),
  warmup_constant: () => optax.warmupConstantSchedule(0, 1, 4),
  warmup_exponential: () => optax.warmupExponentialDecaySchedule(0, 1, 4, 5, 0.5, { endValue: 0.2 }),
  sgdr: () => optax.sgdrSchedule([cycle, { ...cycle, peakValue: 0.5, decaySteps: 12 }]),
  piecewise_constant: () => optax.piecewiseConstantSchedule(1, { 3: 0.1, 6: 0.5 }),
  warmup_cosine: () => optax.warmupCosineDecaySchedule(0, 1, 4, 12, { endValue: 0.1, exponent: 2 }),
  join: () => optax.joinSchedules([optax.constantSchedule(1), optax.linearSchedule(1, 0, 5)], [7]),
};

describe("schedules", () => {
  it.each(Object.entries(schedules))("%s", async (name, make) => {
    const { data } = goldenArray("optax-more-schedules", name);
    const schedule = make();
    const found = await Promise.all(Array.from(data, (_, count) => array(schedule(array(count))).item()));
    found.forEach((value, k) => expect(Number(value), `${name} at ${k}`).toBeCloseTo(data[k] ?? Number.NaN, 5));
  });
});

const file = "optax-more-losses";

function given(name: string): Tensor {
  const { data, shape } = goldenArray(file, name);
  return array(data as Float32Array | Int32Array, { shape, ...(name === "where" ? { dtype: "bool" } : {}) }); // what the scripts write
}

const losses: Readonly<Record<string, (x: Tensor) => TensorLike>> = {
  squared_error: (x) => optax.squaredError(x, given("y")),
  l2_loss: (x) => optax.l2Loss(x, given("y")),
  huber_loss: (x) => optax.huberLoss(x, given("y"), { delta: 0.7 }),
  log_cosh: (x) => optax.logCosh(x, given("y")),
  cosine_similarity: (x) => optax.cosineSimilarity(x, given("y"), { epsilon: 1e-6 }),
  cosine_distance: (x) => optax.cosineDistance(x, given("y"), { axis: 0 }),
  triplet_margin_loss: (x) => optax.tripletMarginLoss(x, given("y"), given("z")),
  "triplet_margin_loss cubic": (x) =>
    optax.tripletMarginLoss(abs(x), neg(abs(given("y"))), neg(abs(given("z"))), { normDegree: 3 }),
  sigmoid_binary_cross_entropy: (x) => optax.sigmoidBinaryCrossEntropy(x, given("onehot")),
  sigmoid_focal_loss: (x) => optax.sigmoidFocalLoss(x, given("onehot"), { alpha: 0.25 }),
  safe_softmax_cross_entropy: (x) => optax.safeSoftmaxCrossEntropy(x, given("onehot")),
  poly_loss_cross_entropy: (x) => optax.polyLossCrossEntropy(x, given("onehot")),
  hinge_loss: (x) => optax.hingeLoss(x, sign(given("y"))),
  perceptron_loss: (x) => optax.perceptronLoss(x, sign(given("y"))),
  multiclass_hinge_loss: (x) => optax.multiclassHingeLoss(x, given("labels")),
  multiclass_perceptron_loss: (x) => optax.multiclassPerceptronLoss(x, given("labels")),
  kl_divergence: (x) => optax.klDivergence(logSoftmax(x), given("p")),
  kl_divergence_with_log_targets: (x) => optax.klDivergenceWithLogTargets(logSoftmax(x), log(given("p"))),
  generalized_kl_divergence: (x) => optax.generalizedKlDivergence(x, given("p")),
  smooth_labels: (x) => optax.smoothLabels(x, 0.2),
  ranking_softmax_loss: (x) => optax.rankingSoftmaxLoss(x, given("onehot")),
  "ranking_softmax_loss where": (x) => optax.rankingSoftmaxLoss(x, given("onehot"), { where: given("where") }),
  dice_loss: (x) => optax.diceLoss(expandDims(x, 0), expandDims(given("onehot"), 0)),
  "dice_loss no background": (x) =>
    optax.diceLoss(expandDims(x, 0), expandDims(given("onehot"), 0), { ignoreBackground: true, alpha: 0.3 }),
  ntxent: (x) => optax.ntxent(x, array([0, 1, 1, 0, 0])),
};

async function expectClose(found: Tensor, name: string, part: string): Promise<void> {
  const { data, shape } = goldenArray(file, name, part);
  expect(found.shape).toEqual(shape);
  const values = await found.data();
  Array.from(values).forEach((value, k) => {
    const wanted = data[k] ?? Number.NaN;
    expect(Math.abs(value - wanted), `${name} ${part} ${k}: ${value} for ${wanted}`).toBeLessThanOrEqual(
      2e-5 * (1 + Math.abs(wanted)),
    );
  });
}

describe("losses", () => {
  it.each(Object.entries(losses))("%s and its gradient", async (name, loss) => {
    const x = given("x");
    await expectClose(array(loss(x)), name, "value");
    await expectClose(grad((a: Tensor) => sum(loss(a)))(x), name, "gradient");
  });
});
