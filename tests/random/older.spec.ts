import { config, random } from "@jnx/tensor";
import { useDevice } from "@jnx/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { goldenArray } from "../goldens/read.ts";
import { casesOf, ulps } from "./measure.ts";
import { CLOSE, DISCRETE, EXACT, REJECTED, type Draw } from "./samplers.ts";

const FILE = "random-older";
const WHOLE = { ...EXACT, ...DISCRETE };
const FLOATS = { ...CLOSE, ...REJECTED };

/** Units in the last place; whole numbers are equal or not. */
function distance(a: number, b: number, floats: boolean): number {
  return floats ? ulps(a, b) : a === b ? 0 : Infinity;
}

async function distanceOf(name: string, draw: Draw): Promise<number> {
  let worst = 0;
  const cases = casesOf(FILE, name);
  expect(cases.length).toBeGreaterThan(1);
  for (const { name: of, seed, shape } of cases) {
    const want = goldenArray(FILE, of).data;
    const got = await draw(random.key(seed), shape).data();
    expect([of, got.constructor, got.length]).toEqual([of, want.constructor, want.length]);
    want.forEach((x, i) => (worst = Math.max(worst, distance(got[i] ?? Number.NaN, x, got instanceof Float32Array))));
  }
  return worst;
}

describe("every sampler with jax_threefry_partitionable off has JAX's numbers", () => {
  useDevice();
  beforeAll(() => config.update("jax_threefry_partitionable", false));
  afterAll(() => config.update("jax_threefry_partitionable", true));

  test.each(Object.entries(WHOLE))("%s, bit for bit", async (name, draw) => {
    expect(await distanceOf(name, draw)).toBe(0);
  });

  test.each(Object.entries(FLOATS))("%s, within 8 ulp", async (name, draw) => {
    expect(await distanceOf(name, draw)).toBeLessThanOrEqual(8);
  });
});
