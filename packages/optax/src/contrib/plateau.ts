import {
  add,
  ArgumentError,
  array,
  astype,
  div,
  equal,
  greater,
  less,
  maximum,
  mul,
  sub,
  tree,
  where,
  type Tensor,
  type TensorLike,
} from "@jnx/tensor";
import { zeroCount } from "../moments.ts";
import type { GradientTransformation } from "../transformation.ts";
import { safeIncrement, type CountState } from "../transforms.ts";
import { select } from "../wrappers.ts";
import { neededValue } from "./momo.ts";
import { checkKeys } from "@jnx/tensor/internal";

/** The scale, and what it depends on. */
export interface PlateauState extends CountState {
  readonly scale: TensorLike;
  readonly bestValue: TensorLike;
  readonly plateauCount: TensorLike;
  readonly cooldownCount: TensorLike;
  readonly avgValue: TensorLike;
}

/** Options of `reduceOnPlateau`. */
export interface PlateauOptions {
  /** What the scale is multiplied by, 0.1. */
  readonly factor?: number;
  /** How often there may be no progress before it is, 10. */
  readonly patience?: number;
  /** Progress is less than (1 − rtol) · best − atol; 1e-4. */
  readonly rtol?: number;
  /** 0 */
  readonly atol?: number;
  /** How long nothing is counted afterwards, 0. */
  readonly cooldown?: number;
  /** Over how many steps values are averaged, 1. */
  readonly accumulationSize?: number;
  /** What the scale is at least, 0. */
  readonly minScale?: number;
}

/**
 * Scales updates down when the value stops falling; `update` needs `{ value }`. Source: optax.contrib.reduce_on_plateau.
 *
 * @throws ArgumentError for a factor or tolerances out of range, and when `update` is called without a value.
 * @example
 * const tx = optax.contrib.reduceOnPlateau({ patience: 1, factor: 0.5 });
 * const [, state] = tx.update([array([2])], tx.init([array([0])]), undefined, { value: 1 });
 * tx.update([array([2])], state, undefined, { value: 1 })[0]; // [[1]]
 */
export function reduceOnPlateau(options: PlateauOptions = {}): GradientTransformation<PlateauState> {
  checkKeys("reduceOnPlateau", options, "factor patience rtol atol cooldown accumulationSize minScale");
  const { factor = 0.1, rtol = 1e-4, atol = 0, accumulationSize = 1 } = options;
  if (!(factor > 0 && factor < 1))
    throw new ArgumentError(`reduceOnPlateau: factor must be between 0 and 1, received ${factor}`);
  if (!(rtol >= 0 && rtol <= 1 && atol >= 0 && rtol + atol > 0))
    throw new ArgumentError(
      `reduceOnPlateau: rtol (at most 1) and atol must not be negative, and one must be over 0, received ${rtol} and ${atol}`,
    );
  return {
    init: () => ({
      scale: array(1, { dtype: "float32" }),
      bestValue: array(Number.POSITIVE_INFINITY),
      plateauCount: zeroCount(),
      cooldownCount: zeroCount(),
      count: zeroCount(),
      avgValue: array(0, { dtype: "float32" }),
    }),
    update: (updates, state, _params, extra) => {
      const value = neededValue("reduceOnPlateau", extra);
      const count = safeIncrement(state.count);
      const avgValue = div(add(mul(state.count, state.avgValue), value), count);
      const gathered = { ...state, count, avgValue };
      const next = select(equal(count, accumulationSize), judged(gathered, options), gathered);
      return [tree.map((g: Tensor) => mul(next.scale, g), updates), next];
    },
  };
}

/** The state after the mean of some values is compared with the best. */
function judged(state: PlateauState, options: PlateauOptions): PlateauState {
  const { factor = 0.1, patience = 10, rtol = 1e-4, atol = 0, cooldown = 0, minScale = 0 } = options;
  const better = less(state.avgValue, sub(mul(1 - rtol, state.bestValue), atol));
  const waited = where(better, 0, safeIncrement(state.plateauCount));
  const cooling = greater(state.cooldownCount, 0);
  const over = equal(waited, patience);
  const reduced = maximum(where(over, mul(state.scale, factor), state.scale), minScale);
  return {
    bestValue: where(better, state.avgValue, state.bestValue),
    plateauCount: astype(where(cooling, 0, where(over, 0, waited)), "int32"),
    scale: where(cooling, state.scale, reduced),
    cooldownCount: astype(where(cooling, sub(state.cooldownCount, 1), where(over, cooldown, 0)), "int32"),
    count: zeroCount(),
    avgValue: array(0, { dtype: "float32" }),
  };
}
