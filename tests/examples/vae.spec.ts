/** The autoencoder and the convolutional network of the MNIST example at reduced size. */
import { jnp, nnx, optax } from "jnx";
import { firstOf, labelsOf, loadMnist, pixels, pixelsOf } from "@jnx/example-mnist/data.ts";
import { CNN } from "@jnx/example-mnist/model.ts";
import { drawImages } from "@jnx/example-mnist/report.ts";
import { dream, trainVae, VAE } from "@jnx/example-mnist/vae.ts";
import { vaeCommand, parseArguments } from "@jnx/example-mnist/cli.ts";
import { useDevice } from "@jnx/testing";
import { describe, expect, it } from "vitest";

useDevice();

describe("vae", () => {
  it("learns digits and draws new ones", async () => {
    const digits = firstOf(loadMnist().train, 64);
    const model = new VAE({ hidden: 32, latents: 4, rngs: new nnx.Rngs(0) });
    const { first, last } = await trainVae(model, digits, { steps: 40, batch: 32, lr: 5e-3, seed: 0 });
    expect(first).toBeGreaterThan(450); // 784 pixels at ln 2 nats each
    expect(last).toBeLessThan(300);
    const images = await dream(model, 2, 0);
    expect([images.length, new Set(images).size > 20]).toEqual([2 * pixels, true]);
    expect(drawImages([images.subarray(0, pixels), images.subarray(pixels)], false).split("\n")).toHaveLength(8);
  });

  it("understands its options", () => {
    expect(parseArguments(["--steps", "5", "--lr", "0.01"], vaeCommand())).toMatchObject({
      steps: 5,
      lr: 0.01,
      seed: 0,
    });
  });
});

describe("cnn", () => {
  it("learns digits", async () => {
    const digits = firstOf(loadMnist().train, 6);
    const model = new CNN({ rngs: new nnx.Rngs(0) });
    const optimizer = new nnx.Optimizer(model, optax.adam(5e-3), { wrt: nnx.Param });
    const rows = Array.from({ length: 6 }, (_, k) => k);
    const [x, y] = [jnp.array(pixelsOf(digits, rows)).reshape([6, pixels]), jnp.array(labelsOf(digits, rows))];
    const step = nnx.jit((net: CNN, opt: nnx.Optimizer<CNN>) => {
      const [loss, grads] = nnx.valueAndGrad((one: CNN) =>
        jnp.mean(optax.softmaxCrossEntropyWithIntegerLabels(one.call(x), y)),
      )(net);
      opt.update(net, grads);
      return loss;
    });
    const first = await step(model, optimizer).item();
    for (let k = 0; k < 8; k++) step(model, optimizer);
    expect(await step(model, optimizer).item()).toBeLessThan(0.5 * first);
  });
});
