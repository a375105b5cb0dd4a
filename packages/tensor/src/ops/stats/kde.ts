import { ArgumentError, ShapeError } from "../../errors.ts";
import { checkOptions } from "../../options.ts";
import { checkShape, shapeText, type Shape } from "../../shape.ts";
import type { Tensor } from "../../tensor.ts";
import { at } from "../../view.ts";
import { cov } from "../covariance.ts";
import { full, zeros, type TensorLike } from "../create.ts";
import { add, div, exp, log, mul, power, sqrt, square, sub } from "../elementwise.ts";
import { cholesky, inv, triangularSolve } from "../linalg.ts";
import { logsumexp } from "../log-sum-exp.ts";
import { matmul } from "../matmul.ts";
import { expandDims, moveaxis, ravel, reshape, transpose } from "../movement.ts";
import { ndtr } from "../normal.ts";
import { atleast2d } from "../rank.ts";
import { floating, sum } from "../reduce.ts";
import { choice } from "../random/choice.ts";
import { multivariateNormal } from "../random/vectors.ts";
import { checkedKey, splitPair } from "../random/keys.ts";
import { take } from "../indexing.ts";
import { diagonal } from "../triangle.ts";

const LOG_2PI = Math.log(2 * Math.PI);

export interface GaussianKdeOptions {
  /** The rule for the kernels' width, "scott" unless told, or the factor of the data's deviation itself. */
  readonly bwMethod?: "scott" | "silverman" | number;
  /** What each observation counts for, [n]; all alike unless told. */
  readonly weights?: TensorLike;
}

/** A density estimated from observations: a normal kernel on each. Made by gaussianKde(). */
export class GaussianKde {
  /** How many observations the weights are worth. */
  readonly neff: Tensor;
  /** [d, n]. */
  readonly dataset: Tensor;
  /** [n], with the sum 1. */
  readonly weights: Tensor;
  /** Of a kernel, [d, d]. */
  readonly covariance: Tensor;
  readonly invCov: Tensor;

  constructor(dataset: Tensor, weights: Tensor, factorOf: (neff: Tensor) => TensorLike) {
    this.dataset = dataset;
    this.weights = weights;
    this.neff = div(1, sum(square(weights)));
    const factor = square(factorOf(this.neff));
    const d = at(dataset.shape, 0);
    const own = reshape(cov(dataset, { aweights: weights }), [d, d]);
    this.covariance = mul(own, factor);
    this.invCov = div(inv(own), factor);
  }

  /** How many numbers an observation has. */
  get d(): number {
    return at(this.dataset.shape, 0);
  }

  /** How many observations there are. */
  get n(): number {
    return at(this.dataset.shape, 1);
  }

  /**
   * The density at points [d, m]: [m].
   *
   * @throws ShapeError when the points have another number of coordinates.
   */
  evaluate(points: TensorLike): Tensor {
    return sum(mul(this.weights, exp(this.#logKernels("evaluate", points))), { axis: -1 });
  }

  /** The same as evaluate. */
  pdf(points: TensorLike): Tensor {
    return this.evaluate(points);
  }

  /** The logarithm of the density, also where that is 0 in float32. */
  logpdf(points: TensorLike): Tensor {
    return logsumexp(add(log(this.weights), this.#logKernels("logpdf", points)), { axis: -1 });
  }

  /**
   * The integral of the density times a normal density of mean [d] and covariance [d, d].
   *
   * @throws ShapeError when they do not fit.
   */
  integrateGaussian(mean: TensorLike, covariance: TensorLike): Tensor {
    const centre = ravel(floating(mean, "gaussianKde"));
    const spread = atleast2d(floating(covariance, "gaussianKde"));
    if (centre.size !== this.d || shapeText(spread.shape) !== shapeText([this.d, this.d]))
      throw new ShapeError(
        `gaussianKde: mean of shape ${shapeText(centre.shape)} and covariance of shape ${shapeText(spread.shape)} for ${this.d} dimensions; [d] and [d, d] are needed`,
      );
    return sum(mul(this.weights, this.#overlaps(add(this.covariance, spread), reshape(centre, [this.d, 1]))));
  }

  /**
   * The share between two numbers, for observations of one number.
   *
   * @throws ShapeError for observations of several numbers.
   */
  integrateBox1d(low: TensorLike, high: TensorLike): Tensor {
    if (this.d !== 1)
      throw new ShapeError(`gaussianKde: integrateBox1d is for 1 dimension, these observations have ${this.d}`);
    const deviation = sqrt(reshape(this.covariance, []));
    const below = (bound: TensorLike): Tensor => ndtr(div(sub(bound, ravel(this.dataset)), deviation));
    return sum(mul(this.weights, sub(below(high), below(low))));
  }

  /**
   * The integral of the product of two such densities.
   *
   * @throws ShapeError when they have different numbers of dimensions.
   */
  integrateKde(other: GaussianKde): Tensor {
    if (!(other instanceof GaussianKde) || other.d !== this.d)
      throw new ShapeError(`gaussianKde: integrateKde needs another density of ${this.d} dimensions`);
    const overlaps = this.#overlaps(add(this.covariance, other.covariance), other.dataset);
    return sum(mul(mul(this.weights, overlaps), expandDims(other.weights, -1)));
  }

  /**
   * Draws from the density, [d, ...shape]: an observation each, moved by a normal draw of the kernel's covariance. Of vectors of
   * draws JAX's numbers; of more axes JAX adds the moves in another order.
   *
   * @throws ArgumentError when k is not one key.
   */
  resample(k: TensorLike, shape: Shape = []): Tensor {
    const checked = checkShape("gaussianKde.resample", shape);
    const [chooser, mover] = splitPair(checkedKey("gaussianKde.resample", k));
    const which = choice(chooser, this.n, checked, { p: this.weights });
    const moves = multivariateNormal(mover, zeros([this.d]), this.covariance, { shape: checked });
    return add(take(this.dataset, which, { axis: 1 }), moveaxis(moves, -1, 0));
  }

  /** log of the kernels of all observations at points: [m, n]. */
  #logKernels(name: string, points: TensorLike): Tensor {
    const given = atleast2d(floating(points, `gaussianKde.${name}`));
    const { d } = this;
    const turned = given.shape[0] === 1 && given.shape[1] === d ? reshape(given, [d, 1]) : given;
    if (turned.ndim !== 2 || turned.shape[0] !== d)
      throw new ShapeError(
        `gaussianKde.${name}: points of shape ${shapeText(given.shape)} for ${d} dimensions; [${d}, m] is needed`,
      );
    const white = cholesky(this.invCov);
    const place = (x: Tensor): Tensor => matmul(transpose(x), white);
    const apart = sub(expandDims(place(turned), 1), expandDims(place(this.dataset), 0));
    const norming = sub(sum(log(diagonal(white))), (d / 2) * LOG_2PI);
    return sub(norming, mul(0.5, sum(square(apart), { axis: -1 })));
  }

  /** Normal densities of a covariance at all observations, around each of the means [d, m]: [m, n]. */
  #overlaps(covariance: Tensor, means: Tensor): Tensor {
    const factor = cholesky(covariance);
    const solved = (x: Tensor): Tensor => triangularSolve(factor, x, { leftSide: true, lower: true });
    const apart = sub(expandDims(transpose(solved(means)), 1), expandDims(transpose(solved(this.dataset)), 0));
    const norming = add(sum(log(diagonal(factor))), (this.d / 2) * LOG_2PI);
    return exp(sub(mul(-0.5, sum(square(apart), { axis: -1 })), norming));
  }
}

/**
 * A density estimated from observations [n] or [d, n], with the methods evaluate, pdf, logpdf, integrateGaussian, integrateBox1d,
 * integrateKde and resample. Source: jax.scipy.stats.gaussian_kde.
 *
 * @throws ShapeError for less than two elements, or weights that do not fit; ArgumentError for an unknown bwMethod.
 * @example await scipyStats.gaussianKde(array([-1, 0, 1])).pdf(array([0])).toArray(); // [0.31816]
 */
export function gaussianKde(dataset: TensorLike, options: GaussianKdeOptions = {}): GaussianKde {
  checkOptions("gaussianKde", options, { bwMethod: true, weights: true });
  const data = atleast2d(floating(dataset, "gaussianKde"));
  const [d = 0, n = 0] = data.shape;
  if (data.ndim !== 2 || data.size < 2)
    throw new ShapeError(
      `gaussianKde: observations of shape ${shapeText(data.shape)}; [n] or [d, n] of at least two elements is needed`,
    );
  const { bwMethod = "scott" } = options;
  if (bwMethod !== "scott" && bwMethod !== "silverman" && typeof bwMethod !== "number")
    throw new ArgumentError(
      `gaussianKde: bwMethod is "scott", "silverman" or a number, received ${JSON.stringify(bwMethod)}`,
    );
  const given =
    options.weights === undefined ? full([n], 1, { dtype: data.dtype }) : floating(options.weights, "gaussianKde");
  if (given.ndim !== 1 || given.size !== n)
    throw new ShapeError(`gaussianKde: weights of shape ${shapeText(given.shape)}; [${n}] is needed`);
  const factorOf = (neff: Tensor): TensorLike => {
    if (typeof bwMethod === "number") return bwMethod;
    return power(bwMethod === "scott" ? neff : mul(neff, (d + 2) / 4), -1 / (d + 4));
  };
  return new GaussianKde(data, div(given, sum(given)), factorOf);
}
