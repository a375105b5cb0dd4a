import {
  add,
  argmax,
  ArgumentError,
  array,
  astype,
  div,
  DtypeError,
  equal,
  greater,
  greaterEqual,
  mean,
  mul,
  ShapeError,
  sqrt,
  square,
  sub,
  sum,
  variance,
  type Tensor,
  type TensorLike,
} from "@jnx/tensor";
import { asTensor } from "@jnx/tensor/internal";
import type { Filter } from "../filter.ts";
import { split } from "../graph.ts";
import type { GraphDef } from "../graph-def.ts";
import { Pytree } from "../pytree.ts";
import { readValue, Variable } from "../variable.ts";

/** What a metric has gathered. Source: flax.nnx.training.metrics.MetricState. */
export class MetricState extends Variable {}

/** Named values that a metric is updated with. */
export type MetricValues = Readonly<Record<string, unknown>>;

/**
 * Base of metrics: gathers over `update` calls, gives a number with `compute`, starts anew with `reset`.
 * Source: flax.nnx.Metric.
 *
 * @example new nnx.metrics.Average() instanceof nnx.Metric; // true
 */
export abstract class Metric extends Pytree {
  abstract reset(): void;
  abstract update(values: MetricValues): void;
  abstract compute(): unknown;

  /** `nnx.split` of this metric. */
  split(...filters: readonly Filter[]): [GraphDef, ...unknown[]] {
    return split(this, ...filters) as [GraphDef, ...unknown[]]; // a structure and States
  }
}

function valueOf(metric: string, name: string, values: MetricValues): number | Tensor {
  const value = values[name];
  if (value === undefined || value === null)
    throw new ArgumentError(
      `${metric}.update: expected values for "${name}", received ${Object.keys(values).join(", ") || "none"}; call update({ ${name}: … })`,
    );
  return typeof value === "number" ? value : asTensor(value as TensorLike, name); // asTensor refuses what is no array
}

function zero(dtype: "float32" | "int32"): Tensor {
  return array(0, { dtype });
}

/**
 * The mean of all values so far; NaN when there are none. A mask says which count. Source: flax.nnx.metrics.Average.
 *
 * @throws ArgumentError when the values are missing, or a mask comes with a number.
 * @example
 * const loss = new nnx.metrics.Average("loss");
 * loss.update({ loss: array([1, 2, 3, 4]) });
 * loss.compute(); // 2.5
 */
export class Average extends Metric {
  readonly argname: string;
  readonly total: MetricState;
  readonly count: MetricState;

  constructor(argname = "values") {
    super();
    this.argname = argname;
    this.total = new MetricState(zero("float32"));
    this.count = new MetricState(zero("int32"));
  }

  override reset(): void {
    this.total.value = zero("float32");
    this.count.value = zero("int32");
  }

  override update(values: MetricValues): void {
    const found = valueOf(this.constructor.name, this.argname, values);
    const mask = values["mask"] as TensorLike | null | undefined; // asTensor refuses what is no array
    if (mask !== undefined && mask !== null) {
      if (typeof found === "number")
        throw new ArgumentError(`Average.update: a mask needs "${this.argname}" to be an array, received a number`);
      const kept = asTensor(mask, "Metric.update");
      this.add(sum(mul(found, astype(kept, "float32"))), astype(sum(astype(kept, "int32")), "int32"));
    } else if (typeof found === "number") this.add(found, 1);
    else this.add(sum(astype(found, "float32")), found.size);
  }

  override compute(): Tensor {
    return div(readValue(this.total), readValue(this.count));
  }

  /** Adds to total and count, which keep their dtypes. */
  protected add(total: TensorLike, count: TensorLike): void {
    this.total.value = astype(add(readValue(this.total), total), "float32");
    this.count.value = astype(add(readValue(this.count), count), "int32");
  }
}

/**
 * The part of predictions that are right: of several classes the one with the largest logit, or, with a threshold,
 * logits of at least that against labels above 0. Source: flax.nnx.metrics.Accuracy.
 *
 * @throws ShapeError when logits and labels do not belong together, DtypeError unless labels are int32.
 * @example
 * const accuracy = new nnx.metrics.Accuracy();
 * accuracy.update({ logits: array([[1, 2], [3, 0]]), labels: array([1, 1]) });
 * accuracy.compute(); // 0.5
 */
export class Accuracy extends Average {
  readonly threshold: number | null;

  constructor(threshold: number | null = null) {
    super();
    if (threshold !== null && !Number.isFinite(threshold))
      throw new ArgumentError(`Accuracy: the threshold must be a number, received ${String(threshold)}`);
    this.threshold = threshold;
  }

  override update(values: MetricValues): void {
    const [logits, labels] = ["logits", "labels"].map((name) => asTensor(valueOf("Accuracy", name, values), name));
    if (logits === undefined || labels === undefined) return;
    const wanted = labels.ndim + (this.threshold === null ? 1 : 0);
    if (logits.ndim !== wanted)
      throw new ShapeError(
        `Accuracy.update: labels of ${labels.ndim} axes need logits of ${wanted}, received ${logits.ndim}; ${this.threshold === null ? "for two classes by one logit give a threshold" : "without a threshold logits have an axis of classes"}`,
      );
    if (labels.dtype !== "int32")
      throw new DtypeError(
        `Accuracy.update: labels must be int32, received ${labels.dtype}; convert them with astype("int32")`,
      );
    const right =
      this.threshold === null
        ? equal(argmax(logits, { axis: -1 }), labels)
        : equal(greaterEqual(logits, this.threshold), greater(labels, 0));
    const mask = values["mask"];
    super.update({ values: right, ...(mask === undefined ? {} : { mask }) });
  }
}

/** What `Welford.compute` gives. */
export interface Statistics {
  readonly mean: Tensor;
  readonly standardErrorOfMean: Tensor;
  readonly standardDeviation: Tensor;
}

/**
 * Mean, standard deviation and standard error of all values so far, by Welford's method. Source: flax.nnx.metrics.Welford.
 *
 * @throws ArgumentError when the values are missing.
 * @example
 * const spread = new nnx.metrics.Welford();
 * spread.update({ values: array([1, 2, 3, 4]) });
 * spread.compute().standardDeviation; // 1.118
 */
export class Welford extends Metric {
  readonly argname: string;
  readonly count: MetricState;
  readonly mean: MetricState;
  readonly m2: MetricState;

  constructor(argname = "values") {
    super();
    this.argname = argname;
    this.count = new MetricState(zero("int32"));
    this.mean = new MetricState(zero("float32"));
    this.m2 = new MetricState(zero("float32"));
  }

  override reset(): void {
    this.count.value = zero("int32");
    this.mean.value = zero("float32");
    this.m2.value = zero("float32");
  }

  override update(values: MetricValues): void {
    const found = valueOf("Welford", this.argname, values);
    const size = typeof found === "number" ? 1 : found.size;
    const [before, average] = [readValue(this.count), readValue(this.mean)];
    const count = add(before, size);
    const delta = sub(typeof found === "number" ? found : mean(found), average);
    const spread = typeof found === "number" ? 0 : mul(variance(found), size);
    this.count.value = astype(count, "int32");
    this.mean.value = astype(add(average, div(mul(delta, size), count)), "float32");
    const between = div(mul(mul(square(delta), size), before), count);
    this.m2.value = astype(add(readValue(this.m2), add(spread, between)), "float32");
  }

  override compute(): Statistics {
    const count = readValue(this.count);
    const standardDeviation = sqrt(div(readValue(this.m2), count));
    return {
      mean: this.mean.value,
      standardErrorOfMean: div(standardDeviation, sqrt(count)),
      standardDeviation,
    };
  }
}

/**
 * Several metrics that are updated together: each takes what it needs. A mask may be one array or one for each metric.
 * Source: flax.nnx.MultiMetric.
 *
 * @throws ArgumentError for a metric named like a method.
 * @example
 * const metrics = new nnx.MultiMetric({ accuracy: new nnx.metrics.Accuracy(), loss: new nnx.metrics.Average("loss") });
 * metrics.update({ logits: array([[1, 2]]), labels: array([1]), loss: 0.25 });
 * metrics.compute(); // { accuracy: 1, loss: 0.25 }
 */
export class MultiMetric<M extends Readonly<Record<string, Metric>>> extends Metric {
  /** The metrics in the order in which they were given. */
  readonly metricNames: readonly string[];
  readonly metrics: M;

  constructor(metrics: M) {
    super();
    const taken = Object.keys(metrics).find((name) => ["reset", "update", "compute"].includes(name));
    if (taken !== undefined)
      throw new ArgumentError(`MultiMetric: "${taken}" is the name of a method; choose another name`);
    this.metricNames = Object.keys(metrics);
    this.metrics = metrics;
  }

  override reset(): void {
    for (const name of this.metricNames) this.metrics[name]?.reset();
  }

  override update(values: MetricValues): void {
    const { mask, ...rest } = values;
    for (const name of this.metricNames) {
      const own = isPlain(mask) ? mask[name] : mask;
      this.metrics[name]?.update(own === undefined || own === null ? rest : { ...rest, mask: own });
    }
  }

  override compute(): { [K in keyof M]: ReturnType<M[K]["compute"]> } {
    const entries = this.metricNames.map((name) => [name, this.metrics[name]?.compute()]);
    // Each name has what its own metric gives.
    return Object.fromEntries(entries) as { [K in keyof M]: ReturnType<M[K]["compute"]> };
  }
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
