import { isInteger } from "../../dtype.ts";
import { ArgumentError, DtypeError, ShapeError } from "../../errors.ts";
import { broadcastShapes, shapeText } from "../../shape.ts";
import type { Tensor } from "../../tensor.ts";
import { at } from "../../view.ts";
import { asTensor, type TensorLike } from "../create.ts";
import { abs, add, div, equal, greater, less, log, logicalAnd, mul, square, sub, where } from "../elementwise.ts";
import { concatenate } from "../join.ts";
import { cholesky, triangularSolve } from "../linalg.ts";
import { broadcastTo, expandDims, reshape, squeeze, transpose } from "../movement.ts";
import { all, floating, sum } from "../reduce.ts";
import { lgamma, xlogy } from "../special.ts";
import { diagonal } from "../triangle.ts";
import { density } from "./families.ts";

/** Distributions of vectors. */

interface Dirichlet {
  readonly logpdf: (x: TensorLike, alpha: TensorLike) => Tensor;
  readonly pdf: (x: TensorLike, alpha: TensorLike) => Tensor;
}

/**
 * Dirichlet's distribution Γ(Σα) Π xᵢ^(αᵢ − 1) / Γ(αᵢ) of shares [n, …] that are positive and sum up to 1, 0 of others; the last share
 * may be left out. α is of shape [n]. Source: jax.scipy.stats.dirichlet.
 *
 * @throws ShapeError when α is not a vector or does not fit.
 * @example await scipyStats.dirichlet.pdf(array([0.25, 0.75]), array([2, 1])).item(); // 0.5
 */
export const dirichlet: Dirichlet = /* @__PURE__ */ density((x: TensorLike, alpha: TensorLike) => {
  const [given, powers] = [floating(x, "dirichlet"), floating(alpha, "dirichlet")];
  const [n] = powers.shape;
  if (n === undefined || powers.ndim !== 1 || given.ndim === 0 || (given.shape[0] !== n && given.shape[0] !== n - 1))
    throw new ShapeError(
      `dirichlet: x of shape ${shapeText(given.shape)} and alpha of shape ${shapeText(powers.shape)}; [n, …] or [n - 1, …], and [n] are needed`,
    );
  const shares =
    given.shape[0] === n ? given : concatenate([given, sub(1, sum(given, { axis: 0, keepdims: true }))], { axis: 0 });
  const along = reshape(powers, [n, ...shares.shape.slice(1).map(() => 1)]);
  const norming = sub(lgamma(sum(powers)), sum(lgamma(powers)));
  const onSimplex = logicalAnd(all(greater(shares, 0), { axis: 0 }), less(abs(sub(sum(shares, { axis: 0 }), 1)), 1e-6));
  return where(onSimplex, add(sum(xlogy(sub(along, 1), shares), { axis: 0 }), norming), -Infinity);
});

interface Multinomial {
  readonly logpmf: (x: TensorLike, n: TensorLike, p: TensorLike) => Tensor;
  readonly pmf: (x: TensorLike, n: TensorLike, p: TensorLike) => Tensor;
}

function multinomialLog(x: TensorLike, n: TensorLike, p: TensorLike): Tensor {
  const [counts, trials] = [asTensor(x, "multinomial"), asTensor(n, "multinomial")];
  if (!isInteger(counts.dtype) || !isInteger(trials.dtype))
    throw new DtypeError(
      `multinomial: x and n are whole numbers, received ${counts.dtype} and ${trials.dtype}; convert with astype()`,
    );
  const [drawn, all] = [floating(counts, "multinomial"), floating(trials, "multinomial")];
  const found = add(
    lgamma(add(all, 1)),
    sum(sub(xlogy(drawn, floating(p, "multinomial")), lgamma(add(drawn, 1))), { axis: -1 }),
  );
  return where(equal(sum(drawn, { axis: -1 }), all), found, -Infinity);
}

const multinomialDensity = /* @__PURE__ */ density(multinomialLog);

/**
 * How often each of the outcomes along the last axis comes in n trials, with probabilities p: n! Π pᵢ^xᵢ / xᵢ!, 0 unless Σx = n.
 * x and n are whole numbers. Source: jax.scipy.stats.multinomial.
 *
 * @throws DtypeError for floats as x or n.
 * @example await scipyStats.multinomial.pmf(array([1, 2]), array(3), array([0.5, 0.5])).item(); // 0.375
 */
export const multinomial: Multinomial = {
  logpmf: multinomialDensity.logpdf,
  pmf: multinomialDensity.pdf,
};

interface MultivariateNormal {
  readonly logpdf: (x: TensorLike, mean: TensorLike, cov: TensorLike, allowSingular?: undefined) => Tensor;
  readonly pdf: (x: TensorLike, mean: TensorLike, cov: TensorLike) => Tensor;
}

const LOG_2PI = Math.log(2 * Math.PI);

/** −½ yᵀ C⁻¹ y − ½ log det C, by Cholesky's factor. */
function byFactor(y: Tensor, covariance: Tensor): Tensor {
  const n = at(y.shape, y.ndim - 1);
  const factor = cholesky(covariance);
  const logs = sum(log(diagonal(factor, { axis1: -2, axis2: -1 })), { axis: -1 });
  const lead = y.shape.slice(0, -1);
  if (covariance.ndim === 2) {
    // All vectors are the columns of one right side.
    const columns = transpose(reshape(y, [lead.reduce((a, b) => a * b, 1), n]));
    const solved = triangularSolve(factor, columns, { leftSide: true, lower: true });
    return sub(mul(-0.5, reshape(sum(square(solved), { axis: 0 }), lead)), logs);
  }
  const batch = broadcastShapes("multivariateNormal", lead, covariance.shape.slice(0, -2));
  const solved = triangularSolve(broadcastTo(factor, [...batch, n, n]), expandDims(broadcastTo(y, [...batch, n]), -1), {
    leftSide: true,
    lower: true,
  });
  return sub(mul(-0.5, sum(square(squeeze(solved, -1)), { axis: -1 })), logs);
}

/**
 * The normal distribution of vectors [..., n] with mean [..., n] and covariance [..., n, n], or one number times the identity; of
 * numbers where the mean is one. Batch axes broadcast. Source: jax.scipy.stats.multivariate_normal.
 *
 * @throws ShapeError when the covariance does not fit, ArgumentError for allowSingular.
 * @example await scipyStats.multivariateNormal.logpdf(array([1, 2]), array([0, 0]), array([[2, 0], [0, 1]])).item(); // -4.4345
 */
export const multivariateNormal: MultivariateNormal = /* @__PURE__ */ density(
  (x: TensorLike, mean: TensorLike, cov: TensorLike, allowSingular?: undefined) => {
    if (allowSingular !== undefined)
      throw new ArgumentError("multivariateNormal: allowSingular is not available, in JAX neither; leave it out");
    const [place, covariance] = [floating(mean, "multivariateNormal"), floating(cov, "multivariateNormal")];
    const y = sub(floating(x, "multivariateNormal"), place);
    if (place.ndim === 0) return mul(-0.5, add(div(square(y), covariance), add(LOG_2PI, log(covariance))));
    const n = at(place.shape, place.ndim - 1);
    if (covariance.ndim === 0) {
      const squares = sum(square(y), { axis: -1 });
      return mul(-0.5, add(div(squares, covariance), mul(n, add(LOG_2PI, log(covariance)))));
    }
    const fits = covariance.shape.at(-1) === n && covariance.shape.at(-2) === n && y.shape.at(-1) === n;
    if (!fits)
      throw new ShapeError(
        `multivariateNormal: x - mean of shape ${shapeText(y.shape)}, mean of shape ${shapeText(place.shape)} and covariance of shape ${shapeText(covariance.shape)}; [..., n], [..., n] and [..., n, n] are needed`,
      );
    return sub(byFactor(y, covariance), (n / 2) * LOG_2PI);
  },
);
