import { bindCall, withLevel, type BatchAxis, type CallOp } from "@jnx/tensor/internal";
import { mul, sum, type Tensor } from "@jnx/tensor";
import { Batch } from "./batch.ts";

/**
 * A call on a whole batch, with its rules: each runs on a level of examples, so that levels further down still meet one
 * call with the rules its author gave. Inputs that all examples share gather what the examples give back.
 */
export function batchedCall(op: CallOp, batched: readonly boolean[], { size, axisName }: BatchAxis): CallOp {
  const level = new Batch(op.name, size, axisName);
  const examples = (xs: readonly Tensor[]): Tensor[] => xs.map((x, k) => (batched[k] === true ? level.example(x) : x));
  const { vjp, jvp } = op;
  const whole: CallOp = {
    name: op.name,
    run: (inputs) => level.collect(withLevel(level, () => op.run(examples(inputs)))),
    ...(vjp && {
      vjp: (inputs, needs) => {
        const { outputs, residuals, pull } = withLevel(level, () => vjp(examples(inputs), needs));
        return {
          outputs: level.collect(outputs),
          residuals: residuals.map((residual) => level.physical(residual) ?? residual),
          pull: (cts) => {
            const parts = withLevel(level, () => pull(cts.map((ct) => ct && level.example(ct))));
            return parts.map((part, k) => part && givenBack(level, part, batched[k] === true));
          },
        };
      },
    }),
    ...(jvp && {
      jvp: (inputs, tangents) => {
        const moves = tangents.map((tangent, k) => (batched[k] === true ? tangent && level.example(tangent) : tangent));
        const pushed = withLevel(level, () => jvp(examples(inputs), moves));
        return {
          outputs: level.collect(pushed.outputs),
          tangents: pushed.tangents.map((tangent) => tangent && level.collect([tangent])[0]),
        };
      },
    }),
    batch: (inputs, outer, axis) => bindCall(batchedCall(whole, outer, axis), inputs),
  };
  return whole;
}

function givenBack(level: Batch, part: Tensor, batched: boolean): Tensor | undefined {
  const physical = level.physical(part);
  if (batched) return level.collect([part])[0];
  // Every example gives the same back.
  return physical === undefined ? mul(part, level.size) : sum(physical, { axis: 0 });
}
