// pnpm demo: trains a network on all of MNIST, shows what it learnt, saves it, and asks a fresh model that loads the file.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { counters, init, nnx } from "jnx";
import { parseArguments } from "./cli.ts";
import { firstOf, imageOf, loadMnist } from "./data.ts";
import { makeFolder, writeWhole } from "./files.ts";
import { CNN, MLP } from "./model.ts";
import { confusion, confusionTable, drawDigits, lossCurve } from "./report.ts";
import { classify, train } from "./train.ts";

async function main(): Promise<void> {
  const { adapter, out, seed, model: kind, ...options } = parseArguments(process.argv.slice(2));
  const colour = process.stdout.isTTY && process.env["NO_COLOR"] === undefined;
  const weights = join(out, "model.safetensors");
  makeFolder(out);
  const data = loadMnist(options.data);
  const device = await init(adapter === undefined ? {} : { device: adapter });
  console.log(
    `${data.train.count} training and ${data.test.count} test images, on ${device.kind === "wasm" ? device.description : device.adapter}`,
  );

  const Model = kind === "cnn" ? CNN : MLP;
  const model = new Model({ rngs: new nnx.Rngs(seed) });
  const { points, ...figures } = await train(model, data.train, { seed, ...options });
  const seen = await classify(model, data.test);
  const testAccuracy = seen.filter((digit, i) => digit === data.test.labels[i]).length / data.test.count;
  console.log(`test accuracy ${(100 * testAccuracy).toFixed(2)}% after ${figures.trainSeconds.toFixed(1)} s\n`);
  console.log(confusionTable(confusion(data.test.labels, seen), colour));

  writeWhole(weights, await nnx.saveSafetensors(nnx.state(model, nnx.Param)));
  writeWhole(join(out, "loss.svg"), await lossCurve(points, `MNIST in batches of ${options.batch}`));
  const metrics = { adapter: device.adapter, testAccuracy, ...figures, pipelines: counters().pipelines };
  writeWhole(join(out, "metrics.json"), `${JSON.stringify(metrics, undefined, 2)}\n`);

  const fresh = new Model({ rngs: new nnx.Rngs(seed + 1) });
  nnx.update(fresh, nnx.loadSafetensors(readFileSync(weights)));
  const ten = firstOf(data.test, 10);
  const predicted = await classify(fresh, ten, 10);
  console.log(`\nA fresh model with the weights in ${weights} looks at ten test digits:\n`);
  console.log(
    drawDigits(
      [...predicted].map((digit, i) => ({ ...imageOf(ten, i), predicted: digit })),
      colour,
    ),
  );
  console.log(`In ${out}: model.safetensors, loss.svg, metrics.json`);
}

try {
  await main();
} catch (error) {
  const detail = process.env["DEBUG"] === undefined ? "message" : "stack";
  console.error(error instanceof Error ? error[detail] : error);
  process.exitCode = 1;
}
