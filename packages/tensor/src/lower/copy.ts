import { planCopy } from "@jnx/kernels-wgsl";
import type { Limits } from "../device/executor.ts";
import { computedDType, packedBits, type DType } from "../dtype.ts";
import { at, contiguousView, isContiguous, type View } from "../view.ts";
import type { Expr, LoadExpr, Output, Step } from "./expr.ts";
import { lowerMap, lowerStages } from "./lower.ts";

/** A strided view of the buffer in `from`, which holds `elements`, and the buffer that is to hold it row by row. */
export interface CopyWork {
  readonly from: number;
  readonly elements: number;
  readonly to: number;
  readonly dtype: DType;
  readonly view: View;
}

/** A view made contiguous: the kernel walks the storage below the view. */
export function lowerCopy(label: string, { from, elements, to, dtype, view }: CopyWork, limits: Limits): Step[] {
  if (packedBits(dtype) !== undefined) {
    const expr: Expr = { kind: "load", slot: from, dtype, view };
    return [lowerMap(label, view.shape, [{ slot: to, dtype, expr }], limits)];
  }
  const below = [elements];
  const expr: Expr = { kind: "load", slot: from, dtype, view: contiguousView(below) };
  return lowerStages(
    label,
    {
      stages: planCopy({ dtype: computedDType(dtype), ...view, vector: true }, limits).map((stage) => ({
        ...stage,
        operands: [],
      })),
      operandSlots: [],
      loadOf: () => ({ shape: below, expr }),
      result: { shape: view.shape, dtype },
      outputs: [{ slot: to, dtype, expr: { kind: "result", dtype } }],
      workspace: () => {
        throw new Error("jnx internal error: a copy needs no workspace");
      },
    },
    limits,
  );
}

/** The operand if all that is written is a view of it with its axes in another order: what copies faster than a map does. */
export function copiedView(outputs: readonly Output[]): LoadExpr | undefined {
  if (outputs.length !== 1) return undefined;
  const { expr, dtype } = at(outputs, 0);
  if (expr.kind !== "load" || expr.dtype !== dtype || isContiguous(expr.view)) return undefined;
  const { shape, strides } = expr.view;
  return strides.every((stride, axis) => stride > 0 || at(shape, axis) === 1) ? expr : undefined;
}
