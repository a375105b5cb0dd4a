import {
  abs,
  add,
  ArgumentError,
  div,
  expandDims,
  matmul,
  maximum,
  mul,
  rsqrt,
  sqrt,
  square,
  sum,
  swapaxes,
  trace,
  tree,
  type DType,
  type Tensor,
  type TensorLike,
} from "@jnx/tensor";
import { asTensor, checkKeys } from "@jnx/tensor/internal";
import { adamw } from "../alias.ts";
import { decay } from "../alias-options.ts";
import { moment, nesterovMoment, stored, treeFull, unbiased, zeroCount } from "../moments.ts";
import {
  chain,
  stateless,
  type EmptyState,
  type GradientTransformation,
  type ScalarOrSchedule,
} from "../transformation.ts";
import { erase, safeIncrement, scaleByLearningRate, type CountState, type Mask } from "../transforms.ts";
import { partition, type PartitionState } from "../wrappers.ts";
import { asMatrices, dimensionsOf, type DimensionNumbers, type DimensionSpec } from "./dimensions.ts";

/** The coefficients of a quintic step, or of each step, or the name of a known set. */
export type NewtonSchulzCoefficients =
  "standard" | "dion" | readonly [number, number, number] | readonly (readonly [number, number, number])[];

/** What is done so that all singular values are below 1 at first. */
export type Preconditioning = "frobenius" | "spectral" | "aol" | "schatten";

type Step = readonly [number, number, number];
const STANDARD: Step = [3.4445, -4.775, 2.0315];
const DION: readonly Step[] = [
  [4.0848, -6.8946, 2.927],
  [3.9505, -6.3029, 2.6377],
  [3.7418, -5.5913, 2.3037],
  [2.8769, -3.1427, 1.2046],
  [2.8366, -3.0525, 1.2012],
];

/** Options of `orthogonalizeViaNewtonSchulz`. */
export interface NewtonSchulzOptions {
  readonly nsCoeffs?: NewtonSchulzCoefficients;
  /** 5 */
  readonly nsSteps?: number;
  /** "frobenius" */
  readonly preconditioning?: Preconditioning;
  /** 1e-8 */
  readonly eps?: number;
}

function stepsOf({ nsCoeffs = "standard", nsSteps = 5 }: NewtonSchulzOptions): readonly Step[] {
  const given = nsCoeffs === "standard" ? STANDARD : nsCoeffs === "dion" ? DION : nsCoeffs;
  if (isStep(given)) return Array.from({ length: nsSteps }, () => given);
  if (given.length > nsSteps && given.length !== 0) return given.slice(-nsSteps);
  return given;
}

function isStep(value: Step | readonly Step[]): value is Step {
  return typeof value[0] === "number";
}

/**
 * Matrices [batch, m, n] brought near U·Vᵀ of their singular value decomposition by quintic steps. Source:
 * optax.contrib's orthogonalize_via_newton_schulz; Jordan 2024.
 *
 * @throws ArgumentError for another preconditioning.
 * @example optax.contrib.orthogonalizeViaNewtonSchulz(array([[[3, 0], [0, 4]]])).shape; // [1, 2, 2]
 */
export function orthogonalizeViaNewtonSchulz(matrices: TensorLike, options: NewtonSchulzOptions = {}): Tensor {
  checkKeys("orthogonalizeViaNewtonSchulz", options, "nsCoeffs nsSteps preconditioning eps");
  const { preconditioning = "frobenius", eps = 1e-8 } = options;
  if (!["frobenius", "spectral", "aol", "schatten"].includes(preconditioning))
    throw new ArgumentError(
      `orthogonalizeViaNewtonSchulz: preconditioning is "frobenius", "spectral", "aol" or "schatten", received ${String(preconditioning)}`,
    );
  const given = asTensor(matrices, "orthogonalizeViaNewtonSchulz");
  const turned = (given.shape.at(-2) ?? 0) > (given.shape.at(-1) ?? 0);
  let x = turned ? swapaxes(given, -1, -2) : given;
  const size = (total: Tensor): Tensor => expandDims(total, [-1, -2]);
  if (preconditioning === "frobenius") x = div(x, add(size(sqrt(sum(square(x), { axis: [-1, -2] }))), eps));
  if (preconditioning === "spectral") x = div(x, add(size(largestSingularValue(x)), eps));
  stepsOf(options).forEach(([a, b, c], k) => {
    let gram = matmul(x, swapaxes(x, -1, -2));
    if (k === 0 && preconditioning === "aol") {
      const s = rsqrt(maximum(sum(abs(gram), { axis: -1, keepdims: true }), 1e-8));
      [x, gram] = [mul(x, s), mul(mul(gram, s), swapaxes(s, -1, -2))];
    } else if (k === 0 && preconditioning === "schatten") {
      const s = rsqrt(maximum(sqrt(sum(square(gram), { axis: [-1, -2], keepdims: true })), 1e-8));
      [x, gram] = [mul(x, s), mul(gram, square(s))];
    }
    x = add(mul(a, x), matmul(add(mul(b, gram), matmul(mul(c, gram), gram)), x));
  });
  return turned ? swapaxes(x, -1, -2) : x;
}

/** Squarings after which a power of a Gram matrix is its largest eigenvector's projection, to float32's precision. */
const SQUARINGS = 20;

/** ‖x‖₂ of matrices [batch, m, n], m ≤ n: the trace of G·Gᴺ over that of Gᴺ for a high N. */
function largestSingularValue(x: Tensor): Tensor {
  const gram = matmul(x, swapaxes(x, -1, -2));
  const along = { axis1: -2, axis2: -1 };
  let power = gram;
  for (let k = 0; k < SQUARINGS; k++) {
    const squared = matmul(power, power);
    power = div(squared, maximum(expandDims(trace(squared, along), [-1, -2]), 1e-37));
  }
  return sqrt(div(trace(matmul(gram, power), along), maximum(trace(power, along), 1e-37)));
}

/** The momentum. */
export interface MuonState extends CountState {
  readonly mu: unknown;
}

/** Options of `scaleByMuon`. */
export interface MuonScaleOptions extends NewtonSchulzOptions {
  /** Decay of the momentum, 0.95. */
  readonly beta?: number;
  readonly muDtype?: DType;
  /** true */
  readonly nesterov?: boolean;
  /** Whether updates grow with what they have in common with the momentum, false. */
  readonly adaptive?: boolean;
  readonly weightDimensionNumbers?: DimensionSpec;
}

/** Applies f to each leaf with its dimension numbers, which all must have. */
function overMatrices<T>(
  name: string,
  spec: DimensionSpec | undefined,
  values: T,
  f: (x: Tensor, dims: DimensionNumbers) => Tensor,
): T {
  const dims = dimensionsOf(name, spec, values);
  const [leaves, def] = tree.flatten(values);
  const next = leaves.map((leaf, k) => {
    const x = leaf as Tensor; // a tree of updates
    const own = dims[k];
    if (own === undefined)
      throw new ArgumentError(
        `${name}: a parameter of ${x.ndim} axes is no matrix; use muon, which leaves it to adamw`,
      );
    return f(x, own);
  });
  return tree.unflatten(def, next) as T; // the same tree
}

/**
 * The momentum of each matrix, orthogonalized. Source: optax.contrib.scale_by_muon; Jordan 2024.
 *
 * @throws ArgumentError for a parameter that is no matrix.
 * @example optax.contrib.scaleByMuon().init([array([[1, 2]])]).mu; // [[[0, 0]]]
 */
export function scaleByMuon(options: MuonScaleOptions = {}): GradientTransformation<MuonState> {
  checkKeys(
    "scaleByMuon",
    options,
    "beta muDtype nesterov? adaptive? weightDimensionNumbers nsCoeffs nsSteps preconditioning eps",
  );
  const { beta = 0.95, muDtype, nesterov = true, adaptive = false, weightDimensionNumbers, ...how } = options;
  return {
    init: (params) => ({ count: zeroCount(), mu: treeFull(params, 0, muDtype) }),
    update: (updates, state) => {
      const mu = moment(updates, state.mu, beta);
      const count = safeIncrement(state.count);
      const mean = nesterov ? nesterovMoment(updates, mu, beta, count) : unbiased(mu, beta, count);
      const next = overMatrices("scaleByMuon", weightDimensionNumbers, mean, (x, dims) => {
        const { flat, restore } = asMatrices("scaleByMuon", x.shape, dims);
        const y = restore(orthogonalizeViaNewtonSchulz(flat(x), how));
        return adaptive ? mul(sum(mul(x, y)), y) : y;
      });
      return [next, { count, mu: stored(mu, muDtype) }];
    },
  };
}

/** Options of `scaleByShape`. */
export interface ShapeScaleOptions {
  readonly weightDimensionNumbers?: DimensionSpec;
  /** Updates get this root mean square; unless given they grow with √max(1, out / in). */
  readonly consistentRms?: number | null;
}

/**
 * Orthogonal updates scaled by the shape of their matrix. Source: optax.contrib's scale_by_shape.
 * @example optax.contrib.scaleByShape().update([array([[1, 2, 3, 4]])], {})[0]; // [[[2, 4, 6, 8]]]
 */
export function scaleByShape(options: ShapeScaleOptions = {}): GradientTransformation<EmptyState> {
  checkKeys("scaleByShape", options, "weightDimensionNumbers consistentRms");
  const { weightDimensionNumbers, consistentRms } = options;
  return stateless((updates) =>
    overMatrices("scaleByShape", weightDimensionNumbers, updates, (x, dims) => {
      const { fanIn, fanOut } = asMatrices("scaleByShape", x.shape, dims);
      const wide = Math.sqrt(Math.max(1, fanOut / fanIn));
      const even = Math.sqrt(Math.max(fanIn, fanOut));
      return mul(typeof consistentRms === "number" ? even * consistentRms : wide, x);
    }),
  );
}

/** Options of `muon`. */
export interface MuonOptions extends Omit<MuonScaleOptions, "weightDimensionNumbers"> {
  readonly weightDecay?: ScalarOrSchedule;
  readonly weightDecayMask?: Mask;
  readonly adamB1?: number;
  readonly adamB2?: number;
  readonly adamEpsRoot?: number;
  readonly adamWeightDecay?: number;
  /** The learning rate of what is no matrix; that of the matrices unless given. */
  readonly adamLearningRate?: ScalarOrSchedule;
  /** Which parameters are matrices, and how; those of two axes unless given. */
  readonly muonWeightDimensionNumbers?: DimensionSpec;
  readonly consistentRms?: number | null;
}

/**
 * Momentum whose update of each matrix is orthogonalized; all other parameters are left to adamw. Source:
 * optax.contrib.muon; Jordan 2024.
 * @example optax.contrib.muon(0.1).init({ w: array([[1, 2]]), b: array([1]) });
 */
export function muon(
  learningRate: ScalarOrSchedule,
  options: MuonOptions = {},
): GradientTransformation<PartitionState> {
  checkKeys(
    "muon",
    options,
    "weightDecay weightDecayMask adamB1 adamB2 adamEpsRoot adamWeightDecay adamLearningRate",
    "muonWeightDimensionNumbers consistentRms eps beta muDtype nesterov? adaptive? nsCoeffs nsSteps",
    "preconditioning",
  );
  const { weightDecay = 0, weightDecayMask, muonWeightDimensionNumbers, consistentRms, ...others } = options;
  const { adamB1 = 0.9, adamB2 = 0.999, adamEpsRoot = 0, adamWeightDecay = 0, ...more } = others;
  const { adamLearningRate = learningRate, ...rest } = more;
  const { eps = 1e-8, muDtype, nesterov = true } = rest;
  const dims = muonWeightDimensionNumbers === undefined ? {} : { weightDimensionNumbers: muonWeightDimensionNumbers };
  const adam = { b1: adamB1, b2: adamB2, eps, epsRoot: adamEpsRoot, weightDecay: adamWeightDecay, nesterov };
  const labels = (params: unknown): unknown => {
    const [, def] = tree.flatten(params);
    const found = dimensionsOf("muon", muonWeightDimensionNumbers, params);
    return tree.unflatten(
      def,
      found.map((one) => (one === undefined ? "adam" : "muon")),
    );
  };
  return partition(
    {
      muon: erase(
        chain(
          erase(scaleByMuon({ ...rest, ...dims })),
          erase(scaleByShape({ ...dims, ...(consistentRms === undefined ? {} : { consistentRms }) })),
          decay(weightDecay, weightDecayMask),
          scaleByLearningRate(learningRate, { name: "muon" }),
        ),
      ),
      adam: erase(adamw(adamLearningRate, { ...adam, ...(muDtype === undefined ? {} : { muDtype }) })),
    },
    labels,
  );
}
