import { applyUpdates, type GradientTransformation } from "@jnx/optax";
import { add, ArgumentError, tree, type Tensor, type TensorLike } from "@jnx/tensor";
import { asTensor, identityOf, inArena, keptStorages, checkKeys } from "@jnx/tensor/internal";
import type { GraphDef } from "../graph-def.ts";
import { merge } from "../merge.ts";
import type { State } from "../state.ts";

/** What a TrainState is made of. */
export interface TrainStateOptions {
  readonly params: State;
  readonly tx: GradientTransformation;
  /** How many updates there have been, 0 unless given. */
  readonly step?: TensorLike;
}

/**
 * A model's structure, parameters and optimizer state as one immutable tree, for functional training loops with
 * `jax.jit` and `jax.grad`. Source: flax.nnx.TrainState.
 *
 * @example
 * const [graphdef, params, rest] = nnx.split(model, nnx.Param, "...");
 * const state = nnx.TrainState.create(graphdef, { params, tx: optax.sgd(0.5) });
 * const next = state.applyGradients(params);
 * await next.step.item(); // 1
 * state.apply("params", rest).call(x).shape; // [3, 1]
 */
export class TrainState<M = unknown> {
  readonly graphdef: GraphDef<M>;
  readonly params: State;
  readonly optState: unknown;
  readonly step: Tensor;
  readonly tx: GradientTransformation;

  constructor(graphdef: GraphDef<M>, parts: Pick<TrainState, "params" | "optState" | "step" | "tx">) {
    this.graphdef = graphdef;
    this.params = parts.params;
    this.optState = parts.optState;
    this.step = parts.step;
    this.tx = parts.tx;
  }

  /** The state before the first update. */
  static create<M>(graphdef: GraphDef<M>, options: TrainStateOptions): TrainState<M> {
    checkKeys("TrainState.create", options, "params tx step");
    const { params, tx, step = 0 } = options;
    const optState = inArena("TrainState", () => tx.init(params), keptStorages);
    return new TrainState(graphdef, { params, tx, optState, step: asTensor(step, "TrainState.create") });
  }

  /** The model of these states; "params" stands for the parameters. */
  apply(...states: readonly (State | "params")[]): M {
    if (states.length === 0)
      throw new ArgumentError('TrainState.apply: needs a state; pass "params", and the others that were split off');
    const [first, ...rest] = states.map((state) => (state === "params" ? this.params : state));
    return merge(this.graphdef, first ?? this.params, ...rest);
  }

  /** The state after one update with gradients like the parameters. */
  applyGradients(grads: State): TrainState<M> {
    const { params, tx, optState, step } = this;
    const next = inArena(
      "TrainState",
      () => {
        const [updates, memory] = tx.update(grads, optState, params);
        return { params: applyUpdates(params, updates), optState: memory, step: add(step, 1) };
      },
      keptStorages,
    );
    return new TrainState(this.graphdef, { ...next, tx });
  }
}

/** What of a TrainState is structure. */
class Fixed {
  constructor(
    readonly graphdef: GraphDef,
    readonly tx: GradientTransformation,
  ) {}

  toJSON(): unknown {
    return [this.graphdef.text, identityOf(this.tx)];
  }
}

tree.registerTreeNode<TrainState>(TrainState, {
  flatten: ({ params, optState, step, graphdef, tx }) => ({
    keys: ["params", "optState", "step"],
    children: [params, optState, step],
    aux: new Fixed(graphdef, tx),
  }),
  unflatten: (aux, [params, optState, step]) => {
    const { graphdef, tx } = aux as Fixed; // what flatten gave
    return new TrainState(graphdef, { params: params as State, optState, step: step as Tensor, tx }); // its children
  },
});
