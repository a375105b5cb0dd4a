import { vmap } from "@jnx/autodiff";
import { mul, reshape, sub, sum, type Tensor, type TensorLike } from "@jnx/tensor";
import { asTensor, sizeOf } from "@jnx/tensor/internal";

/**
 * max(scores) − targets · scores along the last axis, for a convex function `maxFun` of a vector that stands for the
 * maximum: with logsumexp the cross-entropy. Source: optax.losses.make_fenchel_young_loss; Blondel et al. 2020.
 * @example
 * const loss = optax.makeFenchelYoungLoss((scores) => jnp.max(scores));
 * loss(array([[1, 3]]), array([[1, 0]])); // [2]
 */
export function makeFenchelYoungLoss(
  maxFun: (scores: Tensor) => Tensor,
): (scores: TensorLike, targets: TensorLike) => Tensor {
  return (scores, targets) => {
    const x = asTensor(scores, "makeFenchelYoungLoss");
    const batch = x.shape.slice(0, -1);
    const rows = reshape(x, [sizeOf(batch), x.shape.at(-1) ?? 0]);
    return sub(reshape(vmap(maxFun)(rows), batch), sum(mul(targets, x), { axis: -1 }));
  };
}
