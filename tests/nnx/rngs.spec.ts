import { random, type Tensor } from "@jnx/tensor";
import { counters } from "@jnx/tensor";
import * as nnx from "@jnx/nnx";
import { useDevice } from "@jnx/testing";
import { describe, expect, it } from "vitest";
import { readGoldens, goldenArray } from "../goldens/read.ts";

useDevice();

async function words(key: Tensor): Promise<number[]> {
  return Array.from(await random.keyData(key).data());
}

describe("Rngs", () => {
  it("Rngs(0) draws Flax's keys", async () => {
    const rngs = new nnx.Rngs(0);
    const expected = Array.from(goldenArray("nnx-layers", "Rngs(0) draws").data);
    const found = [];
    for (let k = 0; k < 4; k++) found.push(...(await words(rngs.call())));
    expect(found).toEqual(expected);
  });

  it("test_fallback: named streams are separate, unknown names use the default", async () => {
    const rngs = new nnx.Rngs(0, { params: 1 });
    const drawn = [rngs.params(), rngs.params(), rngs.dropout(), rngs.stream("noise")(), rngs.params()];
    const name = "Rngs(0, params=1) params draws";
    expect(readGoldens("nnx-layers")[name]).toHaveLength(drawn.length);
    for (const [k, key] of drawn.entries())
      expect(await words(key)).toEqual(Array.from(goldenArray("nnx-layers", name, k).data));
  });

  it("there is no mixing of names into the seed", async () => {
    const rngs = new nnx.Rngs({ params: 0, dropout: 0 });
    expect(await words(rngs.params())).toEqual(await words(rngs.dropout()));
  });

  it("test_fallback_error_no_default: a missing stream without a default names those there are", () => {
    const rngs = new nnx.Rngs({ params: 0 });
    expect(() => rngs.dropout()).toThrow(/no stream "dropout" and no default; there is params/);
    expect(() => rngs.call()).toThrow(/"default"/);
  });

  it("is no promise, and prints", async () => {
    const rngs = new nnx.Rngs(0);
    expect(await Promise.resolve(rngs)).toBe(rngs);
    expect(String(rngs)).toContain("default: RngStream");
  });

  it("a stream given as a seed lends its key only", async () => {
    const first = new nnx.Rngs(3);
    first.call();
    const second = new nnx.Rngs({ params: first.stream("default") });
    expect(await words(second.params())).toEqual(await words(random.foldIn(random.key(3), 0)));
  });

  it("fork starts at the next key and leaves the rest", async () => {
    const rngs = new nnx.Rngs(0);
    const forked = rngs.fork();
    const base = random.foldIn(random.key(0), 0);
    expect(await words(forked.call())).toEqual(await words(random.foldIn(base, 0)));
    expect(await words(rngs.call())).toEqual(await words(random.foldIn(random.key(0), 1)));
  });

  it("keys and counts live on the host outside of traces: drawing costs no dispatch", () => {
    const rngs = new nnx.Rngs(0);
    const before = counters().dispatches;
    for (let k = 0; k < 10; k++) rngs.params();
    expect(counters().dispatches).toBe(before);
  });

  it("survives split, merge and clone", async () => {
    const rngs = new nnx.Rngs({ params: 0 });
    rngs.params();
    const copy = nnx.clone(rngs);
    expect(copy.params).toBeInstanceOf(nnx.RngStream);
    expect(await words(copy.params())).toEqual(await words(rngs.params()));
    expect(await copy.params.count.value.item()).toBe(2);
  });

  it("refuses what is no seed", () => {
    // @ts-expect-error a string is no seed
    expect(() => new nnx.Rngs({ params: "a" })).toThrow(/stream "params" needs a seed or a key/);
  });
});
