import { ema, type EmaOptions, type EmaState } from "./clipping.ts";
import { stateless, type GradientTransformation } from "./transformation.ts";
import { checkKeys } from "@jnx/tensor/internal";

/** The last measurement, by its name. */
export interface SnapshotState {
  readonly measurement: Readonly<Record<string, unknown>>;
}

/**
 * Keeps in its state what a function measures of the updates that pass; they are not changed. Source: optax.snapshot.
 * @example
 * const tx = optax.snapshot("norm", (updates) => optax.tree.norm(updates));
 * tx.update([array([3, 4])], tx.init([array([0, 0])]))[1]; // { measurement: { norm: 5 } }
 */
export function snapshot(
  measureName: string,
  measure: (updates: unknown) => unknown,
): GradientTransformation<SnapshotState> {
  const taken = (values: unknown): SnapshotState => ({ measurement: { [measureName]: measure(values) } });
  return { init: taken, update: (updates) => [updates, taken(updates)] };
}

/** The last measurements by name, and what those who measure remember. */
export interface MonitorState {
  readonly measurements: Readonly<Record<string, unknown>>;
  readonly measureStates: readonly unknown[];
}

/** A function of the updates, or a transformation whose result is the measurement. */
export type Measure = ((updates: unknown) => unknown) | GradientTransformation;

/**
 * Keeps in its state what functions or transformations measure of the updates that pass. Before the first update there are
 * no measurements. Source: optax.monitor.
 * @example
 * const tx = optax.monitor({ norm: (updates) => optax.tree.norm(updates) });
 * tx.update([array([3, 4])], tx.init([array([0, 0])]))[1].measurements; // { norm: 5 }
 */
export function monitor(measures: Readonly<Record<string, Measure>>): GradientTransformation<MonitorState> {
  const all = Object.entries(measures).map(([name, measure]): [string, GradientTransformation] => [
    name,
    typeof measure === "function"
      ? stateless((updates) => measure(updates) as typeof updates) // what is measured need not be like the updates
      : measure,
  ]);
  return {
    init: (params) => ({ measurements: {}, measureStates: all.map(([, one]) => one.init(params)) }),
    update: (updates, state, params, extra) => {
      const results = all.map(
        ([name, one], k) => [name, one.update(updates, state.measureStates[k], params, extra)] as const,
      );
      const measurements = Object.fromEntries(results.map(([name, [measurement]]) => [name, measurement]));
      return [updates, { measurements, measureStates: results.map(([, [, next]]) => next) }];
    },
  };
}

/**
 * A measure for `monitor`: the running mean of what a function measures. Source: optax.measure_with_ema.
 * @example
 * const tx = optax.monitor({ norm: optax.measureWithEma((updates) => optax.tree.norm(updates), 0.9) });
 * tx.update([array([3, 4])], tx.init([array([0, 0])]))[1].measurements; // { norm: 5 }
 */
export function measureWithEma(
  measure: (updates: unknown) => unknown,
  decay: number,
  options: EmaOptions = {},
): GradientTransformation<EmaState> {
  checkKeys("measureWithEma", options, "debias? accumulatorDtype");
  const mean = ema(decay, options);
  return {
    init: (params) => mean.init(measure(params)),
    // As in monitor.
    update: (updates, state) => mean.update(measure(updates) as typeof updates, state),
  };
}
