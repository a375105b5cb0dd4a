import {
  add,
  any,
  broadcastedIota,
  broadcastTo,
  DtypeError,
  equal,
  expandDims,
  greaterEqual,
  less,
  logicalAnd,
  logSoftmax,
  logsumexp,
  mul,
  neg,
  ShapeError,
  sub,
  sum,
  where,
  type Tensor,
  type TensorLike,
} from "@jnx/tensor";
import { asTensor, isFloat, normalizeAxis, shapeText, unpacked, checkKeys } from "@jnx/tensor/internal";

export interface LossOptions {
  /** The axis of classes; the last unless told. */
  readonly axis?: number;
  /** Which classes there are: bool, of a shape that broadcasts to the logits', or of theirs without the class axis. */
  readonly where?: TensorLike;
}

/** The mask of classes with the axes of the logits. */
export function classMask(where: TensorLike, ndim: number, axis: number): Tensor {
  const mask = asTensor(where, "softmaxCrossEntropy");
  return mask.ndim === ndim ? mask : expandDims(mask, axis);
}

function floatLogits(name: string, logits: TensorLike): Tensor {
  const tensor = asTensor(logits, name);
  if (isFloat(tensor.dtype)) return tensor;
  throw new DtypeError(`${name}: logits must be float, received ${tensor.dtype}; convert them with astype()`);
}

/**
 * −log softmax(logits)[label] = log Σⱼ e^logitⱼ − logit[label], for each element. labels has the shape of logits
 * without the class axis, which is also the result's shape. A negative label counts from the end; one that is out of
 * range gives NaN, as in JAX.
 *
 * The label's logit is picked by comparison instead of a gather, so that the loss and its gradient
 * softmax(logits) − onehot(labels) are elementwise chains on one shape.
 *
 * @throws DtypeError unless logits are float and labels integer, ShapeError when the shapes do not belong together.
 * Source: optax.softmax_cross_entropy_with_integer_labels.
 * @example
 * const logits = array([[2, 0, 0], [0, 0.5, 0]]);
 * optax.softmaxCrossEntropyWithIntegerLabels(logits, array([0, 2])); // [0.23954, 1.2944]
 */
export function softmaxCrossEntropyWithIntegerLabels(
  logits: TensorLike,
  labels: TensorLike,
  options: LossOptions = {},
): Tensor {
  checkKeys("softmaxCrossEntropyWithIntegerLabels", options, "axis where");
  const name = "softmaxCrossEntropyWithIntegerLabels";
  const [scores, classes] = [
    floatLogits(name, logits),
    unpacked(asTensor(labels, "softmaxCrossEntropyWithIntegerLabels")),
  ];
  if (classes.dtype !== "int32" && classes.dtype !== "uint32")
    throw new DtypeError(
      `${name}: labels must be integers, received ${classes.dtype}; for probabilities use softmaxCrossEntropy`,
    );
  if (scores.ndim === 0) throw new ShapeError(`${name}: logits need a class axis, received a scalar`);
  const axis = normalizeAxis(name, options.axis ?? -1, scores.ndim);
  const expected = scores.shape.filter((_, k) => k !== axis);
  if (shapeText(expected) !== shapeText(classes.shape))
    throw new ShapeError(
      `${name}: logits ${shapeText(scores.shape)} need labels ${shapeText(expected)}, received ${shapeText(classes.shape)}`,
    );
  const count = scores.shape[axis] ?? 0;
  const label = classes.dtype === "int32" ? where(less(classes, 0), add(classes, count), classes) : classes;
  const iota = broadcastedIota(
    classes.dtype,
    scores.shape.map((extent, k) => (k === axis ? extent : 1)),
    axis,
  );
  const picked = sum(where(equal(iota, expandDims(label, axis)), scores, 0), { axis });
  const known = classes.dtype === "int32" ? logicalAnd(greaterEqual(label, 0), less(label, count)) : less(label, count);
  if (options.where === undefined) return where(known, sub(logsumexp(scores, { axis }), picked), Number.NaN);
  const mask = classMask(options.where, scores.ndim, axis);
  const loss = where(known, sub(logsumexp(scores, { axis, where: mask }), picked), Number.NaN);
  return where(any(broadcastTo(mask, scores.shape), { axis }), loss, 0);
}

/**
 * −Σ labels · log softmax(logits) along `axis`: labels are probabilities of logits' shape.
 *
 * @throws DtypeError unless logits are float, ShapeError when the shapes do not broadcast.
 * Source: optax.softmax_cross_entropy.
 * @example
 * optax.softmaxCrossEntropy(array([[2, 0.5, 0]]), nn.oneHot(array([0]), 3)); // [0.30636]
 */
export function softmaxCrossEntropy(logits: TensorLike, labels: TensorLike, options: LossOptions = {}): Tensor {
  checkKeys("softmaxCrossEntropy", options, "axis where");
  const scores = floatLogits("softmaxCrossEntropy", logits);
  const axis = options.axis ?? -1;
  if (options.where === undefined) return neg(sum(mul(labels, logSoftmax(scores, { axis })), { axis }));
  const mask = classMask(options.where, scores.ndim, axis);
  return neg(sum(mul(labels, logSoftmax(scores, { axis, where: mask })), { axis, where: mask }));
}
