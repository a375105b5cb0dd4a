import { bind, type MapOp } from "@jnx/tensor/internal";
import type { Tensor } from "@jnx/tensor";

const storeOp: MapOp<number> = {
  kind: "map",
  name: "store",
  infer: ([x]) => ({ shape: x?.shape ?? [], dtype: x?.dtype ?? "float32", weak: x?.weak ?? false }),
  wgsl: ([x = ""]) => x,
  vjp: (_context, ct) => [ct],
};

/** The same value in memory of its own, whatever it is: an operand, a number, or the `k`-th of results that are equal. */
export function stored(x: Tensor, k: number): Tensor {
  return bind(storeOp, [x], k);
}
