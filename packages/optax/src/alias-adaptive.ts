import { decay, type DecayOptions, type Optimizer } from "./alias-options.ts";
import {
  scaleByAdadelta,
  scaleByAdamax,
  scaleByAmsgrad,
  scaleByBelief,
  scaleByRadam,
  scaleByRms,
  scaleByRss,
  scaleByStddev,
  scaleByYogi,
  type AmsgradOptions,
  type MomentOptions,
  type RadamOptions,
  type RmsOptions,
} from "./scaling.ts";
import { chain, identity, type ScalarOrSchedule } from "./transformation.ts";
import { erase, scaleByAdam, scaleByLearningRate, trace, type AdamOptions } from "./transforms.ts";
import { checkKeys } from "@jnx/tensor/internal";

/**
 * adam with Nesterov's momentum. Source: optax.nadam; Dozat 2016.
 * @example
 * const tx = optax.nadam(0.1);
 * tx.update([array([1, -2])], tx.init([array([3, 4])]))[0];
 */
export function nadam(learningRate: ScalarOrSchedule, options: Omit<AdamOptions, "nesterov"> = {}): Optimizer {
  checkKeys("nadam", options, "eps muDtype b1 b2 epsRoot");
  return chain(
    erase(scaleByAdam({ ...options, nesterov: true })),
    scaleByLearningRate(learningRate, { name: "nadam" }),
  );
}

/**
 * adamw with Nesterov's momentum; weightDecay 1e-4. Source: optax.nadamw.
 * @example optax.nadamw(1e-3, { weightDecay: 0.01 }).init([array([1])]);
 */
export function nadamw(
  learningRate: ScalarOrSchedule,
  options: Omit<AdamOptions, "nesterov"> & DecayOptions = {},
): Optimizer {
  checkKeys("nadamw", options, "eps muDtype b1 b2 epsRoot weightDecay mask");
  const { weightDecay = 1e-4, mask, ...rest } = options;
  return chain(
    erase(scaleByAdam({ ...rest, nesterov: true })),
    decay(weightDecay, mask),
    scaleByLearningRate(learningRate, { name: "nadamw" }),
  );
}

/**
 * Adam by the infinity norm. Source: optax.adamax; Kingma & Ba 2014.
 * @example
 * const tx = optax.adamax(0.1);
 * tx.update([array([1, -2])], tx.init([array([3, 4])]))[0]; // [[-0.1, 0.1]]
 */
export function adamax(learningRate: ScalarOrSchedule, options: Omit<MomentOptions, "epsRoot"> = {}): Optimizer {
  checkKeys("adamax", options, "eps b1 b2");
  return chain(erase(scaleByAdamax(options)), scaleByLearningRate(learningRate, { name: "adamax" }));
}

/**
 * adamax with decoupled weight decay, 1e-4. Source: optax.adamaxw.
 * @example optax.adamaxw(0.1).init([array([1])]);
 */
export function adamaxw(
  learningRate: ScalarOrSchedule,
  options: Omit<MomentOptions, "epsRoot"> & DecayOptions = {},
): Optimizer {
  checkKeys("adamaxw", options, "eps b1 b2 weightDecay mask");
  const { weightDecay = 1e-4, mask, ...rest } = options;
  return chain(
    erase(scaleByAdamax(rest)),
    decay(weightDecay, mask),
    scaleByLearningRate(learningRate, { name: "adamaxw" }),
  );
}

/**
 * Adam with the largest variance seen. Source: optax.amsgrad; Reddi et al. 2018.
 * @example
 * const tx = optax.amsgrad(0.1);
 * tx.update([array([1, -2])], tx.init([array([3, 4])]))[0]; // [[-0.099999, 0.099999]]
 */
export function amsgrad(learningRate: ScalarOrSchedule, options: AmsgradOptions = {}): Optimizer {
  checkKeys("amsgrad", options, "muDtype biasCorrectionMu? biasCorrectionNu? b1 b2 eps epsRoot");
  return chain(erase(scaleByAmsgrad(options)), scaleByLearningRate(learningRate, { name: "amsgrad" }));
}

/**
 * Adam by belief in gradients. Source: optax.adabelief; Zhuang et al. 2020.
 * @example optax.adabelief(0.1).init([array([1])]);
 */
export function adabelief(
  learningRate: ScalarOrSchedule,
  options: MomentOptions & { readonly nesterov?: boolean } = {},
): Optimizer {
  checkKeys("adabelief", options, "b1 b2 eps epsRoot nesterov?");
  return chain(erase(scaleByBelief(options)), scaleByLearningRate(learningRate, { name: "adabelief" }));
}

/**
 * Rectified Adam. Source: optax.radam; Liu et al. 2019.
 * @example
 * const tx = optax.radam(0.1);
 * tx.update([array([1, -2])], tx.init([array([3, 4])]))[0]; // [[-0.1, 0.2]]
 */
export function radam(learningRate: ScalarOrSchedule, options: RadamOptions = {}): Optimizer {
  checkKeys("radam", options, "threshold nesterov? b1 b2 eps epsRoot");
  return chain(erase(scaleByRadam(options)), scaleByLearningRate(learningRate, { name: "radam" }));
}

/**
 * Adam whose variance grows slowly. Source: optax.yogi; Zaheer et al. 2018.
 * @example optax.yogi(0.1).init([array([1])]);
 */
export function yogi(learningRate: ScalarOrSchedule, options: Omit<MomentOptions, "epsRoot"> = {}): Optimizer {
  checkKeys("yogi", options, "eps b1 b2");
  return chain(erase(scaleByYogi(options)), scaleByLearningRate(learningRate, { name: "yogi" }));
}

/**
 * −learningRate · g / √(Σ g² + eps). Source: optax.adagrad; Duchi et al. 2011.
 * @example optax.adagrad(0.1).init([array([1])]);
 */
export function adagrad(
  learningRate: ScalarOrSchedule,
  options: { readonly initialAccumulatorValue?: number; readonly eps?: number } = {},
): Optimizer {
  checkKeys("adagrad", options, "initialAccumulatorValue eps");
  return chain(erase(scaleByRss(options)), scaleByLearningRate(learningRate, { name: "adagrad" }));
}

/** Options of `adadelta`. */
export interface AdadeltaOptions extends DecayOptions {
  readonly rho?: number;
  readonly eps?: number;
}

/**
 * Adadelta; weightDecay comes first. As in Optax, without a learning rate the sign is not turned.
 * Source: optax.adadelta; Zeiler 2012.
 *
 * @example optax.adadelta(1).init([array([1])]);
 */
export function adadelta(learningRate?: ScalarOrSchedule | null, options: AdadeltaOptions = {}): Optimizer {
  checkKeys("adadelta", options, "rho eps weightDecay mask");
  const { weightDecay = 0, mask, ...rest } = options;
  const last =
    learningRate === undefined || learningRate === null
      ? erase(identity())
      : scaleByLearningRate(learningRate, { name: "adadelta" });
  return chain(decay(weightDecay, mask), erase(scaleByAdadelta(rest)), last);
}

/** Options of `rmsprop`. */
export interface RmspropOptions extends RmsOptions {
  /** Whether the mean is taken off the squares, false. */
  readonly centered?: boolean;
  /** Decay of the accumulated updates, after the learning rate; none unless given. */
  readonly momentum?: number;
  readonly nesterov?: boolean;
}

/**
 * −learningRate · g / √(v + eps). Source: optax.rmsprop; Tieleman & Hinton 2012.
 * @example
 * const tx = optax.rmsprop(0.1, { biasCorrection: true });
 * tx.update([array([1, -2])], tx.init([array([3, 4])]))[0]; // [[-0.1, 0.1]]
 */
export function rmsprop(learningRate: ScalarOrSchedule, options: RmspropOptions = {}): Optimizer {
  checkKeys("rmsprop", options, "centered? momentum nesterov? decay eps initialScale epsInSqrt? biasCorrection?");
  const { centered = false, momentum, nesterov = false, ...rest } = options;
  return chain(
    centered ? erase(scaleByStddev(rest)) : erase(scaleByRms(rest)),
    scaleByLearningRate(learningRate, { name: "rmsprop" }),
    momentum === undefined ? erase(identity()) : erase(trace(momentum, { nesterov })),
  );
}
