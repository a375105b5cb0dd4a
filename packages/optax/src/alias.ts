import type { DType } from "@jnx/tensor";
import {
  addDecayedWeights,
  erase,
  scaleByAdam,
  scaleByLearningRate,
  trace,
  type AdamOptions,
  type Mask,
} from "./transforms.ts";
import { chain, identity, type GradientTransformation, type ScalarOrSchedule } from "./transformation.ts";
import { checkKeys } from "@jnx/tensor/internal";

/** Options of `sgd`. */
export interface SgdOptions {
  /** Decay of the accumulated updates; no momentum unless given. */
  readonly momentum?: number;
  /** Nesterov's look-ahead; only with momentum. */
  readonly nesterov?: boolean;
  /** The dtype that the momentum is stored in; the parameters' unless given. */
  readonly accumulatorDtype?: DType;
}

/**
 * Stochastic gradient descent: −learningRate · g, with momentum −learningRate · (g + momentum · trace).
 * Source: optax.sgd.
 *
 * @throws ArgumentError when a number is NaN or infinite.
 * @example
 * const tx = optax.sgd(0.1, { momentum: 0.9 });
 * tx.update([array([1, -2])], tx.init([array([3, 4])]))[0]; // [[-0.1, 0.2]]
 */
export function sgd(learningRate: ScalarOrSchedule, options: SgdOptions = {}): GradientTransformation<unknown[]> {
  checkKeys("sgd", options, "momentum nesterov? accumulatorDtype");
  const { momentum, ...rest } = options;
  return chain(
    momentum === undefined ? erase(identity()) : erase(trace(momentum, rest)),
    scaleByLearningRate(learningRate, { name: "sgd" }),
  );
}

/**
 * Adam: −learningRate · m̂ / (√v̂ + eps). The learning rate may be a schedule.
 * Source: optax.adam; Kingma & Ba 2014; with nesterov Dozat 2016.
 *
 * @throws ArgumentError when a number is NaN or infinite.
 * @example
 * const tx = optax.adam(optax.cosineDecaySchedule(1e-3, 1000));
 * tx.update([array([1, -2])], tx.init([array([3, 4])]))[0]; // [[-0.00099999, 0.00099999]]
 */
export function adam(learningRate: ScalarOrSchedule, options: AdamOptions = {}): GradientTransformation<unknown[]> {
  checkKeys("adam", options, "b1 b2 eps epsRoot nesterov? muDtype");
  return chain(erase(scaleByAdam(options)), scaleByLearningRate(learningRate, { name: "adam" }));
}

/** Options of `adamw`. */
export interface AdamwOptions extends AdamOptions {
  /** Strength of the decay, 1e-4; it is multiplied by the learning rate. */
  readonly weightDecay?: ScalarOrSchedule;
  /** Which parameters decay: a tree of booleans like them, or a function to one. All unless given. */
  readonly mask?: Mask;
}

/**
 * Adam with decoupled weight decay: −learningRate · (m̂ / (√v̂ + eps) + weightDecay · params).
 * Source: optax.adamw; Loshchilov & Hutter 2019.
 *
 * @throws ArgumentError when a number is NaN or infinite, or `update` is called without params.
 * @example
 * const tx = optax.adamw(1e-3, { weightDecay: 0.01 });
 * const params = [array([3, 4])];
 * tx.update([array([1, -2])], tx.init(params), params)[0]; // [[-0.00103, 0.00095999]]
 */
export function adamw(learningRate: ScalarOrSchedule, options: AdamwOptions = {}): GradientTransformation<unknown[]> {
  checkKeys("adamw", options, "weightDecay mask b1 b2 eps epsRoot nesterov? muDtype");
  const { weightDecay = 1e-4, mask, ...rest } = options;
  return chain(
    erase(scaleByAdam(rest)),
    erase(addDecayedWeights(weightDecay, { mask })),
    scaleByLearningRate(learningRate, { name: "adamw" }),
  );
}
