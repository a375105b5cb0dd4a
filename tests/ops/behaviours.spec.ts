import { useDevice } from "@jnx/testing";
import * as t from "@jnx/tensor";
import { lax } from "jnx";
import { describe, expect, test } from "vitest";

/** Numbers that JAX 0.10.2 printed for the same calls. */

describe("reduceWindow begins each window with the initial value and passes over padding and gaps", () => {
  useDevice();
  const x = (): t.Tensor => t.array([1, 10, 100], { dtype: "float32" });

  test("sums", async () => {
    const y = t.reduceWindow(x(), 2, t.add, [3], [1], "SAME");
    expect(await y.toArray()).toEqual([13, 113, 112]);
    const dilated = t.reduceWindow(x(), 1, t.add, [2], [1], "VALID", { baseDilation: [2] });
    expect(await dilated.toArray()).toEqual([2, 11, 11, 101]);
  });

  test("maxima", async () => {
    const y = t.reduceWindow(x(), 50, t.maximum, [2], [1], [[1, 1]]);
    expect(await y.toArray()).toEqual([50, 50, 100, 100]);
  });

  test("any function", async () => {
    const y = t.reduceWindow(x(), 2, (a, b) => t.add(t.mul(a, b), 1), [2], [1], [[1, 0]]);
    expect(await y.toArray()).toEqual([3, 31, 2101]);
  });
});

describe("whole numbers", () => {
  useDevice();

  test("are reduced bit by bit", async () => {
    const x = t.array([6, 3, 7]);
    expect(await lax.reduceAnd(x, [0]).item()).toBe(2);
    expect(await lax.reduceOr(t.astype(x, "uint8"), [0]).item()).toBe(7);
    expect(lax.reduceOr(t.astype(x, "uint8"), [0]).dtype).toBe("uint8");
    expect(await lax.reduceAnd(t.zeros([0], { dtype: "uint16" }), [0]).item()).toBe(65535);
    expect(await lax.reduceAnd(t.zeros([0, 2], { dtype: "int32" }), [0]).toArray()).toEqual([-1, -1]);
    expect(await lax.reduceAnd(t.zeros([0], { dtype: "bool" }), [0]).item()).toBe(1);
  });

  test("become floats where at() divides them", async () => {
    const y = t.at(t.arange(4), t.array([1])).divide(2);
    expect(y.dtype).toBe("float32");
    expect(await y.toArray()).toEqual([0, 0.5, 2, 3]);
  });

  test("past int32's end count from the end in takeAlongAxis, and are outside in take", async () => {
    const [x, wild] = [t.array([1, 10, 100]), t.array(new Uint32Array([4294967295, 1]))];
    expect(await t.takeAlongAxis(x, wild, 0).toArray()).toEqual([100, 10]);
    expect(await t.take(x, wild).toArray()).toEqual([-2147483648, 10]);
  });
});

describe("quantiles", () => {
  useDevice();

  test("have the dtype of the elements, whatever that of q", async () => {
    const x = t.array([1, 2, 4], { dtype: "bfloat16" });
    for (const y of [t.quantile(x, 0.25), t.nanquantile(x, t.full([], 0.25)), t.nanpercentile(x, 25), t.median(x)])
      expect(y.dtype).toBe("bfloat16");
    expect(t.quantile(t.astype(x, "float16"), t.array([0.5])).dtype).toBe("float16");
    expect(await t.quantile(x, t.array([0.25, 0.5])).toArray()).toEqual([1.5, 2]);
  });
});
