import { adapterName, useDevice } from "@jnx/testing";
import { jax, jnp } from "jnx";
import { describe, expect, test } from "vitest";

useDevice();

const cpu = adapterName() === "wasm";
const x = (): ReturnType<typeof jnp.array> =>
  jnp.array([
    [1.5, 2, 3],
    [4, 5, 6],
  ]);

describe.runIf(cpu)("reads without awaiting, on the CPU", () => {
  test("give what awaited ones do: whole arrays, views, scalars, results of compiled functions", async () => {
    const y = jnp.multiply(x(), 2);
    expect(y.dataSync()).toEqual(Float32Array.of(3, 4, 6, 8, 10, 12));
    expect(y.T.dataSync()).toEqual(await y.T.data());
    expect(jnp.sum(y).itemSync()).toBe(43);
    const f = jax.jit((a: typeof y) => jnp.sum(jnp.square(a)));
    expect(f(y).itemSync()).toBe(await f(y).item());
    expect(jnp.zeros([0, 3]).dataSync()).toHaveLength(0);
  });

  test("an array's own copy is the caller's", () => {
    const y = jnp.add(x(), 1);
    y.dataSync().fill(0);
    expect(y.dataSync()[0]).toBe(2.5);
  });
});

describe.skipIf(cpu)("on WebGPU there is no such read", () => {
  test("the error says why and what to do", () => {
    const y = jnp.multiply(x(), 2);
    expect(() => y.dataSync()).toThrow(/dataSync: WebGPU hands out values only between turns.*await data\(\)/);
    expect(() => jnp.sum(y).itemSync()).toThrow(/itemSync: .*await item\(\).*device: "wasm"/);
  });

  test("what the host knows needs no device", () => {
    expect(jnp.array([1, 2]).dataSync()).toEqual(Int32Array.of(1, 2));
    expect(jnp.ones([]).itemSync()).toBe(1);
  });
});

test("itemSync takes one element, and a traced value has none", () => {
  expect(() => x().itemSync()).toThrow(/itemSync: needs an array of one element, received shape \[2, 3\]/);
  expect(() => jax.jit((a: ReturnType<typeof x>) => (a.dataSync(), a))(x())).toThrow(/being traced has no value/);
});
