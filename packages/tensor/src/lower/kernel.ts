import type { Limits } from "../device/executor.ts";
import { BYTES_PER_ELEMENT, computedDType, type DType } from "../dtype.ts";
import type { KernelOp } from "../op.ts";
import { sizeOf, type Shape } from "../shape.ts";
import type { Aval } from "../tensor.ts";
import { at, broadcastView, contiguousView, type View } from "../view.ts";
import type { Output, Step } from "./expr.ts";
import { lowerMap, lowerStages } from "./lower.ts";

/** An operand in memory: where it is, what it is, and how to walk it. */
export interface StoredOperand {
  readonly slot: number;
  readonly aval: Aval;
  readonly view: View;
}

/** A kernel op at work. */
export interface KernelWork<A> {
  readonly op: KernelOp<A>;
  readonly attrs: A;
  readonly operands: readonly StoredOperand[];
  readonly result: { readonly shape: Shape; readonly dtype: DType };
  readonly outputs: readonly Output[];
  /** Gives a slot for a workspace of so many bytes. */
  workspace(bytes: number): number;
}

/** Lowers a kernel op by its plan. Hand-written kernels read words: packed operands are unpacked by maps before them. */
export function lowerKernel<A>(label: string, work: KernelWork<A>, limits: Limits): Step[] {
  const { op, attrs, result, outputs } = work;
  const steps: Step[] = [];
  const operands = work.operands.map(({ slot, aval, view }, k) => {
    const dtype = computedDType(aval.dtype);
    const known = { slot, aval: { ...aval, shape: view.shape, dtype }, view, given: aval.dtype };
    if (dtype === aval.dtype || sizeOf(view.shape) === 0) return known;
    const apart = withoutRepeats(view);
    const fits = op.accepts(apart.view, k, attrs);
    const shape = fits ? apart.shape : view.shape;
    const unpacked = work.workspace(sizeOf(shape) * BYTES_PER_ELEMENT);
    const read = { kind: "load", slot, dtype: aval.dtype, view: { ...view, shape } } as const;
    steps.push(lowerMap(label, shape, [{ slot: unpacked, dtype, expr: read }], limits));
    return { ...known, slot: unpacked, view: fits ? apart.view : contiguousView(view.shape) };
  });
  const stages = lowerStages(
    label,
    {
      stages: op.plan(operands, attrs, limits),
      operandSlots: operands.map(({ slot }) => slot),
      loadOf: (operand) => {
        const { slot, aval, view } = at(operands, operand);
        return { shape: view.shape, expr: { kind: "load", slot, dtype: aval.dtype, view } };
      },
      workspaceDType: op.workspaceDType,
      result,
      outputs,
      workspace: (bytes) => work.workspace(bytes),
    },
    limits,
  );
  return [...steps, ...stages];
}

/** The shape that a view would have without the axes along which it repeats, and those elements seen as it sees them. */
function withoutRepeats({ shape, strides }: View): { shape: Shape; view: View } {
  const own = shape.map((extent, axis) => (strides[axis] === 0 ? 1 : extent));
  return { shape: own, view: broadcastView(contiguousView(own), shape) };
}
