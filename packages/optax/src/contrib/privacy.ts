import {
  add,
  ArgumentError,
  div,
  isnan,
  less,
  minimum,
  mul,
  reshape,
  sqrt,
  square,
  sum,
  tensordot,
  tree,
  where,
  type Tensor,
} from "@jnx/tensor";
import { asTensor, sizeOf, checkKeys } from "@jnx/tensor/internal";
import * as random from "@jnx/tensor/random";
import type { TensorLike } from "@jnx/tensor";
import type { Optimizer } from "../alias-options.ts";
import { chain, identity, type GradientTransformation, type ScalarOrSchedule } from "../transformation.ts";
import { erase, scaleByLearningRate, trace } from "../transforms.ts";

/** The gradients of a batch: leaves with the batch as their first axis. */
function batched(name: string, grads: unknown): Tensor[] {
  const leaves = tree.leaves(grads).map((leaf) => asTensor(leaf as TensorLike, name)); // a tree of gradients
  const [first] = leaves;
  if (first !== undefined && leaves.every(({ shape }) => shape.length > 0 && shape[0] === first.shape[0]))
    return leaves;
  throw new ArgumentError(
    `${name}: every gradient needs the batch as its first axis; make gradients of each example with jax.vmap(jax.grad(…))`,
  );
}

/** Σ x² of each example: [batch] */
function squares(leaf: Tensor): Tensor {
  const [batch = 0, ...rest] = leaf.shape;
  return sum(square(reshape(leaf, [batch, sizeOf(rest)])), { axis: 1 });
}

/** Weights that hold a norm to a bound. */
function weights(norms: Tensor, bound: number): Tensor {
  const ratio = minimum(div(bound, norms), 1);
  return where(isnan(ratio), 1, ratio);
}

/**
 * The sum over a batch of gradients, each held to a global norm, and how many were over it. Leaves have the batch as
 * their first axis. Source: optax.per_example_global_norm_clip; Abadi et al. 2016.
 *
 * @throws ArgumentError unless all leaves have one batch.
 * @example optax.perExampleGlobalNormClip([array([[3, 4], [0.5, 0]])], 1); // [[[1.1, 0.8]], 1]
 */
export function perExampleGlobalNormClip<T>(grads: T, l2NormClip: number): [sums: T, clipped: Tensor] {
  const leaves = batched("perExampleGlobalNormClip", grads);
  const norms = sqrt(leaves.map(squares).reduce((a, b) => add(a, b)));
  const factors = weights(norms, l2NormClip);
  return [tree.map((g: Tensor) => tensordot(factors, g, 1), grads), sum(less(factors, 1))];
}

/**
 * As perExampleGlobalNormClip, leaf by leaf: each gets an equal share of the squared bound, or one by its size. Source:
 * optax.per_example_layer_norm_clip; McMahan et al. 2018.
 *
 * @throws ArgumentError unless all leaves have one batch.
 * @example optax.perExampleLayerNormClip([array([[3, 4], [0.5, 0]])], 1)[1]; // [1]
 */
export function perExampleLayerNormClip<T>(
  grads: T,
  globalL2NormClip: number,
  options: { readonly uniform?: boolean } = {},
): [sums: T, clipped: T] {
  checkKeys("perExampleLayerNormClip", options, "uniform?");
  const leaves = batched("perExampleLayerNormClip", grads);
  const sizes = leaves.map(({ shape }) => (options.uniform === false ? sizeOf(shape.slice(1)) : 1));
  const total = sizes.reduce((a, b) => a + b, 0);
  const factors = leaves.map((g, k) =>
    weights(sqrt(squares(g)), globalL2NormClip * Math.sqrt((sizes[k] ?? 0) / total)),
  );
  const [, def] = tree.flatten(grads);
  const rebuilt = (parts: readonly Tensor[]): T => tree.unflatten(def, parts) as T; // the same tree
  return [
    rebuilt(leaves.map((g, k) => tensordot(factors[k] ?? g, g, 1))),
    rebuilt(factors.map((one) => sum(less(one, 1)))),
  ];
}

/** The key for the noise. */
export interface PrivacyState {
  readonly rngKey: TensorLike;
}

/**
 * The mean over a batch of gradients, each held to a norm, with noise of deviation noiseMultiplier · l2NormClip on their
 * sum. Source: optax.contrib.differentially_private_aggregate; Abadi et al. 2016.
 *
 * @throws ArgumentError unless all leaves have one batch.
 * @example
 * const tx = optax.contrib.differentiallyPrivateAggregate(1, 0, random.key(0));
 * tx.update([array([[3, 4], [0.5, 0]])], tx.init([array([0, 0])]))[0]; // [[0.55, 0.4]]
 */
export function differentiallyPrivateAggregate(
  l2NormClip: number,
  noiseMultiplier: number,
  key: Tensor,
): GradientTransformation<PrivacyState> {
  return {
    init: () => ({ rngKey: random.keyData(key) }),
    update: (updates, state) => {
      const [first] = batched("differentiallyPrivateAggregate", updates);
      const [sums] = perExampleGlobalNormClip(updates, l2NormClip);
      const [leaves, def] = tree.flatten(sums);
      const noisy = leaves.map((leaf, k) => {
        const g = leaf as Tensor; // a sum
        const noise = random.normal(random.foldIn(state.rngKey, k + 1), g.shape);
        return div(add(g, mul(l2NormClip * noiseMultiplier, noise)), first?.shape[0] ?? 1);
      });
      // The same tree; the k-th key of a split is what folding k in gives.
      return [tree.unflatten(def, noisy) as typeof updates, { rngKey: random.foldIn(state.rngKey, 0) }];
    },
  };
}

/** Options of `dpsgd`. */
export interface DpsgdOptions {
  readonly l2NormClip: number;
  readonly noiseMultiplier: number;
  readonly seed: number;
  /** No momentum unless given. */
  readonly momentum?: number;
  readonly nesterov?: boolean;
}

/**
 * Gradient descent with differential privacy, on gradients of each example. Source: optax.contrib.dpsgd; Abadi et al. 2016.
 * @example
 * const tx = optax.contrib.dpsgd(0.1, { l2NormClip: 1, noiseMultiplier: 0, seed: 0 });
 * tx.update([array([[3, 4], [0.5, 0]])], tx.init([array([0, 0])]))[0]; // [[-0.055, -0.04]]
 */
export function dpsgd(learningRate: ScalarOrSchedule, options: DpsgdOptions): Optimizer {
  checkKeys("dpsgd", options, "l2NormClip noiseMultiplier seed momentum nesterov?");
  const { l2NormClip, noiseMultiplier, seed, momentum, nesterov = false } = options;
  return chain(
    erase(differentiallyPrivateAggregate(l2NormClip, noiseMultiplier, random.key(seed))),
    momentum === undefined ? erase(identity()) : erase(trace(momentum, { nesterov })),
    scaleByLearningRate(learningRate, { name: "dpsgd" }),
  );
}
