import { op_zeta } from "@jnx/kernels-wgsl";
import type { Tensor } from "../tensor.ts";
import { add, div, exp, log, mul, neg, sub } from "./elementwise.ts";
import { binary, type BinaryFunction } from "./factories.ts";

/**
 * Hurwitz' zeta function Σ (q + k)^−x over k = 0, 1, …; +inf at x = 1, NaN for x < 1. At q = 0, −1, … it is +inf for even x.
 * Source: lax.zeta, jax.scipy.special.zeta.
 *
 * @throws ShapeError when the shapes do not broadcast.
 * @example await zeta(array([2, 4]), 1).toArray(); // [1.6449, 1.0823]
 */
export const zeta: BinaryFunction = /* @__PURE__ */ binary({
  name: "zeta",
  wgsl: op_zeta,
  takes: "float",
  partials: [(ct, x, q) => mul(ct, slope(x, q)), (ct, x, q) => neg(mul(ct, mul(x, zeta(add(x, 1), q))))],
});

/** Terms summed one by one before Euler and Maclaurin's series takes over. */
const TERMS = 9;
/** Bernoulli's numbers B₂ⱼ over (2j)!. */
const BERNOULLI = [1 / 12, -1 / 720, 1 / 30240, -1 / 1209600, 1 / 47900160] as const;

/** dζ/dx: every term of ζ's series with the logarithm that differentiation brings. */
function slope(x: Tensor, q: Tensor): Tensor {
  let sum: Tensor | undefined;
  const sumUp = (term: Tensor): void => void (sum = sum === undefined ? term : add(sum, term));
  for (let k = 0; k < TERMS; k++) {
    const logarithm = log(add(q, k));
    sumUp(neg(mul(logarithm, exp(neg(mul(x, logarithm))))));
  }
  const at = add(q, TERMS);
  const logarithm = log(at);
  const term = exp(neg(mul(x, logarithm)));
  const pole = div(1, sub(x, 1));
  // a^(1 − x) / (x − 1) and a^−x / 2
  sumUp(neg(mul(mul(mul(term, at), pole), add(logarithm, pole))));
  sumUp(mul(-0.5, mul(logarithm, term)));
  // a^−x x (x + 1) … (x + 2j − 2) / a^(2j − 1) has the logarithmic derivative Σ 1 / (x + m) − ln a.
  let [factor, ratio] = [div(x, at), sub(div(1, x), logarithm)];
  BERNOULLI.forEach((number, j) => {
    if (j > 0) {
      const [low, high] = [add(x, 2 * j - 1), add(x, 2 * j)];
      factor = mul(factor, div(mul(low, high), mul(at, at)));
      ratio = add(ratio, add(div(1, low), div(1, high)));
    }
    sumUp(mul(number, mul(mul(term, factor), ratio)));
  });
  return sum ?? term;
}
