import { planSort } from "@jnx/kernels-wgsl";
import { bind } from "../dispatch.ts";
import type { KernelOp } from "../op.ts";
import { sizeOf, type Shape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { at } from "../view.ts";

const argsortOp: KernelOp<undefined> = {
  kind: "kernel",
  name: "argsort",
  workspaceDType: "uint32",
  infer: ([keys]) => ({ shape: keys?.shape ?? [], dtype: "uint32", weak: false }),
  accepts: () => true,
  plan: ([keys], _attrs, limits) =>
    planSort({ ...rowsOf(keys?.aval.shape ?? []), key: "uint32", dtype: "uint32", result: "positions" }, limits).map(
      (stage) => (stage.reads === "operands" ? { ...stage, operands: [], loads: 0 } : { ...stage, operands: [] }),
    ),
  vjp: "nondifferentiable",
  batch: (inputs) => bind(argsortOp, inputs, undefined),
};

/** The last axis is sorted, for each index of the others. */
function rowsOf(shape: Shape): { rows: number; n: number } {
  return { rows: sizeOf(shape.slice(0, -1)), n: at(shape, shape.length - 1) };
}

/** Where each uint32 of an ascending stable sort came from: the order that random.permutation takes. */
export function sortPairs(keys: Tensor): Tensor {
  return bind(argsortOp, [keys], undefined);
}
