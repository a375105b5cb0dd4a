// pnpm demo:vae: a variational autoencoder learns MNIST's digits, then draws ten that nobody wrote.
import { init, nnx } from "jnx";
import { parseArguments, vaeCommand, type VaeProgramOptions } from "./cli.ts";
import { loadMnist, pixels } from "./data.ts";
import { drawImages } from "./report.ts";
import { dream, trainVae, VAE } from "./vae.ts";

async function main(): Promise<void> {
  const { adapter, data, steps, ...options } = parseArguments<VaeProgramOptions>(process.argv.slice(2), vaeCommand());
  const { train } = loadMnist(data);
  await init(adapter === undefined ? {} : { device: adapter });
  const model = new VAE({ rngs: new nnx.Rngs(options.seed) });
  const { last } = await trainVae(model, train, { steps, ...options });
  console.log(`${last.toFixed(1)} nats an image\n`);
  const images = await dream(model, 10, options.seed);
  const colour = process.stdout.isTTY && process.env["NO_COLOR"] === undefined;
  console.log(
    drawImages(
      Array.from({ length: 10 }, (_, k) => images.subarray(k * pixels, (k + 1) * pixels)),
      colour,
    ),
  );
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
