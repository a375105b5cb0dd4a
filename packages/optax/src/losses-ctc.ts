import { scan } from "@jnx/compile";
import {
  add,
  astype,
  concatenate,
  einsum,
  equal,
  fullLike,
  laxSlice,
  logaddexp,
  logSoftmax,
  mul,
  neg,
  oneHot,
  pad,
  reshape,
  ShapeError,
  sub,
  sum,
  transpose,
  zeros,
  type Tensor,
  type TensorLike,
} from "@jnx/tensor";
import { asTensor, shapeText, checkKeys } from "@jnx/tensor/internal";

/** Options of `ctcLoss`. */
export interface CtcOptions {
  /** The class that stands for no label, 0. */
  readonly blankId?: number;
  /** The logarithm of what counts as probability 0, −1e5. */
  readonly logEpsilon?: number;
}

type Scores = readonly [phi: Tensor, emit: Tensor];

/** The scores of ending in a blank, with those of having just emitted each label. */
function withEmitted(phi: Tensor, emitted: Tensor): Tensor {
  const [batch = 0, states = 0] = phi.shape;
  const first = laxSlice(phi, [0, 0], [batch, 1]);
  return concatenate([first, logaddexp(laxSlice(phi, [0, 1], [batch, states]), emitted)], { axis: -1 });
}

/**
 * ctcLoss, and the logarithms of the forward probabilities: of having emitted n labels and then a blank, [frames, batch,
 * labels + 1], and of having just emitted the n-th, [frames, batch, labels]. Source: optax.ctc_loss_with_forward_probs;
 * Graves et al. 2006.
 *
 * @throws ShapeError when the shapes do not belong together.
 * @example
 * const [loss, phi] = optax.ctcLossWithForwardProbs(zeros([1, 3, 4]), zeros([1, 3]), array([[1, 2]]), zeros([1, 2]));
 * phi.shape; // [3, 1, 3]
 */
export function ctcLossWithForwardProbs(
  logits: TensorLike,
  logitPaddings: TensorLike,
  labels: TensorLike,
  labelPaddings: TensorLike,
  options: CtcOptions = {},
): [loss: Tensor, logAlphaPhi: Tensor, logAlphaEmit: Tensor] {
  checkKeys("ctcLossWithForwardProbs", options, "blankId logEpsilon");
  const { blankId = 0, logEpsilon = -1e5 } = options;
  const [x, pads] = [asTensor(logits, "ctcLossWithForwardProbs"), asTensor(logitPaddings, "ctcLossWithForwardProbs")];
  const [y, yPads] = [asTensor(labels, "ctcLossWithForwardProbs"), asTensor(labelPaddings, "ctcLossWithForwardProbs")];
  const [batch, frames, classes, count] = extents(x, pads, y, yPads);
  const logProbs = logSoftmax(x);
  const same = equal(laxSlice(y, [0, 0], [batch, count - 1]), laxSlice(y, [0, 1], [batch, count]));
  const repeat = pad(astype(same, "float32"), 0, [
    [0, 0, 0],
    [0, 1, 0],
  ]);
  const blanks = transpose(laxSlice(logProbs, [0, 0, blankId], [batch, frames, blankId + 1]), [1, 0, 2]);
  const emissions = transpose(einsum("btk,bnk->btn", logProbs, oneHot(y, classes)), [1, 0, 2]);
  const never = (states: number): Tensor => fullLike(zeros([batch, states]), logEpsilon);
  const start: Scores = [concatenate([zeros([batch, 1]), never(count)], { axis: 1 }), never(count)];
  const advance = (
    [phi, emit]: Scores,
    [emission, blank, padded]: readonly [Tensor, Tensor, Tensor],
  ): [Scores, Scores] => {
    const ready = withEmitted(phi, add(emit, mul(logEpsilon, repeat)));
    const emitted = logaddexp(add(laxSlice(ready, [0, 0], [batch, count]), emission), add(emit, emission));
    const rested = add(emit, add(blank, mul(logEpsilon, sub(1, repeat))));
    const next = withEmitted(add(ready, blank), rested);
    const skip = reshape(padded, [batch, 1]);
    const kept = (old: Tensor, now: Tensor): Tensor => add(mul(skip, old), mul(sub(1, skip), now));
    const scores: Scores = [kept(phi, next), kept(emit, emitted)];
    return [scores, scores];
  };
  const xs = [emissions, blanks, transpose(astype(pads, "float32"))] as const;
  const [[lastPhi, lastEmit], [phis, emits]] = scan(advance, start, xs);
  const final = withEmitted(lastPhi, lastEmit);
  const lengths = sub(count, astype(sum(yPads, { axis: 1 }), "int32"));
  const loss = neg(sum(mul(final, oneHot(lengths, count + 1)), { axis: 1 }));
  const before = laxSlice(phis, [0, 0, 0], [frames - 1, batch, count + 1]);
  return [loss, concatenate([before, reshape(final, [1, batch, count + 1])]), emits];
}

function extents(x: Tensor, pads: Tensor, y: Tensor, yPads: Tensor): [number, number, number, number] {
  const [batch = 0, frames = 0, classes = 0] = x.shape;
  const count = y.shape[1] ?? 0;
  const shapes = [x, pads, y, yPads].map(({ shape }) => shapeText(shape));
  const fits =
    x.ndim === 3 &&
    shapes[1] === shapeText([batch, frames]) &&
    shapes[2] === shapeText([batch, count]) &&
    shapes[2] === shapes[3];
  if (!fits || count < 1)
    throw new ShapeError(
      `ctcLoss: takes logits [batch, frames, classes], their paddings [batch, frames], labels and their paddings [batch, labels], received ${shapes.join(", ")}`,
    );
  return [batch, frames, classes, count];
}

/**
 * −log of the probability of a sequence of labels, over all ways to spread it over the frames: logits [batch, frames,
 * classes], labels [batch, labels] → [batch]. Paddings are 1 where a frame or label is none. Source: optax.ctc_loss; Graves
 * et al. 2006.
 *
 * @throws ShapeError when the shapes do not belong together.
 * @example
 * // three frames of four equally likely classes: 5 of 64 ways to spell 1, 2
 * optax.ctcLoss(zeros([1, 3, 4]), zeros([1, 3]), array([[1, 2]]), zeros([1, 2])); // [2.5494]
 */
export function ctcLoss(
  logits: TensorLike,
  logitPaddings: TensorLike,
  labels: TensorLike,
  labelPaddings: TensorLike,
  options: CtcOptions = {},
): Tensor {
  checkKeys("ctcLoss", options, "blankId logEpsilon");
  return ctcLossWithForwardProbs(logits, logitPaddings, labels, labelPaddings, options)[0];
}
