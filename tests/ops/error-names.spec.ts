/** An argument that is no array is refused by the name of the function that the user called, not of one that it calls. */
import { useDevice } from "@jnx/testing";
import { jax, jnp, lax, nn, random } from "jnx";
import * as t from "@jnx/tensor";
import { describe, expect, test } from "vitest";

type AnyFunction = (...args: unknown[]) => unknown;

const spaces: Readonly<Record<string, object>> = {
  tensor: t, // what fluent methods are called
  jnp,
  "jnp.linalg": jnp.linalg,
  lax,
  "lax.linalg": lax.linalg,
  nn,
  random,
  "scipy.linalg": jax.scipy.linalg,
  "scipy.special": jax.scipy.special,
};

/** Names that one function has: it knows but one of them. */
const names = new Map<unknown, Set<string>>();
for (const [space, functions] of Object.entries(spaces))
  for (const [name, f] of Object.entries(functions))
    if (typeof f === "function" && /^[a-z]/.test(name) && !/xecutor$/.test(name))
      names.set(f, (names.get(f) ?? new Set()).add(space === "random" ? `random.${name}` : name));

const first = ([...all]: ReadonlySet<string>): string => all[0] ?? "";
const functions = [...names].map(([f, all]) => [first(all), f as AnyFunction, all] as const); // as found: functions

describe("who refuses what is no array", () => {
  useDevice();

  test.each(functions)("%s", async (name, f, all) => {
    const x = name.startsWith("random.") ? random.key(0) : t.ones([2, 2]);
    const wrong = new Date(0);
    const found: string[] = [];
    for (const args of [
      [wrong],
      [wrong, wrong],
      [wrong, 1],
      [wrong, [0]],
      [x, wrong],
      [x, wrong, wrong],
      [x, x, wrong],
    ])
      try {
        await f(...args);
      } catch (error) {
        const { message } = error as Error; // nothing else is thrown
        if (/expected a Tensor/.test(message) && ![...all].some((one) => message.startsWith(`${one}: `)))
          found.push(message);
      }
    expect(found).toEqual([]);
  });
});
