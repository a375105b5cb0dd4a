import { log1mexp } from "../activations.ts";
import { igammac } from "../incomplete.ts";
import {
  abs,
  add,
  cos,
  div,
  exp,
  greater,
  greaterEqual,
  isfinite,
  less,
  lessEqual,
  log,
  log1p,
  logicalAnd,
  logicalOr,
  mul,
  neg,
  power,
  square,
  sub,
  where,
} from "../elementwise.ts";
import { logNdtr, ndtr } from "../normal.ts";
import { i0e, lgamma } from "../special.ts";
import type { Tensor } from "../../tensor.ts";
import type { TensorLike } from "../create.ts";
import { density, twiceShaped, type Distribution, type Shape1 } from "./families.ts";

/** Distributions on a circle, between bounds, and of one shape alone. */

/**
 * The generalized normal distribution β e^−|x|^β / (2 Γ(1/β)): gennorm.pdf(x, beta). Source: jax.scipy.stats.gennorm.
 * @example await scipyStats.gennorm.cdf(array([0, 1]), 2).toArray(); // [0.5, 0.92135]
 */
export const gennorm: Shape1<"cdf"> = {
  .../* @__PURE__ */ density((x, beta) => sub(sub(log(mul(0.5, beta)), lgamma(div(1, beta))), power(abs(x), beta))),
  cdf: (x, beta) => {
    const tail = mul(0.5, igammac(div(1, beta), power(abs(x), beta)));
    return where(less(x, 0), tail, sub(1, tail));
  },
};

/**
 * Cauchy's distribution wrapped around the circle, (1 − c²) / (2π (1 + c² − 2c cos x)) from 0 to 2π for 0 < c < 1:
 * wrapcauchy.pdf(x, c). Source: jax.scipy.stats.wrapcauchy.
 * @example await scipyStats.wrapcauchy.pdf(array([0, 3, 7]), 0.5).toArray(); // [0.47746, 0.053289, 0]
 */
export const wrapcauchy: Shape1<never> = /* @__PURE__ */ density((x, c) => {
  // 1 + c² − 2c cos x without cancellation near c = 1.
  const distance = add(square(sub(1, c)), mul(mul(2, c), sub(1, cos(x))));
  const inside = sub(sub(log1p(neg(square(c))), Math.log(2 * Math.PI)), log(distance));
  const found = where(logicalAnd(greaterEqual(x, 0), lessEqual(x, 2 * Math.PI)), inside, -Infinity);
  return where(logicalAnd(greater(c, 0), less(c, 1)), found, NaN);
});

/**
 * Von Mises' distribution e^(κ cos x) / (2π I₀(κ)) for κ > 0: vonmises.pdf(x, kappa). Source: jax.scipy.stats.vonmises.
 * @example await scipyStats.vonmises.pdf(array([0, 3]), 2).toArray(); // [0.51589, 0.0096398]
 */
export const vonmises: Shape1<never> = /* @__PURE__ */ density((x, kappa) => {
  const found = sub(sub(mul(kappa, sub(cos(x), 1)), Math.log(2 * Math.PI)), log(i0e(kappa)));
  return where(greater(kappa, 0), found, NaN);
});

/** log of the normal distribution's share from a to b, in the tail that has more digits. */
function logShare(a: TensorLike, b: TensorLike): Tensor {
  const right = greater(a, 0);
  const [low, high] = [where(right, neg(b), a), where(right, neg(a), b)];
  const central = logicalAnd(lessEqual(a, 0), greater(b, 0));
  const upper = logNdtr(high);
  const tail = add(upper, log1mexp(sub(upper, logNdtr(low))));
  return where(central, log1p(neg(add(ndtr(a), ndtr(neg(b))))), tail);
}

/** log of the share below z; 0 from b on, −inf up to a. */
function logBelow(z: Tensor, a: TensorLike, b: TensorLike): Tensor {
  const [above, below] = [greaterEqual(z, b), lessEqual(z, a)];
  const middle = where(
    isfinite(a),
    where(isfinite(b), mul(0.5, add(a, b)), add(a, 1)),
    where(isfinite(b), sub(b, 1), 0),
  );
  // Outside, any number within serves: the branches' slopes stay finite.
  const inside = where(logicalOr(above, below), middle, z);
  const whole = logShare(a, b);
  const share = sub(logShare(a, inside), whole);
  const near = greater(share, -0.1);
  const rest = where(near, sub(logShare(inside, b), whole), -1);
  const found = where(near, log1p(neg(exp(rest))), share);
  return where(greaterEqual(a, b), NaN, where(above, 0, where(below, -Infinity, found)));
}

/**
 * The normal distribution cut off at a and b, which count from loc in units of scale: truncnorm.pdf(x, a, b, loc, scale). NaN
 * unless a < b. Source: jax.scipy.stats.truncnorm.
 * @example await scipyStats.truncnorm.cdf(array([-2, 0, 0.5]), -1, 1).toArray(); // [0, 0.5, 0.78045]
 */
export const truncnorm: Distribution<[a: TensorLike, b: TensorLike], "cdf" | "logcdf" | "sf" | "logsf"> =
  /* @__PURE__ */ twiceShaped(
    (z, a, b) => {
      const inside = sub(sub(mul(-0.5, square(z)), 0.5 * Math.log(2 * Math.PI)), logShare(a, b));
      const found = where(logicalOr(less(z, a), greater(z, b)), -Infinity, inside);
      return where(greaterEqual(a, b), NaN, found);
    },
    {
      cdf: (z, a, b) => exp(logBelow(z, a, b)),
      logcdf: (z, a, b) => logBelow(z, a, b),
      sf: (z, a, b) => exp(logBelow(neg(z), neg(b), neg(a))),
      logsf: (z, a, b) => logBelow(neg(z), neg(b), neg(a)),
    },
  );
