import {
  add,
  astype,
  div,
  equal,
  exp,
  expandDims,
  log,
  logSigmoid,
  logSoftmax,
  logicalAnd,
  logicalNot,
  max,
  maximum,
  mean,
  mul,
  neg,
  notEqual,
  oneHot,
  ShapeError,
  softmax,
  stopGradient,
  sub,
  sum,
  where,
  broadcastedIota,
  concatenate,
  type Tensor,
  type TensorLike,
} from "@jnx/tensor";
import { asTensor, shapeText, checkKeys } from "@jnx/tensor/internal";
import { cosineSimilarity } from "./losses-regression.ts";
import { classMask, softmaxCrossEntropy, type LossOptions } from "./losses.ts";

/**
 * −y·log σ(x) − (1−y)·log σ(−x), element by element. Source: optax.sigmoid_binary_cross_entropy.
 * @example optax.sigmoidBinaryCrossEntropy(array([1, 2, -1]), array([1, 0, 1])); // [0.31326, 2.1269, 1.3133]
 */
export function sigmoidBinaryCrossEntropy(logits: TensorLike, labels: TensorLike): Tensor {
  const x = asTensor(logits, "sigmoidBinaryCrossEntropy");
  const y = astype(asTensor(labels, "sigmoidBinaryCrossEntropy"), x.dtype);
  return sub(mul(neg(y), logSigmoid(x)), mul(sub(1, y), logSigmoid(neg(x))));
}

/** Options of `sigmoidFocalLoss`. */
export interface FocalOptions {
  /** Weight of the positive labels; none unless given. */
  readonly alpha?: number;
  /** How strongly easy examples are weighted down, 2. */
  readonly gamma?: number;
}

/**
 * Binary cross-entropy times (1 − p of the label)^gamma. Source: optax.sigmoid_focal_loss; Lin et al. 2017.
 * @example optax.sigmoidFocalLoss(array([1, 2, -1]), array([1, 0, 1])); // [0.022658, 1.6501, 0.70187]
 */
export function sigmoidFocalLoss(logits: TensorLike, labels: TensorLike, options: FocalOptions = {}): Tensor {
  checkKeys("sigmoidFocalLoss", options, "alpha gamma");
  const { alpha, gamma = 2 } = options;
  const x = asTensor(logits, "sigmoidFocalLoss");
  const y = astype(asTensor(labels, "sigmoidFocalLoss"), x.dtype);
  const [logP, logQ] = [logSigmoid(x), logSigmoid(neg(x))];
  // log((1 − y)·p + y·q), from its larger term.
  const top = maximum(logP, logQ);
  const missed = add(top, log(add(mul(sub(1, y), exp(sub(logP, top))), mul(y, exp(sub(logQ, top))))));
  const loss = mul(sigmoidBinaryCrossEntropy(x, y), exp(mul(gamma, missed)));
  return alpha === undefined ? loss : mul(add(mul(alpha, y), mul(1 - alpha, sub(1, y))), loss);
}

/**
 * softmaxCrossEntropy in which labels of 0 count nothing, whatever the logit. Source: optax.safe_softmax_cross_entropy.
 * @example optax.safeSoftmaxCrossEntropy(array([[0, -Infinity]]), array([[1, 0]])); // [0]
 */
export function safeSoftmaxCrossEntropy(logits: TensorLike, labels: TensorLike): Tensor {
  const weighted = where(notEqual(labels, 0), mul(labels, logSoftmax(logits)), 0);
  return neg(sum(weighted, { axis: -1 }));
}

/**
 * Cross-entropy + epsilon · Σ labels · (1 − p). Source: optax.poly_loss_cross_entropy; Leng et al. 2022.
 * @example optax.polyLossCrossEntropy(array([[1, 2, -1.5]]), array([[0, 1, 0]])).shape; // [1]
 */
export function polyLossCrossEntropy(
  logits: TensorLike,
  labels: TensorLike,
  options: LossOptions & { readonly epsilon?: number } = {},
): Tensor {
  checkKeys("polyLossCrossEntropy", options, "axis where epsilon");
  const { epsilon = 2, ...rest } = options;
  const along = among(logits, rest);
  const missed = sum(mul(labels, sub(1, softmax(logits, along))), along);
  return add(softmaxCrossEntropy(logits, labels, rest), mul(epsilon, missed));
}

/**
 * max(0, 1 − output · target) for targets of ±1. Source: optax.hinge_loss.
 * @example optax.hingeLoss(array([0.5, -2]), array([1, 1])); // [0.5, 3]
 */
export function hingeLoss(predictorOutputs: TensorLike, targets: TensorLike): Tensor {
  return maximum(0, sub(1, mul(predictorOutputs, targets)));
}

/**
 * max(0, −output · target) for targets of ±1. Source: optax.perceptron_loss; Rosenblatt 1958.
 * @example optax.perceptronLoss(array([0.5, -2]), array([1, 1])); // [0, 2]
 */
export function perceptronLoss(predictorOutputs: TensorLike, targets: TensorLike): Tensor {
  return maximum(0, neg(mul(predictorOutputs, targets)));
}

/**
 * maxⱼ(scoreⱼ + 1 − onehotⱼ) − score of the label. Source: optax.multiclass_hinge_loss; Crammer & Singer 2001.
 * @example optax.multiclassHingeLoss(array([[1, 2, -1]]), array([0])); // [2]
 */
export function multiclassHingeLoss(scores: TensorLike, labels: TensorLike): Tensor {
  const x = asTensor(scores, "multiclassHingeLoss");
  const onehot = oneHot(labels, x.shape.at(-1) ?? 0);
  return sub(max(sub(add(x, 1), onehot), { axis: -1 }), sum(mul(x, onehot), { axis: -1 }));
}

/**
 * The largest score less that of the label. Source: optax.multiclass_perceptron_loss.
 * @example optax.multiclassPerceptronLoss(array([[1, 2, -1]]), array([0])); // [1]
 */
export function multiclassPerceptronLoss(scores: TensorLike, labels: TensorLike): Tensor {
  const x = asTensor(scores, "multiclassPerceptronLoss");
  const onehot = oneHot(labels, x.shape.at(-1) ?? 0);
  return sub(max(x, { axis: -1 }), sum(mul(x, onehot), { axis: -1 }));
}

/**
 * Σ t · (log t − log p) along `axis`, with 0 · log 0 = 0. Source: optax.kl_divergence.
 * @example optax.klDivergence(nn.logSoftmax(array([[1, 2, -1]])), array([[0.5, 0.5, 0]])); // [0.15586]
 */
export function klDivergence(logPredictions: TensorLike, targets: TensorLike, options: LossOptions = {}): Tensor {
  checkKeys("klDivergence", options, "axis where");
  const positive = notEqual(targets, 0);
  const logs = where(positive, log(where(positive, targets, 1)), 0);
  return sum(mul(targets, sub(logs, logPredictions)), among(logPredictions, options));
}

/**
 * Σ eˡᵗ · (lt − lp) along `axis`. Source: optax.kl_divergence_with_log_targets.
 * @example optax.klDivergenceWithLogTargets(array([[0]]), array([[0]])); // [0]
 */
export function klDivergenceWithLogTargets(
  logPredictions: TensorLike,
  logTargets: TensorLike,
  options: LossOptions = {},
): Tensor {
  checkKeys("klDivergenceWithLogTargets", options, "axis where");
  return sum(mul(exp(logTargets), sub(logTargets, logPredictions)), among(logPredictions, options));
}

/**
 * klDivergence + Σ (p − t), for what does not add up to 1. Source: optax.generalized_kl_divergence.
 * @example optax.generalizedKlDivergence(array([[0]]), array([[1]])); // [0]
 */
export function generalizedKlDivergence(
  logPredictions: TensorLike,
  targets: TensorLike,
  options: LossOptions = {},
): Tensor {
  checkKeys("generalizedKlDivergence", options, "axis where");
  const excess = sum(sub(exp(logPredictions), targets), among(logPredictions, options));
  return add(klDivergence(logPredictions, targets, options), excess);
}

/** generalizedKlDivergence under its older name. Source: optax.convex_kl_divergence. */
export const convexKlDivergence: typeof generalizedKlDivergence = generalizedKlDivergence;

/** Along which axis, and among which classes. */
function among(logits: TensorLike, options: LossOptions): { readonly axis: number; readonly where?: Tensor } {
  const { axis = -1, where: there } = options;
  return there === undefined
    ? { axis }
    : { axis, where: classMask(there, asTensor(logits, "softmaxCrossEntropy").ndim, axis) };
}

/**
 * (1 − alpha) · labels + alpha / classes; `where` says which classes there are. Source: optax.smooth_labels; Müller et al.
 * 2019.
 * @example optax.smoothLabels(array([[1, 0]], { dtype: "float32" }), 0.2); // [[0.9, 0.1]]
 */
export function smoothLabels(labels: TensorLike, alpha: number, options: LossOptions = {}): Tensor {
  checkKeys("smoothLabels", options, "axis where");
  const y = asTensor(labels, "smoothLabels");
  const { axis = -1, where: there } = options;
  const classes = there === undefined ? (y.shape.at(axis) ?? 1) : sum(there, { axis, keepdims: true });
  return add(mul(1 - alpha, y), div(alpha, classes));
}

/** Options of `rankingSoftmaxLoss`. */
export interface RankingOptions {
  /** Which items there are; all unless given. */
  readonly where?: TensorLike;
  readonly weights?: TensorLike;
  /** What becomes of the lists' losses: their mean, or nothing. */
  readonly reduce?: "mean" | "none";
}

/**
 * −Σ labels · log softmax(logits) of each list of items. Source: optax.ranking_softmax_loss; Cao et al. 2007.
 * @example optax.rankingSoftmaxLoss(array([[1, 2]]), array([[0, 1]])).shape; // []
 */
export function rankingSoftmaxLoss(logits: TensorLike, labels: TensorLike, options: RankingOptions = {}): Tensor {
  checkKeys("rankingSoftmaxLoss", options, "where weights reduce");
  const { where: there, weights, reduce = "mean" } = options;
  const x =
    there === undefined ? asTensor(logits, "rankingSoftmaxLoss") : where(there, logits, Number.NEGATIVE_INFINITY);
  const given = astype(asTensor(labels, "rankingSoftmaxLoss"), "float32");
  const present = there === undefined ? given : where(there, given, 0);
  const y = weights === undefined ? present : mul(present, weights);
  const terms = mul(y, logSoftmax(x));
  const loss = neg(sum(there === undefined ? terms : where(there, terms, 0), { axis: -1 }));
  if (reduce === "none") return loss;
  if (there === undefined) return mean(loss);
  const lists = max(astype(asTensor(there, "rankingSoftmaxLoss"), "int32"), { axis: -1 });
  return div(sum(where(equal(lists, 1), loss, 0)), sum(lists));
}

/**
 * Normalized temperature-scaled cross-entropy: embeddings with equal labels are drawn together, others apart. Source:
 * optax.ntxent; Chen et al. 2020.
 *
 * @throws ShapeError unless there is a label for each embedding.
 * @example optax.ntxent(ones([4, 3]), array([0, 0, 1, 1])).shape; // []
 */
export function ntxent(embeddings: TensorLike, labels: TensorLike, temperature = 0.07): Tensor {
  const [x, y] = [asTensor(embeddings, "ntxent"), asTensor(labels, "ntxent")];
  const [count = 0] = x.shape;
  if (y.shape[0] !== count)
    throw new ShapeError(`ntxent: ${count} embeddings need ${count} labels, received ${shapeText(y.shape)}`);
  const similar = div(cosineSimilarity(expandDims(x, 0), expandDims(x, 1), { epsilon: 2 ** -23 }), temperature);
  const same = equal(expandDims(y, 1), expandDims(y, 0));
  const self = equal(broadcastedIota("int32", [count, count], 0), broadcastedIota("int32", [count, count], 1));
  const matches = logicalAnd(same, logicalNot(self));
  const apart = where(same, Number.NEGATIVE_INFINITY, similar);
  const together = where(matches, similar, Number.NEGATIVE_INFINITY);
  const top = stopGradient(max(concatenate([apart, together], { axis: -1 }), { axis: 1, keepdims: true }));
  const shifted = sub(together, top);
  const scale = add(sum(exp(sub(apart, top)), { axis: 1, keepdims: true }), exp(shifted));
  const terms = where(matches, sub(shifted, log(scale)), 0);
  return div(neg(sum(terms)), sum(matches));
}
