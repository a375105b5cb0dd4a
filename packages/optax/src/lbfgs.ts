import {
  add,
  ArgumentError,
  arange,
  broadcastTo,
  div,
  equal,
  greater,
  laxSlice,
  minimum,
  mul,
  neg,
  remainder,
  reshape,
  sub,
  take,
  tree,
  where,
  zeros,
  type Tensor,
  type TensorLike,
} from "@jnx/tensor";
import { asTensor, checkKeys } from "@jnx/tensor/internal";
import type { Optimizer } from "./alias-options.ts";
import { scaleByZoomLinesearch } from "./linesearch-zoom.ts";
import { needed, treeFull, zeroCount } from "./moments.ts";
import { chain, identity, type GradientTransformation, type ScalarOrSchedule } from "./transformation.ts";
import { erase, safeIncrement, scale, scaleByLearningRate, type CountState } from "./transforms.ts";
import { addScale, norm, scale as scaled, sub as difference, vdot } from "./tree-ops.ts";

/** The last parameters and gradients, and rings of the differences before. */
export interface LbfgsState extends CountState {
  readonly params: unknown;
  readonly updates: unknown;
  readonly diffParamsMemory: unknown;
  readonly diffUpdatesMemory: unknown;
  readonly weightsMemory: TensorLike;
}

/** Options of `scaleByLbfgs`. */
export interface LbfgsScaleOptions {
  /** How many differences are remembered, 10. */
  readonly memorySize?: number;
  /** Whether the first guess of the inverse Hessian is scaled by the last difference, true. */
  readonly scaleInitPrecond?: boolean;
}

/**
 * Gradients times an estimate of the inverse Hessian, made of the last differences of parameters and gradients. Source:
 * optax.scale_by_lbfgs; Nocedal & Wright, algorithms 7.4 and 7.5.
 *
 * @throws ArgumentError for a memory below 1, or when `update` is called without params.
 * @example optax.scaleByLbfgs({ memorySize: 2 }).init([array([1])]).weightsMemory; // [0, 0]
 */
export function scaleByLbfgs(options: LbfgsScaleOptions = {}): GradientTransformation<LbfgsState> {
  checkKeys("scaleByLbfgs", options, "memorySize scaleInitPrecond?");
  const { memorySize = 10, scaleInitPrecond = true } = options;
  if (!Number.isInteger(memorySize) || memorySize < 1)
    throw new ArgumentError(`scaleByLbfgs: memorySize must be a whole number of at least 1, received ${memorySize}`);
  const ring = (p: TensorLike): Tensor =>
    zeros([memorySize, ...asTensor(p, "scaleByLbfgs").shape], { dtype: asTensor(p, "scaleByLbfgs").dtype });
  return {
    init: (params) => ({
      count: zeroCount(),
      params: treeFull(params),
      updates: treeFull(params),
      diffParamsMemory: tree.map(ring, params),
      diffUpdatesMemory: tree.map(ring, params),
      weightsMemory: zeros([memorySize]),
    }),
    update: (updates, state, given) => {
      const params = needed("scaleByLbfgs", given);
      const going = greater(state.count, 0);
      const since = <T>(now: T, before: unknown): T => {
        const gap = difference<unknown>(now, before);
        return tree.map((x: Tensor) => where(going, x, 0), gap) as T; // the tree of both
      };
      const [stepped, changed] = [since(params, state.params), since(updates, state.updates)];
      const product = vdot<unknown>(changed, stepped);
      const weight = where(equal(product, 0), 0, div(1, product));
      const last = remainder(sub(state.count, 1), memorySize);
      const memory: Memory = {
        params: stored(state.diffParamsMemory, stepped, last),
        updates: stored(state.diffUpdatesMemory, changed, last),
        weights: storedRow(state.weightsMemory, weight, last),
      };
      const first = scaleInitPrecond ? firstScale(updates, changed, product, going) : 1;
      const order = remainder(add(remainder(state.count, memorySize), arange(memorySize)), memorySize);
      const next = preconditioned(updates, memory, order, first);
      return [
        next,
        {
          count: safeIncrement(state.count),
          params,
          updates,
          diffParamsMemory: memory.params,
          diffUpdatesMemory: memory.updates,
          weightsMemory: memory.weights,
        },
      ];
    },
  };
}

interface Memory {
  readonly params: unknown;
  readonly updates: unknown;
  readonly weights: Tensor;
}

/** A ring with one row replaced. */
function storedRow(ring: TensorLike, row: Tensor, position: Tensor): Tensor {
  const { shape } = asTensor(ring, "scaleByLbfgs");
  const here = equal(arange(shape[0] ?? 0), position);
  const along = reshape(here, [shape[0] ?? 0, ...shape.slice(1).map(() => 1)]);
  return where(broadcastTo(along, shape), row, ring);
}

function stored(rings: unknown, rows: unknown, position: Tensor): unknown {
  return tree.map((ring: TensorLike, row: Tensor) => storedRow(ring, row, position), rings, rows);
}

/** What the identity is multiplied by: ⟨dg, dw⟩ / ‖dg‖², and at the first step min(1, 1 / ‖g‖). */
function firstScale(updates: unknown, changed: unknown, product: Tensor, going: Tensor): Tensor {
  const squared = norm(changed, { squared: true });
  const known = where(greater(squared, 0), div(product, squared), 1);
  return where(going, known, minimum(1, div(1, norm(updates))));
}

/** The two loops of L-BFGS, from the newest difference to the oldest and back. */
function preconditioned<T>(updates: T, memory: Memory, order: Tensor, first: TensorLike): T {
  const size = memory.weights.shape[0] ?? 0;
  const oldestFirst = (ring: TensorLike): Tensor => take(ring, order, { axis: 0 });
  const weights = oldestFirst(memory.weights);
  const [steps, changes] = [tree.map(oldestFirst, memory.params), tree.map(oldestFirst, memory.updates)];
  const row = (rings: unknown, k: number): unknown => tree.map((ring: Tensor) => rowOf(ring, k), rings);
  const alphas: Tensor[] = [];
  let vector: unknown = updates;
  for (let k = size - 1; k >= 0; k--) {
    const alpha = mul(rowOf(weights, k), vdot(row(steps, k), vector));
    vector = addScale(vector, neg(alpha), row(changes, k));
    alphas[k] = alpha;
  }
  vector = scaled(first, vector);
  for (let k = 0; k < size; k++) {
    const beta = mul(rowOf(weights, k), vdot(row(changes, k), vector));
    vector = addScale(vector, sub(alphas[k] ?? 0, beta), row(steps, k));
  }
  return vector as T; // the tree of the updates
}

function rowOf(ring: Tensor, k: number): Tensor {
  const rest = ring.shape.slice(1);
  return reshape(laxSlice(ring, [k, ...rest.map(() => 0)], [k + 1, ...rest]), rest);
}

/** Options of `lbfgs`. */
export interface LbfgsOptions extends LbfgsScaleOptions {
  /** Finds the length of each step; a zoom of at most 20 steps unless given, null for none. */
  readonly linesearch?: GradientTransformation | null;
}

/**
 * L-BFGS: steps by an estimate of the inverse Hessian, whose lengths a line search finds. `update` needs the gradient's
 * point: `{ value, grad, valueFn }`, valueFn from parameters to the value. Source: optax.lbfgs; Liu & Nocedal 1989.
 *
 * @throws ArgumentError when `update` is called without params, or with a line search without value, grad and valueFn.
 * @example
 * const valueFn = (w: Tensor) => jnp.sum(jnp.square(w));
 * const tx = optax.lbfgs();
 * const w = array([1.5, 2]);
 * const [value, grad] = valueAndGrad(valueFn)(w);
 * const [updates] = tx.update(grad, tx.init(w), w, { value, grad, valueFn });
 * updates.shape; // [2]
 */
export function lbfgs(learningRate?: ScalarOrSchedule | null, options: LbfgsOptions = {}): Optimizer {
  checkKeys("lbfgs", options, "linesearch memorySize scaleInitPrecond?");
  const { linesearch, ...rest } = options;
  const search =
    linesearch === undefined
      ? erase(scaleByZoomLinesearch({ maxLinesearchSteps: 20, initialGuessStrategy: "one" }))
      : (linesearch ?? erase(identity()));
  const rate =
    learningRate === undefined || learningRate === null
      ? erase(scale(-1))
      : scaleByLearningRate(learningRate, { name: "lbfgs" });
  return chain(erase(scaleByLbfgs(rest)), rate, search);
}
