import { planReduce } from "@jnx/kernels-wgsl";
import type { Limits } from "../device/executor.ts";
import { computedDType, type DType } from "../dtype.ts";
import type { ReduceOp } from "../op.ts";
import { sizeOf, type Shape } from "../shape.ts";
import { at, transposeView, type View } from "../view.ts";
import type { Expr, Output, Step } from "./expr.ts";
import { lowerStages } from "./lower.ts";
import { widthOf } from "./space.ts";

/** A reduction of `expr` (over `shape`) along `axes`, with what is to be written from its result. */
export interface ReduceWork {
  readonly shape: Shape;
  readonly expr: Expr;
  readonly axes: readonly number[];
  readonly dtype: DType;
  /** The shape that the outputs' expressions are over: the operand's without the reduced axes. */
  readonly resultShape: Shape;
  readonly outputs: readonly Output[];
  workspace(bytes: number): number;
}

/** Elements up to which an operand is read one by one. */
const SMALL = 1 << 15;

/**
 * Lowers a reduction along any axes to the kernels' one form, [outer, reduce, inner]. Axes that are not neighbours are
 * brought to the end first: the operand is read through a hook, so that costs nothing but its stride.
 */
export function lowerReduce(
  label: string,
  combine: ReduceOp<unknown>["combine"],
  work: ReduceWork,
  limits: Limits,
): Step[] {
  const { shape, expr } = gathered(work);
  const first = Math.min(...(adjacent(work.axes) ? work.axes : [work.shape.length - work.axes.length]));
  const extent = (from: number, to: number): number => sizeOf(shape.slice(from, to));
  const outer = extent(0, first);
  const reduce = extent(first, first + work.axes.length);
  const inner = extent(first + work.axes.length, shape.length);
  // A small array in vec4s leaves a GPU's lanes idle, and its text is another one for each width.
  const vector =
    (limits.sequential === true || outer * reduce * inner > SMALL) &&
    widthOf([outer, reduce, inner].every((n) => n > 0) ? shape : [0], [expr]) === 4 &&
    (inner === 1 ? reduce : inner) % 4 === 0;
  const dtype = computedDType(work.dtype);
  const shortLoad = expr.kind === "load";
  const stages = planReduce({ combine, dtype, outer, reduce, inner, vector, shortLoad }, limits);
  return lowerStages(
    label,
    {
      stages: stages.map((stage) => ({ ...stage, operands: [] })),
      operandSlots: [],
      loadOf: () => ({ shape, expr }),
      result: { shape: work.resultShape, dtype: work.dtype },
      outputs: work.outputs,
      workspace: (bytes) => work.workspace(bytes),
    },
    limits,
  );
}

function adjacent(axes: readonly number[]): boolean {
  return axes.every((axis, k) => k === 0 || axis === at(axes, k - 1) + 1);
}

/** The operand with its reduced axes side by side. */
function gathered(work: ReduceWork): { shape: Shape; expr: Expr } {
  if (adjacent(work.axes)) return work;
  const kept = work.shape.map((_, axis) => axis).filter((axis) => !work.axes.includes(axis));
  const order = [...kept, ...work.axes];
  return {
    shape: order.map((axis) => at(work.shape, axis)),
    expr: remapExpr(work.expr, (view) => transposeView(view, order)),
  };
}

/** The same computation over another index space: every leaf's view goes through `remap`. */
export function remapExpr(root: Expr, remap: (view: View) => View): Expr {
  const done = new Map<Expr, Expr>();
  const visit = (expr: Expr): Expr => {
    const known = done.get(expr);
    if (known !== undefined) return known;
    const mapped = step(expr);
    done.set(expr, mapped);
    return mapped;
  };
  const step = (expr: Expr): Expr => {
    if (expr.kind === "load") return { ...expr, view: remap(expr.view) };
    if (expr.kind === "map") return { ...expr, args: expr.args.map(visit), view: remap(expr.view) };
    return expr;
  };
  return visit(root);
}
