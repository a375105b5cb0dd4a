import { planSort } from "@jnx/kernels-wgsl";
import { bind } from "../dispatch.ts";
import type { KernelOp } from "../op.ts";
import type { Tensor } from "../tensor.ts";

const argsortOp: KernelOp<undefined> = {
  kind: "kernel",
  name: "argsort",
  workspaceDType: "uint32",
  infer: ([keys]) => ({ shape: keys?.shape ?? [], dtype: "uint32", weak: false }),
  accepts: () => true,
  plan: ([keys], _attrs, limits) =>
    planSort({ rows: 1, n: keys?.aval.shape[0] ?? 0, key: "uint32", dtype: "uint32", result: "positions" }, limits).map(
      (stage) => (stage.reads === "operands" ? { ...stage, operands: [], loads: 0 } : { ...stage, operands: [] }),
    ),
  vjp: "nondifferentiable",
};

/** Where each uint32 of an ascending stable sort came from: the order that random.permutation takes. */
export function sortPairs(keys: Tensor): Tensor {
  return bind(argsortOp, [keys], undefined);
}
