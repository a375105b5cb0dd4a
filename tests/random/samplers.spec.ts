import { useDevice } from "@jnx/testing";
import { describe, expect, test } from "vitest";
import { measure } from "./measure.ts";
import { CLOSE, EXACT } from "./samplers.ts";

describe("samplers with JAX's bits", () => {
  useDevice();

  test.each(Object.entries(EXACT))("%s", async (name, draw) => {
    const { elements, worst, where } = await measure("random-exact", name, draw);
    expect(elements).toBeGreaterThan(700);
    expect(worst, where).toBe(0);
  });
});

describe("samplers close to JAX's", () => {
  useDevice();

  test.each(Object.entries(CLOSE))("%s", async (name, draw) => {
    const { elements, equal, worst, where } = await measure("random-close", name, draw);
    expect(elements).toBeGreaterThan(700);
    const exact = /^(normal|truncatedNormal)/.test(name);
    expect(worst, where).toBeLessThanOrEqual(exact ? 2 : 8);
    if (exact) expect(equal / elements).toBeGreaterThan(0.99);
  });
});
