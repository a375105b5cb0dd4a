import { useDevice } from "@jnx/testing";
import { describe, expect, test } from "vitest";
import { measure } from "./measure.ts";
import { CLOSE, DISCRETE, EXACT, REJECTED, VECTORS } from "./samplers.ts";

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

describe("orders and choices equal JAX's", () => {
  useDevice();

  test.each(Object.entries(DISCRETE))("%s", async (name, draw) => {
    const { elements, worst, where } = await measure("random-discrete", name, draw);
    expect(elements).toBeGreaterThan(10);
    expect(worst, where).toBe(0);
  });
});

describe("samplers with rejection", () => {
  useDevice();

  test.each(Object.entries(REJECTED))("%s", async (name, draw) => {
    const { elements, near, where } = await measure("random-rejected", name, draw);
    expect(elements).toBeGreaterThan(300);
    expect(near / elements, where).toBeGreaterThan(0.99);
  });
});

describe("samplers with linear algebra", () => {
  useDevice();

  test.each(Object.entries(VECTORS))("%s", async (name, draw) => {
    const { elements, apart, where } = await measure("random-vectors", name, draw);
    expect(elements).toBeGreaterThan(20);
    expect(apart, where).toBeLessThan(1e-5);
  });
});
