import { jnp, nnx, random, type Tensor } from "jnx";
import { decode, encode } from "./corpus.ts";
import type { CharTransformer } from "./model.ts";

export interface SampleOptions {
  readonly prompt: string;
  /** How many characters in all, the prompt included; at most what the model has positions for. */
  readonly length: number;
  readonly seed: number;
  /** Under 1 sharpens the choice; 0 always takes the likeliest. */
  readonly temperature?: number;
}

const next = nnx.jit((model: CharTransformer, character: Tensor, position: Tensor, key: Tensor, heat: Tensor) => {
  const logits = model.call(character, position).reshape([-1]);
  const noise = random.gumbel(key, logits.shape);
  return jnp.argmax(logits.add(noise.mul(heat))).reshape([1, 1]);
});

/** Writes on from a prompt, one character a call: attention reads the keys and values of all before from its cache. */
export async function sample(
  model: CharTransformer,
  { prompt, length, seed, temperature = 0.8 }: SampleOptions,
): Promise<string> {
  const given = encode(prompt);
  if (given.length === 0 || length > model.size.length)
    throw new Error(
      `sample: needs a prompt and at most ${model.size.length} characters, received ${given.length} and ${length}`,
    );
  const writer = nnx.clone(model); // its caches are its own
  writer.startDecoding(1);
  const heat = jnp.array(temperature, { dtype: "float32" });
  const written: Tensor[] = [];
  let character = jnp.array([[given[0] ?? 0]], { dtype: "int32" });
  for (let position = 0; position < length; position++) {
    const known = given[position];
    if (known !== undefined) character = jnp.array([[known]], { dtype: "int32" });
    written.push(character);
    const key = random.foldIn(random.key(seed), position);
    character = next(writer, character, jnp.array(position, { dtype: "int32" }), key, heat);
  }
  return decode(await jnp.concatenate(written, { axis: 1 }).data());
}
