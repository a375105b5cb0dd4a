import { counters, jnp, nnx, optax, random, type Tensor } from "jnx";
import { labelsOf, pixels, pixelsOf, type Split } from "./data.ts";
import type { Classifier } from "./model.ts";
import { Progress } from "./progress.ts";
import type { LossPoint } from "./report.ts";

export interface TrainOptions {
  readonly epochs: number;
  readonly batch: number;
  readonly lr: number;
  readonly seed: number;
}

export interface Training {
  readonly points: readonly LossPoint[];
  readonly finalLoss: number;
  readonly trainSeconds: number;
  readonly stepsPerSecond: number;
  readonly dispatchesPerStep: number;
}

// One function, captured once: forward, backward and the optimizer become one submission to the device.
const trainStep = nnx.jit((model: Classifier, optimizer: nnx.Optimizer<Classifier>, x: Tensor, y: Tensor) => {
  const lossFn = (model: Classifier): [Tensor, Tensor] => {
    const logits = model.call(x);
    return [jnp.mean(optax.softmaxCrossEntropyWithIntegerLabels(logits, y)), logits];
  };
  const [[loss, logits], grads] = nnx.valueAndGrad(lossFn, { hasAux: true })(model);
  optimizer.update(model, grads);
  const accuracy = jnp.mean(jnp.equal(jnp.argmax(logits, { axis: -1 }), y));
  return { loss, accuracy };
});

const predict = nnx.jit((model: Classifier, x: Tensor) => jnp.argmax(model.call(x), { axis: -1 }));

/** Trains in place with Adam, whose learning rate falls to zero. Reads loss and accuracy every tenth step. */
export async function train(
  model: Classifier,
  data: Split,
  { epochs, batch, lr, seed }: TrainOptions,
): Promise<Training> {
  const steps = Math.floor(data.count / batch); // the rest, less than one batch, is left out: another in each epoch
  if (steps === 0)
    throw new Error(
      `--batch: larger than the data, received ${batch}, expected at most ${data.count}; pass a smaller one`,
    );
  const schedule = optax.linearSchedule(lr, 0, epochs * steps);
  const optimizer = new nnx.Optimizer(model, optax.adam(schedule, { b2: 0.98 }), { wrt: nnx.Param });
  const key = random.key(seed);
  const points: LossPoint[] = [];
  let dispatchesPerStep = 0;
  const started = performance.now();
  model.train();
  for (let epoch = 0; epoch < epochs; epoch++) {
    const order = await random.permutation(random.foldIn(key, epoch), data.count).data();
    const progress = new Progress(`epoch ${epoch + 1}/${epochs}`, steps, batch);
    for (let step = 0; step < steps; step++) {
      const rows = order.subarray(step * batch, (step + 1) * batch);
      const [x, y] = [jnp.array(pixelsOf(data, rows)).reshape([batch, pixels]), jnp.array(labelsOf(data, rows))];
      const before = counters().dispatches;
      const { loss, accuracy } = trainStep(model, optimizer, x, y);
      dispatchesPerStep = counters().dispatches - before;
      if (step % 10 === 0 || step === steps - 1) {
        const reading = { loss: await loss.item(), accuracy: await accuracy.item() };
        if (!Number.isFinite(reading.loss))
          throw new Error(`training: the loss became ${reading.loss} at step ${step}; pass a smaller --lr`);
        points.push({ step: epoch * steps + step, loss: reading.loss });
        progress.update(step + 1, reading);
      }
    }
    progress.stop();
  }
  const trainSeconds = (performance.now() - started) / 1000;
  const finalLoss = points.at(-1)?.loss ?? Number.NaN;
  return {
    points,
    finalLoss,
    trainSeconds,
    stepsPerSecond: (epochs * steps) / trainSeconds,
    dispatchesPerStep,
  };
}

/** The digits a model sees in all images of a split. The last batch is padded, so that every call has the same shape. */
export async function classify(model: Classifier, data: Split, batch = 1000): Promise<Int32Array> {
  model.eval();
  const digits = new Int32Array(data.count);
  for (let from = 0; from < data.count; from += batch) {
    const rows = Int32Array.from({ length: batch }, (_, i) => from + i);
    const seen = await predict(model, jnp.array(pixelsOf(data, rows)).reshape([batch, pixels])).data();
    digits.set(seen.subarray(0, Math.min(batch, data.count - from)), from);
  }
  return digits;
}
