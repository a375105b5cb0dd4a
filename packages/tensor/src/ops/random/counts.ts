import { op_geometric_from_bits } from "@jnx/kernels-wgsl";
import type { Shape } from "../../shape.ts";
import type { Tensor } from "../../tensor.ts";
import { composite } from "../composite.ts";
import { convert } from "../convert.ts";
import type { TensorLike } from "../create.ts";
import { call, draw, drawing, zero } from "./draw.ts";
import { checkedKey } from "./keys.ts";
import { drawShape, float, spread } from "./shapes.ts";

/** For one p, and for an array of them: XLA divides by the first otherwise. */
function geometricDraw(one: boolean): ReturnType<typeof drawing> {
  return drawing("random_geometric", "float32", ([bits = ""], [p = ""], context) =>
    call(context, op_geometric_from_bits, bits, p, `B(${one})`, zero(context)),
  );
}

const geometricOp = /* @__PURE__ */ geometricDraw(true);
const geometricsOp = /* @__PURE__ */ geometricDraw(false);

/**
 * Trials up to the first success, each of probability p: int32 from 1 on. The shape is p's unless told.
 * Source: jax.random.geometric.
 *
 * @throws ArgumentError when k is not one key, ShapeError when p does not fit the shape.
 * @example await random.geometric(random.key(42), 0.3, [8]).toArray(); // [3, 2, 2, 2, 3, 2, 8, 1]
 */
export function geometric(k: TensorLike, p: TensorLike, shape?: Shape): Tensor {
  const source = checkedKey("geometric", k);
  const chance = float(p);
  const full = drawShape("geometric", shape, chance.shape);
  return composite("geometric", () => {
    const op = chance.ndim === 0 ? geometricOp : geometricsOp;
    return convert(draw(op, source, full, [spread(chance, full)]), "int32");
  });
}
