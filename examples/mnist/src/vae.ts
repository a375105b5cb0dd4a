import { jnp, nnx, optax, random, type Tensor } from "jnx";
import { pixels, type Split } from "./data.ts";
import { Progress } from "./progress.ts";

/** Draws codes of images and images of codes: [batch, 784] → [batch, latents] and back. */
export class VAE extends nnx.Module {
  readonly encoder: nnx.Sequential;
  readonly mean: nnx.Linear;
  readonly logVariance: nnx.Linear;
  readonly decoder: nnx.Sequential;
  readonly rngs: nnx.Rngs;

  constructor({
    hidden = 256,
    latents = 8,
    rngs,
  }: nnx.RngsOptions & { readonly hidden?: number; readonly latents?: number }) {
    super();
    this.encoder = new nnx.Sequential(new nnx.Linear(pixels, hidden, { rngs }), nnx.relu);
    this.mean = new nnx.Linear(hidden, latents, { rngs });
    this.logVariance = new nnx.Linear(hidden, latents, { rngs });
    this.decoder = new nnx.Sequential(
      new nnx.Linear(latents, hidden, { rngs }),
      nnx.relu,
      new nnx.Linear(hidden, pixels, { rngs }),
    );
    this.rngs = rngs.fork();
  }

  /** x: [batch, 784] → logits of the pixels, and how far the code's distribution is from the normal one, [batch] */
  call(x: Tensor): { readonly logits: Tensor; readonly divergence: Tensor } {
    const y = this.encoder.call(x);
    const [mean, logVariance] = [this.mean.call(y), this.logVariance.call(y)];
    const code = mean.add(jnp.exp(logVariance.mul(0.5)).mul(this.rngs.normal(mean.shape)));
    const terms = jnp.exp(logVariance).add(jnp.square(mean)).sub(1).sub(logVariance);
    return { logits: this.decoder.call(code), divergence: jnp.sum(terms, { axis: 1 }).mul(0.5) };
  }

  /** codes: [batch, latents] → images: [batch, 784], from 0 to 1 */
  draw(codes: Tensor): Tensor {
    return nnx.sigmoid(this.decoder.call(codes));
  }
}

/** The negative evidence lower bound of a batch, in nats an image. */
export function vaeLoss(model: VAE, x: Tensor): Tensor {
  const { logits, divergence } = model.call(x);
  const likelihood = jnp.sum(optax.sigmoidBinaryCrossEntropy(logits, x), { axis: 1 });
  return jnp.mean(likelihood.add(divergence));
}

const step = nnx.jit((model: VAE, optimizer: nnx.Optimizer<VAE>, x: Tensor) => {
  const [loss, grads] = nnx.valueAndGrad(vaeLoss)(model, x);
  optimizer.update(model, grads);
  return loss;
});

export interface VaeOptions {
  readonly steps: number;
  readonly batch: number;
  readonly lr: number;
  readonly seed: number;
}

/** Trains in place on batches drawn from the images; gives the first and the last loss that was read. */
export async function trainVae(
  model: VAE,
  data: Split,
  { steps, batch, lr, seed }: VaeOptions,
): Promise<{ readonly first: number; readonly last: number }> {
  const optimizer = new nnx.Optimizer(model, optax.adam(lr), { wrt: nnx.Param });
  const rows = await random.randint(random.key(seed), [steps, batch], 0, data.count).data();
  const progress = new Progress("vae", steps, batch);
  const losses: number[] = [];
  for (let done = 0; done < steps; done++) {
    const x = jnp.array(brightness(data, rows.subarray(done * batch, (done + 1) * batch))).reshape([batch, pixels]);
    const loss = step(model, optimizer, x);
    if (done % 10 !== 0 && done !== steps - 1) continue;
    losses.push(await loss.item());
    progress.update(done + 1, { loss: losses.at(-1) ?? Number.NaN });
  }
  progress.stop();
  return { first: losses[0] ?? Number.NaN, last: losses.at(-1) ?? Number.NaN };
}

/** Images that nobody wrote, [count, 784] bytes, of codes drawn from the normal distribution. */
export async function dream(model: VAE, count: number, seed: number): Promise<Uint8Array> {
  const codes = random.normal(random.key(seed), [count, model.mean.outFeatures]);
  return Uint8Array.from(await model.draw(codes).data(), (value) => Math.round(255 * value));
}

/** Rows of a split from 0 to 1, [rows.length, 784]. */
function brightness({ images }: Split, rows: ArrayLike<number>): Float32Array<ArrayBuffer> {
  const batch = new Float32Array(rows.length * pixels);
  for (let i = 0; i < rows.length; i++) {
    const from = (rows[i] ?? 0) * pixels;
    for (let j = 0; j < pixels; j++) batch[i * pixels + j] = (images[from + j] ?? 0) / 255;
  }
  return batch;
}
