import {
  add,
  div,
  expandDims,
  laxSlice,
  mean,
  mul,
  ShapeError,
  sigmoid,
  softmax,
  square,
  sub,
  sum,
  type Tensor,
  type TensorLike,
} from "@jnx/tensor";
import { asTensor, shapeText, checkKeys } from "@jnx/tensor/internal";

/** Options of `diceLoss`. */
export interface DiceOptions {
  readonly classWeights?: TensorLike;
  /** Added to both parts of the ratio, 1. */
  readonly smooth?: number;
  /** Weight of false positives, 0.5. */
  readonly alpha?: number;
  /** Weight of false negatives, 0.5. */
  readonly beta?: number;
  /** Whether predictions are logits, true. */
  readonly applySoftmax?: boolean;
  /** What becomes of the classes' losses, their mean unless given. */
  readonly reduction?: "mean" | "sum" | "none";
  /** Whether class 0 is left out, false. */
  readonly ignoreBackground?: boolean;
  /** The axes of positions; all but the first and the last unless given. */
  readonly axis?: readonly number[];
}

/**
 * 1 − the overlap of prediction and target, class by class. Source: optax.dice_loss; Milletari et al. 2016.
 *
 * @throws ShapeError unless both have the same shape.
 * @example optax.diceLoss(ones([2, 4, 3]), ones([2, 4, 3])).shape; // [2]
 */
export function diceLoss(predictions: TensorLike, targets: TensorLike, options: DiceOptions = {}): Tensor {
  checkKeys("diceLoss", options, "classWeights smooth alpha beta applySoftmax? reduction ignoreBackground? axis");
  const { smooth = 1, alpha = 0.5, beta = 0.5, applySoftmax = true, reduction = "mean" } = options;
  let [x, y] = [asTensor(predictions, "diceLoss"), asTensor(targets, "diceLoss")];
  if (x.ndim === y.ndim - 1) x = expandDims(x, -1);
  if (y.ndim === x.ndim - 1) y = expandDims(y, -1);
  if (shapeText(x.shape) !== shapeText(y.shape))
    throw new ShapeError(
      `diceLoss: predictions ${shapeText(x.shape)} and targets ${shapeText(y.shape)} must have the same shape`,
    );
  const probabilities = !applySoftmax ? x : x.shape.at(-1) === 1 ? sigmoid(x) : softmax(x);
  const axis = options.axis ?? x.shape.map((_, k) => k).slice(1, -1);
  const total = (value: Tensor): Tensor => sum(value, { axis });
  const [both, predicted, wanted] = [total(mul(probabilities, y)), total(probabilities), total(y)];
  const misses = add(mul(alpha, sub(predicted, both)), mul(beta, sub(wanted, both)));
  const loss = sub(1, div(add(both, smooth), add(add(both, misses), smooth)));
  const weighted = options.classWeights === undefined ? loss : mul(loss, options.classWeights);
  const counted = options.ignoreBackground === true && weighted.shape.at(-1) !== 1 ? withoutFirst(weighted) : weighted;
  if (reduction === "none") return counted;
  return reduction === "sum" ? sum(counted, { axis: -1 }) : mean(counted, { axis: -1 });
}

function withoutFirst(x: Tensor): Tensor {
  const classes = x.shape.at(-1) ?? 0;
  return laxSlice(
    x,
    x.shape.map((_, k) => (k === x.ndim - 1 ? 1 : 0)),
    [...x.shape.slice(0, -1), classes],
  );
}

/** Options of `multiclassGeneralizedDiceLoss`. */
export interface GeneralizedDiceOptions {
  /** 1 */
  readonly smooth?: number;
  /** Whether predictions are logits, true. */
  readonly applySoftmax?: boolean;
  /** Whether class 0 is left out, false. */
  readonly ignoreBackground?: boolean;
}

/**
 * The mean of diceLoss with each class weighted by how rare it is: 1 / frequency². Source:
 * optax.losses.multiclass_generalized_dice_loss; Sudre et al. 2017.
 *
 * @throws ShapeError unless both have the same shape.
 * @example optax.multiclassGeneralizedDiceLoss(ones([2, 4, 3]), ones([2, 4, 3])).shape; // []
 */
export function multiclassGeneralizedDiceLoss(
  predictions: TensorLike,
  targets: TensorLike,
  options: GeneralizedDiceOptions = {},
): Tensor {
  checkKeys("multiclassGeneralizedDiceLoss", options, "smooth applySoftmax? ignoreBackground?");
  const y = asTensor(targets, "multiclassGeneralizedDiceLoss");
  const frequencies = sum(y, { axis: y.shape.map((_, axis) => axis).slice(0, -1) });
  const rarity = div(1, add(square(frequencies), 1e-7));
  const classWeights = mul(div(rarity, sum(rarity)), y.shape.at(-1) ?? 1);
  return mean(diceLoss(predictions, targets, { ...options, classWeights, reduction: "none" }));
}

/**
 * diceLoss for one class: predictions [...batch, positions] or with a last axis of 1. Source:
 * optax.losses.binary_dice_loss.
 * @example optax.binaryDiceLoss(ones([2, 4]), ones([2, 4])).shape; // [2]
 */
export function binaryDiceLoss(
  predictions: TensorLike,
  targets: TensorLike,
  options: { readonly smooth?: number; readonly applySigmoid?: boolean } = {},
): Tensor {
  checkKeys("binaryDiceLoss", options, "smooth applySigmoid?");
  const { smooth = 1, applySigmoid = true } = options;
  const [x, y] = [asTensor(predictions, "binaryDiceLoss"), asTensor(targets, "binaryDiceLoss")];
  const flat = x.ndim === y.ndim && x.shape.at(-1) !== 1;
  const last = (value: Tensor): Tensor => (flat ? expandDims(value, -1) : value);
  return diceLoss(last(x), last(y), { smooth, applySoftmax: applySigmoid });
}
