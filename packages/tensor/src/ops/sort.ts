import { planSort } from "@jnx/kernels-wgsl";
import { bind } from "../dispatch.ts";
import type { ComputedAval, KernelOp } from "../op.ts";
import { sizeOf, type Shape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";

const argsortOp: KernelOp<undefined> = {
  kind: "kernel",
  name: "argsort",
  workspaceDType: "uint32",
  infer: ([keys]) => ({ shape: keys?.shape ?? [], dtype: "uint32", weak: false }),
  accepts: () => true,
  plan: ([keys], _attrs, limits) =>
    planSort(
      { ...rowsOf(keys?.aval.shape ?? []), key: keyOf(keys?.aval), dtype: "uint32", result: "positions" },
      limits,
    ).map((stage) => (stage.reads === "operands" ? { ...stage, operands: [], loads: 0 } : { ...stage, operands: [] })),
  vjp: "nondifferentiable",
  batch: ([keys]) => bind(argsortOp, keys === undefined ? [] : [keys], undefined),
};

function keyOf(keys: ComputedAval | undefined): "float32" | "int32" | "uint32" {
  return keys === undefined || keys.dtype === "bool" ? "uint32" : keys.dtype;
}

/** Vectors along the last axis, and how many there are. */
function rowsOf(shape: Shape): { rows: number; n: number } {
  return { rows: sizeOf(shape.slice(0, -1)), n: shape.at(-1) ?? 0 };
}

/** Where each element of an ascending stable sort along the last axis came from. NaN comes last. */
export function sortPairs(keys: Tensor): Tensor {
  return bind(argsortOp, [keys], undefined);
}
