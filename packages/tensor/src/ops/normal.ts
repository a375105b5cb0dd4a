import { log_ndtr_from, ndtri_root, ndtri_tail, op_erfc, op_log, op_log1p, op_ndtri } from "@jnx/kernels-wgsl";
import type { Tensor } from "../tensor.ts";
import { asTensor, type TensorLike } from "./create.ts";
import { add, div, erfc, exp, greater, minimum, mul, neg, square, sub, where } from "./elementwise.ts";
import { unary, type UnaryFunction } from "./factories.ts";

/** The normal distribution: its share below x, the inverse, and the logarithm. */

/**
 * The normal distribution's share below x: erfc(−x/√2) / 2. Source: jax.scipy.special.ndtr.
 * @example await ndtr(array([0, 1])).toArray(); // [0.5, 0.84134]
 */
export function ndtr(x: TensorLike): Tensor {
  const tensor = asTensor(x, "ndtr");
  return mul(0.5, erfc(mul(tensor, -Math.SQRT1_2)));
}

/**
 * The x that has the share p of the normal distribution below it: −inf at 0, +inf at 1, NaN outside. Source:
 * jax.scipy.special.ndtri.
 * @example await ndtri(array([0.5, 0.975])).toArray(); // [0, 1.96]
 */
export const ndtri: UnaryFunction = /* @__PURE__ */ unary({
  name: "ndtri",
  wgsl: (use, p) => {
    const root = `${use(ndtri_root)}(${use(op_log)}(${use(ndtri_tail)}(${p})))`;
    return `${use(op_ndtri)}(${p}, ${root}, ${use(op_log)}(${root}))`;
  },
  takes: "float",
  derivative: (_p, y) => mul(Math.sqrt(2 * Math.PI), exp(mul(0.5, square(y)))),
});

/**
 * log ndtr(x), accurate in both tails. Source: jax.scipy.special.log_ndtr.
 * @example await logNdtr(array([0, -20])).toArray(); // [-0.69315, -203.92]
 */
export const logNdtr: UnaryFunction = /* @__PURE__ */ unary({
  name: "logNdtr",
  wgsl: (use, x) => {
    const share = (of: string): string => `(0.5 * ${use(op_erfc)}(0.70710678 * ${of}))`;
    const parts = [
      `${use(op_log)}(${share(`-max(${x}, F(-10.0))`)})`,
      `${use(op_log1p)}(-${share(x)})`,
      `${use(op_log)}(-${x})`,
    ];
    return `${use(log_ndtr_from)}(${[x, ...parts].join(", ")})`;
  },
  takes: "float",
  derivative: (x, y) => {
    // The density over the share: from their logarithms, and from the asymptotic series where those are large.
    const z = div(1, square(minimum(x, -10)));
    const far = neg(add(x, div(add(1, mul(z, add(-2, mul(z, sub(10, mul(74, z)))))), minimum(x, -10))));
    return where(greater(x, -10), exp(sub(sub(mul(-0.5, square(x)), y), 0.5 * Math.log(2 * Math.PI))), far);
  },
});
