import { array, random } from "@jnx/tensor";
import * as nnx from "@jnx/nnx";
import { useDevice } from "@jnx/testing";
import { describe, expect, it } from "vitest";

useDevice();

describe("metrics", () => {
  it("Average: Flax's documented values; NaN when empty, masks, numbers", async () => {
    const average = new nnx.metrics.Average();
    expect(await average.compute().item()).toBeNaN();
    average.update({ values: array([1, 2, 3, 4]) });
    expect(await average.compute().item()).toBe(2.5);
    average.update({ values: array([3, 2, 1, 0]) });
    expect(await average.compute().item()).toBe(2);
    average.reset();
    average.update({ values: array([1, 100, 3]), mask: array([true, false, true]) });
    average.update({ values: 5 });
    expect(await average.compute().item()).toBe(3);
    expect(() => average.update({ value: 1 })).toThrow(/expected values for "values", received value/);
    expect(() => average.update({ values: 1, mask: array([true]) })).toThrow(/needs "values" to be an array/);
  });

  it("Welford: Flax's documented values, and numpy's on many", async () => {
    const welford = new nnx.metrics.Welford();
    welford.update({ values: array([1, 2, 3, 4]) });
    const first = welford.compute();
    expect(await first.mean.item()).toBeCloseTo(2.5, 6);
    expect(await first.standardErrorOfMean.item()).toBeCloseTo(0.559017, 6);
    expect(await first.standardDeviation.item()).toBeCloseTo(1.118034, 6);
    welford.update({ values: array([3, 2, 1, 0]) });
    const second = welford.compute();
    expect(await second.mean.item()).toBeCloseTo(2, 6);
    expect(await second.standardErrorOfMean.item()).toBeCloseTo(0.43301272, 6);
    expect(await second.standardDeviation.item()).toBeCloseTo(1.2247449, 6);
    welford.reset();
    expect(await welford.compute().standardDeviation.item()).toBeNaN();
    const numbers = Array.from({ length: 40 }, (_, k) => Math.sin(k) * 10);
    for (const value of numbers) welford.update({ values: value });
    const mean = numbers.reduce((a, b) => a + b) / numbers.length;
    const deviation = Math.sqrt(numbers.reduce((a, b) => a + (b - mean) ** 2, 0) / numbers.length);
    expect(Number(await welford.compute().standardDeviation.item())).toBeCloseTo(deviation, 4);
  });

  it("test_accuracy_dims: Flax's documented values and its errors", async () => {
    const accuracy = new nnx.metrics.Accuracy();
    accuracy.update({ logits: random.normal(random.key(0), [5, 2]), labels: array([0, 1, 1, 1, 0]) });
    expect(await accuracy.compute().item()).toBeCloseTo(0.6, 6);
    accuracy.update({ logits: random.normal(random.key(1), [5, 2]), labels: array([0, 1, 1, 1, 1]) });
    expect(await accuracy.compute().item()).toBeCloseTo(0.4, 6);
    const binary = new nnx.metrics.Accuracy(0.5);
    binary.update({ logits: array([0.2, 0.7, 0.9]), labels: array([0, 1, 0]) });
    expect(await binary.compute().item()).toBeCloseTo(2 / 3, 6);
    const logits = array([[1, 2.5]]);
    expect(() => accuracy.update({ logits, labels: array([[1]]) })).toThrow(/need logits of 3/);
    expect(() => accuracy.update({ logits, labels: array([0.5]) })).toThrow(/must be int32, received float32/);
    expect(() => new nnx.metrics.Accuracy("x" as never)).toThrow(/must be a number/); // a mistake
  });

  it("test_multimetric: order, masks, and no new trace from step to step", async () => {
    const metrics = new nnx.MultiMetric({
      accuracy: new nnx.metrics.Accuracy(),
      loss: new nnx.metrics.Average("loss"),
    });
    const step = nnx.jit((m: typeof metrics, loss: ReturnType<typeof array>) => {
      m.update({
        logits: array([
          [1, 2],
          [3, 0],
        ]),
        labels: array([1, 1]),
        loss,
      });
    });
    step(metrics, array([1.5]));
    step(metrics, array([2.5]));
    const { accuracy, loss } = metrics.compute();
    expect([await accuracy.item(), await loss.item(), step.traces]).toEqual([0.5, 2, 1]);
    expect(Object.keys(metrics.compute())).toEqual(["accuracy", "loss"]);
    metrics.reset();
    metrics.update({
      logits: array([
        [1, 2],
        [3, 0],
      ]),
      labels: array([1, 1]),
      loss: array([1, 9]),
      mask: { loss: array([true, false]) },
    });
    expect([await metrics.compute().accuracy.item(), await metrics.compute().loss.item()]).toEqual([0.5, 1]);
    expect(() => new nnx.MultiMetric({ reset: new nnx.metrics.Average() })).toThrow(/name of a method/);
  });
});

describe("EMA", () => {
  it("test_ema_example: follows the model, and shares its Variables with the model it is applied to", async () => {
    const model = new nnx.Linear(1, 1, { rngs: new nnx.Rngs(0), kernelInit: nnx.initializers.ones });
    const ema = new nnx.EMA(model, 0.75, { only: nnx.Param });
    model.kernel.value = array([[5]], { dtype: "float32" });
    ema.update(model);
    const averaged = ema.applyTo(model);
    expect(await averaged.kernel.value.toArray()).toEqual([[2]]);
    ema.update(model);
    expect(await averaged.kernel.value.toArray()).toEqual([[2.75]]);
    expect(await model.kernel.value.toArray()).toEqual([[5]]);
    expect(() => ema.update(new nnx.Linear(1, 1, { rngs: new nnx.Rngs(0), useBias: false }))).toThrow(
      /missing: "bias"/,
    );
    expect(() => new nnx.EMA(new nnx.Dict({ x: array([1]) }), 0.5)).toThrow(/"x" is no Variable/);
  });
});
