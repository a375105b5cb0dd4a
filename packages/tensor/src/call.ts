import { currentFrame, showWatcher, withFrame } from "./dispatch.ts";
import type { Aval, Tensor } from "./tensor.ts";

type Tangents = readonly (Tensor | undefined)[];

/** How a call goes back: its outputs, what must be kept for the way back, and that way. */
export interface CallPullback {
  readonly outputs: readonly Tensor[];
  readonly residuals: readonly Tensor[];
  /** From the outputs' cotangents to the inputs'; undefined stands for zero. */
  pull(cotangents: Tangents): Tangents;
}

/**
 * A function of tensors that levels may take as a whole, with rules of its own: a loop, a branch, a function whose
 * derivative the user gave. Made for one call, so that it closes over what is no tensor. A level whose rule is missing
 * lets it pass; when none takes it, `run` makes it of ordinary ops, which every level then sees.
 */
export interface CallOp {
  readonly name: string;
  run(inputs: readonly Tensor[]): readonly Tensor[];
  vjp?(inputs: readonly Tensor[], needs: readonly boolean[]): CallPullback;
  jvp?(
    inputs: readonly Tensor[],
    tangents: Tangents,
  ): { readonly outputs: readonly Tensor[]; readonly tangents: Tangents };
  /** The call for a whole batch: inputs marked in `batched` carry it first, and so does every output. */
  batch?(inputs: readonly Tensor[], batched: readonly boolean[], axis: BatchAxis): readonly Tensor[];
  /** True if it is called for what it does on the host: it gives nothing, and a compiled program does it at every call. */
  readonly effect?: true;
  /** Given by calls that a capture keeps as one node: what comes out. The ops of others' `run` are captured. */
  readonly loop?: { avals(): readonly Aval[] };
}

/** The batch that a call is run for. */
export interface BatchAxis {
  readonly size: number;
  readonly axisName: string | undefined;
}

/** Applies a call: the innermost level that claims an input and has a rule takes it. */
export function bindCall(op: CallOp, inputs: readonly Tensor[]): readonly Tensor[] {
  for (let frame = currentFrame(); frame !== undefined; frame = frame.below) {
    const { level, below } = frame;
    if (level.call === undefined || !level.claims(inputs)) continue;
    const outputs = withFrame(below, () => level.call?.(op, inputs));
    if (outputs !== undefined) return outputs;
  }
  const outputs = op.run(inputs);
  // The ops of others were seen one by one.
  if (op.loop !== undefined) showWatcher(op.name, inputs, outputs);
  return outputs;
}
