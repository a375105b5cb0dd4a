import { op_bessel_jn, op_owens_t } from "@jnx/kernels-wgsl";
import { bind } from "../dispatch.ts";
import { ArgumentError } from "../errors.ts";
import { checkOptions } from "../options.ts";
import type { MapOp } from "../op.ts";
import type { Tensor } from "../tensor.ts";
import { only } from "./batching.ts";
import { asFloat } from "./convert.ts";
import { asTensor, type TensorLike } from "./create.ts";
import { add, div, erf, exp, mul, neg, square, sub } from "./elementwise.ts";
import { binary, type BinaryFunction } from "./factories.ts";
import { stack } from "./join.ts";

/** Bessel functions of whole order, and Owen's T function. */

const besselOp: MapOp<number> = {
  kind: "map",
  name: "bessel_jn",
  expensive: true,
  infer: ([x]) => x ?? { shape: [], dtype: "float32", weak: false },
  wgsl: ([x = ""], { use, constant }, order) => `${use(op_bessel_jn)}(F(${constant(order, "float32")}), ${x})`,
  vjp: ({ inputs: [given], attrs: order }, ct) => {
    const x = only("besselJn", given);
    const next = bind(besselOp, [x], order + 1);
    const slope = order === 0 ? neg(next) : mul(0.5, sub(bind(besselOp, [x], order - 1), next));
    return [mul(ct, slope)];
  },
};

/** Each order is an array of its own. */
const MOST_ORDERS = 256;

export interface BesselJnOptions {
  /** The highest order. */
  readonly v: number;
  /** Taken as in JAX, and without effect: there are as many steps as x asks for. */
  readonly nIter?: number;
}

/**
 * The Bessel functions of the first kind J₀(z) … J_v(z), in a new first axis. Good for every finite z, where JAX's steps are too few or
 * go beyond float32. Source: jax.scipy.special.bessel_jn.
 *
 * @throws ArgumentError unless v is a whole number from 0 to 256.
 * @example await besselJn(array([0, 2]), { v: 1 }).toArray(); // [[1, 0.22389], [0, 0.57672]]
 */
export function besselJn(z: TensorLike, options: BesselJnOptions): Tensor {
  checkOptions("besselJn", options, { v: "number", nIter: "number" });
  const { v } = options;
  if (!Number.isInteger(v) || v < 0 || v > MOST_ORDERS)
    throw new ArgumentError(`besselJn: v is a whole number from 0 to ${MOST_ORDERS}, received ${String(v)}`);
  const x = asFloat(asTensor(z, "besselJn"));
  return stack(Array.from({ length: v + 1 }, (_, order) => bind(besselOp, [x], order)));
}

/**
 * Owen's function ∫ e^(−h²(1 + x²)/2) / (1 + x²) dx / 2π from 0 to a. Source: jax.scipy.special.owens_t.
 *
 * @throws ShapeError when the shapes do not broadcast.
 * @example await owensT(array([0, 1]), array([1, 2])).toArray(); // [0.125, 0.078468]
 */
export const owensT: BinaryFunction = /* @__PURE__ */ binary({
  name: "owensT",
  wgsl: op_owens_t,
  takes: "float",
  partials: [
    (ct, h, a) =>
      mul(ct, mul(-0.5 / Math.sqrt(2 * Math.PI), mul(exp(mul(-0.5, square(h))), erf(mul(Math.SQRT1_2, mul(a, h)))))),
    (ct, h, a) => {
      const size = add(1, square(a));
      return mul(ct, div(exp(mul(-0.5, mul(square(h), size))), mul(2 * Math.PI, size)));
    },
  ],
});
