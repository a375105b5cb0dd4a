import { gamma_grad_upper, op_log, op_random_gamma_grad } from "@jnx/kernels-wgsl";
import { bind } from "../../dispatch.ts";
import { ArgumentError } from "../../errors.ts";
import type { MapOp } from "../../op.ts";
import { broadcastShapes } from "../../shape.ts";
import type { Tensor } from "../../tensor.ts";
import { convert } from "../convert.ts";
import { asTensor, type TensorLike } from "../create.ts";
import { broadcastTo } from "../movement.ts";
import { digamma, lgamma } from "../special.ts";
import { call } from "./draw.ts";

const gammaGradOp: MapOp<undefined> = {
  kind: "map",
  name: "random_gamma_grad",
  expensive: true,
  infer: ([, x]) => ({ shape: x?.shape ?? [], dtype: "float32", weak: false }),
  wgsl: ([a = "", x = ""], context) => {
    const part = (op: MapOp<undefined>, arg: string): string => op.wgsl([arg], context, undefined, ["float32"]);
    const place = `select(${a} + 1.0, ${a}, ${call(context, gamma_grad_upper, a, x)})`;
    const parts = [call(context, op_log, x), part(lgamma.op, a), part(digamma.op, place)];
    return call(context, op_random_gamma_grad, a, x, ...parts);
  },
  vjp: ({ needs }) => {
    if (needs.some(Boolean))
      throw new ArgumentError(
        "randomGammaGrad: there is no second derivative of a gamma number by its shape; differentiate once, or wrap one derivative in stopGradient",
      );
    return [];
  },
};

/**
 * How a number x drawn from a gamma distribution moves with the distribution's shape a while its share of the distribution
 * stays: dx/da = −(∂P/∂a) / (∂P/∂x) of the incomplete gamma function P(a, x). float32; NaN where a ≤ 0 or x < 0, 0 at
 * x = 0. It has no derivative itself. Source: lax.random_gamma_grad (Figurnov et al., "Implicit reparameterization
 * gradients", 2018).
 *
 * @throws ShapeError when the shapes do not broadcast.
 * @example await randomGammaGrad(array([0.5, 2.5]), array([0.3, 2])).toArray(); // [1.0098, 0.95346]
 */
export function randomGammaGrad(a: TensorLike, x: TensorLike): Tensor {
  const [shape, sample] = [asTensor(a, "randomGammaGrad"), asTensor(x, "randomGammaGrad")].map((one) =>
    convert(one, "float32"),
  );
  if (shape === undefined || sample === undefined) throw new Error("jnx internal error: lost an operand");
  const full = broadcastShapes("randomGammaGrad", shape.shape, sample.shape);
  return bind(gammaGradOp, [broadcastTo(shape, full), broadcastTo(sample, full)], undefined);
}
