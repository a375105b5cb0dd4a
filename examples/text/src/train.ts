import { jnp, nnx, optax, random, type Tensor } from "jnx";
import { windows } from "./corpus.ts";
import type { CharTransformer } from "./model.ts";

export interface TrainOptions {
  readonly steps: number;
  readonly batch: number;
  readonly lr: number;
  readonly seed: number;
  /** What learns: every Param, or nnx.LoRAParam for a model with LoRA. */
  readonly wrt?: typeof nnx.Param;
  /** Told every tenth of the way. */
  readonly report?: (step: number, loss: number) => void;
}

const lossFn = (model: CharTransformer, x: Tensor, y: Tensor): Tensor =>
  jnp.mean(optax.softmaxCrossEntropyWithIntegerLabels(model.call(x), y));

/** Trains in place with Adam on windows drawn from the text; gives the mean loss of the first and the last tenth. */
export async function train(
  model: CharTransformer,
  codes: Int32Array,
  { steps, batch, lr, seed, wrt = nnx.Param, report }: TrainOptions,
): Promise<{ readonly first: number; readonly last: number }> {
  const { length } = model.size;
  if (codes.length <= length)
    throw new Error(`train: the text has ${codes.length} characters, expected over ${length}`);
  const optimizer = new nnx.Optimizer(model, optax.adam(lr), { wrt });
  const step = nnx.jit((net: CharTransformer, opt: nnx.Optimizer<CharTransformer>, x: Tensor, y: Tensor) => {
    const [loss, grads] = nnx.valueAndGrad(lossFn, { argnums: new nnx.DiffState(0, wrt) })(net, x, y);
    opt.update(net, grads);
    return loss;
  });
  const starts = await random.randint(random.key(seed), [steps, batch], 0, codes.length - length).data();
  const tenth = Math.max(1, Math.floor(steps / 10));
  const means: number[] = [];
  let sum = jnp.array(0, { dtype: "float32" });
  for (let done = 0; done < steps; done++) {
    const { x, y } = windows(codes, starts.subarray(done * batch, (done + 1) * batch), length);
    sum = sum.add(step(model, optimizer, x, y));
    if ((done + 1) % tenth !== 0) continue;
    const loss = (await sum.item()) / tenth;
    if (!Number.isFinite(loss)) throw new Error(`train: the loss became ${loss} at step ${done}; take a smaller lr`);
    means.push(loss);
    report?.(done + 1, loss);
    sum = jnp.array(0, { dtype: "float32" });
  }
  return { first: means[0] ?? Number.NaN, last: means.at(-1) ?? Number.NaN };
}
