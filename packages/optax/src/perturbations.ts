/** Differentiable estimates of functions that have no derivative, as optax.perturbations has them. */
import { vmap } from "@jnx/autodiff";
import {
  add,
  ArgumentError,
  div,
  exp,
  mean,
  mul,
  neg,
  square,
  stopGradient,
  sub,
  tree,
  type Tensor,
  type TensorLike,
} from "@jnx/tensor";
import * as random from "@jnx/tensor/random";
import { checkKeys } from "@jnx/tensor/internal";
import * as trees from "./tree-ops.ts";

/** A distribution to perturb with: what draws from it, and the logarithm of its density up to a constant. */
export interface Noise {
  readonly sample: trees.TreeSampler;
  logProb(inputs: Tensor): Tensor;
}

/**
 * The normal distribution. Source: optax.perturbations.Normal.
 * @example new optax.perturbations.Normal().logProb(array([2])); // [-2]
 */
export class Normal implements Noise {
  readonly sample: trees.TreeSampler = random.normal;

  logProb(inputs: Tensor): Tensor {
    return mul(-0.5, square(inputs));
  }
}

/**
 * Gumbel's distribution. Source: optax.perturbations.Gumbel.
 * @example new optax.perturbations.Gumbel().logProb(array([0])); // [-1]
 */
export class Gumbel implements Noise {
  readonly sample: trees.TreeSampler = (key, shape) => random.gumbel(key, shape);

  logProb(inputs: Tensor): Tensor {
    return sub(neg(inputs), exp(neg(inputs)));
  }
}

/** Options of `makePerturbedFun`. */
export interface PerturbedOptions {
  /** How many samples are averaged, 1000. */
  readonly numSamples?: number;
  /** How strong the noise is, 0.1. */
  readonly sigma?: number;
  /** new Gumbel() unless given. */
  readonly noise?: Noise;
  /** Whether the function's value without noise is taken off where the gradient is estimated, true: less variance. */
  readonly useBaseline?: boolean;
}

/**
 * A function of a key and x that gives the mean of fun(x + sigma · noise), whose derivatives, of any order and in both modes, are
 * estimates by the noise's density: `fun` needs none. Source: optax.perturbations.make_perturbed_fun; Berthet et al. 2020.
 *
 * @throws ArgumentError unless numSamples is a whole number of at least 1.
 * @example
 * const best = optax.perturbations.makePerturbedFun((x: Tensor) => oneHot(argmax(x), 3), { numSamples: 50 });
 * best(random.key(0), array([1, 9, 2])); // [0, 1, 0]
 */
export function makePerturbedFun<X, Y>(fun: (x: X) => Y, options: PerturbedOptions = {}): (key: Tensor, x: X) => Y {
  checkKeys("makePerturbedFun", options, "numSamples sigma noise useBaseline?");
  const { numSamples = 1000, sigma = 0.1, noise = new Gumbel(), useBaseline = true } = options;
  if (!Number.isInteger(numSamples) || numSamples < 1)
    throw new ArgumentError(
      `makePerturbedFun: numSamples must be a whole number of at least 1, received ${numSamples}`,
    );
  return (key, x) => {
    const still = tree.map((leaf: TensorLike) => stopGradient(leaf), x);
    const baseline = useBaseline ? [fun(still)] : [];
    const once = (own: Tensor, at: X, [base]: readonly Y[]): Y => {
      const drawn = trees.randomLike(own, at, { sampler: (...draw) => noise.sample(...draw) });
      const shifted = tree.map((v: TensorLike, z: TensorLike) => stopGradient(add(v, mul(sigma, z))), at, drawn);
      const sample = tree.map((v: TensorLike, y: TensorLike) => div(sub(y, v), sigma), at, shifted);
      const box = unchanged(trees.sum(tree.map((z: Tensor) => noise.logProb(z), sample)));
      const out = trees.scale(box, fun(shifted));
      return base === undefined ? out : trees.addScale(out, sub(1, box), base);
    };
    const all = vmap(once, { inAxes: [0, null, null] })(random.split(key, numSamples), x, baseline);
    return tree.map((leaf: Tensor) => mean(leaf, { axis: 0 }), all);
  };
}

/** 1, with the derivatives of exp at its argument. */
function unchanged(x: Tensor): Tensor {
  return exp(sub(x, stopGradient(x)));
}
