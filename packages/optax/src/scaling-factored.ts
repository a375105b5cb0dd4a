import {
  add,
  astype,
  div,
  expandDims,
  mean,
  mul,
  power,
  square,
  sub,
  tree,
  zeros,
  zerosLike,
  type Tensor,
  type Shape,
  type TensorLike,
} from "@jnx/tensor";
import { asTensor, checkKeys } from "@jnx/tensor/internal";
import { needed, zeroCount } from "./moments.ts";
import type { GradientTransformation } from "./transformation.ts";
import { safeIncrement, type CountState } from "./transforms.ts";

/** Options of `scaleByFactoredRms`. */
export interface FactoredOptions {
  readonly factored?: boolean;
  readonly decayRate?: number;
  readonly stepOffset?: number;
  /** Only leaves whose second largest axis has this many are factored, 128. */
  readonly minDimSizeToFactor?: number;
  readonly epsilon?: number;
}

/** Row and column means of squared gradients, or all of them where a leaf is not factored. */
export interface FactoredState extends CountState {
  readonly vRow: unknown;
  readonly vCol: unknown;
  readonly v: unknown;
}

/** The axes by which a shape is factored: the second largest and the largest. */
function factoredAxes(
  shape: readonly number[],
  { factored = true, minDimSizeToFactor = 128 }: FactoredOptions,
): [number, number] | undefined {
  if (!factored || shape.length < 2) return undefined;
  const sorted = shape.map((extent, axis) => [extent, axis] as const).sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const [second, largest] = sorted.slice(-2);
  if (second === undefined || largest === undefined || second[0] < minDimSizeToFactor) return undefined;
  return [second[1], largest[1]];
}

const shapeOf = (p: TensorLike): Shape => asTensor(p, "scaleByFactoredRms").shape;

/**
 * Adafactor's scaling: the mean of squared gradients as a product of a row and a column. Source:
 * optax.scale_by_factored_rms; Shazeer & Stern 2018.
 *
 * @throws ArgumentError when `update` is called without params.
 * @example optax.scaleByFactoredRms().init([array([1, 2])]).v; // [[0, 0]]
 */
export function scaleByFactoredRms(options: FactoredOptions = {}): GradientTransformation<FactoredState> {
  checkKeys("scaleByFactoredRms", options, "factored? decayRate stepOffset minDimSizeToFactor epsilon");
  const { decayRate = 0.8, stepOffset = 0, epsilon = 1e-30 } = options;
  const blank = (): Tensor => zeros([1]);
  const without = (p: TensorLike, axis: number): Tensor => zeros(shapeOf(p).filter((_, k) => k !== axis));
  const axesOf = (p: TensorLike): [number, number] | undefined => factoredAxes(shapeOf(p), options);
  return {
    init: (params) => ({
      count: zeroCount(),
      vRow: tree.map((p: TensorLike) => {
        const axes = axesOf(p);
        return axes === undefined ? blank() : without(p, axes[1]);
      }, params),
      vCol: tree.map((p: TensorLike) => {
        const axes = axesOf(p);
        return axes === undefined ? blank() : without(p, axes[0]);
      }, params),
      v: tree.map((p: TensorLike) => (axesOf(p) === undefined ? zerosLike(p) : blank()), params),
    }),
    update: (updates, state, given) => {
      needed("scaleByFactoredRms", given);
      const decay = sub(1, power(astype(add(sub(state.count, stepOffset), 1), "float32"), -decayRate));
      const blend = (old: TensorLike, next: Tensor): Tensor => add(mul(decay, old), mul(sub(1, decay), next));
      const parts = tree.map(
        (g: Tensor, row: TensorLike, col: TensorLike, v: TensorLike) => {
          const squared = add(square(g), epsilon);
          const axes = axesOf(g);
          if (axes === undefined) {
            const next = blend(v, squared);
            return new Parts(mul(g, power(next, -0.5)), blank(), blank(), next);
          }
          const [d1, d0] = axes;
          const [nextRow, nextCol] = [blend(row, mean(squared, { axis: d0 })), blend(col, mean(squared, { axis: d1 }))];
          const centre = mean(nextRow, { axis: d1 > d0 ? d1 - 1 : d1, keepdims: true });
          const factors = mul(expandDims(power(div(nextRow, centre), -0.5), d0), expandDims(power(nextCol, -0.5), d1));
          return new Parts(mul(g, factors), nextRow, nextCol, blank());
        },
        updates,
        state.vRow,
        state.vCol,
        state.v,
      );
      const part = <K extends keyof Parts>(key: K): typeof updates => tree.map((one: Parts) => one[key], parts);
      return [
        part("update"),
        { count: safeIncrement(state.count), vRow: part("vRow"), vCol: part("vCol"), v: part("v") },
      ];
    },
  };
}

/** What one leaf becomes; a class, so that trees take it as a leaf. */
class Parts {
  readonly update: Tensor;
  readonly vRow: Tensor;
  readonly vCol: Tensor;
  readonly v: Tensor;
  constructor(update: Tensor, vRow: Tensor, vCol: Tensor, v: Tensor) {
    this.update = update;
    this.vRow = vRow;
    this.vCol = vCol;
    this.v = v;
  }
}
