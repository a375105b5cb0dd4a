import {
  abs,
  add,
  clip,
  div,
  log1p,
  exp,
  maximum,
  minimum,
  mul,
  power,
  ShapeError,
  sqrt,
  square,
  sub,
  sum,
  type Tensor,
  type TensorLike,
} from "@jnx/tensor";
import { asTensor, shapeText, checkKeys } from "@jnx/tensor/internal";

function errors(name: string, predictions: TensorLike, targets: TensorLike | undefined): Tensor {
  const x = asTensor(predictions, name);
  if (targets === undefined) return x;
  const y = asTensor(targets, name);
  if (shapeText(x.shape) !== shapeText(y.shape))
    throw new ShapeError(
      `${name}: predictions ${shapeText(x.shape)} and targets ${shapeText(y.shape)} must have the same shape; reshape one, or add the missing axis`,
    );
  return sub(x, y);
}

/**
 * (predictions − targets)², element by element. Source: optax.squared_error.
 *
 * @throws ShapeError unless both have the same shape.
 * @example optax.squaredError(array([1, 4]), array([0, 2])); // [1, 4]
 */
export function squaredError(predictions: TensorLike, targets?: TensorLike): Tensor {
  return square(errors("squaredError", predictions, targets));
}

/**
 * Half the squared error. Source: optax.l2_loss.
 *
 * @throws ShapeError unless both have the same shape.
 * @example optax.l2Loss(array([1, 4]), array([0, 2])); // [0.5, 2]
 */
export function l2Loss(predictions: TensorLike, targets?: TensorLike): Tensor {
  return mul(0.5, square(errors("l2Loss", predictions, targets)));
}

/**
 * Half the squared error up to delta, a line beyond it. Source: optax.huber_loss; Huber 1964.
 * @example optax.huberLoss(array([0.5, 2, -3])); // [0.125, 1.5, 2.5]
 */
export function huberLoss(
  predictions: TensorLike,
  targets?: TensorLike,
  options: { readonly delta?: number } = {},
): Tensor {
  checkKeys("huberLoss", options, "delta");
  const { delta = 1 } = options;
  const size = abs(asTensor(targets === undefined ? predictions : sub(predictions, targets), "huberLoss"));
  const quadratic = minimum(size, delta);
  return add(mul(0.5, square(quadratic)), mul(delta, sub(size, quadratic)));
}

/**
 * log cosh of the error. Source: optax.log_cosh.
 * @example optax.logCosh(array([0.5, 2])); // [0.12011, 1.325]
 */
export function logCosh(predictions: TensorLike, targets?: TensorLike): Tensor {
  const size = abs(asTensor(targets === undefined ? predictions : sub(predictions, targets), "logCosh"));
  return sub(add(size, log1p(exp(mul(-2, size)))), Math.LN2);
}

/** Options of the cosine functions. */
export interface CosineLossOptions {
  /** What squared norms are at least, 0. */
  readonly epsilon?: number;
  /** The axis of the vectors, −1. */
  readonly axis?: number;
  /** Which elements count: bool, of a shape that broadcasts. */
  readonly where?: TensorLike;
}

/**
 * The cosine of the angle between vectors. Source: optax.cosine_similarity.
 * @example optax.cosineSimilarity(array([[3, 4]]), array([[4, 3]])); // [0.96]
 */
export function cosineSimilarity(
  predictions: TensorLike,
  targets: TensorLike,
  options: CosineLossOptions = {},
): Tensor {
  checkKeys("cosineSimilarity", options, "epsilon axis where");
  const { epsilon = 0, axis = -1, where } = options;
  const along = where === undefined ? { axis } : { axis, where };
  const unit = (x: TensorLike): Tensor => {
    const squared = sum(square(x), { ...along, keepdims: true });
    return div(x, sqrt(clip(squared, epsilon, Number.POSITIVE_INFINITY)));
  };
  return sum(mul(unit(predictions), unit(targets)), along);
}

/**
 * 1 − cosineSimilarity. Source: optax.cosine_distance.
 * @example optax.cosineDistance(array([[3, 4]]), array([[4, 3]])); // [0.04]
 */
export function cosineDistance(predictions: TensorLike, targets: TensorLike, options: CosineLossOptions = {}): Tensor {
  checkKeys("cosineDistance", options, "epsilon axis where");
  return sub(1, cosineSimilarity(predictions, targets, options));
}

/** Options of `tripletMarginLoss`. */
export interface TripletOptions {
  readonly axis?: number;
  readonly normDegree?: number;
  readonly margin?: number;
  readonly eps?: number;
}

/**
 * max(d(anchor, positive) − d(anchor, negative) + margin, 0). Source: optax.triplet_margin_loss.
 * @example optax.tripletMarginLoss(array([[0, 0]]), array([[3, 4]]), array([[0, 0]])).shape; // [1]
 */
export function tripletMarginLoss(
  anchors: TensorLike,
  positives: TensorLike,
  negatives: TensorLike,
  options: TripletOptions = {},
): Tensor {
  checkKeys("tripletMarginLoss", options, "axis normDegree margin eps");
  const { axis = -1, normDegree = 2, margin = 1, eps = 1e-6 } = options;
  const distance = (x: TensorLike): Tensor => {
    const gap = sub(anchors, x);
    const powers = normDegree === 2 ? square(gap) : power(gap, normDegree);
    const total = add(sum(powers, { axis }), eps);
    return normDegree === 2 ? sqrt(total) : power(total, 1 / normDegree);
  };
  return maximum(add(sub(distance(positives), distance(negatives)), margin), 0);
}
