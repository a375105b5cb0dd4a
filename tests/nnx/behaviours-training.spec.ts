/** What Flax's own tests of optimizers, metrics, averages and tables assert, under the names of its tests. */
import { add, array, mean, mul, ones, random, square, sub, sum, zeros, type Tensor } from "@jnx/tensor";
import * as nnx from "@jnx/nnx";
import * as optax from "@jnx/optax";
import { useDevice } from "@jnx/testing";
import { describe, expect, it } from "vitest";
import { goldenArray } from "../goldens/read.ts";

useDevice();

const rngs = (): nnx.Rngs => new nnx.Rngs(0);

class Model extends nnx.Module {
  readonly linear1: nnx.Linear;
  readonly linear2: nnx.Linear;
  constructor(din: number, dout: number, given: nnx.RngsOptions) {
    super();
    this.linear1 = new nnx.Linear(din, 3, given);
    this.linear2 = new nnx.Linear(3, dout, given);
  }
  call(x: Tensor): Tensor {
    return this.linear2.call(this.linear1.call(x));
  }
}

interface Callable extends nnx.Module {
  call(x: Tensor): Tensor;
}

const errorOf = (model: Callable, x: Tensor, y: Tensor): Tensor => mean(square(sub(model.call(x), y)));

/** The numbers of every Variable that a filter takes, by path. */
async function numbers(source: object, filter: nnx.Filter): Promise<Record<string, number[]>> {
  const found: Record<string, number[]> = {};
  for (const [path, leaf] of nnx.toFlatState(nnx.state(source, filter)))
    if (leaf instanceof nnx.Variable) found[path.join(".")] = Array.from(await leaf.toTensor().data());
  return found;
}

const filters: readonly (readonly [string, nnx.Filter, nnx.Filter])[] = [
  ["Param", nnx.Param, nnx.Not(nnx.Param)],
  ["LoRAParam", nnx.LoRAParam, nnx.Not(nnx.LoRAParam)],
  ["both", nnx.Any(nnx.Param, nnx.LoRAParam), nnx.Nothing()],
];

function adapted(): nnx.LoRA {
  return new nnx.LoRA(4, 2, 10, { baseModule: new Model(4, 10, { rngs: rngs() }), rngs: new nnx.Rngs(1) });
}

describe("TestOptimizer", () => {
  it("test_split_merge: the optimizer goes apart and together again", async () => {
    const model = new Model(2, 4, { rngs: rngs() });
    const optimizer = new nnx.Optimizer(model, optax.adam(1e-3), { wrt: nnx.Param });
    const [graphdef, state] = nnx.split(optimizer);
    const again = nnx.merge(graphdef, state);
    again.update(model, nnx.grad(errorOf)(model, ones([1, 2]), ones([1, 4])));
    expect(await again.step.value.item()).toBe(1);
  });

  it.each(filters)("test_wrt_update, %s", async (_name, wrt, others) => {
    const model = adapted();
    const optimizer = new nnx.Optimizer(model, optax.adam(1e-3), { wrt });
    const [before, kept] = [await numbers(model, wrt), await numbers(model, others)];
    const [x, y] = [ones([1, 4]), ones([1, 10])];
    // b is zeros, so that a gets no gradient at first.
    for (let step = 0; step < 2; step++) {
      const [loss, grads] = nnx.valueAndGrad(errorOf, { argnums: new nnx.DiffState(0, wrt) })(model, x, y);
      optimizer.update(model, grads);
      expect(await errorOf(model, x, y).item()).toBeLessThan(Number(await loss.item()));
    }
    const after = await numbers(model, wrt);
    for (const [path, values] of Object.entries(before)) expect(after[path], path).not.toEqual(values);
    expect(await numbers(model, others)).toEqual(kept);
  });

  it.each(filters)("test_wrt_update_linesearch, %s", async (_name, wrt, others) => {
    const model = adapted();
    const optimizer = new nnx.Optimizer(model, optax.lbfgs() as optax.GradientTransformation, { wrt }); // its own state
    const kept = await numbers(model, others);
    const [x, y] = [ones([1, 4]), ones([1, 10])];
    const [graphdef, , rest] = nnx.split(model, wrt, "...");
    const valueFn = (params: unknown): Tensor => errorOf(nnx.merge(graphdef, params as nnx.State, rest), x, y); // of wrt
    const [value, grads] = nnx.valueAndGrad(errorOf, { argnums: new nnx.DiffState(0, wrt) })(model, x, y);
    optimizer.update(model, grads, { grad: grads, value, valueFn });
    expect(await errorOf(model, x, y).item()).toBeLessThan(Number(await value.item()));
    expect(await numbers(model, others)).toEqual(kept);
  });

  it.each([
    ["eager", (f: (o: nnx.ModelAndOptimizer<Model>) => void) => f],
    ["compiled", (f: (o: nnx.ModelAndOptimizer<Model>) => void) => nnx.jit(f)],
  ] as const)("test_jit, test_jit_linesearch: value, grad and valueFn arrive, %s", async (_name, wrap) => {
    const [x, y] = [random.normal(random.key(0), [1, 2]), ones([1, 4])];
    // Each is given back only the state that it made.
    for (const tx of [optax.sgd(1e-3), optax.adam(1e-3), optax.lbfgs(1e-3)] as optax.GradientTransformation[]) {
      const model = new Model(2, 4, { rngs: rngs() });
      const both = new nnx.ModelAndOptimizer(model, tx);
      const graphdef = nnx.graphdef(model);
      const first = Number(await errorOf(model, x, y).item());
      wrap((optimizer) => {
        const [value, grads] = nnx.valueAndGrad(errorOf)(optimizer.model, x, y);
        const valueFn = (params: unknown): Tensor => errorOf(nnx.merge(graphdef, params as nnx.State) as Model, x, y); // its State
        optimizer.update(grads, { grad: grads, value, valueFn });
      })(both);
      expect(await errorOf(model, x, y).item()).toBeLessThan(first);
    }
  });

  it("test_update_returns_updates: a State like the parameters", () => {
    const model = new nnx.Linear(2, 3, { rngs: rngs() });
    const optimizer = new nnx.Optimizer(model, optax.sgd(0.1), { wrt: nnx.Param });
    const updates = optimizer.update(model, nnx.grad((m: nnx.Linear) => sum(square(m.kernel.value)))(model));
    expect([updates.kernel.value.shape, updates.bias?.value.shape]).toEqual([[2, 3], [3]]);
  });

  it("test_update_backward_compatible: the result may be left alone", async () => {
    const model = new nnx.Linear(2, 3, { rngs: rngs() });
    const both = new nnx.ModelAndOptimizer(model, optax.adam(0.1));
    both.update(nnx.grad((m: nnx.Linear) => sum(m.kernel.value))(model));
    expect([both.model === model, await both.optimizer.step.value.item()]).toEqual([true, 1]);
  });

  it("test_sharding_propagation: the optimizer's state has the parameters' names of axes", () => {
    const kernelInit = nnx.withPartitioning(nnx.initializers.lecunNormal(), ["a", "b"]);
    const model = new nnx.Linear(2, 3, { kernelInit, useBias: false, rngs: rngs() });
    const optimizer = new nnx.Optimizer(model, optax.adamw(0.1), { wrt: nnx.Param });
    const names = nnx.getPartitionSpec(optimizer);
    expect(names).toMatchObject({ optState: { 0: { mu: { kernel: ["a", "b"] }, nu: { kernel: ["a", "b"] } } } });
  });

  it("test_metrics: a trainer of one's own around it", async () => {
    const [x, y] = [random.normal(random.key(0), [1, 2]), ones([1, 4])];
    class Trainer extends nnx.ModelAndOptimizer<Model> {
      readonly seen = new nnx.metrics.Average();
      override update(grads: nnx.State): nnx.StateOf<Model> {
        this.seen.update({ values: errorOf(this.model, x, y) });
        return super.update(grads);
      }
    }
    const trainer = new Trainer(new Model(2, 4, { rngs: rngs() }), optax.adam(1e-3));
    const grads = (): nnx.StateOf<Model> => nnx.grad((m: Model) => errorOf(m, x, y))(trainer.model);
    trainer.update(grads());
    const first = Number(await trainer.seen.compute().item());
    trainer.update(grads());
    expect(await trainer.seen.compute().item()).toBeLessThan(first);
  });
});

describe("TestMetrics", () => {
  const logits = (): Tensor => array([-1, 1, -1, 1, -1, 1, 1, -1, 1, -1], { shape: [5, 2], dtype: "float32" });

  it("test_split_merge: goes on where it was", async () => {
    const accuracy = new nnx.metrics.Accuracy();
    accuracy.update({ logits: logits(), labels: array([1, 1, 1, 1, 1]) });
    const [graphdef, state] = accuracy.split();
    const again = nnx.merge(graphdef, state as nnx.State) as nnx.metrics.Accuracy; // of what was split
    expect(await again.compute().item()).toBeCloseTo(0.6, 6);
    again.update({ logits: logits(), labels: array([1, 1, 1, 1, 0]) });
    expect(await again.compute().item()).toBeCloseTo(0.7, 6);
  });

  it("test_welford, test_welford_large, test_welford_many", async () => {
    const batches = {
      few: random.normal(random.key(0), [5, 2]),
      large: add(random.normal(random.key(0), [5, 2]), 1e16),
      many: random.normal(random.key(0), [50_000]),
    };
    for (const [name, values] of Object.entries(batches)) {
      const metric = new nnx.metrics.Welford();
      metric.update({ values });
      const [graphdef, state] = metric.split();
      const again = nnx.merge(graphdef, state as nnx.State) as nnx.metrics.Welford; // of what was split
      const found = again.compute();
      for (const [k, one] of [found.mean, found.standardDeviation, found.standardErrorOfMean].entries()) {
        const wanted = goldenArray("nnx-linen", "Welford", name, k).data[0] ?? Number.NaN;
        // Between neighbours of 1e16 lies 2^30: the mean of equal values is one of two, and so is their deviation.
        const tolerance = name === "large" ? 2 ** 30 : 3e-6 * (1 + Math.abs(wanted));
        expect(Math.abs(Number(await one.item()) - wanted)).toBeLessThanOrEqual(tolerance);
      }
    }
  });

  it.each([false, true])("test_multimetric, masked %s: NaN when empty, then both, and anew", async (masked) => {
    const metrics = new nnx.MultiMetric({ accuracy: new nnx.metrics.Accuracy(), loss: new nnx.metrics.Average() });
    const read = async (): Promise<unknown[]> => {
      const { accuracy, loss } = metrics.compute();
      return [await accuracy.item(), await loss.item()];
    };
    expect(await read()).toEqual([Number.NaN, Number.NaN]);
    const labels = array([1, 1, 0, 1, 0]);
    const first = { accuracy: masked ? array([true, true, false, true, false]) : null };
    metrics.update({ logits: logits(), labels, values: array([1, 2, 3, 4]), mask: first });
    expect(await read()).toEqual([expect.closeTo(masked ? 2 / 3 : 0.6, 6), 2.5]);
    const second = {
      accuracy: masked ? array([false, true, true, true, true]) : null,
      loss: masked ? array([true, true, false, false]) : null,
    };
    metrics.update({ logits: logits(), labels: array([0, 1, 1, 1, 1]), values: array([3, 2, 1, 0]), mask: second });
    expect(await read()).toEqual([expect.closeTo(masked ? 4 / 7 : 0.5, 6), masked ? 2.5 : 2]);
    metrics.reset();
    expect(await read()).toEqual([Number.NaN, Number.NaN]);
  });

  it("test_multimetric_split_merge_under_jit, test_multimetric_graphdef_hashable_after_split", async () => {
    const make = (): nnx.MultiMetric<Record<"loss" | "accuracy", nnx.metrics.Average>> =>
      new nnx.MultiMetric({ loss: new nnx.metrics.Average("loss"), accuracy: new nnx.metrics.Average("accuracy") });
    const [graphdef, state] = nnx.split(make());
    expect(graphdef.text).toBe(nnx.graphdef(make()).text);
    const step = nnx.jit((given: nnx.State, loss: Tensor, accuracy: Tensor): nnx.State => {
      const metrics = nnx.merge(graphdef, given);
      metrics.update({ loss, accuracy });
      return nnx.state(metrics);
    });
    const values = nnx.merge(graphdef, step(state, array(2), array(0.5))).compute();
    expect(Object.keys(values)).toEqual(["loss", "accuracy"]);
    expect([await values.loss.item(), await values.accuracy.item()]).toEqual([2, 0.5]);
  });

  it("test_binary_classification_accuracy", async () => {
    const accuracy = new nnx.metrics.Accuracy(0.5);
    accuracy.update({ logits: array([0.4, 0.7, 0.2, 0.6]), labels: array([0, 1, 1, 1]) });
    expect(await accuracy.compute().item()).toBe(0.75);
    accuracy.update({ logits: array([0.1, 0.9, 0.8, 0.3]), labels: array([0, 1, 1, 0]) });
    expect(await accuracy.compute().item()).toBe(0.875);
  });

  it("test_average: counts and totals of arrays of any rank, of numbers, and under masks", async () => {
    const average = new nnx.metrics.Average();
    const read = async (): Promise<unknown[]> => [await average.total.value.item(), await average.count.value.item()];
    average.update({
      values: array(
        Array.from({ length: 15 }, (_, k) => k),
        { shape: [5, 3] },
      ),
    });
    average.update({ values: array([[[1, 2]], [[3, 4]]]), mask: array([[[1, 0]], [[0, 1]]], { dtype: "float32" }) });
    expect(await read()).toEqual([105 + 5, 15 + 2]);
    average.reset();
    average.update({ values: 2 });
    average.update({ values: 3 });
    expect(await read()).toEqual([5, 2]);
    expect(() => average.update({ values: 2, mask: ones([5]) })).toThrow(/to be an array/);
  });
});

describe("TestEMA", () => {
  const doubled = (model: nnx.Linear): void => {
    model.kernel.value = mul(model.kernel.value, 2);
  };

  it("test_ema_initialization_and_update, test_ema_apply_to", async () => {
    const model = new nnx.Linear(2, 2, { useBias: false, rngs: rngs() });
    const initial = Array.from(await model.kernel.value.data());
    const ema = new nnx.EMA(model, 0.9);
    const averaged = ema.applyTo(model);
    expect(Array.from(await averaged.kernel.value.data())).toEqual(initial);
    doubled(model);
    ema.update(model);
    const wanted = initial.map((value) => expect.closeTo(1.1 * value, 6) as number); // a matcher
    expect(Array.from(await averaged.kernel.value.data())).toEqual(wanted);
    expect(averaged.kernel.value.shape).toEqual(model.kernel.value.shape);
  });

  it("test_ema_example, test_ema_sharding: shares its Variables, keeps their classes and names, follows a jitted step", async () => {
    const kernelInit = nnx.withPartitioning(nnx.initializers.lecunNormal(), ["row", "col"]);
    const model = new nnx.Linear(2, 3, { kernelInit, rngs: rngs() });
    const optimizer = new nnx.Optimizer(model, optax.adam(1e-3), { wrt: nnx.Param });
    const ema = new nnx.EMA(model, 0.9);
    const averaged = ema.applyTo(model);
    const before = Array.from(await averaged.kernel.value.data());
    const step = nnx.jit((m: nnx.Linear, o: nnx.Optimizer<nnx.Linear>, e: nnx.EMA, x: Tensor, y: Tensor): Tensor => {
      const [loss, grads] = nnx.valueAndGrad(errorOf)(m, x, y);
      o.update(m, grads);
      e.update(m);
      return loss;
    });
    step(model, optimizer, ema, ones([1, 2]), zeros([1, 3]));
    const own: unknown = Reflect.get(ema.params, "kernel");
    expect(averaged.kernel).toBeInstanceOf(nnx.Param);
    expect([averaged.kernel === own, averaged.kernel === model.kernel]).toEqual([true, false]);
    expect(averaged.kernel.metadata).toMatchObject({ outSharding: ["row", "col"] });
    expect(Array.from(await averaged.kernel.value.data())).not.toEqual(before);
  });
});
