import {
  add,
  ArgumentError,
  arange,
  cumsum,
  div,
  equal,
  flip,
  greater,
  mul,
  neg,
  oneHot,
  relu,
  ShapeError,
  sort,
  sparsePlus,
  stopGradient,
  sub,
  sum,
  takeAlongAxis,
  where,
  type Tensor,
  type TensorLike,
} from "@jnx/tensor";
import { asTensor, shapeText } from "@jnx/tensor/internal";

/**
 * sparsePlus(−logit) where the label is true, else sparsePlus(logit): the binary loss of sparsemax. Source:
 * optax.losses.sparsemax_loss; Martins & Astudillo 2016.
 * @example optax.sparsemaxLoss(array([0.5, -2]), array([1, 0])); // [0.0625, 0]
 */
export function sparsemaxLoss(logits: TensorLike, labels: TensorLike): Tensor {
  return sparsePlus(where(labels, neg(logits), logits));
}

/**
 * The point of the simplex {p ≥ 0, Σ p = scale} that is closest to x, along the last axis. Source:
 * optax.projections.projection_simplex; Duchi et al. 2008.
 * @example optax.projectionSimplex(array([2, 0.5])); // [1, 0]
 */
export function projectionSimplex(x: TensorLike, scale = 1): Tensor {
  if (!(scale > 0)) throw new ArgumentError(`projectionSimplex: scale must be over 0, received ${scale}`);
  const values = div(x, scale);
  const still = stopGradient(values);
  const last = still.ndim - 1;
  const sorted = flip(sort(still), { axis: last });
  const sums = cumsum(sorted, { axis: last });
  const ranks = add(arange(still.shape[last] ?? 0), 1);
  const inside = greater(add(div(1, ranks), sub(sorted, div(sums, ranks))), 0);
  const count = sum(inside, { axis: last, keepdims: true });
  // Σ of the values that stay: of these themselves, so that the gradient is the projection's.
  const threshold = takeAlongAxis(sorted, sub(count, 1), last);
  const kept = where(greater(threshold, still), 0, values);
  const total = sum(kept, { axis: last, keepdims: true });
  return mul(scale, relu(add(values, div(sub(1, total), count))));
}

/**
 * The loss whose gradient is sparsemax(scores) − onehot(label): scores [..., classes], labels [...] → [...]. Source:
 * optax.losses.multiclass_sparsemax_loss; Martins & Astudillo 2016.
 *
 * @throws ShapeError unless there is a label for each row of scores.
 * @example optax.multiclassSparsemaxLoss(array([[2.5, 0, 0]]), array([1])); // [2.5]
 */
export function multiclassSparsemaxLoss(scores: TensorLike, labels: TensorLike): Tensor {
  const [x, y] = [asTensor(scores, "multiclassSparsemaxLoss"), asTensor(labels, "multiclassSparsemaxLoss")];
  if (shapeText(x.shape.slice(0, -1)) !== shapeText(y.shape))
    throw new ShapeError(
      `multiclassSparsemaxLoss: scores ${shapeText(x.shape)} need labels ${shapeText(x.shape.slice(0, -1))}, received ${shapeText(y.shape)}`,
    );
  const proba = projectionSimplex(x);
  const onehot = oneHot(y, x.shape.at(-1) ?? 0);
  const own = sum(mul(x, onehot), { axis: -1, keepdims: true });
  const gaps = where(equal(onehot, 1), 0, sub(x, own));
  const dot = (a: TensorLike, b: TensorLike): Tensor => sum(mul(a, b), { axis: -1 });
  return add(dot(proba, where(greater(proba, 0), gaps, 0)), mul(0.5, sub(1, dot(proba, proba))));
}
