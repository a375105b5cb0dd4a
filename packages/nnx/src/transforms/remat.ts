import { checkpoint as rematerialize, type CheckpointPolicy } from "@jnx/autodiff";
import type { Tensor } from "@jnx/tensor";
import { bind, checkKeys, withLevel, type AnyFunction, type Level } from "@jnx/tensor/internal";
import { checkUnbound } from "./lift.ts";
import { callLifted, Lifted, type Run } from "./lifted.ts";

/** Sees nothing: that it is there tells Variables that were not passed that this is another place. */
const OWN: Level = { name: "remat", claims: () => false, process: bind };

/** Options of `remat`. */
export interface RematOptions {
  /** What may be kept for the way back besides the arguments; nothing unless told. See `jax.checkpointPolicies`. */
  readonly policy?: CheckpointPolicy;
}

/**
 * `f`, with what it computes on the way computed again for its derivative instead of kept: less memory, more work. What
 * it writes into Variables is written once; the second run meets the same Variables and random streams as the first, so
 * that it draws the same.
 *
 * Source: flax.nnx.remat (nnx.checkpoint).
 * @example
 * const forward = nnx.remat((net: MLP, x: Tensor) => net.call(x));
 * const grads = nnx.grad((net: MLP, x: Tensor) => sum(forward(net, x)))(model, x);
 * grads.hidden.kernel.shape; // [2, 4]
 */
export function remat<F extends AnyFunction>(
  f: F,
  options: RematOptions = {},
): (...args: Parameters<F>) => ReturnType<F> {
  checkKeys("remat", options, "policy");
  checkUnbound("remat", f);
  const wrapped = (...args: unknown[]): unknown => {
    const lifted = new Lifted("remat", args);
    return callLifted(lifted, () => {
      let run: Run | undefined;
      let done = false;
      const pure = (...inputs: Tensor[]): Tensor[] => {
        const ran = withLevel(OWN, () => lifted.run(f, inputs));
        // What runs again on the way back leaves nothing behind.
        if (!done) run = ran;
        return ran.slots.map(({ tensor }) => tensor);
      };
      const outputs = rematerialize(pure, options)(...lifted.tensors);
      done = true;
      if (run === undefined) throw new Error("jnx internal error: remat did not run its function");
      return lifted.finish(run, outputs);
    });
  };
  return wrapped as (...args: Parameters<F>) => ReturnType<F>; // it takes and returns what f does
}
