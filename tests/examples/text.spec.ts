/** The text example at reduced size: it learns, writes through its cache, and is tuned by its LoRA alone. */
import { jnp, nnx, type Tensor } from "jnx";
import { useDevice } from "@jnx/testing";
import { beforeAll, describe, expect, it } from "vitest";
import { corpus, decode, encode, vocabulary } from "../../examples/text/src/corpus.ts";
import { attachLora, CharTransformer } from "../../examples/text/src/model.ts";
import { sample } from "../../examples/text/src/sample.ts";
import { train } from "../../examples/text/src/train.ts";

useDevice();

const size = { features: 16, heads: 2, layers: 1, length: 12 };
const text = "the quick brown fox jumps over the lazy dog. ".repeat(4);
const options = { batch: 8, lr: 1e-2, seed: 0 };

describe("text", () => {
  let model: CharTransformer;
  let curve: { first: number; last: number };
  beforeAll(async () => {
    model = new CharTransformer(size, { rngs: new nnx.Rngs(0) });
    curve = await train(model, encode(text), { ...options, steps: 60 });
  });

  it("reads the repository's pages as characters", () => {
    const pages = corpus();
    expect(pages.length).toBeGreaterThan(10_000);
    const codes = encode(pages.slice(0, 500));
    expect([Math.min(...codes) >= 0, Math.max(...codes) < vocabulary]).toEqual([true, true]);
    expect(decode(encode("A tensor, 1\n"))).toBe("A tensor, 1\n");
  });

  it("learns", () => {
    expect(curve.first).toBeGreaterThan(2.5);
    expect(curve.last).toBeLessThan(0.8 * curve.first);
  });

  it("writes what it would say of the whole text, one character a call", async () => {
    const written = await sample(model, { prompt: "the q", length: 12, seed: 0, temperature: 0 });
    expect(written).toHaveLength(12);
    expect(written.startsWith("the q")).toBe(true);
    const seen = jnp.array([[...encode(written)]], { dtype: "int32" });
    const likeliest: Tensor = jnp.argmax(model.call(seen), { axis: -1 });
    const next = decode(await likeliest.reshape([-1]).data());
    expect(next.slice(4, 11)).toBe(written.slice(5));
    await expect(sample(model, { prompt: "", length: 4, seed: 0 })).rejects.toThrow(/needs a prompt/);
    expect(model.blocks.at(0).attention.cachedKey).toBeNull();
  });

  it("a LoRA learns capitals, and nothing else changes", async () => {
    const capitals = encode(text.toUpperCase());
    attachLora(model, 2, { rngs: new nnx.Rngs(1) });
    const kept = nnx.state(model, nnx.All(nnx.Param, nnx.Not(nnx.LoRAParam)));
    const before = await Promise.all(
      nnx.toFlatState(nnx.asPure(nnx.clone(kept))).map(([, leaf]) => jnp.sum(leaf).item()),
    );
    const tuned = await train(model, capitals, { ...options, steps: 40, lr: 3e-2, wrt: nnx.LoRAParam });
    expect(tuned.last).toBeLessThan(0.9 * tuned.first);
    const after = await Promise.all(nnx.toFlatState(kept).map(([, leaf]) => jnp.sum(leaf).item()));
    expect(after).toEqual(before);
    await expect(train(model, encode("short"), { ...options, steps: 1 })).rejects.toThrow(/has 5 characters/);
  });
});
