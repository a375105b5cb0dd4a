import { jax, jnp } from "jnx";
import { useDevice } from "@jnx/testing";
import { expect, test } from "vitest";

useDevice();

// Proof of life: host → device → ops → gradient → compiled step → host. If this fails, look nowhere else first.
test("it adds, differentiates and compiles", async () => {
  const x = jnp.array([1, 2, 3.5]);
  expect(await jnp.add(x, 1).toArray()).toEqual([2, 3, 4.5]);
  const slope = jax.grad((v: typeof x) => jnp.sum(jnp.square(v)));
  expect(await slope(x).toArray()).toEqual([2, 4, 7]);
  const step = jax.jit((v: typeof x, rate: number) => jnp.subtract(v, jnp.multiply(slope(v), rate)));
  expect(await step(x, 0.25).toArray()).toEqual([0.5, 1, 1.75]);
  expect(await step(x, 0.5).toArray()).toEqual([0, 0, 0]);
});
