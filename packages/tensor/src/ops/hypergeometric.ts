import {
  op_hyp1f1,
  op_hyp1f1_by_a,
  op_hyp1f1_by_b,
  op_hyp2f1,
  op_hyp2f1_by_a,
  op_hyp2f1_by_c,
} from "@jnx/kernels-wgsl";
import type { WgslFunction } from "@jnx/kernels-wgsl";
import { bind } from "../dispatch.ts";
import type { MapOp } from "../op.ts";
import type { Tensor } from "../tensor.ts";
import { only } from "./batching.ts";
import type { TensorLike } from "./create.ts";
import { add, div, less, mul, sub, where } from "./elementwise.ts";
import { stopGradient } from "./identity.ts";
import { calls, floats, infer } from "./incomplete.ts";
import { gamma } from "./special.ts";

/**
 * Hypergeometric functions by their series. Gamma functions that some arguments need are operands of their own, whose part of the
 * derivative is in the rules of the whole.
 */

/** A derivative by a parameter, which has none itself. */
function slope(name: string, fn: WgslFunction): MapOp<undefined> {
  return {
    kind: "map",
    name,
    expensive: true,
    infer,
    wgsl: (args, context) => calls(context)(fn, ...args),
    vjp: "nondifferentiable",
  };
}

const kummerByA = /* @__PURE__ */ slope("hyp1f1_by_a", op_hyp1f1_by_a);
const kummerByB = /* @__PURE__ */ slope("hyp1f1_by_b", op_hyp1f1_by_b);
const gaussByA = /* @__PURE__ */ slope("hyp2f1_by_a", op_hyp2f1_by_a);
const gaussByC = /* @__PURE__ */ slope("hyp2f1_by_c", op_hyp2f1_by_c);

const kummerOp: MapOp<undefined> = {
  kind: "map",
  name: "hyp1f1",
  expensive: true,
  infer,
  wgsl: (args, context) => calls(context)(op_hyp1f1, ...args),
  vjp: ({ inputs, needs }, ct) => {
    const [a, b, x] = inputs.slice(0, 3).map((one) => only("hyp1f1", one)) as [Tensor, Tensor, Tensor]; // three
    return [
      needs[0] === true ? mul(ct, bind(kummerByA, [a, b, x], undefined)) : undefined,
      needs[1] === true ? mul(ct, bind(kummerByB, [a, b, x], undefined)) : undefined,
      needs[2] === true ? mul(ct, mul(div(a, b), hyp1f1(add(a, 1), add(b, 1), x))) : undefined,
      undefined,
    ];
  },
};

/**
 * Kummer's function 1F1(a; b; x) = Σ (a)ₖ / (b)ₖ xᵏ / k!; infinite for b = 0 unless a = 0. Of negative x it is e^x 1F1(b − a; b; −x),
 * which does not cancel as the series that JAX sums does; from |x| = 100 on its asymptotic series. Its derivatives by a and b
 * (for |x| < 100) have none themselves. Source: jax.scipy.special.hyp1f1.
 *
 * @throws ShapeError when the shapes do not broadcast.
 * @example await hyp1f1(1, 2, array([0, 1, -1])).toArray(); // [1, 1.7183, 0.63212]
 */
export function hyp1f1(a: TensorLike, b: TensorLike, x: TensorLike): Tensor {
  const all = floats("hyp1f1", [a, b, x]);
  const [first, second, point] = all.map((one) => only("hyp1f1", one)) as [Tensor, Tensor, Tensor]; // three
  const own = where(less(point, 0), sub(second, first), first);
  return bind(kummerOp, [...all, stopGradient(div(gamma(second), gamma(own)))], undefined);
}

const gaussOp: MapOp<undefined> = {
  kind: "map",
  name: "hyp2f1",
  expensive: true,
  infer,
  wgsl: (args, context) => calls(context)(op_hyp2f1, ...args),
  vjp: ({ inputs, needs }, ct) => {
    const [a, b, c, x] = inputs.slice(0, 4).map((one) => only("hyp2f1", one)) as [Tensor, Tensor, Tensor, Tensor]; // four
    return [
      needs[0] === true ? mul(ct, bind(gaussByA, [a, b, c, x], undefined)) : undefined,
      needs[1] === true ? mul(ct, bind(gaussByA, [b, a, c, x], undefined)) : undefined,
      needs[2] === true ? mul(ct, bind(gaussByC, [a, b, c, x], undefined)) : undefined,
      needs[3] === true ? mul(ct, mul(div(mul(a, b), c), hyp2f1(add(a, 1), add(b, 1), add(c, 1), x))) : undefined,
      undefined,
    ];
  },
};

/**
 * Gauss' function 2F1(a, b; c; x) = Σ (a)ₖ (b)ₖ / (c)ₖ xᵏ / k!, for negative x by Pfaff's transformation, for c < a + b by Euler's, for x > 7/8
 * from its differential equation, where the 250 terms that JAX sums are too few unless c − a − b is a whole number. Infinite for
 * c = 0, −1, …, and for x > 1 unless a or b is one of these. Its derivatives by a, b and c are NaN unless |x| < 1 (below −0.998
 * they lose digits, with 5000 terms of the series) and have none themselves. Source: jax.scipy.special.hyp2f1.
 *
 * @throws ShapeError when the shapes do not broadcast.
 * @example await hyp2f1(1, 1, 2, array([0, 0.5, -1])).toArray(); // [1, 1.3863, 0.69315]
 */
export function hyp2f1(a: TensorLike, b: TensorLike, c: TensorLike, x: TensorLike): Tensor {
  const all = floats("hyp2f1", [a, b, c, x]);
  const [p, q, r] = all.map((one) => only("hyp2f1", one)) as [Tensor, Tensor, Tensor, Tensor]; // four
  const [left, right] = [sub(r, p), sub(r, q)];
  const atOne = div(mul(gamma(r), gamma(sub(left, q))), mul(gamma(left), gamma(right)));
  return bind(gaussOp, [...all, stopGradient(atOne)], undefined);
}
