import { cond } from "@jnx/compile";
import {
  ArgumentError,
  astype,
  equal,
  linalg,
  matmul,
  mul,
  remainder,
  reshape,
  sliceInDim,
  swapaxes,
  tree,
  zeros,
  type Tensor,
} from "@jnx/tensor";
import { checkKeys, shapeText } from "@jnx/tensor/internal";
import { decay, type Optimizer } from "../alias-options.ts";
import { zeroCount } from "../moments.ts";
import { chain, type GradientTransformation, type ScalarOrSchedule } from "../transformation.ts";
import { erase, safeIncrement, scaleByAdam, scaleByLearningRate, type CountState, type Mask } from "../transforms.ts";
import { asMatrices, DimensionNumbers, dimensionsOf, type DimensionSpec } from "./dimensions.ts";

/** The directions that each matrix is projected to, and the memory of what works along them. */
export interface GaloreState extends CountState {
  readonly baseOptimizerState: unknown;
  /** [longer side, rank] for each matrix, [0, 0] for what is none. */
  readonly projector: unknown;
}

/** Options of `scaleByGalore`. */
export interface GaloreScaleOptions {
  /** Directions kept of each matrix, 128, or all where it has fewer. */
  readonly rank?: number;
  /** Steps from one choice of directions to the next, 200. */
  readonly updateProjGap?: number;
  /** Multiplies the updates of matrices, 1. */
  readonly scale?: number;
  /** What is done to projected gradients, without seeing parameters; scaleByAdam unless given. */
  readonly baseOptimizer?: GradientTransformation;
  /** Which parameters are matrices, and how; those of two axes unless given. One for all leaves out what has fewer than two. */
  readonly weightDimensionNumbers?: DimensionSpec;
}

/** A parameter as one matrix whose longer side is projected. */
interface Projection {
  /** Of a projector. */
  readonly shape: readonly number[];
  /** Of a projected gradient. */
  readonly low: readonly number[];
  directions(gradient: Tensor): Tensor;
  project(gradient: Tensor, projector: Tensor): Tensor;
  restore(update: Tensor, projector: Tensor): Tensor;
}

function projection(x: Tensor, dims: DimensionNumbers, rank: number): Projection {
  const { fanIn, fanOut, flat, restore } = asMatrices("scaleByGalore", x.shape, dims);
  if (fanIn * fanOut !== x.size)
    throw new ArgumentError(
      `scaleByGalore: each axis of ${shapeText(x.shape)} is a reduction axis or an output axis; name all in its dimension numbers`,
    );
  const tall = fanIn >= fanOut;
  const kept = Math.min(rank, fanIn, fanOut);
  // The longer side first: what is done to a wide matrix is what is done to its transpose.
  const turned = (y: Tensor): Tensor => (tall ? y : swapaxes(y, 0, 1));
  const matrix = (y: Tensor): Tensor => turned(reshape(flat(y), [fanIn, fanOut]));
  return {
    shape: [Math.max(fanIn, fanOut), kept],
    low: tall ? [kept, fanOut] : [fanIn, kept],
    directions: (gradient) => {
      const [u] = linalg.svd(astype(matrix(gradient), "float32"), { fullMatrices: false });
      return astype(sliceInDim(u, 0, kept, 1, 1), gradient.dtype);
    },
    project: (gradient, projector) => turned(matmul(swapaxes(projector, 0, 1), matrix(gradient))),
    restore: (update, projector) => restore(reshape(turned(matmul(projector, turned(update))), [1, fanIn, fanOut])),
  };
}

/** How each leaf is projected, in order; undefined where it is not. */
function projections(
  leaves: readonly Tensor[],
  params: unknown,
  options: GaloreScaleOptions,
): (Projection | undefined)[] {
  const { rank = 128, weightDimensionNumbers: spec } = options;
  const dims =
    spec instanceof DimensionNumbers
      ? leaves.map((x) => (x.ndim >= 2 ? spec : undefined))
      : dimensionsOf("scaleByGalore", spec, params);
  return leaves.map((x, k) => {
    const own = dims[k];
    return own && projection(x, own, rank);
  });
}

function checkCounts({ rank = 128, updateProjGap = 200 }: GaloreScaleOptions): void {
  for (const [name, value] of Object.entries({ rank, updateProjGap }))
    if (!Number.isInteger(value) || value < 1)
      throw new ArgumentError(`scaleByGalore: ${name} is a whole number from 1, received ${String(value)}`);
}

/**
 * The updates that a base optimizer makes of gradients projected to few directions, brought back: of a gradient g of m ≥ n rows
 * p · base(pᵀ g), where p, [m, rank], has the first left singular vectors of every updateProjGap-th gradient; of a wider one
 * the same of its transpose. The base's memory is as small as what it sees, and is kept as it is when directions change, of which
 * even the signs are anyone's choice; other parameters it sees as they are. Source: optax.contrib.scale_by_galore; Zhao et al. 2024.
 *
 * @throws ArgumentError for a rank or gap that is no whole number from 1, or dimension numbers that do not name all axes.
 * @example
 * const tx = optax.contrib.scaleByGalore({ rank: 1, baseOptimizer: optax.scale(2) });
 * const w = array([[3, 0], [0, 1]]);
 * tx.update(w, tx.init(w))[0]; // [[6, 0], [0, 0]]
 */
export function scaleByGalore(options: GaloreScaleOptions = {}): GradientTransformation<GaloreState> {
  checkKeys("scaleByGalore", options, "rank updateProjGap scale baseOptimizer weightDimensionNumbers");
  const { updateProjGap = 200, scale = 1, baseOptimizer = erase(scaleByAdam()) } = options;
  checkCounts(options);
  return {
    init: (params) => {
      const [given, def] = tree.flatten(params);
      const leaves = given as Tensor[]; // a tree of parameters
      const each = projections(leaves, params, options);
      const shaped = (shape: (x: Tensor, k: number) => readonly number[]): unknown =>
        tree.unflatten(
          def,
          leaves.map((x, k) => zeros([...shape(x, k)], { dtype: x.dtype })),
        );
      return {
        count: zeroCount(),
        baseOptimizerState: baseOptimizer.init(shaped((x, k) => each[k]?.low ?? x.shape)),
        projector: shaped((_, k) => each[k]?.shape ?? [0, 0]),
      };
    },
    update: (updates, state) => {
      const [given, def] = tree.flatten(updates);
      const leaves = given as Tensor[]; // a tree of updates
      const each = projections(leaves, updates, options);
      const old = tree.leaves(state.projector) as Tensor[]; // made by init
      const held = each.flatMap((one, k) => (one === undefined ? [] : (old[k] ?? [])));
      const found = (): Tensor[] =>
        leaves.flatMap((gradient, k) => {
          const one = each[k];
          return one === undefined ? [] : one.directions(gradient);
        });
      const chosen = cond(equal(remainder(state.count, updateProjGap), 0), found, () => held);
      let next = 0;
      const projectors = old.map((one, k) => (each[k] === undefined ? one : (chosen[next++] ?? one)));
      const over = (xs: readonly Tensor[], f: (one: Projection, x: Tensor, p: Tensor) => Tensor): Tensor[] =>
        xs.map((x, k) => {
          const [one, p] = [each[k], projectors[k]];
          return one === undefined || p === undefined ? x : f(one, x, p);
        });
      const low = over(leaves, (one, x, p) => one.project(x, p));
      const [base, baseOptimizerState] = baseOptimizer.update(tree.unflatten(def, low), state.baseOptimizerState);
      const full = over(tree.leaves(base) as Tensor[], (one, x, p) => mul(scale, one.restore(x, p))); // a tree of updates
      const dtyped = full.map((x, k) => astype(x, leaves[k]?.dtype ?? x.dtype));
      return [
        tree.unflatten(def, dtyped) as typeof updates, // the same tree
        { count: safeIncrement(state.count), baseOptimizerState, projector: tree.unflatten(def, projectors) },
      ];
    },
  };
}

/** Options of `galore`. */
export interface GaloreOptions extends GaloreScaleOptions {
  /** Decoupled, of the parameters as they are; 0. */
  readonly weightDecay?: ScalarOrSchedule;
  /** Which parameters decay. */
  readonly mask?: Mask;
}

/**
 * Adam, or another base, in the few directions that the gradients of matrices mostly have: memory for 2 · rank · n instead of
 * 2 · m · n numbers. Source: optax.contrib.galore; Zhao et al. 2024.
 *
 * @throws ArgumentError as `scaleByGalore`.
 * @example optax.contrib.galore(0.01, { rank: 16 }).init({ w: array([[1, 2]]), b: array([1]) });
 */
export function galore(learningRate: ScalarOrSchedule, options: GaloreOptions = {}): Optimizer {
  checkKeys("galore", options, "rank updateProjGap scale baseOptimizer weightDimensionNumbers weightDecay mask");
  const { weightDecay = 0, mask, ...rest } = options;
  return chain(
    erase(scaleByGalore(rest)),
    decay(weightDecay, mask),
    scaleByLearningRate(learningRate, { name: "galore" }),
  );
}
