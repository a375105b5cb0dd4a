/** Schedules and losses against values that the real Optax gave. */
import { grad } from "@jnx/autodiff";
import * as optax from "@jnx/optax";
import { abs, array, equal, expandDims, log, logicalAnd, logSoftmax, neg, sign, square, sum } from "@jnx/tensor";
import type { Tensor, TensorLike } from "@jnx/tensor";
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
const special = "optax-contrib-losses";

function given(name: string, from = file): Tensor {
  const { data, shape } = goldenArray(from, name);
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

/** Losses among some classes, and those of other families. */
const specialLosses: Readonly<Record<string, (x: Tensor, mask: Tensor) => TensorLike>> = {
  "softmax_cross_entropy where": (x, where) => optax.softmaxCrossEntropy(x, given("onehot"), { where }),
  "softmax_cross_entropy_with_integer_labels where": (x, where) =>
    optax.softmaxCrossEntropyWithIntegerLabels(x, given("labels"), { where }),
  "softmax_cross_entropy_with_integer_labels masked row": (x, where) => {
    const rows = array([[true], [true], [false], [true], [true]]);
    return optax.softmaxCrossEntropyWithIntegerLabels(x, given("labels"), { where: logicalAnd(where, rows) });
  },
  "poly_loss_cross_entropy where": (x, where) => optax.polyLossCrossEntropy(x, given("onehot"), { where, epsilon: 1 }),
  "kl_divergence where": (x, where) => optax.klDivergence(logSoftmax(x), given("p"), { where }),
  "kl_divergence_with_log_targets where": (x, where) => optax.klDivergenceWithLogTargets(x, log(given("p")), { where }),
  "generalized_kl_divergence where": (x, where) => optax.generalizedKlDivergence(x, given("p"), { where }),
  "smooth_labels where": (x, where) => optax.smoothLabels(x, 0.2, { where }),
  "cosine_similarity where": (x, where) => optax.cosineSimilarity(x, given("y"), { where }),
  sparsemax_loss: (x) => optax.sparsemaxLoss(x, equal(given("onehot"), 1)),
  multiclass_sparsemax_loss: (x) => optax.multiclassSparsemaxLoss(x, given("labels")),
  projection_simplex: (x) => square(optax.projectionSimplex(x, 2)),
  multiclass_generalized_dice_loss: (x) => optax.multiclassGeneralizedDiceLoss(x, given("onehot")),
  binary_dice_loss: (x) => optax.binaryDiceLoss(x, given("onehot")),
  safe_norm: (x) => optax.safeNorm(x, 2, { axis: -1 }),
  safe_root_mean_squares: (x) => optax.safeRootMeanSquares(x, 0.1),
  scale_gradient: (x) => square(optax.scaleGradient(x, 3)),
};

async function expectClose(found: Tensor, name: string, part: string, from = file): Promise<void> {
  const { data, shape } = goldenArray(from, name, part);
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

describe("losses among some classes, and of other families", () => {
  it.each(Object.entries(specialLosses))("%s and its gradient", async (name, loss) => {
    const [x, mask] = [given("x", special), given("where", special)];
    await expectClose(array(loss(x, mask)), name, "value", special);
    await expectClose(grad((a: Tensor) => sum(loss(a, mask)))(x), name, "gradient", special);
  });

  it("mistakes are named", () => {
    expect(() => optax.multiclassSparsemaxLoss(array([[1, 2]]), array([0, 1]))).toThrow(/need labels \[1\]/);
    expect(() => optax.projectionSimplex(array([1, 2]), 0)).toThrow(/scale must be over 0/);
    expect(() => optax.scaleGradient(array([1]), Number.NaN)).toThrow(/finite number/);
  });
});
