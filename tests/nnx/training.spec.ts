import { counters, mean, ones, random, square, sub, type Tensor } from "@jnx/tensor";
import * as nnx from "@jnx/nnx";
import * as optax from "@jnx/optax";
import { useDevice } from "@jnx/testing";
import { describe, expect, it } from "vitest";
import { goldenArray, readGoldens } from "../goldens/read.ts";

useDevice();

class Mlp extends nnx.Module {
  readonly first: nnx.Linear;
  readonly dropout: nnx.Dropout;
  readonly second: nnx.Linear;
  readonly third: nnx.Linear;

  constructor({ rngs }: nnx.RngsOptions) {
    super();
    this.first = new nnx.Linear(20, 32, { rngs });
    this.dropout = new nnx.Dropout(0.25, { rngs });
    this.second = new nnx.Linear(32, 16, { rngs });
    this.third = new nnx.Linear(16, 5, { rngs });
  }

  call(x: Tensor): Tensor {
    const hidden = this.dropout.call(nnx.relu(this.first.call(x)));
    return this.third.call(nnx.gelu(this.second.call(hidden)));
  }
}

function batch(step: number): [Tensor, Tensor] {
  const x = random.normal(random.foldIn(random.key(100), step), [16, 20]);
  return [x, random.randint(random.foldIn(random.key(200), step), [16], 0, 5)];
}

function trainStep(model: Mlp, optimizer: nnx.Optimizer<Mlp>, x: Tensor, labels: Tensor): Tensor {
  const lossFn = (m: Mlp): Tensor => mean(optax.softmaxCrossEntropyWithIntegerLabels(m.call(x), labels));
  const [loss, grads] = nnx.valueAndGrad(lossFn)(model);
  optimizer.update(model, grads);
  return loss;
}

async function expectParams(state: nnx.State, part: string, tolerance: number): Promise<void> {
  const leaves = nnx.toFlatState(state);
  expect(leaves.map(([path]) => path.join("."))).toEqual(Object.keys(readGoldens("nnx-training")[part] ?? {}).sort());
  for (const [path, leaf] of leaves) {
    const expected = goldenArray("nnx-training", part, path.join(".")).data;
    const found = await (leaf instanceof nnx.Variable ? leaf.toTensor() : leaf).data();
    const worst = Math.max(...found.map((value, k) => Math.abs(value - (expected[k] ?? Number.NaN))));
    expect(worst, `${part} ${path.join(".")}`).toBeLessThan(tolerance);
  }
}

describe("a training run follows Flax's step by step", () => {
  it("initial parameters, first gradients", async () => {
    const model = new Mlp({ rngs: new nnx.Rngs(7) });
    await expectParams(nnx.state(model, nnx.Param), "initial", 1e-6);
    const [x, labels] = batch(0);
    const grads = nnx.grad((m: Mlp) => mean(optax.softmaxCrossEntropyWithIntegerLabels(m.call(x), labels)))(model);
    await expectParams(grads, "first gradients", 1e-6);
  });

  for (const [name, wrap] of [
    ["eager", (f: typeof trainStep) => f],
    ["compiled", (f: typeof trainStep) => nnx.jit(f)],
  ] as const) {
    it(`twenty steps of Adam with dropout, ${name}`, async () => {
      const model = new Mlp({ rngs: new nnx.Rngs(7) });
      const optimizer = new nnx.Optimizer(model, optax.adam(3e-3), { wrt: nnx.Param });
      const step = wrap(trainStep);
      const losses: number[] = [];
      for (let k = 0; k < 20; k++) losses.push(await step(model, optimizer, ...batch(k)).item());
      const expected = goldenArray("nnx-training", "losses").data;
      losses.forEach((loss, k) => expect(loss).toBeCloseTo(expected[k] ?? Number.NaN, 4));
      await expectParams(nnx.state(model, nnx.Param), "final", 1e-4);
      model.eval();
      const evaluated = await model.call(random.normal(random.key(300), [8, 20])).data();
      const wanted = goldenArray("nnx-training", "evaluated").data;
      evaluated.forEach((value, k) => expect(value).toBeCloseTo(wanted[k] ?? Number.NaN, 3));
      expect(await optimizer.step.value.item()).toBe(20);
    });
  }

  it("one step of adamw on a Linear: Flax's losses before and after", async () => {
    const model = new nnx.Linear(2, 3, { rngs: new nnx.Rngs(0) });
    const optimizer = new nnx.Optimizer(model, optax.adamw(1e-3), { wrt: nnx.Param });
    const lossFn = (m: nnx.Linear): Tensor => mean(square(sub(m.call(ones([10, 2])), 1)));
    const [before, grads] = nnx.valueAndGrad(lossFn)(model);
    optimizer.update(model, grads);
    expect(await before.item()).toBeCloseTo(goldenArray("nnx-layers", "Linear adamw", 0).data[0] ?? 0, 5);
    expect(await lossFn(model).item()).toBeCloseTo(goldenArray("nnx-layers", "Linear adamw", 1).data[0] ?? 0, 5);
  });
});

describe("Optimizer", () => {
  const make = (): [nnx.Linear, nnx.Optimizer<nnx.Linear>] => {
    const model = new nnx.Linear(2, 3, { rngs: new nnx.Rngs(0) });
    return [model, new nnx.Optimizer(model, optax.adam(1e-3), { wrt: nnx.Param })];
  };
  const gradsOf = (model: nnx.Linear): nnx.StateOf<nnx.Linear> =>
    nnx.grad((m: nnx.Linear) => mean(m.call(ones([4, 2]))))(model);

  it("state paths and types are Flax's", () => {
    const [, optimizer] = make();
    const found = nnx.toFlatState(nnx.state(optimizer)).map(([path, leaf]) => [path.join("."), leaf.constructor.name]);
    expect(found).toEqual([
      ["optState.0.count", "OptArray"],
      ["optState.0.mu.bias", "OptVariable"],
      ["optState.0.mu.kernel", "OptVariable"],
      ["optState.0.nu.bias", "OptVariable"],
      ["optState.0.nu.kernel", "OptVariable"],
      ["step", "OptState"],
    ]);
  });

  it("returns the updates", async () => {
    const [model, optimizer] = make();
    const updates = optimizer.update(model, gradsOf(model));
    expect(await updates.bias.value.toArray()).toEqual([-0.001, -0.001, -0.001].map((x) => expect.closeTo(x, 7)));
  });

  it("gradients can be read after update, and until the next", async () => {
    const [model, optimizer] = make();
    const grads = gradsOf(model);
    optimizer.update(model, grads);
    expect(await optax.globalNorm(grads).item()).toBeGreaterThan(0);
    const [second, third] = [gradsOf(model), gradsOf(model)];
    const kept = second.kernel.value;
    optimizer.update(model, second);
    optimizer.update(model, third);
    optimizer.update(model, gradsOf(model));
    expect((await kept.data()).length).toBe(6); // taken out: nobody frees it
    await expect(third.kernel.value.data()).rejects.toThrow(/optimizer.update frees gradients/);
  });

  it("missing arguments and gradients say what to do", () => {
    const [model, optimizer] = make();
    // @ts-expect-error wrt is required
    expect(() => new nnx.Optimizer(model, optax.sgd(0.1))).toThrow(/wrt is missing/);
    // @ts-expect-error gradients are required
    expect(() => optimizer.update(gradsOf(model))).toThrow(/gradients are missing/);
    expect(() => optimizer.update(model, nnx.filterState(gradsOf(model), nnx.PathContains("bias")))).toThrow(
      /no gradient for "kernel"/,
    );
  });

  it("ModelAndOptimizer keeps its model", async () => {
    const model = new nnx.Linear(2, 3, { rngs: new nnx.Rngs(0) });
    const both = new nnx.ModelAndOptimizer(model, optax.sgd(1));
    both.update(gradsOf(model));
    expect(await both.optimizer.step.value.item()).toBe(1);
  });
});

describe("dispatches", () => {
  it("a compiled step is one submission and makes no pipeline after the first", async () => {
    const step = nnx.jit(trainStep);
    const model = new Mlp({ rngs: new nnx.Rngs(0) });
    const optimizer = new nnx.Optimizer(model, optax.adam(1e-3), { wrt: nnx.Param });
    await step(model, optimizer, ...batch(0)).item();
    const [x, labels] = batch(1);
    await Promise.all([x.data(), labels.data()]);
    const before = counters();
    await step(model, optimizer, x, labels).item();
    const after = counters();
    expect(after.pipelines).toBe(before.pipelines);
    expect(step.traces).toBe(1);
    expect(after.dispatches - before.dispatches).toBeLessThanOrEqual(24);
    expect(step.explain(model, optimizer, x, labels).dispatches).toBe(after.dispatches - before.dispatches);
  });
});
