import { array, random, randomGammaGrad, type Tensor } from "@jnx/tensor";
import { useDevice } from "@jnx/testing";
import { jax } from "jnx";
import { describe, expect, test } from "vitest";
import { goldenArray, readGoldens } from "../goldens/read.ts";
import { MOVED } from "./samplers.ts";

useDevice();

const FILE = "random-gradients";

const scalar = (value: number): Tensor => array(Float32Array.of(value), { shape: [] });

/** A sampler's cases, "gamma | 2.5", with their places. */
function placesOf(sampler: string): [string, number][] {
  return Object.keys(readGoldens(FILE)).flatMap((name) => {
    const [found, place] = name.split(" | ");
    return found === sampler ? [[name, Number(place)]] : [];
  });
}

/** The largest distance of two arrays, over the larger of the wanted number and a hundredth of the largest. */
function apart(got: ArrayLike<number>, want: ArrayLike<number>): number {
  const numbers = Array.from(want);
  const floor = Math.max(...numbers.map(Math.abs)) / 100;
  return Math.max(...numbers.map((x, i) => Math.abs((got[i] ?? Number.NaN) - x) / Math.max(Math.abs(x), floor, 1e-30)));
}

describe("draws move with their parameters as JAX's do", () => {
  test.each(Object.entries(MOVED))("%s", async (name, draw) => {
    const places = placesOf(name);
    expect(places.length).toBeGreaterThan(0);
    for (const [of, place] of places) {
      const want = Array.from(goldenArray(FILE, of).data);
      const key = random.key(42);
      const [, slope] = jax.jvp((a: Tensor) => draw(key, a), [scalar(place)], [scalar(1)]);
      expect([of, apart(await slope.data(), want) < 2e-4]).toEqual([of, true]);
      const total = await jax
        .grad((a: Tensor) => draw(key, a).sum())(scalar(place))
        .item();
      const sum = want.reduce((all, x) => all + x, 0);
      const size = want.reduce((all, x) => all + Math.abs(x), 0);
      expect(Math.abs(total - sum)).toBeLessThanOrEqual(2e-4 * size);
    }
  });

  test("under vmap and jit each shape has its own", async () => {
    const shapes = [0.3, 2, 40];
    const slope = jax.grad((a: Tensor) => random.gamma(random.key(3), a));
    const got = await jax
      .jit(jax.vmap(slope))(array(Float32Array.from(shapes)))
      .data();
    for (const [i, a] of shapes.entries()) expect(got[i]).toBeCloseTo(await slope(scalar(a)).item(), 5);
  });

  test("there is no second derivative", () => {
    const slope = jax.grad((a: Tensor) => random.gamma(random.key(3), a));
    expect(() => jax.grad(slope)(scalar(2.5))).toThrow(/randomGammaGrad: there is no second derivative.*stopGradient/);
  });
});

describe("randomGammaGrad", () => {
  test("agrees with float64 where float32 can", async () => {
    const [a, x, want] = ["a", "x", "slope"].map((part) => goldenArray(FILE, "random_gamma_grad", part).data);
    if (a === undefined || x === undefined || want === undefined) throw new Error("lost a golden");
    const got = await randomGammaGrad(array(Float32Array.from(a)), array(Float32Array.from(x))).data();
    const errors = Array.from(want, (slope, i) => Math.abs((got[i] ?? Number.NaN) / slope - 1));
    // For large shapes ln x and digamma(a) cancel: their last places are worth sqrt(a) times as much.
    errors.forEach((error, i) =>
      expect([a[i], x[i], error < 2e-5 * Math.sqrt(1 + (a[i] ?? 0))]).toEqual([a[i], x[i], true]),
    );
  });

  test("outside of its domain", async () => {
    const got = randomGammaGrad(array([0, -1, 1, 1, NaN, 1, 2]), array([1, 1, -1, 0, 1, NaN, 0.5]));
    const [zero, below, negative, nothing, nan, nan2, fine] = await got.data();
    expect([zero, below, negative, nothing, nan, nan2]).toEqual([NaN, NaN, NaN, 0, NaN, NaN]);
    expect(fine).toBeGreaterThan(0);
  });
});
