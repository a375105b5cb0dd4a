// pnpm demo:text: learns this repository's pages, writes, learns capitals with LoRA, writes again.
import { parseArgs } from "node:util";
import { init, nnx } from "jnx";
import { corpus, encode } from "./corpus.ts";
import { attachLora, CharTransformer } from "./model.ts";
import { sample } from "./sample.ts";
import { train } from "./train.ts";

const { values } = parseArgs({
  options: {
    steps: { type: "string", default: "400" },
    tune: { type: "string", default: "100" },
    length: { type: "string", default: "64" },
    seed: { type: "string", default: "0" },
    adapter: { type: "string" },
  },
});

function whole(name: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new Error(`--${name}: expected a whole number, received ${text}`);
}

const bar =
  (label: string, steps: number) =>
  (done: number, loss: number): void => {
    const full = Math.round((24 * done) / steps);
    console.log(`${label} ${"█".repeat(full)}${"░".repeat(24 - full)} ${done}/${steps} | loss ${loss.toFixed(3)}`);
  };

async function main(): Promise<void> {
  const [steps, tune] = [whole("steps", values.steps), whole("tune", values.tune)];
  const [length, seed] = [whole("length", values.length), whole("seed", values.seed)];
  const device = await init(values.adapter === undefined ? {} : { device: values.adapter as "wasm" }); // init checks it
  console.log(`on ${device.adapter}`);
  const text = corpus();
  const rngs = new nnx.Rngs(seed);
  const model = new CharTransformer({ features: 64, heads: 4, layers: 2, length }, { rngs });
  const options = { batch: 16, seed };
  await train(model, encode(text), { ...options, steps, lr: 2e-3, report: bar("learn", steps) });
  const prompt = "A tensor ";
  console.log(`\n${await sample(model, { prompt, length, seed })}\n`);
  attachLora(model, 4, { rngs });
  const capitals = encode(text.toUpperCase());
  await train(model, capitals, { ...options, steps: tune, lr: 1e-2, wrt: nnx.LoRAParam, report: bar("tune ", tune) });
  console.log(`\n${await sample(model, { prompt: prompt.toUpperCase(), length, seed })}`);
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
