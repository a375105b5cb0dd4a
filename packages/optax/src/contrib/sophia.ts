import { grad, jvp } from "@jnx/autodiff";
import { cond } from "@jnx/compile";
import {
  ArgumentError,
  astype,
  clip,
  div,
  equal,
  maximum,
  mul,
  remainder,
  tree,
  type DType,
  type Tensor,
  type TensorLike,
} from "@jnx/tensor";
import * as random from "@jnx/tensor/random";
import { decay, type Optimizer } from "../alias-options.ts";
import { moment, needed, stored, treeFull, unbiased, zeroCount } from "../moments.ts";
import { chain, type GradientTransformation, type ScalarOrSchedule } from "../transformation.ts";
import { erase, safeIncrement, scaleByLearningRate, type CountState, type Mask } from "../transforms.ts";
import { mul as product, randomLike } from "../tree-ops.ts";
import { checkKeys } from "@jnx/tensor/internal";

/** The key of the next estimate. */
export interface HutchinsonState {
  readonly key: TensorLike;
}

/**
 * Gives in the place of gradients an estimate of the Hessian's diagonal: s · (H s) for random signs s. `update` needs
 * `{ objFn }`, from parameters to the loss. Source: optax.contrib.hutchinson_estimator_diag_hessian.
 *
 * @throws ArgumentError when `update` is called without params or objFn.
 * @example
 * const tx = optax.contrib.hutchinsonEstimatorDiagHessian();
 * const objFn = (w: Tensor) => jnp.sum(jnp.square(w));
 * const w = array([1.5, 2]);
 * tx.update(w, tx.init(w), w, { objFn })[0]; // [2, 2]
 */
export function hutchinsonEstimatorDiagHessian(key: Tensor = random.key(0)): GradientTransformation<HutchinsonState> {
  return {
    init: () => ({ key: random.keyData(key) }),
    update: (updates, state, given, extra) => {
      const params = needed("hutchinsonEstimatorDiagHessian", given);
      const objFn = extra?.["objFn"];
      if (typeof objFn !== "function")
        throw new ArgumentError(
          "hutchinsonEstimatorDiagHessian: needs the loss; call update(updates, state, params, { objFn })",
        );
      const [next, own] = [random.foldIn(state.key, 0), random.foldIn(state.key, 1)];
      const sampler = (one: Tensor, shape: readonly number[]): Tensor =>
        astype(random.rademacher(one, shape), "float32");
      const signs = randomLike(own, params, { sampler });
      // What a function from parameters to a scalar gives.
      const loss = (p: typeof params): Tensor => Reflect.apply(objFn, undefined, [p]) as Tensor;
      const [, turned] = jvp(grad(loss), [params], [signs]);
      // Trees like the parameters, as the updates are.
      return [product<unknown>(turned, signs) as typeof updates, { key: next }];
    },
  };
}

/** The memory of `sophia`. */
export interface SophiaState extends CountState {
  readonly mu: unknown;
  readonly nu: unknown;
  readonly hessianFnState: unknown;
}

/** Options of `scaleBySophia`. */
export interface SophiaScaleOptions {
  /** 0.965 */
  readonly b1?: number;
  /** Decay of the estimate of the Hessian, 0.99. */
  readonly b2?: number;
  readonly eps?: number;
  /** Multiplies the estimate, 0.01. */
  readonly gamma?: number;
  /** What elements are held to, 1; null for no bound. */
  readonly clipThreshold?: number | null;
  /** Steps from one estimate to the next, 10. */
  readonly updateInterval?: number;
  /** Estimates the Hessian's diagonal; Hutchinson's unless given. */
  readonly hessianDiagonalFn?: GradientTransformation;
  readonly muDtype?: DType;
}

/**
 * The mean of gradients divided by an estimate of the Hessian's diagonal, each element held to a bound. Source:
 * optax.contrib.scale_by_sophia; Liu et al. 2023.
 *
 * @throws ArgumentError when `update` is called without params or what the estimate needs.
 * @example optax.contrib.scaleBySophia().init([array([1])]).nu; // [[0]]
 */
export function scaleBySophia(options: SophiaScaleOptions = {}): GradientTransformation<SophiaState> {
  checkKeys("scaleBySophia", options, "b1 b2 eps gamma clipThreshold updateInterval hessianDiagonalFn muDtype");
  const { b1 = 0.965, b2 = 0.99, eps = 1e-8, gamma = 0.01, clipThreshold = 1, updateInterval = 10 } = options;
  const { hessianDiagonalFn = erase(hutchinsonEstimatorDiagHessian()), muDtype } = options;
  return {
    init: (params) => ({
      count: zeroCount(),
      mu: treeFull(params, 0, muDtype),
      nu: treeFull(params),
      hessianFnState: hessianDiagonalFn.init(params),
    }),
    update: (updates, state, given, extra) => {
      const params = needed("scaleBySophia", given);
      const count = safeIncrement(state.count);
      const mu = moment(updates, state.mu, b1);
      const direction = (m: Tensor, h: TensorLike): Tensor => {
        const x = div(m, maximum(mul(gamma, h), eps));
        return clipThreshold === null ? x : clip(x, -clipThreshold, clipThreshold);
      };
      const next = tree.map(direction, unbiased(mu, b1, count), state.nu);
      const estimate = (): [unknown, unknown] => {
        const [diagonal, after] = hessianDiagonalFn.update(updates, state.hessianFnState, params, extra);
        return [moment<unknown>(diagonal, state.nu, b2), after];
      };
      const kept = (): [unknown, unknown] => [state.nu, state.hessianFnState];
      const [nu, hessianFnState] = cond(equal(remainder(state.count, updateInterval), 0), estimate, kept);
      return [next, { count, mu: stored(mu, muDtype), nu, hessianFnState }];
    },
  };
}

/** Options of `sophia`. */
export interface SophiaOptions extends SophiaScaleOptions {
  /** 1e-4 */
  readonly weightDecay?: ScalarOrSchedule;
  readonly weightDecayMask?: Mask;
}

/**
 * A second-order optimizer for little more than Adam costs; `update` needs `{ objFn }`. Source: optax.contrib.sophia; Liu
 * et al. 2023.
 * @example optax.contrib.sophia(0.1).init([array([1])]);
 */
export function sophia(learningRate: ScalarOrSchedule, options: SophiaOptions = {}): Optimizer {
  checkKeys(
    "sophia",
    options,
    "weightDecay weightDecayMask b1 b2 eps gamma clipThreshold updateInterval hessianDiagonalFn muDtype",
  );
  const { weightDecay = 1e-4, weightDecayMask, ...rest } = options;
  return chain(
    erase(scaleBySophia(rest)),
    decay(weightDecay, weightDecayMask),
    scaleByLearningRate(learningRate, { name: "sophia" }),
  );
}
