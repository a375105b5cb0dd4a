/** Which dtypes jax.lax takes and which it refuses: as JAX does, by tests/oracle/lax_refusals.py. */
import { useDevice } from "@jnx/testing";
import { DtypeError, jax, jnp, lax, type DType, type Tensor } from "jnx";
import { describe, expect, test } from "vitest";
import { readGoldens } from "../goldens/read.ts";

useDevice();

/** An array of the first or the second dtype, or an argument as it stands. */
type Argument = { readonly of: 0 | 1; readonly shape: readonly number[] } | readonly Argument[] | string | number;
interface Call {
  readonly name: string;
  readonly args: readonly Argument[];
  readonly dtypes: readonly DType[];
  /** For each first dtype a digit for each second one, or a single one: 1 where JAX takes them. */
  readonly taken: Readonly<Record<DType, string>>;
}

/** As lax_refusals.py writes them. */
const calls = Object.entries(readGoldens("lax-refusals")).map(([title, call]: [string, unknown]): [string, Call] => {
  if (!isCall(call)) throw new Error(`lax-refusals.json: ${title} is no call`);
  return [title, call];
});

function isCall(value: unknown): value is Call {
  return (
    typeof value === "object" &&
    value !== null &&
    ["name", "args", "dtypes", "taken"].every((key) => Object.hasOwn(value, key))
  );
}

/** Calls a function of lax with what JAX's was called with. */
function called(name: string, args: readonly unknown[]): unknown {
  const f: unknown = Reflect.get(lax, name);
  if (typeof f !== "function") throw new Error(`lax has no ${name}`);
  return Reflect.apply(f, undefined, args);
}

function made(arg: Argument, dtypes: readonly (DType | undefined)[]): unknown {
  if (typeof arg !== "object") return arg;
  if (!("of" in arg)) return arg.map((each) => made(each, dtypes));
  const dtype = dtypes[arg.of];
  return jnp.array(jnp.ones(arg.shape), dtype === undefined ? {} : { dtype });
}

describe("lax takes the dtypes that jax.lax takes, and refuses others with a DtypeError", () => {
  test.each(calls)("%s", (_, { name, args, dtypes, taken }) => {
    const wrong: string[] = [];
    for (const first of dtypes)
      [...taken[first]].forEach((digit, k) => {
        const pair = [first, taken[first].length > 1 ? dtypes[k] : undefined];
        let refused: unknown;
        try {
          called(
            name,
            args.map((arg) => made(arg, pair)),
          );
        } catch (error) {
          refused = error;
        }
        const is = refused === undefined ? "1" : refused instanceof DtypeError ? "0" : String(refused);
        if (is !== digit) wrong.push(`${pair.join(", ")}: ${is}`);
      });
    expect(wrong).toEqual([]);
  });
});

describe("numbers without a dtype adapt, as JavaScript has but one kind", () => {
  const [whole, float] = [jnp.array([1, 2]), jnp.array([1, 2], { dtype: "float32" })];

  test("beside an array, and alone", () => {
    expect(lax.add(float, 1).dtype).toBe("float32");
    expect(lax.mul(2, whole).dtype).toBe("int32");
    expect(lax.max(float, 0).dtype).toBe("float32");
    expect([lax.sin(1).dtype, lax.atan2(1, 2).dtype, lax.pow(float, 3).dtype]).toEqual([
      "float32",
      "float32",
      "float32",
    ]);
    expect(jnp.sin(whole).dtype).toBe("float32");
  });

  test.each([
    [
      "a fraction to whole numbers",
      () => lax.add(whole, 1.5),
      "add: takes arrays of one dtype, received int32 and float32",
    ],
    ["a bool to numbers", () => lax.mul(float, true), "mul: takes arrays of one dtype, received float32 and bool"],
    ["a bool alone", () => lax.sin(true), "sin: takes floats, received bool"],
    [
      "whole numbers for floats",
      () => lax.sin(whole),
      "sin: takes floats, received int32; convert it with astype(), or use the function of jnp",
    ],
  ])("not %s", (_, call, message) => {
    expect(call).toThrow(DtypeError);
    expect(call).toThrow(message);
  });

  test("reductions and windows know their functions still", async () => {
    const x = jnp.array([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    expect(await lax.reduce(x, 0, lax.add, [0]).toArray()).toEqual([5, 7, 9]);
    expect(await lax.reduceWindow(x, -100, lax.max, [1, 2], [1, 1]).toArray()).toEqual([
      [2, 3],
      [5, 6],
    ]);
    // Within a function too: one kernel, not one for each place of the window.
    const explained = jax
      .jit((y: Tensor) => lax.reduceWindow(y, 0, (p, q) => lax.add(p, q), [1, 3], [1, 1]))
      .explain(x);
    expect(explained.dispatches).toBe(1);
    expect(explained.graph).toMatch(/window/i);
  });
});
