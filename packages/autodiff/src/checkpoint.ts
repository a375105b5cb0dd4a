import {
  asTensor,
  bind,
  bindCall,
  inArena,
  keptStorages,
  withLevel,
  type AnyFunction,
  type AnyOp,
  type CallOp,
  type Level,
  type ViewOp,
  checkOptions,
} from "@jnx/tensor/internal";
import { tree, type Aval, type Tensor, type TensorLike } from "@jnx/tensor";
import { argumentsOf, Result } from "./arguments.ts";
import { batchedCall } from "./call-batch.ts";
import { checkFunction } from "./grad.ts";
import { Tape } from "./tape.ts";

const CHECKPOINT_OPTIONS = { policy: true } as const;

/** Which results of ops inside a checkpointed function are kept for the way back: true keeps, false computes again. */
export type CheckpointPolicy = (op: { readonly name: string }, inputs: readonly Aval[], attrs: unknown) => boolean;

/** Options of `checkpoint`. */
export interface CheckpointOptions {
  /** What may be kept besides the arguments; nothing unless told. See `checkpointPolicies`. */
  readonly policy?: CheckpointPolicy;
}

interface NameAttrs {
  readonly name: string;
}

const nameOp: ViewOp<NameAttrs> = {
  kind: "view",
  name: "name",
  infer: ([x]) => ({ shape: x?.shape ?? [], dtype: x?.dtype ?? "float32", weak: x?.weak ?? false }),
  view: (view) => view,
  vjp: (_context, ct) => [ct],
  batch: (inputs, _batched, attrs) => bind(nameOp, inputs, attrs),
};

/**
 * x, under a name that policies of `checkpoint` know it by. Source: jax.ad_checkpoint.checkpoint_name.
 * @example await checkpointName(array([1, 2]), "activations").toArray(); // [1, 2]
 */
export function checkpointName(x: TensorLike, name: string): Tensor {
  return bind(nameOp, [asTensor(x, name)], { name });
}

const isDot: CheckpointPolicy = ({ name }) => name === "matmul";
const isProduct: CheckpointPolicy = ({ name }) => name === "matmul" || name === "conv";
const dotsWithNoBatchDimsSaveable: CheckpointPolicy = (op, inputs, attrs) =>
  isDot(op, inputs, attrs) && inputs.every(({ shape }) => shape.length === 2);

function nameOf(op: { readonly name: string }, attrs: unknown): string | undefined {
  return op.name === nameOp.name ? (attrs as NameAttrs).name : undefined; // the name op's own attrs
}

const saveOnlyTheseNames =
  (...names: readonly string[]): CheckpointPolicy =>
  (op, _inputs, attrs) => {
    const name = nameOf(op, attrs);
    return name !== undefined && names.includes(name);
  };

const saveAnyNamesButThese =
  (...names: readonly string[]): CheckpointPolicy =>
  (op, _inputs, attrs) => {
    const name = nameOf(op, attrs);
    return name !== undefined && !names.includes(name);
  };

const saveAnythingExceptTheseNames =
  (...names: readonly string[]): CheckpointPolicy =>
  (op, _inputs, attrs) => {
    const name = nameOf(op, attrs);
    return name === undefined || !names.includes(name);
  };

const saveFromBothPolicies =
  (one: CheckpointPolicy, other: CheckpointPolicy): CheckpointPolicy =>
  (...call) =>
    one(...call) || other(...call);

/**
 * What `checkpoint` may keep. Names are those that `checkpointName` gives. Source: jax.checkpoint_policies.
 * @example
 * const f = checkpoint((w: Tensor, x: Tensor) => sum(tanh(matmul(x, w))), { policy: checkpointPolicies.dotsSaveable });
 * grad(f)(zeros([2, 2]), array([[1, 2.5]])); // [[1, 1], [2.5, 2.5]]
 */
export const checkpointPolicies = {
  /** As if the function were not checkpointed. */
  everythingSaveable: (() => true) as CheckpointPolicy, // written as a function of no arguments
  /** Only the arguments are kept; the default. */
  nothingSaveable: (() => false) as CheckpointPolicy, // as above
  /** Results of matrix products and convolutions. */
  dotsSaveable: isProduct,
  checkpointDots: isProduct,
  /** Results of products of two matrices, without batch axes. */
  dotsWithNoBatchDimsSaveable,
  checkpointDotsWithNoBatchDims: dotsWithNoBatchDimsSaveable,
  /** Only what has one of these names. */
  saveOnlyTheseNames,
  /** What has a name, but not one of these. */
  saveAnyNamesButThese,
  /** Everything but what has one of these names. */
  saveAnythingExceptTheseNames,
  /** What either policy keeps. */
  saveFromBothPolicies,
} as const;

let barriers = 0;

/** The same elements, told apart from every other computation of them: a compiler must not merge a second with the first. */
const barrierOp: ViewOp<number> = {
  kind: "view",
  name: "barrier",
  infer: ([x]) => ({ shape: x?.shape ?? [], dtype: x?.dtype ?? "float32", weak: x?.weak ?? false }),
  view: (view) => view,
  vjp: (_context, ct) => [barrier(ct)],
  batch: ([x = asTensor(0, "checkpoint")]) => barrier(x),
};

function barrier(x: Tensor): Tensor {
  return bind(barrierOp, [x], barriers++);
}

/**
 * The same arrays, told apart from every other computation of them: jit does not merge what is computed from them with an
 * equal computation before the barrier, so that something is computed again instead of kept. Kernels may still be fused across
 * it. Gradients pass, behind barriers of their own. Source: lax.optimization_barrier.
 *
 * @throws DtypeError for a leaf that is no array.
 * @example await optimizationBarrier(array([1, 2])).toArray(); // [1, 2]
 */
export function optimizationBarrier<T>(operand: T): T {
  const [leaves, def] = tree.flatten(operand);
  return tree.unflatten(
    def,
    leaves.map((leaf) => barrier(asTensor(leaf as TensorLike, "optimizationBarrier"))), // asTensor refuses what is no array
  ) as T; // the same tree
}

/** Keeps results that a policy wants, by when they were computed; then gives them back when the same ops run again. */
class Keeper implements Level {
  readonly name = "checkpoint";
  readonly kept = new Map<number, Tensor>();
  readonly #policy: CheckpointPolicy;
  #next = 0;
  #replaying = false;

  constructor(policy: CheckpointPolicy) {
    this.#policy = policy;
  }

  /** From here on, the ops of the function are met a second time. */
  replay(): void {
    this.#next = 0;
    this.#replaying = true;
  }

  claims(): boolean {
    return true;
  }

  process(op: AnyOp, inputs: readonly Tensor[], attrs: unknown): Tensor {
    const place = this.#next++;
    const known = this.#replaying ? this.kept.get(place) : undefined;
    // The tape that sees it takes it for a result of its own.
    if (known !== undefined) return bind(nameOp, [known], { name: "" });
    const output = bind(op, inputs, attrs);
    if (!this.#replaying && this.#policy(op, inputs, attrs)) this.kept.set(place, output);
    return output;
  }
}

/**
 * `f`, with its derivatives computed from its arguments alone: what it computes on the way is not kept for the way back
 * but computed again. Values are the same; memory is less, work more. A policy says what may be kept after all.
 *
 * Source: jax.checkpoint (jax.remat).
 * @example
 * const layer = checkpoint((x: Tensor) => sin(sin(x)));
 * grad((x: Tensor) => sum(layer(x)))(array([0, 0.5])); // [1, 0.77864]
 */
export function checkpoint<F extends AnyFunction>(f: F, options: CheckpointOptions = {}): F {
  checkOptions("checkpoint", options, CHECKPOINT_OPTIONS);
  const { policy = checkpointPolicies.nothingSaveable } = options;
  checkFunction("checkpoint", f);
  const wrapped = (...args: unknown[]): unknown => {
    const data = argumentsOf("checkpoint", args);
    let result: Result | undefined;
    const run = (inputs: readonly Tensor[]): readonly Tensor[] => {
      result = new Result("checkpoint", f(...data.rebuild(inputs)));
      return result.tensors;
    };
    const op: CallOp = {
      name: "checkpoint",
      run,
      vjp: (inputs, needs) => rematerialized(run, policy, inputs, needs),
      batch: (inputs, batched, axis) => bindCall(batchedCall(op, batched, axis), inputs),
    };
    const outputs = bindCall(op, data.tensors);
    return result?.rebuild(outputs);
  };
  return wrapped as F; // it takes and returns what f does
}

/** The tape of `run`, each of its leaves watched where a cotangent is wanted. */
function recorded(
  run: (inputs: readonly Tensor[]) => readonly Tensor[],
  inputs: readonly Tensor[],
  needs: readonly boolean[],
): { tape: Tape; leaves: Tensor[]; outputs: readonly Tensor[] } {
  const tape = new Tape("checkpoint");
  const leaves = inputs.map((input, k) => (needs[k] === true ? tape.watch(input) : input));
  return { tape, leaves, outputs: tape.record(() => run(leaves)) };
}

function rematerialized(
  run: (inputs: readonly Tensor[]) => readonly Tensor[],
  policy: CheckpointPolicy,
  inputs: readonly Tensor[],
  needs: readonly boolean[],
): ReturnType<Required<CallOp>["vjp"]> {
  const keeper = new Keeper(policy);
  // Under a tape, as on the way back, so that functions with rules of their own run the same ops both times.
  const outputs = inArena(
    "checkpoint",
    () => {
      const { tape, outputs: made } = withLevel(keeper, () => recorded(run, inputs, needs));
      tape.release();
      return made;
    },
    (made) => keptStorages([made, ...keeper.kept.values()]),
  );
  return {
    outputs,
    residuals: [...inputs, ...keeper.kept.values()],
    pull: (cts) =>
      inArena(
        "checkpoint",
        () => {
          keeper.replay();
          const again = inputs.map(barrier);
          const { tape, leaves, outputs: made } = withLevel(keeper, () => recorded(run, again, needs));
          try {
            const gradients = tape.pullback(made, cts, leaves);
            return gradients.map((gradient, k) => (needs[k] === true ? gradient : undefined));
          } finally {
            tape.release();
          }
        },
        keptStorages,
      ),
  };
}
