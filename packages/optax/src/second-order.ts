import { grad, jvp, vmap } from "@jnx/autodiff";
import { eye, square, vdot, type Tensor, type TensorLike } from "@jnx/tensor";
import { asTensor } from "@jnx/tensor/internal";
import { cut, joined } from "./vector.ts";

/** A scalar of parameters, inputs and targets. */
export type LossFunction<P> = (params: P, inputs: Tensor, targets: Tensor) => Tensor;

/**
 * H·v, H being the loss's Hessian in the parameters and v one number for each of them, in the order of the tree's leaves; a
 * tree like the parameters. Source: optax.second_order.hvp.
 *
 * @example
 * const loss = (p: { w: Tensor }, x: Tensor) => jnp.sum(jnp.multiply(x, jnp.multiply(p.w, p.w)));
 * optax.secondOrder.hvp(loss, array([1, 10], { dtype: "float32" }), { w: array([5.5, 6]) }, array([1, 2]), array([0])); // { w: [2, 40] }
 */
export function hvp<P>(loss: LossFunction<P>, v: TensorLike, params: P, inputs: Tensor, targets: Tensor): P {
  const gradient = grad((p: P) => loss(p, inputs, targets));
  const [, product] = jvp(gradient, [params], [cut(params, asTensor(v, "hvp"))]);
  return product as P; // as the gradient is
}

/**
 * The diagonal of the loss's Hessian in the parameters, [n], in the order of the tree's leaves. It takes n products with the
 * Hessian. Source: optax.second_order.hessian_diag.
 *
 * @example
 * const loss = (p: { w: Tensor }, x: Tensor) => jnp.sum(jnp.multiply(x, jnp.multiply(p.w, p.w)));
 * optax.secondOrder.hessianDiag(loss, { w: array([5.5, 6]) }, array([1, 2]), array([0])); // [2, 4]
 */
export function hessianDiag<P>(loss: LossFunction<P>, params: P, inputs: Tensor, targets: Tensor): Tensor {
  const entry = (v: Tensor): Tensor => vdot(v, joined(hvp(loss, v, params, inputs, targets)));
  return vmap(entry)(eye(joined(params).size));
}

/**
 * The diagonal of the observed Fisher information, [n]: each derivative of the negative log likelihood squared.
 * Source: optax.second_order.fisher_diag.
 *
 * @example
 * const nll = (p: { w: Tensor }, x: Tensor) => jnp.sum(jnp.multiply(x, p.w));
 * optax.secondOrder.fisherDiag(nll, { w: array([5.5, 6]) }, array([1, 3]), array([0])); // [1, 9]
 */
export function fisherDiag<P>(
  negativeLogLikelihood: LossFunction<P>,
  params: P,
  inputs: Tensor,
  targets: Tensor,
): Tensor {
  const gradient = grad((p: P) => negativeLogLikelihood(p, inputs, targets))(params);
  return square(joined(gradient));
}
