import type { DType, Tensor } from "@jnx/tensor";
import { decay, type DecayOptions, type Optimizer } from "./alias-options.ts";
import { sgd } from "./alias.ts";
import { addNoise, clipByBlockRms, ema, scaleBySign } from "./clipping.ts";
import { scaleByFactoredRms, type FactoredOptions } from "./scaling-factored.ts";
import { scaleByLion, type LionScaleOptions, type MomentOptions } from "./scaling.ts";
import {
  scaleByAdan,
  scaleByNovograd,
  scaleByOptimisticGradient,
  scaleByParamBlockRms,
  scaleByPolyak,
  scaleByRprop,
  scaleBySm3,
  scaleByTrustRatio,
  type AdanScaleOptions,
  type NovogradOptions,
  type PolyakOptions,
  type RpropOptions,
} from "./scaling-more.ts";
import { chain, type GradientTransformation, type ScalarOrSchedule } from "./transformation.ts";
import { erase, scale, scaleByAdam, scaleByLearningRate, trace, type AdamOptions, type Mask } from "./transforms.ts";
import { masked } from "./wrappers.ts";
import { checkKeys } from "@jnx/tensor/internal";

/**
 * −learningRate · (sign of the momentum + weightDecay · p); weightDecay 1e-3. Source: optax.lion; Chen et al. 2023.
 * @example
 * const [tx, params] = [optax.lion(0.1, { weightDecay: 0 }), [array([3, 4])]];
 * tx.update([array([1, -2])], tx.init(params), params)[0]; // [[-0.1, 0.1]]
 */
export function lion(learningRate: ScalarOrSchedule, options: LionScaleOptions & DecayOptions = {}): Optimizer {
  checkKeys("lion", options, "b1 b2 mode smoothBeta muDtype weightDecay mask");
  const { weightDecay = 1e-3, mask, ...rest } = options;
  return chain(erase(scaleByLion(rest)), decay(weightDecay, mask), scaleByLearningRate(learningRate, { name: "lion" }));
}

/**
 * Adam, weight decay (0), and steps in proportion to parameters' norms. Source: optax.lamb; You et al. 2020.
 * @example optax.lamb(0.1).init([array([1])]);
 */
export function lamb(learningRate: ScalarOrSchedule, options: MomentOptions & DecayOptions = {}): Optimizer {
  checkKeys("lamb", options, "b1 b2 eps epsRoot weightDecay mask");
  const { weightDecay = 0, mask, eps = 1e-6, ...rest } = options;
  return chain(
    erase(scaleByAdam({ eps, ...rest })),
    decay(weightDecay, mask),
    erase(scaleByTrustRatio()),
    scaleByLearningRate(learningRate, { name: "lamb" }),
  );
}

/** Options of `lars`. */
export interface LarsOptions {
  readonly weightDecay?: number;
  readonly weightDecayMask?: Mask;
  /** Multiplies the ratio of norms, 0.001. */
  readonly trustCoefficient?: number;
  readonly eps?: number;
  readonly trustRatioMask?: Mask;
  /** Decay of the accumulated updates, after the learning rate, 0.9. */
  readonly momentum?: number;
  readonly nesterov?: boolean;
}

/**
 * Weight decay, steps in proportion to parameters' norms, then momentum. Source: optax.lars; You et al. 2017.
 * @example optax.lars(0.1).init([array([1])]);
 */
export function lars(learningRate: ScalarOrSchedule, options: LarsOptions = {}): Optimizer {
  checkKeys("lars", options, "weightDecay weightDecayMask trustCoefficient eps trustRatioMask momentum nesterov?");
  const {
    weightDecay = 0,
    weightDecayMask,
    trustCoefficient = 0.001,
    eps = 0,
    momentum = 0.9,
    nesterov = false,
  } = options;
  const ratio = erase(scaleByTrustRatio({ trustCoefficient, eps }));
  return chain(
    decay(weightDecay, weightDecayMask),
    options.trustRatioMask === undefined ? ratio : erase(masked(ratio, options.trustRatioMask)),
    scaleByLearningRate(learningRate, { name: "lars" }),
    erase(trace(momentum, { nesterov })),
  );
}

/** Options of `adafactor`. */
export interface AdafactorOptions extends Omit<FactoredOptions, "stepOffset" | "epsilon"> {
  readonly decayOffset?: number;
  /** Whether steps are in proportion to parameters' rms, true. */
  readonly multiplyByParameterScale?: boolean;
  /** What the rms of updates is held to, 1; null for no bound. */
  readonly clippingThreshold?: number | null;
  readonly momentum?: number;
  /** The dtype that the momentum is stored in, float32. */
  readonly dtypeMomentum?: DType;
  /** Weight decay, not multiplied by the learning rate. */
  readonly weightDecayRate?: number;
  readonly weightDecayMask?: Mask;
  readonly eps?: number;
}

/**
 * Adam's idea with memory for rows and columns only. Source: optax.adafactor; Shazeer & Stern 2018.
 * @example optax.adafactor(0.1).init([array([1])]);
 */
export function adafactor(learningRate?: ScalarOrSchedule, options: AdafactorOptions = {}): Optimizer {
  checkKeys(
    "adafactor",
    options,
    "decayOffset multiplyByParameterScale? clippingThreshold momentum dtypeMomentum weightDecayRate",
    "weightDecayMask eps factored? decayRate minDimSizeToFactor",
  );
  const { decayOffset = 0, eps = 1e-30, clippingThreshold = 1, multiplyByParameterScale = true } = options;
  const { momentum, weightDecayRate, weightDecayMask, factored, decayRate, minDimSizeToFactor } = options;
  const steps: GradientTransformation[] = [
    erase(
      scaleByFactoredRms({
        stepOffset: decayOffset,
        epsilon: eps,
        ...(factored === undefined ? {} : { factored }),
        ...(decayRate === undefined ? {} : { decayRate }),
        ...(minDimSizeToFactor === undefined ? {} : { minDimSizeToFactor }),
      }),
    ),
  ];
  if (clippingThreshold !== null) steps.push(erase(clipByBlockRms(clippingThreshold)));
  if (learningRate !== undefined) steps.push(scaleByLearningRate(learningRate, { flipSign: false, name: "adafactor" }));
  if (multiplyByParameterScale) steps.push(erase(scaleByParamBlockRms()));
  if (momentum !== undefined)
    steps.push(erase(ema(momentum, { debias: false, accumulatorDtype: options.dtypeMomentum ?? "float32" })));
  if (weightDecayRate !== undefined) steps.push(decay(weightDecayRate, weightDecayMask));
  return chain(...steps, erase(scale(-1)));
}

/**
 * Steps in proportion to parameters' norms, which keep their size. Source: optax.fromage; Bernstein et al. 2020.
 * @example optax.fromage(0.1).init([array([1])]);
 */
export function fromage(learningRate: number, options: { readonly minNorm?: number } = {}): Optimizer {
  checkKeys("fromage", options, "minNorm");
  const factor = 1 / Math.sqrt(1 + learningRate ** 2);
  return chain(
    erase(scaleByTrustRatio({ minNorm: options.minNorm ?? 1e-6 })),
    scaleByLearningRate(learningRate * factor, { name: "fromage" }),
    decay(factor - 1),
  );
}

/**
 * Adam with Nesterov's momentum from differences of gradients; epsRoot 1e-8. Source: optax.adan; Xie et al. 2022.
 * @example optax.adan(0.1).init([array([1])]);
 */
export function adan(learningRate: ScalarOrSchedule, options: AdanScaleOptions & DecayOptions = {}): Optimizer {
  checkKeys("adan", options, "b1 b2 b3 eps epsRoot weightDecay mask");
  const { weightDecay = 0, mask, epsRoot = 1e-8, ...rest } = options;
  return chain(
    erase(scaleByAdan({ epsRoot, ...rest })),
    decay(weightDecay, mask),
    scaleByLearningRate(learningRate, { name: "adan" }),
  );
}

/**
 * Momentum of gradients divided by their leaf's norm; eps 1e-6. Source: optax.novograd; Ginsburg et al. 2019.
 * @example optax.novograd(0.1).init([array([1])]);
 */
export function novograd(learningRate: ScalarOrSchedule, options: NovogradOptions = {}): Optimizer {
  checkKeys("novograd", options, "muDtype b1 b2 eps epsRoot weightDecay");
  return chain(
    erase(scaleByNovograd({ eps: 1e-6, ...options })),
    scaleByLearningRate(learningRate, { name: "novograd" }),
  );
}

/**
 * Gradient descent that extrapolates. Source: optax.optimistic_gradient_descent; Mokhtari et al. 2019.
 * @example
 * const tx = optax.optimisticGradientDescent(0.1);
 * tx.update([array([1, -2])], tx.init([array([3, 4])]))[0]; // [[-0.1, 0.2]]
 */
export function optimisticGradientDescent(
  learningRate: ScalarOrSchedule,
  options: { readonly alpha?: number; readonly beta?: number } = {},
): Optimizer {
  checkKeys("optimisticGradientDescent", options, "alpha beta");
  return chain(
    erase(scaleByOptimisticGradient(options.alpha ?? 1, options.beta ?? 1)),
    scaleByLearningRate(learningRate, { name: "optimisticGradientDescent" }),
  );
}

/** Options of `optimisticAdamV2`. */
export interface OptimisticAdamOptions extends AdamOptions {
  readonly alpha?: number;
  readonly beta?: number;
}

/**
 * Adam (with Nesterov's momentum) that extrapolates. Source: optax.optimistic_adam_v2; Daskalakis et al. 2017.
 * @example optax.optimisticAdamV2(0.1).init([array([1])]);
 */
export function optimisticAdamV2(learningRate: ScalarOrSchedule, options: OptimisticAdamOptions = {}): Optimizer {
  checkKeys("optimisticAdamV2", options, "alpha beta b1 b2 eps epsRoot nesterov? muDtype");
  const { alpha = 1, beta = 1, nesterov = true, ...rest } = options;
  return chain(
    erase(scaleByAdam({ nesterov, ...rest })),
    erase(scaleByOptimisticGradient(alpha, beta)),
    scaleByLearningRate(learningRate, { name: "optimisticAdamV2" }),
  );
}

/**
 * optimisticAdamV2 whose alpha is the learning rate and beta the `optimism`, the learning rate unless given. Source:
 * optax.optimistic_adam, which is deprecated for optimisticAdamV2.
 * @example optax.optimisticAdam(0.1).init([array([1])]);
 */
export function optimisticAdam(
  learningRate: number,
  options: AdamOptions & { readonly optimism?: number } = {},
): Optimizer {
  checkKeys("optimisticAdam", options, "b1 b2 eps epsRoot nesterov? muDtype optimism");
  const { optimism = learningRate, nesterov = true, ...rest } = options;
  return chain(
    erase(scaleByAdam({ nesterov, ...rest })),
    erase(scaleByOptimisticGradient(learningRate, optimism)),
    scaleByLearningRate(1, { name: "optimisticAdam" }),
  );
}

/**
 * Adagrad with memory per axis and momentum 0.9. Source: optax.sm3; Anil et al. 2019.
 * @example optax.sm3(0.1).init([array([1])]);
 */
export function sm3(learningRate: number, options: { readonly momentum?: number } = {}): Optimizer {
  checkKeys("sm3", options, "momentum");
  return chain(erase(scaleBySm3(options.momentum ?? 0.9)), erase(scale(-learningRate)));
}

/**
 * Steps of their own for each element by the signs of gradients. Source: optax.rprop; Riedmiller & Braun 1993.
 * @example
 * const tx = optax.rprop(0.1);
 * tx.update([array([1, -2])], tx.init([array([3, 4])]))[0]; // [[0, 0]]
 */
export function rprop(learningRate: number, options: RpropOptions = {}): Optimizer {
  checkKeys("rprop", options, "etaMinus etaPlus minStepSize maxStepSize");
  return chain(erase(scaleByRprop(learningRate, options)), erase(scale(-1)));
}

/** Options of `polyakSgd`. */
export interface PolyakSgdOptions extends PolyakOptions {
  /** Multiplies every step, 1. */
  readonly scaling?: ScalarOrSchedule;
}

/**
 * Gradient descent by Polyak's step; `update` needs `{ value }` of the function. Source: optax.polyak_sgd.
 * @example
 * const tx = optax.polyakSgd();
 * tx.update([array([3, 4])], tx.init([array([0, 0])]), undefined, { value: 5 })[0]; // [[-0.6, -0.8]]
 */
export function polyakSgd(options: PolyakSgdOptions = {}): Optimizer {
  checkKeys("polyakSgd", options, "scaling fMin maxLearningRate eps variant");
  const { scaling = 1, ...rest } = options;
  return chain(erase(sgd(scaling)), erase(scaleByPolyak(rest)));
}

/**
 * Gradient descent with noise that fades: variance eta / tᵍᵃᵐᵐᵃ. Source: optax.noisy_sgd; Neelakantan et al. 2015.
 * @example optax.noisySgd(0.1, { key: random.key(0) }).init([array([1])]);
 */
export function noisySgd(
  learningRate: ScalarOrSchedule,
  options: { readonly eta?: number; readonly gamma?: number; readonly key: Tensor },
): Optimizer {
  checkKeys("noisySgd", options, "eta gamma key");
  const { eta = 0.01, gamma = 0.55, key } = options;
  return chain(erase(addNoise(eta, gamma, key)), scaleByLearningRate(learningRate, { name: "noisySgd" }));
}

/**
 * −learningRate · sign(g). Source: optax.sign_sgd; Bernstein et al. 2018.
 * @example
 * const tx = optax.signSgd(0.1);
 * tx.update([array([1, -2])], tx.init([array([3, 4])]))[0]; // [[-0.1, 0.1]]
 */
export function signSgd(learningRate: ScalarOrSchedule): Optimizer {
  return chain(erase(scaleBySign()), scaleByLearningRate(learningRate, { name: "signSgd" }));
}

/**
 * −learningRate · sign of the running mean of gradients. Source: optax.signum.
 * @example
 * const tx = optax.signum(0.1);
 * tx.update([array([1, -2])], tx.init([array([3, 4])]))[0]; // [[-0.1, 0.1]]
 */
export function signum(
  learningRate: ScalarOrSchedule,
  options: { readonly beta?: number; readonly accumulatorDtype?: DType } = {},
): Optimizer {
  checkKeys("signum", options, "beta accumulatorDtype");
  const { beta = 0.9, ...rest } = options;
  return chain(
    erase(ema(beta, { debias: false, ...rest })),
    erase(scaleBySign()),
    scaleByLearningRate(learningRate, { name: "signum" }),
  );
}
